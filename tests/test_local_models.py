"""What needs no model and no torch: the table of models, the ladder of memory, sizes, and pulling from a hub of the test's own."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from lowkey.engines.diffusers import crop, memory, models
from lowkey.engines.diffusers.memory import Machine
from lowkey.errors import EngineError
from lowkey.prompt import dialects

KLEIN = {"transformer": 3_900_000_000, "text_encoder": 4_000_000_000, "vae": 84_000_000}
DEV = {"transformer": 32_200_000_000, "text_encoder": 24_000_000_000, "vae": 84_000_000}
FRAME = (1024, 1280)


def card(gb: float, host: float = 64.0, quantises: bool = False) -> Machine:
    return Machine("cuda", "a card", gb, host, quantises=quantises)


def test_the_table_is_whole() -> None:
    assert models.models()[0].licence == "Apache-2.0", "the first is the one a paid photographer may run"
    for model in models.models():
        family = models.families()[model.family]
        assert family.dialect in dialects.names()
        assert dialects.find(family.dialect).references >= min(family.references, 1)
        assert model.likeness == (model.licence == "Apache-2.0"), "no other licence was read as allowing it"
        assert model.download_gb >= 2 * sum(model.billions) * 0.98, model.id
    classes = [name for family in models.families().values() for name in family.classes]
    assert len(classes) == len(set(classes))


@pytest.mark.parametrize(
    ("found", "parameters", "first"),
    [
        (card(80), KLEIN, "whole"),
        (card(24), KLEIN, "whole"),
        (card(16), KLEIN, "model-offload"),
        (card(8), KLEIN, "group-offload"),
        (card(80, 256), DEV, "model-offload"),
        (card(24, 256), DEV, "group-offload"),
        (card(24, 64, quantises=True), DEV, "4-bit"),
        (Machine("cpu", "CPU", 64, 64), KLEIN, "float32"),
        (Machine("cpu", "CPU", 24, 24), KLEIN, "whole"),
        (Machine("mps", "Apple GPU", 32, 32), KLEIN, "whole"),
    ],
)
def test_the_first_rung_is_the_best_that_fits(found: Machine, parameters: dict[str, int], first: str) -> None:
    assert memory.ladder(found, parameters, FRAME)[0].name == first


@pytest.mark.parametrize("gb", [6, 8, 12, 16, 24, 48, 80])
def test_a_smaller_card_never_gets_a_larger_rung(gb: int) -> None:
    order = list(memory.NAMES)
    larger, smaller = (memory.ladder(card(size, 128, True), KLEIN, FRAME)[0] for size in (gb * 1.5, gb))
    assert order.index(smaller.name) >= order.index(larger.name)
    rungs = memory.ladder(card(gb, 128, True), KLEIN, FRAME)
    assert all(two.device_gb < rungs[0].device_gb or two.bits < rungs[0].bits for two in rungs[1:])
    assert all(one.bits >= two.bits for one, two in pairwise(rungs)), "what changes the picture comes last"


def test_a_rung_can_be_asked_for_and_one_that_is_not_there_is_refused() -> None:
    assert memory.ladder(card(80), KLEIN, FRAME, "sequential-offload")[0].name == "sequential-offload"
    for name, found in (("4-bit", card(80)), ("model-offload", Machine("cpu", "CPU", 64, 64))):
        with pytest.raises(EngineError) as refused:
            memory.ladder(found, KLEIN, FRAME, name)
        assert refused.value.code == "bad-option"


@pytest.mark.parametrize("found", [card(4, 8), Machine("cpu", "CPU", 8, 8), Machine("mps", "Apple GPU", 16, 16)])
def test_too_little_memory_is_said_before_anything_loads(found: Machine) -> None:
    with pytest.raises(EngineError) as refused:
        memory.ladder(found, KLEIN, FRAME)
    assert refused.value.code == "too-little-memory"
    assert "GB" in refused.value.message


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 1 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("no room"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
        (EngineError("cancelled", "the take was cancelled"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_faults(error: BaseException, ran_out: bool) -> None:
    assert memory.ran_out(error) == ran_out


@pytest.mark.parametrize("size", [(1024, 1280), (900, 1125), (640, 800), (64, 64), (3000, 3000), (2400, 3600), (333, 499), (250, 314)])
@pytest.mark.parametrize("family", ["klein", "kontext"])
def test_any_size_is_drawn_on_the_grid_and_comes_out_exact(size: tuple[int, int], family: str) -> None:
    row = models.families()[family]
    drawn = crop.drawn_px(size, row.least_px, row.most_px)
    assert drawn[0] % crop.GRID == drawn[1] % crop.GRID == 0
    assert drawn[0] * drawn[1] <= row.most_px * 1.01
    assert drawn[0] * drawn[1] >= min(row.least_px, size[0] * size[1]) * 0.9
    assert abs(np.log(drawn[0] * size[1] / (drawn[1] * size[0]))) < 0.04
    made, said = crop.exact(np.full((drawn[1], drawn[0], 3), 0.25, np.float32), size)
    assert made.shape == (size[1], size[0], 3)
    assert np.abs(made.astype(int) - round(0.25 * 65535)).max() <= 40
    assert bool(said) == (drawn != size)


def test_the_rim_of_the_grid_is_cut_and_nothing_resampled() -> None:
    drawn = np.random.default_rng(1).random((336, 256, 3)).astype(np.float32)
    made, said = crop.exact(drawn, (250, 333))
    assert np.array_equal(made, np.round(drawn[1:334, 3:253] * 65535).astype(np.uint16))
    assert "cropped" in said


def test_a_circle_stays_one() -> None:
    """Reduced or enlarged, with another aspect: what was drawn is cropped, never stretched."""
    y, x = np.mgrid[:576, :464]
    disc = (((x - 231.5) ** 2 + (y - 287.5) ** 2) < 150**2).astype(np.float32)
    for size in ((320, 400), (700, 875), (400, 400)):
        made = crop.exact(np.repeat(disc[..., None], 3, -1), size)[0][..., 0] > 32767
        across, tall = made.any(0).sum(), made.any(1).sum()
        assert abs(int(across) - int(tall)) <= 1


@pytest.mark.parametrize("size", [(1024, 1280), (1024, 1536), (1024, 1024), (640, 1280)])
def test_kontext_is_shown_a_size_it_was_trained_on(size: tuple[int, int]) -> None:
    shown = crop.shown_px(size, kontext=True)
    assert shown in crop.KONTEXT_PX or shown[::-1] in crop.KONTEXT_PX
    assert abs(np.log(shown[0] * size[1] / (shown[1] * size[0]))) < 0.08
    other = crop.shown_px(size, kontext=False)
    assert other[0] * other[1] <= crop.REFERENCE_PX
    assert min(other) >= crop.LEAST_SIDE


def test_listing_the_engines_loads_no_library_of_models() -> None:
    script = (
        "import sys; from lowkey import engines\n"
        "for name in engines.names(): one = engines.find(name); one.abilities; one.ready()\n"
        "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Pulling, against a server that answers as the hub does.


class Hub(BaseHTTPRequestHandler):
    """The few answers that the hub's client asks for: what a model consists of, and its files, in ranges."""

    commit: ClassVar[str] = "c" * 40
    files: ClassVar[dict[str, bytes]] = {}
    gated: ClassVar[bool] = False
    drop: ClassVar[dict[str, int]] = {}
    """After how many bytes the first answer with this file breaks off."""
    spoilt: ClassVar[dict[str, bytes]] = {}
    """What is sent once in place of a file."""
    asked: ClassVar[list[tuple[str, str, str]]] = []

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.asked.append((self.command, path, self.headers.get("Range", "")))
        if path.startswith("/api/models/") and path.count("/tree/"):
            rows = [_row(name, data) for name, data in self.files.items()]
            self._json(rows, body)
            return
        if path.startswith("/api/models/someone/tiny"):
            self._json({"id": "someone/tiny", "sha": self.commit, "siblings": [{"rfilename": name} for name in self.files]}, body)
            return
        name = path.rpartition(f"/resolve/{self.commit}/")[2]
        if self.gated and name in self.files:
            self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
            return
        if name not in self.files or "/someone/tiny/" not in path:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)
            return
        data = self.spoilt.pop(name, self.files[name]) if body else self.files[name]
        headers = {"ETag": f'"{hashlib.sha256(self.files[name]).hexdigest()}"', "X-Repo-Commit": self.commit, "Accept-Ranges": "bytes"}
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        most = self.drop.pop(name, None) if body and not start else None
        self._send(206 if start else 200, data[start:], headers, body, most)

    def _json(self, told: object, body: bool) -> None:
        self._send(200, json.dumps(told).encode(), {"Content-Type": "application/json"}, body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool, most: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data[:most] if most is not None else data)
        if most is not None:
            self.close_connection = True


