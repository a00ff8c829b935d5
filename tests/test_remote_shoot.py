"""`lowkey shoot` with a hosted engine, from the command line to the service and back: consent, budget, a kill, and no secret on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx", reason="needs the extra: pip install 'lowkey[remote]'")

from services import KEY, SIGNATURE, Service, service


class Desk:
    """A person at the command line, with a configuration, a cache and consents of their own."""

    def __init__(self, folder: Path, base: str, photo: Path) -> None:
        self.folder, self.base, self.photo = folder, base, photo
        self.env = os.environ | {"BFL_API_KEY": KEY, "LOWKEY_CONFIG": str(folder / "config"), "LOWKEY_DATA": str(folder / "data")}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "import lowkey.cli; lowkey.cli.main()", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), env=self.env, cwd=self.folder, capture_output=True, text=True, check=False)

    def shoot(self, *more: str) -> list[str]:
        how = ["--engine", "bfl", "--option", f"host={self.base}", "--person", "Ana", "--size", "256x320", "--no-meter", "--out", "frames"]
        return ["shoot", str(self.photo), *how, "--json", *more]

    def written(self) -> bytes:
        return b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())


def test_consent_budget_and_no_secret_on_disk(astronaut_file: Path, tmp_path: Path) -> None:
    with service() as (base, memory):
        desk = Desk(tmp_path, base, astronaut_file)
        refused = desk.run(*desk.shoot("--seeds", "1,"))
        assert refused.returncode == 2, refused.stderr
        assert json.loads(refused.stdout.splitlines()[-1])["error"]["code"] == "no-consent"
        assert memory.seen == []
        assert desk.run("consent", "Ana", "--scope", "portfolio", "--engine", "bfl").returncode == 0
        # Two frames of about 4.5 cents: the third would pass the budget.
        short = desk.run(*desk.shoot("--seeds", "3", "--budget", "0.10"))
        assert short.returncode == 3, short.stderr
        assert json.loads(short.stdout.splitlines()[-1])["error"]["code"] == "over-budget"
        assert memory.paid == 2
        # With more money only the missing one is paid for.
        whole = desk.run(*desk.shoot("--seeds", "3", "--budget", "0.20"))
        assert whole.returncode == 0, whole.stderr
        assert memory.paid == 3
        assert sorted(job["seed"] for job in memory.jobs.values()) == [1, 2, 3]
        record = json.loads((tmp_path / "frames" / "record.json").read_text())
        assert record["frames"][0]["notes"]["photo"]["went_to"] == base.removeprefix("http://")
        for text in (desk.written(), (refused.stdout + short.stdout + whole.stdout + short.stderr + whole.stderr).encode()):
            assert KEY.encode() not in text
            assert SIGNATURE.encode() not in text
        assert memory.leaks == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_shoot_that_is_killed_goes_on_and_pays_nothing_twice(astronaut_file: Path, tmp_path: Path) -> None:
    with service() as (base, memory):
        desk = Desk(tmp_path, base, astronaut_file)
        assert desk.run("consent", "Ana", "--scope", "portfolio", "--engine", "bfl").returncode == 0
        memory.hold = "fetched"
        _kill(desk, memory)
        assert memory.paid == 1
        again = desk.run(*desk.shoot("--seeds", "2"))
        assert again.returncode == 0, again.stderr
        assert memory.paid == 2
        assert len(json.loads(again.stdout.splitlines()[-1])["frames"]) == 2


def _kill(desk: Desk, memory: Service) -> None:
    child: Any = subprocess.Popen(
        desk.command(*desk.shoot("--seeds", "2")), env=desk.env, cwd=desk.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not memory.reached.wait(0.1):
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    finally:
        child.kill()
        child.wait()
        memory.hold = ""
        memory.release.set()
