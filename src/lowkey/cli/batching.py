"""lowkey shoot FOLDER|CSV: client by client, and at the end a table of what worked and what did not, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lowkey.cli import asking
from lowkey.look import Look
from lowkey.session import batch

FAILED = 5
"""The exit code when some of a batch failed."""


def run(source: Path, look: Look, as_json: bool, *, out: Path | None, person: str | None, **asked: Any) -> int:
    """0 when every client was shot, 5 when some were not."""
    several = batch.clients(source, out)
    outcomes: list[batch.Outcome] = []

    def begun(index: int, client: batch.Client) -> None:
        if not as_json and sys.stderr.isatty():
            print(f"{index + 1} of {len(several)}: {client.photo.name}", file=sys.stderr)

    try:
        for one in batch.run(several, look, asked, seeds=asking.seeds, begun=begun):
            outcomes.append(one)
    except KeyboardInterrupt:
        if not as_json:
            _table(outcomes, len(several))
        raise
    failed = sum(bool(one.code) for one in outcomes)
    if as_json:
        rows = [
            {"photo": str(one.photo), "folder": str(one.folder), "frames": one.frames, "made": one.made, "error": _error(one)}
            for one in outcomes
        ]
        print(json.dumps({"clients": rows, "failed": failed}, ensure_ascii=False))
    else:
        _table(outcomes, len(several))
    return FAILED if failed else 0


def _error(one: batch.Outcome) -> dict[str, str] | None:
    return {"code": one.code, "message": one.why} if one.code else None


def _table(outcomes: list[batch.Outcome], asked: int) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("photo", "frames", "made now", "session, or what went wrong"):
        table.add_column(column, overflow="fold")
    for one in outcomes:
        last = f"{one.why} [{one.code}]" if one.code else str(one.folder)
        table.add_row(one.photo.name, "-" if one.code else str(one.frames), "-" if one.code else str(one.made), last)
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    good = sum(not one.code for one in outcomes)
    print(f"{good} of {asked} clients shot" + (f", {len(outcomes) - good} not" if good < len(outcomes) else ""))
