"""dress: put the person of a Plate into the clothes of the picture, before any light.

Cloth changes albedo, form and the shadows that form throws, so it comes first. Layers are laid from the back: the inside of
a collar, a neck rebuilt under the jaw, the garment, then what the photo keeps in front (head, hair, wrap, hands), each with a
feathered edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.darkroom import (
    acutance,
    beards,
    creases,
    draped,
    ears,
    flyaways,
    fringe,
    gaps,
    garments,
    halves,
    hues,
    jersey,
    nap,
    neck,
    pores,
    retouch,
    roots,
    scraps,
    seams,
    shoulders,
    sleeve,
    strands,
    strays,
    tailored,
    tapered,
    throat,
    tresses,
)
from lowkey.darkroom.figure import Figure
from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import Bust, Kept, Layer
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import ends, meshes
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step
from lowkey.rig import Cloth
from lowkey.together import both

MADE = {"turtleneck": jersey.turtleneck, "leather": tailored.leather, "linen": tailored.linen}
"""Kinds that are cut anew; the others keep the person's own clothes."""


def honours(plate: Plate, cloth: Cloth) -> str:
    """Can this person be dressed so? "yes", "no" (then `dress` keeps what is worn) or "kept from photo"."""
    if cloth.kind in MADE:
        return "yes"
    if cloth.kind == "bare":
        return "kept from photo" if _bare(plate) else "no"
    return "kept from photo"


def dress(plate: Plate, cloth: Cloth, *, retouched: bool = True) -> Subject:
    """The person f32 on the plate's grid, dressed as asked: cloth of mean luminance reflectance ``cloth.reflectance``.

    Kind "own" changes nothing: neither tone nor form of what is worn. Without `retouched` eyes, teeth and lips stay as they are.
    """
    hand = neck.hand_of(plate)
    if cloth.kind != "own":
        plate, beard = beards.grown(beards.thinned(beards.joined(scraps.healed(roots.blended(plate)))))
        crop = nap.cropped(plate, hand)
        plate = nap.felted(tresses.frayed(plate, hand), hand, crop)
    kept, figure = both(lambda: neck.keep(plate), lambda: Figure(plate))
    if cloth.kind == "own":  # exactly as photographed, for measurements
        return figure.subject(plate, 1.0)
    last: beards.Ends | None = None
    if beard is not None:
        # Over the neck that the photo shows, its hairs end as they do there.
        kept, last = beards.ended(kept, plate, beard) if cloth.kind in MADE else (kept, beards.Ends(beard, np.zeros_like(beard)))

    def formed() -> Sewn | None:
        seams.round_off(figure, plate.hw_px)
        if last is not None:
            beards.hung(figure, last.beard, kept.below)
        # Frames of glasses stand off the face, so that they throw a thin shadow on it.
        figure.depth += np.float32(FRAME_HW) * blur(step(plate.parts["glasses"], 0.3, 0.8), 0.008 * plate.hw_px)
        if retouched:
            pores.levelled(figure.normal, plate)
        return _sewn(plate, kept, cloth) if cloth.kind in MADE else None

    def coloured() -> None:
        if retouched:
            halved = halves.evened(figure.albedo, plate)
            retouch.retouch(figure.albedo, plate)
            weaker = _most(creases.smooth(figure.albedo, plate), plate)
            acutance.restored(figure.albedo, plate)
            pores.tempered(figure.albedo, plate)
            pores.completed(figure.albedo, plate, hand)
            figure.eased = (_most(halved, plate), weaker, hues.calmed(figure.albedo, plate))
        tresses.groom(figure.albedo, plate, hand)
        if retouched:
            roots.toned(figure.albedo, plate, beard)
        strands.deepened(figure.albedo, plate, crop)
        strands.completed(figure.albedo, plate, hand, crop)
        nap.unveiled(figure.albedo, plate, crop)

    # The albedo alone is retouched, while form, garment and neck are made: of the photo, not of what was retouched.
    sewn, _ = both(formed, coloured)
    draped.one_skin(figure, kept.hands, plate, np.asarray((plate.parts["skin"] > 0.9) & (kept.below < -0.05), np.float32))
    if last is not None:
        beards.whitened(figure.albedo, plate, last.beard)
        beards.sunk(figure.albedo, plate, last)
    figure.ears = ears.shaped(figure, plate)
    roots.rooted(figure, plate, hand, crop)
    if sewn is not None:
        _cut_anew(figure, plate, sewn, kept, cloth, last)
    else:
        _darken(figure, plate, kept, cloth)
    draped.relit(figure, kept, plate)
    nose = (float(plate.landmarks[4, 0]), float(plate.landmarks[4, 1]))
    parted, own = both(
        lambda: fringe.parted(figure.subject(plate, MOIST), nose, hand),
        lambda: flyaways.read(plate) if crop < 1 else None,
    )
    return gaps.crossed(strays.strewn(parted, plate.inside, nose, hand, own))


