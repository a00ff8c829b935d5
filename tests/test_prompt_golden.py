"""Every word in every dialect, as text that was read by a person: a change of wording shows up here as a change.

`python tests/test_prompt_golden.py` writes the file anew; then read what changed before it is committed.
"""

from __future__ import annotations

from pathlib import Path

from lowkey.look import VARIABLES, words
from lowkey.prompt import compile, dialects, remedy_names, shelf

GOLDEN = Path(__file__).with_suffix(".txt")


def golden() -> str:
    """The house look in full in every dialect; for every other word, and every remedy, only the clauses that it changes."""
    house = shelf.find("house")
    lines: list[str] = []
    for spec in dialects.specs():
        said = compile(house, spec)
        lines += [f"=== {spec}", said.text, f"negative: {said.negative}", f"parameters: {dict(said.parameters)}", ""]
        clauses = {clause.text for clause in said.clauses}
        for variable in VARIABLES:
            for word in words(variable):
                other = compile(house.but(**{variable: word.word}), spec)
                changed = [clause for clause in other.clauses if clause.text not in clauses]
                if changed:
                    lines += [f"--- {variable}: {word.word}", *(f"{clause.role}: {clause.text}" for clause in changed)]
        for name in remedy_names():
            for form in ("positive", "literal"):
                changed = [one for one in compile(house, spec, (f"{name}:{form}",)).clauses if one.role.startswith("remedy:")]
                lines += [f"--- {name}:{form}", *(clause.text for clause in changed)]
        lines.append("")
    return "\n".join(lines)


def test_every_word_reads_as_it_was_reviewed() -> None:
    assert golden() == GOLDEN.read_text("utf-8"), f"the wording changed: run {Path(__file__).name} and read the difference"


if __name__ == "__main__":
    GOLDEN.write_text(golden(), "utf-8")
