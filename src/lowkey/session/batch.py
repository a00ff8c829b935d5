"""A batch: a folder of photos, or a CSV with a line a client. Each gets a session of its own, and a bad one never stops the rest.

Clients are shot in a worker process of its own: should a reader crash, only that client fails and a new worker goes on.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey import photo
from lowkey.errors import Bug, LookError, LowkeyError
from lowkey.look import Look
from lowkey.photo import safe_stem

MOST_CLIENTS = 5000
LARGEST_CSV_BYTES = 4_000_000
COLUMNS = ("photo", "person", "look", *looks.VARIABLES, "stock", "seeds", "face", "out")


@dataclass(frozen=True)
class Client:
    """One line of a batch."""

    photo: Path
    out: Path
    person: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    """Look, variables and stock of its own; what is not here is the batch's."""
    seeds: str | None = None
    face: int | None = None
    problem: str = ""
    """Why it cannot be shot at all, when its line is wrong."""


@dataclass(frozen=True)
class Outcome:
    """What came of one client."""

    photo: Path
    folder: Path
    frames: int = 0
    made: int = 0
    code: str = ""
    """Empty when it worked; else the stable code of what went wrong."""
    why: str = ""


def clients(source: Path, out: Path | None = None) -> list[Client]:
    """The clients of a folder (each photo is one) or of a CSV file, in order. Raises LookError `bad-batch`."""
    base = out if out is not None else Path()
    if source.is_dir():
        found = [file for file in sorted(source.iterdir()) if file.suffix.lower() in photo.ENDINGS and not file.name.startswith(".")]
        if not found:
            raise LookError("bad-batch", f"{source} holds no photos")
        return _apart([Client(file, base / f"{safe_stem(file)}_lowkey") for file in found])
    return _apart(read_csv(source, base))


def read_csv(file: Path, base: Path) -> list[Client]:
    """A CSV with a heading: photo, and any of person, look, the five variables, stock, seeds, face, out."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_CSV_BYTES + 1)
    except OSError as error:
        raise LookError("bad-batch", f"{file} cannot be read: {error.strerror or error}") from None
    if len(data) > LARGEST_CSV_BYTES:
        raise LookError("bad-batch", f"{file.name} is larger than a batch can be ({LARGEST_CSV_BYTES // 1_000_000} MB)")
    return parse_csv(data, file.parent, base, file.name)


def parse_csv(data: bytes, beside: Path, base: Path, name: str = "the CSV") -> list[Client]:
    """The clients of a CSV's bytes; photos are looked for `beside` it, sessions go below `base`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LookError("bad-batch", f"{name} is not UTF-8 text; save it as CSV UTF-8") from None
    try:
        comma = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
        rows = list(csv.DictReader(io.StringIO(text), delimiter=comma, strict=True))
    except (csv.Error, ValueError) as error:
        raise LookError("bad-batch", f"{name} is not CSV: {str(error)[:120]}") from None
    heading = [str(column).strip().lower() for column in (rows[0] if rows else {}) if column is not None]
    if "photo" not in heading:
        raise LookError("bad-batch", f"{name} needs a heading with a column called photo, and a line a client")
    if unknown := [column for column in heading if column not in COLUMNS]:
        raise LookError("bad-batch", f'{name} has a column "{unknown[0][:40]}"; the columns are: {", ".join(COLUMNS)}')
    if len(rows) > MOST_CLIENTS:
        raise LookError("bad-batch", f"{name} has {len(rows)} lines; a batch takes {MOST_CLIENTS} at most")
    return [_client(row, beside, base, line) for line, row in enumerate(rows, 2)]


