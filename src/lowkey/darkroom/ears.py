"""Ears before a lamp: a bowl with a rim, thin enough at the rim for the lamp to glow through it.

A silhouette blown up to a form makes an ear a ball that leans to the lamp, lit flat as a cut-out. In life its plane faces the one who looks
at the face, and light from the side only grazes it. Its folds and its bowl are the photo's own light and dark: a hollow is dark in any
light, and a form read off the grain of a small, soft ear and lit anew is crumpled wax.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.figure import Figure
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

BROW, NOSE, NOSE_BASE = 9, 4, 2
BESIDE_HW = (0.012, 0.045)
"""How far beside the face's outline an ear begins, and is one."""
ABOVE_HW, BELOW_HW = (0.04, -0.06), (0.22, 0.36)
"""How far over the brow and under the nose its rows end."""
WIDE_HW = 0.05
"""Least width beside the face that is an ear and no mere turn of the cheek."""
OUTWARD, UPWARD = 0.10, 0.05
"""How its plane leans: hardly outward, for an auricle stands off the head by 20 to 30 degrees, and turns its hollow side forward."""
ROLL_HW = 0.020
"""How far from its outline its rim rolls over."""
RUDDY, FLUSHED = 0.12, 0.25
"""Log red over green by which an ear may be redder than the face, and the share that is left of what it has beyond."""
DOWNY = 0.92
"""Share of its mirror that the rim has lost."""
BOWL_HW = (0.010, 0.07)
"""Between which sizes (sigma) the photo's dark on it is its bowl."""
DEEP = 0.7
"""By which power more that dark is deepened: a sky looks into a bowl, a lamp beside the head does not."""
BELOW_FACE = 0.71
"""Most of the face's luminance that an ear has, half a stop under it, as printers burn ears in: daylight shines through them, and an eye
goes to what is lightest."""
SPECK_HW = 0.020
"""Half the size under which hair on an ear is the reader's, not the person's: a speck of it is a nick in the rim."""


def shaped(figure: Figure, plate: Plate) -> F32:
    """Give ears their form and their bowl, in place; where they are is given, f32[h, w]."""
    k, mesh = plate.hw_px, plate.landmarks
    h, w = plate.matte.shape
    found = np.zeros((h, w), np.float32)
    oval = mesh[list(OVAL), :2]
    top, end = (int(np.clip(v, 0, h)) for v in (mesh[BROW, 1] - 0.25 * k, mesh[NOSE_BASE, 1] + 0.40 * k))
    first, last = (int(np.clip(v, 0, w)) for v in (oval[:, 0].min() - 0.5 * k, oval[:, 0].max() + 0.5 * k))
    if end - top < 8 or last - first < 8:
        return found
    box = np.s_[top:end, first:last]
    mask = _mask(figure, plate, box)
    if mask.max() < 0.5:
        return found
    _unspecked(figure, mask, box, k)
    mask = _mask(figure, plate, box)
    solid = np.pad((figure.matte[box] > 0.5).astype(np.uint8), 1)
    inward = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(k), np.float32)
    side = np.where(np.arange(first, last) > mesh[NOSE, 0], 1.0, -1.0).astype(np.float32)[None, :, None]
    plane = side * np.array([OUTWARD, 0, 0], np.float32) + np.array([0, UPWARD, 1], np.float32)
    plane /= np.linalg.norm(plane, axis=2, keepdims=True)
    turn = mask * step(inward, 0.2 * ROLL_HW, 1.2 * ROLL_HW)
    normal = figure.normal[box]
    normal += turn[..., None] * (plane - normal)
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), np.float32(1e-6))
    _toned(figure.albedo[box], figure.matte[box], mask, plate, first)
    figure.albedo[box] *= np.exp(np.float32(DEEP) * _bowl(plate.colour[box], mask, k))[..., None]
    # Its skin is dull: a mirror image on it is a wet cut-out's. Down grows on its rim, which has no grazing mirror at all: there the whole
    # room would be drawn round the ear as a line.
    figure.specular[box] *= 1 - np.float32(0.5) * mask
    figure.specular[box] *= 1 - np.float32(DOWNY) * mask * (1 - step(inward, 0.2 * ROLL_HW, 1.2 * ROLL_HW))
    found[box] = mask
    return found


def _bowl(colour: F32, mask: F32, k: float) -> F32:
    """The dark of an ear's bowl, log f32[h, w], as the photo `colour` f32[h, w, 3] has it."""
    grey = np.log(np.maximum(luminance(colour), np.float32(2e-3)))
    fine, broad = (blur(grey * mask, s * k) / np.maximum(blur(mask, s * k), np.float32(0.05)) for s in BOWL_HW)
    return np.asarray(np.clip(fine - broad, -0.8, 0.1) * mask, np.float32)


