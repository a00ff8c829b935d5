"""Going on with a session that was stopped, and making a frame again from its own file; both need the photo, found by its hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lowkey import engines, photo
from lowkey.errors import PhotoError
from lowkey.photo import Photo, write_whole
from lowkey.photo.png import png_bytes
from lowkey.session import files, known, metadata, selecting
from lowkey.session.opening import opened
from lowkey.session.setup import Setup
from lowkey.session.shooting import Progress, Shoot, dollars, shoot_setup, sitting
from lowkey.session.store import SetupRow


def resume(
    folder: Path, reference: Path | None = None, *, budget_usd: Decimal | float | str | None = None, progress: Progress | None = None
) -> list[Shoot]:
    """Make what is missing of every setup of a session. The photo is looked for where it was and around the folder."""
    with opened(folder) as session:
        rows = session.store.setups()
        told = session.store.fact("photo", {})
        wanted = {row.id: [one.seed for one in session.store.frames(row.id)] for row in rows}
    picture = _photo(str(told.get("sha256", "")), reference, [known.photo_of(folder), folder.parent, folder])
    done = []
    for row in rows:
        setup = _known(row)
        if setup is None or not wanted[row.id]:
            continue
        maker = engines.find(setup.engine, dict(setup.options) or None)
        with sitting(picture, folder, setup.face, maker) as seated:
            metered = any("meter" in one.page and one.page["meter"] for one in seated.store.frames(row.id))
            metered = metered or not any(one.sha256 for one in seated.store.frames(row.id))
            done.append(
                shoot_setup(seated, setup, maker, wanted[row.id], meter=metered, budget_usd=dollars(budget_usd), progress=progress)
            )
            selecting.tidy(seated.store)
    return done


def _known(row: SetupRow) -> Setup | None:
    """A setup that can be shot again; one that was pieced together from frames' own texts keeps what it has."""
    return Setup.read(row.page) if "engine" in row.page and row.page.get("key") == Setup.read(row.page).key else None


@dataclass(frozen=True)
class Again:
    """A frame made once more from its own file."""

    path: Path
    same: bool
    """Whether it has the same bytes as the file it was made from."""


def again(frame: Path, reference: Path | None = None, out: Path | None = None) -> Again:
    """Make a frame again from what its file carries, given its photo: a file, or a folder in which it is found by its hash.

    Raises LookError (no-metadata, bad-metadata, newer-metadata) and PhotoError `photo-not-found`.
    """
    carried = metadata.of(frame)
    shot = carried.shot
    picture = _photo(shot.reference, reference, [frame.parent, frame.parent.parent, Path(), known.photo_of(frame.parent)])
    target = out if out is not None and out.suffix.lower() == ".png" else (out or frame.parent) / f"{frame.stem}_again.png"
    files.made(target.parent)
    maker = engines.find(shot.engine, dict(shot.options) or None)
    setup = Setup(shot.look, shot.size_px, shot.engine, shot.options, carried.face, prelight=carried.prelight, framing=shot.framing)
    from lowkey.session import plates
    from lowkey.session.taking import Sitter, guide

    try:
        sitter = Sitter(picture, lambda: plates.of(picture, carried.face))
        if maker.abilities.leaves or maker.abilities.paid:
            text = f"the engine {shot.engine} sends the photo away or costs money; shoot in a session, which keeps a ledger"
            raise PhotoError("not-offline", text)
        made = maker.shoot(shot, sitter.sit(guide(shot, sitter) if setup.prelight else None))
    finally:
        maker.close()
    texts = metadata.texts(shot, made.engine_version, face=carried.face, prelight=carried.prelight)
    data = png_bytes(made.pixels, text=texts)
    write_whole(target, data)
    return Again(target, files.intact(frame, files.digest(data)))


MOST_LOOKED_AT = 2000
"""So many files of a folder are looked at for a photo."""


def _photo(sha256: str, given: Path | None, near: Iterable[Path | None]) -> Photo:
    """The photo with this hash: the file given, or one in the folders. A given file with another hash is refused."""
    for place in [given] if given is not None else near:
        if place is None:
            continue
        candidates = [place] if place.is_file() else sorted(place.iterdir())[:MOST_LOOKED_AT] if place.is_dir() else []
        for file in candidates:
            looked = file.suffix.lower() in photo.ENDINGS or file == given
            if looked and file.is_file() and files.intact(file, sha256):
                return photo.read(file)
    where = f"{given} is not it, or does not hold it" if given is not None else "it is not where it was, nor beside the frames"
    raise PhotoError("photo-not-found", f"the photo this was made from ({sha256[:12]}) was not found: {where}; name it")


