"""draft"""
from __future__ import annotations
from dataclasses import dataclass
import cv2
import numpy as np
from lowkey.pixels import F32
from lowkey.plate import features, mixtures, walk, hands as hand_reader, zones
from lowkey.plate.features import BLUE, FLOOR, GRAIN, RED, TONE, Proof
from lowkey.plate.mixtures import Mixture
from lowkey.plate.zones import Habit, ramp, middle

OUTLIER = np.array([-7.0, -6.0, -5.0], np.float32)
"""Log density of "any colour at all" under skin, hair and cloth: cloth can be anything, skin cannot."""
TEMPER = 0.6


def log_seen(m, p, x=None):
    x = p.features if x is None else x
    if m is None:
        return np.full(p.u.shape, -12.0, np.float32)
    return m.log_density(x.reshape(-1, x.shape[2])).reshape(x.shape[:2])

def sigmoid(x): return (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)

def face_skin(p: Proof):
    f = p.features
    seen = (p.matte > 0.9) & (p.inside > 0.5)
    bare = (features.bare_face(p) > 0) & seen
    core = f[(features.middle_face(p) > 0) & bare]
    if len(core) < 50: core = f[bare]
    med = np.median(core, 0); mad = 1.4826 * np.median(np.abs(core - med), 0) + 1.5 * FLOOR
    x = f[bare]; x = x[(np.abs(x - med) / mad)[:, :3].max(1) < 3]
    smooth = float(np.median(x[:, GRAIN]))
    x[:, GRAIN] = np.maximum(x[:, GRAIN], smooth)
    m = mixtures.fit(x, np.ones(len(x), np.float32), 3, FLOOR)
    return m, smooth

def skinlike(p, smooth):
    x = p.features.copy(); x[..., GRAIN] = np.maximum(x[..., GRAIN], smooth)
    return x

SHADE = (np.array([-.7, .05, 0, .1]), np.array([.45, .10, .10, .35]))
DEEP = (np.array([-1.5, .3, -.25, .3]), np.array([.9, .28, .28, .6]))
SHINE = (np.array([.5, -.25, .15, 0.0]), np.array([.35, .18, .15, .3]))
GLOSS = (np.array([1.0, -.5, .2, 0.2]), np.array([.4, .2, .2, .4]))
BLUSH = (np.array([-.4, .35, -.2, 1.0]), np.array([.8, .28, .28, 1.0]))

def lit_otherwise(m, copies):
    out = m
    parts_ = [(m.weights * (1 - sum(c[1] for c in copies)), m.means, m.covariances)]
    for (shift, spread), share in copies:
        parts_.append((m.weights * share, m.means + shift, m.covariances + np.diag(spread ** 2)))
    return Mixture(*[np.concatenate([q[i] for q in parts_]) for i in range(3)])

def solid_(p): return (p.matte > .85) & (p.inside > .5)

def scalp_skin(p, skin0, smooth):
    """log density of bare scalp, measured against the forehead right below it"""
    brow = (p.at(105)[1] + p.at(334)[1]) / 2
    f = skinlike(p, smooth)
    strip = (p.v > brow + .07) & (p.v < brow + .22) & (p.out < -.04) & (p.matte > .9) & (p.inside > .5)
    like = log_seen(skin0, p, f) > -5
    x = f[strip & like]
    if len(x) < 40: x = f[(features.bare_face(p) > 0)]; us = p.u[features.bare_face(p) > 0]
    else: us = p.u[strip & like]
    if len(x) == 0: return np.full(p.u.shape, -6, np.float32)
    # a straight line across the forehead: light falls off from one temple to the other
    w = np.ones(len(x)); A = np.stack([np.ones(len(x)), us], 1)
    ref = []
    for c in range(4):
        y = x[:, c].astype(np.float64); k = w.copy()
        for _ in range(4):
            M = np.einsum('n,ni,nj->ij', k, A, A) + np.diag([1e-3, 3.0]); r = np.einsum('n,ni,n->i', k, A, y)
            co = np.linalg.solve(M, r); e = np.abs(y - A[:, 0] * co[0] - A[:, 1] * co[1]); k = 1 / (1 + (e / (1.5 * FLOOR[c])) ** 2)
        ref.append(co)
    uu = np.clip(p.u, us.min(), us.max())
    d = np.stack([f[..., c] - (ref[c][0] + ref[c][1] * uu) for c in range(4)], 2)
    up = np.maximum(d[..., TONE], 0)
    q = (d[..., TONE] / np.where(d[..., TONE] > 0, .8, .6)) ** 2 + ((d[..., RED] + .4 * up) / .2) ** 2 + ((d[..., BLUE] - .15 * up) / .2) ** 2 + (np.maximum(d[..., GRAIN] - .3, 0) / .5) ** 2
    return (.8 - .5 * q).astype(np.float32)

