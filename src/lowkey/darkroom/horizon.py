"""Horizons of the heightfield: what stands between a pixel and a light, from any side, also from behind.

Each picture line toward the light is swept once with an upper convex hull (Timonen & Westerholm 2010, "Scalable Height
Field Self-Shadowing"), so a march costs the same for any distance and one sweep serves all elevations of an azimuth.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32

VOID_HW = -4.0
"""Depths below this hold nobody: they neither receive nor block light."""
HIDES = 0.1
"""Coverage from which something stands in a lamp's way: the trace that was left of a lock over the room was a wall, and smeared a neck."""
LEAST_RISE = 0.07
"""Angle (radians) over the tangent plane from which something hides a lamp: what rises less may be the relief's own error."""


@njit(cache=True, parallel=True)
def _sweep(depth: Any, hides: Any, tilt: float, forward: bool, first: int, pitch: float, bias: float, out: Any) -> None:
    """Horizon slopes on sheared lines y = first + k + tilt * (x - middle); light toward +x if `forward`. out f32[lines, w].

    What does not hide (`hides` u8[h, w] is 0) is hidden all the same.
    """
    h, w = depth.shape
    middle = 0.5 * (w - 1)
    stride = math.sqrt(1.0 + tilt * tilt) * pitch
    for k in prange(out.shape[0]):
        hull_x, hull_z = np.empty(w, np.float64), np.empty(w, np.float64)
        n = 0
        for i in range(w):
            x = w - 1 - i if forward else i
            yf = first + k + tilt * (x - middle)
            y0 = math.floor(yf)
            f = yf - y0
            out[k, x] = -1e9
            if y0 < -1 or y0 >= h:
                continue
            za = depth[y0, x] if y0 >= 0 else -1e9
            zb = depth[y0 + 1, x] if y0 + 1 < h else -1e9
            # Between somebody and nobody there is no slope: the nearer row decides.
            if za > VOID_HW and zb > VOID_HW:
                z = za * (1 - f) + zb * f
            else:
                z = za if f < 0.5 else zb
            if z <= VOID_HW:
                continue
            s = -i * stride
            # The tangent from the lifted point to the hull ahead; slopes along a convex hull have one maximum.
            lifted = z + bias
            best = -1e9
            j = n - 1
            while j >= 0:
                slope = (hull_z[j] - lifted) / (hull_x[j] - s)
                if slope < best:
                    break
                best = slope
                j -= 1
            out[k, x] = best
            near = y0 if y0 + 1 >= h or (y0 >= 0 and f < 0.5) else y0 + 1
            if not hides[near, x]:
                continue
            while n >= 2 and (hull_z[n - 1] - z) * (hull_x[n - 2] - s) <= (hull_z[n - 2] - z) * (hull_x[n - 1] - s):
                n -= 1
            hull_x[n], hull_z[n] = s, z
            n += 1


@njit(cache=True, parallel=True)
def _gather(lines: Any, depth: Any, tilt: float, first: int, out: Any, turned: bool) -> None:
    """Back from sheared lines to pixels: horizon angle in radians, -pi/2 where nothing stands in the way."""
    h, w = depth.shape
    middle = 0.5 * (w - 1)
    for y in prange(h):
        for x in range(w):
            if depth[y, x] <= VOID_HW:
                angle = -math.pi / 2
            else:
                kf = y - tilt * (x - middle) - first
                k = math.floor(kf)
                f = kf - k
                a = math.atan(lines[k, x]) if lines[k, x] > -1e8 else -math.pi / 2
                b = math.atan(lines[k + 1, x]) if lines[k + 1, x] > -1e8 else -math.pi / 2
                angle = a * (1 - f) + b * f
            if turned:
                out[x, y] = angle
            else:
                out[y, x] = angle


def horizon(
    depth: F32, azimuth_rad: float, px_per_hw: float, bias_hw: float = 0.004, hides: NDArray[np.uint8] | None = None
) -> F32:  # fmt: skip
    """Angle f32[h, w] (radians above the picture plane) under which `depth` f32[h, w] (hw) hides the light.

    `azimuth_rad` lies in the picture plane: 0 toward frame-right, +pi/2 up. A light whose elevation over the picture plane
    is above the angle is seen. `bias_hw` lifts the receiver; it only delays contact shadows, attached shadow is n.l's work.
    `hides` u8[h, w] is 0 where somebody is who stands in no light's way; None: all do.
    """
    dx, dy = math.cos(azimuth_rad), -math.sin(azimuth_rad)
    turned = abs(dy) > abs(dx)
    field = np.ascontiguousarray(depth.T if turned else depth, np.float32)
    solid = np.ones(depth.shape, np.uint8) if hides is None else hides
    solid = np.ascontiguousarray(solid.T if turned else solid)
    if turned:
        dx, dy = dy, dx
    h, w = field.shape
    tilt = dy / dx
    # Lines are anchored in the middle column, so that a mirrored field is swept along mirrored lines.
    lean = math.ceil(abs(tilt) * 0.5 * (w - 1)) + 1
    first, last = -lean, h - 1 + lean
    lines = np.empty((last - first + 1, w), np.float32)
    _sweep(field, solid, tilt, dx > 0, first, 1.0 / px_per_hw, bias_hw, lines)
    out = np.empty(depth.shape, np.float32)
    _gather(lines, field, tilt, first, out, turned)
    return out


