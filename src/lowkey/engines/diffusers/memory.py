"""What a model needs and what the machine has: which way of holding it comes first, and which is next when memory runs out.

The rungs go from the fastest to the smallest: all on the device; one part at a time; a few layers at a time; layer by layer; and
only then weights rounded to 8 or 4 bits, for those change the picture. They are chosen from the memory that is built in, not from
what happens to be free, so the same machine makes the same picture; what is free is found out by trying.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from lowkey.errors import EngineError

GB = 1e9
WORKING_GB, WORKING_GB_PER_MP = 1.5, 1.5
"""What is taken beside the weights while a frame is drawn: an estimate, put right by trying."""
USABLE = 0.92
"""The share of built-in memory that a program gets."""
OFFLOADS = ("none", "model", "group", "sequential")


@dataclass(frozen=True)
class Machine:
    """The device that draws, and the memory there is, in GB of 1e9 bytes."""

    device: str
    """cuda, mps or cpu."""
    name: str
    device_gb: float
    """On a cpu and on mps the same memory as the host's."""
    host_gb: float
    threads: int = 1
    """Of the CPU, as torch uses them."""
    quantises: bool = False
    """Whether bitsandbytes is here, which rounds weights to 8 or 4 bits on cuda."""


@dataclass(frozen=True)
class Rung:
    """One way of holding a model."""

    name: str
    bits: int
    """Of each weight: 32, 16, 8 or 4."""
    offload: str
    """One of `OFFLOADS`."""
    device_gb: float
    """Estimated need on the device."""
    host_gb: float
    """Estimated need of the host's memory."""
    words: str

    @property
    def changes(self) -> int:
        """What of it changes the picture: how finely weights are held."""
        return self.bits


_RUNGS = (
    ("float32", 32, "none", "all of it in 32 bits"),
    ("whole", 16, "none", "all of it on the device"),
    ("model-offload", 16, "model", "one part on the device at a time"),
    ("group-offload", 16, "group", "a few layers on the device at a time"),
    ("sequential-offload", 16, "sequential", "layer by layer on the device, slow"),
    ("8-bit", 8, "model", "weights rounded to 8 bits, one part at a time"),
    ("4-bit", 4, "model", "weights rounded to 4 bits, one part at a time"),
)
NAMES = tuple(name for name, *_ in _RUNGS)


def machine(device: str = "auto") -> Machine:
    """What is here. `device` is auto, cuda, mps or cpu; EngineError `no-device` where the one asked for is not."""
    torch: Any = import_module("torch")
    host = _host_gb()
    mps = getattr(torch.backends, "mps", None)
    here = {"cuda": torch.cuda.is_available(), "mps": mps is not None and mps.is_available(), "cpu": True}
    chosen = device if device != "auto" else next(name for name, there in here.items() if there)
    if not here.get(chosen):
        there = ", ".join(name for name, is_there in here.items() if is_there)
        raise EngineError("no-device", f"torch finds no {chosen} here; it finds: {there}. Leave out device, or install torch for it")
    if chosen == "cuda":
        properties = torch.cuda.get_device_properties(0)
        return Machine("cuda", str(properties.name), properties.total_memory / GB, host, quantises=find_spec("bitsandbytes") is not None)
    return Machine(chosen, {"mps": "Apple GPU", "cpu": "CPU"}[chosen], host, host, int(torch.get_num_threads()))


def _host_gb() -> float:
    if find_spec("psutil") is not None:
        return float(import_module("psutil").virtual_memory().total) / GB
    return 16.0


def ladder(found: Machine, parameters: Mapping[str, int], size_px: tuple[int, int], first: str = "auto") -> tuple[Rung, ...]:
    """The rungs that this machine can hold a model of `parameters` (by part) on, best first, for a frame of `size_px`.

    `first` begins with a rung by name, whatever the estimate says. Raises EngineError `too-little-memory` when none will do.
    """
    every = [_rung(row, found, parameters, size_px) for row in _RUNGS if _possible(row[0], found)]
    if first != "auto":
        named = [one for one in every if one.name == first]
        if not named:
            there = ", ".join(one.name for one in every)
            extra = " (8-bit and 4-bit need cuda and the package bitsandbytes)" if first in ("8-bit", "4-bit") else ""
            said = f"diffusers: memory={first} cannot be had on {found.device}{extra}"
            raise EngineError("bad-option", f"{said}; it is auto or one of: {there}")
        return (*named, *(one for one in every if _smaller(one, named[0])))
    fitting = [one for one in every if one.device_gb <= USABLE * found.device_gb and one.host_gb <= USABLE * found.host_gb]
    if not fitting:
        least = min(every, key=lambda one: (max(one.device_gb - found.device_gb, 0) + max(one.host_gb - found.host_gb, 0), one.host_gb))
        needs = f"about {least.device_gb:.0f} GB on the device and {least.host_gb:.0f} GB of memory ({least.words})"
        has = f"{found.name} has {found.device_gb:.0f} GB, the machine {found.host_gb:.0f} GB"
        way = f"Take a smaller model, or memory={least.name} to try it anyway"
        raise EngineError("too-little-memory", f"the model needs {needs}; {has}. {way}")
    return (fitting[0], *(one for one in fitting[1:] if _smaller(one, fitting[0])))


def _possible(name: str, found: Machine) -> bool:
    if found.device == "cpu":
        return name in ("float32", "whole")
    if found.device == "mps":  # one memory for both: what is moved off the device is not freed
        return name == "whole"
    return name != "float32" and (found.quantises or name not in ("8-bit", "4-bit"))


def _smaller(one: Rung, than: Rung) -> bool:
    return one.device_gb < than.device_gb or one.bits < than.bits


def _rung(
    row: tuple[str, int, str, str], found: Machine, parameters: Mapping[str, int], size_px: tuple[int, int]
) -> Rung:
    name, bits, offload, words = row
    in_gb = {part: count * bits / 8 / GB for part, count in parameters.items()}
    total, largest = sum(in_gb.values()), max(in_gb.values())
    working = (WORKING_GB + WORKING_GB_PER_MP * size_px[0] * size_px[1] / 1e6) * (bits / 16 if bits > 16 else 1.0)
    held = {"none": total, "model": largest, "group": 0.08 * largest + 0.5, "sequential": 0.02 * largest + 0.3}[offload]
    on_device = held + working
    # Off the device the weights lie in the host's memory; on it they only pass through, a part at a time.
    on_host = on_device if found.device != "cuda" else 2.0 + (1.05 * total if offload != "none" else largest)
    return Rung(name, bits, offload, round(on_device, 2), round(on_host, 2), words)


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError):
        return True
    return type(error).__name__ == "OutOfMemoryError" or (isinstance(error, RuntimeError) and "out of memory" in str(error).lower())
