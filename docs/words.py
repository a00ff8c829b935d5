"""Write docs/words.md from the tables in src/lowkey/data, so that the page is never behind them.

python docs/words.py > docs/words.md
"""

from __future__ import annotations

import math
import sys

from lowkey import look as looks

EFFECT = {
    "light": "Decides which half of the face falls into shadow: the whole mood",
    "background": "Analog-cinematic, gritty, or studio-clean",
    "clothing": "Light cloth bounces fill into the shadow and softens contrast; dark cloth isolates the face",
    "pose": "A direct gaze confronts; an upward one is introspective. The darkroom cannot move a head: photograph the pose",
    "flare": "Spectacle against clean editorial",
}
INTRODUCTION = """\
# Words

A look is five variables. Each takes one of its words, in any case and spacing, or numbers. Every word does something visible,
or the engine says `no` under `honours`. **Left and right are always the viewer's.**

This page is written by `docs/words.py` from the tables in `src/lowkey/data`.
"""
FILES = """\
## Look files

A look can be kept in a TOML or JSON file of at most 64 KB and named with `--look FILE`. Every key may be left out.

```toml
{example}```

`stock` is the film it is shot on: {stocks}; the first is the look's own. `[rig]` changes numbers of light and film, never the person:

| name | from | to |
|---|---|---|
{overrides}

`fill_ev = "none"` is no fill at all, and `lamp_visible` is true or false. Files from strangers are data only: a key that is
not listed here is refused, and nothing in a look names a path.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for variable in looks.VARIABLES:
        parts += [f"## {variable}\n", f"{EFFECT[variable]}.\n", "| word | in file names | also | does |", "|---|---|---|---|"]
        for word in looks.words(variable):
            parts.append(f"| {word.word} | `{word.slug}` | {', '.join(word.aliases)} | {word.does} |")
        numbers = looks.NUMBERS[variable]
        ranges = ", ".join(f"{low:g} to {high:g}" for low, high in numbers.ranges)
        parts.append(f"\nOr numbers: {numbers.form}, for example `{numbers.example}` ({ranges}).\n")
    parts += ["## Looks that ship with lowkey\n", "| name | title | look | mood | for |", "|---|---|---|---|---|"]
    for name in looks.names():
        look = looks.find(name)
        five = ", ".join(getattr(look, variable) for variable in looks.VARIABLES)
        parts.append(f"| `{name}` | {look.title} | {five} | {look.mood} | {', '.join(look.use)} |")
    example = looks.to_toml(looks.find("house").but(rig={"fill_ev": -6.5}))
    lowest = {name: "none" if low == -math.inf else f"{low:g}" for name, (low, _) in looks.OVERRIDES.items()}
    overrides = "\n".join(f"| `{name}` | {lowest[name]} | {high:g} |" for name, (_, high) in looks.OVERRIDES.items())
    parts += ["", FILES.format(example=example, overrides=overrides, stocks=", ".join(f"`{name}`" for name in looks.stocks()))]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
