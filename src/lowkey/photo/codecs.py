"""One decoder per kind of file. Each goes from the header to a size check to the samples; `finish` does the rest.

This runs in the limited child process only. Pillow's plug-ins are called by name, so that no other one can be reached.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from lowkey.errors import PhotoError
from lowkey.photo import containers, exif, tiff
from lowkey.photo.finish import MOST_MEGAPIXELS, Picture, check_size, finish
from lowkey.pixels import U16

Image.MAX_IMAGE_PIXELS = None  # the check is ours, made before any decoder is called

_ANIMATION = "it is an animation: its first frame was taken"


def decode(kind: str, data: bytes, max_megapixels: float) -> Picture:
    """Decode a whole file: `pixels` of the answer is RGB in sRGB (Pillow "RGB", or u16[h, w, 3]), upright."""
    picture = _DECODERS[kind](data, max_megapixels)
    picture.pixels = finish(picture, max_megapixels)
    return picture


def _picture(pixels: Image.Image | U16, block: Image.Exif, icc: bytes | None, *, upright: bool = False) -> Picture:
    """Samples with what travels beside them."""
    return Picture(
        pixels,
        icc=icc,
        gamut="Adobe RGB" if exif.says_adobe_rgb(block) else None,
        orientation=1 if upright else exif.orientation(block),
        captured=exif.captured(block),
    )


def _from_pillow(im: Image.Image, *, upright: bool = False) -> Picture:
    im.load()
    picture = _picture(im, im.getexif(), im.info.get("icc_profile"), upright=upright)
    if getattr(im, "is_animated", False):
        picture.notes.append(_ANIMATION)
    return picture


def _jpeg(data: bytes, max_megapixels: float) -> Picture:
    from PIL import JpegImagePlugin

    from lowkey.photo import jpeg

    im = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    width, height = im.size
    check_size(width, height, 2 * MOST_MEGAPIXELS)
    if width * height > MOST_MEGAPIXELS * 1e6:
        im.draft(None, (width // 2, height // 2))
    jpeg.check_end(data)
    doubts = jpeg.check_scan(data)
    picture = _from_pillow(im)
    picture.notes.extend(doubts)
    if im.size != (width, height):
        picture.notes.append(f"{width} x {height} pixels, decoded at {im.size[0]} x {im.size[1]}")
    if im.mode == "CMYK":
        picture.pixels = jpeg.positive_cmyk(im, "adobe" in im.info, picture.notes)
    return picture


def _png(data: bytes, max_megapixels: float) -> Picture:
    from PIL import PngImagePlugin

    width, height, bits = containers.png_header(data)
    check_size(width, height)
    containers.check_png_chunks(data)
    im = PngImagePlugin.PngImageFile(io.BytesIO(data))
    if bits < 16:
        return _from_pillow(im)
    return _picture(_sixteen_bit(data), im.getexif(), im.info.get("icc_profile"))


def _sixteen_bit(data: bytes) -> U16:
    """16-bit PNG or interleaved TIFF to u16[h, w, 1, 3 or 4], channels in R G B A order (Pillow would keep 8 bits)."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise containers.damaged()
    codes = np.asarray(pixels, np.uint16)
    if codes.ndim == 2:
        return codes[..., None]
    if codes.shape[2] not in (3, 4):
        raise PhotoError("photo-unsupported", f"16-bit pictures with {codes.shape[2]} channels are not read: export it as RGB")
    # OpenCV gives B G R: swap the outer two in place.
    blue = codes[..., 0].copy()
    codes[..., 0] = codes[..., 2]
    codes[..., 2] = blue
    return codes


def _gif(data: bytes, max_megapixels: float) -> Picture:
    from PIL import GifImagePlugin

    im = GifImagePlugin.GifImageFile(io.BytesIO(data))
    check_size(*im.size)
    im.load()
    picture = _picture(im.copy(), im.getexif(), im.info.get("icc_profile"))
    # A second frame that is broken changes nothing for the first.
    with contextlib.suppress(Exception):
        im.seek(1)
        picture.notes.append(_ANIMATION)
    return picture


