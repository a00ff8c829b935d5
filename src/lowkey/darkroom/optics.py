"""OPTICS. What the lens does to the scene: bloom, halo, veil, spikes of the iris, streak and ghosts of an anamorph, vignette.

It comes after the backdrop, since flare is proportional to the real energy of lamp and highlights, and before film, since it
is linear. All wide kernels are mixtures of Gaussians with mirrored borders: each keeps the light's sum and leaves a flat field flat.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numba as nb
import numpy as np

from lowkey.pixels import F32
from lowkey.rig import Lamp, Lens

HALO_SHARE = 0.045
SPIKE_SHARE = 0.003
STREAK_SHARE = 0.003
RING_SHARE = 0.0003
BLOOM_FH = ((0.0022, 0.5), (0.006, 0.35), (0.018, 0.15))
"""Sigma in fh and share of each Gaussian of the bloom."""
HALO_MIX = ((0.05, 0.24), (0.10, 0.21), (0.20, 0.19), (0.40, 0.17), (0.80, 0.13), (1.6, 0.05), (3.2, 0.01))
"""Sigma in halo radii and share of each Gaussian of the halo: even shares per octave would fall as 1/r^2; the far ones are less, for coated glass."""
HALO_TINT = (1.0, 0.76, 0.52)
"""Old coatings scatter blue away: how much of each primary's share goes to the halo."""


def focus(scene: F32, lens: Lens, lamp: Lamp, *, clear: F32 | None = None) -> F32:
    """The scene as it falls on film, f32[h, w, 3] in, the same out; linear, energy kept but for the vignette.

    `clear` f32[h, w] in 0..1 marks what ghosts and streak must not soil (the face); they are 85 % weaker there.
    """
    out = spread(scene, BLOOM_FH, (lens.bloom,) * 3) if lens.bloom > 0 else scene.copy()
    gain = HALO_SHARE * lens.halo_gain
    if gain > 0:
        mix = tuple((sigma * lens.halo_radius_fh, share) for sigma, share in HALO_MIX)
        out = scattered(out, scene, mix, (gain * HALO_TINT[0], gain * HALO_TINT[1], gain * HALO_TINT[2]))
    if lens.veil > 0:
        mean = scene.reshape(-1, 3).mean(axis=0, dtype=np.float64)
        out = out * np.float32(1 - lens.veil) + (lens.veil * mean).astype(np.float32)
    out = flare(out, scene, lens, lamp, clear)
    if lens.vignette_ev > 0:
        out *= vignette(scene.shape[0], scene.shape[1], lens.vignette_ev)[:, :, None]
    return np.asarray(out, np.float32)


