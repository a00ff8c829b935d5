"""Laws of what is worn and of the neck, eyes and teeth above it: light under a jaw, cloth that touches, no two jerseys alike."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from lowkey.darkroom import garments, jersey, neck, retouch, shoulders, teeth, throat
from lowkey.darkroom.dress import dress
from lowkey.darkroom.light import Relight
from lowkey.darkroom.mouth import BROUGHT, Mouth
from lowkey.darkroom.subject import Subject
from lowkey.photo import Photo
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.features import BROWS
from lowkey.plate.plate import Plate
from lowkey.rig import Cloth, Direction, Source
from test_dress import CHIN_Y, EYE_X, FACE, HIGH, HW, LINEN, TURTLENECK, WIDE, hw, person


def named(plate: Plate, name: str) -> Plate:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return replace(plate, photo=Photo(plate.photo.pixels, digest))


@pytest.mark.parametrize("azimuth", [60, 75, 92])
def test_the_lit_side_of_the_neck_lies_under_the_jaw_by_a_tone_or_two(azimuth: float) -> None:
    plate = person(turn=0.0)
    worn = dress(plate, TURTLENECK)
    lit = luminance(Relight(worn).source(Source(Direction(azimuth, 30), (1, 1, 1), 7.5, 9.0)))
    u, _ = hw(plate)
    below = neck.keep(plate).below
    skin = (worn.skin > 0.85) & (worn.matte > 0.9) & (u > 0.08) & (u < 0.36)
    jaw, throat = skin & (below > -0.12) & (below < -0.03), skin & (below > 0.02) & (below < 0.16)
    bright = jaw & (lit > 0.35 * np.percentile(lit[jaw], 90))
    under = throat & (bright.sum(0) > 2)[None]
    assert min(bright.sum(), under.sum()) > 100
    # Half a stop and more under the face's lit side, and no black post either: darker, it lost blind pairs as another picture's neck.
    level = np.percentile(lit[skin & (below < -0.03) & (below > -0.5)], 90)
    assert 0.08 * level < lit[under].mean() < 0.7 * level


def test_where_a_collar_touches_it_is_dark() -> None:
    """Skin in the cleft of an open shirt's collar reflects less than skin further from it."""
    worn = dress(person(bare=True), LINEN)
    skin = (worn.skin > 0.95).astype(np.uint8)
    u, v = hw(worn)
    away = cv2.distanceTransform(skin, cv2.DIST_L2, 5) / HW
    throat = (v > 0.36) & (v < 0.48) & (np.abs(u) < 0.3) & (skin > 0)
    tone = luminance(worn.albedo)
    near, far = throat & (away > 0.002) & (away < 0.012), throat & (away > 0.04)
    assert min(near.sum(), far.sum()) > 20
    assert tone[near].mean() < 0.75 * tone[far].mean()


def test_two_people_wear_two_jerseys_and_one_always_the_same() -> None:
    plate = person()
    one, again, other = (dress(named(plate, n), TURTLENECK) for n in ("a", "a", "b"))
    assert np.array_equal(one.albedo, again.albedo)
    u, v = hw(plate)
    collar, chest = (np.abs(u) < 0.30) & (v > 0.22) & (v < 0.40), (np.abs(u) < 0.8) & (v > 1.0) & (v < 2.0)
    for where, alike in ((collar, 0.5), (chest, 0.5)):
        # Their yarn, not the form of the body that both lie on.
        a, b = (np.log(luminance(s.albedo) / cv2.GaussianBlur(luminance(s.albedo), (0, 0), 6))[where] for s in (one, other))
        assert abs(np.corrcoef(a, b)[0, 1]) < alike
    # A head's pixels never depend on whose jersey it is.
    face = (neck.keep(plate).below < -0.05) & (plate.parts["skin"] > 0.999)
    assert np.abs(one.albedo[face] - other.albedo[face]).max() < 1e-6


def test_jerseys_stay_within_what_jerseys_have() -> None:
    cuts = [jersey.cut_of(hashlib.sha256(bytes([i])).hexdigest()) for i in range(200)]
    stitch, rib = np.array([jersey.stitch(1e4, c.gauge)[0] for c in cuts]), np.array([jersey.RIB * c.rib for c in cuts])
    # 145 mm from ear to ear: at most five and a half stitches a centimetre and at least three, ribs of 2 to 4.5 mm.
    assert 1.8 < 145 * stitch.min() < 145 * stitch.max() < 3.3
    assert 2 < 145 * rib.min() < 145 * rib.max() < 4.5
    assert stitch.max() / stitch.min() > 1.4
    # No stitch is narrower than a photo's pixels can draw, and as many courses belong to it.
    for k in (80.0, 160.0, 320.0):
        wide, tall = jersey.stitch(k, cuts[0].gauge)
        assert wide * k > 5
        assert tall / wide == pytest.approx(jersey.COURSE / jersey.WALE)
    assert 0.2 < np.mean([c.set_in for c in cuts]) < 0.6
    assert 0.2 < np.mean([c.paired > 0 for c in cuts]) < 0.6


def test_a_collar_leans_with_a_leaning_neck() -> None:
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    mesh[neck.BROW, 0] -= 0.12 * HW
    bust = neck.measure(replace(plate, landmarks=mesh), np.zeros_like(plate.matte))
    assert bust.lean < -0.01
    assert jersey._across(bust) < -0.01
    assert jersey._across(neck.measure(plate, np.zeros_like(plate.matte))) == pytest.approx(0, abs=1e-6)


def test_a_shoulder_that_the_photo_cuts_is_wider_than_is_seen() -> None:
    plate = person(turn=0.0)
    inside = np.array(plate.inside)
    inside[:, : round(EYE_X - 1.1 * HW)] = 0
    inside[:, round(EYE_X + 1.1 * HW) :] = 0
    inside = freeze(inside)
    cut = replace(plate, inside=inside, matte=freeze(plate.matte * inside))
    nothing = np.zeros_like(plate.matte)
    bust = neck.measure(cut, nothing)
    half = bust.half
    # As broad as such a neck's owner is: a build is slender or stout.
    assert np.mean(half) == pytest.approx(shoulders.BROAD_HW * (bust.neck / shoulders.NECK_HW) ** shoulders.BUILD)
    # Nobody knows how it sits; it sits no more askew than a turn of 15 degrees makes it.
    assert 0 < abs(half[1] - half[0]) < 2 * shoulders.NEARER * shoulders.MOST_TURNED + 1e-6
    assert neck.measure(plate, nothing).half == pytest.approx((1.62 * shoulders.LENS, 1.62 * shoulders.LENS), abs=0.03)


