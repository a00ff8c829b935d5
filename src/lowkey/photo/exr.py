"""A small OpenEXR writer: one part, scanlines, float32 R G B, ZIP compression, scene-linear BT.709.

Source: "The OpenEXR file layout" (openexr.com/en/latest/OpenEXRFileLayout.html). It stands here because OpenCV's EXR codec is
switched off unless an environment variable is set before it loads, and one writer is less than one more dependency.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from lowkey.pixels import F32

_ROWS = 16
"""ZIP compression packs 16 scanlines into a block."""
_ZIP = 3
_FLOAT = 2


def exr_bytes(values: F32) -> bytes:
    """f32[h, w, 3] as an OpenEXR file. Same values, same bytes."""
    height, width = values.shape[:2]
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channels = b"".join(name + b"\0" + struct.pack("<iB3xii", _FLOAT, 0, 1, 1) for name in (b"B", b"G", b"R")) + b"\0"
    header = struct.pack("<ii", 20000630, 2) + b"".join(
        (
            _attribute(b"channels", b"chlist", channels),
            # BT.709 primaries and white, so that a reader need not guess.
            _attribute(b"chromaticities", b"chromaticities", struct.pack("<8f", 0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)),
            _attribute(b"compression", b"compression", bytes([_ZIP])),
            _attribute(b"dataWindow", b"box2i", window),
            _attribute(b"displayWindow", b"box2i", window),
            _attribute(b"lineOrder", b"lineOrder", b"\0"),
            _attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
            _attribute(b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0)),
            _attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)),
            b"\0",
        )
    )
    # In each row the channels follow one another, in alphabetical order: B, G, R.
    planes = np.ascontiguousarray(values[..., ::-1].transpose(0, 2, 1), "<f4")
    blocks = []
    for y in range(0, height, _ROWS):
        plain = planes[y : y + _ROWS].tobytes()
        packed = _zip(plain)
        data = packed if len(packed) < len(plain) else plain
        blocks.append(struct.pack("<ii", y, len(data)) + data)
    sizes = np.array([len(b) for b in blocks], np.uint64)
    starts = len(header) + 8 * len(blocks) + np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.uint64)
    return header + starts.astype("<u8").tobytes() + b"".join(blocks)


def _attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value


def _zip(plain: bytes) -> bytes:
    """OpenEXR's ZIP: even bytes first, then odd ones; then each byte less the one before, plus 128; then zlib."""
    raw = np.frombuffer(plain, np.uint8)
    split = np.concatenate([raw[0::2], raw[1::2]])
    delta = split.copy()
    delta[1:] = split[1:] - split[:-1] + np.uint8(128)
    return zlib.compress(delta.tobytes(), 4)
