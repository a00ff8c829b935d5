"""Laws of the seams between head, wrap, glasses and garment: nothing peeps out, nothing hangs in the air, forms go on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import dress as dressing
from lowkey.darkroom import hanging, neck, seams
from lowkey.darkroom.neck import Layer
from lowkey.pixels import F32, freeze
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, TURTLENECK, person


def test_a_sliver_of_cloth_beside_hair_goes_and_a_shoulder_stays() -> None:
    y, x = np.mgrid[:300, :300].astype(np.float32)
    away = np.hypot(x - 150, y - 120)
    head = np.clip(100 - away, 0, 1).astype(np.float32)
    cover = np.maximum(np.clip(102 - away, 0, 1), np.clip(y - 200, 0, 1)).astype(np.float32)
    flat = np.zeros_like(cover)
    got = seams.without_slivers(Layer(cover, flat, np.dstack([flat, flat, flat + 1]), flat, 0.9, 0, 0), head, (0, 0), 0, HW).cover
    assert cover[(away > 100) & (away < 102) & (y < 150)].max() == 1
    assert got[(away > 101) & (y < 150)].max() < 0.1
    assert got[230:].min() == 1


def test_a_wrap_has_no_step_where_the_throat_begins() -> None:
    plate = person(wrap=True)
    wrap = neck.keep(plate).wrap
    s = dressing.dress(plate, TURTLENECK)
    inner = cv2.erode((wrap > 0.9).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    inner &= neck.keep(plate).below > 0.02
    assert inner.sum() > 500
    across, own = (np.abs(np.diff(d, axis=1))[inner[:, 1:]] for d in (s.depth, plate.depth))
    assert (across - own).max() < 0.02  # it was .16 of a head-width on one pixel


def eared(blob: bool) -> tuple[Plate, F32]:
    """A person with an ear beside the jaw and, a gap below it, a piece of the room taken for skin; where that piece is."""
    plate = person(turn=0.0)
    y, x = np.mgrid[0 : plate.matte.shape[0], 0 : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    ear = ((u - 0.60) / 0.09) ** 2 + ((v + 0.75) / 0.22) ** 2 < 1
    room = ((u - 0.62) / 0.14) ** 2 + ((v + 0.22) / 0.13) ** 2 < 1
    more = np.asarray(ear | room if blob else ear, np.float32)
    matte = np.maximum(plate.matte, more)
    parts = dict(plate.parts)
    parts["skin"] = freeze(np.asarray(np.maximum(parts["skin"], more * (1 - parts["hair"])), np.float32))
    return replace(plate, matte=freeze(np.asarray(matte, np.float32)), parts=parts), np.asarray(room & (plate.matte < 0.01), np.float32)


def test_an_ear_stays_and_the_room_below_it_goes() -> None:
    plate, room = eared(True)
    kept = neck.keep(plate).head
    rows = int(CHIN_Y - 0.75 * HW)
    assert kept[rows, int(EYE_X + 0.64 * HW)] > 0.95
    core = cv2.erode(room, np.ones((5, 5), np.uint8)) > 0
    assert core.sum() > 200
    assert kept[core].mean() < 0.05


def test_the_frame_of_glasses_stands_before_the_face() -> None:
    plate = person()
    frame = np.zeros_like(plate.matte)
    cv2.circle(frame, (int(EYE_X + 0.2 * HW), int(CHIN_Y - 0.9 * HW)), int(0.16 * HW), 1.0, max(int(0.03 * HW), 2))
    parts = dict(plate.parts)
    parts["glasses"], parts["skin"] = freeze(frame * plate.matte), freeze(parts["skin"] * (1 - frame))
    with_, without = dressing.dress(replace(plate, parts=parts), TURTLENECK), dressing.dress(plate, TURTLENECK)
    rise = with_.depth - without.depth
    assert 0.5 * dressing.FRAME_HW < np.median(rise[frame > 0]) <= dressing.FRAME_HW
    # An ear is one plane, and has another where glasses hide a part of it.
    assert without.ears is not None
    face = (without.skin > 0.5) & (cv2.dilate(frame, np.ones((25, 25), np.uint8)) == 0) & (without.ears == 0) & (without.matte > 0.95)
    assert np.abs(rise[face]).max() == pytest.approx(0, abs=1e-4)


def test_between_lobe_and_jaw_lies_no_notch_and_under_it_no_tooth() -> None:
    y, x = np.mgrid[:300, :300].astype(np.float32)
    jaw = np.clip(200 - x - 0.4 * (y - 100), 0, 1)
    notch, tooth = (np.abs(x - 170) < 5) & (np.abs(y - 172) < 4), (np.abs(x - 146) < 5) & (np.abs(y - 240) < 4)
    rough = np.where(notch, 0, np.where(tooth, 1, jaw)).astype(np.float32)
    got = hanging.evened(rough, 100, 290, 2 * HW)
    assert np.abs(rough - jaw).max() == 1
    wrong, left = (np.abs((one - jaw).sum(1))[135:255].max() for one in (rough, got))
    assert wrong > 5
    assert left < 3
    np.testing.assert_array_equal(got[:100], rough[:100])


@pytest.mark.parametrize(("nose", "far"), [(225, True), (300, False)])
def test_a_full_far_cheek_draws_in_to_the_jaw_by_degrees(nose: int, far: bool) -> None:
    k, size = 200.0, 400
    mesh = np.zeros((478, 3), np.float32)
    mesh[[234, 454], 0], mesh[[4, 2], 0] = (180, 380), nose
    mesh[2, 1], mesh[172, 1], mesh[397, 1] = 200, 260, 260
    skin = np.ones((size, size), np.float32)
    plate = SimpleNamespace(landmarks=mesh, matte=skin, hw_px=k, parts={"skin": skin})
    out = np.broadcast_to(np.maximum(180 - np.arange(size), 0) / np.float32(k), (size, size)).astype(np.float32)
    got = hanging.far_cheek(plate, out)  # type: ignore[arg-type]
    wide = (got[:, :180] > 0.5).sum(1)
    if not far:
        assert wide.max() == 0
        return
    assert wide[175] > 20
    assert np.abs(np.diff(wide[172:280])).max() <= 2
    assert wide[281:].max() == 0


def test_a_jaw_turns_under_and_reddens_toward_its_line() -> None:
    h, w = 120, 200
    y = np.mgrid[:h, :w][0].astype(np.float32)
    below = (y - 60) / np.float32(HW)
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    normal, albedo = np.dstack([nil, nil, one]), np.full((h, w, 3), 0.4, np.float32)
    own = SimpleNamespace(normal=normal, albedo=albedo)
    kept = neck.Kept(one, nil, nil, nil, below)
    seams.turn_under(own, kept, one, HW)  # type: ignore[arg-type]
    assert np.array_equal(albedo, np.full_like(albedo, 0.4))  # a lobe hangs free of the jaw
    seams.turn_under(own, kept, nil, HW)  # type: ignore[arg-type]
    line, deep = albedo[20:60, 100], np.flatnonzero(below[:, 100] < -seams.TURNS_HW)[-1]
    assert np.array_equal(albedo[:deep], np.full_like(albedo[:deep], 0.4))  # the face above keeps its own
    assert (np.diff(line, axis=0) <= 0).all()
    assert line[-1, 0] < 0.8 * 0.4
    assert 1.05 < line[-1, 0] / line[-1, 2] < 1.15  # no orange hem along a lit jaw
    assert normal[59, 100, 1] < -0.5  # it looks down there, and was flat


def test_a_pit_beside_the_jaw_s_corner_is_filled_and_a_step_stays() -> None:
    h, w, k = 300, 120, 200.0
    y, x = np.mgrid[:h, :w].astype(np.float32)
    matte = (x > 30).astype(np.float32)
    cheek_then_throat = np.where(y < 150, 0.2, 0.0).astype(np.float32)
    pit = (np.abs(y - 150) < 10) & (x < 42)
    depth = np.where(pit, -0.2, cheek_then_throat).astype(np.float32)
    figure = SimpleNamespace(depth=np.array(depth), matte=matte, normal=np.dstack([0 * x, 0 * x, 1 + 0 * x]))
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    seams.fill_pits(figure, neck.Kept(one, nil, nil, nil, (y - 150) / np.float32(k)), nil, 0, k)  # type: ignore[arg-type]
    inside = matte > 0.5
    assert depth[inside].min() == pytest.approx(-0.2)
    assert figure.depth[inside].min() > -0.02
    assert np.abs(figure.depth - cheek_then_throat)[:, 70:].max() == 0


def test_a_jaw_s_line_carries_on_the_cheek_s_slope() -> None:
    h, w, k = 200, 160, 200.0
    _, x = np.mgrid[:h, :w].astype(np.float32)
    below = (x - 120) / np.float32(k)
    slope = np.float32(-1.2)
    depth = np.where(below < 0, slope * below, -0.6).astype(np.float32)  # falls away to the line, and then to the body
    normal = np.dstack([0 * x + 0.77, 0 * x, 0 * x + 0.64]).astype(np.float32)
    own = SimpleNamespace(depth=np.array(depth), normal=normal, matte=np.ones((h, w), np.float32))
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    seams.heal_jaw(own, neck.Kept(one, nil, nil, nil, below), nil, k)  # type: ignore[arg-type]
    last = own.depth[100, 112:123]
    assert np.diff(last).max() < 0.5 * slope / k  # carried level it was a shelf: 0
    assert last[-1] > depth[100, 122] + 0.5  # and not the fall to the body


def test_a_cheek_goes_on_beyond_the_mesh_to_the_wrap_beside_it() -> None:
    """What falls back to a throat there is a pit in a lit cheek, and what turns under there a rust-coloured one."""
    h, w, k = 200, 200, 200.0
    _, x = np.mgrid[:h, :w].astype(np.float32)
    face, wrap = (x >= 80).astype(np.float32), (x < 66).astype(np.float32)
    skin = 1 - wrap
    slope = np.float32(0.8) * (x - 80) / np.float32(k)
    depth = np.where(x >= 80, slope, -0.4).astype(np.float32)
    side = np.float32(1 / np.hypot(0.8, 1))
    cheek, throat_ = (np.array(v, np.float32) for v in ((-0.8 * side, 0, side), (0, -1, 0)))
    normal = np.where((x >= 80)[..., None], cheek, throat_)
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    below = (80 - x) / np.float32(k)
    kept = neck.Kept(one, wrap, nil, nil, below)
    own = SimpleNamespace(depth=depth.copy(), normal=normal.copy(), matte=one, skin=skin, albedo=np.full((h, w, 3), 0.4, np.float32))
    fuller = seams.beside_wrap(own, kept, face, k)  # type: ignore[arg-type]
    assert fuller[100, 72] > 0.9
    assert fuller[:, 82:].max() == fuller[:, :64].max() == 0
    seams.turn_under(own, kept, seams.round_about(fuller, k), k)  # type: ignore[arg-type]
    assert own.albedo[100, 68:120].min() > 0.85 * 0.4  # turned under it is .26
    whole = seams.meet_wrap(own, face, fuller, k)  # type: ignore[arg-type]
    there = np.s_[60:140, 70:80]
    assert np.abs(own.depth - slope)[there].max() < 0.03
    assert (own.normal @ cheek)[there].min() > 0.97
    assert whole[there].min() > 0.9  # and no pit is looked for
    np.testing.assert_array_equal(own.depth[:, :64], depth[:, :64])
    # Without a wrap nothing is fuller than its mesh.
    bare = neck.Kept(one, nil, nil, nil, below)
    assert seams.beside_wrap(own, bare, face, k).max() == 0  # type: ignore[arg-type]
