"""Texture: is it film grain, how coarse, how strong; or blocks, colour noise, bands, plastic.

Read from small tiles that are flat but for their texture: of every tone the calmer tiles, after a plane is taken off.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lowkey.meter.reading import CannotJudge, Found, Measure, measured
from lowkey.meter.sight import Head, Sight
from lowkey.meter.tones import Sides
from lowkey.pixels import F32, srgb_decode, srgb_encode

TILE_PX = 16
FILM_UM = 36000.0
"""Height of the film frame."""
APERTURE_UM = 48.0
CALM = 0.35
"""Share of a tone's tiles, the calmest, that count as flat."""
MIDTONES, SHADOWS = (40.0, 180.0), (4.0, 32.0)
"""Codes of flat tiles. From 70 on they lie mostly on skin where a halo is soft, and pores are read as grain: .0200 for .0140 of it; .0157
so."""
LEAST_TILES = 12
BLOCKY, COLOURED, BANDED = 1.3, 1.3, 0.35
FAINT_CODES, LEAST_GRAIN = 0.45, 0.10
FLOOR_TONES, STILLEST, LEAST_STILL, GRAINLESS = (20.0, 200.0), 0.02, 6, 0.0048
"""Tones and share of the tiles that tell whether anything lies on everything. Twelve people's frames without grain read .0000 to .0035 (one
that shows no flat surface .0065), with half the usual grain .0061 and more, with all of it .0108 and more."""
ROUNDED = {"tone": 0.0468, 0: 0.0947, 2: 0.1181}
"""Variance, in squared steps, that rounding each channel to whole steps (1/12) leaves in luminance, in red and in blue less luminance."""
PORES_LOST, PORES_KEPT = 0.55, 0.62
"""Share of the reference's own finest skin texture in the calmer part of the skin: frames keep .73 to .95, smoothed ones at most .52."""
CALM_SKIN, CALM_REACH = 0.6, 3.0
"""Share of the lit skin that counts as calm, and the radius in which tones are compared, in sigmas of the finest texture. Smoothing that
spares edges spares strong texture too: where skin is calm it leaves least."""
MOST_ERROR = 0.13
"""A share of pores that is known less well than this is not known."""
PACKED = 1.06
"""Blockiness from which a file was once a JPEG (those that never were read up to 1.03): its tables take pores, too, and unevenly."""
SMOOTH_SKIN, DOUBTFUL_SKIN = 0.0035, 0.0070
"""Finest texture of lit skin over its tone: below the first it is smoother than any of the portraits, whoever it is. Up to the
second skin without a reference may be either."""
DIM_SKIN_CODE, SHOULDER_CODE, PORES_CODE = 60.0, 225.0, 200.0
"""Pores are looked for well below white: a print's shoulder flattens them first where skin is calm, and a burnt frame would be plastic."""
LEAST_SKIN_PX = 400
LEAST_PORES_HW_PX = 120.0
"""Pixels a head-width under which the finest that a frame shows is folds, which a retoucher may ease: a pore is a fifth of one there."""


def of_texture(sight: Sight, head: Head | None, parted: Sides | None) -> Found:
    """Grain and what is not grain, on the picture's own pixels."""
    code, rgb = sight.code, sight.rgb
    found: Found = {}
    tiles = _Tiles(code)
    tone, rough = tiles.tone, tiles.rms
    mid, dark = tiles.calm(*MIDTONES), tiles.calm(*SHADOWS)
    found |= _grain(sight, tiles, mid, dark)
    calm = tiles.calm(8.0, 200.0)
    if calm.sum() < LEAST_TILES:
        found["grain_chroma_share"] = CannotJudge("no flat tone is large enough")
    else:
        # Two colour differences against luminance, all in codes, without what comes of rounding to codes: in the dark that is most of it.
        step = (255 / float(np.iinfo(sight.pixels.dtype).max)) ** 2

        def beyond(rms: np.ndarray, kind: str | int) -> float:
            return max(float(np.median(rms[calm])) ** 2 - ROUNDED[kind] * step, 0.0)

        colour = (beyond(_Tiles(rgb[..., 0] - code).rms, 0) + beyond(_Tiles(rgb[..., 2] - code).rms, 2)) / 2
        share = math.sqrt(colour) / max(math.sqrt(beyond(rough, "tone")), LEAST_GRAIN)
        found["grain_chroma_share"] = measured("grain_chroma_share", share, None, "flat tones")
    found["grain_floor_share"] = _floor(sight, tiles)
    found["jpeg_blockiness"] = measured("jpeg_blockiness", blockiness(code), None, "frame")
    found["banding_share"] = measured("banding_share", banding(sight), None, "frame")
    found |= _skin(sight, head, parted)
    roughness = float(np.median(rough[tone > 4])) if (tone > 4).any() else 0.0
    kind = _kind(found, roughness)
    found["texture_kind"] = kind if isinstance(kind, CannotJudge) else measured("texture_kind", kind, None, "frame")
    return found


