"""One seed, many independent random streams, each with a name.

Grain must not move when motes are switched on, so nothing draws from a shared generator.
"""

from __future__ import annotations

import hashlib

import numpy as np


class Streams:
    """Named random streams of one seed. ``Streams(3).of("grain")`` always starts at the same place.

    `subject`, any text, sets the streams of one subject apart from another's: dust that lies the same way behind two people is
    seen at once when their pictures hang side by side.
    """

    def __init__(self, seed: int, subject: str = "") -> None:
        self.seed, self.subject = seed, subject

    def of(self, name: str) -> np.random.Generator:
        """A fresh PCG64 generator for `name`; asking twice gives the same numbers twice."""
        digest = hashlib.sha256(f"{name}{self.subject}".encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed & 0xFFFFFFFF, self.seed >> 32, *words])))
