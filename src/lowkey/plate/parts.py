"""Parts: what of the person is skin, hair, cloth, hand, eye, brow, lip, tooth or glasses, without a parsing network.

Learn the skin from the face and whatever else there is from where it must lie, guess pixel by pixel, let a random walk make
regions of the guesses, learn again from the regions, and bring the result up to plate size along the picture's own edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import complexion, cover, details, ends, features, hairline, hands, hem, walk, zones
from lowkey.plate.complexion import Complexion
from lowkey.plate.features import BLUE, RED, TONE, Proof
from lowkey.plate.mixtures import Mixture
from lowkey.plate.zones import Habit, ramp, sigmoid

SKIN, HAIR, CLOTH = range(3)
ANY_COLOUR = np.array([-7.0, -6.0, -5.0], np.float32)
"""Log density of "any colour at all" as skin, hair and cloth: cloth can be anything, skin cannot."""
TEMPER = 0.6
"""Neighbouring pixels and features are not independent, so densities count for less than they say."""
ROUNDS = 3
TRUST = 0.05
TIE = np.array([0.22, 0.09, 0.09], np.float32)
"""Differences in luminance, red and blue (stops) at which two neighbours begin to be different things."""
SCRAP = 0.25
"""Area, in squared head-widths, under which skin that the border cuts off from the head may be a scrap."""
FRINGE = (1.2, 2.2)
"""Stops under the skin hereabouts at which what hangs together with hair begins to be hair, and is."""
FEATHER_HW = 0.005
"""Over what such hair is judged together, and its border feathered, sigma."""
FILTER_RADIUS_HW, FILTER_EPSILON = 0.02, 2e-4
SHARPEN = 2.5


@dataclass(frozen=True)
class Reading:
    """What the walk found: prob f32[n, 3] of skin, hair and cloth on the proof, and what kind of head it took it for."""

    prob: F32
    habit: Habit
    entropy: F32
    """f32[n]: 0 where one label is sure, 1 where all three are as likely."""


def part(colour: F32, matte: F32, landmarks: F32, hw_px: float, inside: F32) -> tuple[dict[str, F32], float]:
    """The parts of a plate, each f32[h, w], by the names of `plate.PARTS`, and how sure they are (0..1).

    colour: f32[h, w, 3] scene-linear; matte: f32[h, w] coverage; landmarks: f32[478, 3] in plate pixels (x right, y down);
    hw_px: pixels a head-width; inside: f32[h, w], 1 where the photo has pixels.
    skin, hair, cloth, hands, glasses and background sum to 1; eyes, brows, lips and teeth lie over skin.
    """
    held = hands.zone(hands.read(colour, hw_px), matte.shape)
    p = features.proof(colour, matte, landmarks, hw_px, inside, held)
    reading = read(p)
    skin, hair, cloth = _enlarged(p, reading.prob, colour, matte, inside, hw_px)

    skin, hair = hairline.bared(colour, skin, hair, landmarks, hw_px)
    skin, hair = hairline.fringed(colour, skin, hair, landmarks, hw_px)
    skin, hair = _fringe(colour, skin, hair, landmarks, hw_px)
    skin, cloth = hem.worn(colour, skin, cloth, landmarks, hw_px)
    skin, cloth = _hemmed(skin, cloth, landmarks, hw_px)

    found = details.read(colour, landmarks, hw_px, p.y0, skin + hair)
    keep = 1 - found["glasses"]
    worn = found.pop("glasses") * matte
    skin, hair, cloth = (np.asarray(one * keep, np.float32) for one in (skin, hair, cloth))
    hand = skin * blur(held, 0.015 * hw_px)
    named = {"skin": skin - hand, "hair": hair, "cloth": cloth, "hands": hand, "glasses": worn, "background": 1 - matte, **found}
    return {name: np.ascontiguousarray(m, np.float32) for name, m in named.items()}, _confidence(p, reading)


def read(p: Proof) -> Reading:
    """Skin, hair and cloth on the proof."""
    if len(p.u) < 200:
        nobody = np.tile(np.array([1, 0, 0], np.float32), (len(p.u), 1))
        return Reading(nobody, Habit(), np.ones(len(p.u), np.float32))
    skin = complexion.read(p)
    own = skin.log_density(p)
    unlike = sigmoid(cover.UNLIKE - own)
    bald, hair = cover.first_look(p, unlike)
    bearded, beard = cover.beard(p, skin)
    left, right = cover.long_sides(p, _seen(p, hair, beard), own)
    habit = Habit(bald, left, right, bearded)
    cloth = _first_cloth(p, unlike, _seen(p, hair, beard), habit)
    tied = walk.graph(p.features[:, [TONE, RED, BLUE]] / TIE, p.where, p.shape)
    trust = np.asarray(TRUST * (1 + 2 * ramp(-p.out, 0.05, 0.12)) * p.matte, np.float32)

    body: Mixture | None = None
    prob = np.zeros((len(p.u), 3), np.float32)
    for turn in range(ROUNDS):
        logs = np.stack([skin.log_density(p, body), _seen(p, hair, beard), _seen(p, cloth)], 1)
        odds = TEMPER * np.logaddexp(logs, ANY_COLOUR) + zones.log_priors(p, habit)
        guess = np.exp(odds - odds.max(1, keepdims=True))
        guess /= guess.sum(1, keepdims=True)
        last = turn == ROUNDS - 1
        start = _smooth(p, guess) if turn == 0 else prob
        prob = walk.walk(tied, guess, trust, start, 4e-3 if last else 2e-2)
        if last:
            break
        if turn == 0:
            prob, habit = _unwrap(p, prob, habit, cloth, skin)
        hair, cloth, body = _again(p, prob, hair, skin, habit)
    prob = _without_scraps(p, _rooted(p, prob, habit))
    entropy = -(prob * np.log(np.maximum(prob, 1e-6))).sum(1) / np.log(3)
    return Reading(prob, habit, np.asarray(entropy, np.float32))


def _rooted(p: Proof, prob: F32, habit: Habit) -> F32:
    """Hair that hangs together with no hair of the head, nor with a beard, is none: it becomes what else it could be."""
    strands = p.spread(prob[:, HAIR]) > 0.4
    _, piece = cv2.connectedComponents(strands.astype(np.uint8), connectivity=8)
    root = (p.v > 0.45 * p.top) & (p.out > -0.05)
    if habit.beard > 0.3:
        root |= (p.v < p.nose) & (p.v > -0.1) & (p.out < 0.03)
    mine = np.asarray(p.pick(piece))
    loose = (mine > 0) & ~np.isin(mine, np.unique(mine[root & (mine > 0)]))
    prob = prob.copy()
    rest = prob[loose][:, [SKIN, CLOTH]] + np.float32(0.02)
    prob[loose] = np.insert(rest / rest.sum(1, keepdims=True), HAIR, 0, axis=1)
    return prob


def _without_scraps(p: Proof, prob: F32) -> F32:
    """A scrap of skin colour that hangs on no skin of the head, is no hand and is cut by the border is a sleeve or a bit of arm: cloth."""
    bare = (p.spread(prob[:, SKIN]) > 0.4).astype(np.uint8)
    _, piece, stats, _ = cv2.connectedComponentsWithStats(bare, connectivity=8)
    mine = np.asarray(p.pick(piece))
    body = np.unique(mine[(mine > 0) & ((p.out < 0) | (p.hands > 0.5) | ((np.abs(p.u - p.middle) < 0.3) & (p.v > -0.5)))])
    high = int((p.where // p.shape[1]).max()) + 1
    x, y, w, h = (stats[:, i] for i in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT))
    cut = (x <= 1) | (x + w >= p.shape[1] - 1) | (y + h >= high - 1)
    small = stats[:, cv2.CC_STAT_AREA] < SCRAP * p.px**2
    scraps = np.flatnonzero(cut & small)
    gone = (mine > 0) & np.isin(mine, scraps) & ~np.isin(mine, body)
    prob = prob.copy()
    prob[gone, CLOTH] += prob[gone, SKIN]
    prob[gone, SKIN] = 0
    return prob


def _smooth(p: Proof, guess: F32) -> F32:
    """A guess [n, 3] averaged over a tenth of a head-width: where the first walk starts from."""
    side = (2 * round(0.05 * p.px) + 1,) * 2
    total = np.asarray(cv2.blur(p.spread(guess), side), np.float32)
    return np.asarray(p.pick(total / np.maximum(total.sum(2, keepdims=True), 1e-6)), np.float32)


def _seen(p: Proof, mixture: Mixture | None, beard: Mixture | None = None) -> F32:
    """Log density f32[n] under a mixture, and under the beard's where a beard may grow."""
    none = np.full(len(p.u), complexion.LOWEST, np.float32)
    logs = none if mixture is None else np.maximum(mixture.log_density(p.features), complexion.LOWEST)
    if beard is not None:
        may = (p.v < p.nose) & (p.v > -0.35) & (p.out < 0.12)
        logs = np.where(may, np.logaddexp(logs, beard.log_density(p.features)), logs)
    return np.asarray(logs, np.float32)


