"""Clauses put in order: sentences, or a tree of texts. What has nothing to say takes its punctuation with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lowkey.prompt.clauses import Said
from lowkey.prompt.words import Clause

_ROLE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True)
class Laid:
    """Some text and the clauses in it, in order, each exactly as it stands there."""

    text: str
    clauses: tuple[Clause, ...]


def roles(pattern: str) -> list[str]:
    """The roles a pattern places."""
    return _ROLE.findall(pattern)


def sentence(pattern: str, said: Said, capital: bool = True) -> Laid:
    """One pattern such as ``"{single} {light}; {terminator}."`` filled; empty when none of its roles has anything to say."""
    pieces = _ROLE.split(pattern)
    glues, names, tail = pieces[0:-1:2], pieces[1::2], pieces[-1]
    text = ""
    clauses: list[Clause] = []
    for glue, name in zip(glues, names, strict=True):
        for place, clause in enumerate(said[name]):
            joint = glues[0] if not clauses else glue if place == 0 else _between(name, text)
            opens = capital and not text + joint
            clause = replace(clause, text=_raised(clause.text)) if opens else clause
            text += joint + clause.text
            clauses.append(clause)
    if not clauses:
        return Laid("", ())
    if text.endswith((".", "!", "?")) and tail.startswith("."):
        tail = tail[1:]
    return Laid(text + tail, tuple(clauses))


def prose(patterns: Sequence[str], said: Said, capital: bool = True, between: str = " ") -> Laid:
    """Sentences one after another."""
    laid = [sentence(pattern, said, capital) for pattern in patterns]
    full = [one for one in laid if one.text]
    return Laid(between.join(one.text for one in full), tuple(clause for one in full for clause in one.clauses))


def tree(pattern: Any, said: Said) -> tuple[Any, tuple[Clause, ...]]:
    """The same for nested data: every text in it is a pattern; what stays empty is left out."""
    if isinstance(pattern, str):
        if not roles(pattern):
            return pattern, ()
        laid = sentence(pattern, said, capital=False)
        return laid.text, laid.clauses
    if isinstance(pattern, Mapping):
        branches = {key: tree(value, said) for key, value in pattern.items()}
        filled = {key: value for key, (value, _) in branches.items() if value}
        return filled, tuple(clause for _, clauses in branches.values() for clause in clauses)
    leaves = [tree(value, said) for value in pattern]
    return [value for value, _ in leaves], tuple(clause for _, clauses in leaves for clause in clauses)


def _between(role: str, before: str) -> str:
    """What stands between several clauses of one role: sentences need no sign."""
    return " " if before.endswith(".") else "; " if role == "remedies" else ", "


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]
