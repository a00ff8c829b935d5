"""FILM. Exposure to print: halation, three layers' characteristic curves, grain in density, and the sRGB code of the print.

It is last because it is the one step that is not linear.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numba as nb
import numpy as np
from numpy.typing import NDArray

from lowkey.blackbody import RGB, warmth
from lowkey.darkroom.grain import deviation_table, grain
from lowkey.pixels import F32, U16, luminance, srgb_decode, srgb_encode
from lowkey.rig import Stock
from lowkey.seeds import Streams
from lowkey.together import both

HIGHLIGHT = 0.90
"""Exposure that prints at the stock's shoulder code: 1.6 times lit skin's 90th percentile, which `meter` brings to 0.56."""
SKIN = 0.56
ROOT_HIGH, STEPS = 8.0, 8192
"""Range and size of the tables. They run over the fourth root of exposure: even to the eye, and two square roots to find."""
PAPER_WHITE = 0.965
"""Display-linear light of bare paper: code 251, so that red does not reach 250 on a cheek that is warm and bright."""
PURE = (0.56, 0.78)
"""Distance of the weakest primary from the strongest in square-root light, as a share of it, at which purity begins to be pressed,
and what a full one becomes."""
HUE_KEPT = 1.0
"""Share of the light's own hue that the print keeps. Three curves alone press red against green in the shoulder first, and warm
light on skin goes olive; a colour negative's inhibitor couplers work against just that (Barr, Thirtle & Vittum 1969)."""


KEPT = (0.85, -0.7, 1.5)
"""Share of a colour that prints in the light's own ratios, and the stops about paper white over which that ends."""
PALE = (0.32, -0.6, 1.0)
"""Share of its colour that a highlight loses to its neighbours' layers, and the stops about paper white over which it does."""
GOLD = (0.50, 0.50, -2.6, 0.0)
"""Where the middle primary of a bright red lies between the outer two in square-root light, the share of its way there that it goes, and
the stops about paper white over which it does: in seven low-key photographs and paintings skin's hue runs from 43 to 63 degrees at L* 25
to 53 to 79 at L* 65 and on; one hue all the way up reads as pink."""
PRINT_GRAIN = 0.75
"""Share of the grain at mid density that is the print's own. Without any, blacks are clean where real prints are not."""

PLAIN_SKIN, DARKER, MOST_DARKER_EV, MOST_LIGHTER_EV = (0.34, 0.40), 0.5, 0.35, 0.12
"""Skin in the middle of the scale, luminance and blue over red; the share of its distance from it that a print keeps, and the most of
that in stops, down and up: a shoulder has no room for paler skin, and .33 stops more made a lit cheek a plate of paper without form."""
TIMED_SKIN, MOST_TIMED_MIRED = 1.0, 48.0
"""Log red over blue of skin from which a print is timed as it is, and the most mired by which it is timed warmer for skin that has less:
lit skin of four pale people printed at CIELAB chroma 18 to 25 (L* 55 to 75) where that of darker ones has 28 to 42, and read as chalk."""
MIRED_PER_LOG = 125.0
"""Mired by which a print is timed for each unit of log red over blue that skin lacks: 1.3 times what makes it up (a mired is .0104)."""
TIMED_FROM_KELVIN = 4450.0
"""The house's lamp, from which mired are counted."""
SPECTRAL, TONE = (0.36, 0.42, 0.22), (0.28, -0.04, -0.30)
"""What a print of a photo without colour sees of red, green and blue (a panchromatic film), and its tone: brown, as sulphide makes it."""
SHADE_EV = 0.9
"""How far a meter opens beyond an incident reading of the key: a face left in shadow stays there, its rim prints bright."""


def meter(scene: F32, skin: F32, reflectance: F32, *, share: float = 90.0) -> float:
    """Stops of exposure that bring the `share` percentile of lit skin (`skin` f32[h, w] > 0.5) to 0.56.

    Read on a mean of red and green, near what films and eyes weigh; skin darker than a tenth of the brightest is in shadow.
    `reflectance` f32[h, w, 3] is the person's own: held square to a key of 1 it gives the incident reading, which decides when
    no key reaches the face.
    """
    weights = np.array([0.4, 0.5, 0.1], np.float32)
    tone = scene[skin > 0.5] @ weights
    if tone.size == 0:
        return 0.0
    incident = math.log2(SKIN / max(float(np.percentile(reflectance[skin > 0.5] @ weights, share)), 0.02))
    lit = tone[tone > 0.1 * np.percentile(tone, 99)]
    if lit.size == 0:
        return incident + SHADE_EV
    return min(math.log2(SKIN / max(float(np.percentile(lit, share)), 1e-6)), incident + SHADE_EV)


