"""Stray hairs: outside the outline only, where there is hair, as long as the hair allows, and mirrored with the person."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom.strays import strewn
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, freeze

HW, SIDE = 200.0, 480


def head(radius_hw: float, hair_hw: float, tone: tuple[float, float, float] = (0.2, 0.1, 0.05)) -> Subject:
    """A disc of skin with a cap of straight upright hair `hair_hw` deep round its upper half."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5) / np.float32(HW)
    matte = np.clip((radius_hw - away) * HW + 0.5, 0, 1).astype(np.float32)
    hair = matte * (away > radius_hw - hair_hw) * (y < SIDE / 2)
    strands = 1 + 0.5 * np.sin(2.2 * np.arctan2(y - SIDE / 2, x - SIDE / 2 + 0.5) * 60)
    albedo = np.where(hair[..., None] > 0, np.array(tone) * strands[..., None], (0.5, 0.35, 0.25)).astype(np.float32)
    nil = np.zeros_like(matte)
    normal = np.dstack([nil, nil, nil + 1])
    return Subject(
        hw_px=HW, matte=freeze(matte), albedo=freeze(albedo), depth=freeze(nil - 0.2), normal=freeze(normal),
        skin=freeze(np.asarray(matte - hair, np.float32)), hair=freeze(np.asarray(hair, np.float32)), cloth=freeze(nil), eyes=freeze(nil),
        roughness=freeze(nil + 0.5), specular=freeze(nil), sheen=freeze(nil), head_px=(SIDE / 2, SIDE / 2),
    )  # fmt: skip


def combed(s: Subject) -> Subject:
    """The same with strands that run along the outline."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5)
    wave = np.where(s.hair > 0, 1 + 0.5 * np.sin(0.9 * away), 1).astype(np.float32)
    albedo = np.where(s.hair[..., None] > 0, np.float32((0.2, 0.1, 0.05)) * wave[..., None], s.albedo)
    return replace(s, albedo=freeze(np.asarray(albedo, np.float32)))


def added(s: Subject, hand: float = 1.0) -> tuple[Subject, F32]:
    got = strewn(s, np.ones_like(s.matte), (SIDE / 2 - 0.5, SIDE / 2 - 0.5), hand)
    return got, np.asarray(got.matte - s.matte, np.float32)


def test_they_stand_outside_the_outline_and_change_nothing_within() -> None:
    s = head(0.7, 0.3)
    got, more = added(s)
    assert more.min() >= 0
    assert more.sum() > 50
    inside = s.matte >= 0.5
    for name in ("matte", "albedo", "depth", "normal", "hair"):
        assert np.array_equal(getattr(got, name)[inside], getattr(s, name)[inside])
    # Only beside the hair: none stands beside the skin of the lower half.
    assert more[int(0.62 * SIDE) :].max() < 0.02


def test_tips_stand_all_along_a_mass_of_hair() -> None:
    """No arc of 6 degrees of the hair's outline is cut clean; strays alone leave three of twenty-two so."""
    s = head(0.7, 0.35)
    more = added(s)[1]
    y, x = np.mgrid[:SIDE, :SIDE]
    around = np.degrees(np.arctan2(SIDE / 2 - y, x - SIDE / 2))
    ring = (np.hypot(x - SIDE / 2, y - SIDE / 2) / HW > 0.705) & (more > 0.05)
    arcs = [(ring & (around >= a) & (around < a + 6)).sum() for a in range(24, 156, 6)]
    assert min(arcs) >= 1, arcs


def test_full_hair_strays_far_cropped_hair_hardly_and_a_bald_head_not() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    reach = []
    for deep in (0.35, 0.05):
        s = head(0.7, deep)
        more = added(s)[1]
        out = np.hypot(x - SIDE / 2, y - SIDE / 2) / HW - 0.7
        reach.append(float(out[more > 0.05].max(initial=0.0)))
    assert reach[0] > 2 * reach[1]
    assert reach[0] < 0.36
    bald = head(0.7, 0.0)
    assert strewn(bald, np.ones_like(bald.matte), (SIDE / 2, SIDE / 2), 1.0) is bald


@pytest.mark.parametrize("tone", [(0.2, 0.1, 0.05), (0.02, 0.018, 0.017), (0.7, 0.55, 0.35)])
def test_a_hair_has_the_hue_of_the_mass_it_grows_from(tone: tuple[float, float, float]) -> None:
    s = head(0.7, 0.3, tone)
    got, more = added(s)
    mean = got.albedo[more > 0.05].mean(0)
    own = s.albedo[(s.hair > 0.99)].mean(0)
    for one, two in zip(mean[1:] / mean[0], own[1:] / own[0], strict=True):
        assert math.isclose(one, two, rel_tol=0.1)
    assert got.albedo.max() <= max(0.9001, float(s.albedo.max()))


def test_a_mirrored_person_has_them_mirrored() -> None:
    s = head(0.7, 0.3)
    more = added(s)[1]
    flipped = replace(s, **{
        name: freeze(np.ascontiguousarray(getattr(s, name)[:, ::-1])) for name in ("matte", "albedo", "skin", "hair")
    })  # fmt: skip
    other = added(flipped, -1.0)[1][:, ::-1]
    assert other.sum() == pytest.approx(more.sum(), rel=0.02)
    assert np.abs(other - more).sum() < 0.1 * more.sum()


def test_none_grow_beyond_what_the_photo_shows() -> None:
    s = head(0.7, 0.3)
    got = strewn(s, np.zeros_like(s.matte), (SIDE / 2, SIDE / 2), 1.0)
    assert np.array_equal(got.matte, s.matte)


def test_hair_that_lies_along_the_outline_strays_along_it() -> None:
    """Blades across the outline are grass: what is added changes more from the head outward than along its outline."""
    more = added(combed(head(0.7, 0.35)))[1]
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    x, y = x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5
    away = np.hypot(x, y)
    down, right = np.gradient(more)
    ring = (away > 0.715 * HW) & (away < 0.76 * HW) & (y < -0.2 * HW)
    outward, along = ((right * a + down * b) / away for a, b in ((x, y), (-y, x)))
    assert np.square(outward[ring]).sum() > 2 * np.square(along[ring]).sum()


def test_a_pixel_that_the_mass_covers_stays_the_masss() -> None:
    """As much of it becomes a stray's as the stray covers: all of it, it was one bright dot of a line round the head."""
    s = head(0.7, 0.3)
    got, more = added(s)
    mixed = (s.matte > 0.2) & (s.matte < 0.5) & (s.hair > 0.1) & (more > 0.004)
    assert mixed.sum() > 20
    share = more[mixed] / got.matte[mixed]
    assert share.max() < 0.6
    assert got.strands is not None
    assert (got.strands[mixed] <= 1.31 * share + 1e-3).all()
