"""Light under lips and enamel: it comes out several millimetres beside where it went in, so that no shadow has an edge on a mouth.

A row of teeth lets light through and lies in a wet hollow that throws it on: of a lamp from the side some reaches the far half. It is
round as well, which no mesh of a face tells: under a lamp at the cheek its near front is as bright as skin, its corners lie in shade.
"""

from __future__ import annotations

import numpy as np

from lowkey.darkroom.hollows import ditch
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, luminance
from lowkey.plate.shading import among
from lowkey.plate.zones import ramp as step

TEETH_HW, LIPS_HW = 0.090, 0.017
"""How far light wanders, sigma, of 140 mm to a head-width: a window of less than several millimetres loses light of a tooth at its edges
(Bolt, Bosch & Coops 1994), and lips are skin without the horn that stops it."""
PASSED = (1.0, 0.60)
"""Share of the light on teeth and on lips that has wandered so."""
ROUND_HW, ROUND_DEG, WRAPPED = 0.35, 62.0, 0.42
"""How far round the mouth skin tells how much light comes to it, how far the last teeth of a smile are turned aside, and how far round such
an arch light is carried by enamel and by the wet hollow behind it."""
ENTERED_HW, ENTERED = 0.060, 0.8
"""Over how broad a part of skin, sigma, light is told that enters beside each tooth, and the power with which it counts beside the arch's
own form: a row that stays light where lip and cheek above it lie in the nose's shadow is a row before a face."""
BROUGHT = 0.74
"""Most light on the front of a row, against the brightest tenth of the skin round it: with the mesh's own, flat and in the lip's full
shade, teeth printed at 76 codes beside a cheek of 202. Photographs in such a light have 150 to 165 there where the lamp stands further in
front; ours 130 to 168. A row without its joints glared at .66, a row with them does not."""
THROWN = 0.24
"""Share of the light on teeth that lips, gums and cheeks have thrown there, and coloured: enamel alone is a grey beside flesh."""
CORNERED, CORNER_HW = 0.12, 0.045
"""Share of its mirror image that skin keeps at the corners of a mouth, and how far round them, sigma: lips turn in there and lie on one
another, and what a mesh mirrors instead is a white smear."""
BESIDE_HW, EASED = 0.12, 0.75
"""How far round the corners of a mouth, sigma, a mesh's own ditch is made shallower, and by what share: it draws a smile's fold deep and
narrow, a black blot beside the lips where a cheek has a broad, shallow one. Path-traced heads have such meshes, and are lit as they are."""
COMMISSURE, LIPPED = (0.62, 1.08), (0.55, 0.036)
"""Half of an opening's breadth from which the corner of the mouth shades it, and where it does so wholly; light at the upper lip's edge,
and how far below it (hw) its shade ends: a lip stands out before its teeth by as much however wide a mouth is opened, and a share of the
opening left a speaker's upper row in it to its tips, as dim as the lower."""


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
        m = round(ROUND_HW * s.hw_px)
        self._round = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1 : 3, max(columns[0] - m, 0) : columns[-1] + m + 1 : 3]
        self._around = np.asarray((s.skin * s.matte)[self._round] > 0.9)
        m = round(2 * BESIDE_HW * s.hw_px)
        self._box = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1, max(columns[0] - m, 0) : columns[-1] + m + 1]
        self._hw_px = s.hw_px
        self._teeth = np.asarray(s.teeth[self._box] * (1 - step(s.lips[self._box], 0.6, 1.0)), np.float32)
        self._lips = np.asarray(s.lips[self._box] * (1 - self._teeth), np.float32)
        self._skin = np.asarray((s.skin * s.matte)[self._box] * (1 - self._teeth), np.float32)
        self._arch = _arch(self._teeth, s.hw_px)
        self._pictured = s.shine > 1.0
        self._beside = _corners(s.lips[self._box], BESIDE_HW * s.hw_px) * self._skin
        self._corners = _corners(s.lips[self._box], CORNER_HW * s.hw_px)
        flesh = np.maximum(np.median(s.albedo[self._round][self._around], axis=0) if self._around.any() else np.ones(3), 0.01)
        self._thrown = np.asarray((flesh / luminance(flesh)) ** THROWN, np.float32)

    def spread(self, diffuse: F32, towards: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> None:
        """Spread irradiance f32[h, w] of a lamp `towards` a unit vector where it falls on lips and teeth, in place."""
        if self._box is None:
            return
        light = diffuse[self._box]
        if self._pictured:
            light += np.float32(EASED) * self._beside * ditch(light, self._skin, self._hw_px)
        teeth = among(light, self._teeth, TEETH_HW * self._hw_px)
        lips = among(light, self._skin, LIPS_HW * self._hw_px)
        light += np.float32(PASSED[0]) * self._teeth * (teeth - light) + np.float32(PASSED[1]) * self._lips * (lips - light)
        around = diffuse[self._round][self._around]
        if self._arch is None or not len(around) or float(around.max()) <= 0:
            return
        # Where lips lie in the dark no light enters between them.
        brought = min(float(np.percentile(around, 90)), 2 * float(np.percentile(light[self._lips > 0.6], 90)) if self._lips.any() else 0.0)
        across, shade = self._arch
        entered = among(light, self._skin, ENTERED_HW * self._hw_px)
        entered = np.maximum(entered / max(float((entered * self._teeth).max()), 1e-6), 0) ** np.float32(ENTERED)
        turn = np.radians(np.float32(ROUND_DEG)) * across
        facing = np.sin(turn) * np.float32(towards[0]) + np.cos(turn) * np.float32(max(towards[2], 0.0))
        seen = np.maximum(facing + np.float32(WRAPPED), 0) * entered * shade * self._teeth
        most = np.float32(BROUGHT * brought)
        # The more a lamp stands in front, the truer is the mesh.
        cap = most + np.float32((1 - BROUGHT) * brought * max(towards[2], 0.0))
        light += self._teeth * (np.maximum(seen * (most / max(float(seen.max()), 1e-3)), np.minimum(light, cap)) - light)

    def dry(self, gloss: F32) -> None:
        """Take the mirror image f32[h, w] off the corners of the mouth, in place."""
        if self._box is not None:
            gloss[self._box] *= 1 - np.float32(1 - CORNERED) * self._corners

    def redden(self, light: F32) -> None:
        """Colour light f32[h, w, 3] on teeth by the lips, gums and cheeks that throw part of it on, in place."""
        if self._box is not None:
            light[self._box] *= 1 + self._teeth[..., None] * (self._thrown - 1)


def _corners(lips: F32, sigma: float) -> F32:
    """Round spots f32[h, w], 1 to 0, at both ends of `lips` f32[h, w]."""
    out = np.zeros(lips.shape, np.float32)
    columns = np.flatnonzero((lips > 0.5).any(0))
    if len(columns) < 4:
        return out
    ys, xs = np.mgrid[0 : lips.shape[0], 0 : lips.shape[1]].astype(np.float32)
    reach = max(round(0.04 * len(columns)), 1)
    for end, part in ((columns[0], columns[:reach]), (columns[-1], columns[-reach:])):
        middle = float(np.average(np.arange(len(lips)), weights=lips[:, part].sum(1) + 1e-6))
        # A little inward: that is where the lips' form is least true.
        inward = end + (0.6 if end == columns[0] else -0.6) * sigma
        away = ((xs - np.float32(inward)) ** 2 + (ys - np.float32(middle)) ** 2) / np.float32(2 * sigma * sigma)
        out = np.maximum(out, np.exp(-away * away))
    return np.asarray(out, np.float32)


def _arch(teeth: F32, hw_px: float) -> tuple[F32, F32] | None:
    """Of the row `teeth` f32[h, w]: where each place lies across it, -1 to 1, and the share of light that lips leave; None without one."""
    columns = np.flatnonzero((teeth > 0.5).any(0))
    open_ = np.flatnonzero((teeth > 0.5).any(1))
    if len(columns) < 4 or len(open_) < 2:
        return None
    middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0] + 1) / 2
    across = np.clip((np.arange(teeth.shape[1], dtype=np.float32) - np.float32(middle)) / np.float32(half), -1.2, 1.2)[None]
    # Below the edge of the upper lip, column by column.
    first = np.where((teeth > 0.5).any(0), np.argmax(teeth > 0.5, axis=0), 0).astype(np.float32)
    first = np.interp(np.arange(teeth.shape[1]), columns, first[columns]).astype(np.float32)
    below = np.asarray((np.arange(len(teeth), dtype=np.float32)[:, None] - first) / np.float32(hw_px), np.float32)
    shade = LIPPED[0] + (1 - LIPPED[0]) * step(below, 0.0, LIPPED[1])
    return across, np.asarray(shade * (1 - step(np.abs(across), *COMMISSURE)), np.float32)
