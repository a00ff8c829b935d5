"""Flyaways: the single hairs that the photo itself shows beyond the outline of hair, before a ground plain enough to tell.

A matte gives up where a hair covers a tenth of a pixel, and a mass cut off there is a hat. What such hairs do to the ground behind them is
seen all the same: thin lines, darker (or paler) than what lies on both sides of them, that hang on the mass. They are read as a top-hat
(Serra 1982) over the contrast between hair and ground; nothing is drawn that the photo has not.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom import haircut
from lowkey.frame import Placement
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

REACH_HW = (0.07, 0.16)
"""How far beyond the outline such hairs are read, and are no more: what lies further is the room."""
WIDE_HW = 0.011
"""Half of how wide a line is at most that is a hair or a few of them."""
CONTRAST = 0.20
"""Least difference between hair and ground, in square roots of luminance, at which lines between them say anything."""
NOISE = (2.0, 4.0)
"""How many deviations of the ground's own grain a line has to stand out, to be taken for one and to be one."""
PLAIN, FAR_HW = (0.07, 0.15), (0.14, 0.30)
"""RMS of such lines further out, of the contrast between hair and ground, up to which a ground is plain and from which its own lines could
be taken for hairs; and between which distances (hw) from the outline that is asked."""
HANGS = 0.08
"""Coverage down to which a line is followed."""
EVEN_HW = 0.04
"""Along what (sigma) a line's coverage is evened."""
BROAD = 4
"""How many times smaller what is broad is read."""


def read(plate: Plate) -> F32 | None:
    """Coverage f32[h, w] of the hairs that stand off the mass in the photo; None where there is no hair, or none are told."""
    hair, k = plate.parts["hair"], plate.hw_px
    box = haircut.around(hair, 8 + round(FAR_HW[1] * k))
    if box is None:
        return None
    mine, inside = hair[box], plate.inside[box] > 0.5
    # A wisp that a matte holds is as thin as one that it has not.
    line = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(WIDE_HW * k) + 1,) * 2)
    solid = cv2.morphologyEx((plate.matte[box] > 0.5).astype(np.uint8), cv2.MORPH_OPEN, line) > 0
    out = np.asarray(cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k), np.float32)
    ground, far = ((out > low) & (out < high) & inside for low, high in ((0, REACH_HW[1]), FAR_HW))
    sure = np.asarray((mine > 0.9) & (plate.matte[box] > 0.95))
    if min(int(ground.sum()), int(far.sum()), int(sure.sum())) < 200:
        return None
    # The plate itself has lost its room.
    corner = Placement(1, -box[1].start, -box[0].start)
    grey = np.sqrt(np.clip(plate.photographed(corner @ plate.window, (mine.shape[1], mine.shape[0])), 0, 1))
    over, under = (np.asarray(cv2.morphologyEx(grey, how, line), np.float32) for how in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    own, known = _near(grey, sure, 0.06 * k)
    beside, _ = _near(mine, solid, 0.05 * k)
    darker = over > own
    toward, contrast = np.where(darker, over - grey, grey - under), np.abs(np.where(darker, over, under) - own)
    grain = 1.48 * float(np.median(toward[far])) + 2e-3
    lines, _ = _near(np.square(toward), far, FAR_HW[0] * k)
    plain = 1 - step(np.sqrt(lines) / np.maximum(contrast, np.float32(CONTRAST)), *PLAIN)
    stands = step(toward, NOISE[0] * grain, NOISE[1] * grain)
    cover = np.clip(toward / np.maximum(contrast, np.float32(CONTRAST)), 0, 1) * stands * plain * ground * (known > 0.002)
    cover *= step(contrast, CONTRAST, 2 * CONTRAST) * (1 - step(out, *REACH_HW)) * step(beside, 0.5, 0.9)
    # What goes on into the room as far as it is looked at is the room's: a groove in a wall, a wire.
    _, names = cv2.connectedComponents(((stands > 0.5) & ~solid & (out < FAR_HW[1])).astype(np.uint8), connectivity=8)
    rooms = np.zeros(int(names.max()) + 1, np.bool_)
    rooms[names[far & (out > 0.9 * FAR_HW[1])]] = True
    rooms[0] = False
    cover[rooms[names]] = 0
    found = np.zeros(hair.shape, np.float32)
    # A hair is as thick here as there: what differs along it is its ground. Taken as it is read it would be dashes; evened across it as
    # well, a flat strip as wide as the lens drew it.
    told, crest = np.asarray(cover > HANGS, np.float32), cv2.dilate(np.asarray(cover, np.float32), line)
    even = blur(np.asarray(crest * told, np.float32), EVEN_HW * k) / np.maximum(blur(told, EVEN_HW * k), np.float32(1e-3))
    across = np.asarray(cover / np.maximum(crest, np.float32(HANGS)), np.float32)
    found[box] = told * even * across * step(np.asarray(cover, np.float32), 0.5 * HANGS, 2 * HANGS)
    return found


def _near(value: F32, where: np.ndarray, sigma: float) -> tuple[F32, F32]:
    """The mean of a value f32[h, w] where `where` bool[h, w], hereabouts (sigma, px), and how much of that there is."""
    h, w = value.shape
    size = (max(w // BROAD, 1), max(h // BROAD, 1))
    total, mass = (
        blur(cv2.resize(np.asarray(m, np.float32), size, interpolation=cv2.INTER_AREA), sigma / BROAD) for m in (value * where, where)
    )
    mean = total / np.maximum(mass, np.float32(1e-4))
    wide, much = (np.asarray(cv2.resize(m, (w, h), interpolation=cv2.INTER_LINEAR), np.float32) for m in (mean, mass))
    return wide, much
