"""The loop: a darkroom that starts from a wrong rig is led back by the meter, and every step of the way is on record.

Real plate, real darkroom, real meter: nothing here is stood in for but the rig it starts from.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lowkey import engines, photo, rig
from lowkey.engines import Sitting
from lowkey.engines.darkroom import Darkroom
from lowkey.errors import LookError
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.meter import CannotJudge
from lowkey.plate.plate import Plate
from lowkey.rig import Rig
from lowkey.session import shoot
from lowkey.session.record import plain
from lowkey.session.retaking import Take, better, takes
from lowkey.spec import Remedy

SIZE = (320, 400)


class Wrong(Darkroom):
    """A darkroom whose rig starts wrong: the real one in everything else."""

    def __init__(self, spoil: Callable[[Rig], Rig]) -> None:
        super().__init__()
        self.spoil = spoil

    def rig_of(self, shot: Shot) -> Rig:
        return rig.remedied(self.spoil(rig.of(shot.look)), shot.remedies)


@pytest.fixture(scope="module")
def sitting(astronaut_plate: Plate) -> Sitting:
    return Sitting(astronaut_plate.photo, lambda: astronaut_plate)


def asked(sitting: Sitting, framing: Framing | None = None, size: tuple[int, int] = SIZE) -> Shot:
    return Shot(Look(), framing or Framing(), sitting.photo.hash, 1, size)


def over(given: Rig) -> Rig:
    return replace(given, exposure_offset_ev=2.0)


def filled(given: Rig) -> Rig:
    return replace(given, fill_ev=-2.0, ambient_rgb=(0.05, 0.05, 0.05))


def dim(given: Rig) -> Rig:
    return replace(given, exposure_offset_ev=-2.0)


def led(sitting: Sitting, spoil: Callable[[Rig], Rig], retakes: int = 3) -> list[Take]:
    return list(takes(Wrong(spoil), asked(sitting), sitting, retakes))


def value(take: Take, measure: str) -> float:
    found = take.reading[measure]
    assert not isinstance(found, CannotJudge), f"{measure}: {found}"
    return found.number


def missed(take: Take) -> set[str]:
    return {row.measure for row in take.verdict.missed}


@pytest.mark.parametrize(
    ("spoil", "measure", "remedy"),
    [(over, "face_clipped_share", "hold-highlights"), (filled, "lighting_ratio_stops", "no-fill"), (dim, "highlight_code", "open-up")],
)
def test_a_wrong_rig_is_found_out_and_led_back(sitting: Sitting, spoil: Callable[[Rig], Rig], measure: str, remedy: str) -> None:
    several = led(sitting, spoil)
    assert measure in missed(several[0])
    # A fill also pulls the key's reading toward the camera, and the key is put right first: the remedy may come a take later.
    assert remedy in {one.name for take in several[:-1] for one in take.verdict.remedies}
    assert remedy in {one.name for take in several[1:] for one in take.remedies}
    assert measure not in missed(several[-1])
    assert len(missed(several[-1])) < len(missed(several[0]))


def test_each_retake_of_the_exposure_brings_the_highlight_down(sitting: Sitting) -> None:
    first, second = led(sitting, over, 1)
    assert value(second, "highlight_code") < value(first, "highlight_code") - 5
    assert value(second, "face_clipped_share") < value(first, "face_clipped_share") / 2


def test_no_more_takes_than_asked_for(sitting: Sitting) -> None:
    assert len(led(sitting, over, 0)) == 1
    assert len(led(sitting, over, 1)) <= 2
    assert led(sitting, over, 0)[0].remedies == ()


def test_a_take_that_misses_nothing_is_the_last(sitting: Sitting) -> None:
    for take in led(sitting, over)[:-1]:
        assert take.verdict.missed


def test_it_ends_where_nothing_more_can_be_changed(sitting: Sitting) -> None:
    """A landscape frame stays one, and no rig can mend that: no take is spent on a remedy that does nothing."""
    several = list(takes(Darkroom(), asked(sitting, Framing(aspect=(5, 4)), (400, 320)), sitting, 3))
    assert "frame_aspect" in missed(several[-1])
    rigs = [plain(take.frame.rig) for take in several]
    assert all(one != other for i, one in enumerate(rigs) for other in rigs[:i])


def test_a_take_can_be_made_again_from_its_shot(sitting: Sitting) -> None:
    """What was prescribed is all there is to it: same rig, same remedies, same bytes."""
    last = led(sitting, over, 2)[-1]
    assert last.frame.shot.remedies
    again = Wrong(over).shoot(last.frame.shot, sitting)
    assert (again.pixels == last.frame.pixels).all()


def test_the_loop_is_the_same_every_time(sitting: Sitting) -> None:
    one, two = led(sitting, over, 1), led(sitting, over, 1)
    assert [take.remedies for take in one] == [take.remedies for take in two]
    assert [take.verdict.to_json() for take in one] == [take.verdict.to_json() for take in two]


def test_the_better_of_two_misses_less() -> None:
    from lowkey.meter.verdict import judge
    from test_verdict import HOUSE, reading

    clean, one, worse = (judge(reading(**some), HOUSE) for some in ({}, {"lights": 2.0}, {"lights": 2.0, "lit_islands": 9.0}))
    assert better(clean, one)
    assert better(one, worse)
    assert not better(worse, one)
    assert not better(one, one)


# --- shoot --retake ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shot(astronaut_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shoot that begins two stops over, with retakes."""
    folder = tmp_path_factory.mktemp("retake") / "frames"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engines, "find", lambda *_: Wrong(over))
        shoot(astronaut_file, seeds=[1, 2], size_px=SIZE, retakes=2, out=folder)
    return folder


