"""Counting, picking and refusing faces; landmarks and pose; likeness."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lowkey import photo as files
from lowkey.errors import PhotoError
from lowkey.photo import Photo
from lowkey.pixels import freeze
from lowkey.plate import faces, fitness, landmarks, likeness

U8 = NDArray[np.uint8]


def photo_of(pixels: U8, stem: str = "made") -> Photo:
    return Photo(freeze(np.ascontiguousarray(pixels)), "00" * 32, stem)


def outcome(photo: Photo, number: int | None = None) -> tuple[str | None, set[str]]:
    """The refusal's code or None, and the cautions' codes."""
    try:
        chosen = faces.choose(photo, faces.find(photo), number)
        return None, {c.code for c in fitness.examine(photo, chosen)}
    except PhotoError as error:
        return error.code, set()


@pytest.fixture(scope="module")
def astronaut() -> U8:
    import skimage.data

    return np.asarray(skimage.data.astronaut(), np.uint8)


@pytest.fixture(scope="module")
def head(astronaut: U8) -> U8:
    """The astronaut's head and shoulders, enlarged so that the face is about 270 px wide."""
    return np.asarray(cv2.resize(astronaut[:300, 60:360], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="module")
def read_head(head: U8) -> faces.Face:
    (only,) = faces.find(photo_of(head))
    return only


EXPECTED = {
    "n_city.jpg": "no-face",
    "n_cat.png": "no-face",
    "n_cap_hides_face.jpg": "no-face",
    "n_two_faces.jpg": "several-faces",
    "n_half_face_crop.jpg": "half-face",
    "n_helmet.jpg": "(face-covered)",
    "n_profile.jpg": "(profile)",
    "hk_white.jpg": "()",
}
"""Refusals, and in brackets what is only cautioned."""


def test_what_is_no_portrait_is_refused_or_warned_of(shared: Path) -> None:
    folder = shared / "data/portraits/refuse_or_warn"
    with (folder / "SOURCES.csv").open(newline="") as table:
        names = {row["file"] for row in csv.DictReader(table)}
    assert names == set(EXPECTED)
    for name, expected in EXPECTED.items():
        refused, cautions = outcome(files.read(folder / name))
        assert (refused or f"({''.join(sorted(cautions))})") == expected, name


def test_every_real_portrait_and_painting_passes(shared: Path) -> None:
    for folder in ("real", "lowkey"):
        for path in sorted((shared / "data/portraits" / folder).glob("*.[jp]*g")):
            refused, cautions = outcome(files.read(path))
            assert (refused, cautions - {"small-face"}) == (None, set()), path.name


def test_two_equal_faces_are_counted_numbered_and_picked(head: U8) -> None:
    pair = photo_of(np.hstack([head, head]), "pair")
    found = faces.find(pair)
    assert [f.number for f in found] == [1, 2]
    with pytest.raises(PhotoError, match=r"2 faces found in pair.*--face 1 to --face 2.*\[several-faces\]"):
        faces.choose(pair, found)
    assert faces.choose(pair, found, 1).points[:, 0].max() < head.shape[1] < faces.choose(pair, found, 2).points[:, 0].min()
    with pytest.raises(PhotoError, match=r"no face 3.*\[no-such-face\]"):
        faces.choose(pair, found, 3)
    shown = faces.numbered(pair, found)
    assert shown.dtype == np.uint8
    assert max(shown.shape[:2]) <= 1600
    k = shown.shape[1] / (2 * head.shape[1])
    for face in found:  # a frame is drawn along each box, and between them nothing is
        x, y = round(face.box[0] * k), round((face.box[1] + face.box[3]) / 2 * k)
        assert tuple(shown[y, x]) == (255, 196, 64)
    assert np.array_equal(shown[-10:], cv2.resize(np.hstack([head, head]), shown.shape[1::-1], interpolation=cv2.INTER_AREA)[-10:])


def test_a_far_smaller_face_is_no_rival(head: U8) -> None:
    scene = np.full((900, 1230, 3), 128, np.uint8)
    scene[:, :900] = head[:900]
    small = cv2.resize(head, (310, 310), interpolation=cv2.INTER_AREA)
    scene[100:410, 910:1220] = small
    scene_photo = photo_of(scene)
    found = faces.find(scene_photo)
    assert len(found) == 2
    assert faces.choose(scene_photo, found).number == 1


def test_a_tiny_face_is_refused_and_a_small_one_warned_of(astronaut: U8) -> None:
    assert outcome(photo_of(astronaut)) == (None, {"small-face"})
    tiny = cv2.resize(astronaut, (300, 300), interpolation=cv2.INTER_AREA)  # face 54 px
    assert outcome(photo_of(np.asarray(tiny, np.uint8)))[0] == "face-too-small"


def test_a_face_lost_in_a_large_photo_is_found_on_tiles(astronaut: U8) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(90, 110, (75, 100, 3), np.uint8)
    scene = np.asarray(cv2.resize(noise, (3200, 2400), interpolation=cv2.INTER_CUBIC), np.uint8)
    scene[1500:1920, 300:720] = cv2.resize(astronaut[:420, 40:460], (420, 420))
    (only,) = faces.find(photo_of(scene))
    assert 400 < only.points[4, 0] < 600
    assert 1560 < only.points[4, 1] < 1720


def test_a_face_cut_by_the_frame_is_refused(head: U8, read_head: faces.Face) -> None:
    nose = int(read_head.points[4, 0])
    assert outcome(photo_of(head[:, nose - 60 :]))[0] in ("half-face", "no-face")
    assert outcome(photo_of(head[: int(read_head.points[13, 1])]))[0] in ("half-face", "no-face")


def test_a_drawn_face_is_refused(head: U8) -> None:
    face = np.full((800, 640, 3), (120, 170, 200), np.uint8)
    cv2.ellipse(face, (320, 360), (190, 240), 0, 0, 360, (240, 190, 150), -1, 16)
    cv2.ellipse(face, (320, 220), (205, 140), 0, 180, 360, (80, 50, 30), -1, 16)
    for x in (245, 395):
        cv2.ellipse(face, (x, 330), (42, 26), 0, 0, 360, (255, 255, 255), -1, 16)
        cv2.circle(face, (x, 330), 20, (30, 80, 120), -1, 16)
        cv2.circle(face, (x, 330), 9, (0, 0, 0), -1, 16)
        cv2.ellipse(face, (x, 290), (50, 18), 0, 190, 350, (60, 40, 30), 9, 16)
    cv2.line(face, (320, 340), (305, 420), (200, 140, 100), 5, 16)
    cv2.ellipse(face, (320, 425), (28, 12), 0, 20, 160, (190, 130, 90), 5, 16)
    cv2.ellipse(face, (320, 490), (70, 26), 0, 0, 180, (200, 80, 80), -1, 16)
    assert outcome(photo_of(face))[0] == "not-a-person"


def test_a_dark_photo_is_not_taken_for_a_drawing(head: U8) -> None:
    dark = np.asarray(head.astype(np.float32) * 0.12, np.uint8)
    refused, cautions = outcome(photo_of(dark))
    assert refused is None
    assert "maybe-drawn" not in cautions


def test_a_blank_and_a_cat_have_no_face() -> None:
    import skimage.data

    assert outcome(photo_of(np.full((300, 300, 3), 200, np.uint8)))[0] == "no-face"
    assert outcome(photo_of(np.asarray(skimage.data.chelsea(), np.uint8)))[0] == "no-face"


def test_sixteen_bits_read_as_eight(head: U8, read_head: faces.Face) -> None:
    (deep,) = faces.find(Photo(freeze(head.astype(np.uint16) * 257), "00" * 32))
    assert np.array_equal(deep.points, read_head.points)


def test_landmarks_face_the_camera_in_pixels(read_head: faces.Face) -> None:
    p = read_head.points
    assert p.shape == (478, 3)
    assert p.dtype == np.float32
    assert abs(p[234, 2] + p[454, 2]) < 1e-3
    assert p[4, 2] > 0.3 * read_head.hw_px, "the nose tip stands before the ears"
    assert p[234, 0] < p[4, 0] < p[454, 0]
    assert p[10, 1] < p[4, 1] < p[152, 1]
    assert read_head.wobble < 0.01


def test_landmarks_move_with_the_photo(head: U8, read_head: faces.Face) -> None:
    moved = np.asarray(cv2.copyMakeBorder(head, 37, 0, 53, 0, cv2.BORDER_REPLICATE), np.uint8)
    (again,) = faces.find(photo_of(moved))
    off = np.linalg.norm(again.points[:468, :2] - read_head.points[:468, :2] - (53, 37), axis=1)
    assert off.mean() < 0.006 * read_head.hw_px


def test_pose_signs(head: U8, read_head: faces.Face) -> None:
    here = landmarks.pose(read_head.points)
    # Turned clockwise on the page, the crown tilts to frame-right.
    h, w = head.shape[:2]
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), -12, 1)
    (tilted,) = faces.find(photo_of(np.asarray(cv2.warpAffine(head, turn, (w, h), borderMode=cv2.BORDER_REPLICATE), np.uint8)))
    assert landmarks.pose(tilted.points).roll_deg - here.roll_deg == pytest.approx(12, abs=2)
    (mirrored,) = faces.find(photo_of(head[:, ::-1]))
    there = landmarks.pose(mirrored.points)
    assert there.yaw_deg == pytest.approx(-here.yaw_deg, abs=3)
    assert there.roll_deg == pytest.approx(-here.roll_deg, abs=2)


