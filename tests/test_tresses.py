"""Laws of hair before a hard light: no green that no hair has, no strands where the photo has its own, nothing of a shirt between locks."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import haircut, neck, tresses
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from test_dress import HW, person


def haired(colour: tuple[float, float, float], *, strands: float = 0.0) -> tuple[Plate, F32]:
    """A long-haired person with hair of one colour, its strands `strands` deep (log), and where that hair is sure."""
    plate = person(long_hair=True)
    hair = plate.parts["hair"]
    x = np.arange(hair.shape[1], dtype=np.float32)[None, :, None]
    own = np.array(colour, np.float32) * np.exp(np.float32(strands) * np.sin(x * np.float32(1.7)))
    albedo = plate.albedo + hair[..., None] * (own - plate.albedo)
    return replace(plate, albedo=freeze(np.asarray(albedo, np.float32))), hair > 0.97


def groomed(plate: Plate) -> F32:
    out = np.array(plate.albedo)
    tresses.groom(out, plate, neck.hand_of(plate))
    return out


def test_grey_hair_gives_back_the_green_of_the_room() -> None:
    plate, sure = haired((0.20, 0.24, 0.22), strands=0.3)
    got = groomed(plate)[sure]
    assert (got[:, 0] >= got[:, 1]).all()
    assert (got[:, 1] >= got[:, 2]).all()
    # It was green by .18; hair without pigment is as yellow as keratin, and beside skin a little redder.
    red, yellow = np.log(got[:, 0] / got[:, 1]), np.log(got[:, 1] / got[:, 2])
    assert red.min() == pytest.approx(tresses.KERATIN[0], abs=0.01)
    assert red.max() < tresses.KERATIN[0] + tresses.SCALP + 0.01
    assert yellow == pytest.approx(tresses.KERATIN[1], abs=0.02)
    assert luminance(got) == pytest.approx(luminance(plate.albedo[sure]), rel=0.02)


@pytest.mark.parametrize("colour", [(0.30, 0.13, 0.10), (0.05, 0.03, 0.02), (0.27, 0.19, 0.125)])
def test_hair_of_a_natural_colour_stays(colour: tuple[float, float, float]) -> None:
    plate, sure = haired(colour, strands=0.3)
    assert np.abs(groomed(plate)[sure] - plate.albedo[sure]).max() < 1e-3


def test_red_hair_is_pressed_in_purity_and_keeps_its_light() -> None:
    plate, sure = haired((0.30, 0.10, 0.02), strands=0.3)
    sure = away(plate, sure)
    got, own = groomed(plate)[sure], plate.albedo[sure]
    pure = np.log(own[:, 0] / own[:, 2]).mean()
    want = tresses.PUREST + tresses.PURER * (pure - tresses.PUREST)
    # Some of its yellow has been taken for olive before.
    assert 0.9 * want < np.log(got[:, 0] / got[:, 2]).mean() < want + 0.01
    assert luminance(got) == pytest.approx(luminance(own), rel=0.02)


def test_black_hair_has_the_brown_of_its_pigment() -> None:
    plate, sure = haired((0.020, 0.020, 0.020), strands=0.3)
    got = np.log(groomed(plate)[away(plate, sure)])
    assert got[:, 0] - got[:, 1] == pytest.approx(tresses.EUMELANIN[0], abs=0.01)
    assert got[:, 1] - got[:, 2] == pytest.approx(tresses.EUMELANIN[1], abs=0.01)


def test_hair_sinks_where_it_goes_down_behind_cloth() -> None:
    albedo, hair, hidden = np.full((300, 200, 3), 0.2, np.float32), np.ones((300, 200), np.float32), np.zeros((300, 200), np.float32)
    hidden[200:] = 1
    tresses.sunk(albedo, hair, hidden, 200.0)
    assert albedo[:100] == pytest.approx(0.2, abs=1e-3)
    assert (np.diff(albedo[:, 100, 0]) <= 1e-6).all()
    assert albedo[210, 100, 0] == pytest.approx(0.2 * (1 - tresses.SUNK), rel=0.02)


def test_pale_hair_is_held_to_the_skin_and_keeps_its_hue_and_its_strands() -> None:
    plate, sure = haired((0.80, 0.57, 0.45), strands=0.3)
    got = groomed(plate)
    skin = float(np.median(luminance(plate.albedo[plate.parts["skin"] > 0.9])))
    assert luminance(plate.albedo)[sure].mean() > 1.5 * skin
    assert 1.3 * skin < luminance(got)[sure].mean() < tresses.BESIDE_SKIN[1] * skin
    assert np.log(luminance(got)[sure]).std() > 0.9 * np.log(luminance(plate.albedo)[sure]).std()
    hue = (got / luminance(got)[..., None])[sure] - (plate.albedo / luminance(plate.albedo)[..., None])[sure]
    assert np.abs(hue).max() < 0.02


def test_dyed_hair_stays_dyed() -> None:
    plate, sure = haired((0.06, 0.20, 0.22), strands=0.3)
    assert np.abs(groomed(plate)[sure] - plate.albedo[sure]).max() < 1e-3


def test_black_hair_in_graded_shadows_is_black() -> None:
    """No dye is seen at two hundredths of reflectance: shadows graded toward teal are the photo's."""
    plate, sure = haired((0.011, 0.020, 0.022), strands=0.3)
    got = groomed(plate)[sure]
    assert (got[:, 0] >= got[:, 1]).all()
    assert (got[:, 1] >= got[:, 2]).all()


