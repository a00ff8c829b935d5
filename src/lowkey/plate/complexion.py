"""Complexion: what this person's skin looks like in this light, and how likely a pixel is to be it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lowkey.pixels import F32
from lowkey.plate import features, mixtures, zones
from lowkey.plate.features import BLUE, FLOOR, GRAIN, RED, TONE, Proof
from lowkey.plate.mixtures import F64, Mixture
from lowkey.plate.zones import ramp

LOWEST = -12.0
"""No log density is taken to be less."""
PALER, SHINES, ALL_OVER = -0.22, 0.3, (0.5, 0.8)
"""Log2 of red over green against the forehead's under which, and stops over it from which, a scalp shines; and the shares of the crown
from which that is no shine any more."""
Copy = tuple[F64, F64, float]
"""Skin under other light: shift and spread of the four features, and its share."""
SHADE: Copy = (np.array([-0.7, 0.05, 0.0, 0.1]), np.array([0.45, 0.10, 0.10, 0.35]), 0.15)
DEEP: Copy = (np.array([-1.5, 0.3, -0.25, 0.3]), np.array([0.9, 0.28, 0.28, 0.6]), 0.25)
"""Under the chin: dark, and reddened by light that skin throws on skin."""
SHINE: Copy = (np.array([0.5, -0.25, 0.15, 0.0]), np.array([0.35, 0.18, 0.15, 0.3]), 0.08)
GLOSS: Copy = (np.array([1.0, -0.5, 0.2, 0.2]), np.array([0.4, 0.2, 0.2, 0.4]), 0.03)
BLUSH: Copy = (np.array([-0.4, 0.35, -0.2, 1.0]), np.array([0.8, 0.28, 0.28, 1.0]), 0.10)
"""Ears: redder, folded, half shining through."""


@dataclass(frozen=True)
class Complexion:
    """Log densities f32[n] of being skin: on the face, of the body (neck, ears, hands, shoulders), and of a bare scalp."""

    face: F32
    body: F32
    scalp: F32
    plain: F32
    """On the face without its shine: what a beard differs from."""
    seen: F32
    """f32[n, 4] the features with local contrast cut off below: skin smoother than the face is still skin."""
    grain: float
    """The face's own local contrast."""

    def log_density(self, p: Proof, learned: Mixture | None = None) -> F32:
        """Each pixel judged by the kind of skin that could lie there; `learned` is what neck and shoulders turned out to be."""
        body = self.body
        if learned is not None:
            body = np.logaddexp(body, np.maximum(learned.log_density(self.seen), LOWEST)) - np.float32(np.log(2))
        ear = zones.ears(p)
        face = np.minimum(ramp(p.v, -0.05, 0.25), 1 - ear)
        crown = ramp(p.out, -0.03, 0.03) * ramp(p.v, 0.68 * p.top, 0.82 * p.top) * (1 - ear)
        return np.asarray(crown * self.scalp + (1 - crown) * (face * self.face + (1 - face) * body), np.float32)


def read(p: Proof) -> Complexion:
    """Learn the skin from cheeks, nose and lower forehead, above the mouth so that no beard gets in."""
    f = p.features
    bare = features.bare_face(p)
    sample = f[bare]
    core = f[bare & features.middle_face(p)]
    if len(core) < 50:
        core = sample if len(sample) >= 50 else f[p.solid & (p.out < 0)]
    if len(core) < 50:
        core = f
    # Hair over a cheek, glasses, paint: whatever is unlike the middle of the face goes.
    centre = np.median(core, 0)
    spread = 1.4826 * np.median(np.abs(core - centre), 0) + 1.5 * FLOOR
    kept = sample[(np.abs(sample - centre) / spread)[:, :GRAIN].max(1) < 3] if len(sample) else core
    kept = (kept if len(kept) >= 50 else core).astype(np.float32)
    grain = float(np.median(kept[:, GRAIN]))
    seen = f.copy()
    seen[:, GRAIN] = np.maximum(seen[:, GRAIN], grain)
    kept = kept.copy()
    kept[:, GRAIN] = np.maximum(kept[:, GRAIN], grain)
    own = mixtures.fit(kept, np.ones(len(kept), np.float32), 3, FLOOR)

    def under(*copies: Copy) -> F32:
        return np.maximum(_lit_otherwise(own, copies).log_density(seen), LOWEST).astype(np.float32)

    face, body, plain = under(SHADE, SHINE, GLOSS), under(SHADE, DEEP, SHINE, BLUSH), under(SHADE)
    return Complexion(face, body, np.maximum(_scalp(p, own, seen), LOWEST).astype(np.float32), plain, seen, grain)


