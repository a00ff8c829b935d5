"""What is kept of a picture's EXIF: how it was taken, never where, by whom, or with which serial number.

Tag numbers are those of EXIF 2.32 (CIPA DC-008). Only the tags named here are ever read, so nothing else can leave.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    return named(
        camera=(exif.get(_MAKE), exif.get(_MODEL)),
        lens=(sub.get(_LENS_MAKE), sub.get(_LENS_MODEL)),
        exposure_s=sub.get(_EXPOSURE_S),
        f_number=sub.get(_F_NUMBER),
        iso=sub.get(_ISO),
        focal_mm=sub.get(_FOCAL_MM),
        date=sub.get(_DATE_ORIGINAL) or exif.get(_DATE),
    )


def named(
    *,
    camera: tuple[Any, Any] = ("", ""),
    lens: tuple[Any, Any] = ("", ""),
    exposure_s: Any = None,
    f_number: Any = None,
    iso: Any = None,
    focal_mm: Any = None,
    date: Any = None,
) -> dict[str, str]:
    """The KEPT keys as short text from values as files have them; what is missing or senseless is left out."""
    s, f, i, mm = _number(exposure_s), _number(f_number), _number(iso), _number(focal_mm)
    found = {
        "camera": _joined(*camera),
        "lens": _joined(*lens),
        "exposure": "" if s is None else f"1/{1 / s:.0f} s" if s < 0.35 else f"{s:g} s",
        "aperture": "" if f is None else f"f/{f:g}",
        "iso": "" if i is None else f"{i:.0f}",
        "focal_length": "" if mm is None else f"{mm:g} mm",
        "date": _text(date),
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
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value.split("\0")[0]).split())[:80]


def _joined(make: object, model: object) -> str:
    """ "Canon" and "Canon EOS R5" are one name; "SONY" and "ILCE-7M3" are two words of one."""
    a, b = _text(make), _text(model)
    return b if not a or b.lower().startswith(a.split()[0].lower()) else f"{a} {b}".strip()


def _number(value: Any) -> float | None:
    try:
        number = float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    return number if 0 < number < 1e7 else None
