"""The light's edge on the face, and the colour of what is brightest."""

from __future__ import annotations

import math

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from lowkey.blackbody import RGB
from lowkey.meter.direction import Key
from lowkey.meter.reading import CannotJudge, Found, measured
from lowkey.meter.sight import Head, Mask, Sight, features, oval
from lowkey.meter.tones import LEAST_DARK, Sides
from lowkey.pixels import BT709_XYZ, F32
from lowkey.plate.plate import Plate

PROFILES = 400
REACH_HW, STEP_HW = 0.40, 0.004
LEAST_STEP_CODES, LEAST_PROFILES = 25.0, 12
D65_KELVIN = 6504.0
SPECULAR = math.sqrt(2.0)
SHINE = 90.0
"""Percentile of the lit skin above which shine and the film's shoulder take the colour away."""
TYPICAL_SKIN = (1.0, 0.65, 0.435)
"""Linear colour of an ordinary skin over its red: the median of reference skins, as a print under a lamp of known colour shows it."""
KEEPS_CODES, KEEPS = (140.0, 150.0, 165.0, 180.0, 195.0), (0.73, 0.62, 0.39, 0.13, 0.0)
"""How much of the way from that skin to the person's own, in log chroma, is left in a print's lit skin, by its code: the shoulder
of film, or of any tone curve laid on the channels one by one, takes colour out of what is bright. Slopes over twelve people, two lights."""
COLOURED_CODES = (80.0, 150.0)
"""Where a print still tells one light's colour from another's: lamps of 3200 to 6000 K read within 12 mired, people 11 apart."""
PRINTED_CODES = (110.0, 232.0)
"""The tones of lit skin that can be read at all."""
UNKNOWN_CURVE = 0.25
"""What that share may be off by in a frame whose film is not ours."""
MIRED_PER_LOG = 99.0
"""Along the black body, of ln(red / blue), linear BT.709."""


