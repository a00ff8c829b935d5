"""Models as data: the table of families and models, and what a folder of weights says about itself."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Any

from lowkey.errors import EngineError

INDEXES = ("modular_model_index.json", "model_index.json")
LARGEST_INDEX_BYTES = 1_000_000
_SAMPLED_BYTES = 1 << 16
_SAMPLES = 64
_FREE = ("apache-2.0", "mit", "bsd", "cc0")


@dataclass(frozen=True)
class Family:
    """How the pipelines of one family are called."""

    name: str
    title: str
    classes: tuple[str, ...]
    dialect: str
    tokenizer: str
    """The folder of the tokenizer that cuts the whole prompt."""
    tokens: int
    around: int
    """Tokens that the pipeline itself puts round the prompt, at most."""
    steps: int
    guidance: float | None
    """None where the pipeline takes none."""
    references: int
    least_px: int
    most_px: int
    """What is drawn at, in pixels of area: a smaller or larger frame is drawn at this and brought to its size."""
    distilled: Mapping[str, float]
    """What is otherwise for weights that were distilled to few steps."""


@dataclass(frozen=True)
class Model:
    """One model of the hub, and what its licence lets one do."""

    id: str
    family: str
    licence: str
    terms: str
    likeness: bool
    """Whether the likeness of its frames may be measured without a word from the user."""
    billions: tuple[float, ...]
    """Parameters of the transformer and of the text encoders."""
    download_gb: float


@dataclass(frozen=True)
class Weights:
    """A folder of weights that lies here."""

    folder: Path
    name: str
    """The model's id, or the folder's own name: never a path."""
    revision: str
    """The hub's commit, or a fingerprint of the folder."""
    family: Family
    class_name: str
    distilled: bool
    licence: str
    terms: str
    likeness: bool
    parameters: Mapping[str, int]
    """By part, read from the heads of the files of weights."""


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((files("lowkey") / "data" / "models.toml").read_text("utf-8"))


@cache
def families() -> Mapping[str, Family]:
    """By name."""
    found = {}
    for name, row in _table()["family"].items():
        given = {**row, "classes": tuple(row["classes"]), "guidance": row.get("guidance"), "distilled": row.get("distilled", {})}
        found[name] = Family(name=name, **given)
    return found


@cache
def models() -> tuple[Model, ...]:
    """The models that are known by name, the one for paid work first."""
    return tuple(Model(**{**row, "billions": tuple(row["billions"])}) for row in _table()["model"])


def known(id: str) -> Model | None:
    return next((one for one in models() if one.id.casefold() == id.casefold()), None)


def read(folder: Path, name: str, revision: str = "") -> Weights:
    """What a folder says: which family, how many parameters, under which licence. Raises EngineError `bad-weights`, `unknown-model`."""
    index = _index(folder)
    class_name = index.get("_class_name")
    family = next((one for one in families().values() if class_name in one.classes), None)
    if family is None:
        known_classes = ", ".join(cls for one in families().values() for cls in one.classes)
        raise EngineError("unknown-model", f'{name} is of the class "{str(class_name)[:60]}"; this engine runs: {known_classes}')
    listed = known(name)
    licence, terms, likeness = (listed.licence, listed.terms, listed.likeness) if listed else _card(folder)
    distilled = bool(index.get("is_distilled")) or "Distilled" in str(class_name)
    return Weights(
        folder, name, revision or _fingerprint(folder), family, str(class_name), distilled, licence, terms, likeness, _parameters(folder)
    )


def _index(folder: Path) -> Mapping[str, Any]:
    for name in INDEXES:
        file = folder / name
        if not file.is_file():
            continue
        try:
            if file.stat().st_size > LARGEST_INDEX_BYTES:
                raise ValueError("it is larger than an index can be")
            index = json.loads(file.read_bytes())
            if not isinstance(index, dict):
                raise ValueError("it is no object")
        except (OSError, ValueError, RecursionError) as error:
            said = f"{folder.name}/{name} cannot be read: {str(error)[:120]}"
            raise EngineError("bad-weights", f"{said}; pull or copy the model again") from None
        return index
    said = f"{folder.name} has neither {' nor '.join(reversed(INDEXES))}"
    raise EngineError("bad-weights", f"{said}, so it is no folder of a diffusers pipeline; name the folder that holds one of them")


def _card(folder: Path) -> tuple[str, str, bool]:
    """Licence, terms, and whether likeness may be measured, from the front matter of the model card; careful where it says nothing."""
    try:
        with (folder / "README.md").open(encoding="utf-8", errors="replace") as opened:
            head = opened.read(4000)
    except OSError:
        head = ""
    front = head.split("---")[1] if head.startswith("---") and head.count("---") > 1 else ""
    said = dict(re.findall(r"^(license|license_name): *([\w.\-]+) *$", front, re.MULTILINE))
    licence = said.get("license_name") or said.get("license", "")
    if not licence:
        return "not said in its folder", "ask whoever made the weights what they may be used for", False
    free = said.get("license", "").startswith(_FREE)
    return licence, "as its model card says" if free else "read its model card before paid work", free


def _parameters(folder: Path) -> Mapping[str, int]:
    """Parameters by part, from the heads of the safetensors files (8 bytes of length, then JSON)."""
    counted: dict[str, int] = {}
    for file in sorted(folder.glob("*/*.safetensors")):
        try:
            with file.open("rb") as opened:
                length = int.from_bytes(opened.read(8), "little")
                if length > 100_000_000:
                    raise ValueError("its head is larger than one can be")
                head = json.loads(opened.read(length))
                held = sum(prod(tensor["shape"]) for name, tensor in head.items() if name != "__metadata__")
        except (OSError, ValueError, KeyError, TypeError) as error:
            said = f"{file.parent.name}/{file.name} is damaged: {str(error)[:100]}"
            raise EngineError("bad-weights", f"{said}; pull or copy the model again") from None
        counted[file.parent.name] = counted.get(file.parent.name, 0) + held
    missing = [part for part in ("transformer", "text_encoder", "vae") if part not in counted]
    for listing in folder.glob("*/*.safetensors.index.json"):
        try:
            shards = set(json.loads(listing.read_bytes())["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            shards = {"its list of files"}
        missing += [f"{listing.parent.name}/{shard}" for shard in sorted(map(str, shards)) if not (listing.parent / shard).is_file()]
    if missing:
        said = f"{folder.name} lacks {', '.join(missing[:4])} (only .safetensors are opened)"
        raise EngineError("bad-weights", f"{said}; pull or copy the model again")
    return counted


def _fingerprint(folder: Path) -> str:
    """Sixteen hex digits that change when a file does: names, sizes and content, large files in samples."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix not in (".json", ".safetensors", ".txt", ".jinja", ".model"):
            continue
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()} {size}\n".encode())
        with file.open("rb") as opened:
            if file.name in INDEXES or size <= _SAMPLED_BYTES * _SAMPLES:
                # A modular index says where it was saved; a copy elsewhere is the same model.
                digest.update(b"" if file.name == INDEXES[0] else opened.read())
                continue
            for index in range(_SAMPLES):
                opened.seek((size - _SAMPLED_BYTES) * index // (_SAMPLES - 1))
                digest.update(opened.read(_SAMPLED_BYTES))
    return f"folder-{digest.hexdigest()[:16]}"