@dataclass
class Models:
    tight: Mixture
    wide: Mixture
    scalp: F32
    x: F32
    hair: Mixture | None = None
    beard: Mixture | None = None
    cloth: Mixture | None = None

    def skin(self, p):
        top = p.reach
        ear = zones.ears(p)
        k = np.minimum(ramp(p.v, -.05, .25), 1 - ear)
        t, w = log_seen(self.tight, p, self.x), log_seen(self.wide, p, self.x)
        s = self.scalp
        up = ramp(p.out, -.03, .03) * ramp(p.v, .68 * top, .82 * top)
        return up * np.maximum(s, -12) + (1 - up) * (k * np.maximum(t, -12) + (1 - k) * np.maximum(w, -12))

    def logs(self, p):
        nose = p.at(2)[1]
        hair = log_seen(self.hair, p)
        if self.beard is not None:
            k = (p.v < nose) & (p.out < .12) & (p.v > -.35)
            hair = np.where(k, np.logaddexp(hair, log_seen(self.beard, p)), hair)
        return np.logaddexp(np.stack([self.skin(p), hair, log_seen(self.cloth, p)], 2), OUTLIER)

def posterior(logs, pri):
    e = TEMPER * logs + pri
    e = e - e.max(2, keepdims=True)
    q = np.exp(e); q /= q.sum(2, keepdims=True)
    return q.astype(np.float32)

def solve(p, q, start=None, trust=.05):
    live = ((p.matte > .03) & (p.inside > .5)).astype(np.float32)
    f = p.features
    g = np.stack([f[..., TONE] / .22, f[..., RED] / .09, f[..., BLUE] / .09], 2)
    core = ramp(-p.out, .05, .12)
    t = trust * (1 + 2 * core) * p.matte
    return walk.walk(g, q, t.astype(np.float32), live, start)

def learn(p, w, k, least=.02, x=None):
    """mixture from the pixels that count (weights)"""
    x = (p.features if x is None else x)[::2, ::2].reshape(-1, 4); w = np.ascontiguousarray(w[::2, ::2].ravel(), np.float32)
    ok = w > .1
    if w[ok].sum() * 4 < least * p.px ** 2: return None
    return mixtures.fit(x[ok], w[ok], k, FLOOR)

