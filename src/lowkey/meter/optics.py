"""The lamp, what the lens makes of it, and the dust in its beam."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from lowkey.meter.reading import CannotJudge, Found, Measure, measured
from lowkey.meter.sight import Head, Mask, Sight
from lowkey.pixels import F32
from lowkey.plate import meshes, models

STRAYS_HW = 0.15
"""How far from the mass of hair single hairs are common."""
ROUGH_GAP_FH = 0.02
"""Kept from an outline that is only guessed."""
LAMP_CODE, LEAST_LAMP_FH = 245.0, 0.004
BESIDE_FH, OUTSIDE = 0.016, 0.20
"""A lamp at the person's outline burns over it: the share of its disc that lies in the room, or this far within what is kept off it."""
REACH_FH, RING_FH = 0.60, 0.005
LEAST_GLOW_CODES = 6.0
HALO_FH = 0.05
STREAK = 1.35
RINGS_FH, RING_STEP = (0.055, 0.60), 0.02
RING_SLIDES, RING_SQUEEZES = (0.0, 0.05, 0.10, 0.15), (1.0, 1.28)
RING_CODES = 5.0
"""An anamorphic lens's rings stand out by 9 to 13 codes of blue less red; a plain halo's rings by no more than 2.3."""
GLOW_CODE, GLOW_BESIDE_FH, GLOW_SIGMA_FH = 106.0, 0.030, 0.006
"""Brightest place of the room within this of the person from which on a lamp is taken to hide behind them: 129 to 212 on fourteen people
with a halo, 99 to 192 with a clean backlight, 37 to 87 without a flare (two seeds each)."""
MOTE_SIGMAS_FH = (0.0006, 0.0011, 0.0022)
MOTE_CODES, MOTE_NOISE = 5.0, 6.0
"""A mote stands this many codes, and this many times the grain around it, above its surroundings."""
BEAM_CODES = 3.0
LEAST_ROOM_FH2 = 0.02
SEEN_AT_640, SEEN_PER_OCTAVE = 0.74, 0.11
"""Share of the dust in the air that stands out of the grain, 640 px high, and what each doubling of the height adds (halves.py)."""
SEEN_SIGMA = 0.15
VOID_CODE, VOID_MOTES = 22.0, 15.0
LENS = ("lamp_x_fw", "lamp_y_fh", "lamp_radius_fh", "halo_radius_fh", "halo_energy_share", "streak_ratio", "flare_rings")
DUST = ("motes_per_fh2", "motes_in_air_per_fh2", "mote_size_fh", "mote_brightness_codes", "motes_off_beam_share")


@dataclass(frozen=True)
class Lamp:
    """A burnt-out disc in the room, in pixels; or what is brightest beside a person who hides it, of radius 0."""

    x: float
    y: float
    radius: float

    @property
    def hidden(self) -> bool:
        return self.radius <= 0


GARMENT_HW = 0.30
"""How far below the chin's row a garment may reach beyond the person's own outline."""


def room(sight: Sight, head: Head | None) -> Mask | str:
    """bool[h, w] where there is nobody, a little off the outline; or why that is not known."""
    if head is None:
        return "where the person ends and the room begins is not known: no face was found"
    gap, person = (0.008, head.matte > 0.02) if head.matte is not None else (ROUGH_GAP_FH, _person(sight, head))
    reach = max(round(gap * sight.shape[0]), 2)
    away = cv2.dilate(person.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) == 0
    if head.matte is not None:
        # A garment that was put on is cut to a body, and stands off what the photo shows of it.
        beside = cv2.distanceTransform(1 - person.astype(np.uint8), cv2.DIST_L2, 5) < GARMENT_HW * head.hw_px
        away &= ~(beside & (np.arange(sight.shape[0])[:, None] > head.points[152, 1]))
    if away.mean() < 0.02:
        return "the person fills the frame"
    return np.asarray(away)


