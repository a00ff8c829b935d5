"""Commands and their flags. What they do lives in the rooms and in this package's other modules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lowkey.cli import equipping, readers, saying, sessions, shelving

app = typer.Typer(
    name="lowkey",
    help="A chiaroscuro studio: one photo of a person in, cinematic low-key portraits of the same person out. Offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cache_app = typer.Typer(help="What lowkey keeps between runs.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")
app.add_typer(shelving.looks, name="looks")
app.add_typer(equipping.engines, name="engines")
app.command()(equipping.evidence)
app.add_typer(readers.readers, name="readers")
app.add_typer(sessions.session, name="session")
app.command()(saying.prompt)
app.command()(saying.lint)
app.command()(sessions.sweep)
app.command()(sessions.watch)
app.command()(sessions.consent)

Photo = Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of one person: JPEG, PNG, TIFF, WebP, HEIC, AVIF or camera RAW.")]
LookName = Annotated[str | None, typer.Option("--look", metavar="NAME|FILE", help="A look by name, or a .toml or .json look file.")]
Light = Annotated[str | None, typer.Option(metavar="WORD|AZ,EL[,RADIUS]", help="Light direction: a word or degrees.")]
Background = Annotated[str | None, typer.Option(metavar="WORD|MOTES", help="Background texture.")]
Clothing = Annotated[str | None, typer.Option(metavar="WORD|REFLECTANCE", help="Clothing.")]
Pose = Annotated[str | None, typer.Option(metavar="WORD|YAW,PITCH", help="Pose and gaze; the darkroom keeps the photo's own.")]
Stock = Annotated[str | None, typer.Option(metavar="NAME", help="Film stock.")]
Flare = Annotated[str | None, typer.Option(metavar="WORD|STRENGTH", help="Lens flare.")]
Face = Annotated[int | None, typer.Option(min=1, metavar="N", help="Which face, when the photo shows several.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read the photo afresh and keep nothing of it.")]
KeepSkin = Annotated[bool, typer.Option("--keep-skin", help="Leave the skin's own colour and texture as the photo has them.")]
Exposure = Annotated[float | None, typer.Option(metavar="EV", help="Stops brighter (+) or darker (-) than metered.")]
Fill = Annotated[str | None, typer.Option(metavar="EV|none", help="Fill light in stops against the key (default -6.4).")]


def _version(wanted: bool) -> None:
    if wanted:
        import lowkey

        typer.echo(f"lowkey {lowkey.__version__}")
        raise typer.Exit


@app.callback()
def root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    pass


@app.command()
def shoot(
    photo: Annotated[Path | None, typer.Argument(metavar="PHOTO|FOLDER|CSV", help="A photo; or many: a folder, a CSV file.")] = None,
    look: LookName = None,
    light: Light = None,
    background: Background = None,
    clothing: Clothing = None,
    pose: Pose = None,
    flare: Flare = None,
    stock: Stock = None,
    seeds: Annotated[str, typer.Option(metavar="N|A,B,..", help="How many (6 is 1 to 6), or which (3,7 is two; 7, is one).")] = "6",
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Frame size in pixels, such as 1024x1280.")] = None,
    aspect: Annotated[str | None, typer.Option(metavar="4:5|2:3|1:1", help="Proportion, instead of --size.")] = None,
    height: Annotated[int | None, typer.Option(metavar="PX", help="Frame height with --aspect (default 1280).")] = None,
    face: Face = None,
    exposure: Exposure = None,
    fill: Fill = None,
    force: Annotated[bool, typer.Option("--force", help="Shoot wider than tall all the same.")] = False,
    keep_skin: KeepSkin = False,
    retake: Annotated[int, typer.Option(metavar="N", help="Shoot a frame that misses again with what it lacked, N times at most.")] = 0,
    no_meter: Annotated[bool, typer.Option("--no-meter", help="Do not measure the frames.")] = False,
    engine: Annotated[str, typer.Option(metavar="NAME", help="Who makes the frames.")] = "darkroom",
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting of the engine; may be repeated.")] = None,
    budget: Annotated[str | None, typer.Option(metavar="USD", help="The most that the session may cost.")] = None,
    prelight: Annotated[bool, typer.Option("--prelight", help="Let the darkroom's frame go along as a guide for the light.")] = False,
    person: Annotated[str | None, typer.Option(metavar="NAME", help="Whose consent counts (default: the photo's name).")] = None,
    private: Annotated[bool, typer.Option("--private", help="Write nothing into the pictures of how they were shot.")] = False,
    again: Annotated[Path | None, typer.Option(metavar="FRAME", help="Make a frame again from its own file and its photo.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the frames (default ./<photo>_lowkey).")] = None,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Make frames, a contact sheet and a record.

    One frame per seed, of one photo, through one look. A folder that holds this shoot already is continued. A folder of photos
    or a CSV is a batch: each client gets a session, and a bad file never stops the rest.
    """
    from lowkey.cli import asking, shooting

    if again is not None:
        shooting.again(again, photo, out, as_json)
        return
    if photo is None:
        raise typer.BadParameter("name a photo, a folder of photos or a CSV, or --again FRAME")
    shooting.run(
        photo,
        engine=engine,
        options=asking.options(option),
        budget_usd=budget,
        prelight=prelight,
        person=person,
        private=private,
        look=asking.look(look, light, background, clothing, pose, flare, exposure, fill, stock),
        either_side=look is None and light is None,
        seeds=asking.seeds(seeds),
        size_px=asking.size(size, aspect, height),
        aspect=aspect or "4:5",
        height_px=height or 1280,
        face=face,
        force=force,
        keep_skin=keep_skin,
        keep_plate=not no_cache,
        meter=not no_meter,
        retakes=retake,
        out=out,
        as_json=as_json,
    )


