"""Hair made ready for a hard light: the old room's colour taken off it, and strands given back where the photo lost them.

A soft photo forgives hair much: a green wall tints grey temples, light that shone through the outermost locks stays in them,
black hair is crushed to an even tone. Under one hard lamp each of these shows, so they are mended before any light.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import blur, spread, step
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate

DYED = 0.45
"""Log ratio of green or blue to red above which a whole head of hair is held to be dyed, and keeps its colour."""
OUTLINE_HW = 0.12
"""How far from room or cloth stray light is looked for in hair."""
STRAY = (0.35, 1.0)
"""Log luminance over the hair's own, hereabouts and with its spread, at which a tone begins to be stray light, and is."""
UNDER_SKIN = (0.55, 0.85)
"""Broad luminance of hair over that of the face's skin from which it is pressed, and which it never passes."""
CRUSHED = (0.05, 0.16)
"""RMS of log luminance in the band of strands under which none are seen, and above which the photo has its own."""
BLACK = (0.012, 0.05)
"""Luminance below which hair without strands is crushed, and above which it is merely out of focus."""
WALK_HW, STRAND_HW, LOCK_HW = 0.13, 0.0065, 0.030
"""How far a strand is followed each way, how wide it is, and how wide a lock is."""


def groom(albedo: F32, plate: Plate, hand: float) -> None:
    """Mend hair's albedo f32[h, w, 3] in place. `hand` is +1 or -1 as the person leans, so that a mirrored one is mended mirrored."""
    hair = plate.parts["hair"]
    small = cv2.resize(hair, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA) > 0.02
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    if len(rows) < 3 or len(columns) < 3:
        return
    box = np.s_[max(8 * rows[0] - 8, 0) : 8 * rows[-1] + 16, max(8 * columns[0] - 8, 0) : 8 * columns[-1] + 16]
    mine = np.ascontiguousarray(hair[box])
    tone = np.ascontiguousarray(albedo[box])
    k = plate.hw_px
    other = 1 - np.clip(plate.matte[box], 0, 1) + plate.parts["cloth"][box]
    _without_stray(tone, mine, np.asarray(other, np.float32), k)
    _unstained(tone, mine)
    _beneath_skin(tone, mine, luminance(plate.albedo[plate.parts["skin"] > 0.9]), k)
    nose = plate.landmarks[4, :2] - np.array([box[1].start, box[0].start], np.float32)
    _restrung(tone, mine, k, (float(nose[0]), float(nose[1])), hand)
    albedo[box] += (tone - albedo[box]) * step(mine, 0.02, 0.5)[..., None]


def _without_stray(tone: F32, hair: F32, other: F32, k: float) -> None:
    """Light of the room or of a shirt between the outer locks, in place: it becomes what the hair hereabouts is."""
    near = step(blur(other, 0.4 * OUTLINE_HW * k), 0.01, 0.12)
    sure = np.asarray(step(cv2.erode(hair, np.ones((5, 5))), 0.85, 0.99) * (1 - near), np.float32)
    if sure.sum() < 0.01 * k * k:
        return
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    known, (mean, square) = spread(log, sure, k), cv2.split(spread(np.dstack([grey, grey * grey]), sure, k))
    deviation = np.sqrt(np.maximum(square - mean**2, 0.01))
    stray = near * step((grey - mean - deviation), *STRAY)
    tone += (np.exp(known) - tone) * stray[..., None]


def _unstained(tone: F32, hair: F32) -> None:
    """Green and blue that no undyed hair has, in place: melanin's red is never under its green, nor its green under its blue."""
    sure = hair > 0.9
    if sure.sum() < 100:
        return
    log = np.log(np.maximum(tone, np.float32(2e-3)))
    usual = np.median(log[sure], 0)
    if max(usual[1], usual[2]) - usual[0] > DYED:
        return
    before = luminance(tone)
    # Grey hair leans to its own median by a few hundredths and no further.
    least = max(float(usual[0] - usual[1]), 0.0) * 0.5 + 0.02
    log[..., 0] = np.maximum(log[..., 0], log[..., 1] + np.float32(least))
    log[..., 2] = np.minimum(log[..., 2], log[..., 1] - np.float32(0.02))
    clean = np.exp(log)
    clean *= (before / np.maximum(luminance(clean), np.float32(1e-4)))[..., None]
    tone += (clean - tone) * (before > 3e-3)[..., None]


