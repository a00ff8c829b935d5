"""Light under lips and enamel: it comes out several millimetres beside where it went in, so that no shadow has an edge on a mouth.

A row of teeth lets light through and lies in a wet hollow that throws it on: of a lamp from the side some reaches the far half.
"""

from __future__ import annotations

import numpy as np

from lowkey.darkroom.retouch import row
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32
from lowkey.plate.shading import among

TEETH_HW, LIPS_HW = 0.060, 0.017
"""How far light wanders, sigma, of 140 mm to a head-width: a window of less than several millimetres loses light of a tooth at its edges
(Bolt, Bosch & Coops 1994), and lips are skin without the horn that stops it."""
PASSED = (0.80, 0.60)
"""Share of the light on teeth and on lips that has wandered so."""


class Mouth:
    """Lips and teeth of a subject, and the light that spreads in them."""

    def __init__(self, s: Subject) -> None:
        self._box: tuple[slice, slice] | None = None
        if s.lips is None or s.teeth is None:
            return
        here = np.maximum(s.lips, s.teeth) > 0.05
        rows, columns = np.flatnonzero(here.any(1)), np.flatnonzero(here.any(0))
        if not len(rows):
            return
        m = round(2 * LIPS_HW * s.hw_px)
        self._box = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1, max(columns[0] - m, 0) : columns[-1] + m + 1]
        self._hw_px = s.hw_px
        self._teeth = row(s.teeth[self._box], s.lips[self._box], s.hw_px)
        self._lips = np.asarray(s.lips[self._box] * (1 - self._teeth), np.float32)
        self._skin = np.asarray((s.skin * s.matte)[self._box] * (1 - self._teeth), np.float32)

    def spread(self, diffuse: F32) -> None:
        """Spread irradiance f32[h, w] where it falls on lips and teeth, in place."""
        if self._box is None:
            return
        light = diffuse[self._box]
        teeth = among(light, self._teeth, TEETH_HW * self._hw_px)
        lips = among(light, self._skin, LIPS_HW * self._hw_px)
        light += np.float32(PASSED[0]) * self._teeth * (teeth - light) + np.float32(PASSED[1]) * self._lips * (lips - light)
