"""Lines and specks of an old light on skin, the lids' round under a new one, and the frames of glasses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import creases, eyes, figure, pores
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate import details, features
from lowkey.plate.plate import FoundLight, Plate
from lowkey.plate.undertone import ab, apart
from test_dress import CHIN_Y, EYE_X, FACE, HIGH, HW, WIDE, hw, person

FOLD_AT, BROW_AT = (0.17, -0.52), (0.0, -1.10)
SKIN = np.array(FACE, np.float32)


def marked(hard: bool = False) -> Plate:
    """A face with a line beside the nose, one on the forehead, a mole, a broad shade, and specks on a cheek."""
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    # Nothing else of the mesh lies where the marks are: nostrils and features far below, folds round the line.
    for i, (dx, dy) in zip(creases.FOLDS, ((0, -0.75), (-0.3, -0.6), (0.3, -0.6), (-0.3, -0.5), (0.3, -0.5), (-0.3, -0.45), (0.3, -0.45),
                                           (-0.2, -0.4), (0.2, -0.4), (0, -0.42), (-0.1, -0.4), (0.1, -0.4)), strict=True):  # fmt: skip
        mesh[i, :2] = (EYE_X + dx * HW, CHIN_Y + dy * HW)
    for ring in creases.NOSTRILS:
        for i in ring:
            if i not in creases.FOLDS:
                mesh[i, :2] = (EYE_X, CHIN_Y - 0.1 * HW)
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    albedo = np.broadcast_to(SKIN, (HIGH, WIDE, 3)).copy()
    across = (u - FOLD_AT[0]) * 0.8 + (v - FOLD_AT[1]) * 0.6
    along = (v - FOLD_AT[1]) * 0.8 - (u - FOLD_AT[0]) * 0.6
    fold = np.exp(-((across / 0.006) ** 2)) * (np.abs(along) < 0.10)
    brow = np.exp(-(((v - BROW_AT[1]) / 0.006) ** 2)) * (np.abs(u - BROW_AT[0]) < 0.15)
    mole = np.exp(-((u + 0.17) ** 2 + (v + 0.52) ** 2) / 0.010**2)
    albedo *= (1 - 0.5 * np.maximum.reduce([fold, brow, mole]))[..., None]
    specks = (np.hypot((u + 0.2) % 0.03 - 0.015, v % 0.03 - 0.015) < 0.003) & (np.abs(u + 0.18) < 0.10) & (np.abs(v + 0.75) < 0.08)
    albedo[specks] *= 1.4
    parts = dict(plate.parts)
    for name in ("eyes", "brows", "lips", "teeth", "glasses", "hair"):
        parts[name] = freeze(np.zeros((HIGH, WIDE), np.float32))
    parts["skin"] = freeze(np.ones((HIGH, WIDE), np.float32))
    light = FoundLight(-90, 20, 3.0, hard, 0.0, 0.8)
    return replace(plate, albedo=freeze(albedo.astype(np.float32)), parts=parts, landmarks=mesh, found_light=light)


def depth_at(albedo: F32, plate: Plate, place: tuple[float, float]) -> float:
    """How much darker than plain skin it is there, log luminance."""
    u, v = hw(plate)
    here = np.hypot(u - place[0], v - place[1]) < 0.003
    return float(np.log(luminance(SKIN) / luminance(albedo)[here].min()))


def smoothed(plate: Plate) -> F32:
    out = np.array(plate.albedo)
    creases.smooth(out, plate)
    return out


def test_a_line_beside_the_nose_is_weakened_one_of_the_brow_less_and_a_mole_stays() -> None:
    plate = marked()
    before, after = plate.albedo, smoothed(plate)
    fold, brow, mole = (depth_at(after, plate, at) / depth_at(before, plate, at) for at in (FOLD_AT, BROW_AT, (-0.17, -0.52)))
    assert 0.5 < fold < 1 - creases.LIFTED + 0.05
    assert depth_at(after, plate, FOLD_AT) < 1.3 * creases.DEEPEST[0]
    assert fold < brow < 0.95
    assert mole > 0.85


def test_a_smiles_black_fold_is_eased_whole_and_past_the_corner_of_the_mouth() -> None:
    """Its core goes with its shores, as near to the lips as it runs: what is left is one soft fold, and no line of ink beside a mouth."""
    plate = marked()
    u, v = hw(plate)
    albedo, parts = np.broadcast_to(SKIN, (HIGH, WIDE, 3)).copy(), dict(plate.parts)
    fold = np.exp(-(((u - 0.20) / 0.006) ** 2)) * (np.abs(v + 0.52) < 0.12)
    albedo *= (1 - 0.85 * fold)[..., None]
    parts["lips"] = freeze(((np.abs(v + 0.47) < 0.03) & (u < 0.165)).astype(np.float32))
    plate = replace(plate, albedo=freeze(albedo.astype(np.float32)), parts=parts)
    after = smoothed(plate)
    beside, above = (depth_at(after, plate, (0.20, at)) for at in (-0.47, -0.60))
    assert 0.25 < above < creases.DEEPEST[0]
    assert beside == pytest.approx(above, abs=0.1)


def test_lines_become_no_lighter_than_skin_and_skin_keeps_its_colour() -> None:
    plate = marked()
    after = smoothed(plate)
    u, v = hw(plate)
    face = (np.abs(u) < 0.35) & (v > -1.2) & (v < -0.3) & ~((np.abs(u + 0.18) < 0.14) & (np.abs(v + 0.75) < 0.12))
    assert luminance(after)[face].max() < 1.02 * luminance(SKIN)
    level = after[face] * (0.25 / luminance(after)[face])[:, None]
    own = SKIN * (0.25 / luminance(SKIN))
    assert apart(ab(np.asarray(level, np.float32)), ab(np.broadcast_to(own, level.shape).astype(np.float32))).max() < 0.5


def test_specks_of_hard_light_go_and_those_of_soft_light_are_skin() -> None:
    soft, hard = marked(), marked(hard=True)
    u, v = hw(soft)
    there = (np.abs(u + 0.18) < 0.08) & (np.abs(v + 0.75) < 0.06)
    own = luminance(soft.albedo)[there].max() / luminance(SKIN)
    assert luminance(smoothed(soft))[there].max() / luminance(SKIN) == pytest.approx(own, rel=0.02)
    # Of a face that is rougher all over than skin is, they go; of one that is as smooth they are what it has.
    rough = roughened(hard)
    assert pores.excess(hard) == pores.excess(replace(rough, found_light=soft.found_light)) == 0
    assert pores.excess(rough) > 0.9
    log = [np.log(luminance(one))[there] for one in (rough.albedo, smoothed(rough))]
    assert np.std(log[1]) < 0.6 * np.std(log[0])


def roughened(plate: Plate) -> Plate:
    """The same, rougher all over than skin is."""
    noise = np.random.default_rng(5).standard_normal(plate.matte.shape).astype(np.float32)
    band = blur(noise, pores.BAND_HW[0] * HW) - blur(noise, pores.BAND_HW[1] * HW)
    grain = np.exp(band * np.float32(2.5 * pores.USUAL / band.std()))[..., None]
    return replace(plate, albedo=freeze(np.asarray(plate.albedo * grain, np.float32)))


def test_what_hard_light_drew_goes_above_the_mesh_as_within_it() -> None:
    """A forehead is higher than the mesh, which ends in a level line: above it there was leather."""
    plate = roughened(marked(hard=True))
    top = creases.face_box(plate)[0].start
    margin = round(0.06 * HW)
    assert top > 3 * margin, "the head's skin goes on above the mesh"
    within = np.s_[:, round(EYE_X - 0.1 * HW) : round(EYE_X + 0.1 * HW)]
    ratio = np.log(luminance(smoothed(plate)))[within], np.log(luminance(plate.albedo))[within]
    outer, inner = slice(margin, top - margin), slice(top + margin, top + 3 * margin)
    above, below = (float(np.std(ratio[0][rows]) / np.std(ratio[1][rows])) for rows in (outer, inner))
    assert above == pytest.approx(below, abs=0.1)
    assert above < 0.75


def test_mottles_that_are_left_of_leather_are_evened_and_a_mole_stays() -> None:
    plate = marked(hard=True)
    noise = np.random.default_rng(7).standard_normal(plate.matte.shape).astype(np.float32)
    blots = blur(noise, creases.MOTTLES_HW[0] * HW) - blur(noise, creases.MOTTLES_HW[1] * HW)
    plate = replace(plate, albedo=freeze(np.asarray(plate.albedo * np.exp(0.05 * blots / blots.std())[..., None], np.float32)))
    plate = roughened(plate)
    u, v = hw(plate)
    plain = (np.abs(u) < 0.3) & (np.abs(v + 0.85) < 0.15) & ~((np.abs(u + 0.18) < 0.14) & (np.abs(v + 0.75) < 0.12))

    def spread(albedo: F32) -> float:
        log = np.log(luminance(albedo))
        return float(np.std((blur(log, creases.MOTTLES_HW[0] * HW) - blur(log, creases.MOTTLES_HW[1] * HW))[plain]))

    after = smoothed(plate)
    assert spread(after) < 0.55 * spread(plate.albedo)
    assert depth_at(after, plate, (-0.17, -0.52)) > 0.55 * depth_at(plate.albedo, plate, (-0.17, -0.52))


@pytest.mark.parametrize(("shade", "hard", "kept"), [
    ((0.38, 0.40, 0.44), False, (0.0, 0.40)), ((0.38, 0.40, 0.44), True, (0.0, 0.35)), ((0.5, 0.4, 0.35), False, (0.75, 0.95)),
])  # fmt: skip
def test_a_cast_shadow_round_the_nose_goes_a_folds_shade_and_a_shadow_elsewhere_stay(
    shade: tuple[float, float, float], hard: bool, kept: tuple[float, float]
) -> None:
    """Delighting knows one light: what a lamp's shadow left there is no skin. It is cooler; a fold lights itself, and is redder."""
    plate = marked(hard)
    u, v = hw(plate)
    shade = np.array(shade, np.float32)
    places = (-0.02, -0.52), (-0.02, -1.0)
    there = np.maximum.reduce([(np.abs(u - x) < 0.035) & (np.abs(v - y) < 0.06) for x, y in places])
    albedo = np.where(there[..., None], SKIN * shade, SKIN).astype(np.float32)
    after = smoothed(replace(plate, albedo=freeze(albedo)))
    before = float(np.log(luminance(SKIN) / luminance(SKIN * shade)))
    fold, brow = (depth_at(after, plate, at) / before for at in places)
    assert kept[0] < fold < kept[1]
    assert brow > 0.75