def _first_cloth(p: Proof, unlike: F32, hair: F32, habit: Habit) -> Mixture | None:
    """Cloth is what lies below the chin and is neither skin nor, where hair hangs, hair."""
    low = p.solid & (p.hands < 0.5) & (p.v < -0.3)
    hangs = np.where(p.u < p.middle, habit.long_left, habit.long_right) * ramp(p.v, -2.0, -1.2)
    weight = np.where(low, unlike * (1 - 0.97 * hangs * sigmoid(2 * (hair + 5.5))), 0)
    found = cover.learn(p, np.where(weight > 0.4, weight, 0).astype(np.float32), 5)
    return found or cover.learn(p, np.where(low, unlike, 0).astype(np.float32), 5)


def _unwrap(p: Proof, prob: F32, habit: Habit, cloth: Mixture | None, skin: Complexion) -> tuple[F32, Habit]:
    """Move what covers the head from hair to cloth as far as it is a hat, a hood or a veil."""
    told = cover.wrap(p, prob, cloth, skin)
    if told is None or told[2] < 0.08:
        return prob, habit
    own, cloth_like, amount = told
    head = p.solid & (prob[:, HAIR] > 0.5) & (p.v > 0.05) & (p.out > 0)
    share = own.shares(p.features[head])[:, cloth_like].sum(1)
    prob = prob.copy()
    prob[head, CLOTH] += prob[head, HAIR] * share
    prob[head, HAIR] *= 1 - share
    # What closes around the whole head has no hair hanging out of it.
    free = 1 - zones.step(amount, 0.7, 0.9)
    if amount > 0.85:
        low = p.v < 0.3
        prob[low, CLOTH] += prob[low, HAIR]
        prob[low, HAIR] = 0
    return prob, replace(habit, long_left=habit.long_left * free, long_right=habit.long_right * free, wrapped=amount)


