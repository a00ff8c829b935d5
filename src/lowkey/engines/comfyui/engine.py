"""A ComfyUI server as an engine. The prompt's id is ours and on disk before it is submitted; the history is the truth.

A server forgets its queue and its history when it restarts. So the result is saved there under a name made of the prompt's id:
where neither queue, history nor that file is, nothing was made, and the prompt may be submitted again.
"""

from __future__ import annotations

import datetime
import hashlib
import time
import uuid
from collections.abc import Hashable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from lowkey import prompt
from lowkey.engines import reference, wire
from lowkey.engines.comfyui import graphs
from lowkey.engines.comfyui.listening import Listening
from lowkey.engines.comfyui.results import Picture, found, made_under, refused_graph, told
from lowkey.engines.comfyui.server import Server
from lowkey.engines.contract import Abilities, Cancel, Job, Ledger, Progress, Ready, Sitting, Step, stop_if
from lowkey.engines.settings import Settings
from lowkey.errors import EngineError, LowkeyError
from lowkey.frame import Frame, Shot
from lowkey.photo.png import png_bytes
from lowkey.prompt import Words

STEPS = 4
GRID_PX = 16
MEGAPIXEL = 1 << 20
PATIENCE_S = 1800
MOST_TIMES = 3
"""How often a prompt is submitted when the server has forgotten it."""
_OWN_DIALECT = "flux2"
"""How a user's own workflow is spoken to."""
ABSENT_TIMES = 2
"""So many times in a row a prompt must be nowhere before that is believed."""


