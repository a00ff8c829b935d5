"""Acutance of a face's features: eyes and brows of an enlarged or soft photo, as crisp as those of photos that are in focus.

A print is looked at in the eyes. Beside hair, wool and grain drawn sharp, features that a small photo left soft are a mask. What is finer
than a lid's edge is brought up by as much as the photo lacks (unsharp masking as a printer did it, Adams 1983), never beyond the tones
round it: an edge gets steeper and no rim.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import teeth
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.meshes import EYES, IRISES
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

EDGES_HW = (0.008, 0.004)
"""Sigmas that part what is as fine as an edge from what is a feature's form, 2.6 and 1.3 px of a head 320 px wide: a photo enlarged three
times over has no edge as fine as the second, and is brought up from the first."""
CRISP, MOST = (0.84, 0.66), 1.55
"""Deviation of log luminance finer than each over the deviation up to three times as broad, round the eyes, from which a photo is crisp
(thirteen in focus .80 to 1.26 and .61 to .88; five soft or enlarged ones .56 to .80 and .41 to .57), and the most by which the finer is
multiplied."""
NOISE = 2.0
"""Times the deviation of what is as fine on bare skin under which nothing is an edge: an enlarged photo's noise, brought up with its edges,
stood on brow and lids as stipple."""
COHERENT = (0.20, 0.50)
"""Coherence of the structure tensor (Bigun & Granlund 1987) from which what is fine runs as a lash, a lid or a lip does, and surely runs:
noise runs nowhere, and there is more of it on a brow than on skin that was smoothed."""
SOFT, CLEANED, RUNNING = (1.02, 1.15), 0.7, 0.7
"""Multiple from which a photo is soft, and surely is; the share of what is under the noise that then goes from brows, lids and lips; the
share of the noise that what runs need not stand out of. A lens that draws no edge so fine has drawn no speck: beside smoothed skin they
were red grit."""
ROUNDED = 0.12
"""Share of an edge's sigma over which what is brought up is rounded."""
IRISED = 0.9
"""Share of it that irises are spared: what is seen in a small one is the old room."""
ROUND_HW, FEATHER_HW = 0.04, 0.02
"""How far round the features it is done, and over what it ends, sigma."""


def lacking(plate: Plate) -> tuple[float, ...]:
    """By what the edges round the eyes, of each size in EDGES_HW, are to be multiplied: 1 where the photo is crisp."""
    k, near = plate.hw_px, np.zeros(plate.matte.shape, np.uint8)
    for rim in EYES:
        cv2.fillConvexPoly(near, cv2.convexHull(np.round(plate.landmarks[list(rim), :2]).astype(np.int32)), 1)
    side = 2 * round(ROUND_HW * k) + 1
    asked = (cv2.dilate(near, np.ones((side, side), np.uint8)) > 0) & (plate.inside > 0.5) & (plate.parts["glasses"] < 0.1)
    rows, columns = np.flatnonzero(asked.any(1)), np.flatnonzero(asked.any(0))
    if int(asked.sum()) < 50:
        return (1.0,) * len(EDGES_HW)
    m = round(12 * max(EDGES_HW) * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    level = np.log(np.maximum(luminance(plate.albedo[box]), np.float32(4e-3)))

    def gain(sigma: float, crisp: float) -> float:
        even, broad = blur(level, sigma * k), blur(level, 3 * sigma * k)
        fine, form = (float((a - b)[asked[box]].std()) for a, b in ((level, even), (even, broad)))
        return float(np.clip(crisp * form / max(fine, 1e-4), 1.0, MOST))

    return tuple(gain(sigma, crisp) for sigma, crisp in zip(EDGES_HW, CRISP, strict=True))


def restored(albedo: F32, plate: Plate) -> None:
    """Bring the edges of eyes and brows to what a crisp photo has, in the albedo f32[h, w, 3], in place."""
    gains, k = lacking(plate), plate.hw_px
    if max(gains) < 1.02:
        return
    features = np.asarray(np.maximum.reduce([plate.parts[name] for name in ("eyes", "brows", "lips")]) * plate.inside, np.float32)
    rows, columns = np.flatnonzero((features > 0.3).any(1)), np.flatnonzero((features > 0.3).any(0))
    if len(rows) < 4 or len(columns) < 4:
        return
    m = round((ROUND_HW + 3 * FEATHER_HW) * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    side = 2 * round(ROUND_HW * k) + 1
    mine = blur(cv2.dilate(step(features[box], 0.2, 0.6), np.ones((side, side), np.uint8)), FEATHER_HW * k)
    mine = mine * np.clip(plate.parts["skin"][box] + features[box], 0, 1) * (1 - plate.parts["glasses"][box])
    # Teeth drawn sharp are pegs, lips a dotted line: their border is soft, and what is as fine on them is noise.
    mine = np.asarray(mine * (1 - teeth.opening(plate, box)), np.float32)
    skin = np.asarray(plate.parts["skin"][box] - features[box] - plate.parts["hair"][box] > 0.9)
    # On skin as it was photographed: what has been smoothed since tells nothing of the noise on a brow.
    shown = np.log(np.maximum(luminance(plate.albedo[box]), np.float32(4e-3)))
    noise = [_noise(shown, skin, sigma * k) for sigma in EDGES_HW]
    before = np.log(np.maximum(luminance(albedo[box]), np.float32(4e-3)))
    _clean(albedo[box], mine * np.float32(CLEANED) * step(np.asarray(max(gains), np.float32), *SOFT), noise[0], EDGES_HW[0] * k)
    mine = mine * (1 - _near_lips(plate, box))
    mine = mine * (1 - np.float32(IRISED) * _irises(plate, box))
    own = level = np.log(np.maximum(luminance(albedo[box]), np.float32(4e-3)))
    for sigma, gain, least in zip(EDGES_HW, gains, noise, strict=True):
        if gain < 1.02:
            continue
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(2 * sigma * k) + 1,) * 2)
        fine = level - blur(level, sigma * k)
        edge = _edges(level, fine, least, sigma * k)
        # Twice, for half of it would go beyond the tones round an edge, and may not.
        crisp = level + np.float32(2 * (gain - 1)) * fine * edge
        low, high = cv2.erode(level, around), cv2.dilate(level, around)
        # Nor beyond those of the photo: cleaned first, a lid's edge was carried a little past them.
        low, high = np.maximum(low, cv2.erode(before, around)), np.minimum(high, cv2.dilate(before, around))
        # Bounds of a few pixels end in corners: along a lid they are beads.
        more = blur(np.asarray(np.clip(crisp, low, high) - level, np.float32), ROUNDED * sigma * k)
        level = before = np.asarray(np.clip(level + more, low, high), np.float32)
    albedo[box] *= np.exp(mine * (level - own))[..., None]


