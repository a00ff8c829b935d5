"""Shoot, measure, change what was missing, shoot again: until the promise is kept or the retakes are spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lowkey import rig as rigs
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame
from lowkey.look import Look
from lowkey.meter import measure
from lowkey.meter.reading import Reading
from lowkey.meter.verdict import Verdict, judge
from lowkey.plate.plate import Plate
from lowkey.rig import Rig
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


def takes(enlarger: Enlarger, plate: Plate, asked: Rig, seed: int, look: Look, retakes: int = 0) -> Iterator[Take]:
    """One take of `asked`, and up to `retakes` more with what the meter prescribed; the first that misses nothing is the last.

    Every take starts from the rig that was asked, with everything prescribed so far added up, so that a take can be made again
    from its shot alone. It also ends when what is prescribed would change nothing.
    """
    remedies: tuple[Remedy, ...] = ()
    for _ in range(retakes + 1):
        changed = rigs.remedied(asked, remedies)
        frame = enlarger.develop(changed, seed, look=look)
        frame = replace(frame, shot=replace(frame.shot, remedies=remedies))
        reading = measure(frame.pixels, plate, frame.placement)
        verdict = judge(reading, Spec.of(look, frame.honours))
        yield Take(frame, reading, verdict)
        if not verdict.missed:
            return
        remedies = merged(remedies, verdict.remedies)
        if rigs.remedied(asked, remedies) == changed:
            return


def better(one: Verdict, other: Verdict) -> bool:
    """Whether `one` is to be kept rather than an earlier `other`: it misses less, or as much with a better score."""
    return (len(one.missed), -(one.score or 0.0)) < (len(other.missed), -(other.score or 0.0))
