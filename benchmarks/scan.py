"""Lay out what scan read of every portrait, side by side, for the eye: do this before judging any picture.

One row a portrait: photo, matte over magenta, parts, normals, a shaded depth, albedo. Below each row, at 100 %, the three places
where hair is finest, over black (as the darkroom will show it) and over magenta.

    python benchmarks/scan.py --out /tmp/scan PHOTO ...        one PNG a portrait, and all.png with every row
    python benchmarks/scan.py --out /tmp/scan                  the portraits of $LOWKEY_SHARED
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np

from lowkey.errors import LowkeyError
from lowkey.photo import read
from lowkey.pixels import F32, U8, srgb_encode
from lowkey.plate import Plate, scan

TALL_PX, WISP_PX, WISPS = 460, 260, 3
MAGENTA = np.array([0.8, 0.0, 0.8], np.float32)
COLOURS = {
    "skin": (0.95, 0.55, 0.25),
    "hair": (0.5, 0.2, 0.85),
    "cloth": (0.2, 0.4, 0.95),
    "hands": (0.2, 0.8, 0.3),
    "glasses": (0.6, 0.35, 0.1),
    "eyes": (1.0, 1.0, 1.0),
    "brows": (0.25, 0.0, 0.2),
    "lips": (0.95, 0.1, 0.2),
    "teeth": (1.0, 0.95, 0.3),
}
"""Display codes a part is painted with; the last four lie over the skin."""


def codes(linear: F32) -> U8:
    return np.asarray(np.round(srgb_encode(linear) * 255), np.uint8)


def parts_picture(plate: Plate) -> U8:
    """Each part in its colour over the grey photo, u8[h, w, 3]."""
    grey = srgb_encode(plate.colour.mean(2, keepdims=True))
    seen = np.repeat(grey * 0.35, 3, 2)
    for name, colour in COLOURS.items():
        share = 0.8 * plate.parts[name][..., None]
        if name in ("skin", "hair", "cloth", "hands", "glasses"):
            share = share * plate.matte[..., None]
        seen = seen * (1 - share) + share * np.array(colour, np.float32) * (0.4 + 0.6 * grey)
    return np.asarray(np.clip(seen, 0, 1) * 255, np.uint8)


def relief_pictures(plate: Plate) -> tuple[U8, U8]:
    """Normals as colours, and the depth shaded by a light from the upper left as plaster would be."""
    solid = plate.matte[..., None]
    normals = (plate.normal * 0.5 + 0.5) * solid
    deep = np.where(plate.matte > 0.05, plate.depth, np.nan)
    low, high = np.nanpercentile(deep, 1), np.nanpercentile(deep, 99)
    z = np.nan_to_num(np.clip((deep - low) / max(high - low, 1e-3), 0, 1))
    lamp = np.array([-0.55, 0.45, 0.7], np.float32)
    plaster = np.clip(plate.normal @ (lamp / np.linalg.norm(lamp)), 0, 1) * (0.35 + 0.65 * z) * plate.matte
    return np.asarray(np.clip(normals, 0, 1) * 255, np.uint8), np.repeat(codes(plaster.astype(np.float32))[..., None], 3, 2)


def over(plate: Plate, ground: F32) -> U8:
    return codes(plate.colour * plate.matte[..., None] + ground * (1 - plate.matte[..., None]))


def wisps(plate: Plate) -> U8:
    """The places with the most soft matte in the head's half of the plate, at 100 %: photo, over black, over magenta."""
    soft = (plate.matte * (1 - plate.matte) * plate.inside * 4).astype(np.float32)
    soft[int(plate.landmarks[152, 1] + 0.4 * plate.hw_px) :] = 0
    n = min(WISP_PX, *plate.size_px)
    here = cv2.boxFilter(soft, -1, (n, n), borderType=cv2.BORDER_CONSTANT)
    half, tiles = n // 2, []
    black, magenta = over(plate, np.zeros(3, np.float32)), over(plate, MAGENTA)
    seen = codes(photo_on(plate))
    for _ in range(WISPS):
        inner = here[half:-half, half:-half]
        y, x = np.unravel_index(int(np.argmax(inner)), inner.shape)
        box = slice(int(y), int(y) + n), slice(int(x), int(x) + n)
        tiles += [picture[box] for picture in (seen, black, magenta)]
        here[max(int(y) - half // 2, 0) : int(y) + n + half // 2, max(int(x) - half // 2, 0) : int(x) + n + half // 2] = -1
    return np.hstack([cv2.copyMakeBorder(t, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(90, 90, 90)) for t in tiles])


def photo_on(plate: Plate) -> F32:
    """The photo itself on the plate's grid, background and all."""
    return plate.window.warp(plate.photo.linear(), plate.size_px)


def row(plate: Plate, name: str, took_s: float) -> U8:
    """One portrait's row."""
    normals, plaster = relief_pictures(plate)
    panels = [codes(photo_on(plate)), over(plate, MAGENTA), parts_picture(plate), normals, plaster, codes(plate.albedo)]
    k = TALL_PX / plate.size_px[1]
    line = np.hstack([cv2.resize(p, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) for p in panels])
    light = plate.found_light
    text = f"{name}  {took_s:.1f} s  sure {plate.confidence:.2f}  yaw {plate.pose.yaw_deg:.0f} pitch {plate.pose.pitch_deg:.0f}"
    text += f"  light {light.azimuth_deg:.0f},{light.elevation_deg:.0f} {light.contrast_stops:.1f} stops{' hard' if light.hard else ''}"
    text += "  " + " ".join(c.code for c in plate.warnings)
    fine = wisps(plate)
    wide = max(line.shape[1], fine.shape[1])
    head = np.zeros((26, wide, 3), np.uint8)
    cv2.putText(head, text, (6, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
    pad = [cv2.copyMakeBorder(p, 0, 0, 0, wide - p.shape[1], cv2.BORDER_CONSTANT) for p in (line, fine)]
    return np.vstack([head, *pad])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("photos", nargs="*", type=Path)
    ask.add_argument("--out", type=Path, required=True)
    asked = ask.parse_args()
    shared = Path(os.environ.get("LOWKEY_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    photos = asked.photos or sorted(p for p in (shared / "data/portraits/real").glob("*") if p.suffix in (".jpg", ".png"))
    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for path in photos:
        try:
            photo = read(path)
            start = time.perf_counter()
            plate = scan(photo)
        except LowkeyError as error:
            print(f"{path.name}: {error}")
            continue
        took_s = time.perf_counter() - start
        rows.append(row(plate, path.name, took_s))
        print(f"{path.name}: {took_s:.1f} s, {' '.join(c.code for c in plate.warnings) or 'no cautions'}")
        cv2.imwrite(str(asked.out / f"{path.stem}.png"), cv2.cvtColor(rows[-1], cv2.COLOR_RGB2BGR))
    if rows:
        wide = max(r.shape[1] for r in rows)
        sheet = np.vstack([cv2.copyMakeBorder(r, 0, 8, 0, wide - r.shape[1], cv2.BORDER_CONSTANT) for r in rows])
        cv2.imwrite(str(asked.out / "all.png"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
