"""Lines that old light drew into folds of skin, and specks that it set on them, taken back: under another lamp they are ink and grit.

Delighting divides by the broad form and cannot reach what is as narrow as a fold. Beside a nose's wing, where skin turns in on itself, a
photo holds a dark line whatever its light; a lamp that shines right into the fold lights it, and the line stays as if drawn. A person's
own lines stay: they are who someone is, and the mesh has hardly a fold that could shade anew. A line is made a little weaker, most of all
round nose and mouth, and softer; what goes is the shadow that a lamp threw there, told from a fold by its colour.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import pores
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step

LINE_HW = 0.034
"""Width under which what is darker than the skin on both sides is a line."""
LIFTED, ELSEWHERE = 0.15, 0.05
"""Share of a line's depth (log luminance) that goes round the nose and between it and the mouth, and on other skin. At .65 and .30 a
laugh had no fold to laugh with and sixty years no lines: fourteen pairs seen blind went 10 to 2 to the faces that kept theirs."""
DEEPEST, HARDER, SOFT_HW = (0.55, 0.60), 0.15, 0.003
"""Most depth (log luminance) that a line keeps there and elsewhere, what more goes of lines elsewhere that a hard lamp drew, and how softly
what is left of one lies on the skin, sigma. A fold is a valley with round shores; two pixels of black are ink, whoever's they were."""
SMILES_HW, FOLD_HW = 0.06, 0.0045
"""How far beyond the way past the corners of the mouth a smile's own fold lies, and how softly what is left of it lies on the skin, sigma.
A fold is as broad as a finger's edge: with its soft shade taken off and its narrow core left, it was a jagged line of ink."""
INKED = (1.2, 1.8)
"""Depth of a line over the most that it keeps from which it is a fold with a black core, and surely is."""
SPOT_HW, SPOT, APART = 0.010, 0.16, (0.06, 0.14)
"""Width under which what is darker than the skin all round it is a spot; the most depth (log luminance) one keeps that stands alone; and
the share of the skin round it (within three spots' widths) that others cover, from which it is stubble, and surely is. Moles are broader,
and stay."""
DEEP, RUNS = (0.04, 0.10), (0.30, 0.60)
"""Depth from which a line is no pore, and is none; coherence of its direction from which it is no mole, freckle or stubble, and is none."""
ALONG_HW = 0.012
"""How far a line runs in one direction, sigma."""
SPECK_HW, SPECKS, CRACKS = 0.014, 0.7, 0.45
"""Width under which what is brighter than the skin round it is a speck that hard light set on a pore's rim or a bristle, and what is darker
a crack that it drew, and the shares of them that go; soft light sets none."""
MOTTLES_HW, MOTTLED, MARKED = (0.0055, 0.020), 0.5, 0.14
"""Sigmas between which what specks and cracks leave behind lies, and the share of it that goes: blots of one size all over a cheek, without
the pores that had been in them, are leather. What is deeper than the last (log luminance) is a person's own mark."""
MOLE_HW = 0.05
"""Width up to which what is dark is a person's own mark and no shadow."""
BROAD_HW, BROAD, CAST, HUED = 0.15, (0.10, 0.55), 0.80, 0.9
"""Width under which what is darker than the skin on both sides of it, round nose and mouth, is a fold's shade, or the shadow a lamp cast
beside or under a nose; the share of a shade's depth that goes, of a soft light and of a hard one, that of a shadow's, and of its hue:
delighting, which knows one light, takes it for skin with an edge like a cut."""
COOLER = (0.03, 0.10)
"""Log blue over red, above the skin round it, from which the dark is no fold's and is surely cast: light that goes from wall to wall of
a fold comes out redder than it went in (Langer 1999, "When shadows become interreflections"), what lies in another's shadow has the
colour of the sky or the walls."""
FOLDS = (6, 126, 355, 50, 280, 205, 425, 57, 287, 164, 212, 432)
"""Mesh points round the nose, its folds and the way from there past the corners of the mouth to the chin."""
SPARED_HW, LIP_HW = 0.045, 0.015
"""How far round eyes, brows and lips nothing is taken for a line of skin; and round lips nothing for a smile's fold, which may run past
their corners at a third of that: of one fold half was eased, and half was ink."""
NOSTRILS, NOSTRIL_HW = ((98, 240, 75, 60, 20, 242, 97), (327, 460, 305, 290, 250, 462, 326)), 0.022
"""Mesh points round each nostril, and how far round it its shade may lie."""


