"""What the paper and its sources say of training, number by number."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maa.config import PAPER_IMAGE, TINY, changed
from maa.models.context import Context
from maa.models.unet import UNet
from tests.train.library import little_library
from tests.train.test_diffusion import UNIFIED, open_pool
from tests.train.test_stages import losses, parts
from train import clap, diffusion, small
from train.adversarial.discriminators import WaveDiscriminator
from train.adversarial.options import DiscriminatorOptions
from train.data import Library, masks
from train.data.prompts.composer import Composer, Mixing
from train.data.records import Record
from train.latents.captions import CaptionEncoder
from train.latents.flags import add_recipe, recipe_from
from train.latents.recipes import RECIPES, Recipe
from train.trainer.draw import Draw
from train.trainer.loop import start_from
from train.trainer.options import RunOptions, rate_at, scaled
from train.trainer.precision import make_accelerator
from train.trainer.updates import Updates

__all__ = ["parts"]


def asked(*words: str) -> Recipe:
    """The recipe that a command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recipe", default="text")
    add_recipe(parser)
    return recipe_from(parser.parse_args(words))


# ---------------------------------------------------------------- from text to inpainting (Sec. 4.2)


def test_a_widened_network_gives_what_the_narrow_one_gave(tmp_path: Path) -> None:
    """New channels begin at zero, so neither mask nor known sound changes anything yet; then they learn."""
    torch.manual_seed(0)
    narrow = UNet(RECIPES["text"].configure(TINY).unet)
    for parameter in narrow.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    save_file(narrow.state_dict(), tmp_path / "unet.safetensors")
    wide = UNet(RECIPES["text-inpaint"].configure(TINY).unet)
    assert wide.config.in_channels == 9
    start_from(wide, tmp_path / "unet.safetensors")
    z, t, text = torch.randn(2, 4, 10, 8), torch.tensor([3, 700]), torch.randn(2, 5, 32)
    said = Context(text, torch.ones(2, 5, dtype=torch.bool), has_tokens=torch.tensor([True, False]))
    made = wide(z, t, replace(said, known=torch.randn(2, 4, 10, 8), make=torch.rand(2, 1, 10, 8).round()))
    assert torch.allclose(narrow(z, t, said), made, atol=1e-6)
    assert torch.allclose(narrow(z, t, said), wide(z, t, said), atol=1e-6)
    made.square().mean().backward()
    assert wide.conv_in.weight.grad[:, 4:].abs().sum() > 0


def test_only_the_first_layer_may_be_wider(tmp_path: Path) -> None:
    other = UNet(replace(RECIPES["text"].configure(TINY).unet, channels=24))
    save_file(other.state_dict(), tmp_path / "unet.safetensors")
    with pytest.raises(ValueError, match="does not fit"):
        start_from(UNet(RECIPES["text-inpaint"].configure(TINY).unet), tmp_path / "unet.safetensors")
    wide = UNet(RECIPES["unified"].configure(TINY).unet)
    save_file(wide.state_dict(), tmp_path / "unet.safetensors")
    with pytest.raises(ValueError, match="does not fit"):
        start_from(UNet(RECIPES["text"].configure(TINY).unet), tmp_path / "unet.safetensors")


# ---------------------------------------------------------------- losses, schedules, optimisers


@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_min_snr_weighs_a_prediction_by_what_it_predicts(prediction: str, parts: Path) -> None:
    """arXiv 2303.09556, Sec. 3.4: min(snr, g) / snr for eps, min(snr, g) / (snr + 1) for v."""
    pool = open_pool(parts, recipe=replace(UNIFIED, min_snr=5.0))
    pool.config = changed(pool.config, [f"schedule.prediction={prediction}"])
    stage = diffusion.DiffusionObjective(torch.nn.Identity(), pool, pool.recipe, make_accelerator())
    alphas = stage.schedule.alphas_cumprod
    snr = alphas / (1 - alphas)
    wanted = snr.clamp_max(5.0) / (snr + 1 if prediction == "v" else snr)
    assert torch.allclose(stage.importance, wanted.float())
    if prediction == "v":
        assert stage.importance[[999, 700, 500]].tolist() == pytest.approx([0.005, 0.08, 0.28], abs=0.01)
    plain = diffusion.DiffusionObjective(torch.nn.Identity(), pool, replace(UNIFIED, min_snr=0.0), make_accelerator())
    assert (plain.importance == 1).all()


