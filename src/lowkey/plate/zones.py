"""Where skin, hair and cloth may lie on a person: what anatomy says before any colour is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from lowkey.pixels import F32
from lowkey.plate.features import RED, Proof

BLOOD = (-0.35, -0.05)
"""Log2 red over green, above the face's own, under which nothing is an ear, and from which it may be."""


@dataclass(frozen=True)
class Habit:
    """What kind of head this is, as far as it was found out; each 0..1."""

    bald: float = 0.0
    long_left: float = 0.0
    """Hair runs past the jaw on the viewer's left."""
    long_right: float = 0.0
    beard: float = 0.0
    wrapped: float = 0.0
    """How much of what covers the head is cloth: a hat's share, or all of a hijab."""


def ramp(x: NDArray[Any], low: float, high: float) -> F32:
    """0 below low, 1 above high, a smooth step between; of any shape."""
    flat = np.ascontiguousarray(x, np.float32)
    out = np.empty(flat.shape, np.float32)
    _ramp(flat.reshape(-1), low, high, out.reshape(-1))
    return out


@njit(cache=True, parallel=True)  # type: ignore[misc]
def _ramp(x: Any, low: float, high: float, out: Any) -> None:
    for i in prange(x.size):
        t = min(max((x[i] - low) / (high - low), 0.0), 1.0)
        out[i] = t * t * (3 - 2 * t)


def step(x: float, low: float, high: float) -> float:
    """`ramp` of one number."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def sigmoid(x: F32) -> F32:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float32)


def ears(p: Proof) -> F32:
    """f32[n]: 1 where an ear shows when no hair covers it: beside the oval, further out on the side that a turned head shows more of.

    Blood shows through an ear: what is far less red than the face is strands over it, and their place says nothing.
    """
    turn = (p.at(4)[0] - p.middle) / 0.5
    wide = 0.14 + 0.22 * np.clip(np.where(p.u < p.middle, turn, -turn), 0, 1)
    beside = (1 - ramp(np.asarray(p.out - wide, np.float32), -0.04, 0.05)) * ramp(p.out, -0.03, 0.02)
    level = ramp(p.v, 0.12 * p.top, 0.26 * p.top) * (1 - ramp(p.v, 0.78 * p.top, 0.90 * p.top))
    return np.asarray(beside * level * ramp(p.features[:, RED], *BLOOD), np.float32)


def log_priors(p: Proof, habit: Habit) -> F32:
    """f32[n, 3]: log odds of skin, hair and cloth (up to a constant a pixel), in nats."""
    v, out, top = p.v, p.out, p.top
    from_middle = np.abs(p.u - np.float32(p.middle))
    deep, below = -out, -v
    hat = step(habit.wrapped, 0.05, 0.3)

    # Inside the oval: skin, but a fringe may hang over the forehead, a beard may cover the jaw, a wrap's edge the rim.
    high = ramp(v, p.brow, p.brow + 0.15)
    low = 1 - ramp(v, p.nose - 0.03, p.nose + 0.10)
    fringe = -3.5 + 2.0 * (1 - ramp(deep, 0.02, 0.25))
    cheek = -5.0 + 1.5 * (1 - ramp(deep, 0.0, 0.10))
    beard = low * (-4.5 + 3.5 * habit.beard) - (1 - low) * 9
    hair_in = high * fringe + (1 - high) * np.maximum(cheek, beard) - 2.5 * habit.bald * high
    cloth_in = -7 + 3 * (1 - ramp(deep, 0, 0.08)) + 2.0 * hat * (1 - ramp(deep, 0.0, 0.2))

    # Outside, above the chin: ears, the neck rising behind the jaw, then hair; cloth only where shoulders rise or a hat sits.
    ear = ears(p)
    nape = (1 - ramp(from_middle, 0.42, 0.6)) * (1 - ramp(v, 0.25, 0.4))
    skin_up = np.maximum(-1.5 - 2.5 * ramp(out, 0.0, 0.3), 0.3 - 4.3 * (1 - ear)) * (1 - habit.bald * (1 - ramp(out, 0.5, 0.7)))
    skin_up = np.maximum(skin_up, -0.5 - 4 * (1 - nape))
    gate = np.where(p.u < p.middle, habit.long_left, habit.long_right).astype(np.float32)
    nearby = ramp(v, 0.12 * top, 0.38 * top) + 0.5 * (1 - ramp(v, 0.12 * top, 0.38 * top)) * (1 - ramp(out, 0.02, 0.12))
    hair_up = (
        -3.5 * (1 - gate) * (1 - nearby)
        - 0.3 * ear
        - habit.bald * (1.5 + 1.5 * ramp(v, 0.55 * top, 0.85 * top) + 2.0 * ear)
        - 2.5 * step(habit.wrapped, 0.75, 0.95)
    )
    cloth_up = np.maximum(-3.5 + 3.2 * (1 - ramp(v, 0.0, 0.35)) * ramp(from_middle, 0.5, 0.75), -3.5 + 3.5 * hat)

    # Below the chin: the neck's column, then cloth; hair only where it was seen to hang past the jaw, or as a beard.
    neck = 1 - ramp(from_middle, 0.40, 0.58)
    skin_down = -neck * (0.8 * ramp(below, 0.4, 0.9) + 1.2 * ramp(below, 0.9, 1.6)) - (1 - neck) * (0.9 + 1.1 * ramp(below, 0.3, 1.5))
    cloth_down = neck * (-2.0 + 2.0 * ramp(below, 0, 0.35) + 0.3 * ramp(below, 0.5, 1.2)) + (1 - neck) * (-0.5 + 0.8 * ramp(below, 0, 0.4))
    hair_down = -4.5 + gate * (2.4 + 2.7 * ramp(from_middle, 0.22, 0.4)) - 2.0 * ramp(below, 0.9, 2.2)
    hair_down = np.maximum(hair_down, -4.5 + 3.5 * habit.beard * neck * (1 - ramp(below, 0.05, 0.3)))

    fade = ramp(v, -0.06, 0.12)
    edge = ramp(out, -0.02, 0.04)

    def join(within: Any, up: Any, down: Any) -> F32:
        return np.asarray((1 - edge) * within + edge * (fade * up + (1 - fade) * down), np.float32)

    skin, hair, cloth = join(0.0, skin_up, skin_down), join(hair_in, hair_up, hair_down), join(cloth_in, cloth_up, cloth_down)
    # A hand is skin wherever it is held.
    return np.stack([skin + 2.5 * p.hands, hair - 2.0 * p.hands, cloth - 0.5 * p.hands], 1).astype(np.float32)
