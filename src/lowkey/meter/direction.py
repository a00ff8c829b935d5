"""Where the key stands: Lambert's law turned round (Pentland 1982), on normals that are known.

On the face's skin the light is a + b max(0, n.d): for every direction d of a grid the least-squares fit is a correlation, and
the best one wins. The photo's own tone is not divided out (on path-traced heads that reads worse), and the brightest twentieth
of the skin is held at its level, or highlights would pull the key toward the mirror's direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from lowkey.meter import sight as sights
from lowkey.meter.reading import CannotJudge, Measure, measured
from lowkey.meter.sight import Head, Mask, Sight
from lowkey.pixels import F32

GRID = 3000
"""Directions on the sphere, some 3.7 degrees apart."""
SMOOTH_HW, STEP_HW = 0.012, 0.02
HELD = 95.0
"""Percentile of the skin's light above which it is a highlight."""
SAMPLE_HW = 0.16
"""Errors of form, tone and cast shadow hang together over this length: a face holds some thirty independent ones."""
FLOOR_DEG = 3.5
"""What a perfect fit is still wrong by."""
LEAST_FIT, LEAST_SAMPLES = 0.45, 60
FLAT_STOPS = 0.35
"""A face whose sides differ by less than this is lit from neither."""
SECOND_AWAY_DEG = 70.0
SECOND_SHARE, SECOND_FIT = 0.10, 0.50

Found = dict[str, Measure | CannotJudge]


@dataclass(frozen=True)
class Key:
    """The light that was fitted."""

    direction: F32
    """f32[3] unit, x right, y up, z toward the camera."""
    sigma_deg: float
    fit: float
    """Correlation of the skin's light with what the direction predicts."""
    base: float
    gain: float
    """Skin's light is ``base + gain * max(0, n.d)``, display-linear."""

    @property
    def azimuth_deg(self) -> float:
        return float(np.degrees(np.arctan2(self.direction[0], self.direction[2])))

    @property
    def elevation_deg(self) -> float:
        return float(np.degrees(np.arcsin(np.clip(self.direction[1], -1, 1))))

    def at(self, normal: F32) -> F32:
        """Predicted light for normals f32[..., 3]."""
        return np.asarray(self.base + self.gain * np.maximum(normal @ self.direction, 0), np.float32)


@cache
def directions(count: int = GRID) -> F32:
    """f32[count, 3] unit vectors spread evenly over the sphere (a Fibonacci lattice, Swinbank and Purser 2006)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    turn = np.pi * (1 + math.sqrt(5)) * i
    r = np.sqrt(1 - z * z)
    return np.stack([np.cos(turn) * r, np.sin(turn) * r, z], 1).astype(np.float32)


def samples(sight: Sight, head: Head) -> tuple[F32, F32, F32]:
    """Light f32[n], normals f32[n, 3] and places f32[n, 2] on a lattice over the face's bare skin."""
    skin = head.skin & ~sights.features(head.points, sight.shape)
    y, normal, xy = _lattice(sight, head, skin)
    if len(y):
        y = np.minimum(y, np.float32(np.percentile(y, HELD)))
    return y, normal, xy


def body_samples(sight: Sight, head: Head) -> tuple[F32, F32, F32]:
    """The same over head and neck, for a light that leaves the face dark."""
    if head.matte is None:
        return samples(sight, head)
    bare = (head.matte > 0.9) & (head.parts["cloth"] < 0.2) & (head.parts["hair"] < 0.3) & (head.parts["hands"] < 0.3)
    return _lattice(sight, head, bare & (np.abs(head.normal).sum(-1) > 0))


def _lattice(sight: Sight, head: Head, where: Mask) -> tuple[F32, F32, F32]:
    step = max(round(STEP_HW * head.hw_px), 1)
    light = cv2.GaussianBlur(sight.light, (0, 0), max(SMOOTH_HW * head.hw_px, 0.5))
    grid = where[::step, ::step]
    rows, cols = np.nonzero(grid)
    return (
        np.asarray(light[::step, ::step][grid], np.float32),
        np.asarray(head.normal[::step, ::step][grid], np.float32),
        np.stack([cols, rows], 1).astype(np.float32) * step,
    )