class _Tiles:
    """RMS f32[m, n] of tiles about their own plane, and their mean tone."""

    def __init__(self, picture: F32) -> None:
        self.rows, self.cols = picture.shape[0] // TILE_PX, picture.shape[1] // TILE_PX
        cut = picture[: self.rows * TILE_PX, : self.cols * TILE_PX]
        t = cut.reshape(self.rows, TILE_PX, self.cols, TILE_PX).transpose(0, 2, 1, 3)
        self.tone = np.asarray(t.mean((2, 3)), np.float32)
        rest = t - self.tone[:, :, None, None]
        # Least-squares plane on a square grid: x and y are orthogonal to each other and to the mean.
        x = np.arange(TILE_PX, dtype=np.float32) - (TILE_PX - 1) / 2
        power = float((x**2).sum()) * TILE_PX
        a, b = (rest * x[None, None, None, :]).sum((2, 3)) / power, (rest * x[None, None, :, None]).sum((2, 3)) / power
        self.rest = rest - a[..., None, None] * x[None, None, None, :] - b[..., None, None] * x[None, None, :, None]
        self.rms = np.sqrt((self.rest**2).mean((2, 3)))

    def calm(self, low: float, high: float) -> np.ndarray:
        """bool[m, n]: the calmest tiles whose tone lies between two codes."""
        within = (self.tone >= low) & (self.tone <= high)
        if within.sum() < LEAST_TILES:
            return within & False
        return np.asarray(within & (self.rms <= np.quantile(self.rms[within], CALM)))


def _grain(sight: Sight, tiles: _Tiles, mid: np.ndarray, dark: np.ndarray) -> Found:
    """Granularity through 48 um, clump size, and growth with tone."""
    found: Found = {}
    names = ("grain_rms_density", "grain_um")
    pixel_um = FILM_UM / sight.shape[0]
    if mid.sum() < LEAST_TILES:
        found |= {name: CannotJudge("no flat midtone is large enough") for name in (*names, "grain_growth")}
        return found
    rest = tiles.rest[mid]
    # Density is -log10 of light: at tone c a code's step is worth d(log10 L)/dc.
    tone = tiles.tone[mid]
    step = np.log10(srgb_decode((tone + 0.5) / 255) / srgb_decode((tone - 0.5) / 255))
    # Through an aperture wider than a pixel noise is averaged; the tiles' own correlation says by how much.
    corr = _autocorrelation(rest)
    share = _aperture_share(corr, pixel_um)
    rms = float(np.median(tiles.rms[mid] * step)) * math.sqrt(share)
    found["grain_rms_density"] = measured("grain_rms_density", rms, 0.15 * rms, "flat midtones")
    rms_codes = float(np.median(tiles.rms[mid]))
    if rms_codes < FAINT_CODES:
        found["grain_um"] = CannotJudge("there is no grain to size")
    else:
        found["grain_um"] = _clump(corr, pixel_um)
    if dark.sum() < LEAST_TILES:
        found["grain_growth"] = CannotJudge("no flat shadow is large enough")
    else:
        found["grain_growth"] = measured("grain_growth", rms_codes / max(float(np.median(tiles.rms[dark])), 0.1), None, "flat tones")
    return found


def _floor(sight: Sight, tiles: _Tiles) -> Measure | CannotJudge:
    """What lies on everything lies on the stillest surfaces, too: their noise over their tone, without what rounding leaves."""
    within = (tiles.tone >= FLOOR_TONES[0]) & (tiles.tone < FLOOR_TONES[1])
    if within.sum() * STILLEST < LEAST_STILL:
        return CannotJudge("no flat tone is large enough")
    step = (255 / float(np.iinfo(sight.pixels.dtype).max)) ** 2
    noise = np.sqrt(np.maximum(tiles.rms[within] ** 2 - ROUNDED["tone"] * step, 0)) / tiles.tone[within]
    return measured("grain_floor_share", float(np.quantile(noise, STILLEST)), None, "the stillest surfaces")


def _clump(corr: F32, pixel_um: float) -> Measure | CannotJudge:
    """Size of a clump. A Gaussian clump's width is that of its correlation over root two; noise that differs from pixel to pixel
    reads as half the lag to the next pixel all the same, and that much is the pixel's own."""
    width = math.sqrt(max((2 * _half(corr)) ** 2 / 2 - 0.5, 0.0))
    if width < 1:
        return CannotJudge(f"the clumps are finer than a pixel, which is {pixel_um:.0f} um of film here")
    # Clumps of several pixels lean over the edges of the tiles: they read up to a quarter too fine.
    return measured("grain_um", width * pixel_um, math.hypot(0.3, 0.25 * width) * pixel_um, "flat midtones")


