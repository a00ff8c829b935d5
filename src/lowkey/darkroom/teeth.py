"""What lies between parted lips, made ready for a hard light: the photo's own teeth, quiet and whole, in their own dark.

Teeth are the most regular thing in a face, and whatever is cut out or painted among them is seen. All that lies between the lips keeps the
photo's own relations, gum to tooth to gap to tongue, under one broad gain, before any light is taken off it (delighting divides a hollow by
the skin's form and burns it). Only a chip between two teeth, which one hard lamp would print as a hole, is filled.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp, step

UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Mesh points along the inner rim of each lip, corner to corner."""
PARTED = (0.012, 0.030)
"""Distance of the lips (hw) from which a mouth begins to be open, and is."""
EDGE_HW, SOFT_HW = 0.006, 0.0022
"""How softly the opening ends at the lips, sigma; and how far what a camera has sharpened at the edges of teeth, the one white thing in a
dark hollow, is softened: beside soft skin they look torn out of paper."""
ENAMEL, OVER_SKIN = 0.58, 1.45
"""Most that teeth reflect, and most over the face's own skin: under the lamp they are to print a little under the skin that it lights."""
ROUND_HW = 0.09
"""How broad a row's own light and dark is, sigma: what is narrower is a tooth's form, and stays."""
EVENED = (0.25, 0.75)
"""Share of the row's own broad light and dark that goes, of a soft light's, which is the lips' and cheeks' shade on a round row, and of a
hard one's, which is an old lamp's."""
LOWER_LIT = 0.9
"""Most of that which a lower row is left, over the upper's: a lamp that stood into an open mouth made it three stops the brighter one."""
CHIP_HW, CHIP = 0.030, 0.62
"""Half the width under which a dark place between two teeth of a row is a chip or a spot, and the least it is to have of that row's light:
under one hard lamp it would print as a hole, and the row as fangs."""
CREAM, CREAMED = (1.16, 1.0, 0.80), 0.95
"""Colour of teeth over its green, and the share of the way there: two thirds of the way from paper to what is measured in life (L* 72,
a* 2, b* 17: 1.25, 1, .68), for an eye that is set to warm skin sees that as brown. Photos burn them to white, and white teeth beside
skin under a warm lamp are green ones."""
FLESH, FLESHED = (2.2, 1.0, 0.70), 0.85
"""Colour over its green of what is nearly black between the lips, and the share of the way there: light that comes out of there has met
blood several times, and of no colour is only what a photo does not hold."""
MET = 0.30
"""Power with which the light on a lower row has flesh's colour beside that on the upper: it has met lips and tongue once more, and with the
upper's own hue it was a grey-green slab in two mouths (red over green in print 1.32 under 1.27, 1.33 under 1.54; now 1.45, 1.48)."""
SEEN = (0.05, 0.20)
"""Share of the teeth's light, or of the lips' where none are seen, from which what is darker has a colour of its own, and surely has."""
BEHIND, GLEAM, TONGUE = 0.35, (0.3, 0.6), (0.5, 0.8)
"""Share of the light on the row in the shade that comes in behind both, share of its row's light from which what is red is no tongue, and
how far from the middle to the corner one lies."""
TONGUE_HW = 0.024
"""Least breadth of a tongue between two rows: what is red in a chink of less lies in its teeth's shade, and was a dot of fire."""
GUM = (1.15, 1.45)
"""Red over green, against the teeth's, from which what lies between them begins to be gum, and is."""
TORN_HW = 0.0125
"""Least breadth of a dark notch in a row under a hard lamp that is filled though it is red: it is the lip's own shadow, which ate a tooth,
and under another lamp a row torn off. What is left open between two tips is under two millimetres, and stays."""
BLUEST, ORANGEST, PALEST = 0.85, 0.6, 1.10
"""Most blue over green between the lips: flesh and enamel both have less; and least, for what is beyond is a dark channel of the photo that
ends in nothing; and least red: a haze over a dark mouth is green in a warm print, and no flesh is."""
CORNER = 0.66
"""Light on the last teeth that a smile shows over that on the first: lips and cheeks shade them."""
ALONE, SPECK = 0.55, 1.0
"""Light that is left to a tooth or two between lips a little apart, and the power of what a speck in a mere slit is lighter than lips that
goes: one lit tooth in a dark arc is a crumb on the lips."""
WALL, WALL_HW = 0.30, 0.018
"""Least that is reflected right inside the lips' rim, over theirs, and the depth from the rim at which it is a third of that: lips turn in
and their red lining goes on into the hollow. What is black there in a photo is its lamp's; beside lips in key light it was a wedge of ink
at the corners, and a line of it under the upper lip."""
RIM_HW, LIPPED = 0.06, 0.85
"""How far round a lip tells its own light, sigma, and the share of it that its rim rises to outward: what is blacker there is the photo's
hollow, which a mesh's rim missed by a pixel or two, and stood as an ink line round the opening and as soot beside its corners."""
SHOULDER = (1.25, 4)
"""White (of 1) at which a camera's shoulder would end, and the power with which it sets in (Reinhard et al. 2002 bend light so): in an
overexposed row joints of a tenth are joints of a quarter, and without them it is a slab."""
GRAIN_HW = 0.004
"""What is finer, sigma, is a photo's noise, which no shoulder has bent by itself."""
BINS, DIP, BELOW, NO_GAP = 24, 0.10, 0.42, 2.0
"""Steps from lip to lip in which a gap between two rows is looked for; how much darker it is than either, over the row's own light; what is
left of the light on the row under it, which stands further in (at .2 a mouth is a black slot with a dirty band); and where it is said to be
if there is none."""
SLIT_HW = 0.016
"""How broad the line is, at least, along which lips meet."""
LEAST_HW2 = 0.0012
"""Area of teeth (hw2) under which a mouth shows none."""
BESIDE_HW = 0.015
"""How far beside the opening what is as bright as teeth is theirs."""


