"""How a head of hair is cut: where it is, how much of it there is, and how long it is."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.darkroom.knit import Field
from lowkey.pixels import F32
from lowkey.plate.zones import ramp as step


def around(hair: F32, m: int = 8) -> tuple[slice, slice] | None:
    """Rows and columns round all of `hair` f32[h, w], `m` px wider; None where there is none to speak of."""
    h, w = hair.shape
    small = cv2.resize(hair, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA) > 0.02
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    if len(rows) < 3 or len(columns) < 3:
        return None
    return np.s_[max(8 * rows[0] - m, 0) : min(8 * rows[-1] + 8 + m, h), max(8 * columns[0] - m, 0) : min(8 * columns[-1] + 8 + m, w)]


FULL_HW2 = (0.25, 0.75)
"""Area of hair, squared head-widths, up to which it is cropped or thin, and from which it is full."""


def fullness(hair: F32, k: float) -> np.float32:
    """0 for cropped or thinning hair f32[h, w], 1 for a full head of it."""
    return np.float32(step(np.array([hair.sum() / k**2], np.float32), *FULL_HW2)[0])


COMBED, THIN_HW2 = (0.45, 0.62), (0.15, 0.25)
"""How much hair runs one way (`tresses.flow`) from which it is combed and so is long, however thin; crops run at .11 to .38, combed hair
at .4 to .75. The area under which there is none to tell."""


def length(hair: F32, k: float, runs: F32, where: Field) -> float:
    """0 for cropped hair f32[h, w], 1 for a full head of it and for what is thin and combed.

    `runs` f32[...] where `where` bool[...] is how much it runs one way, as `tresses.flow` gives it.
    """
    full = float(fullness(hair, k))
    if not where.any():
        return full
    asked = np.array([np.median(runs[where]), hair.sum() / k**2], np.float32)
    return max(full, float(step(asked, *COMBED)[0] * step(asked, *THIN_HW2)[1]))
