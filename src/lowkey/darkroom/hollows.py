"""Hollows that a face's mesh digs too deep and too narrow, as beside the corners of a mouth."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32

DITCH_HW = 0.22
"""Under what width a dark place between two lit ones is a mesh's ditch: a cheek's fold is broader and shallower."""


def ditch(light: F32, skin: F32, hw_px: float) -> F32:
    """How much darker f32[h, w] each place is than the light on both sides of it: a closing (Serra 1982), of `skin` f32[h, w] alone."""
    q = max(round(hw_px / 80), 1)
    size = (max(light.shape[1] // q, 1), max(light.shape[0] // q, 1))
    small_skin = cv2.resize(skin, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(np.asarray(light * skin, np.float32), size, interpolation=cv2.INTER_AREA)
    small = np.where(small_skin > 0.5, small / np.maximum(small_skin, np.float32(0.05)), 0).astype(np.float32)
    k = hw_px / q
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(DITCH_HW * k / 2), 1) + 1,) * 2)
    lack = blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE) - small, 0.02 * k) * small_skin
    return np.asarray(cv2.resize(np.asarray(lack, np.float32), light.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
