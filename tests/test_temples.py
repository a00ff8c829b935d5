"""Laws of temples: cropped hair that a matte bit off comes back up to a skull's line; shade, a wall and pale hair are none."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.pixels import F32
from lowkey.plate import temples

HW, SIZE = 200.0, 420
SKIN, HAIR, WARM_SHADE, BLUE = (
    np.array(c, np.float32) for c in ((0.50, 0.31, 0.20), (0.055, 0.050, 0.047), (0.16, 0.10, 0.06), (0.01, 0.03, 0.20))
)
BITE = np.s_[120:185, 314:324]
"""Where the temple's hair is missing from the matte, at the viewer's right."""


def points() -> F32:
    out = np.zeros((478, 3), np.float32)
    out[:, :2] = (210, 210)
    for side, way in zip(temples.SIDES, (-1, 1), strict=True):
        out[list(side), 0] = 210 + way * np.array([92, 97, 100, 100, 96], np.float32)
        out[list(side), 1] = (130, 165, 185, 220, 250)
    return out


def head(temple: F32 = HAIR, hair: F32 = HAIR) -> tuple[F32, F32, F32, F32]:
    """A head under a crop, bitten where the photo shows `temple`, at the viewer's right: alpha, the photo, skin and hair."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    whole = np.hypot((x - 210) / 114, (y - 200) / 170) < 1
    face = (np.hypot((x - 210) / 100, (y - 220) / 140) < 1) & (y > 90)
    strands = whole & ~face & (y < 215)
    seen = np.where(strands[..., None], hair, np.where(whole[..., None], SKIN, np.float32(0.8))).astype(np.float32)
    alpha = whole.astype(np.float32)
    bite = np.zeros_like(whole)
    bite[BITE] = whole[BITE]
    seen[bite] = temple
    # What a matte lost it doubts.
    alpha[bite] = 0.3
    mine = np.where(strands & ~bite, alpha, 0).astype(np.float32)
    return alpha, seen, np.asarray(alpha - mine, np.float32), mine


def restored(alpha: F32, seen: F32, skin: F32, hair: F32) -> tuple[F32, F32, F32, F32]:
    return temples.restored(alpha, seen, skin, hair, np.zeros_like(alpha), points(), HW)


def test_hair_that_was_bitten_off_a_temple_is_hair_again() -> None:
    before = head()
    alpha, skin, hair, found = restored(*before)
    inner = np.s_[152:178, 314:316]
    assert before[0][inner].max() < 0.35
    assert alpha[inner].min() > 0.9
    assert hair[inner].min() > 0.85
    assert found[inner].min() > 0.6
    np.testing.assert_allclose(skin + hair, alpha, atol=1e-5)


@pytest.mark.parametrize(("temple", "hair"), [(WARM_SHADE, HAIR), (BLUE, HAIR), (HAIR, np.float32(0.55) * np.ones(3, np.float32))])
def test_a_shade_a_blue_wall_and_what_lies_beside_pale_hair_are_none(temple: F32, hair: F32) -> None:
    before = head(temple, hair)
    alpha, skin, mine, found = restored(*before)
    # A pixel beside hair below it has half of that hair's colour.
    bitten = np.s_[122:182]
    assert found[bitten].max() < 0.1
    for old, new in zip((before[0], *before[2:]), (alpha, skin, mine), strict=True):
        np.testing.assert_allclose(new[bitten], old[bitten], atol=0.1)


def test_what_is_covered_and_the_other_side_stay() -> None:
    before = head()
    keep = np.zeros_like(before[0])
    keep[:, 210:] = 1
    alpha, _, _, found = temples.restored(*before, keep, points(), HW)
    assert found[:, 210:].max() == 0
    np.testing.assert_array_equal(alpha[:, 210:], before[0][:, 210:])


@pytest.mark.parametrize(("crop", "whole"), [(True, True), (False, False)])
def test_a_dent_between_a_crop_and_an_ear_is_none(crop: bool, whole: bool) -> None:
    """A bite that nothing in the photo tells from the room; other hair than a crop stands off the skull, and has bays."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    alpha = (np.hypot((x - 210) / 112, (y - 200) / 170) < 1).astype(np.float32)
    alpha[175:215, 310 + 8 :] = 0
    hair = np.asarray(alpha * (y < (120 if crop else 250)), np.float32)
    found = temples.rounded(alpha, hair, points(), HW)
    assert (found[195, 319] > 0.6) == whole
    assert found[:, 335:].max() == 0
    # Far within the line a bay is a bay.
    alpha[175:215, 300:] = 0
    assert temples.rounded(alpha, hair, points(), HW)[195, 312] < 0.1
