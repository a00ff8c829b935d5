"""Plates kept between runs: reading a photo is the slow part, and a photo does not change.

A plate lies in the user's cache under a key of the photo's bytes, the face chosen and the code that reads, so it is never
stale; what it holds is the arrays themselves, so a kept plate and a fresh one make the same bytes. Never anything but arrays
and plain numbers: no code is loaded from it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import zipfile
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import lowkey
from lowkey.errors import LowkeyError
from lowkey.frame import Placement
from lowkey.photo import Photo, write_whole
from lowkey.pixels import F32, freeze
from lowkey.plate import balance, readers, scan
from lowkey.plate.plate import Caution, FoundLight, Plate, Pose

LARGEST_BYTES = 2_000_000_000
"""Of all kept plates together; the oldest go first."""
_MAPS = ("landmarks", "inside", "colour", "matte", "depth", "normal", "albedo")


def folder() -> Path:
    """``$LOWKEY_CACHE/plates``, else ``lowkey/plates`` in the user's cache."""
    if given := os.environ.get("LOWKEY_CACHE"):
        return Path(given) / "plates"
    import platformdirs

    return Path(platformdirs.user_cache_path("lowkey")) / "plates"


def of(photo: Photo, face: int | None = None, *, keep: bool = True) -> Plate:
    """The plate of a photo: kept from an earlier run, or read now and kept. A cache that fails is as if it were not there."""
    if not keep:
        return scan(photo, face)
    file = folder() / f"{_key(photo, face)}.npz"
    with suppress(OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        plate = _unpacked(photo, file)
        os.utime(file)
        return plate
    plate = scan(photo, face)
    with suppress(OSError, LowkeyError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.parent.chmod(0o700)
        _make_room(file.parent)
        write_whole(file, _packed(plate))
    return plate


def clear() -> tuple[int, int]:
    """Remove every kept plate: how many there were, and their bytes."""
    removed = freed = 0
    for file in _kept(folder()):
        with suppress(OSError):
            size = file.stat().st_size
            file.unlink()
            removed, freed = removed + 1, freed + size
    return removed, freed


def of_photo(sha256: str) -> list[Path]:
    """Every kept plate of the photo with this hash, of any face and any version."""
    return sorted(folder().glob(f"{sha256[:24]}-*.npz")) if len(sha256) >= 24 and sha256.isalnum() else []


def forget(sha256: str) -> list[Path]:
    """Remove every plate of a photo; which ones there were."""
    files = of_photo(sha256)
    for file in files:
        file.unlink(missing_ok=True)
    return files


def _kept(where: Path) -> list[Path]:
    return sorted(where.glob("*.npz")) if where.is_dir() else []


def _make_room(where: Path) -> None:
    """Oldest out until what is left, and one more plate, fits."""
    files = sorted(_kept(where), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    while files and total > 0.9 * LARGEST_BYTES:
        oldest = files.pop(0)
        total -= oldest.stat().st_size
        oldest.unlink(missing_ok=True)


def _key(photo: Photo, face: int | None) -> str:
    text = json.dumps([photo.hash, list(photo.size_px), str(photo.pixels.dtype), face, _reader(), *readers.state()])
    # The photo stands first, so that all that was ever read of it can be found and removed.
    return f"{photo.hash[:24]}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


@cache
def _reader() -> str:
    """What reads: this version, and the bytes of every file that has a part in it."""
    home = Path(lowkey.__file__).parent
    digest = hashlib.sha256(lowkey.__version__.encode())
    single = (home / "pixels.py", home / "frame.py", home / "data" / "readers.toml")
    for file in sorted([*single, *home.glob("photo/*.py"), *home.glob("plate/*.py")]):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _packed(plate: Plate) -> bytes:
    """The plate without its photo: every map as it is, and one page of plain numbers."""
    page = {
        "window": dataclasses.astuple(plate.window),
        "hw_px": plate.hw_px,
        "pose": dataclasses.astuple(plate.pose),
        "found_light": dataclasses.astuple(plate.found_light),
        "confidence": plate.confidence,
        "warnings": [dataclasses.astuple(caution) for caution in plate.warnings],
        "read_by": dict(plate.read_by),
        "developed": list(plate.developed),
    }
    maps: dict[str, Any] = {name: getattr(plate, name) for name in _MAPS}
    maps |= {f"parts.{name}": part for name, part in plate.parts.items()}
    maps["page"] = np.frombuffer(json.dumps(page, default=_number).encode(), np.uint8)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compresslevel=1) as pages:
        for name, values in maps.items():
            # Maps that are mostly 0 or 1 shrink to nearly nothing; the others would only cost time.
            sparse = name.startswith("parts.") or name in ("matte", "inside")
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED if sparse else zipfile.ZIP_STORED
            array = io.BytesIO()
            np.save(array, values, allow_pickle=False)
            pages.writestr(info, array.getbuffer())
    return packed.getvalue()


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def _unpacked(photo: Photo, file: Path) -> Plate:
    with np.load(file, allow_pickle=False) as held:
        maps: dict[str, F32] = {name: freeze(held[name]) for name in held.files if name != "page"}
        page = json.loads(held["page"].tobytes())
    light = page["found_light"]
    red, green, blue = page["developed"]
    return Plate(
        photo=balance.developed(photo, (red, green, blue)),
        window=Placement(*page["window"]),
        hw_px=page["hw_px"],
        pose=Pose(*page["pose"]),
        found_light=FoundLight(*light),
        confidence=page["confidence"],
        warnings=tuple(Caution(*caution) for caution in page["warnings"]),
        read_by=page["read_by"],
        developed=(red, green, blue),
        parts={name.removeprefix("parts."): part for name, part in maps.items() if name.startswith("parts.")},
        **{name: maps[name] for name in _MAPS},
    )
