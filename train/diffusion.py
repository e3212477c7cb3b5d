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
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maa.aside import write_text
from maa.checkpoint import CONCEPTS, CONFIG, SUSTAINED, read_config
from maa.config import PRESETS, SCALARS, ModelConfig
from maa.device import layout, send
from maa.diffusion.schedule import Schedule
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.models.unet import UNet
from train.data import Library
from train.data.prompts.composer import MOST
from train.latents.captions import CaptionEncoder
from train.latents.placing import placed
from train.latents.pool import CaptionTable, LatentCrops, Pool
from train.latents.preview import Preview
from train.latents.recipes import RECIPES, Recipe, blurred, drop_conditions
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.keeping import one_line
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions, add_fields, from_args
from train.trainer.precision import make_accelerator

QUIET = 0.25  # share of inpainting samples without a caption
NAMED = 2 / 3  # share of the others whose caption is of the one event which the mask hides, and not of the whole crop
# What is left to chance in a sample, in the order in which it is drawn.
CHANCES = (
    *("inpaint", "quiet", "named", "mode", "own", "density", "counted"),
    *("onset", "place", "shift", "noise", "mean", "spans"),
    *(name for name in SCALARS if name != "density"),
)
OWN_SOUND = 0.5  # share of samples whose vector is that of the sound itself and not of its caption, where it is one


