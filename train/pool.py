"""A pool of composed and encoded clips that training draws crops from, renewed clip by clip.

Composing and encoding a clip costs about as much as a training step on it. A pool lets each clip serve several steps
on a CPU; on a GPU it is renewed fast enough to be close to fresh data. Everything stays on the training device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.audio.mask import to_latent
from maa.audio.mel import MelSpectrogram, fill_hole
from maa.config import ModelConfig
from maa.models.autoencoder import Autoencoder
from train import masks
from train.data import Library
from train.prompts.reprogram import Clip, Event, compose


@dataclass(frozen=True)
class Entry:
    """One clip in the pool, in latent cells."""

    clip: Clip
    z: Tensor  # [C, H, W] latent of the whole sound
    masked: Tensor  # [C, H, W] latent of the sound with a hole, hole cells zero
    cells: Tensor  # [1, H, W], 1 = hole
    hole: Event | None  # the event that the hole hides, where it hides exactly one


class Pool:
    """`size` entries; `renew` replaces the oldest."""

    def __init__(
        self,
        config: ModelConfig,
        library: Library,
        autoencoder: Autoencoder,
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self.config = config
        self.library = library
        self.autoencoder = autoencoder
        self.device = next(autoencoder.parameters()).device
        self.front = MelSpectrogram(config.audio).to(self.device)
        self.indices = library.indices("train")
        self.rng = rng
        self.size = size
        self.entries: list[Entry] = []
        self.oldest = 0

    def fill(self, batch: int = 8) -> None:
        """Make the first `size` entries."""
        while len(self.entries) < self.size:
            self.entries += self._make(min(batch, self.size - len(self.entries)))

    def renew(self, count: int) -> None:
        """Replace the `count` oldest entries by new ones."""
        for entry in self._make(count):
            self.entries[self.oldest] = entry
            self.oldest = (self.oldest + 1) % self.size

    def latent_scale(self) -> float:
        """1 / standard deviation of the pool's latents, which the autoencoder has made with a scale of 1 so far."""
        return float(1.0 / torch.stack([entry.z for entry in self.entries]).std())

    @torch.inference_mode()
    def _make(self, count: int) -> list[Entry]:
        spec = self.config.audio
        clips = [compose(self.library, self.indices, spec.samples, spec.sample_rate, self.rng) for _ in range(count)]
        mel = self.front(torch.from_numpy(np.stack([clip.wave for clip in clips])).to(self.device))
        holes = [self._hole(clip) for clip in clips]
        make = torch.from_numpy(np.stack([mask for mask, _ in holes]))[:, None].to(self.device)
        factor = self.config.autoencoder.factor
        cells = torch.from_numpy(np.stack([to_latent(mask, factor) for mask, _ in holes]))[:, None].to(self.device)
        z = self.autoencoder.encode(torch.cat([mel, fill_hole(mel, make)]))
        whole, masked = z.chunk(2)
        masked = masked * ~cells
        return [
            Entry(_without_wave(clip), whole[i].clone(), masked[i].clone(), cells[i].float(), holes[i][1])
            for i, clip in enumerate(clips)
        ]

    def _hole(self, clip: Clip) -> tuple[NDArray[np.bool_], Event | None]:
        """A mask [mels, frames]: one event of the clip, one span, many spans, or irregular."""
        spec, rng = self.config.audio, self.rng
        kind = rng.random()
        if kind < 0.35 and len(clip.events) > 1:
            event = clip.events[int(rng.integers(len(clip.events)))]
            mask = np.zeros((spec.mels, spec.frames), bool)
            mask[:, event.start // spec.hop : -(-event.end // spec.hop)] = True
            return mask, event
        if kind < 0.6:
            return masks.one_span(spec.mels, spec.frames, rng), self._only(clip)
        if kind < 0.75:
            share = float(rng.choice([0.3, 0.5, 0.7]))
            return masks.frame_spans(spec.mels, spec.frames, share, rng), self._only(clip)
        return masks.irregular(spec.mels, spec.frames, rng), self._only(clip)

    @staticmethod
    def _only(clip: Clip) -> Event | None:
        return clip.events[0] if len(clip.events) == 1 else None


def _without_wave(clip: Clip) -> Clip:
    return Clip(np.zeros(0, np.float32), clip.caption, clip.events)
