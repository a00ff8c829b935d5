"""The record: `record.json`, everything a session knows, for people and other programs to read.

The database decides; this is its readable copy, written whole after every change, and what a damaged database is rebuilt from.
No name of a place is in it, no time but the day the session began, and of a face no more than the distance that the meter read.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lowkey.frame import Frame
from lowkey.meter.reading import Measure, Reading
from lowkey.meter.spread import PLACES, Move, spread
from lowkey.meter.verdict import Verdict
from lowkey.plate.plate import Caution, Plate
from lowkey.session import files
from lowkey.session.store import FrameRow, SetupRow, Store

NAME = "record.json"
VERSION = 1
LARGEST_BYTES = 64_000_000


@dataclass(frozen=True)
class Judged:
    """What the meter said of a frame, as the record keeps it."""

    headline: str
    score: float | None
    passed: bool | None
    marks: tuple[bool | None, ...]
    """One for each target: True kept, False missed, None cannot be judged."""
    missed: tuple[str, ...] = ()
    """The measures that missed."""

    @classmethod
    def of(cls, told: Any) -> Judged | None:
        if not isinstance(told, Mapping):
            return None
        score, passed, rows = told.get("score"), told.get("passed"), told.get("verdict")
        rows = [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []
        marks = [row.get("kept") for row in rows]
        return cls(
            str(told.get("headline", "")),
            float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
            passed if isinstance(passed, bool) else None,
            tuple(mark if isinstance(mark, bool) else None for mark in marks),
            tuple(str(row.get("measure")) for row in rows if row.get("kept") is False),
        )


def photo_of(plate: Plate, face: int | None) -> dict[str, Any]:
    """What is kept of the photo and of what was read from it."""
    photo = plate.photo
    told = {
        "stem": photo.stem,
        "sha256": photo.hash,
        "size_px": photo.size_px,
        "face": face,
        "captured": dict(photo.captured),
        "notes": photo.notes,
    }
    read = {"read_by": dict(plate.read_by), "confidence": plate.confidence, "found_light": plate.found_light, "pose": plate.pose}
    return {"photo": plain(told), "plate": plain(read)}


def cautions(several: Sequence[Caution]) -> list[dict[str, str]]:
    return [{"code": caution.code, "text": caution.text} for caution in several]


def frame_page(
    frame: Frame, verdict: Verdict | None = None, takes: Sequence[Mapping[str, Any]] = (), reading: Reading | None = None
) -> dict[str, Any]:
    """One finished frame: what it was shot with, what the meter said of it, and every take that led to it (`take`)."""
    page = {
        "seed": frame.shot.seed,
        "shot": frame.shot.hash(),
        "took_s": round(frame.took_s, 3),
        "framing": frame.shot.framing,
        "remedies": list(frame.shot.remedies),
        "meter": judged(verdict, reading) if verdict else None,
        "takes": list(takes),
        "honours": dict(frame.honours),
        "edits": list(frame.edits),
        "placement": frame.placement,
        "rig": frame.rig,
        "engine": frame.engine_version,
        "notes": dict(frame.notes),
    }
    if frame.words is not None:
        page["words"] = dict(frame.words)
    found: dict[str, Any] = plain(page)
    return found


def judged(verdict: Verdict, reading: Reading | None = None) -> dict[str, Any]:
    """A verdict as the record holds it: the rows of `lowkey meter --json`, each with what was read and what was asked.

    With the reading also where the head stands, so that a session can say how far that moves from frame to frame.
    """
    rows = [{**row.to_json(), "value": row.value, "target": row.target.said} for row in verdict.rows]
    reported = [{"measure": measure, "why": why} for measure, why in verdict.reported]
    return {
        "headline": verdict.headline,
        "score": verdict.score,
        "passed": verdict.passed,
        "rank": None,
        "verdict": rows,
        "reported": reported,
        "places": {name: found.to_json() for name in PLACES if reading and isinstance(found := reading[name], Measure)},
    }


def take(frame: Frame, verdict: Verdict, file: str) -> dict[str, Any]:
    """One attempt at a frame: where it lies, what it was shot with and what it kept."""
    page: dict[str, Any] = plain(
        {
            "file": file,
            "shot": frame.shot.hash(),
            "remedies": list(frame.shot.remedies),
            "rig": frame.rig,
            "meter": judged(verdict),
            "prescribed": list(verdict.remedies),
        }
    )
    return page


# --- the whole page ----------------------------------------------------------------------------------------------------------


def write(store: Store) -> None:
    """Put the record on disk, as the database is now: two processes take turns, so that the later word stays."""
    with store.writing("record"):
        text = json.dumps(whole(store), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        files.write(store.folder, NAME, text.encode("utf-8", "backslashreplace"))


def whole(store: Store) -> dict[str, Any]:
    """The record as data. Its first lines are about the setup that was shot last; each frame names its own."""
    setups = {row.id: row for row in store.setups()}
    current = setups.get(store.fact("current", 0)) or next(iter(setups.values()), None)
    last = current.page if current else {}
    frames = [row for row in store.frames() if row.sha256 and row.owner is None]
    jobs = store.rows("SELECT * FROM jobs ORDER BY id")
    ranks = {row.id: place for one in setups for row, place in places([row for row in frames if row.setup == one])}
    spent = _spent(jobs)
    return {
        "lowkey_record": VERSION,
        "lowkey": store.fact("lowkey", ""),
        "state": current.state if current else "empty",
        "person": store.fact("person", ""),
        "started": store.fact("started", ""),
        "photo": store.fact("photo", {}),
        "plate": store.fact("plate", {}),
        "look": last.get("look", {}),
        "seeds": last.get("seeds", []),
        "size_px": last.get("size_px", []),
        "warnings": list(current.warnings) if current else [],
        "frames": [_frame(row, setups[row.setup], ranks.get(row.id), spent) for row in frames if row.setup in setups],
        "composition": [move.to_json() for move in _moves(row for row in frames if current and row.setup == current.id)],
        "sheet": current.sheet if current else None,
        "setups": [{"setup": row.id, "state": row.state, "sheet": row.sheet, **row.page} for row in setups.values()],
        "cost_usd": str(sum((float(job["cost"]) for job in jobs if job["cost"] is not None), 0.0)) if jobs else None,
        "jobs": [_job(job) for job in jobs],
        "files": {name: {"kind": kind, "sha256": sha256} for name, (kind, sha256) in store.files().items()},
    }


def _moves(rows: Iterable[FrameRow]) -> tuple[Move, ...]:
    """How far the head moves over the metered frames of one setup."""
    readings = []
    for row in rows:
        meter = row.page.get("meter")
        held = meter.get("places") if isinstance(meter, Mapping) else None
        if isinstance(held, Mapping):
            readings.append({name: Measure(one["value"], one["unit"], one["sigma"], one["region"]) for name, one in held.items()})
    return spread(readings)


def places(rows: Sequence[FrameRow]) -> list[tuple[FrameRow, int | None]]:
    """The place of each frame among its fellows by the meter, 1 is best; a person's stars have no part in it."""
    found = [Judged.of(row.page.get("meter")) for row in rows]
    scores = [one.score if one else None for one in found]
    return [
        (row, None if score is None else 1 + sum(other is not None and other > score for other in scores))
        for row, score in zip(rows, scores, strict=True)
    ]


