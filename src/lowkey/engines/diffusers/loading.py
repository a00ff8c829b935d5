"""A folder of weights becomes a pipeline, held as one rung of the ladder says."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from lowkey.engines.diffusers import hub, memory
from lowkey.engines.diffusers.memory import Machine, Rung
from lowkey.engines.diffusers.models import Weights
from lowkey.errors import EngineError


def load(weights: Weights, rung: Rung, machine: Machine) -> Any:
    """The pipeline, ready to be called. Raises EngineError `bad-weights`; what memory ran out with goes on up."""
    if machine.device == "cpu":
        # Said aloud, the count holds: until then MKL may take fewer threads when it likes, and another split ends in other last bits.
        torch: Any = import_module("torch")
        torch.set_num_threads(machine.threads)
    with hub.offline(), quiet():
        try:
            pipe = _modular(weights, rung, machine) if weights.family.name == "flux3" else _classic(weights, rung, machine)
            _hold(pipe, rung, machine)
        except Exception as error:
            if memory.ran_out(error):
                raise
            why = f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
            said = f"{weights.name} does not load with diffusers {versions()['diffusers']} ({why})"
            raise EngineError("bad-weights", f"{said}; pull or copy the model again, or update: pip install -U 'lowkey[flux]'") from error
    return pipe


def _dtype(rung: Rung) -> Any:
    torch: Any = import_module("torch")
    return torch.float32 if rung.bits == 32 else torch.bfloat16


def _classic(weights: Weights, rung: Rung, machine: Machine) -> Any:
    library: Any = import_module("diffusers")
    given: dict[str, Any] = {"dtype": _dtype(rung), "local_files_only": True, "use_safetensors": True}
    if rung.bits < 16:
        given["quantization_config"] = library.PipelineQuantizationConfig(**_rounding(rung, weights))
    # The class named by the index, not whatever an index could name: the family has been looked up.
    return getattr(library, weights.class_name).from_pretrained(str(weights.folder), **given)


def _modular(weights: Weights, rung: Rung, machine: Machine) -> Any:
    """FLUX.3: blocks without the prompt upsampler (a second model, which rewrites what was asked), parts from this folder.

    The index of a modular pipeline says where it was saved; the override makes a copied or renamed folder load all the same.
    """
    library: Any = import_module("diffusers")
    of_class: Any = getattr(library, weights.class_name)
    blocks: Any = getattr(import_module("diffusers.modular_pipelines.flux3"), of_class.default_blocks_name)()
    blocks.sub_blocks.pop("prompt_upsampler", None)
    pipe = of_class(blocks=blocks, pretrained_model_name_or_path=str(weights.folder), local_files_only=True)
    parts = [name for name in ("text_encoder", "tokenizer", "vae", "transformer") if (weights.folder / name).is_dir()]
    given: dict[str, Any] = {"dtype": {"default": _dtype(rung)}, "local_files_only": True}
    if rung.bits < 16:
        given["quantization_config"] = library.PipelineQuantizationConfig(**_rounding(rung, weights))
    pipe.load_components(names=parts, pretrained_model_name_or_path=str(weights.folder), **given)
    for name in parts:
        if getattr(pipe, name, None) is None:
            raise OSError(f"its {name} did not load")
    # The text encoder's step asks the processor for its tokenizer; a plain tokenizer is its own.
    if not hasattr(pipe.tokenizer, "tokenizer"):
        pipe.tokenizer.tokenizer = pipe.tokenizer
    return pipe


def _rounding(rung: Rung, weights: Weights) -> dict[str, Any]:
    torch: Any = import_module("torch")
    four = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.bfloat16}
    parts = [part for part in weights.parameters if part != "vae"]
    return {
        "quant_backend": f"bitsandbytes_{rung.bits}bit",
        "quant_kwargs": four if rung.bits == 4 else {"load_in_8bit": True},
        "components_to_quantize": parts,
    }


def _hold(pipe: Any, rung: Rung, machine: Machine) -> None:
    """Onto the device, all of it or in parts."""
    _no_bars(pipe)
    if rung.offload == "none":
        pipe.to(machine.device)
    elif rung.offload == "model" and hasattr(pipe, "enable_model_cpu_offload"):
        pipe.enable_model_cpu_offload(device=machine.device)
    elif rung.offload == "model":  # a modular pipeline moves its parts through a components manager
        manager: Any = import_module("diffusers").ComponentsManager()
        for name in ("text_encoder", "transformer", "vae"):
            manager.add(name, getattr(pipe, name))
        manager.enable_auto_cpu_offload(device=machine.device)
    elif rung.offload == "sequential" and hasattr(pipe, "enable_sequential_cpu_offload"):
        pipe.enable_sequential_cpu_offload(device=machine.device)
    else:
        in_groups(pipe, machine.device, few=rung.offload == "sequential")
    if rung.offload != "none":
        with suppress(AttributeError, NotImplementedError):
            pipe.vae.enable_tiling()


def _no_bars(pipe: Any) -> None:
    """The pipeline's own bar, or those of a modular pipeline's blocks: ours tells the steps."""
    if hasattr(pipe, "set_progress_bar_config"):
        pipe.set_progress_bar_config(disable=True)
    blocks: list[Any] = [getattr(pipe, "_blocks", None)]
    while blocks:
        block = blocks.pop()
        if hasattr(block, "set_progress_bar_config"):
            block.set_progress_bar_config(disable=True)
        blocks += list((getattr(block, "sub_blocks", None) or {}).values())


def in_groups(pipe: Any, device: str, *, few: bool = False) -> None:
    """Layers come to the device when they are used and leave it again: blocks of them, or leaf by leaf."""
    torch: Any = import_module("torch")
    apply: Any = import_module("diffusers.hooks").apply_group_offloading
    for name in ("text_encoder", "text_encoder_2", "transformer", "vae"):
        if (part := getattr(pipe, name, None)) is None:
            continue
        by_leaf = few or name != "transformer"
        how = {"offload_type": "leaf_level"} if by_leaf else {"offload_type": "block_level", "num_blocks_per_group": 2}
        apply(part, onload_device=torch.device(device), offload_device=torch.device("cpu"), **how)


def let_go(machine: Machine | None) -> None:
    """What nothing holds any more is given back to the device."""
    gc.collect()
    if machine is None or machine.device == "cpu":
        return
    torch: Any = import_module("torch")
    getattr(torch, machine.device).empty_cache()


def versions() -> dict[str, str]:
    """Of the libraries that a frame depends on."""
    return {name: str(import_module(name).__version__) for name in ("diffusers", "torch", "transformers")}


@contextmanager
def quiet() -> Iterator[None]:
    """The libraries' bars and notices would be printed over ours."""
    names = ("diffusers", "transformers", "accelerate", "huggingface_hub")
    before = {name: logging.getLogger(name).level for name in names}
    switches = [import_module("transformers.utils.logging"), import_module("diffusers.utils.logging")]
    for switch in switches:
        switch.disable_progress_bar()
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
