"""A face has one complexion: what a photo's light made of its colour here and there is drawn toward the face's own.

A sky or a white wall mirrored by brow and cheeks leaves them pale or mauve; where a face falls away to dark hair, light that has been
thrown from skin to skin leaves it orange. Under a lamp that stands just there the two are read as two skins.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.pixels import BT709_XYZ, F32, luminance
from lowkey.plate.shading import among
from lowkey.together import both

WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65 in CIE XYZ."""
LEVEL = 0.25
"""Luminance at which colours of skin are compared."""
BROAD_HW, STEP_HW = 0.05, 0.02
"""What is broad (sigma), and the grid on which it is looked at."""
DRAWN = (0.90, 0.50)
"""Share of a place's distance from the face's median that goes: of being paler, purer or greener, which is light's work, and of being
redder, which in noses and cheeks is blood's."""
CHROMA, HUE_DEG = (19.0, 42.0), (50.0, 61.0)
"""CIELAB chroma at LEVEL and hue between which a face's median is left alone. Measured skins lie at chroma 16 to 30 and hue 45 to 65
(Xiao and others 2017); photos hold them purer, and the palest print grey under a warm lamp."""
WHITENED = 2.5
"""Most CIEDE2000 by which a face's median is brought toward that: a photo's white is wrong by more, but a person is not to be repainted."""
MOST, RIM_HW = (3.1, 4.8), 0.08
"""Most CIEDE2000 by which a place is moved off the photo, well within skin and at its rim, and how broad a rim is."""


def ab(linear: F32) -> NDArray[np.float64]:
    """CIE a* and b* f64[n, 2] (D65) of linear BT.709 f32[n, 3]."""
    xyz = np.maximum(linear.astype(np.float64) @ BT709_XYZ.T / WHITE, 0)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def at_level(tint: NDArray[np.float64]) -> F32:
    """Linear BT.709 f32[n, 3] of luminance LEVEL with CIE a* and b* `tint` f64[n, 2]."""
    y = np.cbrt(LEVEL)
    f = np.stack([y + tint[:, 0] / 500, np.full(len(tint), y), y - tint[:, 1] / 200], 1)
    xyz = np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389) * WHITE
    return np.asarray(xyz @ np.linalg.inv(BT709_XYZ).T, np.float32)


def apart(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 (Sharma, Wu & Dalal 2005) f64[n] between a* and b* f64[n, 2], the lightness difference left out."""
    (a1, b1), (a2, b2) = one.T, two.T
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180
    hue = (h1 + turn / 2) % 360
    c = (c1 + c2) / 2
    t = 1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue))
    t += 0.32 * np.cos(np.radians(3 * hue + 6)) - 0.20 * np.cos(np.radians(4 * hue - 63))
    d_c = (c2 - c1) / (1 + 0.045 * c)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * c * t)
    twist = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.asarray(np.sqrt(np.maximum(d_c**2 + d_h**2 + twist * d_c * d_h, 0)))


def evened(flat: F32, photo: F32, clear: F32, face: NDArray[np.bool_], on: F32, hw_px: float) -> F32:
    """Skin `flat` f32[h, w, 3] drawn toward its face's own undertone, at the same luminance, and held to its colour in `photo`.

    `photo` f32[h, w, 3] is what was seen, `clear` f32[h, w] bare skin, `face` bool[h, w] the face, `on` f32[h, w] what is drawn along
    (lips and brows lie on the same skin).
    """
    grey = np.maximum(luminance(flat), np.float32(1e-4))[..., None]
    tint, own, mass, size = broad(flat, photo, clear, hw_px)
    h, w = clear.shape
    sure = cv2.resize(np.asarray(clear * face, np.float32), size, interpolation=cv2.INTER_AREA).ravel() > 0.6
    if int(sure.sum()) < 30:
        return flat
    deep = cv2.distanceTransform((mass > 0.5).astype(np.uint8), cv2.DIST_L2, 5).ravel() * (STEP_HW / RIM_HW)
    inner = sure & (deep > 1)
    usual = np.median(tint[inner if int(inner.sum()) >= 30 else sure], 0)
    meant = _whitened(usual)
    # Light makes skin paler or purer along its own hue; blood adds red. In these two directions, which are not square to each other.
    pale, red = meant / np.hypot(*meant), np.array([1.0, 0.0])
    out = tint - usual
    purer = out[:, 1] / pale[1]
    redder = out[:, 0] - purer * pale[0]
    kept = 1 - np.where(redder > 0, DRAWN[1], DRAWN[0])
    wanted = meant + (1 - DRAWN[0]) * purer[:, None] * pale + (kept * redder)[:, None] * red
    wanted = own + (wanted - own) * _held(apart(own, wanted), MOST[0] + (MOST[1] - MOST[0]) * np.clip(1.5 - deep, 0, 1))[:, None]
    gain = np.log(np.maximum(at_level(wanted), np.float32(1e-3)) / np.maximum(at_level(tint), np.float32(1e-3)))
    grid = among(np.asarray(gain, np.float32).reshape(size[1], size[0], 3), mass + np.float32(1e-3), 1.0)
    gains = np.exp(cv2.resize(grid, (w, h), interpolation=cv2.INTER_LINEAR) * on[..., None])
    moved = flat * gains
    return np.asarray(moved * (grey / np.maximum(luminance(moved), np.float32(1e-4))[..., None]), np.float32)


def broad(one: F32, two: F32, skin: F32, hw_px: float) -> tuple[NDArray[np.float64], NDArray[np.float64], F32, tuple[int, int]]:
    """Broad a* and b* f64[n, 2] of two pictures f32[h, w, 3] of `skin` f32[h, w] on a coarse grid, the skin there, its size (w, h)."""
    h, w = skin.shape
    step = max(1, round(STEP_HW * hw_px))
    size = (max(1, w // step), max(1, h // step))

    def tints(of: F32) -> NDArray[np.float64]:
        colour = np.asarray(of / np.maximum(luminance(of), np.float32(1e-4))[..., None], np.float32)
        seen = cv2.resize(among(colour, skin, BROAD_HW * hw_px), size, interpolation=cv2.INTER_AREA).reshape(-1, 3)
        return ab(np.asarray(seen * (np.float32(LEVEL) / np.maximum(luminance(seen), np.float32(1e-4)))[:, None], np.float32))

    of_one, of_two = both(lambda: tints(one), lambda: tints(two))
    return of_one, of_two, np.asarray(cv2.resize(skin, size, interpolation=cv2.INTER_AREA), np.float32), size


def _whitened(usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """A face's median a*, b* f64[2] brought toward what skin is in white light, by WHITENED at most."""
    chroma, hue = float(np.hypot(*usual)), float(np.degrees(np.arctan2(usual[1], usual[0])))
    chroma, hue = float(np.clip(chroma, *CHROMA)), float(np.radians(np.clip(hue, *HUE_DEG)))
    wanted = np.array([chroma * np.cos(hue), chroma * np.sin(hue)])
    far = apart(usual[None], wanted[None])
    return np.asarray(usual + (wanted - usual) * _held(far, WHITENED)[0])


def _held(far: NDArray[np.float64], most: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Share f64[n] of a way as long as `far` that is gone when none is longer than `most`, without a corner."""
    return np.asarray((1 + (far / most) ** 4) ** -0.25)
