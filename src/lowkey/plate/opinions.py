"""What better readers, where there are any, may change of the built-in reading: within bounds, and only where they make sense.

Each opinion is laid over the built-in reader's own. One that cannot be had, or that contradicts it altogether, changes nothing
and leaves a caution. The bounds are caution, not measurement: no weights were at hand when they were set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from lowkey.pixels import F32, U8
from lowkey.plate import readers
from lowkey.plate.plate import Caution
from lowkey.plate.readers import Added

ALIKE = 0.6
"""Intersection over union of two silhouettes under which they are not of the same person."""
NEAR = 0.06
"""How far beyond the built-in guess a matte may reach, as a share of the crop's longer side: hair, not the neighbour."""
PARTS_SHARE, PARTS_SURE = 0.5, 0.6
"""Most that an opinion counts among parts, and the probability from which it counts at all."""
NORMALS_SHARE, MOST_TURNED_DEG, STRANGE_DEG = 0.5, 20.0, 60.0
"""Most that a normal is drawn toward the opinion, the most it is turned by it, and the difference from which it is not believed."""
LEAST_KINSHIP = 0.5
"""Correlation, over skin, of the opinion's x and y with the relief's, under which it says something else than a face's form."""


@dataclass
class Panel:
    """The readers of one scan, what they were used for, and what went wrong."""

    asked: Mapping[str, Added] = field(default_factory=readers.active)
    cautions: list[Caution] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)
    """For the plate's `read_by`: "matte reader" and the like to name and hash."""

    def matte(self, picture: U8, guess: F32, *, alone: bool) -> F32:
        """The first guess at the person f32[h, w], from a matte reader, else from one of parts; `alone`: no other face is near.

        With several people in the crop the built-in guess stays: it alone parts them.
        """
        kind = next((one for one in ("matte", "parts") if one in self.asked), None)
        if kind is None or not alone:
            return guess
        told = self._told(kind, picture)
        if told is None:
            return guess
        seen = told[..., 0] if kind == "matte" else 1 - told[..., self._class("background")]
        both, either = float(np.minimum(seen, guess).sum()), float(np.maximum(seen, guess).sum())
        if both < ALIKE * either:
            return self._doubted(kind, f"its silhouette shares {both / max(either, 1e-6):.0%} with the built-in one", guess)
        k = 2 * round(NEAR * max(guess.shape)) + 1
        near = cv2.dilate((guess > 0.3).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)))
        self._note(kind)
        return np.asarray(seen * near, np.float32)

    def parts(self, picture: U8, parts: dict[str, F32], inside: F32) -> dict[str, F32]:
        """Skin, hair, cloth and hands, drawn toward a reader of parts where it is sure; sums stay what they were.

        `inside` f32[h, w] is 1 where the photo has pixels: elsewhere a reader has nothing to look at.
        """
        if "parts" not in self.asked:
            return parts
        told = self._told("parts", picture)
        if told is None:
            return parts
        hair, cloth = told[..., self._class("hair")], told[..., self._class("clothes")]
        skin = told[..., self._class("body skin")] + told[..., self._class("face skin")]
        sure = np.clip((np.maximum.reduce([skin, hair, cloth]) - PARTS_SURE) / (1 - PARTS_SURE), 0, 1)
        whole = parts["skin"] + parts["hair"] + parts["cloth"] + parts["hands"]
        share = np.float32(PARTS_SHARE) * sure * inside
        sum_ = np.maximum(skin + hair + cloth, np.float32(1e-3))
        bare = parts["skin"] + parts["hands"]
        held = parts["hands"] / np.maximum(bare, np.float32(1e-4))
        new = {name: (1 - share) * old + share * one / sum_ * whole for name, old, one in (
            ("skin", bare, skin), ("hair", parts["hair"], hair), ("cloth", parts["cloth"], cloth))}  # fmt: skip
        new["hands"] = new["skin"] * held
        new["skin"] = new["skin"] - new["hands"]
        self._note("parts")
        return {**parts, **{name: np.ascontiguousarray(one, np.float32) for name, one in new.items()}}

    def normals(self, picture: U8, normal: F32, skin: F32) -> F32:
        """Unit normals f32[h, w, 3], turned on skin f32[h, w] toward a reader of normals, by MOST_TURNED_DEG at most.

        Its axes are those of the relief up to sign, and the signs are told by the relief itself.
        """
        if "normals" not in self.asked or not (skin > 0.5).any():
            return normal
        told = self._told("normals", picture)
        if told is None:
            return normal
        told = told / np.maximum(np.linalg.norm(told, axis=-1, keepdims=True), np.float32(1e-6))
        on = skin > 0.5
        kin = [_kinship(told[..., axis][on], normal[..., axis][on]) for axis in (0, 1)]
        if min(abs(one) for one in kin) < LEAST_KINSHIP:
            return self._doubted("normals", f"on skin it goes with the relief by {min(map(abs, kin)):.2f}, under {LEAST_KINSHIP}", normal)
        toward = 1.0 if float(told[..., 2][on].mean()) >= 0 else -1.0
        told = told * np.array([np.sign(kin[0]), np.sign(kin[1]), toward], np.float32)
        cosine = np.clip((told * normal).sum(-1), -1, 1)
        apart = np.degrees(np.arccos(cosine))
        share = np.minimum(np.float32(NORMALS_SHARE), np.float32(MOST_TURNED_DEG) / np.maximum(apart, np.float32(1e-3)))
        share = share * skin * np.clip((np.float32(STRANGE_DEG) - apart) / np.float32(0.25 * STRANGE_DEG), 0, 1)
        self._note("normals")
        return _turned(normal, told, np.asarray(share, np.float32), np.asarray(np.radians(apart), np.float32))

    def _told(self, kind: str, picture: U8) -> F32 | None:
        try:
            return readers.read(self.asked[kind], picture)
        except readers.Unfit as why:
            text = f"the reader {self.asked[kind].known.name} was not used: {why}; the built-in reading stands"
            caution = Caution("reader-failed", text)
            if caution not in self.cautions:
                self.cautions.append(caution)
            return None

    def _doubted(self, kind: str, why: str, built_in: F32) -> F32:
        text = f"the reader {self.asked[kind].known.name} contradicts the built-in one ({why}): the built-in reading stands"
        self.cautions.append(Caution("reader-disagrees", text))
        return built_in

    def _note(self, kind: str) -> None:
        self.used[f"{kind} reader"] = self.asked[kind].tag

    def _class(self, name: str) -> int:
        return self.asked["parts"].known.classes.index(name)


def _kinship(one: F32, other: F32) -> float:
    """Correlation; 0 where either is the same everywhere."""
    a, b = one.astype(np.float64) - one.mean(), other.astype(np.float64) - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-9 * len(a) else 0.0


def _turned(normal: F32, toward: F32, share: F32, apart: F32) -> F32:
    """`normal` turned by `share` of the way to `toward`, which lies `apart` radians off (spherical interpolation, Shoemake 1985)."""
    sine = np.maximum(np.sin(apart), np.float32(1e-3))[..., None]
    angle = (share * apart)[..., None]
    rest = apart[..., None] - angle
    turned = (np.sin(rest) * normal + np.sin(angle) * toward) / sine
    turned = turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), np.float32(1e-6))
    return np.asarray(np.where((share * apart > 1e-4)[..., None], turned, normal), np.float32)