def test_pose_of_a_mesh_turned_in_space(read_head: faces.Face) -> None:
    p = read_head.points.astype(np.float64)
    here = landmarks.pose(p)
    a = np.radians(20)
    # About the vertical, nose toward frame-right; then about the horizontal, nose up (y runs down).
    yawed = p @ np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    assert landmarks.pose(yawed).yaw_deg - here.yaw_deg == pytest.approx(20, abs=0.5)
    lifted = p @ np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])
    assert landmarks.pose(lifted).pitch_deg - here.pitch_deg == pytest.approx(20, abs=0.5)


def test_readers_are_silent(head: U8, capfd: pytest.CaptureFixture[str]) -> None:
    faces.find(photo_of(head))
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == ""


def test_likeness_is_zero_for_itself_and_small_for_the_same_face_darker(head: U8, read_head: faces.Face) -> None:
    assert likeness.distance(head, head, read_head.points) == 0
    dark = np.asarray(head * 0.6, np.uint8)
    assert 0 < likeness.distance(head, dark, read_head.points) < 0.2


def test_likeness_tells_people_apart(shared: Path) -> None:
    read = {}
    for name in ("obama_2012", "obama_podium", "blair"):
        photo = files.read(shared / f"data/portraits/real/{name}.jpg")
        read[name] = faces.codes(photo), faces.choose(photo, faces.find(photo)).points
    (a, pa), (b, pb), (c, pc) = read.values()
    assert likeness.distance(a, b, pa, pb) < 0.5 < 0.6 < likeness.distance(a, c, pa, pc)


@pytest.mark.parametrize("tone", [(1.0, 1.0, 1.0), (1.0, 0.86, 0.68)])
def test_black_and_white_is_told_whatever_its_tone(head: U8, tone: tuple[float, ...]) -> None:
    grey = cv2.cvtColor(head, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] * np.array(tone, np.float32)
    assert "no-colour" in outcome(photo_of(np.asarray(np.round(grey), np.uint8)))[1]
    assert "no-colour" not in outcome(photo_of(head))[1]


def test_a_burnt_face_is_told_with_its_share(head: U8) -> None:
    burnt = np.clip(head.astype(np.float32) * np.float32(3), 0, 255).astype(np.uint8)
    assert "burnt-out" in outcome(photo_of(burnt))[1]
    assert "burnt-out" not in outcome(photo_of(head))[1]
