"""The outline settled: once it is known what is skin, cloth and hair, each ends as it does in nature.

Closed-form matting passes alpha from pixel to pixel and knows no things: against a busy room it bites ears, leaves ghosts of
bokeh beside them and beads along a veil. Skin and cloth end in one smooth line as soft as a lens draws it; hair is solid
within its mass, and outside it only strands are hair. The border's colours are then held to those further in.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import airy, evidence, felt, temples
from lowkey.plate.zones import ramp, step
from lowkey.together import both

BROW, NOSE, NOSE_BASE, EARS = 9, 4, 2, (234, 454)
"""Mesh points: the ears lie between the heights of brow and nose."""
TURNED = (0.20, 0.32)
"""Share of a face's width beyond the nose below which no ear shows on that side, and above which one does."""
SMOOTH_HW, SMOOTH_PHOTO_PX = 0.018, 1.4
"""Sigma along which a border of skin or cloth is straightened, in head-widths; at least so many of the photo's own pixels."""
EDGE_PX = 2.6
"""Width of that border, in plate pixels."""
BITE_HW = 0.30
"""Height of a gap between temple and ear, with the person above and below it, that is none; behind a lobe a gap opens downward."""
CORNER_HW = 0.045
"""Least radius of an ear's outline."""
TOOTH_HW = 0.010
"""Half the depth up to which a gap is merely rough."""
STRAY_HW2, BESIDE_HW = 0.03, 0.09
"""Area under which hair apart from all other hair, and within how much of the outline, is an ear's rim in the room's light."""
OVER_EAR_HW = 0.28
"""How far an ear reaches over where the mesh has it."""
TUFT_HW, ROUND_HW = 0.020, 0.09
"""Half the width from which such hair is no rim but a tuft behind the lobe, and how far round it the tuft is looked for by its colour."""
PALER = 0.3
"""How much less log red over green such hair has than skin."""
MASS_HW = (0.015, 0.045)
"""How far within its outline hair begins to be solid, and is."""
STRAND_HW = 0.009
"""Half the width above which what is half there beside the hair is no strand but a ghost of the room."""
LEAST = 0.06
"""Alpha of hair below which there is none."""
RIM_HW = {"skin": (0.014, 0.032), "hair": (0.018, 0.050), "cloth": (0.014, 0.032)}
"""How far within the outline colour is held to the colours further in: altogether, and no more (light shines through loose hair)."""
SOUND_HW = {"skin": (0.017, 0.024), "hair": (0.045, 0.065), "cloth": (0.017, 0.024)}
"""From how far within the outline colours are the person's for sure."""
NEARBY_HW = 0.035
KNOWN, REDDER, BRIGHTER, SHARP_HW = (0.15, 0.45), (-0.24, -0.10), 1.25, (0.004, 0.011)
"""Within an ear's outline the photo's light and dark are its helix and its bowl: from which share of the person, log red over green beyond
the skin's hereabouts (blood shines through a rim, and a wall beside it is paler), up to how many times as bright as that skin, and from
how far within the outline, where nothing of the room is mixed in."""
HOLE_HW2 = 0.006
"""Area up to which what is enclosed by such skin is as well."""
EAR_ROWS_HW, EAR_ROOT_HW = ((0.40, 0.30), (0.22, 0.34)), (0.05, 0.01)
"""How far over the brow and under the nose an ear's rows end, and how far within the mesh's ear it begins and is one."""
LET_THROUGH = {"skin": 1.0, "hair": 0.7, "cloth": 1.0}
"""How much of that it may be brighter: light that came through the outermost hair was the old room's."""
ROOM_TO_VARY = {"skin": 0.8, "hair": 1.3, "cloth": 1.2}
"""By how many standard deviations of the colours further in a border's colour may differ from their mean."""


