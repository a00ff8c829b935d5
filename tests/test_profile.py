"""A head turned toward a profile: its outline is nose, lips and chin, and its neck hangs behind the chin."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import bust
from lowkey.darkroom import neck
from lowkey.pixels import F32, freeze
from lowkey.plate import meshes
from lowkey.plate.plate import Plate, Pose

K = 160.0
LIPS = (0, 13, 17, 18, 200)


def turned(yaw_deg: float) -> Plate:
    """The bust's mesh turned by `yaw_deg` toward frame-right, bare skin within its outline and over a neck behind the chin."""
    plate = bust.plate(K)
    h, w = plate.matte.shape
    mesh = plate.landmarks.astype(np.float64)
    a, axis = np.radians(yaw_deg), (w - 1) / 2
    x = mesh[:, 0] - axis
    # Deeper from ear to chin than the bust: as a head is.
    z = mesh[:, 2] + 0.4 * K * np.sqrt(np.clip(1 - np.square(x / (0.5 * K)), 0, 1))
    points = np.stack([axis + x * np.cos(a) + z * np.sin(a), mesh[:, 1], z * np.cos(a) - x * np.sin(a)], -1).astype(np.float32)
    solid = np.zeros((h, w), np.uint8)
    front = np.concatenate([points[list(meshes.MIDLINE), :2], points[[234], :2]])
    for ring in (points[list(meshes.OVAL), :2], front):
        cv2.fillPoly(solid, [np.round(ring).astype(np.int32)], 1)
    chin = points[152]
    middle = int(chin[0] - 0.66 * K * np.sin(a))
    solid[int(chin[1] - 0.5 * K) :, int(middle - 0.42 * K) : int(middle + 0.42 * K)] = 1
    matte = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.8)
    parts = {name: np.zeros_like(matte) for name in plate.parts} | {"skin": matte, "background": 1 - matte}
    return replace(plate, landmarks=freeze(points), pose=Pose(yaw_deg, 0, 0), matte=freeze(matte), parts=parts)


def at(picture: F32, point: F32, back_px: float = 0.0) -> float:
    return float(picture[round(float(point[1])), round(float(point[0]) - back_px)])


@pytest.mark.parametrize("yaw", [-60, -45, 0, 20, 40, 55, 65])
def test_a_profile_keeps_its_lips_and_its_chin(yaw: int) -> None:
    """Its nose stands out over a gap, as an ear over a shoulder does; and the far half of its jaw lies behind its mouth."""
    plate = turned(yaw)
    kept = neck.keep(plate)
    for name in LIPS:
        assert at(kept.head, plate.landmarks[name], 0.03 * K * np.sign(yaw)) > 0.95
        assert at(kept.below, plate.landmarks[name], 0.03 * K * np.sign(yaw)) < 0


@pytest.mark.parametrize("yaw", [-60, -45, 0, 20, 40, 55, 65])
def test_the_neck_hangs_where_the_photo_shows_it(yaw: int) -> None:
    plate = turned(yaw)
    got = neck.measure(plate, np.zeros_like(plate.matte))
    assert got.throat[0] == pytest.approx(-0.66 * np.sin(np.radians(yaw)), abs=0.06)
