"""Train a diffusion network (paper Sec. 3.5, 3.6, 4.2, 4.3): text, visual, inpaint, the three in one, or the paper's.

    PARTS="data/parts runs/autoencoder runs/clap"
    python -m train.diffusion --config mini --parts $PARTS --out runs/diffusion --minutes 60          one CPU
    python -m train.diffusion --config small --parts $PARTS --out runs/diffusion --minutes 25 \\
        --batch 256 --widths 40:0.5 78:0.5 --pool 4096 --renew 8 --lr 3e-4                            one GPU
    python -m train.diffusion --config mini --parts $PARTS --out /tmp/diffusion --steps 20 --pool 8   to see it run

The paper's sizes, on many GPUs, with parts of the paper's sizes: the text network, first always with its text, then
with a fifth of the texts empty (App. E.2); filling holes, trained on from it (Sec. 4.2); pictures by CLIP (Sec. 4.3).

    accelerate launch -m train.diffusion --config paper --recipe paper --parts $PARTS --out runs/paper \\
        --steps 2000000 --warmup 10000 --lr 1e-5 --scale-lr --ema 0.9999 --null 0
    accelerate launch -m train.diffusion --config paper --recipe paper --parts $PARTS --out runs/paper-free \\
        --start runs/paper/unet.safetensors --steps 100000 --lr 1e-5 --scale-lr --null 0.2
    accelerate launch -m train.diffusion --config paper --recipe text-inpaint --parts $PARTS --out runs/paper-fill \\
        --start runs/paper-free/unet.safetensors --masks frame-70 --steps 100000 --lr 1e-5 --scale-lr
    accelerate launch -m train.diffusion --config paper-image --recipe visual --guide vision --parts $PARTS \\
        --out runs/paper-image --steps 2000000 --lr 1e-5 --scale-lr
    accelerate launch -m train.diffusion --config paper --recipe text --text t5 --parts $PARTS --out runs/paper-t5
    accelerate launch -m train.diffusion --config paper --recipe visual --parts $PARTS --out runs/paper-visual
    accelerate launch -m train.diffusion --config paper --recipe unified --parts $PARTS --out runs/paper-unified
    accelerate launch -m train.diffusion --config paper --recipe inpaint --parts $PARTS --out runs/paper-inpaint
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from maa.aside import write_text
from maa.checkpoint import CONCEPTS, CONFIG, SUSTAINED, read_config
from maa.config import PAPER_TEXT, SCALARS, ModelConfig, OpenClipConfig, changed
from maa.device import layout, send
from maa.diffusion.schedule import Schedule
from maa.models.autoencoder import Autoencoder
from maa.models.clip import ClipVision
from maa.models.context import Context
from maa.models.unet import UNet
from train.data import Library
from train.latents.captions import CaptionEncoder, find_clip
from train.latents.conditions import captioned_events, conditions_of, has_event, scalars_of, with_empty
from train.latents.flags import add_recipe, recipe_from
from train.latents.placing import placed
from train.latents.pool import Pool
from train.latents.preview import Preview
from train.latents.recipes import RECIPES, Recipe, blurred
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.keeping import one_line
from train.trainer.loop import Trainer
from train.trainer.low_rank import folded
from train.trainer.options import RunOptions, add_config, add_fields, config_from, from_args, scaled
from train.trainer.precision import make_accelerator

# What is left to chance in a sample, in the order in which it is drawn.
CHANCES = (
    *("inpaint", "quiet", "named", "mode", "own", "density", "counted"),
    *("onset", "place", "shift", "noise", "mean", "spans"),
    *(name for name in SCALARS if name != "density"),
)
HELD_OUT_CLIPS, HELD_OUT_BATCHES = 64, 4  # of a measurement on recordings that are not trained on
ROWS = {name.lower().removesuffix("-large"): config for name, config in PAPER_TEXT.items()}


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
        # An error of eps or v is one of the clean latent times snr or snr + 1 (arXiv 2303.09556, Sec. 3.4).
        scale = snr + 1 if pool.config.schedule.prediction == "v" else snr
        plain = torch.ones_like(snr)
        self.importance = (kept / scale if recipe.min_snr else plain).float().to(pool.device)

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
        conditions = conditions_of(pool.captions, recipe, hides, slot, entry, (chance["mode"], chance["own"]))
        if not pool.config.unet.learned_null:
            conditions = with_empty(conditions, pool.captions)
        if "tokens" in conditions:
            heard = pool.activity.heard(slot, first, width) & has_event(events)[..., None]
            conditions = self._said(conditions, (slot, entry), heard, chance, draw)
        return batch | conditions | scalars_of(pool, recipe, conditions, crops.audible.scalars, chance)

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


def _mean(value: Tensor, accelerator: Accelerator) -> Tensor:
    return value if accelerator.num_processes == 1 else accelerator.reduce(value.detach(), "mean")


def train_unet(
    config: ModelConfig,
    library: Library,
    parts: list[Path],
    options: RunOptions,
    recipe: Recipe,
    clip: str | None = None,
    objective: Callable[[UNet, Pool, Recipe, Accelerator], DiffusionObjective] = DiffusionObjective,
    change: Callable[[UNet], None] | None = None,
) -> Path:
    """Train the network and return the path of its weights; the config beside it holds the latent scale.

    A run that resumes, or starts from weights with a config beside them, keeps the scale that they have learned with.

    Args:
        parts: folders with the frozen parts; the first that has one gives it.
        clip: the CLIP that guides a visual network (`find_clip`).
        objective: what it learns.
        change: what is done to the fresh network before it is trained, such as `low_rank.adapt`.
    """
    accelerator = make_accelerator()
    torch.manual_seed(options.seed)
    options = scaled(recipe.settled(options), recipe.batch, accelerator.num_processes)
    looking = find_clip(clip, parts) if recipe.name == "visual" else None
    config = _as_begun(_configured(config, recipe, looking), options)
    autoencoder = _autoencoder(config, parts, accelerator)
    place = (accelerator.process_index, accelerator.num_processes)
    guide = None if looking is None else looking[1].to(accelerator.device)
    encoder = CaptionEncoder(config, library, parts, accelerator.device, guide) if recipe.conditional else None
    pool = Pool(config, library, autoencoder, encoder, recipe, options.seed, place)
    unet = UNet(config.unet).to(accelerator.device).to(memory_format=layout(accelerator.device))
    if change is not None:
        change(unet)
    trainer = Trainer(unet, options, "unet", accelerator, plain=folded)
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
    held_out = HeldOut(trainer, pool, library, recipe, place)
    return trainer.run(objective(unet, pool, recipe, accelerator), preview, held_out)


class HeldOut:
    """The loss on recordings that are not trained on: on the same crops, noise and timesteps each time.

    Args:
        trainer: whose averaged weights are measured.
        pool: of the training, with the same parts.
    """

    def __init__(self, trainer: Trainer, pool: Pool, library: Library, recipe: Recipe, place: tuple[int, int]) -> None:
        self.trainer, self.library, self.place, self.near = trainer, library, place, pool
        self.recipe = replace(recipe, split="valid", pool=HELD_OUT_CLIPS, renew=0.0)
        self.every = recipe.held_out if len(library.indices("valid")) else 0
        self.objective: DiffusionObjective | None = None

    def __call__(self, step: int) -> dict[str, Tensor]:
        """{"held_out": the mean loss}, on the steps on which it is measured."""
        if not self.every or step % self.every:
            return {}
        with self.trainer.averaged():
            objective = self.objective = self.objective or self._begun()
            draws = [Draw(0, k, 0.0, *self.place) for k in range(HELD_OUT_BATCHES)]
            found = [objective.losses(objective.inputs(draw), "all")["loss"].detach() for draw in draws]
        return {"held_out": torch.stack(found).mean()}

    def _begun(self) -> DiffusionObjective:
        near, encoder = self.near, None if self.near.captions is None else self.near.captions.encoder
        pool = Pool(near.config, self.library, near.autoencoder, encoder, self.recipe, 0, self.place)
        pool.upto(pool.size)
        pool.close()  # its copy of the library has done its work
        unet = self.trainer.module
        assert isinstance(unet, UNet)
        return DiffusionObjective(unet, pool, self.recipe, self.trainer.accelerator)


def _configured(config: ModelConfig, recipe: Recipe, looking: tuple[str, ClipVision] | None) -> ModelConfig:
    """The configuration of what the recipe trains, with the CLIP that it looks with."""
    if looking is None:
        return recipe.configure(config)
    name, clip = looking
    if not isinstance(config.vision, OpenClipConfig):
        config = replace(config, vision=OpenClipConfig(model=Path(name).name, pretrained="as in training"))
    return recipe.configure(config, clip.width)


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


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config(parser, "mini")
    parser.add_argument("--text", choices=sorted(ROWS), help="the text encoder, by its row of Table 1")
    parser.add_argument("--latent-channels", type=int, help="of the autoencoder, as it was trained")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="unified")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, nargs="+", default=[Path("data/parts")], help="folders with frozen parts")
    parser.add_argument("--guide", help="open_clip model that guides --recipe visual: folder, hub id, or NAME,TAG")
    add_recipe(parser)
    add_fields(parser, RunOptions, lr=4e-4)
    args = parser.parse_args()
    with one_line(parser):
        config = config_from(args, **({"text": ROWS[args.text]} if args.text else {}))
        if args.latent_channels:
            config = changed(config, [f"autoencoder.latent_channels={args.latent_channels}"])
        recipe = recipe_from(args)
        library = Library.open(args.library, rate=config.audio.sample_rate)
        train_unet(config, library, args.parts, from_args(RunOptions, args), recipe, args.guide)


if __name__ == "__main__":
    main()
