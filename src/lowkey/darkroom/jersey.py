"""The dark turtleneck: no two people wear the same one. Its gauge, ribs, collar, seams and folds are drawn from the photo's hash."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.darkroom.garments import (
    Made,
    Outline,
    Ring,
    collar_back,
    coverage,
    joint,
    knitted,
    laid,
    mirrored,
    torso,
    whole,
    window,
)  # fmt: skip
from lowkey.darkroom.knit import Field, fabric, noise
from lowkey.darkroom.neck import Bust, Layer, arch, slopes
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step
from lowkey.seeds import Streams

# Drape of a sweater on the viewer's right half (x, y of three points, width, height); the left half mirrors it, shifted a
# little by `_mirrored` so that the two do not rhyme.
_SWEATER = (
    # from the armpit up toward the collar
    (1.14, 1.18, 0.92, 0.92, 0.54, 0.70, 0.052, 0.022),
    (1.10, 1.34, 0.74, 1.20, 0.36, 0.90, 0.064, 0.026),
    (1.06, 1.50, 0.80, 1.50, 0.46, 1.30, 0.056, 0.020),
    (1.00, 1.78, 0.62, 1.74, 0.20, 1.48, 0.085, 0.024),
    (0.90, 2.10, 0.60, 2.12, 0.16, 1.98, 0.110, 0.016),
    # over the shoulder and down the sleeve
    (1.10, 1.00, 1.02, 0.84, 0.84, 0.70, 0.060, 0.010),
    (1.34, 1.06, 1.20, 1.20, 1.00, 1.28, 0.060, 0.014),
    (1.36, 1.36, 1.22, 1.52, 1.04, 1.52, 0.065, 0.015),
    (1.38, 1.66, 1.24, 1.74, 1.06, 1.90, 0.070, 0.014),
    (1.36, 1.98, 1.22, 2.10, 1.04, 2.12, 0.070, 0.014),
    # slack below the collar
    (0.46, 0.46, 0.66, 0.60, 0.98, 0.66, 0.046, 0.013),
    (0.40, 0.64, 0.60, 0.80, 0.76, 1.04, 0.075, 0.010),
    (-0.05, 0.76, 0.20, 0.84, 0.44, 0.72, 0.065, 0.010),
    (0.05, 1.02, 0.28, 1.10, 0.60, 0.92, 0.090, 0.009),
    # broad and soft: how the cloth hangs from the shoulder over the chest and bags above the waist
    (0.62, 0.60, 0.74, 1.00, 0.58, 1.50, 0.170, 0.022),
    (0.30, 0.98, 0.40, 1.40, 0.26, 1.84, 0.200, 0.018),
    (1.18, 0.80, 1.24, 1.16, 1.16, 1.60, 0.150, 0.018),
)

WALE, COURSE = 0.0150, 0.0118
"""A stitch of the body, hw: about 2.2 x 1.7 mm, a medium gauge."""
LEAST_PX = 5.9
"""Width in plate pixels under which a stitch is no stitch any more: where the photo is small the knit is coarser."""
RIB, RIB_COURSE = 0.032, 0.018
RELIEF = 0.18
"""How high yarn stands, in widths of a stitch."""


SHEEN = 0.08
"""Strength of the fuzz."""
FIBRE, FIBRE_HW = 0.30, 0.007
"""How dense loose fibre is at the cloth's outline, and how far it stands off."""


@dataclass(frozen=True)
class Cut:
    """One jersey's own measures, within what such jerseys have."""

    gauge: float
    """Size of a stitch against WALE and COURSE."""
    rib: float
    """Size of a rib against RIB."""
    paired: float
    """How far ribs stand together in twos: 0 is one and one, .2 two and two."""
    tall: float
    """Height of the collar over the usual one, hw."""
    high: float
    """How much higher its rim stands, hw."""
    slack: float
    """How much its cloth slumps into rings."""
    drape: float
    """Depth of the folds below."""
    shift: float
    """Where in endless cloth its unevenness begins."""
    set_in: bool
    """Sleeves set in at the shoulder, and no raglan."""
    turns: F32
    """f32[n, 8] what each fold of `_SWEATER` differs by: in place, width and height."""


