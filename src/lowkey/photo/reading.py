"""`read`: open the file with care, let a limited child decode it, believe nothing the child says without checking."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import exif
from lowkey.photo.decoder import MAGIC
from lowkey.photo.photo import Photo
from lowkey.photo.sniff import HEAD_BYTES, kind_of
from lowkey.pixels import freeze

MOST_FILE_BYTES = 512 << 20
"""No single photo is larger; the largest RAW files are about 250 MB. ``LOWKEY_MOST_FILE_MB`` says otherwise."""
MOST_MEGAPIXELS, TIMEOUT_S, MEMORY_MB = 24.0, 60.0, 3072
"""What a photo is reduced to, and what its decoder may use. ``LOWKEY_DECODE_S`` and ``LOWKEY_DECODE_MB`` say otherwise."""
_START = "import sys, json; job = json.loads(sys.argv[1]); sys.path[:] = job['path']; from lowkey.photo.decoder import main; main(job)"


def _limit(name: str, default: float, low: float, high: float) -> float:
    """A limit from the environment, within bounds; what is no number counts for nothing."""
    try:
        value = float(os.environ.get(name, ""))
    except ValueError:
        return default
    return value if low <= value <= high else default


def read(
    path: Path | str, *, max_megapixels: float = MOST_MEGAPIXELS, timeout_s: float | None = None, memory_mb: int | None = None
) -> Photo:
    """Read one photo: JPEG, PNG, TIFF, WebP, HEIC, AVIF, GIF (first frame), DNG or camera RAW, told by content.

    The pixels come upright, in sRGB, u8 or (RAW, 16-bit PNG and TIFF) u16, at most `max_megapixels` (reduced with a note).
    Decoding happens in a child process with at most `memory_mb` of address space (enforced on Linux) and `timeout_s` of time.
    Raises PhotoError: photo-missing, photo-not-file, photo-unreadable, photo-empty, photo-not-image, photo-unsupported,
    photo-truncated, photo-damaged, photo-too-large, photo-too-small, photo-timeout, photo-crashed.
    """
    try:
        data = _bytes_of(path)
    except PhotoError as error:
        raise PhotoError(error.code, f"{shown(path)}: {error.message}") from None
    return decode(data, path, max_megapixels=max_megapixels, timeout_s=timeout_s, memory_mb=memory_mb)


def decode(
    data: bytes, name: Path | str, *, max_megapixels: float = MOST_MEGAPIXELS, timeout_s: float | None = None, memory_mb: int | None = None
) -> Photo:
    """The same for bytes that come from elsewhere than a file; `name` is what errors call it. Raises PhotoError as `read` does."""
    timeout_s = _limit("LOWKEY_DECODE_S", TIMEOUT_S, 1, 3600) if timeout_s is None else timeout_s
    memory_mb = int(_limit("LOWKEY_DECODE_MB", MEMORY_MB, 256, 1 << 20)) if memory_mb is None else memory_mb
    try:
        kind = kind_of(data[:HEAD_BYTES])
        header, pixels = _decode(kind, data, max_megapixels, timeout_s, memory_mb)
    except PhotoError as error:
        raise PhotoError(error.code, f"{shown(name)}: {error.message}") from None
    captured = {k: v for k, v in _texts(header.get("captured"), 100).items() if k in exif.KEPT}
    notes = tuple(_plain(n, 300) for n in list(header.get("notes") or ())[:20])
    return Photo(freeze(pixels), hashlib.sha256(data).hexdigest(), safe_stem(name), captured, notes)


# --- the file ----------------------------------------------------------------------------------------------------------------


def shown(path: Path | str) -> str:
    """The file's name as one printable line of at most 80 characters."""
    return _plain(Path(path).name or str(path), 80)


def safe_stem(path: Path | str) -> str:
    """The name without its ending, usable in other names: printable, no separators, not hidden, at most 80 UTF-8 bytes."""
    stem = Path(path).stem
    stem = re.sub(r'[<>:"/\\|?*]', "_", "".join(c if c.isprintable() and not 0xD800 <= ord(c) < 0xE000 else "_" for c in stem))
    stem = stem.strip(" .").lstrip("-")
    return stem.encode()[:80].decode(errors="ignore") or "photo"


