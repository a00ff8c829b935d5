"""FLUX on this machine, through the diffusers library: four families, any folder of weights or any model pulled from the hub.

Nothing here imports torch before a frame is made, and nothing but `pulling` ever asks the network.
"""

from __future__ import annotations

from lowkey.engines.diffusers.engine import Diffusers

__all__ = ["Diffusers"]
