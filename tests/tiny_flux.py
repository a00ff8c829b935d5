"""Real pipelines of the four FLUX families with tiny random weights, made here from nothing and saved as folders.

Every class is the library's own; only the sizes are small. Nothing is downloaded: the tokenizers are trained on prompts of this
house, so that a prompt has about as many tokens as for the real ones. Shapes follow the rules that the real configurations keep
(in_channels = 4 latent channels, joint_attention_dim = layers taken x hidden size, sum of axes_dims_rope = head size).

    python tests/tiny_flux.py klein FOLDER
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

FAMILIES = ("klein", "flux2", "kontext", "flux3", "flux3-base")
_BLOCKS = 4


def build(family: str, folder: Path, seed: int = 0) -> Path:
    """Write one pipeline to `folder`; the same seed makes the same weights."""
    import torch

    torch.manual_seed(seed)
    base = partial(_flux3, "base")
    makers: dict[str, Callable[[], Any]] = {
        "klein": _klein,
        "flux2": _flux2,
        "kontext": _kontext,
        "flux3": _flux3,
        "flux3-base": base,
    }
    made = makers[family]()
    if family.startswith("flux3"):
        _save_modular(made, folder)
    else:
        for part in made.components.values():
            if isinstance(part, torch.nn.Module):
                part.eval()
        made.save_pretrained(folder)
    return folder


def _prompts() -> list[str]:
    """What the tokenizers are trained on: the house look in every dialect."""
    from lowkey.look import Look
    from lowkey.prompt import compile as compiled

    spoken = ("flux2", "flux1-kontext", "flux3", "plain")
    return [compiled(look, dialect).text for look in (Look(), Look(pose="profile view downward")) for dialect in spoken]


def _bpe(size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level BPE vocabulary and its merges."""
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_prompts() * 3, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [(a, b) for a, b in model["merges"]]


CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}{{ c['text'] }}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _qwen_tokenizer() -> Any:
    from transformers import Qwen2TokenizerFast

    vocab, merges = _bpe(700)
    tokenizer = Qwen2TokenizerFast(vocab=vocab, merges=merges, unk_token=None, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = CHAT
    return tokenizer


def _vae(kind: str) -> Any:
    import diffusers

    shape = {
        "sample_size": 32,
        "in_channels": 3,
        "out_channels": 3,
        "down_block_types": ("DownEncoderBlock2D",) * _BLOCKS,
        "up_block_types": ("UpDecoderBlock2D",) * _BLOCKS,
        "block_out_channels": (4,) * _BLOCKS,
        "layers_per_block": 1,
        "latent_channels": 1,
        "norm_num_groups": 1,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
    }
    if kind == "flux1":
        return diffusers.AutoencoderKL(**shape, shift_factor=0.0609, scaling_factor=1.5035)
    return diffusers.AutoencoderKLFlux2(**shape)


def _scheduler() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler()


def _transformer2(joint: int, guidance: bool) -> Any:
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=joint,
        timestep_guidance_channels=256,
        axes_dims_rope=[4, 4, 4, 4],
        guidance_embeds=guidance,
    )


def _klein() -> Any:
    from diffusers import Flux2KleinPipeline
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _qwen_tokenizer()
    encoder = Qwen3ForCausalLM(
        Qwen3Config(
            intermediate_size=16,
            hidden_size=16,
            num_hidden_layers=28,  # hidden states 9, 18 and 27 are taken
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            vocab_size=1024,
            max_position_embeddings=512,
        )
    )
    return Flux2KleinPipeline(
        scheduler=_scheduler(),
        vae=_vae("flux2"),
        text_encoder=encoder,
        tokenizer=tokenizer,
        transformer=_transformer2(48, False),
        is_distilled=True,
    )


