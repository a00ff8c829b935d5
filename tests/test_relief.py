"""What relief carves out of the analytic bust, and what delight takes off it."""

from __future__ import annotations

import numpy as np
import pytest

import bust
from lowkey.blackbody import warmth
from lowkey.pixels import F32, luminance
from lowkey.plate import fitness, meshes
from lowkey.plate.albedo import chroma_shift, delight
from lowkey.plate.plate import PARTS
from lowkey.plate.relief import EMPTY_HW, carve
from lowkey.plate.shading import STEEPEST, tilt
from lowkey.rig import Direction

HW = 96.0


def parts_of(label: F32) -> dict[str, F32]:
    out = {name: np.zeros_like(label) for name in PARTS}
    out["skin"] = (label > 0).astype(np.float32)
    out["background"] = 1 - out["skin"]
    return out


@pytest.fixture(scope="module")
def carved() -> tuple[F32, F32, F32, F32, F32, F32]:
    """Depth and normals carved, depth and normals true, label, landmarks."""
    depth, normal, label = bust.rays(HW)
    points = bust.landmarks(HW)
    grey = np.full((*label.shape, 3), 0.3, np.float32)
    mine = carve(points, (label > 0).astype(np.float32), parts_of(label), HW, grey)
    return *mine, depth, normal, label, points


def face_of(points: F32, shape: tuple[int, ...], shrink: float = 0.9) -> F32:
    import cv2

    ring = points[list(meshes.OVAL), :2]
    out = np.zeros(shape, np.uint8)
    cv2.fillPoly(out, [np.round((ring - ring.mean(0)) * shrink + ring.mean(0)).astype(np.int32)], 1)
    return out > 0


def test_mesh_is_a_disc_with_closed_eyes_and_mouth() -> None:
    faces = meshes.triangles()
    edges: dict[tuple[int, int], int] = {}
    for t in faces.tolist():
        for i, j in ((0, 1), (1, 2), (0, 2)):
            edges[t[i], t[j]] = edges.get((t[i], t[j]), 0) + 1
    assert set(edges.values()) == {1, 2}
    rim = sorted({v for e, n in edges.items() if n == 1 for v in e})
    assert rim == sorted(meshes.OVAL)
    # Euler: a disc has V - E + F = 1.
    used = {v for t in faces.tolist() for v in t}
    assert len(used) - len(edges) + len(faces) == 1


def test_loop_weights_are_convex_and_keep_a_plane_a_plane() -> None:
    weights, faces = meshes.loop(2)
    assert np.allclose(np.asarray(weights.sum(1)).ravel(), 1)
    assert weights.data.min() >= 0
    assert faces.max() == weights.shape[0] - 1
    rng = np.random.default_rng(2)
    flat = np.concatenate([rng.random((meshes.MOUTH_CENTRE + 1, 2)), np.full((meshes.MOUTH_CENTRE + 1, 1), 3.0)], 1)
    assert np.allclose((weights @ flat)[:, 2], 3)


def test_face_has_the_true_normals_and_depth(carved: tuple[F32, ...]) -> None:
    depth, normal, true_depth, true_normal, label, points = carved
    face = face_of(points, label.shape) & (label == 1)
    angle = np.degrees(np.arccos(np.clip((normal * true_normal).sum(-1), -1, 1)))
    assert np.median(angle[face]) < 8
    off = (depth - true_depth)[face]
    assert np.std(off) < 0.04


def test_normals_are_unit_and_point_at_the_camera(carved: tuple[F32, ...]) -> None:
    _, normal, _, _, label, _ = carved
    assert np.allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-4)
    assert (normal[..., 2][label > 0] > -1e-3).all()
    assert np.isfinite(normal).all()


def test_y_is_up_and_x_is_right(carved: tuple[F32, ...]) -> None:
    _, normal, *_ = carved
    assert bust.at(normal[..., 1], 0.0, 0.9, HW) > 0.4
    assert bust.at(normal[..., 0], 0.4, 0.4, HW) > 0.4
    assert bust.at(normal[..., 0], -0.4, 0.4, HW) < -0.4


