"""What was asked (Shot), who crops (Framing, Placement), and what came back (Frame)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np

from lowkey.look import Look
from lowkey.pixels import F32, U16
from lowkey.rig import Rig
from lowkey.spec import Remedy


@dataclass(frozen=True)
class Placement:
    """Where source pixels land in a target picture: ``target = scale * source + (tx, ty)``, both x right, y down.

    Coordinates are of pixel centres: the centre of the top-left pixel is (0, 0).
    """

    scale: float
    tx: float
    ty: float

    def __matmul__(self, first: Placement) -> Placement:
        """``(b @ a)``: apply a, then b."""
        return Placement(self.scale * first.scale, self.scale * first.tx + self.tx, self.scale * first.ty + self.ty)

    def inverse(self) -> Placement:
        return Placement(1 / self.scale, -self.tx / self.scale, -self.ty / self.scale)

    def points(self, xy: F32) -> F32:
        """Map points f32[n, 2] of (x, y)."""
        return (np.asarray(xy, np.float32) * np.float32(self.scale) + np.array([self.tx, self.ty], np.float32)).astype(np.float32)

    def warp(self, picture: F32, size_px: tuple[int, int], *, beyond: str = "edge") -> F32:
        """Resample `picture` f32[h, w(, c)] into a target of ``(width, height)`` pixels.

        `beyond` says what lies outside the source: "edge" repeats its border, "black" is zero.
        Shrinking averages areas first (no aliasing); enlarging is bicubic.
        """
        border = {"edge": cv2.BORDER_REPLICATE, "black": cv2.BORDER_CONSTANT}[beyond]
        source, to_target = picture, self
        while to_target.scale < 0.5:  # halve exactly, so that warpAffine never skips pixels
            h, w = source.shape[:2]
            source = cv2.resize(source, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
            sx = source.shape[1] / w
            to_target = to_target @ Placement(sx, (sx - 1) / 2, (sx - 1) / 2).inverse()
        if to_target.scale < 0.99:
            sigma = 0.5 * np.sqrt(max(1 / to_target.scale**2 - 1, 0))
            source = cv2.GaussianBlur(source, (0, 0), max(sigma, 0.05), borderType=cv2.BORDER_REPLICATE).astype(np.float32)
        m = np.array([[to_target.scale, 0, to_target.tx], [0, to_target.scale, to_target.ty]], np.float64)
        return cv2.warpAffine(source, m, size_px, flags=cv2.INTER_CUBIC, borderMode=border).astype(np.float32)


@dataclass(frozen=True)
class Framing:
    """Who crops is decided here. Fractions of the frame: fw of its width, fh of its height.

    `source` means the photo's own framing and size; the other fields are then unused.
    """

    aspect: tuple[int, int] = (4, 5)
    head_centre: tuple[float, float] = (0.47, 0.405)
    head_height_fh: float = 0.48
    source: bool = False


@dataclass(frozen=True)
class Shot:
    """A request, hashable: the same hash is the same request."""

    look: Look
    framing: Framing
    reference: str
    """sha256 of the photo's bytes."""
    seed: int
    size_px: tuple[int, int]
    engine: str = "darkroom"
    options: tuple[tuple[str, str], ...] = ()
    remedies: tuple[Remedy, ...] = ()
    """What earlier takes lacked, added up."""

    def hash(self) -> str:
        """``sha256:`` and the hex digest of the shot as canonical JSON."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=str)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Edit:
    """One change to the person's colour or texture, with its size."""

    what: str
    size: float
    unit: str
    bound: float | None = None


@dataclass(frozen=True)
class Frame:
    """What came back."""

    pixels: U16
    """u16[h, w, 3], sRGB-encoded."""
    shot: Shot
    rig: Rig | None
    """Resolved: nothing in it is Auto. None where no light of ours made the picture."""
    placement: Placement | None
    """Plate pixels to frame pixels; None where the picture does not lie on the plate."""
    edits: tuple[Edit, ...]
    honours: Mapping[str, str]
    """Each of the five variables: "yes", "kept from photo" or "no"."""
    engine_version: str
    took_s: float
    """Seconds of develop only, without writing."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What else belongs into the record: model, revision, licence, where the photo went. Never a secret."""
    words: Mapping[str, Any] | None = None
    """The prompt, as `Words.to_mapping` has it; None for an engine without words."""
