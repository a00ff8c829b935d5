"""Where a wrap meets the face: the proof holds the mesh's outline for the face's, and of a turned head that runs on under the cloth.

What lies there has the wrap's colour and was called skin: it would be evened out like skin, gleam and let the lamp glow through it, a burnt
seam along the cheek. Between skin further in and cloth further out the nearer colour decides; what is like neither and lies between them,
the shade under a rim or the edge of a cap worn under it, is the wrap's.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.features import BROWS
from lowkey.plate.meshes import OVAL
from lowkey.plate.zones import ramp

BROW, NOSE, MOUTH = 9, 4, 13
"""Mesh points."""
WORN_HW2 = 0.06
"""Area of cloth over the mouth from which a head is held to be covered."""
TONE = 0.25
"""Share of a difference in tone that counts: the wrap throws shade on the cheek."""
EVEN_HW, WIDE_HW = 0.004, 0.14
"""Over what a colour is judged, and within what (sigma) skin and cloth hereabouts are known."""
DEEP_HW, SOUND_HW = 0.20, 0.03
"""How far within the mesh's outline skin is skin for sure, and how far from its border cloth is cloth."""
APART = (0.25, 0.45)
"""Stops between the two from which they are told apart, and surely."""
PLACE = (0.42, 0.62)
"""Place between skin (0) and cloth (1) from which a pixel is no skin any more, and is cloth."""
STRANGE, RIM_HW = (0.24, 0.36), (0.05, 0.08)
"""Stops from skin at which what lies beside cloth is a rim and no skin, and how far from cloth a rim reaches."""

CLOSED_HW, CLOSED = (0.06, 0.20), 0.8
"""How far beside the face's outline, between nose and mouth, a wrap that closes lies, and how much of what lies there it is."""
BROW_HW, SMOOTH_HW = 0.03, 0.014
"""How far round a brow no rim lies, and over what (sigma) the line between face and wrap is straightened."""


