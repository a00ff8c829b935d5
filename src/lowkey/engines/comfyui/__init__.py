"""FLUX on a ComfyUI server: one's own machine, or one that the person agreed to."""

from __future__ import annotations

from lowkey.engines.comfyui.engine import ComfyUI

__all__ = ["ComfyUI"]
