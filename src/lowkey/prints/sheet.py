"""The contact sheet: every frame of a shoot on one dark A4 page, and the numbered faces of a photo with several.

A sheet is drawn at A4's own proportion, 1754 x 2480 px (212 to the inch), in type that stays readable when a phone shows the
page 390 points wide. Same frames, same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lowkey.frame import Frame
from lowkey.look import VARIABLES, Look
from lowkey.photo import Photo
from lowkey.pixels import F32, U8, srgb_decode, srgb_encode

PAGE_PX = (1754, 2480)
MARGIN, GUTTER = 92, 34
HEADER_PX = 640
LABEL_PX = 74
METER_PX = 52
"""More under each frame when it was metered: the ticks, and a person's stars apart from them."""
MOST_ON_A4 = 30
"""More frames than this make the page longer, five across."""

PAPER = (13, 12, 11)
INK = (236, 226, 210)
DIM = (150, 139, 124)
LINE = (52, 47, 42)
ACCENT = (226, 150, 74)

Type = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Cell:
    """One frame of a sheet: a small picture and its seed."""

    picture: U8
    """u8[h, w, 3] sRGB."""
    seed: int
    marks: tuple[bool | None, ...] = ()
    """The meter's: one for each target of the look, True kept, False missed, None cannot be judged. Empty: not metered."""
    place: int | None = None
    """By the meter, among the frames of the sheet; 1 is best."""
    stars: int = 0
    """A person's own, 0 to 5; never the meter's."""


def cell(frame: Frame, among: int = 1) -> Cell:
    """A frame made small for a sheet of `among` frames."""
    return cell_of(frame.pixels, frame.shot.seed, among)


def cell_of(pixels: NDArray[Any], seed: int, among: int = 1) -> Cell:
    """A frame's pixels u8 or u16 [h, w, 3], as they came or as they were read back, made small for a sheet of `among` frames."""
    h, w = pixels.shape[:2]
    columns = _grid(among, w / h, PAGE_PX[1] - HEADER_PX - MARGIN)[0]
    room = (PAGE_PX[0] - 2 * MARGIN) // columns
    return Cell(fitted(pixels, (room, PAGE_PX[1]), enlarge=False), seed)


