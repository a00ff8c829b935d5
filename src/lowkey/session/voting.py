"""How far a person agrees with the meter: blind pairs of a folder's frames, votes read back, and the two orders compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey import photo, prints
from lowkey.errors import LookError, StoreError
from lowkey.look import Look
from lowkey.prints import pairs as pages
from lowkey.session import metering, opening, record, selecting
from lowkey.session.files import sha256_of

MOST_FRAMES = 60
ALL_PAIRS_OF = 8
"""Up to so many frames every pair is asked; of more, each frame meets so many others at least."""
LARGEST_VOTES_BYTES = 4_000_000
NOT_FRAMES = ("sheet.png", "ranked.png")


@dataclass(frozen=True)
class Candidate:
    """One frame that is voted on."""

    path: Path
    id: str
    """The first 16 hex digits of the file's sha256: a name that says nothing, and a check that the frame is the same one."""


@dataclass(frozen=True)
class Agreement:
    """Votes against scores. Only decided votes between frames of different scores can agree or not."""

    agreed: int
    decided: int
    undecided: int
    """Cannot tell, or the meter saw no difference."""
    low: float
    high: float
    """95 % interval of the share that agreed (Wilson 1927)."""
    tau: float | None
    """Kendall's rank correlation of the order by votes and the order by scores; None for fewer than three frames."""
    standing: tuple[tuple[str, float, float | None], ...]
    """Frames by votes, best first: file name, strength by votes (Bradley and Terry 1952, mean 1), the meter's score."""
    stars: Mapping[str, int]
    """A person's own, by file name."""

    @property
    def share(self) -> float | None:
        return self.agreed / self.decided if self.decided else None


def candidates(folder: Path) -> tuple[Candidate, ...]:
    """The frames of a folder: those its record names, else every picture in it but a contact sheet."""
    if not folder.is_dir():
        raise StoreError("folder-missing", f"there is no folder {folder}; name the one that a shoot left its frames in")
    names = [row["file"] for row in record.read(folder).get("frames", []) if isinstance(row, dict) and isinstance(row.get("file"), str)]
    known = [folder / name for name in names if Path(name).name == name and (folder / name).is_file()]
    endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
    files = known or sorted(file for file in folder.iterdir() if file.suffix.lower() in endings and file.name not in NOT_FRAMES)
    if not 2 <= len(files) <= MOST_FRAMES:
        raise LookError("too-few-frames", f"{folder} holds {len(files)} frames; votes are about 2 to {MOST_FRAMES} of them")
    return tuple(Candidate(file, sha256_of(file)[:16]) for file in files)


