"""What an inpainting makes new: whatever a caller calls a mask, and room at the ends of a sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio import mask as masks
from maa.audio.io import Audio
from maa.audio.maskfile import read_mask
from maa.audio.sound import admit
from maa.config import AudioSpec
from maa.pipeline.options import Filling
from maa.pipeline.tasks import Inpaint

OVERLAP = 2  # frames of the source that an extension takes along, so that its fade has something to fade into

MaskLike = Any  # bool [mels, frames], a file, or a list of Box, (start, end) or (start, end, low, high)


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


def mask_of_regions(asked: Inpaint, spec: AudioSpec, frames: int) -> masks.Mask:
    """Boxes, stretches of time and a mask file, all together: bool [mels, frames]."""
    painted = masks.from_boxes([masks.Box(*edges) for edges in asked.regions], spec, frames)
    return painted if asked.mask is None else painted | read_mask(asked.mask, spec, frames)


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
        admit("The longer sound", source.sample_rate, source.channels, source.samples.shape[1] + sum(room))
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
