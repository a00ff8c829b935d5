"""OpenAI's image models: labelled paragraphs of an edit, the subject's own side beside the viewer's, and a plain warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowkey.prompt import layout
from lowkey.prompt.parameters import filled
from lowkey.prompt.words import Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect


def speak(ask: Ask, dialect: Dialect) -> Words:
    laid = layout.prose(dialect.shape["sentences"], ask.said(dialect.manner), between="\n")
    notes = [*dialect.notes]
    if ask.seed is not None:
        notes.append(f"Seed {ask.seed} was left out: this model takes none.")
    return Words(dialect.spec, laid.text, "", filled(dialect.parameters, ask), laid.clauses, tuple(notes))
