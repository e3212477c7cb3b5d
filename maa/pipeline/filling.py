"""What a person may ask of an inpainting besides the sampling: how far, how smooth, and longer than before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio import mask as masks
from maa.audio.io import Audio
from maa.audio.maskfile import read_mask
from maa.config import AudioSpec
from maa.pipeline.request import check_number, check_whole

MAX_EXTENSION = 30.0  # seconds at each end
MAX_RESAMPLING = 4
OVERLAP = 2  # frames of the source that an extension takes along, so that its fade has something to fade into

MaskLike = Any  # bool [mels, frames], a file, or a list of Box, (start, end) or (start, end, low, high)


@dataclass(frozen=True)
class Filling:
    """How a hole is filled.

    Raises:
        ValueError: a value outside its range.
    """

    strength: float = 1.0  # 1 = from nothing; below, from the noised sound that lies there (Sec. 4.1), which shows
    resampling: int = 0  # times that the hole is noised half-way back and denoised again (cf. arXiv 2201.09865), 0..4
    blend: float = 0.0  # how far latent cells beside the hole may follow the network, 0..1; their sound stays anyway
    level_match: bool = True  # as loud as the neighbours say
    before: float = 0.0  # seconds to add in front of the sound, 0..30
    after: float = 0.0  # and behind it

    def __post_init__(self) -> None:
        check_number("strength", self.strength, 0.0, 1.0)
        check_whole("resampling", self.resampling, 0, MAX_RESAMPLING)
        check_number("blend", self.blend, 0.0, 1.0)
        check_number("before", self.before, 0.0, MAX_EXTENSION)
        check_number("after", self.after, 0.0, MAX_EXTENSION)

    @property
    def extends(self) -> bool:
        """Whether the result is longer than the source."""
        return self.before > 0 or self.after > 0

    def to_settings(self) -> dict[str, Any]:
        """JSON types, for the settings of a take."""
        return {
            "strength": float(self.strength),
            "resampling": int(self.resampling),
            "blend": float(self.blend),
            "level_match": bool(self.level_match),
            "before": float(self.before),
            "after": float(self.after),
        }


def mask_of(given: MaskLike, spec: AudioSpec, frames: int) -> masks.Mask:
    """Whatever a caller calls a mask, as bool [mels, frames].

    Args:
        given: None (nothing), bool [mels, frames], the name of a .png or .npy file, or a list of boxes: `Box`,
            (start, end) in seconds, or (start, end, low, high) in seconds and Hz.

    Raises:
        ValueError: one sentence on what is wrong with it.
    """
    if given is None:
        return np.zeros((spec.mels, frames), bool)
    if isinstance(given, np.ndarray):
        return masks.check(given, spec, frames)
    if isinstance(given, str | Path):
        return read_mask(given, spec, frames)
    if isinstance(given, list | tuple):
        return masks.from_boxes([_box(item) for item in given], spec, frames)
    raise ValueError(
        "The mask should be a bool array [mels, frames], a PNG or .npy file, or a list of Box(start, end, low, high)."
    )


def _box(item: Any) -> masks.Box:
    if isinstance(item, masks.Box):
        return item
    numbers = isinstance(item, list | tuple) and all(
        isinstance(x, int | float | np.number) and not isinstance(x, bool) for x in item
    )
    if not numbers or len(item) not in (2, 4):
        raise ValueError("Each region should be a Box, (start, end) in seconds, or (start, end, low, high) with Hz.")
    return masks.Box(*map(float, item))


@dataclass(frozen=True)
class Extension:
    """A sound with room at its ends, and the frames of that room."""

    source: Audio
    first: int  # frames added in front
    last: int  # and behind

    @classmethod
    def of(cls, source: Audio, filling: Filling, spec: AudioSpec) -> Extension:
        """Silence in front and behind, in whole frames; the samples in between stay as they are."""
        first, last = (round(seconds / spec.frame_seconds) for seconds in (filling.before, filling.after))
        if not first and not last:
            return cls(source, 0, 0)
        room = [round(frames * spec.frame_seconds * source.sample_rate) for frames in (first, last)]
        longer: NDArray[Any] = np.pad(source.samples, ((0, 0), (room[0], room[1])))
        carried = source.carried.moved(room[0])
        return cls(Audio(longer, source.sample_rate, source.subtype, carried), first, last)

    def place(self, mask: masks.Mask, frames: int) -> masks.Mask:
        """A mask of the source on the longer sound of `frames` frames, with the room and its overlap painted."""
        if not self.first and not self.last:
            return mask
        longer = np.zeros((len(mask), frames), bool)
        width = min(mask.shape[1], frames - self.first)
        longer[:, self.first : self.first + width] = mask[:, :width]
        if self.first:
            longer[:, : self.first + OVERLAP] = True
        if self.last:
            longer[:, max(0, frames - self.last - OVERLAP) :] = True
        return longer
