"""The user's own sound as the start of a generation (SDEdit, Sec. 4.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maa.audio.io import Audio, check_audible
from maa.audio.loudness import lufs
from maa.audio.sound import amplified, mono_at
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import first_timestep
from maa.pipeline.conditioning import Pair
from maa.pipeline.length import frames_for
from maa.pipeline.options import Sampling
from maa.pipeline.published import posterior_latent, repeated
from maa.pipeline.render import Renderer, Start


def personal_sound(renderer: Renderer, source: Audio, start: float) -> NDArray[np.float32]:
    """A user's sound from `start` seconds on, mono [n] at the model's rate.

    Raises:
        ValueError: the sound is silent, or `start` lies behind its end.
    """
    check_audible(source)
    if not 0.0 <= start < source.seconds:
        raise ValueError(f"start must lie within the sound (0 to {source.seconds:.2f} s), not {start:g}.")
    spec = renderer.model.config.audio
    first = round(start * spec.sample_rate)
    loud, _ = amplified(source)  # float files hold far quieter sounds than a mel-spectrogram
    wave = mono_at(loud.samples, source.sample_rate, spec.sample_rate)[first:]
    return np.pad(wave, (0, max(0, spec.hop - len(wave))))  # a single sample is a frame of sound, too


def level_of(renderer: Renderer, wave: NDArray[np.float32], start: Start) -> float | None:
    """LUFS that a take should have to be as loud as its sound; None where nothing of the sound is left.

    It is measured on the mono sound: a take is mono and comes out of both loudspeakers, as their mean did before.
    """
    if start.clean is None:
        return None
    return lufs(wave[None], renderer.model.config.audio.sample_rate)


def noised_start(renderer: Renderer, wave: NDArray[np.float32], pair: Pair, t0: float, sampling: Sampling) -> Start:
    """From the noised sound on, or from pure noise when all of the schedule is run.

    Args:
        renderer: encodes the sound.
        wave: mono [n] at the model's rate; of a longer one than the model's the beginning.
        pair: condition and null.
        t0: share of the schedule.
        sampling: settled.
    """
    config = renderer.model.config
    whole = first_timestep(t0, renderer.schedule) + 1 >= config.schedule.steps
    if sampler_named(sampling.sampler).published:
        return Start(
            *pair,
            config.audio.frames,
            t0,
            None if whole else posterior_latent(renderer, repeated(renderer, wave), sampling),
        )
    wave = wave[: config.audio.samples]
    frames = frames_for(config, len(wave))
    return Start(*pair, frames, t0, None if whole else renderer.encode(wave, frames))
