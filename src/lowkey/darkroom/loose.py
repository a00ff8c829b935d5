"""Loose hair: what light does in strands that stand apart. Shade among them fades and breaks up, the room shows through their outline,
and what they mirror is dyed.

A heightfield knows walls only. Among strands light is scattered forward again and again and comes out a finger's breadth further in
(Moon & Marschner 2006), and what leaves the ends of locks falls between them: shade in hair has no line, and follows the locks.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.blackbody import RGB, luminance_of
from lowkey.darkroom import fringe, tresses
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
SHEER = (0.06, 0.32, 0.90)
"""Share of the room seen at the outline of hair: through its locks, on the average, and through its gaps. A strand hides what is behind it:
more through all of them alike is a grey veil before a glow."""
SHEER_HW = (0.005, 0.014)
"""How deep (sigma) from the outline the room is seen, of cropped hair and of a full head of it: a millimetre or two, for a hundred hairs
stand on each square centimetre. Three times as deep it was a fog 20 to 40 pixels wide on every head before the lamp."""
FRINGE, DEEPER = 0.9, 0.5
"""How sharply the fringe's strands are told from its gaps, and how much deeper the room is seen in a gap."""
STRAND_HW = 0.02
"""Width over which a strand is told from the gap beside it."""


def sheer(s: Subject) -> F32:
    """Share f32[h, w] of the room's light that comes through hair: strands at the outline are few and stand apart, gaps first.

    Hair has no border as a stone has one: over some strands' depth it becomes fewer, and what stands out of it stays the longest.
    """
    if float(s.hair.max()) < 0.05:
        return np.zeros_like(s.hair)
    k, full = s.hw_px, float(tresses.fullness(s.hair, s.hw_px))
    thin = np.clip(2 * (1 - blur(s.matte, (SHEER_HW[0] + (SHEER_HW[1] - SHEER_HW[0]) * full) * k)), 0, 1)
    # A lock that stands apart is as dense as the matte says: thinned all round it would be a ghost of itself.
    thin = thin * step(blur(np.asarray(s.hair * s.matte, np.float32), fringe.MASS_HW * k), *fringe.MASS)
    grey = np.log(np.maximum(luminance(s.albedo), np.float32(2e-3)))
    # What lies beyond the outline is carried colour: strands are told among hair alone.
    inner = np.asarray(s.hair * step(s.matte, 0.3, 0.8), np.float32)
    fine = grey - blur(grey * inner, STRAND_HW * k) / np.maximum(blur(inner, STRAND_HW * k), np.float32(0.02))
    # Right at the outline colour is carried, and light that was the old room's: nothing there is told for a strand.
    gap = np.maximum(np.clip(-np.float32(2.5) * fine, -1, 1), -1 + np.float32(1.3) * thin)
    if s.strands is not None:
        # There the fringe's own strands decide, further in the photo's.
        gap = gap + thin * (np.clip(-np.float32(FRINGE) * s.strands, -1, 1) - gap) * full
        thin = np.clip(thin * (1 - np.float32(DEEPER) * full * np.clip(s.strands, -2, 2)), 0, 1)
    share = SHEER[1] + np.where(gap > 0, SHEER[2] - SHEER[1], SHEER[1] - SHEER[0]) * gap
    return np.asarray(s.hair * thin * share, np.float32)


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


THIN_HW, FORWARD = (0.010, 0.022), 0.12
"""How deep (sigma) from the outline hair is thin enough for a lamp behind it, cropped and full (rims of backlit heads are .02 to .05), and
what a strand bends round itself whatever its dye: a fibre's forward diffraction (Xia, Walter, Michielssen et al. 2020)."""
PASSES = (1.0, -0.15, 2.2)
"""How much more a strand of the fringe passes on than the mean of them, that mean (less than nothing: strands under others pass none on),
and the most."""
FACES_HW, FACES = 0.06, (-0.45, 0.95)
"""Over which distance (sigma) an outline is read, and the cosine between what it faces and the lamp in the picture from which its strands
get light, and all of it: on the far side of a head the lamp's light has the head before it."""
LOBE_HW = 0.022
"""How deep (sigma) from its outline an ear is thin enough."""
FLESH = (0.42, 0.10, 0.035)
"""What an ear's rim passes on of a lamp behind it: red light goes millimetres far in skin, green and blue do not (Jacques 2013)."""

BESIDE = 0.25
"""How far beside the head (sine of its direction in the picture) a lamp has to stand to be hidden from the ear on the other side: an ear
sits half a head-width from the middle, and nearly as far before the back of the skull."""


def edge(s: Subject) -> F32:
    """What thin hair at the silhouette passes on of a lamp behind it, f32[h, w, 3]: its dye, and what is bent round a strand.

    Black hair passes next to nothing on: with the square root of its albedo it had a grey rim.
    """
    # From 1 at the outline to 0 a few strands' depths inside: there the light has met too many strands.
    full = float(tresses.fullness(s.hair, s.hw_px))
    thin = np.clip(2 * (1 - blur(s.matte, (THIN_HW[0] + (THIN_HW[1] - THIN_HW[0]) * full) * s.hw_px)), 0, 1)
    thin = s.hair * thin * thin
    if s.strands is not None:
        # Few strands stand so that they pass it on: an even band of it is a line drawn round the head.
        thin = thin * np.clip(np.float32(PASSES[0]) * s.strands + np.float32(PASSES[1]), 0, PASSES[2])
    dye = np.power(np.maximum(s.albedo, 0), np.float32(0.75)) + np.float32(FORWARD)
    passed = dye * thin[..., None]
    if s.ears is not None:
        rim = s.ears * np.square(np.clip(2 * (1 - blur(s.matte, LOBE_HW * s.hw_px)), 0, 1))
        passed += rim[..., None] * np.array(FLESH, np.float32)
    return freeze(np.asarray(passed, np.float32))


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


LAMP_FH, LAMP_REACH, LAMP_GAIN = 0.08, 5.5, 18.0
"""How near the lamp (frame heights) strands take a third of what they do before it, how many times as far any do, and how bright they
are before it, of lit skin and undyed."""


def before_lamp(person: F32, passing: F32, place_px: tuple[float, float], colour: RGB, level: float) -> None:
    """Light strands of a lit person f32[h, w, 3] round the lamp at `place_px` in the frame, in place: what they bend they bend by little.

    `passing` f32[h, w, 3] as from `edge`, `level` is the radiance that prints as lit skin, `colour` the lamp's.
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