@njit(cache=True, parallel=True)
def unhidden(
    angles: Any, turned: Any, elevation: Any, facing: Any, wrap: Any, middle: float, first: float, spread: float, count: int,
    step: float, radius: float, out: Any,
) -> None:  # fmt: skip
    """Share of a disk that is above the tangent plane and not hidden, of all of it that is above that plane.

    `angles` f32[n, h, w] are horizons that stand `step` degrees apart from `first`; `middle` is the disk's azimuth counted from there.
    `facing` f32[h, w, 3] are normals; `wrap` f32[h, w] says how far below the tangent plane light still finds its way (radians).
    """
    n, h, w = angles.shape
    for y in prange(h):
        for x in range(w):
            total = 0.0
            part = 0.0
            nz = max(facing[y, x, 2], 0.05)
            for i in range(count):
                a = (2 * i + 1 - count) / count
                tall = math.sqrt(1.0 - a * a)
                at = min(max((middle + turned[y, x] + a * spread) / step, 0.0), n - 1.000001)
                k = int(at)
                f = at - k
                angle = angles[k, y, x] * (1.0 - f) + angles[k + 1, y, x] * f
                azimuth = math.radians(first + at * step)
                plane = math.atan2(-(facing[y, x, 0] * math.cos(azimuth) + facing[y, x, 1] * math.sin(azimuth)), nz)
                # A rise over the plane that is no more than the relief's own error is no occluder.
                room = LEAST_RISE + wrap[y, x]
                rise = min(max((angle - plane) / room, 0.0), 1.0)
                angle -= room * (1.0 - rise * rise * (3.0 - 2.0 * rise))
                plane -= room
                # Only what is above the plane is asked for; the rest of the disk is below it for n.l to leave out.
                whole = min(max((elevation[y, x] - plane) / (2.0 * radius * tall) + 0.5, 0.0), 1.0)
                free = min(max((elevation[y, x] - max(angle, plane)) / (2.0 * radius * tall) + 0.5, 0.0), 1.0)
                part += tall * free
                total += tall * whole
            out[y, x] = part / total if total > 1e-4 else 0.0


FLECK_HW2 = 0.0016
"""Area (squared head-widths) up to which a shadow that lies apart in light, on skin, is the relief's error: a wart would throw it."""


def without_flecks(seen: F32, skin: F32, px_per_hw: float) -> F32:
    """The share f32[h, w] of a lamp that is seen, without specks of shadow on `skin` f32[h, w] that lie in light all round."""
    count, names, stats, _ = cv2.connectedComponentsWithStats(((seen < 0.6) & (skin > 0.5)).astype(np.uint8), connectivity=8)
    near = 3
    out = seen
    for n in np.flatnonzero(stats[1:count, cv2.CC_STAT_AREA] <= FLECK_HW2 * px_per_hw**2) + 1:
        x, y, w, h = (int(v) for v in stats[n, :4])
        box = np.s_[max(y - near, 0) : y + h + near, max(x - near, 0) : x + w + near]
        speck = (names[box] == n).astype(np.uint8)
        wide = cv2.dilate(speck, np.ones((2 * near + 1,) * 2, np.uint8))
        rim = seen[box][(wide > 0) & (cv2.dilate(speck, np.ones((3, 3), np.uint8)) == 0)]
        if rim.size and np.percentile(rim, 20) > 0.75:
            out = np.array(seen) if out is seen else out
            out[box] = np.where(wide > 0, np.maximum(out[box], np.median(rim)), out[box])
    return out


@njit(cache=True, parallel=True)
def _openness(angles: Any, normal: Any, depth: Any, out: Any) -> None:
    """Cosine-weighted share of the hemisphere not hidden, by slices (Jimenez et al. 2016, GTAO, eq. 7-10)."""
    n, h, w = angles.shape
    half = n // 2
    for y in prange(h):
        for x in range(w):
            if depth[y, x] <= VOID_HW:
                out[y, x] = 1.0
                continue
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            total = 0.0
            for i in range(half):
                a = math.pi * i / half
                ca, sa = math.cos(a), math.sin(a)
                # The normal projected into the slice spanned by the view axis and (ca, sa).
                t = nx * ca + ny * sa
                length = math.sqrt(t * t + nz * nz)
                if length < 1e-5:
                    continue
                gamma = math.atan2(t, nz)
                h1 = min(math.pi / 2 - angles[i, y, x], gamma + math.pi / 2)
                h2 = max(-(math.pi / 2 - angles[i + half, y, x]), gamma - math.pi / 2)
                part = 0.25 * (
                    (-math.cos(2 * h1 - gamma) + math.cos(gamma) + 2 * h1 * math.sin(gamma))
                    + (-math.cos(2 * h2 - gamma) + math.cos(gamma) + 2 * h2 * math.sin(gamma))
                )
                total += length * part
            out[y, x] = min(max(total / half, 0.0), 1.0)


def openness(depth: F32, normal: F32, px_per_hw: float, azimuths: int = 12) -> F32:
    """Share 0..1 f32[h, w] of a uniform sky that a surface sees, cosine-weighted: 1 on an open ball, 0 in a pit."""
    n = azimuths + azimuths % 2
    angles = np.stack([horizon(depth, 2 * math.pi * i / n, px_per_hw, 0.008) for i in range(n)])
    out = np.empty(depth.shape, np.float32)
    _openness(angles, np.ascontiguousarray(normal, np.float32), depth, out)
    return out
