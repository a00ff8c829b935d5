"""The throat: a neck rebuilt under the jaw, in this person's skin, with the muscles that a raking light draws on it.

Lengths in hw; x right of the neck's axis and y DOWN from the chin, as `Bust.across` gives them.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom import pores
from lowkey.darkroom.garments import Closed, girth
from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import JAW, JAW_CORNERS, Bust, Kept, Layer, arch, facing, slopes, spread
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

MUSCLE_HW, HOLLOW_HW, LARYNX_HW = 0.014, 0.022, 0.010
"""How far the sternomastoid stands out of a plain cylinder, the hollow between it and the windpipe lies in it, the larynx stands out."""
CAST, CAST_HW, PENUMBRA_HW = 0.89, (0.130, 0.036), 0.110
"""Share of the light that the jaw's shadow denies the skin under it, how far down it reaches (in front, on the flanks), and how softly
(10 to 90 %) it ends there: the photographer's lamp is as broad as a fist, and stands a metre off."""
PAST_CORNER_HW = (-0.04, 0.08)
"""From where to where beyond the jaw's corners no jaw is over a neck: of a head turned aside the neck's side shows there, under the ear,
and the jaw's line carried on outward threw a black band across it."""
BACK, FLANK_FROM = (0.5, 0.12), (0.45, 0.95)
"""Slope (hw per hw) by which a neck falls back under the jaw's line, in front and on its flanks, and between which parts of the half-width
the one becomes the other. Under a chin lies a floor of the mouth; behind the jaw's angle the neck comes from the mastoid and faces aside:
a flank that looked down like a chin's underside saw no lamp."""
BURNED = (0.12, 0.28)
"""How much of the light a flag keeps off the throat below that, and off the neck's side beyond the jaw's corner, which faces the lamp as a
cheek does. A neck of clay, without pores, was a pale post at .35 and .50; with the face's own texture and hue it was chosen the lighter
in 34 of 42 blind pairs, from .60 and .72 down to this."""
TOUCH, TOUCH_HW = 0.60, 0.090
"""Share of the room's light that right under the jaw's edge is denied, and how far down that reaches (one over e)."""
CONTACT, CONTACT_HW = 0.68, 0.065
"""Share of all light that a neck is denied where it goes into its collar, and how far over the rim (one over e): a rim two fingers thick
that stands half a finger off hides half of what is there. Without it a head is put on a collar, not in it."""
NAPE, NAPE_FROM = 0.65, (0.76, 1.03)
"""How much darker the flank turns behind the sternomastoid, and between which parts of the half-width: there ear and hair stand over it."""
BESIDE_HW = (-0.45, -0.12)
"""Between which heights below the chin flag and nape's turn come in: under an ear a neck that is darker at once is a flake's edge."""
OWN = 0.5
"""Share of its own detail that a neck keeps of the photo: a collar's edge, its old shadow and a fold look alike there, each a crack."""
PORED, UNEVEN = 0.040, 0.05
"""Deviation of log luminance of a neck's pores (a face has .030, and a little of its own besides) and height of its mottles. Without the
first a neck had half of the texture of the cheek above it, and was a stump of clay."""
RINGS_HW, RING_HW, RING = (-0.03, 0.11, 0.26), 0.010, 0.10
"""Heights below the chin at which the skin of a neck has its rings, how wide one is, and how much darker at most: each comes and goes."""
DRY = (0.52, 0.024)
"""Roughness and F0 of a neck: nobody makes it up, and it is no oily skin."""
DULL, DULL_FROM = 0.9, (0.70, 0.98)
"""Share of that mirror which its flanks lack, and between which parts of the half-width: down grows there, and seen along it a mirror draws
the whole room as a ruled white line."""


