"""Laws of the plane of focus: sharp at the eyes, softer the further behind, and light is only moved about."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.darkroom import planes
from lowkey.pixels import F32

H, W, HW = 1000, 800, 230.0


def head() -> tuple[F32, F32, F32]:
    """Depth, matte and eyes f32[h, w] of a disc whose left half lies in the eyes' plane, and its right half a head-width behind."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    matte = np.asarray(np.hypot(x - 400, y - 500) < 250, np.float32)
    depth = np.where(x < 400, 0.4, -0.6).astype(np.float32)
    eyes = np.asarray(np.hypot(x - 300, y - 450) < 15, np.float32)
    return np.where(matte > 0, depth, -3).astype(np.float32), matte, eyes


def test_the_eyes_plane_is_sharp_and_what_lies_behind_is_as_soft_as_a_lens_draws_it() -> None:
    soft = planes.softness(*head(), HW)
    assert soft[450, 300] == 0
    assert soft[500, 200] == 0
    behind = planes.FAR_HW * (1 - np.exp(-(1.0 - planes.SHARP_HW) / planes.FAR_HW))
    assert soft[500, 600] == pytest.approx(planes.APERTURE * HW * behind / 4, rel=0.02)
    # The outline is as soft as what ends there; far from it the room is left alone.
    assert soft[500, 651] == pytest.approx(soft[500, 640], rel=0.1)
    assert soft[500, 700] == 0


def test_softness_follows_the_frames_size() -> None:
    depth, matte, eyes = (np.ascontiguousarray(m[::2, ::2]) for m in head())
    assert planes.softness(depth, matte, eyes, HW / 2)[250, 300] == pytest.approx(planes.softness(*head(), HW)[500, 600] / 2, rel=0.03)


def test_light_is_neither_made_nor_lost_and_a_flat_field_stays_flat() -> None:
    sigma = np.full((120, 160), 1.1, np.float32)
    flat = np.full((120, 160, 3), 0.37, np.float32)
    assert planes.focused(flat, sigma) == pytest.approx(flat, abs=1e-5)
    point = np.zeros((120, 160, 3), np.float32)
    point[60, 80] = 1
    got = planes.focused(point, sigma)
    assert got.sum(axis=(0, 1)) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("wanted", [0.5, 1.0, 2.0])
def test_a_point_spreads_by_its_own_sigma(wanted: float) -> None:
    point = np.zeros((1000, 41, 3), np.float32)
    point[500, 20] = 1
    got = planes.focused(point, np.full((1000, 41), wanted, np.float32))[..., 0]
    x = np.arange(41) - 20
    assert np.sqrt((got.sum(0) * x * x).sum()) == pytest.approx(wanted, rel=0.08)


def test_nobody_in_the_frame_leaves_it_as_it_is() -> None:
    nil = np.zeros((50, 60), np.float32)
    scene = np.random.default_rng(1).random((50, 60, 3), np.float32)
    assert not planes.softness(nil - 3, nil, nil, 50.0).any()
    assert planes.focused(scene, nil) is scene


def test_an_outline_is_lost_in_the_dark_and_kept_in_the_light() -> None:
    sigma, solid = np.zeros((1000, 80), np.float32), np.zeros((1000, 80), np.float32)
    solid[:, 40:] = 1
    for radiance, most in ((0.01, planes.LOST_PX), (0.3, 0.0)):
        soft = planes.lost(sigma, solid, np.full_like(solid, radiance), 1.0)
        assert soft[500, 39:41] == pytest.approx(most, abs=0.05)
        assert soft[500, [10, 70]] == pytest.approx(0, abs=1e-3)
