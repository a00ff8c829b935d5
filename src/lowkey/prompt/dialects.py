"""The dialects: a data file each, and a small module that speaks it.

A dialect file is data and may come from a stranger: known keys only, a size limit, no paths. It names one of the speakers
below, so a new model that takes plain sentences needs a file and no code. docs/dialects.md shows one being added.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowkey.errors import Bug, LookError
from lowkey.prompt import layout
from lowkey.prompt.clauses import ROLES, Manner
from lowkey.prompt.lexicon import FOLDER, table
from lowkey.prompt.reading import read_text

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.words import Words

SPEAKERS = ("flux2", "kontext", "flux3", "midjourney", "openai", "plain")
"""The modules of this room that speak a dialect."""
_REGISTERS = ("short", "full", "edit")
_SIDES = ("cheek", "half", "at", "to", "edge")
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "speaks": str,
    "default": str,
    "negations": bool,
    "holds_identity": bool,
    "references": int,
    "source": str,
    "encoder": str,
    "tokens": int,
    "characters": int,
    "words": list,
    "notes": list,
    "names": dict,
    "sides": dict,
    "parameters": dict,
    "form": dict,
    "phrases": dict,
    "summary": dict,
    "no": dict,
}
_NEEDED = ("title", "speaks", "default", "negations", "references", "names", "sides", "form")
_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Dialect:
    """How one model is spoken to."""

    name: str
    form: str
    """Which of its forms: prose or json, edit or caption, v7 or v6."""
    data: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def spec(self) -> str:
        """Name and form: ``flux2:json``."""
        return f"{self.name}:{self.form}"

    @property
    def shape(self) -> Mapping[str, Any]:
        """The table of its form."""
        shape: Mapping[str, Any] = self.data["form"][self.form]
        return shape

    @property
    def manner(self) -> Manner:
        data = self.data
        return Manner(self.shape["register"], data["sides"], data["names"], data.get("phrases", {}), data["negations"])

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters, with {width} and the like still in them."""
        parameters: Mapping[str, Any] = self.data.get("parameters", {})
        return parameters

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user must know."""
        return tuple(self.data.get("notes", ()))

    @property
    def references(self) -> int:
        """How many pictures it takes."""
        return int(self.data["references"])

    def speak(self, ask: Ask) -> Words:
        """Say a look in this dialect."""
        speaker: Callable[[Ask, Dialect], Words] = import_module(f"lowkey.prompt.{self.data['speaks']}").speak
        return speaker(ask, self)


@cache
def names() -> tuple[str, ...]:
    """The dialects that ship with lowkey."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def forms(name: str) -> tuple[str, ...]:
    """The forms of one dialect, its default first."""
    data = _shipped(name)
    return tuple(sorted(data["form"], key=lambda form: form != data["default"]))


def specs() -> tuple[str, ...]:
    """Every dialect in every form: ``flux2:prose``, ``flux2:json``, ..."""
    return tuple(f"{name}:{form}" for name in names() for form in forms(name))


def find(spec: str) -> Dialect:
    """A dialect by name, by name and form, or from a .toml file: ``flux2``, ``flux2:json``, ``mine.toml``, ``mine.toml:edit``."""
    stem, colon, form = spec.rpartition(":")
    if not colon or form.casefold().endswith(".toml"):
        stem, form = spec, ""
    if stem.casefold().endswith(".toml"):
        return from_toml(read_text(Path(stem), _LARGEST_BYTES, "a dialect file"), Path(stem).stem, form)
    name = stem.strip().casefold()
    if name not in names():
        known = ", ".join(names())
        said = f'no dialect is called "{spec[:60]}". The dialects are: {known}'
        raise LookError("unknown-dialect", f"{said}; or a dialect file ending in .toml.")
    return _in_form(name, _shipped(name), form.strip().casefold())


def from_toml(text: str, name: str, form: str = "") -> Dialect:
    """A dialect from the text of a dialect file, tried out in each of its forms."""
    data = _checked(text, name)
    for each in data["form"]:
        _try_out(Dialect(name, each, data))
    return _in_form(name, data, form)


