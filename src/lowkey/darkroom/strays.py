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

from lowkey.darkroom import fringe, tresses
from lowkey.darkroom.knit import noise
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.zones import ramp as step

APART_HW = 0.0065
"""How far apart along the outline hairs stand in a full tuft: few are seen, and many fall back into the mass."""
ROOT_HW = 0.03
"""How far within the outline they begin."""
ROOTED_HW = (0.03, 0.055)
"""How deep within the outline there must be hair still."""
LONG = 0.55
"""Median length of a straight hair beyond its root, in thicknesses of the hair it stands on: cropped hair has short strays."""
REACH_HW = (0.03, 0.42)
"""Least and greatest length beyond the root."""
OFF = (0.05, 0.50)
"""Radians by which straight hairs leave the outline, from and to, most of them by little: they lie as the mass does, and lift off it."""
FLOWS, STEEPEST = 0.7, 0.9
"""Share of the angle between the photo's flow and the outline that a hair keeps, and the most of it (radians): hair brushed up or back ends
that way."""
ARC, HUG, WAVE = (0.6, 2.6), 1.6, (8.0, 1.1)
"""A hair falls back: curvature in (twice its angle over its length), from and to; what the roundness of a head adds (radians a head-width);
and the wave in it, radians a head-width and periods a length."""
COIL_HW, COILED = (0.010, 0.024), (0.5, 1.15)
"""Radius of the coils in which curled hair ends, and how many turns of one stand off the mass."""
COVER = (0.42, 0.03)
"""Optical thickness of a hair where it leaves the mass, and at its tip."""
SHORT_HW = 0.10
"""Length under which a hair is faint: as dense as a long one it would be a thorn."""
NAP_APART_HW, NAP_HW, NAP_COIL_HW = 0.0022, ((0.008, 0.022), (0.03, 0.10)), (0.004, 0.010)
"""Between strays lies a nap of broken and cut hairs: how far apart; how long, of cropped hair and of full; radius of its coils. None
shows but before a lamp."""
NAP_OFF = ((0.3, 1.5), (0.02, 0.22))
"""Radians by which it stands off the outline, on cropped hair as on velvet, in full hair nearly along it: steeper it was grass."""
NAP_COVER = (0.12, 0.05)
"""Its optical thickness, on cropped hair and on full."""
ALONE = np.float32(2.0)
"""Hairs in a mass shade each other (light.HAIR_GAIN); one that stands alone does not, and lets the light through besides."""
PALEST = np.float32(0.9)
BEHIND_HW = 0.5
"""How far behind the outline they lie: on a heightfield a hair would be a wall, and throw a wall's shadow on the mass behind it."""
STANDS = np.float32(1.3)
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
    full = tresses.length(s.hair, k, runs[there], hair[there] > 0.3)
    # At most one every APART_HW.
    chance = may[there] * tuft * np.float32((0.2 + 0.8 * full) / max(APART_HW * k, 1.0))
    long = LONG * thick * np.float32(0.3 + 0.7 * full)
    flow = np.stack([one[there] for one in (dx, dy, runs, -right, -down)], 1)
    # From a mass of hair, not from the line that an ear's lit rim was read as.
    outward = flow[:, 3:] / np.maximum(np.linalg.norm(flow[:, 3:], axis=1, keepdims=True), np.float32(1e-6))
    for deep in ROOTED_HW:
        xs, ys = np.clip(np.round(at / 2 - outward * np.float32(deep * q)), 0, np.array(size) - 1).astype(int).T
        chance = chance * step(hair[ys, xs], 0.4, 0.8)
    # On a spot where the outline faces nowhere (a speck of matte, its own middle) none has a way to go.
    chance = chance * (np.linalg.norm(outward, axis=1) > 0.5)
    dice = _dice(px, py)
    curled = 1 - step(flow[:, 2], *fringe.CURLED)
    # A crop of curls is too short for coils to stand off it.
    chance = chance * (1 - curled * np.float32(1 - full))
    along = _lies(flow[:, :2], outward, dice[:, 1])
    strays = _flown(flow[:, :2], outward, along, curled, dice, tufts, long)
    # The nap grows from every place of the outline that a mass of hair has, on dice of its own.
    nap = _napped(np.roll(dice, 3, 1), curled * np.float32(full), along, outward, full)
    picked = dice[:, 0] < chance
    grows = np.roll(dice, 3, 1)[:, 0] < np.where(chance > 0, may[there], 0) * np.float32(1 / max(NAP_APART_HW * k, 1.0))
    at = np.concatenate([at[grows], at[picked]])
    outward = np.concatenate([outward[grows], outward[picked]])
    hairs = np.concatenate([nap[grows], strays[picked]]).astype(np.float32)

    strands = np.zeros((h, w), np.float32) if s.strands is None else s.strands
    maps = (s.matte, s.hair, s.depth, s.albedo, s.normal, s.specular, s.sheen, strands)
    new = [np.array(one) for one in maps]
    cover, most, owner = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32), np.zeros((h, w), np.int32)
    _draw(at, hairs, np.float32(k), cover, most, owner)
    # What was there before is what is read: the new maps are written only.
    _lay(at, outward, np.float32(k), cover, owner, *maps[:4], *new)
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


