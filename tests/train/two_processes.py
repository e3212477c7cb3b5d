"""One of several processes of a run, started by `test_two_processes_give_one_process_loss`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

os.environ["ACCELERATE_MIXED_PRECISION"] = "no"
os.environ["ACCELERATE_USE_CPU"] = "true"
sys.path.insert(0, str(Path(__file__).parents[2]))

from maa import checkpoint
from maa.config import TINY
from tests.train.library import little_library
from train import autoencoder, diffusion
from train.trainer.options import RunOptions


def main() -> None:
    torch.set_num_threads(1)
    out, batch = Path(sys.argv[1]), int(sys.argv[2])
    options = RunOptions(out, steps=6, lr=2e-3, warmup=1, log_every=2)
    weights = autoencoder.WEIGHTS | {"gradient_penalty": 1.0}
    chosen = replace(autoencoder.DISCRIMINATOR, start=0.5, warmup=0.2)
    autoencoder.train_autoencoder(TINY, little_library(), options, batch, 32, weights, chosen)
    parts = out / f"parts-{os.environ.get('RANK', '0')}"
    checkpoint.save(checkpoint.random_model(), parts, torch.float32)
    (parts / checkpoint.CONFIG).unlink()
    recipe = replace(diffusion.RECIPES["unified"], batch=batch, pool=8, renew=0.5, widths=((20, 0.5), (40, 0.5)))
    diffusion.train_unet(TINY, little_library(), [parts], options, recipe)


if __name__ == "__main__":
    main()