def _person(sight: Sight, head: Head) -> Mask:
    """bool[h, w] the person as a segmenter sees them on a lifted copy, and all that a head and shoulders would cover."""
    h, w = sight.shape
    k = 512 / max(h, w)
    lifted = np.round(255 * (cv2.resize(sight.codes8, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) / 255) ** 0.45).astype(np.uint8)
    with models.person_segmenter() as look:
        person = cv2.resize(look(lifted), (w, h), interpolation=cv2.INTER_LINEAR) > 0.3
    # In the dark it loses hair and shoulders: a head around the mesh, and a body under it, are kept out whatever it sees.
    cover = np.zeros((h, w), np.uint8)
    low, high = head.points[:468, :2].min(0), head.points[:468, :2].max(0)
    x, y = (low + high) / 2
    hw = head.hw_px
    cv2.ellipse(cover, (round(float(x)), round(float(y - 0.15 * hw))), (round(0.75 * hw), round(0.95 * hw)), 0, 0, 360, 1, -1)
    chin = float(high[1])
    body = np.array([[x - 0.45 * hw, chin], [x + 0.45 * hw, chin], [x + 1.3 * hw, chin + 0.9 * hw], [x + 1.3 * hw, h], [x - 1.3 * hw, h],
                     [x - 1.3 * hw, chin + 0.9 * hw]])  # fmt: skip
    cv2.fillPoly(cover, [np.round(body).astype(np.int32)], 1)
    return np.asarray(person | (cover > 0))


def lamp_of(sight: Sight, empty: Mask) -> Lamp | None:
    """The largest burnt-out spot of the room or at the person's outline (then its disc is measured whole), or a hidden lamp's glow."""
    h = sight.shape[0]
    beside = cv2.distanceTransform(1 - empty.astype(np.uint8), cv2.DIST_L2, 5) < BESIDE_FH * h
    n, names, stats, centres = cv2.connectedComponentsWithStats((sight.smooth >= LAMP_CODE).astype(np.uint8), connectivity=8)
    near = np.bincount(names[beside], minlength=n)
    least = np.pi * (LEAST_LAMP_FH * h) ** 2
    sizes = [(int(stats[i, cv2.CC_STAT_AREA]), i) for i in range(1, n) if near[i] > max(OUTSIDE * stats[i, cv2.CC_STAT_AREA], least)]
    if not sizes:
        return _hidden_lamp(sight, empty)
    area, index = max(sizes)
    return Lamp(float(centres[index][0]), float(centres[index][1]), float(np.sqrt(area / np.pi)))


def _hidden_lamp(sight: Sight, empty: Mask) -> Lamp | None:
    """Where the room is brightest, if that is beside the person and bright enough for a lamp behind them."""
    h = sight.shape[0]
    mass = empty.astype(np.float32)
    sigma = GLOW_SIGMA_FH * h
    code = cv2.GaussianBlur(sight.smooth * mass, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(mass, (0, 0), sigma), np.float32(0.05))
    code = np.where(empty, code, 0)
    y, x = np.unravel_index(int(code.argmax()), code.shape)
    beside = cv2.distanceTransform(empty.astype(np.uint8), cv2.DIST_L2, 5)[y, x] < GLOW_BESIDE_FH * h
    return Lamp(float(x), float(y), 0.0) if beside and code[y, x] >= GLOW_CODE else None


def of_optics(sight: Sight, head: Head | None, empty: Mask | str, lamp: Lamp | None) -> Found:
    """Lamp, halo, flare and dust, in the room that is `empty`."""
    if isinstance(empty, str):
        return dict.fromkeys((*LENS, "flare", *DUST, "motes_on_eyes", "plain_void"), CannotJudge(empty))
    found: Found = {}
    found |= _lens(sight, empty, lamp)
    found |= _dust(sight, head, _off_hair(empty, head), lamp)
    code = sight.smooth[empty]
    motes = found["motes_per_fh2"]
    few = isinstance(motes, CannotJudge) or motes.number < VOID_MOTES
    flat = float(np.percentile(code, 95) - np.percentile(code, 5)) < 4 and lamp is None
    found["plain_void"] = measured("plain_void", bool(few and flat and float(np.median(code)) < VOID_CODE), None, "background")
    return found


