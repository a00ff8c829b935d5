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
STREAK_SHARE = 0.0019
RING_SHARE = 0.0011
BLOOM_FH = ((0.0022, 0.5), (0.006, 0.35), (0.018, 0.15))
"""Sigma in fh and share of each Gaussian of the bloom."""
HALO_MIX = ((0.05, 0.24), (0.10, 0.21), (0.20, 0.19), (0.40, 0.18), (0.80, 0.12), (1.6, 0.05), (3.2, 0.01))
"""Sigma in halo radii and share of each Gaussian: even shares per octave would fall as 1/r^2; coated glass scatters less far."""
HALO_TINT = (1.0, 0.76, 0.52)
"""Old coatings scatter blue away: how much of each primary's share goes to the halo."""


def focus(scene: F32, lens: Lens, lamp: Lamp, *, clear: F32 | None = None) -> F32:
    """The scene as it falls on film, f32[h, w, 3] in, the same out; linear, energy kept but for the vignette.

    `clear` f32[h, w] in 0..1 marks what ghosts and streak must not soil: the streak is 85 % weaker there, and no ghost lies on it.
    """
    halo = HALO_SHARE * lens.halo_gain
    mix = [(sigma, (lens.bloom * part,) * 3) for sigma, part in BLOOM_FH if lens.bloom > 0]
    mix += [(sigma * lens.halo_radius_fh, (halo * part * HALO_TINT[0], halo * part * HALO_TINT[1], halo * part * HALO_TINT[2]))
            for sigma, part in HALO_MIX if halo > 0]  # fmt: skip
    out = spread(scene, mix, lens.veil)
    flare(out, scene, lens, lamp, clear)
    if lens.vignette_ev > 0:
        out *= vignette(scene.shape[0], scene.shape[1], lens.vignette_ev)[:, :, None]
    return out


