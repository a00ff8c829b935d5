"""The engine: a shot in words and with the photo as reference, drawn by FLUX on this machine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any

from lowkey.engines import reference
from lowkey.engines.contract import Abilities, Cancel, Ledger, Progress, Ready, Sitting, Step, stop_if
from lowkey.engines.diffusers import calling, crop, hub, loading, memory, models
from lowkey.engines.diffusers.calling import Call
from lowkey.engines.diffusers.memory import Machine, Rung
from lowkey.engines.diffusers.models import Family, Weights
from lowkey.engines.reference import Reference
from lowkey.engines.settings import Settings
from lowkey.errors import EngineError
from lowkey.frame import Frame, Shot
from lowkey.look import VARIABLES
from lowkey.pixels import F32
from lowkey.prompt import Words, tokens
from lowkey.prompt import compile as compiled

DEVICES, DTYPES = ("auto", "cuda", "mps", "cpu"), ("auto", "bf16", "fp32")


class Diffusers:
    """Keeps one pipeline, loaded at the first frame and held until `close`.

    Settings: `model` (a folder or an id of the hub), `revision`, `steps`, `guidance`, `device`, `dtype`, `memory` (the rung to
    begin with) and `likeness` (yes: measure it although the licence of the weights bars that or says nothing).
    """

    name = "diffusers"

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        settings = Settings(self.name, given)
        self._model = settings.text("model", hub.DEFAULT)
        self._revision = settings.text("revision")
        self._steps = settings.whole("steps", 0, 0, 200) or None
        self._guidance = settings.number("guidance", -1, -1, 20)
        self._device = _one_of(settings, "device", DEVICES)
        self._dtype = _one_of(settings, "dtype", DTYPES)
        self._memory = _one_of(settings, "memory", ("auto", *memory.NAMES))
        self._likeness = settings.flag("likeness")
        settings.check()
        self._found: Weights | None = None
        self._pipe: Any = None
        self._rung: Rung | None = None
        self._lessons: list[str] = []
        """What ran out of memory so far: said of every frame that came after."""

    # What it is, told without loading anything.

    @property
    def dialect(self) -> str:
        return self._family.dialect

    @property
    def abilities(self) -> Abilities:
        licence, terms, likeness = self._licence
        return Abilities(
            dict.fromkeys(VARIABLES, "yes"),
            reproducible=True,
            guide=self._family.references > 1,
            likeness=likeness or self._likeness,
            licence=f"{licence}: {terms}",
            cost="free; a minute or more a frame without a large GPU",
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Model and revision by name, never by path, and every number that changes the picture."""
        weights = self._weights()
        guidance = self._guided(weights)
        rung = self._ladder(weights, (1024, 1024))[0]
        told = {
            "model": weights.name,
            "revision": weights.revision,
            "steps": str(self._stepped(weights)),
            "guidance": "" if guidance is None else f"{guidance:g}",
            "device": self._machine.device,
            "bits": str(rung.bits),
            # On a CPU sums are split over threads, and another split ends in other last bits.
            "threads": str(self._machine.threads) if self._machine.device == "cpu" else "",
            "likeness": "yes" if self._likeness and not weights.likeness else "",
        }
        return tuple(sorted((name, value) for name, value in told.items() if value))

    def ready(self) -> Ready:
        lacks = hub.lacking()
        if lacks:
            return Ready(False, (f"{', '.join(lacks)}: pip install 'lowkey[flux]'", "weights: lowkey engines pull"))
        try:
            hub.find(self._model, self._revision)
        except EngineError as error:
            return Ready(True, (error.message,))
        return Ready(True)

    def plan(self, shot: Shot, sitting: Sitting) -> Hashable:
        weights = self._weights()
        text = self._words(shot, sitting).text
        drawn = self._drawn(weights, shot)
        bits = self._ladder(weights, drawn)[0].bits
        return (text, shot.seed, drawn, shot.size_px, reference.faced(shot), shot.reference, _hash_of(sitting), self.options, bits)

    def check(self, shot: Shot, sitting: Sitting) -> None:
        """Packages, weights, memory, and words that fit; no weights are loaded for it."""
        hub.must_have()
        weights = self._weights()
        if sitting.guide is not None and weights.family.references < 2:
            raise EngineError("no-guide", f"{weights.name} takes one picture, the photo; leave out --prelight, or use a FLUX.2 model")
        text = self._words(shot, sitting).text
        counted = calling.estimate(weights, text, self._rule(weights))
        self._must_fit(weights, counted)
        self._ladder(weights, self._drawn(weights, shot))

    # Making the frame.

    def shoot(
        self, shot: Shot, sitting: Sitting, *, progress: Progress | None = None, cancel: Cancel | None = None, ledger: Ledger | None = None
    ) -> Frame:
        stop_if(cancel)
        self.check(shot, sitting)
        started = time.perf_counter()
        weights = self._weights()
        words = self._words(shot, sitting)
        drawn_px = self._drawn(weights, shot)
        shown = reference.prepared(sitting, shot, crop.shown_px(drawn_px, kontext=weights.family.name == "kontext"))
        pictures = [shown.pixels]
        if sitting.guide is not None:
            pictures.append(reference.guide8(sitting.guide, crop.shown_px(drawn_px, kontext=False)))
        call = Call(words.text, shot.seed, drawn_px, tuple(pictures), self._stepped(weights), self._guided(weights))
        counted = 0
        said = [] if weights.likeness or self._likeness else ["the licence does not clearly let likeness be measured: it is off"]
        watch = _Watch(call.steps, progress, cancel)
        rungs = self._ladder(weights, drawn_px)
        if self._rung in rungs:
            rungs = rungs[rungs.index(self._rung) :]
        for index, rung in enumerate(rungs):
            try:
                watch.loading(self._rung != rung or self._pipe is None)
                pipe = self._loaded(weights, rung)
                stop_if(cancel)
                counted = calling.tokens(pipe, weights, call.text)
                self._must_fit(weights, counted)
                watch.reading()
                drawn = calling.draw(pipe, weights, call, watch.stepped)
                break
            except Exception as error:
                pipe = None
                if not memory.ran_out(error):
                    raise
                why = f"memory ran out with {rung.words}"
            # Out of the handler: its traceback held the tensors that are to be freed.
            self.close()
            if index + 1 == len(rungs):
                raise EngineError("out-of-memory", f"{why}, the smallest way there is; try a smaller --size, or a smaller model")
            self._lessons.append(f"{why}, so it was drawn with {rungs[index + 1].words}")
        stop_if(cancel)
        return self._frame(shot, weights, call, drawn, words, shown, rung, counted, said, watch, time.perf_counter() - started)

    def close(self) -> None:
        self._pipe = self._rung = None
        loading.let_go(self.__dict__.get("_machine"))

    def _frame(
        self,
        shot: Shot,
        weights: Weights,
        call: Call,
        drawn: F32,
        words: Words,
        shown: Reference,
        rung: Rung,
        counted: int,
        said: list[str],
        watch: _Watch,
        took_s: float,
    ) -> Frame:
        pixels, fitted = crop.exact(drawn, shot.size_px)
        watch.done()
        used = loading.versions()
        notes = {
            "model": weights.name,
            "revision": weights.revision,
            "licence": weights.licence,
            "terms": weights.terms,
            "likeness": weights.likeness or self._likeness,
            "device": f"{self._machine.device} ({self._machine.name})",
            "memory": rung.words,
            "bits": rung.bits,
            "steps": call.steps,
            "guidance": call.guidance,
            "tokens": counted,
            "drawn_px": call.size_px,
            "pictures_px": [(picture.shape[1], picture.shape[0]) for picture in call.pictures],
            # Where two frames of one shot differ, these tell whether the model was shown the same.
            "pictures_sha256": [hashlib.sha256(picture.tobytes()).hexdigest() for picture in call.pictures],
            "reference_placement": shown.placement,
            "reference_beyond": shown.beyond,
            "libraries": used,
            "photo_left_this_machine": False,
            "said": [*said, *self._lessons, *([fitted] if fitted else [])],
        }
        version = f"diffusers {used['diffusers']}, torch {used['torch']}, {weights.name}@{weights.revision[:23]}"
        return Frame(
            pixels=pixels,
            shot=shot,
            rig=None,
            placement=None,
            edits=(),
            honours=dict(self.abilities.variables),
            engine_version=version,
            took_s=took_s,
            notes=notes,
            words=words.to_mapping(),
        )

    # What it works with.

    def _weights(self) -> Weights:
        if self._found is None:
            self._found = hub.find(self._model, self._revision)
        return self._found

    @property
    def _family(self) -> Family:
        """Of the weights that are here, else of the model's row in the table."""
        try:
            return self._weights().family
        except EngineError:
            listed = models.known(self._model)
            return models.families()[listed.family if listed else "klein"]

    @property
    def _licence(self) -> tuple[str, str, bool]:
        try:
            weights = self._weights()
        except EngineError:
            listed = models.known(self._model)
            return (listed.licence, listed.terms, listed.likeness) if listed else ("not known", "the model is not here to be read", False)
        return weights.licence, weights.terms, weights.likeness

    @cached_property
    def _machine(self) -> Machine:
        hub.must_have()
        return memory.machine(self._device)

    def _ladder(self, weights: Weights, size_px: tuple[int, int]) -> tuple[Rung, ...]:
        first = self._memory
        if first == "auto" and self._dtype != "auto":
            first = {"bf16": "whole", "fp32": "float32"}[self._dtype] if self._machine.device == "cpu" or self._dtype == "fp32" else "auto"
        return memory.ladder(self._machine, weights.parameters, size_px, first)

    def _loaded(self, weights: Weights, rung: Rung) -> Any:
        if self._pipe is None or self._rung != rung:
            self.close()
            self._pipe = loading.load(weights, rung, self._machine)
            self._rung = rung
        return self._pipe

    def _words(self, shot: Shot, sitting: Sitting) -> Words:
        w, h = shot.size_px
        aspect = shot.framing.aspect if not shot.framing.source else (w, h)
        return compiled(shot.look, self.dialect, shot.remedies, aspect=aspect, seed=shot.seed, guide=sitting.guide is not None)

    def _drawn(self, weights: Weights, shot: Shot) -> tuple[int, int]:
        return crop.drawn_px(shot.size_px, weights.family.least_px, weights.family.most_px)

    def _stepped(self, weights: Weights) -> int:
        family = weights.family
        return self._steps or int(family.distilled.get("steps", family.steps) if weights.distilled else family.steps)

    def _guided(self, weights: Weights) -> float | None:
        family = weights.family
        if family.guidance is None:
            return None
        if self._guidance >= 0:
            return self._guidance
        return float(family.distilled.get("guidance", family.guidance) if weights.distilled else family.guidance)

    def _rule(self, weights: Weights) -> Callable[[str], int]:
        encoder = {"klein": "qwen3", "flux3": "qwen3", "flux2": "mistral", "kontext": "t5"}[weights.family.name]
        return lambda text: tokens.estimate(text, encoder)

    @staticmethod
    def _must_fit(weights: Weights, counted: int) -> None:
        if counted > weights.family.tokens:
            most = weights.family.tokens
            said = f"the words are {counted} tokens, and {weights.family.title} reads {most}: the last would be cut in silence"
            raise EngineError("prompt-too-long", f"{said}. Shoot with fewer remedies, or a shorter mood in the look")


