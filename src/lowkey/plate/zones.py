"""Where skin, hair and cloth may lie on a person: what anatomy says before any colour is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lowkey.pixels import F32
from lowkey.plate.features import Proof


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


def ramp(x: F32, low: float, high: float) -> F32:
    """0 below low, 1 above high, a smooth step between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def middle(p: Proof) -> float:
    """u of the point between the ears: the neck hangs from there, not from the chin, when the head is turned."""
    return (p.at(234)[0] + p.at(454)[0]) / 2


def ears(p: Proof) -> F32:
    """1 where an ear shows when no hair covers it: beside the oval, further out on the side that a turned head shows more of."""
    turn = (p.at(4)[0] - middle(p)) / 0.5
    wide = 0.14 + 0.22 * np.clip(np.where(p.u < middle(p), turn, -turn), 0, 1)
    beside = (1 - ramp(p.out - wide, -0.04, 0.05)) * ramp(p.out, -0.03, 0.02)
    return np.asarray(beside * ramp(p.v, 0.12 * p.reach, 0.26 * p.reach) * (1 - ramp(p.v, 0.66 * p.reach, 0.80 * p.reach)), np.float32)


def log_priors(p: Proof, habit: Habit, hands: F32) -> F32:
    """f32[h, w, 3]: log odds of skin, hair and cloth (up to a constant a pixel), in nats."""
    u, v, out, top = p.u, p.v, p.out, p.reach
    from_middle = np.abs(u - middle(p))
    deep, below = -out, -v
    nought = np.zeros_like(u)
    nose = p.at(2)[1]
    brow = (p.at(105)[1] + p.at(334)[1]) / 2

    # Inside the oval: skin, but a fringe may hang over the forehead and a beard may cover the jaw.
    high = ramp(v, brow, brow + 0.15)
    low = 1 - ramp(v, nose - 0.03, nose + 0.10)
    rim = 1 - ramp(deep, 0.0, 0.10)
    fringe = -3.5 + 2.0 * (1 - ramp(deep, 0.02, 0.25))
    cheek = -5.0 + 1.5 * rim
    hair_in = high * fringe + (1 - high) * np.maximum(cheek, low * (-4.5 + 3.5 * habit.beard) + (1 - low) * -9)
    hair_in = hair_in - 2.5 * habit.bald * high
    cloth_in = -7 + 3 * (1 - ramp(deep, 0, 0.08))

    # Outside, above the chin: ears, then hair; cloth only where shoulders rise.
    ear = ears(p)
    crown = ramp(v, 0.55 * top, 0.85 * top)
    skin_up = np.maximum(-1.5 - 2.5 * ramp(out, 0.0, 0.3), 0.3 - 4.3 * (1 - ear))
    skin_up = skin_up * (1 - habit.bald * (1 - ramp(out, 0.5, 0.7)))
    hair_up = -0.3 * ear - habit.bald * (1.5 + 1.5 * crown + 2.0 * ear)
    hat = float(ramp(np.float32(habit.wrapped), 0.05, 0.3))
    hair_up = hair_up - 2.5 * float(ramp(np.float32(habit.wrapped), 0.75, 0.95))
    cloth_up = np.maximum(-3.5 + 3.2 * (1 - ramp(v, 0.0, 0.35)) * ramp(from_middle, 0.5, 0.75), -3.5 + 3.5 * hat)
    cloth_in = cloth_in + 2.0 * hat * (1 - ramp(deep, 0.0, 0.2))

    # Below the chin: the neck's column, then cloth; hair only where it was seen to hang past the jaw.
    neck = 1 - ramp(from_middle, 0.40, 0.58)
    skin_down = -(neck * (0.8 * ramp(below, 0.4, 0.9) + 1.2 * ramp(below, 0.9, 1.6)) + (1 - neck) * (0.9 + 1.1 * ramp(below, 0.3, 1.5)))
    cloth_down = neck * (-2.0 + 2.0 * ramp(below, 0, 0.35) + 0.3 * ramp(below, 0.5, 1.2)) + (1 - neck) * (-0.5 + 0.8 * ramp(below, 0, 0.4))
    gate = np.where(u < middle(p), habit.long_left, habit.long_right).astype(np.float32)
    hair_down = -4.5 + gate * (2.4 + 2.7 * ramp(from_middle, 0.22, 0.4)) - 2.0 * ramp(below, 0.9, 2.2)
    hair_down = np.maximum(hair_down, -4.5 + 3.5 * habit.beard * neck * (1 - ramp(below, 0.05, 0.3)))

    # Behind and under the jaw the neck rises to the ear.
    nape = (1 - ramp(from_middle, 0.42, 0.6)) * (1 - ramp(v, 0.25, 0.4))
    skin_up = np.maximum(skin_up, -0.5 - 4 * (1 - nape))
    fade = ramp(v, -0.06, 0.12)
    edge = ramp(out, -0.02, 0.04)

    def join(within: F32, up: F32, down: F32) -> F32:
        return (1 - edge) * within + edge * (fade * up + (1 - fade) * down)

    skin, hair, cloth = join(nought, skin_up, skin_down), join(hair_in, hair_up, hair_down), join(cloth_in, cloth_up, cloth_down)
    # A hand is skin wherever it is held.
    return np.stack([skin + 2.5 * hands, hair - 2.0 * hands, cloth - 0.5 * hands], 2).astype(np.float32)
