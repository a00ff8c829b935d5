"""Light from skin to skin: against the closed form of two facing walls, and nothing on what faces away."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lowkey.darkroom import bounce
from lowkey.pixels import F32

N, HW = 121, 80.0


def trough(slope_deg: float) -> tuple[F32, F32]:
    """A valley f32[n, n] (hw) whose two flanks rise by this angle, and its unit normals f32[n, n, 3]."""
    x = (np.arange(N, dtype=np.float32) - N // 2) / np.float32(HW)
    a = math.radians(slope_deg)
    depth = np.repeat((np.abs(x) * math.tan(a))[None], N, 0)
    normal = np.zeros((N, N, 3), np.float32)
    normal[..., 0] = -np.sign(x)[None] * math.sin(a)
    normal[..., 2] = math.cos(a)
    return np.ascontiguousarray(depth, np.float32), normal


def lit_right(depth: F32) -> F32:
    radiance = np.zeros((*depth.shape, 3), np.float32)
    radiance[:, N // 2 + 1 :] = (1.0, 0.6, 0.4)
    return radiance


HALF = np.full((N, N), 0.5, np.float32)


def test_a_dark_flank_gets_what_its_form_factor_says_from_the_lit_one() -> None:
    # Two long half planes that meet under an opening of 90 degrees: seen from one, the other fills (1 - cos 90) / 2 of the view, all
    # of it near the fold; cut at a reach of R it is less further up.
    depth, normal = trough(45.0)
    got = bounce.returned(depth, normal, lit_right(depth), HALF, HW)[N // 4]
    near = got[N // 4 - 3, 0] / bounce.AGAIN
    assert 0.25 < near < 0.55
    assert got[N // 4 - 12, 0] < 0.75 * got[N // 4 - 3, 0]


def test_it_takes_the_colour_of_what_gives_it() -> None:
    depth, normal = trough(45.0)
    got = bounce.returned(depth, normal, lit_right(depth), HALF, HW)[N // 4, N // 4 - 3]
    np.testing.assert_allclose(got / got[0], (1.0, 0.6, 0.4), rtol=1e-4)


def test_a_plane_a_ridge_and_the_open_sky_get_nothing() -> None:
    flat = np.zeros((N, N), np.float32)
    up = np.zeros((N, N, 3), np.float32)
    up[..., 2] = 1
    assert bounce.returned(flat, up, lit_right(flat), HALF, HW).max() == 0
    depth, normal = trough(-30.0)
    assert bounce.returned(depth, normal, lit_right(depth), HALF, HW).max() == pytest.approx(0, abs=1e-6)
    depth, normal = trough(45.0)
    assert bounce.returned(depth, normal, lit_right(depth), np.ones((N, N), np.float32), HW).max() == 0
