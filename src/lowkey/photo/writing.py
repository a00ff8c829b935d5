"""Pixels to files, whole or not at all: a temporary file in the same folder, synced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lowkey import faults, owner
from lowkey.errors import StoreError
from lowkey.photo.png import png_bytes
from lowkey.pixels import F32


def write_png(path: Path | str, pixels: Any, *, text: Mapping[str, str] | None = None, ppi: float | None = None) -> None:
    """Write u8 or u16 [h, w, 3] or [h, w] sRGB codes as a PNG: the same pixels and text are the same bytes. As write_whole."""
    write_whole(path, png_bytes(pixels, text=text, ppi=ppi))


def write_linear(path: Path | str, radiance: F32) -> None:
    """Write f32[h, w, 3] scene-linear BT.709, unclamped, as `.tif`, `.tiff` or `.exr` by the name's ending. As write_whole.

    Both are float32: TIFF uncompressed, EXR with ZIP. Raises StoreError (unknown-ending) for other names.
    """
    ending = Path(path).suffix.lower()
    values = np.ascontiguousarray(radiance, np.float32)
    if values.ndim != 3 or values.shape[2] != 3 or values.size == 0:
        raise ValueError(f"write_linear takes f32[h, w, 3], not {values.shape}")
    if ending == ".exr":
        from lowkey.photo.exr import exr_bytes

        write_whole(path, exr_bytes(values))
    elif ending in (".tif", ".tiff"):
        write_whole(path, _tiff_bytes(values))
    else:
        raise StoreError("unknown-ending", f"{Path(path).name}: scene-linear pictures are written as .tif, .tiff or .exr")


def _tiff_bytes(values: F32) -> bytes:
    """Uncompressed float32 TIFF, which every reader has; no date, no software, no host."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, photometric="rgb", metadata=None, software=False)
    return buffer.getvalue()


def write_whole(path: Path | str, data: bytes) -> None:
    """Put `data` at `path` so that nobody ever sees half of it, not even after a power cut; an older file stays until then.

    Raises StoreError: disk-full, folder-read-only, folder-missing, name-too-long, write-failed. Nothing is left behind.
    """
    target = Path(path)
    temporary = target.parent / f".lowkey-{owner.me().tag}-{secrets.token_hex(6)}.tmp"
    half = len(data) // 2
    try:
        faults.point("file.open")
        # O_EXCL: never through a link that somebody laid there. 0o666: the user's own umask decides, as for any file.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                faults.point("file.write")
                file.write(data[:half])
                file.flush()
                faults.point("file.write-rest")
                file.write(data[half:])
                file.flush()
                faults.point("file.sync")
                os.fsync(file.fileno())
            faults.point("file.rename")
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        faults.point("file.sync-folder")
        sync_folder(target.parent)
    except OSError as error:
        raise refusal(error, target) from None


ABANDONED_S = 86_400
"""A temporary file of a process that cannot be seen from here is left alone for a day."""


def sweep(folder: Path) -> int:
    """Remove the temporary files that processes left behind when they were killed; those of living ones stay. How many."""
    removed = 0
    for file in folder.glob(".lowkey-*.tmp"):
        ended = owner.gone(file.name.removeprefix(".lowkey-").removesuffix(".tmp").rpartition("-")[0])
        with contextlib.suppress(OSError):
            if ended or (ended is None and time.time() - file.stat().st_mtime > ABANDONED_S):
                file.unlink()
                removed += 1
    return removed


def sync_folder(folder: Path) -> None:
    """Make the new name last (POSIX); Windows and some network disks cannot, and there it is left to them."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def refusal(error: OSError, target: Path) -> StoreError:
    """What the system said about writing `target`, as the error that a person is told."""
    folder, name = target.parent, target.name
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return StoreError("disk-full", f"{name} was not written: no space left in {folder}; free some, or choose another folder")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return StoreError("folder-read-only", f"{name} was not written: {folder} may not be written to; choose another folder")
        case errno.ENOENT | errno.ENOTDIR:
            return StoreError("folder-missing", f"{name} was not written: there is no folder {folder}")
        case errno.ENAMETOOLONG:
            return StoreError("name-too-long", f"{name[:40]}... was not written: the name is longer than the system allows")
    return StoreError("write-failed", f"{name} was not written in {folder}: {error.strerror or type(error).__name__}")
