"""Laws of ears: a plane that faces the viewer, thin at the rim, and nothing else of a head is touched."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import ears, loose
from lowkey.darkroom.figure import Figure
from lowkey.pixels import F32, freeze
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from test_dress import HW, person


def eared() -> tuple[Plate, F32]:
    """A person with a round ear at the viewer's right that leans to the right, and where it is, f32[h, w]."""
    plate = person(long_hair=False)
    oval = plate.landmarks[list(OVAL), :2]
    middle = 0.5 * (plate.landmarks[ears.BROW, 1] + plate.landmarks[ears.NOSE_BASE, 1])
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    ear = np.asarray(np.hypot((x - oval[:, 0].max()) / 0.16, (y - middle) / 0.20) < HW, np.float32)
    beside = np.asarray(ear * (x > oval[:, 0].max()), np.float32)
    parts = {name: np.where(beside > 0, 0, part).astype(np.float32) for name, part in plate.parts.items()}
    parts["skin"] = np.maximum(parts["skin"], beside)
    side = np.array([0.9, 0.0, np.sqrt(1 - 0.81)], np.float32)
    normal = np.where(beside[..., None] > 0, side, plate.normal).astype(np.float32)
    frozen = {name: freeze(part) for name, part in parts.items()}
    return replace(plate, matte=freeze(np.maximum(plate.matte, beside)), parts=frozen, normal=freeze(normal)), beside


def test_an_ear_faces_the_viewer_and_is_thin_at_its_rim_alone() -> None:
    plate, ear = eared()
    figure = Figure(plate)
    figure.ears = ears.shaped(figure, plate)
    right = plate.landmarks[list(OVAL), 0].max()
    x = np.arange(plate.matte.shape[1])[None]
    deep = (ear > 0) & (x > right + 0.06 * HW) & (x < right + 0.10 * HW)
    level = np.flatnonzero(deep.any(1))
    middle = np.zeros_like(deep)
    middle[level[len(level) // 2] - 4 : level[len(level) // 2] + 4] = True
    # Its folds tilt it a little, hither and thither; it leaned to the side by 64 degrees.
    assert np.median(figure.normal[deep & middle][:, 2]) > 0.85
    assert np.median(figure.normal[deep & middle][:, 0]) < 0.5
    passed = loose.edge(figure.subject(plate, 1.0))[..., 0]
    assert passed[ear > 0].max() > 0.3 * loose.FLESH[0]
    assert passed[deep & middle].max() < 0.15 * loose.FLESH[0]
    assert np.linalg.norm(figure.normal[ear > 0], axis=-1) == pytest.approx(1, abs=1e-3)


def test_a_face_and_hair_are_left_alone() -> None:
    plate, ear = eared()
    before, figure = Figure(plate), Figure(plate)
    ears.shaped(figure, plate)
    oval = np.round(plate.landmarks[list(OVAL), :2]).astype(np.int32)
    face = cv2.fillPoly(np.zeros(plate.matte.shape, np.uint8), [oval], 1) > 0
    for name in ("albedo", "normal", "specular"):
        np.testing.assert_allclose(getattr(figure, name)[face], getattr(before, name)[face], atol=1e-6)
    assert np.abs(figure.normal - before.normal)[ear > 0].max() > 0.3
    hair = plate.parts["hair"] > 0.99
    np.testing.assert_allclose(figure.albedo[hair], before.albedo[hair], atol=1e-6)
