"""Forgetting a person: frames, takes, sheets, selects, exports, records, plates and consents go, and a search proves it.

What is removed is told by hash, not by name, so a frame that was renamed or copied within the folders searched is found too. The
photo itself is the photographer's and stays, unless it is asked for; where it lies is said.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lowkey import photo
from lowkey.errors import LookError
from lowkey.session import consent, files, known, opening, plates, record, verifying
from lowkey.session.store import NAME, Store

OURS = (record.NAME, "rank.html", "ranked.png")
"""Files of a session that are not noted by hash."""
LOOKED_INTO = {*photo.ENDINGS, ".json", ".npz", ".db", ".html", ".tmp"}
"""What bytes of a person could lie in."""


@dataclass(frozen=True)
class Forgotten:
    """What was removed, and what a search found afterwards."""

    removed: tuple[Path, ...]
    sessions: tuple[Path, ...]
    left: tuple[Path, ...]
    """Files that hold bytes of the person all the same: none, when all went well."""
    photos: tuple[Path, ...]
    """Where the reference photo still lies."""
    searched: int
    """How many files were looked into."""


def sessions_of(person: str, roots: Sequence[Path]) -> list[Path]:
    """The sessions of a person: those below `roots`, and those that were shot on this machine."""
    candidates = opening.found(list(roots)) + [place.folder for place in known.places()]
    return [folder for folder in dict.fromkeys(one.resolve() for one in candidates) if _is_of(folder, person)]


def forget(person: str, roots: Sequence[Path], *, photo_too: bool = False, keep_consent: bool = False) -> Forgotten:
    """Remove everything of a person. Raises LookError `nobody` when nothing of them is found.

    It can be stopped and run again: a session's own memory goes last, so that what is left is still known.
    """
    sessions = sessions_of(person, roots)
    papers = [] if keep_consent else consent.forget(person)
    if not sessions and not papers:
        raise LookError("nobody", f"nothing of {person[:60]!r} is known here; name the folders to look in with --in")
    removed: list[Path] = []
    hashes: set[str] = set()
    references: set[str] = set()
    for folder in sessions:
        removed += _session(folder, hashes, references)
    for reference in references:
        removed += plates.forget(reference)
    for paper in papers:
        hashes.add(files.sha256_of(paper))
        files.remove(paper)
        removed.append(paper)
    where = [*roots, *(folder.parent for folder in sessions), plates.folder(), known.folder(), consent.folder()]
    left, photos, searched = _searched(where, hashes, references)
    for copy in left:
        files.remove(copy)
    removed += left
    if photo_too:
        for file in photos:
            files.remove(file)
        removed += photos
    if left or photo_too:
        left, photos, searched = _searched(where, hashes, references)
    left += [file for reference in references for file in plates.of_photo(reference)]
    return Forgotten(tuple(removed), tuple(sessions), tuple(left), tuple(photos), searched)


def _is_of(folder: Path, person: str) -> bool:
    with opening.opened(folder) as session:
        told = session.store.fact("photo", {})
        names = [session.store.fact("person", ""), told.get("stem", "") if isinstance(told, dict) else ""]
        return any(name and consent.same(str(name), person) for name in names)


def _session(folder: Path, hashes: set[str], references: set[str]) -> list[Path]:
    """Remove one session: first all that it noted, then its record, its database last."""
    removed = []
    with opening.opened(folder) as session:
        store = session.store
        told = store.fact("photo", {})
        if isinstance(told, dict) and told.get("sha256"):
            references.add(str(told["sha256"]))
        asked = verifying.expected(store)
        hashes.update(asked.values())
        gone = [files.inside(folder, name) for name in asked]
        gone += [*(folder / files.SET_ASIDE).glob("*"), *folder.glob("*_faces.png"), *(folder / name for name in OURS)]
        gone += [file for file in folder.rglob("*.png") if _carries(file, references)]
        for row in store.rows("SELECT path, sha256 FROM exports"):
            hashes.add(row["sha256"])
            if files.intact(Path(row["path"]), row["sha256"]):
                gone.append(Path(row["path"]))
        for file in dict.fromkeys(gone):
            if file.is_file() or file.is_symlink():
                with suppress(OSError):
                    hashes.add(files.sha256_of(file))
                if files.remove(file):
                    removed.append(file)
        _overwritten(store)
    known.drop(folder)
    damaged = list(folder.glob(f"{NAME}.damaged-*"))
    for file in [*damaged, *folder.glob(".lowkey-*"), folder / f"{NAME}-wal", folder / f"{NAME}-shm", folder / NAME]:
        if file.is_dir():
            shutil.rmtree(file)
        elif files.remove(file):
            removed.append(file)
    for inner in (*(one for one in folder.iterdir() if one.is_dir()), folder):
        with suppress(OSError):
            inner.rmdir()  # what somebody else put there stays, and so does its folder
    return removed


def _overwritten(store: Store) -> None:
    """Nothing of the person in the database's own pages either, should its file be brought back from the disk's free space."""
    with store.writing("forget") as db:
        db.execute("PRAGMA secure_delete = ON")
        for table in ("exports", "files", "jobs", "takes", "frames", "setups"):
            db.execute(f"DELETE FROM {table}")
        db.execute("DELETE FROM facts WHERE name NOT IN ('photo', 'person')")


def _carries(file: Path, references: set[str]) -> bool:
    """Whether a picture says of itself that it was made from one of these photos."""
    from lowkey.session import metadata

    try:
        return metadata.of(file).shot.reference in references
    except LookError:
        return False


def _searched(where: Sequence[Path], hashes: set[str], references: set[str]) -> tuple[list[Path], list[Path], int]:
    """Files whose bytes are among `hashes`, files that are the reference, and how many were looked into."""
    found, photos, count = [], [], 0
    for file in _files(where):
        count += 1
        if file.suffix.lower() not in LOOKED_INTO:
            continue
        try:
            sha256 = files.sha256_of(file)
        except OSError:
            continue
        if sha256 in hashes or (file.suffix.lower() == ".png" and _carries(file, references)):
            found.append(file)
        elif sha256 in references:
            photos.append(file)
    return found, photos, count


def _files(where: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for root in where:
        for file in sorted(root.rglob("*")) if root.is_dir() else []:
            with suppress(OSError):
                if file not in seen and stat.S_ISREG(file.lstat().st_mode):
                    seen.add(file)
                    yield file


