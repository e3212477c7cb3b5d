"""The diffusion stage: its clips, what is said of them, its masks and its recipes, on a tiny network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import MakeAnAudio, Sampling, checkpoint
from maa.config import TINY
from maa.models.autoencoder import Autoencoder
from maa.models.context import Context
from tests.train.library import little_library
from tests.train.test_stages import BATCH, losses, parts
from train import diffusion
from train.data import masks
from train.data.prompts.composer import Composer
from train.data.prompts.plans import Event, Plan, captions_of
from train.latents.activity import Activity, Audible
from train.latents.captions import CaptionEncoder
from train.latents.pool import LatentCrops, Pool
from train.latents.recipes import drop_conditions
from train.package import load_frozen
from train.trainer.draw import Draw
from train.trainer.options import RunOptions
from train.trainer.precision import make_accelerator

__all__ = ["parts"]
UNIFIED = replace(diffusion.RECIPES["unified"], batch=8, pool=8, renew=0.5)


def test_diffusion_learns_and_its_model_opens(tmp_path: Path, parts: Path) -> None:
    options = RunOptions(tmp_path, steps=40, lr=3e-3, warmup=3, log_every=20, ema=0.9)
    recipe = replace(diffusion.RECIPES["unified"], batch=16, pool=8, renew=0.1, widths=((20, 1.0),))
    diffusion.train_unet(TINY, little_library(), [parts], options, recipe)
    seen = losses(tmp_path, "unet")
    assert seen[-1] < seen[0]
    config = json.loads((tmp_path / checkpoint.CONFIG).read_text())["model"]
    assert config["autoencoder"]["latent_scale"] != 1.0
    later = RunOptions(tmp_path / "later", start=tmp_path / "unet.safetensors", **{**BATCH, "steps": 2})
    diffusion.train_unet(TINY, little_library(), [parts], later, recipe)
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
    options = RunOptions(tmp_path, sample_every=20, **{**BATCH, "steps": 20, "lr": 3e-3, "log_every": 10})
    recipe = replace(diffusion.RECIPES[name], batch=2, pool=8, renew=0.0, widths=((20, 1.0),))
    wide = TINY if name != "paper" else replace(TINY, unet=replace(TINY.unet, global_dim=None, global_projection=False))
    diffusion.train_unet(wide, little_library(), [parts], options, recipe)
    config = checkpoint.read_config(tmp_path)[0]
    hears = {"text": (4, True, False), "visual": (4, False, True), "inpaint": (9, False, False)}
    hears["paper"] = hears["text"]
    unet = config.unet
    assert (unet.in_channels, unet.context_dim is not None, unet.global_dim is not None) == hears[name]
    assert config.schedule.prediction == ("eps" if name == "paper" else "v")
    pictures = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert pictures == [f"0000020-made-{k}.png" for k in range(1 if name == "inpaint" else 2)]
    still = replace(options, out=tmp_path / "still", lr=0.0, sample_every=0)
    diffusion.train_unet(wide, little_library(), [parts], still, recipe)
    # The same draws, so nothing differs but what has been learned.
    assert losses(tmp_path, "unet")[-1] < 0.98 * losses(tmp_path / "still", "unet")[-1]


def test_the_shares_of_what_is_heard_are_the_recipes() -> None:
    context = Context(torch.zeros(4000, 2, 8), torch.ones(4000, 2, dtype=torch.bool), torch.zeros(4000, 4))
    said, mode = torch.ones(4000, dtype=torch.bool), torch.from_numpy(np.random.default_rng(0).random(4000))
    heard = drop_conditions(context, UNIFIED, said, mode)
    both = (heard.has_tokens & heard.has_vector).float().mean()
    neither = (~heard.has_tokens & ~heard.has_vector).float().mean()
    assert float(heard.has_tokens.float().mean()) == pytest.approx(0.70, abs=0.03)
    assert float(both) == pytest.approx(0.15, abs=0.03) and float(neither) == pytest.approx(0.15, abs=0.03)
    text = drop_conditions(context, diffusion.RECIPES["text"], said, mode)
    assert float(text.has_tokens.float().mean()) == pytest.approx(0.80, abs=0.03)  # App. E.2: 20 % dropped
    assert not drop_conditions(context, UNIFIED, ~said, mode).has_tokens.any()


def open_pool(folder: Path, place: tuple[int, int] = (0, 1), recipe: diffusion.Recipe = UNIFIED) -> Pool:
    network = load_frozen(TINY, "autoencoder", folder)
    assert isinstance(network, Autoencoder)
    encoder = CaptionEncoder(TINY, little_library(), [folder], torch.device("cpu"))
    return Pool(TINY, little_library(), network, encoder, recipe, 3, place)


def test_states_of_one_sound_lean_towards_another_caption(parts: Path) -> None:
    """Clips of several sounds, whose captions say an order, stay as they are said."""
    plain, leaning = (open_pool(parts, recipe=replace(UNIFIED, pool=16, text_between=most)) for most in (0.0, 0.5))
    for pool in (plain, leaning):
        pool.upto(16)
    assert torch.equal(plain.columns, leaning.columns)
    moved = (plain.captions.tokens != leaning.captions.tokens).flatten(2).any(2)
    several = (plain.captions.lengths[:, 3] > 0) & (plain.captions.recordings[:, 3] < 0)
    assert several.any() and moved[:, 1].any() and not moved[several].any()


def test_a_pool_is_the_same_clips_whoever_holds_them(parts: Path) -> None:
    whole = open_pool(parts)
    halves = [open_pool(parts, (rank, 2)) for rank in range(2)]
    for pool in (whole, *halves):
        pool.upto(8)
        pool.upto(11)
    sample, row = np.arange(8), np.zeros(8, np.int64)
    at = torch.from_numpy(whole.slots(row, sample))
    assert whole.captions is not None
    for rank, half in enumerate(halves):
        own = torch.from_numpy(half.slots(row[rank::2], sample[rank::2]))
        assert torch.equal(half.columns[own], whole.columns[at[rank::2]])
        assert half.captions is not None and torch.equal(half.captions.tokens[own], whole.captions.tokens[at[rank::2]])
    late = open_pool(parts)
    late.upto(11)
    assert torch.equal(late.columns, whole.columns) and torch.equal(late.activity.spans, whole.activity.spans)
    with pytest.raises(ValueError, match="3 processes"):
        open_pool(parts, (0, 3))


def test_a_crop_is_a_stretch_of_the_clip_and_knows_what_sounds_in_it(parts: Path) -> None:
    pool = open_pool(parts)
    pool.upto(8)
    columns = pool.config.latent_cells[1]
    whole = pool.crop(torch.arange(8), torch.zeros(8, dtype=torch.long), columns)
    part = pool.crop(torch.arange(8), torch.full((8,), 30), 20)
    assert torch.equal(part.z, whole.z[..., 30:50]) and torch.equal(part.mask, whole.mask[..., 30:50])
    assert not (whole.known * whole.mask).any(), "a latent that is masked tells nothing there"
    spans = pool.activity.spans
    everything = [(1 << int((spans[k, :, 0, 1] > 0).sum())) - 1 for k in range(8)]
    assert whole.audible.events.tolist() == everything
    for k, inside in enumerate(part.audible.events.tolist()):
        sounds = (spans[k, ..., 1] > 30 * 2048) & (spans[k, ..., 0] < 50 * 2048)
        assert inside & ~sum(int(one) << bit for bit, one in enumerate(sounds.any(1))) == 0


def test_latents_of_a_pool_are_those_of_its_clips(parts: Path) -> None:
    pool = open_pool(parts, recipe=replace(UNIFIED, text_between=0.0))
    pool.upto(8)
    composer = Composer(little_library(), little_library().indices("train"), TINY.audio.samples, 16_000, natural=True)
    plan = composer.plan(np.random.default_rng([3, 4, 5]))
    z = pool.autoencoder.encode(pool.front(composer.render([plan])))
    found = pool.crop(torch.tensor([5]), torch.tensor([0]), pool.config.latent_cells[1])
    assert torch.allclose(found.z, z, atol=1e-5)
    said = captions_of(plan)
    assert pool.captions is not None and True
    tokens, lengths, _ = pool.captions.encoder.encode([said[-1][0]])
    assert torch.equal(pool.captions.tokens[5, len(said)], tokens[0])
    assert int(pool.captions.lengths[5, len(said)]) == int(lengths[0])


def test_what_is_said_of_some_of_a_clips_events() -> None:
    rain, dog = Event(0, 80_000, "rain", 0), Event(80_000, 159_744, "a dog", 3)
    wind = Event(0, 159_744, "wind", 7, alone=False)
    nothing = np.zeros((0, 4), np.int64), np.zeros(0, np.float32)
    assert captions_of(Plan("rain", (rain,), *nothing, 1.0)) == [("rain", 0)]
    two = captions_of(Plan("a dog following rain", (rain, dog), *nothing, 1.0))
    assert two == [("rain", 0), ("a dog", 3), ("a dog following rain", None)]
    three = captions_of(Plan("all of it", (rain, dog, wind), *nothing, 1.0))
    assert three[2] == ("rain, then a dog", None)
    assert three[4] == ("rain and wind at the same time", None)
    assert three[6] == ("all of it", None)


def test_an_inpainting_sample_is_mostly_told_what_its_hole_hides() -> None:
    count = 4000
    rng = np.random.default_rng(0)
    quiet, named = (torch.from_numpy(rng.random(count)) for _ in range(2))
    nothing, all_of_them = torch.zeros(0), torch.full((count,), 3)
    audible, silent = Audible(all_of_them, all_of_them, torch.ones(count)), torch.zeros(count, dtype=torch.bool)
    crops = LatentCrops(nothing, nothing, nothing, audible, torch.full((count,), 2), silent)
    masked = torch.ones(count, dtype=torch.bool)
    said = diffusion.captioned_events(crops, masked, quiet, named)
    shares = [float((said == k).float().mean()) for k in (2, 0, 3)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.03)
    assert (diffusion.captioned_events(crops, ~masked, quiet, named) == 3).all()
    unknown = replace(crops, hidden=torch.zeros(count, dtype=torch.long))
    assert not (diffusion.captioned_events(unknown, masked, quiet, named) == 2).any()
    assert not diffusion.captioned_events(replace(crops, silent=~silent), masked, quiet, named).any(), (
        "silence is not named"
    )


def test_a_batch_has_the_recipes_widths_and_holes(parts: Path) -> None:
    recipe = replace(UNIFIED, batch=64, given=0.5, widths=((20, 1.0),))
    pool = open_pool(parts, recipe=recipe)
    batch = diffusion.DiffusionObjective(torch.nn.Identity(), pool, recipe, make_accelerator()).inputs(Draw(0, 4, 0.1))
    assert batch["z"].shape == (64, 4, 10, 20) and batch["tokens"].shape[:2] == (64, TINY.text.tokens)
    blank = batch["make"].flatten(1).all(1)
    assert 10 < int(blank.sum()) < 54
    assert not batch["known"][blank].any()
    assert pool.made == pool.size + 2
    given, nothing = batch["has_density"], ~batch["has_tokens"] & ~batch["has_vector"]
    assert 0 < float(given.float().mean()) < 0.75 and not given[nothing].all()
    assert ((batch["density"] > 0) & (batch["density"] <= 1)).all(), "no crop is silent"


def test_crops_know_how_often_something_sounds_in_them() -> None:
    """Spans of a clip's two events, and what may be said of crops of it."""
    table = Activity(TINY, 2, torch.device("cpu"))
    knocks = np.array([[4096, 8192], [20_480, 24_576], [61_440, 65_536]])
    rain = Event(100_000, 159_744, "rain", 1)
    nothing = np.zeros((0, 7), np.int64), np.zeros(0, np.float32)
    wave = torch.zeros(2, 159_744)
    for start, end in knocks:
        wave[:, start:end] = 0.1
    wave[1, 100_000:] = 0.05
    one = Plan("a knock", (Event(0, 100_000, "a knock", 0),), *nothing, 1.0, None, None, (knocks,), (True,), ("x",) * 3)
    both = (knocks, np.array([[100_000, 159_744]]))
    two = Plan("both", (*one.events, rain), *nothing, 1.0, None, None, both, (True, False), ("said",))
    table.write(torch.arange(2), [one, two], wave, torch.zeros(2, 1, 80, 624))

    def heard(slot: int, first: int, width: int) -> tuple[int, int, float]:
        found = table.audible(torch.tensor([slot]), torch.tensor([first]), width)
        return int(found.events), int(found.counted), float(found.scalars["density"])

    assert heard(0, 0, 20) == (1, 1 + 2, pytest.approx(4 / 20))  # entry 3 says "twice"
    assert heard(0, 9, 20) == (1, 1 + 1, pytest.approx(2 / 20))
    assert heard(0, 9, 22) == (1, 1, pytest.approx(3 / 22)), "half a knock is one too many to be sure"
    assert heard(0, 0, 78) == (1, 1 + 3, pytest.approx(6 / 78))
    assert heard(0, 40, 20)[0] == 0
    assert heard(1, 0, 78)[:2] == (3, 4) and heard(1, 20, 58)[:2] == (3, 3) and heard(1, 60, 18) == (2, 2, 1.0)
    slots, chance = torch.zeros(300, dtype=torch.long), torch.rand(2, 300, generator=torch.Generator().manual_seed(0))
    begins = table.place(slots, 20, torch.ones(300, dtype=torch.bool), chance)
    assert sorted(set(begins.tolist())) == [1, 9, 29]
    anywhere = table.place(slots, 20, torch.zeros(300, dtype=torch.bool), chance)
    assert (table.over(slots, anywhere, 20).sum(1) > 0).all() and len(set(anywhere.tolist())) > 20


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_frame_masks_cover_their_share(share: float) -> None:
    rng = np.random.default_rng(0)
    covered = [masks.frame_mask(80, 624, share, rng) for _ in range(200)]
    assert all((m.all(0) == m.any(0)).all() for m in covered)
    assert np.mean([m.mean() for m in covered]) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("kind", masks.KINDS)
def test_every_kind_of_mask_hides_something_and_leaves_something(kind: str) -> None:
    rng = np.random.default_rng(0)
    made = [masks.draw_mask(kind, 80, 624, rng) for _ in range(60)]
    assert all(m.any() and m.shape == (80, 624) for m in made)
    assert np.mean([not m.all() for m in made]) > 0.95
    of_frames = [bool((m.all(0) == m.any(0)).all()) for m in made]
    assert all(of_frames) if kind in masks.FRAME else sum(of_frames) < 10


def test_thick_masks_hide_more_than_thin_ones() -> None:
    rng = np.random.default_rng(0)
    thin, medium, thick = (
        np.mean([masks.draw_mask(k, 80, 624, rng).mean() for _ in range(80)]) for k in masks.IRREGULAR
    )
    assert thin < medium < thick
    with pytest.raises(ValueError, match="no mask kind"):
        masks.draw_mask("round", 80, 624, rng)
