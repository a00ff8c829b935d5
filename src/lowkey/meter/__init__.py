"""JUDGE: measure a picture, whatever made it."""

from __future__ import annotations

from lowkey.meter.measuring import measure
from lowkey.meter.reading import CannotJudge, Definition, Measure, Reading, catalogue

__all__ = ["CannotJudge", "Definition", "Measure", "Reading", "catalogue", "measure"]
