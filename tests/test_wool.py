"""Laws of wool under a hard lamp, of the jaw's shadow on a neck, and of a sleeve on a raised forearm."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import brdf, garments, jersey, neck, pores, seams, sleeve, throat
from lowkey.darkroom.knit import fabric
from lowkey.darkroom.light import Relight
from lowkey.darkroom.ribbed import FUZZY_HW, Ribbed
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Pose
from lowkey.rig import Cloth, Direction, Source
from test_dress import CHIN_Y, EYE_X, HW, TURTLENECK, dress, hw, person

K = 200.0


def cylinder(ribs: float) -> Subject:
    """A standing cylinder of cloth, 1 hw in radius, with ribs that tilt by up to `ribs` (tangent), .022 hw apart."""
    h, w = 200, 360
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    sine = np.clip((x - w / 2) / np.float32(K), -0.95, 0.95)
    slope = -sine / np.sqrt(1 - sine * sine) + np.float32(ribs) * np.sin(2 * np.pi * x / np.float32(0.022 * K))
    normal = neck.facing(np.asarray(slope, np.float32), np.zeros((h, w), np.float32))
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    return Subject(
        K, one, np.full((h, w, 3), 0.03, np.float32), np.sqrt(1 - sine * sine) + 0 * y, normal, nil, nil, one, nil,
        0.9 * one, nil, nil, (w / 2, h / 2),
    )  # fmt: skip


def test_ribs_end_their_light_where_their_form_does() -> None:
    """Under a lamp straight from the right no flank is lit past the middle of the cylinder, and none stands out near it."""
    ribs = cylinder(0.7)
    mu = np.maximum(ribs.normal[..., 0], 0)
    seen = Ribbed(ribs).shaded(np.ones_like(ribs.matte), Direction(90, 0), 0.09)
    row, middle = len(mu) // 2, mu.shape[1] // 2
    past = np.s_[row, middle - 60 : middle - 20]
    assert mu[past].max() > 0.3
    assert (mu * seen)[past].max() < 0.02
    near = np.s_[row, middle : middle + 20]
    assert (mu * seen)[near].max() < 0.35 * mu[near].max()
    far = np.s_[row, middle + 130 : middle + 150]
    assert seen[far].min() > 0.85


def test_smooth_cloth_keeps_its_light_and_its_shadows() -> None:
    flat = cylinder(0.0)
    seen = np.ones_like(flat.matte)
    seen[:, 250:] = 0
    shaded = Ribbed(flat).shaded(seen, Direction(90, 0), 0.09)
    lit = flat.normal[..., 0] > 0.05
    assert np.abs(shaded - seen)[lit].max() < 0.3
    assert np.abs(shaded - seen)[lit].mean() < 0.03


def test_a_shadow_ends_softly_on_wool() -> None:
    wool = cylinder(0.7)
    seen = np.ones_like(wool.matte)
    seen[120:] = 0
    column = Ribbed(wool).shaded(seen, Direction(70, 0), 0.09)[:, 280]
    column = column / column[10]
    wide = float((column < 0.1).argmax() - (column < 0.9).argmax()) / K
    assert 2.0 * FUZZY_HW < wide < 3.2 * FUZZY_HW
    assert (np.diff(column) < 1e-4).all()


def test_a_valley_is_black_and_a_chest_lost() -> None:
    plate = person()
    bust = neck.measure(plate, np.zeros_like(plate.matte))
    y, x = np.mgrid[0:180, 0:200].astype(np.float32) / np.float32(HW / 4)
    body = garments.Outline(x - np.float32(2.5), y, np.ones_like(x))
    plain = np.zeros_like(x)
    fold = np.array([[0.5, 0.75, 0.8, 0.75, 1.1, 0.75, 0.06, 0.03]], np.float32)
    folded = garments.creases(np.ascontiguousarray(body.x), np.ascontiguousarray(body.y), fold)
    flat, with_fold = jersey._sunk(plain, bust, body)[0], jersey._sunk(folded, bust, body)[0]
    valley = np.unravel_index(np.argmin(folded), folded.shape)
    assert with_fold[valley] < 0.75 * flat[valley]
    # A ridge and the shoulder keep theirs; the chest under the flag has less than half.
    ridge = np.unravel_index(np.argmax(folded), folded.shape)
    assert with_fold[ridge] > 0.98 * flat[ridge]
    across = np.abs(body.x - 0.9) < 0.1
    assert flat[across & (np.abs(body.y - bust.shoulder[1] - 0.2) < 0.05)].min() > 0.85
    assert flat[across & (body.y > 1.6)].max() < 0.2


def test_a_flag_before_unequal_shoulders_has_no_step_on_the_breastbone() -> None:
    bust = replace(neck.measure(person(), np.zeros((2, 2), np.float32)), shoulder=(0.26, 0.46))
    y, x = np.mgrid[0:180, -100:101].astype(np.float32) / np.float32(HW / 4)
    body = garments.Outline(x, y, np.ones_like(x))
    left = jersey._sunk(np.zeros_like(x), bust, body)[0]
    assert np.abs(np.diff(left, axis=1)).max() < 0.03


def test_loose_fibre_scatters_ahead() -> None:
    """A lamp behind a shoulder that ends edge on is a line along it; before a chest the same fibre hardly shows (cosines as in each)."""
    behind, front = brdf.fuzz(0.40, 0.05, 0.88), brdf.fuzz(0.40, 0.90, -0.15)
    assert behind > 30 * front
    # It falls off inward from the outline, without a plateau: a plateau is a tape sewn along the shoulder.
    inward = [brdf.fuzz(mu, nz, 0.88) for mu, nz in ((0.40, 0.05), (0.31, 0.16), (0.22, 0.26), (0.05, 0.43), (0.005, 0.47))]
    assert all(a > 1.3 * b for a, b in itertools.pairwise(inward))
    # What it scatters altogether is no more than comes in, from any side (the hemisphere, uniformly sampled).
    z = np.linspace(0.005, 0.995, 100)
    for nl in (0.05, 0.3, 0.9):
        turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        ahead = [[-(nl * v + np.sqrt((1 - nl * nl) * (1 - v * v)) * np.cos(a)) for a in turn] for v in z]
        total = np.mean([[brdf.fuzz(nl, v, c) * v for c in row] for v, row in zip(z, ahead, strict=True)])
        assert 2 * total <= nl * 1.001  # radiance over pi, times 2 pi of solid angle


def test_a_dark_shoulder_has_a_line_of_light_before_a_lamp_behind_it() -> None:
    s = dress(person(turn=0.0), Cloth("turtleneck", 0.0045))
    rim = luminance(Relight(s).source(Source(Direction(158, 19), angular_radius_deg=9)))
    u, _ = hw(s)
    lines = []
    for column in np.flatnonzero((u[0] > 0.55) & (u[0] < 1.30)):
        first = int(np.argmax((s.matte[:, column] > 0.9) & (s.cloth[:, column] > 0.9)))
        lines.append(rim[first : first + round(0.10 * HW), column])
    brightest = np.array([line[: round(0.012 * HW)].max() for line in lines])
    found = np.quantile(brightest, 0.95)
    assert found > 0.035  # of a white card's; the wool itself has hardly a hundredth
    # Lost and found again: an even line is a piping that is sewn on.
    assert np.quantile(brightest, 0.25) < 0.5 * found
    line = np.mean([one for one, peak in zip(lines, brightest, strict=True) if peak > 0.6 * found], 0)
    assert line[round(0.05 * HW) :].max() < 0.15 * line.max()


def test_yarn_reads_against_the_gaps_between_it() -> None:
    y, x = np.mgrid[0:80, 0:80].astype(np.float32)
    height, tone = fabric(x / 9, y / 7, np.ones_like(x), ribbed=False, stream=1)
    flat = np.zeros_like(x)
    _, grey = garments.knitted(flat, height, tone, 0.0, K, flat, np.ones_like(x), 0.9)
    assert np.percentile(grey, 90) > 1.8 * np.percentile(grey, 10)
    assert grey.mean() == pytest.approx(0.9, abs=0.2)


def test_a_fold_and_its_mirror_image_are_one() -> None:
    y, x = np.mgrid[0:120, -100:101].astype(np.float32) / np.float32(100)
    one = np.array([[0.2, 0.3, 0.5, 0.6, 0.8, 0.5, 0.08, 0.02]], np.float32)
    other = one * np.array([-1, 1, -1, 1, -1, 1, -1, 1], np.float32)
    np.testing.assert_allclose(garments.creases(x, y, one), garments.creases(x, y, other)[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("yaw", [0.0, 15.0, 40.0])
def test_shoulders_that_nobody_sees_follow_the_head_half_way(yaw: float) -> None:
    plate = replace(person(turn=0.08), pose=Pose(yaw, 0, 0))
    hidden = np.array(plate.inside)
    hidden[:, : round(EYE_X - 1.1 * HW)] = 0
    hidden[:, round(EYE_X + 1.1 * HW) :] = 0
    cut = replace(plate, inside=hidden, matte=np.asarray(plate.matte * hidden, np.float32))
    turned = abs(np.degrees(np.arctan(neck.measure(cut, np.zeros_like(plate.matte)).turned)))
    assert min(0.5 * yaw + 4, 20.5) < turned < min(0.5 * yaw + 14, 21.0)


def test_the_jaws_shadow_is_a_soft_core_and_the_neck_below_it_a_tone_lower() -> None:
    below = np.repeat(np.linspace(0, 0.3, 301, dtype=np.float32)[:, None], 3, 1)
    x, half = np.full_like(below, 0.15), np.full_like(below, 0.38)
    jaw, none = np.ones((1, 3), np.float32), np.zeros((1, 3), np.float32)
    left = throat._shade(below, x, np.asarray(below, np.float32), half, jaw)[:, 1]
    assert left[:20].max() < 0.1  # no line along the jaw: a core
    assert 0.35 < left[-100:].min() <= left[-100:].max() < 1
    rise = np.interp((0.1, 0.9), (left[:200] - left[0]) / (left[:200].max() - left[0]), below[:200, 1])
    assert 0.07 < rise[1] - rise[0] < 0.15  # hw, some 15 to 35 pixels of a print a thousand tall
    # The flank behind the sternomastoid turns away.
    side = throat._shade(below, np.full_like(below, 0.37), np.asarray(below, np.float32), half, jaw)[-1, 1]
    assert side < 0.8 * left[-1]
    # Behind the jaw's corner no jaw is over it, and no shadow of one falls there.
    aside = throat._shade(below, x, np.asarray(below, np.float32), half, none)[:, 1]
    assert aside[:20].min() > 0.75 * aside[:200].max()


@pytest.mark.parametrize("side", [-1, 1])
def test_beyond_the_jaws_corners_no_jaw_is_over_a_neck(side: int) -> None:
    plate = person(turn=0.0)
    corners = plate.landmarks[list(neck.JAW_CORNERS), 0]
    over = throat._under_jaw(plate, np.s_[0:2, 0 : plate.matte.shape[1]])[0]
    at = int(corners.max() if side > 0 else corners.min())
    assert over[int(plate.landmarks[neck.CHIN, 0])] == 1
    assert 0 < over[at] < 1
    assert over[at + side * round(0.1 * HW)] == 0


def forearm(lean_deg: float) -> F32:
    """A fist of .22 hw with a forearm .11 hw in half-width below it, leaning by so much; f32[h, w] at K pixels a hw."""
    y, x = np.mgrid[0:340, 0:340].astype(np.float32) / np.float32(K)
    angle = np.radians(lean_deg)
    way = np.array([np.sin(angle), np.cos(angle)])
    a, b = (x - 0.8) * way[0] + (y - 0.4) * way[1], (x - 0.8) * way[1] - (y - 0.4) * way[0]
    hand = ((x - 0.72) ** 2 + (y - 0.36) ** 2 < 0.22**2) | ((np.abs(b) < 0.11) & (a > 0) & (a < 0.75))
    return np.asarray(cv2.GaussianBlur(hand.astype(np.float32), (0, 0), 1.0), np.float32)


@pytest.mark.parametrize("lean", [-20.0, 0.0, 25.0])
def test_a_sleeve_follows_the_forearm_and_fits_its_wrist(lean: float) -> None:
    hands = forearm(lean)
    (arm,) = sleeve.arms(hands, K)
    assert np.degrees(np.arctan2(arm.way[0], arm.way[1])) == pytest.approx(lean, abs=4)
    assert 0.5 * (arm.right[0] - arm.left[0]) == pytest.approx(0.11, rel=0.15)
    like = SimpleNamespace(roughness=0.9, specular=0.0, sheen=0.1, room=1.0)
    drawn = sleeve.sleeve(arm, np.zeros_like(hands), K, 1.0, like, ribbed=True, soft_px=0.9)  # type: ignore[arg-type]
    assert drawn is not None
    sheet, (row, _) = drawn
    wide = (sheet.cover > 0.5)[int((arm.centre[1] + 0.07 * arm.way[1]) * K) - row]
    assert wide.sum() * np.cos(np.radians(lean)) / K == pytest.approx(0.22, abs=0.06)


def test_a_bare_forearm_is_round() -> None:
    hands = forearm(0.0)
    (arm,) = sleeve.arms(hands, K)
    normal = np.zeros((*hands.shape, 3), np.float32)
    normal[..., 2] = 1
    depth = np.zeros_like(hands)
    sleeve.rounded(normal, depth, hands, arm, K)
    row = int((arm.centre[1] - 0.06) * K)
    across = normal[row, int((arm.centre[0] - 0.09) * K) : int((arm.centre[0] + 0.09) * K), 0]
    assert (np.diff(across) > 0).all()
    assert across[0] < -0.6
    assert across[-1] > 0.6
    assert depth[row, int(arm.centre[0] * K)] > depth[row, int((arm.centre[0] - 0.09) * K)] + 0.02
    # The knuckles keep their own.
    assert np.abs(normal[: int(0.36 * K), :, 0]).max() == 0


def test_a_pale_thread_along_a_hand_goes_and_its_ring_stays() -> None:
    hands = forearm(0.0)
    within = cv2.distanceTransform((hands > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    albedo = np.full((*hands.shape, 3), 0.3, np.float32)
    thread = (within > 0) & (within < 2)
    albedo[thread] = 0.7
    ring = np.s_[int(0.34 * K) : int(0.38 * K), int(0.70 * K) : int(0.74 * K)]
    albedo[ring] = 0.7
    own = SimpleNamespace(albedo=albedo)
    seams.bare_hands(own, SimpleNamespace(hands=hands), K)  # type: ignore[arg-type]
    assert np.quantile(luminance(albedo)[thread], 0.95) < 0.4
    assert albedo[ring].min() > 0.69


def test_two_jerseys_differ_in_colour_and_cut() -> None:
    cuts = [jersey.cut_of(hashlib.sha256(bytes([i])).hexdigest()) for i in range(200)]
    assert 0.25 < np.mean([c.turned < 1 for c in cuts]) < 0.55
    assert 0.2 < np.mean([c.slack > 1.4 for c in cuts]) < 0.5
    assert np.ptp([c.tall for c in cuts]) > 0.18
    for cut in cuts:
        red, green, blue = cut.tint
        assert red > green > blue > 0.75 * red  # black to charcoal, and no colour: the lamp has enough
    s = dress(person(), TURTLENECK)
    _, v = hw(s)
    cloth = (s.cloth > 0.99) & (v > 1.0) & (np.arange(len(v))[:, None] > CHIN_Y)
    assert 0.75 < np.median(s.albedo[cloth][:, 2] / s.albedo[cloth][:, 0]) < 0.96


def test_a_flag_stands_before_lamps_and_not_before_the_room() -> None:
    s = dress(person(turn=0.0), Cloth("turtleneck", 0.017))
    assert s.room is not None
    u, v = hw(s)
    lit = Relight(s)
    lamp, room = luminance(lit.source(Source(Direction(0, 0), angular_radius_deg=6))), luminance(lit.fill(0.0))
    chest = (np.abs(u) < 0.4) & (v > 1.15) & (v < 1.35) & (s.cloth > 0.9)
    shoulder = (np.abs(u) < 0.4) & (v > 0.45) & (v < 0.60) & (s.cloth > 0.9)
    # What the flag takes of the lamp on the lower chest it hardly takes of the room: a hint of form is left there.
    assert lamp[chest].mean() < 0.35 * lamp[shoulder].mean()
    assert room[chest].mean() / lamp[chest].mean() > 1.5 * room[shoulder].mean() / lamp[shoulder].mean()
    # Nobody's face gets more of it.
    face = (s.skin > 0.99) & (v < -0.3) & (np.abs(u) < 0.3)
    assert np.abs(s.room[face] - 1).max() < 1e-5


def test_stitches_are_whole_up_to_a_sleeve_s_seam() -> None:
    """The wales of a sleeve lean; at its seam they meet those of the body, and nothing is rubbed out between them."""
    y, x = (m.astype(np.float32) / np.float32(K) for m in np.mgrid[0:160, 0:640])
    bust = neck.measure(person(turn=0.0), np.zeros_like(person(turn=0.0).matte))
    bust = replace(bust, hw_px=K)
    x, y = x + np.float32(0.05), y + np.float32(0.7)
    small = tuple(np.asarray(cv2.resize(m, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.float32) for m in (x, y))
    body = garments.Outline(*small, np.full_like(small[0], 0.8))
    tone = jersey.turtleneck(bust, x, y, body).outer[0][0].albedo
    away = np.abs(garments.whole(jersey._seam(bust, jersey.cut_of(bust.whose), *small), x))
    log = np.log(np.maximum(tone, np.float32(1e-3)))
    fine = np.square(log - cv2.GaussianBlur(log, (0, 0), 3.0))
    seam, beside = (float(np.sqrt(np.median(fine[(away >= low) & (away < high) & (y < 1.3)]))) for low, high in ((0, 0.010), (0.03, 0.09)))
    assert seam > 0.55 * beside  # drawn out across it, they had a quarter


def test_a_neck_has_pores_in_its_tone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they add to the deviation of its log tone, in the band of a face's pores, is what they are said to have; without, it is clay."""
    plate = person(turn=0.0)
    below, k = neck.keep(plate).below, plate.hw_px

    def deviation() -> float:
        worn = dress(plate, TURTLENECK)
        log = np.log(np.maximum(luminance(worn.albedo), np.float32(1e-3)))
        low, high = (cv2.GaussianBlur(log, (0, 0), sigma * k) for sigma in pores.BAND_HW)
        there = cv2.erode(np.asarray((worn.skin > 0.95) & (below > 0.03) & (worn.matte > 0.95), np.uint8), np.ones((5, 5))) > 0
        assert there.sum() > 150
        return pores._deviation((low - high)[there])

    pored, drawn = deviation(), throat.PORED
    monkeypatch.setattr(throat, "PORED", 0.0)
    assert np.sqrt(pored**2 - deviation() ** 2) == pytest.approx(drawn, rel=0.33)
    assert drawn > pores.USUAL
