"""Loose hair: what light does in strands that stand apart. Shade among them fades and breaks up, a mass of them
turns dark toward its outline, and what they mirror is dyed.

A heightfield knows walls only. Among strands light is scattered forward again and again and comes out a finger's breadth further in
(Moon & Marschner 2006), and what leaves the ends of locks falls between them: shade in hair has no line, and follows the locks.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.blackbody import RGB, luminance_of
from lowkey.darkroom import haircut
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.zones import ramp as step

WITHIN_HW = 0.07
"""How far light finds its way between strands, sigma."""
UNDER_HW = 0.045
"""How far the edge of hair's shade on cloth is spread, sigma."""
NEAR_HW = 0.16
"""How near hair has to be for the shade on cloth to be its own."""
LOCKS_HW, LOCKS = 0.02, 0.9
"""Size of a lock, and how much earlier than the mean a lock that stands out is lit, and a gap is not."""
DYED = 0.7
"""Share of what hair mirrors that has been through a strand before or after."""


def gleam(s: Subject) -> F32:
    """Colour f32[h, w, 3] of what the subject mirrors: white, on hair mostly the hair's own, and of what its fuzz scatters: the wool's.

    One strand's mirror is white; in a mass of them most of it has met a second strand (Zinke et al. 2008), or brown locks shine like ash.
    """
    own = np.clip(s.albedo / np.maximum(luminance(s.albedo), np.float32(1e-4))[..., None], 0.3, 2.0)
    # What the fuzz of cloth scatters ahead has been through its fibre, in and out.
    wool = np.minimum(s.sheen * 4, 1) * s.cloth * (s.specular == 0)
    return np.asarray(1 + (s.hair * np.float32(DYED))[..., None] * (own - 1) + wool[..., None] * (own * own - 1), np.float32)


ROOM_SEEN, ROOM_LOCK = 0.09, 1.0
"""Share of an even room that strands mirror (F0 of keratin .046, a little more at their grazing angles), and how much the photo's own light
and dark tell locks apart there, in powers of them."""
LOCK_HW, MASS_OF_LOCKS_HW = 0.004, 0.12
"""Between which sizes (sigma) they are read."""


def room_mirrored(s: Subject) -> F32:
    """Share f32[h, w] of an even room's light that hair mirrors, lock by lock: black hair scatters next to none of it."""
    if float(s.hair.max()) < 0.05:
        return np.zeros_like(s.hair)
    k, grey = s.hw_px, np.log(np.maximum(luminance(s.albedo), np.float32(2e-3)))
    hair = np.asarray(s.hair * step(s.matte, 0.3, 0.8), np.float32)
    broad = blur(grey * hair, MASS_OF_LOCKS_HW * k) / np.maximum(blur(hair, MASS_OF_LOCKS_HW * k), np.float32(0.02))
    # Among hair alone: skin beside it is no pale lock.
    near = blur(grey * hair, LOCK_HW * k) / np.maximum(blur(hair, LOCK_HW * k), np.float32(0.02))
    lock = np.exp(np.float32(ROOM_LOCK) * np.clip(near - broad, -1.5, 1.0))
    # Pale hair scatters more than it mirrors.
    dark = 1 - step(np.exp(broad), 0.03, 0.15)
    return np.asarray(np.float32(ROOM_SEEN) * hair * lock * dark, np.float32)


DRAWN, REACHED = 40, 20
"""Times its share that is turned to a lamp by which a single hair counts as one in a room's light, and in that of the lamp: the least
turned of them have .03."""
FORWARD = 0.05
"""What a strand bends round itself whatever its dye: a fibre's forward diffraction (Xia, Walter, Michielssen et al. 2020)."""
TURNED_HW, TURNED = (0.055, 0.085), 0.72
"""How deep (sigma) from its outline a mass of hair is seen from its shadow side, cropped and full, and how much of a lamp's light it lacks
at the outline: it turns away there, and what the lamp sends into it comes out on the other side (Zinke et al. 2008). Lit up to its outline,
it is a paper cut-out with a pale hem."""
FACES_HW, FACES = 0.06, (-0.45, 0.95)
"""Over which distance (sigma) an outline is read, and the cosine between what it faces and the lamp in the picture from which its strands
get light, and all of it: on the far side of a head the lamp's light has the head before it."""
LOBE_HW = 0.022
"""How deep (sigma) from its outline an ear is thin enough."""
FLESH = (0.42, 0.10, 0.035)
"""What an ear's rim passes on of a lamp behind it: red light goes millimetres far in skin, green and blue do not (Jacques 2013)."""