def complexion_ev(reflectance: F32, skin: F32) -> float:
    """Stops by which skin f32[h, w] > 0.5 of `reflectance` f32[h, w, 3] is to print lighter or darker than skin in the middle of the scale.

    A reflected reading brings all skin to one grey; who is dark should be. A dark photo is no dark skin: so half is the skin's luminance
    and half its blue over red, which melanin takes down together (Donner & Jensen 2006) and a camera's exposure does not.
    """
    own = np.median(reflectance[skin > 0.5], axis=0) if (skin > 0.5).any() else np.zeros(3)
    if own.min() <= 1e-4:
        return 0.0
    away = 0.5 * (math.log2(float(luminance(own)) / PLAIN_SKIN[0]) + math.log2(float(own[2] / own[0]) / PLAIN_SKIN[1]))
    most = MOST_DARKER_EV if away < 0 else MOST_LIGHTER_EV
    return most * math.tanh(DARKER * away / most)


def timed(stock: Stock, reflectance: F32, skin: F32, key: RGB) -> Stock:
    """The stock as a printer times it for a sitter: warmer for skin f32[h, w] > 0.5 of `reflectance` f32[h, w, 3] that has little colour.

    The whole print is timed, room, cloth and hair as well: to the eye it is the lamp that is warmer, not the person. Along the colours of
    black bodies, so that nothing turns green; never cooler, and by MOST_TIMED_MIRED at most. What a warm `key` gives is not given twice,
    what a cold one takes is not given back.
    """
    own = np.median(reflectance[skin > 0.5], axis=0) if (skin > 0.5).any() else np.zeros(3)
    if stock.monochrome or own.min() <= 1e-4:
        return stock
    before = warmth(TIMED_FROM_KELVIN)
    lamp = max(math.log(max(key[0], 1e-6) / max(key[2], 1e-6)) - math.log(before[0] / before[2]), 0.0)
    lacking = max(TIMED_SKIN - math.log(float(own[0] / own[2])) - lamp, 0.0)
    mired = MOST_TIMED_MIRED * math.tanh(MIRED_PER_LOG * lacking / MOST_TIMED_MIRED)
    if mired < 0.5:
        return stock
    after = warmth(1e6 / (1e6 / TIMED_FROM_KELVIN + mired))
    red, green, blue = (balance * new / old for balance, new, old in zip(stock.balance_rgb, after, before, strict=True))
    return replace(stock, balance_rgb=(red, green, blue))


def toned(stock: Stock) -> Stock:
    """The stock for a photo that has no colour: one warm tone, from lamp to cheek. Who chose a monochrome one keeps it.

    Skin and hair without colour beside a lamp that has it are plaster under a sunset, and no colour for them can be known.
    """
    if stock.monochrome:
        return stock
    return replace(stock, monochrome=True, spectral_rgb=SPECTRAL, halation_rgb=(1.0, 1.0, 1.0), print_rgb=TONE)


def record(exposure: F32, stock: Stock, streams: Streams, *, exposure_ev: float = 0.0, height_um: float = 36000.0) -> U16:
    """Print of scene-linear `exposure` f32[h, w, 3] on `stock`: u16[h, w, 3], sRGB-encoded.

    `exposure_ev` is added first. `height_um` is the height of film that the picture covers: grain and halation are sized by it.
    """
    h, w = exposure.shape[:2]
    pixel_um = height_um / h
    chroma = 0.0 if stock.monochrome else stock.grain_chroma
    light, specks = both(
        lambda: developed(halated(exposure, stock, pixel_um), stock, pixel_um, exposure_ev),
        lambda: grain(streams.of("grain"), (h, w), stock.grain_rms, stock.grain_um, chroma, pixel_um),
    )
    gain = np.float32(2.0**exposure_ev) * np.array(stock.balance_rgb, np.float32)
    if stock.monochrome:
        weights = np.array(stock.spectral_rgb, np.float32)
        light = np.repeat((light @ (weights / weights.sum()))[:, :, None], 3, axis=2)
        gain = np.full(3, 2.0**exposure_ev, np.float32)
    paper = np.array(stock.print_rgb, np.float32)
    return np.asarray(printed(light, gain, specks, curve(stock), encoding(), stock.saturation, paper), np.uint16)


