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

from lowkey.darkroom import teeth
from lowkey.darkroom.knit import Field, lattice, noise
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

USUAL = 0.022
"""Deviation of log luminance in BAND_HW on bare facial skin: near the least of nine portraits that are sharp there (.018 to .052),
since what is drawn is felt before what a photo shows: at .030 six of eight blind pairs were lost to .017, "stipple"."""
LEAST = 0.004
"""Less than this is not drawn."""
BAND_HW = (0.002, 0.007)
"""The fine texture that is measured: what lies between these sigmas."""
CELLS = ((0.018, 0.20), (0.0095, 0.75), (0.0062, 0.85))
"""Distance (hw) and depth of marks, of pores and of the finest furrows: 2.7, 1.4 and .9 mm on a head 150 mm wide. At 3.6, 1.9 and 1.2 the
furrows of a face of 330 px stood 4 px apart and read as worms in a coarse grain."""
MOTTLES_HW, MOTTLES = 0.020, 0.008
"""Distance of the mottles of blood and melanin under the pores, 3 mm, and their deviation of log luminance where a photo shows no texture
at all: sharp faces hold as much between .007 and .013 hw (.023) as in their pores; but drawn at .016 it was felt, and no one's skin."""
GLITTER = 0.10
"""Log luminance by which a speck may outshine the skin round it: stubble and wet pores that glittered in the photo's own light go
on doing so in the albedo, where no lamp can put them out."""
BANDS_HW = (0.0033, 0.0066, 0.0132)
"""Sigmas that part the fine texture of skin: 1, 2 and 4 px of a head 300 px wide."""
AIMS, FIRM = (0.036, 0.022, 0.022), (0.95, 0.6, 0.15)
"""Deviation of log luminance in each of these bands from which a photo is over-sharpened or noisy, and how much of what it has more is
taken: wrinkles begin in the last."""
SPECKS = 4.0
"""Times a band's aim that a single speck can reach in a photo that is nothing but too sharp, and over one less the gain in others."""
EVEN_NOISE, LOUD = (0.76, 0.83), (0.030, 0.045)
"""How even the finest band is over a face (its least tenth over its median) from which it is a camera's noise, and surely; and its
deviation from which that is seen. Skin is rougher on nose and cheek than on forehead and temple: eleven portraits .39 to .74, a smooth
one .79 (of a deviation of .024), two taken at a high speed .84 and .86."""
NOISE_HW = 0.025
"""Over what such a band's deviation is told from place to place, sigma."""
QUIETED = (0.7, 0.4, 0.0)
"""Share of each of these bands that goes where it is noise; what it leaves lacking is drawn as skin's own. A lamp that grazes noise
prints it as pepper."""
GRAIN_HW, GRAINED = 0.008, 0.7
"""Sigma of the form of skin without its grain, and the share of the grain that goes where a hard lamp drew it."""
NEAR_HW = 0.024
"""As near as this to lids, lashes and brows nothing is tempered."""
BRIGHTER, DARKER, WHITE = 0.05, 0.12, (0.25, 0.45)
"""Log luminance by which skin beside a brow may outshine the skin round it, by how much under what lies hereabouts it is a dark hair, and
from how much more it is a white one, and surely: a photo sharpened too much has a rim of light round every hair there, and another lamp lit
it as a relief."""
COLOUR_HW, MOTTLE = 0.010, 0.016
"""Finer than this the colour of skin holds noise and chroma subsampling, and its most deviation in log of red and of blue over green."""
IN_SHADE, DARK = 0.55, (0.05, 0.28)
"""How much more of its texture shaded skin gets than the light leaves it, and where shade begins and is whole, over the lit skin."""


