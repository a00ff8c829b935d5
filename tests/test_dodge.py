"""Dodging and burning: where, how much at most, and never in what is meant to be dark."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.darkroom import dodge
from lowkey.pixels import F32

H, W, HW = 320, 256, 200.0


def face(light: F32) -> tuple[F32, F32]:
    """A lit grey person f32[h, w, 3] of this luminance, and a face that fills most of the frame."""
    skin = np.zeros((H, W), np.float32)
    skin[20:300, 20:236] = 1
    return np.repeat(light[..., None], 3, -1), skin


def disc(x: float, y: float, radius: float) -> F32:
    ys, xs = np.mgrid[:H, :W]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(xs - x, ys - y), 0, 1), np.float32)


NOTHING = np.zeros((H, W), np.float32)
SOCKET = disc(170, 120, 24)


def factor(light: F32, around: tuple[F32, ...] = (SOCKET,)) -> F32:
    person, skin = face(light)
    return dodge.held(person, skin, NOTHING, around, HW)[..., 0]


def test_an_even_face_is_left_alone() -> None:
    assert factor(np.full((H, W), 0.3, np.float32)) == pytest.approx(np.ones((H, W)), abs=0.02)


def test_a_black_socket_in_the_light_is_dodged_and_no_more_than_that() -> None:
    light = np.full((H, W), 0.3, np.float32) * (1 - 0.97 * disc(170, 120, 14))
    given = factor(light)
    assert 1.5 < given[120, 170] <= dodge.DODGED + 1e-3
    assert given[250, 60] == pytest.approx(1, abs=0.02)
    # A socket that is only half as bright as what is round it has its form, and keeps it.
    soft = factor(np.full((H, W), 0.3, np.float32) * (1 - 0.5 * disc(170, 120, 14)))
    assert soft[120, 170] == pytest.approx(1, abs=0.03)


def test_the_dark_sides_eye_stays_in_the_dark() -> None:
    light = np.where(np.arange(W)[None] > 150, 0.3, 0.004).astype(np.float32) * np.ones((H, 1), np.float32)
    far = disc(60, 120, 24)
    given = factor(light * (1 - 0.9 * disc(60, 120, 14)), (far,))
    assert given[:, :110] == pytest.approx(np.ones((H, 110)), abs=0.02)


def test_a_hot_plane_is_burned_in_by_half_of_what_is_over_and_keeps_its_place() -> None:
    light = np.full((H, W), 0.2, np.float32)
    light[60:140, 30:110] = 0.7
    given = factor(light, ())
    over = 0.7 / (dodge.HOT * 0.2)
    assert given[100, 70] == pytest.approx(over ** (dodge.BURNED - 1), rel=0.1)
    assert light[100, 70] * given[100, 70] > 0.35, "still the brightest plane"
    assert given[250, 180] == pytest.approx(1, abs=0.02)


def test_a_point_of_shine_is_no_plane() -> None:
    light = np.full((H, W), 0.2, np.float32) + 1.0 * disc(80, 200, 1.5)
    assert factor(light, ())[200, 80] > 0.93


def test_a_hollow_in_a_lit_cheek_is_dodged_and_the_terminator_stays() -> None:
    """A smile's hollow of a mesh has no edge: a smudge. What is open to the dark is the picture's own shadow."""
    x = np.arange(W, dtype=np.float32)[None] * np.ones((H, 1), np.float32)
    lit = np.asarray(0.3 / (1 + np.exp((90 - x) / 6)) + 0.004, np.float32)
    away = np.hypot(x - 175, np.arange(H, dtype=np.float32)[:, None] - 160)
    smudge = np.asarray(1 - 0.75 * np.exp(-((away / 9) ** 2) / 2), np.float32)
    person, skin = face(lit * smudge)
    cheek = disc(170, 160, 70)
    plain = dodge.held(person, skin, NOTHING, (), HW)[..., 0]
    given = dodge.held(person, skin, NOTHING, (), HW, cheek)[..., 0]
    assert 1.15 < given[160, 175] / plain[160, 175] <= dodge.MOST
    # It stays the darkest place of its cheek, and nothing else is lifted.
    assert (given * lit * smudge)[160, 175] < 0.8 * (given * lit * smudge)[160, 215]
    assert np.abs(given / plain - 1)[away > 40].max() < 0.03
    outside = dodge.held(person, skin, NOTHING, (), HW, disc(60, 250, 20))[..., 0]
    np.testing.assert_allclose(outside, plain, atol=1e-6)
