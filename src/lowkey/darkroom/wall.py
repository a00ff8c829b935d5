"""A wall of concrete or a drape of crushed velvet behind the person, both raked by the lamp."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numba as nb
import numpy as np

from lowkey.darkroom.beam import REDDENING, Beam
from lowkey.darkroom.lattice import field, warp
from lowkey.pixels import F32
from lowkey.rig import Rig
from lowkey.seeds import Streams

WALL_ROWS = 1280
"""Relief is built on at most this many rows: the wall lies behind the focus, no lens shows more of it."""
STANDOFF_FH = 0.30
"""How far before the wall the lamp stands: near, so that its light rakes."""


def hung(rig: Rig, beam: Beam, shape: tuple[int, int], streams: Streams) -> F32:
    """Radiance f32[h, w, 3] of the wall named by ``rig.backdrop.kind``."""
    h, w = shape
    rows = min(h, WALL_ROWS)
    small = (rows, max(round(w * rows / h), 2))
    if rig.backdrop.kind == "concrete":
        height, albedo = concrete(small, streams)
        light = rake(height, rows, np.array([beam.x, beam.y, STANDOFF_FH]), 0.0, height)
        blur = 0.0009
    else:
        height, lie_x, lie_y = velvet(small, streams)
        albedo = np.ones(small, np.float32)
        light = pile(height, lie_x, lie_y, rows, np.array([beam.x, beam.y, STANDOFF_FH]))
        blur = 0.0011
    d = distance(small, beam)
    colour = np.exp(-0.6 * d[:, :, None] * np.array(REDDENING, np.float32)) * np.array(beam.rgb, np.float32)
    colour *= np.array(rig.backdrop.tint_rgb, np.float32) * np.float32(rig.backdrop.reflectance)
    radiance = (light * albedo)[:, :, None] * colour
    radiance = cv2.GaussianBlur(radiance, (0, 0), max(blur * rows, 0.3))
    if small != (h, w):
        radiance = cv2.resize(radiance, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(radiance, np.float32).clip(0)


def distance(shape: tuple[int, int], beam: Beam) -> F32:
    """From the lamp to each point of the wall, f32[h, w] in fh."""
    h, w = shape
    dx = (np.arange(w, dtype=np.float32)[None] + 0.5) / h - np.float32(beam.x)
    dy = (np.arange(h, dtype=np.float32)[:, None] + 0.5) / h - np.float32(beam.y)
    return np.asarray(np.sqrt(dx * dx + dy * dy + np.float32(STANDOFF_FH**2)), np.float32)


def concrete(shape: tuple[int, int], streams: Streams) -> tuple[F32, F32]:
    """Height f32[h, w] in fh and relative reflectance f32[h, w] of cast concrete: panels, seams, tie holes, pores, runs."""
    h, w = shape
    rng = streams.of("concrete")
    x, y = (np.arange(w, dtype=np.float32)[None] + 0.5) / h, (np.arange(h, dtype=np.float32)[:, None] + 0.5) / h
    height = 0.0011 * field(rng, 5, shape, octaves=4, gain=0.5) + 0.00022 * field(rng, 70, shape, octaves=4, gain=0.75)
    albedo = 1.0 + 0.10 * field(rng, 3, shape, octaves=5, gain=0.6) + 0.05 * field(rng, 160, shape, octaves=3, gain=0.9)

    # Formwork: panels stand a little proud of one another, each with its own tone, and leave a seam where grout bled out.
    across, down = rng.uniform(0.46, 0.54), rng.uniform(0.62, 0.70)
    x0, y0 = rng.uniform(0.02, 0.16), rng.uniform(-0.32, -0.18)
    wander_x, wander_y = 0.0012 * field(rng, 6, shape, octaves=3), 0.0012 * field(rng, 6, shape, octaves=3)
    u, v = (x - x0 + wander_x) / across, (y - y0 + wander_y) / down
    step, tone = rng.normal(0, 0.0014, (8, 8)).astype(np.float32), rng.normal(0, 0.085, (8, 8)).astype(np.float32)
    iu, iv = np.floor(u).astype(np.int32) % 8, np.floor(v).astype(np.int32) % 8
    height += step[iv, iu]
    albedo *= 1 + tone[iv, iu]
    for t, size in ((u, across), (v, down)):
        off = np.abs(t - np.round(t)) * size
        height += np.float32(-0.0034) * np.exp(-((off / 0.0021) ** 2)) + np.float32(0.0010) * np.exp(-(((off - 0.0060) / 0.0026) ** 2))
        albedo *= 1 - 0.22 * np.exp(-((off / 0.004) ** 2))

    # Tie holes sit in rows on each panel: a cone with a plug set back in it.
    for i in range(-1, math.ceil(w / h / across) + 1):
        for j in range(-1, math.ceil(1 / down) + 1):
            for a, b in ((0.2, 0.22), (0.8, 0.22), (0.2, 0.78), (0.8, 0.78)):
                cx, cy = x0 + (i + a) * across, y0 + (j + b) * down
                stamp(height, albedo, cx, cy, 0.0115, -0.013, 0.72)

    # Pores: bubbles caught at the form, mostly small, in drifts.
    n = 2600
    where = np.column_stack([rng.uniform(0, 2.0, n), rng.uniform(0, 1.0, n)])
    drifts = field(rng, 4, shape, octaves=3)
    radius = np.minimum(0.0011 * np.exp(0.62 * rng.standard_normal(n)), 0.0058)
    for (cx, cy), r in zip(where, radius, strict=True):
        i, j = int(cx * h), int(cy * h)
        if i < w and j < h and drifts[j, i] > -0.4:
            stamp(height, albedo, float(cx), float(cy), float(r), float(-0.75 * r), 0.85)

    # Water has run down from the seams.
    runs = np.clip(field(rng, 34, shape, octaves=3, gain=0.7, stretch=(1.0, 14.0)) - 0.5, 0, 2)
    albedo *= 1 - 0.07 * runs * np.exp(-2.2 * ((v % 1.0) * down))
    return np.asarray(height, np.float32), np.asarray(np.clip(albedo, 0.3, 1.6), np.float32)


def stamp(height: F32, albedo: F32, cx: float, cy: float, radius: float, depth: float, tone: float) -> None:
    """Press a round hole into the relief, all lengths in fh."""
    h, w = height.shape
    reach = int(1.4 * radius * h) + 2
    i0, i1, j0, j1 = int(cx * h) - reach, int(cx * h) + reach + 1, int(cy * h) - reach, int(cy * h) + reach + 1
    i0, i1, j0, j1 = max(i0, 0), min(i1, w), max(j0, 0), min(j1, h)
    if i0 >= i1 or j0 >= j1:
        return
    x, y = (np.arange(i0, i1, dtype=np.float32)[None] + 0.5) / h, (np.arange(j0, j1, dtype=np.float32)[:, None] + 0.5) / h
    r = np.sqrt((x - cx) ** 2 + (y - cy) ** 2) / radius
    t = np.clip((1.15 - r) / 0.5, 0, 1)
    t = t * t * (3 - 2 * t)
    height[j0:j1, i0:i1] += np.float32(depth) * t
    albedo[j0:j1, i0:i1] *= 1 - np.float32(1 - tone) * t


@nb.njit(cache=True, parallel=True)
def rake(height: Any, rows: int, lamp: Any, _unused: float, _also: Any) -> Any:
    """Light on a matt relief from a near lamp at (x, y, standoff) fh: cosine over squared distance, with cast shadows.

    Shadows are a short march of eight steps toward the lamp; f32[h, w], 1 where the lamp stands a standoff away, head on.
    """
    h, w = height.shape
    out = np.zeros((h, w), np.float32)
    for j in nb.prange(h):
        for i in range(w):
            i0, i1, j0, j1 = max(i - 1, 0), min(i + 1, w - 1), max(j - 1, 0), min(j + 1, h - 1)
            gx = (height[j, i1] - height[j, i0]) * rows / (i1 - i0)
            gy = (height[j1, i] - height[j0, i]) * rows / (j1 - j0)
            z = height[j, i]
            dx, dy, dz = lamp[0] - (i + 0.5) / rows, lamp[1] - (j + 0.5) / rows, lamp[2] - z
            d2 = dx * dx + dy * dy + dz * dz
            d = math.sqrt(d2)
            facing = (dz - gx * dx - gy * dy) / (d * math.sqrt(1.0 + gx * gx + gy * gy))
            if facing <= 0.0:
                continue
            flat = math.sqrt(dx * dx + dy * dy) + 1e-9
            open_sky = 1.0
            for k in range(1, 9):
                t = min(0.0009 * k * (1.0 + 0.18 * k), flat)
                u, v = i + dx / flat * t * rows, j + dy / flat * t * rows
                p, q = min(max(int(u + 0.5), 0), w - 1), min(max(int(v + 0.5), 0), h - 1)
                over = height[q, p] - z - t * dz / flat
                open_sky = min(open_sky, 1.0 - over / (0.12 * t + 0.0002))
            open_sky = min(max(open_sky, 0.0), 1.0)
            out[j, i] = facing * open_sky * STANDOFF_FH * STANDOFF_FH / d2
    return out


def velvet(shape: tuple[int, int], streams: Streams) -> tuple[F32, F32, F32]:
    """Height f32[h, w] in fh of a hanging, crushed cloth, and which way its pile lies (two slopes f32[h, w])."""
    h, w = shape
    rng = streams.of("velvet")
    x = np.broadcast_to((np.arange(w, dtype=np.float32)[None] + 0.5) / h, shape)
    y = np.broadcast_to((np.arange(h, dtype=np.float32)[:, None] + 0.5) / h, shape)
    # Folds hang down, lean and join: a phase that wanders slowly along the fall of the cloth.
    lean = field(rng, 3, shape, octaves=2, stretch=(1.0, 2.2))
    phase = 2 * np.pi * (5.2 * x + 0.42 * lean + 0.25 * y * float(rng.uniform(-1, 1)) + float(rng.uniform(0, 1)))
    minor = 2 * np.pi * (11.5 * x + 0.75 * field(rng, 4, shape, octaves=2, stretch=(1.0, 2.6)))
    depth = 0.030 * (1 + 0.35 * field(rng, 3, shape, octaves=2, stretch=(1.0, 2.0)))
    fold = np.power(0.5 + 0.5 * np.cos(phase), 0.8)
    height = depth * fold + 0.0065 * (0.5 + 0.5 * np.cos(minor)) * (0.35 + fold)
    # Crushing breaks the surface into facets with sharp creases and lays the pile of each another way.
    bend_x, bend_y = field(rng, 8, shape, octaves=3), field(rng, 8, shape, octaves=3)
    crease = warp(field(rng, 13, shape, octaves=3, gain=0.55, stretch=(1.0, 1.5)), 0.02 * bend_x, 0.02 * bend_y)
    height = height + 0.0030 * (1 - np.abs(crease)).clip(-1, 1)
    lie_x = warp(field(rng, 15, shape, octaves=4, gain=0.6, stretch=(1.0, 1.4)), 0.02 * bend_y, 0.02 * bend_x)
    lie_y = warp(field(rng, 15, shape, octaves=4, gain=0.6, stretch=(1.0, 1.4)), 0.02 * bend_x, -0.02 * bend_y)
    fuzz = field(rng, 420, shape, octaves=2, gain=0.8)
    return np.asarray(height, np.float32), np.asarray(0.38 * lie_x + 0.07 * fuzz, np.float32), np.asarray(0.30 * lie_y, np.float32)


@nb.njit(cache=True, parallel=True)
def pile(height: Any, lie_x: Any, lie_y: Any, rows: int, lamp: Any) -> Any:
    """Light on velvet, f32[h, w]: fibres standing about the (tilted) pile direction shine where light or eye grazes them.

    The sheen lobe is Estevez & Kulla 2017 ("Production friendly microfacet sheen"), sin^(1/r) of the half angle to the pile.
    """
    h, w = height.shape
    out = np.zeros((h, w), np.float32)
    r = 0.42
    for j in nb.prange(h):
        for i in range(w):
            i0, i1, j0, j1 = max(i - 2, 0), min(i + 2, w - 1), max(j - 2, 0), min(j + 2, h - 1)
            gx = (height[j, i1] - height[j, i0]) * rows / (i1 - i0)
            gy = (height[j1, i] - height[j0, i]) * rows / (j1 - j0)
            z = height[j, i]
            dx, dy, dz = lamp[0] - (i + 0.5) / rows, lamp[1] - (j + 0.5) / rows, lamp[2] - z
            d2 = dx * dx + dy * dy + dz * dz
            d = math.sqrt(d2)
            # The cloth's own face decides what is lit at all; the pile decides how it shines.
            cloth = 1.0 / math.sqrt(1.0 + gx * gx + gy * gy)
            facing = (dz - gx * dx - gy * dy) * cloth / d
            lit = min(max((facing + 0.12) / 1.12, 0.0), 1.0)
            px, py = -gx + lie_x[j, i], -gy + lie_y[j, i]
            pz = 1.0 / math.sqrt(1.0 + px * px + py * py)
            px, py = px * pz, py * pz
            hx, hy, hz = dx / d, dy / d, dz / d + 1.0
            hn = math.sqrt(hx * hx + hy * hy + hz * hz)
            c = (hx * px + hy * py + hz * pz) / hn
            s2 = max(1.0 - c * c, 0.0)
            lobe = (2.0 + 1.0 / r) / 2.0 * s2 ** (0.5 / r)
            edge = (1.0 - pz) ** 2
            out[j, i] = lit * (0.10 + 1.25 * lobe + 1.1 * edge) * STANDOFF_FH * STANDOFF_FH / d2
    return out