def _flux2() -> Any:
    from diffusers import Flux2Pipeline
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration, MistralConfig, PixtralVisionConfig

    text = MistralConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=31,  # hidden states 10, 20 and 30 are taken
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=1024,
        max_position_embeddings=512,
    )
    sight = PixtralVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16, head_dim=8
    )
    config = Mistral3Config(text_config=text, vision_config=sight, image_token_index=5)
    return Flux2Pipeline(
        scheduler=_scheduler(),
        vae=_vae("flux2"),
        text_encoder=Mistral3ForConditionalGeneration(config),
        tokenizer=_qwen_tokenizer(),
        transformer=_transformer2(48, True),
    )


def _kontext() -> Any:
    from diffusers import FluxKontextPipeline, FluxTransformer2DModel
    from tokenizers import pre_tokenizers
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5TokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    clip_words = ["<|startoftext|>", "<pad>", "<|endoftext|>", *alphabet, *(sign + "</w>" for sign in alphabet)]
    clip = CLIPTokenizer(vocab={word: index for index, word in enumerate(clip_words)}, merges=[], model_max_length=77)

    words = sorted({word for text in _prompts() for word in re.findall(r"[A-Za-z]+", text)})
    signs = [(chr(code), -20.0) for code in range(33, 127)]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -10.0), *((f"\u2581{word}", -8.0) for word in words), *signs]
    t5 = T5TokenizerFast(vocab=vocab, extra_ids=0, model_max_length=512)

    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
        guidance_embeds=True,
    )
    clip_model = CLIPTextModel(
        CLIPTextConfig(
            bos_token_id=0,
            eos_token_id=2,
            pad_token_id=1,
            hidden_size=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=2,
            vocab_size=1000,
            hidden_act="gelu",
            projection_dim=32,
        )
    )
    t5_model = T5EncoderModel(
        T5Config(
            vocab_size=1024,
            d_model=32,
            d_ff=37,
            d_kv=8,
            num_layers=2,
            num_heads=4,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
        )
    )
    return FluxKontextPipeline(
        scheduler=_scheduler(),
        vae=_vae("flux1"),
        text_encoder=clip_model,
        tokenizer=clip,
        text_encoder_2=t5_model,
        tokenizer_2=t5,
        transformer=transformer,
    )


def _flux3(kind: str = "Distilled") -> Any:
    """The parts of FLUX.3, distilled or base, and its blocks, without the prompt upsampler."""
    import diffusers
    import torch
    from diffusers import Flux3Transformer2DModel
    from diffusers.modular_pipelines import flux3
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tokenizer = _qwen_tokenizer()
    config = Qwen3VLConfig(
        text_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 33,  # hidden states 4, 8, ... 32 are taken
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "vocab_size": 1024,
            "max_position_embeddings": 8192,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1], "mrope_interleaved": True},
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "depth": 1,
            "num_heads": 2,
            "out_hidden_size": 16,
            "deepstack_visual_indexes": [0],
            "num_position_embeddings": 16,
        },
        image_token_id=5,
        video_token_id=6,
        vision_start_token_id=7,
        vision_end_token_id=8,
    )
    parts = {
        "text_encoder": Qwen3VLForConditionalGeneration(config).eval(),
        "tokenizer": tokenizer,
        "vae": _vae("flux2").eval(),
        "transformer": Flux3Transformer2DModel(
            in_channels=4,
            cond_in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=128,
            timestep_channels=256,
            axes_dims_rope=(4, 4, 4, 4),
            flow_map=kind == "Distilled",
        ).eval(),
    }
    assert isinstance(parts["vae"], torch.nn.Module)
    form = kind if kind == "Distilled" else ""
    blocks = getattr(flux3, f"Flux3{form}AutoBlocks")()
    blocks.sub_blocks.pop("prompt_upsampler")
    pipe = getattr(diffusers, f"Flux3{form}ModularPipeline")(blocks=blocks)
    pipe.update_components(**parts)
    return pipe


def _save_modular(pipe: Any, folder: Path) -> None:
    pipe.save_pretrained(str(folder))
    (folder / "tokenizer").mkdir(exist_ok=True)
    if not (folder / "tokenizer" / "tokenizer.json").exists():
        pipe.tokenizer.save_pretrained(folder / "tokenizer")


if __name__ == "__main__":
    print(build(sys.argv[1], Path(sys.argv[2])))  # noqa: T201
