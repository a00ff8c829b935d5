"""Garments as surfaces: a body cut to a person's measures, its folds, and the collar, lapel or roll that makes each kind.

Pictures of x right and y DOWN in hw from the neck's axis and the chin (`Bust.across`); depth in hw toward the camera.
A garment leans and creases as `Bust.hand` says, so that a mirrored person is dressed in the mirrored garment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom.knit import Field, noise
from lowkey.darkroom.neck import Bust, Layer, arch, facing, slopes
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step

# ---------------------------------------------------------------- the body under any garment


def silhouette(bust: Bust, x: F32, y: F32) -> F32:
    """Signed distance-like f32[h, w] (hw, positive inside) of natural sloping shoulders and hanging arms."""
    left = x < 0
    u = np.abs(x)
    start = np.where(left, np.float32(bust.shoulder[0]), np.float32(bust.shoulder[1]))
    half = np.where(left, np.float32(bust.half[0]), np.float32(bust.half[1]))
    # The trapezius climbs the neck in a hollow curve; the line then falls evenly to the shoulder's joint, and rounds only there.
    out = np.maximum(u - np.float32(bust.neck), 0)
    line = start + np.float32(bust.slope) * (u - 0.42) + 0.03 * np.square(np.maximum(u - 0.75, 0)) - 0.19 * np.exp(-out / 0.24)
    above = (y - line) * np.float32(0.94)
    # An arm is no post: it is broadest over the deltoid, and its sleeve hangs in slack below it.
    low = y - start
    bulge = 0.035 * np.exp(-np.square((low - 0.62) / 0.26)) - 0.02 * np.exp(-np.square((low - 1.3) / 0.3))
    hang = 0.05 * np.clip(y - 0.8, 0, 2) + bulge
    beside = half + hang - u
    # A smooth minimum rounds the shoulder over the joint (Quilez 2013, polynomial of second degree).
    k = np.float32(0.30)
    h = np.clip(0.5 + 0.5 * (beside - above) / k, 0, 1)
    return np.asarray(beside + (above - beside) * h - k * h * (1 - h), np.float32)


def girth(bust: Bust, y: F32) -> F32:
    """Half-width (hw) of a neck at `y` f32[...] below the chin: narrowest under the jaw, broader toward the skull and the shoulders."""
    return np.asarray(
        bust.neck * (0.945 + 1.5 * np.square(np.clip(-0.10 - y, 0, 0.4)) + 1.0 * np.square(np.clip(y + 0.12, 0, 0.6))), np.float32
    )


@njit(cache=True, parallel=True)
def _crease(x: Any, y: Any, strokes: Any, out: Any) -> None:
    h, w = x.shape
    for r in prange(h):
        for c in range(w):
            total = 0.0
            for i in range(strokes.shape[0]):
                # A stroke is a quadratic curve a-b-c; find the nearest of its chords and how far along it lies.
                ax, ay, bx, by, cx, cy, width, height = strokes[i]
                # A negative width puts the valley on the other side, as a mirror does.
                turned = 1.0 if width > 0 else -1.0
                width = abs(width)
                reach = 3.0 * width
                px, py = x[r, c], y[r, c]
                if px < min(ax, bx, cx) - reach or px > max(ax, bx, cx) + reach:
                    continue
                if py < min(ay, by, cy) - reach or py > max(ay, by, cy) + reach:
                    continue
                best, along, side = 1e9, 0.0, 1.0
                ox, oy = ax, ay
                for k in range(1, 11):
                    t = k / 10.0
                    qx = (1 - t) * (1 - t) * ax + 2 * t * (1 - t) * bx + t * t * cx
                    qy = (1 - t) * (1 - t) * ay + 2 * t * (1 - t) * by + t * t * cy
                    dx, dy = qx - ox, qy - oy
                    f = min(max(((px - ox) * dx + (py - oy) * dy) / (dx * dx + dy * dy + 1e-12), 0.0), 1.0)
                    ex, ey = px - ox - f * dx, py - oy - f * dy
                    d = ex * ex + ey * ey
                    if d < best:
                        best, along = d, t - 0.1 * (1 - f)
                        side = turned if dx * ey - dy * ex > 0 else -turned
                    ox, oy = qx, qy
                # Cloth rises to a rounded ridge and falls into a sharper valley on one side of it; both die at the ends.
                taper = min(along / 0.35, 1.0) * min((1 - along) / 0.45, 1.0)
                taper = taper * taper * (3 - 2 * taper)
                d = side * np.sqrt(best) / width
                total += height * taper * (np.exp(-d * d) - 0.55 * np.exp(-(((d - 1.5) / 0.8) ** 2)))
            out[r, c] = total


def creases(x: Field, y: Field, strokes: F32) -> F32:
    """Height f32[h, w] (hw) of folds along strokes f32[n, 8]: three points of a curve (x, y each), width, height.

    A mirrored stroke has a negative width: its valley, too, lies on the mirrored side.
    """
    out = np.empty_like(x)
    _crease(np.ascontiguousarray(x), np.ascontiguousarray(y), np.ascontiguousarray(strokes, np.float32), out)
    return out


def joint(a: Field, b: Field, k: float) -> F32:
    """Smooth maximum of two surfaces, joined over k."""
    h = np.clip(0.5 + 0.5 * (a - b) / np.float32(k), 0, 1)
    return np.asarray(b + (a - b) * h + np.float32(k) * h * (1 - h), np.float32)


def mirrored(strokes: tuple[tuple[float, ...], ...], bust: Bust, other: tuple[tuple[float, ...], ...] | None = None) -> F32:
    """Both halves' strokes f32[n, 8], fitted to each shoulder; the leaning half is stronger and hangs a little lower.

    The half that does not lean has `strokes` too, or those of the `other`.
    """
    out = []
    for side, sign in enumerate((-1.0, 1.0)):
        leaning = sign == bust.hand
        wide = bust.half[side] / 1.38
        drop = bust.shoulder[side] - 0.36
        for i, (ax, ay, bx, by, cx, cy, width, height) in enumerate(strokes if leaning or other is None else other):
            wave = 0.05 * np.sin(2.4 * i + (0.0 if leaning else 1.7))
            fit = [v for x, y in ((ax, ay), (bx, by + wave), (cx, cy + 0.6 * wave)) for v in (sign * x * wide, y + drop + 0.5 * wave)]
            tall = height * (1.15 if leaning else 0.85) * (1 + 0.35 * np.sin(1.9 * i + (2.2 if leaning else 0.4)))
            out.append((*fit, sign * width, tall))
    return np.array(out, np.float32)


@dataclass(frozen=True)
class Outline:
    """The clothed body on a quarter of the grid: x, y (hw) and signed distance to its outline (hw, positive inside)."""

    x: F32
    y: F32
    inside: F32


@dataclass(frozen=True)
class Window:
    """A part of the grid, so that a collar is not worked out over a whole body."""

    rows: slice
    columns: slice

    @property
    def at(self) -> tuple[int, int]:
        return self.rows.start, self.columns.start

    def of(self, a: Field) -> F32:
        return np.ascontiguousarray(a[self.rows, self.columns])


def window(bust: Bust, x: F32, y: F32, wide: float, high: tuple[float, float]) -> Window:
    """Rows and columns where |x| < wide and high[0] < y < high[1], hw."""
    row = np.flatnonzero((y[:, 0] > high[0]) & (y[:, 0] < high[1]))
    middle = x[int(row[len(row) // 2])] if len(row) else x[0]
    column = np.flatnonzero(np.abs(middle) < wide + 0.08)
    if not len(row) or not len(column):
        return Window(slice(0, 2), slice(0, 2))
    return Window(slice(int(row[0]), int(row[-1]) + 1), slice(int(column[0]), int(column[-1]) + 1))


ENDS = 0.024
"""Share of its rounding at which a body's curve stops: the last of it is cloth's own (`turned_over`). Rounded over to its outline a
shoulder faces away over a finger's breadth, and a lamp behind it pipes it with an even band."""


