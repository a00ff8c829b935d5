"""Beards. A reader that knows dark ones for hair draws a stencil of them, and takes a white one for skin, which the jaw's line cuts.

A beard hangs below the jaw, has no blood in it and is all strands: it is told by its colour, which is the head's own hair's rather than the
cheeks', by its texture, and by where it sits. What is found is hair, before face, neck and collar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lowkey.darkroom import neck
from lowkey.darkroom.figure import Figure
from lowkey.darkroom.neck import Kept
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate import meshes
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

CHIN, LIP, NOSE, NOSE_BASE = 152, 17, 4, 2
"""Mesh points: the chin, the middle of the lower lip's red edge, the nose's tip and base."""
PALER, LEAST = (0.30, 0.65), 0.15
"""How far from the cheeks' log red over green to the hair's something is no skin, and is hair; and how far apart those two must be at least
for a colour to say anything (four grey heads .34 to .78)."""
COLOUR_HW, FINE_HW, STRANDS = 0.008, 0.015, (0.06, 0.12)
"""Over what (sigma) colour is read, and strands; the RMS of log luminance of skin, and of strands."""
BELOW_HW, WIDE_HW = 0.50, 0.60
"""How far below the chin, and to both sides of it, a beard is looked for."""
ON_CHIN_HW, ON_CHIN = 0.09, 0.5
"""Radius of the disc on the chin's front (its middle as far over the chin's edge) that a beard covers by this share: a pale collar, the
blown edge of a jaw and a row of teeth lie elsewhere."""
SURE = (0.75, 0.95)
"""How surely what grows there has to be the person's own skin, to a reader."""
GAPS_HW, EDGE_HW = 0.016, 0.005
"""Half of how wide gaps between strands are that a beard closes over, and how soft (sigma) its edge is."""
BLUER, TAB_HW = (0.10, 0.30), 0.030
"""How much more log blue over green than the head's own hair cloth has; and half the width under which what hangs on a beard is none of
it: a collar's edge that was taken along tore the neck."""
ENDS_HW, STRAND = 0.014, (-0.05, 0.15)
"""How far beyond its outline single hairs end, and how much paler (log) than what lies round it one is, at least and surely."""
ON_FACE, HANGS_HW = 0.5, (-0.04, 0.0)
"""Share of a beard on the chin that is hair, for skin shines through it there and no flag stands before a face; and between which distances
below the jaw's line all of it is."""
DROOPS, FORM_HW = 0.6, (-0.06, -0.02)
"""How much what hangs is turned down, and between which distances below the jaw's line the chin's form goes over into that of what hangs: a
throat's would catch the light as a second lip."""


