"""What a service sells: its models, sizes and prices, from data/services."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lowkey.engines import reference
from lowkey.errors import EngineError

FOLDER = Path(__file__).parents[2] / "data" / "services"
MEGAPIXEL = 1_000_000
CENT_PARTS = Decimal("0.0001")


@dataclass(frozen=True)
class Model:
    """One model of a service: a row of its table."""

    name: str
    row: Mapping[str, Any]

    @property
    def path(self) -> str:
        return str(self.row["path"])

    @property
    def dialect(self) -> str:
        return str(self.row["dialect"])

    @property
    def references(self) -> int:
        return int(self.row["references"])

    @property
    def exact(self) -> bool:
        """Whether it takes a width and a height; else it takes one of a few aspects."""
        return bool(self.row["size"] == "exact")

    @property
    def body(self) -> Mapping[str, Any]:
        """What every request to it says beside the rest."""
        body: Mapping[str, Any] = self.row.get("body", {})
        return body

    @property
    def safety(self) -> tuple[int, int] | None:
        """The usual tolerance of its moderation, and the most it takes; None where it has none."""
        row = self.row.get("safety")
        return (int(row[0]), int(row[1])) if row else None

    def asked_px(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """The width and height to ask for, or of the aspect to ask for at about one megapixel."""
        most = int(self.row["most_px"])
        if self.exact:
            return reference.asked_size(size_px, grid=int(self.row["grid"]), most_px=most)
        across, tall = (int(part) for part in self.aspect(size_px).split(":"))
        unit = (MEGAPIXEL / (across * tall)) ** 0.5
        return round(across * unit / 16) * 16, round(tall * unit / 16) * 16

    def aspect(self, size_px: tuple[int, int]) -> str:
        return reference.nearest_aspect(size_px, tuple(self.row.get("aspects", ("1:1",))))

    def price(self, asked_px: tuple[int, int], references_px: tuple[tuple[int, int], ...]) -> Decimal:
        """US dollars by the price list; megapixels begun count whole."""
        row: Mapping[str, Any] = self.row["price"]
        pixels = asked_px[0] * asked_px[1]
        if "picture" in row:
            return Decimal(row["picture"])
        if "tiers" in row:
            tier = next((usd for most, usd in row["tiers"] if pixels <= most), row["tiers"][-1][1])
            return Decimal(tier)
        shown = sum(_megapixels(w * h) for w, h in references_px)
        usd = Decimal(row["first_mp"]) + Decimal(row["more_mp"]) * (_megapixels(pixels) - 1) + Decimal(row["reference_mp"]) * shown
        return usd.quantize(CENT_PARTS)


def _megapixels(pixels: int) -> int:
    # The lists count 1024 x 1024 as one megapixel.
    return max(math.ceil(pixels / (1 << 20)), 1)


@dataclass(frozen=True)
class PriceList:
    """A service's table."""

    data: Mapping[str, Any]

    @property
    def title(self) -> str:
        return str(self.data["title"])

    @property
    def key(self) -> str:
        """The environment variable that its key is called by."""
        return str(self.data["key"])

    @property
    def default(self) -> str:
        return str(self.data["default"])

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.data["model"])

    def model(self, name: str) -> Model:
        """Raises EngineError `unknown-model`."""
        if name not in self.data["model"]:
            raise EngineError("unknown-model", f'{self.title} has no model "{name[:60]}" here; there are: {", ".join(self.models)}')
        return Model(name, self.data["model"][name])

    def in_flight(self, model: Model) -> int:
        """How many requests may be on their way at once."""
        return int(model.row.get("in_flight", self.data["in_flight"]))


@cache
def of(service: str) -> PriceList:
    return PriceList(tomllib.loads((FOLDER / f"{service}.toml").read_text("utf-8")))
