"""The dark turtleneck: no two people wear the same one. Its gauge, ribs, collar, seams and folds are drawn from the photo's hash."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.darkroom.garments import (
    Closed,
    Made,
    Outline,
    Ring,
    collar_back,
    coverage,
    creases,
    flagged,
    girth,
    joint,
    knitted,
    laid,
    mirrored,
    torso,
    turned_over,
    whole,
    window,
)  # fmt: skip
from lowkey.darkroom.knit import Field, fabric, noise
from lowkey.darkroom.neck import Bust, Layer, arch
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step
from lowkey.seeds import Streams

# Drape of a sweater on the viewer's right half (x, y of three points, width, height); the left half mirrors it, each moved by
# chances of its own so that the two do not rhyme.
_SWEATER = (
    # from the armpit up toward the collar
    (1.14, 1.18, 0.92, 0.92, 0.54, 0.70, 0.036, 0.022),
    (1.10, 1.34, 0.74, 1.20, 0.36, 0.90, 0.044, 0.024),
    (1.06, 1.50, 0.80, 1.50, 0.46, 1.30, 0.044, 0.020),
    (1.00, 1.78, 0.62, 1.74, 0.20, 1.48, 0.060, 0.022),
    (0.90, 2.10, 0.60, 2.12, 0.16, 1.98, 0.080, 0.016),
    # over the shoulder and down the sleeve
    (0.70, 0.44, 0.92, 0.62, 1.06, 0.96, 0.034, 0.016),
    (1.02, 0.50, 1.14, 0.70, 1.12, 1.06, 0.036, 0.018),
    (1.34, 1.06, 1.20, 1.20, 1.00, 1.28, 0.044, 0.016),
    (1.36, 1.36, 1.22, 1.52, 1.04, 1.52, 0.046, 0.016),
    (1.38, 1.66, 1.24, 1.74, 1.06, 1.90, 0.050, 0.014),
    (1.36, 1.98, 1.22, 2.10, 1.04, 2.12, 0.050, 0.014),
    # drawn down from the collar
    (0.38, 0.44, 0.58, 0.64, 0.96, 0.92, 0.030, 0.017),
    (0.30, 0.56, 0.46, 0.84, 0.80, 1.12, 0.036, 0.017),
    (-0.05, 0.72, 0.18, 0.80, 0.42, 0.70, 0.036, 0.011),
    (0.05, 1.02, 0.28, 1.10, 0.60, 0.92, 0.050, 0.012),
    # the cloth's own weight: broad, soft, along the pull of the sleeve
    (0.46, 0.40, 0.72, 0.58, 1.02, 0.90, 0.085, 0.024),
    (0.40, 0.62, 0.66, 0.86, 1.00, 1.06, 0.095, 0.028),
    (0.28, 0.84, 0.60, 1.08, 0.98, 1.22, 0.110, 0.028),
    (0.92, 0.34, 1.16, 0.52, 1.26, 0.92, 0.075, 0.024),
    (1.30, 0.80, 1.20, 1.06, 1.08, 1.16, 0.070, 0.022),
)

WALE, COURSE = 0.0165, 0.0130
"""A stitch of the body, hw: about 2.4 x 1.9 mm, a medium gauge."""
LEAST_PX = 7.2
"""Width in plate pixels under which a stitch is no stitch any more: where the photo is small the knit is coarser."""
RIB, RIB_COURSE = 0.0225, 0.0165
"""A rib of the collar and one of its stitches, hw: 3.3 x 2.4 mm, fine and dense as on a jersey that is worn next to the skin."""
RELIEF = 0.34
"""How high yarn stands, in widths of a stitch."""


BURNED = 0.93
"""Share of the light that a flag keeps off the chest: a body is lost in the ground, and its shoulders and collar alone carry it."""
HOLLOW, HOLLOW_HW = 44.0, 0.05
"""How fast a fold's valley loses the light (per hw of its depth under the cloth round it), and how wide a valley is (sigma): wool that
dark gives nothing back into it, so it prints black."""
UNFLAGGED = 2.0
"""How much more of a room's light than of a lamp's wool throws back. Black wool reflects some 4 %: the less that a cloth's table says is
what flags leave of the lamps, and no flag stands before a room. On the far side ribs and folds are felt in it, and black is wool's."""
SINKS = 0.62
"""By which power of a flag's own share the room's light grows under it: 1 would make up for all of the flag."""
SHEEN = 0.60
"""How dense and pale the loose fibre is: what scatters there is bent round the fibre and mirrored by it, hardly dyed."""
FADES, FADES_HW = 0.80, (0.50, 1.40)
"""How much of the line of light along a shoulder is lost by its end, and from where to where, from the neck's axis: the lamp behind hangs
at the head, and what lies further off gets less of it at a flatter angle."""
STANDS = (0.45, 1.14)
"""Share of that where cloth is rubbed smooth, and where its nap is whole."""
TURNS = (0.7, 1.4)
"""How many times as far in as thin cloth a jersey turns over at its outline, where no nap stands and where all of it does: wool over a
trapezius ends in a round as thick as a finger. Turned over within six millimetres, a lamp behind it drew a wire along every shoulder."""
FLAT, FLAT_HW = 0.72, (0.020, 0.130)
"""Share of it that lies flat, and from where to where inside the outline."""
SOFTNESS = 0.80
"""How soft it is, of what is drawn anew on skin: as crisp as the photo lets it be. At 1.2 it was felt, and lost 11 of 14 blind pairs."""
FELTED = 0.50
"""Share of the stitches' relief that wear takes where it takes most."""
CLOSE = 0.22
"""Share of it that a close-knit collar has."""
CLUMPS = 0.24
"""By how much loose fibre and yarn stand denser here and thinner there, a stitch or two apart."""
FIBRE, FIBRE_HW = 0.20, 0.007
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
    rises: float
    """How steeply its rim climbs toward the nape, against RISES."""
    slack: float
    """How much its cloth slumps into rings: a third of all jerseys are slouched, the rest neat."""
    turned: float
    """Where its roll is turned over, in heights of the collar below the rim: the upper part then stands out; 1 where it is plain."""
    bias: float
    """How much more of the collar is seen on one side: nobody turns a roll down evenly; hw per hw."""
    drape: float
    """Depth of the folds below."""
    shift: float
    """Where in endless cloth its unevenness begins."""
    set_in: bool
    """Sleeves set in at the shoulder, and no raglan."""
    tint: tuple[float, float, float]
    """Colour of its wool before it is brought to its reflectance: from charcoal to the brown of a black sheep."""
    turns: F32
    """f32[2, n, 8] what each fold of `_SWEATER` differs by on the leaning half and on the other: in place, width and height."""
    creased: F32
    """f32[n, 7] how each fold round the collar lies: middle, half-length, fall, sag, place between rim and hem, width, depth (0..1)."""


