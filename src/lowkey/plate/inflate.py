"""Solids from silhouettes: Poisson inflation and a smooth extension of a height difference."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import scipy.sparse as sp
from numba import njit
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from lowkey.gaussian import blur
from lowkey.pixels import F32


@njit(cache=True)
def _relax(u: Any, inside: Any, load: Any, sweeps: int, over: float) -> None:
    """Red-black successive over-relaxation of lap u = -load; zero where not inside, zero flux through the border."""
    h, w = u.shape
    for _ in range(sweeps):
        for colour in range(2):
            for y in range(h):
                for x in range((y + colour) % 2, w, 2):
                    if inside[y, x]:
                        up = u[y - 1, x] if y > 0 else u[y + 1, x]
                        down = u[y + 1, x] if y < h - 1 else u[y - 1, x]
                        left = u[y, x - 1] if x > 0 else u[y, x + 1]
                        right = u[y, x + 1] if x < w - 1 else u[y, x - 1]
                        u[y, x] += over * (0.25 * (up + down + left + right + load[y, x]) - u[y, x])


def _poisson(inside: NDArray[np.bool_], load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve lap u = -load (per pixel squared) on a mask, coarse to fine."""
    h, w = inside.shape
    if min(h, w) > 24:
        half = (w // 2, h // 2)
        coarse = cv2.resize(inside.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0.5
        rough = _poisson(coarse, np.asarray(cv2.resize(load, half, interpolation=cv2.INTER_AREA) * 4, np.float64))
        u = cv2.resize(rough, (w, h), interpolation=cv2.INTER_LINEAR)
        u = np.where(inside, u, 0.0)
        _relax(u, inside, load, 24, 1.6)
    else:
        u = np.zeros((h, w))
        _relax(u, inside, load, 300, 1.7)
    return np.maximum(u, 0.0)


def inflate(mask: F32, hw_px: float, curvature: F32 | float) -> tuple[F32, F32, F32]:
    """Blow up a silhouette: u with lap u = -curvature inside `mask` f32[h, w] > 0.5 and u = 0 on its edge.

    The solid's height is sqrt(u); curvature 2 turns a strip into a true half-cylinder, 3.2 a disc into .89 of a half-sphere
    (a map f32[h, w] mixes them).
    Where the mask touches the picture's border the solid goes on beyond it. Returns u in hw^2 and its gradient to the
    right and DOWN in hw (all f32[h, w]); the normal of z = sqrt(u) is (-u_x / 2, +u_y / 2, z) normalised, finite at the edge.
    """
    h, w = mask.shape
    step = max(1, round(hw_px / 80))
    small = cv2.resize(mask, (max(4, w // step), max(4, h // step)), interpolation=cv2.INTER_AREA)
    sx, sy = w / small.shape[1], h / small.shape[0]
    inside = small > 0.5
    bend = np.broadcast_to(np.asarray(curvature, np.float64), mask.shape)
    load = cv2.resize(np.ascontiguousarray(bend), small.shape[::-1], interpolation=cv2.INTER_AREA)
    u = _poisson(inside, np.asarray(load * (sx * sy) / hw_px**2, np.float64))
    # Near the edge u falls linearly to zero, so u over the distance to the edge is smooth up to it: enlarge that, and
    # multiply by the distance to the exact, sub-pixel edge at full size. This is what keeps silhouettes free of stairs.
    reach = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) * np.float32((sx + sy) / 2)
    slope = _spread((u / np.maximum(reach, 1e-3)).astype(np.float32), inside)
    fine = cv2.resize(slope, (w, h), interpolation=cv2.INTER_LINEAR)
    edge = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    edge = np.maximum(edge - np.float32(0.5), 0)
    whole = cv2.resize(u.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    near = np.clip(edge / (4 * step), 0, 1)
    u_full = np.maximum(near * whole + (1 - near) * fine * edge, 0) * (mask > 0.5)
    u_full = blur(u_full.astype(np.float32), max(0.8, 0.012 * hw_px))
    u_x, u_y = (np.asarray(cv2.Scharr(u_full, cv2.CV_32F, i, 1 - i, scale=hw_px / 32), np.float32) for i in (1, 0))
    return u_full, u_x, u_y


def _spread(value: F32, inside: NDArray[np.bool_]) -> F32:
    """Carry `value` f32[h, w] from a mask's interior a few pixels outward, by repeated normalised blurring."""
    weight = inside.astype(np.float32)
    total, mass = value * weight, weight
    for sigma in (1.0, 2.0, 4.0):
        wide, norm = blur(total, sigma), blur(mass, sigma)
        total = np.where(mass > 0.01, total, wide)
        mass = np.where(mass > 0.01, mass, norm)
    return (total / np.maximum(mass, 1e-6)).astype(np.float32)


def smooth_extension(known: F32, where: NDArray[np.bool_], domain: NDArray[np.bool_], stiffness: float) -> F32:
    """Extend `known` f32[h, w] from `where` over `domain` as a thin plate that is pulled to zero.

    Minimises |lap d|^2 + stiffness * d^2 (per pixel^4) over domain minus where, d = known on `where`, d free at the
    domain's edge. Small grids only (a sparse factorisation); returns f32[h, w], zero outside.
    """
    h, w = known.shape
    index = np.full((h, w), -1, np.int64)
    solve = domain | where
    index[solve] = np.arange(int(solve.sum()))
    n = int(solve.sum())
    rows, cols, vals = [], [], []
    degree = np.zeros(n)
    for dy, dx in ((0, 1), (1, 0)):
        a = index[: h - dy, : w - dx].ravel()
        b = index[dy:, dx:].ravel()
        both = (a >= 0) & (b >= 0)
        a, b = a[both], b[both]
        rows += [a, b]
        cols += [b, a]
        vals += [np.ones(len(a)), np.ones(len(a))]
        np.add.at(degree, a, 1)
        np.add.at(degree, b, 1)
    near = sp.csr_matrix((np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols))), (n, n))
    lap = near - sp.diags(degree)
    energy = (lap.T @ lap + stiffness * sp.identity(n)).tocsc()
    fixed = where[solve]
    value = np.zeros(n)
    value[fixed] = known[solve][fixed]
    free = ~fixed
    if free.any():
        rhs: NDArray[np.float64] = np.asarray(-(energy[free][:, fixed] @ value[fixed]), np.float64)
        value[free] = splu(energy[free][:, free]).solve(rhs)
    out = np.zeros((h, w), np.float32)
    out[solve] = value
    return out