BESIDE = 0.08
"""How far beside the head (sine of its direction in the picture) a lamp has to stand to be hidden from the ear on the other side: of an
ear that stands .55 head-widths from the middle its ray is within the skull, half as wide, .6 behind it."""


def strands(s: Subject) -> F32:
    """What thin hair at the silhouette passes on of a lamp behind it, f32[h, w, 3]: its dye, and what is bent round a strand.

    Black hair passes next to nothing on: with the square root of its albedo it had a grey rim.
    """
    # Single hairs pass it on, as they are turned: a band of it, even or along the fringe's strands, is a line drawn round the head.
    dye = np.power(np.maximum(s.albedo, 0), np.float32(0.75)) + np.float32(FORWARD)
    return np.asarray(dye * (np.zeros_like(s.hair) if s.lone is None else s.lone)[..., None], np.float32)


def edge(s: Subject) -> F32:
    """What thin hair and the rims of ears pass on of a lamp behind them, f32[h, w, 3]."""
    passed = strands(s)
    if s.ears is not None:
        rim = s.ears * np.square(np.clip(2 * (1 - blur(s.matte, LOBE_HW * s.hw_px)), 0, 1))
        passed += rim[..., None] * np.array(FLESH, np.float32)
    return freeze(np.asarray(passed, np.float32))


PALE = 0.5
"""Share of that loss which hair without any dye does not have."""
ALONE = np.float32(3.0)
"""How much sooner than all of a hair is turned to pass light on it is out of the mass's own shade."""


def turned(s: Subject) -> F32:
    """Share f32[h, w] of a lamp's light that a mass of hair sends back to the camera: less where it turns away, at its outline."""
    if float(s.hair.max()) < 0.05:
        return np.ones_like(s.hair)
    full = float(haircut.fullness(s.hair, s.hw_px))
    near = np.clip(2 * (1 - blur(s.matte, (TURNED_HW[0] + (TURNED_HW[1] - TURNED_HW[0]) * full) * s.hw_px)), 0, 1)
    # Pale strands pass from one to the next what dark ones swallow.
    near = near * (1 - np.float32(PALE) * np.sqrt(np.clip(luminance(s.albedo), 0, 1)))
    mass = s.hair if s.lone is None else s.hair * (1 - np.minimum(ALONE * s.lone, 1))
    return np.asarray(1 - np.float32(TURNED) * mass * near, np.float32)


