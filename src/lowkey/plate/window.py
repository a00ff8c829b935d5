"""The plate's window: which part of the photo the plate holds, at which scale, and what lies beyond the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.frame import Placement
from lowkey.gaussian import blur
from lowkey.photo import Photo
from lowkey.pixels import F32, U8, srgb_decode, srgb_encode
from lowkey.plate import landmarks as mesh

HW_PX = 320.0
MOST_ENLARGED = 4.5
ASIDE, ABOVE, BELOW = 2.1, 1.45, 2.9
"""How far the window reaches from the head's centre, in head-widths: enough for every framing."""
SPARE_ABOVE, MOST_ABOVE = 0.4, 2.2
"""Room kept over tall hair or a hat, and the most the window reaches up for it."""
WHOLE_SLACK = 1.15
"""A photo at most this much larger than the window is taken whole."""
CROWN_OVER_MESH = 1.3
"""Head height, chin to crown, over the height of the face mesh (the mesh ends at the hairline)."""


@dataclass(frozen=True)
class Window:
    """Photo pixels to plate pixels, the plate's (width, height), and the head-width on it."""

    placement: Placement
    size_px: tuple[int, int]
    hw_px: float

    def crop(self, photo: Photo) -> tuple[int, int, int, int]:
        """The photo pixels (x0, y0, x1, y1) needed to fill the window, with a margin for resampling."""
        back = self.placement.inverse()
        w, h = photo.size_px
        m = int(np.ceil(4 * max(back.scale, 1)))
        x0, y0 = back.tx - m, back.ty - m
        x1, y1 = back.scale * self.size_px[0] + back.tx + m, back.scale * self.size_px[1] + back.ty + m
        return max(int(x0), 0), max(int(y0), 0), min(int(np.ceil(x1)), w), min(int(np.ceil(y1)), h)

    def native(self) -> Window:
        """The same window at the photo's own scale, where the plate enlarges it; itself otherwise."""
        s = self.placement.scale
        if s <= 1.15:
            return self
        to_native = Placement(1 / s, (1 / s - 1) / 2, (1 / s - 1) / 2)
        w, h = self.size_px
        return Window(to_native @ self.placement, (int(np.ceil(w / s)), int(np.ceil(h / s))), self.hw_px / s)

    def inner(self, photo: Photo) -> tuple[slice, slice]:
        """Rows and columns of the window that the photo fills."""
        rows, cols = (np.flatnonzero(v) for v in self._filled(photo))
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)

    def inside(self, photo: Photo) -> F32:
        """f32[h, w]: 1 where the photo has pixels."""
        rows, cols = self._filled(photo)
        return (rows[:, None] & cols[None, :]).astype(np.float32)

    def _filled(self, photo: Photo) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        w, h = self.size_px
        back = self.placement.inverse()
        xs, ys = np.arange(w) * back.scale + back.tx, np.arange(h) * back.scale + back.ty
        pw, ph = photo.size_px
        return (ys > -0.5) & (ys < ph - 0.5), (xs > -0.5) & (xs < pw - 0.5)


def head(points: F32) -> tuple[float, float, float]:
    """The head's centre x, y and its height, chin to crown, in the landmarks' own pixels."""
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    height = CROWN_OVER_MESH * float(high[1] - low[1])
    return float(low[0] + high[0]) / 2, float(high[1]) - height / 2, height


def reach(points: F32) -> tuple[float, float, float, float]:
    """The largest window (x0, y0, x1, y1) in photo pixels, whether or not the photo fills it."""
    hw = mesh.width(points)
    x, y, _ = head(points)
    return x - ASIDE * hw, y - MOST_ABOVE * hw, x + ASIDE * hw, y + BELOW * hw


def open_on(points: F32, size_px: tuple[int, int], person: F32, at: tuple[int, int, int, int]) -> Window:
    """Lay the window on a photo of ``(width, height)``.

    `person` f32[h, w] is a first guess at the matte of photo pixels `at` (x0, y0, x1, y1), at any scale. Where the person
    touches the photo's sides or top the window ends there; where only background does, the background goes on. Below, the
    body always goes on.
    """
    w, h = size_px
    hw = mesh.width(points)
    scale = min(HW_PX / hw, MOST_ENLARGED)
    x, y, _ = head(points)
    x0, x1, y1 = x - ASIDE * hw, x + ASIDE * hw, y + BELOW * hw
    y0 = y - float(np.clip((y - _top(person, at, x, hw)) / hw + SPARE_ABOVE, ABOVE, MOST_ABOVE)) * hw

    # A photo that fits is taken whole, so that its own framing can be given back.
    if w <= WHOLE_SLACK * 2 * ASIDE * hw and h <= WHOLE_SLACK * (ABOVE + BELOW) * hw:
        x0, y0, x1, y1 = min(x0, -0.5), min(y0, -0.5), max(x1, w - 0.5), max(y1, h - 0.5)

    # Clip at the sides and the top where the person is cut there.
    left, right, top = _touches(person, at, size_px, hw)
    x0 = max(x0, -0.5) if left else x0
    x1 = min(x1, w - 0.5) if right else x1
    y0 = max(y0, -0.5) if top else y0
    size = (round((x1 - x0) * scale), round((y1 - y0) * scale))
    # The window's corner lands on the corner (-0.5, -0.5) of the plate's first pixel.
    return Window(Placement(scale, -scale * x0 - 0.5, -scale * y0 - 0.5), size, hw * scale)


