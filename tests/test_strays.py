"""Stray hairs: hair comes apart at its outline and nowhere else, as far as the hair allows, and mirrored with the person."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import hairs, strays
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


def test_hair_comes_apart_at_its_outline_and_nothing_changes_further_in() -> None:
    s = head(0.7, 0.3)
    got, more = added(s)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    within = 0.7 - np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5) / np.float32(HW)
    deep = within > strays.RECEDES_HW[1] + 0.02
    for name in ("matte", "albedo", "depth", "normal", "hair"):
        assert np.array_equal(getattr(got, name)[deep], getattr(s, name)[deep])
    # The mass is open before its outline, and hairs stand beyond it.
    crown = (y < 0.3 * SIDE) & (s.hair > 0.9)
    assert more[crown & (within < 0.012)].mean() < -0.15
    assert more[(y < 0.3 * SIDE) & (within < -0.004)].sum() > 18
    # Only hair: the skin of the lower half ends where it ended.
    assert np.abs(more[int(0.62 * SIDE) :]).max() < 0.02


def test_coverage_falls_by_degrees_over_the_zone_that_backlit_heads_have() -> None:
    """From nine tenths to a tenth over .025 to .08 head-widths; cut out of paper it was one pixel, .005."""
    got = added(head(0.7, 0.35))[0]
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5) / np.float32(HW)
    around = np.degrees(np.arctan2(SIDE / 2 - y, x - SIDE / 2))
    top = (around > 40) & (around < 140)
    rings = np.arange(0.62, 0.86, 0.005)
    cover = np.array([got.matte[top & (np.abs(away - r) < 0.0025)].mean() for r in rings])
    assert 0.025 < rings[cover < 0.1].min() - rings[cover > 0.9].max() < 0.08


def test_single_hairs_pass_the_lamp_on_and_a_mass_of_them_does_not() -> None:
    got = added(head(0.7, 0.3))[0]
    assert got.lone is not None
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    within = 0.7 - np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5) / np.float32(HW)
    assert got.lone.min() >= 0
    assert got.lone.max() <= 1
    assert got.lone[within > 0.12].max() == 0
    # Few are turned to the lamp: an even band of light would be piping.
    zone = (np.abs(within) < 0.02) & (y < 0.3 * SIDE) & (got.matte > 0.05)
    assert np.percentile(got.lone[zone], 95) > 2.5 * np.median(got.lone[zone])


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
    assert np.abs(other - more).sum() < 0.15 * np.abs(more).sum()


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


def test_a_wisp_that_lies_apart_or_hangs_by_a_thread_goes() -> None:
    s = head(0.7, 0.3)
    matte, hair = np.array(s.matte), np.array(s.hair)
    for piece in (np.s_[60:72, 230:240], np.s_[40:101, 236:239]):
        matte[piece] = hair[piece] = 1.0
    got = strewn(replace(s, matte=freeze(matte), hair=freeze(hair)), np.ones_like(matte), (SIDE / 2 - 0.5, SIDE / 2 - 0.5), 1.0)
    assert s.matte[40:80].max() == 0
    assert got.matte[40:80, 225:245].max() < 0.3


@pytest.mark.parametrize(("gap_hw", "of_hair", "stays"), [(0.06, True, False), (0.0, True, True), (0.06, False, True)])
def test_a_crumb_of_hair_that_hangs_on_nothing_goes(gap_hw: float, of_hair: bool, stays: bool) -> None:
    """One that lies by its mass is a strand whose middle is too thin to be seen; a finger's tip apart from it is no hair."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    mass = np.hypot(x - 240, y - 240) < 100
    crumb = np.hypot(x - (345 + gap_hw * HW), y - 240) < 5
    matte, hair = (np.asarray(m, np.float32) for m in (mass | crumb, mass | (crumb & of_hair)))
    lost = strays._crumbs(matte, hair, HW)
    assert lost[mass].max() < 0.05
    assert bool(lost[crumb].max() < 0.05) is stays
    assert stays or lost[crumb].min() > 0.9


@pytest.mark.parametrize(("wide_hw", "left"), [(0.012, 0.0), (0.05, 1.0)])
def test_what_is_as_thin_as_a_few_hairs_ends_in_nothing(wide_hw: float, left: float) -> None:
    """A wisp that stands .2 hw off the mass is whole where it leaves it, and gone at its end; a lock of that length stays."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    mass, off = np.hypot(x - SIDE / 2, y - SIDE / 2) < 0.4 * HW, y - (SIDE / 2 - 0.4 * HW)
    lock = (np.abs(x - SIDE / 2) <= 0.5 * wide_hw * HW) & (off < 4) & (off > -0.2 * HW)
    matte = (mass | lock).astype(np.float32)
    kept = strays._tapered(matte, matte, HW)
    assert kept[mass].min() > 0.99
    assert kept[lock & (off < 0) & (off > -0.01 * HW)].min() > 0.9
    assert kept[lock & (off < -0.12 * HW)].mean() == pytest.approx(left, abs=0.05)


def felted(s: Subject, locks: bool) -> Subject:
    """The same of coils no broader than a hair or two, in locks that hang side by side or in none."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    fine = np.random.default_rng(4).standard_normal((SIDE, SIDE)).astype(np.float32)
    broad = 0.5 * np.sin(0.35 * np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5)) if locks else 0
    tone = np.where(s.hair > 0, np.exp(0.3 * fine + broad), 1).astype(np.float32)
    albedo = np.where(s.hair[..., None] > 0, np.float32((0.06, 0.04, 0.03)) * tone[..., None], s.albedo)
    return replace(s, albedo=freeze(np.asarray(albedo, np.float32)))