def _autocorrelation(rest: F32) -> F32:
    """Mean autocorrelation f32[5] of tiles f32[k, t, t] at lags 0 to 4 px, rows and columns together."""
    power = float((rest**2).mean())
    out = [1.0]
    for lag in range(1, 5):
        along = float((rest[:, :, lag:] * rest[:, :, :-lag]).mean()) + float((rest[:, lag:] * rest[:, :-lag]).mean())
        out.append(along / 2 / max(power, 1e-9))
    return np.asarray(out, np.float32)


def _half(corr: F32) -> float:
    """Lag in pixels at which the correlation has fallen to one half."""
    below = int(np.argmax(corr < 0.5)) if (corr < 0.5).any() else len(corr) - 1
    if below == 0:
        return 0.5
    a, b = float(corr[below - 1]), float(corr[below])
    return below - 1 + (a - 0.5) / max(a - b, 1e-6)


def _aperture_share(corr: F32, pixel_um: float) -> float:
    """Share of a pixel's variance that is left through the aperture: its mean correlation over pairs of points within it.

    The correlation of two pixels is taken as Gaussian in their distance, as wide as measured; a pixel wider than the aperture
    is corrected by Selwyn's law (sigma times root of area is constant).
    """
    sigma = max(_half(corr) / 1.1774, 0.30)  # in pixels
    radius = 0.5 * APERTURE_UM / pixel_um
    n = 15
    g = (np.arange(n) - (n - 1) / 2) / ((n - 1) / 2) * radius
    gx, gy = np.meshgrid(g, g)
    inside = np.hypot(gx, gy) <= radius
    x, y = gx[inside], gy[inside]
    d2 = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    return float(np.exp(-0.5 * d2 / sigma**2).mean())


def blockiness(code: F32) -> float:
    """Steps across the lines of the 8-pixel grid over steps elsewhere, rows and columns (after Wang, Sheikh and Bovik 2002).

    1 where there are no blocks. The steepest tenth of all steps is left out: edges of things know no grid.
    """
    worst = 1.0
    for picture in (code, code.T):
        step = np.abs(np.diff(picture, axis=1))
        step = np.minimum(step, np.quantile(step[::7, ::3], 0.9) + 1e-3)
        mean = step.mean(0)
        by = np.array([mean[k::8].mean() for k in range(8)])
        at = int(np.argmax(by))
        worst = max(worst, float(by[at] / max(float(np.delete(by, at).mean()), 1e-3)))
    return worst


def banding(sight: Sight) -> float:
    """Share of slow gradients that stand still for twelve pixels and then step: a picture of few levels and no grain."""
    code = np.round(sight.code).astype(np.int16)
    run = 12
    first, last = code[:, :-run], code[:, run:]
    change = np.abs(first - last)
    changing = (change >= 3) & (change <= 16) & (first > 2)
    if changing.mean() < 0.01:
        return 0.0
    moves = np.abs(np.diff(code, axis=1)) > 0
    total = np.cumsum(np.concatenate([np.zeros((moves.shape[0], 1), np.int32), moves], axis=1), axis=1)
    steps = total[:, run:] - total[:, :-run]
    return float((steps[changing] <= 1).mean())


