"""Temples: cropped hair that runs down before the ear, where a matte bit it off and a reader took what was left for skin.

Closed-form matting loses short dark hair before a dark or a busy room, and what is left of it, a strip as narrow as an ear's rim, is no
mass of hair to a reader. Without it a skull dips between crown and ear, a patch of bare temple is lit there, and the ear stands off. Two
things are known: a skull is convex from the crown down to the ear's root, and hair is told from skin by its colour, dark and without blood.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp

SIDES = ((21, 162, 127, 234, 93), (251, 389, 356, 454, 323))
"""Mesh points down the face's outline on each side: upper temple, brow, eye, tragus and cheek, the viewer's left one first."""
OVER_HW, UNDER_HW = (0.55, 0.30), (0.02, 0.08)
"""How far over the brow's row a temple begins, and how far below the tragus a sideburn ends."""
INSIDE_HW, OUTSIDE_HW, BEFORE_EAR_HW = (0.07, 0.11), (0.12, 0.16), (0.01, 0.03)
"""How far within and beyond the mesh's outline such hair lies; and how far beyond it at the tragus, where it lies before the ear."""
WIDE_HW, EVEN_HW = 0.10, 0.005
"""Within what (sigma) skin hereabouts is known, and over what a colour is judged: photos have grain."""
BROAD = 4
"""How many times smaller what is broad is read."""
WARM = (0.60, 0.85)
"""Stops of red over blue that skin has more than hair from which the two are told apart, and surely (three portraits 1.0 to 1.1)."""
LIKE, COOLER = (0.40, 0.75), (3.2, 4.2)
"""Place between skin (0) and hair (1) from which it is hair, and surely: between them it is a hairline's density; and from where it is
cooler than any lens draws hair's edge, and a blue wall."""
DARKER = (0.8, 1.0)
"""Stops by which a head's hair is darker than its skin from which it is asked for, and surely: under grey hair what is less warm than skin
may be a shade that the sky looks into."""
PALER = (-0.1, 0.3)
"""Stops by which it may be lighter than skin, and is none: a rim that a cool old light drew on skin has no warmth either."""
OUT_HW, ROOT_HW, EAR_HW = 0.07, 0.05, 0.10
"""How far beyond the matte's outline a skull's line may lie; how far beyond the mesh's outline an ear's root stands off;
and how far over the brow's row an ear's top may lie, which is none of that line."""
DOUBT_HW, DOUBT = 0.020, (0.10, 0.22)
"""Round what (sigma), and how much, a matte has to doubt (4 a (1 - a)) for hair to lie beyond its outline: a clean edge is hair's own."""
DENT_HW, SOME_HW2, CROPPED_HW2 = (0.008, 0.022), 0.02, (0.35, 0.42)
"""How far within a skull's line an outline between hair and ear may lie that is a matte's dent; area of hair from which a head has any, up
to which it is cropped, and from which it is not: other hair stands off the skull."""
HOLE_HW, THIN_HW = 0.016, 0.007
"""Half of how wide a hole in such hair is that is none, and half the width under which a strip is an outline's softness, and no hair."""


def restored(
    alpha: F32, seen: F32, skin: F32, hair: F32, keep: F32, points: F32, hw_px: float
) -> tuple[F32, F32, F32, F32]:  # fmt: skip
    """Matte, skin and hair f32[h, w] with the hair of the temples in them, and where it was found.

    `seen` f32[h, w, 3] is the photo, `keep` f32[h, w] 1 where nothing is touched: glasses, brows, cloth. `points` are the landmarks.
    """
    alpha, skin, hair, found = alpha.copy(), skin.copy(), hair.copy(), np.zeros_like(alpha)
    few = np.s_[::4, ::4]
    mass = seen[few][(hair[few] > 0.9) & (alpha[few] > 0.95)]
    if len(mass) < 20:
        return alpha, skin, hair, found
    log = np.log2(np.maximum(mass, np.float32(2e-3)))
    usual = np.float32(np.median(log[:, 1])), np.float32(np.median(log[:, 0] - log[:, 2]))
    for side in SIDES:
        _restore(alpha, seen, skin, hair, found, keep, points, side, usual, hw_px)
    return alpha, skin, hair, found


