"""measure: one picture in, one Reading out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lowkey.frame import Frame, Placement
from lowkey.meter import direction, isolation, likeness, optics, pose, register, terminator, texture, tones
from lowkey.meter.reading import Found, Reading, whole
from lowkey.meter.register import Eyes
from lowkey.meter.sight import Head, Sight
from lowkey.photo import Photo
from lowkey.plate.plate import Plate


def measure(
    picture: Any, plate: Plate | None = None, placement: Placement | None = None, *, eyes: Eyes | None = None, likeness: bool = True
) -> Reading:
    """Read the light of a picture: what can be measured, with unit and uncertainty, and why the rest cannot.

    `picture` is a Frame, a Photo, u8 or u16[h, w, 3] in sRGB, or a file. `plate` is the reference, `placement` (plate to
    picture) says where it lies; a Frame brings its own. Without one the face is looked for, or taken where `eyes`
    (x, y of the eye at the viewer's left, x, y of the other, in pixels) say. Left and right are the viewer's. Without `likeness`
    whose face it is stays unasked: some models' licences bar that of what they made.
    """
    if isinstance(picture, Frame):
        pixels, placement = picture.pixels, placement or (picture.placement if plate is not None else None)
    elif isinstance(picture, Photo):
        pixels = picture.pixels
    elif isinstance(picture, str | Path):
        from lowkey import photo

        pixels = photo.read(picture).pixels
    else:
        pixels = np.asarray(picture)
    sight = Sight(pixels)
    head = register.find(sight, plate, placement, eyes)
    found = _of_frame(sight, head)
    if isinstance(head, str):
        return Reading(whole(found, otherwise=head), tones.low_key(found))
    found |= _of_person(sight, head, plate, likeness)
    return Reading(whole(found), tones.low_key(found))


def _of_frame(sight: Sight, head: Head | str) -> Found:
    """What needs no face; where the person is known they are left out of the room."""
    who = None if isinstance(head, str) else head
    parted = tones.sides(sight, who) if who is not None else None
    empty = optics.room(sight, who)
    lamp = None if isinstance(empty, str) else optics.lamp_of(sight, empty)
    return (
        tones.of_frame(sight)
        | optics.of_optics(sight, who, empty, lamp)
        | isolation.of_room(sight, empty, lamp)
        | texture.of_texture(sight, who, parted)
    )


def _of_person(sight: Sight, head: Head, plate: Plate | None, alike: bool) -> Found:
    """What is read on the face, the body and the clothes."""
    parted = tones.sides(sight, head)
    told = direction.key_of(sight, head)
    key = None if isinstance(told, str) else told
    return (
        tones.of_face(sight, head, parted)
        | direction.of_light(sight, head, told)
        | terminator.of_edge(sight, head, parted, key)
        | terminator.of_highlight(sight, head, parted, key, plate)
        | isolation.of_cloth(sight, head)
        | (likeness.of_likeness(sight, head, plate) if alike else likeness.unasked())
        | pose.of_pose(sight, head)
        | pose.of_place(sight, head)
    )
