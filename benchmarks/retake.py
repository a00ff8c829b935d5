"""Does the loop close: the darkroom starts from rigs that are wrong on purpose, and the meter leads it back to the look.

    python benchmarks/retake.py [--retakes 3] [--size 512x640] [--faults NAME,..] PHOTO...

Each photo is shot once from each bad rig; a start counts as reached when a take misses nothing of the house look that could
be judged. Without photos it takes four portraits of LOWKEY_SHARED/data/portraits/real. Prints a table for docs/meter.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lowkey import photo, rig
from lowkey.engines import Sitting
from lowkey.engines.darkroom import Darkroom
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.rig import Auto, Direction, Rig
from lowkey.session import plates
from lowkey.session.retaking import Take, takes
from lowkey.spec import Remedy

PORTRAITS = ("obama_2012", "woman_dark1", "old_man_blue_glasses", "woman_red_hair")


def turned_to(given: Rig, azimuth: float, elevation: float = 18.0) -> Rig:
    return replace(given, key=replace(given.key, direction=Direction(azimuth, elevation)))


def aimed(given: Rig, lit: float) -> Rig:
    assert isinstance(given.key.direction, Auto)
    return replace(given, key=replace(given.key, direction=replace(given.key.direction, lit=lit, arc_deg=(30, 140))))


FAULTS: dict[str, Callable[[Rig], Rig]] = {
    "key at 45 deg": lambda r: turned_to(r, 45),
    "key at 65 deg": lambda r: turned_to(r, 65),
    "key at 15 deg, frontal": lambda r: turned_to(r, 15, 30),
    "from the left": lambda r: rig.remedied(r, (Remedy("lit-side"),)),
    "2 stops over": lambda r: replace(r, exposure_offset_ev=2.0),
    "2 stops under": lambda r: replace(r, exposure_offset_ev=-2.0),
    "filled, 2 stops under the key": lambda r: replace(r, fill_ev=-2.0, ambient_rgb=(0.05, 0.05, 0.05)),
    "no motes": lambda r: replace(r, motes=replace(r.motes, per_fh2=0.0)),
    "no motes, 1.5 stops over, filled": lambda r: replace(
        r, motes=replace(r.motes, per_fh2=0.0), exposure_offset_ev=1.5, fill_ev=-3.0
    ),
    "too frontal, over, filled, no motes": lambda r: replace(
        turned_to(r, 55), motes=replace(r.motes, per_fh2=0.0), exposure_offset_ev=1.5, fill_ev=-3.0
    ),
}


class Wrong(Darkroom):
    """A darkroom whose rig starts wrong: the real one in everything else."""

    def __init__(self, fault: Callable[[Rig], Rig]) -> None:
        super().__init__()
        self.fault = fault

    def rig_of(self, shot: Shot) -> Rig:
        return rig.remedied(self.fault(rig.of(shot.look)), shot.remedies)


def told(take: Take) -> str:
    """One take in a line: what it missed, and what was prescribed."""
    values = [row.value if isinstance(row.value, str) else f"{row.value:.3g}" for row in take.verdict.missed]
    missed = ", ".join(f"{row.measure} {value}" for row, value in zip(take.verdict.missed, values, strict=True))
    prescribed = ", ".join(f"{one.name} {one.size:.2g}" for one in take.verdict.remedies)
    return f"{take.verdict.headline}; {missed or 'nothing missed'}" + (f" -> {prescribed}" if prescribed else "")


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("photos", nargs="*", type=Path)
    ask.add_argument("--retakes", type=int, default=3)
    ask.add_argument("--size", default="512x640")
    ask.add_argument("--faults", default="")
    ask.add_argument("--verbose", action="store_true")
    given = ask.parse_args()
    w, h = (int(side) for side in given.size.split("x"))
    shared = Path(os.environ.get("LOWKEY_SHARED", Path(__file__).parents[2] / "shared")) / "data" / "portraits" / "real"
    files = given.photos or [next(shared.glob(f"{name}*")) for name in PORTRAITS]
    faults = {name: fault for name, fault in FAULTS.items() if not given.faults or any(part in name for part in given.faults.split(","))}
    look, start = Look(), time.perf_counter()
    lines: dict[str, list[str]] = {name: [] for name in faults}
    reached = missed_at_first = 0
    left: dict[str, int] = {}
    for file in files:
        plate = plates.of(photo.read(file))
        sitting = Sitting(plate.photo, lambda held=plate: held)
        shot = Shot(look, Framing(), plate.photo.hash, 1, (w, h))
        for name, fault in faults.items():
            several = list(takes(Wrong(fault), shot, sitting, given.retakes))
            last = several[-1].verdict
            missed_at_first += bool(several[0].verdict.missed)
            good = not last.missed and last.score is not None
            reached += good
            for row in last.missed:
                left[row.measure] = left.get(row.measure, 0) + 1
            lines[name].append(f"{len(several) - 1}" if good else f"{len(several) - 1} ({', '.join(row.measure for row in last.missed)})")
            if given.verbose:
                print(f"{file.stem}: {name}")
                for take in several:
                    print(f"   {told(take)}", flush=True)
    print(f"| start | {' | '.join(file.stem for file in files)} |")
    print("|---|" + "---|" * len(files))
    for name, cells in lines.items():
        print(f"| {name} | {' | '.join(cells)} |")
    took = time.perf_counter() - start
    print(f"\n{reached} of {len(files) * len(faults)} starts reach the look within {given.retakes} retakes", end=" ")
    print(f"({missed_at_first} missed it at first); {took:.0f} s")
    if left:
        print("still missed:", ", ".join(f"{name} {times}" for name, times in sorted(left.items(), key=lambda one: -one[1])))


if __name__ == "__main__":
    main()
