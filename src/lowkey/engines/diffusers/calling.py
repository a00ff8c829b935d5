"""One call of a pipeline, family by family: what each wants to be given, how it is watched, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from lowkey.engines.diffusers import crop, loading
from lowkey.engines.diffusers.models import Weights
from lowkey.errors import EngineError
from lowkey.pixels import F32, U8

Stepped = Callable[[int], None]
"""Called after each step with how many are done; what it raises ends the call."""


@dataclass(frozen=True)
class Call:
    """Everything that goes into one frame."""

    text: str
    seed: int
    size_px: tuple[int, int]
    """On the grid."""
    pictures: tuple[U8, ...]
    """The reference, and after it the guide where there is one."""
    steps: int
    guidance: float | None


def draw(pipe: Any, weights: Weights, call: Call, stepped: Stepped) -> F32:
    """The frame f32[h, w, 3], sRGB-encoded in 0..1. Raises EngineError `bad-frame`, and what `stepped` raises."""
    torch: Any = import_module("torch")
    # One take, one seed, one generator on the CPU: a generator shared by a batch gives its second picture other noise, and one on
    # the device gives other noise on another device.
    generator = torch.Generator("cpu").manual_seed(call.seed)
    width, height = call.size_px
    given: dict[str, Any] = {
        "prompt": call.text,
        "width": width,
        "height": height,
        "num_inference_steps": call.steps,
        "generator": generator,
        "output_type": "np",
    }
    seen = [crop.image(picture) for picture in call.pictures]
    name = weights.family.name
    if call.guidance is not None:
        given["guidance_scale"] = call.guidance
    if name == "kontext":
        # Left alone it rescales the frame to its own area and stretches the reference to a size of its own.
        given |= {"image": seen[0], "max_area": width * height, "_auto_resize": False}
    else:
        given |= {"image": seen}
    if name == "flux3":
        with loading.quiet(), _counted(pipe.scheduler, stepped), torch.no_grad():
            images = pipe(**given, output="images")
    else:

        def after(pipe: Any, index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            stepped(index + 1)  # raising ends the call; `_interrupt` would decode and return half-done noise
            return tensors

        try:
            with loading.quiet():
                images = pipe(**given, max_sequence_length=weights.family.tokens, callback_on_step_end=after).images
        finally:
            pipe.maybe_free_model_hooks()
    drawn = np.asarray(images[0], np.float32)
    if drawn.shape != (height, width, 3):
        raise EngineError("bad-frame", f"the model drew {drawn.shape[1]}x{drawn.shape[0]}, not {width}x{height}; nothing is kept")
    if not np.isfinite(drawn).all():
        raise EngineError("bad-frame", "the model's numbers overflowed, which prints as black; try dtype=fp32, or other weights")
    return drawn


@contextmanager
def _counted(scheduler: Any, stepped: Stepped) -> Iterator[None]:
    """A modular pipeline has no callback; its scheduler takes exactly one step at a time."""
    step, done = scheduler.step, 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal done
        made = step(*given, **named)
        done += 1
        stepped(done)
        return made

    scheduler.step = counted
    try:
        yield
    finally:
        del scheduler.step


def tokens(pipe: Any, weights: Weights, text: str) -> int:
    """Tokens of the whole prompt, by the pipeline's own tokenizer and template."""
    name = weights.family.name
    if name == "kontext":
        return len(pipe.tokenizer_2(text).input_ids)
    tokenizer = pipe.tokenizer
    if name == "flux2":
        messages: Any = import_module("diffusers.pipelines.flux2.pipeline_flux2").format_input(prompts=[text])[0]
        laid = tokenizer.apply_chat_template(messages, add_generation_prompt=False, tokenize=False)
    else:
        extra = {"enable_thinking": False} if name == "klein" else {}
        laid = tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True, **extra)
    return len(getattr(tokenizer, "tokenizer", tokenizer)(laid).input_ids)


def estimate(weights: Weights, text: str, encoder: Callable[[str], int]) -> int:
    """The same before anything is loaded: the folder's own tokenizer file, and the most that the pipeline adds."""
    file = weights.folder / weights.family.tokenizer / "tokenizer.json"
    counted = -1
    if file.is_file():
        try:
            tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(file))
            tokenizer.no_truncation()
            tokenizer.no_padding()
            counted = len(tokenizer.encode(text, add_special_tokens=False).ids)
        except Exception:  # the package raises bare Exception for a file it cannot read; the rule still counts
            counted = -1
    return (counted if counted >= 0 else encoder(text)) + weights.family.around
