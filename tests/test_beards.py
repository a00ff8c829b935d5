"""Beards: a grey one is hair and hangs below the jaw, a dark one thins out over the face, a shaven chin stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import beards, neck, roots
from lowkey.darkroom.figure import Figure
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, FACE, HW, person

GREY, BROWN = np.array((0.5, 0.49, 0.47), np.float32), np.array((0.08, 0.02, 0.006), np.float32)


def bearded(tone: F32, *, read: bool, low: float = 0.10, head: tuple[float, float, float] = (0.2, 0.19, 0.18)) -> tuple[Plate, F32]:
    """A person with a beard of strands on the chin down to `low` hw below it, `read` as hair or as skin; where it is."""
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    for i, index in enumerate(OVAL):
        if (mesh[index, :2] == mesh[0, :2]).all():
            angle = 2 * np.pi * i / len(OVAL)
            mesh[index, :2] = (EYE_X + 0.5 * HW * np.sin(angle), CHIN_Y - 0.75 * HW - 0.75 * HW * np.cos(angle))
    for index, v in ((17, -0.28), (4, -0.6), (2, -0.5)):
        mesh[index, :2] = (EYE_X, CHIN_Y + v * HW)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    on = np.asarray((np.abs(u) < 0.22) & (v > -0.24) & (v < low), np.float32)
    strands = np.exp(0.5 * np.sin(1.1 * x) * np.cos(0.7 * y))[..., None]
    albedo = np.array(plate.albedo)
    albedo += plate.parts["hair"][..., None] * (np.array(head, np.float32) - albedo)
    albedo += on[..., None] * (tone * strands - albedo)
    parts = dict(plate.parts)
    parts["hair"] = freeze(np.asarray(np.maximum(plate.parts["hair"], on if read else 0), np.float32))
    parts["skin"] = freeze(np.asarray(plate.parts["skin"] * (1 - on) + (0 if read else on), np.float32))
    albedo = freeze(np.asarray(albedo, np.float32))
    return replace(plate, landmarks=freeze(mesh), albedo=albedo, colour=albedo, parts=parts), on


def test_a_grey_beard_is_hair_to_its_ends() -> None:
    plate, on = bearded(GREY, read=False)
    got, found = beards.grown(plate)
    assert found is not None
    y = np.arange(len(on))[:, None]
    hangs = (on > 0) & (y > CHIN_Y + 0.02 * HW) & (y < CHIN_Y + 0.07 * HW)
    assert got.parts["hair"][hangs].mean() > 0.85
    chin = (on > 0) & (y > CHIN_Y - 0.2 * HW) & (y < CHIN_Y - 0.08 * HW)
    # On the face skin shines through it.
    assert got.parts["hair"][chin].mean() == pytest.approx(beards.ON_FACE, abs=0.08)
    assert np.allclose(got.parts["hair"] + got.parts["skin"], plate.parts["hair"] + plate.parts["skin"], atol=1e-5)


def test_a_chin_of_skin_and_a_patch_beside_it_are_no_beard() -> None:
    shaven, _ = bearded(FACE, read=False)
    assert beards.grown(shaven) == (shaven, None)
    beside, on = bearded(GREY, read=False)
    albedo = np.array(beside.albedo)
    albedo[:, np.abs(np.arange(on.shape[1]) - EYE_X) < 0.16 * HW] = FACE
    assert beards.grown(replace(beside, albedo=freeze(albedo), colour=freeze(albedo)))[1] is None


def test_a_blue_collar_that_touches_a_beard_is_none_of_it() -> None:
    plate, on = bearded(GREY, read=False)
    y, x = np.mgrid[: on.shape[0], : on.shape[1]].astype(np.float32)
    collar = (x > EYE_X + 0.22 * HW) & (x < EYE_X + 0.40 * HW) & (y > CHIN_Y - 0.1 * HW) & (y < CHIN_Y + 0.1 * HW)
    strands = np.exp(0.5 * np.sin(1.1 * x) * np.cos(0.7 * y))[..., None]
    skin = np.array(plate.parts["skin"])
    skin[collar] = 1
    for hue, most in ((np.array((0.2, 0.3, 0.6), np.float32), 0.02), (GREY, 1.0)):
        albedo = np.where(collar[..., None], hue * strands, plate.albedo).astype(np.float32)
        worn = replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=plate.parts | {"skin": freeze(skin)})
        found = beards.grown(worn)[1]
        assert found is not None
        # Grey as the beard is, it would be taken for one: it is by its blue that cloth is told.
        assert (found[collar].mean() < most) if most < 1 else (found[collar].mean() > 0.5)


def test_a_grey_beard_leans_to_its_skin_and_is_lit_as_that_is() -> None:
    plate, _ = bearded(GREY * np.array((0.9, 1, 0.8), np.float32), read=False)
    got, found = beards.grown(plate)
    assert found is not None
    albedo = np.array(got.albedo)
    beards.whitened(albedo, plate, found)
    sure = found > 0.99
    np.testing.assert_allclose(luminance(albedo[sure]), luminance(plate.albedo[sure]), rtol=1e-3)
    hue = np.log(albedo[sure] / albedo[sure][:, 1:2])
    # Strands have white hair's hue, and gaps between them go over to skin's.
    share = (hue[:, 0] / np.log(FACE[0] / FACE[1]), hue[:, 2] / np.log(FACE[2] / FACE[1]))
    np.testing.assert_allclose(share[0], share[1], atol=0.02)
    pale = luminance(albedo[sure])
    assert np.median(share[0][pale > np.percentile(pale, 70)]) == pytest.approx(beards.SKIN_SHINES, abs=0.02)
    assert share[0].min() > beards.SKIN_SHINES - 0.02
    assert share[0][pale < np.percentile(pale, 5)].mean() > beards.SKIN_SHINES + 0.1
    assert share[0].max() < 1.02
    figure = Figure(got)
    beards.hung(figure, found, neck.below_jaw(got.landmarks, got.size_px, got.hw_px))
    assert figure.hair[sure].max() < 1 - beards.LIT_AS_SKIN + 0.01
    np.testing.assert_allclose((figure.hair + figure.skin)[sure], 1, atol=0.02)


def test_a_dark_beard_thins_out_and_has_the_colour_of_the_head() -> None:
    plate, on = bearded(BROWN, read=True, head=(0.05, 0.025, 0.015))
    got = beards.thinned(plate)
    assert got is not plate
    y = np.arange(len(on))[:, None]
    chin = (on > 0) & (y > CHIN_Y - 0.2 * HW) & (y < CHIN_Y - 0.12 * HW)
    assert got.parts["hair"][chin].max() < 0.7
    before, after = (np.log(a[chin]) for a in (plate.albedo, got.albedo))
    assert np.median(after[:, 0] - after[:, 1]) < np.median(before[:, 0] - before[:, 1]) - 0.2
    np.testing.assert_allclose(luminance(got.albedo[chin]), luminance(plate.albedo[chin]), rtol=1e-3)
    bare = person(turn=0.0)
    assert beards.thinned(bare) is bare


def test_a_grey_beards_strands_are_no_border_of_hair() -> None:
    """Half skin all over, it was evened as pale hair's border is: a felt with a third of the strands that it had."""
    plate, _ = bearded(GREY, read=False, head=(0.9, 0.88, 0.85))
    got, found = beards.grown(plate)
    assert found is not None
    sure, left = found > 0.99, {}
    for name, beard in (("told", found), ("untold", None)):
        albedo = np.array(got.albedo)
        roots.toned(albedo, got, beard)
        left[name] = float(np.log(luminance(albedo[sure])).std() / np.log(luminance(got.albedo[sure])).std())
    assert left["told"] == pytest.approx(1, abs=0.02)
    assert left["untold"] < 0.9


