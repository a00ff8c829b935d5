"""What tests share: pictures that may be used, a cache of their own, and a watch on sockets."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent

# Before lowkey is used: nothing that a test reads goes into the user's own cache.
_CACHE = tempfile.TemporaryDirectory(prefix="lowkey-tests-")
os.environ["LOWKEY_CACHE"] = _CACHE.name
os.environ["LOWKEY_DATA"] = _CACHE.name + "/data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data; tests that need it are skipped without it."""
    folder = Path(os.environ.get("LOWKEY_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the reference data: LOWKEY_SHARED={folder} is not there")
    return folder


@pytest.fixture(scope="session")
def astronaut_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NASA's public-domain portrait as a PNG file, 512 x 512, the face 91 px wide."""
    import skimage.data

    from lowkey.photo import write_png

    path = tmp_path_factory.mktemp("photos") / "astronaut.png"
    write_png(path, skimage.data.astronaut())
    return path


@pytest.fixture(scope="session")
def astronaut_plate(astronaut_file: Path):  # type: ignore[no-untyped-def]
    """The plate of that portrait, read once for all tests."""
    from lowkey import photo
    from lowkey.plate import scan

    return scan(photo.read(astronaut_file))


@pytest.fixture
def small_plate():  # type: ignore[no-untyped-def]
    """A plate of 48 x 64 px that no reader made: enough for what only carries plates about."""
    from lowkey.frame import Placement
    from lowkey.photo import Photo
    from lowkey.pixels import freeze
    from lowkey.plate.plate import PARTS, Caution, FoundLight, Plate, Pose

    rng = np.random.default_rng(5)
    h, w = 64, 48

    def noise(*shape: int) -> np.ndarray:
        return freeze(rng.random(shape, np.float32))

    return Plate(
        photo=Photo(freeze(rng.integers(0, 255, (128, 96, 3), np.uint8)), "ab" * 32, "ana", {"camera": "X"}, ("reduced",)),
        window=Placement(0.5, 1.25, -2.5),
        hw_px=21.5,
        landmarks=noise(478, 3),
        pose=Pose(1.5, -2.5, 0.25),
        inside=noise(h, w),
        colour=noise(h, w, 3),
        matte=noise(h, w),
        parts={name: noise(h, w) for name in PARTS},
        depth=noise(h, w),
        normal=noise(h, w, 3),
        albedo=noise(h, w, 3),
        found_light=FoundLight(-30.0, 10.0, 0.75, False, 12.0, 0.9),
        confidence=0.875,
        warnings=(Caution("smile", "a smile turns into menace"),),
        read_by={"reader": "1"},
    )


_NETWORK = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
_heard: list[str] | None = None


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _heard is not None and event in _NETWORK:
        _heard.append(f"{event}{arguments[1:]}")


sys.addaudithook(_listen)


class SocketWatch:
    """What was seen of sockets: `heard` from Python, `open` from the system (this process and its children, Linux only).

    A Unix socket reaches nobody else's machine: an event loop holds a pair of them, whenever it is made.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.open: set[str] = set()
        self._before = self._sockets()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @classmethod
    def _sockets(cls) -> set[str]:
        # What is gone by the second look is in no table any more, and cannot be told.
        found = cls._held()
        local = {f"socket:[{line.split()[6]}]" for line in Path("/proc/net/unix").read_text().splitlines()[1:]} if found else set()
        return (found - local) & cls._held() if found else found

    @staticmethod
    def _held() -> set[str]:
        found: set[str] = set()
        own = Path("/proc/self/task")
        try:
            children = [child for task in own.iterdir() for child in (task / "children").read_text().split()]
        except OSError:
            children = []
        for process in ("self", *children):
            try:
                for handle in Path(f"/proc/{process}/fd").iterdir():
                    link = str(handle.readlink())
                    if link.startswith("socket:"):
                        found.add(link)
            except OSError:
                continue
        return found

    def _look(self) -> None:
        while not self._stop.is_set():
            self.open |= self._sockets() - self._before
            time.sleep(0.002)


@pytest.fixture
def no_sockets() -> Iterator[SocketWatch]:
    """Fails the test when anything connects, binds, resolves a name, or holds a socket open."""
    global _heard
    watch = SocketWatch()
    _heard = watch.heard
    watch._thread.start()
    try:
        yield watch
    finally:
        _heard = None
        watch._stop.set()
        watch._thread.join()
    assert not watch.heard, f"the network was reached for: {watch.heard}"
    assert not watch.open, f"sockets were open: {watch.open}"
