"""A watched folder: what lands there is shot, once. Half-copied files wait, and what cannot be shot is set aside with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lowkey import photo
from lowkey.errors import PhotoError, StoreError
from lowkey.photo.writing import refusal, write_whole
from lowkey.session import files, opening
from lowkey.session.lock import locked
from lowkey.session.shooting import Shoot, shoot

SETTLED_S = 2.0
"""A file that has not changed for so long has arrived."""
PATIENCE_S = 60.0
"""A file that ends too early may still be on its way for so long."""
SET_ASIDE = "set-aside"
_LATE = ("photo-truncated", "photo-empty", "photo-unreadable")


@dataclass(frozen=True)
class Event:
    """What happened to one file."""

    file: Path
    what: str
    """"shot", "known" (its session is whole already) or "set-aside"."""
    shoot: Shoot | None = None
    code: str = ""
    why: str = ""


@dataclass
class _Seen:
    size: int
    mtime: int
    since: float


@dataclass
class Watch:
    """Looks into one folder, again and again. `clock` is a steady one: the time of day is never asked."""

    folder: Path
    asked: dict[str, Any]
    out: Path | None = None
    clock: Callable[[], float] = time.monotonic
    seen: dict[Path, _Seen] = field(default_factory=dict)
    done: set[tuple[str, int, int]] = field(default_factory=set)

    def look(self) -> Iterator[Event]:
        """One look at the folder: what became of the files that had arrived."""
        present = []
        for file in sorted(self.folder.iterdir()):
            if file.suffix.lower() not in photo.ENDINGS or file.name.startswith(".") or not file.is_file():
                continue
            present.append(file)
            try:
                status = file.stat()
            except OSError:
                continue
            now = self.clock()
            seen = self.seen.get(file)
            if seen is None or (seen.size, seen.mtime) != (status.st_size, status.st_mtime_ns):
                self.seen[file] = _Seen(status.st_size, status.st_mtime_ns, now)
                continue
            if now - seen.since < SETTLED_S or (file.name, seen.size, seen.mtime) in self.done:
                continue
            event = self._take(file, seen, now)
            if event is not None:
                self.done.add((file.name, seen.size, seen.mtime))
                yield event
        self.seen = {file: seen for file, seen in self.seen.items() if file in present}

    def waiting(self) -> bool:
        """Whether something is there that has not been dealt with."""
        return any((file.name, seen.size, seen.mtime) not in self.done for file, seen in self.seen.items())

    def _take(self, file: Path, seen: _Seen, now: float) -> Event | None:
        """Shoot one file that has arrived; None while it may still be on its way."""
        try:
            sha256 = files.sha256_of(file)
            place = self._place(file, sha256)
            done = shoot(file, **{**self.asked, "out": place})
            return Event(file, "shot" if done.made else "known", done)
        except OSError:
            return None
        except PhotoError as error:
            # What is the file's own fault; anything else would fail for the next one too, and ends the watch.
            if error.code in _LATE and now - seen.since < PATIENCE_S:
                return None
            self._set_aside(file, error)
            return Event(file, "set-aside", code=error.code, why=error.message)

    def _place(self, file: Path, sha256: str) -> Path:
        """The session of a photo: the one that holds it already, under whatever name, else a new one."""
        base = self.out if self.out is not None else self.folder
        for folder in opening.found([base]) if base.is_dir() else []:
            with opening.opened(folder) as session:
                told = session.store.fact("photo", {})
                if isinstance(told, dict) and told.get("sha256") == sha256:
                    return folder
        stem = photo.safe_stem(file)
        place, number = base / f"{stem}_lowkey", 2
        while place.exists():
            place, number = base / f"{stem}_lowkey_{number}", number + 1
        return place

    def _set_aside(self, file: Path, error: PhotoError) -> None:
        place = files.made(self.folder / SET_ASIDE)
        target, number = place / file.name, 2
        while target.exists():
            target, number = place / f"{file.stem}-{number}{file.suffix}", number + 1
        write_whole(target.with_name(target.name + ".txt"), f"{error.message} [{error.code}]\n".encode())
        try:
            file.rename(target)
        except OSError as wrong:
            raise refusal(wrong, target) from None


def watch(
    folder: Path, asked: dict[str, Any], *, out: Path | None = None, every_s: float = 1.0, once: bool = False
) -> Iterator[Event]:
    """Watch a folder until interrupted, or with `once` until everything that is there has been dealt with.

    Only one watch at a time per folder: the lock ends with its process. Raises StoreError `session-busy` for the second.
    """
    if not folder.is_dir():
        raise StoreError("folder-missing", f"there is no folder {folder} to watch")
    with locked(files.made(folder), "watch", wait_s=0):
        eye = Watch(folder, asked, out)
        while True:
            yield from eye.look()
            if once and not eye.waiting():
                return
            time.sleep(every_s)