def _frame(row: FrameRow, setup: SetupRow, place: int | None, spent: Mapping[str, float]) -> dict[str, Any]:
    page = dict(row.page)
    if isinstance(page.get("meter"), Mapping):
        page["meter"] = {**page["meter"], "rank": place}
    more = {"look": setup.page.get("look", {}), "size_px": setup.page.get("size_px", []), "setup": row.setup}
    by_hand = {"stars": row.stars, "rejected": row.rejected, "note": row.note}
    cost = {"cost_usd": spent[row.shot]} if row.shot in spent else {}
    return {"file": row.file, "sha256": row.sha256, **page, **more, **by_hand, **cost}


def _job(job: Any) -> dict[str, Any]:
    told = {name: job[name] for name in ("scope", "shot", "engine", "state", "remote", "url", "estimate", "cost", "why")}
    return {**told, "kept": bool(job["kept"])}


def _spent(jobs: Sequence[Any]) -> dict[str, float]:
    spent: dict[str, float] = {}
    for job in jobs:
        if job["cost"] is not None:
            spent[job["shot"]] = spent.get(job["shot"], 0.0) + float(job["cost"])
    return spent


def read(folder: Path) -> dict[str, Any]:
    """The record of a folder as data; empty when there is none, or it is none."""
    file = folder / NAME
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_BYTES:
            return {}
        told = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("frames", []), list) else {}


def plain(value: Any) -> Any:
    """Frozen values as JSON's own: dataclasses become objects, and numbers that JSON cannot say become words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "none" if value == -math.inf else "infinite" if value > 0 else None
    if isinstance(value, float):
        return round(value, 9)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)
