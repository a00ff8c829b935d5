"""The ComfyUI engine against a server that behaves as one does: graphs, events, restarts, and a client's photo that goes again."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("httpx", reason="needs the extra: pip install 'lowkey[remote]'")

from comfy_server import BLANK, Comfy, comfy, nothing_of_the_person
from ledgers import FileLedger
from lowkey import engines, photo
from lowkey.engines import Consent, Sitting, Step
from lowkey.engines.comfyui import ComfyUI, graphs
from lowkey.engines.comfyui.listening import Listening
from lowkey.errors import ConsentError, EngineError
from lowkey.frame import Framing, Shot
from lowkey.look import Look


@pytest.fixture
def there() -> Iterator[tuple[str, Comfy]]:
    with comfy() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path / "ledger.jsonl")


@pytest.fixture(scope="module")
def portrait() -> photo.Photo:
    import skimage.data

    return photo.Photo(skimage.data.astronaut(), "cd" * 32, "client-anna")


def sitting(portrait: photo.Photo, guide: Any = None) -> Sitting:
    def never() -> Any:
        raise AssertionError("the plate is not needed for the photo's own framing")

    return Sitting(portrait, never, guide=guide)


def made(base: str, **options: str) -> ComfyUI:
    engine = engines.find("comfyui", {"server": base, "patience": "20", **options})
    assert isinstance(engine, ComfyUI)
    engine.pace_s = 0.05
    return engine


def shot(engine: ComfyUI, seed: int = 7, size: tuple[int, int] = (256, 320)) -> Shot:
    return Shot(Look(), Framing(aspect=(4, 5), source=True), "cd" * 32, seed, size, "comfyui", engine.options)


def when(condition: Callable[[], bool], action: Callable[[], None]) -> threading.Thread:
    """Do something as soon as something is so, at the latest in twenty seconds."""

    def watch() -> None:
        until = time.monotonic() + 20
        while not condition() and time.monotonic() < until:
            time.sleep(0.01)
        action()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def workflow(path: Path, change: Callable[[dict[str, Any]], None] | None = None) -> str:
    """A user's own graph, as a file."""
    graph = {
        "4": {"class_type": "LoadImage", "inputs": {"image": "example.png"}, "_meta": {"title": "lowkey: reference"}},
        "5": {
            "class_type": "ImageScale",
            "inputs": {"image": ["4", 0], "upscale_method": "lanczos", "width": 64, "height": 64, "crop": "center"},
            "_meta": {"title": "lowkey: width, height"},
        },
        "9": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "mine"}, "_meta": {"title": "lowkey: result"}},
    }
    if change:
        change(graph)
    path.write_text(json.dumps(graph))
    return str(path)


# --- what goes there, what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["flux2-klein", "kontext"])
def test_a_frame_comes_back_exact_and_the_person_goes_again(
    model: str, there: tuple[str, Comfy], ledger: FileLedger, portrait: photo.Photo
) -> None:
    base, memory = there
    engine = made(base, model=model)
    assert engine.ready().ready, engine.ready()
    steps: list[Step] = []
    frame = engine.shoot(shot(engine), sitting(portrait), ledger=ledger, progress=steps.append)
    assert frame.pixels.shape == (320, 256, 3)
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].of, steps[-1].left_s) == (4, 4, 0.0)
    [asked] = memory.submits
    assert uuid.UUID(asked["prompt_id"]).version == 4
    assert asked["prompt_id"] == asked["prompt_id"].lower()
    graph = asked["prompt"]
    assert graph["7"]["inputs"]["text"] == frame.words["text"]  # type: ignore[index]
    assert all("_meta" not in one for one in graph.values())
    assert nothing_of_the_person(memory)
    assert memory.history == {}
    [job] = ledger.jobs()
    assert (job.state, job.id) == ("done", asked["prompt_id"])
    assert frame.notes["photo"]["stays"]["photo"].startswith("overwritten; a blank picture stays: lowkey-")
    assert not frame.notes["photo"]["left_the_machine"]
    assert frame.engine_version == f"comfyui 0.38.1 {model}"


