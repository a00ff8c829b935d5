"""The server's progress, listened to beside the asking: a comfort, never the truth. What is missed here is in the history."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlencode

from lowkey.engines import wire

LARGEST_EVENT = 16 << 20
"""Previews come over the same line, and are not looked at."""
LONGEST_REST_S = 5.0
_OVER = ("execution_success", "execution_error", "execution_interrupted")


class Listening:
    """Hears the events of one prompt in a thread of its own; connects again when the line breaks. Use with `with`."""

    def __init__(self, url: str, client_id: str, prompt_id: str) -> None:
        self.prompt_id = prompt_id
        self.share: float | None = None
        """How far the longest node is, 0 to 1; it never goes back, whatever comes twice or late."""
        self.connections = 0
        self.over = threading.Event()
        """The server said that the prompt has ended: ask the history now."""
        self._url = url.replace("http", "ws", 1) + "/ws?" + urlencode({"clientId": client_id})
        self._proxy: Any = None if wire.is_loopback(wire.host_of(url).rsplit(":", 1)[0]) else True
        self._end = threading.Event()
        self._line: Any = None
        self._began: float | None = None
        self._steps = 0
        self._thread = threading.Thread(target=self._listen, name="lowkey-comfyui", daemon=True)

    def __enter__(self) -> Listening:
        if find_spec("websockets") is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if (line := self._line) is not None:
            with suppress(Exception):
                line.close()
        if self._thread.ident is not None:
            self._thread.join(2)

    @property
    def left_s(self) -> float | None:
        """Seconds left, by how long the steps took that are done."""
        if self.share is None or self._began is None or not self.share > 0:
            return None
        return (time.monotonic() - self._began) * (1 - self.share) / self.share

    def _listen(self) -> None:
        from websockets.sync.client import connect

        rest = 0.2
        while not self._end.is_set():
            # A line that breaks, is refused or talks nonsense: the asking goes on without it, and it is tried again.
            limits: dict[str, Any] = {"open_timeout": 5, "close_timeout": 1, "max_size": LARGEST_EVENT, "proxy": self._proxy}
            with suppress(Exception), connect(self._url, **limits) as line:
                self._line = line
                self.connections += 1
                rest = 0.2
                while not self._end.is_set():
                    with suppress(TimeoutError):
                        self.hear(line.recv(timeout=0.5))
            self._line = None
            self._end.wait(rest)
            rest = min(2 * rest, LONGEST_REST_S)

    def hear(self, event: str | bytes) -> None:
        """One event; pictures, other prompts' events and what is no event are passed over."""
        said: Any = None
        if isinstance(event, str):
            with suppress(ValueError, RecursionError):
                said = json.loads(event)
        data = said.get("data") if isinstance(said, dict) else None
        if not isinstance(data, dict) or data.get("prompt_id") != self.prompt_id:
            return
        kind = said["type"] if isinstance(said.get("type"), str) else ""
        if kind in _OVER or (kind == "executing" and data.get("node") is None):
            self.over.set()
        elif kind == "progress":
            self._progress(data.get("value"), data.get("max"))

    def _progress(self, value: Any, most: Any) -> None:
        numbers = isinstance(value, int | float) and isinstance(most, int | float)
        if not numbers or not 0 <= value <= most or most < max(self._steps, 2):
            return
        # The node with the most steps is the sampler; the others are over in a moment.
        if most > self._steps:
            self._steps, self.share, self._began = int(most), None, time.monotonic()
        self.share = max(self.share or 0.0, value / most)
