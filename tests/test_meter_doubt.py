"""What the meter must not be sure of: clumps below a pixel, key in between, smoothed skin without a reference, lids in half light."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.meter import CannotJudge, Measure, Reading, measure, spread, texture, tones
from lowkey.meter import sight as sights
from lowkey.meter.reading import whole
from lowkey.plate.plate import Plate


def clumps(width_px: float) -> np.ndarray:
    """u8[1280, 256, 3] of a midtone with Gaussian clumps of this full width at half maximum, through the pixel's own box."""
    noise = np.random.default_rng(5).normal(0, 1, (2560, 1024)).astype(np.float32)
    if width_px:
        noise = cv2.GaussianBlur(noise, (0, 0), 4 * width_px / 2.355)
    noise = cv2.resize(noise, (256, 640), interpolation=cv2.INTER_AREA)
    tall = np.concatenate([noise, noise[::-1]])
    return np.asarray(np.clip(110 + 5 * tall / tall.std(), 0, 255)[..., None].repeat(3, -1), np.uint8)


@pytest.mark.parametrize("width_px", [0.0, 0.5, 0.8])
def test_clumps_below_a_pixel_have_no_size(width_px: float) -> None:
    found = measure(clumps(width_px))["grain_um"]
    assert isinstance(found, CannotJudge)
    assert "28 um" in found.reason


@pytest.mark.parametrize("width_px", [1.6, 2.2, 3.0])
def test_clumps_above_a_pixel_are_sized(width_px: float) -> None:
    found = measure(clumps(width_px))["grain_um"]
    assert isinstance(found, Measure)
    assert found.sigma is not None
    assert found.number == pytest.approx(width_px * 36000 / 1280, abs=found.sigma)


def painted(dark: float, around: float) -> np.ndarray:
    """A picture of which `dark` is below zone IV, the rest a midtone, and `around` of its surround is dark."""
    pixels = np.full((400, 320, 3), 100, np.uint8)
    band = tones.surround((400, 320))
    rows, cols = np.nonzero(band)
    pixels[rows[: int(around * len(rows))], cols[: int(around * len(rows))]] = 20
    rows, cols = np.nonzero(~band)
    left = max(int(dark * 400 * 320 - around * band.sum()), 0)
    pixels[rows[:left], cols[:left]] = 20
    return pixels


@pytest.mark.parametrize(("dark", "around", "said"), [(0.9, 1.0, True), (0.1, 0.1, False), (0.6, 0.7, None), (0.85, 0.45, None)])
def test_low_key_takes_tones_and_surround_together(dark: float, around: float, said: bool | None) -> None:
    assert measure(painted(dark, around)).low_key is said


def test_the_surround_is_a_band_above_and_beside() -> None:
    band = tones.surround((100, 80))
    assert band[:6].all()
    assert not band[60:].any()
    assert not band[20:, 10:70].any()
    np.testing.assert_array_equal(band, band[:, ::-1])


@pytest.fixture(scope="module")
def frame(astronaut_plate: Plate) -> Frame:
    return Enlarger(astronaut_plate, Framing(), (512, 640)).develop(rig.of(Look()), 3)


def kind(frame: Frame, plate: Plate, pixels: np.ndarray) -> Reading:
    return measure(pixels, plate, frame.placement)


