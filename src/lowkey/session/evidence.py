"""Evidence: the house look on the sample through one engine, metered, in a folder that can be shown to anybody."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lowkey
from lowkey import photo as photos
from lowkey.engines import find
from lowkey.errors import PhotoError
from lowkey.look import Look
from lowkey.photo import write_png, write_whole
from lowkey.session.shooting import Taken, shoot


@dataclass(frozen=True)
class Evidence:
    """What was written."""

    folder: Path
    page: Path
    frames: int
    kept: int
    """How many frames missed nothing that could be judged."""


def gather(
    engine: str,
    options: Mapping[str, str],
    photo: Path | None = None,
    out: Path | None = None,
    *,
    seeds: int = 6,
    size_px: tuple[int, int] | None = None,
) -> Evidence:
    """Shoot, meter and write README.md beside the frames. Raises what a shoot raises; `no-sample` without a photo to shoot."""
    folder = out if out is not None else Path(f"evidence-{engine}")
    with tempfile.TemporaryDirectory(prefix="lowkey-sample-") as kept:
        reference = photo if photo is not None else _sample(Path(kept))
        shot = shoot(reference, look=Look(), seeds=seeds, size_px=size_px, engine=engine, options=options, out=folder)
        name = photos.read(reference).stem
    record = _record(shot.record)
    page = folder / "README.md"
    write_whole(page, _page(engine, options, name, photo is None, shot.frames, record).encode())
    passed = sum(bool(one.verdict and one.verdict.passed) for one in shot.frames)
    return Evidence(folder, page, len(shot.frames), passed)


def _sample(folder: Path) -> Path:
    """NASA's public-domain portrait, as scikit-image ships it."""
    if find_spec("skimage") is None:
        raise PhotoError("no-sample", "the sample portrait comes with scikit-image: pip install scikit-image, or give --photo")
    data: Any = import_module("skimage.data")
    file = folder / "sample.png"
    write_png(file, data.astronaut())
    return file


def _record(file: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = import_module("json").loads(file.read_bytes())
    return told


def _page(
    engine: str, options: Mapping[str, str], name: str, sample: bool, frames: tuple[Taken, ...], record: Mapping[str, Any]
) -> str:
    """What made the frames, what the meter found, and how to do it again. No time, host or path."""
    made = find(engine, options)
    rows = record["frames"]
    notes = rows[0]["notes"]
    told = {
        "engine": f"{engine} ({rows[0]['engine']})",
        "lowkey": lowkey.__version__,
        "licence": made.abilities.licence,
        "cost": made.abilities.cost,
        **{key: _said(value) for key, value in notes.items() if key not in ("said", "rehearsal", "terms", "licence")},
    }
    lines = [f"# The house look through {engine}", ""]
    if notes.get("rehearsal"):
        lines += ["**REHEARSAL: these are cards with words on them, no pictures. They are evidence of nothing.**", ""]
    whose = "NASA's public-domain portrait of Eileen Collins" if sample else f"the photo {name}"
    lines += [f"{len(frames)} seeds of {whose}, none left out, judged by lowkey's own meter.", "", "![sheet](sheet.png)", ""]
    lines += ["| what | |", "|---|---|", *(f"| {key} | {value} |" for key, value in told.items()), ""]
    lines += ["| frame | score | what the meter says | missed |", "|---|---|---|---|"]
    for one in frames:
        verdict = one.verdict
        score = f"{verdict.score:.2f}" if verdict and verdict.score is not None else "none"
        missed = ", ".join(verdict.missed) if verdict else ""
        lines.append(f"| [{one.path.name}]({one.path.name}) | {score} | {verdict.headline if verdict else ''} | {missed or 'nothing'} |")
    said = dict.fromkeys(text for row in rows for text in row["notes"].get("said", []))
    lines += ["", *(f"- {text}" for text in said)]
    given = "".join(f" --option {key}={_safe(value)}" for key, value in options.items())
    lines += ["", "To do it again:", "", f"    lowkey evidence {engine}{given} --seeds {len(frames)}", ""]
    return "\n".join(lines)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(part)}" for key, part in value.items())
    if isinstance(value, list):
        return " x ".join(map(_said, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _safe(value: str) -> str:
    """A folder by its last name: the page is for others."""
    return Path(value).name if Path(value).is_dir() else value
