"""The commands about looks: `looks list`, `show`, `new`, `check`, `diff`; alone, the words of the five variables.

What a command needs is imported by it: --help must start fast.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowkey.cli.saying import AsJson, Background, Clothing, DialectName, Flare, Light, Pose, Stock

if TYPE_CHECKING:
    from lowkey.prompt.words import Clause

looks = typer.Typer(help="The looks, and the words they are made of.", invoke_without_command=True, no_args_is_help=False)

Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A look by name, or a look file.")]


@looks.callback()
def words(context: typer.Context, as_json: AsJson = False) -> None:
    """The words of the five variables, and the looks."""
    if context.invoked_subcommand is not None:
        return
    from lowkey import look as vocabulary

    if as_json:
        typer.echo(json.dumps(_vocabulary(), ensure_ascii=False))
        return
    for variable in vocabulary.VARIABLES:
        typer.echo(variable)
        for word in vocabulary.words(variable):
            # A mirrored form does the same from the other side; its name says so.
            typer.echo(f"  {word.word:<32} {'' if word.mirrored else word.does}".rstrip())
        numbers = vocabulary.NUMBERS[variable]
        typer.echo(f"  {numbers.example:<32} numbers: {numbers.form}\n")
    typer.echo("looks")
    for name in vocabulary.names():
        typer.echo(_line(name))
    typer.echo("\nLeft and right are always the viewer's.")


def _vocabulary() -> dict[str, Any]:
    from lowkey import look as vocabulary
    from lowkey.prompt import shelf

    said = {
        variable: [{"word": word.word, "slug": word.slug, "aliases": list(word.aliases), "does": word.does} for word in words_of]
        for variable, words_of in ((variable, vocabulary.words(variable)) for variable in vocabulary.VARIABLES)
    }
    numbers = {variable: {"form": known.form, "example": known.example} for variable, known in vocabulary.NUMBERS.items()}
    return {"words": said, "numbers": numbers, "looks": {name: vocabulary.to_mapping(shelf.find(name)) for name in vocabulary.names()}}


def _line(name: str) -> str:
    from lowkey.prompt import shelf

    look = shelf.find(name)
    return f"  {name:<20} {look.mood:<24} {', '.join(look.use)}"


@looks.command("list")
def list_looks(
    use: Annotated[str, typer.Option("--use", help="Only looks for this use: headshot, album, gift print, ...")] = "",
    as_json: AsJson = False,
) -> None:
    """The looks that ship with lowkey, and what each is for."""
    from lowkey import look as vocabulary
    from lowkey.errors import LookError
    from lowkey.prompt import shelf

    every = {name: shelf.find(name) for name in vocabulary.names()}
    chosen = {name: look for name, look in every.items() if not use or use.casefold() in (one.casefold() for one in look.use)}
    if not chosen:
        known = sorted({one for look in every.values() for one in look.use})
        raise LookError("unknown-use", f'no look is for "{use[:40]}". The uses are: {", ".join(known)}')
    if as_json:
        rows = [{"name": name, **vocabulary.to_mapping(look)} for name, look in chosen.items()]
        typer.echo(json.dumps({"looks": rows}, ensure_ascii=False))
        return
    for name in chosen:
        typer.echo(_line(name).strip())


@looks.command()
def show(
    name: Name,
    template: Annotated[bool, typer.Option("--template", help="The house look's full prompt with its five tokens.")] = False,
    as_json: AsJson = False,
) -> None:
    """One look as its file says it."""
    from lowkey import look as vocabulary
    from lowkey.prompt import shelf

    look = shelf.find(name)
    if template:
        typer.echo(shelf.house_prompt().rstrip("\n"))
    elif as_json:
        typer.echo(json.dumps({"name": Path(name).stem, **vocabulary.to_mapping(look)}, ensure_ascii=False))
    else:
        typer.echo(vocabulary.to_toml(look).rstrip("\n"))


@looks.command()
def new(
    name: Annotated[str, typer.Argument(help="What the look is called: a-z, 0-9 and hyphens.")],
    like: Annotated[str, typer.Option("--like", metavar="NAME|FILE", help="Begin with this look.")] = "house",
    light: Light = None,
    background: Background = None,
    clothing: Clothing = None,
    pose: Pose = None,
    flare: Flare = None,
    stock: Stock = None,
    title: Annotated[str | None, typer.Option("--title", help="What it is called on a sheet.")] = None,
    mood: Annotated[str | None, typer.Option("--mood", help="Its mood in a few words.")] = None,
    avoid: Annotated[str | None, typer.Option("--avoid", help="When not to use it.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write NAME.toml into.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over a file of that name.")] = False,
) -> None:
    """Write a look file to make your own."""
    from lowkey import look as vocabulary
    from lowkey.errors import LookError
    from lowkey.photo import write_whole
    from lowkey.prompt import shelf

    shelf.check_name(name)
    chosen = shelf.find(like).but(light=light, background=background, clothing=clothing, pose=pose, flare=flare, stock=stock)
    chosen = chosen.but(mood=mood, avoid=avoid, title=title if title is not None else name.replace("-", " ").capitalize())
    path = out / f"{name}.toml"
    if path.exists() and not force:
        raise LookError("look-exists", f"{path} is already there; choose another name, or --force")
    write_whole(path, vocabulary.to_toml(chosen).encode())
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
    from lowkey.errors import LookError
    from lowkey.prompt import dialects, linter, shelf
    from lowkey.prompt.compiler import compile as compiled

    try:
        look = shelf.find(name)
    except LookError as error:
        return [{"look": name, "code": error.code, "where": "", "says": error.message}]
    found: dict[str, dict[str, str]] = {}
    for spec in dialects.specs():
        for finding in linter.lint(compiled(look, spec).text, spec):
            if finding.level == "warning":
                found.setdefault(finding.code, {"look": name, "code": finding.code, "where": spec, "says": finding.says})
    return list(found.values())


@looks.command()
def diff(one: Name, other: Name, dialect: DialectName = "flux2", as_json: AsJson = False) -> None:
    """What tells two looks apart, in words and in the prompt."""
    from lowkey.prompt import shelf
    from lowkey.prompt.compiler import compile as compiled

    first, second = shelf.find(one), shelf.find(other)
    fields = shelf.differences(first, second)
    said = [
        (before.role, before.text, after.text)
        for before, after in _paired(compiled(first, dialect).clauses, compiled(second, dialect).clauses)
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
    from lowkey.prompt.words import Clause

    one, other = {clause.role: clause for clause in before}, {clause.role: clause for clause in after}
    return [(one.get(role, Clause(role, "", "")), other.get(role, Clause(role, "", ""))) for role in dict.fromkeys([*one, *other])]
