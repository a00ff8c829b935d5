"""The small parts of a face, at plate size: eyes, brows, lips, teeth, and the glasses before them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import features
from lowkey.plate.features import BROWS, LIPS
from lowkey.plate.meshes import EYES, MOUTH
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp, step

MARGIN_HW = 0.3
SOFT_HW = 0.004
"""Half-width of an edge drawn from the mesh: about one pixel."""
SAME = np.array([0.5, 0.2, 0.2], np.float32)
"""Differences in luminance, red and blue (stops) that one material may show on a face."""
COLOURED = 4.0
"""Distance of a frame's colour from grey and from the cheeks' (units of `SAME`) from which its colour alone tells it, wherever it runs."""

BESIDE_HW, STRANDS = 0.06, np.float32(0.6)
"""Over what the tone of skin beside a brow is told, sigma, and how much darker (stops) than what lies hereabouts a strand is."""
SECTORS, HELD_ROUND = 48, (0.35, 0.5)
"""Directions round an eye in which a frame is looked for; and the share of them that one piece must fill to be a frame. A browline frame of
two colours or of clear plastic comes in crumbs: dark crumbs on a cheek are worse than a frame that is lit as skin is."""

GLASS = 3.8
"""Differences from skin, in units of `SAME`, of glass through which no skin is seen: a brow's shade has about 2, black glass 5 and more."""


@dataclass(frozen=True)
class _Face:
    """The face's box cut out of the plate: look f32[h, w, 3] (luminance, red, blue against the face, in units of `SAME`)."""

    look: F32
    points: F32
    hw_px: float
    person: F32
    """f32[h, w]: how much of each pixel is skin or hair of the person, and not cloth or background."""

    def drawn(self, ring: tuple[int, ...], grow_hw: float = 0.0) -> F32:
        """f32[h, w] 1 inside the polygon through landmarks, soft at its edge."""
        full = features.filled(self.points, ring, self.person.shape, grow_hw * self.hw_px)
        return np.asarray(blur(full, max(SOFT_HW * self.hw_px, 0.5)), np.float32)

    def near(self, ring: tuple[int, ...], gap_hw: float, wide_hw: float) -> F32:
        """Median look f32[3] of a band around a polygon."""
        band = (self.drawn(ring, gap_hw + wide_hw) > 0.5) & (self.drawn(ring, gap_hw) < 0.5) & (self.person > 0.8)
        return np.median(self.look[band], 0).astype(np.float32) if band.sum() > 20 else np.zeros(3, np.float32)


def read(colour: F32, landmarks: F32, hw_px: float, y0: float, person: F32) -> dict[str, F32]:
    """eyes, brows, lips, teeth and glasses, each f32[h, w].

    colour: f32[h, w, 3] scene-linear; y0: luminance of the face's median colour; person: f32[h, w] skin and hair together.
    """
    h, w = person.shape
    m = MARGIN_HW * hw_px
    low, high = landmarks[:468, :2].min(0) - m, landmarks[:468, :2].max(0) + m
    x0, y0_px = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]) + 1, w), min(int(high[1]) + 1, h)
    out = {name: np.zeros((h, w), np.float32) for name in ("eyes", "brows", "lips", "teeth", "glasses")}
    if x1 - x0 < 16 or y1 - y0_px < 16:
        return out
    box = slice(y0_px, y1), slice(x0, x1)
    points = landmarks.astype(np.float32) - np.array([x0, y0_px, 0], np.float32)
    face = _Face(_look(colour[box], y0), points, hw_px, person[box])

    glasses = _glasses(face)
    bare = (1 - glasses) * face.person
    out["glasses"][box] = glasses
    out["eyes"][box] = np.maximum(face.drawn(EYES[0]), face.drawn(EYES[1])) * bare
    out["brows"][box] = np.maximum(_brow(face, 0), _brow(face, 1)) * bare
    opening = face.drawn(MOUTH) * _open(face)
    out["lips"][box] = face.drawn(LIPS) * (1 - opening) * face.person
    out["teeth"][box] = _teeth(face, opening) * face.person
    return out


def _look(colour: F32, y0: float) -> F32:
    dark = np.float32(0.02 * y0)
    tone = np.log2(luminance(colour) / np.float32(y0) + np.float32(0.03))
    red = np.log2((colour[..., 0] + dark) / (colour[..., 1] + dark))
    blue = np.log2((colour[..., 2] + dark) / (colour[..., 1] + dark))
    return np.asarray(np.stack([tone, red, blue], 2) / SAME, np.float32)


