"""The grid of a sweep: words across and down, every seed of a cell side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from lowkey.pixels import U8
from lowkey.prints.sheet import ACCENT, DIM, INK, LINE, MARGIN, PAPER, _cut, fitted, sans

WIDEST_PX = 6000
"""A grid of many columns is drawn with smaller frames rather than wider than this."""
FRAME_PX = (280, 60)
"""The widest and the narrowest a frame is drawn."""
HEAD_PX, SIDE_PX, GAP = 230, 330, 14


def grid(
    cells: Mapping[tuple[int, int], Sequence[U8]],
    words: tuple[Sequence[str], Sequence[str]],
    variables: tuple[str, str],
    seeds: Sequence[int],
    title: str = "",
) -> U8:
    """The page u8[h, w, 3]. `cells` are frames u8[h, w, 3] by (column, row), one for each of `seeds`."""
    across, down = words
    side = SIDE_PX if variables[1] else 0
    room = WIDEST_PX - 2 * MARGIN - side - len(across) * GAP
    wide = int(np.clip(room // (len(across) * len(seeds)), FRAME_PX[1], FRAME_PX[0]))
    first = next(iter(cells.values()))[0]
    tall = round(wide * first.shape[0] / first.shape[1])
    step_x, step_y = wide * len(seeds) + GAP, tall + GAP
    page = Image.new("RGB", (2 * MARGIN + side + step_x * len(across), MARGIN + HEAD_PX + step_y * len(down) + MARGIN), PAPER)
    draw = ImageDraw.Draw(page)
    said = f"{variables[0]} across" + (f", {variables[1]} down" if variables[1] else "")
    draw.text((MARGIN, MARGIN - 4), _cut(f"{title}   {said}", 34, page.width - 2 * MARGIN), font=sans(34, title), fill=INK)
    numbers = "seed " + ", ".join(f"{seed:02d}" for seed in seeds)
    draw.text((MARGIN, MARGIN + 44), _cut(numbers, 28, page.width - 2 * MARGIN), font=sans(28), fill=DIM)
    top, left = MARGIN + HEAD_PX, MARGIN + side
    for x, word in enumerate(across):
        lines = _broken(word, 26, step_x - GAP)
        for index, line in enumerate(lines):
            draw.text((left + x * step_x, top - 14 - 30 * (len(lines) - index)), line, font=sans(26), fill=ACCENT)
    for y, word in enumerate(down):
        for index, line in enumerate(_broken(word, 26, side - 30) if side else []):
            draw.text((MARGIN, top + y * step_y + 6 + 30 * index), line, font=sans(26), fill=ACCENT)
        if y:
            draw.line((MARGIN, top + y * step_y - GAP // 2, page.width - MARGIN, top + y * step_y - GAP // 2), fill=LINE)
    for (x, y), frames in cells.items():
        for index, frame in enumerate(frames):
            at = (left + x * step_x + index * wide, top + y * step_y)
            page.paste(Image.fromarray(fitted(frame, (wide, tall))), at)
    return np.asarray(page, np.uint8)


def _broken(text: str, size: int, room_px: int) -> list[str]:
    """A label in as many lines as it needs, three at most."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and sans(size).getlength(longer) > room_px:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_cut(line, size, room_px) for line in lines[:3]]
