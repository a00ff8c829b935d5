"""A look and its remedies as clauses, in one dialect's voice and not yet in any order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lowkey.look import Look, Term
from lowkey.prompt import lexicon, setup
from lowkey.prompt.lexicon import Row
from lowkey.prompt.remedies import Remedy, lamp_hidden
from lowkey.prompt.setup import Setup
from lowkey.prompt.voice import Voice
from lowkey.prompt.words import Clause

ROLES = (
    *("reference", "pose", "clothing", "range", "single", "light", "terminator", "highlights", "flare", "background"),
    *("guide", "overrides", "remedies", "aspect", "mood"),
)
"""Every role a dialect may place; overrides and remedies may be several clauses."""

Said = Mapping[str, tuple[Clause, ...]]
"""Role to its clauses; a role with nothing to say has none."""


@dataclass(frozen=True)
class Manner:
    """What a dialect's file says about how it speaks."""

    register: str
    sides: Mapping[str, str]
    names: Mapping[str, str]
    """What the photo and the guide are called."""
    phrases: Mapping[str, Row]
    """Phrases of the promise that it says its own way."""
    negations: bool
    """Whether it obeys a denial."""


def say(look: Look, remedies: tuple[Remedy, ...], manner: Manner, aspect: tuple[int, int], guide: bool) -> Said:
    """Every clause of a look. Roles that have nothing to say are empty."""
    light = setup.of(look)
    dry = any(remedy.row.get("dry") for remedy in remedies)
    voice = _voice(look, light, manner, aspect, dry)
    square = "square_" if aspect[0] == aspect[1] else ""
    said = {
        "reference": _promise(voice, manner, "reference"),
        "pose": _pose(look, light, voice),
        "clothing": _clothing(look, voice, dry),
        "range": _promise(voice, manner, "range"),
        "single": _promise(voice, manner, "single"),
        "light": (_clause("light", voice.of(light.row), {"because": light.because, "source": light.source}, look.light),),
        "terminator": (_clause("terminator", voice.of(light.row, "edge_"), _EDGE),),
        "highlights": _highlights(light, voice, manner),
        "flare": _flare(look, voice),
        "background": _background(look, voice),
        "guide": _promise(voice, manner, "guide") if guide else (),
        "overrides": tuple(_overrides(look, voice, dry)),
        "remedies": tuple(_remedy(remedy, look, light, voice, manner.negations) for remedy in remedies),
        "aspect": _promise(voice, manner, "aspect", square),
        "mood": _promise(voice, manner, "mood") if _mood(look) else (),
    }
    return {role: tuple(clause for clause in clauses if clause.text) for role, clauses in said.items()}


_EDGE = {"because": "The edge is sharp: a gradual one reads as ordinary soft light.", "source": "house"}


def _voice(look: Look, light: Setup, manner: Manner, aspect: tuple[int, int], dry: bool) -> Voice:
    lifted = bool(_row("clothing", look.term("clothing")).get("lifts")) and not dry
    depth = lexicon.table("promise")["depth"]["lifted" if lifted else "dark"]
    slots = {
        **manner.names,
        **depth,
        "lamp": lexicon.say(light.row, "short" if manner.register == "short" else "full", "lamp_"),
        "reach": lexicon.say(light.row, "short" if manner.register == "short" else "full", "reach_"),
        "hidden": light.row["hidden"],
        "aspect": f"{aspect[0]}:{aspect[1]}",
        "mood": _mood(look),
    }
    return Voice(manner.register, manner.sides, light.side, slots)


def _clause(role: str, text: str, row: Row, word: str = "") -> Clause:
    return Clause(role, text, row["because"], lexicon.source(row["source"]), word)


def _row(variable: str, term: Term) -> Row:
    """The phrases of one variable of a look, a word or a number of it, always with a because and a source."""
    given = {"source": lexicon.table(variable)["source"], "because": "A number is said as what it looks like."}
    said = lexicon.word(variable, term.word.word) if term.word else lexicon.band(variable, term.numbers[0])
    return {**given, **said}


def _promise(voice: Voice, manner: Manner, role: str, stem: str = "") -> tuple[Clause, ...]:
    """A part of the promise: the dialect's own phrase if it has one, else the lexicon's."""
    own, common = manner.phrases.get(role, {}), lexicon.table("promise").get(role, {})
    return (_clause(role, voice.of({**common, **own}, stem), {**common, **own}),)