def face_box(plate: Plate) -> tuple[slice, slice]:
    """Rows and columns of the plate that the face's mesh spans."""
    h, w = plate.matte.shape
    (x0, y0), (x1, y1) = plate.landmarks[:468, :2].min(0), plate.landmarks[:468, :2].max(0)
    return slice(max(int(y0), 0), min(int(y1) + 1, h)), slice(max(int(x0), 0), min(int(x1) + 1, w))


def _bare_box(plate: Plate) -> tuple[slice, slice]:
    """`face_box` and what of a forehead or a scalp lies above it: skin goes on where a mesh ends, and so do its lines."""
    rows, columns = face_box(plate)
    above = np.flatnonzero((plate.parts["skin"] * plate.inside)[: rows.start, columns].max(1, initial=0) > 0.5)
    return slice(int(above[0]) if len(above) else rows.start, rows.stop), columns


def smooth(albedo: F32, plate: Plate) -> F32:
    """Weaken old lines and specks on the face's skin of `albedo` f32[h, w, 3], in place; returns the log luminance f32[h, w] added."""
    added = np.zeros(plate.matte.shape, np.float32)
    k, rough = plate.hw_px, np.float32(pores.excess(plate))
    # Lines above the mesh are few, and soft light's are left; what hard light drew ends in leather where it is not taken to the hair.
    box = _bare_box(plate) if rough > 0 else face_box(plate)
    skin = np.ascontiguousarray((plate.parts["skin"] * plate.inside)[box])
    if skin.size == 0 or float((skin > 0.9).sum()) < 0.05 * k * k:
        return added
    spared = np.asarray(
        np.maximum.reduce([plate.parts[name][box] for name in ("eyes", "brows", "lips", "teeth", "glasses", "hair")]), np.float32
    )
    clear = np.asarray(skin * (1 - step(spared, 0.1, 0.5)), np.float32)
    tone = albedo[box]
    level = np.log(np.maximum(luminance(tone), np.float32(4e-3)))
    # Beyond skin lies skin as well, as far as a line is concerned: a lip or a lock is no shore of one.
    whole = np.asarray(level + (1 - step(clear, 0.4, 0.8)) * (among(level, clear + np.float32(1e-4), 0.02 * k) - level), np.float32)
    depth = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, _disc(LINE_HW * k), borderType=cv2.BORDER_REPLICATE) - whole
    # A line's own middle has no direction; it lies between shores that have one.
    runs = cv2.dilate(step(_coherence(whole, ALONG_HW * k), *RUNS), _disc(0.5 * ALONG_HW * k))
    lines = depth * step(depth, *DEEP) * runs
    folds = np.zeros(skin.shape, np.uint8)
    hull = cv2.convexHull(np.round(plate.landmarks[list(FOLDS), :2] - np.array([box[1].start, box[0].start])).astype(np.int32))
    here = blur(cv2.fillConvexPoly(folds, hull, 1).astype(np.float32), 0.04 * k)
    smile = blur(cv2.dilate(cv2.fillConvexPoly(folds, hull, 1), _disc(2 * SMILES_HW * k)).astype(np.float32), 0.02 * k)
    usual = ELSEWHERE + HARDER * plate.found_light.hard
    share, most = usual + (LIFTED - usual) * here, DEEPEST[1] + (DEEPEST[0] - DEEPEST[1]) * here
    left = most * (1 - np.exp(-(1 - share) * lines / most))
    taken, left = np.asarray(lines - left, np.float32), np.asarray(left, np.float32)
    soft = blur(taken, 0.003 * k)
    # A fold's core goes with its shores: what is left is the whole fold, softer. What is no deeper than a wrinkle stays as fine as it is.
    inked = cv2.dilate(step(np.asarray(clear * lines / most, np.float32), *INKED), _disc(LINE_HW * k))
    smile = np.asarray(smile * blur(inked, 0.3 * LINE_HW * k), np.float32)
    change = soft + smile * np.maximum(taken - soft, 0) + left - blur(left, SOFT_HW * k)
    change += smile * (blur(left, SOFT_HW * k) - blur(left, FOLD_HW * k))
    on = _borders_spared(plate, box, clear, smile)
    # However black its middle is, what is left is no ink.
    change = np.maximum(change, np.minimum(lines, depth - left) * step(depth - change - np.float32(1.2) * most, 0.0, 0.1))
    change += _spots(whole, clear, k) * (1 - runs)
    change = np.asarray(np.minimum(on * change, np.maximum(depth, 0)), np.float32)
    tint = tone / np.exp(level)[..., None]
    # A fold is redder as well, by light that went from wall to wall.
    redder = np.asarray(np.clip(change / 0.25, 0, 1), np.float32)[..., None]
    beside = among(np.asarray(tint, np.float32), clear + np.float32(1e-4), LINE_HW * k)
    tint += np.maximum(np.float32(LIFTED), np.float32(HUED) * smile)[..., None] * redder * (beside - tint)
    cool = np.log(np.maximum(tint[..., 2], np.float32(1e-2)) / np.maximum(tint[..., 0], np.float32(1e-2)))
    cool = cool - among(np.asarray(cool, np.float32), clear + np.float32(1e-4), BROAD_HW * k)
    thrown = step(blur(np.asarray(cool * clear, np.float32), 0.012 * k), *COOLER)
    least = np.float32(BROAD[plate.found_light.hard])
    cast = _cast(whole, change, np.asarray(on * here * (least + (np.float32(CAST) - least) * thrown), np.float32), k)
    change += cast
    # Its shade was lit by the fold's other wall alone, and is as red as flesh seen through flesh: it has the hue of what lies round it.
    shaded = blur(np.asarray(np.clip(change / 0.20, 0, 1) * (cast > 0), np.float32), 0.006 * k)
    around = among(np.asarray(tint, np.float32), np.asarray(clear * (1 - shaded) + np.float32(1e-4), np.float32), 0.05 * k)
    tint += (np.float32(HUED) * shaded)[..., None] * (around - tint)
    if rough > 0:
        bright = whole - cv2.morphologyEx(whole, cv2.MORPH_OPEN, _disc(SPECK_HW * k), borderType=cv2.BORDER_REPLICATE)
        dark = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, _disc(SPECK_HW * k), borderType=cv2.BORDER_REPLICATE) - whole
        change += rough * on * (np.maximum(np.float32(CRACKS) * dark - change, 0) - np.float32(SPECKS) * bright)
        # What is left of a line between skin that has been smoothed is a pen's: it is spread as the fold that it was.
        now = np.asarray(whole + change, np.float32)
        change -= rough * on * (1 - runs) * _mottles(now, clear, k)
        thin = cv2.morphologyEx(now, cv2.MORPH_CLOSE, _disc(SPECK_HW * k), borderType=cv2.BORDER_REPLICATE) - now
        change += rough * on * runs * (thin - blur(np.asarray(thin, np.float32), SOFT_HW * k))
        grey = level - cv2.morphologyEx(level, cv2.MORPH_OPEN, _disc(SPECK_HW * k), borderType=cv2.BORDER_REPLICATE)
        change -= rough * np.float32(SPECKS) * np.asarray(_bristled(plate, box) * (1 - on), np.float32) * grey
    tone[...] = tint * np.exp(level + change)[..., None]
    added[box] = change
    return added


