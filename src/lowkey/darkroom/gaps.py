"""Gaps in a mass of hair: behind every small one lies more hair, so that a lamp behind the head is not seen through it.

A matte is one sheet. A head of hair is a hand's breadth deep, and where strands of one layer leave a gap those of the next cross it: of a
lamp behind, a gap passes the ever smaller share (Beer's law along the depth), the narrower it is. Open, it is a clipped speck in dark hair.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import neck
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze
from lowkey.plate.zones import ramp as step

SMALL_HW2 = (0.0035, 0.0050)
"""Area (squared head-widths) up to which a gap is crossed by the next layer's strands, and from which it is open to the room."""
LEVELS = (0.5, 0.85, 0.97)
"""Coverages under which a place is a gap: a clear one, one with a strand or two across, and a matte's doubt of a few percent, through which
a lamp's own disc is a white speck all the same."""
DENSE_HW, DENSE = 0.015, (0.70, 0.85)
"""Round what (sigma) it is asked how dense hair is beside a gap, its coverage from which that is a mass at all, and surely: between the
last hairs of an outline that thins out there is no more hair behind, and shut gaps were beads."""
SLIT_HW, SLIT_NEAR_HW, SLIT_AMONG = 0.014, 0.020, (0.60, 0.80)
"""Half of how wide a slit is at most that is no gap to the room even where it opens on it; round what (sigma) hair has to cover how
much."""
BORDER = 2
"""How far (pixels, at half size) what crosses a gap goes on over its border."""
AMONG_HW, AMONG = 0.010, (0.6, 0.8)
"""Round what (sigma), and how much, hair there has to be for such a border to be among it."""
OF_HAIR = 0.75
"""Share of what borders on a gap that is hair: the crook of an arm and the room between ear and neck are none."""


def crossed(subject: Subject) -> Subject:
    """The subject with the small gaps in its hair crossed by the hair behind."""
    s, k = subject, subject.hw_px
    rows, columns = (np.flatnonzero((s.hair[::4, ::4] > 0.3).any(axis)) for axis in (1, 0))
    if len(rows) < 3 or len(columns) < 3:
        return s
    box = np.s_[max(4 * rows[0] - 8, 0) : 4 * rows[-1] + 8, max(4 * columns[0] - 8, 0) : 4 * columns[-1] + 8]
    whole = s.matte[box]
    size, full = (max(whole.shape[1] // 2, 2), max(whole.shape[0] // 2, 2)), (whole.shape[1], whole.shape[0])
    matte, hair, form, tone = (
        np.asarray(cv2.resize(m[box], size, interpolation=cv2.INTER_AREA), np.float32)
        for m in (s.matte, s.hair, np.maximum(s.depth, -1), s.albedo)
    )
    shut = np.zeros(matte.shape, np.float32)
    for level in LEVELS:
        _shut(matte, hair, level, k / 2, shut)
    slit = cv2.morphologyEx(matte, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(SLIT_HW * k / 2) + 1,) * 2))
    among = step(blur(hair, SLIT_NEAR_HW * k / 2), *SLIT_AMONG)
    shut = np.maximum(shut, np.where(slit > matte + np.float32(0.1), slit * among, 0))
    if shut.max() <= 0:
        return s
    # Over its soft border, too: half there, that is a ring of the lamp. A strand that closes a gap against the room stays thin.
    border = blur(cv2.dilate(shut, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BORDER + 1,) * 2)), 0.7)
    shut = np.maximum(shut, border * step(blur(np.maximum(matte, shut), AMONG_HW * k / 2), *AMONG))
    solid = np.asarray(step(matte, 0.85, 0.99) * (shut < 0.01), np.float32)
    behind = np.dstack([neck.spread(np.dstack([tone, form]), solid, k / 2), shut])
    behind = cv2.resize(behind, full, interpolation=cv2.INTER_LINEAR)
    cover = behind[..., 4]
    more = np.maximum(cover - whole, 0)
    new = {name: np.array(getattr(s, name)) for name in ("matte", "hair", "depth", "albedo")}
    share = more / np.maximum(whole + more, np.float32(1e-3))
    new["albedo"][box] += (behind[..., :3] - new["albedo"][box]) * share[..., None]
    new["depth"][box] = np.where((more > 0) & (whole < 0.5), behind[..., 3], new["depth"][box])
    for name in ("matte", "hair"):
        new[name][box] = np.minimum(new[name][box] + more, 1)
    lone = s.lone
    if lone is not None:
        # A hair before others passes no lamp on.
        passes = np.array(lone)
        passes[box] *= 1 - cover
        lone = freeze(passes)
    matte, hair, depth, albedo = (freeze(new[name]) for name in ("matte", "hair", "depth", "albedo"))
    return replace(s, matte=matte, hair=hair, depth=depth, albedo=albedo, lone=lone)


def _shut(matte: F32, hair: F32, level: float, k: float, shut: F32) -> None:
    """Raise `shut` f32[h, w] to what covers the small gaps of `matte` f32[h, w] under `level`, where `hair` f32[h, w] is round them."""
    gap = (matte < level).astype(np.uint8)
    _, names, stats, _ = cv2.connectedComponentsWithStats(gap, connectivity=4)
    area = np.asarray(stats[:, cv2.CC_STAT_AREA] / np.float32(k * k), np.float32)
    area[0] = 9
    small = np.flatnonzero((area < SMALL_HW2[1])[names])
    if not len(small):
        return
    whole = blur(np.dstack([matte * (1 - gap), hair * (1 - gap), 1 - gap]).astype(np.float32), DENSE_HW * k).reshape(-1, 3)[small]
    mine = names.ravel()[small]
    mass, its, known = (np.bincount(mine, whole[:, i], len(area)) for i in range(3))
    dense = np.asarray(mass / np.maximum(known, 1e-3), np.float32)
    cover = (1 - step(area, *SMALL_HW2)) * step(dense, *DENSE) * (its > OF_HAIR * mass)
    there = shut.reshape(-1)
    there[small] = np.maximum(there[small], cover[mine])
