"""FLUX on this machine: real pipelines of all four families with tiny random weights, loaded back through lowkey's own path.

What is asserted is what the engine does round the model: sizes, references, seeds, memory, words, refusals. What random weights
draw is noise, so nothing here says how good a real frame is. No test needs a network or a GPU.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import SocketWatch
from engine_room import SIZE, grey, needs_flux, tiny
from lowkey import engines, photo
from lowkey.engines import Sitting
from lowkey.engines.diffusers import calling, crop, hub, loading, models
from lowkey.engines.diffusers.engine import Diffusers
from lowkey.errors import EngineError
from lowkey.frame import Frame, Framing, Shot
from lowkey.look import Look
from lowkey.plate.plate import Plate

FAMILIES = ("klein", "flux2", "kontext", "flux3")
SAVED = (*FAMILIES, "flux3-base")
pytestmark = pytest.mark.skipif(bool(needs_flux()), reason=needs_flux() or "-")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    return {family: tiny(family, folder / family) for family in SAVED}


@pytest.fixture(scope="module")
def sitting(astronaut_plate: Plate) -> Sitting:
    return Sitting(astronaut_plate.photo, lambda: astronaut_plate)


def engine_on(folder: Path, **settings: str) -> Diffusers:
    made = engines.find("diffusers", {"model": str(folder), "steps": "2", "device": "cpu", **settings})
    assert isinstance(made, Diffusers)
    return made


def shot_for(engine: Diffusers, sitting: Sitting, **changes: Any) -> Shot:
    given: dict[str, Any] = {"look": Look(), "framing": Framing(), "seed": 1, "size_px": SIZE, **changes}
    return Shot(reference=sitting.photo.hash, engine=engine.name, options=engine.options, **given)


def shoot(engine: Diffusers, sitting: Sitting, **changes: Any) -> Frame:
    return engine.shoot(shot_for(engine, sitting, **changes), sitting)


@pytest.fixture(scope="module", params=FAMILIES)
def each(request: pytest.FixtureRequest, weights: dict[str, Path]) -> Iterator[Diffusers]:
    engine = engine_on(weights[request.param])
    yield engine
    engine.close()


def test_a_new_process_makes_the_same_bytes(weights: dict[str, Path], sitting: Sitting, astronaut_file: Path, tmp_path: Path) -> None:
    """Saved, loaded in another process by `lowkey.shoot`, drawn, written: the same pixels as here, for all four families."""
    script = tmp_path / "one.py"
    script.write_text(
        "import sys, lowkey\n"
        "for folder in sys.argv[3:]:\n"
        "    given = {'model': folder, 'steps': '2', 'device': 'cpu'}\n"
        "    done = lowkey.shoot(sys.argv[1], seeds=1, size_px=(256, 320), meter=False, engine='diffusers', options=given,\n"
        "                        out=sys.argv[2] + '/' + folder.rsplit('/', 1)[-1])\n"
        "    print(done.frames[0].path)\n"
    )
    asked = [sys.executable, str(script), str(astronaut_file), str(tmp_path), *(str(weights[family]) for family in SAVED)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files = [Path(line) for line in done.stdout.splitlines() if line.endswith(".png")]
    assert len(files) == len(SAVED)
    for family, file in zip(SAVED, files, strict=True):
        engine = engine_on(weights[family])
        here = shoot(engine, sitting)
        engine.close()
        assert np.array_equal(photo.read(file).pixels, here.pixels), family
        record = (file.parent / "record.json").read_text()
        assert engine_on(weights[family])._weights().revision in record
        assert str(weights[family].parent) not in record


def test_nothing_reaches_for_the_network(each: Diffusers, sitting: Sitting, no_sockets: SocketWatch) -> None:
    """Loading included: a fresh engine, its tokenizers and its pipeline."""
    fresh = engine_on(each._weights().folder)
    shoot(fresh, sitting)
    fresh.close()


def test_the_model_sees_the_reference_as_prepared(each: Diffusers, sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pipeline resamples it: what reaches the VAE has the size it was prepared in, which for Kontext is one it was trained on."""
    engine = each
    shot = shot_for(engine, sitting, size_px=(400, 500))
    engine.shoot(shot, sitting)
    seen: list[tuple[int, int]] = []
    encode = type(engine._pipe.vae).encode

    def watched(vae: Any, pixels: Any, *rest: Any, **named: Any) -> Any:
        seen.append((pixels.shape[-1], pixels.shape[-2]))
        return encode(vae, pixels, *rest, **named)

    monkeypatch.setattr(type(engine._pipe.vae), "encode", watched)
    frame = engine.shoot(shot, sitting)
    assert seen == [tuple(size) for size in frame.notes["pictures_px"]]
    if engine._weights().family.name == "kontext":
        assert {*seen, *(size[::-1] for size in seen)} & set(crop.KONTEXT_PX)
    if engine.abilities.guide:
        seen.clear()
        guided = Sitting(sitting.photo, lambda: sitting.plate, guide=grey((400, 500)))
        engine.shoot(shot, guided)
        assert len(seen) == 2