def pairs(ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Which two are shown together, in which order and on which side: mixed, the same for the same frames.

    Of many frames each is shown beside its next four neighbours on a ring, which joins all of them.
    """
    around = sorted(set(ids), key=lambda one: _mixed(one))
    if len(around) <= ALL_PAIRS_OF:
        both = list(combinations(around, 2))
    else:
        both = [(one, around[(i + step) % len(around)]) for i, one in enumerate(around) for step in range(1, ALL_PAIRS_OF // 2 + 1)]
    sided = [(a, b) if _mixed(f"{a}{b}") % 2 else (b, a) for a, b in both]
    return tuple(sorted(sided, key=lambda pair: _mixed("".join(sorted(pair)))))


def write_page(folder: Path, out: Path | None = None) -> tuple[Path, int]:
    """The page of a folder's frames, and how many pairs are on it."""
    found = candidates(folder)
    pictures = {one.id: prints.fitted(photo.read(one.path).pixels, pages.SHOWN_PX, enlarge=False) for one in found}
    asked = pairs(list(pictures))
    file = out if out is not None else folder / "rank.html"
    photo.write_whole(file, pages.page(pictures, asked, folder.resolve().name).encode("utf-8"))
    return file, len(asked)


def read_votes(file: Path) -> tuple[list[tuple[str, str, str | None]], dict[str, int]]:
    """Votes (one, other, chosen or None) and stars by id, from what the page saved. Anything else is a `LookError`."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_VOTES_BYTES + 1)
        if len(data) > LARGEST_VOTES_BYTES:
            raise ValueError("it is larger than votes can be")
        told = json.loads(data)
        if not isinstance(told, dict) or told.get("lowkey_votes") != 1:
            raise ValueError("it does not hold votes of version 1")
        votes = [_vote(row) for row in told["votes"]]
        stars = {str(name): int(count) for name, count in told.get("stars", {}).items() if 1 <= int(count) <= 5}
    except OSError as error:
        raise LookError("bad-votes", f"{file} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise LookError("bad-votes", f"{file.name} is not what the page saved: {why[:120]}. Save votes.json on it once more") from None
    return votes, stars


def compare(
    folder: Path, votes_file: Path, *, reference: Path | None = None, look: Look | str | Path | None = None, keep_plate: bool = True
) -> Agreement:
    """Votes against the meter's scores: those in the record, or measured now where it has none."""
    votes, stars = read_votes(votes_file)
    found = {one.id: one for one in candidates(folder)}
    own = [vote for vote in votes if vote[0] in found and vote[1] in found and vote[0] != vote[1]]
    if not own:
        raise LookError("bad-votes", f"{votes_file.name} votes on other frames than those in {folder}")
    scores = _scores(folder, list(found.values()), reference, look, keep_plate)
    named = {found[name].path.name: count for name, count in stars.items() if name in found}
    return agreement(own, {name: scores[one.path.name] for name, one in found.items()}, {n: c.path.name for n, c in found.items()}, named)


def agreement(
    votes: Sequence[tuple[str, str, str | None]],
    scores: Mapping[str, float | None],
    names: Mapping[str, str],
    stars: Mapping[str, int] | None = None,
) -> Agreement:
    """How far the order by `scores` is the order by `votes`; ids are told as `names`."""
    agreed = decided = 0
    for a, b, chosen in votes:
        one, other = scores.get(a), scores.get(b)
        if chosen is None or one is None or other is None or one == other:
            continue
        decided += 1
        agreed += (one > other) == (chosen == a)
    low, high = wilson(agreed, decided)
    strength = strengths(votes)
    order = sorted(strength, key=lambda name: (-strength[name], names.get(name, name)))
    standing = tuple((names.get(name, name), round(strength[name], 4), scores.get(name)) for name in order)
    return Agreement(agreed, decided, len(votes) - decided, low, high, _tau(strength, scores), standing, dict(stars or {}))


def strengths(votes: Sequence[tuple[str, str, str | None]]) -> dict[str, float]:
    """Bradley-Terry strengths, mean 1, by Hunter's minorisation (2004); a vote that cannot tell is half a win for each.

    Each frame also draws once against a frame of strength 1, so that one that never lost stays finite.
    """
    ids = sorted({name for a, b, _ in votes for name in (a, b)})
    won = dict.fromkeys(ids, 0.5)
    for a, b, chosen in votes:
        for name in (a, b):
            won[name] += 0.5 if chosen is None else float(chosen == name)
    strength = dict.fromkeys(ids, 1.0)
    for _ in range(200):
        met = {name: 1.0 / (strength[name] + 1.0) for name in ids}
        for a, b, _chosen in votes:
            each = 1.0 / (strength[a] + strength[b])
            met[a] += each
            met[b] += each
        strength = {name: won[name] / met[name] for name in ids}
    mean = sum(strength.values()) / max(len(ids), 1)
    return {name: value / mean for name, value in strength.items()}


def wilson(kept: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); all of 0..1 when nothing was counted."""
    if not of:
        return 0.0, 1.0
    share = kept / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def keep_stars(folder: Path, stars: Mapping[str, int]) -> bool:
    """Write a person's stars into the record, apart from the meter's scores; False when there is no record."""
    if not record.read(folder).get("frames"):
        return False
    with opening.opened(folder) as session:
        for row in session.store.frames():
            if row.file in stars:
                selecting.star(session.store, row, stars[row.file])
        record.write(session.store)
    return True


def starred_sheet(folder: Path) -> Path | None:
    """The contact sheet once more as `ranked.png`, with a person's stars apart from the meter's ticks; None without a record.

    The reference is not in the folder, so its name stands for it.
    """
    told = record.read(folder)
    try:
        look = looks.from_json(json.dumps(told["look"]), "the record's look")
        width, height = (int(side) for side in told["size_px"])
        rows = {row["file"]: row for row in told["frames"]}
        cells = [_cell(one.path, rows[one.path.name]) for one in candidates(folder) if one.path.name in rows]
        stem = str(told["photo"]["stem"])[:120]
    except (KeyError, TypeError, ValueError, AttributeError, LookError):
        return None
    file = folder / "ranked.png"
    photo.write_png(file, prints.sheet(cells, look, stem, (width, height)))
    return file


def _cell(path: Path, row: Mapping[str, Any]) -> prints.Cell:
    judged = row.get("meter") or {}
    marks = tuple({True: True, False: False}.get(one.get("kept")) for one in judged.get("verdict", []))
    small = prints.fitted(photo.read(path).pixels, pages.SHOWN_PX, enlarge=False)
    place, stars = judged.get("rank"), row.get("stars")
    return prints.Cell(small, int(row["seed"]), marks, place if isinstance(place, int) else None, min(max(int(stars or 0), 0), 5))


def _scores(
    folder: Path, found: Sequence[Candidate], reference: Path | None, look: Look | str | Path | None, keep_plate: bool
) -> dict[str, float | None]:
    """The meter's score by file name."""
    scores: dict[str, float | None] = {}
    if reference is None and look is None:
        for row in record.read(folder).get("frames", []):
            told = row.get("meter") if isinstance(row, dict) else None
            if isinstance(told, dict) and isinstance(told.get("score"), float | int):
                scores[str(row.get("file"))] = float(told["score"])
    left = [one.path for one in found if one.path.name not in scores]
    for one in metering.meter(left, reference=reference, look=look, keep_plate=keep_plate):
        scores[one.path.name] = one.verdict.score
    return scores


def _vote(row: Mapping[str, Any]) -> tuple[str, str, str | None]:
    a, b, chosen = row["a"], row["b"], row["chosen"]
    if not isinstance(a, str) or not isinstance(b, str) or chosen not in (a, b, None):
        raise ValueError("a vote chooses one of its two frames, or none")
    return a, b, chosen


def _tau(strength: Mapping[str, float], scores: Mapping[str, float | None]) -> float | None:
    both = [(strength[name], score) for name in strength if (score := scores.get(name)) is not None]
    if len(both) < 3:
        return None
    from scipy.stats import kendalltau

    tau = float(kendalltau(*zip(*both, strict=True)).statistic)
    return None if math.isnan(tau) else round(tau, 4)


def _mixed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
