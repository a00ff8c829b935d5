"""A wrap under a hard lamp, and the hand that holds it: the photo's own folds become form, and one skin covers one hand.

A photo's soft light lies in folds as shade: dark is deep there (Langer & Buelthoff 2000). Left as mere colour under a new lamp that
nothing stands in the way of, a scarf is a sheet of plastic with lines drawn on it.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.figure import Figure
from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import Kept, hand_of, slopes
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import ends
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

FOLDS_HW = ((0.010, 0.035), (0.030, 0.110))
"""Between which sizes (sigma) folds are read: creases, and the broad falls of cloth."""
DEEP_HW = (0.030, 0.110)
"""How deep a fold of each size is, per natural log by which it is darker than the cloth round it, hw."""
BROAD_HW = 0.025
"""Half the width under which a strip of a wrap, beside a far cheek, has no folds: its hems' own shade would be read for one."""
STEEP = 0.75
"""Steepest slope that is put on, hw per hw."""
HOLLOW = 0.70
"""By which power a fold's own shade is deepened: what is hidden from a soft sky is hidden from a room's light too."""
NAP = 0.35
"""Share of its fuzz that a woven wrap keeps of a jersey's, away from its outline."""
EDGE, EDGE_HW, TURNS_HW, TURNED = 0.50, 0.016, 0.030, 0.9
"""How much loose fibre is seen at a wrap's outline, where the eye looks along it, and how far in (one over e); within what distance the
cloth turns over there, and by what slope. A lamp behind it draws its hem in light: without it a scarf is a plate cut out of card."""
HOLDS_HW, HELD_SURE = 0.020, 0.35
"""How near to a hand a wrap is one up to it, and how much surer it is held to be there: what else than the wrap lies under a hand."""
LOST_EDGE, LOST_FOLD = 0.80, (-0.35, 0.45)
"""Share of that fibre which is not seen where a fold falls back at the outline, and between which heights of folds (in their own depth):
of one width all along, it is a milky line round the head."""
UNFLAGGED, LINED = 2.4, 0.75
"""How many times as much of the room's light as of a lamp's a wrap throws back (no flag stands before a room, and light comes back from the
layer under it), and by which power of what it is darker beside the face the room makes up for that: its dark half is cloth, not a hole."""
DEEPER, DEEPER_HW = 0.86, 0.30
"""How much darker a wrap is where it lies close round the face than at its outline, and how far in (one over e) it is half lost. Light goes
through thin cloth, and comes back from the layer under it where that is lit too; next to the face there is the hollow of the neck."""
FALLS_HW, FALLS = (0.20, 0.95), 0.013
"""How far apart, and how long, the soft folds are in which a wrap falls beside the face, and how deep: soft light shows hardly any."""
SUNK, SINKS_HW = 0.50, (0.42, 0.90)
"""How much of its light a wrap has lost over the chest, and from where to where below the jaw: it sinks into the dark as any cloth does."""
HEM_HW, HEM_DARK = 0.045, 0.75
"""Within which distance of its lower edge a wrap turns under, and how much of its light is lost there."""