@pytest.mark.parametrize(("broad", "of"), [(1.38, shoulders.LEAST_HW), (1.60, 1.60 * shoulders.LENS), (2.05, shoulders.MOST_HW)])
def test_shoulders_are_the_persons_own_within_what_people_have(broad: float, of: float) -> None:
    plate = person(turn=0.0, broad=broad)
    bust = neck.measure(plate, np.zeros_like(plate.matte))
    assert bust.half == pytest.approx((of, of), abs=0.03)
    # The line falls evenly, some 20 degrees, and rounds only at the shoulder's end.
    _, v = hw(plate)
    worn = dress(plate, TURTLENECK).matte > 0.5
    apart = 0.16 * of
    top = np.array([float(v[np.argmax(worn[:, c]), 0]) for c in (round(EYE_X + (0.45 * of + i * apart) * HW) for i in range(3))])
    fall = np.degrees(np.arctan(np.diff(top) / apart))
    assert (fall > 12).all()
    assert (fall < 30).all()


@pytest.mark.parametrize("turn", [0.08, -0.08])
def test_a_body_that_nobody_sees_is_turned_with_its_head(turn: float) -> None:
    plate = person(turn=turn)
    inside = np.array(plate.inside)
    inside[:, : round(EYE_X - 1.1 * HW)] = 0
    inside[:, round(EYE_X + 1.1 * HW) :] = 0
    cut = replace(plate, inside=freeze(inside), matte=freeze(plate.matte * inside))
    bust = neck.measure(cut, np.zeros_like(plate.matte))
    # Its nearer shoulder, the one away from where the chin points, is the broader and the lower one, and stands nearer.
    assert np.sign(bust.turned) == -np.sign(turn)
    assert np.sign(bust.half[1] - bust.half[0]) == np.sign(bust.shoulder[1] - bust.shoulder[0]) == np.sign(bust.turned)
    u, v = hw(plate)
    depth = dress(cut, TURTLENECK).depth
    left, right = (depth[(np.abs(u - at) < 0.1) & (np.abs(v - 1.3) < 0.1)].mean() for at in (-0.8, 0.8))
    assert np.sign(right - left) == np.sign(bust.turned)
    # One that is seen square on sits square on.
    assert neck.measure(plate, np.zeros_like(plate.matte)).turned == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("kink", ["fin", "notch", "none"])
def test_a_shoulder_is_one_line_that_falls_ever_more_steeply(kink: str, sign: int) -> None:
    y, x = np.mgrid[-20:140, -120:121].astype(np.float32) / np.float32(60)
    u = sign * x
    line = 0.25 + 0.36 * (np.abs(x) - 0.42) + 0.25 * np.maximum(np.abs(x) - 1.2, 0) ** 2
    line = line - {"fin": 0.16, "notch": -0.10, "none": 0.0}[kink] * np.exp(-np.square((u - 1.1) / 0.12))
    body = np.asarray(np.minimum(y - line, 1.7 - np.abs(x)), np.float32)
    even = shoulders.evened(x, y, body, (1.7, 1.7), (False, False))
    top = np.array([float(np.interp(0, even[:, c], y[:, c])) for c in range(x.shape[1])])
    here = (u[0] > 0.62) & (u[0] < 1.45)
    fall = np.diff(top[here][::sign]) * 60
    assert (fall > 0.05).all()
    assert np.diff(fall).min() > (-0.02 if kink == "none" else -0.12)
    # The other side, and one without a kink, stay.
    assert np.abs(even - body)[:, u[0] < 0.5].max() < 0.02
    moved = np.abs(top - np.array([float(np.interp(0, body[:, c], y[:, c])) for c in range(x.shape[1])]))[here]
    assert moved.max() < 0.02 if kink == "none" else moved.max() > 0.05
    assert np.array_equal(shoulders.evened(x, y, body, (1.7, 1.7), (True, True)), body)


def test_a_shoulder_falls_as_the_photo_shows_it() -> None:
    y, x = np.mgrid[0:300, 0:400].astype(np.float32)
    for slope in (0.31, 0.40):
        u, v = (x - 200) / 100, (y - 100) / 100
        body = np.asarray((v > 0.3 + slope * (np.abs(u) - 0.42)) & (np.abs(u) < 1.7))
        # A strap stands on one of them.
        body |= (np.abs(u - 0.9) < 0.05) & (v > 0.35)
        seen = shoulders.Seen(body, np.zeros_like(body), np.ones_like(body), 200, 100, 100)
        found = shoulders.girdle(seen, 1.0, 0.0, 0.39, "abc")
        assert found.slope == pytest.approx(slope, abs=0.03)
        assert found.lines == pytest.approx((0.3, 0.3), abs=0.03)
    # Nobody sees them: as broad as the neck makes one think.
    nothing = shoulders.Seen(body, np.zeros_like(body), np.zeros_like(body), 200, 100, 100)
    slender, stout = (np.mean(shoulders.girdle(nothing, 1.0, 0.0, neck_, "abc").halves) for neck_ in (0.365, 0.44))
    assert shoulders.LEAST_HW < slender < stout - 0.1


def test_shoulders_hidden_by_hair_are_the_mean_bodys() -> None:
    plate = person(turn=0.0)
    parts = dict(plate.parts)
    u, v = hw(plate)
    over = plate.matte * (np.abs(u) > 0.5) * (np.abs(u) < 1.3) * (v < 0.9)
    parts["hair"] = freeze(np.asarray(np.maximum(parts["hair"], over), np.float32))
    parts["cloth"] = freeze(np.asarray(parts["cloth"] * (1 - over), np.float32))
    assert neck.measure(replace(plate, parts=parts), np.zeros_like(plate.matte)).shoulder == (shoulders.LINE_HW,) * 2


@pytest.mark.parametrize("cloth", [TURTLENECK, LINEN], ids=["turtleneck", "linen"])
def test_hair_that_the_photo_cuts_goes_down_the_back(cloth: object) -> None:
    u, v = hw(person())
    over = (np.abs(np.abs(u) - 0.62) < 0.09) & (v > 0.52) & (v < 0.60)
    whole, cut = (dress(person(long_hair=True, below=b), cloth) for b in (HIGH, round(CHIN_Y + 0.66 * HW)))  # type: ignore[arg-type]
    assert whole.hair[over].mean() > 0.5
    assert cut.hair[over].max() < 0.05
    assert cut.matte[over].min() > 0.95


