"""The nap of cropped hair: a dense felt that ends over a few millimetres, in fine points and not in teeth.

A matte of a crop wavers between its own doubt and a line: where the ground is as grey as the hair it is half there over a finger's
breadth, so that a lamp behind the head shines through the temple, and where it is not it ends in steps of a pixel. A crop is opaque up to
its ends, and all of its ends lie within some 2 mm of each other.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import haircut, tresses
from lowkey.darkroom.knit import noise
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step

NOSE = 4
ENDS_HW = 0.016
"""Over how much the ends of a crop lie: 2.4 mm."""
SMOOTH_HW = 0.032
"""Over what (sigma) its outline is straightened: teeth of a matte are no tufts, for a crop is cut to one length, and where a matte jumps
from one ground to the next a skull has no corner: half of this left one."""
POINTS_HW, POINTS = (0.0045, 0.012), (0.0022, 0.0026)
"""Sizes of the points and tufts in which it ends, and how far those stand out (one deviation)."""
DEEP_HW = 0.060
"""How far within its outline a crop's coverage is looked after."""
DOUBT = (0.02, 0.10)
"""How much of a pixel's neighbourhood the matte took for room from which its colour is the room's as well, and surely."""
SOUND_HW = 0.045
"""How deep in the hair its own colour begins again: what lies nearer to the outline is the mirror image, in this line, of what lies beyond
it; the person's own texture, and no smear."""

CLEAR_HW, CLEAR = 0.012, (0.04, 0.20)
"""Round what (sigma), and how much, skin may lie about hair whose colour is all hair's: at a hairline it is half the scalp's."""
OWN_HW, EVEN_HW, DARKER = 0.10, 0.010, 4.0
"""Over what (sigma) a crop's own colour is the same, over what its grain is evened to tell it, and by what power of its luminance what is
darker counts for more: light is added to hair by a room, never taken away."""
POINTED = 0.16
"""Log contrast of the points of a felt of which the photo shows nothing."""
GLARING = (1.5, 3.0)
"""Luminance of the room beside hair over that of skin from which it veils the hair before it, and surely: bokeh 3.5 and 4.4; curtains and
flags .35 to 1.7 (three crops)."""
DARK = (0.65, 0.95)
"""Luminance over that of skin up to which hair is dark, and from which it is grey and may be as pale as it likes."""
VEIL_HW, LIFTED, HUED, FREE = (0.10, 0.16), 0.75, 0.8, 0.04
"""How far within the outline a veil lies; the shares of what is paler than the crop's own tone, and of another hue, that it is; and what is
left to it of the former (log)."""
STRIP_HW, BRIDGED_HW, STRETCH_HW, STRIP = (0.012, 0.026), 0.22, 0.06, (0.15, 0.40)
"""How wide a strip of crop along a skull's outline is that a matte or a reader lost, how long (in steps along the outline) one is at most
that lies between two stretches of hair, and each of those at least; and how much darker (log) than skin hereabouts the photo has it there,
before a ground that is brighter."""


