"""The figure: a subject's maps while sheets of cloth and skin are laid over each other, each with a feathered edge."""

from __future__ import annotations

import copy
from typing import Any

import cv2
import numpy as np
from numba import njit, prange

from lowkey.darkroom import neck, retouch, teeth
from lowkey.darkroom.neck import Layer
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

EMPTY_HW = np.float32(-8)
"""Depth where nobody is."""
TOUCH, TOUCH_HW = 1.5, 0.030
"""Light denied right at a sheet's edge (twice over), and how far beside it any is."""
STRANDS_TAKE = 0.8
"""Share of the skin's mirror that a brow, or single strands over skin, take."""
STRANDS_HW, STRANDS_NEAR_HW, STRANDS = 0.05, 0.12, (0.4, 1.0)
"""Round which (sigma) skin's own tone is read, how near (sigma) hair has to be, and by how many stops strands are darker than that skin."""
MAPS = ("matte", "albedo", "depth", "normal", "skin", "hair", "cloth", "eyes", "roughness", "specular", "sheen", "room")


class Figure:
    """The subject's maps while they are being laid over each other."""

    def __init__(self, plate: Plate) -> None:
        p = plate.parts
        self.hw_px = plate.hw_px
        self.matte = np.array(plate.matte)
        self.albedo, self.depth, self.normal = np.array(plate.albedo), np.array(plate.depth), np.array(plate.normal)
        _round_frames(self.normal, p["glasses"], self.hw_px)
        self.skin = np.minimum(p["skin"] + p["hands"], 1)
        self.hair, self.cloth, self.eyes = np.array(p["hair"]), np.array(p["cloth"]), np.array(p["eyes"])
        self.roughness, self.specular = _skin_finish(plate, self.skin)
        self.sheen = np.asarray(0.15 * p["cloth"], np.float32)
        self.room = np.ones_like(self.matte)
        self.ears: F32 | None = None
        self.eased: tuple[float, float, float] | None = None

    def cut(self, top: int) -> Figure:
        """Take everybody away from row `top` down, and give what was there as a figure of its own."""
        own = copy.copy(self)
        for name in MAPS:
            whole = getattr(self, name)
            bare = np.zeros_like(whole)
            bare[:top] = whole[:top]
            setattr(own, name, whole[top:])
            setattr(self, name, bare)
        return own

    def rows(self, there: slice) -> Figure:
        """These rows of it, not copied."""
        part = copy.copy(self)
        for name in MAPS:
            setattr(part, name, getattr(self, name)[there])
        return part

    def lay(self, sheet: Layer, at: tuple[int, int], dye: F32) -> None:
        """Lay a sheet over what is there, its first pixel `at` (row, column), its albedo times `dye` f32[3]."""
        kind = np.array([sheet.skin, 0, 1 - sheet.skin, 0, sheet.roughness], np.float32)
        shape = sheet.cover.shape
        mirrors, fuzz, room = (np.array(np.broadcast_to(np.float32(v), shape)) for v in (sheet.specular, sheet.sheen, sheet.room))
        _lay(
            self.matte, self.albedo, self.depth, self.normal, self._scalars(),
            sheet.cover, np.atleast_3d(sheet.albedo), dye, sheet.depth, sheet.normal, mirrors, fuzz, room, kind, *at,
        )  # fmt: skip

    def touched(self, cover: F32, at: tuple[int, int]) -> None:
        """Darken what lies within TOUCH_HW of the edge of a sheet `cover` f32[h, w] that is to be laid at `at`: there it touches.

        No heightfield at this size shows so narrow a cleft to the light, and without it a collar hovers.
        """
        h, w = cover.shape
        small = cv2.resize(cover, (max(w // 4, 2), max(h // 4, 2)), interpolation=cv2.INTER_AREA)
        near = cv2.resize(blur(small, TOUCH_HW * self.hw_px / 8), (w, h), interpolation=cv2.INTER_LINEAR)
        there = np.s_[at[0] : at[0] + h, at[1] : at[1] + w]
        _shaded(self.albedo[there], self.sheen[there], near, TOUCH)

    def _scalars(self) -> tuple[F32, ...]:
        return self.skin, self.hair, self.cloth, self.eyes, self.roughness, self.specular, self.sheen, self.room

    def put_back(self, source: Figure, cover: F32, depth: F32, top: int) -> None:
        """Lay what was cut away at row `top` over this figure again, with `cover` and a `depth` f32[h - top, w] of its own."""
        _put_back(
            self.matte, self.albedo, self.depth, self.normal, self._scalars(),
            cover, source.albedo, depth, source.normal, source._scalars(), top,
        )  # fmt: skip

    def subject(self, plate: Plate, shine: float) -> Subject:
        self.depth[self.matte < 0.02] = EMPTY_HW
        # Colour goes on beyond the outline: a step to black there would read as a bright strand along it.
        carried = neck.spread(self.albedo, step(self.matte, 0.5, 0.95), plate.hw_px)
        _carry_on(self.albedo, carried, self.matte)
        maps = {name: freeze(np.asarray(getattr(self, name), np.float32)) for name in MAPS}
        ears = None if self.ears is None else freeze(np.asarray(self.ears * self.skin, np.float32))
        lips, between = (np.asarray(part * self.skin, np.float32) for part in (plate.parts["lips"], teeth.between(plate)))
        return Subject(
            hw_px=plate.hw_px, head_px=neck.middle(plate.landmarks), shine=shine,
            lips=freeze(lips), teeth=freeze(between), ears=ears, eased=self.eased, **maps,
        )  # fmt: skip


@njit(cache=True, parallel=True)
def _shaded(albedo: Any, sheen: Any, near: Any, strength: float) -> None:
    h, w = near.shape
    for r in prange(h):
        for c in range(w):
            if near[r, c] > 0.004:
                gain = max(1 - strength * near[r, c], 0.0)
                sheen[r, c] *= gain
                for m in range(3):
                    albedo[r, c, m] *= gain


@njit(cache=True, parallel=True)
def _carry_on(albedo: Any, carried: Any, matte: Any) -> None:
    h, w = matte.shape
    for r in prange(h):
        for c in range(w):
            t = min(max((matte[r, c] - 0.02) / 0.38, 0.0), 1.0)
            if t < 1:
                mix = 1 - t * t * (3 - 2 * t)
                for m in range(3):
                    albedo[r, c, m] += (carried[r, c, m] - albedo[r, c, m]) * mix


@njit(cache=True)
def _share(under: float, cover: float) -> tuple[float, float]:
    """Porter and Duff's "over" (1984) for values that are not premultiplied: weight of the upper one, and both's coverage."""
    both = cover + (1 - cover) * under
    return cover / both, both


@njit(cache=True, parallel=True)
def _lay(
    matte: Any, albedo: Any, depth: Any, normal: Any, scalars: Any,
    cover: Any, albedo_2: Any, dye: Any, depth_2: Any, normal_2: Any, mirrors: Any, fuzz: Any, room_2: Any, kind: Any,
    row: int, column: int,
) -> None:  # fmt: skip
    skin, hair, cloth, eyes, roughness, specular, sheen, room = scalars
    h, w = cover.shape
    last = albedo_2.shape[2] - 1
    for i in prange(h):
        r = i + row
        for j in range(w):
            a = cover[i, j]
            if a <= 0:
                continue
            c = j + column
            k, matte[r, c] = _share(matte[r, c], a)
            # What is mixed is light: pale skin over wool in which the room counts many times is no bright thread.
            given = (1 - k) * room[r, c] * albedo[r, c, 1] + k * room_2[i, j] * albedo_2[i, j, min(1, last)] * dye[1]
            for m in range(3):
                albedo[r, c, m] += k * (albedo_2[i, j, min(m, last)] * dye[m] - albedo[r, c, m])
                normal[r, c, m] += k * (normal_2[i, j, m] - normal[r, c, m])
            room[r, c] = given / max(albedo[r, c, 1], 1e-5) if k < 1 else room_2[i, j]
            depth[r, c] += k * (depth_2[i, j] - depth[r, c])
            skin[r, c] += k * (kind[0] - skin[r, c])
            hair[r, c] += k * (kind[1] - hair[r, c])
            cloth[r, c] += k * (kind[2] - cloth[r, c])
            eyes[r, c] += k * (kind[3] - eyes[r, c])
            roughness[r, c] += k * (kind[4] - roughness[r, c])
            specular[r, c] += k * (mirrors[i, j] - specular[r, c])
            # Loose fibre stands where yarn does, and what keeps light off the one keeps it off the other.
            sheen[r, c] += k * (fuzz[i, j] * albedo_2[i, j, 0] - sheen[r, c])


@njit(cache=True, parallel=True)
def _put_back(
    matte: Any, albedo: Any, depth: Any, normal: Any, scalars: Any,
    cover: Any, albedo_2: Any, depth_2: Any, normal_2: Any, scalars_2: Any, top: int,
) -> None:  # fmt: skip
    skin, hair, cloth, eyes, roughness, specular, sheen, room = scalars
    skin_2, hair_2, cloth_2, eyes_2, roughness_2, specular_2, sheen_2, room_2 = scalars_2
    h, w = cover.shape
    for i in prange(h):
        r = i + top
        for c in range(w):
            a = cover[i, c]
            if a <= 0:
                continue
            k, matte[r, c] = _share(matte[r, c], a)
            given = (1 - k) * room[r, c] * albedo[r, c, 1] + k * room_2[i, c] * albedo_2[i, c, 1]
            for m in range(3):
                albedo[r, c, m] += k * (albedo_2[i, c, m] - albedo[r, c, m])
                normal[r, c, m] += k * (normal_2[i, c, m] - normal[r, c, m])
            depth[r, c] += k * (depth_2[i, c] - depth[r, c])
            skin[r, c] += k * (skin_2[i, c] - skin[r, c])
            hair[r, c] += k * (hair_2[i, c] - hair[r, c])
            cloth[r, c] += k * (cloth_2[i, c] - cloth[r, c])
            eyes[r, c] += k * (eyes_2[i, c] - eyes[r, c])
            roughness[r, c] += k * (roughness_2[i, c] - roughness[r, c])
            specular[r, c] += k * (specular_2[i, c] - specular[r, c])
            sheen[r, c] += k * (sheen_2[i, c] - sheen[r, c])
            room[r, c] = given / max(albedo[r, c, 1], 1e-5) if k < 1 else room_2[i, c]


FOREHEAD, NOSE_RIDGE, CHEEKS = (9, 151, 108, 337), (1, 4, 5, 195, 6), (50, 280, 117, 346)
"""Mesh points where skin is oiliest (forehead, nose) and where it is not."""
CANTHI, DRY = (133, 243, 193, 362, 463, 417), 0.7
"""Mesh points at the inner corners of the eyes, and the share of skin's film that is missing there."""


LACQUER = (0.30, 0.04)
"""Roughness and F0 of the frames of glasses."""


FRAME_HW, FRAME_ROUND, FLAT_HW = 0.009, 2.6, 0.12
"""Sigma over which the frame of glasses is a bar, how round it is, and over what (sigma) the face under it tells its plane."""


def _round_frames(normal: F32, glasses: F32, hw_px: float) -> None:
    """Make the frames of glasses f32[h, w] round bars before the face, in `normal` f32[h, w, 3], in place.

    With the normals of the nose and the socket behind it a frame mirrors what they would.
    """
    rows, columns = np.flatnonzero((glasses > 0.5).any(1)), np.flatnonzero((glasses > 0.5).any(0))
    if len(rows) < 0.02 * hw_px or len(columns) < 0.1 * hw_px:
        return
    m = round(3 * FLAT_HW * hw_px)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m + 1, max(columns[0] - m, 0) : columns[-1] + m + 1]
    worn, sigma = np.ascontiguousarray(glasses[box]), FRAME_HW * hw_px
    bar = blur(worn, sigma) * np.float32(FRAME_ROUND * sigma)
    tilt = np.stack([-np.gradient(bar, axis=1), np.gradient(bar, axis=0), np.zeros_like(bar)], -1)
    round_ = blur(np.ascontiguousarray(normal[box]), FLAT_HW * hw_px) + tilt
    mixed = normal[box] + worn[..., None] * (round_ - normal[box])
    normal[box] = mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), np.float32(1e-6))


