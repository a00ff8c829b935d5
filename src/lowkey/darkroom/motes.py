"""Dust in the beam: specks of light, most in focus, some as blurred cat-eye discs. They shine only where light is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np

from lowkey.darkroom.beam import BEFORE_FH, BEHIND_FH, F64, Beam
from lowkey.pixels import F32
from lowkey.rig import Rig
from lowkey.seeds import Streams

SMALLEST_FH = 0.00048
"""Standard deviation of an in-focus speck's image: the lens resolves no less."""
DEPTH_PER_BLUR = 42.0
"""fh of distance from the subject per fh of blur diameter (85 mm at f/2.8, a head at two metres; `planes` stops down further)."""

BRIGHT, FAINT, MOST = 95, 1.0, 1.5
"""Percentile of specks that is bright; by which power of its brightness against that a speck is fainter than plain scattering has it, and
up to how many times as bright the power goes on. Two blind jurors chose .7 over none in 27 of 28 pairs, a third 1.4 over .7 in all 14: but
a look that is called after its dust shows some."""


@dataclass(frozen=True)
class Specks:
    """Where dust floats. `xyz` f64[n, 3] fh; `flux` f32[n, 3] radiance x fh^2; `blur` f64[n] diameter fh; `smear` f64[n, 2] fh."""

    xyz: F64
    flux: F32
    blur: F64
    smear: F64


def scatter(rig: Rig, beam: Beam, aspect: float, streams: Streams) -> Specks:
    """Draw the dust of one seed in a frame `aspect` wide. Same specks at any picture size.

    Blur diameters are half-Cauchy: a needle-sharp majority, a long tail of discs. Flux is log-normal and follows the beam.
    """
    rng = streams.of("motes")
    motes = rig.motes
    # Draw for the widest frame there is, so that cropping a frame does not move its dust.
    n = round(motes.per_fh2 * 2.6)
    where = np.stack([rng.uniform(-0.1, 1.9, n), rng.uniform(-0.1, 1.1, n)], axis=1)
    # Part of the dust hangs in a cloud round the lamp, on slow currents that roll it up into strands.
    near = rng.random(n) < motes.clustering
    radius = 0.36 * rng.standard_normal((n, 2))
    cloud = np.array([beam.x + 0.35 * beam.aim[0], beam.y + 0.35 * beam.aim[1]]) + radius * np.array([1.0, 0.9])
    where = np.where(near[:, None], cloud, where)
    where = strands(where, rng)
    blur = motes.focus_fh * np.abs(np.tan(0.5 * np.pi * rng.random(n) * 0.93))
    blur = np.minimum(blur, 0.014)
    front = rng.random(n) < motes.front
    depth = np.where(front, 1.0, -1.0) * (0.12 + blur * DEPTH_PER_BLUR * rng.uniform(0.6, 1.4, n))
    depth = np.clip(depth, -0.95 * BEHIND_FH, 0.95 * BEFORE_FH)
    xyz = np.column_stack([where, depth])
    # What is far out of focus is seen only when it is large.
    size = np.exp(0.95 * rng.standard_normal(n) - 0.45) * (1 + 2.5 * blur / 0.01)
    # A speck cannot flash without end when it drifts close to the lamp.
    light = beam.at(xyz)
    light *= (1.0 / (1.0 + light.max(axis=1, keepdims=True) / 0.9)).astype(np.float32)
    flux = size[:, None] * light
    bright = flux.max(axis=1, keepdims=True)
    # Most of the air is out of the beam, and so is most of the dust: lit by what strays there it was a sky of stars, in every corner alike.
    usual = max(float(np.percentile(bright, BRIGHT)), 1e-9) if n else 1.0
    flux *= motes.brightness * 1.5e-6 * np.power(np.minimum(bright / usual, MOST), FAINT)
    # A twentieth of a second of drifting draws a speck out a little; one in twenty is a thread of lint, lying anyhow.
    lint = rng.random(n) < 0.05
    angle = np.where(lint, rng.uniform(0, np.pi, n), rng.uniform(-0.5, 0.5, n) + 0.4)
    length = np.minimum(0.0007 * np.exp(0.8 * rng.standard_normal(n)), 0.004) * np.where(lint, 3.5, 1.0)
    smear = np.column_stack([np.cos(angle), np.sin(angle)]) * length[:, None]
    inside = (where[:, 0] > -0.05) & (where[:, 0] < aspect + 0.05) & (where[:, 1] > -0.05) & (where[:, 1] < 1.05)
    return Specks(xyz[inside], np.asarray(flux[inside], np.float32), blur[inside], smear[inside])


