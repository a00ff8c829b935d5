"""One seed, many independent random streams, each with a name.

Grain must not move when motes are switched on, so nothing draws from a shared generator.
"""

from __future__ import annotations

import hashlib

import numpy as np

OF_PHOTO = ("motes", "haze")
"""Streams that are a photo's own: in one room the same dust and the same smoke do not hang before two sitters."""


class Streams:
    """Named random streams of one seed. ``Streams(3).of("grain")`` always starts at the same place."""

    def __init__(self, seed: int, *, dust_of: str = "") -> None:
        """`dust_of` is a photo's hash: dust, smoke and the lamp's place, which two people at one seed must not share, change."""
        self.seed, self.dust_of = seed, dust_of

    @property
    def of_photo(self) -> float:
        """A number in [0, 1) of the photo alone, the same for every seed; 0 where no photo is named."""
        return int.from_bytes(hashlib.sha256(f"lamp of {self.dust_of}".encode()).digest()[:4], "little") / 2**32 if self.dust_of else 0.0

    def of(self, name: str) -> np.random.Generator:
        """A fresh PCG64 generator for `name`; asking twice gives the same numbers twice."""
        salted = f"{name} of {self.dust_of}" if name in OF_PHOTO and self.dust_of else name
        digest = hashlib.sha256(salted.encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed & 0xFFFFFFFF, self.seed >> 32, *words])))