def _skin(sight: Sight, head: Head | None, parted: Sides | None) -> Found:
    """What is left of the lit skin's own texture, and how much of it is grain."""
    names = ("grain_on_skin_codes", "skin_texture_codes", "skin_detail_codes", "skin_bare_share", "skin_kept_share")
    if head is None or parted is None or parted.lit.sum() < LEAST_SKIN_PX:
        return {name: CannotJudge("no lit skin is seen") for name in names}
    hw = head.hw_px
    code = sight.code
    # Near white the print's curve is flat and takes all texture with it.
    held = parted.lit & (sight.smooth < SHOULDER_CODE)
    calm = cv2.erode(held.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if calm.sum() < LEAST_SKIN_PX:
        return {name: CannotJudge("too little lit skin is seen that is not near white") for name in names}

    def band(fine: float, coarse: float) -> F32:
        low = code if fine <= 0.3 else cv2.GaussianBlur(code, (0, 0), fine)
        return np.asarray(low - cv2.GaussianBlur(code, (0, 0), max(coarse, fine + 0.3)), np.float32)

    def spread(picture: F32) -> float:
        return float(np.median(np.abs(picture[calm]))) / 0.6745  # edges of features are not texture

    finest = max(0.0015 * sight.shape[0], 0.8)
    fine = band(0.0, finest)
    texture = spread(fine)
    level = max(float(np.median(code[calm])), 1.0)
    dim = CannotJudge("the lit skin is too dim for its texture to be read")
    kept: Measure | CannotJudge = CannotJudge("without the reference's placement its pores cannot be looked for")
    grain = texture
    if head.albedo is not None:
        # Pores and freckles are the person's: what goes along with the reference's own fine texture is no grain.
        tone = np.asarray(255 * srgb_encode(head.albedo), np.float32)
        own = np.asarray(tone - cv2.GaussianBlur(tone, (0, 0), finest), np.float32)
        below = calm & (sight.smooth < PORES_CODE)
        enough = int(below.sum()) >= LEAST_SKIN_PX
        still = _stillest(code, below if enough else calm, CALM_REACH * finest)
        share = float((fine[still] * own[still]).sum() / max(float(np.square(own[still]).sum()), 1e-6))
        grain = float(np.median(np.abs((fine - np.float32(max(share, 0.0)) * own)[still]))) / 0.6745
        if hw < LEAST_PORES_HW_PX:
            kept = CannotJudge("the head is too small in the frame for pores to be seen")
        elif level < DIM_SKIN_CODE:
            kept = dim
        elif enough:
            kept = _kept(code, tone, still, finest)
        else:
            kept = CannotJudge("too little lit skin is seen that is not near white")
    return {
        names[0]: measured(names[0], grain, None, "lit skin"),
        names[1]: measured(names[1], texture, None, "lit skin"),
        names[2]: measured(names[2], spread(band(max(0.002 * hw, 0.5), max(0.010 * hw, 1.2))), None, "lit skin"),
        names[3]: measured(names[3], texture / level, None, "lit skin") if level >= DIM_SKIN_CODE else dim,
        names[4]: kept,
    }


def _stillest(code: F32, skin: np.ndarray, sigma: float) -> np.ndarray:
    """bool[h, w]: the part of the skin around which tones move least."""
    mean = cv2.GaussianBlur(code, (0, 0), sigma)
    moves = cv2.GaussianBlur(code * code, (0, 0), sigma) - mean * mean
    return np.asarray(skin & (moves <= np.quantile(moves[skin], CALM_SKIN)))


def _kept(code: F32, own: F32, where: np.ndarray, sigma: float) -> Measure | CannotJudge:
    """How much of the reference's finest texture is in the frame: the slope of one relative contrast on the other."""

    def relative(picture: F32) -> F32:
        low = cv2.GaussianBlur(picture, (0, 0), sigma)
        return np.asarray(((picture - low) / np.maximum(low, 8))[where], np.float32)

    seen, there = relative(code), relative(own)
    reach = 3 * float(np.median(np.abs(there))) / 0.6745
    seen, there = seen[np.abs(there) < reach], there[np.abs(there) < reach]
    power = float(there @ there)
    if power < 1e-6:
        return CannotJudge("the reference's skin shows no fine texture")
    held = 3 * float(np.median(np.abs(seen))) / 0.6745
    seen = np.clip(seen, -held, held)
    error = 3 * float(seen.std()) / math.sqrt(power)  # neighbouring pixels are not independent: nine of them are one
    if error > MOST_ERROR:
        return CannotJudge("the reference's finest texture is too faint under the frame's grain")
    return measured("skin_kept_share", float(seen @ there) / power, error, "lit skin")


def _kind(found: Found, rough: float) -> str | CannotJudge:
    def number(name: str, otherwise: float) -> float:
        measure = found[name]
        return otherwise if isinstance(measure, CannotJudge) else measure.number

    if number("jpeg_blockiness", 1.0) > BLOCKY:
        return "jpeg blocks"
    if number("banding_share", 0.0) > BANDED:
        return "banding"
    if rough > FAINT_CODES and number("grain_chroma_share", 0.0) > COLOURED:
        return "chroma noise"
    bare, kept = number("skin_bare_share", 1.0), number("skin_kept_share", math.nan)
    # The reference's own pores tell. Without them only skin that is smoother than anybody's.
    lost, smooth = (kept < PORES_LOST, kept < PORES_KEPT) if not math.isnan(kept) else (bare < SMOOTH_SKIN, bare < DOUBTFUL_SKIN)
    if smooth and number("jpeg_blockiness", 1.0) > PACKED:
        return CannotJudge("the skin is smooth, and whether it was smoothed or the JPEG that it went through took its pores cannot be told")
    if lost:
        return "plastic"
    if smooth:
        return CannotJudge("the skin is smooth, and whether it was smoothed or is so cannot be told")
    if rough < FAINT_CODES or number("grain_floor_share", 1.0) < GRAINLESS:
        return "clean"
    return "film grain" if number("grain_growth", 1.0) > 1.2 else "sensor noise"
