"""The looks on the shelf: the curated ones that ship with lowkey, and look files of anybody's.

A card is a look and the sentence that says when not to use it. Files are data only: known keys, a size limit, a version, no paths.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import VARIABLES, Look
from lowkey.prompt.reading import check_size, read_text, unseen

FOLDER = Path(__file__).parent.parent / "data" / "looks"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LONGEST_AVOID = 200


@dataclass(frozen=True)
class Card:
    """A look on the shelf."""

    name: str
    look: Look
    avoid: str = ""
    """When not to use it."""


@cache
def names() -> tuple[str, ...]:
    """The looks that ship with lowkey, the house look first."""
    found = {path.stem for path in FOLDER.glob("*.toml")} | set(looks.names())
    return tuple(sorted(found, key=lambda name: (name != "house", name)))


def find(name_or_file: str) -> Card:
    """A look by name, or from a .toml or .json file."""
    if name_or_file in names():
        shipped = FOLDER / f"{name_or_file}.toml"
        return read(shipped.read_text("utf-8"), name_or_file) if shipped.exists() else Card(name_or_file, looks.find(name_or_file))
    path = Path(name_or_file)
    if path.suffix.lower() not in (".toml", ".json"):
        known = ", ".join(names())
        said = f'no look is called "{name_or_file[:60]}". The looks are: {known}'
        raise LookError("unknown-look", f"{said}; or a look file ending in .toml or .json.")
    return read(read_text(path, what="a look file"), path.stem, json_text=path.suffix.lower() == ".json")


def read(text: str, name: str, *, json_text: bool = False) -> Card:
    """A card from the text of a look file."""
    check_size(text, "a look file")
    data = _parsed(text, name, json_text)
    avoid = data.pop("avoid", "")
    if not isinstance(avoid, str) or len(avoid) > _LONGEST_AVOID or unseen(avoid) or "\n" in avoid:
        raise LookError("bad-look-file", f"{name}: avoid is one line of text of at most {_LONGEST_AVOID} signs")
    # The look itself is read by `look`, which knows its keys, kinds and ranges; only this one key is ours.
    try:
        return Card(name, looks.from_json(json.dumps(data), name), avoid)
    except TypeError:
        raise LookError("bad-look-file", f"{name}: a look holds texts, lists of texts and numbers only") from None


def _parsed(text: str, name: str, json_text: bool) -> dict[str, Any]:
    kind = "JSON" if json_text else "TOML"
    try:
        data = json.loads(text) if json_text else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LookError("bad-look-file", f"{name} is not {kind}: {str(error) or 'nested too deep'}") from None
    if not isinstance(data, Mapping):
        raise LookError("bad-look-file", f"{name} does not hold a look: it needs keys such as light and background")
    return dict(data)


def to_toml(card: Card) -> str:
    """The card as a look file; `read` gives it back."""
    text = looks.to_toml(card.look)
    if not card.avoid:
        return text
    head, rig, numbers = text.partition("\n[rig]\n")
    return f"{head}avoid = {json.dumps(card.avoid, ensure_ascii=False)}\n{rig}{numbers}"


def check_name(name: str) -> str:
    """A name for a new look: what a file may be called on any system."""
    if not _NAME.fullmatch(name):
        raise LookError("bad-look-name", f'"{name[:40]}" cannot name a look: a-z, 0-9 and hyphens, at most 40 signs, such as "quiet-hour"')
    return name


def house_prompt() -> str:
    """The house look's full prompt, with the five tokens in it."""
    return (FOLDER / "house.txt").read_text("utf-8")


def differences(one: Look, other: Look) -> list[tuple[str, str, str]]:
    """What tells two looks apart: the field, and what each says."""
    fields = [*VARIABLES, "title", "mood", "tags", "use"]
    found = [(name, _shown(getattr(one, name)), _shown(getattr(other, name))) for name in fields]
    numbers = sorted({*one.overrides, *other.overrides})
    found += [(f"rig.{name}", _number(one, name), _number(other, name)) for name in numbers]
    return [(name, left, right) for name, left, right in found if left != right]


def _shown(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _number(look: Look, name: str) -> str:
    return f"{look.overrides[name]:g}" if name in look.overrides else ""