def torso(bust: Bust, body: Outline, strokes: F32) -> F32:
    """Depth f32[h, w] (hw) of the clothed body on the quarter grid.

    Rounded over at its outline, nearly flat across the chest, arms set off by a soft crease, the breast forward.
    """
    k, x, y = bust.hw_px / 4, body.x, body.y
    column = (np.abs(x) < 0.92 * bust.neck) & (y < 0.7)
    solid = ((body.inside > 0) | column).astype(np.uint8)
    pad = round(0.7 * k)
    wide = np.asarray(cv2.copyMakeBorder(solid, 0, pad, pad, pad, cv2.BORDER_REPLICATE), np.uint8)
    far = cv2.distanceTransform(wide, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5)
    t = blur(np.asarray(far[:-pad, pad:-pad], np.float32), 0.030 * k) / np.float32(0.62 * k)
    rounded = np.float32(0.46) * arch(1 - np.clip(t + np.float32(ENDS), -0.2, 1))
    u = np.abs(x)
    half = np.where(x < 0, np.float32(bust.half[0]), np.float32(bust.half[1]))
    chest = -0.21 * np.square(np.minimum(u / half, 1.2)) + 0.16 * step(y, 0.45, 1.5)
    arm = -0.055 * np.exp(-np.square((u / half - 0.74 + 0.05 * (y - 1.3)) / 0.11)) * step(y, 0.9, 2.0)
    # A turned body comes forward on one side; a collar stays where its neck is.
    turn = np.float32(bust.turned) * x * np.maximum(step(y, 0.35, 0.95), step(u, 0.35, 0.80))
    z = bust.throat[2] - 0.40 + rounded + chest + arm + turn + creases(x, y, strokes)
    return blur(np.asarray(z, np.float32), 0.012 * k)


def whole(a: Field, like: Field) -> F32:
    """A quarter-grid map brought to the grid, smooth enough that the coarse grid does not show in its slopes."""
    wide = cv2.resize(a, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), 2.6, borderType=cv2.BORDER_REPLICATE), np.float32)


FLAG_HW = (0.00, 0.66)
"""Between which depths under the shoulder line a flag before the chest comes in."""


SHED, SHED_HW = 0.50, (0.95, 1.85)
"""How much of its light a lamp aimed at the head has lost on the sleeves, and from where to where, from the neck's axis."""


def flagged(bust: Bust, body: Outline, share: float) -> F32:
    """What a flag that keeps `share` of the light off the lower chest leaves of it, f32[h, w] on the quarter grid."""
    # Shoulders of two heights, and no step between them on the breastbone.
    left, right = (np.float32(v) for v in bust.shoulder)
    start = left + (right - left) * step(body.x, -0.5, 0.5)
    # The flag's edge follows the shoulders, and the cloth it falls on is not even.
    under = body.y - start - np.float32(bust.slope) * np.clip(np.abs(body.x) - 0.42, 0, 1)
    under = under + 0.07 * noise(body.x * np.float32(bust.hand) * 1.6 + 3, body.y * 1.9, 58)
    shed = 1 - np.float32(SHED) * step(np.abs(body.x), *SHED_HW)
    return np.asarray((1 - np.float32(share) * step(under, *FLAG_HW)) * shed, np.float32)


TURNS_HW, TURNS_BY_HW = 0.022, 0.072
"""Within which distance of its outline cloth turns over, and by how much of depth."""


def turned_over(inside: F32, wide: float | F32 = 1.0) -> F32:
    """How far cloth falls back at its outline f32[h, w] (hw), by the distance inside it f32[h, w] (hw); `wide` times as far in as usual.

    A body's own curve, `torso`, is too coarse to end edge on to the eye, as every round thing does: there alone a lamp behind it lights
    it, in a line.
    """
    t = inside / np.asarray(np.float32(TURNS_HW) * wide, np.float32)
    v = np.clip(1 - t, 0, 0.985)
    # Beyond the outline, where fibre stands, it goes on as steeply as it ended.
    beyond = np.clip(0.015 - t, 0, 0.3)
    return np.asarray(np.float32(TURNS_BY_HW) * wide * (1 - np.sqrt(1 - v * v) + np.float32(5.7) * beyond), np.float32)


def laid(depth: F32, x: F32, y: F32, hand: float, q_px: float) -> tuple[F32, F32]:
    """Cloth coordinates f32[h, w] (hw along the cloth, right and UP) on a coarse body, so that stitches crowd as it turns away."""
    right, down = slopes(blur(depth, 0.05 * q_px), q_px)
    long_x = np.sqrt(1 + np.minimum(right * right, 1.2))
    long_y = np.sqrt(1 + np.minimum(down * down, 1.2))
    axis = int(np.argmin(np.abs(x[-1])))
    s = np.cumsum(blur(np.asarray(long_x, np.float32), 0.06 * q_px), 1, dtype=np.float64) / q_px
    s -= s[:, axis : axis + 1] - x[:, axis : axis + 1]
    t = np.cumsum(blur(np.asarray(long_y, np.float32), 0.06 * q_px), 0, dtype=np.float64) / q_px
    t -= t[-1:] - y[-1:]
    return np.asarray(s * hand, np.float32), np.asarray(-t, np.float32)


@njit(cache=True, parallel=True)
def _clothe(depth: Any, height: Any, tone: Any, fuzz: Any, where: Any, relief: float, hw_px: float, normal: Any, grey: Any) -> None:
    h, w = depth.shape
    for r in prange(h):
        up, down = max(r - 1, 0), min(r + 1, h - 1)
        for c in range(w):
            if where[r, c] <= 0:
                normal[r, c, 0], normal[r, c, 1], normal[r, c, 2], grey[r, c] = 0.0, 0.0, 1.0, 0.8
                continue
            left, right = max(c - 1, 0), min(c + 1, w - 1)
            # Scharr's weights, over the draped form and the stitches together.
            nw, n, ne = depth[up, left], depth[up, c], depth[up, right]
            w_, e_ = depth[r, left], depth[r, right]
            sw, s_, se = depth[down, left], depth[down, c], depth[down, right]
            nw, n, ne = nw + relief * height[up, left], n + relief * height[up, c], ne + relief * height[up, right]
            w_, e_ = w_ + relief * height[r, left], e_ + relief * height[r, right]
            sw, s_, se = sw + relief * height[down, left], s_ + relief * height[down, c], se + relief * height[down, right]
            gx = (3 * (ne - nw) + 10 * (e_ - w_) + 3 * (se - sw)) * hw_px / 32
            gy = (3 * (sw - nw) + 10 * (s_ - n) + 3 * (se - ne)) * hw_px / 32
            unit = 1 / np.sqrt(1 + gx * gx + gy * gy)
            normal[r, c, 0], normal[r, c, 1], normal[r, c, 2] = -gx * unit, gy * unit, unit
            # The depth between yarns sees little of any lamp, and what it gives back other yarns swallow: there and back, a square.
            grey[r, c] = 2.2 * height[r, c] * height[r, c] * tone[r, c] * (1 + 0.10 * fuzz[r, c])


def knitted(depth: F32, height: F32, tone: F32, relief: float, hw_px: float, fuzz: F32, where: Field, soft_px: float) -> tuple[F32, F32]:
    """Normals f32[h, w, 3] and relative reflectance f32[h, w] of a knit `relief` hw high on a surface, where `where` > 0.

    `soft_px` is the sigma of the lens before it.
    """
    normal, grey = np.empty((*depth.shape, 3), np.float32), np.empty(depth.shape, np.float32)
    soft, yarn, fibre = (np.asarray(cv2.GaussianBlur(v, (0, 0), soft_px), np.float32) for v in (height, tone, fuzz))
    _clothe(depth, soft, yarn, fibre, np.ascontiguousarray(where, np.float32), relief, hw_px, normal, grey)
    return normal, grey


def coverage(distance: Field, hw_px: float, soft_px: float) -> F32:
    """Coverage f32[h, w] from a signed distance in hw, falling over `soft_px`."""
    return np.asarray(np.clip(0.5 + distance * np.float32(hw_px / soft_px), 0, 1), np.float32)


@dataclass(frozen=True)
class Ring:
    """The roll collar as a leaning elliptic tube round the neck."""

    top: float
    """Upper edge at the front, hw below the chin."""
    tall: float
    wide: float
    deep: float
    """Half-axes across and toward the camera."""
    centre_z: float
    tilt: float = 0.28
    """The back of the collar stands higher than its front by this much per hw of depth."""

    def rim(self, sine: F32) -> F32:
        """How far below the chin (hw) the near half's edge lies, f32[h, w], at `sine` of the way round.

        A thick roll's has no steep end: it lies level where it turns round the neck, or it would stand out there as a horn.
        """
        u = np.square(sine)
        return np.asarray(self.top - np.float32(0.52 * self.tilt * self.deep) * u * (1.5 - 0.5 * u * u), np.float32)


@dataclass(frozen=True)
class Closed:
    """Where a collar closes round the neck: half-width at its sides, and heights below the chin there and in front, hw."""

    wide: float
    top: float
    front: float

    def over(self, x: F32, y: F32) -> F32:
        """How far over its rim (hw) each point f32[h, w] lies, negative within it."""
        return np.asarray(self.front + (self.top - self.front) * np.square(np.clip(x / self.wide, -1, 1)) - y, np.float32)


@dataclass(frozen=True)
class Made:
    """A garment's sheets with their first pixel (row, column): those behind the neck and those over it."""

    inner: list[tuple[Layer, tuple[int, int]]]
    outer: list[tuple[Layer, tuple[int, int]]]
    collar: Closed | None = None


def collar_back(bust: Bust, x: F32, y: F32, ring: Ring, *, rib: float = 0.0, leans: float = 0.0) -> Layer:
    """The inside of the collar's far half, seen between the neck and its rim; knit has ribs of `rib` hw, cloth and leather none.

    Its rim falls by `leans` per hw to the right.
    """
    sine = np.clip(x / np.float32(ring.wide), -0.999, 0.999)
    cosine = np.sqrt(1 - sine * sine)
    # A roll closes round the neck: of its far half hardly more than the lip is seen, or it stands beside the neck like a black post.
    front = ring.rim(sine)
    rim = front - 0.10 * ring.deep * cosine + (0.02 * bust.hand + leans) * x
    inside = np.minimum(-joint(rim - y, np.abs(x) - ring.wide + 0.02, 0.16), front + 0.10 - y)
    depth = ring.centre_z - ring.deep * cosine + 0.15 * np.maximum(rim + 0.03 - y, 0)
    ribs = np.cos(2 * np.pi * np.arcsin(sine) * np.float32(ring.wide / rib)) if rib else np.zeros_like(x)
    normal = facing(sine * 1.2, np.zeros_like(x))
    grey = 0.45 + 0.12 * ribs
    return Layer(coverage(inside, bust.hw_px, 2.5), np.asarray(depth, np.float32), normal, np.asarray(grey, np.float32), 0.9, 0.0, 0.1)
