"""Settings of an engine, as a person gives them: ``--option name=value``, words to be checked by whoever takes them."""

from __future__ import annotations

from collections.abc import Mapping

from lowkey.errors import EngineError

_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


class Settings:
    """Hands out each setting once, checked; `check` refuses what nobody took."""

    def __init__(self, engine: str, given: Mapping[str, str] | None) -> None:
        self.engine = engine
        self._given = dict(given or {})
        self._taken: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        self._taken.add(name)
        return self._given.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        said = self.text(name, "yes" if default else "no").lower()
        if said not in (*_YES, *_NO):
            raise EngineError("bad-option", f"{self.engine}: {name} is yes or no, not \"{said[:40]}\"")
        return said in _YES

    def number(self, name: str, default: float, low: float, high: float) -> float:
        said = self.text(name, f"{default:g}")
        try:
            value = float(said)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise EngineError("bad-option", f"{self.engine}: {name} is a number from {low:g} to {high:g}, not \"{said[:40]}\"")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high)
        if value != int(value):
            raise EngineError("bad-option", f"{self.engine}: {name} is a whole number, not {value:g}")
        return int(value)

    def check(self) -> None:
        """Raise EngineError `unknown-option` for a setting that this engine does not have."""
        for name in self._given:
            if name not in self._taken:
                known = ", ".join(sorted(self._taken)) or "none"
                raise EngineError("unknown-option", f"the engine {self.engine} has no option \"{name[:40]}\"; it has: {known}")