def settle(
    alpha: F32, colour: F32, seen: F32, parts: Mapping[str, F32], points: F32, hw_px: float, scale: float
) -> tuple[F32, F32, dict[str, F32]]:  # fmt: skip
    """Matte f32[h, w], the person's own colour f32[h, w, 3] and parts with every border settled.

    `colour` has the old background taken out, `seen` is the photo as it is; `parts` add up to the matte as in `plate.PARTS`;
    `points` f32[478, 3] are the landmarks, `scale` is plate pixels to one of the photo's.
    """
    rows, cols = np.flatnonzero((alpha > 0).any(1)), np.flatnonzero((alpha > 0).any(0))
    if not len(rows):
        return alpha, colour, dict(parts)
    m = round(0.12 * hw_px)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + 1 + m, max(cols[0] - m, 0) : cols[-1] + 1 + m]
    old = np.ascontiguousarray(alpha[box])
    named = {name: np.ascontiguousarray(parts[name][box]) for name in ("skin", "hair", "cloth", "hands", "glasses")}
    placed = points - np.array([box[1].start, box[0].start, 0], np.float32)
    covered = np.maximum.reduce([parts[name][box] for name in ("cloth", "hands", "glasses", "brows")])
    photo = np.ascontiguousarray(seen[box])
    bitten = old
    old, named["hair"], rough = felt.restored(old, photo, named["hair"], covered, hw_px)
    old, named["skin"], named["hair"], temple = temples.restored(old, photo, named["skin"], named["hair"], covered, placed, hw_px)
    share = _carried(_rims_of_ears(named, old, photo, placed, hw_px), old, hw_px)
    ears = _ears(points, box, alpha.shape, hw_px)
    thick = old
    old, own = airy.thinned(old, np.ascontiguousarray(colour[box]), photo, share["hair"], hw_px)
    old, own = airy.opened(old, own, photo, share["hair"], hw_px)
    new, within, solid = _settled(old, bitten, share, placed, ears, hw_px, scale)
    # Where the room was seen between strands it stays seen.
    new = np.asarray(new + ramp(thick - old, 0.05, 0.2) * np.minimum(old - new, 0), np.float32)
    # A lock before a wall of its own darkness is half sure; with the wall taken out nothing of it was left but a smear.
    trusted = (share["hair"] * ramp(old, 0.5, 0.8))[..., None]
    own = np.asarray(own + trusted * (photo - own), np.float32)
    folds, fold = _folds(photo, np.minimum(old, new), within, solid, share, placed, hw_px)
    own = _held(np.asarray(own + folds[..., None] * (fold - own), np.float32), old, new, within, solid, share, folds, hw_px)
    # Nothing lies further in than a temple's strip of hair, nor beyond a crop's felt: their light and dark are the photo's.
    own *= 1 + (np.maximum(temple, rough) * (luminance(photo) / np.maximum(luminance(own), np.float32(1e-3)) - 1))[..., None]

    whole, painted = alpha.copy(), colour.copy()
    whole[box], painted[box] = new, own
    out = {name: np.array(part) for name, part in parts.items()}
    for name, one in share.items():
        out[name][box] = one * new
    out["background"] = 1 - whole
    return whole, painted, out


def _ears(points: F32, box: tuple[slice, slice], shape: tuple[int, ...], hw_px: float) -> tuple[F32, F32]:
    """1 where ears may be, on the sides that show one, f32 of `box`: on the rows from brow to nose, and with those over them too."""
    level = np.arange(*box[0].indices(shape[0]), dtype=np.float32)[:, None]
    below, above = (np.asarray((level - points[i, 1]) / hw_px, np.float32) for i in (BROW, NOSE_BASE))
    across = np.arange(*box[1].indices(shape[1]), dtype=np.float32)[None]
    shown = np.where(across < points[NOSE, 0], *_sides(points)).astype(np.float32)
    low = 1 - ramp(above, -0.05, 0.05)
    return ramp(below, -0.05, 0.05) * low * shown, ramp(below, -0.30, -0.20) * low * shown


def _sides(points: F32) -> tuple[float, float]:
    """How surely an ear is seen at the viewer's left and right: a face turned far shows none on its far side, where an eye's hollow is."""
    left, right = sorted(points[list(EARS), 0])
    wide, nose = max(float(right - left), 1.0), float(points[NOSE, 0])
    return step((nose - left) / wide, *TURNED), step((right - nose) / wide, *TURNED)


