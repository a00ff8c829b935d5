"""What colour alone says of alpha: is a pixel the background's colour hereabouts, the person's, or a mixture of the two?

Closed-form matting passes alpha from pixel to pixel, so it cannot see that a glint between two curls is wall. Where the
background hereabouts and the person hereabouts are each of one colour, and the two lie far apart, the mixture can be read off
directly (after Ruzon & Tomasi 2000, with one Gaussian a side); anywhere else this module keeps silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, added
from lowkey.together import both

PERSON_HW, ROOM_HW = (0.10, 0.45), (0.08, 0.40)
"""From how deep inside, and how far outside, the first guess's border the two colours are learned, in head-widths."""
PERSON_BLUR_HW, ROOM_BLUR_HW = 0.12, 0.10
"""How far "hereabouts" reaches."""
NOISE = 6e-4
"""Variance of square-root colour that any surface has."""
APART = 12.0
"""Squared distance of the two colours over their variances at which colour begins to be believed (fully at twice that)."""
STRANDS_HW, ONCE, SEVERAL, STILL = 0.06, 1.2, 2.0, 0.006
"""Window in which strands are looked for; how often its colours must go up and down; what noise climbs per pixel."""
BEYOND_HW = 0.03
BLACK = 0.15
"""Square-root light below which colours are too dark to differ."""
STEP = 4
"""The local colours are learned on every fourth pixel."""


@dataclass(frozen=True)
class Evidence:
    """alpha f32[n] as colour tells it, and belief f32[n] 0..1, for the pixels asked.

    alike f32[n] is 1 where person and background are both black hereabouts: there even a solver sees nothing.
    """

    alpha: F32
    belief: F32
    alike: F32


def read(colour: F32, guess: F32, within: F32, without: F32, asked: NDArray[np.bool_], hw_px: float) -> Evidence:
    """Evidence at the pixels `asked` bool[h, w].

    colour f32[h, w, 3] scene-linear; guess f32[h, w]; within and without f32[h, w] are the distances in head-widths to the
    guess's border from inside and from outside.
    """
    # Learned in square-root light, where noise and texture are about as large in the dark as in the light.
    root = np.sqrt(np.maximum(colour, 0)).astype(np.float32)
    deep = ((within > PERSON_HW[0]) & (within < PERSON_HW[1])).astype(np.float32)
    far = ((without > ROOM_HW[0]) & (without < ROOM_HW[1]) & (guess < 0.05)).astype(np.float32)
    (person, person_var), (room, room_var) = both(
        lambda: hereabouts(root, deep, asked, PERSON_BLUR_HW * hw_px),
        lambda: hereabouts(root, far, asked, ROOM_BLUR_HW * hw_px),
    )

    # How far apart the two are, and how far the pixel lies off the line between them.
    x, spread = root[asked], (person_var + room_var).sum(1) + 2 * NOISE
    between = person - room
    apart = (between**2).sum(1)
    along = np.clip(((x - room) * between).sum(1) / np.maximum(apart, 1e-6), 0, 1)
    off = ((x - room - along[:, None] * between) ** 2).sum(1)
    belief = np.clip(apart / (APART * spread) - 1, 0, 1) * np.exp(-0.5 * off / spread)

    # Shaded skin before a grey wall lies between the two as well, but has no strands. Across a window, one outline climbs the
    # distance between the colours once; strands climb it again and again.
    side = max(2 * round(STRANDS_HW * hw_px / 2) + 1, 5)
    climb = cv2.blur(_climb(root), (side, side))[asked] * side
    often = climb / np.sqrt(np.maximum(apart, 1e-6))
    strands = np.clip((often - ONCE) / (SEVERAL - ONCE), 0, 1)
    beyond = np.clip(without[asked] / BEYOND_HW, 0, 1)  # outside the guess there is no skin to mistake
    belief *= np.maximum(strands, beyond)

    # Light mixes linearly, so alpha is read off in linear light.
    bright = person**2 - room**2
    alpha = ((colour[asked] - room**2) * bright).sum(1) / np.maximum((bright**2).sum(1), 1e-7)
    # Neither side is of one colour: the darker locks are no mixtures, and what lies within a side's spread is all that side's.
    slack = [_slack(side, var, bright) for side, var in ((person, person_var), (room, room_var))]
    alpha = (alpha - slack[1]) / np.maximum(1 - slack[0] - slack[1], 0.3)
    bright_most = np.maximum(person, room).max(1)
    alike = np.exp(-apart / spread - (bright_most / BLACK) ** 2)
    return Evidence(*(v.astype(np.float32) for v in (np.clip(alpha, 0, 1), belief, alike)))