def _noise(level: F32, skin: NDArray[np.bool_], sigma: float) -> float:
    """What of log luminance f32[h, w] finer than `sigma` px is no edge: NOISE times its deviation on bare `skin` bool[h, w]."""
    fine = level - blur(level, sigma)
    return NOISE * float(np.median(np.abs(fine[skin]))) / 0.6745 if skin.any() else 0.0


def _edges(level: F32, fine: F32, noise: float, sigma: float) -> F32:
    """Share f32[h, w] of what is `fine` f32[h, w] in a log luminance that stands out of the noise (Wiener) and runs."""
    return np.asarray(
        fine * fine / (fine * fine + np.float32(noise * noise + 1e-8)) * step(_coherence(level, sigma), *COHERENT), np.float32
    )


def _clean(tone: F32, where: F32, noise: float, sigma: float) -> None:
    """Take off colours f32[h, w, 3] what is finer than `sigma` px and no edge, by `where` f32[h, w], in place."""
    if float(where.max()) < 0.02:
        return
    grey = np.maximum(luminance(tone), np.float32(4e-3))
    level = np.log(grey)
    fine = level - blur(level, sigma)
    # What runs stands out of less noise.
    least = np.float32(noise) * (1 - np.float32(RUNNING) * step(_coherence(level, sigma), *COHERENT))
    speck = where * least * least / (fine * fine + least * least + np.float32(1e-8))
    colour = tone / grey[..., None]
    tone[:] = (colour + speck[..., None] * (blur(colour, sigma) - colour)) * (grey * np.exp(-speck * fine))[..., None]


def _coherence(level: F32, sigma: float) -> F32:
    """How far f32[h, w] runs one way round each place, 0 to 1, told over `sigma` px and twice that."""
    even = blur(level, 0.5 * sigma)
    dy, dx = np.gradient(even)
    xx, yy, xy = (blur(np.asarray(m, np.float32), 2 * sigma) for m in (dx * dx, dy * dy, dx * dy))
    return np.asarray(np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, np.float32(1e-8)), np.float32)


def _near_lips(plate: Plate, box: tuple[slice, slice]) -> F32:
    """The lips and their borders, f32 of `box`."""
    sigma = EDGES_HW[0] * plate.hw_px
    side = 2 * round(2 * sigma) + 1
    return blur(cv2.dilate(step(plate.parts["lips"][box], 0.1, 0.5), np.ones((side, side), np.uint8)), sigma)


def _irises(plate: Plate, box: tuple[slice, slice]) -> F32:
    """The discs of both irises, f32 of `box`."""
    out = np.zeros(plate.matte[box].shape, np.uint8)
    for iris in IRISES:
        middle = plate.landmarks[iris, :2]
        radius = float(np.linalg.norm(plate.landmarks[iris + 1 : iris + 5, :2] - middle, axis=1).mean())
        x, y = (round(float(m - part.start) * 16) for m, part in zip(middle, (box[1], box[0]), strict=True))
        cv2.circle(out, (x, y), round(1.02 * radius * 16), 255, -1, cv2.LINE_AA, 4)
    return np.asarray(out.astype(np.float32) / 255, np.float32)