def rebuild(plate: Plate, bust: Bust, kept: Kept, x: F32, y: F32, at: tuple[int, int], collar: Closed | None = None) -> Layer:
    """The neck under the jaw f32[h, w], from plate pixel `at` (row, column) on: a leaning cylinder in skin.

    Where the photo shows the neck its own skin stays; where it showed a collar, a tie or a ring, skin is carried over from
    neck, jaw and cheeks. From the jaw's edge the underside falls back steeply until it meets the throat (on scans the throat
    lies .16 hw behind the chin at .05 below it and about .4 at .3). Into a `collar` that closes round it the neck runs down within it.
    """
    k = plate.hw_px
    box = np.s_[at[0] : at[0] + x.shape[0], at[1] : at[1] + x.shape[1]]
    below = kept.below[box]
    lean = x * np.float32(bust.hand)
    pored = PORED * pores.textured(lean, y, y > 0, k) + UNEVEN * noise(lean * 21, y * 34, 62) - _rings(bust, x, y)
    tone = _skin_below(plate, kept, box) * np.exp(np.asarray(pored, np.float32))[..., None]

    # Form: a cylinder with its muscles, and the jaw's underside joined to it.
    half = girth(bust, y)
    half = half + _flanks(plate, below, x, y, half, box)
    if collar is not None:
        half = half + (np.float32(collar.wide) - half) * step(y, collar.top - ENTERS_HW, collar.top)
    tube = bust.throat[2] - 0.9 * bust.neck * (1 - arch(x / half)) - 0.10 * np.maximum(0.2 - y, 0) + _muscles(bust, x, y)
    jaw = _jaw_depth(plate, box)
    # A neck lies within the jaw on every side: right under its edge it is never as far forward.
    over = _under_jaw(plate, box)
    flank = 1 - over * (1 - step(np.abs(x) / half, *FLANK_FROM))
    tube = np.minimum(tube, jaw - 0.05 - (BACK[0] + (BACK[1] - BACK[0]) * flank) * np.maximum(0.12 - np.maximum(below, 0), 0))
    under = jaw - 0.42 * (1 - np.exp(-np.maximum(below, 0) / 0.115))
    h = np.clip(0.5 + 0.5 * (under - tube) / 0.06, 0, 1) * (1 - flank)
    depth = np.asarray(tube + (under - tube) * h + 0.06 * h * (1 - h), np.float32)
    right, down = slopes(np.asarray(cv2.GaussianBlur(depth, (0, 0), 0.008 * k), np.float32), k)
    normal = facing(np.clip(right, -4, 4), np.clip(down, -4, 4))

    shade = _shade(below, x, y, half, over)
    tone *= shade[..., None]

    # The jaw's shadow and the flag are a lamp's; what the room has to give gets there, less right under the edge.
    room = np.asarray((1 - TOUCH * over * np.exp(-np.maximum(below, 0) / np.float32(TOUCH_HW))) / shade, np.float32)

    # Never beside the neck that the photo shows against its background.
    column = np.minimum(half - np.abs(x), y + 0.55)
    someone = np.maximum(plate.matte[box], 1 - plate.inside[box])
    if collar is not None:
        # A collar that closes round a neck is full of it: of a head bent over, the room would show between its rim and the jaw.
        someone = np.maximum(someone, step(y, -0.04, 0.05))
    cover = np.clip(0.5 + column * np.float32(k / 2.0), 0, 1) * step(below, -0.05, -0.03) * someone
    if collar is not None:
        # Into the cleft between neck and collar neither lamp nor room gets.
        contact = 1 - np.float32(CONTACT) * np.exp(-np.maximum(collar.over(x, y), 0) / np.float32(CONTACT_HW))
        tone, shade = tone * contact[..., None], shade * contact
    # What is shaded mirrors no room either: a neck's dark side with skin's film on it and no skin under it is grey.
    shine = DRY[1] * shade * (1 - np.float32(DULL) * step(np.abs(x) / half, *DULL_FROM))
    cover, tone, shine = (np.asarray(v, np.float32) for v in (cover, tone, shine))
    return Layer(cover, depth, normal, tone, DRY[0], shine, 0.0, 1.0, room)