def test_sixteen_bits_repeat_and_are_said(each: Diffusers, sitting: Sitting) -> None:
    half = engine_on(each._weights().folder, dtype="bf16")
    one, two = shoot(half, sitting), shoot(half, sitting)
    assert half._pipe.transformer.dtype.itemsize == 2
    half.close()
    full = shoot(each, sitting)
    assert np.array_equal(one.pixels, two.pixels)
    assert not np.array_equal(one.pixels, full.pixels)
    # Random weights, two steps: rounding moves a few codes of 255, not the picture.
    assert np.abs(one.pixels.astype(int) - full.pixels.astype(int)).mean() / 257 < 4
    assert (one.notes["bits"], full.notes["bits"]) == (16, 32)
    assert half.options != each.options


def test_memory_that_runs_out_is_tried_one_step_smaller_and_said(weights: dict[str, Path], sitting: Sitting) -> None:
    import torch

    engine = engine_on(weights["klein"])
    asked = []
    loaded = engine._loaded

    def failing(found: Any, rung: Any) -> Any:
        pipe = loaded(found, rung)
        asked.append(rung.name)
        if len(asked) == 1:

            def full(*_: Any) -> None:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

            pipe.transformer.register_forward_pre_hook(full)
        return pipe

    engine._loaded = failing  # type: ignore[method-assign]
    frame = shoot(engine, sitting)
    assert asked == ["float32", "whole"]
    assert frame.notes["bits"] == 16
    assert any("memory ran out" in said for said in frame.notes["said"])
    later = shoot(engine, sitting, seed=2)
    assert asked == ["float32", "whole", "whole"], "what failed once is not tried again for every frame"
    assert later.notes["said"] == frame.notes["said"]
    steady = engine_on(weights["klein"], dtype="bf16")
    assert np.array_equal(frame.pixels, shoot(steady, sitting).pixels)
    steady.close()
    engine.close()


def test_memory_that_runs_out_on_the_last_rung_is_an_error(weights: dict[str, Path], sitting: Sitting) -> None:
    engine = engine_on(weights["klein"], dtype="bf16")

    def never(*_: Any) -> Any:
        raise MemoryError

    engine._loaded = never  # type: ignore[method-assign]
    with pytest.raises(EngineError) as refused:
        shoot(engine, sitting)
    assert refused.value.code == "out-of-memory"


def test_layers_in_groups_make_the_same_picture(each: Diffusers, sitting: Sitting) -> None:
    """Group offloading moves layers about and computes the same; here from the CPU to the CPU."""
    grouped = engine_on(each._weights().folder)
    want = shoot(grouped, sitting)
    loading.in_groups(grouped._pipe, "cpu")
    again = shoot(grouped, sitting)
    grouped.close()
    assert np.array_equal(want.pixels, again.pixels)


def test_words_that_are_too_long_are_refused_before_anything_loads(each: Diffusers, sitting: Sitting) -> None:
    """Every family's own count is held against its limit; here the limit is lowered to what no look fits in."""
    engine = engine_on(each._weights().folder)
    found = engine._weights()
    engine._found = replace(found, family=replace(found.family, tokens=60))
    with pytest.raises(EngineError) as refused:
        engine.check(shot_for(engine, sitting), sitting)
    assert refused.value.code == "prompt-too-long"
    assert "reads 60" in refused.value.message
    with pytest.raises(EngineError):
        shoot(engine, sitting)
    assert engine._pipe is None