def fit(light: F32, normal: F32, hw_px: float, among: F32 | None = None) -> Key:
    """The direction whose Lambert shading goes best with light f32[n] on normals f32[n, 3], and its own standard error."""
    grid = directions() if among is None else among
    c = _correlations(light, normal, grid)
    best = grid[int(np.argmax(c))]
    near = _around(best, 6.0, 0.75)
    fine = _correlations(light, normal, near)
    best, top = near[int(np.argmax(fine))], float(fine.max())
    # With Gaussian errors of unknown size the likelihood of a direction is (1 - c^2)^(-n/2), n the independent samples.
    n = max(len(light) * STEP_HW**2 / SAMPLE_HW**2, 3.0)
    weight = np.exp(-0.5 * n * (np.log1p(-np.clip(c, 0, 0.9999) ** 2) - math.log1p(-min(top, 0.9999) ** 2)))
    angle = np.degrees(np.arccos(np.clip(grid @ best, -1, 1)))
    spread = math.sqrt(float((weight * angle**2).sum() / max(float(weight.sum()), 1e-9)))
    shade = np.maximum(normal @ best, 0)
    gain = float(((shade - shade.mean()) * (light - light.mean())).sum() / max(float(((shade - shade.mean()) ** 2).sum()), 1e-9))
    base = float(light.mean() - gain * shade.mean())
    return Key(np.asarray(best, np.float32), math.hypot(spread, FLOOR_DEG), top, base, gain)


def _correlations(light: F32, normal: F32, grid: F32) -> F32:
    shade = np.maximum(normal @ grid.T, 0)
    y = light - light.mean()
    top = y @ shade
    power = np.sqrt(np.maximum((shade**2).sum(0) - shade.sum(0) ** 2 / len(light), 1e-9) * max(float(y @ y), 1e-12))
    return np.asarray(top / power, np.float32)


def _around(direction: F32, reach_deg: float, step_deg: float) -> F32:
    """Directions f32[n, 3] on a tangent grid round one."""
    side = np.cross(direction, [0, 1, 0] if abs(direction[1]) < 0.9 else [1, 0, 0])
    side = side / np.linalg.norm(side)
    up = np.cross(side, direction)
    t = np.radians(np.arange(-reach_deg, reach_deg + step_deg / 2, step_deg))
    a, b = np.meshgrid(t, t)
    out = direction + a[..., None] * side + b[..., None] * up
    out = out.reshape(-1, 3)
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), np.float32)


def key_of(sight: Sight, head: Head) -> Key | str:
    """The key on this head, or why it cannot be told."""
    light, normal, _ = samples(sight, head)
    if len(light) < LEAST_SAMPLES:
        return "too little of the face's skin is in the picture"
    if float(np.percentile(light, 98)) < 0.004:
        return "the face is black: no light on it can be read"
    key = fit(light, normal, head.hw_px)
    if head.matte is not None:
        wide_light, wide_normal, _ = body_samples(sight, head)
        if len(wide_light) > 2 * LEAST_SAMPLES:
            wide = fit(wide_light, wide_normal, head.hw_px)
            # A light behind leaves the face dark and draws head and neck: then these say where it stands.
            if wide.direction[2] < BEHIND_Z and wide.fit > key.fit:
                key = wide
    if key.fit < LEAST_FIT:
        return f"the light on the face follows no single direction (correlation {key.fit:.2f})"
    return Key(key.direction, math.hypot(key.sigma_deg, head.slack_deg), key.fit, key.base, key.gain)


BEHIND_Z = -0.55
"""More than 33 degrees behind the plane of the face: little of the face itself is lit."""
