"""Light that skin throws on skin: what a lit flank of a nose gives back to the corner of the eye beside it.

One bounce between near surfaces, by the form factor of every pair (Goral, Torrance, Greenberg & Battaile 1984, "Modeling the
interaction of light between diffuse surfaces"). Nothing between the two is looked for: near neighbours across a hollow see each other.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from lowkey.darkroom.horizon import VOID_HW
from lowkey.pixels import F32

REACH_HW = 0.26
"""How far round itself a place looks: beyond it a face's form factors are under a hundredth."""
OPEN = 0.97
"""Share of the sky from which on nothing is gathered."""
AGAIN = 1.15
"""All later bounces over the first one: 1 / (1 - reflectance x share seen) of skin in a hollow."""


def returned(depth: F32, normal: F32, radiance: F32, seen: F32, px_per_hw: float) -> F32:
    """Irradiance f32[h / 2, w / 2, 3] that every second place (rows and columns) gets from the lit surfaces round it.

    `depth` f32[h, w] hw, `normal` f32[h, w, 3] unit, `radiance` f32[h, w, 3] of what is seen of each pixel (0 where nobody is),
    `seen` f32[h, w] the share of the sky that it sees: what sees nearly all of it sees no neighbour.
    """
    h, w = depth.shape
    out = np.zeros(((h + 1) // 2, (w + 1) // 2, 3), np.float32)
    _gather(depth, normal, radiance, seen, 1.0 / px_per_hw, max(2, math.ceil(REACH_HW * px_per_hw / 2)), out)
    out *= np.float32(AGAIN)
    return out


@njit(cache=True, parallel=True)
def _gather(depth: Any, normal: Any, radiance: Any, seen: Any, pitch: float, reach: int, out: Any) -> None:
    """Sum over every second pixel within 2 `reach`; `pitch` is a pixel's width in hw."""
    h, w = depth.shape
    far2 = (2 * reach * pitch) ** 2
    area = 4.0 * pitch * pitch / math.pi
    for row in prange(out.shape[0]):
        y = 2 * row
        for column in range(out.shape[1]):
            x = 2 * column
            z = depth[y, x]
            if z <= VOID_HW or seen[y, x] > OPEN:
                continue
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            r, g, b = 0.0, 0.0, 0.0
            for j in range(-reach, reach + 1):
                # Odd steps: no pixel lights itself.
                yy = y + 2 * j + 1
                if yy < 0 or yy >= h:
                    continue
                for i in range(-reach, reach + 1):
                    xx = x + 2 * i + 1
                    if xx < 0 or xx >= w or radiance[yy, xx, 0] <= 1e-4:
                        continue
                    dx, dy, dz = (xx - x) * pitch, (y - yy) * pitch, depth[yy, xx] - z
                    to = nx * dx + ny * dy + nz * dz
                    if to <= 0.0:
                        continue
                    mx, my, mz = normal[yy, xx, 0], normal[yy, xx, 1], normal[yy, xx, 2]
                    off = -(mx * dx + my * dy + mz * dz)
                    flat = dx * dx + dy * dy
                    if off <= 0.0 or flat > far2:
                        continue
                    # A pixel's own width keeps the nearest neighbour from counting more than it can fill.
                    d2 = flat + dz * dz + 4.0 * pitch * pitch
                    share = area * to * off / (max(mz, 0.2) * d2 * d2)
                    r += share * radiance[yy, xx, 0]
                    g += share * radiance[yy, xx, 1]
                    b += share * radiance[yy, xx, 2]
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = r, g, b