def toothed(chip: bool = True) -> Plate:
    """A person who smiles: eight teeth, overexposed and yellow, a dark line between two of them each, and a chip."""
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    for i, dx, dy in ((61, -0.26, -0.36), (291, 0.26, -0.36), (0, 0, -0.46), (17, 0, -0.24)):
        mesh[i, :2] = (EYE_X + dx * HW, CHIN_Y + dy * HW)
    for rim, side in ((teeth.UPPER, -1), (teeth.LOWER, 1)):
        for i, at in zip(rim, np.linspace(-1, 1, len(rim)), strict=True):
            mesh[i, :2] = (EYE_X + 0.21 * at * HW, CHIN_Y + (-0.36 + side * 0.05 * (1 - at**8)) * HW)
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    row = (np.abs(u) < 0.20) & (np.abs(v + 0.36) < 0.045)
    line = row & (np.abs(((u + 0.2) / 0.05) % 1 - 0.5) > 0.44)
    hole = row & (np.abs(u - 0.025) < 0.018) & (v > -0.36) if chip else np.zeros_like(row)
    albedo = np.array(plate.albedo)
    albedo[row] = (0.98, 0.93, 0.70)
    albedo[line] *= 0.55
    albedo[hole] = (0.05, 0.02, 0.01)
    parts = dict(plate.parts)
    parts["teeth"] = freeze((row & ~hole).astype(np.float32))
    return replace(plate, albedo=freeze(albedo), colour=freeze(albedo), landmarks=mesh, parts=parts)


def mended(plate: Plate) -> F32:
    out = np.array(plate.albedo)
    retouch.retouch(out, plate)
    return out


def test_teeth_keep_their_joints_are_cream_and_no_brighter_than_teeth() -> None:
    plate = toothed()
    before, after = plate.albedo, mended(plate)
    u, v = hw(plate)
    row = (np.abs(u) < 0.17) & (np.abs(v + 0.36) < 0.030)
    tone = luminance(after)
    middle = np.median(tone[row])
    # Lines between teeth are as deep as the photo has them, but for a lens's width; what is broken off stays so.
    line = row & (np.abs(((u + 0.2) / 0.05) % 1 - 0.5) > 0.47) & (np.abs(u - 0.025) > 0.04)
    assert 0.55 * middle < tone[line].mean() < 0.75 * middle
    assert np.median(tone[row & (np.abs(u - 0.025) < 0.008) & (v > -0.35)]) < 0.25 * middle
    assert tone[row].max() < teeth.ENAMEL * 1.1
    # Brighter than the skin, and by no more than a lit row may be beside a lit cheek.
    assert 1.1 < middle / luminance(FACE[None])[0] < teeth.OVER_SKIN + 0.01
    # Between paper and what teeth measure in life (blue over red .54): neither yellow nor, under a warm lamp, green.
    whole = row & (np.abs(((u + 0.2) / 0.05) % 1 - 0.5) < 0.3) & (np.abs(u - 0.025) > 0.04)
    assert 0.66 < np.median(after[whole][:, 2] / after[whole][:, 0]) < 0.85
    # Nothing else is touched, but for skin's very edge, where cloth shows through (see the fleck's own test).
    far = ((np.abs(u) > 0.35) | (np.abs(v + 0.36) > 0.2)) & ((plate.parts["skin"] > 0.99) | (plate.parts["skin"] < 0.3))
    far &= cv2.erode(np.asarray(plate.parts["skin"] > 0.99, np.uint8), np.ones((7, 7), np.uint8)) + (plate.parts["skin"] < 0.3) > 0
    np.testing.assert_allclose(after[far], before[far], atol=2e-3)


def test_gum_between_teeth_stays_gum() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    gum = (np.abs(np.abs(u) - 0.05) < 0.012) & (v < -0.37) & (v > -0.40)
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[gum] = (0.52, 0.26, 0.25)
    parts["teeth"] = freeze(np.asarray(parts["teeth"] * ~gum, np.float32))
    after = mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts))
    inner = (np.abs(np.abs(u) - 0.05) < 0.006) & (v < -0.376) & (v > -0.394)
    assert np.median(after[inner][:, 0] / after[inner][:, 1]) > 1.8


def rows_apart() -> tuple[Plate, dict[str, F32]]:
    """The same mouth open on two rows as white as each other, and a chink of the lower that shows what lies behind; where each is."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    row = np.abs(u) < 0.20
    upper, lower = row & (v > -0.41) & (v < -0.368), row & (v > -0.352) & (v < -0.31)
    chink = lower & (np.abs(u - 0.055) < 0.012)
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[row & ~upper & ~lower & (np.abs(v + 0.36) < 0.05)] = (0.10, 0.03, 0.015)
    albedo[chink] = (0.30, 0.10, 0.03)
    parts["teeth"] = freeze(np.asarray((upper | lower) & ~chink, np.float32))
    inner = {"upper": (np.abs(u) < 0.10) & (np.abs(v + 0.39) < 0.010), "lower": (np.abs(u) < 0.03) & (np.abs(v + 0.332) < 0.010)}
    joint = np.abs(((u + 0.2) / 0.05) % 1 - 0.5)
    where = {name: at & (joint < 0.3) for name, at in inner.items()} | {"joint": inner["lower"] & (joint > 0.47)}
    where["chink"] = (np.abs(u - 0.055) < 0.006) & (np.abs(v + 0.340) < 0.006)
    return replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts), where


def test_a_lower_row_is_warmer_and_darker_than_the_upper_and_no_slab() -> None:
    """Light that reaches it has met lips and tongue: it is redder, never greener, and a chink in it is no lamp."""
    plate, where = rows_apart()
    after = mended(plate)
    tone, red = luminance(after), after[..., 0] / np.maximum(after[..., 1], 1e-3)
    upper, lower, joint, chink = (float(np.median(tone[where[name]])) for name in ("upper", "lower", "joint", "chink"))
    assert 1.08 < np.median(red[where["lower"]]) / np.median(red[where["upper"]]) < 1.3
    assert 0.36 * upper < lower < 0.75 * upper
    assert joint < 0.85 * lower
    assert chink < 1.05 * lower


def test_a_lower_row_that_an_old_lamp_lit_stays_under_the_upper() -> None:
    plate, where = rows_apart()
    v = hw(plate)[1]
    albedo = np.asarray(plate.albedo * np.where(v < -0.36, 0.16, 1)[..., None], np.float32)
    lit = replace(plate.found_light, hard=True)
    tone = luminance(mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo), found_light=lit)))
    assert np.median(tone[where["lower"]]) < 0.62 * np.median(tone[where["upper"]])


def test_a_lip_that_is_lifted_out_of_a_shadow_comes_up_without_its_noise() -> None:
    """Three times the light of a dark pixel beside one that stays dark is a bristle: what is lifted is a place, and never a pixel."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = (np.abs(u) < 0.22) & (np.abs(v + 0.28) < 0.035)
    noise = np.exp(np.float32(0.5) * np.random.default_rng(3).standard_normal(lip.shape).astype(np.float32))
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[lip] = np.array(FACE, np.float32) * np.float32(0.7)
    albedo[lip & (u > 0.08)] *= (np.float32(0.30) * noise[lip & (u > 0.08)])[:, None]
    parts["lips"] = freeze(lip.astype(np.float32))
    parts["teeth"] = freeze(np.asarray(parts["teeth"] * ~lip, np.float32))
    hard = replace(plate.found_light, hard=True)
    plate = replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts, found_light=hard)
    shaded, lit = ((np.abs(u - at) < 0.05) & (np.abs(v + 0.28) < 0.022) for at in (0.15, -0.10))
    before, after = np.log(luminance(plate.albedo)), np.log(np.maximum(luminance(mended(plate)), 1e-3))
    assert np.median(before[lit]) - np.median(before[shaded]) > 2 * (np.median(after[lit]) - np.median(after[shaded]))
    assert np.std(after[shaded]) < 0.6 * np.std(before[shaded])


