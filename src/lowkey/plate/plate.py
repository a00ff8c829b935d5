"""The Plate: what one photo says about a person, read once, used by the darkroom and the meter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lowkey.frame import Placement
from lowkey.photo import Photo
from lowkey.pixels import F32, freeze, luminance

PARTS = ("skin", "hair", "cloth", "hands", "eyes", "brows", "lips", "teeth", "glasses", "background")
"""Soft memberships kept in Plate.parts. skin, hair, cloth, hands (skin of hands), glasses and background sum to 1;
eyes (the opening between the lids), brows, lips and teeth are sub-regions of the face laid over skin.
Cloth worn on the head (hijab, scarf, cap) is cloth; a beard is skin with `hair` where it is dense."""


@dataclass(frozen=True)
class FoundLight:
    """The light already in the photo, fitted on the skin (order-1 spherical harmonics)."""

    azimuth_deg: float
    elevation_deg: float
    contrast_stops: float
    """Lit to shadow side of the face, from the fit: 0 is perfectly flat."""
    hard: bool
    """True when cast-shadow edges or the contrast say that a small source was used."""
    warm_mired: float
    """Warmth of the light against the skin's median, lit minus shadow side (mired, + is warmer)."""
    confidence: float


@dataclass(frozen=True)
class Caution:
    """One thing a photographer should know before shooting."""

    code: str
    text: str


@dataclass(frozen=True)
class Pose:
    """Head pose in degrees: yaw + turns the face to frame-right, pitch + lifts it, roll + tilts the crown to frame-right."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True)
class Plate:
    """All maps share one size (plate pixels) in which the head is `hw_px` wide; arrays are read-only.

    The plate's window may reach beyond the photo; there the matte is continued downward (a body goes on), never sideways
    or upward, and `inside` tells real pixels from continued ones.
    """

    photo: Photo
    """As it was read: developed, where its exposure or its white was far off (`balance`)."""
    window: Placement
    """Photo pixels to plate pixels."""
    hw_px: float
    """Head-width (mesh points 234 to 454, in space) in plate pixels; the same for every plate unless the photo is tiny."""
    landmarks: F32
    """f32[478, 3]: x right, y DOWN in plate pixels, z toward the camera in plate pixels (mean of 234 and 454 is z = 0)."""
    pose: Pose
    inside: F32
    """f32[h, w] 1 where the photo has pixels."""
    colour: F32
    """f32[h, w, 3] scene-linear photo; within the matte's soft edge the person's own colour with the old background removed."""
    matte: F32
    """f32[h, w] coverage of the person."""
    parts: Mapping[str, F32]
    """One f32[h, w] per name in PARTS."""
    depth: F32
    """f32[h, w] in hw, + toward the camera, 0 at the plane through the ears; undefined (very low) outside the matte."""
    normal: F32
    """f32[h, w, 3] unit, camera space: x right, y UP, z toward the camera."""
    albedo: F32
    """f32[h, w, 3] colour with the photo's own light taken off, 0..1."""
    found_light: FoundLight
    confidence: float
    """0..1, how sure the parts are."""
    warnings: tuple[Caution, ...]
    read_by: Mapping[str, str]
    """Names and versions of what read it."""
    developed: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """By what the file's linear red, green and blue were multiplied to make `photo` (`balance.developed`)."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.matte.shape[1], self.matte.shape[0]

    def photographed(self, place: Placement, size_px: tuple[int, int]) -> F32:
        """The photo's luminance f32[h, w], scene-linear, in a picture of (width, height); `place` leads there from the photo's pixels."""
        w, h = size_px
        pw, ph = self.photo.size_px
        corners = place.inverse().points(np.array([[-2, -2], [w + 1, h + 1]], np.float32))
        x0, y0 = (int(v) for v in np.clip(np.floor(corners[0]), 0, [pw - 2, ph - 2]))
        x1, y1 = (int(v) for v in np.clip(np.ceil(corners[1]) + 1, [x0 + 2, y0 + 2], [pw, ph]))
        return (place @ Placement(1, x0, y0)).warp(luminance(self.photo.linear((x0, y0, x1, y1))), size_px)

    def cropped(self, rows: slice, cols: slice) -> Plate:
        """The plate of these rows and columns alone: rows within it, columns that may lie beyond its sides, where nobody is."""
        x0, y0 = cols.start, rows.start
        if (x0, y0) == (0, 0) and (rows.stop, cols.stop) == self.matte.shape:
            return self
        last = self.matte.shape[1] - 1
        columns = np.arange(x0, cols.stop)
        beyond = (columns < 0) | (columns > last)
        columns = np.clip(columns, 0, last)

        def cut(a: F32) -> F32:
            return freeze(np.ascontiguousarray(a[rows, columns] if beyond.any() else a[rows, cols]))

        def shown(a: F32, nobody: float = 0.0) -> F32:
            part = cut(a)
            return freeze(np.where(beyond, np.float32(nobody), part)) if beyond.any() else part

        return replace(
            self,
            window=Placement(1, -x0, -y0) @ self.window,
            landmarks=freeze(self.landmarks - np.array([x0, y0, 0], np.float32)),
            inside=shown(self.inside),
            colour=cut(self.colour),
            matte=shown(self.matte),
            parts={name: shown(part, float(name == "background")) for name, part in self.parts.items()},
            depth=cut(self.depth),
            normal=cut(self.normal),
            albedo=cut(self.albedo),
        )
