"""Hair made ready for a hard light: the old room's colour taken off it, and strands given back where the photo lost them.

A soft photo forgives hair much: a green wall tints grey temples, light that shone through the outermost locks stays in them,
black hair is crushed to an even tone. Under one hard lamp each of these shows, so they are mended before any light.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom import haircut
from lowkey.darkroom.knit import Field, noise
from lowkey.darkroom.neck import Bust, Kept, spread
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate import ends
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

DYED = 0.45
"""Log ratio of green or blue to red above which a whole head of hair is held to be dyed, and keeps its colour."""
DYED_LEAST = 0.03
"""Median reflectance under which no dye is seen: black hair of such a colour is a photo whose shadows were graded (.003, .020 on two)."""
OLIVE = (1.0, 0.15)
"""Log green over blue that hair may have: so many times its log red over green, and so much besides. By the spectrum of eumelanin it is 2.4
times (d'Eon et al. 2011), but a warm lamp adds a yellow of its own, and the two of them print olive."""
KERATIN, EUMELANIN = (0.18, 0.18), (0.28, 0.20)
"""Least log red over green and green over blue of undyed hair: without pigment, for keratin itself is yellowish (white hair measures b* 10
to 15 and a* 0 to 2, a red of .08 to .15; at .20 it was rose), and black, for what leaves a mass of it has been through strands. A photo
balanced for its room shows both as grey, or bluer."""
VEIL_HW, LAVENDER, WORN = 0.07, (-0.02, 0.08), (0.3, 0.6)
"""How far (sigma) from hair strands lie over skin; log blue over green from which something is no skin but strands, and from which it is no
strands but the arm of glasses."""
SCALP = 0.12
"""How much more of the former it has beside skin."""
GREY, GREY_TONE = (0.45, 0.80), (0.05, 0.12)
"""Median log red over blue up to which a head of hair is grey, and from which it is not (four grey heads -.2 to .35, the others .7 and
more); its luminance from which that can be told."""
AUBURN = (0.85, 1.05)
"""Median log red over blue up to which red without its yellow is skin or stray light in grey, black or brown hair, and from which the hair
itself is so: two cropped heads .70 and .80 were mauve where the lamp shone on them."""
HUSHED, LEVELLED = 0.5, 0.25
"""What is left of how far grey strands lean from keratin's red, and of how far their green over blue then is from its line."""
SCALPED, BLENDS = (0.50, 0.90), (0.30, 0.65)
"""Share of the red of the face's skin (log, over green) from which what shows between grey strands is scalp and keeps its red; and how far
its green over blue rises with that, at least and at most, as on the face. A red without its yellow is mauve."""
USUAL_SKIN = (0.45, 0.26, 0.17)
"""The skin of a face of which none is seen."""
BLACK_HAIR = (0.02, 0.12)
"""Luminance up to which hair is black, and from which it is without pigment as far as that is concerned."""
PUREST, PURER = 1.2, 0.4
"""Log red over blue from which hair's purity is pressed, and the share of it that is left: the lamp's own warmth comes on top."""
DYE_HW, HELD = 0.10, (0.14, 0.22)
"""How far round itself hair has one pigment (sigma), and how far log red and log blue over green may lean from it."""
OUTLINE_HW = 0.12
"""How far from room or cloth stray light is looked for in hair."""
STRAY = (0.35, 1.0)
"""Log luminance over the hair's own, hereabouts and with its spread, at which a tone begins to be stray light, and is."""
BESIDE_SKIN = (1.1, 2.2)
"""Broad luminance of hair over that of the face's skin from which it is pressed, and which it never passes: white hair has about twice the
reflectance of light skin. At .55 and .85 it was pewter, at .75 and 1.25 steel, and the man a darker one."""
CRUSHED = (0.05, 0.16)
"""RMS of log luminance in the band of strands under which none are seen, and above which the photo has its own."""
SCRATCH, EVENED = 0.25, 0.8
"""Log contrast that one scratch is worth at most, and how much of what was there is taken out where strands are drawn."""
BLACK = (0.012, 0.05)
"""Luminance below which hair without strands is crushed, and above which it is merely out of focus."""
WALK_HW, STRAND_HW, LOCK_HW = 0.13, 0.0050, 0.030
"""How far a strand is followed each way, how wide it is, and how wide a lock is."""
DRAWN = 0.16
"""Log contrast of drawn strands and locks, about: black hair shows them faintly. At .6 they were drapery, in plastic."""


FRAYED_HW = 0.0065
"""How wide a strand is that stands out of a line."""
FRAY_HW = 0.009
"""How far strands stand out of, and gaps reach into, a line drawn through hair: one standard deviation."""


COVERED, DECIDED = (0.12, 0.70), 0.45
"""Coverage under which nothing is taken to be there and over which all is, and how far what lies between is brought to that."""
VEILED_HW, RIPPLE = 0.010, (0.055, 0.085)
"""Over what distance (sigma) a matte that wavers less than the first of these is a veil, and one that wavers more than the second is none:
on hair shot before black .04 to .08 (two heads), among wisps and at the edge of a mass .08 to .25 (twelve)."""


def groom(albedo: F32, plate: Plate, hand: float) -> None:
    """Mend hair's albedo f32[h, w, 3] in place. `hand` is +1 or -1 as the person leans, so that a mirrored one is mended mirrored."""
    hair = plate.parts["hair"]
    box = haircut.around(hair)
    if box is None:
        return
    mine = np.ascontiguousarray(hair[box])
    # A copy: where hair spans the plate a contiguous view would be the albedo itself, skin and all.
    tone = np.array(albedo[box])
    k = plate.hw_px
    other = 1 - np.clip(plate.matte[box], 0, 1) + plate.parts["cloth"][box]
    _without_stray(tone, mine, np.asarray(other, np.float32), k)
    shown = plate.albedo[plate.parts["skin"] > 0.9]
    face = np.asarray(np.median(np.log(np.maximum(shown, np.float32(2e-3))), 0) if len(shown) else np.log(USUAL_SKIN), np.float32)
    _unstained(tone, mine, step(blur(plate.parts["skin"][box], 0.06 * k), 0.01, 0.10), k, face)
    _beside_skin(tone, mine, luminance(shown), k)
    nose = plate.landmarks[4, :2] - np.array([box[1].start, box[0].start], np.float32)
    _restrung(tone, mine, k, (float(nose[0]), float(nose[1])), hand)
    albedo[box] += (tone - albedo[box]) * step(mine, 0.02, 0.5)[..., None]
    _of_keratin(albedo[box], mine, plate.parts["skin"][box], plate.parts["brows"][box], k)


def _of_keratin(tone: F32, hair: F32, skin: F32, brows: F32, k: float) -> None:
    """Strands over skin that no reader tells from it, and a brow's, in place: they are no bluer than hair is.

    A photo balanced for its room shows white strands lavender. On skin, whose red is far over its blue, they are all that can be so, and
    left alone they are a violet strip between skin and hair once both of them are warm. What is really blue is worn.
    """
    near = np.maximum(step(blur(hair, VEIL_HW * k), 0.01, 0.10), step(blur(brows, 0.02 * k), 0.05, 0.3))
    near = near * step(skin, 0.6, 0.9) * (1 - step(hair, 0.3, 0.6))
    rows, columns = np.flatnonzero((near > 0.01).any(1)), np.flatnonzero((near > 0.01).any(0))
    if not len(rows):
        return
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part, how = tone[box], near[box]
    log = np.log(np.maximum(part, np.float32(2e-3)))
    want = log.copy()
    want[..., 0] = np.maximum(log[..., 0], log[..., 1] + np.float32(KERATIN[0] + SCALP))
    want[..., 2] = np.minimum(log[..., 2], log[..., 1] - np.float32(KERATIN[1]))
    clean = np.exp(want)
    clean *= (luminance(part) / np.maximum(luminance(clean), np.float32(1e-4)))[..., None]
    blue = log[..., 2] - log[..., 1]
    how = how * step(blue, *LAVENDER) * (1 - step(blue, *WORN))
    part += (clean - part) * how[..., None]


def _without_stray(tone: F32, hair: F32, other: F32, k: float) -> None:
    """Light of the room or of a shirt between the outer locks, in place: it becomes what the hair hereabouts is."""
    near = step(blur(other, 0.4 * OUTLINE_HW * k), 0.01, 0.12)
    sure = np.asarray(step(cv2.erode(hair, np.ones((5, 5))), 0.85, 0.99) * (1 - near), np.float32)
    if sure.sum() < 0.01 * k * k:
        return
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    known, (mean, square) = spread(log, sure, k), cv2.split(spread(np.dstack([grey, grey * grey]), sure, k))
    deviation = np.sqrt(np.maximum(square - mean**2, 0.01))
    # A tuft apart has too little hair that is sure to say what hair is there.
    stray = near * step((grey - mean - deviation), *STRAY) * step(blur(sure, OUTLINE_HW * k), 0.02, 0.10)
    tone += (np.exp(known) - tone) * stray[..., None]


def _unstained(tone: F32, hair: F32, skin: F32, k: float, face: F32) -> None:
    """Colours that no undyed hair has, in place: melanin's red is never under its green, nor its green under its blue.

    `skin` f32[h, w] is 1 beside skin, whose own red shines between the strands; `face` f32[3] is the log colour of skin.
    """
    sure = hair > 0.9
    if sure.sum() < 100:
        return
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    usual = np.median(log[sure], 0)
    before = luminance(tone)
    if max(usual[1], usual[2]) - usual[0] > DYED and float(np.median(before[sure])) > DYED_LEAST:
        return
    # What is bluer than its green mirrors the old room: it gets the hair's own balance, or violet would turn red as its blue is taken down.
    red = log[..., 0] - log[..., 1]
    room = step(log[..., 2] - log[..., 1], 0.0, 0.25) * (1 - skin)
    log[..., 0] += (np.minimum(red, usual[0] - usual[1]) - red) * room
    # Grey hair leans to its own median by a few hundredths and no further.
    least = max(float(usual[0] - usual[1]), 0.0) * 0.5
    black = 1 - float(step(np.array([luminance(np.exp(usual)[None])[0]], np.float32), *BLACK_HAIR)[0])
    warm = [np.float32(grey + (dark - grey) * black) for grey, dark in zip(KERATIN, EUMELANIN, strict=True)]
    # Thin hair at its line takes its hue from the skin that shines through it.
    red = np.maximum(warm[0], np.float32(least)) + np.float32(SCALP) * skin
    log[..., 0] = np.maximum(log[..., 0], log[..., 1] + red)
    log[..., 2] = np.minimum(log[..., 2], log[..., 1] - warm[1])
    _one_dye(log, hair, np.asarray(hair * (1 - skin), np.float32), step(before, 2e-3, 8e-3), k)
    # Beside skin too: no skin's yellow is ahead of its red.
    olive = np.maximum(log[..., 1] - log[..., 2] - np.float32(OLIVE[0]) * (log[..., 0] - log[..., 1]) - np.float32(OLIVE[1]), 0)
    log[..., 2] += np.float32(0.8) * olive
    log[..., 0] += np.float32(0.2) * olive
    _greyed(log, usual, face)
    pure = np.maximum(log[..., 0] - log[..., 2], np.float32(1e-3))
    held = np.where(pure > PUREST, (PUREST + np.float32(PURER) * (pure - PUREST)) / pure, 1)
    held = 1 - (1 - held) * (1 - skin)
    log = log[..., 1:2] + (log - log[..., 1:2]) * held[..., None]
    clean = np.exp(log)
    clean *= (before / np.maximum(luminance(clean), np.float32(1e-4)))[..., None]
    tone += (clean - tone) * step(before, 5e-4, 2e-3)[..., None]


def _greyed(log: F32, usual: F32, face: F32) -> None:
    """Hair whose log colour is log f32[h, w, 3] and was `usual` f32[3], in place: never mauve, grey never green, and its scalp is skin.

    `face` f32[3] is the log colour of the face's skin.
    """
    asked = np.array([usual[0] - usual[2], float(luminance(np.exp(usual)[None])[0])], np.float32)
    grey = (1 - step(asked, *GREY)[0]) * step(asked, *GREY_TONE)[1]
    mauve = 1 - step(asked, *AUBURN)[0]
    if mauve <= 0:
        return
    red, yellow = log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]
    blood = max(float(face[0] - face[1]), 0.3)
    kept = np.float32(HUSHED) + np.float32(1 - HUSHED) * step(red, SCALPED[0] * blood, SCALPED[1] * blood)
    want = red + grey * (np.float32(KERATIN[0]) + kept * (red - np.float32(KERATIN[0])) - red)
    blends = np.clip((face[1] - face[2] - KERATIN[1]) / (blood - KERATIN[0]), *BLENDS)
    # A strand beside skin is lent a little red: that is no scalp yet.
    line = np.float32(KERATIN[1]) + np.float32(blends) * np.maximum(want - np.float32(KERATIN[0] + HUSHED * SCALP), 0)
    log[..., 0] += want - red
    log[..., 2] -= np.maximum(line - yellow, 0) * (mauve - grey * np.float32(LEVELLED))
    log[..., 2] += np.maximum(yellow - line, 0) * (grey * np.float32(1 - LEVELLED))


