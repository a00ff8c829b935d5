"""Templates: the five tokens in any order, any case; what is wrong is named with its line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import VARIABLES, Look, words
from lowkey.prompt import fill, lint, shelf
from lowkey.prompt.templates import TOKENS, missing

LOOK = Look(pose="direct gaze into lens")
HOWS = (str, str.lower, str.title, lambda token: token.replace(" / ", "/"), lambda token: f" {token} ")
SPELT = st.tuples(st.sampled_from(VARIABLES), st.sampled_from(HOWS)).map(lambda one: (one[0], one[1](TOKENS[one[0]])))


def test_every_token_is_filled_with_its_word() -> None:
    text = fill(" | ".join(f"[{TOKENS[variable]}]" for variable in VARIABLES), LOOK)
    assert text.split(" | ") == [getattr(LOOK, variable) for variable in VARIABLES]


@given(st.lists(SPELT, max_size=12), st.text("abc ,.\n]{}()0123456789:", max_size=20))
@settings(max_examples=150, deadline=None)
def test_any_order_any_case_any_number(tokens: list[tuple[str, str]], between: str) -> None:
    template = between.join(f"[{spelling}]" for _, spelling in tokens)
    # A token right before a round bracket is a Markdown link, and doubled brackets are meant: neither is what this law is about.
    if re.search(r"\]\(|\]\]|\[\[", template):
        return
    assert fill(template, LOOK) == between.join(getattr(LOOK, variable) for variable, _ in tokens)
    assert set(missing(template)) == set(VARIABLES) - {variable for variable, _ in tokens}


@given(st.text(max_size=200).filter(lambda text: "[" not in text and "]" not in text and all(sign.isprintable() for sign in text)))
def test_a_text_without_tokens_is_left_alone(text: str) -> None:
    assert fill(text, LOOK) == text


@pytest.mark.parametrize(
    "text",
    ["[see here](https://example.com)", "[0,0,500,500]", "[a:b:0.5]", '{"boxes": [ [1, 2] ]}', "a [] b", "[", "]"],
)
def test_brackets_that_are_no_tokens_are_left_alone(text: str) -> None:
    assert fill(text, LOOK) == text


def test_a_doubled_bracket_is_one_that_is_meant() -> None:
    assert fill("[[sic]] [LIGHT DIRECTION]", LOOK) == "[sic] rear-right"


def test_unknown_tokens_are_named_with_their_line_and_what_was_meant() -> None:
    with pytest.raises(LookError) as caught:
        fill("[LIGHT DIRECTION]\nfine\n[CLOTHING DESCRIPTION] and [MOOD]", LOOK)
    assert caught.value.code == "unknown-token"
    assert "line 3: [CLOTHING DESCRIPTION], did you mean [CLOTHING DESCRIPTOR]?" in caught.value.message
    assert "line 3: [MOOD]" in caught.value.message
    assert "[POSE / GAZE]" in caught.value.message


def test_hundreds_of_unknown_tokens_are_still_one_message() -> None:
    with pytest.raises(LookError, match="and 492 more"):
        fill("[nope]\n" * 500, LOOK)


def test_a_token_that_is_needed_and_missing_is_named() -> None:
    assert missing("[LIGHT DIRECTION] [POSE/GAZE]") == ("background", "clothing", "flare")
    with pytest.raises(LookError) as caught:
        fill("[LIGHT DIRECTION]", LOOK, need=("light", "flare"))
    assert caught.value.code == "missing-token"
    assert "[LENS FLARE INTENSITY]" in caught.value.message
    assert "LIGHT DIRECTION" not in caught.value.message.split("]")[0]
    assert fill("[LIGHT DIRECTION]", LOOK, need=("light",)) == "rear-right"


@pytest.mark.parametrize("text", ["a\x00b", "a\nb\u200b", "\x1b[31m", "\ud800"])
def test_signs_that_cannot_be_seen_are_refused_with_their_line(text: str) -> None:
    with pytest.raises(LookError, match=f"line {text.count(chr(10)) + 1}") as caught:
        fill(text, LOOK)
    assert caught.value.code == "bad-template"


def test_a_template_of_ten_megabytes_is_refused() -> None:
    with pytest.raises(LookError) as caught:
        fill("x" * 10_000_000, LOOK)
    assert caught.value.code == "too-large"


def test_words_that_do_not_read_in_a_sentence_are_said_so_that_they_do() -> None:
    text = fill("[POSE / GAZE] | [CLOTHING DESCRIPTOR] | [LIGHT DIRECTION]", Look(pose="as shot", clothing="as worn", light="95,18"))
    pose, clothing, light = text.split(" | ")
    assert pose == "the pose and gaze of the reference photo"
    assert clothing == "the same clothes as in the reference photo, darkened"
    assert "95 degrees round" in light


def test_effects_say_what_the_words_do() -> None:
    text = fill("[LIGHT DIRECTION]", LOOK, effects=True)
    assert "frame-right cheek bright" in text
    assert "{" not in text


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("effects", [False, True])
def test_every_word_fills_its_token_differently(variable: str, effects: bool) -> None:
    filled = {fill(f"[{TOKENS[variable]}]", Look().but(**{variable: word.word}), effects=effects) for word in words(variable)}
    assert len(filled) == len(words(variable))


def test_the_house_prompt_has_the_five_tokens_and_reads_clean_with_every_look() -> None:
    house = shelf.house_prompt()
    assert missing(house) == ()
    for name in looks.names():
        for effects in (False, True):
            text = fill(house, shelf.find(name), need=VARIABLES, effects=effects)
            assert not [f"{one.code} {one.seen}" for one in lint(text, "plain") if one.level == "warning"], text
    for said in ("low-key, high dynamic range", "never as noise", "no fill light, no ambient bounce", "near-black shadow", "sharp"):
        assert said in house
