"""Shoot, measure, change what was missing, shoot again: until the promise is kept or the retakes are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lowkey.engines import Cancel, Engine, Ledger, Progress, Sitting
from lowkey.frame import Frame, Shot
from lowkey.meter import measure
from lowkey.meter.reading import Reading
from lowkey.meter.verdict import Verdict, judge
from lowkey.spec import Remedy, Spec, merged

MOST_RETAKES = 12


@dataclass(frozen=True)
class Take:
    """One attempt at a frame, and what the meter said of it."""

    frame: Frame
    reading: Reading
    verdict: Verdict

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What it was shot with: all that earlier takes lacked, added up."""
        return self.frame.shot.remedies


def takes(
    engine: Engine,
    shot: Shot,
    sitting: Sitting,
    retakes: int = 0,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    ledger: Ledger | None = None,
    already: Callable[[Shot], Frame | None] = lambda _: None,
) -> Iterator[Take]:
    """One take of `shot`, and up to `retakes` more with what the meter prescribed; the first that misses nothing is the last.

    Every take starts from what was asked, with everything prescribed so far added up, so that a take can be made again from
    its shot alone. It also ends when what is prescribed would change nothing. `already` gives back a take that is there already.
    Whose face it is, is measured only where the engine's licence lets that be done unasked, or the engine's own setting says so.
    """
    for _ in range(retakes + 1):
        frame = already(shot) or engine.shoot(shot, sitting, progress=progress, cancel=cancel, ledger=ledger)
        reading = measure(frame.pixels, sitting.plate, frame.placement, likeness=engine.abilities.likeness)
        verdict = judge(reading, Spec.of(shot.look, frame.honours))
        yield Take(frame, reading, verdict)
        if not verdict.missed:
            return
        following = replace(shot, remedies=merged(shot.remedies, verdict.remedies))
        if engine.plan(following, sitting) == engine.plan(shot, sitting):
            return
        shot = following


def better(one: Verdict, other: Verdict) -> bool:
    """Whether `one` is to be kept rather than an earlier `other`: it misses less, or as much with a better score."""
    return (len(one.missed), -(one.score or 0.0)) < (len(other.missed), -(other.score or 0.0))
