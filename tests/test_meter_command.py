"""lowkey meter and lowkey rank: frames found with their record, foreign ones, exit codes, JSON, votes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey import photo
from lowkey.cli import main
from lowkey.frame import Placement
from lowkey.meter.reading import catalogue
from lowkey.prints.sheet import PAGE_PX
from lowkey.session import metering, shoot, voting
from lowkey.session.voting import agreement, pairs, strengths, wilson


@dataclass(frozen=True)
class Said:
    """What a run of `lowkey` left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def lowkey(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """`lowkey ...` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["lowkey", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return run


@pytest.fixture(scope="module")
def shot(astronaut_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real shoot: two seeds of the sample portrait, small."""
    folder = tmp_path_factory.mktemp("shoot") / "frames"
    shoot(astronaut_file, seeds=[1, 2], size_px=(256, 320), out=folder)
    return folder


def frames(folder: Path) -> list[Path]:
    return [folder / row["file"] for row in json.loads((folder / "record.json").read_text())["frames"]]


# --- meter -------------------------------------------------------------------------------------------------------------------


def test_a_frame_is_found_with_its_record(shot: Path, astronaut_file: Path) -> None:
    record = json.loads((shot / "record.json").read_text())
    for path, row in zip(frames(shot), record["frames"], strict=True):
        entry = metering.entry_of(path)
        assert entry is not None
        assert entry.placement == Placement(**row["placement"])
        assert entry.reference == record["photo"]["sha256"] == photo.read(astronaut_file).hash
        assert entry.look.light == "rear-right"
        assert entry.honours["pose"] == "kept from photo"


def test_the_command_measures_what_the_shoot_measured(shot: Path, astronaut_file: Path) -> None:
    """The frame on disk, placed by its record, reads as it did before it was written."""
    record = json.loads((shot / "record.json").read_text())
    found = list(metering.meter(frames(shot), reference=astronaut_file))
    for one, row in zip(found, record["frames"], strict=True):
        assert one.verdict.headline == row["meter"]["headline"]
        assert one.verdict.score == pytest.approx(row["meter"]["score"], abs=1e-4)
        assert one.cautions == ()


def test_meter_json_is_one_promised_object_a_frame(lowkey: Callable[..., Said], shot: Path, astronaut_file: Path) -> None:
    said = lowkey("meter", *frames(shot), "--reference", astronaut_file, "--json")
    assert said.code == 0
    told = [json.loads(line) for line in said.out.splitlines()]
    assert [one["frame"] for one in told] == [str(path) for path in frames(shot)]
    for one in told:
        assert list(one) == ["frame", "low_key", "measures", "verdict", "score"]
        assert one["low_key"] in (True, False, None)
        assert set(one["measures"]) == set(catalogue())
        for measure in one["measures"].values():
            assert set(measure) in ({"value", "unit", "sigma", "region"}, {"cannot_judge"})
        for row in one["verdict"]:
            assert set(row) == {"measure", "kept", "short_by", "why", "remedy"}
            assert (row["kept"] is None) == ("cannot_judge" in one["measures"][row["measure"]]) or row["kept"] is None
            assert row["remedy"] is None or row["kept"] is False


def test_meter_says_what_was_kept_and_what_to_do(lowkey: Callable[..., Said], shot: Path, tmp_path: Path) -> None:
    """A frame blown out by hand misses the highlight, is told so, and fails the check."""
    pixels = photo.read(frames(shot)[0]).pixels.astype(np.float64)
    blown = np.asarray(np.clip(pixels * 2.2 + 9000, 0, 65535), np.uint16)
    photo.write_png(tmp_path / "blown.png", blown)
    said = lowkey("meter", "blown.png", "--check")
    assert said.code == 1
    assert "frame_black_share" in said.out
    assert "!!" in said.out
    assert "darker-room" in said.out


def test_check_passes_a_frame_that_misses_nothing(lowkey: Callable[..., Said], shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit codes follow the verdict, whatever the verdict rests on."""
    from lowkey.cli import metering as shell
    from lowkey.look import Look
    from lowkey.meter.reading import Measure, Reading, whole
    from lowkey.meter.verdict import judge
    from lowkey.spec import Spec

    spec = Spec.of(Look())

    def read(miss: bool, seen: int) -> Any:
        edges = {one.measure: one.low if one.low > -1e9 else one.high for one in spec.targets}
        values = edges | {one.measure: one.words[0] for one in spec.targets if one.words}
        found = {name: Measure(value, "", None, "x") for name, value in list(values.items())[:seen]}
        if miss:
            found["lights"] = Measure(2.0, "", None, "x")
        reading = Reading(whole(found), None)
        return lambda *_, **__: iter([metering.Metered(Path("x.png"), reading, judge(reading, spec), Look())])

    for miss, seen, code in ((False, 99, 0), (True, 99, 1), (False, 3, 1)):
        monkeypatch.setattr(shell, "meter", read(miss, seen))
        assert lowkey("meter", "x.png", "--check").code == code
        assert lowkey("meter", "x.png").code == 0


def test_a_frame_that_was_changed_is_a_foreign_one(shot: Path, tmp_path: Path) -> None:
    for file in shot.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path / file.name)
    changed = tmp_path / frames(shot)[0].name
    photo.write_png(changed, np.asarray(photo.read(changed).pixels[::-1], np.uint16))
    assert metering.entry_of(changed) is None
    assert metering.entry_of(tmp_path / frames(shot)[1].name) is not None


def test_a_frame_of_another_photo_is_said_to_be_foreign(shot: Path, tmp_path: Path, astronaut_file: Path) -> None:
    other = tmp_path / "other.png"
    photo.write_png(other, np.asarray(photo.read(astronaut_file).pixels[:, ::-1], np.uint8))
    (one,) = metering.meter(frames(shot)[:1], reference=other)
    assert [caution.code for caution in one.cautions] == ["foreign-frame"]


@pytest.mark.parametrize(
    "record",
    [
        "", "null", "[]", "{}", '{"frames": 3}', '{"frames": [null]}', "[" * 2000,
        '{"frames": [{"file": "x.png", "sha256": "SHA", "placement": {"scale": 0, "tx": 0, "ty": 0}, "honours": {}}], '
        '"photo": {"sha256": "0"}, "look": {}}',
        '{"frames": [{"file": "x.png", "sha256": "SHA", "placement": {"scale": 1, "tx": "NaN", "ty": 0}, "honours": {}}], '
        '"photo": {"sha256": "0"}, "look": {}}',
        '{"frames": [{"file": "x.png", "sha256": "SHA", "placement": {"scale": 1, "tx": 0, "ty": 0}, "honours": {}}], '
        '"photo": {"sha256": "0"}, "look": {"light": "green"}}',
    ],
)  # fmt: skip
def test_a_strange_record_makes_a_frame_foreign_and_nothing_worse(record: str, tmp_path: Path) -> None:
    from lowkey.session.files import sha256_of

    photo.write_png(tmp_path / "x.png", np.zeros((320, 256, 3), np.uint8))
    (tmp_path / "record.json").write_text(record.replace("SHA", sha256_of(tmp_path / "x.png")))
    assert metering.entry_of(tmp_path / "x.png") is None


@pytest.mark.parametrize("eyes", ["", "1,2,3", "a,b,c,d", "1,2,3,4,5", "10,10,12,10", "-40,10,50,10", "10,10,9999,10", "1e9,2,3,4"])
def test_eyes_that_cannot_be_are_refused(lowkey: Callable[..., Said], tmp_path: Path, eyes: str) -> None:
    photo.write_png(tmp_path / "x.png", np.zeros((320, 256, 3), np.uint8))
    said = lowkey("meter", "x.png", "--eyes", eyes, "--json")
    assert (said.code, said.json["error"]["code"]) == (2, "bad-eyes")


def test_eyes_are_of_one_frame(lowkey: Callable[..., Said], tmp_path: Path) -> None:
    photo.write_png(tmp_path / "x.png", np.zeros((320, 256, 3), np.uint8))
    said = lowkey("meter", "x.png", "x.png", "--eyes", "10,20,40,20")
    assert said.code == 2
    assert "[bad-eyes]" in said.err


def test_a_black_frame_is_measured_and_not_judged(lowkey: Callable[..., Said], tmp_path: Path) -> None:
    photo.write_png(tmp_path / "x.png", np.zeros((320, 256, 3), np.uint8))
    said = lowkey("meter", "x.png", "--json")
    assert said.code == 0
    assert said.json["score"] is None
    assert said.json["measures"]["frame_black_share"]["value"] == 1
    assert "cannot_judge" in said.json["measures"]["key_azimuth_deg"]
    assert lowkey("meter", "x.png", "--check").code == 1


@pytest.mark.parametrize("arguments", [("nowhere.png",), ("x.png", "--reference", "nowhere.png"), ("x.png", "--look", "nowhere")])
def test_what_is_not_there_is_said(lowkey: Callable[..., Said], tmp_path: Path, arguments: tuple[str, ...]) -> None:
    photo.write_png(tmp_path / "x.png", np.zeros((320, 256, 3), np.uint8))
    assert lowkey("meter", *arguments).code == 2


# --- rank --------------------------------------------------------------------------------------------------------------------


def test_the_page_is_blind_and_needs_nothing_else(lowkey: Callable[..., Said], shot: Path, tmp_path: Path) -> None:
    said = lowkey("rank", shot, "--out", "page.html", "--json")
    assert said.json == {"page": "page.html", "pairs": 1}
    page = (tmp_path / "page.html").read_text("utf-8")
    for path in frames(shot):
        assert path.name not in page
        assert path.stem not in page
    assert "default-src 'none'" in page
    assert "://" not in page.replace("http-equiv", "")
    assert page.count("data:image/jpeg;base64,") == 2
    again = lowkey("rank", shot, "--out", "again.html", "--json")
    assert again.code == 0
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_the_page_s_script_saves_what_is_read_back(lowkey: Callable[..., Said], shot: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, to run the page's script")
    lowkey("rank", shot, "--out", "page.html")
    ran = subprocess.run([node, Path(__file__).parent / "vote.js", "page.html"], capture_output=True, text=True, check=True, cwd=tmp_path)
    (tmp_path / "votes.json").write_text(ran.stdout)
    votes, stars = voting.read_votes(tmp_path / "votes.json")
    ids = [one.id for one in voting.candidates(shot)]
    assert [(a, b) for a, b, _ in votes] == list(pairs(ids))
    assert all(chosen == a for a, _, chosen in votes)
    assert stars == {min(ids): 4}


def test_votes_are_read_back_and_stars_kept_apart(lowkey: Callable[..., Said], shot: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    shutil.copytree(shot, folder)
    record = json.loads((folder / "record.json").read_text())
    scores = {row["file"]: row["meter"]["score"] for row in record["frames"]}
    ids = {one.id: one.path.name for one in voting.candidates(folder)}
    ((a, b),) = pairs(list(ids))
    votes = [{"a": a, "b": b, "chosen": max((a, b), key=lambda one: scores[ids[one]])}]
    (tmp_path / "votes.json").write_text(json.dumps({"lowkey_votes": 1, "votes": votes, "stars": {a: 4}}))
    said = lowkey("rank", folder, "--votes", "votes.json", "--json")
    assert said.code == 0
    decided = int(scores[ids[a]] != scores[ids[b]])
    assert (said.json["agreed"], said.json["decided"]) == (decided, decided)
    assert said.json["stars"] == {ids[a]: 4}
    after = {row["file"]: row for row in json.loads((folder / "record.json").read_text())["frames"]}
    assert after[ids[a]]["stars"] == 4
    assert after[ids[b]]["stars"] == 0
    assert {name: row["meter"]["score"] for name, row in after.items()} == scores
    told = lowkey("rank", folder, "--votes", "votes.json")
    assert "by votes, best first:" in told.out
    assert "****" in told.out
    assert photo.read(folder / "ranked.png").size_px == PAGE_PX
    assert len(voting.candidates(folder)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"lowkey_votes": 2, "votes": []}', '{"lowkey_votes": 1}', '{"lowkey_votes": 1, "votes": [{}]}',
        '{"lowkey_votes": 1, "votes": [{"a": "x", "b": "y", "chosen": "z"}]}', '{"lowkey_votes": 1, "votes": []}',
        '{"lowkey_votes": 1, "votes": [{"a": "x", "b": "y", "chosen": "x"}]}', "[" * 5000,
        '{"lowkey_votes": 1, "votes": [], "stars": {"a": "many"}}',
    ],
)  # fmt: skip
def test_votes_that_are_none_are_refused(lowkey: Callable[..., Said], shot: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "votes.json").write_text(text)
    said = lowkey("rank", shot, "--votes", "votes.json", "--json")
    assert (said.code, said.json["error"]["code"]) == (2, "bad-votes")


def test_a_folder_without_frames_is_refused(lowkey: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert lowkey("rank", "empty").code == 2
    assert lowkey("rank", "nowhere").code == 4


def test_a_record_cannot_name_a_frame_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "frames"
    inside.mkdir()
    for name in ("../one.png", "two.png", "three.png"):
        photo.write_png(inside / name, np.full((80, 64, 3), len(name), np.uint8))
    (inside / "record.json").write_text(json.dumps({"frames": [{"file": name} for name in ("../one.png", "two.png", "three.png")]}))
    assert [one.path.name for one in voting.candidates(inside)] == ["two.png", "three.png"]


@given(st.integers(2, 40))
def test_every_frame_meets_others_once_a_pair_and_all_are_joined(count: int) -> None:
    ids = [f"{n:016x}" for n in range(count)]
    asked = pairs(ids)
    assert len({frozenset(pair) for pair in asked}) == len(asked)
    assert len(asked) == (count * (count - 1) // 2 if count <= 8 else 4 * count)
    joined, edge = {ids[0]}, {ids[0]}
    while edge:
        edge = {other for pair in asked for one, other in (pair, pair[::-1]) if one in edge} - joined
        joined |= edge
    assert joined == set(ids)
    # Neither side is favoured: no frame always stands on the left.
    assert asked == pairs(ids[::-1])


def test_agreement_counts_what_can_be_compared() -> None:
    scores = {"a": 0.9, "b": 0.8, "c": 0.7, "d": None}
    votes = [("a", "b", "a"), ("b", "c", "c"), ("a", "c", "a"), ("a", "d", "a"), ("b", "a", None)]
    found = agreement(votes, scores, {name: f"{name}.png" for name in scores})
    assert (found.agreed, found.decided, found.undecided) == (2, 3, 2)
    assert found.share == pytest.approx(2 / 3)
    assert found.standing[0][0] == "a.png"
    assert found.low < 2 / 3 < found.high


def test_votes_that_follow_the_scores_agree_wholly_and_reversed_ones_not_at_all() -> None:
    scores: dict[str, float | None] = {f"{n}": n / 10 for n in range(6)}
    both = [(a, b) for a in scores for b in scores if a < b]
    same = agreement([(a, b, b) for a, b in both], scores, {})
    reversed_ = agreement([(a, b, a) for a, b in both], scores, {})
    assert (same.share, same.tau) == (1.0, 1.0)
    assert (reversed_.share, reversed_.tau) == (0.0, -1.0)


def test_strengths_are_bradley_and_terry_s() -> None:
    """Two frames that met only each other, 3 to 1, and each once a frame of strength 1 (a draw): solved by hand.

    With p = s/(s+t) and a draw against 1: (3 + .5) / s = 4/(s+t) + 1/(s+1), (1 + .5) / t = 4/(s+t) + 1/(t+1).
    """
    found = strengths([("a", "b", "a")] * 3 + [("a", "b", "b")])
    s, t = found["a"], found["b"]
    assert s > t
    assert (s + t) / 2 == pytest.approx(1)
    draw = strengths([("a", "b", None)])
    assert draw["a"] == pytest.approx(draw["b"])


def test_wilson_s_interval_is_wilson_s() -> None:
    """Newcombe (1998), table I: 81 of 263 is 0.2553 to 0.3662; 0 of 20 is 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
