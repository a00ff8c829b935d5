"""lowkey rank: a page of blind pairs, and how far its votes agree with the meter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lowkey.session import voting


def run(folder: Path, *, votes: Path | None, out: Path | None, as_json: bool, **asked: Any) -> None:
    if votes is None:
        page, count = voting.write_page(folder, out)
        if as_json:
            print(json.dumps({"page": str(page), "pairs": count}, ensure_ascii=False))
        else:
            print(f"{count} pairs: open {page} in a browser, vote, save votes.json")
            print(f"then: lowkey rank {folder} --votes votes.json")
        return
    found = voting.compare(folder, votes, **asked)
    sheet = voting.starred_sheet(folder) if found.stars and voting.keep_stars(folder, found.stars) else None
    if as_json:
        standing = [{"frame": name, "strength": strength, "score": score} for name, strength, score in found.standing]
        answer = {
            "agreed": found.agreed,
            "decided": found.decided,
            "undecided": found.undecided,
            "share": None if found.share is None else round(found.share, 4),
            "interval": [round(found.low, 4), round(found.high, 4)],
            "tau": found.tau,
            "standing": standing,
            "stars": dict(found.stars),
            "sheet": str(sheet) if sheet else None,
        }
        print(json.dumps(answer, ensure_ascii=False))
        return
    if found.share is None:
        print(f"none of {found.undecided} votes could be compared: nobody could tell, or the meter saw no difference")
    else:
        said = f"the meter agrees with {found.agreed} of {found.decided} votes ({found.share:.0%}; 95 % interval"
        print(f"{said} {found.low:.0%} to {found.high:.0%}); {found.undecided} could not be compared")
    if found.tau is not None:
        print(f"the two orders: Kendall's tau {found.tau:+.2f} (1 the same, 0 unrelated, -1 reversed)")
    print("by votes, best first:")
    for name, strength, score in found.standing:
        stars = "*" * found.stars.get(name, 0)
        print(f"  {strength:5.2f}  meter {'  -  ' if score is None else format(score, '.3f')}  {name}  {stars}".rstrip())
    if sheet:
        print(f"contact sheet with the stars: {sheet}")
