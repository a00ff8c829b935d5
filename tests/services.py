"""A server that behaves as Black Forest Labs, Replicate and fal do, faults included. Loopback, one thread a request.

Written from the services' contracts. `faults` says what goes wrong and when: a list of words per step, used up one by one.
`hold` names a step at which a request waits, so that a test can kill the client there.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import json
import socket
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from lowkey.photo.png import png_bytes

KEY = "sk-test-7f3a9c1e5b2d4468"
SIGNATURE = "sig-5e0d2b7c9a"


def picture(size_px: tuple[int, int], seed: int, shown: int = 1) -> bytes:
    """A PNG that no other seed gives, nor another number of references shown."""
    w, h = size_px
    codes = np.zeros((h, w, 3), np.uint8)
    codes[..., 0] = np.linspace(0, 200, w)[None].astype(np.uint8)
    codes[..., 1] = np.linspace(20 * (shown - 1), 200, h)[:, None].astype(np.uint8)
    codes[..., 2] = seed % 256
    return png_bytes(codes)


class Service:
    """The server's memory, and what it has seen."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.hold = ""
        self.reached, self.release = threading.Event(), threading.Event()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.leaks: list[str] = []
        """Requests that carried a key where none belongs."""
        self.polls_to_go = 1
        """How often a job is not yet done."""
        self.size_px: tuple[int, int] | None = None
        """Of the pictures, where it is not the one asked for."""
        self.statuses: list[str] = []
        """BFL's words for a job that is not yet done; the last one stays."""
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()

    @property
    def paid(self) -> int:
        return len(self.jobs)

    def next(self, step: str) -> str:
        with self.lock:
            return self.faults[step].pop(0) if self.faults[step] else ""

    def wait_at(self, step: str) -> None:
        if self.hold == step:
            self.reached.set()
            self.release.wait(20)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(body) for method, at, _, body in self.seen if method == "POST" and path in at]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.route("GET")

    def do_POST(self) -> None:
        self.route("POST")

    def do_PUT(self) -> None:
        self.route("PUT")

    def do_DELETE(self) -> None:
        self.route("DELETE")

    # --- answers ---------------------------------------------------------------------------------------------------------

    def answer(self, status: int, said: Any, headers: dict[str, str] | None = None, kind: str = "application/json") -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def went_wrong(self, fault: str) -> bool:
        """The faults that any step can have; True when the answer has been given (or will never be)."""
        port = self.server.server_address[1]
        match fault:
            case "429":
                self.answer(429, {"error": "rate_limit_exceeded", "retry_after": 0.05}, {"Retry-After": "0"})
            case "429-long":
                self.answer(429, {"detail": "Request was throttled."}, {"Retry-After": "3600"})
            case "429-date":
                # A service whose clock is a day off asks to wait one second of its own time.
                now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
                later = now + datetime.timedelta(seconds=1)
                self.answer_dated(429, now, later)
            case "500" | "503":
                self.answer(int(fault), {"detail": "internal"})
            case "401" | "403":
                self.answer(int(fault), {"detail": f"the key {KEY} may not do this"})
            case "402":
                self.answer(402, {"detail": "Insufficient credits"})
            case "404":
                self.answer(404, {"detail": "Not Found"})
            case "422":
                self.answer(422, {"detail": [{"loc": ["body", "width"], "msg": "must be a multiple of 16", "type": "value_error"}]})
            case "policy":
                self.answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "flagged", "type": "content_policy_violation"}]})
            case "json":
                self.answer(200, b'{"id": "half')
            case "html":
                self.answer(200, b"<html>gateway</html>", kind="text/html")
            case "list":
                self.answer(200, [1, 2, 3])
            case "redirect":
                self.answer(307, {}, {"Location": f"http://localhost:{port}/elsewhere"})
            case "drop":
                self.cut()
            case "drip":
                self.drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: ")
            case "drip-body":
                self.drip(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n")
            case _:
                return False
        return True

    def answer_dated(self, status: int, now: datetime.datetime, later: datetime.datetime) -> None:
        self.send_response_only(status)
        self.send_header("Date", email.utils.format_datetime(now, usegmt=True))
        self.send_header("Retry-After", email.utils.format_datetime(later, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def drip(self, start: bytes) -> None:
        """A byte every so often, for ever."""
        with contextlib.suppress(OSError):
            self.wfile.write(start)
            for _ in range(200):
                self.wfile.write(b"a")
                self.wfile.flush()
                time.sleep(0.1)
        self.close_connection = True

    # --- the routes ------------------------------------------------------------------------------------------------------

    def route(self, method: str) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        service, path = self.service, urlsplit(self.path).path
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.seen.append((method, self.path, headers, body))
        keyed = KEY in "".join(headers.values())
        if path.startswith(("/result", "/elsewhere")):
            if keyed:
                service.leaks.append(self.path)
            self.result(path) if path.startswith("/result") else self.answer(200, {})
            return
        if not keyed:
            self.answer(401, {"detail": "no key"})
            return
        if method == "POST" and path == "/v1/files":
            self.upload(body)
        elif method == "DELETE" and path.startswith("/v1/files/"):
            known = service.files.pop(path.rsplit("/", 1)[1], None) is not None
            self.answer(204 if known else 404, b"")
        elif (method == "POST" and path.endswith("/cancel")) or method == "PUT":
            self.cancel(path)
        elif method == "POST":
            self.submit(path, headers, body)
        else:
            self.poll(path)

    def submit(self, path: str, headers: dict[str, str], body: bytes) -> None:
        service = self.service
        service.wait_at("submit")
        fault = service.next("submit")
        if self.went_wrong(fault):
            return
        said = json.loads(body)
        asked = said.get("input", said)
        size = self.wanted(asked)
        if size is None:
            self.answer(422, {"detail": [{"loc": ["body"], "msg": "this model takes other sizes", "type": "value_error"}]})
            return
        with service.lock:
            service.in_flight += 1
            service.most_in_flight = max(service.most_in_flight, service.in_flight)
            id = f"job-{len(service.jobs) + 1}"
            service.jobs[id] = {
                "size": service.size_px or size, "seed": asked["seed"], "polls": service.polls_to_go, "state": "Pending",
                "shown": len(self.references(asked)),
            }  # fmt: skip
        service.wait_at("taken")
        if fault == "taken-drop":
            self.cut()
            return
        if fault == "no-id":
            self.answer(200, {"status": "ok"})
            return
        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        if path.startswith("/v1/models"):
            urls = {"get": f"{host}/v1/predictions/{id}", "cancel": f"{host}/v1/predictions/{id}/cancel"}
            self.answer(201, {"id": id, "status": "starting", "urls": urls, "output": None})
        elif path.startswith("/fal-ai"):
            app = "/".join(path.split("/")[:3])
            there = f"{host}{app}/requests/{id}"
            said = {"request_id": id, "response_url": there, "status_url": f"{there}/status", "cancel_url": f"{there}/cancel"}
            self.answer(200, {**said, "queue_position": 0})
        else:
            there = "https://polling.example.com/get?id=" if fault == "foreign" else f"{host}/v1/get_result?id="
            self.answer(200, {"id": id, "polling_url": there + id, "cost": 4.5, "input_mp": 1.0, "output_mp": 1.0})
        service.wait_at("answered")

    @staticmethod
    def references(asked: dict[str, Any]) -> list[str]:
        pictures = [asked.get(name) for name in ("input_image", "input_image_2", "image_url")]
        return [*filter(None, pictures), *(one for name in ("input_images", "image_urls", "images") for one in asked.get(name, ()))]

    @staticmethod
    def wanted(asked: dict[str, Any]) -> tuple[int, int] | None:
        """The size of the picture asked for, None where the request is not one that the services take."""
        for one in Handler.references(asked):
            if one.startswith("http"):
                continue
            data = base64.b64decode(one.removeprefix("data:image/png;base64,"))
            if data[:8] != b"\x89PNG\r\n\x1a\n":
                return None
        size = asked.get("image_size", asked)
        if "width" in size:
            w, h = int(size["width"]), int(size["height"])
            return (w, h) if w % 16 == 0 == h % 16 and min(w, h) >= 64 and w * h <= 4_000_000 else None
        across, tall = (int(part) for part in asked["aspect_ratio"].split(":"))
        unit = (1 << 20) / (across * tall)
        return round(across * unit**0.5), round(tall * unit**0.5)

    def poll(self, path: str) -> None:
        service = self.service
        service.wait_at("poll")
        fault = service.next("poll")
        if self.went_wrong(fault):
            return
        query = parse_qs(urlsplit(self.path).query)
        id = query["id"][0] if "id" in query else path.removesuffix("/status").rsplit("/", 1)[1]
        job = service.jobs.get(id)
        bfl, fal = path == "/v1/get_result", "/requests/" in path
        if job is None or fault == "lost":
            self.answer(404 if not bfl else 200, {"status": "Task not found", "detail": "not found", "id": id})
            return
        if fault in ("moderated", "failed"):
            job["state"] = fault
        over = job["polls"] <= 0
        if not (fal and not path.endswith("/status")):
            job["polls"] -= 1
        if over or job["state"] != "Pending":
            with service.lock:
                if not job.get("over"):
                    job["over"] = True
                    service.in_flight -= 1
        number = job["links"] = job.get("links", 0) + 1
        url = f"http://127.0.0.1:{self.server.server_address[1]}/result/{id}/{number}?signature={SIGNATURE}"
        if bfl:
            self.answer(200, self.bfl(id, job, over, url))
        elif fal:
            self.fal(path, job, over, url)
        else:
            states = {"Pending": ("succeeded" if over else "processing"), "moderated": "failed", "failed": "failed"}
            why = {"moderated": "The input or output was flagged as sensitive. (E005)", "failed": "CUDA error"}.get(job["state"])
            output = [url] if over and job["state"] == "Pending" else None
            self.answer(200, {"id": id, "status": states.get(job["state"], job["state"]), "output": output, "error": why})
        service.wait_at("polled")

    def bfl(self, id: str, job: dict[str, Any], over: bool, url: str) -> dict[str, Any]:
        if job["state"] == "moderated":
            return {"id": id, "status": "Content Moderated", "details": {"Moderation Reasons": ["Derivative Works Filter"]}}
        if job["state"] == "failed":
            return {"id": id, "status": "Error", "details": "worker died"}
        if not over:
            words = self.service.statuses
            word = (words.pop(0) if len(words) > 1 else words[0]) if words else "Pending"
            return {"id": id, "status": word, "progress": 0.5, "result": None}
        return {"id": id, "status": "Ready", "result": {"sample": url, "seed": job["seed"], "prompt": "as asked"}}

    def fal(self, path: str, job: dict[str, Any], over: bool, url: str) -> None:
        done = over or job["state"] != "Pending"
        if path.endswith("/status"):
            self.answer(200 if done else 202, {"status": "COMPLETED" if done else "IN_PROGRESS", "logs": None})
        elif job["state"] == "moderated":
            detail = [{"loc": ["body", "prompt"], "msg": "The content could not be processed", "type": "content_policy_violation"}]
            self.answer(422, {"detail": detail})
        elif job["state"] == "failed":
            self.answer(422, {"detail": [{"loc": ["body"], "msg": "image could not be loaded", "type": "file_download_error"}]})
        else:
            images = [{"url": url, "width": job["size"][0], "height": job["size"][1], "content_type": "image/png"}]
            self.answer(200, {"images": images, "seed": job["seed"], "has_nsfw_concepts": [job.get("nsfw", False)], "prompt": "x"})

    def result(self, path: str) -> None:
        service = self.service
        service.wait_at("result")
        fault = service.next("result")
        if self.went_wrong(fault):
            return
        job = service.jobs[path.split("/")[2]]
        data = picture(job["size"], job["seed"], job["shown"])
        match fault:
            case "expired":
                self.answer(403, b"<Error>Signature not valid in the specified time frame</Error>", kind="application/xml")
            case "type":
                self.answer(200, b"<html>sign in</html>", kind="text/html")
            case "rubbish":
                self.answer(200, b"not a picture at all" * 100, kind="image/png")
            case "short":
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.cut()
            case "huge":
                self.answer_endless()
            case "huge-said":
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(10 << 30))
                self.end_headers()
                self.close_connection = True
            case "hop":
                self.answer(302, b"", {"Location": f"http://localhost:{self.server.server_address[1]}{self.path}"})
            case _:
                self.answer(200, data, kind="image/png")
        service.wait_at("fetched")

    def answer_endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"0" * (1 << 20)
        with contextlib.suppress(OSError):
            for _ in range(80):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.close_connection = True

    def upload(self, body: bytes) -> None:
        service = self.service
        service.wait_at("upload")
        if self.went_wrong(service.next("upload")):
            return
        id = f"file-{len(service.seen)}"
        service.files[id] = body
        self.answer(201, {"id": id, "urls": {"get": f"http://127.0.0.1:{self.server.server_address[1]}/v1/files/{id}"}})

    def cancel(self, path: str) -> None:
        service = self.service
        fault = service.next("cancel")
        if self.went_wrong(fault):
            return
        id = path.removesuffix("/cancel").rsplit("/", 1)[1]
        service.jobs[id]["state"] = "canceled"
        self.answer(200, {"id": id, "status": "canceled"})


class _Quiet(ThreadingHTTPServer):
    """A client that is killed is no error of the server's."""

    def handle_error(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Any:
    """A server on a free port of this machine, as its base address; stopped at the end, whatever happens."""
    server = _Quiet(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextlib.contextmanager
def service() -> Any:
    """(its base address, its memory)."""
    memory = Service()
    kind = type("OneService", (Handler,), {"service": memory})
    with running(kind) as base:
        try:
            yield base, memory
        finally:
            memory.release.set()