def _off_hair(empty: Mask, head: Head | None) -> Mask:
    """The empty room without a band beside the hair: single hairs that stray there catch the lamp as dust does."""
    if head is None or "hair" not in head.parts:
        return empty
    reach = max(round(STRAYS_HW * head.hw_px), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    off = empty & (cv2.dilate(np.asarray(head.parts["hair"] > 0.5, np.uint8), disc) == 0)
    return np.asarray(off) if off.mean() > 0.02 else empty


def _lens(sight: Sight, empty: Mask, lamp: Lamp | None) -> Found:
    """Where the lamp is and how its light spreads over the room."""
    h, w = sight.shape
    hidden = CannotJudge("no lamp is seen in the frame")
    if lamp is None:
        out: Found = dict.fromkeys(LENS, hidden)
        out["flare"] = measured("flare", "none", None, "background")
        return out
    doubt = GLOW_BESIDE_FH if lamp.hidden else 0.002
    found: Found = {
        "lamp_x_fw": measured("lamp_x_fw", lamp.x / w, doubt, "background"),
        "lamp_y_fh": measured("lamp_y_fh", lamp.y / h, doubt, "background"),
        "lamp_radius_fh": CannotJudge("the person hides the lamp")
        if lamp.hidden
        else measured("lamp_radius_fh", lamp.radius / h, 0.001, "background"),
    }
    # Every second pixel will do: glow is smooth.
    every = 2 if h >= 800 else 1
    whole_room = empty
    light, empty = sight.even[::every, ::every], empty[::every, ::every]
    dx = np.arange(0, w, every, dtype=np.float32)[None, :] - np.float32(lamp.x)
    dy = np.arange(0, h, every, dtype=np.float32)[:, None] - np.float32(lamp.y)
    r = np.sqrt(dx * dx + dy * dy) / np.float32(h)
    # The glow ring by ring, medians over what is free of the person, above the level far from the lamp.
    ring = np.minimum((r / RING_FH).astype(np.int32), int(REACH_FH / RING_FH))
    where = empty & (r < REACH_FH)
    order = np.argsort(ring[where], kind="stable")
    values, rings = light[where][order], ring[where][order]
    edges = np.searchsorted(rings, np.arange(int(REACH_FH / RING_FH) + 1))
    profile = np.array([np.median(values[a:b]) if b - a > 20 else np.nan for a, b in pairwise(edges)], np.float32)
    profile = _filled(profile)
    far = float(np.percentile(profile[len(profile) // 2 :], 10))
    glow = np.maximum(profile - far, 0)
    radii = (np.arange(len(glow)) + 0.5) * RING_FH
    outside = radii > lamp.radius / h + RING_FH
    energy = np.cumsum(glow * radii * outside)
    if energy[-1] <= 0 or float(np.nanmax(np.where(outside, glow, 0))) < 1e-3:
        found["halo_radius_fh"] = measured("halo_radius_fh", 0.0, 0.01, "background")
        found["halo_energy_share"] = measured("halo_energy_share", 0.0, None, "background")
    else:
        half = float(np.interp(0.5 * energy[-1], energy, radii))
        found["halo_radius_fh"] = measured("halo_radius_fh", half, 0.01, "background")
        inside = where & (r < 0.3) & (r > lamp.radius / h)
        share = float(np.maximum(light[inside] - far, 0).sum() / max(float(light[empty].sum()), 1e-6))
        found["halo_energy_share"] = measured("halo_energy_share", min(share, 1.0), None, "background")
    # A streak is a level line through the lamp, brighter than the rows just above and below it, and reaches where no iris's star does.
    out = empty & (np.abs(dx) > 0.25 * h) & (np.abs(dx) < 0.7 * h)
    level, beside = out & (np.abs(dy) < 0.003 * h), out & (np.abs(dy) > 0.012 * h) & (np.abs(dy) < 0.03 * h)
    streak = 1.0
    if level.sum() > 50 and beside.sum() > 50:
        a, b = (max(float(np.median(light[part])) - far, 0) for part in (level, beside))
        streak = (a + 1e-3) / (b + 1e-3)
    found["streak_ratio"] = measured("streak_ratio", float(streak), None, "background")
    codes = np.cbrt(np.maximum(profile, 0)) * 255  # close to what the eye sees
    count = coloured_rings(sight, whole_room, lamp)
    found["flare_rings"] = measured("flare_rings", float(count), None, "background")
    at = min(int((HALO_FH + lamp.radius / h) / RING_FH), len(codes) - 1)
    wide = float(codes[at] - np.cbrt(max(far, 0)) * 255) > LEAST_GLOW_CODES
    word = "streak" if streak > STREAK else "rings" if count > 1 else "halo" if wide else "clean"
    found["flare"] = measured("flare", word, None, "background")
    return found


def coloured_rings(sight: Sight, empty: Mask, lamp: Lamp) -> int:
    """Rings round the lamp, told by their colour: coatings part it, blue within and amber without, where a halo is of one colour.

    Blue less red is averaged round ovals about the lamp, and about points a little toward the frame's middle, where reflections
    between further surfaces slide; a ring stands out of what lies just within and just without. Profiles are logarithmic in radius.
    """
    h, w = sight.shape
    every = max(h // 400, 1)
    small = (w // every, h // every)
    colour = cv2.resize(cv2.GaussianBlur(sight.rgb[..., 2] - sight.rgb[..., 0], (0, 0), 1.2), small, interpolation=cv2.INTER_AREA)
    free = cv2.resize(empty.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0.99
    rows, cols = np.nonzero(free)
    values = colour[free]
    count = int(np.log(RINGS_FH[1] / RINGS_FH[0]) / RING_STEP)
    peaks: list[tuple[float, int]] = []
    for slide in RING_SLIDES:
        x, y = (lamp.x + slide * (0.5 * w - lamp.x)) / every, (lamp.y + slide * (0.5 * h - lamp.y)) / every
        for squeeze in RING_SQUEEZES:
            r = np.hypot((cols - x) * squeeze, rows - y) / small[1]
            at = np.floor(np.log(np.maximum(r, 1e-6) / RINGS_FH[0]) / RING_STEP).astype(int)
            within = (at >= 0) & (at < count)
            many = np.bincount(at[within], minlength=count)
            mean = np.bincount(at[within], values[within], count) / np.maximum(many, 1)
            whole = np.convolve(many > 120, np.ones(19), "same") > 18.5  # nothing of the neighbourhood is missing
            ring = np.convolve(mean, np.ones(3) / 3, "same")
            beside = np.convolve(mean, np.r_[np.ones(4), np.zeros(11), np.ones(4)] / 8, "same")
            step = np.where(whole, ring - beside, 0)
            peaks += [(float(step[i]), i) for i in range(count) if step[i] >= RING_CODES and step[i] == step[max(i - 6, 0) : i + 7].max()]
    told: list[int] = []
    for _, at_radius in sorted(peaks, reverse=True):
        if all(abs(at_radius - other) > 10 for other in told):
            told.append(at_radius)
    return len(told)


def _filled(profile: F32) -> F32:
    """NaN gaps closed by their neighbours."""
    good = ~np.isnan(profile)
    return np.asarray(np.interp(np.arange(len(profile)), np.flatnonzero(good), profile[good]), np.float32)


def _dust(sight: Sight, head: Head | None, empty: Mask, lamp: Lamp | None) -> Found:
    """Motes: maxima of scale-normalised differences of Gaussians (Lindeberg 1998) over the grain around them."""
    h, _ = sight.shape
    code = sight.code
    free = empty.copy()
    if lamp is not None:
        burnt = np.zeros(free.shape, np.uint8)
        cv2.circle(burnt, (round(lamp.x), round(lamp.y)), round(lamp.radius + 0.012 * h), 1, -1)
        free &= burnt == 0
    best = np.zeros_like(code)
    scale = np.zeros(code.shape, np.float32)
    for sigma_fh in MOTE_SIGMAS_FH:
        sigma = max(sigma_fh * h, 0.6)
        blob = cv2.GaussianBlur(code, (0, 0), sigma) - cv2.GaussianBlur(code, (0, 0), 2.2 * sigma)
        # The grain's own response hereabouts: the middle of its absolute value over a neighbourhood.
        noise = cv2.resize(_local_median(np.abs(blob[::2, ::2]), 8), code.shape[::-1], interpolation=cv2.INTER_LINEAR) / 0.6745
        strength = np.where(blob > np.maximum(MOTE_NOISE * noise, MOTE_CODES * 0.6), blob, 0)
        better = strength > best
        best, scale = np.where(better, strength, best), np.where(better, np.float32(sigma), scale)
    reach = max(round(0.0025 * h), 1)
    peak = (best > 0) & (best >= cv2.dilate(best, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)))
    rows, cols = np.nonzero(peak & free)
    area = float(free.sum()) / h**2
    found: Found = {}
    if area < LEAST_ROOM_FH2:
        reason = CannotJudge("too little of the background is free")
        found |= dict.fromkeys(DUST, reason)
    else:
        count = len(rows)
        found["motes_per_fh2"] = measured("motes_per_fh2", count / area, (max(count, 1) ** 0.5) / area, "background")
        found["motes_in_air_per_fh2"] = _in_air(count / area, (max(count, 1) ** 0.5) / area, h)
        if count < 5:
            few = CannotJudge("fewer than five motes are seen")
            found |= dict.fromkeys(DUST[2:], few)
        else:
            found["mote_size_fh"] = measured("mote_size_fh", float(np.median(scale[rows, cols])) * 2.355 / h, None, "background")
            found["mote_brightness_codes"] = measured("mote_brightness_codes", float(np.median(best[rows, cols])) / 0.6, None, "background")
            small = cv2.resize(_local_median(code[::2, ::2], 12), code.shape[::-1], interpolation=cv2.INTER_LINEAR)
            toe = float(np.percentile(small[free], 2))
            off = float((small[rows, cols] < toe + BEAM_CODES).mean())
            found["motes_off_beam_share"] = measured("motes_off_beam_share", off, None, "background")
    if head is None:
        found["motes_on_eyes"] = CannotJudge("no face was found")
        return found
    # An eye keeps two lights of its own, the lamp's image and the card's.
    on = 0
    for rim in meshes.EYES:
        eye = np.zeros(code.shape, np.uint8)
        cv2.fillPoly(eye, [np.round(head.points[list(rim), :2]).astype(np.int32)], 1)
        on += max(int((peak & (eye > 0)).sum()) - 2, 0)
    found["motes_on_eyes"] = measured("motes_on_eyes", float(on), None, "eyes")
    return found


def _in_air(seen: float, error: float, height_px: int) -> Measure | CannotJudge:
    """Dust in the air, as far as dust such as lowkey's is there: what is seen over the share that is seen."""
    name = "motes_in_air_per_fh2"
    if not 480 <= height_px <= 2600:
        return CannotJudge("what share of the dust is seen is known for frames of 480 to 2600 px only")
    share = min(SEEN_AT_640 + SEEN_PER_OCTAVE * float(np.log2(height_px / 640)), 0.95)
    return measured(name, seen / share, float(np.hypot(error, seen * SEEN_SIGMA / share)) / share, "background")


def _local_median(picture: F32, tile: int) -> F32:
    """Median over tiles of `tile` pixels, f32[h / tile, w / tile]."""
    h, w = picture.shape[0] // tile * tile, picture.shape[1] // tile * tile
    tiles = picture[:h, :w].reshape(h // tile, tile, w // tile, tile).transpose(0, 2, 1, 3).reshape(h // tile, w // tile, -1)
    return np.asarray(np.median(tiles, axis=-1), np.float32)
