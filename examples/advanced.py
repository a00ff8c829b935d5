"""A few calls: read once, then try lights on the same plate without reading or dressing again.

python examples/advanced.py portrait.png [folder]
"""

import sys
from pathlib import Path

import lowkey
from lowkey import photo, rig

path, *rest = sys.argv[1:]
folder = Path(rest[0] if rest else ".")

# The plate is everything that the photo says about the person: read it once, light it as often as you like.
plate = lowkey.scan(photo.read(path))
for caution in plate.warnings:
    print("note:", caution.text)

# An Enlarger keeps what does not change from frame to frame.
enlarger = lowkey.Enlarger(plate, lowkey.Framing(), (512, 640))
for light in ("rear-right", "hard side-left", "front-45-degree Rembrandt", "-120,25"):
    look = lowkey.Look(light=light, background="smoke and bokeh")
    frame = enlarger.develop(rig.of(look), seed=3, look=look)
    name = f"{plate.photo.stem}_{look.term('light').slug}_s03.png"
    photo.write_png(folder / name, frame.pixels)
    print(name, {variable: answer for variable, answer in frame.honours.items() if answer != "yes"})
