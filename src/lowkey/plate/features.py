"""The proof: the plate made small, with what the parser looks at in each pixel and where that pixel lies on the head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.pixels import F32, luminance
from lowkey.plate.meshes import EYES, MOUTH, OVAL

PROOF_PX = 110.0
"""Pixels a head-width in the proof: enough for an ear, a collar's edge and a lock of hair."""
TONE, RED, BLUE, GRAIN = range(4)
"""Columns of `Proof.features`."""
FLOOR = np.array([0.18, 0.045, 0.06, 0.25])
"""Least spread of one material in each feature (stops, stops, stops, stops of local contrast)."""


@dataclass(frozen=True)
class Proof:
    """All maps f32[h, w] at `PROOF_PX` a head-width; lengths in hw, along the head's own axes."""

    features: F32
    """f32[h, w, 4]: luminance, red over green and blue over green (stops; 0 is the face's median), fine local contrast (stops)."""
    colour: F32
    """f32[h, w, 3] sRGB-like square root of the scene-linear colour over the face's median, the guide of walk and filter."""
    matte: F32
    inside: F32
    points: F32
    """f32[478, 3] landmarks in proof pixels."""
    u: F32
    """Toward frame-right of the upright head; 0 on the line from chin to forehead."""
    v: F32
    """Toward the crown; 0 at the chin."""
    out: F32
    """Signed distance from the face oval, + outside."""
    reach: float
    """v of the top of the mesh (the forehead's end)."""
    px: float
    """Proof pixels a head-width, exactly."""
    ink: F32
    """f32[3] scene-linear colour of the face's median: what every feature is measured against."""

    def at(self, point: int) -> tuple[float, float]:
        """(u, v) of a landmark."""
        x, y = self.points[point, :2]
        h, w = self.u.shape
        # Both are linear in x and y, so two differences carry the whole map.
        du, dv = (self.u[0, 1] - self.u[0, 0], self.u[1, 0] - self.u[0, 0]), (self.v[0, 1] - self.v[0, 0], self.v[1, 0] - self.v[0, 0])
        return float(self.u[0, 0] + x * du[0] + y * du[1]), float(self.v[0, 0] + x * dv[0] + y * dv[1])


def proof(colour: F32, matte: F32, landmarks: F32, hw_px: float, inside: F32) -> Proof:
    """Make the proof of a plate (arguments as in `parts.part`)."""
    tall, wide = matte.shape
    scale = PROOF_PX / hw_px
    size = max(round(wide * scale), 8), max(round(tall * scale), 8)
    stretch = np.array([size[0] / wide, size[1] / tall], np.float32)

    def shrink(a: F32) -> F32:
        return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)

    points = landmarks.astype(np.float32).copy()
    points[:, :2] = (points[:, :2] + 0.5) * stretch - 0.5
    points[:, 2] *= stretch[0]

    # The person's own colour: averaged with the matte as weight, so that a pixel on the silhouette is not half background.
    weight = np.maximum(matte, 1e-3)
    cover = shrink(weight)
    person = shrink(colour * weight[..., None]) / cover[..., None]

    px = hw_px * float(stretch.mean())
    u, v, reach = _axes(points, px, (size[1], size[0]))
    ink = _ink(person, points)
    # Everything is measured against the face, so dark skin in dim light and fair skin in sun look alike here.
    rel = person / ink
    y, y0 = luminance(person), float(luminance(ink))
    dark = 0.012 + 0.0006 / y0
    tone = np.log2(y / y0 + dark)
    red = np.log2((rel[..., 0] + 2 * dark) / (rel[..., 1] + 2 * dark))
    blue = np.log2((rel[..., 2] + 2 * dark) / (rel[..., 1] + 2 * dark))
    features = np.stack([tone, red, blue, _grain(colour, matte, hw_px, y0, size)], 2).astype(np.float32)
    guide = np.sqrt(np.clip(person / y0, 0, 4) + 0.01).astype(np.float32)
    return Proof(features, guide, shrink(matte), shrink(inside), points, u, v, _out(points, px, u.shape), reach, px, ink)


def _axes(points: F32, px: float, shape: tuple[int, int]) -> tuple[F32, F32, float]:
    """u and v of every pixel, and v of mesh point 10: the head's own axes lie along the line from 152 to 10."""
    chin, top = points[152, :2], points[10, :2]
    up = (top - chin) / max(float(np.linalg.norm(top - chin)), 1e-6)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = (xs - chin[0]) / px, (ys - chin[1]) / px
    u, v = -x * up[1] + y * up[0], x * up[0] + y * up[1]
    return u.astype(np.float32), v.astype(np.float32), float(np.linalg.norm(top - chin)) / px


