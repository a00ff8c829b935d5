"""What a ComfyUI server says of a prompt that has ended, or that it refuses; and the picture that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lowkey.engines import wire
from lowkey.engines.comfyui.graphs import Graph
from lowkey.engines.comfyui.server import Server
from lowkey.engines.contract import Cancel, Job
from lowkey.engines.wire import Answer
from lowkey.errors import EngineError
from lowkey.pixels import U8, U16

TRIES = 4


@dataclass(frozen=True)
class Picture:
    """A picture that the server made."""

    pixels: U8 | U16
    """[h, w, 3]."""
    filename: str
    subfolder: str
    folder: str
    """output or temp."""

    @property
    def path(self) -> str:
        return f"{self.subfolder}/{self.filename}" if self.subfolder else self.filename


def made_under(prompt_id: str) -> str:
    """The name under which a prompt's picture is saved on the server, without number and ending."""
    return f"lowkey-{prompt_id.replace('-', '')}"


def told(server: Server, entry: Mapping[str, Any]) -> None:
    """Raise what the history says went wrong: EngineError node-failed or cancelled."""
    status = entry.get("status")
    messages = status.get("messages", ()) if isinstance(status, dict) else ()
    for message in messages if isinstance(messages, list) else ():
        kind, about = message if isinstance(message, list) and len(message) == 2 else ("", {})
        about = about if isinstance(about, dict) else {}
        if kind == "execution_error":
            node = f"{about.get('node_type', 'a node')} (node {about.get('node_id', '?')})"
            said = server.wire.line(about.get("exception_message") or about.get("exception_type") or "no reason given")
            short = "memory" in said.casefold() or "OutOfMemory" in str(about.get("exception_type"))
            way = "ask for a smaller --option megapixels=, or free the server's memory" if short else "look at the server's own window"
            raise EngineError("node-failed", f"{server.host}: {server.wire.line(node, 60)} failed: {said}; {way}")
        if kind == "execution_interrupted":
            raise EngineError("cancelled", f"somebody stopped the prompt on {server.host}; nothing of it was kept")
    if isinstance(status, dict) and status.get("status_str") == "error":
        raise EngineError("node-failed", f"{server.host}: the prompt failed without a reason; look at the server's own window")


def found(server: Server, graph: Graph, job: Job, entry: Mapping[str, Any], cancel: Cancel | None) -> Picture:
    """The picture of a prompt that has ended.

    A graph that was all cached has no outputs of its own: then those of an earlier, equal prompt are the picture, or the file
    under the prompt's own name.
    """
    images = _images(entry, graph)
    if not images and (made := str(job.detail.get("made", ""))):
        name = f"{made}_00001_.png"
        if server.view(name).status == 200:
            images = [{"filename": name, "subfolder": "", "type": "output"}]
    if not images and entry:
        images = _of_an_equal_one(server, graph, job.id, entry)
    if not images:
        way = 'its saving node may be titled "lowkey: result"'
        raise EngineError("odd-answer", f"{server.host} finished the prompt and names no picture: does the workflow save one? {way}")
    first = images[0]
    name, subfolder, folder = str(first.get("filename", "")), str(first.get("subfolder") or ""), str(first.get("type") or "output")
    return Picture(_fetched(server, name, subfolder, folder, cancel), name, subfolder, folder)


def _images(entry: Mapping[str, Any], graph: Graph) -> list[dict[str, Any]]:
    """The pictures among a prompt's outputs: the marked node's, else those that were saved, else those that were shown."""
    outputs = entry.get("outputs")
    if not isinstance(outputs, dict):
        return []

    def of(node: str) -> list[dict[str, Any]]:
        images = outputs[node].get("images") if isinstance(outputs.get(node), dict) else None
        return [one for one in images if isinstance(one, dict) and one.get("filename")] if isinstance(images, list) else []

    if graph.result is not None and (marked := of(graph.result)):
        return marked
    every = [one for node in outputs for one in of(node)]
    return sorted(every, key=lambda one: one.get("type") != "output")


def _of_an_equal_one(server: Server, graph: Graph, prompt_id: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    asked = _nodes(entry)
    for id, other in reversed(list(server.recent().items())):
        equal = id != prompt_id and isinstance(other, dict) and asked is not None and _nodes(other) == asked
        if equal and (images := _images(other, graph)):
            return images
    return []


def _nodes(entry: Mapping[str, Any]) -> Any:
    """The graph that a history entry was made of."""
    said = entry.get("prompt")
    return said[2] if isinstance(said, list) and len(said) > 2 else None


def _fetched(server: Server, name: str, subfolder: str, folder: str, cancel: Cancel | None) -> U8 | U16:
    last: EngineError | None = None
    for tried in range(TRIES):
        if tried:
            wire.rest(0.25 * 2**tried, cancel)
        try:
            return wire.picture(server.wire, server.view(name, subfolder, folder), server.host)
        except EngineError as error:
            last = type(error)(error.code, error.message)
    assert last is not None
    raise last


def refused_graph(server: Server, answer: Answer, nodes: Mapping[str, Any]) -> EngineError:
    """What a refusal of the graph says, in words: which node, which input, and why."""
    said = answer.mapping
    error = said.get("error")
    error = error if isinstance(error, dict) else {"message": str(error or f"status {answer.status}")}
    found: list[str] = []
    kinds = {str(error.get("type", ""))}
    by_node = said.get("node_errors")
    for id, about in by_node.items() if isinstance(by_node, dict) else ():
        about = about if isinstance(about, dict) else {}
        for one in about.get("errors", ()) if isinstance(about.get("errors"), list) else ():
            if isinstance(one, dict):
                kinds.add(str(one.get("type", "")))
                name = about.get("class_type") or nodes.get(id, {}).get("class_type", "a node")
                found.append(f"{name} (node {id}): {one.get('message', '')} {one.get('details', '')}".strip())
    text = "; ".join(found[:3]) or f"{error.get('message', '')} {error.get('details', '')}".strip()
    text = server.wire.line(text, 400)
    if "missing_node_type" in kinds or ("does not exist" in text and "class" in text.casefold()):
        return EngineError("missing-node", f"{server.host} refused the graph: {text}. Install what brings the node, or update ComfyUI")
    return EngineError("bad-workflow", f"{server.host} refused the graph: {text}")
