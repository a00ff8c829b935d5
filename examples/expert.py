"""Every array visible: the plate's maps, a rig built by hand, and the picture after each stage.

python examples/expert.py portrait.png [folder]
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import lowkey
from lowkey import photo, rig
from lowkey.blackbody import warmth
from lowkey.pixels import luminance, srgb_encode, stops

path, *rest = sys.argv[1:]
folder = Path(rest[0] if rest else ".")

# 1. Read. Maps share the plate's size; lengths in space are head-widths (hw), normals x right, y up, z toward the camera.
plate = lowkey.scan(photo.read(path))
print("plate", plate.size_px, "px; a head-width is", round(plate.hw_px), "px; light found at", plate.found_light)
for name in ("matte", "depth", "normal", "albedo"):
    values = getattr(plate, name)
    print(f"  {name:8s} {values.dtype}{list(values.shape)}  {values[plate.matte > 0.5].min():6.2f} to {values.max():6.2f}")

# 2. A rig by hand, from a word: a smaller, cooler key at an exact place, less fill, another film.
start = rig.of(lowkey.Look(light="hard side-right"))
key = replace(start.key, direction=rig.Direction(80, 12), angular_radius_deg=1.0, irradiance_rgb=warmth(5200))
asked = replace(start, key=key, fill_ev=-9.0, stock=replace(start.stock, grain_rms=0.02))

# 3. Five stages. The first is reflectance, the next three are scene-linear and unclamped, the last is the film's sRGB codes.
enlarger = lowkey.Enlarger(plate, lowkey.Framing(), (512, 640))
for name, picture, resolved in enlarger.stages(asked, 1):
    bright = float(np.percentile(luminance(picture), 99.5))
    print(f"{name:9s} {picture.dtype}{list(picture.shape)}  99.5 % of it below {float(stops(bright)):+.1f} stops")
    codes = picture if name == "film" else srgb_encode(picture)
    photo.write_png(folder / f"stage_{name}.png", np.asarray(np.round(codes * 65535), np.uint16))
    if name == "film":
        print("key", resolved.key.direction, "exposure", resolved.exposure_ev)