@app.command()
def meter(
    frames: Annotated[list[Path], typer.Argument(metavar="FRAME...", help="Pictures from anywhere: the darkroom, a model, a camera.")],
    reference: Annotated[Path | None, typer.Option(metavar="PHOTO", help="The photo that the frames were made from.")] = None,
    look: LookName = None,
    eyes: Annotated[str | None, typer.Option(metavar="X,Y,X,Y", help="Where the eyes are in the frame, if no face is found.")] = None,
    face: Face = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a frame misses something.")] = False,
    likeness: Annotated[bool, typer.Option("--likeness", help="Ask whose face it is even where a model's licence bars it.")] = False,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Measure frames against the look: what was kept, what was missed, why, and what to change.

    Without --look a frame is held against the look it was shot with, where the record beside it says so, else the house look.
    """
    from lowkey.cli import metering

    asked = {"reference": reference, "look": look, "face": face, "keep_plate": not no_cache, "likeness": likeness}
    raise typer.Exit(metering.run(frames, check=check, as_json=as_json, eyes=eyes, **asked))


@app.command()
def rank(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that a shoot left its frames in.")],
    votes: Annotated[Path | None, typer.Option(metavar="FILE", help="The votes.json that the page saved.")] = None,
    reference: Annotated[Path | None, typer.Option(metavar="PHOTO", help="Measure anew, against this photo.")] = None,
    look: LookName = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write the page (default FOLDER/rank.html).")] = None,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Let a person vote on blind pairs, and say how far the meter agrees.

    Writes one page that needs no network; with --votes reads back what it saved.
    """
    from lowkey.cli import ranking

    ranking.run(folder, votes=votes, out=out, as_json=as_json, reference=reference, look=look, keep_plate=not no_cache)


@app.command()
def scan(
    photo: Photo,
    out: Annotated[Path | None, typer.Option(metavar="PICTURE", help="Where to draw what was read (.png).")] = None,
    face: Face = None,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Read a photo and say what was read.

    As numbers and as one picture: matte, parts, depth, normals, albedo and the light found; with what a shoot would warn of,
    and whether the unlit relight is still the person.
    """
    from lowkey.cli import reading

    reading.run(photo, out, face, not no_cache, as_json)


@app.command()
def develop(
    photo: Photo,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The frame: .png, or .tif or .exr for scene-linear stages.")],
    light: Light = None,
    light_size: Annotated[float | None, typer.Option(metavar="RADIUS_DEG", help="Angular radius of the key.")] = None,
    light_distance: Annotated[float | None, typer.Option(metavar="HW", help="Head-widths to the key; inf is a sun.")] = None,
    look: LookName = None,
    background: Background = None,
    clothing: Clothing = None,
    flare: Flare = None,
    stock: Stock = None,
    stage: Annotated[str, typer.Option(metavar="dress|light|backdrop|optics|film", help="How far to go.")] = "film",
    framing: Annotated[str | None, typer.Option(metavar="source|4:5|2:3|1:1", help="Who crops (stage light: source).")] = None,
    height: Annotated[int, typer.Option(metavar="PX", help="Frame height; source keeps the photo's own.")] = 1280,
    seed: Annotated[int, typer.Option(metavar="N", help="The seed.")] = 1,
    exposure: Exposure = None,
    fill: Fill = None,
    face: Face = None,
    keep_skin: KeepSkin = False,
    no_cache: NoCache = False,
    as_json: AsJson = False,
) -> None:
    """Make one frame, or one stage of it.

    Stage light is one key exactly where asked, scene-linear, in the photo's own framing and size, and nothing
    else: no rim, no fill, no ambient, no change of cloth.
    """
    from lowkey.cli import asking, developing

    asked = asking.look(look, light, background, clothing, None, flare, exposure, fill, stock)
    developing.run(photo, out, asked, (light_size, light_distance), stage, framing, height, seed, face, keep_skin, not no_cache, as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is missing, and what mends it."""
    from lowkey.cli import doctor as ward

    raise typer.Exit(ward.run(as_json))


@cache_app.command("clear")
def cache_clear(as_json: AsJson = False) -> None:
    """Remove what was read of photos.

    Compiled kernels stay: they hold nothing of anybody.
    """
    from lowkey.cli import keeping

    keeping.clear(as_json)
