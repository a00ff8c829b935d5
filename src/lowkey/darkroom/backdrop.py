"""BACKDROP. Everything that stands or floats behind the person, and the little that floats before: lamp, haze, dust, wall.

It comes after the light (it is lit by the same lamp) and before the lens (which must see the lamp's real radiance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lowkey.darkroom import motes, smoke, wall
from lowkey.darkroom.beam import REDDENING, Beam, airlight, beam_of
from lowkey.pixels import F32
from lowkey.rig import Rig
from lowkey.seeds import Streams

AIR_ROWS = 192
"""Haze is smooth: it is computed on this many rows at any picture size, then enlarged."""
AIR_GAIN = 0.070
"""Scales the airlight so that the default haze next to the lamp comes out near the brightness of lit skin."""

SPILL_ASIDE_FH, SPILL_FH, SPILL_GAIN = 0.19, (0.20, 0.32), 0.0180
"""Where beside the head's middle the beam's end lies, how far it reaches across and down, and its radiance through the default haze."""

AUREOLE = ((0.05, 0.22), (0.10, 0.26), (0.20, 0.28), (0.40, 0.24))
"""Sigma, as a share of the halo's radius, and share of each Gaussian of the aureole: even shares per octave fall as 1/r^2, as single
scattering from a point does."""
AUREOLE_TINT = np.array((1.0, 0.81, 0.60))
"""The air reddens even so short a way."""

DUST_TINT = np.array((1.10, 0.97, 0.80))
"""House dust is brown: a halo of R/B 1.2 to 1.5 beside lit skin of 1.5 to 2.0 was a second, colder lamp."""

AIR_ROUGH = 0.45
"""How unevenly dust hangs in it (SD of the log of its density, about)."""


@dataclass(frozen=True)
class Room:
    """What `hang` adds, each f32[h, w, 3] scene-linear: `behind` is covered by the person, `before` is added over all."""

    behind: F32
    before: F32

    def at(self, level: float) -> Room:
        """Set against a person whose well-lit skin has the radiance `level`, all at once; as furnished it is against .5."""
        return Room(*(np.asarray(side * np.float32(level / 0.5), np.float32) for side in (self.behind, self.before)))


def hang(
    radiance: F32,
    matte: F32,
    rig: Rig,
    streams: Streams,
    *,
    level: float = 0.5,
    keep_clear: F32 | None = None,
    head_fw_fh: tuple[float, float] = (0.47, 0.405),
) -> F32:
    """Stand the person in the room: f32[h, w, 3] scene-linear, not clamped.

    `radiance` f32[h, w, 3] is the lit person, not multiplied by `matte` f32[h, w] (coverage 0..1). `level` is the radiance of
    well-lit skin: lamp, haze, dust and wall are set against it, as a gaffer dims a practical by eye. No mote floats before head
    or neck, nor before `keep_clear` f32[h, w]. `head_fw_fh` is where the beam is aimed.
    """
    return compose(radiance, matte, furnish(matte, rig, streams, keep_clear=keep_clear, head_fw_fh=head_fw_fh).at(level))


def compose(radiance: F32, matte: F32, room: Room) -> F32:
    """The person over what is behind, under what is before: f32[h, w, 3]."""
    out: F32 = radiance - room.behind
    out *= matte[:, :, None]
    out += room.behind
    out += room.before
    return out


def furnish(
    matte: F32,
    rig: Rig,
    streams: Streams,
    *,
    keep_clear: F32 | None = None,
    head_fw_fh: tuple[float, float] = (0.47, 0.405),
) -> Room:
    """The room without the person; arguments as for `hang`."""
    h, w = matte.shape
    beam = beam_of(rig, w / h, head_fw_fh)

    behind, before = haze(matte, rig, beam, streams)
    if rig.lamp.visible:
        behind += spill(rig, beam, (h, w), head_fw_fh)
    if rig.backdrop.kind in ("concrete", "velvet"):
        behind += wall.hung(rig, beam, (h, w), streams)
    if rig.backdrop.bokeh > 0:
        smoke.far_lights(rig, beam, behind, streams)
    if rig.backdrop.smoke > 0:
        drifting, shade = smoke.billow(rig, beam, (h, w), streams)
        behind = behind * shade[:, :, None] + drifting

    specks = motes.scatter(rig, beam, w / h, streams)
    front = specks.xyz[:, 2] > 0
    # One that touches the head's outline is an earring.
    contour = np.asarray(cv2.morphologyEx(matte, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.float32)
    motes.draw(specks, ~front & clear_of(specks, contour), behind, (0.5 * w / h, 0.5))
    # Dust may drift before the chest, never before the face, and not on what the caller keeps clear.
    forbidden = matte.copy()
    forbidden[min(int((head_fw_fh[1] + 0.30) * h), h) :] = 0
    if keep_clear is not None:
        np.maximum(forbidden, keep_clear, out=forbidden)
    motes.draw(specks, front & clear_of(specks, forbidden), before, (0.5 * w / h, 0.5))

    if rig.lamp.visible:
        light_lamp(rig, matte, behind)
    return Room(behind, before)


def haze(matte: F32, rig: Rig, beam: Beam, streams: Streams) -> tuple[F32, F32]:
    """The air's glow behind and before the person, f32[h, w, 3] each: bright round the lamp, in shafts where heads shade it."""
    h, w = matte.shape
    rows = min(AIR_ROWS, h)
    small = cv2.resize(matte, (max(round(w * rows / h), 2), rows), interpolation=cv2.INTER_AREA)
    lattice = streams.of("haze").standard_normal((11, 17, 19), np.float32)
    # Thinner air leaves redder light further; reddening is per path through the default haze.
    reddening = np.array(REDDENING) * math.sqrt(max(rig.backdrop.haze, 0.0))
    air = airlight(np.asarray(small, np.float32), beam.numbers, lattice, AIR_ROUGH, 18, reddening)
    air *= np.float32(AIR_GAIN * rig.backdrop.haze) * (np.array(beam.rgb) * DUST_TINT).astype(np.float32)
    behind, before = (np.asarray(cv2.resize(side, (w, h), interpolation=cv2.INTER_CUBIC), np.float32) for side in air)
    return np.maximum(behind, 0), np.maximum(before, 0)


