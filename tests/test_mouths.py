"""Laws of open mouths: lips go over into the hollow, their shade has one depth, an old lamp's notch and a crumb of light are no teeth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lowkey.darkroom import teeth
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, FACE, HW, hw
from test_worn import mended, mouth_of, toothed

LIP = np.array(FACE, np.float32) * np.float32(0.7) * np.array([1.2, 1.0, 1.0], np.float32)


def lipped(plate: Plate, marks: list[tuple[F32, tuple[float, float, float]]], hard: bool = False) -> Plate:
    """`plate` with lips round its opening, and marks of a colour each between them."""
    u, v = hw(plate)
    inner = teeth.between(plate) > 0.3
    lip = (np.hypot(u / 0.27, (v + 0.36) / 0.10) < 1) & ~inner
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[lip] = LIP
    row = np.array(parts["teeth"])
    for mark, colour in marks:
        albedo[mark], row[mark] = colour, 0
    parts["lips"], parts["teeth"] = freeze(lip.astype(np.float32)), freeze(row)
    light = replace(plate.found_light, hard=hard)
    return replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts, found_light=light)


def test_lips_go_over_into_the_hollow_and_its_corners_are_no_ink() -> None:
    """Right inside the rim a third of the lips' light is left, deeper less and less; black as the photo has it only in the depth."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    # No teeth beyond half the opening: a wedge at each corner, as black as a photo has it.
    plate = lipped(plate, [((np.abs(u) > 0.10) & (teeth.between(plate) > 0.3), (0.004, 0.004, 0.004))])
    after, lip = mended(plate), float(luminance(LIP[None])[0])
    tone = luminance(after)
    column = np.abs(np.abs(u) - 0.14) < 0.01
    near, deep = (np.median(tone[column & (np.abs(np.abs(v + 0.36) - at) < 0.004)]) for at in (0.042, 0.0))
    assert 0.10 * lip < near < 0.35 * lip
    assert deep < 0.5 * near
    corner = (np.abs(u) > 0.19) & (np.abs(u) < 0.205) & (np.abs(v + 0.36) < 0.01)
    assert np.median(tone[corner]) > 0.08 * lip
    red = np.median(after[corner], 0)
    assert red[0] > 1.4 * red[1] > 1.4 * red[2]


