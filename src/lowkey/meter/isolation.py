"""What stands beside the face: the room behind, and the clothes."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lowkey.meter.optics import Lamp
from lowkey.meter.reading import CannotJudge, Found, measured
from lowkey.meter.sight import Head, Mask, Sight
from lowkey.pixels import F32

HALO_FH = 0.22
"""Round the lamp the room may shine."""
DETAIL_FH = 0.012
WEAVE_HW = (0.010, 0.050)
LEAST_CLOTH_FH2 = 0.01


def of_room(sight: Sight, empty: Mask | str, lamp: Lamp | None) -> Found:
    """How bright the room is away from the lamp, and how much there is to see in it."""
    names = ("background_median_code", "background_detail_codes")
    if isinstance(empty, str):
        return {name: CannotJudge(empty) for name in names}
    h, away = sight.shape[0], empty
    if lamp is not None:
        dx = np.arange(sight.shape[1], dtype=np.float32)[None, :] - np.float32(lamp.x)
        dy = np.arange(h, dtype=np.float32)[:, None] - np.float32(lamp.y)
        away = away & (dx * dx + dy * dy > (HALO_FH * h) ** 2)
    if away.mean() < 0.02:
        return {name: CannotJudge("all of the room that is seen lies in the halo") for name in names}
    # Detail that competes: shapes about a hundredth of the frame large, motes and grain smoothed away.
    small = cv2.resize(sight.code, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    fine, wide = (cv2.GaussianBlur(small, (0, 0), k * DETAIL_FH * h / 4) for k in (0.5, 2.0))
    detail = cv2.resize(np.abs(fine - wide), sight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return {
        names[0]: measured(names[0], float(np.median(sight.smooth[away])), None, "background away from the halo"),
        names[1]: measured(names[1], float(np.percentile(detail[away], 90)), None, "background away from the halo"),
    }


def of_cloth(sight: Sight, head: Head) -> Found:
    """How dark the clothes are, and whether their weave is still there."""
    names = ("cloth_median_code", "cloth_weave_codes")
    where = clothes(sight, head)
    if isinstance(where, str):
        return {name: CannotJudge(where) for name in names}
    hw = head.hw_px

    def band(picture: F32, fine: float, coarse: float) -> float:
        part = cv2.GaussianBlur(picture, (0, 0), max(fine, 0.5)) - cv2.GaussianBlur(picture, (0, 0), max(coarse, fine + 0.5))
        return float((part[where] ** 2).mean())

    # Grain is white at this scale. What of it falls into the weave's band follows from what stands above a blur of one pixel:
    # a Gaussian of sigma s keeps 1 / (4 pi s^2) of white noise, and the difference of two keeps what is below.
    fine, coarse = max(WEAVE_HW[0] * hw / 2, 0.5), WEAVE_HW[1] * hw / 2
    above = (sight.code - cv2.GaussianBlur(sight.code, (0, 0), 1.0))[where]
    grain = float(np.median(np.abs(above)) / 0.6745) ** 2 / (1 - 1 / math.pi + 1 / (4 * math.pi))
    share = 1 / (4 * math.pi * fine**2) - 1 / (math.pi * (fine**2 + coarse**2)) + 1 / (4 * math.pi * coarse**2)
    power = max(band(sight.code, fine, coarse) - grain * min(share, 1.0), 0.0)
    return {
        names[0]: measured(names[0], float(np.median(sight.smooth[where])), None, "clothes"),
        names[1]: measured(names[1], float(np.sqrt(power)), None, "clothes"),
    }


def clothes(sight: Sight, head: Head) -> Mask | str:
    """bool[h, w] of the clothes: what the person is below the chin and not skin. A garment put on covers what was there."""
    if head.matte is None:
        return "where the clothes are is not known without the reference"
    below = np.arange(sight.shape[0])[:, None] > head.points[152, 1] + 0.25 * head.hw_px
    hands = head.parts["hands"] if "hands" in head.parts else np.zeros_like(head.matte)
    where = (head.matte > 0.9) & below & (hands < 0.2) & (head.parts["hair"] < 0.3)
    if where.sum() < LEAST_CLOTH_FH2 * sight.shape[0] ** 2:
        return "too little of the clothes is in the frame"
    return np.asarray(where)
