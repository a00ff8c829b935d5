"""lowkey: one photo of a person in, cinematic low-key portraits of the same person out.

Names load when they are used, so ``import lowkey`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowkey.darkroom import Enlarger, develop
    from lowkey.errors import LowkeyError
    from lowkey.frame import Frame, Framing, Shot
    from lowkey.look import Look
    from lowkey.meter.measuring import measure
    from lowkey.meter.reading import Reading
    from lowkey.meter.verdict import Verdict, judge
    from lowkey.photo import Photo
    from lowkey.plate import Plate, scan
    from lowkey.prompt import compile
    from lowkey.rig import Rig
    from lowkey.session import shoot
    from lowkey.spec import Remedy, Spec

__version__ = "0.1.0"

_HOMES = {
    "Enlarger": "darkroom",
    "Frame": "frame",
    "Framing": "frame",
    "Look": "look",
    "LowkeyError": "errors",
    "Photo": "photo",
    "Plate": "plate",
    "Reading": "meter.reading",
    "Remedy": "spec",
    "Rig": "rig",
    "Shot": "frame",
    "Spec": "spec",
    "Verdict": "meter.verdict",
    "compile": "prompt",
    "develop": "darkroom",
    "judge": "meter.verdict",
    "measure": "meter.measuring",
    "scan": "plate",
    "shoot": "session",
}

__all__ = [
    "Enlarger",
    "Frame",
    "Framing",
    "Look",
    "LowkeyError",
    "Photo",
    "Plate",
    "Reading",
    "Remedy",
    "Rig",
    "Shot",
    "Spec",
    "Verdict",
    "compile",
    "develop",
    "judge",
    "measure",
    "scan",
    "shoot",
]


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        value = getattr(import_module(f"lowkey.{home}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'lowkey' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
