"""scan: one photo in, one Plate out."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.frame import Placement
from lowkey.photo import Photo
from lowkey.pixels import F32, U8, freeze
from lowkey.plate import albedo, faces, fitness, landmarks, matte, relief, window
from lowkey.plate.plate import Plate

try:
    from lowkey.plate import parts  # type: ignore[attr-defined,unused-ignore]
except Exception:  # stand-in until it lands
    parts = None  # type: ignore[assignment,unused-ignore]


def scan(photo: Photo, face: int | None = None) -> Plate:
    """Read a photo once: who, where, of what shape and colour, in what light."""
    chosen = faces.choose(photo, faces.find(photo), face)
    cautions = [*fitness.examine(photo, chosen)]
    read = chosen.points
    guess, at = _guess(photo, read)
    opened = window.open_on(read, photo.size_px, guess, at)
    points = _placed(read, opened.placement)
    inside = opened.inside(photo)
    colour, mask = _person(photo, opened, guess, at, read)
    named, confidence = (parts.part if parts else _parts)(colour, mask, points, opened.hw_px, inside)
    depth, normal = relief.carve(points, mask, named, opened.hw_px, colour)
    bare, light = albedo.delight(colour, normal, depth, named, mask, opened.hw_px, points)
    return Plate(
        photo, opened.placement, opened.hw_px, freeze(points), landmarks.pose(points), freeze(inside), freeze(colour), freeze(mask),
        {k: freeze(v) for k, v in named.items()}, freeze(depth), freeze(normal), freeze(bare), light, confidence, tuple(cautions),
        {"lowkey.plate": "1"},
    )  # fmt: skip


def _placed(points: F32, placement: Placement) -> F32:
    """Landmarks of the photo in plate pixels."""
    return np.concatenate([placement.points(points[:, :2]), points[:, 2:] * np.float32(placement.scale)], 1).astype(np.float32)


def _person(photo: Photo, opened: window.Window, guess: F32, at: tuple[int, int, int, int], points: F32) -> tuple[F32, F32]:
    """The person's own colour f32[h, w, 3] and matte f32[h, w] on the plate, solved where the photo has pixels of its own."""
    native = opened.native()
    seen, filled = window.colour(photo, native), native.inner(photo)
    placed = _placed(points, native.placement)
    nose = float(placed[4, 0]) - filled[1].start, float(placed[4, 1]) - filled[0].start
    rough = _on_plate(guess, at, native)
    alpha, own = np.zeros_like(rough), seen.copy()
    alpha[filled], own[filled] = matte.read(np.ascontiguousarray(seen[filled]), np.ascontiguousarray(rough[filled]), native.hw_px, nose)
    if native is not opened:
        alpha, own = window.enlarge(alpha, native, opened), window.enlarge(own, native, opened)
    return window.go_on(own, alpha, opened.inner(photo), opened.hw_px)


def _guess(photo: Photo, points: F32) -> tuple[F32, tuple[int, int, int, int]]:
    """The first guess at the person within the largest window, and which photo pixels it covers."""
    w, h = photo.size_px
    x0, y0, x1, y1 = window.reach(points)
    at = max(int(x0), 0), max(int(y0), 0), min(int(np.ceil(x1)), w), min(int(np.ceil(y1)), h)
    crop: U8 = np.asarray(window.shrink(faces.codes(photo)[at[1] : at[3], at[0] : at[2]], 800), np.uint8)
    return matte.coarse(crop), at


def _on_plate(guess: F32, at: tuple[int, int, int, int], opened: window.Window) -> F32:
    """A guess over photo pixels `at` brought to the plate's grid, its border repeated."""
    kx, ky = (at[2] - at[0]) / guess.shape[1], (at[3] - at[1]) / guess.shape[0]
    p = opened.placement
    m = np.array([[p.scale * kx, 0, p.scale * (at[0] + kx / 2 - 0.5) + p.tx], [0, p.scale * ky, p.scale * (at[1] + ky / 2 - 0.5) + p.ty]])
    return np.asarray(cv2.warpAffine(guess, m, opened.size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _parts(colour: F32, mask: F32, points: F32, hw_px: float, inside: F32) -> tuple[dict[str, F32], float]:
    """Stand-in: the mesh oval is skin, above the chin hair, below it cloth."""
    h, w = mask.shape
    face = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(points[:468, :2].astype(np.int32)), 255)
    skin = cv2.GaussianBlur(face.astype(np.float32) / 255, (0, 0), 0.02 * hw_px) * mask
    rows = np.arange(h, dtype=np.float32)[:, None]
    below = 1 / (1 + np.exp(-(rows - points[152, 1]) / (0.03 * hw_px)))
    nil = np.zeros((h, w), np.float32)
    out = dict.fromkeys(("hands", "eyes", "brows", "lips", "teeth", "glasses"), nil)
    out.update(skin=skin, hair=(mask - skin) * (1 - below), cloth=(mask - skin) * below, background=1 - mask)
    return {k: np.asarray(v, np.float32) for k, v in out.items()}, 0.5
