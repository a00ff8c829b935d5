"""FLUX.1 Kontext: an instruction about one photo. What CLIP's summary reads must already hold the look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowkey.prompt import layout, tokens
from lowkey.prompt.parameters import filled
from lowkey.prompt.words import Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect


def speak(ask: Ask, dialect: Dialect) -> Words:
    laid = layout.prose(dialect.shape["sentences"], ask.said(dialect.manner))
    notes = [*dialect.notes]
    # Beyond its limit T5 is simply cut: say so rather than lose the last clauses in silence.
    if (read := tokens.estimate(laid.text, dialect.data["encoder"])) > dialect.data["tokens"]:
        notes.append(f"About {read} tokens: T5 reads the first {dialect.data['tokens']} of them. Drop a remedy.")
    return Words(dialect.spec, laid.text, "", filled(dialect.parameters, ask), laid.clauses, tuple(notes))