def across(plate: Plate, xs: F32, ys: F32) -> tuple[F32, F32]:
    """Of pixels: where they lie from corner to corner of the mouth, -1 to 1, and from lip to lip, 0 to 1."""
    left, right = plate.landmarks[UPPER[0], :2], plate.landmarks[UPPER[-1], :2]
    half, middle = (right - left) / 2, (right + left) / 2
    wide = max(float(np.hypot(*half)), 1.0)
    along = half / wide
    down = np.array([-along[1], along[0]], np.float32)
    a = ((xs - middle[0]) * along[0] + (ys - middle[1]) * along[1]) / np.float32(wide)
    fall = (xs - middle[0]) * down[0] + (ys - middle[1]) * down[1]
    edges = []
    for ring in (UPPER, LOWER):
        rim = plate.landmarks[list(ring), :2] - middle
        edges.append(np.interp(a, rim @ along / wide, rim @ down).astype(np.float32))
    tall = np.maximum(edges[1] - edges[0], np.float32(0.004 * plate.hw_px))
    return np.asarray(a, np.float32), np.asarray((fall - edges[0]) / tall, np.float32)


def _drawn(plate: Plate, box: tuple[slice, slice]) -> F32:
    """What the mesh's inner lips enclose, f32[h, w] of `box`."""
    ring = plate.landmarks[[*UPPER, *LOWER[-2:0:-1]], :2] - np.array([box[1].start, box[0].start], np.float32)
    out = np.zeros(plate.matte[box].shape, np.uint8)
    cv2.fillPoly(out, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(out.astype(np.float32) / 255, np.float32)


def opening(plate: Plate, box: tuple[slice, slice]) -> F32:
    """What lies between the lips f32[h, w] within a box of the plate; nothing where a mouth is shut."""
    apart = float(np.linalg.norm(plate.landmarks[13, :2] - plate.landmarks[14, :2])) / plate.hw_px
    open_ = step(apart, *PARTED)
    return np.asarray(blur(_drawn(plate, box), EDGE_HW * plate.hw_px) * np.float32(open_), np.float32)


def slit(plate: Plate, box: tuple[slice, slice]) -> F32:
    """Where lips meet, or part, f32[h, w] within a box of the plate: what is pale there is no shine, but a tooth."""
    k = plate.hw_px
    lines = [np.round((plate.landmarks[list(rim), :2] - (box[1].start, box[0].start)) * 16).astype(np.int32) for rim in (UPPER, LOWER)]
    out = np.zeros(plate.matte[box].shape, np.uint8)
    cv2.fillPoly(out, [np.concatenate([lines[0], lines[1][-2:0:-1]])], 255, cv2.LINE_AA, 4)
    cv2.polylines(out, lines, False, 255, max(round(SLIT_HW * k), 1), cv2.LINE_AA, 4)
    return blur(out.astype(np.float32) / 255, EDGE_HW * k)


def between(plate: Plate) -> F32:
    """`opening` on the whole plate, f32[h, w]."""
    out = np.zeros(plate.matte.shape, np.float32)
    m, rims = 0.05 * plate.hw_px, plate.landmarks[[*UPPER, *LOWER], :2]
    x0, y0 = (float(v) - m for v in rims.min(0))
    x1, y1 = (float(v) + m for v in rims.max(0))
    h, w = plate.matte.shape
    box = (
        slice(int(np.clip(y0, 0, h - 2)), int(np.clip(y1 + 1, 2, h))),
        slice(int(np.clip(x0, 0, w - 2)), int(np.clip(x1 + 1, 2, w))),
    )
    out[box] = opening(plate, box)
    return out


def mend(albedo: F32, plate: Plate, box: tuple[slice, slice], skin: float) -> None:
    """Put what lies between the lips into the albedo f32[h, w, 3], in place, beside skin of a median reflectance `skin`."""
    inner = opening(plate, box)
    k, tone, photo = plate.hw_px, albedo[box], plate.colour[box]
    lips = np.asarray(plate.parts["lips"][box], np.float32)
    if float(inner.max()) < 0.3:
        # From lips that are as good as shut to a slit.
        if (parted := min(10 * float(inner.max()), 1.0)) > 0:
            _shade_speck(tone, np.asarray(np.float32(parted) * np.minimum(2 * slit(plate, box) * lips, 1), np.float32), lips)
        return
    rows_px, columns_px = np.mgrid[box]
    a, t = across(plate, columns_px.astype(np.float32), rows_px.astype(np.float32))
    # What delighting did to the lips all round is done to the opening as a whole, channel by channel.
    sure = lips > 0.6
    gain = np.median(np.clip(tone[sure], 0.004, 1) / np.maximum(photo[sure], 1e-3), axis=0) if sure.sum() > 50 else np.ones(3)
    own = np.asarray(photo * gain.astype(np.float32), np.float32)
    grey: F32 = np.maximum(luminance(own), np.float32(1e-3))
    colour = own / grey[..., None]
    teeth = np.asarray(plate.parts["teeth"][box] * inner, np.float32)
    bent = _unbent(blur(luminance(photo), GRAIN_HW * k))
    bent /= among(bent, np.asarray(teeth + 1e-4 * inner, np.float32), ROUND_HW * k)
    grey *= 1 + teeth * (bent - 1)
    wanted = grey
    flesh = np.array(FLESH, np.float32)
    if float((teeth > 0.5).sum()) >= LEAST_HW2 * k * k:
        gap = _gap(np.asarray(grey / np.percentile(grey[teeth > 0.5], 75), np.float32), a, t)
        under = ramp(t, gap - 0.06, gap + 0.08)
        first = (teeth > 0.5) & (under < 0.3)
        usual = float(np.percentile(grey[first if first.sum() > 30 else teeth > 0.5], 60))
        sound = np.asarray(teeth * np.minimum(grey / np.float32(usual), 1.5) ** 2, np.float32)
        # Each row has its own: under a hard lamp the lower stands in the light and the upper in the lip's shade.
        level, least = np.zeros_like(grey), np.full_like(grey, np.inf)
        tint = np.zeros_like(colour)
        for one in (np.asarray(1 - under, np.float32), under):
            # A row of which little is seen has the other's hue, not what lies between them.
            tint += one[..., None] * among(colour, np.asarray(sound * (one + np.float32(0.05)) + 1e-4 * inner, np.float32), 0.06 * k)
            own_level = among(grey, np.asarray(sound * one + 1e-4 * inner, np.float32), ROUND_HW * k)
            level += one * own_level
            least = np.minimum(least, own_level)
        red = colour[..., 0] / np.maximum(colour[..., 1], 1e-3) * (tint[..., 1] / np.maximum(tint[..., 0], 1e-3))
        blood = ramp(blur(np.asarray(red, np.float32), 0.004 * k), *GUM)
        # Under a warm lamp a joint is as red as gum, and would be a crack of rust in a row of cream.
        rusty = np.asarray(blood * (1 - teeth), np.float32)
        # What lies behind both rows, in the middle, has of the light of the one in the shade.
        behind = blood * (1 - ramp(grey / level, *GLEAM)) * (1 - ramp(np.abs(a), *TONGUE)) * np.float32(gap < 1)
        behind = _broad(np.asarray(behind * inner, np.float32), TONGUE_HW * k)
        whole = _chips(teeth, k)
        torn = _torn(whole, teeth, np.asarray(grey / level, np.float32), k) if plate.found_light.hard else np.float32(0)
        chips = whole * (1 - blood * (1 - under) * (1 - torn))
        own_rows = grey / (level + behind * np.minimum(least / np.float32(BEHIND) - level, 0))
        rows = np.asarray(np.maximum(own_rows, np.float32(CHIP) * chips), np.float32)
        brightest = min(ENAMEL, max(OVER_SKIN * skin, 0.22))
        lit = (level / usual) ** np.float32(1 - EVENED[plate.found_light.hard])
        lit += under * np.minimum(np.float32(LOWER_LIT) - lit, 0)
        aim = float(np.clip(usual, 0.6 * brightest, 0.95 * brightest)) * lit
        wanted = np.asarray(_pressed(rows) * aim * (1 - (1 - np.float32(BELOW)) * under * (1 - behind)), np.float32)
        wanted = np.asarray(wanted * (1 - (1 - np.float32(CORNER)) * ramp(np.abs(a), 0.25, 1.0)), np.float32)
        # What is filled is tooth by what it was lifted: the dark of a photo, made light, has no colour that is seen.
        filled = np.maximum(chips, np.minimum(2 * (rows - own_rows), 1))
        pale = np.asarray(np.maximum(ramp(rows, 0.25, 0.6) * (1 - rusty), filled), np.float32)[..., None]
        # What a photo holds of a mouth's depth is nearly black, and of no colour.
        lost = np.asarray(np.maximum(1 - pale, 0) * (1 - ramp(rows, *SEEN))[..., None], np.float32)
        colour = colour + np.float32(FLESHED) * lost * (flesh - colour)
        cream = tint + np.float32(CREAMED) * (np.array(CREAM, np.float32) - tint)
        cream = cream * flesh ** (np.float32(MET) * under)[..., None]
        colour = _without_blue(colour + pale * (cream - colour))
        _dim_beside(tone, inner, lips, wanted, k)
    elif sure.any():
        lost = 1 - ramp(np.asarray(grey / np.float32(np.median(grey[sure])), np.float32), *SEEN)
        colour = _without_blue(colour + np.float32(FLESHED) * lost[..., None] * (flesh - colour))
        wanted = grey * np.float32(ALONE)
    if sure.any():
        walls = _walls(plate, box, float(np.median(luminance(tone)[sure])))
        # What a photo has lost of them is flesh.
        lined = np.float32(FLESHED) * np.clip(2 * (1 - wanted / np.maximum(walls, np.float32(1e-4))), 0, 1)
        lined = lined * (1 - ramp(colour[..., 0] / np.maximum(flesh[0] * colour[..., 1], np.float32(1e-3)), 0.8, 1.1))
        colour = _without_blue(np.asarray(colour + lined[..., None] * (flesh - colour), np.float32))
        wanted = np.maximum(wanted, walls)
        _rims(tone, plate, box, lips, float(inner.max()))
    mended = blur(np.asarray(colour * wanted[..., None], np.float32), SOFT_HW * k)
    tone += inner[..., None] * (mended - tone)


def _shade_speck(tone: F32, slit_: F32, lips: F32) -> None:
    """Take what is lighter and less red than `lips` f32[h, w] where they part a little, `slit_` f32[h, w], into their shade, in place."""
    sure = lips > 0.6
    if not sure.any():
        return
    grey, ruddy = np.maximum(luminance(tone), np.float32(1e-3)), tone[..., 0] / np.maximum(tone[..., 1], np.float32(1e-3))
    over = np.maximum(grey / np.float32(np.median(grey[sure])), 1)
    pale = 1 - ramp(np.asarray(ruddy / np.float32(np.median(ruddy[sure])), np.float32), 0.80, 0.95)
    on = pale * slit_ * ramp(np.asarray(over, np.float32), 1.0, 1.2)
    usual = np.median(tone[sure] / grey[sure][:, None], 0).astype(np.float32)
    tone += on[..., None] * ((grey * over ** np.float32(-SPECK))[..., None] * usual - tone)


def _walls(plate: Plate, box: tuple[slice, slice], lips: float) -> F32:
    """Least that is reflected between lips of a median reflectance `lips`, f32[h, w]: they turn in, and lose their light with depth."""
    open_ = (_drawn(plate, box) > 0.5).astype(np.uint8)
    deep = cv2.distanceTransform(open_, cv2.DIST_L2, 5) / np.float32(WALL_HW * plate.hw_px)
    return np.asarray(np.float32(WALL * lips) * np.exp(-deep), np.float32)


def _rims(tone: F32, plate: Plate, box: tuple[slice, slice], lips: F32, open_: float) -> None:
    """Lift what is black as the hollow at the rim of `lips` f32[h, w], open by `open_`, and beside their corners, to theirs, in place."""
    k, grey = plate.hw_px, np.maximum(luminance(tone), np.float32(1e-3))
    inside = _drawn(plate, box)
    shut = (inside < 0.5).astype(np.uint8)
    out = cv2.distanceTransform(shut, cv2.DIST_L2, 5) / np.float32(WALL_HW * k)
    rows_px, columns_px = np.mgrid[box]
    a, _ = across(plate, columns_px.astype(np.float32), rows_px.astype(np.float32))
    skin = plate.parts["skin"][box] * ramp(np.abs(a), 0.8, 1.0) * (1 - inside)
    # Their own tone is told off the rim; at a corner they end in skin.
    far = np.asarray(np.maximum(lips, skin) * (ramp(out, 0.5, 1.0) + np.float32(1e-3)) + np.float32(1e-6), np.float32)
    told = among(np.asarray(np.concatenate([tone, grey[..., None]], -1), np.float32), far, RIM_HW * k)
    least = told[..., 3] * (np.float32(WALL) + np.float32(LIPPED - WALL) * (1 - np.exp(-out)))
    on = np.maximum(np.maximum(lips, inside), skin) * (1 - ramp(out, 2.0, 3.0)) * np.float32(open_)
    lift = np.maximum(least / grey, 1)
    hue = told[..., :3] / np.maximum(told[..., 3:], np.float32(1e-3))
    if (sure := (lips > 0.6) & (out > 0.5)).any():
        hue += lips[..., None] * (np.median(tone[sure] / grey[sure][:, None], 0).astype(np.float32) - hue)
    lifted = np.minimum(2 * (lift - 1), 1)[..., None]
    tone += on[..., None] * ((grey * lift)[..., None] * (tone / grey[..., None] * (1 - lifted) + hue * lifted) - tone)


def _unbent(light: F32) -> F32:
    """Gain f32[h, w] that gives light f32[h, w] near a camera's white the contrast that its shoulder took."""
    white, power = SHOULDER
    return np.asarray(1 / (1 - np.clip(light / np.float32(white), 0, 1 / white) ** power), np.float32)


def _pressed(rows: F32) -> F32:
    """Light and dark within a row over its level f32[h, w], bent under 1.25: what glistened in the photo's light is form, and no lamp."""
    over = np.maximum(rows - 1, 0)
    return np.asarray(np.minimum(rows, 1) + np.float32(0.25) * (1 - np.exp(-over / np.float32(0.25))), np.float32)


def _without_blue(colour: F32) -> F32:
    """A colour f32[h, w, 3] over its luminance: blue in there is a lens's, at an edge of something white; orange is a channel lost."""
    colour[..., 0] = np.maximum(colour[..., 0], np.float32(PALEST) * colour[..., 1])
    colour[..., 2] = np.clip(colour[..., 2], np.float32(ORANGEST) * colour[..., 1], np.float32(BLUEST) * colour[..., 1])
    return np.asarray(colour / np.maximum(luminance(np.asarray(colour, np.float32)), 0.05)[..., None])


def _chips(teeth: F32, k: float) -> F32:
    """What lies between two teeth of a row `teeth` f32[h, w] and is none, f32[h, w]."""
    side = 2 * max(round(CHIP_HW * k), 1) + 1
    pad = cv2.copyMakeBorder((teeth > 0.4).astype(np.uint8), 0, 0, side, side, cv2.BORDER_CONSTANT, value=0)
    whole = cv2.morphologyEx(pad, cv2.MORPH_CLOSE, np.ones((1, side), np.uint8))[:, side:-side]
    # A closing's own corners are no edge of a tooth.
    return blur(whole.astype(np.float32), 2.5 * SOFT_HW * k)


def _torn(whole: F32, teeth: F32, rows: F32, k: float) -> F32:
    """Where a broad dark notch is within a closed row `whole` f32[h, w] that shows `teeth` f32[h, w], by light `rows` over its level."""
    dark = np.asarray(whole * (1 - ramp(teeth, 0.2, 0.5)) * (1 - ramp(rows, 0.20, 0.40)), np.float32)
    # All of the notch, up to the teeth beside it: half of one is a facet.
    side = 2 * max(round(TORN_HW * k / 2), 1) + 1
    notch = cv2.dilate(_broad(dark, TORN_HW * k), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.minimum(2 * blur(notch, 0.25 * TORN_HW * k), np.float32(1))


def _broad(behind: F32, width_px: float) -> F32:
    """What of `behind` f32[h, w] is nowhere narrower than `width_px`: an opening (Serra 1982)."""
    side = 2 * max(round(width_px / 2), 1) + 1
    return np.asarray(cv2.morphologyEx(behind, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.float32)


def _gap(rows: F32, a: F32, t: F32) -> float:
    """Where the lower row begins, from lip to lip: at the darkest place between two bright ones; beyond the lower lip without one."""
    front = (np.abs(a) < 0.5) & (t > 0) & (t < 1)
    order = np.clip((t[front] * BINS).astype(int), 0, BINS - 1)
    shown = np.clip(rows[front], 0, 1)
    # The median of a height from lip to lip: a chip in one tooth is no gap between two rows.
    enough = [i for i in range(BINS) if (order == i).sum() >= 0.3 * len(order) / BINS]
    if len(enough) < BINS // 4:
        return NO_GAP
    seen = np.interp(np.arange(BINS), enough, [np.median(shown[order == i]) for i in enough])
    seen = np.convolve(np.pad(seen, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
    inside = np.arange(round(0.25 * BINS), round(0.88 * BINS))
    dips = [min(seen[:i].max(), seen[i + 1 :].max()) - seen[i] for i in inside]
    best = int(np.argmax(dips))
    if dips[best] < DIP:
        return NO_GAP
    return float((inside[best] + 0.5) / BINS)


def _dim_beside(tone: F32, inner: F32, lips: F32, wanted: F32, k: float) -> None:
    """Hold what lies right beside the opening, and is as bright as teeth were, to what they are now, in place."""
    wide = 2 * round(BESIDE_HW * k) + 1
    beside = cv2.dilate(inner, np.ones((wide, wide), np.uint8)) * (1 - inner)
    grey = np.maximum(luminance(tone), np.float32(1e-3))
    usual = float(np.median(grey[lips > 0.6])) if (lips > 0.6).any() else 1.0
    over = np.maximum(grey / np.float32(1.6 * usual), 1)
    tone *= (over ** (-0.8 * beside))[..., None]
