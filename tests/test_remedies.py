"""Remedies: each moves the rig the way it says, adds up, leaves what it does not name alone, and is said in every dialect."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey import compile, rig
from lowkey.blackbody import luminance_of
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.rig import Auto, Direction, Rig, remedied
from lowkey.spec import Remedy, merged, remedies

HOUSE = rig.of(Look())
SIDE = rig.of(Look(light="60,20"))
LEFT = rig.of(Look(light="-60,20"))
BACK = rig.of(Look(light="full backlight"))
CARRIED_OUT_BY_OTHERS = {"likeness", "pose", "skin-texture"}


def key(given: Rig) -> Direction:
    assert isinstance(given.key.direction, Direction)
    return given.key.direction


@pytest.mark.parametrize("name", remedies())
def test_a_remedy_changes_the_rig_or_is_for_others_to_carry_out(name: str) -> None:
    changed = remedied(BACK, (Remedy(name, 1.0),))
    assert (changed == BACK) == (name in CARRIED_OUT_BY_OTHERS)


@pytest.mark.parametrize("name", remedies())
def test_a_remedy_of_no_size_changes_nothing_but_what_must_begin_somewhere(name: str) -> None:
    if name == "lit-side" or Remedy(name).unit == "mired":  # there is no half of a mirror; colours come back to within rounding
        return
    changed = remedied(HOUSE, (Remedy(name, 0.0),))
    begins = {"fill_ev", "ambient_rgb", "lens", "backdrop", "motes", "stock"}
    same = {field: getattr(HOUSE, field) for field in begins}
    assert replace(changed, **same) == HOUSE


def test_the_rig_of_a_look_takes_them_last() -> None:
    look = Look(rig=(("fill_ev", -3.0), ("exposure_ev", 1.0)))
    several = (Remedy("no-fill", 2.0), Remedy("hold-highlights", 1.5))
    changed = rig.of(look, several)
    assert changed == remedied(rig.of(look), several)
    assert changed.fill_ev == pytest.approx(-5.0)
    assert changed.exposure_offset_ev == pytest.approx(-0.5)
    assert rig.of(look, ()) == rig.of(look)


def test_exposure_that_was_set_is_what_changes() -> None:
    assert remedied(replace(HOUSE, exposure_ev=1.0), (Remedy("hold-highlights", 0.5),)).exposure_ev == pytest.approx(0.5)
    assert remedied(HOUSE, (Remedy("open-up", 0.5),)).exposure_ev is None


@pytest.mark.parametrize(("given", "side"), [(SIDE, 1), (LEFT, -1)])
def test_the_key_turns_away_from_and_toward_the_camera_on_its_own_side(given: Rig, side: int) -> None:
    behind, front = (remedied(given, (Remedy(name, 20.0),)) for name in ("further-behind", "further-front"))
    assert key(behind).azimuth_deg == pytest.approx(80 * side)
    assert key(front).azimuth_deg == pytest.approx(40 * side)
    assert behind.rim == given.rim
    assert behind.lamp == given.lamp
    assert key(remedied(given, (Remedy("raise-key", 15.0),))).elevation_deg == pytest.approx(35)
    assert key(remedied(given, (Remedy("lower-key", 15.0),))).elevation_deg == pytest.approx(5)


@pytest.mark.parametrize("light", ["rear-right", "rear-left"])
def test_a_key_still_to_be_aimed_lights_less_when_it_goes_behind(light: str) -> None:
    given = rig.of(Look(light=light))
    behind = remedied(given, (Remedy("further-behind", 10.0),))
    assert isinstance(given.key.direction, Auto)
    assert isinstance(behind.key.direction, Auto)
    assert behind.key.direction.lit < given.key.direction.lit
    assert behind.key.direction.arc_deg == given.key.direction.arc_deg


@pytest.mark.parametrize("given", [HOUSE, SIDE, LEFT, BACK])
def test_the_other_side_is_the_mirror_and_twice_is_where_it_began(given: Rig) -> None:
    across = remedied(given, (Remedy("lit-side"),))
    back = remedied(across, (Remedy("lit-side"),))
    assert rig.leans(across) == -rig.leans(given) or given is BACK
    assert across.lamp.place_fw_fh[0] == pytest.approx(1 - given.lamp.place_fw_fh[0])
    assert back.key == given.key
    assert back.rim == given.rim
    assert back.lamp.place_fw_fh == pytest.approx(given.lamp.place_fw_fh)


def test_the_other_side_of_rear_right_is_rear_left() -> None:
    across, left = remedied(HOUSE, (Remedy("lit-side"),)), rig.of(Look(light="rear-left"))
    assert across.key.direction == left.key.direction
    assert across.rim is not None
    assert left.rim is not None
    assert across.rim.direction == left.rim.direction


@given(st.floats(5, 60))
def test_warmth_moves_every_light_and_no_light_s_strength(mired: float) -> None:
    warmer, cooler = (remedied(HOUSE, (Remedy(name, mired),)) for name in ("warm-highlight", "cool-highlight"))
    for before, warm, cool in (
        (HOUSE.key.irradiance_rgb, warmer.key.irradiance_rgb, cooler.key.irradiance_rgb),
        (HOUSE.lamp.radiance_rgb, warmer.lamp.radiance_rgb, cooler.lamp.radiance_rgb),
    ):
        assert luminance_of(warm) == pytest.approx(luminance_of(before))
        assert luminance_of(cool) == pytest.approx(luminance_of(before))
        assert warm[0] / warm[2] > before[0] / before[2] > cool[0] / cool[2]
    assert HOUSE.rim is not None
    assert warmer.rim is not None
    # One lamp to the eye: key and rim stay of one colour.
    share = HOUSE.rim.irradiance_rgb[0] / HOUSE.key.irradiance_rgb[0]
    assert [a / b for a, b in zip(warmer.rim.irradiance_rgb, warmer.key.irradiance_rgb, strict=True)] == pytest.approx([share] * 3)


def test_no_fill_and_hold_shadows_pull_the_other_way() -> None:
    darker, lighter = remedied(HOUSE, (Remedy("no-fill", 1.0),)), remedied(HOUSE, (Remedy("hold-shadows", 1.0),))
    assert darker.fill_ev < HOUSE.fill_ev < lighter.fill_ev
    assert darker.ambient_rgb < HOUSE.ambient_rgb < lighter.ambient_rgb
    # Where there is no fill at all, holding the shadows has to begin somewhere.
    none = replace(HOUSE, fill_ev=-math.inf, ambient_rgb=(0.0, 0.0, 0.0))
    opened = remedied(none, (Remedy("hold-shadows", 1.0),))
    assert math.isfinite(opened.fill_ev)
    assert min(opened.ambient_rgb) > 0
    # Fill stays fill, however often it is asked for.
    assert remedied(HOUSE, (Remedy("hold-shadows", 50.0),)).fill_ev <= -3.0


def test_motes_come_back_from_none() -> None:
    none = replace(HOUSE, motes=replace(HOUSE.motes, per_fh2=0.0, brightness=0.0))
    back = remedied(none, (Remedy("motes", 1.0),))
    assert back.motes.per_fh2 >= 300
    assert back.motes.brightness > 0.5
    assert remedied(HOUSE, (Remedy("fewer-motes", 1.0),)).motes.per_fh2 == pytest.approx(HOUSE.motes.per_fh2 / 2)


def test_other_lights_go_down_and_the_key_stays() -> None:
    changed = remedied(BACK, (Remedy("one-light", 2.0),))
    assert changed.key == BACK.key
    assert BACK.rim is not None
    assert changed.rim is not None
    assert changed.rim.irradiance_rgb[0] == pytest.approx(BACK.rim.irradiance_rgb[0] / 4)
    assert changed.extra[0].irradiance_rgb[1] == pytest.approx(BACK.extra[0].irradiance_rgb[1] / 4)
    assert remedied(replace(BACK, rim=None, extra=()), (Remedy("one-light", 2.0),)).rim is None


BEGIN_OR_END = {"hold-shadows", "halo", "separate-edge", "motes", "grain", "weave"}
STOPS = [name for name in remedies() if Remedy(name).unit == "stops" and name not in BEGIN_OR_END]


@pytest.mark.parametrize("name", STOPS)
def test_two_small_remedies_are_one_large_one(name: str) -> None:
    """What lets several retakes be one list. (Those that begin somewhere, or end, are left out.)"""
    twice = remedied(remedied(SIDE, (Remedy(name, 0.5),)), (Remedy(name, 0.75),))
    once = remedied(SIDE, merged((Remedy(name, 0.5),), (Remedy(name, 0.75),)))
    numbers = [_flat(one) for one in (twice, once)]
    assert numbers[0] == pytest.approx(numbers[1])


def _flat(given: Rig) -> list[float]:
    parts = [given.fill_ev, *given.ambient_rgb, given.exposure_offset_ev, given.backdrop.haze, given.backdrop.reflectance, given.lens.veil]
    return [*parts, given.key.angular_radius_deg, given.cloth.reflectance, given.stock.grain_rms, given.motes.per_fh2, given.lens.halo_gain]


# --- in words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["flux2", "midjourney", "openai", "plain"])
@pytest.mark.parametrize("name", remedies())
def test_the_meter_s_remedy_is_said_as_its_name_is(name: str, dialect: str) -> None:
    plain = compile(Look(), dialect)
    said = compile(Look(), dialect, (Remedy(name, 1.7),))
    assert said == compile(Look(), dialect, (name,))
    assert said != plain


def test_no_fill_is_said_in_its_author_s_words() -> None:
    assert "no fill light, no ambient bounce" in compile(Look(), "plain", (Remedy("no-fill"),)).text


# --- in shots ----------------------------------------------------------------------------------------------------------------


def test_a_shot_with_a_remedy_is_another_request() -> None:
    shots = [Shot(Look(), Framing(), "ab" * 32, 1, (64, 80), remedies=some) for some in ((), (Remedy("motes"),), (Remedy("motes", 2.0),))]
    assert len({shot.hash() for shot in shots}) == 3
    assert shots[0].hash() == Shot(Look(), Framing(), "ab" * 32, 1, (64, 80)).hash()
