"""Does the light meter hold? Every claim of docs/meter.md, measured, as Markdown tables.

    python benchmarks/meter.py [--shared FOLDER] [--write docs/meter.md] [PART...]

PART is any of definitions, low-key, bust, heads, portraits, faults, likeness, speed; without one all are run (some ten minutes).
--write puts each table between the page's own markers. What was chosen with which pictures in view is said on the page.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.darkroom.light import Relight
from lowkey.frame import Frame, Framing, Placement
from lowkey.look import Look
from lowkey.meter import CannotJudge, Measure, Reading, catalogue, measure
from lowkey.meter import direction as keys
from lowkey.meter import sight as sights
from lowkey.pixels import srgb_decode, srgb_encode
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source
from lowkey.session import plates

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
SIZE = (512, 640)
GRID = ((25, 10), (55, 35), (85, 15), (110, 25), (-40, 30), (-95, 20))
CONFIDENT = {"high", "medium"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("LOWKEY_SHARED", "../shared")))
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    data = args.shared / "data"
    if not data.is_dir():
        print(f"{data} is not there: set LOWKEY_SHARED or --shared", file=sys.stderr)
        return 2
    for name in args.parts or PARTS:
        table = PARTS[name](data)
        print(f"\n## {name}\n\n{table}", flush=True)
        if args.write:
            page = args.write.read_text()
            mark = f"<!-- {name} -->"
            page = re.sub(f"{mark}.*?{mark}", lambda _, m=mark, t=table: f"{m}\n{t}\n{m}", page, flags=re.DOTALL)
            args.write.write_text(page)
    return 0


def low_key(data: Path) -> str:
    """Low-key pictures against ordinary and high-key ones, and the lit side against what an eye saw."""
    root = data / "portraits"
    rows, sides = [], []
    for kind, wanted in (("lowkey", True), ("real", False), ("refuse_or_warn", False)):
        names = sorted(p for p in (root / kind).iterdir() if p.suffix != ".csv" and (kind != "refuse_or_warn" or p.name.startswith("hk_")))
        seen = {r["file"]: r for r in csv.DictReader((root / kind / "SOURCES.csv").open())}
        for index, path in enumerate(names):
            reading = measure(_shrunk(photo.read(path).pixels))
            rows.append((index % 2, wanted, reading.low_key, reading.number("low_key_index"), path.name))
            if kind == "lowkey":
                sides.append((path.name, seen[path.name]["lit_side_seen"], seen[path.name]["confidence"], reading))
    out = ["| set | pictures | answered | right | wrong |", "|---|---|---|---|---|"]
    for name, chosen in (("reported half", [r for r in rows if r[0]]), ("all", rows)):
        told = [r for r in chosen if r[2] is not None]
        right = sum(r[1] == r[2] for r in told)
        out.append(f"| {name} | {len(chosen)} | {len(told)} ({100 * len(told) / len(chosen):.0f} %) | {right} | {len(told) - right} |")
    fitted = [r for r in rows if not r[0]]
    between = (min(r[3] for r in fitted if r[1]) + max(r[3] for r in fitted if not r[1])) / 2
    wrong = sum((r[3] >= between) != r[1] for r in rows if r[0])
    out += ["", f"One threshold laid midway on the first half ({between:.2f}) is wrong on {wrong} of the {len(rows) - len(fitted)} others."]
    low = min(r[3] for r in rows if r[1])
    high = max(r[3] for r in rows if not r[1])
    out += ["", f"Lowest index of a low-key picture {low:.2f}, highest of any other {high:.2f}.", ""]
    out += ["| low-key picture | seen by eye | confidence | lit side | lights | azimuth |", "|---|---|---|---|---|---|"]
    for name, eye, sure, reading in sides:
        said = " | ".join(_said(reading, measure) for measure in ("lit_side", "lights", "key_azimuth_deg"))
        out.append(f"| {name} | {eye} | {sure} | {said} |")
    return "\n".join(out)


def bust(_: Path) -> str:
    """200 directions on an analytic bust of skin, shadows and shine included."""
    import bust as form

    plate, bench = form.plate(72.0), Relight(form.subject(72.0, specular=0.035, skin=1.0))
    rng = np.random.default_rng(7)
    cases = []
    for _n in range(200):
        at = Direction(float(rng.uniform(-130, 130)), float(rng.uniform(-10, 60)))
        light = bench.source(Source(at))
        gain = 0.56 / max(float(np.percentile(light[light[..., 1] > 0.02 * light.max()], 90)), 1e-4)
        pixels = np.asarray(srgb_encode(np.clip(light * gain, 0, 1)) * 65535, np.uint16)
        cases.append(_direction(pixels, plate, Placement(1, 0, 0), at))
    return _directions([("every other direction", cases[1::2]), ("all 200", cases)])


def heads(data: Path) -> str:
    """Path-traced heads, their light not ours: normals from the scan of the unlit photo."""
    cases, rows = [], []
    behind = []
    for folder in sorted(p for p in (data / "ground_truth").iterdir() if (p / "meta.json").is_file()):
        lights = json.loads((folder / "meta.json").read_text())["lights"]
        plate = plates.of(photo.read(folder / "input.png"))
        for name in ("rear-right", "side-left", "rembrandt-right", "overhead", "backlight"):
            at = Direction(*lights[name]["az_el"])
            case = _direction(photo.read(folder / f"{name}.png").pixels, plate, plate.window.inverse(), at)
            (behind if name == "backlight" else cases).append(case)
            told = "cannot judge" if case[0] is None else f"{case[0]:.1f} | {case[1]:.1f}"
            rows.append(f"| {folder.name} | {name} | {told if '|' in told else told + ' | '} | {case[2]} |")
    table = ["| head | light | error (deg) | own sigma (deg) | lit side |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join(table) + "\n" + _directions([("12 pictures, backlight left out", cases), ("3 backlit pictures", behind)])


def portraits(data: Path) -> str:
    """Every portrait relit by the darkroom from a grid of directions: whole frames, with rim, fill, lens, film and dust."""
    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    first, second, motes = [], [], []
    for index, path in enumerate(files):
        plate = plates.of(photo.read(path))
        enlarger = Enlarger(plate, Framing(), SIZE)
        for seed, at in enumerate(GRID, 1):
            frame = enlarger.develop(rig.of(Look(light=f"{at[0]}, {at[1]}")), seed)
            assert isinstance(frame.rig.key.direction, Direction)
            case = _direction(frame.pixels, plate, frame.placement, frame.rig.key.direction)
            (second if index % 2 else first).append(case)
            if seed == 3:
                found = measure(frame, plate).number("motes_per_fh2")
                if found is not None:
                    motes.append(found / frame.rig.motes.per_fh2)
    middle, low, high = np.median(motes), min(motes), max(motes)
    share = f"\nMotes counted over motes that the rig scattered, 640 px high: median {middle:.2f}, {low:.2f} to {high:.2f}."
    return _directions([("reported half", second), (f"all {len(files)} portraits", first + second)]) + "\n" + share


def faults(data: Path) -> str:
    """One good frame, spoiled in ten ways: what the meter says of each."""
    real = data / "portraits" / "real"
    plate, other = (plates.of(photo.read(real / name)) for name in ("obama_2012.jpg", "woman_hijab.jpg"))
    enlarger = Enlarger(plate, Framing(), (1024, 1280))
    asked = rig.of(Look())
    good = enlarger.develop(asked, 3)
    out = ["| planted fault | what gives it away | good frame | spoiled frame | named |", "|---|---|---|---|---|"]
    base = measure(good, plate)
    for name, spoiled, placement, measures, named in _spoiled(good, plate, other, enlarger, asked):
        reading = measure(spoiled, plate, placement)
        said = "; ".join(f"{m} {_said(reading, m)}" for m in measures)
        was = "; ".join(_said(base, m) for m in measures)
        out.append(f"| {name} | {', '.join(measures)} | {was} | {said} | {'yes' if named(base, reading) else '**no**'} |")
    return "\n".join(out)


def _spoiled(good: Frame, plate: Plate, other: Plate, enlarger: Enlarger, asked: rig.Rig) -> list[tuple[Any, ...]]:
    """(name, pixels, placement, measures, test) of each planted fault."""
    codes = np.asarray(good.pixels // 257, np.uint8)
    linear, at = srgb_decode(codes / 255), good.placement
    skin = cv2.GaussianBlur(sights.by_plate(sights.Sight(codes), plate, at, "placement", 0).skin.astype(np.float32), (0, 0), 8)[..., None]
    rng = np.random.default_rng(3)
    assert isinstance(good.rig.key.direction, Direction)

    def shown(light: np.ndarray) -> np.ndarray:
        return np.asarray(np.round(srgb_encode(np.clip(light, 0, 1)) * 255), np.uint8)

    across = Source(Direction(-80, 15), tuple(0.4 * v for v in asked.key.irradiance_rgb))  # type: ignore[arg-type]
    two = enlarger.develop(replace(asked, extra=(*asked.extra, across)), 3)
    bare = enlarger.develop(replace(asked, motes=replace(asked.motes, per_fh2=0.0)), 3)
    frontal = enlarger.develop(rig.of(Look(light="35, 15")), 3)
    stranger = Enlarger(other, Framing(), good.shot.size_px).develop(asked, 3)
    soft = cv2.GaussianBlur(codes, (0, 0), 1.6)
    noisy = np.asarray(np.clip(soft + rng.normal(0, 7, codes.shape), 0, 255), np.uint8)
    top, tall = round(0.1 * codes.shape[0]), round(codes.shape[1] / 1.5)
    n: Callable[[Reading, str], float] = lambda r, m: r.number(m) if r.number(m) is not None else float("nan")  # noqa: E731
    return [
        ("blown cheek", shown(linear * (1 + 3 * skin)), at, ["face_clipped_share"], lambda a, b: n(b, "face_clipped_share") > 0.005),
        ("lifted shadow", np.asarray(40 + codes * (215 / 255), np.uint8), at, ["shadow_median_code", "lighting_ratio_stops"],
         lambda a, b: n(b, "shadow_median_code") > 50 and n(b, "lighting_ratio_stops") < 4),
        ("second light", two.pixels, at, ["lights", "lit_side"], lambda a, b: n(b, "lights") == 2),
        ("no motes", bare.pixels, at, ["motes_per_fh2"], lambda a, b: n(b, "motes_per_fh2") < 60),
        ("chroma noise for grain", noisy, at, ["texture_kind", "grain_chroma_share"],
         lambda a, b: b.word("texture_kind") == "chroma noise"),
        ("JPEG blocks", _jpeg(codes, 30), at, ["texture_kind", "jpeg_blockiness"], lambda a, b: b.word("texture_kind") == "jpeg blocks"),
        ("plastic skin", cv2.bilateralFilter(codes, 15, 40, 8), at, ["texture_kind", "grain_on_skin_codes"],
         lambda a, b: b.word("texture_kind") == "plastic"),
        ("somebody else's face", stranger.pixels, None, ["likeness", "likeness_distance"], lambda a, b: b.word("likeness") == "not"),
        ("landscape crop", codes[top : top + tall], Placement(at.scale, at.tx, at.ty - top), ["frame_aspect"],
         lambda a, b: n(b, "frame_aspect") > 1),
        ("too frontal", frontal.pixels, frontal.placement, ["key_azimuth_deg"], lambda a, b: n(b, "key_azimuth_deg") < 60),
        ("underexposed by 2 EV", shown(linear / 4), at, ["highlight_code", "frame_black_share"], lambda a, b: n(b, "highlight_code") < 140),
    ]  # fmt: skip


def likeness(data: Path) -> str:
    """Every portrait in the house's light against its own reference, and against three strangers' (same landmarks)."""
    from lowkey.meter.likeness import of_likeness

    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    people = [(path.stem.split("_")[0] if path.stem.startswith("obama") else path.stem, plates.of(photo.read(path))) for path in files]
    own, others = [], []
    for index, (who, plate) in enumerate(people):
        frame = Enlarger(plate, Framing(), SIZE).develop(rig.of(Look()), 1)
        sight = sights.Sight(frame.pixels)
        head = sights.by_plate(sight, plate, frame.placement, "placement", 0.0)
        own.append(of_likeness(sight, head, plate))
        strangers = [other for name, other in people[index + 1 :] + people[:index] if name != who]
        others += [of_likeness(sight, head, other) for other in strangers[::4]]
    out = ["| frames against | pairs | same | probably | cannot judge | not | distance, median (range) |", "|---|---|---|---|---|---|---|"]
    for name, found in (("their own reference", own), ("a stranger's", others)):
        words = [one["likeness"] for one in found]
        told = [one.value if isinstance(one, Measure) else "cannot judge" for one in words]
        away = [one["likeness_distance"].number for one in found if isinstance(one["likeness_distance"], Measure)]
        counts = " | ".join(str(told.count(word)) for word in ("same", "probably", "cannot judge", "not"))
        out.append(f"| {name} | {len(found)} | {counts} | {np.median(away):.2f} ({min(away):.2f} to {max(away):.2f}) |")
    return "\n".join(out)


def definitions(_: Path) -> str:
    """The catalogue itself."""
    out, group = [], ""
    for one in catalogue().values():
        if one.group != group:
            group = one.group
            out += ["", f"### {group.capitalize()}", "", "| measure | unit | what it is | after |", "|---|---|---|---|"]
        out.append(f"| `{one.name}` | {one.unit} | {one.meaning} | {one.source} |")
    return "\n".join(out[1:])


def speed(data: Path) -> str:
    """One 1024 x 1280 frame in a warm process, its reference scanned."""
    plate = plates.of(photo.read(data / "portraits" / "real" / "obama_2012.jpg"))
    frame = Enlarger(plate, Framing(), (1024, 1280)).develop(rig.of(Look()), 1)
    measure(frame, plate)
    times, own = [], []
    for _ in range(5):
        start, busy = time.perf_counter(), time.process_time()
        measure(frame, plate)
        times.append(time.perf_counter() - start)
        own.append(time.process_time() - busy)
    return f"Best of five: {min(times):.2f} s of the clock, {min(own):.2f} s of the processor (one thread)."


Case = tuple[float | None, float, str, bool, float]


def _direction(pixels: np.ndarray, plate: Plate, placement: Placement, at: Direction) -> Case:
    """Error and own sigma (deg; error None where it could not be judged), the side said, whether it is right, lights."""
    sight = sights.Sight(pixels)
    head = sights.by_plate(sight, plate, placement, "placement", 0.0)
    told = keys.key_of(sight, head)
    found = keys.of_light(sight, head, told)
    side = found["lit_side"]
    word = "cannot judge" if isinstance(side, CannotJudge) else str(side.value)
    x = at.vector[0]
    right = word == ("right" if x > 0 else "left") or (abs(x) < 0.3 and word in ("none", "left", "right"))
    lights = found["lights"]
    if isinstance(told, str) or isinstance(found["key_azimuth_deg"], CannotJudge):
        return None, 0.0, word, right, 0.0
    error = float(np.degrees(np.arccos(np.clip(told.direction @ np.array(at.vector), -1, 1))))
    return error, told.sigma_deg, word, right, 0.0 if isinstance(lights, CannotJudge) else lights.number


def _directions(sets: list[tuple[str, list[Case]]]) -> str:
    out = ["| set | frames | judged | right side | median error (deg) | 90 % (deg) | within 2 sigma | median sigma (deg) | one light |",
           "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, cases in sets:
        told = [c for c in cases if c[0] is not None]
        errors, sigmas = np.array([c[0] for c in told], float), np.array([c[1] for c in told])
        if not told:
            out.append(f"| {name} | {len(cases)} | 0 | | | | | | |")
            continue
        inside = f"{int((errors < 2 * sigmas).sum())} of {len(told)}"
        out.append(f"| {name} | {len(cases)} | {len(told)} | {sum(c[3] for c in cases)} | {np.median(errors):.1f} | "
                   f"{np.percentile(errors, 90):.1f} | {inside} | {np.median(sigmas):.1f} | {sum(c[4] == 1 for c in told)} |")  # fmt: skip
    return "\n".join(out)


def _said(reading: Reading, name: str) -> str:
    found = reading[name]
    if isinstance(found, CannotJudge):
        return "cannot judge"
    if isinstance(found.value, bool):
        return "yes" if found.value else "no"
    if isinstance(found.value, str):
        return found.value
    return f"{found.value:.3g}" + (f" ± {found.sigma:.2g}" if found.sigma is not None and "deg" in name else "")


def _shrunk(pixels: np.ndarray, longest: int = 1280) -> np.ndarray:
    k = min(1.0, longest / max(pixels.shape[:2]))
    return np.ascontiguousarray(cv2.resize(pixels, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else pixels)


def _jpeg(codes: np.ndarray, quality: int) -> np.ndarray:
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(codes).save(held, "JPEG", quality=quality)
    held.seek(0)
    return np.array(Image.open(held))


PARTS: dict[str, Callable[[Path], str]] = {
    "definitions": definitions,
    "low-key": low_key, "bust": bust, "heads": heads, "portraits": portraits, "faults": faults, "likeness": likeness, "speed": speed,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
