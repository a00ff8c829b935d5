"""lowkey develop: one frame through one rig, or one stage of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from lowkey import photo as photos
from lowkey import rig
from lowkey.cli.said import warn
from lowkey.darkroom import Enlarger
from lowkey.errors import LookError, StoreError
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.photo import Photo
from lowkey.session import plates
from lowkey.session.shooting import ASPECTS, frame_size

STAGES = ("dress", "light", "backdrop", "optics", "film")
KeySize = tuple[float | None, float | None]
"""The key's angular radius (degrees) and distance (head-widths), each None where the look decides."""


def run(
    photo: Path,
    out: Path,
    look: Look,
    key_size: KeySize,
    stage: str,
    framing: str | None,
    height: int,
    seed: int,
    face: int | None,
    keep_skin: bool,
    keep_plate: bool,
    as_json: bool,
) -> None:
    _check(out, stage, framing, key_size)
    asked = _rig(look, stage, key_size)
    picture = photos.read(photo)
    plate = plates.of(picture, face, keep=keep_plate)
    window, size = _framing(picture, framing or ("source" if stage == "light" else "4:5"), height)
    enlarger = Enlarger(plate, window, size, keep_skin=keep_skin)
    values, resolved = next((picture, resolved) for name, picture, resolved in enlarger.stages(asked, seed) if name == stage)
    if stage == "film":
        photos.write_png(out, np.asarray(np.round(values * np.float32(65535)), np.uint16))
    else:
        photos.write_linear(out, values)
    for caution in plate.warnings:
        warn(caution)
    direction = resolved.key.direction
    assert isinstance(direction, rig.Direction)
    if as_json:
        key = {"azimuth_deg": direction.azimuth_deg, "elevation_deg": direction.elevation_deg}
        key["angular_radius_deg"] = resolved.key.angular_radius_deg
        warnings = [{"code": caution.code, "text": caution.text} for caution in plate.warnings]
        print(json.dumps({"path": str(out), "stage": stage, "size_px": list(size), "key": key, "warnings": warnings}))
    else:
        print(f"{out}: {stage}, {size[0]}x{size[1]}, key at azimuth {direction.azimuth_deg:.1f}, elevation {direction.elevation_deg:.1f}")


def _check(out: Path, stage: str, framing: str | None, key_size: KeySize) -> None:
    """Refuse what cannot be, before the photo is read."""
    if stage not in STAGES:
        raise LookError("unknown-stage", f'no stage is called "{stage}"; the stages are {", ".join(STAGES)}')
    endings = (".png",) if stage == "film" else (".tif", ".tiff", ".exr")
    if out.suffix.lower() not in endings:
        raise StoreError("unknown-ending", f"{out.name}: stage {stage} is written as {' or '.join(endings)}")
    if framing not in (None, "source", *ASPECTS):
        raise LookError("unknown-framing", f'no framing is called "{framing}"; there are source, {", ".join(ASPECTS)}')
    size, distance = key_size
    if size is not None and not 0 <= size <= 30:
        raise LookError("number-out-of-range", f"--light-size {size:g} is outside 0 to 30 degrees")
    if distance is not None and not distance >= 2:
        raise LookError("number-out-of-range", f"--light-distance {distance:g} is nearer than 2 head-widths: the lamp would touch the face")


def _rig(look: Look, stage: str, key_size: KeySize) -> rig.Rig:
    light_size, distance = key_size
    if stage != "light":
        asked = rig.of(look)
        key = asked.key if light_size is None else replace(asked.key, angular_radius_deg=light_size)
        return replace(asked, key=key if distance is None else replace(key, distance_hw=distance))
    light = look.term("light")
    if not light.numbers:
        words = f'"{light.text}" is an arc that is aimed per face'
        raise LookError("light-needs-numbers", f"stage light puts one key exactly where asked: --light AZ,EL such as 45,35 ({words})")
    azimuth, elevation, *radius = light.numbers
    size = light_size if light_size is not None else radius[0] if radius else 0.5
    return rig.lone_key(rig.Direction(azimuth, elevation), size, rig.KEY_HW if distance is None else distance)


def _framing(picture: Photo, name: str, height: int) -> tuple[Framing, tuple[int, int]]:
    if name == "source":
        return Framing(source=True), picture.size_px
    return Framing(aspect=ASPECTS[name]), frame_size(None, name, height)
