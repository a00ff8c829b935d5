"""dress: put the person of a Plate into the clothes of the picture, before any light.

Cloth changes albedo, form and the shadows that form throws, so it comes first. Layers are laid from the back: the inside of
a collar, a neck rebuilt under the jaw, the garment, then what the photo keeps in front (head, hair, wrap, hands), each with a
feathered edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.darkroom import garments
from lowkey.darkroom.garments import Layer
from lowkey.darkroom.neck import Bust, Kept, blur, keep, measure, step
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from lowkey.rig import Cloth
from numba import njit, prange

MADE = ("turtleneck", "leather", "linen")
"""Kinds that are cut anew; the others keep the person's own clothes."""


def honours(plate: Plate, cloth: Cloth) -> str:
    """Can this person be dressed so? "yes", "no" (then `dress` keeps what is worn) or "kept from photo"."""
    if cloth.kind in MADE:
        return "yes"
    if cloth.kind == "bare":
        return "kept from photo" if _bare(plate) else "no"
    return "kept from photo"


def dress(plate: Plate, cloth: Cloth) -> Subject:
    """The person f32 on the plate's grid, dressed as asked: cloth of mean luminance reflectance ``cloth.reflectance``."""
    if cloth.kind not in MADE:
        return _as_worn(plate, cloth)
    bust = measure(plate)
    kept = keep(plate, bust)
    h, w = plate.matte.shape
    top = int(np.clip(bust.chin_px[1] - 0.75 * plate.hw_px, 0, h - 2))
    rows = slice(top, h)
    y_px, x_px = np.mgrid[top:h, 0:w].astype(np.float32)
    x, y = bust.across(x_px, y_px)

    stack, matte = np.zeros((h - top, w, CHANNELS), np.float32), np.zeros((h - top, w), np.float32)
    from lowkey.darkroom.neck import rebuild

    edge, depth, quarter = _body(plate, bust, kept, x, y, rows)
    back, *front = garments.turtleneck(bust, x, y, edge, depth, quarter)
    own = _person(plate, kept)
    _lay(stack, matte, back, cloth)
    _lay(stack, matte, rebuild(plate, bust, kept, x, y, rows), cloth)
    for sheet in front:
        _lay(stack, matte, sheet, cloth)

    # Head, hair and hands lie in front of everything that was put on, and never inside it.
    for cover, gap in ((kept.head, 0.03), (kept.hands, 0.06)):
        mine = own[rows].copy()
        far = np.where(matte > 0.02, stack[..., DEPTH], -9)
        fallen = step(kept.below[rows], 0.0, 0.06)
        mine[..., DEPTH] = np.maximum(mine[..., DEPTH], np.where(fallen > 0, far + gap * fallen, -9))
        _over(stack, matte, mine, np.ascontiguousarray(cover[rows]))
    own[rows] = stack
    whole = (plate.matte * np.where(kept.wrap > 0, 1, 1)).astype(np.float32)
    whole[rows] = matte
    return _subject(plate, own, whole)


CHANNELS = 14
ALBEDO, DEPTH, NORMAL = slice(0, 3), 3, slice(4, 7)
SKIN, HAIR, CLOTH, EYES, ROUGHNESS, SPECULAR, SHEEN = range(7, 14)


@njit(cache=True, parallel=True)  # type: ignore[untyped-decorator]
def _over(stack: NDArray[np.float32], matte: NDArray[np.float32], top: NDArray[np.float32], cover: NDArray[np.float32]) -> None:
    """Lay `top` [h, w, c] over `stack` in place (Porter and Duff 1984, "over", for values that are not premultiplied)."""
    h, w = matte.shape
    for r in prange(h):
        for c in range(w):
            a = cover[r, c]
            if a <= 0:
                continue
            both = a + (1 - a) * matte[r, c]
            share = a / both
            for i in range(stack.shape[2]):
                stack[r, c, i] += share * (top[r, c, i] - stack[r, c, i])
            matte[r, c] = both


