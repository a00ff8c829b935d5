"""The person's measures and what stays of them: the head, its hair or wrap, hands, and a neck rebuilt under the jaw.

All lengths in hw; picture coordinates from the chin, x right and y DOWN, until a normal is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.darkroom import hanging, shoulders
from lowkey.darkroom.knit import Field
from lowkey.gaussian import blur
from lowkey.pixels import F32
from lowkey.plate.meshes import MIDLINE, OVAL
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

JAW = (93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323)
"""Mesh points along the jaw, from the frame-left ear over the chin to the frame-right ear."""
EARS, CHIN, BROW, TOP, JAW_CORNERS = (234, 454), 152, 9, 10, (172, 397)


@dataclass(frozen=True)
class Bust:
    """The measures a garment is cut to."""

    hw_px: float
    hand: float
    """+1 or -1: which way anything lopsided leans. It follows the head, so a mirrored person is dressed mirrored."""
    chin_px: tuple[float, float]
    chin_z: float
    throat: tuple[float, float, float]
    """x, y (hw from the chin) and depth (hw) of the neck's front at collar height."""
    lean: float
    """Sideways slope of the neck's axis, hw per hw downward."""
    neck: float
    """Half-width of the neck."""
    shoulder: tuple[float, float]
    """How far below the chin each shoulder line starts (viewer's left, right), carried inward to the neck."""
    half: tuple[float, float]
    """Half-width of the shoulders (left, right) from the neck's axis."""
    lifted: float
    """How far the chin has left the collar because the head is tipped up, hw (negative: it sinks in)."""
    open: bool
    """True when the photo shows the throat's pit bare, so that a collar may stand open over it."""
    covered: bool
    """True under a hijab, scarf or hood."""
    whose: str = "0"
    """Hash of the person's photo: whatever is drawn for a person is drawn by it."""
    turned: float = 0.0
    """How much nearer each hw to the right lies: a body turned toward frame-left is positive."""
    soft_px: float = 0.72
    """Sigma of what is drawn anew, plate pixels: cloth lies a little behind the focus, and on a soft photo is soft as well."""
    slope: float = shoulders.SLOPE
    """Fall of the shoulder line, hw per hw across."""

    def across(self, x_px: F32, y_px: F32) -> tuple[F32, F32]:
        """Pixels to (x from the neck's axis, y below the chin), hw."""
        y = (y_px - np.float32(self.chin_px[1])) / np.float32(self.hw_px)
        x = (x_px - np.float32(self.chin_px[0])) / np.float32(self.hw_px) - np.float32(self.throat[0])
        return x - np.float32(self.lean) * np.clip(y - np.float32(self.throat[1]), -0.6, 0.6), y


@dataclass(frozen=True)
class Layer:
    """One sheet of material over whatever lies below: coverage, form, and how it answers light. All f32[h, w(, 3)]."""

    cover: F32
    depth: F32
    normal: F32
    albedo: F32
    roughness: float
    specular: float | F32
    """One for all of it, or f32[h, w]."""
    sheen: float | F32
    """The same."""
    skin: float = 0.0
    room: float | F32 = 1.0
    """How much more of the room's light than of a lamp's reaches it (`Subject.room`); one for all of it, or f32[h, w]."""


@dataclass(frozen=True)
class Kept:
    """Coverages f32[h, w] of what comes from the photo whatever is worn."""

    head: F32
    """Face, ears, hair (wherever it falls), beard, wrap, glasses."""
    wrap: F32
    """The part of `head` that is cloth."""
    hair: F32
    hands: F32
    below: F32
    """Signed distance to the jaw line, hw: positive below it."""

    def below_row(self, top: int) -> Kept:
        """Copies of these maps from row `top` down."""
        return Kept(*(np.array(m[top:]) for m in (self.head, self.wrap, self.hair, self.hands, self.below)))


def slopes(depth: Field, hw_px: float) -> tuple[F32, F32]:
    """Slope of depth f32[h, w] (hw) to the right and DOWN, hw per hw."""
    return (
        np.asarray(cv2.Scharr(depth, cv2.CV_32F, 1, 0, scale=hw_px / 32), np.float32),
        np.asarray(cv2.Scharr(depth, cv2.CV_32F, 0, 1, scale=hw_px / 32), np.float32),
    )


