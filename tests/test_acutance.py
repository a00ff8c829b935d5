"""Eyes and brows of soft photos."""

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
    sure = astronaut_plate.albedo.min(-1, keepdims=True) > 0.01
    broad = [cv2.GaussianBlur(a * sure, (0, 0), 3 * acutance.EDGES_HW[0] * astronaut_plate.hw_px) for a in (out, astronaut_plate.albedo)]
    shown = broad[1].min(-1) > 0.05
    hue = [a[shown] / luminance(a[shown])[:, None] for a in broad]
    # A sharper edge weighs the two colours beside it a little otherwise.
    assert np.abs(hue[0] / hue[1] - 1).max() < 0.05
    ratio = np.where(astronaut_plate.albedo > 1e-3, out / np.maximum(astronaut_plate.albedo, 1e-3), 1.0)
    features = np.maximum.reduce([astronaut_plate.parts[name] for name in ("eyes", "brows", "lips")]) > 0.2
    reach = round((acutance.ROUND_HW + 4 * acutance.FEATHER_HW) * astronaut_plate.hw_px)
    far = cv2.distanceTransform((~features).astype(np.uint8), cv2.DIST_L2, 5) > reach
    assert np.abs(ratio[far] - 1).max() < 1e-3


def test_lips_are_not_sharpened(astronaut_plate: Plate) -> None:
    """A lip's border is soft, and what is finer than it in a soft photo is noise: a red line of dots."""
    k = astronaut_plate.hw_px
    lips = astronaut_plate.parts["lips"] > 0.9
    eyes = astronaut_plate.parts["eyes"] > 0.9
    fine = []
    for tone in (np.log(np.maximum(luminance(t), 4e-3)) for t in (astronaut_plate.albedo, restored(astronaut_plate))):
        detail = tone - cv2.GaussianBlur(tone, (0, 0), acutance.EDGES_HW[1] * k)
        fine.append([float(detail[part].std()) for part in (lips, eyes)])
    assert fine[1][0] <= 1.001 * fine[0][0]
    assert fine[1][1] > 1.1 * fine[0][1]


def test_noise_goes_in_tone_and_in_colour_and_a_lash_stays() -> None:
    rng, sigma = np.random.default_rng(5), 0.008 * 320
    y, x = np.mgrid[0:160, 0:160].astype(np.float32)
    lash = np.exp(-0.5 * ((x - 0.3 * y - 60) / 1.5) ** 2)
    level = np.float32(np.log(0.3)) - np.float32(0.8) * lash
    grit = cv2.GaussianBlur(rng.standard_normal((160, 160, 3)).astype(np.float32), (0, 0), 1.0)
    grit *= np.float32(0.06 / grit.std())
    tone = np.exp(level[..., None] + grit).astype(np.float32)
    bare = lash < 0.01
    noise = acutance._noise(np.log(luminance(tone)), bare, sigma)
    clean = np.array(tone)
    acutance._clean(clean, np.ones((160, 160), np.float32), noise, sigma)
    far = cv2.erode(bare.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.log(luminance(clean))[far].std() < 0.7 * np.log(luminance(tone))[far].std()
    assert np.log(clean[..., 0] / clean[..., 1])[far].std() < 0.7 * np.log(tone[..., 0] / tone[..., 1])[far].std()
    depth = [np.median(np.log(luminance(t))[far]) - np.median(np.log(luminance(t))[lash > 0.95]) for t in (tone, clean)]
    assert depth[1] > 0.95 * depth[0]


def test_the_softer_the_more_and_a_crisp_photo_is_left_alone(astronaut_plate: Plate) -> None:
    assert acutance.lacking(softened(astronaut_plate, 0.006))[0] > acutance.lacking(astronaut_plate)[0]
    # Pixels of noise as crisp as any.
    noise = np.exp(0.25 * np.random.default_rng(3).standard_normal(astronaut_plate.matte.shape)).astype(np.float32)[..., None]
    crisp = replace(astronaut_plate, albedo=freeze(np.asarray(astronaut_plate.albedo * noise, np.float32)))
    assert acutance.lacking(crisp) == (1.0, 1.0)
    assert np.array_equal(restored(crisp), crisp.albedo)