def sheet(cells: Sequence[Cell], look: Look, reference: Photo | str, size_px: tuple[int, int]) -> U8:
    """The page u8[h, w, 3]: `cells` in their order, under the look's words and the reference photo, or where there is none at
    hand its name.
    """
    width, height = PAGE_PX
    ratio = size_px[0] / size_px[1]
    label = LABEL_PX + (METER_PX if any(one.marks or one.stars for one in cells) else 0)
    columns, cell_w = _grid(len(cells), ratio, height - HEADER_PX - MARGIN, label)
    cell_h = round(cell_w / ratio)
    rows = -(-len(cells) // columns)
    height = max(height, HEADER_PX + rows * (cell_h + label) + MARGIN)
    page = Image.new("RGB", (width, height), PAPER)
    _header(page, look, reference, size_px, cells)

    # What the grid leaves over goes above it, below it and, less, between its rows.
    spare = height - HEADER_PX - MARGIN - rows * (cell_h + label)
    apart = min(spare // (rows + 2), 90)
    left = (width - columns * cell_w - (columns - 1) * GUTTER) // 2
    draw = ImageDraw.Draw(page)
    for index, one in enumerate(cells):
        x = left + index % columns * (cell_w + GUTTER)
        y = HEADER_PX + (spare - apart * (rows - 1)) // 2 + index // columns * (cell_h + label + apart)
        page.paste(Image.fromarray(fitted(one.picture, (cell_w, cell_h))), (x, y))
        draw.text((x, y + cell_h + 12), "seed", font=sans(34), fill=DIM)
        draw.text((x + 84, y + cell_h + 5), f"{one.seed:02d}", font=sans(42), fill=INK)
        if one.marks:
            _meter(draw, one, (x, y + cell_h), cell_w)
        if one.stars:
            _stars(draw, one.stars, (x + cell_w, y + cell_h + LABEL_PX + 8))
    return np.asarray(page, np.uint8)


def _meter(draw: ImageDraw.ImageDraw, one: Cell, at: tuple[int, int], cell_w: int) -> None:
    """What the meter said: "kept 21 of 23 · 1st" beside the seed, and under it a tick for each target, in the spec's order.

    A full bar is kept, an open box missed, a dot could not be judged.
    """
    x, y = at
    judged = [mark for mark in one.marks if mark is not None]
    place = f"{ordinal(one.place)}  ·  " if one.place else ""
    size = 34
    long, short = f"{place}kept {sum(judged)} of {len(judged)}", f"{place}{sum(judged)}/{len(judged)}"
    room = cell_w - 84 - 90
    text = long if sans(size).getlength(long) <= room else short
    while sans(size).getlength(text) > room and size > 20:
        size -= 2
    draw.text((x + cell_w, y + 12 + (34 - size) // 2), text, font=sans(size), fill=INK, anchor="ra")
    # The ticks take two thirds of the width, so that a person's stars stand apart from them.
    step = min(cell_w * 0.62 / len(one.marks), 18.0)
    top, bottom = y + LABEL_PX - 6, y + LABEL_PX + 20
    for index, mark in enumerate(one.marks):
        left = x + index * step
        _tick(draw, (round(left), top, round(left + 0.6 * step), bottom), mark)


def _tick(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], mark: bool | None) -> None:
    if mark:
        draw.rectangle(box, fill=INK)
    elif mark is False:
        draw.rectangle(box, outline=ACCENT, width=2)
    else:
        middle = (box[1] + box[3]) // 2
        draw.rectangle((box[0], middle - 2, box[2], middle + 2), fill=LINE)


def _stars(draw: ImageDraw.ImageDraw, count: int, at: tuple[int, int]) -> None:
    """A person's stars, right-aligned at (x, y of their middle)."""
    radius = 13.0
    for index in range(count):
        cx, cy = at[0] - radius - (count - 1 - index) * 2.3 * radius, at[1]
        turns = [math.radians(36 * k - 90) for k in range(10)]
        reach = [radius if k % 2 == 0 else 0.42 * radius for k in range(10)]
        draw.polygon([(cx + r * math.cos(t), cy + r * math.sin(t)) for t, r in zip(turns, reach, strict=True)], fill=ACCENT)


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd ..."""
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _header(page: Image.Image, look: Look, reference: Photo | str, size_px: tuple[int, int], cells: Sequence[Cell]) -> None:
    width = page.width
    draw = ImageDraw.Draw(page)
    frames = "1 frame" if len(cells) == 1 else f"{len(cells)} frames"
    stem = reference if isinstance(reference, str) else reference.stem

    # The reference, right: as large as the header allows, never larger than a third of the page.
    tw = 0
    if not isinstance(reference, str):
        thumb = fitted(reference.pixels, ((width - 2 * MARGIN) // 3, HEADER_PX - MARGIN - 96))
        th, tw = thumb.shape[:2]
        page.paste(Image.fromarray(thumb), (width - MARGIN - tw, MARGIN))
        draw.text((width - MARGIN - tw, MARGIN + th + 10), "reference", font=sans(34), fill=DIM)

    # The look, left: title, a rule, then one line a variable.
    room = width - 2 * MARGIN - tw - 60
    _spaced(draw, (MARGIN, MARGIN - 4), "CONTACT SHEET", 28, ACCENT)
    title = look.title or stem
    draw.text((MARGIN - 4, MARGIN + 34), _cut(title, 92, room, serif=True), font=_serif(92, title), fill=INK)
    draw.line((MARGIN, MARGIN + 156, MARGIN + room, MARGIN + 156), fill=LINE, width=2)
    y = MARGIN + 178
    for variable in VARIABLES:
        draw.text((MARGIN, y), variable, font=sans(34), fill=DIM)
        text = getattr(look, variable)
        draw.text((MARGIN + 210, y - 4), _cut(text, 38, room - 210), font=sans(38, text), fill=INK)
        y += 52
    named = f"{stem}  ·  " if look.title else ""
    foot = f"{named}{frames} of {size_px[0]} x {size_px[1]} px"
    draw.text((MARGIN, y + 8), _cut(foot, 34, room), font=sans(34, foot), fill=DIM)
    if any(one.marks for one in cells):
        _legend(draw, (MARGIN, y + 62))


def _legend(draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    """What the ticks mean."""
    x, y = at
    for mark, word in ((True, "kept"), (False, "missed"), (None, "cannot judge")):
        _tick(draw, (x, y + 4, x + 11, y + 30), mark)
        draw.text((x + 24, y), word, font=sans(30), fill=DIM)
        x += 24 + round(sans(30).getlength(word)) + 44


def _grid(count: int, ratio: float, room_h: int, label: int = LABEL_PX) -> tuple[int, int]:
    """How many columns, and how wide a cell, fill the page best."""
    room_w = PAGE_PX[0] - 2 * MARGIN
    best = (1, 0)
    for columns in range(1, 7):
        rows = -(-count // columns)
        wide = (room_w - (columns - 1) * GUTTER) // columns
        tall = int((room_h / rows - label) * ratio)
        if count > MOST_ON_A4:
            if columns == 5:
                best = (columns, wide)
        elif min(wide, tall) > best[1]:
            best = (columns, min(wide, tall))
    return best


def numbered(photo: Photo, found: Sequence[tuple[int, tuple[float, float, float, float]]]) -> U8:
    """The photo u8[h, w, 3], at most 1600 px, with each face (number, (x0, y0, x1, y1) in photo px) framed and numbered."""
    small = fitted(photo.pixels, (1600, 1600), enlarge=False)
    scale = small.shape[1] / photo.size_px[0]
    page = Image.fromarray(small)
    draw = ImageDraw.Draw(page)
    stroke = max(page.width // 300, 2)
    for number, box in found:
        x0, y0, x1, y1 = (value * scale for value in box)
        size = int(np.clip(0.45 * (y1 - y0), 22, 120))
        draw.rectangle((x0, y0, x1, y1), outline=ACCENT, width=stroke)
        tag = (x0, y0, x0 + 0.5 * size + 0.6 * size * len(str(number)), y0 + 1.15 * size)
        draw.rectangle(tag, fill=ACCENT)
        draw.text(((tag[0] + tag[2]) / 2, (tag[1] + tag[3]) / 2), str(number), font=sans(size), fill=PAPER, anchor="mm")
    return np.asarray(page, np.uint8)


def fitted(pixels: NDArray[Any], room_px: tuple[int, int], *, enlarge: bool = True) -> U8:
    """A u8 or u16 picture as u8[h, w, 3], made to fit (width, height) in linear light."""
    h, w = pixels.shape[:2]
    scale = min(room_px[0] / w, room_px[1] / h)
    if scale == 1 or (scale > 1 and not enlarge):
        return np.asarray(pixels if pixels.dtype == np.uint8 else np.round(pixels / np.float32(257)), np.uint8)
    # A big photo is halved on its codes first, so that no 24-megapixel float picture is made.
    while scale < 0.25:
        pixels = cv2.resize(pixels, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        h, w = pixels.shape[:2]
        scale = min(room_px[0] / w, room_px[1] / h)
    linear = _decoded(np.iinfo(pixels.dtype).max)[pixels]
    size = (max(round(w * scale), 1), max(round(h * scale), 1))
    small = cv2.resize(linear, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(np.round(srgb_encode(small) * 255), np.uint8)


@cache
def _decoded(most: int) -> F32:
    """Display-linear light of every code from 0 to `most`: looking up is ten times faster than raising to a power."""
    return srgb_decode(np.arange(most + 1) / most)


# Type: a plain sans for labels, an old-style serif for the title; both come with packages that are here anyway.


def sans(size: int, text: str = "") -> Type:
    """The label face in `size` px, or one that has more alphabets when the text needs it."""
    return _named("DejaVuSans.ttf", int(size * 0.9)) if any(ord(sign) > 126 and sign != "·" for sign in text) else _default(size)


def _serif(size: int, text: str = "") -> Type:
    beyond = any(ord(sign) > 0x2FFF for sign in text)
    return _named("DejaVuSans.ttf" if beyond else "STIXGeneral.ttf", size)


@cache
def _default(size: int) -> Type:
    return ImageFont.load_default(size)


@cache
def _named(name: str, size: int) -> Type:
    spec = find_spec("matplotlib")
    folders = spec.submodule_search_locations if spec else None
    file = Path(folders[0], "mpl-data", "fonts", "ttf", name) if folders else None
    return ImageFont.truetype(str(file), size) if file and file.exists() else _default(size)


def _cut(text: str, size: int, room_px: int, *, serif: bool = False) -> str:
    """The text, shortened until it fits."""
    font = _serif(size, text) if serif else sans(size, text)
    if font.getlength(text) <= room_px:
        return text
    while text and font.getlength(text + "...") > room_px:
        text = text[:-1]
    return text.rstrip() + "..."


def _spaced(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int]) -> None:
    """Capitals set wide, as small headings are."""
    x, y = at
    for sign in text:
        draw.text((x, y), sign, font=sans(size), fill=colour)
        x += round(sans(size).getlength(sign) + 0.22 * size)
