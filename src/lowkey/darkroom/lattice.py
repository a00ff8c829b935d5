"""Smooth random fields fixed in the picture, not in its pixels: a preview and a print sample the same one."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lowkey.pixels import F32


def octave(rng: np.random.Generator, cells: int, shape: tuple[int, int], *, stretch: tuple[float, float] = (1.0, 1.0)) -> F32:
    """One octave of value noise f32[h, w], zero mean, SD about 0.6: white numbers on a lattice, joined by cubics.

    `cells` lattice cells lie on one frame height; `stretch` (across, down) lengthens them. Fields of the same stream agree
    between sizes because the lattice covers whole frame heights; cells finer than a pixel are averaged over it.
    """
    h, w = shape
    spans = math.ceil(w / h - 1e-9)
    ny, nx = max(round(cells / stretch[1]), 2), max(round(cells / stretch[0]), 2)
    # Columns are drawn first, so that a wider frame goes on where a narrower one stops.
    lattice = rng.standard_normal((nx * spans, ny), np.float32).T
    kind = cv2.INTER_AREA if ny > h or nx > h else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(np.ascontiguousarray(lattice), (h * spans, h), interpolation=kind)[:, :w], np.float32)


def field(
    rng: np.random.Generator,
    cells: int,
    shape: tuple[int, int],
    *,
    octaves: int = 4,
    gain: float = 0.5,
    lacunarity: float = 1.93,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> F32:
    """Fractal sum of `octaves` (fractional Brownian motion), f32[h, w], zero mean, SD about 1."""
    total = np.zeros(shape, np.float32)
    weight, power = 1.0, 0.0
    for _ in range(octaves):
        total += np.float32(weight) * octave(rng, max(cells, 2), shape, stretch=stretch)
        power += weight * weight
        weight *= gain
        cells = round(cells * lacunarity)
    return total * np.float32(1.0 / (0.62 * math.sqrt(power)))


def warp(picture: F32, dx: F32, dy: F32) -> F32:
    """Move each pixel of f32[h, w] by (dx, dy) fh: what drifting air does to smoke and pressing does to pile."""
    h, w = picture.shape
    col, row = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    moved = cv2.remap(picture, col + dx * np.float32(h), row + dy * np.float32(h), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)