def _lit_otherwise(own: Mixture, copies: tuple[Copy, ...]) -> Mixture:
    """The skin's mixture with moved and widened copies of each Gaussian."""
    rest = 1 - sum(share for _, _, share in copies)
    weights, means, covariances = [own.weights * rest], [own.means], [own.covariances]
    for shift, spread, share in copies:
        weights.append(own.weights * share)
        means.append(own.means + shift)
        covariances.append(own.covariances + np.diag(spread * spread))
    return Mixture(np.concatenate(weights), np.concatenate(means), np.concatenate(covariances))


def _scalp(p: Proof, own: Mixture, seen: F32) -> F32:
    """Log density f32[n] of bare scalp.

    Skin above the hairline has the colour of the forehead right below it: that holds in hard light too, where the face as a
    whole is both bright and dark and any dark hair could pass for skin in shade.
    """
    strip = p.solid & (p.out < -0.04) & (p.v > p.brow + 0.07) & (p.v < p.brow + 0.22)
    strip &= own.log_density(seen) > -5
    if strip.sum() < 40:
        strip = features.bare_face(p)
    if strip.sum() < 40:
        return np.full(len(p.u), -6, np.float32)
    # A straight line across the forehead in each feature (light falls off from temple to temple), fitted robustly
    # (iteratively re-weighted least squares with Cauchy weights; Holland & Welsch 1977).
    across, x = p.u[strip].astype(np.float64), seen[strip].astype(np.float64)
    reached = np.clip(p.u, across.min(), across.max())
    d = np.empty_like(seen)
    for c in range(4):
        weight = np.ones(len(x))
        for _ in range(4):
            s0, s1, s2 = weight.sum() + 1e-3, (weight * across).sum(), (weight * across * across).sum() + 3.0
            t0, t1 = (weight * x[:, c]).sum(), (weight * across * x[:, c]).sum()
            slope = (s0 * t1 - s1 * t0) / (s0 * s2 - s1 * s1)
            level = (t0 - slope * s1) / s0
            weight = 1 / (1 + ((x[:, c] - level - slope * across) / (1.5 * FLOOR[c])) ** 2)
        d[:, c] = seen[:, c] - np.float32(level) - np.float32(slope) * reached
    # A shining scalp is brighter and paler than the forehead; a darker one may be stubbly.
    shine = np.maximum(d[:, TONE], 0)
    # It shines where it mirrors a lamp, and not all over: what is pale everywhere is white hair or a veil.
    crown = p.solid & (p.out > 0.04) & (p.out < 0.3) & (p.v > 0.85 * p.top)
    pale = float(((d[crown, RED] < PALER) & (shine[crown] > SHINES)).mean()) if crown.sum() > 20 else 0.0
    shine *= 1 - np.float32(zones.step(pale, *ALL_OVER)) * ramp(p.out, 0.0, 0.05)
    tone = d[:, TONE] / np.where(d[:, TONE] > 0, 0.8, 0.6)
    q = tone**2 + ((d[:, RED] + 0.4 * shine) / 0.2) ** 2 + ((d[:, BLUE] - 0.15 * shine) / 0.2) ** 2
    q += (np.maximum(d[:, GRAIN] - 0.3, 0) / 0.5) ** 2
    return np.asarray(0.8 - 0.5 * q, np.float32)
