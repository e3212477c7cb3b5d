"""Several takes of several prompts in one batch, each with its own seed: what single calls give, but for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from maa import MakeAnAudio, Sampling
from maa.audio import finish
from maa.diffusion.guidance import guided
from maa.diffusion.noise import TakeNoise
from maa.diffusion.samplers import SAMPLERS
from maa.models.context import Context
from maa.pipeline import conditioning
from maa.pipeline.length import fit_length, frames_for

Job = tuple[str, int]  # prompt and seed


def takes_of(maa: MakeAnAudio, jobs: Sequence[Job], sampling: Sampling, seconds: float | None) -> NDArray[np.float32]:
    """Waveforms [jobs, samples], `seconds` long or as long as the model was trained on.

    Nothing ranks them, so CLAP is not asked. The authors' sampler and sounds of several windows are made one by one.
    """
    spec = maa.config.audio
    length = spec.samples if seconds is None else round(seconds * spec.sample_rate)
    frames = frames_for(maa.config, length)
    chosen = sampling.settled(maa.config.guidance)
    if SAMPLERS[chosen.sampler].candidates or frames > spec.frames:
        one_by_one = [_single(maa, prompt, sampling, seed, seconds) for prompt, seed in jobs]
        return np.stack(one_by_one)
    waves = fit_length(_rendered(maa, jobs, chosen, frames), length, spec.sample_rate)
    return np.concatenate([finish.clean(wave[None], spec.sample_rate).samples for wave in waves])


def _single(maa: MakeAnAudio, prompt: str, sampling: Sampling, seed: int, seconds: float | None) -> NDArray[np.float32]:
    one = Sampling(sampling.steps, sampling.guidance, seed, 1, sampling.sampler, sampling.eta)
    return maa.text_to_audio(prompt, one, seconds=seconds).audio[0, 0]


def _joined(contexts: list[Context]) -> Context:
    """One batch; shorter texts get hidden tokens to be as long as the longest."""
    longest = max((one.mask.shape[1] for one in contexts if one.mask is not None), default=0)
    padded = []
    for one in contexts:
        if one.tokens is not None and one.mask is not None:
            more = longest - one.mask.shape[1]
            one = replace(one, tokens=F.pad(one.tokens, (0, 0, 0, more)), mask=F.pad(one.mask, (0, more)))
        padded.append(one)
    return reduce(Context.then, padded)


@torch.inference_mode()
def _rendered(maa: MakeAnAudio, jobs: Sequence[Job], sampling: Sampling, frames: int) -> NDArray[np.float32]:
    renderer, config, unet = maa.renderer, maa.config, maa.model.unet
    assert unet is not None
    assert sampling.guidance is not None
    pairs = [conditioning.from_text(maa.model, prompt, "") for prompt, _ in jobs]
    condition, null = (renderer.prepare(_joined([pair[k] for pair in pairs]), len(jobs)) for k in (0, 1))
    noise = TakeNoise([seed for _, seed in jobs], maa.device)
    z = noise.draw((config.autoencoder.latent_channels, config.latent_cells[0], frames // config.autoencoder.factor))
    denoiser = guided(unet, renderer.schedule, condition, null, sampling.guidance)
    steps = SAMPLERS[sampling.sampler].timesteps(1.0, sampling.steps, renderer.schedule)
    latents = SAMPLERS[sampling.sampler].run(denoiser, z, steps, renderer.schedule, None, sampling.eta, noise)
    return renderer.vocode(renderer.decode(latents))