def strands(where: F64, rng: np.random.Generator) -> F64:
    """Pull points f64[n, 2] together along a few slow waves of air, so that dust hangs in strands and leaves lanes."""
    waves = 7
    k = rng.uniform(5.0, 17.0, waves)[:, None] * np.stack([np.cos(t := rng.uniform(0, np.pi, waves)), np.sin(t)], axis=1)
    phase = rng.uniform(0, 2 * np.pi, waves)
    moved = where.copy()
    for ki, pi in zip(k, phase, strict=True):
        moved += 0.45 * (ki / (ki @ ki)) * np.sin(moved @ ki + pi)[:, None]
    return moved


def draw(specks: Specks, which: Any, into: F32, beam_centre_fh: tuple[float, float] = (0.4, 0.5)) -> None:
    """Add the specks of mask `which` bool[n] to `into` f32[h, w, 3] scene-linear, keeping each one's flux at any size."""
    index = np.nonzero(which)[0]
    splat(specks.xyz[index], specks.flux[index], specks.blur[index], specks.smear[index], np.array(beam_centre_fh), into)


@nb.njit(cache=True)
def splat(xyz: Any, flux: Any, blur: Any, smear: Any, centre: Any, into: Any) -> None:
    """One speck after the other (never in parallel: their sums must not depend on who comes first)."""
    h, w = into.shape[0], into.shape[1]
    for n in range(xyz.shape[0]):
        x, y = xyz[n, 0] * h - 0.5, xyz[n, 1] * h - 0.5
        radius = 0.5 * blur[n] * h
        core = max(SMALLEST_FH * h, 0.42)
        if radius < 1.6 * core:
            # In focus: a Gaussian as wide as lens and speck together, drawn out along its drift.
            sx, sy = smear[n, 0] * h, smear[n, 1] * h
            length = math.sqrt(sx * sx + sy * sy)
            ux, uy = (sx / length, sy / length) if length > 0 else (1.0, 0.0)
            across = math.sqrt(core * core + 0.25 * radius * radius)
            along = math.sqrt(across * across + length * length / 12.0)
            reach = int(3.5 * along) + 2
            scale = h * h / (2.0 * math.pi * across * along)
            for j in range(max(int(y) - reach, 0), min(int(y) + reach + 2, h)):
                for i in range(max(int(x) - reach, 0), min(int(x) + reach + 2, w)):
                    p, q = (i - x) * ux + (j - y) * uy, (j - y) * ux - (i - x) * uy
                    v = scale * math.exp(-0.5 * (p * p / (along * along) + q * q / (across * across)))
                    for c in range(3):
                        into[j, i, c] += flux[n, c] * v
        else:
            # Out of focus: the iris itself, clipped by the barrel toward the corners (cat's eye), its rim a little brighter.
            vx, vy = (xyz[n, 0] - centre[0]) * 1.25, (xyz[n, 1] - centre[1]) * 1.25
            reach = int(radius) + 3
            soft = max(0.12 * radius, 0.75)
            total = 0.0
            for j in range(int(y) - reach, int(y) + reach + 2):
                for i in range(int(x) - reach, int(x) + reach + 2):
                    total += iris((i - x) / radius, (j - y) / radius, vx, vy, soft / radius)
            if total <= 0.0:
                continue
            for j in range(max(int(y) - reach, 0), min(int(y) + reach + 2, h)):
                for i in range(max(int(x) - reach, 0), min(int(x) + reach + 2, w)):
                    v = iris((i - x) / radius, (j - y) / radius, vx, vy, soft / radius) / total * h * h
                    if v > 0.0:
                        for c in range(3):
                            into[j, i, c] += flux[n, c] * v


@nb.njit(cache=True)
def iris(px: float, py: float, vx: float, vy: float, soft: float) -> float:
    """A unit disc cut by a second one that is shifted by the field position, with a soft edge and a rim a tenth brighter."""
    r = math.sqrt(px * px + py * py)
    r2 = math.sqrt((px + vx) ** 2 + (py + vy) ** 2) / 1.22
    far = max(r, r2)
    edge = min(max((1.0 + 0.5 * soft - far) / soft, 0.0), 1.0)
    rim = 1.0 + 0.10 * min(max((far - 0.62) / 0.3, 0.0), 1.0)
    return edge * edge * (3.0 - 2.0 * edge) * rim