def _rings(bust: Bust, x: F32, y: F32) -> F32:
    """How much darker (log) f32[h, w] the rings of a neck are: creases that run round it, lower in front than at its sides."""
    lean, u = x * np.float32(bust.hand), np.clip(x / np.float32(bust.neck), -1.1, 1.1)
    around = y + np.float32(0.10) * u * u - np.float32(0.02) * noise(lean * 4.1, np.zeros_like(x), 63)
    lines = np.zeros_like(x)
    for i, at in enumerate(RINGS_HW):
        faint = np.clip(0.35 + noise(lean * 3.3, np.full_like(x, 7.0 * i), 64), 0, 1)
        lines += faint * np.exp(-np.square((around - np.float32(at)) / np.float32(RING_HW)))
    return np.asarray(np.float32(RING) * lines, np.float32)


def _under_jaw(plate: Plate, box: tuple[slice, slice]) -> F32:
    """Share f32[1, w] of each column of `box` that has a jaw over it: beyond its corners a neck comes down from behind the ear."""
    left, right = sorted(plate.landmarks[list(JAW_CORNERS), 0])
    columns = np.arange(box[1].start, box[1].stop, dtype=np.float32)[None]
    aside = np.maximum(np.float32(left) - columns, columns - np.float32(right)) / np.float32(plate.hw_px)
    return np.asarray(1 - step(aside, *PAST_CORNER_HW), np.float32)


def _shade(below: F32, x: F32, y: F32, half: F32, over: F32) -> F32:
    """What of the light is left on the neck, f32[h, w]: the jaw's shadow, soft where it ends, a flag below it, a nape that turns away.

    A key as low as a cheek wants it (some 20 degrees) throws no shadow of the jaw there: a jaw climbs toward the ear more steeply than
    its rays. What photographers get from a flag, and from the lamp a little above, is painted: a core right under the jaw, as broad as
    the chin stands out, and a lit strip that is lower than the jaw by one or two tones. Only what has a jaw `over` it has its shadow.
    """
    u = np.clip(np.abs(x) / half, 0, 1.2)
    reach = CAST_HW[0] + (CAST_HW[1] - CAST_HW[0]) * step(u, 0.30, 0.95)
    lit = step(below - reach, -0.5 * PENUMBRA_HW / 0.6, 0.5 * PENUMBRA_HW / 0.6)
    # Beside jaw and ear a neck goes on from skin that no flag shades.
    beside = step(y, *BESIDE_HW)
    flag = (BURNED[1] + (BURNED[0] - BURNED[1]) * over) * (1 - step(y, 0.20, 0.36)) * beside
    nape = 1 - np.float32(NAPE) * step(u, *NAPE_FROM) * beside
    return np.asarray((1 - np.float32(CAST) * over * (1 - lit)) * (1 - flag) * nape, np.float32)


FLANK_HW, SLIMMER_HW, FLANK_ENDS_HW = 0.10, 0.14, (-0.04, 0.20)
"""Most that a neck seen beside the jaw adds to the cylinder's half-width and takes from it (a neck broader under the jaw than the photo's
comes out from behind it in a step), and between which heights below the chin that is lost again."""
FLARES = 0.10
"""Most by which a neck opens downward beyond its cylinder, hw per hw: what opens faster is an old collar read as skin, and a kink."""
ENTERS_HW = 0.28
"""Over which height above its collar's rim a neck that is broader draws in to it, and one that is slimmer comes out."""
PAST_JAW_HW, SEEN_HW, FLANK_SOFT_HW = 0.015, 0.05, 0.03
"""How far below the jaw's line skin at the outline is neck, how much of its height has to be seen (a lobe hangs there, too), and over how
much (sigma) its course is smoothed."""


