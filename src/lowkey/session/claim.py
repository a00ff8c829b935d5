"""A frame is made by one process at a time: it is claimed in one transaction, and a claim ends with the process that held it.

Whether that process lives is looked up (`owner.gone`), by number and birth, so no clock is believed. Where it cannot be looked
up (another container, a system that does not tell), its heartbeat decides: a counter that has not moved for `SILENT_S` of this
process's own steady clock has stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from lowkey import owner
from lowkey.errors import StoreError
from lowkey.session.files import intact
from lowkey.session.store import FrameRow, Store, TakeRow, said

BEAT_S = 5.0
SILENT_S = 40.0


class Desk:
    """Where one process takes frames from and brings them back to."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store, self.me, self._clock = store, owner.me().tag, clock
        self._seen: dict[int, tuple[int, float]] = {}
        """Of claims that cannot be looked up: the beat last seen, and since when."""

    def held(self, row: FrameRow) -> bool:
        """Whether somebody else who lives is at it."""
        if row.owner is None or row.owner == self.me:
            return False
        ended = owner.gone(row.owner)
        if ended is not None:
            return not ended
        beat, since = self._seen.get(row.id, (-1, 0.0))
        if beat != row.beat:
            self._seen[row.id] = row.beat, self._clock()
            return True
        return self._clock() - since < SILENT_S

    def next(self, setup: int, seeds: Sequence[int]) -> FrameRow | None:
        """Claim the first of these frames that is neither done nor held; None when there is none.

        A frame is done when its file is there with the hash on record; that is looked at again once it is claimed, because
        another process may have finished it in between.
        """
        for row in self.store.frames(setup):
            if row.seed not in seeds or self.held(row):
                continue
            if self.done(row):
                self._settle(row)
                continue
            with self.store.writing("claim") as db:
                taken = db.execute(
                    "UPDATE frames SET owner = ?, beat = beat + 1, problem = NULL WHERE id = ? AND owner IS ?", (self.me, row.id, row.owner)
                ).rowcount
            if not taken:
                continue
            row = self.store.frame(row.id)
            if not self.done(row):
                return row
            self.release(row.id)
        return None

    def settle(self, setup: int) -> None:
        """Close what a process that died had finished: frames that are done, and whose claim nobody has given back."""
        for row in self.store.frames(setup):
            if row.owner is not None and not self.held(row) and self.done(row):
                self._settle(row)

    def _settle(self, row: FrameRow) -> None:
        """A frame that is done, whose process died before it could say so."""
        if row.owner is None:
            return
        with self.store.writing("settle") as db:
            db.execute("UPDATE frames SET owner = NULL WHERE id = ? AND owner = ?", (row.id, row.owner))
            takes = row.page.get("takes")
            shots = {row.shot, *(take.get("shot") for take in takes if isinstance(take, dict))} if isinstance(takes, list) else {row.shot}
            for shot in shots:
                db.execute("UPDATE jobs SET kept = 1 WHERE shot = ? AND state = 'done'", (shot,))

    def waiting(self, setup: int, seeds: Sequence[int]) -> list[FrameRow]:
        """Those of these frames that others are at."""
        return [row for row in self.store.frames(setup) if row.seed in seeds and self.held(row) and not self.done(row)]

    def done(self, row: FrameRow) -> bool:
        return row.sha256 is not None and intact(self.store.folder / row.file, row.sha256)

    def promise(self, frame: int, sha256: str, page: object) -> None:
        """Write down what the file will be, before it is: if it is there afterwards, it is done, whatever happened in between."""
        with self.store.writing("promise") as db:
            values = (sha256, said(page), frame, self.me)
            self._mine(db.execute("UPDATE frames SET sha256 = ?, page = ? WHERE id = ? AND owner = ?", values))

    def keep_take(self, frame: int, take: TakeRow) -> None:
        with self.store.writing("take") as db:
            db.execute(
                "INSERT INTO takes VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (frame, shot) DO UPDATE SET number = excluded.number,"
                " file = excluded.file, sha256 = excluded.sha256, page = excluded.page",
                (frame, take.number, take.shot, take.file, take.sha256, said(take.page)),
            )

    def release(self, frame: int, problem: str | None = None, *, kept: Sequence[str] = ()) -> None:
        """Give a claim back. `kept` are the shots whose pictures lie on disk now: what was paid for them has arrived."""
        with self.store.writing("release") as db:
            db.execute("UPDATE frames SET owner = NULL, problem = ? WHERE id = ? AND owner = ?", (problem, frame, self.me))
            for shot in kept:
                db.execute("UPDATE jobs SET kept = 1 WHERE shot = ? AND state = 'done'", (shot,))

    @contextmanager
    def beating(self, frame: int) -> Iterator[None]:
        """The heart of a claim, while its frame is being made."""
        stop = threading.Event()
        heart = threading.Thread(target=self._beat, args=(frame, stop), daemon=True)
        heart.start()
        try:
            yield
        finally:
            stop.set()
            heart.join()

    def _beat(self, frame: int, stop: threading.Event) -> None:
        while not stop.wait(BEAT_S):
            # A beat that fails is a beat missed: if the disk is full, the take itself will say so.
            with suppress(Exception), Store.open(self.store.folder) as own, own.writing("beat") as db:
                db.execute("UPDATE frames SET beat = beat + 1 WHERE id = ? AND owner = ?", (frame, self.me))

    def _mine(self, changed: object) -> None:
        if getattr(changed, "rowcount", 0) != 1:
            text = "another process took this frame over, because this one had not been heard of"
            raise StoreError("claim-lost", f"{text}; its picture is dropped, the other one's stays")
