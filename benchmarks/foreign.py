"""Frames that nobody registered: is the reference found in them by the lit contour, and are lids read from the picture alone?

    python benchmarks/foreign.py [--shared FOLDER] [--write docs/meter.md] [PART...]

PART is any of contour, lids; both take some eight minutes. Frames are moved, scaled and cropped by known amounts, drawn from a seed
that was not used while the method was made; the constants were set on other draws of the same heads and people.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tables

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing, Placement
from lowkey.look import Look
from lowkey.meter import CannotJudge, contour, direction, measure, register
from lowkey.meter import sight as sights
from lowkey.plate import meshes
from lowkey.plate.plate import Plate
from lowkey.session import plates

SEED = 2028
FACE = (33, 263, 152, 10)
LOOKS = {
    "full backlight": Look(light="full backlight"),
    "house": Look(),
    "house, no lamp": Look(flare="no flare"),
    "overhead hatchlight": Look(light="overhead hatchlight"),
}
DRAWS = 6


def moved(pixels: np.ndarray, at: Placement, rng: np.random.Generator) -> tuple[np.ndarray, Placement]:
    """The frame scaled by .6 to 1.4 about its middle and shifted by up to an eighth of itself, and where the plate then lies."""
    h, w = pixels.shape[:2]
    k = float(rng.uniform(0.6, 1.4))
    right, down = (float(v) for v in rng.uniform(-0.125, 0.125, 2))
    m = np.array([[k, 0, w / 2 * (1 - k) + right * w], [0, k, h / 2 * (1 - k) + down * h]])
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    out = cv2.warpAffine(pixels, m, (w, h), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out), Placement(k, float(m[0, 2]), float(m[1, 2])) @ at


class Tally:
    """What came of a set of frames."""

    def __init__(self) -> None:
        self.frames = 0
        self.off: list[tuple[float, float]] = []
        self.light: list[tuple[float, float]] = []

    def row(self, name: str) -> str:
        off = [a for a, _ in self.off]
        cells = [f"{np.median(off):.3f}", f"{max(off):.3f}"] if off else ["", ""]
        inside = f"{sum(a < 2 * s for a, s in self.off)} of {len(self.off)}" if off else ""
        light = f"{np.median([a for a, _ in self.light]):.1f}" if self.light else ""
        sure = f"{sum(a < 2 * s for a, s in self.light)} of {len(self.light)}" if self.light else ""
        return f"| {name} | {self.frames} | {len(off)} | {cells[0]} | {cells[1]} | {inside} | {light} | {sure} |"


def away(found: Placement, true: Placement, plate: Plate) -> float:
    """How far the face lies off, head-widths, root mean square over eyes, chin and brow."""
    face = plate.landmarks[list(FACE), :2]
    off = found.points(face) - true.points(face)
    return float(np.sqrt(np.square(off).sum(1).mean())) / (true.scale * plate.hw_px)


def laid(other: Plate, plate: Plate, at: Placement) -> Placement:
    """Where a stranger's plate would lie, to have eyes, chin and brow on this person's."""
    a, b = other.landmarks[list(FACE), :2], at.points(plate.landmarks[list(FACE), :2])
    scale = at.scale * plate.hw_px / other.hw_px
    shift = b.mean(0) - scale * a.mean(0)
    return Placement(scale, float(shift[0]), float(shift[1]))


def tried(tally: Tally, pixels: np.ndarray, true: Placement, plate: Plate, at: Any = None) -> None:
    sight = sights.Sight(pixels)
    tally.frames += 1
    found = contour.find(sight, plate)
    if found is None or found.doubt:
        return
    tally.off.append((away(found.placement, true, plate), found.sigma_hw))
    if at is not None:
        slack = register.contour_slack_deg(found)
        key = direction.key_of(sight, sights.by_plate(sight, plate, found.placement, "the lit contour", slack))
        if not isinstance(key, str) and key.sigma_deg <= direction.LOST_DEG:
            angle = float(np.degrees(np.arccos(np.clip(key.direction @ np.array(at), -1, 1))))
            tally.light.append((angle, key.sigma_deg))


def by_contour(data: Path) -> str:
    """Path-traced heads and whole frames, their placement withheld."""
    rng = np.random.default_rng(SEED)
    out = ["| frames, moved and scaled | frames | believed | off (hw) | worst (hw) | within 2 sigma | light off (deg) | within 2 sigma |",
           "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    several = [plates.of(photo.read(path)) for path in files]
    heads: dict[str, Tally] = {}
    strangers, far = Tally(), Tally()
    for folder in sorted(p for p in (data / "ground_truth").iterdir() if (p / "meta.json").is_file()):
        lights = json.loads((folder / "meta.json").read_text())["lights"]
        plate = plates.of(photo.read(folder / "input.png"))
        for name in ("rear-right", "backlight", "side-left"):
            pixels = photo.read(folder / f"{name}.png").pixels
            for _ in range(DRAWS):
                tally = heads.setdefault(f"path-traced, {name}", Tally())
                tried(tally, *moved(pixels, plate.window.inverse(), rng), plate, lights[name]["dir"])
            for other in several:
                tried(far, pixels, laid(other, plate, plate.window.inverse()), other)
    out += [tally.row(name) for name, tally in heads.items()]
    looks: dict[str, Tally] = {}
    for plate in several:
        enlarger = Enlarger(plate, Framing(), (512, 640))
        for name, look in LOOKS.items():
            frame = enlarger.develop(rig.of(look), 1)
            tried(looks.setdefault(f"darkroom, {name}", Tally()), *moved(frame.pixels, frame.placement, rng), plate)
            if name == "full backlight":
                for other in several:
                    if other is not plate:
                        tried(strangers, frame.pixels, laid(other, plate, frame.placement), other)
    out += [tally.row(name) for name, tally in looks.items()]
    out += [strangers.row("somebody else's outline, full backlight"), far.row("somebody else's outline, path-traced heads")]
    return "\n".join(out)


def shut(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Eyes painted shut: the openings filled in from the skin around them, a line of lashes along the lower rim."""
    out, opening = pixels.copy(), np.zeros(pixels.shape[:2], np.uint8)
    for rim in meshes.EYES:
        line = points[list(rim), :2]
        middle = line.mean(0)
        cv2.fillPoly(opening, [np.round(middle + (line - middle) * np.array([1.12, 1.5])).astype(np.int32)], 1)
    skin = np.median(pixels[cv2.dilate(opening, np.ones((9, 9), np.uint8)) > opening], axis=0)
    out = np.asarray(cv2.inpaint(out, opening, 5, cv2.INPAINT_TELEA), np.uint8)
    for rim in meshes.EYES:
        line = points[list(rim), :2]
        low = line[line[:, 1] > line[:, 1].mean()]
        low = low[np.argsort(low[:, 0])]
        width = max(int(0.03 * np.ptp(line[:, 0])), 1)
        cv2.polylines(out, [np.round(low).astype(np.int32)], False, [int(v) for v in 0.35 * skin], width, cv2.LINE_AA)
    return out


