"""Laws of light, on a bust whose geometry is exact."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

import bust
from lowkey.darkroom import brdf, eyes, light
from lowkey.darkroom.aiming import aim
from lowkey.darkroom.horizon import horizon, without_flecks
from lowkey.darkroom.light import Relight
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, luminance
from lowkey.rig import Auto, Direction, Source

HW = 72.0


@pytest.fixture(scope="module")
def matte_bust() -> Relight:
    return Relight(bust.subject(HW))


def lit(bench: Relight, azimuth: float, elevation: float, radius: float = 2.5) -> F32:
    return luminance(bench.source(Source(Direction(azimuth, elevation), angular_radius_deg=radius)))


def value(picture: F32, x: float, y: float) -> float:
    return float(bust.at(picture, x, y, HW))


def analytic(s: Subject, azimuth: float, elevation: float) -> F32:
    return np.maximum(s.normal @ np.array(Direction(azimuth, elevation).vector, np.float32), 0) * s.matte * np.float32(0.5)


def test_frontal_light_is_lambert(matte_bust: Relight) -> None:
    error = np.abs(lit(matte_bust, 0, 0) - analytic(matte_bust.subject, 0, 0))
    assert error.mean() < 0.004


def test_light_scales_with_irradiance_and_cache_does_not_change_it(matte_bust: Relight) -> None:
    one = matte_bust.source(Source(Direction(40, 20)))
    two = matte_bust.source(Source(Direction(40, 20), irradiance_rgb=(2.0, 0.5, 0.0)))
    fresh = Relight(matte_bust.subject).source(Source(Direction(40, 20), irradiance_rgb=(2.0, 0.5, 0.0)))
    np.testing.assert_allclose(two, one * np.array([2.0, 0.5, 0.0], np.float32), rtol=1e-6)
    np.testing.assert_array_equal(two, fresh)
    assert not two[..., 2].any()


def test_a_grid_leaves_the_axis_alone_and_half_at_its_edge(matte_bust: Relight) -> None:
    """From the camera, so that an angle off the axis is a place in the picture; on the bust's forehead and shoulders."""
    bare, gridded = (
        luminance(matte_bust.source(Source(Direction(0, 0), distance_hw=9.0, grid_deg=grid))) for grid in (180.0, 12.0)
    )  # fmt: skip
    s = matte_bust.subject
    rows, columns = np.mgrid[: s.matte.shape[0], : s.matte.shape[1]]
    aside = np.hypot(columns - s.head_px[0], rows - s.head_px[1]) / s.hw_px
    off = np.degrees(np.arctan2(aside, 9.0 - s.depth))
    open_ = (s.matte > 0.99) & (matte_bust.open > 0.9) & (bare > 0.1)
    ratio = gridded[open_] / bare[open_]
    np.testing.assert_allclose(ratio, 1 / (1 + (off[open_] / 6) ** 4), atol=0.03)
    assert ratio.max() > 0.99
    assert ratio.min() < 0.5


def test_fill_and_ambient_add_in_stops(matte_bust: Relight) -> None:
    np.testing.assert_allclose(matte_bust.fill(-2.0), 2 * matte_bust.fill(-3.0), rtol=1e-5)
    assert not matte_bust.fill(-math.inf).any()
    np.testing.assert_allclose(matte_bust.ambient((0.2, 0.1, 0.0))[..., 0], 2 * matte_bust.ambient((0.1, 0.1, 0.1))[..., 1], rtol=1e-5)


def test_a_large_source_is_the_sum_of_small_ones(matte_bust: Relight) -> None:
    """Light adds: a disk of 10 degrees is the mean of points spread evenly over it."""
    azimuth, elevation, radius = 40.0, 35.0, 10.0
    centre = np.array(Direction(azimuth, elevation).vector)
    side = np.cross(centre, [0, 1, 0])
    side /= np.linalg.norm(side)
    top = np.cross(side, centre)
    total = np.zeros_like(matte_bust.subject.matte)
    n = 40
    for i in range(n):
        r, turn = math.radians(radius) * math.sqrt((i + 0.5) / n), i * math.pi * (3 - math.sqrt(5))
        d = centre + math.tan(r) * (math.cos(turn) * side + math.sin(turn) * top)
        d /= np.linalg.norm(d)
        small = Source(Direction(math.degrees(math.atan2(d[0], d[2])), math.degrees(math.asin(d[1]))), angular_radius_deg=0.5)
        total += luminance(matte_bust.source(small)) / n
    whole = lit(matte_bust, azimuth, elevation, radius)
    assert np.abs(whole - total).mean() < 0.006
    assert np.percentile(np.abs(whole - total), 99) < 0.06


