"""One number that says whether an autoencoder is good enough to be kept: how far its mels are from real ones."""

from __future__ import annotations

from pathlib import Path

import torch

from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig
from maa.models.autoencoder import Autoencoder
from train.crops import Crops
from train.data import Library
from train.frozen import load_frozen

CROPS, FRAMES = 64, 128


@torch.inference_mode()
def autoencoder_distance(config: ModelConfig, library: Library, folder: Path) -> float:
    """Mean absolute difference, in decades, between held-out mels and what the autoencoder in `folder` makes of them.

    The crops are always the same ones, so numbers of different weights can be compared. They are of the split that
    things are chosen by; a library without one lends its test recordings, or all of them.
    """
    model = load_frozen(config, "autoencoder", folder)
    assert isinstance(model, Autoencoder)
    held_out = next((split for split in ("valid", "test") if len(library.indices(split))), "train")
    waves = Crops(library, held_out, FRAMES * config.audio.hop).fixed(CROPS, seed=0)
    mel = MelSpectrogram(config.audio)(waves)
    made = torch.cat([model.decode(model.encode(part)) for part in mel.split(8)])
    return float((made - mel).abs().mean())
