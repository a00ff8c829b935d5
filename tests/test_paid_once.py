"""Killed at any step on the wire (SIGKILL: nothing is tidied), a take is resumed and the service counts one paid job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx", reason="needs the extra: pip install 'lowkey[remote]'")

import paying
from comfy_server import comfy, nothing_of_the_person
from ledgers import FileLedger
from lowkey import photo
from lowkey.errors import EngineError
from services import KEY, service

HERE = Path(__file__).parent
UNSURE = ("submit", "taken")
"""The request has left and no answer has come."""
STEPS = [
    *(("bfl", step) for step in ("submit", "taken", "answered", "poll", "polled", "result", "fetched")),
    *(("replicate", step) for step in ("upload", "taken", "answered", "result")),
    *(("fal", step) for step in ("taken", "polled")),
]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOWKEY_CONFIG", str(tmp_path / "config"))
    for variable in ("BFL_API_KEY", "REPLICATE_API_TOKEN", "FAL_KEY"):
        monkeypatch.setenv(variable, KEY)


def killed(name: str, base: str, memory: Any, tmp_path: Path) -> None:
    """Start a take, wait until the server has it where it is held, and kill it."""
    command = [sys.executable, str(HERE / "paying.py"), name, base, str(tmp_path / "ledger.jsonl"), str(tmp_path / "frame.png")]
    child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(HERE)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not memory.reached.wait(0.1):
            assert child.poll() is None, child.stderr.read() if child.stderr else ""
        child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    finally:
        child.kill()
        child.wait()
        if child.stderr:
            child.stderr.close()
        memory.hold = ""
        memory.release.set()
    time.sleep(0.2)  # what the server was held in goes on to its end


def taken(name: str, base: str, tmp_path: Path, **options: str) -> bool:
    """Shoot again; whether the frame is the picture of the seed."""
    paying.take(name, base, tmp_path / "ledger.jsonl", tmp_path / "frame.png", **options)
    pixels = photo.read(tmp_path / "frame.png").pixels
    return bool((pixels[..., 2] == 257 * paying.SEED).all()) and pixels.shape == (320, 256, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize(("name", "step"), STEPS)
def test_killed_at_a_step_and_resumed_one_job_is_paid(name: str, step: str, tmp_path: Path) -> None:
    with service() as (base, memory):
        memory.hold = step
        killed(name, base, memory, tmp_path)
        assert not (tmp_path / "frame.png").exists()
        if step == "answered":
            # The answer was on its way: the run may have died before or after it was written down.
            if FileLedger(tmp_path / "ledger.jsonl").jobs()[-1].state == "submitted":
                assert taken(name, base, tmp_path)
            else:
                with pytest.raises(EngineError, match="maybe-paid"):
                    taken(name, base, tmp_path)
            assert memory.paid == 1
            return
        if step in UNSURE:
            # Held in the request, the server took it in the end: so it may be, and sending it again would pay twice.
            with pytest.raises(EngineError, match="maybe-paid"):
                taken(name, base, tmp_path)
            assert memory.paid == 1
            assert taken(name, base, tmp_path, resend="yes")
            assert memory.paid == 2  # the user's own word
        else:
            assert taken(name, base, tmp_path)
            assert memory.paid == 1
        assert FileLedger(tmp_path / "ledger.jsonl").jobs()[-1].state == "done"
        assert memory.leaks == []
        # A picture laid into the service's files before the first line of the ledger has no id there: it runs out by itself.
        assert len(memory.files) == (1 if step == "upload" else 0)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize("name", ["bfl", "comfyui"])
def test_killed_after_the_job_is_closed_and_before_the_frame_is_kept(name: str, tmp_path: Path) -> None:
    with (comfy() if name == "comfyui" else service()) as (base, memory):
        command = [sys.executable, str(HERE / "paying.py"), name, base, str(tmp_path / "ledger.jsonl"), str(tmp_path / "frame.png")]
        died = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(HERE), "LOWKEY_TEST_DIE": "unkept"}, check=False, timeout=60)
        assert died.returncode == -signal.SIGKILL
        assert FileLedger(tmp_path / "ledger.jsonl").jobs()[-1].state == "done"
        assert taken(name, base, tmp_path)
        if name == "bfl":
            assert memory.paid == 1
        else:
            assert memory.made == 2  # the first was overwritten when it had been fetched; it costs nothing but time


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize("step", ["upload", "submit", "taken", "answered", "queue", "history", "view"])
def test_killed_at_a_step_the_server_draws_once_and_keeps_nothing(step: str, tmp_path: Path) -> None:
    with comfy() as (base, memory):
        memory.hold = step
        killed("comfyui", base, memory, tmp_path)
        assert taken("comfyui", base, tmp_path)
        assert memory.made == 1
        assert len(memory.submits) == 1
        assert nothing_of_the_person(memory)
        assert FileLedger(tmp_path / "ledger.jsonl").jobs()[-1].state == "done"
