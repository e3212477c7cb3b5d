"""A library's samples where training puts clips together: all of them on its device, or what it is about to use."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maa.device import pins
from train.data.library import Library
from train.data.shards import Shards

BEFORE, BEHIND = 1, 3  # samples beside a stretch that interpolation looks at

Held = tuple[Tensor, NDArray[np.int64]]  # samples int16 [M], and by how much each stretch lies further ahead in them


class SampleStore(Protocol):
    """Where samples come from."""

    def hold(self, first: NDArray[np.int64], count: NDArray[np.int64]) -> Held:
        """Samples that stretches [N] of `count` of them, from number `first` of the library on, are found in."""


class Resident:
    """A library that lies on the device as a whole: an hour at 16 kHz is 115 MB."""

    def __init__(self, samples: NDArray[np.int16], device: torch.device) -> None:
        self.samples = torch.from_numpy(samples).to(device)

    def hold(self, first: NDArray[np.int64], count: NDArray[np.int64]) -> Held:
        """All of them, where they are."""
        return self.samples, np.zeros(len(first), np.int64)


class Streamed:
    """A library in shards: what is asked for is read into a tensor of the CPU, pinned if the device is a GPU."""

    def __init__(self, shards: Shards, device: torch.device) -> None:
        self.shards, self.pinned = shards, pins(device)

    def hold(self, first: NDArray[np.int64], count: NDArray[np.int64]) -> Held:
        """The stretches one after another, in the order of the disk, each with what interpolation needs beside it."""
        begin, end = first - BEFORE, first + count + BEHIND
        order = np.argsort(begin, kind="stable")
        at = np.empty(len(first), np.int64)
        at[order] = np.cumsum(np.concatenate([[0], (end - begin)[order][:-1]]))
        held = torch.empty(int((end - begin).sum()), dtype=torch.int16, pin_memory=self.pinned)
        into = held.numpy()
        for i in order.tolist():
            self._read(int(begin[i]), into[at[i] : at[i] + end[i] - begin[i]])
        return held, at - begin

    def _read(self, first: int, into: NDArray[np.int16]) -> None:
        """As `Shards.read`; before the library's first sample and behind its last these go on."""
        before = max(0, -first)
        behind = max(before, min(len(into), len(self.shards) - first))
        self.shards.read(first + before, into[before:behind])
        into[:before], into[behind:] = into[before], into[behind - 1]


def sound_of(library: Library, device: torch.device) -> SampleStore:
    """A library's samples for training on a device."""
    if isinstance(library.store, Shards):
        return Streamed(library.store, device)
    return Resident(library.store, device)


def joined_stretches(parts: list[Held]) -> Held:
    """What several calls of `Sound.hold` gave, as if it had been one."""
    starts = np.cumsum([0, *(len(samples) for samples, _ in parts[:-1])])
    moved = [shift + start for (_, shift), start in zip(parts, starts, strict=True)]
    return torch.cat([samples for samples, _ in parts]), np.concatenate(moved)
