"""Small gaps in a mass of hair are crossed by the hair behind; large ones, bays, and what is no hair stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowkey.darkroom import gaps
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, freeze

HW = 200.0
DARK = np.array((0.04, 0.03, 0.02), np.float32)


def head(*, hair: bool, holes: list[tuple[float, float, float]]) -> tuple[Subject, list[F32]]:
    """A disc of one head-width, all `hair` or all skin, with round `holes` (x, y from its middle, radius; hw); and each hole's mask."""
    y, x = (np.mgrid[:320, :320].astype(np.float32) - 160) / np.float32(HW)
    matte = np.asarray(np.hypot(x, y) < 0.6, np.float32)
    masks = [np.asarray(np.hypot(x - u, y - v) < r, np.float32) for u, v, r in holes]
    for mask in masks:
        matte = matte * (1 - mask)
    none = np.zeros_like(matte)
    albedo = np.where(matte[..., None] > 0, DARK, np.float32(0.9)).astype(np.float32)
    normal = np.zeros((*matte.shape, 3), np.float32)
    normal[..., 2] = 1
    depth = np.where(matte > 0, 0.2, -8).astype(np.float32)
    return Subject(
        hw_px=HW, matte=freeze(matte), albedo=freeze(albedo), depth=freeze(depth), normal=freeze(normal),
        skin=freeze(none if hair else matte), hair=freeze(matte if hair else none), cloth=freeze(none), eyes=freeze(none),
        roughness=freeze(none), specular=freeze(none), sheen=freeze(none), head_px=(160.0, 160.0),
    ), masks  # fmt: skip


def test_a_small_gap_is_hair_and_a_large_one_is_the_room() -> None:
    subject, (small, _) = head(hair=True, holes=[(-0.25, 0, 0.02), (0.2, 0, 0.08)])
    got = gaps.crossed(subject)
    assert got.matte[small > 0].min() > 0.95
    assert got.hair[small > 0].min() > 0.95
    np.testing.assert_allclose(got.albedo[small > 0], np.broadcast_to(DARK, (int(small.sum()), 3)), atol=0.02)
    np.testing.assert_allclose(got.depth[small > 0], 0.2, atol=0.05)
    y, x = (np.mgrid[:320, :320] - 160) / HW
    assert got.matte[np.hypot(x - 0.2, y) < 0.05].max() == 0
    # Beyond the outline nothing grows.
    assert got.matte[np.hypot(x, y) > 0.62].max() == 0


def test_a_doubt_of_a_few_percent_within_a_mass_lets_no_lamp_through() -> None:
    """Of a lamp's disc, hundreds of times as bright as hair, a twentieth is a white speck."""
    subject, (small,) = head(hair=True, holes=[(0, 0, 0.02)])
    doubt = np.where(small > 0, np.float32(0.94), subject.matte)
    got = gaps.crossed(replace(subject, matte=freeze(doubt), hair=freeze(doubt)))
    assert got.matte[159:162, 159:162].min() > 0.99
    assert got.matte[small > 0].mean() > 0.97


def test_no_lamp_comes_through_a_hair_before_others() -> None:
    subject, (small,) = head(hair=True, holes=[(0, 0, 0.02)])
    lone = freeze(np.ones_like(subject.matte))
    got = gaps.crossed(replace(subject, lone=lone)).lone
    assert got is not None
    assert got[small > 0].max() < 0.05
    assert got[160, 60] == 1


def test_a_gap_between_arm_and_body_stays() -> None:
    subject, _ = head(hair=False, holes=[(0, 0, 0.02)])
    assert gaps.crossed(subject) is subject
