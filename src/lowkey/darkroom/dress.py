"""dress: put the person of a Plate into the clothes of the picture, before any light.

Cloth changes albedo, form and the shadows that form throws, so it comes first. Layers are laid from the back: the inside of
a collar, a neck rebuilt under the jaw, the garment, then what the photo keeps in front (head, hair, wrap, hands), each with a
feathered edge.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom import garments, neck, sleeve, strays, tailored, tresses
from lowkey.darkroom.neck import Bust, Kept, Layer, step
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from lowkey.rig import Cloth

MADE = {"turtleneck": garments.turtleneck, "leather": tailored.leather, "linen": tailored.linen}
"""Kinds that are cut anew; the others keep the person's own clothes."""
EMPTY_HW = np.float32(-8)
"""Depth where nobody is."""


def honours(plate: Plate, cloth: Cloth) -> str:
    """Can this person be dressed so? "yes", "no" (then `dress` keeps what is worn) or "kept from photo"."""
    if cloth.kind in MADE:
        return "yes"
    if cloth.kind == "bare":
        return "kept from photo" if _bare(plate) else "no"
    return "kept from photo"


def dress(plate: Plate, cloth: Cloth) -> Subject:
    """The person f32 on the plate's grid, dressed as asked: cloth of mean luminance reflectance ``cloth.reflectance``.

    Kind "own" changes nothing: neither tone nor form of what is worn.
    """
    if cloth.kind != "own":
        plate = tresses.frayed(plate, neck.hand_of(plate))
    kept = neck.keep(plate)
    figure = _Figure(plate)
    if cloth.kind != "own" and neck.closed(kept.wrap, plate.landmarks):
        kept = replace(kept, wrap=np.minimum(kept.wrap + _hem(figure, plate, kept), 1))
    if cloth.kind != "own":
        _round_off(figure, plate.hw_px)
        # Frames of glasses stand off the face, so that they throw a thin shadow on it.
        figure.depth += np.float32(FRAME_HW) * blur(step(plate.parts["glasses"], 0.3, 0.8), 0.008 * plate.hw_px)
        tresses.groom(figure.albedo, plate, neck.hand_of(plate))
    if cloth.kind in MADE:
        _cut_anew(figure, plate, neck.measure(plate, kept.wrap), kept, cloth)
    elif cloth.kind != "own":  # own: exactly as photographed, for measurements
        _darken(figure, plate, kept, cloth)
    if cloth.kind == "own":
        return figure.subject(plate, 1.0)
    x, y = plate.landmarks[4, :2]
    return strays.strewn(figure.subject(plate, MOIST), plate.inside, (float(x), float(y)), neck.hand_of(plate))


ROUND_HW = 0.016
"""How far from the outline facing is carried on from further in."""


FRAME_HW = 0.028
"""How far glasses stand before brow and cheek."""


def _round_off(figure: _Figure, k: float) -> None:
    """Carry the facing f32[h, w, 3] of what lies further in over the outline's last pixels, in place.

    There the form was blown up from a coarser silhouette than the matte's own: a pixel that faces away is a dark tooth.
    """
    solid = (figure.matte > 0.5).astype(np.uint8)
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if len(rows) < 3 or len(columns) < 3:
        return
    m = round(0.1 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    solid = np.pad(solid[box], 1, mode="edge")
    within = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1] / np.float32(k)
    sure = step(within, ROUND_HW, 1.5 * ROUND_HW)
    normal = figure.normal[box]
    total, mass = np.zeros_like(normal), np.zeros_like(sure)
    for i, sigma in enumerate((0.006, 0.018, 0.05)):
        total += blur(normal * sure[..., None], sigma * k) * np.float32(0.003**i)
        mass += blur(sure, sigma * k) * np.float32(0.003**i)
    mix = ((1 - sure) * (mass > 1e-8))[..., None]
    carried = normal + mix * (total / np.maximum(mass, 1e-9)[..., None] - normal)
    figure.normal[box] = carried / np.maximum(np.linalg.norm(carried, axis=2, keepdims=True), 1e-6)


