"""The commands about better readers: `readers list`, `add`, `remove`.

What a command needs is imported by it: --help must start fast.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

readers = typer.Typer(help="Better readers of photos, for who wants them.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A reader of lowkey readers list.")]


@readers.command("list")
def listed(as_json: AsJson = False) -> None:
    """The readers that are known: what each reads, its licence, where it is found, and which are here."""
    from lowkey.plate import readers as room

    here, asked = room.added(), {one.known.name for one in room.active().values()}
    rows = [
        {
            "name": one.name, "title": one.title, "reads": one.reads, "file": one.file, "size": one.size, "licence": one.licence,
            "page": one.page, "sha256": here[one.name].sha256 if one.name in here else one.sha256 or None,
            "added": one.name in here, "used": one.name in asked,
        }
        for one in room.known().values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps({"readers": rows}, ensure_ascii=False))
        return
    for row in rows:
        state = "used" if row["used"] else "added, not used" if row["added"] else "not here"
        typer.echo(f"{row['name']:<18} {row['reads']:<8} {state:<16} {row['licence']}")
        typer.echo(f"{'':<18} {row['title']}: {row['file']}, {row['size']}, {row['page']}")


@readers.command()
def add(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, downloaded from the reader's page.")],
    accept: Annotated[bool, typer.Option("--accept-licence", help="Do not ask about the licence.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a reader from a file that you downloaded. From then on it is used, and no other file takes its place."""
    from lowkey.errors import EngineError
    from lowkey.plate import readers as room

    one = room.find(name)
    typer.echo(f"{one.title}: {one.licence}; {one.page}", err=True)
    if not accept and not (typer.get_text_stream("stdin").isatty() and typer.confirm("Do you accept that licence?", err=True)):
        raise EngineError("licence-not-accepted", f"nothing was added; with --accept-licence the licence of {name} counts as accepted")
    done = room.add(name, file)
    if as_json:
        typer.echo(json.dumps({"name": name, "sha256": done.sha256, "licence": one.licence}))
        return
    told = "as its page publishes it" if one.sha256 else "no hash is published: this one is kept to from now on"
    typer.echo(f"{name} is here, sha256 {done.sha256} ({told})")


@readers.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a reader; the built-in one reads again."""
    from lowkey.plate import readers as room

    gone = room.remove(name)
    if as_json:
        typer.echo(json.dumps({"name": name, "removed": gone}))
        return
    typer.echo(f"{name} {'is removed' if gone else 'was not here'}")
