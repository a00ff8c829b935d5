"""A prompt of your own with the five tokens in it, filled from a look.

The tokens are ``[LIGHT DIRECTION]``, ``[BACKGROUND TEXTURE]``, ``[CLOTHING DESCRIPTOR]``, ``[POSE / GAZE]`` and
``[LENS FLARE INTENSITY]``, in any order, any case and as often as you like. ``[[`` is a bracket that is meant.
"""

from __future__ import annotations

import difflib
import re

from lowkey.errors import LookError
from lowkey.look import VARIABLES, Look
from lowkey.prompt import clauses, dialects
from lowkey.prompt.reading import check_size, unseen

TOKENS = {
    "light": "LIGHT DIRECTION",
    "background": "BACKGROUND TEXTURE",
    "clothing": "CLOTHING DESCRIPTOR",
    "pose": "POSE / GAZE",
    "flare": "LENS FLARE INTENSITY",
}
"""Variable to its token."""
# Only words in brackets can be a token: boxes of numbers, links and weights of other tools are left alone.
_BRACKET = re.compile(r"\[\[|\]\]|\[([ \t]*[A-Za-z][A-Za-z /&_\-\t]{0,60})\](?!\()")
_PHOTO = "the reference photo"
_SAID = {
    ("pose", "as shot"): f"the pose and gaze of {_PHOTO}",
    ("clothing", "as worn"): f"the same clothes as in {_PHOTO}, darkened",
}
_MOST_NAMED = 8


def fill(template: str, look: Look, *, need: tuple[str, ...] = (), effects: bool = False) -> str:
    """The template with every token replaced by the look's word, or by the effect of it in a few words.

    `need` names variables that the template must have a token for. A token that is not one of the five, one that is missing, and
    a sign that cannot be seen are a `LookError` that says which and on which line.
    """
    check_size(template, "a template")
    if hidden := unseen(template):
        raise LookError("bad-template", f"line {_line(template, hidden[0])} of the template holds a sign that cannot be seen; remove it")
    _check_tokens(template)
    if lacking := [TOKENS[variable] for variable in missing(template) if variable in need]:
        raise LookError("missing-token", f"the template has no [{'], no ['.join(lacking)}], so what you asked for would be lost. Add it.")
    values = {variable: _value(look, variable, effects) for variable in VARIABLES}

    def replaced(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return values[_variable(found[1])]

    return _BRACKET.sub(replaced, template)


def missing(template: str) -> tuple[str, ...]:
    """The variables that the template has no token for."""
    there = {_variable(found[1]) for found in _BRACKET.finditer(template) if found[1] is not None}
    return tuple(variable for variable in VARIABLES if variable not in there)


def _check_tokens(template: str) -> None:
    """Every unknown token with its line and the token that it may have meant."""
    wrong = []
    for found in _BRACKET.finditer(template):
        if found[1] is not None and not _variable(found[1]):
            near = difflib.get_close_matches(_plain(found[1]), [_plain(token) for token in TOKENS.values()], n=1)
            meant = next((f", did you mean [{token}]?" for token in TOKENS.values() if near and _plain(token) == near[0]), "")
            wrong.append(f"line {_line(template, found.start())}: {found[0]}{meant}")
    if wrong:
        listed = "; ".join(wrong[:_MOST_NAMED]) + (f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else "")
        known = ", ".join(f"[{token}]" for token in TOKENS.values())
        raise LookError("unknown-token", f"{listed}. The tokens are: {known}. Write [[ for a bracket that is meant.")


def _variable(token: str) -> str:
    """The variable of a token, or nothing."""
    return next((variable for variable, known in TOKENS.items() if _plain(known) == _plain(token)), "")


def _plain(token: str) -> str:
    return re.sub(r"\s*/\s*", "/", re.sub(r"[\s_-]+", " ", token)).strip().casefold()


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _value(look: Look, variable: str, effects: bool) -> str:
    """The look's own word; what has no word that reads inside a sentence is said in a few."""
    text = str(getattr(look, variable))
    if not effects and look.term(variable).word is not None:
        return _SAID.get((variable, text), text)
    silent = {"reference": {"short": "", "because": "", "source": "house"}}
    manner = clauses.Manner("short", dialects.find("flux2").manner.sides, {"photo": _PHOTO}, silent, True)
    return clauses.say(look, (), manner, (4, 5), False)[variable][0].text
