"""What a frame carries inside its own file: enough to be shot again from the file alone, given the reference photo.

Two texts of the PNG: `lowkey`, the shot as JSON, and an XMP packet (ISO 16684-1) that other programs understand, with the
IPTC's word for how the picture came about. Both follow from the shot alone, so the same shot makes the same bytes: no time,
no path, no host, no person's name. `--private` leaves both out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lowkey import look as looks
from lowkey.errors import LookError, LowkeyError
from lowkey.frame import Framing, Shot
from lowkey.photo.png import MOST_TEXT_BYTES, texts_of
from lowkey.spec import Remedy, remedies

KEY, XMP_KEY = "lowkey", "XML:com.adobe.xmp"
VERSION = 1
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Carried:
    """What a frame's file says of itself."""

    shot: Shot
    face: int | None
    prelight: bool
    engine: str
    """Name and version of what made it."""


def texts(shot: Shot, engine_version: str, *, face: int | None = None, prelight: bool = False, private: bool = False) -> dict[str, str]:
    """The texts of a frame's PNG; none when it is private."""
    if private:
        return {}
    told = {
        "lowkey_frame": VERSION,
        "engine": engine_version,
        "shot": {**asdict(shot), "look": looks.to_mapping(shot.look)},
        "hash": shot.hash(),
        "face": face,
        "prelight": prelight,
    }
    page = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {KEY: page, XMP_KEY: _xmp(shot, engine_version, page)}


def of(file: Path) -> Carried:
    """What a frame's file carries. Raises LookError: no-metadata, bad-metadata, newer-metadata."""
    try:
        with file.open("rb") as opened:
            head = opened.read(2 * MOST_TEXT_BYTES)
    except OSError as error:
        raise LookError("no-metadata", f"{file} cannot be read: {error.strerror or error}") from None
    return carried(head, file.name)


def carried(head: bytes, name: str = "the frame") -> Carried:
    """What the first bytes of a frame's file carry; `name` is what messages call it."""
    text = texts_of(head).get(KEY)
    if text is None:
        said = f"{name} carries nothing of how it was shot: it is none of ours, was shot with --private, or was saved by another program"
        raise LookError("no-metadata", said)
    if len(text) > MOST_TEXT_BYTES:
        raise LookError("bad-metadata", f"{name} carries more text than a frame can")
    try:
        told = json.loads(text)
        if told["lowkey_frame"] != VERSION:
            said = f"{name} was shot by a newer lowkey (its version {told['lowkey_frame']!r:.20}, this one reads {VERSION}); update lowkey"
            raise LookError("newer-metadata", said)
        shot = _shot(told["shot"])
        if shot.hash() != told["hash"]:
            raise ValueError("it was altered, or shot by a lowkey of other words")
        face = told["face"]
        if face is not None and (type(face) is not int or not 1 <= face <= 999):
            raise ValueError("a face is a number")
        return Carried(shot, face, told["prelight"] is True, str(told["engine"])[:200])
    except LookError as error:
        if error.code == "newer-metadata":
            raise
        raise LookError("bad-metadata", f"{name} carries a shot that cannot be made again: {error.message[:160]}") from None
    except (LowkeyError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        why = str(error) or type(error).__name__
        raise LookError("bad-metadata", f"{name} carries a shot that cannot be read: {why[:160]}") from None


def _shot(told: Mapping[str, Any]) -> Shot:
    """A shot from strangers: every field is checked."""
    place = told["framing"]
    centre, height = _pair(place["head_centre"], float), float(place["head_height_fh"])
    framing = Framing(_pair(place["aspect"], int), centre, height, place["source"] is True)
    seed, size = told["seed"], _pair(told["size_px"], int)
    reference = told["reference"]
    if type(seed) is not int or not 0 <= seed < 2**32 or not isinstance(reference, str) or not 1 <= min(size) <= max(size) <= 65_536:
        raise ValueError("seed, size or reference cannot be")
    cures = tuple(Remedy(one["name"], float(one["size"])) for one in told["remedies"])
    if unknown := [one.name for one in cures if one.name not in remedies()]:
        raise ValueError(f"there is no remedy {unknown[0]!r:.40}")
    options = tuple((str(name), str(value)) for name, value in told["options"])
    look = looks.from_json(json.dumps(told["look"]), "its look")
    more = {name: told[name] for name in told.keys() - {"look", "framing", "reference", "seed", "size_px", "engine", "options", "remedies"}}
    return Shot(look, framing, reference, seed, size, str(told["engine"])[:80], options, cures, **more)


def _pair(value: Any, kind: type) -> Any:
    one, other = value
    if isinstance(one, bool) or isinstance(other, bool) or not (isinstance(one, int | float) and isinstance(other, int | float)):
        raise ValueError("two numbers are needed")
    return kind(one), kind(other)


def _xmp(shot: Shot, engine_version: str, page: str) -> str:
    # The darkroom lights the person's own pixels and composes them with a room that is computed; other engines paint with
    # what they were trained on (IPTC, "Digital Source Type" NewsCodes).
    kind = "compositeSynthetic" if shot.engine == "darkroom" else "compositeWithTrainedAlgorithmicMedia"
    title = escape(shot.look.title or shot.look.light)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:lowkey="urn:lowkey:frame:1/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
        f"<xmp:CreatorTool>lowkey</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPES}{kind}</Iptc4xmpExt:DigitalSourceType>"
        f"<lowkey:engine>{escape(engine_version)}</lowkey:engine><lowkey:frame>{escape(page)}</lowkey:frame>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )
