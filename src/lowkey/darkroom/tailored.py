"""Garments that are cut and sewn: a black leather jacket over a dark T-shirt, and a white linen shirt.

Pieces are polygons in hw from the neck's axis and the shoulder line, viewer's right half; the left mirrors it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom.garments import (
    Closed,
    Made,
    Outline,
    Ring,
    collar_back,
    coverage,
    creases,
    flagged,
    joint,
    mirrored,
    torso,
    whole,
    window,
)  # fmt: skip
from lowkey.darkroom.knit import Field, noise
from lowkey.darkroom.neck import Bust, Layer, arch, facing, slopes
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step
from lowkey.seeds import Streams

Points = Sequence[tuple[float, float]]


@njit(cache=True, parallel=True)
def _polygon(x: Any, y: Any, px: Any, py: Any, out: Any) -> None:
    h, w = x.shape
    n = px.shape[0]
    for r in prange(h):
        for c in range(w):
            best, inside = 1e9, False
            ox, oy = px[n - 1], py[n - 1]
            for i in range(n):
                ex, ey = px[i] - ox, py[i] - oy
                wx, wy = x[r, c] - ox, y[r, c] - oy
                t = min(max((wx * ex + wy * ey) / (ex * ex + ey * ey + 1e-12), 0.0), 1.0)
                dx, dy = wx - t * ex, wy - t * ey
                best = min(best, dx * dx + dy * dy)
                if (oy > y[r, c]) != (py[i] > y[r, c]) and x[r, c] < ox + ex * (y[r, c] - oy) / (ey + 1e-12 if ey >= 0 else ey - 1e-12):
                    inside = not inside
                ox, oy = px[i], py[i]
            out[r, c] = np.sqrt(best) if inside else -np.sqrt(best)


def piece(x: Field, y: Field, points: Points, rounds: int = 2) -> F32:
    """Signed distance f32[h, w] (hw, positive inside) to a closed outline whose corners are cut `rounds` times (Chaikin 1974).

    A corner named twice stays sharp.
    """
    p = np.array(points, np.float64)
    for _ in range(rounds):
        q = np.roll(p, -1, 0)
        p = np.stack([0.75 * p + 0.25 * q, 0.25 * p + 0.75 * q], 1).reshape(-1, 2)
    small = (max(x.shape[1] // 2, 2), max(x.shape[0] // 2, 2))
    xs, ys = (cv2.resize(v, small, interpolation=cv2.INTER_AREA) for v in (x, y))
    out = np.empty_like(xs)
    _polygon(xs, ys, p[:, 0], p[:, 1], out)
    return np.asarray(cv2.resize(out, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _lowered(points: Points, by: float, neck: float) -> Points:
    """A piece drawn for a neck of half-width .38 and a shoulder line at 0, fitted to this neck and line."""
    return [(x + (neck - 0.38) * min(abs(x) / 0.38, 1.0), y + by) for x, y in points]


def _two(points: Points, bust: Bust, x: F32, y: F32) -> tuple[F32, F32]:
    """The viewer's left and right piece: signed distances f32[h, w]."""
    fitted = _lowered(points, _collar_line(bust), bust.neck)
    return piece(-x, y, fitted), piece(x, y, fitted)


def _neck_and_body(bust: Bust, x: Field, depth: Field, gap: float) -> F32:
    """The surface a collar lies on: the body, or the neck with `gap` hw of air round it."""
    half = np.float32(bust.neck + gap)
    tube = bust.throat[2] + gap - 0.9 * half * (1 - arch(np.clip(x / half, -1.2, 1.2)))
    return joint(np.asarray(tube, np.float32), depth, 0.06)


def _edged(inside: Field, thick: float, radius: float) -> F32:
    """Height f32[h, w] (hw) of a sheet `thick` hw that rounds off at its edge."""
    return np.asarray(thick * np.maximum(arch(1 - np.clip(inside / np.float32(radius), 0, 1)), 0), np.float32)


def _spring(inside: Field, rise: float, k: float) -> F32:
    """Height f32[h, w] (hw) by which a leaf arches off what it lies on, fading to nothing at its edge."""
    soft = blur(np.maximum(inside, 0), 0.030 * k)
    return np.asarray(rise * (1 - np.exp(-np.square(soft / np.float32(0.075)))), np.float32)


def _stitching(inside: Field, along: Field, at: float, pitch: float) -> F32:
    """Height f32[h, w] of one row of topstitching `at` hw from an edge: thread bumps in a shallow groove."""
    line = np.exp(-np.square((inside - np.float32(at)) / 0.0045))
    return np.asarray(line * (0.0009 * np.cos(2 * np.pi * along / np.float32(pitch)) - 0.0014), np.float32)


def _scattered(bust: Bust, name: str, count: int, size: tuple[float, float], width: tuple[float, float], height: float) -> F32:
    """Short creases f32[count, 8] where cloth is pulled: fanning from the armpits over the chest, across the sleeves."""
    rng = Streams(0).of(name)
    u, v, turn, long, wide, strong, bend = rng.random((7, count))
    x, y = 2.9 * u - 1.45, 0.30 + 2.2 * v
    sleeve = np.abs(x) > 0.98
    toward = np.arctan2(y - 1.25, np.abs(x) - 1.05)
    angle = np.where(sleeve, 0.15, toward) + (turn - 0.5) * np.where(sleeve, 1.0, 1.3)
    angle = np.where(x < 0, np.pi - angle, angle)
    half = 0.5 * (size[0] + (size[1] - size[0]) * long * long)
    dx, dy = half * np.cos(angle), half * np.sin(angle)
    off = (bend - 0.5) * 0.7 * half
    strokes = np.stack((x - dx, y - dy, x - off * np.sin(angle), y + off * np.cos(angle), x + dx, y + dy), 1)
    strokes[:, 0::2] *= bust.hand * (bust.half[0] + bust.half[1]) / 2.76
    strokes[:, 1::2] += (bust.shoulder[0] + bust.shoulder[1]) / 2 - 0.36
    wide_hw = bust.hand * (width[0] + (width[1] - width[0]) * wide)
    rise = height * (0.35 + 0.65 * strong) * np.where(rng.random(count) < 0.5, 1.0, -1.0)
    return np.concatenate((strokes, wide_hw[:, None], rise[:, None]), 1).astype(np.float32)


