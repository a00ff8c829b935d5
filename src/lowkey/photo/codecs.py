"""One decoder per kind of file, all ending in an upright sRGB picture of at most so many pixels.

This runs in the limited child process only. The order is always: header, size check, pixels, reduce, colour, alpha, upright.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lowkey.errors import PhotoError
from lowkey.photo import colour, containers, exif
from lowkey.pixels import U16

LEAST_SIDE_PX = 96
"""A picture with a shorter side cannot hold a face 64 px wide, the least that can be relit."""
MOST_MEGAPIXELS = 120.0
"""Refused from the header above this; a JPEG may be twice as large, because it can be decoded at half size."""

Image.MAX_IMAGE_PIXELS = None  # the check is ours, made before any decoder is called


@dataclass
class Picture:
    """What a decoder gives: an 8-bit Pillow picture, or 16-bit codes u16[h, w, 1, 3 or 4], in the file's own colour."""

    pixels: Any
    icc: bytes | None = None
    orientation: int = 1
    adobe_by_exif: bool = False
    captured: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def decode(kind: str, data: bytes, max_megapixels: float) -> Picture:
    """Decode a whole file: `pixels` of the answer is RGB in sRGB (Pillow "RGB", or u16[h, w, 3]), upright."""
    picture = _DECODERS[kind](data, max_megapixels)
    wide = isinstance(picture.pixels, np.ndarray)
    picture.pixels = _finish16(picture, max_megapixels) if wide else _finish8(picture, max_megapixels)
    return picture


def check_size(width: int, height: int, most: float = MOST_MEGAPIXELS) -> None:
    """Refuse from the header's size alone."""
    if width * height > most * 1e6:
        raise PhotoError(
            "photo-too-large",
            f"the picture is {width} x {height} pixels ({width * height / 1e6:.0f} megapixels; at most {most:.0f} are decoded): export it smaller",
        )
    if min(width, height) < LEAST_SIDE_PX:
        raise PhotoError(
            "photo-too-small",
            f"the picture is {width} x {height} pixels, too small for a face (at least {LEAST_SIDE_PX} on each side): use the original photo",
        )


def _reduced_size(width: int, height: int, max_megapixels: float, notes: list[str]) -> tuple[int, int] | None:
    if width * height <= max_megapixels * 1e6:
        return None
    s = math.sqrt(max_megapixels * 1e6 / (width * height))
    small = max(1, int(width * s)), max(1, int(height * s))
    notes.append(f"reduced from {width} x {height} to {small[0]} x {small[1]} pixels (at most {max_megapixels:g} megapixels are used)")
    return small


# --- finishing: reduce, colour, alpha, upright -------------------------------------------------------------------------------

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _finish8(picture: Picture, max_megapixels: float) -> Image.Image:
    im: Image.Image = picture.pixels
    if im.mode in ("P", "PA", "La", "RGBa") or "transparency" in im.info:
        im = im.convert("RGBA" if im.mode in ("PA", "La", "RGBa") or "transparency" in im.info else "RGB")
    elif im.mode in ("1", "YCbCr", "HSV"):
        im = im.convert("L" if im.mode == "1" else "RGB")
    if im.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        raise PhotoError("photo-unsupported", f"pictures with {im.mode} samples are not read: export it as 8- or 16-bit RGB")
    small = _reduced_size(*im.size, max_megapixels, picture.notes)
    if small:
        im = im.resize(small, Image.Resampling.LANCZOS, reducing_gap=3.0)
    alpha = im.getchannel("A") if im.mode in ("LA", "RGBA") else None
    if alpha is not None:
        im = im.convert(im.mode[:-1])
    im = colour.to_srgb(im, picture.icc, picture.notes, adobe_by_exif=picture.adobe_by_exif)
    if alpha is not None and alpha.getextrema()[0] != 255:
        im = colour.over_grey(im, alpha)
        picture.notes.append("it has transparent parts: laid over mid-grey")
    turn = _TURNS.get(picture.orientation)
    return im.transpose(turn) if turn is not None else im


def _finish16(picture: Picture, max_megapixels: float) -> U16:
    pixels: U16 = picture.pixels
    small = _reduced_size(pixels.shape[1], pixels.shape[0], max_megapixels, picture.notes)
    if small:
        import cv2

        pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)).reshape(small[1], small[0], -1)
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    pixels = colour.to_srgb16(pixels[..., :3], picture.icc, picture.notes)
    if alpha is not None and int(alpha.min()) != 65535:
        pixels = colour.over_grey16(pixels, alpha)
        picture.notes.append("it has transparent parts: laid over mid-grey")
    return turned(pixels, picture.orientation)


