"""What hangs on the head, and what only touches it: ears and hair are its own, bits of the room between lobe and shoulder are not."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

THREAD_HW = 0.028
"""Half the width under which what hangs below the nose's tip is a thread."""
EARS, NOSE, NOSE_BASE, CORNERS = (234, 454), 4, 2, (172, 397)
"""Mesh points; the jaw's corners at the viewer's left and right."""
FAR, FULL_HW = (0.32, 0.34), 0.16
"""Share of a face's width beyond the nose up to which that side is a turned face's far one, and from which it is not; how far a full cheek
stands out from the mesh at most."""
EVEN_HW, SOFT_PX = 0.024, 2.6
"""Over what (sigma) the line from an ear's lobe to the jaw is straightened, and how wide its edge is, in plate pixels."""


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


def evened(head: F32, first: int, last: int, k: float) -> F32:
    """A coverage f32[h, w] whose outline, from row `first` to `last`, has no notch between lobe and jaw, nor a tooth below it.

    Lobes and jaw are known by different rules, and where these meet they leave corners that nobody has.
    """
    out = head.copy()
    sigma, m = EVEN_HW * k, round(4 * EVEN_HW * k)
    top, end = max(first - m, 0), min(last + m, len(head))
    if end - top < 2 * m:
        return out
    level = blur(np.ascontiguousarray(head[top:end]), sigma)
    # A straight border blurred by sigma falls by .4 / sigma a pixel at its middle.
    even = np.clip(0.5 + (level - 0.5) * np.float32(sigma / (0.4 * SOFT_PX)), 0, 1)
    rows = np.arange(top, end, dtype=np.float32)[:, None]
    mix = step((rows - first) / np.float32(m), 0, 1) * step((last - rows) / np.float32(m), 0, 1)
    out[top:end] += mix * (even - out[top:end])
    return out


HAND_HW = 0.010
"""Over what (sigma) the outline of a hand is straightened: a finger's end is a tenth of a head wide."""


OTHER, OTHER_HW = (0.50, 2.6), 0.016
"""Natural log of blue over green by which something is no skin of this hand: at least, and in its own median deviations; half the width
under which it is a nail or a ring. Red is not asked: blood makes fingertips and knuckles as unlike a wrist as a shirt is."""
READ_HW = 0.006
"""Over what (sigma) a colour is read."""


def own_skin(hands: F32, plate: Plate) -> F32:
    """A coverage of hands f32[h, w] without cloth at their outline that a reader took along: it has another colour than the hand.

    Between a spread thumb and fingers a shirt shows; kept, it is a patch of a garment nobody wears any more.
    """
    k = plate.hw_px
    rows, columns = (np.flatnonzero((hands > 0.5).any(axis)) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return hands
    m = round(4 * OTHER_HW * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    colour = np.log(np.maximum(blur(plate.colour[box], READ_HW * k), np.float32(0.003)))
    hue = colour[..., 2] - colour[..., 1]
    inside, mine = plate.inside[box] > 0.5, hands[box] > 0.5
    core = cv2.erode((mine & inside).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if core.sum() < 200:
        return hands
    off = np.abs(hue - np.median(hue[core]))
    odd = (off > max(OTHER[0], OTHER[1] * float(np.median(off[core])))) & inside & mine
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(OTHER_HW * k) + 1,) * 2)
    wide = cv2.morphologyEx((odd | ~mine).astype(np.uint8), cv2.MORPH_OPEN, round_) > 0
    _, names = cv2.connectedComponents((wide & odd).astype(np.uint8))
    beside = np.unique(names[(names > 0) & (cv2.dilate((~mine).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)])
    gone = cv2.dilate(np.isin(names, beside).astype(np.uint8) * (names > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    out = hands.copy()
    out[box] *= 1 - blur(gone.astype(np.float32), 1.2)
    return out


def drawn(hands: F32, k: float) -> F32:
    """A coverage of hands f32[h, w] whose outline has no teeth: what a sleeve left of a wrist is ragged by a pixel or two."""
    if hands.max() < 0.5:
        return hands
    sigma = HAND_HW * k
    return np.asarray(np.clip(0.5 + (blur(hands, sigma) - 0.5) * np.float32(sigma / (0.4 * SOFT_PX)), 0, 1), np.float32)


def far_cheek(plate: Plate, out: F32) -> F32:
    """Skin f32[h, w] of a turned face's far cheek outside the mesh's outline, by the distance `out` f32[h, w] to it (hw).

    A full cheek stands out from the mesh and draws in to the jaw by degrees: cut off where ears end it would be a step in the face.
    """
    mesh, (h, w) = plate.landmarks, plate.matte.shape
    found = np.zeros((h, w), np.float32)
    left, right = sorted(float(x) for x in mesh[list(EARS), 0])
    shares = (float(mesh[NOSE, 0]) - left) / max(right - left, 1.0), (right - float(mesh[NOSE, 0])) / max(right - left, 1.0)
    rows, columns = np.arange(h, dtype=np.float32)[:, None], np.arange(w)[None]
    for share, corner, side in zip(shares, CORNERS, (columns < mesh[NOSE, 0], columns >= mesh[NOSE, 0]), strict=True):
        far = 1 - float(step(np.array([share], np.float32), *FAR)[0])
        first, last = float(mesh[NOSE_BASE, 1]) - 0.15 * plate.hw_px, float(mesh[corner, 1]) + 0.10 * plate.hw_px
        if far > 0 and last > first:
            wide = np.float32(FULL_HW) * np.clip((last - rows) / np.float32(last - first), 0, 1) * (rows > first)
            mine = step(np.asarray(wide - out, np.float32), 0.0, 0.012) * step(plate.parts["skin"], 0.6, 0.95)
            found = np.where(side, np.float32(far) * mine, found)
    return np.asarray(found, np.float32)


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