def _hem(figure: _Figure, plate: Plate, kept: Kept) -> F32:
    """Under a wrap that closes round the face no skin lies beside the face's outline: what was read so is the wrap's rim.

    As skin it would shine and glow, a burnt patch beside the cheek. Changes the figure, gives the rim f32[h, w].
    """
    k = plate.hw_px
    oval = np.zeros(plate.matte.shape, np.uint8)
    cv2.fillPoly(oval, [np.round(plate.landmarks[list(OVAL), :2]).astype(np.int32)], 1)
    beside = cv2.distanceTransform(1 - oval, cv2.DIST_L2, 5) / np.float32(k)
    within = cv2.distanceTransform(oval, cv2.DIST_L2, 5) / np.float32(k)
    over = np.maximum(step(beside, 0.002, 0.02) * (kept.below < 0.05), step(kept.wrap, 0.05, 0.35))
    # The mesh's outline runs under the cloth of a turned head: within it the nearer of the two colours tells.
    look = np.log(np.clip(plate.colour, 0.01, 1))
    look = np.dstack([0.5 * look.mean(-1), look[..., 0] - look[..., 1], look[..., 2] - look[..., 1]])
    far_in, sure = np.asarray(figure.skin > 0.9, np.float32) * (within > 0.20), np.asarray(kept.wrap > 0.9, np.float32)
    sure = np.asarray(cv2.erode(sure, np.ones((7, 7), np.uint8)), np.float32)
    if sure.sum() > 100 and far_in.sum() > 100:
        as_skin, as_wrap = (np.square(look - neck.spread(look, np.asarray(m, np.float32), k)).sum(-1) for m in (far_in, sure))
        like = blur(np.asarray((as_skin - as_wrap) / (as_skin + as_wrap + 0.02), np.float32), 0.006 * k)
        over = np.maximum(over, step(like, 0.3, 0.65) * (1 - step(within, 0.14, 0.24)) * step(blur(sure, 0.10 * k), 0.01, 0.08))
    rim = np.asarray(figure.skin * over * (1 - kept.hands), np.float32)
    figure.skin -= rim
    figure.cloth = np.asarray(np.minimum(figure.cloth + rim, 1), np.float32)
    figure.specular *= 1 - np.maximum(over, np.minimum(rim * 4, 1)) * (1 - kept.hands)
    figure.roughness += (0.85 - figure.roughness) * rim
    if sure.sum() > 100:
        # Old light was taken off it as off skin: take it off as off the wrap beside it.
        taken = np.clip(luminance(plate.albedo), 0.004, 1) / np.clip(luminance(plate.colour), 0.004, 1)
        usual = neck.spread(np.repeat(taken[..., None], 3, 2), sure, k)
        figure.albedo += (np.clip(plate.colour * usual, 0, 1) - figure.albedo) * step(rim, 0.05, 0.5)[..., None]
    return rim


MOIST = 1.3
"""How much more skin shines than bare dry skin: under one hard lamp a powdered face is chalk."""
_MAPS = ("matte", "albedo", "depth", "normal", "skin", "hair", "cloth", "eyes", "roughness", "specular", "sheen")


