"""The commands about engines: `engines`, `engines pull`, and `evidence`.

What a command needs is imported by it: --help must start fast.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

engines = typer.Typer(help="The engines that make frames.", invoke_without_command=True, no_args_is_help=False, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Option = Annotated[list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="A setting of the engine; may be repeated.")]


@engines.callback()
def roster(context: typer.Context, as_json: AsJson = False) -> None:
    """List the engines: which could shoot now, what the others lack, what a frame costs and what it may be used for."""
    if context.invoked_subcommand is not None:
        return
    found = examine()
    if as_json:
        typer.echo(json.dumps({"engines": found}, ensure_ascii=False))
        return
    for one in found:
        state = "ready" if one["ready"] else "installed" if one["installed"] else "not installed"
        away = "; the photo leaves this machine" if one["leaves"] else ""
        typer.echo(f"{one['name']:<12} {state:<14} {one['cost']}{away}")
        if one["licence"]:
            typer.echo(f"{'':<12} {one['licence']}")
        for lacked in one["missing"]:
            typer.echo(f"{'':<12} missing: {lacked}")


def examine() -> list[dict[str, Any]]:
    """Every engine as plain data; one that cannot even be asked says why."""
    from lowkey import engines as room
    from lowkey.errors import LowkeyError

    found = []
    for name in room.names():
        told: dict[str, Any] = {"name": name, "installed": False, "ready": False, "missing": [], "cost": "", "licence": ""}
        told |= {"leaves": False, "paid": False, "likeness": False, "guide": False}
        try:
            engine = room.find(name)
            state, can = engine.ready(), engine.abilities
            told |= {"installed": state.installed, "ready": state.ready, "missing": list(state.missing)}
            told |= {"cost": can.cost, "licence": can.licence, "leaves": can.leaves, "paid": can.paid}
            told |= {"likeness": can.likeness, "guide": can.guide}
            engine.close()
        except LowkeyError as error:
            told["missing"] = [error.message]
        except Exception as error:  # an engine that another package brings; the list must not fall over it
            told["missing"] = [f"it fails when it is asked: {type(error).__name__}: {error}"[:300]]
        found.append(told)
    return found


@engines.command("pull")
def pull(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of the hub; docs/engines.md lists those that are known.")] = "",
    revision: Annotated[str, typer.Option("--revision", metavar="COMMIT", help="Which state of it; else the newest.")] = "",
    accept: Annotated[bool, typer.Option("--accept-licence", help="Do not ask about the licence.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch the weights of a local model: the only command that does. It goes on where it broke off."""
    from lowkey.engines.diffusers import hub, models
    from lowkey.errors import EngineError

    hub.must_have()
    chosen = model or hub.DEFAULT
    listed = models.known(chosen)
    if listed:
        said = f"{listed.id}: {listed.licence}; {listed.terms}. About {listed.download_gb:g} GB."
    else:
        said = f"{chosen} is not among the models that are known here: read its licence on its page before you go on."
    typer.echo(said, err=True)
    if not accept and not (typer.get_text_stream("stdin").isatty() and typer.confirm("Do you accept that, and fetch it?", err=True)):
        raise EngineError("licence-not-accepted", f"nothing was fetched; with --accept-licence the licence of {chosen} counts as accepted")
    weights = hub.pull(listed.id if listed else chosen, revision)
    if as_json:
        told = {"model": weights.name, "revision": weights.revision, "licence": weights.licence}
        typer.echo(json.dumps({**told, "parameters": dict(weights.parameters)}))
        return
    typer.echo(f"{weights.name} at {weights.revision} is here: {sum(weights.parameters.values()) / 1e9:.1f} billion parameters")


def evidence(
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="Which engine: see lowkey engines.")],
    photo: Annotated[Path | None, typer.Option("--photo", metavar="PHOTO", help="Instead of the sample portrait.")] = None,
    option: Option = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="How many.")] = 6,
    size: Annotated[str | None, typer.Option("--size", metavar="WxH", help="Frame size in pixels.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder (default ./evidence-ENGINE).")] = None,
    as_json: AsJson = False,
) -> None:
    """Shoot the house look on the sample with one engine, meter it, and write a folder that can be published.

    It says which model, revision, libraries and machine made the frames, and what the meter found, misses included.
    """
    from lowkey.cli import asking
    from lowkey.session import evidence as proof

    settings = asking.options(option)
    made = proof.gather(engine, settings, photo, out, seeds=seeds, size_px=asking.size(size, None, None))
    if as_json:
        typer.echo(json.dumps({"folder": str(made.folder), "page": str(made.page), "frames": made.frames, "kept": made.kept}))
        return
    typer.echo(f"{made.frames} frames, {made.kept} kept everything: {made.page}")
