"""What a photographed person does with head, eyes and hands: a pose photographed is a pose honoured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lowkey.pixels import F32
from lowkey.plate import landmarks
from lowkey.plate.meshes import IRISES, JAW
from lowkey.plate.plate import Plate

CORNERS = ((33, 133), (362, 263))
LIDS = (((159, 145), (158, 153), (160, 144)), ((386, 374), (385, 380), (387, 373)))
"""Corners of each eye, and three pairs of points on its upper and lower lid (frame-left eye first)."""

CLOSED = 0.14
"""Opening between the lids over the eye's width; the narrowest open eyes (laughing, in the sun) measure .20."""
SWING, BEHIND, LEVEL = 0.36, 0.25, 0.06
"""In eye widths: how far the iris stands from the ball's middle, how far that lies behind the corners, and how high over
the line between them it rests. A ball of 24 mm behind a lid opening of 29 mm, set on twelve portraits that look into the lens."""
INTO_LENS_DEG = 10.0
LIFTED_DEG = 5.0
HEAD_LIFTED_DEG, HEAD_LOWERED_DEG = 8.0, -12.0
"""The mesh of an upright, level head reads -15 to +4."""
TURNED_DEG = 40.0
BY_NUMBERS_DEG = 10.0
"""How near the photo's yaw and pitch must be to those asked for in numbers: the mesh reads no finer."""
LEAST_HAND = 0.08
"""Skin of hands at chin and jaw in square head-widths; a hand seen from its back has about .4."""


@dataclass(frozen=True)
class Posture:
    """Eyes and hands; the head's own angles are the plate's `Pose`."""

    opening: float
    """Between the lids, over the eye's width, mean of both eyes."""
    gaze_yaw_deg: float
    """Where the eyes look in camera space: + is frame-right, 0 into the lens."""
    gaze_pitch_deg: float
    """+ is up."""
    eyes_seen: bool
    """False behind dark glasses."""
    hand_hw2: float
    """Area of hands round chin and jaw, in square head-widths."""


def read(plate: Plate) -> Posture:
    """The posture on a plate."""
    opening, yaw, pitch = gaze(plate.landmarks, plate.pose.yaw_deg)
    seen = all(_at(plate.parts["glasses"], plate.landmarks[iris], 0.05 * plate.hw_px) < 0.5 for iris in IRISES)
    return Posture(opening, yaw, pitch, seen, _hands(plate))


def shows(plate: Plate, wanted: Mapping[str, Any]) -> bool:
    """Whether the photo shows a pose of the table (``data/poses.toml``: yaw_deg, pitch_deg, hands, eyes)."""
    seen = read(plate)
    closed = seen.opening < CLOSED
    eyes = wanted.get("eyes")
    if eyes and not seen.eyes_seen:
        return False
    if wanted.get("hands") and seen.hand_hw2 < LEAST_HAND:
        return False
    # A three-quarter head may look into the lens; a profile is a matter of the head.
    if abs(wanted.get("yaw_deg", 0.0)) > TURNED_DEG and abs(plate.pose.yaw_deg) < TURNED_DEG:
        return False
    if eyes == "closed":
        return closed
    if eyes == "lens":
        return not closed and math.hypot(seen.gaze_yaw_deg, seen.gaze_pitch_deg) <= INTO_LENS_DEG
    if eyes == "up":
        lifted = seen.gaze_pitch_deg >= LIFTED_DEG or (plate.pose.pitch_deg >= HEAD_LIFTED_DEG and seen.gaze_pitch_deg > -LIFTED_DEG)
        return lifted and not closed
    if eyes == "down":
        return plate.pose.pitch_deg <= HEAD_LOWERED_DEG or (not closed and seen.gaze_pitch_deg <= -LIFTED_DEG)
    return True


def turned_to(plate: Plate, yaw_deg: float, pitch_deg: float) -> bool:
    """Whether the photographed head points there, as near as the mesh can tell."""
    return max(abs(plate.pose.yaw_deg - yaw_deg), abs(plate.pose.pitch_deg - pitch_deg)) <= BY_NUMBERS_DEG


def gaze(points: F32, yaw_deg: float) -> tuple[float, float, float]:
    """Opening of the lids, and yaw and pitch of the gaze in camera space (degrees), from the mesh f32[478, 3] (y down) and the head's yaw.

    The opening is the eye aspect ratio (Soukupova and Cech 2016) measured in space. The iris stands off the corners' middle as
    the ball turns, and because the ball lies behind them as the head does; the lids follow the ball up and down, so there the
    head's pitch drops out.
    """
    p = points.astype(np.float64) * (1, -1, 1)
    across = (p[landmarks.RIGHT] - p[landmarks.LEFT])[:2]
    across /= np.linalg.norm(across)
    up = np.array([-across[1], across[0]])
    opening, aside, lift = [], [], []
    for corners, lids, iris in zip(CORNERS, LIDS, IRISES, strict=True):
        wide = float(np.linalg.norm(p[corners[0]] - p[corners[1]]))
        off = (p[iris] - (p[corners[0]] + p[corners[1]]) / 2)[:2] / wide
        opening.append(float(np.mean([np.linalg.norm(p[a] - p[b]) for a, b in lids])) / wide)
        aside.append(float(off @ across))
        lift.append(float(off @ up))
    yaw = _degrees((float(np.mean(aside)) + BEHIND * math.sin(math.radians(yaw_deg))) / SWING)
    return float(np.mean(opening)), yaw, _degrees((float(np.mean(lift)) - LEVEL) / SWING)


def _degrees(sine: float) -> float:
    return math.degrees(math.asin(min(max(sine, -1.0), 1.0)))


def _at(part: F32, point: F32, radius: float) -> float:
    """Mean of a part in a square round a landmark."""
    x, y, r = round(float(point[0])), round(float(point[1])), max(round(radius), 1)
    patch = part[max(y - r, 0) : max(y + r + 1, 0), max(x - r, 0) : max(x + r + 1, 0)]
    return float(patch.mean()) if patch.size else 0.0


def _hands(plate: Plate) -> float:
    """Area of the part `hands` within a third of a head-width of chin and jaw."""
    near = np.zeros(plate.matte.shape, np.uint8)
    line = np.round(plate.landmarks[list(JAW[4:-4]), :2]).astype(np.int32)
    cv2.polylines(near, [line], False, 1, max(round(0.66 * plate.hw_px), 1))
    return float((plate.parts["hands"] * near).sum()) / plate.hw_px**2
