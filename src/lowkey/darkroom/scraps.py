"""Scraps round an ear: pieces of skin in hair, of hair in an ear, and a pale fringe along the jaw, none of which anybody wears.

A reader decides pixel by pixel, and where ear, hair and jaw meet before a bright room it decides to and fro: a fleck of ear in a mass of
hair, an ear's hollow that is hair, a blown-out edge of the cheek that is white hair. Under one hard lamp each of them is lit as what it is
not. What is too small to be an ear, a lock or a beard belongs to what lies round it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import spread
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OUTER_CORNERS, OVAL
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

BROW, CHIN, NOSE, NOSE_BASE = 9, 152, 4, 2
BESIDE_HW = 0.45
"""How far beside the face's outline ears and what lies round them reach."""
SMALL_HW2 = 0.012
"""Area, squared head-widths, up to which a piece is a scrap: a lobe alone has .02."""
ENCLOSED = 0.60
"""Share of a piece's border along which lies what it belongs to."""
GHOST_HW2, BETWEEN = 0.006, (0.10, 0.25)
"""Area of a piece of hair up to which it is a ghost of the room beside an ear (one on fourteen heads, .0026); and the share of its border
along which there is other hair at most, and skin as well as room at least (0, .45 and .55)."""
FRINGE_HW = 0.030
"""Half the width of a strip of hair along the jaw that is none."""
BLOWN = (0.15, 0.45)
"""Log luminance over the face's skin from which such a strip is an edge that old light burnt out, and surely is."""
EAR_HW, SLIM_HW = 0.20, 0.10
"""How far beside the face's outline an ear stands out at most, and how wide one is that is seen from in front."""
STRAND_HW, ENDS_HW = 0.006, 0.035
"""How wide the strands are whose ends lie over an ear, and how far those lie apart (one deviation): a sideburn is cut to no line."""
TAPER_HW = 0.12
"""How much higher that hair ends at the face than behind the ear: it is combed back over an ear, and cut off level it was a slab."""
TEMPLE_HIGH_HW, HALF, STREAK = 0.45, (0.50, 0.95), 0.15
"""How far over that ear what is half hair to the reader is temple; hair's share up to which it is, and from which it is not; and how much
of that single strands differ by (one deviation). Blown by the sun it has no strand of its own, and as hair it was grey paint."""
HEM_HW = 0.012
"""How far round an ear what is still hair is a seam of its rim that was read as that."""
BARE_HW2, NONE_HW2 = 0.020, 0.006
"""Area of skin beside the face, on an ear's rows, from which that ear is bare, and up to which none is seen (squared head-widths)."""
DIM = -0.5
"""Log luminance over the face's skin under which what stands there is hair indeed."""
EAR_LEVEL, EAR_DETAIL = 0.80, (0.5, 0.35)
"""Luminance of an ear in shares of the cheek's, and how much of its own light and dark (log), up to what, it keeps."""


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
    corner = np.array([first, top], np.float32)
    ear = _ear(hair, skin, matte, tone, inside, mesh[:, :2] - corner, k)
    ghost = _ghosts(hair, skin, matte, k) * beside
    fringe = np.zeros_like(hair)
    low = int(np.clip(0.3 * mesh[BROW, 1] + 0.7 * mesh[CHIN, 1] - top, 8, len(hair) - 8))
    there = np.s_[max(low - round(0.10 * k), 0) :]
    fringe[there] = _fringe(hair[there], skin[there], matte[there], tone[there], 0.10 * k, k) * beside[there]
    to_hair, to_skin, fringe, ghost = (m * (1 - ear) for m in (to_hair, to_skin, fringe, ghost))
    found = np.maximum.reduce([to_hair, to_skin, fringe, ear, ghost])
    if found.max() <= 0:
        return plate
    # What is far from all of it is nobody's colour there.
    rows, columns = (np.flatnonzero((found > 0).any(axis)) for axis in (1, 0))
    m = round(0.12 * k)
    part = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    h, w = found[part].shape
    box = np.s_[top + part[0].start : top + part[0].start + h, first + part[1].start : first + part[1].start + w]
    to_hair, to_skin, fringe, ear, ghost, hair, skin, matte = (
        np.ascontiguousarray(one[part]) for one in (to_hair, to_skin, fringe, ear, ghost, hair, skin, matte)
    )
    # Its hair alone: the ear's own soft rim stays.
    ghost = np.minimum(ghost * hair, matte)
    hair, matte = hair - ghost, matte - ghost
    tone = np.ascontiguousarray(tone[part])
    to_hair, to_skin, fringe, ear = (blur(np.asarray(m, np.float32), 1.0) for m in (to_hair, to_skin, fringe, ear))
    of_hair = spread(tone, np.asarray(step(hair, 0.8, 0.99) * (1 - step(np.maximum(to_skin, ear), 0.0, 0.3)), np.float32), k)
    of_skin = spread(tone, np.asarray(step(skin, 0.8, 0.99) * (1 - step(to_hair, 0.0, 0.3)), np.float32), k)
    # Hair's colour, but no darker than the piece was: the nearest hair may be a gap.
    of_hair = of_hair * np.maximum(luminance(tone) / np.maximum(luminance(of_hair), np.float32(1e-3)), 1)[..., None]
    tone += (of_hair - tone) * to_hair[..., None]
    # A hollow read as hair keeps its dark; what was burnt out takes the cheek's colour.
    tone += (of_skin - tone) * fringe[..., None]
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    usual = blur(grey * ear, 0.06 * k) / np.maximum(blur(ear, 0.06 * k), np.float32(0.02))
    own = np.clip(np.float32(EAR_DETAIL[0]) * (grey - usual), -EAR_DETAIL[1], EAR_DETAIL[1])
    tone += (of_skin * (np.float32(EAR_LEVEL) * np.exp(own))[..., None] - tone) * ear[..., None]
    given = np.clip(to_skin + fringe + ear, 0, 1)
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


