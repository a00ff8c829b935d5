"""What Pillow does not say about a JPEG: damaged scans, and which way round CMYK inks are stored."""

from __future__ import annotations

import os
import re

import numpy as np
from PIL import Image

from lowkey.photo import containers

_INK_LIMIT = 3.6
"""No printing condition lays down more than about 3.4 of 4 inks; a negative's highlights would all be above this."""


def check_end(data: bytes) -> None:
    """Refuse a JPEG without an end marker after its first scan: a tail of zeros is Huffman code enough for a grey half.

    What stands before the scan may hold a thumbnail with an end of its own, what follows the end is free (ITU-T T.81, B.1).
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if data.find(b"\xff\xd9", at) < 0:
        raise containers.truncated()


def check_scan(data: bytes) -> list[str]:
    """Refuse when libjpeg meets missing or broken scan data, which it fills with grey or garbage; notes when it only doubts.

    Pillow hides libjpeg's warnings, OpenCV prints the first one to the process's standard error. So the scan is decoded once
    more at an eighth of its size (Huffman decoding only, cheap) while standard error goes to a pipe. A file that OpenCV does
    not decode at all is left to Pillow, which refuses a scan without an end itself.
    """
    import cv2

    inside, outside = os.pipe()
    kept = os.dup(2)
    os.dup2(outside, 2)
    try:
        blocks = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(outside)
    with os.fdopen(inside, "rb") as pipe:
        said = pipe.read(4096).decode("latin-1")
    if re.search(r"remature end", said):
        raise containers.truncated()
    if re.search(r"bad Huffman|bad arithmetic|instead of RST", said):
        raise containers.damaged()
    if not said:
        return []
    # Only the first warning is printed: what a harmless one may hide is a tail of missing blocks, each exactly mid-grey.
    if blocks is not None and bool((blocks[-1] == 128).all()):
        raise containers.truncated()
    return ["its data has stray bytes: look closely whether the whole picture is right"] if "extraneous" in said else []


def positive_cmyk(im: Image.Image, adobe: bool, notes: list[str]) -> Image.Image:
    """CMYK with 255 = full ink, whatever way the file stores it.

    Adobe stores inks inverted, and Pillow undoes that for every CMYK file, marked by Adobe or not. Where that reading would
    lay down more ink than any press can and the other one would not, the file is stored the other way round.
    """
    small = im.copy()
    small.thumbnail((256, 256), Image.Resampling.BOX)
    ink = np.asarray(small, np.float32) / 255
    as_read = float((ink.sum(-1) > _INK_LIMIT).mean())
    turned = float(((4 - ink.sum(-1)) > _INK_LIMIT).mean())
    # A file that Adobe marked must be plainly impossible before its mark is overruled.
    if as_read <= turned + (0.05 if adobe else 0.0):
        return im
    notes.append("its CMYK inks are stored the other way round than usual: turned to a positive")
    return Image.merge("CMYK", [band.point(lambda v: 255 - v) for band in im.split()])
