"""Judging: what counts as kept, what a doubt is worth, scores that rank, and the JSON that was promised."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey.look import Look
from lowkey.meter.reading import CannotJudge, Measure, Reading, catalogue, whole
from lowkey.meter.verdict import Verdict, described, judge, ranked
from lowkey.spec import Remedy, Spec

HOUSE = Spec.of(Look())
GOOD: dict[str, float | str] = {
    "lit_side": "right", "lights": 1.0, "key_azimuth_deg": 97.0, "key_elevation_deg": 20.0, "lighting_ratio_stops": 5.5,
    "face_clipped_share": 0.0, "highlight_code": 222.0, "highlight_warmth_mired": 35.0, "terminator_width_hw": 0.06,
    "shadow_median_code": 18.0, "shadow_range_codes": 14.0, "lit_islands": 0.0, "neck_over_chin": 0.4, "dark_edge_codes": 6.0,
    "frame_black_share": 0.48, "motes_per_fh2": 300.0, "motes_on_eyes": 0.0, "flare": "halo", "texture_kind": "film grain",
    "grain_on_skin_codes": 2.5, "cloth_median_code": 14.0, "frame_aspect": 0.8, "likeness": "same", "midtone_flatness": 0.02,
    "cloth_weave_codes": 4.0,
}  # fmt: skip
"""A frame as the look wants it."""


def reading(sigma: dict[str, float] | None = None, unseen: tuple[str, ...] = (), **changed: float | str) -> Reading:
    """A reading of the good frame with some values changed, some in doubt and some not to be judged."""
    values = {**GOOD, **changed}
    found: dict[str, Measure | CannotJudge] = {
        name: Measure(value, catalogue()[name].unit, (sigma or {}).get(name), "face") for name, value in values.items()
    }
    for name in unseen:
        found[name] = CannotJudge("too dark to tell")
    return Reading(whole(found), True)


def row(verdict: Verdict, measure: str):  # type: ignore[no-untyped-def]
    return next(row for row in verdict.rows if row.measure == measure)


def test_the_good_frame_keeps_everything() -> None:
    verdict = judge(reading(), HOUSE)
    assert verdict.headline == f"kept {len(HOUSE.targets)} of {len(HOUSE.targets)}"
    assert verdict.passed is True
    assert verdict.remedies == ()
    assert verdict.score is not None
    assert verdict.score >= 0.9


@pytest.mark.parametrize(
    ("measure", "value", "remedy"),
    [
        ("face_clipped_share", 0.04, "hold-highlights"),
        ("lighting_ratio_stops", 2.0, "no-fill"),
        ("lights", 2.0, "one-light"),
        ("lit_side", "left", "lit-side"),
        ("lit_side", "both", "one-light"),
        ("key_azimuth_deg", 55.0, "further-behind"),
        ("key_azimuth_deg", 140.0, "further-front"),
        ("key_elevation_deg", 70.0, "lower-key"),
        ("motes_per_fh2", 3.0, "motes"),
        ("texture_kind", "chroma noise", "grain"),
        ("texture_kind", "plastic", "skin-texture"),
        ("likeness", "not", "likeness"),
        ("shadow_median_code", 0.0, "hold-shadows"),
        ("shadow_median_code", 90.0, "no-fill"),
        ("terminator_width_hw", 0.4, "sharp-edge"),
        ("highlight_warmth_mired", -20.0, "warm-highlight"),
        ("dark_edge_codes", 0.0, "separate-edge"),
        ("frame_black_share", 0.05, "darker-room"),
        ("frame_black_share", 0.95, "halo"),
        ("cloth_median_code", 120.0, "darker-cloth"),
    ],
)
def test_one_fault_is_one_miss_with_its_remedy(measure: str, value: float | str, remedy: str) -> None:
    verdict = judge(reading(**{measure: value}), HOUSE)
    assert [missed.measure for missed in verdict.missed] == [measure]
    assert verdict.passed is False
    assert [one.name for one in verdict.remedies] == [remedy]
    assert row(verdict, measure).short_by > 0
    good = judge(reading(), HOUSE).score
    assert good is not None
    assert verdict.score is not None
    assert verdict.score < good


def test_a_landscape_crop_is_named_though_no_rig_can_mend_it() -> None:
    verdict = judge(reading(frame_aspect=1.5), HOUSE)
    (missed,) = verdict.missed
    assert (missed.measure, missed.short_by, missed.remedy) == ("frame_aspect", 0.5, None)
    assert verdict.remedies == ()


def test_the_meter_s_own_doubt_is_given_to_the_frame() -> None:
    """8 degrees too frontal: a miss when read to 3 degrees, none when read to 10; read to 40 nothing can be said."""
    several = [reading(key_azimuth_deg=58.0, sigma={"key_azimuth_deg": sigma}) for sigma in (3.0, 10.0, 40.0)]
    kept = [row(judge(one, HOUSE), "key_azimuth_deg").kept for one in several]
    assert kept == [False, True, None]


def test_what_people_differ_by_under_one_light_is_doubt_too() -> None:
    """The photo's own white is not known: the highlight's warmth is told to 13 mired at best, whatever the reading says."""
    several = [reading(highlight_warmth_mired=mired, sigma={"highlight_warmth_mired": 3.0}) for mired in (-2.0, -4.0)]
    assert [row(judge(one, HOUSE), "highlight_warmth_mired").kept for one in several] == [True, False]


def test_what_follows_from_something_else_waits_for_the_next_take() -> None:
    """An overexposed frame's room is not too bright: exposure first. Each row still says its own remedy."""
    both = judge(reading(face_clipped_share=0.1, frame_black_share=0.1), HOUSE)
    assert [one.name for one in both.remedies] == ["hold-highlights"]
    assert row(both, "frame_black_share").remedy.name == "darker-room"
    assert [one.name for one in judge(reading(frame_black_share=0.1), HOUSE).remedies] == ["darker-room"]
    frontal = judge(reading(key_azimuth_deg=15.0, lighting_ratio_stops=0.7), HOUSE)
    assert [one.name for one in frontal.remedies] == ["further-behind"]


