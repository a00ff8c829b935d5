"""The key's side where the photo has a light of its own: chosen where nobody asked, obeyed where somebody did, and always said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lowkey import look as looks
from lowkey.cli import asking
from lowkey.look import Look
from lowkey.plate.plate import FoundLight, Plate
from lowkey.session import batch, plates, resuming, siding, sweeping
from lowkey.session.batch import Client
from lowkey.session.shooting import shoot
from test_record import FakeEnlarger, record_of, studio  # noqa: F401

HARD_LEFT = FoundLight(-62.0, 20.0, 2.8, True, 40.0, 0.9)


def codes(cautions: Any) -> list[str]:
    return [one.code for one in cautions if one.code in siding.CODES]


@pytest.fixture
def lit(studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, small_plate: Plate) -> Callable[..., Any]:  # noqa: F811
    """`shoot` of a photo with the given light in it."""

    def run(found: FoundLight = HARD_LEFT, **asked: Any) -> Any:
        monkeypatch.setattr(plates, "of", lambda picture, face=None, keep=True: replace(small_plate, photo=picture, found_light=found))
        return studio(**{"seeds": [1], "meter": False, "size_px": (96, 120)} | asked)

    return run


def test_every_light_and_its_other_side() -> None:
    for word in looks.words("light"):
        other = looks.other_side(word.word)
        if word.slug == "backlight":
            assert other is None
        else:
            assert other is not None
            assert other != word.word
            assert looks.other_side(other) == word.word
    assert looks.other_side("rear-right") == "rear-left"
    assert looks.other_side("95,18,2") == "-95,18,2"
    assert looks.other_side("-30,5") == "30,5"
    assert looks.other_side("180,30") is None
    assert looks.other_side("0,30") is None


def test_a_hard_light_from_the_left_brings_the_key_to_the_left(lit: Callable[..., Any]) -> None:
    done = lit()
    assert done.frames[0].path.name == "ana_rear-left_s01.png"
    assert codes(done.warnings) == ["key-side-chosen"]
    said = next(one.text for one in done.warnings if one.code == "key-side-chosen")
    for part in ("frame-left", "2.8 stops", "0.90", "rear-left", "--light rear-right"):
        assert part in said
    record = record_of(done.folder)
    assert record["look"]["light"] == "rear-left"
    assert record["plate"]["found_light"]["azimuth_deg"] == -62.0
    assert [one["code"] for one in record["warnings"]].count("key-side-chosen") == 1


def test_a_hard_light_from_the_keys_own_side_changes_nothing(lit: Callable[..., Any]) -> None:
    done = lit(replace(HARD_LEFT, azimuth_deg=62.0))
    assert done.frames[0].path.name == "ana_rear-right_s01.png"
    assert codes(done.warnings) == []


@pytest.mark.parametrize(
    "change",
    [
        {"hard": False, "contrast_stops": siding.STRONG_STOPS - 0.01},
        {"confidence": siding.SURE - 0.01},
        {"azimuth_deg": -20.0},
        {"azimuth_deg": -83.6, "elevation_deg": 67.9},
    ],
    ids=["soft", "unsure", "frontal", "from above"],
)
def test_a_light_that_is_soft_or_unsure_or_of_no_side_changes_nothing(lit: Callable[..., Any], change: dict[str, Any]) -> None:
    done = lit(replace(HARD_LEFT, **change))
    assert done.frames[0].path.name == "ana_rear-right_s01.png"
    assert codes(done.warnings) == []


def test_a_strong_light_without_a_hard_edge_counts(lit: Callable[..., Any]) -> None:
    assert codes(lit(replace(HARD_LEFT, hard=False, contrast_stops=siding.STRONG_STOPS)).warnings) == ["key-side-chosen"]


@pytest.mark.parametrize("look", [Look(), "house", Look(background="smoke and bokeh")], ids=["Look", "name", "other words"])
def test_a_look_that_was_passed_is_obeyed_with_a_warning(lit: Callable[..., Any], look: Look | str) -> None:
    done = lit(look=look)
    assert done.frames[0].path.name == "ana_rear-right_s01.png"
    assert codes(done.warnings) == ["key-against-light"]
    assert "--light rear-left" in next(one.text for one in done.warnings if one.code == "key-against-light")


@pytest.mark.parametrize("light", ["rear-left", "hard side-left", "full backlight", "overhead hatchlight", "-95,18"])
def test_a_light_that_does_not_fight_is_not_warned_of(lit: Callable[..., Any], light: str) -> None:
    assert codes(lit(look=Look(light=light)).warnings) == []


def test_what_fights_is_told_by_its_own_numbers_too() -> None:
    look, said = siding.sided(Look(light="95,18"), HARD_LEFT, free=False)
    assert look.light == "95,18"
    assert codes(said) == ["key-against-light"]


def test_the_rest_of_the_look_stays(lit: Callable[..., Any]) -> None:
    asked = Look(background="smoke and bokeh", flare="no flare", rig=(("fill_ev", -5.0),))
    done = lit(look=asked, either_side=True)
    assert looks.from_json(json.dumps(record_of(done.folder)["look"])) == asked.but(light="rear-left")


def test_going_on_keeps_the_side_that_was_chosen(lit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when the photo is read otherwise the second time: a session goes on as it began."""
    monkeypatch.setattr(FakeEnlarger, "stop_at", 2)
    with pytest.raises(KeyboardInterrupt):
        lit(seeds=[1, 2])
    monkeypatch.setattr(FakeEnlarger, "stop_at", None)
    done = lit(replace(HARD_LEFT, azimuth_deg=62.0), seeds=[1, 2])
    assert [one.path.name for one in done.frames] == ["ana_rear-left_s01.png", "ana_rear-left_s02.png"]
    assert done.made == 1
    assert codes(done.warnings) == ["key-side-chosen"]
    assert len(record_of(done.folder)["setups"]) == 1
    again = lit(seeds=[1, 2])
    assert again.made == 0
    assert codes(again.warnings) == ["key-side-chosen"]


