"""measure: one picture in, one Reading out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lowkey.frame import Frame, Placement
from lowkey.meter import register, tones
from lowkey.meter.reading import CannotJudge, Measure, Reading, whole
from lowkey.meter.register import Eyes
from lowkey.meter.sight import Sight
from lowkey.photo import Photo
from lowkey.plate.plate import Plate

Found = dict[str, Measure | CannotJudge]


def measure(picture: Any, plate: Plate | None = None, placement: Placement | None = None, *, eyes: Eyes | None = None) -> Reading:
    """Read the light of a picture: what can be measured, with unit and uncertainty, and why the rest cannot.

    `picture` is a Frame, a Photo, u8 or u16[h, w, 3] in sRGB, or a file. `plate` is the reference, `placement` (plate to
    picture) says where it lies; a Frame brings its own. Without one the face is looked for, or taken where `eyes`
    (x, y of the eye at the viewer's left, x, y of the other, in pixels) say. Left and right are the viewer's.
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
    found: Found = tones.of_frame(sight)
    head = register.find(sight, plate, placement, eyes)
    if isinstance(head, str):
        return Reading(whole(found, otherwise=head), tones.low_key(found))
    parted = tones.sides(sight, head)
    found |= tones.of_face(sight, head, parted)
    return Reading(whole(found), tones.low_key(found))