def _ear(hair: F32, skin: F32, matte: F32, tone: F32, inside: np.ndarray, mesh: F32, k: float) -> F32:
    """An ear that was read as hair, f32[h, w]: of a head whose other ear is bare, what is as slim and pale as an ear in an ear's place.

    A haircut has two sides. Against the sun an ear's rim is as white as white hair, and a reader goes on with it down to the lobe.
    """
    found = np.zeros_like(hair)
    rows, columns = np.arange(len(hair), dtype=np.float32)[:, None], np.arange(hair.shape[1], dtype=np.float32)[None]
    out = cv2.distanceTransform((inside == 0).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    high, low = float(mesh[list(OUTER_CORNERS), 1].mean()), float(mesh[NOSE_BASE, 1] + 0.12 * k)
    level, under = (rows > high) & (rows < low), (rows > low + 0.08 * k) & (rows < low + 0.30 * k)
    face = np.log(np.maximum(luminance(tone[(skin > 0.9) & (inside > 0)]), np.float32(2e-3)))
    if face.size < 100:
        return found
    sides = (columns < mesh[NOSE, 0], columns >= mesh[NOSE, 0])
    there = [(matte > 0.5) & (out > 0.01) & (out < EAR_HW + 0.05) & side for side in sides]
    bare, locks, hangs = ([float((kind & m & where).sum()) / k**2 for m in there] for kind, where in (
        (skin > 0.5, level), (hair > 0.5, level), (hair > 0.5, under)
    ))  # fmt: skip
    for mine, other in ((0, 1), (1, 0)):
        if bare[other] < BARE_HW2 or locks[other] > NONE_HW2 or bare[mine] > NONE_HW2 or hangs[mine] > NONE_HW2:
            continue
        strip = (hair > 0.3) & (matte > 0.3) & sides[mine] & level
        wide = strip.sum(1) / np.float32(k)
        wide[: int(np.clip(np.ceil(high), 0, len(wide))) + 1] = 9
        slim = np.flatnonzero(wide < SLIM_HW)
        if not len(slim) or wide[slim[0] : int(low)].max(initial=0) > EAR_HW:
            continue
        strip &= rows >= slim[0]
        pale = np.log(np.maximum(luminance(tone[strip]), np.float32(2e-3)))
        if pale.size < 0.005 * k * k or float(np.median(pale)) < float(np.median(face)) + DIM:
            continue
        # Down to where it ends, beyond the rows of most ears, and with the flecks in it that were skin already.
        below = (hair > 0.3) & (matte > 0.05) & sides[mine] & (rows < low + 0.08 * k)
        below &= rows >= slim[0] - (3 * ENDS_HW + TAPER_HW) * k
        side = 2 * round(0.03 * k) + 1
        below = cv2.morphologyEx(below.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)) * (inside == 0)
        hem = cv2.dilate(below, np.ones((2 * round(HEM_HW * k) + 1,) * 2, np.uint8))
        y, x = np.mgrid[: len(hair), : hair.shape[1]].astype(np.float32) / np.float32(STRAND_HW * k)
        ends = np.float32(ENDS_HW) * noise(x, y / 8, 141) + np.float32(TAPER_HW) * np.clip(1 - out / np.float32(SLIM_HW), 0, 1)
        ear = hem * step(np.asarray((rows - np.float32(slim[0])) / np.float32(k) + ends, np.float32), -0.01, 0.02)
        streak = np.float32(STREAK) * noise(x, y / 12, 142)
        half = (1 - step(hair + streak, *HALF)) * (out < EAR_HW) * step(blur(hair, 0.01 * k), 0.02, 0.2)
        half *= step(rows, float(slim[0]) - TEMPLE_HIGH_HW * k, float(slim[0]) - 0.5 * TEMPLE_HIGH_HW * k) * (rows < low) * (matte > 0.9)
        found = np.maximum(found, np.maximum(ear, half) * sides[mine])
    return np.asarray(found, np.float32)


