"""shoot: one photo, one look, N seeds in; N frames, a contact sheet and a record out."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lowkey
from lowkey import look as looks
from lowkey import photo, prints, rig
from lowkey.darkroom import Enlarger
from lowkey.errors import LookError, LowkeyError, PhotoError, StoreError
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.meter import Reading, spread
from lowkey.meter.verdict import Verdict, ranked
from lowkey.photo import Photo
from lowkey.plate.plate import Caution, Plate
from lowkey.rig import Rig
from lowkey.session import plates, record, retaking
from lowkey.session.record import Record
from lowkey.session.retaking import Take

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what comes next)."""

ASPECTS = {"4:5": (4, 5), "2:3": (2, 3), "1:1": (1, 1)}
SIDES_PX = (64, 8192)
MOST_PIXELS = 40_000_000
MOST_SEEDS = 200
FEW_SEEDS = 4
ENLARGED = 1.5
"""From here on the photo has visibly too few pixels for the frame."""


@dataclass(frozen=True)
class Taken:
    """One frame on disk."""

    path: Path
    seed: int
    took_s: float
    honours: Mapping[str, str]
    verdict: Verdict | None = None
    """What the meter said of it; None when it was not metered."""
    takes: int = 1
    """How many attempts it took."""
    reading: Reading | None = None
    """What the meter read; None when it was not metered."""


@dataclass(frozen=True)
class Shoot:
    """What a shoot left in its folder."""

    folder: Path
    sheet: Path
    record: Path
    warnings: tuple[Caution, ...]
    frames: tuple[Taken, ...]


