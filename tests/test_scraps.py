"""Scraps beside the face go to what lies round them; an ear and a lock are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowkey.darkroom import scraps
from lowkey.pixels import F32, freeze
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, person


def beside(radius: float) -> tuple[Plate, F32]:
    """A person with a patch of hair beside the face and, in its middle, a piece of skin of `radius` hw; where that piece is."""
    plate = person(turn=0.0)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    away = np.hypot(x - (EYE_X + 0.72 * HW), y - (CHIN_Y - 0.62 * HW)) / np.float32(HW)
    patch, piece = np.asarray(away < 0.2, np.float32), np.asarray(away < radius, np.float32)
    parts = {name: np.array(part) for name, part in plate.parts.items()}
    for part in parts.values():
        part *= 1 - patch
    parts["hair"] += patch * (1 - piece)
    parts["skin"] += piece
    own = np.where(piece[..., None] > 0, np.array((0.5, 0.2, 0.1), np.float32), np.array((0.2, 0.19, 0.17), np.float32))
    albedo = np.array(plate.albedo) + patch[..., None] * (own - plate.albedo)
    frozen = {name: freeze(part) for name, part in parts.items()}
    matte = freeze(np.maximum(plate.matte, patch))
    return replace(plate, parts=frozen, matte=matte, albedo=freeze(np.asarray(albedo, np.float32))), piece


def test_a_fleck_of_skin_in_hair_is_hair_and_an_ear_stays() -> None:
    plate, fleck = beside(0.04)
    got = scraps.healed(plate)
    middle = fleck > 0
    assert got.parts["hair"][middle].min() > 0.9
    red = got.albedo[middle]
    assert (red[:, 0] / red[:, 1]).max() < 1.3
    plate, ear = beside(0.14)
    got = scraps.healed(plate)
    assert got.parts["skin"][ear > 0].min() > 0.9
