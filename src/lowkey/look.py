"""The five variables and their vocabulary (first sketch: names and types are fixed, parsing comes with the tables)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    light: str = "rear-right"
    background: str = "dust motes and film grain"
    clothing: str = "dark turtleneck"
    pose: str = "as shot"
    flare: str = "prominent bright halo"
