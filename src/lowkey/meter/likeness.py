"""Is it still the person? Face and hair against the reference, in one light.

A face in half shadow is far from itself in daylight, for a network as for a passer-by, and a network that learned from ordinary
pictures sees little of a face that is half black. So both are first brought, plainly, to one soft light: the frame's coarse light with a
fifth of its contrast, in each picture's own detail. Only scalars leave this module; no descriptor is kept or written.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.errors import EngineError
from lowkey.frame import Placement
from lowkey.meter.reading import CannotJudge, Found, Measure, measured
from lowkey.meter.sight import Head, Sight
from lowkey.pixels import F32, U8, luminance, srgb_decode, srgb_encode
from lowkey.plate import faces, likeness
from lowkey.plate.plate import Plate

SAME, PROBABLY, OTHER = 0.50, 0.59, 0.65
"""Distances in one soft light. House frames of twelve people, under a fill of a fiftieth and of a two-hundredth: .33 to .58, median .48;
of strangers .68 to 1.0 (in the frame's own hard light .65 at most, and .59 at least). The border follows the rule of
`benchmarks/halves.py`."""
COARSE_HW, SOFTER, BRIGHTEST = 0.12, 0.2, 0.3
"""Scale of the light that is taken off, share of its contrast (log) that is given back, and linear light of its brightest twentieth."""
FACE_SIDE_PX = 240
LEAST_FACE_PX = 60.0
SEEN_CODE, LEAST_LIT = 20.0, 0.30
MOST_YAW_DEG = 55.0
FIXED = (263, 362, 33, 133, 2, 61, 291, 10, 152)
"""Mesh points that a similarity is laid through: eye corners, nose, mouth corners, forehead and chin."""
NAMES = ("likeness", "likeness_distance", "likeness_control", "hair_likeness")


def unasked() -> Found:
    """No descriptor is made of a frame whose model's licence bars it."""
    why = "the licence of the model bars it or does not allow it clearly; likeness=yes measures it all the same"
    return {name: CannotJudge(why) for name in NAMES}


def of_likeness(sight: Sight, head: Head, plate: Plate | None) -> Found:
    """The distance in the frame's light, what that light alone costs, and the band."""
    if plate is None:
        return {name: CannotJudge("there is no reference to compare with") for name in NAMES}
    found: Found = {"hair_likeness": _hair(sight, head)}
    rest = NAMES[:3]
    if head.hw_px < LEAST_FACE_PX:
        return found | {name: CannotJudge("the face is too small to be recognised") for name in rest}
    if float((sight.smooth[head.skin] > SEEN_CODE).mean() if head.skin.any() else 0.0) < LEAST_LIT:
        return found | {name: CannotJudge("too little of the face shows for anybody to be recognised") for name in rest}
    if abs(plate.pose.yaw_deg) > MOST_YAW_DEG:
        return found | {name: CannotJudge("the reference is a profile") for name in rest}
    frame, points = _face(sight.codes8, head.points)
    there = plate.landmarks.copy()
    there[:, :2] = plate.window.inverse().points(plate.landmarks[:, :2])
    reference = _laid(faces.codes(plate.photo), there, frame.shape[:2], points)
    softened, seen = _in_one_light(reference, frame)
    try:
        away, control = likeness.distances(softened, (seen, reference), points)
    except EngineError as error:
        return found | {name: CannotJudge(str(error)) for name in rest}
    region = f"face ({head.found_by})"
    found["likeness_distance"] = measured("likeness_distance", away, 0.04, region)
    found["likeness_control"] = measured("likeness_control", control, 0.03, "reference, lit as it is compared")
    # On a face read in the dark itself landmarks are less sure: a stranger must be farther.
    other = OTHER + 0.04 * head.own
    if PROBABLY < away <= other:
        found["likeness"] = CannotJudge(f"a distance of {away:.2f} is as far as a stranger's and as near as the person's own")
    else:
        found["likeness"] = measured("likeness", "same" if away <= SAME else "probably" if away <= PROBABLY else "not", None, region)
    return found


def _face(picture: U8, points: F32) -> tuple[U8, F32]:
    """The face and its surroundings brought to one size, u8, and the landmarks on it f32[478, 2]."""
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    middle, side = (low + high) / 2, 2.2 * float((high - low).max())
    k = 2 * FACE_SIDE_PX / side
    shift = FACE_SIDE_PX - k * middle
    part = cv2.GaussianBlur(picture, (0, 0), 0.5 / k) if k < 0.6 else picture
    m = np.array([[k, 0, shift[0]], [0, k, shift[1]]], np.float64)
    crop = cv2.warpAffine(part, m, (2 * FACE_SIDE_PX, 2 * FACE_SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8), np.asarray(points[:, :2] * k + shift, np.float32)


def _laid(reference: U8, there: F32, shape: tuple[int, int], points: F32) -> U8:
    """The reference laid on the frame's landmarks by the least-median similarity (shift, scale, turn in the plane)."""
    m, _ = cv2.estimateAffinePartial2D(there[list(FIXED), :2].astype(np.float64), points[list(FIXED)].astype(np.float64), method=cv2.LMEDS)
    scale = float(np.hypot(m[0, 0], m[1, 0]))
    part = cv2.GaussianBlur(reference, (0, 0), 0.5 / scale) if scale < 0.6 else reference
    return np.asarray(cv2.warpAffine(part, m, shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _in_one_light(reference: U8, frame: U8) -> tuple[U8, U8]:
    """Both pictures u8 under the frame's own coarse light, softened."""
    pictures = [srgb_decode(codes / 255) for codes in (reference, frame)]
    sigma = COARSE_HW * FACE_SIDE_PX / 2.2
    own = [np.asarray(cv2.GaussianBlur(np.log(luminance(one) + np.float32(1e-3)), (0, 0), sigma), np.float32) for one in pictures]
    soft = np.float32(SOFTER) * (own[1] - np.percentile(own[1], 95)) + np.float32(np.log(BRIGHTEST))
    one, other = (
        np.asarray(np.round(srgb_encode(np.clip(picture * np.exp(soft - light)[..., None], 0, 1)) * 255), np.uint8)
        for picture, light in zip(pictures, own, strict=True)
    )
    return one, other


def _hair(sight: Sight, head: Head) -> Measure | CannotJudge:
    """Correlation of the hair's own structure, a band of its log luminance, where the frame shows hair at all."""
    if head.plate is None or head.placement is None or "hair" not in head.parts:
        return CannotJudge("the reference does not lie on the frame, so strands cannot be compared")
    hair = (head.parts["hair"] > 0.8) & (sight.smooth > 24)
    if hair.sum() < (0.25 * head.hw_px) ** 2:
        return CannotJudge("too little hair is lit")
    # Only the head's surroundings are looked at.
    rows, cols = np.flatnonzero(hair.any(1)), np.flatnonzero(hair.any(0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
    at = head.placement
    there = Placement(at.scale, at.tx - x0, at.ty - y0).warp(luminance(head.plate.colour), (x1 - x0, y1 - y0))
    hair = hair[y0:y1, x0:x1]

    def band(light: F32) -> F32:
        tone = np.log(np.maximum(light, 0) + np.float32(2e-3))
        fine, coarse = (cv2.GaussianBlur(tone, (0, 0), k * head.hw_px) for k in (0.008, 0.035))
        return np.asarray(fine - coarse, np.float32)

    a, b = band(sight.light[y0:y1, x0:x1])[hair], band(there)[hair]
    a, b = a - a.mean(), b - b.mean()
    value = float((a @ b) / max(float(np.sqrt((a @ a) * (b @ b))), 1e-9))
    return measured("hair_likeness", max(value, 0.0), 0.05, "lit hair")
