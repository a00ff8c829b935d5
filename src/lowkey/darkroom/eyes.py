"""Eyes: balls between the lids, and what each cornea mirrors."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, luminance
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step
from lowkey.rig import Direction

CORNEA_HW = 0.045
"""Radius of a cornea's mirror, as it counts in the picture."""
BALL = 0.95
"""Radius of an eyeball over the width of its opening, as its shade tells it (its own is .45): light wanders in the white of an eye."""
ROUND, PICTURED = 0.8, 0.35
"""Share of a ball's round between the lids of a measurement, and of a picture: in the white of an eye light goes in on one side and comes
out on the other, and a ball of stone had its nose's half in the dark where the face's own form has a third of the lids' light."""
LIDDED, LID_HW, SOCKET_HW = 0.55, 0.085, 0.075
"""Share of a lid's round that gives way to the socket's, how far from the lids' edges, and over what (sigma) a socket is seen. The mesh
draws lids as a whole ball, whose inner half is one dark disc under a lamp from the side; in life folds and caruncle there face the lamp.
Path-traced heads have such balls, and lose .001 of SSIM by it: only pictures, whose skin shines, are drawn so."""
IRIS_HW = 0.042
"""Radius of an iris: 11.7 mm across, of 140 mm to a head-width (Rüfer, Schröder & Erb 2005); it hardly differs between people."""
WANDER_HW, WANDERED = 0.035, 0.45
"""How far light wanders, sigma, that goes into the white of an eye, the lids' edges and the tears along them, and its share: sclera lets a
tenth and more of it through (Vogel et al. 1991). Irises have none of it: light there would veil them."""
GLINT_HW, SPREAD = (0.0062, 0.0048), 0.22
"""Half axes of the image of a weak card in the far eye, and what is left of its middle's radiance over so much more room."""


def eyeballs(s: Subject) -> F32:
    """Normals f32[h, w, 3] with smooth balls between the lids."""
    if s.eyes.max() < 0.5:
        return s.normal
    out = _lids(s)
    for cx, cy, width, box in _eyes(s):
        ys, xs = np.mgrid[box]
        radius = BALL * width
        nx, ny = (xs - cx) / radius, -(ys - cy) / radius
        r2 = np.minimum(nx * nx + ny * ny, 0.9)
        ball = np.stack([nx, ny, np.sqrt(1 - r2)], -1).astype(np.float32)
        k = (s.eyes[box] * np.float32(PICTURED if s.shine > 1.0 else ROUND))[..., None]
        mixed = (1 - k) * out[box] + k * ball
        out[box] = mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-6)
    return out


def _lids(s: Subject) -> F32:
    """Normals f32[h, w, 3] with the lids' own round brought toward the socket's, away from what lies between them."""
    out = s.normal.copy()
    k = s.hw_px
    if s.shine <= 1.0:
        return out
    for _, _, _, (rows, columns) in _eyes(s):
        m = round(3 * SOCKET_HW * k)
        wide = np.s_[max(rows.start - m, 0) : rows.stop + m, max(columns.start - m, 0) : columns.stop + m]
        skin = np.asarray(s.skin[wide] * s.matte[wide], np.float32)
        opening = (s.eyes[wide] > 0.4).astype(np.uint8)
        near = cv2.distanceTransform(1 - opening, cv2.DIST_L2, 5) / np.float32(LID_HW * k)
        mine = np.exp(-near * near) * skin
        normal = out[wide]
        mixed = normal + np.float32(LIDDED) * mine[..., None] * (
            among(np.ascontiguousarray(normal), skin + np.float32(1e-4), SOCKET_HW * k) - normal
        )
        out[wide] = mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-6)
    return out


def _eyes(s: Subject) -> list[tuple[float, float, float, Any]]:
    """Middle (x, y) px, width px and slice of the two largest eye openings."""
    mask = (s.eyes > 0.4).astype(np.uint8)
    count, _, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for i in sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])[:2]:
        x, y, w, h, _ = stats[i]
        if w < 0.04 * s.hw_px:
            continue
        pad = 3
        box = np.s_[max(0, y - pad) : y + h + pad, max(0, x - pad) : x + w + pad]
        found.append((float(middles[i][0]), float(middles[i][1]), float(w), box))
    return found


