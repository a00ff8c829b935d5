"""The darkroom: makes a frame of a plate, on a CPU, offline; identity is held because the face's pixels are the person's own."""

from __future__ import annotations

from lowkey.darkroom.enlarger import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.plate.plate import Plate
from lowkey.rig import Rig, of

__all__ = ["Enlarger", "develop"]


def develop(
    plate: Plate, rig: Rig | None = None, framing: Framing | None = None, size_px: tuple[int, int] = (1024, 1280), seed: int = 1
) -> Frame:
    """A fresh Enlarger, used once: one frame u16[h, w, 3] of `plate` under `rig` (default: the house look)."""
    return Enlarger(plate, framing or Framing(), size_px).develop(rig or of(Look()), seed)
