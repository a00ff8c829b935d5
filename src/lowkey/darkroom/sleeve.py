"""A sleeve for the raised forearm: the photo's own sleeve is taken away with the clothes, and a hand must not end in the air."""

from __future__ import annotations

from dataclasses import dataclass

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
FOREARM_HW = 0.12
"""Least length of bare forearm that is one: under it a fist stands on its cuff, and stays as it is."""
COVERED_HW, CUFF_HW, LONG_HW = 0.11, 0.20, 1.0
"""How much of the forearm the cuff takes, how long it is, and how far the sleeve goes before it is lost in the body."""
SNUG, SNUG_HW = 1.03, 0.014
"""Half-width of a cuff against the wrist's, and the thickness of its knit: a rib closes round a wrist."""


@dataclass(frozen=True)
class Arm:
    """A raised forearm in hw: where its cuff begins, which way it runs from the hand down, and its edges there."""

    centre: Field
    """Middle of the wrist at the cuff's rim, x and y."""
    way: Field
    """Unit vector away from the hand."""
    bare: float
    """Length of forearm that shows between fist and cuff."""
    left: tuple[float, float]
    right: tuple[float, float]
    """Its two edges across the axis, hw: value at the rim, and slope per hw down the arm."""

    @property
    def aside(self) -> Field:
        return np.array([-self.way[1], self.way[0]])

    def along(self, x: Field, y: Field) -> tuple[F32, F32]:
        """Picture hw to (down the arm from the cuff's rim, across it)."""
        dx, dy = x - np.float32(self.centre[0]), y - np.float32(self.centre[1])
        (wx, wy), (ax, ay) = self.way.astype(np.float32), self.aside.astype(np.float32)
        return np.asarray(dx * wx + dy * wy, np.float32), np.asarray(dx * ax + dy * ay, np.float32)


def arms(hands: F32, k: float) -> list[Arm]:
    """The raised forearm behind each hand of `hands` f32[h, w] (coverage), `k` pixels a head-width."""
    q = 4
    small = cv2.resize(hands, None, fx=1 / q, fy=1 / q, interpolation=cv2.INTER_AREA)
    count, names, stats, _ = cv2.connectedComponentsWithStats((small > 0.5).astype(np.uint8))
    found = []
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] * q * q >= LEAST_HW2 * k * k:
            ys, xs = np.nonzero(names == i)
            found.append(_arm((np.stack([xs, ys], 1) + 0.5) * (q / k), q / k))
    return [one for one in found if one is not None]


def _arm(points: Field, pitch: float) -> Arm | None:
    """The arm of one hand, points f64[n, 2] hw that stand `pitch` apart.

    First along the longest axis of all of it, then along its forearm's own middle.
    """
    # Elbows hang: the axis points away from the hand.
    middle = points.mean(0)
    spread, axes = np.linalg.eigh(np.cov((points - middle).T))
    way = axes[:, 1] if spread[1] > 1.7 * spread[0] else np.array([0.0, 1.0])
    way = way * (1 if way[1] >= 0 else -1)
    edges = None
    for _ in range(2):
        aside = np.array([-way[1], way[0]])
        along, across = (points - middle) @ way, (points - middle) @ aside
        first, last = np.percentile(along, (2, 98))
        bare = max(last - first - FIST_HW, 0.0)
        # Of a bare fist nothing is covered, of a forearm as much as a cuff does.
        start = last - min(COVERED_HW, 0.5 * bare)
        edges = _edges(along - start, across, min(max(bare, 0.16), 0.40), pitch)
        if edges is None:
            return None
        if bare < FOREARM_HW:
            break
        # A fist leans on its wrist: the sleeve follows the forearm alone.
        tilt = 0.5 * (edges[0][1] + edges[1][1])
        way = way + float(np.clip(tilt, -0.5, 0.5)) * aside
        way = way / np.hypot(*way)
    if edges is None:
        return None
    (left, fall), (right, rise) = edges
    centre = middle + way * start + aside * 0.5 * (left + right)
    return Arm(centre, way, bare, (left - 0.5 * (left + right), fall), (right - 0.5 * (left + right), rise))


