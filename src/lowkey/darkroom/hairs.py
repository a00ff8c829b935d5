"""Single hairs: how one leaves the outline of a mass, how far it goes and how it bends, and its drawing.

No two neighbours are alike, or they are the teeth of a comb; all of them lie round the head, or they are its needles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from lowkey.darkroom.knit import noise
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step

ROOT_HW, FROM = (0.012, 0.030), 0.9
"""How far before it comes out of the mass a hair begins; and from how deep at most it comes out, of how deep the mass is open: all from one
line, they are that line, in ink."""
OFF, COMBED = ((0.35, 1.45), (0.02, 0.40)), (0.18, 0.42)
"""Radians by which they leave the outline: of cropped hair as velvet does, of full most of them by little; and how much hair runs one way
hereabouts from which it begins to lie as full hair does, and does."""
FLOWS = 0.7
"""Share of the angle between the photo's flow and the outline that a hair keeps."""
SCATTER, BACK = 0.18, 0.12
"""By how many radians at most each leaves the outline otherwise than its tuft does; and the share of them that lie the other way, so that
hairs cross."""
REACH_HW, UNLIKE = ((0.004, 0.018), (0.022, 0.150)), 0.6
"""Length beyond the outline, from and (one in six or so) to; and by how much (log) stretches of the outline differ in it."""
ARC, WAVE = (0.1, 1.0), (8.0, 1.1)
"""A hair falls back: curvature in (twice its angle over its length), from and to; and the wave in it, radians a head-width and periods
a length."""
COIL_HW, COILED, UNCOILS, UNWOUND = (0.008, 0.030), (0.15, 0.60), 0.8, 0.3
"""Radius of the arcs in which curled hair ends, and how many turns of one stand off the mass: closed, they are a stamp. By what share its
curvature comes and goes along it; and the share of them that turn away from the mass."""
FLIES, FLY_HW, FLY_OFF = 0.05, (0.02, 0.09), 0.45
"""Share of full straight hair that flies, how far (hw), and by how many radians at most it leaves the outline besides."""
COVER = ((0.25, 0.06), (0.36, 0.07))
"""Optical thickness of a hair where it leaves the mass, and at its tip, of cropped hair and of full."""
LEAST, TURNS = 0.03, 4.0
"""What any hair passes of a lamp behind it, and the power by which few are turned so that they pass all of it on (the TT lobe of Marschner
et al. 2003 is .1 to .2 rad wide, and a hair is not round)."""
GLINT, PIECE = 0.5, 0.5
"""How much less of it coils pass on: they are turned every way; and by how much what a hair passes on comes and goes along it."""


DICE = 12
"""How many numbers a hair is thrown: one that is used for two things ties them, and all bright hairs bent one way."""


def thrown(x: F32, y: F32, stream: int) -> F32:
    """Numbers 0..1 f32[n, 12] that belong to places f32[1, n] on the head, and to its mirror image in a mirrored head."""
    return np.stack([np.asarray(np.mod(np.abs(noise(x * 977, y * 977, stream + i)[0]) * 7.0, 1.0), np.float32) for i in range(DICE)], 1)


def _lies(flow: F32, outward: F32, dice: F32) -> F32:
    """Which way along the outline a hair lies, unit f32[n, 2]: as `flow` f32[n, 2] does there, most of it downward, some back."""
    along = np.stack([-outward[:, 1], outward[:, 0]], 1)
    lies = (flow * along).sum(1)
    back = np.where(np.abs(lies) > 0.3, (lies < 0) != (flow[:, 1] < 0), along[:, 1] < 0) ^ (dice > 1 - BACK)
    return np.asarray(np.where(back[:, None], -along, along), np.float32)


