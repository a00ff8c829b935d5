"""Make the pictures of the README from the sample portrait.

python docs/pictures.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import skimage.data
from PIL import Image

import lowkey
from lowkey.photo import write_png

HERE = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    portrait = Path(folder, "portrait.png")
    write_png(portrait, skimage.data.astronaut())
    shoot = lowkey.shoot(portrait, seeds=6, out=Path(folder, "out"))
    with Image.open(shoot.sheet) as sheet:
        sheet.resize((877, 1240), Image.Resampling.LANCZOS).save(HERE / "sheet.jpg", quality=88, optimize=True)
