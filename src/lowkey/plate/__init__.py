"""READ: one photo in, one Plate out. Landmarks, matte, parts, depth, relief, albedo, and the light that was there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowkey.plate.plate import PARTS, Caution, FoundLight, Plate, Pose
    from lowkey.plate.scanning import scan

_HOMES = {"PARTS": "plate", "Caution": "plate", "FoundLight": "plate", "Plate": "plate", "Pose": "plate", "scan": "scanning"}
__all__ = ["PARTS", "Caution", "FoundLight", "Plate", "Pose", "scan"]


def __getattr__(name: str) -> Any:
    # Loaded when used (PEP 562): the readers are heavy, the types are not.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
