"""Wraps, hands and roll-necks as they are worn: form from a wrap's own folds, one skin on a hand, a collar as wide as wool round a neck."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from lowkey.darkroom import draped, garments, hanging, jersey, neck
from lowkey.darkroom.dress import dress
from lowkey.darkroom.figure import Figure
from lowkey.pixels import luminance
from test_dress import CHIN_Y, EYE_X, HW, TURTLENECK, hw, person


def test_a_dark_fold_of_a_wrap_is_a_valley() -> None:
    plate = person(wrap=True, turn=0.0)
    u, v = hw(plate)
    kept = neck.keep(plate)
    # A fold that falls beside the face, a third darker than the cloth round it.
    fold = 0.35 * np.exp(-np.square((u - 0.60) / 0.03))
    colour = plate.colour * (1 - fold * (kept.wrap > 0.5))[..., None]
    seen = replace(plate, colour=np.asarray(colour, np.float32))
    flat, folded = Figure(plate), Figure(seen)
    draped.relit(flat, kept, plate)
    draped.relit(folded, kept, seen)
    beside = (kept.wrap > 0.95) & (np.abs(v + 0.5) < 0.15)
    left, right, middle = (beside & (np.abs(u - at) < 0.008) for at in (0.575, 0.625, 0.60))
    turned = folded.normal[..., 0] - flat.normal[..., 0]
    # Its near flank faces into it, and so does its far one; it lies deeper, and sees less of the room.
    assert turned[left].mean() > 0.1
    assert turned[right].mean() < -0.1
    assert (folded.depth - flat.depth)[middle].mean() < -0.005
    assert (luminance(folded.albedo) / luminance(flat.albedo))[middle].mean() < 0.95
    # No face, hand or shirt is touched.
    assert np.array_equal(folded.normal[kept.wrap < 0.01], flat.normal[kept.wrap < 0.01])


def test_a_wrap_has_its_folds_up_to_the_hand_that_holds_it() -> None:
    """Its last pixels before a hand, without fold and shade, were a thread of light round the fist."""
    plate = person(wrap=True, turn=0.0)
    kept = neck.keep(plate)
    u, v = hw(plate)
    away = np.hypot(u - 0.62, v + 0.5) - 0.06
    hands = np.clip(0.5 - away * HW / 3, 0, 1).astype(np.float32)
    held = replace(kept, hands=hands, wrap=np.asarray(kept.wrap * (1 - hands), np.float32))
    fold = 0.5 * np.clip((u - 0.40) / 0.2, 0, 1)
    seen = replace(plate, colour=np.asarray(plate.colour * (1 - fold * (kept.wrap > 0.5))[..., None], np.float32))
    figure, before = Figure(seen), Figure(seen)
    draped.relit(figure, held, seen)
    wrapped = (kept.wrap > 0.95) & (np.abs(v + 0.5) < 0.04) & (u < 0.62)
    last, further = wrapped & (away > 0.2 / HW) & (away < 2 / HW), wrapped & (away > 0.025) & (away < 0.05)
    assert min(last.sum(), further.sum()) > 10
    darker = luminance(figure.albedo) / luminance(before.albedo)
    turned = figure.normal[..., 0] - before.normal[..., 0]
    share = held.wrap[last].mean()
    assert turned[last].mean() > 0.6 * share * turned[further].mean() > 0.01
    assert 1 - darker[last].mean() > 0.85 * share * (1 - darker[further].mean())


def test_a_wrap_ends_in_a_dark_hem() -> None:
    plate = person(wrap=True, turn=0.0)
    kept, (u, _) = neck.keep(plate), hw(plate)
    figure = Figure(plate)
    draped.relit(figure, kept, plate)
    ratio = luminance(figure.albedo) / np.maximum(luminance(plate.albedo), 1e-3)
    column = round(EYE_X)
    rows = np.flatnonzero((kept.wrap[:, column] > 0.9) & (np.arange(len(u)) > CHIN_Y + 0.3 * HW))
    assert ratio[rows[-1], column] < 0.7 * ratio[rows[-1] - round(1.6 * draped.HEM_HW * HW), column]


def test_a_hand_leaves_the_shirt_behind_it() -> None:
    plate = person(hand=True)
    u, v = hw(plate)
    hands = plate.parts["hands"].copy()
    colour = plate.colour.copy()
    shirt = (hands > 0.5) & (u > 0.87)
    ring = np.hypot(u - 0.72, v - 0.72) < 0.012
    colour[shirt] = (0.30, 0.32, 0.60)
    colour[ring] = (0.80, 0.80, 0.80)
    left = hanging.own_skin(hands, replace(plate, colour=np.asarray(colour, np.float32)))
    inner = shirt & (u > 0.89) & (hands > 0.99)
    assert left[inner].mean() < 0.1
    assert left[ring].min() > 0.99
    assert left[(hands > 0.99) & (u < 0.84)].min() > 0.99
    # All of one colour, nothing is taken.
    np.testing.assert_array_equal(hanging.own_skin(hands, plate), hands)


def test_a_hand_and_its_wrist_have_one_skin() -> None:
    """Two readers' forms under one photo left a step in the albedo where they met."""
    plate = person(hand=True)
    _, v = hw(plate)
    figure = Figure(plate)
    step = np.where(v < 0.75, 1.3, 1.0).astype(np.float32)[..., None]
    figure.albedo *= 1 + plate.parts["hands"][..., None] * (step - 1)
    before = luminance(figure.albedo).copy()
    draped.one_skin(figure, plate.parts["hands"], plate, np.zeros_like(plate.matte))
    at = round(EYE_X + 0.75 * HW)
    rows = [round(CHIN_Y + (0.75 + d) * HW) for d in (-0.02, 0.02)]

    def jump(tone: np.ndarray) -> float:
        near = [float(tone[r - 2 : r + 3, at - 4 : at + 5].mean()) for r in rows]
        return near[0] / near[1]

    assert jump(before) > 1.25
    assert 0.9 < jump(luminance(figure.albedo)) < 1.1


