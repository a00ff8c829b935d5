"""The proof: the plate made small, with what the parser looks at in each pixel and where that pixel lies on the head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lowkey.pixels import F32, luminance
from lowkey.plate.meshes import EYES, MOUTH, OVAL

PROOF_PX = 110.0
"""Pixels a head-width in the proof: enough for an ear, a collar's edge and a lock of hair."""
TONE, RED, BLUE, GRAIN = range(4)
"""Columns of `Proof.features`."""
FLOOR = np.array([0.18, 0.045, 0.06, 0.25])
"""Least spread of one material in each feature (stops each)."""
LEAST_MATTE = 0.03
"""Pixels with less of the person than this are left out."""
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
"""The outer rim of the lips."""
CHIN = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 379, 378, 400, 377, 152, 148, 176, 149, 150)
"""Between lower lip and jaw."""
CHEEKS_AND_NOSE = (50, 280, 101, 330, 205, 425, 4, 195, 36, 266)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Proof:
    """The person's pixels, as vectors of n (`where` says which), at `PROOF_PX` a head-width; lengths in hw along the head's own axes."""

    shape: tuple[int, int]
    where: NDArray[np.int64]
    """Flat index of each of the n pixels in a map of `shape`."""
    features: F32
    """f32[n, 4]: luminance, red over green and blue over green (stops; 0 is the face's median), fine local contrast (stops)."""
    matte: F32
    solid: Mask
    """bool[n]: nothing but the person in it."""
    u: F32
    """Toward frame-right of the upright head; 0 on the line from chin to forehead."""
    v: F32
    """Toward the crown; 0 at the chin."""
    out: F32
    """Signed distance from the face oval, + outside."""
    hands: F32
    """1 on hands (`hands.zone`)."""
    guide: F32
    """f32[h, w, 3] square root of the scene-linear colour over the face's median luminance: the guided filter's small guide."""
    points: F32
    """f32[478, 3] landmarks in proof pixels."""
    px: float
    """Proof pixels a head-width, exactly."""
    top: float
    """v of mesh point 10, where the forehead ends."""
    middle: float
    """u of the point between the ears: the neck hangs from there, not from the chin, when the head is turned."""
    y0: float
    """Luminance of the face's median colour."""

    def at(self, point: int) -> tuple[float, float]:
        """(u, v) of a landmark."""
        u, v = _axes(self.points, self.px, self.points[point, 0], self.points[point, 1])
        return float(u), float(v)

    @property
    def brow(self) -> float:
        """v of the brows."""
        return (self.at(105)[1] + self.at(334)[1]) / 2

    @property
    def nose(self) -> float:
        """v of the nose's base."""
        return self.at(2)[1]

    def pick(self, full: NDArray[np.generic]) -> NDArray[np.generic]:
        """The person's pixels [n, ...] of a map [h, w, ...]."""
        return full.reshape(-1, *full.shape[2:])[self.where]

    def spread(self, values: F32) -> F32:
        """A map f32[h, w, ...] of values [n, ...], 0 where the person is not."""
        full = np.zeros((self.shape[0] * self.shape[1], *values.shape[1:]), np.float32)
        full[self.where] = values
        return full.reshape(*self.shape, *values.shape[1:])

    def within(self, ring: tuple[int, ...], grow_hw: float = 0.0) -> Mask:
        """bool[n]: inside the polygon through landmarks, grown by so much."""
        return np.asarray(self.pick(filled(self.points, ring, self.shape, grow_hw * self.px))) > 0.5


def filled(points: F32, ring: tuple[int, ...], shape: tuple[int, int], grow_px: float = 0.0) -> F32:
    """1 inside the polygon through landmarks `ring` (grown all around by grow_px), 0 outside, antialiased."""
    out = np.zeros(shape, np.uint8)
    corners = np.round(points[list(ring), :2] * 16).astype(np.int32)
    cv2.fillPoly(out, [corners], 255, cv2.LINE_AA, 4)
    if grow_px > 0.5:
        cv2.polylines(out, [corners], True, 255, max(round(2 * grow_px), 1), cv2.LINE_AA, 4)
    return np.asarray(out / 255, np.float32)


