"""A page on which a person votes: two frames at a time, without names, seeds or scores. It needs no server and no network."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from lowkey.pixels import U8

SHOWN_PX = (760, 950)
"""The largest a frame is shown; fitted before it comes here."""


def page(pictures: Mapping[str, U8], pairs: Sequence[tuple[str, str]], title: str = "") -> str:
    """The page as HTML. `pictures` are small frames u8[h, w, 3] by an id that says nothing; `pairs` are ids, left and right."""
    data = {
        "pictures": {name: _inline(picture) for name, picture in pictures.items()},
        "pairs": [list(pair) for pair in pairs],
        "order": sorted(pictures),
    }
    # Inside a script only "<" could end it: the title is text, and the rest is ids and base64.
    said = json.dumps(data).replace("<", "\\u003c")
    template = (Path(__file__).parent.parent / "data" / "pairs.html").read_text("utf-8")
    return template.replace("%TITLE%", html.escape(title)).replace("%DATA%", said)


def _inline(picture: U8) -> str:
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode("ascii")