def _one_dye(log: F32, hair: F32, apart: F32, bright: F32, k: float) -> None:
    """Colour held to the hair's own hereabouts, in place: locks differ in brightness, hardly in pigment; what differs is the old light.

    log f32[h, w, 3] is log colour, `hair` f32[h, w] how surely it is hair's, `apart` f32[h, w] the same away from skin, whose red shines
    into a fringe's ends and would leave them rusty; `bright` f32[h, w] whether it is bright enough to tell a colour: what is not (the grey
    that black was lifted to) takes the colour of what is.
    """
    wide, sure = DYE_HW * k, np.asarray(step(apart, 0.85, 0.99) * bright, np.float32)
    mass = blur(sure, wide)
    # Through thin hair the scalp shows.
    known = hair * step(mass, 0.01, 0.06) * haircut.fullness(hair, k)
    for channel, most in ((0, HELD[0]), (2, HELD[1])):
        lean = log[..., channel] - log[..., 1]
        off = lean - blur(lean * sure, wide) / np.maximum(mass, np.float32(1e-3))
        log[..., channel] += (np.float32(most) * np.tanh(off / np.float32(most)) * bright - off) * known


def _beside_skin(tone: F32, hair: F32, skin: F32, k: float) -> None:
    """Hair that an old light blew out pressed to what white hair is beside this skin, in place, strands and all."""
    if skin.size < 100:
        return
    level = float(np.median(skin))
    low, most = BESIDE_SKIN[0] * level, BESIDE_SKIN[1] * level
    grey = luminance(tone)
    broad = blur(grey * hair, 0.05 * k) / np.maximum(blur(hair, 0.05 * k), np.float32(0.02))
    over = np.maximum(broad - np.float32(low), 0)
    pressed = np.minimum(broad, low) + np.float32(most - low) * (1 - np.exp(-over / np.float32(most - low)))
    tone *= (1 + hair * (pressed / np.maximum(broad, np.float32(1e-4)) - 1))[..., None]