def grown(plate: Plate) -> tuple[Plate, F32 | None]:
    """The plate with a grey beard as hair, and where it is f32[h, w]; unchanged, and None, where the chin has none."""
    k, mesh = plate.hw_px, plate.landmarks
    h, w = plate.matte.shape
    chin = mesh[CHIN, :2]
    top, end = (int(np.clip(v, 0, h)) for v in (mesh[LIP, 1] + 0.02 * k, chin[1] + BELOW_HW * k))
    first, last = (int(np.clip(chin[0] + d * WIDE_HW * k, 0, w)) for d in (-1, 1))
    hair = plate.parts["hair"] > 0.9
    if end - top < 8 or last - first < 8 or hair.sum() < 100:
        return plate, None
    box = np.s_[top:end, first:last]
    upper = meshes.oval(mesh, (h, w))
    upper[int(mesh[NOSE, 1]) :] = 0
    face = (upper > 0) & (plate.parts["skin"] > 0.9)
    if not face.any():
        return plate, None
    cheeks, locks = (float(np.median(_over_green(plate.colour[where], 0))) for where in (face, hair))
    bluest = np.float32(np.median(_over_green(plate.colour[hair], 2)))
    if cheeks - locks < LEAST:
        return plate, None
    colour = np.ascontiguousarray(plate.colour[box])
    grey = np.log(np.maximum(luminance(colour), np.float32(2e-3)))
    red, blue = (blur(_over_green(colour, i), COLOUR_HW * k) for i in (0, 2))
    fine = np.sqrt(blur(np.square(grey - blur(grey, COLOUR_HW * k)), FINE_HW * k))
    bare = plate.parts["skin"][box] * plate.matte[box]
    # What may be a collar as well is one.
    strands = step((cheeks - red) / np.float32(cheeks - locks), *PALER) * step(fine, *STRANDS) * step(bare, *SURE)
    strands *= 1 - step(blue - bluest, *BLUER)
    _, names = cv2.connectedComponents((strands > 0.4).astype(np.uint8), connectivity=4)
    rows, columns = np.mgrid[: end - top, : last - first]
    disc = np.hypot(columns + first - chin[0], rows + top - chin[1] + ON_CHIN_HW * k) < ON_CHIN_HW * k
    on_chin = np.bincount(names[disc], minlength=int(names.max()) + 1)
    on_chin[0] = 0
    if on_chin.max() < ON_CHIN * disc.sum():
        return plate, None
    gaps, tab, ends = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(r * k) + 1,) * 2) for r in (GAPS_HW, TAB_HW, ENDS_HW))
    beard = cv2.morphologyEx((names == on_chin.argmax()).astype(np.uint8), cv2.MORPH_CLOSE, gaps)
    beard = cv2.morphologyEx(beard, cv2.MORPH_OPEN, tab)
    # It ends in the photo's own hairs, each where it ends.
    whole, most = (blur(np.asarray(m, np.float32), EDGE_HW * k) for m in (beard, cv2.dilate(beard, ends)))
    single = step(grey - blur(grey, COLOUR_HW * k), *STRAND)
    found = np.zeros((h, w), np.float32)
    found[box] = np.maximum(step(whole, 0.5, 1.0), most * single) * bare
    share = found * (np.float32(ON_FACE) + np.float32(1 - ON_FACE) * step(neck.below_jaw(mesh, plate.size_px, k), *HANGS_HW))
    parts = dict(plate.parts)
    for name, way in (("hair", 1), ("skin", -1)):
        parts[name] = freeze(np.clip(plate.parts[name] + way * share, 0, 1))
    return replace(plate, parts=parts), found


LIT_AS_SKIN, SKIN_SHINES = 0.85, 0.40
"""Share of a beard that skin's light falls on as on skin; and share of the skin's own colour (log, over green) that white hair over it
shows: it scatters evenly, and what lies between its strands is skin. In the hue of keratin alone it was olive beside a warm face."""


