"""Eyes, teeth and lips made ready for a hard light, as a retoucher would: form and colour stay the person's, old light and gaps go.

A soft frontal photo forgives what one lamp from the side does not: whites that were in the lids' shade print as grey stones,
teeth that were overexposed outshine the face, a dark chip between two of them is a hole, half a lip in an old shadow is torn.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import teeth
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.features import BROWS
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among, among_coarsely
from lowkey.plate.zones import ramp as step

IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
"""Mesh points of each iris: its middle, then its rim."""
WHITE, WHITE_OVER_SKIN = (0.26, 0.44), 1.10
"""Least and most median reflectance of the white of an eye, and most over the face's own skin (but never under the least): the lids' shade
comes on top, so that in the print it is about as light as the cheek."""
SCLERA = (1.07, 1.0, 0.90)
"""Colour of the white of an eye over its green, and nearly all of it: vessels under it are warm; blue is a sky that it mirrored."""
REDDEST, LEAST_BLUE = 1.75, 0.72
"""Most red over green of an iris, and most blue over green of a brown one."""
SHAVEN_HW, SHADE, CLEARED = 0.22, 0.08, 0.6
"""How far round the lips skin is held to be shaven; how much darker than the cheeks (log luminance) it may be, and the share of what more
it is, and of its own hue, that goes: bristles under skin are a grey veil in soft light and a sooty moustache in hard light."""
BEARD = (0.5, 0.9)
"""Log luminance under the cheeks' from which what grows there is a beard, and surely is: it stays."""
HUE_HW, HUE = 0.030, 0.23
"""How broad a patch of another light's colour is, sigma, and how far (log of red or blue over green) a face's own hue goes from its
median."""
BROW_HUE = 0.10
"""How far (log of red or blue over green) a brow's hue goes, broadly, from that of both: they grow of one melanin, and what turns blue-grey
beside a scarf, or olive under a fringe, lay in that one's light."""
RIM_HW, RIM = 0.030, 0.07
"""How far beside hair skin takes its colour, and how far (log of red or blue over green) it may differ there from the skin further in: an
orange line of 5 to 8 px along a hairline is no skin's."""
STRAND, STRAND_APART = (0.10, 0.35), 0.6
"""How far from the skin's log luminance to the hair's something is a strand's, at least and surely; the least that is between them."""
PUPIL, LEAST_PUPIL = 0.45, 0.35
"""Most that a pupil reflects against its iris, and the least share of its light that is left: a veiled one looks blind."""
LID_SHADE, LID_REACH = 0.85, 0.36
"""Light that the upper lid and its lashes leave at the lid's edge beyond what they took in the photo, whose shade there no delighting takes
off, and the share of the opening's height over which it ends."""
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
"""Mesh points along each lid, outer corner to inner, as `IRISES`."""
LASH_HW, LASH, LASH_HUE = 0.05, (0.50, 0.75), 0.20
"""How far round the lids lashes grow, the shares of the face's luminance under which what lies there is lashes, and is none, and how much
less red and more blue (log, over green) than the face they are at most: near black in the photo, lifted they had the room's teal. Make-up
stays."""
WHITE_GAIN = (0.75, 1.6)
CRUMB = 0.10
"""Over how much of an iris's radius (sigma) white is told from lids."""
IRIS, IRIS_GAIN = 0.036, 1.4
"""Median reflectance that an iris is brought up to, and by how much at most: in the photo the upper lid shaded it."""
SLIT = (0.25, 0.6)
"""Share of the lips' luminance under which what lies where they meet surely is the dark between them, and from which it is none of it."""
LIP_HW, GAPS = 0.030, 0.8
"""How broad the form of a lip is, and how much goes of what lay dark between streaks of its shine."""
BESIDE_HW, LIPS_OWN, SHEEN = 0.15, 0.7, 0.12
"""How far beside lips skin tells what the photo's light did there, sigma; the share of a lip's tone over that skin's, in the photo, that it
keeps, and the most (log) that it comes out lighter so. The upper lip is dark by its facing down and by its pigment, and delighting, which
knows a mesh's lip, takes both off (.05 to .10 beside skin of .13 on one): two lips of one tone are none."""
LIP_UNDER_SKIN = 0.68
"""Most that the lips of someone in hard light reflect over the face's skin: their gloss burns in the sun."""
LIP_RED, LIP_BLUE, LIP_SPREAD, BEYOND = 0.28, 0.16, 0.20, 0.30
"""How much redder and bluer than the face (log, over green) lips are that stand in its light, how much redder than the rest of them
a spot is, and the share of what is more: bare lips in the photos are .0 to .26 and .05 to .25. A warm lamp and a print make a red of any
more than that a coral sticker and a mauve one a bruise; where green and blue of a small photo end in nothing, a spot is a lamp's red."""
MOTTLE_HW, MOTTLED = 0.010, 0.7
"""Over what (sigma) the colour of lips, and not their tone, is even, and by how much: a small photo's colours are blotches of several
pixels."""
RUDDY_HW = 0.03
"""How far beside lips skin is held to be no redder than they are."""
SHADOW_HW, LEVELLED = 0.016, 0.9
"""How broad the light and dark along a lip is that is held to be an old shadow's, and how much of it goes."""
LIP_TOLD_HW, LIP_DARK = 0.010, (0.12, 0.30)
"""Over how much of a lip, sigma, it is told whether a place is lip in an old shadow or the dark between lips, and the shares of the lip's
tone under which it is the dark, and from which it is lip: told pixel by pixel, three times the light beside none drew the photo's noise
round a mouth's corners as bristles."""
LIP_FINE_HW, LIP_FINE = 0.008, 1.0
"""What is finer than this on a lip (sigma) is lifted out of a shadow with it, noise most: of its depth goes this power of the lift."""

