"""Whether a sound stage still gains: its figure on held-out recordings, the lower the better."""

from __future__ import annotations

from pathlib import Path

import torch

from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig
from maa.models.refine import vocode
from train.crops import Crops
from train.data import Library
from train.frozen import load_frozen
from train.losses import MultiResolutionStft
from train.quality import CROPS, FRAMES, autoencoder_distance
from train.vocoder import Weights

JUDGED = ("autoencoder", "vocoder")


def figure(stage: str, config: ModelConfig, library: Library, folder: Path) -> float:
    """The figure of the weights in a folder: an autoencoder's mel distance, or what a vocoder's training minimises."""
    if stage == "autoencoder":
        return autoencoder_distance(config, library, folder)
    return vocoder_distance(config, library, folder)


@torch.inference_mode()
def vocoder_distance(config: ModelConfig, library: Library, folder: Path) -> float:
    """Distances of mels and spectra between held-out sounds and what the vocoder makes of their mels, weighted alike.

    In decades of the mel; the crops are always the same ones.
    """
    model = load_frozen(config, "vocoder", folder)
    refine = getattr(config.vocoder, "refine", None)
    held_out = next((split for split in ("valid", "test") if len(library.indices(split))), "train")
    waves = Crops(library, held_out, FRAMES * config.audio.hop).fixed(CROPS, seed=0)
    front, distance, weights = MelSpectrogram(config.audio), MultiResolutionStft(), Weights()
    total = 0.0
    for wave in waves.split(8):
        mel = front(wave)
        made = vocode(model, front.to_vocoder(mel), front.filters, config.audio, refine)
        l1 = (front(made) - mel).abs().mean()
        total += float(l1 + weights.stft / weights.mel * distance(made, wave)) * len(wave)
    return total / len(waves)
