"""Roots: along the line between forehead and hair single strands stand in the skin, and skin shows between the last of them.

A photo that is soft, airbrushed or small holds this line as an edge, and a reader gives it one width everywhere: hair is then a stencil. In
life it is broken over several millimetres: an irregular zone of single, thinner and shorter hairs (Shapiro 2004, "Principles and techniques
used to create a natural hairline"). What the photo holds of this stays; what is missing is drawn.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import haircut, tresses
from lowkey.darkroom.figure import Figure
from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import spread
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OUTER_CORNERS
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step

NOSE = 4
"""Outer corners of the eyes, and the nose's tip, on the mesh."""
ZONE_HW = 0.016
"""How far (one deviation) strands stand out of the line and skin goes into it: 2.4 mm."""
FINE_HW, TUFT_HW = 0.0045, 0.022
"""How wide a strand is, and how wide the tufts in which the line itself goes to and fro."""
WALK_HW = (0.006, 0.035)
"""How far a strand is followed each way, of cropped hair and of full: roots are short, and a crop's are stubble."""
SOFT_HW = 0.016
"""Width over which a strand ends."""
SINGLE, THINS_HW = 0.6, 0.014
"""How much of a pixel a single hair covers at the line, for it is thinner than one, and over what distance half of that is gone."""
SHADED = 0.15
"""How much of the skin's tone the skin between roots has: it lies in their shade."""
FADES_HW, STUBBLE_HW, STUBBLE, DARKER = (-0.020, 0.036), (0.004, 0.009), 0.25, (1.3, 2.2)
"""From where to where along its depth a crop thickens, how wide its hairs and their tufts are, and how much those differ in how much they
cover: cut to a few millimetres they hide no scalp, so its line is a density, and neither an edge nor strands out of one. Skin over hair
(luminance) from which that is seen: grey stubble is told from skin by its own strands."""
OVER_EYES_HW, CROP_LOW_HW = (0.02, 0.16), 0.28
"""How far over the outer corners of the eyes the line is a hairline at all, and surely: under it are sideburns and beards. A crop thins out
down its sideburns as well: its line is one so much further down."""
OWN_HW, OWN = 0.012, (0.07, 0.16)
"""Round which (sigma) the photo's own strands are looked for on the line's skin side, and their RMS of log luminance: none, and enough."""
NORMAL = 0.3
"""How much roots stand square to the line where hair runs no way at all."""
PALE_HW, BESIDE_HW, EVEN_HW, PALER = 0.013, 0.06, 0.004, (0.9, 1.3)
"""Over what (sigma) pale hair and skin run into one another; round which their tones are compared, and over which the answer is evened;
hair over skin (luminance) from which it begins to be paler, and is."""
STANDS_HW, CLEAR_HW, LONG_HW, VEIL, UNLIKE = 0.017, (0.026, 0.042), 0.028, 0.25, 0.12
"""How far (one deviation) single pale hairs stand out of the middle of that border; between what distances from it hair and skin are only
themselves; how far each hair is followed each way; how much of the border is hair too fine to be told apart; and by how much (log) one
differs from the next. Mixed smoothly all through, the border was a blurred band 6 to 15 pixels wide of neither hue, a wig's seam: here a
pixel is a strand or skin, and only the strands' number thins out."""
WHITE_HEAD = (1.4, 1.8)
"""Hair over skin (medians of luminance) from which a head is white enough for that, and surely: 1.90 on a white one. Grey hair whose rim
the sun burnt out (1.30) keeps the strands it has: drawn over, they were a scribble."""
SHEEN_LOST, DOWN_HW, DOWN = 0.5, 0.025, 0.4
"""Share of skin's mirror that down between and before the roots takes, and how far from hair (sigma) it grows: with a mirror of its own the
skin has a pale crease along its hair; and the share of its colour (not its tone) that is greyer hair's: skin that lacks its mirror's white
alone was an orange hem 5 to 8 pixels wide, red over blue 4.6 beside 2.7."""


