"""The five variables of a look, their vocabulary, and look files.

A variable is one of its words, in any case and spacing, or numbers. A `Look` holds each variable in its canonical spelling,
so two looks that mean the same are equal. The words are data (``data/*.toml``); what they do in numbers stands beside them
there and is read by `rig`.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from lowkey.errors import Bug, LookError

VARIABLES = ("light", "background", "clothing", "pose", "flare")

_TABLES = {
    "light": "lights",
    "background": "backdrops",
    "clothing": "cloths",
    "pose": "poses",
    "flare": "flares",
}
_LONGEST_TEXT = 200
_MOST_LABELS = 24


@dataclass(frozen=True)
class Numbers:
    """The numeric form of a variable: how many, in which ranges, and how to say it."""

    form: str
    example: str
    ranges: tuple[tuple[float, float], ...]
    least: int
    """How many of them must be given; the rest may be left out."""
    slug: str


NUMBERS = {
    "light": Numbers(
        "azimuth,elevation[,radius] in degrees (azimuth + is the viewer's right)",
        "95,18",
        ((-180, 180), (-90, 90), (0.1, 30)),
        2,
        "az{}el{}r{}",
    ),
    "background": Numbers("motes on a square of one frame height", "400", ((0, 5000),), 1, "motes{}"),
    "clothing": Numbers("the reflectance the person's own clothes are brought to, 0 to 1", "0.04", ((0, 1),), 1, "cloth{}"),
    "pose": Numbers(
        "yaw,pitch of the head in degrees (yaw + to the viewer's right, pitch + up)", "20,8", ((-90, 90), (-60, 60)), 2, "yaw{}pitch{}"
    ),
    "flare": Numbers("strength, 0 none to 1 prominent", "0.5", ((0, 1),), 1, "flare{}"),
}


@dataclass(frozen=True)
class Word:
    """One word of a variable: its spelling, the short form for file names, and what it does."""

    word: str
    slug: str
    does: str
    aliases: tuple[str, ...]
    mirrored: bool
    """True for the other side's form: the values are those of the first form, left and right exchanged."""
    values: Mapping[str, Any] = field(compare=False, hash=False, repr=False)
    """What the word is in numbers, as its table says."""


@dataclass(frozen=True)
class Term:
    """One variable of a look, understood: a word, or numbers."""

    text: str
    """Canonical spelling."""
    slug: str
    """For file names: a-z, 0-9, hyphen, and p for a decimal point."""
    word: Word | None
    numbers: tuple[float, ...] = ()


