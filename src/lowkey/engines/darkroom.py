"""The darkroom as an engine: the photo itself, relit here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

from lowkey import rig as rigs
from lowkey.darkroom import Enlarger
from lowkey.engines.contract import Abilities, Cancel, Ledger, Progress, Ready, Sitting, Step, stop_if
from lowkey.engines.settings import Settings
from lowkey.frame import Frame, Shot
from lowkey.rig import Rig


class Darkroom:
    """Keeps one `Enlarger`, so that the seeds of a shoot share what does not change between them."""

    name = "darkroom"
    dialect = ""
    abilities = Abilities(
        {"light": "yes", "background": "yes", "clothing": "yes", "pose": "kept from photo", "flare": "yes"},
        reproducible=True,
        licence="your photo, your picture",
    )

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        settings = Settings(self.name, given)
        self.keep_skin = settings.flag("keep-skin")
        settings.check()
        self._enlarger: Enlarger | None = None

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        return (("keep-skin", "yes"),) if self.keep_skin else ()

    def ready(self) -> Ready:
        return Ready(True)

    def rig_of(self, shot: Shot) -> Rig:
        """What is asked of the light, before the seed moves it and the plate aims it."""
        return rigs.of(shot.look, shot.remedies)

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        return self.rig_of(shot), shot.seed, shot.framing, shot.size_px

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """There is nothing that it would refuse: what it cannot do is told in `Frame.honours`."""

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        stop_if(cancel)
        if progress:
            progress(Step(0, 1, "the relit frame"))
        frame = self._enlarger_for(shot, sitting).develop(self.rig_of(shot), shot.seed, look=shot.look)
        stop_if(cancel)
        if progress:
            progress(Step(1, 1, "done", 0.0))
        return replace(frame, shot=shot)

    def close(self) -> None:
        self._enlarger = None

    def _enlarger_for(self, shot: Shot, sitting: Sitting) -> Enlarger:
        held = self._enlarger
        if held is None or held.source is not sitting.plate or (held.framing, held.size_px) != (shot.framing, shot.size_px):
            self._enlarger = Enlarger(sitting.plate, shot.framing, shot.size_px, keep_skin=self.keep_skin)
        assert self._enlarger is not None
        return self._enlarger
