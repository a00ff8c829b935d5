"""Scraps beside the face go to what lies round them; an ear and a lock are none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import scraps
from lowkey.pixels import F32, freeze
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, person


def beside(radius: float) -> tuple[Plate, F32]:
    """A person with a patch of hair beside the face and, in its middle, a piece of skin of `radius` hw; where that piece is."""
    plate = person(turn=0.0)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    away = np.hypot(x - (EYE_X + 0.72 * HW), y - (CHIN_Y - 0.62 * HW)) / np.float32(HW)
    patch, piece = np.asarray(away < 0.2, np.float32), np.asarray(away < radius, np.float32)
    parts = {name: np.array(part) for name, part in plate.parts.items()}
    for part in parts.values():
        part *= 1 - patch
    parts["hair"] += patch * (1 - piece)
    parts["skin"] += piece
    own = np.where(piece[..., None] > 0, np.array((0.5, 0.2, 0.1), np.float32), np.array((0.2, 0.19, 0.17), np.float32))
    albedo = np.array(plate.albedo) + patch[..., None] * (own - plate.albedo)
    frozen = {name: freeze(part) for name, part in parts.items()}
    matte = freeze(np.maximum(plate.matte, patch))
    return replace(plate, parts=frozen, matte=matte, albedo=freeze(np.asarray(albedo, np.float32))), piece


def test_a_fleck_of_skin_in_hair_is_hair_and_an_ear_stays() -> None:
    plate, fleck = beside(0.04)
    got = scraps.healed(plate)
    middle = fleck > 0
    assert got.parts["hair"][middle].min() > 0.9
    red = got.albedo[middle]
    assert (red[:, 0] / red[:, 1]).max() < 1.3
    plate, ear = beside(0.14)
    got = scraps.healed(plate)
    assert got.parts["skin"][ear > 0].min() > 0.9


def edged(pale: float, bare: bool) -> tuple[Plate, F32]:
    """A person beside whose face a strip as slim as an ear was read as hair, at one side; the other side's ear is `bare`, or hair too."""
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    for i, index in enumerate(OVAL):
        angle = 2 * np.pi * i / len(OVAL)
        mesh[index, :2] = (EYE_X + 0.5 * HW * np.sin(angle), CHIN_Y - 0.75 * HW - 0.75 * HW * np.cos(angle))
    for index, u, v in ((33, -0.25, -0.95), (263, 0.25, -0.95), (2, 0, -0.5), (4, 0, -0.6), (152, 0, 0), (9, 0, -1.1)):
        mesh[index, :2] = (EYE_X + u * HW, CHIN_Y + v * HW)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    out = np.hypot(u / 0.5, (v + 0.75) / 0.75) - 1
    strip = (out > 0) & (out < 0.15) & (v > -1.1) & (v < -0.45)
    mine = np.asarray(strip & (u > 0), np.float32)
    other = np.asarray((out > 0) & (out < 0.35) & (v > -1.0) & (v < -0.4) & (u < 0), np.float32)
    parts = {name: np.array(part) for name, part in plate.parts.items()}
    for name, part in parts.items():
        part *= (out < 0) | (v < -1.2) if name in {"hair", "skin"} else 1
    parts["hair"] = np.maximum(parts["hair"], mine)
    parts["skin" if bare else "hair"] = np.maximum(parts["skin" if bare else "hair"], other)
    parts["skin"] = parts["skin"] * (1 - mine)
    matte = np.maximum(np.asarray(plate.matte * ((out < 0) | (v < -1.2)), np.float32), np.maximum(mine, other))
    albedo = np.array(plate.albedo)
    albedo[mine > 0] = pale
    frozen = {name: freeze(np.asarray(part, np.float32)) for name, part in parts.items()}
    return replace(plate, landmarks=freeze(mesh), parts=frozen, matte=freeze(matte), albedo=freeze(albedo)), mine


