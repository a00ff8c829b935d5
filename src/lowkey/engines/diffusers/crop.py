"""What the model is shown and what comes back, cropped by one framing: never stretched, and exactly as large as asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from lowkey.darkroom.compose import place
from lowkey.engines.contract import Sitting
from lowkey.frame import Placement, Shot
from lowkey.pixels import F32, U8, U16, srgb_decode, srgb_encode

GRID = 16
"""Sides of what a model draws and is shown are multiples of this."""
REFERENCE_PX = 1024 * 1024
"""A larger reference is made smaller by the pipelines themselves."""
LARGEST_GAIN = 2.0
"""A reference of few pixels is enlarged no more than this: beyond, there is nothing more to see."""
LEAST_SIDE = 256
"""FLUX.3 wants 256 px a side, FLUX.2 wants 64."""
KONTEXT_PX = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104), (1024, 1024),
)  # fmt: skip
"""The sizes that FLUX.1 Kontext was trained on, upright; each also lies on its side. Its pipeline stretches any other to one of them."""


@dataclass(frozen=True)
class Reference:
    """The part of the photo that the frame shows, at the size in which the model sees it."""

    picture: U8
    """u8[h, w, 3] sRGB."""
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in the photo's pixels."""

    @property
    def size_px(self) -> tuple[int, int]:
        return self.picture.shape[1], self.picture.shape[0]


def drawn_px(size_px: tuple[int, int], least_px: int, most_px: int) -> tuple[int, int]:
    """The size to draw at: the next on the grid that covers `size_px`, larger or smaller in proportion where the model wants it."""
    w, h = size_px
    gain = math.sqrt(max(least_px / (w * h), 1.0)) * math.sqrt(min(most_px / (w * h), 1.0))

    def up(side: float) -> int:
        return max(math.ceil(side * gain / GRID - 1e-9) * GRID, GRID)

    return up(w), up(h)


def exact(drawn: F32, size_px: tuple[int, int]) -> tuple[U16, str]:
    """A drawn picture f32[h, w, 3] sRGB in 0..1 as exactly (width, height) in u16, and what was done in words; never stretched."""
    w, h = size_px
    dh, dw = drawn.shape[:2]
    gain = max(w / dw, h / dh)
    if (dw, dh) == (w, h):
        return _codes(drawn), ""
    if dw >= w and dh >= h and min(dw - w, dh - h) < GRID and max(dw - w, dh - h) < GRID:
        top, left = (dh - h) // 2, (dw - w) // 2
        return _codes(drawn[top : top + h, left : left + w]), f"drawn at {dw}x{dh}, the nearest size it takes, and cropped to {w}x{h}"
    at = Placement(gain, (w - 1 - gain * (dw - 1)) / 2, (h - 1 - gain * (dh - 1)) / 2)
    made = srgb_encode(at.warp(srgb_decode(drawn), (w, h)))
    how = "enlarged" if gain > 1 else "reduced"
    return _codes(made), f"drawn at {dw}x{dh} and {how} {max(gain, 1 / gain):.2f} times to {w}x{h}"


def reference(shot: Shot, sitting: Sitting, sizes: tuple[tuple[int, int], ...] = ()) -> Reference:
    """The photo as the shot frames it. With `sizes`, cropped to the one of them that keeps most of it."""
    at = place(sitting.plate, shot.framing, shot.size_px) @ sitting.plate.window
    w, h = shot.size_px
    pw, ph = sitting.photo.size_px
    corners = at.inverse().points(np.array([[-0.5, -0.5], [w - 0.5, h - 0.5]], np.float32)) + 0.5
    x0, y0 = (max(float(value), 0.0) for value in corners[0])
    x1, y1 = min(float(corners[1][0]), float(pw)), min(float(corners[1][1]), float(ph))
    # The head's middle, from which a crop to another proportion takes as little as it can.
    face = sitting.plate.window.inverse().points(sitting.plate.landmarks[:468, :2])
    middle = float(face[:, 0].mean()), float(face[:, 1].mean())
    across, tall = x1 - x0, y1 - y0
    if sizes:
        width, height = max(sizes, key=lambda size: min(across, tall * size[0] / size[1]) * min(tall, across * size[1] / size[0]))
    else:
        area = across * tall
        gain = min(math.sqrt(REFERENCE_PX / area), max(LARGEST_GAIN, LEAST_SIDE / min(across, tall)))
        width, height = (max(int(side * gain / GRID) * GRID, LEAST_SIDE) for side in (across, tall))
    gain = max(width / across, height / tall)
    bw, bh = width / gain, height / gain
    left = min(max(middle[0] - bw / 2, x0), x1 - bw)
    top = min(max(middle[1] - bh / 2, y0), y1 - bh)
    shift = Placement(gain, -gain * left + (gain - 1) / 2, -gain * top + (gain - 1) / 2)
    picture = np.round(srgb_encode(shift.warp(sitting.photo.linear(), (width, height))) * 255).astype(np.uint8)
    return Reference(picture, (round(left, 1), round(top, 1), round(left + bw, 1), round(top + bh, 1)))


def kontext_sizes() -> tuple[tuple[int, int], ...]:
    return (*KONTEXT_PX, *((h, w) for w, h in KONTEXT_PX[:-1]))


def guide(frame: U16, size_px: tuple[int, int]) -> U8:
    """The darkroom's frame as a second picture u8, on the grid, at most of the size that is drawn."""
    h, w = frame.shape[:2]
    gain = min(math.sqrt(min(REFERENCE_PX, size_px[0] * size_px[1]) / (w * h)), 1.0)
    width, height = (max(int(side * gain / GRID) * GRID, LEAST_SIDE) for side in (w, h))
    gain = max(width / w, height / h)
    at = Placement(gain, (width - 1 - gain * (w - 1)) / 2, (height - 1 - gain * (h - 1)) / 2)
    linear = srgb_decode(frame.astype(np.float32) / 65535)
    return np.asarray(np.round(srgb_encode(at.warp(linear, (width, height))) * 255), np.uint8)


def image(picture: U8) -> Any:
    """A picture in the form in which pipelines take one; always three channels."""
    return import_module("PIL.Image").fromarray(picture[..., :3])


def _codes(encoded: F32) -> U16:
    return np.asarray(np.round(np.clip(encoded, 0, 1) * 65535), np.uint16)
