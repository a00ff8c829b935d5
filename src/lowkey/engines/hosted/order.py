"""A paid picture, from the refusal that costs nothing to the file that was paid for: what all hosted services share.

The order of steps is the whole point. The intent is on disk before the request leaves; the service's id is on disk before the
first question about it; what stands in the ledger is asked for again, never sent again. A request that may have been taken
but was not answered is not repeated without a word from the user (`resend=yes`).
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, NoReturn

from lowkey import prompt
from lowkey.engines import keys, reference, wire
from lowkey.engines.contract import Abilities, Cancel, Job, Ledger, Progress, Ready, Sitting, Step, stop_if
from lowkey.engines.hosted import pricelist
from lowkey.engines.hosted.answers import LONGEST_REST_S, Again, State, asked_wait_s, moderated
from lowkey.engines.settings import Settings
from lowkey.engines.wire import Answer, Wire
from lowkey.errors import EngineError, PhotoError
from lowkey.frame import Frame, Shot
from lowkey.photo import decode
from lowkey.photo.png import png_bytes
from lowkey.pixels import U16
from lowkey.prompt import Words

STEPS = 4
PATIENCE_S = 600
TRIES = 6
"""Of a request that the service certainly did not take, and of a download."""
LOST_AFTER_S = 20.0
"""A service that goes on not knowing its own id for so long has lost it; just after the request it may still be learning it."""


@dataclass(frozen=True)
class Ask:
    """What goes to the service."""

    model: pricelist.Model
    words: Words
    seed: int
    asked_px: tuple[int, int]
    aspect: str
    pictures: tuple[bytes, ...]
    """PNG: the photo, and the guide where there is one."""
    safety: int | None


class Hosted(ABC):
    """A hosted service as an engine."""

    name: ClassVar[str]
    header: ClassVar[str]
    prefix: ClassVar[str] = ""
    stays: ClassVar[str] = "as long as the service keeps requests"
    """What becomes of the photo there, in words."""
    pace_s = 0.5
    """Seconds between two questions at first; they grow to six times that."""
    lost_after_s = LOST_AFTER_S

    _slots: ClassVar[dict[tuple[str, str, str], threading.BoundedSemaphore]] = {}
    _slots_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.list = pricelist.of(self.name)
        settings = Settings(self.name, given)
        self.model = self.list.model(settings.text("model", self.list.default))
        host = settings.text("host")
        self.base = wire.checked_url(host or str(self.list.data["base"]), f"{self.name}: host")
        self.hosts = self._own_hosts(self.base)
        self.patience_s = settings.number("patience", PATIENCE_S, 1, 7200)
        self.resend = settings.flag("resend")
        usual, most = self.model.safety or (0, 0)
        self.safety = settings.whole("safety", usual, 0, most) if self.model.safety else None
        settings.check()
        self._took_s: list[float] = []

    def _own_hosts(self, base: str) -> tuple[str, ...]:
        """Who may have the key: the service's own names, or the one host that the user named instead."""
        own = tuple(str(name) for name in self.list.data["key_hosts"])
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
            licence=str(self.list.data["licence"]),
            cost=f"about ${one.normalize():f} a frame of one megapixel ({self.model.name})",
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        said = {"model": self.model.name}
        if self.model.safety and self.safety != self.model.safety[0]:
            said["safety"] = str(self.safety)
        return tuple(sorted(said.items()))

    def ready(self) -> Ready:
        missing = []
        try:
            keys.find(str(self.list.data["key"]))
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
        keys.find(str(self.list.data["key"]))
        self._words(shot, sitting)

    def close(self) -> None:
        self._took_s.clear()

    # --- what a service says in its own way ------------------------------------------------------------------------------

    @abstractmethod
    def body(self, ask: Ask, pictures: tuple[str, ...]) -> dict[str, Any]:
        """The request, with its pictures as texts made by `shown`."""

    def shown(self, line: Wire, pictures: tuple[bytes, ...], keep: list[str]) -> tuple[str, ...]:
        """Pictures as texts for the request; what has to be removed from the service later is added to `keep`."""
        return tuple("data:image/png;base64," + base64.b64encode(one).decode() for one in pictures)

    def extra_headers(self) -> dict[str, str]:
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

    # --- the shoot -------------------------------------------------------------------------------------------------------

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        self.check(shot, sitting)
        if ledger is None:
            said = f"{self.name} costs money, and no ledger was given that would remember what was paid for"
            raise EngineError("no-ledger", f"{said}; shoot through a session")
        stop_if(cancel)
        start = time.monotonic()
        line = Wire(self.list.title, key=keys.find(str(self.list.data["key"])), header=self.header, prefix=self.prefix, hosts=self.hosts)
        job = self._open_job(line, shot, ledger)
        resumed = job is not None
        with self._slot(cancel, start):
            if job is None:
                job = self._ordered(line, shot, sitting, ledger, progress, cancel, start)
            state, picture = self._awaited(line, job, ledger, progress, cancel, start)
        cost = state.cost_usd if state.cost_usd is not None else job.cost_usd
        cost = cost if cost is not None else job.estimate_usd
        removed = self.remove(line, laid(job))
        frame = self._frame(shot, sitting, line, job, state, picture, cost, resumed, removed, time.monotonic() - start)
        ledger.close(job, "done", cost_usd=cost)
        self._took_s.append(frame.took_s)
        self._tell(progress, STEPS, "done", start, over=True)
        return frame

    def _open_job(self, line: Wire, shot: Shot, ledger: Ledger) -> Job | None:
        """A job of an earlier run that is still to be had. Raises EngineError `maybe-paid`."""
        job = ledger.find(shot.hash(), self.name)
        if job is None or job.id:
            return job
        if not self.resend:
            said = f"a request for this frame was on its way to {self.list.title} when the run broke off, and may have been paid"
            way = "look at the service's own list of requests, and send it again with --option resend=yes"
            raise EngineError("maybe-paid", f"{said}: {way}")
        self.remove(line, laid(job))
        ledger.close(job, "failed", why="sent again by the user's word; whether it was paid is not known")
        return None

    def _ordered(
        self, line: Wire, shot: Shot, sitting: Sitting, ledger: Ledger, progress: Progress | None, cancel: Cancel | None, start: float
    ) -> Job:
        """Send the request, once; what comes back is a job with an id, on disk."""
        self._tell(progress, 0, "the reference", start)
        ask = self._ask(shot, sitting)
        sizes = (ask.asked_px,) * len(ask.pictures)
        estimate = self.model.price(ask.asked_px, sizes)
        stop_if(cancel)
        self._tell(progress, 1, f"sending, about ${estimate.normalize():f}", start)
        there: list[str] = []
        try:
            body = self.body(ask, self.shown(line, ask.pictures, there))
            stop_if(cancel)
            detail = {"model": self.model.name, "asked_px": list(ask.asked_px), "laid": there}
            job = ledger.intend(shot.hash(), self.name, estimate, detail=detail)
            return self._sent(line, body, job, ledger, cancel, start)
        except EngineError:
            # Even where the request may have been taken, its picture cannot be had: the photo goes.
            self.remove(line, tuple(there))
            raise

    def _sent(self, line: Wire, body: dict[str, Any], job: Job, ledger: Ledger, cancel: Cancel | None, start: float) -> Job:
        for tried in range(1, TRIES + 1):
            unsent: EngineError
            wait = self.pace_s * 2**tried
            try:
                answer = line.send("POST", self.base + self.model.path, body=body, headers=self.extra_headers())
            except wire.Unsent as error:
                unsent = error
            else:
                refused = wire.refusal(line, answer)
                if refused is None:
                    return self._accepted(line, answer, job, ledger)
                if answer.status >= 500:
                    # It may have been taken all the same: the intent stays open, and only the user's word sends it again.
                    raise refused
                if answer.status != 429:
                    declined = answer.status in (400, 403, 422, 451) and moderated(line.said(answer))
                    ledger.close(job, "refused" if declined else "failed", cost_usd=Decimal(0), why=refused.code)
                    raise self._moderation(line.said(answer)) if declined else refused
                unsent = refused
                wait = asked_wait_s(answer, wait)
            if tried == TRIES or wait > LONGEST_REST_S or time.monotonic() + wait > start + self.patience_s:
                ledger.close(job, "failed", cost_usd=Decimal(0), why=unsent.code)
                raise unsent
            try:
                wire.rest(wait, cancel)
            except EngineError:
                ledger.close(job, "failed", cost_usd=Decimal(0), why="cancelled before it was taken")
                raise
        raise AssertionError("unreachable")

    def _accepted(self, line: Wire, answer: Answer, job: Job, ledger: Ledger) -> Job:
        id, url, cost = self.accepted(answer)
        if not id:
            # A success without an id: it was taken, and nothing can be asked about it. The intent stays open.
            raise EngineError("odd-answer", f"{self.list.title} took the request and answered without an id: {line.said(answer)}")
        job = ledger.submitted(job, id=id, url=url, cost_usd=cost)
        if url and not line.may_have_key(url):
            said = f"{self.list.title} names {wire.host_of(url)[:80]} as the place to ask, which is not one of its own hosts"
            raise EngineError("foreign-host", f"{said} ({', '.join(self.hosts)}): the key stays here")
        return job

    def _awaited(
        self, line: Wire, job: Job, ledger: Ledger, progress: Progress | None, cancel: Cancel | None, start: float
    ) -> tuple[State, U16]:
        """Ask until it is done, and fetch the picture at once: its address runs out in minutes."""
        pace, expired = self.pace_s, 0
        lost_since: float | None = None
        until = time.monotonic() + self.patience_s
        self._tell(progress, 2, "the service draws", start)
        while True:
            self._stop_there(line, job, ledger, cancel)
            state, wait = State("waiting"), pace
            try:
                state = self.state(line, job)
                lost_since = None
            except Again as again:
                wait = max(again.wait_s, pace)
                lost_since = (lost_since or time.monotonic()) if again.lost else None
            if lost_since is not None and time.monotonic() - lost_since > self.lost_after_s:
                ledger.close(job, "failed", cost_usd=job.cost_usd, why="result-lost")
                said = f"{self.list.title} no longer knows the request {job.id[:40]}, which it had taken"
                raise EngineError("result-lost", f"{said}: its picture is gone, and shooting again pays again")
            if state.what == "done":
                self._tell(progress, 3, "fetching the picture", start)
                picture = self._fetched(line, state, cancel, until)
                if picture is not None:
                    return state, picture
                expired += 1
                if expired >= 3:
                    ledger.close(job, "failed", cost_usd=job.cost_usd or job.estimate_usd, why="result-expired")
                    said = f"the picture's address at {self.list.title} has run out, and it gives no new one"
                    raise EngineError("result-expired", f"{said}: it was paid for and is gone; shooting again pays again")
            elif state.what in ("refused", "failed"):
                self._ended(line, job, state, ledger)
            elif state.share is not None:
                self._tell(progress, 2, f"the service draws, {round(100 * state.share)} %", start)
            if time.monotonic() + wait > until:
                said = f"{self.list.title} has not finished the picture in {self.patience_s:g} s"
                raise EngineError("timed-out", f"{said}; it is in the ledger: shoot again and it is asked for again, not paid again")
            self._rest(line, job, ledger, wait, cancel)
            pace = min(pace * 1.3, 6 * self.pace_s)

    def _ended(self, line: Wire, job: Job, state: State, ledger: Ledger) -> NoReturn:
        """No picture will come: close the job and say why."""
        self.remove(line, laid(job))
        said = line.line(state.said)
        cost = state.cost_usd if state.cost_usd is not None else job.cost_usd
        ledger.close(job, state.what, cost_usd=cost, why=said)
        if state.what == "refused":
            raise self._moderation(said)
        raise EngineError("service-failed", f'{self.list.title} could not make the picture: "{said}"; shoot it again')

    def _fetched(self, line: Wire, state: State, cancel: Cancel | None, until: float) -> U16 | None:
        """The picture, None when its address has run out. Broken answers are fetched again; then the job stays open."""
        last: EngineError | None = None
        for tried in range(TRIES):
            if tried:
                wire.rest(min(self.pace_s * 2**tried, 10.0), cancel, until)
            try:
                answer = line.fetch(state.url)
            except EngineError as error:
                last = EngineError(error.code, error.message)
                continue
            if answer.status in (401, 403, 404, 410):
                return None
            kind = answer.headers.get("content-type", "").split(";")[0].strip().casefold()
            if answer.status != 200:
                last = EngineError("service-failed", f"{self.list.title}: the picture was not handed out (status {answer.status})")
            elif kind not in wire.PICTURES:
                last = EngineError("bad-picture", f"{self.list.title} sent {line.line(kind) or 'something unnamed'} in place of a picture")
            else:
                try:
                    photo = decode(answer.data, f"the picture of {self.list.title}", max_megapixels=40)
                except PhotoError as error:
                    last = EngineError("bad-picture", f"{error.message} [{error.code}]")
                else:
                    return reference.fitted(photo.pixels, (photo.size_px[0], photo.size_px[1]))
        assert last is not None
        raise EngineError(last.code, f"{last.message}. It is in the ledger: shoot again and it is fetched again, not paid again")

    # --- smaller parts ---------------------------------------------------------------------------------------------------

    def _words(self, shot: Shot, sitting: Sitting) -> Words:
        return prompt.compile(
            shot.look, self.model.dialect, tuple(shot.remedies), aspect=shot.framing.aspect, seed=shot.seed, guide=sitting.guide is not None
        )

    def _ask(self, shot: Shot, sitting: Sitting) -> Ask:
        asked = self.model.asked_px(shot.size_px)
        # The reference is shown in the frame's own aspect, at about a megapixel: more costs more and helps no model here.
        shown = reference.asked_size(asked, grid=16, most_px=1 << 20, least_side_px=256)
        pictures = [png_bytes(reference.prepared(sitting, shot, shown).pixels)]
        if sitting.guide is not None:
            pictures.append(png_bytes(reference.guide8(sitting.guide, shown)))
        words = self._words(shot, sitting)
        return Ask(self.model, words, shot.seed, asked, self.model.aspect(shot.size_px), tuple(pictures), self.safety)

    def _frame(
        self, shot: Shot, sitting: Sitting, line: Wire, job: Job, state: State, picture: U16, cost: Decimal, resumed: bool, removed: bool,
        took_s: float,
    ) -> Frame:
        came = (picture.shape[1], picture.shape[0])
        asked = self.model.asked_px(shot.size_px)
        words = self._words(shot, sitting)
        sent = {**words.parameters, **self._size_words(asked, shot)}
        notes: dict[str, Any] = {
            "service": self.list.title,
            "model": self.model.name,
            "photo": {
                "went_to": wire.host_of(self.base),
                "as": "a crop without metadata" + (", and the darkroom's frame" if sitting.guide is not None else ""),
                "stays": self.stays if removed else "it could not be removed from the service's files",
            },
            "job": job.id,
            "asked_px": list(asked) if self.model.exact else self.model.aspect(shot.size_px),
            "came_px": list(came),
            "brought": reference.brought(came, shot.size_px),
            "cost_usd": str(cost),
            "estimate_usd": str(job.estimate_usd),
            "cost_by": "the service" if state.cost_usd is not None or job.cost_usd is not None else "the price list",
            "resumed": resumed,
            "licence": self.abilities.licence,
            **{name: line.line(value) if isinstance(value, str) else value for name, value in state.notes.items()},
        }
        made = replace(words, parameters={name: value for name, value in sent.items() if name not in self._unsent_words()})
        pixels = reference.fitted(picture, shot.size_px)
        version = f"{self.name} {self.model.name}"
        honours = dict(self.abilities.variables)
        return Frame(pixels, shot, None, None, (), honours, version, took_s, notes, made.to_mapping())

    def _size_words(self, asked: tuple[int, int], shot: Shot) -> dict[str, Any]:
        return {"width": asked[0], "height": asked[1]} if self.model.exact else {"aspect_ratio": self.model.aspect(shot.size_px)}

    def _unsent_words(self) -> frozenset[str]:
        """Parameters of the dialect that are for running the model oneself."""
        local = {"guidance_scale", "num_inference_steps", "max_sequence_length", "max_area"}
        return frozenset(local | (set() if self.model.exact else {"width", "height"}) | ({"aspect_ratio"} if self.model.exact else set()))

    def _moderation(self, said: str) -> EngineError:
        text = f"{self.list.title} declined the picture in moderation" + (f': "{said}"' if said else "")
        more = " A higher --option safety= (it is a tolerance) or another model may take it; ordinary portraits are declined at times"
        return EngineError("moderated", f"{text}.{more}")

    @contextmanager
    def _slot(self, cancel: Cancel | None, start: float) -> Iterator[None]:
        """A place among the requests that may be on their way at once."""
        place = (self.name, self.base, self.model.name if "in_flight" in self.model.row else "")
        with Hosted._slots_lock:
            slots = Hosted._slots.setdefault(place, threading.BoundedSemaphore(self.list.in_flight(self.model)))
        while not slots.acquire(timeout=0.25):
            stop_if(cancel)
            if time.monotonic() - start > self.patience_s:
                said = f"{self.list.title} has as many requests of this process as it takes at once"
                raise EngineError("too-many-requests", f"{said}; try later")
        try:
            yield
        finally:
            slots.release()

    def _rest(self, line: Wire, job: Job, ledger: Ledger, wait: float, cancel: Cancel | None) -> None:
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            self._stop_there(line, job, ledger, cancel)
            time.sleep(min(left, 0.25))

    def _stop_there(self, line: Wire, job: Job, ledger: Ledger, cancel: Cancel | None) -> None:
        """When the take is to end: stop the service too, where it can be; else the job stays open, to be had later."""
        if cancel is None or not cancel():
            return
        stopped = False
        try:
            stopped = self.stop(line, job)
        except EngineError:
            stopped = False
        if stopped:
            self.remove(line, laid(job))
            ledger.close(job, "failed", cost_usd=job.cost_usd, why="cancelled")
            raise EngineError("cancelled", "the take was cancelled, here and at the service; nothing of it was kept")
        raise EngineError("cancelled", "the take was cancelled; the service goes on, and shooting it again asks for that picture, unpaid")

    def _tell(self, progress: Progress | None, done: int, what: str, start: float, over: bool = False) -> None:
        if progress is None:
            return
        usual = sum(self._took_s) / len(self._took_s) if self._took_s else None
        left = 0.0 if over else None if usual is None else max(usual - (time.monotonic() - start), 0.0)
        progress(Step(done, STEPS, what, left))


def laid(job: Job) -> tuple[str, ...]:
    """What of the photo lies in the service's files for this job."""
    kept = job.detail.get("laid", ())
    return tuple(str(one) for one in kept) if isinstance(kept, list | tuple) else ()
