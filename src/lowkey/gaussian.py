"""Gaussian blur that costs no more the wider it is."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.pixels import F32

LEAST_SIGMA = 3.0
"""A picture is halved as long as the blur stays so wide in its pixels. A step comes out within .003 of the exact blur, and within .03 where
it meets the border, which goes on by the smaller grid's pixels; of white noise a tenth of what the blur leaves is other noise."""


def blur(image: NDArray[Any], sigma_px: float) -> F32:
    """`image` f32[h, w(, c)] blurred by a Gaussian of `sigma_px`; beyond its border the border goes on.

    A wide blur is done on a smaller grid. What averaging down and going up again in straight lines blur by themselves, a box's and a
    triangle's variance, is taken off the Gaussian's.
    """
    source = np.asarray(image, np.float32)
    if sigma_px < 2 * LEAST_SIGMA:
        return np.asarray(cv2.GaussianBlur(source, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32)
    k = 2 ** int(math.log2(sigma_px / LEAST_SIGMA))
    h, w = source.shape[:2]
    down, across = -h % k, -w % k
    if down or across:
        source = np.asarray(cv2.copyMakeBorder(source, 0, down, 0, across, cv2.BORDER_REPLICATE), np.float32)
    high, wide = source.shape[:2]
    small = cv2.resize(source, (wide // k, high // k), interpolation=cv2.INTER_AREA)
    left = math.sqrt((sigma_px / k) ** 2 - (1 - 1 / k**2) / 12 - 1 / 6)
    small = cv2.GaussianBlur(small, (0, 0), left, borderType=cv2.BORDER_REPLICATE)
    back = cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(back[:h, :w], np.float32)