def test_lost_pores_are_plastic_and_kept_ones_are_not(frame: Frame, astronaut_plate: Plate) -> None:
    codes = np.asarray(frame.pixels // 257, np.uint8)
    smoothed = kind(frame, astronaut_plate, cv2.bilateralFilter(codes, 9, 25, 5))
    own = kind(frame, astronaut_plate, codes)
    kept, lost = own.number("skin_kept_share"), smoothed.number("skin_kept_share")
    assert kept is not None
    assert lost is not None
    assert kept > texture.PORES_KEPT
    assert lost < texture.PORES_LOST
    assert own.word("texture_kind") == "film grain"
    assert smoothed.word("texture_kind") == "plastic"


@pytest.mark.parametrize("quality", [60, 75, 85, 90])
def test_what_a_jpeg_takes_is_not_called_plastic(frame: Frame, astronaut_plate: Plate, quality: int) -> None:
    held = io.BytesIO()
    Image.fromarray(np.asarray(frame.pixels // 257, np.uint8)).save(held, "JPEG", quality=quality)
    assert kind(frame, astronaut_plate, np.array(Image.open(held))).word("texture_kind") != "plastic"


def test_what_rounding_leaves_is_no_colour_noise(frame: Frame, astronaut_plate: Plate) -> None:
    """A smooth picture has no more colour noise for being rounded to whole codes, though these are then most of what differs."""
    fine = cv2.GaussianBlur(frame.pixels, (0, 0), 2.5)
    share, rounded = (kind(frame, astronaut_plate, one).number("grain_chroma_share") for one in (fine, np.asarray(fine // 257, np.uint8)))
    assert share is not None
    assert rounded is not None
    assert rounded < share + 0.1 < texture.COLOURED


@pytest.mark.parametrize(("bar", "loose"), [(None, 1), ("skin", 1), ("frame", 0)])
def test_a_spectacle_frame_cuts_no_fleck_off(bar: str | None, loose: int) -> None:
    """A piece of lit skin across a bar: of dark skin, and it is loose; of what is no skin, and it belongs to the rest."""
    lit = np.zeros((60, 60), bool)
    lit[10:50, 10:30] = lit[20:30, 34:40] = True
    cut = np.zeros_like(lit)
    cut[:, 30:34] = bar == "frame"
    areas = sorted(tones.islands(lit, cut, 3.0))
    assert len(areas) == 1 + loose
    assert sum(areas) == lit.sum()
    cut[:] = bar == "frame"
    lit[55:58, 55:58] = True
    assert len(tones.islands(lit, cut, 3.0)) == 2 + loose, "and one that is far from any light stays loose"


@pytest.mark.parametrize("stops", [-1.0, -2.0, -3.0])
def test_a_dim_frame_is_never_called_plastic(astronaut_plate: Plate, stops: float) -> None:
    from dataclasses import replace

    asked = replace(rig.of(Look(light="15, 30")), exposure_offset_ev=stops)
    dim = Enlarger(astronaut_plate, Framing(), (512, 640)).develop(asked, 1)
    assert measure(dim, astronaut_plate).word("texture_kind") != "plastic"


def test_lids_of_a_sleeping_scan_are_closed_and_never_surely_open(shared: Path) -> None:
    """The scan's eyes are shut. In soft light that is read; in hard light a mesh draws them open, and the tones contradict it."""
    folder = shared / "data" / "ground_truth" / "lps_yaw0"
    soft = measure(folder / "input.png")["eyes_closed"]
    assert isinstance(soft, Measure)
    assert soft.value is True
    for name in ("side-left", "overhead", "rembrandt-right"):
        assert isinstance(measure(folder / f"{name}.png")["eyes_closed"], CannotJudge)


def test_open_eyes_are_still_read(shared: Path) -> None:
    pixels = photo.read(shared / "data" / "portraits" / "real" / "woman_red_hair.jpg").pixels
    found = measure(pixels)["eyes_closed"]
    assert isinstance(found, Measure)
    assert found.value is False


def at(x: float, y: float, height: float) -> Reading:
    places = {"head_x_fw": x, "head_y_fh": y, "face_height_fh": height}
    return Reading(whole({name: Measure(value, "", 0.005, "face mesh") for name, value in places.items()}), None)


def test_the_composition_is_the_most_minus_the_least() -> None:
    moves = {one.measure: one for one in spread([at(0.47, 0.40, 0.35), at(0.48, 0.40, 0.36), at(0.55, 0.40, 0.35)])}
    assert moves["head_x_fw"].moves == pytest.approx(0.08)
    assert not moves["head_x_fw"].kept
    assert moves["head_y_fh"].moves == 0
    assert moves["head_y_fh"].kept
    assert moves["face_height_fh"].frames == 3


def test_one_frame_has_no_spread() -> None:
    assert spread([at(0.47, 0.40, 0.35)]) == ()
    assert spread([at(0.47, 0.40, 0.35), Reading(whole({}), None)]) == ()


@pytest.mark.parametrize(("code", "kept"), [(100.0, 0.73), (157.5, 0.505), (220.0, 0.0)])
def test_warmth_counts_what_a_print_keeps_of_the_skins_own_colour(code: float, kept: float) -> None:
    """Skins that differ print nearer to each other than they are, and alike where they are brightest."""
    from lowkey.meter import terminator

    pale, dark = (1.0, 0.75, 0.6), (1.0, 0.5, 0.3)
    one, other = (terminator.printed(skin, code)[0] for skin in (pale, dark))
    np.testing.assert_allclose(np.log(one / other), kept * np.log(np.array(pale) / np.array(dark)), atol=1e-6)


def test_the_sight_is_not_changed_by_looking(frame: Frame, astronaut_plate: Plate) -> None:
    sight = sights.Sight(frame.pixels)
    before = sight.code.copy()
    texture.of_texture(sight, None, None)
    np.testing.assert_array_equal(before, sight.code)
