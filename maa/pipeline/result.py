"""What comes back: takes with their seeds, scores and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.io import write


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
    reports: tuple[dict[str, Any], ...] = ()  # of each take: what an edit left of the source (inpainting only)

    def settings_of(self, take: int = 0) -> dict[str, Any]:
        """The settings that make this one take: its own seed, one take."""
        settings = {**self.settings, "seed": self.seeds[take], "takes": 1}
        if self.scores is not None:
            settings["clap_score"] = round(self.scores[take], 4)
        if self.reports:
            settings["report"] = self.reports[take]
        return settings

    def save(self, path: str | Path, take: int = 0, subtype: str | None = None) -> Path:
        """Write one take as .wav or .flac ("PCM_16" or "PCM_24") and its settings; equal requests, equal bytes."""
        if not 0 <= take < len(self.audio):
            raise ValueError(f"There is no take {take + 1}; this result has {len(self.audio)}.")
        return write(path, self.audio[take], self.sample_rate, subtype or self.subtype, tags=self.settings_of(take))
