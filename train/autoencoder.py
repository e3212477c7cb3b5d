"""Train the spectrogram autoencoder (paper Sec. 3.4): L1 reconstruction, a KL penalty, and a texture distance.

python -m train.autoencoder --config small --out runs/autoencoder --minutes 30          one CPU
accelerate launch -m train.autoencoder --config paper --out runs/autoencoder --batch 4   many GPUs
python -m train.autoencoder --config tiny --out /tmp/ae --steps 20 --batch 2             seconds, to see it run
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import PRESETS, ModelConfig
from maa.models.autoencoder import Autoencoder
from train.crops import crops
from train.data import Library
from train.loop import Options, fit


@dataclass(frozen=True)
class Weights:
    """Of the losses beside L1."""

    kl: float = 1e-3
    texture: float = 0.5


LAGS = ((0, 1), (0, 2), (1, 0), (2, 0))  # bands and frames


def losses(model: Autoencoder, mel: Tensor, weights: Weights) -> dict[str, Tensor]:
    """L1 per mel cell, KL divergence per latent value and the texture distance, for mel [B, 1, 80, T]."""
    posterior = model.posterior(mel)
    z = posterior.sample()
    made = model.decoder(model.post_quant_conv(z))
    l1 = (made - mel).abs().mean()
    kl = posterior.kl().mean() / z[0].numel()
    rough = texture_distance(made, mel)
    return {"loss": l1 + weights.kl * kl + weights.texture * rough, "l1": l1, "kl": kl, "texture": rough}


def texture_distance(made: Tensor, real: Tensor) -> Tensor:
    """How differently rough two mels [B, 1, 80, T] are: local means of the absolute steps to cells 1 and 2 away.

    L1 alone answers noise with its median, a smooth mel that no real sound has and that a vocoder turns into a buzz.
    This asks for as much grain as the real mel has nearby, without asking for the same grain.
    """
    total = made.new_zeros(())
    for bands, frames in LAGS:
        grains = []
        for mel in (made, real):
            ahead = mel[..., bands:, frames:]
            step = (ahead - mel[..., : ahead.shape[2], : ahead.shape[3]]).abs()
            grains.append(F.avg_pool2d(step, (8, 16), stride=(4, 8)))
        total = total + (grains[0] - grains[1]).abs().mean()
    return total / len(LAGS)


def run(config: ModelConfig, library: Library, options: Options, batch: int, frames: int, weights: Weights) -> Path:
    """Train on random crops and return the path of the weights."""
    accelerator = Accelerator()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng([options.seed, accelerator.process_index])
    indices = library.indices("train")
    front = MelSpectrogram(config.audio).to(accelerator.device)
    model = Autoencoder(config.autoencoder).to(accelerator.device)
    # Start the output at the mean of the data: the last bias would take thousands of steps to walk there.
    sample = torch.from_numpy(crops(library, indices, 64, frames * config.audio.hop, rng)).to(accelerator.device)
    bias = model.decoder.conv_out.bias
    assert bias is not None
    with torch.no_grad():
        bias.fill_(front(sample).mean())

    def step(_: int) -> dict[str, Tensor]:
        wave = torch.from_numpy(crops(library, indices, batch, frames * config.audio.hop, rng))
        return losses(model, front(wave.to(accelerator.device)), weights)

    return fit(model, step, options, "autoencoder", accelerator)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop, a multiple of 8")
    parser.add_argument("--kl-weight", type=float, default=Weights.kl)
    parser.add_argument("--texture-weight", type=float, default=Weights.texture)
    Options.add_to(parser, lr=1e-3)
    args = parser.parse_args()
    weights = Weights(args.kl_weight, args.texture_weight)
    run(PRESETS[args.config], Library.open(args.library), Options.of(args), args.batch, args.frames, weights)


if __name__ == "__main__":
    main()