def _restrung(tone: F32, hair: F32, k: float, nose: tuple[float, float], hand: float) -> None:
    """Strands along the hair's own flow, in place, where dark hair was crushed to an even tone."""
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    fine = grey - blur(grey, 0.03 * k)
    # A scratch or two in even black are no strands: their height is held, and a wide place is asked.
    some = np.square(np.clip(fine, -SCRATCH, SCRATCH))
    seen = np.sqrt(blur(some * hair, 0.06 * k) / np.maximum(blur(hair, 0.06 * k), 0.05))
    lost = hair * (1 - step(seen, *CRUSHED)) * (1 - step(np.exp(blur(grey, 0.03 * k)), *BLACK))
    lost = blur(np.asarray(lost, np.float32), 0.02 * k)
    if float((lost > 0.3).sum()) < 0.02 * k * k:
        return
    h, w = grey.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = (xs - np.float32(nose[0])) * np.float32(hand / k), (ys - np.float32(nose[1])) / np.float32(k)

    dx, dy, _ = flow(grey, hair * (1 - step(lost, 0.2, 0.8)), hair > 0.5, x, y, k, hand)

    even = blur(grey * hair, 0.02 * k) / np.maximum(blur(hair, 0.02 * k), np.float32(0.05))
    tone *= np.exp(lost * np.float32(EVENED) * (even - grey))[..., None]
    total = np.zeros_like(grey)
    for stream, (wide, share) in enumerate(((STRAND_HW, 0.6), (LOCK_HW, 0.9))):
        total += strung(x, y, wide, 72 + stream, dx, dy, lost, WALK_HW * k, share)
    # Between strands lies the shade of other strands: the mean goes down, the lit ones stand out.
    tone *= np.exp(lost * (np.clip(np.float32(DRAWN) * total, -1.4, 1.1) - np.float32(0.5)))[..., None]