def test_lips_lose_the_blue_of_an_old_sky_and_keep_their_own_colour() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip, blue = (np.abs(u) < 0.22) & (np.abs(v + 0.28) < 0.035), (np.abs(u - 0.15) < 0.03) & (np.abs(v + 0.28) < 0.025)
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    face = np.array(FACE, np.float32)
    albedo[lip] = own = np.array([face[0] * np.exp(0.25), face[1], face[2] * np.exp(0.1)], np.float32) * np.float32(0.7)
    albedo[blue] = (0.34, 0.32, 0.36)
    parts["lips"] = freeze(lip.astype(np.float32))
    after = mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts))
    inner, beside = (np.abs(u - 0.15) < 0.015) & (np.abs(v + 0.28) < 0.015), (np.abs(u + 0.10) < 0.03) & (np.abs(v + 0.28) < 0.02)
    assert np.median(after[inner][:, 2] / after[inner][:, 0]) == pytest.approx(own[2] / own[0], rel=0.1)
    np.testing.assert_allclose(np.median(after[beside], 0), own, rtol=0.02)


def test_light_spreads_under_teeth_and_lips_and_nowhere_else() -> None:
    """The nose's shadow ends in the middle of a mouth: on the cheek it is a step, on lips a slope, on teeth a long one."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = (np.abs(u) < 0.22) & (np.abs(v + 0.28) < 0.035)
    shape = plate.matte.shape
    maps = {name: freeze(np.zeros(shape, np.float32)) for name in ("hair", "cloth", "eyes", "roughness", "specular", "sheen", "depth")}
    skin = freeze(np.ones(shape, np.float32))
    lips, teeth = freeze(lip.astype(np.float32)), plate.parts["teeth"]
    normal = freeze(np.dstack([np.zeros((*shape, 2)), np.ones(shape)]).astype(np.float32))
    subject = Subject(HW, skin, plate.albedo, normal=normal, skin=skin, head_px=(0, 0), lips=lips, teeth=teeth, **maps)
    light = np.asarray(u > 0, np.float32) * np.ones(shape, np.float32)
    spread = light.copy()
    Mouth(subject).spread(spread)

    def off(row: float, at: float) -> float:
        """Light at `at` hw beside the shadow's edge."""
        return float(np.median(spread[(np.abs(v - row) < 0.01) & (np.abs(u - at) < 0.008)]))

    assert off(-0.36, -0.06) > 0.1
    assert 0.02 < off(-0.28, -0.02) < off(-0.36, -0.02)
    assert off(-0.36, 0.15) > 0.9
    untouched = (teeth < 0.01) & ~lip & (np.abs(v + 0.36) > 0.07)
    assert np.array_equal(spread[untouched], light[untouched])
    bare = light.copy()
    Mouth(replace(subject, lips=None, teeth=None)).spread(bare)
    assert np.array_equal(bare, light)


def mouth_of(plate: Plate, lip: F32) -> Mouth:
    """The mouth of a flat face."""
    shape = plate.matte.shape
    maps = {name: freeze(np.zeros(shape, np.float32)) for name in ("hair", "cloth", "eyes", "roughness", "specular", "sheen", "depth")}
    skin = freeze(np.ones(shape, np.float32))
    normal = freeze(np.dstack([np.zeros((*shape, 2)), np.ones(shape)]).astype(np.float32))
    albedo = freeze(np.broadcast_to(FACE, (*shape, 3)).astype(np.float32))
    return Mouth(Subject(HW, skin, albedo, normal=normal, skin=skin, head_px=(0, 0), lips=lip, teeth=plate.parts["teeth"], **maps))