def _flanks(plate: Plate, below: F32, x: F32, y: F32, half: F32, box: tuple[slice, slice]) -> F32:
    """What must be added to the cylinder's half-width f32[h, w], so that a neck the photo shows beside the jaw goes on without a step.

    Each row says its own, where the outline is skin and lies below the jaw's line, in `below` f32[h, w]: above it jaw and ear stand before
    the neck, and a collar or a shoulder beside it. A neck narrower than the photo's would leave what hangs under an ear a stub in the air.
    """
    solid, skin = plate.matte[box] > 0.5, plate.parts["skin"][box] > 0.5
    middle = np.abs(x).argmin(1)
    level = y[np.arange(len(y)), middle]
    more = np.zeros((2, len(y)), np.float32)
    for side, sign in enumerate((-1, 1)):
        rows, wide = [], []
        for row, at in enumerate(middle):
            if solid[row, at] and level[row] < 0.25:
                line = solid[row, : at + 1][::-1] if sign < 0 else solid[row, at:]
                run = len(line) if line.all() else int(np.argmin(line))
                edge = at + sign * (run - 1)
                inner = edge - sign * min(run - 1, 3)
                out = float(abs(x[row, edge]) - half[row, edge])
                if run < len(line) and skin[row, inner] and below[row, inner] > PAST_JAW_HW and out < FLANK_HW:
                    rows.append(row)
                    wide.append(max(out, -SLIMMER_HW))
        if len(rows) > SEEN_HW * plate.hw_px:
            for i in range(1, len(rows)):
                wide[i] = min(wide[i], wide[i - 1] + FLARES * float(level[rows[i]] - level[rows[i - 1]]))
            course = np.interp(np.arange(len(y)), rows, wide).astype(np.float32)
            seen = max(float(level[rows[-1]]), FLANK_ENDS_HW[0])
            ends = FLANK_ENDS_HW[1] - FLANK_ENDS_HW[0]
            more[side] = blur(course[:, None], FLANK_SOFT_HW * plate.hw_px)[:, 0] * (1 - step(level, seen, seen + ends))
    return np.asarray(np.where(x < 0, more[0][:, None], more[1][:, None]), np.float32)


def _muscles(bust: Bust, x: F32, y: F32) -> F32:
    """What stands out of a plain cylinder, f32[h, w] (hw).

    The sternomastoid runs from behind the ear to the pit of the throat; between it and the windpipe lies a hollow, behind it
    another. The head turned, that of the far side stands out more. A lamp beside the head then lights edges, not one flat flank.
    """
    u = np.abs(x)
    line = bust.neck * (0.98 - 0.72 * np.clip((y + 0.45) / 1.07, 0, 1))
    turned = 1 + np.clip(np.sign(x) * np.float32(bust.throat[0] / 0.25), -0.5, 0.8)

    def bell(at: F32, wide: float) -> F32:
        return np.asarray(np.exp(-np.square((u - at) / np.float32(wide))), np.float32)

    ridge = MUSCLE_HW * turned * bell(line, 0.050)
    behind = 0.6 * bell(line + np.float32(0.11), 0.055)
    hollow = HOLLOW_HW * (bell(line - np.float32(0.125), 0.070) * step(u, 0.02, 0.10) + behind)
    larynx = LARYNX_HW * bell(np.zeros_like(line), 0.085) * step(y, 0.02, 0.22)
    # Toward the pit of the throat all of it flattens out.
    return np.asarray((ridge - hollow) * (1 - 0.75 * step(y, 0.06, 0.34)) + larynx, np.float32)