def hung(figure: Figure, beard: F32, below: F32) -> None:
    """Give what of a `beard` f32[h, w] hangs `below` f32[h, w] the jaw's line the form of the chin that it grows from, in place.

    All of it is lit as the skin is that it stands on: short strands end with that skin's light, and throw no glow of their own.
    """
    lent = np.float32(LIT_AS_SKIN) * beard * figure.hair
    figure.hair, figure.skin = figure.hair - lent, np.minimum(figure.skin + lent, 1)
    k = figure.hw_px
    rows, columns = np.flatnonzero((beard > 0).any(1)), np.flatnonzero((beard > 0).any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    low = below[box]
    chin = np.asarray((low < FORM_HW[0]) & (figure.matte[box] > 0.9), np.float32)
    form = np.dstack([figure.normal[box], figure.depth[box]])
    facing, depth = (neck.spread(np.ascontiguousarray(one), chin, k) for one in (form[..., :3], np.repeat(form[..., 3:], 3, 2)))
    carried = np.dstack([facing, depth[..., :1]])
    carried[..., 1] -= np.float32(DROOPS) * step(low, FORM_HW[0], -2 * FORM_HW[0])
    form += (beard[box] * step(low, *FORM_HW))[..., None] * (carried - form)
    figure.normal[box] = form[..., :3] / np.maximum(np.linalg.norm(form[..., :3], axis=2, keepdims=True), np.float32(1e-6))
    figure.depth[box] = form[..., 3]


GAP_HW, GAP = 0.012, (0.0, 0.45)
"""Over what (sigma) a strand's surroundings are read, and how much darker (log) than they a gap begins to show skin, and shows it alone:
all in white hair's hue, the gaps were the greenish grey of felt beside a warm face."""


def whitened(albedo: F32, plate: Plate, beard: F32) -> None:
    """Give a grey `beard` f32[h, w] the hue of white hair over its own skin, in place of `albedo` f32[h, w, 3]."""
    cheeks = (plate.parts["skin"] > 0.9) & (beard < 0.01) & (meshes.oval(plate.landmarks, beard.shape) > 0)
    if not cheeks.any():
        return
    hue = np.log(np.maximum(np.median(albedo[cheeks], 0), np.float32(2e-3)))
    box = _around(beard, 0)
    own = albedo[box]
    grey = np.log(np.maximum(luminance(own), np.float32(2e-3)))
    gap = step(blur(grey, GAP_HW * plate.hw_px) - grey, *GAP)
    shines = np.float32(SKIN_SHINES) + np.float32(1 - SKIN_SHINES) * gap
    white = np.exp(shines[..., None] * (hue - hue[1]))
    own += (white * (luminance(own) / luminance(white))[..., None] - own) * beard[box][..., None]


STANDS_HW, THINS_HW, OUT_HW = 0.10, (0.010, 0.065), 0.030
"""How near its outline a beard's end is, between which distances within it hair closes over what is behind, and how far beyond it the last
hairs end: between them it is single hairs, ever fewer, over the dark under a chin. A step there lay on the collar like cut felt."""
HAIR, TELLS = (0.15, 0.40, 0.60), (0.12, 0.40)
"""Which share of the way from the neck's luminance to the beard's is no hair yet, how much more that is at the last tips, and how much more
is all hair; and how much paler (log) the beard has to be before that begins to say anything, and does: beside a neck as pale as it is,
single hairs are told by their surroundings alone."""
NECK_HW, SEEN_HW2, ROUND_HW, CORNER = 0.012, 0.004, 0.050, (0.04, 0.26)
"""How far from a beard's outline the neck is, and how much of it has to be seen to know its tone; round which (sigma) it is asked how much
beard there is, and how much of it hangs at least and surely: its corners run out on the jaw, beside skin that is lit."""
UNMIXED = 0.6
"""How far (log) what shines between a beard's last hairs goes over to those hairs' own tone: all the way, they were felt once more."""
SHADED = 0.60
"""Share of its light that a hair loses toward its end: a beard's lower edge turns under the chin, and hangs in the shade of all above."""
COVERS, COVERS_HW = 0.9, (0.015, 0.035)
"""Light denied beneath a beard, and how far below it and how softly (sigma) that lies on neck and collar."""


@dataclass(frozen=True)
class Ends:
    """A grey beard and where it ends, f32[h, w]."""

    beard: F32
    """Where it is, with all the room in which its last hairs end."""
    edge: F32
    """How near its outline below the jaw: 1 there and beyond, 0 from STANDS_HW within it."""


def ended(kept: Kept, plate: Plate, beard: F32) -> tuple[Kept, Ends]:
    """What is kept, the outline of a `beard` f32[h, w] below the jaw ending hair by hair; and that end.

    What single hairs there are, and how long, is read off the photo: they are what is paler than the neck behind them.
    """
    k, edge = plate.hw_px, np.zeros_like(beard)
    box = _around(beard, round(0.25 * k))
    head, mine, below = (np.ascontiguousarray(m[box]) for m in (kept.head, beard, kept.below))
    solid = (blur(np.maximum(head, mine), 2 * EDGE_HW * k) > 0.5).astype(np.uint8)
    if solid.all():
        return kept, Ends(beard, edge)
    within = (cv2.distanceTransform(solid, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)) / np.float32(k)
    # Bare jaw beside a beard ends as a jaw does; what shows between its last hairs is none.
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(OUT_HW * k) + 1,) * 2)
    mass = step(blur(cv2.morphologyEx(mine, cv2.MORPH_CLOSE, reach), 2 * EDGE_HW * k), 0.2, 0.6)
    near = blur(cv2.dilate(mine, reach), EDGE_HW * k)
    on = np.where(within > 0, mass, near) * step(below, -0.10, -0.04)
    tone = luminance(np.ascontiguousarray(plate.colour[box]))
    grey = np.log(np.maximum(tone, np.float32(2e-3)))
    fine = grey - blur(grey, COLOUR_HW * k)
    own = np.clip(plate.parts["skin"][box] + plate.parts["hair"][box], 0, 1)
    behind = (within < -NECK_HW) * (below > 0) * plate.parts["skin"][box] * plate.matte[box] * (near < 0.9)
    pale, bare = (_round(tone, np.asarray(m, np.float32), k) for m in (mass * (within > 0) * (fine > 0), behind))
    # Where a collar hides all of the neck nothing is known of that.
    seen = float(behind.sum() > SEEN_HW2 * k * k)
    told = seen * step(np.log(np.maximum(pale, np.float32(2e-3)) / np.maximum(bare, np.float32(2e-3))), *TELLS)
    # Toward its tip a hair is ever thinner: what counts as one there is ever purer.
    tip = np.float32(HAIR[1]) * step(-within, -THINS_HW[1], OUT_HW)
    hair = np.clip(((tone - bare) / np.maximum(pale - bare, np.float32(2e-3)) - HAIR[0] - tip) / np.float32(HAIR[2]), 0, 1)
    hair = told * hair + (1 - told) * step(fine, *STRAND)
    whole = np.asarray(step(within, *THINS_HW), np.float32)
    # Beyond the outline a pale shirt is no hair.
    cover = np.maximum(whole, hair * step(within, -OUT_HW, 0.0) * np.where(within > 0, 1, own)) * plate.matte[box]
    ends, out, wide = np.array(kept.head), np.array(kept.hair), np.array(beard)
    ends[box] += on * (cover - head)
    out[box], wide[box] = np.maximum(out[box], on), np.maximum(mine, on)
    edge[box] = on * (1 - step(within, 0.0, STANDS_HW)) * step(blur(mine, ROUND_HW * k), *CORNER)
    return replace(kept, head=ends, hair=out), Ends(wide, edge)


