"""`session.db`: a session's memory. SQLite in write-ahead mode, every commit on disk before it returns, several processes at once.

The database says what ought to be on disk and under which hash; whether it is there is decided by looking (`files`). Writers
wait their turn; one that waits too long is told so. A newer database is refused, a damaged one is the business of `rescue`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lowkey import faults
from lowkey.errors import StoreError
from lowkey.photo.writing import refusal
from lowkey.session.lock import locked
from lowkey.session.schema import APPLICATION_ID, MIGRATIONS, VERSION

NAME = "session.db"
BUSY_S = 20.0
"""How long a writer waits for another; a commit takes milliseconds."""


class Damaged(StoreError):
    """The database cannot be read as one."""

    def __init__(self, why: str) -> None:
        super().__init__("session-damaged", f"the session cannot be read ({why}); run the command again: it is rebuilt from its files")
        self.why = why


class _Row(sqlite3.Row):
    """A row whose column may be missing, or hold bytes: damage renames the one and retypes the other, and every page is whole."""

    def __getitem__(self, key: Any) -> Any:
        try:
            value = super().__getitem__(key)
        except IndexError:
            raise Damaged(f"a column of it is missing: {key}"[:120]) from None
        if isinstance(value, bytes):  # no column holds any
            raise Damaged(f"a cell of it is no text: {key}"[:120])
        return value


@dataclass(frozen=True)
class FrameRow:
    """One frame as the database has it."""

    id: int
    setup: int
    seed: int
    shot: str
    file: str
    sha256: str | None
    """Of the file as it was, or is just being, written; None before there was one."""
    page: Mapping[str, Any]
    """What the record says of it."""
    owner: str | None
    """Who is at it now."""
    beat: int
    problem: str | None
    stars: int
    rejected: bool
    note: str


@dataclass(frozen=True)
class SetupRow:
    """A look, a size and an engine, shot once a seed."""

    id: int
    page: Mapping[str, Any]
    state: str
    sheet: str | None
    warnings: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class TakeRow:
    """One attempt at a frame."""

    number: int
    shot: str
    file: str
    sha256: str
    page: Mapping[str, Any]


class Store:
    """An open session database. Use as a context, or `close` it."""

    def __init__(self, folder: Path, database: sqlite3.Connection, lent: Path | None = None) -> None:
        self.folder, self._db, self._lent = folder, database, lent
        self._pen = threading.RLock()  # an engine may write to its ledger from a thread of its own

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """The session of a folder. Raises StoreError: no-session, newer-session, session-busy, disk-full, folder-read-only; Damaged."""
        file = folder / NAME
        if not file.exists() and not create:
            raise StoreError("no-session", f"{folder} holds no session: there is no {NAME} in it")
        lent = None
        if file.exists() and not (os.access(file, os.W_OK) and os.access(folder, os.W_OK)):
            lent, file = _copied(file)  # a read-only folder: SQLite wants to write beside what it reads
        try:
            with _understood(folder):
                database = _connected(file)
                try:
                    _brought_up(database, file.parent, new=create)
                except BaseException:
                    database.close()
                    raise
        except OSError as error:
            raise refusal(error, file) from None
        return cls(folder, database, lent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()
        if self._lent:
            shutil.rmtree(self._lent, ignore_errors=True)

    @property
    def read_only(self) -> bool:
        return self._lent is not None

    @contextmanager
    def writing(self, what: str) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the pen from its first word: all of it is on disk afterwards, or none."""
        if self.read_only:
            raise StoreError("folder-read-only", f"{self.folder} may not be written to, so the session in it cannot change")
        try:
            with self._pen:
                faults.point(f"db.begin {what}")
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    faults.point(f"db.commit {what}")
                    self._db.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
                    raise
            faults.point(f"db.committed {what}")
        except sqlite3.Error as error:
            raise _refused(error, self.folder) from None
        except OSError as error:  # of a file that is written while the pen is held
            raise refusal(error, self.folder / NAME) from None

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with _understood(self.folder), self._pen:
            return self._db.execute(sql, values).fetchall()

    # --- facts, setups, frames, takes, files ----------------------------------------------------------------------------------

    def fact(self, name: str, default: Any = None) -> Any:
        found = self.rows("SELECT value FROM facts WHERE name = ?", name)
        return told(found[0]["value"], default) if found else default

    def keep(self, **facts: Any) -> None:
        if all(self.fact(name) == value for name, value in facts.items()):
            return
        with self.writing("facts") as db:
            for name, value in facts.items():
                db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, said(value)))

    def setup(self, key: str, page: Mapping[str, Any]) -> int:
        """The id of the setup of that key, added when it is new."""
        if found := self.rows("SELECT id FROM setups WHERE key = ?", key):
            return int(found[0]["id"])
        with self.writing("setup") as db:
            db.execute("INSERT INTO setups (key, page) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", (key, said(page)))
            return int(db.execute("SELECT id FROM setups WHERE key = ?", (key,)).fetchone()["id"])

    def setups(self) -> list[SetupRow]:
        return [
            SetupRow(row["id"], told(row["page"], {}), row["state"], row["sheet"], told(row["warnings"], []))
            for row in self.rows("SELECT * FROM setups ORDER BY id")
        ]

    def change_setup(self, setup: int, **values: Any) -> None:
        """Any of state, sheet, warnings."""
        plain = {name: said(value) if name == "warnings" else value for name, value in values.items()}
        with self.writing("setup-state") as db:
            for name, value in plain.items():
                assert name in ("state", "sheet", "warnings")
                db.execute(f"UPDATE setups SET {name} = ? WHERE id = ?", (value, setup))

    def frames(self, setup: int | None = None) -> list[FrameRow]:
        where = "" if setup is None else " WHERE setup = ?"
        values = () if setup is None else (setup,)
        return [_frame(row) for row in self.rows(f"SELECT * FROM frames{where} ORDER BY setup, id", *values)]

    def frame(self, frame: int) -> FrameRow:
        return _frame(self.rows("SELECT * FROM frames WHERE id = ?", frame)[0])

    def ask_frames(self, setup: int, asked: Sequence[tuple[int, str, Iterable[str]]]) -> None:
        """Add frames (seed, shot, names to choose from); those that are there already stay. A name that is taken is passed over."""
        known = {row.seed for row in self.frames(setup)}
        if all(seed in known for seed, _, _ in asked):
            return
        with self.writing("frames") as db:
            taken = {row["file"] for row in db.execute("SELECT file FROM frames")}
            known = {row["seed"] for row in db.execute("SELECT seed FROM frames WHERE setup = ?", (setup,))}
            for seed, shot, names in asked:
                if seed in known:
                    continue
                name = next(name for name in names if name not in taken and not (self.folder / name).exists())
                taken.add(name)
                db.execute("INSERT INTO frames (setup, seed, shot, file) VALUES (?, ?, ?, ?)", (setup, seed, shot, name))

    def takes(self, frame: int) -> list[TakeRow]:
        return [
            TakeRow(row["number"], row["shot"], row["file"], row["sha256"], told(row["page"], {}))
            for row in self.rows("SELECT * FROM takes WHERE frame = ? ORDER BY number", frame)
        ]

    def keep_file(self, file: str, kind: str, sha256: str) -> None:
        """Note a file of the folder that is no frame, before it is written."""
        with self.writing("file") as db:
            db.execute(
                "INSERT INTO files VALUES (?, ?, ?) ON CONFLICT (file) DO UPDATE SET kind = excluded.kind, sha256 = excluded.sha256",
                (file, kind, sha256),
            )

    def drop_file(self, file: str) -> None:
        with self.writing("file") as db:
            db.execute("DELETE FROM files WHERE file = ?", (file,))

    def files(self) -> dict[str, tuple[str, str]]:
        """Files of the folder that are no frames: name to (kind, sha256)."""
        return {row["file"]: (row["kind"], row["sha256"]) for row in self.rows("SELECT * FROM files ORDER BY file")}