class _Watch:
    """Tells the session how far a take has come, and asks it whether to go on."""

    def __init__(self, steps: int, progress: Progress | None, cancel: Cancel | None) -> None:
        self._steps, self._progress, self._cancel = steps, progress, cancel
        self._began: float | None = None
        self._each_s: float | None = None
        self._told = -1

    def loading(self, needed: bool) -> None:
        self._say(0, "loading the model" if needed else "reading the words and the photo")

    def reading(self) -> None:
        self._began = time.perf_counter()
        self._each_s = None
        self._say(1, "reading the words and the photo")

    def stepped(self, done: int) -> None:
        stop_if(self._cancel)
        now = time.perf_counter()
        # The first step waits for the text encoder; from the second on their mean is a fair guess.
        self._each_s = (now - (self._began or now)) / done
        left = self._each_s * (self._steps - done + 1)
        self._say(1 + done, f"step {done + 1} of {self._steps}" if done < self._steps else "developing", left)

    def done(self) -> None:
        self._say(self._steps + 2, "done", 0.0)

    def _say(self, done: int, what: str, left_s: float | None = None) -> None:
        # After memory ran out the steps begin anew; what was told is not taken back.
        self._told = max(self._told, done)
        if self._progress:
            self._progress(Step(self._told, self._steps + 2, what, left_s))


def _one_of(settings: Settings, name: str, words: tuple[str, ...]) -> str:
    said = settings.text(name, words[0])
    if said not in words:
        raise EngineError("bad-option", f'diffusers: {name} is one of {", ".join(words)}, not "{said[:40]}"')
    return said


def _hash_of(sitting: Sitting) -> str:
    return "" if sitting.guide is None else hashlib.sha256(sitting.guide.tobytes()).hexdigest()

