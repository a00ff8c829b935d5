"""The promise in numbers: shoot portraits and measure each frame against the look (DESIGN, section 5).

    python benchmarks/promise.py [--look-light rear-right] [--seeds 6] [--size 1024x1280] [--out DIR] PHOTO...

Without photos it takes every portrait in LOWKEY_SHARED/data/portraits/real. Codes are 8-bit sRGB luminance codes.
"""

from __future__ import annotations

import argparse
import os
import time
from math import nan
from pathlib import Path

import numpy as np

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.meter import measure
from lowkey.plate import scan
from lowkey.plate.plate import Plate

SHOWN = ("lit_share", "highlight_code", "face_clipped_share", "frame_black_share", "frame_toe_code", "shadow_median_code",
         "shadow_range_codes",
         "lighting_ratio_stops", "neck_over_chin", "lit_islands", "dark_edge_codes", "terminator_width_hw", "highlight_warmth_mired",
         "motes_per_fh2", "likeness_distance")  # fmt: skip


def row_of(frame: Frame, plate: Plate) -> dict[str, float]:
    """What the light meter says of one frame; NaN where it cannot judge."""
    reading = measure(frame, plate)
    return {name: nan if (value := reading.number(name)) is None else value for name in SHOWN}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--light", default="rear-right")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--size", default="1024x1280")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    shared = Path(os.environ.get("LOWKEY_SHARED", "../shared"))
    photos = args.photos or sorted(p for p in (shared / "data/portraits/real").iterdir() if p.suffix in {".jpg", ".png"})
    size = tuple(int(v) for v in args.size.split("x"))
    look = Look(light=args.light)
    header = True
    for path in photos:
        plate = scan(photo.read(path))
        enlarger = Enlarger(plate, Framing(), size)
        for seed in range(1, args.seeds + 1):
            start = time.perf_counter()
            frame = enlarger.develop(rig.of(look), seed, look=look)
            took = time.perf_counter() - start
            row = row_of(frame, plate)
            if header:
                print(f"{'frame':28s}" + "".join(f"{k[:13]:>14s}" for k in row))
                header = False
            print(f"{path.stem[:22] + f' s{seed:02d}':28s}" + "".join(f"{v:14.2f}" for v in row.values()) + f"  {took:.2f}s", flush=True)
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                photo.write_png(args.out / f"{path.stem}_s{seed:02d}.png", np.asarray(np.round(frame.pixels / 257.0), np.uint8))


if __name__ == "__main__":
    main()
