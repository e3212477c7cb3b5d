"""Random stretches of real recordings, for the stages that need sound without words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from train.data import Library
    from train.loop import Draw

Piece = tuple[int, int, int]  # from which sample of a recording, to which of the crop, how many


def pieces(available: int, length: int, rng: np.random.Generator) -> list[Piece]:
    """How `length` samples are taken from a recording of `available`: a random part of a long one, a short one
    repeated with little gaps."""
    if available >= length:
        return [(int(rng.integers(0, available - length + 1)), 0, length)]
    found = []
    at = int(rng.integers(0, max(1, min(available, length - available) // 4 + 1)))
    while at < length:
        found.append((0, at, min(available, length - at)))
        at += available + int(rng.integers(0, 1 + min(8000, max(1600, available // 2))))
    return found


def fill(wave: NDArray[np.float32], length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A stretch of `length` samples of one recording, by `pieces`."""
    out = np.zeros(length, np.float32)
    for source, target, count in pieces(len(wave), length, rng):
        out[target : target + count] = wave[source : source + count]
    return out


class Crops:
    """Waveforms of one length: single recordings, a third of them mixed with a second one, at varied loudness.

    The recordings lie in the device's memory (50 minutes are 97 MB) and the batches are put together there; the CPU
    only says which pieces go where.
    """

    def __init__(self, library: Library, split: str, length: int, device: torch.device | None = None) -> None:
        self.length = length
        self.indices, self.offsets = library.indices(split), library.offsets
        self.samples = torch.from_numpy(library.samples).to(device or torch.device("cpu"))

    def of(self, draw: Draw, batch: int) -> Tensor:
        """This process's `batch` rows of a step's batch, [batch, length]; a sample is the same in any process."""
        return self._make([draw.rng(1, i) for i in draw.samples(batch)])

    def fixed(self, count: int, seed: int) -> Tensor:
        """The same `count` waveforms for the same seed, [count, length]."""
        return self._make([np.random.default_rng([seed, i]) for i in range(count)])

    def _make(self, rngs: list[np.random.Generator]) -> Tensor:
        out = torch.zeros(len(rngs), self.length, device=self.samples.device)
        levels = []
        for row, rng in zip(out, rngs, strict=True):
            self._lay(row, 1.0, rng)
            if rng.random() < 0.33:
                self._lay(row, 10 ** rng.uniform(-0.75, 0.0), rng)
            levels.append(10 ** rng.uniform(-0.8, 0.1))
        out *= torch.tensor(levels, device=out.device)[:, None]
        return out * (0.99 / out.abs().amax(1, keepdim=True)).clamp_max(1.0)

    def _lay(self, row: Tensor, level: float, rng: np.random.Generator) -> None:
        recording = int(rng.choice(self.indices))
        first, end = int(self.offsets[recording]), int(self.offsets[recording + 1])
        for source, target, count in pieces(end - first, self.length, rng):
            part = self.samples[first + source : first + source + count]
            row[target : target + count] += part.to(torch.float32) * (level / 32768)