def cut_of(whose: str) -> Cut:
    """The jersey of the person whose photo has this hash (hexadecimal)."""
    draw = Streams(int(whose[:16] or "0", 16)).of("jersey")
    u = draw.random(9)
    turns = draw.standard_normal((len(_SWEATER), 8)).astype(np.float32)
    creased = draw.random((len(_ROUND_NECK), 7)).astype(np.float32)
    v = draw.random(6)
    other = draw.standard_normal((len(_SWEATER), 8)).astype(np.float32)
    slack = 1.5 + 0.5 * v[1] if v[0] < 0.35 else 0.55 + 0.65 * u[5]
    brown = float(v[5])
    return Cut(
        gauge=float(0.86 + 0.46 * u[0]),
        rib=float(0.74 + 0.56 * u[1]),
        paired=0.12 if u[2] < 0.4 else 0.0,
        tall=float(-0.13 + 0.23 * u[3]),
        high=float(-0.02 + 0.045 * u[4]),
        rises=float(0.82 + 0.36 * v[2]),
        slack=float(slack),
        turned=float(0.42 + 0.9 * v[3]) if v[3] < 0.4 else 1.0,
        bias=float(0.11 * (2 * v[4] - 1)),
        drape=float(0.9 + 0.7 * u[6]),
        shift=float(200 * u[7]),
        set_in=bool(u[8] < 0.4),
        tint=(1.0, 0.945 - 0.03 * brown, 0.90 - 0.11 * brown),
        turns=np.stack([turns, other]),
        creased=creased,
    )


