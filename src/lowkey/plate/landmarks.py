"""Reading 478 landmarks and the head's pose from a face already found."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from lowkey.pixels import F32, U8
from lowkey.plate import models
from lowkey.plate.plate import Pose

CROP_FACES = 2.2
"""Side of the square the mesh is read on, in face widths: the mesh looks best at a face that fills a bit under half of it."""
CROP_PX = 800
MOVES = ((0.0, 0.0, 1.0), (0.06, 0.04, 1.0), (-0.06, -0.04, 1.0), (0.04, -0.06, 0.87), (-0.04, 0.06, 1.15))
"""Shifts in crop sides, and scales, of the crops the mesh is read on."""
LEFT, RIGHT, CROWN, CHIN = 234, 454, 10, 152
"""Mesh points: cheek edges at the viewer's left and right, top of the forehead, chin."""


def read(picture: U8, box: tuple[float, float, float, float]) -> tuple[F32, float] | None:
    """Landmarks of the face in `box` (x0, y0, x1, y1), or None if the mesh finds no face there.

    Gives f32[478, 3] in picture pixels (x right, y down, z toward the camera with z = 0 at the mean of points 234 and 454) and
    their wobble: the mean spread in head-widths over five crops a little moved and scaled, whose mean the landmarks are.
    The crops are laid around a first mesh, not around the box, so the result does not hang on the detector's whim.
    """
    x0, y0, x1, y1 = box
    with models.face_mesh() as mesh:
        first = _on_square(picture, ((x0 + x1) / 2, (y0 + y1) / 2), CROP_FACES * max(x1 - x0, y1 - y0), mesh)
        if first is None:
            return None
        (x, y), side = _square(first)
        reads = [_on_square(picture, (x + dx * side, y + dy * side), side * k, mesh) for dx, dy, k in MOVES]
    held = [r for r in reads if r is not None]
    if len(held) < 3:
        return None
    stack = np.stack(held)
    points = stack.mean(0).astype(np.float32)
    points[:, 2] -= (points[LEFT, 2] + points[RIGHT, 2]) / 2
    wobble = float(stack[:, :468, :2].std(0).mean()) / max(width(points), 1e-6) + 0.05 * (len(MOVES) - len(held))
    return points, wobble


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


def square(picture: U8, middle: tuple[float, float], side: float, size_px: int) -> tuple[U8, tuple[float, float]]:
    """A square of a picture, `side` pixels wide round `middle`, brought to `size_px`; black beyond the picture.

    The second value is the shift: ``crop = size_px / side * picture + shift``.
    """
    k = size_px / side
    tx, ty = size_px / 2 - 0.5 - k * middle[0], size_px / 2 - 0.5 - k * middle[1]
    # Only the pixels needed, and areas averaged before much shrinking.
    h, w = picture.shape[:2]
    x0, x1 = max(int(middle[0] - side / 2) - 2, 0), min(int(middle[0] + side / 2) + 3, w)
    y0, y1 = max(int(middle[1] - side / 2) - 2, 0), min(int(middle[1] + side / 2) + 3, h)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size_px, size_px, 3), np.uint8), (tx, ty)
    part = picture[y0:y1, x0:x1]
    fx = fy = 1.0
    if k < 0.5:
        n = 2 ** int(np.floor(np.log2(1 / k)))
        small = cv2.resize(part, (max(part.shape[1] // n, 1), max(part.shape[0] // n, 1)), interpolation=cv2.INTER_AREA)
        fx, fy = small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]
        part = np.asarray(small, np.uint8)
    to_crop = np.array(
        [
            [k / fx, 0, tx + k * x0 + k / fx * (1 - fx) / 2],
            [0, k / fy, ty + k * y0 + k / fy * (1 - fy) / 2],
        ],
        np.float64,
    )
    crop = cv2.warpAffine(part, to_crop, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(crop, np.uint8), (tx, ty)


def _on_square(picture: U8, middle: tuple[float, float], side: float, mesh: Callable[[U8], F32 | None]) -> F32 | None:
    """The mesh read on one square of the picture, given back in picture pixels."""
    crop, shift = square(picture, middle, side, CROP_PX)
    points = mesh(crop)
    if points is None:
        return None
    points[:, :2] -= np.array(shift, np.float32)
    points /= np.float32(CROP_PX / side)
    return points