def _creased(x: Field, y: Field, strokes: F32) -> F32:
    """Height f32[h, w] (hw) of many creases, worked out at half size."""
    small = (max(x.shape[1] // 2, 2), max(x.shape[0] // 2, 2))
    xs, ys = (np.asarray(cv2.resize(v, small, interpolation=cv2.INTER_AREA), np.float32) for v in (x, y))
    return np.asarray(cv2.resize(creases(xs, ys, strokes), (x.shape[1], x.shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _collar_line(bust: Bust) -> float:
    """How far below the chin (hw) a collar's pieces hang from: collars stand on the neck above the shoulder line."""
    return float(np.clip((bust.shoulder[0] + bust.shoulder[1]) / 2 - 0.10, 0.12, 0.34)) + max(bust.lifted, 0.0)


OPEN = 9.0
"""Height below the chin (hw) at which a collar that is open in front closes there: nowhere on a neck."""


def _closed(bust: Bust) -> Closed:
    """Where a turned-down collar stands beside the neck: its pieces' inner corners."""
    return Closed(bust.neck, _collar_line(bust) - 0.20, OPEN)


# ---------------------------------------------------------------- leather jacket

_LEATHER_FOLDS = (
    (1.04, 1.16, 0.92, 1.02, 0.72, 0.92, 0.050, 0.012),
    (1.02, 1.38, 0.80, 1.40, 0.50, 1.22, 0.070, 0.015),
    (1.00, 1.66, 0.84, 1.74, 0.62, 1.70, 0.055, 0.011),
    (1.36, 0.98, 1.24, 1.06, 1.06, 1.10, 0.038, 0.016),
    (1.38, 1.20, 1.24, 1.30, 1.04, 1.30, 0.040, 0.020),
    (1.38, 1.42, 1.22, 1.46, 1.06, 1.56, 0.038, 0.018),
    (1.38, 1.68, 1.24, 1.80, 1.04, 1.78, 0.044, 0.020),
    (1.36, 1.98, 1.20, 2.02, 1.04, 2.14, 0.042, 0.018),
    (0.84, 0.52, 0.98, 0.66, 1.16, 0.72, 0.045, 0.010),
    (0.80, 1.95, 0.58, 2.02, 0.30, 1.96, 0.060, 0.016),
    (0.86, 2.25, 0.60, 2.26, 0.34, 2.34, 0.060, 0.016),
)
_LEATHER_COLLAR: Points = (
    (0.34, -0.20), (0.34, -0.20), (0.30, 0.04), (0.20, 0.36), (0.20, 0.36), (0.45, 0.53), (0.45, 0.53), (0.45, 0.53),
    (0.59, 0.34), (0.57, 0.16), (0.46, -0.15),
)  # fmt: skip
_LEATHER_LAPEL: Points = (
    (0.19, 0.37), (0.19, 0.37), (0.64, 0.50), (0.64, 0.50), (0.64, 0.50), (0.60, 0.70), (0.34, 1.14), (0.06, 1.50), (0.02, 1.50),
    (0.12, 0.90),
)  # fmt: skip
_JACKET_OPEN: Points = (
    (0.35, -0.45), (0.34, -0.20), (0.30, 0.04), (0.20, 0.36), (0.12, 0.90), (0.00, 1.48),
    (-0.12, 0.90), (-0.20, 0.36), (-0.30, 0.04), (-0.34, -0.20), (-0.35, -0.45),
)  # fmt: skip


def _hide(bust: Bust, x: F32, y: F32, body: Outline) -> tuple[F32, F32]:
    """Leather's own surface: height f32[h, w] (hw) of pebble and fine creases, and tone f32[h, w] about 1."""
    h = x * np.float32(bust.hand)
    a, b = 0.83 * h + 0.56 * y, 0.83 * y - 0.56 * h
    pebble = noise(a * 84, b * 84, 71) + 0.7 * noise(a * 47, b * 47, 72)
    p, q = 0.83 * body.x * np.float32(bust.hand) + 0.56 * body.y, 0.83 * body.y - 0.56 * body.x * np.float32(bust.hand)
    broad, slack = whole(noise(p * 3.1, q * 3.1, 75), x), whole(noise(p * 5.3, q * 4.1, 76), x)
    fine = _creased(x, y, _scattered(bust, "leather creases", 60, (0.05, 0.30), (0.010, 0.024), 0.0026))
    height = 0.00042 * pebble + fine + 0.008 * slack
    tone = 1 + 0.10 * broad + 0.05 * noise(a * 33, b * 33, 77)
    return np.asarray(height, np.float32), np.asarray(tone, np.float32)


def leather(bust: Bust, x: F32, y: F32, body: Outline) -> Made:
    """A black leather jacket, its collar and lapels turned down, over a dark T-shirt; `x`, `y` f32[h, w] hw."""
    k, hand = bust.hw_px, np.float32(bust.hand)
    coarse = torso(bust, body, mirrored(_LEATHER_FOLDS, bust))
    depth, edge = whole(coarse, x), whole(body.inside, x)
    height, tone = _hide(bust, x, y, body)
    line = _collar_line(bust)
    far = np.float32(9)

    # T-shirt: fine jersey with a ribbed band at the neck.
    smooth = blur(depth, 0.03 * k)
    near = window(bust, x, y, 0.62, (line - 0.5, line + 1.7))
    xn, yn = near.of(x), near.of(y)
    dip = yn - (line + 0.32 - 0.40 * (1 - np.maximum(arch(np.clip(xn / (bust.neck + 0.06), -1.2, 1.2)), 0)))
    flat = near.of(smooth) - 0.02 + 0.006 * noise(xn * hand * 4, yn * 3, 81)
    jersey = 0.0006 * noise(xn * hand * 170, yn * 60, 82)
    band = 0.010 * step(np.asarray(0.055 - dip, np.float32), 0, 0.008) + 0.0016 * np.cos(2 * np.pi * xn / 0.012) * (dip < 0.05)
    right, down = slopes(np.asarray(flat + jersey + band + _edged(np.asarray(dip, np.float32), 0.012, 0.012), np.float32), k)
    tee_tone = np.asarray(0.40 + 0.03 * noise(xn * hand * 90, yn * 30, 83), np.float32)
    tee_cover = coverage(np.asarray(np.minimum(dip, near.of(edge)), np.float32), k, 2.0)
    tee = Layer(tee_cover, np.asarray(flat, np.float32), facing(right, down), tee_tone, 0.9, 0.0, 0.12)

    # Jacket: stiffer than the body under it, open to the lapels' roll.
    opening = piece(xn, yn, _lowered(_JACKET_OPEN, line, bust.neck))
    open_ = np.full_like(x, -far)
    open_[near.rows, near.columns] = opening
    outside = np.minimum(edge + 0.012, -open_)
    seams = _seams(bust, x, y)
    shell = depth + 0.018
    right, down = slopes(shell + height + seams + _edged(-open_, 0.012, 0.016), k)
    sheet = Layer(coverage(outside, k, 2.0), np.asarray(shell, np.float32), facing(right, down), tone, 0.36, 0.05, 0.02)

    outer = [(tee, near.at), (sheet, (0, 0))]
    span = window(bust, x, y, 0.80, (line - 0.45, line + 1.7))
    xs, ys = span.of(x), span.of(y)
    ground = _neck_and_body(bust, xs, span.of(blur(depth, 0.02 * k)), 0.05)
    for points, lift in ((_LEATHER_LAPEL, 0.030), (_LEATHER_COLLAR, 0.046)):
        sides = _two(points, bust, xs, ys)
        for inside in sides if hand > 0 else sides[::-1]:
            outer.append((_leaf(inside, ground, lift, span.of(height), span.of(tone), xs + ys, k), span.at))
    ring = Ring(line - 0.02, 0.3, bust.neck + 0.06, 0.9 * (bust.neck + 0.06), bust.throat[2] + 0.05 - 0.9 * (bust.neck + 0.06))
    back = collar_back(bust, xs, ys, ring)
    return Made([(Layer(back.cover, back.depth, back.normal, back.albedo, 0.5, 0.03, 0.0), span.at)], outer, _closed(bust))


def _leaf(inside: F32, ground: F32, lift: float, height: F32, tone: F32, along: F32, k: float) -> Layer:
    """A collar leaf or lapel of leather: it springs from its fold and lies down toward its edge."""
    depth = ground + np.float32(lift) + _spring(inside, 0.030, k) + _edged(inside, 0.014, 0.018) - 0.014
    right, down = slopes(np.asarray(depth + height + _stitching(inside, along, 0.030, 0.022), np.float32), k)
    worn = tone * (1 + 0.30 * np.exp(-np.maximum(inside, 0) / 0.010))
    return Layer(
        coverage(inside, k, 1.8), np.asarray(depth, np.float32), facing(right, down), np.asarray(worn, np.float32), 0.34, 0.05, 0.02
    )


def _seams(bust: Bust, x: F32, y: F32) -> F32:
    """Height f32[h, w] of shoulder, armhole and front seams: narrow sunken lines with a raised lip."""
    lines = (
        (0.46, 0.02, 0.78, 0.12, 1.12, 0.32, 0.011, -0.010),
        (1.12, 0.24, 0.90, 0.70, 1.04, 1.30, 0.012, -0.012),
        (0.80, 0.55, 0.66, 1.20, 0.70, 2.30, 0.010, -0.008),
    )
    strokes = []
    for side, sign in enumerate((-1.0, 1.0)):
        wide = bust.half[side] / 1.38
        for ax, ay, bx, by, cx, cy, width, height in lines:
            strokes.append(
                [v for u, t in ((ax, ay), (bx, by), (cx, cy)) for v in (sign * u * wide, t + bust.shoulder[side])] + [width, height]
            )
    return _creased(x, y, np.array(strokes, np.float32))


# ---------------------------------------------------------------- linen shirt

_LINEN_FOLDS = (
    (1.02, 1.16, 0.80, 1.02, 0.50, 0.92, 0.035, 0.016),
    (1.00, 1.30, 0.70, 1.28, 0.40, 1.08, 0.040, 0.018),
    (0.98, 1.46, 0.76, 1.52, 0.46, 1.40, 0.035, 0.014),
    (0.96, 1.62, 0.66, 1.76, 0.24, 1.66, 0.045, 0.016),
    (0.92, 1.92, 0.60, 2.04, 0.20, 1.90, 0.050, 0.016),
    (1.08, 0.96, 0.96, 0.80, 0.74, 0.66, 0.035, 0.012),
    (1.34, 1.02, 1.22, 1.12, 1.04, 1.14, 0.030, 0.014),
    (1.36, 1.26, 1.20, 1.40, 1.02, 1.40, 0.034, 0.016),
    (1.38, 1.50, 1.26, 1.56, 1.06, 1.68, 0.030, 0.014),
    (1.38, 1.74, 1.22, 1.86, 1.02, 1.84, 0.036, 0.016),
    (0.56, 0.50, 0.70, 0.70, 0.74, 1.00, 0.040, 0.010),
    (0.30, 0.84, 0.36, 1.10, 0.28, 1.44, 0.045, 0.006),
    (0.17, 1.10, 0.22, 1.40, 0.15, 1.80, 0.040, 0.005),
    (0.62, 1.06, 0.72, 1.16, 0.90, 1.20, 0.022, 0.008),
    (0.34, 1.70, 0.50, 1.64, 0.70, 1.70, 0.022, 0.008),
)
LINEN_HOLLOW = (26.0, 0.07)
"""How fast a fold's valley loses the light, per hw of its depth, and how wide one is (sigma, hw): white cloth fills half of its own."""
LINEN_LEAF = 0.80
"""Share of its light that a shirt's collar keeps: right under the face it would be the whitest thing."""
LINEN_DRAPE = 0.80
"""Fold heights against the table's: deeper ones tear a raking light to shreds across the chest."""
LINEN_BURNED = 0.84
"""Share of the light that a flag keeps off a white chest: it would be the brightest thing in the picture, and the face is to be."""
_SHIRT_COLLAR: Points = (
    (0.35, -0.20), (0.35, -0.20), (0.30, -0.02), (0.17, 0.20), (0.17, 0.20), (0.33, 0.49), (0.33, 0.49), (0.33, 0.49),
    (0.50, 0.26), (0.50, 0.10), (0.43, -0.14),
)  # fmt: skip
_SHIRT_CLOSED: Points = (
    (0.35, -0.20), (0.35, -0.20), (0.24, 0.02), (0.015, 0.20), (0.015, 0.20), (0.25, 0.49), (0.25, 0.49), (0.25, 0.49),
    (0.48, 0.28), (0.50, 0.10), (0.43, -0.14),
)  # fmt: skip
_SHIRT_OPEN: Points = (
    (0.36, -0.45), (0.35, -0.20), (0.30, -0.02), (0.17, 0.22), (0.00, 0.66),
    (0.00, 0.66), (-0.17, 0.22), (-0.30, -0.02), (-0.35, -0.20), (-0.36, -0.45),
)  # fmt: skip
_SHIRT_SHUT: Points = ((0.36, -0.45), (0.35, -0.20), (0.22, 0.04), (0.00, 0.18), (-0.22, 0.04), (-0.35, -0.20), (-0.36, -0.45))


def _linen(bust: Bust, x: F32, y: F32, body: Outline) -> tuple[F32, F32]:
    """Linen's surface: height f32[h, w] (hw) of slubs and sharp small wrinkles, and tone f32[h, w] about 1."""
    h = x * np.float32(bust.hand)
    slub = 0.6 * (noise(h * 110, y * 9, 91) + noise(h * 9, y * 110, 92))
    slub = slub + 0.8 * (noise(h * 90, y * 31, 93) + noise(h * 31, y * 90, 94))
    p = body.x * np.float32(bust.hand)
    slack = 0.010 * noise(p * 3.7, body.y * 2.9, 98) + 0.003 * noise(p * 11, body.y * 9, 99)
    crumple = _creased(x, y, _scattered(bust, "linen creases", 210, (0.06, 0.46), (0.009, 0.030), 0.0040))
    height = 0.00013 * slub + crumple + whole(slack, x)
    return np.asarray(height, np.float32), np.asarray(1 + 0.020 * slub, np.float32)


def linen(bust: Bust, x: F32, y: F32, body: Outline) -> Made:
    """A white linen shirt: collar open over a small V where the photo shows the throat bare, else buttoned; `x`, `y` f32[h, w]."""
    k, hand = bust.hw_px, np.float32(bust.hand)
    coarse = torso(bust, body, mirrored(_LINEN_FOLDS, bust) * np.array([1] * 7 + [LINEN_DRAPE], np.float32))
    depth, edge = whole(coarse, x), whole(body.inside, x)
    height, tone = _linen(bust, x, y, body)
    hollow = np.maximum(blur(coarse, LINEN_HOLLOW[1] * k / 4) - coarse, 0)
    tone = np.asarray(tone * whole(flagged(bust, body, LINEN_BURNED) * np.exp(-np.float32(LINEN_HOLLOW[0]) * hollow), x), np.float32)
    line = _collar_line(bust)

    near = window(bust, x, y, 0.80, (line - 0.45, line + 0.85))
    xn, yn = near.of(x), near.of(y)
    opening = np.full_like(x, -9)
    opening[near.rows, near.columns] = piece(xn, yn, _lowered(_SHIRT_OPEN if bust.open else _SHIRT_SHUT, line, bust.neck))

    # The placket: a band down the front, its free edge on one side, stitched on both.
    placket = np.minimum(0.060 - np.abs(x - 0.006 * hand), y - (line + (0.55 if bust.open else 0.12)))
    button = _buttons(bust, x, y, line)
    stitched = _stitching(placket, y, 0.012, 0.016)
    shell = depth + 0.014
    form = shell + height * (1 - 0.5 * step(placket, 0, 0.02)) + _edged(placket, 0.007, 0.006) + stitched + _edged(-opening, 0.010, 0.010)
    right, down = slopes(np.asarray(form + 0.012 * np.maximum(button, 0), np.float32), k)
    tone = np.asarray(tone * (1 - 0.10 * np.exp(-np.square(placket / 0.006))), np.float32)
    cover = coverage(np.asarray(np.minimum(edge, -opening), np.float32), k, 2.2)
    outer = [(Layer(cover, np.asarray(shell, np.float32), facing(right, down), tone, 0.8, 0.0, 0.05), (0, 0))]
    ground = _neck_and_body(bust, xn, near.of(blur(depth, 0.02 * k)), 0.045)
    sides = _two(_SHIRT_COLLAR if bust.open else _SHIRT_CLOSED, bust, xn, yn)
    for inside in sides if hand > 0 else sides[::-1]:
        leaf = ground + 0.024 + _spring(inside, 0.022, k) + _edged(inside, 0.010, 0.012)
        right, down = slopes(np.asarray(leaf + 0.6 * near.of(height) + _stitching(inside, xn + yn, 0.022, 0.016), np.float32), k)
        cover = coverage(inside, k, 1.8)
        outer.append((Layer(cover, np.asarray(leaf, np.float32), facing(right, down), LINEN_LEAF * near.of(tone), 0.8, 0.0, 0.05), near.at))
    ring = Ring(line - 0.01, 0.3, bust.neck + 0.02, 0.9 * (bust.neck + 0.02), bust.throat[2] + 0.04 - 0.9 * (bust.neck + 0.02))
    back = collar_back(bust, xn, yn, ring)
    return Made([(Layer(back.cover, back.depth, back.normal, back.albedo * 1.6, 0.8, 0.0, 0.05), near.at)], outer, _closed(bust))


def _buttons(bust: Bust, x: F32, y: F32, line: float) -> F32:
    """Small domes f32[h, w] 0..1 down the placket."""
    total = np.full_like(x, -1)
    for at in (0.74, 1.16, 1.58, 2.00):
        d = np.sqrt(np.square(x - 0.004 * np.float32(bust.hand)) + np.square(y - np.float32(line + at))) / np.float32(0.026)
        total = np.maximum(total, np.minimum(1 - d, 0.35) / 0.35)
    return np.asarray(total, np.float32)
