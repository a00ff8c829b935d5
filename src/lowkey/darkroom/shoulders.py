"""Shoulders: where their lines lie, how they fall, how broad and how turned they are, as far as the photo shows it; and one even line.

All lengths in hw; x right of the neck's axis and y DOWN from the chin. Two sides are the viewer's left, then right.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.darkroom.knit import Field
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step
from lowkey.seeds import Streams

Sides = tuple[float, float]

SLOPE, SLOPES = 0.36, (0.30, 0.42)
"""Fall of the shoulder line per hw across, about 20 degrees, and the least and most of it, 17 to 23: what the photo shows, or chance."""
BROAD_HW, LEAST_HW, MOST_HW = 1.80, 1.56, 1.95
"""Half the breadth over the deltoids in a sweater: mean, least and most. Bare, it is 51.0 cm of a man and 45.0 of a woman, over 14.5 and
13.3 between the ears (Gordon et al. 1989 and 2014, bideltoid and bitragion breadth; the fifth woman of a hundred has 39.7): 1.76, 1.69
and 1.49 hw, and 1 cm of wool."""
LENS = 1.09
"""How much broader shoulders are drawn than a photo shows them: a lens held as close as portraits are taken makes the head, which is
nearer, large, and it sat on a narrow chest like a puppet's. With this, ten of fourteen pairs were preferred."""
BUILD, NECK_HW = 0.6, 0.39
"""By which power of the neck's half-width, against the usual one, shoulders that nobody sees are broader: a build is slender or stout."""
LINE_FROM_HW = 0.78
"""How far from the neck's axis the line is told from the hollow that leads to it."""
LINE_HW = 0.29
"""How far below the chin the shoulder line of somebody upright meets the neck (neck-shoulder point under menton, ibid.)."""
WITH_HEAD, TURNED, MOST_TURNED, MOST_SEEN = 0.5, (0.10, 0.12), 0.38, 0.18
"""What share of its head's turn a body makes that the photo does not show, what is added (tangents: least, and by chance), and the
most, of that and of what a photo's own halves may say."""
NEARER, LOWER = 0.42, 0.28
"""How much broader its nearer shoulder is seen from the neck, and how much lower (the lens stands higher), hw for a tangent of 1."""
SQUARE_HW, ASKEW_BODY_HW = 0.05, 0.05
"""By how much two halves differ that nobody can tell from equal ones, and half of the most that they do."""


@dataclass(frozen=True)
class Girdle:
    """Both shoulders' measures."""

    lines: Sides
    """How far below the chin each shoulder line starts, carried inward to the neck."""
    halves: Sides
    """Half-widths from the neck's axis."""
    slope: float
    """Fall of the lines, hw per hw across."""
    turned: float
    """How much nearer each hw to the right lies."""


@dataclass(frozen=True)
class Seen:
    """What the photo shows of a body, bool[h, w]: itself, hair, the photo's own extent; the neck's axis, the chin (px) and px per hw."""

    body: Field
    hair: Field
    inside: Field
    axis: float
    y: float
    k: float


def girdle(seen: Seen, hand: float, yaw_deg: float, neck: float, whose: str) -> Girdle:
    """The shoulders of somebody with a neck of half-width `neck` hw: what the photo does not show is drawn from its hash `whose`."""
    draw = Streams(int(whose[:16] or "0", 16)).of("posture")
    chance, fall = float(draw.random()), float(draw.random())
    tops = [_tops(seen, sign) for sign in (-1, 1)]
    known = [_fall(one) for one in tops if len(one) > 5]
    slope = float(np.clip(np.mean(known), *SLOPES)) if known else SLOPES[0] + (SLOPES[1] - SLOPES[0]) * fall
    starts = [float(np.median(one[:, 1] - slope * (one[:, 0] - 0.42))) if len(one) > 5 else LINE_HW for one in tops]
    lines = [float(np.clip(start, 0.26, 0.50)) for start in starts]
    # Nobody hangs that lopsided: the lower one is a strap, a ring or an arm.
    level = min(lines) + 0.10
    lines = [min(line, level) for line in lines]

    wide = [None if half is None else LENS * half for half in (_half(seen, sign) for sign in (-1, 1))]
    left, right = (_within(BROAD_HW * (neck / NECK_HW) ** BUILD) if half is None else half for half in wide)
    if None in wide:
        # Half-way with the head: a head that is turned takes its shoulders along, and nobody sits for a portrait square on.
        led = float(np.tan(np.radians(WITH_HEAD * abs(yaw_deg))))
        turned = -hand * min(led + TURNED[0] + TURNED[1] * chance, MOST_TURNED)
        halves = _posed((_within(left), _within(right)), turned * NEARER)
        return Girdle(_posed((lines[0], lines[1]), turned * LOWER), halves, slope, turned)
    # Of a body turned away the neck, which stands before its shoulders, hides some of the far one.
    askew = right - left
    turned = float(np.clip(0.75 * np.sign(askew) * max(abs(askew) - SQUARE_HW, 0), -MOST_SEEN, MOST_SEEN))
    # A body that is broader than it seemed stays as askew as it was seen.
    halves = _posed((_within((left + right) / 2),) * 2, float(np.clip(askew / 2, -ASKEW_BODY_HW, ASKEW_BODY_HW)))
    return Girdle((lines[0], lines[1]), halves, slope, turned)


