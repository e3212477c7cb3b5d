"""Every recipe from its first step to a sound: what it makes hears what it was trained on, and refuses the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from maa import Box, MakeAnAudio, Sampling, checkpoint
from maa.config import TINY
from maa.models.clip import ClipVision
from tests.models.test_clip import MODEL, picture
from tests.sounds import sine_wave
from tests.train.library import little_library
from tests.train.test_stages import parts
from train import diffusion, package
from train.trainer.options import RunOptions

__all__ = ["parts"]
ALL = {"text", "image", "video", "personalize", "inpaint"}
QUICK = Sampling(steps=2, seed=0)
# A network that hears nothing can only go on with what is around a hole.
ABLE = {name: {"inpaint"} if name == "inpaint" else ALL for name in (*diffusion.RECIPES, "visual by CLIP")}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random open_clip model in a folder of parts."""
    folder = tmp_path_factory.mktemp("looks") / checkpoint.CLIP
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": MODEL, "preprocess_cfg": {}}))
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**MODEL).state_dict(), folder / "open_clip_model.safetensors")
    return folder.parent


def trained(case: str, folder: Path, frozen: list[Path]) -> MakeAnAudio:
    """A few steps of a recipe, packaged and opened."""
    recipe = diffusion.RECIPES[case.removesuffix(" by CLIP")]
    recipe = replace(recipe, batch=2, pool=8, renew=0.0, widths=((8, 1.0),))
    options = RunOptions(folder / "run", steps=8, lr=2e-2, warmup=1, ema=0.5)
    diffusion.train_unet(TINY, little_library(2, 2), frozen, options, recipe)
    package.assemble([*frozen, folder / "run"], folder / "model", "made")
    return MakeAnAudio.from_pretrained(folder / "model", device="cpu")


@pytest.mark.parametrize("case", ABLE)
def test_what_a_recipe_trains_hears_what_it_says(
    case: str, tmp_path: Path, parts: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "load_manifest", list)  # no vocabulary but the run's own concepts
    maa = trained(case, tmp_path, [parts, clip] if "CLIP" in case else [parts])
    assert maa.config.unet.clip_conditioned == ("CLIP" in case)
    sound = (16_000, sine_wave(rate=16_000, seconds=1.0)[0])
    # A network of tokens hears what a picture is called, and a random classifier may call two the same.
    named = [((f"tone number {seed}", 1.0),) if maa.config.unet.global_dim is None else () for seed in range(2)]
    pictures = [(picture(seed), words) for seed, words in enumerate(named)]
    asked = {
        "text": [lambda said=said: maa.text_to_audio(said, QUICK, seconds=0.5, literal=True) for said in ("tone", "z")],
        "image": [lambda of=of: maa.image_to_audio(of[0], QUICK, seconds=0.5, words=of[1]) for of in pictures],
        "personalize": [lambda said=said: maa.personalize(sound, said, QUICK, t0=0.9) for said in ("tone", "z")],
        "inpaint": [lambda said=said: maa.inpaint(sound, [Box(0.4, 0.6)], said, QUICK) for said in ("tone", "z")],
    }
    ready = {task for task, lack in maa.capabilities().items() if lack is None}
    assert ready == ABLE[case]
    if case == "inpaint":
        assert np.isfinite(maa.inpaint(sound, [Box(0.4, 0.6)], "", QUICK).audio).all()
    for task, both in asked.items():
        if task not in ready or case == "inpaint":
            with pytest.raises(ValueError, match="hears neither words nor pictures"):
                both[0]()
            continue
        one, other = (ask().mel for ask in both)
        assert not np.array_equal(one, other), f"{task}: what is asked for changes nothing"


def test_a_prompt_leads_a_network_of_vectors_away_from_its_null(
    tmp_path: Path, parts: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative prompt takes the null's place, and a picture that of the text in CLIP's space."""
    monkeypatch.setattr(package, "load_manifest", list)
    maa = trained("visual by CLIP", tmp_path, [parts, clip])
    plain, led = (maa.text_to_audio("tone", QUICK, seconds=0.5, negative=said).mel for said in ("", "z"))
    assert not np.array_equal(plain, led)
    assert isinstance(maa.model.vision.vision, ClipVision)
    by_words = maa.image_to_audio(picture(0), QUICK, prompt="tone", seconds=0.5)
    assert np.array_equal(by_words.mel, maa.text_to_audio("tone", QUICK, seconds=0.5).mel)