def arch(sine: Field) -> F32:
    """sqrt(1 - sine^2), carried on in a straight line from .97 outward, so that a silhouette keeps its slope to the last pixel."""
    inner = np.clip(np.abs(sine), 0, 0.97)
    return np.asarray(np.sqrt(1 - inner * inner) - 3.99 * np.clip(np.abs(sine) - 0.97, 0, 0.3), np.float32)


@njit(cache=True, parallel=True)
def _facing(right: Any, down: Any, out: Any) -> None:
    h, w = right.shape
    for r in prange(h):
        for c in range(w):
            k = 1 / np.sqrt(1 + right[r, c] * right[r, c] + down[r, c] * down[r, c])
            out[r, c, 0], out[r, c, 1], out[r, c, 2] = -right[r, c] * k, down[r, c] * k, k


def facing(right: Field, down: Field) -> F32:
    """Unit normals f32[h, w, 3] of a surface with these slopes."""
    out = np.empty((*right.shape, 3), np.float32)
    _facing(np.ascontiguousarray(right, np.float32), np.ascontiguousarray(down, np.float32), out)
    return out


def middle(landmarks: F32) -> tuple[float, float]:
    """Middle of the head (x, y) px: between the ears, half-way from the chin to the top of the forehead."""
    ears, tall = landmarks[list(EARS), 0].mean(), landmarks[[CHIN, TOP], 1].mean()
    return float(ears), float(tall)


def hand_of(plate: Plate) -> float:
    """+1 or -1: the side to which the chin lies of the ears' middle."""
    mesh = plate.landmarks
    return 1.0 if float(mesh[CHIN, 0] - mesh[list(EARS), 0].mean()) + 1e-6 >= 0 else -1.0


PROFILE_DEG, ASIDE_HW, DEEP_HW = (30.0, 50.0), (0.35, 0.70), 0.46
"""Yaw from which to which a head is a profile, most that a neck's axis lies beside the chin of one that is none and of one, and half of a
neck's depth from throat to nape, which a profile shows."""
SOFT, SOFT_PX = 0.45, (0.72, 1.7)
"""How soft cloth is drawn for each plate pixel that a pixel of the photo became, and the least and most of it: .55 was chosen over .90 in
13 of 14 blind pairs and 1.6 in none; from .70 down stitches glitter as paper and break off at a sleeve's seam."""


