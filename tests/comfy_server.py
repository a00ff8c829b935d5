"""A server that behaves as ComfyUI does, with the nodes of the graphs that ship and no models. Loopback, one thread a request.

Written from the routes and events of its documented API; a picture is made from the graph's size and seed. `faults` as in
services.py; `restart()` forgets queue and history as a restart does, and leaves the files.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from lowkey.photo.png import png_bytes
from services import picture, running

BLANK = png_bytes(np.zeros((64, 64, 3), np.uint8))
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def node(required: dict[str, Any], optional: dict[str, Any] | None = None, output: bool = False) -> dict[str, Any]:
    return {"input": {"required": required, **({"optional": optional} if optional else {})}, "output_node": output}


def choice(*names: str) -> list[Any]:
    return [list(names)]


def combo(*names: str) -> list[Any]:
    """The newer manner."""
    return ["COMBO", {"options": list(names)}]


INT, SIZE = ["INT", {"default": 1, "min": 0}], ["INT", {"default": 1024, "min": 16, "max": 16384}]


def nodes() -> dict[str, Any]:
    """/object_info: old and new manner mixed, as on a real server."""
    return {
        "UNETLoader": node({
            "unet_name": choice("other.safetensors", "flux2/flux-2-klein-4b.safetensors", "flux1-dev-kontext_fp8_scaled.safetensors"),
            "weight_dtype": choice("default", "fp8_e4m3fn"),
        }),
        "CLIPLoader": node(
            {"clip_name": choice("qwen_3_4b.safetensors"), "type": combo("flux2", "sd3")}, {"device": choice("default", "cpu")}
        ),
        "DualCLIPLoader": node({
            "clip_name1": choice("clip_l.safetensors", "t5xxl_fp16.safetensors"),
            "clip_name2": choice("clip_l.safetensors", "t5xxl_fp16.safetensors"),
            "type": choice("sdxl", "flux"),
        }, {"device": choice("default", "cpu")}),
        "VAELoader": node({"vae_name": choice("ae.safetensors", "flux2-vae.safetensors")}),
        "LoadImage": node({"image": [["example.png"], {"image_upload": True}]}),
        "FluxKontextImageScale": node({"image": ["IMAGE"]}),
        # A newer server wants one input more than the graphs that ship.
        "ImageScaleToTotalPixels": node({
            "image": ["IMAGE"], "upscale_method": combo("lanczos", "area"), "megapixels": ["FLOAT", {"default": 1.0}],
            "resolution_steps": ["INT", {"default": 1}],
        }),
        "VAEEncode": node({"pixels": ["IMAGE"], "vae": ["VAE"]}),
        "CLIPTextEncode": node({"text": ["STRING", {"multiline": True}], "clip": ["CLIP"]}),
        "ReferenceLatent": node({"conditioning": ["CONDITIONING"]}, {"latent": ["LATENT"]}),
        "FluxGuidance": node({"conditioning": ["CONDITIONING"], "guidance": ["FLOAT", {"default": 3.5}]}),
        "ConditioningZeroOut": node({"conditioning": ["CONDITIONING"]}),
        "EmptySD3LatentImage": node({"width": SIZE, "height": SIZE, "batch_size": INT}),
        "EmptyFlux2LatentImage": node({"width": SIZE, "height": SIZE, "batch_size": INT}),
        "KSampler": node({
            "model": ["MODEL"], "positive": ["CONDITIONING"], "negative": ["CONDITIONING"], "latent_image": ["LATENT"], "seed": INT,
            "steps": INT, "cfg": ["FLOAT", {"default": 8.0}], "sampler_name": choice("euler"), "scheduler": choice("simple"),
            "denoise": ["FLOAT", {"default": 1.0}],
        }),
        "CFGGuider": node({"model": ["MODEL"], "positive": ["CONDITIONING"], "negative": ["CONDITIONING"], "cfg": ["FLOAT", {}]}),
        "KSamplerSelect": node({"sampler_name": combo("euler", "heun")}),
        "Flux2Scheduler": node({"steps": INT, "width": SIZE, "height": SIZE}),
        "RandomNoise": node({"noise_seed": INT}),
        "SamplerCustomAdvanced": node({
            "noise": ["NOISE"], "guider": ["GUIDER"], "sampler": ["SAMPLER"], "sigmas": ["SIGMAS"], "latent_image": ["LATENT"],
        }),
        "VAEDecode": node({"samples": ["LATENT"], "vae": ["VAE"]}),
        "ImageScale": node({
            "image": ["IMAGE"], "upscale_method": choice("lanczos"), "width": SIZE, "height": SIZE, "crop": choice("center"),
        }),
        "SaveImage": node({"images": ["IMAGE"], "filename_prefix": ["STRING", {"default": "ComfyUI"}]}, output=True),
        "PreviewImage": node({"images": ["IMAGE"]}, output=True),
    }  # fmt: skip


class Comfy:
    """The server's memory. `folders` and `made` outlive a restart, the rest does not."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.hold = ""
        self.reached, self.release = threading.Event(), threading.Event()
        self.info = nodes()
        self.folders: dict[str, dict[str, bytes]] = {"input": {}, "output": {}, "temp": {}}
        self.shown: dict[str, set[bytes]] = defaultdict(set)
        """Every picture that ever lay under a name."""
        self.queue: list[tuple[str, dict[str, Any], str]] = []
        self.current: tuple[str, dict[str, Any], str] | None = None
        self.history: dict[str, Any] = {}
        self.cached: set[str] = set()
        self.lines: list[Any] = []
        self.connections = 0
        self.submits: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.interrupts: list[str] = []
        self.made = 0
        """How many pictures were really drawn."""
        self.speed_s = 0.05
        self.fail = ""
        self.gives_ids = False
        """As servers did that chose the id themselves."""
        self.stop = threading.Event()
        self.epoch = 0
        self.lock = threading.RLock()
        threading.Thread(target=self.work, daemon=True).start()

    def next(self, step: str) -> str:
        with self.lock:
            return self.faults[step].pop(0) if self.faults[step] else ""

    def wait_at(self, step: str) -> None:
        if self.hold == step:
            self.reached.set()
            self.release.wait(20)

    def restart(self) -> None:
        with self.lock:
            self.epoch += 1
            self.queue, self.current, self.history, self.cached = [], None, {}, set()
            self.folders["temp"].clear()
        self.hang_up()

    def hang_up(self) -> None:
        for line in list(self.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    # --- the worker ------------------------------------------------------------------------------------------------------

    def work(self) -> None:
        while not self.stop.is_set():
            with self.lock:
                if self.queue and self.current is None:
                    self.current = self.queue.pop(0)
                item, epoch = self.current, self.epoch
            if item is None:
                time.sleep(0.01)
                continue
            entry = self.draw(item, epoch)
            with self.lock:
                if self.epoch == epoch:
                    self.history[item[0]] = entry
                    self.current = None
            if self.epoch == epoch:
                self.event("executing", {"node": None, "prompt_id": item[0]})

    def draw(self, item: tuple[str, dict[str, Any], str], epoch: int) -> dict[str, Any]:
        id, graph, _ = item
        self.event("execution_start", {"prompt_id": id})
        messages: list[Any] = [["execution_start", {"prompt_id": id}]]
        for step in range(1, 5):
            time.sleep(self.speed_s)
            if self.epoch != epoch:
                return {}
            if id in self.interrupts:
                messages.append(["execution_interrupted", {"prompt_id": id, "node_id": "12", "node_type": "KSampler"}])
                return self.failed(id, graph, messages)
            # Twice, once late, and one of another prompt: as happens when a line is connected again.
            for value in (step, step, max(step - 2, 0)):
                self.event("progress", {"value": value, "max": 4, "prompt_id": id, "node": "12"})
            self.event("progress", {"value": 4, "max": 4, "prompt_id": str(uuid.uuid4()), "node": "12"})
        if self.fail:
            about = {"node_id": "12", "node_type": "KSampler", "exception_message": self.fail, "traceback": ["secret path"]}
            messages.append(["execution_error", about])
            return self.failed(id, graph, messages)
        with self.lock:
            if self.epoch != epoch:
                return {}
            outputs = self.outputs(graph)
        self.event("execution_success", {"prompt_id": id})
        status = {"status_str": "success", "completed": True, "messages": messages}
        return {"prompt": [0, id, graph], "outputs": outputs, "status": status}

    @staticmethod
    def failed(id: str, graph: dict[str, Any], messages: list[Any]) -> dict[str, Any]:
        status = {"status_str": "error", "completed": False, "messages": messages}
        return {"prompt": [0, id, graph], "outputs": {}, "status": status}

    def outputs(self, graph: dict[str, Any]) -> dict[str, Any]:
        key = hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest()
        if key in self.cached:
            return {}  # the trap: everything is cached, nothing is put out
        self.cached.add(key)
        self.made += 1
        found = {}
        sizes = [one["inputs"] for one in graph.values() if "width" in one["inputs"]]
        seeds = [one["inputs"].get("seed", one["inputs"].get("noise_seed", 0)) for one in graph.values()]
        loads = sum(one["class_type"] == "LoadImage" for one in graph.values())
        size = (sizes[0]["width"], sizes[0]["height"]) if sizes else (64, 80)
        for id, one in graph.items():
            if one["class_type"] not in ("SaveImage", "PreviewImage"):
                continue
            folder = "output" if one["class_type"] == "SaveImage" else "temp"
            prefix = one["inputs"].get("filename_prefix", "ComfyUI_temp")
            number = 1 + sum(name.startswith(f"{prefix}_") for name in self.folders[folder])
            name = f"{prefix}_{number:05}_.png"
            self.put(folder, name, picture(size, max(seeds), loads))
            found[id] = {"images": [{"filename": name, "subfolder": "", "type": folder}]}
        return found

    def put(self, folder: str, name: str, data: bytes) -> None:
        self.folders[folder][name] = data
        self.shown[name].add(data)

    def event(self, kind: str, data: dict[str, Any]) -> None:
        self.say(json.dumps({"type": kind, "data": data}).encode(), 1)
        self.say(struct.pack(">II", 1, 1) + b"\xff\xd8preview", 2)

    def say(self, data: bytes, opcode: int) -> None:
        head = bytes([0x80 | opcode]) + (bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data)))
        for line in list(self.lines):
            try:
                line.sendall(head + data)
            except OSError:
                with contextlib.suppress(ValueError):
                    self.lines.remove(line)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    comfy: Comfy

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, said: Any = None, kind: str = "application/json") -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def went_wrong(self, step: str) -> bool:
        fault = self.comfy.next(step)
        match fault:
            case "500":
                self.answer(500, b"500 Internal Server Error", "text/plain")
            case "drop":
                self.close_connection = True
                self.connection.close()
            case "json":
                self.answer(200, b"{half")
            case "list":
                self.answer(200, [1])
            case "type":
                self.answer(200, b"<html></html>", "text/html")
            case "short":
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b"\x89PNG")
                self.close_connection = True
            case "404":
                self.answer(404, b"404: Not Found", "text/plain")
            case "blind":
                self.answer(200, {})
            case _:
                return False
        return True

    def do_GET(self) -> None:
        comfy, parts = self.comfy, urlsplit(self.path)
        path = parts.path
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        comfy.seen.append(("GET", self.path))
        if path == "/ws":
            self.listen()
            return
        if path == "/system_stats":
            self.answer(200, {"system": {"comfyui_version": "0.38.1"}, "devices": []})
        elif path.startswith("/object_info/"):
            name = unquote(path.rsplit("/", 1)[1])
            self.answer(200, {name: comfy.info[name]} if name in comfy.info else {})
        elif path == "/queue":
            comfy.wait_at("queue")
            if not self.went_wrong("queue"):
                with comfy.lock:
                    now = [[0, comfy.current[0], comfy.current[1], {}, []]] if comfy.current else []
                    self.answer(200, {"queue_running": now, "queue_pending": [[0, id, graph, {}, []] for id, graph, _ in comfy.queue]})
        elif path.startswith("/history/"):
            comfy.wait_at("history")
            if not self.went_wrong("history"):
                id = path.rsplit("/", 1)[1]
                self.answer(200, {id: comfy.history[id]} if comfy.history.get(id) else {})
        elif path == "/history":
            self.answer(200, comfy.history)
        elif path == "/view":
            comfy.wait_at("view")
            data = comfy.folders[query.get("type", "output")].get(query["filename"])
            if data is None:
                self.answer(404, b"", "text/plain")
            elif not self.went_wrong("view"):
                self.answer(200, data, "image/png")
        else:
            self.answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        comfy, path = self.comfy, urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        comfy.seen.append(("POST", path))
        if path == "/upload/image":
            self.upload(body)
            return
        said = json.loads(body) if body else {}
        if path == "/prompt":
            self.prompt(said)
        elif path == "/interrupt":
            comfy.interrupts.append(said.get("prompt_id", "everything"))
            self.answer(200, b"")
        elif path == "/queue":
            with comfy.lock:
                comfy.queue = [item for item in comfy.queue if item[0] not in said.get("delete", ())]
            self.answer(200, b"")
        elif path == "/history":
            for id in said.get("delete", ()):
                comfy.history.pop(id, None)
            self.answer(200, b"")
        else:
            self.answer(404, b"", "text/plain")

    def upload(self, body: bytes) -> None:
        comfy = self.comfy
        comfy.wait_at("upload")
        if self.went_wrong("upload"):
            return
        boundary = self.headers["Content-Type"].split("boundary=")[1].encode()
        fields: dict[str, bytes] = {}
        filename = ""
        for part in body.split(b"--" + boundary)[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]*)"', head)
            assert name is not None
            fields[name[1].decode()] = data[:-2]
            if (given := re.search(rb'filename="([^"]*)"', head)) is not None:
                filename = given[1].decode()
        folder = comfy.folders[fields.get("type", b"input").decode()]
        if fields.get("overwrite") != b"true":
            stem, number = filename.removesuffix(".png"), 1
            while filename in folder and folder[filename] != fields["image"]:
                filename, number = f"{stem} ({number}).png", number + 1
        comfy.put(fields.get("type", b"input").decode(), filename, fields["image"])
        self.answer(200, {"name": filename, "subfolder": "", "type": fields.get("type", b"input").decode()})

    def prompt(self, said: dict[str, Any]) -> None:
        comfy = self.comfy
        comfy.wait_at("submit")
        if self.went_wrong("submit"):
            return
        id = str(said.get("prompt_id", ""))
        if comfy.gives_ids:
            id = str(uuid.uuid4())
        elif id != id.lower() or str(uuid.UUID(id)) != id:
            self.answer(400, {"error": {"type": "invalid_prompt_id", "message": "Invalid prompt_id", "details": id}, "node_errors": {}})
            return
        graph = said["prompt"]
        if errors := self.errors(graph):
            error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": ""}
            self.answer(400, {"error": error, "node_errors": errors})
            return
        with comfy.lock:
            comfy.submits.append(said)
            comfy.queue.append((id, graph, said.get("client_id", "")))
        comfy.wait_at("taken")
        if comfy.next("taken") == "drop":
            self.close_connection = True
            self.connection.close()
            return
        self.answer(200, {"prompt_id": id, "number": len(comfy.submits), "node_errors": {}})
        comfy.wait_at("answered")

    def errors(self, graph: dict[str, Any]) -> dict[str, Any]:
        """What validation says: unknown choices, and pictures that are not there."""
        found: dict[str, Any] = {}
        for id, one in graph.items():
            required = self.comfy.info[one["class_type"]]["input"]["required"]
            for name, spec in required.items():
                value = one["inputs"].get(name)
                options = spec[1].get("options") if spec[0] == "COMBO" else spec[0] if isinstance(spec[0], list) else None
                wrong = ""
                if value is None:
                    wrong = "Required input is missing"
                elif name == "image" and one["class_type"] == "LoadImage":
                    wrong = "" if value in self.comfy.folders["input"] else "Invalid image file"
                elif options is not None and value not in options:
                    wrong = "Value not in list"
                elif spec is SIZE and value > 16384:
                    wrong = "Value bigger than max"
                if wrong:
                    error = {"type": "value_not_in_list", "message": wrong, "details": f"{name}: '{value}'", "extra_info": {}}
                    found[id] = {"errors": [error], "dependent_outputs": [], "class_type": one["class_type"]}
        return found

    def listen(self) -> None:
        """A websocket, one way: what the client sends is not read."""
        comfy = self.comfy
        if self.went_wrong("ws"):
            return
        comfy.connections += 1
        accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()).decode()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        comfy.lines.append(self.connection)
        with contextlib.suppress(OSError):
            while not comfy.stop.is_set() and self.connection.recv(1024):
                pass
        self.close_connection = True


def nothing_of_the_person(memory: Comfy) -> bool:
    """Whether every picture that lies on the server is blank."""
    return all(data == BLANK for folder in memory.folders.values() for data in folder.values())


@contextlib.contextmanager
def comfy() -> Any:
    """(its address, its memory)."""
    memory = Comfy()
    with running(type("OneComfy", (Handler,), {"comfy": memory})) as base:
        try:
            yield base, memory
        finally:
            memory.release.set()
            memory.stop.set()
            memory.hang_up()
