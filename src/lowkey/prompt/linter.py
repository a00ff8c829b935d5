"""Reads any chiaroscuro prompt and says what will go wrong: each finding with its code, its place, its reason and its fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lowkey.prompt import checks, dialects, rules
from lowkey.prompt.reading import check_size
from lowkey.prompt.rules import Rule

_PASSES = 6
_DENIED = re.compile(
    r"--no\b(?:(?! --).)*"  # Midjourney's list, up to the next parameter
    r"|\b(?:no|not|without|never|avoid(?:ing)?|free of|don\W?t)\b[^.,;:\n\"]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fix:
    """Put `text` in place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One thing that will go wrong."""

    code: str
    name: str
    level: str
    """warning or note"""
    start: int
    end: int
    seen: str
    """The text from start to end; empty where something is missing."""
    says: str
    fix: Fix | None

    def to_mapping(self) -> dict[str, Any]:
        data = {key: value for key, value in vars(self).items() if key != "fix"}
        return data | {"fix": vars(self.fix) if self.fix else None}


def lint(text: str, dialect: str = "") -> tuple[Finding, ...]:
    """What will go wrong with a prompt, in the order of the text. `dialect` adds the rules of one model.

    Words after no, not, without, never and in a ``--no`` list are denied, not asked for, and do not count.
    """
    check_size(text)
    name = dialects.find(dialect).name if dialect else ""
    plain = _DENIED.sub(lambda found: " " * len(found[0]), text)
    if any(checks.empty(text, plain, name)):
        return tuple(_findings(next(rule for rule in rules.every() if rule.check == "empty"), text, plain, name))
    asked = (rule for rule in rules.every() if rule.speaks_for(name))
    found = [finding for rule in asked for finding in _findings(rule, text, plain, name)]
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.code)))


def mended(text: str, dialect: str = "") -> str:
    """The prompt with every fix applied that needs no choice of yours; what is left, `lint` still says."""
    for _ in range(_PASSES):
        fixes = [finding.fix for finding in lint(text, dialect) if finding.fix is not None]
        if not fixes:
            break
        # What is wrong goes first: its replacement may be what would otherwise be inserted.
        text = _applied(text, [fix for fix in fixes if fix.start < fix.end] or fixes)
    return text


def _findings(rule: Rule, text: str, plain: str, dialect: str) -> Iterator[Finding]:
    """The places where one rule is broken."""
    read = text if rule.denials else plain
    if rule.kind == "forbid":
        for swap in rule.swaps:
            for found in swap.pattern.finditer(read):
                fix = None if swap.to is None else _swap(text, found, swap.to)
                yield _finding(rule, text, found.start(), found.end(), fix)
    elif rule.kind == "need":
        asked = rule.when.search(read) if rule.when else None
        # Parameters are no words: a --no list before one must not hide it.
        given = text if rule.needs and "--" in rule.needs.pattern else read
        if (rule.when and not asked) or (rule.needs and rule.needs.search(given)):
            return
        start, end = asked.span() if asked else (len(text), len(text))
        yield _finding(rule, text, start, end, _insertion(rule, text, asked))
    elif rule.kind == "clash":
        if rule.a and rule.b and rule.a.search(read) and (other := rule.b.search(read)):
            yield _finding(rule, text, other.start(), other.end(), None)
    else:
        for start, end, new in checks.BY_NAME[rule.check](text, plain, dialect):
            yield _finding(rule, text, start, end, None if new is None else Fix(start, end, new))


def _finding(rule: Rule, text: str, start: int, end: int, fix: Fix | None) -> Finding:
    # Nothing is mended inside JSON: an inserted phrase would break it.
    fix = None if text.lstrip().startswith("{") else fix
    return Finding(rule.code, rule.name, rule.level, start, end, text[start:end], rule.says, fix)


def _swap(text: str, found: re.Match[str], to: str) -> Fix:
    new = found.expand(to)
    start, end = found.span()
    if new and text[start:end][:1].isupper():
        new = new[:1].upper() + new[1:]
    return Fix(start, end, new)


def _insertion(rule: Rule, text: str, found: re.Match[str] | None) -> Fix | None:
    """Where the missing phrase goes: beside the match, or at the end of the prose, before any parameters."""
    if not rule.insert:
        return None
    phrase = rule.insert
    if "{lit}" in phrase:
        groups = found.groupdict() if found else {}
        lit = next((side.casefold() for side in groups.values() if side), "")
        if not lit:
            return None
        dark = "right" if lit == "left" else "left"
        phrase = phrase.replace("{lit}", f"frame-{lit}").replace("{dark}", f"frame-{dark}")
    if rule.place == "tail":
        return Fix(len(text.rstrip()), len(text), phrase)
    if found and rule.place in ("before", "after"):
        place = found.start() if rule.place == "before" else found.end()
        return Fix(place, place, phrase)
    parameters = re.search(r"\s--[a-z]", text)
    end = len(text[: parameters.start() if parameters else len(text)].rstrip())
    if text[:end].endswith((".", "!", "?")):
        return Fix(end, end, f" {phrase[:1].upper()}{phrase[1:]}" + ("" if phrase.endswith(".") else "."))
    return Fix(end, end, (", " if text[:end] and text[end - 1] not in ",;:" else " ") + phrase)


def _applied(text: str, fixes: list[Fix]) -> str:
    """Every fix that does not touch an earlier one, from the end backwards; deletions take their spare commas along."""
    chosen: list[Fix] = []
    for fix in sorted(fixes, key=lambda fix: (fix.start, fix.end)):
        if not chosen or fix.start > chosen[-1].end or (fix.start == fix.end == chosen[-1].start == chosen[-1].end):
            chosen.append(fix)
    for fix in reversed(chosen):
        before, gone, after = text[: fix.start], text[fix.start : fix.end], text[fix.end :]
        text = before + fix.text + after if fix.text or not gone.strip() else _closed(before, gone, after)
    return text


def _closed(before: str, gone: str, after: str) -> str:
    """Two ends joined after a deletion: no doubled space or comma between them, a capital where one went."""
    opens = not before.strip() or before.rstrip().endswith((".", "!", "?", ":"))
    if opens or before.rstrip().endswith(","):
        after = after.lstrip(" ,")
    if after[:1] in tuple(",.;:") or not after:
        before = before.rstrip(" ,")
    elif before and not before[-1].isspace() and not after[0].isspace():
        before += " "
    elif before.endswith(" "):
        after = after.lstrip(" ")
    if opens and gone[:1].isupper():
        after = after[:1].upper() + after[1:]
    return before + after
