"""A wall of concrete or a drape of crushed velvet behind the person, both raked by the lamp."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numba as nb
import numpy as np

from lowkey.darkroom.beam import REDDENING, Beam
from lowkey.darkroom.lattice import field, octave, warp
from lowkey.pixels import F32
from lowkey.rig import Rig
from lowkey.seeds import Streams

WALL_ROWS = {"concrete": 960, "velvet": 800}
"""Relief is built on at most this many rows: both lie behind the focus, and no lens shows more of them."""
def hung(rig: Rig, beam: Beam, shape: tuple[int, int], streams: Streams) -> F32:
    """Radiance f32[h, w, 3] of the wall named by ``rig.backdrop.kind``."""
    h, w = shape
    # The nearer the lamp stands to the wall, the more its light rakes.
    standoff = max(rig.backdrop.depth_fh - rig.lamp.depth_fh, 0.12)
    rows = min(h, WALL_ROWS[rig.backdrop.kind])
    small = (rows, max(round(w * rows / h), 2))
    sheen: F32 | None = None
    if rig.backdrop.kind == "concrete":
        height, albedo = concrete(small, streams)
        light = rake(height, rows, np.array([beam.x, beam.y, standoff]))
        blur = 0.0009
    else:
        height, lie_x, lie_y = velvet(small, streams)
        light, sheen = pile(height, lie_x, lie_y, rows, np.array([beam.x, beam.y, 1.5 * standoff]))
        albedo, blur = np.ones(small, np.float32), 0.0022
    d = distance(small, beam, standoff)
    colour = np.exp(-0.6 * d[:, :, None] * np.array(REDDENING, np.float32)) * np.array(beam.rgb, np.float32)
    colour *= np.float32(rig.backdrop.reflectance)
    radiance = (light * albedo)[:, :, None] * colour * np.array(rig.backdrop.tint_rgb, np.float32)
    if sheen is not None:
        # Tips of the fibres return the lamp's colour with a third of the dye's.
        radiance += sheen[:, :, None] * colour * np.array(rig.backdrop.tint_rgb, np.float32) ** np.float32(0.33)
    radiance = cv2.GaussianBlur(radiance, (0, 0), max(blur * rows, 0.3))
    if small != (h, w):
        radiance = cv2.resize(radiance, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(radiance, np.float32).clip(0)


def distance(shape: tuple[int, int], beam: Beam, standoff: float) -> F32:
    """From the lamp to each point of the wall, f32[h, w] in fh."""
    h, w = shape
    dx = (np.arange(w, dtype=np.float32)[None] + 0.5) / h - np.float32(beam.x)
    dy = (np.arange(h, dtype=np.float32)[:, None] + 0.5) / h - np.float32(beam.y)
    return np.asarray(np.sqrt(dx * dx + dy * dy + np.float32(standoff**2)), np.float32)


def concrete(shape: tuple[int, int], streams: Streams) -> tuple[F32, F32]:
    """Height f32[h, w] in fh and relative reflectance f32[h, w] of cast concrete: panels, seams, tie holes, pores, runs."""
    h, w = shape
    rng = streams.of("concrete")
    x, y = (np.arange(w, dtype=np.float32)[None] + 0.5) / h, (np.arange(h, dtype=np.float32)[:, None] + 0.5) / h
    height = 0.0009 * field(rng, 4, shape, octaves=4, gain=0.42) + 0.00013 * field(rng, 110, shape, octaves=3, gain=0.9, lacunarity=2.3)
    albedo = 1.0 + 0.10 * field(rng, 3, shape, octaves=5, gain=0.6) + 0.05 * field(rng, 220, shape, octaves=2, gain=0.9, lacunarity=2.3)

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
    holes = [
        (x0 + (i + a) * across, y0 + (j + b) * down, 0.0115)
        for i in range(-1, math.ceil(w / h / across) + 1)
        for j in range(-1, math.ceil(1 / down) + 1)
        for a in (0.2, 0.8)
        for b in (0.22, 0.78)
    ]
    press(height, albedo, np.array(holes), 1.13, 0.72)

    # Pores: bubbles caught at the form, mostly small, in drifts.
    n = 2600
    where = np.column_stack([rng.uniform(0, 2.0, n), rng.uniform(0, 1.0, n)])
    radius = np.minimum(0.0011 * np.exp(0.62 * rng.standard_normal(n)), 0.0058)
    drifts = octave(rng, 4, shape) + 0.5 * octave(rng, 9, shape)
    at = np.minimum((where * h).astype(np.int64), [w - 1, h - 1])
    there = (where[:, 0] < w / h) & (drifts[at[:, 1], at[:, 0]] > -0.25)
    press(height, albedo, np.column_stack([where, radius])[there], 0.75, 0.85)

    # Water has run down from the seams.
    runs = np.clip(field(rng, 34, shape, octaves=3, gain=0.7, stretch=(1.0, 14.0)) - 0.5, 0, 2)
    albedo *= 1 - 0.07 * runs * np.exp(-2.2 * ((v % 1.0) * down))
    return np.asarray(height, np.float32), np.asarray(np.clip(albedo, 0.3, 1.6), np.float32)


@nb.njit(cache=True)
def press(height: Any, albedo: Any, holes: Any, deep: float, tone: float) -> None:
    """Press round holes (x, y, radius) f64[n, 3] fh into the relief, `deep` radii deep, their floor `tone` times as light."""
    h, w = height.shape
    for n in range(holes.shape[0]):
        cx, cy, radius = holes[n, 0] * h - 0.5, holes[n, 1] * h - 0.5, holes[n, 2] * h
        reach = int(1.2 * radius) + 2
        for j in range(max(int(cy) - reach, 0), min(int(cy) + reach + 2, h)):
            for i in range(max(int(cx) - reach, 0), min(int(cx) + reach + 2, w)):
                r = math.sqrt((i - cx) ** 2 + (j - cy) ** 2) / radius
                t = min(max((1.15 - r) / 0.5, 0.0), 1.0)
                t = t * t * (3.0 - 2.0 * t)
                height[j, i] -= deep * holes[n, 2] * t
                albedo[j, i] *= 1.0 - (1.0 - tone) * t


@nb.njit(cache=True, parallel=True)
def rake(height: Any, rows: int, lamp: Any) -> Any:
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
            out[j, i] = facing * open_sky * lamp[2] * lamp[2] / d2
    return out


def velvet(shape: tuple[int, int], streams: Streams) -> tuple[F32, F32, F32]:
    """Height f32[h, w] in fh of a hanging, crushed cloth, and which way its pile lies (two slopes f32[h, w])."""
    h, w = shape
    rng = streams.of("velvet")
    x = np.broadcast_to((np.arange(w, dtype=np.float32)[None] + 0.5) / h, shape)
    y = np.broadcast_to((np.arange(h, dtype=np.float32)[:, None] + 0.5) / h, shape)

    # A drape: folds of uneven width hang from above, lean a little, and here and there one dies out between two others.
    lean = float(rng.uniform(-0.05, 0.05)) * y + 0.012 * field(rng, 3, shape, octaves=2, stretch=(1.0, 2.5))
    broad, narrow = float(rng.uniform(0, 1)), float(rng.uniform(0, 1))
    spread = 0.030 * np.sin(2 * np.pi * (1.7 * x + broad)) + 0.016 * np.sin(2 * np.pi * (3.1 * x + narrow))
    phase = 2 * np.pi * (5.2 * (x + lean + spread) + float(rng.uniform(0, 1)))
    depth = 0.026 * np.clip(1 + 0.45 * field(rng, 4, shape, octaves=1, stretch=(1.0, 3.5)), 0.25, 1.8)
    # The crest of a fold is round, its valley tight: a cosine of a cosine.
    height = depth * np.cos(phase + 0.55 * np.sin(phase))
    height = height + 0.35 * depth * np.cos(2.17 * phase + 2.0 * field(rng, 3, shape, octaves=1, stretch=(1.0, 3.0)))

    # Crushing: ridges and facets where the cloth was pressed, small against the folds, drawn out along their fall.
    bend_x, bend_y = field(rng, 6, shape, octaves=1), field(rng, 6, shape, octaves=1)
    crease = warp(field(rng, 13, shape, octaves=1, stretch=(1.0, 2.6)), 0.008 * bend_x, 0.010 * bend_y)
    crease2 = warp(field(rng, 29, shape, octaves=1, stretch=(1.0, 2.2)), 0.006 * bend_y, 0.008 * bend_x)
    pressed = np.clip(0.95 + 0.4 * field(rng, 4, shape, octaves=2), 0.15, 1.6)
    height = height - pressed * (0.0042 * crease + 0.0016 * crease2)

    # The nap was stroked downward; pressing laid it over in patches.
    lie_x = 0.20 * pressed * np.tanh(1.3 * warp(field(rng, 15, shape, octaves=2, stretch=(1.0, 1.8)), 0.008 * bend_y, 0.008 * bend_x))
    lie_y = 0.22 + 0.14 * pressed * np.tanh(1.6 * crease2)
    lie_x = lie_x + 0.035 * field(rng, 430, shape, octaves=2, gain=0.8)
    return np.asarray(height, np.float32), np.asarray(lie_x, np.float32), np.asarray(lie_y, np.float32)


@nb.njit(cache=True, parallel=True)
def pile(height: Any, lie_x: Any, lie_y: Any, rows: int, lamp: Any) -> Any:
    """Light on velvet, f32[2, h, w]: what the dyed fibres return, and the sheen on their tips, which keeps the lamp's colour.

    Fibres stand about the (tilted) pile direction and shine where light or eye grazes them: the lobe of Estevez & Kulla 2017
    ("Production friendly microfacet sheen"), sin^(1/r) of the angle from the pile to the half direction. Folds shade one another.
    """
    h, w = height.shape
    out = np.zeros((2, h, w), np.float32)
    r = 0.30
    for j in nb.prange(h):
        for i in range(w):
            i0, i1, j0, j1 = max(i - 1, 0), min(i + 1, w - 1), max(j - 1, 0), min(j + 1, h - 1)
            gx = (height[j, i1] - height[j, i0]) * rows / (i1 - i0)
            gy = (height[j1, i] - height[j0, i]) * rows / (j1 - j0)
            z = height[j, i]
            dx, dy, dz = lamp[0] - (i + 0.5) / rows, lamp[1] - (j + 0.5) / rows, lamp[2] - z
            d2 = dx * dx + dy * dy + dz * dz
            d = math.sqrt(d2)
            cloth = 1.0 / math.sqrt(1.0 + gx * gx + gy * gy)
            # Pile is deep: light wraps a little round the cloth's own horizon.
            facing = ((dz - gx * dx - gy * dy) * cloth / d + 0.15) / 1.15
            if facing <= 0.0:
                continue
            flat = math.sqrt(dx * dx + dy * dy) + 1e-9
            shade = 1.0
            for k in range(1, 9):
                t = min(0.0035 * k * (1.0 + 0.35 * k), flat)
                p, q = min(max(int(i + dx / flat * t * rows + 0.5), 0), w - 1), min(max(int(j + dy / flat * t * rows + 0.5), 0), h - 1)
                shade = min(shade, 1.0 - (height[q, p] - z - t * dz / flat) / (0.55 * t + 0.0004))
            shade = 0.06 + 0.94 * min(max(shade, 0.0), 1.0)
            px, py = -gx + lie_x[j, i], -gy + lie_y[j, i]
            pz = 1.0 / math.sqrt(1.0 + px * px + py * py)
            px, py = px * pz, py * pz
            hx, hy, hz = dx / d, dy / d, dz / d + 1.0
            hn = math.sqrt(hx * hx + hy * hy + hz * hz)
            c = (hx * px + hy * py + hz * pz) / hn
            s2 = max(1.0 - c * c, 0.0)
            lobe = (2.0 + 1.0 / r) / (2.0 * math.pi) * s2 ** (0.5 / r)
            light = shade * facing * lamp[2] * lamp[2] / d2
            out[0, j, i] = light * (0.07 + 0.62 * lobe + 0.35 * (1.0 - pz) ** 2)
            out[1, j, i] = light * (0.75 * lobe * lobe * lobe + 0.25 * (1.0 - pz) ** 3)
    return out
