"""Where two things meet: rims, slivers and steps that were no fault under the photo's soft light and are one under a single hard lamp."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom import neck
from lowkey.darkroom.figure import Figure
from lowkey.darkroom.neck import Kept, Layer
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.zones import ramp as step

ROUND_HW = 0.016
"""How far from the outline facing is carried on from further in."""


def round_off(figure: Figure, k: float) -> None:
    """Carry the facing f32[h, w, 3] of what lies further in over the outline's last pixels, in place.

    There the form was blown up from a coarser silhouette than the matte's own: a pixel that faces away is a dark tooth.
    What is carried is smooth, so it is worked out at half size.
    """
    solid = (figure.matte > 0.5).astype(np.uint8)
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if len(rows) < 3 or len(columns) < 3:
        return
    m = round(0.1 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    solid = np.pad(solid[box], 1, mode="edge")
    within = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    sure = step(within, ROUND_HW * k, 1.5 * ROUND_HW * k)
    normal = figure.normal[box]
    carried, mass = _carried(normal, sure, k / 2, 2)
    _turn(normal, sure, carried, mass)


def _carried(form: F32, sound: F32, k: float, shrunk: int = 1) -> tuple[F32, F32]:
    """Sums of form f32[h, w, n] and of `sound` f32[h, w] round each pixel, `shrunk` times smaller: near ones count most by far."""
    mass = cv2.resize(sound, None, fx=1 / shrunk, fy=1 / shrunk, interpolation=cv2.INTER_AREA)
    total = cv2.resize(form * sound[..., None], (mass.shape[1], mass.shape[0]), interpolation=cv2.INTER_AREA)
    wide = [(blur(total, sigma * k), blur(mass, sigma * k)) for sigma in (0.006, 0.018, 0.05)]
    return (
        np.asarray(sum(t * np.float32(0.003**i) for i, (t, _) in enumerate(wide)), np.float32),
        np.asarray(sum(m * np.float32(0.003**i) for i, (_, m) in enumerate(wide)), np.float32),
    )


@njit(cache=True, parallel=True)
def _turn(normal: Any, sure: Any, carried: Any, mass: Any) -> None:
    """Normals f32[h, w, 3] that are not `sure` are turned, in place, as `carried` over `mass` (half size) says."""
    h, w = sure.shape
    last_row, last_column = mass.shape[0] - 1, mass.shape[1] - 1
    for r in prange(h):
        y = min(max((r - 0.5) / 2, 0.0), last_row)
        i = min(int(y), max(last_row - 1, 0))
        f = y - i
        i2 = min(i + 1, last_row)
        for c in range(w):
            if sure[r, c] >= 1:
                continue
            x = min(max((c - 0.5) / 2, 0.0), last_column)
            j = min(int(x), max(last_column - 1, 0))
            g = x - j
            j2 = min(j + 1, last_column)
            weight = (1 - f) * ((1 - g) * mass[i, j] + g * mass[i, j2]) + f * ((1 - g) * mass[i2, j] + g * mass[i2, j2])
            if weight <= 1e-8:
                continue
            mix = 1 - sure[r, c]
            square = 0.0
            for m in range(3):
                sum_ = (1 - f) * ((1 - g) * carried[i, j, m] + g * carried[i, j2, m])
                sum_ += f * ((1 - g) * carried[i2, j, m] + g * carried[i2, j2, m])
                normal[r, c, m] += mix * (sum_ / weight - normal[r, c, m])
                square += normal[r, c, m] ** 2
            length = max(np.sqrt(square), 1e-6)
            for m in range(3):
                normal[r, c, m] /= length


SLIVER_HW = 0.016
"""Half the width under which cloth that shows beside hair or a wrap is none."""


def without_slivers(sheet: Layer, head: F32, at: tuple[int, int], first: int, k: float) -> Layer:
    """The sheet without what would peep out along the outline of a wrap or of hair: a seam of dark teeth there."""
    rows, columns = sheet.cover.shape
    over = head[at[0] : at[0] + rows, at[1] + first : at[1] + first + columns]
    if over.shape != sheet.cover.shape or over.max() < 0.3:
        return sheet
    shown = ((sheet.cover > 0.05) & (over < 0.6)).astype(np.uint8)
    side = 2 * round(SLIVER_HW * k) + 1
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    pad = cv2.copyMakeBorder(shown, side, side, side, side, cv2.BORDER_REPLICATE)
    broad = np.asarray(cv2.morphologyEx(pad, cv2.MORPH_OPEN, round_)[side:-side, side:-side] > 0)
    beside = np.asarray(cv2.dilate((over > 0.3).astype(np.uint8), round_) > 0)
    sliver = ((shown > 0) & ~broad & beside).astype(np.uint8)
    gone = np.asarray((cv2.dilate(sliver, np.ones((3, 3), np.uint8)) > 0) & ~broad, np.float32)
    return replace(sheet, cover=np.asarray(sheet.cover * (1 - blur(gone, 0.7)), np.float32))


def unmix(own: Figure, part: Kept, cloth: F32, k: float) -> None:
    """Clean hair of the shirt it fell over: where the two met, shirt leaves the hair's layer and hair its own colour."""
    there = cv2.resize(part.hair, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA) > 0.01
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return
    box = np.s_[8 * rows[0] : 8 * rows[-1] + 16, max(8 * columns[0] - 8, 0) : 8 * columns[-1] + 16]
    hair, albedo = part.hair[box], own.albedo[box]
    near = blur(np.clip(cloth - part.wrap, 0, 1)[box], 0.012 * k)
    zone = step(near, 0.01, 0.15) * (hair > 0.01)
    sure = step(cv2.erode(hair, np.ones((5, 5))), 0.85, 0.98) * (near < 0.05)
    if zone.max() <= 0 or sure.sum() < 100:
        return
    strand = neck.spread(albedo, sure, k)
    # A pixel brighter than hair is here by half is shirt shining through.
    excess = np.log(np.maximum(luminance(albedo), 0.004) / np.maximum(luminance(strand), 0.004))
    part.head[box] *= 1 - zone * step(excess, 0.25, 0.9) * (part.below[box] > 0)
    albedo += (strand - albedo) * (zone * step(excess, 0.15, 0.6))[..., None]


