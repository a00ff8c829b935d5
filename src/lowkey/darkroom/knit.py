"""Knitted cloth as a height field: stockinette for a body, ribbing for a collar, and the value noise both are made of.

A knit is described in its own coordinates: `s` counts wales (columns) across, `t` counts courses (rows) upward. The
caller lays those coordinates over a garment, so stitches crowd together where the cloth turns away, as real ones do.
Each stitch of stockinette is a V of two yarn legs, and each V sits in the mouth of the one below (Yuksel et al. 2012,
"Stitch Meshes", figure 3, gives the loop; only its front view is kept here).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32

Field = NDArray[Any]
"""Any real array on its way into a map; what comes out of these rooms is float32."""


@njit(cache=True)
def lattice(i: int, j: int, k: int) -> float:
    """A number in [0, 1) that belongs to the lattice point (i, j) of noise `k` (Wellons' lowbias32 mixer)."""
    x = (i * 0x8DA6B343 + j * 0xD8163841 + k * 0xCB1AB31F) & 0xFFFFFFFF
    x ^= x >> 16
    x = (x * 0x7FEB352D) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x846CA68B) & 0xFFFFFFFF
    x ^= x >> 16
    return x / 4294967296.0


@njit(cache=True)
def _value(x: float, y: float, k: int) -> float:
    """Value noise in [-1, 1] with one knot per unit, smooth to the second derivative (Perlin 2002 fade curve)."""
    i, j = int(np.floor(x)), int(np.floor(y))
    u, v = x - i, y - j
    u = u * u * u * (u * (u * 6 - 15) + 10)
    v = v * v * v * (v * (v * 6 - 15) + 10)
    low = lattice(i, j, k) * (1 - u) + lattice(i + 1, j, k) * u
    high = lattice(i, j + 1, k) * (1 - u) + lattice(i + 1, j + 1, k) * u
    return 2 * (low * (1 - v) + high * v) - 1


@njit(cache=True, parallel=True)
def _noise(x: Any, y: Any, k: int) -> Any:
    h, w = x.shape
    out = np.empty((h, w), np.float32)
    for r in prange(h):
        for c in range(w):
            out[r, c] = _value(x[r, c], y[r, c], k)
    return out


def noise(x: Field, y: Field, stream: int) -> F32:
    """Smooth value noise f32[h, w] in [-1, 1] at coordinates x, y f32[h, w], one knot per unit; `stream` names it."""
    return np.asarray(_noise(np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32), stream), np.float32)


@njit(cache=True)
def _loop(w: float, side: int, t: float, wale: int, stream: int) -> tuple[float, float]:
    """Height and tone of one leg of yarn; `w` runs from 0 at the wale's middle to 1 at its border, `t` counts courses."""
    # The legs climb outward, so lines of equal phase are Vs; a wale's Vs are not level with its neighbour's.
    phase = t + 0.45 * lattice(wale, 17, stream) - 0.80 * w
    course = int(np.floor(phase))
    q = 2 * (phase - course) - 1
    own = lattice(2 * wale + side, course, stream + 1)

    # Across the leg the yarn is round; along it, it dives under its neighbours at the V's foot and at the wale's border.
    q += 0.16 * (own - 0.5)
    round_ = np.sqrt(max(1 - 0.94 * q * q, 0.0))
    foot, border = (1 - w) ** 5, w**7
    height = round_ * (1 - 0.42 * foot - 0.80 * border) * (0.84 + 0.30 * own)

    # Two plies wind round each other: a fine oblique ridge that tells wool from moulded rubber.
    ply = np.cos(2 * np.pi * (0.85 * q + 1.9 * w + own))
    return height * (1 + 0.10 * ply), 0.72 + 0.56 * lattice(2 * wale + side, course, stream + 2)


@njit(cache=True)
def _stockinette_at(s: float, t: float, stream: int) -> tuple[float, float]:
    wale = int(np.floor(s))
    f = 2 * (s - wale) - 1
    return _loop(abs(f), 1 if f > 0 else 0, t, wale, stream)


@njit(cache=True)
def _rib_at(s: float, t: float, stream: int) -> tuple[float, float]:
    rib = int(np.floor(s))
    f = (2 * (s - rib) - 1) / (0.66 + 0.08 * (lattice(rib, 5, stream) - 0.5))

    # The knit column stands proud and round, its stitches only a faint V on it: drawn any deeper, a raking light makes teeth of them.
    # Between two columns the purl lies back, a row of small bars, in soft folds and in no cut.
    if abs(f) < 1:
        height, tone = _loop(abs(f) * 0.92, 1 if f > 0 else 0, t, rib, stream)
        ridge = 0.5 + 0.5 * np.cos(np.pi * f)
        return 0.34 + ridge * (0.36 + 0.26 * height), 1 + 0.7 * (tone - 1)
    bar = 0.5 + 0.5 * np.cos(2 * np.pi * (t + 0.5 * lattice(rib, 9, stream)))
    deep = min((abs(f) - 1) * 2.5, 1.0)
    return 0.34 - 0.06 * deep + 0.03 * bar * deep, 0.92


@njit(cache=True, parallel=True)
def _fabric(s: Any, t: Any, where: Any, ribbed: bool, stream: int, out: Any, tone: Any) -> None:
    h, w = s.shape
    mean = 0.49 if ribbed else 0.62
    for r in prange(h):
        up, down = max(r - 1, 0), min(r + 1, h - 1)
        for c in range(w):
            if where[r, c] <= 0:
                out[r, c], tone[r, c] = mean, 1.0
                continue
            left, right = max(c - 1, 0), min(c + 1, w - 1)
            # How fast the pattern runs under one pixel; neighbouring maps differ smoothly, so this is the footprint.
            sx, sy = (s[r, right] - s[r, left]) / (right - left), (s[down, c] - s[up, c]) / (down - up)
            tx, ty = (t[r, right] - t[r, left]) / (right - left), (t[down, c] - t[up, c]) / (down - up)
            rate = max(abs(sx) + abs(sy), abs(tx) + abs(ty))
            # Toward half a stitch per pixel the pattern can no longer be drawn: fade to its mean instead of a moire.
            keep = min(max((0.45 - rate) / 0.10, 0.0), 1.0)
            if keep == 0.0:
                out[r, c], tone[r, c] = mean, 1.0
                continue
            # A stitch of eight pixels and more needs no second sample.
            count = 1 if rate < 0.125 else 2
            height, shade = 0.0, 0.0
            for k in range(count):
                o = (2 * k + 1 - count) * 0.25
                ss, tt = s[r, c] + o * (sx + sy), t[r, c] + o * (tx + ty)
                a, b = _rib_at(ss, tt, stream) if ribbed else _stockinette_at(ss, tt, stream)
                height += a
                shade += b
            out[r, c] = mean + (height / count - mean) * keep
            tone[r, c] = 1 + (shade / count - 1) * keep


def fabric(s: Field, t: Field, where: Field, *, ribbed: bool, stream: int = 0) -> tuple[F32, F32]:
    """Height f32[h, w] in 0..1 and yarn tone f32[h, w] about 1 of a knit.

    `s`, `t` f32[h, w]: wales (or ribs) and courses at each pixel; only pixels with `where` > 0 are worked out. Two samples
    a pixel for small stitches; where they run finer than the pixels can draw, both fade to their mean.
    """
    s, t = np.ascontiguousarray(s, np.float32), np.ascontiguousarray(t, np.float32)
    height, tone = np.empty_like(s), np.empty_like(s)
    _fabric(s, t, np.ascontiguousarray(where, np.float32), ribbed, stream, height, tone)
    return height, tone