def _plain(text: object, most: int) -> str:
    line = "".join(c if c.isprintable() else "\ufffd" for c in str(text))
    return line if len(line) <= most else line[: most // 2] + "..." + line[-(most // 2 - 3) :]


def _texts(value: object, most: int) -> dict[str, str]:
    return {str(k): _plain(v, most) for k, v in value.items()} if isinstance(value, dict) else {}


def _most_bytes() -> int:
    return int(_limit("LOWKEY_MOST_FILE_MB", MOST_FILE_BYTES / 2**20, 1, 1 << 16) * 2**20)


def _bytes_of(path: Path | str) -> bytes:
    """The bytes of a regular file; anything else is refused without being opened (a FIFO would wait for ever)."""
    try:
        _check_regular(Path(path).stat())
        # The name may have been swapped since: open without waiting, then look again at what was opened.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            _check_regular(os.fstat(file.fileno()))
            data = file.read(_most_bytes() + 1)
    except OSError as error:
        raise _refusal(error) from None
    except ValueError:
        raise PhotoError("photo-missing", "no file can have this name (it holds a NUL character)") from None
    if len(data) > _most_bytes():
        raise PhotoError("photo-too-large", f"the file is larger than {_most_bytes() >> 20} MB: export it smaller")
    return data


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise PhotoError("photo-not-file", "this is a folder, not a photo: name one file in it")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError("photo-not-file", "this is a device, pipe or socket, not a file: save the photo to disk first")
    if status.st_size > _most_bytes():
        raise PhotoError("photo-too-large", f"the file is {status.st_size >> 20} MB (at most {_most_bytes() >> 20}): export it smaller")


def _refusal(error: OSError) -> PhotoError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return PhotoError("photo-missing", "no such file: check the name and the folder")
    if error.errno == errno.ENAMETOOLONG:
        return PhotoError("photo-missing", "no such file: the name is longer than the system allows")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PhotoError("photo-unreadable", "the file may not be read by you: change its permissions")
    if error.errno == errno.ELOOP:
        return PhotoError("photo-unreadable", "the link points to itself: name the photo it was meant for")
    return PhotoError("photo-unreadable", f"the file cannot be read ({error.strerror or type(error).__name__}): copy it to a local disk")


# --- the child ---------------------------------------------------------------------------------------------------------------


def _decode(kind: str, data: bytes, max_megapixels: float, timeout_s: float, memory_mb: int) -> tuple[dict[str, Any], Any]:
    """The child's header and its pixels u8 or u16 [h, w, 3]."""
    job = {"kind": kind, "max_megapixels": max_megapixels, "memory_mb": memory_mb, "cpu_s": int(timeout_s) + 2, "path": _search_path()}
    # One thread each: smaller address space, same bytes. No site, no environment, no current folder on the child's path.
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1", "MALLOC_ARENA_MAX": "2"}
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise PhotoError("photo-crashed", f"the decoder could not be started ({error.strerror}): {sys.executable or 'no python'}") from None
    late = threading.Event()

    def stop() -> None:
        late.set()
        child.kill()

    clock = threading.Timer(timeout_s, stop)
    clock.daemon = True
    feeder = threading.Thread(target=_feed, args=(child.stdin, data), daemon=True)
    assert child.stdout is not None
    try:
        clock.start()
        feeder.start()
        answer = _receive(child.stdout, max_megapixels)
        in_time = not late.is_set()
        if answer is None:
            # If it has ended, its exit says how; if it babbles on or sits there, it has not long.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
    finally:
        clock.cancel()
        child.kill()  # it has said all that it will be asked for
        child.stdout.close()
        child.wait()
        feeder.join()
    if answer is not None:
        return answer
    if not in_time or child.returncode == -getattr(signal, "SIGXCPU", 0):
        raise PhotoError("photo-timeout", f"decoding took longer than {timeout_s:g} s and was stopped: export the photo again")
    raise PhotoError("photo-crashed", f"the decoder stopped without an answer (exit {child.returncode}): export the photo again")


def _search_path() -> list[str]:
    """Where the child finds lowkey and the libraries: this process's own absolute places, never the current folder."""
    home = str(Path(__file__).resolve().parents[2])
    return [home, *(p for p in sys.path if Path(p).is_absolute() and p != home)]


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    try:
        # A child that refuses before reading everything closes its end.
        with contextlib.suppress(OSError):
            pipe.write(data)
    finally:
        with contextlib.suppress(OSError):
            pipe.close()


def _receive(pipe: IO[bytes], max_megapixels: float) -> tuple[dict[str, Any], Any] | None:
    """The child's answer, or None when it ends early or is not one; PhotoError when it is a refusal."""
    head = pipe.read(8)
    size = int.from_bytes(head[4:8], "big")
    if len(head) < 8 or head[:4] != MAGIC or size > 1 << 16:
        return None
    text = pipe.read(size)
    try:
        header = json.loads(text)
    except ValueError:
        return None
    if not isinstance(header, dict):
        return None
    if "code" in header:
        code = str(header["code"])
        raise PhotoError(code if re.fullmatch(r"photo-[a-z-]{2,20}", code) else "photo-crashed", _plain(header.get("text", ""), 300))
    width, height, bits = (header.get(k) for k in ("width", "height", "bits"))
    if type(width) is not int or type(height) is not int or bits not in (8, 16):
        return None
    if min(width, height) < 1 or width * height > max_megapixels * 1e6:
        return None
    pixels: Any = np.empty((height, width, 3), "<u2" if bits == 16 else "u1")
    view = memoryview(pixels).cast("B")
    at = 0
    while at < len(view):
        n = pipe.readinto(view[at:])  # type: ignore[attr-defined]
        if not n:
            return None
        at += n
    return header, pixels
