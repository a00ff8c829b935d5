"""Counting faces and picking one.

The full-range detector counts; the selfie detector is asked only when it sees nothing, then again on tiles. A sighting counts
as a face when the mesh can be laid on it and stays put while its crop is moved: a detector alone takes bokeh for faces, and the
mesh alone takes anything for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import Photo
from lowkey.pixels import F32, U8
from lowkey.plate import landmarks, models

Box = tuple[float, float, float, float]
WORKING_PX = 1600
LEAST_SCORE = 0.6
"""Real faces score .64 and more, the bokeh, gas bottles and machines tried .58 and less (and the mesh finds nothing in them)."""
TILES = (2, 3)
RIVAL_SIZE, SMALL_RIVAL_SIZE, RIVAL_SHARPNESS = 0.55, 0.4, 0.4
"""A second face asks for a choice when it is this large against the largest, or somewhat smaller but as sharp."""
LEAST_HW_PX = 64.0
READ_HW_PX = 24.0
"""Head-widths in photo pixels: below the first a face is refused, below the second it is not even counted."""


@dataclass(frozen=True)
class Face:
    """One face in a photo, with its number as shown to the user (1, 2, … from the viewer's left)."""

    number: int
    box: Box
    """x0, y0, x1, y1 in photo pixels."""
    score: float
    points: F32
    """f32[478, 3] landmarks in photo pixels, as `landmarks.read` gives them."""
    wobble: float
    """How far the landmarks move, in head-widths, when the crop they are read on is moved."""

    @property
    def hw_px(self) -> float:
        return landmarks.width(self.points)


def codes(photo: Photo) -> U8:
    """The photo's 8-bit sRGB codes u8[h, w, 3], as the readers want them."""
    p = photo.pixels
    return np.asarray(p >> 8 if p.dtype == np.uint16 else p, np.uint8)


def find(photo: Photo) -> tuple[Face, ...]:
    """All faces, numbered from the viewer's left."""
    picture = codes(photo)
    faces = _confirmed(picture, _merged(_seen(picture)))
    if not faces:
        faces = _confirmed(picture, _merged(_seen_on_tiles(picture)), strict=True)
    faces.sort(key=lambda f: f.box[0] + f.box[2])
    return tuple(Face(i + 1, f.box, f.score, f.points, f.wobble) for i, f in enumerate(faces))


def choose(photo: Photo, found: tuple[Face, ...], number: int | None = None) -> Face:
    """The face to work on, or a PhotoError that says why there is none."""
    if not found:
        raise PhotoError(
            "no-face",
            f"no face found in {photo.stem}: a portrait needs a person's face, both eyes visible, not covered and not cut by the frame",
        )
    if number is not None:
        if not 1 <= number <= len(found):
            seen = "one face" if len(found) == 1 else f"{len(found)} faces, numbered 1 to {len(found)} from the left"
            raise PhotoError("no-such-face", f"there is no face {number} in {photo.stem}: it shows {seen}")
        return found[number - 1]
    picture = codes(photo)
    largest = max(found, key=lambda f: f.hw_px)
    rivals = [f for f in found if f is not largest and _rivals(picture, f, largest)]
    if rivals:
        raise PhotoError(
            "several-faces",
            f"{len(found)} faces found in {photo.stem}: say which one with --face 1 to --face {len(found)}, counted from the left",
        )
    return largest


def numbered(photo: Photo, found: tuple[Face, ...]) -> U8:
    """The photo u8[h, w, 3], at most 1600 pixels long, with every face boxed and numbered."""
    picture = codes(photo)
    h, w = picture.shape[:2]
    k = min(1.0, WORKING_PX / max(h, w))
    shown = np.ascontiguousarray(_shrunk(picture, k)).copy()
    thick = max(2, round(0.004 * max(shown.shape[:2])))
    for face in found:
        x0, y0, x1, y1 = (round(v * k) for v in face.box)
        cv2.rectangle(shown, (x0, y0), (x1, y1), (0, 0, 0), thick + 2, cv2.LINE_AA)
        cv2.rectangle(shown, (x0, y0), (x1, y1), (255, 196, 64), thick, cv2.LINE_AA)
        # The number stands on a plate at the box's upper left corner, inside the picture whatever the box does.
        size = max(0.8, 0.0035 * (x1 - x0) + 0.6)
        (tw, th), _ = cv2.getTextSize(str(face.number), cv2.FONT_HERSHEY_SIMPLEX, size, thick)
        px, py = max(x0, 0), max(y0, th + 12)
        cv2.rectangle(shown, (px, py - th - 12), (px + tw + 12, py), (255, 196, 64), -1)
        cv2.putText(shown, str(face.number), (px + 6, py - 6), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), thick, cv2.LINE_AA)
    return np.asarray(shown, np.uint8)


