"""Pixels to files, whole or not at all: a temporary file in the same folder, synced, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lowkey.errors import StoreError
from lowkey.pixels import F32


def write_whole(path: Path | str, data: bytes | memoryview) -> None:
    """Put `data` at `path` so that nobody ever sees half of it, not even after a power cut.

    Raises StoreError: disk-full, folder-missing, folder-read-only, name-too-long, write-failed. Nothing is left behind.
    """
    target = Path(path)
    temporary = target.parent / f".lowkey-{secrets.token_hex(6)}.tmp"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise _refusal(error, target) from None


def _sync_folder(folder: Path) -> None:
    """Make the new name last (POSIX); some systems and network disks cannot, and then it is left to them."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _refusal(error: OSError, target: Path) -> StoreError:
    folder, number = target.parent, error.errno
    if number in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("disk-full", f"{target.name} was not written: no space left in {folder}; free some or choose another folder")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError("folder-read-only", f"{target.name} was not written: {folder} may not be written to; choose another with --out")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return StoreError("folder-missing", f"{target.name} was not written: there is no folder {folder}")
    if number == errno.ENAMETOOLONG:
        return StoreError("name-too-long", f"{target.name[:40]}... was not written: the name is longer than the system allows")
    return StoreError("write-failed", f"{target.name} was not written in {folder}: {error.strerror or type(error).__name__}")


# --- PNG ---------------------------------------------------------------------------------------------------------------------


def write_png(path: Path | str, pixels: Any, *, text: Mapping[str, str] | None = None, ppi: float | None = None) -> None:
    """Write u8 or u16 [h, w, 3] or [h, w] sRGB codes as a PNG: same pixels and text, same bytes; no time, path or host in it."""
    write_whole(path, png_bytes(pixels, text=text, ppi=ppi))


def png_bytes(pixels: Any, *, text: Mapping[str, str] | None = None, ppi: float | None = None) -> bytes:
    """The PNG as bytes (PNG 3rd edition, W3C), tagged sRGB."""
    codes = np.asarray(pixels)
    if codes.dtype not in (np.uint8, np.uint16) or codes.ndim not in (2, 3) or (codes.ndim == 3 and codes.shape[2] != 3) or codes.size == 0:
        raise ValueError(f"write_png takes u8 or u16 [h, w] or [h, w, 3], not {codes.dtype} {codes.shape}")
    height, width = codes.shape[:2]
    bits = codes.dtype.itemsize * 8
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2 if codes.ndim == 3 else 0, 0, 0, 0)),
        _chunk(b"gAMA", struct.pack(">I", 45455)),
        _chunk(b"sRGB", b"\x01"),
    ]
    if ppi is not None:
        per_metre = round(ppi / 0.0254)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)))
    for key, value in sorted((text or {}).items()):
        parts.append(_chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode()))
    parts.append(_chunk(b"IDAT", zlib.compress(_filtered(codes), 6)))
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _filtered(codes: Any) -> bytes:
    """Scanlines with filter 2 (Up) on every row: the difference to the byte above, vectorised over the whole picture."""
    height = codes.shape[0]
    rows = np.ascontiguousarray(codes.astype(codes.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    out = np.empty((height, rows.shape[1] + 1), np.uint8)
    out[:, 0] = 2
    out[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=out[1:, 1:])
    return out.tobytes()


# --- scene-linear ------------------------------------------------------------------------------------------------------------


def write_linear(path: Path | str, radiance: F32) -> None:
    """Write f32[h, w, 3] scene-linear BT.709 as float32: `.tif`, `.tiff` or `.exr` by the name's ending."""
    ending = Path(path).suffix.lower()
    values = np.ascontiguousarray(radiance, np.float32)
    if values.ndim != 3 or values.shape[2] != 3 or values.size == 0:
        raise ValueError(f"write_linear takes f32[h, w, 3], not {values.shape}")
    if ending == ".exr":
        from lowkey.photo import exr

        write_whole(path, exr.exr_bytes(values))
    elif ending in (".tif", ".tiff"):
        write_whole(path, _tiff_bytes(values))
    else:
        raise StoreError("unknown-ending", f"{Path(path).name}: scene-linear pictures are written as .tif, .tiff or .exr")


def _tiff_bytes(values: F32) -> bytes:
    import io

    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb", compression="zlib", predictor=3, metadata=None, software=False, rowsperstrip=64)
    return buffer.getvalue()
