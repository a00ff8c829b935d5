"""Skin in the shade of its hair: at a hairline the proof takes a dark patch of forehead for hair, and then it is lit as strands.

What hair is, is told twice: by the mass of it hereabouts, and by what lies along the person's outline. Where a whole temple was taken for
hair it is the only mass hereabouts, and would be compared with itself. That happens to a temple under hair that is lighter than it:
before dark hair a shade tells itself from the mass, and what is lighter than the outline's hair is often a fair lock in the light.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.meshes import OUTER_CORNERS
from lowkey.plate.zones import ramp

WIDE_HW, EVEN_HW = 0.12, 0.010
"""Within what (sigma) skin and hair hereabouts are known, and over what a colour is judged: strands and the skin between them are one."""
INSET_HW = 0.06
"""How far from its border hair is surely hair: nearer lies what is asked about."""
OUTER_HW = (0.015, 0.035), (0.07, 0.12)
"""How far within the person's outline what was read as hair is no room any more, and from where it may be a temple."""
BROAD_HW, LIGHTER = 0.03, (0.2, 0.7)
"""Half the width under which what is unlike that hair is a parting, and no skin; by how many stops that hair is the lighter of the two."""
REACH_HW = (0.18, 0.28)
"""How far from sure skin a patch is given back, and from where no more."""
APART = (0.95, 1.25)
"""Stops between hair and skin from which they can be told apart by colour, and surely."""
LIKE = (0.32, 0.44)
"""Place between skin (0) and hair (1) hereabouts under which a patch is skin, and from which it stays what it was taken for."""
SHADE, ROUGH, ROUGH_HW = 0.6, 0.3, 0.015
"""Shares of a difference in tone and in roughness that count: skin in the shade is still skin, while its colour hardly changes; and over
what roughness is measured, sigma."""
REDDER, DEEPER, SHADE_HW = (0.25, 0.50), 0.7, (0.085, 0.045)
"""Stops of red over green by which a place is redder than skin and hair hereabouts, and surely; the share of its depth that then counts no
more; half the width under which it is a hairline (a lock-strewn one .06, a shaded forehead .13), and of what it closes over."""
UPPER_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
"""Mesh points along the brows' upper edges, from the viewer's left."""
OVER_BROW_HW = (0.01, 0.03)
"""How far over the brows a fringe is looked for, and surely: what lies lower is brow."""
LIT = 0.8
"""Stops under the face's median up to which skin is taken for lit: the rest may be what is asked about."""
DARKER, OTHER = (0.7, 1.1), (0.25, 0.40)
"""Stops by which hair is darker than its skin, and by which its colour differs (in red and in blue over green, together), from which a
fringe can be told from the shade it throws, and surely: a shade is as dark, and has the skin's own colour."""
OF_HAIR = (0.40, 0.65)
"""Place between skin (0) and hair (1), in colour and in tone, from which what hangs from hair is hair, and surely."""
LEAST_HW2 = 0.008
"""Area of a fringe: less is a hairline's own softness."""
LOOSE_HW = 0.004
"""Half the width under which such a place is noise, or a hole in a fringe."""


