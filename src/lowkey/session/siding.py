"""The side of the key, where the photo has a light of its own.

Old light cannot be taken off whole: what stays agrees with a key from its own side and fights one from the other. So where
nobody asked for a light, the look's own is shot in the mirror if the photo says so surely enough; a light asked for is obeyed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lowkey import look as looks
from lowkey import rig
from lowkey.look import Look
from lowkey.plate.plate import Caution, FoundLight, Plate
from lowkey.session.store import Store

CODES = ("key-side-chosen", "key-against-light")
ONE_SIDED = 0.42
"""How far to the side a light must stand, as the sideways part of its unit direction: 25 degrees at eye level. One from high above
may have any azimuth and still come from no side."""
SURE, STRONG_STOPS = 0.3, 2.0
"""Confidence and contrast from which a found light may turn the key round. On heads under one hard lamp of known place the side was
right nine times of nine, down to a confidence of .31, the lowest that was seen (benchmarks/side.py); nothing is known below."""
SIDELESS_DEG = 30.0
"""A key within this of straight before, or straight behind, belongs to neither side."""


def of_session(store: Store, face: int | None, plate: Callable[[], Plate]) -> FoundLight:
    """The light found in the session's photo: as its record has it, so that a session goes on as it began, else the plate's."""
    photo, read = store.fact("photo", {}), store.fact("plate", {})
    if isinstance(photo, Mapping) and isinstance(read, Mapping) and photo.get("face") == face:
        found = _read(read.get("found_light"))
        if found is not None:
            return found
    return plate().found_light


def sided(look: Look, found: FoundLight, *, free: bool) -> tuple[Look, tuple[Caution, ...]]:
    """The look to shoot, and what is to be said about its side.

    With `free` the light was left to lowkey, and a look whose key would fight the light found is shot in its mirrored form.
    Without it the look stays as it is.
    """
    old, new = _side_of(found), _side(look)
    if old * new >= 0:
        return look, ()
    seen = f"the photo is lit from frame-{_named(old)} ({found.contrast_stops:.1f} stops, confidence {found.confidence:.2f})"
    other = looks.other_side(look.light)
    if not free or other is None:
        way = f"--light {_quoted(other)} agrees with it" if other else f"a light from the {_named(old)} agrees with it"
        text = f"{seen} and the key comes from the {_named(new)}, as asked: old shading will fight the new; {way}"
        return look, (Caution("key-against-light", text),)
    text = f"{seen}: the key comes from that side too, {other}; --light {_quoted(look.light)} has it from the other all the same"
    return look.but(light=other), (Caution("key-side-chosen", text),)


def _side_of(found: FoundLight) -> int:
    """-1 left, +1 right, 0 when the photo's light has no side, is weak, or is not told surely."""
    strong = found.hard or found.contrast_stops >= STRONG_STOPS
    aside = math.sin(math.radians(found.azimuth_deg)) * math.cos(math.radians(found.elevation_deg))
    if not strong or found.confidence < SURE or abs(aside) < ONE_SIDED:
        return 0
    return 1 if aside > 0 else -1


def _side(look: Look) -> int:
    """-1 left, +1 right, 0 when the look's key comes from neither."""
    direction = rig.of(look).key.direction
    azimuth = direction.azimuth_deg if isinstance(direction, rig.Direction) else sum(direction.arc_deg) / 2
    if not SIDELESS_DEG < abs(azimuth) < 180 - SIDELESS_DEG:
        return 0
    return 1 if azimuth > 0 else -1


def _named(side: int) -> str:
    return "left" if side < 0 else "right"


def _quoted(light: str) -> str:
    return f'"{light}"' if " " in light else light


def _read(told: Any) -> FoundLight | None:
    """A found light from a record, which anybody may have written."""
    if not isinstance(told, Mapping):
        return None
    try:
        numbers = [float(told[name]) for name in ("azimuth_deg", "elevation_deg", "contrast_stops", "warm_mired", "confidence")]
    except (KeyError, TypeError, ValueError):
        return None
    azimuth, elevation, contrast, warm, confidence = numbers
    return FoundLight(azimuth, elevation, contrast, told.get("hard") is True, warm, confidence)