def tempered(albedo: F32, plate: Plate) -> None:
    """Bring what is too sharp or too noisy on skin to what skin has, in the albedo f32[h, w, 3], in place.

    Bright specks are pressed toward the skin round them, then every band of the fine texture to its aim, and the colour's noise.
    """
    skin, box = _boxed(_bare(plate))
    if not skin.size:
        return
    k, tone = plate.hw_px, albedo[box]
    wide = 2 * round(NEAR_HW * k) + 1
    near_eyes, near_brows = (
        blur(cv2.dilate(plate.parts[name][box], np.ones((wide, wide), np.uint8)), 0.5 * NEAR_HW * k) for name in ("eyes", "brows")
    )
    _dulled(tone, np.asarray(skin * (1 - near_eyes), np.float32), near_brows, k)
    skin = np.asarray(skin * (1 - np.maximum(near_eyes, near_brows)), np.float32)
    face = _inner(plate)[box] * skin > 0.9
    known = int(face.sum()) >= 200
    # Beyond its outline skin goes on as it ends there: a blur that looked over it would draw a line along it.
    log = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    over = np.maximum(log - _within(log, skin, BAND_HW[1] * k), 0)
    noise_share = noisy(plate)
    change = np.float32(GLITTER) * (1 - np.exp(-over / np.float32(GLITTER))) - over
    left = log + change
    for sigma, aim, firm, quieted in zip(BANDS_HW, AIMS, FIRM, QUIETED, strict=True):
        broad = _within(left, skin, sigma * k)
        fine, left = left - broad, broad
        gain = min((aim / max(_deviation(fine[face]), 1e-4)) ** firm, 1.0) if known else 1.0
        change += _pressed(fine, gain * (1 - quieted * noise_share), aim) - fine
    log_green = np.log(np.maximum(tone[..., 1], np.float32(2e-3)))
    for channel in (0, 2):
        ratio = np.log(np.maximum(tone[..., channel], np.float32(2e-3))) - log_green
        noise = ratio - _within(ratio, skin, COLOUR_HW * k)
        gain = min(MOTTLE / max(_deviation(noise[face]), 1e-4), 1.0) if known else 1.0
        tone[..., channel] *= np.exp(skin * (_pressed(noise, gain, MOTTLE) - noise))
    # What colour lost or won in luminance is given back.
    change += log - np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    tone *= np.exp(skin * change)[..., None]


def _dulled(tone: F32, skin: F32, near: F32, k: float) -> None:
    """Press the bright rims of hairs on `skin` f32[h, w] that is `near` f32[h, w] to a brow, in colours f32[h, w, 3], in place."""
    rows, columns = np.flatnonzero((near > 0.02).any(1)), np.flatnonzero((near > 0.02).any(0))
    if not len(rows):
        return
    m = round(3 * NEAR_HW * k)
    there = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1, max(columns[0] - m, 0) : columns[-1] + m + 1]
    part, mine = tone[there], np.ascontiguousarray(skin[there])
    log = np.log(np.maximum(luminance(part), np.float32(2e-3)))
    # Among hairs the mean is no skin's: each of them is left out of it.
    bare = np.asarray(mine * step(log - _within(log, mine, NEAR_HW * k), -DARKER, 0.0), np.float32)
    over = np.maximum(log - _within(log, bare, NEAR_HW * k), 0)
    change = np.float32(BRIGHTER) * (1 - np.exp(-over / np.float32(BRIGHTER))) - over
    part *= np.exp(mine * near[there] * (1 - step(over, *WHITE)) * change)[..., None]


def levelled(normal: F32, plate: Plate) -> None:
    """Lower the grain of skin in normals f32[h, w, 3], in place, where a hard lamp drew it: its glints are no heights."""
    skin, box = _boxed(_bare(plate))
    much = np.float32(GRAINED * excess(plate))
    if much == 0 or not skin.size:
        return
    tilted = normal[box]
    mixed = tilted + (much * skin)[..., None] * (blur(np.ascontiguousarray(tilted), GRAIN_HW * plate.hw_px) - tilted)
    normal[box] = mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), np.float32(1e-6))


