"""Many at once: batches, watched folders, sweeps, and what their commands print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowkey import photo
from lowkey.cli import main
from lowkey.errors import LookError, PhotoError, StoreError
from lowkey.look import Look
from lowkey.session import batch, opening, record, sweeping, watching
from lowkey.session.shooting import Shoot
from test_session import studio  # noqa: F401 a fixture

ASKED: dict[str, Any] = {"seeds": 1, "size_px": (64, 80), "meter": False, "engine": "quick"}
pytestmark = pytest.mark.usefixtures("studio")


def picture(path: Path, seed: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.write_png(path, np.random.default_rng(seed).integers(0, 255, (128, 96, 3), np.uint8))
    return path


@pytest.fixture
def readable(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Files that are no pictures are refused as the real reader refuses them."""
    quick = photo.read

    def read(path: Path | str, **more: Any) -> Any:
        data = Path(path).read_bytes()
        if not data.startswith(b"\x89PNG"):
            raise PhotoError("photo-not-image", f"{Path(path).name}: this is not a picture that is known here")
        if not data.endswith(b"IEND\xaeB`\x82"):
            raise PhotoError("photo-truncated", f"{Path(path).name}: the file ends too early")
        return quick(path, **more)

    monkeypatch.setattr(photo, "read", read)


# --- batches ----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("readable")
def test_a_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    for number, name in enumerate(("ana", "ben", "eva")):
        picture(tmp_path / "in" / f"{name}.png", number)
    (tmp_path / "in" / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "in" / "notes.txt").write_text("no client")
    several = batch.clients(tmp_path / "in", tmp_path / "out")
    outcomes = list(batch.run(several, Look(), ASKED, apart=False))
    assert [(one.photo.stem, one.code) for one in outcomes] == [("ana", ""), ("ben", ""), ("broken", "photo-not-image"), ("eva", "")]
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == ["ana_lowkey", "ben_lowkey", "eva_lowkey"]
    again = list(batch.run(several, Look(), ASKED, apart=False))
    assert [one.made for one in again] == [0, 0, 0, 0]


def test_a_csv_has_a_line_a_client_and_words_of_its_own(tmp_path: Path) -> None:
    for number, name in enumerate(("ana", "ben")):
        picture(tmp_path / "in" / f"{name}.png", number)
    lines = ("Photo;Person;Light;Seeds;Face", "ana.png;Ana Lima;rear-left;3,5;", "ben.png;;nowhere;;", "ana.png;;;;x", ";;;;")
    (tmp_path / "in" / "day.csv").write_text("\n".join(lines), "utf-8-sig")
    several = batch.clients(tmp_path / "in" / "day.csv", tmp_path / "out")
    outcomes = list(batch.run(several, Look(), ASKED, apart=False, seeds=lambda text: [int(part) for part in text.split(",")]))
    assert [one.code for one in outcomes] == ["", "unknown-word", "bad-line", "bad-line"]
    told = record.read(tmp_path / "out" / "ana_lowkey")
    assert (told["person"], told["look"]["light"], told["seeds"]) == ("Ana Lima", "rear-left", [3, 5])


@pytest.mark.parametrize("text", ["", "name\nana\n", "photo,colour\na.png,red\n", 'photo\n"a.png\n', "\xff\xfe"])
def test_a_csv_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(LookError) as error:
        batch.clients(tmp_path / "x.csv")
    assert error.value.code == "bad-batch"


@pytest.mark.parametrize("out", ["/.", "/", "a\0b"])
def test_a_folder_without_a_name_is_that_lines_fault_alone(tmp_path: Path, out: str) -> None:
    """Two lines that name a root could not be told apart, and the whole batch stopped with a traceback: found by the guided fuzzer."""
    lines = f"photo,out\nana.png,{out}\nben.png,{out},more\nmia.png,mia\n"
    several = batch._apart(batch.parse_csv(lines.encode(), tmp_path, tmp_path / "out"))
    assert [bool(one.problem) for one in several] == [True, True, False]
    assert "out is a client's folder" in str(several[0].problem)
    assert [one.out.parent for one in several] == [tmp_path / "out"] * 3
    assert len({one.out for one in several}) == 3