def strung(x: F32, y: F32, wide: float, stream: int, dx: F32, dy: F32, where: F32, walk_px: float, share: float = 1.0) -> F32:
    """Strands `wide` hw wide along a flow (dx, dy), f32[h, w]: of mean 0 and deviation `share` where `where` f32[h, w] is over .3.

    x, y f32[h, w] are hw, `walk_px` is how far a strand is followed each way. 0 everywhere where there is no place for them.
    """
    drawn = _followed(noise(x / np.float32(wide), y / np.float32(wide), stream), dx, dy, where, max(round(walk_px), 2))
    inner = drawn[where > 0.3]
    if not inner.size:
        return np.zeros_like(x)
    return np.asarray(np.float32(share) * (drawn - inner.mean()) / max(float(inner.std()), 1e-6), np.float32)


def flow(grey: F32, weight: F32, where: Field, x: F32, y: F32, k: float, hand: float) -> tuple[F32, F32, F32]:
    """Direction (right, DOWN) in which hair runs, and how much it runs at all (0 is curled), f32[h, w] each.

    The structure tensor of what strands there are, carried into what has none; hanging hair falls. x, y f32[h, w] are hw from
    the nose, x the way the person leans.
    """
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)
    xx, yy, xy = (blur(p * weight, 0.05 * k) + np.float32(0.05) * blur(p * weight, 0.25 * k) for p in (gx * gx, gy * gy, gx * gy))
    usual = float((xx + yy)[where].mean()) + 1e-9
    angle = 0.5 * np.arctan2(2 * xy, xx + np.float32(0.03 * usual) - yy) + np.float32(np.pi / 2)
    angle += np.float32(hand * 0.35) * noise(x * 5, y * 4, 71)
    runs = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / np.maximum(xx + yy, np.float32(1e-9))
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32), np.asarray(runs, np.float32)


