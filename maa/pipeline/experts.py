"""Which network serves a task, in a model that has several: its own, or an expert's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maa.audio import mask as masks
from maa.audio.io import Audio, to_audio
from maa.checkpoint import Model
from maa.config import ModelConfig
from maa.pipeline import windows
from maa.pipeline.abilities import lacks
from maa.pipeline.filling import MaskLike, mask_of
from maa.pipeline.finishing import Wish
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.result import Generation
from maa.pipeline.steps import OnStep


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
    seen: Sequence[windows.Seen],
    sampling: Sampling,
    prompts: tuple[str, str],
    more: dict[str, Any],
    seconds: float | None,
    on_step: OnStep | None,
    wish: Wish,
) -> Generation:
    """Sound from pictures (Sec. 4.3) by a network that looks at them, else by the text network and their caption.

    A prompt or words of the user's own go to the text network where there is one. `more` joins the settings.
    """
    said = bool(prompts[0]) or any(one.words for one in seen)
    by_text = said and lacks(maa.model)["text"] is None
    looker: Any = maa.experts["image"] if maa.can("image") and not by_text else maa
    sampling = looker.settled(sampling)
    heard = windows.listen(maa.model, looker.model, seen, prompts)
    settings = looker.settings(task, sampling, prompt=prompts[0], negative=prompts[1])
    settings |= {"heard_as": [[word, round(weight, 4)] for word, weight in heard.words], **more}
    settings |= {"input": windows.digest(seen)}
    wish = replace(wish, judge=heard.judge)
    made: Generation = looker.generate(heard.contexts, sampling, seconds, settings, on_step, wish)
    return replace(made, words=tuple(heard.words))


def inpaint(
    maa: Door, audio: Any, mask: MaskLike, sampling: Sampling, filling: Filling, on_step: OnStep | None
) -> Generation:
    """Inpainting by the expert. It may speak the other mel convention: masks and mels are carried over."""
    expert, source = maa.experts["inpaint"], to_audio(audio)
    theirs, ours = expert.config.audio, maa.config.audio
    if theirs.convention == ours.convention:
        made: Generation = expert.inpaint(source, mask, "", sampling, filling=filling, on_step=on_step)
        return made
    if not isinstance(mask, list | tuple):  # boxes are in Hz already
        mask = masks.regrid(mask_of(mask, ours, maa.frames_of(source)), ours, theirs)
    made = expert.inpaint(source, mask, "", sampling, filling=filling, on_step=on_step)
    mels = [maa.spectrogram(Audio(sound, made.sample_rate, made.subtype)) for sound in made.audio]
    return replace(made, mel=np.stack(mels))
