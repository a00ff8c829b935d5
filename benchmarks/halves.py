"""Thresholds of the light meter, fitted on one half of the material by a stated rule and reported on the other, both ways round.

    python benchmarks/halves.py [--shared FOLDER] [--write docs/meter.md] [PART...]

PART is any of low-key, sides, lights, texture, likeness, warmth, dust; all take some eight minutes. LOWKEY_MORE names a folder with
checkouts of the picture collections of benchmarks/pictures.csv (interfaces, ARTE); without it only the reference data is read.
A half holds whole people: every second one, by name. What was seen in a picture was written down before the meter read it.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import tables
from PIL import Image

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.meter import Measure, measure, register, terminator, texture, tones
from lowkey.meter import direction as keys
from lowkey.meter import likeness as likenesses
from lowkey.meter import sight as sights
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source
from lowkey.session import plates

SIZE = (512, 640)
LONGEST = 900
LOOKS = {"house": Look(), "left": Look(light="hard side-left"), "Rembrandt": Look(light="front-45-degree Rembrandt")}
BOTH = ((0, "first"), (1, "second"))


@dataclass(frozen=True)
class Seen:
    """A picture, and what an eye saw in it."""

    path: Path
    collection: str
    low_key: str
    side: str


@contextmanager
def setting(module: ModuleType, **values: float) -> Iterator[None]:
    """A module's thresholds, for a while."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


@cache
def pictures(data: Path) -> list[tuple[int, Seen]]:
    """Every labelled picture with its half: every second one of its kind, by collection and name."""
    found: list[Seen] = []
    root = data / "portraits"
    for kind, wanted in (("lowkey", "yes"), ("real", "no"), ("refuse_or_warn", "no")):
        rows = {r["file"]: r for r in csv.DictReader((root / kind / "SOURCES.csv").open())}
        for path in sorted(p for p in (root / kind).iterdir() if p.suffix != ".csv"):
            if kind == "refuse_or_warn" and not path.name.startswith("hk_"):
                continue
            side = rows[path.name].get("lit_side_seen", "").split(" ")[0]
            found.append(Seen(path, "reference data", wanted, side))
    more = os.environ.get("LOWKEY_MORE")
    if more:
        for row in csv.DictReader((Path(__file__).parent / "pictures.csv").open()):
            path = Path(more) / row["collection"] / row["file"]
            found.append(Seen(path, row["collection"], row["low_key_seen"], row["lit_side_seen"]))
    out = []
    for kind in ("yes", "no", "doubtful"):
        some = sorted((one for one in found if one.low_key == kind), key=lambda one: (one.collection, one.path.name))
        out += [(index % 2, one) for index, one in enumerate(some)]
    return out


