"""The nap of a crop: opaque to its ends; long hair is left as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowkey.darkroom import nap
from lowkey.pixels import F32, freeze
from lowkey.plate.plate import Plate
from test_dress import CHIN_Y, EYE_X, HW, person


def veiled() -> tuple[Plate, F32]:
    """A person whose cropped hair is half there over the outer .04 hw; the distance f32[h, w] (hw) from its outline, on the crown."""
    plate = person(turn=0.0)
    y, x = np.mgrid[: plate.matte.shape[0], : plate.matte.shape[1]].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    deep = 0.58 - np.hypot(u, (v + 0.85) * 0.58 / 0.85)
    crown = np.asarray((v < -1.2) & (deep < 0.04) & (deep > 0.0), np.float32)
    matte = np.asarray(plate.matte * (1 - 0.35 * crown), np.float32)
    parts = {**plate.parts, "hair": freeze(np.asarray(plate.parts["hair"] * (1 - 0.35 * crown), np.float32))}
    rng = np.random.default_rng(1)
    grain = np.asarray(np.exp(0.2 * rng.standard_normal(matte.shape)), np.float32)
    albedo = freeze(np.asarray(plate.albedo * grain[..., None], np.float32))
    return replace(plate, matte=freeze(matte), parts=parts, albedo=albedo), np.where(v < -1.2, deep, -1).astype(np.float32)


def test_a_crop_is_opaque_up_to_its_ends() -> None:
    plate, deep = veiled()
    got = nap.felted(plate, 1.0, 1.0)
    band = (deep > 0.022) & (deep < 0.035)
    assert plate.matte[band].mean() < 0.7
    assert got.matte[band].mean() > 0.97
    assert got.parts["hair"][band].mean() > 0.97
    # It ends over some millimetres, and nowhere far out.
    assert got.matte[(deep < -0.02) & (deep > -0.9)].max(initial=0) < 0.05
    far = (np.abs(deep) > nap.DEEP_HW + 0.03) & (deep != -1)
    np.testing.assert_allclose(got.matte[far], plate.matte[far], atol=1e-6)


def test_hair_that_is_no_crop_is_left_alone() -> None:
    plate, _ = veiled()
    assert nap.felted(plate, 1.0, 0.0) is plate
    long = person(turn=0.0, long_hair=True)
    assert nap.cropped(long, 1.0) < 0.05