@cache
def table(name: str) -> Mapping[str, Any]:
    """One of the tables that ship with lowkey, as read from ``data/<name>.toml``."""
    with (Path(__file__).parent / "data" / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def words(variable: str) -> tuple[Word, ...]:
    """The vocabulary of a variable, mirrored forms included; the first word is the house look's own."""
    numbers = table(_TABLES[variable])
    found: list[Word] = []
    for text, row in table("words")[variable].items():
        found.append(Word(text, row["slug"], row["does"], tuple(row["aliases"]), False, numbers[text]))
        if mirror := row.get("mirror"):
            other = _swap_sides(row["does"])
            found.append(Word(mirror["word"], mirror["slug"], other, tuple(mirror["aliases"]), True, numbers[text]))
    return tuple(found)


def parse(variable: str, text: str) -> Term:
    """Understand one variable: a word in any case and spacing, or numbers. Unknown ones are a `LookError`."""
    if len(text) > _LONGEST_TEXT or not _printable(text):
        raise LookError("unknown-word", f"{variable}: not a word: {text[:40]!r} ... {_choices(variable)}")
    spoken = _plain(text)
    if (word := _index(variable).get(spoken)) is not None:
        return Term(word.word, word.slug, word)
    if (numbers := _numbers(text)) is not None:
        return _measured(variable, numbers)
    import difflib

    near = difflib.get_close_matches(spoken, list(_index(variable)), n=1, cutoff=0.7)
    hint = f'; did you mean "{_index(variable)[near[0]].word}"?' if near else "."
    raise LookError("unknown-word", f'no {variable} is called "{text}"{hint} {_choices(variable)}')


def other_side(light: str) -> str | None:
    """The same light from the other side, in its canonical spelling; None for one that has no other side."""
    term = parse("light", light)
    if term.word is None:
        return _join((-term.numbers[0] + 0.0, *term.numbers[1:])) if abs(term.numbers[0]) not in (0.0, 180.0) else None
    twins = (one for one in words("light") if one.values is term.word.values and one.mirrored != term.word.mirrored)
    return next((one.word for one in twins), None)


def _choices(variable: str) -> str:
    numbers = NUMBERS[variable]
    listed = ", ".join(word.word for word in words(variable))
    return f"The words are: {listed}; or numbers, for example {numbers.example}: {numbers.form}."


@cache
def _index(variable: str) -> Mapping[str, Word]:
    """Every spelling of every word, plain, to its word. A spelling that means two words is our bug."""
    index: dict[str, Word] = {}
    for word in words(variable):
        for spelling in (word.word, word.slug, *word.aliases):
            if index.setdefault(_plain(spelling), word) != word:
                raise Bug("vocabulary", f"{variable}: {spelling!r} means both {index[_plain(spelling)].word!r} and {word.word!r}")
    return index


def _plain(text: str) -> str:
    """Case, hyphens, commas and spacing do not tell words apart."""
    return re.sub(r"[\s\-_,]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _swap_sides(text: str) -> str:
    return re.sub(r"\b(left|right)\b", lambda side: "right" if side[0] == "left" else "left", text)


def _printable(text: str) -> bool:
    return all(unicodedata.category(sign)[0] != "C" for sign in text)


def _numbers(text: str) -> tuple[float, ...] | None:
    parts = text.replace("°", "").split(",")
    if len(parts) > 3 or not all(re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", part, re.ASCII) for part in parts):
        return None
    return tuple(float(part) + 0.0 for part in parts)  # + 0.0: no minus zero


def _measured(variable: str, numbers: tuple[float, ...]) -> Term:
    known = NUMBERS[variable]
    if not known.least <= len(numbers) <= len(known.ranges):
        raise LookError("number-out-of-range", f"{variable} takes {known.form}, for example {known.example}; given: {_join(numbers)}")
    if variable == "light" and 180 < numbers[0] <= 360:
        numbers = (numbers[0] - 360, *numbers[1:])  # a full circle is understood too
    for value, (low, high) in zip(numbers, known.ranges, strict=False):
        if not low <= value <= high:
            said = f"{variable} {_join(numbers)}: {_short(value)} is outside {_short(low)} to {_short(high)}"
            raise LookError("number-out-of-range", f"{said}. It takes {known.form}, for example {known.example}.")
    slots = re.findall(r"[a-z]+", known.slug)
    slug = "".join(name + _short(value).replace(".", "p") for name, value in zip(slots, numbers, strict=False))
    return Term(_join(numbers), slug, None, numbers)


def _short(value: float) -> str:
    return format(round(value, 4) + 0.0, ".10g")


def _join(numbers: tuple[float, ...]) -> str:
    return ",".join(_short(value) for value in numbers)


# What a look may override in the rig, with the range of each: film and light, never the person.
OVERRIDES: Mapping[str, tuple[float, float]] = {
    "exposure_ev": (-4.0, 4.0),
    "fill_ev": (-math.inf, -1.0),
    "grain_rms": (0.0, 0.06),
    "halo_radius_fh": (0.02, 0.6),
    "lamp_visible": (0, 1),
    "motes_per_fh2": (0, 5000),
}


@dataclass(frozen=True)
class Look:
    """Five words (or numbers), what they are called and what they are for, and a few numbers they override."""

    light: str = "rear-right"
    background: str = "dust motes and film grain"
    clothing: str = "dark turtleneck"
    pose: str = "as shot"
    flare: str = "prominent bright halo"
    stock: str = "tungsten-500"
    """The film it is shot on: see `stocks`."""
    title: str = ""
    tags: tuple[str, ...] = ()
    mood: str = ""
    use: tuple[str, ...] = ()
    avoid: str = ""
    """When not to use it."""
    rig: tuple[tuple[str, float], ...] = ()
    """Overrides, sorted by name: see `OVERRIDES`."""

    def __post_init__(self) -> None:
        for variable in VARIABLES:
            object.__setattr__(self, variable, parse(variable, getattr(self, variable)).text)
        object.__setattr__(self, "stock", _stock(self.stock))
        object.__setattr__(self, "tags", tuple(self.tags))
        object.__setattr__(self, "use", tuple(self.use))
        object.__setattr__(self, "rig", tuple(sorted((name, _override(name, value)) for name, value in dict(self.rig).items())))
        if max(len(self.tags), len(self.use)) > _MOST_LABELS:
            raise LookError("bad-look-file", f"a look has at most {_MOST_LABELS} tags and as many uses")
        for text in (self.title, self.mood, self.avoid, *self.tags, *self.use):
            if len(text) > _LONGEST_TEXT or not _printable(text):
                said = f"title, mood, avoid, tags and use are plain text of at most {_LONGEST_TEXT} signs"
                raise LookError("bad-look-file", f"{said}: {text[:40]!r}")
        _check_contradictions(self)

    def term(self, variable: str) -> Term:
        """One variable, understood."""
        return parse(variable, getattr(self, variable))

    @property
    def overrides(self) -> Mapping[str, float]:
        return dict(self.rig)

    def but(self, *, rig: Mapping[str, float | None] | None = None, **variables: str | None) -> Look:
        """This look with some variables and overrides changed; None leaves one as it is."""
        changed: dict[str, Any] = {name: text for name, text in variables.items() if text is not None}
        numbers = {name: value for name, value in (rig or {}).items() if value is not None}
        return replace(self, rig=tuple({**self.overrides, **numbers}.items()), **changed)


def stocks() -> tuple[str, ...]:
    """The film stocks by name, the house look's own first."""
    return tuple(table("stocks"))


def _stock(text: str) -> str:
    """The stock of that name in any case and spacing."""
    named = {_plain(name): name for name in stocks()}
    if len(text) > _LONGEST_TEXT or (name := named.get(_plain(text))) is None:
        raise LookError("unknown-word", f'no film stock is called "{text[:40]}". The stocks are: {", ".join(stocks())}')
    return name


def _override(name: str, value: float | bool) -> float:
    if name not in OVERRIDES:
        raise LookError("bad-look-file", f'a look cannot override "{name}"; it can: {", ".join(OVERRIDES)}')
    low, high = OVERRIDES[name]
    if isinstance(value, (bool, int, float)) and low <= value <= high:
        return float(value) + 0.0
    raise LookError("number-out-of-range", f"{name} = {value!r} is outside {low:g} to {high:g}")


def _check_contradictions(look: Look) -> None:
    """Words that cannot both be true are refused, with the way out."""
    given = look.overrides
    flare, background = look.term("flare"), look.term("background")
    lamp = given.get("lamp_visible")
    wrong = ""
    if lamp == 1 and (flare.slug == "no-flare" or flare.numbers == (0.0,)):
        wrong = f'flare "{flare.text}" hides the lamp, and lamp_visible asks for it. Choose "clean backlight", or drop one.'
    elif lamp == 0 and flare.slug in ("halo", "anamorphic"):
        wrong = f'flare "{flare.text}" comes from the lamp, and lamp_visible = false hides it. Choose "no flare", or drop one.'
    elif background.slug == "dust" and given.get("motes_per_fh2") == 0:
        wrong = f'background "{background.text}" without motes is a plain black void. Choose another, or drop motes_per_fh2 = 0.'
    if wrong:
        raise LookError("contradiction", wrong)


# Look files: data from strangers. Known keys only, a size limit, a version, and nothing that names a path.

VERSION = 1
_LARGEST_BYTES = 64 * 1024
_TEXTS = (*VARIABLES, "title", "mood", "avoid")
_OWN = (*_TEXTS, "stock")
_LISTS = ("tags", "use")


def from_toml(text: str, name: str = "the look") -> Look:
    """A look from the text of a TOML look file; `name` is what messages call it."""
    _check_size(text, name)
    try:
        return _from_mapping(tomllib.loads(text), name)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise LookError("bad-look-file", f"{name} is not TOML: {str(error) or 'nested too deep'}") from None


def from_json(text: str, name: str = "the look") -> Look:
    """A look from the text of a JSON look file."""
    _check_size(text, name)
    try:
        return _from_mapping(json.loads(text), name)
    except (ValueError, RecursionError) as error:
        raise LookError("bad-look-file", f"{name} is not JSON: {str(error) or 'nested too deep'}") from None


def to_mapping(look: Look) -> dict[str, Any]:
    """The look as plain data, as look files and records hold it. Empty fields are left out."""
    data: dict[str, Any] = {"lowkey_look": VERSION, **{name: getattr(look, name) for name in _TEXTS if getattr(look, name)}}
    if look.stock != stocks()[0]:
        data["stock"] = look.stock
    data |= {name: list(getattr(look, name)) for name in _LISTS if getattr(look, name)}
    if look.rig:
        data["rig"] = {name: _said(name, value) for name, value in look.rig}
    return data


def to_json(look: Look) -> str:
    return json.dumps(to_mapping(look), ensure_ascii=False, indent=2) + "\n"


def to_toml(look: Look) -> str:
    # A TOML basic string without control characters is written as a JSON string is.
    data = to_mapping(look)
    rig = data.pop("rig", {})
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in data.items()]
    if rig:
        lines += ["", "[rig]", *(f"{name} = {json.dumps(value)}" for name, value in rig.items())]
    return "\n".join(lines) + "\n"


_SHELF = Path(__file__).parent / "data" / "looks"


@cache
def names() -> tuple[str, ...]:
    """The looks that ship with lowkey, the house look first: each a look file of its own."""
    found = sorted(file.stem for file in _SHELF.glob("*.toml"))
    return ("house", *(name for name in found if name != "house"))


def find(name_or_file: str | Path) -> Look:
    """A look by its name, or from a .toml or .json file."""
    text = str(name_or_file)
    file = _SHELF / f"{text}.toml" if text in names() else Path(text)
    if file.suffix.lower() not in (".toml", ".json"):
        known = ", ".join(names())
        raise LookError("unknown-look", f'no look is called "{text}". The looks are: {known}; or a look file ending in .toml or .json.')
    try:
        if file.exists() and not file.is_file():  # a pipe would wait for ever
            raise LookError("bad-look-file", f"{file} is not a file a look can be read from")
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_BYTES + 1)
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise LookError("bad-look-file", f"{file.name} is not UTF-8 text") from None
    except OSError as error:
        raise LookError("bad-look-file", f"{file} cannot be read: {error.strerror or error}") from None
    except ValueError:  # a null character, or half of a surrogate pair
        raise LookError("bad-look-file", f"{text[-60:]!a} is no name a file can have") from None
    return from_json(content, file.name) if file.suffix.lower() == ".json" else from_toml(content, file.name)


def _check_size(text: str, name: str) -> None:
    if len(text.encode("utf-8", "replace")) > _LARGEST_BYTES:
        raise LookError("bad-look-file", f"{name} is larger than a look can be ({_LARGEST_BYTES // 1024} KB)")


def _from_mapping(data: Any, name: str) -> Look:
    if not isinstance(data, Mapping):
        raise LookError("bad-look-file", f"{name} does not hold a look: it needs keys such as light and background")
    version = data.get("lowkey_look", VERSION)
    if version != VERSION or isinstance(version, bool):
        raise LookError("newer-look", f"{name} is of look version {version!r}; this lowkey reads version {VERSION}. Update lowkey.")
    if unknown := sorted(str(key) for key in data.keys() - {"lowkey_look", "rig", *_OWN, *_LISTS}):
        known = ", ".join((*_OWN, *_LISTS, "rig"))
        raise LookError("bad-look-file", f'{name}: a look has no "{unknown[0][:40]}"; it has: {known}')
    for key in _OWN:
        if not isinstance(data.get(key, ""), str):
            raise LookError("bad-look-file", f"{name}: {key} is text in quotes, not {data[key]!r:.40}")
    for key in _LISTS:
        labels = data.get(key, [])
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise LookError("bad-look-file", f'{name}: {key} is a list of texts, such as ["album"]')
    numbers = data.get("rig", {})
    if not isinstance(numbers, Mapping):
        raise LookError("bad-look-file", f"{name}: rig is a table of numbers, such as fill_ev = -5")
    rig = tuple((key, -math.inf if key == "fill_ev" and value == "none" else value) for key, value in numbers.items())
    return Look(**{key: data[key] for key in (*_OWN, *_LISTS) if key in data}, rig=rig)


def _said(name: str, value: float) -> float | bool | str:
    """An override as files say it: no fill at all is "none", a switch is true or false."""
    if name == "lamp_visible":
        return bool(value)
    return "none" if value == -math.inf else value