def of_edge(sight: Sight, head: Head, parted: Sides, key: Key | None) -> Found:
    """10 to 90 % width of the light's edge (the edge spread function of ISO 12233), along the face and in the normal's angle.

    The profiles stand square on the line of half light and are read in codes, as the eye sees them; each must reach both the
    shadow's level and the light's while it stays on skin. The median of all counts.
    """
    names = ("terminator_width_deg", "terminator_width_hw")
    if not parted.shaded:
        return {name: CannotJudge("no side of the face lies in shadow") for name in names}
    # Only the face's box is looked at.
    hw = head.hw_px
    inside, margin = np.nonzero(parted.face), int(0.1 * hw)
    box = tuple(slice(max(int(v.min()) - margin, 0), int(v.max()) + margin + 1) for v in inside)
    face, normals = parted.face[box], head.normal[box]
    code = cv2.GaussianBlur(sight.code[box], (0, 0), max(0.006 * hw, 0.8))
    low, high = float(np.median(code[parted.dark[box]])), float(np.median(code[parted.lit[box]]))
    if high - low < LEAST_STEP_CODES:
        return {name: CannotJudge("light and shadow lie too close together for an edge") for name in names}
    level = (code - low) / (high - low)
    # Where the level crosses one half, on skin well inside the face.
    skin = cv2.erode(face.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    above = (level > 0.5).astype(np.uint8)
    line = (cv2.dilate(above, np.ones((3, 3), np.uint8)) - above > 0) & skin
    rows, cols = np.nonzero(line)
    if len(rows) < LEAST_PROFILES:
        return {name: CannotJudge("the light's edge does not cross the face's skin") for name in names}
    pick = np.linspace(0, len(rows) - 1, min(len(rows), PROFILES)).astype(int)
    rows, cols = rows[pick], cols[pick]
    broad = cv2.GaussianBlur(level, (0, 0), 0.02 * hw)
    gx, gy = cv2.Sobel(broad, cv2.CV_32F, 1, 0), cv2.Sobel(broad, cv2.CV_32F, 0, 1)
    slope = np.stack([gx[rows, cols], gy[rows, cols]], 1)
    slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    t = np.arange(-REACH_HW, REACH_HW + STEP_HW / 2, STEP_HW)
    x, y = cols[:, None] + slope[:, :1] * t * hw, rows[:, None] + slope[:, 1:] * t * hw
    profile = map_coordinates(level, [y, x], order=1, mode="nearest")
    there = map_coordinates(face.astype(np.float32), [y, x], order=0, mode="constant") > 0.5
    half = len(t) // 2
    widths, angles = [], []
    for i in range(len(rows)):
        up = _first(profile[i, half:] >= 0.9, there[i, half:])
        down = _first(profile[i, half::-1] <= 0.1, there[i, half::-1])
        if up is None or down is None:
            continue
        widths.append((up + down) * STEP_HW)
        if key is not None:
            ends = [(round(y[i, half + k]), round(x[i, half + k])) for k in (up, -down)]
            a, b = (math.degrees(math.acos(float(np.clip(normals[e] @ key.direction, -1, 1)))) for e in ends)
            angles.append(abs(a - b))
    if len(widths) < LEAST_PROFILES:
        why = f"the light fades without an edge: from light to shadow takes more than {REACH_HW} head-widths, or leaves the skin"
        return {name: CannotJudge(why) for name in names}
    region = "light's edge on the face"
    many = math.sqrt(max(len(widths) * 0.1, 3))
    found: Found = {names[1]: measured(names[1], float(np.median(widths)), 1.2533 * float(np.std(widths)) / many, region)}
    if key is None:
        found[names[0]] = CannotJudge("the light's direction is not known")
    else:
        found[names[0]] = measured(names[0], float(np.median(angles)), 1.2533 * float(np.std(angles)) / many, region)
    return found


def _first(reached: Mask, there: Mask) -> int | None:
    """Index of the first True of `reached` before the profile leaves the skin."""
    at = int(np.argmax(reached))
    return at if reached[at] and bool(there[: at + 1].all()) else None


def of_highlight(sight: Sight, head: Head, parted: Sides, key: Key | None, plate: Plate | None) -> Found:
    """The brightest skin: its colour against the skin's own, and how much of it is mirrored light."""
    found: Found = {}
    lit = parted.lit
    if lit.sum() < LEAST_DARK:
        return {name: CannotJudge("no skin is lit") for name in ("highlight_warmth_mired", "highlight_specular_share", "skin_shift_mired")}
    middle, top = np.percentile(sight.smooth[lit], [50, SHINE])
    bright = lit & (sight.smooth >= middle) & (sight.smooth < top) & (sight.peak < 250)
    coloured = lit & (sight.smooth >= COLOURED_CODES[0]) & (sight.smooth < COLOURED_CODES[1])
    own = skin_colour(plate) if plate is not None else None
    told = (coloured, "lit skin where the print keeps its colour")
    if coloured.sum() < LEAST_DARK:
        told = (bright, "brighter half of the lit skin, without its shine")
    for name, where, region in (
        ("highlight_warmth_mired", *told),
        ("skin_shift_mired", lit & (sight.smooth < middle), "darker half of the lit skin"),
    ):
        if own is None:
            found[name] = CannotJudge("the skin's own colour is not known without the reference")
        elif where.sum() < 50 or not bright.any():
            found[name] = CannotJudge("the brightest skin is clipped: its colour is lost")
        elif not PRINTED_CODES[0] <= float(np.median(sight.smooth[bright])) <= PRINTED_CODES[1]:
            found[name] = CannotJudge("the lit skin is too dim or too near white for its colour to be read")
        else:
            expected, unsure = printed(own, float(np.median(sight.smooth[where])))
            seen = np.median(sight.linear[where], axis=0) / expected
            error = math.hypot(10.0, unsure if head.found_by != "placement" else 0.0)
            found[name] = measured(name, mired(seen) - 1e6 / D65_KELVIN, error, region)
    if key is None:
        found["highlight_specular_share"] = CannotJudge("the light's direction is not known")
    else:
        # What the form explains, at the tone of this skin; what rises half a stop above it is mirrored.
        tone = 1.0 if head.albedo is None else np.clip(head.albedo / max(float(np.median(head.albedo[lit])), 1e-4), 0.6, 1.6)
        form = np.maximum(key.at(head.normal), 0.1 * key.gain) * tone
        found["highlight_specular_share"] = measured(
            "highlight_specular_share", float((sight.even > SPECULAR * form)[lit].mean()), None, "lit skin"
        )
    return found


def skin_colour(plate: Plate) -> RGB | None:
    """Median linear colour of the reference's face skin, its own light taken off; None if there is none."""
    skin = (oval(plate.landmarks, plate.matte.shape) > 0) & (plate.parts["skin"] > 0.6) & ~features(plate.landmarks, plate.matte.shape)
    if skin.sum() < LEAST_DARK:
        return None
    r, g, b = (max(float(v), 1e-3) for v in np.median(plate.albedo[skin], axis=0))
    return r, g, b


def printed(own: RGB, code: float) -> tuple[F32, float]:
    """The colour f32[3] that a print keeps at `code` of skin in white light, up to brightness, and how far off it may be, in mired."""
    keeps = float(np.interp(code, KEEPS_CODES, KEEPS))
    own_log, typical = (np.log(np.asarray(c, np.float64) / c[0]) for c in (own, TYPICAL_SKIN))
    away = float(abs(own_log[2] - typical[2]))
    return np.asarray(np.exp(typical + keeps * (own_log - typical)), np.float32), UNKNOWN_CURVE * away * MIRED_PER_LOG


def mired(colour: F32) -> float:
    """Reciprocal megakelvin of a linear BT.709 colour (McCamy's cubic, 1992), held within 1500 to 25000 K."""
    xyz = BT709_XYZ @ np.maximum(colour, 1e-6)
    x, y = xyz[:2] / xyz.sum()
    n = (x - 0.3320) / (0.1858 - y)
    kelvin = 449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33
    return 1e6 / float(np.clip(kelvin, 1500, 25000))
