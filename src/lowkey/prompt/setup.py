"""A light in words: which side it lights, what it does to the face, where its lamp shows in the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lowkey.look import Look, Term
from lowkey.prompt import lexicon

OTHER = {"left": "right", "right": "left", "": ""}


@dataclass(frozen=True)
class Setup:
    """The light of a look, as phrases."""

    side: str
    """The viewer's side that is lit: left, right, or empty where the light has no side."""
    row: Mapping[str, Any]
    """Phrases: the effect, the edge, the highlights, and the lamp's place."""
    because: str
    source: str
    toward: bool
    """Whether a face in profile has a side to turn to."""


def of(look: Look) -> Setup:
    light = look.term("light")
    profile = in_profile(look)
    return _measured(light, profile) if light.word is None else _spoken(light, profile)


def _spoken(light: Term, profile: bool) -> Setup:
    assert light.word is not None
    row, mirrored = _row(light.word.word)
    side = OTHER[row["side"]] if mirrored else row["side"]
    if profile:
        row = {**row, **row["profile"]} if "profile" in row else row
    return Setup(side, row, row["because"], lexicon.table("light")["source"], bool(side))


def _row(spelling: str) -> tuple[lexicon.Row, bool]:
    """The phrases of a light's word, and whether it is the mirrored form of the word they were written for."""
    for row in lexicon.table("light").values():
        if isinstance(row, dict) and row.get("mirror") == spelling:
            return row, True
    return lexicon.word("light", spelling), False


def in_profile(look: Look) -> bool:
    """Whether the face is seen from the side and toward the lamp, so that the light has to be told differently."""
    pose = look.term("pose")
    if pose.word is not None:
        return bool(lexicon.word("pose", pose.word.word).get("profile"))
    azimuth = _azimuth(look.term("light"))
    return azimuth * pose.numbers[0] > 0 and abs(pose.numbers[0]) >= lexicon.table("pose")["turned"]["profile_from_deg"]


def _azimuth(light: Term) -> float:
    """Where the light stands, as a sign at least: minus is the viewer's left."""
    if light.word is None:
        return light.numbers[0]
    return {"left": -1.0, "right": 1.0, "": 0.0}[_spoken(light, False).side]


def _measured(light: Term, profile: bool) -> Setup:
    """A light given in numbers: the band of its azimuth says the effect; its place and size are added."""
    azimuth, elevation, *size = light.numbers
    words = lexicon.table("light")
    band = lexicon.band("light", abs(azimuth), "to_deg")
    if profile and "profile_full" in band:
        band = {**band, "short": band["profile_short"], "full": band["profile_full"]}
    side = ("right" if azimuth > 0 else "left") if band["side"] == "lit" else ""
    lamp = "top" if elevation > 45 and band["lamp"] != "behind" else band["lamp"]
    size_short, size_full = _size(size[0] if size else None)
    height_short, height_full = _height(azimuth, elevation)
    row = {
        **band,
        **words["lamps"][lamp],
        "short": ", ".join(part for part in (size_short, _place("short", azimuth, elevation), band["short"], height_short) if part),
        "full": " ".join(part for part in (band["full"], height_full, _place("full", azimuth, elevation), size_full) if part),
    }
    because = "Numbers are said as what they do to the face first; the degrees follow for the models that read them."
    return Setup(side, row, because, words["source"], bool(side))


def _place(register: str, azimuth: float, elevation: float) -> str:
    """Where the lamp stands, in degrees."""
    words = lexicon.table("light")["place"]
    height = "level" if abs(elevation) < 5 else "up" if elevation > 0 else "down"
    said = words[height].format(degrees=f"{abs(elevation):g}")
    pattern = words[register if abs(azimuth) >= 1 else f"ahead_{register}"]
    return str(pattern.format(azimuth=f"{abs(azimuth):g}", elevation=said))


def _height(azimuth: float, elevation: float) -> tuple[str, str]:
    """A phrase and a sentence for what a high or a low lamp does to the face."""
    words = lexicon.table("light")["height"]
    if abs(azimuth) > words["until_deg"]:
        return "", ""
    if elevation >= words["high"]["from_deg"]:
        return words["high"]["short"], words["high"]["full"]
    if elevation <= words["low"]["to_deg"]:
        return words["low"]["short"], words["low"]["full"]
    return "", ""


def _size(radius_deg: float | None) -> tuple[str, str]:
    """An adjective and a sentence for a lamp that is markedly small or broad."""
    words = lexicon.table("light")["size"]
    if radius_deg is None:
        return "", ""
    if radius_deg <= words["hard"]["to_deg"]:
        return words["hard"]["short"], words["hard"]["full"]
    if radius_deg >= words["broad"]["from_deg"]:
        return words["broad"]["short"], words["broad"]["full"]
    return "", ""
