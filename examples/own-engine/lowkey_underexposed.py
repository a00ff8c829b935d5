"""An engine of one's own: the photo as it is framed, some stops darker. Install it, and `--engine underexposed` is there."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping

import numpy as np

from lowkey.engines import Abilities, Cancel, Ledger, Progress, Ready, Sitting, Step
from lowkey.engines.contract import stop_if
from lowkey.engines.reference import faced, prepared
from lowkey.engines.settings import Settings
from lowkey.frame import Frame, Shot
from lowkey.pixels import srgb_decode, srgb_encode


class Underexposed:
    name = "underexposed"
    dialect = ""  # it takes no words; an engine that does names the dialect that lowkey.compile speaks to it
    abilities = Abilities(
        # What comes of each variable. "no" is not judged, and the user is told.
        {"light": "no", "background": "no", "clothing": "kept from photo", "pose": "kept from photo", "flare": "no"},
        reproducible=True,
        licence="your photo, your picture",
    )

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        settings = Settings(self.name, given)  # --option stops=3
        self.stops = settings.number("stops", 2.0, 0.0, 8.0)
        settings.check()  # refuses what nobody took

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        return (("stops", f"{self.stops:g}"),)  # what changes the picture, sorted; never a secret

    def ready(self) -> Ready:
        return Ready(True)  # or what is missing, each with what mends it

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        return faced(shot), shot.size_px, shot.seed, self.stops  # equal plans make equal frames

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """Raise what stands in the way here, before minutes or money are spent."""

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        stop_if(cancel)  # raises `cancelled`; ask between steps, and leave nothing behind
        began = time.perf_counter()
        if progress:
            progress(Step(0, 1, "the darker photo"))
        shown = prepared(sitting, shot, shot.size_px)  # the photo as the shot frames it, never stretched
        # Light falls by halves; a seed moves the exposure by up to a tenth of a stop.
        stops = self.stops + 0.1 * np.random.default_rng(shot.seed).uniform(-1, 1)
        dark = srgb_encode(srgb_decode(shown.pixels / np.float32(255)) * np.float32(2.0**-stops))
        stop_if(cancel)
        if progress:
            progress(Step(1, 1, "done", 0.0))
        pixels = np.round(dark * 65535).astype(np.uint16)
        took = time.perf_counter() - began
        return Frame(pixels, shot, None, None, (), dict(self.abilities.variables), "underexposed 1.0", took)

    def close(self) -> None:
        """Give back memory and connections."""
