"""A sleeve for the raised forearm: the photo's own sleeve is taken away with the clothes, and a hand must not end in the air."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.garments import coverage, knitted
from lowkey.darkroom.jersey import RELIEF, RIB, RIB_COURSE, stitch
from lowkey.darkroom.knit import Field, fabric, noise
from lowkey.darkroom.neck import Layer, arch
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step

LEAST_HW2 = 0.03
"""Area under which skin is no hand."""
FIST_HW = 0.45
"""Length of a hand without its forearm."""
COVERED_HW, CUFF_HW, LONG_HW = 0.11, 0.20, 1.0
"""How much of the forearm the cuff takes, how long it is, and how far the sleeve goes before it is lost in the body."""


def sleeves(
    hands: F32, depth: F32, k: float, hand: float, like: Layer, *, ribbed: bool, soft_px: float
) -> list[tuple[Layer, tuple[int, int]]]:
    """A sheet and its first pixel for each raised hand of `hands` f32[h, w] (coverage), whose `depth` f32[h, w] is in hw.

    `like` says how the cloth answers light, `soft_px` how soft it is drawn. A forearm is taken to run along its own longest
    axis, downward from the hand.
    """
    q = 4
    small = cv2.resize(hands, None, fx=1 / q, fy=1 / q, interpolation=cv2.INTER_AREA)
    count, names, stats, _ = cv2.connectedComponentsWithStats((small > 0.5).astype(np.uint8))
    made = []
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] * q * q >= LEAST_HW2 * k * k:
            ys, xs = np.nonzero(names == i)
            points = np.stack([xs, ys], 1).astype(np.float64) * (q / k)
            made.append(_sleeve(points, depth, k, hand, like, ribbed, soft_px))
    return [one for one in made if one is not None]


def _sleeve(
    points: Field, depth: F32, k: float, hand: float, like: Layer, ribbed: bool, soft_px: float
) -> tuple[Layer, tuple[int, int]] | None:
    # The forearm's axis, pointing away from the hand: elbows hang.
    middle = points.mean(0)
    spread, axes = np.linalg.eigh(np.cov((points - middle).T))
    way = axes[:, 1] if spread[1] > 1.7 * spread[0] else np.array([0.0, 1.0])
    way = way * (1 if way[1] >= 0 else -1)
    aside = np.array([-way[1], way[0]])
    along, across = (points - middle) @ way, (points - middle) @ aside
    first, last = np.percentile(along, (2, 98))
    # Of a bare fist nothing is covered, of a forearm as much as a cuff does.
    start = last - min(COVERED_HW, 0.5 * max(last - first - FIST_HW, 0.0))
    near = (along > start - 0.16) & (along < start)
    if near.sum() < 8:
        return None
    low, high = np.percentile(across[near], (4, 96))
    centre, radius = middle + way * start + aside * (low + high) / 2, 0.5 * (high - low) * 1.16 + 0.025

    # A window of plate pixels round it, and its own coordinates in hw: `a` down the arm, `b` across.
    h, w = depth.shape
    ends = np.stack([centre - 0.05 * way, centre + LONG_HW * way])
    x0, y0 = (max(int(v), 0) for v in (ends.min(0) - radius - 0.2) * k)
    x1, y1 = (int(v) for v in (ends.max(0) + radius + 0.2) * k)
    x1, y1 = min(x1, w), min(y1, h)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    rows, columns = np.mgrid[y0:y1, x0:x1].astype(np.float32) / np.float32(k)
    x, y = columns - np.float32(centre[0]), rows - np.float32(centre[1])
    a, b = x * np.float32(way[0]) + y * np.float32(way[1]), x * np.float32(aside[0]) + y * np.float32(aside[1])
    lean = b * np.float32(hand)
    a = a + 0.008 * noise(lean * 6 + 3, a * 0, 81) - 0.10 * np.square(b)  # a rim seen a little from below
    wide = radius + 0.09 * np.clip(a, 0, 1) + 0.022 * step(a, CUFF_HW - 0.02, CUFF_HW + 0.06)
    slack = 0.012 * noise(lean * 2.2, a * 6.5, 82) * step(a, 0.05, 0.3)
    wide = np.asarray(wide + slack, np.float32)

    at_y, at_x = int(np.clip(centre[1] * k, 0, h - 1)), int(np.clip(centre[0] * k, 0, w - 1))
    seen = depth[max(at_y - 8, 0) : at_y + 9, max(at_x - 8, 0) : at_x + 9]
    lip = np.clip(1 - np.maximum(a, 0.001) / 0.045, 0, 1)
    tube = 0.04 + 0.9 * radius * (arch(b / wide) - 1) + 2 * slack - 0.12 * np.maximum(a, 0)
    form = np.asarray(float(np.median(seen)) + tube - 0.045 * (1 - np.sqrt(1 - lip * lip)), np.float32)

    turn = np.arcsin(np.clip(lean / wide, -0.999, 0.999)) * np.float32(radius)
    where = np.asarray(np.minimum(a + 0.02, wide + 0.02 - np.abs(b)), np.float32)
    fuzz = noise(columns * np.float32(hand) * 230, rows * 230, 83)
    if ribbed:
        cuff = fabric(turn / np.float32(RIB), -a / np.float32(RIB_COURSE), where, ribbed=True, stream=11)
        wale, course = stitch(k, 1.0)
        arm = fabric(turn / np.float32(wale), -a / np.float32(course), where, ribbed=False, stream=13)
        mix = step(a, CUFF_HW - 0.01, CUFF_HW + 0.01)
        height, tone = (np.asarray(c + mix * (s - c), np.float32) for c, s in zip(cuff, arm, strict=True))
        relief = RELIEF * wale + 0.005 * float(1 - mix.mean())
    else:
        height, tone, relief = np.full_like(form, 0.5), np.ones_like(form), 0.0
    normal, grey = knitted(form, height, tone, relief, k, fuzz, where, soft_px)
    cover = coverage(np.minimum(a, wide - np.abs(b)) + 0.0015 * fuzz, k, 2.6) * (1 - step(a, 0.5 * LONG_HW, 0.95 * LONG_HW))
    return Layer(np.asarray(cover, np.float32), form, normal, grey, like.roughness, like.specular, like.sheen), (y0, x0)
