"""Inpainting: which network fills a hole, with what condition, and how it goes about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maa.audio import mask as masks
from maa.audio.io import Audio, check_audible
from maa.diffusion.samplers import sampler_named
from maa.pipeline.conditioning import input_digest
from maa.pipeline.engine import Engine
from maa.pipeline.filling import MaskLike, mask_of
from maa.pipeline.holes import Conditions, Job
from maa.pipeline.leading import Led, Prompts
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.published import PublishedJob
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep


def inpaint(
    engine: Engine,
    source: Audio,
    mask: MaskLike,
    prompts: Prompts,
    sampling: Sampling,
    filling: Filling,
    on_step: OnStep | None,
) -> Generation:
    """New sound where the mask is painted, by one network; arguments as for `MakeAnAudio.inpaint`."""
    check_audible(source)
    sampling = engine.settled(sampling)
    settings = engine.settings("inpaint", sampling, prompts)
    settings["input"] = input_digest(source.samples)
    published = sampler_named(sampling.sampler).published and engine.config.unet.hole == "silence"
    job = (PublishedJob if published else Job)(engine.renderer, source, mask, filling)
    return job.run(Conditions(*engine.from_text(prompts), prompts.text), sampling, settings, on_step)


def inpaint_by_expert(
    expert: Engine,
    own: Engine,
    source: Audio,
    mask: MaskLike,
    sampling: Sampling,
    filling: Filling,
    on_step: OnStep | None,
) -> Generation:
    """The same without prompts by a network that only inpaints.

    It may speak another mel convention than the model's own network: masks and mels are carried over.
    """
    theirs, ours = expert.config.audio, own.config.audio
    if theirs.convention != ours.convention and not isinstance(mask, list | tuple):  # boxes are in Hz already
        mask = masks.regrid(mask_of(mask, ours, own.frames_of(source)), ours, theirs)
    made = inpaint(expert, source, mask, Prompts(Led("", "")), sampling, filling, on_step)
    if theirs.convention == ours.convention:
        return made
    mels = [own.spectrogram(Audio(sound, made.sample_rate, made.subtype)) for sound in made.audio]
    return replace(made, mel=np.stack(mels))