def _folds(cut: Cut, half: int) -> tuple[tuple[float, ...], ...]:
    """This jersey's folds on one half: the usual ones moved, broadened, deepened, one in six of them ironed out."""
    moved = []
    for stroke, by in zip(_SWEATER, cut.turns[half], strict=True):
        if by[7] < -1.0:
            continue
        place = [v + 0.05 * float(np.clip(d, -1.5, 1.5)) for v, d in zip(stroke[:6], by[:6], strict=True)]
        width = stroke[6] * (1 + 0.18 * float(np.clip(by[6], -1.5, 1.5)))
        moved.append((*place, width, 1.05 * stroke[7] * cut.drape * (1 + 0.35 * float(np.clip(by[7], -1, 1.6)))))
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


def _stitches(across: F32, along: F32, size: tuple[float, float], cut: Cut) -> tuple[F32, F32]:
    """Number of wale and of course f32[h, w] each of cloth laid `across` and `along` f32[h, w] (hw), in the hand's own uneven tension."""
    s, t = across / np.float32(size[0]) + cut.shift, along / np.float32(size[1])
    wander = 0.8 * noise(s / 23, t / 37, 3) + 0.26 * noise(s / 5, t / 7, 4)
    s, t = s + wander, t + 0.9 * noise(s / 19, t / 15, 5) + 0.2 * noise(s / 4, t / 5, 6)
    return np.asarray(s, np.float32), np.asarray(t, np.float32)


def _sunk(depth: F32, bust: Bust, body: Outline) -> tuple[F32, F32]:
    """How much of a lamp's light is left f32[h, w] on the draped form `depth`, and how many times as much of the room's.

    Valleys of folds drink it, the room's twice, and a flag stands before the chest: not before the room, but there its walls are far.
    """
    hollow = np.exp(-np.float32(HOLLOW) * np.maximum(blur(depth, HOLLOW_HW * bust.hw_px / 4) - depth, 0))
    flag = flagged(bust, body, BURNED)
    room = np.float32(UNFLAGGED) * hollow / np.power(np.maximum(flag, np.float32(0.08)), np.float32(SINKS))
    return np.asarray(hollow * flag, np.float32), np.asarray(room, np.float32)


def _worn(bust: Bust, cut: Cut, body: Outline) -> F32:
    """How dense loose fibre stands f32[h, w], on the quarter grid: a rim of light is found, lost and found again along a shoulder."""
    x, y = body.x * np.float32(bust.hand), body.y
    broad = noise(2.4 * x + cut.shift, 2.4 * y, 47) + 0.7 * noise(5.7 * x + cut.shift, 5.7 * y, 48)
    broad = broad + 0.5 * noise(13 * x + cut.shift, 13 * y, 50)
    return np.asarray(STANDS[0] + (STANDS[1] - STANDS[0]) * step(broad, -0.55, 0.75), np.float32)