def test_tokens_are_counted_as_the_pipeline_counts_them(each: Diffusers, sitting: Sitting) -> None:
    """The estimate before loading is never below the pipeline's own count, which is what the text encoder is really given."""
    frame = shoot(each, sitting)
    weights, text = each._weights(), frame.words["text"]  # type: ignore[index]
    counted = calling.tokens(each._pipe, weights, text)
    assert counted == frame.notes["tokens"]
    assert counted <= calling.estimate(weights, text, lambda _: 0) <= counted + weights.family.around
    assert calling.tokens(each._pipe, weights, f"{text} and more") > counted


def test_a_copy_in_another_place_is_the_same_model(each: Diffusers, sitting: Sitting, tmp_path: Path) -> None:
    """The index of a modular pipeline says where it was saved; that place may be gone."""
    there = each._weights().folder
    copied = Path(shutil.copytree(there, tmp_path / there.name))
    hidden = there.with_name("hidden")
    there.rename(hidden)
    try:
        engine = engine_on(copied)
        frame = shoot(engine, sitting)
        engine.close()
    finally:
        hidden.rename(there)
    assert engine.options == each.options
    assert np.array_equal(frame.pixels, shoot(each, sitting).pixels)


def test_changed_weights_are_another_revision(weights: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights["klein"], tmp_path / "klein"))
    before = models.read(folder, "klein").revision
    file = next((folder / "transformer").glob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert models.read(folder, "klein").revision != before


def test_numbers_that_overflow_are_no_frame(weights: dict[str, Path], sitting: Sitting, tmp_path: Path) -> None:
    """Printed as they are they would be a black picture, which this look could be taken for."""
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(weights["klein"], tmp_path / "klein"))
    file = next((folder / "vae").glob("*.safetensors"))
    tensors = load_file(file)
    tensors["decoder.conv_out.bias"][:] = float("nan")
    save_file(tensors, file, metadata={"format": "pt"})
    engine = engine_on(folder)
    with pytest.raises(EngineError) as refused:
        shoot(engine, sitting)
    assert refused.value.code == "bad-frame"
    engine.close()


def test_kontext_takes_one_picture_and_says_so(weights: dict[str, Path], sitting: Sitting) -> None:
    engine = engine_on(weights["kontext"])
    assert not engine.abilities.guide
    with pytest.raises(EngineError) as refused:
        engine.check(shot_for(engine, sitting), Sitting(sitting.photo, lambda: sitting.plate, guide=grey(SIZE)))
    assert refused.value.code == "no-guide"


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda folder: (folder / "model_index.json").unlink(), "bad-weights"),
        (lambda folder: (folder / "model_index.json").write_text("{"), "bad-weights"),
        (lambda folder: (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}'), "unknown-model"),
        (lambda folder: (folder / "model_index.json").write_text('{"_class_name": ["evil", "Pipe"]}'), "unknown-model"),
        (lambda folder: shutil.rmtree(folder / "transformer"), "bad-weights"),
        (lambda folder: next((folder / "vae").glob("*.safetensors")).write_bytes(b"\xff" * 99), "bad-weights"),
        (
            lambda folder: (folder / "transformer" / "x.safetensors.index.json").write_text('{"weight_map": {"a": "lost.safetensors"}}'),
            "bad-weights",
        ),
    ],
    ids=["no index", "broken index", "another family", "code of its own", "a part missing", "a damaged file", "a shard missing"],
)
def test_a_folder_that_is_not_whole_is_refused(weights: dict[str, Path], tmp_path: Path, harm: Any, code: str) -> None:
    folder = Path(shutil.copytree(weights["klein"], tmp_path / "klein"))
    harm(folder)
    engine = engine_on(folder)
    with pytest.raises(EngineError) as refused:
        engine.options
    assert refused.value.code == code
    assert not engine.ready().ready


