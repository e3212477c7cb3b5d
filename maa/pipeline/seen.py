"""Pictures that sound is made for: one picture, or what stands for each window of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maa.config import ModelConfig
from maa.pipeline.tasks import MIN_SECONDS

if TYPE_CHECKING:
    from maa.diffusion.windows import Span

VIDEO_SECONDS = 180.0  # longest clip: 18 windows or so
FRAMES = 4  # pictures that a window is heard from (Sec. 4.3)


@dataclass(frozen=True)
class Seen:
    """One window of a clip: when it is, and the pictures that stand for it."""

    start: float
    end: float
    pictures: tuple[NDArray[np.uint8], ...]
    words: tuple[tuple[str, float], ...] = ()  # what a person hears in them; none = what the model does


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
