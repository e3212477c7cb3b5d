"""Train a diffusion network (paper Sec. 3.5, 3.6, 4.2, 4.3): text, visual, inpaint, the three in one, or the paper's.

    PARTS="data/parts runs/autoencoder runs/clap"
    python -m train.diffusion --config mini --parts $PARTS --out runs/diffusion --minutes 60          one CPU
    python -m train.diffusion --config small --parts $PARTS --out runs/diffusion --minutes 25 \\
        --batch 256 --widths 40:0.5 78:0.5 --pool 4096 --renew 8 --lr 3e-4                            one GPU
    accelerate launch -m train.diffusion --config paper --recipe paper --parts $PARTS --out runs/paper \\
        --steps 2000000 --warmup 10000 --lr 7.2e-4 --ema 0.9999                                      many GPUs
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
from train.loop import Draw, Trainer, prepare
from train.options import Options
from train.pool import Entry, Pool
from train.recipes import RECIPES, Recipe, heard


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


def draw_batch(pool: Pool, recipe: Recipe, draw: Draw) -> Batch:
    """A batch of random crops, a share of them with a hole."""
    widths, odds = zip(*recipe.widths, strict=True)
    columns = pool.config.latent_cells[1]
    width = min(columns, int(draw.rng().choice(widths, p=odds)))
    count = max(1, recipe.batch * min(widths) // width)
    samples = pool.config.audio.hop * pool.config.autoencoder.factor
    z, masked, cells, captions, recordings = [], [], [], [], []
    for i in draw.samples(count):
        rng = draw.rng(1, i)
        entry = pool.entry(i, rng)
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


class Losses:
    """One step's loss."""

    def __init__(
        self, unet: UNet, pool: Pool, listening: Listening | None, recipe: Recipe, accelerator: Accelerator
    ) -> None:
        self.unet, self.pool, self.listening = unet, pool, listening
        self.recipe, self.accelerator = recipe, accelerator
        self.schedule = Schedule(pool.config.schedule)
        snr = self.schedule.alphas_cumprod / (1 - self.schedule.alphas_cumprod)
        kept = snr.clamp_max(recipe.min_snr) if recipe.min_snr else snr
        self.importance = (kept / snr).float()  # of an error in the clean latent, relative to its own signal-to-noise

    def __call__(self, draw: Draw) -> dict[str, Tensor]:
        recipe, pool = self.recipe, self.pool
        pool.upto(pool.size + int(draw.step * recipe.renew))
        batch = draw_batch(pool, recipe, draw)
        context = None
        rng = draw.rng(5, draw.rank)
        if self.listening is not None:
            self.listening.rng = rng
            said = [bool(caption) for caption in batch.captions]
            context = heard(self.listening.context(batch.captions, batch.recordings), recipe, said, rng)
        every = draw.rng(6).integers(0, pool.config.schedule.steps, len(batch.z) * draw.processes)
        t = torch.from_numpy(every[draw.rank :: draw.processes]).to(batch.z.device)
        noise = draw.normal(batch.z)
        noisy = self.schedule.add_noise(batch.z, noise, t)
        given = [batch.masked, 2 * batch.cells - 1] if recipe.inpaints else []
        with self.accelerator.autocast():
            output = self.unet(torch.cat([noisy, *given], dim=1), t, context)
        error = (output.float() - self.schedule.target(batch.z, noise, t)).abs() ** recipe.norm
        weight = (batch.cells + recipe.outside * (1 - batch.cells)).expand_as(error)
        weight = weight * self.importance.to(t.device)[t].view(-1, 1, 1, 1)
        # Over the mean weight of a batch, which is the same for one process and for many.
        return {"loss": (weight * error).mean() / _mean(weight.mean(), self.accelerator)}


def _mean(value: Tensor, accelerator: Accelerator) -> Tensor:
    return value if accelerator.num_processes == 1 else accelerator.reduce(value.detach(), "mean")


def run(config: ModelConfig, library: Library, parts: list[Path], options: Options, recipe: Recipe) -> Path:
    """Train the network and return the path of its weights; the config beside it holds the latent scale.

    A run that resumes, or starts from weights with a config beside them, keeps the scale that they have learned with.
    """
    accelerator = prepare()
    torch.manual_seed(options.seed)
    autoencoder = load_frozen(config, "autoencoder", *parts, device=accelerator.device)
    assert isinstance(autoencoder, Autoencoder)
    known = options.out if options.resume else options.start.parent if options.start else None
    config = recipe.configure(config)
    if known is not None and (known / CONFIG).is_file():
        scale = read_config(known)[0].autoencoder.latent_scale
        config = replace(config, autoencoder=replace(config.autoencoder, latent_scale=scale))
        autoencoder.config = config.autoencoder
    place = (accelerator.process_index, accelerator.num_processes)
    pool = Pool(config, library, autoencoder, recipe.pool, options.seed, place, recipe.holes, recipe.single)
    unet = UNet(config.unet).to(accelerator.device)
    trainer = Trainer(unet, options, "unet", accelerator)
    pool.upto(pool.size + int(trainer.step * recipe.renew))
    if config.autoencoder.latent_scale == 1.0:
        config = _settle_scale(config, pool, accelerator)
    if accelerator.is_main_process:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / CONFIG).write_text(json.dumps({"model": config.to_json()}, indent=2) + "\n", encoding="utf-8")
    listens = recipe.name != "inpaint"
    rng = np.random.default_rng(options.seed)
    listening = Listening(config, library, parts, accelerator.device, rng) if listens else None
    return trainer.run(Losses(unet, pool, listening, recipe, accelerator))


def _settle_scale(config: ModelConfig, pool: Pool, accelerator: Accelerator) -> ModelConfig:
    """Choose the latent scale from the pools of all processes and apply it to this one's."""
    scale = accelerator.reduce(torch.tensor(pool.latent_scale(), device=pool.device), "mean").item()
    config = replace(config, autoencoder=replace(config.autoencoder, latent_scale=scale))
    pool.autoencoder.config = config.autoencoder
    pool.config = config
    for slot, entry in pool.entries.items():
        pool.entries[slot] = replace(entry, z=entry.z * scale, masked=entry.masked * scale)
    return config


def width(text: str) -> tuple[int, float]:
    """`columns:share` as numbers."""
    columns, _, share = text.partition(":")
    return int(columns), float(share)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=sorted(PRESETS), default="mini")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="unified")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, nargs="+", default=[Path("data/parts")], help="folders with frozen parts")
    parser.add_argument("--batch", type=int, help="crops of the narrowest width per process")
    parser.add_argument("--pool", type=int, help="clips held")
    parser.add_argument("--renew", type=float, help="new clips per step")
    parser.add_argument("--given", type=float, help="share of samples that inpaint")
    parser.add_argument("--widths", nargs="+", type=width, help="columns:share, as in 20:0.7 40:0.2 78:0.1")
    parser.add_argument("--min-snr", type=float, help="gamma of min-SNR weights; 0 = none")
    Options.add_to(parser, lr=4e-4)
    args = parser.parse_args()
    names = ("batch", "pool", "renew", "given", "min_snr")
    chosen = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.widths:
        chosen["widths"] = tuple(args.widths)
    recipe = replace(RECIPES[args.recipe], **chosen)
    run(PRESETS[args.config], Library.open(args.library), args.parts, Options.of(args), recipe)


if __name__ == "__main__":
    main()