def test_two_photos_of_one_name_are_two_clients(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "ana.png")
    (tmp_path / "in" / "ana.jpg").write_bytes(b"x")
    assert len({one.out for one in batch.clients(tmp_path / "in")}) == 2


def _die(*_: Any) -> batch.Outcome:
    os._exit(9)


def _live(client: batch.Client, _: Any) -> batch.Outcome:
    return batch.Outcome(client.photo, client.out, 1, 1) if client.photo.stem != "dies" else _die()


def test_a_worker_that_dies_takes_one_client_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_shot", _live)
    several = [batch.Client(tmp_path / f"{name}.png", tmp_path / name) for name in ("a", "dies", "b")]
    assert [one.code for one in batch.run(several, Look(), ASKED)] == ["", "worker-died", ""]


# --- watching ---------------------------------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def eye(folder: Path, clock: Clock) -> watching.Watch:
    return watching.Watch(folder, ASKED, clock=clock)


def looks(one: watching.Watch, clock: Clock, after_s: float = watching.SETTLED_S + 0.1) -> list[tuple[str, str]]:
    clock.now += after_s
    return [(event.file.name, event.what) for event in one.look()]


@pytest.mark.usefixtures("readable")
def test_half_copied_files_wait_and_nothing_is_shot_twice(tmp_path: Path) -> None:
    folder, clock = tmp_path / "in", Clock()
    data = picture(tmp_path / "whole.png", 4).read_bytes()
    folder.mkdir()
    one = eye(folder, clock)
    for part in (1000, 5000, 20_000):
        (folder / "ana.png").write_bytes(data[:part])
        assert looks(one, clock) == [], "it is still growing"
    assert looks(one, clock) == [], "it stopped growing and is not whole: it may be on its way"
    (folder / "ana.png").write_bytes(data)
    assert looks(one, clock) == []
    assert looks(one, clock) == [("ana.png", "shot")]
    assert looks(one, clock) == []
    os.utime(folder / "ana.png", (1, 1))
    looks(one, clock)
    assert looks(one, clock) == [("ana.png", "known")], "touched, and still the same photo"
    (folder / "copy.png").write_bytes(data)
    looks(one, clock)
    assert looks(one, clock) == [("copy.png", "known")], "another name, and still the same photo"
    assert looks(eye(folder, clock), clock) == []
    fresh = eye(folder, clock)
    looks(fresh, clock)
    assert {what for _, what in looks(fresh, clock)} == {"known"}, "a new watch shoots nothing anew"
    assert len(Path("shots.txt").read_text().splitlines()) == 1


@pytest.mark.usefixtures("readable")
def test_failures_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    folder, clock = tmp_path / "in", Clock()
    data = picture(folder / "good.png", 4).read_bytes()
    (folder / "bad.jpg").write_bytes(b"not a picture")
    (folder / "late.png").write_bytes(data[:3000])
    one = eye(folder, clock)
    assert looks(one, clock) == []
    assert looks(one, clock) == [("bad.jpg", "set-aside"), ("good.png", "shot")]
    assert (folder / "set-aside" / "bad.jpg").read_bytes() == b"not a picture"
    assert "[photo-not-image]" in (folder / "set-aside" / "bad.jpg.txt").read_text()
    assert looks(one, clock, watching.PATIENCE_S + 1) == [("late.png", "set-aside")], "it had a minute to arrive"
    assert not (folder / "bad.jpg").exists()


