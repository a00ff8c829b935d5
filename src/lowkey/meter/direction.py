"""Where the key stands: Lambert's law turned round (Pentland 1982), on normals that are known.

On the face's skin the light is a + b max(0, n.d): for every direction d of a grid the least-squares fit is a correlation, and
the best one wins. The photo's own tone is not divided out (on path-traced heads that reads worse), and the brightest twentieth
of the skin is held at its level, or highlights would pull the key toward the mirror's direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lowkey.meter import sight as sights
from lowkey.meter import tones
from lowkey.meter.reading import CannotJudge, Found, measured
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
LEAST_FIT, LEAST_SAMPLES = 0.38, 60


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
    light = sight.softened(max(SMOOTH_HW * head.hw_px, 0.5))
    grid = where[::step, ::step]
    rows, cols = np.nonzero(grid)
    return (
        np.asarray(light[::step, ::step][grid], np.float32),
        np.asarray(head.normal[::step, ::step][grid], np.float32),
        np.stack([cols, rows], 1).astype(np.float32) * step,
    )


def fit(light: F32, normal: F32, among: F32 | None = None) -> Key:
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
    # einsum, not BLAS: its sums do not depend on how many threads there are.
    shade = np.maximum(np.einsum("ik,jk->ij", normal, grid), 0)
    y = light - light.mean()
    top = np.einsum("i,ij->j", y, shade)
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
    faced = len(light) >= LEAST_SAMPLES and float(np.percentile(light, 98)) >= LEAST_LIGHT
    key = fit(light, normal) if faced else None
    if head.matte is not None:
        wide_light, wide_normal, _ = body_samples(sight, head)
        if len(wide_light) > 2 * LEAST_SAMPLES and float(np.percentile(wide_light, 98)) >= LEAST_LIGHT:
            wide = fit(wide_light, wide_normal)
            # A light behind leaves the face dark and draws head and neck: then these say where it stands.
            if key is None or (wide.direction[2] < BEHIND_Z and wide.fit > key.fit):
                key = wide
    if key is None:
        return "too little of the face is in the picture, or it is black: no light on it can be read"
    if key.fit < LEAST_FIT:
        return f"the light on the face follows no single direction (correlation {key.fit:.2f})"
    return Key(key.direction, math.hypot(key.sigma_deg, head.slack_deg), key.fit, key.base, key.gain)


@dataclass(frozen=True)
class Balance:
    """Stops between parts of the face; NaN where a part is out of sight."""

    halves: float
    """Right half over left half of the face, by the head's own middle line."""
    left_edge: float
    right_edge: float
    """The planes that look to the side, over those that look at the camera."""
    edges: float
    """The darker of those edges over the lit skin."""
    contrast: float
    """The skin nearest to the light over the skin farthest from it."""
    rise: float
    """Among skin the key cannot reach: the planes farthest from it over those just beyond its edge. One light makes this fall."""
    far: float
    """Those farthest planes over the lit skin."""


