"""A photo is developed before it is read: only one that no light explains, and then as a camera would have."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import bust
from lowkey.photo import Photo
from lowkey.pixels import F32, luminance, srgb_encode
from lowkey.plate import balance, undertone
from lowkey.plate.faces import Face

K = 96.0
SKIN = np.array([0.52, 0.33, 0.24], np.float32)


def shot(skin: F32, white: float = 0.9, gains: tuple[float, float, float] = (1, 1, 1)) -> tuple[Photo, Face]:
    """The bust's face in one colour before a wall, with a white patch, all of it multiplied by `gains`."""
    _, _, label = bust.rays(K)
    linear = np.full((*label.shape, 3), 0.1, np.float32)
    linear[label > 0] = skin
    linear[:20, :40] = white
    codes = srgb_encode(np.clip(linear * np.array(gains, np.float32), 0, 1))
    points = bust.landmarks(K)
    return Photo(np.asarray(np.round(codes * 255), np.uint8), "00" * 32), face_of(points)


def face_of(points: F32) -> Face:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return Face(1, (float(low[0]), float(low[1]), float(high[0]), float(high[1])), 1.0, points, 0.0)


def tint_of(linear: F32) -> NDArray[np.float64]:
    """CIE a*, b* f64[1, 2] of a linear colour f32[3] at the level where skins are compared."""
    return undertone.ab(np.asarray(linear[None] * (undertone.LEVEL / luminance(linear[None])[0]), np.float32))


def gains(photo: Photo, face: Face, *, coloured: bool = True) -> tuple[tuple[float, float, float], list[str]]:
    found, said = balance.read(photo, face, coloured=coloured)
    return found, [caution.code for caution in said]


@pytest.mark.parametrize("skin", [SKIN, (0.11, 0.06, 0.04), (0.75, 0.58, 0.47), (0.48, 0.25, 0.14)])
def test_a_photo_of_skin_is_left_as_it_is_to_the_bit(skin: F32) -> None:
    photo, face = shot(np.asarray(skin, np.float32))
    assert gains(photo, face) == (balance.AS_IT_IS, [])
    assert balance.developed(photo, balance.AS_IT_IS) is photo


@pytest.mark.parametrize("stops", [2.0, 3.0])
def test_a_dark_photo_is_exposed_and_keeps_its_colour(stops: float) -> None:
    photo, face = shot(SKIN, gains=(2**-stops,) * 3)
    found, said = gains(photo, face)
    assert said == ["underexposed"]
    assert found[0] == found[1] == found[2]
    assert np.log2(found[0]) == pytest.approx(stops - np.log2(0.9 / balance.MEANT), abs=0.05)
    seen = balance.developed(photo, found).linear()
    assert balance.size(found, seen[150, 140]) == pytest.approx((np.log2(found[0]), 0), abs=0.01)
    assert np.percentile(luminance(seen), balance.WHITEST) == pytest.approx(balance.MEANT, rel=0.02)
    one, two = tint_of(SKIN), tint_of(seen[150, 140])
    assert undertone.apart(one, two)[0] < 1.5


@pytest.mark.parametrize("cast", [(1.5, 0.9, 0.12), (0.72, 1.0, 1.45)])
def test_a_cast_no_skin_has_is_taken_off_as_one_gain_a_channel(cast: tuple[float, float, float]) -> None:
    photo, face = shot(SKIN, gains=cast)
    found, said = gains(photo, face)
    assert said == []
    seen = balance.developed(photo, found).linear()[150, 140]
    (own,), (was,), (tint,) = (tint_of(colour) for colour in (SKIN, SKIN * np.array(cast, np.float32), seen))
    _, moved = balance.size(found, seen)
    assert moved == pytest.approx(undertone.apart(was[None], tint[None])[0], abs=0.6)
    assert undertone.apart(own[None], tint[None])[0] < 0.67 * undertone.apart(own[None], was[None])[0]
    assert balance.PALE - 1 < np.hypot(*tint) < balance.PUREST[0]


def test_a_photo_without_colour_is_given_none() -> None:
    grey = np.full(3, 0.3, np.float32)
    photo, face = shot(grey)
    assert gains(photo, face, coloured=False) == (balance.AS_IT_IS, [])
    found, _ = gains(photo, face, coloured=True)
    assert found != balance.AS_IT_IS


def test_what_is_done_grows_from_nothing() -> None:
    """No step at either bound: a photo just beyond it is hardly changed."""
    for chroma in (balance.PALEST[1] - 0.01, balance.PUREST[0] + 0.01):
        skin = undertone.at_level(np.array([[chroma * np.cos(0.9), chroma * np.sin(0.9)]]))[0]
        photo, face = shot(np.asarray(skin, np.float32))
        found, said = gains(photo, face)
        assert said == []
        assert found == pytest.approx(balance.AS_IT_IS, abs=0.06)
