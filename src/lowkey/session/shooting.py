"""shoot: one photo, one look, N seeds in; N frames, a contact sheet and a record out, in a session that can be continued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

import lowkey
from lowkey import engines, photo, prints
from lowkey import look as looks
from lowkey.engines import Engine
from lowkey.errors import EngineError, LookError, LowkeyError, PhotoError
from lowkey.frame import Frame
from lowkey.look import Look
from lowkey.photo import Photo
from lowkey.plate.plate import Caution, Plate
from lowkey.session import consent, files, known, opening, plates, record, retaking, sheets, siding
from lowkey.session.ledger import SessionLedger
from lowkey.session.record import Judged
from lowkey.session.setup import Setup
from lowkey.session.store import FrameRow, Store
from lowkey.session.taking import Sitter, Taking, remeter, scratch

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
    verdict: Judged | None = None
    """What the meter said of it; None when it was not metered."""
    takes: int = 1
    """How many attempts it took."""


@dataclass(frozen=True)
class Shoot:
    """What a shoot left in its folder."""

    folder: Path
    sheet: Path
    record: Path
    warnings: tuple[Caution, ...]
    frames: tuple[Taken, ...]
    made: int = 0
    """How many of the frames were made now; the others were there already."""
    cost_usd: Decimal = Decimal(0)
    """What the session has cost so far."""


def shoot(
    reference: Path | str,
    *,
    look: Look | str | Path | None = None,
    either_side: bool | None = None,
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
    engine: str = "darkroom",
    options: Mapping[str, str] | None = None,
    prelight: bool = False,
    budget_usd: Decimal | float | str | None = None,
    private: bool = False,
    person: str | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Shoot:
    """Shoot a photo of a person through one look, once per seed.

    `look` is a Look, the name of one, or a look file; it is shot as it stands. Without one it is the default look, and where the
    photo has a strong light of its own from the other side, that look's mirrored form (`key-side-chosen` in the warnings).
    `either_side` says whether that may be done where the caller knows better than by `look` alone. `seeds` is how many (1 to n) or
    which. `size_px` is (width, height); without it `aspect` and `height_px` make it. What was read of the photo is kept for the
    next time unless `keep_plate` is False. Every frame is metered against the look unless `meter` is False; with `retakes` one that
    misses is shot again with what it lacked, so many times at most, and the best take is kept. `engine` is one of
    `engines.names()`, `options` are its settings; with `prelight` the darkroom's frame goes along as a guide; `budget_usd` is the
    most that the session may cost. With `private` the frames carry nothing of how they were shot. `person` is whose consent counts
    (else the photo's name).

    Files go to ``./<stem>_lowkey/`` or to `out`. A folder that is a session of this photo is continued: frames that are done
    stay, and only what is missing or was changed is made. On Ctrl-C (KeyboardInterrupt), on errors and after a crash the
    folder holds whole files only, and the same call goes on.
    """
    if not 0 <= retakes <= retaking.MOST_RETAKES or (retakes and not meter):
        said = f"a frame is shot again at most {retaking.MOST_RETAKES} times, and only when it is metered"
        raise LookError("bad-retakes", f"{said}; asked for {retakes}{'' if meter else ' without the meter'}")
    asked = look if isinstance(look, Look) else looks.find(look) if look is not None else Look()
    numbers = which_seeds(seeds)
    size = frame_size(size_px, aspect, height_px, force=force)
    settings = {**({"keep-skin": "yes"} if keep_skin else {}), **(options or {})}
    maker = engines.find(engine, settings or None)
    free = look is None if either_side is None else either_side
    if progress:
        progress(0, len(numbers) + 2, "reading the photo")
    picture = photo.read(reference)
    with sitting(picture, Path(out) if out is not None else None, face, maker, keep_plate=keep_plate, person=person) as seated:
        known.remember(seated.store.folder, Path(reference))
        chosen, sides = siding.sided(asked, siding.of_session(seated.store, face, seated.sitter.plate), free=free)
        setup = Setup.of(chosen, size, maker, face=face, retakes=retakes, prelight=prelight, private=private)
        return shoot_setup(seated, setup, maker, numbers, meter=meter, budget_usd=dollars(budget_usd), progress=progress, cautions=sides)


@dataclass(frozen=True)
class Seated:
    """A photo and the session it is shot in."""

    store: Store
    sitter: Sitter
    cautions: tuple[Caution, ...]


@contextmanager
def sitting(
    picture: Photo, out: Path | None, face: int | None, maker: Engine, *, keep_plate: bool = True, person: str | None = None
) -> Iterator[Seated]:
    """The session of a photo, opened or begun, for as long as the block lasts. The engine is closed after it."""
    folder = out if out is not None else Path(f"{picture.stem}_lowkey")
    new = not folder.exists()
    files.made(folder)

    @cache
    def plate() -> Plate:
        return _plate(picture, face, folder, keep_plate)

    try:
        if not files.is_session(folder):
            plate()  # a photo that cannot be shot begins no session
    except BaseException:
        if new:
            with suppress(OSError):
                folder.rmdir()  # nothing came of it; a folder that holds something stays
        raise
    try:
        with opening.opened(folder, create=True) as session, scratch(folder, maker) as place:
            store = session.store
            opening.sitting_of(store, picture.hash, picture.stem, person)
            agreed = consent.for_engines(str(store.fact("person"))) if maker.abilities.leaves else None
            sitter = Sitter(picture, plate, agreed, place)
            if maker.abilities.leaves:
                sitter.sit().must_allow(maker.name, consent.today())
            yield Seated(store, sitter, session.cautions)
    finally:
        maker.close()


def shoot_setup(
    seated: Seated,
    setup: Setup,
    maker: Engine,
    numbers: Sequence[int],
    *,
    meter: bool = True,
    budget_usd: Decimal | None = None,
    progress: Progress | None = None,
    sheet: bool = True,
    cautions: Sequence[Caution] = (),
) -> Shoot:
    """Make what is missing of one setup, and its sheet unless `sheet` is False. `cautions` are what `siding` said of its light."""
    if setup.prelight and not maker.abilities.guide:
        raise EngineError("no-guide", f"the engine {maker.name} takes no guide; leave --prelight out")
    store, sitter = seated.store, seated.sitter
    stem, steps = sitter.photo.stem, len(numbers) + 2

    def told(done: int, what: str) -> None:
        if progress:
            progress(1 + done, steps, f"frame {done + 1} of {len(numbers)}{': ' if what else ''}{what}" if done < len(numbers) else what)

    number = store.setup(setup.key, setup.page(numbers))
    ledger = SessionLedger(store, scope=setup.scope, budget_usd=budget_usd)
    taking = Taking(store, number, setup, maker, sitter, meter=meter, ledger=ledger, told=told)
    taking.ask(numbers, stem, sitter.photo.hash)
    store.keep(current=number, lowkey=lowkey.__version__)
    made, stored = 0, [Caution(one["code"], one["text"]) for one in next(one for one in store.setups() if one.id == number).warnings]
    side = [*cautions] or [caution for caution in stored if caution.code in siding.CODES]
    warnings = [*(caution for caution in stored if caution.code not in ("few-seeds", *siding.CODES)), *side, *_few(numbers)]
    try:
        taking.desk.settle(number)
        if taking.left(numbers):
            plate = sitter.plate()
            if not store.fact("plate"):
                store.keep(**record.photo_of(plate, setup.face))
            for seed in numbers:
                maker.check(setup.shot(sitter.photo.hash, seed), sitter.sit())
            warnings = [*plate.warnings, *side, *_few(numbers), *(one for one in stored if one.code in _OF_FRAMES)]
            store.change_setup(number, state="shooting", warnings=record.cautions(warnings))
            record.write(store)
            made = taking.run(numbers)
            if taking.first is not None:
                seen = _seen_on(taking.first, plate)
                warnings = [*(one for one in warnings if one.code not in _OF_FRAMES), *seen]
        rows = {row.seed: row for row in store.frames(number) if row.seed in numbers}
        unmetered = [row for row in rows.values() if meter and not isinstance(row.page.get("meter"), Mapping)]
        for row in unmetered:
            remeter(taking, row)
        if sheet and (made or unmetered or not sheets.whole(store, number)):
            told(len(numbers), "contact sheet")
            drawn = sheets.draw(store, number, setup, sitter.photo, taking.cells)
            store.change_setup(number, state="done", sheet=drawn, warnings=record.cautions(warnings))
        else:
            store.change_setup(number, state="done")
        record.write(store)
    except BaseException as stop:
        _finish_anyway(store, number, "interrupted" if isinstance(stop, KeyboardInterrupt) else "failed")
        raise
    if progress:
        progress(steps, steps, "done")
    warnings = [*seated.cautions, *warnings, *taking.cautions]
    rows = {row.seed: row for row in store.frames(number)}
    name = next(one.sheet for one in store.setups() if one.id == number)
    frames = tuple(_told(store, rows[seed]) for seed in numbers)
    sheet_file, record_file = store.folder / (name or "sheet.png"), store.folder / record.NAME
    return Shoot(store.folder, sheet_file, record_file, tuple(warnings), frames, made, ledger.spent())


def _told(store: Store, row: FrameRow) -> Taken:
    page = row.page
    takes = page.get("takes")
    count = max(len(takes), 1) if isinstance(takes, list) else 1
    honours = page.get("honours")
    return Taken(
        store.folder / row.file,
        row.seed,
        float(page.get("took_s") or 0.0),
        dict(honours) if isinstance(honours, Mapping) else {},
        Judged.of(page.get("meter")),
        count,
    )


def dollars(text: Decimal | float | str | None) -> Decimal | None:
    """A budget. Raises EngineError `bad-budget` for what is none."""
    if text is None:
        return None
    try:
        value = Decimal(str(text).strip().lstrip("$"))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise EngineError("bad-budget", f'--budget is an amount of dollars such as 2.50, not "{str(text)[:40]}"')
    return value


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


_OF_FRAMES = ("few-pixels", "not-honoured")
"""What only a frame can tell."""


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
    enlarged = (frame.placement @ plate.window).scale if frame.placement else 0.0
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


def _finish_anyway(store: Store, number: int, state: str) -> None:
    """The disk may be full: then the record of the last whole frame stays as it is."""
    with suppress(LowkeyError, OSError):
        store.change_setup(number, state=state)
        record.write(store)
