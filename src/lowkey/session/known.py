"""Where sessions are, so that they can be listed, and found when a person is to be forgotten.

One small file a session in the user's own data folder. It is a convenience: a session lost from it is found by naming a folder.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lowkey.errors import LowkeyError
from lowkey.photo import sweep, write_whole
from lowkey.session.files import digest, is_session


@dataclass(frozen=True)
class Place:
    """A session that was shot on this machine."""

    folder: Path
    photo: Path
    """Where its reference lay then."""


def folder() -> Path:
    """``$LOWKEY_DATA/sessions``, else ``lowkey/sessions`` in the user's data."""
    if given := os.environ.get("LOWKEY_DATA"):
        return Path(given) / "sessions"
    import platformdirs

    return Path(platformdirs.user_data_path("lowkey")) / "sessions"


def remember(session: Path, photo: Path) -> None:
    """Note where a session and its photo are. A data folder that cannot be written to is as if there were none."""
    at, reference = str(session.resolve()), str(photo.resolve())
    file = folder() / f"{digest(at.encode())[:24]}.json"
    page = json.dumps({"folder": at, "photo": reference}, ensure_ascii=True).encode()
    with suppress(OSError, LowkeyError, ValueError):
        if file.is_file() and file.read_bytes() == page:
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.parent.chmod(0o700)
        sweep(file.parent)
        write_whole(file, page)


def places() -> list[Place]:
    """Every session that is still where it was."""
    found = []
    for file in sorted(folder().glob("*.json")) if folder().is_dir() else []:
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(file.read_bytes()[:100_000])
            place = Place(Path(told["folder"]), Path(told["photo"]))
            if is_session(place.folder):
                found.append(place)
    return found


def photo_of(session: Path) -> Path | None:
    """Where the reference of a session lay when it was last shot."""
    return next((one.photo for one in places() if one.folder == session.resolve()), None)


def drop(session: Path) -> None:
    """Note nothing more of a session."""
    with suppress(OSError):
        (folder() / f"{digest(str(session.resolve()).encode())[:24]}.json").unlink()
