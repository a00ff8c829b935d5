"""Flyaways: hairs that the photo shows before a plain ground are read; a ground's own lines are not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import flyaways
from lowkey.photo import Photo
from lowkey.pixels import F32
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, person

HAIRS = [(EYE_X + d * HW, CHIN_Y - 1.66 * HW) for d in (-0.2, -0.1, 0.05, 0.15, 0.25)]


def before(ground: F32, *, hairs: bool) -> Plate:
    """A person with black hair before a `ground` f32[h, w] (codes), with or without single hairs that stand off the crown."""
    plate = person(turn=0.0)
    picture = np.where(plate.matte > 0.5, 25, ground).astype(np.float32)
    if hairs:
        for x, y in HAIRS:
            cv2.line(picture, (round(x), round(y + 0.05 * HW)), (round(x + 4), round(y - 0.13 * HW)), 70.0, 1)
    pixels = np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, 2)
    return replace(plate, photo=Photo(pixels, "1" * 64))


def crown(found: F32 | None) -> F32:
    assert found is not None
    y = round(CHIN_Y - 1.76 * HW)
    return np.asarray(found[y - 2 : y + 3, round(EYE_X - 0.4 * HW) : round(EYE_X + 0.4 * HW)].max(0), np.float32)


def test_hairs_before_a_plain_ground_are_read_and_nothing_else() -> None:
    plain = np.full(person().matte.shape, 190, np.float32)
    assert crown(flyaways.read(before(plain, hairs=False))).max() < 0.02
    row = crown(flyaways.read(before(plain, hairs=True)))
    assert (row > 0.2).sum() >= len(HAIRS)
    assert np.median(row) < 0.02


def test_a_ground_with_lines_of_its_own_says_nothing() -> None:
    x = np.arange(person().matte.shape[1], dtype=np.float32)
    striped = np.broadcast_to(190 - 90 * (x % 9 < 1), person().matte.shape).astype(np.float32)
    assert crown(flyaways.read(before(striped, hairs=True))).max() < 0.05


def test_a_groove_that_goes_on_is_the_walls() -> None:
    wall = np.full(person().matte.shape, 190, np.float32)
    y = round(CHIN_Y - 1.0 * HW)
    wall[y : y + 2] = 90
    found = flyaways.read(before(wall, hairs=False))
    assert found is not None
    assert found[y - 1 : y + 3].max() < 0.05


def test_a_hair_out_of_focus_ends_softly_on_both_sides() -> None:
    plate = before(np.full(person().matte.shape, 190, np.float32), hairs=True)
    soft = cv2.GaussianBlur(plate.photo.pixels, (0, 0), 0.8)
    row = crown(flyaways.read(replace(plate, photo=Photo(soft, "2" * 64))))
    crest = row.max()
    # Flat from side to side it would be a strip: half of what covers anything is in the middle of a hair, the rest fades.
    assert 0.3 < (row > 0.7 * crest).sum() / (row > 0.05).sum() < 0.7
    assert row[row > 0.05].min() < 0.6 * crest