def _row(name: str, data: bytes) -> dict[str, object]:
    """A file as the hub lists it: large ones with their sha256, the others by git's own sum."""
    git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    large = {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}}
    return {"type": "file", "path": name, "size": len(data), "oid": git, **(large if name.endswith(".safetensors") else {})}


@contextmanager
def hub_with(
    files: dict[str, bytes], *, gated: bool = False, drop: dict[str, int] | None = None, spoilt: dict[str, bytes] | None = None
) -> Iterator[tuple[str, type[Hub]]]:
    own = {"files": files, "gated": gated, "drop": dict(drop or {}), "spoilt": dict(spoilt or {}), "asked": []}
    kind = type("OneHub", (Hub,), own)
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


needs_client = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("huggingface_hub", "torch", "diffusers", "transformers", "accelerate")),
    reason="the extra is absent: pip install -r requirements/flux.txt",
)


def tensors(bytes_: int) -> bytes:
    head = json.dumps({"w": {"dtype": "F32", "shape": [bytes_ // 4], "data_offsets": [0, bytes_]}}).encode()
    return len(head).to_bytes(8, "little") + head + np.random.default_rng(1).bytes(bytes_)


def model_files() -> dict[str, bytes]:
    return {
        "model_index.json": json.dumps({"_class_name": "Flux2KleinPipeline", "is_distilled": True}).encode(),
        "README.md": b"---\nlicense: apache-2.0\n---\n",
        "whole-checkpoint.safetensors": tensors(400_000),
        "transformer/diffusion_pytorch_model.safetensors": tensors(2_000_000),
        "text_encoder/model.safetensors": tensors(100_000),
        "vae/diffusion_pytorch_model.safetensors": tensors(40_000),
        "tokenizer/tokenizer.json": b"{}",
    }


def lowkey(host: str, cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HF_ENDPOINT": host, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "5"}
    env.pop("HF_HUB_OFFLINE", None)
    asked = [sys.executable, "-c", "from lowkey.cli import main; main()", *words]
    return subprocess.run(asked, capture_output=True, text=True, check=False, env=env, timeout=120)


@needs_client
def test_pull_shows_the_licence_fetches_the_parts_and_pins_the_commit(tmp_path: Path) -> None:
    files = model_files()
    with hub_with(files) as (host, kind):
        refused = lowkey(host, tmp_path, "engines", "pull", "someone/tiny", "--json")
        assert refused.returncode == 3
        assert "licence-not-accepted" in refused.stdout
        assert not kind.asked, "nothing is asked of the hub before the licence is accepted"
        done = lowkey(host, tmp_path, "engines", "pull", "someone/tiny", "--accept-licence", "--json")
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["revision"] == kind.commit
        assert told["parameters"] == {"text_encoder": 25_000, "transformer": 500_000, "vae": 10_000}
        assert "licence" in done.stderr
        assert not [path for _, path, _ in kind.asked if "whole-checkpoint" in path], "the same weights once more"
    # The server is gone: what was pulled is found without it, and what was not is refused.
    found = "from lowkey.engines.diffusers import hub; w = hub.find('someone/tiny'); print(w.revision, w.licence)"
    env = {**os.environ, "HF_ENDPOINT": host, "HF_HOME": str(tmp_path)}
    there = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=False, env=env)
    assert there.stdout.split() == [kind.commit, "apache-2.0"], there.stderr[-1000:]


@needs_client
def test_a_pull_that_breaks_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    large = "transformer/diffusion_pytorch_model.safetensors"
    files = {**model_files(), large: tensors(24_000_000)}  # the client writes ten megabytes at a time
    with hub_with(files, drop={large: 15_000_000}) as (host, kind):
        for _ in range(2):  # the client itself may go on at once, or stop and be run again: either way nothing is fetched twice
            done = lowkey(host, tmp_path, "engines", "pull", "someone/tiny", "--accept-licence", "--json")
            if done.returncode == 0:
                break
            assert "unreachable" in done.stdout
        assert done.returncode == 0, done.stdout
        ranges = [asked for verb, path, asked in kind.asked if verb == "GET" and path.endswith(large)]
        assert len(ranges) == 2
        assert int(ranges[1].removeprefix("bytes=").partition("-")[0]) > 0
    fetched = next(tmp_path.rglob(f"snapshots/{kind.commit}/{large}"))
    assert fetched.read_bytes() == files[large]


@needs_client
def test_a_file_that_comes_damaged_is_found_and_fetched_again(tmp_path: Path) -> None:
    """Of the same size: only its sum tells."""
    files = model_files()
    name = "text_encoder/model.safetensors"
    with hub_with(files, spoilt={name: files[name][:-4] + b"oops"}) as (host, kind):
        done = lowkey(host, tmp_path, "engines", "pull", "someone/tiny", "--accept-licence", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "bad-weights"
        assert name in done.stdout
        done = lowkey(host, tmp_path, "engines", "pull", "someone/tiny", "--accept-licence", "--json")
        assert done.returncode == 0, done.stdout
        fetched = [path for verb, path, _ in kind.asked if verb == "GET" and path.endswith(".safetensors")]
        assert sorted(path.rpartition("/resolve/")[2].partition("/")[2] for path in fetched) == sorted(
            [name, *(file for file in files if file.endswith(".safetensors") and "/" in file)]
        ), "nothing else is fetched twice"
    assert next(tmp_path.rglob(f"snapshots/{kind.commit}/{name}")).read_bytes() == files[name]


@needs_client
@pytest.mark.parametrize(("model", "gated", "code"), [("someone/tiny", True, "gated-model"), ("someone/else", False, "unknown-model")])
def test_a_hub_that_refuses_is_understood(tmp_path: Path, model: str, gated: bool, code: str) -> None:
    with hub_with(model_files(), gated=gated) as (host, _):
        done = lowkey(host, tmp_path, "engines", "pull", model, "--accept-licence", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == code


@needs_client
def test_no_hub_at_all_is_said(tmp_path: Path) -> None:
    done = lowkey("http://127.0.0.1:1", tmp_path, "engines", "pull", "someone/tiny", "--accept-licence", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout.splitlines()[-1])["error"]["code"] == "unreachable"