def test_a_hand_that_the_photo_cuts_is_lost_in_the_dark() -> None:
    below = round(CHIN_Y + 0.80 * HW)
    plate = person(hand=True, below=below)
    worn = dress(plate, TURTLENECK)
    u, v = hw(plate)
    middle = (np.abs(u - 0.75) < 0.05) & (worn.skin > 0.9)
    tone = luminance(worn.albedo)
    high, low = middle & (np.abs(v - 0.56) < 0.02), middle & (np.abs(v - 0.93) < 0.02)
    assert min(high.sum(), low.sum()) > 10
    assert tone[low].mean() < 0.35 * tone[high].mean()
    assert worn.specular[low].mean() < 0.5 * worn.specular[high].mean()


def test_a_roll_neck_is_as_wide_as_wool_round_a_neck() -> None:
    """Heads are one hw from ear to ear; what closes round a neck is .36 to .46 hw and its own thickness wide, and no bandage."""
    plate = person(turn=0.0)
    bust = neck.measure(plate, np.zeros_like(plate.matte))
    for name in range(40):
        whose = hashlib.sha256(bytes([name])).hexdigest()
        ring = jersey.ring_of(replace(bust, whose=whose), jersey.cut_of(whose))
        assert 0.70 < 2 * ring.wide < 1.0
        # At its sides it closes round the neck there within some nine pixels of a print a thousand wide, and within .055 hw under its lip.
        side = float(ring.rim(np.ones(1, np.float32))[0])
        off = ring.wide - float(garments.girth(bust, np.full(1, side, np.float32))[0])
        assert 0.005 < off < 0.034
        assert off + jersey.ROLLED_HW < 0.055
        # Pulled up behind, it stays under the jaw's corners (.35 hw over the chin): a strip of neck is seen, or a head sits in a cup.
        front, side = (float(ring.rim(np.full(1, at, np.float32))[0]) for at in (0, 1))
        assert 0.08 < front < 0.2
        assert -0.15 < side < front - 0.1
        # It ends level there: climbing on, it would stand out beside the jaw as a horn.
        last = ring.rim(np.array([0.9, 0.97, 1.0], np.float32))
        assert last[0] - last[2] < 0.1 * (front - side)
    rests = jersey._resting(ring, garments.Outline(*_body(bust, 0.60)))
    assert rests[0] > 0.05
    assert rests[1] > 0.05
    assert jersey._resting(ring, garments.Outline(*_body(bust, 0.0))) == (0.0, 0.0)


def _body(bust: neck.Bust, top: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A body that begins `top` hw below the chin, on a quarter grid of 20 pixels a head-width."""
    y, x = np.mgrid[-20:60, -40:41].astype(np.float32) / np.float32(20)
    return x, y, np.asarray(y - np.float32(top), np.float32)


def test_a_ragged_wrist_is_drawn_smooth() -> None:
    rng = np.random.default_rng(5)
    x = np.arange(200, dtype=np.float32)[None]
    ragged = (x > 80 + 2.5 * rng.standard_normal(200)[:, None]).astype(np.float32)
    smooth = hanging.drawn(ragged, 320.0)
    edge = [(a > 0.5).argmax(1)[20:-20].astype(float) for a in (ragged, smooth)]
    assert edge[1].std() < 0.6 * edge[0].std()
    assert abs(edge[1].mean() - 80) < 2
    assert (float(smooth.min()), float(smooth.max())) == (0.0, 1.0)


def test_a_narrow_strip_of_a_wrap_has_no_folds_and_a_broad_one_has_up_to_its_border() -> None:
    strip, broad = np.zeros((240, 240), np.float32), np.zeros((240, 240), np.float32)
    strip[:, 100:108], broad[:, 60:180] = 1, 1  # .025 and .375 hw wide
    assert draped._broad(strip, 320.0).max() < 0.05
    assert draped._broad(broad, 320.0)[broad > 0].min() > 0.95


def test_no_throat_is_put_into_the_gap_between_a_jaw_and_a_wrap_that_touches_it() -> None:
    y = np.mgrid[:300, :300][0].astype(np.float32)
    face, near, far = (np.asarray(m, np.float32) for m in (y < 150, y >= 157, y >= 180))
    every = np.ones_like(face)
    assert neck._up_to(face, near, every, 100, 320.0)[150:157].min() > 0.95
    loose = neck._up_to(face, far, every, 100, 320.0)
    np.testing.assert_array_equal(loose, face)
    np.testing.assert_array_equal(neck._up_to(face, np.zeros_like(face), every, 100, 320.0), face)
