"""A photo developed before it is read: exposed and balanced where its camera went wrong by more than any skin differs from another.

Only what no light on a person explains is mended, and as a camera would have: one gain for each channel of the whole picture. A photo three
stops too dark has skin of .05, on which the film of oil every skin has is a metal's; one from under a bulb, or balanced for another lamp,
has skin of a colour that nobody has. All others are left as they are, to the bit.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.photo import Photo
from lowkey.pixels import F32, luminance, srgb_decode, srgb_encode
from lowkey.plate import undertone
from lowkey.plate.albedo import PLAIN_SKIN
from lowkey.plate.faces import Face
from lowkey.plate.plate import Caution

Gains = tuple[float, float, float]
"""What linear red, green and blue are multiplied by."""
AS_IT_IS: Gains = (1.0, 1.0, 1.0)

WHITEST, LEAST, MEANT, MOST_STOPS = 99.8, 0.40, 0.60, 4.0
"""Percentile of a photo's luminance that holds its whites (a collar, an eye, a lamp's gleam), what it reaches at least in a photo that is
exposed (fifteen .56 to 1, six in low key .41 to .87), what another is brought to, twice as fast as it falls short, and the most."""
PALEST, PUREST = (5.0, 9.0), (46.0, 56.0)
"""CIELAB chroma of a face at `undertone.LEVEL` under which it is no skin's, and over which: measured skins lie at 16 to 30 (Xiao and
others 2017), photos of twenty people at 12 to 46; in between nothing is done."""
PALE, PURE = 13.0, 36.0
"""Chroma that one beyond is balanced to."""
SKIN_HUE_DEG = (45.0, 60.0)
"""Hue to which a face too pale to have one is balanced."""
TOLD_STOPS = 0.5
"""From how many stops on a photographer is told: what was too dark comes up with its grain. A white is balanced without a loss."""
ACROSS_PX = 160
"""Width at which a face is looked at."""


def read(photo: Photo, face: Face, *, coloured: bool) -> tuple[Gains, tuple[Caution, ...]]:
    """What a photo is to be multiplied by, and what to say of it. Without colour (`coloured`) only its exposure counts.

    The white is balanced on the face: it is the one thing in a portrait whose colour is known (Bianco and Schettini, "Adaptive color
    constancy using faces", IEEE TPAMI 36, 2014), by a gain for each channel (von Kries 1902).
    """
    said: list[Caution] = []
    stops = _stops(photo)
    if stops >= TOLD_STOPS:
        text = f"the photo is {stops:.1f} stops under: it was brought up, grain and all; one exposed fully has cleaner skin"
        said.append(Caution("underexposed", text))
    white = np.ones(3)
    own = _skin(photo, face)
    if coloured and own is not None:
        seen = undertone.ab(own[None])
        meant = _of_skin(seen[0])[None]
        if not np.array_equal(seen, meant):
            white = undertone.at_level(meant)[0].astype(np.float64) / np.maximum(undertone.at_level(seen)[0], 1e-3)
    red, green, blue = (float(v) for v in white * 2.0**stops)
    return (red, green, blue), tuple(said)


def developed(photo: Photo, gains: Gains) -> Photo:
    """The photo multiplied by `gains` in scene-linear light, u16; itself where they are 1."""
    if gains == AS_IT_IS:
        return photo
    top = np.iinfo(photo.pixels.dtype).max
    # Each channel has no more than so many codes: what each of them becomes is looked up.
    codes = srgb_decode(np.arange(top + 1, dtype=np.float32) / np.float32(top))
    tables = [np.round(srgb_encode(np.clip(codes * np.float32(g), 0, 1)) * 65535).astype(np.uint16) for g in gains]
    pixels = np.stack([table[photo.pixels[..., i]] for i, table in enumerate(tables)], -1)
    pixels.flags.writeable = False
    return replace(photo, pixels=pixels)


def size(gains: Gains, skin: F32) -> tuple[float, float]:
    """What `gains` did to `skin` f32[3], linear, as it came out of them: stops, and CIEDE2000 at equal lightness."""
    was = np.asarray(skin / np.array(gains, np.float32), np.float32)
    level = [float(luminance(colour[None])[0]) for colour in (was, skin)]
    of = zip((was, skin), level, strict=True)
    tint = [undertone.ab(np.asarray(colour[None] * (undertone.LEVEL / y), np.float32)) for colour, y in of]
    return float(np.log2(level[1] / level[0])), float(undertone.apart(*tint)[0])


def _stops(photo: Photo) -> float:
    """How many stops too dark a photo is."""
    w, h = photo.size_px
    step = max(1, min(w, h) // 500)
    part = photo.pixels[::step, ::step]
    bright = float(np.percentile(luminance(srgb_decode(part.astype(np.float32) / np.iinfo(part.dtype).max)), WHITEST))
    short, way = (float(np.log2(level / max(bright, 1e-4))) for level in (LEAST, MEANT))
    return float(np.clip(min(2 * short, way), 0, MOST_STOPS))


def _skin(photo: Photo, face: Face) -> F32 | None:
    """Median linear colour f32[3] of forehead and cheeks, at luminance `undertone.LEVEL`; None where none is seen."""
    w, h = photo.size_px
    points = face.points[:, :2]
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), w), min(int(high[1]), h)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    scale = min(1.0, ACROSS_PX / (x1 - x0))
    size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    seen = cv2.resize(photo.linear((x0, y0, x1, y1)), size, interpolation=cv2.INTER_AREA)
    plain = np.zeros(size[::-1], np.uint8)
    for ring in PLAIN_SKIN:
        cv2.fillPoly(plain, [np.round((points[list(ring)] - (x0, y0)) * scale).astype(np.int32)], 1)
    skin = seen[(plain > 0) & (luminance(seen) > 2e-3) & (seen.max(-1) < 0.98)]
    if len(skin) < 100:
        return None
    level = skin * (np.float32(undertone.LEVEL) / luminance(skin))[:, None]
    return np.asarray(undertone.at_level(np.median(undertone.ab(level), 0)[None])[0], np.float32)


def _of_skin(seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE a*, b* f64[2] of a face brought within what skins are: unchanged where it is."""
    chroma, hue = float(np.hypot(*seen)), float(np.degrees(np.arctan2(seen[1], seen[0])))
    pale = float(np.clip((PALEST[1] - chroma) / (PALEST[1] - PALEST[0]), 0, 1))
    pure = float(np.clip((chroma - PUREST[0]) / (PUREST[1] - PUREST[0]), 0, 1))
    if not pale and not pure:
        return seen
    chroma = chroma + pale * (PALE - chroma) + pure * (PURE - chroma)
    turned = np.radians(hue + pale * (float(np.clip(hue, *SKIN_HUE_DEG)) - hue))
    return np.asarray(chroma * np.array([np.cos(turned), np.sin(turned)]))