def test_what_is_no_file_s_fault_ends_the_watch(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    clock = Clock()
    one = watching.Watch(tmp_path / "in", {**ASKED, "engine": "nobody"}, clock=clock)
    looks(one, clock)
    with pytest.raises(Exception, match="unknown-engine"):
        looks(one, clock)
    assert (tmp_path / "in" / "a.png").exists()


def test_one_watch_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "in" / "a.png")
    monkeypatch.setattr(watching, "SETTLED_S", 0.0)
    first = watching.watch(tmp_path / "in", ASKED, every_s=0.01)
    assert next(first).what == "shot"
    with pytest.raises(StoreError, match="session-busy"):
        next(watching.watch(tmp_path / "in", ASKED, every_s=0.01))
    first.close()
    assert [event.what for event in watching.watch(tmp_path / "in", ASKED, every_s=0.01, once=True)] == ["known"]


# --- sweeps -----------------------------------------------------------------------------------------------------------------


def test_axes() -> None:
    assert sweeping.axis("stock=all").words == ("tungsten-500", "portrait-160", "reversal-100", "pan-400")
    assert sweeping.axis("Light = 95,18; rear left ; 95, 18").words == ("95,18", "rear-left")
    for wrong in ("colour=all", "light", "light=", "light=nowhere"):
        with pytest.raises(LookError):
            sweeping.axis(wrong)


def test_a_sweep_is_every_word_with_every_word_and_goes_on(tmp_path: Path) -> None:
    across, down = sweeping.axis("flare=no flare; clean backlight"), sweeping.axis("light=rear-right; 95,18")
    more: dict[str, Any] = {"seeds": 2, "size_px": (64, 80), "meter": False, "engine": "quick"}
    done = sweeping.sweep(tmp_path / "ana.png", across, down, **more)
    names = sorted(file.name for file in done.folder.glob("ana_*.png"))
    pairs = [(flare, light) for flare in ("no-flare", "clean") for light in ("rear-right", "az95el18")]
    assert names == sorted(f"ana_{flare}_{light}_s{n:02d}.png" for flare, light in pairs for n in (1, 2))
    assert done.grid.exists()
    with opening.opened(done.folder) as one:
        assert {(row["look"]["light"], row["look"]["flare"]) for row in record.whole(one.store)["frames"]} == {
            (light, flare) for light in down.words for flare in across.words
        }
    (done.folder / names[0]).unlink()
    again = sweeping.sweep(tmp_path / "ana.png", across, down, **more)
    assert sum(shot.made for shot in again.shoots) == 1
    with pytest.raises(LookError, match="bad-axis"):
        sweeping.sweep(tmp_path / "ana.png", across, across)
    with pytest.raises(LookError, match="too-many-frames"):
        sweeping.sweep(tmp_path / "ana.png", sweeping.axis("light=all"), sweeping.axis("background=all"), seeds=20)


def test_the_grid_has_every_frame_in_its_place() -> None:
    from lowkey.prints.grid import grid

    cells = {(x, y): [np.full((50, 40, 3), 60 + 40 * x + 80 * y + 20 * s, np.uint8) for s in (0, 1)] for x in range(2) for y in range(2)}
    page = grid(cells, (("one", "two"), ("a", "b")), ("light", "flare"), (1, 2), "ana")
    for (_, y), frames in cells.items():
        for frame in frames:
            ys, xs = np.nonzero((page == frame[0, 0]).all(-1))
            assert len(ys) > 280 * 300, "each frame is drawn whole"
            assert (ys.mean() > page.shape[0] / 2 + 40) == (y == 1)
            assert xs.std() < 120
    assert (grid(cells, (("one", "two"), ("a", "b")), ("light", "flare"), (1, 2), "ana") == page).all()


# --- commands ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def lowkey(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lowkey", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return run


QUICK = ("--engine", "quick", "--size", "64x80", "--no-meter")