@pytest.mark.parametrize("specular", [0.0, 0.036])
def test_white_furnace(specular: float) -> None:
    """A white bust in a white surround returns at most what comes in, from an even sky and from lamps all round."""
    bench = Relight(bust.subject(48.0, albedo=1.0, specular=specular, skin=1.0))
    # Silhouette pixels are left out: there a finite number of lamps is a poor integral of a grazing mirror.
    on = (bench.subject.matte > 0) & (bench.subject.normal[..., 2] > 0.2)
    assert bench.ambient((1.0, 1.0, 1.0)).max() <= 1 + 1e-5
    n = 120
    total, sky = np.zeros_like(bench.subject.matte), np.zeros_like(bench.subject.matte)
    for i in range(n):
        y = 1 - (2 * i + 1) / n
        turn = i * math.pi * (3 - math.sqrt(5))
        x, z = math.cos(turn) * math.sqrt(1 - y * y), math.sin(turn) * math.sqrt(1 - y * y)
        where = Direction(math.degrees(math.atan2(x, z)), math.degrees(math.asin(y)))
        total += luminance(bench.source(Source(where, angular_radius_deg=5.0))) * (4 / n)
        sky += np.maximum(bench.subject.normal @ np.array(where.vector, np.float32), 0) * (4 / n)
    # `sky` is what these lamps would give to a matte white without any shadow: 1 but for their number.
    assert np.percentile((total / sky)[on], 99) <= (1.01 if specular == 0 else 1.04)
    # ... and an open forehead returns nearly all of it.
    assert bust.at(total, 0.0, 0.75, 48.0) > 0.9


def test_mirrored_plate_and_azimuth_mirror_the_frame() -> None:
    one = bust.subject(HW, specular=0.03, skin=1.0, lean=0.08)
    two = bust.mirrored(one)
    for azimuth, elevation in ((92, 18), (45, 38), (122, 18)):
        a = Relight(one).source(Source(Direction(azimuth, elevation), angular_radius_deg=4.0))
        b = Relight(two).source(Source(Direction(-azimuth, elevation), angular_radius_deg=4.0))
        assert np.abs(a - b[:, ::-1]).max() < 1e-5, (azimuth, elevation)
        assert np.abs(a - a[:, ::-1]).max() > 0.1  # the light itself is not symmetrical


def test_overhead_lights_the_top_row(matte_bust: Relight) -> None:
    """y is up: a flipped y once cost 50 degrees."""
    picture = lit(matte_bust, 0, 72)
    rows = np.flatnonzero((matte_bust.subject.matte > 0).any(1))
    head = rows[rows < rows[0] + 1.3 * HW]
    top, bottom = picture[head[2]].max(), picture[head[-8]].max()
    assert top > 0.3
    assert top > 4 * bottom


