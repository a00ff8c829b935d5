"""The fringe of hair: strands and gaps at hair's outline only, mirrored with the person; gaps show the room, strands pass light on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowkey.darkroom import fringe
from lowkey.darkroom.subject import Subject
from lowkey.pixels import freeze
from test_strays import HW, SIDE, head


def parted(s: Subject, hand: float = 1.0) -> Subject:
    return fringe.parted(s, (SIDE / 2 - 0.5, SIDE / 2 - 0.5), hand)


def test_it_lies_at_the_outline_of_hair_and_nowhere_else() -> None:
    s = head(0.7, 0.3)
    strands = parted(s).strands
    assert strands is not None
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = np.hypot(x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5) / np.float32(HW)
    assert np.abs(strands[(away < 0.5) | (y > 0.55 * SIDE)]).max() < 1e-3
    at = (np.abs(away - 0.69) < 0.01) & (y < 0.4 * SIDE)
    assert strands[at].std() > 0.4
    bald = replace(s, hair=freeze(np.zeros_like(s.hair)))
    assert parted(bald) is bald


def test_a_mirrored_person_has_it_mirrored() -> None:
    s = head(0.7, 0.3)
    maps = ("matte", "hair", "albedo", "skin")
    other = replace(s, **{name: freeze(np.ascontiguousarray(getattr(s, name)[:, ::-1])) for name in maps})
    here, there = parted(s).strands, parted(other, -1.0).strands
    assert here is not None
    assert there is not None
    assert np.median(np.abs(here - there[:, ::-1])[np.abs(here) > 0.2]) < 0.1
