"""A pose photographed is a pose honoured: eyes, head and hands read off the plate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lowkey import photo, rig
from lowkey.darkroom.enlarger import honours
from lowkey.look import Look, words
from lowkey.pixels import F32, freeze
from lowkey.plate import faces, landmarks, posture
from lowkey.plate.meshes import IRISES
from lowkey.plate.plate import Plate, Pose

SMILING_INTO_THE_LENS = "direct gaze into lens"


def pose(plate: Plate, wanted: str) -> str:
    look = Look(pose=wanted)
    return honours(plate, rig.of(look), look)["pose"]


def looking(points: F32, right_deg: float, up_deg: float) -> F32:
    """The mesh with its irises on balls turned so from where they are (small angles)."""
    moved = points.copy()
    for (a, b), iris in zip(posture.CORNERS, IRISES, strict=True):
        wide = float(np.linalg.norm(points[a] - points[b]))
        moved[iris : iris + 5, :2] += posture.SWING * wide * np.sin(np.radians([right_deg, -up_deg])).astype(np.float32)
    return freeze(moved)


def with_lids(points: F32, opening: float) -> F32:
    """The mesh with its upper lids let down to `opening` of an eye's width."""
    moved = points.copy()
    for (a, b), lids in zip(posture.CORNERS, posture.LIDS, strict=True):
        wide = float(np.linalg.norm(points[a] - points[b]))
        for upper, lower in lids:
            gap = points[upper] - points[lower]
            moved[upper] = points[lower] + gap * np.float32(opening * wide / np.linalg.norm(gap))
    return freeze(moved)


def holding_the_chin(plate: Plate, aside_hw: float = 0.0) -> Plate:
    """The plate with a fist half a head-width wide under the chin, or aside of it."""
    hw = plate.hw_px
    x, y = (round(float(v)) for v in plate.landmarks[landmarks.CHIN, :2] + np.array([aside_hw, 0.2], np.float32) * np.float32(hw))
    fist = cv2.ellipse(np.zeros(plate.matte.shape, np.uint8), (x, y), (round(0.25 * hw), round(0.22 * hw)), 0, 0, 360, 1, -1)
    return replace(plate, parts={**plate.parts, "hands": freeze(fist.astype(np.float32))})


def test_as_shot_is_always_kept(astronaut_plate: Plate) -> None:
    assert pose(astronaut_plate, "as shot") == "kept from photo"


def test_the_astronaut_looks_into_the_lens_and_does_nothing_else(astronaut_plate: Plate) -> None:
    kept = {word.word for word in words("pose") if pose(astronaut_plate, word.word) == "kept from photo"}
    assert kept == {"as shot", SMILING_INTO_THE_LENS}


@pytest.mark.parametrize(("right", "up", "kept"), [(4, 0, True), (16, 0, False), (-16, 0, False), (0, 14, False), (0, -14, False)])
def test_a_direct_gaze_is_a_narrow_cone(astronaut_plate: Plate, right: float, up: float, kept: bool) -> None:
    turned = replace(astronaut_plate, landmarks=looking(astronaut_plate.landmarks, right, up))
    before, after = posture.read(astronaut_plate), posture.read(turned)
    assert after.gaze_yaw_deg - before.gaze_yaw_deg == pytest.approx(right, abs=1.0)
    assert after.gaze_pitch_deg - before.gaze_pitch_deg == pytest.approx(up, abs=1.0)
    assert (pose(turned, "direct gaze into lens") == "kept from photo") is kept


def test_closed_lids_are_closed_eyes_and_no_gaze(astronaut_plate: Plate) -> None:
    assert posture.read(astronaut_plate).opening > 0.25
    for opening, closed in ((0.2, False), (0.08, True)):
        asleep = replace(astronaut_plate, landmarks=with_lids(astronaut_plate.landmarks, opening))
        assert posture.read(asleep).opening == pytest.approx(opening, abs=1e-3)
        assert (pose(asleep, "eyes closed") == "kept from photo") is closed
        assert (pose(asleep, "direct gaze into lens") == "no") is closed


def test_hands_on_chin_needs_hands_there_and_a_lifted_gaze(astronaut_plate: Plate) -> None:
    word = "hands on chin looking upward"
    up = looking(astronaut_plate.landmarks, 0, 9)
    thinking = holding_the_chin(replace(astronaut_plate, landmarks=up))
    assert posture.read(thinking).hand_hw2 == pytest.approx(0.155, abs=0.02)
    assert pose(thinking, word) == "kept from photo"
    assert pose(holding_the_chin(astronaut_plate), word) == "no"
    assert pose(replace(astronaut_plate, landmarks=up), word) == "no"
    assert pose(holding_the_chin(replace(astronaut_plate, landmarks=up), aside_hw=1.6), word) == "no"
    assert pose(replace(thinking, landmarks=with_lids(up, 0.05)), word) == "no"


def test_a_profile_is_turned_far_and_lowered(astronaut_plate: Plate) -> None:
    word = "profile view downward"
    for yaw, pitch, kept in ((50, -14, True), (-50, -14, True), (20, -14, False), (50, 4, False)):
        level = looking(astronaut_plate.landmarks, 0, 1)
        assert (pose(replace(astronaut_plate, landmarks=level, pose=Pose(yaw, pitch, 0)), word) == "kept from photo") is kept


def test_a_pose_by_numbers_is_the_heads_own(astronaut_plate: Plate) -> None:
    turned = replace(astronaut_plate, pose=Pose(20, 8, 0))
    assert pose(turned, "20,8") == "kept from photo"
    assert pose(turned, "27,2") == "kept from photo"
    assert pose(turned, "-20,8") == "no"
    assert pose(turned, "20,-8") == "no"


def test_eyes_behind_dark_glasses_are_not_guessed_at(astronaut_plate: Plate) -> None:
    dark = dict(astronaut_plate.parts)
    dark["glasses"] = freeze(np.ones_like(astronaut_plate.matte))
    assert pose(replace(astronaut_plate, parts=dark), "direct gaze into lens") == "no"


INTO_THE_LENS = ("man_long_hair", "obama_2012", "old_man_sun", "woman_dark1", "woman_dark2_afro", "woman_red_hair")
PAST_IT = {"blair": -1, "woman_hijab": -1, "obama_podium": -1}
"""Sign of where they look: -1 is frame-left."""


def test_gazes_of_real_portraits(shared: Path) -> None:
    folder = shared / "data/portraits/real"
    for name in (*INTO_THE_LENS, *PAST_IT):
        picture = photo.read(folder / f"{name}.jpg")
        face = max(faces.find(picture), key=lambda one: one.hw_px)
        opening, yaw, pitch = posture.gaze(face.points, landmarks.pose(face.points).yaw_deg)
        assert opening > 0.18, name
        if name in PAST_IT:
            assert yaw * PAST_IT[name] > posture.INTO_LENS_DEG, name
        else:
            assert np.hypot(yaw, pitch) < 0.5 * posture.INTO_LENS_DEG, name
        assert (pitch > posture.LIFTED_DEG) is (name == "obama_podium"), name