def _webp(data: bytes, max_megapixels: float) -> Picture:
    from PIL import WebPImagePlugin

    check_size(*containers.webp_size(data))
    containers.check_tail(data)
    return _from_pillow(WebPImagePlugin.WebPImageFile(io.BytesIO(data)))


def _avif(data: bytes, max_megapixels: float) -> Picture:
    from PIL import AvifImagePlugin

    containers.check_boxes(data)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    im = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    check_size(*im.size)
    gamut = containers.nclx_gamut(data)
    picture = _from_pillow(im)
    picture.gamut = gamut
    return picture


def _heic(data: bytes, max_megapixels: float) -> Picture:
    import pillow_heif

    containers.check_boxes(data)
    options = pillow_heif.options
    options.DECODE_THREADS, options.THUMBNAILS, options.DEPTH_IMAGES, options.AUX_IMAGES = 1, False, False, False
    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    check_size(*opened.size)
    gamut = containers.nclx_gamut(data)
    block = Image.Exif()
    block.load(opened.info.get("exif") or b"")
    # libheif has already applied the turn (`irot`, `imir`); the EXIF orientation repeats it and must not be used again.
    picture = _picture(opened.to_pillow(), block, opened.info.get("icc_profile"), upright=True)
    picture.gamut = gamut or picture.gamut
    return picture


def _tiff(data: bytes, max_megapixels: float) -> Picture:
    from PIL import TiffImagePlugin

    directory = tiff.directory(data)
    if directory.raw:
        return _raw(data, max_megapixels)
    check_size(directory.get(tiff.WIDTH), directory.get(tiff.HEIGHT))
    directory.check_complete(data)
    bits = max(directory.tags.get(tiff.BITS, (1,)))
    if directory.get(tiff.SAMPLE_FORMAT, 1) != 1 or bits > 16:
        raise PhotoError("photo-unsupported", f"{bits}-bit floating or signed TIFFs are not read: export it as 8- or 16-bit RGB")
    # Pillow turns a TIFF upright while loading.
    picture = _tiff16(data, directory) if bits > 8 else _from_pillow(TiffImagePlugin.TiffImageFile(io.BytesIO(data)), upright=True)
    if directory.more:
        picture.notes = [n for n in picture.notes if n != _ANIMATION] + ["it has several pages: the first was taken"]
    return picture


def _tiff16(data: bytes, directory: tiff.Directory) -> Picture:
    samples = directory.get(tiff.SAMPLES, 1)
    if directory.get(tiff.PHOTOMETRIC) not in (1, 2) or samples not in (1, 3, 4):
        raise PhotoError("photo-unsupported", "16-bit TIFFs are read as RGB or grey only: export it as RGB")
    if directory.get(tiff.PLANAR, 1) != 1 and samples > 1:
        raise PhotoError("photo-unsupported", "16-bit TIFFs with separate colour planes are not read: export it interleaved")
    pixels = _sixteen_bit(data)
    if samples == 4:
        pixels = tiff.straight_alpha(pixels, directory.get(tiff.EXTRA_SAMPLES))
    block = Image.Exif()
    block.load(data)
    at, length = directory.tags.get(tiff.ICC, (0, 0))
    return _picture(pixels, block, data[at : at + length] or None, upright=True)


def _raw(data: bytes, max_megapixels: float) -> Picture:
    from lowkey.photo import raw

    pixels, captured, notes = raw.develop(data, max_megapixels)
    block = Image.Exif()
    # RAW kinds that are no TIFF carry their EXIF elsewhere; what LibRaw knows stands in.
    with contextlib.suppress(Exception):
        block.load(data)
        captured |= exif.captured(block)
    return Picture(pixels, captured=captured, notes=notes)


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