class _Figure:
    """The subject's maps while they are being laid over each other."""

    def __init__(self, plate: Plate) -> None:
        p = plate.parts
        self.matte = np.array(plate.matte)
        self.albedo, self.depth, self.normal = np.array(plate.albedo), np.array(plate.depth), np.array(plate.normal)
        self.skin = np.minimum(p["skin"] + p["hands"], 1)
        self.hair, self.cloth, self.eyes = np.array(p["hair"]), np.array(p["cloth"]), np.array(p["eyes"])
        self.roughness, self.specular = _skin_finish(plate, self.skin)
        self.sheen = np.asarray(0.15 * p["cloth"], np.float32)

    def cut(self, top: int) -> _Figure:
        """Take everybody away from row `top` down, and give what was there as a figure of its own."""
        own = copy.copy(self)
        for name in _MAPS:
            whole = getattr(self, name)
            setattr(own, name, whole[top:].copy())
            whole[top:] = 0
        return own

    def lay(self, sheet: Layer, at: tuple[int, int], dye: F32) -> None:
        """Lay a sheet over what is there, its first pixel `at` (row, column), its albedo times `dye` f32[3]."""
        kind = np.array([sheet.skin, 0, 1 - sheet.skin, 0, sheet.roughness, sheet.specular, sheet.sheen], np.float32)
        _lay(
            self.matte, self.albedo, self.depth, self.normal, self._scalars(),
            sheet.cover, np.atleast_3d(sheet.albedo), dye, sheet.depth, sheet.normal, kind, *at,
        )  # fmt: skip

    def _scalars(self) -> tuple[F32, ...]:
        return self.skin, self.hair, self.cloth, self.eyes, self.roughness, self.specular, self.sheen

    def put_back(self, source: _Figure, cover: F32, depth: F32, top: int) -> None:
        """Lay what was cut away at row `top` over this figure again, with `cover` and a `depth` f32[h - top, w] of its own."""
        _put_back(
            self.matte, self.albedo, self.depth, self.normal, self._scalars(),
            cover, source.albedo, depth, source.normal, source._scalars(), top,
        )  # fmt: skip

    def subject(self, plate: Plate, shine: float) -> Subject:
        self.depth[self.matte < 0.02] = EMPTY_HW
        # Colour goes on beyond the outline: a step to black there would read as a bright strand along it.
        carried = neck.spread(self.albedo, step(self.matte, 0.5, 0.95), plate.hw_px)
        self.albedo += (carried - self.albedo) * (1 - step(self.matte, 0.02, 0.4))[..., None]
        maps = {name: freeze(np.asarray(getattr(self, name), np.float32)) for name in _MAPS}
        return Subject(hw_px=plate.hw_px, head_px=neck.middle(plate.landmarks), shine=shine, **maps)


@njit(cache=True)
def _share(under: float, cover: float) -> tuple[float, float]:
    """Porter and Duff's "over" (1984) for values that are not premultiplied: weight of the upper one, and both's coverage."""
    both = cover + (1 - cover) * under
    return cover / both, both


@njit(cache=True, parallel=True)
def _lay(
    matte: Any, albedo: Any, depth: Any, normal: Any, scalars: Any,
    cover: Any, albedo_2: Any, dye: Any, depth_2: Any, normal_2: Any, kind: Any, row: int, column: int,
) -> None:  # fmt: skip
    skin, hair, cloth, eyes, roughness, specular, sheen = scalars
    h, w = cover.shape
    last = albedo_2.shape[2] - 1
    for i in prange(h):
        r = i + row
        for j in range(w):
            a = cover[i, j]
            if a <= 0:
                continue
            c = j + column
            k, matte[r, c] = _share(matte[r, c], a)
            for m in range(3):
                albedo[r, c, m] += k * (albedo_2[i, j, min(m, last)] * dye[m] - albedo[r, c, m])
                normal[r, c, m] += k * (normal_2[i, j, m] - normal[r, c, m])
            depth[r, c] += k * (depth_2[i, j] - depth[r, c])
            skin[r, c] += k * (kind[0] - skin[r, c])
            hair[r, c] += k * (kind[1] - hair[r, c])
            cloth[r, c] += k * (kind[2] - cloth[r, c])
            eyes[r, c] += k * (kind[3] - eyes[r, c])
            roughness[r, c] += k * (kind[4] - roughness[r, c])
            specular[r, c] += k * (kind[5] - specular[r, c])
            sheen[r, c] += k * (kind[6] - sheen[r, c])


@njit(cache=True, parallel=True)
def _put_back(
    matte: Any, albedo: Any, depth: Any, normal: Any, scalars: Any,
    cover: Any, albedo_2: Any, depth_2: Any, normal_2: Any, scalars_2: Any, top: int,
) -> None:  # fmt: skip
    skin, hair, cloth, eyes, roughness, specular, sheen = scalars
    skin_2, hair_2, cloth_2, eyes_2, roughness_2, specular_2, sheen_2 = scalars_2
    h, w = cover.shape
    for i in prange(h):
        r = i + top
        for c in range(w):
            a = cover[i, c]
            if a <= 0:
                continue
            k, matte[r, c] = _share(matte[r, c], a)
            for m in range(3):
                albedo[r, c, m] += k * (albedo_2[i, c, m] - albedo[r, c, m])
                normal[r, c, m] += k * (normal_2[i, c, m] - normal[r, c, m])
            depth[r, c] += k * (depth_2[i, c] - depth[r, c])
            skin[r, c] += k * (skin_2[i, c] - skin[r, c])
            hair[r, c] += k * (hair_2[i, c] - hair[r, c])
            cloth[r, c] += k * (cloth_2[i, c] - cloth[r, c])
            eyes[r, c] += k * (eyes_2[i, c] - eyes[r, c])
            roughness[r, c] += k * (roughness_2[i, c] - roughness[r, c])
            specular[r, c] += k * (specular_2[i, c] - specular[r, c])
            sheen[r, c] += k * (sheen_2[i, c] - sheen[r, c])


