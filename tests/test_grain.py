"""Laws of grain: a Boolean model's variance, the aperture law, and how much of it shows at the size people look at."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from lowkey.darkroom import film, grain
from lowkey.rig import Stock
from lowkey.seeds import Streams

PIXEL_UM = 36000 / 1280


@pytest.mark.parametrize("cover", [0.2, 0.5, 0.8])
def test_boolean_variance_is_that_of_thrown_discs(cover: float) -> None:
    # Throw discs of six pixels and measure their cover through square apertures of 16 radii: variance times area tends to the
    # closed-form integral (the aperture's edge takes some per cent of it).
    rng = np.random.default_rng(5)
    side, radius, tile = 1536, 6, 96

    def disc(field: np.ndarray, x: float, y: float) -> None:
        cv2.circle(field, (int(x * 16), int(y * 16)), radius * 16, 1, thickness=cv2.FILLED, shift=4)

    one = np.zeros((64, 64), np.uint8)
    disc(one, 32, 32)
    area = float(one.sum())
    seen = []
    for _ in range(5):
        field = np.zeros((side, side), np.uint8)
        for x, y in rng.uniform(0, side, (rng.poisson(-math.log(1 - cover) * side**2 / area), 2)):
            disc(field, x, y)
        inner = field[tile:-tile, tile:-tile].astype(np.float64)
        n = inner.shape[0] // tile
        seen.append(inner.reshape(n, tile, n, tile).mean((1, 3)).ravel())
    got = np.concatenate(seen)
    assert got.mean() == pytest.approx(cover, abs=0.02)
    expected = grain.boolean_area(cover) * 0.25 * math.pi * (area / math.pi)
    assert got.var() * tile**2 == pytest.approx(expected, rel=0.15)


def test_deviation_is_strongest_in_the_middle_and_gone_at_the_ends() -> None:
    table = grain.deviation_table()
    assert table[0] == pytest.approx(0, abs=1e-3)
    assert table[256] == 0
    assert 96 < int(table.argmax()) < 230
    assert table[128] == 1


@pytest.mark.parametrize("pixel_um", [56.0, 112.0])
def test_aperture_law_of_selwyn(pixel_um: float) -> None:
    # Twice the aperture's side, half the deviation, as long as it is wide against a clump.
    ratio = grain.aperture_sd(0.014, 12, pixel_um) / grain.aperture_sd(0.014, 12, 2 * pixel_um)
    assert ratio == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize("clump_um", [7.0, 12.0, 20.0])
def test_a_print_made_small_has_the_grain_of_a_preview(clump_um: float) -> None:
    h, w = 640, 512
    fine = grain.grain(np.random.default_rng(1), (2 * h, 2 * w), 0.014, clump_um, 0.35, PIXEL_UM / 2)
    small = fine.reshape(h, 2, w, 2, 3).mean((1, 3))
    preview = grain.grain(np.random.default_rng(2), (h, w), 0.014, clump_um, 0.35, PIXEL_UM)
    assert small.std() == pytest.approx(preview.std(), rel=0.10)
    # A further halving makes both nearly white, so there they agree closely.
    half = [x.reshape(h // 4, 4, w // 4, 4, 3).mean((1, 3)).std() for x in (small, preview)]
    assert half[0] == pytest.approx(half[1], rel=0.05)


def test_own_share_of_each_layer() -> None:
    x = grain.grain(np.random.default_rng(3), (400, 400), 0.014, 12, 0.35, PIXEL_UM).reshape(-1, 3)
    together = np.corrcoef(x.T)
    assert together[0, 1] == pytest.approx(1 - 0.35**2, abs=0.01)
    assert together[0, 2] == pytest.approx(1 - 0.35**2, abs=0.01)
    grey = grain.grain(np.random.default_rng(3), (64, 64), 0.014, 12, 0.0, PIXEL_UM)
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_grain_is_fine_at_preview_size() -> None:
    # Correlation with the next pixel but one is nil: clumps are under a pixel in radius, so pores survive.
    x = grain.grain(np.random.default_rng(4), (400, 400), 0.014, 12, 0.35, PIXEL_UM)[..., 1]
    flat = x / x.std()
    assert (flat[:, 1:] * flat[:, :-1]).mean() < 0.30
    assert abs((flat[:, 2:] * flat[:, :-2]).mean()) < 0.02


@pytest.mark.parametrize(
    ("exposure", "low", "high"),
    [(0.0, 0.0, 0.25), (0.004, 0.1, 1.2), (0.03, 0.7, 2.4), (0.15, 2.4, 4.0), (0.35, 2.2, 4.0), (4.0, 0.0, 0.6)],
)
def test_codes_of_grain_at_1024x1280(exposure: float, low: float, high: float) -> None:
    print_ = film.record(np.full((1280, 256, 3), exposure, np.float32), Stock(), Streams(1))
    codes = print_.astype(np.float64)[400:880] / 257 @ np.array([0.2126, 0.7152, 0.0722])
    assert low <= codes.std() <= high


def test_grain_does_not_shift_the_tone() -> None:
    flat = np.full((512, 256, 3), 0.18, np.float32)
    with_grain = film.record(flat, Stock(), Streams(2)).astype(np.float64).mean()
    without = film.record(flat, Stock(grain_rms=0.0), Streams(2)).astype(np.float64).mean()
    assert with_grain / 257 == pytest.approx(without / 257, abs=0.15)
