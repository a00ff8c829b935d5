"""The lamp's beam: how much light reaches a speck of dust or of haze, and how much of it turns toward the camera.

Space is measured in frame heights (fh): x from the frame's left edge to the right, y from its top edge down (a picture's
axes), z toward the camera with the subject standing in z = 0. The camera is far away, so it looks along -z everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from lowkey.blackbody import RGB
from lowkey.pixels import F32
from lowkey.rig import Rig

F64 = NDArray[np.float64]

FORWARD = 0.66
"""Asymmetry g of the Henyey-Greenstein phase function (1941): dust and haze throw most light onward."""
ROUND = 0.55
"""Share scattered evenly to all sides (the finest dust)."""
REDDENING: RGB = (0.22, 0.75, 1.35)
"""Extinction per fh of path through the default haze: warm light grows warmer with distance."""
BEHIND_FH, BEFORE_FH = 1.4, 0.7
"""The room's air reaches from here behind the subject to here in front of it."""


@dataclass(frozen=True)
class Beam:
    """A lamp with an aim. `numbers` is what kernels read: see `strength`."""

    x: float
    y: float
    z: float
    aim: tuple[float, float, float]
    reach: float
    rgb: RGB
    """Colour of the light, largest component 1."""

    @property
    def numbers(self) -> F64:
        """x, y, z, aim x, y, z, reach: float64[7] for kernels."""
        return np.array([self.x, self.y, self.z, *self.aim, self.reach], np.float64)

    def at(self, xyz: F64) -> F32:
        """Light scattered toward the camera by one speck at each point [n, 3], as RGB f32[n, 3] (relative units)."""
        numbers = self.numbers
        power = np.array([strength(float(p[0]), float(p[1]), float(p[2]), numbers) for p in xyz], np.float64)
        d = np.sqrt(np.sum((xyz - np.array([self.x, self.y, self.z])) ** 2, axis=1))
        colour = np.array(self.rgb) * np.exp(-d[:, None] * np.array(REDDENING))
        return np.asarray(power[:, None] * colour, np.float32)


def beam_of(rig: Rig, aspect: float, head_fw_fh: tuple[float, float] = (0.47, 0.405)) -> Beam:
    """The lamp's beam in a frame `aspect` = width / height wide, aimed at the head.

    A lamp that is not visible is moved out of the frame, the shortest way from the head through its place: its light stays.
    """
    fx, fy = rig.lamp.place_fw_fh
    hx, hy = head_fw_fh
    if not rig.lamp.visible and -0.12 < fx < 1.12 and -0.12 < fy < 1.12:
        ux, uy = fx - hx, fy - hy
        if math.hypot(ux, uy) < 1e-3:
            uy = -1.0
        sideways = (1.18 - hx) / ux if ux > 0 else (hx + 0.18) / -ux if ux < 0 else math.inf
        out = min(sideways, (hy + 0.18) / -uy if uy < 0 else math.inf)
        if math.isfinite(out):
            fx, fy = hx + ux * out, hy + uy * out
    x, y, z = fx * aspect, fy, -rig.lamp.depth_fh
    # The cone is aimed a little before the face, as a light-setter does, so that its middle crosses the dark side.
    ax, ay, az = hx * aspect - x, hy - y, 0.10 - z
    n = math.sqrt(ax * ax + ay * ay + az * az)
    top = max(rig.lamp.radiance_rgb)
    r, g, b = rig.lamp.radiance_rgb
    return Beam(x, y, z, (ax / n, ay / n, az / n), rig.backdrop.reach_fh, (r / top, g / top, b / top))


@nb.njit(cache=True)
def strength(x: float, y: float, z: float, beam: Any) -> float:
    """Light from the lamp on a speck at a point, times the phase function toward the camera (relative units, per steradian).

    A speck out of the beam does not show at all: the cone's spill, which haze keeps, is taken off.
    """
    dx, dy, dz = x - beam[0], y - beam[1], z - beam[2]
    d2 = dx * dx + dy * dy + dz * dz + 1e-4
    d = math.sqrt(d2)
    b = math.sqrt(dx * dx + dy * dy)
    shown = max(cone(dx, dy, dz, d, beam) - 0.22, 0.0) / 0.78 * math.exp(-((b / beam[6]) ** 1.5))
    return float(shown * phase(dz / d) / d2)


@nb.njit(cache=True)
def cone(dx: float, dy: float, dz: float, d: float, beam: Any) -> float:
    """The lamp's own pattern, 0.10 (spill) to 1 (axis): a smooth fall from 25 to 80 degrees off the axis."""
    c = (dx * beam[3] + dy * beam[4] + dz * beam[5]) / d
    t = min(max((c - 0.17) / (0.91 - 0.17), 0.0), 1.0)
    return float(0.10 + 0.90 * t * t * (3.0 - 2.0 * t))