def test_discriminators_have_the_papers_sizes() -> None:
    """The parameters of HiFi-GAN's public classes; BigVGAN's second kind has no scales."""

    def count(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    with torch.device("meta"):
        hifi, big = WaveDiscriminator(128), WaveDiscriminator(128, resolutions=True)
    assert (count(hifi.periods), count(hifi.scales)) == (41_105_770, 29_618_821)
    assert (count(big.periods), count(big.scales), len(big.resolutions)) == (41_105_770, 0, 3)


def test_resolutions_judge_a_wave() -> None:
    torch.manual_seed(0)
    judged = WaveDiscriminator(8, resolutions=True)(torch.randn(2, 4096))
    assert [scores.shape[2] for scores, _ in judged[5:]] == [513, 1025, 257]
    assert all(len(features) == 5 for _, features in judged[5:])


def test_the_paper_recipe_keeps_its_rate_and_pytorchs_optimiser() -> None:
    options = RECIPES["paper"].settled(RunOptions(Path(), lr=1.0, warmup=1))
    assert [rate_at(9, progress, options) for progress in (0.1, 0.5, 0.75, 1.0)] == [1.0] * 4
    updates = Updates({"module": torch.nn.Linear(2, 2)}, options, make_accelerator())
    group = updates.optimisers["module"].param_groups[0]
    theirs = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))]).param_groups[0]
    assert (group["betas"], group["weight_decay"]) == (theirs["betas"], theirs["weight_decay"])
    assert RECIPES["paper"].settled(replace(options, weight_decay=0.0)).weight_decay == 0.0
    own = RunOptions(Path(), lr=1.0, warmup=1)
    assert RECIPES["unified"].settled(own) == own
    assert [rate_at(9, progress, own) for progress in (0.5, 0.75, 1.0)] == pytest.approx([1.0, 0.505, 0.01])


def test_a_rate_for_one_clip_is_scaled_as_ldm_does() -> None:
    """1e-5 x 18 GPUs x 4 clips: the rate of the published code."""
    options = RunOptions(Path(), lr=1e-5, scale_lr=True)
    assert scaled(options, 4, 18).lr == pytest.approx(7.2e-4)
    assert scaled(scaled(options, 4, 18), 4, 18).lr == pytest.approx(7.2e-4)
    assert scaled(replace(options, scale_lr=False), 4, 18).lr == 1e-5


def test_the_rate_of_a_run_is_scaled(tmp_path: Path, parts: Path) -> None:
    options = RunOptions(tmp_path, steps=1, lr=1e-4, warmup=1, log_every=1, scale_lr=True)
    recipe = replace(RECIPES["text"], batch=3, pool=8, widths=((8, 1.0),))
    diffusion.train_unet(TINY, little_library(2, 2), [parts], options, recipe)
    assert losses(tmp_path, "unet", "lr") == pytest.approx([3e-4], rel=1e-3)