def _again(
    p: Proof, prob: F32, hair: Mixture | None, skin: Complexion, habit: Habit
) -> tuple[Mixture | None, Mixture | None, Mixture | None]:
    """Hair, cloth and the body's skin learned again from where the walk is sure.

    Skin may only teach what already resembled the face, and cloth only what did not, or each would swallow the other.
    """
    sure = np.where((prob > 0.75) & p.solid[:, None], prob, 0)
    if hair is not None:
        hair = None if habit.wrapped > 0.9 else cover.learn(p, sure[:, HAIR] * (p.out > 0), 4)
    strange = np.maximum(sigmoid(-4.0 - skin.body), prob[:, CLOTH] > 0.93)
    cloth = cover.learn(p, sure[:, CLOTH] * strange, 6)
    body = cover.learn(p, sure[:, SKIN] * (p.v < 0.1) * sigmoid(2 * (skin.body + 4)), 3, skin.seen)
    return hair, cloth, body


def _enlarged(p: Proof, prob: F32, colour: F32, matte: F32, inside: F32, hw_px: float) -> tuple[F32, F32, F32]:
    """Skin, hair and cloth f32[h, w] on the plate, adding up to the matte."""
    small = p.spread(prob)
    known = p.spread(np.ones(len(p.u), np.float32))
    # Beyond the person the labels go on, so that the filter's windows on the silhouette see no edge that is not there.
    side = (2 * round(0.06 * p.px) + 1,) * 2
    weight = cv2.blur(known, side)[..., None] + 1e-6
    small = np.where(known[..., None] > 0, small, cv2.blur(small, side) / weight)
    radius = max(round(FILTER_RADIUS_HW * p.px), 1)
    two = walk.enlarge(small[..., :CLOTH], p.guide, features.guide(colour, p.y0), radius, FILTER_EPSILON)
    large = walk.sharpened(two, matte, SHARPEN)
    gone = large[..., HAIR] * (1 - ends.kept(large[..., HAIR], colour, matte, inside, hw_px))
    large[..., HAIR] -= gone
    large[..., CLOTH] += gone
    _beyond(large, matte, inside, hw_px)
    return large[..., SKIN], large[..., HAIR], large[..., CLOTH]


