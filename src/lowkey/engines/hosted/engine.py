"""A hosted service as an engine: what all of them share, from the refusal that costs nothing to the frame."""

from __future__ import annotations

import datetime
import hashlib
import threading
import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from lowkey import prompt
from lowkey.engines import keys, reference, wire
from lowkey.engines.contract import Abilities, Cancel, Job, Ledger, Progress, Ready, Sitting, stop_if
from lowkey.engines.hosted import pricelist
from lowkey.engines.hosted.answers import State
from lowkey.engines.hosted.order import STEPS, Order, laid
from lowkey.engines.hosted.vendor import Ask, Vendor
from lowkey.engines.settings import Settings
from lowkey.engines.wire import Wire
from lowkey.errors import EngineError
from lowkey.frame import Frame, Shot
from lowkey.photo.png import png_bytes
from lowkey.pixels import U8, U16
from lowkey.prompt import Words

PATIENCE_S = 600
REFERENCE_PX = 1 << 20
"""The reference is shown at about a megapixel: more costs more, and no model here looks at more."""


class Hosted(Vendor):
    """A hosted service as an engine."""

    _slots: ClassVar[dict[tuple[str, str, str], threading.BoundedSemaphore]] = {}
    _slots_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.prices = pricelist.of(self.name)
        settings = Settings(self.name, given)
        self.model = self.prices.model(settings.text("model", self.prices.default))
        host = settings.text("host")
        self.base = wire.checked_url(host or str(self.prices.data["base"]), f"{self.name}: host")
        self.hosts = self._own_hosts(self.base)
        self.patience_s = settings.number("patience", PATIENCE_S, 1, 7200)
        self.resend = settings.flag("resend")
        self._likeness = settings.flag("likeness")
        usual, most = self.model.safety or (0, 0)
        self.safety = settings.whole("safety", usual, 0, most) if self.model.safety else None
        settings.check()
        self._took_s: list[float] = []

    def _own_hosts(self, base: str) -> tuple[str, ...]:
        """Who may have the key: the service's own names, or the one host that the user named instead."""
        own = tuple(str(name) for name in self.prices.data["key_hosts"])
        return own if Wire(self.name, hosts=own).may_have_key(base) else (wire.host_of(base),)

    # --- what it is ------------------------------------------------------------------------------------------------------

    @property
    def dialect(self) -> str:
        return self.model.dialect

    @property
    def abilities(self) -> Abilities:
        words = dict.fromkeys(("light", "background", "clothing", "pose", "flare"), "yes")
        one = self.model.price(self.model.asked_px((896, 1120)), ((896, 1120),))
        return Abilities(
            words,
            reproducible=False,  # a seed is honoured, but no service promises the same bytes
            leaves=True,
            paid=True,
            guide=self.model.references > 1,
            likeness=self._likeness,  # no service's terms say that faces of its pictures may be measured
            licence=str(self.prices.data["licence"]),
            cost=f"about ${one.normalize():f} a frame of one megapixel ({self.model.name})",
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        said = {"model": self.model.name}
        if self.model.safety and self.safety != self.model.safety[0]:
            said["safety"] = str(self.safety)
        if self._likeness:
            said["likeness"] = "yes"
        return tuple(sorted(said.items()))

    def ready(self) -> Ready:
        missing = []
        try:
            keys.find(self.prices.key)
        except EngineError as error:
            missing.append(error.message)
        if not wire.installed():
            return Ready(False, (f"httpx: {wire.EXTRA}", *missing))
        return Ready(True, tuple(missing))

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        words = self._words(shot, sitting)
        guide = None if sitting.guide is None else hashlib.sha256(sitting.guide.tobytes()).hexdigest()
        return self.name, self.options, words.text, shot.framing, shot.reference, guide, shot.seed, shot.size_px

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """Nothing is spent and nothing sent: consent, key, words and size."""
        sitting.must_allow(self.name, datetime.date.today())
        wire.library()
        keys.find(self.prices.key)
        self._words(shot, sitting)

    def close(self) -> None:
        self._took_s.clear()

    # --- the shoot -------------------------------------------------------------------------------------------------------

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        self.check(shot, sitting)
        if ledger is None:
            said = f"{self.name} costs money, and no ledger was given that would remember what was paid for"
            raise EngineError("no-ledger", f"{said}; shoot through a session")
        stop_if(cancel)
        usual = sum(self._took_s) / len(self._took_s) if self._took_s else None
        order = Order(self, ledger, shot.hash(), progress, cancel, usual)
        job = order.open(resend=self.resend)
        resumed = job is not None
        with self._slot(cancel, order.began):
            order.tell(0, "the reference" if job is None else "asking for what was paid for")
            if job is None:
                job = order.sent(self._ask(shot, sitting))
            state, picture = order.awaited(job)
        cost = state.cost_usd if state.cost_usd is not None else job.cost_usd
        cost = cost if cost is not None else job.estimate_usd
        notes = self._notes(shot, sitting, order.line, job, state, cost)
        notes |= {"resumed": resumed, "came_px": [picture.shape[1], picture.shape[0]]}
        frame = self._frame(shot, sitting, picture, notes, time.monotonic() - order.began)
        ledger.close(job, "done", cost_usd=cost)
        self._took_s.append(frame.took_s)
        order.tell(STEPS, "done", over=True)
        return frame

    # --- smaller parts ---------------------------------------------------------------------------------------------------

    def _words(self, shot: Shot, sitting: Sitting) -> Words:
        return prompt.compile(
            shot.look, self.model.dialect, tuple(shot.remedies), aspect=shot.framing.aspect, seed=shot.seed, guide=sitting.guide is not None
        )

    def _ask(self, shot: Shot, sitting: Sitting) -> Ask:
        asked = self.model.asked_px(shot.size_px)
        # In the frame's own aspect.
        shown = reference.asked_size(asked, grid=16, most_px=REFERENCE_PX, least_side_px=256)
        pictures = [png_bytes(reference.prepared(sitting, shot, shown).pixels)]
        if sitting.guide is not None:
            pictures.append(png_bytes(reference.guide8(sitting.guide, shown)))
        words = self._words(shot, sitting)
        return Ask(self.model, words, shot.seed, asked, self.model.aspect(shot.size_px), tuple(pictures), self.safety)

    def _notes(self, shot: Shot, sitting: Sitting, line: Wire, job: Job, state: State, cost: Decimal) -> dict[str, Any]:
        """What the record keeps: who made it, where the photo went and what becomes of it there, and what it cost."""
        removed = self.remove(line, laid(job))
        asked = self.model.asked_px(shot.size_px)
        return {
            "service": self.title,
            "model": self.model.name,
            "photo": {
                "went_to": wire.host_of(self.base),
                "as": "a crop without metadata" + (", and the darkroom's frame" if sitting.guide is not None else ""),
                "stays": self.stays if removed else "it could not be removed from the service's files",
            },
            "job": job.id,
            "asked_px": list(asked) if self.model.exact else self.model.aspect(shot.size_px),
            "cost_usd": str(cost),
            "estimate_usd": str(job.estimate_usd),
            "cost_by": "the service" if state.cost_usd is not None or job.cost_usd is not None else "the price list",
            "licence": self.abilities.licence,
            "likeness": self._likeness,
            **state.notes,
        }

    def _frame(self, shot: Shot, sitting: Sitting, picture: U8 | U16, notes: dict[str, Any], took_s: float) -> Frame:
        notes["brought"] = reference.brought((picture.shape[1], picture.shape[0]), shot.size_px)
        words = self._words(shot, sitting)
        said = replace(words, parameters=self._parameters(shot, words)).to_mapping()
        version = f"{self.name} {self.model.name}"
        honours = dict(self.abilities.variables)
        return Frame(reference.fitted(picture, shot.size_px), shot, None, None, (), honours, version, took_s, notes, said)

    def _parameters(self, shot: Shot, words: Words) -> dict[str, Any]:
        """What was really asked of the service, in place of what the dialect would tell a person to type."""
        asked = self.model.asked_px(shot.size_px)
        size = {"width": asked[0], "height": asked[1]} if self.model.exact else {"aspect_ratio": self.model.aspect(shot.size_px)}
        safety = {"safety_tolerance": self.safety} if self.safety is not None else {}
        return {"seed": shot.seed, "output_format": "png", **size, **safety, **self.model.body}

    @contextmanager
    def _slot(self, cancel: Cancel | None, start: float) -> Iterator[None]:
        """A place among the requests that may be on their way at once."""
        place = (self.name, self.base, self.model.name if "in_flight" in self.model.row else "")
        with Hosted._slots_lock:
            slots = Hosted._slots.setdefault(place, threading.BoundedSemaphore(self.prices.in_flight(self.model)))
        while not slots.acquire(timeout=0.25):
            stop_if(cancel)
            if time.monotonic() - start > self.patience_s:
                said = f"{self.title} has as many requests of this process as it takes at once"
                raise EngineError("too-many-requests", f"{said}; try later")
        try:
            yield
        finally:
            slots.release()