def _carried(named: Mapping[str, F32], alpha: F32, hw_px: float) -> dict[str, F32]:
    """Share f32[h, w] of each part in what there is of the person, carried outward over the border; they add up to 1."""
    sure = np.asarray(ramp(alpha, 0.3, 0.9), np.float32)
    known = {name: np.asarray(part / np.maximum(alpha, 1e-3) * sure, np.float32) for name, part in named.items()}
    shown = [name for name, part in known.items() if part.any()]

    def carried(part: F32) -> F32:
        out = part.copy()
        for i, sigma in enumerate((0.006, 0.02, 0.06)):
            out += np.float32(0.02 ** (i + 1)) * blur(part, sigma * hw_px)
        return out

    half = len(shown) // 2
    some, others = both(
        lambda: [carried(known[name]) for name in shown[:half]],
        lambda: [carried(part) for part in (sure, *(known[name] for name in shown[half:]))],
    )
    total, mass = {**known, **dict(zip(shown, some + others[1:], strict=True))}, others[0]
    every = np.maximum(sum(total.values()), np.float32(1e-9))
    found = {name: np.asarray(np.where(mass > 1e-8, one / every, 0), np.float32) for name, one in total.items()}
    found["cloth"] += np.where(mass > 1e-8, 0, 1).astype(np.float32)
    return found