def test_crushed_hair_gets_strands_that_run_down_and_are_no_brighter_than_black_hair() -> None:
    plate, sure = haired((0.010, 0.010, 0.010))
    got = np.log(luminance(groomed(plate)))
    # Beside the throat the locks hang straight: tones change across them, hardly along them.
    rows = np.s_[int(330 - 0.3 * HW) : int(330 + 0.3 * HW)]
    inside = sure[rows]
    across = np.abs(np.diff(got[rows], axis=1))[inside[:, 1:] & inside[:, :-1]].mean()
    along = np.abs(np.diff(got[rows], axis=0))[inside[1:] & inside[:-1]].mean()
    assert across > 0.05
    assert across > 1.6 * along
    assert np.exp(got[sure]).max() < 0.03
    assert np.exp(got[sure]).mean() < 0.010


def test_a_scrap_of_shirt_between_locks_becomes_hair() -> None:
    plate, sure = haired((0.05, 0.03, 0.02), strands=0.3)
    albedo = np.array(plate.albedo)
    y, x = (int(v) for v in np.argwhere(sure)[sure.sum() // 2])
    beside = np.flatnonzero(sure[y])[0] + 2
    albedo[y - 2 : y + 3, beside : beside + 4] = 0.7
    got = groomed(replace(plate, albedo=freeze(albedo)))
    assert got[y, beside + 1].max() < 0.2
    assert x > 0


def test_a_mirrored_person_is_groomed_mirrored() -> None:
    plate, sure = haired((0.010, 0.010, 0.010))
    flipped = {n: freeze(np.ascontiguousarray(m[:, ::-1])) for n, m in plate.parts.items()}
    mesh = np.array(plate.landmarks)
    mesh[:, 0] = plate.matte.shape[1] - 1 - mesh[:, 0]
    other = replace(
        plate, parts=flipped, landmarks=freeze(mesh), matte=freeze(np.ascontiguousarray(plate.matte[:, ::-1])),
        albedo=freeze(np.ascontiguousarray(plate.albedo[:, ::-1])),
    )  # fmt: skip
    here, there = groomed(plate), groomed(other)[:, ::-1]
    off = np.abs(np.log(luminance(here)[sure]) - np.log(luminance(there)[sure]))
    assert np.median(off) < 0.05


def test_hair_ends_in_strands_and_skin_does_not() -> None:
    plate, sure = haired((0.10, 0.06, 0.03), strands=0.6)
    got = tresses.frayed(plate, neck.hand_of(plate))
    changed = np.abs(got.matte - plate.matte)
    hair = np.asarray(plate.parts["hair"] > 0.05)
    near = np.hypot(*np.meshgrid(*(np.arange(-9, 10),) * 2)) < 9
    wide = cv2.dilate(hair.astype(np.uint8), near.astype(np.uint8)) > 0
    assert changed[wide].max() > 0.4
    assert changed[~wide].max() < 1e-6
    assert changed[sure & (cv2.erode(hair.astype(np.uint8), np.ones((21, 21), np.uint8)) > 0)].max(initial=0.0) < 1e-6
    # As much stands out as goes in, and what stands out is hair of hair's own colour and depth.
    assert got.matte.sum() == pytest.approx(plate.matte.sum(), rel=0.01)
    total = sum(got.parts[n] for n in ("skin", "hair", "cloth", "hands", "glasses", "background"))
    assert np.abs(total - 1).max() < 1e-5
    out = (got.matte > plate.matte + 0.2) & (plate.matte < 0.5)
    assert out.sum() > 20
    assert luminance(got.albedo)[out].max() < 0.2
    assert got.depth[out].min() > -2


def away(plate: Plate, sure: F32) -> F32:
    """Hair that lies away from skin, whose own red may shine between strands."""
    return sure & (cv2.dilate((plate.parts["skin"] > 0.02).astype(np.uint8), np.ones((2 * round(0.15 * HW) + 1,) * 2, np.uint8)) == 0)


def test_a_violet_glint_does_not_turn_red() -> None:
    plate, sure = haired((0.020, 0.019, 0.018), strands=0.3)
    sure = away(plate, sure)
    albedo = np.array(plate.albedo)
    glint = np.zeros_like(sure)
    glint[::9] = True
    albedo[sure & glint] = (0.10, 0.06, 0.16)
    got = groomed(replace(plate, albedo=freeze(albedo)))
    lean = np.log(got[sure & glint, 0] / got[sure & glint, 1])
    # It was .5, and .5 it stayed while its blue was taken down; black hair's own is .28.
    assert np.percentile(lean, 90) == pytest.approx(tresses.EUMELANIN[0], abs=0.01)


def test_one_head_has_one_dye_and_keeps_its_light_and_dark() -> None:
    plate, sure = haired((0.12, 0.06, 0.03), strands=0.4)
    sure = away(plate, sure)
    albedo = np.array(plate.albedo)
    patch = np.zeros_like(sure)
    patch[:, ::11] = True
    albedo[sure & patch] *= np.array([0.8, 1.2, 1.3], np.float32)
    got = groomed(replace(plate, albedo=freeze(albedo)))
    before, after = (np.log(a[sure & patch, 0] / a[sure & patch, 1]).mean() - np.log(2.0) for a in (albedo, got))
    assert abs(after) < 0.5 * abs(before)
    assert luminance(got)[sure] == pytest.approx(luminance(albedo)[sure], rel=0.02)


def test_a_fringe_has_no_rusty_ends() -> None:
    """What skin's red put into solid hair beside it is no dye of its own."""
    plate, sure = haired((0.12, 0.06, 0.03), strands=0.4)
    beside = sure & (cv2.dilate((plate.parts["skin"] > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    albedo = np.array(plate.albedo)
    albedo[beside] *= np.array([1.2, 0.85, 0.9], np.float32)
    got = groomed(replace(plate, albedo=freeze(albedo)))
    before, after = (np.log(a[beside, 0] / a[beside, 1]).mean() - np.log(2.0) for a in (albedo, got))
    assert beside.sum() > 300
    assert before > 0.3
    assert after < 0.75 * before


def test_olive_hair_turns_brown() -> None:
    plate, sure = haired((0.20, 0.19, 0.03), strands=0.2)
    got = np.log(groomed(plate)[sure]).mean(0)
    own = np.log(plate.albedo[sure]).mean(0)
    assert got[1] - got[2] < own[1] - own[2] - 0.4
    assert got[0] - got[1] > own[0] - own[1] + 0.1


def test_hair_that_spans_the_plate_leaves_the_skin_alone() -> None:
    plate, _ = haired((0.20, 0.24, 0.22), strands=0.3)
    hair = np.array(plate.parts["hair"])
    hair[60:80] = 1.0
    plate = replace(plate, parts={**plate.parts, "hair": freeze(hair)})
    got = groomed(plate)
    assert np.array_equal(got[hair == 0], plate.albedo[hair == 0])
    assert not np.array_equal(got[hair > 0.9], plate.albedo[hair > 0.9])


def test_white_strands_on_skin_are_no_bluer_than_hair_and_skin_and_frames_stay() -> None:
    k = 200.0
    tone = np.empty((120, 200, 3), np.float32)
    skin, lavender, frame = ((0.60, 0.40, 0.32), (0.60, 0.58, 0.66), (0.05, 0.08, 0.40))
    tone[:] = skin
    tone[40:60], tone[80:100] = lavender, frame
    hair = np.zeros(tone.shape[:2], np.float32)
    hair[:, 100:] = 1
    before = tone.copy()
    brows = np.zeros_like(hair)
    brows[48:52, :8] = 1
    tresses._of_keratin(tone, hair, 1 - hair, brows, k)
    warm = np.log(tone)[45:55, 92:98]
    assert (warm[..., 2] - warm[..., 1]).max() < -0.8 * tresses.KERATIN[1]
    np.testing.assert_allclose(tone[45:55, 25:40], before[45:55, 25:40], atol=1e-3)  # far from hair and brow
    assert (tone[49:51, :6, 2] < tone[49:51, :6, 1]).all()
    for rows in (np.s_[5:35], np.s_[85:95]):
        np.testing.assert_allclose(tone[rows], before[rows], atol=1e-3)


def test_what_shows_through_grey_hair_is_skin_and_not_mauve() -> None:
    face, usual = np.log(np.float32((0.50, 0.24, 0.15))), np.log(np.float32((0.25, 0.21, 0.19)))
    # A strand, a greenish one, and red without its yellow, as a balanced photo shows scalp between grey strands.
    log = np.log(np.float32([[(0.26, 0.22, 0.20), (0.22, 0.23, 0.16), (0.40, 0.20, 0.18)]]))
    tresses._greyed(log, usual, face)
    red, yellow = log[0, :, 0] - log[0, :, 1], log[0, :, 1] - log[0, :, 2]
    assert np.abs(red[:2] - tresses.KERATIN[0]).max() < 0.12
    assert np.abs(yellow[:2] - tresses.KERATIN[1]).max() < 0.09
    assert red[2] > 0.6
    assert 0.7 < (yellow[2] / red[2]) / ((face[1] - face[2]) / (face[0] - face[1])) < 1.2
    auburn = np.log(np.float32([[(0.30, 0.13, 0.10)]]))
    kept = auburn.copy()
    tresses._greyed(kept, kept[0, 0].copy(), face)
    np.testing.assert_array_equal(kept, auburn)


def test_cropped_hair_is_short_and_combed_hair_is_not_however_thin() -> None:
    k, hair = 100.0, np.zeros((200, 200), np.float32)
    hair[:40, :70] = 1
    everywhere = hair > 0
    assert haircut.length(hair, k, np.full_like(hair, 0.2), everywhere) == pytest.approx(float(haircut.fullness(hair, k)))
    assert haircut.length(hair, k, np.full_like(hair, 0.7), everywhere) == 1
    assert haircut.length(np.ones_like(hair), k, np.full_like(hair, 0.1), everywhere) == 1


def test_a_veil_round_hair_is_no_hair() -> None:
    plate, _ = haired((0.02, 0.018, 0.016), strands=0.3)
    hair = plate.parts["hair"] > 0.5
    reach = 2 * round(0.06 * HW) + 1
    grown = cv2.dilate(hair.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
    round_it = grown & (plate.matte < 0.02)
    parts = dict(plate.parts)
    # It fades outward and gives way to the mass by degrees.
    veil = np.asarray(cv2.GaussianBlur(np.float32(0.45) * grown, (0, 0), 0.02 * HW) * round_it, np.float32)
    parts["hair"], parts["background"] = freeze(plate.parts["hair"] + veil), freeze(plate.parts["background"] - veil)
    veiled = replace(plate, matte=freeze(np.asarray(plate.matte + veil, np.float32)), parts=parts)
    got = tresses.frayed(veiled, neck.hand_of(plate))
    far = round_it & (cv2.distanceTransform(1 - hair.astype(np.uint8), cv2.DIST_L2, 5) > 0.03 * HW)
    assert far.sum() > 50
    assert got.matte[far].mean() < 0.5 * veiled.matte[far].mean()