def _pressed(fine: F32, gain: float, aim: float) -> F32:
    """A band f32[h, w] by `gain`, its single specks held the harder the less is kept: at 1 nothing changes."""
    kept = np.float32(gain) * fine
    return np.asarray(kept / np.sqrt(1 + (kept * np.float32((1 - gain) / (SPECKS * aim))) ** 2), np.float32)


def _within(value: F32, skin: F32, sigma: float) -> F32:
    """Gaussian blur of f32[h, w] among skin only; where there is none, the value."""
    sure = skin + np.float32(1e-4)
    return np.asarray(blur(value * sure, sigma) / np.maximum(blur(sure, sigma), np.float32(1e-6)), np.float32)


def deepened(person: F32, skin: F32, hw_px: float) -> F32:
    """The factor f32[h, w, 1] that keeps pores in the shade of the lit skin f32[h, w] of a person f32[h, w, 3].

    A print's toe presses there what a lens and an eye still see: texture is brought up as a printer's mask does it (Adams 1983).
    """
    rows, columns = (np.flatnonzero((skin > 0.1).any(axis)) for axis in (1, 0))
    factor = np.ones((*skin.shape, 1), np.float32)
    if len(rows) < 8 or len(columns) < 8:
        return factor
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    light, mine = luminance(person[box]), skin[box]
    level = float(np.percentile(light[mine > 0.5], 85)) if (mine > 0.5).any() else 0.0
    if level <= 0:
        return factor
    log = np.log(np.maximum(light, np.float32(1e-4 * level)))
    broad = blur(log, BANDS_HW[-1] * hw_px)
    dark = 1 - step(np.exp(broad) / np.float32(level), *DARK)
    fine = np.asarray((log - broad) / (1 + np.abs(log - broad) / np.float32(0.25)), np.float32)
    factor[box] = np.exp(np.float32(IN_SHADE) * fine * dark * mine)[..., None]
    return factor


def _deviation(band: F32) -> float:
    """Robust standard deviation: wrinkles and hairs hardly count."""
    return float(np.median(np.abs(band))) / 0.6745


def _inner(plate: Plate) -> F32:
    """Bare skin f32[h, w] of the face alone, without its borders: a hand or a shoulder lies out of focus."""
    side = 2 * round(0.015 * plate.hw_px) + 1
    out = np.zeros_like(plate.matte)
    top, bottom = (int(np.clip(plate.landmarks[i, 1], 0, len(out) - 1)) for i in (9, 152))
    rows = slice(max(top - side, 0), bottom + 1 + side)
    bare = cv2.erode(np.asarray(_bare(plate, rows) * plate.inside[rows], np.float32), np.ones((side, side), np.uint8))
    out[top : bottom + 1] = bare[top - rows.start :][: bottom + 1 - top]
    return out


def _bare(plate: Plate, rows: slice = np.s_[:]) -> F32:
    """Skin f32[h, w] of these rows, without what grows or shines on it, nor what lies between the lips."""
    features = sum(plate.parts[name][rows] for name in ("eyes", "lips", "brows", "hair", "glasses"))
    features = features + np.maximum(plate.parts["teeth"][rows], teeth.between(plate)[rows])
    return step(np.asarray(plate.parts["skin"][rows] - features, np.float32), 0.6, 1.0)


