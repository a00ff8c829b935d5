"""From decoded samples to an upright sRGB picture: size, colour, transparency, orientation, in that order, at 8 or 16 bits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lowkey.errors import PhotoError
from lowkey.photo import colour
from lowkey.pixels import U16

LEAST_SIDE_PX = 96
"""A picture with a shorter side cannot hold a face 64 px wide, the least that can be relit."""
MOST_MEGAPIXELS = 120.0
"""Refused from the header above this; a JPEG may have twice as many, because it can be decoded at half size."""


@dataclass
class Picture:
    """What a decoder gives: an 8-bit Pillow picture, or 16-bit codes u16[h, w, 1, 3 or 4], in the file's own colour."""

    pixels: Any
    icc: bytes | None = None
    gamut: str | None = None
    """Primaries named without a profile: a key of colour.NAMED."""
    orientation: int = 1
    captured: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_size(width: int, height: int, most: float = MOST_MEGAPIXELS) -> None:
    """Refuse from the header's size alone, before a decoder allocates anything."""
    if width * height > most * 1e6:
        raise PhotoError(
            "photo-too-large",
            f"the picture has {width} x {height} pixels, {width * height / 1e6:.0f} megapixels (at most {most:.0f}): export it smaller",
        )
    if min(width, height) < LEAST_SIDE_PX:
        raise PhotoError(
            "photo-too-small",
            f"the picture has {width} x {height} pixels, too few for a face (each side at least {LEAST_SIDE_PX}): use the original photo",
        )


def finish(picture: Picture, max_megapixels: float) -> Image.Image | U16:
    """Pillow "RGB" or u16[h, w, 3]: sRGB, opaque, upright, at most `max_megapixels`. Adds to `picture.notes`."""
    if isinstance(picture.pixels, np.ndarray):
        return _finish16(picture, max_megapixels)
    return _finish8(picture, max_megapixels)


def _finish8(picture: Picture, max_megapixels: float) -> Image.Image:
    im = _plain_mode(picture.pixels)
    small = _reduced_size(*im.size, max_megapixels, picture.notes)
    if small:
        im = im.resize(small, Image.Resampling.HAMMING)
    alpha = im.getchannel("A") if im.mode in ("LA", "RGBA") else None
    if alpha is not None:
        im = im.convert(im.mode[:-1])
    im = colour.to_srgb(im, picture.icc, picture.notes, gamut=picture.gamut)
    if alpha is not None and alpha.getextrema()[0] != 255:
        im = colour.over_grey(im, alpha)
        picture.notes.append(_LAID_OVER_GREY)
    turn = _TURNS.get(picture.orientation)
    return im.transpose(turn) if turn is not None else im


def _finish16(picture: Picture, max_megapixels: float) -> U16:
    pixels: U16 = picture.pixels
    small = _reduced_size(pixels.shape[1], pixels.shape[0], max_megapixels, picture.notes)
    if small:
        import cv2

        pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), np.uint16).reshape(small[1], small[0], -1)
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    pixels = colour.to_srgb16(pixels[..., :3], picture.icc, picture.notes, gamut=picture.gamut)
    if alpha is not None and int(alpha.min()) != 65535:
        pixels = colour.over_grey16(pixels, alpha)
        picture.notes.append(_LAID_OVER_GREY)
    return turned(pixels, picture.orientation)


_LAID_OVER_GREY = "it has transparent parts: laid over mid-grey"


def _plain_mode(im: Image.Image) -> Image.Image:
    """L, LA, RGB, RGBA, CMYK or LAB: the modes that colour management knows."""
    if "transparency" in im.info or im.mode in ("PA", "La", "RGBa"):
        return im.convert("LA" if im.mode == "La" else "RGBA")
    if im.mode in ("P", "YCbCr", "RGBX"):
        return im.convert("RGB")
    if im.mode == "1":
        return im.convert("L")
    if im.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        raise PhotoError("photo-unsupported", f"pictures with {im.mode} samples are not read: export it as 8- or 16-bit RGB")
    return im


def _reduced_size(width: int, height: int, max_megapixels: float, notes: list[str]) -> tuple[int, int] | None:
    if width * height <= max_megapixels * 1e6:
        return None
    s = math.sqrt(max_megapixels * 1e6 / (width * height))
    small = max(1, int(width * s)), max(1, int(height * s))
    notes.append(f"reduced from {width} x {height} to {small[0]} x {small[1]} pixels (at most {max_megapixels:g} megapixels are used)")
    return small


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture with this EXIF orientation upright."""


def turned(pixels: U16, orientation: int) -> U16:
    """The same for an array [h, w, c]."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
