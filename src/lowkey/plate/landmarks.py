"""Reading 478 landmarks and the head's pose from a face already found."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.pixels import F32, U8
from lowkey.plate import models
from lowkey.plate.plate import Pose

CROP_FACES = 2.2
"""Side of the square the mesh is read on, in face widths: the mesh looks best at a face that fills a bit under half of it."""
CROP_PX = 800
LEFT, RIGHT, CROWN, CHIN = 234, 454, 10, 152
"""Mesh points: cheek edges at the viewer's left and right, top of the forehead, chin."""


def read(picture: U8, box: tuple[float, float, float, float]) -> F32 | None:
    """Landmarks of the face in `box` (x0, y0, x1, y1): f32[478, 3] in picture pixels, or None if the mesh finds no face.

    x right, y down, z toward the camera with z = 0 at the mean of points 234 and 454.
    Read twice: once on the detector's box, then on a square laid around that first mesh (so that the crop, and with it the
    result, no longer depends on the detector's whim).
    """
    x0, y0, x1, y1 = box
    with models.face_mesh() as mesh:
        first = _on_square(picture, ((x0 + x1) / 2, (y0 + y1) / 2), CROP_FACES * max(x1 - x0, y1 - y0), mesh)
        if first is None:
            return None
        middle, side = _square(first)
        again = _on_square(picture, middle, side, mesh)
    points = first if again is None else again
    points[:, 2] -= (points[LEFT, 2] + points[RIGHT, 2]) / 2
    return points


def width(points: F32) -> float:
    """Head-width: the distance from 234 to 454 in space, in the landmarks' own unit."""
    return float(np.linalg.norm(points[LEFT] - points[RIGHT]))


def pose(points: F32) -> Pose:
    """Yaw, pitch and roll in degrees from two lines across the mesh: 234 to 454, and 152 to 10.

    Both are turned to y up, the second made square to the first; what they leave is where the face points.
    """
    up = np.array([1, -1, 1], np.float64)
    across = (points[RIGHT] - points[LEFT]).astype(np.float64) * up
    across /= np.linalg.norm(across)
    rise = (points[CROWN] - points[CHIN]).astype(np.float64) * up
    rise -= (rise @ across) * across
    rise /= np.linalg.norm(rise)
    face = np.cross(across, rise)
    yaw = np.degrees(np.arctan2(face[0], face[2]))
    pitch = np.degrees(np.arcsin(np.clip(face[1], -1, 1)))
    roll = np.degrees(np.arctan2(rise[0], rise[1]))
    return Pose(float(yaw), float(pitch), float(roll))


def _square(points: F32) -> tuple[tuple[float, float], float]:
    """Middle and side of the square to read on, from an earlier mesh."""
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    middle = (low + high) / 2
    return (float(middle[0]), float(middle[1])), CROP_FACES * float((high - low).max())


def _on_square(picture: U8, middle: tuple[float, float], side: float, mesh: object) -> F32 | None:
    """The mesh read on one square of the picture, given back in picture pixels."""
    scale = CROP_PX / side
    tx, ty = CROP_PX / 2 - 0.5 - scale * middle[0], CROP_PX / 2 - 0.5 - scale * middle[1]
    to_crop = np.array([[scale, 0, tx], [0, scale, ty]], np.float64)
    if scale < 0.5:  # average areas before shrinking
        k = 2 ** int(np.floor(np.log2(1 / scale)))
        h, w = picture.shape[:2]
        small = cv2.resize(picture, (max(w // k, 1), max(h // k, 1)), interpolation=cv2.INTER_AREA)
        fx, fy = small.shape[1] / w, small.shape[0] / h
        shrunk = np.array([[scale / fx, 0, tx + scale / fx * (1 - fx) / 2], [0, scale / fy, ty + scale / fy * (1 - fy) / 2]])
        crop = cv2.warpAffine(small, shrunk, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    else:
        crop = cv2.warpAffine(picture, to_crop, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    points: F32 | None = mesh(np.asarray(crop, np.uint8))  # type: ignore[operator]
    if points is None:
        return None
    points[:, :2] = (points[:, :2] - np.array([tx, ty], np.float32)) / np.float32(scale)
    points[:, 2] /= np.float32(scale)
    return points
