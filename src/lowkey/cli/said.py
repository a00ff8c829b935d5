"""How warnings sound."""

from __future__ import annotations

import sys

from lowkey.plate.plate import Caution


def warn(caution: Caution) -> None:
    """One line on standard error: a caution in words, its stable code in brackets."""
    print(f"note: {caution.text} [{caution.code}]", file=sys.stderr)