def faced(s: Subject, toward: tuple[float, float]) -> F32:
    """Share f32[h, w] of a lamp `toward` (x right, y up; the longer, the further beside the head) that hair's outline faces."""
    aside = float(np.hypot(*toward))
    if aside < 0.02 or float(s.hair.max()) < 0.05:
        return np.ones_like(s.matte)
    q, (h, w) = 4, s.matte.shape
    size = (max(w // q, 2), max(h // q, 2))
    level = blur(np.asarray(cv2.resize(s.matte, size, interpolation=cv2.INTER_AREA), np.float32), FACES_HW * s.hw_px / q)
    right, down = (np.asarray(cv2.Scharr(level, cv2.CV_32F, i, 1 - i), np.float32) for i in (1, 0))
    cosine = (down * np.float32(toward[1]) - right * np.float32(toward[0])) / (np.hypot(right, down) * np.float32(aside) + np.float32(1e-4))
    # Straight behind the head it faces all of the outline alike.
    away = 1 - step(cosine, *FACES)
    share = cv2.resize(1 - np.float32(min(2 * aside, 1.0)) * away, (w, h), interpolation=cv2.INTER_LINEAR)
    if s.ears is not None and s.ears.max() > 0:
        # Strands stand off the crown all round; the ear on the far side has all of the skull between itself and the lamp.
        hidden = cv2.resize(np.asarray(away, np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
        share = share * (1 - s.ears * hidden * np.float32(min(aside / BESIDE, 1.0)))
    return np.asarray(share, np.float32)


def reached(s: Subject, seen: F32, toward: tuple[float, float]) -> F32:
    """Share f32[h, w] of a lamp behind the head, `toward` as for `faced` and `seen` f32[h, w], that comes to what passes it on.

    On a heightfield single hairs are walls to each other.
    """
    alone = seen if s.lone is None else np.maximum(seen, np.minimum(s.lone * REACHED, 1))
    return np.asarray(alone * faced(s, toward), np.float32)


LAMP_FH, LAMP_REACH, LAMP_GAIN = 0.08, 5.5, 18.0
"""How near the lamp (frame heights) strands take a third of what they do before it, how many times as far any do, and how bright they
are before it, of lit skin and undyed."""


def before_lamp(person: F32, passing: F32, place_px: tuple[float, float], colour: RGB, level: float) -> None:
    """Light strands of a lit person f32[h, w, 3] round the lamp at `place_px` in the frame, in place: what they bend they bend by little.

    `passing` f32[h, w, 3] as from `strands` (flesh bends nothing round itself: an ear's rim lit so far from the lamp, and on the
    far side of the skull, is a wire), `level` is the radiance that prints as lit skin, `colour` the lamp's.
    """
    h, w = passing.shape[:2]
    reach = LAMP_REACH * LAMP_FH * h
    (x0, y0), (x1, y1) = (
        [int(np.clip(place_px[i] + way * reach, 0, size)) for i, size in ((0, w), (1, h))] for way in (-1, 1)
    )  # fmt: skip
    y, x = np.ogrid[y0:y1, x0:x1]
    square = ((x - np.float32(place_px[0])) ** 2 + (y - np.float32(place_px[1])) ** 2) / np.float32((LAMP_FH * h) ** 2)
    near = np.float32(LAMP_GAIN * level) / (1 + square.astype(np.float32)) ** np.float32(1.5)
    # At the end of its reach it is a two-hundredth, and taken off.
    near = np.maximum(near - np.float32(LAMP_GAIN * level / (1 + LAMP_REACH**2) ** 1.5), 0)
    tint = np.array(colour, np.float32) / np.float32(max(luminance_of(colour), 1e-6))
    person[y0:y1, x0:x1] += passing[y0:y1, x0:x1] * near[..., None] * tint


class Loose:
    """Where shade is hair's, read once for a subject, on half its grid."""

    def __init__(self, subject: Subject, thick: F32) -> None:
        """`thick` f32[h, w] is the share of hair that is a mass of strands."""
        s, k = subject, subject.hw_px / 2
        self._k = k
        self._hair = np.ascontiguousarray(thick[::2, ::2])
        self.any = bool(self._hair.max() > 0.5)
        if not self.any:
            return
        cloth = np.ascontiguousarray(s.cloth[::2, ::2])
        near = step(blur(self._hair, NEAR_HW * k), 0.03, 0.20)
        self._under = np.asarray(cloth * near, np.float32)
        self._cloth = cloth
        self._hair_mass, self._cloth_mass = blur(self._hair, WITHIN_HW * k), blur(cloth, UNDER_HW * k)
        grey = np.log(np.maximum(luminance(np.ascontiguousarray(s.albedo[::2, ::2])), np.float32(2e-3)))
        lock = blur(grey, LOCKS_HW * k * 0.5) - blur(grey, LOCKS_HW * k * 3)
        self._lock = np.clip(lock * np.float32(2.5), -1, 1)

    def shade(self, seen: F32) -> F32:
        """Share f32[h, w] of the lamp that is seen, at half size, with hair's shade loosened."""
        if not self.any:
            return seen
        within = blur(seen * self._hair, WITHIN_HW * self._k) / np.maximum(self._hair_mass, np.float32(0.02))
        within = within + np.float32(LOCKS) * within * (1 - within) * self._lock
        under = blur(seen * self._cloth, UNDER_HW * self._k) / np.maximum(self._cloth_mass, np.float32(0.02))
        out = seen + self._hair * (np.clip(within, 0, 1) - seen)
        return np.asarray(out + self._under * (under - seen), np.float32)
