"""A look as a promise that can be measured: targets with units and reasons, and what to do about a frame that misses one.

The numbers are data (``data/promise.toml``); the arcs of a light are stated in degrees for its word, the same for prompts and
for frames. What an engine cannot do is reported, not judged, so that a good frame can pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lowkey import look as looks
from lowkey.errors import Bug
from lowkey.look import Look, Term

WRONG_SIDE_DEG = 90.0
"""A key this far outside its arc stands on the other side: it is moved across, not turned."""


@dataclass(frozen=True)
class Remedy:
    """What to change in the next take, as data: the rig turns it into numbers, a prompt into a clause."""

    name: str
    """One of `remedies()`."""
    size: float = 1.0
    """How much, in the remedy's own unit; always positive."""

    @property
    def unit(self) -> str:
        """stops, deg, mired, or nothing where there is no more or less."""
        return str(_remedy(self.name)["unit"])

    @property
    def does(self) -> str:
        return str(_remedy(self.name)["does"])

    @property
    def after(self) -> tuple[str, ...]:
        """Remedies that go first: while one of them is prescribed, this one waits for the next take."""
        return tuple(_remedy(self.name).get("after", ()))

    @property
    def changes(self) -> tuple[Mapping[str, Any], ...]:
        """What it changes in a rig; nothing where only a person, or a model that paints, can."""
        return tuple(_remedy(self.name).get("changes", ()))


@dataclass(frozen=True)
class Cure:
    """How large a remedy is for a miss: `per` of its unit for each unit of the miss, within `least` and `most`."""

    remedy: str
    per: float = 1.0
    least: float = 0.0
    most: float = math.inf

    def of(self, short_by: float) -> Remedy:
        return Remedy(self.remedy, round(min(max(self.per * short_by, self.least), self.most), 4))


@dataclass(frozen=True)
class Target:
    """One thing a frame must keep: its measure lies from `low` to `high`, or is one of `words`."""

    measure: str
    low: float
    high: float
    unit: str
    why: str
    remedies: tuple[Cure | None, Cure | None]
    """For a frame below `low`, and above `high`."""
    words: tuple[str, ...] = ()
    """For a measure that is a word: the words that keep the promise."""
    slack: float = 1.0
    """A miss of this size is a plain one; the score falls to half its credit there."""
    error: float = 0.0
    """What the measure differs by from person to person under one and the same light; a reading's own error is at least this."""
    doubt: float = math.inf
    """A reading with a larger standard error than this cannot tell whether the target is kept."""
    unsure: tuple[str, ...] = ()
    """Words that leave it open: such a reading cannot tell."""
    cures: tuple[tuple[str, Cure], ...] = ()
    """For a measure that is a word: the cure of one particular wrong word."""

    def short_by(self, value: float | str) -> float:
        """How far outside, in the target's unit: negative below, positive above, 0 inside. A wrong word is one whole miss."""
        if isinstance(value, str):
            return 0.0 if value in self.words else 1.0
        value = self.turned(value)
        return min(value - self.low, 0.0) + max(value - self.high, 0.0)

    def turned(self, value: float) -> float:
        """An azimuth is the same all the way round: the turn nearest to the arc's middle."""
        if not self.measure.endswith("azimuth_deg"):
            return value
        middle = (self.low + self.high) / 2
        return middle + (value - middle + 180) % 360 - 180

    def remedy(self, value: float | str) -> Remedy | None:
        """What to do about a frame that reads `value`, None where nothing is amiss or nothing is known to help."""
        short_by = self.short_by(value)
        if self.measure.endswith("azimuth_deg") and abs(short_by) > WRONG_SIDE_DEG:
            return Remedy("lit-side")
        cure = next((cure for word, cure in self.cures if word == value), self.remedies[0 if short_by < 0 else 1])
        return cure.of(abs(short_by)) if cure and short_by else None

    @property
    def said(self) -> str:
        """The range in words: "85 to 110 deg", "at least 4 display stops", "same"."""
        if self.unit == "yes/no":
            return "yes" if self.low == 1 else "no"
        unit = f" {self.unit}" if self.unit else ""
        if self.words:
            return " or ".join(self.words)
        if math.isinf(self.high):
            return f"at least {self.low:g}{unit}"
        if math.isinf(self.low):
            return f"at most {self.high:g}{unit}"
        return f"{self.low:g}{unit}" if self.low == self.high else f"{self.low:g} to {self.high:g}{unit}"


