"""Stray hairs: along an outline that a matte drew through hair, single hairs stand off the mass and catch the lamp.

A hair is a seventh of a plate pixel wide, so no matte from an ordinary photo holds any, and hair before a lamp ends as if cut with
scissors. What is drawn here is invented, as the neck is: it lies outside the outline only, where the photo shows the room.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.darkroom import flyaways, fringe, haircut, hairs, tresses
from lowkey.darkroom.knit import noise
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.zones import ramp as step

ROOTED_HW = (0.03, 0.055)
"""How deep within the outline there must be hair still."""
RECEDES_HW, RECEDED, APART_HW = (0.006, 0.030), 0.5, 0.06
"""How far within its outline a mass of hair is closed, cropped and full, at most this share of how thick it is hereabouts: a matte, or an
old light's pale hem, ends it with scissors, and hair thins out strand by strand over .03 to .06 head-widths. How far round (hw) that
thickness is asked."""
LOCK_HW = 0.034
"""Half of how thick a lock is at most that is none of the mass."""
SMOOTHED_HW, FLOWN = 0.014, 0.30
"""Over what distance (sigma) teeth of the outline are forgotten, and by what share of its way in the mass ends further out along a strand
of the fringe, and further in along a gap."""
FLOWN_OF = 1.35
"""How deep that may be at most, of how deep the mass is open: .9 of it, and 1.5 times that share."""
THREAD_HW, NEAR_HW, SCRAP_HW2 = 0.010, 0.040, 0.03
"""Half of how thick a lock is at least, how far beyond it hair may be thinner, and the area (squared head-widths) up to which what lies
apart is a scrap: such wisps are a solver's loops, dashes and torn flaps, and hairs are drawn anyway."""
HANGS_BY, APART_FROM_HW, CRUMB_HW2 = 0.10, 0.012, 0.004
"""Coverage by which a piece of hair hangs on the rest; how far from all the rest, and how large (squared head-widths), one that hangs on
nothing is a crumb."""
TRACE = (0.05, 0.30)
"""How open a mass of hair is from which it is seen through at all, and fully."""
TIP, CUT = 0.3, 0.5
"""Coverage that hangs together, and how open hair beside a piece is for the piece to have been cut off there."""
TAPERS_HW = (0.025, 0.090)
"""How far along it from the mass what is as thin as a few hairs begins to thin out, and has ended."""
ALONG_HW = (0.0030, 0.0012)
"""How far apart along the outline hairs come out of the mass, cropped and full: 150 to 400 along a lit side."""
COILED_HEAD = (0.26, 0.40)
"""How much a head's hair runs one way along its outline, on the median, up to which it is coiled everywhere, and from which it is not (an
afro .16, crops .20 to .40, ten other heads .48 to .77): coils drawn back from a parting run there, and end in coils all the same. Straight
hairs bridged the notch of a parted crown like a lid."""
FIBRE_HW, FIBRES = 0.015, (0.45, 0.58)
"""Over what distance (sigma) the finest that a photo has of hair is asked whether it lies one way, and how much of it does, on the median,
up to which hair is matted or coiled, and from which it is strands (locks .40, an afro .33; eight other heads .63 to .85). Locks hang side
by side and run as combed hair does; within one nothing does, and a smooth single hair beside it is somebody else's."""
LOCKED = 0.4
"""How much a matted lock frizzes, of what coils do."""
RAGGED = (0.15, 0.30)
"""How half-covered an outline is hereabouts from which coils that the matte holds begin to be enough, and are: one more over the mouth of a
bay among them makes an eye of it."""
LONG = (0.10, 0.40)
"""How full (0 cropped, 1 full) a head of hair is from which single hairs are long enough to stand off it, and all of them do."""
CLUSTER, SCANT = ((3.1, 0.6), (8.3, 0.7), (23.0, 0.7)), (0.4, 2.6)
"""How many to a head-width, and by how much (log) at most, hairs come in sheaves, tufts and wisps of a tuft; and between which shares of
what is usual: strewn evenly, or in tufts of one size, they are the teeth of a comb."""
CURVE_HW, CURVES = 0.06, (0.0, 5.0)
"""Over what distance (sigma) an outline's own curve is read, and between which radians a head-width: hair lies round the head. Straight
on from where it leaves, it is a needle."""
FACES = (0.55, 0.90)
"""How much the outline faces one way, of what it does on the median, from which hairs come out of it, and all of them."""
CROSSED = 1.0
"""How much of that black hairs over it take, per optical thickness; pale ones send most of it on (Zinke et al. 2008)."""
NAP = 0.08
"""How much of the half-covered ends of a crop passes a lamp behind it on."""
MOST, TURNED, TURNED_HW = 0.8, 0.30, 0.09
"""Most that the photo's own single hairs cover of a pixel, how much of that is turned to a lamp at most, and over what size (hw)."""
ALONE = np.float32(1.3)
"""Hairs in a mass shade each other (light.HAIR_GAIN); one that stands alone does not."""
PALEST = np.float32(0.9)
BEHIND_HW = 0.35
"""How far behind the outline they lie: on a heightfield a hair would be a wall, and throw a wall's shadow on the mass behind it."""
FACING = np.float32(0.35)
"""z of a stray hair's normal: it is lit round, so from beside and behind."""


