"""The authors' sampler, number for number: their timesteps, their end, their seeds and their way back from a sound.

It exists to reproduce published results and to compare with; the other samplers do better in fewer steps. It differs
from plain DDIM in four habits: the stride is rounded down, so many step counts run a different number of steps; the
first timestep is the stride's multiple plus one, never the schedule's last; sampling ends at t = 0, not at the clean
latent; and the noise of all candidates comes from one NumPy generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from maa.device import send

if TYPE_CHECKING:
    import torch
    from torch import Tensor

COLUMNS = 80  # of their 10 s (gen_wav.py): int(7.8 s) rounded up to a multiple of four, two more than they trained on
END = 0  # the timestep where the authors' DDIM stops: alpha_prev of the last step is alpha_0, not 1


def official_timesteps(count: int, length: int = 1000) -> list[int]:
    """The authors' timesteps for `count` steps of a schedule of `length`, descending.

    Raises:
        ValueError: their rounding runs past the end of the schedule for this count, so their code cannot run it.
    """
    if not 0 < count < length or not _runs(count, length):
        nearest = min((n for n in range(1, length) if _runs(n, length)), key=lambda n: abs(n - count))
        raise ValueError(f"The official sampler cannot run {count} steps; {nearest} is the nearest count that it can.")
    return [t + 1 for t in reversed(range(0, length, length // count))]


def _runs(count: int, length: int) -> bool:
    stride = length // count
    return stride * ((length - 1) // stride) + 1 < length


def strength_steps(t0: float, steps: Sequence[int]) -> list[int]:
    """The last int(t0 * steps) of the descending `steps`, at least one: what personalisation runs (Sec. 4.1)."""
    return list(steps[len(steps) - max(1, int(t0 * len(steps))) :])


def start_step(run: Sequence[int], steps: Sequence[int], mismatch: bool) -> int:
    """The timestep whose noise level personalisation starts from.

    It is the first one that is run. With `mismatch` it is the one before it, as in the authors' script: the network is
    then told less noise than there is, by one step. Only for comparison.
    """
    index = len(steps) - len(run)
    return steps[index - 1] if mismatch and index > 0 else run[0]


class CandidateNoise:
    """Standard normal draws of candidates 0, 1, … of one seed, as `RandomState(seed).randn(n, …)` gives them.

    Candidate k is the same for any n > k. Draws after the first (eta > 0), which the authors do not seed, come from a
    generator per candidate.
    """

    def __init__(self, seed: int, candidates: Sequence[int], device: torch.device) -> None:
        import torch

        self.seed = seed
        self.candidates = list(candidates)
        self.device = device
        self._started = False
        self._later = [torch.Generator("cpu").manual_seed((seed + k) % 2**32) for k in candidates]

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """[candidates, *shape]."""
        import torch

        if self._started:
            return send(torch.stack([torch.randn(shape, generator=g) for g in self._later]), self.device)
        self._started = True
        rows = np.random.RandomState(self.seed).randn(max(self.candidates) + 1, *shape)  # theirs
        return send(torch.from_numpy(rows[self.candidates].astype(np.float32)), self.device)
