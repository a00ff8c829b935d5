"""GRAIN. Silver as a Boolean model: discs thrown at random; what shows is how their cover varies under a small aperture.

After Newson, Faraj, Delon and Galerne, "Realistic film grain rendering" (IPOL 2017), whose covariance is used in closed form
with a Gaussian in place of the sampled discs: an aperture here holds hundreds of grains. The aperture law (Selwyn 1935:
sigma x sqrt(area) is constant while the aperture is wider than a grain) is then a theorem, so preview and print agree.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from lowkey.pixels import F32

APERTURE_48_UM2 = math.pi * 24.0**2
"""Area of the aperture through which diffuse rms granularity is stated."""


@lru_cache(maxsize=64)
def boolean_area(cover: float, steps: int = 200) -> float:
    """Integral of the covariance of a Boolean model of unit discs, over its variance at cover 1/2 (0.25 x pi).

    A point is covered with chance u = 1 - exp(-lambda pi). Two points a distance s apart are both bare with chance
    exp(-lambda (2 pi - lens(s))), so their covariance is (1-u)^2 (exp(lambda lens(s)) - 1).
    """
    u = min(max(cover, 0.0), 1 - 1e-6)
    lam = -math.log1p(-u) / math.pi
    s = (np.arange(steps) + 0.5) * (2.0 / steps)
    lens = 2 * np.arccos(s / 2) - 0.5 * s * np.sqrt(4 - s * s)
    covariance = (1 - u) ** 2 * np.expm1(lam * lens)
    return float(np.sum(covariance * 2 * math.pi * s) * (2.0 / steps) / (0.25 * math.pi))


@lru_cache(maxsize=1)
def deviation_table() -> F32:
    """SD of cover under a wide aperture against cover 0..1 in 257 steps, 1 at one half: strongest in the middle, 0 at both ends."""
    table = np.array([math.sqrt(boolean_area(k / 256.0)) for k in range(257)])
    table[-1] = 0.0
    return np.asarray(table / table[128], np.float32)


@lru_cache(maxsize=16)
def seen_by_pixel(clump_um: float, pixel_um: float) -> tuple[float, float]:
    """How a square pixel of `pixel_um` sees clumps: sigma of its blur in pixels, and the area in pixels that it averages over.

    The blur is the clump's Gaussian (SD a quarter of its diameter) and 0.38 pixel of scanner: film has no hard pixel edges.
    White noise blurred by a kernel k keeps the share sum(k^2) of its variance, so one pixel stands for 1 / sum(k^2) of them.
    """
    sigma = math.sqrt((clump_um / 4.0 / pixel_um) ** 2 + 0.38**2)
    kernel = cv2.getGaussianKernel(kernel_width(sigma), sigma)[:, 0]
    return sigma, 1.0 / float(np.sum(kernel**2)) ** 2


def kernel_width(sigma: float) -> int:
    return 2 * math.ceil(4 * sigma) + 1


def aperture_sd(rms_48: float, clump_um: float, pixel_um: float) -> float:
    """SD of density that a pixel of `pixel_um` shows, given the rms through 48 um: the same white noise, another aperture."""
    area_48 = APERTURE_48_UM2 + 4 * math.pi * (clump_um / 4.0) ** 2
    return rms_48 * math.sqrt(area_48 / (seen_by_pixel(clump_um, pixel_um)[1] * pixel_um**2))


def grain_field(rng: np.random.Generator, shape: tuple[int, int], clump_um: float, pixel_um: float) -> F32:
    """Gaussian noise f32[h, w] of unit variance with the correlation of clumps of `clump_um` in pixels of `pixel_um`."""
    sigma, area = seen_by_pixel(clump_um, pixel_um)
    width = kernel_width(sigma)
    noise = rng.standard_normal(shape, np.float32)
    soft: F32 = np.asarray(cv2.GaussianBlur(noise, (width, width), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    soft *= np.float32(math.sqrt(area))
    return soft


def grain(rng: np.random.Generator, shape: tuple[int, int], rms_48: float, clump_um: float, chroma: float, pixel_um: float) -> F32:
    """Density deviations f32[h, w, 3] of three layers at mid density; `chroma` is the share of each that is its own."""
    sd = aperture_sd(rms_48, clump_um, pixel_um)
    common = sd * grain_field(rng, shape, clump_um, pixel_um)
    if chroma <= 0:
        return np.asarray(np.repeat(common[:, :, None], 3, axis=2), np.float32)
    out = np.empty((*shape, 3), np.float32)
    for c in range(3):
        np.multiply(common, np.float32(math.sqrt(1 - chroma**2)), out=out[:, :, c])
        out[:, :, c] += np.float32(sd * chroma) * grain_field(rng, shape, clump_um, pixel_um)
    return out