@nb.njit(cache=True)
def phase(c: float) -> float:
    """Henyey & Greenstein (1941) with an isotropic part; c is the cosine between onward and outward directions."""
    g = FORWARD
    k = 1.0 + g * g - 2.0 * g * c
    return float(ROUND + (1.0 - ROUND) * (1.0 - g * g) / (k * math.sqrt(k))) / (4.0 * math.pi)


@nb.njit(cache=True)
def wave(u: float) -> float:
    return u * u * (3.0 - 2.0 * u)


@nb.njit(cache=True)
def drift(x: float, y: float, z: float, lattice: Any) -> float:
    """Trilinear smooth noise of a lattice [nz, ny, nx] that repeats; one unit is one cell."""
    nz, ny, nx = lattice.shape
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    u, v, s = wave(x - fx), wave(y - fy), wave(z - fz)
    i, j, k = int(fx) % nx, int(fy) % ny, int(fz) % nz
    i1, j1, k1 = (i + 1) % nx, (j + 1) % ny, (k + 1) % nz
    a = (lattice[k, j, i] * (1 - u) + lattice[k, j, i1] * u) * (1 - v) + (lattice[k, j1, i] * (1 - u) + lattice[k, j1, i1] * u) * v
    b = (lattice[k1, j, i] * (1 - u) + lattice[k1, j, i1] * u) * (1 - v) + (lattice[k1, j1, i] * (1 - u) + lattice[k1, j1, i1] * u) * v
    return float(a * (1 - s) + b * s)


@nb.njit(cache=True, parallel=True)
def airlight(matte: Any, beam: Any, lattice: Any, rough: float, steps: int, reddening: Any) -> Any:
    """Light that haze scatters into each pixel: f32[2, h, w, 3], behind the subject and before it (relative units).

    The airlight integral (Sun et al. 2005, "A practical analytic single scattering model") sampled at equal angles seen from
    the lamp (Kulla & Fajardo 2012), which takes its 1/d^2 out exactly. Air before the subject lies in the subject's shadow:
    the shadow volume is what shows as shafts. `matte` f32[h, w] spans the frame; `rough` is the SD of the air's log density.
    """
    h, w = matte.shape
    out = np.zeros((2, h, w, 3), np.float32)
    lx, ly, lz, reach = beam[0], beam[1], beam[2], beam[6]
    for row in nb.prange(h):
        y = (row + 0.5) / h
        for col in range(w):
            x = (col + 0.5) / h
            b = math.sqrt((x - lx) ** 2 + (y - ly) ** 2 + 4e-4)
            # The bank of haze thins away from the lamp: this is its reach.
            bank = math.exp(-((b / reach) ** 1.5)) + 0.02
            for side in range(2):
                # Behind the subject the lamp is near and needs more steps; before it the air is far from the lamp.
                count = steps if side == 0 else steps // 2
                first = math.atan(((-BEHIND_FH if side == 0 else 0.0) - lz) / b)
                last = math.atan(((0.0 if side == 0 else BEFORE_FH) - lz) / b)
                width = (last - first) / count
                for k in range(count):
                    z = lz + b * math.tan(first + (k + 0.5) * width)
                    dx, dy, dz = x - lx, y - ly, z - lz
                    d = math.sqrt(dx * dx + dy * dy + dz * dz)
                    # Slow currents, on axes turned out of the picture's so that no lattice line shows.
                    p1, q1 = 0.79 * x + 0.61 * y, 0.79 * y - 0.61 * x + 0.3 * z
                    n = drift(p1 * 3.1, q1 * 4.3, z * 3.1, lattice) + 0.55 * drift(q1 * 10.1 + 5.1, p1 * 7.3 + 2.7, z * 6.7, lattice)
                    # Dust on the lamp's glass draws faint rays: its light differs a little from one direction to the next.
                    n += 1.2 * drift(7.0 * dx / d, 7.0 * dy / d, 3.0 * dz / d, lattice)
                    glow = math.exp(rough * n) * bank * cone(dx, dy, dz, d, beam) * phase(dz / d) * width / b
                    if side == 1:
                        # Where the ray from the lamp crosses the subject's plane; the matte there hides the lamp.
                        s = -lz / (z - lz)
                        u, v = (lx + dx * s) * h - 0.5, (ly + dy * s) * h - 0.5
                        i, j = math.floor(u), math.floor(v)
                        i0, j0 = min(max(i, 0), w - 1), min(max(j, 0), h - 1)
                        i1, j1 = min(max(i + 1, 0), w - 1), min(max(j + 1, 0), h - 1)
                        p, q = u - i, v - j
                        top = matte[j0, i0] * (1 - p) + matte[j0, i1] * p
                        glow *= 1.0 - (top * (1 - q) + (matte[j1, i0] * (1 - p) + matte[j1, i1] * p) * q)
                    for c in range(3):
                        out[side, row, col, c] += glow * math.exp(-reddening[c] * d)
    return out