FOREHEAD, NOSE_RIDGE, CHEEKS = (9, 151, 108, 337), (1, 4, 5, 195, 6), (50, 280, 117, 346)
"""Mesh points where skin is oiliest (forehead, nose) and where it is not."""


def _skin_finish(plate: Plate, skin: F32) -> tuple[F32, F32]:
    """Roughness and F0 f32[h, w]: oily brow and nose .36 and .037, cheeks .45 and .037, other skin .44 and .030; eyes and lips wetter."""
    h, w = skin.shape
    q = 4
    ys, xs = np.mgrid[0:h:q, 0:w:q].astype(np.float32)

    def zone(points: tuple[int, ...], reach: float) -> F32:
        total = np.zeros_like(xs)
        for x, y in plate.landmarks[list(points), :2]:
            total = np.maximum(total, np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / np.float32(2 * (reach * plate.hw_px) ** 2)))
        return np.asarray(total, np.float32)

    oily = np.maximum(zone(FOREHEAD, 0.13), zone(NOSE_RIDGE, 0.05))
    dry = zone(CHEEKS, 0.11) * (1 - oily)
    rough = cv2.resize(0.44 - 0.08 * oily + 0.01 * dry, (w, h), interpolation=cv2.INTER_LINEAR)
    f0 = cv2.resize(0.030 + 0.007 * oily + 0.007 * dry, (w, h), interpolation=cv2.INTER_LINEAR)
    p = plate.parts
    wet = np.maximum(p["eyes"], 0.5 * p["lips"])
    rough = rough + wet * (0.12 - rough) * (p["eyes"] > 0.3) + p["hair"] * (0.40 - rough) + p["cloth"] * (0.85 - rough)
    return np.asarray(rough, np.float32), np.asarray(f0 * skin * (1 - p["hair"]), np.float32)