def _brow(face: _Face, side: int) -> F32:
    """A brow is drawn where the picture is darker than the skin beside it.

    Beside it, not around it all: light falls off along a brow, and a fringe over one end made the other end as light as skin.
    """
    tone = face.look[..., 0]
    band = np.asarray((face.drawn(BROWS[side], 0.08) > 0.5) & (face.drawn(BROWS[side], 0.03) < 0.5) & (face.person > 0.8), np.float32)
    usual = face.near(BROWS[side], 0.03, 0.05)[0]
    # Strands over the forehead and the lid's lashes are no skin.
    skin = band * ramp(tone - among(tone, band + np.float32(1e-4), BESIDE_HW * face.hw_px), -STRANDS / SAME[0], 0.0) + np.float32(1e-4)
    around = among(tone, np.asarray(skin, np.float32), BESIDE_HW * face.hw_px)
    known = ramp(blur(np.asarray(skin, np.float32), BESIDE_HW * face.hw_px), 0.01, 0.05)
    around = usual + known * (around - usual)
    darker = (around - cv2.blur(tone, (3, 3))) * SAME[0]
    return np.asarray(face.drawn(BROWS[side], 0.012) * ramp(darker, 0.25, 0.9), np.float32)


def _open(face: _Face) -> float:
    """0 for a closed mouth, 1 for lips clearly apart."""
    return step(float(np.linalg.norm(face.points[13, :2] - face.points[14, :2])) / face.hw_px, 0.012, 0.03)


def _teeth(face: _Face, opening: F32) -> F32:
    """Teeth: within the opening, bright, and far less red than the lips and skin around."""
    around = face.near(LIPS, 0.03, 0.10)
    d = (face.look - around) * SAME
    return np.asarray(opening * ramp(d[..., 0], -2.4, -1.4) * ramp(-d[..., 1], 0.12, 0.35), np.float32)


def _glasses(face: _Face) -> F32:
    """Glasses: something crosses the bridge of the nose and the temples; whatever looks like it around the eyes is the frame."""
    p = face.points[:, :2]
    up = (p[10] - p[152]) / max(float(np.linalg.norm(p[10] - p[152])), 1e-6)
    bridge, frame = _bar(face, [p[i] for i in (9, 8, 168, 6, 197, 195)])
    arms = []
    for corner, side in ((33, 234), (263, 454)):
        at = 0.45 * p[corner] + 0.55 * p[side] + up * 0.06 * face.hw_px
        arms.append(_bar(face, [at + up * 0.22 * face.hw_px, at - up * 0.20 * face.hw_px])[0])
    worn = step(bridge + 0.5 * min(arms), 3.8, 4.8)
    nothing = np.zeros(face.person.shape, np.float32)
    if worn == 0:
        return nothing

    # Around the eyes and along the arms: nearer in look to the bar on the bridge than to the skin of the cheeks.
    cheeks = np.median([face.look[_inside(q, face.person.shape)] for q in p[[50, 280, 101, 330, 205, 425]]], 0)
    soft = np.asarray(cv2.blur(face.look, (3, 3)), np.float32)
    to_skin, to_frame = np.linalg.norm(soft - cheeks, axis=2), np.linalg.norm(soft - frame, axis=2)
    like = ramp((to_skin - to_frame) / max(float(np.linalg.norm(frame - cheeks)), 1.0), -0.1, 0.35).astype(np.float32)
    rims, whole, eyes = nothing.copy(), nothing.copy(), nothing.copy()
    for rim, brow in zip(EYES, BROWS, strict=True):
        rims = np.maximum(rims, face.drawn(rim, 0.16))
        eyes = np.maximum(eyes, np.maximum(face.drawn(rim, 0.03), face.drawn(brow, 0.02)))
        # Dark or mirroring glass: even right under the eye there is no skin to see.
        ring = (face.drawn(rim, 0.07) > 0.5) & (face.drawn(rim, 0.02) < 0.5)
        if ring.any() and float(np.percentile(to_skin[ring], 20)) > 4.8:
            whole = np.maximum(whole, _lens(face, rim, to_skin, ring))
    zone = np.maximum(rims, _arms(face, up))
    zone = np.maximum(zone, _stroke(face, [p[i] for i in (133, 168, 362)], 0.10))
    held = min(_round(face, rim, like * (1 - eyes)) for rim in EYES)
    found = np.asarray(np.maximum(zone * like * (1 - eyes) * step(held, *HELD_ROUND), whole), np.float32)
    return np.asarray(worn * np.maximum(found, _further(found, soft, frame, cheeks, 1 - eyes, face.hw_px)), np.float32)


def _lens(face: _Face, rim: tuple[int, ...], to_skin: F32, ring: NDArray[np.bool_]) -> F32:
    """f32[h, w]: the dark or mirroring glass before an eye, what it reflects and its frame with it.

    Grown from right under the eye, `ring` bool[h, w], over what is unlike the skin, `to_skin` f32[h, w] in units of `SAME`: the shade
    of a brow is less unlike than glass, and apart from it.
    """
    glass = ((to_skin > GLASS) & (face.drawn(rim, 0.17) > 0.5)).astype(np.uint8)
    _, piece = cv2.connectedComponents(glass, connectivity=4)
    mine = np.bincount(piece[ring & (glass > 0)], minlength=1)
    if len(mine) < 2:
        return np.zeros_like(to_skin)
    side = 2 * round(0.03 * face.hw_px) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    one = cv2.morphologyEx(np.asarray(piece == 1 + int(np.argmax(mine[1:])), np.uint8), cv2.MORPH_CLOSE, disc)
    edges, _ = cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(one, edges, -1, 1, cv2.FILLED)
    return np.asarray(blur(one.astype(np.float32), max(SOFT_HW * face.hw_px, 0.5)), np.float32)


