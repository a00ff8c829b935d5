"""The face mesh as a surface: triangles of the 478-point mesh, Loop subdivision, and a z-buffer raster."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import scipy.sparse as sp
from numba import njit
from numpy.typing import NDArray

from lowkey.pixels import F32

# fmt: off
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
        148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
"""The face oval, starting at the top of the forehead, toward frame-right of an unturned face first."""
OUTER_CORNERS = (33, 263)
"""The outer corners of the eyes: frame-left of an unturned face first."""
EYES = ((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
        (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249))
"""The rims of the two eye openings: frame-left of an unturned face first."""
EYES_SECOND_RING = ((130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25),
                    (359, 467, 260, 259, 257, 258, 286, 414, 463, 341, 256, 252, 253, 254, 339, 255))
IRISES = (468, 473)
"""The mesh's own iris centres, in the order of `EYES`."""
MOUTH = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""The inner rim of the lips."""
JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
"""The lower half of the oval, from frame-left ear over the chin to frame-right ear."""
# fmt: on
MIDLINE = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 13, 17, 18, 200, 199, 175, 152)
"""From forehead over nose and lips to the chin: the outline of a face in profile, which leaves its oval behind it."""
MOUTH_CENTRE = 478
"""Index of the one vertex added to the 478: the middle of the mouth opening."""


@lru_cache(maxsize=1)
def triangles() -> NDArray[np.int32]:
    """Triangles i32[n, 3] of the canonical mesh with eye and mouth openings closed by fans.

    The mesh is published as edges (FACEMESH_TESSELATION); its triangles are the 3-cliques of that graph.
    The eye fans meet in the iris centres, the mouth fan in `MOUTH_CENTRE`. Winding is not kept.
    """
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found: set[tuple[int, ...]] = {tuple(sorted((a, b, c))) for a in near for b in near[a] for c in near[a] & near[b]}
    # Two cliques round the nose wings are not faces: their three edges all carry two other triangles.
    sides = Counter(pair for t in found for pair in combinations(t, 2))
    found -= {t for t in found if all(sides[pair] == 3 for pair in combinations(t, 2))}
    for rim, centre in (*zip(EYES, IRISES, strict=True), (MOUTH, MOUTH_CENTRE)):
        found |= {tuple(sorted((rim[i - 1], rim[i], centre))) for i in range(len(rim))}
    return np.array(sorted(found), np.int32)


@lru_cache(maxsize=3)
def loop(times: int) -> tuple[Any, NDArray[np.int32]]:
    """Loop subdivision (Loop 1987) as one sparse matrix f64[v_fine, 479] and the fine triangles i32[n, 3]."""
    faces, total = triangles(), sp.identity(MOUTH_CENTRE + 1, format="csr")
    for _ in range(times):
        step, faces = _loop_once(faces, total.shape[0])
        total = step @ total
    return total.tocsr(), faces


def _loop_once(faces: NDArray[np.int32], n: int) -> tuple[Any, NDArray[np.int32]]:
    """One Loop step over `n` vertices: weights and triangles."""
    edges: dict[tuple[int, int], list[int]] = {}
    for a, b, c in faces.tolist():
        for i, j, k in ((a, b, c), (b, c, a), (c, a, b)):
            edges.setdefault((min(i, j), max(i, j)), []).append(k)
    index = {e: n + i for i, e in enumerate(sorted(edges))}
    near: dict[int, set[int]] = {}
    rim: dict[int, list[int]] = {}
    for (i, j), across in edges.items():
        near.setdefault(i, set()).add(j)
        near.setdefault(j, set()).add(i)
        if len(across) == 1:
            rim.setdefault(i, []).append(j)
            rim.setdefault(j, []).append(i)
    weights: dict[tuple[int, int], float] = {}

    def put(row: int, col: int, w: float) -> None:
        weights[row, col] = weights.get((row, col), 0.0) + w

    # Old vertices: 5/8-cosine weights inside, 1/8-3/4-1/8 on the rim; lone vertices stay where they are.
    for v in range(n):
        around = rim.get(v) or sorted(near.get(v, ()))
        if not around:
            put(v, v, 1.0)
            continue
        k = len(around)
        beta = 1 / 8 if v in rim else (5 / 8 - (3 / 8 + np.cos(2 * np.pi / k) / 4) ** 2) / k
        put(v, v, 1 - beta * k)
        for u in around:
            put(v, u, beta)
    # New vertices on edges: 3/8-3/8-1/8-1/8 inside, the midpoint on the rim.
    for (i, j), across in edges.items():
        row = index[i, j]
        inner = len(across) == 2
        put(row, i, 3 / 8 if inner else 1 / 2)
        put(row, j, 3 / 8 if inner else 1 / 2)
        if inner:
            put(row, across[0], 1 / 8)
            put(row, across[1], 1 / 8)
    fine = []
    for a, b, c in faces.tolist():
        ab, bc, ca = (index[min(i, j), max(i, j)] for i, j in ((a, b), (b, c), (c, a)))
        fine += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    keys = sorted(weights)
    rows, cols = np.array([k[0] for k in keys]), np.array([k[1] for k in keys])
    values = np.array([weights[k] for k in keys])
    return sp.csr_matrix((values, (rows, cols)), (n + len(edges), n)), np.array(fine, np.int32)


@njit(cache=True)
def _raster(points: Any, faces: Any, z_out: Any) -> None:
    h, w = z_out.shape
    for f in range(faces.shape[0]):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        x0, x1 = max(0, int(np.floor(min(a[0], b[0], c[0])))), min(w - 1, int(np.ceil(max(a[0], b[0], c[0]))))
        y0, y1 = max(0, int(np.floor(min(a[1], b[1], c[1])))), min(h - 1, int(np.ceil(max(a[1], b[1], c[1]))))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = ((b[0] - x) * (c[1] - y) - (c[0] - x) * (b[1] - y)) / area
                v = ((c[0] - x) * (a[1] - y) - (a[0] - x) * (c[1] - y)) / area
                s = 1.0 - u - v
                if u >= -1e-6 and v >= -1e-6 and s >= -1e-6:
                    z = u * a[2] + v * b[2] + s * c[2]
                    if z > z_out[y, x]:
                        z_out[y, x] = z


def oval(landmarks: F32, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """1 within the face oval of `landmarks` f32[n, 2 or more] (px), 0 without, u8[h, w] of `shape`."""
    out = np.zeros(shape, np.uint8)
    cv2.fillPoly(out, [np.round(landmarks[list(OVAL), :2]).astype(np.int32)], 1)
    return out


def raster(points: F32, faces: NDArray[np.int32], size_px: tuple[int, int], empty: float) -> F32:
    """Nearest surface f32[h, w]: z of `points` f[n, 3] (x, y in pixels, z toward the camera), `empty` where nothing is."""
    z = np.full((size_px[1], size_px[0]), empty, np.float32)
    _raster(np.ascontiguousarray(points, np.float64), faces, z)
    return z