def balance(sight: Sight, head: Head, key: Key | None) -> Balance:
    """How light is spread over the face."""
    light, normal, xy = samples(sight, head)
    at = xy.astype(int)
    u = tones.halves(head, sight.shape)[at[:, 1], at[:, 0]]
    x = normal[:, 0]

    def middle(where: Mask) -> float:
        return math.log2(max(float(np.median(light[where])), BLACK)) if where.sum() > 7 else math.nan

    straight, top = middle(np.abs(x) < 0.25), math.log2(max(float(np.percentile(light, 95)), BLACK))
    contrast = rise = far = math.nan
    if key is not None:
        shade = normal @ key.direction
        order = np.argsort(shade)
        tenth = max(len(order) // 10, 5)
        low, high = (math.log2(max(float(np.median(light[part])), BLACK)) for part in (order[:tenth], order[-tenth:]))
        contrast = high - low
        deep = middle(shade < -0.35)
        rise = deep - middle((shade < 0) & (shade > -0.2))
        far = deep - top
    halves = middle((u > 0.1) & (u < 0.42)) - middle((u < -0.1) & (u > -0.42))
    left, right = middle(x < -0.55), middle(x > 0.55)
    return Balance(halves, left - straight, right - straight, min(left, right) - top, contrast, rise, far)


def of_light(sight: Sight, head: Head, key: Key | str) -> Found:
    """Direction, side and number of lights of the key that `key_of` found, or why it found none."""
    region = f"face skin ({head.found_by})"
    if isinstance(key, str) and key.startswith("too little"):
        return {name: CannotJudge(key) for name in NAMES}
    spread = balance(sight, head, None if isinstance(key, str) else key)
    two = two_lights(spread)
    if two and not isinstance(key, str):
        key = replace(key, sigma_deg=math.hypot(key.sigma_deg, PULLED_DEG))  # the other light pulls it
    found: Found = {}
    if isinstance(key, str):
        found |= {name: CannotJudge(key) for name in NAMES[:3]}
    elif (spread.contrast < FLAT_STOPS and key.direction[2] > BEHIND_Z) or key.sigma_deg > LOST_DEG:
        found |= {name: CannotJudge("the face is lit evenly: its light has no direction that could be read") for name in NAMES[:3]}
    else:
        level = math.cos(math.radians(key.elevation_deg))
        found["key_azimuth_deg"] = measured(NAMES[0], key.azimuth_deg, min(key.sigma_deg / max(level, 0.05), 180.0), region)
        found["key_elevation_deg"] = measured(NAMES[1], key.elevation_deg, key.sigma_deg, region)
        found["key_direction_sigma_deg"] = measured(NAMES[2], key.sigma_deg, None, region)
    side = _side(spread, None if isinstance(key, str) else key)
    if side is None:
        found["lit_side"] = CannotJudge("one half of the face is turned away, and its light follows no single direction")
    else:
        found["lit_side"] = measured("lit_side", "both" if two else side, None, region)
    if isinstance(key, str) and not two:
        found["lights"] = CannotJudge(key)
    else:
        found["lights"] = measured("lights", 2.0 if two else 1.0, None, region)
    return found


NAMES = ("key_azimuth_deg", "key_elevation_deg", "key_direction_sigma_deg", "lit_side", "lights")


def two_lights(spread: Balance) -> bool:
    """Light that rises again where the key cannot reach, or both edges brighter than the middle."""
    return (spread.rise > RISE_STOPS and spread.far > FAR_STOPS) or (
        min(spread.left_edge, spread.right_edge) > EDGES_STOPS and spread.edges > FAR_STOPS
    )


def _side(spread: Balance, key: Key | None) -> str | None:
    """left, right or none; None where it cannot be told."""
    edges = spread.right_edge - spread.left_edge
    if abs(spread.halves) > FLAT_STOPS:
        return "right" if spread.halves > 0 else "left"
    if key is None:
        return None if math.isnan(spread.halves) or math.isnan(edges) else "none"
    x = float(key.direction[0])
    if math.isnan(spread.halves) or math.isnan(edges):
        sure = abs(x) > 2 * math.sin(math.radians(min(key.sigma_deg, 90.0)))
        return ("right" if x > 0 else "left") if sure else None
    if abs(edges) > EDGE_SIDE_STOPS and edges * x > 0 and abs(x) > 0.2:
        return "right" if x > 0 else "left"
    return "none"


FLAT_STOPS = 0.5
"""A face whose sides differ by less than this is lit from neither."""
EDGE_SIDE_STOPS = 1.0
LOST_DEG = 45.0
PULLED_DEG = 8.0
RISE_STOPS, FAR_STOPS, EDGES_STOPS = 0.6, -3.7, 0.3
"""Of 132 frames of one lamp one rose by more than .5 stop; a second at an eighth of the key makes it .7 to 1.9. A key that a dim wrap
carries on over the face's front hides that rise (-.1 to .5); then both edges stand over the middle by .3 to .6, which in 21 frames of one
lamp they never did (-.04 at most)."""
BLACK = 3e-4
"""Display-linear light below which stops mean nothing: code 1."""
LEAST_LIGHT = 0.004
"""Display-linear; about code 13."""
BEHIND_Z = -0.55
"""More than 33 degrees behind the plane of the face: little of the face itself is lit."""
