"""Files <-> Photo (first sketch: the public type is fixed; decoding in a limited child process comes next)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lowkey.pixels import F32, freeze, srgb_decode


@dataclass(frozen=True)
class Photo:
    """A decoded picture: upright, colour-managed to sRGB, integer."""

    pixels: Any
    """u8 or u16 [h, w, 3], sRGB-encoded."""
    hash: str
    """sha256 hex digest of the file's bytes."""
    stem: str = "photo"
    captured: Mapping[str, str] = field(default_factory=dict)
    """What EXIF is kept; never GPS or serial numbers."""
    notes: tuple[str, ...] = ()

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def linear(self, crop: tuple[int, int, int, int] | None = None) -> F32:
        """Scene-linear BT.709 f32[h, w, 3] of the whole picture or of crop (x0, y0, x1, y1)."""
        x0, y0, x1, y1 = crop or (0, 0, *self.size_px)
        part = self.pixels[y0:y1, x0:x1]
        return srgb_decode(part.astype(np.float32) / np.iinfo(part.dtype).max)


def read(path: Path | str) -> Photo:
    from PIL import Image, ImageOps

    data = Path(path).read_bytes()
    with Image.open(path) as im:
        pixels = np.asarray(ImageOps.exif_transpose(im).convert("RGB"))
    return Photo(freeze(pixels.copy()), hashlib.sha256(data).hexdigest(), Path(path).stem)
