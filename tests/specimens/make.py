"""The golden specimens: small frames of an analytic bust and of NASA's portrait, numbered, and the verdict on a new print of one.

Two sitters who are nobody are made of that portrait: one of dark skin, one who wears glasses; hair and seams are seen from near.

    python tests/specimens/make.py

prints them all anew, over the old ones: do it when the picture was meant to change, look at what changed, and commit both.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import bust  # noqa: E402
from lowkey import photo, rig  # noqa: E402
from lowkey.darkroom import Enlarger, aiming, backdrop, film, light, optics  # noqa: E402
from lowkey.darkroom.enlarger import radiance  # noqa: E402
from lowkey.frame import Framing  # noqa: E402
from lowkey.look import Look  # noqa: E402
from lowkey.pixels import freeze  # noqa: E402
from lowkey.plate import meshes  # noqa: E402
from lowkey.plate.plate import Plate  # noqa: E402
from lowkey.rig import Auto, Rig, jittered  # noqa: E402
from lowkey.seeds import Streams  # noqa: E402

U8 = NDArray[np.uint8]
SIZE = W, H = 256, 320
BUST_HW = 85.0
HOUSE = Framing()
Change = Callable[[Rig], Rig]


@dataclass(frozen=True)
class Specimen:
    """One golden picture: of whom, through which look and framing; always seed 1."""

    number: int
    name: str
    sitter: str
    look: Look
    framing: Framing = HOUSE

    @property
    def file(self) -> Path:
        return HERE / f"{self.number:02d}_{self.name}.png"


SPECIMENS = (
    Specimen(1, "bust_house", "bust", Look()),
    Specimen(2, "bust_hatch_on_concrete", "bust", Look(light="overhead hatchlight", background="concrete texture", flare="no flare")),
    Specimen(3, "bust_rembrandt_in_smoke", "bust", Look(light="front-45 left", background="smoke and bokeh", flare="clean backlight")),
    Specimen(4, "astronaut_house", "astronaut", Look()),
    Specimen(5, "astronaut_split_in_linen", "astronaut", Look(light="side-split", clothing="white linen shirt", flare="no flare")),
    Specimen(6, "astronaut_rear_left_before_velvet", "astronaut",
             Look(light="rear-left", background="crushed velvet", clothing="black leather jacket", flare="multi-ring anamorphic flare")),
    Specimen(7, "hair_before_the_lamp", "astronaut", Look(), Framing(head_centre=(0.40, 0.62), head_height_fh=1.25)),
    Specimen(8, "jaw_neck_and_collar", "astronaut", Look(), Framing(head_centre=(0.45, 0.02), head_height_fh=1.15)),
    Specimen(9, "dark_skin", "of dark skin", Look()),
    Specimen(10, "glasses", "in glasses", Look(), Framing(head_centre=(0.47, 0.55), head_height_fh=0.85)),
)  # fmt: skip

DARKER = np.array((0.33, 0.24, 0.19), np.float32)
"""What melanin leaves of a pale skin's red, green and blue: 35 % against 2 % of melanosomes in the epidermis (Donner & Jensen 2006)."""
LENS_HW, WIRE_HW = 0.17, 0.012
"""Radius of each lens of the glasses, and half the width of their frame."""


class Sitters:
    """Enlargers of one plate and of the two that are made of it, by sitter and framing; each is made once."""

    def __init__(self, plate: Plate) -> None:
        self._made = {"astronaut": plate, "of dark skin": of_dark_skin(plate), "in glasses": in_glasses(plate)}
        self._enlargers: dict[tuple[str, Framing], Enlarger] = {}

    def enlarger(self, specimen: Specimen) -> Enlarger:
        key = (specimen.sitter, specimen.framing)
        if key not in self._enlargers:
            self._enlargers[key] = Enlarger(self._made[specimen.sitter], specimen.framing, SIZE)
        return self._enlargers[key]


def of_dark_skin(plate: Plate) -> Plate:
    """Somebody with this face and dark skin."""
    skin = plate.parts["skin"] * (1 - np.maximum.reduce([plate.parts[name] for name in ("eyes", "teeth", "brows")]))
    tint = 1 + skin[..., None] * (DARKER - 1)
    return replace(plate, colour=freeze(plate.colour * tint), albedo=freeze(plate.albedo * tint))


