"""Nothing leaves the machine: no socket is opened while a photo is read and frames are shot."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

import lowkey
from conftest import SocketWatch


def test_scan_and_shoot_open_no_socket(astronaut_file: Path, tmp_path: Path, no_sockets: SocketWatch) -> None:
    done = lowkey.shoot(astronaut_file, seeds=1, size_px=(256, 320), out=tmp_path / "out", keep_plate=False)
    assert done.sheet.exists()


def test_the_watch_hears_a_connection() -> None:
    """A watch that cannot hear would make the test above worthless."""
    import conftest

    watch = SocketWatch()
    conftest._heard = watch.heard
    try:
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", 1))
    finally:
        conftest._heard = None
    assert any(event.startswith("socket.connect") for event in watch.heard)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_watch_sees_an_open_socket() -> None:
    watch = SocketWatch()
    with socket.socket():
        assert watch._sockets() - watch._before