def test_the_same_face_is_smoothed_to_the_same_bytes() -> None:
    plate = marked(hard=True)
    assert np.array_equal(smoothed(plate), smoothed(plate))


def lidded(shine: float) -> tuple[Subject, F32]:
    """A ball of lids round an opening on a flat face, and how far to the right of the opening's middle each place lies, hw."""
    high, wide, k = 200, 240, 320.0
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    u, v = (x - wide / 2) / k, -(y - high / 2) / k
    ball = np.stack([u / 0.12, v / 0.12, np.zeros_like(u)], -1)
    inside = np.hypot(u, v) < 0.115
    ball[..., 2] = np.sqrt(np.maximum(1 - ball[..., 0] ** 2 - ball[..., 1] ** 2, 1e-3))
    normal = np.where(inside[..., None], ball, np.array([0, 0, 1], np.float32)).astype(np.float32)
    opening = ((u / 0.08) ** 2 + (v / 0.03) ** 2 < 1).astype(np.float32)
    flat, one = freeze(np.zeros((high, wide), np.float32)), freeze(np.ones((high, wide), np.float32))
    maps = dict.fromkeys(("hair", "cloth", "roughness", "specular", "sheen", "depth"), flat)
    albedo = freeze(np.full((high, wide, 3), 0.4, np.float32))
    return Subject(k, one, albedo, normal=freeze(normal), skin=one, eyes=freeze(opening), head_px=(0, 0), shine=shine, **maps), u


