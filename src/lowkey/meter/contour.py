"""Registering by the lit contour: where the reference's outline lies in a frame that shows little more than a rim of light.

In rear light no face is seen, and what is left of the person is a stretch of outline: skin and hair that the light grazes, or the
dark head before its halo. The reference's outline is known from its matte, so every size and place is tried. An outline lies well
where the frame's edges run along it, whichever side is the brighter (directions by their doubled angle: a generalised Hough
transform, Ballard 1981, with the oriented edges of Shotton, Blake and Cipolla 2008), and where few edges are left over. A fit is
believed only when no other size or place does nearly as well; how sure it is follows from fits without each part of the outline.

Heads are alike, and somebody else's outline finds such a place, too. So the fit must be confirmed: by the contour's own course, which
runs along the outline and not just near it, or by what little shows within the face, which is the reference's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import map_coordinates

from lowkey.frame import Placement
from lowkey.meter.sight import Sight, oval
from lowkey.pixels import F32
from lowkey.plate.plate import Plate

SEARCH_PX, FINE_PX = 128, 320
"""The frame's longer side for the search, and for the last fit."""
FIELD = 256
"""Side of the search's transforms, pixels."""
LEAST_HW, MOST_HW, SCALE_STEP = 0.09, 0.62, 1.05
"""Head-widths tried, as shares of the frame's longer side, and the ratio of one to the next."""
GRAIN_CODES, STRONG_CODES = 1.2, 6.0
"""A step of fewer codes a pixel (of the small frame) is grain; from the second on an edge is an edge."""
EDGE_PX = 2.5
"""How wide one edge is in the small frame."""
SPACING_HW = 0.025
BELOW_CHIN_HW, BODY_WEIGHT = 0.25, 0.35
"""Below the chin clothes change: their outline counts less."""
LEAST_INSIDE = 0.6
"""Share of the head's outline that must lie in the frame."""
NEAR_HW, NEAR_SCALE = 0.3, 0.2
"""Fits this near to the best, in head-widths and in the logarithm of the size, are the same fit."""
PARTS = 8
LEAST_SCORE, BETTER, MOST_SIGMA_HW = 0.10, 1.25, 0.08
"""What is believed: the score itself, its ratio to any other place's, and its own error."""
BESIDE_HW, ALONG_HW, EDGE = 0.16, 0.03, 0.25
"""How far to either side of the outline the contour is looked for, how near it must run, and what counts as one (edges are 0..1 long)."""
SETTLE, SETTLE_HW = 3, 0.06
"""Steps of the last fit, and what counts as the contour in it."""
LEAST_ALONG = 0.82
"""Strangers' contours run along the outline for up to .78 of what is seen, the person's own, where no hair frays it, for .85 and more."""
INNER_PX, INNER_SHARE = 48, 30
"""Head-width of the copy in which faces are compared, and per cent of the face, where the reference's own edges are strongest."""
LEAST_INNER, INNER_BETTER, ASIDE_HW = 0.25, 0.20, 0.15
"""Agreement within the face, and by how much it must beat the same face moved aside: strangers' .14 at most, the person's own mostly
.3 to .8."""
FLOOR_HW = 0.03

Line = tuple[F32, F32, F32]


@dataclass(frozen=True)
class Contour:
    """Where the outline lies."""

    placement: Placement
    """Plate pixels to frame pixels."""
    score: float
    """0..1: harmonic mean of the outline's share with an edge along it, and of the frame's edges that lie on the outline."""
    second: float
    """The best score of any other size or place."""
    sigma_hw: float
    """Standard error of where the face lies, in head-widths."""
    along: float
    """Share of the contour that is seen about the outline that runs along it."""
    inner: tuple[float, float]
    """How well edges within the face agree with the reference's (0 is chance, 1 the same), and the best that they do moved aside."""

    @property
    def doubt(self) -> str:
        """Why it is not believed; empty where it is."""
        if self.score < LEAST_SCORE:
            return "the frame shows too little of the person's outline"
        if self.score < BETTER * self.second:
            return "the person's outline fits the frame in several places"
        if self.sigma_hw > MOST_SIGMA_HW:
            return f"the person's outline fits the frame only to within {self.sigma_hw:.2f} head-widths"
        here, aside = self.inner
        if self.along < LEAST_ALONG and (here < LEAST_INNER or here < aside + INNER_BETTER):
            return "the person's outline lies near the frame's contour, as somebody else's would"
        return ""


