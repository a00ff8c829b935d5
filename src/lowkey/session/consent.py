"""What a person agreed to: where their pictures may go, which engines may have their photo, and until when.

One file a person, in the user's own data folder and readable by that user alone, because a consent is about a person and not
about one shoot. Nothing in it is ever written over: what was agreed, renewed and withdrawn stays as lines of one history.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lowkey.engines import Consent
from lowkey.errors import ConsentError, LowkeyError
from lowkey.photo import safe_stem, sweep, write_whole
from lowkey.session.files import digest, made
from lowkey.session.lock import locked

SCOPES = ("portfolio", "delivery", "prints", "advertising")
"""What pictures may be used for: the photographer's own showing, the client's own use, sale as prints, advertising."""
VERSION = 1
LARGEST_BYTES = 1_000_000


@dataclass(frozen=True)
class Agreed:
    """One line of a person's history: what was agreed on a day, or that everything was withdrawn."""

    on: str
    """ISO date."""
    scopes: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    until: str | None = None
    """The last day it holds."""
    guardian: str = ""
    """Who agreed for a person who is not of age."""
    withdrawn: bool = False


@dataclass(frozen=True)
class Person:
    """A person and everything they ever agreed to, oldest first."""

    name: str
    history: tuple[Agreed, ...]

    @property
    def now(self) -> Agreed | None:
        """What holds: the last line, unless it withdrew or has ended."""
        last = self.history[-1] if self.history else None
        if last is None or last.withdrawn or (last.until is not None and last.until < today().isoformat()):
            return None
        return last


def folder() -> Path:
    """``$LOWKEY_DATA/consents``, else ``lowkey/consents`` in the user's data."""
    if given := os.environ.get("LOWKEY_DATA"):
        return Path(given) / "consents"
    import platformdirs

    return Path(platformdirs.user_data_path("lowkey")) / "consents"


def today() -> datetime.date:
    """The day, never earlier than one that was seen before: a clock set back does not bring an ended consent to life."""
    now = datetime.date.today()
    file = folder() / "day"
    seen = now
    with suppress(OSError, ValueError):
        seen = datetime.date.fromisoformat(file.read_text("ascii")[:10])
    if now > seen or (now == seen and not file.exists()):
        with suppress(OSError, LowkeyError):
            if folder().is_dir():
                write_whole(file, now.isoformat().encode())
    # A clock that once ran years ahead must not end every consent for good.
    return seen if now < seen <= now + datetime.timedelta(days=400) else now


def agree(
    person: str, *, scopes: Sequence[str] = (), engines: Sequence[str] = (), until: str | None = None, guardian: str = ""
) -> Person:
    """Note what a person agreed to. It stands instead of what was agreed before. Raises ConsentError `bad-consent`."""
    name = _name(person)
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ConsentError("bad-consent", f'no scope is called "{unknown[0][:40]}"; they are: {", ".join(SCOPES)}')
    if not scopes and not engines:
        raise ConsentError("bad-consent", f"say what {name} agreed to: --scope {'|'.join(SCOPES)}, or --engine NAME")
    if wrong := [one for one in engines if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", one)]:
        raise ConsentError("bad-consent", f'an engine is called by its name, such as darkroom, not "{wrong[0][:40]}"')
    if until is not None:
        try:
            last = datetime.date.fromisoformat(until)
        except ValueError:
            raise ConsentError("bad-consent", f'--until takes a day such as 2027-12-31, not "{until[:40]}"') from None
        if last < today():
            raise ConsentError("bad-consent", f"{until} has passed: a consent ends on a day to come")
    line = Agreed(today().isoformat(), tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(engines)), until, _plain(guardian)[:120])
    return _add(name, line)


def withdraw(person: str) -> Person:
    """Note that a person took everything back. Raises ConsentError `no-consent` when there is nothing to take back."""
    name = _name(person)
    if not of_person(name).history:
        raise ConsentError("no-consent", f"nothing is on record that {name} agreed to; `lowkey consent` lists who did")
    return _add(name, Agreed(today().isoformat(), withdrawn=True))


def of_person(person: str) -> Person:
    """A person's history; empty when nothing is on record. Raises ConsentError `bad-consent` for a file that cannot be read."""
    name = _name(person)
    file = _file(name)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ValueError("it is larger than a history can be")
        return _read(json.loads(file.read_bytes()), name)
    except FileNotFoundError:
        return Person(name, ())
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        text = f"the consent of {name} cannot be read ({str(error)[:80]}), so it counts as none"
        raise ConsentError("bad-consent", f"{text}; mend or remove {file}, and record it again") from None


def everyone() -> list[Person]:
    """Everybody of whom something is on record, by name."""
    people = []
    for file in sorted(folder().glob("*.json")) if folder().is_dir() else []:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError, LowkeyError):
            people.append(of_person(json.loads(file.read_bytes())["person"]))
    return sorted(people, key=lambda one: one.name.casefold())


def for_engines(person: str) -> Consent | None:
    """A person's consent as engines ask for it; None when nothing holds."""
    found = of_person(person)
    last = found.history[-1] if found.history else None
    if last is None or last.withdrawn:
        return None
    until = datetime.date.fromisoformat(last.until) if last.until else None
    return Consent(found.name, frozenset(last.engines), until)


def forget(person: str) -> list[Path]:
    """The files of a person's consent, for who removes them."""
    file = _file(_name(person))
    return [file] if file.exists() else []


def _add(name: str, line: Agreed) -> Person:
    place = made(folder())
    with suppress(OSError):
        place.chmod(0o700)
    with locked(place, "consents"):
        sweep(place)
        history = (*of_person(name).history, line)
        page = {"lowkey_consent": VERSION, "person": name, "history": [asdict(one) for one in history]}
        write_whole(_file(name), (json.dumps(page, ensure_ascii=False, indent=1) + "\n").encode())
    return Person(name, history)


def _read(told: Any, name: str) -> Person:
    if told["lowkey_consent"] != VERSION:
        raise ValueError(f"it is of version {told['lowkey_consent']!r:.20}, and this lowkey reads {VERSION}")
    if _key(told["person"]) != _key(name):
        raise ValueError("it is another person's")
    lines = []
    for one in told["history"]:
        until = one["until"]
        if until is not None:
            datetime.date.fromisoformat(until)
        if type(one["withdrawn"]) is not bool:
            raise ValueError("withdrawn is true or false")
        texts = [str(one["on"]), *(str(part) for part in (*one["scopes"], *one["engines"]))]
        datetime.date.fromisoformat(texts[0])
        scopes, engines = tuple(map(str, one["scopes"])), tuple(map(str, one["engines"]))
        lines.append(Agreed(texts[0], scopes, engines, until, str(one["guardian"]), one["withdrawn"]))
    return Person(str(told["person"]), tuple(lines))


def _name(person: str) -> str:
    name = _plain(person)
    if not 0 < len(name) <= 120:
        raise ConsentError("bad-consent", "a person is called by a name of 1 to 120 signs")
    return name


def _plain(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in unicodedata.normalize("NFC", text)).split())


def _key(name: str) -> str:
    """Case and spacing do not tell people apart."""
    return unicodedata.normalize("NFKC", _plain(name)).casefold()


def same(one: str, other: str) -> bool:
    return _key(one) == _key(other)


def _file(name: str) -> Path:
    return folder() / f"{safe_stem(_key(name) + '.x')[:60]}-{digest(_key(name).encode())[:12]}.json"