GLASS_HW, GLASS = 0.035, 0.3
"""Half the width from which it is dark glass and no frame, and the share of what was seen in it that stays: most of it is the old room's
light, mirrored."""
FRAME, FRAME_COLOUR = 0.05, 0.45
"""Most median reflectance of the frame of glasses, and the share of its colour that is kept: a pure blue that no fill is dark enough for
glows in the shade."""

STRANGE = (0.55, 0.85)
"""Log blue over red, above the face's own, from which skin at the outline is held to be something else, and is."""


def retouch(albedo: F32, plate: Plate) -> None:
    """Mend the albedo f32[h, w, 3] of eyes, teeth, lips and flecks on the skin's outline, in place."""
    rows, columns = _box(plate, (9, 152, 234, 454), 0.0)
    face = np.s_[rows.start : rows.stop : 3, columns.start : columns.stop : 3]
    skin = albedo[face][plate.parts["skin"][face] - plate.parts["lips"][face] - plate.parts["eyes"][face] > 0.9]
    level = float(np.median(luminance(skin))) if len(skin) > 50 else 0.3
    _own_lips(albedo, plate)
    _moist_line(albedo, plate)
    _eyes(albedo, plate, float(np.clip(WHITE_OVER_SKIN * level, *WHITE)))
    if plate.found_light.hard:
        # Under a soft light what differs on the lips is the lips' own.
        _lips(albedo, plate, LIP_UNDER_SKIN * level)
    if len(skin) > 50:
        usual = np.asarray(np.median(skin, 0), np.float32)
        _lashes(albedo, plate, usual)
        _lip_colour(albedo, plate, usual)
    _one_complexion(albedo, plate)
    _one_melanin(albedo, plate)
    _round_mouth(albedo, plate)
    _frames(albedo, plate)
    teeth.mend(albedo, plate, _mouth(plate), level)
    _strange_skin(albedo, plate)


