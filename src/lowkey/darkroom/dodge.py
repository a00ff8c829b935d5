"""Dodging and burning, as a printer does under the enlarger: a hand between for the lit eye's socket, a holed card for a hot plane.

Film and paper hold less than a face in raking light has: the corner of an eye that the lamp misses prints as a hole. What is done
is broad, within a stop and a half, and never where the picture is meant to be dark (Adams 1983, "The Print").
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import EYES
from lowkey.plate.zones import ramp as step

SOCKET_HW = (0.03, 0.14)
"""How far beyond the lids the hand's shadow is whole, and ends."""
LIT, DEEP = 0.60, 0.18
"""A socket is dodged where the skin round it has this share of the face's lit level, toward that share of the skin round it."""
DODGED = 2.6
"""Most that dodging brightens (1.4 stops)."""
CHEEKS = ((111, 118, 120, 100, 142, 203, 206, 216, 212, 214, 192, 123, 116),
          (340, 347, 349, 329, 371, 423, 426, 436, 432, 434, 416, 352, 345))  # fmt: skip
"""Mesh points round each cheek: under the eye, beside the nose, down a smile's fold, up before the ear."""
HOLLOW_HW, HOLLOW, EVENED, MOST = 0.22, 0.70, 0.5, 1.8
"""Width under which what is dark between lit skin on both sides is a hollow of it: a smile's, a bag's; the share of its shores' light under
which it is dodged, the power of that by which, and the most. A mesh's hollow has no edge, as a fold of skin has: it prints as a smudge."""
HOT, BURNED = 1.7, 0.5
"""From how many times the lit level on a broad plane of skin is burned in, and the power to which what is over it is brought back."""
WHITE, WHITE_HELD = 0.95, 0.75
"""Most of the face's lit level that the white of an eye may reach before it is burned in, and the share of what is over it (in log)."""
BROAD_HW, NEAR_HW = 0.022, 0.14
"""Over what (sigma) a plane or a socket is read, so that no pore and no shine counts, and what is round it."""


def sockets(landmarks_px: F32, hw_px: float, size_px: tuple[int, int]) -> tuple[F32, F32]:
    """A soft mask f32[h, w] round each eye; `landmarks_px` f32[478, 2] in the frame, `size_px` (width, height)."""
    masks = []
    for rim in EYES:
        away = np.full((size_px[1], size_px[0]), 255, np.uint8)
        cv2.fillConvexPoly(away, cv2.convexHull(np.round(landmarks_px[list(rim), :2]).astype(np.int32)), 0)
        far = cv2.distanceTransform(away, cv2.DIST_L2, 5) / np.float32(hw_px)
        masks.append(freeze(np.asarray(1 - step(far, *SOCKET_HW), np.float32)))
    return masks[0], masks[1]


def cheeks(landmarks_px: F32, hw_px: float, size_px: tuple[int, int]) -> F32:
    """A soft mask f32[h, w] of both cheeks; `landmarks_px` f32[478, 2] in the frame, `size_px` (width, height)."""
    mask = np.zeros((size_px[1], size_px[0]), np.uint8)
    for ring in CHEEKS:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(landmarks_px[list(ring), :2]).astype(np.int32)), 1)
    return freeze(blur(mask.astype(np.float32), 0.02 * hw_px))


def held(person: F32, face: F32, eyes: F32, around: Sequence[F32], hw_px: float, cheek: F32 | None = None) -> F32:
    """The factor f32[h, w, 1] of dodging and burning on the lit person f32[h, w, 3].

    `face` f32[h, w] is bare skin of the face, `eyes` what lies between the lids (only burned in), `around` each eye's socket, `cheek`
    f32[h, w] both cheeks, whose hollows are dodged.
    """
    h, w = face.shape
    q = 2 if hw_px < 240 else 4
    size, k = ((w + q - 1) // q, (h + q - 1) // q), hw_px / q
    light, skin, open_ = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (luminance(person), face, eyes))
    bare = np.asarray(np.clip(skin - open_, 0, 1), np.float32)
    lit = light[bare > 0.9]
    if lit.size < 200:
        return np.ones((h, w, 1), np.float32)
    lit = lit[lit > 0.2 * np.percentile(lit, 98)]
    level = float(np.median(lit))

    def among(sigma: float) -> F32:
        return np.asarray(blur(light * bare, sigma) / np.maximum(blur(bare, sigma), np.float32(0.02)), np.float32)

    near, wide = np.maximum(among(BROAD_HW * k), np.float32(1e-5 * level)), among(NEAR_HW * k)
    factor = np.power(np.maximum(near / np.float32(HOT * level), 1), np.float32(BURNED - 1)) * bare + (1 - bare)
    reached = step(wide / np.float32(level), 0.5 * LIT, LIT)
    lift = np.minimum(np.power(np.maximum(np.float32(DEEP) * wide / near, 1), np.float32(0.7)), DODGED)
    if cheek is not None:
        factor *= 1 + cv2.resize(cheek, size, interpolation=cv2.INTER_AREA) * (_hollows(near, bare, level, k) - 1)
    for mask in around:
        factor *= 1 + cv2.resize(mask, size, interpolation=cv2.INTER_AREA) * reached * (lift - 1)
    factor = blur(np.asarray(factor, np.float32), 0.012 * k)
    white = blur(light * open_, 0.008 * k) / np.maximum(blur(open_, 0.008 * k), np.float32(0.05))
    burned = np.power(np.maximum(white / np.float32(WHITE * level), 1), np.float32(-WHITE_HELD))
    factor *= 1 + open_ * (burned - 1)
    return np.asarray(cv2.resize(factor, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)[..., None]


def _hollows(near: F32, bare: F32, level: float, k: float) -> F32:
    """By what f32[h, w] is brightened that is dark in a broad light `near` f32[h, w] between `bare` skin f32[h, w] lit on all its sides.

    The terminator, and what lies beyond it, is open to the dark and stays.
    """
    side = 2 * round(0.5 * HOLLOW_HW * k) + 1
    shores = cv2.morphologyEx(near * bare, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    lift = np.clip(np.power(np.maximum(np.float32(HOLLOW) * shores / near, 1), np.float32(EVENED)), 1, MOST)
    return np.asarray(1 + step(np.asarray(shores / np.float32(level), np.float32), 0.5 * LIT, LIT) * bare * (lift - 1), np.float32)
