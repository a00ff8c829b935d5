"""Writes docs/promise.md from the tables: python docs/promise.py > docs/promise.md."""

from __future__ import annotations

import math
import sys

from lowkey import look as looks
from lowkey.look import Look
from lowkey.meter.reading import catalogue
from lowkey.spec import Remedy, Spec, Target, remedies

HEAD = """# The promise in numbers

Written by `python docs/promise.py` from `src/lowkey/data/promise.toml` and `remedies.toml`; do not edit it here.

A look is words, and its words are a promise that can be measured: targets, each a measure of the light meter
([what they are](meter.md)), the range it must lie in, why, and what to change where it does not. `lowkey meter` holds any frame
against it. A value outside its range by no more than its own standard error is kept; one that was read too roughly to tell is
not judged. What an engine cannot do is told and not judged. Left and right are the viewer's.

## The house look
"""
WORDS = """
## What the words change

Where several words of one look name a measure, all that any of them allows is allowed. A light in degrees is kept within
12 degrees of where it was put; its other targets are those of the nearest word. Numbers that a look sets itself (fill, exposure,
motes, grain, lamp) move the targets that they would break.
"""
MOVES = """
## From frame to frame

Flare and halo change from seed to seed; where the head stands must not. Over the frames of a shoot, or of one call of
`lowkey meter`, the most minus the least may be (kept also when two readings of one frame may differ by what is over):

| measure | moves by |
|---|---|"""
REMEDIES = """
## The remedies

What is prescribed for a frame that missed, as data: a name and a size. `lowkey shoot --retake` turns them into numbers of the
rig, `lowkey prompt --remedy` into a clause ([in words](prompts.md#remedies)). Sizes of several takes add up.

| remedy | unit | what it does | what it changes in a rig |
|---|---|---|---|"""


def table(targets: tuple[Target, ...]) -> str:
    lines = ["| measure | kept when | why | what to change |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| `{one.measure}` | {one.said} | {one.why} | {cures(one)} |" for one in targets)])


def cures(target: Target) -> str:
    below, above = target.remedies
    said = [f"below: `{below.remedy}`" if below else "", f"above: `{above.remedy}`" if above and not target.words else ""]
    if target.words:
        said = [f"`{above.remedy}`" if above else "", *(f"{word}: `{cure.remedy}`" for word, cure in target.cures)]
    return "; ".join(part for part in said if part) or "the framing"


def words() -> str:
    lines = ["| variable | word | measure | kept when |", "|---|---|---|---|"]
    house = {target.measure: target for target in Spec.of(Look()).targets}
    for variable in ("light", "background", "clothing", "pose", "flare"):
        for word in looks.words(variable):
            if word.mirrored:
                continue
            spec = {target.measure: target for target in Spec.of(Look(**{variable: word.word})).targets}
            for measure in catalogue():
                if (spec.get(measure) or "") != (house.get(measure) or ""):
                    said = spec[measure].said if measure in spec else "not asked for"
                    lines.append(f"| {variable} | {word.word} | `{measure}` | {said} |")
    return "\n".join(lines)


def changes(remedy: Remedy) -> str:
    told = []
    for change in remedy.changes:
        if "number" not in change:
            told.append(next(f"{name} of the lights" for name in ("turn", "lift", "warm", "mirror") if name in change))
        else:
            each = "stop" if remedy.unit == "stops" else remedy.unit
            how = f"{change['by']:+g} a {each}" if "by" in change else f"times {2 ** change['doubles']:.3g} a {each}"
            limits = [f"{name} {change[name]:g}" for name in ("from", "least", "most") if name in change and math.isfinite(change[name])]
            told.append(f"`{change['number']}` {how}" + (f" ({', '.join(limits)})" if limits else ""))
    return "; ".join(told) or "nothing: for a person, or a model that paints"


def page() -> str:
    every = [Remedy(name) for name in remedies()]
    rows = [f"| `{one.name}` | {one.unit or 'all or nothing'} | {one.does} | {changes(one)} |" for one in every]
    moves = [f"| `{name}` | at most {most:g} |" for name, most in looks.table("promise")["moves"].items()]
    return "\n".join([HEAD, table(Spec.of(Look()).targets), WORDS, words(), MOVES, *moves, REMEDIES, *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