def test_silhouettes_turn_away(carved: tuple[F32, ...]) -> None:
    """At the outline of the skull the surface is edge-on, as a ball's is."""
    _, normal, _, _, label, _ = carved
    rows, cols = np.nonzero(label == 1)
    for row in range(rows.min() + 8, rows.min() + 40, 8):
        left = cols[rows == row].min()
        assert normal[row, left + 1, 2] < 0.6


def test_throat_stands_behind_the_chin_and_the_underside_faces_down(carved: tuple[F32, ...]) -> None:
    depth, normal, *_, points = carved
    chin = points[152]
    x = round(float(chin[0]))
    at = [float(depth[round(float(chin[1] + d * HW)), x]) for d in (-0.05, 0.15, 0.4)]
    assert 0.15 < at[0] - at[1] < 0.6
    assert at[2] < at[1] + 0.05
    assert normal[round(float(chin[1] + 0.06 * HW)), x, 1] < -0.5


def test_nobody_is_empty(carved: tuple[F32, ...]) -> None:
    depth, _, _, _, label, _ = carved
    assert (depth[label == 0] == EMPTY_HW).all()
    assert (depth[label > 0] > -2).all()


def test_hands_lie_in_front(carved: tuple[F32, ...]) -> None:
    plain = carved[0]
    label, points = carved[4], carved[5]
    parts = parts_of(label)
    hand = np.zeros_like(label)
    h, w = label.shape
    hand[round(h * 0.62) : round(h * 0.70), round(w * 0.45) : round(w * 0.56)] = 1
    parts["hands"], parts["skin"] = hand, parts["skin"] * (1 - hand)
    depth, normal = carve(points, (label > 0).astype(np.float32), parts, HW, np.full((h, w, 3), 0.3, np.float32))
    middle = round(h * 0.66), round(w * 0.5)
    assert depth[middle] > plain[middle] + 0.04
    far = np.zeros_like(label, bool)
    far[: round(h * 0.5)] = True
    np.testing.assert_allclose(depth[far], plain[far], atol=1e-5)
    assert np.allclose(np.linalg.norm(normal, axis=-1), 1, atol=1e-4)


def test_same_bytes_twice(carved: tuple[F32, ...]) -> None:
    label, points = carved[4], carved[5]
    again = carve(points, (label > 0).astype(np.float32), parts_of(label), HW, np.full((*label.shape, 3), 0.3, np.float32))
    np.testing.assert_array_equal(again[0], carved[0])
    np.testing.assert_array_equal(again[1], carved[1])


def lit_photo(normal: F32, label: F32, azimuth: float, elevation: float, ambient: float) -> F32:
    tint = np.array([0.550, 0.311, 0.210], np.float32)  # skin in white light: nothing to draw it to
    light = np.maximum(normal @ np.array(Direction(azimuth, elevation).vector, np.float32), 0)
    return ((label > 0)[..., None] * tint * (ambient + (1 - ambient) * light)[..., None]).astype(np.float32)


@pytest.mark.parametrize("side", [-1, 1])
def test_delight_finds_the_light_and_takes_it_off(carved: tuple[F32, ...], side: int) -> None:
    _, _, depth, normal, label, points = carved
    photo = lit_photo(normal, label, 40.0 * side, 20, 0.45)
    matte = (label > 0).astype(np.float32)
    parts = parts_of(label)
    albedo, found = delight(photo, normal, depth, parts, matte, HW, points)
    assert abs(found.azimuth_deg - 40 * side) < 15
    assert abs(found.elevation_deg - 20) < 15
    face = face_of(points, label.shape) & (label > 0)
    before, after = (np.std(np.log2(luminance(c)[face])) for c in (photo, albedo))
    assert after < 0.4 * before
    assert 0.3 < found.contrast_stops < 2
    assert albedo.min() >= 0
    assert albedo.max() <= 1
    # Only luminance is touched: hue stays.
    median, worst = chroma_shift(photo, albedo, parts["skin"], HW)
    assert median < 0.5
    assert worst < 4