def turned(pixels: U16, orientation: int) -> U16:
    """Apply an EXIF orientation to [h, w, c]."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


# --- the kinds ---------------------------------------------------------------------------------------------------------------


def _from_pillow(im: Image.Image, *, upright: bool = False) -> Picture:
    """Load the pixels of an opened picture and collect what travels with it."""
    im.load()
    block = im.getexif()
    return Picture(
        im,
        icc=im.info.get("icc_profile"),
        orientation=1 if upright else exif.orientation(block),
        adobe_by_exif=exif.says_adobe_rgb(block),
        captured=exif.captured(block),
    )


def _jpeg(data: bytes, max_megapixels: float) -> Picture:
    from PIL import JpegImagePlugin

    from lowkey.photo import jpeg

    im = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    width, height = im.size
    check_size(width, height, 2 * MOST_MEGAPIXELS)
    if width * height > MOST_MEGAPIXELS * 1e6:
        im.draft(None, (width // 2, height // 2))
    jpeg.check_scan(data)
    picture = _from_pillow(im)
    if im.size != (width, height):
        picture.notes.append(f"{width} x {height} pixels are decoded at {im.size[0]} x {im.size[1]}")
    if im.mode == "CMYK":
        picture.pixels = jpeg.positive_cmyk(im, "adobe" in im.info, picture.notes)
    return picture


def _png(data: bytes, max_megapixels: float) -> Picture:
    from PIL import PngImagePlugin

    header = containers.png_header(data)
    check_size(header.width, header.height)
    containers.check_png_chunks(data)
    im = PngImagePlugin.PngImageFile(io.BytesIO(data))
    if header.bits < 16:
        picture = _from_pillow(im)
    else:
        block = im.getexif()
        picture = Picture(
            _sixteen_bit(data), im.info.get("icc_profile"), exif.orientation(block), captured=exif.captured(block)
        )
    if getattr(im, "is_animated", False):
        picture.notes.append("it is an animation: its first frame was taken")
    return picture


def _sixteen_bit(data: bytes) -> U16:
    """16-bit PNG or interleaved TIFF to u16[h, w, 1, 3 or 4], channels in R G B A order (Pillow would keep 8 bits)."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise PhotoError("photo-damaged", containers.DAMAGED)
    if pixels.ndim == 2:
        return pixels[..., None]
    order = {3: (2, 1, 0), 4: (2, 1, 0, 3)}.get(pixels.shape[2])
    if order is None:
        raise PhotoError("photo-unsupported", f"16-bit pictures with {pixels.shape[2]} channels are not read: export it as RGB")
    return pixels[..., order]


def _gif(data: bytes, max_megapixels: float) -> Picture:
    from PIL import GifImagePlugin

    im = GifImagePlugin.GifImageFile(io.BytesIO(data))
    check_size(*im.size)
    picture = _from_pillow(im)
    picture.pixels = im.copy()
    try:
        im.seek(1)
        picture.notes.append("it is an animation: its first frame was taken")
    except EOFError:
        pass
    return picture


def _webp(data: bytes, max_megapixels: float) -> Picture:
    from PIL import WebPImagePlugin

    check_size(*containers.webp_size(data))
    im = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    picture = _from_pillow(im)
    if im.is_animated:
        picture.notes.append("it is an animation: its first frame was taken")
    return picture


def _avif(data: bytes, max_megapixels: float) -> Picture:
    from PIL import AvifImagePlugin

    containers.check_boxes(data)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    im = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    check_size(*im.size)
    picture = _from_pillow(im)
    if getattr(im, "is_animated", False):
        picture.notes.append("it is an animation: its first frame was taken")
    return picture


def _heic(data: bytes, max_megapixels: float) -> Picture:
    import pillow_heif

    containers.check_boxes(data)
    options = pillow_heif.options
    options.DECODE_THREADS, options.THUMBNAILS, options.DEPTH_IMAGES, options.AUX_IMAGES = 1, False, False, False
    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    check_size(*opened.size)
    im = opened.to_pillow()
    block = Image.Exif()
    block.load(opened.info.get("exif") or b"")
    # libheif has already applied the turn (`irot`, `imir`); the EXIF orientation repeats it and must not be used again.
    return Picture(im, opened.info.get("icc_profile"), captured=exif.captured(block), adobe_by_exif=exif.says_adobe_rgb(block))


def _tiff(data: bytes, max_megapixels: float) -> Picture:
    from PIL import TiffImagePlugin

    directory = containers.tiff_directory(data)
    if directory.raw:
        return _raw(data, max_megapixels)
    check_size(directory.get(containers.WIDTH), directory.get(containers.HEIGHT))
    directory.check_complete(len(data))
    bits, samples = directory.get(containers.BITS, 1), directory.get(containers.SAMPLES, 1)
    if directory.get(containers.SAMPLE_FORMAT, 1) != 1 or bits > 16:
        raise PhotoError("photo-unsupported", f"a TIFF with {bits}-bit floating or signed samples is not a photo: export it as 8- or 16-bit RGB")
    im = TiffImagePlugin.TiffImageFile(io.BytesIO(data)) if bits <= 8 else None
    if im is not None:
        picture = _from_pillow(im, upright=True)
    else:
        picture = _tiff16(data, directory, samples)
    if directory.more:
        picture.notes.append("it has several pages: the first was taken")
    return picture


def _tiff16(data: bytes, directory: containers.TiffDirectory, samples: int) -> Picture:
    if directory.get(containers.PHOTOMETRIC) not in (1, 2) or samples not in (1, 3, 4):
        raise PhotoError("photo-unsupported", "16-bit TIFFs are read as RGB or grey only: export it as RGB")
    if directory.get(containers.PLANAR, 1) != 1 and samples > 1:
        raise PhotoError("photo-unsupported", "16-bit TIFFs with separate colour planes are not read: export it interleaved")
    block = Image.Exif()
    block.load(data)
    at, length = directory.tags.get(containers.ICC, (0, 0))
    return Picture(
        _sixteen_bit(data), data[at : at + length] or None, exif.orientation(block), captured=exif.captured(block)
    )


def _raw(data: bytes, max_megapixels: float) -> Picture:
    from lowkey.photo import raw

    pixels, notes = raw.develop(data, max_megapixels)
    block = Image.Exif()
    try:
        block.load(data)
    except Exception:  # RAW kinds that are no TIFF carry their EXIF elsewhere
        block = Image.Exif()
    return Picture(pixels, captured=exif.captured(block), notes=notes)


_DECODERS: dict[str, Callable[[bytes, float], Picture]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "tiff": _tiff,
    "heic": _heic,
    "avif": _avif,
    "raw": _raw,
}
