"""Is it still the person: the photo relit with its own light, against the photo, on the same landmarks.

Dark frames cannot be asked: losing half a face to shadow alone costs .36 to .5. So the darkroom's person, with every edit of
colour and form in it, is put under the photo's own light again, and what is left between the two is what the edits did.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.optimize import nnls

from lowkey import rig
from lowkey.darkroom import Enlarger
from lowkey.darkroom.compose import place
from lowkey.frame import Framing
from lowkey.pixels import F32, U8, luminance, srgb_encode
from lowkey.plate import likeness
from lowkey.plate.plate import Plate

SIZE_PX = (512, 640)
"""The network looks at 150 px of face."""
SOFT_LIGHTS = ((0, 10), (-45, 20), (45, 20), (0, 60), (-80, 10), (80, 10))
"""Azimuth and elevation of the large lamps that, with light from everywhere, stand in for whatever light the photo had."""


def relit_distance(plate: Plate) -> float:
    """dlib's distance between the photo and its relight: at most `plate.likeness.SAME` is the same person."""
    at = place(plate, Framing(), SIZE_PX)
    points = at.points(plate.landmarks[:, :2])
    photo = at.warp(plate.window.warp(plate.photo.linear(), plate.size_px), SIZE_PX)
    relit = _as_photographed(plate, photo, at.warp(plate.parts["skin"], SIZE_PX), points)
    # The network looks at the wall behind a face too, and that was not edited: the person stands before the photo's own.
    relit = relit + photo * (1 - np.clip(at.warp(plate.matte, SIZE_PX), 0, 1))[..., None]
    face = _within(points, 0.2)
    return likeness.distance(_codes(photo, face), _codes(relit, face), points, points)


def _as_photographed(plate: Plate, photo: F32, skin: F32, points: F32) -> F32:
    """Light adds, so the sum of soft lights nearest to the photo on the skin of the face is a least-squares fit."""
    enlarger = Enlarger(plate, Framing(), SIZE_PX)
    alone = rig.lone_key(rig.Direction(0, 0), distance_hw=math.inf)
    lamps = [replace(alone, key=replace(alone.key, direction=rig.Direction(*at), angular_radius_deg=20.0)) for at in SOFT_LIGHTS]
    everywhere = replace(alone, key=replace(alone.key, irradiance_rgb=(0.0, 0.0, 0.0)), ambient_rgb=(1.0, 1.0, 1.0))
    lit = [next(picture for name, picture, _ in enlarger.stages(one, 1) if name == "light") for one in (*lamps, everywhere)]
    box = _within(points, 0.0)
    seen = skin[box] > 0.5
    shares, _ = nnls(
        np.stack([picture[box][seen].ravel() for picture in lit], 1).astype(np.float64), photo[box][seen].ravel().astype(np.float64)
    )
    return np.asarray(sum(picture * np.float32(share) for picture, share in zip(lit, shares, strict=True)), np.float32)


def _within(points: F32, margin: float) -> tuple[slice, slice]:
    """The rows and columns of the face's box, less a share of it on every side."""
    x0, y0 = points[:468].min(0)
    x1, y1 = points[:468].max(0)
    w, h = margin * (x1 - x0), margin * (y1 - y0)
    return slice(max(int(y0 + h), 0), int(y1 - h)), slice(max(int(x0 + w), 0), int(x1 - w))


def _codes(linear: F32, face: tuple[slice, slice]) -> U8:
    """sRGB codes u8[h, w, 3] at one exposure: the face's median luminance at 0.25."""
    gain = 0.25 / max(float(np.median(luminance(linear[face]))), 1e-4)
    return np.asarray(np.round(srgb_encode(linear * np.float32(gain)) * 255), np.uint8)
