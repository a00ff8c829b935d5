"""Fine texture of skin where a photo shows less of it than skin has: small, soft or smoothed photos of any person.

Beside wool and grain drawn sharp, a face without pores is wax. Only what is lacking is drawn: the spread of fine texture among
sharp photographs, less this photo's own. Its pattern is skin's: cells between shallow furrows, with pores in some of them (cells as
in Worley 1996, "A cellular texture basis function").
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom.knit import lattice, noise
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

USUAL = 0.021
"""Deviation of log luminance in BAND_HW on bare facial skin: what the softest portraits that are sharp there have (nine: .018 to .052)."""
LEAST = 0.004
"""Less than this is not drawn."""
BAND_HW = (0.002, 0.007)
"""The fine texture that is measured: what lies between these sigmas."""
CELLS = ((0.027, 0.7), (0.0135, 0.8), (0.0085, 0.5))
"""Distance (hw) and depth of marks, of pores and of the finest furrows: 4, 2 and 1.3 mm on a head 150 mm wide."""
GLITTER = 0.10
"""Log luminance by which a speck may outshine the skin round it: stubble and wet pores that glittered in the photo's own light go
on doing so in the albedo, where no lamp can put them out."""


def tempered(albedo: F32, plate: Plate) -> None:
    """Press bright specks on skin toward the skin round them, in the albedo f32[h, w, 3], in place; dark ones are the person's."""
    skin, box = _boxed(_bare(plate))
    if not skin.size:
        return
    log = np.log(np.maximum(luminance(albedo[box]), np.float32(2e-3)))
    over = np.maximum(log - blur(log, BAND_HW[1] * plate.hw_px), 0)
    albedo[box] *= np.exp(skin * (np.float32(GLITTER) * (1 - np.exp(-over / np.float32(GLITTER))) - over))[..., None]


def _bare(plate: Plate) -> F32:
    """Skin f32[h, w] without what grows or shines on it."""
    features = sum(plate.parts[name] for name in ("eyes", "teeth", "lips", "brows", "hair", "glasses"))
    return step(np.asarray(plate.parts["skin"] - features, np.float32), 0.6, 1.0)


def _boxed(skin: F32) -> tuple[F32, tuple[slice, slice]]:
    """What of skin f32[h, w] lies round its own pixels, and where that is: nothing of it where there is none."""
    rows, columns = (np.flatnonzero((skin > 0).any(axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else (slice(0), slice(0))
    return skin[box], box


def lacking(plate: Plate) -> float:
    """Deviation (of log luminance) of the fine texture that this photo's facial skin has less than skin: 0 where it is sharp."""
    k = plate.hw_px
    side = 2 * round(0.015 * k) + 1
    bare = cv2.erode(np.asarray(_bare(plate) * plate.inside, np.float32), np.ones((side, side), np.uint8))
    # Of the face alone: a hand or a shoulder lies out of focus.
    top, bottom = (int(np.clip(plate.landmarks[i, 1], 0, len(bare) - 1)) for i in (9, 152))
    log = np.log(np.maximum(luminance(plate.albedo[top : bottom + 1]), np.float32(2e-3)))
    band = (blur(log, BAND_HW[0] * k) - blur(log, BAND_HW[1] * k))[bare[top : bottom + 1] > 0.9]
    if band.size < 200:
        return 0.0
    own = float(np.median(np.abs(band))) / 0.6745
    return math.sqrt(max(USUAL**2 - own**2, 0.0))


def completed(albedo: F32, plate: Plate, hand: float) -> None:
    """Draw what is lacking on skin into the albedo f32[h, w, 3], in place; mirrored by `hand`."""
    amount = lacking(plate)
    if amount < LEAST:
        return
    k = plate.hw_px
    mine, box = _boxed(_bare(plate))
    if not mine.size:
        return
    y, x = (np.mgrid[box].astype(np.float32) - np.array(plate.landmarks[4, 1::-1], np.float32)[:, None, None]) / np.float32(k)
    x *= np.float32(hand)
    # The face's own slow bends keep the cells from lying in rows.
    x, y = x + np.float32(0.004) * noise(x * 31, y * 31, 71), y + np.float32(0.004) * noise(x * 31, y * 31, 72)
    relief = np.zeros_like(x)
    for stream, (size, deep) in enumerate(CELLS, 73):
        _cells(x / np.float32(size), y / np.float32(size), stream, deep, relief)
    fine = np.asarray(blur(relief, BAND_HW[0] * k) - blur(relief, 2 * BAND_HW[1] * k), np.float32)
    within = blur(fine, BAND_HW[0] * k) - blur(fine, BAND_HW[1] * k)
    spread = float(np.std(within[mine > 0.9])) if (mine > 0.9).any() else 0.0
    if spread < 1e-6:
        return
    # Coarser on some parts of a face than on others, and drawn without a beat.
    part = 1 + np.float32(0.4) * noise(x * 5, y * 5, 77)
    drawn = np.clip(fine / np.float32(spread), -4, 2) * part * np.float32(amount)
    albedo[box] *= np.exp(drawn * mine)[..., None]


@njit(cache=True, parallel=True)
def _cells(x: Any, y: Any, stream: int, share: float, relief: Any) -> None:
    """Add `share` of a cellular relief: plates of skin, furrows where two meet, a pit at every middle that has one."""
    h, w = x.shape
    for r in prange(h):
        for c in range(w):
            i, j = int(np.floor(x[r, c])), int(np.floor(y[r, c]))
            first, second, pit = 9.0, 9.0, 0.0
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    px = i + di + 0.1 + 0.8 * lattice(i + di, j + dj, stream)
                    py = j + dj + 0.1 + 0.8 * lattice(i + di, j + dj, stream + 100)
                    d2 = (px - x[r, c]) ** 2 + (py - y[r, c]) ** 2
                    deep = lattice(i + di, j + dj, stream + 200)
                    pit += deep**5 * np.exp(-d2 / 0.05)
                    if d2 < first:
                        first, second = d2, first
                    elif d2 < second:
                        second = d2
            furrow = np.exp(-(np.sqrt(second) - np.sqrt(first)) / 0.16)
            relief[r, c] -= share * (pit + 0.25 * furrow)