def _edges(a: Field, b: Field, deep: float, pitch: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Lines through a forearm's two edges over its last `deep` hw: value at the rim (a = 0), slope. Points stand `pitch` apart."""
    rows, low, high = [], [], []
    for at in np.arange(-deep, 0.0, 0.03):
        near = b[(a >= at) & (a < at + 0.03)]
        if len(near) > 3:
            rows.append(at + 0.015)
            first, last = np.percentile(near, (3, 97))
            # Percentiles leave out a sixteenth of the breadth, and points half a pixel at each side.
            more = 0.032 * (last - first) + 0.5 * pitch
            low.append(first - more)
            high.append(last + more)
    if len(rows) < 3:
        return None
    one, two = np.polyfit(rows, low, 1), np.polyfit(rows, high, 1)
    return (float(one[1]), float(one[0])), (float(two[1]), float(two[0]))


def rounded(normal: F32, depth: F32, hands: F32, arm: Arm, k: float) -> None:
    """Give a bare forearm the form of one, in place: maps f32[h, w(, 3)].

    Of a hand held before the body readers know the fist; the wrist below it comes out flat, with the fist's end as a ledge on it.
    """
    if arm.bare < FOREARM_HW:
        return
    deep = arm.bare + 0.10
    ends = np.stack([arm.centre - arm.way * deep, arm.centre + 0.4 * arm.way])
    wide = max(-arm.left[0], arm.right[0]) * 1.6 + 0.05
    box = _box(ends, wide, k, depth.shape)
    if box is None:
        return
    rows, columns = np.mgrid[box].astype(np.float32) / np.float32(k)
    a, b = arm.along(columns, rows)
    low, high = np.float32(arm.left[0]) + np.float32(arm.left[1]) * a, np.float32(arm.right[0]) + np.float32(arm.right[1]) * a
    half = np.maximum(0.5 * (high - low), np.float32(0.03))
    sine = np.clip((b - 0.5 * (low + high)) / half, -0.94, 0.94)
    mix = step(a, -deep, -0.45 * deep) * step(hands[box], 0.2, 0.8)
    round_ = np.sqrt(1 - sine * sine)
    (ax, ay) = arm.aside
    form = np.stack([sine * np.float32(ax), -sine * np.float32(ay), round_], -1)
    turned = normal[box] + mix[..., None] * (form - normal[box])
    normal[box] = turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), np.float32(1e-6))
    sure = mix > 0.9
    if sure.sum() > 20:
        axis = np.median((depth[box] - 0.85 * half * (round_ - 1))[sure])
        depth[box] += mix * (np.float32(axis) + 0.85 * half * (round_ - 1) - depth[box])


def _box(ends: Field, wide: float, k: float, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Rows and columns round a line f64[2, 2] (hw), `wide` hw to each side."""
    x0, y0 = (max(int(v), 0) for v in (ends.min(0) - wide) * k)
    x1, y1 = (int(v) for v in (ends.max(0) + wide) * k)
    x1, y1 = min(x1, shape[1]), min(y1, shape[0])
    return None if x1 - x0 < 8 or y1 - y0 < 8 else np.s_[y0:y1, x0:x1]


def sleeve(
    arm: Arm, depth: F32, k: float, hand: float, like: Layer, *, ribbed: bool, soft_px: float
) -> tuple[Layer, tuple[int, int]] | None:
    """A sheet and its first pixel for a raised forearm, whose `depth` f32[h, w] is in hw.

    `like` says how the cloth answers light, `soft_px` how soft it is drawn.
    """
    centre, way, radius = arm.centre, arm.way, 0.5 * (arm.right[0] - arm.left[0]) * SNUG + SNUG_HW
    # A window of plate pixels round it, and its own coordinates in hw: `a` down the arm, `b` across.
    h, w = depth.shape
    box = _box(np.stack([centre - 0.05 * way, centre + LONG_HW * way]), radius + 0.2, k, depth.shape)
    if box is None:
        return None
    rows, columns = np.mgrid[box].astype(np.float32) / np.float32(k)
    a, b = arm.along(columns, rows)
    lean = b * np.float32(hand)
    # A rim is a ring: seen a little from below, it arches up over the wrist and falls away at both its sides.
    rim = 0.24 * radius * (1 - np.maximum(arch(np.clip(b / radius, -1.2, 1.2)), 0))
    a = np.asarray(a + 0.008 * noise(lean * 6 + 3, a * 0, 81) - rim, np.float32)
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
        plain = fabric(turn / np.float32(wale), -a / np.float32(course), where, ribbed=False, stream=13)
        mix = step(a, CUFF_HW - 0.01, CUFF_HW + 0.01)
        height, tone = (np.asarray(c + mix * (s - c), np.float32) for c, s in zip(cuff, plain, strict=True))
        relief = RELIEF * wale + 0.005 * float(1 - mix.mean())
    else:
        height, tone, relief = np.full_like(form, 0.5), np.ones_like(form), 0.0
    normal, grey = knitted(form, height, tone, relief, k, fuzz, where, soft_px)
    cover = coverage(np.minimum(a, wide - np.abs(b)) + 0.0015 * fuzz, k, 2.6) * (1 - step(a, 0.5 * LONG_HW, 0.95 * LONG_HW))
    # Of cloth whose fibre stands denser here and thinner there a sleeve has the mean.
    sheen = float(np.mean(like.sheen))
    sheet = Layer(np.asarray(cover, np.float32), form, normal, grey, like.roughness, like.specular, sheen, 0.0, float(np.median(like.room)))
    return sheet, (box[0].start, box[1].start)