class DiffusionObjective:
    """The loss of a step: `inputs` draws it, `losses` computes it.

    Everything random is drawn for the whole batch at once, from the step's number alone, and each process takes its
    rows; what it means for a sample is looked up in the pool's tables on the device.
    """

    def __init__(self, unet: UNet, pool: Pool, recipe: Recipe, accelerator: Accelerator) -> None:
        self.unet, self.pool, self.recipe, self.accelerator = unet, pool, recipe, accelerator
        self.schedule = Schedule(pool.config.schedule)
        snr = self.schedule.alphas_cumprod / (1 - self.schedule.alphas_cumprod)
        kept = snr.clamp_max(recipe.min_snr) if recipe.min_snr else snr
        # Of an error in the clean latent, relative to its own signal-to-noise.
        self.importance = (kept / snr).float().to(pool.device)

    def phase(self, draw: Draw) -> str:
        """All steps are alike."""
        return "all"

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """A batch of random crops, a share of them masked: z, known, make, t, noise, and their conditions."""
        recipe, pool = self.recipe, self.pool
        pool.upto(pool.size + int(draw.step * recipe.renew))
        rng = draw.rng(1)
        columns = pool.config.latent_cells[1]
        widths, odds = zip(*recipe.widths, strict=True)
        width = min(columns, int(rng.choice(widths, p=odds)))
        rows = draw.samples(max(1, recipe.batch * min(widths) // width))
        whole = len(rows) * draw.processes
        samples = np.array(rows)
        slots = pool.slots(rng.integers(pool.shard_size, size=whole)[rows], samples)
        t = rng.integers(pool.config.schedule.steps, size=whole)[rows]
        chances = rng.random((len(CHANCES), whole), dtype=np.float32)[:, rows]
        slot, t = send(torch.from_numpy(np.stack([slots, t])), pool.device)
        chance = dict(zip(CHANCES, send(torch.from_numpy(chances), pool.device), strict=True))
        places = torch.stack([chance["place"], chance["shift"]])
        first = pool.activity.place(slot, width, chance["onset"] < recipe.onset, places)
        crops = pool.crop(slot, first, width)
        masked = (chance["inpaint"] < recipe.given) & crops.mask.flatten(1).any(1)
        given = masked.view(-1, 1, 1, 1)
        batch = {
            "z": crops.z,
            "known": crops.known * given,
            "make": torch.where(given, crops.mask, 1.0),
            "t": t,
            "noise": draw.normal(crops.z),
        }
        if pool.captions is None:
            return batch
        events = captioned_events(crops, masked, chance["quiet"], chance["named"])
        counts = (events == crops.audible.events) & (chance["counted"] < recipe.counted)
        entry = torch.where(counts, crops.audible.counted, events)
        hides = pool.config.text.mask_pads
        conditions = _conditions(pool.captions, recipe, hides, slot, entry, (chance["mode"], chance["own"]))
        if "tokens" in conditions:
            heard = pool.activity.heard(slot, first, width) & has_event(events)[..., None]
            conditions = self._said(conditions, (slot, entry), heard, chance, draw)
        return batch | conditions | _scalars(pool, recipe, conditions, crops.audible.scalars, chance)

    def _said(
        self,
        conditions: dict[str, Tensor],
        where: tuple[Tensor, Tensor],
        heard: Tensor,
        chance: dict[str, Tensor],
        draw: Draw,
    ) -> dict[str, Tensor]:
        """The token states of captions [B], some of them placed in time, moved a little.

        Args:
            where: slots and entries in the table of captions. heard: [B, MOST, W], `placed`'s.
        """
        recipe, table = self.recipe, self.pool.captions
        if table is None or not (recipe.text_noise or recipe.text_mean or recipe.spans):
            return conditions
        spanned = (chance["spans"] < recipe.spans) & heard.any((1, 2))
        at = torch.arange(conditions["tokens"].shape[1], device=heard.device)
        words = at < table.lengths[where][:, None]
        if recipe.spans:
            conditions = placed(conditions, table, heard, where[0], spanned)
            words = torch.where(spanned[:, None], conditions["when"].any(2), words)
        tokens = conditions["tokens"]
        moves = torch.stack([chance["noise"], chance["mean"].masked_fill(spanned, 0)])  # events have means of their own
        return conditions | {"tokens": blurred(tokens, words, draw.normal(tokens, key=1), moves, recipe)}

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The weighted error of the network's prediction."""
        recipe = self.recipe
        z, make, t, noise = (inputs[name] for name in ("z", "make", "t", "noise"))
        noisy = self.schedule.add_noise(z, noise, t)
        context = Context(**{name: inputs.get(name) for name in Context.__dataclass_fields__})
        with self.accelerator.autocast():
            output = self.unet(noisy, t, context)
        error = (output.float() - self.schedule.target(z, noise, t)).abs() ** recipe.norm
        weight = (make + recipe.outside * (1 - make)).expand_as(error)
        weight = weight * self.importance[t].view(-1, 1, 1, 1)
        # Over the mean weight of a batch, which is the same for one process and for many.
        return {"loss": (weight * error).mean() / _mean(weight.mean(), self.accelerator)}


def captioned_events(crops: LatentCrops, masked: Tensor, quiet: Tensor, named: Tensor) -> Tensor:
    """The events in each sample's caption, as a set of bits [B].

    The caption of an inpainting sample whose mask hides one event is of that event (half), of all that is audible (a
    quarter) or empty (a quarter): so the prompt learns to say what to fill in. Where a mask hides silence it is empty.

    Args:
        masked: [B] samples that inpaint. quiet, named: [B] uniform in [0, 1).
    """
    hidden = masked & (crops.hidden > 0) & (named < NAMED)
    events = torch.where(hidden, crops.hidden, crops.audible.events)
    return torch.where(masked & ((quiet < QUIET) | crops.silent), 0, events)


def has_event(events: Tensor) -> Tensor:
    """Sets of events as bits [B] to bool [B, MOST]."""
    return (events[:, None] >> torch.arange(MOST, device=events.device) & 1).bool()


def _conditions(
    table: CaptionTable, recipe: Recipe, hides_pads: bool, slots: Tensor, entry: Tensor, chance: tuple[Tensor, Tensor]
) -> dict[str, Tensor]:
    """The fields of a `Context` for entries [B] of the captions of the clips in slots [B]."""
    recording, mode = table.recordings[slots, entry], chance[0]
    own = ((recording >= 0) & (chance[1] < OWN_SOUND))[:, None]
    vector = torch.where(own, table.sounds[slots, entry], table.vectors[slots, entry])
    tokens = table.tokens[slots, entry]
    at = torch.arange(tokens.shape[1], device=tokens.device)
    mask = at < table.lengths[slots, entry].clamp_min(1)[:, None] if hides_pads else None
    context = drop_conditions(Context(tokens, mask, vector), recipe, entry > 0, mode)
    return {name: value for name, value in vars(context).items() if value is not None}


def _scalars(
    pool: Pool, recipe: Recipe, conditions: dict[str, Tensor], measured: dict[str, Tensor], chance: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The conditions of one number each, where they are given: seldom where there is no text or vector, for guidance
    leads away from no condition at all."""
    found: dict[str, Tensor] = {}
    for name in pool.config.unet.scalars:
        nothing = torch.ones_like(measured[name], dtype=torch.bool)
        for other in ("has_tokens", "has_vector"):
            if other in conditions:
                nothing &= ~conditions[other]
        share = torch.where(nothing, recipe.scalar_alone, recipe.scalar)
        found |= {name: measured[name], f"has_{name}": chance[name] < share}
    return found


def _mean(value: Tensor, accelerator: Accelerator) -> Tensor:
    return value if accelerator.num_processes == 1 else accelerator.reduce(value.detach(), "mean")


def train_unet(config: ModelConfig, library: Library, parts: list[Path], options: RunOptions, recipe: Recipe) -> Path:
    """Train the network and return the path of its weights; the config beside it holds the latent scale.

    A run that resumes, or starts from weights with a config beside them, keeps the scale that they have learned with.
    """
    accelerator = make_accelerator()
    torch.manual_seed(options.seed)
    config = _as_begun(recipe.configure(config), options)
    autoencoder = _autoencoder(config, parts, accelerator)
    place = (accelerator.process_index, accelerator.num_processes)
    encoder = CaptionEncoder(config, library, parts, accelerator.device) if recipe.conditional else None
    pool = Pool(config, library, autoencoder, encoder, recipe, options.seed, place)
    unet = UNet(config.unet).to(accelerator.device).to(memory_format=layout(accelerator.device))
    trainer = Trainer(unet, options, "unet", accelerator)
    pool.upto(pool.size + int(trainer.step * recipe.renew))
    if config.autoencoder.latent_scale == 1.0:
        config = _scaled(config, accelerator.reduce(pool.moments(), "mean"))
        pool.rescale(config, _autoencoder(config, parts, accelerator))
    if accelerator.is_main_process:
        options.out.mkdir(parents=True, exist_ok=True)
        write_text(options.out / CONFIG, json.dumps({"model": config.to_json()}, indent=2) + "\n")
        for name, listed in ((CONCEPTS, library.concepts), (SUSTAINED, sorted(library.sustained_concepts))):
            write_text(options.out / name, json.dumps(listed, indent=1) + "\n")
    preview = Preview(unet, pool, list(library.concepts) if recipe.conditional else [])
    return trainer.run(DiffusionObjective(unet, pool, recipe, accelerator), preview)


def _as_begun(config: ModelConfig, options: RunOptions) -> ModelConfig:
    """The configuration with what an earlier run has settled: its latent scale, and what its network was given."""
    known = options.out if options.resume else options.start.parent if options.start else None
    if known is None or not (known / CONFIG).is_file():
        return config
    earlier = read_config(known)[0]
    config = replace(config, autoencoder=replace(config.autoencoder, latent_scale=earlier.autoencoder.latent_scale))
    return replace(config, unet=config.unet.with_scalars(earlier.unet.scalars)) if options.resume else config


def _autoencoder(config: ModelConfig, parts: list[Path], accelerator: Accelerator) -> Autoencoder:
    autoencoder = load_frozen(config, "autoencoder", *parts, device=accelerator.device)
    assert isinstance(autoencoder, Autoencoder)
    return autoencoder


def _scaled(config: ModelConfig, moments: Tensor) -> ModelConfig:
    """The latent scale that brings latents of these moments, mean and mean square [2], to a deviation of 1."""
    mean, square = moments.tolist()
    scale = float((square - mean**2) ** -0.5)
    return replace(config, autoencoder=replace(config.autoencoder, latent_scale=scale))


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
    parser.add_argument("--spans", type=float, help="share of samples that hear each event in its own time")
    parser.add_argument("--min-snr", type=float, help="gamma of min-SNR weights; 0 = none")
    add_fields(parser, RunOptions, lr=4e-4)
    args = parser.parse_args()
    names = ("batch", "pool", "renew", "given", "spans", "min_snr")
    chosen = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.widths:
        chosen["widths"] = tuple(args.widths)
    recipe = replace(RECIPES[args.recipe], **chosen)
    config = PRESETS[args.config]
    with one_line(parser):
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_unet(config, library, args.parts, from_args(RunOptions, args), recipe)


if __name__ == "__main__":
    main()