def _most(added: F32, plate: Plate) -> float:
    """99th percentile, in stops, of the log luminance f32[h, w] that was added to or taken off the face's skin."""
    box = creases.face_box(plate)
    own = np.abs(added[box])[(plate.parts["skin"] * plate.inside)[box] > 0.5]
    return float(np.percentile(own, 99)) / math.log(2) if own.size else 0.0


FRAME_HW = 0.042
"""How far glasses stand before brow and cheek."""


MOIST = 1.4
"""How much more skin shines than bare dry skin: under one hard lamp a powdered face is chalk."""


@dataclass(frozen=True)
class Sewn:
    """What is made anew below the jaw, before it is laid over anything."""

    bust: Bust
    made: garments.Made
    neck: Layer
    at: tuple[int, int]
    """The neck's first row and column on the plate."""
    top: int
    first: int
    """The garment's first row and column there."""
    tint: F32
    dye: F32


def _sewn(plate: Plate, kept: Kept, cloth: Cloth) -> Sewn:
    """Garment and neck for the body that the photo shows."""
    bust = neck.measure(plate, kept.wrap)
    h, w = plate.matte.shape
    k = plate.hw_px
    top = int(np.clip(bust.chin_px[1] - 0.75 * k, 0, h - 2))
    # A garment is worked out where a body can be, not over the whole window.
    axis = bust.chin_px[0] + bust.throat[0] * k
    first, last = int(np.clip(axis - 2.25 * k, 0, w - 8)), int(np.clip(axis + 2.25 * k, 8, w))
    body = np.s_[top:h, first:last]
    y_px, x_px = np.mgrid[body].astype(np.float32)
    x, y = bust.across(x_px, y_px)
    tint = np.array(jersey.cut_of(bust.whose).tint if cloth.kind == "turtleneck" else TINTS[cloth.kind], np.float32)
    dye = np.asarray(tint * (cloth.reflectance / luminance(tint)), np.float32)
    made = MADE[cloth.kind](bust, x, y, _outline(plate, bust, kept, x, y, body))
    near = garments.window(bust, x, y, bust.neck + 0.25, (-0.75, 1.0))
    at = (near.at[0] + top, near.at[1] + first)
    return Sewn(bust, made, throat.rebuild(plate, bust, kept, near.of(x), near.of(y), at, made.collar), at, top, first, tint, dye)


