"""The record of a shoot: what was asked, what was read, what came back. One JSON file, rewritten whole after every frame."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lowkey import look as looks
from lowkey.frame import Frame
from lowkey.look import Look
from lowkey.meter.spread import Move
from lowkey.meter.verdict import Verdict
from lowkey.photo import write_whole
from lowkey.plate.plate import Caution, Plate

VERSION = 1


class Record:
    """Kept while frames come in; `write` puts it on disk whole, so what is on disk is always true."""

    def __init__(
        self,
        path: Path,
        version: str,
        plate: Plate,
        look: Look,
        seeds: Sequence[int],
        size_px: tuple[int, int],
        face: int | None = None,
    ) -> None:
        self.path = path
        photo = plate.photo
        self.data: dict[str, Any] = {
            "lowkey_record": VERSION,
            "lowkey": version,
            "state": "shooting",
            "photo": {
                "stem": photo.stem,
                "sha256": photo.hash,
                "size_px": photo.size_px,
                "face": face,
                "captured": dict(photo.captured),
                "notes": photo.notes,
            },
            "plate": {
                "read_by": dict(plate.read_by),
                "confidence": plate.confidence,
                "found_light": plate.found_light,
                "pose": plate.pose,
            },
            "look": looks.to_mapping(look),
            "seeds": list(seeds),
            "size_px": size_px,
            "warnings": [],
            "frames": [],
            "composition": [],
            "sheet": None,
        }

    def warn(self, cautions: Sequence[Caution]) -> None:
        self.data["warnings"] = [{"code": caution.code, "text": caution.text} for caution in cautions]

    def add(self, frame: Frame, file: Path, verdict: Verdict | None = None, takes: Sequence[Mapping[str, Any]] = ()) -> None:
        """One finished frame that lies on disk at `file`, what the meter said of it, and every take that led to it (`take`)."""
        self.data["frames"].append(
            {
                "file": file.name,
                "sha256": sha256_of(file),
                "seed": frame.shot.seed,
                "shot": frame.shot.hash(),
                "took_s": round(frame.took_s, 3),
                "framing": frame.shot.framing,
                "remedies": list(frame.shot.remedies),
                "meter": judged(verdict) if verdict else None,
                "takes": list(takes),
                "honours": dict(frame.honours),
                "edits": list(frame.edits),
                "placement": frame.placement,
                "rig": frame.rig,
                "engine": frame.engine_version,
                "notes": dict(frame.notes),
            }
        )
        self.write()

    def rank(self, places: Sequence[int | None]) -> None:
        """The place of each frame among its fellows by the meter; a person's stars are kept elsewhere."""
        for row, place in zip(self.data["frames"], places, strict=True):
            if row["meter"]:
                row["meter"]["rank"] = place

    def compose(self, moves: Sequence[Move]) -> None:
        """How far the head moves from frame to frame."""
        self.data["composition"] = [move.to_json() for move in moves]

    def finish(self, state: str, sheet: Path | None) -> None:
        """`state` is "done", "interrupted" or "failed"."""
        self.data["state"] = state
        self.data["sheet"] = sheet.name if sheet else None
        self.write()

    def write(self) -> None:
        text = json.dumps(plain(self.data), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_whole(self.path, text.encode("utf-8", "backslashreplace"))


def judged(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the record holds it: the rows of `lowkey meter --json`, each with what was read and what was asked."""
    rows = [
        {**row.to_json(), "value": row.value, "target": row.target.said}
        for row in verdict.rows
    ]
    reported = [{"measure": measure, "why": why} for measure, why in verdict.reported]
    return {
        "headline": verdict.headline,
        "score": verdict.score,
        "passed": verdict.passed,
        "rank": None,
        "verdict": rows,
        "reported": reported,
    }


def take(frame: Frame, verdict: Verdict, file: Path, folder: Path) -> dict[str, Any]:
    """One attempt at a frame: where it lies, what it was shot with and what it kept."""
    return {
        "file": file.relative_to(folder).as_posix(),
        "shot": frame.shot.hash(),
        "remedies": list(frame.shot.remedies),
        "rig": frame.rig,
        "meter": judged(verdict),
        "prescribed": list(verdict.remedies),
    }


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
    return value


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
