"""The hue of skin from place to place: a soft photo's blotches, which one warm lamp would print as patches of several skins."""

from __future__ import annotations

import math

import numpy as np

from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.shading import among, among_coarsely
from lowkey.plate.zones import ramp as step

FINE_HW, BROAD_HW = 0.006, 0.25
"""What is broader than a freckle, and what is as broad as a cheek, sigma: between them lie a hue's blotches."""
CALMED = 0.67
"""Share of their log red and blue over green that goes: a camera's noise, two lights and its own sharpening are in there beside blood. In
blind pairs .45 of it won 12 to 2 and 13 to 1, .75 won 12 to 2 against that, .95 lost 4 to 10; half as much hue again lost 0 to 14.
Skin keeps its own colour by CIEDE2000 of 4: at .75 the palest of twelve was at 4.00."""
ORANGE = 0.8
"""How much yellower (log green over blue), of what it is redder, a blotch is that is a lamp's and none of blood: that stays."""
MOST = 0.4
"""Farthest (log) that a blotch is told: what is more is no skin."""


def calmed(albedo: F32, plate: Plate) -> float:
    """Bring blotches of hue on bare skin nearer to the skin round them, in the albedo f32[h, w, 3], in place; its luminance stays.

    Gives the 95th percentile, in stops, of what that moves red or blue against green.
    """
    parts, k = plate.parts, plate.hw_px
    other = np.maximum.reduce([parts[name] for name in ("eyes", "brows", "lips", "teeth", "glasses", "hair")])
    skin = np.asarray(parts["skin"] * plate.inside * (1 - step(other, 0.1, 0.5)), np.float32)
    rows, columns = np.flatnonzero((skin > 0.5).any(1)), np.flatnonzero((skin > 0.5).any(0))
    if not len(rows):
        return 0.0
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tone, bare = albedo[box], np.ascontiguousarray(skin[box])
    grey = luminance(tone)
    log = np.log(tone + np.float32(4e-3))
    hue = np.ascontiguousarray(log[..., ::2] - log[..., 1:2])
    fine = among(hue, np.maximum(bare, np.float32(1e-4)), FINE_HW * k)
    broad = BROAD_HW * k
    blotch = np.clip(fine - among_coarsely(hue, bare, broad, max(int(broad / 8), 1)), -MOST, MOST)
    # Redder by as much as bluer is blood's, and a person's own; redder and yellower is a lamp's orange.
    red, blue = blotch[..., 0], blotch[..., 1]
    blood = step(red, 0.0, 0.05) * step(np.asarray(blue + np.float32(ORANGE) * red, np.float32), -0.02, 0.02)
    share = (np.float32(CALMED) * (1 - blood))[..., None]
    change = np.asarray(share * bare[..., None] * blotch, np.float32)
    tone[..., ::2] *= np.exp(-change)
    tone *= (grey / np.maximum(luminance(tone), np.float32(1e-5)))[..., None]
    sure = bare[::3, ::3] > 0.5
    return float(np.percentile(np.abs(change[::3, ::3][sure]).max(-1), 95)) / math.log(2) if sure.any() else 0.0