def test_a_row_of_teeth_is_round_under_a_lamp_at_the_cheek() -> None:
    """Its front, toward the lamp, holds half of the skin's light, corners and the far half lie in shade; none where lips are dark."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = freeze(np.asarray((np.abs(u) < 0.22) & (np.abs(v + 0.29) < 0.020), np.float32))
    row = (np.abs(u) < 0.20) & (np.abs(v + 0.36) < 0.02)
    light = np.where((np.abs(u) < 0.24) & (np.abs(v + 0.36) < 0.06), 0.05, 0.8).astype(np.float32)
    lamp = (0.9, 0.4, 0.17)
    lit = light.copy()
    mouth_of(plate, lip).spread(lit, lamp)

    def at(place: float, of: F32) -> float:
        return float(np.median(of[row & (np.abs(u - place) < 0.01)]))

    assert lit[row].max() == pytest.approx(0.8 * BROUGHT, rel=0.15)
    assert at(-0.18, lit) < 0.06 < at(0.02, lit) < at(0.09, lit)
    assert at(0.185, lit) < at(0.09, lit)
    # From the other side, the other way round.
    other = light.copy()
    mouth_of(plate, lip).spread(other, (-0.9, 0.4, 0.17))
    assert at(-0.09, other) == pytest.approx(at(0.09, lit), rel=0.05)
    # A lamp that leaves the lips dark lights nothing between them.
    dark = np.asarray(light * (1 - lip) * (np.abs(u) > 0.25), np.float32)
    none = dark.copy()
    mouth_of(plate, lip).spread(none, lamp)
    assert none[row].max() < 0.02


def test_a_row_lies_in_the_shadow_that_the_skin_beside_it_lies_in() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = freeze(np.asarray((np.abs(u) < 0.22) & (np.abs(v + 0.29) < 0.020), np.float32))
    lamp, row = (0.9, 0.4, 0.17), (np.abs(u) < 0.20) & (np.abs(v + 0.36) < 0.02)
    whole = np.full(plate.matte.shape, 0.8, np.float32)
    shaded = np.where(u > 0.02, 0.8, 0.02).astype(np.float32)
    for light in (whole, shaded):
        light[(np.abs(u) < 0.24) & (np.abs(v + 0.36) < 0.06)] *= 0.06
        mouth_of(plate, lip).spread(light, lamp)

    def at(place: float, of: F32) -> float:
        return float(np.median(of[row & (np.abs(u - place) < 0.01)]))

    # A stop and more over the last of the row that is seen, nothing at the lamp's side.
    assert at(-0.06, shaded) < 0.6 * at(-0.06, whole)
    assert at(0.12, shaded) == pytest.approx(at(0.12, whole), rel=0.1)


def two_rows(plate: Plate) -> Plate:
    """`plate` with a dark gap between an upper row and a lower one."""
    u, v = hw(plate)
    gap = (np.abs(u) < 0.20) & (np.abs(v + 0.352) < 0.006)
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    albedo[gap] = (0.08, 0.03, 0.02)
    parts["teeth"] = freeze(np.asarray(parts["teeth"] * ~gap, np.float32))
    return replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts)


def test_a_lower_row_is_teeth_as_the_upper_one_in_less_light() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    tone = luminance(mended(two_rows(plate)))
    line = np.abs(((u + 0.2) / 0.05) % 1 - 0.5) > 0.46
    upper, lower = ((np.abs(u) < 0.1) & (np.abs(v - at) < 0.010) for at in (-0.385, -0.330))
    for row in (upper, lower):
        assert 0.55 < np.median(tone[row & line]) / np.median(tone[row & ~line]) < 0.85
    assert np.median(tone[lower]) / np.median(tone[upper]) == pytest.approx(teeth.BELOW, rel=0.1)


def test_a_tongue_is_red_and_a_mouths_depth_is_no_grey() -> None:
    """What is red behind two rows keeps its colour and its tone; what is nearly black, and blue in the photo, is flesh in the dark."""
    plate = two_rows(toothed(chip=False))
    u, v = hw(plate)
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    tongue = (np.abs(u) < 0.09) & (np.abs(v + 0.352) < 0.016)
    depth = (np.abs(u) > 0.12) & (np.abs(u) < 0.20) & (np.abs(v + 0.352) < 0.016)
    albedo[tongue], albedo[depth] = (0.30, 0.08, 0.08), (0.010, 0.012, 0.016)
    parts["teeth"] = freeze(np.asarray(parts["teeth"] * ~(tongue | depth), np.float32))
    after = mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts))
    inner = np.abs(v + 0.352) < 0.006
    red, black = (np.median(after[part & inner], 0) for part in (tongue & (np.abs(u) < 0.05), depth & (np.abs(u) < 0.16)))
    upper = np.median(luminance(after)[(np.abs(u) < 0.1) & (np.abs(v + 0.385) < 0.010)])
    assert red[0] / red[1] > 3.0
    assert 0.10 < luminance(red[None])[0] / upper < 0.25
    assert black[0] / black[1] > 1.5
    assert black[2] / black[1] < 0.9
    assert luminance(black[None])[0] < 0.05 * upper


def lipped(lip_albedo: F32, lip_colour: F32) -> tuple[Plate, F32]:
    """A face with a lower lip, its albedo and the photo apart, and where that is."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = (np.abs(u) < 0.22) & (np.abs(v + 0.28) < 0.035)
    albedo, colour = np.array(plate.albedo), np.array(plate.albedo)
    albedo[lip], colour[lip] = lip_albedo, lip_colour
    parts = {**plate.parts, "lips": freeze(lip.astype(np.float32))}
    return replace(plate, albedo=freeze(albedo), colour=freeze(colour), parts=parts), lip


def test_lips_keep_the_tone_and_the_hue_they_have_beside_the_skin_in_the_photo() -> None:
    """Delighting had made them skin: they come back by their share, darker, and as red as they were; no lip comes out much lighter."""
    face = np.array(FACE, np.float32)
    own = face * np.array([1.2, 1.0, 1.1], np.float32) * np.float32(0.5)
    plate, lip = lipped(face, own)
    inner = lip & (np.abs(hw(plate)[0]) < 0.15) & (np.abs(hw(plate)[1] + 0.28) < 0.02)
    after = np.median(mended(plate)[inner], 0)
    wanted = luminance(face[None])[0] * (luminance(own[None])[0] / luminance(face[None])[0]) ** retouch.LIPS_OWN
    assert luminance(after[None])[0] == pytest.approx(wanted, rel=0.1)
    assert after[0] / after[1] == pytest.approx(own[0] / own[1], rel=0.05)
    pale, _ = lipped(face, face * np.float32(1.6))
    assert np.median(luminance(mended(pale))[inner]) == pytest.approx(luminance(face[None])[0] * np.exp(retouch.SHEEN), rel=0.05)


def test_nothing_beside_lips_is_redder_than_they_are() -> None:
    face = np.array(FACE, np.float32)
    own = face * np.array([1.15, 1.0, 1.0], np.float32) * np.float32(0.7)
    plate, _ = lipped(own, own)
    u, v = hw(plate)
    shade = (np.abs(u) < 0.10) & (np.abs(v + 0.23) < 0.012)
    albedo = np.array(plate.albedo)
    albedo[shade] = (0.20, 0.02, 0.02)
    after = mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo)))
    red = np.median(after[shade & (np.abs(u) < 0.08) & (np.abs(v + 0.235) < 0.005)], 0)
    assert red[0] / red[1] < 1.3 * own[0] / own[1]
    assert luminance(red[None])[0] == pytest.approx(luminance(albedo[shade])[0], rel=0.25)  # a shaven beard's shade is eased


def test_lips_stand_in_the_faces_light_and_keep_their_tone() -> None:
    """Within lips' own distance from a face's hue all stays, of what is beyond a share goes; blotches of a few pixels go, tone does not."""
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = (np.abs(u) < 0.22) & (np.abs(v + 0.28) < 0.035)
    parts = {**plate.parts, "lips": freeze(lip.astype(np.float32))}
    inner = (np.abs(u) < 0.18) & (np.abs(v + 0.28) < 0.02)
    face = np.array(FACE, np.float32)
    for red, blue in ((0.2, 0.1), (0.9, 0.1), (0.2, 0.6)):
        albedo = np.array(plate.albedo)
        own = np.array([face[0] * np.exp(red), face[1], face[2] * np.exp(blue)], np.float32)
        own *= np.float32(0.2) / luminance(own[None])[0]
        albedo[lip] = own * (1 + 0.1 * np.random.default_rng(1).standard_normal((int(lip.sum()), 3))).astype(np.float32)
        was, after = np.array(albedo), np.array(albedo)
        retouch._lip_colour(after, replace(plate, parts=parts), face)
        np.testing.assert_allclose(luminance(after[inner]), luminance(was[inner]), rtol=0.02)
        hue = np.log(np.median(after[inner] / after[inner][:, 1:2], 0) / (face / face[1]))
        for found, had, most in ((hue[0], red, retouch.LIP_RED), (hue[2], blue, retouch.LIP_BLUE)):
            assert found == pytest.approx(min(had, most) + retouch.BEYOND * max(had - most, 0.0), abs=0.03)
        assert (after[inner][:, 0] / after[inner][:, 1]).std() < 0.6 * (was[inner][:, 0] / was[inner][:, 1]).std()