PALER = (0.04, 0.18)
"""Natural log by which a hand's outline is brighter than its skin further in when it is the old sleeve that shines through."""


def bare_hands(own: Figure, part: Kept, k: float) -> None:
    """Clean the outline of hands of what they were held before: a pale sleeve there is a white thread along a wrist. In place."""
    rows, columns = (np.flatnonzero((part.hands > 0.02).any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    m = 12
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    hands, albedo = part.hands[box], own.albedo[box]
    ring, gap = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(r * k) + 1,) * 2) for r in (0.014, 0.07))
    # What is on a hand, a ring or a shadow between fingers, is no outline of it.
    sure = step(cv2.erode(cv2.morphologyEx(hands, cv2.MORPH_CLOSE, gap), ring), 0.90, 0.99)
    skin = neck.spread(albedo, sure, k)
    excess = np.log(np.maximum(luminance(albedo), 0.004) / np.maximum(luminance(skin), 0.004))
    albedo += (skin - albedo) * ((1 - sure) * step(excess, *PALER) * (hands > 0.02))[..., None]


KNOB_HW, NEARER_HW = 0.10, (0.05, 0.09)
"""From how far above the jaw's line on a throat may have been read as face; how much nearer than the face above it that may lie, and surely
does not."""
STEEPEST = 2.5
"""Slope (hw per hw) by which depth is carried over the jaw's line at most."""


