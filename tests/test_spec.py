"""A look as a promise: the numbers of the design, arcs that hold the rig's own lights, and nothing judged that was not asked."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey import rig
from lowkey.errors import Bug
from lowkey.look import VARIABLES, Look, words
from lowkey.meter.reading import catalogue
from lowkey.prompt import remedy_names
from lowkey.spec import Cure, Remedy, Spec, Target, merged, remedies

LIGHTS = [word.word for word in words("light")]
EVERY_WORD = [(variable, word.word) for variable in VARIABLES for word in words(variable)]


def ranges(look: Look) -> dict[str, tuple[float, float]]:
    return {target.measure: (target.low, target.high) for target in Spec.of(look).targets}


def test_the_house_look_promises_what_the_design_says() -> None:
    """DESIGN, section 5, "The promise in numbers"; the edge of light as docs/decisions/0020 has it."""
    house = ranges(Look())
    assert house["lighting_ratio_stops"] == (4.0, math.inf)
    assert house["face_clipped_share"] == (-math.inf, 0.005)
    assert house["frame_black_share"] == (0.30, 0.60)
    assert house["shadow_median_code"] == (8, 50)
    assert house["shadow_range_codes"] == (6, math.inf)
    assert house["neck_over_chin"] == (-math.inf, 1.0)
    assert house["terminator_width_hw"] == (-math.inf, 0.14)
    assert house["highlight_warmth_mired"] == (10, 60)
    assert house["dark_edge_codes"] == (3, math.inf)
    assert house["lights"] == (1, 1)
    assert house["key_azimuth_deg"] == (62, 106)
    assert house["motes_per_fh2"] == (60, math.inf)
    asked = {target.measure: target.words for target in Spec.of(Look()).targets}
    assert asked["likeness"] == ("same",)
    assert asked["lit_side"] == ("right",)


@pytest.mark.parametrize(("variable", "word"), EVERY_WORD)
def test_every_word_makes_a_promise_of_measures_that_exist(variable: str, word: str) -> None:
    spec = Spec.of(Look(**{variable: word}))
    assert len(spec.targets) >= 8
    for target in spec.targets:
        assert target.measure in catalogue(), target.measure
        assert target.words or target.low <= target.high, target.measure
        assert target.words or math.isfinite(target.low) or math.isfinite(target.high), f"{target.measure} asks for nothing"
        assert target.why
        assert target.slack > 0
        assert target.said


def test_each_variable_changes_the_promise() -> None:
    """A word that changed nothing anywhere would be decoration: each variable moves some target between two of its words."""
    for variable in VARIABLES:
        promises = {tuple(Spec.of(Look(**{variable: word.word})).targets) for word in words(variable)}
        assert len(promises) > 1, variable


@pytest.mark.parametrize("light", LIGHTS)
def test_the_rig_s_own_key_lies_within_the_arc_of_its_word(light: str) -> None:
    spec, key = Spec.of(Look(light=light)), rig.of(Look(light=light)).key.direction
    azimuths = key.arc_deg if isinstance(key, rig.Auto) else (key.azimuth_deg,)
    azimuth, elevation = spec.target("key_azimuth_deg"), spec.target("key_elevation_deg")
    assert azimuth is not None
    assert all(azimuth.short_by(value) == 0 for value in azimuths)
    if elevation is not None:
        assert elevation.short_by(key.elevation_deg) == 0


@pytest.mark.parametrize("light", LIGHTS)
def test_a_mirrored_light_is_promised_in_the_mirror(light: str) -> None:
    word = next(word for word in words("light") if word.word == light)
    twin = next((one for one in words("light") if one.values is word.values and one.mirrored != word.mirrored), None)
    if twin is None:
        pytest.skip("a light without a side")
    here, there = ({target.measure: target for target in Spec.of(Look(light=one)).targets} for one in (light, twin.word))
    assert here.keys() == there.keys()
    for measure, target in here.items():
        other = there[measure]
        if measure == "key_azimuth_deg":
            assert (other.low, other.high) == (-target.high, -target.low)
            # What to do is the same too: 30 degrees too frontal is too frontal on either side.
            frontal = target.low - 30 if target.low > 0 else target.high + 30
            if target.low * target.high > 0:
                assert other.remedy(-frontal) == target.remedy(frontal) == Remedy("further-behind", pytest.approx(51.0))
        elif measure == "lit_side":
            assert set(other.words) == {{"left": "right", "right": "left"}.get(side, side) for side in target.words}
        else:
            assert (other.low, other.high, other.remedies) == (target.low, target.high, target.remedies)


@given(st.floats(-180, 180), st.floats(-60, 80))
def test_a_light_in_degrees_is_kept_where_it_was_put(azimuth: float, elevation: float) -> None:
    spec = Spec.of(Look(light=f"{azimuth:.3f},{elevation:.3f}"))
    target = spec.target("key_azimuth_deg")
    assert target is not None
    for turn in (-360, 0, 360):
        assert target.short_by(azimuth + turn) == pytest.approx(0, abs=1e-2)
    assert target.short_by(azimuth + 170) != 0 or target.high - target.low > 300


def test_what_an_engine_cannot_do_is_reported_and_not_judged() -> None:
    look = Look(pose="hands on chin looking upward")
    asked, told = Spec.of(look), Spec.of(look, {"pose": "no", "light": "yes"})
    assert {"hands_at_chin", "gaze"} <= {target.measure for target in asked.targets}
    assert {target.measure for target in told.targets} == {target.measure for target in asked.targets} - {"hands_at_chin", "gaze"}
    assert {measure for measure, why in told.reported if "pose" in why} == {"hands_at_chin", "gaze"}


def test_a_pose_kept_from_the_photo_is_judged() -> None:
    look = Look(pose="hands on chin looking upward")
    assert Spec.of(look, {"pose": "kept from photo"}).target("hands_at_chin") is not None


def test_what_a_look_asks_for_in_numbers_is_no_fault() -> None:
    assert ranges(Look(rig=(("fill_ev", -2.0),)))["lighting_ratio_stops"][0] == pytest.approx(1.4)
    assert ranges(Look(rig=(("fill_ev", -12.0),)))["lighting_ratio_stops"][0] == 4.0
    assert "shadow_median_code" not in ranges(Look(rig=(("fill_ev", -math.inf),)))
    assert "face_clipped_share" not in ranges(Look(rig=(("exposure_ev", 2.0),)))
    assert ranges(Look(background="200"))["motes_per_fh2"][0] == pytest.approx(20)
    assert "motes_per_fh2" not in ranges(Look(background="0"))
    assert "motes_per_fh2" not in ranges(Look(background="concrete texture"))
    assert ranges(Look(clothing="white linen shirt"))["lighting_ratio_stops"][0] < 4


def test_the_neck_is_promised_dark_only_under_light_from_above() -> None:
    assert "neck_over_chin" in ranges(Look(light="60,30"))
    assert "neck_over_chin" not in ranges(Look(light="60,5"))
    assert "neck_over_chin" not in ranges(Look(light="hard side-left"))


# --- targets -----------------------------------------------------------------------------------------------------------------


def target(measure: str = "x", low: float = 4.0, high: float = 6.0) -> Target:
    return Target(measure, low, high, "stops", "because", (Cure("no-fill", 2.0, 1.0, 5.0), Cure("hold-shadows")))


@given(st.floats(-1e6, 1e6))
def test_a_miss_is_the_way_to_the_nearer_end(value: float) -> None:
    short = target().short_by(value)
    assert min(max(value, 4.0), 6.0) == pytest.approx(value - short)
    assert (short == 0) == (4.0 <= value <= 6.0)


def test_a_remedy_grows_with_the_miss_within_its_limits() -> None:
    assert [target().remedy(value) for value in (3.9, 3.0, 2.0, -20.0)] == [Remedy("no-fill", size) for size in (1.0, 2.0, 4.0, 5.0)]
    assert target().remedy(5.0) is None
    assert target().remedy(7.0) == Remedy("hold-shadows", 1.0)


def test_an_azimuth_is_the_same_all_the_way_round() -> None:
    back = Target("key_azimuth_deg", 130, 230, "deg", "", (None, None))
    assert [back.short_by(value) for value in (180, -180, -140, 220, -230)] == [0, 0, 0, 0, 0]
    assert back.short_by(120) == pytest.approx(-10)
    assert back.short_by(-120) == pytest.approx(10)


def test_a_key_on_the_wrong_side_is_moved_across() -> None:
    arc = Spec.of(Look()).target("key_azimuth_deg")
    assert arc is not None
    assert arc.remedy(-95) == Remedy("lit-side")
    assert arc.remedy(40) == Remedy("further-behind", pytest.approx(37.4))
    assert arc.remedy(125) == Remedy("further-front", 19.0)


# --- remedies ----------------------------------------------------------------------------------------------------------------


def test_rigs_and_prompts_know_the_same_remedies() -> None:
    assert set(remedies()) == set(remedy_names())


def test_every_cure_is_a_remedy_and_every_remedy_has_its_words() -> None:
    table = looks.table("promise")["targets"]
    for measure, row in table.items():
        cures = [row[name] for name in ("below", "above") if name in row] + list(row.get("cures", {}).values())
        assert all(cure["remedy"] in remedies() for cure in cures), measure
        assert set(row["of"]) <= set(VARIABLES)
    for name in remedies():
        assert Remedy(name).does
        assert Remedy(name).unit in ("stops", "deg", "mired", "")


def test_an_unknown_remedy_is_our_bug() -> None:
    with pytest.raises(Bug):
        Remedy("more-cowbell").changes


def test_nothing_waits_for_itself_or_in_a_ring() -> None:
    """Whatever is missed, something is prescribed."""

    def reached(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, f"{' -> '.join((*seen, name))}"
        for first in Remedy(name).after:
            assert first in remedies()
            reached(first, (*seen, name))

    for name in remedies():
        reached(name)


def test_sizes_add_up_and_switches_do_not() -> None:
    first, second = (Remedy("no-fill", 1.0), Remedy("lit-side")), (Remedy("motes", 2.0), Remedy("no-fill", 0.5), Remedy("lit-side"))
    assert merged(first, second) == (Remedy("no-fill", 1.5), Remedy("lit-side"), Remedy("motes", 2.0))


def test_every_number_that_a_remedy_changes_is_in_the_rig() -> None:
    whole = rig.of(Look(light="full backlight"))
    for name in remedies():
        for change in Remedy(name).changes:
            assert set(change) <= {"number", "by", "doubles", "from", "least", "most", "turn", "lift", "warm", "mirror"}
            path = change.get("number", "").split(".")
            if path in ([""], ["exposure"]):
                continue
            part = whole
            for step in path:
                part = part[0] if isinstance(part, tuple) else part
                assert is_dataclass(part)
                assert step in {field.name for field in fields(part)}, f"{name}: {change['number']}"
                part = getattr(part, step)
