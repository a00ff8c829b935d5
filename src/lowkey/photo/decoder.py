"""The child process that decodes one file it does not trust, and nothing else.

Started by `reading` as ``python -I -S -c ... <job>``. Standard input: the file's bytes. Standard output: eight bytes of magic
and length, a JSON header, then raw pixels. Nothing it says is ever unpickled or executed by the parent.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

from lowkey.errors import PhotoError
from lowkey.photo.limits import confine

MAGIC = b"LKPX"


def main(job: dict[str, Any]) -> None:
    """Decode standard input by `job` (kind, max_megapixels, memory_mb, cpu_s) and write the answer."""
    # Libraries that print must not spoil the answer or the terminal: the pipe is ours alone, 1 and 2 lead nowhere.
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        header, pixels = _answer(job)
    except PhotoError as error:
        header, pixels = {"code": error.code, "text": error.message}, None
    except MemoryError:
        header, pixels = {"code": "photo-too-large", "text": _TOO_MUCH.format(job["memory_mb"])}, None
    except ModuleNotFoundError as error:
        header, pixels = {"code": "photo-unsupported", "text": f"the reader for this kind of file is not installed ({error.name})"}, None
    except Exception as error:
        header, pixels = _explain(error, job), None
    send(out, header, pixels)


_TOO_MUCH = "decoding it would need more than {} MB of memory: export it smaller"


def _answer(job: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    import numpy as np

    from lowkey.photo import codecs

    _import_reader(job["kind"])
    confine(int(job["memory_mb"]), int(job["cpu_s"]))
    data = sys.stdin.buffer.read()
    picture = codecs.decode(job["kind"], data, float(job["max_megapixels"]))
    wide = isinstance(picture.pixels, np.ndarray)
    width, height = picture.pixels.shape[1::-1] if wide else picture.pixels.size
    header = {"width": width, "height": height, "bits": 16 if wide else 8, "notes": picture.notes, "captured": picture.captured}
    return header, picture.pixels


def _import_reader(kind: str) -> None:
    """Load the libraries before the limits close: byte code may be written, and shared libraries mapped, only until then."""
    if kind == "heic":
        import pillow_heif  # noqa: F401
    elif kind == "raw":
        import rawpy  # noqa: F401
    elif kind in ("jpeg", "tiff"):
        import cv2  # noqa: F401
        from PIL import ImageCms  # noqa: F401


def _explain(error: Exception, job: dict[str, Any]) -> dict[str, str]:
    """One sentence and a code for whatever a decoder library raised."""
    said = str(error)
    if "truncated" in said.lower() or "unexpected end" in said.lower():
        from lowkey.photo.containers import TRUNCATED

        return {"code": "photo-truncated", "text": TRUNCATED}
    if "memory" in said.lower() and "limit exceeded" not in said:
        return {"code": "photo-too-large", "text": _TOO_MUCH.format(job["memory_mb"])}
    from lowkey.photo.containers import DAMAGED

    return {"code": "photo-damaged", "text": f"{DAMAGED} ({type(error).__name__})"}


def send(out: BinaryIO, header: dict[str, Any], pixels: Any) -> None:
    """Write magic, header length, header and pixel bytes; a strip of rows at a time, so that no second copy is made."""
    text = json.dumps(header).encode()
    out.write(MAGIC + len(text).to_bytes(4, "big") + text)
    if pixels is not None:
        wide = hasattr(pixels, "dtype")
        height = pixels.shape[0] if wide else pixels.size[1]
        for y in range(0, height, 256):
            end = min(y + 256, height)
            out.write(pixels[y:end].astype("<u2", copy=False).tobytes() if wide else pixels.crop((0, y, pixels.size[0], end)).tobytes())
    out.flush()