def wrapped(p, prob, m, face_grain):
    """which Gaussians of what covers the head are a wrap, hat or hood: weights, mixture, score"""
    solid = solid_(p)
    head = solid & (prob[..., 1] > .5) & (p.v > .05) & (p.out > 0)
    if head.sum() < .03 * p.px ** 2: return None
    x = p.features[head]
    mx = mixtures.fit(x, np.ones(len(x), np.float32), 4, FLOOR)
    under = solid & (np.abs(p.u - middle(p)) < .3) & (p.v < -.03) & (p.v > -.3)
    like = np.maximum(mx.log_density(p.features[under]), -20) if under.sum() > 30 else np.full(1, -20.)
    lc = np.maximum(log_seen(m.cloth, p)[under], -7) if under.sum() > 30 else np.full(1, -7.)
    bare = 1 - float((sigmoid(2 * (like + 5)) * sigmoid(like - lc + 2) * (1 - prob[under][:, 0])).mean()) if under.sum() > 30 else .7
    top = float(np.percentile(p.v[head], 98)) - p.reach
    brow_zone = sum(features.filled(p.points, ring, p.u.shape) for ring in features.BROWS) > .5
    bl = p.features[brow_zone][:, TONE]; brow = float(np.percentile(bl, 30)) if len(bl) > 10 else -3.0
    L, r, b, t = mx.means.T
    t = t - face_grain
    odd = np.clip(r + b - .5, 0, 1) * 6 + np.clip(r - 1.5, 0, 1) * 8 + np.clip(b - 1.3, 0, 1) * 4
    odd = odd * ramp(L, -3.2, -2.4)
    plain = (1 - ramp(t, .3, 1.2)) * 3 * ramp(L, -1.6, -.8)
    closed = 2.5 * (1 - ramp(np.float32(bare), .3, .6)) - 1.5 * ramp(np.float32(bare), .55, .8)
    smooth = float((mx.weights * (1 - ramp(t, .4, 1.0))).sum())
    closed = closed + 1.5 * smooth * (1 - ramp(np.float32(bare), .2, .4))
    tall = 1.5 * ramp(np.float32(top), .64, .75)
    light = 2.0 * ramp(L - brow, 2.8, 4.0) * ramp(L, -1.5, -.5)
    plain = np.maximum(plain, 0) + light
    score = odd + plain + closed + tall
    return mx, score, dict(brow=round(brow,1), light=np.round(light,1), bare=round(bare, 2), top=round(top, 2), smooth=round(smooth, 2), s=np.round(score, 1), w=np.round(mx.weights, 2))

