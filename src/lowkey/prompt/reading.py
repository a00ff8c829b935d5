"""Text files from anyone: regular files of a bounded size, in UTF-8, without control characters."""

from __future__ import annotations

import stat
import unicodedata
from pathlib import Path

from lowkey.errors import LookError

LARGEST_BYTES = 64 * 1024
"""Of a prompt, a template, a look: none of them is ever this long."""


def read_text(path: Path, largest: int = LARGEST_BYTES, what: str = "a prompt") -> str:
    """The text of a file, or a `LookError` in words: unreadable-file, too-large."""
    try:
        # A pipe or a device would block or never end, so what is not a plain file is not opened.
        if not stat.S_ISREG(path.stat().st_mode):
            raise LookError("unreadable-file", f"{path.name} is not a file")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:
        raise LookError("unreadable-file", f"{str(path)[:80]} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > largest:
        raise LookError("too-large", f"{path.name} is larger than {what} can be ({largest // 1024} KB)")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise LookError("unreadable-file", f"{path.name} is not UTF-8 text") from None


def check_size(text: str, what: str = "a prompt", largest: int = LARGEST_BYTES) -> str:
    """The text itself, unless it is larger than anything of its kind."""
    if len(text) > largest or len(text.encode("utf-8", "replace")) > largest:
        raise LookError("too-large", f"this is larger than {what} can be ({largest // 1024} KB)")
    return text


def unseen(text: str) -> list[int]:
    """Where control, format, private and half characters stand, line breaks and tabs apart."""
    if text.replace("\n", " ").replace("\t", " ").isprintable():
        return []
    return [place for place, sign in enumerate(text) if sign not in "\n\t" and unicodedata.category(sign)[0] == "C"]