def frayed(plate: Plate, hand: float) -> Plate:
    """The plate with hair that ends in strands: along a line that a matte drew through hair, strands stand out and gaps go in.

    They follow the photo's own flow. Skin, cloth and the inside of hair are left alone. `hand` as in `groom`.
    """
    k = plate.hw_px
    m = round(3 * FRAY_HW * k)
    box = haircut.around(plate.parts["hair"], 8 + m)
    if box is None:
        return plate
    matte, hair = plate.matte[box], plate.parts["hair"][box]
    near = step(blur(hair, 0.012 * k) / np.maximum(blur(matte, 0.012 * k), 1e-3), 0.6, 0.95)
    # Beside skin it may be an ear's rim that was read as hair.
    near = near * (1 - step(blur(plate.parts["skin"][box], 0.02 * k), 0.05, 0.20)) * plate.inside[box]
    solid = np.pad((matte > 0.5).astype(np.uint8), m, mode="edge")
    within = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    within = np.asarray(within[m:-m, m:-m] / np.float32(k), np.float32)
    band = np.asarray(near * (np.abs(within) < 3 * FRAY_HW), np.float32)
    sure = hair * step(within, 0.004, 0.012)
    if float(sure.sum()) < 0.01 * k * k or band.max() < 0.1:
        return plate

    ys, xs = np.mgrid[box].astype(np.float32)
    x, y = (xs - plate.landmarks[4, 0]) * np.float32(hand / k), (ys - plate.landmarks[4, 1]) / np.float32(k)
    grey = np.log(np.maximum(luminance(plate.albedo[box]), np.float32(2e-3)))
    dx, dy, runs = flow(grey, np.asarray(sure, np.float32), sure > 0.5, x, y, k, hand)
    drawn = _followed(noise(x / np.float32(FRAYED_HW), y / np.float32(FRAYED_HW), 75), dx, dy, band, max(round(WALK_HW * k), 2))
    inner = drawn[band > 0.5]
    strand = (drawn - inner.mean()) / max(float(inner.std()), 1e-6) if inner.size else drawn
    # Most strands end near the line; one in many goes on.
    strand = np.clip(strand, -1.2, 1.5) + np.float32(1.2) * np.clip(strand - 1.5, 0, 1.5)
    # Curls end close to their line, straight hair flies.
    strand = strand * (0.25 + 0.75 * step(runs, 0.2, 0.55))
    # Cropped and thinning hair has no ends long enough to make teeth of.
    strand = strand * (0.35 + 0.65 * haircut.fullness(plate.parts["hair"], k))
    moved = np.clip(0.5 + (within + np.float32(FRAY_HW) * strand) * np.float32(k / 3.0), 0, 1)
    # Where the photo's own wisps are, they stay: only what was decided is decided anew.
    soft = np.asarray(4 * matte * (1 - matte), np.float32)
    loose = step(blur(soft, 0.02 * k), 0.15, 0.30)
    # What is half there as evenly as a veil is no wisp, but dark hair before a dark room that no solver could tell from it.
    ripple = np.sqrt(blur(np.square(matte - blur(matte, VEILED_HW * k)), 1.5 * VEILED_HW * k))
    veil = np.asarray(near * step(blur(soft, VEILED_HW * k), 0.35, 0.60) * (1 - step(ripple, *RIPPLE)), np.float32)
    share = np.maximum(band * (1 - loose), veil)
    new = np.asarray(np.clip(matte + share * (moved - matte), 0, 1), np.float32)
    # A strand covers what is behind it or is not there: coverage in between, wide as a finger, is a solver's doubt (pale hair, pale sky).
    new += near * np.float32(DECIDED) * (step(new, *COVERED) - new)

    whole, parts = np.array(plate.matte), dict(plate.parts)
    for name in ("skin", "cloth", "hands", "glasses", "hair"):
        parts[name] = np.array(parts[name])
    whole[box] = new
    grown = new / np.maximum(matte, np.float32(1e-3))
    for name in ("skin", "cloth", "hands", "glasses"):
        parts[name][box] *= np.minimum(grown, 1)
    others = sum(parts[name][box] for name in ("skin", "cloth", "hands", "glasses"))
    parts["hair"][box] = np.maximum(new - others, 0)
    parts["background"] = np.asarray(1 - whole, np.float32)
    # Strands beyond the line lie where the hair behind them ends, a little further back: before it they would shade it.
    depth, albedo = np.array(plate.depth), np.array(plate.albedo)
    known = np.asarray(step(matte, 0.3, 0.6), np.float32)
    rim = np.asarray(known * (within < 0.010), np.float32)
    far = spread(np.repeat(np.maximum(depth[box], -2)[..., None], 3, 2), rim, k)[..., 0] - np.float32(0.01)
    beyond = (new > 0.01) & (matte < 0.5)
    depth[box] = np.where(beyond, far, depth[box])
    albedo[box] = np.where(beyond[..., None], spread(albedo[box], known, k), albedo[box])
    frozen = {name: freeze(part) for name, part in parts.items()}
    return replace(plate, matte=freeze(whole), parts=frozen, depth=freeze(depth), albedo=freeze(albedo))


