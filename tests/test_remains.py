"""Remains of the old room: what it left within hair is opened; what is pale in hair for another reason stays."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from lowkey.darkroom import remains
from lowkey.frame import Placement
from lowkey.pixels import F32
from lowkey.plate.plate import Plate

HW, SIDE = 200.0, 480
WHITE, BROWN, FLAT = (0.9, 0.9, 0.95), (0.045, 0.03, 0.02), (0.10, 0.08, 0.06)


@dataclass(frozen=True)
class Head:
    """What of a plate is read."""

    hw_px: float
    matte: F32
    parts: dict[str, F32]
    inside: F32
    window: Placement
    size_px: tuple[int, int]
    photo: Any


def opened(room: tuple[float, ...], patch: tuple[float, ...], half_hw: tuple[float, float]) -> tuple[F32, F32]:
    """What is left of a disc of brown hair before a `room`, with a block of `patch` near its outline; and where that block is."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    hair = np.asarray(np.hypot(x - 240, y - 240) < 0.7 * HW, np.float32)
    block = (np.abs(x - 240) < half_hw[0] * HW) & (np.abs(y - 140) < half_hw[1] * HW)
    photo = np.where(hair[..., None] > 0, np.float32(BROWN), np.float32(room)).astype(np.float32)
    photo[block] = patch
    source = SimpleNamespace(linear=lambda: photo)
    head = Head(HW, hair, {"hair": hair, "background": 1 - hair}, np.ones_like(hair), Placement(1, 0, 0), (SIDE, SIDE), source)
    got = remains.opened(cast(Plate, head))
    assert np.allclose(got.parts["background"], 1 - got.matte)
    assert np.array_equal(got.matte[~block & (hair == 0)], hair[~block & (hair == 0)])
    return np.asarray(got.matte, np.float32), np.asarray(block, np.float32)


def test_a_piece_of_the_wall_within_hair_is_opened_and_no_hair_with_it() -> None:
    matte, block = opened(WHITE, WHITE, (0.05, 0.05))
    assert matte[block > 0].mean() < 0.1
    assert matte[200:280, 200:280].min() == 1
    assert matte[110:126, 232:248].min() > 0.9


def test_lit_strands_partings_and_rooms_like_hair_stay() -> None:
    for room, patch, half in (
        (WHITE, WHITE, (0.006, 0.08)),  # a strand in the light
        (WHITE, WHITE, (0.02, 0.02)),  # too small to be told from a gleam
        (WHITE, FLAT, (0.05, 0.05)),  # not the room's colour
        (FLAT, FLAT, (0.05, 0.05)),  # a room that is no other than hair
    ):
        matte, block = opened(room, patch, half)
        assert matte[block > 0].min() > 0.99, (room, patch, half)
