"""Sizes and completeness read from file headers, before any decoder allocates a picture.

Only the few fields needed are read, each with bounds checked. Sources: PNG 3rd edition (W3C), TIFF 6.0 (Adobe 1992) with
TIFF/EP and DNG 1.7 tags, RFC 9649 (WebP), ISO/IEC 14496-12 (boxes of HEIC, AVIF and CR3).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from lowkey.errors import PhotoError

TRUNCATED = "the file ends too early: part of the picture is missing; copy it again from the camera or the sender"
DAMAGED = "the picture data is damaged: copy the file again from the camera or the sender"


def truncated() -> PhotoError:
    return PhotoError("photo-truncated", TRUNCATED)


@dataclass(frozen=True)
class PngHeader:
    width: int
    height: int
    bits: int
    """Bits per channel."""


def png_header(data: bytes) -> PngHeader:
    """IHDR of a PNG: 25 bytes after the signature."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise truncated()
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    return PngHeader(width, height, bits)


def check_png_chunks(data: bytes) -> None:
    """Walk the chunks to IEND and check each critical one's CRC: what a decoder may silently fill with grey is refused."""
    at = 8
    while True:
        if at + 12 > len(data):
            raise truncated()
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise truncated()
        critical = not name[0] & 0x20
        if critical and zlib.crc32(memoryview(data)[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise PhotoError("photo-damaged", DAMAGED)
        if name == b"IEND":
            return
        at = end


def webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a WebP: the canvas of VP8X, else of the one VP8 or VP8L chunk (RFC 9649, section 2)."""
    if len(data) < 30 or struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise truncated()
    name = data[12:16]
    if name == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if name == b"VP8L":
        packed = struct.unpack_from("<I", data, 21)[0]
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise PhotoError("photo-damaged", DAMAGED)


def check_boxes(data: bytes) -> None:
    """Walk the top-level boxes of HEIC, AVIF or CR3: the last one must end inside the file."""
    at = 0
    while at + 8 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        if size == 1 and at + 16 <= len(data):
            size = struct.unpack_from(">Q", data, at + 8)[0]
        if size == 0:
            return
        if size < 8:
            # Some cameras pad the end with zeros; anything else is damage.
            raise PhotoError("photo-damaged", DAMAGED)
        at += size
    if at > len(data):
        raise truncated()


# TIFF tag numbers.
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, STRIP_COUNTS, PLANAR = 256, 257, 258, 259, 262, 273, 279, 284
SAMPLES, ORIENTATION, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT, ICC = 277, 274, 324, 325, 330, 338, 339, 34675
DNG_VERSION, CFA_PATTERN = 50706, 33422
CFA, LINEAR_RAW = 32803, 34892
"""Photometric interpretations that only RAW files have."""

_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_WANTED = frozenset(
    (WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, STRIP_COUNTS, PLANAR, SAMPLES, ORIENTATION)
    + (TILE_OFFSETS, TILE_COUNTS, SUB_IFDS, EXTRA_SAMPLES, SAMPLE_FORMAT, ICC, DNG_VERSION, CFA_PATTERN)
)


@dataclass
class TiffDirectory:
    """One image file directory: integer tags only, each a tuple."""

    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    children: list[TiffDirectory] = field(default_factory=list)
    """The directories named by SubIFDs."""
    more: bool = False
    """Another page follows."""

    def get(self, tag: int, default: int = 0) -> int:
        values = self.tags.get(tag)
        return values[0] if values else default

    @property
    def raw(self) -> bool:
        """True for DNG and for cameras' own RAW formats that are TIFFs."""
        here = DNG_VERSION in self.tags or CFA_PATTERN in self.tags or self.get(PHOTOMETRIC) in (CFA, LINEAR_RAW)
        # Compression numbers that only cameras write: Nikon, Sony, Pentax, Samsung, Kodak (TIFF/EP registrations).
        return here or self.get(COMPRESSION) in (34713, 32767, 32770, 65000, 65535) or any(c.raw for c in self.children)

    def check_complete(self, file_bytes: int) -> None:
        """Every strip and tile must lie inside the file."""
        for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
            starts, sizes = self.tags.get(offsets, ()), self.tags.get(counts, ())
            if any(start + size > file_bytes for start, size in zip(starts, sizes, strict=False)):
                raise truncated()
        for child in self.children:
            child.check_complete(file_bytes)


def tiff_directory(data: bytes, *, at: int | None = None, depth: int = 0) -> TiffDirectory:
    """The first directory of a TIFF and the sub-directories it names; PhotoError when it lies outside the file."""
    if len(data) < 16:
        raise truncated()
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in (b"+\0", b"\0+"):
        raise PhotoError("photo-unsupported", "this is a BigTIFF, which is not read: export it as a plain TIFF, PNG or JPEG")
    here = struct.unpack_from(order + "I", data, 4)[0] if at is None else at
    if here + 2 > len(data):
        raise truncated()
    count = struct.unpack_from(order + "H", data, here)[0]
    if here + 2 + 12 * count > len(data):
        raise truncated()
    directory = TiffDirectory()
    for entry in range(here + 2, here + 2 + 12 * count, 12):
        tag, kind, n = struct.unpack_from(order + "HHI", data, entry)
        code = _TYPES.get(kind)
        if tag not in _WANTED or code is None or n == 0 or n > 1 << 22:
            continue
        size = struct.calcsize(code) * n
        where = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        if where + size > len(data):
            raise truncated()
        # A profile may be large: its place is enough.
        directory.tags[tag] = (where, n) if tag == ICC else struct.unpack_from(f"{order}{n}{code}", data, where)
    next_at = here + 2 + 12 * count
    directory.more = next_at + 4 <= len(data) and struct.unpack_from(order + "I", data, next_at)[0] != 0
    if depth < 2:
        for child in directory.tags.get(SUB_IFDS, ())[:8]:
            directory.children.append(tiff_directory(data, at=child, depth=depth + 1))
    return directory