def test_lashes_are_brown_and_make_up_keeps_its_colour() -> None:
    plate = person(turn=0.0)
    u, v = hw(plate)
    mesh, face = np.array(plate.landmarks), np.array(FACE, np.float32)
    for lids, side in zip(
        (retouch.UPPER_LIDS[0] + retouch.LOWER_LIDS[0], retouch.UPPER_LIDS[1] + retouch.LOWER_LIDS[1]), (-1, 1), strict=True
    ):
        for i, at in zip(lids, np.linspace(-0.08, 0.08, len(lids)), strict=True):
            mesh[i, :2] = (EYE_X + (0.2 * side + at) * HW, CHIN_Y - 0.85 * HW)
    lash, shadow = ((np.abs(u - 0.2) < 0.03) & (np.abs(v + at) < 0.01) for at in (0.86, 0.89))
    albedo = np.array(plate.albedo)
    albedo[lash], albedo[shadow] = (0.06, 0.08, 0.09), (0.32, 0.42, 0.48)
    after = np.array(albedo)
    retouch._lashes(after, replace(plate, landmarks=mesh), face)
    found = np.median(after[lash], 0)
    assert np.log(found[0] / found[1]) == pytest.approx(np.log(face[0] / face[1]) - retouch.LASH_HUE, abs=0.02)
    assert luminance(found[None])[0] == pytest.approx(luminance(albedo[lash]).mean(), rel=0.01)
    np.testing.assert_allclose(after[~lash], albedo[~lash], atol=1e-3)


def test_brows_are_of_one_hue_and_keep_their_tone() -> None:
    plate = person(turn=0.0)
    u, v = hw(plate)
    brows = (np.abs(np.abs(u) - 0.2) < 0.12) & (np.abs(v + 1.0) < 0.03)
    mesh = np.array(plate.landmarks)
    for ring, side in zip(BROWS, (-1, 1), strict=True):
        for i, at in zip(ring, np.linspace(-0.12, 0.12, len(ring)), strict=True):
            mesh[i, :2] = (EYE_X + (0.2 * side + at) * HW, CHIN_Y - 1.0 * HW)
    albedo = np.array(plate.albedo)
    albedo[brows] = (0.10, 0.07, 0.05)
    cold = brows & (u < -0.2)
    albedo[cold] = (0.07, 0.07, 0.08)
    after = np.array(albedo)
    retouch._one_melanin(after, replace(plate, landmarks=mesh, parts={**plate.parts, "brows": freeze(brows.astype(np.float32))}))
    far = brows & (u < -0.27)
    own = np.log(0.10 / 0.07)
    assert own - 0.02 > np.log(np.median(after[far][:, 0] / after[far][:, 1])) > own - 1.5 * retouch.BROW_HUE
    np.testing.assert_allclose(luminance(after), luminance(albedo), rtol=0.01)
    np.testing.assert_allclose(after[brows & (u > 0.1)], albedo[brows & (u > 0.1)], rtol=0.01)


def test_light_on_teeth_is_coloured_by_the_flesh_round_them() -> None:
    plate = toothed(chip=False)
    u, v = hw(plate)
    lip = freeze(np.asarray((np.abs(u) < 0.22) & (np.abs(v + 0.29) < 0.020), np.float32))
    light = np.ones((*plate.matte.shape, 3), np.float32)
    mouth_of(plate, lip).redden(light)
    red, green, blue = np.median(light[(np.abs(u) < 0.15) & (np.abs(v + 0.36) < 0.02)], 0)
    assert 1.0 < red / green < FACE[0] / FACE[1]
    assert FACE[2] / FACE[1] < blue / green < 1.0
    assert np.array_equal(light[v < -0.5], np.ones_like(light[v < -0.5]))


def test_whites_are_white_and_irises_take_light() -> None:
    plate = person(turn=0.0)
    mesh = np.array(plate.landmarks)
    middle = np.array([EYE_X + 0.2 * HW, CHIN_Y - 0.85 * HW])
    radius = 0.035 * HW
    for i, (dx, dy) in zip(retouch.IRISES[0], ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)), strict=True):
        mesh[i, :2] = middle + radius * np.array([dx, dy])
    mesh[list(retouch.IRISES[1])] = 0
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    away = np.hypot(x - middle[0], y - middle[1]) / radius
    eye = (np.abs(x - middle[0]) < 2.6 * radius) & (np.abs(y - middle[1]) < 1.1 * radius)
    albedo = np.array(plate.albedo)
    albedo[eye] = (0.20, 0.18, 0.24)
    albedo[eye & (away < 1)] = (0.03, 0.02, 0.015)
    parts = dict(plate.parts)
    parts["eyes"] = freeze(eye.astype(np.float32))
    after = mended(replace(plate, albedo=freeze(albedo), landmarks=mesh, parts=parts))
    white, ring = eye & (away > 1.5), eye & (away > 0.55) & (away < 0.8)
    assert luminance(after)[white].mean() == pytest.approx(retouch.WHITE[0], rel=0.1)
    assert np.ptp(after[white].mean(0)) < np.ptp(albedo[white].mean(0)) * 1.5
    assert 1.3 < luminance(after)[ring].mean() / luminance(albedo)[ring].mean() <= retouch.IRIS_GAIN + 0.01


def test_dark_glass_is_what_no_frame_is_as_broad_as() -> None:
    y, x = np.mgrid[0:200, 0:300].astype(np.float32)
    away = np.hypot(x - 150, y - 100)
    rim, lens = np.asarray(np.abs(away - 50) < 5, np.float32), np.asarray(away < 50, np.float32)
    assert retouch.dark_glass(rim, HW).max() == 0
    found = retouch.dark_glass(lens, HW)
    assert found[away < 48].min() == 1
    assert found[away > 51].max() == 0


def test_who_wants_no_retouching_gets_none() -> None:
    plate = toothed()
    teeth = plate.parts["teeth"] > 0.9
    kept = dress(plate, TURTLENECK, retouched=False)
    assert np.abs(kept.albedo[teeth] - plate.albedo[teeth]).max() < 1e-6
    assert np.abs(dress(plate, TURTLENECK).albedo[teeth] - plate.albedo[teeth]).max() > 0.1