def said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def told(text: str | None, default: Any) -> Any:
    """What a cell of JSON says; a cell that is none is as good as empty."""
    try:
        return default if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return default


def _frame(row: sqlite3.Row) -> FrameRow:
    page = told(row["page"], {})
    # SQLite keeps whatever it is given in any column, and a damaged page gives anything.
    if not all(isinstance(row[name], int) for name in ("id", "setup", "seed", "beat", "stars")) or not 0 <= row["stars"] <= 5:
        raise Damaged("a frame in it has no number")
    if not all(isinstance(row[name], str) for name in ("shot", "file", "note")):
        raise Damaged("a frame in it has no name")
    return FrameRow(
        row["id"], row["setup"], row["seed"], row["shot"], row["file"], row["sha256"], page if isinstance(page, dict) else {},
        row["owner"], row["beat"], row["problem"], row["stars"], bool(row["rejected"]), row["note"],
    )  # fmt: skip


def _connected(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    database.row_factory = _Row
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    # A file from a stranger: its schema may not run functions of ours, and no cell is larger than a page of a record can be.
    database.execute("PRAGMA trusted_schema = OFF")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64_000_000)
    # FULL: a commit has reached the disk when it returns, also in write-ahead mode.
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    return database


def _brought_up(database: sqlite3.Connection, folder: Path, *, new: bool) -> None:
    """Check what it is, and bring it up to this version, one process at a time, one migration after the other, each whole."""
    if _version(database) < VERSION:
        # Two that turn a database to its write-ahead log at once are refused at once: SQLite waits for neither.
        with locked(folder, "schema", wait_s=BUSY_S, once=True):
            if not (version := _version(database)) and not new:
                raise Damaged("it is empty")
            if version < VERSION:
                database.execute("PRAGMA journal_mode = WAL")
                _migrate(database)


