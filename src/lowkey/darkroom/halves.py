"""Two halves of a face have one skin: what a hard lamp left dark on one of them alone, the other lifts.

Delighting knows one broad light; the shadow that a nose threw over a cheek stays in the skin as a stain with an edge. Faces are nearly
symmetric in albedo (Zhao & Chellappa 2000), and such a shadow is not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import creases
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import meshes
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step

PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (50, 280), (205, 425), (172, 397))
"""Mesh points that are each other's mirror image, from which the plane between the halves is laid."""
BROAD_HW, EDGE_HW = 0.030, 0.045
"""Below what breadth a difference is pores, moles and the mesh's own error, sigma; and how near to an edge of the skin a lifted one has its
own."""
OWN, MOST, SHARE = 0.10, 0.70, 0.85
"""Log luminance by which one half of a face may be darker than the other of itself; the most by which it is lifted; the share that goes."""
FACES = 0.30
"""Least z of a normal from which skin is seen well enough to be compared."""


def evened(albedo: F32, plate: Plate) -> F32:
    """Lift, in place, skin of `albedo` f32[h, w, 3] that is darker over a broad patch than its counterpart. Of a hard light only.

    Returns the log luminance f32[h, w] added.
    """
    added = np.zeros(plate.matte.shape, np.float32)
    if not plate.found_light.hard:
        return added
    k, mesh, box = plate.hw_px, plate.landmarks, creases.face_box(plate)
    tone, origin = albedo[box], np.array([box[1].start, box[0].start], np.float32)
    names = ("eyes", "brows", "lips", "teeth", "glasses", "hair")
    features = np.maximum.reduce([plate.parts[name][box] for name in names])
    clear = np.asarray((plate.parts["skin"] * plate.inside)[box] * (1 - step(features, 0.05, 0.3)), np.float32)
    clear *= step(plate.normal[box][..., 2], FACES, FACES + 0.2)
    level = np.log(np.maximum(luminance(tone), np.float32(4e-3)))
    across = _counterparts(mesh, (tone.shape[1], tone.shape[0]), origin)
    sure = clear * (across[..., 0] > -1e5)

    def other(picture: F32) -> F32:
        return np.asarray(cv2.remap(picture, across[..., 0], across[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)

    sure = np.asarray(sure * other(np.asarray(sure, np.float32)), np.float32)
    if float(sure.sum()) < 0.05 * k * k:
        return added
    broad = among(np.asarray(level, np.float32), clear + np.float32(1e-4), BROAD_HW * k)
    less = other(broad) - broad
    # A whole half that is darker is light that went over the face, and delighting's; and half a face may be told wrong in all.
    less = less - np.float32(np.median(less[sure > 0.5]))
    lift = np.asarray(np.clip(less - np.float32(OWN), 0, MOST) * sure, np.float32)
    lift = _edged(lift, np.asarray(level, np.float32), sure, EDGE_HW * k)
    added[box] = np.float32(SHARE) * lift
    tone *= np.exp(added[box])[..., None]
    return added


def _counterparts(mesh: F32, size_px: tuple[int, int], origin: NDArray[np.float32]) -> F32:
    """Where each pixel's mirror image lies on the face, f32[h, w, 2] in pixels of the box at `origin`; -1e6 off the mesh."""
    points = np.asarray(mesh[:468], np.float64)
    left, right = (points[list(side)] for side in zip(*PAIRS, strict=True))
    axis = (right - left).mean(0)
    axis /= np.linalg.norm(axis)
    middle = (0.5 * (left + right)).mean(0)
    mirrored = points - 2 * ((points - middle) @ axis)[:, None] * axis
    # The mirror image of a face is its own mesh again, nearly: the nearest point is the counterpart.
    apart = ((mirrored[:, None] - points[None]) ** 2).sum(2)
    pair = apart.argmin(1)
    faces = meshes.triangles()
    faces = faces[(faces < 468).all(1)]
    flat = points[:, :2] - origin
    carried = [np.concatenate([flat, (points[pair, i : i + 1] - origin[i])], 1) for i in range(2)]
    out = np.stack([meshes.raster(one.astype(np.float32), faces, size_px, -1e6) for one in carried], -1)
    return np.asarray(out, np.float32)


def _edged(lift: F32, level: F32, sure: F32, sigma: float) -> F32:
    """`lift` f32[h, w] with the edges that `level` f32[h, w] has where it has any: a guided filter (He, Sun & Tang 2013)."""
    mass = np.maximum(blur(sure, sigma), np.float32(1e-3))

    def mean(picture: F32) -> F32:
        return np.asarray(blur(np.asarray(picture * sure, np.float32), sigma) / mass, np.float32)

    m, n = mean(level), mean(lift)
    a = np.asarray((mean(level * lift) - m * n) / (mean(level * level) - m * m + np.float32(0.002)), np.float32)
    b = np.asarray(n - a * m, np.float32)
    return np.asarray(np.clip(mean(a) * level + mean(b), 0, MOST) * sure, np.float32)
