"""Blotches of hue on skin: they fade, luminance stays, and what is no bare skin is left alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import bust
from lowkey.darkroom import hues
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate

HW = 240.0


@pytest.fixture(scope="module")
def plain() -> Plate:
    return bust.plate(HW)


def blotched(plate: Plate, apart_hw: float, blue: float = -0.2) -> Plate:
    """The same with blotches so far apart, .2 deep in log red and `blue` in log blue at the same luminance, all over it."""
    ys, xs = np.mgrid[0 : plate.matte.shape[0], 0 : plate.matte.shape[1]].astype(np.float32) * np.float32(2 * np.pi / (apart_hw * HW))
    tone = plate.albedo * np.array([1.0, 0.7, 0.5], np.float32)
    red = tone.copy()
    red *= np.exp(np.array([0.2, 0.0, blue], np.float32) * (np.sin(xs) * np.sin(ys))[..., None])
    red *= (luminance(tone) / np.maximum(luminance(red), np.float32(1e-4)))[..., None]
    return replace(plate, albedo=np.asarray(red, np.float32))


def calmed(plate: Plate) -> F32:
    albedo = plate.albedo.copy()
    hues.calmed(albedo, plate)
    return albedo


def test_what_was_done_is_told(plain: Plate) -> None:
    """Blotches .2 deep either way in log: their crests lose CALMED of that, which is said in stops; even skin is left, and nothing said."""
    before = blotched(plain, 0.20)
    told = hues.calmed(before.albedo.copy(), before)
    assert told == pytest.approx(hues.CALMED * 0.2 / np.log(2), rel=0.25)
    assert hues.calmed(plain.albedo.copy(), plain) < 0.01


def inner(plate: Plate) -> np.ndarray:
    """Skin an eighth of a head-width from anything else, bool[h, w]."""
    return np.asarray(cv2.erode((plate.parts["skin"] > 0.9).astype(np.uint8), np.ones((61, 61), np.uint8)) > 0)


def deviation(albedo: F32, plate: Plate) -> float:
    skin = inner(plate)
    return float(np.log(albedo[skin][:, 0] / albedo[skin][:, 1]).std())


def test_blotches_fade_by_their_share(plain: Plate) -> None:
    """A fifth of a head-width apart they lie between FINE_HW and BROAD_HW: what is left is 1 - CALMED."""
    before = blotched(plain, 0.20)
    left = deviation(calmed(before), before) / deviation(before.albedo, before)
    assert left == pytest.approx(1 - hues.CALMED, abs=0.05)


def test_what_is_redder_as_blood_is_stays(plain: Plate) -> None:
    """Redder and not yellower: the red half of such blotches is a person's own, the pale half fades."""
    before = blotched(plain, 0.20, blue=0.0)
    after, skin = calmed(before), inner(plain)
    was, now = (np.log(one[skin][:, 0] / one[skin][:, 1]) for one in (before.albedo, after))
    middle = float(np.log(1 / 0.7))
    assert float(np.percentile(now, 99) - middle) > 0.9 * float(np.percentile(was, 99) - middle)
    assert float(np.percentile(now, 1) - middle) > 0.5 * float(np.percentile(was, 1) - middle)


def test_a_face_that_turns_from_one_hue_to_another_stays_so(plain: Plate) -> None:
    """Three head-widths long it is broader than BROAD_HW: most of it stays, where three quarters of a blotch go."""
    before = blotched(plain, 3.0)
    assert deviation(calmed(before), before) > 0.7 * deviation(before.albedo, before)


def test_luminance_stays(plain: Plate) -> None:
    before = blotched(plain, 0.10)
    np.testing.assert_allclose(luminance(calmed(before)), luminance(before.albedo), rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("part", ["lips", "brows", "hair", "eyes"])
def test_only_bare_skin_is_told(plain: Plate, part: str) -> None:
    before = blotched(plain, 0.10)
    all_ = replace(before, parts={**before.parts, part: np.ones_like(before.matte)})
    np.testing.assert_array_equal(calmed(all_), before.albedo)
