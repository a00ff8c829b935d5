"""Array types with shape and unit, and the only transfer functions in lowkey.

Arrays are [row, col], row down. Inside, colour is scene-linear BT.709 float32; encoded values exist at the edges only.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
"""float32 of any shape; the docstring of each function gives shape and unit."""
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]

T = TypeVar("T", bound="NDArray[Any]")

LUMINANCE_BT709 = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Relative luminance weights of linear BT.709 (ITU-R BT.709-6, table 1)."""
BT709_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
"""Linear BT.709 to CIE XYZ, white D65 (IEC 61966-2-1)."""


def srgb_decode(code: NDArray[Any]) -> F32:
    """Turn sRGB-encoded values in [0, 1] into display-linear ones (IEC 61966-2-1). Any shape."""
    c = np.asarray(code, np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_encode(linear: NDArray[Any]) -> F32:
    """Turn display-linear values into sRGB-encoded ones (IEC 61966-2-1), clipped to [0, 1]. Any shape."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def luminance(linear_rgb: NDArray[Any]) -> F32:
    """Relative luminance [...] of linear BT.709 colour [..., 3]."""
    return np.asarray(linear_rgb @ LUMINANCE_BT709, np.float32)


def added(channels: NDArray[Any]) -> NDArray[Any]:
    """Sum [...] of three channels [..., 3]; along so short an axis NumPy's own takes ten times as long."""
    return np.asarray(channels[..., 0] + channels[..., 1] + channels[..., 2])


def stops(ratio: NDArray[Any] | float) -> F32:
    """log2 of a linear ratio; of a rig these are scene stops, of a finished picture display-linear ones."""
    return np.asarray(np.log2(np.maximum(np.asarray(ratio, np.float32), 1e-12)), np.float32)


def freeze(array: T) -> T:
    """Mark an array read-only and give it back: values that flow between rooms are never written to."""
    array.flags.writeable = False
    return array