def cut_of(whose: str) -> Cut:
    """The jersey of the person whose photo has this hash (hexadecimal)."""
    draw = Streams(int(whose[:16] or "0", 16)).of("jersey")
    u = draw.random(9)
    turns = draw.standard_normal((len(_SWEATER), 8)).astype(np.float32)
    return Cut(
        float(0.86 + 0.46 * u[0]), float(0.74 + 0.56 * u[1]), 0.12 if u[2] < 0.4 else 0.0, float(-0.05 + 0.11 * u[3]),
        float(-0.02 + 0.045 * u[4]), float(0.85 + 0.8 * u[5]), float(0.8 + 0.6 * u[6]), float(200 * u[7]), bool(u[8] < 0.4), turns,
    )  # fmt: skip


def _folds(cut: Cut) -> tuple[tuple[float, ...], ...]:
    """This jersey's folds: the usual ones moved, broadened, deepened, one in six of them ironed out."""
    moved = []
    for stroke, by in zip(_SWEATER, cut.turns, strict=True):
        if by[7] < -1.0:
            continue
        place = [v + 0.05 * float(np.clip(d, -1.5, 1.5)) for v, d in zip(stroke[:6], by[:6], strict=True)]
        width = 1.15 * stroke[6] * (1 + 0.18 * float(np.clip(by[6], -1.5, 1.5)))
        moved.append((*place, width, 0.72 * stroke[7] * cut.drape * (1 + 0.35 * float(np.clip(by[7], -1, 1.6)))))
    return tuple(moved)