def strewn(subject: Subject, inside: F32, nose_px: tuple[float, float], hand: float, own: F32 | None = None) -> Subject:
    """The subject with stray hairs along hair's outline, where the photo f32[h, w] `inside` has pixels.

    `own` f32[h, w] is what the photo's own cover beyond it (`flyaways.read`): where it has any, none are drawn. `hand` is +1 or -1 as the
    person leans: a mirrored person gets them mirrored. Nothing within the outline is changed.
    """
    s, k = subject, subject.hw_px
    h, w = s.matte.shape
    if float(s.hair.max()) < 0.5:
        return s
    # Everything broad is read at half size.
    q, size = k / 2, (max(w // 2, 1), max(h // 2, 1))
    hair, matte, skin, cloth, kept = (_half(m, size) for m in (s.hair, s.matte, s.skin, s.cloth, inside))
    # Where the photo's edge cuts hair it has no outline.
    edge = np.ones((2 * round(hairs.ROOT_HW[1] * q) + 1,) * 2, np.uint8)
    kept = np.asarray(cv2.erode(kept, edge, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,)), np.float32)
    near = np.asarray(step(blur(hair, 0.012 * q) / np.maximum(blur(matte, 0.012 * q), 1e-3), 0.6, 0.95) * kept, np.float32)
    near = np.asarray(near * (1 - step(blur(skin, 0.03 * q), 0.03, 0.12)) * (1 - step(blur(cloth, 0.05 * q), 0.02, 0.12)), np.float32)
    inner, outer = (cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, 5) for m in (matte > 0.5, matte <= 0.5))
    within = np.asarray((inner - outer) / np.float32(q), np.float32)
    sure = np.asarray(hair * step(within, 0.004, 0.012), np.float32)
    if near.max() < 0.1 or float(sure.sum()) < 0.01 * q * q:
        return s
    level = blur(within, 0.03 * q)
    right, down = (np.asarray(cv2.Scharr(level, cv2.CV_32F, i, 1 - i), np.float32) for i in (1, 0))
    ys, xs = np.mgrid[: size[1], : size[0]].astype(np.float32)
    x, y = (2 * xs + 0.5 - np.float32(nose_px[0])) * np.float32(hand / k), (2 * ys + 0.5 - np.float32(nose_px[1])) / np.float32(k)
    grey = np.log(np.maximum(luminance(_half(s.albedo, size)), np.float32(2e-3)))
    dx, dy, runs = tresses.flow(grey, sure, sure > 0.5, x, y, q, hand)

    # Where the photo's own wisps are, they are enough.
    wisps = matte if own is None else np.maximum(matte, np.minimum(_half(own, size), 0.5) * (matte < 0.5))
    wispy = blur(np.asarray(4 * wisps * (1 - wisps), np.float32), 0.02 * q)
    may = np.asarray(near * (1 - step(wispy, 0.28, 0.48)), np.float32)
    at = _along(s.matte, may)
    if not len(at):
        return s
    there = tuple(np.minimum(at // 2, np.array(size) - 1).T[::-1])
    # Each pixel of the outline throws its own: one throw for a pixel of what is read at half size drew every hair twice, side by side.
    px, py = (np.asarray((at[:, i] - nose_px[i]) * way / k, np.float32)[None] for i, way in ((0, hand), (1, 1)))
    # A tuft's hairs lie alike.
    tufts = np.stack([noise(px * each, py * each, 83 + i)[0] for i, each in enumerate((4.7, 9))], 1)
    # Cropped and thinning hair strays less, and not far.
    full = haircut.length(s.hair, k, runs[there], hair[there] > 0.3)
    # Where hair is cropped or coiled a straight hair is somebody else's, and on a matted lock.
    combed = float(step(np.array([np.median(runs[there])], np.float32), *COILED_HEAD)[0])
    long = float(step(np.array([full], np.float32), *LONG)[0])
    straight = min(combed, float(step(np.array([_fibre(s)], np.float32), *FIBRES)[0])) if combed * long > 0 else 0.0
    frizz = (1 - straight) * (1 - (1 - LOCKED) * combed)
    # A mass of strands is open at its outline, coils and locks end where they end.
    thins = np.asarray(may * step(runs, *hairs.COMBED) * straight * long, np.float32)
    may = np.asarray(thins + may * (1 - step(wispy, *RAGGED)) * frizz * long, np.float32)
    flow = np.stack([one[there] for one in (dx, dy, runs, -right, -down, _curve(within, q))], 1)
    # From a mass of hair, not from the line that an ear's lit rim was read as.
    outward = flow[:, 3:5] / np.maximum(np.linalg.norm(flow[:, 3:5], axis=1, keepdims=True), np.float32(1e-6))
    # At a tip, in a notch and on a speck of matte an outline faces no one way: what stands off it there lies like a fir's branches.
    faces = np.linalg.norm(flow[:, 3:5], axis=1)
    chance = may[there] * step(faces / max(float(np.median(faces)), 1e-6), *FACES)
    for deep in ROOTED_HW:
        xs, ys = np.clip(np.round(at / 2 - outward * np.float32(deep * q)), 0, np.array(size) - 1).astype(int).T
        chance = chance * step(hair[ys, xs], 0.4, 0.8)
    curled = np.asarray(np.maximum(1 - step(runs, *fringe.CURLED), 1 - straight), np.float32)
    # Some contours have more of them, some fewer.
    crowd = sum((much * noise(px * each, py * each, 79 + i)[0] for i, (each, much) in enumerate(CLUSTER)), np.float32(-0.3))
    chance = chance * np.clip(np.exp(crowd), *SCANT) / np.float32(SCANT[1])
    apart = (ALONG_HW[0] + (ALONG_HW[1] - ALONG_HW[0]) * full) / SCANT[1]
    whole, part = divmod(1 / (apart * k), 1)
    sown = [hairs.thrown(px, py, 90 + hairs.DICE * n) for n in range(int(whole) + 1)]
    picked = [one[:, 0] < chance * (1 if n < whole else part) for n, one in enumerate(sown)]
    single = np.concatenate([
        hairs.flown(flow[take][:, [0, 1, 2, 5]], outward[take], curled[there][take], one[take], tufts[take], full)
        for one, take in zip(sown, picked, strict=True)
    ]).astype(np.float32)  # fmt: skip
    inward = np.concatenate([one[take][:, 6] * thins[there][take] for one, take in zip(sown, picked, strict=True)])
    line = (at, outward)
    at, outward = (np.concatenate([one[take] for take in picked]) for one in line)
    deepest = np.float32(hairs.FROM * k * (RECEDES_HW[0] + (RECEDES_HW[1] - RECEDES_HW[0]) * full))
    starts = at - outward * (deepest * inward)[:, None]

    (cover, lit, most), owner = np.zeros((3, h, w), np.float32), np.zeros((h, w), np.int32)
    hairs.draw(starts, single, np.float32(k), cover, lit, most, owner)
    open_ = np.asarray(cv2.resize(_open(within, near, thins, curled, s, full), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    open_ *= np.clip(s.hair / np.maximum(s.matte, np.float32(1e-3)), 0, 1)  # nothing but hair
    if own is not None:
        # What a photo has beside a crop is its room.
        own = np.asarray(own * long * (1 - step(blur(s.cloth, 0.05 * k), 0.02, 0.12)), np.float32)
        # A lock that went because it lies apart does not come back as some of its hairs.
        own = _rooted(own * (1 - open_ * (s.matte > 0.1)), np.asarray(s.hair * (1 - open_) > 0.4))
    if own is not None and own.max() > 0:
        turned = np.square(np.clip(0.5 + 0.5 * noise(x / np.float32(TURNED_HW), y / np.float32(TURNED_HW), 97), 0, 1))
        thick = -np.log(1 - np.minimum(own, np.float32(MOST)))
        through = thick * (hairs.LEAST + TURNED * cv2.resize(turned, (w, h), interpolation=cv2.INTER_LINEAR))
        _add(thick, through, line[0], len(starts), cover, lit, most, owner)
        starts, outward = np.concatenate([starts, line[0]]), np.concatenate([outward, line[1]])
    maps = (s.matte, s.hair, s.depth, s.albedo, s.normal, s.specular, s.sheen)
    new, lone = [np.array(one) for one in maps], np.zeros((h, w), np.float32)
    # What was there before is what is read: the new maps are written only.
    _lay(starts, outward, np.float32(k), cover, lit, owner, open_, lone, *maps[:4], *new)
    # A crop's ends are hairs that stand alone as well, each as long as its neighbours: where they thin out the lamp comes through them.
    felt = np.float32(NAP * (1 - full)) * 4 * s.matte * (1 - s.matte) * np.clip(s.hair / np.maximum(s.matte, np.float32(0.05)), 0, 1)
    lone = np.maximum(lone, felt)
    held = (1 - _crumbs(new[0], new[1], k)) * _tapered(new[0], new[1], k)
    for one in (new[0], new[1], lone):
        one *= held
    matte, hair, depth, albedo, normal, specular, sheen = (freeze(one) for one in new)
    return replace(s, matte=matte, hair=hair, depth=depth, albedo=albedo, normal=normal, specular=specular, sheen=sheen, lone=freeze(lone))


def _crumbs(matte: F32, hair: F32, k: float) -> F32:
    """1 on what is left of hair f32[h, w] far from all the rest of a `matte` f32[h, w]: twigs and dashes that hang on nothing."""
    lost = np.zeros_like(matte)
    box = haircut.around(hair)
    if box is None:
        return lost
    seen, mine = matte[box], hair[box]
    count, names, stats, _ = cv2.connectedComponentsWithStats((seen > HANGS_BY).astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    # The rest is the largest piece, and what goes on beyond the hair's own box: at the picture's edge nothing does.
    rest, (rows, columns) = np.zeros(count, np.bool_), box
    edges = (names[0], names[-1], names[:, 0], names[:, -1])
    beyond = (rows.start > 0, rows.stop < len(matte), columns.start > 0, columns.stop < matte.shape[1])
    for edge in (one for one, more in zip(edges, beyond, strict=True) if more):
        rest[edge] = True
    rest[1 + int(np.argmax(area[1:])) if count > 1 else 0], rest[0] = True, False
    at = np.flatnonzero((names > 0) & ~rest[names])
    if not len(at):
        return lost
    away = cv2.distanceTransform((~rest[names]).astype(np.uint8), cv2.DIST_L2, 5)
    piece, near = names.ravel()[at].astype(np.intp), np.full(count, np.inf, np.float32)
    np.minimum.at(near, piece, away.ravel()[at])
    its = np.bincount(piece, (mine > 0.5 * seen).ravel()[at], count)
    crumb = ~rest & (near > APART_FROM_HW * k) & (area < CRUMB_HW2 * k * k) & (its > 0.5 * area)
    crumb[0] = False
    lost[box] = blur(cv2.dilate(crumb[names].astype(np.float32), np.ones((5, 5), np.uint8)), 1.0)
    return lost


def _tapered(matte: F32, hair: F32, k: float) -> F32:
    """What is left f32[h, w] of hair along pieces of a `matte` f32[h, w] as thin as a few hairs: away from the mass they end in nothing.

    A photo holds half of such a loop, cut off where its ground is as bright as it: before the lamp that is a worm with a blunt end.
    """
    left = np.ones_like(matte)
    box = haircut.around(hair)
    if box is None:
        return left
    seen = (matte[box] > HANGS_BY).astype(np.uint8)
    thin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(flyaways.WIDE_HW * k) + 1,) * 2)
    near = cv2.morphologyEx((matte[box] > 0.5).astype(np.uint8), cv2.MORPH_OPEN, thin)
    _, names, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    near *= (stats[:, cv2.CC_STAT_AREA] > CRUMB_HW2 * k * k)[names].astype(np.uint8)
    # Along the piece, not through the air: a step a pixel.
    steps = max(round(TAPERS_HW[1] * k), 1)
    reach = [cv2.getStructuringElement(shape, (3, 3)) for shape in (cv2.MORPH_RECT, cv2.MORPH_CROSS)]
    along = np.full(seen.shape, float(steps), np.float32)
    for n in range(steps):
        along[(near > 0) & (along == steps)] = n
        near = np.asarray(cv2.dilate(near, reach[n % 2]) * seen, np.uint8)
    end = (1 - step(along / np.float32(k), *TAPERS_HW)) * seen
    gone = cv2.dilate((1 - end) * seen, np.ones((3, 3), np.uint8)) * (1 - (along < TAPERS_HW[0] * k) * seen)
    left[box] = np.asarray(1 - blur(np.asarray(gone, np.float32), 0.7), np.float32)
    return left


def _rooted(own: F32, mass: NDArray[np.bool_]) -> F32:
    """Single hairs f32[h, w] without those that hang on no `mass` bool[h, w] of hair: before the lamp they are a cobweb."""
    _, names = cv2.connectedComponents(((own > 0.02) | mass).astype(np.uint8), connectivity=8)
    held = np.zeros(int(names.max()) + 1, np.bool_)
    held[names[mass]] = True
    return np.asarray(own * held[names], np.float32)


def _add(
    thick: F32, through: F32, at: NDArray[np.int64], first: int, cover: F32, lit: F32, most: F32, owner: NDArray[np.int32]
) -> None:  # fmt: skip
    """Lay the photo's own single hairs, `thick` f32[h, w] and of that as much turned to a lamp as `through`, to those drawn, in place.

    Each belongs to the nearest place of the outline `at` (x, y) i64[n, 2], whose number is counted from `first`.
    """
    rows, columns = np.flatnonzero((thick > 0).any(1)), np.flatnonzero((thick > 0).any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corner, free = np.array([columns[0], rows[0]]), np.ones(thick[box].shape, np.uint8)
    inside = ((at >= corner) & (at < corner + np.array(free.shape[::-1]))).all(1)
    xs, ys = (at[inside] - corner).T
    if not len(xs):
        return
    free[ys, xs] = 0
    _, names = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(int(names.max()) + 1, np.int32)
    number[names[ys, xs]] = first + np.flatnonzero(inside)
    mine = thick[box] > most[box]
    owner[box][mine] = number[names][mine]
    cover[box] += thick[box]
    lit[box] += through[box]


def _open(within: F32, near: F32, may: F32, curled: F32, s: Subject, full: float) -> F32:
    """Share f32[h, w] (at half size) by which hair is open, `within` f32[h, w] hw from its outline.

    Straight hairs `may` f32[h, w] stray there; `near` f32[h, w] is all of hair's outline, what it has of wisps included. What lies apart
    from the mass, or hangs on it by a thread, goes altogether.
    """
    q = s.hw_px / 2
    local = cv2.dilate(within, np.ones((2 * round(APART_HW * q) + 1,) * 2, np.uint8))
    deep = RECEDES_HW[0] + (RECEDES_HW[1] - RECEDES_HW[0]) * np.float32(full) * (1 - curled)
    deep = np.maximum(np.minimum(deep, np.float32(RECEDED) * local), np.float32(1e-3))
    smooth = blur(within, SMOOTHED_HW * q)
    if s.strands is not None:
        smooth = smooth + np.float32(FLOWN) * deep * np.clip(_half(s.strands, within.shape[::-1]), -1.5, 1.5)
    # A lock that stands apart is as dense as the matte says: open all round, it would be a row of dashes.
    disc, rim = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(r * q), 1) + 1,) * 2) for r in (LOCK_HW, LOCK_HW / 3))
    mass = cv2.dilate(cv2.morphologyEx((within > 0).astype(np.uint8), cv2.MORPH_OPEN, disc), rim)
    mass = blur(np.asarray(mass, np.float32), 0.006 * q)
    where = mass * blur(cv2.dilate(may, np.ones((2 * round(0.02 * q) + 1,) * 2, np.uint8)), 0.01 * q)
    open_ = np.asarray(np.maximum(where * (1 - step(smooth / deep, 0.3, 0.9)), near * (1 - _held(within, q))), np.float32)
    return _cleared(_led(open_, within, round(FLOWN_OF * float(deep.max()) * q)), _half(s.matte, within.shape[::-1]), q)


