"""The public names are locked, and importing lowkey costs next to nothing."""

from __future__ import annotations

import subprocess
import sys

import lowkey

NAMES = [
    "Enlarger",
    "Frame",
    "Framing",
    "Look",
    "LowkeyError",
    "Photo",
    "Plate",
    "Reading",
    "Remedy",
    "Rig",
    "Shot",
    "Spec",
    "Verdict",
    "compile",
    "develop",
    "judge",
    "measure",
    "scan",
    "shoot",
]


def test_public_names_are_these() -> None:
    """A new name is a promise: add it here, to the README or docs, and to CHANGELOG.md."""
    assert lowkey.__all__ == NAMES == sorted(NAMES)


def test_every_public_name_is_there_and_documented() -> None:
    for name in NAMES:
        assert getattr(lowkey, name).__doc__, name


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(lowkey, "relight")
    assert set(NAMES) <= set(dir(lowkey))


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_no_numpy() -> None:
    heavy = _python("import sys, lowkey; print(*sorted({'numpy', 'cv2', 'numba', 'typer', 'PIL'} & set(sys.modules)))")
    assert heavy.strip() == ""


def test_import_takes_less_than_150_ms() -> None:
    """Processor time, the best of five: the promise is about lowkey, not about what else the machine does."""
    code = "import time; start = time.process_time(); import lowkey; print(time.process_time() - start)"
    assert min(float(_python(code)) for _ in range(5)) < 0.150


def test_help_takes_less_than_400_ms() -> None:
    """From the start of Python to the last line of the help."""
    code = "import atexit, sys, time; atexit.register(lambda: print(time.process_time())); sys.argv = ['lowkey', '--help']"
    code += "; from lowkey.cli import main; main()"
    assert min(float(_python(code).splitlines()[-1]) for _ in range(5)) < 0.400
