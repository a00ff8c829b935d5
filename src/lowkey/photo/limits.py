"""What the decoding child may use: memory, processor time, no files of its own, no core dump.

Linux enforces all four. macOS has the same calls but does not enforce RLIMIT_AS, and Windows has no `resource`: there the
limits are the size check before decoding and the parent's clock, which kills the child.
"""

from __future__ import annotations

import contextlib
import sys

SYSTEM_LACKS = {
    "darwin": "macOS does not enforce a limit on the address space: memory is bounded by the size check alone",
    "win32": "Windows has no resource limits here: memory is bounded by the size check, time by the parent's clock",
}
"""One sentence per system (sys.platform) where a limit cannot be enforced; `lowkey doctor` may print it."""


def confine(memory_mb: int, cpu_s: int) -> None:
    """Limit this process for good. Call after the imports and before the first untrusted byte."""
    if sys.platform == "win32":
        return
    import resource

    def lower(name: str, value: int) -> None:
        # A limit may only be lowered; one that the system does not know or refuses is left as it is. The hard limit stands
        # one above the soft one, so that too much processor time ends in SIGXCPU, which says what happened, not in SIGKILL.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            what = getattr(resource, name)
            _, hard = resource.getrlimit(what)
            ceiling = value + 1 if hard == resource.RLIM_INFINITY else min(value + 1, hard)
            resource.setrlimit(what, (min(value, ceiling), ceiling))

    lower("RLIMIT_CORE", 0)
    lower("RLIMIT_FSIZE", 0)
    lower("RLIMIT_CPU", cpu_s)
    lower("RLIMIT_AS", memory_mb << 20)
