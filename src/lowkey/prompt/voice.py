"""How a dialect says a phrase: its register, its way of naming a side, its name for the photo."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lowkey.errors import Bug
from lowkey.prompt.lexicon import Row, say
from lowkey.prompt.setup import OTHER

_SLOT = re.compile(r"\{([a-z ]+)\}")


@dataclass(frozen=True)
class Voice:
    """Left and right are the viewer's in every phrase; only here do they become words."""

    register: str
    sides: Mapping[str, str]
    """How a side is said: patterns with {side} (the viewer's) and {own} (the subject's)."""
    lit: str
    """The viewer's side that is lit; empty where there is none."""
    slots: Mapping[str, str]
    """What stands for {photo}, {lamp}, {depth} and the like; a value may hold slots itself."""

    def of(self, row: Row, stem: str = "", **more: str) -> str:
        """The phrase of a row in this voice."""
        return self.expand(say(row, self.register, stem), **more)

    def expand(self, text: str, **more: str) -> str:
        """Every {slot} of `text` replaced; an unknown one is our bug."""
        for _ in range(4):
            if "{" not in text:
                return text
            text = _SLOT.sub(lambda found: self._slot(found[1], more), text)
        raise Bug("lexicon", f"slots within slots: {text[:80]!r}")

    def _slot(self, name: str, more: Mapping[str, str]) -> str:
        if name in more:
            return more[name]
        if name in self.slots:
            return self.slots[name]
        whose, _, what = name.partition(" ")
        first = {"lit": self.lit, "dark": OTHER[self.lit]}.get(whose, "")
        if first and what in self.sides:
            return self.side(first, what)
        raise Bug("lexicon", f"nothing stands for {{{name}}} in a {self.register} phrase")

    def side(self, side: str, what: str) -> str:
        """One side in the dialect's words: ``side("left", "at")`` is "at frame-left"."""
        return self.sides[what].replace("{side}", side).replace("{own}", OTHER[side])
