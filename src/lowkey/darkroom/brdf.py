"""How one point answers one light: skin, eyes, leather, knit. Scalar kernels, called from the fused loop in `light`.

Convention: a white matte surface that faces irradiance 1 has radiance 1, so every lobe here is pi times the usual BRDF.
"""

from __future__ import annotations

import math

from numba import njit


@njit(cache=True, inline="always")
def cosine(mu: float, sin_r: float) -> float:
    """Clamped cosine averaged over a disk source of angular radius r: exact far from the terminator, quadratic at it."""
    if mu >= sin_r:
        return mu
    if mu <= -sin_r:
        return 0.0
    return (mu + sin_r) ** 2 / (4.0 * sin_r)


@njit(cache=True, inline="always")
def ggx(nl: float, nv: float, nh: float, vh: float, roughness: float, f0: float) -> float:
    """GGX microfacet lobe with Smith's height-correlated masking and Schlick's Fresnel (Walter et al. 2007), times pi n.l."""
    if nl <= 0.0 or nv <= 0.0:
        return 0.0
    a2 = max(roughness, 0.05) ** 4
    d = a2 / (nh * nh * (a2 - 1.0) + 1.0) ** 2
    mask = nl * math.sqrt(a2 + (1.0 - a2) * nv * nv) + nv * math.sqrt(a2 + (1.0 - a2) * nl * nl)
    # What hardly mirrors face on (yarn, a hair's soft edge) is rough at every angle: its grazing mirror fades with F0
    # (Lagarde & de Rousiers 2014, section 3.1.3).
    fresnel = f0 + (min(50.0 * f0, 1.0) - f0) * (1.0 - vh) ** 5
    return 0.5 * d / max(mask, 1e-5) * fresnel * nl


TAU, FORWARD = 0.10, 0.7
"""Optical thickness of the loose fibre on wool, looked at square on, and how far it scatters ahead (Henyey & Greenstein's g): a fibre
bends most of what it does not swallow round itself, however dark its dye."""


@njit(cache=True, inline="always")
def through(nl: float, nv: float) -> float:
    """Share of the light that gets through loose fibre to the yarn under it and out again to the eye."""
    return math.exp(-TAU * (1.0 / max(nl, 0.02) + 1.0 / max(nv, 0.02)))


@njit(cache=True, inline="always")
def fuzz(nl: float, nv: float, ahead: float) -> float:
    """Asperity scattering of a thin layer of fibre of albedo one, times pi n.l (Koenderink & Pont 2003, "The secret of velvety skin").

    Single scattering, with Henyey & Greenstein's phase: `ahead` is the cosine between where light goes and the eye. It hardly shows face
    on; at grazing angles before a lamp behind it is the crisp line of light along a dark shoulder.
    """
    if nl <= 0.0:
        return 0.0
    g = FORWARD
    phase: float = (1.0 - g * g) / (1.0 + g * g - 2.0 * g * ahead) ** 1.5
    return 0.25 * phase * nl / (nl + nv) * (1.0 - through(nl, nv))


@njit(cache=True, inline="always")
def strand(tl: float, tv: float, shift: float, width: float) -> float:
    """Longitudinal lobe of a fibre (Marschner et al. 2003): bright where the two inclinations to the strand cancel."""
    a = math.asin(min(max(tl, -1.0), 1.0)) + math.asin(min(max(tv, -1.0), 1.0)) - shift
    lobe: float = math.exp(-0.5 * (a / width) ** 2) * math.sqrt(max(0.0, 1.0 - tl * tl))
    return lobe
