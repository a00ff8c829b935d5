"""Processes that die at every step, disks that fail at every write, and crowds on one session: nothing lost, doubled or half.

`studio.py` is the harness. The everyday run kills a paid shoot at every single step and the other acts at every fourth; `make soak`
kills all of them at every step, more than 500 kills, and lets two processes work on one session for a minute.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio import SCENES

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
HERE = Path(__file__).parent


@pytest.fixture
def quick_disk() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of sessions are synced to it, one after the other."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="lowkey-", dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def trial(base: Path, **job: Any) -> dict[str, Any]:
    own = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "studio.py"), json.dumps({**job, "base": str(base / "t")})]
    done = subprocess.run(command, capture_output=True, text=True, env=own, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_paid_shoot_killed_at_every_step(quick_disk: Path) -> None:
    said = trial(quick_disk, what="torture", scene="paid")
    assert said["wrong"] == []
    assert said["kills"] == said["steps"] > 100
    # Every way in which something reaches the disk or somebody else was among them.
    assert {"file.open", "file.write-rest", "file.sync", "file.rename", "file.sync-folder", "net.order", "net.ordered", "net.fetch"} <= set(
        said["names"]
    )
    assert {"db.commit claim", "db.commit promise", "db.commit release", "db.commit intend", "db.commit job-done"} <= set(said["names"])


@pytest.mark.parametrize("scene", [name for name in SCENES if name not in ("paid", "free")])
def test_other_acts_killed_at_some_steps(quick_disk: Path, scene: str) -> None:
    every = 24 if scene in ("swept", "resumed") else 6
    said = trial(quick_disk, what="torture", scene=scene, every=every)
    assert said["wrong"] == []
    assert said["kills"] == -(-said["steps"] // every)


@pytest.mark.soak
def test_every_act_killed_at_every_step(quick_disk: Path) -> None:
    kills = 0
    for scene in SCENES:
        said = trial(quick_disk / scene, what="torture", scene=scene)
        assert said["wrong"] == []
        assert said["kills"] == said["steps"]
        kills += said["kills"]
    assert kills >= 500, kills


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_each_write_in_turn(quick_disk: Path, code: int) -> None:
    said = trial(quick_disk, what="starve", scene="free", code=code, every=2 if code == errno.ENOSPC else 5)
    assert said["wrong"] == []
    assert said["faults"] > 20


def test_ctrl_c_at_any_step_drops_the_take_cleanly(quick_disk: Path) -> None:
    said = trial(quick_disk, what="starve", scene="paid", code=0, every=3)
    assert said["wrong"] == []
    assert said["faults"] > 30


@pytest.mark.soak
@pytest.mark.parametrize("code", [0, errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_each_write_of_every_act(quick_disk: Path, code: int) -> None:
    for scene in ("paid", "marked", "exported", "mended", "swept", "resumed"):
        assert trial(quick_disk / scene, what="starve", scene=scene, code=code)["wrong"] == []


def test_processes_that_begin_one_session_at_the_same_moment(quick_disk: Path) -> None:
    assert trial(quick_disk, what="begun_at_once", rounds=40, processes=4)["wrong"] == []


def test_two_processes_on_one_session(quick_disk: Path) -> None:
    said = trial(quick_disk, what="crowd", seconds=6)
    assert said["wrong"] == []
    assert said["rounds"] >= 2


@pytest.mark.soak
def test_two_processes_on_one_session_for_a_minute(quick_disk: Path) -> None:
    said = trial(quick_disk, what="crowd", seconds=60)
    assert said["wrong"] == []
    assert said["rounds"] > 10
    assert said["kills"] > 3


# --- disks that are really full ------------------------------------------------------------------------------------------------

_SHOOT = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
import resource, signal
import studio
from lowkey.errors import StoreError
home, place = Path({home!r}), Path({place!r})
studio.furnish(home)
studio.photograph(home)
if {limit}:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    studio.shoot(home / "ana.png", seeds={seeds}, size_px=(256, 320), meter=False, engine="quick", out=place)
except StoreError as error:
    print(error.code)
    sys.exit(4)
"""