def _cut_anew(figure: Figure, plate: Plate, sewn: Sewn, kept: Kept, cloth: Cloth, beard: beards.Ends | None) -> None:
    """Take the photo's body away and lay neck, garment and what is kept over each other."""
    h, w = plate.matte.shape
    k = plate.hw_px
    bust, made, top, first, tint, dye = sewn.bust, sewn.made, sewn.top, sewn.first, sewn.tint, sewn.dye
    figure.matte[:top] = np.minimum(figure.matte[:top], kept.head[:top])
    own, part = figure.cut(top), kept.below_row(top)
    lobes = np.zeros_like(part.head) if figure.ears is None else figure.ears[top:] * (1 - step(part.below, 0.05, 0.10))
    seams.heal_jaw(own, part, lobes, k)
    face = meshes.oval(plate.landmarks, (h, w))[top:].astype(np.float32)
    fuller = seams.beside_wrap(own, part, face, k)
    seams.turn_under(own, part, np.maximum(lobes, seams.round_about(fuller, k)), k)
    cheek = seams.meet_wrap(own, face, fuller, k)
    seams.unmix(own, part, plate.parts["cloth"][top:], k)

    for sheet, at in made.inner:
        figure.lay(sheet, (at[0] + top, at[1] + first), dye)
    figure.lay(sewn.neck, sewn.at, np.ones(3, np.float32))
    hidden = tresses.tucked(part, own.depth, plate, bust, _covered(made, part.head.shape, first))
    tresses.sunk(own.albedo, part.hair, hidden, k)
    tapered.taper(part, own.albedo, hidden, plate, bust, figure.skin[top:] * figure.matte[top:])
    for sheet, at in made.outer:
        figure.touched(sheet.cover, (at[0] + top, at[1] + first))
        figure.lay(seams.without_slivers(sheet, part.head, at, first, k), (at[0] + top, at[1] + first), dye)
    _level(figure.albedo[top:], figure.cloth[top:] * figure.matte[top:], cloth.reflectance)
    if beard is not None:
        beards.shaded(figure, beard, top)

    seams.drawn_over(own, part, plate.parts["hands"][top:], k)
    arms = sleeve.arms(part.hands, k) if part.hands.max() > 0.5 else []
    for arm in arms:
        sleeve.rounded(own.normal, own.depth, part.hands, arm, k)
    if arms:
        seams.bare_hands(own, part, k)

    # Hair, beard and wrap fall over what was put on, hands lie before it; neither ever sinks into it. The lower hair falls,
    # the closer it lies: standing off like the head above it, it would throw a black band over the shoulder.
    for cover, gap, loose in ((part.head, 0.025, 0.25), (part.hands, 0.05, 9.0)):
        rows = np.flatnonzero((cover > 0).any(1))
        if len(rows):
            there = np.s_[rows[0] : rows[-1] + 1]
            dressed = step(figure.matte[top:][there], 0.3, 0.9)
            ground = blur(np.where(figure.matte[top:][there] > 0.02, figure.depth[top:][there], -1), 0.01 * k)
            free = np.full_like(ground, loose)
            if cover is part.head:
                # Hair beside a neck hangs from the back of the skull: as near as the face, it is a wall that shades all the neck.
                beside = np.float32(bust.throat[2] - 0.9 * bust.neck)
                open_ = np.asarray(part.hair[there] * (1 - dressed), np.float32)
                ground = np.asarray(ground + open_ * (np.maximum(ground, beside) - ground), np.float32)
                dressed = np.asarray(np.maximum(dressed, open_), np.float32)
                free *= 1 - open_
            low = ground + np.float32(gap)
            high = low + 0.02 + free * np.exp(-np.maximum(part.below[there], 0) / 0.28)
            if part.wrap.max() > 0.1:
                # A wrap carries its own form down: pressed to a throat that nobody sees it would be torn along the throat's sides.
                over = np.float32(9) * step(part.wrap[there], 0.1, 0.6)
                low, high = low - over * (1 - step(part.below[there], 0.20, 0.45)), high + over
            moved = (np.clip(own.depth[there], low, high) - own.depth[there]) * step(part.below[there], 0.0, 0.08) * dressed
            if cover is part.hands:
                moved = _forward(moved, cover[there])
            elif part.wrap.max() > 0.1:
                # Beyond the photo's own outline there is nothing to move: its empty depth would stand along the outline as a ridge.
                own_there = (own.matte[there] > 0.02).astype(np.float32)
                mass = np.maximum(blur(own_there, 0.012 * k), np.float32(0.05))
                moved = blur(np.asarray(moved * own_there, np.float32), 0.012 * k) / mass
            figure.put_back(own.rows(there), cover[there], np.asarray(own.depth[there] + moved, np.float32), top + int(rows[0]))
    like, ribbed = made.outer[0][0], cloth.kind == "turtleneck"
    for arm in arms:
        drawn = sleeve.sleeve(arm, figure.depth[top:], k, bust.hand, like, ribbed=ribbed, soft_px=bust.soft_px)
        if drawn is not None:
            sheet, (row, column) = drawn
            level = cloth.reflectance / max(float(sheet.albedo[sheet.cover > 0.5].mean()), 1e-3) if (sheet.cover > 0.5).any() else 0.0
            if arm.bare > sleeve.FOREARM_HW:
                figure.touched(sheet.cover, (row + top, column))
            figure.lay(sheet, (row + top, column), np.asarray(tint / luminance(tint) * level, np.float32))
    # An ear is a leaf before the neck, and no pit: filled as one it had a black lobe.
    seams.fill_pits(figure, part, cheek if figure.ears is None else np.maximum(cheek, figure.ears[top:]), top, k)
    if figure.ears is not None:
        # What was taken for an ear's rim under a lobe is neck now, and no light comes through a neck.
        figure.ears[top:] *= part.head
    _quieten(figure.albedo, plate, kept)


def _forward(moved: F32, hands: F32) -> F32:
    """Each hand of `hands` f32[h, w] moved as a whole by what most of it must, and no part less than it must: it keeps its form.

    Moved only where cloth begins behind it, a hand would have a ledge there.
    """
    count, names = cv2.connectedComponents((hands > 0.5).astype(np.uint8))
    far = np.zeros(count, np.float32)
    for i in range(1, count):
        far[i] = np.percentile(moved[names == i], 95)
    whole = cv2.dilate(far[names], np.ones((5, 5), np.uint8))
    return np.asarray(np.maximum(moved, whole), np.float32)


