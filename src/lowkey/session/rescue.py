"""A session whose database is damaged or gone, built anew from its files: the record, the frames' own texts, the files' hashes.

What could not be brought back is named. The damaged database is kept beside the new one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lowkey import faults
from lowkey import look as looks
from lowkey.errors import LookError, StoreError
from lowkey.photo.writing import refusal
from lowkey.session import files, metadata, record
from lowkey.session.store import NAME, Store, said

_TEXT, _HASH = 400, re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Rescued:
    """What came of it."""

    frames: int
    lost: tuple[str, ...]
    """Each thing that could not be brought back, in a line."""


def move_aside(folder: Path) -> Path:
    """The damaged database under another name, so that nothing of it is lost; the new name of its main file."""
    for number in range(1, 10_000):
        target = folder / f"{NAME}.damaged-{number}"
        if not target.exists():
            break
    try:
        for ending in ("-wal", "-shm", ""):
            source = folder / (NAME + ending)
            if source.exists():
                faults.point("rescue.set-aside")
                source.rename(target.with_name(target.name + ending))
    except OSError as error:
        raise refusal(error, folder / NAME) from None
    return target


def fill(store: Store, *, damaged: bool) -> Rescued:
    """Fill an empty database from what lies in its folder, in one transaction."""
    told = record.read(store.folder)
    rows = [row for row in told.get("frames", []) if isinstance(row, dict)]
    setups = told.get("setups")
    lost: list[str] = []
    if damaged and not told:
        lost.append("the record (record.json) is missing or unreadable: stars, notes, readings and jobs could not be brought back")
    with store.writing("rescue") as db:
        if db.execute("SELECT count(*) FROM setups").fetchone()[0]:
            return Rescued(0, ())  # another process has been quicker
        for name in ("photo", "plate", "person", "started", "lowkey"):
            if name in told:
                db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, said(record.plain(told[name]))))
        numbers = _setups(db, told, setups if isinstance(setups, list) else [], rows)
        count = 0
        for row in rows:
            count += _frame(db, store.folder, row, numbers, lost)
        count += _carried(db, store.folder)
        _jobs(db, told.get("jobs"), lost)
        for name, one in _mapping(told.get("files")).items():
            if isinstance(one, dict) and _HASH.fullmatch(str(one.get("sha256"))) and _within(store.folder, name):
                db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, str(one.get("kind", ""))[:40], one["sha256"]))
    return Rescued(count, tuple(lost))


def _setups(db: sqlite3.Connection, told: Mapping[str, Any], setups: list[Any], rows: list[dict[str, Any]]) -> dict[Any, int]:
    """The setups of the record, by the number it calls them; of an older record, its one look."""
    numbers: dict[Any, int] = {}
    for one in setups:
        if isinstance(one, dict) and isinstance(one.get("key"), str) and type(one.get("setup")) is int:
            page = {name: value for name, value in one.items() if name not in ("setup", "state", "sheet")}
            values = (one["key"][:100], said(record.plain(page)), str(one.get("state"))[:20], _text(one.get("sheet")))
            found = db.execute("INSERT OR IGNORE INTO setups (key, page, state, sheet) VALUES (?, ?, ?, ?)", values).lastrowid
            numbers[one["setup"]] = int(found or 0)
    if not numbers and rows:
        page = {"look": told.get("look", {}), "size_px": told.get("size_px", []), "seeds": told.get("seeds", []), "key": "older"}
        values = ("older", said(record.plain(page)), str(told.get("state"))[:20], _text(told.get("sheet")))
        found = db.execute("INSERT INTO setups (key, page, state, sheet) VALUES (?, ?, ?, ?)", values).lastrowid
        numbers[None] = int(found or 0)
    return numbers


def _frame(db: sqlite3.Connection, folder: Path, row: Mapping[str, Any], numbers: Mapping[Any, int], lost: list[str]) -> int:
    """One frame of the record; 1 when its file is there as it was."""
    name, sha256, seed, setup = row.get("file"), row.get("sha256"), row.get("seed"), numbers.get(row.get("setup"))
    good = isinstance(name, str) and isinstance(sha256, str) and _HASH.fullmatch(sha256) and type(seed) is int and setup
    if not good or not isinstance(name, str) or not _within(folder, name):
        lost.append(f"a frame of the record that cannot be: {str(name)[:60]!r}")
        return 0
    ours = ("file", "sha256", "look", "size_px", "setup", "stars", "rejected", "note", "cost_usd")
    page = {key: value for key, value in row.items() if key not in ours}
    stars, note, rejected = row.get("stars"), row.get("note"), row.get("rejected") is True
    db.execute(
        "INSERT OR IGNORE INTO frames (setup, seed, shot, file, sha256, page, stars, rejected, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            setup, seed, str(row.get("shot"))[:100], name, sha256, said(record.plain(page)),
            stars if type(stars) is int and 0 <= stars <= 5 else 0, rejected, note[:_TEXT] if isinstance(note, str) else "",
        ),
    )  # fmt: skip
    if files.intact(folder / name, str(sha256)):
        return 1
    lost.append(f"{name}: {'changed since it was recorded' if (folder / name).exists() else 'its file is missing'}")
    return 0


def _carried(db: sqlite3.Connection, folder: Path) -> int:
    """Frames that lie in the folder and that the record does not know, by what they carry themselves."""
    known = {row["file"] for row in db.execute("SELECT file FROM frames")}
    count = 0
    for file in sorted(folder.glob("*.png")):
        if file.name in known:
            continue
        try:
            found = metadata.of(file)
        except LookError:
            continue
        shot = found.shot
        page = {
            "key": f"carried-{shot.look}-{shot.size_px}-{shot.engine}-{shot.options}-{found.face}",
            "look": looks.to_mapping(shot.look), "size_px": shot.size_px, "engine": shot.engine,
            "options": shot.options, "face": found.face, "seeds": [shot.seed],
        }  # fmt: skip
        key = files.digest(str(page["key"]).encode())
        page["key"] = key
        db.execute("INSERT OR IGNORE INTO setups (key, page, state) VALUES (?, ?, 'done')", (key, said(record.plain(page))))
        setup = db.execute("SELECT id FROM setups WHERE key = ?", (key,)).fetchone()["id"]
        told = {"seed": shot.seed, "shot": shot.hash(), "engine": found.engine, "remedies": shot.remedies, "meter": None, "honours": {}}
        db.execute(
            "INSERT OR IGNORE INTO frames (setup, seed, shot, file, sha256, page) VALUES (?, ?, ?, ?, ?, ?)",
            (setup, shot.seed, shot.hash(), file.name, files.sha256_of(file), said(record.plain(told))),
        )
        db.execute("INSERT OR IGNORE INTO facts VALUES ('photo', ?)", (said({"sha256": shot.reference, "stem": ""}),))
        count += 1
    return count


def _jobs(db: sqlite3.Connection, jobs: Any, lost: list[str]) -> None:
    for job in jobs if isinstance(jobs, list) else []:
        try:
            values = [str(job[name])[:2000] for name in ("scope", "shot", "engine", "state", "remote", "url", "estimate", "why")]
            cost = None if job["cost"] is None else str(job["cost"])[:40]
            kept = job["kept"] is True
        except (KeyError, TypeError):
            lost.append("a job of an engine that the record does not describe whole")
            continue
        db.execute(
            "INSERT INTO jobs (scope, shot, engine, state, remote, url, estimate, why, cost, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, cost, kept),
        )


def _within(folder: Path, name: str) -> bool:
    try:
        files.inside(folder, name)
    except StoreError:
        return False
    return True


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value[:_TEXT] if isinstance(value, str) else None
