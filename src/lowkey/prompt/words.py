"""What a compiled prompt is: text, negative text, parameters, and the clauses it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | bool
"""What a parameter may be."""


@dataclass(frozen=True)
class Clause:
    """One phrase of a prompt, and why it is there."""

    role: str
    """What it says: one of the five variables, a part of the promise (range, single, terminator, ...), or ``remedy:<name>``."""
    text: str
    """As it stands in the prompt."""
    because: str
    source: str = ""
    """Where the reason comes from."""
    word: str = ""
    """The look's own word, where the clause says one."""


@dataclass(frozen=True)
class Words:
    """A look said in one dialect."""

    dialect: str
    """With its form: ``flux2:prose``."""
    text: str
    negative: str = ""
    """For a model's negative box; empty where the dialect has none."""
    parameters: Mapping[str, Value] = field(default_factory=dict, hash=False)
    clauses: tuple[Clause, ...] = ()
    """In the order in which they stand in the text."""
    notes: tuple[str, ...] = ()
    """What the user of this model must know."""

    def to_mapping(self) -> dict[str, Any]:
        """As plain data, for records and ``--json``."""
        return {
            "dialect": self.dialect,
            "text": self.text,
            "negative": self.negative,
            "parameters": dict(self.parameters),
            "clauses": [{name: value for name, value in vars(clause).items() if value} for clause in self.clauses],
            "notes": list(self.notes),
        }
