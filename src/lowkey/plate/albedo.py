"""Take the photo's own light off the person: what remains is colour."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np

from lowkey.pixels import F32, luminance
from lowkey.plate import meshes
from lowkey.plate.plate import FoundLight

CLAMP = (0.45, 1.7)
POWER = 0.9


def delight(
    colour: F32, normal: F32, depth: F32, parts: Mapping[str, F32], matte: F32, hw_px: float, landmarks: F32
) -> tuple[F32, FoundLight]:
    """Albedo f32[h, w, 3] in 0..1 and the light that was found in the photo.

    `colour` f32[h, w, 3] linear, `normal` f32[h, w, 3], `depth` f32[h, w] hw, `landmarks` f32[478, 3] px. The light is
    fitted on all skin with order-1 spherical harmonics (robustly, so that cast shadows and shine do not count) and divided
    out; old shine is pressed back into the person's own colour.
    """
    skin = parts["skin"] * matte
    features = np.maximum.reduce([parts["eyes"], parts["brows"], parts["lips"], parts["teeth"], parts["glasses"]])
    clear = np.clip(skin - features, 0, 1)
    luma = np.maximum(luminance(colour), np.float32(1e-4))
    fit, spread = _fit(luma, normal, clear)
    shade = fit[0] + normal @ fit[1:].astype(np.float32)
    mean = float(np.median(shade[clear > 0.5])) if (clear > 0.5).any() else 1.0
    ratio = np.clip(shade / max(mean, 1e-4), *CLAMP).astype(np.float32)
    gentle = np.float32(0.5) * np.clip(parts["hair"] + parts["cloth"] + parts["glasses"], 0, 1)
    power = np.float32(POWER) * (1 - gentle)
    flat = colour / (ratio**power)[..., None]
    flat = _without_shine(flat, skin, clear, hw_px)
    albedo = np.clip(flat, 0, 1) * (matte > 0.004)[..., None]
    return albedo.astype(np.float32), _describe(fit, spread, mean, clear, normal)


def _fit(luma: F32, normal: F32, clear: F32) -> tuple[np.ndarray, float]:
    """Robust least squares of luminance on (1, n): four numbers and the relative residual."""
    pick = np.flatnonzero(clear[::3, ::3] > 0.7)
    if len(pick) < 50:
        return np.array([1.0, 0, 0, 0]), 1.0
    y = luma[::3, ::3].ravel()[pick].astype(np.float64)
    n = normal[::3, ::3].reshape(-1, 3)[pick].astype(np.float64)
    basis = np.concatenate([np.ones((len(n), 1)), n], 1)
    weight = np.ones(len(y))
    middle = float(np.median(y))
    ridge = np.diag([0.0, 1.0, 1.0, 1.0]) * 1e-3 * len(y)
    c = np.array([middle, 0, 0, 0])
    for _ in range(12):
        a = basis * weight[:, None]
        c = np.linalg.solve(basis.T @ a + ridge, a.T @ y)
        rest = (y - basis @ c) / middle
        scale = max(1.4826 * float(np.median(np.abs(rest))), 0.02)
        weight = 1 / (1 + (rest / (2 * scale)) ** 2)
    return c, scale


def _without_shine(flat: F32, skin: F32, clear: F32, hw_px: float) -> F32:
    """Press highlights that stand more than a tenth above the skin round them, in the skin's own tint; pores stay."""
    luma = np.maximum(luminance(flat), np.float32(1e-4))
    broad = _among(flat, clear, 0.10 * hw_px)
    base = luminance(broad)
    smooth = _among(luma, clear, 0.008 * hw_px)
    over = np.maximum(smooth / np.maximum(base, np.float32(1e-4)) - np.float32(1.10), 0)
    goal = (np.float32(1.10) + np.float32(0.3) * over) / (np.float32(1.10) + over)
    strength = np.clip(over / np.float32(0.2), 0, 1)[..., None] * clear[..., None]
    tint = broad / np.maximum(base, np.float32(1e-4))[..., None]
    pressed = flat * goal[..., None]
    tinted = tint * luminance(pressed)[..., None]
    share = np.float32(0.6) * strength
    out = flat + clear[..., None] * ((1 - share) * pressed + share * tinted - flat)
    return np.asarray(out, np.float32)


def _among(value: F32, weight: F32, sigma: float) -> F32:
    """Gaussian blur of f32[h, w(, c)] among weighted pixels only."""
    mass = cv2.GaussianBlur(weight, (0, 0), sigma)
    k = weight[..., None] if value.ndim == 3 else weight
    top = cv2.GaussianBlur((value * k).astype(np.float32), (0, 0), sigma)
    floor = np.maximum(mass, np.float32(1e-4))
    return np.where(mass[..., None] > 1e-3, top / floor[..., None], value) if value.ndim == 3 else np.where(mass > 1e-3, top / floor, value)


def _describe(fit: np.ndarray, spread: float, mean: float, clear: F32, normal: F32) -> FoundLight:
    """Say the fit in a photographer's words."""
    b = fit[1:]
    length = float(np.linalg.norm(b))
    if length < 1e-6:
        return FoundLight(0.0, 0.0, 0.0, False, 0.0, 0.0)
    d = b / length
    azimuth, elevation = math.degrees(math.atan2(d[0], d[2])), math.degrees(math.asin(np.clip(d[1], -1, 1)))
    shade = fit[0] + normal[clear > 0.5][::11] @ b
    low, high = np.percentile(shade, (5, 95)) if len(shade) else (1.0, 1.0)
    contrast = float(np.log2(max(high, 1e-4) / max(low, 0.05 * max(high, 1e-4))))
    return FoundLight(azimuth, elevation, contrast, contrast > 2.0, 0.0, float(np.clip(1 - spread / 0.4, 0, 1)))
