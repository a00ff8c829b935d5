"""FILM. Exposure to print: halation, three layers' characteristic curves, grain in density, and the sRGB code of the print.

It is last because it is the one step that is not linear.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numba as nb
import numpy as np

from lowkey.darkroom.grain import deviation_table, grain
from lowkey.pixels import F32, U16, srgb_decode, srgb_encode
from lowkey.rig import Stock
from lowkey.seeds import Streams

HIGHLIGHT = 0.90
"""Exposure that prints at the stock's shoulder code: 1.6 times lit skin's 90th percentile, which `meter` brings to 0.56."""
SKIN = 0.56
STOPS_LOW, STOPS_HIGH, STEPS = -16.0, 12.0, 4096
"""Range and size of the curve's table, in stops of exposure."""
PAPER_WHITE = 0.985


MOST_EV = 2.6
"""The most a meter opens up: the darkest lit skin (albedo about 0.1 under a key of 1) needs that; a face in shadow stays there."""


def meter(scene: F32, skin: F32, *, share: float = 90.0) -> float:
    """Stops of exposure that bring the `share` percentile of lit skin (`skin` f32[h, w] > 0.5) to 0.56.

    Read on a mean of red and green, near what films and eyes weigh; skin darker than a tenth of the brightest is in shadow.
    """
    tone = scene[skin > 0.5] @ np.array([0.4, 0.5, 0.1], np.float32)
    if tone.size == 0:
        return 0.0
    lit = tone[tone > 0.1 * np.percentile(tone, 99)]
    if lit.size == 0:
        return MOST_EV
    return min(float(math.log2(SKIN / max(float(np.percentile(lit, share)), 1e-6))), MOST_EV)


def record(exposure: F32, stock: Stock, streams: Streams, *, exposure_ev: float = 0.0, height_um: float = 36000.0) -> U16:
    """Print of scene-linear `exposure` f32[h, w, 3] on `stock`: u16[h, w, 3], sRGB-encoded.

    `exposure_ev` is added first. `height_um` is the height of film that the picture covers: grain and halation are sized by it.
    """
    h, w = exposure.shape[:2]
    pixel_um = height_um / h
    light = halated(exposure * np.float32(2.0**exposure_ev) * np.array(stock.balance_rgb, np.float32), stock, pixel_um)
    if stock.monochrome:
        weights = np.array(stock.spectral_rgb, np.float32)
        light = np.repeat((light @ (weights / weights.sum()))[:, :, None], 3, axis=2)
    chroma = 0.0 if stock.monochrome else stock.grain_chroma
    specks = grain(streams.of("grain"), (h, w), stock.grain_rms, stock.grain_um, chroma, pixel_um)
    tone, swing = curve(stock)
    return np.asarray(printed(light, specks, tone, swing, encoding(), stock.saturation, np.array(stock.print_rgb, np.float32)), np.uint16)