def test_every_take_verdict_and_remedy_is_on_record(shot: Path) -> None:
    record = json.loads((shot / "record.json").read_text())
    assert record["state"] == "done"
    for row in record["frames"]:
        several = row["takes"]
        assert 2 <= len(several) <= 3
        assert several[0]["remedies"] == []
        for take, after in zip(several, [*several[1:], None], strict=True):
            assert (shot / take["file"]).is_file()
            rows = take["meter"]["verdict"]
            assert {"measure", "kept", "short_by", "why", "remedy", "value", "target"} == set(rows[0])
            if after:
                assert any(one["kept"] is False for one in rows)
                prescribed = {one["name"] for one in take["prescribed"]}
                assert prescribed <= {one["name"] for one in after["remedies"]}
                assert after["rig"] != take["rig"]
        assert len({take["shot"] for take in several}) == len(several)
        # The frame is the take that misses least; of two that miss as much, either.
        missed = [sum(one["kept"] is False for one in take["meter"]["verdict"]) for take in several]
        shown = photo.read(shot / row["file"]).pixels
        (best,) = (take for take in several if (photo.read(shot / take["file"]).pixels == shown).all())
        assert missed[several.index(best)] == min(missed)
        assert sum(one["kept"] is False for one in row["meter"]["verdict"]) == min(missed)
        assert row["remedies"] == best["remedies"]


def test_the_exposure_that_was_wrong_is_right_in_the_end(shot: Path) -> None:
    for row in json.loads((shot / "record.json").read_text())["frames"]:
        names = [{one["measure"] for one in take["meter"]["verdict"] if one["kept"] is False} for take in row["takes"]]
        assert "face_clipped_share" in names[0]
        assert "face_clipped_share" not in names[-1]
        assert Remedy("hold-highlights").name in {one["name"] for one in row["remedies"]}


def test_frames_have_places_by_the_meter(shot: Path) -> None:
    rows = json.loads((shot / "record.json").read_text())["frames"]
    scores = [row["meter"]["score"] for row in rows]
    places = [row["meter"]["rank"] for row in rows]
    for score, place in zip(scores, places, strict=True):
        assert place == (None if score is None else 1 + sum(other is not None and other > score for other in scores))


def test_without_the_meter_nothing_is_measured(astronaut_file: Path, tmp_path: Path) -> None:
    done = shoot(astronaut_file, seeds=[1], size_px=(128, 160), meter=False, out=tmp_path / "frames")
    (row,) = json.loads(done.record.read_text())["frames"]
    assert row["meter"] is None
    assert row["takes"] == []
    assert done.frames[0].verdict is None


def test_metering_changes_no_frame(astronaut_file: Path, tmp_path: Path) -> None:
    one, two = (shoot(astronaut_file, seeds=[1], size_px=(128, 160), meter=meter, out=tmp_path / str(meter)) for meter in (True, False))
    assert one.frames[0].path.read_bytes() == two.frames[0].path.read_bytes()
    assert np.array_equal(photo.read(one.frames[0].path).pixels, photo.read(two.frames[0].path).pixels)


@pytest.mark.parametrize("asked", [{"retakes": -1}, {"retakes": 13}, {"retakes": 1, "meter": False}])
def test_retakes_that_cannot_be_are_refused_before_anything_is_read(asked: dict[str, object]) -> None:
    with pytest.raises(LookError, match="bad-retakes"):
        shoot("nowhere.jpg", **asked)  # type: ignore[arg-type]


def test_the_composition_stands_still_and_is_on_record(shot: Path) -> None:
    """The darkroom frames every seed alike: place and size of the head, over all frames, do not move at all."""
    record = json.loads((shot / "record.json").read_text())
    moves = {row["measure"]: row for row in record["composition"]}
    assert set(moves) == {"head_x_fw", "head_y_fh", "face_height_fh"}
    for row in moves.values():
        assert row["frames"] == len(record["frames"])
        assert row["moves"] == 0
        assert row["kept"] is True
