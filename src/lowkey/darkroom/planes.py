"""Planes of sharpness: a portrait lens is sharp at the eyes, and what lies behind them ends softly.

A head is a head-width deep. With 85 mm at f/4.5 from a metre and a half its ears lie a pixel and more out of focus and the far shoulder
two, in a frame of a thousand rows, and every outline of a round form is a limb that lies behind the eyes. As sharp as a matte can be,
all of them are cut paper.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step

APERTURE = 0.0125
"""Diameter of the circle of confusion over the distance behind the plane of focus: a pupil of 19 mm over 1.5 m (Ray, "Applied Photographic
Optics", 3rd ed. 2002, ch. 22; the plane's own distance stands for the point's, which is wrong by a twentieth)."""
SHARP_HW = 0.06
"""How far from the eyes' plane nothing is seen to be soft."""
FAR_HW = 1.0
"""Depth at which softness begins to be held: a relief read off one photo errs more the further back it lies."""
LEVELS_PX = (0.7, 1.4, 2.8)
"""Sigma of the blurs between which each pixel's own lies, in a frame of a thousand rows."""
SPREAD_FH = 0.003
"""How far beyond an outline its own softness reaches."""

LOST_PX, LOST = 1.5, (0.03, 0.10)
"""Sigma by which an outline is lost where it is dark, in a frame of a thousand rows, and the shares of lit skin's radiance up to which one
is dark, and is not: in a shade no lamp draws a contour, and one that a matte has drawn is a cut with scissors."""


def softness(depth: F32, matte: F32, eyes: F32, hw_px: float) -> F32:
    """Sigma (pixels) f32[h, w] of each pixel of the frame, and of the room right beside an outline; 0 where nobody is.

    `depth` f32[h, w] in head-widths toward the camera, `eyes` f32[h, w] where the lens is focused.
    """
    solid = np.asarray(np.clip(2 * matte - 1, 0, 1), np.float32)
    wide = SPREAD_FH * len(matte)
    if not (solid > 0.5).any():
        return np.zeros_like(matte)
    there = (eyes > 0.5) & (solid > 0.5)
    focus = float(np.median(depth[there])) if there.any() else float(np.percentile(depth[solid > 0.5], 98))
    behind = np.maximum(np.abs(np.float32(focus) - depth) - np.float32(SHARP_HW), 0)
    behind = np.float32(FAR_HW) * (1 - np.exp(-behind / np.float32(FAR_HW))) * np.float32(APERTURE * hw_px / 4)
    # A disc of diameter d blurs as a Gaussian of d / 4 does: they have one variance.
    most = np.float32(LEVELS_PX[-1] * len(matte) / 1000)
    mass = blur(solid, wide)
    near = blur(np.asarray(solid * np.minimum(behind, most), np.float32), wide) / np.maximum(mass, np.float32(0.02))
    return np.asarray(near * np.clip(4 * mass, 0, 1), np.float32)


def lost(sigma: F32, solid: F32, light: F32, level: float) -> F32:
    """`sigma` f32[h, w], more along the outline of `solid` f32[h, w] where both sides of it are dark.

    `light` f32[h, w] is the scene's luminance, `level` that of lit skin.
    """
    wide = SPREAD_FH * len(sigma)
    mass = blur(solid, wide)
    dark = 1 - step(blur(light, wide) / np.float32(level), *LOST)
    return np.asarray(np.hypot(sigma, np.float32(LOST_PX * len(sigma) / 1000) * np.clip(4 * mass * (1 - mass), 0, 1) * dark), np.float32)


def focused(scene: F32, sigma: F32) -> F32:
    """The scene f32[h, w, 3], each pixel blurred by its `sigma` f32[h, w] (pixels): between the two of a few blurs that are nearest."""
    rows, columns = np.flatnonzero((sigma > 0.05).any(1)), np.flatnonzero((sigma > 0.05).any(0))
    if not len(rows):
        return scene
    levels = [level * len(sigma) / 1000 for level in LEVELS_PX]
    m = int(3 * levels[-1]) + 1
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    part = np.ascontiguousarray(scene[box])
    soft = [cv2.GaussianBlur(part, (0, 0), level, borderType=cv2.BORDER_REFLECT) for level in levels]
    out = np.array(scene)
    _mixed(part, soft[0], soft[1], soft[2], np.ascontiguousarray(sigma[box]), np.array(levels, np.float32), out[box])
    return out


@njit(cache=True, parallel=True)
def _mixed(sharp: Any, first: Any, second: Any, third: Any, sigma: Any, levels: Any, out: Any) -> None:
    h, w = sigma.shape
    for r in prange(h):
        for c in range(w):
            s2 = sigma[r, c] * sigma[r, c]
            if s2 < 0.0025:
                continue
            # Variances mix, not deviations.
            a, b, d = levels[0] * levels[0], levels[1] * levels[1], levels[2] * levels[2]
            for m in range(3):
                if s2 < a:
                    t = s2 / a
                    out[r, c, m] = sharp[r, c, m] + t * (first[r, c, m] - sharp[r, c, m])
                elif s2 < b:
                    t = (s2 - a) / (b - a)
                    out[r, c, m] = first[r, c, m] + t * (second[r, c, m] - first[r, c, m])
                else:
                    t = min((s2 - b) / (d - b), 1.0)
                    out[r, c, m] = second[r, c, m] + t * (third[r, c, m] - second[r, c, m])
