"""The commands `prompt` and `lint`: thin shells round the prompt room. (`looks` is in shelving.)

Text that is the answer goes to standard output, everything said about it to standard error, so that a prompt can be piped.
With --json the last line of standard output is one JSON object. What a command needs is imported by it: --help must start fast.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lowkey.look import Look
    from lowkey.prompt.dialects import Dialect
    from lowkey.prompt.linter import Finding
    from lowkey.prompt.words import Words

LookName = Annotated[str, typer.Option("--look", metavar="NAME|FILE", help="A look by name, or a look file.")]
Light = Annotated[str | None, typer.Option("--light", help="Light direction: a word, or azimuth,elevation.")]
Background = Annotated[str | None, typer.Option("--background", help="Background texture.")]
Clothing = Annotated[str | None, typer.Option("--clothing", help="Clothing.")]
Pose = Annotated[str | None, typer.Option("--pose", help="Pose and gaze.")]
Stock = Annotated[str | None, typer.Option("--stock", help="Film stock.")]
Flare = Annotated[str | None, typer.Option("--flare", help="Lens flare.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object as the last line.")]
DialectName = Annotated[str, typer.Option("--dialect", metavar="NAME[:FORM]|FILE", help="Which model: see docs/dialects.md.")]


def prompt(
    look: LookName = "house",
    light: Light = None,
    background: Background = None,
    clothing: Clothing = None,
    pose: Pose = None,
    flare: Flare = None,
    stock: Stock = None,
    dialect: DialectName = "flux2",
    remedy: Annotated[list[str] | None, typer.Option("--remedy", help="What a frame lacked: no-fill, motes, ... Repeat for more.")] = None,
    aspect: Annotated[str, typer.Option("--aspect", metavar="W:H", help="4:5, 2:3 or 1:1.")] = "4:5",
    seed: Annotated[int | None, typer.Option("--seed", help="For models that take one.")] = None,
    reference: Annotated[str, typer.Option("--reference", metavar="URL", help="Web address of the photo (Midjourney).")] = "",
    guide: Annotated[bool, typer.Option("--guide", help="The darkroom's frame goes along as a second picture.")] = False,
    template: Annotated[str, typer.Option("--template", metavar="FILE|house", help="Fill the five tokens of a prompt of your own.")] = "",
    effects: Annotated[bool, typer.Option("--effects", help="Fill a template with effects instead of the words.")] = False,
    sweep: Annotated[str, typer.Option("--sweep", metavar="VARIABLE,...", help="Every word of these variables, one prompt a line.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Phrase by phrase: what it says, why, and where that comes from.")] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Put the text on the clipboard too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say a look in a model's own words."""
    from lowkey.prompt import dialects, shelf
    from lowkey.prompt.compiler import compile as compiled

    given: dict[str, Any] = {"light": light, "background": background, "clothing": clothing, "pose": pose, "flare": flare}
    chosen = shelf.find(look).but(**given, stock=stock)
    if template:
        _filled(template, chosen, tuple(name for name, word in given.items() if word is not None), effects, copy, as_json)
        return
    extras: dict[str, Any] = {"aspect": _aspect(aspect), "seed": seed, "reference": reference, "guide": guide}
    spoken = dialects.find(dialect)
    if sweep:
        variables = tuple(name.strip().casefold() for name in sweep.split(","))
        every = [(one, compiled(one, spoken, tuple(remedy or ()), **extras)) for one in _sweep(chosen, variables)]
        _told_sweep(every, copy, as_json)
        return
    words = compiled(chosen, spoken, tuple(remedy or ()), **extras)
    _told(words, spoken, explain, copy, as_json)