def test_an_ear_read_as_white_hair_is_an_ear_where_the_other_is_bare() -> None:
    plate, strip = edged(0.8, bare=True)
    y = np.arange(len(strip))[:, None]
    low = (strip > 0) & (y > CHIN_Y - 0.75 * HW) & (y < CHIN_Y - 0.52 * HW)
    got = scraps.healed(plate)
    assert got.parts["skin"][low].mean() > 0.9
    skin = np.median(got.albedo[low], 0)
    assert skin[0] / skin[2] > 1.5
    for same in (edged(0.8, bare=False)[0], edged(0.03, bare=True)[0]):
        assert scraps.healed(same).parts["hair"][low].mean() > 0.9


def test_hair_over_an_ear_ends_higher_at_the_face_than_behind_it() -> None:
    plate, strip = edged(0.8, bare=True)
    hair = scraps.healed(plate).parts["hair"] * (strip > 0)
    columns = np.flatnonzero(strip.any(0))
    ends = [int(np.flatnonzero(hair[:, c] > 0.5).max(initial=0)) for c in columns]
    inner, outer = (float(np.median(part)) for part in np.array_split(ends if columns[0] > plate.landmarks[4, 0] else ends[::-1], 2))
    assert outer - inner > 0.2 * scraps.TAPER_HW * HW


def test_a_sideburn_that_goes_on_above_the_brow_is_no_scrap() -> None:
    """What the first row that is looked at cuts is the lower end of a head of hair, however little of it lies below."""
    plate = person(turn=0.0)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    high = float(plate.landmarks[scraps.BROW, 1]) - 0.15 * HW
    strip = np.asarray((np.abs(x - (EYE_X + 0.56 * HW)) < 0.02 * HW) & (y > high - 0.3 * HW) & (y < high + 0.25 * HW), np.float32)
    around = cv2.dilate(strip, np.ones((15, 15), np.uint8))
    parts = {name: np.asarray(part * (1 - around), np.float32) for name, part in plate.parts.items()}
    parts["hair"] += strip
    parts["skin"] += around - strip
    matte = freeze(np.maximum(plate.matte, around))
    got = scraps.healed(replace(plate, parts={name: freeze(part) for name, part in parts.items()}, matte=matte))
    assert got.parts["hair"][(strip > 0) & (y > high + 3)].min() > 0.9


def test_a_ghost_between_an_ear_and_the_room_is_the_rooms_and_hair_that_hangs_together_stays() -> None:
    for gap, gone in ((True, True), (False, False)):
        plate, _ = beside(0.0)
        y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
        u, v = (x - EYE_X) / np.float32(HW) - np.float32(0.72), (y - CHIN_Y) / np.float32(HW) + np.float32(0.62)
        ear = (np.maximum(np.abs(u), np.abs(v)) < 0.1).astype(np.float32)
        ghost = np.asarray((u > 0.1) & (u < 0.13) & (np.abs(v) < 0.05), np.float32)
        lock = np.asarray((u > 0.05) & (u < 0.35) & (v > -0.45) & (v < (-0.14 if gap else -0.04)), np.float32) * (1 - ear)
        parts = {name: np.asarray(part * (np.hypot(u, v) > 0.5), np.float32) for name, part in plate.parts.items()}
        parts["skin"] += ear
        parts["hair"] = np.maximum(parts["hair"], np.maximum(0.7 * ghost, lock) * (1 - ear))
        whole = np.asarray(parts["skin"] + parts["hair"] + parts["cloth"], np.float32)
        parts["background"] = np.asarray(1 - whole, np.float32)
        got = scraps.healed(replace(plate, parts={n: freeze(p) for n, p in parts.items()}, matte=freeze(whole)))
        there = (ghost > 0) & (ear == 0)
        assert (got.matte[there].max() < 0.05) == gone
        np.testing.assert_allclose(got.matte[ear > 0], whole[ear > 0], atol=0.02)
        np.testing.assert_allclose(got.parts["hair"][lock > 0], parts["hair"][lock > 0], atol=0.02)