def _beneath_skin(tone: F32, hair: F32, skin: F32, k: float) -> None:
    """Pale hair pressed under the skin's luminance, in place, strands and all: the face is the brightest thing in a low-key portrait."""
    if skin.size < 100:
        return
    level = float(np.median(skin))
    low, most = UNDER_SKIN[0] * level, UNDER_SKIN[1] * level
    grey = luminance(tone)
    broad = blur(grey * hair, 0.05 * k) / np.maximum(blur(hair, 0.05 * k), np.float32(0.02))
    over = np.maximum(broad - np.float32(low), 0)
    pressed = np.minimum(broad, low) + np.float32(most - low) * (1 - np.exp(-over / np.float32(most - low)))
    tone *= (1 + hair * (pressed / np.maximum(broad, np.float32(1e-4)) - 1))[..., None]


def _restrung(tone: F32, hair: F32, k: float, nose: tuple[float, float], hand: float) -> None:
    """Strands along the hair's own flow, in place, where dark hair was crushed to an even tone."""
    grey = np.log(np.maximum(luminance(tone), np.float32(2e-3)))
    fine = grey - blur(grey, 0.03 * k)
    seen = np.sqrt(blur(fine * fine * hair, 0.03 * k) / np.maximum(blur(hair, 0.03 * k), 0.05))
    lost = hair * (1 - step(seen, *CRUSHED)) * (1 - step(np.exp(blur(grey, 0.03 * k)), *BLACK))
    lost = blur(np.asarray(lost, np.float32), 0.02 * k)
    if float((lost > 0.3).sum()) < 0.02 * k * k:
        return
    h, w = grey.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = (xs - np.float32(nose[0])) * np.float32(hand / k), (ys - np.float32(nose[1])) / np.float32(k)

    # The flow: the structure tensor of what strands there are, carried into what has none; hanging hair falls.
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)
    weight = hair * (1 - step(lost, 0.2, 0.8))
    xx, yy, xy = (blur(p * weight, 0.05 * k) + np.float32(0.05) * blur(p * weight, 0.25 * k) for p in (gx * gx, gy * gy, gx * gy))
    usual = float((xx + yy)[hair > 0.5].mean()) + 1e-9
    angle = 0.5 * np.arctan2(2 * xy, xx + np.float32(0.03 * usual) - yy) + np.float32(np.pi / 2)
    angle += np.float32(hand * 0.35) * noise(x * 5, y * 4, 71)
    dx, dy = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)

    total = np.zeros_like(grey)
    for stream, (wide, share) in enumerate(((STRAND_HW, 0.8), (LOCK_HW, 0.6))):
        knots = noise(x / np.float32(wide), y / np.float32(wide), 72 + stream)
        drawn = _followed(knots, dx, dy, np.asarray(lost, np.float32), max(round(WALK_HW * k), 2))
        inner = drawn[lost > 0.3]
        total += np.float32(share) * (drawn - inner.mean()) / max(float(inner.std()), 1e-6)
    # Between strands lies the shade of other strands: the mean goes down, the lit ones stand out.
    tone *= np.exp(lost * (np.clip(np.float32(0.6) * total, -1.4, 1.1) - np.float32(0.5)))[..., None]


@njit(cache=True, parallel=True)
def _followed(knots: Any, dx: Any, dy: Any, where: Any, steps: int) -> Any:
    """Noise averaged along a flow, f32[h, w] (line integral convolution: Cabral & Leedom 1993), where `where` > 0.02."""
    h, w = knots.shape
    out = np.zeros((h, w), np.float32)
    for r in prange(h):
        for c in range(w):
            if where[r, c] <= 0.02:
                continue
            total, mass = knots[r, c], 1.0
            for way in range(2):
                px, py = float(c), float(r)
                ux, uy = (dx[r, c], dy[r, c]) if way == 0 else (-dx[r, c], -dy[r, c])
                for n in range(steps):
                    px += ux
                    py += uy
                    i, j = int(py + 0.5), int(px + 0.5)
                    if i < 0 or j < 0 or i >= h or j >= w:
                        break
                    vx, vy = dx[i, j], dy[i, j]
                    # A flow has no sign: go on the way one came.
                    if vx * ux + vy * uy < 0:
                        vx, vy = -vx, -vy
                    ux, uy = vx, vy
                    fade = 1.0 - n / steps
                    total += knots[i, j] * fade
                    mass += fade
            out[r, c] = total / mass
    return out