def test_resume_keeps_look_and_warning(lit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEnlarger, "stop_at", 2)
    with pytest.raises(KeyboardInterrupt):
        lit(seeds=[1, 2])
    monkeypatch.setattr(FakeEnlarger, "stop_at", None)
    (done,) = resuming.resume(Path("ana_lowkey"), Path("ana.png"))
    assert done.frames[1].path.name == "ana_rear-left_s02.png"
    assert codes(done.warnings) == ["key-side-chosen"]


def test_a_damaged_found_light_in_the_record_is_read_anew(lit: Callable[..., Any]) -> None:
    from lowkey.session.opening import opened

    lit()
    with opened(Path("ana_lowkey")) as session:
        session.store.keep(plate={"found_light": {"azimuth_deg": "west"}})
        found = siding.of_session(session.store, None, lambda: replace_plate(HARD_LEFT))
    assert found == HARD_LEFT


def replace_plate(found: FoundLight) -> Any:
    class OfIt:
        found_light = found

    return OfIt


def test_a_sweep_takes_the_side_unless_light_is_what_it_goes_through(lit: Callable[..., Any]) -> None:
    lit()  # plants the light
    stocks = sweeping.sweep("ana.png", sweeping.axis("flare=no flare; clean backlight"), size_px=(96, 120), meter=False, out=Path("one"))
    assert {json.loads((stocks.record).read_text())["setups"][i]["look"]["light"] for i in range(2)} == {"rear-left"}
    lights = sweeping.sweep("ana.png", sweeping.axis("light=rear-right; rear-left"), size_px=(96, 120), meter=False, out=Path("two"))
    assert [one["look"]["light"] for one in json.loads(lights.record.read_text())["setups"]] == ["rear-right", "rear-left"]
    assert [codes(one.warnings) for one in lights.shoots] == [["key-against-light"], []]


@pytest.mark.parametrize(
    ("words", "light"), [({}, "rear-left"), ({"flare": "no flare"}, "rear-left"), ({"light": "rear-right"}, "rear-right")]
)
def test_a_line_of_a_batch_that_names_its_light_is_obeyed(lit: Callable[..., Any], words: dict[str, str], light: str) -> None:
    lit()
    asked = {"size_px": (64, 80), "seeds": [1], "meter": False, "either_side": True}
    (done,) = batch.run([Client(Path("ana.png"), Path("batch"), words=words)], Look(), asked, apart=False)
    assert done.code == "", done.why
    assert record_of(Path("batch"))["look"]["light"] == light


@pytest.mark.parametrize(
    ("typed", "free"),
    [([], True), (["--flare", "no flare"], True), (["--light", "rear-right"], False), (["--look", "house"], False)],
)
def test_on_the_command_line_a_light_or_a_look_is_a_choice(monkeypatch: pytest.MonkeyPatch, typed: list[str], free: bool) -> None:
    from typer.testing import CliRunner

    from lowkey.cli import shooting
    from lowkey.cli.commands import app

    seen: dict[str, Any] = {}
    monkeypatch.setattr(shooting, "run", lambda photo, **asked: seen.update(asked))
    assert CliRunner().invoke(app, ["shoot", "ana.png", *typed]).exit_code == 0
    assert seen["either_side"] is free
    assert seen["look"].light == asking.look(None, None, None, None, None, None, None, None).light


def test_shoot_takes_a_default_look_for_no_look(lit: Callable[..., Any]) -> None:
    lit()
    done = shoot("ana.png", look=None, either_side=False, seeds=[1], size_px=(64, 80), meter=False, out="told")
    assert codes(done.warnings) == ["key-against-light"]