def spread(scene: F32, mix: list[tuple[float, tuple[float, float, float]]], veil: float = 0.0) -> F32:
    """Scatter f32[h, w, 3]: each ``(sigma in fh, share of each primary)`` of `mix` moves that share into a Gaussian.

    Wide Gaussians work on halved pictures, each blurred where it is no coarser than needed and enlarged step by step, so the
    frame itself is passed over twice whatever the number of Gaussians. `veil` spreads its share evenly over the frame.
    """
    h = scene.shape[0]
    levels = [scene]
    kept: dict[int, list[tuple[float, F32]]] = {}
    total = np.full(3, veil, np.float32)
    for sigma_fh, share in mix:
        rgb = np.array(share, np.float32)
        total += rgb
        sigma, level = sigma_fh * h, 0
        while level < 6 and sigma / 2 ** (level + 1) >= 1.3 and h >> level > 64:
            level += 1
        kept.setdefault(level, []).append((sigma / 2**level, rgb))
    while len(levels) <= max(kept, default=0):
        half = ((levels[-1].shape[1] + 1) // 2, (levels[-1].shape[0] + 1) // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))

    glow: F32 = np.zeros_like(levels[-1])
    if veil > 0:
        glow += np.float32(veil) * levels[-1].reshape(-1, 3).mean(axis=0, dtype=np.float64).astype(np.float32)
    for level in range(len(levels) - 1, -1, -1):
        if glow.shape != levels[level].shape:
            glow = np.asarray(cv2.resize(glow, levels[level].shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        for sigma, rgb in kept.get(level, []):
            # Halving and enlarging blur a little themselves: a quarter of a pixel's variance each.
            own = math.sqrt(max(sigma * sigma - (0.5 if level else 0.0), 0.05))
            glow += cv2.GaussianBlur(levels[level], (0, 0), own, borderType=cv2.BORDER_REFLECT) * rgb
    glow += scene * (1 - total)
    return glow


def flare(out: F32, scene: F32, lens: Lens, lamp: Lamp, clear: F32 | None) -> None:
    """Add spikes, streak and rings of the visible lamp to `out`; what they carry is taken from its disc."""
    spikes, streak = SPIKE_SHARE * lens.spike_gain, STREAK_SHARE * lens.streak_gain
    rings = RING_SHARE * lens.rings
    if not lamp.visible or spikes + streak + rings <= 0:
        return
    h, w = scene.shape[:2]
    cx, cy = lamp.place_fw_fh[0] * w - 0.5, lamp.place_fw_fh[1] * h - 0.5

    # The lamp's light that reaches the lens: the disc, less what the head covers.
    reach = int(2.2 * lamp.radius_fh * h) + 2
    rows, cols = slice(max(int(cy) - reach, 0), max(int(cy) + reach + 1, 0)), slice(max(int(cx) - reach, 0), max(int(cx) + reach + 1, 0))
    core = scene[rows, cols]
    if core.size == 0:
        return
    source = np.where(core.max(axis=2, keepdims=True) > 0.01 * max(lamp.radiance_rgb), core, 0)
    power = source.reshape(-1, 3).sum(axis=0, dtype=np.float64)
    if power.max() <= 0:
        return
    out[rows, cols] -= source * np.float32(spikes + streak + rings)

    # What is to stay clear is spared softly, over a twentieth of the frame, or a streak would end at its outline.
    spare = np.zeros((1, 1), np.float32)
    if clear is not None and rings + streak > 0:
        small = cv2.resize(clear, (w // 8 + 1, h // 8 + 1), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 0.055 * h / 8, borderType=cv2.BORDER_REFLECT)
        spare = np.asarray(cv2.resize(np.minimum(2.5 * small, 1), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    if spikes > 0:
        star(out, cx, cy, h, iris_profile(lens.blades), spikes * power)
    if streak > 0:
        line(out, spare, cx, cy, h, streak * power)
    for n in range(lens.rings if rings > 0 else 0):
        ghost(out, spare, cx, cy, h, n, lens.rings, rings / lens.rings * power)


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


FAINT = 2e-5
"""Light below this is not drawn: a hundredth of a code at the toe."""


@nb.njit(cache=True)
def spared(clear: Any, j: int, i: int, most: float) -> float:
    """Share of streak or ghost that pixel (j, i) gets: `most` less where `clear` is 1; a 1 x 1 `clear` spares nothing."""
    return 1.0 if clear.shape[0] == 1 else float(1.0 - most * clear[j, i])


@nb.njit(cache=True, parallel=True)
def star(into: Any, cx: float, cy: float, per_fh: int, profile: Any, power: Any) -> None:
    """Add spikes: the iris's angular profile on two exponentials, the light's sum being `power` on an endless field."""
    h, w = into.shape[0], into.shape[1]
    n = profile.shape[0]
    short, far = 0.020 * per_fh, 0.085 * per_fh
    bright = power.max() * profile.max()
    for j in nb.prange(h):
        for i in range(w):
            dx, dy = i - cx, j - cy
            r = math.sqrt(dx * dx + dy * dy)
            if r > 0.62 * per_fh:
                continue
            # exp(-r/s)/r spreads evenly along a ray and sums to 2 pi s.
            radial = (0.62 * math.exp(-r / short) / short + 0.38 * math.exp(-r / far) / far) / (2.0 * math.pi * math.sqrt(r * r + 6.0))
            if radial * bright < FAINT:
                continue
            t = (math.atan2(dy, dx) / (2.0 * math.pi)) % 1.0 * n
            k = int(t)
            u = t - k
            p = profile[k % n] * (1.0 - u) + profile[(k + 1) % n] * u
            for c in range(3):
                into[j, i, c] += power[c] * p * radial


@nb.njit(cache=True, parallel=True)
def line(into: Any, clear: Any, cx: float, cy: float, per_fh: int, power: Any) -> None:
    """Add the horizontal streak of a cylinder lens: thin, cool at its ends, its light's sum `power` on an endless field."""
    h, w = into.shape[0], into.shape[1]
    thin, broad = max(0.0011 * per_fh, 0.5), 0.0065 * per_fh
    near, far = 0.05 * per_fh, 0.17 * per_fh
    tint = (0.55, 0.85, 1.75)
    for j in nb.prange(h):
        dy = j - cy
        a = 0.7 * math.exp(-0.5 * (dy / thin) ** 2) / (thin * 2.5066) + 0.3 * math.exp(-0.5 * (dy / broad) ** 2) / (broad * 2.5066)
        if a * power[1] / near < FAINT:
            continue
        for i in range(w):
            dx = abs(i - cx)
            b = 0.5 * (0.5 * math.exp(-dx / near) / near + 0.5 * math.exp(-dx / far) / far) * spared(clear, j, i, 0.85)
            for c in range(3):
                into[j, i, c] += power[1] * a * b * tint[c]


@nb.njit(cache=True, parallel=True)
def ghost(into: Any, clear: Any, cx: float, cy: float, per_fh: int, n: int, count: int, power: Any) -> None:
    """Add ring `n` of `count` round the lamp: an oval squeezed by the anamorph, wider and fainter from ring to ring.

    Blue within, amber without, as coatings part colours; broken round its course, as reflections at the barrel are.
    """
    h, w = into.shape[0], into.shape[1]
    # Reflections between further surfaces slide a little along the line through the frame's middle.
    along = 0.035 * n
    gx, gy = cx + along * (0.5 * w - cx), cy + along * (0.5 * h - cy)
    radius = 0.078 * 1.46**n * per_fh
    area = 2.0 * math.pi * radius * radius * 0.11 / 1.28 / (0.75 * 1.12**n)
    for j in nb.prange(max(int(gy - 1.3 * radius), 0), min(int(gy + 1.3 * radius) + 1, h)):
        for i in range(max(int(gx - 1.05 * radius), 0), min(int(gx + 1.05 * radius) + 1, w)):
            dx, dy = (i - gx) * 1.28, j - gy
            r = math.sqrt(dx * dx + dy * dy) / radius
            if r > 1.3:
                continue
            angle = math.atan2(dy, dx)
            broken = 0.55 + 0.30 * math.sin(2.0 * angle + 1.3 * n) + 0.15 * math.sin(5.0 * angle + 2.1 * n)
            broken *= spared(clear, j, i, 1.0)
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