def _lay(stack: NDArray[np.float32], matte: NDArray[np.float32], sheet: Layer, cloth: Cloth) -> None:
    top = np.empty_like(stack)
    top[..., ALBEDO] = sheet.albedo if sheet.albedo.ndim == 3 else sheet.albedo[..., None] * np.float32(cloth.reflectance)
    top[..., DEPTH] = sheet.depth
    top[..., NORMAL] = sheet.normal
    top[..., SKIN], top[..., HAIR], top[..., CLOTH], top[..., EYES] = sheet.skin, 0, 1 - sheet.skin, 0
    top[..., ROUGHNESS], top[..., SPECULAR], top[..., SHEEN] = sheet.roughness, sheet.specular, sheet.sheen
    _over(stack, matte, top, sheet.cover)


def _body(plate: Plate, bust: Bust, kept: Kept, x: F32, y: F32, rows: slice) -> tuple[F32, F32, tuple[F32, F32, F32]]:
    """The clothed body: signed distance to its outline f32[h, w] (hw), depth, and depth, x, y on a quarter grid."""
    h, w = x.shape
    size = (w // 4, h // 4)
    k = np.float32(plate.hw_px / 4)
    xs, ys = (cv2.resize(v, size, interpolation=cv2.INTER_LINEAR) for v in (x, y))
    person = cv2.resize(np.maximum(plate.matte, 1 - plate.inside)[rows], size, interpolation=cv2.INTER_AREA) > 0.5
    natural = garments.silhouette(bust, xs, ys)
    within = ((natural > 0) & person).astype(np.uint8)
    within = cv2.morphologyEx(within, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    pad = round(0.5 * float(k))
    wide = cv2.copyMakeBorder(within, 0, pad, pad, pad, cv2.BORDER_REPLICATE)
    signed = cv2.distanceTransform(wide, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5)
    signed = blur(np.asarray(signed[:-pad, pad:-pad] / k, np.float32), 0.035 * float(k))
    solid = np.maximum(step(signed, -0.01, 0.01), (np.abs(xs) < 0.92 * bust.neck) & (ys < 0.7))
    depth = garments.torso(bust, xs, ys, np.asarray(solid, np.float32), garments._mirrored(garments._SWEATER, bust))
    full = [np.asarray(cv2.resize(v, (w, h), interpolation=cv2.INTER_CUBIC), np.float32) for v in (signed, depth)]
    return full[0], full[1], (depth, xs, ys)


def _person(plate: Plate, kept: Kept) -> NDArray[np.float32]:
    """The photo's own person as channels f32[h, w, 14]."""
    h, w = plate.matte.shape
    out = np.zeros((h, w, CHANNELS), np.float32)
    out[..., ALBEDO], out[..., DEPTH], out[..., NORMAL] = plate.albedo, plate.depth, plate.normal
    p = plate.parts
    out[..., SKIN] = np.clip(p["skin"] + p["hands"], 0, 1)
    out[..., HAIR], out[..., CLOTH], out[..., EYES] = p["hair"], p["cloth"], p["eyes"]
    out[..., ROUGHNESS] = 0.42
    out[..., SPECULAR] = 0.034 * out[..., SKIN]
    out[..., SHEEN] = 0.2 * p["cloth"]
    return out


def _as_worn(plate: Plate, cloth: Cloth) -> Subject:
    bust = measure(plate)
    return _subject(plate, _person(plate, keep(plate, bust)), np.array(plate.matte))


def _bare(plate: Plate) -> bool:
    return False


def _subject(plate: Plate, c: NDArray[np.float32], matte: F32) -> Subject:
    c[..., DEPTH] = np.where(matte < 0.02, -8, c[..., DEPTH])

    def one(i: int | slice) -> F32:
        return freeze(np.ascontiguousarray(c[..., i]))

    return Subject(
        plate.hw_px, freeze(matte), one(ALBEDO), one(DEPTH), one(NORMAL), one(SKIN), one(HAIR), one(CLOTH), one(EYES),
        one(ROUGHNESS), one(SPECULAR), one(SHEEN),
    )  # fmt: skip
