"""Opening a session: made when it is new, brought up to date when it is old, rebuilt from its files when it is damaged."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lowkey.errors import PhotoError, StoreError
from lowkey.photo.writing import sweep
from lowkey.plate.plate import Caution
from lowkey.session import files, record, rescue
from lowkey.session.lock import locked
from lowkey.session.store import NAME, Damaged, Store

MOST_DEEP = 4
"""How many folders down sessions are looked for."""


@dataclass(frozen=True)
class Opened:
    """A session, and what was noticed on opening it."""

    store: Store
    cautions: tuple[Caution, ...]


@contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[Opened]:
    """The session of a folder, for as long as the block lasts.

    Raises StoreError: no-session, newer-session, session-busy, folder-read-only and what a disk says.
    """
    store, cautions = _open(folder, create)
    try:
        yield Opened(store, cautions)
    finally:
        store.close()


def _open(folder: Path, create: bool) -> tuple[Store, tuple[Caution, ...]]:
    # A folder of an earlier lowkey, or one whose database somebody removed, still has its record.
    filled = create or ((folder / record.NAME).is_file() and not (folder / NAME).exists())
    damaged = ""
    try:
        store = Store.open(folder, create=filled)
    except Damaged:
        with locked(folder, "rescue"):
            try:
                store = Store.open(folder, create=filled)  # another process may have mended it meanwhile
            except Damaged as why:
                damaged = why.why
                aside = rescue.move_aside(folder)
                store = Store.open(folder, create=True)
    try:
        cautions: list[Caution] = []
        if not store.read_only:
            sweep(folder)
            for inner in ("takes", "selects"):
                sweep(folder / inner)
        if not store.read_only and not store.setups() and (damaged or (folder / record.NAME).is_file()):
            saved = rescue.fill(store, damaged=bool(damaged))
            if damaged:
                text = f"the session's database was damaged ({damaged}); it is kept as {aside.name}"
                cautions.append(Caution("session-rescued", f"{text}, and {saved.frames} frames were brought back"))
                cautions += [Caution("lost", one) for one in saved.lost]
    except BaseException:
        store.close()
        raise
    return store, tuple(cautions)


def sitting_of(store: Store, photo_hash: str, stem: str, person: str | None) -> None:
    """Bind a session to its photo. Raises PhotoError `other-photo` when it belongs to another one."""
    known = store.fact("photo", {})
    held = known.get("sha256") if isinstance(known, dict) else None
    if held and held != photo_hash:
        text = f"{store.folder} is the session of another photo ({known.get('stem') or 'unnamed'}, {str(held)[:12]})"
        raise PhotoError("other-photo", f"{text}, and sessions are not mixed; choose another folder with --out")
    if not store.fact("started"):
        store.keep(started=datetime.date.today().isoformat())
    if person or not store.fact("person"):
        store.keep(person=person or stem)


def found(roots: list[Path]) -> list[Path]:
    """The folders at or below `roots` that hold a session, in order; links are not followed."""
    sessions: list[Path] = []
    for root in roots:
        for folder, _ in _walk(root, MOST_DEEP):
            if files.is_session(folder) and folder not in sessions:
                sessions.append(folder)
    return sessions


def _walk(root: Path, deep: int) -> Iterator[tuple[Path, int]]:
    if not root.is_dir():
        raise StoreError("folder-missing", f"there is no folder {root}")
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop(0)
        yield folder, depth
        if depth >= deep:
            continue
        with suppress(OSError):
            inner = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink() and not one.name.startswith("."))
            waiting += [(one, depth + 1) for one in inner]