def _cut_anew(figure: _Figure, plate: Plate, bust: Bust, kept: Kept, cloth: Cloth) -> None:
    """Take the photo's body away and lay neck, garment and what is kept over each other."""
    h, w = plate.matte.shape
    k = plate.hw_px
    top = int(np.clip(bust.chin_px[1] - 0.75 * k, 0, h - 2))
    figure.matte[:top] = np.minimum(figure.matte[:top], kept.head[:top])
    own, part = figure.cut(top), kept.below_row(top)
    _heal_jaw(own, part, k)
    _unmix(own, part, plate.parts["cloth"][top:], k)

    # A garment is worked out where a body can be, not over the whole window.
    axis = bust.chin_px[0] + bust.throat[0] * k
    first, last = int(np.clip(axis - 1.75 * k, 0, w - 8)), int(np.clip(axis + 1.75 * k, 8, w))
    body = np.s_[top:h, first:last]
    y_px, x_px = np.mgrid[body].astype(np.float32)
    x, y = bust.across(x_px, y_px)
    tint = np.array(TINTS[cloth.kind], np.float32)
    dye = np.asarray(tint * (cloth.reflectance / luminance(tint)), np.float32)
    made = MADE[cloth.kind](bust, x, y, _outline(plate, bust, kept, x, y, body))
    for sheet, at in made.inner:
        figure.lay(sheet, (at[0] + top, at[1] + first), dye)
    near = garments.window(bust, x, y, bust.neck + 0.25, (-0.75, 1.0))
    at = (near.at[0] + top, near.at[1] + first)
    figure.lay(neck.rebuild(plate, bust, kept, near.of(x), near.of(y), at), at, np.ones(3, np.float32))
    for sheet, at in made.outer:
        figure.lay(_without_slivers(sheet, part.head, at, first, k), (at[0] + top, at[1] + first), dye)
    _level(figure.albedo[top:], figure.cloth[top:] * figure.matte[top:], cloth.reflectance)

    _drawn_over(own, part, plate.parts["hands"][top:], k)

    # Hair, beard and wrap fall over what was put on, hands lie before it; neither ever sinks into it. The lower hair falls,
    # the closer it lies: standing off like the head above it, it would throw a black band over the shoulder.
    off = step(part.below, 0.0, 0.08)
    for cover, gap, loose in ((part.head, 0.025, 0.25), (part.hands, 0.05, 9.0)):
        if cover.max() > 0:
            dressed = step(figure.matte[top:], 0.3, 0.9)
            ground = blur(np.where(figure.matte[top:] > 0.02, figure.depth[top:], -1), 0.01 * k)
            low = ground + np.float32(gap)
            high = low + 0.02 + np.float32(loose) * np.exp(-np.maximum(part.below, 0) / 0.28)
            # A wrap carries its own form down: pressed to a throat that nobody sees it would be torn along the throat's sides.
            over = np.float32(9) * step(part.wrap, 0.1, 0.6)
            low, high = low - over * (1 - step(part.below, 0.20, 0.45)), high + over
            lying = np.clip(own.depth, low, high)
            figure.put_back(own, cover, np.asarray(own.depth + (lying - own.depth) * off * dressed, np.float32), top)
    if part.hands.max() > 0.5:
        like = made.outer[0][0]
        ribbed = cloth.kind == "turtleneck"
        for sheet, at in sleeve.sleeves(part.hands, figure.depth[top:], k, bust.hand, like, ribbed=ribbed):
            level = cloth.reflectance / max(float(sheet.albedo[sheet.cover > 0.5].mean()), 1e-3) if (sheet.cover > 0.5).any() else 0.0
            figure.lay(sheet, (at[0] + top, at[1]), np.asarray(tint / luminance(tint) * level, np.float32))
    _quieten(figure.albedo, plate, kept)


SLIVER_HW = 0.016
"""Half the width under which cloth that shows beside hair or a wrap is none."""


def _without_slivers(sheet: Layer, head: F32, at: tuple[int, int], first: int, k: float) -> Layer:
    """The sheet without what would peep out along the outline of a wrap or of hair: a seam of dark teeth there."""
    rows, columns = sheet.cover.shape
    over = head[at[0] : at[0] + rows, at[1] + first : at[1] + first + columns]
    if over.shape != sheet.cover.shape or over.max() < 0.3:
        return sheet
    shown = ((sheet.cover > 0.05) & (over < 0.6)).astype(np.uint8)
    side = 2 * round(SLIVER_HW * k) + 1
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    pad = cv2.copyMakeBorder(shown, side, side, side, side, cv2.BORDER_REPLICATE)
    broad = np.asarray(cv2.morphologyEx(pad, cv2.MORPH_OPEN, round_)[side:-side, side:-side] > 0)
    beside = np.asarray(cv2.dilate((over > 0.3).astype(np.uint8), round_) > 0)
    sliver = ((shown > 0) & ~broad & beside).astype(np.uint8)
    gone = np.asarray((cv2.dilate(sliver, np.ones((3, 3), np.uint8)) > 0) & ~broad, np.float32)
    return replace(sheet, cover=np.asarray(sheet.cover * (1 - blur(gone, 0.7)), np.float32))


def _quieten(albedo: F32, plate: Plate, kept: Kept) -> None:
    """Darken what is worn on the head, in place: to about a quarter of the skin's luminance, so that no veil outshines its face."""
    if kept.wrap.max() <= 0.5:
        return
    tone = luminance(plate.albedo)
    skin = float(np.median(tone[(plate.parts["skin"] > 0.9) & (kept.below < -0.05)]))
    wrap = float(np.median(tone[kept.wrap > 0.5]))
    gain = float(np.clip(0.24 * skin / max(wrap, 0.01), 0.3, 0.8))
    albedo *= (1 - (1 - gain) * kept.wrap)[..., None]


