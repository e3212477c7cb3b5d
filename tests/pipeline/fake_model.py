"""A model that makes up its answers: loud tones and noise, so that a splice has something to hide."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maa.audio.io import Audio
from maa.audio.mel import MelSpectrogram
from maa.config import TINY, ModelConfig
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import Schedule
from maa.models.context import Context
from maa.pipeline.holes import Conditions, Job
from maa.pipeline.options import Filling, Sampling
from maa.pipeline.result import Generation

NOTHING = Conditions(Context(), Context(), "")


class FakeRenderer:
    """What `Job` needs of a renderer. `seen` keeps the masks in latent cells, one of each run of the network."""

    def __init__(self, config: ModelConfig = TINY, loudness: float = 0.3) -> None:
        self.model = SimpleNamespace(config=config, front=MelSpectrogram(config.audio))
        self.autoencoder = SimpleNamespace(encode=self._encode)
        self.schedule = Schedule(config.schedule)
        self.loudness = loudness
        self.seen: list[Tensor] = []
        self.encoded: list[Tensor] = []

    def _encode(self, mel: Tensor) -> Tensor:
        self.encoded.append(mel.clone())
        factor = self.model.config.autoencoder.factor
        return torch.zeros(1, 4, mel.shape[2] // factor, mel.shape[3] // factor)

    def mel_of(self, wave: np.ndarray) -> Tensor:
        hop = self.model.config.audio.hop
        frames = max(1, -(-len(wave) // hop))
        return self.model.front(torch.from_numpy(np.pad(wave, (0, frames * hop - len(wave))))[None])[..., :frames]

    def takes(self, start: Any, sampling: Sampling, on_step: Any) -> tuple[Tensor, tuple[int, ...]]:
        self.seen.append(start.condition.make.clone())
        steps = self.steps_of(start.strength, sampling)
        for step in range(1, steps + 1):
            if on_step:
                on_step(step, steps, lambda: None)
        return torch.zeros(1, 4, 10, start.frames // 8), (sampling.seed,)

    def log10_mel_of(self, wave: np.ndarray) -> np.ndarray:
        return self.mel_of(wave)[0, 0].numpy()

    def steps_of(self, strength: float, sampling: Sampling) -> int:
        return len(sampler_named(sampling.sampler).timesteps(strength, sampling.steps, self.schedule))

    def decode(self, z: Tensor) -> Tensor:
        return torch.full((1, 1, self.model.config.audio.mels, 8 * z.shape[-1]), -1.0)

    def vocode(self, mel: Tensor) -> np.ndarray:
        count = mel.shape[-1] * self.model.config.audio.hop
        rng = np.random.default_rng(count)
        turns = rng.uniform(100, 3000) * np.arange(count) / 16_000
        return (self.loudness * (np.sin(2 * np.pi * turns) + 0.5 * rng.standard_normal(count)))[None].astype(np.float32)

    def scores(self, waves: np.ndarray, prompt: str) -> None:
        return None


def fill(source: Audio, mask: Any, renderer: FakeRenderer | None = None, **options: Any) -> Generation:
    """One inpainting with the fake model."""
    job = Job(renderer or FakeRenderer(), source, mask, Filling(**options))  # type: ignore[arg-type]
    return job.run(NOTHING, Sampling(steps=1, guidance=1.0, seed=1), {"task": "inpaint"}, None)
