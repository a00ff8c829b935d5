"""How the person holds head, eyes and hands, and where the head stands in the frame.

Where the frame carries its reference's placement these are the reference's own: the pixels are its pixels.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lowkey.meter.reading import CannotJudge, Found, Measure, measured
from lowkey.meter.sight import Head, Mask, Sight
from lowkey.pixels import F32, U8, luminance
from lowkey.plate import hands, landmarks, meshes

CLOSED = 0.14
"""Opening between the lids over the width of the eye."""
EYE_OVER_EYEBALL = 28 / 12
"""Width of the opening over the eyeball's radius, mm over mm."""
UP_DEG, ASIDE_DEG = 14.0, 20.0
CHIN_HW = 0.55
LIT_EYE = 0.012
"""Display-linear (code 29): an opening that is nowhere brighter lies in the dark."""
IRIS_STOPS, GREY_IRIS_STOPS = 1.0, 2.5
"""An iris is darker than the white round it by the first or more; lids are skin all over. Shade on a lid reaches it, too, so the white
must be whiter than skin; where the picture has no colour to tell by, the second is asked."""
WHITE_STOPS, COLOURLESS = -0.5, 0.1
"""The white of an eye has less red over blue and over green than the skin under the eye has, the two together in stops. Skin whose red
is not more than the second over its blue has no colour."""
ASIDE_STOPS, SLIVER = 0.3, 0.1
"""Shade falls from one side: white to both sides of the iris is brighter than it by the first; less than the second of it is a sliver."""
OUTSHINES_STOPS = 1.5
"""Where the opening is brighter than the skin below it by more than this, the two lie in different light and their colours tell nothing."""
EYE_CODES = 10.0
"""An eye that shows spans 19 codes and more; two behind dark glasses spanned 2 and 5."""
LIDS = ((159, 145), (386, 374))
CORNERS = ((33, 133), (362, 263))


def of_pose(sight: Sight, head: Head) -> Found:
    """Head, gaze, eyes and hands."""
    found: Found = {}
    pose = head.plate.pose if head.plate is not None and head.placement is not None else landmarks.pose(head.points)
    error = 4.0 if not head.own else 6.0
    found["head_yaw_deg"] = measured("head_yaw_deg", pose.yaw_deg, error, "face mesh")
    found["head_pitch_deg"] = measured("head_pitch_deg", pose.pitch_deg, error, "face mesh")
    found["head_roll_deg"] = measured("head_roll_deg", pose.roll_deg, error / 2, "face mesh")
    found |= _eyes(sight, head, pose.yaw_deg, pose.pitch_deg)
    found["hands_at_chin"] = _hands(sight, head)
    return found


def of_place(sight: Sight, head: Head) -> Found:
    """Where the face stands and how large it is."""
    h, w = sight.shape
    low, high = head.points[:468, :2].min(0), head.points[:468, :2].max(0)
    x, y = (low + high) / 2
    return {
        "head_x_fw": measured("head_x_fw", float(x / w), 0.005, "face mesh"),
        "head_y_fh": measured("head_y_fh", float(y / h), 0.005, "face mesh"),
        "face_height_fh": measured("face_height_fh", float((high[1] - low[1]) / h), 0.01, "face mesh"),
    }


def _eyes(sight: Sight, head: Head, yaw: float, pitch: float) -> Found:
    """Lids and gaze. The iris's shift in the opening turns the eye in the head; the head's own turn is added."""
    points = head.points
    if head.own and not _seen(sight, points):
        why = CannotJudge("the eyes lie in the dark or behind dark glasses")
        return {"eyes_closed": why, "gaze": why}
    openings, across, up = [], [], []
    for (top, bottom), (one, other), iris in zip(LIDS, CORNERS, meshes.IRISES, strict=True):
        a, b = points[one, :2], points[other, :2]
        width = max(float(np.linalg.norm(b - a)), 1e-6)
        along = (b - a) / width
        over = np.array([along[1], -along[0]])
        shift = (points[iris, :2] - (a + b) / 2) / width
        openings.append(float(np.linalg.norm(points[top, :2] - points[bottom, :2])) / width)
        across.append(float(shift @ along))
        up.append(float(shift @ over))
    closed = max(openings) < CLOSED
    if head.own and (against := _against(sight, points, closed)):
        why = CannotJudge(against)
        return {"eyes_closed": why, "gaze": why}
    found: Found = {"eyes_closed": measured("eyes_closed", closed, None, "eyes")}
    if closed:
        found["gaze"] = CannotJudge("the eyes are closed")
        return found
    aside, lift = (math.degrees(math.asin(float(np.clip(np.mean(v) * EYE_OVER_EYEBALL, -1, 1)))) for v in (across, up))
    aside, lift = aside + yaw, lift + pitch
    word = "up" if lift > UP_DEG else "down" if lift < -UP_DEG else "aside" if abs(aside) > ASIDE_DEG else "lens"
    found["gaze"] = measured("gaze", word, None, "eyes")
    return found


