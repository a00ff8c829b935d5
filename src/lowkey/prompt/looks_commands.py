"""The commands about looks: `looks list`, `show`, `new`, `check`, `diff`; alone, the words of the five variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lowkey import look as vocabulary
from lowkey.errors import LookError
from lowkey.look import VARIABLES
from lowkey.prompt import dialects, linter, shelf
from lowkey.prompt.commands import AsJson, Background, Clothing, DialectName, Flare, Light, Pose
from lowkey.prompt.compiler import compile as compiled
from lowkey.prompt.shelf import Card
from lowkey.prompt.words import Clause

looks = typer.Typer(help="The looks, and the words they are made of.", invoke_without_command=True, no_args_is_help=False)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A look by name, or a look file.")]


@looks.callback()
def words(context: typer.Context, as_json: AsJson = False) -> None:
    """The words of the five variables."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        table = {variable: [{"word": word.word, "does": word.does} for word in vocabulary.words(variable)] for variable in VARIABLES}
        typer.echo(json.dumps({"words": table}, ensure_ascii=False))
        return
    for variable in VARIABLES:
        typer.echo(variable)
        for word in vocabulary.words(variable):
            typer.echo(f"  {word.word:<32} {word.does}")
        numbers = vocabulary.NUMBERS[variable]
        typer.echo(f"  {'or numbers, as ' + numbers.example:<32} {numbers.form}")


@looks.command("list")
def list_looks(
    use: Annotated[str, typer.Option("--use", help="Only looks for this use: headshot, album, gift print, ...")] = "",
    as_json: AsJson = False,
) -> None:
    """The looks that ship with lowkey, and what each is for."""
    cards = [card for card in map(shelf.find, shelf.names()) if not use or use.casefold() in (one.casefold() for one in card.look.use)]
    if as_json:
        rows = [{"name": card.name, **vocabulary.to_mapping(card.look), "avoid": card.avoid} for card in cards]
        typer.echo(json.dumps({"looks": rows}, ensure_ascii=False))
        return
    for card in cards:
        typer.echo(f"{card.name:<20} {card.look.mood:<24} {', '.join(card.look.use)}")
    if not cards:
        known = sorted({one for card in map(shelf.find, shelf.names()) for one in card.look.use})
        raise LookError("unknown-use", f'no look is for "{use[:40]}". The uses are: {", ".join(known)}')


@looks.command()
def show(
    name: Name,
    template: Annotated[bool, typer.Option("--template", help="The house look's full prompt with its five tokens.")] = False,
    as_json: AsJson = False,
) -> None:
    """One look as its file says it."""
    card = shelf.find(name)
    if template:
        typer.echo(shelf.house_prompt().rstrip("\n"))
    elif as_json:
        typer.echo(json.dumps({"name": card.name, **vocabulary.to_mapping(card.look), "avoid": card.avoid}, ensure_ascii=False))
    else:
        typer.echo(shelf.to_toml(card).rstrip("\n"))


@looks.command()
def new(
    name: Annotated[str, typer.Argument(help="What the look is called: a-z, 0-9 and hyphens.")],
    like: Annotated[str, typer.Option("--like", metavar="NAME|FILE", help="Begin with this look.")] = "house",
    light: Light = None,
    background: Background = None,
    clothing: Clothing = None,
    pose: Pose = None,
    flare: Flare = None,
    title: Annotated[str | None, typer.Option("--title", help="What it is called on a sheet.")] = None,
    mood: Annotated[str | None, typer.Option("--mood", help="Its mood in a few words.")] = None,
    avoid: Annotated[str | None, typer.Option("--avoid", help="When not to use it.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write NAME.toml into.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over a file of that name.")] = False,
) -> None:
    """Write a look file to make your own."""
    from lowkey.photo import write_whole

    shelf.check_name(name)
    card = shelf.find(like)
    chosen = card.look.but(light=light, background=background, clothing=clothing, pose=pose, flare=flare, mood=mood)
    chosen = chosen.but(title=title if title is not None else name.replace("-", " ").capitalize())
    path = out / f"{name}.toml"
    if path.exists() and not force:
        raise LookError("look-exists", f"{path} is already there; choose another name, or --force")
    text = shelf.to_toml(Card(name, chosen, card.avoid if avoid is None else avoid))
    shelf.read(text, name)  # what is written can be read again, or it is not written
    write_whole(path, text.encode())
    typer.echo(str(path))


@looks.command()
def check(
    name: Annotated[list[str], typer.Argument(metavar="NAME|FILE...", help="Looks by name, or look files.")],
    as_json: AsJson = False,
) -> None:
    """Read looks and lint what every dialect would make of them. Exit code 1 when something is wrong."""
    rows = [row for one in name for row in _checked(one)]
    if as_json:
        typer.echo(json.dumps({"findings": rows}, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo(f"{row['look']}: {row['code']} {row['where']}: {row['says']}".replace(" : ", ": "))
        if not rows:
            typer.echo(f"{len(name)} {'look' if len(name) == 1 else 'looks'} checked, nothing found", err=True)
    if rows:
        raise typer.Exit(1)


def _checked(name: str) -> list[dict[str, str]]:
    try:
        card = shelf.find(name)
    except LookError as error:
        return [{"look": name, "code": error.code, "where": "", "says": error.message}]
    found: dict[str, dict[str, str]] = {}
    for spec in dialects.specs():
        for finding in linter.lint(compiled(card.look, spec).text, spec):
            if finding.level == "warning":
                found.setdefault(finding.code, {"look": card.name, "code": finding.code, "where": spec, "says": finding.says})
    return list(found.values())


@looks.command()
def diff(one: Name, other: Name, dialect: DialectName = "flux2", as_json: AsJson = False) -> None:
    """What tells two looks apart, in words and in the prompt."""
    first, second = shelf.find(one), shelf.find(other)
    fields = shelf.differences(first.look, second.look)
    said = [
        (before.role, before.text, after.text)
        for before, after in _paired(compiled(first.look, dialect).clauses, compiled(second.look, dialect).clauses)
        if before.text != after.text
    ]
    if as_json:
        keys = ("field", "one", "other")
        answer = {part: [dict(zip(keys, row, strict=True)) for row in rows] for part, rows in (("look", fields), ("prompt", said))}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for field, before, after in [*fields, *((f"says {role}", before, after) for role, before, after in said)]:
        typer.echo(f"{field}\n  - {before or '(nothing)'}\n  + {after or '(nothing)'}")
    if not fields and not said:
        typer.echo("no difference", err=True)


def _paired(before: tuple[Clause, ...], after: tuple[Clause, ...]) -> list[tuple[Clause, Clause]]:
    """The clauses of two prompts by role; a role that only one of them has is paired with silence."""
    one, other = {clause.role: clause for clause in before}, {clause.role: clause for clause in after}
    return [(one.get(role, Clause(role, "", "")), other.get(role, Clause(role, "", ""))) for role in dict.fromkeys([*one, *other])]