def notched(width: float, hard: bool) -> float:
    """Light in a red dark notch so wide (hw) at the edge of a row, over its teeth's."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    notch = (np.abs(u - 0.025) < width / 2) & (v > -0.362) & (v < -0.33)
    tone = luminance(mended(lipped(plate, [(notch, (0.05, 0.02, 0.01))], hard)))
    beside = (np.abs(np.abs(u - 0.025) - 0.047) < 0.008) & (np.abs(v + 0.35) < 0.008)
    return float(np.median(tone[(np.abs(u - 0.025) < 0.003) & (np.abs(v + 0.35) < 0.005)]) / np.median(tone[beside]))


def test_a_notch_that_a_hard_lamps_shadow_ate_is_filled_and_a_gap_between_two_tips_stays() -> None:
    assert notched(0.036, hard=True) > 0.5
    assert notched(0.036, hard=False) < 0.3
    assert notched(0.008, hard=True) < 0.45


@pytest.mark.parametrize(("apart", "kept"), [(0.016, False), (0.005, True)])
def test_a_white_speck_between_lips_a_little_apart_is_no_crumb_and_lips_that_are_shut_stay(apart: float, kept: bool) -> None:
    plate = toothed(chip=False)
    mesh = np.array(plate.landmarks)
    for rim, side in ((teeth.UPPER, -1), (teeth.LOWER, 1)):
        for i, at in zip(rim, np.linspace(-1, 1, len(rim)), strict=True):
            mesh[i, :2] = (EYE_X + 0.21 * at * HW, CHIN_Y + (-0.36 + side * apart / 2 * (1 - at**8)) * HW)
    u, v = hw(plate)
    lip = (np.abs(u) < 0.23) & (np.abs(v + 0.36) < 0.06)
    speck = np.hypot(u / 0.03, (v + 0.36) / 0.008) < 1
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[lip] = LIP
    albedo[speck] = (0.40, 0.40, 0.36)
    parts["lips"], parts["teeth"] = freeze(lip.astype(np.float32)), freeze(np.zeros_like(parts["teeth"]))
    plate = replace(plate, landmarks=mesh, albedo=freeze(albedo), colour=freeze(albedo), parts=parts)
    box = np.s_[round(CHIN_Y - 0.5 * HW) : round(CHIN_Y - 0.2 * HW), round(EYE_X - 0.3 * HW) : round(EYE_X + 0.3 * HW)]
    after = np.array(plate.albedo)
    teeth.mend(after, plate, box, float(luminance(FACE[None])[0]))
    inner = np.hypot(u / 0.015, (v + 0.36) / 0.004) < 1
    assert np.array_equal(after, plate.albedo) == kept
    assert kept or np.median(luminance(after)[inner]) < 1.1 * luminance(LIP[None])[0]


def test_the_upper_lips_shade_has_one_depth_however_wide_a_mouth_is_open() -> None:
    """A share of the opening would leave a speaker's upper row in it to its tips."""
    plate = toothed(chip=False)
    u, v = hw(plate)

    def shade(tall: float, below: float) -> float:
        top = -0.40
        between = freeze(((np.abs(u) < 0.20) & (v > top) & (v < top + tall)).astype(np.float32))
        parts = dict(plate.parts) | {"teeth": between}
        lip = freeze(np.asarray((np.abs(u) < 0.24) & (v > top - 0.03) & (v < top + tall + 0.03), np.float32) * (1 - between))
        light = np.full(plate.matte.shape, 0.8, np.float32)
        light[between > 0] = 0.05
        mouth_of(replace(plate, parts=parts), lip).spread(light, (0.9, 0.4, 0.17))
        at, low = (float(np.median(light[(np.abs(u - 0.05) < 0.01) & (np.abs(v - top - d) < 0.004)])) for d in (below, 0.06))
        return at / low

    assert shade(0.16, 0.036) == pytest.approx(shade(0.09, 0.036), rel=0.1)
    assert shade(0.16, 0.008) < 0.8


def test_a_black_line_at_the_rim_and_soot_beside_the_corners_take_the_lips_tone() -> None:
    """A mesh's rim misses a photo's by a pixel or two: the hollow beyond it was an ink line, and a wedge on the cheek."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    line = (np.abs(u) < 0.16) & (np.abs(v + 0.426) < 0.007)
    soot = (np.abs(u) > 0.20) & (np.abs(u) < 0.235) & (np.abs(v + 0.36) < 0.012)
    inked = lipped(plate, [(line, (0.004, 0.004, 0.006)), (soot, (0.004, 0.004, 0.006))])
    after, lip = mended(inked), float(luminance(LIP[None])[0])
    tone = luminance(after)
    rim = line & (np.abs(u) < 0.12) & (v < -0.424)
    assert rim.sum() > 20
    assert np.median(tone[rim]) > 0.35 * lip
    beside = soot & (np.abs(u) > 0.222)
    assert np.median(tone[beside]) > 0.3 * lip
    red = np.median(after[rim], 0)
    assert red[0] / red[1] == pytest.approx(float(LIP[0] / LIP[1]), rel=0.15)
    # Lips that are no darker than lips stay, and so does what is black further off.
    clean = lipped(plate, [])
    away = (np.asarray(clean.parts["lips"]) > 0.9) & (teeth.between(plate) < 0.01)
    assert np.allclose(mended(clean)[away], np.asarray(clean.albedo)[away], rtol=0.02)
    far = np.hypot(u, v + 0.25) < 0.01
    mole = np.array(clean.albedo)
    mole[far] = 0.01
    assert np.median(luminance(mended(replace(clean, albedo=freeze(mole), colour=freeze(mole))))[far]) < 0.012


def jointed(white: float) -> float:
    """Depth (log) of a joint a tenth darker than its row, in a row whose photo has so much light."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    box = np.array(plate.albedo)
    box[np.asarray(plate.parts["teeth"]) > 0.5] = white
    joint = (np.abs(u) < 0.006) & (np.asarray(plate.parts["teeth"]) > 0.5)
    box[joint] = 0.9 * white
    tone = luminance(mended(replace(plate, albedo=freeze(box), colour=freeze(box))))
    row = np.abs(v + 0.36) < 0.008
    return float(np.log(np.median(tone[row & (np.abs(np.abs(u) - 0.03) < 0.006)]) / np.median(tone[row & (np.abs(u) < 0.003)])))