def run(home: Path, place: Path, seeds: int, limit: int = 0) -> subprocess.CompletedProcess[str]:
    code = _SHOOT.format(here=str(HERE), home=str(home), place=str(place), seeds=seeds, limit=limit)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)


def whole_files(place: Path) -> int:
    from lowkey.session import opening, verifying

    with opening.opened(place) as session:
        findings, good = verifying.verify(session.store)
    assert [one for one in findings if one.what != "unfinished"] == []
    assert not list(place.rglob(".lowkey-*"))
    return good


def test_a_small_disk_that_fills(tmp_path: Path) -> None:
    """A real one: two megabytes of memory, mounted. Where mounting is not allowed the limits of the next test stand alone."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        home = tmp_path / "home"
        home.mkdir()
        filled = run(home, place / "s", 12)
        assert (filled.returncode, filled.stdout.strip()) == (4, "disk-full"), filled.stderr[-2000:]
        some = whole_files(place / "s")
        assert 0 < some < 12
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        assert run(home, place / "s", 12).returncode == 0
        assert whole_files(place / "s") == 13
        made = [line.split()[0] for line in (home / "shots.txt").read_text().splitlines()]
        assert len(made) - len(set(made)) == 1, "only the frame that did not fit was made twice"
    finally:
        subprocess.run(["umount", str(place)], check=False)


def test_a_quota_that_no_frame_fits_into(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: the write of a frame fails half-way, as with a quota."""
    assert resource.RLIMIT_FSIZE is not None
    stopped = run(tmp_path, tmp_path / "s", 2, limit=150_000)
    assert stopped.returncode == 4, stopped.stderr[-2000:]
    assert stopped.stdout.strip() in ("write-failed", "disk-full")
    assert whole_files(tmp_path / "s") == 0
    assert run(tmp_path, tmp_path / "s", 2).returncode == 0
    assert whole_files(tmp_path / "s") == 3


# --- the real darkroom ---------------------------------------------------------------------------------------------------------

_REAL = """
import os, signal, sys
from lowkey import faults
from lowkey.session import shoot
seen = []
def hook(name):
    seen.append(name)
    if seen.count({step!r}) == {count} and name == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)
faults.hook = hook
print(shoot({photo!r}, seeds=[1], size_px=(96, 120), meter=False, out={out!r}).made)
"""


def real(photo: Path, out: Path, step: str = "never", count: int = 1) -> subprocess.CompletedProcess[str]:
    code = _REAL.format(photo=str(photo), out=str(out), step=step, count=count)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)


def killed_in_the_darkroom(photo: Path, folder: Path, step: str, count: int) -> None:
    out = folder / f"{step}-{count}".replace(" ", "-")
    assert real(photo, out, step, count).returncode == -signal.SIGKILL
    after = real(photo, out)
    assert after.returncode == 0, after.stderr[-2000:]
    assert whole_files(out) == 2
    unharmed = folder / "unharmed"
    if not unharmed.exists():
        assert real(photo, unharmed).returncode == 0
    name = "astronaut_rear-right_s01.png"
    assert (out / name).read_bytes() == (unharmed / name).read_bytes()
    shutil.rmtree(out)


@pytest.mark.soak
def test_the_real_darkroom_killed_before_its_frame_is_there(astronaut_file: Path, tmp_path: Path) -> None:
    killed_in_the_darkroom(astronaut_file, tmp_path, "db.committed promise", 1)


@pytest.mark.soak
def test_the_real_darkroom_killed_at_many_steps(astronaut_file: Path, tmp_path: Path) -> None:
    steps = ["db.commit claim", "db.committed claim", "db.commit promise", "db.begin release", "db.committed release", "db.commit file"]
    for step in steps:
        killed_in_the_darkroom(astronaut_file, tmp_path, step, 1)
    for count in (2, 3, 4):
        killed_in_the_darkroom(astronaut_file, tmp_path, "file.rename", count)
