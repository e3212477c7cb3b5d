"""Every stage on tiny networks: it learns, it resumes, and what it writes can be opened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maa import checkpoint
from maa.audio.mel import MelSpectrogram
from maa.config import TINY
from maa.config.vocoders import HifiganConfig
from maa.models.autoencoder import Autoencoder
from maa.models.hifigan import HifiganGenerator
from tests.train.library import little_library
from train import autoencoder, clap, diffusion, vocoder
from train.adversarial.discriminators import MultiWindowDiscriminator, WaveDiscriminator
from train.adversarial.losses import balance
from train.adversarial.options import DiscriminatorOptions
from train.evaluation.metrics import rank_real, rank_sounds
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.loop import Trainer
from train.trainer.options import RunOptions
from train.trainer.precision import make_accelerator


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frozen parts of the tiny model, as the stages read them."""
    folder = tmp_path_factory.mktemp("parts")
    checkpoint.save(checkpoint.random_model(), folder, torch.float32)
    (folder / checkpoint.CONFIG).unlink()
    return folder


def losses(folder: Path, name: str, loss: str = "loss") -> list[float]:
    rows = [json.loads(line) for line in (folder / f"{name}.log.jsonl").read_text().splitlines()]
    return [row[loss] for row in rows if loss in row]


BATCH = {"steps": 30, "lr": 2e-3, "warmup": 3, "log_every": 5}
NEVER = DiscriminatorOptions(start=1.0)


def test_autoencoder_learns(tmp_path: Path) -> None:
    options = RunOptions(tmp_path, **BATCH)
    path = autoencoder.train_autoencoder(TINY, little_library(), options, batch=2, frames=32, chosen=NEVER)
    seen = losses(tmp_path, "autoencoder")
    assert path.is_file() and seen[-1] < seen[0]


def autoencoder_objective(
    model: Autoencoder, discriminator: MultiWindowDiscriminator, chosen: DiscriminatorOptions
) -> autoencoder.AutoencoderObjective:
    """On one tone of 32 frames."""
    front, wave = MelSpectrogram(TINY.audio), torch.from_numpy(little_library().wave(2)[None, : 32 * 256].copy())
    return autoencoder.AutoencoderObjective(
        model, discriminator, autoencoder.WEIGHTS, chosen, make_accelerator(), front, lambda _: wave
    )


def test_autoencoder_lowers_its_loss_on_a_fixed_batch_before_and_with_its_discriminator() -> None:
    torch.manual_seed(0)
    model, discriminator = Autoencoder(TINY.autoencoder), MultiWindowDiscriminator(8)
    stage = autoencoder_objective(model, discriminator, autoencoder.DISCRIMINATOR)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    inputs = stage.inputs(Draw(0, 1, 0.0))
    for progress in (0.0, 0.9):
        seen = []
        for _ in range(20):
            values = stage.losses(inputs, stage.phase(Draw(0, 1, progress)))
            values["loss"].backward()
            optimiser.step()
            optimiser.zero_grad()
            seen.append(float(values["l1"].detach()))
        assert seen[-1] < 0.97 * seen[0], progress
    assert {"adversarial", "feature_matching", "discriminator"} <= set(values)
    assert all(parameter.grad is None for parameter in discriminator.parameters()), (
        "the generator's loss does not train it"
    )


def test_a_discriminator_that_is_far_ahead_waits() -> None:
    torch.manual_seed(0)
    model, discriminator = Autoencoder(TINY.autoencoder), MultiWindowDiscriminator(8)
    stage = autoencoder_objective(model, discriminator, replace(autoencoder.DISCRIMINATOR, floor=1e9))
    draw = Draw(0, 1, 0.9)
    values = stage.losses(stage.inputs(draw), stage.phase(draw))
    values["discriminator"].backward()
    assert all(not parameter.grad.any() for parameter in stage.discriminator.parameters())


def test_a_frozen_encoder_keeps_its_latents(tmp_path: Path, parts: Path) -> None:
    options = RunOptions(tmp_path, start=parts / "autoencoder.safetensors", **{**BATCH, "steps": 6})
    chosen = replace(autoencoder.DISCRIMINATOR, start=0.0, warmup=0.0, channels=8)
    path = autoencoder.train_autoencoder(
        TINY, little_library(), options, batch=1, frames=32, chosen=chosen, frozen_encoder=True
    )
    before, after = load_file(parts / "autoencoder.safetensors"), load_file(path)
    moved = {name.split(".")[0] for name in before if not torch.allclose(before[name], after[name], atol=1e-7)}
    assert moved == {"decoder", "post_quant_conv"}


def test_texture_distance_sees_smoothness() -> None:
    torch.manual_seed(0)
    rough, other = torch.randn(1, 1, 80, 64), torch.randn(1, 1, 80, 64)
    smooth = torch.zeros_like(rough)
    assert autoencoder.texture_distance(other, rough) < 0.3 * autoencoder.texture_distance(smooth, rough)