@njit(cache=True, parallel=True)
def _followed(knots: Any, dx: Any, dy: Any, where: Any, steps: int) -> Any:
    """Noise averaged along a flow, f32[h, w] (line integral convolution: Cabral & Leedom 1993), where `where` > 0.02."""
    h, w = knots.shape
    out = np.zeros((h, w), np.float32)
    for r in prange(h):
        for c in range(w):
            if where[r, c] <= 0.02:
                continue
            total, mass = knots[r, c], 1.0
            for way in range(2):
                px, py = float(c), float(r)
                ux, uy = (dx[r, c], dy[r, c]) if way == 0 else (-dx[r, c], -dy[r, c])
                for n in range(steps):
                    px += ux
                    py += uy
                    i, j = int(py + 0.5), int(px + 0.5)
                    if i < 0 or j < 0 or i >= h or j >= w:
                        break
                    vx, vy = dx[i, j], dy[i, j]
                    # A flow has no sign: go on the way one came.
                    if vx * ux + vy * uy < 0:
                        vx, vy = -vx, -vy
                    ux, uy = vx, vy
                    fade = 1.0 - n / steps
                    total += knots[i, j] * fade
                    mass += fade
            out[r, c] = total / mass
    return out


LOOKS = (np.array([0.2, 0.7, 0.1], np.float32), np.array([1.0, -1.0, 0.0], np.float32))
"""Log brightness, and log red over green, of log colour."""
APART = (1.2, 0.2)
"""How far skin must stand above hair in these two before they are told apart by them."""
FAR_APART = 2.5
"""How far in brightness alone."""
CUT_HW = (0.22, 0.34)
"""How far above the photo's lower edge hair is looked at to tell whether that edge cuts it: over the place where its ends thin out."""
BEHIND_HW = 0.30
"""How far behind the throat hair hangs that goes down the back: behind the shoulder's ridge, and not so far that the hair over it hides it
from a lamp beside it (at .62 it was a black block with a ruled edge)."""


