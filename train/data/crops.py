"""Random stretches of real recordings, for the stages that need sound without words."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.device import send
from train.data.library import Library
from train.trainer.draw import Draw

MIXED = 0.33  # share of crops with a second recording
SECOND = (-0.75, 0.0)  # log10 of its gain
OVERALL = (-0.8, 0.1)  # log10 of a whole crop's gain


def pieces(available: NDArray[np.int64], length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How `length` samples are taken from recordings of `available` samples [N]: a random part of a long one, a short
    one repeated with little gaps.

    Returns:
        [N, K, 3]: from which sample of the recording, to which of the crop, and how many; none where a row needs no
        more pieces. K depends on the shortest of them.
    """
    long = available >= length
    first = rng.integers(0, np.where(long, available - length, 0) + 1)
    lead = rng.integers(0, np.maximum(1, np.minimum(available, length - available) // 4 + 1))
    repeats = -(-length // int(available.min()))
    gaps = rng.integers(0, (1 + np.minimum(8000, np.maximum(1600, available // 2)))[:, None], (len(available), repeats))
    at = np.where(long, 0, lead)[:, None] + np.arange(repeats) * available[:, None]
    at[:, 1:] += gaps[:, :-1].cumsum(1)
    count = np.minimum(available[:, None], length - at).clip(0)
    return np.stack([np.broadcast_to(first[:, None], at.shape), at, count], axis=2)


class WaveCrops:
    """Waveforms of one length: single recordings, a third of them mixed with a second one, at varied loudness.

    The recordings lie in the device's memory (an hour is 115 MB) and a batch is put together there by one gather;
    the CPU only says which pieces go where.
    """

    def __init__(self, library: Library, split: str, length: int, device: torch.device | None = None) -> None:
        self.length = length
        self.device = device or torch.device("cpu")
        indices = library.indices(split)
        self.starts, self.available = library.offsets[indices], np.diff(library.offsets)[indices]
        self.samples = torch.from_numpy(library.samples).to(self.device)

    def of(self, draw: Draw, batch: int) -> Tensor:
        """This process's `batch` rows of a step's batch, [batch, length]; a sample is the same in any process."""
        return self._make(draw.rng(1), batch * draw.processes, slice(draw.rank, None, draw.processes))

    def fixed(self, count: int, seed: int) -> Tensor:
        """The same `count` waveforms for the same seed, [count, length]."""
        return self._make(np.random.default_rng(seed), count, slice(None))

    def _make(self, rng: np.random.Generator, count: int, mine: slice) -> Tensor:
        """Some rows of a batch of `count`: everything is drawn for all of them, so that rows do not depend on who
        makes which."""
        which = rng.integers(0, len(self.starts), (count, 2))
        gains = np.stack([np.ones(count), 10 ** rng.uniform(*SECOND, count) * (rng.random(count) < MIXED)], axis=1)
        overall = 10 ** rng.uniform(*OVERALL, count)
        laid = pieces(self.available[which.ravel()], self.length, rng).reshape(count, 2, -1, 3)
        laid, gains, which, overall = laid[mine], gains[mine], which[mine], overall[mine]
        row, layer, piece = np.nonzero((laid[..., 2] > 0) & (gains > 0)[..., None])
        source, target, length = laid[row, layer, piece].T
        source = source + self.starts[which[row, layer]]
        table = np.stack([source, row * self.length + target, length], axis=1)
        join = self._in_turn if self.device.type == "cpu" else self._at_once
        numbers = np.concatenate([gains[row, layer] / 32768, overall]).astype(np.float32)
        waves, loudness = join(table, numbers, len(overall))
        waves = waves * loudness[:, None]
        return waves * (0.99 / waves.abs().amax(1, keepdim=True)).clamp_max(1.0)

    def _in_turn(self, table: NDArray[np.int64], numbers: NDArray[np.float32], count: int) -> tuple[Tensor, Tensor]:
        """Piece by piece, which is what a CPU is fastest at.

        Args:
            table: rows of (from, to, how many), in samples of the library and of all waveforms one after another.
            numbers: each piece's gain, then each waveform's.

        Returns:
            The sums [count, length], and the waveforms' gains [count].
        """
        out = torch.zeros(count * self.length)
        for (source, target, length), gain in zip(table.tolist(), numbers[: len(table)].tolist(), strict=True):
            out[target : target + length].add_(self.samples[source : source + length], alpha=gain)
        return out.view(count, -1), torch.from_numpy(numbers[len(table) :])

    def _at_once(self, table: NDArray[np.int64], numbers: NDArray[np.float32], count: int) -> tuple[Tensor, Tensor]:
        """The same by one gather, for devices on which every small operation costs a launch."""
        device, total = self.device, int(table[:, 2].sum())
        source, target, lengths = send(torch.from_numpy(table), device).unbind(1)
        gains, overall = send(torch.from_numpy(numbers), device).split([len(table), count])
        piece = torch.repeat_interleave(torch.arange(len(table), device=device), lengths, output_size=total)
        within = torch.arange(total, device=device) - (lengths.cumsum(0) - lengths)[piece]
        out = torch.zeros(count * self.length, device=device)
        out.index_add_(0, target[piece] + within, self.samples[source[piece] + within].float() * gains[piece])
        return out.view(count, -1), overall