def blended(plate: Plate) -> Plate:
    """The plate with pale hair and the skin beside it running into one another over PALE_HW, where its reader drew a line between them.

    Against paler hair a line has no dark strands to break it: a hard step from grey to orange was a wig's. Dark hair keeps its line.
    """
    k, parts = plate.hw_px, plate.parts
    hair, skin = parts["hair"], parts["skin"]
    box = haircut.around(hair)
    if box is None:
        return plate
    mine, other, solid = (np.ascontiguousarray(m[box]) for m in (hair, skin, plate.matte))
    tone = luminance(plate.colour[box])
    here, there = _beside(tone, mine, other, solid, 0.9, k)
    both = np.clip(mine + other, 0, 1)
    share = np.asarray(mine / np.maximum(both, np.float32(1e-3)), np.float32)
    share = among(share, np.asarray(both * (solid > 0.5), np.float32), PALE_HW * k)
    on = blur(_paler(here, there, both, solid), EVEN_HW * k)
    more = np.asarray(on * (share * both - mine), np.float32)
    if float(np.abs(more).max()) < 0.02:
        return plate
    new, left = hair.copy(), skin.copy()
    new[box], left[box] = np.clip(mine + more, 0, 1), np.clip(other - more, 0, 1)
    return replace(plate, parts={**parts, "hair": freeze(new), "skin": freeze(left)})


def toned(albedo: F32, plate: Plate, beard: F32 | None = None) -> None:
    """Where pale hair and skin run into one another (`blended`), the tone and hue of both do, in the albedo f32[h, w, 3], in place.

    A `beard` f32[h, w] is half skin all over (`beards.ON_FACE`) and no border anywhere: taken for one it lost its strands to a grey felt.
    """
    k, parts = plate.hw_px, plate.parts
    box = haircut.around(parts["hair"])
    if box is None:
        return
    hair, skin, solid = (np.ascontiguousarray(m[box]) for m in (parts["hair"], parts["skin"], plate.matte))
    tone, both = np.ascontiguousarray(albedo[box]), np.clip(hair + skin, 0, 1)
    here, there = _beside(tone, hair, skin, solid, 0.95, k)
    share = np.asarray(hair / np.maximum(both, np.float32(1e-3)), np.float32)[..., None]
    near = among(tone, np.asarray(both * (solid > 0.5), np.float32), 0.2 * PALE_HW * k)
    gain = np.clip((there + share * (here - there)) / np.maximum(near, np.float32(1e-3)), 0.4, 2.5)
    on = _paler(luminance(here), luminance(there), both, solid)
    on = blur(np.asarray(on * np.minimum(6 * share * (1 - share), 1)[..., 0], np.float32), EVEN_HW * k)
    if beard is not None:
        on *= 1 - step(blur(np.ascontiguousarray(beard[box]), EVEN_HW * k), 0.0, 0.3)
    albedo[box] = tone * (1 + on[..., None] * (gain - 1))


def _beside(of: F32, hair: F32, skin: F32, solid: F32, sure: float, k: float) -> tuple[F32, F32]:
    """What `of` f32[h, w(, 3)] is hereabouts in hair, and in skin, where they are that to more than `sure`."""
    here, there = (among(of, np.asarray((m > sure) * (solid > 0.95) + 1e-6, np.float32), BESIDE_HW * k) for m in (hair, skin))
    return here, there


def _paler(here: F32, there: F32, both: F32, solid: F32) -> F32:
    """How surely f32[h, w] hair of luminance `here` is paler than skin of `there`, on what is nothing but the two."""
    return np.asarray(step(here / np.maximum(there, np.float32(1e-3)), *PALER) * (both > 0.8) * (solid > 0.9), np.float32)