def test_plus_90_is_frame_right(matte_bust: Relight) -> None:
    picture = lit(matte_bust, 90, 0)
    w = picture.shape[1]
    assert picture[:, w // 2 + 20 :].mean() > 10 * picture[:, : w // 2 - 20].mean()
    assert value(picture, 0.45, 0.35) > 0.35
    assert value(picture, -0.3, 0.35) < 0.005


def test_light_from_behind_lights_rims_only(matte_bust: Relight) -> None:
    picture = lit(matte_bust, 150, 20)
    bright = picture > 0.05
    assert bright.any()
    assert (matte_bust.subject.normal[..., 2][bright] < 0.75).all()
    assert value(picture, 0.0, 0.5) == 0
    assert lit(matte_bust, 180, 0, 1.0).mean() < 0.002


def test_the_nose_throws_its_shadow_away_from_the_lamp(matte_bust: Relight) -> None:
    free = analytic(matte_bust.subject, 50, 10)
    picture = lit(matte_bust, 50, 10)
    assert value(picture, -0.13, 0.26) < 0.3 * value(free, -0.13, 0.26)
    assert value(picture, 0.16, 0.28) > 0.9 * value(free, 0.16, 0.28)


def test_light_from_above_leaves_the_neck_darker_than_the_chin(matte_bust: Relight) -> None:
    for elevation in (45, 55):
        picture = lit(matte_bust, 20, elevation)
        chin = max(value(picture, 0.02, y) for y in (0.05, 0.0, -0.05, -0.1))
        neck = max(value(picture, 0.02, y) for y in (-0.36, -0.39, -0.42))
        assert neck < 0.5 * chin


def test_penumbra_grows_with_the_source() -> None:
    """A wall 1 hw high under a lamp at elevation e casts 1 / tan(e); a disk of radius r blurs its end from e + r to e - r."""
    hw, h, w = 60.0, 41, 401
    depth = np.zeros((h, w), np.float32)
    depth[:, 330:] = 1.0
    one, nil = np.ones((h, w), np.float32), np.zeros((h, w), np.float32)
    normal = np.repeat(np.array([[[0, 0, 1]]], np.float32), h, 0).repeat(w, 1)
    flat = Relight(Subject(hw, one, np.repeat(one[..., None], 3, -1), depth, normal, nil, nil, nil, nil, one, nil, nil, (0, 0)))
    widths = []
    for radius in (2.0, 4.0, 8.0):
        row = flat.visibility(Direction(90 - 30, 0), radius)[h // 2, :320]
        edges = [float(np.interp(v, row[::-1], np.arange(320)[::-1])) for v in (0.5, 0.1, 0.9)]
        # Light from 60 degrees to the right of the camera stands 30 over the picture plane.
        assert abs((330 - edges[0]) / hw - 1 / math.tan(math.radians(30))) < 0.06
        widths.append(abs(edges[1] - edges[2]) / hw)
        whole = 1 / math.tan(math.radians(30 - radius)) - 1 / math.tan(math.radians(30 + radius))
        assert 0.5 * whole < widths[-1] < 0.9 * whole
    assert widths[0] < widths[1] < widths[2]


def test_no_light_leaks_at_the_terminator(matte_bust: Relight) -> None:
    """Surfaces that face away by more than the source's radius are black without bounce."""
    s = matte_bust.subject
    for azimuth, elevation in ((92, 18), (45, 38), (122, 18)):
        away = s.normal @ np.array(Direction(azimuth, elevation).vector, np.float32) < -math.sin(math.radians(3.0))
        direct = lit(matte_bust, azimuth, elevation)
        # Concave places get a little bounce; a convex head gets none.
        head = (bust.rays(HW)[2] == 1) & away & (matte_bust.open > 0.97)
        assert head.sum() > 200
        assert direct[head].max() < 0.01


def test_horizon_of_a_wall_is_its_angle() -> None:
    """A wall 1 hw high, seen from d hw away, stands atan(1 / d) high; away from it the ground is open."""
    ground = np.zeros((41, 201), np.float32)
    ground[:, 150:160] = 1.0
    angle = horizon(ground, 0.0, 50.0, 0.0)
    for d in (0.5, 1.0, 2.0):
        assert abs(float(angle[20, 150 - round(d * 50)]) - math.atan(1 / d)) < 0.01
    assert abs(float(horizon(ground, math.pi, 50.0, 0.0)[20, 60])) < 0.01
    diagonal = horizon(ground, math.pi / 4, 50.0, 0.0)
    assert abs(float(diagonal[38, 125]) - math.atan(1 / (0.5 * math.sqrt(2)))) < 0.03


def test_what_hides_nothing_is_hidden_all_the_same() -> None:
    ground = np.zeros((41, 201), np.float32)
    ground[:, 150:160], ground[:, 100:104] = 1.0, 2.0
    hides = np.ones(ground.shape, np.uint8)
    hides[:, 100:104] = 0
    for turned in (False, True):
        field, solid = (np.ascontiguousarray(m.T) if turned else m for m in (ground, hides))
        angle = horizon(field, math.pi / 2 * -turned, 50.0, 0.0, hides=solid)
        angle = angle.T if turned else angle
        assert abs(float(angle[20, 90]) - math.atan(50 / 60)) < 0.01
        assert abs(float(angle[20, 102]) - math.atan(-50 / 57)) < 0.01


def test_the_trace_of_a_lock_over_the_room_throws_no_shadow() -> None:
    """What is left of something in the soft edge of a mask covers a few hundredths: it is no wall beside a head."""
    plain = bust.subject(HW)
    matte, depth = np.array(plain.matte), np.array(plain.depth)
    room = matte < 0.02
    near = room & (np.cumsum(room[:, ::-1], 1)[:, ::-1] > 0) & (np.abs(np.arange(len(matte)) - plain.head_px[1])[:, None] < 0.3 * HW)
    traced = np.where(near, np.float32(0.05), matte).astype(np.float32), np.where(near, np.float32(1.0), depth).astype(np.float32)
    direction, head = Direction(70, 10), matte > 0.9
    want = Relight(plain).visibility(direction, 4.0)
    assert (want[head] > 0.5).any()
    got = Relight(replace(plain, matte=traced[0], depth=traced[1])).visibility(direction, 4.0)
    inner = cv2.erode(head.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.abs(got - want)[inner].max() < 0.05


def test_same_bytes_for_any_thread_count() -> None:
    import numba

    before = numba.get_num_threads()
    pictures = []
    try:
        for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            numba.set_num_threads(threads)
            pictures.append(Relight(bust.subject(HW, specular=0.03, skin=1.0)).source(Source(Direction(92, 18), angular_radius_deg=4.0)))
    finally:
        numba.set_num_threads(before)
    assert all((p == pictures[0]).all() for p in pictures)


def test_aim_lights_the_share_asked_for_on_the_side_asked_for() -> None:
    s = bust.subject(HW)
    face = ((bust.rays(HW)[2] > 0) & (bust.rays(HW)[2] < 3)).astype(np.float32)
    for lit_share in (0.3, 0.47):
        for arc in ((60.0, 125.0), (-60.0, -125.0)):
            found = aim(s, Auto(lit_share, arc, 18.0), face)
            assert math.copysign(1, found.azimuth_deg) == math.copysign(1, arc[0])
            share = (s.normal[face > 0.5] @ np.array(found.vector, np.float32) > 0.06).mean()
            assert abs(share - lit_share) < 0.02
    assert aim(s, Auto(0.3, (60.0, 125.0), 18.0), face).azimuth_deg > aim(s, Auto(0.47, (60.0, 125.0), 18.0), face).azimuth_deg


def test_near_lamp_falls_off(matte_bust: Relight) -> None:
    far = matte_bust.source(Source(Direction(0, 0)))
    near = matte_bust.source(Source(Direction(0, 0), distance_hw=3.0))
    ratio = [value(luminance(near), 0, y) / value(luminance(far), 0, y) for y in (0.6, -1.2)]
    assert ratio[0] > 1.3 * ratio[1]


def test_flecks_in_the_dark_are_dropped_and_faces_are_not() -> None:
    """A lit spot of .05 hw alone in the dark goes, one of .4 hw stays."""
    hw, n = 100.0, 241
    y, x = np.mgrid[:n, :n].astype(np.float32)
    one, nil = np.ones((n, n), np.float32), np.zeros((n, n), np.float32)
    normal = np.zeros((n, n, 3), np.float32)
    normal[..., 0], normal[..., 2] = -0.8, 0.6
    small, large = np.hypot(x - 60, y - 60) < 2.5, np.hypot(x - 150, y - 150) < 20
    normal[small | large] = (0.8, 0.0, 0.6)
    bench = Relight(Subject(hw, one, np.repeat(one[..., None], 3, -1), nil, normal, nil, nil, nil, nil, one, nil, nil, (0, 0)))
    picture = lit(bench, 80, 0)
    assert picture[150, 150] > 0.7
    assert picture[60, 60] < 0.06


def test_ambient_is_occluded_under_the_chin_and_brighter_at_contours(matte_bust: Relight) -> None:
    picture = luminance(matte_bust.ambient((0.02, 0.02, 0.02)))
    forehead, throat, contour = value(picture, 0, 0.7), value(picture, 0, -0.4), value(picture, 0.47, 0.4)
    assert 0 < throat < 0.8 * forehead
    assert contour > 1.15 * forehead


def test_one_catchlight_on_the_lamps_side() -> None:
    s = bust.subject(160.0, albedo=0.05)
    h, w = s.matte.shape
    y, x = np.mgrid[:h, :w]
    middle = (w - 1) / 2 - 0.2 * 160, (h - 1) / 2 - 0.42 * 160
    opening = (((x - middle[0]) / 15) ** 2 + ((y - middle[1]) / 8) ** 2 < 1).astype(np.float32)
    wet = replace(s, eyes=opening)
    for azimuth in (-50, 50):
        source = Source(Direction(azimuth, 20), angular_radius_deg=3.0)
        extra = luminance(Relight(wet).source(source)) * opening
        spots = np.argwhere(extra > 0.3)
        assert len(spots)
        assert np.ptp(spots, 0).max() < 8
        assert math.copysign(1, spots[:, 1].mean() - middle[0]) == math.copysign(1, azimuth)
        assert spots[:, 0].mean() < middle[1]
    assert (luminance(Relight(wet).source(Source(Direction(130, 20)))) * opening).max() < 0.1


def grid(s: Subject) -> tuple[F32, F32]:
    """x to the right and y up of every pixel from the middle, in head-widths."""
    h, w = s.matte.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    return (x - (w - 1) / 2) / np.float32(s.hw_px), -(y - (h - 1) / 2) / np.float32(s.hw_px)


def test_the_key_is_aimed_by_the_near_cheek() -> None:
    """A face that would be lit enough is turned further into the light until its near cheek is, on either side; nobody's cheek, no turn."""
    s = bust.subject(HW)
    (x, y), label = grid(s), bust.rays(HW)[2]
    face = ((label > 0) & (label < 3)).astype(np.float32)
    left, right = (((np.abs(x - side * 0.22) < 0.08) & (np.abs(y - 0.35) < 0.1)).astype(np.float32) for side in (-1, 1))
    cheeks = left, right
    for arc, near in (((60.0, 125.0), cheeks[1]), ((-60.0, -125.0), cheeks[0])):
        plain = aim(s, Auto(0.3, arc, 18.0), face, cheeks)
        turned = aim(s, Auto(0.3, arc, 18.0, cheek=0.45), face, cheeks)
        assert abs(turned.azimuth_deg) < abs(plain.azimuth_deg) - 3
        assert np.median(s.normal[(near > 0.5) & (face > 0.5)] @ np.array(turned.vector, np.float32)) > 0.42
        assert aim(s, Auto(0.3, arc, 18.0, cheek=0.45), face).azimuth_deg == aim(s, Auto(0.3, arc, 18.0), face).azimuth_deg


def haired(albedo: float) -> Subject:
    """The bust in skin of half white, with hair of `albedo` over the upper half of its head."""
    s = bust.subject(HW, skin=1.0)
    hair = ((grid(s)[1] > 0.55) * s.matte).astype(np.float32)
    return replace(s, hair=hair, skin=s.skin * (1 - hair), albedo=np.where(hair[..., None] > 0, np.float32(albedo), s.albedo))


@pytest.mark.parametrize(("albedo", "most"), [(0.39, 0), (0.90, 1)])
def test_a_flag_holds_hair_under_the_skin_and_shades_nothing_else(albedo: float, most: int) -> None:
    """Fair hair goes well under the skin; white hair, twice as pale as the skin, only beside it."""
    s = haired(albedo)
    bench, key = Relight(s), Source(Direction(60, 20), (1.0, 0.8, 0.6), 4.0)
    bare, held = bench.source(key), bench.flagged(key)
    skin, hair = s.skin > 0.6, (s.hair > 0.6) & (s.matte > 0.6)
    np.testing.assert_array_equal(held[skin & (s.hair == 0)], bare[skin & (s.hair == 0)])
    assert light._bright(luminance(held)[hair]) == pytest.approx(light.FLAGGED[most] * light._bright(luminance(held)[skin]), rel=0.08)
    assert light._bright(luminance(bare)[hair]) > 1.2 * light.FLAGGED[most] * light._bright(luminance(bare)[skin])
    rim = Source(Direction(150, 20))
    np.testing.assert_array_equal(bench.flagged(rim), bench.source(rim))
    dark = Relight(haired(0.02))
    np.testing.assert_array_equal(dark.flagged(key), dark.source(key))


def test_single_hairs_pass_a_lamp_behind_them_on_and_the_mass_does_not() -> None:
    s = haired(0.2)
    outline = (s.hair > 0.5) & (cv2.erode((s.matte > 0.99).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0)
    lone = np.asarray(outline * (np.arange(s.matte.shape[1]) % 4 == 0)[None], np.float32)
    behind = Source(Direction(165, 20), angular_radius_deg=4.0)
    rim, plain = (luminance(Relight(one).source(behind)) for one in (replace(s, lone=lone), s))
    assert np.median(rim[outline & (lone > 0)]) > 3 * np.median(plain[outline & (lone > 0)])
    np.testing.assert_allclose(rim[lone == 0], plain[lone == 0], rtol=1e-3, atol=1e-4)


def test_the_room_gives_a_side_light_back_into_the_dark_half() -> None:
    """The far contour is lit by the wall that the beam ends on; the front sees it aslant, for it stands before the sitter: shade that grows
    fourfold from the nose outward is a pillar down the face. A lamp in the middle has its wall behind the camera."""
    bench = Relight(bust.subject(HW))
    side, middle = (luminance(bench.ambient((0.01, 0.01, 0.01), Direction(azimuth, 0))) for azimuth in (90, 180))
    contour, front, lit_side = (value(side, x, 0.3) for x in (-0.44, 0.0, 0.44))
    assert 1.5 * front < contour < 4 * front
    assert contour > 4 * lit_side
    assert value(middle, 0.0, 0.3) < 0.75 * contour


def test_the_cards_glint_is_found_in_an_eye_that_no_lamp_reaches() -> None:
    s = bust.subject(320.0, albedo=0.05)
    h, w = s.matte.shape
    y, x = np.mgrid[:h, :w]
    middle = (w - 1) / 2 - 0.2 * 320, (h - 1) / 2 - 0.42 * 320
    wet = replace(s, eyes=(((x - middle[0]) / 30) ** 2 + ((y - middle[1]) / 16) ** 2 < 1).astype(np.float32))
    bench, dry = Relight(wet), Relight(s)
    dark, lamps = np.zeros((h, w, 3), np.float32), np.full((h, w, 3), 0.2, np.float32)
    glint = luminance(bench.fill(-7.6, dark) - dry.fill(-7.6))
    card = 2**-7.6 * light.CORNEA / math.sin(math.radians(light.FILL_RADIUS_DEG)) ** 2
    assert glint.max() == pytest.approx(eyes.SPREAD * card, rel=0.1)
    top = np.argwhere(glint > 0.5 * glint.max())
    # A soft patch, no dot.
    assert 3 < np.ptp(top, 0).max() < 10
    assert top[:, 0].mean() < middle[1]
    np.testing.assert_array_equal(bench.fill(-7.6, lamps), dry.fill(-7.6))
    assert not bench.fill(-math.inf).any()


def flat_with(skin_rows: slice | None = None, post_hw: tuple[float, float] | None = None) -> Subject:
    """A white wall 3 hw square that faces the camera; `post_hw` is where a post of .3 hw stands out of it."""
    hw, n = 100.0, 301
    one, nil = np.ones((n, n), np.float32), np.zeros((n, n), np.float32)
    normal, depth, skin = np.zeros((n, n, 3), np.float32), nil.copy(), nil.copy()
    normal[..., 2] = 1
    if skin_rows is not None:
        skin[skin_rows] = 1
    if post_hw is not None:
        y, x = np.mgrid[:n, :n]
        depth[np.hypot(x - 150 - post_hw[0] * hw, y - 150 + post_hw[1] * hw) < 6] = 0.3
    return Subject(hw, one, np.repeat(one[..., None], 3, -1), depth, normal, skin, nil, nil, nil, one, nil, nil, (150, 150))


def test_a_near_lamp_is_counted_from_the_head_wherever_skin_is_bare() -> None:
    wall = Relight(flat_with(skin_rows=slice(220, 301)))
    picture = luminance(wall.source(Source(Direction(0, 0), distance_hw=3.0)))
    assert picture[150, 150] == pytest.approx(1, abs=0.01)
    assert picture[90, 150] == pytest.approx(float(picture[210, 150]), rel=0.01)
    # Inverse square and the cosine of a wall .6 hw off the axis at 3 hw: (3 / sqrt(9.36)) ** 3.
    assert picture[90, 150] == pytest.approx((9 / 9.36) ** 1.5, abs=0.01)


def test_shadows_spread_away_from_a_near_lamp() -> None:
    """The shadow of a post .8 hw over the axis, .35 hw beyond it: straight under a far lamp, turned away from a near one's foot."""
    wall = Relight(flat_with(post_hw=(0.0, 0.8)))
    lamp = Direction(60, 0)
    found = {}
    for distance in (math.inf, 3.0):
        dark = 1 - wall.visibility(lamp, 0.5, distance)[:, 115]
        rows = np.arange(len(dark))
        assert dark.max() > 0.8
        found[distance] = (150 - float((rows * dark).sum() / dark.sum())) / 100
    foot = 3 * math.sin(math.radians(60))
    assert found[math.inf] == pytest.approx(0.8, abs=0.02)
    assert found[3.0] == pytest.approx(0.8 + 0.35 * 0.8 / foot, abs=0.03)


def test_skin_mirrors_grazing_light_instead_of_taking_it_in() -> None:
    """Energy: what a glossy wall takes in falls faster than the cosine toward grazing light, a matte one's does not."""
    matte = flat_with()
    finish = {"specular": np.full_like(matte.matte, 0.036), "roughness": np.full_like(matte.matte, 0.4)}
    glossy = Subject(**{**{k: getattr(matte, k) for k in Subject.__dataclass_fields__}, **finish})
    shares = []
    for azimuth in (20, 84):
        plain, shiny = (
            luminance(Relight(s).source(Source(Direction(azimuth, 0), angular_radius_deg=0.5)))[150, 150] for s in (matte, glossy)
        )
        assert plain == pytest.approx(math.cos(math.radians(azimuth)), rel=0.02)
        # The mirror lobe points away from the camera at 84 degrees, and is a few per cent at 20.
        shares.append(float(shiny / plain))
    assert 0.85 < shares[0] < 1.1
    assert shares[1] < 0.8 * shares[0]


def test_what_mirrors_nothing_face_on_mirrors_nothing_at_grazing() -> None:
    # A trace of F0, as feathered layers leave it, laid white scraps along hair and knit when its grazing mirror was full.
    for trace in (1e-10, 1e-5):
        assert brdf.ggx(0.43, 0.23, 0.994, 0.33, 0.4, trace) < 40 * trace * 50
    assert brdf.ggx(0.43, 0.23, 0.994, 0.33, 0.4, 0.03) > 1.0


def test_highlights_of_moist_skin_are_held() -> None:
    """Black skin sends back highlights alone: dry, those of a wet patch pass any bound; moist, none of them does, and order is kept."""
    s = bust.subject()
    finish = {"albedo": np.zeros_like(s.albedo), "skin": np.ones_like(s.skin), "specular": np.full_like(s.skin, 0.2)}
    black = replace(s, roughness=np.full_like(s.skin, 0.2), **finish)
    lamp = Source(Direction(60, 20), angular_radius_deg=2.5)
    skin = s.matte * (1 - s.eyes) > 0.99
    wet, held = (luminance(Relight(replace(black, shine=shine)).source(lamp))[skin] for shine in (1.0, 1.01))
    assert wet.max() > 2 * light.HELD
    assert held.max() <= light.HELD * 1.001
    assert np.diff(held[np.argsort(wet, kind="stable")]).min() > -1e-6


def test_what_is_half_skin_and_half_hair_mirrors_no_more_than_skin() -> None:
    """Along a hairline half of a pixel is skin: the other half's share of a mirror image that burns was a white wire between the two."""
    s = bust.subject()
    glossy = np.full_like(s.skin, 0.2)
    lamp = Source(Direction(60, 20), angular_radius_deg=2.5)
    there = s.matte * (1 - s.eyes) > 0.99
    for share in (0.4, 0.7, 1.0):
        kinds = {"skin": np.full_like(s.skin, share), "hair": np.full_like(s.skin, 1 - share)}
        mixed = replace(s, albedo=np.zeros_like(s.albedo), specular=glossy, roughness=glossy, shine=1.01, **kinds)
        assert luminance(Relight(mixed).source(lamp))[there].max() <= light.HELD * 1.001


def test_a_rim_on_moist_skin_comes_in_by_degrees() -> None:
    """With a lamp far behind, all of a temple mirrors it: where that begins it is no plate that is as bright at once."""
    s = bust.subject(200.0)
    finish = {"albedo": np.zeros_like(s.albedo), "skin": np.ones_like(s.skin), "specular": np.full_like(s.skin, 0.035)}
    moist = replace(s, roughness=np.full_like(s.skin, 0.4), shine=1.3, **finish)
    lamp = Source(Direction(158, 10), angular_radius_deg=5)
    bench = Relight(moist)
    rim, seen = luminance(bench.source(lamp)), bench.visibility(lamp.direction, 5)
    facing = s.normal @ np.array(lamp.direction.vector, np.float32)
    own = (s.matte > 0.99) & (s.eyes < 0.01) & (seen > 0.98)
    begins, turned = ((facing > a) & (facing < b) & own for a, b in ((0.06, 0.12), (0.25, 0.40)))
    assert begins.sum() > 20
    assert turned.sum() > 20
    assert rim[begins].mean() < 0.5 * rim[turned].mean()


def test_a_speck_of_shadow_in_light_goes_and_a_shadow_stays() -> None:
    k = 200.0
    y, x = np.mgrid[:200, :200].astype(np.float32)
    speck, shade = np.hypot(x - 60, y - 60) < 4, np.hypot(x - 140, y - 60) < 12
    edge = x > 190
    seen = np.where(speck | shade | edge, 0, 1).astype(np.float32)
    skin = np.ones_like(seen)
    got = without_flecks(seen, skin, k)
    assert got[speck].min() > 0.99
    np.testing.assert_array_equal(got[~speck], seen[~speck])
    np.testing.assert_array_equal(without_flecks(seen, 0 * skin, k), seen)  # on hair and cloth it is a strand's or a fold's


def test_pores_stand_deeper_in_a_pictures_mirror_image_and_grain_no_deeper_than_pores() -> None:
    s = bust.subject(200.0)
    skin = s.matte > 0.99
    s = replace(s, skin=np.ones_like(s.skin), hair=np.zeros_like(s.hair))

    def depth(spread: float, shine: float) -> float:
        grain = np.random.default_rng(5).normal(0, spread, s.matte.shape).astype(np.float32)
        grained = replace(s, albedo=np.asarray(0.3 * np.exp(grain)[..., None] * np.ones(3), np.float32), shine=shine)
        return float(np.log(light._pores(grained))[skin].std())

    fine, coarse = 0.012, 0.05
    assert depth(fine, 1.4) > 2 * depth(fine, 1.0) > 0
    assert depth(coarse, 1.4) < 1.1 * light.RELIEF[1]
