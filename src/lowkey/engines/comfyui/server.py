"""A ComfyUI server's routes, each as one call, every answer bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lowkey.engines import wire
from lowkey.engines.wire import Answer, Wire
from lowkey.errors import EngineError

LARGEST_INFO = 32 << 20


class Server:
    """One server. It takes no key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = wire.host_of(url)
        self.wire = Wire(f"ComfyUI at {self.host}", hosts=(self.host,), plain=True)

    def version(self, within_s: float = 10.0) -> str:
        """Raises EngineError unreachable, timed-out, or odd-answer where something else answers."""
        answer = self.wire.send("GET", f"{self.url}/system_stats", within_s=within_s)
        system = answer.mapping.get("system")
        if answer.status != 200 or not isinstance(system, dict):
            raise EngineError("odd-answer", f"{self.host} answers, but not as a ComfyUI server (status {answer.status})")
        return self.wire.line(system.get("comfyui_version") or "of unknown version", 40)

    def info(self, classes: set[str], within_s: float = 30.0) -> dict[str, Any]:
        """What the server says of node classes; those that it does not have are not in it."""
        found: dict[str, Any] = {}
        for one in sorted(classes):
            answer = self.wire.send("GET", f"{self.url}/object_info/{quote(one, safe='')}", most_bytes=LARGEST_INFO, within_s=within_s)
            row = answer.mapping.get(one)
            if answer.status == 200 and isinstance(row, dict):
                found[one] = row
        return found

    def lay(self, name: str, picture: bytes, *, folder: str = "input", over: bool = False) -> str:
        """Upload a PNG; the name that it got, with its subfolder."""
        files = {"image": (name, picture, "image/png")}
        fields = {"type": folder, **({"overwrite": "true"} if over else {})}
        answer = self.wire.send("POST", f"{self.url}/upload/image", files=files, fields=fields)
        if refused := wire.refusal(self.wire, answer):
            raise refused
        said = answer.mapping
        got = said.get("name")
        if not isinstance(got, str) or not got:
            raise EngineError("odd-answer", f"{self.host} took a picture and did not say under which name")
        subfolder = str(said.get("subfolder") or "")
        return f"{subfolder}/{got}" if subfolder else got

    def prompt(self, nodes: Mapping[str, Any], prompt_id: str, client_id: str) -> Answer:
        """Submit. Both the success and the refusal of a graph are answers."""
        return self.wire.send("POST", f"{self.url}/prompt", body={"prompt": nodes, "prompt_id": prompt_id, "client_id": client_id})

    def queued(self, prompt_id: str) -> str:
        """"running", "pending", or empty where the queue does not hold it."""
        answer = self.wire.send("GET", f"{self.url}/queue", most_bytes=LARGEST_INFO)
        if answer.status != 200 or "queue_running" not in answer.mapping:
            raise wire.Unknown("odd-answer", f"{self.host} does not tell its queue (status {answer.status})")
        for name, word in (("queue_running", "running"), ("queue_pending", "pending")):
            if any(isinstance(item, list) and len(item) > 1 and item[1] == prompt_id for item in answer.mapping.get(name, ())):
                return word
        return ""

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """What became of a prompt; None while it has not ended, or where the server knows nothing of it (a restart forgets all)."""
        answer = self.wire.send("GET", f"{self.url}/history/{quote(prompt_id, safe='')}", most_bytes=LARGEST_INFO)
        if answer.status == 404:
            return None
        if answer.status != 200 or not isinstance(answer.json(), dict):
            raise wire.Unknown("odd-answer", f"{self.host} does not tell its history (status {answer.status})")
        entry = answer.mapping.get(prompt_id)
        return entry if isinstance(entry, dict) else None

    def recent(self, most: int = 64) -> dict[str, Any]:
        """The last prompts that ended."""
        answer = self.wire.send("GET", f"{self.url}/history?max_items={most}", most_bytes=LARGEST_INFO)
        return answer.mapping if answer.status == 200 else {}

    def view(self, filename: str, subfolder: str = "", folder: str = "output") -> Answer:
        query = urlencode({"filename": filename, "subfolder": subfolder, "type": folder})
        return self.wire.send("GET", f"{self.url}/view?{query}", most_bytes=wire.LARGEST_PICTURE, within_s=120)

    def stop(self, prompt_id: str) -> None:
        """Take it out of the queue, or interrupt it; another's prompt is left alone (older servers interrupt whatever runs)."""
        if self.queued(prompt_id) == "pending":
            self.wire.send("POST", f"{self.url}/queue", body={"delete": [prompt_id]})
        if self.queued(prompt_id) == "running":
            self.wire.send("POST", f"{self.url}/interrupt", body={"prompt_id": prompt_id})

    def forget(self, prompt_id: str) -> None:
        """Remove a prompt, its words and names, from the history."""
        self.wire.send("POST", f"{self.url}/history", body={"delete": [prompt_id]})
