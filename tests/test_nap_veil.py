"""What a bright room did to a crop: its veil comes off, a strip that it swallowed comes back, and a crop in a plain room stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import nap
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, person

HAIR = (0.030, 0.026, 0.022)


def before(room: float, monkeypatch: pytest.MonkeyPatch) -> tuple[Plate, F32]:
    """A dark crop whose outer .03 hw is paler and redder, before a room `room` times as bright as skin; how deep (hw) on the crown."""
    plate = person(turn=0.0)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    deep = np.where(v < -1.2, 0.58 - np.hypot(u, (v + 0.85) * 0.58 / 0.85), -1).astype(np.float32)
    hair = plate.parts["hair"][..., None]
    grain = np.exp(0.15 * np.random.default_rng(1).standard_normal(hair.shape)).astype(np.float32)
    own = np.array(HAIR, np.float32) * grain
    own *= np.where((deep > 0) & (deep < 0.03), 1, 0)[..., None] * np.array((1.6, 0.8, 0.6), np.float32) + 1
    albedo = freeze(np.asarray(plate.albedo * (1 - hair) + hair * own, np.float32))
    lit = float(np.median(luminance(plate.colour[plate.parts["skin"] > 0.9])))
    seen = np.asarray(luminance(plate.colour) * plate.matte + (1 - plate.matte) * np.float32(room * lit), np.float32)
    monkeypatch.setattr(Plate, "photographed", lambda *_: seen)
    return replace(plate, albedo=albedo), deep


def test_a_bright_rooms_veil_comes_off_and_the_grain_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    plate, deep = before(4.0, monkeypatch)
    out = np.array(plate.albedo)
    nap.unveiled(out, plate, 1.0)
    band = (deep > 0.008) & (deep < 0.022)
    was, now = (np.median(a[band], 0) / np.array(HAIR) for a in (plate.albedo, out))
    assert was[0] > 2.3
    assert now[0] < 1.6
    assert was[0] / was[2] > 1.4
    assert now[0] / now[2] < 1.2
    fine = [np.log(luminance(a))[band] for a in (plate.albedo, out)]
    assert fine[1].std() > 0.8 * fine[0].std()
    np.testing.assert_array_equal(out[plate.parts["skin"] > 0.98], plate.albedo[plate.parts["skin"] > 0.98])


def test_before_a_plain_room_and_in_long_hair_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    for room, crop in ((0.5, 1.0), (4.0, 0.0)):
        plate, _ = before(room, monkeypatch)
        out = np.array(plate.albedo)
        nap.unveiled(out, plate, crop)
        np.testing.assert_array_equal(out, plate.albedo)


def test_an_outline_is_bridged_between_two_stretches_of_hair_and_not_across_a_forehead() -> None:
    k = 100.0
    y, x = np.mgrid[:200, :200].astype(np.float32)
    solid = np.hypot(x - 100, y - 100) < 80
    turn = np.degrees(np.arctan2(y - 100, x - 100))
    for gap, closed in ((10.0, True), (40.0, False)):
        hair = solid & (np.abs(turn) > gap / 2) & (np.abs(turn) < 60) & (np.hypot(x - 100, y - 100) > 74)
        got = nap._bridged(hair, solid, k)
        assert bool(got[100, 179]) is closed
        assert not got[100, :100].any()