def test_a_blue_fleck_at_the_jaw_takes_the_skin_beside_it(astronaut_plate: Plate) -> None:
    """What a jacket left at the outline goes; the same blue in the middle of the cheek, make-up perhaps, stays."""
    skin_share = astronaut_plate.parts["skin"]
    skin = skin_share > 0.5
    deep = cv2.distanceTransform(skin.astype(np.uint8), cv2.DIST_L2, 5) / astronaut_plate.hw_px
    rows = np.arange(len(skin))[:, None] * np.ones(skin.shape[1])
    at_edge = np.argwhere((deep > 0.012) & (deep < 0.02) & (skin_share > 0.97) & (rows < astronaut_plate.landmarks[152, 1]))[0]
    within = np.round(astronaut_plate.landmarks[50, [1, 0]]).astype(int)
    albedo = np.array(astronaut_plate.albedo)
    blue = np.array([0.10, 0.20, 0.45], np.float32)
    for y, x in (at_edge, within):
        albedo[y - 2 : y + 3, x - 2 : x + 3] = blue
    retouch.retouch(albedo, astronaut_plate)
    assert albedo[tuple(at_edge)][2] < albedo[tuple(at_edge)][0]
    assert np.allclose(albedo[tuple(within)], blue, atol=0.05)


@pytest.mark.parametrize(("jaw", "added"), [(-0.30, 0.07), (0.02, 0.0)], ids=["neck", "jaw"])
def test_a_neck_seen_beside_the_jaw_goes_on_below_it(jaw: float, added: float) -> None:
    """Its own flank on the right stands .07 hw out of the cylinder, down to a collar .05 below the chin; on the left cloth hides it.

    Above the `jaw`'s line what is seen there is the jaw, and says nothing.
    """
    k = 100.0
    y, x = (v.astype(np.float32) / np.float32(k) for v in np.mgrid[-40:60, -80:81])
    matte = np.asarray((np.abs(x) < 0.45) | (y > 0.05), np.float32)
    skin = np.asarray(matte * (x > 0) * (y < 0.05), np.float32)
    plate = SimpleNamespace(matte=matte, parts={"skin": skin}, hw_px=k)
    below, half = np.asarray(y - np.float32(jaw), np.float32), np.full_like(x, 0.38)
    more = throat._flanks(plate, below, x, y, half, np.s_[0 : len(x), 0 : x.shape[1]])  # type: ignore[arg-type]
    left, right = more[:, 10], more[:, 150]
    assert left.max() == 0
    assert right[30] == pytest.approx(added, abs=0.012)  # .10 above the chin
    assert right[69:].max() == 0
    assert (np.abs(np.diff(right)) * k < 1.0).all()  # no step of a pixel


def test_an_old_collar_read_as_skin_is_no_kink_in_a_neck() -> None:
    """A neck of .36 hw that seems to open by .2 hw within .1 of its height, where a collar stood."""
    k = 100.0
    y, x = (v.astype(np.float32) / np.float32(k) for v in np.mgrid[-40:60, -80:81])
    edge = 0.36 + 2 * np.clip(y + 0.2, 0, 0.1)
    skin = np.asarray((np.abs(x) < edge) & (y < 0.05), np.float32)
    plate = SimpleNamespace(matte=skin, parts={"skin": skin}, hw_px=k)
    below, half = np.asarray(y + 0.5, np.float32), np.full_like(x, 0.38)
    more = throat._flanks(plate, below, x, y, half, np.s_[0 : len(x), 0 : x.shape[1]])  # type: ignore[arg-type]
    down = more[:36, 150]
    assert down[0] == pytest.approx(-0.02, abs=0.012)
    assert np.diff(down).max() * k < 1.3 * throat.FLARES


def necked() -> tuple[Plate, neck.Bust, neck.Kept, F32, F32]:
    """Somebody who looks straight ahead, the bust and what is kept, and where each pixel lies on that bust."""
    plate = person(turn=0.0)
    bust = neck.measure(plate, np.zeros_like(plate.matte))
    y_px, x_px = np.mgrid[0 : plate.matte.shape[0], 0 : plate.matte.shape[1]].astype(np.float32)
    return plate, bust, neck.keep(plate), *bust.across(x_px, y_px)


def test_a_neck_is_dark_where_it_goes_into_its_collar() -> None:
    plate, bust, kept, x, y = necked()
    collar = garments.Closed(bust.neck, -0.05, 0.30)
    free, held = (luminance(throat.rebuild(plate, bust, kept, x, y, (0, 0), one).albedo) for one in (None, collar))
    over = collar.over(x, y)
    bare = (np.abs(x) < 0.1) & (y > 0.05)
    assert (held / np.maximum(free, 1e-6))[bare & (np.abs(over) < 0.01)].max() < 0.55
    assert (held / np.maximum(free, 1e-6))[bare & (over > 0.18)].min() > 0.9


@pytest.mark.parametrize(("seen", "half"), [(0.43, 0.43), (0.30, 0.39)], ids=["broad", "covered"])
def test_a_neck_beside_hair_is_as_broad_as_its_skin_is_seen(seen: float, half: float) -> None:
    _, x = (v.astype(np.float32) / np.float32(100) for v in np.mgrid[-50:60, -80:81])
    skin = np.asarray(np.abs(x) < seen, np.float32)
    plate = SimpleNamespace(matte=np.ones_like(x), parts={"skin": skin, "hair": 1 - skin}, hw_px=100.0)
    shift, found = neck._neck_run(plate, 80, 50)  # type: ignore[arg-type]
    assert shift == pytest.approx(0, abs=0.011)
    assert found == pytest.approx(half, abs=0.012)


def test_a_neck_has_the_hue_of_the_lower_face_and_no_seam_of_stubble(astronaut_plate: Plate) -> None:
    """Whatever colour stubble has along the jaw and an old shirt threw on the neck."""
    plate = astronaut_plate
    kept = neck.keep(plate)
    box = np.s_[0 : plate.matte.shape[0], 0 : plate.matte.shape[1]]
    blue = np.array(plate.albedo)
    blue[(kept.below > -0.03) & (plate.parts["skin"] > 0.5)] *= np.array([0.7, 0.9, 1.3], np.float32)
    tone = throat._skin_below(replace(plate, albedo=freeze(blue)), kept, box)
    below = (kept.below > 0.02) & (kept.below < 0.3)
    face = plate.albedo[(kept.below < -0.1) & (kept.below > -throat.FACE_HW) & (plate.parts["skin"] > 0.9)]
    found, known = tone[below][:, 0] / tone[below][:, 2], np.median(face[:, 0] / face[:, 2])
    assert np.ptp(found) < 0.02
    assert known**0.75 < np.median(found) < known**1.02


