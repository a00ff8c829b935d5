"""Who holds something, a temporary file or a claim, and whether that process still lives. No clock is asked.

A process is known by its machine, the boot and the namespace of process numbers, its number, and when after the boot it was
born: a number that was given anew is another process, a power cut ends every owner of that boot, and a clock set back ends none.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """One process on one machine."""

    machine: str
    boot: str
    space: str
    """The namespace of its number: two containers of one machine have a process 7 each."""
    pid: int
    born: str
    """Ticks after the boot; empty where the system does not tell."""

    @property
    def tag(self) -> str:
        """As one word for file names and tables: letters, digits and hyphens."""
        return f"{self.machine}-{self.boot}-{self.space}-{self.pid}-{self.born or 'x'}"


def me() -> Owner:
    """This process, also after a fork."""
    return Owner(*_here(), os.getpid(), _born(os.getpid()))


def parse(tag: str) -> Owner | None:
    """An owner from its word, or None when it is not one."""
    parts = tag.split("-")
    if len(parts) != 5 or not parts[3].isascii() or not parts[3].isdigit() or len(parts[3]) > 10:
        return None
    return Owner(parts[0], parts[1], parts[2], int(parts[3]), "" if parts[4] == "x" else parts[4])


def gone(tag: str) -> bool | None:
    """True when that process has surely ended, False when it lives, None when it cannot be told from here."""
    other = parse(tag)
    if other is None:
        return True
    machine, boot, space = _here()
    if other.machine != machine:
        return None
    if other.boot != boot:
        return True  # this machine has been started anew since
    if other.space != space or sys.platform == "win32":
        return False if other.pid == os.getpid() and other.space == space else None
    try:
        os.kill(other.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it lives, and belongs to somebody else
    if not other.born:
        return None
    born = _born(other.pid)
    return born != other.born or _ended(other.pid)


@cache
def _here() -> tuple[str, str, str]:
    """Machine, boot and namespace, eight signs each; what the system does not tell is left to what it does."""
    machine = _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id") or os.name
    boot = _read("/proc/sys/kernel/random/boot_id")
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return _short(machine + (os.uname().nodename if hasattr(os, "uname") else "")), _short(boot), _short(space)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii", "replace").strip()
    except OSError:
        return ""


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the third on (proc(5)); the second may hold spaces and brackets."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _ended(pid: int) -> bool:
    """Dead, and only not yet waited for by its parent."""
    return _stat(pid)[:1] in (["Z"], ["X"])
