"""Sizes and completeness of PNG, WebP and ISO media files, read from their headers before any decoder allocates a picture.

Only the few fields needed are read, each with bounds checked. Sources: PNG 3rd edition (W3C), RFC 9649 (WebP),
ISO/IEC 14496-12 (boxes of HEIC, AVIF and CR3), ITU-T H.273 (colour code points).
"""

from __future__ import annotations

import struct
import zlib

from lowkey.errors import PhotoError

TRUNCATED = "the file ends too early, part of the picture is missing: copy it again from the camera or the sender"
DAMAGED = "the picture data is damaged: copy the file again from the camera or the sender"


_ZEROS = 1024
"""So many zero bytes in a row do not happen at the end of compressed data."""


def truncated() -> PhotoError:
    return PhotoError("photo-truncated", TRUNCATED)


def damaged() -> PhotoError:
    return PhotoError("photo-damaged", DAMAGED)


def png_header(data: bytes) -> tuple[int, int, int]:
    """(width, height, bits per channel) of a PNG."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise truncated()
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    return width, height, bits


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
            raise damaged()
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
    raise damaged()


def check_boxes(data: bytes) -> None:
    """Walk the top-level boxes of HEIC, AVIF or CR3: the last one must end inside the file, and not in zeros if it is data."""
    at, name = 0, b""
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size == 1 and at + 16 <= len(data):
            size = struct.unpack_from(">Q", data, at + 8)[0]
        if size == 0:
            # The last box may run to the end; zeros after the last box are padding.
            break
        if size < 8:
            raise damaged()
        at += size
    if at > len(data):
        raise truncated()
    if name == b"mdat":
        check_tail(data)


def check_tail(data: bytes) -> None:
    """Refuse a compressed file whose tail is zeros: a copy that broke off on a disk that had already set the space aside."""
    if len(data) - len(data.rstrip(b"\0")) >= _ZEROS:
        raise truncated()


def nclx_gamut(data: bytes) -> str | None:
    """Primaries of a HEIC or AVIF by its `colr` box of type nclx, as a key of colour.NAMED; HDR curves are refused."""
    at = data.find(b"colrnclx", 0, 1 << 16)
    if at < 0 or at + 12 > len(data):
        return None
    primaries, curve = struct.unpack_from(">HH", data, at + 8)
    if curve in (16, 18):
        raise PhotoError("photo-unsupported", "this is an HDR picture (PQ or HLG), which is not read: export it as an ordinary JPEG or PNG")
    return "Display P3" if primaries == 12 else None