def _strange_skin(albedo: F32, plate: Plate) -> None:
    """A fleck of a blue jacket or a green wall that hangs on a jaw or an ear takes the colour of the skin beside it.

    Blood and melanin leave blue under red by about as much all over a face; STRANGE says by how much a fleck may differ.
    """
    k = plate.hw_px
    skin = np.asarray(plate.parts["skin"] * plate.inside, np.float32)
    face = skin[::3, ::3] > 0.9
    if face.sum() < 100:
        return
    log = np.log(np.maximum(albedo[::3, ::3], np.float32(4e-3)))
    usual = float(np.median((log[..., 2] - log[..., 0])[face]))
    rows, columns = np.flatnonzero((skin > 0.3).any(1)), np.flatnonzero((skin > 0.3).any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tone, mine = albedo[box], skin[box]
    blue = np.log(np.maximum(tone[..., 2], np.float32(4e-3))) - np.log(np.maximum(tone[..., 0], np.float32(4e-3))) - np.float32(usual)
    features = sum(plate.parts[name][box] for name in ("eyes", "teeth", "lips", "brows"))
    odd = step(blue, *STRANGE) * step(mine, 0.5, 0.8) * (1 - np.clip(features, 0, 1))
    # Round the frames of glasses lies more of them than was read as glasses.
    wide = 2 * round(0.03 * k) + 1
    odd = odd * (1 - cv2.dilate(step(plate.parts["glasses"][box], 0.02, 0.2), np.ones((wide, wide), np.uint8)))
    # Stubble is no fleck: it is broad, and lies within.
    edge = cv2.distanceTransform((mine > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    odd = np.asarray(odd * (1 - step(edge, 0.03, 0.05)), np.float32)
    if float(odd.max()) < 0.3:
        return
    odd = np.minimum(cv2.dilate(odd, np.ones((5, 5), np.uint8)) * step(mine, 0.3, 0.6) * (plate.matte[box] > 0.9), 1)
    sure = np.asarray(mine * (1 - odd), np.float32)
    tone += odd[..., None] * (among(tone, sure, 0.03 * k) - tone)


def _frames(albedo: F32, plate: Plate) -> None:
    """Frames of glasses as dark and as little coloured as lacquer is in low key, with the rim of them that was not read as glasses."""
    frame, k = plate.parts["glasses"], plate.hw_px
    rows, columns = np.flatnonzero((frame > 0.5).any(1)), np.flatnonzero((frame > 0.5).any(0))
    if len(rows) < 0.02 * k or len(columns) < 0.1 * k:
        return
    m = round(0.04 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1, max(columns[0] - m, 0) : columns[-1] + m + 1]
    tone, worn = albedo[box], frame[box]
    grey = np.maximum(luminance(tone), np.float32(2e-3))
    colour = tone / grey[..., None]
    sure = worn > 0.7
    if int(sure.sum()) < 30:
        return
    usual = np.median(colour[sure], 0)
    # What lies beside it and has its colour is frame, too; a colour that is near to skin's tells nothing.
    away = np.sqrt(((colour - usual) ** 2).sum(-1))
    skin = np.median(colour[(plate.parts["skin"][box] > 0.9) & (worn < 0.05)], 0) if (plate.parts["skin"][box] > 0.9).any() else usual
    apart = max(float(np.sqrt(((skin - usual) ** 2).sum())), 1e-3)
    wide = 2 * round(0.02 * k) + 1
    beside = cv2.dilate(step(worn, 0.2, 0.6), np.ones((wide, wide), np.uint8)) * (1 - step(away / np.float32(apart), 0.35, 0.75))
    mine = np.asarray(np.maximum(worn, beside * min(apart / 0.5, 1.0)), np.float32)
    gain = min(FRAME / max(float(np.median(grey[sure])), 1e-3), 1.0)
    tone += mine[..., None] * (np.float32(gain) * (grey[..., None] + np.float32(FRAME_COLOUR) * (tone - grey[..., None])) - tone)
    tone *= 1 - np.float32(1 - GLASS) * dark_glass(worn, k)[..., None]


def dark_glass(glasses: F32, hw_px: float) -> F32:
    """The glass of sunglasses f32[h, w] in what was read as glasses: what is broader than any frame."""
    if not glasses.any():
        return np.zeros_like(glasses)
    side = 2 * round(GLASS_HW * hw_px) + 1
    return np.asarray(cv2.morphologyEx(glasses, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), np.float32)


def _box(plate: Plate, points: tuple[int, ...], margin_hw: float) -> tuple[slice, slice]:
    """Rows and columns round landmarks."""
    m = margin_hw * plate.hw_px
    (x0, y0), (x1, y1) = plate.landmarks[list(points), :2].min(0) - m, plate.landmarks[list(points), :2].max(0) + m
    h, w = plate.matte.shape
    rows = slice(int(np.clip(y0, 0, h - 2)), int(np.clip(y1 + 1, 2, h)))
    return rows, slice(int(np.clip(x0, 0, w - 2)), int(np.clip(x1 + 1, 2, w)))


def _eyes(albedo: F32, plate: Plate, most: float) -> None:
    """Whites neither grey nor glaring (`most` reflectance), an iris that takes light, the upper lid's shade over both."""
    for iris, upper, lower in zip(IRISES, UPPER_LIDS, LOWER_LIDS, strict=True):
        box = _box(plate, iris, 0.12)
        eye, tone = plate.parts["eyes"][box], albedo[box]
        middle = plate.landmarks[iris[0], :2]
        radius = float(np.linalg.norm(plate.landmarks[list(iris[1:]), :2] - middle, axis=1).mean())
        if radius < 2 or float((eye > 0.5).sum()) < 30:
            continue
        ys, xs = np.mgrid[box]
        away = np.hypot(xs - middle[0], ys - middle[1]) / radius
        grey = luminance(tone)
        white = np.asarray(eye * step(away, 1.05, 1.30), np.float32)
        # Lids, lashes and the red corner are no white.
        if float((white > 0.6).sum()) > 20:
            usual = float(np.percentile(grey[white > 0.6], 65))
            # Read over a few pixels, or the noise of a small photo breaks it into crumbs.
            white *= step(blur(np.asarray(grey, np.float32), CRUMB * radius) / np.float32(max(usual, 1e-3)), 0.45, 0.80)
            gain = float(np.clip(np.clip(usual, WHITE[0], most) / max(usual, 1e-3), *WHITE_GAIN))
            neutral = grey[..., None] * np.array(SCLERA, np.float32)
            tone += white[..., None] * (gain * (tone + np.float32(0.75) * (neutral - tone)) - tone)
        ring = np.asarray(eye * (1 - step(away, 0.85, 1.02)) * step(away, 0.30, 0.48), np.float32)
        if float((ring > 0.6).sum()) > 12:
            usual = float(np.median(grey[ring > 0.6]))
            gain = float(np.clip(IRIS / max(usual, 1e-3), 1.0, IRIS_GAIN))
            tone *= (1 + np.float32(gain - 1) * ring)[..., None]
            _brown(tone, np.asarray(eye * (1 - step(away, 0.90, 1.05)), np.float32))
        # A pupil is seen by its being black; a photo's own reflections and a small picture veil it.
        pupil = np.asarray(eye * (1 - step(away, 0.26, 0.46)), np.float32)
        if float((pupil > 0.6).sum()) > 6 and float((ring > 0.6).sum()) > 12:
            most_black = float(np.median(luminance(tone)[ring > 0.6])) * PUPIL
            tone *= (1 - pupil * (1 - np.clip(most_black / np.maximum(luminance(tone), np.float32(1e-3)), LEAST_PUPIL, 1)))[..., None]
        tone *= (1 - eye * (1 - _under_lid(plate.landmarks[list(upper), :2], plate.landmarks[list(lower), :2], xs, ys)))[..., None]


def _lashes(albedo: F32, plate: Plate, skin: F32) -> None:
    """Lashes and what they shade as brown as hair is, beside a face of colour `skin` f32[3], in place; their tone stays."""
    usual = np.log(skin / skin[1])
    for lids in (UPPER_LIDS[0] + LOWER_LIDS[0], UPPER_LIDS[1] + LOWER_LIDS[1]):
        box = _box(plate, lids, LASH_HW)
        eye, tone = plate.parts["eyes"][box], albedo[box]
        grey = np.maximum(luminance(tone), np.float32(2e-3))
        dark = 1 - step(np.asarray(grey / luminance(skin[None])[0], np.float32), *LASH)
        mine = np.asarray(dark * (1 - step(eye, 0.1, 0.6)) * plate.parts["skin"][box] * (1 - plate.parts["glasses"][box]), np.float32)
        green = np.maximum(tone[..., 1], np.float32(1e-4))
        red = np.maximum(tone[..., 0], green * np.float32(np.exp(usual[0] - LASH_HUE)))
        blue = np.minimum(tone[..., 2], green * np.float32(np.exp(usual[2] + LASH_HUE)))
        told = np.stack([red, green, blue], -1)
        told *= (grey / np.maximum(luminance(told), np.float32(1e-4)))[..., None]
        tone += mine[..., None] * (told - tone)


def _brown(tone: F32, iris: F32) -> None:
    """Take blood out of an `iris` f32[h, w] of colours f32[h, w, 3], in place: melanin is brown, wine is the lids' red in a small photo."""
    green = np.maximum(tone[..., 1], np.float32(1e-4))
    red, blue = tone[..., 0] / green, tone[..., 2] / green
    least = step(np.asarray(red, np.float32), 1.2, REDDEST)
    dull = blue + least * (np.minimum(blue, np.float32(LEAST_BLUE)) - blue)
    told = np.stack([np.minimum(red, np.float32(REDDEST)), np.ones_like(red), dull], -1)
    told = told * (luminance(tone) / np.maximum(luminance(np.asarray(told, np.float32)), np.float32(1e-4)))[..., None]
    tone += iris[..., None] * (told - tone)


def _one_complexion(albedo: F32, plate: Plate) -> None:
    """Patches of face that lay in another light take the hue of what the main one lit, in the albedo f32[h, w, 3], in place.

    Blood and melanin vary over a face by no more than HUE; what differs by more over whole patches is the light that was there, which was
    of two colours, sun and sky, a window and a lamp, or came off red hair, where delighting holds it to be one.
    """
    box = _box(plate, (9, 152, 234, 454, 10), 0.0)
    k, tone = plate.hw_px, albedo[box]
    features = np.maximum.reduce([plate.parts[name][box] for name in ("eyes", "brows", "lips", "teeth", "glasses", "hair")])
    skin = np.asarray(step((plate.parts["skin"] * plate.inside)[box], 0.3, 0.9) * (1 - step(features, 0.1, 0.5)), np.float32)
    if float((skin > 0.9).sum()) < 0.05 * k * k:
        return
    log = np.log(np.maximum(tone, np.float32(4e-3)))
    grey = luminance(tone)
    # Right beside hair skin is mixed with it, and with what came through it: there no hue goes far from that of the skin further in.
    side = 2 * round(RIM_HW * k) + 1
    fringe = blur(cv2.dilate(step(plate.parts["hair"][box], 0.3, 0.6), np.ones((side, side), np.uint8)), 0.3 * RIM_HW * k)
    fringe = np.asarray(fringe * step(plate.parts["skin"][box] * plate.inside[box], 0.5, 0.9), np.float32)
    # A strand that nobody read as hair is told by how dark it is beside skin: with skin's hue it would be violet among brown ones.
    dark, mine = np.log(np.maximum(grey, np.float32(4e-3))), plate.parts["hair"][box] > 0.9
    if int(mine.sum()) > 100:
        bright = float(np.median(dark[skin > 0.9]))
        apart = bright - float(np.median(dark[mine]))
        fringe *= 1 - step((bright - dark) / np.float32(max(apart, STRAND_APART)), *STRAND)
    # What is broad is told without it: what was taken off there once would be taken off twice.
    sure = np.asarray(skin * (1 - fringe), np.float32)
    further, broad = (among_coarsely(np.asarray(log - log[..., 1:2], np.float32), sure, sigma) for sigma in (2 * RIM_HW * k, HUE_HW * k))
    for channel in (0, 2):
        over = log[..., channel] - log[..., 1] - further[..., channel]
        tone[..., channel] *= np.exp(fringe * (np.clip(over, -RIM, RIM) - over))
        off = broad[..., channel] - np.float32(np.median(broad[::4, ::4, channel][skin[::4, ::4] > 0.9]))
        tone[..., channel] *= np.exp(skin * (np.float32(HUE) * np.tanh(off / np.float32(HUE)) - off))
    whole = np.maximum(skin, fringe)
    tone *= (1 + whole * (grey / np.maximum(luminance(tone), np.float32(1e-4)) - 1))[..., None]


def _one_melanin(albedo: F32, plate: Plate) -> None:
    """Both brows of one hue, in the albedo f32[h, w, 3], in place; their tone stays."""
    box, k = _box(plate, (*BROWS[0], *BROWS[1], 9), 0.05), plate.hw_px
    brows, tone = plate.parts["brows"][box], albedo[box]
    sure = brows > 0.6
    if int(sure.sum()) < 60:
        return
    log = np.log(np.maximum(tone, np.float32(4e-3)))
    # A small photo's colours are blotches of several pixels: one end of a thin brow was olive.
    off = among(np.asarray(log - log[..., 1:2], np.float32), np.asarray(brows + np.float32(1e-4), np.float32), MOTTLE_HW * k)
    off -= np.median((log - log[..., 1:2])[sure], 0).astype(np.float32)
    told = tone * np.exp(brows[..., None] * (np.float32(BROW_HUE) * np.tanh(off / np.float32(BROW_HUE)) - off))
    tone[:] = told * (luminance(tone) / np.maximum(luminance(np.asarray(told, np.float32)), np.float32(1e-4)))[..., None]


def _round_mouth(albedo: F32, plate: Plate) -> None:
    """Skin round the mouth keeps the cheeks' hue and is hardly darker than they are, in the albedo f32[h, w, 3], in place.

    What a smile's folds and a shaven beard shade there is broad: delighting takes it for the skin's own colour.
    """
    k = plate.hw_px
    box = _box(plate, (61, 291, 0, 17), SHAVEN_HW)
    tone, lips = albedo[box], plate.parts["lips"][box]
    features = np.maximum.reduce([plate.parts[name][box] for name in ("lips", "teeth", "hair")])
    skin = np.asarray((plate.parts["skin"] * plate.inside)[box] * (1 - step(features, 0.1, 0.4)), np.float32)
    cheek = albedo[_box(plate, (50, 280), 0.05)][::2, ::2]
    bare = (plate.parts["skin"] - plate.parts["hair"])[_box(plate, (50, 280), 0.05)][::2, ::2] > 0.9
    if not _are_lips(lips).any() or bare.sum() < 100:
        return
    away = cv2.distanceTransform((lips < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    on = skin * (1 - step(away, 0.5 * SHAVEN_HW, SHAVEN_HW))
    usual = np.log(np.maximum(np.median(cheek[bare], 0), 4e-3)).astype(np.float32)
    log = np.log(np.maximum(tone, np.float32(4e-3)))
    broad = among_coarsely(log, skin, 0.04 * k)
    darker = np.float32(usual[1]) - broad[..., 1]
    on = np.asarray(on * (1 - step(darker, *BEARD)) * np.float32(CLEARED), np.float32)
    lift = on * np.maximum(darker - np.float32(SHADE), 0)
    for c in range(3):
        hue = (usual[c] - usual[1]) - (broad[..., c] - broad[..., 1])
        tone[..., c] *= np.exp(lift + on * hue)


def _under_lid(upper: F32, lower: F32, xs: F32, ys: F32) -> F32:
    """Share f32[h, w] of light under an upper lid, from LID_SHADE at its edge to 1; lids f32[9, 2] px, outer corner to inner."""
    along = upper[-1] - upper[0]
    width = float(np.hypot(*along))
    if width < 2:
        return np.ones(xs.shape, np.float32)
    right = along / width
    down = np.array([-right[1], right[0]], np.float32)
    if float((lower - upper).mean(0) @ down) < 0:
        down = -down
    at = (xs - upper[0, 0]) * right[0] + (ys - upper[0, 1]) * right[1]
    fall = (xs - upper[0, 0]) * down[0] + (ys - upper[0, 1]) * down[1]
    edges = [np.interp(at, (lid - upper[0]) @ right, (lid - upper[0]) @ down) for lid in (upper, lower)]
    tall = max(float(np.max(edges[1] - edges[0])), 0.12 * width)
    t = np.clip((fall - edges[0]) / (LID_REACH * tall), 0, 1)
    return np.asarray(LID_SHADE + (1 - LID_SHADE) * t * t * (3 - 2 * t), np.float32)


def _mouth(plate: Plate) -> tuple[slice, slice]:
    """Rows and columns of the mouth, and a little round it."""
    return _box(plate, (61, 291, 0, 17), 0.05)


def _are_lips(lips: F32) -> NDArray[np.bool_]:
    """Where `lips` f32[h, w] are sure, bool[h, w]; nowhere, if that is too little to be a mouth."""
    sure = np.asarray(lips > 0.6)
    return sure if sure.sum() >= 60 else np.zeros_like(sure)


def _own_lips(albedo: F32, plate: Plate) -> None:
    """What is finer than a lip, and its hue beside the skin round it, as the photo has them, in the albedo f32[h, w, 3], in place.

    Delighting draws a mesh's lip on a lip, with a double rim, and takes what is redder or bluer than the face for another light's.
    """
    k = plate.hw_px
    box = _box(plate, (61, 291, 0, 17), BESIDE_HW)
    lips = plate.parts["lips"][box]
    if not _are_lips(lips).any():
        return
    features = np.maximum.reduce([plate.parts[name][box] for name in ("lips", "teeth", "hair")])
    skin = np.asarray(plate.parts["skin"][box] * plate.inside[box] * (1 - step(features, 0.05, 0.3)) + np.float32(1e-4), np.float32)
    mine, first = np.asarray(lips + np.float32(1e-4), np.float32), albedo[box]
    own, old = (np.log(np.maximum(a[box], np.float32(4e-3))) for a in (albedo, plate.colour))
    hue = np.asarray((old - old[..., 1:2]) - (own - own[..., 1:2]), np.float32)
    # What it does to a hue is broad: where a channel of the photo ends in nothing, a single pixel tells none.
    gone = np.log(np.maximum(luminance(plate.colour[box]), np.float32(4e-3)) / np.maximum(luminance(first), np.float32(4e-3)))
    beside = among_coarsely(np.stack([hue[..., 0], gone, hue[..., 2]], -1), skin, BESIDE_HW * k)
    hue = among(hue, mine, 0.5 * LIP_HW * k) - beside * np.array([1, 0, 1], np.float32)
    told = first * np.exp(lips[..., None] * hue)
    broad = among(gone, mine, LIP_HW * k)
    gone += np.minimum(np.float32(LIPS_OWN) * (broad - beside[..., 1]), np.float32(SHEEN)) - broad
    grey = luminance(first) * np.exp(lips * gone) / np.maximum(luminance(told), np.float32(1e-4))
    albedo[box] = told * np.asarray(grey, np.float32)[..., None]


def _moist_line(albedo: F32, plate: Plate) -> None:
    """The photo's own shine on lips: what is paler or bluer than they are takes their colour, where it is brighter their tone."""
    box, k = _mouth(plate), plate.hw_px
    lips, tone = plate.parts["lips"][box], albedo[box]
    if not _are_lips(lips).any():
        return
    grey = np.maximum(luminance(tone), np.float32(2e-3))
    mine = np.asarray(lips * (1 - teeth.slit(plate, box)), np.float32)
    level = among(grey, mine, 0.5 * LIP_HW * k)
    usual = np.median((tone / grey[..., None])[mine > 0.6], 0).astype(np.float32) if (mine > 0.6).any() else np.ones(3, np.float32)
    over = grey / np.maximum(level, np.float32(2e-3))
    paler = 1 - np.clip((tone / grey[..., None] - 1)[..., 0] / max(float(usual[0] - 1), 0.05), 0, 1)
    bluer = np.log(np.maximum(tone[..., 2] / np.maximum(tone[..., 0], 1e-3), 1e-2) * (usual[0] / usual[2]))
    on = mine * np.maximum(step(np.asarray(paler, np.float32), 0.05, 0.35), step(np.asarray(bluer, np.float32), 0.10, 0.35))
    bright = step(np.asarray(over, np.float32), 1.08, 1.35)
    wanted = grey + bright * (level * (1 + np.float32(0.3) * np.maximum(over - 1, 0)) - grey)
    # Between the streaks of a shine its gaps would be left standing, as dark letters on the lip.
    shone = np.minimum(3 * blur(np.asarray(on * bright, np.float32), 0.4 * LIP_HW * k), 1) * mine
    wanted *= np.exp(np.float32(GAPS) * shone * np.maximum(np.log(level / wanted), 0))
    on = np.maximum(on, shone)
    tone += on[..., None] * (usual * wanted[..., None] - tone)


def _lip_colour(albedo: F32, plate: Plate, skin: F32) -> None:
    """Lips no further from the face's colour `skin` f32[3] than lips are, and of one colour within MOTTLE_HW; their tone stays."""
    box = _mouth(plate)
    lips, tone = plate.parts["lips"][box], albedo[box]
    sure = _are_lips(lips)
    if not sure.any():
        return
    grey = np.maximum(luminance(tone), np.float32(2e-3))
    colour = np.asarray(tone / grey[..., None], np.float32)
    colour += np.float32(MOTTLED) * lips[..., None] * (among(colour, lips + np.float32(1e-4), MOTTLE_HW * plate.hw_px) - colour)
    own, usual = (np.log(np.maximum(np.median(c, 0), 4e-3)) for c in (colour[sure], skin[None]))
    for channel, most in ((0, LIP_RED), (2, LIP_BLUE)):
        over = max(float((own[channel] - own[1]) - (usual[channel] - usual[1])) - most, 0.0)
        here = np.log(np.maximum(colour[..., channel], np.float32(4e-3)) / np.maximum(colour[..., 1], np.float32(4e-3)))
        # A tooth between them has none of it to lose.
        here = np.clip(here - np.float32(usual[channel] - usual[1]), 0, over)
        colour[..., channel] *= np.exp(lips * np.float32(BEYOND - 1) * here)
    ruddy = np.log(np.maximum(colour[..., 0], np.float32(4e-3)) / np.maximum(colour[..., 1], np.float32(4e-3)))
    spots = np.maximum(ruddy - np.float32(np.median(ruddy[sure]) + LIP_SPREAD), 0)
    colour[..., 0] *= np.exp(lips * np.float32(BEYOND - 1) * spots)
    # Where they meet it is nearly black, and what a photo holds of that is no colour.
    dark = teeth.slit(plate, box) * (1 - step(np.asarray(grey / np.float32(np.median(grey[sure])), np.float32), *SLIT))
    colour += dark[..., None] * (np.median(colour[sure], 0).astype(np.float32) - colour)
    # Nowhere does blood lie nearer to the surface: what beside lips is redder than they are is a shade in an old light.
    side = 2 * round(RUDDY_HW * plate.hw_px) + 1
    near = blur(cv2.dilate(step(lips, 0.3, 0.7), np.ones((side, side), np.uint8)), 0.5 * RUDDY_HW * plate.hw_px) * (1 - lips)
    near = near * plate.parts["skin"][box] * (1 - step(plate.parts["hair"][box], 0.1, 0.4))
    ruddy = np.log(np.maximum(colour[..., 0], np.float32(4e-3)) / np.maximum(colour[..., 1], np.float32(4e-3)))
    colour[..., 0] *= np.exp(-near * np.maximum(ruddy - np.float32(np.median(ruddy[sure])), 0))
    tone[:] = colour * (grey / np.maximum(luminance(np.asarray(colour, np.float32)), np.float32(1e-3)))[..., None]


def _lips(albedo: F32, plate: Plate, most: float) -> None:
    """Old light taken off the lips: one half in a shadow that is gone looks torn. They reflect no more than `most` in the middle."""
    box, k = _mouth(plate), plate.hw_px
    lips, tone = plate.parts["lips"][box], albedo[box]
    sure = _are_lips(lips)
    if not sure.any():
        return
    grey = np.maximum(luminance(tone), np.float32(2e-3))
    middle = min(float(np.percentile(grey[sure], 60)), most)
    # Of a mouth a little open the mesh gives away some of the lips; the slit between them is none.
    side = 2 * round(0.025 * k) + 1
    pad = cv2.copyMakeBorder(lips, side, side, side, side, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(pad, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))[side:-side, side:-side]
    whole = np.asarray(np.maximum(lips, closed * (1 - plate.parts["teeth"][box])), np.float32)
    told = among(grey, whole + np.float32(1e-4), LIP_TOLD_HW * k) / np.float32(middle)
    mine = np.asarray(whole * step(told, *LIP_DARK), np.float32)
    middles = np.zeros_like(grey)
    broad = np.zeros_like(grey)
    rows_px, columns_px = np.mgrid[box]
    lower = step(teeth.across(plate, columns_px.astype(np.float32), rows_px.astype(np.float32))[1], 0.4, 0.6)
    for lip in (np.asarray(1 - lower, np.float32), lower):
        part = np.asarray(mine * lip + np.float32(1e-4), np.float32)
        there = sure & (lip > 0.5)
        if there.any():
            middles += lip * np.float32(np.log(min(float(np.percentile(grey[there], 60)), most)))
        broad += lip * _along(np.log(grey), part, k)
    lift = np.clip(np.float32(LEVELLED) * (middles - broad), -1.3, 1.3)
    level = np.log(grey)
    fine = level - among(level, mine + np.float32(1e-4), LIP_FINE_HW * k)
    gain = np.exp(lift - (1 - np.exp(-np.float32(LIP_FINE) * np.maximum(lift, 0))) * fine)
    usual = np.median(tone[sure] / grey[sure][:, None], 0).astype(np.float32)
    near = among(np.asarray(tone / grey[..., None], np.float32), mine, 0.5 * LIP_HW * k)
    odd = np.clip(np.abs(np.log(np.maximum(near, 0.05) / usual)).max(-1) / 0.2, 0, 1)
    coloured = tone + (np.float32(0.85) * odd)[..., None] * (grey[..., None] * usual - tone)
    tone += mine[..., None] * (coloured * gain[..., None] - tone)


def _along(value: F32, lip: F32, k: float) -> F32:
    """f32[h, w] of `value` f32[h, w] along a `lip` f32[h, w]: what goes from its edge to the other is its form."""
    out = cv2.GaussianBlur(value * lip, (0, 0), SHADOW_HW * k, sigmaY=LIP_HW * k)
    return np.asarray(out / np.maximum(cv2.GaussianBlur(lip, (0, 0), SHADOW_HW * k, sigmaY=LIP_HW * k), np.float32(1e-6)), np.float32)