def _shrunk(picture: U8, k: float) -> U8:
    if k >= 1:
        return picture
    h, w = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (max(round(w * k), 1), max(round(h * k), 1)), interpolation=cv2.INTER_AREA), np.uint8)


def _seen(picture: U8) -> list[tuple[Box, float]]:
    """Sightings on the whole picture: the full-range detector's, or the selfie detector's where that one is blind."""
    k = min(1.0, WORKING_PX / max(picture.shape[:2]))
    small = _shrunk(picture, k)
    for full_range in (True, False):
        with models.face_detector(full_range=full_range, least=LEAST_SCORE) as look:
            seen = look(small)
        if seen:
            return [(_scaled(s.box, 1 / k), s.score) for s in seen]
    return []


def _seen_on_tiles(picture: U8) -> list[tuple[Box, float]]:
    """Sightings on overlapping tiles, for faces too small for a detector that sees 192 pixels."""
    h, w = picture.shape[:2]
    seen: list[tuple[Box, float]] = []
    with models.face_detector(full_range=True, least=LEAST_SCORE) as look:
        for n in TILES:
            th, tw = min(h, int(1.35 * h / n)), min(w, int(1.35 * w / n))
            for i in range(n):
                for j in range(n):
                    y0, x0 = round(i * (h - th) / (n - 1)), round(j * (w - tw) / (n - 1))
                    tile = picture[y0 : y0 + th, x0 : x0 + tw]
                    k = min(1.0, WORKING_PX / max(tile.shape[:2]))
                    for s in look(np.ascontiguousarray(_shrunk(tile, k))):
                        a, b, c, d = _scaled(s.box, 1 / k)
                        seen.append(((a + x0, b + y0, c + x0, d + y0), s.score))
            if seen:
                break
    return seen


def _scaled(box: Box, k: float) -> Box:
    return box[0] * k, box[1] * k, box[2] * k, box[3] * k


def _merged(seen: Iterable[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """One sighting per face: of those whose middles lie within each other's box, the surest."""
    kept: list[tuple[Box, float]] = []
    for box, score in sorted(seen, key=lambda s: -s[1]):
        if not any(_within(box, k) or _within(k, box) for k, _ in kept):
            kept.append((box, score))
    return kept


def _within(inner: Box, outer: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _confirmed(picture: U8, seen: list[tuple[Box, float]], *, strict: bool = False) -> list[Face]:
    """The sightings on which the mesh can be laid; `strict` also wants it to stay put."""
    faces: list[Face] = []
    for box, score in seen:
        read = landmarks.read(picture, box)
        if read is None:
            continue
        points, wobble = read
        middle = (float(points[:468, 0].mean()), float(points[:468, 1].mean()))
        slipped = not _within((*middle, *middle), box)  # the mesh went to another face
        if slipped or landmarks.width(points) < READ_HW_PX or (strict and wobble > 0.03):
            continue
        faces.append(Face(0, box, score, points, wobble))
    return faces


def _rivals(picture: U8, face: Face, largest: Face) -> bool:
    size = face.hw_px / largest.hw_px
    if size >= RIVAL_SIZE:
        return True
    return size >= SMALL_RIVAL_SIZE and _sharpness(picture, face) >= RIVAL_SHARPNESS * _sharpness(picture, largest)


def _sharpness(picture: U8, face: Face) -> float:
    """Detail against contrast of a face brought to 96 pixels."""
    h, w = picture.shape[:2]
    x0, y0, x1, y1 = (round(v) for v in face.box)
    part = picture[max(y0, 0) : min(y1, h), max(x0, 0) : min(x1, w)]
    grey = cv2.cvtColor(cv2.resize(part, (96, 96), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std() / (grey.std() + 4))