def _sharp(a: Field, like: F32) -> F32:
    """A quarter-grid map brought to the grid without smoothing."""
    return np.asarray(cv2.resize(a, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _seam(bust: Bust, cut: Cut, x: F32, y: F32) -> F32:
    """Distance f32[h, w] (hw) beyond the sleeve's seam, from the collar (raglan) or the shoulder to the armpit; positive on the sleeve."""
    side = np.where(x < 0, np.float32(bust.shoulder[0]), np.float32(bust.shoulder[1]))
    wide = np.where(x < 0, np.float32(bust.half[0]), np.float32(bust.half[1])) / np.float32(1.38)
    down = np.clip(y - side, -0.1, 1.6)
    line = wide * (0.40 + 0.78 * down - 0.20 * down * down)
    if cut.set_in:
        line = wide * (0.86 + 0.06 * down - 0.09 * np.exp(-np.square((down - 0.45) / 0.3)))
    line = line + 0.016 * noise(np.sign(x) * np.float32(3.7 * bust.hand) + 0 * y, y * 3.1, 57)  # sewn by hand
    return np.asarray((np.abs(x) - line) * 0.8, np.float32)


def stitch(k: float, gauge: float) -> tuple[float, float]:
    """Width and height of a stitch (hw) at `k` pixels a head-width."""
    wide = max(WALE * gauge, LEAST_PX * (0.9 + 0.2 * gauge) / k)
    return wide, wide * COURSE / WALE


DARK_FACE_ON = 0.48
"""How much darker wool is seen face on, into the gaps between its yarns, than along its fuzz (asperity scattering; Koenderink & Pont
2003)."""


def _asperity(depth: F32, k: float) -> F32:
    """Relative reflectance f32[h, w] of the draped form by how far it turns from the camera; `k` pixels a head-width."""
    right, down = slopes(blur(depth, 0.03 * k), k)
    return _face_on(np.asarray(1 / np.sqrt(1 + right * right + down * down), np.float32))


def _face_on(cosine: F32) -> F32:
    """Relative reflectance f32[h, w] of wool by the cosine at which it is seen."""
    return np.asarray(1 - DARK_FACE_ON * (1 - step(1 - cosine, 0.0, 0.42)), np.float32)


def turtleneck(bust: Bust, x: F32, y: F32, body: Outline) -> Made:
    """A roll-neck sweater from the inside of its collar outward; `x`, `y` f32[h, w] hw."""
    k, q = bust.hw_px, bust.hw_px / 4
    hand, cut = np.float32(bust.hand), cut_of(bust.whose)
    coarse = torso(bust, body, mirrored(_folds(cut), bust))
    draped, edge = whole(coarse, x), whole(body.inside, x)
    fuzz = noise(x * hand * 230, y * 230, 41)

    # Body: stockinette on a draped form, in the hand's own uneven tension; beyond the raglan seam the sleeve's wales lean.
    across, along = laid(coarse, body.x, body.y, bust.hand, q)
    seam = _seam(bust, cut, body.x, body.y)
    lean = np.where(seam > 0, np.sign(body.x) * hand * (0.10 if cut.set_in else 0.21), 0.0)
    wale, course = stitch(k, cut.gauge)
    s, t = (across - lean * along) / np.float32(wale) + cut.shift, (along + lean * across) / np.float32(course)
    wander = 0.8 * noise(s / 23, t / 37, 3) + 0.26 * noise(s / 5, t / 7, 4)
    s, t = s + wander, t + 0.9 * noise(s / 19, t / 15, 5) + 0.2 * noise(s / 4, t / 5, 6)
    height, tone = fabric(_sharp(s, x), _sharp(t, x), edge + 0.02, ribbed=False, stream=3)
    # The hand's tension varies over three to ten stitches, the yarn's thickness along each course.
    height = 0.62 + (height - 0.62) * _sharp(1 + 0.55 * noise(s / 5, t / 6, 7), x)
    tone = tone * _sharp(1 + 0.14 * noise(s / 3.5, t / 4.5, 8) + 0.12 * noise(s / 41, t / 1.7, 9), x)
    ridge = whole(seam, x)
    raised = 0.0016 * (np.exp(-np.square(ridge / 0.010)) - np.exp(-np.square((np.abs(ridge) - 0.020) / 0.009)))
    depth = np.asarray(draped + raised, np.float32)
    normal, grey = knitted(depth, height, tone, RELIEF * wale, k, fuzz, edge + 0.02)
    grey *= whole(_asperity(coarse, q), x)

    # A hand-knit's outline is alive by a fraction of a stitch. Inside the collar no body is seen, and beside it none as high as its rim.
    ring = ring_of(bust, cut)
    rim = ring.rim(np.asarray(np.clip(x / ring.wide, -1, 1), np.float32))
    inside = y - (rim + 0.10 - 1.2 * np.maximum(np.abs(x) - ring.wide, 0))
    ragged = whole(0.005 * noise(body.x * hand * 26, body.y * 26, 42), x) + 0.0015 * fuzz
    outer = np.asarray(np.minimum(edge, inside) + ragged, np.float32)
    # Loose fibre stands off it, sparse, a millimetre or two long: against the lamp it is the cloth's own rim of light.
    fibre = FIBRE * np.clip(noise(x * hand * 60, y * 21, 44) + 0.7 * fuzz, 0, 1)
    cover = np.maximum(coverage(outer, k, 4.0), fibre * coverage(outer + FIBRE_HW, k, 2 * FIBRE_HW * k))
    sheet = Layer(np.asarray(cover, np.float32), depth, normal, grey, 0.9, 0.0, SHEEN)

    if bust.covered:
        return Made([], [(sheet, (0, 0))])
    near = window(bust, x, y, ring.wide + 0.16, (ring.top - 0.42, ring.top + ring.tall + 0.12))
    xc, yc = near.of(x), near.of(y)
    back = collar_back(bust, xc, yc, ring, rib=RIB * cut.rib, leans=_across(bust))
    front = _collar_front(bust, cut, ring, xc, yc, near.of(depth), near.of(fuzz))
    return Made([(back, near.at)], [(sheet, (0, 0)), (front, near.at)])


def ring_of(bust: Bust, cut: Cut) -> Ring:
    start = (bust.shoulder[0] + bust.shoulder[1]) / 2
    wide = bust.neck + 0.032
    deep = 0.86 * wide
    tall = float(np.clip(0.37 + 0.5 * (start - 0.25), 0.35, 0.46)) + cut.tall + cut.high
    return Ring(0.12 + max(bust.lifted, -0.03) - cut.high, tall, wide, deep, bust.throat[2] + 0.05 - deep)


def _across(bust: Bust) -> float:
    """How much a collar's rim falls per hw to the right: a ring stands square to a neck that leans."""
    return float(np.clip(1.3 * bust.lean, -0.16, 0.16))


def _collar_front(bust: Bust, cut: Cut, ring: Ring, x: F32, y: F32, body: F32, fuzz: F32) -> Layer:
    """The rolled fold: thick, ribbed, soft at its lip, slumping a little, resting on the shoulders below."""
    k, hand, rib = bust.hw_px, np.float32(bust.hand), np.float32(max(RIB * cut.rib, 1.45 * LEAST_PX / bust.hw_px))
    lean = x * hand

    # Where on the tube: s hw below the rim, which waves a little, sits higher on one side and runs up round the neck.
    wave = 0.010 * noise(lean * 3.1 + 5 + cut.shift, np.zeros_like(x), 51) + 0.020 * lean + _across(bust) * x
    tall = ring.tall + 0.014 * noise(lean * 2.3 + 9 + cut.shift, np.zeros_like(x), 52) - 0.012 * lean
    wide: Field = np.full_like(x, ring.wide)
    for _ in range(3):
        s = y - (ring.rim(np.asarray(x / wide, np.float32)) + wave)
        f = np.clip(s / tall, 0, 1)
        wide = ring.wide + 0.090 * f**1.5
    hung = wide

    # Girth: it widens onto the shoulders, and slack cloth rolls over in two or three soft rings that wander.
    slump: Field = 0.022 * noise(lean * 1.7 + 2 + cut.shift, s * 6.0 - 1.6 * lean + 0.4, 53)
    slump = slump + 0.014 * np.sin(2 * np.pi * (1.3 * f + 0.5 * lean) + np.float32(cut.shift))
    slump = np.float32(cut.slack) * slump * step(s, 0.02, 0.14) + 0.012 * np.sin(np.pi * f)
    lip, hem = np.float32(0.075), np.float32(0.050)
    over = np.clip(1 - np.maximum(s, 0.001) / lip, 0, 1)
    under = np.clip(1 - np.maximum(tall - s, 0.001) / hem, 0, 1)
    tuck = lip * 0.7 * (1 - np.sqrt(1 - over * over)) + hem * 0.7 * (1 - np.sqrt(1 - under * under))
    wide = wide + slump - tuck * 0.6
    tube = ring.centre_z + (ring.deep + 0.030 * f * f) * arch(x / wide) + slump - tuck
    depth = joint(tube, body + 0.045 - tuck, 0.05)

    # Ribs run round by angle, so they crowd toward both sides. They hang: the rings bend them toward the camera, never aside.
    sine = np.clip(x / (1.03 * hung + 0.040), -0.9995, 0.9995)
    a, b = np.arcsin(sine) * (ring.wide / rib) * hand + cut.shift, -s / np.float32(RIB_COURSE * min(cut.rib, 1.15))
    a, b = a + 0.10 * noise(a / 2.7, 0 * b, 10) + 0.05 * noise(a / 1.9, b / 40, 11), b + 0.3 * noise(a / 2, b / 6, 12)
    a = a + np.float32(cut.paired) * np.sin(np.pi * a)
    height, tone = fabric(a, b, np.asarray(wide + 0.02 - np.abs(x), np.float32), ribbed=True, stream=7)
    soft = np.asarray(cv2.GaussianBlur(depth, (0, 0), 1.2), np.float32)
    # At hem and lip ribs are drawn together: there they die away, or every one of them would end in a lit tooth.
    drawn = 0.30 + 0.70 * step(np.minimum(tall - s, s + 0.015), 0.004, 0.045)
    height = np.asarray(0.49 + (height - 0.49) * drawn, np.float32)
    normal, grey = knitted(soft, height, tone, 0.0095 * min(cut.rib, 1.15), k, fuzz, np.ones_like(x))
    grey *= _face_on(np.asarray(np.sqrt(1 - sine * sine), np.float32))
    # A fold closes round the neck: where rim and side meet it turns over softly, in no corner.
    rim = -joint(-s, np.abs(x) - wide, 0.18) + 0.008
    ragged = 0.002 * noise(lean * 26, y * 26, 55) + 0.0015 * fuzz
    edge = np.minimum(rim + 0.003 * (height - 0.5), tall - s + 0.004 * (height - 0.5)) + ragged
    return Layer(coverage(np.asarray(edge, np.float32), k, 2.6), depth, normal, grey, 0.9, 0.0, SHEEN)
