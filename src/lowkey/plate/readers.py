"""Better readers that a photographer has added: which are known, which are here, and how one is run.

The known ones are data (`data/readers.toml`). A reader is one ONNX file in the user's data folder with the hash it had when it
was added; a file that is not that one any more is not run. Nothing is fetched. ONNX Runtime is imported when a reader runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.errors import EngineError
from lowkey.photo import write_whole
from lowkey.pixels import F32, U8

LARGEST_BYTES = 2_000_000_000
STEP = 32
"""Sides that `multiple` rounds to."""
CHANNELS = {"alpha": 1, "vectors": 3}


class Unfit(Exception):
    """A reader that cannot be run, or answers what it must not; the text says why."""


@dataclass(frozen=True)
class Known:
    """One reader of the registry."""

    name: str
    title: str
    reads: str
    """matte, parts or normals."""
    file: str
    size: str
    sha256: str
    """Of the file that its page publishes; empty where none is published."""
    licence: str
    page: str
    size_px: int
    fit: str
    channels: str
    layout: str
    mean: float
    std: float
    output: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Added:
    """A reader that is here, and the hash it was added with."""

    known: Known
    path: Path
    sha256: str

    @property
    def tag(self) -> str:
        """For the plate's `read_by`."""
        return f"{self.known.name} sha256:{self.sha256[:16]}"


@cache
def known() -> Mapping[str, Known]:
    """The registry, by name."""
    with (Path(__file__).parent.parent / "data" / "readers.toml").open("rb") as file:
        rows = tomllib.load(file)["reader"]
    return {
        name: Known(
            name, row["title"], row["reads"], row["file"], row["size"], row.get("sha256", ""), row["licence"], row["page"],
            **row["input"], output=row["output"], classes=tuple(row.get("classes", ())),
        )
        for name, row in rows.items()
    }  # fmt: skip


def folder() -> Path:
    """``$LOWKEY_DATA/readers``, else ``lowkey/readers`` in the user's data."""
    if given := os.environ.get("LOWKEY_DATA"):
        return Path(given) / "readers"
    import platformdirs

    return Path(platformdirs.user_data_path("lowkey")) / "readers"


def added() -> dict[str, Added]:
    """The readers that are here, by name; whether their files are still the same is asked when they run."""
    found = {}
    for name, one in known().items():
        with suppress(OSError, ValueError, TypeError, AttributeError):
            sha256 = json.loads((folder() / f"{name}.json").read_text("utf-8")).get("sha256")
            if isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256):
                found[name] = Added(one, folder() / f"{name}.onnx", sha256)
    return found


def active() -> dict[str, Added]:
    """The reader to ask for each kind of reading, by kind. ``LOWKEY_READERS=0`` asks none."""
    if os.environ.get("LOWKEY_READERS", "").strip().lower() in ("0", "no", "off"):
        return {}
    return {one.known.reads: one for one in reversed(added().values())}


def state() -> list[list[str]]:
    """What a kept plate depends on: the readers that would be asked, and their hashes."""
    return sorted([one.known.name, one.sha256] for one in active().values())


def find(name: str) -> Known:
    """One of the registry. Raises EngineError `no-such-reader`."""
    if name not in known():
        raise EngineError("no-such-reader", f'no reader is called "{name[:40]}"; there are: {", ".join(known())}')
    return known()[name]


def add(name: str, file: Path) -> Added:
    """Take a file as the reader of that name: checked against its hash, tried once, copied, and pinned.

    Raises EngineError: no-such-reader, reader-hash (it is not the file it has to be), reader-unfit (it does not run, or does not
    answer what the registry says).
    """
    one = find(name)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise EngineError("reader-unfit", f"{file.name} is larger than a reader can be ({LARGEST_BYTES // 10**9} GB)")
        data = file.read_bytes()
    except OSError as error:
        raise EngineError("reader-unfit", f"{file} cannot be read: {error.strerror or error}") from None
    sha256 = hashlib.sha256(data).hexdigest()
    if one.sha256 and sha256 != one.sha256:
        raise EngineError("reader-hash", f"{file.name} is not the file that {one.page} publishes: {sha256[:16]}, not {one.sha256[:16]}")
    held = added().get(name)
    if held and held.sha256 != sha256:
        way = f"lowkey readers remove {name} first, if you mean to change it"
        raise EngineError("reader-hash", f"{name} was added as {held.sha256[:16]} and this file is {sha256[:16]}: {way}")
    try:
        run(one, data, np.full((96, 64, 3), 128, np.uint8))
    except Unfit as why:
        raise EngineError("reader-unfit", f"{file.name} cannot be the reader {name}: {why}") from None
    folder().mkdir(parents=True, exist_ok=True)
    place = folder() / f"{name}.onnx"
    write_whole(place, data)
    write_whole(folder() / f"{name}.json", json.dumps({"sha256": sha256, "licence": one.licence, "page": one.page}).encode())
    return Added(one, place, sha256)


