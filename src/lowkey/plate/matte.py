"""The matte: how much of each pixel is the person."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.photo import Photo
from lowkey.pixels import F32, U8
from lowkey.plate import models


def coarse(picture: U8) -> F32:
    """A first guess f32[h, w] at the person on a crop u8[h, w, 3]."""
    with models.person_segmenter() as segment:
        return segment(picture)


def read(photo: Photo, colour: F32, guess: F32, hw_px: float) -> tuple[F32, F32]:
    """Matte f32[h, w] and the person's own colour f32[h, w, 3] from the plate's colour and a first guess on its grid."""
    grey = np.sqrt(np.clip(colour @ np.array([0.2126, 0.7152, 0.0722], np.float32), 0, 1)).astype(np.float32)
    r = (round(0.04 * hw_px) * 2 + 1,) * 2
    mi, mp = cv2.blur(grey, r), cv2.blur(guess, r)
    a = (cv2.blur(grey * guess, r) - mi * mp) / (cv2.blur(grey * grey, r) - mi * mi + 1e-4)
    b = mp - a * mi
    alpha = cv2.blur(a, r) * grey + cv2.blur(b, r)
    alpha = np.clip((alpha - 0.06) / 0.88, 0, 1).astype(np.float32)
    return alpha, colour
