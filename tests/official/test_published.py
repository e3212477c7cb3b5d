"""`--sampler official` around the sampler: inpainting, personalisation and lengths as the authors' scripts have them.

The scripts are written out here in plain steps over the same networks, whose parity has tests of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa import Box, MakeAnAudio, Sampling
from maa.models.context import Context
from maa.official.convert import Choices, convert
from maa.pipeline.conditioning import from_text
from maa.pipeline.engine import Engine
from maa.pipeline.options import Filling

HOP, RATE = 256, 16_000
FRAME = HOP / RATE
AS_THEIRS = Sampling(steps=5, seed=55, sampler="official")


def noise(samples: int) -> NDArray[np.float32]:
    """White noise at -20 dBFS, mono [samples]."""
    return (0.1 * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)


@pytest.fixture(scope="module")
def text(theirs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> MakeAnAudio:
    """Their text network with its vocoder and CLAP."""
    folder = tmp_path_factory.mktemp("text") / "m"
    files = [theirs[kind] for kind in ("text", "bigvgan", "clap")]
    return MakeAnAudio.from_pretrained(convert(files, folder, Choices(words=None)), device="cpu")


@pytest.fixture(scope="module")
def inpainter(theirs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> MakeAnAudio:
    """Their inpainting network with a vocoder."""
    folder = tmp_path_factory.mktemp("inpaint") / "m"
    files = [theirs[kind] for kind in ("inpaint", "hifigan")]
    return MakeAnAudio.from_pretrained(convert(files, folder), device="cpu")


def their_ddim(engine: Engine, z: Tensor, timesteps: list[int], condition: Context) -> Tensor:
    """DDIM without guidance over descending `timesteps`, ending at alpha_0."""
    bar = engine.renderer.schedule.alphas_cumprod.double()
    for index, t in enumerate(timesteps):
        after = timesteps[index + 1] if index + 1 < len(timesteps) else 0
        eps = engine.renderer.unet(z, torch.tensor([t]), condition)
        z0 = (z - (1 - bar[t]).sqrt().float() * eps) / bar[t].sqrt().float()
        z = bar[after].sqrt().float() * z0 + (1 - bar[after]).sqrt().float() * eps
    return z


@torch.inference_mode()
def their_inpainting(engine: Engine, wave: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """`Inpaint.inpaint` of AudioGPT: the whole clip of 848 frames, from the vocoder."""
    model = engine.model
    padded = np.pad(wave, (0, 848 * HOP))[: 848 * HOP]
    mel = (model.front(torch.from_numpy(padded)[None])[..., :848] + 1) / 2  # [0, 1], as theirs
    hole = torch.from_numpy(np.pad(mask, ((0, 0), (0, 848 - mask.shape[1])))).float()[None, None]
    seen = model.autoencoder.posterior(2 * (1 - hole) * mel - 1).mean
    cells = torch.nn.functional.interpolate(2 * hole - 1, size=seen.shape[-2:])  # nearest
    noise_rows = np.random.RandomState(AS_THEIRS.seed).randn(1, 4, 10, 106)
    z = torch.from_numpy(noise_rows.astype(np.float32))
    z = their_ddim(engine, z, [t + 1 for t in range(800, -1, -200)], Context(known=seen, make=(cells + 1) / 2))
    made = ((model.autoencoder.decode(z) + 1) / 2).clamp(0, 1)
    return model.vocode(2 * ((1 - hole) * mel.clamp(0, 1) + hole * made) - 1)[0].numpy()


@pytest.mark.parametrize(("samples", "hole"), [(848 * HOP, (240, 400)), (10 * RATE, (101, 233)), (40_001, (3, 60))])
def test_a_hole_is_filled_as_their_demo_does(inpainter: MakeAnAudio, samples: int, hole: tuple[int, int]) -> None:
    wave = noise(samples)
    mask = np.zeros((80, -(-samples // HOP)), bool)
    mask[:, slice(*hole)] = True
    wanted = their_inpainting(inpainter.engine, wave, mask)
    made = inpainter.inpaint((RATE, wave), mask, "", AS_THEIRS, filling=Filling(level_match=False)).audio[0, 0]
    inside = slice(hole[0] * HOP + 600, hole[1] * HOP - 600)  # without the fades of the splice
    assert np.abs(made[inside] - wanted[inside]).max() <= 1e-5 * np.abs(wanted).max()
    outside = np.ones(samples, bool)
    outside[hole[0] * HOP : hole[1] * HOP] = False
    assert np.array_equal(made[outside], wave[outside])
    held = inpainter.inpaint((RATE, wave), mask, "", replace(AS_THEIRS, sampler="ddim"))
    assert np.abs(held.audio[0, 0][inside] - wanted[inside]).max() > 1e-2 * np.abs(wanted).max()


def test_a_hole_in_a_sound_longer_than_theirs(inpainter: MakeAnAudio) -> None:
    wave = noise(30 * RATE)
    made = inpainter.inpaint((RATE, wave), [Box(3.0, 4.0), Box(25.0, 27.0)], "", AS_THEIRS).audio[0, 0]
    changed = np.flatnonzero(made != wave) / RATE
    assert np.isfinite(made).all() and changed.min() >= 3.0 - FRAME and changed.max() <= 27.0 + FRAME
    assert not ((changed > 4.0 + FRAME) & (changed < 25.0 - FRAME)).any()


def test_a_draw_from_the_posterior_is_a_switch(inpainter: MakeAnAudio, text: MakeAnAudio) -> None:
    sound = (RATE, noise(3 * RATE))
    mean, first, again = (
        inpainter.inpaint(sound, [Box(1.0, 2.0)], "", how)
        for how in (AS_THEIRS, replace(AS_THEIRS, posterior_sample=True), replace(AS_THEIRS, posterior_sample=True))
    )
    assert np.array_equal(first.audio, again.audio) and not np.array_equal(mean.audio, first.audio)
    assert "posterior_sample" not in mean.settings and first.settings["posterior_sample"] is True
    plain, drawn = (
        text.personalize(sound, "rain", replace(AS_THEIRS, posterior_sample=sample)).audio for sample in (False, True)
    )
    assert not np.array_equal(plain, drawn)
    with pytest.raises(ValueError, match="choose the sampler official"):
        Sampling(posterior_sample=True)


@torch.inference_mode()
def their_personalisation(maa: MakeAnAudio, wave: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """scripts/audio2audio.py at strength 0.3 of 10 steps: the mel of the whole file, cut or repeated to 624 frames."""
    engine, model = maa.engine, maa.model
    mel = model.front(torch.from_numpy(wave)[None])
    mel = torch.cat([mel] * (1 + 624 // mel.shape[-1]), dim=-1)[..., :624]
    clean = model.autoencoder.posterior(mel).mean * model.config.autoencoder.latent_scale
    bar, steps = engine.renderer.schedule.alphas_cumprod.double(), [201, 101, 1]
    fresh = torch.from_numpy(np.random.RandomState(seed).randn(1, 4, 10, 78).astype(np.float32))
    z = bar[301].sqrt().float() * clean + (1 - bar[301]).sqrt().float() * fresh
    z = their_ddim(engine, z, steps, from_text(model, "rain", "")[0])
    return model.vocode(model.autoencoder.decode(z))[0].numpy()


@pytest.mark.parametrize("samples", [10 * RATE, 3 * RATE + 17, 20 * RATE])
def test_a_sound_is_read_as_their_script_reads_it(text: MakeAnAudio, samples: int) -> None:
    wave = noise(samples)
    how = replace(AS_THEIRS, steps=10, guidance=1.0, mismatch=True)
    made = text.personalize((RATE, wave), "rain", how, t0=0.3, level_match=False).audio[0, 0]
    wanted = their_personalisation(text, wave, 55)[: len(made)]
    assert len(made) == min(samples, 159_744)
    assert np.abs(made - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("seconds", [10.0, 10.24])
def test_their_ten_seconds_are_one_window_of_80_columns(text: MakeAnAudio, seconds: float) -> None:
    engine, how = text.engine, replace(AS_THEIRS, guidance=1.0)
    made = text.text_to_audio("rain", how, seconds=seconds).audio[0, 0]
    with torch.inference_mode():
        z = torch.from_numpy(np.random.RandomState(55).randn(1, 4, 10, 80).astype(np.float32))
        z = their_ddim(engine, z, [t + 1 for t in range(800, -1, -200)], from_text(text.model, "rain", "")[0])
        wanted = text.model.vocode(text.model.autoencoder.decode(z))[0].numpy()
    assert len(made) == round(seconds * RATE)
    assert np.abs(made - wanted[: len(made)]).max() <= 1e-5 * np.abs(wanted).max()


def test_a_take_says_which_candidate_it_is(text: MakeAnAudio) -> None:
    how = replace(AS_THEIRS, steps=2, count=3)
    takes = text.text_to_audio("rain", how, seconds=1)
    candidates = [takes.settings_of(k)["candidate"] for k in range(3)]
    assert sorted(candidates) == [1, 2, 3]
    first = text.text_to_audio("rain", replace(how, count=1), seconds=1)
    assert "candidate" not in first.settings_of(0)
    assert np.array_equal(takes.audio[candidates.index(1)], first.audio[0])
    plain = text.text_to_audio("rain", replace(how, sampler="ddim"), seconds=1)
    assert "candidate" not in plain.settings_of(0)