def find(sight: Sight, plate: Plate) -> Contour | None:
    """The best fit of the plate's outline to the frame, believed or not; None where the frame or the plate shows no edge at all."""
    line = outline(plate)
    if float(line[2].sum()) < 20:
        return None
    coarse = _search(sight.smooth, plate, line)
    if coarse is None:
        return None
    start, score, second = coarse
    frame, k = _small(sight.smooth, FINE_PX)
    field = edges(frame)
    shrink = Placement(k, (k - 1) / 2, (k - 1) / 2)
    hw = plate.hw_px
    fit = _climbed(field, line, shrink @ start, hw)
    # The jackknife: without each eighth of the outline in turn, where would the face lie?
    face = plate.landmarks[[33, 263, 152, 10], :2]
    part = np.arange(len(line[0])) * PARTS // len(line[0])
    moved = []
    for one in range(PARTS):
        rest = part != one
        other = _climbed(field, (line[0][rest], line[1][rest], line[2][rest]), fit, hw)
        moved.append(other.points(face))
    spread = np.array(moved) - np.mean(moved, axis=0)
    error = float(np.sqrt((PARTS - 1) / PARTS * np.square(spread).sum((0, 2)).mean())) / (fit.scale * hw)
    fit = _settled(field, line, fit, hw)
    off = np.abs(_beside(field, line, fit, hw)[2])
    along = float((off < ALONG_HW).mean()) if len(off) >= 5 else 0.0
    to_frame = shrink.inverse() @ fit
    return Contour(to_frame, score, second, float(np.hypot(error, FLOOR_HW)), along, _inner(sight, plate, to_frame))


def _beside(field: tuple[F32, F32], line: Line, fit: Placement, hw_px: float) -> tuple[F32, F32, F32]:
    """Where the head's outline sees the contour: points f32[n, 2] in the small frame, unit normals f32[n, 2], and how far along its
    normal each has the strongest edge of its neighbourhood, f32[n] head-widths. Points that see no edge are left out."""
    x, y = field
    h, w = x.shape
    head = line[2] > BODY_WEIGHT
    at, turned = line[0][head] * np.float32(fit.scale) + np.array([fit.tx, fit.ty], np.float32), line[1][head]
    turn = np.arctan2(turned[:, 1], turned[:, 0]) / 2
    normal = np.stack([np.cos(turn), np.sin(turn)], 1)
    reach = BESIDE_HW * fit.scale * hw_px
    steps = np.arange(-reach, reach + 0.25, 0.5)
    where = at[:, None] + normal[:, None] * steps[None, :, None]
    rows, cols = where[..., 1], where[..., 0]
    edge = turned[:, :1] * map_coordinates(x, [rows, cols], order=1) + turned[:, 1:] * map_coordinates(y, [rows, cols], order=1)
    edge = np.where((cols > 0) & (cols < w - 1) & (rows > 0) & (rows < h - 1), edge, 0)
    within = (at[:, 0] > 0) & (at[:, 0] < w - 1) & (at[:, 1] > 0) & (at[:, 1] < h - 1)
    seen = (edge.max(1) > EDGE) & within
    return at[seen], normal[seen], np.asarray(steps[edge.argmax(1)][seen] / (fit.scale * hw_px), np.float32)


def _settled(field: tuple[F32, F32], line: Line, fit: Placement, hw_px: float) -> Placement:
    """The fit moved onto the contour by least squares along the normals (iterative closest points, Besl and McKay 1992)."""
    for _ in range(SETTLE):
        at, normal, off = _beside(field, line, fit, hw_px)
        near = np.abs(off) < SETTLE_HW
        if near.sum() < 12:
            return fit
        at, normal, off = at[near], normal[near], off[near] * fit.scale * hw_px
        middle = at.mean(0)
        matrix = np.column_stack([normal, (normal * (at - middle)).sum(1)])
        right, down, grows = (float(v) for v in np.linalg.lstsq(matrix, off, rcond=1e-3)[0])
        k = 1 + float(np.clip(grows, -0.02, 0.02))
        fit = Placement(k, (1 - k) * float(middle[0]) + right, (1 - k) * float(middle[1]) + down) @ fit
    return fit


