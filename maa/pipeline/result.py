"""What comes back: takes with their seeds, scores and settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.carried import NOTHING, Carried
from maa.audio.io import resample, write
from maa.audio.loops import loop_marks, resampled
from maa.audio.loudness import Samples
from maa.audio.pcm import rounded
from maa.pipeline.shaping import AS_IS, Shaping, next_of


@dataclass(frozen=True)
class Generation:
    """Takes of one request, best first where there is a prompt to judge by."""

    audio: NDArray[np.float32]  # [takes, channels, samples], +-1
    sample_rate: int  # Hz
    mel: NDArray[np.float32]  # [takes, mels, frames], log10 magnitude
    seeds: tuple[int, ...]
    scores: tuple[float, ...] | None  # CLAP cosine of each take to the prompt, -1..1; None = not judged
    settings: dict[str, Any] = field(default_factory=dict)  # of the request, JSON types
    words: tuple[tuple[str, float], ...] = ()  # what a picture was heard as, with weights that sum to 1
    subtype: str = "PCM_16"  # sample format that loses nothing the task kept
    together: bool = False  # several takes whose last digits (or whose noise) depend on each other
    facts: tuple[dict[str, Any], ...] = ()  # of each take: the gain that its finish gave it, its share of silence
    carried: Carried = NOTHING  # what the user's file said beside its samples (inpainting only)
    reports: tuple[dict[str, Any], ...] = ()  # of each take: what an edit left of the source (inpainting only)
    shaping: Shaping = AS_IS  # what is done to a take when it is written; `audio` stays as it was made
    beside: NDArray[np.float32] | None = None  # of each take: the one with the next seed, for its width

    @property
    def ranked(self) -> bool:
        """Whether the first take is the best one."""
        return self.scores is not None and len(self.seeds) > 1

    def notes(self, take: int) -> list[list[str]]:
        """What sets a take apart from the others, for people: (label, words). None here: they differ by chance."""
        return []

    def settings_of(self, take: int = 0) -> dict[str, Any]:
        """The settings that make this one take: its own seed, one take.

        Takes that were made together come back exactly only together, so `batch` says of which request this is which
        one: [seed, takes, pick], the last counted from 1 in the order of the result.
        """
        settings = {**self.settings, "seed": self.seeds[take], "takes": 1}
        if self.together:
            settings["batch"] = [self.settings["seed"], len(self.seeds), take + 1]
        if self.scores is not None and settings.get("quality") != "instant":  # made alone it would have none
            settings["clap_score"] = round(self.scores[take], 4)
        if self.facts:
            settings |= self.facts[take]
        if self.reports:
            settings["report"] = self.reports[take]
        return settings | self.shaping.to_settings()

    @property
    def seconds(self) -> float:
        """Length of what is written."""
        return self.shaping.seconds(self.audio.shape[-1] / self.sample_rate)

    def shaped(self, shaping: Shaping) -> Generation:
        """The same takes, written with another shape. With a width the last seed's take is at the side of another one.

        Raises:
            ValueError: a width, and these are no takes of seeds in a row.
        """
        if not shaping.width:
            return replace(self, shaping=shaping, beside=None)
        following = {take: next_of(self.seeds, seed) for take, seed in enumerate(self.seeds)}
        kept = [take for take, other in following.items() if other is not None]
        if len(kept) != len(self.seeds) - 1 or not kept or self.audio.shape[1] != 1 or self.reports:
            raise ValueError("A width needs mono takes of seeds in a row, one more than are to be written.")
        return replace(
            self,
            audio=self.audio[kept],
            mel=self.mel[kept],
            seeds=tuple(self.seeds[take] for take in kept),
            scores=None if self.scores is None else tuple(self.scores[take] for take in kept),
            facts=tuple(self.facts[take] for take in kept) if self.facts else (),
            shaping=shaping,
            beside=np.stack([self.audio[following[take]] for take in kept]),
        )

    def sound(self, take: int = 0, rate: int | None = None) -> Samples:
        """One take [channels, n] as it is written: at a rate, and shaped.

        Args:
            take: which one, counted from 0.
            rate: Hz; None = the sound's own.
        """
        loop = self.settings.get("loop") is True
        return rendered(self._sounds(take), self.sample_rate, rate, self.shaping, loop=loop)

    def _sounds(self, take: int) -> tuple[Samples, Samples | None]:
        """A take as it was made, and the one at its side."""
        samples = self.audio[take]
        if self.reports and not self.shaping.plain:  # a user's own sound is shaped as their file holds it
            samples = rounded(samples, self.subtype)
        return samples, None if self.beside is None else self.beside[take]

    def save(self, path: str | Path, take: int = 0, subtype: str | None = None, rate: int | None = None) -> Path:
        """Write one take and its settings as .wav, .flac, .ogg or .mp3; equal requests give equal bytes.

        Args:
            path: ends in one of these.
            take: which one, counted from 0.
            subtype: "PCM_16", "PCM_24" or "FLOAT"; None = what loses nothing.
            rate: Hz, 8,000 to 192,000; None = the sound's own. A higher one adds no sound above the model's range.
        """
        if not 0 <= take < len(self.audio):
            raise ValueError(f"There is no take {take + 1}; this result has {len(self.audio)}.")
        if rate is not None and not 8_000 <= rate <= 192_000:
            raise ValueError(f"The sample rate should lie between 8,000 and 192,000 Hz, not {rate}.")
        return write_shaped(
            path, self._sounds(take), (self.sample_rate, rate), self.shaping,
            subtype=subtype or self.subtype, settings=self.settings_of(take), carried=self.carried,
        )  # fmt: skip


def write_shaped(
    path: str | Path,
    sounds: tuple[Samples, Samples | None],
    rates: tuple[int, int | None],
    shaping: Shaping,
    *,
    subtype: str,
    settings: dict[str, Any],
    carried: Carried = NOTHING,
) -> Path:
    """Write a finished sound, shaped, with its settings.

    Args:
        path: ends in .wav, .flac, .ogg or .mp3.
        sounds: as `rendered` takes them.
        rates: Hz of these, and of the file, None = the same.
        shaping: what is done to it there.
        subtype: sample format of the file.
        settings: of the take; what its shape is comes behind them.
        carried: what else a WAV file should say.
    """
    native, rate = rates
    looped = settings.get("loop") is True
    samples, new = rendered(sounds, native, rate, shaping, loop=looped), rate or native
    marks = carried.at_rate(native, new)
    if shaping.trim is not None or shaping.reverse:
        marks = replace(marks, front=(), behind=())  # they tell of other places
    if looped:
        marks = loop_marks(samples.shape[1], new) if shaping.whole else NOTHING
    return write(path, samples, new, subtype, settings | shaping.to_settings(), marks)


def rendered(
    sounds: tuple[Samples, Samples | None], native: int, rate: int | None, shaping: Shaping, *, loop: bool = False
) -> Samples:
    """A finished sound [channels, n] at the rate of its file, shaped.

    Args:
        sounds: the sound, and the take with the next seed where there is a width.
        native: Hz of both.
        rate: Hz of the file; None = the same.
        shaping: what is done to it there.
        loop: its end goes on into its beginning.
    """
    change = resampled if loop else resample
    new = rate or native
    x, beside = (one if one is None or rate is None else change(one, native, rate) for one in sounds)
    assert x is not None
    return x if shaping.plain else shaping.applied(x, new, beside).samples
