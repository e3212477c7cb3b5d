"""Train the spectrogram autoencoder (paper Sec. 3.4): L1 reconstruction and a KL penalty.

    python -m train.autoencoder --config small --out runs/autoencoder --minutes 30          one CPU
    accelerate launch -m train.autoencoder --config paper --out runs/autoencoder --batch 4   many GPUs
    python -m train.autoencoder --config tiny --out /tmp/ae --steps 20 --batch 2             seconds, to see it run
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import PRESETS, ModelConfig
from maa.models.autoencoder import Autoencoder
from train.crops import crops
from train.data import Library
from train.loop import Options, fit


def losses(model: Autoencoder, mel: Tensor, kl_weight: float) -> dict[str, Tensor]:
    """L1 per mel cell plus the KL divergence per latent value, for mel [B, 1, 80, T]."""
    posterior = model.posterior(mel)
    z = posterior.sample()
    made = model.decoder(model.post_quant_conv(z))
    l1 = (made - mel).abs().mean()
    kl = posterior.kl().mean() / z[0].numel()
    return {"loss": l1 + kl_weight * kl, "l1": l1, "kl": kl}


def run(config: ModelConfig, library: Library, options: Options, batch: int, frames: int, kl_weight: float) -> Path:
    """Train on random crops and return the path of the weights."""
    accelerator = Accelerator()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng([options.seed, accelerator.process_index])
    indices = library.indices("train")
    front = MelSpectrogram(config.audio).to(accelerator.device)
    model = Autoencoder(config.autoencoder).to(accelerator.device)
    # Start the output at the mean of the data: the last bias would take thousands of steps to walk there.
    sample = torch.from_numpy(crops(library, indices, 64, frames * config.audio.hop, rng))
    with torch.no_grad():
        model.decoder.conv_out.bias.fill_(front.cpu()(sample).mean())
    front = front.to(accelerator.device)

    def step(_: int) -> dict[str, Tensor]:
        wave = torch.from_numpy(crops(library, indices, batch, frames * config.audio.hop, rng))
        return losses(model, front(wave.to(accelerator.device)), kl_weight)

    return fit(model, step, options, "autoencoder", accelerator)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop, a multiple of 8")
    parser.add_argument("--kl-weight", type=float, default=1e-3)
    Options.add_to(parser, lr=1e-3)
    args = parser.parse_args()
    run(PRESETS[args.config], Library.open(args.library), Options.of(args), args.batch, args.frames, args.kl_weight)


if __name__ == "__main__":
    main()
