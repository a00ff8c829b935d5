"""Counting faces, picking one, and refusing what is no portrait."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import Photo
from lowkey.pixels import U8
from lowkey.plate import models

Box = tuple[float, float, float, float]
WORKING_PX = 1600


@dataclass(frozen=True)
class Face:
    """One face found in a photo: its number as shown to the user (from the left), box in photo pixels, detector score."""

    number: int
    box: Box
    score: float

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]


def codes(photo: Photo) -> U8:
    """The photo's 8-bit sRGB codes u8[h, w, 3], as the readers want them."""
    p = photo.pixels
    return np.asarray(p >> 8 if p.dtype == np.uint16 else p, np.uint8)


def find(photo: Photo) -> tuple[Face, ...]:
    """All faces, numbered from the left."""
    picture = codes(photo)
    h, w = picture.shape[:2]
    k = min(1.0, WORKING_PX / max(h, w))
    small = picture if k == 1 else cv2.resize(picture, (round(w * k), round(h * k)), interpolation=cv2.INTER_AREA)
    with models.face_detector(full_range=True, least=0.4) as look:
        seen = [(tuple(v / k for v in s.box), s.score) for s in look(np.asarray(small, np.uint8))]
    if not seen:
        with models.face_detector(full_range=False, least=0.5) as look:
            seen = [(tuple(v / k for v in s.box), s.score) for s in look(np.asarray(small, np.uint8))]
    seen.sort(key=lambda s: s[0][0] + s[0][2])
    return tuple(Face(i + 1, (b[0], b[1], b[2], b[3]), s) for i, (b, s) in enumerate(seen))


def choose(photo: Photo, found: tuple[Face, ...], number: int | None = None) -> Face:
    """The face to work on, or a PhotoError that says why there is none."""
    if not found:
        raise PhotoError("no-face", f"no face found in {photo.stem}: a portrait needs one face, turned at least partly to the camera")
    if number is not None:
        if not 1 <= number <= len(found):
            text = f"there is no face {number} in {photo.stem}: faces are numbered 1 to {len(found)} from the left"
            raise PhotoError("no-such-face", text)
        return found[number - 1]
    if len(found) > 1:
        raise PhotoError("several-faces", f"{len(found)} faces found in {photo.stem}: say which with --face 1 to --face {len(found)}")
    return found[0]