def blurred(scene: F32, sigma_fh: float) -> F32:
    """Gaussian blur f32[h, w, 3] with mirrored borders, on a smaller grid when sigma allows it (the mean is kept exactly)."""
    h, w = scene.shape[:2]
    step = 1
    while step < 32 and sigma_fh * h / (2 * step) >= 2.2 and h % (2 * step) == 0 and w % (2 * step) == 0:
        step *= 2
    small = scene if step == 1 else cv2.resize(scene, (w // step, h // step), interpolation=cv2.INTER_AREA)
    # Shrinking and enlarging blur a little themselves; take that off the kernel's variance.
    sigma = math.sqrt(max((sigma_fh * h / step) ** 2 - (0.0 if step == 1 else 0.25), 0.04))
    small = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(small if step == 1 else cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def spread(scene: F32, mix: tuple[tuple[float, float], ...], share: tuple[float, float, float]) -> F32:
    """Send `share` of each primary's light into a mixture of Gaussians (sigma in fh, weight; weights sum to 1)."""
    return scattered(scene, scene, mix, share)


def scattered(out: F32, scene: F32, mix: tuple[tuple[float, float], ...], share: tuple[float, float, float]) -> F32:
    """Take `share` of the scene's light out of `out` and put it back as the scene blurred by `mix`."""
    rgb = np.array(share, np.float32)
    result = out - scene * rgb
    for sigma, weight in mix:
        result += blurred(scene, sigma) * (rgb * np.float32(weight))
    return np.asarray(result, np.float32)


def flare(out: F32, scene: F32, lens: Lens, lamp: Lamp, clear: F32 | None) -> F32:
    """Spikes, streak and rings of the visible lamp. What is taken from its disc is what they carry."""
    spikes, streak = SPIKE_SHARE * lens.spike_gain, STREAK_SHARE * lens.streak_gain
    rings = RING_SHARE * lens.rings
    if not lamp.visible or spikes + streak + rings <= 0:
        return out
    h, w = scene.shape[:2]
    cx, cy = lamp.place_fw_fh[0] * w - 0.5, lamp.place_fw_fh[1] * h - 0.5

    # The lamp's light that reaches the lens: the disc, less what the head covers.
    reach = int(2.2 * lamp.radius_fh * h) + 2
    rows, cols = slice(max(int(cy) - reach, 0), max(int(cy) + reach + 1, 0)), slice(max(int(cx) - reach, 0), max(int(cx) + reach + 1, 0))
    core = scene[rows, cols]
    source = np.where(core.max(axis=2, keepdims=True) > 0.08 * max(lamp.radiance_rgb), core, 0) if core.size else core
    power = source.reshape(-1, 3).sum(axis=0, dtype=np.float64)
    if power.max(initial=0.0) <= 0:
        return out
    out[rows, cols] -= source * np.float32(spikes + streak + rings)

    spare = np.ones((h, w), np.float32) if clear is None else 1 - np.float32(0.85) * clear
    sprite = np.zeros((h, w, 3), np.float32)
    if spikes > 0:
        star(sprite, cx, cy, h, iris_profile(lens.blades), (spikes * power).astype(np.float64))
    if streak > 0:
        line(sprite, cx, cy, h, (streak * power).astype(np.float64))
    if rings > 0:
        ghosts(sprite, cx, cy, h, lens.rings, (rings * power).astype(np.float64))
    return np.asarray(out + sprite * spare[:, :, None], np.float32)


@lru_cache(maxsize=8)
def iris_profile(blades: int, samples: int = 1440) -> F32:
    """How diffraction at an iris of `blades` blades divides light among directions, f32[samples] over a turn, mean 1.

    The far field of the opening (Fraunhofer) averaged along its radius: only this angular profile is kept, since the radial
    one at camera scale reads as noise. Blades differ by a little, as real ones do, and dust on the glass adds faint rays.
    """
    n = 256
    y, x = np.mgrid[-1:1:n * 1j, -1:1:n * 1j] * 2.2
    rng = np.random.Generator(np.random.PCG64(blades))
    opening = np.ones((n, n), np.float64)
    for k in range(blades):
        a = 2 * math.pi * (k + 0.23) / blades + rng.normal(0, 0.012)
        opening *= np.clip(0.5 + 24 * (1 + rng.normal(0, 0.012) - (x * math.cos(a) + y * math.sin(a))), 0, 1)
    power = np.abs(np.fft.fftshift(np.fft.fft2(opening))) ** 2
    radius, angle = np.hypot(x, y) / 2.2 * n / 2, np.arctan2(y, x)
    ring = (radius > 14) & (radius < 110)
    where = ((angle[ring] / (2 * math.pi)) % 1.0 * samples).astype(int) % samples
    weight = (power * radius**3)[ring]
    profile = np.bincount(where, weight, samples) / np.maximum(np.bincount(where, minlength=samples), 1)
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 2.6) ** 2)
    profile = np.convolve(np.concatenate([profile[-12:], profile, profile[:12]]), kernel / kernel.sum(), "valid")
    profile = profile / profile.max()
    fine = np.interp(np.arange(samples), np.arange(0, samples, 6), np.abs(rng.standard_normal(samples // 6)) ** 2.2, period=samples)
    profile = profile**1.5 + 0.016 * fine
    return np.asarray(profile / profile.mean(), np.float32)


@nb.njit(cache=True, parallel=True)
def star(into: Any, cx: float, cy: float, per_fh: int, profile: Any, power: Any) -> None:
    """Add spikes: the iris's angular profile on two exponentials, the light's sum being `power` on an endless field."""
    h, w = into.shape[0], into.shape[1]
    n = profile.shape[0]
    short, far = 0.020 * per_fh, 0.085 * per_fh
    for j in nb.prange(h):
        for i in range(w):
            dx, dy = i - cx, j - cy
            r = math.sqrt(dx * dx + dy * dy)
            if r > 0.62 * per_fh:
                continue
            t = (math.atan2(dy, dx) / (2.0 * math.pi)) % 1.0 * n
            k = int(t)
            u = t - k
            p = profile[k % n] * (1.0 - u) + profile[(k + 1) % n] * u
            # exp(-r/s)/r spreads evenly along a ray and sums to 2 pi s.
            radial = (0.62 * math.exp(-r / short) / short + 0.38 * math.exp(-r / far) / far) / (2.0 * math.pi * math.sqrt(r * r + 6.0))
            for c in range(3):
                into[j, i, c] += power[c] * p * radial


@nb.njit(cache=True, parallel=True)
def line(into: Any, cx: float, cy: float, per_fh: int, power: Any) -> None:
    """Add the horizontal streak of a cylinder lens: thin, cool at its ends, its light's sum `power` on an endless field."""
    h, w = into.shape[0], into.shape[1]
    thin, broad = max(0.0011 * per_fh, 0.5), 0.0065 * per_fh
    near, far = 0.07 * per_fh, 0.42 * per_fh
    tint = (0.55, 0.85, 1.75)
    for j in nb.prange(h):
        dy = j - cy
        a = 0.7 * math.exp(-0.5 * (dy / thin) ** 2) / (thin * 2.5066) + 0.3 * math.exp(-0.5 * (dy / broad) ** 2) / (broad * 2.5066)
        if a < 1e-9:
            continue
        for i in range(w):
            dx = abs(i - cx)
            b = 0.5 * (0.5 * math.exp(-dx / near) / near + 0.5 * math.exp(-dx / far) / far)
            for c in range(3):
                into[j, i, c] += power[1] * a * b * tint[c]


@nb.njit(cache=True, parallel=True)
def ghosts(into: Any, cx: float, cy: float, per_fh: int, count: int, power: Any) -> None:
    """Add rings: ovals squeezed by the anamorph round the lamp and along its line through the frame's middle, blue within, amber without.

    Each ring is broken round its course and fades on the side away from the frame's middle, as reflections at the barrel do.
    """
    h, w = into.shape[0], into.shape[1]
    mx, my = 0.5 * w - cx, 0.5 * h - cy
    for j in nb.prange(h):
        for i in range(w):
            for n in range(count):
                along = 0.0 if n < (count + 1) // 2 else 0.42 * (n - (count + 1) // 2 + 1)
                radius = (0.085 + 0.062 * n) * per_fh
                dx, dy = (i - cx - along * mx) * 1.28, j - cy - along * my
                r = math.sqrt(dx * dx + dy * dy) / radius
                if r > 1.35 or r < 0.5:
                    continue
                angle = math.atan2(dy, dx)
                broken = 0.55 + 0.30 * math.sin(2.0 * angle + 1.3 * n) + 0.15 * math.sin(5.0 * angle + 2.1 * n)
                area = 2.0 * math.pi * radius * radius * 0.11 / 1.28 * count
                for c in range(3):
                    t = (r - (1.035 - 0.035 * c)) / 0.055
                    disc = 0.05 if r < 1.0 else 0.0
                    into[j, i, c] += power[1] / area * broken * (math.exp(-t * t) + disc) * (1.0, 0.92, 1.15)[c]


def vignette(h: int, w: int, ev: float) -> F32:
    """Natural fall-off toward the corners (cos^4 law) scaled to lose `ev` stops in them, f32[h, w]."""
    x, y = (np.arange(w, dtype=np.float32) + 0.5 - 0.5 * w)[None], (np.arange(h, dtype=np.float32) + 0.5 - 0.5 * h)[:, None]
    r2 = (x * x + y * y) / np.float32(0.25 * (w * w + h * h))
    k = 2 ** (ev / 2) - 1
    return np.asarray(1 / (1 + np.float32(k) * r2) ** 2, np.float32)
