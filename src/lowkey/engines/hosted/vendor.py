"""What a hosted service says in its own way: its requests, its answers, its files."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from lowkey.engines import keys
from lowkey.engines.contract import Job
from lowkey.engines.hosted.answers import State
from lowkey.engines.hosted.pricelist import Model, PriceList
from lowkey.engines.wire import Answer, Wire
from lowkey.prompt import Words

LOST_AFTER_S = 20.0
"""A service that goes on not knowing its own id for so long has lost it; just after the request it may still be learning it."""


@dataclass(frozen=True)
class Ask:
    """What goes to the service."""

    model: Model
    words: Words
    seed: int
    asked_px: tuple[int, int]
    aspect: str
    pictures: tuple[bytes, ...]
    """PNG: the photo, and the guide where there is one."""
    safety: int | None


class Vendor(ABC):
    """One service, one of its models."""

    name: ClassVar[str]
    header: ClassVar[str]
    """Which carries the key, after `prefix`."""
    prefix: ClassVar[str] = ""
    stays: ClassVar[str] = "as long as the service keeps requests"
    """What becomes of the photo there, in words."""
    pace_s = 0.5
    """Seconds between two questions at first; they grow to six times that."""
    lost_after_s = LOST_AFTER_S
    prices: PriceList
    model: Model
    base: str
    hosts: tuple[str, ...]
    patience_s: float

    @property
    def title(self) -> str:
        return self.prices.title

    def line(self) -> Wire:
        """The way there, with the key."""
        return Wire(self.title, key=keys.find(self.prices.key), header=self.header, prefix=self.prefix, hosts=self.hosts)

    @abstractmethod
    def body(self, ask: Ask, pictures: tuple[str, ...]) -> dict[str, Any]:
        """The request, with its pictures as texts made by `shown`."""

    def shown(self, line: Wire, pictures: tuple[bytes, ...], keep: list[str]) -> tuple[str, ...]:
        """Pictures as texts for the request; what has to be removed from the service later is added to `keep`."""
        return tuple("data:image/png;base64," + base64.b64encode(one).decode() for one in pictures)

    def headers(self) -> dict[str, str]:
        """What a request says beside its body."""
        return {}

    @abstractmethod
    def accepted(self, answer: Answer) -> tuple[str, str, Decimal | None]:
        """The id, the address to ask at, and the cost where it is told; empty id where the answer is none."""

    @abstractmethod
    def state(self, line: Wire, job: Job) -> State:
        """Asks once. Raises EngineError for what the connection or the status says."""

    def stop(self, line: Wire, job: Job) -> bool:
        """Asks the service to stop; whether it surely did."""
        return False

    def remove(self, line: Wire, kept: tuple[str, ...]) -> bool:
        """Remove what `shown` laid there; whether nothing of it is left."""
        return True
