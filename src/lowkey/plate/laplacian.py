"""Closed-form matting on a band (Levin, Lischinski, Weiss 2008): the quadratic form, and its solver.

Within every 3x3 window alpha is taken to be an affine function of colour; eliminating that function leaves a sparse
symmetric form with 25 entries a pixel. It is set up and solved on the unknown pixels only: known alpha goes to the right-hand
side. All sums run in a fixed order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32


@njit(cache=True, parallel=True)
def _windows(colour, wanted, eps):  # type: ignore[no-untyped-def]
    """Mean [.., 3] and inverse regularised covariance [.., 6] of the 3x3 window round each wanted pixel."""
    h, w, _ = colour.shape
    mean = np.zeros((h, w, 3), np.float32)
    inv = np.zeros((h, w, 6), np.float32)
    for y in prange(1, h - 1):
        for x in range(1, w - 1):
            if not wanted[y, x]:
                continue
            m0 = m1 = m2 = 0.0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    c = colour[y + dy, x + dx]
                    m0 += c[0]
                    m1 += c[1]
                    m2 += c[2]
            m0 /= 9.0
            m1 /= 9.0
            m2 /= 9.0
            a = b = c_ = d = e = f = 0.0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    c = colour[y + dy, x + dx]
                    r, g, u = c[0] - m0, c[1] - m1, c[2] - m2
                    a += r * r
                    b += r * g
                    c_ += r * u
                    d += g * g
                    e += g * u
                    f += u * u
            k = eps / 9.0
            a, b, c_, d, e, f = a / 9.0 + k, b / 9.0, c_ / 9.0, d / 9.0 + k, e / 9.0, f / 9.0 + k
            # The inverse of [[a b c][b d e][c e f]] by cofactors.
            i0, i1, i2 = d * f - e * e, c_ * e - b * f, b * e - c_ * d
            det = a * i0 + b * i1 + c_ * i2
            mean[y, x, 0], mean[y, x, 1], mean[y, x, 2] = m0, m1, m2
            inv[y, x, 0] = i0 / det
            inv[y, x, 1] = i1 / det
            inv[y, x, 2] = i2 / det
            inv[y, x, 3] = (a * f - c_ * c_) / det
            inv[y, x, 4] = (b * c_ - a * e) / det
            inv[y, x, 5] = (a * d - b * b) / det
    return mean, inv


@njit(cache=True, parallel=True)
def _stencil(colour, mean, inv, ys, xs):  # type: ignore[no-untyped-def]
    """The form's 25 entries for every listed pixel: f32[n, 25], entry (dy + 2) * 5 + (dx + 2) for the pixel (dy, dx) away."""
    h, w, _ = colour.shape
    out = np.zeros((ys.size, 25), np.float32)
    for n in prange(ys.size):
        y, x = ys[n], xs[n]
        for wy in range(max(y - 1, 1), min(y + 2, h - 1)):
            for wx in range(max(x - 1, 1), min(x + 2, w - 1)):
                m, v = mean[wy, wx], inv[wy, wx]
                r, g, u = colour[y, x, 0] - m[0], colour[y, x, 1] - m[1], colour[y, x, 2] - m[2]
                p = v[0] * r + v[1] * g + v[2] * u
                q = v[1] * r + v[3] * g + v[4] * u
                s = v[2] * r + v[4] * g + v[5] * u
                for jy in range(wy - 1, wy + 2):
                    for jx in range(wx - 1, wx + 2):
                        c = colour[jy, jx]
                        like = 1.0 + p * (c[0] - m[0]) + q * (c[1] - m[1]) + s * (c[2] - m[2])
                        out[n, (jy - y + 2) * 5 + jx - x + 2] -= like / 9.0
                out[n, 12] += 1.0
    return out