def sunk(albedo: F32, plate: Plate, ends: Ends) -> None:
    """Let a beard's last hairs be hair alone, without the old neck that shone between them, and lose their light, in `albedo`, in place."""
    k, box = plate.hw_px, _around(ends.beard, 0)
    own, edge, beard = albedo[box], ends.edge[box], ends.beard[box]
    tone = luminance(own)
    sure = np.asarray(beard * (1 - step(edge, 0.2, 0.6)) * (tone > blur(tone, COLOUR_HW * k)), np.float32)
    lack = np.maximum(_round(tone, sure, k) / np.maximum(tone, np.float32(2e-3)), 1)
    own *= (np.power(lack, np.float32(UNMIXED) * step(edge, 0.3, 0.9)) * (1 - np.float32(SHADED) * edge))[..., None]


def shaded(figure: Figure, ends: Ends, top: int) -> None:
    """Darken what lies beneath a beard, in place, before that is laid over it: `figure` from row `top` down."""
    k, box = figure.hw_px, _around(ends.beard, round(4 * COVERS_HW[1] * figure.hw_px))
    first = max(box[0].start, top)
    by = round(COVERS_HW[0] * k)
    down = np.pad(ends.beard[box], ((by, 0), (0, 0)))[: len(ends.beard[box])]
    near = blur(down, COVERS_HW[1] * k)[first - box[0].start :]
    there = np.s_[first : box[0].stop, box[1]]
    gain = 1 - np.float32(COVERS) * near
    figure.albedo[there] *= gain[..., None]
    figure.sheen[there] *= gain


