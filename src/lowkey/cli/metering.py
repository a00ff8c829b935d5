"""lowkey meter: what a frame kept of the look, what it missed and by how much, and what to change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lowkey.cli.said import warn
from lowkey.errors import LookError
from lowkey.meter import spread
from lowkey.meter.reading import CannotJudge
from lowkey.meter.verdict import Row, described
from lowkey.session.metering import Eyes, Metered, meter


def run(frames: list[Path], *, check: bool, as_json: bool, eyes: str | None, **asked: Any) -> int:
    """0, or with `check` 1 when a frame misses something or too little of it could be judged."""
    failed = 0
    readings = []
    for index, one in enumerate(meter(frames, eyes=_eyes(eyes), **asked)):
        failed += one.verdict.passed is not True
        readings.append(one.reading)
        for caution in one.cautions:
            warn(caution)
        if as_json:
            print(described(one.reading, one.verdict, str(one.path)), flush=True)
        else:
            if index:
                print()
            _told(one)
    if not as_json and (moves := spread(readings)):
        print(f"\ncomposition over {len(readings)} frames")
        for move in moves:
            said = f"moves by {_short(move.moves)} +- {move.sigma:.2g} (at most {move.most:g})"
            print(f"  {'ok' if move.kept else '!!'}  {move.measure:24s} {said}")
    return 1 if check and failed else 0


def _eyes(text: str | None) -> Eyes | None:
    if text is None:
        return None
    number = r"\s*-?\d{1,6}(?:\.\d{1,6})?\s*"
    if not re.fullmatch(rf"{number}(,{number}){{3}}", text, re.ASCII):
        raise LookError("bad-eyes", f'--eyes takes x,y of one eye and x,y of the other, such as 410,512,590,508; given: "{text[:40]}"')
    a, b, c, d = (float(part) for part in text.split(","))
    return a, b, c, d


def _told(one: Metered) -> None:
    verdict, low_key = one.verdict, one.reading.low_key
    score = "no score: less than half could be judged" if verdict.score is None else f"score {verdict.score:.3f}"
    key = {True: "low-key", False: "not low-key", None: "low-key or not: cannot be said"}[low_key]
    print(f"{one.path}: {verdict.headline}, {score}, {key}")
    for row in verdict.rows:
        print(f"  {_mark(row)}  {row.measure:24s} {_said(row, one)}")
    for measure, why in verdict.reported:
        print(f"  --  {measure:24s} not judged: {why}")


def _mark(row: Row) -> str:
    return {True: "ok", False: "!!", None: "??"}[row.kept]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _said(row: Row, one: Metered) -> str:
    if row.kept is None or row.value is None:
        return f"cannot judge: {row.why}"
    found = one.reading.measures[row.measure]
    assert not isinstance(found, CannotJudge)
    doubt = max(found.sigma or 0.0, row.target.error)
    error = f" +- {doubt:.2g}" if doubt else ""
    assert row.value is not None  # what could be judged has a value
    value = row.value if isinstance(row.value, str) else f"{_short(row.value)}{error}"
    text = f"{value} ({row.target.said})"
    if row.kept:
        return text
    remedy = ""
    if row.remedy:
        unit = "stop" if row.remedy.size == 1 and row.remedy.unit == "stops" else row.remedy.unit
        size = f" by {row.remedy.size:.2g} {unit}" if unit else ""
        remedy = f"; {row.remedy.name}{size}: {row.remedy.does}"
    return f"{text}: {row.why}{remedy}"
