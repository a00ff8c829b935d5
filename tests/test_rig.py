"""Rigs: each word in numbers, mirrors that mirror, and seeds that vary what they should and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey.blackbody import luminance_of, warmth
from lowkey.look import VARIABLES, Look, words
from lowkey.rig import KEY_HW, Auto, Direction, Rig, Stock, jittered, leans, lone_key, of
from lowkey.seeds import Streams

LIGHTS = words("light")


def keys_of(rig: Rig) -> tuple[float, float]:
    """Azimuth (of an arc its middle) and elevation of the key."""
    direction = rig.key.direction
    if isinstance(direction, Auto):
        return sum(direction.arc_deg) / 2, direction.elevation_deg
    return direction.azimuth_deg, direction.elevation_deg


# --- words in numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_word_has_numbers_and_every_row_a_word(variable: str) -> None:
    rows = looks.table(looks._TABLES[variable])
    assert list(rows) == [word.word for word in words(variable) if not word.mirrored]


@pytest.mark.parametrize("variable", ["light", "background", "clothing", "flare"])
def test_no_two_words_are_the_same_rig(variable: str) -> None:
    rigs = [of(Look(**{variable: word.word})) for word in words(variable)]
    assert len(set(rigs)) == len(rigs)


def test_rear_right_is_three_things_of_one_colour() -> None:
    rig = of(Look())
    assert rig.key.direction == Auto(lit=0.505, arc_deg=(64, 102), elevation_deg=27, cheek=0.45)
    assert rig.rim is not None
    assert rig.rim.direction == Direction(158, 18)
    assert rig.lamp.visible
    for other in (rig.rim.irradiance_rgb, rig.lamp.radiance_rgb):
        assert [value / luminance_of(other) for value in other] == pytest.approx(rig.key.irradiance_rgb, rel=1e-6)


@pytest.mark.parametrize(
    ("word", "azimuth", "elevation", "arc"),
    [
        ("hard side-left", -88, 8, 2),
        ("hard side-right", 88, 8, 2),
        ("front-45-degree Rembrandt", 45, 38, 5),
        ("overhead hatchlight", 10, 55, 5),
        ("side-split", 90, 6, 2),
        ("side-split left", -90, 6, 2),
        ("full backlight", 180, 30, 2),
    ],
)
def test_lights_stand_where_their_words_say(word: str, azimuth: float, elevation: float, arc: float) -> None:
    assert keys_of(of(Look(light=word))) == (pytest.approx(azimuth, abs=arc), pytest.approx(elevation, abs=arc))


def test_hard_is_smaller_than_large() -> None:
    radius = {word: of(Look(light=word)).key.angular_radius_deg for word in ("hard side-left", "rear-right", "front-45", "hatchlight")}
    assert radius["hard side-left"] < radius["rear-right"] < radius["front-45"] < radius["hatchlight"]


def test_backlight_rims_both_sides() -> None:
    rig = of(Look(light="full backlight"))
    assert rig.rim is not None
    assert [source.direction for source in rig.extra] == [rig.rim.direction.mirrored()]  # type: ignore[union-attr]


@pytest.mark.parametrize("word", [word for word in LIGHTS if word.mirrored], ids=lambda word: word.slug)
def test_a_mirrored_word_is_the_mirror_image(word: looks.Word) -> None:
    first = next(other for other in LIGHTS if other.values is word.values and not other.mirrored)
    one, two = of(Look(light=first.word)), of(Look(light=word.word))
    assert keys_of(two) == (-keys_of(one)[0], keys_of(one)[1])
    assert leans(two) == -leans(one)
    assert two.lamp.place_fw_fh == (pytest.approx(1 - one.lamp.place_fw_fh[0]), one.lamp.place_fw_fh[1])
    assert [keys_of(replace(two, key=other)) for other in two.extra] == [
        (-keys_of(replace(one, key=other))[0], keys_of(replace(one, key=other))[1]) for other in one.extra
    ]
    assert replace(two, key=one.key, rim=one.rim, extra=one.extra, lamp=one.lamp) == one


def test_clothing_by_word_and_by_number() -> None:
    assert of(Look(clothing="white linen shirt")).cloth.reflectance > 10 * of(Look()).cloth.reflectance
    assert (of(Look(clothing="0.25")).cloth.kind, of(Look(clothing="0.25")).cloth.reflectance) == ("as-worn", 0.25)


def test_background_by_number_counts_motes() -> None:
    rig = of(Look(background="77"))
    assert (rig.backdrop.kind, rig.motes.per_fh2) == ("plain", 77)


def test_flare_strength_runs_from_none_to_prominent() -> None:
    assert of(Look(flare="1")) == of(Look(flare="prominent bright halo"))
    assert of(Look(flare="0")) == of(Look(flare="no flare"))
    gains = [of(Look(flare=str(strength))).lens.halo_gain for strength in (0, 0.25, 0.5, 1)]
    assert gains == sorted(gains)
    assert len(set(gains)) == 4


def test_no_flare_hides_the_lamp() -> None:
    assert not of(Look(flare="no flare")).lamp.visible
    assert of(Look(flare="no flare")).lens.halo_gain == 0


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_a_light_by_numbers_stands_exactly_there(azimuth: float, elevation: float) -> None:
    light = looks.parse("light", f"{azimuth:.3f},{elevation:.3f}")
    rig = of(Look(light=light.text))
    assert rig.key.direction == Direction(*light.numbers)
    # Its lamp shows on its own side, or in the middle, and only where a lamp can be seen.
    fw, fh = rig.lamp.place_fw_fh
    assert (fw - 0.5) * leans(rig) >= 0
    if abs(light.numbers[0]) < 110:
        assert not (0 < fw < 1 and 0 < fh < 1)


def test_overrides_come_last() -> None:
    numbers = {"exposure_ev": 0.5, "fill_ev": -math.inf, "grain_rms": 0.02, "halo_radius_fh": 0.3, "motes_per_fh2": 7.0}
    rig = of(Look(background="smoke and bokeh", rig=tuple(numbers.items())))
    given_back = (rig.exposure_offset_ev, rig.fill_ev, rig.stock.grain_rms, rig.lens.halo_radius_fh, rig.motes.per_fh2)
    assert given_back == tuple(numbers.values())
    assert not of(Look(flare="clean backlight", rig=(("lamp_visible", 0),))).lamp.visible


def test_every_override_does_something() -> None:
    base = Look(background="smoke and bokeh", flare="clean backlight")
    for name, (low, high) in looks.OVERRIDES.items():
        value = 0.0 if name == "lamp_visible" else (max(low, -20) + high) / 2 + 0.001
        assert of(base.but(rig={name: value})) != of(base), name


def test_the_default_fill_is_a_hundredth_of_the_key() -> None:
    assert 2 ** of(Look()).fill_ev == pytest.approx(0.01, rel=0.05)


# --- colour ------------------------------------------------------------------------------------------------------------------


def test_warmth_is_white_at_the_balance_and_redder_below() -> None:
    assert warmth(5000) == pytest.approx((1, 1, 1), abs=1e-9)
    for kelvin in (2500, 3200, 3800, 4500, 6500, 9000):
        assert luminance_of(warmth(kelvin)) == pytest.approx(1)
    ratios = [warmth(kelvin)[0] / warmth(kelvin)[2] for kelvin in (2500, 3200, 3999, 4001, 5000, 6500)]
    assert ratios == sorted(ratios, reverse=True)


def test_warmth_matches_the_planckian_locus() -> None:
    """CIE 1931 x, y of a black body at 3000 K are .4369, .4041 (CIE 15:2004, table T.5 by way of u, v)."""
    from lowkey.blackbody import _bt709, _planck_xyz

    r, g, b = _bt709(_planck_xyz(3000))
    x = 0.4123908 * r + 0.3575843 * g + 0.1804808 * b
    y = 0.2126390 * r + 0.7151687 * g + 0.0721923 * b
    z = 0.0193308 * r + 0.1191948 * g + 0.9505322 * b
    assert (x / (x + y + z), y / (x + y + z)) == pytest.approx((0.4369, 0.4041), abs=1e-3)


# --- seeds -------------------------------------------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_rig() -> None:
    assert jittered(of(Look()), Streams(4)) == jittered(of(Look()), Streams(4))


@given(st.integers(0, 2**32 - 1))
def test_composition_stays(seed: int) -> None:
    base = of(Look())
    rig = jittered(base, Streams(seed))
    assert isinstance(rig.key.direction, Auto)
    assert rig.key.direction.arc_deg == (64, 102)
    assert rig.key.direction.lit == pytest.approx(0.505, abs=0.015)
    assert rig.key.direction.elevation_deg == pytest.approx(27, abs=2)
    assert rig.lamp.place_fw_fh == (pytest.approx(0.765, abs=0.1101), pytest.approx(0.165, abs=0.1261))
    assert 0.52 < rig.lens.halo_radius_fh / base.lens.halo_radius_fh < 1.92
    assert 0.63 < rig.backdrop.reach_fh / base.backdrop.reach_fh < 1.58
    assert (rig.cloth, rig.stock, rig.fill_ev, rig.key.irradiance_rgb) == (base.cloth, base.stock, base.fill_ev, base.key.irradiance_rgb)


@given(st.integers(0, 2**32 - 1))
def test_a_lamp_behind_the_head_or_out_of_the_frame_stays_there(seed: int) -> None:
    """Within a tenth of the frame's width of the head's middle it is hidden (`Enlarger`); the hatch is in the ceiling."""
    behind, above = (jittered(of(Look(light=light)), Streams(seed)).lamp.place_fw_fh for light in ("full backlight", "overhead hatchlight"))
    assert abs(behind[0] - 0.5) < 0.08
    assert above[1] < 0.04


def test_key_and_rim_turn_together() -> None:
    """They read as one lamp only while they move as one."""
    base = of(Look(light="120,20"))
    for seed in range(1, 9):
        rig = jittered(base, Streams(seed))
        assert rig.rim is not None
        assert base.rim is not None
        key, rim = (
            after.direction.azimuth_deg - before.direction.azimuth_deg for after, before in ((rig.key, base.key), (rig.rim, base.rim))
        )  # type: ignore[union-attr]
        assert key == pytest.approx(rim)
        assert abs(key) <= 2


@pytest.mark.parametrize("first", [1, 7, 100])
def test_six_seeds_in_a_row_are_no_twins(first: int) -> None:
    """The reach of the halo, which varies most, differs by at least 8 % between any two of six."""
    reach = sorted(jittered(of(Look()), Streams(seed)).backdrop.reach_fh for seed in range(first, first + 6))
    assert all(far / near > 1.08 for near, far in pairwise(reach))
    assert reach[-1] / reach[0] > 1.8


def test_no_two_axes_move_together() -> None:
    """Over many seeds the axes are uncorrelated, so a wide halo is not always a low lamp."""
    import numpy as np

    from lowkey.rig import _STEPS, _even

    seen = np.array([[_even(seed, axis) for axis in range(len(_STEPS))] for seed in range(1, 401)])
    assert np.abs(np.corrcoef(seen.T) - np.eye(len(_STEPS))).max() < 0.12
    assert np.abs(seen.mean(0) - 0.5).max() < 0.02


def test_a_mirrored_look_varies_in_the_mirror() -> None:
    for seed in (1, 2, 3):
        right, left = (jittered(of(Look(light=light)), Streams(seed)) for light in ("rear-right", "rear-left"))
        assert left.lamp.place_fw_fh == (pytest.approx(1 - right.lamp.place_fw_fh[0]), right.lamp.place_fw_fh[1])
        assert left.rim is not None
        assert right.rim is not None
        assert left.rim.direction.azimuth_deg == pytest.approx(-right.rim.direction.azimuth_deg)  # type: ignore[union-attr]
        assert left.key.direction.lit == pytest.approx(right.key.direction.lit)  # type: ignore[union-attr]


def test_a_lone_key_is_alone_and_stands_still() -> None:
    rig = lone_key(Direction(45, 35), 1.5)
    assert jittered(rig, Streams(3)) == rig
    assert (rig.rim, rig.extra, rig.fill_ev, rig.ambient_rgb, rig.lamp.visible) == (None, (), -math.inf, (0, 0, 0), False)
    assert (rig.key.irradiance_rgb, rig.key.distance_hw, rig.key.angular_radius_deg) == ((1, 1, 1), KEY_HW, 1.5)


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_direction_vectors_are_unit_and_mirror(azimuth: float, elevation: float) -> None:
    x, y, z = Direction(azimuth, elevation).vector
    assert math.hypot(x, y, z) == pytest.approx(1)
    assert Direction(azimuth, elevation).mirrored().vector == (pytest.approx(-x, abs=1e-12), pytest.approx(y), pytest.approx(z))


def test_axes_are_the_viewers() -> None:
    assert Direction(90, 0).vector == (pytest.approx(1), pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))
    assert Direction(0, 0).vector[2] == 1
    assert Direction(180, 0).vector[2] == -1
    assert Direction(0, 90).vector[1] == 1


def test_a_looks_film_stock_is_the_rigs_and_its_grain_may_still_be_overridden() -> None:
    assert of(Look()).stock == Stock()
    black_and_white = of(Look(stock="pan-400", rig=(("grain_rms", 0.03),))).stock
    assert (black_and_white.monochrome, black_and_white.name, black_and_white.grain_rms) == (True, "pan-400", 0.03)


def test_a_full_backlight_is_filled_less_so_the_face_stays_a_shape() -> None:
    assert of(Look(light="full backlight")).fill_ev < of(Look()).fill_ev - 1.5
    assert of(Look(light="full backlight").but(rig={"fill_ev": -5.0})).fill_ev == -5.0
