"""Tones: how far light and shadow lie apart, what is burnt or blocked, and what the shadow still holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.meter.reading import CannotJudge, Found, Measure, measured
from lowkey.meter.sight import Head, Mask, Sight, oval
from lowkey.pixels import F32

LIT_SHARE_OF_PEAK = 0.25
"""Skin is lit where its code is above this share of the face's 98th percentile: four stops under it, on a print."""
LEAST_DARK = 200
CLIPPED, BLACK = 250, 16
OVER, UNDER = 247, 25
"""The zones of ISO/IEC 29794-5."""
ZONES_L = np.arange(5, 100, 10)
BLOCK_HW = 0.05
"""Tones of a face hang together over about this length: so many independent samples does it hold."""
MUSH_GRAIN_FH, MUSH_CODES = 0.005, 6.0
ISLAND, FLECK_PX, BRIDGE_HW = 0.01, 12, 0.03
SURROUND = 0.08
"""Width of the band at the frame's edge that shows the room, over the frame's shorter side."""


@dataclass(frozen=True)
class Sides:
    """The face's skin, in the light and in the shadow. bool[h, w] each."""

    face: Mask
    lit: Mask
    dark: Mask
    right: F32
    """f32[h, w] how far right of the head's own middle line, in head-widths."""

    @property
    def shaded(self) -> bool:
        return int(self.dark.sum()) > LEAST_DARK


