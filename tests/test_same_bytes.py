"""Same bytes: the PNG that `shoot` writes does not hang on threads, folders, caches, company or the order of calls."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.plate.plate import Plate

SIZE = (192, 240)

# What a process of its own does: `shoot` as asked, line by line, and at the end the plate and the stages, so that a difference
# is found where it begins.
WORKER = '''
import hashlib, json, sys
from pathlib import Path
import cv2
todo = json.loads(sys.argv[1])
cv2.setNumThreads(todo["threads"])
import numba
from lowkey import photo, rig, shoot
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.session import plates

def digest(data):
    return hashlib.sha256(data).hexdigest()[:12]

said = {"threads": [numba.get_num_threads(), cv2.getNumThreads()], "shoots": []}
for one in todo["shoots"]:
    done = shoot(one["photo"], look=Look(**one["look"]), seeds=one["seeds"], size_px=tuple(todo["size"]), out=one["out"])
    shot = {f"seed {frame.seed}": digest(frame.path.read_bytes()) for frame in done.frames}
    said["shoots"].append({**shot, "sheet": digest(done.sheet.read_bytes())})
first = todo["shoots"][0]
plate = plates.of(photo.read(first["photo"]))
maps = {"colour": plate.colour, "matte": plate.matte, "landmarks": plate.landmarks, **plate.parts,
        "depth": plate.depth, "normal": plate.normal, "albedo": plate.albedo}
said["begins"] = {f"plate {name}": digest(values.tobytes()) for name, values in maps.items()}
enlarger = Enlarger(plate, Framing(), tuple(todo["size"]))
for name, picture, used in enlarger.stages(rig.of(Look(**first["look"])), first["seeds"][0]):
    said["begins"][f"stage {name}"] = digest(picture.tobytes())
print(json.dumps(said))
'''


def start(folder: Path, threads: int, shoots: list[dict[str, Any]]) -> subprocess.Popen[str]:
    """A fresh interpreter, held to so many threads, with an empty cache of its own."""
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    own = {**os.environ, **dict.fromkeys(names, str(threads)), "LOWKEY_CACHE": str(folder / f"cache{threads}")}
    todo = json.dumps({"threads": threads, "size": SIZE, "shoots": shoots})
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", WORKER, todo], env=own, cwd=folder, **pipes)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-2000:]
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    return said


@pytest.fixture(scope="module")
def seen(astronaut_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """One thread: a batch of two; another photo, another light, other clothes; then the second seed alone, read from the cache.
    Two threads: the same batch, elsewhere; another light; then the first seed alone."""
    folder = tmp_path_factory.mktemp("same")
    mirror = folder / "somebody-else.png"
    photo.write_png(mirror, np.ascontiguousarray(photo.read(astronaut_file).pixels[:, ::-1]))
    plain: dict[str, Any] = {"photo": str(astronaut_file), "look": {}}
    other = {"photo": str(mirror), "look": {"light": "hard side-left", "clothing": "as worn", "background": "smoke and bokeh"}}
    one = start(folder, 1, [
        {**plain, "seeds": [1, 2], "out": "here"},
        {**other, "seeds": [5], "out": "else"},
        {**plain, "seeds": [2], "out": "afresh"},
    ])  # fmt: skip
    two = start(folder, 2, [
        {**plain, "seeds": [1, 2], "out": str(folder / "some" / "where" / "deep")},
        {**plain, "look": {"light": "side-split"}, "seeds": [1], "out": "split"},
        {**plain, "seeds": [1], "out": "again"},
    ])  # fmt: skip
    return told(one), told(two)


def test_one_and_two_threads(seen: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, two = seen
    assert one["threads"] == [1, 1]
    assert two["threads"] == [2, 2] or (os.cpu_count() or 1) < 2
    apart = [where for where in one["begins"] if one["begins"][where] != two["begins"][where]]
    assert not apart, f"1 and 2 threads part at {apart[0]}, then in {apart[1:]}"
    assert one["shoots"][0] == two["shoots"][0]


def test_cold_and_warm_cache_alone_and_in_a_batch(seen: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, two = seen
    assert one["shoots"][2]["seed 2"] == one["shoots"][0]["seed 2"]
    assert two["shoots"][2]["seed 1"] == two["shoots"][0]["seed 1"]
    every = {shoot[name] for said in seen for shoot in said["shoots"] for name in shoot if name != "sheet"}
    assert len(every) == 4, "seeds 1 and 2, another photo and another light are four different frames"


def test_an_enlarger_used_before_and_a_fresh_one(astronaut_plate: Plate) -> None:
    def frame(enlarger: Enlarger, light: str, seed: int, **more: str) -> str:
        pixels = enlarger.develop(rig.of(Look(light=light, **more)), seed).pixels
        return hashlib.sha256(pixels.tobytes()).hexdigest()

    fresh = frame(Enlarger(astronaut_plate, Framing(), SIZE), "rear-right", 4)
    used = Enlarger(astronaut_plate, Framing(), SIZE)
    frame(used, "rear-left", 9, clothing="white linen shirt", background="crushed velvet", flare="no flare")
    assert frame(used, "rear-right", 4) == fresh
    frame(used, "rear-left", 4)
    assert frame(used, "rear-right", 4) == fresh


def test_the_shot_is_written_without_time_path_or_host(astronaut_file: Path, seen: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Two processes, other folders, other seconds: the contact sheets are equal in bytes too."""
    assert seen[0]["shoots"][0]["sheet"] == seen[1]["shoots"][0]["sheet"]
