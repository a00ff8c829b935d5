"""Who crops: the photo's own edges are never shown from beyond where they cut the person."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lowkey import rig
from lowkey.darkroom import Enlarger, compose
from lowkey.frame import Framing, Placement
from lowkey.look import Look
from lowkey.plate.plate import Plate

SIZE = (256, 320)


def cut_at(plate: Plate, row: int) -> Plate:
    """The same reading of a photo that ended at `row` of the plate: nothing is known above."""
    matte = plate.matte.copy()
    matte[:row] = 0
    window = Placement(plate.window.scale, plate.window.tx, float(row))
    return dataclasses.replace(plate, matte=matte, window=window)


def test_a_whole_head_keeps_its_head_room(astronaut_plate: Plate) -> None:
    head = compose.head_of(astronaut_plate)
    place = compose.place(astronaut_plate, Framing(), SIZE)
    assert place.points(np.array([[head.x_px, head.top_px]], np.float32))[0, 1] >= 0.04 * SIZE[1]


@pytest.mark.parametrize("into_hair_hw", [0.15, 0.3])
def test_hair_that_the_photo_cuts_is_cut_by_the_frame(astronaut_plate: Plate, into_hair_hw: float) -> None:
    head = compose.head_of(astronaut_plate)
    row = int(head.top_px + into_hair_hw * astronaut_plate.hw_px)
    cut = cut_at(astronaut_plate, row)
    place = compose.place(cut, Framing(), SIZE)
    assert place.points(np.array([[head.x_px, row]], np.float32))[0, 1] <= 1e-3
    # The face stays in the frame, chin and all.
    assert place.points(cut.landmarks[:, :2])[:, 1].max() < 0.8 * SIZE[1]


def test_a_cropped_plate_says_the_same_of_the_same_places(astronaut_plate: Plate) -> None:
    rows, cols = slice(60, 700), slice(101, 640)
    part = astronaut_plate.cropped(rows, cols)
    assert part.size_px == (539, 640)
    assert np.array_equal(part.albedo, astronaut_plate.albedo[rows, cols])
    assert np.array_equal(part.parts["hair"], astronaut_plate.parts["hair"][rows, cols])
    at = np.array([[37.0, 41.0]], np.float32)
    assert np.allclose(part.window.points(at) + np.array([101, 60]), astronaut_plate.window.points(at), atol=1e-3)
    assert np.allclose(part.landmarks[:, :2] + np.array([101, 60]), astronaut_plate.landmarks[:, :2], atol=1e-3)
    # Its parts are as contiguous as the whole's: kernels are compiled for that.
    assert all(part.parts[name].flags.c_contiguous for name in part.parts)


def aside(plate: Plate, name: str) -> Plate:
    """The same reading of a photo that ended 1.0 hw beside the face, where `name` touches both its sides below the chin."""
    x, k = int(plate.landmarks[:, 0].mean()), int(plate.hw_px)
    part = plate.cropped(slice(0, plate.size_px[1]), slice(x - k, x + k))
    low = int(plate.landmarks[:, 1].max())
    matte, parts = part.matte.copy(), {key: value.copy() for key, value in part.parts.items()}
    for columns in (slice(0, k // 5), slice(-(k // 5), None)):
        matte[:, columns] = 0
        matte[low:, columns] = 1
        for key, value in parts.items():
            value[low:, columns] = float(key == name)
    return dataclasses.replace(part, matte=matte, parts=parts)


def test_shoulders_that_the_photo_cuts_do_not_tighten_a_frame_of_new_clothes(astronaut_plate: Plate) -> None:
    whole = compose.place(astronaut_plate, Framing(), SIZE, anew=True)
    cut = aside(astronaut_plate, "cloth")
    assert compose.place(cut, Framing(), SIZE, anew=True).scale == pytest.approx(whole.scale, rel=0.02)
    # Who keeps the own ones, and hair, is never shown from beyond.
    for tight in (compose.place(cut, Framing(), SIZE), compose.place(aside(astronaut_plate, "hair"), Framing(), SIZE, anew=True)):
        assert tight.points(np.array([[0, 0], [cut.size_px[0], 0]], np.float32))[:, 0] == pytest.approx([0, SIZE[0]], abs=1)


def test_new_clothes_go_on_beside_the_photo(astronaut_plate: Plate) -> None:
    cut = aside(astronaut_plate, "cloth")
    enlarger = Enlarger(cut, Framing(), SIZE)
    stages = {name: picture for name, picture, _ in enlarger.stages(rig.of(Look()), 3)}
    place = compose.place(cut, Framing(), SIZE, anew=True)
    left, right = place.points(np.array([[0, 0], [cut.size_px[0] - 1, 0]], np.float32))[:, 0]
    assert left > 10
    assert right < SIZE[0] - 10
    low = stages["dress"][int(0.93 * SIZE[1]) :]
    for beyond in (low[:, : int(left) - 4], low[:, int(right) + 5 :]):
        assert (beyond.max(-1) > 0.001).mean() > 0.5
        # Its knit is its own, and no column drawn out to the frame's edge.
        assert np.abs(np.diff(beyond, axis=1)).max(-1).mean() > 1e-4
    # Above them nobody is.
    assert stages["dress"][: SIZE[1] // 2, : int(left) - 4].max() == 0
