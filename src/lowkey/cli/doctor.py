"""lowkey doctor: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from importlib.util import find_spec
from pathlib import Path

MEDIAPIPE = "0.10.14"
"""The release whose wheel carries its models and runs with numpy 2."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `mend` is a command to paste, empty when all is well."""

    name: str
    seen: str
    mend: str = ""


def run(as_json: bool) -> int:
    """0 when lowkey can shoot here, 1 when something is missing."""
    findings = examine()
    ill = [one for one in findings if one.mend]
    if as_json:
        print(json.dumps({"ok": not ill, "findings": [{"name": f.name, "seen": f.seen, "mend": f.mend} for f in findings]}))
        return 1 if ill else 0
    for one in findings:
        print(f"  {'!!' if one.mend else 'ok'}  {one.name:26s} {one.seen}")
    if ill:
        print("\nto mend it:")
        for mend in dict.fromkeys(one.mend for one in ill):
            print(f"  {mend}")
        return 1
    print("\neverything is here")
    return 0


def examine() -> list[Finding]:
    return [_python(), *_packages(), _readers(), _one_opencv(), _cache()]


def _pip() -> str:
    return f'"{sys.executable}" -m pip'


def _python() -> Finding:
    seen = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    right = (3, 11) <= sys.version_info[:2] < (3, 13)
    return Finding("Python", seen, "" if right else "install Python 3.11 or 3.12 and install lowkey there")


def _packages() -> list[Finding]:
    """Every package that lowkey declares, by its name."""
    import re

    try:
        declared = [re.split(r"[ ;<>=!~\[(]", line)[0] for line in requires("lowkey") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        return [Finding("lowkey", "not installed as a package", f"{_pip()} install lowkey")]
    found = []
    for name in declared:
        try:
            found.append(Finding(name, version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, "missing", f"{_pip()} install {name}"))
    return found


def _readers() -> Finding:
    """mediapipe with its models: a newer release loads but carries none."""
    mend = f"{_pip()} install --no-deps mediapipe=={MEDIAPIPE}"
    try:
        seen = version("mediapipe")
    except PackageNotFoundError:
        return Finding("mediapipe", "missing: it reads faces", mend)
    spec = find_spec("mediapipe")
    folders = spec.submodule_search_locations if spec else None
    models = Path(folders[0], "modules", "face_landmark", "face_landmark_with_attention.tflite") if folders else None
    if seen != MEDIAPIPE or models is None or not models.exists():
        return Finding("mediapipe", f"{seen}: lowkey needs {MEDIAPIPE}, whose wheel carries its models", mend)
    return Finding("mediapipe", f"{seen}, models inside")


def _one_opencv() -> Finding:
    """Two OpenCVs share one folder, and the later one wins; the ones that are not headless want libGL from the system."""
    owners = sorted(set(packages_distributions().get("cv2", [])))
    others = [name for name in owners if name != "opencv-python-headless"]
    if others:
        again = f"{_pip()} install --force-reinstall --no-deps opencv-python-headless"
        return Finding("one OpenCV", " and ".join(owners), f"{_pip()} uninstall -y {' '.join(others)} && {again}")
    return Finding("one OpenCV", "headless, needs no libGL")


def _cache() -> Finding:
    from lowkey.session import plates

    where = plates.folder()
    nearest = next(folder for folder in (where, *where.parents) if folder.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("plate cache", f"{where} cannot be written (shoots work, more slowly)", "export LOWKEY_CACHE=/a/folder/of/yours")
    return Finding("plate cache", str(where))