def sides(sight: Sight, head: Head) -> Sides:
    """Lit and shadow skin; the dark side keeps clear of the light's edge."""
    smooth, face, right = sight.smooth, head.skin, halves(head, sight.shape)
    if face.sum() < LEAST_DARK:
        return Sides(face, np.zeros_like(face), np.zeros_like(face), right)
    lit = face & (smooth > LIT_SHARE_OF_PEAK * np.percentile(smooth[face], 98))
    reach = max(round(15 * sight.shape[0] / 1280), 5) | 1
    dark = face & (cv2.dilate(lit.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0)
    return Sides(face, lit, dark, right)


def of_frame(sight: Sight) -> Found:
    """Tones that need no face."""
    code, shape = sight.code, sight.shape
    found: Found = {}

    def say(name: str, value: float) -> None:
        found[name] = measured(name, value, None, "frame")

    say("frame_black_share", float((code <= BLACK).mean()))
    say("frame_clipped_share", float((sight.peak >= CLIPPED).mean()))
    say("frame_median_code", float(np.median(code)))
    say("frame_toe_code", float(np.percentile(sight.smooth, 0.5)))
    zones = zone_shares(sight.even)
    say("low_key_index", float(zones[:4].sum() * (1 - zones[7:].sum())))
    around = zone_shares(sight.even[surround(shape)])
    found["surround_dark_share"] = measured("surround_dark_share", float(around[:4].sum()), None, "the frame's surround")
    for number, share in enumerate(zones):
        say(f"zone_{number}_share", float(share))
    # Grey mush: midtones that stand still once the grain is out of them.
    calm = cv2.GaussianBlur(code, (0, 0), MUSH_GRAIN_FH * shape[0])
    box = np.ones((max(shape[0] // 25, 3) | 1,) * 2, np.uint8)
    moves = cv2.dilate(calm, box) - cv2.erode(calm, box)
    say("midtone_flatness", float(((calm > 50) & (calm < 130) & (moves < MUSH_CODES)).mean()))
    say("frame_aspect", shape[1] / shape[0])
    return found


def zone_shares(light: F32) -> F32:
    """Shares f32[11] of a display-linear picture in zones 0 to X, whose borders lie at L* 5, 15, ... 95 (CIE 1976)."""
    f = (ZONES_L + 16) / 116
    borders = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)
    counts = np.histogram(light, np.concatenate([[-1.0], borders, [2.0]]))[0]
    return np.asarray(counts / max(light.size, 1), np.float32)


def of_face(sight: Sight, head: Head, parted: Sides) -> Found:
    """Tones of the face, its sides and its surroundings."""
    face, lit, dark = parted.face, parted.lit, parted.dark
    if face.sum() < LEAST_DARK or not lit.any():
        return {name: CannotJudge("too little of the face's skin is in the picture") for name in _FACE}
    smooth, light = sight.smooth, sight.even
    many = _samples(face, head)
    found: Found = {}

    def share(name: str, which: Mask, region: str = "face skin") -> None:
        p = float(which[face].mean())
        found[name] = measured(name, p, math.sqrt(max(p * (1 - p), 1e-4) / many), region)

    share("lit_share", lit)
    share("face_clipped_share", sight.peak >= CLIPPED)
    share("face_white_share", np.asarray((sight.rgb >= 254).all(-1)))
    share("face_over_share", sight.code >= OVER)
    share("face_under_share", sight.code <= UNDER)
    found["face_uniformity"], found["face_entropy_bits"] = _histograms(sight, parted)
    name = "highlight_code"
    found[name] = measured(name, float(np.percentile(smooth[lit], 98)), 2.0, "lit side of the face")
    found |= _ratio(sight, head, parted)
    if parted.shaded:
        values = smooth[dark]
        low, high = np.percentile(values, [5, 95])
        error = float(1.2533 * values.std() / math.sqrt(_samples(dark, head)))
        found["shadow_median_code"] = measured("shadow_median_code", float(np.median(values)), error, "shadow side of the face")
        found["shadow_range_codes"] = measured("shadow_range_codes", float(high - low), 2 * error, "shadow side of the face")
        areas = islands(lit, (oval(head.points, sight.shape) > 0) & ~face, BRIDGE_HW * head.hw_px)
        fleck = FLECK_PX * (sight.shape[0] / 1280) ** 2
        count = float(((areas < ISLAND * face.sum()) & (areas > max(fleck, 2))).sum())
        found["lit_islands"] = measured("lit_islands", count, None, "face skin")
    else:
        for name in ("shadow_median_code", "shadow_range_codes", "lit_islands"):
            found[name] = CannotJudge("no side of the face lies in shadow")
    found["neck_over_chin"] = _neck(sight, head, light)
    found["dark_edge_codes"] = _dark_edge(sight, head, parted)
    return found


_FACE = ("lit_share", "face_clipped_share", "face_white_share", "face_over_share", "face_under_share", "face_uniformity",
         "face_entropy_bits", "highlight_code", "lighting_ratio_stops", "shadow_median_code", "shadow_range_codes", "lit_islands",
         "neck_over_chin", "dark_edge_codes")  # fmt: skip


def islands(lit: Mask, cut: Mask, reach_px: float) -> F32:
    """Areas f32[n], in pixels, of the pieces of lit skin that hang together with no other. What is no skin (a brow, the frame of a
    pair of glasses, a strand of hair: `cut`) parts none if it is narrower than two reaches."""
    reach = 2 * max(round(reach_px), 1) + 1
    near = cv2.dilate(lit.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    _, labels = cv2.connectedComponents((lit | (cut & near)).astype(np.uint8), connectivity=8)
    areas = np.bincount(labels[lit])[1:]
    return np.asarray(areas[areas > 0], np.float32)


def _samples(where: Mask, head: Head) -> float:
    return max(float(where.sum()) / (BLOCK_HW * head.hw_px) ** 2, 4.0)


def halves(head: Head, shape: tuple[int, int]) -> F32:
    """f32[h, w]: how far right of the head's own middle line (crown to chin) a pixel lies, in head-widths."""
    crown, chin = head.points[10, :2], head.points[152, :2]
    up = (crown - chin) / max(float(np.linalg.norm(crown - chin)), 1e-6)
    x, y = np.arange(shape[1], dtype=np.float32)[None, :], np.arange(shape[0], dtype=np.float32)[:, None]
    return np.asarray(((x - chin[0]) * -up[1] + (y - chin[1]) * up[0]) / head.hw_px, np.float32)


def _histograms(sight: Sight, parted: Sides) -> tuple[Measure | CannotJudge, Measure | CannotJudge]:
    """Intersection of the two halves' histograms, and the entropy of the whole (ISO/IEC 29794-5:2025)."""
    right, face = parted.right, parted.face
    one, other = (np.histogram(sight.code[face & side], 256, (0, 256))[0] for side in (right < 0, right >= 0))
    if min(one.sum(), other.sum()) < LEAST_DARK:
        uniform: Measure | CannotJudge = CannotJudge("one half of the face is turned away")
    else:
        value = float(np.minimum(one / one.sum(), other / other.sum()).sum())
        uniform = measured("face_uniformity", value, None, "face skin")
    p = (one + other) / max((one + other).sum(), 1)
    entropy = float(-(p[p > 0] * np.log2(p[p > 0])).sum())
    return uniform, measured("face_entropy_bits", entropy, None, "face skin")


def _ratio(sight: Sight, head: Head, parted: Sides) -> Found:
    """The lighting ratio in stops: lit over shadow, or one half over the other where nothing lies in shadow."""
    light, name = sight.even, "lighting_ratio_stops"
    one, other, region = parted.lit, parted.dark, "lit and shadow side of the face"
    if not parted.shaded or other.sum() < 0.03 * parted.face.sum():
        right = parted.right
        one, other, region = parted.face & (right < -0.1), parted.face & (right > 0.1), "left and right half of the face"
        if min(one.sum(), other.sum()) < LEAST_DARK:
            return {name: CannotJudge("one half of the face is turned away and none of it is in shadow")}
    a, b = light[one], light[other]
    value = float(np.log2(max(float(np.median(a)), 1e-6) / max(float(np.median(b)), 1e-6)))
    if region.startswith("left"):
        value = abs(value)

    def error(part: F32, where: Mask) -> float:
        return 1.2533 * float(np.log2(np.maximum(part, 1e-6)).std()) / math.sqrt(_samples(where, head))

    return {name: measured(name, value, math.hypot(error(a, one), error(b, other)), region)}


def _neck(sight: Sight, head: Head, light: F32) -> Measure | CannotJudge:
    """The neck against the chin: a patch under the jaw and one on the chin, skin or cloth as they come."""
    h, w = sight.shape
    hw, (x, y) = head.hw_px, head.points[152, :2]

    def patch(down: float) -> float | None:
        middle = y + down * hw
        y0, y1, x0, x1 = (round(v) for v in (middle - 0.04 * hw, middle + 0.04 * hw, x - 0.15 * hw, x + 0.15 * hw))
        if y0 < 0 or y1 > h or x0 < 0 or x1 > w or y1 <= y0:
            return None
        return float(np.median(light[y0:y1, x0:x1]))

    chin, neck = patch(-0.08), patch(0.18)
    if chin is None or neck is None:
        return CannotJudge("the neck is beyond the frame")
    if chin < 2e-4:
        return CannotJudge("the chin is black")
    return measured("neck_over_chin", neck / chin, 0.1 * neck / chin, "chin and neck")


def _dark_edge(sight: Sight, head: Head, parted: Sides) -> Measure | CannotJudge:
    """How far the dark contour stands off the room: the best band of the head's edge on the side away from the light."""
    if head.matte is None:
        return CannotJudge("the person's outline is not known without the reference")
    if not parted.shaded:
        return CannotJudge("no side of the face lies in shadow")
    h = sight.shape[0]
    smooth, points = sight.smooth, head.points
    right = parted.right
    toward = np.sign(float(right[parted.lit].mean() - right[parted.dark].mean())) or 1.0
    matte = (head.matte > 0.5).astype(np.uint8)
    reach = max(round(9 * h / 1280), 3) | 1
    box = np.ones((reach, reach), np.uint8)
    inner = (matte > 0) & (cv2.erode(matte, box, iterations=2) == 0) & (right * toward < 0)
    outer = (matte == 0) & (cv2.dilate(matte, box, iterations=2) > 0) & (right * toward < 0)
    best, least, tall = None, 30 * (h / 1280) ** 2, max(h // 40, 1)
    for top in range(max(int(points[:, 1].min()), 0), min(int(points[152, 1]), h), tall):
        rows = slice(top, top + tall)
        a, b = smooth[rows][inner[rows]], smooth[rows][outer[rows]]
        if len(a) > least and len(b) > least:
            best = max(best or 0.0, abs(float(np.median(a) - np.median(b))))
    if best is None:
        return CannotJudge("the dark contour is beyond the frame")
    return measured("dark_edge_codes", best, 0.5, "contour of the head away from the light")


INDEX_WEIGHT, SURROUND_WEIGHT, OFFSET = 10.2, 7.1, -10.9
"""Log odds of low key: fitted on 111 pictures (benchmarks/halves.py), judged there on those that were left out."""
SURE = 0.75
"""Below this probability, either way, it cannot be said."""


def low_key(found: Found) -> bool | None:
    """Is this a low-key picture: dark in the main, with few brights, and dark where nothing is shown? None where it is in doubt."""
    index, surround = found["low_key_index"], found["surround_dark_share"]
    if isinstance(index, CannotJudge) or isinstance(surround, CannotJudge):
        return None
    odds = INDEX_WEIGHT * index.number + SURROUND_WEIGHT * surround.number + OFFSET
    sure = math.log(SURE / (1 - SURE))
    return True if odds >= sure else False if odds <= -sure else None


def surround(shape: tuple[int, int]) -> Mask:
    """bool[h, w]: a band along the top and down the upper half of both sides, where a portrait shows the room."""
    h, w = shape
    wide = max(round(SURROUND * min(h, w)), 1)
    band = np.zeros((h, w), bool)
    band[:wide] = True
    band[: h // 2, :wide] = True
    band[: h // 2, w - wide :] = True
    return band