def heal_jaw(own: Figure, part: Kept, ears: F32, k: float) -> None:
    """Carry form f32[h, w] over the last pixels before the jaw line, where head and neck were read as one; `ears` have their own.

    A lip of depth there, or a normal that turns up, is a white scratch along the jaw in any raking light.
    """
    bare = (1 - np.maximum.reduce([part.hair, part.wrap, ears])) * (part.head > 0)
    band = step(part.below, -0.035, -0.018) * (part.below < 0.08) * bare
    rows, columns = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    if not len(rows):
        return
    m = round(0.15 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    form = np.dstack([own.normal[box], own.depth[box]])
    # A throat that was read nearer than the face must not come along under a lobe: as a knob it would throw its shadow on the jaw.
    face = ((part.below[box] < -KNOB_HW) & (own.matte[box] > 0.9)).astype(np.float32)
    total, mass = _carried(form, face, k)
    carried = total / np.maximum(mass, 1e-9)[..., None]
    under = (1 - np.maximum(part.hair, part.wrap)[box]) * (part.head[box] > 0)
    knob = step(part.below[box], -KNOB_HW, -KNOB_HW + 0.02) * under
    form += (knob * step(form[..., 3] - carried[..., 3], *NEARER_HW) * (mass > 1e-8))[..., None] * (carried - form)
    sound = ((part.below[box] < -0.018) & (own.matte[box] > 0.9)).astype(np.float32)
    onward, mass = _onward(form, sound, k)
    _laid(own, box, form, onward, np.asarray(band[box] * (mass > 1e-8), np.float32))


BESIDE_WRAP_HW, SURE_HW = 0.12, 0.02
"""How near to a wrap, and how far beyond the mesh, a cheek goes on as it ends there; and how far within the mesh it is surely a cheek."""


def beside_wrap(own: Figure, part: Kept, face: F32, k: float) -> F32:
    """What of a cheek f32[h, w] shows between the mesh (`face` f32[h, w], 1 there) and a wrap: a far cheek is fuller than a mesh's."""
    out = np.zeros_like(face)
    rows, columns = (np.flatnonzero(((part.wrap > 0.5) & (part.below < PIT_HW)).any(axis)) for axis in (1, 0))
    if len(rows) < 4 or len(columns) < 4 or not (face > 0.5).any():
        return out
    m = round(2 * BESIDE_WRAP_HW * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    zone = own.skin[box] * (1 - np.maximum(part.wrap, part.hair)[box]) * step(part.below[box], -0.35, -0.25)
    zone = zone * step(-part.below[box], -PIT_HW, 0.05 - PIT_HW)
    for place in (part.wrap[box], face[box]):
        away = cv2.distanceTransform((place < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
        zone = zone * (1 - step(away, 0.7 * BESIDE_WRAP_HW, BESIDE_WRAP_HW)) * (part.head[box] > 0)
    # What lies right at the mesh's own edge ends with it.
    out[box] = zone * step(away, 0.0, SURE_HW)
    return out


def round_about(beside: F32, k: float) -> F32:
    """`beside` f32[h, w] and, softly, the cheek before it: a jaw's line that a cheek goes on over is no jaw's edge."""
    out, rows, columns = np.zeros_like(beside), np.flatnonzero((beside > 0.5).any(1)), np.flatnonzero((beside > 0.5).any(0))
    if not len(rows):
        return out
    m = round(TURNS_HW * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    away = cv2.distanceTransform((beside[box] < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    out[box] = 1 - step(away, 0.2 * TURNS_HW, 0.9 * TURNS_HW)
    return out


def meet_wrap(own: Figure, face: F32, beside: F32, k: float) -> F32:
    """Carry a cheek's form from the mesh (`face` f32[h, w], 1 there) over what lies `beside` a wrap f32[h, w], in place; gives the whole.

    No throat begins there: what falls back to one leaves a pit in a lit cheek, and a pit filled column by column a box.
    """
    rows, columns = np.flatnonzero((beside > 0).any(1)), np.flatnonzero((beside > 0).any(0))
    if not len(rows):
        return face
    m = round(0.15 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    there = (face[box] > 0.5).astype(np.uint8)
    within, away = (cv2.distanceTransform(v, cv2.DIST_L2, 5) / np.float32(k) for v in (there, 1 - there))
    form = np.dstack([own.normal[box], own.depth[box]])
    carried, mass = _onward(form, np.asarray(step(within, SURE_HW, 2 * SURE_HW) * (own.matte[box] > 0.9), np.float32), k)
    # A mesh ends a little before it is no cheek any more: the two are one across its line.
    side = 2 * round(2 * SURE_HW * k) + 1
    line = cv2.dilate(beside[box], np.ones((side, side), np.uint8)) * (away < 2 * SURE_HW) * own.skin[box]
    zone = np.maximum(beside[box], blur(np.asarray(line, np.float32), 0.2 * SURE_HW * k))
    much = np.asarray(zone * (1 - step(within, 0.5 * SURE_HW, SURE_HW)) * (mass > 1e-8), np.float32)
    _laid(own, box, form, carried, much)
    whole = face.copy()
    np.maximum(whole[box], much, out=whole[box])
    return whole


def _onward(form: F32, sound: F32, k: float) -> tuple[F32, F32]:
    """Facing and depth f32[h, w, 4] carried on from where `sound` f32[h, w] is 1, and the mass f32[h, w] that was in reach.

    Depth goes on by its slope: carried level it would be a shelf before a cheek that falls away, and shade it from the side.
    """
    high, wide = sound.shape
    y, x = np.arange(high, dtype=np.float32)[:, None] / np.float32(k), np.arange(wide, dtype=np.float32) / np.float32(k)
    right, down = (np.clip(g, -STEEPEST, STEEPEST) for g in neck.slopes(blur(np.ascontiguousarray(form[..., 3]), 0.008 * k), k))
    total, mass = _carried(np.dstack([form[..., :3], form[..., 3] - right * x - down * y, right, down]), sound, k)
    carried = total / np.maximum(mass, 1e-9)[..., None]
    carried[..., 3] += carried[..., 4] * x + carried[..., 5] * y
    return np.asarray(carried[..., :4], np.float32), mass


def _laid(own: Figure, box: tuple[slice, slice], form: F32, carried: F32, much: F32) -> None:
    """Give a figure's `box` its `form` f32[h, w, 4], facing and depth, with what was `carried` over it by `much` f32[h, w], in place."""
    mix = much[..., None]
    form += mix * (carried - form)
    length = np.maximum(np.linalg.norm(form[..., :3], axis=2, keepdims=True), 1e-6)
    own.normal[box] = np.where(mix > 0, form[..., :3] / length, own.normal[box])
    own.depth[box] = form[..., 3]


PIT_HW, PIT_TALL_HW, BESIDE_HW = 0.15, 0.22, 0.10
"""How near the jaw's line a cheek's outline may have been read as body, how tall such a pit is at most, and how far from the outline."""


def fill_pits(figure: Figure, part: Kept, face: F32, top: int, k: float) -> None:
    """Fill, in place, the pits at a face's outline beside the jaw's corners, where the mesh and ears (`face` f32[h, w], 1 there) have ended
    and a throat has not begun.

    Read as body between a cheek and a neck that both stand nearer, one holds a shadow that hooks into the cheek.
    """
    depth, matte = figure.depth[top:], figure.matte[top:]
    zone = step(PIT_HW - np.abs(part.below), 0.0, 0.05) * (part.head > 0.05) * (matte > 0.02) * (1 - face)
    rows, columns = np.flatnonzero(zone.any(1)), np.flatnonzero(zone.any(0))
    m = round(PIT_TALL_HW * k) | 1
    if len(rows) < 4 or len(columns) < 4:
        return
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - 1, 0) : columns[-1] + 2]
    solid = np.where(matte[box] > 0.5, depth[box], -9).astype(np.float32)
    deep = cv2.distanceTransform((solid > -9).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    zone = zone[box] * step(-deep, -BESIDE_HW, -0.7 * BESIDE_HW)
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((m, 1), np.uint8))
    lack = np.asarray(np.maximum(closed - solid, 0) * (matte[box] > 0.5), np.float32)
    side = 2 * round(0.02 * k) + 1
    on = zone * step(cv2.dilate(lack, np.ones((side, side), np.uint8)), 0.01, 0.04)
    if on.max() <= 0:
        return
    depth[box] += on * lack
    right, down = neck.slopes(blur(np.ascontiguousarray(np.where(matte[box] > 0.5, depth[box], closed)), 0.012 * k), k)
    form = np.dstack([-right, down, np.ones_like(right)])
    form /= np.linalg.norm(form, axis=2, keepdims=True)
    normal = figure.normal[top:][box]
    normal += (blur(on, 0.008 * k) * (1 - face[box]))[..., None] * (form - normal)
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), np.float32(1e-6))


TURNS_HW, TURNED, DIMMED = 0.100, 1.1, (0.36, 0.40, 0.43)
"""Over how much before its line the jaw turns under, by what slope at the line, and how much of red, green and blue is lost there."""


def turn_under(own: Figure, part: Kept, ears: F32, k: float) -> None:
    """Turn the jaw's last finger's breadth under, in place, and let it darken and redden on the way; `ears` f32[h, w] hang free of it.

    A mesh ends at the jaw's line still facing the eye: a mask's edge. A jaw is round there, and what the light that went into it comes
    out of is thin skin over shade, red first (d'Eon, Luebke & Enderton 2007).
    """
    bare = (1 - np.maximum.reduce([part.hair, part.wrap, ears])) * (part.head > 0)
    t = np.clip(1 + part.below / np.float32(TURNS_HW), 0, 1) * (part.below < 0.05)
    rows, columns = np.flatnonzero((t > 0).any(1)), np.flatnonzero((t > 0).any(0))
    if len(rows) < 4 or len(columns) < 4:
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    right, down = neck.slopes(blur(np.ascontiguousarray(part.below[box]), 0.01 * k), k)
    much = np.asarray(np.square(t[box]) * bare[box], np.float32)
    normal = own.normal[box]
    normal[..., 0] += np.float32(TURNED) * much * right
    normal[..., 1] -= np.float32(TURNED) * much * down
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6))
    own.albedo[box] *= 1 - much[..., None] * np.array(DIMMED, np.float32)


def drawn_over(own: Figure, part: Kept, hands: F32, k: float) -> None:
    """A wrap spans the hollow between jaw and throat instead of lining it, and a hand goes on into its wrist: smooth form, in place.

    `hands` f32[h, w] is what was read as hands: their form ends there in a step, though the arm goes on.
    """
    _smooth(own, step(part.wrap, 0.3, 0.8), step(part.below, -0.08, 0.04), 0.07 * k, k)
    near = blur(np.clip(hands, 0, 1), 0.05 * k)
    _smooth(own, step(part.hands, 0.3, 0.8), np.asarray(step(near * (1 - near), 0.05, 0.16), np.float32), 0.07 * k, k)


def _smooth(own: Figure, part: F32, where: F32, sigma_px: float, k: float) -> None:
    """Blur depth and facing among `part` f32[h, w], in place, as far as `where` f32[h, w] says."""
    under = part * where
    rows, columns = np.flatnonzero((under > 0.01).any(1)), np.flatnonzero((under > 0.01).any(0))
    if len(rows) < 3 or len(columns) < 3:
        return
    m = round(0.2 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    weight = part[box] * (own.matte[box] > 0.5)
    form = np.dstack([own.normal[box], own.depth[box]])
    broad = blur(form * weight[..., None], sigma_px) / np.maximum(blur(weight, sigma_px), np.float32(1e-3))[..., None]
    form += (under[box] * weight)[..., None] * (broad - form)
    own.normal[box] = form[..., :3] / np.maximum(np.linalg.norm(form[..., :3], axis=2, keepdims=True), 1e-6)
    own.depth[box] = form[..., 3]
