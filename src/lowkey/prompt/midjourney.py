"""Midjourney: a stack of phrases and then parameters, the version always written out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lowkey.prompt import layout, lexicon
from lowkey.prompt.words import Clause, Value, Words

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask
    from lowkey.prompt.dialects import Dialect

_PLACEHOLDER = "REFERENCE_URL"


def speak(ask: Ask, dialect: Dialect) -> Words:
    said = {**ask.said(dialect.manner)}
    # A remedy in the dialect's own form is a ban and goes to --no; one asked for by form stays in the prose.
    banned = [remedy for remedy in ask.remedies if not remedy.form and "bans" in remedy.row]
    said["remedies"] = tuple(
        clause for clause, remedy in zip(said["remedies"], ask.remedies, strict=True) if remedy not in banned
    )
    laid = layout.prose(dialect.shape["sentences"], said, capital=False)
    parameters, clauses = _parameters(ask, dialect), [*laid.clauses]
    own = dialect.data["no"]
    bans = [*own["list"], *(ban for remedy in banned for ban in remedy.row["bans"])]
    written = []
    for clause in (_identity(parameters, dialect), *_switches(parameters, dialect)):
        written.append(clause.text)
        clauses.append(clause)
    negative = ", ".join(dict.fromkeys(bans))
    text = " ".join([laid.text, *written, f"--no {negative}"])
    clauses.append(Clause("no", f"--no {', '.join(own['list'])}", own["because"], lexicon.source(own["source"])))
    for remedy in banned:
        because = Clause(f"remedy:{remedy.name}", ", ".join(remedy.row["bans"]), remedy.row["because"])
        clauses.append(replace(because, source=lexicon.source(lexicon.table("remedies")["source"])))
    notes = [*dialect.notes]
    if not ask.reference:
        notes.insert(0, f"Put the photo's web address in place of {_PLACEHOLDER}.")
    return Words(dialect.spec, text, negative, parameters, tuple(clauses), tuple(notes))


def _parameters(ask: Ask, dialect: Dialect) -> dict[str, Value]:
    """What follows the prose, in the order in which it is written."""
    shape = dialect.shape
    parameters: dict[str, Value] = {shape["reference"]: ask.reference or _PLACEHOLDER, **shape["weight"]}
    parameters |= {"ar": f"{ask.aspect[0]}:{ask.aspect[1]}", "style": "raw", "v": shape["version"]}
    if ask.seed is not None:
        parameters["seed"] = ask.seed
    return parameters


def _identity(parameters: dict[str, Value], dialect: Dialect) -> Clause:
    """The reference and its weight."""
    row, shape = dialect.data["phrases"]["reference"], dialect.shape
    names = [shape["reference"], *shape["weight"]]
    text = " ".join(f"--{name} {parameters[name]}" for name in names)
    return Clause("reference", text, row["because"], lexicon.source(row["source"]))


_BECAUSE = {
    "ar": "Portrait keeps the shadow gradient on the lower face.",
    "style": "Raw keeps Midjourney's own beautifying out of the light.",
    "v": "The version decides which reference parameter exists, so it is written out.",
    "seed": "The seed, so that the take can be asked for again.",
}


def _switches(parameters: dict[str, Value], dialect: Dialect) -> list[Clause]:
    cite = lexicon.source(dialect.data["source"])
    return [
        Clause("aspect" if name == "ar" else name, f"--{name} {parameters[name]}", because, cite)
        for name, because in _BECAUSE.items()
        if name in parameters
    ]
