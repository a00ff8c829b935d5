"""Prints: pictures taken to paper. Here: the contact sheet, numbered faces, and what was read from a photo."""

from __future__ import annotations

from lowkey.prints.reading import reading
from lowkey.prints.sheet import Cell, cell, numbered, sheet

__all__ = ["Cell", "cell", "numbered", "reading", "sheet"]
