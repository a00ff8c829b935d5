"""Laws of loose hair: its shade has no line, its mass turns dark at its outline, and what it mirrors has its colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bust
from lowkey.darkroom import loose
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32

HW = 96.0


def haired(tone: tuple[float, float, float] = (0.2, 0.1, 0.05), strands: float = 0.0) -> Subject:
    """The bust with a head of hair, strands running down, `strands` deep (log)."""
    s = bust.subject(HW, skin=1.0)
    label = bust.rays(HW)[2]
    hair = ((label > 0) & (label < 3)).astype(np.float32)
    wave = np.exp(np.float32(strands) * np.sin(np.arange(hair.shape[1], dtype=np.float32) * 1.5))[None, :, None]
    albedo = np.where(hair[..., None] > 0, np.array(tone, np.float32) * wave, s.albedo).astype(np.float32)
    return replace(s, hair=hair, skin=np.asarray(s.skin * (1 - hair), np.float32), albedo=albedo)


def ruled(s: Subject) -> F32:
    """A lamp hidden from everything below the middle of the head, at half size: a ruled line of shade."""
    small = s.matte[::2, ::2]
    rows = np.arange(len(small), dtype=np.float32)[:, None]
    return np.asarray((rows < s.head_px[1] / 2) * np.ones_like(small), np.float32)


def test_a_line_of_shade_fades_in_hair_and_stays_on_skin() -> None:
    s = haired()
    hard = ruled(s)
    soft = loose.Loose(s, s.hair).shade(hard)
    column = soft[:, soft.shape[1] // 2]
    at = int(s.head_px[1] / 2)
    span = column[at - 20 : at + 20]
    width = float(((span > 0.1) & (span < 0.9)).sum()) / (HW / 2)
    assert 0.10 < width < 0.30
    assert (np.diff(span) <= 1e-4).all()
    bare = bust.subject(HW, skin=1.0)
    np.testing.assert_array_equal(loose.Loose(bare, bare.hair).shade(hard), hard)


def test_all_of_a_lamp_and_none_of_it_stay_so() -> None:
    s = haired(strands=0.5)
    shade = loose.Loose(s, s.hair)
    inside = s.hair[::2, ::2] > 0.5
    for level in (0.0, 1.0):
        assert np.abs(shade.shade(np.full_like(ruled(s), level))[inside] - level).max() < 0.01


def test_locks_that_stand_out_are_lit_further_than_the_gaps_beside_them() -> None:
    s = haired(strands=0.8)
    soft = loose.Loose(s, s.hair).shade(ruled(s))
    row, middle = int(s.head_px[1] / 2), soft.shape[1] // 2
    lock = np.sin(2 * np.arange(soft.shape[1]) * 1.5)[middle - 18 : middle + 18]
    edge = soft[row, middle - 18 : middle + 18]
    assert edge[lock > 0.7].mean() > edge[lock < -0.7].mean() + 0.05


def test_a_mass_of_hair_turns_dark_toward_its_outline_and_pale_hair_less() -> None:
    for tone, least in (((0.02, 0.018, 0.016), 1 - loose.TURNED), ((0.6, 0.55, 0.5), 0.55)):
        s = haired(tone)
        got = loose.turned(s)
        assert got[s.hair < 0.01].min() == 1
        row = got[:, int(s.head_px[0])][(s.hair[:, int(s.head_px[0])] > 0.99)][: int(0.4 * HW)]
        assert (np.diff(row) >= -1e-4).all()
        assert row[0] == pytest.approx(least, abs=0.12)
        assert row[-1] > 0.95


def test_what_is_turned_to_the_lamp_stands_out_of_that_dark() -> None:
    s = haired()
    lone = np.asarray((np.arange(s.matte.shape[1]) % 5 == 0)[None] * s.hair, np.float32)
    got, edge = loose.turned(replace(s, lone=lone)), loose.edge(replace(s, lone=lone))
    assert got[lone > 0.99].min() == 1
    assert edge[lone == 0].max() == 0
    assert edge[lone > 0.99].min() > 0
    assert loose.edge(s).max() == 0


@pytest.mark.parametrize("tone", [(0.2, 0.1, 0.05), (0.02, 0.02, 0.02)])
def test_hair_gleams_in_its_own_colour_and_skin_in_the_lamps(tone: tuple[float, float, float]) -> None:
    s = haired(tone)
    got = loose.gleam(s)
    assert np.abs(got[s.hair == 0] - 1).max() == 0
    hair = got[s.hair > 0.5].mean(0)
    want = np.array(tone) / np.mean(tone) if tone[0] == tone[2] else None
    if want is not None:
        assert np.abs(hair - 1).max() < 0.01
    else:
        assert hair[0] > 1.3 > 1 > hair[1] > hair[2] > 0.3


def test_black_hair_mirrors_the_room_lock_by_lock_and_pale_hair_does_not() -> None:
    black, pale = (haired(strands=0.6, tone=tone) for tone in ((0.008, 0.007, 0.006), (0.40, 0.34, 0.28)))
    deep = (black.hair > 0.99) & (black.matte > 0.99)
    got = loose.room_mirrored(black)
    assert got[deep].mean() == pytest.approx(loose.ROOM_SEEN, rel=0.35)
    assert got[deep].std() > 0.1 * got[deep].mean()
    assert got[black.hair < 0.01].max() == 0
    assert loose.room_mirrored(pale)[deep].max() < 0.01


def test_strands_before_the_lamp_take_its_colour_and_fade_with_the_way_to_it() -> None:
    passing = np.full((200, 160, 3), 0.1, np.float32)
    got = np.zeros_like(passing)
    loose.before_lamp(got, passing, (80, 100), (2.0, 1.0, 0.5), 0.5)
    assert got[100, 80, 0] == pytest.approx(2 * got[100, 80, 1], rel=1e-4)
    far = got[100, 80 + round(2 * loose.LAMP_FH * 200), 1] / got[100, 80, 1]
    assert far == pytest.approx(5**-1.5, rel=0.08)
    assert (np.diff(got[100, 80:, 1]) <= 0).all()
    bare = np.zeros_like(passing)
    loose.before_lamp(bare, 0 * passing, (80, 100), (2.0, 1.0, 0.5), 0.5)
    assert bare.max() == 0


def test_an_outline_passes_on_the_lamp_that_it_faces() -> None:
    s = haired()
    aside = loose.faced(s, (0.5, 0.0))
    row, middle = int(s.head_px[1]), int(s.head_px[0])
    inside = np.flatnonzero(s.matte[row] > 0.5)
    assert aside[row, inside[-1]] > 0.95
    assert aside[row, inside[0]] < 0.1
    assert aside[:, middle:].mean() > aside[:, :middle].mean() + 0.2
    behind = loose.faced(s, (0.0, 0.01))
    assert (behind == 1).all()
    mirrored = loose.faced(s, (-0.5, 0.0))
    assert np.abs(mirrored[:, ::-1] - aside).max() < 0.05
