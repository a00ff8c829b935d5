"""The linter's rules, read from ``data/dialects/lexicon/lint.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lowkey.prompt import lexicon

Pattern = re.Pattern[str]


@dataclass(frozen=True)
class Swap:
    """A pattern that should not be there, and what to put in its place; None where only a person can choose."""

    pattern: Pattern
    to: str | None


@dataclass(frozen=True)
class Rule:
    """One thing that goes wrong, why, and what to do about it."""

    code: str
    name: str
    level: str
    """warning, or note: worth knowing, not wrong."""
    kind: str
    """forbid, need, clash or check: see the data file."""
    says: str
    bad: str
    """A prompt that breaks it."""
    good: str
    """A prompt that keeps it."""
    dialect: str
    """The dialect its examples are written for; empty for any."""
    dialects: tuple[str, ...]
    """Dialects it is for; empty for all, and for text of no known dialect."""
    denials: bool
    """Whether denied words count too."""
    swaps: tuple[Swap, ...]
    when: Pattern | None
    needs: Pattern | None
    insert: str
    place: str
    a: Pattern | None
    b: Pattern | None
    check: str

    def speaks_for(self, dialect: str) -> bool:
        """Whether it is to be asked of a prompt in this dialect ("" for none in particular)."""
        return not self.dialects or dialect in self.dialects


@cache
def every() -> tuple[Rule, ...]:
    """All rules, by code."""
    return tuple(sorted((_rule(row) for row in lexicon.table("lint")["rule"]), key=lambda rule: rule.code))


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        row["code"],
        row["name"],
        row.get("level", "warning"),
        row["kind"],
        row["says"],
        row.get("bad", ""),
        row.get("good", ""),
        row.get("dialect", ""),
        tuple(row.get("dialects", ())),
        row.get("denials", False),
        tuple(Swap(_read(swap["pattern"]), swap.get("to")) for swap in row.get("swaps", ())),
        _read(row["when"]) if "when" in row else None,
        _read(row["needs"]) if "needs" in row else None,
        row.get("insert", ""),
        row.get("place", "end"),
        _read(row["a"]) if "a" in row else None,
        _read(row["b"]) if "b" in row else None,
        row.get("check", ""),
    )


def _read(pattern: str) -> Pattern:
    return re.compile(pattern, re.IGNORECASE)