@cache
def _shipped(name: str) -> Mapping[str, Any]:
    return _checked((FOLDER / f"{name}.toml").read_text("utf-8"), name)


def _in_form(name: str, data: Mapping[str, Any], form: str) -> Dialect:
    form = form or data["default"]
    if form not in data["form"]:
        raise LookError("unknown-dialect", f'{name} has no form "{form[:40]}"; it has: {", ".join(data["form"])}')
    return Dialect(name, form, data)


def _checked(text: str, name: str) -> Mapping[str, Any]:
    """The data of a dialect file, looked through so that a stranger's mistake is told in words."""

    def refuse(why: str) -> LookError:
        return LookError("bad-dialect", f"dialect {name[:60]}: {why}")

    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise refuse(f"it is not TOML: {str(error) or 'nested too deep'}") from None
    if missing := [key for key in _NEEDED if key not in data]:
        raise refuse(f'it lacks "{missing[0]}"')
    for key, value in data.items():
        if key not in _KEYS:
            raise refuse(f'a dialect has no "{key[:40]}"; it has: {", ".join(_KEYS)}')
        if not isinstance(value, _KEYS[key]) or (_KEYS[key] is int and isinstance(value, bool)):
            raise refuse(f"{key} is of the wrong kind")
    if data["speaks"] not in SPEAKERS:
        raise refuse(f'it speaks "{data["speaks"][:40]}"; the speakers are: {", ".join(SPEAKERS)}')
    if any(not isinstance(said, str) or "{" in said for said in data["names"].values()):
        raise refuse("names are plain texts")
    if "photo" not in data["names"] or (data["references"] > 1 and "guide" not in data["names"]):
        raise refuse('names needs "photo", and "guide" where more than one reference is taken')
    if lacking := [side for side in _SIDES if "{side}" not in str(data["sides"].get(side, ""))]:
        raise refuse(f'sides.{lacking[0]} is a text with {{side}} in it, such as "the frame-{{side}} cheek"')
    if data["default"] not in data["form"]:
        raise refuse(f'its default form "{data["default"][:40]}" is not among its forms')
    for form, shape in data["form"].items():
        if not isinstance(shape, dict) or shape.get("register") not in _REGISTERS:
            raise refuse(f"form.{form[:40]} needs a register: {', '.join(_REGISTERS)}")
        if not isinstance(shape.get("sentences", []), list):
            raise refuse(f"form.{form[:40]}.sentences is a list of texts")
        patterns = list(_texts([shape.get("sentences", []), shape.get("tree", {})]))
        placed = [role for pattern in patterns for role in layout.roles(pattern)]
        if unknown := [role for role in placed if role not in ROLES]:
            raise refuse(f'form.{form[:40]} places "{unknown[0]}"; the roles are: {", ".join(ROLES)}')
        if not placed:
            raise refuse(f"form.{form[:40]} places nothing: it needs sentences such as \"{{reference}}, {{pose}}.\"")
    for role, row in data.get("phrases", {}).items():
        if role not in ROLES or not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
            raise refuse(f"phrases.{role[:40]} is not a table of texts for a role")
        if "because" not in row or row.get("source") not in table("sources"):
            raise refuse(f"phrases.{role[:40]} needs a because and a source; the sources are: {', '.join(table('sources'))}")
    return data


def _try_out(dialect: Dialect) -> None:
    """Speak once with everything a look can bring, so that what the checks do not see fails at the door too."""
    from lowkey.look import Look
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.remedies import read

    look = Look(mood="calm", rig=(("exposure_ev", -1.0),))
    for aspect in ((4, 5), (1, 1)):
        try:
            dialect.speak(Ask(look, read(("no-fill", "weave"), look), aspect, 1, "", dialect.references > 1))
        except (Bug, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            why = error.message if isinstance(error, Bug) else f"{type(error).__name__} {error}"
            raise LookError("bad-dialect", f"dialect {dialect.spec[:60]} cannot be spoken: {why[:200]}") from None


def _texts(value: Any) -> list[str]:
    """Every text in nested data."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