def lids(data: Path) -> str:
    """Open and closed eyes, read from the picture alone."""
    said: dict[str, list[str]] = {}

    def told(kind: str, pixels: np.ndarray) -> None:
        found = measure(pixels)["eyes_closed"]
        said.setdefault(kind, []).append("cannot judge" if isinstance(found, CannotJudge) else "closed" if found.value else "open")

    for folder in sorted(p for p in (data / "ground_truth").iterdir() if (p / "meta.json").is_file()):
        kind = "closed, path-traced scan" if folder.name.startswith("lps") else "open, path-traced"
        for name in ("input", "side-left", "rembrandt-right", "overhead", "rear-right"):
            told(kind + (", soft light" if name == "input" else ", hard light"), photo.read(folder / f"{name}.png").pixels)
    files = sorted(p for p in (data / "portraits" / "real").iterdir() if p.suffix in {".jpg", ".png"})
    others: list[Path] = []
    if more := os.environ.get("LOWKEY_MORE"):
        # Faces that look at the camera, without dark glasses.
        numbers = (1, 5, 6, 9, 11, 16, 25, 30, 35, 47, 58, 68, 72, 76, 82, 87, 96)
        folder = Path(more) / "interfaces" / "1000 x 1000"
        files += [folder / f"{number:03d}.jpg" for number in numbers]
        others = sorted(path for path in folder.glob("*.jpg") if path not in files)
    chosen = set(files)
    for path in files + others:
        pixels = photo.read(path).pixels
        k = min(1.0, 1000 / max(pixels.shape[:2]))
        pixels = np.ascontiguousarray(cv2.resize(pixels, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        told("open, photos" if path in chosen else "as they are, other photos", pixels)
        head = register.find(sights.Sight(pixels), None, None, None)
        if not isinstance(head, str):
            told("closed, photos painted shut" if path in chosen else "closed, other photos painted shut", shut(pixels, head.points))
    out = ["| eyes | pictures | said open | said closed | cannot judge |", "|---|---|---|---|---|"]
    for kind, words in said.items():
        out.append(f"| {kind} | {len(words)} | {' | '.join(str(words.count(word)) for word in ('open', 'closed', 'cannot judge'))} |")
    return "\n".join(out)


PARTS: dict[str, tables.Part] = {"contour": by_contour, "lids": lids}

if __name__ == "__main__":
    sys.exit(tables.run(PARTS, __doc__ or ""))
