"""What is kept of a picture's EXIF: how it was taken, never where, by whom, or with which serial number.

Tag numbers are those of EXIF 2.32 (CIPA DC-008). Only the tags named here are ever read, so nothing else can leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

KEPT = ("camera", "lens", "exposure", "aperture", "iso", "focal_length", "date")
"""Every key that Photo.captured can have."""

_MAKE, _MODEL, _DATE, _EXIF_IFD, _ORIENTATION = 271, 272, 306, 34665, 274
_EXPOSURE_S, _F_NUMBER, _ISO, _DATE_ORIGINAL, _FOCAL_MM, _COLOUR_SPACE, _INTEROP_IFD = 33434, 33437, 34855, 36867, 37386, 40961, 40965
_LENS_MAKE, _LENS_MODEL = 42035, 42036


def captured(exif: Image.Exif) -> dict[str, str]:
    """The KEPT keys that the EXIF block has, as short text."""
    sub = _sub(exif, _EXIF_IFD)
    found = {
        "camera": _joined(exif.get(_MAKE), exif.get(_MODEL)),
        "lens": _joined(sub.get(_LENS_MAKE), sub.get(_LENS_MODEL)),
        "exposure": _number(sub.get(_EXPOSURE_S), _seconds),
        "aperture": _number(sub.get(_F_NUMBER), lambda f: f"f/{f:g}"),
        "iso": _number(sub.get(_ISO), lambda i: f"{i:.0f}"),
        "focal_length": _number(sub.get(_FOCAL_MM), lambda f: f"{f:g} mm"),
        "date": _text(sub.get(_DATE_ORIGINAL) or exif.get(_DATE)),
    }
    return {key: value for key, value in found.items() if value}


def orientation(exif: Image.Exif) -> int:
    """1..8 as in EXIF; anything else reads as 1 (upright)."""
    value = exif.get(_ORIENTATION, 1)
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def says_adobe_rgb(exif: Image.Exif) -> bool:
    """True for the DCF "optional colour space" (JEITA CP-3461B, 3.4): uncalibrated, with interoperability index R03."""
    sub = _sub(exif, _EXIF_IFD)
    return sub.get(_COLOUR_SPACE) == 0xFFFF and _text(_sub(exif, _INTEROP_IFD).get(1)) == "R03"


def _sub(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(tag)
    except Exception:  # a broken sub-directory is as good as none
        return {}


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in value.split("\0")[0]).split())[:80] if isinstance(value, str) else ""


def _joined(make: object, model: object) -> str:
    """"Canon" and "Canon EOS R5" are one name; "SONY" and "ILCE-7M3" are two words of one."""
    a, b = _text(make), _text(model)
    return b if not a or b.lower().startswith(a.split()[0].lower()) else f"{a} {b}".strip()


def _number(value: Any, show: Callable[[float], str]) -> str:
    try:
        number = float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return ""
    return show(number) if 0 < number < 1e7 else ""


def _seconds(s: float) -> str:
    return f"1/{1 / s:.0f} s" if s < 0.35 else f"{s:g} s"