def turtleneck(bust: Bust, x: F32, y: F32, body: Outline) -> Made:
    """A roll-neck sweater from the inside of its collar outward; `x`, `y` f32[h, w] hw."""
    k, q = bust.hw_px, bust.hw_px / 4
    hand, cut = np.float32(bust.hand), cut_of(bust.whose)
    coarse = torso(bust, body, mirrored(_folds(cut, 0), bust, _folds(cut, 1)))
    draped, edge = whole(coarse, x), whole(body.inside, x)
    fuzz = noise(x * hand * 230, y * 230, 41)

    # Body: stockinette on a draped form, in the hand's own uneven tension; beyond the raglan seam the sleeve's wales lean.
    across, along = laid(coarse, body.x, body.y, bust.hand, q)
    seam = _seam(bust, cut, body.x, body.y)
    ridge, size = whole(seam, x), stitch(k, cut.gauge)
    turned = np.sign(body.x) * hand * np.float32(0.10 if cut.set_in else 0.21)
    # Each in stitches of its own up to the seam: brought to the grid together, they would be drawn out across it.
    laps = [_stitches(across - lean * along, along + lean * across, size, cut) for lean in (np.zeros_like(turned), turned)]
    s, t = (np.where(seam > 0, sleeve, front) for front, sleeve in zip(*laps, strict=True))
    wales, courses = (np.where(ridge > 0, _sharp(sleeve, x), _sharp(front, x)) for front, sleeve in zip(*laps, strict=True))
    height, tone = fabric(np.asarray(wales, np.float32), np.asarray(courses, np.float32), edge + 0.02, ribbed=False, stream=3)
    # The hand's tension varies over three to ten stitches, the yarn's thickness along each course.
    # Where it is worn and felted hardly a stitch is seen: a weave that is as clear everywhere is a printed one.
    felted = FELTED * step(noise(body.x * hand * 2.3 + cut.shift, body.y * 2.9, 46), -0.35, 0.75)
    height = 0.62 + (height - 0.62) * _sharp((1 - felted) * (1 + 0.55 * noise(s / 5, t / 6, 7)), x)
    tone = tone * _sharp(1 + 0.22 * noise(s / 3.5, t / 4.5, 8) + 0.12 * noise(s / 41, t / 1.7, 9), x)
    raised = 0.0009 * (np.exp(-np.square(ridge / 0.010)) - np.exp(-np.square((np.abs(ridge) - 0.020) / 0.009)))
    stands = whole(_worn(bust, cut, body), x)
    depth = np.asarray(draped + raised - turned_over(edge, TURNS[0] + (TURNS[1] - TURNS[0]) * stands), np.float32)
    normal, grey = knitted(depth, height, tone, RELIEF * size[0], k, fuzz, edge + 0.02, SOFTNESS * bust.soft_px)
    lamp, room = _sunk(coarse, bust, body)
    grey *= whole(lamp, x)
    grey *= 1 + CLUMPS * noise(x * hand * 62, y * 48, 45)

    # A hand-knit's outline is alive by a fraction of a stitch. Inside the collar no body is seen; beside it an old collar's own outline
    # would stand as a tooth: a shoulder runs out level from under the roll.
    ring = ring_of(bust, cut)
    rim = ring.rim(np.asarray(np.clip(x / ring.wide, -1, 1), np.float32))
    inside = -joint(-edge, rim + np.float32(RUNS_OUT_HW) - y, 0.10)
    ragged = whole(0.005 * noise(body.x * hand * 26, body.y * 26, 42), x) + 0.0015 * fuzz
    outer = np.asarray(inside + ragged, np.float32)
    # Loose fibre stands off it, sparse, a millimetre or two long: against the lamp it is the cloth's own rim of light.
    fibre = FIBRE * np.clip(noise(x * hand * 60, y * 21, 44) + 0.7 * fuzz, 0, 1)
    cover = np.maximum(coverage(outer, k, 4.0), fibre * coverage(outer + FIBRE_HW, k, 2 * FIBRE_HW * k))
    # Further in nap lies flat, pressed by the arm and the chair: on a body turned from the lamp a line stays a line.
    stands = stands * (1 - np.float32(FADES) * step(np.abs(x), *FADES_HW))
    nap = SHEEN * stands * (1 - np.float32(FLAT) * step(edge, *FLAT_HW))
    sheet = Layer(np.asarray(cover, np.float32), depth, normal, grey, 0.9, 0.0, np.asarray(nap, np.float32), room=_sharp(room, x))

    if bust.covered:
        return Made([], [(sheet, (0, 0))])
    near = window(bust, x, y, ring.wide + 0.16, (ring.top - 0.42, ring.top + ring.tall + 0.12))
    xc, yc = near.of(x), near.of(y)
    back = collar_back(bust, xc, yc, ring, rib=RIB * cut.rib, leans=_across(bust))
    front = _collar_front(bust, cut, ring, xc, yc, near.of(depth), near.of(fuzz), _resting(ring, body))
    front_, side = (float(v) for v in ring.rim(np.array([0, 1], np.float32)))
    closed = Closed(ring.wide - SNUG_HW, side, front_)
    return Made([(back, near.at)], [(sheet, (0, 0)), (front, near.at)], closed)