def measure(plate: Plate, wrap: F32) -> Bust:
    """Take a person's measures from the mesh and, as far as hair and cloth leave them visible, from the silhouette.

    `wrap` f32[h, w] is the cloth worn on the head.
    """
    k = np.float32(plate.hw_px)
    mesh = plate.landmarks
    chin = mesh[CHIN]
    ears = mesh[list(EARS), :2].mean(0)
    hand = hand_of(plate)
    lifted = float(np.clip(0.30 * np.sin(np.radians(plate.pose.pitch_deg)), -0.08, 0.16))

    # The neck hangs from the skull, between the ears, and follows the head's roll half-way.
    down = chin[:2] - mesh[BROW, :2]
    turn = float(chin[0] - ears[0]) / float(k)
    aside = float(step(np.array([abs(plate.pose.yaw_deg)], np.float32), *PROFILE_DEG)[0])
    # In profile the line from brow to chin leans with a head that nods.
    roll = float(np.clip(down[0] / max(float(down[1]), 1.0), -0.5, 0.5)) * (1 - aside)
    reach = ASIDE_HW[0] + (ASIDE_HW[1] - ASIDE_HW[0]) * aside
    guess = float(np.clip(-turn + 0.65 * roll, -reach, reach))
    shift, half = _neck_run(plate, float(chin[0]) + guess * float(k), float(chin[1]))
    offset = guess + shift
    # Necks are hardly ever wider than the jaw's corners, and never a post.
    corners = mesh[list(JAW_CORNERS)]
    most = max(0.50 * float(np.linalg.norm(corners[0] - corners[1])) / float(k), LEAST_NECK_HW)
    half = float(np.clip(half, LEAST_NECK_HW, most + (max(most, DEEP_HW) - most) * aside))

    axis = float(chin[0]) + offset * float(k)
    hair = plate.parts["hair"] > 0.3
    body = np.clip(plate.matte - plate.parts["hair"], 0, 1) > 0.5
    seen_body = shoulders.Seen(body, hair, plate.inside > 0.5, axis, float(chin[1]), float(k))
    girdle = shoulders.girdle(seen_body, hand, plate.pose.yaw_deg, half, plate.photo.hash)
    lines = girdle.lines
    edge = float(chin[2]) / float(k) * 0.95
    h, w = plate.matte.shape
    at_y, at_x = int(np.clip(chin[1] + (0.24 + max(lifted, 0)) * k, 0, h - 1)), int(np.clip(axis, 0, w - 1))
    seen = plate.depth[max(at_y - 6, 0) : at_y + 7, max(at_x - 12, 0) : at_x + 13]
    depth = float(np.clip(np.median(seen), edge - 0.52, edge - 0.30))
    return Bust(
        float(k), hand, (float(chin[0]), float(chin[1])), edge, (offset, 0.24, depth), float(np.clip(-0.35 * roll, -0.15, 0.15)),
        half, lines, girdle.halves, lifted,
        _throat_bare(plate, axis, (lines[0] + lines[1]) / 2), closed(wrap, mesh), plate.photo.hash,
        girdle.turned, float(np.clip(SOFT * plate.window.scale, *SOFT_PX)), girdle.slope,
    )  # fmt: skip


def _neck_run(plate: Plate, x: float, y: float) -> tuple[float, float]:
    """Shift of the axis (hw) and half-width (hw) of the neck: on each side the nearest edge of skin against the background.

    Hair that hangs beside it hides at most what lies further out: up to there it is as broad at least. A side hidden by a collar says
    nothing; then the other side counts for both, or the usual neck does.
    """
    k = plate.hw_px
    h, w = plate.matte.shape
    body, skin, hair = plate.matte > 0.5, plate.parts["skin"] > 0.5, plate.parts["hair"] > 0.5
    column, inner = int(np.clip(x, 1, w - 2)), max(int(0.02 * k), 2)
    edges: list[list[float]] = [[], []]
    least: list[list[float]] = [[], []]
    for row in range(int(y - 0.30 * k), int(y + 0.34 * k), 4):
        if not 0 <= row < h or not body[row, column]:
            continue
        for side, sign in enumerate((-1, 1)):
            there = np.s_[row, : column + 1] if sign < 0 else np.s_[row, column:]
            line, bare, locks = (m[there][::sign] for m in (body, skin, hair))
            gap, covered = np.flatnonzero(~line), np.flatnonzero(~bare)
            if len(gap) and skin[row, int(np.clip(column + sign * (int(gap[0]) - inner), 0, w - 1))]:
                edges[side].append(int(gap[0]) / k)
            elif len(covered) and covered[0] > inner and locks[int(covered[0]) : int(covered[0]) + inner].any():
                least[side].append(int(covered[0]) / k)
    known = [float(np.percentile(e, 20)) if len(e) > 3 and min(e) < 0.58 else None for e in edges]
    beside = [float(np.median(e)) if len(e) > 3 else 0.0 for e in least]
    known = [b if one is None and b > shoulders.NECK_HW else one for one, b in zip(known, beside, strict=True)]
    left, right = known
    if left is None and right is None:
        return 0.0, shoulders.NECK_HW
    if left is None or right is None:
        one = left if right is None else right
        return 0.0, float(np.clip(one if one is not None else shoulders.NECK_HW, 0.34, 0.44))
    low, high = min(left, right), min(max(left, right), min(left, right) + ASKEW_HW)
    return (1.0 if right > left else -1.0) * (high - low) / 2, float(np.clip((low + high) / 2, 0.33, 0.46))


