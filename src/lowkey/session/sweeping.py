"""A sweep: one or two variables through their words, once a seed, laid out as a labelled grid. It is a session like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from lowkey import engines, photo, prints
from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import Look
from lowkey.photo.png import png_bytes
from lowkey.session import files, known, record, sheets, siding
from lowkey.session.setup import Setup
from lowkey.session.shooting import Progress, Shoot, dollars, frame_size, shoot_setup, sitting, which_seeds

MOST_FRAMES = 400


@dataclass(frozen=True)
class Axis:
    """One variable and the words it goes through, in order."""

    variable: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Swept:
    """What a sweep left in its folder."""

    folder: Path
    grid: Path
    record: Path
    shoots: tuple[Shoot, ...]


def axis(text: str) -> Axis:
    """``light=all``, or ``flare=no flare; clean backlight``: words, or numbers, between semicolons."""
    name, _, said = text.partition("=")
    name = name.strip().lower()
    if name == "stock":
        every = looks.stocks()
    elif name in looks.VARIABLES:
        every = tuple(word.word for word in looks.words(name))
    else:
        raise LookError("bad-axis", f'no variable is called "{name[:40]}"; a sweep goes through {", ".join(looks.VARIABLES)} or stock')
    given = every if said.strip().lower() == "all" else tuple(part.strip() for part in said.split(";") if part.strip())
    if not given:
        raise LookError("bad-axis", f'say what {name} goes through: {name}=all, or {name}="{every[0]}; {every[-1]}"')
    return Axis(name, tuple(dict.fromkeys(str(getattr(_with(Look(), {name: word}), name)) for word in given)))


def sweep(
    reference: Path | str,
    across: Axis,
    down: Axis | None = None,
    *,
    look: Look | None = None,
    either_side: bool | None = None,
    seeds: int | Sequence[int] = 1,
    size_px: tuple[int, int] | None = None,
    face: int | None = None,
    meter: bool = True,
    engine: str = "darkroom",
    options: Mapping[str, str] | None = None,
    budget_usd: Decimal | float | str | None = None,
    private: bool = False,
    person: str | None = None,
    keep_plate: bool = True,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Swept:
    """Shoot every word of `across` with every word of `down`, once a seed. A sweep that was stopped goes on where it was.

    `look` and `either_side` are as for `shoot`; a light that an axis names is shot as it is named.
    """
    if down is not None and down.variable == across.variable:
        raise LookError("bad-axis", f"both axes are {across.variable}; a grid wants two variables, or one")
    numbers = which_seeds(seeds)
    size = frame_size(size_px, height_px=640)
    rows: tuple[str | None, ...] = down.words if down else (None,)
    count = len(across.words) * len(rows) * len(numbers)
    if count > MOST_FRAMES:
        text = f"{count} frames are asked for, and a sweep makes {MOST_FRAMES} at most"
        raise LookError("too-many-frames", f"{text}: name fewer words or seeds")
    maker = engines.find(engine, dict(options) if options else None)
    picture = photo.read(reference)
    free = (look is None if either_side is None else either_side) and not any(one and one.variable == "light" for one in (across, down))
    shoots: list[Shoot] = []
    cells: dict[tuple[int, int], list[Any]] = {}
    folder = out if out is not None else Path(f"{picture.stem}_sweep")

    def told(done: int, _: int, what: str) -> None:
        if progress:
            progress(len(shoots) * len(numbers) + min(max(done - 1, 0), len(numbers)), count + 1, what)

    with sitting(picture, folder, face, maker, keep_plate=keep_plate, person=person) as seated:
        known.remember(seated.store.folder, Path(reference))
        found = siding.of_session(seated.store, face, seated.sitter.plate)
        for (y, row), (x, word) in product(enumerate(rows), enumerate(across.words)):
            asked = _with(look or Look(), {across.variable: word, **({down.variable: row} if down and row else {})})
            label = "_".join(_slug(asked, one.variable) for one in (across, *([down] if down else [])))
            chosen, said = siding.sided(asked, found, free=free)
            setup = Setup.of(chosen, size, maker, face=face, private=private, label=label)
            shot = shoot_setup(
                seated, setup, maker, numbers, meter=meter, budget_usd=dollars(budget_usd), progress=told, sheet=False, cautions=said
            )
            shoots.append(shot)
            # Small at once: hundreds of frames do not stay in memory.
            cells[x, y] = [prints.cell_of(photo.read(one.path).pixels, one.seed, 6).picture for one in shot.frames]
        labels = (across.words, tuple(row or "" for row in rows))
        page = prints.grid(cells, labels, (across.variable, down.variable if down else ""), numbers, picture.stem)
        sheets.put(seated.store, "grid.png", "grid", png_bytes(page))
        record.write(seated.store)
        store = seated.store
        if progress:
            progress(count + 1, count + 1, "done")
        return Swept(store.folder, files.inside(store.folder, "grid.png"), store.folder / record.NAME, tuple(shoots))


def _with(look: Look, words: Mapping[str, str]) -> Look:
    variables: dict[str, Any] = dict(words)
    return look.but(**variables)


def _slug(look: Look, variable: str) -> str:
    return look.stock if variable == "stock" else look.term(variable).slug
