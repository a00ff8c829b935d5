"""Better readers: the registry, the pin, running a model, and what it may change. The models are made here, of a few nodes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from lowkey import photo
from lowkey.errors import EngineError
from lowkey.plate import readers
from lowkey.plate.opinions import MOST_TURNED_DEG, NORMALS_SHARE, PARTS_SHARE, Panel
from lowkey.plate.readers import Added, Known, Unfit

onnx = pytest.importorskip("onnx", reason="needs onnx to make its models: pip install --no-deps -r requirements/readers.txt")
pytest.importorskip("onnxruntime", reason="needs the extra: pip install 'lowkey[readers]'")

MATTE = replace(readers.known()["modnet"], name="tiny-matte", sha256="", size_px=64)
PARTS = replace(readers.known()["selfie-multiclass"], name="tiny-parts", sha256="", size_px=64)
NORMALS = replace(readers.known()["david-normals"], name="tiny-normals", sha256="", size_px=64)


def model(nodes: list[Any], shape: list[Any], out: list[Any], constants: dict[str, Any] | None = None) -> bytes:
    """A graph from "x" to "y"."""
    held = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    put = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(nodes, "tiny", [put("x", 1, shape)], [put("y", 1, out)], held)
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    return bytes(made.SerializeToString())


def node(kind: str, inputs: list[str], outputs: list[str], **more: Any) -> Any:
    return onnx.helper.make_node(kind, inputs, outputs, **more)


def mixing(weight: Any, bias: Any, last: str = "Identity", scale: float = 1.0) -> bytes:
    """A 1x1 convolution over NCHW channels, and `last` of it times `scale`."""
    w = np.asarray(weight, np.float32)
    nodes = [node("Conv", ["x", "w", "b"], ["c"]), node("Mul", ["c", "s"], ["m"]), node(last, ["m"], ["y"])]
    constants = {"w": w.reshape(*w.shape, 1, 1), "b": np.asarray(bias, np.float32), "s": np.float32(scale)}
    return model(nodes, [1, 3, "h", "w"], [1, len(w), "h", "w"], constants)


def bright(scale: float = 20.0) -> bytes:
    """A matte: 1 where the picture is lighter than middle grey."""
    return mixing([[1 / 3, 1 / 3, 1 / 3]], [0], "Sigmoid", scale)


def as_coded() -> bytes:
    """Vectors: what the picture codes, 2 v - 1, in the order of the input."""
    return mixing(2 * np.eye(3), [-1, -1, -1])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, and a registry of tiny readers."""
    monkeypatch.setenv("LOWKEY_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LOWKEY_READERS", raising=False)
    monkeypatch.setattr(readers, "known", lambda: {one.name: one for one in (MATTE, PARTS, NORMALS)})
    return tmp_path


def file(place: Path, data: bytes, name: str = "model.onnx") -> Path:
    (place / name).write_bytes(data)
    return place / name