def test_lids_turn_less_from_a_lamp_at_the_side_in_a_picture_and_as_they_are_in_a_measurement() -> None:
    subject, u = lidded(1.5)
    lids = eyes.eyeballs(subject)
    assert np.allclose(np.linalg.norm(lids, axis=-1), 1, atol=1e-4)
    ring = (subject.eyes < 0.1) & (np.abs(u + 0.085) < 0.01) & (subject.normal[..., 0] < -0.5)
    assert lids[ring][:, 0].mean() > 0.75 * subject.normal[ring][:, 0].mean()
    far = np.abs(u) > 0.3
    assert np.allclose(lids[far], subject.normal[far], atol=1e-3)
    plain, _ = lidded(1.0)
    skin = plain.eyes < 0.01
    rows = np.flatnonzero((plain.eyes > 0.4).any(1))
    skin[rows[0] - 4 : rows[-1] + 5] = False
    assert np.array_equal(eyes.eyeballs(plain)[skin], plain.normal[skin])


def test_light_wanders_in_the_white_of_an_eye_and_neither_in_irises_nor_in_a_measurement() -> None:
    subject, u = lidded(1.5)
    v = -(np.mgrid[0 : u.shape[0], 0 : u.shape[1]][0] - u.shape[0] / 2) / subject.hw_px
    light = np.asarray(u > 0, np.float32) * np.float32(0.5)
    spread = light.copy()
    eyes.spread(spread, subject)
    white, iris = (subject.eyes > 0.9) & (np.abs(u + 0.060) < 0.004), np.hypot(u, v) < 0.8 * eyes.IRIS_HW
    assert 0.005 < spread[white].mean() < eyes.WANDERED * 0.25
    assert np.array_equal(spread[iris], light[iris])
    assert np.array_equal(spread[subject.eyes < 0.01], light[subject.eyes < 0.01])
    plain, bare = lidded(1.0)[0], light.copy()
    eyes.spread(bare, plain)
    assert np.array_equal(bare, light)


