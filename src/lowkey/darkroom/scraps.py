"""Scraps round an ear: pieces of skin in hair, of hair in an ear, and a pale fringe along the jaw, none of which anybody wears.

A reader decides pixel by pixel, and where ear, hair and jaw meet before a bright room it decides to and fro: a fleck of ear in a mass of
hair, an ear's hollow that is hair, a blown-out edge of the cheek that is white hair. Under one hard lamp each of them is lit as what it is
not. What is too small to be an ear, a lock or a beard belongs to what lies round it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom.neck import spread
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

BROW, CHIN = 9, 152
BESIDE_HW = 0.45
"""How far beside the face's outline ears and what lies round them reach."""
SMALL_HW2 = 0.012
"""Area, squared head-widths, up to which a piece is a scrap: a lobe alone has .02."""
ENCLOSED = 0.60
"""Share of a piece's border along which lies what it belongs to."""
FRINGE_HW = 0.030
"""Half the width of a strip of hair along the jaw that is none."""
BLOWN = (0.15, 0.45)
"""Log luminance over the face's skin from which such a strip is an edge that old light burnt out, and surely is."""


def healed(plate: Plate) -> Plate:
    """The plate with the scraps beside the face given to what lies round them."""
    k, mesh = plate.hw_px, plate.landmarks
    h, w = plate.matte.shape
    oval = mesh[list(OVAL), :2]
    top, end = int(np.clip(mesh[BROW, 1] - 0.15 * k, 0, h)), int(np.clip(mesh[CHIN, 1] + 0.10 * k, 0, h))
    first, last = (int(np.clip(v, 0, w)) for v in (oval[:, 0].min() - BESIDE_HW * k, oval[:, 0].max() + BESIDE_HW * k))
    if end - top < 8 or last - first < 8:
        return plate
    box = np.s_[top:end, first:last]
    hair, skin, matte = (np.array(m[box]) for m in (plate.parts["hair"], plate.parts["skin"], plate.matte))
    tone = np.array(plate.albedo[box])
    inside = np.zeros(matte.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(oval - np.array([first, top], np.float32)).astype(np.int32)], 1)
    beside = cv2.erode(inside, np.ones((3, 3), np.uint8)) == 0

    to_hair = _scraps(skin > 0.5, hair > 0.5, k) * beside
    to_skin = _scraps(hair > 0.5, skin > 0.5, k) * beside
    fringe = np.zeros_like(hair)
    low = int(np.clip(0.3 * mesh[BROW, 1] + 0.7 * mesh[CHIN, 1] - top, 8, len(hair) - 8))
    there = np.s_[max(low - round(0.10 * k), 0) :]
    fringe[there] = _fringe(hair[there], skin[there], matte[there], tone[there], 0.10 * k, k) * beside[there]
    found = np.maximum(np.maximum(to_hair, to_skin), fringe)
    if found.max() <= 0:
        return plate
    # What is far from all of it is nobody's colour there.
    rows, columns = (np.flatnonzero((found > 0).any(axis)) for axis in (1, 0))
    m = round(0.12 * k)
    part = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    h, w = found[part].shape
    box = np.s_[top + part[0].start : top + part[0].start + h, first + part[1].start : first + part[1].start + w]
    to_hair, to_skin, fringe, hair, skin, matte = (np.ascontiguousarray(one[part]) for one in (to_hair, to_skin, fringe, hair, skin, matte))
    tone = np.ascontiguousarray(tone[part])
    to_hair, to_skin, fringe = (blur(np.asarray(m, np.float32), 1.0) for m in (to_hair, to_skin, fringe))
    of_hair = spread(tone, np.asarray(step(hair, 0.8, 0.99) * (1 - step(to_skin, 0.0, 0.3)), np.float32), k)
    of_skin = spread(tone, np.asarray(step(skin, 0.8, 0.99) * (1 - step(to_hair, 0.0, 0.3)), np.float32), k)
    # Hair's colour, but no darker than the piece was: the nearest hair may be a gap.
    of_hair = of_hair * np.maximum(luminance(tone) / np.maximum(luminance(of_hair), np.float32(1e-3)), 1)[..., None]
    tone += (of_hair - tone) * to_hair[..., None]
    # A hollow read as hair keeps its dark; what was burnt out takes the cheek's colour.
    tone += (of_skin - tone) * fringe[..., None]
    given = np.clip(to_skin + fringe, 0, 1)
    hair, skin = hair + to_hair * skin - given * hair, skin + given * hair - to_hair * skin
    # Half there, it is the room's.
    thin = fringe * (1 - step(matte, 0.6, 0.9))
    parts, whole, albedo = dict(plate.parts), np.array(plate.matte), np.array(plate.albedo)
    for name, part in (("hair", hair), ("skin", skin)):
        new = np.array(plate.parts[name])
        new[box] = part * (1 - thin)
        parts[name] = freeze(new)
    whole[box] = matte * (1 - thin)
    albedo[box] = tone
    ground = np.array(plate.parts["background"])
    ground[box] = np.maximum(ground[box], 1 - whole[box])
    parts["background"] = freeze(ground)
    return replace(plate, parts=parts, matte=freeze(whole), albedo=freeze(albedo))


def _scraps(piece: np.ndarray, of: np.ndarray, k: float) -> F32:
    """Small pieces bool[h, w] that lie mostly within `of` bool[h, w], as f32[h, w]."""
    _, names, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < SMALL_HW2 * k * k
    small[0] = False
    out = np.zeros(piece.shape, np.float32)
    if not small.any():
        return out
    wide = 2 * max(round(0.008 * k), 1) + 1
    for i in np.flatnonzero(small):
        x, y, width, height, area = stats[i]
        if area < 3:
            continue
        m = wide
        there = np.s_[max(y - m, 0) : y + height + m, max(x - m, 0) : x + width + m]
        mine = (names[there] == i).astype(np.uint8)
        ring = (cv2.dilate(mine, np.ones((wide, wide), np.uint8)) > 0) & (mine == 0)
        if ring.any() and of[there][ring].mean() > ENCLOSED:
            # The soft border goes with it.
            np.maximum(out[there], cv2.dilate(mine, np.ones((5, 5), np.uint8)).astype(np.float32), out=out[there])
    return out


def _fringe(hair: F32, skin: F32, matte: F32, tone: F32, from_row: float, k: float) -> F32:
    """Narrow strips of pale hair between the lower cheek and the room, f32[h, w], all of them from `from_row` on."""
    face = luminance(tone[skin > 0.9])
    rows = np.arange(len(hair), dtype=np.float32)[:, None]
    low = step(rows, 0.0, from_row)
    strip = (hair > 0.25 * np.maximum(matte, 0.1)) & (matte > 0.05)
    if face.size < 100 or not strip.any():
        return np.zeros_like(hair)
    side = 2 * round(FRINGE_HW * k) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    broad = cv2.morphologyEx(strip.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    near = step(blur(np.asarray(skin, np.float32), FRINGE_HW * k), 0.03, 0.15)
    pale = step(np.log(np.maximum(luminance(tone), np.float32(2e-3))) - np.float32(np.log(max(float(np.median(face)), 2e-3))), *BLOWN)
    return np.asarray((strip & ~broad) * near * low * blur(np.asarray(pale, np.float32), 0.01 * k), np.float32)