INSIDE = 0.9
"""Share of skin's film that is missing between the lips, where no teeth are."""


def _skin_finish(plate: Plate, skin: F32) -> tuple[F32, F32]:
    """Roughness and F0 f32[h, w]: oily brow and nose .36 and .037, cheeks .45 and .037, other skin .44 and .030; eyes and lips wetter."""
    h, w = skin.shape
    q = 4
    ys, xs = np.mgrid[0:h:q, 0:w:q].astype(np.float32)

    def zone(points: tuple[int, ...], reach: float) -> F32:
        total = np.zeros_like(xs)
        for x, y in plate.landmarks[list(points), :2]:
            total = np.maximum(total, np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / np.float32(2 * (reach * plate.hw_px) ** 2)))
        return np.asarray(total, np.float32)

    oily = np.maximum(zone(FOREHEAD, 0.13), zone(NOSE_RIDGE, 0.05))
    dry = zone(CHEEKS, 0.11) * (1 - oily)
    rough = cv2.resize(0.44 - 0.08 * oily + 0.01 * dry, (w, h), interpolation=cv2.INTER_LINEAR)
    f0 = cv2.resize(0.030 + 0.007 * oily + 0.007 * dry, (w, h), interpolation=cv2.INTER_LINEAR)
    p = plate.parts
    wet = np.maximum(p["eyes"], 0.5 * p["lips"])
    # Thin skin between eye and nose has hardly a gland: a film there would be a grey bar beside the eye.
    f0 = f0 * (1 - np.float32(DRY) * cv2.resize(zone(CANTHI, 0.05), (w, h), interpolation=cv2.INTER_LINEAR))
    rough = rough + wet * (0.12 - rough) * (p["eyes"] > 0.3) + p["hair"] * (0.40 - rough) + p["cloth"] * (0.85 - rough)
    # Lips shine in the photo already: of a second shine they get a third, or their ridge mirrors a white smear.
    f0 = f0 * (1 - np.float32(0.65) * p["lips"] - np.float32(0.5) * p["teeth"])
    # What lies between them is wet, but a mesh has the lips' form there: it mirrors a grey slug where a tongue would be.
    f0 = f0 * (1 - np.float32(INSIDE) * np.maximum(teeth.between(plate) - p["teeth"], 0))
    # Strands hide the film of the skin under them: with all of its shine a black brow was grey plastic.
    f0 = f0 * (
        1 - np.float32(STRANDS_TAKE) * np.maximum(blur(p["brows"], 0.006 * plate.hw_px), _strands_over(plate, skin, (w // q, h // q)))
    )
    rough = rough + p["glasses"] * (LACQUER[0] - rough)
    # A lens is polished: what it mirrors is a room that is dark, and no broad sheen lies on it.
    bars = p["glasses"] * (1 - retouch.dark_glass(p["glasses"], plate.hw_px))
    return np.asarray(rough, np.float32), np.asarray(f0 * skin * (1 - p["hair"]) + LACQUER[1] * bars, np.float32)


def _strands_over(plate: Plate, skin: F32, size: tuple[int, int]) -> F32:
    """f32[h, w]: 1 on single dark strands over `skin` f32[h, w] near the hair; broad tones are read at `size` (width, height)."""
    h, w = skin.shape
    k = plate.hw_px * size[0] / w
    if min(size) < 4 or float(plate.parts["hair"].max()) < 0.5:
        return np.zeros_like(skin)
    tone = np.log2(np.maximum(luminance(plate.albedo), np.float32(2e-3)))
    hair, sure, weighed = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (plate.parts["hair"], skin, np.asarray(tone * skin)))
    usual = blur(weighed, STRANDS_HW * k) / np.maximum(blur(sure, STRANDS_HW * k), np.float32(0.05))
    near = step(blur(hair, STRANDS_NEAR_HW * k), 0.01, 0.06)
    level, by = (cv2.resize(m, (w, h), interpolation=cv2.INTER_LINEAR) for m in (np.asarray(usual, np.float32), near))
    return np.asarray(skin * by * step(np.asarray(level - tone, np.float32), *STRANDS), np.float32)
