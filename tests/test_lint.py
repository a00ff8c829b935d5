"""The linter: each rule by its own examples, fixes that fix, what is denied, and input from anyone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey.errors import LookError
from lowkey.prompt import dialects, lint, mended, rules

RULES = {rule.code: rule for rule in rules.every()}
# A prompt that every rule lets pass, in any dialect that is not Midjourney.
CLEAN = (
    "The person from image 1, exact likeness kept, face unchanged. A low-key, high dynamic range portrait photograph, 85mm film. "
    "One single warm lamp behind at frame-right: the frame-right cheek bright, the frame-left half of the face in near-black shadow, "
    "a sharp edge along the nose, highlights holding skin detail. Dust motes and film grain in the dark room. Vertical 4:5 portrait."
)


def codes(text: str, dialect: str = "") -> list[str]:
    return [finding.code for finding in lint(text, dialect)]


# What is over a model's limit is too long for an example in the table: test_over_the_limit.
@pytest.mark.parametrize("code", [code for code in RULES if code != "LK505"])
def test_a_rule_finds_its_bad_example_and_lets_its_good_one_pass(code: str) -> None:
    rule = RULES[code]
    assert code in codes(rule.bad, rule.dialect)
    assert code not in codes(rule.good, rule.dialect)


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_documented_by_its_data(code: str) -> None:
    rule = RULES[code]
    assert re.fullmatch(r"LK\d{3}", code)
    assert rule.level in ("warning", "note")
    assert rule.kind in ("forbid", "need", "clash", "check")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert rule.says.endswith(".")
    assert {"forbid": rule.swaps, "need": rule.needs, "clash": rule.a and rule.b, "check": rule.check}[rule.kind]
    assert set(rule.dialects) <= set(dialects.names())


def test_codes_and_names_are_told_apart() -> None:
    assert len(RULES) == len(rules.every())
    assert len({rule.name for rule in rules.every()}) == len(RULES)


@pytest.mark.parametrize("code", RULES)
def test_a_fix_fixes(code: str) -> None:
    """After --fix the finding is gone, where the rule has a fix at all; and a second --fix changes nothing."""
    rule = RULES[code]
    fixes = [finding.fix for finding in lint(rule.bad, rule.dialect) if finding.code == code and finding.fix]
    better = mended(rule.bad, rule.dialect)
    assert mended(better, rule.dialect) == better
    if fixes:
        assert code not in codes(better, rule.dialect)


def test_a_clean_prompt_is_clean() -> None:
    for dialect in ("", "flux2", "flux1-kontext", "flux3", "openai", "plain"):
        assert codes(CLEAN, dialect) == []
        assert mended(CLEAN, dialect) == CLEAN


def test_a_finding_points_at_what_it_means() -> None:
    text = CLEAN + " Add soft fill light."
    (finding,) = lint(text)
    assert finding.code == "LK104"
    assert text[finding.start : finding.end] == finding.seen
    assert "fill light" in finding.seen
    assert finding.to_mapping()["fix"] == {"start": finding.start, "end": finding.end, "text": ""}


@pytest.mark.parametrize(
    "denied",
    ["no fill light, no ambient bounce", "without soft shadows", "never a second light", "avoid daylight", "not high-key", "no smile"],
)
def test_what_is_denied_is_not_asked_for(denied: str) -> None:
    assert codes(f"{CLEAN} And {denied}.") == []


def test_a_denied_thing_does_not_count_as_there_either() -> None:
    assert "LK201" in codes("Low-key HDR portrait, one single lamp, black background, no dust motes, far cheek in shadow.")


def test_midjourneys_no_list_is_denied_and_does_not_hide_what_follows() -> None:
    prose = "low-key HDR portrait, one single lamp, far cheek in shadow"
    text = f"{prose} --no fill light, second light, daylight --oref https://e.com/a.jpg --v 7"
    found = codes(text, "midjourney")
    assert not {"LK104", "LK105", "LK106", "LK511", "LK512"} & set(found)


def test_the_seeds_own_lesson() -> None:
    """What the first author learned the hard way is what the linter says first."""
    text = "Chiaroscuro portrait, low-key lighting, rear-right light, dark background, soft fill, side-split Rembrandt, landscape format"
    assert {"LK101", "LK104", "LK109", "LK113", "LK115", "LK116", "LK201", "LK509"} <= set(codes(text))
    better = mended(text)
    left = [finding for finding in lint(better) if finding.level == "warning"]
    assert [finding.code for finding in left] == ["LK115"]  # which of the two set-ups is meant, only a person knows
    for said in ("high dynamic range", "dust motes", "single light", "frame-right cheek bright", "vertical 4:5"):
        assert said in better


def test_denials_are_a_warning_for_flux_and_the_literal_remedy_only_a_note() -> None:
    assert "LK501" in codes(CLEAN + " No hat.", "flux2")
    assert "LK501" not in codes(CLEAN + " No hat.", "openai")
    literal = CLEAN[:-1] + ", no fill light, no ambient bounce."
    assert codes(literal, "flux2") == ["LK502"]
    assert lint(literal, "flux2")[0].level == "note"
    assert codes(literal, "plain") == []


@pytest.mark.parametrize("text", ["left cheek bright, left half in shadow", "the cheek on the right side is lit, the right half is dark"])
def test_bright_and_dark_on_one_side(text: str) -> None:
    assert "LK108" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "the cheek on the right side (the subject's own left cheek) is bright, the half on the left side falls into shadow",
        "frame-right cheek bright, frame-left half near-black",
        "light from the left. The left wall is dark",
    ],
)
def test_bright_and_dark_on_two_sides(text: str) -> None:
    assert "LK108" not in codes(text)


def test_over_the_limit() -> None:
    long = CLEAN + " Calm." * 400
    assert "LK505" in codes(long, "flux1-kontext")
    assert "LK505" not in codes(long, "flux3")
    assert "LK505" in codes(CLEAN + " Calm." * 6000, "openai")
    (finding,) = [one for one in lint(long, "flux1-kontext") if one.code == "LK505"]
    assert 0 < finding.start < finding.end == len(long)


def test_nothing_is_mended_inside_json() -> None:
    text = '{"lighting": "low-key portrait with soft fill light", "likeness": "image 1"}'
    assert "LK104" in codes(text, "flux2")
    assert mended(text, "flux2") == text


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "...", "😀", "\x00"])
def test_empty_prompts(text: str) -> None:
    assert codes(text) == ["LK604"]
    assert mended(text) == text


def test_too_large_is_refused_and_the_largest_is_quick() -> None:
    with pytest.raises(LookError) as caught:
        lint("a" * 10_000_000)
    assert caught.value.code == "too-large"
    start = time.perf_counter()
    for sign in ("a", "(", "[", "{", "left ", "no ", "soft ", "--no a "):
        lint((sign * 65536)[:65536], "midjourney")
    assert time.perf_counter() - start < 60  # no pattern explodes: seconds in all, on a busy machine too


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(LookError, match="flux1-kontext"):
        lint(CLEAN, "stable-cascade")


ODD = ["\u200b", '"', "—", "[LIGHT DIRECTION]", " --ar 16:9", "\n", "光"]
PIECES = [rule.bad for rule in rules.every() if 0 < len(rule.bad) < 200] + ODD


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join), st.sampled_from(["", *dialects.names()]))
@settings(max_examples=60, deadline=None)
def test_mending_ends_and_never_makes_it_worse(text: str, dialect: str) -> None:
    better = mended(text, dialect)
    before = {finding.code for finding in lint(text, dialect) if finding.level == "warning"}
    after = {finding.code for finding in lint(better, dialect) if finding.level == "warning"}
    assert after <= before | {"LK505"}
    assert not [finding for finding in lint(better, dialect) if finding.fix and finding.level == "warning"]
    assert mended(better, dialect) == better


@given(st.text(max_size=300), st.sampled_from(["", *dialects.names()]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read(text: str, dialect: str) -> None:
    for finding in lint(text, dialect):
        assert 0 <= finding.start <= finding.end <= len(text)
        assert text[finding.start : finding.end] == finding.seen
    mended(text, dialect)
