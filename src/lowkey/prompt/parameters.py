"""The parameters of a dialect, filled from what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lowkey.prompt.words import Value

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask


def filled(patterns: Mapping[str, Any], ask: Ask) -> dict[str, Value]:
    """``{width}``, ``{height}``, ``{area}``, ``{aspect}`` and ``{seed}`` replaced; a parameter whose value was not given is left out."""
    width, height = ask.size_px
    known: dict[str, Value | None] = {
        "{width}": width,
        "{height}": height,
        "{area}": width * height,
        "{aspect}": f"{ask.aspect[0]}:{ask.aspect[1]}",
        "{seed}": ask.seed,
        "{width}x{height}": f"{width}x{height}",
    }
    return {name: value for name, pattern in patterns.items() if (value := known.get(pattern, pattern)) is not None}
