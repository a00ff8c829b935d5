"""Text to the clipboard, through whatever this system has for it."""

from __future__ import annotations

import shutil
import subprocess
import sys

from lowkey.errors import LookError

_PROGRAMS = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip.exe",),
)


def copy(text: str) -> str:
    """Put `text` on the clipboard; returns the name of the program that took it."""
    for program in _PROGRAMS:
        if (path := shutil.which(program[0])) is None:
            continue
        encoding = "utf-16-le" if program[0] == "clip.exe" else "utf-8"
        try:
            done = subprocess.run([path, *program[1:]], input=text.encode(encoding), timeout=5, check=False, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0:
            return program[0]
    names = ", ".join(program[0] for program in _PROGRAMS)
    raise LookError("no-clipboard", f"no clipboard was found on this {sys.platform} system; install one of {names}, or pipe the text")
