"""A wrap under a hard lamp, and the hand that holds it: the photo's own folds become form, and one skin covers one hand.

A photo's soft light lies in folds as shade: dark is deep there (Langer & Buelthoff 2000). Left as mere colour under a new lamp that
nothing stands in the way of, a scarf is a sheet of plastic with lines drawn on it.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.figure import Figure
from lowkey.darkroom.neck import Kept
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import ends
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

FOLDS_HW = ((0.010, 0.035), (0.030, 0.110))
"""Between which sizes (sigma) folds are read: creases, and the broad falls of cloth."""
DEEP_HW = (0.030, 0.110)
"""How deep a fold of each size is, per natural log by which it is darker than the cloth round it, hw."""
STEEP = 0.75
"""Steepest slope that is put on, hw per hw."""
HOLLOW = 0.70
"""By which power a fold's own shade is deepened: what is hidden from a soft sky is hidden from a room's light too."""
NAP = 0.35
"""Share of its fuzz that a woven wrap keeps of a jersey's: thin stuff has no line of light round it."""
SUNK, SINKS_HW = 0.50, (0.42, 0.90)
"""How much of its light a wrap has lost over the chest, and from where to where below the jaw: it sinks into the dark as any cloth does."""
HEM_HW, HEM_DARK = 0.045, 0.75
"""Within which distance of its lower edge a wrap turns under, and how much of its light is lost there."""


def relit(figure: Figure, kept: Kept, plate: Plate) -> None:
    """Give cloth worn on the head the form its folds have in the photo, in place, and end it as cloth ends."""
    k, wrap = plate.hw_px, kept.wrap
    rows, columns = (np.flatnonzero((wrap > 0.3).any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return
    m = round(0.12 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    # A hand that holds it lies before it.
    mine = np.asarray(step(wrap[box], 0.4, 0.9) * (1 - kept.hands[box]), np.float32)
    # A print or a shirt that shines through at the border is no fold: only what is surely wrap is read.
    sure = np.asarray(cv2.erode(mine, np.ones((5, 5), np.uint8)), np.float32)
    shade = np.log(np.maximum(luminance(plate.colour[box]), np.float32(0.004))) * sure

    def mean(sigma: float) -> F32:
        return np.asarray(blur(shade, sigma * k) / np.maximum(blur(sure, sigma * k), np.float32(0.02)), np.float32)

    height, hollow = np.zeros_like(mine), np.zeros_like(mine)
    for (fine, broad), deep in zip(FOLDS_HW, DEEP_HW, strict=True):
        fold = np.clip(mean(fine) - mean(broad), -0.8, 0.4)
        height += np.float32(deep) * fold
        hollow += np.minimum(fold, 0)
    right, down = (np.asarray(cv2.Scharr(height, cv2.CV_32F, *way, scale=k / 32), np.float32) for way in ((1, 0), (0, 1)))
    long_ = np.maximum(np.hypot(right, down), np.float32(1e-6))
    inner = sure * np.float32(STEEP) * np.tanh(long_ / np.float32(STEEP)) / long_
    normal = figure.normal[box].copy()
    # Slopes are put on in the surface's own plane: seen from the side a fold is as deep as from the front.
    normal[..., 0] -= right * inner
    normal[..., 1] += down * inner
    figure.normal[box] = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6))
    figure.depth[box] += height * sure
    figure.albedo[box] *= np.exp(np.float32(HOLLOW) * hollow * mine)[..., None]
    figure.sheen[box] *= 1 - np.float32(1 - NAP) * mine
    figure.albedo[box] *= (1 - np.float32(SUNK) * mine * step(kept.below[box], *SINKS_HW))[..., None]
    # What holds it lies before it: no hem is there.
    free = 1 - step(blur(np.asarray(kept.hands[box], np.float32), 0.5 * HEM_HW * k), 0.02, 0.10)
    _hemmed(figure, box, wrap[box], np.asarray(step(kept.below[box], 0.12, 0.30) * free, np.float32), k)


def _hemmed(figure: Figure, box: tuple[slice, slice], wrap: F32, low: F32, k: float) -> None:
    """Turn a wrap's lower edge under, in place, where `low` f32[h, w] is 1: there it takes its own colour from further in, and goes dark.

    What it was worn with, a print or a lace, is mixed into its last pixels.
    """
    solid = cv2.copyMakeBorder((wrap > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inside = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(k), np.float32)
    own = np.asarray(step(inside, HEM_HW, 1.4 * HEM_HW), np.float32)
    albedo = figure.albedo[box]
    wide = 0.05 * k
    further = blur(albedo * own[..., None], wide) / np.maximum(blur(own, wide), np.float32(1e-3))[..., None]
    near = low * (1 - step(inside, 0.5 * HEM_HW, HEM_HW)) * (blur(own, wide) > 0.01) * (wrap > 0)
    albedo += near[..., None] * (further - albedo)
    dark = 1 - np.float32(HEM_DARK) * low * np.square(np.clip(1 - inside / np.float32(HEM_HW), 0, 1)) * (wrap > 0)
    albedo *= dark[..., None]
    figure.sheen[box] *= dark


LOST, LOST_HW = 0.97, (-0.22, 0.22)
"""How much of its light a hand loses toward the photo's lower edge, and from where to where over and below it."""
ONE_SKIN_HW = 0.20
"""Over what (sigma) the light that was taken off a hand is made even."""


def one_skin(figure: Figure, hands: F32, plate: Plate, face: F32) -> None:
    """Make the old light that was taken off hands and wrists even, in place; `hands` f32[h, w], `face` f32[h, w] is 1 on its skin.

    A hand is known to one reader and its wrist to another: each was lit by a form of its own, and where they meet the skin changes. Its
    colour is the photo's, turned as the face's own was.
    """
    k = plate.hw_px
    rows, columns = (np.flatnonzero((hands > 0.1).any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return
    m = round(0.1 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    mine, colour, albedo = np.asarray(hands[box], np.float32), np.maximum(plate.colour[box], np.float32(0.002)), figure.albedo[box]
    sigma = ONE_SKIN_HW * k
    was, now = (blur(np.log(np.maximum(luminance(v), np.float32(0.002))) * mine, sigma) for v in (colour, albedo))
    gain = np.exp((now - was) / np.maximum(blur(mine, sigma), np.float32(0.01)))
    tint = np.ones(3, np.float32)
    if (face > 0.5).sum() > 100:
        tint = np.median(figure.albedo[face > 0.5] / np.maximum(plate.colour[face > 0.5], np.float32(0.002)), 0).astype(np.float32)
        tint /= max(float(luminance(tint)), 1e-3)
    even = colour * gain[..., None] * np.clip(tint, 0.8, 1.25)
    # Half-sure borders keep what was found for them.
    albedo += step(mine, 0.5, 0.9)[..., None] * (even - albedo)
    end = ends.foot(plate.inside)
    if end is not None:
        # A hand that the photo cuts is lost in the dark before it ends.
        beyond = (np.arange(*box[0].indices(len(hands)), dtype=np.float32) - np.float32(end - 1)) / np.float32(k)
        lost = 1 - np.float32(LOST) * step(beyond, *LOST_HW)[:, None]
        lost = np.asarray(1 - (1 - lost) * (mine > 0.02), np.float32)
        albedo *= lost[..., None]
        figure.specular[box] *= lost
