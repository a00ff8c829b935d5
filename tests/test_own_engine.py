"""An engine from outside: the example, found by its entry point and put through the contract by the suite of the house."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lowkey import engines
from lowkey.errors import EngineError

EXAMPLE = Path(__file__).parent.parent / "examples" / "own-engine"


def installed(folder: Path, value: str = "") -> Path:
    """The example as an installer lays it down: the module and its metadata, entry points from its own pyproject.toml."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    (folder / "lowkey_underexposed.py").write_bytes((EXAMPLE / "lowkey_underexposed.py").read_bytes())
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["lowkey.engines"]
    (info / "entry_points.txt").write_text("[lowkey.engines]\n" + "".join(f"{n} = {value or v}\n" for n, v in points.items()))
    return folder


def test_it_is_short() -> None:
    lines = (EXAMPLE / "lowkey_underexposed.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 60


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    """In a process of its own: found by name, listed, and all of tests/test_engine_contract.py."""
    folder = installed(tmp_path)
    plugin = folder / "own_bench.py"
    plugin.write_text(
        "import engine_room\n"
        "from lowkey import engines\n"
        "def bench(room):\n"
        "    yield engine_room.Bench(lambda: engines.find('underexposed'), room)\n"
        "engine_room.BENCHES.clear()\n"
        "engine_room.BENCHES['underexposed'] = bench\n"
    )
    tests = Path(__file__).parent
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "own_bench", "-p", "no:cacheprovider", str(tests / "test_engine_contract.py")]
    import os

    path = os.pathsep.join([str(folder), str(tests), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=tests.parent, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout[-3000:]
    assert " failed" not in done.stdout
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 18


def test_it_is_listed_and_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed(tmp_path)))
    assert engines.names()[-1] == "underexposed"
    assert engines.find("underexposed", {"stops": "3"}).options == (("stops", "3"),)
    monkeypatch.delitem(sys.modules, "lowkey_underexposed", raising=False)


def test_a_package_that_does_not_load_is_named_as_the_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list goes on without it, and says why."""
    from lowkey.cli.equipping import examine

    monkeypatch.syspath_prepend(str(installed(tmp_path, value="lowkey_underexposed:NotThere")))
    with pytest.raises(EngineError) as refused:
        engines.find("underexposed")
    assert refused.value.code == "broken-engine"
    told = {one["name"]: one for one in examine()}
    assert not told["underexposed"]["ready"]
    assert "NotThere" in told["underexposed"]["missing"][0]
    assert told["darkroom"]["ready"]
    monkeypatch.delitem(sys.modules, "lowkey_underexposed", raising=False)
