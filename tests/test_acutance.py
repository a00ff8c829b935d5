"""Eyes, brows and lips of soft photos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import acutance
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate


def restored(plate: Plate) -> F32:
    out = np.array(plate.albedo)
    acutance.restored(out, plate)
    return out


def softened(plate: Plate, sigma_hw: float) -> Plate:
    """The plate with its albedo f32[h, w, 3] out of focus."""
    return replace(plate, albedo=freeze(cv2.GaussianBlur(plate.albedo, (0, 0), sigma_hw * plate.hw_px)))


def test_what_a_soft_photo_lacks_is_given_back_in_part_and_never_beyond_the_tones_round_it(astronaut_plate: Plate) -> None:
    before = acutance.lacking(astronaut_plate)
    assert min(before) > 1.3  # enlarged three and a half times
    out = restored(astronaut_plate)
    for was_lacking, lacks in zip(before, acutance.lacking(replace(astronaut_plate, albedo=freeze(out))), strict=True):
        assert lacks < 1 + 0.92 * (was_lacking - 1)  # irises are spared, and count
    tone, was = luminance(out), luminance(astronaut_plate.albedo)
    low, high = was, was
    for sigma in acutance.EDGES_HW:
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(2 * sigma * astronaut_plate.hw_px) + 1,) * 2)
        low, high = cv2.erode(low, around), cv2.dilate(high, around)
    assert (tone <= high * 1.001).all()
    assert (tone >= low * 0.999).all()


def test_its_hue_stays_and_nothing_is_done_away_from_the_features(astronaut_plate: Plate) -> None:
    out = restored(astronaut_plate)
    ratio = np.where(astronaut_plate.albedo > 1e-3, out / np.maximum(astronaut_plate.albedo, 1e-3), 1.0)
    ratio[(astronaut_plate.albedo <= 1e-3).any(-1)] = 1.0
    assert np.ptp(ratio, axis=-1).max() < 1e-3
    features = np.maximum.reduce([astronaut_plate.parts[name] for name in ("eyes", "brows", "lips")]) > 0.2
    reach = round((acutance.ROUND_HW + 4 * acutance.FEATHER_HW) * astronaut_plate.hw_px)
    far = cv2.distanceTransform((~features).astype(np.uint8), cv2.DIST_L2, 5) > reach
    assert np.abs(ratio[far] - 1).max() < 1e-3


def test_the_softer_the_more_and_a_crisp_photo_is_left_alone(astronaut_plate: Plate) -> None:
    assert acutance.lacking(softened(astronaut_plate, 0.006))[0] > acutance.lacking(astronaut_plate)[0]
    # Pixels of noise as crisp as any.
    noise = np.exp(0.25 * np.random.default_rng(3).standard_normal(astronaut_plate.matte.shape)).astype(np.float32)[..., None]
    crisp = replace(astronaut_plate, albedo=freeze(np.asarray(astronaut_plate.albedo * noise, np.float32)))
    assert acutance.lacking(crisp) == (1.0, 1.0)
    assert np.array_equal(restored(crisp), crisp.albedo)