def halated(light: F32, stock: Stock, pixel_um: float) -> F32:
    """Light that passes the layers, is thrown back by the base and exposes them again from behind, mostly the red one.

    The share `halation_gain` x tint of each layer's light moves into two Gaussians: flat fields stay flat.
    """
    if stock.halation_gain <= 0:
        return light
    out = light.copy()
    share = np.array(stock.halation_rgb, np.float32) * np.float32(stock.halation_gain)
    h, w = light.shape[:2]
    out -= light * share
    for sigma_um, weight in ((stock.halation_um * 0.5, 0.7), (stock.halation_um * 1.5, 0.3)):
        sigma = sigma_um / pixel_um
        step = 4 if sigma >= 10 and h % 4 == 0 and w % 4 == 0 else 2 if sigma >= 4 and h % 2 == 0 and w % 2 == 0 else 1
        small = light if step == 1 else cv2.resize(light, (w // step, h // step), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), max(sigma / step, 0.2), borderType=cv2.BORDER_REFLECT)
        back = small if step == 1 else cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
        out += back * (share * np.float32(weight))
    return out


@lru_cache(maxsize=16)
def curve(stock: Stock) -> tuple[F32, F32]:
    """The stock's tone curve and its grain's swing, both f32[STEPS] over stops of exposure STOPS_LOW..STOPS_HIGH.

    Display-linear tone is a log-logistic in exposure, (1 + (k/E)^g)^-p, between the toe (what no light prints as) and paper
    white: straight in the middle of a log-log plot, with a long shoulder. k is set so that HIGHLIGHT prints at the shoulder
    code. The swing is d tone / d density of the negative: grain moves a print most where its curve is steep (a density step
    of the negative is an exposure step of the paper), times the Boolean model's own deviation at that cover.
    """
    toe, top = float(srgb_decode(np.array(stock.toe_code / 255.0))), PAPER_WHITE
    g, p = 2.4, 0.49 * stock.contrast
    want = (float(srgb_decode(np.array(stock.shoulder_code / 255.0))) - toe) / (top - toe)
    k = HIGHLIGHT * (want ** (-1 / p) - 1) ** (1 / g)
    stops = np.linspace(STOPS_LOW, STOPS_HIGH, STEPS)
    share = (1 + (k / 2.0**stops) ** g) ** -p
    tone = toe + (top - toe) * share
    slope = np.gradient(tone, stops * math.log10(2.0))
    # Cover of the negative's silver runs with the print's lightness; its deviation is largest at one half.
    cover = np.clip(np.cbrt(share), 0, 1)
    deviation = np.interp(cover * 256, np.arange(257), deviation_table())
    return np.asarray(tone, np.float32), np.asarray(slope * deviation, np.float32)


@lru_cache(maxsize=1)
def encoding() -> F32:
    """sRGB encoding against the square root of display-linear light, f32[2049]: even steps to the eye, cheap to look up."""
    root = np.linspace(0, 1, 2049)
    return np.asarray(srgb_encode(root * root), np.float32)


@nb.njit(cache=True)
def look_up(table: Any, stops: float) -> float:
    t = (stops - STOPS_LOW) / (STOPS_HIGH - STOPS_LOW) * (STEPS - 1)
    t = min(max(t, 0.0), STEPS - 1.001)
    k = int(t)
    return float(table[k] * (1.0 - (t - k)) + table[k + 1] * (t - k))


@nb.njit(cache=True, parallel=True)
def printed(light: Any, specks: Any, tone: Any, swing: Any, code: Any, saturation: float, paper: Any) -> Any:
    """Curve, grain and code in one pass over the picture: u16[h, w, 3].

    One share of the colour is three curves (it pales toward white as film does), the other is one curve on the pixel's
    strength with the light's own ratios (it stays warm in the shoulder).
    """
    h, w = light.shape[0], light.shape[1]
    out = np.empty((h, w, 3), np.uint16)
    for j in nb.prange(h):
        t = np.empty(3, np.float64)
        for i in range(w):
            r, g, b = max(light[j, i, 0], 0.0), max(light[j, i, 1], 0.0), max(light[j, i, 2], 0.0)
            # Strength lies between the mean and the largest primary (a power norm): ratios to it never leave the paper far.
            squares = r * r + g * g + b * b
            strength = (r * r * r + g * g * g + b * b * b) / squares if squares > 1e-14 else 0.0
            whole_stops = math.log2(strength + 1e-7)
            whole, whole_swing = look_up(tone, whole_stops), look_up(swing, whole_stops)
            toe = tone[0]
            # The dyes' own colours hold through the middle tones and give way to white over the five stops above them.
            over = min(max((whole_stops + 2.5) / 5.0, 0.0), 1.0)
            warm = 0.55 - 0.55 * over * over * (3.0 - 2.0 * over)
            # Toward the shoulder each layer begins to answer to its neighbours' light: a warm highlight pales, and stays warm.
            near = min(max((whole_stops + 3.0) / 3.5, 0.0), 1.0)
            pale = 0.30 * near * near * (3.0 - 2.0 * near)
            for c in range(3):
                e = max(light[j, i, c], 0.0)
                e += pale * (strength - e)
                stops = math.log2(e + 1e-7)
                alone = look_up(tone, stops)
                ratio = e / strength if strength > 1e-9 else 1.0
                kept = toe + (whole - toe) * ratio
                moved = (1.0 - warm) * look_up(swing, stops) + warm * whole_swing * ratio
                t[c] = (1.0 - warm) * alone + warm * kept + moved * specks[j, i, c]
            grey = 0.2126 * t[0] + 0.7152 * t[1] + 0.0722 * t[2]
            for c in range(3):
                v = grey + (t[c] - grey) * saturation
                v *= 1.0 + paper[c] * 4.0 * max(v, 0.0) * max(1.0 - v, 0.0)
                v = math.sqrt(min(max(v, 0.0), 1.0)) * 2048.0
                k = min(int(v), 2047)
                s = code[k] * (1.0 - (v - k)) + code[k + 1] * (v - k)
                out[j, i, c] = np.uint16(s * 65535.0 + 0.5)
    return out
