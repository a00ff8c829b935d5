"""Smoke in depth, lit from the lamp and shading itself, and the far lights that a wide-open lens turns into discs."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from lowkey.darkroom.beam import F64, REDDENING, Beam
from lowkey.darkroom.lattice import field, warp
from lowkey.darkroom.motes import splat
from lowkey.pixels import F32
from lowkey.rig import Rig
from lowkey.seeds import Streams

SMOKE_ROWS = 426
"""Smoke stands behind the subject and out of focus: this many rows hold all of it."""
DEPTHS_FH = (-1.25, -1.0, -0.8, -0.55, -0.25)
"""Where its sheets hang, back to front."""


def billow(rig: Rig, beam: Beam, shape: tuple[int, int], streams: Streams) -> tuple[F32, F32]:
    """Smoke behind the person: its light f32[h, w, 3] and how much of what is behind it still shows, f32[h, w]."""
    h, w = shape
    rows = min(SMOKE_ROWS, h)
    small = (rows, max(round(w * rows / h), 2))
    light = np.zeros((*small, 3), np.float32)
    clear = np.ones(small, np.float32)
    col, row = (np.arange(small[1], dtype=np.float32)[None] + 0.5) / rows, (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / rows
    dx, dy = col - np.float32(beam.x), row - np.float32(beam.y)
    for n, z in enumerate(DEPTHS_FH):
        density = sheet(streams, n, small) * np.float32(rig.backdrop.smoke)
        # Light comes from the lamp across the sheet and is eaten on its way: the sheet shades itself.
        lit = np.exp(-2.4 * toward_lamp(density, beam.x * rows, beam.y * rows, rows))
        dz = np.float32(z - beam.z)
        d2 = dx * dx + dy * dy + dz * dz + np.float32(0.012)
        d = np.sqrt(d2)
        c = dz / d
        g = 0.55
        onward = 0.55 + 0.45 * (1 - g * g) / np.power(1 + g * g - 2 * g * c, 1.5)
        power = (0.012 * density * lit * onward / d2)[:, :, None] * np.exp(-0.8 * d[:, :, None] * np.array(REDDENING, np.float32))
        power *= np.array(beam.rgb, np.float32)
        # Each sheet covers what hangs behind it, then blurs with its distance from the focus.
        cover = 1.0 - np.exp(-1.1 * density)
        light = light * (1.0 - cover[:, :, None]) + power
        clear *= 1.0 - cover
        sigma = 0.0016 * rows * abs(z) / 0.9
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), max(sigma, 0.3)), np.float32)
    return np.asarray(cv2.resize(light, (w, h), interpolation=cv2.INTER_CUBIC), np.float32).clip(0), np.asarray(
        cv2.resize(clear, (w, h), interpolation=cv2.INTER_LINEAR), np.float32
    )


def sheet(streams: Streams, number: int, shape: tuple[int, int]) -> F32:
    """Density 0..about 1.5 of one sheet, f32[h, w]: turbulence folded by its own motion into wisps, with clear lanes."""
    rng = streams.of(f"smoke.{number}")
    swirl_x, swirl_y = field(rng, 3, shape, octaves=3), field(rng, 3, shape, octaves=3)
    body = field(rng, 4, shape, octaves=5, gain=0.55, stretch=(1.4, 1.0))
    body = warp(body, 0.055 * swirl_x, 0.075 * swirl_y)
    fine_x, fine_y = field(rng, 11, shape, octaves=3), field(rng, 11, shape, octaves=3)
    body = warp(body, 0.016 * fine_x, 0.016 * fine_y)
    mass = field(rng, 2, shape, octaves=2)
    thick = np.clip(0.32 * body + 0.30 * mass + 0.12, 0, None)
    return np.asarray(np.power(thick, 1.35), np.float32)


def toward_lamp(density: F32, x: float, y: float, per_fh: float) -> F32:
    """Smoke between each pixel and the lamp at pixel (x, y), f32[h, w] in density x fh: a running sum along rays."""
    h, w = density.shape
    # Unroll the sheet round the lamp, add up outward, and roll it back.
    far = math.hypot(max(x, w - x), max(y, h - y)) + 2
    size = (max(int(far), 8), 720)
    centre = (x - 0.5, y - 0.5)
    polar = cv2.warpPolar(density, size, centre, far, cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS)
    polar = np.cumsum(polar, axis=1, dtype=np.float32) * np.float32(far / size[0] / per_fh)
    wrapped = cv2.copyMakeBorder(polar, 8, 8, 0, 0, cv2.BORDER_WRAP)
    wrapped = cv2.GaussianBlur(wrapped, (0, 0), 1.5)[8:-8]
    back = cv2.warpPolar(np.ascontiguousarray(wrapped), (w, h), centre, far, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(back, np.float32)


def far_lights(rig: Rig, beam: Beam, into: F32, streams: Streams) -> None:
    """Add blurred discs of small far lights to `into` f32[h, w, 3]: warm, few, dim, gathered on the lamp's side."""
    h, w = into.shape[:2]
    rng = streams.of("bokeh")
    # They stand in a few loose groups, as lights of a far street or a stage do, all about equally far out of focus.
    groups = np.column_stack([beam.x + rng.uniform(-0.55, 0.30, 5), beam.y + rng.uniform(-0.16, 0.55, 5)])
    n = round(46 * rig.backdrop.bokeh)
    where = groups[rng.integers(0, 5, n)] + rng.standard_normal((n, 2)) * np.array([0.10, 0.055])
    xyz: F64 = np.column_stack([where, np.full(n, -1.3)])
    blur = 0.040 * np.exp(0.22 * rng.standard_normal(n))
    power = 6.0e-5 * np.exp(0.9 * rng.standard_normal(n)) * (blur / 0.04) ** 2
    warm: Any = np.array(beam.rgb)[None] ** rng.uniform(0.7, 2.2, n)[:, None]
    splat(xyz, np.asarray(power[:, None] * warm, np.float32), blur, np.zeros((n, 2)), np.array([0.5 * w / h, 0.5]), into)
