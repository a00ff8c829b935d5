"""Selects taken out of a session: copies, checked on both sides, and noted so that they can be found again."""

from __future__ import annotations

from pathlib import Path

from lowkey.errors import LookError, StoreError
from lowkey.photo import sweep, write_whole
from lowkey.photo.png import without_texts
from lowkey.session import files
from lowkey.session.store import Store


def export(store: Store, to: Path, *, stars: int = 1, private: bool = False) -> list[Path]:
    """Copy the frames of at least so many stars (0: all that are not rejected) to a folder; with `private` without their texts.

    A file that is there already and is another one is not written over: the copy gets a name of its own.
    """
    rows = [row for row in store.frames() if row.sha256 and row.stars >= stars and not row.rejected]
    if not rows:
        raise LookError("nothing-to-export", f"no frame of {store.folder} has {stars} stars or more; give some with lowkey session star")
    place = files.made(to)
    sweep(place)
    copies = []
    for row in rows:
        # A select that was retouched is what the person wants to give away.
        select = store.folder / "selects" / row.file
        source = select if select.is_file() else files.inside(store.folder, row.file)
        try:
            data = source.read_bytes()
        except OSError as error:
            raise StoreError("file-missing", f"{row.file} cannot be read ({error.strerror}); lowkey session verify says more") from None
        if source != select and files.digest(data) != row.sha256:
            raise StoreError("file-changed", f"{row.file} is not as it was shot; lowkey session verify says more")
        data = without_texts(data) if private else data
        target, number = place / row.file, 2
        while target.exists() and not files.intact(target, files.digest(data)):
            target, number = place / f"{Path(row.file).stem}-{number}.png", number + 1
        with store.writing("export") as db:
            values = (str(target.resolve()), row.file, files.digest(data))
            db.execute("INSERT OR REPLACE INTO exports VALUES (?, ?, ?)", values)
        if not target.exists():
            write_whole(target, data)
        copies.append(target)
    return copies