def spill(rig: Rig, beam: Beam, shape: tuple[int, int], head_fw_fh: tuple[float, float]) -> F32:
    """What the beam leaves on the room beyond the head, f32[h, w, 3]: a breath of light behind the dark side, or hair is lost in it.

    The beam is aimed at the head, so it ends on the far side of it; out of focus and reddened by twice the way.
    """
    h, w = shape
    away = 1.0 if head_fw_fh[0] >= rig.lamp.place_fw_fh[0] else -1.0
    x, y = (head_fw_fh[0] * w / h + away * SPILL_ASIDE_FH), head_fw_fh[1] + 0.03
    ys, xs = (np.arange(h, dtype=np.float32) + 0.5)[:, None] / h, (np.arange(w, dtype=np.float32) + 0.5)[None] / h
    glow = np.exp(-(((xs - x) / SPILL_FH[0]) ** 2) - ((ys - y) / SPILL_FH[1]) ** 2)
    # Where the bank of haze ends, so does what lights the room's far side.
    glow *= math.exp(-((math.hypot(x - beam.x, y - beam.y) / beam.reach) ** 1.5))
    colour = np.array(beam.rgb) * np.exp(-0.8 * np.array(REDDENING))
    glow *= np.float32(SPILL_GAIN * min(rig.backdrop.haze, 1.0))
    return np.asarray(cv2.merge([np.asarray(glow * share, np.float32) for share in colour / colour.max()]), np.float32)


def light_lamp(rig: Rig, matte: F32, into: F32) -> None:
    """Add the lamp itself to `into` f32[h, w, 3]: a frosted front with a hot middle, where the person does not hide it."""
    h, w = matte.shape
    x, y = rig.lamp.place_fw_fh[0] * w - 0.5, rig.lamp.place_fw_fh[1] * h - 0.5
    radius = rig.lamp.radius_fh * h
    # The rim is softened over a third of the radius, and over a pixel at least.
    soft = max(0.33, 1.0 / radius)
    reach = math.ceil(radius * (1 + soft)) + 1
    rows = slice(min(max(int(y) - reach, 0), h), min(max(int(y) + reach + 2, 0), h))
    cols = slice(min(max(int(x) - reach, 0), w), min(max(int(x) + reach + 2, 0), w))
    col, row = np.arange(cols.start, cols.stop, dtype=np.float32)[None, :], np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    r = np.sqrt((col - x) ** 2 + (row - y) ** 2) / np.float32(radius)
    edge = np.clip((1 + 0.5 * soft - r) / soft, 0, 1)
    profile = edge * edge * (3 - 2 * edge) * (0.6 + 0.7 * np.exp(-2.2 * r * r))
    # So bright a thing would shine through a matte that is a hundredth short of solid: solid begins at .96 here.
    cover = matte[rows, cols]
    profile *= np.clip((0.96 - cover) / 0.96, 0, 1) / np.maximum(1 - cover, 0.04)
    into[rows, cols] += profile[:, :, None] * np.array(rig.lamp.radiance_rgb, np.float32)
    if rig.lamp.aureole > 0:
        _aureole(rig, x, y, into)


def _aureole(rig: Rig, x: float, y: float, into: F32) -> None:
    """Add what the haze right before the lamp scatters, round it at pixel (x, y): it hangs behind the head, whose outline cuts it.

    What a lens scatters lies over the head as well, and a lamp seen through glare alone stands in front of the hair.
    """
    h, w = into.shape[:2]
    light = np.array(rig.lamp.radiance_rgb) * AUREOLE_TINT * (rig.lamp.aureole * math.pi * rig.lamp.radius_fh**2)
    across, down = (np.arange(w, dtype=np.float32) - np.float32(x)) / h, (np.arange(h, dtype=np.float32) - np.float32(y)) / h
    for width, share in AUREOLE:
        sigma = width * rig.lens.halo_radius_fh
        near = [np.flatnonzero(np.abs(a) < 4 * sigma) for a in (down, across)]
        if not (near[0].size and near[1].size):
            continue
        rows, cols = (slice(int(n[0]), int(n[-1]) + 1) for n in near)
        tall, wide = (np.exp(-0.5 * np.square(a / np.float32(sigma))) for a in (down[rows], across[cols]))
        into[rows, cols] += (tall[:, None] * wide)[:, :, None] * (light * (share / (2 * math.pi * sigma**2))).astype(np.float32)


def clear_of(specks: motes.Specks, mask: F32) -> np.ndarray:
    """True bool[n] where a speck, its blur and its drift included, lies off `mask` f32[h, w]."""
    h = mask.shape[0]
    good = np.ones(len(specks.blur), bool)
    for n, (x, y, _) in enumerate(specks.xyz):
        # A drifting speck is a Gaussian: it ends three and a half of its deviations out, not at the end of its way.
        reach = 0.6 * specks.blur[n] + 1.0 * math.hypot(*specks.smear[n]) + 0.005
        rows = slice(max(int((y - reach) * h), 0), max(int((y + reach) * h) + 2, 0))
        cols = slice(max(int((x - reach) * h), 0), max(int((x + reach) * h) + 2, 0))
        patch = mask[rows, cols]
        good[n] = patch.size == 0 or float(patch.max()) < 0.1
    return good
