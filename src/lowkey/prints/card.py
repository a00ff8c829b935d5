"""A card: words on a plain ground, in the size of a frame, so loudly labelled that nobody takes it for a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from lowkey.pixels import U8
from lowkey.prints.sheet import sans

GROUND, INK, STRIPE = (243, 240, 233), (28, 27, 25), (214, 84, 34)


def card(label: str, lines: Sequence[str], size_px: tuple[int, int]) -> U8:
    """u8[h, w, 3]: `label` between two striped bars, and `lines` under it, wrapped and cut where the card ends."""
    w, h = size_px
    page = Image.new("RGB", size_px, GROUND)
    draw = ImageDraw.Draw(page)
    bar = max(h // 16, 4)
    for top in (0, h - bar):
        for x in range(-bar, w + bar, 2 * bar):
            draw.polygon(((x, top + bar), (x + bar, top), (x + 2 * bar, top), (x + bar, top + bar)), fill=STRIPE)
    margin = max(w // 16, 4)
    room = w - 2 * margin
    size = max(h // 8, 8)
    while size > 8 and sans(size, label).getlength(label) > room:
        size -= 1
    draw.text((margin, bar + margin // 2), label, font=sans(size, label), fill=STRIPE)
    y = bar + margin // 2 + round(1.4 * size)
    small = max(h // 45, 8)
    for line in lines:
        for part in _wrapped(line, small, room):
            if y + 1.3 * small > h - bar:
                return np.asarray(page, np.uint8)
            draw.text((margin, y), part, font=sans(small, part), fill=INK)
            y += round(1.3 * small)
        y += round(0.4 * small)
    return np.asarray(page, np.uint8)


def _wrapped(text: str, size: int, room: int) -> list[str]:
    """The text in lines that fit, broken at spaces."""
    found: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and sans(size, longer).getlength(longer) > room:
            found.append(line)
            line = word
        else:
            line = longer
    return [*found, line] if line else found
