"""JUDGE: measure a picture, whatever made it."""

from __future__ import annotations

from lowkey.meter.measuring import measure
from lowkey.meter.reading import CannotJudge, Definition, Measure, Reading, catalogue
from lowkey.meter.spread import Move, spread

__all__ = ["CannotJudge", "Definition", "Measure", "Move", "Reading", "catalogue", "measure", "spread"]
