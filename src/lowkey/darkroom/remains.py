"""Remains of the old room: pieces of it that were taken for hair, within a curl or behind a nape, are opened.

A solver calls what locks enclose hair. Under another lamp such a piece is a flat slab of the old wall's colour. What a reader of hair
needs a way in from outside for (`plate/airy`) is told here by colour alone, and so only where room and hair are worlds apart, and only
where the piece is broader than any lit strand.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

ROOM_HW, OWN_HW = 0.15, 0.12
"""How far away (sigma) the old room is looked for, and how far round itself hair."""
APART = (1.2, 1.8)
"""Log ratio, in the channel where it is greatest, of the room's colour to the hair's at which the two begin to be told apart, and are."""
LIKE = (0.25, 0.40)
"""Distance from the room's colour, as a share of that ratio, up to which a pixel is the room's, and from which it is not."""
BROAD_HW, LEAST_HW2 = 0.010, 0.003
"""Half of how broad a piece is at least, and its area (squared head-widths): a lock in the light of the old room may be as pale, and a
parting, and they are smaller."""
AROUND_HW = 0.014
"""How far a piece's soft border reaches."""


def opened(plate: Plate) -> Plate:
    """The plate without what the old room left in its hair; on eleven of twelve heads nothing."""
    small = cv2.resize(plate.parts["hair"], None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA) > 0.02
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    if len(rows) < 3 or len(columns) < 3:
        return plate
    m = round(ROOM_HW * plate.hw_px / 8)
    box = np.s_[8 * max(rows[0] - m, 0) : 8 * (rows[-1] + m + 1), 8 * max(columns[0] - m, 0) : 8 * (columns[-1] + m + 1)]
    shape = plate.matte[box].shape
    # What is broad is told at half size.
    k, size = plate.hw_px / 2, (max(shape[1] // 2, 2), max(shape[0] // 2, 2))
    photo = np.ascontiguousarray(plate.window.warp(plate.photo.linear(), plate.size_px)[box])
    mapped = (photo, plate.matte[box], plate.parts["hair"][box], plate.inside[box])
    photo, matte, hair, inside = (np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32) for a in mapped)
    like = _like_the_room(np.log(np.maximum(photo, np.float32(2e-3))), matte, hair, inside, k)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(BROAD_HW * k), 1) + 1,) * 2)
    core = cv2.morphologyEx((like > 0.3).astype(np.uint8), cv2.MORPH_OPEN, disc)
    _, names, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] > LEAST_HW2 * k * k
    large[0] = False
    core = large[names].astype(np.uint8)
    if not core.any():
        return plate
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(AROUND_HW * k), 1) + 1,) * 2)
    piece = np.maximum(blur(np.asarray(core, np.float32), 1.0), step(like, 0.05, 0.4) * cv2.dilate(core, around))
    gone = cv2.resize(np.asarray(piece, np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    whole, own, ground = (np.array(a) for a in (plate.matte, plate.parts["hair"], plate.parts["background"]))
    lost = own[box] * gone
    own[box] -= lost
    whole[box] = np.maximum(whole[box] - lost, 0)
    ground[box] = 1 - whole[box]
    return replace(plate, matte=freeze(whole), parts=dict(plate.parts) | {"hair": freeze(own), "background": freeze(ground)})


def _like_the_room(log: F32, matte: F32, hair: F32, inside: F32, k: float) -> F32:
    """How surely a pixel of `hair` f32[h, w] has the colour of the room beside it, f32[h, w], from log colour `log` f32[h, w, 3]."""
    room = np.asarray((blur(matte, 0.01 * k) < 0.02) * inside, np.float32)
    sure = np.asarray(hair > 0.95, np.float32)
    seen, mass = blur(room, ROOM_HW * k), blur(sure, OWN_HW * k)
    of_room = blur(log * room[..., None], ROOM_HW * k) / np.maximum(seen, np.float32(1e-3))[..., None]
    of_hair = blur(log * sure[..., None], OWN_HW * k) / np.maximum(mass, np.float32(1e-3))[..., None]
    apart = np.abs(of_room - of_hair).max(-1)
    near = np.abs(log - of_room).max(-1) / np.maximum(apart, np.float32(0.1))
    known = (seen > 0.02) & (mass > 0.03) & (hair > 0.5)
    return np.asarray(known * step(apart, *APART) * (1 - step(near, *LIKE)), np.float32)