def _slack(side: F32, var: F32, bright: F32) -> F32:
    """One standard deviation f32[n] of a side's colours along the way to the other, as a share of that way; at most a quarter."""
    along = bright / np.sqrt(np.maximum((bright**2).sum(1, keepdims=True), 1e-9))
    deviation = np.sqrt(((2 * side * along) ** 2 * var).sum(1) / np.maximum((bright**2).sum(1), 1e-7))
    return np.asarray(np.minimum(deviation, 0.25), np.float32)


def _climb(root: F32) -> F32:
    """How fast colour changes, per pixel f32[h, w], what noise does left aside."""
    across, down = cv2.Scharr(root, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(root, cv2.CV_32F, 0, 1, scale=1 / 32)
    return np.asarray(np.maximum(np.sqrt(added(across**2 + down**2)) - STILL, 0), np.float32)


def hereabouts(picture: F32, where: F32, asked: NDArray[np.bool_], sigma_px: float) -> tuple[F32, F32]:
    """Mean and variance f32[n, 3] of a picture f32[h, w, 3] among `where` f32[h, w], weighted by nearness, at the pixels asked."""
    h, w = where.shape
    sums = np.empty((-(-h // STEP), -(-w // STEP), 7), np.float32)
    _summed(np.asarray(picture, np.float32), np.asarray(where, np.float32), sums)
    # Where nothing is near, what is further off speaks.
    both = np.zeros(sums.shape, np.float64)
    for times, share in ((1.0, 1.0), (2.5, 1e-3), (8.0, 1e-6)):
        both += share * blur(sums, times * sigma_px / STEP)
    count = both[..., 6:] + 1e-15
    mean = both[..., :3] / count
    var = np.maximum(both[..., 3:6] / count - mean**2, 0)
    var = np.where(count > 1e-12, var, 1e3)  # learned from nothing: infinitely unsure
    rows, cols = np.nonzero(asked)
    back = np.empty((len(rows), 6), np.float32)
    _looked_up(np.concatenate([mean, var], 2).astype(np.float32), rows, cols, back)
    return back[:, :3], back[:, 3:]


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _summed(picture: Any, where: Any, sums: Any) -> None:
    """Of each cell of STEP x STEP pixels: sums of weighted colour, weighted squares and weight, over the cell's area."""
    h, w = where.shape
    for i in prange(sums.shape[0]):
        sums[i] = 0
        for y in range(i * STEP, min((i + 1) * STEP, h)):
            for x in range(w):
                k = where[y, x]
                if k > 0:
                    j = x // STEP
                    for c in range(3):
                        v = picture[y, x, c]
                        sums[i, j, c] += k * v
                        sums[i, j, 3 + c] += k * v * v
                    sums[i, j, 6] += k
        sums[i] /= STEP * STEP


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _looked_up(cells: Any, rows: Any, cols: Any, out: Any) -> None:
    """Values of the grid of cells between their centres, at the pixels (rows, cols)."""
    h, w, n = cells.shape
    for p in prange(len(rows)):
        y, x = (rows[p] + 0.5) / STEP - 0.5, (cols[p] + 0.5) / STEP - 0.5
        y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
        i, j = min(int(y), h - 2) if h > 1 else 0, min(int(x), w - 2) if w > 1 else 0
        t, u = np.float32(y - i), np.float32(x - j)
        below, beside = min(i + 1, h - 1), min(j + 1, w - 1)
        for c in range(n):
            top = cells[i, j, c] * (1 - u) + cells[i, beside, c] * u
            bottom = cells[below, j, c] * (1 - u) + cells[below, beside, c] * u
            out[p, c] = top * (1 - t) + bottom * t
