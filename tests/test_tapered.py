"""The ends of hair: below the jaw they thin out and darken, above it and behind a garment nothing changes, and a mirror changes nothing."""

from __future__ import annotations

import numpy as np

from lowkey.darkroom import neck, tapered
from lowkey.darkroom.neck import Bust, Kept
from lowkey.pixels import F32
from lowkey.plate.plate import Plate
from test_dress import HW, person


def hanging() -> tuple[Plate, Kept, F32, Bust, F32]:
    """A long-haired person, what is kept of it, its albedo, its measures, and no neck made anew."""
    plate = person(long_hair=True)
    kept = neck.keep(plate)
    return plate, kept.below_row(0), np.array(plate.albedo), neck.measure(plate, kept.wrap), np.zeros_like(plate.matte)


def test_ends_thin_out_and_darken_below_the_jaw_and_nothing_does_above_the_nose() -> None:
    plate, part, albedo, bust, none = hanging()
    before, tone = np.array(part.head), np.array(albedo)
    tapered.taper(part, albedo, np.zeros_like(part.head), plate, bust, none)
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
    plate, part, albedo, bust, none = hanging()
    before = np.array(part.head)
    hidden = np.asarray(np.broadcast_to((np.arange(len(before)) > plate.landmarks[152, 1])[:, None], before.shape), np.float32)
    tapered.taper(part, albedo, np.ascontiguousarray(hidden), plate, bust, none)
    still = (hidden > 0.5) & (part.hair > 0.9)
    assert still.sum() > 0.01 * HW * HW
    assert np.abs(part.head - before)[still].max() < 0.05


def test_strands_are_as_long_as_the_one_they_run_into() -> None:
    solid = np.zeros((40, 9), bool)
    solid[5:30, 3:6] = True
    nil, one = np.zeros((40, 9), np.float32), np.ones((40, 9), np.float32)
    no = np.zeros_like(solid)
    left = tapered._left(solid, no, no, 0, nil, one, 100.0)
    np.testing.assert_allclose(left[5:30, 4], np.arange(25, 0, -1) / 100.0, rtol=1e-5)
    assert left[~solid].max() == 0
    behind = np.zeros_like(solid)
    behind[30:] = True
    assert tapered._left(solid, behind, no, 0, nil, one, 100.0)[29, 4] == 1.0


def test_hair_goes_on_behind_the_flank_of_a_neck_as_far_as_beside_it_and_ends_on_a_shoulder() -> None:
    """Hair right of a neck that grows broader downward: strands that run into its skin are as long as those that hang free beside them."""
    y, x = np.mgrid[:60, :40]
    skin = x < 10 + 0.5 * y
    solid = ~skin & (y < 50) & (x < 38)
    nil, one = np.zeros((60, 40), np.float32), np.ones((60, 40), np.float32)
    no = np.zeros_like(solid)
    left = tapered._left(solid, no, skin & (y < 50), 0, nil, one, 100.0)
    free = np.asarray(50 - y, np.float32) / 100
    assert np.abs(left - free)[solid].max() < 0.02
    # Its rag, with no hair beside it further down, ends where it does.
    tuft = solid & (y < 20)
    assert np.abs(tapered._left(tuft, no, skin & (y < 50), 0, nil, one, 100.0) - (20 - y) / 100)[tuft].max() < 0.02


def test_no_slit_of_a_neck_made_anew_shows_between_strands() -> None:
    k = 160.0
    hair, stays, over = np.ones((3, 60, 80), np.float32)
    stays[10:, 20:23], stays[10:, 50:75], over[:, 40:] = 0, 0, 0
    stays[10:, 44:46] = 0
    joined = tapered._joined(stays, hair, over, k)
    assert joined[:, 20:23].min() > 0.9
    # Over the room it stays open, and so does what is wider than a slit.
    assert max(joined[20:, 45].max(), joined[20:, 60].max()) == 0
    over[:] = 1
    assert tapered._joined(stays, hair, over, k)[20:, 60].max() == 0
