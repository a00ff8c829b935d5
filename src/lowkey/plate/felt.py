"""Cropped hair told by its texture, where a matte took the outer part of it for the room.

Closed-form matting knows colours. Salt-and-pepper hair before a bright window is of the window's own grey, and comes out half there over
a finger's breadth, or not at all. A crop has a texture that nothing out of focus has: rough in every direction at the scale of its
strands, down to its very ends. Where that texture goes on, the hair does (depth from defocus: Pentland 1987).
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.zones import ramp

FINE_HW, ROUND_HW = 0.006, 0.011
"""What is finer than this (sigma) is texture, and over what (sigma) its RMS is read."""
AREA_HW2, COHERENT = (0.5, 0.75), (0.40, 0.52)
"""Area of hair up to which a head is cropped, and from which it is not; and how much its texture runs one way (median): crops .2 to .4,
combed hair .5 and more. Between the wisps of such hair the room is seen, and stays."""
ROUGH, ROUGHER = (0.10, 0.20), (2.5, 4.0)
"""RMS of log luminance from which hair has a texture, and surely; and how many times that of the ground beside it it has to be."""
GOES_ON, HIGHEST = (0.50, 0.75), 1.3
"""Share of the hair's own texture from which it is hair, and surely; and how many times its RMS any of it counts at most."""
OUT_HW, LEAK_HW = 0.09, 0.016
"""How far beyond sure hair it is followed; and how far texture seems to reach beyond its own end, for it is read over a neighbourhood."""
HORN_HW = 0.025
"""Half the width under which what was found is none of it."""
GROUND_HW = (0.04, 0.20)
"""Between which distances from the outline the ground is read."""
DOUBT_HW, DOUBT = 0.022, (0.06, 0.16)
"""Round what (sigma), and how much, a matte has to doubt (4 a (1 - a)) for hair to lie beyond its outline: a clean edge is hair's own."""
BROAD = 2


def restored(alpha: F32, seen: F32, hair: F32, keep: F32, hw_px: float) -> tuple[F32, F32, F32]:
    """Matte and hair f32[h, w] with the outer part of a crop in them, and where it was found; `seen` f32[h, w, 3] is the photo.

    `keep` f32[h, w] is 1 where nothing is touched.
    """
    nothing = np.zeros_like(alpha)
    size, k = (max(alpha.shape[1] // BROAD, 2), max(alpha.shape[0] // BROAD, 2)), hw_px / BROAD
    cropped = float(1 - ramp(np.array([hair.sum() / hw_px**2], np.float32), *AREA_HW2)[0])
    if cropped <= 0:
        return alpha, hair, nothing
    tone = np.log(np.maximum(luminance(seen), np.float32(2e-3)))
    fine = np.abs(tone - blur(tone, FINE_HW * hw_px))
    rough, cover, mine = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA), np.float32) for m in (fine, alpha, hair))
    solid = cover > 0.5
    out = np.asarray(cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k), np.float32)
    within = cv2.distanceTransform((cover > 0.95).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    sure = (mine > 0.9) & (within > 0.02)
    near = blur(np.asarray(sure, np.float32), 0.1 * k) > 0.01
    ground = (out > GROUND_HW[0]) & (out < GROUND_HW[1]) & near
    if min(int(sure.sum()), int(ground.sum())) < 50:
        return alpha, hair, nothing
    # The step between dark hair and a bright room is no texture, however high.
    most = np.float32(HIGHEST * np.sqrt(np.square(rough[sure]).mean()))
    rough = np.asarray(np.sqrt(blur(np.asarray(np.square(np.minimum(rough, most)), np.float32), ROUND_HW * k)), np.float32)
    own, room = float(np.percentile(rough[sure], 25)), float(np.median(rough[ground]))
    cropped *= float(ramp(np.array([own], np.float32), *ROUGH)[0] * ramp(np.array([own / max(room, 1e-3)], np.float32), *ROUGHER)[0])
    if cropped > 0:
        cropped *= float(1 - ramp(np.array([_coherence(tone, hair, hw_px)], np.float32), *COHERENT)[0])
    if cropped <= 0:
        return alpha, hair, nothing
    like = np.asarray(ramp(rough / np.float32(own), *GOES_ON), np.float32)
    leak = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(LEAK_HW * k) + 1,) * 2)
    # What hangs together with hair, less what a neighbourhood adds to it; the person's own edge stays where it was.
    like = np.asarray(cv2.erode(np.maximum(like, np.asarray(solid, np.float32)), leak), np.float32)
    doubt = ramp(blur(np.asarray(4 * cover * (1 - cover), np.float32), DOUBT_HW * k), *DOUBT)
    beside = 1 - ramp(blur(np.maximum(cover - mine, 0), 0.02 * k), 0.35, 0.60)
    found = like * doubt * beside * (1 - ramp(out, 0.7 * OUT_HW, OUT_HW)) * np.float32(cropped)
    # No horns: what is as narrow as a strand is a strand beside the crop.
    horn = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(HORN_HW * k) + 1,) * 2)
    whole = cv2.morphologyEx(((found > 0.5) | solid).astype(np.uint8), cv2.MORPH_OPEN, horn)
    found = found * blur(np.asarray(whole, np.float32), 1.0)
    _, piece = cv2.connectedComponents(((found > 0.3) | sure).astype(np.uint8), connectivity=8)
    roots = np.unique(piece[sure])
    found = found * np.isin(piece, roots[roots > 0])
    there = cv2.resize(np.asarray(found, np.float32), alpha.shape[::-1], interpolation=cv2.INTER_LINEAR) * (1 - keep)
    more = np.maximum(there - alpha, 0)
    return np.asarray(alpha + more, np.float32), np.asarray(hair + more, np.float32), np.asarray(there, np.float32)


def _coherence(tone: F32, hair: F32, k: float) -> float:
    """How much the texture of `hair` f32[h, w] runs one way, 0 to 1, on the median: eigenvalues of its structure tensor."""
    there, side = hair > 0.9, max(round(0.06 * k) | 1, 3)
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return 1.0
    box = np.s_[max(rows[0] - side, 0) : rows[-1] + 1 + side, max(columns[0] - side, 0) : columns[-1] + 1 + side]
    values = cv2.cornerEigenValsAndVecs(np.ascontiguousarray(tone[box]), side, 3)[..., :2][there[box]]
    low, high = values.min(-1), values.max(-1)
    return float(np.median((high - low) / np.maximum(high + low, np.float32(1e-9))))
