"""Files <-> Photo: decode in a limited child process, orient, colour-manage; encode whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowkey.photo.photo import Photo as Photo
    from lowkey.photo.reading import decode as decode
    from lowkey.photo.reading import read as read
    from lowkey.photo.reading import safe_stem as safe_stem
    from lowkey.photo.sniff import ENDINGS as ENDINGS
    from lowkey.photo.writing import sweep as sweep
    from lowkey.photo.writing import write_linear as write_linear
    from lowkey.photo.writing import write_png as write_png
    from lowkey.photo.writing import write_whole as write_whole

_HOMES = {
    "ENDINGS": "sniff",
    "Photo": "photo",
    "decode": "reading",
    "read": "reading",
    "safe_stem": "reading",
    "sweep": "writing",
    "write_linear": "writing",
    "write_png": "writing",
    "write_whole": "writing",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Loaded when used (PEP 562): the decoding child imports this package and must start fast.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"lowkey.photo.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