def _against(sight: Sight, points: F32, closed: bool) -> str:
    """What the pixels say against the mesh, which draws lids open in half light whatever they are; empty where they agree.

    In every opening that is lit an iris must be darker than the white beside it, if the eyes are open, and must not be, if not; and
    it must be so to both sides, as far as both show, and the white of one eye at least must be whiter than skin.
    """
    stops, aside, whites, grey = [], [], [], True
    for rim, iris in zip(meshes.EYES, meshes.IRISES, strict=True):
        disc, near, opening = (np.zeros(sight.shape, np.uint8) for _ in range(3))
        cv2.fillPoly(opening, [np.round(points[list(rim), :2]).astype(np.int32)], 1)
        middle = points[iris, :2]
        radius = float(np.linalg.norm(points[iris + 1 : iris + 5, :2] - middle, axis=1).mean())
        for mask, share in ((disc, 0.85), (near, 1.15)):
            cv2.circle(mask, (round(float(middle[0])), round(float(middle[1]))), max(round(share * radius), 1), 1, -1)
        beside = (opening > 0) & (near == 0)
        dark, white = sight.light[(opening > 0) & (disc > 0)], sight.light[beside]
        if min(len(dark), len(white)) < 8 or float(np.percentile(sight.even[opening > 0], 80)) < LIT_EYE:
            continue
        tone = float(np.percentile(dark, 40)) + 2e-3
        stops.append(math.log2((float(np.percentile(white, 60)) + 2e-3) / tone))
        for part in _sides(beside, points[list(rim), :2], middle):
            aside.append(math.log2((float(np.percentile(sight.light[part], 60)) + 2e-3) / tone))
        skin = _below(opening, float(np.ptp(points[list(rim), 0])))
        if skin.sum() < 8:
            continue
        own = np.median(sight.linear[skin], axis=0) + 1e-4
        seen = np.median(sight.linear[beside & (sight.light >= np.median(white))], axis=0) + 1e-4
        grey = grey and abs(math.log2(own[0] / own[2])) < COLOURLESS
        if math.log2(luminance(seen) / luminance(own)) < OUTSHINES_STOPS:
            whites.append(2 * math.log2(seen[0] / own[0]) - math.log2(seen[1] / own[1]) - math.log2(seen[2] / own[2]))
    if not stops:
        return "the eyes lie in the dark, or are too small"
    iris_seen = min(stops) >= IRIS_STOPS
    if closed is iris_seen:
        return "whether the lids are open cannot be told: the mesh says one thing, the tones of the eyes another"
    coloured = min(stops) >= GREY_IRIS_STOPS if grey else min(whites, default=0.0) <= WHITE_STOPS
    if iris_seen and not (coloured and min(aside, default=0.0) >= ASIDE_STOPS):
        return "whether the white of an eye is seen or a lid cannot be told"
    return ""


def _sides(beside: Mask, rim: F32, middle: F32) -> list[Mask]:
    """What shows of the white on either side of the iris, along the opening; a sliver is left out."""
    along = rim[np.argmax(rim[:, 0])] - rim[np.argmin(rim[:, 0])]
    rows, cols = np.nonzero(beside)
    right = (cols - middle[0]) * along[0] + (rows - middle[1]) * along[1] > 0
    parts = []
    for wanted in (False, True):
        part = np.zeros_like(beside)
        part[rows[right == wanted], cols[right == wanted]] = True
        if part.sum() >= max(SLIVER * beside.sum(), 8):
            parts.append(part)
    return parts


def _below(opening: U8, width: float) -> Mask:
    """bool[h, w]: skin under an eye, a fifth to two fifths of its width away from the opening."""
    far, near = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(int(k * width), 1) + 1,) * 2) for k in (0.45, 0.2))
    ring = (cv2.dilate(opening, far) > 0) & (cv2.dilate(opening, near) == 0)
    low = int(np.nonzero(opening.any(1))[0].mean())
    ring[:low] = False
    return np.asarray(ring)


def _seen(sight: Sight, points: F32) -> bool:
    """Does at least one opening show an eye, light and dark, and not one tone: the dark, or dark glasses?"""
    for rim in meshes.EYES:
        eye = np.zeros(sight.shape, np.uint8)
        cv2.fillPoly(eye, [np.round(points[list(rim), :2]).astype(np.int32)], 1)
        tones = sight.smooth[eye > 0]
        if tones.size > 10 and float(np.subtract(*np.percentile(tones, [95, 5]))) > EYE_CODES:
            return True
    return False


def _hands(sight: Sight, head: Head) -> Measure | CannotJudge:
    """Hands near the chin: the reference's own, or looked for in the picture."""
    h = sight.shape[0]
    chin, reach = head.points[152, :2], CHIN_HW * head.hw_px
    if "hands" in head.parts:
        rows, cols = np.nonzero(head.parts["hands"] > 0.5)
        near = np.hypot(cols - chin[0], rows - chin[1]) < reach
        return measured("hands_at_chin", bool(near.sum() > (0.08 * head.hw_px) ** 2), None, "the reference's hands")
    if chin[1] + 0.3 * head.hw_px > h:
        return CannotJudge("the chin is at the frame's edge")
    seen = hands.read(sight.linear, head.hw_px)
    at = any(bool((np.linalg.norm(hand - chin, axis=1) < reach).sum() >= 4) for hand in seen)
    if not at and float(sight.smooth[int(min(chin[1], h - 1)) :].mean()) < 12:
        return CannotJudge("below the chin it is too dark for a hand to be seen")
    return measured("hands_at_chin", at, None, "the picture")