def _highlights(light: Setup, voice: Voice, manner: Manner) -> tuple[Clause, ...]:
    """Held where the light is brightest: on the cheek, or on the rim of a backlight."""
    if f"highlights_{voice.register}" not in light.row and "highlights_full" not in light.row:
        return _promise(voice, manner, "highlights")
    return (_clause("highlights", voice.of(light.row, "highlights_"), lexicon.table("promise")["highlights"]),)


def _clothing(look: Look, voice: Voice, dry: bool) -> tuple[Clause, ...]:
    row = _row("clothing", look.term("clothing"))
    stem = "dry_" if dry and "dry_full" in row else ""
    return (_clause("clothing", voice.of(row, stem), row, look.clothing),)


def _background(look: Look, voice: Voice) -> tuple[Clause, ...]:
    row = _row("background", look.term("background"))
    return (_clause("background", voice.of(row), row, look.background),)


def _flare(look: Look, voice: Voice) -> tuple[Clause, ...]:
    row = _row("flare", look.term("flare"))
    stem = "unseen_" if look.overrides.get("lamp_visible") == 0 and "unseen_full" in row else ""
    return (_clause("flare", voice.of(row, stem), row, look.flare),)


def _pose(look: Look, light: Setup, voice: Voice) -> tuple[Clause, ...]:
    pose = look.term("pose")
    if pose.word is None:
        because = {"because": lexicon.table("pose")["turned"]["because"], "source": lexicon.table("pose")["source"]}
        return (_clause("pose", _turned(voice, *pose.numbers), because, look.pose),)
    row = _row("pose", pose)
    stem = "sideless_" if not light.toward and "sideless_full" in row else ""
    return (_clause("pose", voice.of(row, stem), row, look.pose),)


def _turned(voice: Voice, yaw: float, pitch: float) -> str:
    """A head turned by degrees. A yaw of plus turns the face to the viewer's right."""
    words = lexicon.table("pose")["turned"]
    parts = []
    if abs(yaw) >= 1:
        side = voice.side("right" if yaw > 0 else "left", "to")
        parts.append(voice.of(words["yaw"], degrees=f"{abs(yaw):g}", **{"pose to": side}))
    else:
        parts.append(voice.of(words["level"]))
    if abs(pitch) >= 1:
        parts.append(voice.of(words["up" if pitch > 0 else "down"], degrees=f"{abs(pitch):g}"))
    return ", ".join(parts) + ("" if voice.register == "short" else ".")


def _overrides(look: Look, voice: Voice, dry: bool) -> list[Clause]:
    """What a look's film and numbers add: only where they are far enough from the default to be seen."""
    table, found = lexicon.table("overrides"), []
    if row := table["stock"].get(look.stock):
        because = {"because": f"The look is shot on {look.stock}.", "source": table["source"]}
        found.append(_clause("stock", voice.of(row), because, look.stock))
    silent = {"fill_ev"} if dry else set()  # a remedy that forbids fill has the last word on it
    if lamp_hidden(look):
        silent |= {"halo_radius_fh", "lamp_visible"}
    for name, value in look.rig:
        for row in table.get(name, ()):
            if name not in silent and row.get("from", value) <= value <= row.get("to", value):
                because = {"because": f"The look sets {name} to {value:g}.", "source": table["source"]}
                found.append(_clause(f"rig:{name}", voice.of(row), because))
                break
    return found


def _remedy(remedy: Remedy, look: Look, light: Setup, voice: Voice, negations: bool) -> Clause:
    """One remedy in the form chosen, or the one that the dialect obeys."""
    text = str(remedy.row[remedy.form or ("literal" if negations else "positive")])
    if not light.side and "sideless" in remedy.row:
        text = str(remedy.row["sideless"])
    because = {"because": remedy.row["because"], "source": lexicon.table("remedies")["source"]}
    pose = _pose(look, light, replace(voice, register="short"))[0].text
    return _clause(f"remedy:{remedy.name}", voice.expand(text, pose=pose), because)


def _mood(look: Look) -> str:
    """The mood line as plain words: it comes from a file, so it may hold no commands of a dialect."""
    return " ".join(re.sub(r"[^\w\s,'’-]|_|--+", " ", look.mood).split()).strip(" ,-")

