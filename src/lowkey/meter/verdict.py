"""JUDGE: a reading against a spec. What was kept, what was missed by how much, why it matters, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lowkey.meter.reading import CannotJudge, Reading
from lowkey.spec import Remedy, Spec, Target, merged

DOUBT = 1.0
"""A value outside its range by no more than this many of its own standard errors counts as kept: the meter may be wrong."""
KEPT_CREDIT, MISSED_CREDIT = 0.9, 0.6
"""What a target at the very edge of its range is worth, kept and missed; a miss of one slack is worth half of the second."""


@dataclass(frozen=True)
class Row:
    """One target against what was read."""

    target: Target
    value: float | str | None
    """None where it could not be judged."""
    kept: bool | None
    """None where it could not be judged."""
    short_by: float | None
    """How far outside the range, in the target's unit, never negative; a wrong word is 1."""
    why: str
    """Why the target matters; where it could not be judged, why not."""
    remedy: Remedy | None
    """None where it was kept, where it could not be judged, and where nothing is known to help."""
    credit: float | None
    """0..1, what this row brings to the score."""

    @property
    def measure(self) -> str:
        return self.target.measure

    def to_json(self) -> dict[str, Any]:
        remedy = None
        if self.remedy:
            remedy = {"name": self.remedy.name, "size": _plain(self.remedy.size), "unit": self.remedy.unit}
        short_by = None if self.short_by is None else _plain(self.short_by)
        return {"measure": self.measure, "kept": self.kept, "short_by": short_by, "why": self.why, "remedy": remedy}


@dataclass(frozen=True)
class Verdict:
    """What one frame kept of the promise."""

    rows: tuple[Row, ...]
    reported: tuple[tuple[str, str], ...] = ()
    """Measures that are told and not judged, each with the reason."""

    @property
    def judged(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.kept is not None)

    @property
    def missed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.kept is False)

    @property
    def kept(self) -> int:
        return sum(row.kept is True for row in self.rows)

    @property
    def score(self) -> float | None:
        """0..1: the mean of what each judged row brings; None when less than half of the targets could be judged."""
        judged = self.judged
        if not judged or 2 * len(judged) < len(self.rows):
            return None
        return round(sum(row.credit or 0.0 for row in judged) / len(judged), 4)

    @property
    def passed(self) -> bool | None:
        """Whether nothing that could be judged was missed; None when less than half could be judged."""
        return None if self.score is None else not self.missed

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What to change in the next take: each remedy once, the largest size asked for, and none that has to wait for another."""
        largest: dict[str, float] = {}
        for row in self.missed:
            if row.remedy:
                largest[row.remedy.name] = max(largest.get(row.remedy.name, 0.0), row.remedy.size)
        asked = merged(Remedy(name, size) for name, size in largest.items())
        return tuple(one for one in asked if not set(one.after) & set(largest))

    @property
    def headline(self) -> str:
        """ "kept 9 of 11", of what could be judged."""
        judged = len(self.judged)
        unseen = len(self.rows) - judged
        return f"kept {self.kept} of {judged}" + (f" ({unseen} cannot be judged)" if unseen else "")

    def to_json(self) -> list[dict[str, Any]]:
        """The rows, as `lowkey meter --json` gives them."""
        return [row.to_json() for row in self.rows]


def judge(reading: Reading, spec: Spec) -> Verdict:
    """Hold a reading against a promise, target by target."""
    return Verdict(tuple(_row(target, reading) for target in spec.targets), spec.reported)


def ranked(verdicts: Iterable[Verdict]) -> list[int | None]:
    """The place of each frame among its fellows, 1 is best; equal scores share a place, frames without a score have none."""
    scores = [verdict.score for verdict in verdicts]
    return [None if score is None else 1 + sum(other is not None and other > score for other in scores) for score in scores]


def described(reading: Reading, verdict: Verdict, name: str) -> str:
    """One JSON object a frame: what `lowkey meter --json` prints."""
    data = {"frame": name, **reading.to_json(), "verdict": verdict.to_json(), "score": verdict.score}
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _row(target: Target, reading: Reading) -> Row:
    found = reading.measures.get(target.measure, CannotJudge("not measured"))
    if isinstance(found, CannotJudge):
        return Row(target, None, None, None, found.reason, None, None)
    value = found.value if isinstance(found.value, str) else float(found.value)
    if found.sigma is not None and found.sigma > target.doubt:
        reason = f"read to within {found.sigma:.0f} {target.unit} only: too little to tell"
        return Row(target, None, None, None, reason, None, None)
    if value in target.unsure:
        return Row(target, None, None, None, f'the meter says "{value}": too little to tell', None, None)
    outside = target.short_by(value)
    short = abs(outside)
    kept = short <= DOUBT * max(found.sigma or 0.0, target.error)
    remedy = None if kept else target.remedy(value)
    if isinstance(value, float):
        value = target.turned(value)
    return Row(target, value, kept, short, target.why, remedy, _credit(target, value, short, kept))


def _credit(target: Target, value: float | str, short: float, kept: bool) -> float:
    """Kept rows bring more the further inside they lie, missed ones less the further outside: scores that can be ranked."""
    if not kept:
        return MISSED_CREDIT * target.slack / (target.slack + short)
    if isinstance(value, str) or target.low == target.high:
        return 1.0
    inside = min(value - target.low, target.high - value)
    return KEPT_CREDIT + (1 - KEPT_CREDIT) * min(max(inside / target.slack, 0.0), 1.0)


def _plain(value: float) -> float:
    return float(f"{value:.6g}")
