"""Eyes: balls between the lids, and what each cornea mirrors."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from lowkey.darkroom.hollows import ditch
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, luminance
from lowkey.plate.shading import among
from lowkey.rig import Direction

CORNEA_HW = 0.045
"""Radius of a cornea's mirror, as it counts in the picture."""
BALL = 0.95
"""Radius of an eyeball over the width of its opening, as its shade tells it (its own is .45): light wanders in the white of an eye."""
LIDDED, LID_HW, SOCKET_HW = 0.55, 0.085, 0.075
"""Share of a lid's round that gives way to the socket's, how far from the lids' edges, and over what (sigma) a socket is seen. The mesh
draws lids as a whole ball, whose inner half is one dark disc under a lamp from the side; in life folds and caruncle there face the lamp.
Path-traced heads have such balls, and lose .001 of SSIM by it: only pictures, whose skin shines, are drawn so."""
IMAGE_HW, BRIGHT = 0.0056, 0.22
"""Half the breadth of a lamp's image on the middle of a cornea, and its radiance under a unit lamp: of .27 m at 1.3 m it is .4 mm (a
cornea's focal length is half its radius, 3.9 mm), softened to twice that by the tear film; at .32 it printed at 226 codes, brighter than
the air round the lamp."""
GLINT_HW, SPREAD = 0.0062, 0.34
"""Half the breadth of the image of a weak card in the far eye, and what is left of its middle's radiance over so much more room."""
GLOW, GLOW_HW = 0.5, 0.020
"""How much more light the iris opposite the image has, and over what (sigma): what enters a cornea beside the lamp crosses the eye."""
WANDERS_HW, WANDERED = 0.050, 0.45
"""How far light wanders in the white of an eye, sigma, and the share of it that does: under a lamp from the side a ball's far half is dim
and not black, for sclera scatters and passes much of it on (Nemati, Rylander & Welch 1996), and the wet fold of the lids throws it back."""
SOCKETS_HW, EASED = 0.11, 0.40
"""How far round an opening a mesh's ditch between lid and nose is made shallower, and by what share, as beside a mouth."""


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
        k = (s.eyes[box] * np.float32(0.8))[..., None]
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


class Balls:
    """The eyes of a subject, and the light that wanders in them."""

    def __init__(self, s: Subject) -> None:
        self._hw_px = s.hw_px
        self._each: list[tuple[Any, F32, F32, F32]] = []
        if s.shine <= 1.0 or s.eyes.max() < 0.5:
            return
        h, w = s.matte.shape
        m = round(2 * SOCKETS_HW * s.hw_px)
        for _, _, _, (rows, columns) in _eyes(s):
            box = np.s_[max(rows.start - m, 0) : min(rows.stop + m, h), max(columns.start - m, 0) : min(columns.stop + m, w)]
            surface = np.asarray(np.maximum(s.skin, s.eyes)[box] * s.matte[box], np.float32)
            away = cv2.distanceTransform((s.eyes[box] <= 0.4).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(SOCKETS_HW * s.hw_px)
            self._each.append((box, np.array(s.eyes[box]), surface, np.asarray(np.exp(-away * away) * surface, np.float32)))

    def spread(self, diffuse: F32) -> None:
        """Spread irradiance f32[h, w] in each eye and ease the ditch round it, in place."""
        for box, eye, surface, near in self._each:
            light = diffuse[box]
            light += np.float32(EASED) * near * ditch(light, surface, self._hw_px)
            light += np.float32(WANDERED) * eye * (among(light, eye, WANDERS_HW * self._hw_px) - light)


def _image(xs: F32, ys: F32, middle: tuple[float, float], direction: Direction, hw_px: float, half_hw: float) -> tuple[F32, F32]:
    """The image f32[h, w] of a round lamp in a cornea round `middle`, 1 in its midst, and the distance (squared, in half breadths) from it.

    A convex mirror shows a lamp at the half-way normal, narrower the nearer to the rim and longer along it: a bent oval, not a dot.
    """
    lx, ly, lz = direction.vector
    length = math.sqrt(lx * lx + ly * ly + (lz + 1) ** 2)
    hx, hy, hz = lx / length, -ly / length, max((lz + 1) / length, 0.3)
    flat = math.hypot(hx, hy)
    rx, ry = (hx / flat, hy / flat) if flat > 1e-3 else (1.0, 0.0)
    dx, dy = xs - middle[0], ys - middle[1]
    along, aside = dx * rx + dy * ry, dy * rx - dx * ry
    out = np.sign(along) * np.hypot(dx, dy) - CORNEA_HW * flat * hw_px
    radial, tangent = out / (half_hw * hz * hw_px), aside / (half_hw / hz * hw_px)
    far = np.asarray(radial * radial + tangent * tangent, np.float32)
    return np.asarray(np.exp(-0.5 * far * far), np.float32), far


def catchlights(out: F32, s: Subject, direction: Direction, diffuse: F32) -> None:
    """Put the lamp's one mirror image on each cornea, on the lamp's side, where the lamp is seen from there."""
    lx, ly, lz = direction.vector
    if lz < -0.25:
        return
    for cx, cy, box in irises(s):
        ys, xs = np.mgrid[box].astype(np.float32)
        around = float(np.percentile(diffuse[box], 80))
        reach = min(1.0, around / 0.15) * min(1.0, (lz + 0.25) / 0.3)
        across = ((xs - cx + 0.024 * s.hw_px * lx) ** 2 + (ys - cy - 0.024 * s.hw_px * ly) ** 2) / np.float32(GLOW_HW * s.hw_px) ** 2
        out[box] *= (1 + GLOW * reach * np.exp(-across) * s.eyes[box])[..., None]
        # Round the image lies a faint bloom of the tear film.
        image, far = _image(xs, ys, (cx, cy), direction, s.hw_px, IMAGE_HW)
        spot = BRIGHT * (image + 0.04 * np.exp(-0.5 * far / 9))
        out[box] += np.asarray(reach * spot * s.eyes[box], np.float32)[..., None]


def glints(out: F32, s: Subject, direction: Direction, radiance: float, beside: F32 | None = None) -> None:
    """Add a weak card's one image to each cornea that no lamp reaches (in `beside` f32[h, w, 3], the picture without the card).

    A card that is mirrored by a moist, far eye is a soft patch: its light is spread over GLINT_HW, and its middle is that much less bright.
    """
    if radiance <= 0:
        return
    for cx, cy, box in irises(s):
        lamps = 0.0 if beside is None else float(np.percentile(luminance(beside[box]), 99.5))
        ys, xs = np.mgrid[box].astype(np.float32)
        image, _ = _image(xs, ys, (cx, cy), direction, s.hw_px, GLINT_HW)
        spot = SPREAD * radiance * max(1 - lamps / (SPREAD * radiance), 0.0)
        out[box] += np.asarray(spot * image * s.eyes[box], np.float32)[..., None]