def test_the_graph_suits_the_server(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    """A model in a folder is found by its name, and an input that this server wants beside ours gets its default."""
    base, memory = there
    engine = made(base)
    engine.shoot(shot(engine), sitting(portrait))
    graph = memory.submits[0]["prompt"]
    assert graph["1"]["inputs"]["unet_name"] == "flux2/flux-2-klein-4b.safetensors"
    assert graph["5"]["inputs"]["resolution_steps"] == 1
    assert graph["2"]["inputs"]["device"] == "default"
    assert (graph["13"]["inputs"]["width"], graph["14"]["inputs"]["height"]) == (256, 320)


def test_kontext_is_shown_a_size_that_it_would_not_change(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    engine = made(base, model="kontext")
    engine.shoot(shot(engine, size=(320, 480)), sitting(portrait))
    [name] = memory.folders["input"]
    shown = next(data for data in memory.shown[name] if data != BLANK)
    assert photo.decode(shown, "shown").size_px == (832, 1248)


def test_prelight_lays_a_second_picture(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    engine = made(base)
    guide = np.full((320, 256, 3), 0x3000, np.uint16)
    engine.shoot(shot(engine), sitting(portrait, guide))
    graph = memory.submits[0]["prompt"]
    loads = [one["inputs"]["image"] for one in graph.values() if one["class_type"] == "LoadImage"]
    assert len(set(loads)) == 2
    laid = photo.decode(next(data for data in memory.shown[graph["19"]["inputs"]["image"]] if data != BLANK), "guide")
    assert (laid.pixels == 0x30).all()
    assert graph["11"]["inputs"]["positive"] == ["22", 0]
    assert nothing_of_the_person(memory)
    assert not made(base, model="kontext").abilities.guide


def test_keep_leaves_everything(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    engine = made(base, keep="yes")
    frame = engine.shoot(shot(engine), sitting(portrait))
    assert BLANK not in memory.folders["input"].values()
    assert len(memory.history) == 1
    assert frame.notes["photo"]["stays"]["photo"].startswith("kept in its input folder: lowkey-")


def test_what_could_not_be_removed_is_said(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    memory.faults["upload"] = ["", "500", "500"]
    frame = made(base).shoot(shot(made(base)), sitting(portrait))
    assert frame.notes["photo"]["stays"]["photo"].startswith("NOT removed: delete lowkey-")
    assert not nothing_of_the_person(memory)


def test_a_server_that_is_not_this_machine_needs_a_consent(portrait: photo.Photo) -> None:
    engine = made("http://192.0.2.7:8188")
    assert engine.abilities.leaves
    asked = sitting(portrait)
    with pytest.raises(ConsentError):
        engine.shoot(shot(engine), asked)
    asked.consent = Consent("Anna", frozenset({"comfyui"}))
    asked.must_allow("comfyui", __import__("datetime").date.today())
    for base in ("http://localhost:8188", "http://127.0.0.1:8188", "http://[::1]:8188"):
        assert not made(base).abilities.leaves
    for wrong in ("http://me:secret@gpu.local", "gpu.local", "ftp://gpu"):
        with pytest.raises(EngineError, match="bad-option"):
            made(wrong)


# --- a user's own graph --------------------------------------------------------------------------------------------------------


def test_a_user_s_own_workflow(there: tuple[str, Comfy], portrait: photo.Photo, tmp_path: Path) -> None:
    base, memory = there
    engine = made(base, workflow=workflow(tmp_path / "mine.json"))
    frame = engine.shoot(shot(engine), sitting(portrait))
    assert memory.submits[0]["prompt"]["5"]["inputs"]["width"] == 256
    assert frame.notes["the_workflow_s_own"] == ["prompt", "seed"]
    assert frame.honours["light"] == "no"  # nothing in it takes words
    assert frame.words is None
    assert dict(engine.options)["workflow"].startswith("mine.json ")
    assert str(tmp_path) not in json.dumps(dict(frame.notes)) + repr(engine.options)
    assert engine.plan(shot(engine, 1), sitting(portrait)) == engine.plan(shot(engine, 2), sitting(portrait))


def test_marks_name_other_inputs(tmp_path: Path) -> None:
    def change(graph: dict[str, Any]) -> None:
        title = {"title": "Lowkey: prompt -> instruction, seed -> number"}
        graph["7"] = {"class_type": "Own", "inputs": {"instruction": "", "number": 1}, "_meta": title}

    graph = graphs.from_file(Path(workflow(tmp_path / "mine.json", change)))
    filled = graph.filled({"prompt": "one lamp", "seed": 5, "reference": "x.png"})
    assert filled["7"]["inputs"] == {"instruction": "one lamp", "number": 5}
    assert filled["4"]["inputs"]["image"] == "x.png"
    assert graph.nodes["7"]["inputs"]["instruction"] == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
        ('{"nodes": [], "links": []}', "saved for the page"),
        ('{"1": {"inputs": {}}}', "no class_type"),
        ('{"1": {"class_type": "A", "inputs": {"x": ["9", 0]}}}', "not there"),
        ('{"1": {"class_type": "A", "inputs": {}}}', "no place for the person's photo"),
        ('{"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "lowkey: lamp"}}}', "the marks are"),
        ('{"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "lowkey: reference"}}}', "has no input image"),
        (
            '{"2": {"class_type": "B", "inputs": {}},'
            ' "1": {"class_type": "A", "inputs": {"image": ["2", 0]}, "_meta": {"title": "lowkey: reference"}}}',
            "comes from another",
        ),
    ],
)
def test_a_workflow_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(EngineError, match="bad-workflow") as wrong:
        graphs.from_file(tmp_path / "mine.json")
    assert said in wrong.value.message


def test_what_the_server_lacks_is_said_before_anything_is_sent(there: tuple[str, Comfy], portrait: photo.Photo, tmp_path: Path) -> None:
    base, memory = there
    engine = made(base)
    memory.info["UNETLoader"]["input"]["required"]["unet_name"] = [["other.safetensors"]]
    memory.info["VAELoader"]["input"]["required"]["vae_name"] = ["COMBO", {"options": []}]
    for call in (engine.check, engine.shoot):
        with pytest.raises(EngineError, match="missing-model") as wrong:
            call(shot(engine), sitting(portrait))
        assert '"flux-2-klein-4b-fp8.safetensors" (it has: other.safetensors)' in wrong.value.message
        assert "flux2-vae.safetensors" in wrong.value.message
    del memory.info["Flux2Scheduler"], memory.info["CFGGuider"]
    with pytest.raises(EngineError, match=r"no node CFGGuider, Flux2Scheduler.*missing-node"):
        engine.check(shot(engine), sitting(portrait))
    assert engine.ready().installed
    assert "CFGGuider" in engine.ready().missing[0]

    def magic(graph: dict[str, Any]) -> None:
        graph["5"]["inputs"]["upscale_method"] = "magic"

    own = made(base, workflow=workflow(tmp_path / "mine.json", magic))
    with pytest.raises(EngineError, match=r'no such choice: ImageScale upscale_method: "magic".*bad-workflow'):
        own.check(shot(own), sitting(portrait))
    assert not [path for method, path in memory.seen if method == "POST"]


def test_a_refusal_of_the_graph_is_told_in_words(
    there: tuple[str, Comfy], portrait: photo.Photo, tmp_path: Path, ledger: FileLedger
) -> None:
    base, memory = there

    def wide(graph: dict[str, Any]) -> None:
        graph["5"]["inputs"]["width"] = 100_000
        del graph["5"]["_meta"]

    engine = made(base, workflow=workflow(tmp_path / "mine.json", wide))
    with pytest.raises(EngineError, match=r"ImageScale \(node 5\): Value bigger than max width: '100000' \[bad-workflow\]"):
        engine.shoot(shot(engine), sitting(portrait), ledger=ledger)
    assert ledger.jobs()[-1].state == "failed"
    assert nothing_of_the_person(memory)


@pytest.mark.parametrize(
    ("said", "way"),
    [("mat1 and mat2 shapes cannot be multiplied", "own window"), ("Allocation on device: out of memory", "smaller --option")],
)
def test_a_node_that_fails_is_told_in_words(
    said: str, way: str, there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger
) -> None:
    base, memory = there
    memory.fail = said
    engine = made(base)
    with pytest.raises(EngineError, match="node-failed") as failed:
        engine.shoot(shot(engine), sitting(portrait), ledger=ledger)
    assert f"KSampler (node 12) failed: {said}; " in failed.value.message
    assert way in failed.value.message
    assert "secret path" not in failed.value.message
    assert nothing_of_the_person(memory)
    assert ledger.jobs()[-1].state == "failed"


# --- lines that break, servers that forget -------------------------------------------------------------------------------------


def test_the_progress_never_goes_back(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    memory.speed_s = 0.25
    steps: list[Step] = []
    engine = made(base)
    engine.shoot(shot(engine), sitting(portrait), progress=steps.append)
    shares = [int(step.what.split(", ")[1].split(" ")[0]) for step in steps if "%" in step.what]
    assert shares == sorted(shares)
    assert {25, 50, 75} & set(shares)
    assert max(shares) <= 100
    assert any(step.left_s is not None and 0 < step.left_s < 5 for step in steps if "%" in step.what)


def test_events_that_are_none_are_passed_over() -> None:
    id = str(uuid.uuid4())
    line = Listening("http://127.0.0.1:1", "c", id)
    none = ("", "{", "[]", "1", '{"type": "progress"}', '{"type": 5, "data": {}}', '{"data": null}', "[" * 99_999)
    for event in (b"\x00\x00\x00\x01", *none):
        line.hear(event)
    for value, most in ((1, 4), (3, 4), (2, 4), (9, 4), (-1, 4), ("x", 4), (1, 1), (1, 2), (None, None), (True, 4)):
        line.hear(json.dumps({"type": "progress", "data": {"prompt_id": id, "value": value, "max": most}}))
    assert line.share == 0.75
    line.hear(json.dumps({"type": "executing", "data": {"prompt_id": str(uuid.uuid4()), "node": None}}))
    assert not line.over.is_set()
    line.hear(json.dumps({"type": "executing", "data": {"prompt_id": id, "node": None}}))
    assert line.over.is_set()


def test_a_line_that_breaks_is_connected_again(there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    memory.speed_s = 0.8
    when(lambda: bool(memory.current and memory.lines), memory.hang_up)
    engine = made(base)
    engine.shoot(shot(engine), sitting(portrait))
    assert memory.connections >= 2


@pytest.mark.parametrize("fault", ["500", "drop", "json"])
def test_without_a_line_the_asking_is_enough(fault: str, there: tuple[str, Comfy], portrait: photo.Photo) -> None:
    base, memory = there
    memory.faults["ws"] = [fault] * 50
    frame = made(base).shoot(shot(made(base)), sitting(portrait))
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert memory.connections == 0


def test_broken_answers_are_asked_for_again(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    memory.faults["queue"] = ["500", "drop", "json", "list"]
    memory.faults["history"] = ["500", "json", "drop", "404"]
    memory.faults["view"] = ["short", "type", "500"]
    frame = made(base).shoot(shot(made(base)), sitting(portrait), ledger=ledger)
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert memory.made == 1


def test_an_answer_lost_after_submitting_is_looked_for_not_sent_again(
    there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger
) -> None:
    base, memory = there
    memory.faults["taken"] = ["drop"]
    made(base).shoot(shot(made(base)), sitting(portrait), ledger=ledger)
    assert len(memory.submits) == memory.made == 1


def test_a_prompt_that_never_arrived_is_sent_again(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    memory.faults["submit"] = ["drop"]
    made(base).shoot(shot(made(base)), sitting(portrait), ledger=ledger)
    assert len(memory.submits) == memory.made == 1


def test_a_graph_that_is_all_cached_gives_its_earlier_picture(there: tuple[str, Comfy], portrait: photo.Photo, tmp_path: Path) -> None:
    """Equal graphs: the second has no outputs at all. Ours are never equal, because the result's name is the prompt's."""
    base, memory = there

    def own_name(graph: dict[str, Any]) -> None:
        del graph["9"]["_meta"]
        graph["4"]["inputs"]["image"] = "example.png"

    engine = made(base, workflow=workflow(tmp_path / "mine.json", own_name), keep="yes")
    first = engine.shoot(shot(engine), sitting(portrait))
    monkey = pytest.MonkeyPatch()
    try:
        # The same upload name twice, as a person's own habit may have it, makes the graphs equal.
        name = next(iter(memory.submits[0]["prompt"]["4"]["inputs"].values()))
        monkey.setattr(engine.server, "lay", lambda *_, **__: name)
        again = engine.shoot(shot(engine), sitting(portrait))
    finally:
        monkey.undo()
    assert memory.made == 1
    assert len(memory.submits) == 2
    assert (again.pixels == first.pixels).all()
    twice = made(base)
    twice.shoot(shot(twice), sitting(portrait))
    twice.shoot(shot(twice), sitting(portrait))
    assert memory.made == 3


def test_a_restart_with_an_empty_history_draws_again_only_when_nothing_was_made(
    there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger
) -> None:
    base, memory = there
    memory.speed_s = 0.3
    when(lambda: memory.current is not None, memory.restart)
    frame = made(base).shoot(shot(made(base)), sitting(portrait), ledger=ledger)
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert memory.made == 1
    assert len(memory.submits) == 2
    assert memory.submits[0]["prompt_id"] == memory.submits[1]["prompt_id"]
    assert nothing_of_the_person(memory)


def test_a_restart_after_the_picture_was_made_finds_its_file(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    engine = made(base)
    memory.faults["queue"] = ["drop"] * 400
    done = when(lambda: bool(memory.history), lambda: (memory.restart(), memory.faults["queue"].clear())[0])
    frame = engine.shoot(shot(engine), sitting(portrait), ledger=ledger)
    done.join()
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert len(memory.submits) == memory.made == 1


def test_a_forgotten_result_without_a_name_is_not_guessed(
    there: tuple[str, Comfy], portrait: photo.Photo, tmp_path: Path, ledger: FileLedger
) -> None:
    base, memory = there
    memory.speed_s = 0.3

    def unmarked(graph: dict[str, Any]) -> None:
        graph["9"] = {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}}

    engine = made(base, workflow=workflow(tmp_path / "mine.json", unmarked))
    when(lambda: memory.current is not None, memory.restart)
    with pytest.raises(EngineError, match="result-lost"):
        engine.shoot(shot(engine), sitting(portrait), ledger=ledger)
    assert len(memory.submits) == 1
    assert ledger.jobs()[-1].state == "failed"


def test_a_server_with_ids_of_its_own(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    memory.gives_ids = True
    frame = made(base).shoot(shot(made(base)), sitting(portrait), ledger=ledger)
    assert frame.notes["job"] != memory.submits[0]["prompt_id"]
    assert memory.made == 1


def test_cancel_stops_our_prompt_and_no_other(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    memory.speed_s = 0.4
    engine = made(base)
    with pytest.raises(EngineError, match="cancelled"):
        engine.shoot(shot(engine), sitting(portrait), ledger=ledger, cancel=lambda: bool(memory.current))
    assert memory.interrupts == [memory.submits[0]["prompt_id"]]
    assert ledger.jobs()[-1].state == "failed"
    assert nothing_of_the_person(memory)
    # One that waits behind another's is taken out of the queue, and the other goes on.
    memory.interrupts.clear()
    memory.speed_s = 4.0
    another = str(uuid.uuid4())
    with memory.lock:
        memory.queue.insert(0, (another, {}, "another's"))

    def waiting() -> bool:
        return any(item[0] != another for item in memory.queue)

    with pytest.raises(EngineError, match="cancelled"):
        engine.shoot(shot(engine, seed=8), sitting(portrait), ledger=ledger, cancel=waiting)
    assert memory.interrupts == []
    assert memory.queue == []
    assert memory.current is not None
    assert memory.current[0] == another


def test_a_server_that_is_not_there_or_is_something_else(portrait: photo.Photo, tmp_path: Path) -> None:
    from services import service

    engine = made("http://127.0.0.1:9")
    assert "cannot be reached" in engine.ready().missing[0]
    with pytest.raises(EngineError, match="unreachable"):
        engine.check(shot(engine), sitting(portrait))
    with service() as (base, _):
        assert "not as a ComfyUI server" in made(base).ready().missing[0]


def test_patience_ends_and_a_later_shoot_goes_on(there: tuple[str, Comfy], portrait: photo.Photo, ledger: FileLedger) -> None:
    base, memory = there
    memory.speed_s = 0.6
    hasty = made(base, patience="1")
    with pytest.raises(EngineError, match="timed-out"):
        hasty.shoot(shot(hasty), sitting(portrait), ledger=ledger)
    assert ledger.jobs()[-1].state == "submitted"
    frame = made(base).shoot(shot(hasty), sitting(portrait), ledger=ledger)
    assert frame.notes["resumed"]
    assert len(memory.submits) == memory.made == 1
    assert nothing_of_the_person(memory)