def _within(half: float) -> float:
    """Half a breadth of shoulders (hw) within what people have."""
    return float(np.clip(half, LEAST_HW, MOST_HW))


def _posed(sides: Sides, by: float) -> Sides:
    """Left and right (hw), the one less and the other more by `by`."""
    return sides[0] - by, sides[1] + by


def _tops(seen: Seen, sign: int) -> F32:
    """f32[n, 2]: how far out (hw), and how far below the chin (hw) the shoulder begins there, where the photo shows it."""
    first, out = max(int(seen.y - 0.3 * seen.k), 0), []
    for u in np.arange(0.62, 1.22, 0.02):
        column = round(seen.axis + sign * u * seen.k)
        if 0 <= column < seen.body.shape[1]:
            rows = np.flatnonzero(seen.body[first : int(seen.y + 1.3 * seen.k), column])
            if not len(rows) or not seen.inside[first + rows[0], column]:
                continue
            top = first + int(rows[0])
            # Under hair that falls over it a shoulder only seems to begin.
            if not seen.hair[max(top - round(0.06 * seen.k), 0) : top + 1, column].any():
                out.append((u, (top - seen.y) / seen.k))
    return np.array(out, np.float32).reshape(-1, 2)


def _fall(tops: F32) -> float:
    """Median slope of all pairs of points f32[n, 2] a third of the line apart (Theil and Sen): a strap or a lapel does not count.

    Nearer to the neck the trapezius's hollow is steeper than the line.
    """
    tops = tops[tops[:, 0] > LINE_FROM_HW]
    apart = tops[None, :, 0] - tops[:, None, 0]
    rise = tops[None, :, 1] - tops[:, None, 1]
    far = apart > 0.2
    return float(np.median(rise[far] / apart[far])) if far.any() else SLOPE


def _half(seen: Seen, sign: int) -> float | None:
    """Half-width (hw) of the shoulders on one side; None where the photo does not show it."""
    (h, w), wide = seen.body.shape, []
    for row in range(int(seen.y + 0.8 * seen.k), int(seen.y + 1.5 * seen.k), 8):
        if 0 <= row < h:
            run, shown = (
                np.flatnonzero(m[row, int(np.clip(seen.axis, 0, w - 1)) :] if sign > 0 else m[row, : int(np.clip(seen.axis, 1, w))][::-1])
                for m in (seen.body, seen.inside)
            )
            # A shoulder that the photo cuts is wider than is seen.
            if len(run) and len(shown) and run[-1] < shown[-1] - 0.03 * seen.k:
                wide.append(run[-1] / seen.k)
    return float(np.median(wide)) if len(wide) > 5 else None


FROM_HW, TO, FLATTEST, EVEN_HW = 0.60, 0.96, 0.12, 0.03
"""Where the line begins that is made even, past the trapezius's hollow (hw from the axis); where it ends, in half-widths; the least that it
falls there; and over how much (sigma) its corners are rounded."""


def evened(x: F32, y: F32, inside: F32, halves: Sides, spared: tuple[bool, bool]) -> F32:
    """A body's signed distance `inside` f32[h, w] (hw) with one line from neck to arm, that falls ever more steeply.

    An old sleeve's pleat, a strap, a scarf's tail and a shoulder that leans out of the picture put a kink there, or a fin. The least
    change that leaves none: the line's slopes, averaged among neighbours wherever a later one is flatter (isotonic regression,
    Barlow et al. 1972). A side that is `spared` (a raised arm's) stays.
    """
    row = x[int(np.argmin(np.abs(y[:, 0] - 0.6)))]
    shift = np.zeros(x.shape[1], np.float32)
    for sign, half, stays in zip((-1, 1), halves, spared, strict=True):
        u = sign * row
        columns = np.flatnonzero((u > FROM_HW) & (u < TO * half) & (inside > 0).any(0))
        columns = columns if sign > 0 else columns[::-1]
        solid = inside[:, columns] > 0
        if stays or len(columns) < 8:
            continue
        first = np.maximum(solid.argmax(0), 1)
        above, below = inside[first - 1, columns], inside[first, columns]
        part = np.clip(above / np.minimum(above - below, -1e-4), 0, 1)
        top = y[first - 1, columns] + part * (y[first, columns] - y[first - 1, columns])
        across = np.diff(u[columns])
        rising = np.asarray(np.maximum(_rising(np.diff(top) / across), FLATTEST), np.float32)
        slopes = blur(rising[None], EVEN_HW / max(float(across.mean()), 1e-6))[0]
        even = top[0] + np.concatenate([[0], np.cumsum(slopes * across)])
        shift[columns] = even - top
        beyond = np.flatnonzero(u >= TO * half)
        shift[beyond] = shift[columns[-1]] * (1 - step(u[beyond], TO * half, half))
    if not np.abs(shift).max() > 1e-4:
        return inside
    pitch = float(y[1, 0] - y[0, 0])
    rows, columns_ = (m.astype(np.float32) for m in np.mgrid[0 : x.shape[0], 0 : x.shape[1]])
    source = np.asarray(rows - shift / np.float32(pitch), np.float32)
    moved = cv2.remap(inside, columns_, source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _rising(values: Field) -> Field:
    """The nearest values that never fall, by least squares: neighbours that do are averaged (pool adjacent violators)."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([float(value), 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2], pools.pop()
            pools[-1] = [(a * m + b * n) / (m + n), m + n]
    return np.concatenate([np.full(round(n), v) for v, n in pools])
