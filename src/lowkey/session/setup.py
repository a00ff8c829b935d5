"""A setup: one look at one size through one engine. A session shoots each of its setups once a seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey.engines import Engine
from lowkey.errors import LookError
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.session.files import digest
from lowkey.spec import Remedy


@dataclass(frozen=True)
class Setup:
    """What makes frames that belong on one sheet."""

    look: Look
    size_px: tuple[int, int]
    engine: str
    options: tuple[tuple[str, str], ...] = ()
    face: int | None = None
    retakes: int = 0
    prelight: bool = False
    private: bool = False
    label: str = ""
    """What its frames are called by; the light, unless a sweep varies something else."""
    framing: Framing | None = None
    """None: the look's own, in the proportion of the size."""
    remedies: tuple[Remedy, ...] = ()

    @classmethod
    def of(cls, look: Look, size_px: tuple[int, int], engine: Engine, **more: Any) -> Setup:
        return cls(look, size_px, engine.name, engine.options, **more)

    @property
    def key(self) -> str:
        """Equal for what makes the same frames."""
        told = {**asdict(self), "look": looks.to_mapping(self.look)}
        return digest(json.dumps(told, sort_keys=True, separators=(",", ":")).encode())

    @property
    def scope(self) -> str:
        """What tells jobs apart where shots do not."""
        return f"face {self.face or 1}{', with a guide' if self.prelight else ''}"

    def page(self, seeds: Sequence[int]) -> dict[str, Any]:
        """As the record has it."""
        told = {**asdict(self), "look": looks.to_mapping(self.look), "seeds": list(seeds), "key": self.key}
        return dict(json.loads(json.dumps(told)))

    @classmethod
    def read(cls, page: Mapping[str, Any]) -> Setup:
        """A setup from the record's page of it. Raises LookError `bad-setup` when it is not one."""
        try:
            place = page.get("framing")
            framing = None
            if place is not None:
                (a, b), (x, y) = place["aspect"], place["head_centre"]
                framing = Framing((int(a), int(b)), (float(x), float(y)), float(place["head_height_fh"]), place["source"] is True)
            width, height = page["size_px"]
            face, retakes = page.get("face"), page.get("retakes", 0)
            if (face is not None and type(face) is not int) or type(retakes) is not int:
                raise ValueError("a face and retakes are whole numbers")
            return cls(
                looks.from_json(json.dumps(page["look"]), "the session's look"),
                (int(width), int(height)),
                str(page.get("engine", "darkroom")),
                tuple((str(name), str(value)) for name, value in page.get("options", ())),
                face,
                retakes,
                page.get("prelight") is True,
                page.get("private") is True,
                str(page.get("label", ""))[:80],
                framing,
                tuple(Remedy(str(one["name"]), float(one["size"])) for one in page.get("remedies", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"the session does not say whole what was shot ({str(error)[:80]})"
            raise LookError("bad-setup", f"{text}: shoot it again with lowkey shoot") from None

    def shot(self, reference: str, seed: int) -> Shot:
        divisor = math.gcd(*self.size_px)
        framing = self.framing or Framing(aspect=(self.size_px[0] // divisor, self.size_px[1] // divisor))
        return Shot(self.look, framing, reference, seed, self.size_px, self.engine, self.options, self.remedies)

    def names(self, stem: str, seed: int) -> Iterator[str]:
        """What a frame may be called, best first: another setup, or somebody, may have taken a name."""
        name = f"{stem}_{self.label or self.look.term('light').slug}_s{seed:02d}"
        yield f"{name}.png"
        yield f"{name}_{self.key[:6]}.png"
        for number in range(2, 10_000):
            yield f"{name}_{self.key[:6]}-{number}.png"


def sheet_name(folder: Path, number: int, taken: set[str]) -> str:
    """`sheet.png` for the first setup of a session, `sheet_2.png` for the second."""
    name = "sheet.png" if number == 1 else f"sheet_{number}.png"
    extra = 2
    while name in taken:
        name = f"sheet_{number}-{extra}.png"
        extra += 1
    return name
