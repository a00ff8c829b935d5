"""Hands in the picture, from MediaPipe's hand landmarks (Zhang et al. 2020)."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.pixels import F32, U8, srgb_encode
from lowkey.plate import models

FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
PALM = (0, 1, 5, 9, 13, 17)
LEAST_SCORE = 0.4
READ_PX = 160.0
"""Pixels a head-width the model reads at: its own crops are 224 px a hand."""


def read(colour: F32, hw_px: float) -> list[F32]:
    """Hands seen on a plate's scene-linear colour f32[h, w, 3]: f32[21, 2] landmarks each (x right, y down, plate px)."""
    k = min(1.0, READ_PX / hw_px)
    size = max(round(colour.shape[1] * k), 8), max(round(colour.shape[0] * k), 8)
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA) if k < 1 else colour
    picture: U8 = (srgb_encode(small) * 255 + 0.5).astype(np.uint8)
    stretch = np.array([colour.shape[1], colour.shape[0]], np.float32)
    with models._graph(
        lambda s: s.hands.Hands(static_image_mode=True, max_num_hands=2, model_complexity=1, min_detection_confidence=LEAST_SCORE)
    ) as graph:
        found = graph.process(np.ascontiguousarray(picture)).multi_hand_landmarks or []
    return [np.array([(p.x, p.y) for p in hand.landmark], np.float32) * stretch - np.float32(0.5) for hand in found]


def zone(hands: list[F32], shape: tuple[int, int]) -> F32:
    """f32[h, w]: 1 on palms and fingers and a little around them, 0 elsewhere. Landmarks in pixels of the map."""
    out = np.zeros(shape, np.uint8)
    for hand in hands:
        # A finger is about a quarter as thick as the palm is long and wide (wrist to middle knuckle, knuckle to knuckle).
        palm = float(np.linalg.norm(hand[9] - hand[0])) + float(np.linalg.norm(hand[5] - hand[17])) / 2
        thick = max(round(0.26 * palm), 2)
        at = np.round(hand * 8).astype(np.int32)
        cv2.fillConvexPoly(out, cv2.convexHull(at[list(PALM)]), 255, cv2.LINE_8, 3)
        for chain in (*FINGERS, (*PALM, 0)):
            cv2.polylines(out, [at[list(chain)]], False, 255, thick, cv2.LINE_8, 3)
    return np.asarray(out / 255, np.float32)
