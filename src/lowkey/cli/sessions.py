"""Commands about sessions: their flags. What they do lives in `session` and is said by `sitting`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

session = typer.Typer(
    help="What was shot: list, show, resume, choose, check, export, forget.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a session.")]
Frames = Annotated[list[Path], typer.Argument(metavar="FRAME...", help="Frames, by their files.")]
Seeds = Annotated[str, typer.Option(metavar="N|A,B,..", help="How many (6 is 1 to 6), or which (3,7 is two; 7, is one).")]
LookName = Annotated[str | None, typer.Option("--look", metavar="NAME|FILE", help="A look by name, or a look file.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Where to.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Frame size in pixels.")]
Engine = Annotated[str, typer.Option(metavar="NAME", help="Who makes the frames.")]
Option = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of the engine; may be repeated.")]
Budget = Annotated[str | None, typer.Option(metavar="USD", help="The most that a session may cost.")]
Private = Annotated[bool, typer.Option("--private", help="Write nothing into the pictures of how they were shot.")]
NoMeter = Annotated[bool, typer.Option("--no-meter", help="Do not measure the frames.")]


@session.command("list")
def list_(
    roots: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER...]", help="Where to look (default: here).")] = None,
    as_json: AsJson = False,
) -> None:
    """Sessions here and those that were shot on this machine, a line each."""
    from lowkey.cli import sitting

    sitting.listed(roots or [], as_json)


@session.command()
def show(folder: Folder, as_json: AsJson = False) -> None:
    """One session: its look, its frames, what the meter said and, apart from that, what a person said."""
    from lowkey.cli import sitting

    sitting.show(folder, as_json)


@session.command()
def resume(
    folder: Folder,
    photo: Annotated[Path | None, typer.Argument(metavar="[PHOTO]", help="The photo, if it is not where it was.")] = None,
    budget: Budget = None,
    as_json: AsJson = False,
) -> None:
    """Go on where it was stopped: frames that are done stay, what is missing or was changed is made."""
    from lowkey.cli import sitting

    sitting.resume(folder, photo, budget, as_json)


@session.command()
def star(
    frames: Frames, stars: Annotated[int, typer.Option("--stars", "-n", min=0, max=5, help="How many; 0 takes them away.")] = 5
) -> None:
    """Give frames stars; they appear in the folder selects, as copies."""
    from lowkey.cli import sitting

    sitting.mark(frames, stars=stars)


@session.command()
def reject(frames: Frames, undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False) -> None:
    """Mark frames as not to be shown; nothing is removed."""
    from lowkey.cli import sitting

    sitting.mark(frames, rejected=not undo)


@session.command()
def note(
    frame: Annotated[Path, typer.Argument(metavar="FRAME", help="A frame, by its file.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="One line; an empty one takes the note away.")],
) -> None:
    """Write a line about a frame into the record."""
    from lowkey.cli import sitting

    sitting.mark([frame], text=text)


@session.command()
def export(
    folder: Folder,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where to.")],
    stars: Annotated[int, typer.Option("--stars", min=0, max=5, help="Frames of at least so many; 0 is all not rejected.")] = 1,
    private: Private = False,
    as_json: AsJson = False,
) -> None:
    """Copy the selects out of a session, checked by their hashes."""
    from lowkey.cli import sitting

    sitting.export(folder, to, stars, private, as_json)


@session.command()
def verify(folder: Folder, as_json: AsJson = False) -> None:
    """Check every file against its hash: missing, changed or swapped ones are found; exit 1 when there is one."""
    from lowkey.cli import sitting

    raise typer.Exit(sitting.verify(folder, as_json))


@session.command()
def forget(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Whose frames, plates, records and consents are to go.")],
    where: Annotated[list[Path] | None, typer.Option("--in", metavar="DIR", help="Where else to look; may be repeated.")] = None,
    photo: Annotated[bool, typer.Option("--photo", help="The reference photo too.")] = False,
    keep_consent: Annotated[bool, typer.Option("--keep-consent", help="Keep what they agreed to on record.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it is only said what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything of a person, and prove it by a search for its hashes."""
    from lowkey.cli import sitting

    raise typer.Exit(sitting.forget(person, where or [], photo, keep_consent, yes, as_json))


def sweep(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of one person.")],
    across: Annotated[str, typer.Option("--across", metavar="VARIABLE=all|A;B;..", help="The variable across, and its words.")],
    down: Annotated[str | None, typer.Option("--down", metavar="VARIABLE=all|A;B;..", help="The variable down.")] = None,
    look: LookName = None,
    seeds: Seeds = "1",
    size: Size = None,
    face: Annotated[int | None, typer.Option(min=1, metavar="N", help="Which face, when the photo shows several.")] = None,
    engine: Engine = "darkroom",
    option: Option = None,
    budget: Budget = None,
    person: Annotated[str | None, typer.Option(metavar="NAME", help="Whose consent counts.")] = None,
    private: Private = False,
    no_meter: NoMeter = False,
    out: Out = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Read the photo afresh and keep nothing of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shoot one or two variables through their words, and lay them out as a labelled grid."""
    from lowkey.cli import sitting

    more = {"engine": engine, "budget_usd": budget, "person": person, "private": private, "meter": not no_meter, "out": out}
    sitting.sweep(photo, across, down, look, seeds, size, option, as_json, face=face, keep_plate=not no_cache, **more)


def watch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where photos land.")],
    look: LookName = None,
    seeds: Seeds = "6",
    size: Size = None,
    retake: Annotated[int, typer.Option(metavar="N", help="Shoot a frame that misses again, N times at most.")] = 0,
    engine: Engine = "darkroom",
    option: Option = None,
    budget: Budget = None,
    private: Private = False,
    no_meter: NoMeter = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the sessions go (default: into FOLDER).")] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when everything that is there has been dealt with.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shoot what lands in a folder, until Ctrl-C.

    A file that is still being copied waits; one that cannot be shot is set aside with the reason; nothing is shot twice.
    """
    from lowkey.cli import sitting

    more = {"engine": engine, "budget_usd": budget, "private": private, "meter": not no_meter, "retakes": retake}
    sitting.watch(folder, look, seeds, size, option, out, once, as_json, **more)


def consent(
    person: Annotated[str | None, typer.Argument(metavar="[PERSON]", help="Who agreed; without a name everybody is listed.")] = None,
    scope: Annotated[list[str] | None, typer.Option(metavar="NAME", help="portfolio, delivery, prints, advertising; repeat it.")] = None,
    engine: Annotated[list[str] | None, typer.Option(metavar="NAME", help="An engine their photo may go to; may be repeated.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last day it holds, such as 2027-12-31.")] = None,
    guardian: Annotated[str, typer.Option(metavar="NAME", help="Who agreed for a person who is not of age.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The person takes everything back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record what a person agreed to, or say what is on record."""
    from lowkey.cli import sitting

    sitting.consent(person, scope or [], engine or [], until, guardian, withdraw, as_json)
