"""The matte: closed-form matting against its definition, known composites, foreground colour, who joins and who does not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lowkey import photo as files
from lowkey.photo import Photo
from lowkey.pixels import F32, freeze, srgb_decode, srgb_encode
from lowkey.plate import evidence, faces, foreground, laplacian, matte, palette, scanning, window
from lowkey.plate.opinions import Panel

EPS = 1e-5


def by_definition(colour: F32, eps: float) -> NDArray[np.float64]:
    """The matting Laplacian of Levin, Lischinski & Weiss 2008, equation 12, written out for a picture of a few pixels."""
    h, w, _ = colour.shape
    out = np.zeros((h * w, h * w))
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            at = [(y + dy) * w + x + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
            c = colour.reshape(-1, 3)[at].astype(np.float64)
            d = c - c.mean(0)
            inverse = np.linalg.inv(d.T @ d / 9 + eps / 9 * np.eye(3))
            out[np.ix_(at, at)] += np.eye(9) - (1 + d @ inverse @ d.T) / 9
    return out


def test_solve_is_the_definition_solved() -> None:
    rng = np.random.default_rng(3)
    colour = rng.random((9, 11, 3)).astype(np.float32)
    unknown = np.zeros((9, 11), bool)
    unknown[2:8, 3:10] = True
    known = rng.random((9, 11)).astype(np.float32)
    prior, trust = rng.random((2, 9, 11)).astype(np.float32)
    full = by_definition(colour, 1e-2)
    u = unknown.ravel()
    a = full[np.ix_(u, u)] + np.diag(trust.ravel()[u].astype(np.float64))
    b = trust.ravel()[u] * prior.ravel()[u] - full[np.ix_(u, ~u)] @ known.ravel()[~u]
    expected = np.clip(np.linalg.solve(a, b), 0, 1)
    got, steps = laplacian.solve(colour, known, unknown, prior, trust, eps=1e-2, most=500, enough=1e-7)
    assert steps < 500
    assert np.abs(got[unknown] - expected).max() < 1e-3
    assert np.array_equal(got[~unknown], known[~unknown])


def test_a_mixture_of_two_smooth_colours_is_solved_from_its_border() -> None:
    y, x = np.mgrid[:80, :80].astype(np.float32)
    alpha = np.clip((38 + 6 * np.sin(y / 7) - x) / 16 + 0.5, 0, 1)[..., None]
    front = np.dstack([0.5 + 0.002 * y, 0.3 + 0 * y, 0.1 + 0.001 * x])
    back = np.dstack([0.1 + 0 * x, 0.2 + 0.001 * x, 0.6 - 0.001 * y])
    mixed = (alpha * front + (1 - alpha) * back).astype(np.float32)
    unknown = np.abs(x - 38) < 22
    known = np.where(unknown, 0.5, alpha[..., 0]).astype(np.float32)
    half = np.full_like(known, 0.5)
    got, _ = laplacian.solve(mixed, known, unknown, half, half * 1e-6, eps=1e-7, most=3000, enough=1e-7)
    error = np.abs(got - alpha[..., 0])[2:-2, 2:-2]
    assert error.max() < 0.06
    assert error[unknown[2:-2, 2:-2]].mean() < 0.012


def test_nothing_unknown_changes_nothing() -> None:
    known = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    got, steps = laplacian.solve(np.zeros((8, 8, 3), np.float32), known, np.zeros((8, 8), bool), known, known)
    assert steps == 0
    assert np.array_equal(got, known)


def strands(seed: int = 4) -> tuple[F32, F32, F32]:
    """A dark block with hairs that leave it, before a bright wall: photo, its alpha, its foreground."""
    rng = np.random.default_rng(seed)
    big = np.zeros((4 * 200, 4 * 200), np.uint8)
    big[:, :320] = 255
    for _ in range(60):
        y = int(rng.integers(0, 800))
        cv2.line(big, (300, y), (int(rng.integers(360, 520)), y + int(rng.integers(-90, 90))), 255, 3, cv2.LINE_AA)
    alpha = np.asarray(cv2.resize(big, (200, 200), interpolation=cv2.INTER_AREA), np.float32) / 255
    hair = (0.02 + 0.01 * rng.random((200, 200, 1)) * np.ones(3)).astype(np.float32)
    wall = (0.5 + 0.004 * rng.standard_normal((200, 200, 3))).astype(np.float32)
    return (alpha[..., None] * hair + (1 - alpha[..., None]) * wall).astype(np.float32), alpha, hair


def test_colour_tells_alpha_where_person_and_room_are_plain() -> None:
    mixed, alpha, _ = strands()
    guess = cv2.GaussianBlur(alpha, (0, 0), 6)
    within, without = matte._distances(guess, 100.0)
    asked = (within < 0.3) & (without < 0.3)
    told = evidence.read(mixed, guess, within, without, asked, 100.0)
    soft = (alpha[asked] > 0.05) & (alpha[asked] < 0.95)
    assert told.belief[soft].mean() > 0.8
    sure = told.belief > 0.5
    assert np.abs(told.alpha - alpha[asked])[sure].mean() < 0.02


def test_colour_is_silent_where_person_and_room_are_alike() -> None:
    rng = np.random.default_rng(0)
    same = (0.3 + 0.05 * rng.standard_normal((200, 200, 3))).clip(0, 1).astype(np.float32)
    guess = np.zeros((200, 200), np.float32)
    guess[:, :100] = 1
    within, without = matte._distances(guess, 100.0)
    told = evidence.read(same, guess, within, without, (within < 0.3) & (without < 0.3), 100.0)
    assert told.belief.max() < 0.05


def test_hairs_before_a_wall_are_told_from_the_gaps_between() -> None:
    mixed, alpha, hair = strands()
    guess = np.clip(cv2.GaussianBlur(alpha, (0, 0), 5) * 1.2, 0, 1).astype(np.float32)
    points = np.full((478, 3), 40, np.float32)
    got, own = matte.read(mixed, guess, 200.0, points)
    soft = (alpha > 0.02) & (alpha < 0.98)
    assert np.abs(got - alpha)[soft].mean() < 0.06 < np.abs(guess - alpha)[soft].mean()
    # Over black no trace of the bright wall may be left: what is seen is the hair's own light.
    assert np.abs(got[..., None] * own - alpha[..., None] * hair).max() < 0.03


def test_foreground_and_background_explain_the_mixture() -> None:
    x = np.mgrid[:64, :64][1].astype(np.float32)
    alpha = np.clip((x - 24) / 16, 0, 1)
    front, back = np.array([0.6, 0.2, 0.1], np.float32), np.array([0.1, 0.3, 0.7], np.float32)
    mixed = (alpha[..., None] * front + (1 - alpha[..., None]) * back).astype(np.float32)
    got_front, got_back = foreground.estimate(mixed, alpha)
    assert np.abs(alpha[..., None] * got_front + (1 - alpha[..., None]) * got_back - mixed).max() < 0.01
    soft = (alpha > 0.3) & (alpha < 0.7)
    assert np.abs(got_front - front)[soft].mean() < 0.04 < np.abs(mixed - front)[soft].mean()
    assert np.abs(got_back - back)[soft].mean() < 0.04 < np.abs(mixed - back)[soft].mean()


def test_an_error_of_alpha_does_not_tint_dark_hair() -> None:
    mixed, alpha, hair = strands()
    wrong = np.clip(alpha + 0.08 * 4 * alpha * (1 - alpha), 0, 1).astype(np.float32)
    front, back = foreground.estimate(mixed, wrong)
    steady = foreground.steadied(mixed, wrong, front, back, 200.0)
    soft = (wrong > 0.3) & (wrong < 0.9)
    assert np.abs(steady - hair)[soft].mean() < 0.6 * np.abs(front - hair)[soft].mean()


def test_what_does_not_hang_together_with_the_face_does_not_join() -> None:
    guess = np.zeros((120, 160), np.float32)
    guess[20:100, 20:80] = 1
    guess[30:60, 110:150] = 1
    alone = matte._one_person(guess, 60.0, (50.0, 50.0))
    assert alone[40, 50] == 1
    assert alone[40, 130] == 0


def test_below_the_photo_the_body_goes_on_and_elsewhere_nobody_is() -> None:
    rng = np.random.default_rng(2)
    colour = rng.random((100, 80, 3)).astype(np.float32)
    alpha = np.zeros((100, 80), np.float32)
    alpha[20:, 25:60] = 1
    got_colour, got = window.go_on(colour, alpha, (slice(10, 70), slice(5, 75)), 40.0)
    assert np.array_equal(got[70:], np.repeat(got[69:70], 30, 0))
    assert got[:10].max() == got[:, :5].max() == got[:, 75:].max() == 0
    assert np.array_equal(got_colour[:70], colour[:70])
    # No stripes: far below, neighbouring columns of noise have become alike.
    assert np.abs(np.diff(got_colour[95, 30:55], axis=0)).mean() < 0.25 * np.abs(np.diff(colour[69, 30:55], axis=0)).mean()


GROUNDS = {"plain": 1.4, "gradient": 1.4, "blurred": 2.5}
"""Backgrounds, and the largest summed error in percent of the person that is allowed on each."""


@pytest.mark.parametrize("ground", list(GROUNDS))
def test_known_composites(shared: Path, ground: str) -> None:
    """Path-traced heads with exact masks, put before other backgrounds in linear light and read again from end to end."""
    from skimage import data

    errors = []
    for case in ("lps_yaw0", "lpsdark_yaw-20"):
        folder = shared / "data/ground_truth" / case
        seen = cv2.cvtColor(cv2.imread(str(folder / "input.png")), cv2.COLOR_BGR2RGB)
        truth = cv2.imread(str(folder / "mask.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        h, w = truth.shape
        back = np.full((h, w, 3), 0.2, np.float32)
        if ground == "gradient":
            back = back * np.linspace(0.3, 2.5, h, dtype=np.float32)[:, None, None] * np.array([1, 0.9, 0.7], np.float32)
        if ground == "blurred":
            room = cv2.resize(data.coffee()[..., ::-1], (w, h), interpolation=cv2.INTER_AREA)  # red to blue: no wall of skin
            back = srgb_decode(cv2.GaussianBlur(room.astype(np.float32) / 255, (0, 0), 6))
        # The mask's border pixels hold the old backdrop: the head's own colour is carried into them first.
        solid = (truth > 0.99).astype(np.uint8)
        inner = cv2.inpaint(seen, ((solid == 0) & (truth > 0)).astype(np.uint8), 3, cv2.INPAINT_TELEA)
        own = srgb_decode(np.where(solid[..., None] > 0, seen, inner) / np.float32(255))
        mixed = truth[..., None] * own + (1 - truth[..., None]) * back
        photo = Photo(freeze(np.asarray(np.round(srgb_encode(mixed) * 255), np.uint8)), "00" * 32)
        found = faces.find(photo)
        guess, at = scanning._guess(photo, found[0], found, Panel())
        opened = window.open_on(found[0].points, photo.size_px, guess, at)
        _, alpha = scanning._person(photo, opened, window.colour(photo, opened), guess, at, found[0].points)
        there = opened.placement.warp(truth, opened.size_px)
        inside = opened.inside(photo)
        errors.append(100 * float((np.abs(alpha - there) * inside).sum() / (there * inside).sum()))
    assert max(errors) < GROUNDS[ground], errors


def test_other_people_are_parted_from_the_sitter(shared: Path) -> None:
    photo = files.read(shared / "data/portraits/refuse_or_warn/n_two_faces.jpg")
    found = faces.find(photo)
    for mine, other in (found, found[::-1]):
        guess, at = scanning._guess(photo, mine, found, Panel())
        shift, scale = np.array([at[0], at[1]]), guess.shape[1] / (at[2] - at[0])

        def share(face: faces.Face, guess: F32 = guess, shift: NDArray[np.int64] = shift, scale: float = scale) -> float:
            oval = np.zeros(guess.shape, np.uint8)
            cv2.fillConvexPoly(oval, cv2.convexHull(((face.points[:468, :2] - shift) * scale).astype(np.int32)), 1)
            return float(guess[oval > 0].mean()) if oval.any() else 0.0

        assert share(mine) > 0.9
        assert share(other) < 0.1


def test_colours_are_counted_on_both_sides() -> None:
    """Slats of two colours behind, a striped shirt before them: each colour is known for its own side's, and a third for neither's."""
    wide = 320
    x, y = np.meshgrid(np.arange(wide), np.arange(wide))
    person = x < wide // 2
    slats = np.where((y // 8 % 2 == 0)[..., None], [0.9, 0.8, 0.7], [0.2, 0.25, 0.5])
    shirt = np.where((x // 8 % 2 == 0)[..., None], [0.1, 0.1, 0.1], [0.7, 0.2, 0.2])
    root = np.where(person[..., None], shirt, slats).astype(np.float32)
    root[150:160, 150:152] = (0.4, 0.9, 0.1)
    asked = np.abs(x - wide // 2) < 20
    deep, far = (((x > 20) & (x < 130)).astype(np.float32), ((x > 190) & (x < 300)).astype(np.float32))
    odds = np.zeros((wide, wide), np.float32)
    odds[asked] = palette.odds(root, deep, far, asked, 160.0)
    strange = np.zeros_like(asked)
    strange[150:160, 150:152] = True
    assert odds[asked & ~person].min() > 3
    assert odds[asked & person & ~strange].max() < -2
    assert np.abs(odds[strange]).max() < 0.1


def test_a_guess_too_wide_gives_the_room_back() -> None:
    """A guess that takes two fingers of wall for hair is corrected by the wall's own colour."""
    rng = np.random.default_rng(5)
    alpha = np.zeros((200, 200), np.float32)
    alpha[:, :80] = 1
    hair = 0.02 + 0.06 * rng.random((200, 200, 1)) * np.array([1, 0.7, 0.5])
    wall = 0.5 + 0.01 * rng.standard_normal((200, 200, 3))
    mixed = (alpha[..., None] * hair + (1 - alpha[..., None]) * wall).astype(np.float32)
    guess = np.clip(cv2.GaussianBlur(alpha, (0, 0), 4), 0, 1).astype(np.float32)
    guess[60:140, 70:110] = 1
    got, _ = matte.read(mixed, guess, 200.0, np.full((478, 3), 40, np.float32))
    assert np.abs(got - alpha).mean() < 0.01 < np.abs(guess - alpha).mean()
    assert got[60:140, 84:110].max() < 0.1


