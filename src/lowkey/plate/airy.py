"""Airy hair: where a light room shows between the outer strands, alpha is read off the room's own colour.

A network calls loose hair before a pale wall solid, and the solver believes it: under another lamp the wall then stands round the hair as a
pale border, cut out. What is as near the room's colour as no hair hereabouts is room (after Ruzon & Tomasi 2000, one Gaussian for the room;
hair has too many tones for one). The gaps between locks are dark, so only a room lighter than the hair is told from them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, added, luminance
from lowkey.plate.zones import ramp

BAND_HW = (0.09, 0.15)
"""How deep within the outline the room is looked for at all, and no more."""
DEEP_HW = (0.09, 0.15)
"""From how deep within the outline hair is hair."""
ROOM_HW = (0.04, 0.35)
NEARBY_HW = 0.12
APART = (4.0, 7.0)
"""Distance of hair from the room, over the room's own deviation, at which the room begins to be known, and is."""
NOISE = 1e-3
"""Variance of square-root colour that any room has."""
LIGHTER = (0.8, 1.2)
"""The room's luminance over that of the hair's lighter strands at which the two begin to be told apart, and are."""
PLAIN = (10.0, 20.0)
"""The same where no strand can be taken for room: there it is told however deep it lies within the hair."""
OPEN = (0.25, 0.80)
"""Distance from the room's colour, over the least that hair hereabouts has, at which there is no hair, and nothing else."""
MASS = (0.02, 0.08)
"""Share of what lies hereabouts that is hair deep within, from which it is known what hair is: thin hair is left alone."""
FULL_HW2 = (0.6, 1.2)
"""Area of hair, squared head-widths, up to which it is cropped or thin, its rim of any colour, and from which it is a full head."""
MISTAKEN = (0.04, 0.12)
"""Share of such hair that would be taken for the room at which the room is told no longer."""
STEP = 4

EVEN, WINDOW_HW2 = (0.045, 0.065), 4e-4
"""Deviation of square-root colour up to which a room is a plain wall, and from which it is none; the least area of a window in a curl."""
DARKER, FRAMED, SAME = 0.5, 0.7, (0.70, 1.15)
"""How light the hair round a window may be at most (60th percentile, over the wall); the share of what lies round it that must be hair;
and the window's own light over the wall's. Of fourteen portraits one has such windows; a shine on blond hair has .55 round it and more, a
room of many tones none."""
ROUND_HW = 0.02


def thinned(alpha: F32, colour: F32, seen: F32, hair: F32, hw_px: float) -> tuple[F32, F32]:
    """Alpha f32[h, w] with the room taken out of loose hair, and the person's own colour f32[h, w, 3] there.

    `seen` f32[h, w, 3] is the photo, scene-linear; `hair` f32[h, w] is hair's share of the person.
    """
    small = _small(np.asarray(hair * alpha, np.float32))
    full = float(ramp(np.array([small.sum() * STEP**2 / hw_px**2], np.float32), *FULL_HW2)[0])
    if full == 0:
        return alpha, colour
    # Hair and the room round it.
    m = round(ROOM_HW[1] * hw_px / STEP) + 1
    rows, cols = np.flatnonzero((small > 0.1).any(1)), np.flatnonzero((small > 0.1).any(0))
    box = np.s_[STEP * max(rows[0] - m, 0) : STEP * (rows[-1] + 1 + m), STEP * max(cols[0] - m, 0) : STEP * (cols[-1] + 1 + m)]
    there, its, photo, mass = (np.ascontiguousarray(a[box]) for a in (alpha, colour, seen, hair))
    found = _thinned(there, its, photo, mass, hw_px, full)
    if found is None:
        return alpha, colour
    new, own = alpha.copy(), colour.copy()
    new[box], own[box] = found
    return new, own


def _thinned(alpha: F32, colour: F32, seen: F32, hair: F32, hw_px: float, full: float) -> tuple[F32, F32] | None:
    """The same for a box round the hair, `full` (0..1) as its head is; nothing where no room is told from it."""
    inner = (alpha > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inner, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)
    within = np.asarray(within / np.float32(hw_px), np.float32)
    asked = (within > -0.02) & (hair > 0.25) & (alpha > 0.02)

    # What varies slowly is learned on a coarse grid.
    root, size = np.sqrt(np.maximum(seen, 0)).astype(np.float32), alpha.shape[::-1]
    small, depth, part = (_small(m) for m in (root, within, np.asarray(hair * alpha, np.float32)))
    k = hw_px / STEP
    far = ((-depth > ROOM_HW[0]) & (-depth < ROOM_HW[1])).astype(np.float32)
    room, deviation, mass = _room(small, far, k)
    deep = part * ramp(depth, *DEEP_HW)
    off = np.sqrt(added((small - room) ** 2))
    grey = luminance(small * small)
    moments, wide = _hereabouts(np.dstack([off, off * off, grey, grey * grey]), deep, k)
    mean, own = np.asarray(moments[..., 0], np.float32), blur(deep, NEARBY_HW * k)
    tone = moments[..., 2] + np.sqrt(np.maximum(moments[..., 3] - moments[..., 2] ** 2, 0))
    least = np.asarray(mean - 0.5 * np.sqrt(np.maximum(moments[..., 1] - mean * mean, 0)), np.float32)
    lighter = luminance(room * room) / np.maximum(tone, np.float32(1e-3))
    plain = ramp(lighter, *PLAIN)
    known = np.maximum(ramp(own, *MASS), plain * ramp(wide, 0.02, 0.06))
    belief = ramp(least / deviation, *APART) * ramp(lighter, *LIGHTER) * known * ramp(mass, 0.004, 0.02) * np.float32(full)
    # Where hair deep within has the room's colour too (white hair in the sun), none is told from it.
    wrong, _ = _hereabouts((off < np.float32(0.5) * least).astype(np.float32)[..., None], deep, k)
    belief = belief * (1 - ramp(wrong[..., 0], *MISTAKEN))
    belief = np.asarray(belief * (1 - (1 - plain) * ramp(depth, *BAND_HW)), np.float32)
    if belief.max() <= 0:
        return None

    maps = (room, least, belief, plain)
    wall, least, belief, plain = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_LINEAR), np.float32) for m in maps)
    # What is lighter even than such a room is a lighter place of it.
    apart = root - wall
    apart -= np.maximum(apart, 0) * plain[..., None]
    distance = np.sqrt(added(apart**2)) / np.maximum(least, np.float32(1e-3))
    solid = ramp(cv2.GaussianBlur(np.asarray(distance, np.float32), (0, 0), 1.0), *OPEN)
    share = np.asarray(belief * asked * ramp(hair, 0.25, 0.5), np.float32)
    new = np.asarray(np.minimum(alpha, 1 - share * (1 - solid)), np.float32)
    return new, _own(colour, seen, np.asarray(wall * wall, np.float32), new, np.asarray(alpha - new > 0.02))


