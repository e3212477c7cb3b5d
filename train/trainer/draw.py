"""All the randomness of a training step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Draw:
    """The randomness of one step for one of several processes that share each batch.

    It depends on the seed, the step and the sample and on nothing else: a resumed run is the same run, and two
    processes with half of the batch each compute what one computes with all of it.

    Args:
        seed, step: of the run.
        progress: how much of the run is done, 0 to 1.
        rank, processes: sample i of a batch belongs to process i % processes.
    """

    def __init__(self, seed: int, step: int, progress: float, rank: int = 0, processes: int = 1) -> None:
        self.seed, self.step, self.progress = seed, step, progress
        self.rank, self.processes = rank, processes

    def rng(self, *key: int) -> np.random.Generator:
        """A generator for what is common to the batch; for sample i use `rng(1, i)`."""
        return np.random.default_rng([self.seed, self.step, *key])

    def samples(self, batch: int) -> range:
        """Indices in the whole batch of this process's `batch` samples."""
        return range(self.rank, batch * self.processes, self.processes)

    def normal(self, like: Tensor, key: int = 0) -> Tensor:
        """Gaussian noise for this process's rows of a batch: as `like` [B, ...]."""
        seed = int(np.random.SeedSequence([self.seed, self.step, 2, key]).generate_state(1)[0])
        source = torch.Generator(like.device).manual_seed(seed)
        whole = (like.shape[0] * self.processes, *like.shape[1:])
        return torch.randn(whole, generator=source, device=like.device)[self.rank :: self.processes]