def irises(s: Subject) -> list[tuple[float, float, Any]]:
    """Middle (x, y) px of the dark of each eye, and the slice of its opening."""
    found = []
    for cx, cy, _, box in _eyes(s):
        luma = luminance(s.albedo[box])
        weight = (s.eyes[box] > 0.4) * np.maximum(np.percentile(luma, 40) - luma, 0) ** 2 + np.float32(1e-9)
        ys, xs = np.mgrid[box]
        total = float(weight.sum())
        if total > 1e-6:
            cx, cy = 0.3 * cx + 0.7 * float((xs * weight).sum() / total), 0.3 * cy + 0.7 * float((ys * weight).sum() / total)
        found.append((cx, cy, box))
    return found


def spread(diffuse: F32, s: Subject) -> None:
    """Spread irradiance f32[h, w] of a lamp within the whites of the eyes, in place; pictures only."""
    if s.shine <= 1.0:
        return
    for cx, cy, (rows, columns) in irises(s):
        m = round(2 * WANDER_HW * s.hw_px)
        wide = np.s_[max(rows.start - m, 0) : rows.stop + m, max(columns.start - m, 0) : columns.stop + m]
        ys, xs = np.mgrid[wide]
        away = np.hypot(xs - cx, ys - cy).astype(np.float32) / np.float32(IRIS_HW * s.hw_px)
        white = np.float32(WANDERED) * s.eyes[wide] * step(away, 0.9, 1.3)
        light = diffuse[wide]
        light += white * (among(light, np.asarray((s.skin * s.matte)[wide], np.float32), WANDER_HW * s.hw_px) - light)


def catchlights(out: F32, s: Subject, direction: Direction, diffuse: F32) -> None:
    """Put the lamp's one mirror image on each cornea, on the lamp's side, where the lamp is seen from there."""
    lx, ly, lz = direction.vector
    if lz < -0.25:
        return
    length = math.sqrt(lx * lx + ly * ly + (lz + 1) ** 2)
    for cx, cy, box in irises(s):
        ys, xs = np.mgrid[box]
        px, py = cx + CORNEA_HW * s.hw_px * lx / length, cy - CORNEA_HW * s.hw_px * ly / length
        around = float(np.percentile(diffuse[box], 80))
        reach = min(1.0, around / 0.15) * min(1.0, (lz + 0.25) / 0.3)
        # What enters the cornea beside the lamp crosses the eye and lights the far side of the iris.
        across = ((xs - cx + 0.024 * s.hw_px * lx) ** 2 + (ys - cy - 0.024 * s.hw_px * ly) ** 2) / np.float32(0.026 * s.hw_px) ** 2
        out[box] *= (1 + 0.45 * reach * np.exp(-across) * s.eyes[box])[..., None]
        # A lamp a little taller than wide, its rim softened by the tear film, and a faint bloom of that film round it.
        far = ((xs - px) / (0.0036 * s.hw_px)) ** 2 + ((ys - py) / (0.0051 * s.hw_px)) ** 2
        spot = 0.32 * np.exp(-0.5 * far**1.5) + 0.012 * np.exp(-0.5 * far / 9)
        out[box] += np.asarray(reach * spot * s.eyes[box], np.float32)[..., None]


def glints(out: F32, s: Subject, direction: Direction, radiance: float, beside: F32 | None = None) -> None:
    """Add a weak card's one image to each cornea that no lamp reaches (in `beside` f32[h, w, 3], the picture without the card).

    A card that is mirrored by a moist, far eye is a soft patch: its light is spread over GLINT_HW, and its middle is that much less bright.
    """
    if radiance <= 0:
        return
    lx, ly, lz = direction.vector
    length = math.sqrt(lx * lx + ly * ly + (lz + 1) ** 2)
    for cx, cy, box in irises(s):
        lamps = 0.0 if beside is None else float(np.percentile(luminance(beside[box]), 99.5))
        ys, xs = np.mgrid[box]
        px, py = cx + CORNEA_HW * s.hw_px * lx / length, cy - CORNEA_HW * s.hw_px * ly / length
        far = ((xs - px) / (GLINT_HW[0] * s.hw_px)) ** 2 + ((ys - py) / (GLINT_HW[1] * s.hw_px)) ** 2
        spot = SPREAD * radiance * max(1 - lamps / (SPREAD * radiance), 0.0)
        out[box] += np.asarray(spot * np.exp(-0.5 * far) * s.eyes[box], np.float32)[..., None]
