"""The command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from lowkey import photo, rig
from lowkey.cli import doctor, main, shooting
from lowkey.errors import Bug, ConsentError, EngineError, LookError, LowkeyError, PhotoError, PrintError, StoreError
from lowkey.frame import Frame, Framing, Placement, Shot
from lowkey.look import Look
from lowkey.plate.plate import Plate
from lowkey.session import plates


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

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["lowkey", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return Said(int(left.value.code or 0), out, err)

    return run


class FakeEnlarger:
    """Takes and records what it is asked; its frames are grey."""

    asked: ClassVar[list[tuple[Any, ...]]] = []

    def __init__(self, plate: Plate, framing: Framing, size_px: tuple[int, int], **options: Any) -> None:
        self.source = self.plate = plate
        self.framing, self.size_px, self.options = framing, size_px, options

    def develop(self, wanted: rig.Rig, seed: int, *, look: Look) -> Frame:
        FakeEnlarger.asked.append((wanted, seed, look, self.size_px, self.options))
        w, h = self.size_px
        shot = Shot(look, self.framing, self.plate.photo.hash, seed, self.size_px)
        honours = dict.fromkeys(("light", "background", "clothing", "pose", "flare"), "yes")
        return Frame(np.full((h, w, 3), 900, np.uint16), shot, wanted, Placement(1, 0, 0), (), honours, "fake 1", 0.25)

    def stages(self, wanted: rig.Rig, seed: int) -> Any:
        FakeEnlarger.asked.append((wanted, seed, self.framing, self.size_px, self.options))
        w, h = self.size_px
        if isinstance(wanted.key.direction, rig.Auto):
            wanted = replace(wanted, key=replace(wanted.key, direction=rig.Direction(92, 18)))
        for level, name in enumerate(("dress", "light", "backdrop", "optics", "film")):
            yield name, np.full((h, w, 3), level / 8, np.float32), wanted


@pytest.fixture
def studio(lowkey: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, small_plate: Plate) -> Callable[..., Said]:
    """`lowkey ...` with a fake reader and engine, beside a photo `ana.png` of 96 x 128."""
    from lowkey.cli import developing

    photo.write_png("ana.png", small_plate.photo.pixels)
    monkeypatch.setattr(plates, "of", lambda picture, face=None, keep=True: replace(small_plate, photo=picture))
    monkeypatch.setattr("lowkey.engines.darkroom.Enlarger", FakeEnlarger)
    monkeypatch.setattr(developing, "Enlarger", FakeEnlarger)
    monkeypatch.setattr(FakeEnlarger, "asked", [])
    return lowkey


# --- shoot -------------------------------------------------------------------------------------------------------------------


def test_shoot_names_the_contact_sheet_last(studio: Callable[..., Said]) -> None:
    said = studio("shoot", "ana.png", "--size", "64x80")
    assert said.code == 0
    assert said.out.splitlines()[-1] == f"contact sheet: {Path('ana_lowkey', 'sheet.png')}"
    assert "[smile]" in said.err
    assert [asked[1] for asked in FakeEnlarger.asked] == [1, 2, 3, 4, 5, 6]


def test_shoot_json_is_what_was_promised(studio: Callable[..., Said]) -> None:
    said = studio("shoot", "ana.png", "--size", "64x80", "--seeds", "3,7", "--out", "o", "--json")
    assert set(said.json) == {"sheet", "record", "warnings", "frames"}
    assert all(set(warning) == {"code", "text"} for warning in said.json["warnings"])
    assert "few-seeds" in [warning["code"] for warning in said.json["warnings"]]
    for frame, seed in zip(said.json["frames"], (3, 7), strict=True):
        assert set(frame) == {"path", "seed", "took_s", "honours"}
        assert (frame["seed"], frame["took_s"]) == (seed, 0.25)
        assert set(frame["honours"]) == {"light", "background", "clothing", "pose", "flare"}
        assert Path(frame["path"]).exists()
    assert Path(said.json["sheet"]).exists()
    assert Path(said.json["record"]).exists()


def test_every_flag_reaches_the_engine(studio: Callable[..., Said]) -> None:
    Path("mine.toml").write_text("title = 'Mine'\nclothing = 'as worn'\n")
    words = {"--light": "-88,8,2", "--background": "Crushed  Velvet", "--clothing": "linen", "--pose": "eyes closed", "--flare": "0.5"}
    flags = [part for pair in words.items() for part in pair]
    more = ["--aspect", "2:3", "--height", "96", "--exposure", "-0.5", "--fill", "none", "--keep-skin", "--seeds", "9,", "--no-cache"]
    said = studio("shoot", "ana.png", "--look", "mine.toml", *flags, *more, "--face", "1", "--out", "o")
    assert said.code == 0, said.err
    ((wanted, seed, look, size, options),) = FakeEnlarger.asked
    assert (look.light, look.background, look.clothing) == ("-88,8,2", "crushed velvet", "white linen shirt")
    assert (look.pose, look.flare, look.title) == ("eyes closed", "0.5", "Mine")
    assert (seed, size, options) == (9, (64, 96), {"keep_skin": True})
    assert (wanted.exposure_offset_ev, wanted.fill_ev) == (-0.5, -np.inf)
    assert wanted == rig.of(look)


def test_below_four_seeds_comes_the_advice(studio: Callable[..., Said]) -> None:
    assert "4 to 6 seeds" in studio("shoot", "ana.png", "--size", "64x80", "--seeds", "3").err
    assert "4 to 6 seeds" not in studio("shoot", "ana.png", "--size", "64x80", "--seeds", "4").err


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["shoot", "none.png"], "photo-missing", 2),
        (["shoot", "ana.png", "--light", "moon"], "unknown-word", 2),
        (["shoot", "ana.png", "--light", "400,0"], "number-out-of-range", 2),
        (["shoot", "ana.png", "--fill", "lots"], "number-out-of-range", 2),
        (["shoot", "ana.png", "--look", "nobody"], "unknown-look", 2),
        (["shoot", "ana.png", "--seeds", "many"], "bad-seeds", 2),
        (["shoot", "ana.png", "--seeds", "0"], "bad-seeds", 2),
        (["shoot", "ana.png", "--seeds", "-3"], "bad-seeds", 2),
        (["shoot", "ana.png", "--size", "big"], "bad-size", 2),
        (["shoot", "ana.png", "--size", "64x80", "--aspect", "4:5"], "bad-size", 2),
        (["shoot", "ana.png", "--aspect", "16:9"], "bad-size", 2),
        (["shoot", "ana.png", "--size", "1280x1024"], "landscape", 2),
        (["shoot", "ana.png", "--face", "zero"], "usage", 2),
        (["shoot", "ana.png", "--out", "ana.png"], "folder-missing", 4),
        (["shoot"], "usage", 2),
        (["shoot", "ana.png", "--brighter"], "usage", 2),
        (["relight", "ana.png"], "usage", 2),
        (["develop", "ana.png", "--out", "x.png", "--stage", "wash"], "unknown-stage", 2),
        (["develop", "ana.png", "--out", "x.jpg"], "unknown-ending", 4),
        (["develop", "ana.png", "--out", "x.png", "--stage", "light", "--light", "45,35"], "unknown-ending", 4),
        (["develop", "ana.png", "--out", "x.tif", "--stage", "light", "--light", "rear-right"], "light-needs-numbers", 2),
        (["develop", "ana.png", "--out", "x.png", "--framing", "wide"], "unknown-framing", 2),
        (["develop", "ana.png", "--out", "x.png", "--light-size", "99"], "number-out-of-range", 2),
    ],
)
def test_refusals(studio: Callable[..., Said], arguments: list[str], code: str, exit_code: int) -> None:
    """In words with the code in brackets on standard error; with --json one object on standard output."""
    plain = studio(*arguments)
    assert (plain.code, plain.out) == (exit_code, "")
    assert f"[{code}]" in plain.err
    assert "Traceback" not in plain.err
    said = studio(*arguments, "--json")
    assert said.code == exit_code
    assert said.err == ""
    assert set(said.json) == {"error"}
    assert said.json["error"]["code"] == code
    assert said.json["error"]["message"]


def test_an_unknown_word_lists_the_words(studio: Callable[..., Said]) -> None:
    from lowkey.look import words

    err = studio("shoot", "ana.png", "--flare", "sparkles").err
    assert all(word.word in err for word in words("flare"))


# --- exit codes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LookError("a-code", "x"), 2),
        (PhotoError("a-code", "x"), 2),
        (ConsentError("a-code", "x"), 2),
        (EngineError("a-code", "x"), 3),
        (PrintError("a-code", "x"), 3),
        (StoreError("a-code", "x"), 4),
        (Bug("a-code", "x"), 70),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 3),
        (ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe"), 3),
        (ModuleNotFoundError("No module named 'lowkey.attic'", name="lowkey.attic"), 70),
        (RuntimeError("boom"), 70),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_every_error_has_its_exit_code(
    studio: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, as_json: bool
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(shooting, "shoot", fail)
    said = studio("shoot", "ana.png", *(["--json"] if as_json else []))
    assert said.code == code
    assert "Traceback" not in said.err
    if as_json:
        assert said.json["error"]["message"]
    elif isinstance(error, LowkeyError):
        assert said.err == "x [a-code]\n"
    elif isinstance(error, ModuleNotFoundError) and code == 3:
        assert "lowkey doctor" in said.err
    elif code == 70:
        assert str(error) in said.err
        assert "Report it" in said.err


def test_a_bug_shows_its_trace_when_asked(studio: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWKEY_TRACEBACK", "1")
    monkeypatch.setattr(shooting, "shoot", lambda *_, **__: 1 / 0)
    assert "Traceback" in studio("shoot", "ana.png").err


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
def test_a_reader_that_stops_is_no_error() -> None:
    start = "import sys; sys.argv = ['lowkey', 'looks']; from lowkey.cli import main; main()"
    done = subprocess.run(
        f'"{sys.executable}" -c "{start}" | head -n 1; echo ${{PIPESTATUS[0]}}',
        shell=True,
        capture_output=True,
        text=True,
        executable="/bin/bash",
    )
    assert done.stdout.splitlines() == ["light", "0"]
    assert done.stderr == ""


# --- the other commands ------------------------------------------------------------------------------------------------------


def test_without_arguments_the_help_is_the_answer(lowkey: Callable[..., Said]) -> None:
    for arguments in ((), ("cache",)):
        said = lowkey(*arguments)
        assert said.out.startswith("Usage:")
    assert {"shoot", "scan", "develop", "looks", "doctor", "cache"} <= set(lowkey("--help").out.split())


def test_version(lowkey: Callable[..., Said]) -> None:
    import lowkey as package

    assert lowkey("--version").out.strip() == f"lowkey {package.__version__}"


def test_looks_lists_every_word(lowkey: Callable[..., Said]) -> None:
    from lowkey import look as looks

    said = lowkey("looks")
    data = lowkey("looks", "--json").json
    for variable in looks.VARIABLES:
        for word in looks.words(variable):
            assert word.word in said.out
        assert [word.word for word in looks.words(variable)] == [word["word"] for word in data["words"][variable]]
    assert list(data["looks"]) == list(looks.names())


def test_scan_says_what_was_read(studio: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    from lowkey.cli import reading

    monkeypatch.setattr(reading, "relit_distance", lambda _: 0.31)
    said = studio("scan", "ana.png", "--out", "read.png")
    assert said.code == 0
    assert "azimuth -30" in said.out
    assert "[smile]" in said.err
    assert photo.read("read.png").size_px[0] > 1000
    data = studio("scan", "ana.png", "--json").json
    assert data["face_width_px"] == 43.0
    assert data["found_light"]["azimuth_deg"] == -30
    assert set(data["parts"]) >= {"skin", "hair", "cloth"}
    assert data["likeness"] == {"distance": 0.31, "at_most": 0.25, "same": False}
    assert [warning["code"] for warning in data["warnings"]] == ["smile", "unlike"]
    monkeypatch.setattr(reading, "relit_distance", lambda _: 0.2)
    assert studio("scan", "ana.png", "--json").json["likeness"]["same"] is True


def test_develop_light_is_one_key_and_nothing_else(studio: Callable[..., Said]) -> None:
    import tifffile

    said = studio("develop", "ana.png", "--stage", "light", "--light", "-122,10", "--light-size", "2", "--out", "l.tif", "--json")
    assert said.code == 0, said.err
    ((wanted, _, framing, size, _),) = FakeEnlarger.asked
    assert wanted == rig.lone_key(rig.Direction(-122, 10), 2)
    assert (framing.source, size) == (True, (96, 128))
    picture = tifffile.imread("l.tif")
    assert (picture.dtype, picture.shape) == (np.float32, (128, 96, 3))
    assert (picture == 1 / 8).all()
    assert said.json["key"] == {"azimuth_deg": -122, "elevation_deg": 10, "angular_radius_deg": 2}


def test_develop_takes_the_keys_distance(studio: Callable[..., Said]) -> None:
    said = studio("develop", "ana.png", "--stage", "light", "--light", "45,38", "--light-distance", "inf", "--out", "l.tif")
    assert said.code == 0, said.err
    assert FakeEnlarger.asked[-1][0].key.distance_hw == math.inf
    said = studio("develop", "ana.png", "--stage", "light", "--light", "45,38", "--light-distance", "1", "--out", "l.tif")
    assert said.code != 0
    assert "--light-distance 1" in said.err


def test_develop_makes_one_frame(studio: Callable[..., Said]) -> None:
    said = studio("develop", "ana.png", "--look", "house", "--light-size", "5", "--seed", "4", "--height", "80", "--out", "f.png")
    assert said.code == 0, said.err
    ((wanted, seed, framing, size, _),) = FakeEnlarger.asked
    assert (seed, size, framing.aspect, framing.source) == (4, (64, 80), (4, 5), False)
    assert wanted.key.angular_radius_deg == 5
    assert "azimuth 92.0" in said.out
    assert Path("f.png").exists()


def test_cache_clear(lowkey: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOWKEY_CACHE", str(tmp_path))
    (tmp_path / "plates").mkdir()
    (tmp_path / "plates" / "a.npz").write_bytes(b"x" * 1000)
    assert lowkey("cache", "clear", "--json").json == {"removed": 1, "bytes": 1000}
    assert lowkey("cache", "clear").out.startswith("0 plates removed")


# --- doctor ------------------------------------------------------------------------------------------------------------------


def test_doctor_finds_this_environment_well(lowkey: Callable[..., Said]) -> None:
    said = lowkey("doctor")
    assert said.code == 0, said.out
    assert "everything is here" in said.out
    assert lowkey("doctor", "--json").json["ok"] is True


def test_doctor_prints_the_command_that_mends(lowkey: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.version

    def without(name: str) -> str:
        if name in ("mediapipe", "rawpy"):
            raise doctor.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor, "version", without)
    said = lowkey("doctor")
    assert said.code == 1
    assert f'"{sys.executable}" -m pip install --no-deps mediapipe==0.10.14' in said.out
    assert f'"{sys.executable}" -m pip install rawpy' in said.out


@pytest.mark.parametrize(
    ("owners", "mend"),
    [
        (["opencv-python-headless"], ""),
        (["opencv-contrib-python", "opencv-python-headless"], "uninstall -y opencv-contrib-python"),
        (["opencv-python"], "uninstall -y opencv-python"),
    ],
)
def test_doctor_sees_a_second_opencv(monkeypatch: pytest.MonkeyPatch, owners: list[str], mend: str) -> None:
    monkeypatch.setattr(doctor, "packages_distributions", lambda: {"cv2": owners})
    assert mend in doctor._one_opencv().mend
    assert bool(mend) == bool(doctor._one_opencv().mend)


def test_a_newer_mediapipe_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda _: "0.10.30")
    assert "mediapipe==0.10.14" in doctor._readers().mend


# --- the bar -----------------------------------------------------------------------------------------------------------------


def test_time_left_counts_the_frames_that_remain() -> None:
    """Marks are the moments at which reading, each frame and the sheet began; the first frame is slow and soon forgotten."""
    assert shooting.time_left([0, 4], 8) == ""
    assert shooting.time_left([0, 4, 12], 8) == "about 41 s left"
    assert shooting.time_left([0, 4, 12, 14], 8) == "about 9 s left"
    assert shooting.time_left([0, 4, 12, 14, 16, 18, 20], 8) == "about 3 s left"
    assert shooting.time_left([0, 4, 12, 14, 16, 18, 20, 22], 8) == "about 1 s left"
    assert shooting.time_left([0, 4, 64], 102) == "about 99 min left"
