"""Aim a key whose azimuth is left open: so that it lights as much of this face as was asked."""

from __future__ import annotations

import math

import numpy as np

from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32
from lowkey.rig import Auto, Direction


def aim(subject: Subject, auto: Auto, face_mask: F32, cheeks: tuple[F32, F32] | None = None) -> Direction:
    """Azimuth within `auto.arc_deg` that lights `auto.lit` of the face: share of normals with n.l > .06.

    `face_mask` f32[h, w]. With `cheeks`, masks of the front of the cheek at the viewer's left and of the other, what carries the picture
    comes first: the near cheek's median n.l is at least `auto.cheek`, where the arc allows, and the far cheek lies in the dark. A share
    of the whole face cannot tell a head turned away from one turned to the lamp.
    The sign of the arc says the side. Resolved to half degrees; the first of equals wins.
    """
    normals = subject.normal[face_mask > 0.5][::7]
    low, high = auto.arc_deg
    near = far = normals[:0]
    if cheeks is not None:
        left, right = (subject.normal[(cheek > 0.5) & (face_mask > 0.5)][::3] for cheek in cheeks)
        near, far = (right, left) if low + high > 0 else (left, right)
    steps = np.arange(0, abs(high - low) + 0.25, 0.5) * (1 if high >= low else -1) + low
    best, error = low, math.inf
    for azimuth in steps:
        light = np.array(Direction(float(azimuth), auto.elevation_deg).vector, np.float32)
        miss = abs(float((normals @ light > 0.06).mean()) - auto.lit) if len(normals) else 0.0
        if len(near) and len(far):
            miss += 2 * max(auto.cheek - float(np.median(near @ light)), 0.0) + 0.5 * max(float(np.percentile(far @ light, 90)), 0.0)
        if miss < error - 1e-9:
            best, error = float(azimuth), miss
    return Direction(best, auto.elevation_deg)
