"""The frames of one setup: claimed, made, metered, put on disk, one after the other, by however many processes are at it.

A frame goes through the same five steps whoever makes it: claim, take, promise (its hash and its page are in the database),
write (the file is there, whole), release. A process may be killed between any two of them; what the next one finds is either a
file with the promised hash, which is done, or none, which is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lowkey import photo, prints
from lowkey.engines import Consent, Engine, Ledger, Sitting, Step
from lowkey.engines.contract import Cancel
from lowkey.errors import EngineError, LowkeyError
from lowkey.frame import Frame, Placement, Shot
from lowkey.meter.verdict import Verdict
from lowkey.photo import Photo
from lowkey.photo.png import png_bytes
from lowkey.pixels import U16
from lowkey.plate.plate import Caution, Plate
from lowkey.session import files, metadata, record, retaking
from lowkey.session.claim import Desk
from lowkey.session.setup import Setup
from lowkey.session.store import FrameRow, Store, TakeRow

WAIT_S = 0.2
"""How often it is looked whether another process has finished."""


@dataclass
class Sitter:
    """The person before the camera: the photo, its plate (read when first asked for), and what they agreed to."""

    photo: Photo
    plate: Callable[[], Plate]
    consent: Consent | None = None
    scratch: Path | None = None

    def sit(self, guide: U16 | None = None) -> Sitting:
        return Sitting(self.photo, self.plate, guide=guide, consent=self.consent, scratch=self.scratch)


class Taking:
    """Makes the frames of one setup that are not done yet."""

    def __init__(
        self,
        store: Store,
        number: int,
        setup: Setup,
        engine: Engine,
        sitter: Sitter,
        *,
        meter: bool = True,
        ledger: Ledger | None = None,
        told: Callable[[int, str], None] = lambda *_: None,
        cancel: Cancel | None = None,
    ) -> None:
        self.store, self.number, self.setup, self.engine, self.sitter = store, number, setup, engine, sitter
        self.meter, self.ledger, self.told, self.cancel = meter, ledger, told, cancel
        self.desk = Desk(store)
        self.cells: dict[int, prints.Cell] = {}
        """Of the frames made here, by seed: those of others are read back from their files."""
        self.first: Frame | None = None
        """The first frame made here, of which some cautions can be told."""
        self.cautions: list[Caution] = []
        self._folder = store.folder

    def ask(self, seeds: Sequence[int], stem: str, reference: str) -> None:
        """Put the frames of these seeds on the list, in that order; those on it stay where they are."""
        asked = [(seed, self.setup.shot(reference, seed).hash(), self.setup.names(stem, seed)) for seed in seeds]
        self.store.ask_frames(self.number, asked)

    def left(self, seeds: Sequence[int]) -> int:
        """How many of these frames are not done."""
        return sum(row.seed in seeds and not self.desk.done(row) for row in self.store.frames(self.number))

    def run(self, seeds: Sequence[int]) -> int:
        """Make what is not done, and wait for what others are making; how many frames were made here."""
        count = 0
        while True:
            row = self.desk.next(self.number, seeds)
            if row is not None:
                self._make(row, len(seeds) - self.left(seeds))
                record.write(self.store)
                count += 1
            elif others := self.desk.waiting(self.number, seeds):
                self.told(len(seeds) - self.left(seeds), f"waiting for another lowkey at {others[0].file}")
                time.sleep(WAIT_S)
            else:
                return count

    def _make(self, row: FrameRow, done: int) -> None:
        """One claimed frame, from the shot to its file. On any error the claim is given back and the row is as it was."""
        self.told(done, "")
        try:
            if moved := files.set_aside(self._folder, row.file):
                text = f"{row.file} was not as it was recorded; it is kept as {moved} and shot again"
                self.cautions.append(Caution("changed-file", text))
            shot = self.setup.shot(self.sitter.photo.hash, row.seed)
            sitting = self.sitter.sit(guide(shot, self.sitter) if self.setup.prelight else None)
            with self.desk.beating(row.id):
                pixels, page, shots = self._taken(row, shot, sitting, done)
            sha256, data = self._packed(pixels, shot, page)
            self.desk.promise(row.id, sha256, page)
            files.write(self._folder, row.file, data)
        except BaseException as stop:
            self._drop(row, stop)
            raise
        self.desk.release(row.id, kept=shots)
        self.cells[row.seed] = prints.cell_of(pixels, row.seed, len(self.store.frames(self.number)))

    def _packed(self, pixels: Any, shot: Shot, page: dict[str, Any]) -> tuple[str, bytes]:
        """The file as it will be. The shot it carries is the one that made it, remedies included."""
        from lowkey.spec import Remedy

        made = replace(shot, remedies=tuple(Remedy(one["name"], one["size"]) for one in page["remedies"]))
        more: dict[str, Any] = {"face": self.setup.face, "prelight": self.setup.prelight, "private": self.setup.private}
        data = png_bytes(pixels, text=metadata.texts(made, str(page["engine"]), **more))
        return files.digest(data), data

    def _drop(self, row: FrameRow, stop: BaseException) -> None:
        """Give the claim back; the picture of an unfinished frame is dropped. The disk may be full: then the claim ends with us."""
        with suppress(LowkeyError, OSError):
            now = self.store.frame(row.id)
            if now.owner != self.desk.me:
                return
            with self.store.writing("drop") as db:
                if not self.desk.done(now):
                    values = (row.sha256, record_text(row.page), row.id)
                    db.execute("UPDATE frames SET sha256 = ?, page = ? WHERE id = ?", values)
                problem = stop.code if isinstance(stop, LowkeyError) else type(stop).__name__
                db.execute("UPDATE frames SET owner = NULL, problem = ? WHERE id = ?", (problem, row.id))

    # --- the takes of a frame -------------------------------------------------------------------------------------------------

    def _taken(self, row: FrameRow, shot: Shot, sitting: Sitting, done: int) -> tuple[Any, dict[str, Any], list[str]]:
        """The pixels of a frame, its page, and the shots it took; with retakes every take lies in the folder `takes`."""
        if not self.meter:
            frame = self.engine.shoot(shot, sitting, progress=self._steps(done), cancel=self.cancel, ledger=self.ledger)
            self._noted(frame)
            return frame.pixels, record.frame_page(frame), [shot.hash()]
        kept = {one.shot: one for one in self.store.takes(row.id)}
        best: tuple[Frame, Verdict, dict[str, Any]] | None = None
        tries: list[dict[str, Any]] = []
        pages: dict[str, dict[str, Any]] = {}
        shots: list[str] = []
        reused: set[str] = set()

        def already(one: Shot) -> Frame | None:
            """A take that an earlier run has finished: paid for, perhaps, and at any rate not to be made twice."""
            found = kept.get(one.hash())
            frame = self._read_back(one, found) if found else None
            if frame is not None:
                reused.add(one.hash())
            return frame

        several = retaking.takes(
            self.engine, shot, sitting, self.setup.retakes,
            progress=self._steps(done), cancel=self.cancel, ledger=self.ledger, already=already,
        )  # fmt: skip
        for number, one in enumerate(several, 1):
            name = f"takes/{Path(row.file).stem}_t{number}.png" if self.setup.retakes else row.file
            if one.frame.shot.hash() in reused:
                told = kept[one.frame.shot.hash()].page
                page, tried = dict(told["frame"]), dict(told["take"])
            else:
                self._noted(one.frame)
                page, tried = record.frame_page(one.frame, one.verdict, reading=one.reading), record.take(one.frame, one.verdict, name)
                if self.setup.retakes:
                    self._keep_take(row, number, name, one.frame, {"frame": page, "take": tried})
            shots.append(one.frame.shot.hash())
            tries.append(tried)
            pages[one.frame.shot.hash()] = page
            if best is None or retaking.better(one.verdict, best[1]):
                best = one.frame, one.verdict, page
        assert best is not None
        return best[0].pixels, {**best[2], "takes": tries}, shots

    def _keep_take(self, row: FrameRow, number: int, name: str, frame: Frame, pages: dict[str, Any]) -> None:
        _, data = self._packed(frame.pixels, frame.shot, pages["frame"])
        noted = next((one.sha256 for one in self.store.takes(row.id) if one.file == name), "")
        if not files.intact(self._folder / name, noted):
            files.set_aside(self._folder, name)
        self.desk.keep_take(row.id, TakeRow(number, frame.shot.hash(), name, files.digest(data), pages))
        files.write(self._folder, name, data)

    def _read_back(self, shot: Shot, kept: TakeRow) -> Frame | None:
        """A take from its file, if that is as it was written. Its rig stands in its page alone."""
        file = files.inside(self._folder, kept.file)
        page = kept.page.get("frame")
        if not isinstance(page, dict) or not isinstance(kept.page.get("take"), dict) or not files.intact(file, kept.sha256):
            return None
        place = page.get("placement")
        placement = Placement(**place) if isinstance(place, dict) else None
        engine, took_s = str(page.get("engine")), float(page.get("took_s") or 0.0)
        return Frame(photo.read(file).pixels, shot, None, placement, (), dict(page.get("honours", {})), engine, took_s)

    def _noted(self, frame: Frame) -> None:
        w, h = self.setup.size_px
        if frame.pixels.shape != (h, w, 3):
            text = f"the engine {self.engine.name} made {frame.pixels.shape[1]}x{frame.pixels.shape[0]} px, and {w}x{h} were asked for"
            raise EngineError("wrong-size", f"{text}; the picture was dropped. This is a fault of that engine")
        self.first = self.first or frame

    def _steps(self, done: int) -> Callable[[Step], None]:
        """What an engine says of its own steps, where it has several."""
        return lambda step: self.told(done, step.what) if step.of > 1 else None


def guide(shot: Shot, sitter: Sitter) -> U16:
    """The darkroom's frame of the same shot, for engines that finish what is lit."""
    from lowkey import engines

    darkroom = engines.find("darkroom")
    try:
        pixels: U16 = darkroom.shoot(replace(shot, engine="darkroom", options=darkroom.options), sitter.sit()).pixels
    finally:
        darkroom.close()
    return pixels


