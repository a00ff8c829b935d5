"""From what was typed to what the rooms take."""

from __future__ import annotations

import math
import re

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import Look


def look(
    name: str | None,
    light: str | None,
    background: str | None,
    clothing: str | None,
    pose: str | None,
    flare: str | None,
    exposure: float | None,
    fill: str | None,
    stock: str | None = None,
) -> Look:
    """A named look or the default one, changed by the flags that were given."""
    base = looks.find(name) if name else Look()
    numbers = {"exposure_ev": exposure, "fill_ev": _fill(fill)}
    return base.but(light=light, background=background, clothing=clothing, pose=pose, flare=flare, stock=stock, rig=numbers)


def _fill(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().lower() in ("none", "off"):
        return -math.inf
    try:
        return float(text)
    except ValueError:
        raise LookError("number-out-of-range", f'--fill takes stops against the key, such as -5, or none; given: "{text[:40]}"') from None


def seeds(text: str) -> int | list[int]:
    """6 is 1 to 6; 3,7 names two; 7, is one."""
    if not re.fullmatch(r"\s*\d{1,10}\s*(,\s*\d{1,10}\s*)*,?\s*", text, re.ASCII):
        raise LookError("bad-seeds", f'--seeds takes how many (6), or which (3,7 names two; 7, is one); given: "{text[:40]}"')
    numbers = [int(part) for part in text.split(",") if part.strip()]
    return numbers if "," in text else numbers[0]


def options(several: list[str] | None) -> dict[str, str]:
    """NAME=VALUE, each once."""
    found: dict[str, str] = {}
    for one in several or []:
        name, equals, value = one.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            raise LookError("bad-options", f'--option takes NAME=VALUE, each name once; given: "{one[:40]}"')
        found[name.strip()] = value.strip()
    return found


def size(text: str | None, aspect: str | None, height: int | None) -> tuple[int, int] | None:
    """WxH in pixels, or None when --aspect and --height say it."""
    if text is None:
        return None
    if aspect or height:
        raise LookError("bad-size", "give --size, or --aspect and --height, not both")
    found = re.fullmatch(r"\s*(\d{1,6})\s*[xX×*]\s*(\d{1,6})\s*", text, re.ASCII)
    if not found:
        raise LookError("bad-size", f'--size takes width x height in pixels, such as 1024x1280; given: "{text[:40]}"')
    return int(found[1]), int(found[2])
