"""The gallery: every word once and every pair of words once, for each portrait given, laid out to be judged by eye.

    python docs/gallery/make.py [--out DIR] [--height 640] PHOTO...

Without photos it shoots the sample portrait (scikit-image's astronaut), whose sheets may be kept beside this file.
The words of light, background, clothing and flare are combined greedily so that every pair of words from two different
variables meets in at least one frame (about 40 frames), instead of all 700 combinations.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing
from lowkey.look import Look, words
from lowkey.plate import scan

VARIABLES = ("light", "background", "clothing", "flare")
HERE = Path(__file__).parent


def pairwise(choices: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Few combinations in which every pair of words of two variables meets; greedy, the same list every time."""
    pairs = itertools.combinations(choices, 2)
    open_pairs = {((a, x), (b, y)) for a, b in pairs for x in choices[a] for y in choices[b]}
    everything = [dict(zip(choices, combination, strict=True)) for combination in itertools.product(*choices.values())]

    def gains(look: dict[str, str]) -> int:
        return sum(pair in open_pairs for pair in itertools.combinations(look.items(), 2))

    table = []
    while open_pairs:
        best = max(everything, key=gains)
        open_pairs -= set(itertools.combinations(best.items(), 2))
        table.append(best)
    return table


def shoot(photo_path: Path, height: int, seed: int = 6) -> list[tuple[str, Image.Image]]:
    """One labelled frame per combination."""
    plate = scan(photo.read(photo_path))
    size = (height * 4 // 5, height)
    choices = {name: tuple(word.word for word in words(name) if not word.mirrored) for name in VARIABLES}
    # One Enlarger per garment: dressing is kept between frames.
    table = sorted(pairwise(choices), key=lambda look: choices["clothing"].index(look["clothing"]))
    enlarger = Enlarger(plate, Framing(), size)
    frames = []
    for look in table:
        asked = Look(**look)
        frame = enlarger.develop(rig.of(asked), seed, look=asked)
        said = "  ".join(f"{name}: {answer}" for name, answer in frame.honours.items() if answer == "no")
        label = f"{look['light']}\n{look['background']}\n{look['clothing']} / {look['flare']}" + (f"\n(no {said})" if said else "")
        frames.append((label, Image.fromarray((frame.pixels >> 8).astype(np.uint8))))
        print(photo_path.stem, label.replace("\n", " | "), f"{frame.took_s:.1f} s", flush=True)
    return frames


def lay_out(frames: list[tuple[str, Image.Image]], columns: int = 6) -> Image.Image:
    """A dark page of labelled frames."""
    w, h = frames[0][1].size
    foot, gap = 64, 12
    rows = -(-len(frames) // columns)
    page = Image.new("RGB", (columns * (w + gap) + gap, rows * (h + foot + gap) + gap), (14, 13, 12))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for n, (label, frame) in enumerate(frames):
        x, y = gap + n % columns * (w + gap), gap + n // columns * (h + foot + gap)
        page.paste(frame, (x, y))
        draw.multiline_text((x, y + h + 4), label, font=font, fill=(190, 182, 170), spacing=3)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--height", type=int, default=640)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        photos = args.photos
        if not photos:
            from skimage import data

            sample = Path(folder) / "sample.png"
            Image.fromarray(data.astronaut()).save(sample)
            photos = [sample]
        for path in photos:
            page = lay_out(shoot(path, args.height))
            page.save(args.out / f"{path.stem}_pairs.jpg", quality=88)
            print(args.out / f"{path.stem}_pairs.jpg")


if __name__ == "__main__":
    main()