def _round(face: _Face, rim: tuple[int, ...], like: F32) -> float:
    """How far round an eye (share of the directions) the one piece of `like` f32[h, w] that goes furthest round it reaches."""
    x, y = face.points[list(rim), :2].mean(0)
    rows, cols = np.nonzero((like > 0.4) & (face.drawn(rim, 0.20) > 0.5))
    if not len(rows):
        return 0.0
    seen = np.zeros(like.shape, np.uint8)
    seen[rows, cols] = 1
    side = 2 * round(0.008 * face.hw_px) + 1
    _, piece = cv2.connectedComponents(cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), connectivity=8)
    sector = ((np.arctan2(rows - y, cols - x) / (2 * np.pi) + 0.5) * SECTORS).astype(int) % SECTORS
    pairs = np.unique(piece[rows, cols] * SECTORS + sector)
    return float(np.bincount(pairs // SECTORS).max()) / SECTORS


def _further(found: F32, look: F32, frame: F32, cheeks: F32, free: F32, hw_px: float) -> F32:
    """What hangs on the frame `found` f32[h, w] and has its colour, f32[h, w]: arms that run on beside the mesh, under strands of hair.

    Only of frames that are neither as grey as hair nor as red as skin (`look` f32[h, w, 3], of the `frame` and the `cheeks` f32[3]), and
    where it is `free` f32[h, w] to be one: an iris may be as blue.
    """
    away = min(float(np.linalg.norm(frame[1:])), float(np.linalg.norm((frame - cheeks)[1:])))
    if away < COLOURED:
        return np.zeros_like(found)
    like = ramp(np.linalg.norm(look[..., 1:] - frame[1:], axis=2) / away, 0.75, 0.40) * free
    count, labels = cv2.connectedComponents((like > 0.5).astype(np.uint8), connectivity=8)
    held = np.zeros(count, np.bool_)
    held[np.unique(labels[found > 0.6])] = True
    held[0] = False
    mine = np.asarray(like * cv2.dilate(held[labels].astype(np.float32), np.ones((3, 3), np.uint8)), np.float32)
    return blur(mine, max(SOFT_HW * hw_px, 0.5))


def _bar(face: _Face, corners: list[F32]) -> tuple[float, F32]:
    """The strongest thin bar crossing a path: by how much it differs from both sides of it alike (units of `SAME`), and its look."""
    legs = [np.linspace(a, b, max(int(np.linalg.norm(b - a)), 2), endpoint=False) for a, b in pairwise(corners)]
    line = np.concatenate(legs)
    along = corners[-1] - corners[0]
    across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    offsets = np.linspace(-0.02, 0.02, 7) * face.hw_px
    xs = (line[:, :1] + offsets * across[0]).astype(np.float32)
    ys = (line[:, 1:] + offsets * across[1]).astype(np.float32)
    look = np.median(cv2.remap(cv2.blur(face.look, (3, 3)), xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), 1)
    seen = cv2.remap(face.person, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT).min(1) > 0.7
    k = max(int(0.055 * face.hw_px), 2)
    best, at = 0.0, 0
    for i in range(k + 3, len(look) - k - 3):
        if not seen[i - k - 3 : i + k + 4].all():
            continue
        before, after = look[i] - look[i - k - 3 : i - k + 1].mean(0), look[i] - look[i + k : i + k + 4].mean(0)
        a, b = float(np.linalg.norm(before)), float(np.linalg.norm(after))
        strength = min(a, b) * max(float(before @ after) / (a * b + 1e-6), 0.0)
        if strength > best:
            best, at = strength, i
    return best, np.asarray(look[at], np.float32)


def _inside(q: F32, shape: tuple[int, int]) -> tuple[int, int]:
    return int(np.clip(round(float(q[1])), 0, shape[0] - 1)), int(np.clip(round(float(q[0])), 0, shape[1] - 1))


def _stroke(face: _Face, corners: list[F32], wide_hw: float) -> F32:
    """f32[h, w]: 1 on a thick line."""
    out = np.zeros(face.person.shape, np.uint8)
    cv2.polylines(out, [np.round(np.array(corners) * 8).astype(np.int32)], False, 255, max(round(wide_hw * face.hw_px), 1), cv2.LINE_8, 3)
    return np.asarray(blur(out.astype(np.float32) / 255, 0.01 * face.hw_px), np.float32)


def _arms(face: _Face, up: F32) -> F32:
    """Where the arms run: from the eyes' outer corners to the ears."""
    p = face.points[:, :2]
    lift = up * 0.05 * face.hw_px
    left, right = _stroke(face, [p[33] + lift, p[234] + 2 * lift], 0.14), _stroke(face, [p[263] + lift, p[454] + 2 * lift], 0.14)
    return np.maximum(left, right)