def proof(colour: F32, matte: F32, landmarks: F32, hw_px: float, inside: F32, hands: F32) -> Proof:
    """Make the proof of a plate (arguments as in `parts.part`; hands f32[h, w] on the plate's grid)."""
    tall, wide = matte.shape
    scale = PROOF_PX / hw_px
    size = max(round(wide * scale), 8), max(round(tall * scale), 8)
    stretch = np.array([size[0] / wide, size[1] / tall], np.float32)
    px = hw_px * float(stretch.mean())

    def shrink(a: F32) -> F32:
        return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)

    points = landmarks.astype(np.float32).copy()
    points[:, :2] = (points[:, :2] + 0.5) * stretch - 0.5
    points[:, 2] *= stretch[0]

    # The person's own colour: averaged with the matte as weight, so that a pixel on the silhouette is not half background.
    weight = np.maximum(matte, 1e-3)
    person = shrink(colour * weight[..., None]) / shrink(weight)[..., None]
    ink = _ink(person, points)
    small, seen = shrink(matte), shrink(inside) > 0.5
    where = np.flatnonzero((small > LEAST_MATTE) & seen)
    shape = (size[1], size[0])

    # Everything is measured against the face, so dark skin in dim light and fair skin in sun look alike here.
    y0 = float(luminance(ink))
    own = person.reshape(-1, 3)[where]
    rel, dark = own / ink, np.float32(0.012 + 0.0006 / y0)
    tone = np.log2(luminance(own) / np.float32(y0) + dark)
    red = np.log2((rel[:, 0] + 2 * dark) / (rel[:, 1] + 2 * dark))
    blue = np.log2((rel[:, 2] + 2 * dark) / (rel[:, 1] + 2 * dark))
    grain = _grain(colour, matte, hw_px, y0, size).reshape(-1)[where]
    features = np.ascontiguousarray(np.stack([tone, red, blue, grain], 1), np.float32)

    u, v = _axes(points, px, (where % shape[1]).astype(np.float32), (where // shape[1]).astype(np.float32))
    top = float(_axes(points, px, points[10, 0], points[10, 1])[1])
    ears = _axes(points, px, points[[234, 454], 0], points[[234, 454], 1])[0]
    alpha = small.reshape(-1)[where]
    return Proof(
        shape, where, features, alpha, alpha > 0.85, u, v, _out(points, px, shape).reshape(-1)[where],
        shrink(hands).reshape(-1)[where], guide(person, y0), points, px, top, float(ears.mean()), y0,
    )  # fmt: skip


def guide(colour: F32, y0: float) -> F32:
    """The guided filter's guide of scene-linear colour f32[h, w, 3]: its square root over that of the face, so that steps look alike."""
    return np.asarray(np.sqrt(np.clip(colour * np.float32(1 / y0), 0, 4) + np.float32(0.01)), np.float32)


def _axes(points: F32, px: float, x: F32, y: F32) -> tuple[F32, F32]:
    """u and v of pixels: the head's own axes lie along the line from mesh point 152 (chin) to 10 (forehead)."""
    chin, crown = points[152, :2], points[10, :2]
    up = (crown - chin) / max(float(np.linalg.norm(crown - chin)), 1e-6)
    a, b = (x - chin[0]) / np.float32(px), (y - chin[1]) / np.float32(px)
    return np.asarray(-a * up[1] + b * up[0], np.float32), np.asarray(a * up[0] + b * up[1], np.float32)


def _out(points: F32, px: float, shape: tuple[int, int]) -> F32:
    """Signed distance from the face oval in hw, + outside."""
    face = (filled(points, OVAL, shape) > 0.5).astype(np.uint8)
    # Not cv2's exact transform (DIST_MASK_PRECISE): its last bit hangs on where the array lies in memory.
    away, deep = ndimage.distance_transform_edt(1 - face), ndimage.distance_transform_edt(face)
    return np.asarray((away - deep) / px, np.float32)


def bare_face(p: Proof) -> Mask:
    """Where skin is almost sure to show: cheeks, nose and lower forehead, not eyes and brows (nor glasses before them), not the mouth."""
    keep = (p.out < -0.06) & (p.v > p.at(0)[1] + 0.05) & (p.v < 0.82 * p.top)
    eyes = np.zeros(p.shape, np.uint8)
    for rim, brow in zip(EYES, BROWS, strict=True):
        corners = cv2.convexHull(np.round(p.points[[*rim, *brow], :2] * 16).astype(np.int32))
        cv2.fillConvexPoly(eyes, corners, 1, cv2.LINE_8, 4)
    side = 2 * round(0.05 * p.px) + 1
    wide = np.asarray(cv2.dilate(eyes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.uint8)
    return np.asarray(keep & (np.asarray(p.pick(wide)) == 0) & p.solid)


def middle_face(p: Proof) -> Mask:
    """Discs over cheeks and nose: the last places that hair, glasses or a scarf would cover."""
    out = np.zeros(p.shape, np.uint8)
    for i in CHEEKS_AND_NOSE:
        x, y = np.round(p.points[i, :2] * 16).astype(int)
        cv2.circle(out, (int(x), int(y)), round(0.05 * p.px * 16), 1, -1, cv2.LINE_8, 4)
    return np.asarray(p.pick(out)) > 0


def mouth(p: Proof) -> Mask:
    """Lips and what is between them, with a margin."""
    return p.within(LIPS, 0.03) | p.within(MOUTH, 0.03)


def _ink(person: F32, points: F32) -> F32:
    """Median colour f32[3] of small discs on cheeks, nose and lower forehead, the brighter two thirds of them."""
    h, w = person.shape[:2]
    seen = []
    for i in (50, 280, 101, 330, 205, 425, 4, 195, 151, 9, 108, 337):
        x, y = np.round(points[i, :2]).astype(int)
        part = person[max(y - 3, 0) : max(y + 4, 0), max(x - 3, 0) : max(x + 4, 0)]
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
    log_y = np.log2(luminance(colour) * np.float32(1 / y0) + np.float32(0.05 + 0.002 / y0))
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
