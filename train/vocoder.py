"""Train a vocoder (paper Sec. 5.2) by reconstruction: mel distance and multi-resolution STFT distance.

python -m train.vocoder --config small --out runs/vocoder --minutes 30
python -m train.vocoder --config tiny --out /tmp/vocoder --steps 20 --batch 2
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maa.audio.mel import MelSpectrogram
from maa.config import PRESETS, IstftConfig, ModelConfig
from maa.models.istft import IstftVocoder
from train.crops import crops
from train.data import Library
from train.loop import Options, fit
from train.losses import MultiResolutionStft


def run(config: ModelConfig, library: Library, options: Options, batch: int, frames: int) -> Path:
    """Train on random crops and return the path of the weights."""
    if not isinstance(config.vocoder, IstftConfig):
        raise ValueError(f"This stage trains the inverse-STFT vocoder; {config.name} has {config.vocoder.kind}.")
    accelerator = Accelerator()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng([options.seed, accelerator.process_index])
    indices = library.indices("train")
    front = MelSpectrogram(config.audio).to(accelerator.device)
    distance = MultiResolutionStft().to(accelerator.device)
    model = IstftVocoder(config.vocoder, config.audio).to(accelerator.device)

    def step(_: int) -> dict[str, Tensor]:
        wave = torch.from_numpy(crops(library, indices, batch, frames * config.audio.hop, rng)).to(accelerator.device)
        mel = front(wave)
        made = model(front.to_vocoder(mel))
        l1 = (front(made) - mel).abs().mean()
        stft = distance(made, wave)
        return {"loss": 2.0 * l1 + stft, "mel": l1, "stft": stft}

    return fit(model, step, options, "vocoder", accelerator)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="small")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=64, help="mel frames in a crop")
    Options.add_to(parser, lr=5e-4)
    args = parser.parse_args()
    run(PRESETS[args.config], Library.open(args.library), Options.of(args), args.batch, args.frames)


if __name__ == "__main__":
    main()
