"""Where a wrap meets the face: the proof holds the mesh's outline for the face's, and of a turned head that runs on under the cloth.

What lies there has the wrap's colour and was called skin: it would be evened out like skin, gleam and let the lamp glow through it, a burnt
seam along the cheek. Between skin further in and cloth further out the nearer colour decides; what is like neither and lies between them,
the shade under a rim or the edge of a cap worn under it, is the wrap's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.features import BROWS
from lowkey.plate.meshes import EYES, OVAL
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
LAID, DARKER, SHADED = (0.27, 0.31), (0.0, 0.06), (0.20, 0.28)
"""Stops of hue alone from skin at which what leans away from the wrap's own colour is a rim of another cloth, and by how much darker than
skin (TONE of its stops) that has to be and may be. A brown under-scarf beside mauve lies .30 to .42 in hue, .05 to .20 in tone and -.1 to
.1 in place; a forehead in the wrap's shade reddens too, .2 to .3 where it is as dark, and one in the light is lighter than the cheek."""
BETWEEN = (-0.20, -0.08)
"""How much darker (TONE of its stops) than strip and skin their shade is, and what else lies beside a strip."""
STRIP, STRIP_COUNTS, STRIP_NEAR = 0.9, 0.05, (0.002, 0.008)
"""Share of cloth from which a strip too narrow to be sound, but joined to what is, tells the wrap's colour; how little against that; and
how much of it within twice WIDE_HW is enough (a strip .06 hw wide all along: .08)."""

