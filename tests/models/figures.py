"""A small table of what every published network answers, for a check that needs no file from anybody.

python -m tests.models.figures

Weights and inputs are by formula, of our own parameter names (tests/models/weights.py). The table is written by code
that the reference tensors have just been held against: this script runs those tests first and stops if one fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maa import checkpoint
from maa.audio.mel import MelSpectrogram
from maa.config import PAPER, PAPER_IMAGE, PAPER_INPAINT, AudioSpec, MsClapConfig, UNetConfig
from maa.config.vocoders import HifiganConfig
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.models.hifigan import HifiganGenerator
from maa.models.msclap import Cnn14, MsClapHeads
from maa.models.text import TextEncoder, spelling_tokenizer
from maa.models.unet import UNet
from tests.models import weights
from tests.models.weights import draw, formula, tiled

PATH = Path(__file__).with_name("figures.json")
VALUES = 16
filled = partial(weights.filled, weight=partial(formula, numbers=tiled))
folded = partial(weights.folded, numbers=tiled)


def given(name: str, *shape: int) -> Tensor:
    """The input of a name."""
    return torch.from_numpy(draw(name, shape))


def unet(config: UNetConfig) -> Tensor:
    network = filled(UNet(config))
    context = Context()
    if config.global_dim is not None:
        vector = given("unet.vector", 1, config.global_dim)
        context = Context(vector=vector / vector.norm())
    elif config.context_dim is not None:
        context = Context(tokens=given("unet.tokens", 1, 77, config.context_dim))
    z = given("unet.z", 1, config.in_channels, 10, 16)
    ready = network.prepare(context, 1)
    if config.inpaints:
        ready = replace(ready, beside=z[:, config.out_channels :])
    return network(z[:, : config.out_channels], torch.tensor([321]), ready)


def autoencoder() -> Tensor:
    network = filled(Autoencoder(PAPER.autoencoder))
    assert isinstance(network, Autoencoder)
    encoded = network.encode(given("autoencoder.mel", 1, 1, 80, 32))
    return torch.cat([encoded.flatten(), network.decode(given("autoencoder.z", 1, 4, 10, 4)).flatten()])


def text() -> Tensor:
    encoder = filled(TextEncoder(PAPER.text, spelling_tokenizer()))
    assert isinstance(encoder, TextEncoder)
    assert encoder.projection is not None
    ids = torch.arange(77)[None] * 391 % PAPER.text.vocabulary
    return encoder.projection(encoder.states(ids, ids > 0))


def captions() -> Tensor:
    heads = filled(checkpoint.build(PAPER, "clap"))
    assert isinstance(heads, MsClapHeads)
    ids = torch.arange(100)[None] * 293 % PAPER.text.vocabulary
    return heads.caption_vectors(ids, torch.arange(100)[None] < 40)


def sound() -> Tensor:
    assert isinstance(PAPER.clap, MsClapConfig)
    return filled(Cnn14(PAPER.clap))(0.1 * given("clap.wave", 1, 22_050))


def bigvgan() -> Tensor:
    return filled(checkpoint.build(PAPER, "vocoder"), weight=folded)(given("vocoder.mel", 1, 80, 4))


def hifigan() -> Tensor:
    return filled(HifiganGenerator(HifiganConfig()), weight=folded)(given("vocoder.mel", 1, 80, 8))


def mel(convention: Any) -> Tensor:
    return MelSpectrogram(AudioSpec(convention=convention))(0.1 * given("mel.wave", 1, 16_000))


FIGURES: dict[str, Callable[[], Tensor]] = {
    "U-Net, text": lambda: unet(PAPER.unet),
    "U-Net, pictures": lambda: unet(PAPER_IMAGE.unet),
    "U-Net, inpainting": lambda: unet(PAPER_INPAINT.unet),
    "autoencoder": autoencoder,
    "text encoder": text,
    "MS-CLAP, captions": captions,
    "MS-CLAP, sound": sound,
    "BigVGAN": bigvgan,
    "HiFi-GAN": hifigan,
    "mel A": lambda: mel("A"),
    "mel B": lambda: mel("B"),
}


@torch.inference_mode()
def measure(name: str) -> dict[str, Any]:
    """Sixteen values at evenly spaced places, the sum of absolutes and the root of the sum of squares."""
    flat = FIGURES[name]().flatten().double()
    places = np.linspace(0, len(flat) - 1, VALUES).round().astype(int)
    return {
        "size": len(flat),
        "peak": float(flat.abs().max()),
        "values": [float(flat[place]) for place in places],
        "l1": float(flat.abs().sum()),
        "l2": float(flat.square().sum().sqrt()),
    }


def main() -> int:
    """Check against the reference tensors, then write the table."""
    here = Path(__file__).parent
    references = [here / "test_reference.py", here / "test_hifigan.py", here.parent / "audio" / "test_mel.py"]
    if pytest.main(["-q", *map(str, references)]) != 0:
        return 1
    table = {name: measure(name) for name in FIGURES}
    PATH.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
