"""A pool of composed and encoded clips that training draws crops from, renewed clip by clip.

Composing and encoding a clip costs about as much as a training step on it. A pool lets each clip serve several steps
on a CPU; on a GPU it is renewed fast enough to be close to fresh data. Everything stays on the training device.

Clip number n is made from the seed and n alone, so a resumed run finds the clips it would have had, and several
processes hold between them what one would hold: process r owns the slots of its lanes, and sample i of a batch draws
from lane i.
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

LANES = 8  # the most processes that a pool can be shared by, and what their number has to divide


@dataclass(frozen=True)
class Entry:
    """One clip in the pool, in latent cells."""

    clip: Clip
    z: Tensor  # [C, H, W] latent of the whole sound
    masked: Tensor  # [C, H, W] latent of the sound with a hole, hole cells zero
    cells: Tensor  # [1, H, W], 1 = hole
    hole: Event | None  # the event that the hole hides, where it hides exactly one


@dataclass(frozen=True)
class Holes:
    """How often a clip's hole is one of its events, one span, or one of Table 2's kinds (all alike)."""

    event: float = 0.35
    span: float = 0.25
    kinds: tuple[str, ...] = masks.KINDS


class Pool:
    """`size` slots, filled with the clips up to the newest; `upto` brings it forward.

    Args:
        rank, processes: which of several processes this is; it holds its lanes only.
        single: clips of one sound each (the paper's visual recipe, App. E.3: a vector cannot speak of two).
    """

    def __init__(
        self,
        config: ModelConfig,
        library: Library,
        autoencoder: Autoencoder,
        size: int,
        seed: int,
        place: tuple[int, int] = (0, 1),
        holes: Holes | None = None,
        single: bool = False,
    ) -> None:
        self.rank, self.processes = place
        if LANES % self.processes:
            raise ValueError(f"{self.processes} processes cannot share a pool; use 1, 2, 4 or {LANES}.")
        self.config, self.library, self.autoencoder = config, library, autoencoder
        self.device = next(autoencoder.parameters()).device
        self.front = MelSpectrogram(config.audio).to(self.device)
        self.indices = library.indices("train")
        self.size = max(LANES, size // LANES * LANES)
        self.seed, self.holes, self.single = seed, holes or Holes(), single
        self.made = 0  # clips so far, in all processes together
        self.entries: dict[int, Entry] = {}

    def upto(self, count: int, batch: int = 8) -> None:
        """Make every clip of this process below number `count` that is not among the older ones to be replaced."""
        first = max(self.made, count - self.size)
        mine = [n for n in range(first, count) if n % LANES % self.processes == self.rank]
        for start in range(0, len(mine), batch):
            numbers = mine[start : start + batch]
            for n, entry in zip(numbers, self._make(numbers), strict=True):
                self.entries[n % self.size] = entry
        self.made = max(self.made, count)

    def entry(self, sample: int, rng: np.random.Generator) -> Entry:
        """One of the clips in a sample's lane."""
        turn = int(rng.integers(self.size // LANES))
        return self.entries[turn * LANES + sample % LANES]

    def latent_scale(self) -> float:
        """1 / standard deviation of the pool's latents, which the autoencoder has made with a scale of 1 so far."""
        return float(1.0 / torch.stack([entry.z for entry in self.entries.values()]).std())

    @torch.inference_mode()
    def _make(self, numbers: list[int]) -> list[Entry]:
        spec = self.config.audio
        rngs = [np.random.default_rng([self.seed, 4, n]) for n in numbers]
        clips = [self._compose(rng) for rng in rngs]
        mel = self.front(torch.from_numpy(np.stack([clip.wave for clip in clips])).to(self.device))
        holes = [self._hole(clip, rng) for clip, rng in zip(clips, rngs, strict=True)]
        make = torch.from_numpy(np.stack([mask for mask, _ in holes]))[:, None].to(self.device)
        factor = self.config.autoencoder.factor
        cells = torch.from_numpy(np.stack([to_latent(mask, factor) for mask, _ in holes]))[:, None].to(self.device)
        assert spec.frames == mel.shape[-1]
        # One clip at a time: in a batch the last digits of a latent would depend on its neighbours.
        pairs = [torch.cat([mel[i : i + 1], fill_hole(mel[i : i + 1], make[i : i + 1])]) for i in range(len(clips))]
        latents = [self.autoencoder.encode(pair) for pair in pairs]
        return [
            Entry(_without_wave(clip), z[0].clone(), (z[1] * ~cells[i]).clone(), cells[i].float(), holes[i][1])
            for i, (clip, z) in enumerate(zip(clips, latents, strict=True))
        ]

    def _compose(self, rng: np.random.Generator) -> Clip:
        spec = self.config.audio
        while True:
            clip = compose(self.library, self.indices, spec.samples, spec.sample_rate, rng)
            if not self.single or len(clip.events) == 1:
                return clip

    def _hole(self, clip: Clip, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Event | None]:
        """A mask [mels, frames], and the event that it hides where it hides exactly one."""
        spec = self.config.audio
        kind = rng.random()
        if kind < self.holes.event and len(clip.events) > 1:
            event = clip.events[int(rng.integers(len(clip.events)))]
            mask = np.zeros((spec.mels, spec.frames), bool)
            mask[:, event.start // spec.hop : -(-event.end // spec.hop)] = True
            return mask, event
        only = clip.events[0] if len(clip.events) == 1 else None
        if kind < self.holes.event + self.holes.span:
            return masks.one_span(spec.mels, spec.frames, rng), only
        chosen = self.holes.kinds[int(rng.integers(len(self.holes.kinds)))]
        return masks.draw(chosen, spec.mels, spec.frames, rng), only


def _without_wave(clip: Clip) -> Clip:
    return Clip(np.zeros(0, np.float32), clip.caption, clip.events)