def relit(figure: Figure, kept: Kept, plate: Plate) -> None:
    """Give cloth worn on the head the form its folds have in the photo, in place, and end it as cloth ends."""
    k, wrap = plate.hw_px, kept.wrap
    rows, columns = (np.flatnonzero((wrap > 0.3).any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return
    m = round(0.12 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    # A hand that holds it lies before it.
    side = 2 * round(HOLDS_HW * k) + 1
    held = blur(cv2.dilate(kept.hands[box], np.ones((side, side), np.uint8)), 0.3 * HOLDS_HW * k)
    mine = np.asarray(step(wrap[box] + np.float32(HELD_SURE) * held, 0.4, 0.9) * (wrap[box] > 0.02) * (1 - kept.hands[box]), np.float32)
    # A print or a shirt that shines through at the border is no fold: only what is surely wrap is read.
    sure = np.asarray(cv2.erode(mine, np.ones((5, 5), np.uint8)), np.float32)
    shade = np.log(np.maximum(luminance(plate.colour[box]), np.float32(0.004))) * sure

    def mean(sigma: float) -> F32:
        return np.asarray(blur(shade, sigma * k) / np.maximum(blur(sure, sigma * k), np.float32(0.02)), np.float32)

    # Counted from the nose, as the person leans: a mirrored scarf falls in mirrored folds.
    nose = plate.landmarks[4, 1::-1]
    down_, side = ((np.arange(*v.indices(n), dtype=np.float32) - o) / np.float32(k) for v, n, o in zip(box, wrap.shape, nose, strict=True))
    within = _within(figure.matte[box], k)
    falls = _falling(within, down_, side * np.float32(hand_of(plate)), k)
    height, hollow = falls * step(within, 0.06, 0.20), np.zeros_like(mine)
    for (fine, broad), deep in zip(FOLDS_HW, DEEP_HW, strict=True):
        fold = np.clip(mean(fine) - mean(broad), -0.8, 0.4)
        height += np.float32(deep) * fold
        hollow += np.minimum(fold, 0)
    roomy = _broad(mine, k)
    hollow *= roomy
    right, down = slopes(np.asarray(height, np.float32), k)
    long_ = np.maximum(np.hypot(right, down), np.float32(1e-6))
    # Up to a hand that holds it: without its folds, its last pixels there would face the lamp, a thread of light round a fist.
    inner = np.maximum(sure, held * mine) * roomy * np.float32(STEEP) * np.tanh(long_ / np.float32(STEEP)) / long_
    normal = figure.normal[box].copy()
    # Slopes are put on in the surface's own plane: seen from the side a fold is as deep as from the front.
    normal[..., 0] -= right * inner
    normal[..., 1] += down * inner
    # It turns over at its outline, as everything round does.
    right, down = slopes(blur(within, 0.006 * k), k)
    over = mine * np.float32(TURNED) * np.square(np.clip(1 - within / np.float32(TURNS_HW), 0, 1))
    normal[..., 0] -= over * right
    normal[..., 1] += over * down
    figure.normal[box] = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6))
    figure.depth[box] += height * sure * roomy
    figure.albedo[box] *= np.exp(np.float32(HOLLOW) * hollow * mine)[..., None]
    found = 1 - np.float32(LOST_EDGE) * (1 - step(falls / np.float32(FALLS), *LOST_FOLD))
    edge = np.float32(EDGE) * found * np.exp(-within / np.float32(EDGE_HW))
    figure.sheen[box] += mine * (np.float32(NAP) * figure.sheen[box] + edge - figure.sheen[box])
    deeper = 1 - np.float32(DEEPER) * mine * (1 - np.exp(-within / np.float32(DEEPER_HW)))
    figure.albedo[box] *= deeper[..., None]
    figure.room[box] *= (1 + np.float32(UNFLAGGED - 1) * mine) / np.power(deeper, np.float32(LINED))
    figure.albedo[box] *= (1 - np.float32(SUNK) * mine * step(kept.below[box], *SINKS_HW))[..., None]
    # What holds it lies before it: no hem is there.
    free = 1 - step(blur(np.asarray(kept.hands[box], np.float32), 0.5 * HEM_HW * k), 0.02, 0.10)
    _hemmed(figure, box, wrap[box], np.asarray(step(kept.below[box], 0.12, 0.30) * free, np.float32), k)


def _within(matte: F32, k: float) -> F32:
    """How far within the person's outline f32[h, w] (hw) each pixel of `matte` f32[h, w] lies; its border is none."""
    solid = cv2.copyMakeBorder((matte > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(k), np.float32)


def _broad(wrap: F32, k: float) -> F32:
    """1 f32[h, w] where `wrap` f32[h, w] is broad enough for folds, softly less in a narrow strip of it."""
    q = 4
    size = (max(wrap.shape[1] // q, 2), max(wrap.shape[0] // q, 2))
    side = 2 * max(round(BROAD_HW * k / q), 1) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # A border is no narrow strip: what is broad is carried on over it.
    broad = cv2.dilate(cv2.morphologyEx(cv2.resize(wrap, size, interpolation=cv2.INTER_AREA), cv2.MORPH_OPEN, disc), disc)
    soft = blur(np.asarray(broad, np.float32), BROAD_HW * k / q)
    return np.asarray(step(cv2.resize(soft, wrap.shape[::-1], interpolation=cv2.INTER_LINEAR), 0.15, 0.5), np.float32)


def _falling(within: F32, rows: F32, columns: F32, k: float) -> F32:
    """Height f32[h, w] (hw) of folds that run down along the outline, by the distance `within` f32[h, w] it.

    `rows` f32[h] and `columns` f32[w] are where its pixels lie, hw.
    """
    q = 4
    size = (max(within.shape[1] // q, 2), max(within.shape[0] // q, 2))
    inner = cv2.resize(within, size, interpolation=cv2.INTER_AREA)
    ys, xs = np.broadcast_to(rows[:, None], within.shape), np.broadcast_to(columns[None], within.shape)
    y, x = (cv2.resize(np.ascontiguousarray(v), size, interpolation=cv2.INTER_AREA) for v in (ys, xs))
    across, along = np.float32(1 / FALLS_HW[0]), np.float32(1 / FALLS_HW[1])
    folds = noise(inner * across + 0.6 * noise(x * along, y * along, 86), y * along, 85)
    height = blur(np.asarray(np.float32(FALLS) * folds, np.float32), 0.01 * k / q)
    return np.asarray(cv2.resize(height, within.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _hemmed(figure: Figure, box: tuple[slice, slice], wrap: F32, low: F32, k: float) -> None:
    """Turn a wrap's lower edge under, in place, where `low` f32[h, w] is 1: there it takes its own colour from further in, and goes dark.

    What it was worn with, a print or a lace, is mixed into its last pixels.
    """
    solid = cv2.copyMakeBorder((wrap > 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inside = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(k), np.float32)
    own = np.asarray(step(inside, HEM_HW, 1.4 * HEM_HW), np.float32)
    albedo = figure.albedo[box]
    wide = 0.05 * k
    further = blur(albedo * own[..., None], wide) / np.maximum(blur(own, wide), np.float32(1e-3))[..., None]
    near = low * (1 - step(inside, 0.5 * HEM_HW, HEM_HW)) * (blur(own, wide) > 0.01) * (wrap > 0)
    albedo += near[..., None] * (further - albedo)
    dark = 1 - np.float32(HEM_DARK) * low * np.square(np.clip(1 - inside / np.float32(HEM_HW), 0, 1)) * (wrap > 0)
    albedo *= dark[..., None]
    figure.sheen[box] *= dark


LOST, LOST_HW = 0.97, (-0.22, 0.22)
"""How much of its light a hand loses toward the photo's lower edge, and from where to where over and below it."""
HELD = 0.45
"""Brightest a hand may be against the face, in the lightness of its skin: it lies nearer to the eye, which goes to what is lightest, and
square to the lamp, so that a stop under the face is half of its lightness and a little less."""
KNUCKLES_HW, KNUCKLES, DRY = (0.008, 0.045), (0.45, 0.006), 0.45
"""Between which sizes (sigma) the photo's own shade on a hand is read, by how much it is deepened and how deep it is taken to lie (hw per
natural log: hardly, for between fingers it is no form but what none sees into, and lit anew it was melted); and the share of a face's
shine that a hand has. Lit anew without its folds and with a face's film a hand is wax."""
METAL, METAL_RED, METAL_TONE, METAL_F0 = (0.16, 0.45), (0.10, 0.35), 0.75, 0.08
"""Natural logs by which a spot on a hand is lighter than the skin round it, and less red over blue than the hand, when it is a ring; what
is left of a ring's lightness, which was the old room mirrored in it; and how much of the new lamp it mirrors (F0; rough as gold is)."""
RING_HW2, RING_HW, ALONE = 0.015, 0.04, 0.7
"""Most that a ring shows, over what gaps its parts are one, and the least share of all such spots that it is: many are a hand's shine."""
ONE_SKIN_HW = 0.20
"""Over what (sigma) the light that was taken off a hand is made even."""


def one_skin(figure: Figure, hands: F32, plate: Plate, face: F32) -> None:
    """Make the old light that was taken off hands and wrists even, in place; `hands` f32[h, w], `face` f32[h, w] is 1 on its skin.

    A hand is known to one reader and its wrist to another: each was lit by a form of its own, and where they meet the skin changes. Its
    colour is the photo's, turned as the face's own was.
    """
    k = plate.hw_px
    rows, columns = (np.flatnonzero((hands > 0.1).any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return
    m = round(0.1 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    mine, colour, albedo = np.asarray(hands[box], np.float32), np.maximum(plate.colour[box], np.float32(0.002)), figure.albedo[box]
    sigma = ONE_SKIN_HW * k
    was, now = (blur(np.log(np.maximum(luminance(v), np.float32(0.002))) * mine, sigma) for v in (colour, albedo))
    gain = np.exp((now - was) / np.maximum(blur(mine, sigma), np.float32(0.01)))
    tint = np.ones(3, np.float32)
    if (face > 0.5).sum() > 100:
        tint = np.median(figure.albedo[face > 0.5] / np.maximum(plate.colour[face > 0.5], np.float32(0.002)), 0).astype(np.float32)
        tint /= max(float(luminance(tint)), 1e-3)
    even = colour * gain[..., None] * np.clip(tint, 0.8, 1.25)
    # Its own folds and knuckles, which soft light hardly draws.
    shade = np.log(luminance(colour)) * mine
    fine, broad = (blur(shade, s * k) / np.maximum(blur(mine, s * k), np.float32(0.02)) for s in KNUCKLES_HW)
    fold = np.asarray(np.clip(fine - broad, -0.5, 0.25), np.float32)
    even *= np.exp(np.float32(KNUCKLES[0]) * fold)[..., None]
    sure, held = step(mine, 0.5, 0.9), 1.0
    red = np.log(colour[..., 0] / colour[..., 2])
    usual = float(np.median(red[sure > 0.9])) if (sure > 0.9).any() else 0.0
    metal = _ring(np.asarray(step(fine - broad, *METAL) * step(usual - red, *METAL_RED) * sure, np.float32), k)
    even *= (1 - np.float32(1 - METAL_TONE) * metal)[..., None]
    if (face > 0.5).sum() > 100 and (sure > 0.9).sum() > 100:
        whole, most = (float(np.median(luminance(v))) for v in (even[sure > 0.9], figure.albedo[face > 0.5]))
        held = min(HELD * most / max(whole, 1e-3), 1.0)
    # Half-sure borders keep what was found for them, no lighter than the hand: they would be a thread of light round it.
    albedo += sure[..., None] * (even - albedo)
    albedo *= (1 - np.float32(1 - held) * step(mine, 0.02, 0.5))[..., None]
    figure.specular[box] *= 1 - np.float32(1 - DRY) * sure
    figure.specular[box] += metal * np.float32(METAL_F0)
    right, down = slopes(np.asarray(np.float32(KNUCKLES[1]) * fold, np.float32), k)
    normal = figure.normal[box]
    normal[..., 0] -= right * sure
    normal[..., 1] += down * sure
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), np.float32(1e-6))
    end = ends.foot(plate.inside)
    if end is not None:
        # A hand that the photo cuts is lost in the dark before it ends.
        beyond = (np.arange(*box[0].indices(len(hands)), dtype=np.float32) - np.float32(end - 1)) / np.float32(k)
        lost = 1 - np.float32(LOST) * step(beyond, *LOST_HW)[:, None]
        lost = np.asarray(1 - (1 - lost) * (mine > 0.02), np.float32)
        albedo *= lost[..., None]
        figure.specular[box] *= lost


def _ring(metal: F32, k: float) -> F32:
    """What of `metal` f32[h, w] may be a ring: all of it where it is one small thing, else nothing."""
    side = max(round(RING_HW * k), 3)
    spots = cv2.morphologyEx((metal > 0.3).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(spots)
    area = stats[1:, cv2.CC_STAT_AREA]
    one = len(area) > 0 and float(metal.sum()) < RING_HW2 * k * k and area.max() > ALONE * area.sum()
    return metal if one else np.zeros_like(metal)
