"""Whose face it is stays unasked where a model's licence does not clearly allow it, and nothing else changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lowkey import photo
from lowkey.engines import Sitting
from lowkey.engines.darkroom import Darkroom
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.meter import CannotJudge, Measure, measure
from lowkey.meter.likeness import NAMES
from lowkey.plate import likeness
from lowkey.plate.plate import Plate
from lowkey.session import metering
from lowkey.session.retaking import takes


class Barred(Darkroom):
    """The darkroom under a licence that bars it."""

    abilities = replace(Darkroom.abilities, likeness=False)


def never(*_: object) -> object:
    raise AssertionError("a descriptor of the face was made")


def test_unasked_no_descriptor_is_made_and_the_rest_is_read(astronaut_plate: Plate, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = astronaut_plate.photo.pixels
    asked = measure(picture, astronaut_plate).measures
    assert isinstance(asked["likeness_distance"], Measure), "the photo itself is near enough to be compared"
    monkeypatch.setattr(likeness, "distances", never)
    unasked = measure(picture, astronaut_plate, likeness=False).measures
    for name in NAMES:
        found = unasked[name]
        assert isinstance(found, CannotJudge)
        assert "licence" in str(found)
    assert {name: value for name, value in asked.items() if name not in NAMES} == {
        name: value for name, value in unasked.items() if name not in NAMES
    }


def test_takes_ask_only_where_the_engine_may(astronaut_plate: Plate) -> None:
    sitting = Sitting(astronaut_plate.photo, lambda: astronaut_plate)
    shot = Shot(Look(), Framing(), sitting.photo.hash, 1, (256, 320))
    for engine in (Darkroom(), Barred()):
        take = next(takes(engine, shot, sitting))
        assert ("licence" in str(take.reading.measures["likeness_distance"])) == isinstance(engine, Barred)


def test_a_record_that_bars_it_is_heeded_by_the_meter(astronaut_file: Path, tmp_path: Path) -> None:
    frame = tmp_path / "frame.png"
    photo.write_png(frame, photo.read(astronaut_file).pixels)
    for noted, flag, barred in ((True, False, False), (False, False, True), (False, True, False)):
        (tmp_path / "record.json").write_text(json.dumps({"frames": [{"file": "frame.png", "notes": {"likeness": noted}}]}))
        one = next(metering.meter([frame], reference=astronaut_file, likeness=flag))
        assert ("licence" in str(one.reading.measures["likeness_distance"])) == barred


@pytest.mark.parametrize("text", ["", "{", "[]", '{"frames": 3}', '{"frames": [{"file": "frame.png"}]}', '{"frames": [null]}'])
def test_a_record_of_another_kind_bars_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    assert not metering.bars_likeness(tmp_path / "frame.png")
