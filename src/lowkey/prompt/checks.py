"""The linter's rules that are code: each takes the text as it is, the text without what it denies, and the dialect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from lowkey.prompt import dialects, tokens
from lowkey.prompt.reading import unseen

Spot = tuple[int, int, str | None]
"""Start, end, and what to put there; None where only a person can choose."""
Check = Callable[[str, str, str], Iterator[Spot]]


def crossed_sides(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """In one sentence, the first side said to be bright and the first said to be dark are the same."""
    # What stands in brackets says the same side once more, as the subject's own.
    bare = re.sub(r"\([^()]{0,200}\)", lambda found: " " * len(found[0]), plain)
    for sentence in re.finditer(r"[^.;\n]+", bare):
        bright = _BRIGHT.search(sentence[0])
        dark = _DARK.search(sentence[0])
        if bright and dark and bright["side"].casefold() == dark["side"].casefold() and bright.start("side") != dark.start("side"):
            yield sentence.start() + dark.start(), sentence.start() + dark.end(), None


_BRIGHT = re.compile(r"\b(?P<side>left|right)\b[^.,;:]{0,60}?\b(?:bright|lit)\b", re.IGNORECASE)
_DARK = re.compile(r"\b(?P<side>left|right)\b[^.,;:]{0,60}?\b(?:near-black|dark|shadow|shadowed)\b", re.IGNORECASE)


def tag_soup(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """Many short pieces between commas and hardly a sentence."""
    pieces = [piece for piece in re.split(r"[,\n]", text) if piece.strip()]
    short = [piece for piece in pieces if len(piece.split()) <= 3]
    if len(pieces) >= 9 and len(short) >= 0.75 * len(pieces) and not text.lstrip().startswith("{"):
        yield 0, len(text), None


def word_budget(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """More than half as many words again as the model reads well."""
    most = 1.5 * _data(dialect).get("words", [0, 10**9])[1]
    words = list(re.finditer(r"\S+", text.partition(" --")[0]))
    if len(words) > most and not text.lstrip().startswith("{"):
        yield words[int(most)].start(), len(text), None


def over_limit(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """Beyond the model's tokens, or its characters."""
    data = _data(dialect)
    if len(text) > (most := data.get("characters", 10**9)):
        yield most, len(text), None
    elif "tokens" in data and tokens.count(text, data["encoder"]).tokens > data["tokens"]:
        yield len(tokens.head(text, data["encoder"], data["tokens"])), len(text), None


def summary(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """The look is asked for, and only behind what the summarising encoder reads."""
    told = _data(dialect).get("summary")
    if not told:
        return
    read = len(tokens.head(text, told["encoder"], told["tokens"]))
    if read < len(text) and _LOOK.search(text, read) and not _LOOK.search(text[:read]):
        yield read, len(text), None


_LOOK = re.compile(r"\blow[- ]?key\b", re.IGNORECASE)


def midjourney_versions(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """A reference parameter of the other version."""
    version = re.search(r"--(?:v|version) (\d+)", text)
    if version is None:
        return
    wrong = {"oref": "cref", "ow": "cw"} if int(version[1]) <= 6 else {"cref": "oref", "cw": "ow"}
    for found in re.finditer(r"--(oref|ow|cref|cw)\b", text):
        if found[1] in wrong:
            yield found.start(), found.end(), f"--{wrong[found[1]]}"


def unseen_signs(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """Control, format, private and half characters."""
    for place in unseen(text):
        yield place, place + 1, ""


def broken_json(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """A text that begins with a brace and cannot be read as JSON."""
    if text.lstrip().startswith("{"):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            yield 0, len(text), None


def empty(text: str, plain: str, dialect: str) -> Iterator[Spot]:
    """No letter and no digit."""
    if not any(sign.isalnum() for sign in text):
        yield 0, len(text), None


def _data(dialect: str) -> dict[str, Any]:
    return dict(dialects.find(dialect).data) if dialect in dialects.names() else {}


BY_NAME: dict[str, Check] = {
    check.__name__: check
    for check in (crossed_sides, tag_soup, word_budget, over_limit, summary, midjourney_versions, unseen_signs, broken_json, empty)
}
