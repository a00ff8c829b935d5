"""Two halves of a face: what a hard light left dark on one alone goes, what both have stays, and a soft light's face is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import bust
from lowkey.darkroom import halves
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate

HW = 200.0


def stained(hard: bool, *, both: bool) -> tuple[Plate, F32, F32]:
    """A face with a stain beside its nose, or one on each side; masks of the left one and of clean skin."""
    plate = bust.plate(HW)
    plate = replace(plate, found_light=replace(plate.found_light, hard=hard))
    h, w = plate.matte.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    u, v = (x - (w - 1) / 2) / np.float32(HW), -(y - (h - 1) / 2) / np.float32(HW)
    sides = (-1, 1) if both else (-1,)
    spots = [np.hypot(u - 0.24 * side, v - 0.25) < 0.09 for side in sides]
    stain = np.maximum.reduce(spots)
    albedo = np.asarray(plate.albedo * np.where(stain, 0.6, 1)[..., None], np.float32)
    clean = (np.abs(u) < 0.35) & (np.abs(v - 0.35) < 0.4) & ~stain
    return replace(plate, albedo=freeze(albedo)), np.asarray(np.hypot(u + 0.24, v - 0.25) < 0.05, np.float32), np.asarray(clean, np.float32)


def test_a_stain_on_one_half_goes_and_the_other_half_keeps_its_tone() -> None:
    plate, stain, clean = stained(True, both=False)
    after = np.array(plate.albedo)
    added = halves.evened(after, plate)
    lack = np.log(0.5 / 0.3)
    assert 0.4 * lack < np.log(np.median(luminance(after)[stain > 0]) / 0.3) < lack - 0.8 * halves.OWN
    np.testing.assert_allclose(np.median(luminance(after)[clean > 0]), 0.5, rtol=0.02)
    np.testing.assert_allclose(np.log(luminance(after) / np.maximum(luminance(plate.albedo), 1e-6))[stain > 0], added[stain > 0], atol=1e-3)


def test_what_both_halves_have_stays_and_soft_light_leaves_nothing_to_even() -> None:
    plate, stain, _ = stained(True, both=True)
    after = np.array(plate.albedo)
    halves.evened(after, plate)
    assert np.median(luminance(after)[stain > 0]) < 1.1 * 0.3
    soft, _, _ = stained(False, both=False)
    after = np.array(soft.albedo)
    assert not halves.evened(after, soft).any()
    np.testing.assert_array_equal(after, soft.albedo)