def remove(name: str) -> bool:
    """Remove a reader and what it was pinned to; whether there was one."""
    find(name)
    there = [file for file in (folder() / f"{name}.json", folder() / f"{name}.onnx") if file.exists()]
    for file in there:
        file.unlink(missing_ok=True)
    return bool(there)


def read(one: Added, picture: U8) -> F32:
    """What a reader says of u8[h, w, 3] sRGB: f32[h, w, channels]. Raises Unfit."""
    try:
        data = one.path.read_bytes()
    except OSError as error:
        raise Unfit(f"its file cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != one.sha256:
        raise Unfit(f"its file is not the one that was added ({one.sha256[:16]})")
    return run(one.known, data, picture)


def run(one: Known, model: bytes, picture: U8) -> F32:
    """Run a model on u8[h, w, 3] sRGB: f32[h, w, channels], probabilities where it gives logits. Raises Unfit.

    One thread and one order of operations, so that the answer does not depend on the machine's load.
    """
    try:
        import onnxruntime as ort
    except ImportError:
        raise Unfit("ONNX Runtime is missing: pip install 'lowkey[readers]'") from None
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    given, crop = _prepared(one, picture)
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        inputs = session.get_inputs()
        if len(inputs) != 1:
            raise Unfit(f"it takes {len(inputs)} inputs, not one picture")
        answer = session.run(None, {inputs[0].name: given})[0]
    except Unfit:
        raise
    except Exception as error:  # whatever a strange file makes the runtime raise
        raise Unfit(f"it does not run: {type(error).__name__}: {' '.join(str(error).split())[:160]}") from None
    return _understood(one, answer, given, crop, picture.shape[:2])


def _prepared(one: Known, picture: U8) -> tuple[F32, tuple[int, int, int, int]]:
    """The input tensor, and which of its pixels (top, bottom, left, right) hold the picture."""
    h, w = picture.shape[:2]
    if one.fit == "multiple":
        scale = one.size_px / min(h, w)
        across, tall = (max(STEP, round(side * scale / STEP) * STEP) for side in (w, h))
        crop = (0, tall, 0, across)
        coded = _resized(picture, (across, tall))
    elif one.fit == "square":
        side = one.size_px
        scale = side / max(h, w)
        across, tall = max(1, round(w * scale)), max(1, round(h * scale))
        top, left = (side - tall) // 2, (side - across) // 2
        crop = (top, top + tall, left, left + across)
        small = _resized(picture, (across, tall))
        coded = cv2.copyMakeBorder(small, top, side - tall - top, left, side - across - left, cv2.BORDER_REPLICATE)
    else:
        crop = (0, one.size_px, 0, one.size_px)
        coded = _resized(picture, (one.size_px, one.size_px))
    ordered = coded[..., ::-1] if one.channels == "bgr" else coded
    tensor = (ordered.astype(np.float32) / np.float32(255) - np.float32(one.mean)) / np.float32(one.std)
    return np.ascontiguousarray((tensor if one.layout == "nhwc" else tensor.transpose(2, 0, 1))[None], np.float32), crop


def _resized(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    smaller = size[0] < picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))


def _understood(one: Known, answer: Any, given: F32, crop: tuple[int, int, int, int], shape: tuple[int, int]) -> F32:
    """The answer as f32[h, w, channels] of the picture's own shape; what it must not be is Unfit."""
    count = len(one.classes) or CHANNELS[one.output]
    th, tw = given.shape[1:3] if one.layout == "nhwc" else given.shape[2:]
    want = (1, th, tw, count) if one.layout == "nhwc" else (1, count, th, tw)
    if not isinstance(answer, np.ndarray) or answer.shape != want or answer.dtype.kind != "f":
        seen = f"{answer.dtype}{list(answer.shape)}" if isinstance(answer, np.ndarray) else type(answer).__name__
        raise Unfit(f"it answers {seen}, and {one.reads} is float{list(want)}")
    told = answer[0].astype(np.float32)
    told = told if one.layout == "nhwc" else told.transpose(1, 2, 0)
    if not np.isfinite(told).all():
        raise Unfit("it answers numbers that are none (NaN or infinite)")
    if one.output == "logits":
        told = np.exp(told - told.max(-1, keepdims=True))
        told /= told.sum(-1, keepdims=True)
    elif one.output == "alpha":
        if told.min() < -0.01 or told.max() > 1.01:
            raise Unfit(f"a matte lies within 0 and 1, and it answers {told.min():.3g} to {told.max():.3g}")
        told = np.clip(told, 0, 1)
    top, bottom, left, right = crop
    part = np.ascontiguousarray(told[top:bottom, left:right])
    whole = np.asarray(cv2.resize(part, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
    return whole[..., None] if whole.ndim == 2 else whole
