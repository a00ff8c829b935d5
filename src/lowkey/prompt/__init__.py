"""A look in words: one look, every model's own text and parameters, each phrase knowing why it is there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowkey.prompt.ask import Ask as Ask
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

_HOMES = {
    "Ask": ("ask", "Ask"),
    "Clause": ("words", "Clause"),
    "Dialect": ("dialects", "Dialect"),
    "Finding": ("linter", "Finding"),
    "Words": ("words", "Words"),
    "compile": ("compiler", "compile"),
    "fill": ("templates", "fill"),
    "lint": ("linter", "lint"),
    "mended": ("linter", "mended"),
    "remedy_names": ("remedies", "names"),
    "sweep": ("compiler", "sweep"),
}
__all__ = [
    "Ask",
    "Clause",
    "Dialect",
    "Finding",
    "Words",
    "compile",
    "fill",
    "lint",
    "mended",
    "remedy_names",
    "sweep",
]


def __getattr__(name: str) -> Any:
    # Loaded when used (PEP 562): the command line reads this room's commands for --help alone and must start fast.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, inside = _HOMES[name]
    value = getattr(import_module(f"lowkey.prompt.{home}"), inside)
    globals()[name] = value
    return value
