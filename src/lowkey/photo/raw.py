"""Camera RAW to sRGB by LibRaw, validated: LibRaw turns a bare header into garbage without complaint."""

from __future__ import annotations

import io

import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import containers
from lowkey.pixels import U16

_LEAST_BITS_PER_PIXEL = 1.0
"""Lossy RAW formats need about 2 bits a sensor pixel; a file with less than this has lost its pixels."""


def develop(data: bytes, max_megapixels: float) -> tuple[U16, list[str]]:
    """u16[h, w, 3] sRGB codes, upright, by the camera's own white balance; and notes."""
    import rawpy

    from lowkey.photo.codecs import MOST_MEGAPIXELS, check_size

    if data[4:8] == b"ftyp":
        containers.check_boxes(data)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        containers.tiff_directory(data).check_complete(len(data))
    notes = ["a RAW file, developed plainly (camera white balance, no retouching)"]
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            check_size(sizes.raw_width, sizes.raw_height)
            if len(data) * 8 < _LEAST_BITS_PER_PIXEL * sizes.raw_width * sizes.raw_height:
                raise containers.truncated()
            mosaic = raw.raw_image_visible
            _check_sensor(mosaic)
            # LibRaw's own gain is kept but may clip only one pixel in a thousand, so that a lit cheek keeps its colour.
            half = mosaic.size > 4 * max_megapixels * 1e6
            pixels = raw.postprocess(
                output_bps=16, gamma=(2.4, 12.92), use_camera_wb=True, auto_bright_thr=0.001, half_size=half
            )
    except rawpy.LibRawError as error:
        raise _refusal(error) from None
    if pixels.shape[0] * pixels.shape[1] > MOST_MEGAPIXELS * 1e6:
        raise PhotoError("photo-too-large", "the RAW file develops to too many pixels: export it as JPEG or TIFF")
    return pixels, notes


def _refusal(error: Exception) -> PhotoError:
    import rawpy

    if isinstance(error, (rawpy.LibRawIOError, rawpy.LibRawDataError)):
        return containers.truncated()
    return PhotoError("photo-unsupported", "this RAW format cannot be developed here: export it as JPEG, TIFF or DNG")


def _check_sensor(mosaic: np.ndarray) -> None:
    """A lost tail shows as rows without any variation: a real sensor is never silent, not even in the dark."""
    rows = np.ptp(mosaic.reshape(mosaic.shape[0], -1), axis=1)
    silent = rows == 0
    if silent.mean() > 0.02:
        raise containers.truncated()