def _lies(flow: F32, outward: F32, dice: F32) -> F32:
    """Which way along the outline a hair lies, unit f32[n, 2]: as `flow` f32[n, 2] does there, most of it downward, one in 25 back."""
    along = np.stack([-outward[:, 1], outward[:, 0]], 1)
    lies = (flow * along).sum(1)
    back = np.where(np.abs(lies) > 0.3, (lies < 0) != (flow[:, 1] < 0), along[:, 1] < 0) ^ (dice > 0.96)
    return np.asarray(np.where(back[:, None], -along, along), np.float32)


def _flown(flow: F32, outward: F32, along: F32, curled: F32, dice: F32, tufts: F32, long: F32) -> F32:
    """Strays f32[n, 9] as `_draw` takes them, of hair `curled` f32[n] (0..1), straight ones of median length `long` f32[n] hw."""
    straight = 1 - curled
    lean = np.clip(0.5 + 0.5 * tufts[:, 0] + 0.5 * (dice[:, 2] - 0.5), 0, 1)
    steep = np.minimum(FLOWS * np.arcsin(np.clip(np.abs((flow * outward).sum(1)), 0, 1)), STEEPEST) * straight
    off = straight * np.maximum(steep, OFF[0] + (OFF[1] - OFF[0]) * lean**2) + curled * (0.3 + 1.2 * lean)
    reach = np.clip(long * np.exp(1.5 * (dice[:, 3] + dice[:, 4] - 1.0)), *REACH_HW)
    radius = COIL_HW[0] + (COIL_HW[1] - COIL_HW[0]) * dice[:, 3]
    coil = 2 * np.pi * radius * (COILED[0] + (COILED[1] - COILED[0]) * dice[:, 4])
    bend = (ARC[0] + (ARC[1] - ARC[0]) * dice[:, 5] * (1 + 0.5 * tufts[:, 1])) * 2 * off / reach + HUG
    bend = straight * bend + curled / radius
    wave = straight * WAVE[0] * (2 * dice[:, 6] - 1)
    reach = straight * reach + curled * coil
    cover = (0.25 + 0.75 * dice[:, 7] ** 2) * np.clip(reach / SHORT_HW, 0.35, 1)
    return _headed(off, along, outward, bend, wave, reach, cover * COVER[0], cover * COVER[1], 6.28 * dice[:, 2])


def _napped(dice: F32, curled: F32, along: F32, outward: F32, full: float) -> F32:
    """Hairs of the nap f32[n, 9] as `_draw` takes them: velvet on cropped hair, a thin layer along full hair, small coils on curled."""
    (least, most), (low, high) = ([a + (b - a) * full for a, b in zip(*pair, strict=True)] for pair in (NAP_HW, NAP_OFF))
    straight = 1 - curled
    off = straight * (low + (high - low) * dice[:, 2]) + curled * (0.2 + 1.3 * dice[:, 2])
    reach = least + (most - least) * dice[:, 3] * dice[:, 4]
    radius = NAP_COIL_HW[0] + (NAP_COIL_HW[1] - NAP_COIL_HW[0]) * dice[:, 5] * (1 + full)
    bend = straight * (1.2 * off / reach * (0.3 + 1.4 * dice[:, 6])) + curled / radius
    reach = straight * reach + curled * 2 * np.pi * radius * (0.4 + 0.6 * dice[:, 4])
    cover = (NAP_COVER[0] + (NAP_COVER[1] - NAP_COVER[0]) * full) * (0.4 + 1.2 * dice[:, 7])
    return _headed(off, along, outward, bend, np.zeros_like(off), reach, cover, 0.3 * cover, np.zeros_like(off))


