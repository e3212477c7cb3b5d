"""Several takes of several prompts in one batch, each with its own seed: what single calls give, but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maa import MakeAnAudio, Sampling
from maa.audio import finish
from maa.pipeline import conditioning
from maa.pipeline.length import fit_length, frames_for

Job = tuple[str, int]  # prompt and seed


def takes_of(maa: MakeAnAudio, jobs: Sequence[Job], sampling: Sampling, seconds: float | None) -> NDArray[np.float32]:
    """Waveforms [jobs, samples], `seconds` long or as long as the model was trained on.

    Nothing ranks them, so CLAP is not asked.
    """
    spec, renderer = maa.config.audio, maa.renderer
    length = spec.samples if seconds is None else round(seconds * spec.sample_rate)
    pairs = [conditioning.from_text(maa.model, prompt, "") for prompt, _ in jobs]
    settled = sampling.settled(maa.config)
    latents = renderer.batch(pairs, [seed for _, seed in jobs], frames_for(maa.config, length), settled)
    waves = fit_length(renderer.vocode(renderer.decode(latents)), length, spec.sample_rate)
    return np.concatenate([finish.clean(wave[None], spec.sample_rate).samples for wave in waves])
