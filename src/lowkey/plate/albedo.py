"""Take the photo's own light off the person: what remains is colour.

Order: the broad shading (a fit), what is left of old shadows and patches (flattening), old shine, an old rim, the light's own colours
(`undertone`), old catchlights. By shading only luminance is divided. What chroma changes (shine and rims take the colour of the skin
beside them, skin comes nearer to its own undertone) is bounded by `undertone.MOST`, and measured by `chroma_shift`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import meshes, shading, undertone
from lowkey.plate.plate import FoundLight
from lowkey.plate.shading import among

CLAMP = (0.45, 1.7)
"""Shading outside this range of its median is not trusted (and approached softly)."""
POWER = 0.9
FLATTEN, FLATTEN_HARD = 0.25, 0.60
"""Share of the remaining broad unevenness of skin that is taken off, in soft and in hard light."""
LEAST_VEIL, MOST_VEIL = 0.004, 0.08
"""Lifted black, in linear light, below which nothing is done and above which the photo simply holds nothing dark."""
BLACK_HAIR = 0.011
"""Reflectance of hair in which the photo saw nothing."""
MELANIN = 0.36
"""How far green lies from red toward blue, in log reflectance, in hair of eumelanin: its absorption (.419, .697, 1.37 in red, green and
blue) enters a hair's colour by its square root (d'Eon and others 2011; Chiang and others 2016). Pheomelanin: .34."""
TINTED = (0.10, 0.25)
"""Log green over that of melanin from which hair is no longer held to be stained by its room, and from which it is dyed."""
IRIS_RIMS = ((469, 470, 471, 472), (474, 475, 476, 477))


def delight(
    colour: F32, normal: F32, depth: F32, parts: Mapping[str, F32], matte: F32, hw_px: float, landmarks: F32
) -> tuple[F32, FoundLight]:
    """Albedo f32[h, w, 3] in 0..1 and the light that was found in the photo.

    `colour` f32[h, w, 3] linear, `normal` f32[h, w, 3], `depth` f32[h, w] hw, `landmarks` f32[478, 3] px. The light is
    fitted on all skin with order-1 spherical harmonics (robustly, so that cast shadows and shine do not count) and divided
    out; hair and cloth get half of it.
    """
    # Nothing is done where nobody is: work on the person's own box.
    box = _box(matte > 0.004, 0)
    if box is None:
        return np.zeros_like(colour), FoundLight(0.0, 0.0, 0.0, False, 0.0, 0.0)
    points = landmarks - np.array([box[1].start, box[0].start, 0], np.float32)
    inner, found = _delit(colour[box], normal[box], {k: v[box] for k, v in parts.items()}, matte[box], hw_px, points)
    albedo = np.zeros_like(colour)
    albedo[box] = inner
    return albedo, found


def _box(where: NDArray[np.bool_], margin_px: int) -> tuple[slice, slice] | None:
    """Rows and columns of bool[h, w] that hold all that is true, and a margin; None where nothing is."""
    rows, cols = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    if not len(rows):
        return None
    m = margin_px
    return slice(max(int(rows[0]) - m, 0), int(rows[-1]) + 1 + m), slice(max(int(cols[0]) - m, 0), int(cols[-1]) + 1 + m)


def _delit(colour: F32, normal: F32, parts: Mapping[str, F32], matte: F32, hw_px: float, landmarks: F32) -> tuple[F32, FoundLight]:
    """`delight` on a box round the person."""
    colour = _without_veil(colour, np.asarray(parts["hair"] / np.maximum(matte, np.float32(1e-3)), np.float32))
    skin = parts["skin"] * matte
    features = np.maximum.reduce([parts["eyes"], parts["brows"], parts["lips"], parts["teeth"], parts["glasses"], parts["hair"]])
    clear = np.clip(skin - features, 0, 1)
    fit, spread = shading.fit(np.maximum(luminance(colour), np.float32(1e-4)), normal, clear)
    shade = (np.float32(fit[0]) + normal @ fit[1:].astype(np.float32)).astype(np.float32)
    middle = float(np.median(shade[clear > 0.5])) if (clear > 0.5).any() else 1.0
    log_ratio = _soft_clamp(np.log(np.maximum(shade / max(middle, 1e-4), np.float32(0.05))))
    gentle = np.float32(0.5) * np.clip(parts["hair"] + parts["cloth"] + parts["glasses"], 0, 1)
    flat = colour * np.exp(-np.float32(POWER) * (1 - gentle) * log_ratio)[..., None]

    # What follows is skin's alone: on the skin's own box, with room for the widest blur that could reach in.
    box = _box(skin > 0.004, round(0.05 * hw_px)) or np.s_[:1, :1]
    own, bare, all_skin = np.ascontiguousarray(flat[box]), np.ascontiguousarray(clear[box]), np.ascontiguousarray(skin[box])
    seen, points = np.ascontiguousarray(colour[box]), landmarks - np.array([box[1].start or 0, box[0].start or 0, 0], np.float32)
    found = _describe(fit, spread, own, seen, bare, shade[box], points, hw_px)
    own = _flattened(own, all_skin, bare, FLATTEN_HARD if found.hard else FLATTEN, hw_px)
    own = _without_rim(own, bare, matte[box], hw_px)
    own = _without_shine(own, bare, hw_px)
    oval = meshes.oval(points, bare.shape) > 0
    own = undertone.evened(own, seen, bare, oval, _drawn(all_skin, {k: v[box] for k, v in parts.items()}), hw_px)
    flat[box] = _without_catchlights(own, parts["eyes"][box], points, hw_px)
    flat = _of_melanin(flat, parts["hair"])
    albedo = np.clip(flat, 0, 1) * (matte > 0.004)[..., None]
    return albedo.astype(np.float32), found


def chroma_shift(colour: F32, albedo: F32, skin: F32, hw_px: float) -> tuple[float, float]:
    """How much delighting changed the colour of skin: CIEDE2000 at equal lightness, (median, 95th percentile).

    Broad change (blurred by .05 hw); `skin` f32[h, w] weights.
    """
    box = _box(skin > 0.004, round(0.05 * hw_px)) or np.s_[:, :]
    one, two, mass, _ = undertone.broad(colour[box], albedo[box], np.ascontiguousarray(skin[box]), hw_px)
    shift = undertone.apart(one, two)[mass.ravel() > 0.6]
    return (float(np.median(shift)), float(np.percentile(shift, 95))) if len(shift) else (0.0, 0.0)


def _without_veil(colour: F32, hair: F32) -> F32:
    """Take the photo's own black off the hair f32[h, w] 0..1: black that was lifted, by haze or by taste, is no colour of hair.

    Nothing in a portrait is brighter in all three channels than pupils, nostrils and folds, so the darkest half percent tells
    the veil. What then is nothing at all gets the little that black hair still returns: never more than the veil had been.
    """
    veil = min(float(np.percentile(colour[::4, ::4].reshape(-1, 3), 0.5, axis=0).min()), MOST_VEIL)
    if veil < LEAST_VEIL:
        return colour
    own = np.maximum(colour - np.float32(veil), 0) / np.float32(1 - veil)
    least = np.float32(min(BLACK_HAIR, 0.5 * veil))
    own = np.sqrt(own * own + least * least)
    return np.asarray(colour + np.clip(hair, 0, 1)[..., None] * (own - colour), np.float32)


def _of_melanin(flat: F32, hair: F32) -> F32:
    """Hair f32[h, w, 3] no greener than melanin makes it: red and blue stay, green comes down to melanin's place between them.

    Grass, walls and a camera's green leave a few hundredths too much, which a warm lamp then prints as olive. What is far greener than any
    melanin is dyed and stays; so do greys that lean to blue.
    """
    log = np.log(np.maximum(flat, np.float32(2e-3)))
    warm = log[..., 0] - log[..., 2]
    over = log[..., 1] - log[..., 0] + np.float32(MELANIN) * np.maximum(warm, 0)
    trust = np.clip((np.float32(TINTED[1]) - over) / np.float32(TINTED[1] - TINTED[0]), 0, 1) * np.clip(warm / np.float32(0.04), 0, 1)
    change = np.exp(-np.maximum(over, 0) * trust * np.clip(hair, 0, 1))
    before = luminance(flat)
    out = flat.copy()
    out[..., 1] *= change
    return np.asarray(out * (before / np.maximum(luminance(out), np.float32(1e-6)))[..., None], np.float32)


def _drawn(skin: F32, parts: Mapping[str, F32]) -> F32:
    """Skin f32[h, w] and what has its colour from it: neither eyes, teeth, glasses nor hair."""
    return np.asarray(skin * (1 - np.clip(np.maximum.reduce([parts[k] for k in ("eyes", "teeth", "glasses", "hair")]), 0, 1)), np.float32)


def _soft_clamp(log_ratio: F32) -> F32:
    """Bend log shading smoothly into CLAMP: no edge where the clamp begins."""
    low, high = -math.log(CLAMP[0]), math.log(CLAMP[1])
    limit = np.where(log_ratio > 0, np.float32(high), np.float32(low))
    x = log_ratio / limit
    return np.asarray(limit * x / (1 + np.abs(x) ** 4) ** 0.25, np.float32)


def _describe(
    fit: NDArray[np.float64], spread: float, flat: F32, colour: F32, clear: F32, shade: F32, landmarks: F32, hw_px: float
) -> FoundLight:
    """Say the light in a photographer's words, measured on the face."""
    b = fit[1:]
    length = float(np.linalg.norm(b))
    face = (clear * (meshes.oval(landmarks, clear.shape) > 0)) > 0.6
    if length < 1e-6 or int(face.sum()) < 100:
        return FoundLight(0.0, 0.0, 0.0, False, 0.0, 0.0)
    d = b / length
    azimuth, elevation = math.degrees(math.atan2(d[0], d[2])), math.degrees(math.asin(float(np.clip(d[1], -1, 1))))
    # Contrast as seen, not as fitted: broad luminance of the face between its lit and its shadow side.
    broad = _edge_kept(np.log2(np.maximum(luminance(colour), np.float32(1e-3))), clear, hw_px)
    low, high = np.percentile(broad[face], (8, 92))
    contrast = float(high - low)
    # A small source leaves steps of light where skin itself has none: on cheeks and forehead.
    reach = max(1, round(0.015 * hw_px))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    step = cv2.dilate(broad, kernel) - cv2.erode(broad, kernel)
    jump = 0.0
    for ring in PLAIN_SKIN:
        plain = cv2.fillPoly(np.zeros(clear.shape, np.uint8), [np.round(landmarks[list(ring), :2]).astype(np.int32)], 1)
        inner = cv2.erode(((plain > 0) & face).astype(np.uint8), kernel) > 0
        jump = max(jump, float(np.percentile(step[inner], 90)) if int(inner.sum()) > 50 else 0.0)
    lit, dark = face & (shade > np.percentile(shade[face], 70)), face & (shade < np.percentile(shade[face], 30))
    red_blue = [math.log((float(np.median(colour[m][:, 0])) + 1e-3) / (float(np.median(colour[m][:, 2])) + 1e-3)) for m in (lit, dark)]
    # Planck between 600 and 450 nm: ln(R / B) grows by .008 per mired.
    warm = (red_blue[0] - red_blue[1]) / 0.008
    # Sure when the fit explains the broad light and dark of the face, and when there is any.
    told = float(np.corrcoef(np.maximum(shade[face], 1e-3), np.exp2(broad[face]))[0, 1]) if contrast > 0.05 else 0.0
    sure = float(np.clip(told, 0, 1) * np.clip(contrast / 0.8, 0.2, 1) * np.clip(1.5 - spread, 0, 1))
    return FoundLight(azimuth, elevation, contrast, jump > HARD_JUMP and contrast > HARD_CONTRAST, warm, sure)


