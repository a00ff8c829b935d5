"""Dialects are data: every shipped one is whole, a new one needs a file, and a stranger's file can break nothing."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lowkey.errors import LookError
from lowkey.look import VARIABLES, words
from lowkey.prompt import compile, dialects, lexicon, shelf
from lowkey.prompt.clauses import ROLES

HOUSE = shelf.find("house")
EXAMPLE = re.search(r"```toml\n(.*?)```", (Path(__file__).parent.parent / "docs" / "dialects.md").read_text("utf-8"), re.DOTALL)
assert EXAMPLE
SKETCH = EXAMPLE[1]


def test_the_six_dialects_are_there() -> None:
    assert dialects.names() == ("flux1-kontext", "flux2", "flux3", "midjourney", "openai", "plain")


@pytest.mark.parametrize("name", dialects.names())
def test_a_shipped_dialect_is_whole(name: str) -> None:
    data = dialects.find(name).data
    assert data["source"] in lexicon.table("sources")
    for form, shape in data["form"].items():
        texts = dialects._texts([shape.get("sentences", []), shape.get("tree", {})])
        placed = {role for text in texts for role in re.findall(r"\{(\w+)\}", text)}
        needed = {*VARIABLES, "range", "terminator", "highlights", "remedies", "overrides", "aspect", "mood"}
        assert needed <= placed <= set(ROLES), form
        assert ("guide" in placed) == (data["references"] > 1)
        assert "reference" in placed or name == "midjourney"
    for row in data.get("phrases", {}).values():
        assert row["source"] in lexicon.table("sources")


def test_every_phrase_has_a_source_that_is_named() -> None:
    for name in ("light", "background", "clothing", "pose", "flare", "overrides", "remedies"):
        assert lexicon.table(name)["source"] in lexicon.table("sources")
    for row in lexicon.table("promise").values():
        assert row.get("source", "house") in lexicon.table("sources")


def test_a_form_is_chosen_after_a_colon() -> None:
    assert compile(HOUSE, "flux2").dialect == "flux2:prose"
    assert compile(HOUSE, " FLUX2:JSON ").dialect == "flux2:json"
    assert compile(HOUSE, dialects.find("flux3:caption")).dialect == "flux3:caption"


@pytest.mark.parametrize("spec", ["", ":", "flux9", "flux2:nope", "flux2:json:x", "../flux2", "lexicon/light", "x" * 5000])
def test_an_unknown_dialect_is_refused_in_words(spec: str) -> None:
    with pytest.raises(LookError) as caught:
        compile(HOUSE, spec)
    assert caught.value.code == "unknown-dialect"
    assert len(caught.value.message) < 400


# --- The example of docs/dialects.md, used as it stands.


def test_the_documented_example_is_a_dialect(tmp_path: Path) -> None:
    path = tmp_path / "sketch.toml"
    path.write_text(SKETCH, "utf-8")
    said = compile(HOUSE, str(path), ("no-fill",), aspect=(2, 3))
    assert said.dialect == "sketch:lines"
    assert said.text.startswith("Exactly the person of my photo: hands under the chin")
    assert "the right-hand cheek of the picture bright" in said.text
    assert "no fill light, no ambient bounce" in said.text
    assert said.parameters == {"ratio": "2:3"}
    assert compile(HOUSE, f"{path}:lines").text != ""


def test_a_new_dialect_obeys_the_same_laws() -> None:
    sketch = dialects.from_toml(SKETCH, "sketch")
    for variable in VARIABLES:
        texts = {compile(HOUSE.but(**{variable: word.word}), sketch).text for word in words(variable)}
        assert len(texts) == len(words(variable))
    one, other = (compile(HOUSE.but(light=light), sketch).text for light in ("rear-right", "rear-left"))
    assert re.sub(r"\b(left|right)\b", lambda side: {"left": "right", "right": "left"}[side[0]], one) == other


def broken(**changed: Any) -> str:
    """The example with some keys changed or (None) taken out, as TOML of the simplest kind."""
    data: dict[str, Any] = tomllib.loads(SKETCH) | changed
    lines: list[str] = []

    def put(value: Any, path: str) -> None:
        if isinstance(value, dict):
            lines.append(f"[{path}]") if path else None
            for key, inner in value.items():
                if not isinstance(inner, dict):
                    lines.append(f"{key} = {str(inner).lower() if isinstance(inner, bool) else repr(inner)}")
            for key, inner in value.items():
                if isinstance(inner, dict):
                    put(inner, f"{path}.{key}" if path else key)

    put({key: value for key, value in data.items() if value is not None}, "")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": None},
        {"sides": None},
        {"speaks": "os"},
        {"speaks": "../compiler"},
        {"speaks": 3},
        {"references": True},
        {"default": "verse"},
        {"run": "rm"},
        {"names": {}},
        {"references": 2},
        {"sides": {"cheek": "the cheek", "half": "{side}", "at": "{side}", "to": "{side}", "edge": "{side}"}},
        {"form": {"lines": {"register": "loud", "sentences": ["{light}"]}}},
        {"form": {"lines": {"register": "short", "sentences": ["{light} {path}"]}}},
        {"form": {"lines": {"register": "short", "sentences": []}}},
        {"form": {"lines": {"register": "short", "sentences": "{light}"}}},
        {"form": {"lines": "short"}},
        {"phrases": {"reference": {"short": "me"}}},
        {"phrases": {"engine": {"short": "me", "because": "x", "source": "look"}}},
        {"phrases": {"reference": {"short": "me", "because": "x", "source": "nowhere"}}},
        {"phrases": {"reference": {"short": "{light} {nothing}", "because": "x", "source": "look"}}},
        {"names": {"photo": "{photo}"}},
    ],
)
def test_a_broken_dialect_is_refused_in_words(changed: dict[str, Any]) -> None:
    assert dialects.from_toml(broken(), "fine").form == "lines"
    with pytest.raises(LookError) as caught:
        compile(HOUSE, dialects.from_toml(broken(**changed), "mine"), ("no-fill",))
    assert caught.value.code == "bad-dialect"


@pytest.mark.parametrize("text", ["", "x = ", "a = [" * 500, "\x00", "title = 1979-05-27"])
def test_a_file_that_is_no_dialect(text: str) -> None:
    with pytest.raises(LookError) as caught:
        dialects.from_toml(text, "mine")
    assert caught.value.code == "bad-dialect"


def test_dialect_files_are_files_of_a_bounded_size(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_text("#" * 70_000)
    with pytest.raises(LookError, match="64 KB") as caught:
        dialects.find(str(large))
    assert caught.value.code == "too-large"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        with pytest.raises(LookError, match="is not a file"):
            dialects.find(str(tmp_path / "pipe.toml"))