def remeter(taking: Taking, row: FrameRow) -> None:
    """Measure a frame that was shot without the meter."""
    from lowkey.meter import measure
    from lowkey.meter.verdict import judge
    from lowkey.spec import Spec

    place = row.page.get("placement")
    placement = Placement(**place) if isinstance(place, dict) else None
    pixels = photo.read(files.inside(taking.store.folder, row.file)).pixels
    plate = taking.sitter.plate()
    reading = measure(pixels, plate, placement, likeness=taking.engine.abilities.likeness)
    verdict = judge(reading, Spec.of(taking.setup.look, row.page.get("honours") or None))
    page = {**row.page, "meter": record.judged(verdict, reading)}
    with taking.store.writing("meter") as db:
        db.execute("UPDATE frames SET page = ? WHERE id = ? AND sha256 = ?", (record_text(page), row.id, row.sha256))


def record_text(page: Any) -> str:
    from lowkey.session.store import said

    return said(record.plain(page))


@contextmanager
def scratch(folder: Path, engine: Engine) -> Iterator[Path | None]:
    """A private folder beside the frames for an engine that fetches or sends; it goes when the sitting ends."""
    if not (engine.abilities.leaves or engine.abilities.paid or engine.abilities.guide):
        yield None
        return
    import shutil

    from lowkey import owner

    for old in folder.glob(".lowkey-scratch-*"):
        if owner.gone(old.name.removeprefix(".lowkey-scratch-")):
            shutil.rmtree(old, ignore_errors=True)
    place = folder / f".lowkey-scratch-{owner.me().tag}"
    place.mkdir(mode=0o700, exist_ok=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
