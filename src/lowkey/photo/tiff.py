"""The few fields of a TIFF that decide how it is decoded: size, depth, layout, whether it is a RAW, whether it is whole.

Sources: TIFF 6.0 (Adobe 1992), TIFF/EP (ISO 12234-2) and DNG 1.7 for the RAW tags. Every offset is checked against the file.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo.containers import damaged, truncated
from lowkey.pixels import U16

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, STRIP_COUNTS, PLANAR = 256, 257, 258, 259, 262, 273, 279, 284
SAMPLES, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT, ICC = 277, 324, 325, 330, 338, 339, 34675
DNG_VERSION, CFA_PATTERN = 50706, 33422

_GEOMETRY = frozenset((WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, PLANAR, SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT))
_PLACES = frozenset((STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS, ICC))
_WANTED = _GEOMETRY | _PLACES | {DNG_VERSION, CFA_PATTERN}

_RAW_PHOTOMETRICS = (32803, 34892)
"""Colour filter array and LinearRaw."""
_RAW_COMPRESSIONS = (34713, 32767, 32770, 65000, 65535)
"""Nikon, Sony, Samsung, Kodak and Pentax: numbers that only cameras write."""

_DEFLATE = (8, 32946)

_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}


@dataclass
class Directory:
    """One image file directory: the wanted integer tags, each a tuple."""

    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    children: list[Directory] = field(default_factory=list)
    """The directories named by SubIFDs."""
    more: bool = False
    """Another page follows."""

    def get(self, tag: int, default: int = 0) -> int:
        values = self.tags.get(tag)
        return values[0] if values else default

    @property
    def raw(self) -> bool:
        """True for DNG and for cameras' own RAW formats that are TIFFs."""
        named = DNG_VERSION in self.tags or CFA_PATTERN in self.tags
        coded = self.get(PHOTOMETRIC) in _RAW_PHOTOMETRICS or self.get(COMPRESSION) in _RAW_COMPRESSIONS
        return named or coded or any(child.raw for child in self.children)

    def check_complete(self, data: bytes) -> None:
        """Every strip and tile must lie inside the file; deflated ones must match their checksum, which libtiff ignores."""
        for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
            for start, size in zip(self.tags.get(offsets, ()), self.tags.get(counts, ()), strict=False):
                if start + size > len(data):
                    raise truncated()
                if self.get(COMPRESSION) in _DEFLATE:
                    _check_deflated(data[start : start + size])
        for child in self.children:
            child.check_complete(data)


def directory(data: bytes, *, at: int | None = None, depth: int = 0) -> Directory:
    """The first directory of a TIFF and the sub-directories it names; PhotoError when one lies outside the file."""
    if data[2:4] in (b"+\0", b"\0+"):
        raise PhotoError("photo-unsupported", "this is a BigTIFF, which is not read: export it as a plain TIFF, PNG or JPEG")
    order = "<" if data[:2] == b"II" else ">"
    here = _unpack(order + "I", data, 4)[0] if at is None else at
    count = _unpack(order + "H", data, here)[0]
    found = Directory()
    for entry in range(here + 2, here + 2 + 12 * count, 12):
        tag, kind, n = _unpack(order + "HHI", data, entry)
        code = _TYPES.get(kind)
        if tag not in _WANTED or code is None or not 0 < n <= 1 << 20:
            continue
        size = struct.calcsize(code) * n
        where = entry + 8 if size <= 4 else _unpack(order + "I", data, entry + 8)[0]
        # Of a profile only the place is wanted.
        found.tags[tag] = (where, n) if tag == ICC else _unpack(f"{order}{n}{code}", data, where)
    after = here + 2 + 12 * count
    found.more = after + 4 <= len(data) and _unpack(order + "I", data, after)[0] != 0
    if depth < 2:
        found.children = [directory(data, at=child, depth=depth + 1) for child in found.tags.get(SUB_IFDS, ())[:8]]
    return found


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    if at < 0 or at + struct.calcsize(layout) > len(data):
        raise truncated()
    return struct.unpack_from(layout, data, at)


def _check_deflated(packed: bytes) -> None:
    """Inflate piece by piece, keeping nothing: zlib itself compares the Adler-32 at the end (RFC 1950)."""
    inflate = zlib.decompressobj()
    try:
        while packed and not inflate.eof:
            inflate.decompress(packed, 1 << 20)
            packed = inflate.unconsumed_tail
    except zlib.error:
        raise damaged() from None
    if not inflate.eof:
        raise truncated()


def straight_alpha(pixels: U16, meaning: int) -> U16:
    """u16[h, w, 4] with straight alpha, by what ExtraSamples says: 0 no alpha at all, 1 premultiplied, 2 straight."""
    if meaning == 0:
        return pixels[..., :3]
    if meaning == 1:
        coverage = np.maximum(pixels[..., 3:].astype(np.float32), 1) / 65535
        straight = np.minimum(pixels[..., :3] / coverage, 65535)
        return np.concatenate([np.rint(straight).astype(np.uint16), pixels[..., 3:]], -1)
    return pixels