def test_joints_of_an_overexposed_row_are_given_back_what_the_shoulder_took() -> None:
    assert jointed(0.95) > 1.5 * jointed(0.45)
    assert jointed(0.45) < 0.11


def test_a_joint_as_red_as_gum_is_no_crack_of_rust_and_a_green_haze_no_flesh() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    box, row = np.array(plate.albedo), np.asarray(plate.parts["teeth"]) > 0.5
    box[row & (np.abs(u) < 0.008)] = np.array(box[row][0]) * np.array([1.1, 0.65, 0.45], np.float32)
    after = mended(replace(plate, albedo=freeze(box), colour=freeze(box)))
    red = after[..., 0] / after[..., 1]
    here = np.abs(v + 0.36) < 0.008
    assert np.median(red[here & (np.abs(u) < 0.004)]) < 1.1 * np.median(red[here & (np.abs(np.abs(u) - 0.04) < 0.006)])
    hazy = lipped(plate, [((np.abs(u) > 0.05) & (teeth.between(plate) > 0.3), (0.05, 0.06, 0.06))])
    after = mended(hazy)
    dark = (np.abs(np.abs(u) - 0.12) < 0.02) & here
    assert np.median(after[dark][:, 0] / after[dark][:, 1]) > 1.08


def test_a_wedge_between_two_teeth_is_filled_up_to_them_in_their_hue() -> None:
    """Filled by half, and red at its sides, it was a facet."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    wedge = (np.abs(u - 0.025) < 0.018 * np.clip((v + 0.375) / 0.045, 0, 1)) & (v < -0.33)
    after = mended(lipped(plate, [(wedge, (0.05, 0.02, 0.01))], hard=True))
    tone, red = luminance(after), after[..., 0] / after[..., 1]
    beside = (np.abs(np.abs(u - 0.025) - 0.047) < 0.008) & (np.abs(v + 0.35) < 0.008)
    shown = wedge & (v > -0.362)
    assert np.percentile(tone[shown], 5) > 0.5 * np.median(tone[beside])
    assert np.percentile(red[shown], 95) < 1.1 * np.median(red[beside])


def test_a_row_falls_off_with_the_light_on_the_lip_above_it() -> None:
    """As steeply as skin nearly: a row that stays light where all round it lies in shade is a strip of paper."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = freeze(np.asarray((np.abs(u) < 0.24) & (np.abs(np.abs(v + 0.36) - 0.07) < 0.02), np.float32))
    row = np.abs(v + 0.345) < 0.01
    found = []
    for fall in (np.ones_like(u), np.clip(0.5 + u / 0.4, 0.05, 1)):
        light = np.asarray(0.8 * fall, np.float32)
        light[(np.abs(u) < 0.24) & (np.abs(v + 0.36) < 0.05)] *= 0.06
        mouth_of(plate, lip).spread(light, (0.9, 0.4, 0.17))
        found.append([float(np.median(light[row & (np.abs(u - at) < 0.01)])) for at in (0.0, 0.11)])
    even, falling = (near / far for near, far in found)
    assert falling / even < 0.75
