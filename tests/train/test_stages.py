"""Every stage on tiny networks: it learns, it resumes, and what it writes can be opened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from maa import MakeAnAudio, Sampling, checkpoint
from maa.config import TINY
from tests.train.library import little_library
from train import autoencoder, clap, diffusion, evaluate, masks, vocoder
from train.loop import Options, fit


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frozen parts of the tiny model, as the stages read them."""
    folder = tmp_path_factory.mktemp("parts")
    checkpoint.save(checkpoint.random_model(), folder, torch.float32)
    (folder / checkpoint.CONFIG).unlink()
    return folder


def losses(folder: Path, name: str) -> list[float]:
    rows = [json.loads(line) for line in (folder / f"{name}.log.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def test_autoencoder_learns(tmp_path: Path) -> None:
    options = Options(tmp_path, steps=30, lr=2e-3, warmup=3, log_every=5)
    path = autoencoder.run(TINY, little_library(), options, batch=2, frames=32, weights=autoencoder.Weights())
    seen = losses(tmp_path, "autoencoder")
    assert path.is_file() and seen[-1] < seen[0]


def test_texture_distance_sees_smoothness() -> None:
    torch.manual_seed(0)
    rough, other = torch.randn(1, 1, 80, 64), torch.randn(1, 1, 80, 64)
    smooth = torch.zeros_like(rough)
    assert autoencoder.texture_distance(other, rough) < 0.3 * autoencoder.texture_distance(smooth, rough)


def test_vocoder_learns(tmp_path: Path) -> None:
    options = Options(tmp_path, steps=30, lr=2e-3, warmup=3, log_every=5)
    vocoder.run(TINY, little_library(), options, batch=2, frames=32)
    seen = losses(tmp_path, "vocoder")
    assert seen[-1] < seen[0]


def test_clap_learns(tmp_path: Path, parts: Path) -> None:
    options = Options(tmp_path, steps=30, lr=2e-3, warmup=3, log_every=5)
    clap.run(TINY, little_library(), parts, options, batch=8)
    seen = losses(tmp_path, "clap")
    assert seen[-1] < seen[0]


def test_diffusion_learns_and_its_model_opens(tmp_path: Path, parts: Path) -> None:
    options = Options(tmp_path, steps=40, lr=3e-3, warmup=3, log_every=10, ema=0.9)
    recipe = diffusion.Recipe(batch=4, pool=4, renew=0.1)
    diffusion.run(TINY, little_library(), [parts], options, recipe)
    seen = losses(tmp_path, "unet")
    assert seen[-1] < seen[0]
    config = json.loads((tmp_path / checkpoint.CONFIG).read_text())["model"]
    assert config["autoencoder"]["latent_scale"] != 1.0
    again = replace(options, steps=42, resume=True)
    diffusion.run(TINY, little_library(), [parts], again, replace(recipe, pool=3))
    resumed = json.loads((tmp_path / checkpoint.CONFIG).read_text())["model"]
    assert resumed == config, "a resumed run keeps the latent scale"
    for part in checkpoint.PARTS:
        if not (tmp_path / f"{part}.safetensors").exists():
            (tmp_path / f"{part}.safetensors").symlink_to(parts / f"{part}.safetensors")
    (tmp_path / checkpoint.TOKENIZER).symlink_to(parts / checkpoint.TOKENIZER)
    maa = MakeAnAudio.from_pretrained(tmp_path, device="cpu")
    assert np.isfinite(maa.text_to_audio("a tone", Sampling(steps=2, seed=0), seconds=1.0).audio).all()


def test_a_resumed_run_is_the_same_run(tmp_path: Path) -> None:
    def train(folder: Path, steps: int, resume: bool = False) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        network = torch.nn.Linear(4, 1)
        inputs = torch.randn(200, 8, 4, generator=torch.Generator().manual_seed(1))

        def loss(step: int) -> dict[str, torch.Tensor]:
            return {"loss": (network(inputs[step]) - inputs[step].sum(1, keepdim=True)).square().mean()}

        options = Options(folder, steps=steps, lr=0.01, warmup=1, resume=resume)
        fit(network, loss, replace(options, steps=40), "line") if steps == 40 else _half(network, loss, options)
        return network.state_dict()

    def _half(network: torch.nn.Module, loss: object, options: Options) -> None:
        """Stop a 40-step run after 20 steps, as a crash would."""

        def stop(step: int) -> dict[str, torch.Tensor]:
            if step == 20:
                raise KeyboardInterrupt
            return loss(step)

        with pytest.raises(KeyboardInterrupt):
            fit(network, stop, replace(options, steps=40, save_every=20), "line")

    straight = train(tmp_path / "a", 40)
    train(tmp_path / "b", 20)
    resumed = train(tmp_path / "b", 40, resume=True)
    assert all(torch.allclose(straight[k], resumed[k]) for k in straight)


def test_resuming_nothing_is_one_sentence(tmp_path: Path) -> None:
    network = torch.nn.Linear(1, 1)
    with pytest.raises(ValueError, match="resume"):
        fit(network, lambda _: {}, Options(tmp_path, resume=True), "line")


def test_frozen_parts_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"autoencoder\.safetensors"):
        diffusion.run(TINY, little_library(), [tmp_path], Options(tmp_path), diffusion.Recipe())


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_frame_masks_cover_their_share(share: float) -> None:
    rng = np.random.default_rng(0)
    covered = [masks.frame_spans(80, 624, share, rng) for _ in range(200)]
    assert all((m.all(0) == m.any(0)).all() for m in covered)
    assert np.mean([m.mean() for m in covered]) == pytest.approx(share, abs=0.06)


def test_irregular_masks_have_edges_in_both_directions() -> None:
    rng = np.random.default_rng(0)
    made = [masks.irregular(80, 624, rng) for _ in range(50)]
    assert all(m.any() for m in made)
    assert sum((m.any(0) & ~m.all(0)).any() for m in made) > 25


def test_said_of_a_hole_is_its_own_event() -> None:
    library = little_library()
    from train.prompts.reprogram import Clip, Event

    events = (Event(0, 80_000, "rain", 0), Event(80_000, 159_744, "a dog", 3))
    clip = Clip(np.zeros(0, np.float32), "rain, then a dog", events)
    from train.pool import Entry

    entry = Entry(clip, *(torch.zeros(1),) * 3, hole=events[1])
    rng = np.random.default_rng(0)
    said = [diffusion.said_of(entry, 0, 78, True, 2048, rng)[0] for _ in range(400)]
    share = {text: said.count(text) / 400 for text in set(said)}
    assert share["a dog"] == pytest.approx(0.5, abs=0.08)
    assert share[""] == pytest.approx(0.25, abs=0.07)
    assert share["rain, then a dog"] == pytest.approx(0.25, abs=0.07)
    assert diffusion.said_of(entry, 0, 20, False, 2048, rng) == ("rain", 0)
    assert library.rows[0].concept == "tone number 0"


def test_ranking_counts_what_it_says() -> None:
    centres = np.eye(6, dtype=np.float32)
    score = evaluate.rank(centres[[0, 1, 2]], np.array([0, 1, 3]), centres)
    assert score.top1 == pytest.approx(2 / 3)
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, 0)
    assert evaluate.rank_real(vectors, np.array([0, 0, 0, 1, 1, 1]), 2).top1 == 1.0


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    from train.frozen import load_frozen

    save_file({"x": torch.zeros(1)}, tmp_path / "autoencoder.safetensors")
    with pytest.raises(RuntimeError, match="Missing key"):
        load_frozen(TINY, "autoencoder", tmp_path)
