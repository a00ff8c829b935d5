"""Files of a session: what is done is told by a file's hash, never by its being there, and nothing is written over unasked."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lowkey import faults
from lowkey.errors import StoreError
from lowkey.photo.writing import refusal, sync_folder, write_whole
from lowkey.session.store import NAME

SET_ASIDE = "changed"
"""The folder for files that somebody changed and that are made anew."""


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def intact(file: Path, sha256: str) -> bool:
    """Whether the file is there with just these bytes. One that cannot be read is not."""
    try:
        return file.is_file() and sha256_of(file) == sha256
    except OSError:
        return False


def inside(folder: Path, name: str) -> Path:
    """The file of that name in a session's folder; a name out of a database or record that leads elsewhere is refused."""
    wrong = "\0" in name or "\\" in name or not name or len(name) > 400
    parts = () if wrong else Path(name).parts
    if wrong or Path(name).is_absolute() or ".." in parts or len(parts) > 3 or ":" in parts[0]:
        raise StoreError("session-damaged", f"the session in {folder} names a file outside it: {name[:60]!r}; nothing was done to it")
    return folder / name


def write(folder: Path, name: str, data: bytes) -> None:
    """`write_whole` into a session's folder, whose own folders are made when needed."""
    file = inside(folder, name)
    made(file.parent)
    write_whole(file, data)


def made(folder: Path) -> Path:
    """The folder, there and writable. Raises StoreError: folder-missing, folder-read-only, disk-full."""
    try:
        if not folder.is_dir():
            faults.point("folder.make")
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StoreError("folder-missing", f"{folder} is not a folder, and one is needed there; choose another with --out") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        code = refusal(error, folder / "x").code
        raise StoreError(code, f"the folder {folder} cannot be made: {why}; choose another with --out") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError("folder-read-only", f"the folder {folder} may not be written to; choose another with --out")
    return folder


def set_aside(folder: Path, name: str) -> str | None:
    """Move a file that somebody changed out of the way of a new one: the name it has now, None when there was none."""
    file = inside(folder, name)
    if not file.exists():
        return None
    place = made(folder / SET_ASIDE)
    for number in range(1, 10_000):
        target = place / f"{file.stem}_{number}{file.suffix}"
        if not target.exists():
            break
    try:
        faults.point("file.set-aside")
        file.rename(target)
        sync_folder(place)
        sync_folder(file.parent)
    except OSError as error:
        raise refusal(error, target) from None
    return f"{SET_ASIDE}/{target.name}"


def remove(file: Path) -> bool:
    """Remove a file, and make that last; whether there was one."""
    try:
        faults.point("file.remove")
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise refusal(error, file) from None
    sync_folder(file.parent)
    return True


def is_session(folder: Path) -> bool:
    return (folder / NAME).is_file()
