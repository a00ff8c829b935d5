"""What a person says of frames, apart from what the meter says: stars, rejected, a note. Starred frames lie in `selects/`.

A select is a copy, not a link, so that retouching it leaves the frame as it was shot. One that was retouched is never removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lowkey.errors import LookError, StoreError
from lowkey.plate.plate import Caution
from lowkey.session import files, record
from lowkey.session.opening import opened
from lowkey.session.store import FrameRow, Store

SELECTS = "selects"
LONGEST_NOTE = 400


def frame_of(store: Store, name: str) -> FrameRow:
    """The frame of that file name in a session. Raises LookError `no-such-frame`."""
    rows = store.frames()
    found = next((row for row in rows if row.file == name and row.sha256), None)
    if found is None:
        listed = ", ".join(row.file for row in rows if row.sha256)[:300] or "none"
        raise LookError("no-such-frame", f"{store.folder} has no frame called {name[:80]!r}; it has: {listed}")
    return found


def star(store: Store, row: FrameRow, stars: int) -> Caution | None:
    """Give a frame 0 to 5 stars; with at least one it appears among the selects, with none it leaves them."""
    if not 0 <= stars <= 5:
        raise LookError("bad-stars", f"a frame has 0 to 5 stars, not {stars}")
    with store.writing("stars") as db:
        values = (stars, 0 if stars else int(row.rejected), row.id)
        db.execute("UPDATE frames SET stars = ?, rejected = ? WHERE id = ?", values)
    return _select(store, store.frame(row.id))


def reject(store: Store, row: FrameRow, rejected: bool = True) -> Caution | None:
    """Mark a frame as one that is not to be shown; its stars go."""
    with store.writing("reject") as db:
        db.execute("UPDATE frames SET rejected = ?, stars = CASE WHEN ? THEN 0 ELSE stars END WHERE id = ?", (rejected, rejected, row.id))
    return _select(store, store.frame(row.id))


def note(store: Store, row: FrameRow, text: str) -> None:
    """Write a line about a frame; an empty one takes it away."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if len(plain) > LONGEST_NOTE:
        raise LookError("bad-note", f"a note is a line of at most {LONGEST_NOTE} signs; this one has {len(plain)}")
    with store.writing("note") as db:
        db.execute("UPDATE frames SET note = ? WHERE id = ?", (plain, row.id))


def mark(paths: Sequence[Path], *, stars: int | None = None, rejected: bool | None = None, text: str | None = None) -> list[Caution]:
    """Stars, rejection or a note for frames named by their files; what is to be known about the selects."""
    cautions: list[Caution] = []
    for folder in dict.fromkeys(path.parent for path in paths):
        with opened(folder) as session:
            cautions += session.cautions
            rows = [frame_of(session.store, path.name) for path in paths if path.parent == folder]
            for row in rows:
                said: Caution | None = None
                if stars is not None:
                    said = star(session.store, row, stars)
                if rejected is not None:
                    said = reject(session.store, row, rejected)
                if text is not None:
                    note(session.store, row, text)
                cautions += [said] if said else []
            record.write(session.store)
    return cautions


def tidy(store: Store) -> list[Caution]:
    """Bring the selects in line with the stars, after a stop in between."""
    return [said for row in store.frames() if row.sha256 and (said := _select(store, row))]


def _select(store: Store, row: FrameRow) -> Caution | None:
    """Put a frame among the selects, or take it out, as its stars have it."""
    name = f"{SELECTS}/{row.file}"
    target, source = files.inside(store.folder, name), files.inside(store.folder, row.file)
    _, noted = store.files().get(name, ("", ""))
    sha256 = str(row.sha256)
    if row.stars and not row.rejected:
        if target.exists():
            if not files.intact(target, sha256):
                return Caution("changed-select", f"{name} was retouched and stays as it is")
        else:
            try:
                data = source.read_bytes()
            except OSError as error:
                raise StoreError("file-missing", f"{row.file} cannot be read ({error.strerror}); lowkey session verify says more") from None
            if files.digest(data) != sha256:
                raise StoreError("file-changed", f"{row.file} is not as it was shot; lowkey session verify says more")
            files.write(store.folder, name, data)
        if noted != sha256:
            store.keep_file(name, "select", sha256)
        return None
    if noted and target.exists() and not files.intact(target, noted):
        return Caution("changed-select", f"{name} was retouched and stays as it is")
    if noted or files.intact(target, sha256):
        files.remove(target)
        if noted:
            store.drop_file(name)
        with suppress(OSError):
            target.parent.rmdir()
    return None
