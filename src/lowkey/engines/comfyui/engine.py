"""A ComfyUI server as an engine: its abilities, the graph it is given, and the frame that comes of the picture."""

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
from lowkey.engines.comfyui.errand import STEPS, Errand
from lowkey.engines.comfyui.results import Picture, made_under
from lowkey.engines.comfyui.server import Server
from lowkey.engines.contract import Abilities, Cancel, Job, Ledger, Progress, Ready, Sitting, stop_if
from lowkey.engines.settings import Settings
from lowkey.errors import EngineError, LowkeyError
from lowkey.frame import Frame, Shot
from lowkey.photo.png import png_bytes
from lowkey.prompt import Words

GRID_PX = 16
MEGAPIXEL = 1 << 20
PATIENCE_S = 1800
_OWN_DIALECT = "flux2"
"""How a user's own workflow is spoken to."""


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
        self._likeness = settings.flag("likeness")
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
            likeness=self._likeness or bool(self.row.get("likeness", False)),
            licence=str(self.row.get("licence", "that of the models in your workflow")),
            cost="free; on your own server",
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        said = {"workflow": f"{self.own.name} {self.own.digest}"} if self.own else {"model": self.model}
        if self.megapixels != 1.0:
            said["megapixels"] = f"{self.megapixels:g}"
        if self._likeness and not self.row.get("likeness", False):
            said["likeness"] = "yes"
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
        usual = sum(self._took_s) / len(self._took_s) if self._took_s else None
        job, resumed = self._job(shot, sitting, ledger)
        graph = self._graph(sitting)

        def nodes(values: Mapping[str, Any]) -> dict[str, Any]:
            return self._built(graph, {**self._values(shot, sitting), **values})

        def pictures() -> Mapping[str, bytes]:
            return self._pictures(shot, sitting)

        errand = Errand(
            self.server, graph, nodes, pictures, job, resumed, self.keep, self.pace_s, self.patience_s, ledger, progress, cancel, usual
        )
        try:
            picture = errand.made()
            stop_if(cancel)
        except LowkeyError as error:
            # What can still be had later (the line broke, patience ended) keeps its photo and stays open.
            if not isinstance(error, wire.Unsent | wire.Unknown) and error.code != "timed-out":
                errand.tidied(None)
                errand.closed("failed", error.code)
            raise
        stays = errand.tidied(picture)
        frame = self._frame(shot, sitting, errand.job, picture, stays, resumed, time.monotonic() - errand.began)
        errand.closed("done")
        self._took_s.append(frame.took_s)
        errand.tell(STEPS, "done", over=True)
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

    # --- smaller parts ---------------------------------------------------------------------------------------------------

    def _values(self, shot: Shot, sitting: Sitting) -> dict[str, Any]:
        words, asked = self._words(shot, sitting), self._asked_px(shot)
        return {"prompt": words.text, "negative": words.negative, "seed": shot.seed, "width": asked[0], "height": asked[1]}

    def _pictures(self, shot: Shot, sitting: Sitting) -> dict[str, bytes]:
        shown = self._shown_px(self._asked_px(shot))
        made = {"reference": png_bytes(reference.prepared(sitting, shot, shown).pixels)}
        return made if sitting.guide is None else made | {"guide": png_bytes(reference.guide8(sitting.guide, shown))}

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
        dialect = self.dialect or _OWN_DIALECT
        return prompt.compile(shot.look, dialect, tuple(shot.remedies), aspect=shot.framing.aspect, seed=shot.seed, guide=guide)

    def _asked_px(self, shot: Shot) -> tuple[int, int]:
        return reference.asked_size(shot.size_px, grid=GRID_PX, most_px=int(self.megapixels * MEGAPIXEL))

    def _shown_px(self, asked: tuple[int, int]) -> tuple[int, int]:
        """The reference's size: one that the model would not change again."""
        sizes = [(int(w), int(h)) for w, h in self.row.get("shown_px", ())]
        if not sizes:
            return reference.asked_size(asked, grid=GRID_PX, most_px=MEGAPIXEL, least_side_px=256)
        return min(sizes, key=lambda one: abs(float(np.log(one[0] * asked[1] / (one[1] * asked[0])))))

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
            "likeness": self.abilities.likeness,
        }
        if unmarked:
            notes["the_workflow_s_own"] = unmarked
        words = self._words(shot, sitting)
        parameters = {"seed": shot.seed, **({"width": asked[0], "height": asked[1]} if sized else {})}
        said = replace(words, parameters=parameters).to_mapping() if graph.has("prompt") else None
        version = f"comfyui {self.server.version()} {graph.name}"
        pixels = reference.fitted(picture.pixels, shot.size_px)
        return Frame(pixels, shot, None, None, (), dict(self.abilities.variables), version, took_s, notes, said)


def _unknown(model: str) -> Mapping[str, Any]:
    graphs.find(model)
    return {}