def _headed(
    off: F32, along: F32, outward: F32, bend: F32, wave: F32, reach: F32, root: F32, tip: F32, phase: F32
) -> F32:  # fmt: skip
    """The columns of `_draw`: heading (right, down), curvature in the picture (radians a hw), wave and phase, length, thicknesses."""
    heading = np.cos(off)[:, None] * along + np.sin(off)[:, None] * outward
    # Positive bends toward the mass: a hair lies back.
    side = np.where(along[:, 0] * outward[:, 1] - along[:, 1] * outward[:, 0] > 0, -1.0, 1.0)
    lost = ROOT_HW / np.maximum(np.sin(off), 0.25)
    return np.column_stack([heading, side * bend, side * wave, phase, reach, root, tip, lost]).astype(np.float32)


@njit(cache=True)
def _draw(at: Any, hairs: Any, k: Any, cover: Any, most: Any, owner: Any) -> None:
    """Walk each hair outward in steps of half a pixel and add its optical thickness to `cover` f32[h, w].

    `owner` is whose is the `most` of a pixel: its colour counts there.
    """
    h, w = cover.shape
    for i in range(len(at)):
        ux, uy, bend, wave, phase = hairs[i, 0], hairs[i, 1], hairs[i, 2] / k, hairs[i, 3] / k, hairs[i, 4]
        reach, root = hairs[i, 5] * k, hairs[i, 8] * k
        px, py = at[i, 0] - ux * root, at[i, 1] - uy * root
        for n in range(int(2 * (root + reach))):
            px, py = px + 0.5 * ux, py + 0.5 * uy
            t = (0.5 * n - root) / reach
            if t > 0:
                turn = 0.5 * (bend + wave * np.sin(phase + 6.28 * WAVE[1] * t))
                ux, uy = ux - uy * turn, uy + ux * turn
                length = max(np.sqrt(ux * ux + uy * uy), 1e-6)
                ux, uy = ux / length, uy / length
            t = max(t, 0.0)
            # Where a parting cuts into the outline the root shows too: it comes out of the mass by degrees.
            a = 0.5 * (hairs[i, 6] + (hairs[i, 7] - hairs[i, 6]) * t) * min((1 - t) * 2.5, 1.0) * min(0.7 * n / root, 1.0)
            ix, iy = int(np.floor(px)), int(np.floor(py))
            if ix < 0 or iy < 0 or ix >= w - 1 or iy >= h - 1:
                break
            fx, fy = px - ix, py - iy
            for r in range(2):
                for c in range(2):
                    part = a * (fx if c else 1 - fx) * (fy if r else 1 - fy)
                    cover[iy + r, ix + c] += part
                    if part > most[iy + r, ix + c]:
                        most[iy + r, ix + c] = part
                        owner[iy + r, ix + c] = i


@njit(cache=True, parallel=True)
def _lay(
    at: Any, outward: Any, k: Any, cover: Any, owner: Any, old_matte: Any, old_hair: Any, old_depth: Any, old_albedo: Any,
    matte: Any, hair: Any, depth: Any, albedo: Any, normal: Any, specular: Any, sheen: Any, strands: Any,
) -> None:  # fmt: skip
    """Lay what was drawn beyond the outline: each hair with the colour of the mass it grows from."""
    h, w = cover.shape
    flat = np.sqrt(1 - FACING * FACING)
    for y in prange(h):
        for x in range(w):
            a = 1 - np.exp(-cover[y, x])
            if a < 0.004 or old_matte[y, x] >= 0.5:
                continue
            i = owner[y, x]
            ox, oy = outward[i, 0], outward[i, 1]
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
            # Where the mass covers most of a pixel it is the mass's still: all a stray's, it would be one bright dot of a line of them.
            share = a * (1 - old_matte[y, x]) / matte[y, x]
            hair[y, x] += (1 - hair[y, x]) * share
            apart = max(back, -2.0) - BEHIND_HW
            depth[y, x] = apart if old_matte[y, x] < 0.02 else depth[y, x] + (apart - depth[y, x]) * share
            albedo[y, x, 0] += (gain * red - albedo[y, x, 0]) * share
            albedo[y, x, 1] += (gain * green - albedo[y, x, 1]) * share
            albedo[y, x, 2] += (gain * blue - albedo[y, x, 2]) * share
            nx, ny, nz = flat * ox, -flat * oy, FACING
            if old_matte[y, x] >= 0.02:
                nx = normal[y, x, 0] + (nx - normal[y, x, 0]) * share
                ny = normal[y, x, 1] + (ny - normal[y, x, 1]) * share
                nz = normal[y, x, 2] + (nz - normal[y, x, 2]) * share
            length = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-6)
            normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = nx / length, ny / length, nz / length
            specular[y, x] *= 1 - share
            sheen[y, x] *= 1 - share
            strands[y, x] += (STANDS - strands[y, x]) * share
