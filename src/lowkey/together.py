"""Two jobs at once: most of what a plate and a frame are made of keeps one core busy and leaves the other idle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def both(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What two jobs give that write nothing which the other reads or writes; `other` runs on a thread of its own.

    NumPy and OpenCV let go of the interpreter while they work. Numba's kernels hold it, so two never start at once, which not
    every threading layer of Numba's would bear: none may be compiled with `nogil`.
    """
    with ThreadPoolExecutor(1) as aside:
        later = aside.submit(other)
        return one(), later.result()
