"""Pictures lowkey did not make: real low-key photographs, paintings, ordinary portraits, path-traced heads, smooth ramps."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import bust
from lowkey import photo
from lowkey.frame import Placement
from lowkey.meter import CannotJudge, Measure, measure, terminator, texture, tones
from lowkey.meter import sight as sights
from lowkey.meter.direction import Key
from lowkey.pixels import srgb_decode, srgb_encode
from lowkey.plate import scan
from lowkey.rig import Direction

LOW_KEY = {
    "lk_blake.jpg": {"left"}, "lk_man_hand.jpg": {"both"}, "lk_woman_dapple.jpg": {"left"}, "lk_turner.jpg": {"none"},
    "lk_sunglasses.jpg": {"right"}, "lk_rembrandt_1659.jpg": {"right"}, "lk_leoni_caravaggio.jpg": {"left"},
}  # fmt: skip
"""The side that an eye saw lit (SOURCES.csv of the reference data)."""


def small(path: Path) -> np.ndarray:
    pixels = photo.read(path).pixels
    k = min(1.0, 1000 / max(pixels.shape[:2]))
    return np.ascontiguousarray(cv2.resize(pixels, None, fx=k, fy=k, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("name", sorted(LOW_KEY))
def test_low_key_pictures_are_low_key_and_lit_from_where_an_eye_says(shared: Path, name: str) -> None:
    """A side is never wrong: right, or not judged."""
    reading = measure(small(shared / "data" / "portraits" / "lowkey" / name))
    assert reading.low_key is not False
    side = reading["lit_side"]
    assert isinstance(side, CannotJudge) or side.value in LOW_KEY[name]


@pytest.mark.parametrize("name", ["real/blair.jpg", "real/obama_podium.jpg", "real/woman_red_hair.jpg", "refuse_or_warn/hk_white.jpg"])
def test_ordinary_and_high_key_pictures_are_not(shared: Path, name: str) -> None:
    assert measure(small(shared / "data" / "portraits" / name)).low_key is not True


def test_eyes_behind_dark_glasses_are_not_read(shared: Path) -> None:
    reading = measure(small(shared / "data" / "portraits" / "lowkey" / "lk_sunglasses.jpg"))
    assert isinstance(reading["gaze"], CannotJudge)


def test_a_hand_at_the_chin_is_seen(shared: Path) -> None:
    found = measure(small(shared / "data" / "portraits" / "lowkey" / "lk_man_hand.jpg"))["hands_at_chin"]
    assert isinstance(found, Measure)
    assert found.value is True


def test_a_head_that_is_not_ours_is_read(shared: Path) -> None:
    """Path-traced truth, normals from the scan of the unlit photo; all heads in benchmarks/meter.py."""
    folder = shared / "data" / "ground_truth" / "lps_yaw0"
    plate = scan(photo.read(folder / "input.png"))
    for name, (azimuth, elevation) in (
        (name, one["az_el"]) for name, one in json.loads((folder / "meta.json").read_text())["lights"].items() if name != "backlight"
    ):
        reading = measure(photo.read(folder / f"{name}.png"), plate, plate.window.inverse())
        a, e, sigma = (reading.number(m) for m in ("key_azimuth_deg", "key_elevation_deg", "key_direction_sigma_deg"))
        assert a is not None
        assert e is not None
        assert sigma is not None
        error = np.degrees(np.arccos(np.clip(np.dot(Direction(a, e).vector, Direction(azimuth, elevation).vector), -1, 1)))
        assert error < min(2 * sigma, 15), name
        if abs(azimuth) > 20:
            assert reading.word("lit_side") == ("right" if azimuth > 0 else "left")


def test_zones_of_a_ramp_in_lightness_are_even() -> None:
    """Ten even steps of L*, the first and the last half as wide."""
    lightness = np.linspace(0, 100, 20001)
    f = (lightness + 16) / 116
    light = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2).astype(np.float32)
    shares = tones.zone_shares(light)
    np.testing.assert_allclose(shares, [0.05, *[0.1] * 9, 0.05], atol=2e-3)


@pytest.mark.parametrize("soft_hw", [0.03, 0.08])
def test_the_width_of_an_edge_is_read_back(soft_hw: float) -> None:
    """A Gaussian-blurred step across the bust's face: 10 to 90 % lie 2.563 sigma apart."""
    hw = 200.0
    plate = bust.plate(hw)
    h, w = plate.matte.shape
    x = (np.arange(w) - w / 2)[None, :] + 0 * np.arange(h)[:, None]
    codes = 20 + 180 * cv2.GaussianBlur((x > 0).astype(np.float32), (0, 0), soft_hw * hw)
    pixels = np.asarray(np.repeat((codes * plate.matte)[..., None], 3, -1), np.uint8)
    sight = sights.Sight(pixels)
    head = sights.by_plate(sight, plate, Placement(1, 0, 0), "placement", 0.0)
    key = Key(np.array(Direction(90, 0).vector, np.float32), 1.0, 1.0, 0.0, 1.0)
    found = terminator.of_edge(sight, head, tones.sides(sight, head), key)["terminator_width_hw"]
    assert isinstance(found, Measure)
    assert found.number == pytest.approx(2.563 * soft_hw, rel=0.15)


@pytest.mark.parametrize(("kelvin", "warm"), [(3200, True), (5000, True), (9000, False)])
def test_a_black_body_has_its_own_mired(kelvin: float, warm: bool) -> None:
    """rig.warmth makes the colour of a lamp in a picture balanced for 5000 K; the meter reads its shift against that white."""
    from lowkey.blackbody import warmth

    shift = terminator.mired(np.array(warmth(kelvin), np.float32)) - terminator.mired(np.ones(3, np.float32))
    assert shift == pytest.approx(1e6 / kelvin - 1e6 / 5000, abs=25)
    assert (shift > 1) is (warm and kelvin != 5000)


def test_blocks_are_on_the_grid_and_noise_is_not() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(90, 4, (256, 256)).astype(np.float32)
    blocks = np.kron(rng.normal(90, 4, (32, 32)), np.ones((8, 8))).astype(np.float32)
    assert texture.blockiness(noise) < 1.15
    assert texture.blockiness(blocks) > 3


def test_a_smooth_ramp_has_no_bands_and_a_posterised_one_has() -> None:
    light = srgb_decode(np.tile(np.linspace(0.05, 0.4, 400, dtype=np.float32), (200, 1)))
    smooth = np.asarray(np.round(srgb_encode(np.repeat(light[..., None], 3, -1)) * 255), np.uint8)
    assert texture.banding(sights.Sight(smooth)) < 0.1
    assert texture.banding(sights.Sight(smooth // 10 * 10)) > 0.5


def test_mush_is_flat_midtone() -> None:
    grey = np.full((300, 240, 3), 90, np.uint8)
    drawn = grey + np.random.default_rng(2).integers(0, 40, (30, 24, 1)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    one, other = (tones.of_frame(sights.Sight(picture))["midtone_flatness"] for picture in (grey, drawn))
    assert isinstance(one, Measure)
    assert isinstance(other, Measure)
    assert one.number == 1
    assert other.number < 0.2