def worn(colour: F32, skin: F32, cloth: F32, landmarks: F32, hw_px: float) -> tuple[F32, F32]:
    """Skin and cloth f32[h, w] with what lies at the face's edge under a wrap made cloth. `colour` f32[h, w, 3] is scene-linear."""
    h, w = skin.shape
    mesh = landmarks[:468, :2]
    m = 0.25 * hw_px
    mouth = float(landmarks[MOUTH, 1])
    rows = slice(int(np.clip(mesh[:, 1].min() - m, 0, h - 1)), int(np.clip(landmarks[152, 1], 1, h)))
    box = rows, slice(int(np.clip(mesh[:, 0].min() - m, 0, w - 1)), int(np.clip(mesh[:, 0].max() + m, 1, w)))
    n = max(1, int(hw_px / 160))
    own, other = skin[box], cloth[box]
    over = max(int(mouth) - rows.start, 0)
    if min(own.shape) < 8 * n or float(other[:over].sum()) < WORN_HW2 * hw_px**2:
        return skin, cloth
    k, size = hw_px / n, (own.shape[1] // n, own.shape[0] // n)
    s, c = (np.asarray(cv2.resize(v, size, interpolation=cv2.INTER_AREA), np.float32) for v in (own, other))
    log = np.log2(np.maximum(cv2.resize(colour[box], size, interpolation=cv2.INTER_AREA), np.float32(4e-3)))
    look = np.dstack([TONE * log[..., 1], log[..., 0] - log[..., 1], log[..., 2] - log[..., 1]]).astype(np.float32)
    look = blur(look, EVEN_HW * k)
    oval = np.zeros(own.shape, np.uint8)
    corner = np.array([box[1].start, rows.start], np.float32)
    cv2.fillPoly(oval, [np.round(landmarks[list(OVAL), :2] - corner).astype(np.int32)], 1)
    deep = cv2.distanceTransform(cv2.resize(oval, size, interpolation=cv2.INTER_NEAREST), cv2.DIST_L2, 5) / np.float32(k)
    side = 2 * max(round(SOUND_HW * k), 1) + 1
    sound = cv2.erode(c, np.ones((side, side), np.uint8)) > 0.97
    usual = []
    for sure in (np.asarray((s > 0.97) & (deep > DEEP_HW), np.float32), np.asarray(sound, np.float32)):
        mass = np.asarray(blur(sure, WIDE_HW * k) + np.float32(1e-3) * blur(sure, 4 * WIDE_HW * k), np.float32)
        total = blur(look * sure[..., None], WIDE_HW * k) + np.float32(1e-3) * blur(look * sure[..., None], 4 * WIDE_HW * k)
        usual.append((total / np.maximum(mass, np.float32(1e-6))[..., None], mass))
    (face, near_face), (wrap, near_wrap) = usual
    across = wrap - face
    away = np.asarray(np.sqrt((across**2).sum(-1)), np.float32)
    place = ((look - face) * across).sum(-1) / np.maximum(away * away, np.float32(1e-3))
    told = ramp(away, *APART) * ramp(near_face, 1e-6, 1e-5) * ramp(near_wrap, 0.01, 0.05) * (1 - ramp(deep, 0.8 * DEEP_HW, DEEP_HW))
    taken = np.asarray(told * ramp(place, *PLACE), np.float32)
    # Only what hangs together with the wrap: lips and brows lie apart from it.
    _, piece = cv2.connectedComponents(((taken > 0.3) | (c > 0.5)).astype(np.uint8), connectivity=4)
    taken *= np.isin(piece, np.unique(piece[sound]))
    beyond = cv2.distanceTransform((np.maximum(taken, c) < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    # A forehead in the light is unlike a cheek, too, but away from the wrap.
    strange = ramp(np.asarray(np.sqrt(((look - face) ** 2).sum(-1)), np.float32), *STRANGE) * ramp(place, 0.0, 0.12)
    rim = told * strange * (1 - ramp(beyond, *RIM_HW))
    for ring in BROWS:
        brow = cv2.convexHull(np.round((landmarks[list(ring), :2] - corner) / n).astype(np.int32))
        rim[cv2.polylines(cv2.fillConvexPoly(np.zeros(s.shape, np.uint8), brow, 1), [brow], True, 1, round(2 * BROW_HW * k)) > 0] = 0
    # A hem is a smooth line.
    level = blur(np.maximum(np.maximum(taken, rim), c).astype(np.float32), SMOOTH_HW * k)
    taken = np.clip((0.5 + 2.5 * (level - 0.5) - c) / np.maximum(1 - c, np.float32(0.02)), 0, 1) * told
    taken = np.maximum(taken, _beside(s, c, (landmarks[:, :2] - corner) / np.float32(n), k))
    moved = own * np.clip(cv2.resize(taken, own.shape[::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    skin, cloth = skin.copy(), cloth.copy()
    skin[box] -= moved
    cloth[box] += moved
    return skin, cloth


def _beside(skin: F32, cloth: F32, mesh: F32, k: float) -> F32:
    """Skin f32[h, w] that lies beside the mesh's outline where a wrap closes: no ear shows there, whatever the colours are.

    Not over the brows: there the mesh ends before the forehead does.
    """
    oval = np.ones(skin.shape, np.uint8)
    cv2.fillPoly(oval, [np.round(mesh[list(OVAL)]).astype(np.int32)], 0)
    out = cv2.distanceTransform(oval, cv2.DIST_L2, 5) / np.float32(k)
    rows, columns = np.arange(len(skin))[:, None], np.arange(skin.shape[1])[None]
    low = (rows > mesh[NOSE, 1]) & (rows < mesh[MOUTH, 1]) & (out > CLOSED_HW[0]) & (out < CLOSED_HW[1])
    level = ramp((rows - mesh[BROW, 1]) / np.float32(k), -0.05, 0.10)
    found = np.zeros_like(skin)
    for side in (columns < mesh[NOSE, 0], columns >= mesh[NOSE, 0]):
        there = low & side
        if there.any() and float(cloth[there].mean()) > CLOSED:
            found = np.where(side, level * ramp(out, 0.005, 0.025), found)
    return np.asarray(found, np.float32)