CLOSED_HW, CLOSED = (0.06, 0.20), 0.8
"""How far beside the face's outline, between nose and mouth, a wrap that closes lies, and how much of what lies there it is."""
BROW_HW, SMOOTH_HW = 0.03, 0.014
"""How far round a brow no rim lies, and over what (sigma) the line between face and wrap is straightened."""
SEAM_HW, BAY_HW = 0.014, 0.20
"""Half the width of a seam between rim and wrap, and the radius up to which a bay that a brow's end makes in a rim is closed."""


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
    # Beyond the outline nobody is: neither counts there.
    person = np.asarray(s + c, np.float32)
    share = np.asarray(c / np.maximum(person, np.float32(0.02)), np.float32)
    strips, usual = _strips(c, sound), []
    for sure in (np.asarray((s > 0.97) & (deep > DEEP_HW), np.float32), np.maximum(sound, np.float32(STRIP_COUNTS) * strips)):
        mass = np.asarray(blur(sure, WIDE_HW * k) + np.float32(1e-3) * blur(sure, 4 * WIDE_HW * k), np.float32)
        total = blur(look * sure[..., None], WIDE_HW * k) + np.float32(1e-3) * blur(look * sure[..., None], 4 * WIDE_HW * k)
        usual.append((total / np.maximum(mass, np.float32(1e-6))[..., None], mass))
    (face, near_face), (wrap, near_wrap) = usual
    across = wrap - face
    away = np.asarray(np.sqrt((across**2).sum(-1)), np.float32)
    place = ((look - face) * across).sum(-1) / np.maximum(away * away, np.float32(1e-3))
    brows, eyes = (_round(rings, (landmarks[:, :2] - corner) / np.float32(n), s.shape, BROW_HW * k) for rings in (BROWS, EYES))
    # Lids and brows of a far eye reach up to a strip; what is darker than strip and skin is the shade between them.
    between = ramp(look[..., 0] - np.minimum(face[..., 0], wrap[..., 0]), *BETWEEN)
    sure, beside = ramp(near_wrap, 0.01, 0.05), ramp(blur(strips, 2 * WIDE_HW * k), *STRIP_NEAR) * between
    apart = ramp(away, *APART) * ramp(near_face, 1e-6, 1e-5) * (1 - ramp(deep, 0.8 * DEEP_HW, DEEP_HW))
    told, reach = apart * np.maximum(sure, beside * ~(brows | eyes)), apart * np.maximum(sure, beside)
    taken = np.asarray(told * ramp(place, *PLACE), np.float32)
    # Only what hangs together with the wrap: lips and brows lie apart from it.
    _, piece = cv2.connectedComponents(((taken > 0.3) | (c > 0.5)).astype(np.uint8), connectivity=4)
    taken *= np.isin(piece, np.unique(piece[sound]))
    beyond = cv2.distanceTransform((np.maximum(taken, c) < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    # A forehead in the light is unlike a cheek, too, but away from the wrap.
    unlike = np.asarray(np.sqrt(((look - face) ** 2).sum(-1)), np.float32)
    strange = ramp(unlike, *STRANGE) * ramp(place, 0.0, 0.12)
    dark = face[..., 0] - look[..., 0]
    hue = np.asarray(np.hypot(look[..., 1] - face[..., 1], look[..., 2] - face[..., 2]), np.float32)
    strange = np.maximum(strange, ramp(hue, *LAID) * ramp(dark, *DARKER) * (1 - ramp(dark, *SHADED)))
    # Beside a mere strip the shade of a cheek that turns away would be a rim.
    rim = np.asarray(apart * sure * strange * (1 - ramp(beyond, *RIM_HW)), np.float32)
    rim[brows] = 0
    level = np.maximum(np.maximum(taken, rim), share)
    # Half of a rim and half of a wrap may look like skin, and a brow that ends at a rim is no bay in it.
    half = np.asarray(cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    bay = cv2.resize(_closed(half, BAY_HW * k / 2), level.shape[::-1], interpolation=cv2.INTER_LINEAR) * reach
    seam = _closed(level, SEAM_HW * k) * reach
    level = np.maximum(level, np.where(brows, bay, seam))
    # A hem is a smooth line.
    level = blur(np.asarray(level * person, np.float32), SMOOTH_HW * k) / np.maximum(blur(person, SMOOTH_HW * k), np.float32(0.02))
    taken = np.clip((0.5 + 2.5 * (level - 0.5) - share) / np.maximum(1 - share, np.float32(0.02)), 0, 1) * reach
    taken = np.maximum(taken, _beside(s, c, (landmarks[:, :2] - corner) / np.float32(n), k))
    moved = own * np.clip(cv2.resize(taken, own.shape[::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    skin, cloth = skin.copy(), cloth.copy()
    skin[box] -= moved
    cloth[box] += moved
    return skin, cloth


def _round(rings: tuple[tuple[int, ...], ...], mesh: F32, shape: tuple[int, ...], margin: float) -> NDArray[np.bool_]:
    """bool `shape`: within rings of points of the mesh f32[n, 2], px, and a `margin` round them."""
    there = np.zeros(shape, np.uint8)
    for ring in rings:
        hull = cv2.convexHull(np.round(mesh[list(ring)]).astype(np.int32))
        cv2.polylines(cv2.fillConvexPoly(there, hull, 1), [hull], True, 1, round(2 * margin))
    return np.asarray(there > 0)


def _closed(level: F32, radius: float) -> F32:
    """`level` f32[h, w] with what a disc of `radius` px cannot enter filled."""
    side = 2 * max(round(radius), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(level, cv2.MORPH_CLOSE, disc), np.float32)


def _strips(cloth: F32, sound: NDArray[np.bool_]) -> F32:
    """1 f32[h, w] within narrow strips of cloth f32[h, w] that hang together with what is `sound` bool[h, w].

    Of a wrap that closes round a turned head no more than a strip is seen beside the far cheek.
    """
    inner = cv2.erode(cloth, np.ones((3, 3), np.uint8)) > STRIP
    _, piece = cv2.connectedComponents((cloth > 0.5).astype(np.uint8), connectivity=4)
    return np.asarray(inner & np.isin(piece, np.unique(piece[sound & (piece > 0)])), np.float32)


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