def test_a_card_says_what_an_unknown_folder_may_be_used_for(weights: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights["klein"], tmp_path / "klein"))
    assert not engine_on(folder).abilities.likeness
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# mine\nlicense: other\n")
    assert engine_on(folder).abilities.likeness
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: flux-non-commercial\n---\n")
    careful = engine_on(folder)
    assert not careful.abilities.likeness
    assert "flux-non-commercial" in careful.abilities.licence
    assert engine_on(folder, likeness="yes").abilities.likeness


def test_a_model_that_was_never_pulled_is_not_fetched(tmp_path: Path, no_sockets: SocketWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for name in ("black-forest-labs/FLUX.2-klein-4B", "nobody/nothing", str(tmp_path / "no-such-folder")):
        with pytest.raises(EngineError) as refused:
            hub.find(name)
        assert refused.value.code == "no-weights"
    assert engines.find("diffusers").dialect == "flux2"


def test_hosts_are_asked_again_after_a_quiet_block(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    before = constants.HF_HUB_OFFLINE
    with hub.offline():
        assert constants.HF_HUB_OFFLINE
        assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert before == constants.HF_HUB_OFFLINE
    assert "HF_HUB_OFFLINE" not in os.environ


def command(*words: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-c", "from lowkey.cli import main; main()", *words]
    return subprocess.run(asked, capture_output=True, text=True, check=False)


def test_lowkey_shoot_draws_what_is_drawn_here(weights: dict[str, Path], sitting: Sitting, astronaut_file: Path, tmp_path: Path) -> None:
    """`lowkey shoot PHOTO --engine diffusers --option model=FOLDER`, in a process of its own, with the darkroom's frame as a guide."""
    out = tmp_path / "out"
    given = ["--engine", "diffusers", "--option", f"model={weights['klein']}", "--option", "steps=2", "--option", "device=cpu"]
    asked = [*given, "--size", "256x320", "--seeds", "1,", "--no-meter", "--prelight", "--out", str(out), "--json"]
    done = command("shoot", str(astronaut_file), *asked)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-500:]
    told = json.loads(done.stdout.splitlines()[-1])
    engine, darkroom = engine_on(weights["klein"]), engines.find("darkroom")
    shot = shot_for(engine, sitting)
    lit = darkroom.shoot(replace(shot, engine="darkroom", options=darkroom.options), sitting)
    here = engine.shoot(shot, Sitting(sitting.photo, lambda: sitting.plate, guide=lit.pixels))
    engine.close()
    assert len(here.notes["pictures_px"]) == 2
    there = json.loads(Path(told["record"]).read_text())["frames"][0]
    # What went in, first: where the pictures differ, this tells whether the guide did or the model.
    assert there["notes"]["pictures_sha256"] == here.notes["pictures_sha256"]
    assert there["words"]["text"] == here.words["text"]
    there_px = photo.read(Path(told["frames"][0]["path"])).pixels
    apart = np.abs(there_px.astype(np.int32) - here.pixels)
    assert apart.max() == 0, f"{np.mean(apart > 0):.2%} of the values differ, by {apart.max()} of 65535 at most"


def test_the_command_shoots_meters_and_writes_what_can_be_shown(weights: dict[str, Path], astronaut_file: Path, tmp_path: Path) -> None:
    """`lowkey evidence` with a folder of weights, in a process of its own: frames, sheet, record and a page without a path in it."""
    out = tmp_path / "shown"
    asked = ["evidence", "diffusers", "--option", f"model={weights['klein']}", "--option", "device=cpu", "--seeds", "2"]
    asked += ["--size", "256x320", "--photo", str(astronaut_file), "--out", str(out), "--json"]
    done = command(*asked)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["frames"] == 2
    page = (out / "README.md").read_text()
    assert str(tmp_path) not in page
    assert models.read(weights["klein"], "klein").revision in page
    record = json.loads((out / "record.json").read_bytes())
    assert [row["notes"]["likeness"] for row in record["frames"]] == [False, False]
    assert {row["meter"]["headline"] for row in record["frames"]}
    hashes = {hashlib.sha256((out / row["file"]).read_bytes()).hexdigest() for row in record["frames"]}
    assert hashes == {row["sha256"] for row in record["frames"]}