RIM_HW, RISES, TALL_HW = 0.140, 0.98, 0.30
"""How far below the chin a roll-neck's rim stands, by how much it rises toward the nape per hw of depth, and how tall it is in front.

Necks lean forward by some 25 degrees and a roll is pulled up behind: seen from the front its rim is a U that goes behind the jaw.
"""


SECOND_HW = (0.092, 0.020, 0.011)
"""How far under the rim the hollow behind a roll's lip lies, how wide it is (one over e) and how deep."""
UNDER_CHIN, UNDER_CHIN_HW = 0.92, 0.25
"""Share of the light that the rim is denied by the jaw over it, and how far down that reaches (one over e)."""


SNUG_HW = 0.012
"""How far within its rim a neck stands at the sides."""
CLOTH_HW = 0.010
"""How far the rim stands off the neck it closes round, within the .030 hw of its own outline's softness: 5 to 6 mm all told, two layers of
wool and no air. At three times that, it was a ring that the head stood in, 20 to 30 pixels wider than the neck on each side."""
ROLLED_HW, OPENS_HW, ROLLS_OUT = 0.014, 0.024, 0.85
"""By how much a roll bulges under its lip, and opens from there to its hem, and by which part of its height it has come out so far: at
the sides a lip leaves the neck along it. Out within half its height it stood there as a knob, and made a funnel of every collar."""
LIP = 0.35
"""How much of its lip's roll and its rings a collar shows along its outline, where it turns round the neck: whole they were notches."""
ROUND = 1.06
"""How much wider the tube is than what is seen of it: a roll's side is pressed flat, and no even band of it faces a lamp behind."""
RIBS = 0.07
"""How high a rib stands, in its own widths."""
SLUMPS_HW = 0.014
"""How far its outline gives in and out at the sides, where nothing holds it."""


def ring_of(bust: Bust, cut: Cut) -> Ring:
    start = (bust.shoulder[0] + bust.shoulder[1]) / 2
    wide = float(girth(bust, np.full(1, RIM_HW - 0.5 * RISES * bust.neck, np.float32))[0]) + CLOTH_HW
    deep = 0.86 * wide
    tall = float(np.clip(TALL_HW + 0.4 * (start - 0.26), 0.25, 0.36)) + 0.8 * cut.tall + cut.high
    top = RIM_HW + max(0.55 * bust.lifted, -0.02) - cut.high
    return Ring(top, tall, wide, deep, bust.throat[2] + 0.05 - deep, RISES * cut.rises)


def _across(bust: Bust) -> float:
    """How much a collar's rim falls per hw to the right: a ring stands square to a neck that leans."""
    return float(np.clip(1.3 * bust.lean, -0.16, 0.16))


# Where cloth round a neck is pressed together: middle (hw from the axis, toward the leaning side), half-length, place between rim (0)
# and hem (1), width and height in hw. None goes all the way round, or the collar would be a stack of tyres.
_ROUND_NECK = (
    (0.18, 0.30, 0.30, 0.040, 0.028),
    (-0.16, 0.30, 0.46, 0.046, 0.030),
    (0.28, 0.24, 0.62, 0.042, 0.026),
    (-0.30, 0.22, 0.24, 0.036, 0.020),
    (0.02, 0.32, 0.76, 0.052, 0.022),
)


def _pressed(cut: Cut, tall: float, hand: float) -> F32:
    """Folds round the collar, strokes f32[n, 8] in hw across and hw below its rim."""
    out = []
    for (at, half, down, width, height), by in zip(_ROUND_NECK, 2 * cut.creased - 1, strict=True):
        mid, low = hand * (at + 0.08 * by[0]), tall * (down + 0.10 * by[4])
        reach, fall, sag = half * (1 + 0.35 * by[1]), 0.045 * by[2], 0.03 + 0.03 * by[3]
        strokes = mid - reach, low - fall * hand, mid, low + sag, mid + reach, low + fall * hand
        out.append((*strokes, hand * width * (1 + 0.25 * by[5]), cut.slack * height * (0.8 + 0.45 * by[6])))
    return np.array(out, np.float32)