def _skin_below(plate: Plate, kept: Kept, box: tuple[slice, slice]) -> F32:
    """Skin's albedo f32[h, w, 3] everywhere in `box`: the photo's where it shows this person's skin, carried over elsewhere."""
    k = plate.hw_px
    below, albedo = kept.below[box], plate.albedo[box]
    part = {name: plate.parts[name][box] for name in ("skin", "lips", "hair", "eyes", "teeth", "glasses")}
    clean = np.clip(part["skin"] * plate.inside[box] - part["lips"] - part["hair"] - part["eyes"] - part["teeth"], 0, 1)
    clean = step(cv2.erode(np.asarray(clean, np.float32), np.ones((5, 5))), 0.75, 0.98)

    # What differs from the jaw's colour is cloth that was taken for skin, or a reflection of it.
    on_jaw = clean * ((below < -0.02) & (below > -0.22))
    log = np.log(np.clip(albedo, 0.004, 1))
    if on_jaw.sum() > 200:
        known = log[on_jaw > 0.5]
        middle, spread_ = np.median(known, 0), np.maximum(known.std(0), 0.12)
        red = (log - middle)[..., 0] - (log - middle)[..., 2]
        odd = np.maximum(np.abs(log - middle).max(-1) / (3.2 * spread_.max()), np.abs(red) / 0.45)
        clean = clean * np.where(below > 0, 1 - step(blur(np.asarray(odd, np.float32), 1.5), 0.7, 1.1), 1)

    clean = np.asarray(clean, np.float32)
    carried = spread(albedo, clean * np.where(below > 0, 1.0, 0.3).astype(np.float32), k)
    jaw = spread(albedo, np.asarray(on_jaw, np.float32), k)
    # Right under the jaw the photo's own skin is the shadow that its light drew there, and stubble cut in two: a dotted seam.
    seen = OWN * step(blur(clean, 2.5), 0.3, 0.95) * step(below, *SEAM_HW)
    tone = luminance(carried + seen[..., None] * (albedo - carried))
    # A photo's own shadow under the chin is taken half-way back to the jaw's lightness, and its hue all the way: under one lamp one skin.
    own, above = (np.clip(luminance(blur(v, 0.1 * k)), 0.01, 1) for v in (carried, jaw))
    hue = _hue(albedo, clean * ((below < -0.02) & (below > -FACE_HW)), jaw)
    return np.asarray((tone * np.clip(np.sqrt(above / own), 0.75, 1.5))[..., None] * hue, np.float32)


SEAM_HW, FACE_HW = (0.04, 0.12), 0.45
"""From where to where under the jaw's line a neck's own detail comes in, and how far above that line skin tells a neck's hue: the lower
half of the face. At the jaw itself it is stubble's, grey or blue, as often as skin's."""


def _hue(albedo: F32, face: F32, jaw: F32) -> F32:
    """Colour of unit luminance, f32[3]: the median of `albedo` f32[h, w, 3] on the `face` f32[h, w], or else that of the `jaw`."""
    known = albedo[face > 0.5]
    colour = np.median(known / luminance(known)[:, None].clip(1e-3), 0) if len(known) > 200 else np.median(jaw.reshape(-1, 3), 0)
    colour = np.asarray(np.maximum(colour, 1e-3), np.float32)
    return np.asarray(colour / max(float(luminance(colour[None])[0]), 1e-3), np.float32)


def _jaw_depth(plate: Plate, box: tuple[slice, slice]) -> F32:
    """Depth f32[h, w] (hw) of the jaw's edge nearest to each pixel, smoothed along the jaw."""
    k, q = np.float32(plate.hw_px), 8
    rows, columns = box
    h, w = rows.stop - rows.start, columns.stop - columns.start
    jaw = plate.landmarks[list(JAW[1:-1])]
    fine = np.linspace(0, len(jaw) - 1, 57)
    px, py, pz = (np.interp(fine, range(len(jaw)), jaw[:, i]).astype(np.float32) for i in range(3))
    ys, xs = np.mgrid[rows.start : rows.stop : q, columns.start : columns.stop : q].astype(np.float32)
    far = (xs[..., None] - px) ** 2 + (ys[..., None] - py) ** 2 + np.square(0.04 * k)
    weight = 1 / (far * far)
    z = (weight * (pz / k * np.float32(0.95))).sum(-1) / weight.sum(-1)
    return np.asarray(cv2.resize(z.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
