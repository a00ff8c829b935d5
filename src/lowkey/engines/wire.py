"""HTTP with care: every answer is bounded in bytes and in time, and a key goes to the hosts that may have it, to no other.

A request has one deadline from connect to last byte, so that a server which drips cannot hold a take. Redirects are never
followed with a key. What a service says is shown in one short printable line, without the key. No error here has a cause or a
context: an exception of the HTTP library carries the request, and the request carries the key.
"""

from __future__ import annotations

import datetime
import email.utils
import fnmatch
import ipaddress
import json
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from lowkey.engines.contract import Cancel, stop_if
from lowkey.engines.keys import Key
from lowkey.errors import EngineError, PhotoError
from lowkey.photo import decode
from lowkey.pixels import U8, U16

if TYPE_CHECKING:
    import httpx

EXTRA = "pip install 'lowkey[remote]'"
CONNECT_S, READ_S, REQUEST_S = 10.0, 30.0, 60.0
"""Seconds to connect, between two pieces of an answer, and for one request as a whole."""
LARGEST_JSON = 4 << 20
LARGEST_PICTURE = 64 << 20
MOST_MEGAPIXELS = 40.0
MOST_HOPS = 3
PICTURES = ("image/png", "image/jpeg", "image/webp", "application/octet-stream", "binary/octet-stream")


class Unsent(EngineError):
    """The service was not reached: it cannot have taken the request."""


class Unknown(EngineError):
    """The connection broke after something had been sent: whether the service took the request is not known."""


@dataclass(frozen=True)
class Answer:
    """One whole answer. Its repr shows the status alone: a service may say a key back, and gives signed addresses."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    data: bytes = field(repr=False)

    def json(self) -> Any:
        """The answer as JSON; None when it is none."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.data)
        return None

    @property
    def mapping(self) -> dict[str, Any]:
        """The answer as a JSON object; empty when it is none."""
        said = self.json()
        return said if isinstance(said, dict) else {}


def installed() -> bool:
    return find_spec("httpx") is not None


def library() -> Any:
    """httpx, loaded when it is first used. Raises EngineError `missing-package`."""
    if not installed():
        raise EngineError("missing-package", f"a remote engine needs httpx, which is not installed: {EXTRA}")
    import httpx

    _hush()
    return httpx


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone: nothing is resolved."""
    if host.rstrip(".").casefold() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False


def checked_url(url: str, what: str, *, plain: bool = False) -> str:
    """A base address without a slash at its end: https anywhere, http on this machine only, or anywhere where `plain` is allowed.
    Raises EngineError `bad-option`.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    clear = parts.scheme == "http" and (plain or is_loopback(host))
    if not host or not (parts.scheme == "https" or clear) or parts.username or parts.password or parts.query or parts.fragment:
        said = f"{what} is an address such as https://example.org, without user, password or query"
        said += "" if plain else "; http only on this machine"
        raise EngineError("bad-option", said)
    return url.strip().rstrip("/")


