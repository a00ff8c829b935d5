"""The documentation is whole: every command, flag, word, code and exit code is in it, and the examples run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from lowkey import errors
from lowkey import look as looks
from lowkey.cli.commands import app

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "lowkey"
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
ERRORS = (ROOT / "docs" / "errors.md").read_text()
WORDS = (ROOT / "docs" / "words.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def commands() -> Iterator[tuple[str, object]]:
    """Every command with its full name."""
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        for sub, inner in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", inner
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield name, command


def section(command: str) -> str:
    """What docs/commands.md says under a command's own heading."""
    return re.split(r"^## ", COMMANDS.split(f"## lowkey {command}", 1)[-1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_flag_is_documented_and_has_help(name: str, command: object) -> None:
    assert f"## lowkey {name}" in COMMANDS
    assert command.help  # type: ignore[attr-defined]
    for parameter in command.params:  # type: ignore[attr-defined]
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name
            assert f"`{parameter.opts[0]}" in section(name), f"{parameter.opts[0]} is not under lowkey {name}"


def test_no_flag_is_documented_that_is_not_there() -> None:
    for name, command in commands():
        known = {flag for parameter in command.params for flag in parameter.opts} | {"--help"}  # type: ignore[attr-defined]
        documented = set(re.findall(r"`(--[a-z-]+)", section(name)))
        assert documented <= known, name


KINDS = "LookError|PhotoError|EngineError|ConsentError|PrintError|StoreError|Bug|Caution|Unsent|Unknown"


def codes() -> set[str]:
    """Every code in the source: where an error or a warning is made, and the ones of the command line itself."""
    found = {"usage", "bug", "interrupted", "missing-package", "out-of-memory", "worker-died"}
    for file in SOURCE.rglob("*.py"):
        text = file.read_text()
        found |= set(re.findall(rf'\b(?:{KINDS})\(\s*f?"([a-z][a-z0-9-]+)"', text))
        found |= set(re.findall(r'"(photo-[a-z-]+)"', text))
    return found


def documented_codes() -> set[str]:
    rows = re.findall(r"^\| ((?:`[a-z0-9-]+` ?)+)\|", ERRORS, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    assert codes() - documented_codes() == set(), "not in docs/errors.md"
    assert documented_codes() - codes() == set(), "in docs/errors.md and nowhere else"


def test_every_exit_code_is_documented() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LowkeyError)]
    used = {0, 1, 130} | {kind.exit_code for kind in kinds}
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", ERRORS, re.MULTILINE)}
    assert used <= documented
    assert all(kind.__name__ in ERRORS for kind in kinds)


def test_the_page_of_words_is_what_the_tables_say() -> None:
    """After a change of the tables: python docs/words.py > docs/words.md."""
    made = subprocess.run([sys.executable, "docs/words.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made == WORDS
    for variable in looks.VARIABLES:
        assert all(f"| {word.word} | `{word.slug}` |" in WORDS for word in looks.words(variable))


def test_the_page_of_the_promise_is_what_the_tables_say() -> None:
    """After a change of the tables: python docs/promise.py > docs/promise.md."""
    made = subprocess.run([sys.executable, "docs/promise.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made == (ROOT / "docs" / "promise.md").read_text()


def test_the_guide_knows_every_pose() -> None:
    guide = (ROOT / "docs" / "photograph-the-reference.md").read_text()
    assert all(f"| {word.word} |" in guide for word in looks.words("pose") if word.word != "as shot")


def test_every_dependency_has_its_reason() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = [re.split(r"[=<>]", line)[0] for line in declared]
    table = README.split("## What it stands on")[1]
    assert [name for name in [*names, "mediapipe"] if not re.search(rf"[| ,]{re.escape(name)}[ ,]", table)] == []


def test_every_dependency_is_locked_as_declared() -> None:
    from packaging.requirements import Requirement

    lock = dict(
        line.split("==") for line in (ROOT / "requirements" / "lock.txt").read_text().splitlines() if "==" in line and line[0] != "#"
    )
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[wanted.name]), line
    assert lock["mediapipe"] == "0.10.14"
    assert not {"jax", "jaxlib", "sounddevice", "opencv-python", "opencv-contrib-python"} & set(lock)


def test_the_extra_is_locked_as_declared() -> None:
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements" / "flux.txt").read_text().splitlines()
    lock = dict(line.split("==") for line in lines if "==" in line and line[0] != "#")
    core = (ROOT / "requirements" / "lock.txt").read_text()
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["flux"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[wanted.name]), line
        assert re.search(rf"\b{re.escape(wanted.name)}\b", README.split("## What it stands on")[1]), line
    assert not [name for name in lock if f"\n{name}==" in core], "locked twice"


def test_the_page_of_engines_has_every_model_and_setting() -> None:
    from lowkey.engines.diffusers import memory, models

    page = (ROOT / "docs" / "engines.md").read_text()
    for model in models.models():
        row = next(line for line in page.splitlines() if line.startswith(f"| {model.id} |"))
        assert f"| {'yes' if model.likeness else 'off'} |" in row
        assert f"| {model.download_gb:g} GB |" in row
    assert all(f"`{name}`" in page for name in ("darkroom", "diffusers", "rehearsal", *memory.NAMES))


def test_the_design_s_terms_are_in_the_glossary() -> None:
    glossary = (ROOT / "GLOSSARY.md").read_text()
    terms = "key, fill, rim, terminator, albedo, matte, specular, penumbra, halo, veil, flare, halation, zone, seed, frame, take"
    terms += ", contact sheet, select"
    for term in terms.split(", "):
        assert re.search(rf"^\| [^|]*\b{term}\b[^|]* \| ", glossary, re.MULTILINE), term
    rows = re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE)[2:]
    assert rows == sorted(rows, key=str.casefold)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_s_commands_are_understood() -> None:
    """Every flag in the README's session exists."""
    known = {name: {flag for parameter in command.params for flag in parameter.opts} for name, command in commands()}  # type: ignore[attr-defined]
    for first, second, rest in re.findall(r"^    \$ lowkey (\w+) ?(\w*)(.*)$", README, re.MULTILINE):
        name = f"{first} {second}" if f"{first} {second}" in known else first
        assert set(re.findall(r" (--[a-z-]+)", rest)) <= known[name], name


@pytest.mark.parametrize("example", ["simple", "advanced", "expert"])
def test_examples_run(example: str, astronaut_file: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{example}.py", astronaut_file, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    made = {
        "simple": ["sheet.png", "record.json", *(f"astronaut_rear-right_s{seed:02d}.png" for seed in range(1, 7)), "session.db"],
        "advanced": [f"astronaut_{slug}_s03.png" for slug in ("rear-right", "side-left", "front-45", "az-120el25")],
        "expert": [f"stage_{name}.png" for name in ("dress", "light", "backdrop", "optics", "film")],
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(made[example])


def test_the_sample_portrait_is_written(tmp_path: Path) -> None:
    from lowkey import photo

    subprocess.run([sys.executable, ROOT / "examples" / "portrait.py", tmp_path / "portrait.png"], check=True)
    assert photo.read(tmp_path / "portrait.png").size_px == (512, 512)