def flown(flow: F32, outward: F32, curled: F32, dice: F32, tufts: F32, full: float) -> F32:
    """Hairs f32[n, 10] as `draw` takes them, of hair `curled` f32[n] (0..1), on a head cropped (0) or `full` (1).

    `flow` f32[n, 4] is the flow, how much hair runs one way, and the outline's curve in radians a head-width.
    """

    def of(pair: tuple[tuple[float, float], tuple[float, float]]) -> list[float]:
        return [a + (b - a) * full for a, b in zip(*pair, strict=True)]

    straight, along = 1 - curled, _lies(flow[:, :2], outward, dice[:, 1])
    lean = np.clip(0.25 * tufts[:, 1] + dice[:, 2], 0, 1)
    lies = np.maximum(step(flow[:, 2], *COMBED), full)
    low, high = (a + (b - a) * lies for a, b in zip(*OFF, strict=True))
    # Hair brushed up or back ends that way.
    steep = FLOWS * np.arcsin(np.clip(np.abs((flow[:, :2] * outward).sum(1)), 0, 1)) * straight
    off = np.maximum(low + (high - low) * lean ** (1 + lies), np.minimum(steep, high) * (0.6 + 0.8 * dice[:, 3])) * straight
    off = np.abs(off + straight * np.float32(SCATTER) * (2 * dice[:, 11] - 1))
    flies = (dice[:, 5] > 1 - FLIES) * full
    off = off + straight * flies * np.float32(FLY_OFF) * (1 - dice[:, 3]) + curled * (0.3 + 1.4 * lean)
    # Combed hair is long where it is thin.
    low, high = (a + (b - a) * np.maximum(full, 0.6 * lies) for a, b in zip(*REACH_HW, strict=True))
    reach = np.minimum((low + (high - low) * dice[:, 4] ** 3) * np.exp(np.float32(UNLIKE) * tufts[:, 0]), 1.3 * high)
    reach = straight * (reach + flies * (FLY_HW[0] + (FLY_HW[1] - FLY_HW[0]) * dice[:, 3]))
    radius = COIL_HW[0] + (COIL_HW[1] - COIL_HW[0]) * dice[:, 3] * (0.4 + 0.6 * full)
    reach = reach + curled * 2 * np.pi * radius * (COILED[0] + (COILED[1] - COILED[0]) * dice[:, 4]) * (0.3 + 0.7 * full)
    coils = np.where(dice[:, 6] > 1 - UNWOUND, np.float32(-0.6), np.float32(1))
    falls = np.minimum(2 * off / np.maximum(reach, 0.03), 18) * (ARC[0] + (ARC[1] - ARC[0]) * dice[:, 6])
    # It lies round the head: straight on from where it leaves, it is a needle.
    bend = straight * (falls + flow[:, 3] * (1 - 0.7 * flies)) + curled * coils / radius
    wave = straight * WAVE[0] * (2 * dice[:, 8] - 1) + curled * np.float32(UNCOILS) / radius * (2 * dice[:, 8] - 1)
    heading = np.cos(off)[:, None] * along + np.sin(off)[:, None] * outward
    # Positive bends toward the mass: a hair lies back.
    side = np.where(along[:, 0] * outward[:, 1] - along[:, 1] * outward[:, 0] > 0, -1.0, 1.0)
    root = ROOT_HW[0] + (ROOT_HW[1] - ROOT_HW[0]) * full * (1 - 0.5 * curled)
    cover = ((0.2 + 0.8 * dice[:, 9] ** (2 - 0.5 * curled)) * (1 - 0.4 * flies))[:, None] * np.array(of(COVER))
    lost = root / np.clip(np.sin(off), 0.3, 1)
    turned = LEAST + (1 - LEAST) * dice[:, 7] ** TURNS * (1 - np.float32(GLINT) * curled)
    return np.column_stack([heading, side * bend, side * wave, 6.28 * dice[:, 10], reach, cover, lost, turned])


@njit(cache=True)
def draw(at: Any, hairs: Any, k: Any, cover: Any, lit: Any, most: Any, owner: Any) -> None:
    """Walk each hair outward in steps of half a pixel and add its optical thickness to `cover` f32[h, w], and as much of it
    as is turned to a lamp behind it to `lit`.

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
            # It comes out of the mass by degrees.
            a = 0.5 * (hairs[i, 6] + (hairs[i, 7] - hairs[i, 6]) * t) * min((1 - t) * 2.5, 1.0) * min(0.25 * (n / root) ** 2, 1.0)
            # It is bent, and turned to the lamp for a piece of its way.
            shows = min(hairs[i, 9] * (1 + PIECE * np.cos(2 * phase + 6.28 * t)), 1.0)
            ix, iy = int(np.floor(px)), int(np.floor(py))
            if ix < 0 or iy < 0 or ix >= w - 1 or iy >= h - 1:
                break
            fx, fy = px - ix, py - iy
            for r in range(2):
                for c in range(2):
                    part = a * (fx if c else 1 - fx) * (fy if r else 1 - fy)
                    cover[iy + r, ix + c] += part
                    lit[iy + r, ix + c] += part * shows
                    if part > most[iy + r, ix + c]:
                        most[iy + r, ix + c] = part
                        owner[iy + r, ix + c] = i