@dataclass(frozen=True)
class Spec:
    """The promise of one look, over what its engine honours."""

    targets: tuple[Target, ...]
    reported: tuple[tuple[str, str], ...] = ()
    """Measures that are told and not judged, each with the reason."""

    @classmethod
    def of(cls, look: Look, honours: Mapping[str, str] | None = None) -> Spec:
        """What a frame of `look` must keep. `honours` says what the engine did about each variable: "no" is not judged."""
        given = honours or {}
        targets: list[Target] = []
        reported: list[tuple[str, str]] = []
        for measure, row in looks.table("promise")["targets"].items():
            target = _target(measure, row, look)
            if target is None:
                continue
            refused = [name for name in row["of"] if given.get(name, "yes") == "no"]
            if refused:
                reported.append((measure, f"{refused[0]} is not honoured by this engine"))
            else:
                targets.append(target)
        return cls(tuple(targets), tuple(reported))

    def target(self, measure: str) -> Target | None:
        return next((one for one in self.targets if one.measure == measure), None)


def remedies() -> tuple[str, ...]:
    """Every remedy by name."""
    return tuple(looks.table("remedies"))


def merged(*several: Iterable[Remedy]) -> tuple[Remedy, ...]:
    """Remedies of several takes as one list, each once, sizes added: what is asked of the rig is asked from the beginning."""
    sizes: dict[str, float] = {}
    for remedy in (one for some in several for one in some):
        unit = remedy.unit
        sizes[remedy.name] = round(sizes.get(remedy.name, 0.0) + remedy.size, 4) if unit else remedy.size
    return tuple(Remedy(name, size) for name, size in sizes.items())


def _remedy(name: str) -> Mapping[str, Any]:
    table = looks.table("remedies")
    if name not in table:
        raise Bug("remedy", f'no remedy is called "{name[:40]}"')
    row: Mapping[str, Any] = table[name]
    return row


# From a look's words to ranges.


def _target(measure: str, row: Mapping[str, Any], look: Look) -> Target | None:
    """The target of one measure for a look, None where the look does not ask for it."""
    said = _said(measure, row, look)
    if said is None:
        return None
    words = tuple(said) if said and isinstance(said[0], str) else ()
    low, high = (1.0, 1.0) if words else (float(said[0]), float(said[1]))
    cures = [_cure(row.get(name)) for name in ("below", "above")]
    if measure.endswith("azimuth_deg") and low + high < 0:
        cures.reverse()  # at the viewer's left the far end of the arc is the lower number
    plain = Target(
        measure,
        low,
        high,
        row["unit"],
        row["why"],
        (cures[0], cures[1]),
        words,
        row.get("slack", 1.0),
        row.get("error", 0.0),
        row.get("doubt", math.inf),
        tuple(row.get("unsure", ())),
        tuple((word, Cure(**cure)) for word, cure in row.get("cures", {}).items()),
    )
    return _as_overridden(plain, look)


def _cure(row: Mapping[str, Any] | None) -> Cure | None:
    return Cure(**row) if row else None


def _said(measure: str, row: Mapping[str, Any], look: Look) -> tuple[Any, ...] | None:
    """The range (low, high) or the words that a look's own words ask for; where several say something, all of it is allowed.

    A range that no word names is the table's own; one that a word says is false is not asked for.
    """
    ranges: list[Any] = []
    for variable in looks.VARIABLES:
        term = look.term(variable)
        named = _by_word(variable, term).get(measure)
        if named is False:
            return None
        if named is not None:
            ranges.append(_as_placed(measure, named, variable, term))
    if not ranges:
        default = row.get("range", row.get("words"))
        return tuple(default) if default is not None else None
    if isinstance(ranges[0][0], str):
        return tuple(ranges[0])
    return min(one[0] for one in ranges), max(one[1] for one in ranges)


