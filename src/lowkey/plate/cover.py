"""What covers the head: hair or none, long or short, a beard, and whether some or all of it is cloth (hat, hood, hijab)."""

from __future__ import annotations

import numpy as np

from lowkey.pixels import F32
from lowkey.plate import features, mixtures
from lowkey.plate.complexion import Complexion
from lowkey.plate.features import FLOOR, GRAIN, TONE, Mask, Proof
from lowkey.plate.mixtures import Mixture
from lowkey.plate.zones import ramp, sigmoid, step

UNLIKE = -5.0
"""Log density under which a pixel is no skin of this person."""
HANGS = (0.3, 0.6)
"""Share of the rows beside a jaw that are covered from which a veil may hang there, and does (white hair over bare jaws: 0)."""


def learn(p: Proof, weight: F32, k: int, x: F32 | None = None) -> Mixture | None:
    """A mixture of k Gaussians from the pixels that count, every other row and column; None when they are too few."""
    even = ((p.where // p.shape[1]) % 2 == 0) & ((p.where % p.shape[1]) % 2 == 0)
    keep = even & (weight > 0.1)
    if 4 * float(weight[keep].sum()) < 0.02 * p.px**2:
        return None
    return mixtures.fit((p.features if x is None else x)[keep], np.asarray(weight[keep], np.float32), k, FLOOR)


def first_look(p: Proof, unlike: F32) -> tuple[float, Mixture | None]:
    """How bald the head is (0..1), and the mixture of whatever lies around the face above the mouth that is no skin.

    unlike f32[n]: how unlike this person's skin a pixel is.
    """
    free = p.solid & (p.hands < 0.5)
    crown = free & (p.out > 0.04) & (p.out < 0.3) & (p.v > 0.85 * p.top)
    covered = float(unlike[crown].mean()) if crown.sum() > 20 else 1.0
    ring = free & (p.out > 0.03) & (p.out < 0.6) & (p.v > 0.35 * p.top)
    return 1 - step(covered, 0.05, 0.14), learn(p, np.where(ring & (unlike > 0.4), unlike, 0).astype(np.float32), 4)


def long_sides(p: Proof, hair: F32, skin: F32) -> tuple[float, float]:
    """Whether hair runs past the jaw at the viewer's left and right (0..1 each), from the log densities of hair and skin [n].

    Hair that hangs fills every row from the ear down to the chin; a collar or a shoulder fills only the lowest.
    """
    like = sigmoid(hair - np.maximum(skin, UNLIKE - 0.5))
    free = p.solid & (p.hands < 0.5) & (p.out > 0.02) & (p.out < 0.6)
    left, right = _rows_covered(p, np.where(free, like, 0), 0.48)
    return step(left, 0.55, 0.85), step(right, 0.55, 0.85)


def beard(p: Proof, skin: Complexion) -> tuple[float, Mixture | None]:
    """How much of a beard there is (0..1), told by the chin, and its mixture."""
    free = p.solid & (p.hands < 0.5) & ~features.mouth(p)
    f = p.features
    # A beard is no plain skin, and it is either full of strands or much darker than any shade.
    rough = ramp(f[:, GRAIN], skin.grain + 0.3, skin.grain + 1.0)
    dense = sigmoid(UNLIKE + 1 - skin.plain) * np.maximum(rough, ramp(-f[:, TONE], 2.5, 3.5))
    chin = free & p.within(features.CHIN)
    if chin.sum() < 50:
        return 0.0, None
    amount = step(float(dense[chin].mean()), 0.3, 0.55)
    if amount < 0.05:
        return 0.0, None
    jaw = free & (p.out < 0.05) & (p.v < p.nose - 0.04) & (p.v > -0.12)
    return amount, learn(p, np.where(jaw & (dense > 0.5), dense, 0).astype(np.float32), 2)


def wrap(p: Proof, prob: F32, cloth: Mixture | None, skin: Complexion) -> tuple[Mixture, Mask, float] | None:
    """Which Gaussians of the cover are cloth: their mixture, a mark for each, and their share. None when there is no cover.

    prob f32[n, 3]: what the first walk took for skin, hair (here: any cover) and cloth.
    """
    head = p.solid & (prob[:, 1] > 0.5) & (p.v > 0.05) & (p.out > 0)
    if head.sum() < 0.03 * p.px**2:
        return None
    own = mixtures.fit(p.features[head], np.ones(int(head.sum()), np.float32), 4, FLOOR)
    tone, red, blue, grain = own.means.T
    grain = grain - skin.grain

    # Colours that no hair has, natural or greying, measured against this person's skin: pink to blue, deep red.
    odd = 6 * np.clip(red + blue - 0.5, 0, 1) + 8 * np.clip(red - 1.5, 0, 1) + 4 * np.clip(blue - 1.3, 0, 1)
    score = odd * ramp(tone, -3.2, -2.4)
    # Light and as smooth as skin, or far lighter than the brows: a veil, which hangs beside the jaw as well, or a cap in a colour; white
    # hair against a window is as light and as smooth, and ends at the ears.
    bare = 1 - _closed(p, prob, own, cloth)
    hangs = max(step(max(_beside_jaw(p, prob)), *HANGS), 1 - step(bare, 0.3, 0.6))
    plain = 3 * (1 - ramp(grain, 0.3, 1.2)) * ramp(tone, -1.6, -0.8) + 2 * ramp(tone - _brow_tone(p), 2.8, 4.0) * ramp(tone, -1.5, -0.5)
    score = score + plain * np.maximum(hangs, ramp(odd, 0.0, 0.4))
    # It closes under the chin, more so when it is smooth all over; a bare throat speaks for hair.
    smooth = float((own.weights * (1 - ramp(grain, 0.4, 1.0))).sum())
    score = score + 2.5 * (1 - step(bare, 0.3, 0.6)) - 1.5 * step(bare, 0.55, 0.8) + 1.5 * smooth * (1 - step(bare, 0.2, 0.4))
    # It stands higher than hair mostly does.
    score = score + 1.5 * step(float(np.percentile(p.v[head], 98)) - p.top, 0.64, 0.75)
    cloth_like = 0.5 * score + 0.5 * float((score * own.weights).sum()) > 1.2
    return own, np.asarray(cloth_like), float(own.weights[cloth_like].sum())


def _beside_jaw(p: Proof, prob: F32) -> tuple[float, float]:
    """In what share of the rows between chin and ear something other than skin lies right beside the face, at its left and right.

    prob f32[n, 3]: skin, hair and cloth.
    """
    near = p.solid & (prob[:, 0] < 0.5) & (p.out > 0.03) & (p.out < 0.18)
    return _rows_covered(p, near.astype(np.float32), 0.45)


def _rows_covered(p: Proof, cover: F32, high: float) -> tuple[float, float]:
    """Share of the rows up from the chin, to `high` of the face, in which `cover` f32[n] lies beside it, at the viewer's left and right."""
    rows = np.arange(0.02, high * p.top, 0.04)
    sides = []
    for side in (-1, 1):
        beside = side * (p.u - p.middle) > 0.2
        full = [float(cover[beside & (p.v > low) & (p.v < low + 0.04)].sum()) / (0.04 * p.px**2) > 0.05 for low in rows]
        sides.append(float(np.mean(full)) if full else 0.0)
    return sides[0], sides[1]


def _brow_tone(p: Proof) -> float:
    brows = p.solid & (p.within(features.BROWS[0]) | p.within(features.BROWS[1]))
    return float(np.percentile(p.features[brows, TONE], 30)) if brows.sum() > 10 else -3.0


def _closed(p: Proof, prob: F32, cover: Mixture, cloth: Mixture | None) -> float:
    """How much of the throat right under the chin is covered by the same stuff as the head."""
    under = p.solid & (np.abs(p.u - p.middle) < 0.3) & (p.v < -0.03) & (p.v > -0.3)
    if under.sum() < 30:
        return 0.3
    x = p.features[under]
    like = np.maximum(cover.log_density(x), -20)
    other = np.maximum(cloth.log_density(x), -7) if cloth else np.full(len(x), -7, np.float32)
    same = sigmoid(2 * (like + 5)) * sigmoid(like - other + 2)
    return float((same * (1 - prob[under, 0])).mean())