def test_delight_presses_shine_and_bounds_its_tint(carved: tuple[F32, ...]) -> None:
    _, _, depth, normal, label, points = carved
    photo = lit_photo(normal, label, 0, 10, 0.6)
    row, col = round(float(points[151, 1])), round(float(points[151, 0]))
    ys, xs = np.mgrid[: label.shape[0], : label.shape[1]]
    spot = np.exp(-((xs - col) ** 2 + (ys - row) ** 2) / (2 * (0.05 * HW) ** 2)).astype(np.float32)
    shiny = np.clip(photo + 0.5 * spot[..., None] * (label > 0)[..., None], 0, 1).astype(np.float32)
    matte = (label > 0).astype(np.float32)
    albedo, _ = delight(shiny, normal, depth, parts_of(label), matte, HW, points)
    beside = row, col + round(0.2 * HW)
    old = luminance(shiny)[row, col] / luminance(shiny)[beside]
    new = luminance(albedo)[row, col] / luminance(albedo)[beside]
    assert (new - 1) < 0.45 * (old - 1)
    assert chroma_shift(shiny, albedo, matte, HW)[1] <= 4.0


def test_delight_removes_old_catchlights_only_from_irises(carved: tuple[F32, ...]) -> None:
    _, _, depth, normal, label, points = carved
    hw = HW
    photo = lit_photo(normal, label, 0, 10, 0.6)
    parts = parts_of(label)
    ys, xs = np.mgrid[: label.shape[0], : label.shape[1]]
    for iris in meshes.IRISES:
        cx, cy = points[iris, :2]
        r = np.hypot(xs - cx, ys - cy)
        photo[r < 0.09 * hw] = 0.6
        parts["eyes"][r < 0.09 * hw] = 1
        photo[r < 0.05 * hw] = 0.03
        photo[np.hypot(xs - cx - 1, ys - cy + 1) < 1.1] = 0.9
    albedo, _ = delight(photo, normal, depth, parts, (label > 0).astype(np.float32), hw, points)
    for iris in meshes.IRISES:
        cx, cy = (round(float(v)) for v in points[iris, :2])
        assert luminance(photo)[cy - 1, cx + 1] > 0.8
        assert luminance(albedo)[cy - 1, cx + 1] < 0.2
        assert luminance(albedo)[cy, cx + round(0.07 * hw)] > 0.3


def test_cloth_under_the_chin_stands_further_forward_than_a_throat(carved: tuple[F32, ...]) -> None:
    label, points = carved[4], carved[5]
    rows = np.arange(label.shape[0])[:, None] > points[152, 1] + 0.03 * HW
    parts = parts_of(label)
    parts["cloth"] = parts["skin"] * rows
    parts["skin"] = parts["skin"] * ~rows
    depth, _ = carve(points, (label > 0).astype(np.float32), parts, HW, np.full((*label.shape, 3), 0.3, np.float32))
    spot = round(float(points[152, 1] + 0.2 * HW)), round(float(points[152, 0]))
    assert carved[0][spot] + 0.05 < depth[spot] < carved[0][spot] + 0.2


def test_a_hard_light_is_told_from_a_soft_one(carved: tuple[F32, ...]) -> None:
    _, _, depth, normal, label, points = carved
    matte, parts = (label > 0).astype(np.float32), parts_of(label)
    soft = lit_photo(normal, label, 50, 10, 0.35)
    x = np.arange(label.shape[1])[None, :] - points[[346, 330, 425, 352], 0].mean()
    cast = 1 - 0.85 / (1 + np.exp(x / 0.5))
    hard = (lit_photo(normal, label, 20, 10, 0.5) * cast[..., None]).astype(np.float32)
    assert not delight(soft, normal, depth, parts, matte, HW, points)[1].hard
    assert delight(hard, normal, depth, parts, matte, HW, points)[1].hard


@pytest.mark.parametrize(
    ("key_kelvin", "other_kelvin", "mixed"), [(5000, 5000, False), (4500, 5500, False), (2900, 8000, True), (8000, 2900, True)]
)
def test_two_colours_of_light_are_told(carved: tuple[F32, ...], key_kelvin: float, other_kelvin: float, mixed: bool) -> None:
    """A key from the left in one colour, everything else in another."""
    _, _, depth, normal, label, points = carved
    key = np.maximum(normal @ np.array(Direction(-60, 10).vector, np.float32), 0)[..., None] * np.array(warmth(key_kelvin), np.float32)
    tint = np.array([0.4, 0.26, 0.19], np.float32) * (label > 0)[..., None]
    photo = (tint * (0.25 * np.array(warmth(other_kelvin), np.float32) + 0.75 * key)).astype(np.float32)
    parts = parts_of(label)
    found = delight(photo, normal, depth, parts, (label > 0).astype(np.float32), HW, points)[1]
    said = {c.code: c.text for c in fitness.remark(points, parts, found, 1.0, HW)}
    assert ("mixed-light" in said) is mixed
    if mixed:
        assert ("warmer" if key_kelvin < other_kelvin else "cooler") in said["mixed-light"]


