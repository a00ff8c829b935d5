"""The person's skin in the frame is the person's skin in the photo, and hair is never green: colour bounds on finished prints."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from lowkey import photo, rig
from lowkey.darkroom import Enlarger, film
from lowkey.darkroom.enlarger import face_mask
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.pixels import BT709_XYZ, F32, luminance, srgb_decode
from lowkey.plate.albedo import MELANIN, PLAIN_SKIN, _of_melanin
from lowkey.plate.undertone import ab, apart
from lowkey.session import plates

SIZE = W, H = 512, 640
SKIN_BOUND = 4.0
"""CIEDE2000 at equal lightness."""
HAIR_HUE_DEG = 78.0
"""CIELAB hue: 90 is yellow, and from about 80 on a dim yellow is called olive."""
SHARED = Path(os.environ.get("LOWKEY_SHARED", "")) / "data/portraits/real"
PORTRAITS = sorted(p for p in SHARED.iterdir() if p.suffix in (".jpg", ".png")) if "LOWKEY_SHARED" in os.environ and SHARED.is_dir() else []


def same_light(colour: F32) -> F32:
    """A linear colour f32[3] brought to luminance .25, as f32[1, 3]."""
    return np.asarray(colour * (0.25 / luminance(colour)), np.float32)[None]


def hue_and_chroma(linear: F32) -> tuple[float, float]:
    """CIELAB (D65) of a linear BT.709 colour."""
    f = np.cbrt(linear.astype(np.float64) @ BT709_XYZ.T / np.array([0.95047, 1.0, 1.08883]))
    a, b = 500 * (f[0] - f[1]), 200 * (f[1] - f[2])
    return float(np.degrees(np.arctan2(b, a))), float(np.hypot(a, b))


@pytest.mark.skipif(not PORTRAITS, reason="LOWKEY_SHARED is not set")
@pytest.mark.parametrize("path", PORTRAITS, ids=lambda path: path.stem)
def test_lit_skin_keeps_its_colour(path: Path) -> None:
    """Forehead and cheeks where they print between codes 45 and 115 (half-tones, and lit skin short of its shine, which is white): medians
    in photo and frame, the lamp's colour and the stock's balance divided out, lightness made equal.
    """
    plate = plates.of(photo.read(path))
    enlarger = Enlarger(plate, Framing(), SIZE)
    frame = enlarger.develop(rig.of(Look()), 3)
    linear = srgb_decode(frame.pixels.astype(np.float32) / 65535)
    codes = frame.pixels.astype(np.float32) / 257 @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    skin = frame.placement.warp(np.asarray(face_mask(plate) * plate.parts["skin"], np.float32), SIZE) > 0.95
    own = frame.placement.warp(plate.colour, SIZE)
    points = frame.placement.points(plate.landmarks[:, :2].astype(np.float32))
    known = np.array(frame.rig.key.irradiance_rgb) * np.array(frame.rig.stock.balance_rgb)
    judged = 0
    for ring in PLAIN_SKIN:
        inside = cv2.fillPoly(np.zeros((H, W), np.uint8), [np.round(points[list(ring)]).astype(np.int32)], 1) > 0
        where = inside & skin & (codes > 45) & (codes < 115)
        if where.sum() < 150:
            continue
        judged += 1
        before, after = np.median(own[where], 0), np.median(linear[where], 0) / known
        assert apart(ab(same_light(before)), ab(same_light(after)))[0] < SKIN_BOUND
    assert judged


@pytest.mark.parametrize("reflectance", [(0.3, 0.3, 0.3), (0.6, 0.58, 0.55), (0.35, 0.25, 0.15), (0.12, 0.08, 0.05), (0.04, 0.03, 0.025)])
def test_no_hair_prints_green_under_the_house_lamp(reflectance: tuple[float, float, float]) -> None:
    """Neutral grey, white, blond, brown and black hair, from deep shade to a highlight."""
    look = rig.of(Look())
    for light in (0.1, 0.3, 0.7, 1.2):
        scene = np.full((8, 8, 3), light, np.float32) * np.array(reflectance, np.float32) * np.array(look.key.irradiance_rgb, np.float32)
        stock = look.stock
        gain = np.array(stock.balance_rgb, np.float32)
        print_ = film.printed(
            scene, gain, np.zeros_like(scene), film.curve(stock), film.encoding(), stock.saturation, np.zeros(3, np.float32)
        )
        hue, chroma = hue_and_chroma(srgb_decode(print_[4, 4].astype(np.float32) / 65535))
        assert 30 < hue < HAIR_HUE_DEG or chroma < 2


def test_stained_hair_comes_to_melanins_green_and_dyed_hair_stays() -> None:
    hair = np.ones((1, 4), np.float32)
    # Stained brown; melanin's own; dyed green; bluish grey.
    colour = np.array([[[0.19, 0.118, 0.04], [0.2742, 0.1882, 0.0963], [0.06, 0.2, 0.05], [0.30, 0.31, 0.34]]], np.float32)
    out = _of_melanin(colour, hair)
    np.testing.assert_allclose(luminance(out), luminance(colour), rtol=1e-5)
    red, green, blue = np.log(out[0, 0])
    assert red - green == pytest.approx(MELANIN * (red - blue), abs=2e-3)
    np.testing.assert_allclose(out[0, 1:], colour[0, 1:], rtol=0.01)
    np.testing.assert_allclose(_of_melanin(colour, 0 * hair), colour, rtol=1e-6)