def filled(points: F32, ring: tuple[int, ...], shape: tuple[int, int], *, soft: int = 0) -> F32:
    """1 inside the polygon through landmarks `ring`, 0 outside; soft > 0 draws antialiased."""
    out = np.zeros(shape, np.uint8)
    corners = np.round(points[list(ring), :2] * 16).astype(np.int32)
    cv2.fillPoly(out, [corners], 255, cv2.LINE_AA if soft else cv2.LINE_8, 4)
    return out.astype(np.float32) / 255


def _out(points: F32, px: float, shape: tuple[int, int]) -> F32:
    """Signed distance from the face oval in hw, + outside."""
    face = (filled(points, OVAL, shape) > 0.5).astype(np.uint8)
    away = cv2.distanceTransform(1 - face, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep = cv2.distanceTransform(face, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return ((away - deep) / px).astype(np.float32)


BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))


def bare_face(p: Proof) -> F32:
    """1 where skin is almost sure to show: cheeks, nose and lower forehead; not eyes and brows (nor glasses before them), nor nostrils."""
    keep = (p.out < -0.06) & (p.v > p.at(0)[1] + 0.05) & (p.v < 0.82 * p.reach)
    eyes = np.zeros(p.u.shape, np.uint8)
    for rim, brow in zip(EYES, BROWS, strict=True):
        corners = cv2.convexHull(np.round(p.points[[*rim, *brow], :2] * 16).astype(np.int32))
        cv2.fillConvexPoly(eyes, corners, 1, cv2.LINE_8, 4)
    side = 2 * round(0.05 * p.px) + 1
    eyes = cv2.dilate(eyes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return (keep & (eyes == 0)).astype(np.float32)


def middle_face(p: Proof) -> F32:
    """1 on discs over cheeks and nose: the last places that hair, glasses or a scarf would cover."""
    out = np.zeros(p.u.shape, np.uint8)
    for i in (50, 280, 101, 330, 205, 425, 4, 195, 36, 266):
        centre = np.round(p.points[i, :2] * 16).astype(int)
        cv2.circle(out, (int(centre[0]), int(centre[1])), round(0.05 * p.px * 16), 1, -1, cv2.LINE_8, 4)
    return out.astype(np.float32)


def _ink(person: F32, points: F32) -> F32:
    """Median colour f32[3] of small discs on cheeks, nose and lower forehead, the brighter half of them."""
    h, w = person.shape[:2]
    seen = []
    for i in (50, 280, 101, 330, 205, 425, 4, 195, 151, 9, 108, 337):
        x, y = np.round(points[i, :2]).astype(int)
        part = person[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4]
        if 0 <= x < w and 0 <= y < h and part.size:
            seen.append(np.median(part.reshape(-1, 3), 0))
    if not seen:
        return np.array([0.2, 0.15, 0.1], np.float32)
    # A cheek in shadow or under hair must not set the scale.
    ranked = sorted(seen, key=lambda c: float(luminance(np.asarray(c))))
    return np.maximum(np.median(ranked[len(ranked) // 3 :], 0), 1e-4).astype(np.float32)


def _grain(colour: F32, matte: F32, hw_px: float, y0: float, size: tuple[int, int]) -> F32:
    """Fine local contrast in stops: log2 of the spread of log luminance within a few hundredths of a head-width.

    Strands and knit have much of it, bare skin and smooth cloth little. The silhouette does not count.
    """
    log_y = np.log2(luminance(colour) / y0 + (0.05 + 0.002 / y0)).astype(np.float32)
    side = 2 * max(round(0.012 * hw_px), 1) + 1
    fine = log_y - cv2.blur(log_y, (side, side))
    solid = (matte > 0.9).astype(np.float32)
    energy = cv2.resize(fine * fine * solid, size, interpolation=cv2.INTER_AREA)
    amount = cv2.resize(solid, size, interpolation=cv2.INTER_AREA)
    energy, amount = cv2.GaussianBlur(energy, (0, 0), 1.6), cv2.GaussianBlur(amount, (0, 0), 1.6)
    grain = 0.5 * np.log2(energy / np.maximum(amount, 0.02) + 4e-4)
    # Opening takes away ridges narrower than the disc: a mere edge between two smooth things is no texture.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    return np.asarray(cv2.GaussianBlur(cv2.morphologyEx(grain, cv2.MORPH_OPEN, disc), (0, 0), 1.0), np.float32)
