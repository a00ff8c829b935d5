"""What hangs on the head, and what only touches it: ears and hair are its own, bits of the room between lobe and shoulder are not."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.pixels import F32
from lowkey.plate.plate import Plate

THREAD_HW = 0.028
"""Half the width under which what hangs below the nose's tip is a thread."""


def broad(cover: F32, k: float) -> F32:
    """1 where a coverage f32[h, w] is broader than a thread, softly 0 elsewhere; k is pixels a head-width."""
    # Half a pixel in a thread's width decides nothing: at half size.
    small = cv2.resize(cover, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(THREAD_HW * k / 2) + 1,) * 2)
    core = cv2.morphologyEx((small > 0.3).astype(np.uint8), cv2.MORPH_OPEN, round_)
    grown = cv2.dilate(core, np.ones((3, 3), np.uint8)).astype(np.float32)
    return np.asarray(cv2.resize(grown, (cover.shape[1], cover.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def on_nose(head: F32, nose: F32, start: int, k: float) -> F32:
    """The piece of a coverage f32[h, w] that the nose (x, y px) belongs to; from row `start` down nothing hangs on it by a thread."""
    whole = head.copy()
    high = max(start - round(4 * THREAD_HW * k), 0)
    whole[start:] *= broad(head[high:], k)[start - high :]
    _, names = cv2.connectedComponents((whole > 0.3).astype(np.uint8), connectivity=4)
    own = names[int(np.clip(round(float(nose[1])), 0, len(head) - 1)), int(np.clip(round(float(nose[0])), 0, head.shape[1] - 1))]
    if not own:
        return head
    # With its own soft edge.
    near = cv2.dilate((names == own).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.asarray(np.where(near, whole, 0), np.float32)


WEB_HW, LEAST_WEB_HW = 0.080, 0.030
"""Half the width of a notch that is no notch but skin, if the photo shows skin there, and the side of the least one that is filled."""


def webbed(head: F32, skin: F32, start: int, k: float) -> F32:
    """A coverage f32[h, w] with the narrow notches between lobe and jaw filled, from row `start` down, where `skin` f32[h, w] is.

    The jaw's line and the lobe's own end are two cuts; where they miss each other by a finger's breadth a stub would hang in the air.
    """
    rows, columns = (np.flatnonzero((head[start:] > 0.5).any(axis)) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return head
    m = round(2 * WEB_HW * k)
    box = np.s_[start : start + rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    small = cv2.resize(head[box], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(WEB_HW * k / 2) + 1,) * 2)
    pad = round(WEB_HW * k)
    solid = cv2.copyMakeBorder((small > 0.5).astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    notch = (cv2.morphologyEx(solid, cv2.MORPH_CLOSE, round_) - solid)[pad:-pad, pad:-pad]
    notch *= (cv2.resize(skin[box], (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    _, names, stats, _ = cv2.connectedComponentsWithStats(notch)
    large = stats[:, cv2.CC_STAT_AREA] > (LEAST_WEB_HW * k / 2) ** 2
    large[0] = False
    if not large.any():
        return head
    filled = cv2.dilate(large[names].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    whole = cv2.resize(filled, (head[box].shape[1], head[box].shape[0]), interpolation=cv2.INTER_LINEAR)
    out = head.copy()
    out[box] = np.maximum(head[box], cv2.GaussianBlur(whole, (0, 0), 1.0) * np.clip(2 * skin[box] - 1, 0, 1))
    return out


def falling(plate: Plate, below: F32) -> F32:
    """Hair and beard f32[h, w], wherever they fall, without islands that hang from no head (the parts end it above the photo's edge)."""
    q = 4
    hair = plate.parts["hair"]
    small = cv2.resize(hair, None, fx=1 / q, fy=1 / q, interpolation=cv2.INTER_AREA)
    on_head = cv2.resize(below, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA) < -0.02
    _, names = cv2.connectedComponents((small > 0.3).astype(np.uint8))
    roots = np.unique(names[on_head & (small > 0.5)])
    rooted = cv2.dilate(np.isin(names, roots[roots > 0]).astype(np.float32), np.ones((3, 3)))
    return np.asarray(hair * cv2.resize(rooted, plate.size_px, interpolation=cv2.INTER_LINEAR), np.float32)
