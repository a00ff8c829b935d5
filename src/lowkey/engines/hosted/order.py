"""The life of one paid request: sent once, asked about until it has ended, its picture fetched at once.

The order of steps is the whole point. The intent is on disk before the request leaves; the service's id is on disk before the
first question about it; what stands in the ledger is asked for again, never sent again. A request that may have been taken
but was not answered is not repeated without a word from the user (`resend=yes`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

from lowkey.engines import wire
from lowkey.engines.contract import Cancel, Job, Ledger, Progress, Step, stop_if
from lowkey.engines.hosted.answers import LONGEST_REST_S, Again, State, asked_wait_s, moderated
from lowkey.engines.hosted.vendor import Ask, Vendor
from lowkey.engines.wire import Answer, Wire
from lowkey.errors import EngineError
from lowkey.pixels import U8, U16

STEPS = 4
TRIES = 6
"""Of a request that the service certainly did not take, and of a download."""


@dataclass
class Order:
    """One request at one service, with where it is written down and who is told."""

    vendor: Vendor
    ledger: Ledger
    shot: str
    """`Shot.hash()`."""
    progress: Progress | None = None
    cancel: Cancel | None = None
    usual_s: float | None = None
    """How long such a take usually is."""
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.line: Wire = self.vendor.line()

    def open(self, *, resend: bool) -> Job | None:
        """A job of an earlier run that is still to be had. Raises EngineError `maybe-paid`."""
        job = self.ledger.find(self.shot, self.vendor.name)
        if job is None or job.id:
            return job
        if not resend:
            said = f"a request for this frame was on its way to {self.vendor.title} when the run broke off, and may have been paid"
            way = "look at the service's own list of requests, and send it again with --option resend=yes"
            raise EngineError("maybe-paid", f"{said}: {way}")
        self.vendor.remove(self.line, laid(job))
        self.ledger.close(job, "failed", why="sent again by the user's word; whether it was paid is not known")
        return None

    def sent(self, ask: Ask) -> Job:
        """Send the request, once; what comes back is a job with an id, on disk. Raises EngineError, `over-budget` among others."""
        vendor = self.vendor
        estimate = vendor.model.price(ask.asked_px, (ask.asked_px,) * len(ask.pictures))
        stop_if(self.cancel)
        self.tell(1, f"sending, about ${estimate.normalize():f}")
        there: list[str] = []
        try:
            body = vendor.body(ask, vendor.shown(self.line, ask.pictures, there))
            stop_if(self.cancel)
            detail = {"model": vendor.model.name, "asked_px": list(ask.asked_px), "laid": there}
            return self._taken(body, self.ledger.intend(self.shot, vendor.name, estimate, detail=detail))
        except EngineError:
            # Even where the request may have been taken, its picture cannot be had: the photo goes.
            vendor.remove(self.line, tuple(there))
            raise

    def _taken(self, body: Mapping[str, Any], job: Job) -> Job:
        vendor = self.vendor
        for tried in range(1, TRIES + 1):
            unsent: EngineError
            wait = vendor.pace_s * 2**tried
            try:
                answer = self.line.send("POST", vendor.base + vendor.model.path, body=body, headers=vendor.headers())
            except wire.Unsent as error:
                unsent = error
            else:
                refused = wire.refusal(self.line, answer)
                if refused is None:
                    return self._accepted(answer, job)
                if answer.status >= 500:
                    # It may have been taken all the same: the intent stays open, and only the user's word sends it again.
                    raise refused
                if answer.status != 429:
                    said = self.line.said(answer)
                    declined = answer.status in (400, 403, 422, 451) and moderated(said)
                    self.ledger.close(job, "refused" if declined else "failed", cost_usd=Decimal(0), why=refused.code)
                    raise self._moderation(said) if declined else refused
                unsent = refused
                wait = asked_wait_s(answer, wait)
            if tried == TRIES or wait > LONGEST_REST_S or time.monotonic() + wait > self.began + vendor.patience_s:
                self.ledger.close(job, "failed", cost_usd=Decimal(0), why=unsent.code)
                raise unsent
            try:
                wire.rest(wait, self.cancel)
            except EngineError:
                self.ledger.close(job, "failed", cost_usd=Decimal(0), why="cancelled before it was taken")
                raise
        raise AssertionError("unreachable")

    def _accepted(self, answer: Answer, job: Job) -> Job:
        id, url, cost = self.vendor.accepted(answer)
        if not id:
            # A success without an id: it was taken, and nothing can be asked about it. The intent stays open.
            said = f"{self.vendor.title} took the request and answered without an id"
            raise EngineError("odd-answer", f"{said}: {self.line.said(answer)}")
        return self.ledger.submitted(job, id=id, url=url, cost_usd=cost)

    def awaited(self, job: Job) -> tuple[State, U8 | U16]:
        """Ask until it is done, and fetch the picture at once: its address runs out in minutes."""
        vendor = self.vendor
        pace, expired = vendor.pace_s, 0
        lost_since: float | None = None
        until = time.monotonic() + vendor.patience_s
        self.tell(2, "the service draws")
        while True:
            self._stop_there(job)
            state, wait = State("waiting"), pace
            try:
                state = vendor.state(self.line, job)
                lost_since = None
            except Again as again:
                wait = max(again.wait_s, pace)
                lost_since = (lost_since or time.monotonic()) if again.lost else None
            if lost_since is not None and time.monotonic() - lost_since > vendor.lost_after_s:
                self.ledger.close(job, "failed", cost_usd=job.cost_usd, why="result-lost")
                said = f"{vendor.title} no longer knows the request {job.id[:40]}, which it had taken"
                raise EngineError("result-lost", f"{said}: its picture is gone, and shooting again pays again")
            if state.what == "done":
                self.tell(3, "fetching the picture")
                picture = self._fetched(state, until)
                if picture is not None:
                    return state, picture
                expired += 1
                if expired >= 3:
                    self.ledger.close(job, "failed", cost_usd=job.cost_usd or job.estimate_usd, why="result-expired")
                    said = f"the picture's address at {vendor.title} has run out, and it gives no new one"
                    raise EngineError("result-expired", f"{said}: it was paid for and is gone; shooting again pays again")
            elif state.what in ("refused", "failed"):
                self._ended(job, state)
            elif state.share is not None:
                self.tell(2, f"the service draws, {round(100 * state.share)} %")
            if time.monotonic() + wait > until:
                said = f"{vendor.title} has not finished the picture in {vendor.patience_s:g} s"
                raise EngineError("timed-out", f"{said}; it is in the ledger: shoot again and it is asked for again, not paid again")
            end = time.monotonic() + wait
            while (left := end - time.monotonic()) > 0:
                self._stop_there(job)
                time.sleep(min(left, 0.25))
            pace = min(pace * 1.3, 6 * vendor.pace_s)

    def _fetched(self, state: State, until: float) -> U8 | U16 | None:
        """The picture, None when its address has run out. Broken answers are fetched again; then the job stays open."""
        title = self.vendor.title
        last: EngineError | None = None
        for tried in range(TRIES):
            if tried:
                wire.rest(min(self.vendor.pace_s * 2**tried, 10.0), self.cancel, until)
            try:
                answer = self.line.fetch(state.url)
                if answer.status in (401, 403, 404, 410):
                    return None
                return wire.picture(self.line, answer, title)
            except EngineError as error:
                last = EngineError(error.code, error.message)
        assert last is not None
        raise EngineError(last.code, f"{last.message}. It is in the ledger: shoot again and it is fetched again, not paid again")

    def _ended(self, job: Job, state: State) -> NoReturn:
        """No picture will come: close the job and say why."""
        self.vendor.remove(self.line, laid(job))
        said = self.line.line(state.said)
        cost = state.cost_usd if state.cost_usd is not None else job.cost_usd
        self.ledger.close(job, state.what, cost_usd=cost, why=said)
        if state.what == "refused":
            raise self._moderation(said)
        raise EngineError("service-failed", f'{self.vendor.title} could not make the picture: "{said}"; shoot it again')

    def _moderation(self, said: str) -> EngineError:
        text = f"{self.vendor.title} declined the picture in moderation" + (f': "{said}"' if said else "")
        more = " A higher --option safety= (it is a tolerance) or another model may take it; ordinary portraits are declined at times"
        return EngineError("moderated", f"{text}.{more}")

    def _stop_there(self, job: Job) -> None:
        """When the take is to end: stop the service too, where it can be; else the job stays open, to be had later."""
        if self.cancel is None or not self.cancel():
            return
        stopped = False
        try:
            stopped = self.vendor.stop(self.line, job)
        except EngineError:
            stopped = False
        if stopped:
            self.vendor.remove(self.line, laid(job))
            self.ledger.close(job, "failed", cost_usd=job.cost_usd, why="cancelled")
            raise EngineError("cancelled", "the take was cancelled, here and at the service; nothing of it was kept")
        raise EngineError("cancelled", "the take was cancelled; the service goes on, and shooting it again asks for that picture, unpaid")

    def tell(self, done: int, what: str, *, over: bool = False) -> None:
        """Progress, with the time left by how long such takes were."""
        if self.progress is not None:
            left = None if self.usual_s is None else max(self.usual_s - (time.monotonic() - self.began), 0.0)
            self.progress(Step(done, STEPS, what, 0.0 if over else left))


def laid(job: Job) -> tuple[str, ...]:
    """What of the photo lies in the service's files for this job."""
    kept = job.detail.get("laid", ())
    return tuple(str(one) for one in kept) if isinstance(kept, list | tuple) else ()