TINTS = {"turtleneck": (1.0, 0.98, 0.97), "leather": (1.0, 0.96, 0.93), "linen": (1.0, 0.985, 0.95)}
"""Colour of each cloth before it is brought to its reflectance: charcoal, black-brown, unbleached white."""


def _level(albedo: F32, cover: F32, reflectance: float) -> None:
    """Bring the mean luminance of cloth under `cover` f32[h, w] to `reflectance`, in place."""
    weight = step(cover, 0.5, 0.9)
    mean = float((luminance(albedo) * weight).sum() / max(float(weight.sum()), 1.0))
    if mean > 0:
        gain = np.float32(reflectance / mean)
        albedo *= (1 + (gain - 1) * np.clip(cover, 0, 1))[..., None]


def _outline(plate: Plate, bust: Bust, kept: Kept, x: F32, y: F32, box: tuple[slice, slice]) -> garments.Outline:
    """The clothed body's outline: the person's own where it is natural, natural shoulders where old clothes stood off them."""
    h, w = x.shape
    size, k = (max(w // 4, 2), max(h // 4, 2)), np.float32(plate.hw_px / 4)
    xs, ys = (np.asarray(cv2.resize(v, size, interpolation=cv2.INTER_LINEAR), np.float32) for v in (x, y))
    person = cv2.resize(np.maximum(plate.matte[box], 1 - plate.inside[box]), size, interpolation=cv2.INTER_AREA) > 0.5
    natural = garments.silhouette(bust, xs, ys)
    hands = cv2.resize(kept.hands[box], size, interpolation=cv2.INTER_AREA) > 0.5
    if hands.any():
        # A raised hand keeps the sleeve that leads to it.
        away = cv2.distanceTransform((~hands).astype(np.uint8), cv2.DIST_L2, 5) / k
        natural = np.maximum(natural, 0.8 - away)
    wrap = cv2.resize(kept.wrap[box], size, interpolation=cv2.INTER_AREA) > 0.5
    if wrap.any():
        # The tail of a wrap lies on the shoulder that the photo shows under it.
        away = cv2.distanceTransform((~wrap).astype(np.uint8), cv2.DIST_L2, 5) / k
        natural = natural + np.float32(0.18) * step(0.30 - away, 0.0, 0.20)
    # Notches between a ring, a collar or a pad and the shoulder are not the person's.
    across = 2 * round(0.20 * float(k)) + 1
    closed = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across)))
    within = ((natural > 0) & (closed > 0)).astype(np.uint8)
    pad = round(0.5 * float(k))
    wide = cv2.copyMakeBorder(within, 0, pad, pad, pad, cv2.BORDER_REPLICATE)
    signed = cv2.distanceTransform(wide, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5)
    return garments.Outline(xs, ys, blur(np.asarray(signed[:-pad, pad:-pad] / k, np.float32), 0.035 * float(k)))


def _unmix(own: _Figure, part: Kept, cloth: F32, k: float) -> None:
    """Clean hair of the shirt it fell over: where the two met, shirt leaves the hair's layer and hair its own colour."""
    there = cv2.resize(part.hair, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA) > 0.01
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return
    box = np.s_[8 * rows[0] : 8 * rows[-1] + 16, max(8 * columns[0] - 8, 0) : 8 * columns[-1] + 16]
    hair, albedo = part.hair[box], own.albedo[box]
    near = blur(np.clip(cloth - part.wrap, 0, 1)[box], 0.012 * k)
    zone = step(near, 0.01, 0.15) * (hair > 0.01)
    sure = step(cv2.erode(hair, np.ones((5, 5))), 0.85, 0.98) * (near < 0.05)
    if zone.max() <= 0 or sure.sum() < 100:
        return
    strand = neck.spread(albedo, sure, k)
    # A pixel brighter than hair is here by half is shirt shining through.
    excess = np.log(np.maximum(luminance(albedo), 0.004) / np.maximum(luminance(strand), 0.004))
    part.head[box] *= 1 - zone * step(excess, 0.25, 0.9) * (part.below[box] > 0)
    albedo += (strand - albedo) * (zone * step(excess, 0.15, 0.6))[..., None]


