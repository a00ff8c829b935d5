"""The contact sheet of a setup, and pictures that a session draws: noted by their hash, and never written over another's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lowkey import photo, prints
from lowkey.photo import Photo
from lowkey.photo.png import png_bytes
from lowkey.session import files, record
from lowkey.session.setup import Setup, sheet_name
from lowkey.session.store import FrameRow, Store


def draw(store: Store, number: int, setup: Setup, reference: Photo | str, cells: Mapping[int, prints.Cell]) -> str:
    """Draw the sheet of every frame of a setup that is done, with the meter's ticks and places and a person's stars; its name."""
    rows = [row for row in store.frames(number) if row.sha256 and row.owner is None]
    made = [_cell(store, row, place, cells.get(row.seed), len(rows)) for row, place in record.places(rows)]
    page = prints.sheet(made, setup.look, reference, setup.size_px)
    held = next((one.sheet for one in store.setups() if one.id == number and one.sheet), None)
    others = {one.sheet for one in store.setups() if one.id != number and one.sheet}
    name = held or sheet_name(store.folder, number, others)
    put(store, name, "sheet", png_bytes(page))
    return name


def whole(store: Store, number: int) -> bool:
    """Whether the sheet of a setup is on disk as it was drawn."""
    name = next((one.sheet for one in store.setups() if one.id == number), None)
    kind, sha256 = store.files().get(name or "", ("", ""))
    return kind == "sheet" and files.intact(store.folder / str(name), sha256)


def put(store: Store, name: str, kind: str, data: bytes) -> None:
    """Write a file that can be drawn again. One of that name that is not as it was noted is somebody's work: it is set aside."""
    sha256 = files.digest(data)
    _, noted = store.files().get(name, ("", ""))
    file = files.inside(store.folder, name)
    if not files.intact(file, sha256):
        if file.exists() and not (noted and files.intact(file, noted)):
            files.set_aside(store.folder, name)
        files.write(store.folder, name, data)
    # Noted after it is written: after a stop in between it is drawn anew, found to be the same, and noted then.
    if noted != sha256:
        store.keep_file(name, kind, sha256)


def _cell(store: Store, row: FrameRow, place: int | None, cell: prints.Cell | None, among: int) -> prints.Cell:
    if cell is None:
        cell = prints.cell_of(photo.read(files.inside(store.folder, row.file)).pixels, row.seed, among)
    judged: Any = record.Judged.of(row.page.get("meter"))
    return replace(cell, marks=judged.marks if judged else (), place=place, stars=row.stars)
