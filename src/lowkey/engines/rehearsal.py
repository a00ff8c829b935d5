"""The rehearsal: every step of a shoot with nothing behind it, for dry runs and for docs. It draws a card, never a picture."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping

import numpy as np

from lowkey import __version__, prints
from lowkey.engines.contract import Abilities, Cancel, Ledger, Progress, Ready, Sitting, Step, stop_if
from lowkey.engines.settings import Settings
from lowkey.errors import EngineError
from lowkey.frame import Frame, Shot
from lowkey.look import VARIABLES
from lowkey.prompt import Words, dialects
from lowkey.prompt import compile as compiled

LABEL = "REHEARSAL"


class Rehearsal:
    """Draws a card with the shot's words, seed and size. It honours nothing, so the meter judges nothing of it.

    Settings: `dialect`, whose words stand on the card, and `steps`, how many it says that it takes.
    """

    name = "rehearsal"
    abilities = Abilities(
        dict.fromkeys(VARIABLES, "no"), reproducible=True, guide=True, licence="a card with words on it: no picture of anybody"
    )

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        settings = Settings(self.name, given)
        self.dialect = settings.text("dialect", "flux2")
        self.steps = settings.whole("steps", 4, 1, 1000)
        settings.check()
        if self.dialect.partition(":")[0] not in dialects.names():
            raise EngineError("bad-option", f"rehearsal: dialect is one of {', '.join(dialects.names())}, not \"{self.dialect[:40]}\"")

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        return (("dialect", self.dialect),)

    def ready(self) -> Ready:
        return Ready(True)

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        return self._lines(shot, sitting), shot.size_px

    def check(self, shot: Shot, sitting: Sitting) -> None:
        self._words(shot, sitting)

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        began = time.perf_counter()
        for done in range(self.steps):
            stop_if(cancel)
            if progress:
                progress(Step(done, self.steps, f"step {done + 1} of {self.steps}", 0.0 if done else None))
        stop_if(cancel)
        drawn = prints.card(LABEL, self._lines(shot, sitting), shot.size_px)
        if progress:
            progress(Step(self.steps, self.steps, "done", 0.0))
        return Frame(
            pixels=drawn.astype(np.uint16) * np.uint16(257),
            shot=shot,
            rig=None,
            placement=None,
            edits=(),
            honours=dict(self.abilities.variables),
            engine_version=f"rehearsal {__version__}",
            took_s=time.perf_counter() - began,
            notes={"rehearsal": True, "said": ["a card with words on it, no picture"]},
            words=self._words(shot, sitting).to_mapping(),
        )

    def close(self) -> None:
        """There is nothing to give back."""

    def _words(self, shot: Shot, sitting: Sitting) -> Words:
        guide = sitting.guide is not None and dialects.find(self.dialect).references > 1
        return compiled(shot.look, self.dialect, shot.remedies, aspect=shot.framing.aspect, seed=shot.seed, guide=guide)

    def _lines(self, shot: Shot, sitting: Sitting) -> tuple[str, ...]:
        width, height = shot.size_px
        asked = [f"{name}: {getattr(shot.look, name)}" for name in VARIABLES]
        lacked = ", ".join(f"{remedy.name} {remedy.size:g}" for remedy in shot.remedies)
        return (
            f"no picture: a card in its place. seed {shot.seed}, {width} x {height} px",
            *asked,
            *([f"retake with: {lacked}"] if lacked else []),
            self._words(shot, sitting).text,
        )