def _restore(
    alpha: F32, seen: F32, skin: F32, hair: F32, found: F32, keep: F32, points: F32,
    side: tuple[int, ...], usual: tuple[np.float32, np.float32], k: float,
) -> None:  # fmt: skip
    """One side of it, in place; `usual` is the log tone and warmth of the head's hair."""
    h, w = alpha.shape
    edge = points[list(side), :2]
    way = 1.0 if edge[3, 0] > points[4, 0] else -1.0
    top, end = (int(np.clip(v, 0, h)) for v in (edge[1, 1] - OVER_HW[0] * k, edge[3, 1] + UNDER_HW[1] * k))
    reach = OUTSIDE_HW[1] * k
    first, last = (int(np.clip(v, 0, w)) for v in (edge[:, 0].min() - 2 * reach, edge[:, 0].max() + 2 * reach))
    if end - top < 8 or last - first < 8:
        return
    box = np.s_[top:end, first:last]
    rows, columns = np.mgrid[box].astype(np.float32)
    order = np.argsort(edge[:, 1])
    line = np.interp(rows[:, 0], edge[order, 1], edge[order, 0])[:, None]
    out = np.asarray(way * (columns - line) / k, np.float32)
    ear = ramp((rows - edge[1, 1]) / np.maximum(edge[3, 1] - edge[1, 1], np.float32(1)), 0.4, 1.0)
    far = np.float32(OUTSIDE_HW[0]) + ear * np.float32(BEFORE_EAR_HW[0] - OUTSIDE_HW[0])
    zone = ramp(out, -INSIDE_HW[1], -INSIDE_HW[0]) * np.clip((far - out) / np.float32(OUTSIDE_HW[1] - OUTSIDE_HW[0]) + 1, 0, 1)
    zone *= ramp((rows - edge[1, 1]) / np.float32(k), -OVER_HW[0], -OVER_HW[1]) * (1 - ramp((rows - edge[3, 1]) / np.float32(k), *UNDER_HW))
    zone *= 1 - keep[box]

    mine, strands, cover = skin[box], hair[box], alpha[box]
    log = np.log2(np.maximum(seen[box], np.float32(2e-3)))
    tone, warm = (blur(np.asarray(v, np.float32), EVEN_HW * k) for v in (log[..., 1], log[..., 0] - log[..., 2]))
    bare = (mine > 0.9) & (strands < 0.02) & (out < -0.5 * INSIDE_HW[0]) & (keep[box] < 0.1)
    if bare.sum() < 50:
        return
    # The warmer half of what was read as skin is skin, and the lighter half no socket: the rest may be what is asked about.
    sure = bare & (warm >= np.median(warm[bare])) & (tone >= np.median(tone[bare]))
    if not sure.any() or tone[sure].max() - usual[0] < DARKER[0] or warm[sure].max() - usual[1] < WARM[0]:
        return
    size = (max(sure.shape[1] // BROAD, 1), max(sure.shape[0] // BROAD, 1))
    sums = np.dstack([sure, warm * sure, tone * sure]).astype(np.float32)
    near, own, light = cv2.split(blur(cv2.resize(sums, size, interpolation=cv2.INTER_AREA), WIDE_HW * k / BROAD))
    near = np.maximum(near, np.float32(1e-4))
    own, light = (cv2.resize(np.asarray(v / near, np.float32), sure.shape[::-1], interpolation=cv2.INTER_LINEAR) for v in (own, light))
    apart = np.maximum(own - usual[1], np.float32(0.05))
    place = np.asarray((own - warm) / apart, np.float32)
    like = ramp(place, *LIKE) * (1 - ramp(place, *COOLER)) * ramp(apart, *WARM)
    like *= (1 - ramp(np.asarray(tone - light, np.float32), *PALER)) * ramp(np.asarray(light - usual[0], np.float32), *DARKER) * zone

    hole, thin = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(r * k) + 1,) * 2) for r in (HOLE_HW, THIN_HW))
    within = _skull(cover, points, side, way, (top, first), k)
    doubt = ramp(blur(np.asarray(4 * cover * (1 - cover), np.float32), DOUBT_HW * k), *DOUBT)
    within *= np.where(cover > 0.5, 1, doubt)
    like = np.asarray(cv2.morphologyEx(np.asarray(like * within, np.float32), cv2.MORPH_CLOSE, hole), np.float32)
    # A strip is judged together with the hair that it goes on from.
    both = np.minimum(cv2.morphologyEx(np.maximum(like, strands * (cover > 0.5)), cv2.MORPH_OPEN, thin), like) * zone * within
    # Only what hangs together with hair.
    _, piece = cv2.connectedComponents(((both > 0.3) | (strands > 0.5)).astype(np.uint8), connectivity=8)
    roots = np.unique(piece[(strands > 0.7) & (cover > 0.95)])
    both = np.asarray(both * np.isin(piece, roots[roots > 0]), np.float32)
    more = np.maximum(both - cover, 0)
    taken = np.clip(both - strands - more, 0, mine)
    skin[box] -= taken
    hair[box] += taken + more
    alpha[box] = cover + more
    found[box] = np.maximum(found[box], np.maximum(taken, more))


