"""Refuse and warn, through the real scan(): every file of shared/data/portraits/refuse_or_warn meets what its table expects."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from lowkey import photo
from lowkey.errors import PhotoError
from lowkey.plate import Plate, faces, fitness, scan
from lowkey.session import shoot

SHARED = Path(os.environ.get("LOWKEY_SHARED", Path(__file__).resolve().parents[2] / "shared"))
FOLDER = SHARED / "data" / "portraits" / "refuse_or_warn"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="shared/data/portraits/refuse_or_warn is not here (set LOWKEY_SHARED)")

REFUSED = {
    "n_city.jpg": ("no-face", "both eyes visible"),
    "n_cat.png": ("no-face", "a person's face"),
    "n_cap_hides_face.jpg": ("no-face", "not covered"),
    "n_half_face_crop.jpg": ("half-face", "use a photo with all of it"),
    "n_two_faces.jpg": ("several-faces", "--face 1 to --face 2"),
}
"""The code, and what its message tells the photographer to do."""
TAKEN = {
    "n_helmet.jpg": ({"face-covered"}, "mouth and chin look covered"),
    "n_profile.jpg": ({"profile"}, "the far half is guessed"),
    "hk_white.jpg": (set(), ""),
}


def answers() -> dict[str, set[str]]:
    """What the table allows for each file: refuse, warn or accept."""
    with (FOLDER / "SOURCES.csv").open(newline="") as table:
        rows = {row["file"]: row["what"] for row in csv.DictReader(table)}
    return {name: {word for word in ("refuse", "warn", "accept") if word in what} for name, what in rows.items()}


def test_the_table_and_this_test_speak_of_the_same_files() -> None:
    given = answers()
    assert set(given) == {*REFUSED, *TAKEN} == {file.name for file in FOLDER.iterdir() if file.suffix in {".jpg", ".png"}}
    for name, allowed in given.items():
        done = "refuse" if name in REFUSED else "warn" if TAKEN[name][0] else "accept"
        assert done in allowed, name


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_clear_line(name: str) -> None:
    code, way_out = REFUSED[name]
    with pytest.raises(PhotoError) as refusal:
        scan(photo.read(FOLDER / name))
    assert refusal.value.code == code
    said = str(refusal.value)
    assert way_out in said
    assert said.endswith(f"[{code}]")
    assert "\n" not in said
    assert Path(name).stem in said


@pytest.mark.parametrize("name", TAKEN)
def test_taken_with_its_caution(name: str) -> None:
    codes, text = TAKEN[name]
    plate = scan(photo.read(FOLDER / name))
    assert {caution.code for caution in plate.warnings} == codes
    assert text in " ".join(caution.text for caution in plate.warnings)
    _whole(plate)


def _whole(plate: Plate) -> None:
    """What was let in is a plate that can be lit: finite, and with a person on it."""
    for values in (plate.matte, plate.colour, plate.albedo, plate.normal, plate.depth, *plate.parts.values()):
        assert np.isfinite(values).all()
    assert plate.matte.max() > 0.99
    assert plate.parts["skin"].sum() > 0.3 * plate.hw_px**2


def test_of_two_faces_one_is_picked() -> None:
    pair = photo.read(FOLDER / "n_two_faces.jpg")
    with pytest.raises(PhotoError, match=r"far eye is gone.*\[profile\]"):
        scan(pair, 2)
    with pytest.raises(PhotoError, match=r"shows 2 faces.*\[no-such-face\]"):
        scan(pair, 3)
    chosen = faces.choose(pair, faces.find(pair), 1)
    assert {"small-face", "profile"} <= {caution.code for caution in fitness.examine(pair, chosen)}


def test_faces_are_numbered_on_a_picture_beside_the_message(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="several-faces") as refusal:
        shoot(FOLDER / "n_two_faces.jpg", out=tmp_path / "pair", keep_plate=False)
    shown = tmp_path / "pair" / "n_two_faces_faces.png"
    assert str(shown) in str(refusal.value)
    assert min(photo.read(shown).size_px) > 300
