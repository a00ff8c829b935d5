"""Ears before a lamp: a bowl with a rim, thin enough at the rim for the lamp to glow through it.

A silhouette blown up to a form makes an ear a ball that leans to the lamp, lit flat as a cut-out. In life its plane faces the one who looks
at the face, and light from the side only grazes it. Its folds and its bowl are the photo's own light and dark: a hollow is dark in any
light, and a shallow relief of them, of nothing as fine as a photo's grain (that would be crumpled wax), turns its walls to the lamp.
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
OUTWARD, UPWARD = 0.18, 0.05
"""How its plane leans: hardly outward, for an auricle stands off the head by 20 to 30 degrees, and turns its hollow side forward."""
ROLL_HW = 0.020
"""How far from its outline its rim rolls over."""
RUDDY, FLUSHED, BLOOD_HW = 0.26, 0.30, 0.025
"""Log red over green by which an ear may be redder than the face, the share that is left of what it has beyond, and over what (sigma)
the photo's own red is read: blood is near the surface in ears. In photos they are .05 to .32 redder than faces; delighting greys them."""
DOWNY = 0.92
"""Share of its mirror that the rim has lost."""
FOLDS_HW = (0.007, 0.020, 0.10)
"""Between which sizes (sigma) the photo's light and dark on it are its helix, antihelix and bowl; under the middle one also grain."""
CHEEKS, GRAINS = (50, 280), 1.5
"""Mesh points on bare cheeks, where a photo's grain is read, and how many times its variance is none of an ear's folds."""
BROADER = 0.38
"""Variance of grain that is as coarse as the finest of these sizes between the two broader ones, in shares of that between the finer."""
CARVED, SINKS, RISES = 1.6, 1.5, 0.40
"""How much of that it has, and how far (log) it sinks and rises at most, by degrees: delighting took most of it for light, and a sky looks
into a bowl which a lamp beside the head does not; what shone on a fold was the old room's lamps."""
DEEP_HW, STEEP, EVEN_HW = 0.021, 0.45, 0.009
"""How deep a fold is that is an e-th as light, the most slope it has, and over what (sigma) its form is evened."""
GLOWS = (0.93, 1.03, 1.10)
"""How deep each of red, green and blue goes into a fold: what is left of the light there has gone from skin to skin, and came off red."""
BELOW_FACE = 0.82
"""Most of the face's luminance that an ear has, a quarter of a stop under it, as printers burn ears in: daylight shines through them, and
an eye goes to what is lightest. Half a stop under it is a grey patch beside a lit cheek."""
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
    # Out to where nobody is: the outline's last pixels, left as they were, would be a line, and a wall before the lamp.
    wide = np.where(figure.matte[box] < 0.95, cv2.dilate(mask, np.ones((2 * round(BESIDE_HW[0] * k) + 1,) * 2, np.uint8)), mask)
    # All of it, however slim: what is left of a cushion shades the ear's middle.
    _flattened(figure.depth[box], mask, np.minimum(2 * wide, 1), side[..., 0], k)
    folds = _folds(plate.colour[box], mask, _grain(plate.colour, plate), k)
    normal = figure.normal[box]
    normal += turn[..., None] * (_sloped(plane, folds, mask, k) - normal)
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), np.float32(1e-6))
    _flushed(figure.albedo[box], plate.colour[box], mask, plate)
    _toned(figure.albedo[box], mask, wide, plate, first)
    carved = _carved(figure.albedo[box], folds, mask, k)
    figure.albedo[box] *= np.exp(carved[..., None] * np.array(GLOWS, np.float32))
    # Its skin is dull: a mirror image on it is a wet cut-out's. Down grows on its rim, which has no grazing mirror at all: there the whole
    # room would be drawn round the ear as a line.
    figure.specular[box] *= 1 - np.float32(0.5) * mask
    figure.specular[box] *= 1 - np.float32(DOWNY) * mask * (1 - step(inward, 0.2 * ROLL_HW, 1.2 * ROLL_HW))
    found[box] = mask
    return found


def _flattened(depth: F32, mask: F32, wide: F32, side: F32, k: float) -> None:
    """The depth f32[h, w] of ears as the plane that they are lit as, in place; `side` f32[1, w] is +1 right of the nose.

    `mask` f32[h, w] is where they are, `wide` f32[h, w] with their outline.

    Blown up from the outline an ear is a cushion, and a lamp beside the head laid one slab of shade over its lower half.
    """
    rows, columns = (np.arange(n, dtype=np.float32) / np.float32(k) for n in mask.shape)
    plane = UPWARD * rows[:, None] - OUTWARD * side * columns
    for half in (side > 0, side < 0):
        mine = (mask > 0.8 * (mask * half).max()) & half
        if mine.any():
            middle = np.float32(np.median((depth - plane)[mine]))
            depth += wide * half * (plane + middle - depth)


def _folds(of: F32, mask: F32, grain: float, k: float) -> F32:
    """An ear's light and dark, log f32[h, w], of `of` f32[h, w, 3] between the sizes of its rim and of its bowl.

    `grain` is the variance of a cheek's own texture in the finer of the two bands: what an ear has no more of is grain (Lee 1980).
    """
    fine, middle, broad = _evened(np.log(np.maximum(luminance(of), np.float32(2e-3))), mask, k)
    out = np.zeros_like(mask)
    for band, over, noise in ((fine - middle, FOLDS_HW[1], grain), (middle - broad, FOLDS_HW[2], BROADER * grain)):
        power = blur(np.square(band) * mask, over * k) / np.maximum(blur(mask, over * k), np.float32(0.05))
        out += band * np.maximum(1 - np.float32(GRAINS * noise) / np.maximum(power, np.float32(1e-6)), 0)
    return out