def rounded(alpha: F32, hair: F32, points: F32, hw_px: float) -> F32:
    """1 within the skull's line where a matte f32[h, w] has a dent between a crop and the ear's root, f32[h, w]: a skull has none.

    Nothing tells `hair` f32[h, w] from a glaring room that veils it, so none is claimed: the outline alone is made whole.
    """
    h, w = alpha.shape
    found = np.zeros_like(alpha)
    area = np.array([hair.sum() / hw_px**2], np.float32)
    cropped = 1 - ramp(area, *CROPPED_HW2)[0]
    if cropped <= 0 or area[0] < SOME_HW2:
        return found
    for side in SIDES:
        edge = points[list(side), :2]
        way = 1.0 if edge[3, 0] > points[4, 0] else -1.0
        top, end = (int(np.clip(v, 0, h)) for v in (edge[1, 1] - OVER_HW[0] * hw_px, edge[3, 1]))
        reach = 2 * OUTSIDE_HW[1] * hw_px
        first, last = (int(np.clip(v, 0, w)) for v in (edge[:, 0].min() - reach, edge[:, 0].max() + reach))
        if end - top < 8 or last - first < 8:
            continue
        box = np.s_[top:end, first:last]
        cover = np.ascontiguousarray(alpha[box])
        out = cv2.distanceTransform((cover < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
        near = cropped * _skull(cover, points, side, way, (top, first), hw_px) * (1 - ramp(out, *DENT_HW))
        found[box] = np.maximum(found[box], near)
    return found


def _skull(cover: F32, points: F32, side: tuple[int, ...], way: float, corner: tuple[int, int], k: float) -> F32:
    """1 within the convex line from the hair's outline down to the ear's root, f32 of a box whose first pixel is `corner`."""
    h, w = cover.shape
    solid = cover > 0.5
    rows = np.flatnonzero(solid.any(1))
    rows = rows[rows + corner[0] < points[side[1], 1] - EAR_HW * k]
    found = np.zeros((h, w), np.uint8)
    if len(rows) < 3:
        return found.astype(np.float32)
    outer = [int(np.flatnonzero(solid[r])[-1 if way > 0 else 0]) for r in rows]
    edge = points[list(side[2:4]), :2] - np.array([corner[1] - way * ROOT_HW * k, corner[0]], np.float32)
    back = -1 if way > 0 else w
    corners = [*zip(outer, rows, strict=True), *edge.tolist(), (back, edge[-1, 1]), (back, rows[0])]
    hull = cv2.convexHull(np.round(np.array(corners, np.float32)).astype(np.int32))
    cv2.fillConvexPoly(found, hull, 1)
    away = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    return np.asarray(found * (away < OUT_HW), np.float32)
