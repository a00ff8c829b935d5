"""Shoots and their records: names on disk, a record that is always true, clean stops, and plates kept between runs."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lowkey import photo, rig
from lowkey.errors import LookError, PhotoError, StoreError
from lowkey.frame import Edit, Frame, Framing, Placement, Shot
from lowkey.look import Look
from lowkey.plate import balance
from lowkey.plate.plate import Plate
from lowkey.session import plates
from lowkey.session.files import sha256_of
from lowkey.session.record import plain
from lowkey.session.shooting import frame_size, shoot, which_seeds


class FakeEnlarger:
    """An engine that makes noise of the right size: seconds become milliseconds, and stops can be planted."""

    stop_at: int | None = None
    stop_with: BaseException = KeyboardInterrupt()
    honours: dict[str, str] = dict.fromkeys(("light", "background", "clothing", "flare"), "yes") | {"pose": "kept from photo"}
    scale = 1.0

    def __init__(self, plate: Plate, framing: Framing, size_px: tuple[int, int], **_: Any) -> None:
        self.source = self.plate = plate
        self.framing, self.size_px = framing, size_px

    def develop(self, asked: rig.Rig, seed: int, *, look: Look) -> Frame:
        if seed == FakeEnlarger.stop_at:
            raise FakeEnlarger.stop_with
        w, h = self.size_px
        pixels = np.random.default_rng(seed).integers(0, 65535, (h, w, 3), np.uint16)
        shot = Shot(look, self.framing, self.plate.photo.hash, seed, self.size_px)
        edits = (Edit("old light taken off", 0.5, "stops"),)
        place = Placement(FakeEnlarger.scale / self.plate.window.scale, 0, 0)
        return Frame(pixels, shot, asked, place, edits, FakeEnlarger.honours, "fake 1", 0.25)


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_plate: Plate) -> Callable[..., Any]:
    """`shoot` with a fake reader and engine, in a folder of its own; frames are 64 x 80."""
    source = tmp_path / "ana.png"
    photo.write_png(source, small_plate.photo.pixels)
    monkeypatch.setattr(plates, "of", lambda picture, face=None, keep=True: replace(small_plate, photo=picture))
    monkeypatch.setattr("lowkey.engines.darkroom.Enlarger", FakeEnlarger)
    monkeypatch.setattr(FakeEnlarger, "stop_at", None)
    monkeypatch.setattr(FakeEnlarger, "scale", 1.0)
    monkeypatch.chdir(tmp_path)

    def run(**asked: Any) -> Any:
        return shoot(source, **{"size_px": (64, 80)} | asked)

    return run


def record_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "record.json").read_text(encoding="utf-8"))


# --- what is on disk ---------------------------------------------------------------------------------------------------------


def test_names_on_disk(studio: Callable[..., Any]) -> None:
    done = studio(seeds=6)
    assert done.folder == Path("ana_lowkey")
    names = sorted(file.name for file in done.folder.iterdir())
    assert names == sorted([*(f"ana_rear-right_s{seed:02d}.png" for seed in range(1, 7)), "sheet.png", "record.json", "session.db"])
    assert [one.path.name for one in done.frames] == [f"ana_rear-right_s{seed:02d}.png" for seed in range(1, 7)]
    assert (done.sheet.name, done.record.name) == ("sheet.png", "record.json")


@pytest.mark.parametrize(("light", "name"), [("REMBRANDT left", "ana_front-45-left_s01.png"), ("-88.5,8", "ana_az-88p5el8_s01.png")])
def test_the_light_is_in_the_name(studio: Callable[..., Any], light: str, name: str) -> None:
    assert studio(seeds=1, look=Look(light=light)).frames[0].path.name == name


def test_the_record_says_all(studio: Callable[..., Any]) -> None:
    done = studio(seeds=[3, 9], look=Look(rig=(("fill_ev", -math.inf),)), out="frames")
    record = record_of(Path("frames"))
    assert (record["state"], record["sheet"], record["seeds"]) == ("done", "sheet.png", [3, 9])
    assert record["look"]["rig"] == {"fill_ev": "none"}
    assert record["photo"]["sha256"] == photo.read("ana.png").hash
    for one, line in zip(done.frames, record["frames"], strict=True):
        assert (line["file"], line["seed"], line["honours"]) == (one.path.name, one.seed, dict(one.honours))
        assert line["sha256"] == sha256_of(one.path)
        assert line["shot"].startswith("sha256:")
        assert line["rig"]["fill_ev"] == "none"
        assert line["edits"] == [{"what": "old light taken off", "size": 0.5, "unit": "stops", "bound": None}]


def test_frames_keep_their_sixteen_bits(studio: Callable[..., Any]) -> None:
    import cv2

    file = studio(seeds=[5]).frames[0].path
    pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert (pixels == np.random.default_rng(5).integers(0, 65535, (80, 64, 3), np.uint16)).all()


def test_no_name_of_a_place_is_in_the_record(studio: Callable[..., Any], tmp_path: Path) -> None:
    studio(seeds=1, out=tmp_path / "deep" / "er")
    assert str(tmp_path) not in (tmp_path / "deep" / "er" / "record.json").read_text()


def test_the_same_shoot_twice_is_the_same_bytes(studio: Callable[..., Any]) -> None:
    for folder in ("one", "two"):
        studio(seeds=2, out=folder)
    for file in ("ana_rear-right_s01.png", "ana_rear-right_s02.png", "sheet.png"):
        assert Path("one", file).read_bytes() == Path("two", file).read_bytes()


# --- stops -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stop", "state"), [(KeyboardInterrupt(), "interrupted"), (ValueError("x"), "failed")])
def test_a_stop_leaves_whole_frames_and_a_true_record(
    studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, stop: BaseException, state: str
) -> None:
    monkeypatch.setattr(FakeEnlarger, "stop_at", 3)
    monkeypatch.setattr(FakeEnlarger, "stop_with", stop)
    with pytest.raises(type(stop)):
        studio(seeds=6)
    record = record_of(Path("ana_lowkey"))
    assert (record["state"], record["sheet"]) == (state, None)
    assert [line["seed"] for line in record["frames"]] == [1, 2]
    for line in record["frames"]:
        assert sha256_of(Path("ana_lowkey", line["file"])) == line["sha256"]
    assert not list(Path("ana_lowkey").glob(".*"))


@pytest.mark.parametrize("after", range(10))
def test_a_full_disk_is_a_store_error_and_nothing_is_half_written(
    studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """The disk fills at each write in turn: where the session is, record, frame, record, frame, record, sheet, record.

    The first is a convenience and may fail. What SQLite writes is in test_session_disk.py."""
    writes = 0
    real = os.fsync

    def full(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes > 2 * after:  # each write syncs its file and its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    if after >= 8:
        studio(seeds=2)
        return
    with pytest.raises(StoreError) as error:
        studio(seeds=2)
    assert (error.value.code, error.value.exit_code) == ("disk-full", 4)
    monkeypatch.undo()
    folder = Path("ana_lowkey") if Path("ana_lowkey").exists() else None
    for file in folder.iterdir() if folder else ():
        assert not file.name.startswith(".")
        if file.suffix == ".png":
            Image.open(file).load()
        elif file.suffix == ".json":
            json.loads(file.read_text())


def test_a_read_only_place_is_said_before_anything_is_read(studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shut").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(plates, "of", lambda *_, **__: pytest.fail("the photo was read first"))
    with pytest.raises(StoreError) as error:
        studio(out="shut")
    assert error.value.code == "folder-read-only"


def test_a_file_where_the_folder_should_be(studio: Callable[..., Any]) -> None:
    Path("taken").write_text("x")
    for out in ("taken", "taken/deeper"):
        with pytest.raises(StoreError) as error:
            studio(out=out)
        assert error.value.code == "folder-missing"


def test_a_photo_that_cannot_be_shot_leaves_no_folder(studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Plate:
        raise PhotoError("no-face", "no face found")

    monkeypatch.setattr(plates, "of", refuse)
    with pytest.raises(PhotoError):
        studio()
    assert not Path("ana_lowkey").exists()
    Path("mine").mkdir()
    with pytest.raises(PhotoError):
        studio(out="mine")
    assert Path("mine").exists()


def test_several_faces_are_numbered_on_a_picture(studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from lowkey.plate import faces

    def refuse(*_: Any, **__: Any) -> Plate:
        raise PhotoError("several-faces", "2 faces found in ana")

    found = [SimpleNamespace(number=n, box=box) for n, box in ((1, (10.0, 10.0, 40.0, 50.0)), (2, (50.0, 10.0, 90.0, 60.0)))]
    monkeypatch.setattr(plates, "of", refuse)
    monkeypatch.setattr(faces, "find", lambda _: found)
    with pytest.raises(PhotoError, match=r"numbered in .*ana_faces\.png"):
        studio()
    assert photo.read("ana_lowkey/ana_faces.png").size_px == (96, 128)


# --- what is asked -----------------------------------------------------------------------------------------------------------


def test_seeds_are_counted_or_named() -> None:
    assert which_seeds(6) == (1, 2, 3, 4, 5, 6)
    assert which_seeds([7]) == (7,)
    assert which_seeds([3, 7, 3]) == (3, 7)
    for wrong in (0, -1, 10_000, [], [-1], [2**32]):
        with pytest.raises(LookError) as error:
            which_seeds(wrong)
        assert error.value.code == "bad-seeds"


def test_sizes() -> None:
    assert frame_size(None) == (1024, 1280)
    assert frame_size(None, "2:3", 1500) == (1000, 1500)
    assert frame_size((3000, 3000)) == (3000, 3000)
    for wrong in ((10, 10), (9000, 9000), (0, 100), (4000, 20000)):
        with pytest.raises(LookError) as error:
            frame_size(wrong, force=True)
        assert error.value.code == "bad-size"
    with pytest.raises(LookError) as error:
        frame_size(None, "16:9")
    assert error.value.code == "bad-size"


def test_wider_than_tall_is_refused_unless_forced() -> None:
    with pytest.raises(LookError, match="shadow gradient") as error:
        frame_size((1280, 1024))
    assert error.value.code == "landscape"
    assert frame_size((1280, 1024), force=True) == (1280, 1024)


def test_few_seeds_few_pixels_and_unkept_words_are_warned_of(studio: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = [caution.code for caution in studio(seeds=4).warnings]
    assert quiet == ["smile"]
    monkeypatch.setattr(FakeEnlarger, "scale", 2.5)
    monkeypatch.setattr(FakeEnlarger, "honours", FakeEnlarger.honours | {"pose": "no"})
    loud = studio(seeds=3, look=Look(pose="eyes closed")).warnings
    assert [caution.code for caution in loud] == ["smile", "few-seeds", "few-pixels", "not-honoured"]
    assert "2.5 times" in loud[2].text
    assert "eyes closed" in loud[3].text
    assert [warning["code"] for warning in record_of(Path("ana_lowkey"))["warnings"]] == [caution.code for caution in loud]


def test_progress_runs_from_none_to_all(studio: Callable[..., Any]) -> None:
    steps: list[tuple[int, int, str]] = []
    studio(seeds=3, progress=lambda *step: steps.append(step))
    assert [step[0] for step in steps] == [0, 1, 2, 3, 4, 5]
    assert {step[1] for step in steps} == {5}


def test_plain_says_everything_in_json() -> None:
    said = plain(
        {"a": rig.Direction(1, 2), "b": np.float32(0.5), "c": np.arange(2), "d": -math.inf, "e": math.inf, "f": math.nan, "g": (1,)}
    )
    assert json.loads(json.dumps(said, allow_nan=False)) == {
        "a": {"azimuth_deg": 1, "elevation_deg": 2},
        "b": 0.5,
        "c": [0, 1],
        "d": "none",
        "e": "infinite",
        "f": None,
        "g": [1],
    }


# --- kept plates -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cupboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_plate: Plate) -> list[int]:
    """A cache of its own, and a count of how often a photo was really read."""
    reads: list[int] = []

    def scan(picture: Any, face: int | None = None) -> Plate:
        reads.append(1)
        return replace(small_plate, photo=picture)

    monkeypatch.setenv("LOWKEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(plates, "scan", scan)
    return reads


def test_a_kept_plate_has_its_photo_as_it_was_developed(cupboard: list[int], small_plate: Plate, monkeypatch: pytest.MonkeyPatch) -> None:
    gains = (2.0, 1.5, 1.7)

    def scan(picture: Any, face: int | None = None) -> Plate:
        cupboard.append(1)
        return replace(small_plate, photo=balance.developed(picture, gains), developed=gains)

    monkeypatch.setattr(plates, "scan", scan)
    fresh, kept = (plates.of(small_plate.photo) for _ in range(2))
    assert len(cupboard) == 1
    assert kept.developed == fresh.developed == gains
    assert kept.photo.pixels.dtype == np.uint16
    assert (kept.photo.pixels == fresh.photo.pixels).all()
    assert not (kept.photo.pixels == small_plate.photo.pixels).all()


def test_a_kept_plate_is_the_plate(cupboard: list[int], small_plate: Plate) -> None:
    fresh, kept = (plates.of(small_plate.photo) for _ in range(2))
    assert len(cupboard) == 1
    for name in ("window", "hw_px", "pose", "found_light", "confidence", "warnings", "read_by"):
        assert getattr(kept, name) == getattr(fresh, name)
    for name in plates._MAPS:
        one, two = getattr(fresh, name), getattr(kept, name)
        assert one.dtype == two.dtype
        assert (one == two).all()
        assert not two.flags.writeable
    assert list(kept.parts) == list(fresh.parts)
    assert all((kept.parts[name] == part).all() for name, part in fresh.parts.items())


def test_other_faces_and_photos_are_other_plates(cupboard: list[int], small_plate: Plate) -> None:
    plates.of(small_plate.photo)
    plates.of(small_plate.photo, 2)
    plates.of(replace(small_plate.photo, hash="cd" * 32))
    assert len(cupboard) == 3


def test_no_cache_keeps_nothing(cupboard: list[int], small_plate: Plate) -> None:
    plates.of(small_plate.photo, keep=False)
    assert not plates.folder().exists()


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_cache_is_private(cupboard: list[int], small_plate: Plate) -> None:
    plates.of(small_plate.photo)
    assert plates.folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50])
def test_a_damaged_plate_is_read_again(cupboard: list[int], small_plate: Plate, damage: bytes) -> None:
    plates.of(small_plate.photo)
    (file,) = plates.folder().glob("*.npz")
    file.write_bytes(damage)
    plates.of(small_plate.photo)
    plates.of(small_plate.photo)
    assert len(cupboard) == 2


def test_a_plate_with_code_inside_is_not_opened(cupboard: list[int], small_plate: Plate) -> None:
    """A pickle in the cache is read again, never run."""
    plates.of(small_plate.photo)
    (file,) = plates.folder().glob("*.npz")
    np.savez(file, page=np.array([{"a": 1}], object))
    plates.of(small_plate.photo)
    assert len(cupboard) == 2


def test_the_oldest_goes_first(cupboard: list[int], small_plate: Plate, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [replace(small_plate.photo, hash=f"{n:064x}") for n in range(4)]
    files = []
    for n, picture in enumerate(pictures):
        plates.of(picture)
        files.append(max(set(plates.folder().glob("*.npz")) - set(files), key=lambda file: file.stat().st_mtime))
        os.utime(files[-1], (1000 + n, 1000 + n))
    plates.of(pictures[0])  # used again: now it is the youngest
    monkeypatch.setattr(plates, "LARGEST_BYTES", 3 * files[0].stat().st_size)
    plates.of(replace(small_plate.photo, hash="f" * 64))
    assert [file.exists() for file in files] == [True, False, False, True]


def test_clear_removes_all(cupboard: list[int], small_plate: Plate) -> None:
    plates.of(small_plate.photo)
    size = sum(file.stat().st_size for file in plates.folder().iterdir())
    assert plates.clear() == (1, size)
    assert plates.clear() == (0, 0)


def test_a_cache_that_cannot_be_written_does_not_matter(cupboard: list[int], small_plate: Plate, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be")
    assert plates.of(small_plate.photo).hw_px == small_plate.hw_px