MOUSTACHE, SEPTUM = (98, 327, 287, 410, 0, 186, 57), (0.10, 0.25)
"""Mesh points round where a moustache grows, wings of the nose to corners of the mouth, and the share of it that a reader called hair from
which there is one, and surely."""
BESIDE_HW, WIDER_HW, HAIRS = 0.03, 0.04, (0.20, 0.55)
"""Over what (sigma) hairs stand beside others, how far beyond those points they do, and how far (log luminance) from the skin's tone to the
read hairs' something is hair of the same moustache, and surely."""


def joined(plate: Plate) -> Plate:
    """The plate with a moustache whole, where its reader took the thin parts of one for skin; unchanged where there is none.

    Skin is smoothed, and evened to the cheeks' tone: of what lay between two tufts a smudge was left, and the tufts floated.
    """
    k, mesh = plate.hw_px, plate.landmarks
    h, w = plate.matte.shape
    hull = cv2.convexHull(np.round(mesh[list(MOUSTACHE), :2]).astype(np.int32))[:, 0]
    m = round(3 * WIDER_HW * k)
    (x0, y0), (x1, y1) = hull.min(0) - m, hull.max(0) + m + 1
    box = np.s_[int(np.clip(y0, 0, h)) : int(np.clip(y1, 0, h)), int(np.clip(x0, 0, w)) : int(np.clip(x1, 0, w))]
    hair, skin, lips = (np.ascontiguousarray(plate.parts[name][box]) for name in ("hair", "skin", "lips"))
    if min(hair.shape) < 8:
        return plate
    zone = np.zeros(hair.shape, np.uint8)
    cv2.fillConvexPoly(zone, hull - np.array([box[1].start, box[0].start], np.int32), 1)
    free = zone * (1 - lips)
    there = float(step(np.array([(hair * free).sum() / max(float(free.sum()), 1.0)], np.float32), *SEPTUM)[0])
    read, bare = (hair > 0.9) & (lips < 0.1), (skin > 0.9) & (lips < 0.1)
    if there == 0 or min(int(read.sum()), int(bare.sum())) < 60:
        return plate
    log = np.log(np.maximum(luminance(plate.albedo[box]), np.float32(2e-3)))
    dark, light = float(np.median(log[read])), float(np.percentile(log[bare], 60))
    if light - dark < LEAST:
        return plate
    # Of the tone hereabouts and of each hair's own: skin between two hairs stays skin, and a mole alone is none.
    near = step(blur(np.asarray(hair * (1 - lips), np.float32), BESIDE_HW * k), 0.03, 0.20)
    near *= blur(np.asarray(cv2.dilate(zone, np.ones((2 * round(WIDER_HW * k) + 1,) * 2, np.uint8)), np.float32), 0.3 * WIDER_HW * k)
    told = 0.5 * (log + blur(log, FINE_HW * k))
    mine = step((np.float32(light) - told) / np.float32(light - dark), *HAIRS)
    # A wing of the nose ends in a shade, and nothing grows over it.
    low = step((np.arange(box[0].start, box[0].stop, dtype=np.float32) - mesh[NOSE_BASE, 1]) / np.float32(k), 0.0, 0.02)[:, None]
    more = np.asarray(np.float32(there) * near * mine * low * skin * (1 - step(lips, 0.1, 0.5)), np.float32)
    parts = dict(plate.parts)
    for name, way in (("hair", 1), ("skin", -1)):
        new = np.array(plate.parts[name])
        new[box] += way * more
        parts[name] = freeze(new)
    return replace(plate, parts=parts)


SOFT_HW, INSIDE_HW = 0.018, (0.0, 0.05)
"""Over what (sigma) a beard's density is evened: hairs stand ever further apart toward its edge, over 5 mm and more; and between which
distances within the face's outline that is done: further out it is the head's own hair."""
GROWN, BELOW_FACE_HW = 0.3, 0.15
"""Share of the chin's disc that a dark beard covers at least, and how far below the face's outline it has its colour."""
DYED = 0.5
"""How far a beard's red and yellow go over to the head's own hair's: both are one melanin, and what a beard has besides is skin that shines
through it and, in a photo, daylight that did. Under a warm lamp it was rust."""


