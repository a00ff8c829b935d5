"""A look in words: one look, every model's own text and parameters, each phrase knowing why it is there."""

from __future__ import annotations

from lowkey.prompt.compiler import Ask as Ask
from lowkey.prompt.compiler import compile as compile
from lowkey.prompt.compiler import sweep as sweep
from lowkey.prompt.dialects import Dialect as Dialect
from lowkey.prompt.linter import Finding as Finding
from lowkey.prompt.linter import lint as lint
from lowkey.prompt.linter import mended as mended
from lowkey.prompt.remedies import names as remedy_names
from lowkey.prompt.templates import fill as fill
from lowkey.prompt.words import Clause as Clause
from lowkey.prompt.words import Words as Words

__all__ = ["Ask", "Clause", "Dialect", "Finding", "Words", "compile", "fill", "lint", "mended", "remedy_names", "sweep"]
