"""What the meter looks at: the picture's tones, and where on it the face, the body and the room are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.frame import Placement
from lowkey.pixels import F32, U8, luminance, srgb_decode, srgb_encode
from lowkey.plate import landmarks, meshes
from lowkey.plate.plate import Plate

Mask = NDArray[np.bool_]
GRAIN_FH = 0.0016
"""Sigma of the blur under which grain is no longer shape."""
WORKING_PX = 1400
"""Taller pictures are measured at this height, except for their texture: every measure but texture is coarser than that."""
GRID_HW_PX = 140.0
"""The mesh is laid on a grid of at most this many pixels a head-width."""


@dataclass(frozen=True)
class Head:
    """A face found in the picture. Maps are of the picture's size; only `points` is needed to make one."""

    points: F32
    """f32[478, 3] mesh points in picture pixels: x right, y down, z toward the camera."""
    found_by: str
    """placement, its own face, a lifted copy, eyes, the same framing, or the lit contour."""
    slack_deg: float
    """Added to the direction's standard error for how the face was found."""
    normal: F32
    """f32[h, w, 3] unit normals, x right, y UP, z toward the camera; zero where unknown."""
    skin: Mask
    """Skin of the face within the mesh's oval, no eyes, lips or brows cut out."""
    matte: F32 | None
    """f32[h, w] coverage of the person; None when not known."""
    parts: Mapping[str, F32]
    """skin, hair, cloth and hands of Plate.parts, warped; empty without a plate."""
    albedo: F32 | None
    """f32[h, w] luminance of the plate's albedo; None without a plate."""
    plate: Plate | None
    placement: Placement | None
    """Plate to picture, where a plate is known to lie on it."""

    @property
    def hw_px(self) -> float:
        return landmarks.width(self.points)

    @property
    def own(self) -> bool:
        """Was the face read in this very picture?"""
        return self.placement is None


class Sight:
    """A picture u8 or u16[h, w, 3], sRGB, seen in the ways the measures need; nothing is computed before it is asked for."""

    def __init__(self, pixels: NDArray[Any]) -> None:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"a picture is u8 or u16[h, w, 3], not {pixels.dtype}{pixels.shape}")
        self.pixels = pixels
        self._soft: tuple[float, F32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]

    @cached_property
    def rgb(self) -> F32:
        """f32[h, w, 3] sRGB-encoded codes, 0 to 255."""
        return np.asarray(self.pixels, np.float32) * np.float32(255 / np.iinfo(self.pixels.dtype).max)

    @cached_property
    def peak(self) -> F32:
        """f32[h, w] the brightest channel's code."""
        return np.maximum(np.maximum(self.rgb[..., 0], self.rgb[..., 1]), self.rgb[..., 2])

    @cached_property
    def codes8(self) -> U8:
        return np.asarray(self.pixels >> 8 if self.pixels.dtype == np.uint16 else self.pixels, np.uint8)

    @cached_property
    def linear(self) -> F32:
        """f32[h, w, 3] display-linear colour."""
        top = np.iinfo(self.pixels.dtype).max
        table = srgb_decode(np.arange(top + 1, dtype=np.float32) / np.float32(top))
        return np.asarray(table[self.pixels], np.float32)

    @cached_property
    def light(self) -> F32:
        """f32[h, w] display-linear luminance."""
        return luminance(self.linear)

    @cached_property
    def code(self) -> F32:
        """f32[h, w] luminance as an sRGB code, 0 to 255."""
        return np.asarray(srgb_encode(self.light) * 255, np.float32)

    @cached_property
    def smooth(self) -> F32:
        """The same without grain: codes, not light, are averaged, or single bright grains would lift the dark."""
        return np.asarray(cv2.GaussianBlur(self.code, (0, 0), max(GRAIN_FH * self.shape[0], 0.6)), np.float32)

    def softened(self, sigma_px: float) -> F32:
        """f32[h, w] display-linear luminance, blurred; the last one asked for is kept."""
        if self._soft is None or self._soft[0] != sigma_px:
            self._soft = (sigma_px, np.asarray(cv2.GaussianBlur(self.light, (0, 0), sigma_px), np.float32))
        return self._soft[1]

    @cached_property
    def even(self) -> F32:
        """f32[h, w] display-linear luminance without grain."""
        return srgb_decode(self.smooth / 255)


