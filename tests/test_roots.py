"""Roots: a hairline that the photo shows as an edge is broken, one with strands of its own is not, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bust
from lowkey.darkroom import neck, roots
from lowkey.darkroom.figure import Figure
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OUTER_CORNERS
from lowkey.plate.plate import Plate
from test_dress import EYE_X, HW, person


def lined(rough: float = 0.0) -> tuple[Plate, float]:
    """A person with dark hair over a straight hairline, the forehead's tone `rough` (log) by the photo's own strands; the line's row."""
    plate = person()
    shape = plate.matte.shape
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    line = float(plate.landmarks[list(OUTER_CORNERS), 1].mean()) - 0.35 * HW
    head = np.asarray((np.abs(x - EYE_X) < 0.55 * HW) & (y > line - 0.4 * HW) & (y < line + 0.45 * HW), np.float32)
    over = np.asarray(np.clip(line - y + 0.5, 0, 1), np.float32)
    parts = {name: np.array(part) for name, part in plate.parts.items()}
    for part in parts.values():
        part *= 1 - head
    parts["hair"] += head * over
    parts["skin"] += head * (1 - over)
    grain = np.exp(np.float32(rough) * np.sin(x * np.float32(1.9)))[..., None]
    own = np.array((0.02, 0.014, 0.01), np.float32) * over[..., None]
    own = own + np.array((0.40, 0.26, 0.18), np.float32) * (1 - over)[..., None] * grain
    albedo = np.array(plate.albedo) + head[..., None] * (own - plate.albedo)
    frozen = {name: freeze(part) for name, part in parts.items()}
    matte = freeze(np.maximum(plate.matte, head))
    return replace(plate, parts=frozen, matte=matte, albedo=freeze(np.asarray(albedo, np.float32))), line


def rooted(plate: Plate) -> tuple[Figure, F32]:
    figure = Figure(plate)
    return figure, roots.rooted(figure, plate, neck.hand_of(plate))


def test_an_edge_is_broken_over_a_few_millimetres_and_no_further() -> None:
    plate, line = lined()
    figure, changed = rooted(plate)
    rows = np.flatnonzero(np.abs(changed).max(1) > 0.02)
    assert rows.size
    assert 0.02 * HW < rows[-1] - rows[0] < 0.14 * HW
    assert rows[0] < line < rows[-1]
    # Strands stand in the skin and skin shows between roots; what turned to hair is dark.
    assert changed.max() > 0.2
    assert changed.min() < -0.1
    darker = np.log(luminance(figure.albedo) / luminance(plate.albedo))
    assert darker[changed > 0.2].max() < 0
    np.testing.assert_array_equal(figure.albedo[: int(line - 0.2 * HW)], plate.albedo[: int(line - 0.2 * HW)])
    np.testing.assert_allclose((figure.hair + figure.skin)[changed != 0], 1, atol=0.02)


def test_a_crop_thins_out_by_degrees_in_dots() -> None:
    """Over .03 to .06 hw there is less of it from row to row, and dots within a row are not alike; other hair has a line of strands."""
    plate, line = lined()
    middle, near = np.abs(np.arange(plate.matte.shape[1]) - EYE_X) < 0.35 * HW, slice(int(line - 0.08 * HW), int(line + 0.08 * HW))
    thins, steepest, dots, darkest = [], [], [], []
    for crop in (0.0, 1.0):
        figure = Figure(plate)
        roots.rooted(figure, plate, neck.hand_of(plate), crop)
        share = figure.hair[near, middle]
        down, tone = share.mean(1), luminance(figure.albedo[near, middle]).mean(1)
        assert down[0] > 0.98
        assert down[-1] < 0.02
        thins.append(int(((down > 0.04) & (down < 0.96)).sum()))
        steepest.append(float(np.abs(np.diff(down)).max()))
        dots.append(float(share[(down > 0.3) & (down < 0.9)].std(1).max()))
        darkest.append(float(tone[np.argmax(down < 0.75)] / tone[0]))
    assert thins[0] < 0.03 * HW < thins[1] < 0.06 * HW
    assert steepest[1] < 0.7 * steepest[0]
    assert dots[1] > 0.05
    # Scalp among stubble lies in its shade.
    assert 1.3 < darkest[1] < 6


def test_where_the_photo_has_its_own_strands_none_are_drawn() -> None:
    plate, _ = lined(rough=0.5)
    assert np.abs(rooted(plate)[1]).max() < 0.02


