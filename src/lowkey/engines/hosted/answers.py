"""What services answer: where a job stands, what to ask again, and what their words mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lowkey.engines import wire
from lowkey.engines.hosted import pricelist
from lowkey.engines.wire import Answer, Wire

LONGEST_REST_S = 120.0
"""A service that asks for a longer wait than this is asked again by the user, not by us."""


@dataclass(frozen=True)
class State:
    """What the service says of a job."""

    what: str
    """"waiting", "done", "refused" (moderated) or "failed"."""
    said: str = ""
    url: str = field(default="", repr=False)
    """Of the picture, when it is done: signed, so a secret while it lasts."""
    share: float | None = None
    """How far it is, 0 to 1, where it tells."""
    cost_usd: Decimal | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


class Again(Exception):
    """Nothing is known yet: ask once more."""

    def __init__(self, wait_s: float = 0.0, lost: bool = False) -> None:
        super().__init__()
        self.wait_s = wait_s
        """Not sooner than after so many seconds."""
        self.lost = lost
        """The service does not know the job: not yet, or no longer."""


def asked(line: Wire, url: str) -> Answer:
    """One question about a job. What may pass by itself (429, 5xx, a broken connection, no JSON) asks to be repeated."""
    again: Again | None = None
    try:
        answer = line.send("GET", url)
    except (wire.Unsent, wire.Unknown):
        again = Again()
    if again is not None:
        raise again
    if answer.status == 429 or answer.status >= 500:
        raise Again(min(asked_wait_s(answer, 0.0), LONGEST_REST_S))
    if answer.status in (404, 410):
        raise Again(lost=True)
    if (refused := wire.refusal(line, answer)) and answer.status not in (400, 422):
        raise refused
    if answer.status < 400 and not answer.mapping:
        raise Again()
    return answer


def asked_wait_s(answer: Answer, otherwise: float) -> float:
    """How long a service asks to wait, or what we would have waited."""
    wait = wire.retry_after_s(answer)
    return otherwise if wait is None else wait


_MODERATION = ("moderat", "content_policy", "content policy", "nsfw", "flagged", "sensitive", "safety", "e005")


def moderated(said: str) -> bool:
    """Whether a service's words speak of its moderation."""
    return any(word in said.casefold() for word in _MODERATION)


def dollars(value: Any, unit: str = "1") -> Decimal | None:
    """A cost as a service tells it, in US dollars; None when it is no such thing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        usd = Decimal(str(value)) * Decimal(unit)
    except ArithmeticError:
        return None
    return usd.quantize(pricelist.CENT_PARTS) if usd.is_finite() and 0 <= usd < 100 else None