def test_a_session_from_the_command_line(lowkey: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, _ = lowkey("shoot", "ana.png", *QUICK, "--seeds", "2", "--person", "Ana Lima")
    assert (code, out.splitlines()[-1]) == (0, f"contact sheet: {Path('ana_lowkey', 'sheet.png')}")
    assert "(2 of them there already)" in lowkey("shoot", "ana.png", *QUICK, "--seeds", "2", "--person", "Ana Lima")[1]
    frame = Path("ana_lowkey", "ana_rear-right_s02.png")
    assert lowkey("session", "star", frame, "-n", "3")[1] == f"{frame.name}: ***, copied to {Path('ana_lowkey', 'selects')}\n"
    assert lowkey("session", "note", frame, "look left")[0] == 0
    assert lowkey("session", "reject", Path("ana_lowkey", "ana_rear-right_s01.png"))[0] == 0
    shown = lowkey("session", "show", "ana_lowkey")[1]
    assert "*** look left" in shown
    assert "rejected" in shown
    assert json.loads(lowkey("session", "list", "--json")[1])["sessions"][0]["starred"] == 1
    assert lowkey("session", "export", "ana_lowkey", "--to", "given")[1] == f"{Path('given', frame.name)}\n"
    assert lowkey("session", "verify", "ana_lowkey")[0] == 0
    frame.unlink()
    code, out, _ = lowkey("session", "verify", "ana_lowkey", "--json")
    assert (code, json.loads(out)["findings"][0]["what"]) == (1, "missing")
    assert json.loads(lowkey("session", "resume", "ana_lowkey", "--json")[1])["setups"][0]["made"] == 1
    assert lowkey("shoot", "--again", frame)[1].endswith("the same bytes\n")
    assert "would go" in lowkey("session", "forget", "ana lima")[1]
    assert frame.exists()
    code, out, _ = lowkey("session", "forget", "ana lima", "--yes")
    assert code == 0
    assert "nothing else of ana lima is left" in out
    assert not Path("ana_lowkey").exists()


def test_consent_from_the_command_line(lowkey: Callable[..., tuple[int, str, str]]) -> None:
    asked = ("consent", "Ana", "--scope", "prints", "--engine", "bfl", "--until", "2999-12-31", "--guardian", "Rui")
    assert lowkey(*asked)[1].startswith("Ana: prints; photo may go to bfl; until 2999-12-31; agreed by Rui; on 2")
    assert lowkey("consent")[1].startswith("Ana: prints")
    assert lowkey("consent", "ana", "--withdraw")[1] == "ana: nothing holds (withdrawn or ended)\n"
    assert lowkey("consent", "ana", "--scope", "fame")[0] == 2


@pytest.mark.usefixtures("readable")
def test_a_batch_from_the_command_line_ends_with_a_table(
    lowkey: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = batch.run
    monkeypatch.setattr(batch, "run", lambda *given, **more: real(*given, **{**more, "apart": False}))
    picture(tmp_path / "in" / "ben.png", 2)
    (tmp_path / "in" / "bad.png").write_bytes(b"x")
    code, out, _ = lowkey("shoot", "in", *QUICK, "--seeds", "1", "--out", "out")
    assert code == 5
    assert "[photo-not-image]" in out
    assert out.splitlines()[-1] == "1 of 2 clients shot, 1 not"
    code, out, _ = lowkey("shoot", "in", *QUICK, "--seeds", "1", "--out", "out", "--json")
    assert (code, json.loads(out)["failed"]) == (5, 1)
    (tmp_path / "in" / "bad.png").unlink()
    assert lowkey("shoot", "in", *QUICK, "--seeds", "1", "--out", "out")[0] == 0


def test_watch_and_sweep_from_the_command_line(
    lowkey: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(watching, "SETTLED_S", 0.0)
    picture(tmp_path / "in" / "ben.png", 2)
    code, out, _ = lowkey("watch", "in", *QUICK, "--seeds", "1", "--once", "--json")
    assert (code, json.loads(out.splitlines()[-1])["what"]) == (0, "shot")
    code, out, _ = lowkey("sweep", "ana.png", "--across", "stock=all", *QUICK, "--json")
    assert (code, len(json.loads(out)["frames"])) == (0, 4)
    assert Shoot.__name__ == "Shoot"
