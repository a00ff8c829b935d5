"""The nap of cropped hair: a dense felt that ends over a few millimetres, in fine points and not in teeth.

A matte of a crop wavers between its own doubt and a line: where the ground is as grey as the hair it is half there over a finger's
breadth, so that a lamp behind the head shines through the temple, and where it is not it ends in steps of a pixel. A crop is opaque up to
its ends, and all of its ends lie within some 2 mm of each other.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import haircut, tresses
from lowkey.darkroom.knit import noise
from lowkey.gaussian import blur
from lowkey.pixels import freeze, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

NOSE = 4
ENDS_HW = 0.014
"""Over how much the ends of a crop lie: 2 mm."""
SMOOTH_HW = 0.032
"""Over what (sigma) its outline is straightened: teeth of a matte are no tufts, for a crop is cut to one length, and where a matte jumps
from one ground to the next a skull has no corner: half of this left one."""
POINTS_HW, POINTS = (0.0045, 0.012), (0.0035, 0.0030)
"""Sizes of the points and tufts in which it ends, and how far those stand out (one deviation)."""
DEEP_HW = 0.060
"""How far within its outline a crop's coverage is looked after."""
DOUBT = (0.02, 0.10)
"""How much of a pixel's neighbourhood the matte took for room from which its colour is the room's as well, and surely."""
SOUND_HW = 0.045
"""How deep in the hair its own colour begins again: what lies nearer to the outline is the mirror image, in this line, of what lies beyond
it; the person's own texture, and no smear."""


def cropped(plate: Plate, hand: float) -> float:
    """1 for hair that is cut to a felt, 0 for long hair, combed or coiled. `hand` is +1 or -1 as the person leans."""
    hair, k = plate.parts["hair"], plate.hw_px
    box = haircut.around(hair)
    if box is None or float(haircut.fullness(hair, k)) > 0.99:
        return 0.0
    tone, mine = plate.albedo[box], hair[box]
    size = (max(mine.shape[1] // 2, 2), max(mine.shape[0] // 2, 2))
    ys, xs = np.mgrid[: size[1], : size[0]].astype(np.float32)
    left, top = plate.landmarks[NOSE, 0] - box[1].start, plate.landmarks[NOSE, 1] - box[0].start
    x, y = (2 * xs - left) * np.float32(hand / k), (2 * ys - top) / np.float32(k)
    grey, mass = (
        np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)
        for a in (np.log(np.maximum(luminance(tone), np.float32(2e-3))), mine)
    )
    if not (mass > 0.5).any():
        return 0.0
    _, _, runs = tresses.flow(grey, mass, mass > 0.5, x, y, k / 2, hand)
    return 1 - haircut.length(hair, k, runs, mass > 0.5)


def felted(plate: Plate, hand: float, crop: float) -> Plate:
    """The plate with cropped hair, as far as it is `crop`, that is opaque to its ends. `hand` is +1 or -1 as the person leans."""
    k, hair = plate.hw_px, plate.parts["hair"]
    box = haircut.around(hair, 8 + round(DEEP_HW * k))
    if box is None or crop < 0.05:
        return plate
    matte, mine, skin, tone = (np.array(a[box]) for a in (plate.matte, hair, plate.parts["skin"], plate.albedo))
    ys, xs = np.mgrid[box].astype(np.float32)
    x, y = (xs - plate.landmarks[NOSE, 0]) * np.float32(hand / k), (ys - plate.landmarks[NOSE, 1]) / np.float32(k)
    solid = (matte > 0.5).astype(np.uint8)
    signed = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    within = blur(np.asarray(signed / np.float32(k), np.float32), SMOOTH_HW * k)
    near = step(blur(mine, 0.012 * k) / np.maximum(blur(matte, 0.012 * k), np.float32(1e-3)), 0.4, 0.8)
    near *= (1 - step(blur(skin, 0.012 * k), 0.10, 0.35)) * (np.abs(within) < DEEP_HW) * plate.inside[box] * np.float32(crop)
    sizes = enumerate(zip(POINTS_HW, POINTS, strict=True))
    points = sum(np.float32(far) * noise(x / np.float32(wide), y / np.float32(wide), 131 + i) for i, (wide, far) in sizes)
    felt = np.clip(0.5 + (within + points) * np.float32(1 / ENDS_HW), 0, 1)
    new = np.asarray(matte + near * (felt - matte), np.float32)

    # The room in the colour of what was half the room's.
    right, below = (np.asarray(cv2.Scharr(within, cv2.CV_32F, i, 1 - i, scale=k / 32), np.float32) for i in (1, 0))
    steep = np.maximum(np.hypot(right, below), np.float32(0.3))
    inward = np.float32(2 * k) * np.maximum(np.float32(SOUND_HW) - within, 0) / steep
    columns_, rows_ = (np.asarray(np.arange(n), np.float32) for n in matte.shape[::-1])
    there = columns_[None] + inward * right, rows_[:, None] + inward * below
    mirrored, known = (
        cv2.remap(a, *there, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for a in (tone, np.asarray(mine * matte, np.float32))
    )
    doubt = near * step(blur(1 - matte, 0.006 * k), *DOUBT) * step(known, 0.85, 0.98) * (within < SOUND_HW)
    tone += (mirrored - tone) * doubt[..., None]

    whole, albedo, parts = np.array(plate.matte), np.array(plate.albedo), dict(plate.parts)
    whole[box], albedo[box] = new, tone
    covered = np.array(hair)
    covered[box] += near * (np.maximum(new - (matte - mine), 0) - mine)
    parts["hair"], parts["background"] = freeze(covered), freeze(np.asarray(1 - whole, np.float32))
    return replace(plate, matte=freeze(whole), albedo=freeze(albedo), parts=parts)