def test_a_sharpened_outline_is_no_line_round_the_person() -> None:
    """A camera darkens the last pixels before a bright wall: they come back nearer to the colours further in."""
    x = np.mgrid[:96, :96][1]
    alpha = np.clip(48.5 - x, 0, 1).astype(np.float32)
    front, back = np.array([0.2, 0.14, 0.08], np.float32), np.array([0.7, 0.7, 0.75], np.float32)
    mixed = alpha[..., None] * front + (1 - alpha[..., None]) * back
    mixed[:, 46:48] *= 0.2
    raw_front, raw_back = foreground.estimate(mixed, alpha)
    own = foreground.steadied(mixed, alpha, raw_front, raw_back, 96.0)
    assert (own[20:76, 46:48] / front).min() > 0.6
    assert np.abs(own[20:76, 30:44] - front).max() < 1e-3
    # Before a dark room nothing is darkened by sharpening, and a dark outline is the person's own.
    dark = alpha[..., None] * front + (1 - alpha[..., None]) * 0.01
    dark[:, 46:48] *= 0.2
    kept = foreground.steadied(dark, alpha, *foreground.estimate(dark, alpha), 96.0)
    assert np.abs(kept[20:76, 46] - 0.2 * front).max() < 0.01


@pytest.mark.parametrize(("grain", "stays"), [(0.0, False), (0.10, True)], ids=["blurred", "sharp"])
def test_a_blurred_stranger_who_touches_the_head_leaves_and_a_sharp_knot_of_hair_stays(grain: float, stays: bool) -> None:
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    head = np.hypot(x - 120, y - 120) < 60
    other = np.hypot(x - 220, y - 120) < 32
    link = (np.abs(y - 120) < 3) & (x > 170) & (x < 200)
    texture = np.random.default_rng(5).standard_normal((240, 320, 1)).astype(np.float32)
    colour = np.full((240, 320, 3), 0.3, np.float32) + np.where(other, grain, 0.10)[..., None] * texture * head.max()
    alpha = (head | other | link).astype(np.float32)
    got = matte._without_strangers(alpha, np.clip(colour, 0, 1).astype(np.float32), 100.0, (120.0, 120.0))
    assert (got[other].mean() > 0.99) == stays
    assert got[head].min() > 0.99
    if not stays:
        assert got[np.hypot(x - 220, y - 120) < 30].max() < 0.05