def test_a_grey_beard_ends_in_single_hairs_over_its_own_shade() -> None:
    plate, on = bearded(GREY, read=False, low=0.10)
    # Single hairs, paler than the neck, that are ever fewer toward the outline.
    y, x = np.mgrid[: on.shape[0], : on.shape[1]].astype(np.float32)
    last = (on > 0) & (y > CHIN_Y + 0.03 * HW) & (np.sin(0.9 * x) < 0)
    albedo = np.array(plate.albedo)
    albedo[last] = 0.4 * FACE
    albedo[(on == 0) & (y > CHIN_Y + 0.03 * HW)] = 0.4 * FACE
    plate = replace(plate, albedo=freeze(albedo), colour=freeze(albedo))
    got, found = beards.grown(plate)
    assert found is not None
    whole = neck.keep(got)
    kept, ends = beards.ended(whole, got, found)
    inner = np.abs(x - EYE_X) < 0.12 * HW
    edge, deep = (inner & (np.abs(y - CHIN_Y - v * HW) < 0.01 * HW) for v in (0.07, -0.05))
    hairs, gaps = edge & (np.sin(0.9 * x) > 0.5), edge & (np.sin(0.9 * x) < -0.5)
    assert kept.head[hairs].mean() > kept.head[gaps].mean() + 0.25
    assert kept.head[deep].min() > 0.98
    beyond = inner & (y > CHIN_Y + 0.16 * HW)
    assert kept.head[beyond].max() == 0
    np.testing.assert_array_equal(kept.head[y < CHIN_Y - 0.3 * HW], whole.head[y < CHIN_Y - 0.3 * HW])
    # It loses its light toward that end, and what is beneath lies in its shade.
    dark = np.array(got.albedo)
    beards.sunk(dark, got, ends)
    assert (dark / got.albedo)[hairs].mean() < 0.75
    assert (dark / got.albedo)[deep].mean() > 0.9
    figure = Figure(got)
    beards.shaded(figure, ends, 0)
    under, far = (inner & (np.abs(y - CHIN_Y - v * HW) < 0.01 * HW) for v in (0.13, 0.40))
    assert (figure.albedo / got.albedo)[under].mean() < 0.7
    np.testing.assert_allclose(figure.albedo[far], got.albedo[far], rtol=0.01)


