"""Gaussian mixtures over a few features: how a part of the person is recognised once some of its pixels are known.

Learning starts from binary splits along the widest axis (Orchard & Bouman 1991) and goes on with expectation-maximisation
(Dempster, Laird & Rubin 1977). Nothing is drawn at random, and every sum runs in one fixed order: the result is repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32

F64 = NDArray[np.float64]
PART = 4096
"""Rows that one thread takes at a time."""


@dataclass(frozen=True)
class Mixture:
    """k Gaussians over d features: weights f64[k], means f64[k, d], covariances f64[k, d, d]."""

    weights: F64
    means: F64
    covariances: F64

    def log_density(self, x: F32) -> F32:
        """Natural log of the density at each row of x [n, d]: f32[n]."""
        whitening, log_scale = self._whitened()
        return np.asarray(_log_density(np.ascontiguousarray(x, np.float32), self.means, whitening, log_scale), np.float32)

    def shares(self, x: F32) -> F32:
        """How much of each row of x [n, d] each Gaussian explains: f32[n, k], rows sum to 1."""
        whitening, log_scale = self._whitened()
        out = np.empty((len(x), len(self.weights)), np.float32)
        _shares(np.ascontiguousarray(x, np.float32), self.means, whitening, log_scale, out)
        return out

    def only(self, keep: NDArray[np.bool_]) -> Mixture:
        """The Gaussians marked in keep [k], weights made whole again."""
        return Mixture(self.weights[keep] / self.weights[keep].sum(), self.means[keep], self.covariances[keep])

    def _whitened(self) -> tuple[F64, F64]:
        """Inverse Cholesky factors f64[k, d, d] and the log of weight over volume f64[k]."""
        d = self.means.shape[1]
        factors = np.linalg.cholesky(self.covariances)
        whitening = np.linalg.inv(factors)
        log_volume = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1) + 0.5 * d * np.log(2 * np.pi)
        return whitening, np.log(np.maximum(self.weights, 1e-12)) - log_volume


def fit(x: F32, weight: F32, k: int, floor: F64, rounds: int = 8) -> Mixture:
    """Learn k Gaussians from rows of x [n, d] that count `weight` [n] each.

    floor [d]: least standard deviation in each feature, so that a flat patch does not become a spike.
    """
    x = np.ascontiguousarray(x, np.float32)
    weight = np.ascontiguousarray(weight, np.float32)
    mixture = _split(x, weight, k, floor)
    for _ in range(rounds):
        whitening, log_scale = mixture._whitened()
        s0, s1, s2 = _moments(x, weight, mixture.means, whitening, log_scale)
        mixture = _from_moments(s0, s1, s2, floor)
    return mixture


def _split(x: F32, weight: F32, k: int, floor: F64) -> Mixture:
    """k groups by splitting, again and again, the group that spreads most along its widest axis at its mean."""
    group = np.zeros(len(x), np.int64)
    count = 1
    s0, s1, s2 = _group_moments(x, weight, group, count)
    while count < k:
        parts = _from_moments(s0, s1, s2, floor)
        values, vectors = np.linalg.eigh(parts.covariances)
        spread = values[:, -1] * parts.weights
        at = int(np.argmax(spread))
        axis = vectors[at, :, -1]
        side = np.einsum("nd,d->n", x, axis.astype(np.float32)) > np.float32((parts.means[at] * axis).sum())
        group[(group == at) & side] = count
        count += 1
        s0, s1, s2 = _group_moments(x, weight, group, count)
    return _from_moments(s0, s1, s2, floor)


def _from_moments(s0: F64, s1: F64, s2: F64, floor: F64) -> Mixture:
    """Weights, means and covariances from sums of 1, x and x x^T; empty Gaussians are left out."""
    full = s0 > 1e-6 * max(s0.sum(), 1e-12)
    s0, s1, s2 = s0[full], s1[full], s2[full]
    means = s1 / s0[:, None]
    covariances = s2 / s0[:, None, None] - means[:, :, None] * means[:, None, :]
    return Mixture(s0 / s0.sum(), means, covariances + np.diag(floor * floor))


@njit(cache=True)  # type: ignore[misc]
def _group_moments(x: Any, weight: Any, group: Any, count: Any) -> Any:
    n, d = x.shape
    s0, s1, s2 = np.zeros(count), np.zeros((count, d)), np.zeros((count, d, d))
    for i in range(n):
        g, w = group[i], weight[i]
        s0[g] += w
        for a in range(d):
            s1[g, a] += w * x[i, a]
            for b in range(d):
                s2[g, a, b] += w * x[i, a] * x[i, b]
    return s0, s1, s2


@njit(cache=True)  # type: ignore[misc]
def _logs(row: Any, means: Any, whitening: Any, log_scale: Any, out: Any) -> Any:
    """Log of weight times density of each Gaussian at one row; gives back the largest."""
    k, d = means.shape
    top = -1e30
    for j in range(k):
        q = 0.0
        for a in range(d):
            t = 0.0
            for b in range(a + 1):
                t += whitening[j, a, b] * (row[b] - means[j, b])
            q += t * t
        out[j] = log_scale[j] - 0.5 * q
        top = max(top, out[j])
    return top


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _moments(x: Any, weight: Any, means: Any, whitening: Any, log_scale: Any) -> Any:
    """Sums of 1, x and x x^T that each Gaussian explains; part by part, and the parts in their own order whoever took them."""
    n, (k, d) = x.shape[0], means.shape
    parts = -(-n // PART)
    p0, p1, p2 = np.zeros((parts, k)), np.zeros((parts, k, d)), np.zeros((parts, k, d, d))
    for part in prange(parts):
        logs = np.empty(k)
        for i in range(part * PART, min((part + 1) * PART, n)):
            top = _logs(x[i], means, whitening, log_scale, logs)
            total = 0.0
            for j in range(k):
                logs[j] = np.exp(logs[j] - top)
                total += logs[j]
            for j in range(k):
                w = weight[i] * logs[j] / total
                if w < 1e-7:
                    continue
                p0[part, j] += w
                for a in range(d):
                    p1[part, j, a] += w * x[i, a]
                    for b in range(a + 1):
                        p2[part, j, a, b] += w * x[i, a] * x[i, b]
    s0, s1, s2 = np.zeros(k), np.zeros((k, d)), np.zeros((k, d, d))
    for part in range(parts):
        s0 += p0[part]
        s1 += p1[part]
        s2 += p2[part]
    for j in range(k):
        for a in range(d):
            for b in range(a):
                s2[j, b, a] = s2[j, a, b]
    return s0, s1, s2


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _log_density(x: Any, means: Any, whitening: Any, log_scale: Any) -> Any:
    n = x.shape[0]
    out = np.empty(n, np.float32)
    for part in prange(-(-n // PART)):
        logs = np.empty(means.shape[0])
        for i in range(part * PART, min((part + 1) * PART, n)):
            top = _logs(x[i], means, whitening, log_scale, logs)
            total = 0.0
            for j in range(means.shape[0]):
                if logs[j] > top - 12.0:  # the rest would not show in float32
                    total += np.exp(logs[j] - top)
            out[i] = top + np.log(total)
    return out


@njit(cache=True)  # type: ignore[misc]
def _shares(x: Any, means: Any, whitening: Any, log_scale: Any, out: Any) -> None:
    logs = np.empty(means.shape[0])
    for i in range(x.shape[0]):
        top = _logs(x[i], means, whitening, log_scale, logs)
        total = 0.0
        for j in range(means.shape[0]):
            logs[j] = np.exp(logs[j] - top)
            total += logs[j]
        for j in range(means.shape[0]):
            out[i, j] = logs[j] / total
