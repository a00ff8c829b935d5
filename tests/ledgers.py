"""A ledger in a file that keeps the protocol's promise: every call is on disk when it returns."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from lowkey.engines import Job
from lowkey.errors import EngineError

OPEN = ("intended", "submitted")


class FileLedger:
    """One line a call, synced; the last line of a job is the job."""

    def __init__(self, path: Path, budget_usd: str = "1000", frame: Path | None = None) -> None:
        """`frame` is where the session keeps what was made: a job that is done and has no frame there is still to be had."""
        self.path, self.budget_usd, self.frame = path, Decimal(budget_usd), frame

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def jobs(self) -> list[Job]:
        last: dict[int, dict[str, Any]] = {}
        for line in self.lines():
            last[line["number"]] = line
        return [self._job(line) for line in last.values()]

    def find(self, shot: str, engine: str) -> Job | None:
        unkept = self.frame is not None and not self.frame.exists()
        found = [job for job in self.jobs() if (job.shot, job.engine) == (shot, engine)]
        found = [job for job in found if job.state in OPEN or (job.state == "done" and unkept)]
        return replace(found[-1], state="submitted") if found and found[-1].state == "done" else found[-1] if found else None

    def intend(
        self, shot: str, engine: str, estimate_usd: Decimal, *, id: str = "", url: str = "", detail: Mapping[str, Any] | None = None
    ) -> Job:
        spent = sum((job.cost_usd if job.cost_usd is not None else job.estimate_usd for job in self.jobs()), Decimal(0))
        if spent + estimate_usd > self.budget_usd:
            raise EngineError("over-budget", f"{spent} of {self.budget_usd} dollars are spent, and this takes about {estimate_usd}")
        number = 1 + max((line["number"] for line in self.lines()), default=0)
        job = Job(shot, engine, "intended", id, url, estimate_usd, None, {**(detail or {}), "number": number})
        return self._kept(job)

    def submitted(self, job: Job, *, id: str, url: str = "", cost_usd: Decimal | None = None) -> Job:
        return self._kept(replace(job, state="submitted", id=id, url=url or job.url, cost_usd=cost_usd))

    def close(self, job: Job, state: str, *, cost_usd: Decimal | None = None, why: str = "") -> Job:
        cost = cost_usd if cost_usd is not None else job.cost_usd
        return self._kept(replace(job, state=state, cost_usd=cost, detail={**job.detail, "why": why}))

    def _kept(self, job: Job) -> Job:
        said = asdict(job) | {"number": job.detail["number"]}
        with self.path.open("a") as file:
            file.write(json.dumps(said, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return job

    @staticmethod
    def _job(line: dict[str, Any]) -> Job:
        cost = None if line["cost_usd"] is None else Decimal(line["cost_usd"])
        return Job(
            line["shot"], line["engine"], line["state"], line["id"], line["url"], Decimal(line["estimate_usd"]), cost, line["detail"]
        )
