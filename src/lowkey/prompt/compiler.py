"""One look, any dialect: `compile`."""

from __future__ import annotations

import re
from itertools import product
from math import gcd
from typing import Any

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import VARIABLES, Look
from lowkey.prompt import dialects, remedies
from lowkey.prompt.ask import Ask
from lowkey.prompt.dialects import Dialect
from lowkey.prompt.words import Words
from lowkey.spec import Remedy as MeterRemedy

_TALLEST = 3
"""Times as tall as wide: what every model still draws."""
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")


def compile(
    look: Look,
    dialect: str | Dialect,
    remedies: tuple[str | MeterRemedy, ...] = (),
    *,
    aspect: tuple[int, int] = (4, 5),
    seed: int | None = None,
    reference: str = "",
    guide: bool = False,
) -> Words:
    """Say a look in a model's own words.

    `dialect` is a name with or without a form (``"flux2"``, ``"flux2:json"``), a dialect file, or a `Dialect`. `remedies` are
    names such as ``"no-fill"``, or the meter's own (`lowkey.spec.Remedy`); ``"no-fill:literal"`` and ``"no-fill:positive"``
    choose the form. `aspect` is width to height,
    never wider than tall. `reference` is the web address of the photo where a dialect takes one; `guide` says that the darkroom's
    frame goes along as a second picture. Left and right are the viewer's, in the look and in the text.
    """
    spoken = dialect if isinstance(dialect, Dialect) else dialects.find(dialect)
    return spoken.speak(_ask(look, spoken, remedies, aspect, seed, reference, guide))


def _ask(
    look: Look,
    dialect: Dialect,
    named: tuple[str | MeterRemedy, ...],
    aspect: tuple[int, int],
    seed: int | None,
    reference: str,
    guide: bool,
) -> Ask:
    """What was asked, checked against what the dialect takes."""
    width, height = aspect
    if not (0 < width <= 10_000 and 0 < height <= 10_000) or height > _TALLEST * width:
        said = f"an aspect is two whole numbers such as 4:5, at most {_TALLEST} times as tall as wide"
        raise LookError("bad-aspect", f"{said}, not {width}:{height}")
    if width > height:
        said = f"{width}:{height} is wider than tall and would cut the shadow off the lower face"
        raise LookError("landscape", f"{said}. Ask for 4:5, 2:3 or 1:1.")
    if seed is not None and not 0 <= seed < 2**32:
        raise LookError("bad-seed", f"a seed is a whole number from 0 to {2**32 - 1}, not {seed}")
    if reference and not _ADDRESS.fullmatch(reference):
        raise LookError("bad-reference", "the reference is a web address without spaces, starting with https://")
    if guide and dialect.references < 2:
        raise LookError("one-reference", f"{dialect.name} takes one picture, so the darkroom's frame cannot go along. Use flux2 or flux3.")
    common = gcd(width, height)
    return Ask(look, remedies.read(named, look), (width // common, height // common), seed, reference, guide)


def sweep(look: Look, variables: tuple[str, ...]) -> tuple[list[Look], list[str]]:
    """The look with every combination of the words of some variables, in the order of the vocabulary.

    Also why some were left out: a word may contradict what the look itself sets.
    """
    for variable in variables:
        if variable not in VARIABLES:
            raise LookError("unknown-word", f'no variable is called "{variable[:40]}". The variables are: {", ".join(VARIABLES)}')
    chosen = tuple(dict.fromkeys(variables))
    found: list[Look] = []
    left_out: list[str] = []
    for combination in product(*(looks.words(variable) for variable in chosen)):
        try:
            changed: dict[str, Any] = {variable: word.word for variable, word in zip(chosen, combination, strict=True)}
            found.append(look.but(**changed))
        except LookError as error:
            left_out.append(error.message)
    return found, left_out