def halves(h: int = 60, w: int = 40) -> np.ndarray:
    """White on the left, black on the right."""
    picture = np.zeros((h, w, 3), np.uint8)
    picture[:, : w // 2] = 255
    return picture


# --- the registry ------------------------------------------------------------------------------------------------------------


def test_the_registry_is_whole() -> None:
    kinds = {"matte": "alpha", "parts": "logits", "normals": "vectors"}
    for name, one in readers.known().items():
        assert one.name == name
        assert kinds[one.reads] == one.output
        assert one.fit in ("stretch", "square", "multiple")
        assert one.channels in ("rgb", "bgr")
        assert one.layout in ("nchw", "nhwc")
        assert one.licence
        assert one.page.startswith("https://")
        assert one.sha256 == "" or len(bytes.fromhex(one.sha256)) == 32
        assert bool(one.classes) == (one.output == "logits")
    assert {one.reads for one in readers.known().values()} == set(kinds)


def test_a_reader_nobody_knows_is_refused(place: Path) -> None:
    with pytest.raises(EngineError) as error:
        readers.add("nobody", place / "x.onnx")
    assert error.value.code == "no-such-reader"


# --- added and pinned --------------------------------------------------------------------------------------------------------


def test_the_first_file_is_pinned_and_another_is_refused(place: Path) -> None:
    data = bright()
    done = readers.add("tiny-matte", file(place, data))
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert readers.added()["tiny-matte"] == done
    assert readers.state() == [["tiny-matte", done.sha256]]
    readers.add("tiny-matte", file(place, data))  # the same file again is no change
    with pytest.raises(EngineError) as error:
        readers.add("tiny-matte", file(place, bright(10.0)))
    assert error.value.code == "reader-hash"
    assert done.path.read_bytes() == data
    assert readers.remove("tiny-matte")
    assert not readers.remove("tiny-matte")
    assert readers.state() == []
    readers.add("tiny-matte", file(place, bright(10.0)))


def test_a_published_hash_admits_that_file_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = replace(MATTE, sha256=hashlib.sha256(bright()).hexdigest())
    monkeypatch.setattr(readers, "known", lambda: {"tiny-matte": published})
    with pytest.raises(EngineError) as error:
        readers.add("tiny-matte", file(place, bright(10.0)))
    assert error.value.code == "reader-hash"
    assert readers.added() == {}
    readers.add("tiny-matte", file(place, bright()))


@pytest.mark.parametrize(
    ("name", "make", "why"),
    [
        ("tiny-matte", lambda: b"no model at all", "does not run"),
        ("tiny-matte", lambda: bright()[:-40], "does not run"),
        ("tiny-matte", as_coded, r"answers float32\[1, 3,"),
        ("tiny-matte", lambda: mixing([[1, 1, 1]], [5.0]), "within 0 and 1"),
        ("tiny-normals", bright, r"answers float32\[1, 1,"),
        ("tiny-normals", lambda: mixing(np.full((3, 3), np.nan), [0, 0, 0]), "NaN"),
    ],
    ids=["nonsense", "cut off", "channels", "no matte", "one channel", "NaN"],
)
def test_a_file_that_is_no_such_reader_is_refused(place: Path, name: str, make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(EngineError, match=why) as error:
        readers.add(name, file(place, make()))
    assert error.value.code == "reader-unfit"
    assert readers.added() == {}


def test_a_file_changed_after_it_was_added_is_not_run(place: Path) -> None:
    done = readers.add("tiny-matte", file(place, bright()))
    done.path.write_bytes(bright(10.0))
    with pytest.raises(Unfit, match="not the one that was added"):
        readers.read(done, halves())


@pytest.mark.parametrize("pin", ["", "{}", "[]", '{"sha256": "../../x"}', '{"sha256": 7}'])
def test_a_damaged_pin_is_no_reader(place: Path, pin: str) -> None:
    readers.add("tiny-matte", file(place, bright()))
    (readers.folder() / "tiny-matte.json").write_text(pin)
    assert readers.added() == {}


@pytest.mark.parametrize("off", ["0", "no", "OFF"])
def test_readers_can_be_left_unasked(place: Path, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    readers.add("tiny-matte", file(place, bright()))
    assert set(readers.active()) == {"matte"}
    monkeypatch.setenv("LOWKEY_READERS", off)
    assert readers.active() == {}
    assert readers.state() == []


# --- run ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(60, 40), (40, 90), (64, 64), (301, 173)])
def test_a_matte_lies_on_the_picture_it_was_read_from(shape: tuple[int, int]) -> None:
    told = readers.run(MATTE, bright(), halves(*shape))
    assert told.shape == (*shape, 1)
    assert told.dtype == np.float32
    middle = shape[1] // 2
    assert (told[:, : middle - shape[1] // 10] > 0.99).all()
    assert (told[:, middle + shape[1] // 10 :] < 0.01).all()


@pytest.mark.parametrize("shape", [(60, 40), (40, 90), (128, 128)])
def test_padding_is_taken_off_again(shape: tuple[int, int]) -> None:
    """A ramp down the picture comes back where it was: x is blue, y green, z red for a reader that takes BGR."""
    picture = np.zeros((*shape, 3), np.uint8)
    picture[..., 1] = np.round(np.linspace(0, 255, shape[0]))[:, None]
    told = readers.run(NORMALS, as_coded(), picture)
    assert told.shape == (*shape, 3)
    inner = slice(shape[0] // 8, -shape[0] // 8)
    assert np.abs(told[inner, :, 1] - np.linspace(-1, 1, shape[0])[inner, None]).max() < 0.06
    assert np.abs(told[..., 0] + 1).max() < 1e-6


def test_the_order_of_channels_is_the_registrys() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[..., 0] = 255  # red
    assert readers.run(NORMALS, as_coded(), picture)[32, 32] == pytest.approx([-1, -1, 1])
    assert readers.run(replace(NORMALS, channels="rgb"), as_coded(), picture)[32, 32] == pytest.approx([1, -1, -1])


def parts_model(gain: float = 8.0) -> bytes:
    """NHWC logits of six classes: red is hair, green face skin, blue clothes, black background (input -1..1)."""
    w = np.zeros((3, 6), np.float32)
    w[0, 1] = w[1, 3] = w[2, 4] = gain
    nodes = [node("MatMul", ["x", "w"], ["y"])]
    return model(nodes, [1, "h", "w", 3], [1, "h", "w", 6], {"w": w})


def test_logits_become_probabilities() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32, :, 0] = 255
    told = readers.run(PARTS, parts_model(), picture)
    assert np.abs(told.sum(-1) - 1).max() < 1e-5
    # Red is +1 and the others -1: softmax of (0, 8, 0, -8, -8, 0).
    assert told[5, 5, 1] == pytest.approx(np.exp(8) / (np.exp(8) + 3 + 2 * np.exp(-8)), abs=1e-4)


def test_the_same_bytes_for_any_number_of_threads(place: Path) -> None:
    """A convolution and a mean over many pixels, in a process that has one core and in one that has all; neither starts a thread."""
    rng = np.random.default_rng(1)
    w = rng.normal(size=(1, 3, 31, 31)).astype(np.float32)
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[15, 15, 15, 15]),
        node("ReduceMean", ["c"], ["m"], axes=[2, 3], keepdims=1),
        node("Sub", ["c", "m"], ["d"]),
        node("Sigmoid", ["d"], ["y"]),
    ]
    path = file(place, model(nodes, [1, 3, "h", "w"], [1, 1, "h", "w"], {"w": w}))
    program = (
        "import hashlib, os, sys, numpy as np; from dataclasses import replace; from lowkey.plate import readers\n"
        "import onnxruntime\n"
        "if sys.argv[2] == '1' and hasattr(os, 'sched_setaffinity'): os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "threads = lambda: len(os.listdir('/proc/self/task')) if sys.platform == 'linux' else 0\n"
        "one = replace(readers.known()['modnet'], size_px=256)\n"
        "picture = np.random.default_rng(2).integers(0, 255, (300, 200, 3), np.uint8)\n"
        "readers._prepared(one, picture)  # what OpenCV starts is not the model's\n"
        "before, real = threads(), onnxruntime.InferenceSession\n"
        "class Watched(real):\n"
        "    def run(self, *given):\n"
        "        answer = super().run(*given)\n"
        "        assert threads() == before, (threads(), before)\n"
        "        return answer\n"
        "onnxruntime.InferenceSession = Watched\n"
        "told = readers.run(one, open(sys.argv[1], 'rb').read(), picture)\n"
        "print(hashlib.sha256(told.tobytes()).hexdigest(), float(told.std()))"
    )
    seen = []
    for threads in ("1", "4"):
        around = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        asked = [sys.executable, "-c", program, str(path), threads]
        done = subprocess.run(asked, capture_output=True, text=True, env=around, check=False)
        assert done.returncode == 0, done.stderr
        seen.append(done.stdout)
    assert seen[0] == seen[1]
    assert float(seen[0].split()[1]) > 0.01


# --- what a reader may change ------------------------------------------------------------------------------------------------


def panel(place: Path, one: Known, data: bytes) -> Panel:
    path = file(place, data, f"{one.name}.onnx")
    return Panel({one.reads: Added(one, path, hashlib.sha256(data).hexdigest())})


def test_a_matte_that_agrees_becomes_the_guess(place: Path) -> None:
    seated = panel(place, MATTE, bright())
    guess = np.zeros((60, 40), np.float32)
    guess[:, :18] = 0.8
    told = seated.matte(halves(), guess, alone=True)
    assert (told[:, :17] > 0.95).all()
    assert (told[:, 24:] < 0.05).all()
    assert seated.cautions == []
    assert seated.used == {"matte reader": f"tiny-matte sha256:{hashlib.sha256(bright()).hexdigest()[:16]}"}


def test_beside_other_people_the_built_in_guess_stays(place: Path) -> None:
    seated = panel(place, MATTE, bright())
    guess = np.full((60, 40), 0.5, np.float32)
    assert seated.matte(halves(), guess, alone=False) is guess
    assert seated.used == {}


def test_a_matte_of_somebody_else_is_not_believed(place: Path) -> None:
    seated = panel(place, MATTE, bright())
    guess = np.zeros((60, 40), np.float32)
    guess[:, 22:] = 1
    assert seated.matte(halves(), guess, alone=True) is guess
    assert [one.code for one in seated.cautions] == ["reader-disagrees"]
    assert seated.used == {}


@pytest.mark.parametrize("data", [b"damaged", mixing([[np.nan] * 3], [0.0]) if onnx else b""], ids=["damaged", "NaN"])
def test_a_reader_that_fails_leaves_the_built_in_reading_and_one_caution(place: Path, data: bytes) -> None:
    seated = panel(place, MATTE, data)
    guess = np.full((60, 40), 0.5, np.float32)
    assert seated.matte(halves(), guess, alone=True) is guess
    assert seated.matte(halves(), guess, alone=True) is guess
    assert [one.code for one in seated.cautions] == ["reader-failed"]
    assert seated.used == {}


def some_parts(shape: tuple[int, int], rng: np.random.Generator) -> dict[str, np.ndarray]:
    four = rng.dirichlet(np.ones(4), shape).astype(np.float32) * 0.9
    parts = dict(zip(("skin", "hair", "cloth", "hands"), np.moveaxis(four, -1, 0), strict=True))
    return {**parts, "glasses": np.full(shape, 0.1, np.float32), "background": np.zeros(shape, np.float32)}


def test_parts_are_drawn_toward_a_reader_within_bounds_and_keep_their_sum(place: Path) -> None:
    seated = panel(place, PARTS, parts_model())
    old = some_parts((64, 64), np.random.default_rng(3))
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :20, 0] = picture[:, 20:40, 1] = picture[:, 40:, 2] = 255
    inside = np.ones((64, 64), np.float32)
    inside[50:] = 0
    new = seated.parts(picture, old, inside)
    four = ("skin", "hair", "cloth", "hands")
    assert np.abs(sum(new[name] for name in four) - sum(old[name] for name in four)).max() < 1e-6
    assert all((new[name] >= 0).all() for name in four)
    for name, cols in (("hair", slice(2, 18)), ("cloth", slice(42, 62))):
        gain = (new[name] - old[name])[:50, cols]
        assert gain.min() > 0
        assert (gain <= PARTS_SHARE * (0.9 - old[name][:50, cols]) + 1e-5).all()
    both = new["skin"] + new["hands"]
    assert np.allclose(new["hands"] / both, old["hands"] / (old["skin"] + old["hands"]), atol=1e-4)
    assert all(np.abs(new[name] - old[name])[50:].max() < 1e-6 for name in four)
    assert new["glasses"] is old["glasses"]


def ball(size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Normals of a ball, and where they are."""
    y, x = np.mgrid[1 : -1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    on = x * x + y * y < 0.8
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0))
    normal = np.where(on[..., None], np.dstack([x, y, z]), np.array([0, 0, 1], np.float32)).astype(np.float32)
    return normal, on.astype(np.float32)


def coded(normal: np.ndarray) -> np.ndarray:
    """As a picture whose blue, green and red are x, y and z: what `as_coded` gives back from BGR."""
    return np.round((normal[..., ::-1] + 1) / 2 * 255).astype(np.uint8)


def degrees(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((one * other).sum(-1), -1, 1)))


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_normals_are_turned_half_way_whatever_the_signs_of_the_axes(place: Path, signs: tuple[int, int, int]) -> None:
    built, skin = ball()
    true = built + np.array([0.25, 0.1, 0], np.float32)
    true /= np.linalg.norm(true, axis=-1, keepdims=True)
    seated = panel(place, replace(NORMALS, size_px=96), as_coded())
    new = seated.normals(coded(true * np.array(signs, np.float32)), built, skin)
    on = skin > 0
    before, after = degrees(built, true)[on], degrees(new, true)[on]
    assert np.median(after / before) == pytest.approx(1 - NORMALS_SHARE, abs=0.06)
    assert np.abs(np.linalg.norm(new, axis=-1) - 1).max() < 1e-5
    assert np.array_equal(new[~on], built[~on])
    assert seated.used.keys() == {"normals reader"}


def test_normals_are_turned_no_further_than_the_bound_and_not_by_what_is_strange(place: Path) -> None:
    built, skin = ball()
    # A form that agrees broadly, and has one patch 45 and one 90 degrees off.
    true = built.copy()
    for rows, angle in ((slice(30, 40), 42.0), (slice(50, 60), 90.0)):
        turn = np.radians(angle)
        x, z = true[rows, 43:53, 0].copy(), true[rows, 43:53, 2].copy()
        true[rows, 43:53, 0], true[rows, 43:53, 2] = np.cos(turn) * x + np.sin(turn) * z, np.cos(turn) * z - np.sin(turn) * x
    new = panel(place, replace(NORMALS, size_px=96), as_coded()).normals(coded(true), built, skin)
    turned = degrees(new, built)
    assert 15 < turned[33:37, 46:50].max() <= MOST_TURNED_DEG + 0.1
    assert turned[53:57, 46:50].max() < 1
    assert turned.max() <= MOST_TURNED_DEG + 0.1


def test_normals_of_nothing_like_a_face_are_not_believed(place: Path) -> None:
    built, skin = ball()
    noise = np.random.default_rng(4).integers(0, 255, (96, 96, 3), np.uint8)
    seated = panel(place, replace(NORMALS, size_px=96), as_coded())
    assert seated.normals(noise, built, skin) is built
    assert [one.code for one in seated.cautions] == ["reader-disagrees"]


# --- a whole scan ------------------------------------------------------------------------------------------------------------


def test_a_scan_names_its_readers_and_a_kept_plate_depends_on_them(place: Path, astronaut_file: Path, astronaut_plate: Any) -> None:
    from lowkey.plate import scan
    from lowkey.session import plates

    picture = photo.read(astronaut_file)
    without = plates._key(picture, None)
    done = readers.add("tiny-matte", file(place, bright(200.0)))
    assert plates._key(picture, None) != without
    readers.add("tiny-normals", file(place, mixing(np.zeros((3, 3)), [0, 0, 1.0]), "flat.onnx"))
    plate = scan(picture)
    # Neither is a reading of this person: brightness is no matte, and flat is no face. Nothing changes, and both are named.
    assert [one.code for one in plate.warnings].count("reader-disagrees") == 2
    for name in ("matte", "normal", "albedo", "depth"):
        assert np.array_equal(getattr(plate, name), getattr(astronaut_plate, name)), name
    assert not any("reader" in name for name in plate.read_by)
    done.path.write_bytes(b"changed")
    assert readers.state()[0][1] == done.sha256


def test_a_scan_uses_a_reader_that_agrees(place: Path, astronaut_file: Path, astronaut_plate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The true relief with every normal turned a little to the right, as a model that ignores its picture."""
    from lowkey.plate import scan

    h, w = astronaut_plate.matte.shape
    true = astronaut_plate.normal + np.array([0.2, 0, 0], np.float32)
    true = true / np.linalg.norm(true, axis=-1, keepdims=True)
    side = max(h, w)
    whole = np.zeros((side, side, 3), np.float32)
    top, left = (side - h) // 2, (side - w) // 2
    whole[top : top + h, left : left + w] = true
    mean = node("ReduceMean", ["x"], ["m"], axes=[1, 2, 3], keepdims=1)
    nodes = [mean, node("Mul", ["m", "zero"], ["z"]), node("Add", ["v", "z"], ["y"])]
    constants = {"v": whole.transpose(2, 0, 1)[None], "zero": np.float32(0)}
    one = replace(NORMALS, size_px=side)
    monkeypatch.setattr(readers, "known", lambda: {one.name: one})
    done = readers.add(one.name, file(place, model(nodes, [1, 3, side, side], [1, 3, side, side], constants)))
    plate = scan(photo.read(astronaut_file))
    assert plate.read_by["normals reader"] == done.tag
    assert np.array_equal(plate.matte, astronaut_plate.matte)
    turned = degrees(plate.normal, astronaut_plate.normal)
    skin = (plate.parts["skin"] > 0.9) & (plate.inside > 0)
    assert 2 < np.median(turned[skin]) < 8
    assert np.median((plate.normal - astronaut_plate.normal)[skin][:, 0]) > 0.02
    assert np.percentile(turned[plate.matte < 0.01], 99) < 1e-3


# --- the commands ------------------------------------------------------------------------------------------------------------


def said(*arguments: str) -> tuple[Any, int]:
    from lowkey.cli.commands import app

    done = CliRunner().invoke(app, ["readers", *arguments])
    return (done.exception if isinstance(done.exception, EngineError) else done.output), done.exit_code


def test_list_add_list_remove(place: Path) -> None:
    path = file(place, bright())
    output, code = said("add", "tiny-matte", str(path))
    assert isinstance(output, EngineError)
    assert output.code == "licence-not-accepted"
    assert readers.added() == {}
    output, code = said("add", "tiny-matte", str(path), "--accept-licence", "--json")
    assert code == 0
    assert "Apache-2.0" in output  # shown before it is asked for
    assert json.loads(output.splitlines()[-1])["sha256"] == hashlib.sha256(bright()).hexdigest()
    rows = {row["name"]: row for row in json.loads(said("list", "--json")[0])["readers"]}
    assert (rows["tiny-matte"]["added"], rows["tiny-matte"]["used"], rows["tiny-parts"]["added"]) == (True, True, False)
    text, _ = said("list")
    for part in ("tiny-matte", "used", "not here", "Apache-2.0", "MIT", "https://github.com/microsoft/DAViD"):
        assert part in text
    assert "is removed" in said("remove", "tiny-matte")[0]
    assert "was not here" in said("remove", "tiny-matte")[0]