def _by_word(variable: str, term: Term) -> Mapping[str, Any]:
    """What the word of a variable promises; a number is taken as the word it is nearest to."""
    rows: Mapping[str, Mapping[str, Any]] = looks.table("promise").get(variable, {})
    word = term.word or _nearest(variable, term.numbers)
    first = next((name for name in rows if word and word.word == name), None)
    if first is None and word is not None and word.mirrored:
        first = next(one.word for one in looks.words(variable) if one.values is word.values and not one.mirrored)
    return rows.get(first or "", {})


def _nearest(variable: str, numbers: tuple[float, ...]) -> looks.Word | None:
    if variable == "light":
        return min(looks.words("light"), key=lambda word: _apart(numbers, _key_of(word)))
    if variable == "flare":
        return looks.parse("flare", "prominent bright halo" if numbers[0] > 0 else "no flare").word
    if variable == "background":
        return looks.parse("background", "dust motes and film grain").word if numbers[0] > 0 else None
    if variable == "clothing":
        return looks.parse("clothing", "as worn" if numbers[0] < 0.3 else "white linen shirt").word
    return None


def _key_of(word: looks.Word) -> tuple[float, float]:
    """Azimuth and elevation of a light word's key; an arc's own middle."""
    key = word.values["key"]
    azimuth = key["azimuth_deg"] if "azimuth_deg" in key else sum(key["arc_deg"]) / 2
    return (-azimuth if word.mirrored else azimuth), key["elevation_deg"]


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Great-circle angle in degrees between two directions (azimuth, elevation)."""
    (a, e), (b, f) = ([math.radians(value) for value in pair[:2]] for pair in (one, other))
    cosine = math.sin(e) * math.sin(f) + math.cos(e) * math.cos(f) * math.cos(a - b)
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def _elevation(light: Term) -> float:
    return _key_of(light.word)[1] if light.word else light.numbers[1]


FROM_ABOVE_DEG = 15.0
"""From here on the jaw shades the neck."""
_ARCS = {"key_azimuth_deg": 0, "key_elevation_deg": 1}
NUMBER_ARC_DEG = 12.0
"""A light given in degrees is kept within this of them."""


def _as_placed(measure: str, named: Any, variable: str, term: Term) -> Any:
    """The range as this light stands: mirrored, or about the degrees that were given."""
    if variable != "light":
        return named
    if term.word is None and measure in _ARCS:
        middle = term.numbers[_ARCS[measure]]
        # Meridians close up toward the pole: the same arc on the sphere is more of azimuth.
        wide = NUMBER_ARC_DEG / (max(math.cos(math.radians(term.numbers[1])), 0.2) if measure == "key_azimuth_deg" else 1.0)
        return [middle - wide, middle + wide]
    word = term.word or _nearest("light", term.numbers)
    assert word is not None
    if not word.mirrored:
        return named
    if measure == "key_azimuth_deg":
        return [-named[1], -named[0]]
    return [{"left": "right", "right": "left"}.get(side, side) for side in named] if isinstance(named[0], str) else named


def _as_overridden(target: Target, look: Look) -> Target | None:
    """What a look's own numbers ask for cannot be a fault of the frame."""
    given = look.overrides
    measure = target.measure
    if measure == "neck_over_chin" and _elevation(look.term("light")) < FROM_ABOVE_DEG:
        return None
    fill = given.get("fill_ev")
    if fill is not None and measure == "lighting_ratio_stops":
        return replace(target, low=min(target.low, max(-fill - 0.6, 0.5)))
    if fill == -math.inf and measure in ("shadow_median_code", "shadow_range_codes"):
        return None
    if fill is not None and fill > -6 and measure == "shadow_median_code":
        return replace(target, high=max(target.high, 255 * 2 ** ((fill - 1) / 2.2)))
    exposure = given.get("exposure_ev", 0.0)
    if exposure > 0.7 and measure == "face_clipped_share":
        return None
    if abs(exposure) > 0.7 and measure == "frame_black_share":
        return None
    motes = given.get("motes_per_fh2", look.term("background").numbers[0] if look.term("background").numbers else None)
    if motes is not None and measure == "motes_per_fh2":
        return replace(target, low=min(target.low, 0.1 * motes)) if motes else None
    if given.get("lamp_visible") == 0 and measure.startswith(("lamp_", "halo_")):
        return None
    if given.get("grain_rms") == 0 and measure.startswith("grain"):
        return None
    return target