def test_probably_is_not_a_miss_and_not_kept() -> None:
    assert [row(judge(reading(likeness=band), HOUSE), "likeness").kept for band in ("same", "probably", "not")] == [True, None, False]


def test_what_cannot_be_judged_counts_neither_way() -> None:
    whole_verdict = judge(reading(), HOUSE)
    verdict = judge(reading(unseen=("likeness", "motes_per_fh2")), HOUSE)
    n = len(HOUSE.targets)
    assert verdict.headline == f"kept {n - 2} of {n - 2} (2 cannot be judged)"
    assert verdict.passed is True
    assert row(verdict, "likeness").why == "too dark to tell"
    assert verdict.score == pytest.approx(whole_verdict.score, abs=0.02)


def test_no_score_when_less_than_half_could_be_judged() -> None:
    n = len(HOUSE.targets)
    names = [target.measure for target in HOUSE.targets]
    assert judge(reading(unseen=tuple(names[: n // 2])), HOUSE).score is not None
    blind = judge(reading(unseen=tuple(names[: n // 2 + 1])), HOUSE)
    assert blind.score is None
    assert blind.passed is None
    assert ranked([blind, judge(reading(), HOUSE)]) == [None, 1]


@given(st.floats(-50, 300), st.floats(0.01, 100))
def test_further_out_never_scores_better(value: float, more: float) -> None:
    """Along one measure, beyond either end of its range."""
    arc = next(target for target in HOUSE.targets if target.measure == "key_azimuth_deg")
    outward = value + more if value > arc.high else value - more if value < arc.low else None
    opposite = (arc.low + arc.high) / 2 + 180
    if outward is None or not opposite - 360 < outward < opposite:  # the far side of the circle comes back
        return
    near, far = (row(judge(reading(key_azimuth_deg=one), HOUSE), "key_azimuth_deg").credit for one in (value, outward))
    assert far <= near


NUMBERS = st.sampled_from([name for name, value in GOOD.items() if isinstance(value, float)])


@given(st.dictionaries(NUMBERS, st.floats(-1e9, 1e9), max_size=8))
def test_a_score_is_between_0_and_1_and_a_miss_always_costs(changed: dict[str, float]) -> None:
    verdict = judge(reading(**changed), HOUSE)
    assert verdict.score is not None
    assert 0 <= verdict.score <= 1
    n = len(HOUSE.targets)
    # However comfortable the rest: each miss takes at least what lies between a kept row and a missed one.
    assert verdict.score <= 1 - 0.4 * len(verdict.missed) / n + 1e-9


def test_two_rows_that_ask_for_one_remedy_ask_once_for_the_larger() -> None:
    verdict = judge(reading(lighting_ratio_stops=3.0, shadow_median_code=120.0), HOUSE)
    sizes = {row(verdict, name).remedy.size for name in ("lighting_ratio_stops", "shadow_median_code")}
    assert verdict.remedies == (Remedy("no-fill", max(sizes)),)


def test_frames_are_ranked_by_score_and_equals_share_a_place() -> None:
    good, worse, worst = (judge(reading(lighting_ratio_stops=stops), HOUSE) for stops in (5.5, 3.5, 0.5))
    assert ranked([worse, good, worst, good]) == [3, 1, 4, 1]


def test_the_json_is_what_was_promised() -> None:
    found = reading(lighting_ratio_stops=2.0, unseen=("likeness",))
    told = json.loads(described(found, judge(found, HOUSE), "ana.png"))
    assert list(told) == ["frame", "low_key", "measures", "verdict", "score"]
    assert (told["frame"], told["low_key"]) == ("ana.png", True)
    assert set(told["measures"]) == set(catalogue())
    assert set(told["measures"]["lighting_ratio_stops"]) == {"value", "unit", "sigma", "region"}
    assert told["measures"]["likeness"] == {"cannot_judge": "too dark to tell"}
    rows = {one["measure"]: one for one in told["verdict"]}
    assert all(set(one) == {"measure", "kept", "short_by", "why", "remedy"} for one in told["verdict"])
    assert rows["lighting_ratio_stops"]["kept"] is False
    assert rows["lighting_ratio_stops"]["short_by"] == 2.0
    assert rows["lighting_ratio_stops"]["remedy"] == {"name": "no-fill", "size": 3.0, "unit": "stops"}
    assert rows["likeness"] == {"measure": "likeness", "kept": None, "short_by": None, "why": "too dark to tell", "remedy": None}
    assert rows["face_clipped_share"]["remedy"] is None
    assert 0 <= told["score"] <= 1


def test_json_never_holds_what_json_cannot_say() -> None:
    told = described(reading(frame_black_share=1e300), judge(reading(frame_black_share=1e300), HOUSE), "x")
    assert not any(math.isinf(one["short_by"] or 0.0) for one in json.loads(told)["verdict"])


def test_what_the_engine_cannot_do_is_told_beside_the_rows() -> None:
    spec = Spec.of(Look(pose="eyes closed"), {"pose": "no"})
    verdict = judge(reading(), spec)
    assert [measure for measure, _ in verdict.reported] == ["eyes_closed"]
    assert verdict.passed is True
