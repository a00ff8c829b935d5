"""Engines: one `Shot` in, one `Frame` out, whoever makes it.

Those of this house stand in a table; others come by the entry-point group ``lowkey.engines`` (name -> a class that is called
with its settings). Each is loaded when it is used, and each is a stranger to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from lowkey.engines.contract import (
    Abilities,
    Cancel,
    Consent,
    Engine,
    Job,
    Ledger,
    Progress,
    Ready,
    Sitting,
    Step,
)
from lowkey.errors import EngineError

__all__ = [
    "GROUP",
    "Abilities",
    "Cancel",
    "Consent",
    "Engine",
    "Job",
    "Ledger",
    "Progress",
    "Ready",
    "Sitting",
    "Step",
    "find",
    "names",
]

GROUP = "lowkey.engines"
_OF_THE_HOUSE = {
    "darkroom": "lowkey.engines.darkroom:Darkroom",
    "diffusers": "lowkey.engines.diffusers:Diffusers",
    "rehearsal": "lowkey.engines.rehearsal:Rehearsal",
    "comfyui": "lowkey.engines.comfyui:ComfyUI",
    "bfl": "lowkey.engines.hosted.bfl:Bfl",
    "replicate": "lowkey.engines.hosted.replicate:Replicate",
    "fal": "lowkey.engines.hosted.fal:Fal",
}


def names() -> tuple[str, ...]:
    """Every engine by name: the house's own first, then what is installed beside it, sorted."""
    others = sorted(point.name for point in entry_points(group=GROUP) if point.name not in _OF_THE_HOUSE)
    return (*_OF_THE_HOUSE, *dict.fromkeys(others))


def find(name: str, settings: Mapping[str, str] | None = None) -> Engine:
    """The engine of that name, with its settings. Raises EngineError `unknown-engine`, `broken-engine` or what its settings raise."""
    if name in _OF_THE_HOUSE:
        module, made = _OF_THE_HOUSE[name].split(":")
        engine: Engine = getattr(import_module(module), made)(settings)
        return engine
    point = next((one for one in entry_points(group=GROUP) if one.name == name), None)
    if point is None:
        raise EngineError("unknown-engine", f'no engine is called "{name[:40]}"; there are: {", ".join(names())}')
    return _from_elsewhere(point, settings)


def _from_elsewhere(point: EntryPoint, settings: Mapping[str, str] | None) -> Engine:
    """An engine that another package brings: whatever it does wrong is said as its own fault."""
    try:
        made = point.load()
    except Exception as error:
        said = f"the engine {point.name} ({point.value}) does not load: {type(error).__name__}: {error}"
        raise EngineError("broken-engine", f"{said}; mend or remove the package that brings it") from error
    engine: Engine = made(settings)
    return engine
