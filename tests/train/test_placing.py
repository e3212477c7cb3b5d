"""Training hears the captions of single events where they sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from maa.config import TINY
from maa.models.autoencoder import Autoencoder
from maa.models.unet import UNet
from tests.train.library import little_library
from tests.train.test_stages import parts
from train import diffusion
from train.data.prompts.composer import MOST
from train.data.prompts.plans import Event, Plan
from train.latents.activity import Activity
from train.latents.captions import CaptionEncoder
from train.latents.pool import Pool
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.precision import make_accelerator

__all__ = ["parts"]
RECIPE = replace(
    diffusion.RECIPES["unified"], batch=32, pool=8, renew=0.0, text_noise=0.0, text_mean=0.0, given=0.3,
    widths=((TINY.latent_cells[1], 1.0),),
)  # fmt: skip


def a_pool(parts: Path, recipe: diffusion.Recipe) -> Pool:
    library = little_library()
    device = torch.device("cpu")
    autoencoder = load_frozen(TINY, "autoencoder", parts, device=device)
    assert isinstance(autoencoder, Autoencoder)
    pool = Pool(TINY, library, autoencoder, CaptionEncoder(TINY, library, [parts], device), recipe, 0)
    pool.upto(pool.size)
    return pool


def drawn(parts: Path, spans: float, step: int = 0) -> tuple[Pool, dict[str, torch.Tensor]]:
    recipe = replace(RECIPE, spans=spans)
    pool = a_pool(parts, recipe)
    objective = diffusion.DiffusionObjective(UNet(TINY.unet), pool, recipe, make_accelerator())
    return pool, objective.inputs(Draw(0, step, 0.0))


def test_half_of_the_samples_hear_their_events_in_their_times(parts: Path) -> None:
    _, inputs = drawn(parts, 0.5)
    width = inputs["z"].shape[3]
    assert inputs["when"].shape == (len(inputs["z"]), inputs["tokens"].shape[1], width)
    everywhere = inputs["when"].all((1, 2))
    assert 0.2 < everywhere.float().mean() < 0.9
    _, none = drawn(parts, 0.0)
    assert "when" not in none
    kept = everywhere & (inputs["t"] == none["t"])
    assert kept.any() and torch.equal(inputs["tokens"][kept], none["tokens"][kept]), "the others are as they were"


def test_an_event_is_said_where_its_sounds_lie_and_nowhere_else() -> None:
    activity = Activity(TINY, 1, torch.device("cpu"))
    column, length = activity.samples, TINY.audio.samples
    events = (Event(0, 5 * column, "a", 0, True), Event(6 * column, length, "b", 1, True))
    one, two = [[column + 3, 2 * column], [4 * column, 4 * column + 1]], [[6 * column, 9 * column]]
    sounding = (np.array(one), np.array(two))
    plan = Plan(
        "a then b", events, np.zeros((1, 7), np.int64), np.ones(1, np.float32), 1.0, None, None, sounding, (True, True)
    )
    activity.write(torch.tensor([0]), [plan], torch.zeros(1, length), torch.zeros(1, 1, 80, 624))
    heard = activity.heard(torch.tensor([0]), torch.tensor([1]), 10)[0]
    assert heard.shape == (MOST, 10)
    assert heard.int().argmax(1)[:2].tolist() == [0, 5]  # columns 1 and 6 of the clip
    assert heard.sum(1).tolist() == [4, 3, 0]