def _covered(made: garments.Made, shape: tuple[int, ...], first: int) -> F32:
    """What a garment's outer sheets cover of the body's rows, f32[h, w]; its own first column is `first`."""
    cover = np.zeros(shape, np.float32)
    for sheet, at in made.outer:
        h, w = sheet.cover.shape
        part = cover[at[0] : at[0] + h, at[1] + first : at[1] + first + w]
        np.maximum(part, sheet.cover[: part.shape[0], : part.shape[1]], out=part)
    return cover


def _quieten(albedo: F32, plate: Plate, kept: Kept) -> None:
    """Darken what is worn on the head, in place: to about a quarter of the skin's luminance, so that no veil outshines its face."""
    if kept.wrap.max() <= 0.5:
        return
    tone = luminance(plate.albedo)
    skin = float(np.median(tone[(plate.parts["skin"] > 0.9) & (kept.below < -0.05)]))
    wrap = float(np.median(tone[kept.wrap > 0.5]))
    gain = float(np.clip(0.24 * skin / max(wrap, 0.01), 0.3, 0.8))
    albedo *= (1 - (1 - gain) * kept.wrap)[..., None]


TINTS = {"leather": (1.0, 0.96, 0.93), "linen": (1.0, 0.985, 0.95)}
"""Colour of each cloth before it is brought to its reflectance: black-brown, unbleached white; each jersey has its own."""


def _level(albedo: F32, cover: F32, reflectance: float) -> None:
    """Bring the mean luminance of cloth under `cover` f32[h, w] to `reflectance`, in place."""
    weight = step(cover, 0.5, 0.9)
    mean = float((luminance(albedo) * weight).sum() / max(float(weight.sum()), 1.0))
    if mean > 0:
        gain = np.float32(reflectance / mean)
        albedo *= (1 + (gain - 1) * np.clip(cover, 0, 1))[..., None]


EASE_HW, BLEND_HW = 0.05, 0.20
"""How far a garment stands off the outline of what was worn, and over which distance that outline gives way to natural shoulders."""
SHRUNK_HW = 0.07
"""How far within natural shoulders an outline may run: a lens held close, or a body turned, narrows them more than a picture bears."""


def _outline(plate: Plate, bust: Bust, kept: Kept, x: F32, y: F32, box: tuple[slice, slice]) -> garments.Outline:
    """The clothed body's outline: the person's own where it is natural, natural shoulders where old clothes stood off them."""
    h, w = x.shape
    size, k = (max(w // 4, 2), max(h // 4, 2)), np.float32(plate.hw_px / 4)
    xs, ys = (np.asarray(cv2.resize(v, size, interpolation=cv2.INTER_LINEAR), np.float32) for v in (x, y))
    person = cv2.resize(np.maximum(plate.matte[box], 1 - plate.inside[box]), size, interpolation=cv2.INTER_AREA) > 0.5
    natural = garments.silhouette(bust, xs, ys)
    hands = cv2.resize(kept.hands[box], size, interpolation=cv2.INTER_AREA) > 0.5
    tail = np.full_like(xs, 0.30)
    if hands.any():
        # A raised hand keeps the sleeve that leads to it from below.
        away = cv2.distanceTransform((~hands).astype(np.uint8), cv2.DIST_L2, 5) / k
        lead = np.minimum(0.8 - away, ys - np.float32(np.median(ys[hands])))
        natural = garments.joint(natural, lead, 0.35)
        tail *= step(away, 0.10, 0.40)
    wrap = cv2.resize(kept.wrap[box], size, interpolation=cv2.INTER_AREA) > 0.5
    if wrap.any():
        # The tail of a wrap lies on the shoulder that the photo shows under it; what a hand holds up does not.
        away = cv2.distanceTransform((~wrap).astype(np.uint8), cv2.DIST_L2, 5) / k
        natural = natural + tail * step(0.62 - away, 0.0, 0.45)
    # Notches between a ring, a collar or a pad and the shoulder are not the person's.
    across = 2 * round(0.20 * float(k)) + 1
    closed = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)))
    pad = round(0.5 * float(k))
    wide = cv2.copyMakeBorder(closed, 0, pad, pad, pad, cv2.BORDER_REPLICATE)
    signed = cv2.distanceTransform(wide, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5)
    own = blur(np.asarray(signed[:-pad, pad:-pad] / k, np.float32), 0.090 * float(k)) + np.float32(EASE_HW)
    own = garments.joint(own, natural - np.float32(SHRUNK_HW), 0.06)
    # Wherever the two run close together the smoother of them rules: a fold of the old sleeve is no shoulder.
    mix = np.clip(0.5 + 0.5 * (natural - own) / np.float32(BLEND_HW), 0, 1)
    both = natural + (own - natural) * mix - np.float32(BLEND_HW) * mix * (1 - mix)
    both = np.minimum(both, own)
    raised = [bool((hands & (sign * xs > 0.3)).any()) for sign in (-1, 1)]
    even = shoulders.evened(xs, ys, np.asarray(both, np.float32), bust.half, (raised[0], raised[1]))
    return garments.Outline(xs, ys, even)


