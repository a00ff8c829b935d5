"""Camera RAW to sRGB by LibRaw, validated: LibRaw turns a bare header into garbage without complaint."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import containers, exif, tiff
from lowkey.photo.finish import check_size
from lowkey.pixels import U16

_LEAST_BITS_PER_PIXEL = 1.0
"""Lossy RAW formats need about 2 bits a sensor pixel; a file with less than this has lost its pixels."""
_SILENT_TAIL = 0.02
"""Share of the sensor's height that may be without any variation at the bottom."""


def develop(data: bytes, max_megapixels: float) -> tuple[U16, dict[str, str], list[str]]:
    """u16[h, w, 3] sRGB codes, upright, by the camera's own white balance; what was captured; notes."""
    import rawpy

    if data[4:8] == b"ftyp":
        containers.check_boxes(data)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        tiff.directory(data).check_complete(data)
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            check_size(sizes.raw_width, sizes.raw_height)
            if len(data) * 8 < _LEAST_BITS_PER_PIXEL * sizes.raw_width * sizes.raw_height:
                raise containers.truncated()
            _check_sensor(raw.raw_image_visible)
            # A sensor with four times the wanted pixels is developed at half size: one pixel of each 2 x 2 block, no demosaic.
            half = sizes.width * sizes.height >= 4e6 * max_megapixels
            # LibRaw's gain is kept but may clip only one pixel in a thousand, so that a lit cheek keeps its colour.
            codes = raw.postprocess(output_bps=16, gamma=(2.4, 12.92), use_camera_wb=True, auto_bright_thr=0.001, half_size=half)
            captured = _captured(raw)
    except rawpy.LibRawError as error:
        raise _refusal(error) from None
    if codes.dtype != np.uint16 or codes.ndim != 3 or codes.shape[2] != 3:
        raise containers.damaged()
    return np.asarray(codes, np.uint16), captured, ["a RAW file, developed plainly (camera white balance, no retouching)"]


def _captured(raw: Any) -> dict[str, str]:
    """What LibRaw knows of the shot; serial numbers and the artist, which it knows too, are never asked for."""
    other, lens = raw.other, raw.lens
    date = other.timestamp.strftime("%Y:%m:%d %H:%M:%S") if other.timestamp.year > 1980 else ""
    return exif.named(lens=(lens.make, lens.model), date=date, iso=other.iso_speed, focal_mm=other.focal_length)


def _refusal(error: Exception) -> PhotoError:
    import rawpy

    if isinstance(error, (rawpy.LibRawIOError, rawpy.LibRawDataError)):
        return containers.truncated()
    if isinstance(error, (rawpy.LibRawTooBigError, rawpy.LibRawUnsufficientMemoryError)):
        raise MemoryError
    return PhotoError("photo-unsupported", "this RAW format cannot be developed here: export it as JPEG, TIFF or DNG")


def _check_sensor(mosaic: Any) -> None:
    """A lost tail shows as rows of one value: a real sensor is never silent, unless it is clipped white."""
    rows = mosaic.reshape(mosaic.shape[0], -1)
    low, high = rows.min(axis=1), rows.max(axis=1)
    silent = (low == high) & (high < rows.max())
    tail = len(silent) if silent.all() else int(np.argmin(silent[::-1]))
    if tail > _SILENT_TAIL * len(silent) or rows.max() == rows.min():
        raise containers.truncated()