class ComfyUI:
    """``--engine comfyui``."""

    name = "comfyui"
    pace_s = 1.0
    """Seconds between two questions; an event on the line asks at once."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        settings = Settings(self.name, given)
        self.server = Server(wire.checked_url(settings.text("server", "http://127.0.0.1:8188"), "comfyui: server", plain=True))
        workflow, self.model = settings.text("workflow"), settings.text("model", graphs.DEFAULT)
        self.keep = settings.flag("keep")
        self.megapixels = settings.number("megapixels", 1.0, 0.1, 16)
        self.patience_s = settings.number("patience", PATIENCE_S, 1, 86_400)
        settings.check()
        self.own = graphs.from_file(Path(workflow)) if workflow else None
        self.row: Mapping[str, Any] = {} if self.own else graphs.shipped().get(self.model) or _unknown(self.model)
        self._took_s: list[float] = []

    # --- what it is ------------------------------------------------------------------------------------------------------

    @property
    def leaves(self) -> bool:
        return not wire.is_loopback(self.server.host.rsplit(":", 1)[0])

    @property
    def dialect(self) -> str:
        return str(self.row["dialect"]) if self.own is None else _OWN_DIALECT if self.own.has("prompt") else ""

    @property
    def abilities(self) -> Abilities:
        speaks = "yes" if self.own is None or self.own.has("prompt") else "no"
        return Abilities(
            dict.fromkeys(("light", "background", "clothing", "pose", "flare"), speaks),
            reproducible=False,  # the noise is the same anywhere; kernels and precision are the server's
            leaves=self.leaves,
            guide=self.own.has("guide") if self.own else "prelight" in self.row,
            likeness=bool(self.row.get("likeness", False)),
            licence=str(self.row.get("licence", "that of the models in your workflow")),
            cost="free; on your own server",
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        said = {"workflow": f"{self.own.name} {self.own.digest}"} if self.own else {"model": self.model}
        if self.megapixels != 1.0:
            said["megapixels"] = f"{self.megapixels:g}"
        return tuple(sorted(said.items()))

    def ready(self) -> Ready:
        if not wire.installed():
            return Ready(False, (f"httpx: {wire.EXTRA}",))
        try:
            self.server.version(within_s=1.0)
            self._built(self._graph(None), {}, within_s=1.0)
        except EngineError as error:
            return Ready(True, (error.message,))
        return Ready(True)

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        graph = self._graph(sitting)
        words = self._words(shot, sitting).text if graph.has("prompt") else ""
        guide = None if sitting.guide is None else hashlib.sha256(sitting.guide.tobytes()).hexdigest()
        return self.name, self.options, words, shot.framing, shot.reference, guide, shot.seed if graph.has("seed") else None, shot.size_px

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """Consent, the graph, the words, and that the server has every node and every file."""
        if self.leaves:
            sitting.must_allow(self.name, datetime.date.today())
        wire.library()
        graph = self._graph(sitting)
        self._words(shot, sitting)
        self._built(graph, {})

    def close(self) -> None:
        self._took_s.clear()

    # --- the shoot -------------------------------------------------------------------------------------------------------

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        stop_if(cancel)
        self.check(shot, sitting)
        start = time.monotonic()
        job, resumed = self._job(shot, sitting, ledger)
        laid = [str(one) for one in job.detail.get("laid", ())]
        try:
            job, picture = self._made(shot, sitting, job, laid, resumed, ledger, progress, cancel, start)
        except LowkeyError as error:
            # What can still be had later (the line broke, patience ended) keeps its photo and stays open.
            if not isinstance(error, wire.Unsent | wire.Unknown) and error.code != "timed-out":
                self._tidied(job, laid, None)
                if ledger is not None:
                    ledger.close(job, "failed", cost_usd=Decimal(0), why=error.code)
            raise
        stays = self._tidied(job, laid, picture)
        frame = self._frame(shot, sitting, job, picture, stays, resumed, time.monotonic() - start)
        if ledger is not None:
            ledger.close(job, "done", cost_usd=Decimal(0))
        self._took_s.append(frame.took_s)
        if progress:
            progress(Step(STEPS, STEPS, "done", 0.0))
        return frame

    def _job(self, shot: Shot, sitting: Sitting, ledger: Ledger | None) -> tuple[Job, bool]:
        """The prompt under an id of ours: an earlier run's that is still open at this server, or a new one, on disk."""
        if ledger is not None and (job := ledger.find(shot.hash(), self.name)) is not None:
            if job.id and job.detail.get("server") == self.server.host:
                return job, True
            ledger.close(job, "failed", cost_usd=Decimal(0), why="it was another server's")
        id = str(uuid.uuid4())
        # Names that tell nothing and that nobody can guess; the photo's own name stays here.
        laid = [f"lowkey-{uuid.uuid4().hex}.png" for _ in range(1 if sitting.guide is None else 2)]
        detail = {"server": self.server.host, "laid": laid, "made": made_under(id)}
        if ledger is None:
            return Job(shot.hash(), self.name, "intended", id, self.server.url, detail=detail), False
        return ledger.intend(shot.hash(), self.name, Decimal(0), id=id, url=self.server.url, detail=detail), False

    def _made(
        self,
        shot: Shot,
        sitting: Sitting,
        job: Job,
        laid: list[str],
        resumed: bool,
        ledger: Ledger | None,
        progress: Progress | None,
        cancel: Cancel | None,
        start: float,
    ) -> tuple[Job, Picture]:
        graph = self._graph(sitting)
        client = uuid.uuid4().hex
        times = 0
        with Listening(self.server.url, client, job.id) as line:
            known = resumed and (job.state == "submitted" or self._where(job))
            while True:
                if not known:
                    if times == MOST_TIMES:
                        said = f"{self.server.host} has forgotten the prompt {times} times: is it running out of memory?"
                        raise EngineError("result-lost", f"{said} Look at its own window")
                    times += 1
                    self._tell(progress, 0, "the reference", start, line)
                    nodes = self._nodes(graph, shot, sitting, job, laid, cancel)
                    self._tell(progress, 1, "sending the graph", start, line)
                    job = self._submitted(nodes, job, client, ledger, line)
                picture = self._awaited(graph, job, line, progress, cancel, start)
                if picture is not None:
                    return job, picture
                known = False

    def _nodes(self, graph: graphs.Graph, shot: Shot, sitting: Sitting, job: Job, laid: list[str], cancel: Cancel | None) -> dict[str, Any]:
        """The graph for this server, with the photo lying there."""
        asked = self._asked_px(shot)
        shown = self._shown_px(asked)
        words = self._words(shot, sitting)
        pictures = [("reference", reference.prepared(sitting, shot, shown).pixels)]
        if sitting.guide is not None:
            pictures.append(("guide", reference.guide8(sitting.guide, shown)))
        values: dict[str, Any] = {
            "prompt": words.text,
            "negative": words.negative,
            "seed": shot.seed,
            "width": asked[0],
            "height": asked[1],
            "result": made_under(job.id),
        }
        for number, (name, pixels) in enumerate(pictures):
            stop_if(cancel)
            values[name] = laid[number] = self.server.lay(laid[number], png_bytes(pixels))
        stop_if(cancel)
        return self._built(graph, values)

    def _submitted(self, nodes: dict[str, Any], job: Job, client: str, ledger: Ledger | None, line: Listening) -> Job:
        """Submit under our id. Where the answer is lost the queue and the history say whether it was taken."""
        answer: wire.Answer | None = None
        try:
            answer = self.server.prompt(nodes, job.id, client)
        except wire.Unknown:
            answer = None
        id = job.id
        if answer is not None:
            if answer.status >= 500:
                raise EngineError("service-failed", f"{self.server.host} failed (status {answer.status}): look at its own window")
            if answer.status >= 400:
                raise refused_graph(self.server, answer, nodes)
            # Servers before 0.3.4 give ids of their own.
            id = str(answer.mapping.get("prompt_id") or job.id)
        line.prompt_id = id
        return ledger.submitted(job, id=id, url=self.server.url) if ledger is not None else replace(job, id=id, state="submitted")

    def _awaited(
        self, graph: graphs.Graph, job: Job, line: Listening, progress: Progress | None, cancel: Cancel | None, start: float
    ) -> Picture | None:
        """The picture; None where the server knows nothing of the prompt and has made nothing of it."""
        absent = 0
        until = time.monotonic() + self.patience_s
        while True:
            self._stop_there(job, cancel)
            share = f", {round(100 * line.share)} %" if line.share is not None else ""
            self._tell(progress, 2, f"the server draws{share}", start, line)
            picture: Picture | None = None
            try:
                where = self._where(job)
                entry = self.server.history(job.id) if where == "history" else None
                if entry is not None:
                    told(self.server, entry)
                    self._tell(progress, 3, "fetching the picture", start, line)
                    picture = found(self.server, graph, job, entry, cancel)
                elif where == "made":
                    picture = found(self.server, graph, job, {}, cancel)
                absent = 0 if where else absent + 1
            except (wire.Unsent, wire.Unknown):
                # It may be restarting: what it then knows decides.
                absent = 0
            if picture is not None:
                return picture
            if absent >= ABSENT_TIMES:
                if self._can_be_certain(graph):
                    return None
                said = f"{self.server.host} has forgotten the prompt, and a result of this workflow could not be found by its name"
                raise EngineError("result-lost", f'{said}: title the node that saves it "lowkey: result", or shoot again')
            if time.monotonic() > until:
                said = f"{self.server.host} has not finished in {self.patience_s:g} s"
                raise EngineError("timed-out", f"{said}; shoot again to go on waiting")
            line.over.wait(self.pace_s)
            if line.over.is_set():
                line.over.clear()

    def _where(self, job: Job) -> str:
        """Where the server has the prompt: running, pending, history, made (its file alone), or empty for nowhere.

        The queue is asked before the history: a prompt moves from the one to the other, never back.
        """
        if queued := self.server.queued(job.id):
            return queued
        if self.server.history(job.id) is not None:
            return "history"
        name = str(job.detail.get("made", ""))
        if name:
            # A blank picture is one that was taken and overwritten by an earlier run: the frame is gone, and free to draw again.
            file = self.server.view(f"{name}_00001_.png")
            return "made" if file.status == 200 and file.data != blank() else ""
        return ""

    @staticmethod
    def _can_be_certain(graph: graphs.Graph) -> bool:
        """Whether a file that was made would be found: its name is made of the prompt's id."""
        return any(mark.name == "result" and mark.input for mark in graph.marks)

    # --- smaller parts ---------------------------------------------------------------------------------------------------

    def _graph(self, sitting: Sitting | None) -> graphs.Graph:
        guided = sitting is not None and sitting.guide is not None
        if self.own is None:
            return graphs.find(self.model, prelight=guided)
        if guided != self.own.has("guide"):
            said = "has no place for the darkroom's frame" if guided else "wants the darkroom's frame: shoot with --prelight"
            raise EngineError("bad-workflow", f'{self.own.name}: it {said} (a LoadImage titled "lowkey: guide")')
        return self.own

    def _built(self, graph: graphs.Graph, values: Mapping[str, Any], within_s: float = 30.0) -> dict[str, Any]:
        nodes = graph.filled(values)
        return graphs.built(graph, nodes, self.server.info({node["class_type"] for node in nodes.values()}, within_s))

    def _words(self, shot: Shot, sitting: Sitting) -> Words:
        guide = sitting.guide is not None
        return prompt.compile(shot.look, self.dialect or _OWN_DIALECT, tuple(shot.remedies), aspect=shot.framing.aspect, seed=shot.seed, guide=guide)

    def _asked_px(self, shot: Shot) -> tuple[int, int]:
        return reference.asked_size(shot.size_px, grid=GRID_PX, most_px=int(self.megapixels * MEGAPIXEL))

    def _shown_px(self, asked: tuple[int, int]) -> tuple[int, int]:
        """The reference's size: one that the model would not change again."""
        sizes = [(int(w), int(h)) for w, h in self.row.get("shown_px", ())]
        if not sizes:
            return reference.asked_size(asked, grid=GRID_PX, most_px=MEGAPIXEL, least_side_px=256)
        return min(sizes, key=lambda one: abs(float(np.log(one[0] * asked[1] / (one[1] * asked[0])))))

    def _stop_there(self, job: Job, cancel: Cancel | None) -> None:
        if cancel is not None and cancel():
            try:
                self.server.stop(job.id)
            except EngineError as error:
                said = f"the take was cancelled here; {self.server.host} could not be told ({error.code}) and may go on"
                raise EngineError("cancelled", said) from None
            said = "the take was cancelled, and nothing of it was kept; the server stops at the end of the node it is at"
            raise EngineError("cancelled", said)

    def _tidied(self, job: Job, laid: list[str], picture: Picture | None) -> dict[str, str]:
        """Remove the person from the server: stock ComfyUI deletes nothing, so blank pictures are laid over photo and frame."""
        if self.keep:
            return {"photo": f"kept in its input folder: {', '.join(laid)}", "frame": "kept in its output folder"}
        over = [("photo", name, "input") for name in laid]
        made = str(job.detail.get("made", ""))
        if picture is not None and made and picture.filename.startswith(made):
            over.append(("frame", picture.path, picture.folder))
        said = {"frame": "not kept by us" if len(over) > len(laid) else "in its output folder, under a name of the workflow's"}
        for what, name, folder in over:
            try:
                gone = self.server.lay(name, blank(), folder=folder, over=True) == name
                gone = gone and self.server.view(*_parts(name), folder).data == blank()
            except EngineError:
                gone = False
            file = f"{name} in its {folder} folder"
            said[what] = f"overwritten; a blank picture stays: {file}" if gone else f"NOT removed: delete {file} by hand"
        try:
            self.server.forget(job.id)
        except EngineError:
            said["words"] = "NOT removed: the prompt is in its history until it restarts"
        return said

    def _frame(
        self, shot: Shot, sitting: Sitting, job: Job, picture: Picture, stays: dict[str, str], resumed: bool, took_s: float
    ) -> Frame:
        graph = self._graph(sitting)
        asked = self._asked_px(shot)
        came = (picture.pixels.shape[1], picture.pixels.shape[0])
        sized = graph.has("width") and graph.has("height")
        unmarked = [name for name in ("prompt", "seed", "width", "height") if not graph.has(name)]
        notes: dict[str, Any] = {
            "service": "ComfyUI",
            "model": graph.name,
            "graph": graph.digest,
            "photo": {
                "went_to": self.server.host,
                "left_the_machine": self.leaves,
                "as": "a crop without metadata" + (", and the darkroom's frame" if sitting.guide is not None else ""),
                "stays": stays,
            },
            "job": job.id,
            "asked_px": list(asked) if sized else "the workflow's own size",
            "came_px": list(came),
            "brought": reference.brought(came, shot.size_px),
            "resumed": resumed,
            "licence": self.abilities.licence,
        }
        if unmarked:
            notes["the_workflow_s_own"] = unmarked
        words = self._words(shot, sitting)
        parameters = {"seed": shot.seed, **({"width": asked[0], "height": asked[1]} if sized else {})}
        said = replace(words, parameters=parameters).to_mapping() if graph.has("prompt") else None
        version = f"comfyui {self.server.version()} {graph.name}"
        pixels = reference.fitted(picture.pixels, shot.size_px)
        return Frame(pixels, shot, None, None, (), dict(self.abilities.variables), version, took_s, notes, said)

    def _tell(self, progress: Progress | None, done: int, what: str, start: float, line: Listening) -> None:
        if progress is None:
            return
        left = line.left_s
        if left is None and self._took_s:
            left = max(sum(self._took_s) / len(self._took_s) - (time.monotonic() - start), 0.0)
        progress(Step(done, STEPS, what, left))


def blank() -> bytes:
    """What is laid over a person's pictures, the same bytes always."""
    return png_bytes(np.zeros((64, 64, 3), np.uint8))


def _parts(name: str) -> tuple[str, str]:
    """File name and subfolder."""
    subfolder, _, filename = name.rpartition("/")
    return filename, subfolder


def _unknown(model: str) -> Mapping[str, Any]:
    graphs.find(model)
    return {}