def thinned(plate: Plate) -> Plate:
    """The plate with a dark beard that thins out over the face, in the colour of the head's hair; unchanged where the chin has none."""
    k, mesh, hair = plate.hw_px, plate.landmarks, plate.parts["hair"]
    h, w = hair.shape
    oval = mesh[list(meshes.OVAL), :2]
    top, end = (int(np.clip(v, 0, h)) for v in (mesh[NOSE_BASE, 1], oval[:, 1].max() + 2 * BELOW_FACE_HW * k))
    first, last = (int(np.clip(v, 0, w)) for v in (oval[:, 0].min(), oval[:, 0].max()))
    rows, columns = np.mgrid[top:end, first:last].astype(np.float32)
    disc = np.hypot(columns - mesh[CHIN, 0], rows - mesh[CHIN, 1] + ON_CHIN_HW * k) < ON_CHIN_HW * k
    mine = hair[top:end, first:last]
    if disc.sum() < 50 or float(mine[disc].mean()) < GROWN:
        return plate
    box = np.s_[top:end, first:last]
    face = meshes.oval(mesh, (h, w))
    inward, outward = (cv2.distanceTransform(m, cv2.DIST_L2, 5)[box] / np.float32(k) for m in (face, 1 - face))
    upper, locks = (face > 0) & (hair > 0.9), (face == 0) & (hair > 0.9)
    upper[:top] = False
    if min(int(upper.sum()), int(locks.sum())) < 100:
        return plate
    start = step(rows - np.float32(top), 0.0, 0.03 * k)
    share = start * step(np.asarray(inward, np.float32), *INSIDE_HW) * plate.matte[box]
    thin = share * (np.float32(ON_FACE) * blur(np.ascontiguousarray(mine), SOFT_HW * k) - mine)
    parts, albedo = dict(plate.parts), np.array(plate.albedo)
    for name, way in (("hair", 1), ("skin", -1)):
        new = np.array(plate.parts[name])
        new[box] = np.clip(new[box] + way * thin, 0, 1)
        parts[name] = freeze(new)
    log = np.log(np.maximum(albedo, np.float32(2e-3)))
    own, usual = (np.median(log[where], 0) for where in (upper, locks))
    there = start * mine * (1 - step(np.asarray(outward, np.float32), 0.5 * BELOW_FACE_HW, BELOW_FACE_HW))
    # Less red and less yellow, never more: a grey beard under dark hair stays grey.
    off = (usual - usual[1]) - (own - own[1])
    dyed = np.exp(log[box] + np.float32(DYED) * np.array([min(off[0], 0), 0, max(off[2], 0)], np.float32))
    dyed *= (luminance(albedo[box]) / np.maximum(luminance(dyed), np.float32(1e-4)))[..., None]
    albedo[box] += (dyed - albedo[box]) * there[..., None]
    return replace(plate, parts=parts, albedo=freeze(albedo))


def _around(beard: F32, margin: int) -> tuple[slice, slice]:
    """Rows and columns of a `beard` f32[h, w], and as many more on each side."""
    rows, columns = np.flatnonzero((beard > 0).any(1)), np.flatnonzero((beard > 0).any(0))
    return np.s_[max(rows[0] - margin, 0) : rows[-1] + 1 + margin, max(columns[0] - margin, 0) : columns[-1] + 1 + margin]


def _round(of: F32, where: F32, k: float) -> F32:
    """What `of` f32[h, w] is hereabouts among `where` f32[h, w], and further off where there is none."""
    return neck.spread(np.repeat(of[..., None], 3, 2), where, k)[..., 0]


def _over_green(colour: F32, channel: int) -> F32:
    log = np.log(np.maximum(colour, np.float32(2e-3)))
    return np.ascontiguousarray(log[..., channel] - log[..., 1])
