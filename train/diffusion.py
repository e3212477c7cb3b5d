"""Train the unified diffusion network (paper Sec. 3.5, 3.6, 4.2, 4.3): text, global vector, inpainting, in one.

    PARTS="data/parts runs/autoencoder runs/clap"
    python -m train.diffusion --config mini --parts $PARTS --out runs/diffusion --minutes 60          one CPU
    accelerate launch --mixed_precision bf16 -m train.diffusion --config small --parts $PARTS --out runs/diffusion \\
        --pool 4096 --renew 8 --batch 64                                                              GPUs
    python -m train.diffusion --config mini --parts $PARTS --out /tmp/diffusion --steps 20 --pool 8   to see it run
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maa.checkpoint import CONFIG, read_config
from maa.config import PRESETS, ModelConfig
from maa.diffusion.schedule import Schedule
from maa.models.autoencoder import Autoencoder
from maa.models.unet import UNet
from train.data import Library
from train.frozen import load_frozen
from train.listening import Listening
from train.loop import Options, fit
from train.pool import Entry, Pool

WIDTHS = ((20, 0.7), (40, 0.2), (78, 0.1))  # latent columns of a crop and how often; 78 is a whole clip
OUTSIDE = 0.1  # loss weight of the cells that are given


@dataclass(frozen=True)
class Recipe:
    """What a person chooses about the data of a run."""

    batch: int = 16  # crops of 20 columns; wider crops come in proportionally smaller batches
    pool: int = 512  # clips
    renew: float = 0.5  # new clips per step
    given: float = 0.5  # share of samples that inpaint


@dataclass(frozen=True)
class Batch:
    """Crops of the pool's clips: all [B, ., H, w]."""

    z: Tensor
    masked: Tensor
    cells: Tensor
    captions: list[str]
    recordings: list[int | None]  # the one recording that a caption speaks of, where it is one


def said_of(
    entry: Entry, first: int, last: int, inpaints: bool, samples: int, rng: np.random.Generator
) -> tuple[str, int | None]:
    """Caption of latent columns first..last (each `samples` long), and the recording where it is only one.

    An inpainting sample whose hole hides one event is told that event (half), the whole caption (a quarter) or
    nothing (a quarter): so the prompt learns to say what to fill in.
    """
    if inpaints and rng.random() < 0.25:
        return "", None
    if inpaints and entry.hole is not None and rng.random() < 2 / 3:
        return entry.hole.caption, entry.hole.recording
    a, b = first * samples, last * samples
    inside = [e for e in entry.clip.events if min(b, e.end) - max(a, e.start) > 0.12 * (b - a)]
    if len(inside) == len(entry.clip.events) > 1:
        return entry.clip.caption, None
    if len(inside) == 1:
        return inside[0].caption, inside[0].recording
    return ", then ".join(e.caption for e in inside), None


def draw(pool: Pool, recipe: Recipe, rng: np.random.Generator) -> Batch:
    """A batch of random crops, half of them with a hole."""
    widths, odds = zip(*WIDTHS, strict=True)
    columns = pool.config.latent_cells[1]
    width = min(columns, int(rng.choice(widths, p=odds)))
    count = max(1, recipe.batch * WIDTHS[0][0] // width)
    samples = pool.config.audio.hop * pool.config.autoencoder.factor
    z, masked, cells, captions, recordings = [], [], [], [], []
    for _ in range(count):
        entry = pool.entries[int(rng.integers(len(pool.entries)))]
        first = int(rng.integers(0, columns - width + 1))
        at = slice(first, first + width)
        hole = entry.cells[..., at]
        inpaints = rng.random() < recipe.given and bool(hole.any())
        z.append(entry.z[..., at])
        masked.append(entry.masked[..., at] if inpaints else torch.zeros_like(entry.z[..., at]))
        cells.append(hole if inpaints else torch.ones_like(hole))
        caption, recording = said_of(entry, first, first + width, inpaints, samples, rng)
        captions.append(caption)
        recordings.append(recording)
    return Batch(torch.stack(z), torch.stack(masked), torch.stack(cells), captions, recordings)


def run(config: ModelConfig, library: Library, parts: list[Path], options: Options, recipe: Recipe) -> Path:
    """Train the network and return the path of its weights; the config beside it holds the latent scale."""
    accelerator = Accelerator()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng([options.seed, accelerator.process_index])
    autoencoder = load_frozen(config, "autoencoder", *parts, device=accelerator.device)
    assert isinstance(autoencoder, Autoencoder)
    if options.resume:
        config, _ = read_config(options.out)  # the latent scale that the network has been learning with
        autoencoder.config = config.autoencoder
    pool = Pool(config, library, autoencoder, recipe.pool, rng)
    pool.fill()
    if not options.resume:
        config = _settle_scale(config, pool, accelerator, options.out)
    listening = Listening(config, library, parts, accelerator.device, rng)
    schedule = Schedule(config.schedule)
    unet = UNet(config.unet).to(accelerator.device)
    owed = 0.0

    def step(_: int) -> dict[str, Tensor]:
        nonlocal owed
        owed += recipe.renew
        if owed >= 1:
            pool.renew(int(owed))
            owed -= int(owed)
        batch = draw(pool, recipe, rng)
        context = listening.context(batch.captions, batch.recordings)
        t = torch.randint(0, config.schedule.steps, (len(batch.z),), device=batch.z.device)
        noise = torch.randn_like(batch.z)
        noisy = schedule.add_noise(batch.z, noise, t)
        with accelerator.autocast():
            output = unet(torch.cat([noisy, batch.masked, 2 * batch.cells - 1], dim=1), t, context)
        error = (output.float() - schedule.target(batch.z, noise, t)).square()
        weight = (batch.cells + OUTSIDE * (1 - batch.cells)).expand_as(error)
        return {"loss": (weight * error).sum() / weight.sum()}

    return fit(unet, step, options, "unet", accelerator)


def _settle_scale(config: ModelConfig, pool: Pool, accelerator: Accelerator, out: Path) -> ModelConfig:
    """Choose the latent scale from the pools of all processes, apply it to this one's, and write the config."""
    scale = accelerator.reduce(torch.tensor(pool.latent_scale(), device=pool.device), "mean").item()
    config = replace(config, autoencoder=replace(config.autoencoder, latent_scale=scale))
    pool.autoencoder.config = config.autoencoder
    pool.entries = [replace(entry, z=entry.z * scale, masked=entry.masked * scale) for entry in pool.entries]
    if accelerator.is_main_process:
        out.mkdir(parents=True, exist_ok=True)
        (out / CONFIG).write_text(json.dumps({"model": config.to_json()}, indent=2) + "\n", encoding="utf-8")
    return config


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="mini")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, nargs="+", default=[Path("data/parts")], help="folders with frozen parts")
    parser.add_argument("--batch", type=int, default=Recipe.batch)
    parser.add_argument("--pool", type=int, default=Recipe.pool)
    parser.add_argument("--renew", type=float, default=Recipe.renew)
    parser.add_argument("--given", type=float, default=Recipe.given)
    Options.add_to(parser, lr=4e-4)
    args = parser.parse_args()
    recipe = Recipe(args.batch, args.pool, args.renew, args.given)
    run(PRESETS[args.config], Library.open(args.library), args.parts, Options.of(args), recipe)


if __name__ == "__main__":
    main()
