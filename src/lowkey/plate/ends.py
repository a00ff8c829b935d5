"""Where hair leaves the photo: it must end somewhere, and it ends in strands, not in a cut."""

from __future__ import annotations

import numpy as np

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.zones import ramp

LAST_HW, FADE_HW = 0.04, 0.16
"""How far above the photo's lower edge the last of the hair ends, and over what length it thins out."""
LOCKS_HW, STRANDS_HW = 0.06, 0.05
"""How much longer the bright locks, and the bright strands in them, are than the dark gaps between."""


def foot(inside: F32) -> int | None:
    """The first row below the photo, of `inside` f32[h, w]; None where the photo reaches the plate's own foot, or is not there at all."""
    rows = np.flatnonzero(inside.max(1) > 0.5)
    return int(rows[-1]) + 1 if len(rows) and rows[-1] < len(inside) - 2 else None


def kept(hair: F32, colour: F32, matte: F32, inside: F32, hw_px: float) -> F32:
    """Share f32[h, w] of hair f32[h, w] that is kept where it runs out of the photo below; 1 everywhere else.

    colour f32[h, w, 3] scene-linear; inside f32[h, w] is 1 where the photo has pixels. The photo's own locks and strands say
    which are the longer.
    """
    share = np.ones_like(hair)
    end = foot(inside)
    if end is None:
        return share
    top = max(end - round((LAST_HW + FADE_HW + LOCKS_HW + STRANDS_HW) * hw_px), 0)
    last = slice(max(end - max(round(0.03 * hw_px), 2), 0), end)
    across = hair[last].sum(0) / np.maximum(matte[last].sum(0), 1e-3)
    runs_out = ramp(blur(across[None], 0.10 * hw_px)[0], 0.01, 0.12)
    if runs_out.max() <= 0:
        return share

    tone = np.log(np.maximum(luminance(colour[top:end]), np.float32(2e-3)))
    finest, fine, broad = (blur(tone, sigma * hw_px) for sigma in (0.004, 0.03, 0.12))
    strands, locks = np.clip((finest - fine) / 0.5, -1, 1), np.clip((fine - broad) / 0.5, -1, 1)
    left = (end - np.arange(top, end, dtype=np.float32))[:, None] / np.float32(hw_px)
    thin = ramp(np.asarray(left + STRANDS_HW * strands + LOCKS_HW * locks, np.float32), LAST_HW, LAST_HW + FADE_HW)
    share[top:end] = 1 - runs_out * (1 - thin)
    share[end:] = 1 - runs_out
    return share