def _inner(sight: Sight, plate: Plate, to_frame: Placement) -> tuple[float, float]:
    """Mean |cosine| of the frame's and the reference's gradients of log light within the face, 0 for chance: here, and moved aside."""
    h, w = sight.shape
    k = min(1.0, INNER_PX / (to_frame.scale * plate.hw_px))
    size = (max(round(w * k), 16), max(round(h * k), 16))
    k = size[0] / w
    to_small = Placement(k, (k - 1) / 2, (k - 1) / 2) @ to_frame
    frame = slopes(np.asarray(cv2.resize(np.log(sight.even + np.float32(0.003)), size, interpolation=cv2.INTER_AREA), np.float32))
    there = slopes(to_small.warp(np.log(plate.colour.mean(-1) + np.float32(0.003)).astype(np.float32), size))
    points = plate.landmarks.copy()
    points[:, :2] = to_small.points(plate.landmarks[:, :2])
    face = oval(points, (size[1], size[0])) > 0
    if face.sum() < 100:
        return 0.0, 0.0
    length = np.hypot(*there)
    rows, cols = np.nonzero(face & (length > np.percentile(length[face], 100 - INNER_SHARE)))

    def match(down: int, right: int) -> float:
        y, x = np.clip(rows + down, 0, size[1] - 1), np.clip(cols + right, 0, size[0] - 1)
        dot = np.abs(frame[0][y, x] * there[0][rows, cols] + frame[1][y, x] * there[1][rows, cols])
        both = np.maximum(np.hypot(frame[0][y, x], frame[1][y, x]) * length[rows, cols], 1e-9)
        return (float((dot / both).mean()) - 2 / np.pi) / (1 - 2 / np.pi)

    step = max(round(ASIDE_HW * plate.hw_px * to_small.scale), 3)
    return match(0, 0), max(match(down, right) for down in (-step, 0, step) for right in (-step, 0, step) if down or right)


def slopes(picture: F32) -> tuple[F32, F32]:
    """Gradient f32[h, w] each, right and down, of a picture smoothed by a pixel and a half."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.5)
    return np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), np.float32), np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1), np.float32)


def edges(code: F32) -> tuple[F32, F32]:
    """Edge vectors of a picture in codes, f32[h, w] each: 0..1 long, at twice the gradient's angle, so that both signs are alike."""
    smooth = cv2.GaussianBlur(code, (0, 0), 1.2)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    length = np.clip((np.hypot(gx, gy) - GRAIN_CODES) / (STRONG_CODES - GRAIN_CODES), 0, 1)
    turn = 2 * np.arctan2(gy, gx)
    return np.asarray(length * np.cos(turn), np.float32), np.asarray(length * np.sin(turn), np.float32)


def outline(plate: Plate) -> Line:
    """The matte's outline in plate pixels: points f32[n, 2], normals at twice their angle f32[n, 2], weights f32[n]."""
    hw, (h, w) = plate.hw_px, plate.matte.shape
    solid = (cv2.GaussianBlur(plate.matte, (0, 0), 0.02 * hw) > 0.5).astype(np.uint8)
    found, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
    at = max(found, key=cv2.contourArea)[:, 0].astype(np.float32)
    reach = max(round(0.05 * hw), 2)
    along = np.roll(at, -reach, 0) - np.roll(at, reach, 0)
    turn = 2 * (np.arctan2(along[:, 1], along[:, 0]) + np.pi / 2)
    # Where the plate or the photo ends the person goes on.
    x, y = at[:, 0].astype(int), at[:, 1].astype(int)
    real = (x > 2) & (x < w - 3) & (y > 2) & (y < h - 3) & (cv2.erode(plate.inside, np.ones((7, 7), np.uint8))[y, x] > 0.5)
    weight = np.where(at[:, 1] > plate.landmarks[152, 1] + BELOW_CHIN_HW * hw, BODY_WEIGHT, 1.0)
    keep = real & (np.arange(len(at)) % max(round(SPACING_HW * hw), 1) == 0)
    normals = np.stack([np.cos(turn), np.sin(turn)], 1)
    return at[keep], np.asarray(normals[keep], np.float32), np.asarray(weight[keep], np.float32)


def _small(code: F32, longest: int) -> tuple[F32, float]:
    """The picture with a longer side of `longest` pixels, and by what it was shrunk."""
    k = longest / max(code.shape)
    size = (max(round(code.shape[1] * k), 8), max(round(code.shape[0] * k), 8))
    return np.asarray(cv2.resize(code, size, interpolation=cv2.INTER_AREA), np.float32), size[0] / code.shape[1]


def _agreed(hit: F32, inside: F32, hw_px: float, mass: float) -> F32:
    """The score from what the outline hits, its weight inside the frame, and the mass of all edges in the frame."""
    recall = np.maximum(hit, 0) / np.maximum(inside, 1e-3)
    precision = np.clip(hit * SPACING_HW * hw_px * EDGE_PX / max(mass, 1e-3), 0, 1)
    return np.asarray(2 * precision * recall / np.maximum(precision + recall, 1e-6), np.float32)


