"""What is added when a frame fell short. The meter names them; so may anyone: "no-fill", "motes", "hold-highlights:literal"."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from lowkey import spec
from lowkey.errors import LookError
from lowkey.look import Look
from lowkey.prompt import lexicon
from lowkey.prompt.lexicon import Row

FORMS = ("positive", "literal")


@dataclass(frozen=True)
class Remedy:
    """One remedy as asked for: its name, its phrases, and the form chosen (empty: the dialect's own)."""

    name: str
    row: Row
    form: str = ""


def names() -> tuple[str, ...]:
    """Every remedy by name."""
    return tuple(name for name, row in lexicon.table("remedies").items() if isinstance(row, dict))


def read(asked: tuple[str | spec.Remedy, ...], look: Look) -> tuple[Remedy, ...]:
    """The remedies asked for, once each, in the order asked. Unknown ones, and ones the look denies, are a `LookError`.

    The meter's own remedies (`spec.Remedy`) are said by their names: how much is for a rig, words have no more and less.
    """
    found: dict[tuple[str, str], Remedy] = {}
    for one in asked:
        text = one.name if isinstance(one, spec.Remedy) else one
        name, _, form = text.strip().casefold().partition(":")
        if name not in names() or form not in ("", *FORMS):
            near = difflib.get_close_matches(name, names(), n=1)
            hint = f'; did you mean "{near[0]}"?' if near else "."
            raise LookError(
                "unknown-remedy",
                f'no remedy is called "{text[:40]}"{hint} The remedies are: {", ".join(names())}; each also with :positive or :literal.',
            )
        remedy = Remedy(name, lexicon.table("remedies")[name], form)
        if remedy.row.get("needs") == "lamp" and lamp_hidden(look):
            raise LookError("contradiction", f'remedy "{name}" needs a lamp in sight, and flare "{look.flare}" hides it. Drop one.')
        found.setdefault((name, form), remedy)
    if look.overrides.get("fill_ev") == float("-inf"):
        # A look without any fill says so in every prompt.
        found.setdefault(("no-fill", ""), Remedy("no-fill", lexicon.table("remedies")["no-fill"]))
    return tuple(found.values())


def lamp_hidden(look: Look) -> bool:
    """Whether the look keeps the lamp out of sight."""
    if "lamp_visible" in look.overrides:
        return look.overrides["lamp_visible"] == 0
    flare = look.term("flare")
    row = lexicon.word("flare", flare.word.word) if flare.word else lexicon.band("flare", flare.numbers[0])
    return bool(row.get("hides"))
