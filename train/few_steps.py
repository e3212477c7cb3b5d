"""Teach a diffusion network to lead by itself: one call for what takes guidance two (arXiv 2210.03142, Sec. 3.1).

    MODEL=checkpoints/small
    python -m train.few_steps --teacher $MODEL --parts data/parts $MODEL --out runs/few-steps --minutes 120     one CPU
    python -m train.few_steps --teacher $MODEL --parts data/parts $MODEL --out runs/few-steps --minutes 25 \\
        --batch 128 --pool 4096                                                                              one GPU
    python -m train.few_steps --teacher $MODEL --parts data/parts $MODEL --out /tmp/few --steps 5 --pool 8 \\
        --batch 2                                                                                   to see it run
    python -m train.package --student runs/few-steps --to $MODEL                                 add it to the model

The student begins as its teacher and hears the scale of guidance as one more number. It learns, from the recordings of
the library and of all that its recipe says of them, what the teacher answers with guidance at scales of 1 to 8. A model
folder with it makes its instant sounds with half of the calls. What it learns is added to the teacher's matrices with a
low rank, so that it takes a seventh of the teacher's room beside it; `--rank 0` trains all weights, for a folder of
its own.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from maa.checkpoint import RANK, read_config, read_weights, weight_files
from maa.device import layout
from maa.models.context import Context
from maa.models.unet import UNet
from train.data import Library
from train.diffusion import DiffusionObjective, train_unet
from train.latents.flags import add_recipe, recipe_from
from train.latents.pool import Pool
from train.latents.recipes import RECIPES, Recipe
from train.trainer.draw import Draw
from train.trainer.keeping import one_line
from train.trainer.loop import start_from
from train.trainer.low_rank import adapt
from train.trainer.options import RunOptions, add_fields, from_args

SCALES = (1.0, 8.0)  # of guidance


class GuidedObjective(DiffusionObjective):
    """The distance to the teacher's guided answer.

    Args:
        unet: the student.
        pool, recipe, accelerator: as every diffusion objective has them.
        teacher: folder of its weights.
    """

    def __init__(self, unet: UNet, pool: Pool, recipe: Recipe, accelerator: Accelerator, teacher: Path) -> None:
        super().__init__(unet, pool, recipe, accelerator)
        self.teacher = teacher_in(teacher).to(accelerator.device).to(memory_format=layout(accelerator.device))

    def inputs(self, draw: Draw) -> dict[str, Tensor]:
        """The batch of every diffusion network, and a scale of guidance [B] for each sample."""
        batch = super().inputs(draw)
        rows = draw.samples(len(batch["t"]))
        low, high = SCALES
        drawn = draw.rng(1, 1).uniform(low, high, size=len(rows) * draw.processes)[rows]
        return batch | {"guidance": torch.from_numpy(drawn).float().to(batch["t"].device)}

    def losses(self, inputs: dict[str, Tensor], phase: str) -> dict[str, Tensor]:
        """The mean square between the student's answer and the teacher's, weighted over timesteps as in training."""
        z, t, noise, scale = (inputs[name] for name in ("z", "t", "noise", "guidance"))
        noisy = self.schedule.add_noise(z, noise, t)
        context = Context(**{name: inputs.get(name) for name in Context.__dataclass_fields__})
        with self.accelerator.autocast():
            with torch.no_grad():
                asked = replace(context, guidance=None)
                output_null, output = (self.teacher(noisy, t, one).float() for one in (unasked(asked), asked))
            learned = self.unet(noisy, t, context)
        target = output_null + scale.view(-1, 1, 1, 1) * (output - output_null)
        weight = self.importance[t]
        error = (learned.float() - target).square().mean((1, 2, 3))
        return {"loss": (weight * error).mean() / weight.mean()}


def unasked(context: Context) -> Context:
    """What guidance leads away from: the same hole, and nothing asked for."""
    nobody = {
        name: torch.zeros(context.rows, dtype=torch.bool, device=context.device)
        for name, value in (("has_tokens", context.tokens), ("has_vector", context.vector))
        if value is not None
    }
    return replace(context, density=None, has_density=None, when=None, **nobody)


def teacher_in(folder: Path) -> UNet:
    """The diffusion network of a model folder, frozen.

    Raises:
        ValueError: there is none, or it has no learned nulls to lead away from.
    """
    config = read_config(folder)[0].unet
    files = weight_files(folder, "unet")
    if not files or not config.learned_null:
        raise ValueError(f"{folder} holds no diffusion network with learned nulls, which this is made for.")
    teacher = UNet(config)
    teacher.load_state_dict(read_weights(files))
    return teacher.eval().requires_grad_(False)


@dataclass(frozen=True)
class Taught:
    """Makes the objective of one teacher."""

    teacher: Path

    def __call__(self, unet: UNet, pool: Pool, recipe: Recipe, accelerator: Accelerator) -> GuidedObjective:
        return GuidedObjective(unet, pool, recipe, accelerator, self.teacher)


@dataclass(frozen=True)
class Adapted:
    """Gives a fresh student its teacher's weights, and lets them be changed by matrices of this rank only."""

    teacher: Path
    rank: int

    def __call__(self, unet: UNet) -> None:
        start_from(unet, self.teacher / "unet.safetensors")
        adapt(unet, self.rank, "guidance")


def train_student(
    library: Library, parts: list[Path], teacher: Path, options: RunOptions, recipe: Recipe, rank: int = RANK
) -> Path:
    """Train the student of a model folder's network and return the path of its weights.

    Args:
        rank: of what is added to the teacher's matrices; 0 = all weights are trained.

    Raises:
        ValueError: the folder has no network that can be learned from.
    """
    config = read_config(teacher)[0]
    config = replace(config, unet=replace(config.unet, guided=True))
    begun = options if options.resume or options.start else replace(options, start=teacher / "unet.safetensors")
    change = Adapted(teacher, rank) if rank else None
    return train_unet(config, library, parts, begun, recipe, objective=Taught(teacher), change=change)


def main() -> None:
    """Command line of this stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True, help="model folder whose network is learned from")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="unified")
    parser.add_argument("--library", type=Path, default=Path("data"))
    parser.add_argument("--parts", type=Path, nargs="+", default=[Path("data/parts")], help="folders with frozen parts")
    parser.add_argument("--rank", type=int, default=RANK, help="of what is added to the teacher's matrices; 0 = all")
    add_recipe(parser)
    add_fields(parser, RunOptions, lr=1e-3)
    args = parser.parse_args()
    with one_line(parser):
        teacher_in(args.teacher)
        library = Library.open(args.library, rate=read_config(args.teacher)[0].audio.sample_rate)
        train_student(library, args.parts, args.teacher, from_args(RunOptions, args), recipe_from(args), args.rank)


if __name__ == "__main__":
    main()
