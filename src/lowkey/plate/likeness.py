"""Is it still the person? The distance between two faces, as dlib's recognition network sees them.

Both pictures are aligned by landmarks that were read in the photo, never by detecting a face in the output: in true low-key
frames no detector finds one. Only the distance leaves this module; no embedding is kept or written.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lowkey.errors import EngineError
from lowkey.pixels import F32, U8

SAME = 0.25
"""The unlit relight of a plate may lie this far from its photo at most; real photos of one person lie .30 and more apart."""
_FIVE = (263, 362, 33, 133, 2)
"""Mesh points of dlib's five: eye corners at the viewer's right (outer, inner) and left (outer, inner), base of the nose."""
_CHIP_PX = 150
_PADDING = 0.25


def distance(one: U8, other: U8, points: F32, other_points: F32 | None = None) -> float:
    """Euclidean distance of two faces' 128-number descriptors (ResNet-29 of dlib 19.3, after He et al. 2016).

    `one` and `other` are u8[h, w, 3] sRGB; `points` f32[478, >=2] are landmarks (x right, y down) in pixels of `one`, and of
    `other` too unless `other_points` says otherwise. The same pixels give 0; other photos of one person .30-.50, strangers .42-1.1
    (median .85). Up to .35 is the same person, .35-.50 probably, above .6 another.
    """
    a = _descriptor(one, points)
    b = _descriptor(other, points if other_points is None else other_points)
    return float(np.linalg.norm(a - b))


def distances(one: U8, others: Sequence[U8], points: F32) -> tuple[float, ...]:
    """The distance of `one` to each of the others, all u8[h, w, 3] with the same landmarks."""
    a = _descriptor(one, points)
    return tuple(float(np.linalg.norm(a - _descriptor(other, points))) for other in others)


def _descriptor(picture: U8, points: F32) -> F32:
    import dlib

    # Only the face's surroundings are handed over: dlib builds an image pyramid of whatever it gets.
    five = points[list(_FIVE), :2].astype(np.float64)
    span = float(np.linalg.norm(five[0] - five[2]))
    h, w = picture.shape[:2]
    low, high = five.min(0) - 1.5 * span, five.max(0) + 1.5 * span
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    part = np.ascontiguousarray(picture[y0 : min(int(high[1]) + 1, h), x0 : min(int(high[0]) + 1, w)])
    at = dlib.points([dlib.point(round(float(x) - x0), round(float(y) - y0)) for x, y in five])
    box = dlib.rectangle(0, 0, part.shape[1] - 1, part.shape[0] - 1)
    chip = dlib.get_face_chip(part, dlib.full_object_detection(box, at), size=_CHIP_PX, padding=_PADDING)
    return np.asarray(_network().compute_face_descriptor(chip), np.float32)


@cache
def _network() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(_folder() / "dlib_face_recognition_resnet_model_v1.dat"))


def _folder() -> Path:
    """Where face_recognition_models keeps its files; the package itself cannot be imported without pkg_resources."""
    spec = importlib.util.find_spec("face_recognition_models")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "models"
        if (folder / "dlib_face_recognition_resnet_model_v1.dat").is_file():
            return folder
    raise EngineError("no-likeness-model", "likeness cannot be measured: the package face_recognition_models is not installed")
