"""The pages say what the data says, and their examples run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lowkey import look as looks
from lowkey.look import VARIABLES, words
from lowkey.prompt import dialects, remedy_names, rules, shelf
from lowkey.prompt.pages import refreshed
from test_prompt_commands import run

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("prompts", "looks", "dialects")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_parts_are_up_to_date(name: str) -> None:
    assert refreshed(page(name)) == page(name), "run: python -m lowkey.prompt.pages docs"


def test_every_word_rule_remedy_look_and_dialect_is_documented() -> None:
    for variable in VARIABLES:
        assert all(f"`{word.word}`" in page("prompts") for word in words(variable))
    assert all(f"`{rule.code}`" in page("prompts") for rule in rules.every())
    assert all(f"`{name}`" in page("prompts") for name in remedy_names())
    assert all(f"`{name}`" in page("looks") for name in looks.names())
    assert all(f"`{spec}`" in page("dialects") for spec in dialects.specs())


def test_the_page_says_whose_left_it_is() -> None:
    assert "**Left and right are always the viewer's**" in page("prompts")


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_on_the_page_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lowkey.prompt.clipboard.copy", lambda _: "pbcopy")
    Path("mine.txt").write_text("[LIGHT DIRECTION] [BACKGROUND TEXTURE] [CLOTHING DESCRIPTOR] [POSE / GAZE] [LENS FLARE INTENSITY]")
    Path("prompt.txt").write_text("A chiaroscuro portrait.")
    blocks = re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL)
    for line in (line for block in blocks for line in block.splitlines() if line.startswith("lowkey ")):
        result = run(*shlex.split(line, comments=True)[1:])
        assert result.exit_code in (0, 1 if line.startswith("lowkey lint") else 0), f"{line}: {result.output} {result.exception}"


def test_the_python_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page("prompts"), re.DOTALL)
    exec(code, {})
    assert "frame-left cheek bright" in capsys.readouterr().out


def test_the_look_file_on_the_page_is_a_look() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", page("looks"), re.DOTALL)
    assert looks.from_toml(text) == shelf.find("quiet-headshot")
