"""FLUX.3: an edit of image 1 or a long caption; denials are said as what is present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lowkey.prompt import layout
from lowkey.prompt.parameters import filled
from lowkey.prompt.words import Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect


def speak(ask: Ask, dialect: Dialect) -> Words:
    laid = layout.prose(dialect.shape["sentences"], ask.said(dialect.manner))
    return Words(dialect.spec, laid.text, "", filled(dialect.parameters, ask), laid.clauses, dialect.notes)
