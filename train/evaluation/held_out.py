"""One figure for an autoencoder or a vocoder on held-out recordings, the lower the better: is it good, does it gain?"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import ModelConfig
from maa.models.autoencoder import Autoencoder
from maa.models.refine import vocode
from train.adversarial.losses import MultiResolutionStft
from train.data import Library
from train.data.crops import WaveCrops
from train.package import load_frozen
from train.vocoder import WEIGHTS

CROPS, FRAMES = 64, 128
JUDGED = ("autoencoder", "vocoder")


def held_out_distance(stage: str, config: ModelConfig, library: Library, folder: Path) -> float:
    """The figure of the weights in a folder, for a stage of JUDGED."""
    distance = autoencoder_distance if stage == "autoencoder" else vocoder_distance
    return distance(config, library, folder)


def _crops(config: ModelConfig, library: Library) -> Tensor:
    """Always the same waveforms [CROPS, samples], so that numbers of different weights can be compared.

    They are of the split that things are chosen by; a library without one lends its test recordings, or all of them.
    """
    held_out = next((split for split in ("valid", "test") if len(library.indices(split))), "train")
    return WaveCrops(library, held_out, FRAMES * config.audio.hop).fixed(CROPS, seed=0)


@torch.inference_mode()
def autoencoder_distance(config: ModelConfig, library: Library, folder: Path) -> float:
    """Mean absolute difference in decades between held-out mels and what the autoencoder in `folder` makes of them."""
    model = load_frozen(config, "autoencoder", folder)
    assert isinstance(model, Autoencoder)
    mel = MelSpectrogram(config.audio)(_crops(config, library))
    made = torch.cat([model.decode(model.encode(part)) for part in mel.split(8)])
    return float((made - mel).abs().mean())


@torch.inference_mode()
def vocoder_distance(config: ModelConfig, library: Library, folder: Path) -> float:
    """Distances of mels and spectra between held-out sounds and what the vocoder makes of their mels, weighted alike.

    In decades of the mel.
    """
    model = load_frozen(config, "vocoder", folder)
    refine = getattr(config.vocoder, "refine", None)
    waves, front, distance = _crops(config, library), MelSpectrogram(config.audio), MultiResolutionStft()
    total = 0.0
    for wave in waves.split(8):
        mel = front(wave)
        made = vocode(model, front.to_vocoder(mel), front.filters, config.audio, refine)
        l1 = (front(made) - mel).abs().mean()
        total += float(l1 + WEIGHTS["stft"] / WEIGHTS["mel"] * distance(made, wave)) * len(wave)
    return total / len(waves)