RUNS_OUT_HW = 0.13
"""How far below a collar's rim the shoulders come out from under it."""
RESTS_HW = (0.02, 0.13)
"""How far a hem lies over the shoulder's line at each side, and by how much it is let down for that at most."""


def _resting(ring: Ring, body: Outline) -> tuple[float, float]:
    """How much lower (hw) a collar's hem hangs at its left and right end than in front, so that it rests on the shoulder there."""
    low = []
    for sign in (-1, 1):
        column = int(np.argmin(np.abs(body.x[len(body.x) // 2] - np.float32(sign * (ring.wide + ROLLED_HW)))))
        inside = np.flatnonzero((body.inside[:, column] > 0) & (body.y[:, column] > -0.5))
        shoulder = float(body.y[inside[0], column]) if len(inside) else 0.0
        hem = float(ring.rim(np.ones(1, np.float32))[0]) + ring.tall
        low.append(float(np.clip(shoulder + RESTS_HW[0] - hem, 0, RESTS_HW[1])))
    return low[0], low[1]


def _collar_front(bust: Bust, cut: Cut, ring: Ring, x: F32, y: F32, body: F32, fuzz: F32, rests: tuple[float, float]) -> Layer:
    """The rolled fold: thick, finely ribbed, soft at its lip, pressed together round the neck, its hem resting on the shoulders below."""
    k, hand, rib = bust.hw_px, np.float32(bust.hand), np.float32(max(RIB * cut.rib, LEAST_PX / bust.hw_px))
    lean = x * hand

    # Where on the tube: s hw below the rim, which waves a little, sits higher on one side and runs up round the neck.
    wave = 0.012 * noise(lean * 3.1 + 5 + cut.shift, np.zeros_like(x), 51) + 0.020 * lean + _across(bust) * x
    tall = ring.tall + 0.030 * noise(lean * 2.3 + 9 + cut.shift, np.zeros_like(x), 52) + np.float32(cut.bias) * lean
    tall = tall + np.where(x < 0, np.float32(rests[0]), np.float32(rests[1])) * step(np.abs(x) / ring.wide, 0.35, 1.0)
    wide: Field = np.full_like(x, ring.wide)
    for _ in range(3):
        s = y - (ring.rim(np.asarray(x / wide, np.float32)) + wave)
        f = np.clip(s / tall, 0, 1)
        bulge = step(f, 0.0, ROLLS_OUT)
        wide = ring.wide + np.float32(ROLLED_HW) * bulge + np.float32(OPENS_HW) * f * f
    hung = wide

    # Girth: it follows the neck, opens onto the shoulders and is pressed into a few folds that wander and end.
    slump: Field = 0.014 * noise(lean * 1.7 + 2 + cut.shift, s * 6.0 - 1.6 * lean + 0.4, 53)
    slump = np.float32(cut.slack) * slump * step(s, 0.02, 0.14)
    folds = creases(np.asarray(x, np.float32), np.asarray(s, np.float32), _pressed(cut, ring.tall, bust.hand))
    lip, hem = np.float32(0.060), np.float32(0.050)
    over = np.clip(1 - np.maximum(s, 0.001) / lip, 0, 1)
    under = np.clip(1 - np.maximum(tall - s, 0.001) / hem, 0, 1)
    tuck = lip * 0.7 * (1 - np.sqrt(1 - over * over)) + hem * 0.7 * (1 - np.sqrt(1 - under * under))
    # Rolled over softly: a second, shallower fold lies under the lip, now nearer and now further down.
    under, wide_, deep = (np.float32(v) for v in SECOND_HW)
    second = s - under * (1 + 0.35 * noise(lean * 2.6 + 6 + cut.shift, np.zeros_like(x), 61))
    tuck = tuck + deep * np.exp(-np.square(second / wide_))
    if cut.turned < 1:
        # Turned over once more: the upper part stands out, and ends in an edge of its own that dips and climbs round the neck.
        at = s - tall * np.float32(cut.turned) - 0.035 * noise(lean * 2.0 + 4 + cut.shift, np.zeros_like(x), 59)
        tuck = tuck + 0.022 * step(at, -0.004, 0.022) * (1 - 0.6 * step(at, 0.03, 0.16))
    # At the sides nothing holds it: each gives in and out in its own way, and no side is a ruled line.
    beside = np.float32(cut.slack**0.5 * SLUMPS_HW) * noise(np.sign(lean) * 7.3 + cut.shift, s * 8.5 + 0.8 * np.sign(lean), 60)
    beside = beside * step(s, 0.0, 0.10) * step(np.abs(x) / wide, 0.55, 0.95)
    wide = wide + 1.2 * slump + 0.8 * folds + beside - np.float32(LIP) * tuck
    turns = 1.30 + 0.35 * noise(lean * 9 + cut.shift, s * 9, 49)
    # The last of the way round is cloth's own turn (`turned_over`).
    tube = ring.centre_z + (ring.deep + 0.030 * f * f) * arch(x / (wide * np.float32(ROUND))) + slump + folds - tuck
    depth = joint(tube, body + 0.045 - tuck, 0.05) - turned_over(np.asarray(wide + 0.012 - np.abs(x), np.float32), turns)

    # Ribs run round by angle, so they crowd toward both sides. They hang on the neck, not on the folds, but wander a little with the cloth
    # and lie closer or wider by the hand that knitted them.
    sine = np.clip(x / (1.03 * hung + 0.040), -0.9995, 0.9995)
    course = np.float32(max(RIB_COURSE * min(cut.rib, 1.15), LEAST_PX / k))
    a, b = np.arcsin(sine) * (ring.wide / rib) * hand + cut.shift, -s / course
    drift = 0.022 * noise(lean * 4.2 + 1 + cut.shift, s * 4.6, 54) + 0.35 * folds * np.sign(x) * sine * sine
    a = a + drift / rib + 0.16 * noise(a / 2.7, 0 * b, 10) + 0.07 * noise(a / 1.9, b / 40, 11)
    b = b + 0.3 * noise(a / 2, b / 6, 12)
    a = a + np.float32(cut.paired) * np.sin(np.pi * a)
    height, tone = fabric(a, b, np.asarray(wide + 0.02 - np.abs(x), np.float32), ribbed=True, stream=7)
    soft = np.asarray(cv2.GaussianBlur(depth, (0, 0), 1.2), np.float32)
    # At hem and lip ribs are drawn together: there they die away, or every one of them would end in a lit tooth. Elsewhere the yarn's
    # tension makes them stand now more, now less.
    drawn = 0.30 + 0.70 * step(np.minimum(tall - s, s + 0.015), 0.004, 0.045)
    drawn = drawn * (0.80 + 0.50 * noise(lean * 5.3 + 3, s * 5.1 + cut.shift, 56))
    height = np.asarray(0.49 + (height - 0.49) * drawn, np.float32)
    normal, grey = knitted(soft, height, tone, RIBS * float(rib), k, fuzz, np.ones_like(x), SOFTNESS * bust.soft_px)
    grey *= 1 + np.float32(0.6 * CLUMPS) * noise(lean * 62, y * 48, 45)
    # The jaw stands over the rim: less of the room's light gets to it, whatever the key does.
    grey *= 1 - np.float32(UNDER_CHIN) * np.exp(-np.maximum(s, 0) / np.float32(UNDER_CHIN_HW)) * (1 - 0.5 * sine * sine)
    # A fold closes round the neck: where rim and side meet it turns over softly, in no corner.
    rim = -joint(-s, np.abs(x) - wide, 0.20) + 0.012
    ragged = 0.002 * noise(lean * 26, y * 26, 55) + 0.0015 * fuzz
    hem_edge = tall - s + 0.004 * (height - 0.5)
    edge = -joint(-(rim + 0.003 * (height - 0.5)), -hem_edge, 0.11) + 0.018 + ragged
    return Layer(coverage(np.asarray(edge, np.float32), k, 3.4), depth, normal, grey, 0.9, 0.0, CLOSE * SHEEN, room=UNFLAGGED)