def _version(database: sqlite3.Connection) -> int:
    """The version of a session's sound database, 0 for an empty one, read at one moment. Raises StoreError newer-session; Damaged."""
    database.execute("BEGIN")
    try:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        application = database.execute("PRAGMA application_id").fetchone()[0]
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version > VERSION:
            said = f"this session was written by a newer lowkey (its version {version}, this one reads up to {VERSION})"
            raise StoreError("newer-session", f"{said}; nothing was changed. Update lowkey")
        if version < 0:
            raise Damaged(f"its version is {version}, and none is below 0")
        if application != APPLICATION_ID and (tables or version):
            raise Damaged("it is another program's database")
        if tables and database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise Damaged("its pages contradict each other")
        return version if tables else 0
    finally:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")


def _migrate(database: sqlite3.Connection) -> None:
    while True:
        database.execute("BEGIN IMMEDIATE")
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version >= VERSION:
                database.execute("ROLLBACK")
                return
            for statement in MIGRATIONS[version].split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {version + 1}")
            faults.point("db.commit migration")
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise


def _copied(file: Path) -> tuple[Path, Path]:
    """A private copy of a database that may not be written to, with what its write-ahead log still holds."""
    place = Path(tempfile.mkdtemp(prefix="lowkey-"))
    for ending in ("", "-wal"):
        if (source := file.with_name(file.name + ending)).exists():
            shutil.copyfile(source, place / source.name)
    return place, place / file.name


@contextmanager
def _understood(folder: Path) -> Iterator[None]:
    """What reading a session's database raises, as ours: StoreError, or Damaged for what only damage can bring about."""
    try:
        yield
    except sqlite3.Error as error:
        raise _refused(error, folder) from None
    except UnicodeDecodeError:  # Python cannot even say what SQLite said of it
        raise Damaged("its tables have no readable names") from None
    except MemoryError:  # a damaged length: SQLite asks for as much
        raise Damaged("a row in it is longer than any memory") from None


def _refused(error: sqlite3.Error, folder: Path) -> StoreError:
    """SQLite's word for it as ours. Result codes: sqlite.org/rescode.html."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            text = f"another lowkey has been writing to {folder} for more than {BUSY_S:g} s; wait for it, or stop it"
            return StoreError("session-busy", text)
        case sqlite3.SQLITE_FULL:
            return StoreError("disk-full", f"the session was not written: no space left in {folder}; free some and run it again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError("folder-read-only", f"the session in {folder} may not be written to; choose another folder")
        case sqlite3.SQLITE_IOERR:
            return StoreError("write-failed", f"the disk of {folder} failed while the session was written: {error}")
    return Damaged(str(error)[:120])
