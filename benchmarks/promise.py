"""The promise in numbers: shoot portraits and measure each frame against the look (DESIGN, section 5).

    python benchmarks/promise.py [--look-light rear-right] [--seeds 6] [--size 1024x1280] [--out DIR] PHOTO...

Without photos it takes every portrait in LOWKEY_SHARED/data/portraits/real. Codes are 8-bit sRGB luminance codes.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.pixels import luminance, srgb_decode, srgb_encode
from lowkey.plate import scan
from lowkey.plate.plate import Plate

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
        172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip


def measure(frame: Frame, plate: Plate) -> dict[str, float]:
    """Tones of one frame, with regions carried over from its plate."""
    h, w = frame.pixels.shape[:2]
    rgb = frame.pixels.astype(np.float32) / 65535
    code = srgb_encode(luminance(srgb_decode(rgb))) * 255
    smooth = cv2.GaussianBlur(code, (0, 0), 0.0016 * h)  # grain is not shape
    oval = np.zeros((h, w), np.uint8)
    xy = frame.placement.points(plate.landmarks[:, :2])
    cv2.fillPoly(oval, [np.round(xy[OVAL]).astype(np.int32)], 1)
    face = cv2.erode(oval, np.ones((5, 5), np.uint8)) > 0
    skin = frame.placement.warp(plate.parts["skin"], (w, h), beyond="black") > 0.6
    face &= skin
    lit = face & (smooth > 0.25 * np.percentile(smooth[face], 98))
    dark = face & ~cv2.dilate(lit.astype(np.uint8), np.ones((15, 15), np.uint8)).astype(bool)
    linear = srgb_decode(smooth / 255)
    out = {
        "lit_share": float(lit.sum() / face.sum()),
        "highlight_code": float(np.percentile(smooth[lit], 98)),
        "lit_median": float(np.median(smooth[lit])),
        "face_clipped_pc": 100 * float((rgb.max(2) >= 250 / 255)[face].mean()),
        "frame_black_pc": 100 * float((code <= 16).mean()),
        "toe_min": float(np.percentile(smooth, 0.5)),
    }
    if dark.sum() > 200:
        out["shadow_median"] = float(np.median(smooth[dark]))
        out["shadow_range"] = float(np.subtract(*np.percentile(smooth[dark], [95, 5])))
        out["ratio_stops"] = float(np.log2(np.median(linear[lit]) / max(np.median(linear[dark]), 1e-6)))
    # The neck against the chin: a patch under the jaw and one on the chin, both skin or cloth as they come.
    hw = plate.hw_px * frame.placement.scale
    chin, jaw = xy[152] - (0, 0.08 * hw), xy[152] + (0, 0.18 * hw)
    patch = lambda p: float(np.median(linear[max(int(p[1] - 0.04 * hw), 0) : int(p[1] + 0.04 * hw), max(int(p[0] - 0.15 * hw), 0) : int(p[0] + 0.15 * hw)]))  # noqa: E731, E501
    out["neck_over_chin"] = patch(jaw) / max(patch(chin), 1e-6)
    # Lit flecks: islands on the face's dark side smaller than 1 % of the face.
    n, _, stats, _ = cv2.connectedComponentsWithStats(lit.astype(np.uint8), connectivity=8)
    areas = stats[1:n, cv2.CC_STAT_AREA]
    out["lit_islands"] = float(((areas < 0.01 * face.sum()) & (areas > 12)).sum())
    # Where the dark contour stands off the room: the best band of the subject's edge on the side away from the key.
    matte = frame.placement.warp(plate.matte, (w, h), beyond="black") > 0.5
    head_rows = slice(int(xy[:, 1].min()), int(xy[152, 1]))
    ring_in = matte & ~cv2.erode(matte.astype(np.uint8), np.ones((9, 9), np.uint8), iterations=2).astype(bool)
    ring_out = cv2.dilate(matte.astype(np.uint8), np.ones((9, 9), np.uint8), iterations=2).astype(bool) & ~matte
    side = np.sign(frame.rig.key.direction.vector[0]) or 1.0
    columns = (np.arange(w)[None, :] - xy[1, 0]) * side < 0
    best = 0.0
    for y in range(head_rows.start, head_rows.stop, max(h // 40, 1)):
        band = np.zeros_like(matte)
        band[max(y, 0) : y + h // 40] = True
        a, b = band & ring_in & columns, band & ring_out & columns
        if a.sum() > 30 and b.sum() > 30:
            best = max(best, abs(float(np.median(smooth[a]) - np.median(smooth[b]))))
    out["dark_edge_codes"] = best
    tint = rgb[lit & (smooth > np.percentile(smooth[lit], 85))]
    out["highlight_r_minus_b"] = 255 * float(np.median(tint[:, 0] - tint[:, 2])) if len(tint) else float("nan")
    return out


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
            row = measure(frame, plate)
            if header:
                print(f"{'frame':28s}" + "".join(f"{k[:13]:>14s}" for k in row))
                header = False
            print(f"{path.stem[:22] + f' s{seed:02d}':28s}" + "".join(f"{v:14.2f}" for v in row.values()) + f"  {took:.2f}s", flush=True)
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                photo.write_png(args.out / f"{path.stem}_s{seed:02d}.png", np.asarray(np.round(frame.pixels / 257.0), np.uint8))


if __name__ == "__main__":
    main()