def _rims_of_ears(named: Mapping[str, F32], alpha: F32, seen: F32, points: F32, hw_px: float) -> dict[str, F32]:
    """The parts with stray hair beside the outline, that touches skin and no other hair, made skin, if it is no wider than a rim is.

    Higher than an ear it stays hair: of a cropped temple a mere line shows beside a face that is turned a little, and as skin it gleams.
    A wider piece that is far less red than skin is no ear in its own shade, but the hair of the nape behind a lobe: it is completed by its
    colour in the photo `seen` f32[h, w, 3].
    """
    skin, hair = named["skin"].copy(), named["hair"].copy()
    count, label, stats, _ = cv2.connectedComponentsWithStats((hair > 0.3).astype(np.uint8), connectivity=8)
    within = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    bare = cv2.dilate((skin > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    sides = sorted((points[i, :2] for i in EARS), key=lambda at: float(at[0]))
    for i in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[i])
        if area < 4 or area > STRAY_HW2 * hw_px**2:
            continue
        # With the pixels round it that are half hair.
        at = np.s_[max(y - 4, 0) : y + h + 4, max(x - 4, 0) : x + w + 4]
        mine = label[at] == i
        ear = sides[int(x + w / 2 > (sides[0][0] + sides[1][0]) / 2)]
        if float((np.nonzero(mine)[0] + at[0].start < ear[1] - OVER_EAR_HW * hw_px).mean()) > 0.5:
            continue
        if (mine & bare[at]).sum() > 0.25 * mine.sum() ** 0.5 and float((within[at][mine] < BESIDE_HW).mean()) > 0.8:
            if cv2.distanceTransform(mine.astype(np.uint8), cv2.DIST_L2, 5).max() > TUFT_HW * hw_px:
                tuft = np.asarray(label == i)
                if _lean(seen, tuft) < _lean(seen, (skin > 0.9) & (alpha > 0.95)) - PALER:
                    _completed(skin, hair, tuft, alpha, seen, (x, y, w, h), hw_px)
                    continue
            mine = cv2.dilate(mine.astype(np.uint8), np.ones((9, 9), np.uint8)) * ((label[at] == i) | (label[at] == 0)) > 0
            skin[at][mine] += hair[at][mine]
            hair[at][mine] = 0
    return {**named, "skin": skin, "hair": hair}


def _lean(seen: F32, there: NDArray[np.bool_]) -> float:
    """Median log red over green of a photo f32[h, w, 3]."""
    red, green = (np.log(np.maximum(seen[there, channel], np.float32(2e-3))) for channel in (0, 1))
    return float(np.median(red - green)) if red.size else 0.0


def _completed(skin: F32, hair: F32, tuft: NDArray[np.bool_], alpha: F32, seen: F32, at: tuple[int, int, int, int], hw_px: float) -> None:
    """Skin round a tuft that has the tuft's colour more than the skin's hereabouts becomes hair, in place."""
    x, y, w, h = at
    m = round(ROUND_HW * hw_px)
    box = np.s_[max(y - m, 0) : y + h + m, max(x - m, 0) : x + w + m]
    tone = np.log(np.maximum(cv2.GaussianBlur(seen[box], (0, 0), 1.0), np.float32(2e-3)))
    # Brightness counts for less: it is the old light's.
    grey = tone.mean(-1, keepdims=True)
    look = np.concatenate([2 * (tone - grey), 0.5 * grey], -1)
    bare = (skin[box] > 0.9) & (alpha[box] > 0.95) & (cv2.dilate(tuft[box].astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    if bare.sum() < 50:
        return
    own, other = np.median(look[tuft[box]], 0), np.median(look[bare], 0)
    across = own - other
    along = ((look - other) @ across) / max(float(across @ across), 1e-6)
    away = cv2.distanceTransform((~tuft[box]).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    like = ramp(np.asarray(along, np.float32), 0.35, 0.60) * (1 - ramp(np.asarray(away, np.float32), 0.6 * ROUND_HW, ROUND_HW))
    taken = np.asarray(skin[box] * blur(like, 0.008 * hw_px), np.float32)
    skin[box] -= taken
    hair[box] += taken


def _settled(
    alpha: F32, bitten: F32, share: Mapping[str, F32], points: F32, ears: tuple[F32, F32], hw_px: float, scale: float
) -> tuple[F32, F32, F32]:  # fmt: skip
    """The settled matte f32[h, w]; signed distance to its outline, hw (+ within); and 1 where the old matte knew the person.

    Gaps are those of the matte as it was `bitten` f32[h, w]: under a temple's hair that came back there is none.
    `ears` f32[h, w] as from `_ears`: 1 where gaps are filled, and where corners are rounded.
    """
    base = np.clip((alpha - 0.35) / np.float32(0.3), 0, 1).astype(np.float32)

    # A low gap beside bare skin is a bite; between fingers it is a gap, and a cheek over a shoulder ends in the open.
    tall, pad = 2 * round(BITE_HW * hw_px / 2) + 1, round(BITE_HW * hw_px) + 1
    was = np.clip((bitten - 0.35) / np.float32(0.3), 0, 1).astype(np.float32)
    head = np.asarray(was * (1 - ramp(share["cloth"], 0.3, 0.7)), np.float32)
    wide = cv2.copyMakeBorder(head, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((tall, 1), np.uint8))[pad:-pad, pad:-pad]
    beside_skin = ramp(blur(np.asarray(share["skin"] * alpha, np.float32), 0.03 * hw_px), 0.05, 0.2)
    beside_skin = beside_skin * (1 - ramp(blur(share["hands"] * alpha, 0.05 * hw_px), 0.01, 0.05))
    # Teeth are no bites.
    side = 2 * round(TOOTH_HW * hw_px) + 1
    tooth = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    gap = np.minimum(cv2.morphologyEx(closed - head, cv2.MORPH_OPEN, tooth), 1 - base)
    bare = beside_skin * (1 - ramp(share["cloth"], 0.1, 0.3)) * ears[0]
    filled = np.asarray(gap * bare, np.float32)
    dent = temples.rounded(np.asarray(base + filled, np.float32), np.asarray(share["hair"] * alpha, np.float32), points, hw_px)
    filled = np.asarray(np.maximum(filled, np.minimum(dent, 1 - base) * bare), np.float32)

    # An ear is round: what stands out of it in a point or a corner is the hair's or the room's.
    side = 2 * round(CORNER_HW * hw_px) + 1
    whole = cv2.copyMakeBorder(np.asarray(base + filled, np.float32), side, side, side, side, cv2.BORDER_REPLICATE)
    rounded = cv2.morphologyEx(whole, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))[side:-side, side:-side]
    bare = ears[1] * beside_skin * ramp(share["skin"], 0.25, 0.6)
    corner = bare * cv2.morphologyEx(np.maximum(base + filled - rounded, 0), cv2.MORPH_OPEN, tooth)
    base, filled = base - np.minimum(corner, base), filled - np.maximum(corner - base, 0)

    sigma = max(SMOOTH_HW * hw_px, SMOOTH_PHOTO_PX * scale)
    level = blur(np.asarray(base + filled, np.float32), sigma)
    # A straight border blurred by sigma falls by .4 / sigma a pixel at its middle.
    crisp = np.clip(0.5 + (level - 0.5) * np.float32(sigma / (0.4 * EDGE_PX)), 0, 1)
    inner = (level > 0.5).astype(np.uint8)
    within = (cv2.distanceTransform(inner, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)) / np.float32(hw_px)
    within = np.asarray(within, np.float32)

    # Hair: solid in its mass unless the room shows through plainly; outside it what is wide and faint is a ghost.
    side = 2 * round(STRAND_HW * hw_px) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    broad = np.asarray(cv2.morphologyEx(alpha, cv2.MORPH_OPEN, disc), np.float32)
    out = ramp(-within, 0.0, 0.02)
    hair = alpha + ramp(within, *MASS_HW) * ramp(alpha, 0.25, 0.6) * (1 - alpha)
    hair = hair - out * broad * (1 - ramp(broad, 0.35, 0.65))
    # Where there are strands at all: thin things, or a border far wider than a lens draws it.
    thin, soft = np.asarray(alpha - broad, np.float32), np.asarray(4 * alpha * (1 - alpha), np.float32)
    loose = np.maximum(ramp(blur(soft, 0.03 * hw_px), 0.10, 0.20), ramp(blur(thin, 0.02 * hw_px), 0.01, 0.03))
    strands = ramp(share["hair"], 0.35, 0.65) * loose
    hair = np.clip((hair - np.float32(LEAST)) / np.float32(1 - 2 * LEAST), 0, 1)
    new = np.asarray(np.clip(crisp + strands * (hair - crisp), 0, 1), np.float32)
    return _joined(new), within, np.asarray((alpha > 0.97) & (filled < 0.02), np.float32)


def _joined(alpha: F32) -> F32:
    """Alpha without specks: what hangs together with the largest piece."""
    count, label, stats, _ = cv2.connectedComponentsWithStats((alpha > 0.12).astype(np.uint8), connectivity=8)
    if count < 3:
        return alpha
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    own = cv2.dilate((label == largest).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return np.asarray(np.where(own & ((label == largest) | (label == 0)), alpha, 0) * (alpha > 0.004), np.float32)


def _folds(
    seen: F32, alpha: F32, within: F32, solid: F32, share: Mapping[str, F32], points: F32, hw_px: float
) -> tuple[F32, F32]:  # fmt: skip
    """Where ears are as the photo `seen` f32[h, w, 3] has them, f32[h, w] 0..1, and their colour there f32[h, w, 3].

    A helix and the shade under it lie as near to the outline as light of the room does, and are as unlike the skin further in: a matting
    half loses them, and held to that skin an ear is flat. What tells them from the room is that they are no paler than skin.
    """
    h, w = alpha.shape
    down, across = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)[None]
    over, under = (points[BROW, 1] - down) / np.float32(hw_px), (down - points[NOSE_BASE, 1]) / np.float32(hw_px)
    left, right = sorted(points[list(EARS), 0])
    begins, whole = (-root for root in EAR_ROOT_HW)
    far = (left - across) / np.float32(hw_px), (across - right) / np.float32(hw_px)
    beside = np.maximum(*(ramp(out, begins, whole) * shown for out, shown in zip(far, _sides(points), strict=True)))
    rows = (1 - ramp(over, EAR_ROWS_HW[0][1], EAR_ROWS_HW[0][0])) * (1 - ramp(under, *EAR_ROWS_HW[1]))
    # An outline that was straightened lies beyond the person's own: a mixture with a dark wall is no shade.
    clear = cv2.distanceTransform((alpha > KNOWN[0]).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    sharp = ramp(np.minimum(within, clear), *SHARP_HW)
    zone = np.asarray(rows * beside * ramp(share["skin"], 0.5, 0.8) * ramp(alpha, *KNOWN) * sharp, np.float32)
    asked = zone > 0.02
    if not asked.any():
        return np.zeros_like(alpha), seen
    sound = np.asarray(solid * ramp(within, *SOUND_HW["skin"]) * ramp(share["skin"], 0.6, 0.9), np.float32)
    mean, var = evidence.hereabouts(seen, sound, asked, NEARBY_HW * hw_px)
    mean = np.maximum(mean, np.float32(2e-3))
    even = np.maximum(blur(seen, 0.004 * hw_px)[asked], np.float32(2e-3))
    redder = np.log(even[:, 0] / even[:, 1]) - np.log(mean[:, 0] / mean[:, 1])
    found, fold = np.zeros_like(alpha), seen.copy()
    found[asked] = zone[asked] * ramp(redder, *REDDER) * (var[:, 0] < 10)
    # What shines on a fold is pale, and a hollow may be read as hair: within an ear both are its own.
    _, label, stats, _ = cv2.connectedComponentsWithStats((found < 0.5).astype(np.uint8), connectivity=4)
    holes = stats[:, cv2.CC_STAT_AREA] < HOLE_HW2 * hw_px**2
    found = np.maximum(found, blur((holes[label] & (found < 0.5)).astype(np.float32), 0.8)) * sharp
    # A rim that the old lamp burnt out is no lighter skin.
    over = np.maximum(luminance(even) / (np.float32(BRIGHTER) * luminance(mean)), 1)
    fold[asked] *= (over ** (ramp(within[asked], *RIM_HW["skin"]) - 1))[:, None]
    return found, fold


def _held(
    colour: F32, old: F32, alpha: F32, within: F32, solid: F32, share: Mapping[str, F32], folds: F32, hw_px: float
) -> F32:  # fmt: skip
    """The person's colour with its border held to the colours further in, part by part, and carried a little beyond it.

    But for `folds` f32[h, w], where it is known.
    """
    reach = max(last for _, last in RIM_HW.values())
    asked = (within > -0.08) & ((within < reach) | (old < 0.95)) & ((alpha > 0) | (within > -0.05))
    if not asked.any():
        return colour
    root = np.sqrt(np.maximum(colour, 0)).astype(np.float32)
    kinds = {"skin": share["skin"] + share["hands"], "hair": share["hair"], "cloth": share["cloth"] + share["glasses"]}
    here, depth = root[asked], within[asked]
    total, mass = np.zeros_like(here), np.full((len(here), 1), 1e-6, np.float32)
    for name, kind in kinds.items():
        weight = kind[asked][:, None]
        if weight.max() < 0.02:
            continue
        sound = np.asarray(solid * ramp(within, *SOUND_HW[name]) * ramp(kind, 0.6, 0.9), np.float32)
        mean, var = evidence.hereabouts(root, sound, asked, NEARBY_HW * hw_px)
        room = ROOM_TO_VARY[name] * np.sqrt(var + (0.05 * mean) ** 2)
        off = (here - mean) / np.maximum(room, 1e-4)
        # Brightness may vary as it does further in; the balance of the colours hardly.
        even = off.mean(1, keepdims=True)
        even = np.minimum(even, LET_THROUGH[name] * np.tanh(even / LET_THROUGH[name]))
        held = mean + room * (np.tanh(even) + np.float32(0.35) * np.tanh(off - even))
        how = (np.maximum(1 - ramp(depth, *RIM_HW[name]), 1 - ramp(old[asked], 0.80, 0.97)) * (1 - folds[asked]))[:, None]
        total += weight * np.where(var[:, :1] < 10, here + how * (held - here), here)
        mass += weight
    mixed = np.clip((total + 1e-6 * here) / mass, 0, 1)
    out = colour.copy()
    out[asked] = mixed * mixed
    return np.asarray(out, np.float32)
