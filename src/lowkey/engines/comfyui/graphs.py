"""Graphs in ComfyUI's API format, ours and a user's: their marked inputs filled, and held against what a server has.

A node is marked by its title: ``lowkey: prompt``, ``lowkey: seed``, ``lowkey: reference``, ``lowkey: guide``,
``lowkey: width, height``, ``lowkey: negative``, ``lowkey: model``, ``lowkey: result``. Where a node names its input otherwise
than usual, the mark says so: ``lowkey: prompt -> instruction``.
"""

from __future__ import annotations

import copy
import fnmatch
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lowkey.errors import EngineError

FOLDER = Path(__file__).parents[2] / "data" / "graphs"
LARGEST_BYTES = 4 << 20
DEFAULT = "flux2-klein"

INPUTS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("text", "prompt", "value", "string"),
    "negative": ("text", "prompt", "value", "string"),
    "seed": ("seed", "noise_seed", "value", "int"),
    "reference": ("image",),
    "guide": ("image",),
    "width": ("width", "value", "int"),
    "height": ("height", "value", "int"),
    "model": ("unet_name", "ckpt_name", "model_name"),
    "result": ("filename_prefix",),
}
"""The marks, and the names that nodes usually give the input."""
_MARK = re.compile(r"^\s*lowkey\s*:\s*(.+?)\s*$", re.IGNORECASE)
_LITERALS = ("INT", "FLOAT", "STRING", "BOOLEAN")


@dataclass(frozen=True)
class Mark:
    """One marked input."""

    name: str
    node: str
    input: str


@dataclass(frozen=True)
class Graph:
    """A graph with its marks."""

    name: str
    nodes: Mapping[str, Any] = field(repr=False)
    marks: tuple[Mark, ...] = ()
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """``Class.input`` -> names of model files that will do, best first; the user's own graph names its files itself."""

    @property
    def digest(self) -> str:
        """Of the graph as it stands, short."""
        text = json.dumps(self.nodes, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def has(self, name: str) -> bool:
        return any(mark.name == name for mark in self.marks)

    @property
    def result(self) -> str | None:
        """The node whose picture is taken; None where none is marked."""
        return next((mark.node for mark in self.marks if mark.name == "result"), None)

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The nodes with every marked input that a value is given for; titles are left out: they are nobody's business."""
        nodes = copy.deepcopy(dict(self.nodes))
        for node in nodes.values():
            node.pop("_meta", None)
        for mark in self.marks:
            if mark.name in values and mark.input:
                nodes[mark.node]["inputs"][mark.input] = values[mark.name]
        return nodes


@cache
def shipped() -> Mapping[str, Any]:
    """The table of the graphs that ship."""
    return tomllib.loads((FOLDER / "graphs.toml").read_text("utf-8"))


def find(name: str, *, prelight: bool = False) -> Graph:
    """A graph that ships. Raises EngineError `unknown-model`."""
    table = shipped()
    if name not in table:
        raise EngineError("unknown-model", f'no graph for "{name[:60]}" ships; there are: {", ".join(table)}; or --option workflow=FILE')
    row = table[name]
    file = row["prelight"] if prelight and "prelight" in row else row["graph"]
    return read((FOLDER / file).read_text("utf-8"), name, {at: tuple(names) for at, names in row["files"].items()})


def from_file(path: Path) -> Graph:
    """A user's own graph. Raises EngineError `bad-workflow`."""
    text = ""
    try:
        if path.stat().st_size <= LARGEST_BYTES and path.is_file():
            text = path.read_text("utf-8")
    except (OSError, ValueError):
        text = ""
    if not text:
        raise EngineError("bad-workflow", f"{path.name[:80]} cannot be read, is empty, or is larger than {LARGEST_BYTES >> 20} MB")
    graph = read(text, path.name)
    if not graph.has("reference"):
        way = 'title its LoadImage node "lowkey: reference"'
        raise EngineError("bad-workflow", f"{path.name[:80]} has no place for the person's photo: {way} (docs/remote.md)")
    return graph


def read(text: str, name: str, files: Mapping[str, tuple[str, ...]] | None = None) -> Graph:
    """A graph from its JSON. Raises EngineError `bad-workflow`."""

    def refuse(why: str) -> EngineError:
        return EngineError("bad-workflow", f"{name[:80]}: {why}")

    nodes: Any = None
    try:
        nodes = json.loads(text)
    except (ValueError, RecursionError):
        nodes = None
    if not isinstance(nodes, dict) or not nodes:
        raise refuse("it is no JSON object")
    if "nodes" in nodes and "links" in nodes:
        raise refuse("it was saved for the page, not for the API: in ComfyUI choose Workflow, Export (API)")
    for id, node in nodes.items():
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str) or not isinstance(node.get("inputs"), dict):
            raise refuse(f"node {id[:20]} has no class_type and inputs")
        for value in node["inputs"].values():
            if _is_link(value) and value[0] not in nodes:
                raise refuse(f"node {id[:20]} is linked to {value[0][:20]}, which is not there")
    return Graph(name, nodes, tuple(mark for id, node in nodes.items() for mark in _marks(id, node, refuse)), dict(files or {}))