def _scraps(piece: np.ndarray, of: np.ndarray, k: float) -> F32:
    """Small pieces bool[h, w] that lie mostly within `of` bool[h, w], as f32[h, w]."""
    _, names, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < SMALL_HW2 * k * k
    # What the first row cuts goes on above it: a crop runs down before the ear.
    small[np.unique(names[0])] = False
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


def _ghosts(hair: F32, skin: F32, matte: F32, k: float) -> F32:
    """Small pieces of hair between an ear and the room, f32[h, w], that hang together with no other hair: they are the room's.

    A pale thing out of focus behind an ear is to a reader a wisp of the pale hair over it; lit, it is a second rim in mid-air.
    """
    out = np.zeros_like(hair)
    piece = (hair > 0.25 * np.maximum(matte, 0.1)) & (matte > 0.08) & (skin < 0.5)
    _, names, stats, _ = cv2.connectedComponentsWithStats(piece.astype(np.uint8), connectivity=8)
    wide = 2 * max(round(0.0125 * k), 1) + 1
    for i in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < GHOST_HW2 * k * k):
        x, y, width, height, area = stats[i]
        # What the window cuts goes on outside it.
        if i == 0 or area < 8 or y == 0 or x == 0 or y + height == hair.shape[0] or x + width == hair.shape[1]:
            continue
        there = np.s_[max(y - wide, 0) : y + height + wide, max(x - wide, 0) : x + width + wide]
        mine = (names[there] == i).astype(np.uint8)
        ring = (cv2.dilate(mine, np.ones((wide, wide), np.uint8)) > 0) & (mine == 0)
        locks, bare, room = ((m[there][ring] > 0.5).mean() for m in (hair, skin, 1 - matte))
        if locks < BETWEEN[0] and min(bare, room) > BETWEEN[1]:
            np.maximum(out[there], cv2.dilate(mine, np.ones((wide, wide), np.uint8)).astype(np.float32), out=out[there])
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