def host_of(url: str) -> str:
    """Host, and port where it is not the usual one: what may be told and recorded of an address."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


class Wire:
    """HTTP to one service."""

    def __init__(
        self, service: str, *, key: Key | None = None, header: str = "", prefix: str = "", hosts: tuple[str, ...] = (), plain: bool = False
    ) -> None:
        """`header` carries the key, after `prefix`, to `hosts` alone: names such as ``*.bfl.ai`` or ``127.0.0.1:8188``. `plain`
        allows http beyond this machine, to a service that takes no key.
        """
        self.service, self._key, self._hosts, self._plain = service, key, hosts, plain and key is None
        self._header, self._prefix = header, prefix

    def may_have_key(self, url: str) -> bool:
        """Whether the key may go to this address: https (or this machine), and one of the hosts."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").casefold(), parts.port
        except ValueError:
            return False
        clear = parts.scheme == "http" and (self._plain or is_loopback(host))
        if parts.username or parts.password or not (parts.scheme == "https" or clear):
            return False
        named = f"{host}:{port}" if port and not (parts.scheme == "https" and port == 443) else host
        return any(fnmatch.fnmatchcase(named, allowed) for allowed in self._hosts)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        files: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = LARGEST_JSON,
        within_s: float = REQUEST_S,
    ) -> Answer:
        """One request with the key, its whole answer. Raises EngineError: foreign-host, Unsent (unreachable), Unknown (unreachable,
        timed-out, odd-answer). A redirect is an odd answer.
        """
        if not self.may_have_key(url):
            said = f"{self.service} names {host_of(url)[:80]} as the place to ask, which is not one of its own hosts"
            raise EngineError("foreign-host", f"{said} ({', '.join(self._hosts)}): the key stays here")
        answer = self._request(
            method, url, auth=self._signed(), json=body, files=files, data=fields, headers=headers, most=most_bytes, within_s=within_s
        )
        if 300 <= answer.status < 400:
            said = f"{self.service} sends the request elsewhere (status {answer.status})"
            raise Unknown("odd-answer", f"{said}; nothing follows it with a key")
        return answer

    def fetch(self, url: str, *, most_bytes: int = LARGEST_PICTURE, within_s: float = 2 * REQUEST_S) -> Answer:
        """A picture by a signed address, without the key; a few redirects are followed, to https only."""
        for _ in range(MOST_HOPS + 1):
            parts = urlsplit(url)
            if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "") and self._at_home)):
                raise EngineError("odd-answer", f"{self.service} gives a picture's address that is not https: it is not fetched")
            answer = self._request("GET", url, most=most_bytes, within_s=within_s)
            if not 300 <= answer.status < 400:
                return answer
            url = urljoin(url, answer.headers.get("location", ""))
        raise EngineError("odd-answer", f"{self.service} sends the picture's address round in circles")

    def said(self, answer: Answer) -> str:
        """What the service says of itself, as one short line without the key."""
        return self.line(_message(answer.mapping) or answer.data[:200].decode("utf-8", "replace"))

    def line(self, text: object, most: int = 200) -> str:
        """A text as one printable line of at most `most` characters, without the key and without signed addresses."""
        line = "".join(c if c.isprintable() else " " for c in str(text))
        line = " ".join(word.split("?")[0] if "://" in word else word for word in line.split())
        line = self._key.hidden(line) if self._key else line
        return line if len(line) <= most else line[: most - 3] + "..."

    # --- one request -----------------------------------------------------------------------------------------------------

    @property
    def _at_home(self) -> bool:
        """Whether the service itself is on this machine (a server of one's own, or of a test)."""
        return any(is_loopback(host.rsplit(":", 1)[0]) for host in self._hosts)

    def _signed(self) -> Any:
        if self._key is None:
            return None
        return _auth(library())(self._key, self._header, self._prefix)

    def _request(self, method: str, url: str, *, most: int, within_s: float, auth: Any = None, **content: Any) -> Answer:
        httpx = library()
        # On this machine no proxy is asked: it would see the photo.
        own = is_loopback(urlsplit(url).hostname or "")
        waits = httpx.Timeout(READ_S, connect=CONNECT_S, pool=CONNECT_S)
        content = {name: value for name, value in content.items() if value is not None}
        watch = _Watch(within_s)
        name, host = self.service, host_of(url)
        failed: EngineError | None = None
        answer: Answer | None = None
        try:
            with (
                watch,
                httpx.Client(timeout=waits, follow_redirects=False, trust_env=not own, verify=_trust()) as client,
                client.stream(method, url, auth=auth, extensions={"trace": watch.trace}, **content) as response,
            ):
                answer = self._received(response, most, watch)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.ProxyError, httpx.InvalidURL):
            failed = Unsent("unreachable", f"{name}: {host} cannot be reached: is the address right, and is it running?")
        except httpx.TimeoutException:
            failed = Unknown("timed-out", f"{name}: {host} did not answer in time")
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
            if watch.rang:
                failed = Unknown("timed-out", f"{name}: {host} took longer than {within_s:g} s")
            else:
                failed = Unknown("unreachable", f"{name}: {host} broke off the connection")
        if failed is not None:
            # Raised here, outside of the except: no context, no request, no key.
            raise failed
        assert answer is not None
        return answer

    def _received(self, response: httpx.Response, most: int, watch: _Watch) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        declared = headers.get("content-length", "0")
        pieces: list[bytes] = []
        size = int(declared) if declared.isdigit() else 0
        got = 0
        if size <= most:
            for piece in response.iter_bytes(1 << 16):
                got += len(piece)
                pieces.append(piece)
                if got > most or watch.rang:
                    break
        if watch.rang:
            raise TimeoutError
        if max(size, got) > most:
            raise EngineError("odd-answer", f"{self.service}: the answer is larger than {most >> 20} MB and was not read")
        return Answer(response.status_code, headers, b"".join(pieces))


@cache
def _trust() -> Any:
    """The certificates that are trusted: reading them takes longer than most requests, so it is done once."""
    return library().create_ssl_context()


