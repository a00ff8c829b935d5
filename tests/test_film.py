"""Laws of film: monotone, a toe that is never zero, a shoulder that holds, halation that keeps light."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from importlib import resources

import cv2
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey.blackbody import warmth
from lowkey.darkroom import Enlarger, film, optics
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.pixels import srgb_decode
from lowkey.plate.plate import Caution, Plate
from lowkey.plate.undertone import ab, at_level
from lowkey.rig import Lamp, Lens, Stock, of
from lowkey.seeds import Streams

STOCKS = tomllib.loads((resources.files("lowkey") / "data" / "stocks.toml").read_text("utf-8"))


def stock(name: str, **change: object) -> Stock:
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in STOCKS[name].items()}
    return Stock(name=name, **{**fields, **change})


def clean(exposure: np.ndarray, of: Stock) -> np.ndarray:
    """Codes 0..255 without grain and halation."""
    return film.record(exposure.astype(np.float32), replace(of, grain_rms=0.0, halation_gain=0.0), Streams(1)).astype(np.float64) / 257


@pytest.mark.parametrize("name", STOCKS)
def test_tone_grows_with_exposure(name: str) -> None:
    ramp = np.repeat(np.geomspace(1e-5, 200, 4000, dtype=np.float32)[None, :, None], 3, axis=2)
    codes = clean(ramp, stock(name))[0]
    assert (np.diff(codes, axis=0) >= 0).all()
    assert (np.diff(codes[::100].max(axis=1)) > 0)[6:-8].all()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.floats(0.02, 1.0)] * 3), st.sampled_from(sorted(STOCKS)))
def test_every_layer_grows_with_exposure_in_any_light(colour: tuple[float, float, float], name: str) -> None:
    ramp = np.geomspace(1e-3, 30, 600)[None, :, None] * np.array(colour)
    codes = clean(ramp, stock(name))[0]
    assert (np.diff(codes, axis=0) > -0.35).all()


@pytest.mark.parametrize("name", STOCKS)
def test_no_light_prints_as_the_toe(name: str) -> None:
    s = stock(name)
    black = clean(np.zeros((8, 8, 3)), s)
    assert 4 <= s.toe_code <= 6
    assert black == pytest.approx(s.toe_code, abs=0.6)


@pytest.mark.parametrize("name", STOCKS)
def test_no_channel_falls_under_the_toe(name: str) -> None:
    deep = np.random.default_rng(1).random((64, 64, 3)) ** 6
    s = stock(name)
    assert film.record(deep.astype(np.float32), s, Streams(1)).min() / 257 >= s.toe_code - 1.5


@pytest.mark.parametrize("name", STOCKS)
def test_a_highlight_rolls_off_at_the_shoulder_code(name: str) -> None:
    s = stock(name, print_rgb=(0.0, 0.0, 0.0), balance_rgb=(1.0, 1.0, 1.0))  # the curve alone, without the print's timing
    assert 225 <= s.shoulder_code <= 235
    assert clean(np.full((4, 4, 3), film.HIGHLIGHT), s) == pytest.approx(s.shoulder_code, abs=1.0)
    # Four stops more still is not paper white, and no channel is clipped.
    assert clean(np.full((4, 4, 3), 16 * film.HIGHLIGHT), s).max() < 254.5


@pytest.mark.parametrize("skin", [(0.62, 0.40, 0.27), (0.45, 0.25, 0.16)])
@pytest.mark.parametrize("name", ["tungsten-500", "portrait-160"])
def test_a_warm_highlight_stays_warm(skin: tuple[float, float, float], name: str) -> None:
    # Skin under the key with the lamp's gloss on it. Photographs of skin under one warm lamp hold 1.4 to 1.87 of red over blue where
    # the cheek is bright, and 40 to 66 codes between them where it begins to burn.
    key = np.array([1.26, 0.96, 0.61])
    light = np.array(skin) * key + 0.12 * key
    light = light / (light @ [0.4, 0.5, 0.1])
    r, g, b = clean(0.75 * light[None, None], stock(name))[0, 0]
    assert r > g > b
    assert 1.4 <= r / b <= 1.87
    assert 222 <= r <= 248
    r, g, b = clean(light[None, None], stock(name))[0, 0]
    assert r > g > b
    assert 40 <= r - b <= 66


def test_development_leaves_flat_fields_and_colours_and_steepens_edges() -> None:
    s = Stock()
    flat = np.full((40, 40, 3), 0.3, np.float32)
    assert film.developed(flat, s, 28.0) == pytest.approx(0.3, rel=1e-5)
    edge = np.full((80, 80, 3), (0.2, 0.1, 0.05), np.float32)
    edge[:, 40:] *= 1.5
    seen = film.developed(edge, s, 28.0)
    assert seen / seen[..., :1] == pytest.approx(edge / edge[..., :1], rel=1e-4)
    step = math.log2(seen[40, 40, 0] / seen[40, 39, 0]) / math.log2(1.5)
    # On either side the mean runs through the middle: half the step is added to it, by the stock's share.
    assert step == pytest.approx(1 + s.adjacency * 0.70, abs=0.12)
    assert seen[40, 5, 0] == pytest.approx(0.2, rel=1e-3)
    assert seen[40, 75, 0] == pytest.approx(0.3, rel=1e-3)
    # An edge is as wide on the film, whatever the size of the picture.
    fine = film.developed(np.repeat(np.repeat(edge, 2, 0), 2, 1), s, 14.0)
    assert fine[80, ::2, 0] == pytest.approx(seen[40, :, 0], rel=0.03)
    assert film.developed(edge, replace(s, adjacency=0.0), 28.0) is edge


def test_monochrome_weighs_the_spectrum() -> None:
    s = stock("pan-400", print_rgb=(0.0, 0.0, 0.0))
    red, blue = clean(np.array([[[0.4, 0, 0], [0, 0, 0.4]]]), s)[0]
    assert np.ptp(red) < 0.01
    assert red[0] > blue[0] + 15
    toned = clean(np.full((1, 1, 3), 0.18), stock("pan-400"))[0, 0]
    assert 1 < toned[0] - toned[2] < 12


def test_a_photo_without_colour_is_printed_in_one_warm_tone() -> None:
    brown, silver = film.toned(Stock()), stock("pan-400")
    lamp, skin = np.array([[[0.5, 0.3, 0.12], [0.3, 0.3, 0.3]]]), np.linspace(0.08, 0.6, 12)[None, :, None] * np.ones(3)
    codes = clean(skin, brown)[0].astype(int)
    assert (np.diff(codes, axis=0) > 0).all()
    assert (codes[:, 0] > codes[:, 1]).all()
    assert (codes[:, 1] > codes[:, 2]).all()
    # Of one brightness a lamp of any colour and grey skin print as one colour.
    weights = np.array(brown.spectral_rgb) / sum(brown.spectral_rgb)
    even = clean(lamp * (0.3 / (lamp @ weights))[..., None], brown)[0].astype(int)
    assert np.abs(even[0] - even[1]).max() <= 1
    assert film.toned(silver) is silver


def test_a_frame_of_a_photo_without_colour_is_of_one_tone(astronaut_plate: Plate) -> None:
    grey = replace(astronaut_plate, warnings=(Caution("no-colour", "black and white"),))
    frame = Enlarger(grey, Framing(), (128, 160)).develop(of(Look()), 3)
    codes = frame.pixels.reshape(-1, 3) / 257
    lit = codes[codes[:, 1] > 60]
    tone = (lit[:, 0] - lit[:, 2]) / lit[:, 1]
    assert frame.rig.stock.monochrome
    # What a tone's colour is hangs on its brightness alone: neighbours in brightness have one.
    assert np.abs(np.diff(tone[np.argsort(lit[:, 1])])).max() < 0.03 < tone.mean()


def test_halation_keeps_a_flat_field_and_the_sum_of_light() -> None:
    s = Stock()
    flat = np.full((64, 64, 3), 0.3, np.float32)
    assert film.halated(flat, s, 28.0) == pytest.approx(0.3, abs=1e-5)
    point = np.zeros((160, 160, 3), np.float32)
    point[80, 80] = 100
    glow = film.halated(point, s, 28.0)
    assert glow.sum((0, 1)) == pytest.approx([100, 100, 100], rel=2e-3)
    # Red spreads most, blue hardly: the ring round a lamp is red-orange.
    ring = glow[80, 84]
    assert ring[0] > 3 * ring[1] > 9 * ring[2] > 0


def test_halation_has_the_size_of_the_film_and_not_of_the_pixels() -> None:
    def spread(pixel_um: float, n: int) -> float:
        point = np.zeros((n, n, 3), np.float32)
        point[n // 2 - 2 : n // 2 + 2, n // 2 - 2 : n // 2 + 2] = 1
        glow = film.halated(point, Stock(), pixel_um)[..., 0]
        glow[n // 2 - 2 : n // 2 + 2, n // 2 - 2 : n // 2 + 2] = 0
        y, x = np.mgrid[0:n, 0:n] - (n - 1) / 2
        return float(np.sqrt((glow * (x * x + y * y)).sum() / glow.sum())) * pixel_um

    assert spread(14.0, 256) == pytest.approx(spread(28.0, 128), rel=0.15)


def test_after_film_a_preview_has_the_tones_of_the_print_made_small() -> None:
    rng = np.random.default_rng(7)
    coarse = np.exp(1.2 * rng.standard_normal((20, 16, 3)) - 2)
    big = cv2.resize(coarse, (512, 640), interpolation=cv2.INTER_CUBIC).clip(1e-4).astype(np.float32)
    small = big.reshape(320, 2, 256, 2, 3).mean((1, 3)).astype(np.float32)
    s = Stock()
    printed = film.record(big, s, Streams(1)).reshape(320, 2, 256, 2, 3).mean((1, 3)) / 257
    preview = film.record(small, s, Streams(1)) / 257
    blocks = [x.reshape(20, 16, 16, 16, 3).mean((1, 3)) for x in (printed, preview)]
    assert np.abs(blocks[0] - blocks[1]).max() < 1.2


def test_meter_brings_lit_skin_to_its_place_and_leaves_shadow_in_shadow() -> None:
    scene = np.zeros((100, 100, 3), np.float32)
    scene[:, 50:] = 0.14
    skin = np.ones((100, 100), np.float32)
    reflectance = np.full((100, 100, 3), 0.14, np.float32)
    assert film.meter(scene, skin, reflectance) == pytest.approx(2.0, abs=0.01)
    assert film.meter(scene, np.zeros_like(skin), reflectance) == 0
    # A key that never reaches the face does not set the exposure: the key itself does, with a little for the rim.
    assert film.meter(scene * 0.01, skin, reflectance) == pytest.approx(2.0 + film.SHADE_EV, abs=0.01)
    assert film.meter(scene * 0, skin, reflectance) == pytest.approx(2.0 + film.SHADE_EV, abs=0.01)


def test_same_seed_same_bytes_and_grain_has_a_stream_of_its_own() -> None:
    flat = np.full((64, 64, 3), 0.2, np.float32)
    one = film.record(flat, Stock(), Streams(3))
    assert np.array_equal(one, film.record(flat, Stock(), Streams(3)))
    assert not np.array_equal(one, film.record(flat, Stock(), Streams(4)))
    assert one.dtype == np.uint16


def test_lens_and_film_give_the_same_bytes_whatever_the_threads() -> None:
    scene = np.random.default_rng(1).random((320, 256, 3)).astype(np.float32)
    scene[60:66, 190:196] = 3000

    def shot() -> bytes:
        return film.record(optics.focus(scene, Lens(streak_gain=1.0, rings=5), Lamp()), Stock(), Streams(1)).tobytes()

    most, before = numba.config.NUMBA_NUM_THREADS, cv2.getNumThreads()
    try:
        numba.set_num_threads(1)
        cv2.setNumThreads(1)
        one = shot()
        numba.set_num_threads(min(2, most))
        cv2.setNumThreads(2)
        assert shot() == one
    finally:
        numba.set_num_threads(most)
        cv2.setNumThreads(before)


def test_warm_light_keeps_its_hue_up_the_scale() -> None:
    # Where each square root of the middle layer lies between the outer two: what eyes call hue.
    colour = np.array([0.80, 0.42, 0.20])
    ladder = np.geomspace(0.05, 1.2, 12)[None, :, None] * colour
    s = stock("tungsten-500", balance_rgb=(1.0, 1.0, 1.0), toe_code=4)
    r, g, b = (clean(ladder, s)[0] / 255).T
    hue = (g - b) / (r - b)
    want = (np.sqrt(0.42) - np.sqrt(0.20)) / (np.sqrt(0.80) - np.sqrt(0.20))
    assert np.abs(hue - want).max() < 0.09


@pytest.mark.parametrize("chroma", [16.0, 26.0, 36.0])
def test_skin_turns_from_rose_to_gold_up_the_scale(chroma: float) -> None:
    # In seven low-key photographs and paintings skin's CIELAB hue rises by 7 to 20 degrees from L* 25 to L* 65 to 75.
    s = stock("tungsten-500")
    skin = at_level(chroma * np.array([[math.cos(math.radians(50)), math.sin(math.radians(50))]]))[0]
    light = skin * (1.11, 1.0, 0.87) / np.dot(skin, (0.4, 0.5, 0.1))
    codes = clean(np.array([0.035, 0.5])[None, :, None] * light, s)[0]
    low, high = np.degrees(np.arctan2(*ab(srgb_decode((codes / 255).astype(np.float32))).T[::-1]))
    assert 5 < high - low < 16
    # What is as yellow as that, what is blue, and what has no colour, stays.
    plain = replace(s, balance_rgb=(1.0, 1.0, 1.0), print_rgb=(0.0, 0.0, 0.0))
    for other in ((0.54, 0.45, 0.18), (0.18, 0.24, 0.36)):
        shown, root = clean(np.array(other)[None, None], plain)[0, 0], np.sqrt(other)
        assert (shown[1] - shown[2]) / (shown[0] - shown[2]) == pytest.approx((root[1] - root[2]) / (root[0] - root[2]), abs=0.09)
    assert np.ptp(clean(np.full((1, 1, 3), 0.5), plain)) < 0.5


def test_no_skin_prints_as_a_pure_orange() -> None:
    warm = np.array([0.96, 0.21, 0.06]) * 0.3
    r, g, b = clean(warm[None, None], stock("tungsten-500"))[0, 0]
    assert r > g > b
    assert b > 0.22 * r


def balance_for(skin: tuple[float, float, float], of: Stock, kelvin: float = 4450) -> np.ndarray:
    """How a print of `of` is timed for a sitter of this skin under a lamp of `kelvin`, over how it is timed anyway."""
    reflectance = np.broadcast_to(np.array(skin, np.float32), (20, 20, 3))
    return np.array(film.timed(of, reflectance, np.ones((20, 20), np.float32), warmth(kelvin)).balance_rgb) / np.array(of.balance_rgb)


def test_a_print_is_timed_warmer_for_pale_skin_and_left_alone_for_other() -> None:
    s = stock("tungsten-500")
    for skin in ((0.45, 0.17, 0.09), (0.60, 0.30, 0.19), (0.72, 0.23, 0.11)):
        assert np.array_equal(balance_for(skin, s), np.ones(3))
    lean = []
    for skin in ((0.43, 0.22, 0.17), (0.585, 0.35, 0.27), (0.72, 0.445, 0.40), (0.5, 0.5, 0.5)):
        red, green, blue = balance_for(skin, s)
        assert red > green > blue  # along black bodies: nothing turns green or mauve
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue == pytest.approx(1, abs=0.01)
        lean.append(np.log(red / blue) / 0.0104)
    assert lean == sorted(lean)
    assert lean[-1] < 1.03 * film.MOST_TIMED_MIRED


def test_how_light_a_photo_is_does_not_time_its_print_and_no_skin_does_not_either() -> None:
    s = stock("tungsten-500")
    np.testing.assert_allclose(balance_for((0.585, 0.35, 0.27), s), balance_for((0.2925, 0.175, 0.135), s), rtol=1e-5)
    grey = np.full((4, 4, 3), 0.5, np.float32)
    assert film.timed(s, grey, np.zeros((4, 4), np.float32), (1.0, 1.0, 1.0)) == s
    silver = replace(s, monochrome=True)
    assert film.timed(silver, grey, np.ones((4, 4), np.float32), (1.0, 1.0, 1.0)) == silver


def test_what_a_warm_lamp_gives_is_not_given_twice_and_what_a_cold_one_takes_not_given_back() -> None:
    s, skin = stock("tungsten-500"), (0.585, 0.35, 0.27)
    warmer, house, colder = (balance_for(skin, s, kelvin) for kelvin in (4100, 4450, 5600))
    assert 1 < warmer[0] / warmer[2] < house[0] / house[2]
    np.testing.assert_allclose(colder, house, rtol=1e-6)
    assert np.array_equal(balance_for(skin, s, 3700), np.ones(3))
