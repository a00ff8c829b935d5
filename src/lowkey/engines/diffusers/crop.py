"""The sizes that local models take: what to draw at, what to show the photo in, and how the drawn picture becomes the frame."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from lowkey.engines import reference
from lowkey.pixels import F32, U8, U16, freeze

GRID = 16
"""Sides of what a model draws and is shown are multiples of this."""
REFERENCE_PX = 1024 * 1024
"""The pipelines themselves make a larger reference smaller, one of several at the latest."""
LEAST_SIDE = 256
"""FLUX.3 wants 256 px a side, FLUX.2 wants 64."""
KONTEXT_PX = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104), (1024, 1024),
)  # fmt: skip
"""The sizes that FLUX.1 Kontext was trained on, upright; each also lies on its side. Its pipeline stretches any other to one of them."""


def drawn_px(size_px: tuple[int, int], least_px: int, most_px: int) -> tuple[int, int]:
    """The size to draw at: the next on the grid that covers `size_px`, larger or smaller in proportion where the model wants it."""
    w, h = size_px
    gain = math.sqrt(max(least_px / (w * h), 1.0))
    return reference.asked_size((round(w * gain), round(h * gain)), grid=GRID, most_px=most_px)


def shown_px(size_px: tuple[int, int], *, kontext: bool) -> tuple[int, int]:
    """The size to show the photo in, for a frame drawn at `size_px`."""
    if not kontext:
        return reference.asked_size(size_px, grid=GRID, most_px=REFERENCE_PX, least_side_px=LEAST_SIDE)
    wanted = math.log(size_px[0] / size_px[1])
    return min((*KONTEXT_PX, *((h, w) for w, h in KONTEXT_PX[:-1])), key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


def exact(drawn: F32, size_px: tuple[int, int]) -> tuple[U16, str]:
    """A drawn picture f32[h, w, 3] sRGB in 0..1 as exactly (width, height) in u16, and what was done in words; never stretched."""
    w, h = size_px
    dh, dw = drawn.shape[:2]
    codes = np.asarray(np.round(np.clip(drawn, 0, 1) * 65535), np.uint16)
    if (dw, dh) == (w, h):
        return freeze(codes), ""
    if 0 <= dw - w < GRID and 0 <= dh - h < GRID:  # the rim of the grid: cut, not resampled
        top, left = (dh - h) // 2, (dw - w) // 2
        cut = np.ascontiguousarray(codes[top : top + h, left : left + w])
        return freeze(cut), f"drawn at {dw}x{dh}, the nearest size it takes, and cropped to {w}x{h}"
    gain = max(w / dw, h / dh)
    how = "enlarged" if gain > 1 else "reduced"
    return reference.fitted(codes, size_px), f"drawn at {dw}x{dh} and {how} {max(gain, 1 / gain):.2f} times to {w}x{h}"


def image(picture: U8) -> Any:
    """A picture in the form in which pipelines take one; always three channels."""
    return import_module("PIL.Image").fromarray(np.ascontiguousarray(picture[..., :3]))
