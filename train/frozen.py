"""Parts that a stage uses but does not train."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from maa.checkpoint import TOKENIZER, build
from maa.config import ModelConfig
from maa.models.text import load_tokenizer


def load_frozen(config: ModelConfig, part: str, *folders: Path, device: torch.device | None = None) -> nn.Module:
    """One network from `<part>.safetensors` in the first folder that has it, in evaluation mode, without gradients."""
    path = next((path for folder in folders if (path := folder / f"{part}.safetensors").is_file()), None)
    if path is None:
        places = ", ".join(str(folder) for folder in folders)
        raise ValueError(f"There is no {part}.safetensors in {places}; run the stage that makes it first.")
    tokenizer = load_tokenizer(path.parent / TOKENIZER) if part == "text" else None
    network = build(config, part, tokenizer)
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.eval().requires_grad_(False).to(device or torch.device("cpu"))
