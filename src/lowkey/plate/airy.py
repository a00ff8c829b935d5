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
from lowkey.pixels import F32, luminance
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
LIGHTER = (1.0, 1.5)
"""The room's luminance over the hair's at which the two begin to be told apart, and are."""
OPEN = (0.25, 0.80)
"""Distance from the room's colour, over the least that hair hereabouts has, at which there is no hair, and nothing else."""
STEP = 4


def thinned(alpha: F32, colour: F32, seen: F32, hair: F32, hw_px: float) -> tuple[F32, F32]:
    """Alpha f32[h, w] with the room taken out of loose hair, and the person's own colour f32[h, w, 3] there.

    `seen` f32[h, w, 3] is the photo, scene-linear; `hair` f32[h, w] is hair's share of the person.
    """
    inner = (alpha > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inner, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)
    within = np.asarray(within / np.float32(hw_px), np.float32)
    asked = (within > -0.02) & (within < BAND_HW[1]) & (hair > 0.3) & (alpha > 0.02)
    if asked.sum() < 100:
        return alpha, colour

    # What varies slowly is learned on a coarse grid.
    root, size = np.sqrt(np.maximum(seen, 0)).astype(np.float32), alpha.shape[::-1]
    small, depth, part = (_small(m) for m in (root, within, np.asarray(hair * alpha, np.float32)))
    k = hw_px / STEP
    far = ((-depth > ROOM_HW[0]) & (-depth < ROOM_HW[1])).astype(np.float32)
    mass = np.maximum(blur(far, NEARBY_HW * k), np.float32(1e-4))[..., None]
    room = blur(small * far[..., None], NEARBY_HW * k) / mass
    square = blur(small * small * far[..., None], NEARBY_HW * k) / mass
    deviation = np.sqrt(np.maximum(square - room * room, 0).sum(-1) + np.float32(NOISE))
    deep = part * ramp(depth, *DEEP_HW)
    own = np.maximum(blur(deep, NEARBY_HW * k), np.float32(1e-3))
    off = np.sqrt(((small - room) ** 2).sum(-1))
    mean = blur(off * deep, NEARBY_HW * k) / own
    spread = np.sqrt(np.maximum(blur(off * off * deep, NEARBY_HW * k) / own - mean * mean, 0))
    least = mean - np.float32(0.5) * spread
    tone = blur(luminance(small * small) * deep, NEARBY_HW * k) / own
    belief = ramp(least / deviation, *APART) * ramp(luminance(room * room) / np.maximum(tone, np.float32(1e-3)), *LIGHTER)
    belief = belief * ramp(own, 0.01, 0.05) * ramp(mass[..., 0], 0.01, 0.05)

    wall, least, belief = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_LINEAR), np.float32) for m in (room, least, belief))
    distance = np.sqrt(((root - wall) ** 2).sum(-1)) / np.maximum(least, np.float32(1e-3))
    solid = ramp(cv2.GaussianBlur(np.asarray(distance, np.float32), (0, 0), 1.0), *OPEN)
    share = np.asarray(belief * asked * (1 - ramp(within, *BAND_HW)) * ramp(hair, 0.3, 0.7), np.float32)
    new = np.asarray(np.minimum(alpha, 1 - share * (1 - solid)), np.float32)
    return new, _own(colour, seen, np.asarray(wall * wall, np.float32), new, np.asarray(alpha - new > 0.02))


def _small(m: F32) -> F32:
    h, w = m.shape[:2]
    return np.asarray(cv2.resize(m, (max(w // STEP, 2), max(h // STEP, 2)), interpolation=cv2.INTER_AREA), np.float32)


def _own(colour: F32, seen: F32, wall: F32, alpha: F32, changed: NDArray[np.bool_]) -> F32:
    """Colour f32[h, w, 3] with the wall's light taken out where alpha was `changed`: light mixes linearly."""
    out = colour.copy()
    a = np.maximum(alpha[changed], np.float32(0.25))[:, None]
    out[changed] = np.maximum((seen[changed] - (1 - a) * wall[changed]) / a, 0)
    return out
