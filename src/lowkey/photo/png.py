"""A PNG encoder whose bytes depend on nothing but the pixels, the text and the resolution (PNG 3rd edition, W3C).

Measured on a grainy 1024 x 1280 frame: the Average filter with run-length deflate is 3 % (16 bits) and 12 % (8 bits) smaller
than OpenCV's PNG in about the same time, and than deflate level 6 on any other filter, which takes four times as long:
grain has no repeats to look for.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_AVERAGE = 3
"""Filter type: each byte less the mean of the one to its left and the one above."""
_ROWS = 64
"""Rows filtered at once: bounds memory for large prints."""


def png_bytes(pixels: Any, *, text: Mapping[str, str] | None = None, ppi: float | None = None) -> bytes:
    """u8 or u16 [h, w, 3] or [h, w] sRGB codes as a PNG tagged sRGB. No time, path or host in it."""
    codes = np.asarray(pixels)
    fits = codes.dtype in (np.uint8, np.uint16) and codes.size and (codes.ndim == 2 or (codes.ndim == 3 and codes.shape[2] == 3))
    if not fits:
        raise ValueError(f"a PNG takes u8 or u16 [h, w] or [h, w, 3], not {codes.dtype} {codes.shape}")
    height, width = codes.shape[:2]
    colour = 2 if codes.ndim == 3 else 0
    parts = [
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, codes.itemsize * 8, colour, 0, 0, 0)),
        # sRGB with relative colorimetric intent, and the gamma that the specification asks to go with it.
        _chunk(b"gAMA", struct.pack(">I", 45455)),
        _chunk(b"sRGB", b"\x01"),
    ]
    if ppi is not None:
        per_metre = round(ppi / 0.0254)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)))
    parts.extend(_text(key, value) for key, value in sorted((text or {}).items()))
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    packed = [deflate.compress(strip) for strip in _filtered(codes)]
    parts.append(_chunk(b"IDAT", b"".join([*packed, deflate.flush()])))
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def _text(key: str, value: str) -> bytes:
    """iTXt: Latin-1 keyword of 1-79 characters, UTF-8 text, uncompressed."""
    word = key.encode("latin-1", "replace")
    if not 0 < len(word) < 80 or "\0" in key + value:
        raise ValueError(f"a PNG text keyword has 1 to 79 Latin-1 characters and no NUL: {key!r}")
    return _chunk(b"iTXt", word + b"\0\0\0\0\0" + value.encode("utf-8", "replace"))


MOST_TEXT_BYTES = 1 << 20
"""No text of a frame is larger; more of it is not read."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TOLD = (b"iTXt", b"tEXt", b"zTXt", b"eXIf", b"tIME")


def texts_of(head: bytes) -> dict[str, str]:
    """The uncompressed texts (iTXt, tEXt) that stand before the pixels, of a PNG's first bytes; of anything else, none.

    Nothing compressed is opened and nothing is believed: a chunk that is cut short or fails its checksum ends the reading.
    """
    found: dict[str, str] = {}
    for name, data, whole in _chunks(head):
        if not whole or name == b"IDAT":
            break
        key, _, rest = data.partition(b"\0")
        if name == b"tEXt":
            found[key.decode("latin-1")] = rest.decode("latin-1")
        elif name == b"iTXt" and rest[:2] == b"\0\0":  # flag and method: not compressed
            text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            found[key.decode("latin-1")] = text.decode("utf-8", "replace")
    return found


def without_texts(data: bytes) -> bytes:
    """The same PNG without its texts, its EXIF and its time; other bytes come back as they are."""
    kept = [_chunk(name, body) for name, body, whole in _chunks(data) if whole and name not in _TOLD]
    return _SIGNATURE + b"".join(kept) if kept else data


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """(name, data, whether its checksum holds) of each chunk, as far as they go."""
    if not data.startswith(_SIGNATURE):
        return
    at, view = len(_SIGNATURE), memoryview(data)
    while at + 12 <= len(data):
        size = int.from_bytes(view[at : at + 4], "big")
        name = bytes(view[at + 4 : at + 8])
        end = at + 12 + size
        if end > len(data):
            return
        body = bytes(view[at + 8 : end - 4])
        yield name, body, zlib.crc32(body, zlib.crc32(name)) == int.from_bytes(view[end - 4 : end], "big")
        at = end


def _filtered(codes: Any) -> Iterator[bytes]:
    """Scanlines, big-endian, each with its filter byte; modulo 256 as the specification has it."""
    step = codes.itemsize * (codes.shape[2] if codes.ndim == 3 else 1)
    above = np.zeros((1, codes.shape[1] * step), np.uint8)
    for y in range(0, len(codes), _ROWS):
        part = codes[y : y + _ROWS]
        rows = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(">"))).view(np.uint8).reshape(len(part), -1)
        left = np.zeros_like(rows)
        left[:, step:] = rows[:, :-step]
        up = np.concatenate([above, rows[:-1]])
        out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        out[:, 0] = _AVERAGE
        out[:, 1:] = rows - ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
        above = rows[-1:]
        yield out.tobytes()
