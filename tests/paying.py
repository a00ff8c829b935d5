"""One remote take in a process of its own, to be killed: ``python paying.py ENGINE ADDRESS LEDGER FRAME [option=value ...]``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import skimage.data

from ledgers import FileLedger
from lowkey import engines, photo
from lowkey.engines import Consent, Sitting
from lowkey.frame import Framing, Shot
from lowkey.look import Look

SIZE_PX, SEED = (256, 320), 7


def take(name: str, base: str, ledger: Path, frame: Path, **options: str) -> None:
    """Shoot, and write the frame."""
    where = {"server": base} if name == "comfyui" else {"host": base}
    engine = engines.find(name, {**where, "patience": "30", **options})
    engine.pace_s = 0.05  # type: ignore[attr-defined]
    shot = Shot(Look(), Framing(aspect=(4, 5), source=True), "ef" * 32, SEED, SIZE_PX, name, engine.options)
    portrait = photo.Photo(skimage.data.astronaut(), "ef" * 32, "client-anna")
    consent = Consent("Anna", frozenset({name}))
    sitting = Sitting(portrait, lambda: 1 / 0, consent=consent)  # type: ignore[arg-type, return-value]
    made = engine.shoot(shot, sitting, ledger=FileLedger(ledger, frame=frame))
    if os.environ.get("LOWKEY_TEST_DIE") == "unkept":
        os.kill(os.getpid(), signal.SIGKILL)
    photo.write_png(frame, made.pixels)


if __name__ == "__main__":
    engine, address, kept, written = sys.argv[1:5]
    take(engine, address, Path(kept), Path(written), **dict(one.split("=", 1) for one in sys.argv[5:]))
