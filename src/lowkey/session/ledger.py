"""What engines are about to spend, written down before they do: the `Ledger` that they are handed.

A job that is done is still handed out by `find` until its picture lies on disk: if the process dies between paying and keeping,
the next one asks the service for what was paid instead of paying again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from lowkey.engines import Job
from lowkey.errors import Bug, EngineError
from lowkey.session.store import Store, said, told

_OPEN = ("intended", "submitted")
_ENDS = ("done", "failed", "refused")


class SessionLedger:
    """The jobs of one session. `scope` tells apart what shots alone do not (which face, with or without a guide)."""

    def __init__(self, store: Store, *, scope: str = "", budget_usd: Decimal | None = None) -> None:
        self._store, self._scope, self._budget = store, scope, budget_usd

    def find(self, shot: str, engine: str) -> Job | None:
        """The latest job of this shot that is to be resumed: it has not ended, or what it made has not been kept yet."""
        rows = self._store.rows(
            "SELECT * FROM jobs WHERE scope = ? AND shot = ? AND engine = ? AND (state IN (?, ?) OR (state = 'done' AND kept = 0))"
            " ORDER BY id DESC LIMIT 1",
            self._scope, shot, engine, *_OPEN,
        )  # fmt: skip
        if not rows:
            return None
        job = _job(rows[0])
        return replace(job, state="submitted") if job.state == "done" else job

    def intend(
        self, shot: str, engine: str, estimate_usd: Decimal, *, id: str = "", url: str = "", detail: Mapping[str, Any] | None = None
    ) -> Job:
        """Note a request before it is sent. Raises EngineError `over-budget` when the budget would be passed."""
        with self._store.writing("intend") as db:
            if self._budget is not None:
                spent = _spent(db)
                if spent + estimate_usd > self._budget:
                    text = f"a take of about ${estimate_usd:.3f} would pass the budget of ${self._budget}"
                    way = "nothing was sent. Raise --budget, or shoot fewer seeds"
                    raise EngineError("over-budget", f"{text}: ${spent:.3f} is spent in this session; {way}")
            number = db.execute(
                "INSERT INTO jobs (scope, shot, engine, state, remote, url, estimate, detail) VALUES (?, ?, ?, 'intended', ?, ?, ?, ?)",
                (self._scope, shot, engine, id, url, str(estimate_usd), said(dict(detail or {}))),
            ).lastrowid
            return _job(db.execute("SELECT * FROM jobs WHERE id = ?", (number,)).fetchone())

    def submitted(self, job: Job, *, id: str, url: str = "", cost_usd: Decimal | None = None) -> Job:
        """The service has the job under this id."""
        return self._change(job, "submitted", remote=id, url=url or job.url, cost=cost_usd)

    def close(self, job: Job, state: str, *, cost_usd: Decimal | None = None, why: str = "") -> Job:
        """The job has ended: "done", "failed" or "refused"."""
        if state not in _ENDS:
            raise Bug("ledger", f"a job ends as one of {', '.join(_ENDS)}, not {state!r:.40}")
        return self._change(job, state, why=why, cost=cost_usd)

    def spent(self) -> Decimal:
        """Dollars: what is known to have been paid, and the estimates of what is under way."""
        return _spent_rows(self._store.rows("SELECT state, estimate, cost FROM jobs"))

    def _change(self, job: Job, state: str, *, cost: Decimal | None, **values: str) -> Job:
        with self._store.writing(f"job-{state}") as db:
            row = db.execute(
                "SELECT * FROM jobs WHERE scope = ? AND shot = ? AND engine = ? AND kept = 0 ORDER BY id DESC LIMIT 1",
                (self._scope, job.shot, job.engine),
            ).fetchone()
            if row is None:
                raise Bug("ledger", f"no job of {job.engine} for this shot was intended")
            db.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, row["id"]))
            for name, value in values.items():
                db.execute(f"UPDATE jobs SET {name} = ? WHERE id = ?", (value, row["id"]))
            if cost is not None:
                db.execute("UPDATE jobs SET cost = ? WHERE id = ?", (str(cost), row["id"]))
            return _job(db.execute("SELECT * FROM jobs WHERE id = ?", (row["id"],)).fetchone())


def _job(row: sqlite3.Row) -> Job:
    detail = told(row["detail"], {})
    cost = None if row["cost"] is None else _dollars(row["cost"])
    page = detail if isinstance(detail, dict) else {}
    return Job(row["shot"], row["engine"], row["state"], row["remote"], row["url"], _dollars(row["estimate"]), cost, page)


def _spent(db: sqlite3.Connection) -> Decimal:
    return _spent_rows(db.execute("SELECT state, estimate, cost FROM jobs").fetchall())


def _spent_rows(rows: list[sqlite3.Row]) -> Decimal:
    total = Decimal(0)
    for row in rows:
        if row["cost"] is not None:
            total += _dollars(row["cost"])
        elif row["state"] not in ("failed", "refused"):
            total += _dollars(row["estimate"])
    return total


def _dollars(text: str) -> Decimal:
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)
