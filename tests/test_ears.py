"""Laws of ears: a plane that faces the viewer, thin at the rim, and nothing else of a head is touched."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import ears, light, loose
from lowkey.darkroom.figure import Figure
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from lowkey.rig import Direction
from test_dress import HW, person


def eared(wide_hw: float = 0.16) -> tuple[Plate, F32]:
    """A person with a round, even ear at the viewer's right that leans to the right, and where it is, f32[h, w]."""
    plate = person(long_hair=False)
    oval = plate.landmarks[list(OVAL), :2]
    middle = 0.5 * (plate.landmarks[ears.BROW, 1] + plate.landmarks[ears.NOSE_BASE, 1])
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    ear = np.asarray(np.hypot((x - oval[:, 0].max()) / wide_hw, (y - middle) / 0.20) < HW, np.float32)
    beside = np.asarray(ear * (x > oval[:, 0].max()), np.float32)
    parts = {name: np.where(beside > 0, 0, part).astype(np.float32) for name, part in plate.parts.items()}
    parts["skin"] = np.maximum(parts["skin"], beside)
    side = np.array([0.9, 0.0, np.sqrt(1 - 0.81)], np.float32)
    normal = np.where(beside[..., None] > 0, side, plate.normal).astype(np.float32)
    frozen = {name: freeze(part) for name, part in parts.items()}
    face = plate.parts["skin"] > 0.9
    colour, albedo = (np.where(beside[..., None] > 0, np.median(v[face], 0), v).astype(np.float32) for v in (plate.colour, plate.albedo))
    plate = replace(plate, colour=freeze(colour), albedo=freeze(albedo))
    return replace(plate, matte=freeze(np.maximum(plate.matte, beside)), parts=frozen, normal=freeze(normal)), beside


