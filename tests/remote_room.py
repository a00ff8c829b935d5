"""Benches of the remote engines for the contract suite, as in engine_room.py: each with a server of its own on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from comfy_server import comfy
from engine_room import Bench, Room
from lowkey import engines
from lowkey.engines import Engine
from services import KEY, SIGNATURE, service

VARIABLES = {"bfl": "BFL_API_KEY", "replicate": "REPLICATE_API_TOKEN", "fal": "FAL_KEY"}


def _hosted(name: str) -> Callable[[Room], Iterator[Bench]]:
    def bench(room: Room) -> Iterator[Bench]:
        pytest.importorskip("httpx", reason="needs the extra: pip install -r requirements/remote.txt")
        before = {variable: os.environ.get(variable) for variable in (VARIABLES[name], "LOWKEY_CONFIG")}
        os.environ |= {VARIABLES[name]: KEY, "LOWKEY_CONFIG": str(room.folder.parent / f"{name}-config")}
        try:
            with service() as (base, memory):

                def make() -> Engine:
                    engine = engines.find(name, {"host": base, "patience": "60"})
                    engine.pace_s = 0.02  # type: ignore[attr-defined]
                    return engine

                @contextmanager
                def blocked() -> Iterator[None]:
                    del os.environ[VARIABLES[name]]
                    try:
                        yield
                    finally:
                        os.environ[VARIABLES[name]] = KEY

                yield Bench(make, room, secrets=(KEY, SIGNATURE, str(room.folder)), blocked=blocked, spent=lambda: memory.paid)
        finally:
            for variable, value in before.items():
                os.environ.pop(variable, None)
                if value is not None:
                    os.environ[variable] = value

    return bench


def _comfyui(model: str) -> Callable[[Room], Iterator[Bench]]:
    def bench(room: Room) -> Iterator[Bench]:
        pytest.importorskip("httpx", reason="needs the extra: pip install -r requirements/remote.txt")
        with comfy() as (base, memory):
            memory.speed_s = 0.02

            def make() -> Engine:
                engine = engines.find("comfyui", {"server": base, "model": model, "patience": "60"})
                engine.pace_s = 0.05  # type: ignore[attr-defined]
                return engine

            @contextmanager
            def blocked() -> Iterator[None]:
                lacking: Any = memory.info.pop("VAEDecode")
                try:
                    yield
                finally:
                    memory.info["VAEDecode"] = lacking

            yield Bench(make, room, secrets=(str(room.folder),), blocked=blocked, spent=lambda: len(memory.submits), at_home=True)

    return bench


BENCHES = {
    **{name: _hosted(name) for name in VARIABLES},
    "comfyui-klein": _comfyui("flux2-klein"),
    "comfyui-kontext": _comfyui("kontext"),
}