def tucked(part: Kept, depth: F32, plate: Plate, bust: Bust, garment: F32) -> F32:
    """Where hair goes on behind what is put on, f32[h, w].

    Hair that the photo's lower edge cuts goes down the back, in place: whoever ends it in the picture would have to invent its ends.

    part, depth and garment f32[h, w] (coverage of what is put on) are the plate's last h rows. Hair whose own ends the photo
    shows falls as it fell.
    """
    head, hair = part.head, part.hair
    k, top = plate.hw_px, plate.matte.shape[0] - head.shape[0]
    _bared(part, plate, garment)
    end = ends.foot(plate.inside)
    if end is None:
        return np.zeros_like(hair)
    low, high = (int(np.clip(end - top - d * k, 0, len(head) - 1)) for d in CUT_HW)
    across = hair[high : low + 1].mean(0)
    cut = step(blur(across[None], 0.06 * k)[0], 0.04, 0.20)
    if cut.max() <= 0:
        return np.zeros_like(hair)
    # Locks slant: what hangs together with a cut one goes with it.
    wide = 2 * round(0.16 * k) + 1
    cut = blur(cv2.dilate(cut[None], np.ones((1, wide), np.uint8)), 0.06 * k)[0][None]
    head *= 1 - cut * np.maximum(step(hair, 0.02, 0.2), step(part.below, 0.06, 0.12)) * (1 - part.wrap) * garment
    back = np.minimum(depth, np.float32(bust.throat[2] - BEHIND_HW))
    down = (np.arange(len(head), dtype=np.float32) + np.float32(top - bust.chin_px[1]))[:, None] / np.float32(k)
    depth += (back - depth) * (cut * step(hair, 0.05, 0.5) * step(down, -0.25, 0.70))
    return np.asarray(cut * garment * (1 - part.wrap), np.float32)


SUNK, SUNK_HW = 0.7, 0.09
"""How much light hair loses where it goes down behind cloth, and how far above its edge (sigma): there it lies between cloth and back."""


def sunk(albedo: F32, hair: F32, hidden: F32, k: float) -> None:
    """Hair f32[h, w] darkened toward where it is `hidden` f32[h, w] by cloth, in place: lit up to that edge it is cut with a ruler."""
    if hidden.max() < 0.1:
        return
    q = 4
    small = cv2.resize(hidden, (max(hidden.shape[1] // q, 1), max(hidden.shape[0] // q, 1)), interpolation=cv2.INTER_AREA)
    near = cv2.resize(blur(small, SUNK_HW * k / q), hidden.shape[::-1], interpolation=cv2.INTER_LINEAR)
    albedo *= (1 - np.float32(SUNK) * hair * np.clip(2 * near, 0, 1))[..., None]


def _bared(part: Kept, plate: Plate, garment: F32) -> None:
    """What lies between dark curls and has the colour and the brightness of skin is the photo's bare shoulder: it goes under, in place."""
    top = len(plate.matte) - len(part.head)
    skin, hair = plate.parts["skin"] > 0.9, plate.parts["hair"] > 0.9
    if min(int(skin.sum()), int(hair.sum())) < 200:
        return
    usual = [np.median(np.log(np.maximum(plate.albedo[there], np.float32(2e-3))), 0) for there in (skin, hair)]
    bright, red = (float(usual[0] @ way - usual[1] @ way) for way in LOOKS)
    if bright < APART[0] or (red < APART[1] and bright < FAR_APART):
        return
    log = np.log(np.maximum(plate.albedo[top:], np.float32(2e-3)))
    along = [(log - usual[1]) @ way / np.float32(most) for way, most in zip(LOOKS, (bright, max(red, 1e-3)), strict=True)]
    # Pale skin may be no redder than brown hair: no gleam on so dark a hair comes near to it.
    like = step(along[0], 0.45, 0.75) * step(along[1], 0.45, 0.75) if red >= APART[1] else step(along[0], 0.65, 0.85)
    like = step(blur(np.asarray(like, np.float32), 0.006 * plate.hw_px), 0.2, 0.6)
    # A shoulder stood out beyond what is put on: further down nothing of it is left over the room either.
    under = np.maximum(garment, step(part.below, 0.18, 0.30))
    part.head[:] *= 1 - like * step(part.hair, 0.02, 0.2) * step(part.below, 0.05, 0.12) * (1 - part.wrap) * under
