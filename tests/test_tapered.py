"""The ends of hair: below the jaw they thin out and darken, above it and behind a garment nothing changes, and a mirror changes nothing."""

from __future__ import annotations

import numpy as np

from lowkey.darkroom import neck, tapered
from lowkey.darkroom.neck import Kept
from lowkey.pixels import F32
from lowkey.plate.plate import Plate
from test_dress import HW, person


def hanging() -> tuple[Plate, Kept, F32]:
    """A long-haired person, what is kept of it, and its albedo."""
    plate = person(long_hair=True)
    kept = neck.keep(plate).below_row(0)
    return plate, kept, np.array(plate.albedo)


def test_ends_thin_out_and_darken_below_the_jaw_and_nothing_does_above_the_nose() -> None:
    plate, part, albedo = hanging()
    before, tone = np.array(part.head), np.array(albedo)
    tapered.taper(part, albedo, np.zeros_like(part.head), plate, 1.0)
    gone = before - part.head
    assert gone.min() >= -1e-6
    ended = (gone > 0.5) & (part.hair > 0.5)
    assert ended.sum() > 0.005 * HW * HW
    high = np.arange(len(before)) < plate.landmarks[2, 1]
    assert np.array_equal(before[high], part.head[high])
    assert np.array_equal(tone[high], albedo[high])
    assert (albedo <= tone + 1e-6).all()
    lowest = (part.hair > 0.9) & (part.below > 0.3)
    assert lowest.sum() > 0.01 * HW * HW
    assert np.median(albedo[lowest] / np.maximum(tone[lowest], 1e-4)) < 0.95


def test_hair_that_goes_on_behind_a_garment_ends_nowhere() -> None:
    plate, part, albedo = hanging()
    before = np.array(part.head)
    hidden = np.asarray(np.broadcast_to((np.arange(len(before)) > plate.landmarks[152, 1])[:, None], before.shape), np.float32)
    tapered.taper(part, albedo, np.ascontiguousarray(hidden), plate, 1.0)
    still = (hidden > 0.5) & (part.hair > 0.9)
    assert still.sum() > 0.01 * HW * HW
    assert np.abs(part.head - before)[still].max() < 0.05


def test_strands_are_as_long_as_the_one_they_run_into() -> None:
    solid = np.zeros((40, 9), bool)
    solid[5:30, 3:6] = True
    nil, one = np.zeros((40, 9), np.float32), np.ones((40, 9), np.float32)
    left = tapered._left(solid, np.zeros_like(solid), nil, one, 100.0)
    np.testing.assert_allclose(left[5:30, 4], np.arange(25, 0, -1) / 100.0, rtol=1e-5)
    assert left[~solid].max() == 0
    behind = np.zeros_like(solid)
    behind[30:] = True
    assert tapered._left(solid, behind, nil, one, 100.0)[29, 4] == 1.0