def test_balanced_losses_move_the_output_by_their_shares() -> None:
    output = torch.randn(4, 5, requires_grad=True)
    other = torch.randn(4, 5)
    terms = {"near": output.square().sum(), "huge": (1e6 * other * output).sum()}
    balance(terms, {"near": 1.0, "huge": 2.0}, output, make_accelerator()).backward()
    wanted = output.detach() / output.detach().norm() + 2 * other / other.norm()
    assert torch.allclose(output.grad, wanted, atol=1e-5)


def test_vocoder_learns(tmp_path: Path) -> None:
    vocoder.train_vocoder(TINY, little_library(), RunOptions(tmp_path, **BATCH), 2, 32, chosen=NEVER)
    seen = losses(tmp_path, "vocoder")
    assert seen[-1] < seen[0]


@pytest.mark.parametrize("kind", ["istft", "hifigan"])
def test_vocoder_lowers_its_loss_on_a_fixed_batch_with_its_discriminator(kind: str) -> None:
    torch.manual_seed(0)
    config = TINY if kind == "istft" else replace(TINY, vocoder=HifiganConfig(channels=32))
    model, discriminator = vocoder.trainable_vocoder(config), WaveDiscriminator(4)
    wave = torch.from_numpy(little_library().wave(2)[None, : 16 * 256].copy())
    stage = vocoder.VocoderObjective(
        model,
        discriminator,
        vocoder.WEIGHTS,
        vocoder.DISCRIMINATOR,
        make_accelerator(),
        config,
        lambda _: wave,
        wave.shape[1],
    )
    draw = Draw(0, 1, 0.9)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3 if kind == "istft" else 4e-4)
    seen = []
    for _ in range(18):
        values = stage.losses(stage.inputs(draw), stage.phase(draw))
        values["loss"].backward()
        optimiser.step()
        optimiser.zero_grad()
        seen.append(float(values["loss"].detach()))
    assert seen[-1] < 0.95 * seen[0]
    assert {"adversarial", "feature_matching", "discriminator"} <= set(values)


def test_a_hifigan_is_saved_without_weight_norm_and_goes_on_from_there(tmp_path: Path) -> None:
    config = replace(TINY, vocoder=HifiganConfig(channels=16))
    options = RunOptions(tmp_path, **{**BATCH, "steps": 4})
    path = vocoder.train_vocoder(config, little_library(), options, 1, 16, chosen=NEVER)
    HifiganGenerator(config.vocoder).load_state_dict(load_file(path))
    again = RunOptions(tmp_path / "again", start=path, **{**BATCH, "steps": 1})
    vocoder.train_vocoder(config, little_library(), again, 1, 16, chosen=NEVER)


def test_clap_learns(tmp_path: Path, parts: Path) -> None:
    clap.train_clap(TINY, little_library(), parts, RunOptions(tmp_path, **BATCH), batch=8)
    seen = losses(tmp_path, "clap")
    assert seen[-1] < seen[0]


STAGES = {
    "autoencoder": lambda o, p: autoencoder.train_autoencoder(
        TINY, little_library(), o, 1, 32, chosen=replace(autoencoder.DISCRIMINATOR, start=0.5, warmup=0.3, channels=4)
    ),
    "vocoder": lambda o, p: vocoder.train_vocoder(
        TINY, little_library(), o, 1, 32, chosen=replace(vocoder.DISCRIMINATOR, start=0.5, warmup=0.3, channels=4)
    ),
    "clap": lambda o, p: clap.train_clap(TINY, little_library(), p, o, 4),
    "unet": lambda o, p: diffusion.train_unet(
        TINY, little_library(), [p], o, replace(diffusion.RECIPES["unified"], batch=2, pool=8, renew=0.7)
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_resumes_to_the_same_bits(
    stage: str, tmp_path: Path, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunOptions(tmp_path / "a", **{**BATCH, "steps": 8, "save_every": 5, "log_every": 1})
    STAGES[stage](options, parts)

    def crash(self: Trainer, *args: object) -> dict[str, torch.Tensor]:
        if self.step == 5:
            raise KeyboardInterrupt
        return advance(self, *args)

    advance = Trainer._advance
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_advance", crash)
        with pytest.raises(KeyboardInterrupt):
            STAGES[stage](replace(options, out=tmp_path / "b"), parts)
    STAGES[stage](replace(options, out=tmp_path / "b", resume=True), parts)
    straight, resumed = (load_file(tmp_path / run / f"{stage}.safetensors") for run in "ab")
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert losses(tmp_path / "a", stage) == losses(tmp_path / "b", stage)


def test_frozen_parts_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"autoencoder\.safetensors"):
        diffusion.train_unet(TINY, little_library(), [tmp_path], RunOptions(tmp_path), diffusion.RECIPES["unified"])


def test_ranking_counts_what_it_says() -> None:
    centres = np.eye(6, dtype=np.float32)
    score = rank_sounds(centres[[0, 1, 2]], np.array([0, 1, 3]), centres)
    assert score.top1 == pytest.approx(2 / 3)
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, 0)
    assert rank_real(vectors, np.array([0, 0, 0, 1, 1, 1]), 2).top1 == 1.0


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "autoencoder.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_frozen(TINY, "autoencoder", tmp_path)