def _marks(id: str, node: Mapping[str, Any], refuse: Callable[[str], EngineError]) -> list[Mark]:
    meta = node.get("_meta")
    title = _MARK.match(str(meta.get("title", ""))) if isinstance(meta, dict) else None
    found = []
    for part in title[1].split(",") if title else ():
        said, _, given = (piece.strip() for piece in part.partition("->"))
        said = said.casefold()
        if said not in INPUTS:
            raise refuse(f'node {id[:20]} is marked "lowkey: {said[:30]}"; the marks are: {", ".join(INPUTS)}')
        inputs = node["inputs"]
        input = given if given in inputs else "" if given else next((one for one in INPUTS[said] if one in inputs), "")
        if not input and said != "result":
            usual = given or " or ".join(INPUTS[said])
            raise refuse(f'node {id[:20]} is marked "lowkey: {said}" and has no input {usual[:60]}')
        if input and _is_link(inputs[input]):
            raise refuse(f'node {id[:20]}, marked "lowkey: {said}": its {input} comes from another node; mark that one')
        found.append(Mark(said, id, input))
    return found


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


# --- what the server has -----------------------------------------------------------------------------------------------------


def built(graph: Graph, nodes: dict[str, Any], info: Mapping[str, Any]) -> dict[str, Any]:
    """The filled nodes made to suit a server, whose `info` is its /object_info of each class.

    Inputs that the server's version wants beside ours get its own defaults; model files are found by name, wherever their folder.
    Raises EngineError missing-node, missing-model or bad-workflow, each with everything that is missing.
    """
    if missing := sorted({node["class_type"] for node in nodes.values()} - set(info)):
        raise EngineError("missing-node", f"the server has no node {', '.join(missing)}: update ComfyUI, or install what brings it")
    uploaded = {(mark.node, mark.input) for mark in graph.marks if mark.name in ("reference", "guide")}
    lacking: list[str] = []
    wrong: list[str] = []
    for id, node in nodes.items():
        wanted = info[node["class_type"]].get("input", {})
        for name, spec in {**wanted.get("required", {}), **wanted.get("optional", {})}.items():
            kind, about = _kind(spec)
            inputs = node["inputs"]
            if name not in inputs and name in wanted.get("required", {}):
                inputs[name] = _default(kind, about, node["class_type"], name)
            if not isinstance(kind, list) or (id, name) in uploaded or _is_link(inputs.get(name)) or name not in inputs:
                continue
            names = graph.files.get(f"{node['class_type']}.{name}", (inputs[name],) if isinstance(inputs[name], str) else ())
            if (found := _installed(names, kind)) is not None:
                inputs[name] = found
            elif inputs[name] not in kind:
                has = ", ".join(str(one) for one in kind[:8]) or "none"
                said = f'{node["class_type"]} {name}: "{str(inputs[name])[:80]}" (it has: {has})'
                (lacking if re.search(r"\.\w{2,12}$", str(inputs[name])) else wrong).append(said)
    if wrong:
        raise EngineError("bad-workflow", f"{graph.name[:80]}: this server has no such choice: {'; '.join(wrong)}")
    if lacking:
        raise EngineError("missing-model", f"the server lacks {'; '.join(lacking)}. Put the file into its models folder (docs/remote.md)")
    return nodes


def _kind(spec: Any) -> tuple[Any, Mapping[str, Any]]:
    """The type of an input, a list where it is a choice, and what else is said of it: in ComfyUI's older and newer manner."""
    if not isinstance(spec, list) or not spec:
        return "", {}
    about = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    if spec[0] == "COMBO" and isinstance(about.get("options"), list):
        return about["options"], about
    return spec[0], about


def _default(kind: Any, about: Mapping[str, Any], node: str, name: str) -> Any:
    if "default" in about:
        return about["default"]
    if isinstance(kind, list) and kind:
        return kind[0]
    plain = {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False}
    if kind in _LITERALS:
        return plain[kind]
    raise EngineError("bad-workflow", f"the node {node} of this server wants an input {name} that the graph does not give")


def _installed(names: tuple[str, ...], there: list[Any]) -> str | None:
    """The first of the names, or patterns, that a list of files holds; a file may lie in a folder."""
    for wanted in names:
        for one in there:
            base = re.split(r"[/\\]", str(one))[-1].casefold()
            if one == wanted or fnmatch.fnmatchcase(base, wanted.casefold()):
                return str(one)
    return None