def _borders_spared(plate: Plate, box: tuple[slice, slice], clear: F32, smile: F32) -> F32:
    """Where lines are lines of skin, f32 of `box`: on `clear` skin, no feature, no nostril; a `smile`'s fold f32 runs past lips."""
    k, parts = plate.hw_px, plate.parts

    def round_(marked: F32, reach_hw: float) -> F32:
        return blur(cv2.dilate(step(marked, 0.1, 0.5), _disc(2 * reach_hw * k)), 0.01 * k)

    mouth = np.asarray(np.maximum(parts["lips"][box], parts["teeth"][box]), np.float32)
    other = np.asarray(np.maximum.reduce([parts[name][box] for name in ("eyes", "brows", "glasses", "hair")]), np.float32)
    lips = np.maximum(round_(mouth, LIP_HW), round_(mouth, SPARED_HW) * (1 - smile))
    on = np.asarray(clear * (1 - np.maximum(lips, round_(other, SPARED_HW))), np.float32)
    for ring in NOSTRILS:
        pit = cv2.convexHull(np.round(plate.landmarks[list(ring), :2] - np.array([box[1].start, box[0].start])).astype(np.int32))
        hole = cv2.dilate(cv2.fillConvexPoly(np.zeros(clear.shape, np.uint8), pit, 1), _disc(2 * NOSTRIL_HW * k))
        on = np.asarray(on * (1 - blur(hole.astype(np.float32), 0.006 * k)), np.float32)
    return on


