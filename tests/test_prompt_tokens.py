"""Counting tokens: an estimate that is the same everywhere and rather high, the real tokenizer where there is one."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey.errors import LookError
from lowkey.prompt import compile, dialects, shelf, tokens

# Counted once with the real T5 (32,100 pieces) and CLIP (49,408) vocabularies, ends included.
COUNTED = [
    (
        "Change this photo into a low-key, high dynamic range portrait photograph of the same person, "
        "shot on film, lit by one single warm lamp.",
        32,
        32,
    ),
    ("dust motes and film grain shimmer in the dark", 11, 12),
    ("A single warm lamp, behind at frame-right: the frame-right cheek bright, the frame-left half of the face near-black;", 31, 32),
    ("no fill light, no ambient bounce", 8, 9),
]


@pytest.mark.parametrize(("text", "t5", "clip"), COUNTED)
def test_the_estimate_is_at_least_the_truth_and_not_far_above(text: str, t5: int, clip: int) -> None:
    assert t5 <= tokens.estimate(text, "t5") <= 1.35 * t5 + 2
    assert clip <= tokens.estimate(text, "clip") <= 1.35 * clip + 2


@given(st.text(max_size=400), st.text(max_size=50), st.sampled_from(tuple(tokens.ENCODERS)))
def test_more_text_is_never_fewer_tokens(text: str, more: str, encoder: str) -> None:
    assert tokens.estimate(text + " " + more, encoder) >= tokens.estimate(text, encoder)


@given(st.text(max_size=400), st.integers(3, 80), st.sampled_from(tuple(tokens.ENCODERS)))
def test_the_head_fits_and_is_a_head(text: str, limit: int, encoder: str) -> None:
    head = tokens.head(text, encoder, limit)
    assert text.startswith(head)
    assert tokens.estimate(head, encoder) <= limit + 1
    if tokens.estimate(text, encoder) <= limit:
        assert head == text


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(LookError, match="t5, clip"):
        tokens.count("x", "bert")


def test_every_dialects_encoder_is_known() -> None:
    for name in dialects.names():
        data = dialects.find(name).data
        if "tokens" in data:
            assert data["encoder"] in tokens.ENCODERS


def test_without_a_tokenizer_it_is_an_estimate_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokens._real.cache_clear()
    count = tokens.count("low-key", "t5")
    assert (count.exact, count.by) == (False, "estimate")
    tokens._real.cache_clear()


def test_a_real_tokenizer_counts_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stand-in for the `tokenizers` package: one token a letter, read from the folder that LOWKEY_TOKENIZERS names."""

    class Tokenizer:
        @staticmethod
        def from_file(path: str) -> Tokenizer:
            json.loads(Path(path).read_text())
            return Tokenizer()

        def no_truncation(self) -> None: ...
        def no_padding(self) -> None: ...
        def encode(self, text: str) -> Any:
            return types.SimpleNamespace(ids=list(text))

    monkeypatch.setitem(sys.modules, "tokenizers", types.SimpleNamespace(Tokenizer=Tokenizer))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setenv("LOWKEY_TOKENIZERS", str(tmp_path))
    (tmp_path / "t5.json").write_text("{}")
    (tmp_path / "clip.json").write_text("not a tokenizer")
    tokens._real.cache_clear()
    assert tokens.count("seven!!", "t5") == tokens.Count(7, True, "T5")
    assert not tokens.count("seven!!", "clip").exact  # a file that cannot be read costs nothing but the exactness
    assert not tokens.count("seven!!", "qwen3").exact
    tokens._real.cache_clear()


def test_compiling_does_not_depend_on_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    house = shelf.find("house")
    before = compile(house, "flux1-kontext")
    monkeypatch.setattr(tokens, "count", lambda *_: pytest.fail("compile must not count with what happens to be installed"))
    assert compile(house, "flux1-kontext") == before
