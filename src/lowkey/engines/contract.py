"""What every engine is: one `Shot` in, one `Frame` out, and what it may ask of the session on the way.

A session knows engines by this page alone. An engine makes pictures; it never opens the record, never decides what is paid for
twice, and never sends a photo anywhere without a consent that names it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from lowkey.errors import ConsentError, EngineError
from lowkey.frame import Frame, Shot
from lowkey.photo import Photo
from lowkey.pixels import U16
from lowkey.plate.plate import Plate


@dataclass(frozen=True)
class Step:
    """How far a take has come."""

    done: int
    of: int
    what: str
    """What comes next, in words."""
    left_s: float | None = None
    """Seconds left, None while nothing is known."""


Progress = Callable[[Step], None]
Cancel = Callable[[], bool]
"""Asked between steps; True ends the take with the error `cancelled`, and nothing of it is kept."""


@dataclass(frozen=True)
class Abilities:
    """What an engine can do, said before anything is spent."""

    variables: Mapping[str, str]
    """Each of the five variables: "yes", "kept from photo" (what the photo shows is what comes) or "no"."""
    reproducible: bool
    """Whether the same shot makes the same bytes on the same machine."""
    leaves: bool = False
    """Whether the person's photo leaves this machine."""
    paid: bool = False
    """Whether a take costs money."""
    guide: bool = False
    """Whether the darkroom's frame can go along as a reference for the light."""
    likeness: bool = True
    """Whether its licence lets the likeness of its frames be measured without a word from the user."""
    licence: str = ""
    """In a line: what its frames and its model may be used for."""
    cost: str = "free"
    """In a line."""


@dataclass(frozen=True)
class Ready:
    """Whether an engine could shoot here and now."""

    installed: bool
    missing: tuple[str, ...] = ()
    """What is missing, each with what mends it."""

    @property
    def ready(self) -> bool:
        return self.installed and not self.missing


@dataclass(frozen=True)
class Consent:
    """What a person agreed to, as far as engines need to know it."""

    person: str
    engines: frozenset[str]
    """Names of the engines that the person's photo may be sent to."""
    until: datetime.date | None = None
    """The last day it holds, None for no end."""

    def allows(self, engine: str, today: datetime.date) -> bool:
        return engine in self.engines and (self.until is None or today <= self.until)


@dataclass(frozen=True)
class Job:
    """One paid or remote request, as the ledger keeps it."""

    shot: str
    """`Shot.hash()`."""
    engine: str
    state: str
    """"intended" (about to be sent), "submitted" (the service has it), "done", "failed" or "refused"."""
    id: str = ""
    """The service's own name for it."""
    url: str = ""
    """Where to ask for it."""
    estimate_usd: Decimal = Decimal(0)
    cost_usd: Decimal | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Ledger(Protocol):
    """Where engines write what they are about to spend. Every call is on disk when it returns."""

    def find(self, shot: str, engine: str) -> Job | None:
        """The latest job of this shot that is neither done, failed nor refused: it is to be resumed, not sent again."""
        ...

    def intend(self, shot: str, engine: str, estimate_usd: Decimal, *, id: str = "", url: str = "", detail: Mapping[str, Any] = ...) -> Job:
        """Note a request before it is sent. Raises EngineError `over-budget` when the budget would be passed."""
        ...

    def submitted(self, job: Job, *, id: str, url: str = "", cost_usd: Decimal | None = None) -> Job:
        """The service answered: it has the job under this id."""
        ...

    def close(self, job: Job, state: str, *, cost_usd: Decimal | None = None, why: str = "") -> Job:
        """The job has ended: "done", "failed" or "refused"."""
        ...


class Sitting:
    """One person before the engine: the photo, the plate (read once, when first asked for), a guide and a consent."""

    def __init__(
        self,
        photo: Photo,
        read: Callable[[], Plate],
        *,
        guide: U16 | None = None,
        consent: Consent | None = None,
        scratch: Path | None = None,
    ) -> None:
        """`guide` u16[h, w, 3] is the darkroom's frame of the same look; `scratch` a private folder that goes with the sitting."""
        self.photo, self.guide, self.consent, self.scratch = photo, guide, consent, scratch
        self._read = read

    @cached_property
    def plate(self) -> Plate:
        return self._read()

    def must_allow(self, engine: str, today: datetime.date) -> None:
        """Raise ConsentError unless the person agreed that the photo goes to this engine."""
        if self.consent is None:
            said = f"the photo would leave this machine for {engine}, and no consent of the person is on record"
            raise ConsentError("no-consent", f"{said}; record one with: lowkey consent PERSON --engine {engine}")
        if not self.consent.allows(engine, today):
            ended = self.consent.until is not None and today > self.consent.until
            named = ", ".join(sorted(self.consent.engines)) or "no engine"
            why = f"ended on {self.consent.until}" if ended else f"names {named}, not {engine}"
            raise ConsentError("no-consent", f"the consent of {self.consent.person} {why}; renew it with: lowkey consent")


class Engine(Protocol):
    """A maker of frames."""

    @property
    def name(self) -> str: ...

    @property
    def dialect(self) -> str:
        """The prompt compiler's dialect for it; empty where it takes no words."""
        ...

    @property
    def abilities(self) -> Abilities: ...

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What of its settings changes the picture, sorted: it goes into the shot. Never a secret."""
        ...

    def ready(self) -> Ready:
        """Looked up afresh, without spending anything, within a second or two."""
        ...

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        """What it would really do for a shot; two shots of equal plans make the same frame, so the second need not be shot."""
        ...

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """Raise what stands in the way (EngineError, ConsentError) before money or minutes are spent."""
        ...

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        """Make the frame. It has exactly `shot.size_px`; on any error nothing of it is left behind."""
        ...

    def close(self) -> None:
        """Give back memory and connections."""
        ...


def stop_if(cancel: Cancel | None) -> None:
    """Raise `cancelled` when the session wants the take to end."""
    if cancel is not None and cancel():
        raise EngineError("cancelled", "the take was cancelled, and nothing of it was kept")