def cropped(plate: Plate, hand: float) -> float:
    """1 for hair that is cut to a felt, 0 for long hair, combed or coiled. `hand` is +1 or -1 as the person leans."""
    hair, k = plate.parts["hair"], plate.hw_px
    box = haircut.around(hair)
    if box is None or float(haircut.fullness(hair, k)) > 0.99:
        return 0.0
    tone, mine = plate.albedo[box], hair[box]
    size = (max(mine.shape[1] // 2, 2), max(mine.shape[0] // 2, 2))
    ys, xs = np.mgrid[: size[1], : size[0]].astype(np.float32)
    left, top = plate.landmarks[NOSE, 0] - box[1].start, plate.landmarks[NOSE, 1] - box[0].start
    x, y = (2 * xs - left) * np.float32(hand / k), (2 * ys - top) / np.float32(k)
    grey, mass = (
        np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)
        for a in (np.log(np.maximum(luminance(tone), np.float32(2e-3))), mine)
    )
    if not (mass > 0.5).any():
        return 0.0
    _, _, runs = tresses.flow(grey, mass, mass > 0.5, x, y, k / 2, hand)
    return 1 - haircut.length(hair, k, runs, mass > 0.5)


def felted(plate: Plate, hand: float, crop: float) -> Plate:
    """The plate with cropped hair, as far as it is `crop`, that is opaque to its ends. `hand` is +1 or -1 as the person leans."""
    k, hair = plate.hw_px, plate.parts["hair"]
    box = haircut.around(hair, 8 + round(DEEP_HW * k))
    if box is None or crop < 0.05:
        return plate
    matte, mine, skin, tone = (np.array(a[box]) for a in (plate.matte, hair, plate.parts["skin"], plate.albedo))
    usual = _own(tone, mine, skin, matte, k)
    seen = plate.photographed(plate.window, plate.size_px)[box]
    strip = _strip(plate, box, seen) * np.float32(crop)
    ys, xs = np.mgrid[box].astype(np.float32)
    x, y = (xs - plate.landmarks[NOSE, 0]) * np.float32(hand / k), (ys - plate.landmarks[NOSE, 1]) / np.float32(k)
    dots = enumerate(POINTS_HW)
    grain = sum(np.float32(POINTED * 0.7) * noise(x / np.float32(wide), y / np.float32(wide), 133 + i) for i, wide in dots)
    plain = np.asarray(np.exp(usual + np.asarray(grain, np.float32)[..., None]), np.float32)
    taken = strip * skin
    mine, skin = np.asarray(mine + taken, np.float32), np.asarray(skin - taken, np.float32)
    tone += (plain - tone) * np.asarray(taken / np.maximum(matte, np.float32(0.05)), np.float32)[..., None]
    covered, bared = np.array(hair), np.array(plate.parts["skin"])
    covered[box], bared[box] = mine, skin
    solid = (matte > 0.5).astype(np.uint8)
    signed = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    within = blur(np.asarray(signed / np.float32(k), np.float32), SMOOTH_HW * k)
    near = step(blur(mine, 0.012 * k) / np.maximum(blur(matte, 0.012 * k), np.float32(1e-3)), 0.4, 0.8)
    near *= (1 - step(blur(skin, 0.012 * k), 0.10, 0.35)) * (np.abs(within) < DEEP_HW) * plate.inside[box] * np.float32(crop)
    sizes = enumerate(zip(POINTS_HW, POINTS, strict=True))
    points = sum(np.float32(far) * noise(x / np.float32(wide), y / np.float32(wide), 131 + i) for i, (wide, far) in sizes)
    felt = np.clip(0.5 + (within + points) * np.float32(1 / ENDS_HW), 0, 1)
    new = np.asarray(matte + near * (felt - matte), np.float32)

    # The room in the colour of what was half the room's.
    right, below = (np.asarray(cv2.Scharr(within, cv2.CV_32F, i, 1 - i, scale=k / 32), np.float32) for i in (1, 0))
    steep = np.maximum(np.hypot(right, below), np.float32(0.3))
    inward = np.float32(2 * k) * np.maximum(np.float32(SOUND_HW) - within, 0) / steep
    columns_, rows_ = (np.asarray(np.arange(n), np.float32) for n in matte.shape[::-1])
    there = columns_[None] + inward * right, rows_[:, None] + inward * below
    mirrored, known = (
        cv2.remap(a, *there, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for a in (tone, np.asarray(mine * matte, np.float32))
    )
    clear = cv2.remap(_clear(skin, k), *there, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # A strip of crop is thinner than it has to be: what the mirror shows is then forehead, and there is none beyond it.
    known, veiled = step(known, 0.85, 0.98), _glaring(plate, box, seen)
    sound = np.asarray(1 - veiled * (1 - known * clear), np.float32)[..., None]
    doubt = near * step(blur(1 - matte, 0.006 * k), *DOUBT) * np.maximum(known, veiled) * (within < SOUND_HW)
    tone += (plain + sound * (mirrored - plain) - tone) * doubt[..., None]
    # Where it ends further out than a matte had it, a plate is black.
    empty = np.asarray(veiled * step(new - matte, 0.0, 0.1) * (luminance(tone) < 0.4 * luminance(np.exp(usual))), np.float32)
    tone += (plain - tone) * empty[..., None]

    whole, albedo, parts = np.array(plate.matte), np.array(plate.albedo), dict(plate.parts)
    whole[box], albedo[box] = new, tone
    covered[box] += near * (np.maximum(new - (matte - mine), 0) - mine)
    parts["hair"], parts["skin"], parts["background"] = freeze(covered), freeze(bared), freeze(np.asarray(1 - whole, np.float32))
    return replace(plate, matte=freeze(whole), albedo=freeze(albedo), parts=parts)


def unveiled(albedo: F32, plate: Plate, crop: float) -> None:
    """Take a bright room's light off the albedo f32[h, w, 3] of dark hair, as far as it is `crop`, in place.

    Bokeh, haze and glare lay the room over the outer part of a thin dark strip, and a matte's solver paints what is left of it in patches.
    A felt has one tone and hue hereabouts; what is paler than that is veil. It is scaled: the grain stays.
    """
    k, hair, skin = plate.hw_px, plate.parts["hair"], plate.parts["skin"]
    box = haircut.around(hair, 8 + round(DEEP_HW * k))
    face = skin > 0.9
    if box is None or crop < 0.05 or not face.any():
        return
    mine, other, matte, tone = (np.ascontiguousarray(a[box]) for a in (hair, skin, plate.matte, albedo))
    glare = _glaring(plate, box, plate.photographed(plate.window, plate.size_px)[box])
    usual = _own(tone, mine, other, matte, k)
    dark = 1 - step(luminance(np.exp(usual)) / np.float32(max(float(np.median(luminance(albedo[face]))), 1e-3)), *DARK)
    within = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    share = step(np.asarray(mine / np.maximum(matte, np.float32(0.05)), np.float32), 0.7, 0.98) * _clear(other, k)
    how = np.asarray(glare * dark * share * (1 - step(within, *VEIL_HW)) * np.float32(crop), np.float32)
    if how.max() < 0.02:
        return
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    broad = among(log, np.asarray(mine * (matte > 0.5) + 1e-5, np.float32), EVEN_HW * k)
    grey, level = (np.log(np.maximum(luminance(np.exp(one)), np.float32(2e-3)))[..., None] for one in (broad, usual))
    over = np.maximum(grey - level - np.float32(FREE), 0)
    change = -np.float32(LIFTED) * over + np.float32(HUED) * ((usual - level) - (broad - grey))
    albedo[box] = tone * np.exp(how[..., None] * change)


def _glaring(plate: Plate, box: tuple[slice, slice], seen: F32) -> F32:
    """How surely f32[h, w] of `box` the photo's room hereabouts is so bright (`seen` f32[h, w]) that it veils dark hair."""
    k, face = plate.hw_px, plate.parts["skin"] > 0.9
    if not face.any():
        return np.zeros_like(plate.matte[box])
    lit = max(float(np.median(luminance(plate.colour[face]))), 1e-3)
    room = np.asarray((plate.matte[box] < 0.05) * plate.inside[box], np.float32)
    beside = among(seen, room, OWN_HW * k)
    return np.asarray(step(beside / np.float32(lit), *GLARING) * step(blur(room, OWN_HW * k), 1e-3, 0.02), np.float32)


def _clear(skin: F32, k: float) -> F32:
    """1 where no skin f32[h, w] shines through hair, 0 at a hairline."""
    return np.asarray(1 - step(blur(skin, CLEAR_HW * k), *CLEAR), np.float32)


def _own(tone: F32, hair: F32, skin: F32, matte: F32, k: float) -> F32:
    """A crop's own log colour f32[h, w, 3] hereabouts: that of what is hair alone, and of the darker of it more."""
    sure = np.asarray(step(hair, 0.85, 0.98) * step(matte, 0.9, 0.99) * _clear(skin, k), np.float32)
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    even = among(log, np.asarray(hair * (matte > 0.5) + 1e-5, np.float32), EVEN_HW * k)
    if sure.sum() < 50:
        sure = np.asarray(hair * step(matte, 0.5, 0.9) + 1e-6, np.float32)
    grey = np.log(np.maximum(luminance(np.exp(even)), np.float32(2e-3)))
    middle = float(np.average(grey, weights=sure))
    sure *= np.exp(-np.float32(DARKER) * np.clip(grey - np.float32(middle), -1, 1))
    whole = np.average(even.reshape(-1, 3), axis=0, weights=sure.ravel()).astype(np.float32)
    mass = blur(sure, OWN_HW * k)[..., None]
    near = blur(np.asarray(even * sure[..., None], np.float32), OWN_HW * k)
    # Where there is little of it the whole head's counts as well.
    return np.asarray((near + np.float32(0.05) * whole) / (mass + np.float32(0.05)), np.float32)


def _strip(plate: Plate, box: tuple[slice, slice], seen: F32) -> F32:
    """How surely f32[h, w] of `box` skin on the outline is a strip of crop between two stretches of it; `seen` f32[h, w] is the photo."""
    k = plate.hw_px
    matte, hair, skin = (np.ascontiguousarray(a[box]) for a in (plate.matte, plate.parts["hair"], plate.parts["skin"]))
    within = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    bridged = _bridged(np.asarray(hair > 0.5 * np.maximum(matte, np.float32(0.2))), matte > 0.5, k)
    if not bridged.any():
        return np.zeros_like(matte)
    seen = np.log(np.maximum(seen, np.float32(2e-3)))
    bare = np.asarray((skin > 0.9) & (within > 2 * STRIP_HW[1]), np.float32)
    room = np.asarray((matte < 0.05) * plate.inside[box], np.float32)
    beside, behind = (among(seen, m, OWN_HW * k / 2) for m in (bare, room))
    even = blur(seen, 0.004 * k)
    # The lens mixes the room into the strip's outer half: its darkest tells.
    least = cv2.erode(even, np.ones((2 * round(STRIP_HW[0] * k) + 1,) * 2, np.uint8))
    told = step(beside - least, *STRIP) * step(behind - beside, 0.2, 0.6)
    bridged = bridged * (within > 0)
    return blur(np.asarray(bridged * told * (1 - step(within, *STRIP_HW)), np.float32), 0.004 * k)


def _bridged(hair: NDArray[np.bool_], solid: NDArray[np.bool_], k: float) -> NDArray[np.bool_]:
    """Where the outline of bool[h, w] `solid` runs from one stretch of `hair` bool[h, w] to the next, not far: a strip's width of it."""
    out = np.zeros(hair.shape, np.uint8)
    lines, _ = cv2.findContours(np.asarray(solid, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(lines, key=len, default=np.zeros((0, 1, 2), np.int32))[:, 0]
    near = cv2.dilate(np.asarray(hair, np.uint8), np.ones((3, 3), np.uint8))
    on = near[line[:, 1], line[:, 0]] > 0
    ends = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in ends.reshape(-1, 2) if b - a > STRETCH_HW * k]
    for (_, last), (first, _) in itertools.pairwise(runs):
        if first - last < BRIDGED_HW * k:
            # From within each stretch, for it thins out toward its end.
            part = line[max(last - round(STRETCH_HW * k), 0) : first + round(STRETCH_HW * k)]
            cv2.polylines(out, [part.reshape(-1, 1, 2)], False, 1, 2 * round(STRIP_HW[1] * k) + 1)
    return np.asarray(out > 0)
