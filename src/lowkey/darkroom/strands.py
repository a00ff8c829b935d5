"""Strands where the photo is softer than hair is: enlarged, out of focus or smoothed by a camera, hair is felt or wax under a hard light.

What pores are to skin (`pores`): only what is missing is drawn, along the hair's own flow, and where the photo holds its strands nothing
is changed. This is invented, as stray hairs are.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from lowkey.darkroom import fringe, haircut, tresses
from lowkey.darkroom.knit import noise
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

FINE_HW, ROUND_HW = 0.004, 0.06
"""Strands are what is finer than this (sigma), and are looked for this far round (sigma)."""
OWN = 0.17
"""RMS of log luminance that strands have there in a sharp photo: medians of ten heads .13 to .38; a photo enlarged 3.5 times has .09, black
hair out of focus .02 to .06."""
LEAST = 0.05
"""What is missing at least before anything is drawn."""
SIZES = ((0.0036, 1.0), (0.0085, 0.6))
"""How wide strands are and the strands that lie together, and how much each counts."""
WALK_HW = 0.07
"""How far a strand is followed each way."""
NOISE = 2.6
"""By what noise is multiplied to deviate by one."""
LOCK_HW, UNEVEN = 0.05, 0.35
"""Over what size strands stand out more here and less there, and by how much."""
SOLID_HW = 0.012
"""How far round (sigma) hair has to be hair: at its line against skin single strands are told by the photo or not at all."""
LOCKS_HW = (0.004, 0.018, 0.080)
"""Between which sizes (sigma) lie strands that stick together, and locks."""
DEPTH = 0.26
"""RMS of log luminance that each of the two has where hair has depth: eleven heads out of eighteen .2 to .8, hair photographed in soft
light or smoothed .07 to .16."""
DEEPEST, GAP = 2.6, 1.35
"""How many times deeper hair is made at most, and how many times as much gaps sink as locks rise: what a lamp does not reach twice (once on
its way in, once on its way out) goes down with the square, what stands out keeps its tone."""
TOP = 1.2
"""How many deviations over the mean the tone lies that stays: that of the locks in the light."""
RIMMED_HW, RIM = (0.05, 0.12), 0.10
"""How near the room (sigma) hair may have an old lamp's rim, over what distance (sigma) the hair's own tone is read there, and how much
lighter (log luminance) than that its outline is without one."""
PALER, AIRY = (0.9, 1.3), 0.55
"""Luminance of hair over the face's from which it begins to be white, and is; and the share of the depth and of the strands given to others
that white hair goes without. A strand that takes up no light passes it on: between white locks lies the light of the others, no black
(Zinke et al. 2008); given .7 of the strands its cotton was engraved steel. Sunk as brown hair is it fell to .6 of its tone, slate-grey
within a pale seam where the sinking ended before the skin (a head of 2.9; one against the sun has 1.4, the others under .7)."""
BLACK = (0.02, 0.10)
"""Luminance up to which hair is black and sinks no further, only its locks stand out; and from which it is not."""


def lacking(plate: Plate) -> float:
    """Share of the hair that has fewer strands in this photo than hair has, 0 to 1: all of it but curls gets some."""
    hair = plate.parts["hair"]
    lack = _lack(np.log(np.maximum(luminance(plate.albedo), np.float32(2e-3))), hair, plate.matte, plate.hw_px)
    return float((lack > LEAST).sum() / max(int((hair > 0.5).sum()), 1))


def _lack(grey: F32, hair: F32, matte: F32, k: float) -> F32:
    """RMS f32[h, w] of fine strands that log luminance `grey` f32[h, w] has less than hair has, within `hair` f32[h, w] of `matte`."""
    fine = grey - blur(grey, FINE_HW * k)
    have = blur(np.square(fine) * hair, ROUND_HW * k) / np.maximum(blur(hair, ROUND_HW * k), np.float32(0.05))
    return np.asarray(np.sqrt(np.maximum(np.float32(OWN**2) - have, 0)) * _solid(hair, matte, k), np.float32)


def _solid(hair: F32, matte: F32, k: float) -> F32:
    """1 where all of the person hereabouts is `hair` f32[h, w], 0 at its line against skin or cloth; against the room it has none."""
    return np.asarray(step(blur(hair, SOLID_HW * k) / np.maximum(blur(matte, SOLID_HW * k), np.float32(0.05)), 0.7, 0.98), np.float32)


def deepened(albedo: F32, plate: Plate, crop: float) -> None:
    """Give hair's albedo f32[h, w, 3] the depth between its locks that soft light took, in place.

    Under a soft light a gap between locks is lit from all round; a single hard lamp reaches the locks that stand out, and what it sends
    into the gaps is scattered away on the way in and out (Zinke et al. 2008). Hair of one even tone is a plastic wig. Where the photo has
    this depth nothing is changed; as far as hair is `crop` it is a felt and has no locks: what differs in it from place to place is grey.
    """
    hair, k = plate.parts["hair"], plate.hw_px
    box = haircut.around(hair)
    if box is None:
        return
    mine, tone = np.ascontiguousarray(hair[box]), albedo[box]
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    # Locks are broad: they are read at half size.
    size = (max(mine.shape[1] // 2, 1), max(mine.shape[0] // 2, 1))
    mapped = (grey * mine, mine, plate.matte[box])
    own, mass, matte = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA), np.float32) for m in mapped)
    layers = [blur(own, s * k / 2) / np.maximum(blur(mass, s * k / 2), np.float32(0.05)) for s in LOCKS_HW]
    there = np.asarray(mass * _solid(mass, matte, k / 2), np.float32)
    wide = blur(there, ROUND_HW * k / 2)
    face = luminance(plate.albedo[plate.parts["skin"] > 0.9])
    white = _white(np.asarray(layers[-1], np.float32), face)
    pale = step(np.exp(layers[-1]), *BLACK) * (1 - white)
    # Light that stood behind the head before is left in the outer strands, as a pale band along the outline.
    outer = step(blur(1 - matte, RIMMED_HW[0] * k / 2), 0.01, 0.12)
    inner = np.asarray(there * (1 - outer), np.float32)
    sure = blur(inner, RIMMED_HW[1] * k / 2)
    usual = blur(own * inner, RIMMED_HW[1] * k / 2) / np.maximum(sure, np.float32(1e-3))
    change = np.asarray(-np.maximum(layers[1] - usual - np.float32(RIM), 0) * outer * step(sure, 0.02, 0.10), np.float32)
    for fine, broad in itertools.pairwise(layers):
        band = np.clip(fine - broad, -1.2, 1.2)
        have = np.sqrt(blur(np.square(band) * there, ROUND_HW * k / 2) / np.maximum(wide, np.float32(0.02)))
        more = np.clip(np.float32(DEPTH) / np.maximum(have, np.float32(1e-3)), 1, np.float32(DEEPEST)) - 1
        # A gleam in felt stands out already: brought out with the rest it is a worm.
        more = more / (1 + np.square(band / np.float32(DEPTH)))
        more = more * (1 - np.float32(AIRY) * white)
        change += np.float32(1 - crop) * more * (band + np.minimum(band, 0) * np.float32(GAP - 1) * pale - np.float32(TOP) * have * pale)
    change *= there
    # Between hair and skin nothing is lighter than what it is made of: blown out in the photo, it is a pale crease along the hairline.
    if face.size:
        made_of = mass * np.exp(usual) + (1 - mass) * np.float32(np.median(face))
        line = step(mass, 0.05, 0.3) * (1 - there) * step(sure, 0.02, 0.10)
        change -= np.maximum(layers[0] - np.log(np.maximum(made_of, np.float32(2e-3))), 0) * line
    change = cv2.resize(change, mine.shape[::-1], interpolation=cv2.INTER_LINEAR) * step(mine, 0.02, 0.2)
    tone *= np.exp(np.asarray(change, np.float32))[..., None]


def _white(broad: F32, face: F32) -> F32:
    """How surely f32[h, w] hair of `broad` log luminance f32[h, w] is white beside a face of luminance `face` f32[n]."""
    if not face.size:
        return np.zeros_like(broad)
    return np.asarray(step(np.exp(broad) / max(float(np.median(face)), 2e-3), *PALER), np.float32)


def completed(albedo: F32, plate: Plate, hand: float, crop: float = 0.0) -> None:
    """Give hair's albedo f32[h, w, 3] the strands that the photo lost, in place. `hand` is +1 or -1 as the person leans.

    As far as hair is `crop` it is a felt of points: strands drawn down a temple were streaks in paint.
    """
    hair, k = plate.parts["hair"], plate.hw_px
    box = haircut.around(hair)
    if box is None:
        return
    mine, tone = np.ascontiguousarray(hair[box]), albedo[box]
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    lack = _lack(grey, mine, np.ascontiguousarray(plate.matte[box]), k)
    if float((lack > LEAST).sum()) < 0.01 * k * k:
        return
    ys, xs = np.mgrid[: mine.shape[0], : mine.shape[1]].astype(np.float32)
    left, top = float(plate.landmarks[4, 0]) - box[1].start, float(plate.landmarks[4, 1]) - box[0].start
    x, y = (xs - np.float32(left)) * np.float32(hand / k), (ys - np.float32(top)) / np.float32(k)
    dx, dy, runs = tresses.flow(grey, mine, mine > 0.5, x, y, k, hand)
    # Curls run nowhere: strands drawn through them would be scratches.
    much = np.ascontiguousarray(step(lack, LEAST, 2 * LEAST) * lack * step(runs, *fringe.CURLED), np.float32)
    broad = np.asarray(blur(grey * mine, LOCKS_HW[-1] * k) / np.maximum(blur(mine, LOCKS_HW[-1] * k), np.float32(0.05)), np.float32)
    much *= 1 - np.float32(AIRY) * _white(broad, luminance(plate.albedo[plate.parts["skin"] > 0.9]))
    where = np.asarray(mine * (much > 0.01), np.float32)
    total, mass = np.zeros_like(grey), 0.0
    for stream, (wide, share) in enumerate(SIZES):
        strung = tresses.strung(x, y, wide, 111 + stream, dx, dy, where, WALK_HW * k, share) if crop < 1 else np.zeros_like(grey)
        points = np.float32(share * NOISE) * noise(x / np.float32(wide), y / np.float32(wide), 115 + stream) if crop > 0 else strung
        total += strung + np.float32(crop) * (points - strung)
        mass += share**2
    stands = 1 + np.float32(UNEVEN) * noise(x / np.float32(LOCK_HW), y / np.float32(LOCK_HW), 113)
    drawn = much * stands * np.clip(total / np.float32(np.sqrt(mass)), -2.2, 2.2)
    tone *= np.exp(drawn - np.square(much) / 2)[..., None]