def test_a_neck_broader_than_its_collar_draws_in_to_it() -> None:
    """No skin stands beside a collar, and what hangs under an ear hangs from a neck as broad as the photo's."""
    plate, bust, kept, x, y = necked()
    collar = garments.Closed(0.8 * bust.neck, 0.05, 0.15)
    free, held = (throat.rebuild(plate, bust, kept, x, y, (0, 0), one).cover > 0.5 for one in (None, collar))
    beside = (np.abs(x) > collar.wide + 0.02) & (y > collar.top)
    assert free[beside].any()
    assert not held[beside].any()
    high = y < collar.top - throat.ENTERS_HW
    assert (free[high] == held[high]).all()


def test_the_dark_side_of_a_neck_mirrors_no_room() -> None:
    """Film on skin that no light gets to is grey, whoever's skin it is: what is shaded in the jaw's core is shaded in what it mirrors."""
    plate = person(turn=0.0)
    bust, kept = neck.measure(plate, np.zeros_like(plate.matte)), neck.keep(plate)
    y_px, x_px = np.mgrid[0 : plate.matte.shape[0], 0 : plate.matte.shape[1]].astype(np.float32)
    sheet = throat.rebuild(plate, bust, kept, *bust.across(x_px, y_px), (0, 0))
    mirrors = np.broadcast_to(sheet.specular, sheet.cover.shape)
    shown = sheet.cover > 0.9
    core, lit = shown & (kept.below > 0) & (kept.below < 0.02), shown & (kept.below > 0.3)
    assert mirrors[core].mean() < 0.2 * mirrors[lit].max()


def test_a_body_that_the_photo_cuts_sinks_into_the_dark() -> None:
    """As worn: all of it is there well above the photo's lower edge, next to nothing at it, without a line; the head is not touched."""
    plate = person(turn=0.0, below=round(CHIN_Y + 0.9 * HW))
    assert plate.inside.min() == 0
    both = (plate, replace(plate, inside=np.ones_like(plate.inside)))
    worn, whole = (luminance(dress(one, Cloth("as-worn", 0.05)).albedo) for one in both)
    end = int(np.flatnonzero(plate.inside.any(1))[-1])
    u, _ = hw(plate)
    middle = np.abs(u[end]) < 0.3
    share = (worn / np.maximum(whole, 1e-6))[:, middle].mean(1)
    assert share[end + round(0.1 * HW) :].max() < 0.1
    assert share[end - round(0.6 * HW)] > 0.9
    assert np.abs(np.diff(share)).max() * HW < 6  # a third of the light in a twentieth of a head-width, at most
    head = (neck.keep(plate).below < 0) & (plate.matte > 0.9)
    hair = plate.parts["hair"] > 0
    np.testing.assert_allclose(worn[head & ~hair], whole[head & ~hair], rtol=1e-3)
    # How deep hair is between its locks is read from what the photo shows of it.
    np.testing.assert_allclose(worn[head & hair], whole[head & hair], rtol=0.05)


def test_a_chip_is_filled_and_a_fold_of_flesh_between_two_teeth_is_none() -> None:
    plate, (u, v) = toothed(), hw(toothed())
    hole, row = ((np.abs(v + 0.36 - d) < 0.015) & (np.abs(u - at) < 0.008) for d, at in ((0.02, 0.025), (-0.02, 0.075)))
    red, grey = np.array(plate.albedo), np.array(plate.albedo)
    grey[luminance(plate.albedo) < 0.035] = 0.03
    for albedo, filled in ((red, False), (grey, True)):
        colour = freeze(np.asarray(albedo, np.float32))
        tone = luminance(mended(replace(plate, colour=colour, albedo=colour)))
        assert (np.median(tone[hole]) > 0.45 * np.median(tone[row])) == filled


def test_a_row_keeps_the_shade_that_lips_and_cheeks_throw_on_its_ends() -> None:
    plate = toothed(chip=False)
    mesh = np.array(plate.landmarks)
    mesh[78, :2], mesh[308, :2] = ((EYE_X + dx * HW, CHIN_Y - 0.36 * HW) for dx in (-0.22, 0.22))
    u, v = hw(plate)
    fall = np.exp(-4.0 * np.abs(u))[..., None]
    colour = freeze(np.asarray(plate.colour * (1 + plate.parts["teeth"][..., None] * (fall - 1)), np.float32))
    tone = luminance(mended(replace(plate, landmarks=mesh, colour=colour, albedo=colour)))
    row = np.abs(v + 0.36) < 0.02
    last, first = (np.median(tone[row & (np.abs(np.abs(u) - at) < 0.015)]) for at in (0.16, 0.02))
    # Three quarters of its depth (log) stay, of which what is finer than a row's own light and dark stays whole.
    assert np.exp(-4.0 * 0.14) * teeth.CORNER < last / first < np.exp(-4.0 * 0.14 * (0.9 - teeth.EVENED[0])) * (1 + teeth.CORNER) / 2


def test_the_upper_lid_shades_what_lies_under_it() -> None:
    along = np.linspace(0, 40, 9, dtype=np.float32)
    arch = 8 * np.sin(np.pi * along / 40).astype(np.float32)
    ys, xs = np.mgrid[0:40, 0:60].astype(np.float32)
    left = retouch._under_lid(np.stack([along + 10, 20 - arch], 1), np.stack([along + 10, 20 + arch], 1), xs, ys)
    assert left[13, 30] < retouch.LID_SHADE + 0.1
    assert left[22, 30] == pytest.approx(1, abs=0.05)
    # The inner corner may lie on either side.
    right = retouch._under_lid(np.stack([50 - along, 20 - arch], 1), np.stack([50 - along, 20 + arch], 1), xs, ys)
    np.testing.assert_allclose(left, right, atol=1e-4)


def test_a_chip_is_no_gap_between_two_rows() -> None:
    plate = toothed()
    u, v = hw(plate)
    one = mended(plate)
    row = (np.abs(u) < 0.10) & (np.abs(u - 0.025) > 0.03)
    upper, lower = row & (np.abs(v + 0.385) < 0.010), row & (np.abs(v + 0.335) < 0.010)
    assert np.median(luminance(one)[lower]) > 0.8 * np.median(luminance(one)[upper])
    albedo, parts = np.array(plate.albedo), dict(plate.parts)
    gap = (np.abs(u) < 0.20) & (np.abs(v + 0.36) < 0.008)
    albedo[gap] = (0.03, 0.015, 0.012)
    parts["teeth"] = freeze(np.asarray(parts["teeth"] * ~gap, np.float32))
    two = mended(replace(plate, albedo=freeze(albedo), colour=freeze(albedo), parts=parts))
    assert np.median(luminance(two)[lower]) / np.median(luminance(two)[upper]) == pytest.approx(teeth.BELOW, rel=0.1)
    assert np.median(luminance(two)[upper]) == pytest.approx(np.median(luminance(one)[upper]), rel=0.1)
