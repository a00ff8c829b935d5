"""The floors of the house: who may import whom, how large a file grows, and what no file may say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "lowkey"


def test_rooms_import_downward_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_file_is_longer_than_500_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 500


def test_no_room_is_called_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "service", "common", "misc"}
    assert not [file for file in SOURCE.rglob("*") if file.stem in vague]


def test_no_room_is_empty() -> None:
    for file in SOURCE.rglob("__init__.py"):
        others = [other for other in file.parent.iterdir() if other != file and other.name != "__pycache__"]
        assert others, f"{file.parent} holds nothing"
        assert "TODO" not in file.read_text(), f"{file} says TODO"


def _tracked() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if file.suffix in {".py", ".md", ".toml", ".txt", ".sh", ""} and file.is_file() and file != Path(__file__):
            yield file


def test_no_file_names_a_machine_or_a_registry_host() -> None:
    banned = re.compile(r"/root/|/home/\w|/work/|C:\\Users|files\.pythonhosted|pypi\.org|--(extra-)?index-url|find-links")
    found = [f"{file.relative_to(ROOT)}: {hit[0]}" for file in _tracked() if (hit := banned.search(file.read_text(errors="replace")))]
    assert not found


def test_outside_packages_come_in_by_named_doors() -> None:
    """DESIGN: decoders live in photo, face readers in plate, the command line's packages in cli."""
    doors = {
        "mediapipe": {"plate"},
        "dlib": {"plate"},
        "rawpy": {"photo"},
        "pillow_heif": {"photo"},
        "tifffile": {"photo"},
        **{key: {"engines"} for key in ("torch", "diffusers", "transformers", "accelerate", "huggingface_hub", "safetensors")},
        "typer": {"cli"},
        "rich": {"cli"},
        "PIL": {"photo", "prints"},
        "numba": {"plate", "darkroom", "meter", "prints", "together"},
        "httpx": {"engines"},
        "websockets": {"engines"},
        "keyring": {"engines"},
        "cv2": {"photo", "plate", "darkroom", "meter", "prints", "frame", "gaussian"},
    }
    wrong = []
    for file in SOURCE.rglob("*.py"):
        room = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        for package in re.findall(r"^\s*(?:import|from) (\w+)", file.read_text(), re.MULTILINE):
            if room not in doors.get(package, {room}):
                wrong.append(f"{file.relative_to(SOURCE)} imports {package}")
    assert not wrong
