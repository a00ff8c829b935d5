"""What is to be said, before anybody says it."""

from __future__ import annotations

from dataclasses import dataclass

from lowkey.look import Look
from lowkey.prompt import clauses
from lowkey.prompt.clauses import Manner, Said
from lowkey.prompt.remedies import Remedy

_SIZES = {(4, 5): (896, 1120), (2, 3): (832, 1248), (1, 1): (1024, 1024)}
"""Sizes of about one megapixel, in multiples of 16, that every FLUX returns exactly as asked."""


@dataclass(frozen=True)
class Ask:
    """What is to be said: a look, and what goes with it."""

    look: Look
    remedies: tuple[Remedy, ...] = ()
    aspect: tuple[int, int] = (4, 5)
    seed: int | None = None
    reference: str = ""
    """Web address of the photo, for a dialect that takes one (Midjourney)."""
    guide: bool = False
    """Whether the darkroom's frame goes along as a second picture."""

    def said(self, manner: Manner) -> Said:
        """Its clauses in a dialect's manner."""
        return clauses.say(self.look, self.remedies, manner, self.aspect, self.guide)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of about one megapixel, both multiples of 16, as near to the aspect as those allow."""
        if self.aspect in _SIZES:
            return _SIZES[self.aspect]
        width, height = self.aspect
        scale = (2**20 / (width * height)) ** 0.5
        return max(16, round(width * scale / 16) * 16), max(16, round(height * scale / 16) * 16)
