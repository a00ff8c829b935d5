"""The wide blur against the exact one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lowkey.gaussian import blur

SIGMAS = (0.8, 3.0, 6.0, 9.5, 13.0, 40.0)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_step_and_a_ramp_come_out_as_from_the_exact_gaussian(sigma: float) -> None:
    """Odd sizes on purpose: the smaller grid does not fit them."""
    y, x = np.mgrid[:299, :333].astype(np.float32)
    for picture in ((x > 140).astype(np.float32), (y + 0.5 * x > 200).astype(np.float32), x / 333):
        exact = cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        off = np.abs(blur(picture, sigma) - exact)
        m = int(min(2 * sigma, 80))
        assert off[m:-m, m:-m].max() < 0.003
        assert off.max() < 0.03


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_point_keeps_its_light_its_place_and_its_width(sigma: float) -> None:
    picture = np.zeros((401, 397), np.float32)
    picture[205, 190] = 1
    got = blur(picture, sigma)
    y, x = np.mgrid[:401, :397]
    mass = got.sum()
    assert mass == pytest.approx(1, abs=2e-3)
    assert ((got * x).sum() / mass, (got * y).sum() / mass) == pytest.approx((190, 205), abs=0.5 * sigma / 3)
    assert np.sqrt((got * (x - 190) ** 2).sum() / mass) == pytest.approx(sigma, rel=0.05)


def test_channels_are_blurred_alike_and_a_constant_stays() -> None:
    picture = np.random.default_rng(2).random((120, 90, 3)).astype(np.float32)
    got = blur(picture, 9.0)
    for c in range(3):
        assert np.allclose(got[..., c], blur(np.ascontiguousarray(picture[..., c]), 9.0), atol=1e-6)
    assert np.allclose(blur(np.full((57, 41), 0.3, np.float32), 20.0), 0.3, atol=1e-6)