def parse(p: Proof, hands):
    f = p.features
    skin0, smooth = face_skin(p)
    wide0 = lit_otherwise(skin0, [(SHADE, .1), (DEEP, .25), (SHINE, .08), (BLUSH, .1)])
    m = Models(lit_otherwise(skin0, [(SHADE, .15), (SHINE, .08), (GLOSS, .03)]), wide0, scalp_skin(p, skin0, smooth), skinlike(p, smooth))
    solid = solid_(p)
    mid = middle(p)
    info = {}
    no_hand = hands < .5
    logs = m.logs(p)
    unlike = sigmoid(-5.0 - m.skin(p))
    # cover
    ring = solid & no_hand & (p.out > .03) & (p.out < .6) & (p.v > .35 * p.reach)
    crown = solid & no_hand & (p.out > .04) & (p.out < .3) & (p.v > .85 * p.reach)
    share = float(unlike[crown].mean()) if crown.sum() > 20 else 1.0
    bald = float(1 - ramp(np.float32(share), .05, .14))
    wr = np.where(ring, unlike, 0).astype(np.float32)
    m.hair = learn(p, wr * (wr > .4), 4)
    info['crown'] = round(share, 2)
    # beard
    nose = p.at(2)[1]
    lips = cv2.dilate(features.filled(p.points, LIPS, p.u.shape), np.ones((7, 7), np.uint8)) > 0
    jaw = solid & no_hand & (p.out < .06) & (p.v < nose - .04) & (p.v > -.12) & ~lips
    tight = sigmoid(-5.0 - log_seen(m.tight, p, m.x))
    med = np.median(f[features.bare_face(p) > 0][:, GRAIN]) if features.bare_face(p).sum() > 20 else -4
    wb = np.where(jaw, tight * ramp(f[..., GRAIN], med + .2, med + 1.0), 0)
    bs = float(wb[jaw].mean()) if jaw.sum() else 0
    habit_beard = float(ramp(np.float32(bs), .10, .30)); info['beard'] = round(bs, 2)
    if habit_beard > .05: m.beard = learn(p, wb * (wb > .4), 2)
    # sides
    logs = m.logs(p)
    sides = []
    like = sigmoid(logs[..., 1] - np.maximum(logs[..., 0], -5.5))
    for sg in (-1, 1):
        full = []
        for lo in np.arange(.02, .48 * p.reach, .04):
            row = solid & no_hand & (p.v > lo) & (p.v < lo + .04) & (p.out > .02) & (p.out < .6) & (sg * (p.u - mid) > .2)
            full.append(float(like[row].sum()) / p.px / (.04 * p.px) > .05)
        sides.append(float(ramp(np.float32(np.mean(full)), .55, .85)))
    habit = Habit(bald, sides[0], sides[1], habit_beard)
    info['sides'] = [round(s, 2) for s in sides]
    # cloth
    low = solid & no_hand & (p.v < -.3)
    gate = np.where(p.u < mid, *sides)
    hairy = sigmoid(2 * (np.maximum(logs[..., 1], -12) + 5.5)) * gate * ramp(p.v, -2.0, -1.2)
    wc = np.where(low, unlike * (1 - .97 * hairy), 0).astype(np.float32)
    m.cloth = learn(p, wc * (wc > .4), 5)
    if m.cloth is None: m.cloth = learn(p, np.where(low, unlike, 0) , 5)
    info['cloth'] = round(float((wc > .4).sum() / max(low.sum(), 1)), 2)
    pri = zones.log_priors(p, habit, hands)
    prob = None
    for i in range(3):
        q = posterior(m.logs(p), pri)
        prob = solve(p, q, prob)
        if i == 2: break
        if i == 0 and m.hair is not None:
            wr_ = wrapped(p, prob, m, smooth)
            if wr_ is not None:
                info['wrap'] = wr_[2]
                mx, score, _ = wr_
                final = .5 * score + .5 * float((score * mx.weights).sum())
                is_wrap = final > 1.2
                amount = float(mx.weights[is_wrap].sum())
                if amount > .08:
                    wrap_mix = mx.only(is_wrap)
                    head = solid & (prob[..., 1] > .5) & (p.v > .05) & (p.out > 0)
                    sh = mx.shares(p.features[head])[:, is_wrap].sum(1)
                    moved = prob.copy(); moved[head, 2] += prob[head, 1] * sh; moved[head, 1] *= 1 - sh
                    if amount > .85: moved[..., 2] += moved[..., 1] * (p.v < .3); moved[..., 1] *= p.v >= .3
                    prob = moved
                    habit = Habit(habit.bald, habit.long_left * (1 - ramp(np.float32(amount), .7, .9)), habit.long_right * (1 - ramp(np.float32(amount), .7, .9)), habit.beard, amount)
                    pri = zones.log_priors(p, habit, hands)
                    if amount > .9: m.hair = None
        sure = np.where((prob > .75) & solid[..., None], prob, 0)
        if m.hair is not None: m.hair = learn(p, sure[..., 1] * (p.out > 0), 4)
        like = log_seen(wide0, p, m.x)
        m.cloth = learn(p, sure[..., 2] * np.maximum(sigmoid(-4.0 - like), prob[..., 2] > .93), 6)
        s = learn(p, sure[..., 0] * (p.v < .1) * sigmoid(2 * (like + 4.0)), 3, x=m.x)
        if s is not None: m.wide = blend(wide0, s, .5)
    return prob, q, info

def blend(a, b, share):
    return Mixture(np.concatenate([a.weights * (1 - share), b.weights * share]), np.concatenate([a.means, b.means]), np.concatenate([a.covariances, b.covariances]))

LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)


def part(colour, matte, landmarks, hw_px, inside):
    p = features.proof(colour, matte, landmarks, hw_px, inside)
    seen = hand_reader.read(colour, hw_px)
    s = p.u.shape[1] / matte.shape[1]
    prob, _, _ = parse(p, hand_reader.zone([h * np.float32(s) for h in seen], p.u.shape))
    big = cv2.resize(prob, (matte.shape[1], matte.shape[0]), interpolation=cv2.INTER_LINEAR) * matte[..., None]
    nil = np.zeros_like(matte)
    out = dict.fromkeys(("hands", "eyes", "brows", "lips", "teeth", "glasses"), nil)
    out.update(skin=big[..., 0], hair=big[..., 1], cloth=big[..., 2], background=1 - matte)
    return {k: np.ascontiguousarray(v, np.float32) for k, v in out.items()}, 0.5
