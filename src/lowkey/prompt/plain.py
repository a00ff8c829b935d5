"""Plain English: full sentences, and the negatives apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowkey.prompt import layout
from lowkey.prompt.parameters import filled
from lowkey.prompt.words import Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect


def speak(ask: Ask, dialect: Dialect) -> Words:
    """Sentences in the order of the dialect's file; a ``[no]`` list becomes the negative text."""
    laid = layout.prose(dialect.shape["sentences"], ask.said(dialect.manner))
    bans = [*dialect.data.get("no", {}).get("list", ())]
    if bans:
        bans += [ban for remedy in ask.remedies for ban in remedy.row.get("bans", ())]
    negative = ", ".join(dict.fromkeys(bans))
    parameters = filled(dialect.parameters, ask)
    return Words(dialect.spec, laid.text, negative, parameters, laid.clauses, dialect.notes)
