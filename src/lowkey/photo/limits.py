"""What the decoding child may use: memory, processor time, no files of its own, no core dump.

Linux enforces all four. macOS has the same calls but does not enforce RLIMIT_AS, and Windows has no `resource`: there the
limits are the size check before decoding and the parent's clock, which kills the child.
"""

from __future__ import annotations

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
        # A limit may only be lowered; one that the system does not know or refuses is left as it is.
        try:
            what = getattr(resource, name)
            _, hard = resource.getrlimit(what)
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.setrlimit(what, (value, value))
        except (AttributeError, OSError, ValueError):
            pass

    lower("RLIMIT_CORE", 0)
    lower("RLIMIT_FSIZE", 0)
    lower("RLIMIT_CPU", cpu_s)
    lower("RLIMIT_AS", memory_mb << 20)