def colour(photo: Photo, window: Window) -> F32:
    """Scene-linear f32[h, w, 3] of the photo in the window; beyond the photo its border is repeated.

    Enlarging is done on encoded values, where the bicubic's overshoot is no larger in the dark than in the light.
    """
    x0, y0, x1, y1 = box = window.crop(photo)
    placed = window.placement @ Placement(1.0, x0, y0)
    if window.placement.scale < 1:
        return np.clip(placed.warp(photo.linear(box), window.size_px), 0, 1).astype(np.float32)
    part = photo.pixels[y0:y1, x0:x1]
    coded = part.astype(np.float32) / np.float32(np.iinfo(part.dtype).max)
    return srgb_decode(np.clip(placed.warp(coded, window.size_px), 0, 1))


def enlarge(picture: F32, source: Window, target: Window) -> F32:
    """A map on one window brought to another, its border repeated; light is enlarged as codes, as in `colour`."""
    move = target.placement @ source.placement.inverse()
    if picture.ndim == 3:
        return srgb_decode(np.clip(move.warp(srgb_encode(picture), target.size_px), 0, 1))
    return np.clip(move.warp(picture, target.size_px), 0, 1).astype(np.float32)


def go_on(colour: F32, alpha: F32, filled: tuple[slice, slice], hw_px: float) -> tuple[F32, F32]:
    """Colour and matte where the photo has none: no person above and aside; below, the body goes straight on.

    Its colour is that of the photo's last rows, more and more blurred across so that nothing is drawn out into stripes, with
    the last rows' finest texture mirrored over it.
    """
    colour, alpha = colour.copy(), alpha.copy()
    rows, cols = filled
    alpha[: rows.start] = 0
    alpha[:, : cols.start] = 0
    alpha[:, cols.stop :] = 0
    h, end = alpha.shape[0], rows.stop
    if end >= h:
        return colour, alpha
    strip = slice(max(end - max(round(0.04 * hw_px), 2), rows.start), end)
    cover = alpha[strip].mean(0)
    alpha[end:] = np.median(alpha[max(end - 3, rows.start) : end], axis=0)
    light = (colour[strip] * alpha[strip][..., None]).mean(0)

    # A ladder of blurs across, and for each row below the photo a step between two rungs.
    rungs = [0.008 * 2**k for k in range(6)]
    blurred = []
    for sigma in rungs:
        top = blur(light[None], sigma * hw_px)[0]
        low = blur(cover[None], sigma * hw_px)[0]
        blurred.append((top + 1e-4 * colour[end - 1]) / (low + 1e-4)[:, None])
    ladder = np.stack(blurred)
    depth = np.arange(h - end, dtype=np.float32) / hw_px
    step = np.clip(np.log2(np.maximum(depth, 1e-3) / 0.02), 0, len(rungs) - 1.001)
    k, t = step.astype(np.int32), (step % 1)[:, None, None]
    colour[end:] = ladder[k] * (1 - t) + ladder[k + 1] * t

    # The finest texture of the last rows (weave, not folds or lettering), mirrored back and forth.
    tall = max(min(round(0.2 * hw_px), end - rows.start), 2)
    source = np.log(np.maximum(colour[end - tall : end], 1e-3))
    fine = source - blur(source, 0.006 * hw_px)
    there = np.arange(h - end) % (2 * tall)
    mirrored = np.clip(fine[np.where(there < tall, tall - 1 - there, there - tall)], -0.1, 0.1)
    colour[end:] *= np.exp(mirrored * (np.abs(mirrored) < 0.1))
    return np.clip(colour, 0, 1).astype(np.float32), alpha.astype(np.float32)


def _rows_cols(person: F32, at: tuple[int, int, int, int]) -> tuple[F32, F32]:
    """Photo coordinates of the guess's rows and columns."""
    h, w = person.shape
    x0, y0, x1, y1 = at
    ys = y0 + (np.arange(h, dtype=np.float32) + 0.5) * (y1 - y0) / h - 0.5
    xs = x0 + (np.arange(w, dtype=np.float32) + 0.5) * (x1 - x0) / w - 0.5
    return ys, xs


def _top(person: F32, at: tuple[int, int, int, int], x: float, hw: float) -> float:
    """The highest row of the person above the face, in photo pixels."""
    ys, xs = _rows_cols(person, at)
    column = person[:, np.abs(xs - x) < 1.1 * hw] > 0.5
    step = (at[2] - at[0]) / person.shape[1]
    rows = np.flatnonzero(column.sum(1) * step > 0.15 * hw)
    return float(ys[rows[0]]) if rows.size else float(ys[-1])


def _touches(person: F32, at: tuple[int, int, int, int], size_px: tuple[int, int], hw: float) -> tuple[bool, bool, bool]:
    """Whether the person reaches the photo's left, right and top border."""
    h, w = person.shape
    x0, y0, x1, y1 = at
    least_v, least_h = 0.08 * hw * h / (y1 - y0), 0.08 * hw * w / (x1 - x0)
    edge = max(1, round(0.01 * w))

    def cut(strip: F32, least: float) -> bool:
        return bool((strip > 0.5).sum() > least)

    return (
        x0 <= 0 and cut(person[:, :edge].mean(1), least_v),
        x1 >= size_px[0] and cut(person[:, -edge:].mean(1), least_v),
        y0 <= 0 and cut(person[:edge].mean(0), least_h),
    )


def shrink(picture: U8, longest: int) -> U8:
    """A picture made small by averaging areas until its longer side is at most `longest` pixels."""
    h, w = picture.shape[:2]
    k = longest / max(h, w)
    if k >= 1:
        return picture
    return np.asarray(cv2.resize(picture, (max(round(w * k), 1), max(round(h * k), 1)), interpolation=cv2.INTER_AREA), np.uint8)