def opened(alpha: F32, colour: F32, seen: F32, hair: F32, hw_px: float) -> tuple[F32, F32]:
    """Alpha f32[h, w] with windows in a mass of dark curls open through which a plain light wall is seen, and the colour there.

    They lie too deep to be judged by their distance from the outline; but all that is round them is hair, and they are the wall.
    """
    inner = (alpha > 0.5).astype(np.uint8)
    outside = np.asarray(cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5) / np.float32(hw_px), np.float32)
    root, k = np.sqrt(np.maximum(seen, 0)).astype(np.float32), hw_px / STEP
    small, away = _small(root), _small(outside)
    far = ((away > ROOM_HW[0]) & (away < ROOM_HW[1])).astype(np.float32)
    room, deviation, mass = _room(small, far, k)
    plain = 1 - ramp(deviation, *EVEN)
    plain *= (luminance(room * room) > 0.25) & (mass > 0.004)
    if plain.max() <= 0:
        return alpha, colour
    maps = (room, np.asarray(plain, np.float32))
    wall, sure = (np.asarray(cv2.resize(m, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32) for m in maps)
    light = luminance(root * root) / np.maximum(luminance(wall * wall), np.float32(1e-3))
    candidates = (light > SAME[0]) & (light < SAME[1]) & (np.minimum(hair, alpha) > 0.6) & (sure > 0)
    count, label, measured, _ = cv2.connectedComponentsWithStats(candidates.astype(np.uint8))
    side, new = 2 * round(ROUND_HW * hw_px) + 1, alpha.copy()
    for number in range(1, count):
        x, y, w, h, area = (int(v) for v in measured[number])
        if area < WINDOW_HW2 * hw_px**2:
            continue
        there = np.s_[max(y - side, 0) : y + h + side, max(x - side, 0) : x + w + side]
        one = (label[there] == number).astype(np.uint8)
        near = cv2.dilate(one, np.ones((side, side), np.uint8))
        ring = (near > one) & (label[there] == 0)
        if not ring.any() or float((hair[there] * alpha[there])[ring].mean()) < FRAMED:
            continue
        dark = float(np.percentile(light[there][ring], 60))
        if dark > DARKER:
            continue
        solid = 1 - ramp(np.asarray((light[there] - dark) / (SAME[0] + 0.1 - dark), np.float32), 0.1, 1.0)
        new[there] = np.minimum(new[there], 1 - sure[there] * near * hair[there] * (1 - solid))
    return new, _own(colour, seen, np.asarray(wall * wall, np.float32), new, np.asarray(alpha - new > 0.02))


def _room(root: F32, far: F32, k: float) -> tuple[F32, F32, F32]:
    """The room's square-root colour f32[h, w, 3], its deviation, and how much of it is hereabouts, from where `far` f32[h, w] says."""
    room, mass = _hereabouts(root, far, k)
    square, _ = _hereabouts(root * root, far, k)
    return room, np.sqrt(added(np.maximum(square - room * room, 0)) + np.float32(NOISE)), mass


def _hereabouts(values: F32, weight: F32, k: float) -> tuple[F32, F32]:
    """Mean of values f32[h, w, n] where `weight` f32[h, w] says, and how much of it there is; far off, of what is nearest."""
    near, far = blur(weight, NEARBY_HW * k), blur(weight, 3 * NEARBY_HW * k)
    mass = np.asarray(near + np.float32(0.05) * far, np.float32)
    total = blur(values * weight[..., None], NEARBY_HW * k).reshape(values.shape)
    total = total + np.float32(0.05) * blur(values * weight[..., None], 3 * NEARBY_HW * k).reshape(values.shape)
    return np.asarray(total / np.maximum(mass, np.float32(1e-4))[..., None], np.float32), mass


def _small(m: F32) -> F32:
    h, w = m.shape[:2]
    return np.asarray(cv2.resize(m, (max(w // STEP, 2), max(h // STEP, 2)), interpolation=cv2.INTER_AREA), np.float32)


def _own(colour: F32, seen: F32, wall: F32, alpha: F32, changed: NDArray[np.bool_]) -> F32:
    """Colour f32[h, w, 3] with the wall's light taken out where alpha was `changed`: light mixes linearly."""
    out = colour.copy()
    a = np.maximum(alpha[changed], np.float32(0.25))[:, None]
    out[changed] = np.maximum((seen[changed] - (1 - a) * wall[changed]) / a, 0)
    return out
