"""How many tokens a text is: counted by the real tokenizer where one is installed, estimated otherwise, and said which.

Nothing is ever downloaded. A real tokenizer is used when the `tokenizers` package is installed and its file lies in the folder
that ``LOWKEY_TOKENIZERS`` names (``t5.json``, ``clip.json``, ...) or in the local cache of the Hugging Face hub.
The estimate counts a word once and more for its length, each punctuation sign once, and adds a margin, because too many is the
safe side. Fitted on prompts of this room against the real T5 and CLIP vocabularies; docs/prompts.md has the measured error.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from lowkey.errors import LookError


@dataclass(frozen=True)
class Encoder:
    """One model's way of cutting text: where its real tokenizer may lie, and the numbers of the estimate."""

    title: str
    homes: tuple[tuple[str, str], ...]
    """Repository and file in the hub's cache."""
    specials: int
    """Tokens added at the ends."""
    free: int
    """Letters of a word that one token carries."""
    each: int
    """Further letters that a further token carries."""
    digits: float
    """Digits a token carries."""
    margin: float


_KONTEXT = "black-forest-labs/FLUX.1-Kontext-dev"
ENCODERS = {
    "t5": Encoder("T5", ((_KONTEXT, "tokenizer_2/tokenizer.json"), ("google-t5/t5-base", "tokenizer.json")), 1, 5, 4, 1.5, 1.15),
    "clip": Encoder("CLIP", (("openai/clip-vit-large-patch14", "tokenizer.json"),), 2, 7, 6, 1.0, 1.1),
    "mistral": Encoder("Mistral", (("black-forest-labs/FLUX.2-dev", "tokenizer/tokenizer.json"),), 2, 5, 4, 1.0, 1.15),
    "qwen3": Encoder("Qwen3", (("black-forest-labs/FLUX.2-klein-4B", "tokenizer/tokenizer.json"),), 2, 5, 4, 1.0, 1.15),
}
_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]")


@dataclass(frozen=True)
class Count:
    """A number of tokens and how sure it is."""

    tokens: int
    exact: bool
    by: str
    """What counted: the tokenizer's name, or "estimate"."""


def count(text: str, encoder: str) -> Count:
    """Tokens of `text`, ends included."""
    if (real := _real(encoder)) is not None:
        return Count(len(real.encode(text).ids), True, ENCODERS[encoder].title)
    return Count(estimate(text, encoder), False, "estimate")


def estimate(text: str, encoder: str) -> int:
    """Tokens of `text` by rule, the same on every machine."""
    known = _known(encoder)
    return math.ceil(known.specials + known.margin * sum(_cost(piece[0], known) for piece in _PIECE.finditer(text)))


def head(text: str, encoder: str, limit: int) -> str:
    """The part of `text` that surely fits into `limit` tokens."""
    known = _known(encoder)
    spent = float(known.specials)
    for piece in _PIECE.finditer(text):
        spent += known.margin * _cost(piece[0], known)
        if spent > limit:
            return text[: piece.start()]
    return text


def _cost(piece: str, known: Encoder) -> float:
    if not piece.isascii():
        return len(piece.encode("utf-8", "replace"))  # at worst a token a byte
    if piece.isalpha():
        return 1 + max(0, len(piece) - known.free) / known.each
    return math.ceil(len(piece) / known.digits) if piece.isdigit() else 1


def _known(encoder: str) -> Encoder:
    if encoder not in ENCODERS:
        raise LookError("unknown-encoder", f'no text encoder is called "{encoder[:40]}"; known are: {", ".join(ENCODERS)}')
    return ENCODERS[encoder]


@cache
def _real(encoder: str) -> Any:
    """The tokenizer itself, or None where it is not installed."""
    known = _known(encoder)
    try:
        tokenizer_class = import_module("tokenizers").Tokenizer
    except ImportError:
        return None
    places = [Path(folder) / f"{encoder}.json"] if (folder := os.environ.get("LOWKEY_TOKENIZERS")) else []
    try:
        cached = import_module("huggingface_hub").try_to_load_from_cache
        places += [Path(place) for repo, file in known.homes if isinstance(place := cached(repo, file), str)]
    except Exception:  # a broken or foreign hub package must not cost the estimate
        pass
    for place in places:
        try:
            tokenizer = tokenizer_class.from_file(str(place))
        except Exception:  # the package raises bare Exception for a file it cannot read
            continue
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
    return None
