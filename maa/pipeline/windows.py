"""Sounds longer than the model's own: the windows of a video, and what each window listens to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.checkpoint import Model
from maa.config import ModelConfig
from maa.diffusion.windows import Span
from maa.models.context import Context
from maa.pipeline import conditions
from maa.pipeline.render import Part
from maa.pipeline.request import MIN_SECONDS

VIDEO_SECONDS = 180.0  # longest clip: 18 windows or so
FRAMES = 4  # pictures that a window is heard from (Sec. 4.3)

Pair = tuple[Context, Context]  # condition, and null


@dataclass(frozen=True)
class Seen:
    """One window of a clip: when it is, and the pictures that stand for it."""

    start: float
    end: float
    pictures: tuple[NDArray[np.uint8], ...]
    words: tuple[tuple[str, float], ...] = ()  # what a person hears in them; none = what the model does


@dataclass(frozen=True)
class Heard:
    """What pictures are heard as: a condition for each window, words over all of them, and the prompt to judge by."""

    contexts: list[Pair]
    words: list[tuple[str, float]]
    judge: str


def listen(model: Model, looker: Model, seen: Sequence[Seen], prompts: tuple[str, str]) -> Heard:
    """The windows' pictures through the model's eyes.

    Args:
        model: names what is heard.
        looker: makes the sound; where its network looks at pictures itself, it is conditioned on them and not on words.
        prompts: what to hear instead ("" = what is seen), and what not.

    Raises:
        ValueError: the network needs words, and there is nothing that could name any.
    """
    prompt, negative = prompts
    heard = [list(one.words) or conditions.describe(model, list(one.pictures)) for one in seen]
    contexts = []
    for one, words in zip(seen, heard, strict=True):
        if looker.config.unet.looks:
            own = prompt or conditions.caption(list(one.words))
            contexts.append(conditions.from_pictures(looker, list(one.pictures), own, negative))
            continue
        text = prompt or conditions.caption(words)
        if not text:
            raise ValueError("The model names no sound concepts, so pictures cannot be heard; give a prompt instead.")
        condition, null = conditions.from_text(looker, text, negative)
        contexts.append((condition if prompt else conditions.with_words(looker, condition, words), null))
    words = pooled(heard)
    return Heard(contexts, words, prompt or conditions.caption(words))


def digest(seen: Sequence[Seen]) -> str:
    """Short hash of all pictures."""
    return conditions.digest(*(picture for one in seen for picture in one.pictures))


def parts(spans: Sequence[Span], contexts: Sequence[Pair]) -> tuple[Part, ...]:
    """Windows with their conditions; none when there is only one. A single condition serves all windows."""
    if len(spans) == 1:
        return ()
    every = list(contexts) * len(spans) if len(contexts) == 1 else contexts
    return tuple(Part(span, *pair) for span, pair in zip(spans, every, strict=True))


def length_of(video: str | Path) -> float:
    """Seconds of sound that a clip needs, at least half a second. ValueError when the clip is too long."""
    from maa.vision.frames import video_facts

    info = video_facts(video)
    if info.seconds > VIDEO_SECONDS:
        raise ValueError(
            f"The video {Path(video).name!r} is {info.seconds:.0f} s long; use one of at most {VIDEO_SECONDS:.0f} s."
        )
    return max(info.seconds, MIN_SECONDS)


def look(video: str | Path, spans: Sequence[Span], config: ModelConfig, seconds: float) -> list[Seen]:
    """Four evenly spaced pictures of every window of a clip that lasts `seconds`."""
    from maa.vision.frames import clip_frames

    column = config.autoencoder.factor * config.audio.frame_seconds
    parts = [(first * column, min(last * column, seconds)) for first, last in spans]
    rows, _ = clip_frames(video, parts, FRAMES)
    return [Seen(*part, tuple(pictures)) for part, pictures in zip(parts, rows, strict=True)]


def pooled(words: Sequence[Sequence[tuple[str, float]]]) -> list[tuple[str, float]]:
    """The words of several windows as one list, best first: the mean of their weights."""
    total: dict[str, float] = {}
    for heard in words:
        for word, weight in heard:
            total[word] = total.get(word, 0.0) + weight / len(words)
    return sorted(total.items(), key=lambda item: -item[1])
