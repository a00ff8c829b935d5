"""Frames on disk, metered: what they were asked to be, whose they are, and what they kept.

A frame of the darkroom lies beside its record, which says where the plate's pixels land in it; any other frame is foreign and
has to be registered by the meter itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey import photo
from lowkey.errors import LookError, LowkeyError
from lowkey.frame import Placement
from lowkey.look import Look
from lowkey.meter import measure
from lowkey.meter.reading import Reading
from lowkey.meter.verdict import Verdict, judge
from lowkey.photo import Photo
from lowkey.plate.plate import Caution, Plate
from lowkey.session import plates, record
from lowkey.session.files import sha256_of
from lowkey.spec import Spec

Eyes = tuple[float, float, float, float]
"""x, y of the eye at the viewer's left, then x, y of the other, in pixels of the frame."""


@dataclass(frozen=True)
class Entry:
    """What a record says about one frame that lies beside it, unchanged."""

    look: Look
    reference: str
    """sha256 of the photo it was made from."""
    face: int | None
    placement: Placement
    honours: Mapping[str, str]


@dataclass(frozen=True)
class Metered:
    """One frame, what was read of it and what it kept."""

    path: Path
    reading: Reading
    verdict: Verdict
    look: Look
    cautions: tuple[Caution, ...] = ()
    """What stood in the way."""


def meter(
    frames: Sequence[Path],
    *,
    reference: Path | None = None,
    look: Look | str | Path | None = None,
    eyes: Eyes | None = None,
    face: int | None = None,
    keep_plate: bool = True,
    likeness: bool = False,
) -> Iterator[Metered]:
    """Measure and judge frames, one after the other.

    Without `look` a frame is held against the look of the record beside it, else against the house look. With `reference`, the
    photo that a frame was made from, much more can be told. `eyes` helps where no face is found. Whose face it is, is asked
    unless the record beside the frame says that its model's licence bars that; with `likeness` it is asked all the same.
    """
    if eyes is not None and len(frames) > 1:
        raise LookError("bad-eyes", f"--eyes says where the eyes are in one frame, and {len(frames)} were given")
    asked = look if isinstance(look, Look) or look is None else looks.find(look)
    known = photo.read(reference) if reference is not None else None
    read: dict[int | None, Plate] = {}

    def plate_of(which: int | None) -> Plate | None:
        if known is None:
            return None
        if which not in read:
            read[which] = plates.of(known, which, keep=keep_plate)
        return read[which]

    for path in frames:
        picture = photo.read(path)
        if eyes is not None:
            eyes = _eyes(eyes, picture)
        entry = entry_of(path)
        cautions: list[Caution] = []
        placement = None
        if known is not None and entry is not None and entry.reference == known.hash:
            plate, placement = plate_of(entry.face if face is None else face), entry.placement
        else:
            plate = plate_of(face)
            if entry is not None and known is not None:
                text = f"the record beside {path.name} names another photo than the reference: it is taken as a foreign frame"
                cautions.append(Caution("foreign-frame", text))
        reading = measure(picture.pixels, plate, placement, eyes=eyes, likeness=likeness or not bars_likeness(path))
        wanted = asked or (entry.look if entry else Look())
        same = entry is not None and all(getattr(entry.look, name) == getattr(wanted, name) for name in looks.VARIABLES)
        verdict = judge(reading, Spec.of(wanted, entry.honours if entry and same else None))
        yield Metered(path, reading, verdict, wanted, tuple(cautions))


def bars_likeness(frame: Path) -> bool:
    """Whether the record beside a frame says that whose face it is may not be asked unasked (`Abilities.likeness`)."""
    try:
        rows = record.read(frame.parent).get("frames", [])
        return any(row["file"] == frame.name and row["notes"].get("likeness") is False for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, LowkeyError):
        return False  # no record, or not one of ours


def entry_of(frame: Path) -> Entry | None:
    """What the record beside a frame says about it; None when there is none, or the frame is not the one that was recorded."""
    try:
        data = record.read(frame.parent)
        for row in data.get("frames", []):
            if row["file"] == frame.name and row["sha256"] == sha256_of(frame):
                return _entry(data, row)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, LowkeyError):
        return None  # a record that somebody else wrote, or an older one: the frame is foreign
    return None


def _entry(data: Mapping[str, Any], row: Mapping[str, Any]) -> Entry:
    place = Placement(*(float(row["placement"][name]) for name in ("scale", "tx", "ty")))
    if not (place.scale > 0 and all(math.isfinite(value) for value in (place.scale, place.tx, place.ty))):
        raise ValueError("a placement of finite numbers, its scale above 0")
    face = data["photo"].get("face")
    look = looks.from_json(json.dumps(row.get("look") or data["look"]), "the record's look")
    honours = {str(name): str(answer) for name, answer in row["honours"].items()}
    return Entry(look, str(data["photo"]["sha256"]), face if isinstance(face, int) else None, place, honours)


def _eyes(eyes: Eyes, picture: Photo) -> Eyes:
    """The eyes, checked, the viewer's left one first whatever the order they were given in."""
    w, h = picture.size_px
    apart = math.hypot(eyes[2] - eyes[0], eyes[3] - eyes[1])
    inside = all(0 <= x < w for x in eyes[::2]) and all(0 <= y < h for y in eyes[1::2])
    if not inside or apart < 8:
        said = "--eyes takes x,y of one eye and x,y of the other in pixels of the frame, at least 8 px apart"
        raise LookError("bad-eyes", f"{said}; given {','.join(f'{value:g}' for value in eyes)} in a frame of {w}x{h}")
    return eyes if eyes[0] <= eyes[2] else (eyes[2], eyes[3], eyes[0], eyes[1])