def _led(open_: F32, within: F32, steps: int) -> F32:
    """The share f32[h, w] by which hair is open that leads in from the outline (reconstruction by dilation: Vincent 1993).

    What opens further in than on the way there is a hole in the mass: a ring of the lamp in dark hair.
    """
    led, reach = np.where(within <= 0, open_, 0), np.ones((3, 3), np.uint8)
    for _ in range(steps):
        led = np.minimum(cv2.dilate(led, reach), open_)
    # A trace of it is one all the same.
    return np.asarray(led * np.where(within > 0, step(led, *TRACE), 1), np.float32)


def _cleared(open_: F32, matte: F32, q: float) -> F32:
    """The share f32[h, w] by which hair of a `matte` f32[h, w] is open: the tip of a tooth goes with its root, and is no crumb."""
    body = matte * (1 - open_)
    _, names, stats, _ = cv2.connectedComponentsWithStats((body > TIP).astype(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < CRUMB_HW2 * q * q
    small[0] = False
    if not small.any():
        return open_
    tips = small & np.isin(np.arange(len(small)), names[cv2.dilate(open_, np.ones((5, 5), np.uint8)) > CUT])
    return np.maximum(open_, blur(cv2.dilate(tips[names].astype(np.float32), np.ones((5, 5), np.uint8)), 0.7))


def _held(within: F32, q: float) -> F32:
    """1 on what is thick, and on what of the rest is near it, f32[h, w]."""
    disc, reach = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(r * q), 1) + 1,) * 2) for r in (THREAD_HW, NEAR_HW))
    thick = cv2.morphologyEx((within > 0).astype(np.uint8), cv2.MORPH_OPEN, disc)
    _, names, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=4)
    mass = stats[:, cv2.CC_STAT_AREA] > SCRAP_HW2 * q * q
    mass[0] = False
    return blur(cv2.dilate(mass[names].astype(np.float32), reach), 0.008 * q)