ASKEW_HW = 0.22
"""Most that one side of a neck is seen further from where the mesh puts its axis than the other: a head turned by 20 degrees is .20."""
LEAST_NECK_HW = 0.365
"""Half the breadth of a slender neck; the usual one is `shoulders.NECK_HW`: circumferences of 30 to 40 cm (Gordon et al. 1989)."""


def _throat_bare(plate: Plate, axis: float, line: float) -> bool:
    """Does the photo show skin where an open shirt's V would be?"""
    k, (h, w) = plate.hw_px, plate.matte.shape
    y0, y1 = (int(np.clip(plate.landmarks[CHIN, 1] + (line + d) * k, 0, h - 1)) for d in (0.08, 0.42))
    x0, x1 = (int(np.clip(axis + d * k, 0, w - 1)) for d in (-0.12, 0.12))
    seen = (plate.parts["skin"] * plate.inside)[y0:y1, x0:x1]
    return bool(seen.size and seen.mean() > 0.6)


UNLIKE, FOLD_HW = 12.0, 0.06
"""Squared deviations from a wrap's own colour from which it is another cloth, or a fold no wider than twice this."""
JAW_SOFT_HW = 0.016
"""Over how much the jaw's line is feathered."""
CLOSE_HW = 0.03
"""Half the width of a gap between jaw and wrap in which no throat is seen (a scarf pinned under the chin: .02 wide in the photo)."""
TAB_HW, HEM_HW = 0.07, 0.055
"""Half the width under which what hangs from a wrap is no part of it, and over what its hem is straightened, sigma."""