def rooted(figure: Figure, plate: Plate, hand: float, crop: float = 0.0) -> F32:
    """Break the hairline of a figure, in place; the share f32[h, w] of each pixel that changed from skin to hair (or back, under 0).

    `hand` is +1 or -1 as the person leans: a mirrored person gets mirrored roots. `crop` is 1 for hair cut to a felt, 0 for any other.
    """
    k, mesh = plate.hw_px, plate.landmarks
    changed = np.zeros_like(figure.matte)
    hair, skin = (np.asarray(m[::4, ::4], np.float32) for m in (figure.hair, figure.skin))
    both = blur(hair, 0.01 * k) * blur(skin, 0.01 * k)
    low = float(mesh[list(OUTER_CORNERS), 1].mean() - (OVER_EYES_HW[0] - crop * CROP_LOW_HW) * k)
    both[max(int(low / 4), 0) :] = 0
    rows, columns = np.flatnonzero((both > 0.02).any(1)), np.flatnonzero((both > 0.02).any(0))
    if len(rows) < 3 or len(columns) < 3:
        return changed
    m = round(0.12 * k)
    box = np.s_[max(4 * rows[0] - m, 0) : 4 * rows[-1] + m, max(4 * columns[0] - m, 0) : 4 * columns[-1] + m]
    hair, skin, matte = (np.ascontiguousarray(one[box]) for one in (figure.hair, figure.skin, figure.matte))
    tone = figure.albedo[box]
    solid = (hair > 0.5 * np.maximum(matte, 0.2)).astype(np.uint8)
    # Lone islands (a brow, a lock that lies on the forehead) are no line.
    count, names, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    big = np.array([n > 0 and stats[n, cv2.CC_STAT_AREA] > 0.03 * k * k for n in range(count)])
    solid = big[names].astype(np.uint8)
    if not solid.any():
        return changed
    within = cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    within = np.asarray(within / np.float32(k), np.float32)
    ys, xs = np.mgrid[box].astype(np.float32)
    over = (np.float32(low) - ys) / np.float32(k)
    zone = ZONE_HW * (1 + crop)
    at_line = blur(skin * (1 - solid), zone * k) * blur(hair * solid, zone * k)
    band = step(4 * at_line, 0.10, 0.50) * (np.abs(within) < 3 * ZONE_HW) * step(over, 0.0, OVER_EYES_HW[1]) * step(matte, 0.9, 1.0)
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    # Beside an ear, and where the photo's own strands cross the line, nothing is drawn.
    beyond = np.asarray(skin * (within < -max(0.010, 2.0 / k)) * (within > -2 * ZONE_HW), np.float32)
    # Among skin's side alone: the line itself is no strand.
    fine = np.square(grey - blur(grey * beyond, 0.5 * OWN_HW * k) / np.maximum(blur(beyond, 0.5 * OWN_HW * k), np.float32(0.02)))
    own = np.sqrt(blur(fine * beyond, OWN_HW * k) / np.maximum(blur(beyond, OWN_HW * k), np.float32(0.02)))
    band = np.asarray(band * (1 - step(own, *OWN)), np.float32)
    over_ears = band
    if figure.ears is not None:
        ears = blur(np.ascontiguousarray(figure.ears[box]), 0.02 * k)
        band, over_ears = band * (1 - step(ears, 0.02, 0.2)), np.asarray(band * (1 - step(ears, 0.3, 0.8)), np.float32)
    sure = np.asarray(hair * step(within, 0.008, 0.02), np.float32)
    if band.max() < 0.1 or float(sure.sum()) < 0.005 * k * k:
        return changed
    x, y = (xs - mesh[NOSE, 0]) * np.float32(hand / k), (ys - mesh[NOSE, 1]) / np.float32(k)
    # Which way they run is broad: it is read at half size.
    size = (max(grey.shape[1] // 2, 2), max(grey.shape[0] // 2, 2))
    lit, mass, across, down, inside = (
        np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA), np.float32) for m in (grey, sure, x, y, within)
    )
    dx, dy, runs = tresses.flow(lit, mass, mass > 0.5, across, down, k / 2, hand)
    usual = float(np.median(runs[mass > 0.5]))
    dx, dy = _squared(dx, dy, runs, inside, k / 2, grey.shape)
    full = haircut.length(figure.hair, k, np.full_like(sure, usual), sure > 0.5)
    walk, strand = (WALK_HW[0] + (WALK_HW[1] - WALK_HW[0]) * full) * k, np.zeros_like(grey)
    for stream, (wide, share) in enumerate(((FINE_HW, 0.8), (TUFT_HW, 0.6))):
        strand += tresses.strung(x, y, wide, 121 + stream, dx, dy, np.ascontiguousarray(band), walk, share)
    # Few strands go far, and the further the fewer and the thinner.
    strand = np.clip(strand, -1.6, 2.4) - np.float32(0.15)
    new = np.clip(0.5 + (within + np.float32(ZONE_HW) * strand) * np.float32(k / max(SOFT_HW * k, 2.0)), 0, 1)
    old = np.asarray(np.clip(hair / np.maximum(hair + skin, np.float32(0.05)), 0, 1), np.float32)
    change = np.asarray((new - old) * band, np.float32)
    inner, outer = np.asarray(step(within, 0.006, 0.014) * hair, np.float32), np.asarray(step(-within, 0.008, 0.016) * skin, np.float32)
    half = cv2.resize(tone, size, interpolation=cv2.INTER_AREA)
    of_hair, of_skin = (
        cv2.resize(spread(half, cv2.resize(m, size, interpolation=cv2.INTER_AREA), k / 2), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
        for m in (inner, outer)
    )
    thin = np.exp2(-np.maximum(-within, 0) / np.float32(THINS_HW))
    stands, bares = np.maximum(change, 0) * np.float32(SINGLE) * thin, np.maximum(-change, 0) * np.float32(SHADED)
    thinned = np.float32(crop) * step(luminance(of_skin) / np.maximum(luminance(of_hair), np.float32(1e-3)), *DARKER)
    if crop > 0:
        fades = (_thinning(x, y, hair, skin, solid, k) - old) * band
        stands += thinned * (np.maximum(fades, 0) - stands)
        bares += thinned * (np.maximum(-fades, 0) - bares)
    tone += (of_hair - tone) * stands[..., None]
    bared = (of_skin - tone) * bares[..., None]
    if crop > 0:
        # Scalp among stubble lies in its shade: of the two the tones mix, not their light.
        ratio = np.maximum(of_skin, np.float32(2e-3)) / np.maximum(tone, np.float32(2e-3))
        bared += thinned[..., None] * (tone * (np.power(ratio, bares[..., None]) - 1) - bared)
    tone += bared
    moved = stands - bares
    of = [luminance(figure.albedo[m > 0.9]) for m in (figure.hair, figure.skin)]
    if min(len(one) for one in of) >= 100:
        paler = float(np.median(of[0])) / max(float(np.median(of[1])), 2e-3)
        if white := step(np.array([paler], np.float32), *WHITE_HEAD)[0]:
            moved = _single(tone, hair, moved, (x, y, dx, dy), over_ears * white, within, k)
    figure.hair[box] = np.clip(hair + moved * matte, 0, 1)
    figure.skin[box] = np.clip(skin - moved * matte, 0, 1)
    downy = step(blur(hair * solid, DOWN_HW * k), 0.02, 0.30) * step(over, 0.0, OVER_EYES_HW[1])
    dyed = of_hair * (luminance(tone) / np.maximum(luminance(of_hair), np.float32(1e-3)))[..., None]
    # Red hair's would be that hem again.
    blues = [one[..., 2] / np.maximum(one[..., 0], np.float32(1e-3)) for one in (dyed, tone)]
    greyer = step(blues[0] - blues[1], 0.0, 0.2)
    tone += (dyed - tone) * (np.float32(DOWN) * downy * (skin + np.float32(crop) * bares) * greyer)[..., None]
    figure.specular[box] *= 1 - np.maximum(stands, np.float32(SHEEN_LOST) * downy)
    changed[box] = moved
    return changed


def _thinning(x: F32, y: F32, hair: F32, skin: F32, solid: np.ndarray, k: float) -> F32:
    """Share f32[h, w] of hair on either side of the line where a crop thins out: it rises with the distance from skin, in dots.

    x, y f32[h, w] are hw from the nose, `solid` u8[h, w] is the mass of hair; before the room nothing thins out.
    """
    bare = ((solid == 0) & (skin > hair)).astype(np.uint8)
    deep = cv2.distanceTransform(1 - bare, cv2.DIST_L2, 5) - cv2.distanceTransform(bare, cv2.DIST_L2, 5)
    dense = step(np.asarray(deep / np.float32(k), np.float32), *FADES_HW)
    dots = sum(noise(x / np.float32(wide), y / np.float32(wide), 128 + i) for i, wide in enumerate(STUBBLE_HW))
    return np.asarray(np.clip(dense + np.float32(STUBBLE) * 4 * dense * (1 - dense) * dots, 0, 1), np.float32)


def _single(tone: F32, hair: F32, moved: F32, field: tuple[F32, F32, F32, F32], band: F32, within: F32, k: float) -> F32:
    """Pale hair and skin that run into one another told apart in single hairs, in the albedo `tone` f32[h, w, 3], in place.

    `moved` f32[h, w] is what of skin is hair besides `hair` f32[h, w] already, and is returned with this added. `field` is x, y (hw from
    the nose) and the flow, `band` f32[h, w] where it is the line, `within` f32[h, w] how far inside hair (hw).
    """
    sure, bare = (np.asarray(step(side, *CLEAR_HW), np.float32) for side in (within, -within))
    sure, bare = sure * hair, bare * (1 - hair)
    if min(float(sure.sum()), float(bare.sum())) < 0.005 * k * k:
        return moved
    here, there = (among(tone, np.asarray(m + 1e-6, np.float32), BESIDE_HW * k) for m in (sure, bare))
    # Hair that is white further in may be in its own shade along the line: hairs there are no paler than what they stand before.
    edge = among(tone, np.asarray(hair * step(within, 0.006, 0.014) * (within < CLEAR_HW[1]) + 1e-6, np.float32), 1.5 * PALE_HW * k)
    here *= np.minimum(luminance(edge) * np.float32(1.1) / np.maximum(luminance(here), np.float32(1e-3)), 1)[..., None]
    on = step(luminance(here) / np.maximum(luminance(there), np.float32(1e-3)), *PALER) * band
    if float(on.max()) < 0.05:
        return moved
    x, y, dx, dy = field
    strand = np.zeros_like(within)
    for stream, (wide, share) in enumerate(((0.8 * FINE_HW, 0.9), (TUFT_HW, 0.5))):
        strand += tresses.strung(x, y, wide, 125 + stream, dx, dy, np.ascontiguousarray(band), LONG_HW * k, share)
    # Most end near the line; one in many goes on, and is thin.
    strand = np.clip(strand, -1.6, 1.2) + np.float32(1.5) * np.clip(strand - 1.2, 0, 1.5)
    cover = np.clip(0.5 + (within + np.float32(STANDS_HW) * strand) * np.float32(k / max(SOFT_HW * k, 2.0)), 0, 1)
    cover *= np.exp2(-np.maximum(-within, 0) / np.float32(THINS_HW))
    veil = blur(np.asarray(within > 0, np.float32), STANDS_HW * k)
    cover = np.asarray(cover + np.float32(VEIL) * (veil - cover), np.float32)
    # Light and dark of the two go on into it, finer than the border.
    near = among(tone, np.ones_like(within), 0.3 * PALE_HW * k)
    fine = np.clip(luminance(tone) / np.maximum(luminance(near), np.float32(1e-3)), 0.6, 1.6)[..., None]
    unlike = tresses.strung(x, y, FINE_HW, 127, dx, dy, np.ascontiguousarray(band), LONG_HW * k, UNLIKE)
    own = here * np.exp(unlike)[..., None]
    want = (there + cover[..., None] * (own - there)) * fine
    tone += (want - tone) * on[..., None]
    return np.asarray(moved + on * (cover - hair - moved), np.float32)


def _squared(dx: F32, dy: F32, runs: F32, within: F32, k: float, shape: tuple[int, ...]) -> tuple[F32, F32]:
    """The flow (dx, dy) f32[h, w] turned square to the line where it runs no way of its own (by double angles: it has no sign)."""
    level = blur(within, 0.02 * k)
    right, down = (np.asarray(cv2.Scharr(level, cv2.CV_32F, i, 1 - i), np.float32) for i in (1, 0))
    flat = np.float32(NORMAL) / np.maximum(right * right + down * down, np.float32(1e-12))
    cos2 = runs * (dx * dx - dy * dy) + flat * (right * right - down * down)
    sin2 = runs * 2 * dx * dy + flat * 2 * right * down
    wide, tall = (cv2.resize(np.asarray(m, np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR) for m in (cos2, sin2))
    angle = 0.5 * np.arctan2(tall, wide)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