def _heal_jaw(own: _Figure, part: Kept, k: float) -> None:
    """Carry form f32[h, w] over the last pixels before the jaw line, where head and neck were read as one.

    A lip of depth there, or a normal that turns up, is a white scratch along the jaw in any raking light.
    """
    band = step(part.below, -0.035, -0.018) * (part.below < 0.08) * (1 - np.maximum(part.hair, part.wrap)) * (part.head > 0)
    rows, columns = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    if not len(rows):
        return
    m = round(0.15 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    sound = ((part.below[box] < -0.018) & (own.matte[box] > 0.9)).astype(np.float32)
    form = np.dstack([own.normal[box], own.depth[box]])
    total, mass = np.zeros_like(form), np.zeros_like(sound)
    for i, sigma in enumerate((0.006, 0.018, 0.05)):
        total += blur(form * sound[..., None], sigma * k) * np.float32(0.003**i)
        mass += blur(sound, sigma * k) * np.float32(0.003**i)
    carried = total / np.maximum(mass, 1e-9)[..., None]
    mix = (band[box] * (mass > 1e-8))[..., None]
    form += mix * (carried - form)
    length = np.maximum(np.linalg.norm(form[..., :3], axis=2, keepdims=True), 1e-6)
    own.normal[box] = np.where(mix > 0, form[..., :3] / length, own.normal[box])
    own.depth[box] = form[..., 3]


def _drawn_over(own: _Figure, part: Kept, hands: F32, k: float) -> None:
    """A wrap spans the hollow between jaw and throat instead of lining it, and a hand goes on into its wrist: smooth form, in place.

    `hands` f32[h, w] is what was read as hands: their form ends there in a step, though the arm goes on.
    """
    _smooth(own, step(part.wrap, 0.3, 0.8), step(part.below, -0.08, 0.04), 0.07 * k, k)
    near = blur(np.clip(hands, 0, 1), 0.05 * k)
    _smooth(own, step(part.hands, 0.3, 0.8), np.asarray(step(near * (1 - near), 0.05, 0.16), np.float32), 0.07 * k, k)


def _smooth(own: _Figure, part: F32, where: F32, sigma_px: float, k: float) -> None:
    """Blur depth and facing among `part` f32[h, w], in place, as far as `where` f32[h, w] says."""
    under = part * where
    rows, columns = np.flatnonzero((under > 0.01).any(1)), np.flatnonzero((under > 0.01).any(0))
    if len(rows) < 3 or len(columns) < 3:
        return
    m = round(0.2 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    weight = part[box] * (own.matte[box] > 0.5)
    form = np.dstack([own.normal[box], own.depth[box]])
    broad = blur(form * weight[..., None], sigma_px) / np.maximum(blur(weight, sigma_px), np.float32(1e-3))[..., None]
    form += (under[box] * weight)[..., None] * (broad - form)
    own.normal[box] = form[..., :3] / np.maximum(np.linalg.norm(form[..., :3], axis=2, keepdims=True), 1e-6)
    own.depth[box] = form[..., 3]


def _darken(figure: _Figure, plate: Plate, kept: Kept, cloth: Cloth) -> None:
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
    _level(dark, np.asarray(worn * plate.matte, np.float32), cloth.reflectance)
    figure.albedo += ((dark - figure.albedo) * worn[..., None]).astype(np.float32)
    _quieten(figure.albedo, plate, kept)


def _bare(plate: Plate) -> bool:
    """Does the photo show bare shoulders: mostly skin where a garment would be?"""
    bust = neck.measure(plate, neck.keep(plate).wrap)
    h, w = plate.matte.shape
    y_px, x_px = np.mgrid[0:h:4, 0:w:4].astype(np.float32)
    x, y = bust.across(x_px, y_px)
    where = (garments.silhouette(bust, x, y) > 0.1) & (y > 0.35) & (y < 1.1)
    seen = where & ((plate.matte * plate.inside)[::4, ::4] > 0.5) & (plate.parts["hair"][::4, ::4] < 0.5)
    return bool(seen.sum() > 100 and (plate.parts["skin"][::4, ::4][seen] > 0.5).mean() > 0.6)
