"""Prints: pictures taken to paper. The contact sheet, the page of blind pairs, numbered faces, what was read from a photo."""

from __future__ import annotations

from lowkey.prints import pairs
from lowkey.prints.card import card
from lowkey.prints.grid import grid
from lowkey.prints.reading import reading
from lowkey.prints.sheet import Cell, cell, cell_of, fitted, numbered, sheet

__all__ = ["Cell", "card", "cell", "cell_of", "fitted", "grid", "numbered", "pairs", "reading", "sheet"]
