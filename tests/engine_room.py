"""Where engines are made ready for the contract suite: a bench for each, with tiny weights or a server of its own.

To put another engine under the suite, write a function that takes a `Room` and yields a `Bench`, and name it in `BENCHES`. The
bench is built once for a module and closed at its end. Whatever the engine needs (weights, a server, keys) is made in `room.folder`.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowkey import engines
from lowkey.engines import Consent, Engine, Job, Sitting
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.plate.plate import Plate

SIZE = (256, 320)


@dataclass(frozen=True)
class Room:
    """What every bench gets: a folder of its own and a plate."""

    folder: Path
    plate: Plate


@dataclass
class Bench:
    """An engine that could shoot now, and what the suite may ask of it."""

    make: Callable[[], Engine]
    """A new engine with the same settings."""
    room: Room
    secrets: tuple[str, ...] = ()
    """What must never be seen in options, notes, errors or anything written."""
    blocked: Callable[[], AbstractContextManager[None]] | None = None
    """Something that stands in the way while it lasts, so that `check` must refuse; None where nothing ever does."""
    spent: Callable[[], int] = lambda: 0
    """How often something that costs money or minutes was begun."""
    size_px: tuple[int, int] = SIZE
    at_home: bool = False
    """Whether it talks to a server on this machine, and to no other."""
    seeds_differ: bool = True
    """Whether another seed makes another frame."""

    def sitting(self, *, guide: Any = None, consent: Consent | None = None) -> Sitting:
        scratch = self.room.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        plate = self.room.plate
        return Sitting(plate.photo, lambda: plate, guide=guide, consent=consent, scratch=scratch)

    def shot(self, engine: Engine, seed: int = 1, **changes: Any) -> Shot:
        shot = Shot(Look(), Framing(), self.room.plate.photo.hash, seed, self.size_px, engine.name, engine.options)
        return dataclasses.replace(shot, **changes)

    def allowed(self, engine: Engine) -> Consent | None:
        return Consent("Ana", frozenset({engine.name})) if engine.abilities.leaves else None


@dataclass
class MemoryLedger:
    """A ledger that forgets with the test. What it holds is checked by the suite, so it is as strict as a real one."""

    jobs: list[Job] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def find(self, shot: str, engine: str) -> Job | None:
        open_ones = [job for job in self.jobs if (job.shot, job.engine) == (shot, engine) and job.state in ("intended", "submitted")]
        return open_ones[-1] if open_ones else None

    def intend(
        self, shot: str, engine: str, estimate_usd: Decimal, *, id: str = "", url: str = "", detail: Mapping[str, Any] | None = None
    ) -> Job:
        return self._put(Job(shot, engine, "intended", id, url, estimate_usd, None, detail or {}), None)

    def submitted(self, job: Job, *, id: str, url: str = "", cost_usd: Decimal | None = None) -> Job:
        return self._put(dataclasses.replace(job, state="submitted", id=id, url=url, cost_usd=cost_usd), job)

    def close(self, job: Job, state: str, *, cost_usd: Decimal | None = None, why: str = "") -> Job:
        assert state in ("done", "failed", "refused")
        return self._put(dataclasses.replace(job, state=state, cost_usd=cost_usd if cost_usd is not None else job.cost_usd), job)

    def _put(self, job: Job, instead_of: Job | None) -> Job:
        if instead_of is not None:
            self.jobs.remove(instead_of)
        self.jobs.append(job)
        self.events.append(job.state)
        return job


def _darkroom(room: Room) -> Iterator[Bench]:
    yield Bench(lambda: engines.find("darkroom"), room)


def _rehearsal(room: Room) -> Iterator[Bench]:
    yield Bench(lambda: engines.find("rehearsal"), room)


def needs_flux() -> str:
    """Why the pipelines cannot be built here; empty when they can."""
    lacks = [name for name in ("torch", "diffusers", "transformers", "accelerate") if importlib.util.find_spec(name) is None]
    return f"the extra is absent ({', '.join(lacks)}): pip install -r requirements/flux.txt" if lacks else ""


_BUILT = tempfile.TemporaryDirectory(prefix="lowkey-tiny-")


def tiny(family: str, folder: Path) -> Path:
    """A real pipeline of the family with random weights: built once, and copied to `folder`."""
    if why := needs_flux():
        pytest.skip(why)
    built = Path(_BUILT.name) / family
    if not built.exists():
        import tiny_flux

        tiny_flux.build(family, built)
    return Path(shutil.copytree(built, folder))


def _diffusers(family: str) -> Callable[[Room], Iterator[Bench]]:
    def bench(room: Room) -> Iterator[Bench]:
        weights = tiny(family, room.folder / f"tiny-{family}")
        away = room.folder / "away"

        @contextmanager
        def blocked() -> Iterator[None]:
            (weights / "vae").rename(away)
            try:
                yield
            finally:
                away.rename(weights / "vae")

        def make() -> Engine:
            return engines.find("diffusers", {"model": str(weights), "steps": "2", "device": "cpu"})

        yield Bench(make, room, secrets=(str(room.folder),), blocked=blocked)

    return bench


BENCHES: dict[str, Callable[[Room], Iterator[Bench]]] = {
    "darkroom": _darkroom,
    "rehearsal": _rehearsal,
    "diffusers-klein": _diffusers("klein"),
    "diffusers-flux2": _diffusers("flux2"),
    "diffusers-kontext": _diffusers("kontext"),
    "diffusers-flux3": _diffusers("flux3"),
}


def grey(size_px: tuple[int, int]) -> Any:
    """A guide: a plain frame u16, lighter to one side."""
    w, h = size_px
    return np.repeat(np.tile(np.linspace(0, 40000, w), (h, 1))[..., None], 3, -1).astype(np.uint16)
