"""The soft random walk that turns pixelwise guesses into regions, and the way back up to plate size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit

from lowkey.pixels import F32

LEAST_WEIGHT = 1e-3
"""No edge is quite shut: a lone speck must follow its neighbours."""


def walk(guide: F32, guess: F32, trust: F32, live: F32, start: F32 | None = None, tolerance: float = 2e-3, most: int = 80) -> F32:
    """Probabilities f32[h, w, k] that a walker from each pixel ends in each label.

    The multi-label random walk with priors (Grady 2005, 2006): minimise sum w_ij (p_i - p_j)^2 + sum trust_i (p_i - guess_i)^2 over
    eight neighbours, which is one sparse, symmetric, positive definite system a label, solved by conjugate gradients
    (Hestenes & Stiefel 1952) with the diagonal as preconditioner.

    guide [h, w, c]: features whose jumps stop a walker, in units of one "same thing" difference; guess [h, w, k]: rows sum to 1;
    trust [h, w]: how much the guess counts against eight open neighbours (0 = not at all); live [h, w]: 0 leaves a pixel out.
    """
    h, w, k = guess.shape
    edges = _edges(np.ascontiguousarray(guide, np.float32), np.ascontiguousarray(live, np.float32))
    trust = np.where(live > 0, np.maximum(trust, 1e-5), 1).astype(np.float32)
    diagonal = _degree(edges) + trust
    p = np.ascontiguousarray((guess if start is None else start)[..., : k - 1], np.float32).copy()
    right = np.ascontiguousarray(guess[..., : k - 1] * trust[..., None], np.float32)
    _solve(edges, diagonal.astype(np.float32), right, p, tolerance, most)
    # The labels sum to one at the solution, so the last needs no solve.
    p = np.clip(p, 0, 1)
    last = np.clip(1 - p.sum(2, keepdims=True), 0, 1)
    full = np.concatenate([p, last], 2)
    return np.asarray(full / full.sum(2, keepdims=True), np.float32)


_STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.7071), (1, -1, 0.7071))
"""Right, down, down-right, down-left, with the inverse of the distance."""


def _edges(guide: F32, live: F32) -> F32:
    """Edge weights f32[4, h, w]: exp(-|difference|^2 / 2) over the distance, 0 across or beyond the border."""
    h, w = live.shape
    out = np.zeros((4, h, w), np.float32)
    for e, (dy, dx, near) in enumerate(_STEPS):
        a = (slice(0, h - dy), slice(max(-dx, 0), w - max(dx, 0)))
        b = (slice(dy, h), slice(max(dx, 0), w - max(-dx, 0)))
        d = guide[a] - guide[b]
        weight = np.exp(-0.5 * np.einsum("ijc,ijc->ij", d, d)) + np.float32(LEAST_WEIGHT)
        out[e][a] = weight * np.float32(near) * (live[a] > 0) * (live[b] > 0)
    return out


def _degree(edges: F32) -> F32:
    """Sum of the weights of all edges at each pixel."""
    total = edges.sum(0)
    total[:, 1:] += edges[0, :, :-1]
    total[1:] += edges[1, :-1]
    total[1:, 1:] += edges[2, :-1, :-1]
    total[1:, :-1] += edges[3, :-1, 1:]
    return total


@njit(cache=True)  # type: ignore[misc]
def _apply(edges: Any, diagonal: Any, p: Any, out: Any) -> None:
    """out = (diagonal - edges) p, for every label at once."""
    h, w, k = p.shape
    for y in range(h):
        for x in range(w):
            for c in range(k):
                out[y, x, c] = diagonal[y, x] * p[y, x, c]
    for y in range(h):
        for x in range(w - 1):
            e = edges[0, y, x]
            if e > 0:
                for c in range(k):
                    out[y, x, c] -= e * p[y, x + 1, c]
                    out[y, x + 1, c] -= e * p[y, x, c]
        if y + 1 < h:
            for x in range(w):
                e = edges[1, y, x]
                if e > 0:
                    for c in range(k):
                        out[y, x, c] -= e * p[y + 1, x, c]
                        out[y + 1, x, c] -= e * p[y, x, c]
                if x + 1 < w:
                    e = edges[2, y, x]
                    if e > 0:
                        for c in range(k):
                            out[y, x, c] -= e * p[y + 1, x + 1, c]
                            out[y + 1, x + 1, c] -= e * p[y, x, c]
                if x > 0:
                    e = edges[3, y, x]
                    if e > 0:
                        for c in range(k):
                            out[y, x, c] -= e * p[y + 1, x - 1, c]
                            out[y + 1, x - 1, c] -= e * p[y, x, c]


@njit(cache=True)  # type: ignore[misc]
def _solve(edges: Any, diagonal: Any, right: Any, p: Any, tolerance: Any, most: Any) -> Any:
    """Conjugate gradients on all labels side by side, each with its own step; p is the start and becomes the answer."""
    h, w, k = p.shape
    r, d, q = np.empty_like(p), np.empty_like(p), np.empty_like(p)
    _apply(edges, diagonal, p, q)
    rho, aim = np.zeros(k), np.zeros(k)
    for y in range(h):
        for x in range(w):
            for c in range(k):
                r[y, x, c] = right[y, x, c] - q[y, x, c]
                d[y, x, c] = r[y, x, c] / diagonal[y, x]
                rho[c] += r[y, x, c] * d[y, x, c]
                aim[c] += right[y, x, c] * right[y, x, c] / diagonal[y, x]
    done = 0
    alpha, beta = np.zeros(k), np.zeros(k)
    while done < most:
        open_ = False
        for c in range(k):
            if rho[c] > tolerance * tolerance * max(aim[c], 1e-9):
                open_ = True
        if not open_:
            break
        _apply(edges, diagonal, d, q)
        dq = np.zeros(k)
        for y in range(h):
            for x in range(w):
                for c in range(k):
                    dq[c] += d[y, x, c] * q[y, x, c]
        for c in range(k):
            alpha[c] = rho[c] / dq[c] if dq[c] > 1e-20 else 0.0
        new = np.zeros(k)
        for y in range(h):
            for x in range(w):
                for c in range(k):
                    p[y, x, c] += alpha[c] * d[y, x, c]
                    r[y, x, c] -= alpha[c] * q[y, x, c]
                    new[c] += r[y, x, c] * r[y, x, c] / diagonal[y, x]
        for c in range(k):
            beta[c] = new[c] / rho[c] if rho[c] > 1e-30 else 0.0
            rho[c] = new[c]
        for y in range(h):
            for x in range(w):
                for c in range(k):
                    d[y, x, c] = r[y, x, c] / diagonal[y, x] + beta[c] * d[y, x, c]
        done += 1
    return done


def enlarge(p: F32, small: F32, large: F32, radius_px: int, epsilon: float) -> F32:
    """Labels f32[h, w, k] brought to the size of `large` so that their borders follow its edges.

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
        whole = np.stack([mean(t) for t in (*a, b)], 2)
        big = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)
        out[..., k] = big[..., 3] + big[..., 0] * large[..., 0] + big[..., 1] * large[..., 1] + big[..., 2] * large[..., 2]
    return np.clip(out, 0, 1)
