"""Parts that a stage uses but does not train."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from maa.checkpoint import TOKENIZER, build, read_weights, weight_files
from maa.config import ModelConfig
from maa.models.text import load_tokenizer


def load_frozen(config: ModelConfig, part: str, *folders: Path, device: torch.device | None = None) -> nn.Module:
    """One network from `<part>.safetensors` (or its shards) in the first folder that has it.

    It is in evaluation mode and has no gradients.
    """
    files = next((files for folder in folders if (files := weight_files(folder, part))), None)
    if files is None:
        places = ", ".join(str(folder) for folder in folders)
        raise ValueError(f"There is no {part}.safetensors in {places}; run the stage that makes it first.")
    tokenizer = load_tokenizer(files[0].parent / TOKENIZER) if part == "text" else None
    network = build(config, part, tokenizer)
    network.load_state_dict(read_weights(files))
    return network.eval().requires_grad_(False).to(device or torch.device("cpu"))
