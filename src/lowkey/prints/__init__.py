"""Prints: frames taken to paper. Here: the contact sheet."""

from __future__ import annotations

from lowkey.prints.sheet import Cell, cell, numbered, sheet

__all__ = ["Cell", "cell", "numbered", "sheet"]
