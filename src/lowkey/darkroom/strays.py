"""Stray hairs: along an outline that a matte drew through hair, single hairs stand off the mass and catch the lamp.

A hair is a seventh of a plate pixel wide, so no matte from an ordinary photo holds any, and hair before a lamp ends as if cut with
scissors. What is drawn here is invented, as the neck is: it lies outside the outline only, where the photo shows the room.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.darkroom import tresses
from lowkey.darkroom.knit import noise
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.zones import ramp as step

APART_HW = 0.003
"""How far apart along the outline hairs stand in a full tuft."""
ROOT_HW = 0.03
"""How far within the outline they begin."""
ROOTED_HW = (0.03, 0.055)
"""How deep within the outline there must be hair still."""
LONG = 0.40
"""Median length of a straight hair beyond its root, in thicknesses of the hair it stands on: cropped hair has short strays."""
REACH_HW = (0.02, 0.20)
"""Least and greatest length beyond the root."""
CURLED_HW = 0.07
"""Median length of one in curled hair."""
OFF = (0.15, 0.65)
"""Radians by which straight hairs leave the outline, from and to; curled ones go any way outward."""
BEND = (7.0, 30.0)
"""Curvature, radians a head-width: of straight hair, most of it back toward the mass, and of curls."""
COVER = (0.34, 0.05)
"""Coverage of a pixel by a hair where it leaves the mass, and at its tip."""
TIP_HW = 0.09
"""Length under which a hair is the tip of one that lies in the mass."""
NAP_APART_HW, NAP_HW, NAP_OFF = 0.0045, (0.012, 0.055), (0.35, 1.25)
"""Between strays stand tips: how far apart, how long least and most beyond the outline, and how steeply (radians off it). Every cut or
broken hair has one, and none shows but before a lamp."""
ALONE = np.float32(2.0)
"""Hairs in a mass shade each other (light.HAIR_GAIN); one that stands alone does not, and lets the light through besides."""
PALEST = np.float32(0.9)
BEHIND_HW = 0.5
"""How far behind the outline they lie: on a heightfield a hair would be a wall, and throw a wall's shadow on the mass behind it."""
STANDS = np.float32(1.6)
"""A stray is a strand and no gap (`fringe`): it passes a lamp behind it on."""
FACING = np.float32(0.35)
"""z of a stray hair's normal: it is lit round, so from beside and behind."""


