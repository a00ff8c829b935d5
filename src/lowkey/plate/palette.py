"""Which colours the person has hereabouts, and which the room: counted, not fitted.

One Gaussian a side cannot hold slats, a window or a shirt beside hair. Colours are counted in a coarse grid over place and
colour together (the bilateral grid of Chen, Paris & Durand 2007), once for what is surely the person and once for what is surely
the room; a pixel is then asked which of the two knows its colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lowkey.pixels import F32
from lowkey.together import both

LEVELS = 16
"""Bins of square-root light in each channel."""
CELL_HW = 0.15
"""Side of a cell of place."""
ANY_COLOUR = 0.5
"""Density, in units of all colours being equally likely, below which a count says nothing."""
AT_LARGE = 0.15
"""How much the person's colours anywhere count against those hereabouts: an ear may be the only skin for a hand's breadth."""


def odds(root: F32, deep: F32, far: F32, asked: NDArray[np.bool_], hw_px: float) -> F32:
    """Natural log f32[n] of how much better the room (+) or the person (-) explains the colour at each pixel asked.

    root f32[h, w, 3] square-root light in 0..1; deep and far f32[h, w] are 1 where surely person and surely room.
    """
    cell = CELL_HW * hw_px
    h, w = asked.shape
    size = int((h - 1) / cell) + 2, int((w - 1) / cell) + 2
    step = max(round(hw_px / 160), 1)
    person, room = (_counted(root, where, step, cell, *size) for where in (deep, far))
    whole = person.sum((0, 1))
    whole /= max(float(whole.sum()), 1e-6)
    near = both(lambda: _eased(person), lambda: _eased(room))
    rows, cols = np.nonzero(asked)
    return np.asarray(_asked(root, rows, cols, cell, near[0], near[1], whole), np.float32)


@njit(cache=True)  # type: ignore[misc]
def _counted(root: Any, where: Any, step: Any, cell: Any, tall: Any, wide: Any) -> Any:
    """Colours f32[cells down, cells across, bins, bins, bins], each pixel counted in one cell."""
    out = np.zeros((tall, wide, LEVELS, LEVELS, LEVELS), np.float32)
    for y in range(0, where.shape[0], step):
        for x in range(0, where.shape[1], step):
            if where[y, x] > 0.5:
                r = min(int(root[y, x, 0] * (LEVELS - 1) + 0.5), LEVELS - 1)
                g = min(int(root[y, x, 1] * (LEVELS - 1) + 0.5), LEVELS - 1)
                b = min(int(root[y, x, 2] * (LEVELS - 1) + 0.5), LEVELS - 1)
                out[int(y / cell + 0.5), int(x / cell + 0.5), r, g, b] += 1.0
    return out


def _eased(counts: F32) -> F32:
    """Counts spread to the neighbours in place, twice; in colour the interpolation is wide enough for noise."""
    for axis in (0, 0, 1, 1):
        c = np.moveaxis(counts, axis, 0)
        out = np.empty_like(c)
        out[:] = c
        out *= np.float32(0.5)
        out[1:] += np.float32(0.25) * c[:-1]
        out[:-1] += np.float32(0.25) * c[1:]
        counts = np.moveaxis(out, 0, axis)
    return np.ascontiguousarray(counts)


@njit(cache=True)  # type: ignore[misc]
def _asked(root: Any, rows: Any, cols: Any, cell: Any, person: Any, room: Any, whole: Any) -> Any:
    """Log of the room's density over the person's, each interpolated in place and colour."""
    tall, wide = person.shape[:2]
    all_person, all_room = np.zeros((tall, wide)), np.zeros((tall, wide))
    for i in range(tall):
        for j in range(wide):
            all_person[i, j] = person[i, j].sum()
            all_room[i, j] = room[i, j].sum()
    bins = LEVELS**3
    out = np.zeros(rows.size, np.float32)
    base = np.zeros(3, np.int64)
    part = np.zeros(3)
    for n in range(rows.size):
        y, x = rows[n], cols[n]
        fy, fx = y / cell, x / cell
        i0, j0 = min(int(fy), tall - 2), min(int(fx), wide - 2)
        ty, tx = fy - i0, fx - j0
        for c in range(3):
            v = min(max(root[y, x, c], 0.0), 1.0) * (LEVELS - 1)
            base[c] = min(int(v), LEVELS - 2)
            part[c] = v - base[c]
        p = r = mass_p = mass_r = at_large = 0.0
        for i in range(2):
            for j in range(2):
                place = (ty if i else 1 - ty) * (tx if j else 1 - tx)
                mass_p += place * all_person[i0 + i, j0 + j]
                mass_r += place * all_room[i0 + i, j0 + j]
                for k in range(8):
                    a, b, c = k & 1, (k >> 1) & 1, (k >> 2) & 1
                    hue = (part[0] if a else 1 - part[0]) * (part[1] if b else 1 - part[1]) * (part[2] if c else 1 - part[2])
                    p += place * hue * person[i0 + i, j0 + j, base[0] + a, base[1] + b, base[2] + c]
                    r += place * hue * room[i0 + i, j0 + j, base[0] + a, base[1] + b, base[2] + c]
                    if i == 0 and j == 0:
                        at_large += hue * whole[base[0] + a, base[1] + b, base[2] + c]
        if mass_r < 1.0:
            continue  # no room is known here
        density_r = r / mass_r * bins
        density_p = AT_LARGE * at_large * bins
        if mass_p >= 1.0:
            density_p = max(density_p, p / mass_p * bins)
        out[n] = np.log((density_r + ANY_COLOUR) / (density_p + ANY_COLOUR))
    return out
