"""Where light ends on knit and weave: its ribs stand in each other's shade before the form under them turns from the lamp."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze
from lowkey.plate.zones import ramp as step
from lowkey.rig import Direction

RELIEF_HW, FORM_HW = 0.013, 0.035
"""Over how much cloth its relief is averaged, sigma (a rib and both its neighbours), and over how much the form is taken that ends the
light: wider than one fold of a collar, or each fold is a lit claw in its shade."""
ROOM = 1.5
"""Cosine to the form, per sine of the relief's own tilt, from which ribs no longer stand in each other's way."""
ROUND = 0.10
"""Sine by which light gets further round wool than round what is smooth: fibre that stands off the far side of a rib still sees the lamp,
and ribs die away over a thumb's breadth instead of ending in a cut."""
FUZZY_HW, FUZZY = 0.042, (0.10, 0.24)
"""How far a shadow's edge is spread on wool, sigma, and the sine of tilt from and by which cloth is wool: light runs on in its fuzz and
between its yarns, and no shadow on a jersey ends like one on paper."""


class Ribbed:
    """The form under a subject's cloth and how far its relief tilts from it, at half size."""

    def __init__(self, s: Subject) -> None:
        """A normal averaged over relief is shorter the further the relief tilts (Toksvig 2005)."""
        rows = np.flatnonzero(s.cloth.max(1) > 0.5)
        self._any = bool(len(rows))
        if not self._any:
            return
        # No cloth above: a head is not worked out.
        self._rows = np.s_[max(int(rows[0]) - round(0.1 * s.hw_px), 0) :]
        cloth = s.cloth[self._rows]
        self._size = cloth.shape[1], cloth.shape[0]
        sigma = RELIEF_HW * s.hw_px / 2
        small = (max(self._size[0] // 2, 2), max(self._size[1] // 2, 2))
        whole, normal = (cv2.resize(v, small, interpolation=cv2.INTER_AREA) for v in (cloth * s.matte[self._rows], s.normal[self._rows]))
        total, mass = blur(normal * whole[..., None], sigma), blur(whole, sigma)
        mean = np.asarray(total / np.maximum(mass, np.float32(1e-3))[..., None], np.float32)
        length = np.clip(np.linalg.norm(mean, axis=-1), 1e-3, 1)
        broad = blur(mean * mass[..., None], FORM_HW * s.hw_px / 2)
        self._form = freeze(np.asarray(broad / np.maximum(np.linalg.norm(broad, axis=-1, keepdims=True), np.float32(1e-6)), np.float32))
        self._tilt = freeze(np.asarray(np.sqrt(1 - length * length), np.float32))
        self._wool = freeze(step(blur(self._tilt * np.minimum(mass, 1), 2 * sigma), *FUZZY) * np.minimum(mass, 1))
        self._near = FUZZY_HW * s.hw_px / 2
        self._mass = freeze(np.maximum(blur(self._wool, self._near), np.float32(1e-3)))
        self._cloth = freeze(np.asarray(np.clip(mass, 0, 1), np.float32))

    def shaded(self, seen: F32, direction: Direction, sin_r: float) -> F32:
        """A lamp's share `seen` f32[h, w], less what neighbouring ribs hide of it; `sin_r` is the sine of the lamp's angular radius.

        Lit alone by their own facing, the flanks of ribs shine on past the form's terminator, a comb with black gaps. Where a surface
        ends its light, the relief on it ends its own (Chiang, Li & Burley 2019, "Taming the Shadow Terminator").
        """
        if not self._any:
            return seen
        lit = seen[self._rows]
        mu = self._form @ np.array(direction.vector, np.float32)
        round_ = np.float32(sin_r) + np.float32(ROUND) * self._wool
        free = step((mu + round_) / (round_ + np.float32(ROOM) * self._tilt), 0, 1)
        small = cv2.resize(lit, (mu.shape[1], mu.shape[0]), interpolation=cv2.INTER_AREA)
        soft = blur(small * self._wool, self._near) / self._mass
        # Crisp where the surface is smooth, soft where it is wool; ended by its form in both.
        crisp = (1 - self._cloth * (1 - free)) * (1 - self._wool)
        whole = [cv2.resize(v, self._size, interpolation=cv2.INTER_LINEAR) for v in (crisp, self._wool * free * soft)]
        out = seen.copy()
        out[self._rows] = lit * whole[0] + whole[1]
        return out