class _Watch:
    """Cuts a request's connection at its deadline, whatever the server is dripping meanwhile."""

    def __init__(self, within_s: float) -> None:
        self.rang = False
        self._within_s = within_s
        self._sockets: list[Any] = []

    def trace(self, event: str, about: Mapping[str, Any]) -> None:
        """Told by the HTTP library of each step; the connection is what is returned by the steps that make one."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with suppress(Exception):
                self._sockets.append(about["return_value"].get_extra_info("socket"))
            if self.rang:
                self._cut()

    def __enter__(self) -> _Watch:
        self._clock = threading.Timer(self._within_s, self._ring)
        self._clock.daemon = True
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.cancel()

    def _ring(self) -> None:
        self.rang = True
        self._cut()

    def _cut(self) -> None:
        for one in self._sockets:
            with suppress(OSError, AttributeError):
                one.shutdown(socket.SHUT_RDWR)


def _auth(httpx: Any) -> Any:
    """A signature that is on the request only while it is being sent."""

    class Signature(httpx.Auth):  # type: ignore[misc]
        def __init__(self, key: Key, header: str, prefix: str) -> None:
            self._key, self._header, self._prefix = key, header, prefix

        def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            request.headers[self._header] = self._prefix + self._key.reveal()
            try:
                yield request
            finally:
                request.headers.pop(self._header, None)

    return Signature


class _Discreet(logging.Filter):
    """Signed addresses are secrets while they last: logs get them without their query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(str(one).split("?")[0] if "://" in str(one) else one for one in record.args)
        return True


_discreet = _Discreet()


def _hush() -> None:
    logger = logging.getLogger("httpx")
    if _discreet not in logger.filters:
        logger.addFilter(_discreet)


# --- what answers mean -------------------------------------------------------------------------------------------------------


def _message(said: Mapping[str, Any]) -> str:
    """The words in an error's body, in the forms that these services use."""
    detail = said.get("detail") or said.get("error") or said.get("message") or said.get("title") or ""
    if isinstance(detail, list):
        parts = [one for one in detail[:3] if isinstance(one, dict)]
        return "; ".join(f"{'.'.join(str(at) for at in one.get('loc', ()))}: {one.get('msg', '')}" for one in parts)
    if isinstance(detail, dict):
        return str(detail.get("message") or detail.get("msg") or detail.get("type") or "")
    return str(detail)


def refusal(wire: Wire, answer: Answer) -> EngineError | None:
    """The error that a status stands for; None for a success. 429 and 5xx are here too: whoever may wait looks at those first."""
    status, name = answer.status, wire.service
    if status < 400:
        return None
    said = wire.said(answer)
    tail = f' It says: "{said}".' if said else ""
    if status in (401, 403):
        return EngineError("key-refused", f"{name} refused the key (status {status}).{tail} Look at the key and at what it may do")
    if status == 402:
        way = "Add credit, then shoot again: nothing was paid"
        return EngineError("no-credit", f"{name} has no credit left on this account (status 402).{tail} {way}")
    if status in (404, 410):
        way = "The model may be gone: choose another with --option model="
        return EngineError("not-there", f"{name} does not know this address (status {status}).{tail} {way}")
    if status == 429:
        wait = retry_after_s(answer)
        when = f" in {wait:.0f} s" if wait else " later"
        return EngineError("too-many-requests", f"{name} takes no more requests just now (status 429).{tail} Try again{when}")
    if status >= 500:
        return EngineError("service-failed", f"{name} failed (status {status}).{tail} Try again later")
    return EngineError("request-refused", f"{name} refused the request (status {status}).{tail}")


def picture(wire: Wire, answer: Answer, name: str) -> U8 | U16:
    """The picture [h, w, 3] that an answer is, decoded in photo's limited child. Raises EngineError service-failed or bad-picture."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().casefold()
    if answer.status != 200:
        raise EngineError("service-failed", f"{name}: the picture was not handed out (status {answer.status})")
    if kind not in PICTURES:
        raise EngineError("bad-picture", f"{name} sent {wire.line(kind) or 'something unnamed'} in place of a picture")
    try:
        pixels: U8 | U16 = decode(answer.data, f"the picture of {name}", max_megapixels=MOST_MEGAPIXELS).pixels
    except PhotoError as error:
        raise EngineError("bad-picture", f"{error.message} [{error.code}]") from None
    return pixels


def retry_after_s(answer: Answer) -> float | None:
    """Seconds that a service asks to wait, 0 or more; None when it does not say.

    A date is counted from the service's own clock (its Date header), so that a clock that is wrong here does no harm
    (RFC 9110, 10.2.3).
    """
    said = answer.headers.get("retry-after", "").strip() or str(answer.mapping.get("retry_after", "")).strip()
    if not said:
        return None
    with suppress(ValueError):
        seconds = float(said)
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    until = _date(said)
    if until is None:
        return None
    now = _date(answer.headers.get("date", "")) or datetime.datetime.now(datetime.UTC)
    return max((until - now).total_seconds(), 0.0)


def _date(text: str) -> datetime.datetime | None:
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        date = email.utils.parsedate_to_datetime(text)
        return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
    return None


def rest(seconds: float, cancel: Cancel | None, until: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait, asking every quarter of a second whether to stop, and not beyond `until` on the monotonic clock."""
    end = min(clock() + seconds, until)
    while (left := end - clock()) > 0:
        stop_if(cancel)
        time.sleep(min(left, 0.25))
    stop_if(cancel)
