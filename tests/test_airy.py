"""Laws of airy hair: a light room leaves it, strands stay, and nothing is told where hair and room could be taken for each other."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.pixels import F32
from lowkey.plate import airy

HW, SIDE, RADIUS = 100.0, 400, 150.0
BROWN, PALE, WALL = (np.array(c, np.float32) for c in ((0.10, 0.05, 0.02), (0.55, 0.54, 0.52), (0.60, 0.60, 0.62)))


def head(hair: F32, wall: F32, loose_px: float = 8.0, radius: float = RADIUS) -> tuple[F32, F32, F32]:
    """Alpha that calls a disc solid, the photo of it, and the truth: within its outer `loose_px` every third strand is there."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) - np.float32(SIDE / 2 - 0.5)
    away, angle = np.hypot(x, y), np.arctan2(y, x)
    alpha = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
    strands = (np.sin(angle * 24) > 0.5).astype(np.float32)
    truth = np.asarray(np.where(away > radius - loose_px, alpha * strands, alpha), np.float32)
    tone = hair * np.exp(0.3 * np.sin(angle * 170))[..., None]
    return alpha, np.asarray(truth[..., None] * tone + (1 - truth[..., None]) * wall, np.float32), truth


def thinned(alpha: F32, seen: F32) -> tuple[F32, F32]:
    return airy.thinned(alpha, seen, seen, np.ones_like(alpha), HW)


def test_the_wall_leaves_loose_hair_and_its_strands_stay() -> None:
    alpha, seen, truth = head(BROWN, WALL)
    new, own = thinned(alpha, seen)
    ring = (alpha > 0.99) & (truth < 0.01)
    assert ring.sum() > 3000
    assert np.percentile(new[ring], 80) < 0.1
    kept = truth > 0.99
    assert new[kept].mean() > 0.97
    assert (new <= alpha).all()
    # What is left has the hair's colour, not the wall's.
    mixed = (new > 0.4) & (new < 0.9) & (alpha > 0.99)
    assert np.median(own[mixed] @ np.array([0.2, 0.7, 0.1], np.float32)) < 0.2


@pytest.mark.parametrize(
    ("hair", "wall", "radius"),
    [(PALE, WALL, RADIUS), (BROWN, np.array([0.02, 0.02, 0.02], np.float32), RADIUS), (BROWN, WALL, 30.0)],
    ids=["white hair before a white wall", "a dark room is like the gaps of hair", "cropped or thin hair"],
)
def test_where_it_cannot_be_told_nothing_is(hair: F32, wall: F32, radius: float) -> None:
    alpha, seen, _ = head(hair, wall, radius=radius)
    new, own = thinned(alpha, seen)
    assert np.abs(new - alpha).max() < 0.02
    assert np.abs(own - seen).max() < 0.02


def test_a_mirrored_head_is_thinned_mirrored() -> None:
    alpha, seen, _ = head(BROWN, WALL)
    one = thinned(alpha, seen)[0]
    two = thinned(np.ascontiguousarray(alpha[:, ::-1]), np.ascontiguousarray(seen[:, ::-1]))[0][:, ::-1]
    assert np.abs(one - two).max() < 0.02


def curled(hair: F32, wall: F32, across_px: float = 8.0) -> tuple[F32, F32, F32]:
    """Alpha that calls a disc solid, the photo of it, and 1 where a window lies deep in it."""
    alpha, seen, _ = head(hair, wall, loose_px=0.0)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    window = np.clip(across_px - np.hypot(x - 85, 0.5 * (y - 200)) + 0.5, 0, 1).astype(np.float32)
    return alpha, np.asarray(seen + window[..., None] * (wall - seen), np.float32), window


def test_a_window_in_a_curl_is_open_and_the_hair_round_it_stays() -> None:
    alpha, seen, window = curled(BROWN, WALL)
    assert np.abs(thinned(alpha, seen)[0] - alpha)[window > 0.9].max() < 0.1  # too deep for what is told from the outline
    new, own = airy.opened(alpha, seen, seen, np.ones_like(alpha), HW)
    assert new[window > 0.99].max() < 0.05
    assert np.abs(new - alpha)[window == 0].max() < 0.02
    rim = (window > 0.2) & (window < 0.7)
    # What is left of its rim has the hair's colour, not the wall's.
    assert np.median(own[rim] @ np.array([0.2, 0.7, 0.1], np.float32)) < 0.25


def test_a_shine_a_speck_and_what_is_seen_before_a_room_of_many_tones_are_no_windows() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    many = np.asarray(WALL * (0.5 + 0.5 * ((x // 20 + y // 20) % 2))[..., None], np.float32)
    for hair, wall, across in ((PALE * np.float32(0.7), WALL, 8.0), (BROWN, many, 8.0), (BROWN, WALL, 0.5)):
        alpha, seen, _ = curled(hair, wall, across)
        assert np.abs(airy.opened(alpha, seen, seen, np.ones_like(alpha), HW)[0] - alpha).max() < 0.02
