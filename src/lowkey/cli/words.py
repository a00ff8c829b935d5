"""lowkey looks: the vocabulary."""

from __future__ import annotations

import json

from lowkey import look as looks


def run(as_json: bool) -> None:
    if as_json:
        print(json.dumps(_data(), ensure_ascii=False))
        return
    for variable in looks.VARIABLES:
        print(f"{variable}")
        for word in looks.words(variable):
            # A mirrored form does the same from the other side; its name says so.
            print(f"  {word.word:32s} {'' if word.mirrored else word.does}".rstrip())
        numbers = looks.NUMBERS[variable]
        print(f"  {numbers.example:32s} numbers: {numbers.form}\n")
    print("looks")
    for name in looks.names():
        look = looks.find(name)
        print(f"  {name:32s} {look.title}: {look.light}, {look.background}, {look.clothing}, {look.flare}")
    print("\nLeft and right are always the viewer's.")


def _data() -> dict[str, object]:
    words = {
        variable: [{"word": w.word, "slug": w.slug, "aliases": list(w.aliases), "does": w.does} for w in looks.words(variable)]
        for variable in looks.VARIABLES
    }
    numbers = {variable: {"form": looks.NUMBERS[variable].form, "example": looks.NUMBERS[variable].example} for variable in looks.VARIABLES}
    return {"words": words, "numbers": numbers, "looks": {name: looks.to_mapping(looks.find(name)) for name in looks.names()}}