def _bristled(plate: Plate, box: tuple[slice, slice]) -> F32:
    """Skin f32 of `box` under the nose on which a beard may grow, up to the lips: bristles glitter in hard light as pores do."""
    lips = np.asarray(np.maximum(plate.parts["lips"][box], plate.parts["teeth"][box]), np.float32)
    below = step((np.arange(box[0].start, box[0].stop, dtype=np.float32) - plate.landmarks[2, 1]) / np.float32(plate.hw_px), 0.0, 0.03)
    near = cv2.dilate(step(lips, 0.1, 0.5), _disc(0.01 * plate.hw_px))
    grown = np.maximum(plate.parts["skin"], plate.parts["hair"])[box] * plate.inside[box]
    return np.asarray(grown * (1 - near) * below[:, None], np.float32)


def _cast(level: F32, change: F32, on: F32, k: float) -> F32:
    """What is to be added f32[h, w] to log luminance `level` and `change`, where `on`, so that no broad shadow of an old lamp is left."""
    now = np.asarray(level + change, np.float32)
    closed = cv2.morphologyEx(now, cv2.MORPH_CLOSE, _disc(BROAD_HW * k), borderType=cv2.BORDER_REPLICATE)
    lack = np.maximum(closed - now, 0)
    # What is as fine as stubble and pores is no shadow, nor is what is as narrow as a mole: it stays on the skin that comes up.
    broad = blur(cv2.morphologyEx(np.asarray(lack, np.float32), cv2.MORPH_OPEN, _disc(MOLE_HW * k)), 0.008 * k)
    return np.asarray(on * np.minimum(lack, broad), np.float32)


def _mottles(level: F32, clear: F32, k: float) -> F32:
    """What of log luminance `level` f32[h, w] is to go from clear skin f32[h, w] so that it is even between pores and marks."""
    fine, broad = (among(level, clear + np.float32(1e-4), sigma * k) for sigma in MOTTLES_HW)
    mottle = np.asarray(fine - broad, np.float32)
    return np.asarray(np.float32(MOTTLED) * mottle * np.exp(-np.square(mottle / np.float32(MARKED))), np.float32)


def _spots(level: F32, clear: F32, k: float) -> F32:
    """Depth f32[h, w] to take off dark spots of log luminance `level` f32[h, w] that stand alone on clear skin."""
    depth = cv2.morphologyEx(level, cv2.MORPH_CLOSE, _disc(SPOT_HW * k), borderType=cv2.BORDER_REPLICATE) - level
    many = blur(np.asarray(step(depth, 0.08, 0.16) * clear, np.float32), 1.5 * SPOT_HW * k)
    alone = 1 - step(many, *APART)
    return np.asarray(alone * np.maximum(depth - np.float32(SPOT) * (1 - np.exp(-depth / np.float32(SPOT))), 0), np.float32)


def _disc(width_px: float) -> NDArray[np.uint8]:
    """A disc of so many pixels' width, an odd number of them."""
    side = 2 * max(round(width_px / 2), 1) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _coherence(level: F32, sigma: float) -> F32:
    """How much f32[h, w] runs in one direction within `sigma` px, 0 to 1: eigenvalues of the structure tensor, difference over sum."""
    fine = blur(level, 0.15 * sigma)
    gx, gy = cv2.Scharr(fine, cv2.CV_32F, 1, 0), cv2.Scharr(fine, cv2.CV_32F, 0, 1)
    xx, yy, xy = (blur(np.asarray(a, np.float32), sigma) for a in (gx * gx, gy * gy, gx * gy))
    return np.asarray(np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / np.maximum(xx + yy, np.float32(1e-6)), np.float32)