def lint(
    text: Annotated[str, typer.Argument(metavar="PROMPT|FILE|-", help="A prompt, a file that holds one, or - for standard input.")],
    dialect: Annotated[str, typer.Option("--dialect", help="Add the rules of one model.")] = "",
    fix: Annotated[bool, typer.Option("--fix", help="Print the prompt mended, instead of the findings alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read any chiaroscuro prompt and say what will go wrong. Exit code 1 when there is a warning."""
    from lowkey.prompt import linter

    prompt_text = _given(text)
    if fix:
        prompt_text = linter.mended(prompt_text, dialect)
    found = linter.lint(prompt_text, dialect)
    if as_json:
        answer = {"text": prompt_text, "findings": [finding.to_mapping() for finding in found]}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        if fix:
            typer.echo(prompt_text)
        for finding in found:
            typer.echo(_finding(finding, prompt_text), err=fix)
        if not found:
            typer.echo("nothing found", err=True)
    if any(finding.level == "warning" for finding in found):
        raise typer.Exit(1)


def _given(text: str) -> str:
    """The prompt itself, or what a file or standard input holds."""
    from lowkey.errors import LookError
    from lowkey.prompt.reading import LARGEST_BYTES, read_text

    if text == "-":
        data = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise LookError("too-large", f"standard input is larger than a prompt can be ({LARGEST_BYTES // 1024} KB)")
        return data.decode("utf-8", "replace")
    # A prompt is rarely a file's name: only short single-line texts are tried as one.
    try:
        is_file = 0 < len(text) < 256 and "\n" not in text and Path(text).exists()
    except (OSError, ValueError):
        is_file = False
    return read_text(Path(text)) if is_file else text


def _finding(finding: Finding, text: str) -> str:
    line = text.count("\n", 0, finding.start) + 1
    column = finding.start - (text.rfind("\n", 0, finding.start) + 1) + 1
    seen = f' "{finding.seen[:60]}"' if finding.seen.strip() else ""
    mend = ""
    if finding.fix is not None:
        mend = f"\n    fix: {finding.fix.text.strip() or 'take it out'}"
    return f"{line}:{column} {finding.code} {finding.level}{seen}: {finding.says}{mend}"


def _aspect(text: str) -> tuple[int, int]:
    from lowkey.errors import LookError

    width, _, height = text.partition(":")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit() and len(text) < 12):
        raise LookError("bad-aspect", f'an aspect is two whole numbers such as 4:5, not "{text[:20]}"')
    return int(width), int(height)


def _filled(template: str, look: Look, asked: tuple[str, ...], effects: bool, copy: bool, as_json: bool) -> None:
    from lowkey.prompt import clipboard, shelf, templates
    from lowkey.prompt.reading import read_text

    source = shelf.house_prompt() if template == "house" else read_text(Path(template), what="a template")
    text = templates.fill(source, look, need=asked, effects=effects)
    lacking = templates.missing(source)
    if lacking:
        typer.echo(f"the template has no token for: {', '.join(lacking)}", err=True)
    if copy:
        clipboard.copy(text)
    typer.echo(json.dumps({"text": text, "missing": list(lacking)}, ensure_ascii=False) if as_json else text)


def _sweep(look: Look, variables: tuple[str, ...]) -> list[Look]:
    from lowkey.prompt.compiler import sweep as swept

    found, left_out = swept(look, variables)
    for why in left_out:
        typer.echo(f"left out: {why}", err=True)
    return found


def _told_sweep(every: list[tuple[Look, Words]], copy: bool, as_json: bool) -> None:
    from lowkey.look import VARIABLES
    from lowkey.prompt import clipboard

    lines = [" ".join(words.text.split()) for _, words in every]
    if copy:
        clipboard.copy("\n".join(lines))
    if not as_json:
        typer.echo("\n".join(lines))
        return
    rows = [{**{name: getattr(look, name) for name in VARIABLES}, **words.to_mapping()} for look, words in every]
    typer.echo(json.dumps({"prompts": rows}, ensure_ascii=False))


def _told(words: Words, dialect: Dialect, explain: bool, copy: bool, as_json: bool) -> None:
    from lowkey.prompt import clipboard

    counted = _counted(words, dialect)
    if copy:
        clipboard.copy(words.text)
    if as_json:
        typer.echo(json.dumps(words.to_mapping() | {"tokens": counted}, ensure_ascii=False))
        return
    typer.echo(_explained(words) if explain else words.text)
    if words.negative and "--no" not in words.text:
        typer.echo(f"\nnegative box: {words.negative}", err=True)
    inside = all(f"--{name}" in words.text for name in words.parameters)
    if words.parameters and not inside:
        typer.echo("parameters: " + ", ".join(f"{name} {value}" for name, value in words.parameters.items()), err=True)
    for line in counted:
        typer.echo(_read(line), err=True)
    for note in words.notes:
        typer.echo(f"note: {note}", err=True)


def _counted(words: Words, dialect: Dialect) -> list[dict[str, Any]]:
    """How much of each encoder's limit the text takes; a summarising encoder reads only so far."""
    from lowkey.prompt import tokens

    data, found = dialect.data, []
    for told, summarises in ((data, False), (data.get("summary", {}), True)):
        if "tokens" in told:
            count = tokens.count(words.text, told["encoder"])
            row = {"encoder": told["encoder"], "tokens": count.tokens, "limit": told["tokens"], "exact": count.exact, "by": count.by}
            if summarises:
                row["reads"] = tokens.head(words.text, told["encoder"], told["tokens"])
            found.append(row)
    return found


def _read(row: dict[str, Any]) -> str:
    from lowkey.prompt import tokens

    title = tokens.ENCODERS[row["encoder"]].title
    about = "" if row["exact"] else "about "
    if "reads" in row and row["tokens"] > row["limit"]:
        return f'{title}: its summary reads {row["limit"]} of {about}{row["tokens"]} tokens, up to "... {row["reads"][-40:].strip()}"'
    return f"{title}: {about}{row['tokens']} of {row['limit']} tokens (by {row['by']})"


def _explained(words: Words) -> str:
    blocks = []
    for clause in words.clauses:
        word = f' "{clause.word}"' if clause.word else ""
        blocks.append(f"{clause.text}\n    {clause.role}{word}: {clause.because}\n    source: {clause.source}")
    return "\n\n".join(blocks)
