"""The photo's own light on skin: what it is, broadly, and what its finer shades say about the skin's form.

Both rest on order-1 spherical harmonics, shade = c0 + c . n (Basri & Jacobs 2003), which hold for the soft light of most portraits.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, added
from lowkey.plate import meshes
from lowkey.plate.zones import ramp

FINEST_HW, BROADEST_HW = 0.008, 0.30
"""Shades between these sizes (sigma) are read as form: finer ones are pores, broader ones belong to the light."""
SHARE = 0.84
"""Share of the finer light and dark of skin's red that is form (of its luminance .40-.58 on scans, the same in every band); the
rest is colour. Blood and melanin hardly show in red, and shine least of all."""
DOUBT, DOUBT_BODY = 0.3, 0.05
"""Squared slope sensitivity below which a shade moves little: within the mesh, which is right to 11 degrees, and on neck, ears
and chest, whose inflated form is right to 15-25."""
BRIM_HW, WORN, OVER, ARCHES = 0.035, 0.3, (0.02, 0.14), (105, 334)
"""The broadest on a forehead, and the share of all of it that is not believed there; how far over the arches of the brows (hw) a forehead
begins and is one, and their mesh points. What is broader there is the shade of hair, a tan and shine: read as form it drew smudges into the
half-tones of a lamp from the side, with nothing to cast them."""
STRONGEST = 0.5
"""Log shade beyond which a step is less and less believed: cast shadows, stray hair and shine are no folds."""
STEEPEST = 0.8
"""Slope that is added at most."""


def fit(luma: F32, normal: F32, clear: F32) -> tuple[NDArray[np.float64], float]:
    """Robust least squares (Cauchy weights) of luminance f32[h, w] on (1, n) where `clear` f32[h, w] > .7.

    Gives c f64[4] and the relative residual. Cast shadows and shine are outliers.
    """
    pick = np.flatnonzero(clear[::3, ::3] > 0.7)
    if len(pick) < 50:
        return np.array([1.0, 0, 0, 0]), 1.0
    y = luma[::3, ::3].ravel()[pick].astype(np.float64)
    n = normal[::3, ::3].reshape(-1, 3)[pick].astype(np.float64)
    basis = np.concatenate([np.ones((len(n), 1)), n], 1)
    middle = float(np.median(y))
    ridge = np.diag([0.0, 1.0, 1.0, 1.0]) * 1e-3 * len(y)
    c, weight, scale = np.array([middle, 0.0, 0.0, 0.0]), np.ones(len(y)), 1.0
    for _ in range(12):
        a = basis * weight[:, None]
        c = np.linalg.solve(basis.T @ a + ridge, a.T @ y)
        rest = (y - basis @ c) / middle
        scale = max(1.4826 * float(np.median(np.abs(rest))), 0.02)
        weight = 1 / (1 + (rest / (2 * scale)) ** 2)
    return c, scale


def tilt(normal: F32, colour: F32, parts: Mapping[str, F32], matte: F32, inside: F32, hw_px: float, landmarks: F32) -> F32:
    """Unit normals f32[h, w, 3] of `carve`, tilted on bare skin as the photo's finer shades ask (linear shape from shading).

    `colour` f32[h, w, 3] linear, `inside` f32[h, w] 1 where the photo has pixels, `landmarks` f32[478, 3] px. What the fitted
    light leaves unexplained in log red is D; of all slopes that would explain SHARE * D the least is added (Pentland 1990
    linearises likewise), so a surface that faces the light, where D says nothing, stays as it was.
    """
    shrink = max(1, int(hw_px / 140))
    h, w = matte.shape
    size = (max(8, w // shrink), max(8, h // shrink))
    hw = hw_px * size[0] / w

    def small(of: F32) -> F32:
        return np.asarray(cv2.resize(of, size, interpolation=cv2.INTER_AREA), np.float32)

    bare = np.clip(small(parts["skin"]) * small(inside), 0, 1) * (small(matte) > 0.95)
    features = np.maximum.reduce([small(parts[k]) for k in ("eyes", "brows", "lips", "teeth", "glasses", "hair", "hands")])
    red, facing = small(colour)[..., 0], small(normal)
    facing = facing / np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), np.float32(1e-6))
    reach = max(1, round(0.012 * hw))
    near = cv2.dilate(features, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    clear = np.clip(cv2.erode(bare, np.ones((3, 3), np.uint8)) - near, 0, 1)
    c, _ = fit(np.maximum(red, np.float32(1e-4)), facing, clear)
    length = float(np.linalg.norm(c[1:]))
    if length < 1e-6:
        return normal
    light = c[1:].astype(np.float32)
    shade = np.maximum(np.float32(c[0]) + facing @ light, np.float32(0.1 * (c[0] + length)))
    rest = np.log(np.maximum(red, np.float32(1e-3))) - np.log(shade)
    rest = np.clip(rest - np.float32(np.median(rest[clear > 0.5])), -1.2, 0.6)
    asked = among(rest, clear, FINEST_HW * hw) - among(rest, clear, BROADEST_HW * hw)
    asked = np.float32(SHARE) * asked / (1 + (asked / np.float32(STRONGEST)) ** 2)
    over = _forehead(landmarks * np.float32(hw / hw_px), size, hw)
    asked = (asked - over * among(np.asarray(asked, np.float32), clear, BRIM_HW * hw)) * (1 - np.float32(WORN) * over)

    # How log shade answers to slope (right, up) at the normals as they are.
    toward = np.maximum(facing[..., 2], np.float32(0.25))
    right, up = -facing[..., 0] / toward, -facing[..., 1] / toward
    cosine = 1 / np.sqrt(1 + right * right + up * up)
    along = (facing @ light) * cosine * cosine
    to_right, to_up = (-(light[0] * cosine + along * right) / shade, -(light[1] * cosine + along * up) / shade)
    oval = np.zeros(size[::-1], np.float32)
    cv2.fillPoly(oval, [np.round(landmarks[list(meshes.OVAL), :2] * hw / hw_px).astype(np.int32)], 1)
    oval = blur(oval, 0.04 * hw)
    doubt = np.float32(DOUBT) * oval + np.float32(DOUBT_BODY) * (1 - oval)
    gain = clear * asked / (to_right**2 + to_up**2 + doubt)
    add_right, add_up = gain * to_right, gain * to_up
    calm = 1 / np.sqrt(1 + (add_right**2 + add_up**2) / np.float32(STEEPEST**2))
    slope = np.dstack([add_right * calm, add_up * calm]).astype(np.float32)
    # Only where something is asked: most of a plate is no bare skin.
    rows, cols = np.flatnonzero(clear.max(1) > 0), np.flatnonzero(clear.max(0) > 0)
    out = normal.copy()
    if len(rows):
        top, bottom = (int(v * h / size[1]) for v in (max(rows[0] - 1, 0), rows[-1] + 2))
        left, right_end = (int(v * w / size[0]) for v in (max(cols[0] - 1, 0), cols[-1] + 2))
        box = np.s_[top:bottom, left:right_end]
        turned = np.asarray(cv2.resize(slope, (w, h), interpolation=cv2.INTER_LINEAR)[box], np.float32)
        part = out[box]
        part[..., :2] -= turned * np.maximum(part[..., 2:], np.float32(0.25))
        part /= np.maximum(np.sqrt(added(part * part))[..., None], np.float32(1e-6))
    return out


def _forehead(landmarks: F32, size_px: tuple[int, int], hw_px: float) -> F32:
    """What lies over the brows f32[h, w], 0 to 1; `landmarks` f32[478, 3] px."""
    across = landmarks[ARCHES[1], :2] - landmarks[ARCHES[0], :2]
    across = across / max(float(np.hypot(*across)), 1e-6)
    up = np.array([across[1], -across[0]], np.float32)
    ys, xs = (np.arange(n, dtype=np.float32) for n in size_px[::-1])
    middle = landmarks[list(ARCHES), :2].mean(0)
    over = ((xs - middle[0]) * up[0])[None] + ((ys - middle[1]) * up[1])[:, None]
    return np.asarray(ramp(over / np.float32(hw_px), *OVER), np.float32)


def among(value: F32, weight: F32, sigma: float) -> F32:
    """Gaussian blur of f32[h, w(, c)] among weighted pixels only; where there are none near, the value stays."""
    k = weight[..., None] if value.ndim == 3 else weight
    top, mass = blur((value * k).astype(np.float32), sigma), blur(weight, sigma)
    floor = mass[..., None] if value.ndim == 3 else mass
    return np.asarray(np.where(floor > 1e-3, top / np.maximum(floor, np.float32(1e-4)), value), np.float32)


def among_coarsely(value: F32, weight: F32, sigma: float, step: int = 4) -> F32:
    """`among` of f32[h, w, c] on a grid of every `step`-th pixel, for a `sigma` px of several of those."""
    h, w = weight.shape
    size = (max(w // step, 1), max(h // step, 1))
    small, sure = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (value * weight[..., None], weight))
    mass = blur(sure, sigma / step)[..., None]
    own = cv2.resize(value, size, interpolation=cv2.INTER_AREA)
    mean = np.where(mass > 1e-3, blur(np.ascontiguousarray(small), sigma / step) / np.maximum(mass, np.float32(1e-4)), own)
    return np.asarray(cv2.resize(np.asarray(mean, np.float32), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
