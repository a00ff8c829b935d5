"""The Photo: one decoded picture, upright, in sRGB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lowkey.pixels import F32, srgb_decode


@dataclass(frozen=True)
class Photo:
    """A decoded picture: upright, colour-managed to sRGB, integer, read-only."""

    pixels: Any
    """u8 or u16 [h, w, 3], sRGB-encoded."""
    hash: str
    """sha256 hex digest of the file's bytes."""
    stem: str = "photo"
    """The file's name without its ending, made safe to build other names from."""
    captured: Mapping[str, str] = field(default_factory=dict)
    """What EXIF is kept: camera, lens, exposure, aperture, iso, focal_length, date. Never GPS, serial numbers or names."""
    notes: tuple[str, ...] = ()
    """What was done to the file on the way, one plain sentence each (reduced, composited, first frame taken ...)."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def linear(self, crop: tuple[int, int, int, int] | None = None) -> F32:
        """Scene-linear BT.709 f32[h, w, 3] of the whole picture or of crop (x0, y0, x1, y1)."""
        x0, y0, x1, y1 = crop or (0, 0, *self.size_px)
        part = self.pixels[y0:y1, x0:x1]
        return srgb_decode(part.astype(np.float32) / np.iinfo(part.dtype).max)