def test_hair_and_cloth_are_delit_by_half(carved: tuple[F32, ...]) -> None:
    _, _, depth, normal, label, points = carved
    photo = lit_photo(normal, label, 50, 10, 0.3)
    matte = (label > 0).astype(np.float32)
    parts = parts_of(label)
    body = (label >= 3).astype(np.float32)
    parts["cloth"], parts["skin"] = body, matte - body
    albedo, _ = delight(photo, normal, depth, parts, matte, HW, points)
    on = (body > 0) & (normal[..., 2] > 0.3)
    before, after = (np.std(np.log2(luminance(c)[on] + 1e-4)) for c in (photo, albedo))
    assert 0.3 * before < after < 0.9 * before


def rippled(normal: F32, label: F32) -> F32:
    """The bust's normals with folds .12 hw apart on the skin, slope .25."""
    ys, _ = np.mgrid[: label.shape[0], : label.shape[1]]
    slope = 0.25 * np.cos(2 * np.pi * ys / (0.12 * HW)) * (label > 0)
    out = normal - np.dstack([np.zeros_like(slope), slope, np.zeros_like(slope)]) * np.maximum(normal[..., 2:], 0.25)
    return (out / np.linalg.norm(out, axis=-1, keepdims=True)).astype(np.float32)


def test_shades_of_folds_tilt_the_normals_toward_them(carved: tuple[F32, ...]) -> None:
    _, _, _, normal, label, points = carved
    true = rippled(normal, label)
    photo = lit_photo(true, label, 10, 45, 0.3)
    matte, parts = (label > 0).astype(np.float32), parts_of(label)
    got = tilt(normal, photo, parts, matte, np.ones_like(matte), HW, points)
    clear = (label == 1) & (normal[..., 2] > 0.6)
    before, after = (np.degrees(np.arccos(np.clip((n * true).sum(-1), -1, 1)))[clear].mean() for n in (normal, got))
    assert after < 0.75 * before
    assert np.allclose(np.linalg.norm(got, axis=-1), 1, atol=1e-4)


def test_broad_light_and_what_is_no_skin_tilt_nothing(carved: tuple[F32, ...]) -> None:
    _, _, _, normal, label, points = carved
    matte, parts = (label > 0).astype(np.float32), parts_of(label)
    plain = lit_photo(normal, label, 30, 20, 0.4)
    inner = (label == 1) & (normal[..., 2] > 0.5)
    turned = np.degrees(np.arccos(np.clip((tilt(normal, plain, parts, matte, matte, HW, points) * normal).sum(-1), -1, 1)))
    assert np.percentile(turned[inner], 90) < 2
    parts["cloth"], parts["skin"] = parts["skin"], np.zeros_like(label)
    folds = lit_photo(rippled(normal, label), label, 10, 45, 0.3)
    np.testing.assert_allclose(tilt(normal, folds, parts, matte, matte, HW, points), normal, atol=1e-5)


def test_a_cast_shadow_is_no_cliff(carved: tuple[F32, ...]) -> None:
    """A step of three stops across the forehead tilts less than a fold that changes the light by a third of a stop."""
    _, _, _, normal, label, points = carved
    matte, parts = (label > 0).astype(np.float32), parts_of(label)
    photo = lit_photo(normal, label, 10, 45, 0.3)
    row = round(float(points[151, 1]))
    most = []
    for depth in (0.2, 0.875):
        dark = photo.copy()
        dark[row - 2 : row + 3] *= 1 - depth
        got = tilt(normal, dark, parts, matte, matte, HW, points)
        most.append(float(np.degrees(np.arccos(np.clip((got * normal).sum(-1), -1, 1)))[row - 6 : row + 7, label.shape[1] // 2].max()))
    assert most[0] > 0.5
    assert most[1] < 2 * most[0]
    assert most[1] < np.degrees(np.arctan(STEEPEST))
