"""Random stretches of real recordings, for the stages that need sound without words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.device import send
from train.data.ahead import READERS, Ahead
from train.data.library import Library
from train.data.order import Order
from train.data.sound import sound_of
from train.trainer.draw import Draw

MIXED = 0.33  # share of crops with a second recording
SECOND = (-0.75, 0.0)  # log10 of its gain
OVERALL = (-0.8, 0.1)  # log10 of a whole crop's gain
FIRST, OTHER = 5, 6  # of the orders in which a streamed library's recordings are cropped, and mixed in


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


@dataclass(frozen=True)
class Drawn:
    """Crops before they are put together."""

    samples: Tensor  # int16 [M], of which pieces are taken
    table: NDArray[np.int64]  # [P, 3] pieces: (from, to, how many), in samples and of all crops one after another
    numbers: NDArray[np.float32]  # each piece's gain, then each crop's
    count: int  # crops


class WaveCrops:
    """Waveforms of one length: single recordings, a third of them mixed with a second one, at varied loudness.

    The recordings lie in the device's memory (an hour is 115 MB) and a batch is put together there by one gather;
    the CPU only says which pieces go where. Of a streamed library the pieces are read by threads, some steps ahead, and
    each recording has its turn once an epoch, and is mixed in once, whatever the number of processes.
    """

    def __init__(self, library: Library, split: str, length: int, device: torch.device | None = None) -> None:
        self.length = length
        self.device = device or torch.device("cpu")
        indices = library.indices(split)
        self.starts, self.available = library.offsets[indices], np.diff(library.offsets)[indices]
        self.sound = sound_of(library, self.device)
        self.streamed = library.streamed
        self.ahead: tuple[tuple[int, ...], Ahead[Drawn]] | None = None

    def of(self, draw: Draw, batch: int) -> Tensor:
        """This process's `batch` rows of a step's batch, [batch, length]; a sample is the same in any process."""
        if not self.streamed:
            return self._joined(self._draw(draw.rng(1), batch * draw.processes, slice(draw.rank, None, draw.processes)))
        series = (draw.seed, draw.rank, draw.processes, batch)
        if self.ahead is None or self.ahead[0] != series:
            self.ahead = series, self._series(*series)
        return self._joined(self.ahead[1].get(draw.step))

    def fixed(self, count: int, seed: int) -> Tensor:
        """The same `count` waveforms for the same seed, [count, length]."""
        return self._joined(self._draw(np.random.default_rng(seed), count, slice(None)))

    def _series(self, seed: int, rank: int, processes: int, batch: int) -> Ahead[Drawn]:
        """The batches of a streamed library, by step."""
        whole = batch * processes
        orders = [Order(len(self.starts), seed, name) for name in (FIRST, OTHER)]

        def make(step: int) -> Drawn:
            turns = step * whole + np.arange(whole)
            which = np.stack([order.at(turns) for order in orders], axis=1)
            rng = Draw(seed, step, 0.0, rank, processes).rng(1)
            return self._draw(rng, whole, slice(rank, None, processes), which)

        return Ahead(make, 2 * READERS)

    def _draw(self, rng: np.random.Generator, count: int, mine: slice, which: NDArray[np.int64] | None = None) -> Drawn:
        """Some rows of a batch of `count`: everything is drawn for all of them, so that rows do not depend on who
        makes which.

        Args:
            which: [count, 2] the recordings, and those that may be mixed in; None = any.
        """
        if which is None:
            which = rng.integers(0, len(self.starts), (count, 2))
        gains = np.stack([np.ones(count), 10 ** rng.uniform(*SECOND, count) * (rng.random(count) < MIXED)], axis=1)
        overall = 10 ** rng.uniform(*OVERALL, count)
        laid = pieces(self.available[which.ravel()], self.length, rng).reshape(count, 2, -1, 3)
        laid, gains, which, overall = laid[mine], gains[mine], which[mine], overall[mine]
        row, layer, piece = np.nonzero((laid[..., 2] > 0) & (gains > 0)[..., None])
        source, target, length = laid[row, layer, piece].T
        source = source + self.starts[which[row, layer]]
        samples, moved = self.sound.hold(source, length)
        table = np.stack([source + moved, row * self.length + target, length], axis=1)
        numbers = np.concatenate([gains[row, layer] / 32768, overall]).astype(np.float32)
        return Drawn(samples, table, numbers, len(overall))

    def _joined(self, drawn: Drawn) -> Tensor:
        join = self._in_turn if self.device.type == "cpu" else self._at_once
        waves, loudness = join(drawn)
        waves = waves * loudness[:, None]
        return waves * (0.99 / waves.abs().amax(1, keepdim=True)).clamp_max(1.0)

    def _in_turn(self, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Piece by piece, which is what a CPU is fastest at: the sums [count, length], and the waveforms' gains."""
        table, numbers = drawn.table, drawn.numbers
        out = torch.zeros(drawn.count * self.length)
        for (source, target, length), gain in zip(table.tolist(), numbers[: len(table)].tolist(), strict=True):
            out[target : target + length].add_(drawn.samples[source : source + length], alpha=gain)
        return out.view(drawn.count, -1), torch.from_numpy(numbers[len(table) :])

    def _at_once(self, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """The same by one gather, for devices on which every small operation costs a launch."""
        device, table, total = self.device, drawn.table, int(drawn.table[:, 2].sum())
        samples = drawn.samples.to(device, non_blocking=True)
        source, target, lengths = send(torch.from_numpy(table), device).unbind(1)
        gains, overall = send(torch.from_numpy(drawn.numbers), device).split([len(table), drawn.count])
        piece = torch.repeat_interleave(torch.arange(len(table), device=device), lengths, output_size=total)
        within = torch.arange(total, device=device) - (lengths.cumsum(0) - lengths)[piece]
        out = torch.zeros(drawn.count * self.length, device=device)
        out.index_add_(0, target[piece] + within, samples[source[piece] + within].float() * gains[piece])
        return out.view(drawn.count, -1), overall
