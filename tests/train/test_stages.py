"""Every stage on tiny networks: it learns, it resumes, and what it writes can be opened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maa import MakeAnAudio, Sampling, checkpoint
from maa.audio.mel import MelSpectrogram
from maa.config import TINY, HifiganConfig
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from maa.models.hifigan import HifiganGenerator
from tests.train.library import little_library
from train import autoencoder, clap, diffusion, evaluate, masks, vocoder
from train.discriminators import MultiWindow, WaveCritics
from train.loop import Draw, Trainer, prepare
from train.losses import balance
from train.options import Options
from train.pool import Pool


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


BATCH = {"steps": 30, "lr": 2e-3, "warmup": 3, "log_every": 5}


def test_autoencoder_learns(tmp_path: Path) -> None:
    options = Options(tmp_path, **BATCH)
    path = autoencoder.run(TINY, little_library(), options, batch=2, frames=32, weights=autoencoder.Weights(gate=1.0))
    seen = losses(tmp_path, "autoencoder")
    assert path.is_file() and seen[-1] < seen[0]


def autoencoder_objective(
    model: Autoencoder, critics: MultiWindow, weights: autoencoder.Weights
) -> autoencoder.Objective:
    """On one tone of 32 frames."""
    front, wave = MelSpectrogram(TINY.audio), torch.from_numpy(little_library().wave(2)[None, : 32 * 256].copy())
    return autoencoder.Objective(model, critics, weights, prepare(), front, lambda _: wave)


def test_autoencoder_lowers_its_loss_on_a_fixed_batch_before_and_behind_the_gate() -> None:
    torch.manual_seed(0)
    model, critics = Autoencoder(TINY.autoencoder), MultiWindow(8)
    stage = autoencoder_objective(model, critics, autoencoder.Weights(critics=8))
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
    assert {"fool", "features", "critics"} <= set(values)
    assert all(parameter.grad is None for parameter in critics.parameters()), "fooling does not train the critics"


def test_critics_that_are_far_ahead_wait() -> None:
    torch.manual_seed(0)
    model, critics = Autoencoder(TINY.autoencoder), MultiWindow(8)
    stage = autoencoder_objective(model, critics, autoencoder.Weights(critics=8, strong=1e9))
    draw = Draw(0, 1, 0.9)
    values = stage.losses(stage.inputs(draw), stage.phase(draw))
    values["critics"].backward()
    assert all(not parameter.grad.any() for parameter in stage.critics.parameters())


def test_a_frozen_encoder_keeps_its_latents(tmp_path: Path, parts: Path) -> None:
    options = Options(tmp_path, start=parts / "autoencoder.safetensors", **{**BATCH, "steps": 6})
    weights = autoencoder.Weights(gate=0.0, ready=0.0, critics=8)
    path = autoencoder.run(TINY, little_library(), options, batch=1, frames=32, weights=weights, frozen_encoder=True)
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
    parts = {"near": (output.square().sum(), 1.0), "huge": ((1e6 * other * output).sum(), 2.0)}
    balance(parts, output, prepare()).backward()
    wanted = output.detach() / output.detach().norm() + 2 * other / other.norm()
    assert torch.allclose(output.grad, wanted, atol=1e-5)


def test_vocoder_learns(tmp_path: Path) -> None:
    vocoder.run(TINY, little_library(), Options(tmp_path, **BATCH), 2, 32, vocoder.Weights(gate=1.0))
    seen = losses(tmp_path, "vocoder")
    assert seen[-1] < seen[0]


@pytest.mark.parametrize("kind", ["istft", "hifigan"])
def test_vocoder_lowers_its_loss_on_a_fixed_batch_behind_the_gate(kind: str) -> None:
    torch.manual_seed(0)
    config = TINY if kind == "istft" else replace(TINY, vocoder=HifiganConfig(channels=32))
    model, critics, front = vocoder.build(config), WaveCritics(4), MelSpectrogram(TINY.audio)
    wave = torch.from_numpy(little_library().wave(2)[None, : 16 * 256].copy())
    stage = vocoder.Objective(model, critics, vocoder.Weights(critics=4), prepare(), front, lambda _: wave)
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
    assert {"fool", "features", "critics"} <= set(values)


def test_a_hifigan_is_saved_without_weight_norm_and_goes_on_from_there(tmp_path: Path) -> None:
    config = replace(TINY, vocoder=HifiganConfig(channels=16))
    options = Options(tmp_path, **{**BATCH, "steps": 4})
    path = vocoder.run(config, little_library(), options, 1, 16, vocoder.Weights(gate=1.0))
    HifiganGenerator(config.vocoder).load_state_dict(load_file(path))
    again = Options(tmp_path / "again", start=path, **{**BATCH, "steps": 1})
    vocoder.run(config, little_library(), again, 1, 16, vocoder.Weights(gate=1.0))


def test_clap_learns(tmp_path: Path, parts: Path) -> None:
    clap.run(TINY, little_library(), parts, Options(tmp_path, **BATCH), batch=8)
    seen = losses(tmp_path, "clap")
    assert seen[-1] < seen[0]


STAGES = {
    "autoencoder": lambda o, p: autoencoder.run(
        TINY, little_library(), o, 1, 32, autoencoder.Weights(gate=0.5, ready=0.3, critics=4)
    ),
    "vocoder": lambda o, p: vocoder.run(
        TINY, little_library(), o, 1, 32, vocoder.Weights(gate=0.5, ready=0.3, critics=4)
    ),
    "clap": lambda o, p: clap.run(TINY, little_library(), p, o, 4),
    "unet": lambda o, p: diffusion.run(
        TINY, little_library(), [p], o, replace(diffusion.RECIPES["unified"], batch=2, pool=8, renew=0.7)
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_resumes_to_the_same_bits(
    stage: str, tmp_path: Path, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(tmp_path / "a", **{**BATCH, "steps": 8, "save_every": 5, "log_every": 1})
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


def test_diffusion_learns_and_its_model_opens(tmp_path: Path, parts: Path) -> None:
    options = Options(tmp_path, steps=40, lr=3e-3, warmup=3, log_every=10, ema=0.9)
    recipe = replace(diffusion.RECIPES["unified"], batch=4, pool=8, renew=0.1)
    diffusion.run(TINY, little_library(), [parts], options, recipe)
    seen = losses(tmp_path, "unet")
    assert seen[-1] < seen[0]
    config = json.loads((tmp_path / checkpoint.CONFIG).read_text())["model"]
    assert config["autoencoder"]["latent_scale"] != 1.0
    later = Options(tmp_path / "later", start=tmp_path / "unet.safetensors", **{**BATCH, "steps": 2})
    diffusion.run(TINY, little_library(), [parts], later, recipe)
    added = json.loads((tmp_path / "later" / checkpoint.CONFIG).read_text())["model"]
    assert added == config, "a run that adds to an earlier one keeps the latent scale"
    for part in checkpoint.PARTS:
        if not (tmp_path / f"{part}.safetensors").exists():
            (tmp_path / f"{part}.safetensors").symlink_to(parts / f"{part}.safetensors")
    (tmp_path / checkpoint.TOKENIZER).symlink_to(parts / checkpoint.TOKENIZER)
    maa = MakeAnAudio.from_pretrained(tmp_path, device="cpu")
    assert np.isfinite(maa.text_to_audio("a tone", Sampling(steps=2, seed=0), seconds=1.0).audio).all()


@pytest.mark.parametrize("name", ["text", "visual", "inpaint", "paper"])
def test_every_recipe_trains_its_own_network(name: str, tmp_path: Path, parts: Path) -> None:
    options = Options(tmp_path, **{**BATCH, "steps": 20, "lr": 3e-3})
    recipe = replace(diffusion.RECIPES[name], batch=2, pool=8, renew=0.0)
    wide = TINY if name != "paper" else replace(TINY, unet=replace(TINY.unet, global_dim=None, global_projection=False))
    diffusion.run(wide, little_library(), [parts], options, recipe)
    config = checkpoint.read_config(tmp_path)[0]
    hears = {"text": (4, True, False), "visual": (4, False, True), "inpaint": (9, False, False)}
    hears["paper"] = hears["text"]
    unet = config.unet
    assert (unet.in_channels, unet.context_dim is not None, unet.global_dim is not None) == hears[name]
    assert config.schedule.prediction == ("eps" if name == "paper" else "v")
    seen = losses(tmp_path, "unet")
    assert seen[-1] < seen[0]


def test_the_shares_of_what_is_heard_are_the_recipes() -> None:
    context = Context(torch.zeros(4000, 2, 8), torch.ones(4000, 2, dtype=torch.bool), torch.zeros(4000, 4))
    said = [True] * 4000
    heard = diffusion.heard(context, diffusion.RECIPES["unified"], said, np.random.default_rng(0))
    both = (heard.has_tokens & heard.has_vector).float().mean()
    neither = (~heard.has_tokens & ~heard.has_vector).float().mean()
    assert float(heard.has_tokens.float().mean()) == pytest.approx(0.70, abs=0.03)
    assert float(both) == pytest.approx(0.15, abs=0.03) and float(neither) == pytest.approx(0.15, abs=0.03)
    text = diffusion.heard(context, diffusion.RECIPES["text"], said, np.random.default_rng(0))
    assert float(text.has_tokens.float().mean()) == pytest.approx(0.80, abs=0.03)  # App. E.2: 20 % dropped
    silent = diffusion.heard(context, diffusion.RECIPES["text"], [False] * 4000, np.random.default_rng(0))
    assert not silent.has_tokens.any()


def test_a_pool_is_the_same_clips_whoever_holds_them(parts: Path) -> None:
    from train.frozen import load_frozen

    network = load_frozen(TINY, "autoencoder", parts)
    whole = Pool(TINY, little_library(), network, 8, seed=3)
    halves = [Pool(TINY, little_library(), network, 8, 3, (rank, 2)) for rank in range(2)]
    for pool in (whole, *halves):
        pool.upto(8)
        pool.upto(11)
    for sample in range(8):
        held = halves[sample % 2].entry(sample, np.random.default_rng(0))
        assert torch.equal(held.z, whole.entry(sample, np.random.default_rng(0)).z)
    late = Pool(TINY, little_library(), network, 8, seed=3)
    late.upto(11)
    assert all(torch.equal(late.entries[slot].masked, whole.entries[slot].masked) for slot in whole.entries)
    with pytest.raises(ValueError, match="3 processes"):
        Pool(TINY, little_library(), network, 8, 3, (0, 3))


def test_frozen_parts_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"autoencoder\.safetensors"):
        diffusion.run(TINY, little_library(), [tmp_path], Options(tmp_path), diffusion.RECIPES["unified"])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_frame_masks_cover_their_share(share: float) -> None:
    rng = np.random.default_rng(0)
    covered = [masks.frame_spans(80, 624, share, rng) for _ in range(200)]
    assert all((m.all(0) == m.any(0)).all() for m in covered)
    assert np.mean([m.mean() for m in covered]) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("kind", masks.KINDS)
def test_every_kind_of_mask_hides_something_and_leaves_something(kind: str) -> None:
    rng = np.random.default_rng(0)
    made = [masks.draw(kind, 80, 624, rng) for _ in range(60)]
    assert all(m.any() and m.shape == (80, 624) for m in made)
    assert np.mean([not m.all() for m in made]) > 0.95
    of_frames = [bool((m.all(0) == m.any(0)).all()) for m in made]
    assert all(of_frames) if kind in masks.FRAME else sum(of_frames) < 10


def test_thick_masks_hide_more_than_thin_ones() -> None:
    rng = np.random.default_rng(0)
    thin, medium, thick = (np.mean([masks.draw(k, 80, 624, rng).mean() for _ in range(80)]) for k in masks.IRREGULAR)
    assert thin < medium < thick
    with pytest.raises(ValueError, match="no mask kind"):
        masks.draw("round", 80, 624, rng)


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
