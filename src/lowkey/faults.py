"""Named places at which a test may kill the process or make the disk fail. In everyday use nothing is hooked and nothing happens.

Every step that changes what is on disk, or what somebody else was told, passes one: the crash harness counts them and stops at
each in turn.
"""

from __future__ import annotations

from collections.abc import Callable

hook: Callable[[str], None] | None = None
"""Called with the name of the step that comes next. It may raise OSError, as a disk would, or never return."""


def point(name: str) -> None:
    """The step `name` comes next."""
    if hook is not None:
        hook(name)
