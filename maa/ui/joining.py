"""Which take of a filled hole joins its neighbours best: what nobody hears as an edit is the one to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.io import Audio
from maa.audio.mask import Mask, frame_spans
from maa.pipeline.result import Generation
from maa.ui.views import mel_of

if TYPE_CHECKING:
    from maa.config import AudioSpec

BESIDE = 24  # frames of either side that a hole is compared with
FLOOR = -4.0  # log10 magnitude: what is quieter is silence on both sides


@dataclass(frozen=True)
class Joined(Generation):
    """Takes of one hole, the best joined first."""

    joins: tuple[float, ...] = ()  # decibels between each take's hole and what lies beside it
    picks: tuple[int, ...] = ()  # which take of the request each is, counted from 1

    @property
    def ranked(self) -> bool:
        """They lie in the order of how well they join."""
        return len(self.seeds) > 1

    def settings_of(self, take: int = 0) -> dict[str, Any]:
        """The settings that make this one take; where takes are made together, it is picked as the request made it."""
        settings = super().settings_of(take)
        if "batch" in settings:
            settings["batch"] = [*settings["batch"][:2], self.picks[take]]
        return settings

    def notes(self, take: int) -> list[list[str]]:
        """How well it joins."""
        return [["differs from beside it by", f"{self.joins[take]:.1f} dB"]]


def best_joined(generation: Generation, mask: Mask, first: int, spec: AudioSpec) -> Joined:
    """The same takes, those first whose hole is most like what lies before and behind it.

    Args:
        generation: fills of one hole.
        mask: bool [mels, frames], true where it was made anew.
        first: the frame of the result at which the mask's first frame lies.
        spec: what rows and frames are.
    """
    sounds = [Audio(audio, generation.sample_rate, generation.subtype) for audio in generation.audio]
    found = [distance(mel_of(sound, spec)[:, first:], mask) for sound in sounds]
    order = sorted(range(len(found)), key=lambda take: found[take])
    own = {one.name: getattr(generation, one.name) for one in fields(Generation)}
    for name in ("seeds", "scores", "facts", "reports"):
        own[name] = tuple(own[name][take] for take in order) if own[name] else own[name]
    for name in ("audio", "mel"):
        own[name] = own[name][order]
    return Joined(**own, joins=tuple(found[take] for take in order), picks=tuple(take + 1 for take in order))


def distance(mel: NDArray[np.float32], mask: Mask) -> float:
    """Decibels by which a hole differs from what lies on both sides of it, 0 = not at all.

    In every band that is marked, the usual level and the loud moments (median and 90th percentile) of each hole are
    compared with those of the frames before and behind it.

    Args:
        mel: log10 magnitudes [mels, frames].
        mask: bool [mels, frames].
    """
    levels, found, cells = np.maximum(mel, FLOOR), 0.0, 0
    for row in np.flatnonzero(mask.any(axis=1)):
        for start, end in frame_spans(mask[row : row + 1]):
            beside = _beside(levels[row], mask[row], start, end)
            inside = levels[row, start:end]
            if beside.size and inside.size:
                apart = [abs(np.quantile(inside, part) - np.quantile(beside, part)) for part in (0.5, 0.9)]
                found += 20 * float(np.mean(apart)) * (end - start)
                cells += end - start
    return found / cells if cells else 0.0


def _beside(levels: NDArray[np.float32], mask: Sequence[bool] | NDArray[np.bool_], start: int, end: int) -> Any:
    """The levels of a band before and behind a hole, without other holes."""
    before = slice(max(0, start - BESIDE), start)
    behind = slice(end, end + BESIDE)
    marked = np.asarray(mask)
    return np.concatenate([levels[part][~marked[part][: len(levels[part])]] for part in (before, behind)])