def halated(light: F32, stock: Stock, pixel_um: float) -> F32:
    """Light that passes the layers, is thrown back by the base and exposes them again from behind, mostly the red one.

    The share `halation_gain` x tint of each layer's light moves into two Gaussians: flat fields stay flat.
    """
    if stock.halation_gain <= 0:
        return light
    share = np.array(stock.halation_rgb, np.float32) * np.float32(stock.halation_gain)
    h, w = light.shape[:2]
    out: F32 = light * (1 - share)
    for sigma_um, weight in ((stock.halation_um * 0.5, 0.7), (stock.halation_um * 1.5, 0.3)):
        sigma = sigma_um / pixel_um
        step = 4 if sigma >= 10 and h % 4 == 0 and w % 4 == 0 else 2 if sigma >= 4 and h % 2 == 0 and w % 2 == 0 else 1
        small = light if step == 1 else cv2.resize(light, (w // step, h // step), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), max(sigma / step, 0.2), borderType=cv2.BORDER_REFLECT)
        back = small if step == 1 else cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
        out += back * (share * np.float32(weight))
    return out


def developed(light: F32, stock: Stock, pixel_um: float, exposure_ev: float = 0.0) -> F32:
    """Exposure f32[h, w, 3] with the edges that development gives it, the same out; colour and flat fields stay.

    Bromide set free where much is developed holds back its neighbours, so an edge is steeper than its exposure was (Eberhard's
    effect; James, "The Theory of the Photographic Process", 4th ed. 1977, ch. 21): log exposure moves off its mean
    over `adjacency_um` by `adjacency` of its distance from it, at most EDGE_EV stops of distance.
    """
    if stock.adjacency <= 0:
        return light
    tone = luminance(light) + np.float32(LEAST_DEVELOPED / 2**exposure_ev)
    mean = cv2.GaussianBlur(tone, (0, 0), max(stock.adjacency_um / pixel_um, 0.2), borderType=cv2.BORDER_REFLECT)
    apart = np.clip(tone / mean, 2.0**-EDGE_EV, 2.0**EDGE_EV)
    return np.asarray(light * np.power(apart, np.float32(stock.adjacency))[..., None], np.float32)


EDGE_EV = 0.7
"""Most that a tone is taken to stand off its neighbours': beyond, developer runs no shorter."""
LEAST_DEVELOPED = 2e-3
"""Exposure below which hardly anything is developed, and nothing held back."""


@lru_cache(maxsize=16)
def curve(stock: Stock) -> F32:
    """What the stock makes of exposure, f32[5, STEPS] over its fourth root: tone, grain's swing, own colour kept, paling, gilding.

    Display-linear tone is a log-logistic in exposure, (1 + (k/E)^g)^-p, between the toe (what no light prints as) and paper
    white: straight in the middle of a log-log plot, with a long shoulder. k is set so that HIGHLIGHT prints at the shoulder
    code. The swing is d tone / d density of the negative: grain moves a print most where its curve is steep (a density step
    of the negative is an exposure step of the paper), times the Boolean model's own deviation at that cover.
    """
    toe, top = float(srgb_decode(np.array(stock.toe_code / 255.0))), PAPER_WHITE
    g, p = 2.4, 0.49 * stock.contrast
    want = (float(srgb_decode(np.array(stock.shoulder_code / 255.0))) - toe) / (top - toe)
    k = HIGHLIGHT * (want ** (-1 / p) - 1) ** (1 / g)
    exposure = np.maximum(np.linspace(0, ROOT_HIGH, STEPS) ** 4, 1e-9)
    share = (1 + (k / exposure) ** g) ** -p
    tone = toe + (top - toe) * share
    stops = np.log2(exposure)
    slope = np.gradient(tone, np.log10(exposure + np.arange(STEPS) * 1e-15))
    # Cover of the negative's silver runs with the print's lightness; its deviation is largest at one half.
    cover = np.clip(np.cbrt(share), 0, 1)
    deviation = np.interp(cover * 256, np.arange(257), deviation_table())
    swing = slope * deviation
    # The print has silver of its own, most of it in its blacks: the deviation of its density runs with the root of that density
    # (Siedentopf 1937), and what it does to the tone with the tone itself.
    own = tone * np.sqrt(np.maximum(-np.log10(tone / top), 0))
    middle = int(np.argmin(np.abs(cover - 0.5)))
    swing += PRINT_GRAIN * (own * swing[middle] / own[middle] - swing)
    # The light's own ratios hold through the middle tones and give way to white over the five stops about paper white.
    kept = KEPT[0] * (1 - smooth(stops, *KEPT[1:]))
    # Toward the shoulder each layer begins to answer to its neighbours' light, the blue-sensitive one, on top, least: a warm
    # highlight pales toward cream and not toward pink.
    pale = PALE[0] * smooth(stops, *PALE[1:])
    golden = GOLD[1] * smooth(stops, *GOLD[2:])
    return np.asarray(np.stack([tone, swing, kept, pale, golden]), np.float32)


def smooth(x: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Cubic step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


@lru_cache(maxsize=1)
def encoding() -> F32:
    """sRGB encoding against the square root of display-linear light, f32[2049]: even steps to the eye, cheap to look up."""
    root = np.linspace(0, 1, 2049)
    return np.asarray(srgb_encode(root * root), np.float32)


PRESSED = 1 / (PURE[1] - PURE[0]) - 1 / (1 - PURE[0])


@nb.njit(cache=True, parallel=True)
def printed(light: Any, gain: Any, specks: Any, tables: Any, code: Any, saturation: float, paper: Any) -> Any:
    """Curve, grain and code in one pass over the picture: u16[h, w, 3].

    One share of the colour is three curves (it pales toward white as film does), the other is one curve on the pixel's
    strength with the light's own ratios (it stays warm in the shoulder).
    """
    h, w = light.shape[0], light.shape[1]
    out = np.empty((h, w, 3), np.uint16)
    per_root = (STEPS - 1) / ROOT_HIGH
    toe = tables[0, 0]
    for j in nb.prange(h):
        t, e = np.empty(3, np.float32), np.empty(3, np.float32)
        root, own = np.empty(3, np.float32), np.empty(3, np.float32)
        alone, swing = np.empty(3, np.float32), np.empty(3, np.float32)
        for i in range(w):
            for c in range(3):
                e[c] = max(light[j, i, c] * gain[c], np.float32(0.0))
            # Strength lies between the mean and the largest primary (a power norm): ratios to it never leave the paper far.
            squares = e[0] * e[0] + e[1] * e[1] + e[2] * e[2]
            strength = (e[0] * e[0] * e[0] + e[1] * e[1] * e[1] + e[2] * e[2] * e[2]) / squares if squares > 1e-20 else np.float32(0.0)
            q = min(math.sqrt(math.sqrt(strength)) * per_root, STEPS - 1.001)
            k = int(q)
            u = q - k
            whole = tables[0, k] * (1 - u) + tables[0, k + 1] * u
            whole_swing = tables[1, k] * (1 - u) + tables[1, k + 1] * u
            warm, pale = tables[2, k] * (1 - u) + tables[2, k + 1] * u, tables[3, k] * (1 - u) + tables[3, k + 1] * u
            golden = tables[4, k] * (1 - u) + tables[4, k + 1] * u
            inverse = 1.0 / strength if strength > 1e-12 else 0.0
            # Dyes are never pure: a very warm skin under a warm lamp would print as a flat orange. Square roots keep the hue that
            # eyes see; mixing white into the light itself turns orange pink (Abney 1909).
            for c in range(3):
                root[c] = math.sqrt(e[c])
            most = max(root[0], root[1], root[2])
            pure = 1.0 - min(root[0], root[1], root[2]) / most if most > 1e-5 else 0.0
            if pure > PURE[0]:
                less = (PURE[0] + (pure - PURE[0]) / (1.0 + (pure - PURE[0]) * PRESSED)) / pure
                for c in range(3):
                    root[c] = most - (most - root[c]) * less
                    e[c] = root[c] * root[c]
            # A bright red leans to yellow.
            lean = root[2] + np.float32(GOLD[0]) * (root[0] - root[2]) - root[1]
            if root[1] >= root[2] and lean > 0.0:
                root[1] += golden * lean
                e[1] = root[1] * root[1]
            for c in range(3):
                own[c] = e[c] + pale * (0.85 if c == 2 else 1.0) * (strength - e[c])
                q = min(math.sqrt(math.sqrt(own[c])) * per_root, STEPS - 1.001)
                k = int(q)
                u = q - k
                alone[c], swing[c] = tables[0, k] * (1 - u) + tables[0, k + 1] * u, tables[1, k] * (1 - u) + tables[1, k + 1] * u
            # The middle layer is set between the other two as it lies between them in the light: so the hue stays.
            high, low = (0 if root[0] >= root[1] else 1), (1 if root[0] >= root[1] else 0)
            high, low = (2 if root[2] > root[high] else high), (2 if root[2] <= root[low] else low)
            if high != low and root[high] > root[low] * 1.001 + 1e-6:
                mid = 3 - high - low
                least, whole_way = math.sqrt(max(alone[low], 0.0)), math.sqrt(max(alone[high], 0.0))
                hued = least + (whole_way - least) * (root[mid] - root[low]) / (root[high] - root[low])
                alone[mid] += HUE_KEPT * (hued * hued - alone[mid])
            for c in range(3):
                ratio = own[c] * inverse
                moved = (1 - warm) * swing[c] + warm * whole_swing * ratio
                t[c] = (1 - warm) * alone[c] + warm * (toe + (whole - toe) * ratio) + moved * specks[j, i, c]
            grey = 0.2126 * t[0] + 0.7152 * t[1] + 0.0722 * t[2]
            for c in range(3):
                v = max(grey + (t[c] - grey) * saturation, 0.8 * toe)
                v *= 1.0 + paper[c] * 4.0 * v * max(1.0 - v, 0.0)
                v = math.sqrt(min(v, 1.0)) * 2048.0
                k = min(int(v), 2047)
                out[j, i, c] = np.uint16((code[k] + (code[k + 1] - code[k]) * (v - k)) * 65535.0 + 0.5)
    return out