PLAIN_SKIN = (
    (104, 69, 108, 151, 337, 299, 333, 334, 296, 336, 9, 107, 66, 105),
    (117, 118, 101, 36, 205, 187, 123, 116),
    (346, 347, 330, 266, 425, 411, 352, 345),
)
"""Rings of mesh points round forehead and cheeks."""
HARD_JUMP, HARD_CONTRAST = 0.45, 2.3
"""Stops over .03 hw on plain skin, and stops over the face, that together tell a hard light."""


def _flattened(flat: F32, skin: F32, clear: F32, share: float, hw_px: float) -> F32:
    """Take `share` of the broad unevenness off skin luminance; edges of old shadows go with it, features stay."""
    luma = np.log2(np.maximum(luminance(flat), np.float32(1e-3)))
    broad = _edge_kept(luma, clear, hw_px)
    if not (clear > 0.6).any():
        return flat
    middle = np.float32(np.median(broad[clear > 0.6]))
    excess = np.clip(broad - middle, -2.5, 1.5)
    on = blur(skin, 0.01 * hw_px)
    return np.asarray(flat * np.exp2(-np.float32(share) * on * excess)[..., None], np.float32)


def _edge_kept(value: F32, weight: F32, hw_px: float) -> F32:
    """Broad version f32[h, w] of a map that keeps strong edges: guided filter by itself (He et al. 2010) among weights.

    Radius .10 hw, edges above about .35 stay. Computed at a third of the size.
    """
    h, w = value.shape
    size = (max(1, w // 3), max(1, h // 3))
    v = cv2.resize(among(value, weight, 0.006 * hw_px), size, interpolation=cv2.INTER_AREA)
    k = cv2.resize(weight, size, interpolation=cv2.INTER_AREA) + np.float32(1e-4)
    side = 2 * round(0.10 * hw_px / 3) + 1

    def mean(a: F32) -> F32:
        return np.asarray(cv2.blur(cv2.blur(a, (side, side)), (side, side)), np.float32)

    mass = mean(k)
    m = mean(v * k) / mass
    variance = np.maximum(mean(v * v * k) / mass - m * m, 0)
    a = variance / (variance + np.float32(0.35**2))
    offset = m - a * m
    a, offset = mean(a * k) / mass, mean(offset * k) / mass
    full = [cv2.resize(x, (w, h), interpolation=cv2.INTER_LINEAR) for x in (a, offset)]
    return np.asarray(full[0] * among(value, weight, 0.012 * hw_px) + full[1], np.float32)


def _without_rim(flat: F32, clear: F32, matte: F32, hw_px: float) -> F32:
    """Press an old rim of light: skin within .15 hw of the outline that is brighter than the skin further in."""
    depth_in = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    band = clear * np.clip((np.float32(0.15) - depth_in) / np.float32(0.06), 0, 1)
    if float((band > 0.5).sum()) < 0.002 * hw_px**2:
        return flat
    inner = among(flat, clear * np.clip((depth_in - np.float32(0.10)) / np.float32(0.06), 0, 1), 0.10 * hw_px)
    return _pressed(flat, inner, band, 1.15, 0.3, hw_px)


def _without_shine(flat: F32, clear: F32, hw_px: float) -> F32:
    """Press highlights that stand more than a tenth above the skin round them; pores stay."""
    return _pressed(flat, among(flat, clear, 0.10 * hw_px), clear, 1.10, 0.3, hw_px)


def _pressed(flat: F32, base: F32, where: F32, threshold: float, keep: float, hw_px: float) -> F32:
    """Bring what is brighter than threshold x base down to threshold + keep x excess, and toward the base's own tint."""
    level = np.maximum(luminance(base), np.float32(1e-4))
    over = np.maximum(among(np.maximum(luminance(flat), np.float32(1e-4)), where, 0.008 * hw_px) / level - np.float32(threshold), 0)
    gain = (np.float32(threshold) + np.float32(keep) * over) / (np.float32(threshold) + over)
    down = flat * gain[..., None]
    tint = base / level[..., None] * luminance(down)[..., None]
    share = np.float32(0.7) * np.clip(over / np.float32(0.25), 0, 1)[..., None]
    return np.asarray(flat + where[..., None] * ((1 - share) * down + share * tint - flat), np.float32)


def _without_catchlights(flat: F32, eyes: F32, landmarks: F32, hw_px: float) -> F32:
    """Take old catchlights out of the irises: small bright spots are filled from the iris round them, softly."""
    out = flat
    for rim in IRIS_RIMS:
        points = landmarks[list(rim), :2]
        cx, cy = points.mean(0)
        r = float(np.hypot(points[:, 0] - cx, points[:, 1] - cy).mean()) * 1.05
        if r < 2 or float(eyes.max()) < 0.5:
            continue
        x0, x1 = int(max(cx - 2 * r, 0)), int(min(cx + 2 * r + 1, flat.shape[1]))
        y0, y1 = int(max(cy - 2 * r, 0)), int(min(cy + 2 * r + 1, flat.shape[0]))
        if x1 - x0 < 4 or y1 - y0 < 4:
            continue
        box = np.s_[y0:y1, x0:x1]
        ys, xs = np.mgrid[box]
        away = np.hypot(xs - cx, ys - cy)
        iris = (np.clip(r - away + 0.5, 0, 1) * eyes[box]).astype(np.float32)
        # The white of the eye shows at the rim: what is bright there is no catchlight.
        inner = (np.clip(4 - 5 * away / r, 0, 1) * eyes[box]).astype(np.float32)
        if float(iris.sum()) < 4:
            continue
        luma = luminance(flat[box])
        usual = float(np.percentile(luma[iris > 0.5], 60)) if (iris > 0.5).any() else 1.0
        spot = inner * np.clip((luma / max(usual, 1e-4) - np.float32(1.6)) / np.float32(0.8), 0, 1)
        # A spot glows beyond its core, in a small photo that was enlarged more than in a large one: by a share of the iris.
        wide = 2 * max(round(0.16 * r), 1) + 1
        spread = cv2.dilate(spot, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
        soft = np.asarray(np.clip(5 - 5 * away / r, 0, 1) * eyes[box], np.float32)
        spot = np.maximum(spot, soft * blur(spread, max(0.08 * r, 0.5)))
        filled = among(np.ascontiguousarray(flat[box]), np.clip(iris - 1.5 * spot, 0, 1), 0.25 * r)
        if out is flat:
            out = flat.copy()
        out[box] += np.clip(spot * 1.3, 0, 1)[..., None] * (filled - out[box])
    return out