def _half(a: F32, size: tuple[int, int]) -> F32:
    return np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float32)


def _fibre(s: Subject) -> float:
    """How much the finest that is seen of hair lies one way, on the median of where any is seen (0 is a felt, 1 is strands)."""
    box = haircut.around(s.hair)
    if box is None:
        return 1.0
    k, mine = s.hw_px, s.hair[box]
    sure = cv2.erode(mine, np.ones((3, 3), np.uint8)) > 0.9
    grey = np.log(np.maximum(luminance(np.ascontiguousarray(s.albedo[box])), np.float32(2e-3)))
    gx, gy = (cv2.Scharr(grey, cv2.CV_32F, i, 1 - i) * sure for i in (1, 0))
    xx, yy, xy = (blur(np.asarray(one, np.float32), FIBRE_HW * k) for one in (gx * gx, gy * gy, gx * gy))
    seen = xx + yy
    # What is even says nothing.
    told = sure & (seen > float(np.percentile(seen[sure], 20))) if sure.any() else sure
    if not told.any():
        return 1.0
    return float(np.median((np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / np.maximum(seen, np.float32(1e-9)))[told]))


def _curve(within: F32, q: float) -> F32:
    """Radians a head-width f32[h, w] by which the outline of what lies `within` f32[h, w] of it turns, where it is round."""
    level = blur(within, CURVE_HW * q)
    right, down = (np.asarray(cv2.Scharr(level, cv2.CV_32F, i, 1 - i, scale=1 / 32), np.float32) for i in (1, 0))
    size = np.maximum(np.hypot(right, down), np.float32(1e-6))
    turns = cv2.Scharr(right / size, cv2.CV_32F, 1, 0, scale=1 / 32) + cv2.Scharr(down / size, cv2.CV_32F, 0, 1, scale=1 / 32)
    return np.asarray(np.clip(-turns * np.float32(q), *CURVES), np.float32)


