"""How far the composition moves from frame to frame: flare and halo change from seed to seed, where the head stands must not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lowkey import look as looks
from lowkey.meter.reading import Measure, Reading

PLACES = ("head_x_fw", "head_y_fh", "face_height_fh")


@dataclass(frozen=True)
class Move:
    """One measure of the composition over several frames."""

    measure: str
    frames: int
    """In how many of them it could be read."""
    middle: float
    """Halfway between the least and the most."""
    moves: float
    """The most minus the least."""
    sigma: float
    """What two readings of one and the same frame may differ by."""
    most: float
    """What the promise allows (data/promise.toml, `moves`)."""

    @property
    def kept(self) -> bool:
        return self.moves - self.sigma <= self.most

    def to_json(self) -> dict[str, Any]:
        numbers = {name: float(f"{getattr(self, name):.6g}") for name in ("middle", "moves", "sigma", "most")}
        return {"measure": self.measure, "frames": self.frames, **numbers, "kept": self.kept}


def spread(readings: Sequence[Reading | Mapping[str, Measure]]) -> tuple[Move, ...]:
    """Place and size of the head over several frames; what could be read in fewer than two of them is left out."""
    allowed: Mapping[str, float] = looks.table("promise")["moves"]
    found = []
    for name in PLACES:
        read = [one for one in (reading[name] for reading in readings if name in reading) if isinstance(one, Measure)]
        if len(read) < 2:
            continue
        values = [one.number for one in read]
        low, high = min(values), max(values)
        sigma = 2**0.5 * max(one.sigma or 0.0 for one in read)
        found.append(Move(name, len(values), (low + high) / 2, high - low, sigma, allowed[name]))
    return tuple(found)
