"""The soft random walk that turns pixelwise guesses into regions, and the way back up to plate size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32

LEAST_WEIGHT = 1e-3
"""No edge is quite shut: a lone speck must follow its neighbours."""
_STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.7071), (1, -1, 0.7071))
"""Right, down, down-right, down-left, each with the inverse of its length."""


@dataclass(frozen=True)
class Graph:
    """n pixels, each tied to up to four of its eight neighbours (the other four are tied to it)."""

    near: NDArray[np.int32]
    """i32[n, 4]: the neighbour at each step, or the pixel itself where there is none."""
    weights: F32
    """f32[n, 4]: exp(-|difference|^2 / 2) over the distance; 0 where there is no neighbour."""
    degree: F32
    """f32[n]: sum of the weights of all eight."""


def graph(guide: F32, where: NDArray[np.int64], shape: tuple[int, int]) -> Graph:
    """Tie pixels `where` (flat indices into a map of `shape`) by how alike they are.

    guide [n, c]: features whose jumps stop a walker, in units of one "same thing" difference.
    """
    h, w = shape
    number = np.full((h + 1, w + 2), -1, np.int32)
    rows, cols = where // w, where % w
    number[rows, cols + 1] = np.arange(len(where), dtype=np.int32)
    near = np.stack([number[rows + dy, cols + 1 + dx] for dy, dx, _ in _STEPS], 1)
    there = near >= 0
    near = np.where(there, near, np.arange(len(where), dtype=np.int32)[:, None]).astype(np.int32)
    weights = np.empty((len(where), 4), np.float32)
    for e, (_, _, inverse) in enumerate(_STEPS):
        d = guide - guide[near[:, e]]
        weights[:, e] = (np.exp(-0.5 * np.einsum("nc,nc->n", d, d)) + LEAST_WEIGHT) * inverse * there[:, e]
    return Graph(near, weights, _degree(near, weights))


def walk(tied: Graph, guess: F32, trust: F32, start: F32 | None = None, tolerance: float = 2e-3, most: int = 80) -> F32:
    """Probabilities f32[n, k] that a walker from each pixel ends in each label.

    The multi-label random walk with priors (Grady 2005, 2006): minimise sum w_ij (p_i - p_j)^2 + sum trust_i (p_i - guess_i)^2,
    one sparse, symmetric, positive definite system a label, solved by conjugate gradients (Hestenes & Stiefel 1952) with the
    diagonal as preconditioner.

    guess [n, k]: rows sum to 1; trust [n]: how much the guess counts against the eight ties (one open tie counts 1).
    """
    k = guess.shape[1]
    trust = np.maximum(trust, 1e-5).astype(np.float32)
    p = np.array((guess if start is None else start)[:, : k - 1].T, np.float32, order="C")
    right = np.ascontiguousarray((guess[:, : k - 1] * trust[:, None]).T, np.float32)
    _solve(tied.near, tied.weights, tied.degree + trust, right, p, tolerance, most)
    # The labels sum to one at the solution, so the last needs no solve.
    p = np.clip(p.T, 0, 1)
    full = np.concatenate([p, np.clip(1 - p.sum(1, keepdims=True), 0, 1)], 1)
    return np.asarray(full / full.sum(1, keepdims=True), np.float32)


@njit(cache=True)  # type: ignore[misc]
def _degree(near: Any, weights: Any) -> Any:
    out = np.zeros(near.shape[0], np.float32)
    for i in range(near.shape[0]):
        for e in range(4):
            out[i] += weights[i, e]
            out[near[i, e]] += weights[i, e]
    return out


@njit(cache=True)  # type: ignore[misc]
def _apply(near: Any, weights: Any, diagonal: Any, p: Any, out: Any) -> None:
    """out = (diagonal - ties) p, of one label."""
    n = p.shape[0]
    for i in range(n):
        out[i] = diagonal[i] * p[i]
    for i in range(n):
        for e in range(4):
            w, j = weights[i, e], near[i, e]
            if w > 0:
                out[i] -= w * p[j]
                out[j] -= w * p[i]


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _solve(near: Any, weights: Any, diagonal: Any, right: Any, p: Any, tolerance: Any, most: Any) -> None:
    """Conjugate gradients of each label p f32[k, n] by itself, side by side; p is the start and becomes the answer."""
    for c in prange(p.shape[0]):
        _solve_one(near, weights, diagonal, right[c], p[c], tolerance, most)


@njit(cache=True)  # type: ignore[misc]
def _solve_one(near: Any, weights: Any, diagonal: Any, right: Any, p: Any, tolerance: Any, most: Any) -> None:
    n = p.shape[0]
    r, d, q = np.empty_like(p), np.empty_like(p), np.empty_like(p)
    _apply(near, weights, diagonal, p, q)
    rho, aim = 0.0, 0.0
    for i in range(n):
        r[i] = right[i] - q[i]
        d[i] = r[i] / diagonal[i]
        rho += r[i] * d[i]
        aim += right[i] * right[i] / diagonal[i]
    for _ in range(most):
        if rho <= tolerance * tolerance * max(aim, 1e-9):
            return
        _apply(near, weights, diagonal, d, q)
        dq, new = 0.0, 0.0
        for i in range(n):
            dq += d[i] * q[i]
        alpha = rho / dq if dq > 1e-20 else 0.0
        for i in range(n):
            p[i] += alpha * d[i]
            r[i] -= alpha * q[i]
            new += r[i] * r[i] / diagonal[i]
        beta = new / rho if rho > 1e-30 else 0.0
        for i in range(n):
            d[i] = r[i] / diagonal[i] + beta * d[i]
        rho = new


def enlarge(p: F32, small: F32, large: F32, radius_px: int, epsilon: float) -> F32:
    """Labels f32[h, w, k] brought to the size of `large` so that their borders follow its edges: f32[H, W, k].

    The guided filter with a colour guide (He, Sun & Tang 2013), its coefficients computed on `small` f32[h, w, 3] and
    applied to `large` f32[H, W, 3] (He & Sun 2015). radius_px in small pixels, epsilon in squared units of the guide.
    """
    side = (2 * radius_px + 1,) * 2

    def mean(a: F32) -> F32:
        return np.asarray(cv2.blur(a, side), np.float32)

    m = mean(small)
    # Covariance of the guide within the window, regularised, inverted in closed form (3x3, symmetric).
    c = [mean(small[..., i] * small[..., j]) - m[..., i] * m[..., j] for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))]
    rr, rg, rb, gg, gb, bb = c[0] + epsilon, c[1], c[2], c[3] + epsilon, c[4], c[5] + epsilon
    i00, i01, i02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    i11, i12, i22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    det = rr * i00 + rg * i01 + rb * i02
    size = (large.shape[1], large.shape[0])
    out = np.empty((*large.shape[:2], p.shape[2]), np.float32)
    for k in range(p.shape[2]):
        q = np.ascontiguousarray(p[..., k])
        mq = mean(q)
        v = [mean(small[..., i] * q) - m[..., i] * mq for i in range(3)]
        a = [
            (i00 * v[0] + i01 * v[1] + i02 * v[2]) / det,
            (i01 * v[0] + i11 * v[1] + i12 * v[2]) / det,
            (i02 * v[0] + i12 * v[1] + i22 * v[2]) / det,
        ]
        b = mq - a[0] * m[..., 0] - a[1] * m[..., 1] - a[2] * m[..., 2]
        coefficients = mean(np.stack([*a, b], 2))
        _blend(np.asarray(cv2.resize(coefficients, size, interpolation=cv2.INTER_LINEAR), np.float32), large, out, k)
    return out


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _blend(a: Any, guide: Any, out: Any, k: Any) -> None:
    h, w = guide.shape[:2]
    for y in prange(h):
        for x in range(w):
            q = a[y, x, 3] + a[y, x, 0] * guide[y, x, 0] + a[y, x, 1] * guide[y, x, 1] + a[y, x, 2] * guide[y, x, 2]
            out[y, x, k] = min(max(q, 0.0), 1.0)


def sharpened(two: F32, matte: F32, power: float) -> F32:
    """Two of three labels f32[h, w, 2] made decided (each to a power) and completed by the third: f32[h, w, 3], adding up to the matte."""
    out = np.empty((*matte.shape, 3), np.float32)
    _sharpen(two, matte, power, out)
    return out


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _sharpen(two: Any, matte: Any, power: Any, out: Any) -> None:
    h, w = matte.shape
    for y in prange(h):
        for x in range(w):
            if matte[y, x] <= 0.0:
                out[y, x, :] = 0.0
                continue
            a, b = np.float64(two[y, x, 0]), np.float64(two[y, x, 1])
            c = max(1.0 - a - b, 0.0)
            a, b, c = (a + 1e-3) ** power, (b + 1e-3) ** power, (c + 1e-3) ** power
            k = matte[y, x] / (a + b + c)
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = a * k, b * k, c * k
