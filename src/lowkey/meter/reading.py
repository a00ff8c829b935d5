"""What a measurement says: a value with its unit, its uncertainty and its region, or why there is none."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Value = float | str | bool


@dataclass(frozen=True)
class Measure:
    """One number (or word) read from a picture."""

    value: Value
    unit: str
    """As the catalogue has it: deg, stops, share, codes, ... ; "word" and "yes/no" for values that are not numbers."""
    sigma: float | None
    """One standard error in the same unit; None where the value is counted or is a word."""
    region: str
    """Where it was read: face, shadow side, frame, background, ..."""

    @property
    def number(self) -> float:
        """The value as a float; a word is NaN."""
        return float("nan") if isinstance(self.value, str) else float(self.value)

    def to_json(self) -> dict[str, Any]:
        sigma = None if self.sigma is None else _plain(self.sigma)
        return {"value": _plain(self.value), "unit": self.unit, "sigma": sigma, "region": self.region}


@dataclass(frozen=True)
class CannotJudge:
    """Why this picture does not allow this measure."""

    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"cannot_judge": self.reason}


Found = dict[str, Measure | CannotJudge]
"""What one part of the meter has to say, by the measure's name."""


@dataclass(frozen=True)
class Definition:
    """One line of the catalogue."""

    name: str
    group: str
    unit: str
    meaning: str
    source: str
    """The literature or standard it is taken from; empty where lowkey defines it."""


@dataclass(frozen=True)
class Reading:
    """All that was measured on one picture, in the catalogue's order; every measure of the catalogue is there."""

    measures: Mapping[str, Measure | CannotJudge]
    low_key: bool | None
    """Is it a low-key picture at all? None: cannot be said."""

    def __getitem__(self, name: str) -> Measure | CannotJudge:
        return self.measures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measures)

    def number(self, name: str) -> float | None:
        """The value as a float, or None where it cannot be judged or is a word."""
        found = self.measures[name]
        if isinstance(found, CannotJudge) or isinstance(found.value, str):
            return None
        return float(found.value)

    def word(self, name: str) -> str | None:
        """The value as a word, or None where it cannot be judged or is a number."""
        found = self.measures[name]
        return found.value if isinstance(found, Measure) and isinstance(found.value, str) else None

    def to_json(self) -> dict[str, Any]:
        """``{"low_key": ..., "measures": {name: {...}}}``; NaN and infinity never occur."""
        return {"low_key": self.low_key, "measures": {name: measure.to_json() for name, measure in self.measures.items()}}


@cache
def catalogue() -> Mapping[str, Definition]:
    """Every measure, by name, in the order in which readings give them (data/measures.toml)."""
    table = tomllib.loads((files("lowkey") / "data" / "measures.toml").read_text("utf-8"))
    return {
        name: Definition(name, group, row["unit"], row["meaning"], row.get("source", ""))
        for group, rows in table.items()
        for name, row in rows.items()
    }


def whole(found: Mapping[str, Measure | CannotJudge], *, otherwise: str = "not measured") -> dict[str, Measure | CannotJudge]:
    """`found` in the catalogue's order, with what is missing as "cannot judge"."""
    return {name: found.get(name, CannotJudge(otherwise)) for name in catalogue()}


def measured(name: str, value: Value, sigma: float | None, region: str) -> Measure | CannotJudge:
    """A measure with its catalogue unit; a value that is no number cannot be judged."""
    if isinstance(value, float) and not math.isfinite(value):
        return CannotJudge("the region holds nothing that could be measured")
    return Measure(value, catalogue()[name].unit, None if sigma is None or not math.isfinite(sigma) else float(sigma), region)


def _plain(value: Value) -> Value:
    """JSON numbers of at most six significant digits."""
    if isinstance(value, bool | str):
        return value
    return float(f"{float(value):.6g}")