def test_an_ear_faces_the_viewer_and_is_thin_at_its_rim_alone() -> None:
    plate, ear = eared()
    figure = Figure(plate)
    figure.ears = ears.shaped(figure, plate)
    right = plate.landmarks[list(OVAL), 0].max()
    x = np.arange(plate.matte.shape[1])[None]
    deep = (ear > 0) & (x > right + 0.06 * HW) & (x < right + 0.10 * HW)
    level = np.flatnonzero(deep.any(1))
    middle = np.zeros_like(deep)
    middle[level[len(level) // 2] - 4 : level[len(level) // 2] + 4] = True
    # It leaned to the side by 64 degrees.
    assert figure.normal[deep & middle][:, 2].min() > 0.98
    passed = loose.edge(figure.subject(plate, 1.0))[..., 0]
    assert passed[ear > 0].max() > 0.3 * loose.FLESH[0]
    assert passed[deep & middle].max() < 0.15 * loose.FLESH[0]
    assert np.linalg.norm(figure.normal[ear > 0], axis=-1) == pytest.approx(1, abs=1e-3)


def test_a_face_and_hair_are_left_alone() -> None:
    plate, ear = eared()
    before, figure = Figure(plate), Figure(plate)
    ears.shaped(figure, plate)
    oval = np.round(plate.landmarks[list(OVAL), :2]).astype(np.int32)
    face = cv2.fillPoly(np.zeros(plate.matte.shape, np.uint8), [oval], 1) > 0
    for name in ("albedo", "normal", "specular"):
        np.testing.assert_allclose(getattr(figure, name)[face], getattr(before, name)[face], atol=1e-6)
    assert np.abs(figure.normal - before.normal)[ear > 0].max() > 0.3
    hair = plate.parts["hair"] > 0.99
    np.testing.assert_allclose(figure.albedo[hair], before.albedo[hair], atol=1e-6)


def test_an_ear_lies_under_its_face_and_keeps_its_own_light_and_dark() -> None:
    plate, ear = eared()
    k, right = plate.hw_px, plate.landmarks[list(OVAL), 0].max()
    x = np.broadcast_to(np.arange(plate.matte.shape[1], dtype=np.float32)[None], plate.matte.shape)
    stripe = np.where(ear > 0, 1 + 0.2 * np.sin((x - right) / (0.01 * k)), 1)[..., None].astype(np.float32)
    striped = replace(plate, albedo=freeze(np.asarray(plate.albedo * stripe, np.float32)), colour=freeze(plate.colour * stripe))
    figure = Figure(striped)
    within = ears.shaped(figure, striped) > 0.99
    face = float(np.median(luminance(plate.albedo[plate.parts["skin"] > 0.9])))
    assert float(np.median(luminance(figure.albedo[within]))) == pytest.approx(ears.BELOW_FACE * face, rel=0.06)
    before, after = (np.log(luminance(v[within])) for v in (striped.albedo, figure.albedo))
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_what_is_dark_in_an_ear_is_deep() -> None:
    plate, ear = eared(0.24)
    k, right = plate.hw_px, plate.landmarks[list(OVAL), 0].max()
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    level, middle = float(np.median(np.nonzero(ear)[0])), right + 0.12 * k
    away = np.hypot(x - middle, y - level) / k
    bowl = np.where(ear > 0, 1 - 0.6 * np.exp(-0.5 * np.square(away / 0.025)), 1)[..., None].astype(np.float32)
    even, dark = Figure(plate), Figure(replace(plate, colour=freeze(plate.colour * bowl)))
    ears.shaped(even, plate)
    ears.shaped(dark, replace(plate, colour=freeze(plate.colour * bowl)))
    leans = (dark.normal - even.normal)[..., 0]
    row = np.abs(y - level) < 2
    # Its far wall faces the head, its near wall away from it: under a lamp beside the head the one is dark and the other light.
    far, near = (leans[row & (np.abs(x - middle - way * 0.025 * k) < 1.5)].mean() for way in (1, -1))
    assert far < -0.08
    assert near > 0.08
    assert np.linalg.norm(dark.normal[ear > 0], axis=-1) == pytest.approx(1, abs=1e-3)


def test_a_speck_of_hair_on_a_rim_is_the_ears() -> None:
    plate, ear = eared()
    rows, columns = np.nonzero(ear)
    at = int(np.median(rows)), int(columns.max())
    parts = {name: np.array(part) for name, part in plate.parts.items()}
    speck = np.s_[at[0] - 1 : at[0] + 2, at[1] - 4 : at[1] + 1]
    parts["skin"][speck], parts["hair"][speck] = 0, 1
    figure = Figure(replace(plate, parts={name: freeze(part) for name, part in parts.items()}))
    ears.shaped(figure, plate)
    assert figure.skin[at] > 0.9
    assert figure.hair[at] < 0.1


def test_an_ear_is_as_red_as_in_the_photo_and_no_redder_than_blood() -> None:
    plate, ear = eared()

    def red(of: F32, where: F32) -> float:
        return float(np.median(np.log(of[where][:, 0] / of[where][:, 1])))

    for shone, most in ((0.15, 0.15), (0.60, ears.RUDDY + ears.FLUSHED * (0.60 - ears.RUDDY))):
        there, lit = ear[..., None] > 0, np.array([np.exp(shone), 1, 1], np.float32)
        albedo, colour = (np.where(there, np.median(v[plate.parts["skin"] > 0.9], 0), v) for v in (plate.albedo, plate.colour))
        colour = np.asarray(np.where(there, colour * lit, colour), np.float32)
        photo = replace(plate, albedo=freeze(np.asarray(albedo, np.float32)), colour=freeze(colour))
        figure = Figure(photo)
        within = (ears.shaped(figure, photo) > 0.99) & (ear > 0)
        # Folds are redder where they are deep, and on the median as red as that.
        assert red(figure.albedo, within) - red(plate.albedo, plate.parts["skin"] > 0.9) == pytest.approx(most, abs=0.03)


def test_no_ear_shades_itself_from_a_lamp_beside_the_head() -> None:
    plate, ear = eared()
    # As blown up from a silhouette: a cushion, whose last half-covered pixels stand in front of it.
    rim = np.asarray(cv2.dilate(ear, np.ones((3, 3), np.uint8)) * (1 - ear) * (plate.matte < 0.5), np.float32)
    matte = np.maximum(plate.matte, np.float32(0.6) * rim)
    depth = np.where(ear > 0, -0.05 + 0.2 * np.sqrt(cv2.distanceTransform(ear.astype(np.uint8), cv2.DIST_L2, 5) / HW), plate.depth)
    depth = np.where(rim > 0, 0.10, depth).astype(np.float32)
    cushion = replace(plate, matte=freeze(np.asarray(matte, np.float32)), depth=freeze(depth))
    seen = []
    for shape in (False, True):
        figure = Figure(cushion)
        if shape:
            figure.ears = ears.shaped(figure, cushion)
        within = cv2.erode(ear, np.ones((7, 7), np.uint8)) > 0
        seen.append(light.Relight(figure.subject(cushion, 1.0)).visibility(Direction(84, 27), 7.0)[within])
    assert np.quantile(seen[0], 0.2) < 0.2
    assert np.quantile(seen[1], 0.1) > 0.9


def test_a_slim_ear_is_as_flat_as_a_broad_one() -> None:
    for wide in (0.085, 0.16):
        plate, ear = eared(wide)
        cushion = np.sqrt(cv2.distanceTransform(ear.astype(np.uint8), cv2.DIST_L2, 5) / HW)
        figure = Figure(replace(plate, depth=freeze(np.asarray(np.where(ear > 0, 0.3 * cushion, plate.depth), np.float32))))
        mask = ears.shaped(figure, plate) * ear
        y, x = np.nonzero(mask > 0.95 * mask.max())
        plane = np.stack([x, y, np.ones_like(x)], 1).astype(np.float32)
        depth = figure.depth[y, x]
        assert np.abs(depth - plane @ np.linalg.lstsq(plane, depth, rcond=None)[0]).max() < 0.005


def test_the_grain_of_a_photo_is_no_fold_of_an_ear() -> None:
    plate, ear = eared()
    k = plate.hw_px
    rng = np.random.default_rng(3)
    grain = cv2.GaussianBlur(rng.standard_normal(plate.matte.shape).astype(np.float32), (0, 0), 0.007 * k)
    grain *= 0.08 / grain.std()
    noisy = replace(plate, colour=freeze(np.asarray(plate.colour * np.exp(grain)[..., None], np.float32)))
    figures = [Figure(noisy), Figure(plate)]
    within = ears.shaped(figures[0], noisy) * ears.shaped(figures[1], plate) > 0.99
    first, second = (np.log(luminance(figure.albedo[within & (ear > 0)])) for figure in figures)
    # Folds are the photo's 1.6 times: grain would be .06 and more there.
    assert float(np.std(first - second)) < 0.03
    leans = (figures[0].normal - figures[1].normal)[within & (ear > 0)]
    assert float(np.sqrt(np.mean(leans[:, :2] ** 2))) < 0.06
