"""lowkey shoot: a progress bar with the time left, warnings in words, and the contact sheet's name last."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from lowkey.cli.said import warn
from lowkey.look import Look
from lowkey.session import Shoot, shoot


def run(photo: Path, *, look: Look, as_json: bool, **asked: Any) -> None:
    if photo.is_dir() or photo.suffix.lower() == ".csv":
        from lowkey.cli import batching

        raise typer.Exit(batching.run(photo, look, as_json, **asked))
    start = time.perf_counter()
    with Bar() as bar:
        done = shoot(photo, look=look, progress=bar.step, **asked)
    took = time.perf_counter() - start
    for caution in done.warnings:
        warn(caution)
    if as_json:
        frames = [
            {"path": str(one.path), "seed": one.seed, "took_s": round(one.took_s, 3), "honours": dict(one.honours)} for one in done.frames
        ]
        warnings = [{"code": caution.code, "text": caution.text} for caution in done.warnings]
        answer = {"sheet": str(done.sheet), "record": str(done.record), "warnings": warnings, "frames": frames}
        print(json.dumps(answer, ensure_ascii=False))
        return
    count = len(done.frames)
    there = f" ({count - done.made} of them there already)" if done.made < count else ""
    print(f"{count} frame{'s' if count > 1 else ''}{there} in {took:.0f} s: {done.folder}{os.sep}")
    if done.cost_usd:
        print(f"the session has cost ${done.cost_usd:.3f} so far")
    for line in _metered(done):
        print(line)
    print(f"contact sheet: {done.sheet}")


def again(frame: Path, photo: Path | None, out: Path | None, as_json: bool) -> None:
    """One frame from its own file, and whether it is the same."""
    from lowkey.session import resuming

    made = resuming.again(frame, photo, out)
    if as_json:
        print(json.dumps({"path": str(made.path), "same": made.same}, ensure_ascii=False))
    else:
        print(f"{made.path}: {'the same bytes' if made.same else 'not the same bytes (another machine, or another version of lowkey)'}")


def _metered(done: Shoot) -> list[str]:
    """The best frame, and how many kept everything, at the first take and in the end."""
    metered = [one for one in done.frames if one.verdict]
    scored = [(one, one.verdict) for one in metered if one.verdict and one.verdict.score is not None]
    if not scored:
        return ["the meter: less than half of the look could be judged"] if metered else []
    best, verdict = max(scored, key=lambda pair: pair[1].score or 0.0)
    passed = [one for one, said in scored if said.passed]
    first = sum(one.takes == 1 for one in passed)
    retaken = f", {len(passed)} after retakes" if any(one.takes > 1 for one in metered) else ""
    return [
        f"best by the meter: {best.path.name}, {verdict.headline}",
        f"kept everything at the first take: {first} of {len(scored)}{retaken}",
    ]


class Bar:
    """A progress bar on standard error, and the time left, judged by the frames already made."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        texts = [TextColumn(text) for text in ("{task.description}", "{task.completed}/{task.total}", "{task.fields[left]}")]
        columns = (texts[0], BarColumn(), *texts[1:])
        self._bar = Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("starting", total=None, left="")
        self._marks: list[float] = []

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, done: int, total: int, what: str) -> None:
        """`done` of `total` steps are behind us and `what` comes next; the first step is the reading, the last the sheet."""
        if done >= len(self._marks):  # an engine may say more than once how far it is
            self._marks.append(time.perf_counter())
        self._bar.update(self._task, completed=done, total=total, description=what, left=time_left(self._marks, total))


def time_left(marks: list[float], total: int) -> str:
    """In words, from the moments at which each step began: nothing until one frame is made, for the first is the slowest."""
    frames = [after - before for before, after in pairwise(marks[1:])]
    left = total - len(marks) + 1
    if not frames or left < 1:
        return ""
    # The first frame also dresses and warms up: once there is a second, it no longer counts.
    each = statistics.median(frames[1:] or frames)
    seconds = max(round(each * (left - 1) + 1), 1)
    return f"about {seconds} s left" if seconds < 90 else f"about {round(seconds / 60)} min left"
