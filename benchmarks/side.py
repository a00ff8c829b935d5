"""Does a key from the old light's side work better? Heads with a hard light in the photo, relit, against path-traced truth.

    python benchmarks/side.py [--shared FOLDER] [--old NAME...] [HEAD...]

A photo is made of each old light (light adds up): the truth's render under that lamp, and a tenth of its soft photo as the sky.
Each is read and relit as every new light. Prints the light that was found, then SSIM (linear) and IoU of lit and shadow per new
light, beside those of the soft photo; "agrees" is a new light from the old one's side.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from relighting import CAMERA_UNITS, FOV_DEG, LAMP_RADIUS_DEG, LAMP_UNITS, asking, found

from lowkey import photo
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing
from lowkey.photo.png import png_bytes
from lowkey.pixels import srgb_encode
from lowkey.plate import scan
from lowkey.rig import Direction, lone_key

OLD = ("side-left", "rembrandt-right", "rear-right")
NEW = ("side-left", "rembrandt-right", "rear-right")
SKY = 0.1
WHITE = 0.62
"""The 97th percentile of luminance in a photo, as the truth's own photos have it."""


def main() -> int:
    parser = asking(__doc__)
    parser.add_argument("--old", nargs="*", default=OLD)
    args = parser.parse_args()
    folders, scorer = found(args)
    for folder in folders:
        lights = json.loads((folder / "meta.json").read_text())["lights"]
        soft = scorer.load(str(folder / "input.exr"))
        for old in ("soft", *args.old):
            mixed = soft if old == "soft" else SKY * soft + scorer.load(str(folder / f"{old}.exr")) * _gain(soft, folder, old, scorer)
            pixels = np.asarray(np.round(srgb_encode(np.asarray(_exposed(mixed), np.float32)) * 255), np.uint8)
            picture = photo.decode(png_bytes(pixels), f"{folder.name}_{old}.png")
            plate = scan(picture)
            own = plate.found_light
            enlarger = Enlarger(plate, Framing(source=True), picture.size_px)
            tall = 2 * CAMERA_UNITS * np.tan(np.radians(FOV_DEG / 2))
            distance = LAMP_UNITS / tall * picture.size_px[1] / (plate.hw_px / plate.window.scale)
            said = [f"{folder.name} {old}: found {own.azimuth_deg:+.0f},{own.elevation_deg:+.0f} {own.contrast_stops:.1f} stops"]
            said[0] += f"{' hard' if own.hard else ''} confidence {own.confidence:.2f}"
            for new in NEW:
                azimuth, elevation = lights[new]["az_el"]
                stages = enlarger.stages(lone_key(Direction(azimuth, elevation), LAMP_RADIUS_DEG, distance), 1)
                relit = next(p for stage, p, _ in stages if stage == "light").astype(np.float64)
                score = scorer.score_files(relit, str(folder / f"{new}.exr"), str(folder / "mask.png"))
                side = "" if old == "soft" else "agrees" if lights[old]["az_el"][0] * azimuth > 0 else "fights"
                said.append(f"  {new:16s} {side:7s} SSIM {score['ssim_lin']:.3f} IoU {score['iou']:.3f}")
            print("\n".join(said), flush=True)
    return 0


def _gain(soft: np.ndarray, folder: Path, old: str, scorer: object) -> float:
    """The lamp is brought to the soft photo's own brightness, so that the sky is a tenth of what it lights."""
    lit = scorer.load(str(folder / f"{old}.exr"))  # type: ignore[attr-defined]
    on = cv2.imread(str(folder / "mask.png"), 0) > 128
    return float(np.percentile(soft[on], 97) / np.percentile(lit[on], 97))


def _exposed(linear: np.ndarray) -> np.ndarray:
    luma = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.clip(linear * WHITE / np.percentile(luma, 97), 0, 1)


if __name__ == "__main__":
    sys.exit(main())