def combing(s: Subject) -> float:
    """How many times as much what is added beyond a crown's outline changes from the head outward as along it."""
    more = added(s)[1]
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    x, y = x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5
    away = np.hypot(x, y)
    down, right = np.gradient(more)
    ring = (away > 0.71 * HW) & (away < 0.74 * HW) & (y < -0.2 * HW)
    assert more[ring].mean() > 0.005
    outward, along = ((right * a + down * b) / away for a, b in ((x, y), (-y, x)))
    return float(np.square(outward[ring]).sum() / np.square(along[ring]).sum())


@pytest.mark.parametrize("locks", [True, False])
def test_locks_and_coils_frizz_and_no_straight_hair_stands_off_them(locks: bool) -> None:
    strands, felt = combed(head(0.7, 0.35)), felted(head(0.7, 0.35), locks)
    assert strays._fibre(strands) > strays.FIBRES[1]
    assert strays._fibre(felt) < strays.FIBRES[0]
    ratios = combing(strands), combing(felt)
    assert ratios[0] > 2, ratios
    assert ratios[1] < 2, ratios


def test_an_outline_is_as_round_as_it_is_and_no_notch_bends_hair_outward() -> None:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2, y - SIDE / 2) / np.float32(HW)
    for radius in (0.4, 0.7):
        ring = np.abs(away - radius) < 0.01
        assert np.median(strays._curve(np.asarray(radius - away, np.float32), HW)[ring]) == pytest.approx(1 / radius, rel=0.15)
    assert strays._curve(np.asarray(away - 0.5, np.float32), HW)[np.abs(away - 0.5) < 0.01].max() == 0


def test_hair_lies_round_the_head_and_no_two_bright_ones_bend_alike() -> None:
    n = 4000
    dice = np.random.default_rng(1).random((n, hairs.DICE)).astype(np.float32)
    outward, straight = np.tile(np.float32((0, -1)), (n, 1)), np.zeros(n, np.float32)
    flat, round_ = (
        hairs.flown(np.tile(np.float32((1, 0, 1, curve)), (n, 1)), outward, straight, dice, np.zeros((n, 2), np.float32), 1.0)
        for curve in (0.0, 2.0)
    )
    # Toward the mass, by as much as the outline itself; one that flies by less.
    toward = np.abs(round_[:, 2]) - np.abs(flat[:, 2])
    assert np.median(toward) == pytest.approx(2.0, abs=0.05)
    assert toward.min() > 0
    bright = round_[:, 9] > 0.5
    assert 0.35 < (round_[bright, 3] > 0).mean() < 0.65
    assert np.std(round_[bright, 6]) > 0.2 * np.mean(round_[bright, 6])


def test_hairs_come_in_clusters_and_not_as_the_teeth_of_a_comb(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many leave arcs of .06 head-widths: a variance of their mean is chance, less is a comb."""
    starts: list[F32] = []
    monkeypatch.setattr(hairs, "draw", lambda at, *_: starts.append(at))
    added(combed(head(0.7, 0.35)))
    around = np.degrees(np.arctan2(SIDE / 2 - starts[0][:, 1], starts[0][:, 0] - SIDE / 2))
    many = np.histogram(around, np.arange(30, 151, 5))[0]
    assert many.mean() > 8
    assert many.var() > 2 * many.mean(), (many.var(), many.mean())


def test_no_hair_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read at half size threw one hair for two pixels of the outline: pairs side by side, which are blades."""
    drawn: list[F32] = []
    monkeypatch.setattr(hairs, "draw", lambda _, single, *__: drawn.append(single))
    added(combed(head(0.7, 0.35)))
    shapes = np.round(drawn[0][:, [4, 5, 6, 9]], 4)
    assert len(shapes) > 300
    assert len(np.unique(shapes, axis=0)) > 0.97 * len(shapes)


def test_the_tip_of_a_tooth_goes_with_its_root_and_a_wisp_that_hangs_on_nothing_open_stays() -> None:
    matte, open_ = np.zeros((2, 120, 120), np.float32)
    matte[60:], open_[55:62] = 1, 1
    matte[48:60, 40:43] = 1  # a tooth that stands on the outline
    matte[20:32, 80:83] = 1  # what the photo has apart from it
    left = matte * (1 - strays._cleared(open_, matte, HW))
    assert left[40:56, 36:46].max() < 0.05
    assert left[20:32, 80:83].min() > 0.95
    assert left[64:].min() == 1


def test_hair_opens_from_its_outline_inward_and_has_no_holes_within() -> None:
    within = np.tile((np.arange(80, dtype=np.float32)[:, None] - 20) / np.float32(HW), (1, 80))
    open_ = np.zeros((80, 80), np.float32)
    open_[:27] = 1
    open_[27:35, 20:24] = 0.9  # a gap that leads in
    open_[30:36, 50:58] = 0.9  # a pocket
    open_[27:30, 50:58] = 0.04
    led = strays._led(open_, within, 20)
    assert led[27:35, 20:24].min() > 0.85
    assert led[30:36, 50:58].max() < 0.01
    assert np.array_equal(led[:20], open_[:20])
