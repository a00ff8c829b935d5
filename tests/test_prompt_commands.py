"""The commands `prompt`, `lint` and `looks`, as a terminal sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from lowkey import look as looks
from lowkey.cli.saying import lint as lint_command
from lowkey.cli.saying import prompt as prompt_command
from lowkey.cli.shelving import looks as looks_app
from lowkey.errors import LookError
from lowkey.look import words
from lowkey.prompt import clipboard, compile, lint, shelf

app = typer.Typer()
app.command("prompt")(prompt_command)
app.command("lint")(lint_command)
app.add_typer(looks_app, name="looks")
HOUSE = shelf.find("house")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def answer(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    data: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return data


def refusal(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, LookError), result.output
    return result.exception.code


# --- prompt


def test_the_prompt_alone_is_on_standard_output() -> None:
    result = run("prompt")
    assert result.exit_code == 0
    assert result.stdout == compile(HOUSE, "flux2").text + "\n"
    assert "width 896" in result.stderr
    assert "of 512 tokens" in result.stderr


def test_variables_replace_those_of_the_look() -> None:
    said = run("prompt", "--look", "confrontation", "--light", "REAR  LEFT", "--dialect", "plain").stdout
    assert said == compile(shelf.find("confrontation").but(light="rear-left"), "plain").text + "\n"


def test_json_holds_everything() -> None:
    data = answer("prompt", "--dialect", "flux1-kontext", "--remedy", "no-fill", "--remedy", "motes", "--seed", "3", "--aspect", "2:3")
    assert data["dialect"] == "flux1-kontext:edit"
    assert data["parameters"]["height"] == 1248
    assert data["parameters"]["seed"] == 3
    assert {"role", "text", "because", "source"} <= set(data["clauses"][0])
    assert [row["encoder"] for row in data["tokens"]] == ["t5", "clip"]
    assert data["tokens"][0]["limit"] == 512
    assert data["tokens"][1]["reads"] in data["text"]
    assert [row["role"] for row in data["clauses"] if row["role"].startswith("remedy")] == ["remedy:no-fill", "remedy:motes"]


def test_explain_says_every_clause_its_variable_its_reason_and_its_source() -> None:
    out = run("prompt", "--explain").stdout
    for clause in compile(HOUSE, "flux2").clauses:
        assert f"{clause.text}\n    {clause.role}" in out
        assert clause.because in out
        assert clause.source in out


def test_midjourney_warns_about_the_address() -> None:
    assert "in place of REFERENCE_URL" in run("prompt", "--dialect", "midjourney").stderr
    assert "REFERENCE_URL" not in run("prompt", "--dialect", "midjourney", "--reference", "https://example.com/a.jpg").output
    assert "averaged" in run("prompt", "--dialect", "openai").stderr


def test_a_sweep_is_every_combination_one_a_line() -> None:
    lines = run("prompt", "--sweep", "light, flare").stdout.splitlines()
    assert len(lines) == len(set(lines)) == len(words("light")) * len(words("flare"))
    rows = answer("prompt", "--sweep", "pose", "--dialect", "flux2:json")["prompts"]
    assert [row["pose"] for row in rows] == [word.word for word in words("pose")]
    assert len(run("prompt", "--sweep", "pose", "--dialect", "openai").stdout.splitlines()) == len(rows)


def test_a_sweep_leaves_out_what_the_look_contradicts(tmp_path: Path) -> None:
    path = tmp_path / "hidden.toml"
    path.write_text('flare = "no flare"\n[rig]\nlamp_visible = false\n')
    result = run("prompt", "--look", str(path), "--sweep", "flare")
    assert len(result.stdout.splitlines()) == len(words("flare")) - 2
    assert "left out" in result.stderr


def test_templates_are_filled(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("lit [light direction]\n")
    result = run("prompt", "--template", str(path))
    assert result.stdout == "lit rear-right\n\n"
    assert "no token for: background" in result.stderr
    assert refusal("prompt", "--template", str(path), "--flare", "no flare") == "missing-token"
    assert answer("prompt", "--template", "house", "--light", "side split")["missing"] == []
    path.write_text("[LIGHT]\n")
    assert refusal("prompt", "--template", str(path)) == "unknown-token"
    assert refusal("prompt", "--template", str(tmp_path / "none.txt")) == "unreadable-file"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--dialect", "flux9"), "unknown-dialect"),
        (("--look", "nope"), "unknown-look"),
        (("--light", "sideways"), "unknown-word"),
        (("--light", "\x1b[31m"), "unknown-word"),
        (("--light", "x" * 100_000), "unknown-word"),
        (("--remedy", "sun"), "unknown-remedy"),
        (("--aspect", "wide"), "bad-aspect"),
        (("--aspect", "16:9"), "landscape"),
        (("--aspect", "٤:٥"), "bad-aspect"),
        (("--sweep", "mood"), "unknown-word"),
        (("--sweep", ","), "unknown-word"),
        (("--guide", "--dialect", "flux1-kontext"), "one-reference"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(arguments: tuple[str, ...], code: str) -> None:
    assert refusal("prompt", *arguments) == code


def test_copy_hands_the_text_to_the_first_clipboard_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr(clipboard, "copy", lambda text: taken.append(text) or "pbcopy")
    assert run("prompt", "--copy").stdout == taken[0] + "\n"
    assert len(run("prompt", "--copy", "--sweep", "pose").stdout.splitlines()) == len(taken[1].splitlines())


def test_without_a_clipboard_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard.shutil, "which", lambda _: None)
    with pytest.raises(LookError, match="wl-copy"):
        clipboard.copy("text")


def test_a_clipboard_gets_the_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pbcopy"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path}/taken\n")
    program.chmod(0o755)
    monkeypatch.setattr(clipboard.shutil, "which", lambda name: str(program) if name == "pbcopy" else None)
    assert clipboard.copy("held — breath") == "pbcopy"
    assert (tmp_path / "taken").read_text("utf-8") == "held — breath"


# --- lint


def test_lint_says_where_what_and_why_and_exits_with_1() -> None:
    result = run("lint", "A chiaroscuro portrait,\nsoft fill light")
    assert result.exit_code == 1
    assert "2:1 LK104 warning" in result.stdout
    assert "fix:" in result.stdout


def test_an_empty_prompt_is_found_empty_and_is_no_folder() -> None:
    result = run("lint", "")
    assert result.exit_code == 1
    assert "LK604" in result.stdout


def test_lint_of_a_compiled_prompt_is_quiet() -> None:
    result = run("lint", compile(HOUSE, "flux2").text, "--dialect", "flux2")
    assert (result.exit_code, result.stdout) == (0, "")


def test_fix_prints_the_mended_prompt_first() -> None:
    result = run("lint", "A chiaroscuro portrait, soft fill light, black background", "--fix")
    assert result.exit_code == 0
    assert "dust motes" in result.stdout
    assert "fill" not in result.stdout
    assert not [one for one in lint(result.stdout) if one.level == "warning"]


def test_lint_reads_files_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text("smiling", "utf-8")
    for result in (run("lint", str(path)), run("lint", "-", stdin="smiling")):
        assert "LK306" in result.stdout
    path.write_bytes(b"x" * 10_000_000)
    assert refusal("lint", str(path)) == "too-large"
    assert isinstance(run("lint", "-", stdin="x" * 100_000).exception, LookError)
    path.write_bytes(b"\xff\xff")
    assert refusal("lint", str(path)) == "unreadable-file"
    assert run("lint", "-", stdin=b"\xff\xfe").exit_code == 1
    assert refusal("lint", str(tmp_path)) == "unreadable-file"


def test_lint_as_json() -> None:
    data = answer("lint", 'A "smiling" portrait')
    assert {"code", "name", "level", "start", "end", "seen", "says", "fix"} == set(data["findings"][0])
    assert "LK306" in [row["code"] for row in data["findings"]]


@pytest.mark.parametrize("text", ["", "\x00", "a\x00b", "'\"`$(rm)", "😀" * 300, "-" * 3 + " x"])
def test_lint_of_odd_text_ends_well(text: str) -> None:
    assert run("lint", "--", text).exit_code in (0, 1)


# --- looks


def test_looks_alone_prints_the_words() -> None:
    out = run("looks").stdout
    for variable in ("light", "background", "clothing", "pose", "flare"):
        for word in words(variable):
            assert word.word in out
    assert answer("looks")["words"]["light"][0]["word"] == "rear-right"


def test_looks_list_and_its_uses() -> None:
    assert [line.split()[0] for line in run("looks", "list").stdout.splitlines()] == list(looks.names())
    rows = answer("looks", "list", "--use", "Headshot")["looks"]
    assert rows
    assert all("headshot" in row["use"] for row in rows)
    assert refusal("looks", "list", "--use", "passport") == "unknown-use"


def test_looks_show_prints_a_file_that_reads_back() -> None:
    for name in looks.names():
        assert looks.from_toml(run("looks", "show", name).stdout) == shelf.find(name)
    assert "[LIGHT DIRECTION]" in run("looks", "show", "house", "--template").stdout
    assert answer("looks", "show", "house")["avoid"]


def test_looks_new_writes_a_look_and_never_over_one(tmp_path: Path) -> None:
    result = run("looks", "new", "quiet-hour", "--like", "cameo", "--flare", "clean backlight", "--out", str(tmp_path), "--mood", "late")
    path = tmp_path / "quiet-hour.toml"
    assert result.stdout.strip() == str(path)
    look = shelf.find(str(path))
    assert (look.light, look.flare, look.mood, look.title) == ("side-split left", "clean backlight", "late", "Quiet hour")
    before = path.read_bytes()
    assert refusal("looks", "new", "quiet-hour", "--out", str(tmp_path)) == "look-exists"
    assert path.read_bytes() == before
    assert run("looks", "new", "quiet-hour", "--out", str(tmp_path), "--force").exit_code == 0
    assert refusal("looks", "new", "../escape", "--out", str(tmp_path)) == "bad-look-name"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["quiet-hour.toml"]


def test_looks_check_reads_and_lints(tmp_path: Path) -> None:
    assert run("looks", "check", "house", "cameo").exit_code == 0
    (tmp_path / "bad.toml").write_text("light = 'sideways'")
    (tmp_path / "soft.toml").write_text("mood = 'a smile in soft fill light'")
    result = run("looks", "check", str(tmp_path / "bad.toml"), str(tmp_path / "soft.toml"), "house")
    assert result.exit_code == 1
    assert "unknown-word" in result.stdout
    assert "LK104" in result.stdout
    assert answer("looks", "check", str(tmp_path / "bad.toml"))["findings"][0]["code"] == "unknown-word"


def test_looks_diff_says_what_differs() -> None:
    out = run("looks", "diff", "house", "house-mirrored").stdout
    assert "light\n  - rear-right\n  + rear-left" in out
    assert "says light" in out
    assert "clothing" not in out
    assert run("looks", "diff", "house", "house").stdout == ""
    assert answer("looks", "diff", "house", "choir")["look"]
