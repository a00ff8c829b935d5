"""One prompt's way at a server: its id on disk before it is sent, waited for, fetched, and the person removed again.

A server forgets its queue and its history when it restarts. So the result is saved there under a name made of the prompt's id:
where neither queue, history nor that file is, nothing was made, and the prompt may be submitted again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from lowkey.engines import wire
from lowkey.engines.comfyui.graphs import Graph
from lowkey.engines.comfyui.listening import Listening
from lowkey.engines.comfyui.results import Picture, found, made_under, refused_graph, told
from lowkey.engines.comfyui.server import Server
from lowkey.engines.contract import Cancel, Job, Ledger, Progress, Step, stop_if
from lowkey.errors import EngineError
from lowkey.photo.png import png_bytes

STEPS = 4
MOST_TIMES = 3
"""How often a prompt is submitted when the server has forgotten it."""
ABSENT_TIMES = 2
"""So many times in a row a prompt must be nowhere before that is believed."""

Nodes = Callable[[Mapping[str, Any]], dict[str, Any]]
"""The graph for the server, filled with values."""


@dataclass
class Errand:
    """One prompt at one server, with where it is written down and who is told."""

    server: Server
    graph: Graph
    nodes: Nodes
    pictures: Callable[[], Mapping[str, bytes]]
    """The PNGs that the graph loads, by mark."""
    job: Job
    resumed: bool
    keep: bool
    pace_s: float
    patience_s: float
    ledger: Ledger | None = None
    progress: Progress | None = None
    cancel: Cancel | None = None
    usual_s: float | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.laid = [str(one) for one in self.job.detail.get("laid", ())]
        """Names of the pictures on the server; as it calls them, once they lie there."""
        self.client = uuid.uuid4().hex
        self.line = Listening(self.server.url, self.client, self.job.id)

    def made(self) -> Picture:
        """Send the prompt, unless the server has it, and wait for its picture."""
        times = 0
        with self.line:
            known = self.resumed and (self.job.state == "submitted" or self._where())
            while True:
                if not known:
                    if times == MOST_TIMES:
                        said = f"{self.server.host} has forgotten the prompt {times} times: is it running out of memory?"
                        raise EngineError("result-lost", f"{said} Look at its own window")
                    times += 1
                    self._submit()
                picture = self._awaited()
                if picture is not None:
                    return picture
                known = False

    def closed(self, state: str, why: str = "") -> None:
        """Write down that the prompt has ended."""
        if self.ledger is not None:
            self.ledger.close(self.job, state, cost_usd=Decimal(0), why=why)

    def _submit(self) -> None:
        """Lay the pictures there and submit under our id. Where the answer is lost the queue and the history say whether it was taken."""
        self.tell(0, "the reference")
        values: dict[str, Any] = {"result": made_under(self.job.id)}
        for number, (name, picture) in enumerate(self.pictures().items()):
            stop_if(self.cancel)
            values[name] = self.laid[number] = self.server.lay(self.laid[number], picture)
        stop_if(self.cancel)
        nodes = self.nodes(values)
        self.tell(1, "sending the graph")
        answer: wire.Answer | None = None
        try:
            answer = self.server.prompt(nodes, self.job.id, self.client)
        except wire.Unknown:
            answer = None
        id = self.job.id
        if answer is not None:
            if answer.status >= 500:
                raise EngineError("service-failed", f"{self.server.host} failed (status {answer.status}): look at its own window")
            if answer.status >= 400:
                raise refused_graph(self.server, answer, nodes)
            # Older servers give ids of their own.
            id = str(answer.mapping.get("prompt_id") or self.job.id)
        self.line.prompt_id = id
        if self.ledger is not None:
            self.job = self.ledger.submitted(self.job, id=id, url=self.server.url)
        else:
            self.job = replace(self.job, id=id, state="submitted")

    def _awaited(self) -> Picture | None:
        """The picture; None where the server knows nothing of the prompt and has made nothing of it."""
        absent = 0
        until = time.monotonic() + self.patience_s
        while True:
            self._stop_there()
            share = f", {round(100 * self.line.share)} %" if self.line.share is not None else ""
            self.tell(2, f"the server draws{share}")
            picture: Picture | None = None
            try:
                where = self._where()
                entry = self.server.history(self.job.id) if where == "history" else None
                if entry is not None:
                    told(self.server, entry)
                    self.tell(3, "fetching the picture")
                    picture = found(self.server, self.graph, self.job, entry, self.cancel)
                elif where == "made":
                    picture = found(self.server, self.graph, self.job, {}, self.cancel)
                absent = 0 if where else absent + 1
            except (wire.Unsent, wire.Unknown):
                # It may be restarting: what it then knows decides.
                absent = 0
            if picture is not None:
                return picture
            if absent >= ABSENT_TIMES:
                # A file that was made would be found only under a name made of the prompt's id.
                if any(mark.name == "result" and mark.input for mark in self.graph.marks):
                    return None
                said = f"{self.server.host} has forgotten the prompt, and a result of this workflow could not be found by its name"
                raise EngineError("result-lost", f'{said}: title the node that saves it "lowkey: result", or shoot again')
            if time.monotonic() > until:
                said = f"{self.server.host} has not finished in {self.patience_s:g} s"
                raise EngineError("timed-out", f"{said}; shoot again to go on waiting")
            self.line.over.wait(self.pace_s)
            self.line.over.clear()

    def _where(self) -> str:
        """Where the server has the prompt: running, pending, history, made (its file alone), or empty for nowhere.

        The queue is asked before the history: a prompt moves from the one to the other, never back.
        """
        if queued := self.server.queued(self.job.id):
            return queued
        if self.server.history(self.job.id) is not None:
            return "history"
        name = str(self.job.detail.get("made", ""))
        if name:
            # A blank picture is one that was taken and overwritten by an earlier run: the frame is gone, and free to draw again.
            file = self.server.view(f"{name}_00001_.png")
            return "made" if file.status == 200 and file.data != blank() else ""
        return ""

    def _stop_there(self) -> None:
        if self.cancel is None or not self.cancel():
            return
        untold = ""
        try:
            self.server.stop(self.job.id)
        except EngineError as error:
            untold = error.code
        if untold:
            raise EngineError("cancelled", f"the take was cancelled here; {self.server.host} could not be told ({untold}) and may go on")
        said = "the take was cancelled, and nothing of it was kept; the server stops at the end of the node it is at"
        raise EngineError("cancelled", said)

    def tidied(self, picture: Picture | None) -> dict[str, str]:
        """Remove the person from the server: stock ComfyUI deletes nothing, so blank pictures are laid over photo and frame."""
        if self.keep:
            return {"photo": f"kept in its input folder: {', '.join(self.laid)}", "frame": "kept in its output folder"}
        over = [("photo", name, "input") for name in self.laid]
        made = str(self.job.detail.get("made", ""))
        if picture is not None and made and picture.filename.startswith(made):
            over.append(("frame", picture.path, picture.folder))
        said = {"frame": "not kept by us" if len(over) > len(self.laid) else "in its output folder, under a name of the workflow's"}
        for what, name, folder in over:
            try:
                gone = self.server.lay(name, blank(), folder=folder, over=True) == name
                gone = gone and self.server.view(*_parts(name), folder).data == blank()
            except EngineError:
                gone = False
            file = f"{name} in its {folder} folder"
            said[what] = f"overwritten; a blank picture stays: {file}" if gone else f"NOT removed: delete {file} by hand"
        try:
            self.server.forget(self.job.id)
        except EngineError:
            said["words"] = "NOT removed: the prompt is in its history until it restarts"
        return said

    def tell(self, done: int, what: str, *, over: bool = False) -> None:
        """Progress, with the time left by how far the server is, else by how long such takes were."""
        if self.progress is not None:
            left = self.line.left_s
            if left is None and self.usual_s is not None:
                left = max(self.usual_s - (time.monotonic() - self.began), 0.0)
            self.progress(Step(done, STEPS, what, 0.0 if over else left))


def blank() -> bytes:
    """What is laid over a person's pictures, the same bytes always."""
    return png_bytes(np.zeros((64, 64, 3), np.uint8))


def _parts(name: str) -> tuple[str, str]:
    """File name and subfolder."""
    subfolder, _, filename = name.rpartition("/")
    return filename, subfolder