def moustached(*, tufts: bool) -> tuple[Plate, F32]:
    """A person with a moustache of thin hairs, of which a reader knew two tufts, or nothing; where it grows."""
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    for index, u, v in ((98, -0.08, -0.50), (327, 0.08, -0.50), (287, 0.18, -0.38), (410, 0.14, -0.40), (0, 0, -0.40), (186, -0.14, -0.40),
                        (57, -0.18, -0.38), (2, 0, -0.52)):  # fmt: skip
        mesh[index, :2] = (EYE_X + u * HW, CHIN_Y + v * HW)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    on = np.asarray((np.abs(u) < 0.12) & (np.abs(v + 0.45) < 0.035), np.float32)
    read = on * (np.abs(u) > 0.03) * tufts
    skin, tone = np.array(FACE, np.float32), np.array(FACE, np.float32) * np.float32(0.3)
    albedo = np.broadcast_to(skin, (*on.shape, 3)) + on[..., None] * (tone - skin)
    parts = {name: np.zeros_like(on) for name in plate.parts} | {"hair": read, "skin": 1 - read}
    parts = {name: freeze(np.asarray(part, np.float32)) for name, part in parts.items()}
    return replace(plate, landmarks=freeze(mesh), albedo=freeze(np.asarray(albedo, np.float32)), parts=parts), on


def test_between_two_tufts_of_a_moustache_hairs_are_hair() -> None:
    plate, on = moustached(tufts=True)
    got = beards.joined(plate)
    u = (np.arange(on.shape[1]) - EYE_X) / HW
    between = (on > 0) & (np.abs(u) < 0.02)
    assert plate.parts["hair"][between].max() == 0
    assert got.parts["hair"][between].mean() > 0.8
    far = np.hypot(u, (np.arange(len(on))[:, None] - CHIN_Y) / HW + 0.45) > 0.25
    np.testing.assert_array_equal(got.parts["hair"][far], plate.parts["hair"][far])
    np.testing.assert_allclose(got.parts["hair"] + got.parts["skin"], 1, atol=1e-6)


def test_a_dark_upper_lip_without_a_moustache_is_skin() -> None:
    plate, _ = moustached(tufts=False)
    assert beards.joined(plate) is plate
