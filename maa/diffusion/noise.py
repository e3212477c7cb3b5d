"""Randomness of a take: one generator each, on the CPU, so that a seed means the same in any batch on any device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from maa.device import send

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Noise(Protocol):
    """Standard normal draws for the takes of one batch."""

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """[takes, *shape], each row its own take's."""


class TakeNoise:
    """Standard normal draws for several takes, one generator per seed."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        import torch

        self.device = device
        self.generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """[takes, *shape], each row from its own generator."""
        import torch

        return send(torch.stack([torch.randn(shape, generator=g) for g in self.generators]), self.device)


class RowNoise:
    """The draws of several batches behind one another: takes of different seeds in one batch."""

    def __init__(self, batches: Sequence[Noise]) -> None:
        self.batches = list(batches)

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """[takes of all batches, *shape]."""
        import torch

        return torch.cat([one.draw(shape) for one in self.batches])


def take_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Seeds of `count` takes: the given one and its successors, below 2^32."""
    return tuple((seed + k) % 2**32 for k in range(count))