def _evened(grey: F32, mask: F32, k: float) -> list[F32]:
    """`grey` f32[h, w] evened over each of FOLDS_HW, among the ear's own pixels."""
    return [np.asarray(blur(grey * mask, s * k) / np.maximum(blur(mask, s * k), np.float32(0.05)), np.float32) for s in FOLDS_HW]


def _sloped(plane: F32, folds: F32, mask: F32, k: float) -> F32:
    """Normals f32[h, w, 3] of an ear's `plane` f32[1, w, 3] with its `folds` f32[h, w] as heights: what is dark in it is deep.

    Under a sky dark is deep (Langer & Zucker 1994): that says where a rim ends and a bowl begins, and little of how steep it is there, so
    that the slope is held to what a half-tone needs. Flat in a light from the side an ear is a paper cut-out, however well it is painted.
    """
    height = np.float32(DEEP_HW * k) * np.tanh(blur(folds * mask, EVEN_HW * k))
    right, down = (np.asarray(cv2.Scharr(height, cv2.CV_32F, i, 1 - i), np.float32) / 32 for i in (1, 0))
    steep = np.hypot(right, down)
    held = np.float32(STEEP) * np.tanh(steep / np.float32(STEEP)) / np.maximum(steep, np.float32(1e-6)) * mask
    out = np.asarray(np.broadcast_to(plane, (*mask.shape, 3)).copy(), np.float32)
    out[..., 0] -= right * held
    out[..., 1] += down * held
    return np.asarray(out / np.linalg.norm(out, axis=2, keepdims=True), np.float32)


def _carved(tone: F32, folds: F32, mask: F32, k: float) -> F32:
    """What the albedo f32[h, w, 3] of an ear lacks of its `folds` f32[h, w] in the photo, log f32[h, w]."""
    # Cut off at a height, a fold is a plateau with a drawn edge.
    wanted = np.float32(CARVED) * folds
    most = np.where(wanted > 0, np.float32(RISES), np.float32(SINKS))
    return np.asarray((most * np.tanh(wanted / most) - _folds(tone, mask, 0.0, k)) * mask, np.float32)


def _grain(of: F32, plate: Plate) -> float:
    """Variance of log luminance of `of` f32[h, w, 3] on bare cheeks, in the finer band of folds."""
    k = plate.hw_px
    total, count = 0.0, 0
    for x, y in plate.landmarks[list(CHEEKS), :2]:
        r = round(3 * FOLDS_HW[1] * k)
        there = np.s_[max(int(y) - r, 0) : int(y) + r, max(int(x) - r, 0) : int(x) + r]
        grey = np.log(np.maximum(luminance(of[there]), np.float32(2e-3)))
        if grey.shape[0] < r or grey.shape[1] < r:
            continue
        fine = blur(grey, FOLDS_HW[0] * k) - blur(grey, FOLDS_HW[1] * k)
        total, count = total + float(np.median(np.square(fine))), count + 1
    # The median of a normal deviate squared is .455.
    return total / max(count, 1) / 0.455


def _flushed(tone: F32, colour: F32, mask: F32, plate: Plate) -> None:
    """Ears f32[h, w, 3] as much redder than the face as in the photo `colour` f32[h, w, 3], in place, at one luminance.

    Some of the red of a photo's ear is daylight that shone through it: what is beyond blood's goes.
    """
    face = plate.parts["skin"] > 0.9
    if np.count_nonzero(face) < 100:
        return

    def red(of: F32) -> F32:
        log = np.log(np.maximum(of, np.float32(2e-3)))
        return np.asarray(log[..., 0] - log[..., 1], np.float32)

    seen = blur(red(colour) * mask, BLOOD_HW * plate.hw_px) / np.maximum(blur(mask, BLOOD_HW * plate.hw_px), np.float32(0.05))
    own = red(tone) - np.float32(np.median(red(plate.albedo[face])))
    # In a sky's shade it looks less red than it is.
    over = np.maximum(seen - np.float32(np.median(red(plate.colour[face]))), own)
    more = (np.minimum(over, RUDDY) + np.float32(FLUSHED) * np.maximum(over - RUDDY, 0) - own) * mask
    grey = luminance(tone)
    tone[..., 0] *= np.exp(np.float32(0.5) * more)
    tone[..., 1:] *= np.exp(np.float32(-0.5) * more)[..., None]
    tone *= (grey / np.maximum(luminance(tone), np.float32(1e-4)))[..., None]


def _toned(tone: F32, mask: F32, wide: F32, plate: Plate, first: int) -> None:
    """Ears f32[h, w, 3] where `mask` f32[h, w] is, `wide` f32[h, w] with their outline, no lighter than BELOW_FACE, in place."""
    face, there = plate.albedo[plate.parts["skin"] > 0.9], mask > 0.8
    if len(face) < 100 or not there.any():
        return
    # Each ear for itself: on one the photo's light may have fallen, through the other it may have shone.
    most, middle = BELOW_FACE * float(np.median(luminance(face))), plate.landmarks[NOSE, 0] - first
    for half in (np.s_[:, : max(int(middle), 0)], np.s_[:, max(int(middle), 0) :]):
        if there[half].any():
            gain = np.float32(min(most / max(float(np.median(luminance(tone[half])[there[half]])), 2e-3), 1.0))
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