def _along(matte: F32, may: F32) -> NDArray[np.int64]:
    """Places (x, y) i64[n, 2] along the outline where hair `may` (at half size) stray."""
    lines, _ = cv2.findContours((matte > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([line[:, 0] for line in lines]).astype(np.int64) if lines else np.zeros((0, 2), np.int64)
    rows, columns = np.minimum(points[:, 1] // 2, len(may) - 1), np.minimum(points[:, 0] // 2, may.shape[1] - 1)
    return np.asarray(points[may[rows, columns] > 0.02])


@njit(cache=True, parallel=True)
def _lay(
    at: Any, outward: Any, k: Any, cover: Any, lit: Any, owner: Any, open_: Any, lone: Any, old_matte: Any, old_hair: Any,
    old_depth: Any, old_albedo: Any, matte: Any, hair: Any, depth: Any, albedo: Any, normal: Any, specular: Any, sheen: Any,
) -> None:  # fmt: skip
    """Open the mass at its outline and lay what was drawn over it: each hair with the colour of the mass it grows from."""
    h, w = cover.shape
    flat = np.sqrt(1 - FACING * FACING)
    for y in prange(h):
        for x in range(w):
            body = old_matte[y, x] * (1 - open_[y, x])
            a = 1 - np.exp(-cover[y, x])
            matte[y, x] = 1 - (1 - body) * (1 - a)
            if a < 0.004:
                continue
            i = owner[y, x]
            ox, oy = outward[i, 0], outward[i, 1]
            red, green, blue, mass, back = 0.0, 0.0, 0.0, 1e-6, -8.0
            # Further in: on the outline itself the old room still tints it.
            for n in range(8):
                deep = (0.035 + 0.008 * n) * k
                r, c = int(at[i, 1] - oy * deep), int(at[i, 0] - ox * deep)
                if 0 <= r < h and 0 <= c < w:
                    much = old_hair[r, c] * old_matte[r, c] + 1e-5
                    red += much * old_albedo[r, c, 0]
                    green += much * old_albedo[r, c, 1]
                    blue += much * old_albedo[r, c, 2]
                    mass += much
                    if n == 0:
                        back = old_depth[r, c]
            # Coverage is the matte's: what lies over the mass is a part of it, what lies beyond it all that is there.
            dark = max(1 - np.sqrt(max(red, max(green, blue)) / mass), 0.1)
            lone[y, x] = (1 - np.exp(-lit[y, x])) / matte[y, x] * np.exp(-CROSSED * dark * (cover[y, x] - lit[y, x]))
            # Where the mass covers most of a pixel it is the mass's still: all a stray's, it would be one bright dot of a line of them.
            share = a * (1 - body) / matte[y, x]
            if share < 0.004:
                continue
            gain = min(ALONE, PALEST * mass / max(max(red, max(green, blue)), 1e-4)) / mass
            hair[y, x] += (1 - hair[y, x]) * share
            apart = max(back, -2.0) - BEHIND_HW
            depth[y, x] = apart if old_matte[y, x] < 0.02 else depth[y, x] + (apart - depth[y, x]) * share
            albedo[y, x, 0] += (gain * red - albedo[y, x, 0]) * share
            albedo[y, x, 1] += (gain * green - albedo[y, x, 1]) * share
            albedo[y, x, 2] += (gain * blue - albedo[y, x, 2]) * share
            nx, ny, nz = flat * ox, -flat * oy, FACING
            if old_matte[y, x] >= 0.02:
                nx = normal[y, x, 0] + (nx - normal[y, x, 0]) * share
                ny = normal[y, x, 1] + (ny - normal[y, x, 1]) * share
                nz = normal[y, x, 2] + (nz - normal[y, x, 2]) * share
            length = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-6)
            normal[y, x, 0], normal[y, x, 1], normal[y, x, 2] = nx / length, ny / length, nz / length
            specular[y, x] *= 1 - share
            sheen[y, x] *= 1 - share
