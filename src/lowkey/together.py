"""Two jobs at once: most of what a plate and a frame are made of keeps one core busy and leaves the other idle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba.np.ufunc.parallel import threading_layer

A = TypeVar("A")
B = TypeVar("B")


def both(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What two jobs give that write nothing which the other reads or writes; `other` runs on a thread of its own.

    Where Numba starts its kernels with its own simple layer (no OpenMP, no TBB) they run one after the other: that layer stops a
    process that starts two at once.
    """
    if not _many_launch():
        return one(), other()
    with ThreadPoolExecutor(1) as aside:
        later = aside.submit(other)
        return one(), later.result()


def _many_launch() -> bool:
    """May two threads start kernels at once? As long as none has started, nobody knows."""
    try:
        return str(threading_layer()) in ("omp", "tbb")  # type: ignore[no-untyped-call]
    except ValueError:
        return False
