"""Strands that a soft photo lost: drawn where they are missing only, along the hair, as bright as it was, and mirrored with the person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import neck, strands
from lowkey.darkroom.figure import STRANDS_TAKE, Figure
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from test_dress import HW, person


def haired(fine: float) -> tuple[Plate, F32]:
    """A long-haired person with broad locks running down and strands `fine` deep (log), and where that hair is sure."""
    plate = person(long_hair=True)
    hair = plate.parts["hair"]
    x = np.arange(hair.shape[1], dtype=np.float32)[None, :, None]
    locks = np.exp(0.3 * np.sin(x * np.float32(2 * np.pi / (0.08 * HW))) + np.float32(fine) * np.sin(x * np.float32(2.6)))
    own = np.array((0.16, 0.10, 0.06), np.float32) * locks
    albedo = plate.albedo + hair[..., None] * (own - plate.albedo)
    return replace(plate, albedo=freeze(np.asarray(albedo, np.float32))), hair > 0.97


def completed(plate: Plate, hand: float | None = None) -> F32:
    out = np.array(plate.albedo)
    strands.completed(out, plate, neck.hand_of(plate) if hand is None else hand)
    return out


def test_they_are_drawn_where_the_photo_is_soft_and_not_where_it_is_sharp() -> None:
    soft, sure = haired(0.0)
    drawn = np.log(luminance(completed(soft)) / luminance(soft.albedo))
    assert 0.05 < drawn[sure].std() < strands.OWN
    assert np.abs(drawn[soft.parts["hair"] < 0.02]).max() < 1e-5
    sharp, sure = haired(0.35)
    np.testing.assert_array_equal(completed(sharp)[sure], sharp.albedo[sure])


def test_they_run_as_the_hair_does_and_take_no_light_from_it() -> None:
    plate, sure = haired(0.0)
    got = completed(plate)
    drawn = np.log(luminance(got) / luminance(plate.albedo))
    across, along = np.abs(np.diff(drawn, axis=1))[sure[:, 1:]].mean(), np.abs(np.diff(drawn, axis=0))[sure[1:]].mean()
    assert across > 2 * along
    assert luminance(got)[sure].mean() == pytest.approx(luminance(plate.albedo)[sure].mean(), rel=0.02)
    # The dye of no strand changes.
    np.testing.assert_allclose(
        (got / luminance(got)[..., None])[sure], (plate.albedo / luminance(plate.albedo)[..., None])[sure], rtol=1e-3
    )


def test_a_brow_takes_the_shine_of_the_skin_under_it() -> None:
    plate = person()
    shown = plate.parts["skin"] > 0.97
    h, w = shown.shape
    x, y = (round(float(v)) for v in plate.landmarks[105, :2])
    brow = np.zeros((h, w), np.float32)
    brow[y - 8 : y + 8, x - 20 : x + 20] = 1
    bare, browed = (Figure(replace(plate, parts={**plate.parts, "brows": freeze(one)})).specular for one in (0 * brow, brow))
    assert shown[y, x]
    assert browed[y, x] == pytest.approx((1 - STRANDS_TAKE) * bare[y, x], rel=0.1)
    far = shown & (np.abs(np.arange(h)[:, None] - y) > 0.2 * HW)
    np.testing.assert_array_equal(browed[far], bare[far])


def test_what_was_drawn_is_said() -> None:
    assert strands.lacking(haired(0.0)[0]) > 0.5
    assert strands.lacking(haired(0.35)[0]) < 0.01


def deepened(plate: Plate) -> F32:
    out = np.array(plate.albedo)
    strands.deepened(out, plate, 0.0)
    return out


def locked(depth: float, level: float = 0.16) -> tuple[Plate, F32]:
    """A long-haired person with locks of two sizes that differ by `depth` (log), and where that hair is sure."""
    plate = person(long_hair=True)
    hair = plate.parts["hair"]
    x = np.arange(hair.shape[1], dtype=np.float32)[None, :, None]
    own = np.array((level, 0.62 * level, 0.4 * level), np.float32) * np.exp(
        depth * (np.sin(x * np.float32(2 * np.pi / (0.14 * HW))) + np.sin(x * np.float32(2 * np.pi / (0.05 * HW))))
    )
    albedo = plate.albedo + hair[..., None] * (own - plate.albedo)
    return replace(plate, albedo=freeze(np.asarray(albedo, np.float32))), hair > 0.97


def test_hair_of_one_tone_gets_depth_and_hair_that_has_it_hardly_any() -> None:
    flat, sure = locked(0.12)
    before, after = (np.log(luminance(a))[sure] for a in (flat.albedo, deepened(flat)))
    assert after.std() > 1.5 * before.std()
    # Gaps sink; the locks in the light stay as light as they were.
    assert np.percentile(after, 5) < np.percentile(before, 5) - 0.15
    assert np.percentile(after, 95) == pytest.approx(np.percentile(before, 95), abs=0.10)
    deep, sure = locked(0.65)
    before, after = (np.log(luminance(a))[sure] for a in (deep.albedo, deepened(deep)))
    assert after.std() < 1.15 * before.std()
    assert np.median(np.abs(after - before)) < 0.06
    assert np.abs(deepened(flat) - flat.albedo)[flat.parts["hair"] < 0.02].max() < 1e-5


def test_black_hair_does_not_sink() -> None:
    black, sure = locked(0.12, level=0.008)
    change = np.log(luminance(deepened(black)) / luminance(black.albedo))[sure]
    assert -0.12 < change.mean() < 0.05


def test_white_hair_keeps_its_tone_and_gets_fewer_strands() -> None:
    """Beside a face that it outshines: what sinks brown hair leaves its mean where it was, and its contrast is raised less."""
    plain, _ = locked(0.12)
    face = float(np.median(luminance(plain.albedo)[plain.parts["skin"] > 0.9]))
    white, sure = locked(0.12, level=2.4 * face)
    change = np.log(luminance(deepened(white)) / luminance(white.albedo))[sure]
    brown = np.log(luminance(deepened(plain)) / luminance(plain.albedo))[sure]
    assert brown.mean() < -0.1
    assert abs(change.mean()) < 0.03
    assert change.std() < 0.8 * brown.std()
    level, soft = np.asarray(2.4 * face / 0.16, np.float32), haired(0.0)[0]
    lit = replace(soft, albedo=freeze(np.asarray(np.where(soft.parts["hair"][..., None] > 0.5, level, 1) * soft.albedo, np.float32)))
    drawn = [np.log(luminance(completed(p)) / luminance(p.albedo))[sure].std() for p in (soft, lit)]
    assert 0.4 * drawn[0] < drawn[1] < 0.85 * drawn[0]
