"""lowkey scan: what was read of a photo, in numbers, in words and as one picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lowkey import photo as photos
from lowkey import prints
from lowkey.cli.said import warn
from lowkey.plate.likeness import SAME
from lowkey.plate.plate import Caution, Plate
from lowkey.session import plates
from lowkey.session.likeness import relit_distance
from lowkey.session.record import plain


def run(photo: Path, out: Path | None, face: int | None, keep_plate: bool, as_json: bool) -> None:
    picture = photos.read(photo)
    plate = plates.of(picture, face, keep=keep_plate)
    if out is not None:
        photos.write_png(out, prints.reading(plate))
    far = relit_distance(plate)
    numbers = {**measured(plate), "likeness": {"distance": round(far, 3), "at_most": SAME, "same": far <= SAME}}
    cautions = [*plate.warnings, *_unlike(far)]
    if as_json:
        warnings = [{"code": caution.code, "text": caution.text} for caution in cautions]
        print(json.dumps(plain({"picture": str(out) if out else None, **numbers, "warnings": warnings}), ensure_ascii=False))
        return
    w, h = numbers["size_px"]
    light, pose = plate.found_light, plate.pose
    print(f"photo      {picture.stem}, {w}x{h} px, face {numbers['face_width_px']:.0f} px wide")
    print(f"pose       yaw {pose.yaw_deg:+.0f}, pitch {pose.pitch_deg:+.0f}, roll {pose.roll_deg:+.0f} degrees")
    kind = f"{light.contrast_stops:.1f} stops, {'hard' if light.hard else 'soft'}"
    print(f"light      azimuth {light.azimuth_deg:+.0f}, elevation {light.elevation_deg:+.0f} degrees, {kind}")
    print("parts      " + ", ".join(f"{name} {share:.0%}" for name, share in numbers["parts"].items() if share >= 0.005))
    print(f"confidence {plate.confidence:.2f}")
    print(f"likeness   {far:.2f} between the photo and its relight; at most {SAME} is the same person")
    for note in picture.notes:
        print(f"file       {note}")
    for caution in cautions:
        warn(caution)
    if out is not None:
        print(f"picture    {out}")


def _unlike(far: float) -> list[Caution]:
    if far <= SAME:
        return []
    text = (
        f"the relight stands {far:.2f} from the photo where {SAME} is the most for the same person: look at the frames, or try --keep-skin"
    )
    return [Caution("unlike", text)]


def measured(plate: Plate) -> dict[str, Any]:
    """The reading in numbers; parts as shares of the plate."""
    return {
        "size_px": plate.photo.size_px,
        "face_width_px": round(plate.hw_px / plate.window.scale, 1),
        "pose": plate.pose,
        "found_light": plate.found_light,
        "parts": {name: round(float(part.mean()), 4) for name, part in plate.parts.items()},
        "confidence": round(plate.confidence, 3),
        "notes": plate.photo.notes,
        "read_by": dict(plate.read_by),
    }
