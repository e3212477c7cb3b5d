"""Ten steps of every stage, pinned: a change that is meant to leave training alone leaves these losses alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maa.config import TINY
from tests.train.library import little_library
from tests.train.test_stages import parts
from train import autoencoder, clap, diffusion, vocoder
from train.trainer.options import RunOptions

__all__ = ["parts"]
# Refining answers to the last digits of nearly silent cells: it is left out of ten steps, and pinned in one.
PLAIN = replace(TINY, vocoder=replace(TINY.vocoder, refine=None))
# Reconstruction, warm-up and the adversarial phase of the two stages that have them.
GAME = {"start": 0.5, "warmup": 0.2, "channels": 4}
STAGES: dict[str, Callable[[RunOptions, Path], Path]] = {
    "autoencoder": lambda options, parts: autoencoder.train_autoencoder(
        TINY, little_library(), options, 2, 32, chosen=replace(autoencoder.DISCRIMINATOR, **GAME)
    ),
    "vocoder": lambda options, parts: vocoder.train_vocoder(
        PLAIN, little_library(), options, 1, 32, chosen=replace(vocoder.DISCRIMINATOR, **GAME)
    ),
    "clap": lambda options, parts: clap.train_clap(TINY, little_library(), parts, options, 6),
    "unet": lambda options, parts: diffusion.train_unet(
        TINY, little_library(), [parts], options, replace(diffusion.RECIPES["unified"], batch=4, pool=8, renew=0.5)
    ),
}
RUN = {"steps": 10, "warmup": 2, "log_every": 1, "seed": 3}
LR = {"autoencoder": 5e-4, "vocoder": 2e-4, "clap": 1e-3, "unet": 1e-3}
PINNED: dict[str, dict[str, list[float]]] = {
    "autoencoder": {
        "loss": [1.2717, 1.1721, 1.3638, 1.2853, 1.3971, 1.7839, 1.8958, 1.72, 1.8632, 1.8742],
        "discriminator": [1.0308, 0.99479, 0.94284, 0.90819, 0.85061, 0.83749, 0.81996],
    },
    "vocoder": {
        "loss": [649.32, 698.57, 571.56, 588.38, 632.37, 567.47, 556.34, 610.08, 650.99, 679.35],
        "discriminator": [1.077, 1.0689, 1.0612, 1.0534, 1.0464, 1.0413, 1.0385],
    },
    "clap": {
        "loss": [2.1351, 2.133, 2.0099, 1.9529, 1.9138, 1.8943, 1.8773, 2.0548, 1.7856, 1.9214],
    },
    "unet": {
        "loss": [0.9684, 1.1217, 1.0228, 0.94118, 0.88087, 0.84186, 0.9111, 1.1975, 1.1049, 0.8089],
    },
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("stage", STAGES)
def test_ten_steps_have_the_losses_they_had(stage: str, tmp_path: Path, parts: Path) -> None:
    options = RunOptions(tmp_path, lr=LR[stage], **RUN)
    STAGES[stage](options, parts)
    rows = [json.loads(line) for line in (tmp_path / f"{stage}.log.jsonl").read_text().splitlines()[1:]]
    for name, values in PINNED[stage].items():
        found = [row[name] for row in rows if name in row]
        assert found == pytest.approx(values, rel=1e-3, abs=1e-5), name


def test_the_first_step_of_a_refined_vocoder_has_the_loss_it_had(tmp_path: Path) -> None:
    options = RunOptions(tmp_path, lr=1e-3, **{**RUN, "steps": 1})
    vocoder.train_vocoder(TINY, little_library(), options, 1, 32, chosen=replace(vocoder.DISCRIMINATOR, start=1.0))
    row = json.loads((tmp_path / "vocoder.log.jsonl").read_text().splitlines()[1])
    assert row["loss"] == pytest.approx(71.38, rel=1e-3)
