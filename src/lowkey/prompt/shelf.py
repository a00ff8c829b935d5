"""The looks on the shelf: the curated ones that ship with lowkey, and look files of anybody's.

What a look may hold is `lowkey.look`'s to say; here is how one is found, named, compared, and which prompt the house gives it.
"""

from __future__ import annotations

import re
from pathlib import Path

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import VARIABLES, Look
from lowkey.prompt.reading import read_text

FOLDER = Path(__file__).parent.parent / "data" / "looks"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def find(name_or_file: str) -> Look:
    """A look by name, or from a .toml or .json file that is a regular file of a bounded size."""
    path = Path(name_or_file)
    if name_or_file in looks.names() or path.suffix.lower() not in (".toml", ".json"):
        return looks.find(name_or_file)
    read = looks.from_json if path.suffix.lower() == ".json" else looks.from_toml
    return read(read_text(path, what="a look file"), path.name)


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
    fields = [*VARIABLES, "stock", "title", "mood", "avoid", "tags", "use"]
    found = [(name, _shown(getattr(one, name)), _shown(getattr(other, name))) for name in fields]
    numbers = sorted({*one.overrides, *other.overrides})
    found += [(f"rig.{name}", _number(one, name), _number(other, name)) for name in numbers]
    return [(name, left, right) for name, left, right in found if left != right]


def _shown(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _number(look: Look, name: str) -> str:
    return f"{look.overrides[name]:g}" if name in look.overrides else ""
