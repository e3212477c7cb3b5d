"""Solvers: what becomes of each cell of a latent in one step, from what the denoiser said of it.

No cell looks at another one, so a latent may be taken through the steps as a whole or stretch by stretch: the bytes are
the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from maa.diffusion.denoiser import Denoiser
from maa.diffusion.noise import Noise
from maa.diffusion.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor

OnStep = Callable[[int, int, "Tensor"], None]  # steps done, steps in all, present estimate of the clean latent


class Solver(Protocol):
    """A way through descending timesteps."""

    @property
    def steps(self) -> Sequence[int]:
        """The timesteps that are run, descending."""

    def fresh(self, index: int) -> float:
        """How much fresh noise the step of that index (from 0) adds; 0 = none is drawn."""

    def step(
        self, index: int, z: Tensor, eps: Tensor, before: Tensor | None, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The same cells [B, C, H, w] at the next noise level, and their estimate of the clean latent.

        Args:
            index: of the step, from 0.
            z: at noise level steps[index].
            eps: the denoiser's answer.
            before: the estimate of the step before; None at the first.
            noise: fresh, where `fresh` asks for some.
        """


@dataclass(frozen=True)
class Ddim:
    """DDIM (arXiv 2010.02502, Eq. 12 and 16): deterministic at eta = 0, ancestral at eta = 1.

    The last step is followed by timestep `end`: -1 is the clean latent, 0 where the authors' code stops.
    """

    steps: Sequence[int]
    schedule: Schedule
    eta: float = 0.0
    end: int = -1

    def fresh(self, index: int) -> float:
        (alpha, sigma), (alpha_next, sigma_next) = self._rates(index)
        return self.eta * (sigma_next / sigma) * math.sqrt(max(0.0, 1.0 - (alpha / alpha_next) ** 2))

    def step(
        self, index: int, z: Tensor, eps: Tensor, before: Tensor | None, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        (alpha, sigma), (alpha_next, sigma_next) = self._rates(index)
        fresh = self.fresh(index)
        z0 = (z - sigma * eps) / alpha
        z = alpha_next * z0 + math.sqrt(max(0.0, sigma_next**2 - fresh**2)) * eps
        return (z if noise is None else z + fresh * noise), z0

    def _rates(self, index: int) -> tuple[tuple[float, float], tuple[float, float]]:
        following = self.steps[index + 1] if index + 1 < len(self.steps) else self.end
        return self.schedule.rates(self.steps[index]), self.schedule.rates(following)


@dataclass(frozen=True)
class DpmSolver:
    """DPM-Solver++(2M) (arXiv 2211.01095, Algorithm 2): second order from the previous step's estimate, in log-SNR.

    The first and the last step are first order: there is no history yet, and the clean end lies at infinite log-SNR.
    """

    steps: Sequence[int]
    schedule: Schedule

    def fresh(self, index: int) -> float:
        return 0.0

    def step(
        self, index: int, z: Tensor, eps: Tensor, before: Tensor | None, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        alpha, sigma = self.schedule.rates(self.steps[index])
        z0 = (z - sigma * eps) / alpha
        if index + 1 == len(self.steps):
            return z0, z0
        alpha_next, sigma_next = self.schedule.rates(self.steps[index + 1])
        h = self._log_snr(index + 1) - self._log_snr(index)
        estimate = z0
        if before is not None:
            ratio = (self._log_snr(index) - self._log_snr(index - 1)) / h
            estimate = (1 + 0.5 / ratio) * z0 - (0.5 / ratio) * before
        return (sigma_next / sigma) * z - alpha_next * math.expm1(-h) * estimate, z0

    def _log_snr(self, index: int) -> float:
        alpha, sigma = self.schedule.rates(self.steps[index])
        return math.log(alpha / sigma)


def run(
    solver: Solver, denoiser: Denoiser, z: Tensor, noise: Noise | None = None, on_step: OnStep | None = None
) -> Tensor:
    """The clean latent [B, C, H, W] of z at the first timestep's noise level, all of it in every step."""
    before: Tensor | None = None
    for index, t in enumerate(solver.steps):
        eps = denoiser(z, full(z, t))
        draw = noise is not None and solver.fresh(index) > 0.0
        z, before = solver.step(index, z, eps, before, noise.draw(tuple(z.shape[1:])) if noise and draw else None)
        if on_step is not None:
            on_step(index + 1, len(solver.steps), before)
    return z


def full(z: Tensor, t: int) -> Tensor:
    """A timestep for every row of z [B, ...]: int64 [B] on its device."""
    import torch

    return torch.full((z.shape[0],), t, device=z.device, dtype=torch.long)