def _toned(tone: F32, matte: F32, mask: F32, plate: Plate, first: int) -> None:
    """Ears f32[h, w, 3] where `mask` f32[h, w] is, their first column `first`, in place: hardly redder than the face, and darker.

    Blood is nearer to the surface in them, but most of the red of a photo's ear is daylight that shone through it: in the dark it is a rim.
    """
    face, there = plate.albedo[plate.parts["skin"] > 0.9], mask > 0.8
    if len(face) < 100 or not there.any():
        return
    usual = np.median(np.log(np.maximum(face, np.float32(2e-3))), 0)
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    red = log[..., 0] - log[..., 1]
    over = np.maximum(red - np.float32(usual[0] - usual[1] + RUDDY), 0) * np.float32(1 - FLUSHED) * mask
    # At one luminance: green and blue rise as red falls.
    tone[..., 0] *= np.exp(-np.float32(0.6) * over)
    tone[..., 1:] *= np.exp(np.float32(0.4) * over)[..., None]
    # Each ear for itself: on one the photo's light may have fallen, through the other it may have shone.
    most, middle = BELOW_FACE * float(np.median(luminance(face))), plate.landmarks[NOSE, 0] - first
    wide = np.where(matte < 0.95, cv2.dilate(mask, np.ones((2 * round(BESIDE_HW[0] * plate.hw_px) + 1,) * 2, np.uint8)), mask)
    for half in (np.s_[:, : max(int(middle), 0)], np.s_[:, max(int(middle), 0) :]):
        if there[half].any():
            gain = np.float32(min(most / max(float(np.median(luminance(tone[half])[there[half]])), 2e-3), 1.0))
            # Out to where nobody is: the outline's last pixels, left as they were, would be a line.
            tone[half] *= (1 - (1 - gain) * wide[half])[..., None]


def _unspecked(figure: Figure, mask: F32, box: tuple[slice, slice], k: float) -> None:
    """Give specks of hair among the skin of an ear, `mask` f32 of `box`, back to it, in place."""
    skin, hair, side = figure.skin[box], figure.hair[box], 2 * SPECK_HW * k
    count, names, stats, _ = cv2.connectedComponentsWithStats(((hair > 0.1) & (figure.matte[box] > 0.1)).astype(np.uint8), connectivity=8)
    small = (stats[:, cv2.CC_STAT_WIDTH] < side) & (stats[:, cv2.CC_STAT_HEIGHT] < side)
    beside = cv2.dilate(mask, np.ones((2 * round(SPECK_HW * k) + 1,) * 2, np.uint8)) > 0.5
    inner = np.array([small[i] and beside[names == i].all() for i in range(count)])
    more = np.asarray(hair * cv2.dilate(inner[names].astype(np.uint8), np.ones((3, 3), np.uint8)), np.float32)
    skin += more
    hair -= more


def _mask(figure: Figure, plate: Plate, box: tuple[slice, slice]) -> F32:
    """Where ears are, f32 of `box`: skin beside the face's outline, on the rows of ears, and wide enough to be one."""
    k, mesh = plate.hw_px, plate.landmarks
    oval = np.ones(figure.matte[box].shape, np.uint8)
    points = mesh[list(OVAL), :2] - np.array([box[1].start, box[0].start], np.float32)
    cv2.fillPoly(oval, [np.round(points).astype(np.int32)], 0)
    beside = np.asarray(cv2.distanceTransform(oval, cv2.DIST_L2, 5) / np.float32(k), np.float32)
    rows = np.arange(box[0].start, box[0].stop, dtype=np.float32)
    over, under = (mesh[BROW, 1] - rows) / np.float32(k), (rows - mesh[NOSE_BASE, 1]) / np.float32(k)
    level = (1 - step(over, ABOVE_HW[1], ABOVE_HW[0])) * (1 - step(under, *BELOW_HW))
    bare = np.asarray(figure.skin[box] * step(figure.matte[box], 0.3, 0.8) * (1 - plate.parts["hands"][box]), np.float32)
    mask = np.asarray(bare * step(beside, *BESIDE_HW) * level[:, None], np.float32)
    # A mere strip beside the face is its own turn away.
    count, names = cv2.connectedComponents((mask > 0.3).astype(np.uint8), connectivity=8)
    keep = np.zeros(count, np.float32)
    for i in range(1, count):
        keep[i] = step(np.array([beside[names == i].max()], np.float32), WIDE_HW, 2 * WIDE_HW)[0]
    return np.asarray(mask * blur(cv2.dilate(keep[names], np.ones((5, 5), np.uint8)), 1.0), np.float32)
