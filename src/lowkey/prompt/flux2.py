"""FLUX.2: short prose, subject first; or the maker's JSON form. Nothing is denied: what is absent is said as what is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lowkey.prompt import layout
from lowkey.prompt.parameters import filled
from lowkey.prompt.words import Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect


def speak(ask: Ask, dialect: Dialect) -> Words:
    said = ask.said(dialect.manner)
    if "tree" in dialect.shape:
        data, clauses = layout.tree(dialect.shape["tree"], said)
        text = json.dumps(data, ensure_ascii=False, indent=2)
    else:
        laid = layout.prose(dialect.shape["sentences"], said)
        text, clauses = laid.text, laid.clauses
    return Words(dialect.spec, text, "", filled(dialect.parameters, ask), clauses, dialect.notes)