def bared(colour: F32, skin: F32, hair: F32, landmarks: F32, hw_px: float) -> tuple[F32, F32]:
    """Skin and hair f32[h, w] with what looks like the skin round it, over brows and temples, given back to skin."""
    m = 0.30 * hw_px
    (x0, y0), (x1, _) = landmarks[:468, :2].min(0) - m, landmarks[:468, :2].max(0) + m
    h, w = skin.shape
    bottom = float(landmarks[list(OUTER_CORNERS), 1].max())
    box = np.s_[max(int(y0), 0) : int(np.clip(bottom, 1, h)), max(int(x0), 0) : int(np.clip(x1, 1, w))]
    n = max(1, int(hw_px / 120))
    mine, strands = skin[box], hair[box]
    size = max(mine.shape[1] // n, 1), max(mine.shape[0] // n, 1)
    if min(mine.shape) < 8 * n or float(strands.max()) < 0.5:
        return skin, hair
    k = hw_px / n
    s, t = (np.asarray(cv2.resize(v, size, interpolation=cv2.INTER_AREA), np.float32) for v in (mine, strands))
    log = np.log2(np.maximum(cv2.resize(colour[box], size, interpolation=cv2.INTER_AREA), np.float32(2e-3)))
    tone = log[..., 1]
    look = np.dstack([np.float32(SHADE) * tone, log[..., 0] - tone, log[..., 2] - tone]).astype(np.float32)
    # Strands are rough where skin is even, whatever their colour.
    fine = tone - blur(tone, ROUGH_HW * k)
    rough = np.log2(np.sqrt(blur(fine * fine, ROUGH_HW * k)) + np.float32(0.02))
    look = np.dstack([blur(look, EVEN_HW * k), np.float32(ROUGH) * rough])
    within = np.asarray(cv2.distanceTransform((s + t > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k), np.float32)
    outer = ramp(within, *OUTER_HW[0]) * (1 - ramp(within, *OUTER_HW[1])) * (t > 0.97)
    skin_like = _usual(look, _sure(s, 0.01 * k), WIDE_HW * k)
    hair_like = _usual(look, _sure(t, INSET_HW * k), 2 * WIDE_HW * k)
    back = _as_skin(look, skin_like, hair_like)
    back = np.maximum(back, _blushing(look, skin_like, hair_like, np.asarray(s > 0.9, np.float32), k))
    edge = _usual(look, np.asarray(outer, np.float32), 2 * WIDE_HW * k)
    lighter = ramp((edge[0] - look)[..., 0] / np.float32(SHADE), *LIGHTER)
    bald = np.maximum(s, lighter * _as_skin(look, skin_like, edge))
    side = 2 * round(BROAD_HW * k) + 1
    bald = cv2.morphologyEx(bald, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    back = np.maximum(back, bald * (s < 0.97))
    # An island of such a colour in the hair is hair: only what hangs on skin, and not far from it, is skin.
    _, piece = cv2.connectedComponents(((back > 0.2) | (s > 0.6)).astype(np.uint8), connectivity=4)
    bare = cv2.erode(np.asarray(s > 0.9, np.uint8), np.ones((5, 5), np.uint8)) > 0
    back = back * np.isin(piece, np.unique(piece[bare])) if bare.any() else back * 0
    far = cv2.distanceTransform((s < 0.6).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(k)
    # Where the box ends, in the midst of a sideburn, what is done ends by degrees.
    end = ramp((len(s) - 1 - np.arange(len(s), dtype=np.float32)) / np.float32(k), 0.0, 0.12)[:, None]
    back = blur(np.asarray(back * (1 - ramp(far, *REACH_HW)) * end, np.float32), 1.0)
    taken = strands * np.clip(cv2.resize(np.asarray(back, np.float32), mine.shape[::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    skin, hair = skin.copy(), hair.copy()
    skin[box] += taken
    hair[box] -= taken
    return skin, hair


def fringed(colour: F32, skin: F32, hair: F32, landmarks: F32, hw_px: float) -> tuple[F32, F32]:
    """Skin and hair f32[h, w] with a fringe over the forehead that the proof took for skin given to hair.

    A forehead is where skin is expected, so hair before it was read as skin, and came out as grey smears once its "shade" was taken off.
    It hangs from the hair above it, is darker than lit skin, and has hair's colour.
    """
    brows = landmarks[list(UPPER_BROWS), :2]
    x0, x1 = (int(np.clip(v, 0, skin.shape[1])) for v in (brows[0, 0], brows[-1, 0] + 1))
    top = int(np.clip(landmarks[:468, 1].min() - 0.3 * hw_px, 0, len(skin) - 1))
    end = int(np.clip(brows[:, 1].max(), top + 1, len(skin)))
    face = np.s_[top : int(np.clip(landmarks[152, 1], end, len(skin))), x0:x1]
    if x1 - x0 < 16 or end - top < 16 or float(hair[top:end, x0:x1].max()) < 0.5:
        return skin, hair
    mine, strands = skin[face], hair[face]
    log = np.log2(np.maximum(colour[face], np.float32(2e-3)))
    look = blur(np.dstack([log[..., 1], log[..., 0] - log[..., 1], log[..., 2] - log[..., 1]]).astype(np.float32), EVEN_HW * hw_px / 2)
    bare = _sure(mine, 0.01 * hw_px)
    if bare.sum() < 100:
        return skin, hair
    lit = bare * (look[..., 0] > np.median(look[..., 0][bare > 0]) - np.float32(LIT))
    known = lit, _sure(strands, 0.02 * hw_px)
    if not all(sure.any() for sure in known):
        return skin, hair
    (own, near), (other, mass) = (_usual(look, sure, 2 * WIDE_HW * hw_px) for sure in known)
    apart = other - own
    hue = np.sqrt((apart[..., 1:] ** 2).sum(-1))
    place = ((look - own) * apart)[..., 1:].sum(-1) / np.maximum(hue, np.float32(0.05)) ** 2
    # Hereabouts shade may be all there is of hair: what this head's hair is, as a whole, has to say the same.
    plain, dyed = (np.median(look[sure > 0], 0)[1:] for sure in known)
    way = dyed - plain
    place = np.minimum(place, (look[..., 1:] - plain) @ way / max(float(way @ way), 0.05**2))
    hue = np.minimum(hue, np.float32(np.hypot(*way)))
    deep = (look - own)[..., 0] / np.minimum(apart[..., 0], np.float32(-0.3))
    told = ramp(hue, *OTHER) * ramp(-apart[..., 0], *DARKER) * ramp(np.minimum(near, mass), 0.002, 0.01)
    rows, columns = np.mgrid[face].astype(np.float32)
    order = np.argsort(brows[:, 0])
    over = (np.interp(columns[0], brows[order, 0], brows[order, 1])[None, :] - rows) / np.float32(hw_px)
    like = np.asarray(told * ramp(np.minimum(place, deep), *OF_HAIR) * ramp(np.asarray(over, np.float32), *OVER_BROW_HW), np.float32)
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(LOOSE_HW * hw_px), 1) + 1,) * 2)
    opened = cv2.morphologyEx(np.maximum(like, strands), cv2.MORPH_OPEN, round_)
    like = np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, round_), np.float32)
    _, piece = cv2.connectedComponents((like > 0.4).astype(np.uint8), connectivity=8)
    like = like * np.isin(piece, np.unique(piece[(strands > 0.9) & (piece > 0)])) * (strands < 0.5)
    if float(like.sum()) < LEAST_HW2 * hw_px**2:
        return skin, hair
    taken = mine * blur(np.asarray(like, np.float32), EVEN_HW * hw_px / 4) * ramp(np.asarray(over, np.float32), *OVER_BROW_HW)
    skin, hair = skin.copy(), hair.copy()
    skin[face] -= taken
    hair[face] += taken
    return skin, hair


def _sure(part: F32, inset_px: float) -> F32:
    """1 where a part f32[h, w] is whole as far as `inset_px` round."""
    side = 2 * max(round(inset_px), 1) + 1
    return np.asarray(cv2.erode(part, np.ones((side, side), np.uint8)) > 0.97, np.float32)


def _usual(look: F32, sure: F32, sigma_px: float) -> tuple[F32, F32]:
    """The look f32[h, w, 4] of a part hereabouts, from where it is `sure` f32[h, w], and how much of that there is."""
    mass = blur(sure, sigma_px)
    return np.asarray(blur(look * sure[..., None], sigma_px) / np.maximum(mass, np.float32(1e-4))[..., None], np.float32), mass


def _as_skin(look: F32, skin: tuple[F32, F32], hair: tuple[F32, F32]) -> F32:
    """How surely a look f32[h, w, 4] is that of skin and not of hair, f32[h, w]: by its place between the two, and off the line."""
    (own, near_skin), (other, near_hair) = skin, hair
    away = np.asarray(np.sqrt(((other - own) ** 2).sum(-1)), np.float32)
    place = ((look - own) * (other - own)).sum(-1) / np.maximum(away * away, np.float32(1e-3))
    beside = np.sqrt(np.maximum(((look - own) ** 2).sum(-1) - (place * away) ** 2, 0)) / np.maximum(away, np.float32(1e-3))
    told = ramp(away, *APART) * ramp(np.minimum(near_skin, near_hair), 0.005, 0.03)
    return np.asarray(told * (1 - ramp(np.maximum(np.maximum(place, -0.4 * place), 0.6 * beside), *LIKE)), np.float32)


def _blushing(look: F32, skin: tuple[F32, F32], hair: tuple[F32, F32], bare: F32, k: float) -> F32:
    """Skin f32[h, w] in a shade so deep that its tone is hair's, beside `bare` f32[h, w]: it is redder than skin and hair are hereabouts.

    Only skin that is lit by skin is so. A strip of it as narrow as a hairline is skin between strands, and theirs.
    """
    red = ramp(look[..., 1] - np.maximum(skin[0][..., 1], hair[0][..., 1]), *REDDER)
    lifted = look.copy()
    lifted[..., 0] -= np.float32(DEEPER) * red * (look - skin[0])[..., 0]
    shade = np.asarray((_as_skin(lifted, skin, hair) > 0.5) * red * (1 - bare), np.float32)
    broad, across = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(r * k), 1) + 1,) * 2) for r in SHADE_HW)
    _, piece = cv2.connectedComponents((shade > 0.5).astype(np.uint8), connectivity=8)
    wide = cv2.erode((cv2.morphologyEx(np.maximum(shade, bare), cv2.MORPH_CLOSE, across) * (1 - bare) > 0.5).astype(np.uint8), broad) > 0
    shade = shade * np.isin(piece, np.unique(piece[wide & (piece > 0)]))
    # What is left of it between its reddest parts and the skin is shade, too.
    closed = np.asarray(cv2.morphologyEx(np.maximum(shade, bare), cv2.MORPH_CLOSE, across), np.float32)
    return np.asarray(np.maximum(shade, closed * (1 - bare) * cv2.dilate(shade, across)), np.float32)