def _search(code: F32, plate: Plate, line: Line) -> tuple[Placement, float, float] | None:
    """Every size and place, by correlation: the best (plate to frame), its score, and the best score elsewhere."""
    small, k = _small(code, SEARCH_PX)
    h, w = small.shape
    x, y = edges(small)
    mass = float(np.hypot(x, y).sum())
    if mass < 10:
        return None
    room = np.ones((h, w), np.float32)
    fx, fy, f1 = (rfft2(np.pad(one, ((0, FIELD - h), (0, FIELD - w)))) for one in (x, y, room))
    at, normals, weight = line
    head = weight > BODY_WEIGHT
    if head.sum() < 10:
        return None
    middle = at[head].mean(0)
    count = int(np.log(MOST_HW / LEAST_HW) / np.log(SCALE_STEP)) + 1
    widths = LEAST_HW * SEARCH_PX * SCALE_STEP ** np.arange(count)
    scores = np.zeros((count, h, w), np.float32)
    for layer_no, width in enumerate(widths):
        p = (at - middle) * np.float32(width / plate.hw_px)
        near = np.abs(p).max(1) < FIELD / 2 - 2
        cols, rows = (np.round(p[near]).astype(int) % FIELD).T
        drawn = np.zeros((3, FIELD, FIELD), np.float32)
        for layer, value in zip(drawn, (weight[near] * normals[near, 0], weight[near] * normals[near, 1], weight[near]), strict=True):
            np.add.at(layer, (rows, cols), value)
        tx, ty, t1 = (np.conj(rfft2(layer)) for layer in drawn)
        hit = np.asarray(irfft2(fx * tx + fy * ty, (FIELD, FIELD))[:h, :w], np.float32)
        inside = np.asarray(irfft2(f1 * t1, (FIELD, FIELD))[:h, :w], np.float32)
        scores[layer_no] = np.where(inside > LEAST_INSIDE * weight[head].sum(), _agreed(hit, inside, float(width), mass), 0)
    index, row, col = (int(i) for i in np.unravel_index(int(np.argmax(scores)), scores.shape))
    width = widths[index]
    rows, cols = np.mgrid[:h, :w]
    near = np.hypot(rows - row, cols - col) < NEAR_HW * width
    same = near[None] & (np.abs(np.log(widths / width)) < NEAR_SCALE)[:, None, None]
    scale = float(width / plate.hw_px)
    here = Placement(scale, float(col - middle[0] * scale), float(row - middle[1] * scale))
    return Placement(1 / k, (1 / k - 1) / 2, (1 / k - 1) / 2) @ here, float(scores[index, row, col]), float(scores[~same].max())


def _climbed(field: tuple[F32, F32], line: Line, start: Placement, hw_px: float) -> Placement:
    """The best fit near `start` (plate to the small frame): a pattern search (Hooke and Jeeves 1961) in size and place."""
    x, y = field
    h, w = x.shape
    mass = float(np.hypot(x, y).sum())
    at, normals, weight = line
    middle = at[weight > BODY_WEIGHT].mean(0) if (weight > BODY_WEIGHT).any() else at.mean(0)

    def score(scale: float, mx: float, my: float) -> float:
        p = (at - middle) * np.float32(scale) + np.array([mx, my], np.float32)
        within = (p[:, 0] > 0) & (p[:, 0] < w - 1) & (p[:, 1] > 0) & (p[:, 1] < h - 1)
        where = [p[:, 1], p[:, 0]]
        along = normals[:, 0] * map_coordinates(x, where, order=1) + normals[:, 1] * map_coordinates(y, where, order=1)
        hit, inside = float((weight * along * within).sum()), float((weight * within).sum())
        return float(_agreed(np.float32(hit), np.float32(inside), scale * hw_px, mass))  # type: ignore[arg-type]

    mx, my = start.scale * middle + np.array([start.tx, start.ty])
    best = (start.scale, float(mx), float(my))
    top = score(*best)
    for step in (0.06, 0.03, 0.015, 0.0075):
        for _ in range(12):
            s, mx, my = best
            shift = step * s * hw_px
            around = [(s * (1 + a * step), mx + b * shift, my + c * shift) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
            values = [score(*one) for one in around]
            at_best = int(np.argmax(values))
            if values[at_best] <= top + 1e-7:
                break
            best, top = around[at_best], values[at_best]
    s, mx, my = best
    return Placement(s, mx - s * float(middle[0]), my - s * float(middle[1]))
