"""What comes back: takes with their seeds, scores and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.carried import NOTHING, Carried
from maa.audio.io import resample, write
from maa.audio.loops import loop_marks, resampled


@dataclass(frozen=True)
class Generation:
    """Takes of one request, best first where there is a prompt to judge by."""

    audio: NDArray[np.float32]  # [takes, channels, samples], +-1
    sample_rate: int  # Hz
    mel: NDArray[np.float32]  # [takes, mels, frames], log10 magnitude
    seeds: tuple[int, ...]
    scores: tuple[float, ...] | None  # CLAP cosine of each take to the prompt, -1..1; None without a prompt or CLAP
    settings: dict[str, Any] = field(default_factory=dict)  # of the request, JSON types
    words: tuple[tuple[str, float], ...] = ()  # what a picture was heard as, with weights that sum to 1
    subtype: str = "PCM_16"  # sample format that loses nothing the task kept
    together: bool = False  # several takes whose last digits (or whose noise) depend on each other
    facts: tuple[dict[str, Any], ...] = ()  # of each take: the gain that its finish gave it, its share of silence
    carried: Carried = NOTHING  # what the user's file said beside its samples (inpainting only)
    reports: tuple[dict[str, Any], ...] = ()  # of each take: what an edit left of the source (inpainting only)

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
        if self.scores is not None:
            settings["clap_score"] = round(self.scores[take], 4)
        if self.facts:
            settings |= self.facts[take]
        if self.reports:
            settings["report"] = self.reports[take]
        return settings

    def save(self, path: str | Path, take: int = 0, subtype: str | None = None, rate: int | None = None) -> Path:
        """Write one take and its settings as .wav, .flac, .ogg or .mp3; equal requests give equal bytes.

        Args:
            path: ends in one of these.
            take: which one, counted from 0.
            subtype: "PCM_16" or "PCM_24"; None = what loses nothing.
            rate: Hz, 8,000 to 192,000; None = the sound's own. A higher one adds no sound above the model's range.
        """
        if not 0 <= take < len(self.audio):
            raise ValueError(f"There is no take {take + 1}; this result has {len(self.audio)}.")
        if rate is not None and not 8_000 <= rate <= 192_000:
            raise ValueError(f"The sample rate should lie between 8,000 and 192,000 Hz, not {rate}.")
        tags, new, loop = self.settings_of(take), rate or self.sample_rate, self.settings.get("loop") is True
        change = resampled if loop else resample
        samples = self.audio[take] if rate is None else change(self.audio[take], self.sample_rate, rate)
        carried = loop_marks(samples.shape[1], new) if loop else self.carried.at_rate(self.sample_rate, new)
        return write(path, samples, new, subtype or self.subtype, tags, carried)