def shrunk(pixels: np.ndarray) -> np.ndarray:
    k = min(1.0, LONGEST / max(pixels.shape[:2]))
    return np.ascontiguousarray(cv2.resize(pixels, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else pixels)


@cache
def people(data: Path) -> list[tuple[str, Plate]]:
    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    return [(path.stem, plates.of(photo.read(path))) for path in files]


@cache
def frames(data: Path) -> dict[tuple[int, str], Frame]:
    """Each person through a few looks, seed 1."""
    out = {}
    for index, (_, plate) in enumerate(people(data)):
        enlarger = Enlarger(plate, Framing(), SIZE)
        for name, look in LOOKS.items():
            out[index, name] = enlarger.develop(rig.of(look), 1)
    return out


def sight_of(frame: Frame, plate: Plate) -> tuple[sights.Sight, sights.Head]:
    sight = sights.Sight(frame.pixels)
    return sight, sights.by_plate(sight, plate, frame.placement, "placement", 0.0)


# Low key: a logistic regression with a doubt band.


def tone_features(pixels: np.ndarray) -> list[float]:
    found = tones.of_frame(sights.Sight(pixels))
    return [m.number for m in (found["low_key_index"], found["surround_dark_share"]) if isinstance(m, Measure)]


def logistic(x: np.ndarray, y: np.ndarray, ridge: float = 0.003) -> np.ndarray:
    """Weights f64[k + 1] of the log odds, the two kinds weighing alike; Newton's method on standardised features."""
    middle, spread = x.mean(0), x.std(0)
    z = np.column_stack([(x - middle) / spread, np.ones(len(x))])
    share = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    w = np.zeros(z.shape[1])
    held = np.append(np.full(x.shape[1], ridge), 1e-6)
    for _ in range(60):
        p = 1 / (1 + np.exp(-z @ w))
        slope = z.T @ (share * (p - y)) / len(y) + held * w
        w -= np.linalg.solve((z * (share * p * (1 - p))[:, None]).T @ z / len(y) + np.diag(held), slope)
    return np.append(w[:-1] / spread, w[-1] - (w[:-1] * middle / spread).sum())


def low_key(data: Path) -> str:
    """Tones and surround, fitted on a half, on all but one, and on one collection for another; and what spoils a file."""
    rows = [(half, one, shrunk(photo.read(one.path).pixels)) for half, one in pictures(data) if one.low_key != "doubtful"]
    x = np.array([tone_features(pixels) for _, _, pixels in rows])
    y = np.array([one.low_key == "yes" for _, one, _ in rows])
    half = np.array([h for h, _, _ in rows])
    here = np.array([one.collection == "reference data" for _, one, _ in rows])
    out = ["| fitted on | reported on | pictures | low-key among them | answered | wrong |", "|---|---|---|---|---|---|"]

    def said(name: str, other: str, odds: np.ndarray, truth: np.ndarray) -> None:
        sure = np.log(tones.SURE / (1 - tones.SURE))
        told = np.abs(odds) >= sure
        wrong = int((told & ((odds > 0) != truth)).sum())
        out.append(f"| {name} | {other} | {len(truth)} | {int(truth.sum())} | {int(told.sum())} ({100 * told.mean():.0f} %) | {wrong} |")

    def odds_of(w: np.ndarray, some: np.ndarray) -> np.ndarray:
        return np.asarray(some @ w[:-1] + w[-1])

    for which, name in BOTH:
        w = logistic(x[half == which], y[half == which])
        said(f"{name} half", "the other", odds_of(w, x[half != which]), y[half != which])
    if (~here).any():
        said("reference data", "the other collections", odds_of(logistic(x[here], y[here]), x[~here]), y[~here])
        said("the other collections", "reference data", odds_of(logistic(x[~here], y[~here]), x[here]), y[here])
    left_out = np.array([odds_of(logistic(np.delete(x, i, 0), np.delete(y, i)), x[i : i + 1])[0] for i in range(len(y))])
    said("all but one", "that one, in turn", left_out, y)
    rng = np.random.default_rng(4)
    for name in ("half a stop darker or lighter", "cropped to 80 %", "JPEG of quality 40", "a third as large"):
        spoiled = np.array([tone_features(_changed(pixels, name, rng)) for _, _, pixels in rows])
        each = np.zeros(len(y))
        for which, _ in BOTH:
            each[half != which] = odds_of(logistic(x[half == which], y[half == which]), spoiled[half != which])
        said("either half", f"the other, {name}", each, y)
    dark = np.array([tone_features(frame.pixels) for frame in frames(data).values()])
    for which, name in BOTH:
        w = logistic(x[half == which], y[half == which])
        said(f"{name} half", "frames of the darkroom", odds_of(w, dark), np.ones(len(dark), bool))
    w = logistic(x, y)
    out += ["", f"Fitted on all: log odds {w[0]:.1f} times the index + {w[1]:.1f} times the dark share of the surround {w[2]:+.1f}."]
    return "\n".join(out)


def _changed(pixels: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    codes = np.asarray(pixels >> 8 if pixels.dtype == np.uint16 else pixels, np.uint8)
    h, w = codes.shape[:2]
    if how.startswith("half"):
        light = (codes / 255.0) ** 2.2 * 2 ** rng.choice([-0.5, 0.5])
        return np.asarray(np.round(255 * np.clip(light, 0, 1) ** (1 / 2.2)), np.uint8)
    if how.startswith("cropped"):
        top, left = (int(rng.integers(0, side // 5 + 1)) for side in (h, w))
        return np.ascontiguousarray(codes[top : top + 4 * h // 5, left : left + 4 * w // 5])
    if how.startswith("JPEG"):
        return jpeg(codes, 40)
    return np.asarray(cv2.resize(codes, (w // 3, h // 3), interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(codes: np.ndarray, quality: int) -> np.ndarray:
    held = io.BytesIO()
    Image.fromarray(codes).save(held, "JPEG", quality=quality)
    held.seek(0)
    return np.array(Image.open(held))


# Sides and lights: one threshold each, the middle of the run of values that errs least on the half.


def least_wrong(values: np.ndarray, wrong: list[int]) -> float:
    """The middle of the longest run of values with the fewest errors."""
    best, runs = min(wrong), []
    for value, count in zip(values, wrong, strict=True):
        if count != best:
            runs.append([])
        else:
            (runs := runs or [[]])[-1].append(float(value))
    longest = max(runs, key=len)
    return (longest[0] + longest[-1]) / 2


def sides(data: Path) -> str:
    """The lit side, on pictures that an eye judged, on path-traced heads and on frames of the darkroom."""
    items: list[tuple[int, str, keys.Balance, Any, str]] = []
    labelled = [one for _, one in pictures(data) if one.side in ("left", "right", "none")]
    for index, one in enumerate(sorted(labelled, key=lambda one: one.path.name)):
        sight = sights.Sight(shrunk(photo.read(one.path).pixels))
        head = register.find(sight, None, None, None)
        if not isinstance(head, str):
            key = _key(sight, head)
            items.append((index % 2, "pictures judged by eye", keys.balance(sight, head, key), key, one.side))
    for index, folder in enumerate(sorted(p for p in (data / "ground_truth").iterdir() if (p / "meta.json").is_file())):
        plate = plates.of(photo.read(folder / "input.png"))
        for name, truth in (("rear-right", "right"), ("side-left", "left"), ("rembrandt-right", "right")):
            sight = sights.Sight(photo.read(folder / f"{name}.png").pixels)
            head = sights.by_plate(sight, plate, plate.window.inverse(), "placement", 0.0)
            key = _key(sight, head)
            items.append((index % 2, "path-traced heads", keys.balance(sight, head, key), key, truth))
    for (index, name), frame in frames(data).items():
        sight, head = sight_of(frame, people(data)[index][1])
        key = _key(sight, head)
        items.append((index % 2, "frames of the darkroom", keys.balance(sight, head, key), key, "left" if name == "left" else "right"))
    grid = np.arange(0.2, 1.21, 0.05)

    def said(flat: float, spread: keys.Balance, key: Any) -> str | None:
        with setting(keys, FLAT_STOPS=flat, EDGE_SIDE_STOPS=2 * flat):
            return keys._side(spread, key)

    out = ["| fitted on | threshold (stops) | reported on | pictures | right | wrong | cannot judge |", "|---|---|---|---|---|---|---|"]
    for which, name in BOTH:
        fit = [one for one in items if one[0] == which]
        wrong = [sum(said(t, s, k) not in (truth, None) for _, _, s, k, truth in fit) for t in grid]
        at = least_wrong(grid, wrong)
        for kind in dict.fromkeys(one[1] for one in items):
            rest = [(said(at, s, k), truth) for half, group, s, k, truth in items if half != which and group == kind]
            right, none = sum(a == b for a, b in rest), sum(a is None for a, _ in rest)
            out.append(f"| {name} half | {at:.2f} | the other: {kind} | {len(rest)} | {right} | {len(rest) - right - none} | {none} |")
    out += ["", f"The meter's own threshold is {keys.FLAT_STOPS:g} stops."]
    return "\n".join(out)


def _key(sight: sights.Sight, head: sights.Head) -> keys.Key | None:
    told = keys.key_of(sight, head)
    return None if isinstance(told, str) else told


def lights(data: Path) -> str:
    """One lamp or two: the rise of light where the key cannot reach."""
    items = []
    for index, (_, plate) in enumerate(people(data)):
        enlarger, asked = Enlarger(plate, Framing(), SIZE), rig.of(Look())
        for share in (0.0, 0.15, 0.4):
            across = Source(Direction(-80, 15), tuple(share * v for v in asked.key.irradiance_rgb))  # type: ignore[arg-type]
            frame = enlarger.develop(replace(asked, extra=(*asked.extra, across)) if share else asked, 2)
            sight, head = sight_of(frame, plate)
            items.append((index % 2, share, keys.balance(sight, head, _key(sight, head))))
    grid = np.arange(0.2, 1.41, 0.05)

    def two(at: float, spread: keys.Balance) -> bool:
        with setting(keys, RISE_STOPS=at):
            return keys.two_lights(spread)

    out = ["| fitted on | threshold (stops) | one lamp, said one | second at .15, said two | second at .4, said two |",
           "|---|---|---|---|---|"]  # fmt: skip
    for which, name in BOTH:
        fit = [(share, s) for half, share, s in items if half == which and share != 0.15]
        at = least_wrong(grid, [sum(two(t, s) != (share > 0) for share, s in fit) for t in grid])
        cells = []
        for wanted in (0.0, 0.15, 0.4):
            rest = [two(at, s) == (share > 0) for half, share, s in items if half != which and share == wanted]
            cells.append(f"{sum(rest)} of {len(rest)}")
        out.append(f"| {name} half | {at:.2f} | {' | '.join(cells)} |")
    out += ["", f"The meter's own threshold is {keys.RISE_STOPS:g} stops."]
    return "\n".join(out)


# Texture: each threshold halfway between the kinds.


def texture_kinds(data: Path) -> str:
    """What spoils the texture, named, with every threshold halfway between the kinds on the half it was fitted on."""
    rng = np.random.default_rng(3)
    items = []
    for (index, name), frame in frames(data).items():
        if name == "left":
            continue
        codes = np.asarray(frame.pixels // 257, np.uint8)
        soft = cv2.GaussianBlur(codes, (0, 0), 1.6)
        spoiled = {
            "film grain": codes, "jpeg blocks": jpeg(codes, 30), "banding": np.asarray(soft // 10 * 10, np.uint8),
            "chroma noise": np.asarray(np.clip(soft + rng.normal(0, 7, codes.shape), 0, 255), np.uint8),
            "plastic": cv2.bilateralFilter(codes, 9, 25, 5),
        }  # fmt: skip
        plate = people(data)[index][1]
        for truth, pixels in spoiled.items():
            sight = sights.Sight(pixels)
            head = sights.by_plate(sight, plate, frame.placement, "placement", 0.0)
            found = texture.of_texture(sight, head, tones.sides(sight, head))
            tiles = texture._Tiles(sight.code)
            items.append((index % 2, truth, found, float(np.median(tiles.rms[tiles.tone > 4]))))

    def between(which: int, measure_name: str, kind: str) -> float:
        here = [(truth, found[measure_name]) for half, truth, found, _ in items if half == which]
        values = [(truth == kind, m.number) for truth, m in here if isinstance(m, Measure)]
        inside, outside = [v for is_kind, v in values if is_kind], [v for is_kind, v in values if not is_kind]
        if kind == "plastic":
            outside = [m.number for truth, m in here if truth == "film grain" and isinstance(m, Measure)]
            return (max(inside) + min(outside)) / 2
        return (min(inside) + max(v for v in outside if v < min(inside))) / 2

    out = ["| fitted on | thresholds | reported on | frames | right | wrong | cannot judge |", "|---|---|---|---|---|---|---|"]
    for which, name in BOTH:
        pores = between(which, "skin_kept_share", "plastic")
        fitted = {
            "BLOCKY": between(which, "jpeg_blockiness", "jpeg blocks"), "BANDED": between(which, "banding_share", "banding"),
            "COLOURED": between(which, "grain_chroma_share", "chroma noise"), "PORES_LOST": pores - 0.05, "PORES_KEPT": pores + 0.05,
        }  # fmt: skip
        told = "blocks {BLOCKY:.2f}, bands {BANDED:.2f}, colour {COLOURED:.2f}, pores".format(**fitted) + f" {pores:.2f}"
        with setting(texture, **fitted):
            for kind in dict.fromkeys(one[1] for one in items):
                rest = [texture._kind(found, rough) for half, truth, found, rough in items if half != which and truth == kind]
                right, none = sum(one == kind for one in rest), sum(not isinstance(one, str) for one in rest)
                out.append(f"| {name} half | {told} | the other: {kind} | {len(rest)} | {right} | {len(rest) - right - none} | {none} |")
    lost = (texture.PORES_LOST + texture.PORES_KEPT) / 2
    out += ["", f"The meter's own: blocks {texture.BLOCKY:g}, bands {texture.BANDED:g}, colour {texture.COLOURED:g}, pores {lost:g}."]
    return "\n".join(out)


# Likeness: halfway between a person and the nearest stranger.


def likeness(data: Path) -> str:
    """Own frames and strangers', people of one half only, the border halfway between the farthest own and the nearest stranger."""
    everybody = people(data)
    who = ["obama" if name.startswith("obama") else name for name, _ in everybody]
    items: list[tuple[int, bool, float]] = []
    for (index, name), frame in frames(data).items():
        if name == "left":
            continue
        plate = everybody[index][1]
        sight, head = sight_of(frame, plate)
        others = [i for i in range(len(everybody)) if i % 2 == index % 2 and who[i] != who[index]]
        for other in (index, *others[:: 1 if name == "house" else 3]):
            found = likenesses.of_likeness(sight, head, everybody[other][1])["likeness_distance"]
            if isinstance(found, Measure):
                items.append((index % 2, other == index, found.number))
    out = ["| fitted on | border | reported on | pairs | right | wrong | cannot judge |", "|---|---|---|---|---|---|---|"]
    for which, name in BOTH:
        own, strange = ([d for half, same, d in items if half == which and same is wanted] for wanted in (True, False))
        border = (np.percentile(own, 95) + np.percentile(strange, 5)) / 2
        for wanted, kind in ((True, "the person's own"), (False, "strangers")):
            rest = np.array([d for half, same, d in items if half != which and same is wanted])
            none = int((np.abs(rest - border) < 0.03).sum())
            right = int(((rest <= border - 0.03) if wanted else (rest >= border + 0.03)).sum())
            out.append(f"| {name} half | {border:.2f} | the other: {kind} | {len(rest)} | {right} | {len(rest) - right - none} | {none} |")
    own_border = (likenesses.PROBABLY + likenesses.OTHER) / 2
    own = f"The meter's own border is {own_border:.2f} with a doubt band of .03 to either side"
    out += ["", f"{own}; up to {likenesses.SAME:g} it says same."]
    return "\n".join(out)


# Warmth and dust: slopes and shares.


def warmth(data: Path) -> str:
    """How much of a skin's own colour is in a print of it, and how far people then differ under one lamp."""
    rows = []
    for (index, name), frame in frames(data).items():
        plate = people(data)[index][1]
        sight, head = sight_of(frame, plate)
        lit = tones.sides(sight, head).lit
        low, high = terminator.COLOURED_CODES
        coloured = lit & (sight.smooth >= low) & (sight.smooth < high)
        own = terminator.skin_colour(plate)
        if own is not None and coloured.sum() > 50:
            seen = np.median(sight.linear[coloured], axis=0)
            rows.append((index % 2, name, np.log(own[0] / own[2]), seen, own))
    out = ["| fitted on | keeps | reported on | people | spread against the skin's whole colour (mired) | against what is kept |",
           "|---|---|---|---|---|---|"]  # fmt: skip
    for which, half in BOTH:
        slopes = []
        for name in LOOKS:
            x, y = zip(*[(own, np.log(seen[0] / seen[2])) for h, n, own, seen, _ in rows if h == which and n == name], strict=True)
            slopes.append(np.polyfit(x, y, 1)[0])
        keeps = float(np.mean(slopes))
        for name in LOOKS:
            rest = [(seen, own) for h, n, _, seen, own in rows if h != which and n == name]
            whole = [terminator.mired(seen / np.array(own)) for seen, own in rest]
            with setting(terminator, KEEPS=(keeps,) * len(terminator.KEEPS)):
                kept = [terminator.mired(seen / terminator.printed(own, 100.0)[0]) for seen, own in rest]
            out.append(f"| {half} half | {keeps:.2f} | the other: {name} | {len(rest)} | {np.std(whole):.0f} | {np.std(kept):.0f} |")
    out += ["", f"The meter's own share is {terminator.KEEPS[0]:g} up to code {terminator.KEEPS_CODES[0]:g}."]
    return "\n".join(out)


def dust(data: Path) -> str:
    """Motes counted over motes that the rig scattered."""
    out = ["| height (px) | fitted on | share seen | reported on | people | share seen | spread |", "|---|---|---|---|---|---|---|"]
    for size in (SIZE, (1024, 1280)):
        shares = []
        some = people(data) if size == SIZE else people(data)[:6]
        for index, (_, plate) in enumerate(some):
            frame = frames(data)[index, "house"] if size == SIZE else Enlarger(plate, Framing(), size).develop(rig.of(Look()), 1)
            found = measure(frame, plate).number("motes_per_fh2")
            if found is not None and found > 100:
                shares.append((index % 2, found / frame.rig.motes.per_fh2))
        for which, name in BOTH:
            one, other = ([s for half, s in shares if (half == which) is wanted] for wanted in (True, False))
            said = f"{name} half | {np.mean(one):.2f} | the other | {len(other)} | {np.mean(other):.2f} | {np.std(other):.2f}"
            out.append(f"| {size[1]} | {said} |")
    return "\n".join(out)


PARTS: dict[str, tables.Part] = {
    "low-key": low_key, "sides": sides, "lights": lights, "texture": texture_kinds, "likeness": likeness,
    "warmth": warmth, "dust": dust,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(tables.run(PARTS, __doc__ or ""))