def halved() -> tuple[Plate, np.ndarray]:
    """A bust whose bare skin is hair in the upper half, with a line one pixel wide between them; that half, bool[h, w, 1]."""
    plate = bust.plate(HW)
    h, w = plate.matte.shape
    upper = (np.arange(h) < h // 2)[:, None, None] & np.ones((1, w, 1), np.bool_)
    skin = plate.parts["skin"] + plate.parts["hair"]
    hair = np.asarray(skin * upper[..., 0], np.float32)
    return replace(plate, parts={**plate.parts, "hair": freeze(hair), "skin": freeze(np.asarray(skin - hair, np.float32))}), upper


@pytest.mark.parametrize(("tone", "runs"), [(0.9, True), (0.05, False)])
def test_pale_hair_and_skin_run_into_one_another_and_dark_hair_keeps_its_line(tone: float, runs: bool) -> None:
    """A line between hair and skin as a reader draws it, one pixel wide, across the middle of a forehead."""
    plate, upper = halved()
    h, skin, hair = len(upper), plate.parts["skin"] + plate.parts["hair"], plate.parts["hair"]
    solid = plate.matte > 0.99
    got = roots.blended(replace(plate, colour=freeze(np.asarray(np.where(upper, np.float32(tone), plate.colour), np.float32))))
    line = got.parts["hair"][h // 2 - 1 : h // 2 + 1][:, solid[h // 2] & (skin[h // 2] > 0.99)]
    assert (np.abs(line - 0.5).max() < 0.3) == runs
    np.testing.assert_allclose(got.parts["hair"] + got.parts["skin"], skin, atol=1e-5)
    if not runs:
        np.testing.assert_array_equal(got.parts["hair"], hair)


def test_where_pale_hair_runs_into_skin_its_tone_does() -> None:
    """Of a step from skin of .4 to hair of .8 both sides come nearer to one another, by degrees; what lies further off keeps its tone."""
    plate, upper = halved()
    (h, w), skin = plate.matte.shape, plate.parts["skin"] + plate.parts["hair"]
    albedo = np.asarray(np.where(upper, np.float32(0.8), np.float32(0.4)) * np.ones(3, np.float32), np.float32)
    roots.toned(albedo, roots.blended(replace(plate, colour=freeze(albedo.copy()))))
    column = int(np.argmax(skin[h // 2] * (np.abs(np.arange(w) - w / 2) < 0.2 * w)))
    down, far = albedo[:, column, 0], round(0.08 * HW)
    assert np.abs(np.diff(down[h // 2 - far : h // 2 + far])).max() < 0.85 * 0.4
    assert down[h // 2 - 2] < 0.78
    assert down[h // 2] > 0.43
    assert down[h // 2 - far] == pytest.approx(0.8, abs=0.01)
    assert down[h // 2 + far] == pytest.approx(0.4, abs=0.01)


def test_pale_hair_ends_in_single_hairs_and_not_in_a_blur() -> None:
    """Along a row of the border a pixel is mostly strand or mostly skin, and strands grow fewer row by row; hue goes with them."""
    plate, line = lined()
    over = np.asarray(plate.parts["hair"] > 0.5)[..., None]
    pale = np.asarray(np.where(over, np.array((0.92, 0.78, 0.64), np.float32), plate.albedo), np.float32)
    plate = roots.blended(replace(plate, albedo=freeze(pale), colour=freeze(pale)))
    figure = Figure(plate)
    roots.toned(figure.albedo, plate)
    before = luminance(figure.albedo)
    roots.rooted(figure, plate, neck.hand_of(plate))
    columns = np.s_[round(EYE_X - 0.3 * HW) : round(EYE_X + 0.3 * HW)]
    shares = [figure.hair[round(line + d * HW), columns] for d in (-0.02, 0.0, 0.02)]
    assert shares[1].std() > 0.2
    assert shares[0].mean() > shares[1].mean() + 0.1 > shares[2].mean() + 0.2
    row = round(line)
    assert luminance(figure.albedo)[row, columns].std() > 2 * before[row, columns].std()
    assert np.corrcoef(shares[1], figure.albedo[row, columns, 2] / figure.albedo[row, columns, 0])[0, 1] > 0.8
    far = round(line + 0.15 * HW)
    np.testing.assert_allclose(figure.hair[far, columns], plate.parts["hair"][far, columns], atol=0.01)
