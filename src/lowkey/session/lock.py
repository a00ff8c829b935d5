"""A lock on a folder for what only one process may do at a time. It ends with its process, however that ends: the system holds it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lowkey.errors import StoreError
from lowkey.photo.writing import refusal


@contextlib.contextmanager
def locked(folder: Path, name: str, *, wait_s: float = 20.0, once: bool = False) -> Iterator[None]:
    """Hold `folder/.lowkey-<name>.lock`. Raises StoreError `session-busy` when another process holds it for longer than `wait_s`.

    `once`: whoever comes after a block that ended well finds nothing left to do; only then may the file go.
    """
    file = folder / f".lowkey-{name}.lock"
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise refusal(error, file) from None
    try:
        until = time.monotonic() + wait_s
        while not _taken(handle):
            if time.monotonic() > until:
                raise StoreError("session-busy", f"another lowkey is at work in {folder} ({name}); wait for it, or stop it")
            time.sleep(0.05)
        yield
        if once:
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                file.unlink()
    finally:
        os.close(handle)  # which unlocks; else the file stays, because removing it would let two hold two files of one name


def _taken(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