def test_an_eye_of_a_picture_turns_with_its_face_more_than_with_a_ball() -> None:
    """The nose's half of a white eye keeps most of what the face's own form has of a lamp at the side."""
    turned = []
    for shine in (1.5, 1.0):
        subject, u = lidded(shine)
        flat = np.zeros_like(subject.normal)
        flat[..., 2] = 1
        inner = (subject.eyes > 0.9) & (np.abs(u + 0.06) < 0.005)
        turned.append(float(eyes.eyeballs(replace(subject, normal=freeze(flat)))[inner][:, 0].mean()))
    assert 0.5 * turned[1] < turned[0] < 0


def test_frames_of_glasses_are_round_bars_and_the_face_beside_them_is_as_it_was() -> None:
    high, wide, k = 160, 240, 320.0
    y = np.mgrid[0:high, 0:wide][0].astype(np.float32)
    normal = np.zeros((high, wide, 3), np.float32)
    normal[..., 2] = 1
    # A nose's flank behind the bar's middle.
    normal[:, 100:140] = np.array([0.8, 0.0, 0.6])
    before = normal.copy()
    bar = freeze((np.abs(y - 80) < 6).astype(np.float32))
    figure._round_frames(normal, bar, k)
    assert np.allclose(np.linalg.norm(normal[75:85], axis=-1), 1, atol=1e-4)
    top, middle, foot = (float(normal[row, 40:60, 1].mean()) for row in (75, 80, 85))
    assert top > 0.4 > 0.1 > abs(middle)
    assert foot == pytest.approx(-top, abs=0.05)
    assert np.ptp(normal[80, 20:220, 0]) < 0.5
    assert np.array_equal(normal[:70], before[:70])
    few = before.copy()
    figure._round_frames(few, freeze(np.zeros((high, wide), np.float32)), k)
    assert np.array_equal(few, before)


@pytest.mark.parametrize(("frame", "runs_on"), [((-7.0, -7.0, 12.0), True), ((-7.0, 0.3, 0.5), False), ((-3.0, 5.0, -1.5), False)])
def test_a_coloured_frames_arm_runs_on_where_its_colour_does(frame: tuple[float, float, float], runs_on: bool) -> None:
    """Blue: by colour alone, but not into an iris as blue. Black is as grey as hair, red-brown is as red as skin: only where frames are."""
    cheeks, own = np.array([-2.0, 4.4, -0.9], np.float32), np.array(frame, np.float32)
    y, x = np.mgrid[0:80, 0:200]
    look = np.broadcast_to(cheeks, (80, 200, 3)).copy()
    look[:, 140:] = (-3.0, 0.0, 0.5)  # grey hair
    arm, iris = (np.abs(y - 40) < 4) & (x > 20) & (x < 180), (y > 30) & (y < 42) & (x > 50) & (x < 62)
    apart = (y > 60) & (x > 90) & (x < 110)
    look[arm | iris | apart] = own
    found = np.asarray(arm & (x < 100) & ~iris, np.float32)
    more = details._further(found, look.astype(np.float32), own, cheeks, np.asarray(~iris, np.float32), 320.0)
    beyond = arm & (x > 105) & (x < 170) & (np.abs(y - 40) < 3)
    assert more[beyond].mean() == pytest.approx(1.0 if runs_on else 0.0, abs=0.1)
    assert more[(y > 60) | (y < 30)].max() < 0.1
    assert more[iris & (y < 38) & (x > 54) & (x < 58)].max() < 0.3


def test_a_brow_is_told_beside_its_own_skin_and_not_under_a_fringe() -> None:
    """A fringe over most of the forehead was the skin that a brow's bare end was compared with: half a brow stayed."""
    k, at = 300.0, (150.0, 100.0)
    points = np.zeros((478, 3), np.float32)
    ring = features.BROWS[0]
    for i, u, v in zip(ring, (-0.2, -0.1, 0.0, 0.1, 0.2, 0.2, 0.1, 0.0, -0.1, -0.2), (-0.01,) * 5 + (0.02,) * 5, strict=True):
        points[i, :2] = (at[0] + u * k, at[1] + v * k)
    y, x = np.mgrid[0:200, 0:300].astype(np.float32)
    u, v = (x - at[0]) / np.float32(k), (y - at[1]) / np.float32(k)
    tone = np.where((np.abs(v) < 0.012) & (np.abs(u) < 0.2), np.float32(-0.7), np.float32(0))
    tone = np.where((u > -0.05) & ((v < -0.03) | (v > 0.05)), np.float32(-1.2), tone)
    look = np.dstack([tone / details.SAME[0], np.zeros((200, 300, 2), np.float32)]).astype(np.float32)
    face = details._Face(look, points, k, np.ones((200, 300), np.float32))
    found = details._brow(face, 0)
    bare = (np.abs(v) < 0.006) & (u > -0.18) & (u < -0.12)
    assert found[bare].mean() > 0.5
    assert found[(np.abs(u + 0.15) < 0.03) & (v > 0.02)].max() < 0.05