@njit(cache=True, parallel=True)
def _apply(stencil, ys, xs, weight, p, out):  # type: ignore[no-untyped-def]
    """out[n] = (L + weight) p at the listed pixels; p is f32[h + 4, w + 4], padded by 2, zero where known."""
    for n in prange(ys.size):
        y, x = ys[n], xs[n]
        t = 0.0
        for dy in range(5):
            row = p[y + dy]
            k = dy * 5
            t += (
                stencil[n, k] * row[x] + stencil[n, k + 1] * row[x + 1] + stencil[n, k + 2] * row[x + 2]
                + stencil[n, k + 3] * row[x + 3] + stencil[n, k + 4] * row[x + 4]
            )  # fmt: skip
        out[n] = t + weight[n] * p[y + 2, x + 2]


@njit(cache=True)
def _conjugate_gradients(stencil, ys, xs, weight, right, start, shape, most, enough):  # type: ignore[no-untyped-def]
    """Solve (L + weight) a = right by Jacobi-preconditioned conjugate gradients (Hestenes & Stiefel 1952)."""
    n = ys.size
    h, w = shape
    a = start.copy()
    p = np.zeros((h + 4, w + 4), np.float32)
    q = np.empty(n, np.float32)
    for i in range(n):
        p[ys[i] + 2, xs[i] + 2] = a[i]
    _apply(stencil, ys, xs, weight, p, q)
    r = right - q
    d = np.empty(n, np.float32)
    rz = 0.0
    for i in range(n):
        d[i] = 1.0 / (stencil[i, 12] + weight[i])
        z = d[i] * r[i]
        p[ys[i] + 2, xs[i] + 2] = z
        rz += r[i] * z
    done = 0
    for it in range(most):
        done = it + 1
        _apply(stencil, ys, xs, weight, p, q)
        pq = 0.0
        for i in range(n):
            pq += p[ys[i] + 2, xs[i] + 2] * q[i]
        if pq <= 0.0:
            break
        step = rz / pq
        new = 0.0
        most_moved = 0.0
        for i in range(n):
            move = step * p[ys[i] + 2, xs[i] + 2]
            a[i] += move
            most_moved = max(most_moved, abs(move))
            r[i] -= step * q[i]
            new += r[i] * r[i] * d[i]
        if new < enough * enough * n:
            break
        ratio = new / rz
        rz = new
        for i in range(n):
            y, x = ys[i] + 2, xs[i] + 2
            p[y, x] = d[i] * r[i] + ratio * p[y, x]
    return a, done


def solve(colour: F32, known: F32, unknown: NDArray[np.bool_], prior: F32, trust: F32, *, eps: float = 1e-5, most: int = 400,
          enough: float = 3e-4) -> tuple[F32, int]:  # fmt: skip
    """Alpha f32[h, w] and the number of steps it took.

    colour f32[h, w, 3] 0..1; known f32[h, w] is alpha where `unknown` is False and the first guess where it is True; prior and
    trust f32[h, w] pull each unknown pixel toward a value with a weight.
    """
    h, w = unknown.shape
    ys, xs = (v.astype(np.int32) for v in np.nonzero(unknown))
    if ys.size == 0:
        return known, 0
    near = np.zeros((h, w), np.bool_)
    grown = np.pad(unknown, 1)
    for dy in range(3):
        for dx in range(3):
            near |= grown[dy : dy + h, dx : dx + w]
    colour = np.ascontiguousarray(colour, np.float32)
    mean, inv = _windows(colour, near, eps)
    stencil = _stencil(colour, mean, inv, ys, xs)
    # Known alpha moves to the right-hand side.
    weight = trust[unknown].astype(np.float32)
    pushed = np.empty(ys.size, np.float32)
    _apply(stencil, ys, xs, np.zeros_like(weight), np.pad(np.where(unknown, 0, known).astype(np.float32), 2), pushed)
    right = (weight * prior[unknown] - pushed).astype(np.float32)
    a, steps = _conjugate_gradients(stencil, ys, xs, weight, right, known[unknown].astype(np.float32), (h, w), most, enough)
    out = known.copy()
    out[unknown] = np.clip(a, 0, 1)
    return out, int(steps)