def test_claps_heads_learn_on_the_device(tmp_path: Path, parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the optimiser is made for it; "meta" is one that every machine has."""
    seen: list[torch.nn.Module] = []

    def trainer(heads: torch.nn.Module, *_: object) -> SimpleNamespace:
        seen.append(heads)
        return SimpleNamespace(run=lambda step: step(Draw(0, 0, 0.0)))

    here = {"device": torch.device("meta"), "process_index": 0, "num_processes": 1}
    monkeypatch.setattr(clap, "Trainer", trainer)
    monkeypatch.setattr(clap, "make_accelerator", lambda: SimpleNamespace(**here))
    values = clap.train_clap(TINY, little_library(), parts, RunOptions(tmp_path), 4)
    assert {parameter.device.type for parameter in seen[0].parameters()} == {"meta"}
    assert values["loss"].device.type == "meta"


def test_fresh_discriminators_learn_alone_before_a_polished_decoder_hears_them() -> None:
    flags = dict(zip(small.POLISH[1::2], small.POLISH[2::2], strict=True))
    chosen = DiscriminatorOptions(
        start=float(flags["--discriminator-start"]), warmup=float(flags["--discriminator-warmup"])
    )
    assert [chosen.phase(at) for at in (0.0, 0.02, 0.05)] == ["warm-up", "warm-up", "adversarial"]


# ---------------------------------------------------------------- nulls, masks, events, labels, vectors


def test_the_null_share_is_a_flag() -> None:
    """App. E.2: at first none, then a fifth."""
    assert asked("--null", "0").tokens == 1.0 and asked("--null", "0.2").tokens == pytest.approx(0.8)
    both = asked("--recipe", "unified", "--null", "0.3")
    assert both.tokens + both.vector + both.both == pytest.approx(0.7)
    assert both.tokens / both.vector == pytest.approx(RECIPES["unified"].tokens / RECIPES["unified"].vector)
    for words in (["--null", "1.5"], ["--recipe", "inpaint", "--null", "0.1"]):
        with pytest.raises(ValueError, match="share of samples"):
            asked(*words)


def test_who_hears_nothing_hears_the_empty_text(parts: Path) -> None:
    """The paper's null is the encoded empty prompt, for text and for CLIP's vectors."""
    recipe = replace(RECIPES["paper"], batch=64, pool=8, renew=0.0, widths=((8, 1.0),)).without(0.5)
    pool = open_pool(parts, recipe=recipe)
    pool.config = recipe.configure(TINY)
    batch = diffusion.DiffusionObjective(torch.nn.Identity(), pool, recipe, make_accelerator()).inputs(Draw(0, 0, 0.0))
    empty, lengths, _ = pool.captions.encoder.encode([""])
    nothing = (batch["tokens"] == empty).flatten(1).all(1)
    assert 15 < int(nothing.sum()) < 50 and "has_tokens" not in batch
    assert (batch["mask"][nothing].sum(1) == lengths).all() and (batch["mask"][~nothing].sum(1) > lengths).all()


def test_masks_of_one_kind_are_a_flag(parts: Path) -> None:
    assert asked("--masks", "thick", "frame-40").masks == masks.MaskShares(0.0, 0.0, ("thick", "frame 40"))
    rng = np.random.default_rng(0)
    covered = np.mean([masks.draw_mask("frame 40", 80, 624, rng).mean() for _ in range(200)])
    assert covered == pytest.approx(0.4, abs=0.05)
    for wrong in ("thicker", "frame-0", "frame-x", "frame"):
        with pytest.raises(ValueError, match="no mask kind"):
            asked("--masks", wrong)


def test_every_leg_of_a_chain_has_a_width_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As LaMa's public code draws it."""
    widths: list[float] = []
    monkeypatch.setattr(masks, "_leg", lambda mask, start, end, radius: widths.append(radius))
    rng = np.random.default_rng(1)
    for _ in range(20):
        masks._chain(np.zeros((80, 624), bool), masks.IRREGULAR["thick"], rng)
    assert len(set(widths)) == len(widths) > 20


def mixed_library() -> Library:
    """Two captioned clips without labels, one with several, and two of one label each."""
    made = little_library(5, 1)
    root = Path("sets")
    records = [
        Record("AudioCaps", "a", root / "0.wav", ("a man talks while a dog barks",), (), "train"),
        Record("Clotho", "b", root / "1.wav", ("people walk on gravel",), (), "train"),
        Record("FSD50K", "c", root / "2.wav", (), ("rain", "wind"), "train"),
        Record("ESC-50", "d", root / "3.wav", (), ("dog",), "train"),
        Record("ESC-50", "e", root / "4.wav", (), ("siren",), "train"),
    ]
    return Library([record.recording(root) for record in records], made.samples, made.offsets)


@pytest.mark.parametrize("natural", [True, False])
def test_only_clips_of_one_label_are_sampled_as_events(natural: bool) -> None:
    """The database D of Sec. 3.2.2; a sentence is never the name of an event."""
    library = mixed_library()
    composer = Composer(library, library.indices("train"), 159_744, 16_000, natural=natural)
    counts: dict[int, int] = {}
    for k in range(200):
        plan = composer.plan(np.random.default_rng(k))
        counts[len(plan.events)] = counts.get(len(plan.events), 0) + 1
        assert sum(event.recording < 3 for event in plan.events) <= 1, "only the clip at hand may be another"
        for template in ("sound of a man", "voice of people", "sounds of people walk", "audio of people"):
            assert template not in plan.caption
    assert set(counts) == {1, 2, 3}


def test_without_a_database_nothing_joins() -> None:
    library = mixed_library()
    composer = Composer(library, np.array([0, 1]), 159_744, 16_000)
    assert {len(composer.plan(np.random.default_rng(k)).events) for k in range(30)} == {1}


def test_the_number_of_events_is_a_flag() -> None:
    """Table 8 without dynamic reprogramming."""
    assert asked("--events", "1").mixing == Mixing((1.0,))
    library = little_library()
    composer = Composer(library, library.indices("train"), 159_744, 16_000, mixing=asked("--events", "1").mixing)
    assert {len(composer.plan(np.random.default_rng(k)).events) for k in range(30)} == {1}
    for wrong in (("0.5",), ("0.5", "0.2", "0.2", "0.1")):
        with pytest.raises(ValueError, match="add up to 1"):
            asked("--events", *wrong)


def test_the_paper_recipe_says_only_what_appendix_f_says() -> None:
    composer = RECIPES["paper"].composer(little_library(), TINY.audio, torch.device("cpu"))
    plans = [composer.plan(np.random.default_rng(k)) for k in range(300)]
    shares = [np.mean([len(plan.events) == n for plan in plans]) for n in (1, 2, 3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.1)
    assert all(event.alone for plan in plans for event in plan.events) and all(not plan.counted for plan in plans)


def test_pictures_are_learned_from_recordings_of_one_label() -> None:
    """App. E.3, and a flag to take all."""
    library = mixed_library()
    assert RECIPES["visual"].recordings(library).tolist() == [3, 4]
    assert asked("--recipe", "visual", "--labels", "any").recordings(library).tolist() == [0, 1, 2, 3, 4]
    captioned = Library(library.rows[:2], library.samples[: library.offsets[2]], library.offsets[:3])
    assert RECIPES["visual"].recordings(captioned).tolist() == [0, 1], "where there is none, all are taken"


def test_the_global_condition_is_normalised_or_not(parts: Path) -> None:
    """Table 9."""
    raw = asked("--recipe", "visual", "--vector", "raw")
    lengths = {}
    for recipe in (raw, RECIPES["visual"]):
        config = recipe.configure(TINY)
        encoder = CaptionEncoder(config, little_library(2, 2), [parts], torch.device("cpu"))
        _, _, vectors = encoder.encode(["tone", "a long sentence about tones"])
        lengths[config.unet.global_unit] = torch.cat([vectors, encoder.sounds.of(range(4))]).norm(dim=1)
    assert torch.allclose(lengths[True], torch.ones(6), atol=1e-5)
    assert ((lengths[False] - 1).abs() > 0.5).all()


def test_the_authors_image_network_needs_a_clip() -> None:
    with pytest.raises(ValueError, match="--guide"):
        RECIPES["visual"].configure(PAPER_IMAGE)
    unet = RECIPES["visual"].configure(PAPER_IMAGE, 1024).unet
    assert unet == PAPER_IMAGE.unet, "what is trained is what is published"


# ---------------------------------------------------------------- held-out loss


def test_a_loss_on_held_out_recordings_is_logged_and_changes_nothing(
    tmp_path: Path, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffusion, "HELD_OUT_CLIPS", 8)
    library = little_library(2, 3)
    rows = [replace(row, split="valid") if row.split == "test" else row for row in library.rows]
    library = Library(rows, library.samples, library.offsets)
    recipe = replace(RECIPES["text"], batch=2, pool=8, renew=0.5, widths=((8, 1.0),))
    for name, every in (("with", 2), ("without", 0)):
        options = RunOptions(tmp_path / name, steps=5, lr=1e-2, warmup=1, log_every=1)
        diffusion.train_unet(TINY, library, [parts], options, replace(recipe, held_out=every))
    one, other = (load_file(tmp_path / name / "unet.safetensors") for name in ("with", "without"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    log = [json.loads(line) for line in (tmp_path / "with/unet.log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log if "held_out" in row] == [2, 4]
    first, second = losses(tmp_path / "with", "unet", "held_out")
    assert first != second and np.isfinite([first, second]).all()
    assert losses(tmp_path / "without", "unet", "held_out") == []
