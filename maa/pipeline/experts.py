"""Which network serves a task, in a model that has several: its own, or an expert's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maa.audio import mask as masks
from maa.audio.io import Audio, to_audio
from maa.checkpoint import Model
from maa.config import ModelConfig
from maa.pipeline import conditions
from maa.pipeline.abilities import lacks
from maa.pipeline.request import OnStep, Sampling
from maa.pipeline.result import Generation


class Door(Protocol):
    """What is asked of `MakeAnAudio` here."""

    @property
    def model(self) -> Model: ...
    @property
    def experts(self) -> Mapping[str, Any]: ...
    @property
    def config(self) -> ModelConfig: ...
    def can(self, expert: str) -> bool: ...
    def settings(self, task: str, sampling: Sampling, **prompts: str) -> dict[str, Any]: ...
    def frames_of(self, audio: Any) -> int: ...
    def spectrogram(self, audio: Any) -> NDArray[np.float32]: ...


def from_pictures(
    maa: Door,
    task: str,
    pictures: list[NDArray[np.uint8]],
    sampling: Sampling,
    prompts: tuple[str, str],
    seconds: float | None,
    on_step: OnStep | None,
) -> Generation:
    """Sound from pictures (Sec. 4.3) by a network that looks at them, else by the text network and their caption.

    A prompt in the user's own words goes to the text network where there is one.
    """
    prompt, negative = prompts
    by_text = bool(prompt) and lacks(maa.model)["text"] is None
    looker: Any = maa.experts["image"] if maa.can("image") and not by_text else maa
    sampling = sampling.settled(looker.config.guidance)
    words = conditions.describe(maa.model, pictures)
    heard = prompt or conditions.caption(words)
    if looker.config.unet.looks:
        condition, null = conditions.from_pictures(looker.model, pictures, prompt, negative)
    elif heard:
        condition, null = conditions.from_text(maa.model, heard, negative)
        condition = condition if prompt else conditions.with_words(maa.model, condition, words)
    else:
        raise ValueError("The model names no sound concepts, so pictures cannot be heard; give a prompt instead.")
    settings = looker.settings(task, sampling, prompt=prompt, negative=negative)
    settings |= {"heard_as": [[word, round(weight, 4)] for word, weight in words]}
    settings |= {"input": conditions.digest(np.concatenate([p.reshape(-1) for p in pictures]))}
    made: Generation = looker.generate(
        condition, null, sampling, seconds, settings, on_step, judge=heard, words=tuple(words)
    )
    return made


def inpaint(
    maa: Door,
    audio: Any,
    mask: NDArray[np.bool_] | list[masks.Box],
    sampling: Sampling,
    on_step: OnStep | None,
) -> Generation:
    """Inpainting by the expert. It may speak the other mel convention: masks and mels are carried over."""
    expert, source = maa.experts["inpaint"], to_audio(audio)
    theirs, ours = expert.config.audio, maa.config.audio
    if isinstance(mask, np.ndarray) and theirs.convention != ours.convention:
        mask = masks.regrid(masks.check(mask, ours, maa.frames_of(source)), ours, theirs)
    made: Generation = expert.inpaint(source, mask, "", sampling, on_step=on_step)
    if theirs.convention == ours.convention:
        return made
    mels = [maa.spectrogram(Audio(sound, made.sample_rate, made.subtype)) for sound in made.audio]
    return replace(made, mel=np.stack(mels))