def _wrap(plate: Plate) -> F32:
    """Cloth worn on the head f32[h, w]: hijab, scarf, hood or cap, down to where the body's own cloth begins."""
    k = plate.hw_px
    mesh = plate.landmarks
    q = 4
    cloth = cv2.resize(plate.parts["cloth"], None, fx=1 / q, fy=1 / q, interpolation=cv2.INTER_AREA)
    rows = (np.arange(cloth.shape[0], dtype=np.float32)[:, None] + 0.5) * q
    mouth_y, chin_y = float(mesh[13, 1]), float(mesh[CHIN, 1])
    foot = chin_y + 0.3 * k
    seeds = (cloth > 0.5) & (rows < mouth_y)
    nothing = np.zeros_like(plate.matte)
    if seeds.sum() * q * q < 0.10 * k * k:
        return nothing

    # Which of the cloth below the chin is still the wrap? What looks like it, tone counting less than colour. Where the two
    # cannot be told apart, the wrap ends in a curve under the chin.
    rgb = np.log(np.clip(cv2.resize(plate.albedo, (cloth.shape[1], cloth.shape[0]), interpolation=cv2.INTER_AREA), 0.01, 1))
    look = np.stack((0.4 * rgb.mean(-1), rgb[..., 0] - rgb[..., 1], rgb[..., 2] - rgb[..., 1]), -1)
    body = (cloth > 0.5) & (rows > chin_y + 1.1 * k) & (rows < chin_y + 1.9 * k)
    columns = (np.arange(cloth.shape[1], dtype=np.float32)[None] + 0.5) * q
    near = (np.hypot(columns - mesh[CHIN, 0], rows - chin_y + 0.4 * k) < 0.95 * k).astype(np.float32)
    if body.sum() > 50:
        own, other = np.median(look[seeds], 0), np.median(look[body], 0)
        spread_ = np.maximum(1.48 * np.median(np.abs(look[seeds] - own), 0), 0.05) + 0.03
        if np.abs((own - other) / spread_).max() > 1.5:
            d_own, d_other = (np.square((look - m) / spread_).sum(-1) for m in (own, other))
            # Dark folds lie between lighter ones of the wrap; a print under it is as unlike, and lies beyond it.
            fold = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(FOLD_HW * k / q) + 1,) * 2)
            like = (cv2.morphologyEx((d_own < UNLIKE).astype(np.uint8), cv2.MORPH_CLOSE, fold) > 0) | (rows < foot)
            near = (like & (d_own < d_other) & (rows < chin_y + 1.4 * k)).astype(np.float32)
    mask = (cloth > 0.4).astype(np.uint8)
    its = ((mask > 0) & ((rows < chin_y - 0.1 * k) | (blur(near, 0.03 * k / q) > 0.5))).astype(np.uint8)
    opened = cv2.morphologyEx(its, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    _, names = cv2.connectedComponents(opened.astype(np.uint8))
    kept = np.isin(names, np.unique(names[seeds & opened])) & opened
    kept = _hemmed(kept, rows > foot, k / q)
    # Above the chin what hangs together with a wrap is wrap, however narrow a strip of it shows beside the face.
    high = (its > 0) & (rows < chin_y + 0.05 * k)
    _, strips = cv2.connectedComponents(high.astype(np.uint8))
    kept |= np.isin(strips, np.unique(strips[high & kept])) & high
    # Grow into what is no cloth at all, so that the wrap's outer and inner borders are those of the photo.
    grown = (cv2.dilate(kept.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & (kept | (mask == 0))
    wide = cv2.resize(grown.astype(np.float32), plate.size_px, interpolation=cv2.INTER_LINEAR)
    return np.asarray(step(blur(wide, 0.014 * k), 0.25, 0.75) * plate.parts["cloth"] * plate.inside, np.float32)


def _hemmed(wrap: Field, low: Field, k: float) -> Field:
    """A wrap bool[h, w] that ends in a smooth hem where it is `low` bool[h, 1]; k is pixels a head-width.

    Narrow tabs at its foot are what it was worn with: a print, a collar's edge, a chain.
    """
    side = 2 * round(TAB_HW * k) + 1
    broad = cv2.morphologyEx(wrap.astype(np.uint8), cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    smooth = blur(broad.astype(np.float32), HEM_HW * k) > 0.6
    _, names = cv2.connectedComponents((smooth | (wrap & ~low)).astype(np.uint8))
    mine = np.isin(names, np.unique(names[wrap & ~low]))
    return np.where(low, smooth & wrap & mine, wrap)


def closed(wrap: F32, mesh: F32) -> bool:
    """True when the head's cloth f32[h, w] reaches past the chin on a side, as a cap's does not."""
    if wrap.max() <= 0.5:
        return False
    row = int(np.clip(mesh[CHIN, 1], 0, wrap.shape[0] - 1))
    line = wrap[row] > 0.5
    x = int(np.clip(mesh[CHIN, 0], 1, wrap.shape[1] - 1))
    return bool(line[:x].any() or line[x:].any())


def keep(plate: Plate) -> Kept:
    """What of the photo stays in front of any garment."""
    k = plate.hw_px
    below = below_jaw(plate.landmarks, plate.size_px, k)
    wrap = _wrap(plate)
    hair = hanging.falling(plate, below)
    # Soft at the jaw: it turns under there, and is no edge of anything.
    above = step(below, 0.5 * JAW_SOFT_HW, -0.5 * JAW_SOFT_HW)
    # Ear lobes hang outside the jaw and below where its line turns outward: skin beside the corners of the jaw is head.
    # They hang a little, not a hand's breadth: what lies lower is the room taken for skin. They end softly, never in a corner.
    mesh, (h, w) = plate.landmarks, plate.matte.shape
    rows, columns = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)[None]
    edge = float(mesh[list(JAW_CORNERS), 1].min())
    left, right = sorted(mesh[list(JAW_CORNERS), 0])
    outside = step(np.maximum(np.float32(left) - columns, columns - np.float32(right)) / np.float32(k), 0.04, 0.075)
    # A chin tipped up lets the ears, further back, sink against the jaw.
    sunk = 0.5 * max(float(np.sin(np.radians(plate.pose.pitch_deg))), 0.0)
    beside = outside * (1 - step((rows - np.float32(edge)) / np.float32(k), -0.07 + sunk, 0.03 + sunk))
    lobes = beside * step(plate.parts["skin"], 0.6, 0.95) * (1 - step(below, 0.03 + sunk, 0.09 + sunk))
    # Beside the jaw skin draws in toward the line, like a nape; cut straight off it would be a block under the ear.
    oval = np.ones((h, w), np.uint8)
    cv2.fillPoly(oval, [np.round(mesh[list(OVAL), :2]).astype(np.int32)], 0)
    cv2.fillPoly(oval, [_front(mesh, 1)], 0)
    out = cv2.distanceTransform(oval, cv2.DIST_L2, 5) / np.float32(k)
    aside = out - 0.01 - 1.5 * np.maximum(-below, 0)
    above = np.maximum(above * (1 - step(aside, 0.0, 0.012)), lobes * hanging.broad(lobes, k))
    above = np.maximum(above, hanging.far_cheek(plate, np.asarray(out, np.float32)))
    # They hang from an ear: what begins anew under a gap below one, and all beyond that, is the room above a shoulder, or neck.
    start = int(np.clip(mesh[4, 1] + (0.05 + sunk) * k, 0, h - 1))
    solid = (plate.matte[start:] > 0.3) & (above[start:] > 0.3)
    anew = np.maximum.accumulate(np.maximum.accumulate(solid, axis=0) & ~solid, axis=0) & solid
    # Within the jaw's corners nothing hangs from an ear: a profile's lips begin anew under its nose.
    nose = float(mesh[4, 0])
    ends = int(np.clip(min(left, nose), 1, w - 1)), int(np.clip(max(right, nose), 1, w - 1))
    anew[:, ends[0] : ends[1]] = False
    anew[:, : ends[0]] = np.maximum.accumulate(anew[:, : ends[0]][:, ::-1], axis=1)[:, ::-1]
    anew[:, ends[1] :] = np.maximum.accumulate(anew[:, ends[1] :], axis=1)
    above[start:] *= 1 - blur(cv2.dilate(anew.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32), 1.0)
    # A reader's nine tenths is a whole: half-sure wraps and hands would let the garment's weave shine through.
    body_cloth = step(np.clip(plate.parts["cloth"] - wrap, 0, 1), 0.15, 0.80)
    bare = np.asarray((1 - body_cloth) * plate.matte, np.float32)
    face = hanging.on_nose(np.asarray(above * bare, np.float32), mesh[4], start, k)
    face = np.minimum(hanging.evened(face, start, int(mesh[CHIN, 1] - 0.1 * k), k), bare)
    worn = np.asarray(step(wrap, 0.15, 0.80) * plate.matte, np.float32)
    face = _up_to(face, worn, bare, start, k)
    head = np.maximum(np.maximum(face, hair * plate.matte), worn)
    hands = hanging.own_skin(step(np.maximum(plate.parts["hands"], _raised(plate, below)), 0.15, 0.80), plate)
    hands = hanging.drawn(hands, k) * plate.matte
    return Kept(np.asarray(head, np.float32), wrap, hair, np.asarray(hands, np.float32), below)


def _up_to(face: F32, wrap: F32, bare: F32, start: int, k: float) -> F32:
    """The face f32[h, w] carried on to a `wrap` f32[h, w] that lies close under its jaw, over what is `bare` f32[h, w], from row `start`.

    A throat put into so narrow a gap is a black line, and the photo's chin that is mixed into the wrap's border a pale wire beyond it.
    """
    if wrap.max() <= 0.5:
        return face
    side = 2 * round(CLOSE_HW * k) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    both = np.ascontiguousarray(np.maximum(face, wrap)[start:])
    gap = np.asarray(cv2.morphologyEx(both, cv2.MORPH_CLOSE, disc), np.float32) - both
    face = face.copy()
    face[start:] = np.maximum(face[start:], np.minimum(both + gap, bare[start:]) * (gap > 0.01))
    return face


def _raised(plate: Plate, below: F32) -> F32:
    """Skin f32[h, w] near the face that hangs on no neck: a hand that no hand reader saw, or the forearm behind one."""
    q, k = 4, plate.hw_px
    size = (max(plate.size_px[0] // q, 2), max(plate.size_px[1] // q, 2))
    skin, hands, under = (
        cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (plate.parts["skin"] * plate.inside, plate.parts["hands"], below)
    )
    rows, columns = (np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) + 0.5) * q
    x, y = (columns - plate.landmarks[CHIN, 0]) / k, (rows - plate.landmarks[CHIN, 1]) / k
    count, names, stats, centres = cv2.connectedComponentsWithStats((((skin > 0.5) | (hands > 0.5)) & (under > 0.03)).astype(np.uint8))
    throat = np.unique(names[(np.abs(x) < 0.45) & (y < 0.40)])
    keep_ = []
    for i in range(1, count):
        near = abs(centres[i][0] * q - plate.landmarks[CHIN, 0]) < 1.2 * k and centres[i][1] * q - plate.landmarks[CHIN, 1] < 1.4 * k
        large = stats[i, cv2.CC_STAT_AREA] * q * q > 0.03 * k * k
        if (near and large and i not in throat) or (hands[names == i] > 0.5).any():
            keep_.append(i)
    if not keep_:
        return np.zeros_like(plate.matte)
    # A hand that covers the throat is one blob with it: of those only what the reader calls hands stays.
    mask = np.isin(names, [i for i in keep_ if i not in throat])
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    bare = np.minimum(plate.parts["skin"] + plate.parts["hands"], 1)
    return np.asarray(cv2.resize(grown, plate.size_px, interpolation=cv2.INTER_LINEAR) * bare, np.float32)


def below_jaw(mesh: F32, size_px: tuple[int, int], k: float) -> F32:
    """Signed distance f32[h, w] (hw) to the jaw line, carried outward from under the ears; positive below."""
    w, h = size_px
    up = mesh[10, :2] - mesh[CHIN, :2]
    up = up / max(float(np.hypot(*up)), 1e-6)
    side = np.array([-up[1], up[0]], np.float32)
    jaw = mesh[list(JAW[1:-1]), :2]
    # Ear lobes hang lower than the mesh's ears: the line leaves the jaw between ear and corner.
    left, right = (jaw[0] + jaw[1]) / 2 - side * np.float32(8 * k), (jaw[-1] + jaw[-2]) / 2 + side * np.float32(8 * k)
    far = up * np.float32(12 * k)
    ring = np.concatenate(
        [left[None], (jaw[:1] + jaw[1:2]) / 2, jaw[1:-1], (jaw[-2:-1] + jaw[-1:]) / 2, right[None], (right + far)[None], (left + far)[None]]
    )
    inner = np.zeros((h, w), np.uint8)
    cv2.fillPoly(inner, [np.round(ring * 16).astype(np.int32)], 1, shift=4)
    # Of a profile the far half of the jaw lies behind the mouth, and the outline is nose, lips and chin.
    cv2.fillPoly(inner, [_front(mesh, 16)], 1, shift=4)
    distance = cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5) - cv2.distanceTransform(inner, cv2.DIST_L2, 5)
    return np.asarray(cv2.GaussianBlur(distance, (0, 0), 2.0) / np.float32(k), np.float32)


def _front(mesh: F32, units: int) -> NDArray[np.int32]:
    """What nose, lips and chin span, int32[n, 1, 2] in `units` a pixel: of a head that looks ahead it lies within the jaw."""
    return np.asarray(cv2.convexHull(np.round(mesh[list(MIDLINE), :2] * units).astype(np.int32)), np.int32)


def spread(colour: Field, weight: Field, hw_px: float) -> F32:
    """Colour f32[h, w, 3] carried from where `weight` f32[h, w] is 1 to everywhere else, ever more smoothly with distance."""
    q = 4
    size = (max(weight.shape[1] // q, 2), max(weight.shape[0] // q, 2))
    w = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    c = cv2.resize(colour * weight[..., None], size, interpolation=cv2.INTER_AREA)
    total, mass = np.zeros(c.shape, np.float32), np.zeros(w.shape, np.float32)
    # Each blur counts a hundred times less than the finer one before it: near pixels win where there are any.
    for i, sigma in enumerate((0.02, 0.06, 0.18, 0.55)):
        total += blur(c, sigma * hw_px / q) * np.float32(0.01**i)
        mass += blur(w, sigma * hw_px / q) * np.float32(0.01**i)
    filled = total / np.maximum(mass, 1e-12)[..., None]
    return np.asarray(cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
