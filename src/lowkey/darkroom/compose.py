"""Who crops: from a framing's wishes to a placement the photo can really fill."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lowkey.frame import Framing, Placement
from lowkey.pixels import F32
from lowkey.plate.meshes import OUTER_CORNERS
from lowkey.plate.plate import Plate

CROWN_OVER_MESH = 1.3
"""Head height, chin to crown, over the height of the face mesh (the mesh ends at the hairline)."""


TALL, WIDE_FW = 1.09, 0.72
"""Hair over the head's own height, and its breadth in a frame, from which a frame steps back: big hair that crowds the edges was the one
thing that made blind jurors choose a smaller head; cropped ones they want as they are."""
CUT_FH = 0.03
"""How much further than the photo a frame cuts into a head that the photo has cut."""
EYES_FH, CLOSER = 0.315, 1.16
"""Where the eyes of a head whose crown is cut lie at least, under the frame's top edge, and how much closer a frame goes for it at most: a
close portrait has them near the upper third; high up, they stand over a dead chest."""


@dataclass(frozen=True)
class Head:
    """The head in plate pixels, read from the mesh; hair counts through `top_px`."""

    x_px: float
    y_px: float
    height_px: float
    top_px: float
    """Row of the highest hair or hat above the face."""
    left_px: float
    right_px: float


def head_of(plate: Plate) -> Head:
    """Where the head is: mesh for its size, matte for how far hair or a hat reaches."""
    xy = plate.landmarks[:, :2]
    top, bottom = float(xy[:, 1].min()), float(xy[:, 1].max())
    height = CROWN_OVER_MESH * (bottom - top)
    x = float((xy[:, 0].min() + xy[:, 0].max()) / 2)
    # Rows above the chin in a column two head-widths wide: enough for an afro, not for a raised arm at the frame's edge.
    x0, x1 = max(int(x - 1.1 * plate.hw_px), 0), int(x + 1.1 * plate.hw_px)
    solid = plate.matte[: max(int(bottom), 1), x0:x1] > 0.5
    rows, cols = np.flatnonzero(solid.sum(1) > 0.08 * plate.hw_px), np.flatnonzero(solid.sum(0) > 0.08 * plate.hw_px)
    crown = float(rows[0]) if rows.size else bottom - height
    left, right = (x0 + float(cols[0]), x0 + float(cols[-1])) if cols.size else (x - plate.hw_px / 2, x + plate.hw_px / 2)
    return Head(x, bottom - height / 2, height, min(crown, bottom - height), left, right)


def place(plate: Plate, framing: Framing, size_px: tuple[int, int], *, anew: bool = False) -> Placement:
    """Plate pixels to frame pixels for a frame of ``(width, height)``.

    The framing's head size and place are wishes. Hair keeps its head room, and a side or top at which the photo cuts
    the person is never shown from beyond: the frame moves, then tightens, until it lies inside. Below, the body goes on.
    Clothes cut `anew` go on at the sides as well, under shoulders that the photo need not show.
    """
    w, h = size_px
    if framing.source:
        scale = w / plate.photo.size_px[0]
        half = (scale - 1) / 2  # pixel centres: the photo's corner must land on the frame's corner
        return Placement(scale, half, half) @ plate.window.inverse()
    head = head_of(plate)
    scale = framing.head_height_fh * h / head.height_px
    # Big hair is given room by stepping back, down to three quarters of the wished size.
    tall = (head.y_px + head.height_px / 2 - head.top_px) / head.height_px
    wide = (head.right_px - head.left_px) * scale / w
    scale *= float(np.clip(min(TALL / max(tall, TALL), WIDE_FW / max(wide, WIDE_FW)), 0.75, 1.0))
    rows = (int((0 - framing.head_centre[1] * h) / scale + head.y_px), int((1 - framing.head_centre[1]) * h / scale + head.y_px))
    left, top, right = _edges(plate)
    counted = _without_clothes(plate, int(head.y_px + head.height_px / 2)) if anew else plate.matte
    cut_left, cut_right, cut_top = _cut(plate, counted, rows, left, top, right)
    if cut_left and cut_right:
        scale = max(scale, w / (right - left))
    if cut_top:
        eyes = float(plate.landmarks[list(OUTER_CORNERS), 1].mean()) - top
        scale *= float(np.clip((EYES_FH + CUT_FH) * h / max(scale * eyes, 1.0), 1.0, CLOSER))
    tx = framing.head_centre[0] * w - scale * head.x_px
    ty = framing.head_centre[1] * h - scale * head.y_px
    crown_row = scale * head.top_px + ty
    if not cut_top and crown_row < 0.045 * h:
        ty += min(0.045 * h - crown_row, 0.09 * h)
    if cut_left:
        tx = min(tx, -scale * left)
    if cut_right:
        tx = max(tx, w - scale * right)
    if cut_top:
        # A head cut by a hair's breadth looks like a mistake; cut plainly it is a close portrait.
        ty = min(ty, -scale * top - CUT_FH * h)
    return Placement(float(scale), float(tx), float(ty))


def _edges(plate: Plate) -> tuple[int, int, int]:
    """The photo's left, top and right edges in plate pixels, where they lie within the plate; else the plate's own."""
    pw, ph = plate.photo.size_px
    w, _ = plate.size_px
    first, last = plate.window.points(np.array([[0, 0], [pw - 1, ph - 1]], np.float32))
    return max(math.ceil(first[0]), 0), max(math.ceil(first[1]), 0), min(math.floor(last[0]) + 1, w)


def _without_clothes(plate: Plate, chin: int) -> F32:
    """The person f32[h, w] without what is worn below the row of the `chin`."""
    bare: F32 = plate.matte.copy()
    bare[max(chin, 0) :] -= plate.parts["cloth"][max(chin, 0) :]
    return bare


def _cut(plate: Plate, aside: F32, rows: tuple[int, int], left: int, top: int, right: int) -> tuple[bool, bool, bool]:
    """Whether the photo cuts `aside` f32[h, w] at its left and right (within the rows shown), and the person at its top."""
    shown = slice(max(rows[0], 0), max(rows[1], 1))

    def cut(border: F32) -> bool:
        return bool((border > 0.5).sum() > 0.06 * plate.hw_px)

    at_left, at_right = cut(aside[shown, left : left + 3].mean(1)), cut(aside[shown, right - 3 : right].mean(1))
    return at_left, at_right, cut(plate.matte[top : top + 3].mean(0))