def shoot(
    reference: Path | str,
    *,
    look: Look | str | Path | None = None,
    seeds: int | Iterable[int] = 6,
    size_px: tuple[int, int] | None = None,
    aspect: str = "4:5",
    height_px: int = 1280,
    face: int | None = None,
    force: bool = False,
    keep_skin: bool = False,
    keep_plate: bool = True,
    meter: bool = True,
    retakes: int = 0,
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Shoot:
    """Shoot a photo of a person through one look, once per seed.

    `look` is a Look, the name of one, or a look file. `seeds` is how many (1 to n) or which. `size_px` is (width, height);
    without it `aspect` and `height_px` make it. What was read of the photo is kept for the next time unless `keep_plate` is
    False. Every frame is metered against the look unless `meter` is False; with `retakes` one that misses is shot again with
    what it lacked, so many times at most, and the best take is kept. Files go to ``./<stem>_lowkey/`` or to `out`. On Ctrl-C
    (KeyboardInterrupt) and on errors the record on disk says what is done.
    """
    if not 0 <= retakes <= retaking.MOST_RETAKES or (retakes and not meter):
        said = f"a frame is shot again at most {retaking.MOST_RETAKES} times, and only when it is metered"
        raise LookError("bad-retakes", f"{said}; asked for {retakes}{'' if meter else ' without the meter'}")
    asked = look if isinstance(look, Look) else looks.find(look) if look is not None else Look()
    numbers = which_seeds(seeds)
    size = frame_size(size_px, aspect, height_px, force=force)
    steps = len(numbers) + 2

    def report(done: int, what: str) -> None:
        if progress:
            progress(done, steps, what)

    report(0, "reading the photo")
    picture = photo.read(reference)
    folder, made = _folder(Path(out) if out is not None else Path(f"{picture.stem}_lowkey"))
    try:
        plate = _plate(picture, face, folder, keep_plate)
    except BaseException:
        if made:
            with suppress(OSError):
                folder.rmdir()  # nothing came of it; a folder that holds something stays
        raise
    divisor = math.gcd(*size)
    framing = Framing(aspect=(size[0] // divisor, size[1] // divisor))
    enlarger = Enlarger(plate, framing, size, keep_skin=keep_skin)
    asked_rig = rig.of(asked)

    kept = Record(folder / "record.json", lowkey.__version__, plate, asked, numbers, size, face)
    warnings = [*plate.warnings, *_few(numbers)]
    kept.warn(warnings)
    kept.write()
    taken: list[Taken] = []
    cells: list[prints.Cell] = []
    try:
        for index, seed in enumerate(numbers):
            report(1 + index, f"frame {index + 1} of {len(numbers)}")
            file = folder / f"{plate.photo.stem}_{asked.term('light').slug}_s{seed:02d}.png"
            verdict, reading = None, None
            tries: list[dict[str, Any]] = []
            if meter:
                frame, reading, verdict, tries = _taken(enlarger, plate, asked_rig, seed, asked, retakes, file)
            else:
                frame = enlarger.develop(asked_rig, seed, look=asked)
            photo.write_png(file, frame.pixels)
            if index == 0:
                warnings += _seen_on(frame, plate)
                kept.warn(warnings)
            kept.add(frame, file, verdict, tries)
            taken.append(Taken(file, seed, frame.took_s, frame.honours, verdict, max(len(tries), 1), reading))
            cells.append(prints.cell(frame, len(numbers)))
        report(1 + len(numbers), "contact sheet")
        sheet = folder / "sheet.png"
        if meter:
            places = ranked([one.verdict for one in taken if one.verdict])
            kept.rank(places)
            kept.compose(spread([one.reading for one in taken if one.reading]))
            cells = [_marked(cell, one, place) for cell, one, place in zip(cells, taken, places, strict=True)]
        photo.write_png(sheet, prints.sheet(cells, asked, plate.photo, size))
        kept.finish("done", sheet)
    except BaseException as stop:
        _finish_anyway(kept, "interrupted" if isinstance(stop, KeyboardInterrupt) else "failed")
        raise
    report(steps, "done")
    return Shoot(folder, sheet, kept.path, tuple(warnings), tuple(taken))


def _taken(
    enlarger: Enlarger, plate: Plate, asked_rig: Rig, seed: int, look: Look, retakes: int, file: Path
) -> tuple[Frame, Reading, Verdict, list[dict[str, Any]]]:
    """The best of the takes of one seed, its reading and verdict, and all of them for the record; each lies in the folder `takes`."""
    best: Take | None = None
    tries: list[dict[str, Any]] = []
    folder = file.parent / "takes"
    for number, take in enumerate(retaking.takes(enlarger, plate, asked_rig, seed, look, retakes), 1):
        at = folder / f"{file.stem}_t{number}.png" if retakes else file
        if retakes:
            _folder(folder)
            photo.write_png(at, take.frame.pixels)
        tries.append(record.take(take.frame, take.verdict, at, file.parent))
        if best is None or retaking.better(take.verdict, best.verdict):
            best = take
    assert best is not None
    return best.frame, best.reading, best.verdict, tries


def _marked(cell: prints.Cell, one: Taken, place: int | None) -> prints.Cell:
    """A cell of the sheet with the meter's ticks and the frame's place."""
    assert one.verdict is not None
    marks = tuple(row.kept for row in one.verdict.rows)
    return replace(cell, marks=marks, place=place)


def which_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """6 is 1 to 6; a list names them. Twice the same seed would be twice the same frame: it is taken once."""
    numbers = tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(dict.fromkeys(seeds))
    if not numbers or len(numbers) > MOST_SEEDS:
        raise LookError("bad-seeds", f"a shoot takes 1 to {MOST_SEEDS} seeds, not {seeds if isinstance(seeds, int) else len(numbers)}")
    if wrong := [n for n in numbers if not 0 <= n < 2**32]:
        raise LookError("bad-seeds", f"a seed is a whole number from 0 to 4294967295, not {wrong[0]}")
    return numbers


def frame_size(size_px: tuple[int, int] | None, aspect: str = "4:5", height_px: int = 1280, *, force: bool = False) -> tuple[int, int]:
    """(width, height) in pixels; wider than tall is refused unless forced."""
    if size_px is None:
        if aspect not in ASPECTS:
            raise LookError("bad-size", f'no aspect is called "{aspect}": it is one of {", ".join(ASPECTS)}, and --size makes any other')
        across, tall = ASPECTS[aspect]
        size_px = (round(height_px * across / tall), height_px)
    w, h = size_px
    if not (SIDES_PX[0] <= min(w, h) and max(w, h) <= SIDES_PX[1] and w * h <= MOST_PIXELS):
        limits = f"sides of {SIDES_PX[0]} to {SIDES_PX[1]} px and at most {MOST_PIXELS // 1_000_000} megapixels"
        raise LookError("bad-size", f"{w}x{h} cannot be shot: a frame has {limits}")
    if w > h and not force:
        why = "wider than tall cuts off the shadow gradient on the lower face"
        raise LookError("landscape", f"{w}x{h}: {why}. Use 4:5 or 2:3 (square for covers), or --force")
    return w, h


def _folder(folder: Path) -> tuple[Path, bool]:
    """The folder, ready to be written to, and whether it is new."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise StoreError("folder-missing", f"{folder} is not a folder, and one is needed there; choose another with --out") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        code = "disk-full" if error.errno == errno.ENOSPC else "folder-read-only"
        raise StoreError(code, f"the folder {folder} cannot be made: {why}; choose another with --out") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError("folder-read-only", f"the folder {folder} may not be written to; choose another with --out")
    return folder, made


def _plate(picture: Photo, face: int | None, folder: Path, keep: bool) -> Plate:
    """The plate; several faces are numbered on a picture beside where the frames would have been."""
    try:
        return plates.of(picture, face, keep=keep)
    except PhotoError as error:
        if error.code not in ("several-faces", "no-such-face"):
            raise
        from lowkey.plate import faces

        file = folder / f"{picture.stem}_faces.png"
        photo.write_png(file, prints.numbered(picture, [(one.number, one.box) for one in faces.find(picture)]))
        raise PhotoError(error.code, f"{error.message} (they are numbered in {file})") from None


def _few(numbers: Sequence[int]) -> list[Caution]:
    if len(numbers) >= FEW_SEEDS:
        return []
    advice = "shoot 4 to 6 seeds before you choose: the lamp and the reach of its halo change from seed to seed"
    return [Caution("few-seeds", f"{len(numbers)} of the usual 4 to 6 seeds: {advice}")]


def _seen_on(frame: Frame, plate: Plate) -> list[Caution]:
    """What only the first frame can tell: too few pixels, and words that were not honoured."""
    said = []
    enlarged = (frame.placement @ plate.window).scale
    if enlarged > ENLARGED:
        w, h = frame.shot.size_px
        text = f"the photo is enlarged {enlarged:.1f} times for {w}x{h}; a sharper frame needs a photo of more pixels, or a smaller --size"
        said.append(Caution("few-pixels", text))
    for variable, answer in frame.honours.items():
        if answer == "no":
            word = getattr(frame.shot.look, variable)
            way = "photograph it so: docs/photograph-the-reference.md" if variable == "pose" else "the photo's own is kept"
            said.append(Caution("not-honoured", f'{variable} "{word}" cannot be made from this photo; {way}'))
    return said


def _finish_anyway(kept: Record, state: str) -> None:
    """The disk may be full: then the record of the last whole frame stays as it is."""
    with suppress(LowkeyError):
        kept.finish(state, None)