WOOLLY = 0.3
"""Share of a jersey's loose fibre that clothes of unknown stuff have."""


def _darken(figure: Figure, plate: Plate, kept: Kept, cloth: Cloth) -> None:
    """The person's own clothes brought to a low reflectance: tone differences pressed together, weave and folds kept."""
    k = plate.hw_px
    worn = np.clip((plate.parts["cloth"] - kept.wrap - 0.02) / 0.98, 0, 1)
    tone = np.maximum(luminance(plate.albedo), 0.004)
    mean = neck.spread(np.repeat(tone[..., None], 3, 2), np.asarray(step(worn, 0.3, 0.8), np.float32), k)[..., 0]
    broad = blur(tone * worn, 0.05 * k) / np.maximum(blur(worn, 0.05 * k), 1e-3)
    broad = np.where(worn > 0.02, np.maximum(broad, 0.004), mean)
    detail = np.clip(tone / np.maximum(broad, 0.004), 0.35, 2.2)
    pressed = np.power(broad, 0.45) * np.power(detail, 0.9)
    colour = plate.albedo / tone[..., None]
    muted = 1 + 0.45 * (colour - 1)
    muted /= np.maximum(luminance(np.asarray(muted, np.float32)), 0.05)[..., None]
    dark = np.asarray(muted * (pressed * np.float32(cloth.reflectance))[..., None], np.float32)
    # Below the photo its last row would run down in streaks: there the cloth goes on in its own mean tone, with a weave of its own.
    unseen, shown = blur(1 - plate.inside, 0.02 * k), (worn > 0.8) & (plate.inside > 0.5)
    if unseen.max() > 0.5 and shown.any():
        ys, xs = np.mgrid[0 : worn.shape[0], 0 : worn.shape[1]].astype(np.float32) / np.float32(0.02 * k)
        usual = np.asarray(np.median(dark[shown], 0), np.float32)
        plain = usual * (1 + 0.12 * noise(3 * xs, ys, 91) + 0.12 * noise(xs, 3 * ys, 92))[..., None]
        dark += (plain - dark) * (unseen * worn)[..., None]
    _level(dark, np.asarray(worn * plate.matte, np.float32), cloth.reflectance)
    figure.albedo += ((dark - figure.albedo) * worn[..., None]).astype(np.float32)
    # Nobody knows how woolly it is: with a jersey's fibre every suit has a piped edge before a lamp behind it.
    figure.sheen *= 1 - np.float32(1 - WOOLLY) * worn
    _quieten(figure.albedo, plate, kept)
    _sink(figure, plate, kept)


SUNK, SINKS_HW = 0.985, (-0.50, 0.06)
"""How much of what the photo shows last is left to the dark, and from where to where below its lower edge."""


def _sink(figure: Figure, plate: Plate, kept: Kept) -> None:
    """Let a body that the photo cuts sink into the dark toward its lower edge: nobody knows how it goes on. The head stays lit."""
    end = ends.foot(plate.inside)
    if end is None:
        return
    beyond = (np.arange(len(plate.matte), dtype=np.float32) - np.float32(end - 1)) / np.float32(plate.hw_px)
    seen = 1 - np.float32(SUNK) * step(beyond, *SINKS_HW)[:, None] * step(kept.below, 0.02, 0.30)
    figure.albedo *= seen[..., None]
    figure.specular *= seen
    figure.sheen *= seen


def _bare(plate: Plate) -> bool:
    """Does the photo show bare shoulders: mostly skin where a garment would be?"""
    bust = neck.measure(plate, neck.keep(plate).wrap)
    h, w = plate.matte.shape
    y_px, x_px = np.mgrid[0:h:4, 0:w:4].astype(np.float32)
    x, y = bust.across(x_px, y_px)
    where = (garments.silhouette(bust, x, y) > 0.1) & (y > 0.35) & (y < 1.1)
    seen = where & ((plate.matte * plate.inside)[::4, ::4] > 0.5) & (plate.parts["hair"][::4, ::4] < 0.5)
    return bool(seen.sum() > 100 and (plate.parts["skin"][::4, ::4][seen] > 0.5).mean() > 0.6)