def in_glasses(plate: Plate) -> Plate:
    """Somebody with this face who wears round glasses of black horn, their bridge on the nose."""
    frame = np.zeros(plate.matte.shape, np.uint8)
    k, eyes = plate.hw_px, [plate.landmarks[iris, :2] for iris in meshes.IRISES]
    wide = 2 * round(WIRE_HW * k)
    for x, y in eyes:
        cv2.circle(frame, (round(float(x)), round(float(y))), round(LENS_HW * k), 1, wide, cv2.LINE_AA)
    inner = [(x + LENS_HW * k * side, y) for (x, y), side in zip(eyes, np.sign(np.subtract(eyes[::-1], eyes)[:, 0]), strict=True)]
    cv2.line(frame, *((round(float(x)), round(float(y - 0.02 * k))) for x, y in inner), 1, wide, cv2.LINE_AA)
    horn = np.asarray(frame, np.float32)
    parts = {name: freeze(part * (1 - horn)) for name, part in plate.parts.items()} | {"glasses": freeze(horn)}
    black = horn[..., None] * (0.02 - plate.albedo)
    return replace(plate, parts=parts, albedo=freeze(plate.albedo + black), colour=freeze(plate.colour * (1 - horn[..., None])))


def same(asked: Rig) -> Rig:
    """No change."""
    return asked


def shoot(specimen: Specimen, sitters: Sitters, change: Change = same) -> U8:
    """The specimen as it comes out now: u8[320, 256, 3]. `change` alters the rig after its key is aimed."""
    if specimen.sitter == "bust":
        return _bust(specimen.look, change)
    enlarger = sitters.enlarger(specimen)
    asked = rig.of(specimen.look)
    if isinstance(asked.key.direction, Auto):
        aimed = next(used for _, _, used in enlarger.stages(asked, 1))
        asked = replace(asked, key=aimed.key, rim=asked.rim)
    *_, (_, picture, _) = enlarger.stages(change(asked), 1)
    return np.asarray(np.round(picture * 255), np.uint8)


@lru_cache(maxsize=1)
def _lit_bust() -> tuple[light.Relight, NDArray[np.float32]]:
    sitter = bust.subject(BUST_HW, specular=0.036, skin=1.0, lean=0.06)
    face = (bust.rays(BUST_HW, lean=0.06)[2] < 2.5) * sitter.matte * (sitter.normal[..., 2] > 0.35)
    return light.Relight(sitter), np.asarray(face, np.float32)


def _bust(look: Look, change: Change) -> U8:
    """The bust needs no clothes and no reader: aimed, lit, hung, seen and recorded with the darkroom's own stages."""
    lit, face = _lit_bust()
    streams = Streams(1)
    used = jittered(rig.of(look), streams)
    if isinstance(used.key.direction, Auto):
        used = replace(used, key=replace(used.key, direction=aiming.aim(lit.subject, used.key.direction, face)))
    used = change(used)
    person, matte, face, white = (_framed(one) for one in (radiance(lit, used), lit.subject.matte, face, lit.subject.albedo))
    ev = film.meter(person, face, white) + used.exposure_offset_ev
    scene = backdrop.hang(person, matte, used, streams, level=film.SKIN / 2**ev)
    codes = film.record(optics.focus(scene, used.lens, used.lamp, clear=face), used.stock, streams, exposure_ev=ev)
    return np.asarray(np.round(np.asarray(codes, np.float32) / 257), np.uint8)


def _framed(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The bust's square set at the foot of the frame."""
    h, w = picture.shape[:2]
    pad = ((H - h, 0), (0, W - w)) + ((0, 0),) * (picture.ndim - 2)
    return np.pad(picture, pad)


@dataclass(frozen=True)
class Verdict:
    """How far a print is from its specimen, where the specimen is not black."""

    de00: float
    """Mean CIEDE2000."""
    ssim: float
    """Structural similarity (Wang et al. 2004) of the luma, 0..1."""
    de00_map: NDArray[np.float32]


def compare(got: U8, expected: U8) -> Verdict:
    from skimage.color import deltaE_ciede2000, rgb2lab
    from skimage.metrics import structural_similarity

    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (got, expected)]
    shown = cv2.GaussianBlur(grey[1], (0, 0), 2) > 24
    apart = np.asarray(deltaE_ciede2000(rgb2lab(got), rgb2lab(expected)), np.float32)
    _, alike = structural_similarity(*grey, data_range=255, full=True)
    return Verdict(float(apart[shown].mean()), float(alike[shown].mean()), apart)


def main() -> None:
    import skimage.data

    from lowkey.plate import scan

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "astronaut.png"
        photo.write_png(file, skimage.data.astronaut())
        sitters = Sitters(scan(photo.read(file)))
    for specimen in SPECIMENS:
        got = shoot(specimen, sitters)
        was = photo.read(specimen.file).pixels if specimen.file.exists() else None
        said = "new"
        if was is not None:
            verdict = compare(got, np.asarray(was, np.uint8))
            said = f"dE00 {verdict.de00:.3f}, SSIM {verdict.ssim:.4f} from the one before"
        photo.write_png(specimen.file, got)
        sys.stdout.write(f"{specimen.file.name}: {said}\n")


if __name__ == "__main__":
    main()
