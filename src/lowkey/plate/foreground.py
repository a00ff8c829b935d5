"""The person's own colour where the old background shines through.

Multi-level estimation after Germer, Uelwer, Conrad & Harmeling 2020 ("Fast Multi-Level Foreground Estimation"): from a picture of a
few pixels up, foreground and background are made to explain the mixture, alpha F + (1 - alpha) B = I, and to be smooth, less
so across an edge of alpha. Only the soft pixels are touched on the fine levels. Sweeps run in a fixed order.
"""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit

from lowkey.pixels import F32, luminance
from lowkey.plate import evidence

SMOOTH, EDGE = 1e-5, 1.0
"""Weight of smoothness in the flat, and what an edge of alpha adds to it (the paper's values)."""
SURE = 0.995
NEARBY_HW = 0.03
ALPHA_DOUBT = 0.12
"""How far sure colours speak, and the standard deviation of alpha where it is 1/2."""
RINGING_PX, LEAST_OF_NEAR = 2, 0.65
"""How far a camera's sharpening reaches, and the least share of the colours further in that an outline has."""
COARSE_PX, COARSE_SWEEPS, FINE_SWEEPS = 48, 10, 4


@njit(cache=True)
def _sweep(colour, alpha, wanted, front, back, smooth, edge, sweeps):  # type: ignore[no-untyped-def]
    """Gauss-Seidel sweeps of the two-colour system at the wanted pixels; front and back f32[h, w, 3] are changed in place."""
    h, w = alpha.shape
    for _ in range(sweeps):
        for y in range(h):
            for x in range(w):
                if not wanted[y, x]:
                    continue
                a = alpha[y, x]
                b = 1.0 - a
                f0 = f1 = f2 = g0 = g1 = g2 = total = 0.0
                for k in range(4):
                    ny = y + (1 if k == 0 else -1 if k == 1 else 0)
                    nx = x + (1 if k == 2 else -1 if k == 3 else 0)
                    if ny < 0 or ny >= h or nx < 0 or nx >= w:
                        continue
                    s = smooth + edge * abs(a - alpha[ny, nx])
                    total += s
                    f0 += s * front[ny, nx, 0]
                    f1 += s * front[ny, nx, 1]
                    f2 += s * front[ny, nx, 2]
                    g0 += s * back[ny, nx, 0]
                    g1 += s * back[ny, nx, 1]
                    g2 += s * back[ny, nx, 2]
                # [[a a + s, a b], [a b, b b + s]] (F, B) = (a I + s F', b I + s B')
                p, q, r = a * a + total, a * b, b * b + total
                det = p * r - q * q
                for c in range(3):
                    i = colour[y, x, c]
                    u = a * i + (f0 if c == 0 else f1 if c == 1 else f2)
                    v = b * i + (g0 if c == 0 else g1 if c == 1 else g2)
                    front[y, x, c] = min(max((r * u - q * v) / det, 0.0), 1.0)
                    back[y, x, c] = min(max((p * v - q * u) / det, 0.0), 1.0)


def estimate(colour: F32, alpha: F32) -> tuple[F32, F32]:
    """Foreground and background f32[h, w, 3] that mix to `colour` by `alpha`; where alpha is 1 (0) the front (back) is the photo."""
    levels = [(colour, alpha, colour, colour)]
    while max(levels[-1][1].shape) > 2:
        levels.append(_halved(*levels[-1]))
    front, back = levels[-1][2].copy(), levels[-1][3].copy()
    for c, a, f, b in levels[-2::-1]:
        h, w = a.shape
        front = np.asarray(cv2.resize(front, (w, h), interpolation=cv2.INTER_LINEAR), np.float32).reshape(h, w, 3)
        back = np.asarray(cv2.resize(back, (w, h), interpolation=cv2.INTER_LINEAR), np.float32).reshape(h, w, 3)
        sure_front, sure_back = a > SURE, a < 1 - SURE
        front = np.asarray(cv2.copyTo(f, sure_front.astype(np.uint8), front), np.float32)
        back = np.asarray(cv2.copyTo(b, sure_back.astype(np.uint8), back), np.float32)
        sweeps = COARSE_SWEEPS if max(h, w) <= COARSE_PX else FINE_SWEEPS
        _sweep(c, a, ~(sure_front | sure_back), front, back, SMOOTH, EDGE, sweeps)
    return front, back


def steadied(colour: F32, alpha: F32, front: F32, back: F32, hw_px: float) -> F32:
    """The foreground, held to the person's sure colours nearby wherever an error of alpha would tint it.

    F = (I - (1 - alpha) B) / alpha turns a small error of alpha into (F - B) / alpha times as much colour: dark strands before a
    bright wall come out red or grey. Foreground and nearby sure colours are joined by their variances.
    """
    # Cameras sharpen: the person's outermost pixels are too dark before a bright wall, and they are no measure for the rest.
    solid = cv2.erode((alpha > 0.97).astype(np.uint8), np.ones((2 * RINGING_PX + 1,) * 2, np.uint8))
    soft = (alpha > 0) & ((alpha < SURE) | (solid == 0))
    mean, var = evidence.hereabouts(colour, solid.astype(np.float32), soft, max(NEARBY_HW * hw_px, 1.5 * RINGING_PX))
    a = alpha[soft][:, None]
    doubt = (ALPHA_DOUBT * 4 * a * (1 - a) + 0.005) * (back[soft] - mean) / np.maximum(a, 0.02)
    doubt = np.asarray(doubt**2 + 1e-6, np.float32)
    sure = var + (0.1 * mean) ** 2 + 1e-7
    out = front.copy()
    steady = (front[soft] * sure + mean * doubt) / (sure + doubt)
    # The person cannot have sent more light than arrived: the background was not darker than black.
    steady = np.minimum(steady, (colour[soft] + np.float32(0.002)) / np.maximum(a, 0.02))
    # Nor is its outline a dark line where what lies behind it was brighter: that line is the camera's.
    here, near, behind = luminance(steady), luminance(mean), luminance(back[soft])
    least = LEAST_OF_NEAR * near * np.clip((behind - near) / (0.5 * near + 0.01), 0, 1)
    share = np.clip((least - here) / np.maximum(near - here, 1e-4), 0, 1)[:, None]
    out[soft] = steady + share * (mean - steady)
    return out


def _halved(c: F32, a: F32, f: F32, b: F32) -> tuple[F32, F32, F32, F32]:
    """One level down. Each side's colours carry their own weights along, so that a coarse sure pixel holds no mixture."""
    h, w = a.shape
    size = (max((w + 1) // 2, 1), max((h + 1) // 2, 1))

    def small(picture: F32) -> F32:
        shape = (size[1], size[0], *picture.shape[2:])
        return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(shape), np.float32)

    heavy_f, heavy_b = np.maximum(a**4, 1e-6), np.maximum((1 - a) ** 4, 1e-6)
    f_small = small(f * heavy_f[..., None]) / small(heavy_f)[..., None]
    b_small = small(b * heavy_b[..., None]) / small(heavy_b)[..., None]
    return small(c), small(a), f_small, b_small
