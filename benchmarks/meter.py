"""Does the light meter hold? Its directions, its faults and its speed, measured, as Markdown tables.

    python benchmarks/meter.py [--shared FOLDER] [--write docs/meter.md] [PART...]

PART is any of definitions, bust, heads, portraits, faults, speed; without one all are run (some ten minutes on an idle core).
--write puts each table between the page's own markers. Thresholds fitted on halves: halves.py; frames of others: foreign.py.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tables

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.darkroom.light import Relight
from lowkey.frame import Frame, Framing, Placement
from lowkey.look import Look
from lowkey.meter import CannotJudge, Reading, catalogue, measure
from lowkey.meter import direction as keys
from lowkey.meter import sight as sights
from lowkey.pixels import srgb_decode, srgb_encode
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source
from lowkey.session import plates

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
SIZE = (512, 640)
GRID = ((25, 10), (55, 35), (85, 15), (110, 25), (-40, 30), (-95, 20))


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
    """One good frame, spoiled in many ways: what the meter says of each, and of how many people's frames it says so."""
    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    several = [plates.of(photo.read(path)) for path in files]
    named: dict[str, list[str]] = {}
    for index, plate in enumerate(several):
        other = several[(index + 5) % len(several)]
        for fault, _, _, caught in _caught(plate, other, SIZE):
            named.setdefault(fault, []).append("" if caught else files[index].stem)
    page = next(index for index, path in enumerate(files) if path.stem == "obama_2012")
    out = [f"| planted fault | what gives it away | good frame | spoiled frame | named | of {len(files)} people | not named on |",
           "|---|---|---|---|---|---|---|"]  # fmt: skip
    for fault, what, said, caught in _caught(several[page], several[(page + 5) % len(several)], (1024, 1280)):
        missed = [name for name in named[fault] if name]
        told = "yes" if caught else "**no**"
        out.append(f"| {fault} | {what} | {said} | {told} | {len(files) - len(missed)} | {', '.join(missed)} |")
    return "\n".join(out)


def _caught(plate: Plate, other: Plate, size_px: tuple[int, int]) -> Iterator[tuple[str, str, str, bool]]:
    """Each fault on one person's frame: its name, the measures that tell, what they said before and after, and whether it was named."""
    enlarger, asked = Enlarger(plate, Framing(), size_px), rig.of(Look())
    good = enlarger.develop(asked, 3)
    base = measure(good, plate)
    for name, spoiled, placement, measures, named in _spoiled(good, plate, other, enlarger, asked):
        reading = measure(spoiled, plate, placement)
        was, now = ("; ".join(_said(one, m) for m in measures) for one in (base, reading))
        yield name, ", ".join(measures), f"{was} | {now}", bool(named(base, reading))


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
    fine = codes.shape[0] / 1280
    soft = cv2.GaussianBlur(codes, (0, 0), 1.6 * fine)
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
        ("plastic skin", cv2.bilateralFilter(codes, round(15 * fine) | 1, 40, 8 * fine), at, ["texture_kind", "skin_kept_share"],
         lambda a, b: b.word("texture_kind") == "plastic"),
        ("somebody else's face", stranger.pixels, None, ["likeness", "likeness_distance"], lambda a, b: b.word("likeness") == "not"),
        ("landscape crop", codes[top : top + tall], Placement(at.scale, at.tx, at.ty - top), ["frame_aspect"],
         lambda a, b: n(b, "frame_aspect") > 1),
        ("too frontal", frontal.pixels, frontal.placement, ["key_azimuth_deg"], lambda a, b: n(b, "key_azimuth_deg") < 60),
        ("underexposed by 2 EV", shown(linear / 4), at, ["highlight_code", "frame_black_share"], lambda a, b: n(b, "highlight_code") < 140),
    ]  # fmt: skip


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


def _jpeg(codes: np.ndarray, quality: int) -> np.ndarray:
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(codes).save(held, "JPEG", quality=quality)
    held.seek(0)
    return np.array(Image.open(held))


PARTS: dict[str, tables.Part] = {
    "definitions": definitions, "bust": bust, "heads": heads, "portraits": portraits, "faults": faults, "speed": speed,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(tables.run(PARTS, __doc__ or ""))
