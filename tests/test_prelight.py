"""The darkroom's frame as a guide, through a session: what an engine that takes a guide is given, and what the session remembers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowkey import engines
from lowkey.engines import Sitting
from lowkey.errors import EngineError
from lowkey.frame import Frame, Shot
from lowkey.session import metadata, record, resuming
from lowkey.session.shooting import Shoot, shoot
from studio import Quick

SIZE_PX = (128, 160)


class Finisher(Quick):
    """Turns the guide upside down, so that its frame tells which guide it was given; without one it draws grey."""

    def __init__(self, folder: Path, stop_before: int) -> None:
        super().__init__(folder, paid=False)
        self.name, self.stop_before = "finisher", stop_before
        self.abilities = replace(self.abilities, guide=True)

    def shoot(self, shot: Shot, sitting: Sitting, *, progress: Any = None, cancel: Any = None, ledger: Any = None) -> Frame:
        if shot.seed == self.stop_before:
            raise KeyboardInterrupt
        w, h = shot.size_px
        pixels = np.full((h, w, 3), 9000, np.uint16) if sitting.guide is None else np.ascontiguousarray(sitting.guide[::-1])
        return Frame(pixels, shot, None, None, (), dict(self.abilities.variables), "finisher 1", 0.01)


@pytest.fixture
def finisher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, int]:
    """`engines.find("finisher")` finds one; `stop_before` in what comes back is the seed at which it is interrupted."""
    real, wish = engines.find, {"stop_before": 0}

    def find(name: str, settings: Mapping[str, str] | None = None) -> Any:
        return Finisher(tmp_path, wish["stop_before"]) if name == "finisher" else real(name, settings)

    monkeypatch.setattr(engines, "find", find)
    monkeypatch.setenv("LOWKEY_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return wish


def finished(photo: Path, out: str, **asked: Any) -> Shoot:
    return shoot(photo, **{"size_px": SIZE_PX, "seeds": (1, 2), "meter": False, "engine": "finisher", "prelight": True, "out": out} | asked)


def picture(path: Path) -> Any:
    from lowkey import photo

    return photo.read(path).pixels


def test_each_seed_is_guided_by_the_darkrooms_own_frame_of_it(finisher: dict[str, int], astronaut_file: Path) -> None:
    guided = finished(astronaut_file, "guided")
    plain = finished(astronaut_file, "plain", engine="darkroom", prelight=False)
    for one, lit in zip(guided.frames, plain.frames, strict=True):
        assert np.array_equal(picture(one.path)[::-1], picture(lit.path))
    assert not np.array_equal(picture(guided.frames[0].path), picture(guided.frames[1].path))


def test_with_and_without_a_guide_are_two_setups_of_one_session(finisher: dict[str, int], astronaut_file: Path) -> None:
    guided, bare = finished(astronaut_file, "s"), finished(astronaut_file, "s", prelight=False)
    assert not {one.path for one in guided.frames} & {one.path for one in bare.frames}
    assert (picture(bare.frames[0].path) == 9000).all()
    assert sorted(bool(one.get("prelight")) for one in record.read(Path("s"))["setups"]) == [False, True]
    assert (finished(astronaut_file, "s").made, finished(astronaut_file, "s", prelight=False).made) == (0, 0)


def test_a_stopped_shoot_goes_on_with_its_guide(finisher: dict[str, int], astronaut_file: Path) -> None:
    unharmed = finished(astronaut_file, "unharmed")
    finisher["stop_before"] = 2
    with pytest.raises(KeyboardInterrupt):
        finished(astronaut_file, "stopped")
    finisher["stop_before"] = 0
    (resumed,) = resuming.resume(Path("stopped"))
    assert [one.path.name for one in resumed.frames] == [one.path.name for one in unharmed.frames]
    for one, other in zip(resumed.frames, unharmed.frames, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()


def test_a_guided_frame_is_made_again_from_its_file_alone(finisher: dict[str, int], astronaut_file: Path, tmp_path: Path) -> None:
    frame = finished(astronaut_file, "s").frames[1].path
    assert metadata.of(frame).prelight
    (tmp_path / "alone").mkdir()
    shutil.copy(frame, tmp_path / "alone" / "frame.png")
    made = resuming.again(tmp_path / "alone" / "frame.png", astronaut_file)
    assert made.same
    assert made.path.read_bytes() == frame.read_bytes()


def test_an_engine_that_takes_no_guide_is_refused_before_anything_is_made(finisher: dict[str, int], astronaut_file: Path) -> None:
    with pytest.raises(EngineError) as refused:
        finished(astronaut_file, "refused", engine="darkroom")
    assert refused.value.code == "no-guide"
    assert not list(Path("refused").glob("*.png"))