def _fringe(colour: F32, skin: F32, hair: F32, landmarks: F32, hw_px: float) -> tuple[F32, F32]:
    """The dark tips of hair that hangs over the face are hair: far darker than the skin hereabouts, and joined to hair.

    The proof is too small for them, and a tip taken for skin glows orange once its old shade is taken off.
    """
    m = round(0.25 * hw_px)
    (x0, y0), (x1, y1) = landmarks[:468, :2].min(0).astype(int) - m, landmarks[:468, :2].max(0).astype(int) + m
    box = np.s_[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
    mine, strands = skin[box], hair[box]
    if mine.size < 64 or strands.max() < 0.5:
        return skin, hair
    tone = np.maximum(luminance(colour[box]), np.float32(1e-4))
    sure = np.asarray((mine > 0.9) & (cv2.blur(strands, (5, 5)) < 0.05), np.float32)
    sigma = 0.08 * hw_px / 4
    size = max(mine.shape[1] // 4, 1), max(mine.shape[0] // 4, 1)
    sums = blur(cv2.resize(np.dstack([np.log2(tone) * sure, sure]), size, interpolation=cv2.INTER_AREA), sigma)
    usual, count = cv2.split(cv2.resize(sums, (mine.shape[1], mine.shape[0]), interpolation=cv2.INTER_LINEAR))
    # Pixel by pixel the photo's noise would decide, and the border of hair on a cheek would be speckled.
    even = blur(np.log2(tone), FEATHER_HW * hw_px)
    darker = np.where(count > 0.02, usual / np.maximum(count, 1e-4) - even, 0)
    reach = 2 * round(0.03 * hw_px) + 1
    near = blur(cv2.dilate(np.asarray(strands > 0.5, np.float32), np.ones((reach, reach), np.uint8)), 0.01 * hw_px)
    taken = mine * blur(ramp(np.asarray(darker, np.float32), *FRINGE) * near, FEATHER_HW * hw_px)
    skin, hair = skin.copy(), hair.copy()
    skin[box] -= taken
    hair[box] += taken
    return skin, hair


def _hemmed(skin: F32, cloth: F32, landmarks: F32, hw_px: float) -> tuple[F32, F32]:
    """A line of skin colour along a collar, narrower than a finger is thick, is the collar's own edge."""
    top = int(np.clip(landmarks[[61, 291], 1].min(), 0, len(skin) - 1))
    bottom = int(np.clip(landmarks[152, 1] + hw_px, top + 1, len(skin)))
    rows = np.s_[top:bottom]
    side = 2 * round(0.025 * hw_px) + 1
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    narrow = np.maximum(skin[rows] - cv2.morphologyEx(skin[rows], cv2.MORPH_OPEN, round_), 0)
    moved = narrow * ramp(np.asarray(cv2.blur(cloth[rows], (side, side)), np.float32), 0.1, 0.3)
    skin, cloth = skin.copy(), cloth.copy()
    skin[rows] -= moved
    cloth[rows] += moved
    return skin, cloth


def _beyond(large: F32, matte: F32, inside: F32, hw_px: float) -> None:
    """Below the photo's lower border: the labels of its last row, ever more blurred, hair passing into cloth."""
    h, end = len(inside), ends.foot(inside)
    if end is None:
        return
    last = end - 2
    edge = large[max(last - 3, 0) : last + 1].mean(0)
    edge = edge / np.maximum(edge.sum(1, keepdims=True), 1e-6)
    empty = matte[last] < 0.02
    edge[empty] = (0, 0, 1)
    wide = np.asarray(cv2.blur(edge[None], (2 * round(0.1 * hw_px) + 1, 1), borderType=cv2.BORDER_REPLICATE))[0]
    below = np.asarray(np.arange(h - last - 1) / hw_px, np.float32)
    mix = ramp(below, 0.0, 0.3)[:, None, None]
    rest = (1 - mix) * edge[None] + mix * wide[None]
    passing = ramp(below, 0.1, 0.5)[:, None]
    rest[..., CLOTH] += passing * rest[..., HAIR]
    rest[..., HAIR] *= 1 - passing
    large[last + 1 :] = rest * matte[last + 1 :, :, None]


def _confidence(p: Proof, reading: Reading) -> float:
    """How sure the parts are: how undecided the walk is on head and shoulders, and whether the middle of the face is skin."""
    near = (p.out < 0.7) & (p.v > -0.9)
    doubt = float((reading.entropy * p.matte)[near].sum() / max(float(p.matte[near].sum()), 1e-6)) if near.any() else 1.0
    bare = features.bare_face(p)
    agree = float(reading.prob[bare, SKIN].mean()) if bare.sum() > 50 else 0.0
    return float(np.clip((1 - 1.2 * doubt) * agree, 0, 1))
