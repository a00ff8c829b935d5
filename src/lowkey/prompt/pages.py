"""The generated parts of docs/prompts.md, docs/looks.md and docs/dialects.md.

``python -m lowkey.prompt.pages docs`` writes them anew between their marks; a test keeps pages and data equal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lowkey import look as vocabulary
from lowkey.look import VARIABLES
from lowkey.prompt import dialects, lexicon, remedies, rules, shelf, tokens
from lowkey.prompt.compiler import compile as compiled
from lowkey.prompt.templates import TOKENS

_MARK = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refreshed(page: str) -> str:
    """A page with every generated part written anew."""
    return _MARK.sub(lambda found: f"{found[1]}{_PARTS[found[2]]()}\n{found[3]}", page)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows)])


def _words() -> str:
    """Every word as FLUX.2 and as plain English say it, and why."""
    house, parts = shelf.find("house"), []
    for variable in VARIABLES:
        rows = []
        for word in vocabulary.words(variable):
            changed: dict[str, Any] = {variable: word.word}
            look = house.but(**changed)
            both = [compiled(look, spec).clauses for spec in ("flux2:prose", "plain:prose")]
            short, full = (next(clause for clause in clauses if clause.role == variable) for clauses in both)
            rows.append((f"`{word.word}`", short.text, full.text, short.because))
        title = TOKENS[variable].title().replace(" / ", " and ")
        parts.append(f"### {title}\n\n{_table(('word', 'FLUX.2', 'plain English', 'because'), rows)}")
    return "\n\n".join(parts)


def _remedies() -> str:
    rows = []
    for name in remedies.names():
        row = lexicon.table("remedies")[name]
        rows.append((f"`{name}`", row["because"], row["positive"], row["literal"]))
    return _table(("remedy", "what a frame lacked", "positive", "literal"), rows)


def _rules() -> str:
    rows = []
    for rule in rules.every():
        mended = bool(rule.insert) or any(swap.to is not None for swap in rule.swaps)
        mended = mended or rule.check in ("unseen_signs", "midjourney_versions")
        only = ", ".join(rule.dialects) or "all"
        rows.append((f"`{rule.code}`", rule.name, rule.level, only, rule.says, "yes" if mended else ""))
    return _table(("code", "name", "level", "dialects", "what will go wrong", "`--fix`"), rows)


def _sources() -> str:
    return _table(("name", "source"), [(f"`{name}`", text) for name, text in lexicon.table("sources").items()])


def _encoders() -> str:
    rows = []
    for name, known in tokens.ENCODERS.items():
        word = f"1 and 1/{known.each} more for each letter beyond {known.free}"
        rows.append((f"`{name}`", known.title, word, f"{known.digits:g}", f"{known.margin:g}"))
    return _table(("encoder", "model", "tokens of a word", "digits a token", "times"), rows)


def _looks() -> str:
    rows = []
    for name in vocabulary.names():
        look = shelf.find(name)
        said = ", ".join(getattr(look, variable) for variable in VARIABLES)
        rows.append((f"`{name}`", look.title, said, look.mood, ", ".join(look.use), look.avoid))
    return _table(("name", "title", "light, background, clothing, pose, flare", "mood", "for", "not when"), rows)


def _house() -> str:
    return f"```text\n{shelf.house_prompt().rstrip()}\n```"


def _overrides() -> str:
    rows = [
        (f"`{name}`", f"{low:g} to {high:g}", "; ".join(row["full"] for row in lexicon.table("overrides").get(name, ())))
        for name, (low, high) in vocabulary.OVERRIDES.items()
    ]
    film = lexicon.table("overrides")["stock"]
    said = [(f"`{name}`", film.get(name, {}).get("full", "")) for name in vocabulary.stocks()]
    stocks = _table(("stock", "what a prompt says of it"), said)
    return _table(("number", "range", "what a prompt says of it"), rows) + "\n\n" + stocks


def _dialects() -> str:
    rows = []
    for name in dialects.names():
        data = dialects.find(name).data
        limit = f"{data['tokens']} {tokens.ENCODERS[data['encoder']].title} tokens" if "tokens" in data else ""
        limit = limit or (f"{data['characters']} characters" if "characters" in data else "")
        spoken = ", ".join(f"`{name}:{form}`" for form in dialects.forms(name))
        denies = "obeyed" if data["negations"] else "said as what is there"
        rows.append((f"`{name}`", data["title"], spoken, str(data["references"]), denies, limit))
    return _table(("dialect", "models", "forms, the default first", "pictures", "denials", "reads"), rows)


def _examples() -> str:
    house, parts = shelf.find("house"), []
    for spec in dialects.specs():
        said = compiled(house, spec)
        lines = [f"### `{spec}`", "", "```text", said.text, "```"]
        if said.negative and "--no" not in said.text:
            lines += ["", f"Negative: {said.negative}"]
        lines += ["", "Parameters: " + ", ".join(f"`{name} {value}`" for name, value in said.parameters.items())]
        lines += ["", *(f"- {note}" for note in said.notes)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


_PARTS: dict[str, Callable[[], str]] = {
    "words": _words,
    "remedies": _remedies,
    "rules": _rules,
    "sources": _sources,
    "encoders": _encoders,
    "looks": _looks,
    "house": _house,
    "overrides": _overrides,
    "dialects": _dialects,
    "examples": _examples,
}


if __name__ == "__main__":
    for name in ("prompts", "looks", "dialects"):
        path = Path(sys.argv[1]) / f"{name}.md"
        path.write_text(refreshed(path.read_text("utf-8")), "utf-8")