def _boxed(skin: F32) -> tuple[F32, tuple[slice, slice]]:
    """What of skin f32[h, w] lies round its own pixels, and where that is: nothing of it where there is none."""
    rows, columns = (np.flatnonzero((skin > 0).any(axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else (slice(0), slice(0))
    return skin[box], box


def lacking(plate: Plate) -> float:
    """Deviation (of log luminance) of the fine texture that this photo's facial skin has less than skin: 0 where it is sharp."""
    own = _texture(plate)
    return 0.0 if own is None else math.sqrt(max(USUAL**2 - ((1 - QUIETED[0] * noisy(plate)) * own) ** 2, 0.0))


def noisy(plate: Plate) -> float:
    """How surely the fine texture of this photo's facial skin is a camera's noise, 0 to 1: as strong in one place as in another."""
    k, face = plate.hw_px, _inner(plate) > 0.9
    rows = np.flatnonzero(face.any(1))
    if int(face.sum()) < 200:
        return 0.0
    part = np.s_[rows[0] : rows[-1] + 1]
    log, here = np.log(np.maximum(luminance(plate.albedo[part]), np.float32(2e-3))), face[part]
    fine, mass = log - blur(log, BANDS_HW[0] * k), here.astype(np.float32)
    loud = float(np.interp(_deviation(fine[here]), LOUD, (0.0, 1.0)))
    if not loud:
        return 0.0
    local = (blur(np.abs(fine) * mass, NOISE_HW * k) / np.maximum(blur(mass, NOISE_HW * k), np.float32(1e-3)))[here]
    even = float(np.quantile(local, 0.1)) / max(float(np.median(local)), 1e-6)
    return float(np.interp(even, EVEN_NOISE, (0.0, 1.0))) * loud


def excess(plate: Plate) -> float:
    """Share, 0 to 1, of what a hard lamp drew on this photo's facial skin that is to go: 0 where it is no rougher than skin is."""
    own = _texture(plate)
    return 0.0 if own is None or not plate.found_light.hard else min(max(own / USUAL - 1, 0.0), 1.0)


def _texture(plate: Plate) -> float | None:
    """Deviation (of log luminance) of the fine texture on the face's bare skin; None where too little of it is seen."""
    k, face = plate.hw_px, _inner(plate) > 0.9
    rows = np.flatnonzero(face.any(1))
    if int(face.sum()) < 200:
        return None
    part = np.s_[rows[0] : rows[-1] + 1]
    log = np.log(np.maximum(luminance(plate.albedo[part]), np.float32(2e-3)))
    return _deviation((blur(log, BAND_HW[0] * k) - blur(log, BAND_HW[1] * k))[face[part]])


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
    drawn = textured(x * np.float32(hand), y, mine > 0.9, k) * np.float32(amount)
    broad = noise(x * np.float32(hand / MOTTLES_HW), y / np.float32(MOTTLES_HW), 78)
    broad = broad - blur(broad, MOTTLES_HW * k)
    drawn += np.float32(MOTTLES * amount / USUAL / max(float(np.std(broad[mine > 0.9])), 1e-6)) * broad
    albedo[box] *= np.exp(drawn * mine)[..., None]


def textured(x: F32, y: F32, where: Field, k: float) -> F32:
    """Pores, plates and furrows f32[h, w] of deviation about 1 `where` bool[h, w]; x, y f32[h, w] are hw, `k` is plate pixels to one."""
    # The face's own slow bends keep the cells from lying in rows.
    x, y = x + np.float32(0.004) * noise(x * 31, y * 31, 71), y + np.float32(0.004) * noise(x * 31, y * 31, 72)
    relief = np.zeros_like(x)
    for stream, (size, deep) in enumerate(CELLS, 73):
        _cells(x / np.float32(size), y / np.float32(size), stream, deep, relief)
    fine = np.asarray(blur(relief, BAND_HW[0] * k) - blur(relief, 2 * BAND_HW[1] * k), np.float32)
    within = blur(fine, BAND_HW[0] * k) - blur(fine, BAND_HW[1] * k)
    spread = float(np.std(within[where])) if where.any() else 0.0
    if spread < 1e-6:
        return np.zeros_like(x)
    # Coarser on some parts than on others, and drawn without a beat.
    return np.asarray(np.clip(fine / np.float32(spread), -2.5, 2) * (1 + np.float32(0.4) * noise(x * 5, y * 5, 77)), np.float32)


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
