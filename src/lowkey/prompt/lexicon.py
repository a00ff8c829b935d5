"""The phrases, as data: ``data/dialects/lexicon/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lowkey.errors import Bug

Row = Mapping[str, Any]
"""One phrase in its registers (short, full, edit), with its because and source."""

FOLDER = Path(__file__).parent.parent / "data" / "dialects"


@cache
def table(name: str) -> Mapping[str, Any]:
    """One table of phrases, as read from ``data/dialects/lexicon/<name>.toml``."""
    with (FOLDER / "lexicon" / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def word(variable: str, spelling: str) -> Row:
    """The phrases of one word; a word without them is our bug (a test keeps the two vocabularies equal)."""
    try:
        row: Row = table(variable)[spelling]
    except KeyError:
        raise Bug("lexicon", f'no phrase says {variable} "{spelling}"') from None
    return row


def band(variable: str, value: float, key: str = "to") -> Row:
    """The first band whose upper end reaches `value`."""
    for row in table(variable)["band"]:
        if value <= row[key]:
            found: Row = row
            return found
    raise Bug("lexicon", f"{variable} {value:g} is beyond the last band")


def say(row: Row, register: str, stem: str = "") -> str:
    """The text of a row in a register; an instruction falls back to the full sentence. Empty means: say nothing."""
    for choice in (register, "full") if register == "edit" else (register,):
        text = row.get(f"{stem}{choice}")
        if text is not None:
            return str(text)
    raise Bug("lexicon", f'no "{stem}{register}" in {sorted(row)}')


def source(key: str) -> str:
    """The citation behind a source's short name."""
    return str(table("sources")[key])