def _client(row: Mapping[Any, Any], beside: Path, base: Path, line: int) -> Client:
    """One line; what is wrong with it is said when its turn comes, so that it stops nobody else."""
    given = {str(key).strip().lower(): value.strip() for key, value in row.items() if key is not None and isinstance(value, str)}
    cells = {key: value for key, value in given.items() if value}
    said = cells.get("photo", "")
    out = cells.get("out")
    # A root has no name: nobody's folder, and nothing that a second one could be told apart from.
    named = bool(out and "\0" not in out and (base / out).name)
    place = base / str(out) if named else base / f"{safe_stem(said or f'line {line}')}_lowkey"
    if row.get(None):
        return Client(Path(said or f"line {line}"), place, problem=f"line {line} has more cells than the heading")
    if not said or "\0" in said:
        return Client(Path(f"line {line}"), place, problem=f"line {line} names no photo")
    if out and not named:
        return Client(beside / said, place, problem=f"line {line}: out is a client's folder, not {out[:40]!r}")
    face = cells.get("face")
    if face is not None and not (face.isascii() and face.isdigit() and 1 <= int(face[:6]) <= 999):
        return Client(beside / said, place, problem=f"line {line}: a face is a number from 1, not {face[:20]!r}")
    words = {name: cells[name] for name in ("look", *looks.VARIABLES, "stock") if name in cells}
    return Client(beside / said, place, cells.get("person"), words, cells.get("seeds"), int(face) if face else None)


def _apart(found: Sequence[Client]) -> list[Client]:
    """No two clients share a folder, unless their lines say so for the same photo."""
    held: dict[Path, Path] = {}
    apart = []
    for one in found:
        out, number = one.out, 2
        while held.get(out, one.photo) != one.photo:
            out = one.out.with_name(f"{one.out.name}_{number}")
            number += 1
        held[out] = one.photo
        apart.append(Client(one.photo, out, one.person, one.words, one.seeds, one.face, one.problem))
    return apart


def look_of(client: Client, base: Look) -> Look:
    """The batch's look with the client's own words."""
    words: dict[str, Any] = {name: text for name, text in client.words.items() if name != "look"}
    return (looks.find(client.words["look"]) if "look" in client.words else base).but(**words)


def run(
    several: Sequence[Client],
    look: Look,
    asked: Mapping[str, Any],
    *,
    seeds: Callable[[str], Any] = int,
    apart: bool = True,
    begun: Callable[[int, Client], None] = lambda *_: None,
) -> Iterator[Outcome]:
    """Shoot each client in turn. `seeds` reads a line's seeds; `apart` shoots in a process of its own, which a crash may end."""
    worker: ProcessPoolExecutor | None = None
    try:
        for index, one in enumerate(several):
            begun(index, one)
            try:
                job = _job(one, look, asked, seeds)
                if not apart:
                    yield _shot(one, job)
                    continue
                worker = worker or ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
                yield worker.submit(_shot, one, job).result()
            except LowkeyError as error:
                yield Outcome(one.photo, one.out, code=error.code, why=error.message)
            except BrokenProcessPool:
                worker = None
                yield Outcome(one.photo, one.out, code="worker-died", why="the process that shot it died: a crash, or too little memory")
    finally:
        if worker is not None:
            worker.shutdown(wait=False, cancel_futures=True)


def _job(client: Client, look: Look, asked: Mapping[str, Any], seeds: Callable[[str], Any]) -> dict[str, Any]:
    if client.problem:
        raise LookError("bad-line", client.problem)
    own = {"seeds": seeds(client.seeds)} if client.seeds else {}
    face = {"face": client.face} if client.face else {}
    # A line that names a light, or a look and so its light, is obeyed.
    free = bool(asked.get("either_side")) and not {"look", "light"} & client.words.keys()
    named = {"look": look_of(client, look), "either_side": free}
    return {**asked, **named, **own, **face, "person": client.person, "out": client.out}


def _shot(client: Client, job: dict[str, Any]) -> Outcome:
    """In the worker: whatever goes wrong with one client becomes a line of the table."""
    from lowkey.session.shooting import shoot

    try:
        done = shoot(client.photo, **job)
    except LowkeyError as error:
        return Outcome(client.photo, client.out, code=error.code, why=error.message)
    except MemoryError:
        return Outcome(client.photo, client.out, code="out-of-memory", why="not enough memory for this photo and size")
    except Exception as error:
        bug = Bug("bug", f"this is a fault of lowkey, not yours: {type(error).__name__}: {str(error)[:200]}")
        return Outcome(client.photo, client.out, code=bug.code, why=bug.message)
    return Outcome(client.photo, client.out, len(done.frames), done.made)