def strewn(subject: Subject, inside: F32, nose_px: tuple[float, float], hand: float) -> Subject:
    """The subject with stray hairs along hair's outline, where the photo f32[h, w] `inside` has pixels.

    `hand` is +1 or -1 as the person leans: a mirrored person gets them mirrored. Nothing within the outline is changed.
    """
    s, k = subject, subject.hw_px
    h, w = s.matte.shape
    if float(s.hair.max()) < 0.5:
        return s
    # Everything broad is read at half size.
    q, size = k / 2, (max(w // 2, 1), max(h // 2, 1))
    hair, matte, skin, cloth, kept = (_half(m, size) for m in (s.hair, s.matte, s.skin, s.cloth, inside))
    near = step(blur(hair, 0.012 * q) / np.maximum(blur(matte, 0.012 * q), 1e-3), 0.6, 0.95) * kept
    near = near * (1 - step(blur(skin, 0.03 * q), 0.03, 0.12)) * (1 - step(blur(cloth, 0.02 * q), 0.05, 0.20))
    within = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    within = np.asarray((within - cv2.distanceTransform((matte <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)) / np.float32(q), np.float32)
    sure = np.asarray(hair * step(within, 0.004, 0.012), np.float32)
    if near.max() < 0.1 or float(sure.sum()) < 0.01 * q * q:
        return s
    level = blur(within, 0.03 * q)
    right, down = (np.asarray(cv2.Scharr(level, cv2.CV_32F, i, 1 - i), np.float32) for i in (1, 0))
    ys, xs = np.mgrid[: size[1], : size[0]].astype(np.float32)
    x, y = (2 * xs + 0.5 - np.float32(nose_px[0])) * np.float32(hand / k), (2 * ys + 0.5 - np.float32(nose_px[1])) / np.float32(k)
    grey = np.log(np.maximum(luminance(_half(s.albedo, size)), np.float32(2e-3)))
    dx, dy, runs = tresses.flow(grey, sure, sure > 0.5, x, y, q, hand)

    # Where the photo's own wisps are, they are enough.
    loose = step(blur(np.asarray(4 * matte * (1 - matte), np.float32), 0.02 * q), 0.18, 0.35)
    may = np.asarray(near * (1 - loose), np.float32)
    at = _along(s.matte, may)
    if not len(at):
        return s
    there = tuple(np.minimum(at // 2, np.array(size) - 1).T[::-1])
    px, py = x[there][None], y[there][None]
    # Hairs stray in tufts, and a tuft's hairs lie alike.
    tuft = step(noise(px * 7, py * 7, 81) + np.float32(0.5) * noise(px * 23, py * 23, 82), -1.0, 0.7)[0]
    tufts = np.stack([noise(px * 11, py * 11, 83 + i)[0] for i in range(2)], 1)
    thick = cv2.dilate(within, np.ones((2 * round(0.12 * q) + 1,) * 2, np.uint8))[there]
    # Cropped and thinning hair strays less, and not far.
    full = float(tresses.fullness(s.hair, k))
    # At most one every APART_HW.
    chance = may[there] * tuft * np.float32((0.2 + 0.8 * full) / max(APART_HW * k, 1.0))
    long = np.stack([LONG * thick, np.full(len(at), CURLED_HW)], 1) * np.float32(0.3 + 0.7 * full)
    flow = np.stack([one[there] for one in (dx, dy, runs, -right, -down)], 1)
    # From a mass of hair, not from the line that an ear's lit rim was read as.
    outward = flow[:, 3:] / np.maximum(np.linalg.norm(flow[:, 3:], axis=1, keepdims=True), np.float32(1e-6))
    for deep in ROOTED_HW:
        xs, ys = np.clip(np.round(at / 2 - outward * np.float32(deep * q)), 0, np.array(size) - 1).astype(int).T
        chance = chance * step(hair[ys, xs], 0.4, 0.8)
    dice = _dice(px, py)
    hairs = np.concatenate([flow, dice, tufts, long, chance[:, None], np.zeros_like(chance)[:, None]], 1).astype(np.float32)
    # Tips grow from every place of the outline that a mass of hair has, on dice of their own.
    chance = np.where(chance > 0, may[there], 0) * np.float32(1 / max(NAP_APART_HW * k, 1.0))
    tips = np.concatenate([flow, np.roll(dice, 3, 1), tufts, long, chance[:, None], np.ones_like(chance)[:, None]], 1).astype(np.float32)
    at, hairs = np.concatenate([at, at]), np.concatenate([tips, hairs])

    strands = np.zeros((h, w), np.float32) if s.strands is None else s.strands
    maps = (s.matte, s.hair, s.depth, s.albedo, s.normal, s.specular, s.sheen, strands)
    new = [np.array(one) for one in maps]
    cover, owner = np.zeros((h, w), np.float32), np.zeros((h, w), np.int32)
    _draw(at, hairs, np.float32(k), cover, owner)
    # What was there before is what is read: the new maps are written only.
    _lay(at, hairs, np.float32(k), cover, owner, *maps[:4], *new)
    matte, hair, depth, albedo, normal, specular, sheen, strands = (freeze(one) for one in new)
    return replace(s, matte=matte, hair=hair, depth=depth, albedo=albedo, normal=normal, specular=specular, sheen=sheen, strands=strands)


def _half(a: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)


def _along(matte: F32, may: F32) -> NDArray[np.int64]:
    """Places (x, y) i64[n, 2] along the outline where hair `may` (at half size) stray."""
    lines, _ = cv2.findContours((matte > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([line[:, 0] for line in lines]).astype(np.int64) if lines else np.zeros((0, 2), np.int64)
    rows, columns = np.minimum(points[:, 1] // 2, len(may) - 1), np.minimum(points[:, 0] // 2, may.shape[1] - 1)
    return np.asarray(points[may[rows, columns] > 0.02])


def _dice(x: F32, y: F32) -> F32:
    """Eight numbers 0..1 f32[n, 8] that belong to places f32[1, n] on the head, and to its mirror image in a mirrored head."""
    return np.stack([np.asarray(np.mod(np.abs(noise(x * 977, y * 977, 90 + i)[0]) * 7.0, 1.0), np.float32) for i in range(8)], 1)


@njit(cache=True)
def _draw(at: Any, hairs: Any, k: Any, cover: Any, owner: Any) -> None:
    """Walk each hair outward in steps of half a pixel and leave its coverage f32[h, w] and its number.

    Where two cross, the denser one counts.
    """
    h, w = cover.shape
    for i in range(len(at)):
        dx, dy, runs, ox, oy = hairs[i, 0], hairs[i, 1], hairs[i, 2], hairs[i, 3], hairs[i, 4]
        dice, tuft, turning = hairs[i, 5:13], hairs[i, 13], hairs[i, 14]
        if dice[0] > hairs[i, 17]:
            continue
        length = np.sqrt(ox * ox + oy * oy)
        if length < 1e-6:
            continue
        ox, oy = ox / length, oy / length
        straight = min(max((runs - 0.2) / 0.35, 0.0), 1.0)
        # Along the outline, the way the hair lies there, most of it downward; and off it by a little.
        ax, ay = -oy, ox
        lies = dx * ax + dy * ay
        if (abs(lies) > 0.3 and (lies < 0) != (dy < 0)) or (abs(lies) <= 0.3 and ay < 0):
            ax, ay = -ax, -ay
        if dice[1] > 0.92:
            ax, ay = -ax, -ay
        lean = min(max(0.5 + 0.5 * tuft + 0.5 * (dice[2] - 0.5), 0.0), 1.0)
        off = straight * (OFF[0] + (OFF[1] - OFF[0]) * lean * lean) + (1 - straight) * 1.4 * lean
        ux, uy = np.cos(off) * ax + np.sin(off) * ox, np.cos(off) * ay + np.sin(off) * oy
        usual = straight * hairs[i, 15] + (1 - straight) * hairs[i, 16]
        reach = usual * np.exp(1.3 * (dice[3] + dice[4] - 1.0)) * (0.6 + 0.8 * dice[7])
        reach = min(max(reach, REACH_HW[0]), REACH_HW[1]) * k
        tip = hairs[i, 18] > 0.5
        if tip:
            off = NAP_OFF[0] + (NAP_OFF[1] - NAP_OFF[0]) * dice[2]
            ux, uy = np.cos(off) * ax + np.sin(off) * ox, np.cos(off) * ay + np.sin(off) * oy
            reach = (NAP_HW[0] + (NAP_HW[1] - NAP_HW[0]) * dice[3] * dice[4]) * k
        # Positive bends toward the mass: a hair lies back, unless it curls.
        back = straight * (0.30 + 0.5 * turning) + 1.2 * (dice[5] + dice[6] - 1.0)
        side = 1.0 if ax * oy - ay * ox > 0 else -1.0
        bend = -side * (straight * BEND[0] * min(0.3 * k / reach, 1.0) + (1 - straight) * BEND[1]) * back / k
        # Most are finer than one sees, and a short one is a tip: as dense as a long one it would be a thorn.
        strength = 0.25 + 0.30 * dice[7] if tip else (0.30 + 0.70 * dice[7] ** 3) * min(max(reach / (TIP_HW * k), 0.3), 1.0)
        root = ROOT_HW * k / max(np.sin(off), 0.25)
        px, py = at[i, 0] - ux * root, at[i, 1] - uy * root
        total = root + reach
        for n in range(int(2 * total)):
            px, py = px + 0.5 * ux, py + 0.5 * uy
            along = (0.5 * n - root) / reach
            if along > 0:
                turn = 0.5 * bend * (0.5 + along)
                ux, uy = ux - uy * turn, uy + ux * turn
                length = np.sqrt(ux * ux + uy * uy)
                ux, uy = ux / length, uy / length
            along = max(along, 0.0)
            a = 1.4 * strength * (COVER[0] + (COVER[1] - COVER[0]) * along) * min((1 - along) * 6, 1.0)
            ix, iy = int(np.floor(px)), int(np.floor(py))
            if ix < 0 or iy < 0 or ix >= w - 1 or iy >= h - 1:
                break
            fx, fy = px - ix, py - iy
            for r in range(2):
                for c in range(2):
                    part = a * (fx if c else 1 - fx) * (fy if r else 1 - fy)
                    if part > cover[iy + r, ix + c]:
                        cover[iy + r, ix + c] = part
                        owner[iy + r, ix + c] = i


@njit(cache=True, parallel=True)
def _lay(
    at: Any, hairs: Any, k: Any, cover: Any, owner: Any, old_matte: Any, old_hair: Any, old_depth: Any, old_albedo: Any,
    matte: Any, hair: Any, depth: Any, albedo: Any, normal: Any, specular: Any, sheen: Any, strands: Any,
) -> None:  # fmt: skip
    """Lay what was drawn beyond the outline: each hair with the colour of the mass it grows from."""
    h, w = cover.shape
    flat = np.sqrt(1 - FACING * FACING)
    for y in prange(h):
        for x in range(w):
            a = min(cover[y, x], 1.0)
            if a < 0.004 or old_matte[y, x] >= 0.5:
                continue
            i = owner[y, x]
            ox, oy = hairs[i, 3], hairs[i, 4]
            length = max(np.sqrt(ox * ox + oy * oy), 1e-6)
            ox, oy = ox / length, oy / length
            red, green, blue, mass, back = 0.0, 0.0, 0.0, 1e-6, -8.0
            # Further in: on the outline itself the old room still tints it.
            for n in range(8):
                deep = (0.012 + 0.006 * n) * k
                r, c = int(at[i, 1] - oy * deep), int(at[i, 0] - ox * deep)
                if 0 <= r < h and 0 <= c < w:
                    much = old_hair[r, c] * old_matte[r, c] + 1e-5
                    red += much * old_albedo[r, c, 0]
                    green += much * old_albedo[r, c, 1]
                    blue += much * old_albedo[r, c, 2]
                    mass += much
                    if n == 0:
                        back = old_depth[r, c]
            gain = min(ALONE, PALEST * mass / max(max(red, max(green, blue)), 1e-4)) / mass
            matte[y, x] = 1 - (1 - old_matte[y, x]) * (1 - a)
            hair[y, x] = 1.0
            depth[y, x] = max(back, -2.0) - BEHIND_HW
            albedo[y, x, 0], albedo[y, x, 1], albedo[y, x, 2] = gain * red, gain * green, gain * blue
            normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = flat * ox, -flat * oy, FACING
            specular[y, x] = 0.0
            sheen[y, x] = 0.0
            strands[y, x] = STANDS