def by_plate(sight: Sight, plate: Plate, placement: Placement, found_by: str, slack_deg: float) -> Head:
    """The head where a placement (plate to picture) says it is."""
    h, w = sight.shape
    size = (w, h)

    def warped(name: str) -> F32:
        return np.clip(placement.warp(plate.parts[name], size, beyond="black"), 0, 1)

    points = plate.landmarks.copy()
    points[:, :2] = placement.points(plate.landmarks[:, :2])
    points[:, 2] *= np.float32(placement.scale)
    matte = np.clip(placement.warp(plate.matte, size, beyond="black"), 0, 1)
    normal = placement.warp(plate.normal, size, beyond="black")
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal = np.where(length > 0.5, normal / np.maximum(length, np.float32(1e-6)), 0).astype(np.float32)
    parts = {name: warped(name) for name in ("skin", "hair", "cloth", "hands")}
    albedo = placement.warp(luminance(plate.albedo), size)
    skin = (oval(points, (h, w)) > 0) & (parts["skin"] > 0.6)
    return Head(points, found_by, slack_deg, normal, skin, matte, parts, albedo, plate, placement)


def by_mesh(sight: Sight, points: F32, found_by: str, slack_deg: float) -> Head:
    """The head as its own mesh gives it: normals of the Loop-subdivided face (Loop 1987), nothing beyond its oval."""
    h, w = sight.shape
    k = min(1.0, GRID_HW_PX / max(landmarks.width(points), 1.0))
    size = (max(round(w * k), 8), max(round(h * k), 8))
    fine = np.zeros((meshes.MOUTH_CENTRE + 1, 3), np.float64)
    fine[: meshes.MOUTH_CENTRE] = (points + 0.5) * k - 0.5
    fine[meshes.MOUTH_CENTRE] = fine[list(meshes.MOUTH)].mean(0)
    weights, triangles = meshes.loop(2)
    z = meshes.raster((weights @ fine).astype(np.float32), triangles, size, -1e6)
    seen = z > -1e5
    # Slopes of the depth map; across the mesh's rim they mean nothing, so the rim is left out.
    filled = np.where(seen, z, 0).astype(np.float32)
    mass = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 1.5)
    filled = np.asarray(cv2.GaussianBlur(filled, (0, 0), 1.5) / np.maximum(mass, 1e-3), np.float32)
    right = cv2.Sobel(filled, cv2.CV_32F, 1, 0, ksize=3) / 8
    down = cv2.Sobel(filled, cv2.CV_32F, 0, 1, ksize=3) / 8
    slopes = np.stack([-right, down, np.ones_like(right)], -1)
    slopes = slopes / np.linalg.norm(slopes, axis=-1, keepdims=True)
    solid = cv2.erode(seen.astype(np.uint8), np.ones((5, 5), np.uint8))
    normal = np.asarray(cv2.resize(slopes * solid[..., None], (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    normal = np.where(length > 0.9, normal / np.maximum(length, np.float32(1e-6)), 0).astype(np.float32)
    inside = (oval(points, (h, w)) > 0) & (normal[..., 2] > 0.12) & ~features(points, (h, w))
    return Head(np.asarray(points, np.float32), found_by, slack_deg, normal, inside, None, {}, None, None, None)


def oval(points: F32, shape: tuple[int, int]) -> U8:
    """u8[h, w]: 1 within the mesh's face oval, five pixels of its rim left out."""
    return np.asarray(cv2.erode(meshes.oval(points, shape), np.ones((5, 5), np.uint8)), np.uint8)


BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)


def features(points: F32, shape: tuple[int, int]) -> Mask:
    """bool[h, w]: eyes, brows and lips of a mesh, whose tone is not the skin's."""
    mask = np.zeros(shape, np.uint8)
    for ring in (*BROWS, *meshes.EYES, LIPS):
        cv2.fillPoly(mask, [np.round(points[list(ring), :2]).astype(np.int32)], 1)
    grow = max(round(0.02 * landmarks.width(points)), 1)
    return np.asarray(cv2.dilate(mask, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)) > 0)
