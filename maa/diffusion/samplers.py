"""Samplers: a denoiser, a start and timesteps in, a clean latent out. They know no network, no task and no device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from maa.diffusion.guidance import Denoiser
from maa.diffusion.noise import Noise
from maa.diffusion.schedule import Schedule

OnStep = Callable[[int, int, Tensor], None]  # steps done, steps in all, present estimate of the clean latent
SAMPLERS = ("dpm++", "ddim", "official")


def ddim(
    denoiser: Denoiser,
    z: Tensor,
    steps: Sequence[int],
    schedule: Schedule,
    on_step: OnStep | None = None,
    *,
    eta: float = 0.0,
    noise: Noise | None = None,
    end: int = -1,
) -> Tensor:
    """DDIM (arXiv 2010.02502, Eq. 12 and 16): deterministic at eta = 0, ancestral at eta = 1.

    z [B, C, H, W] at noise level steps[0]; `steps` descends. The last one is followed by timestep `end`: -1 is the
    clean latent, 0 where the authors' code stops.
    """
    for index, t in enumerate(steps):
        alpha, sigma = schedule.rates(t)
        alpha_next, sigma_next = schedule.rates(steps[index + 1] if index + 1 < len(steps) else end)
        eps = denoiser(z, _full(z, t))
        z0 = (z - sigma * eps) / alpha
        fresh = eta * (sigma_next / sigma) * math.sqrt(max(0.0, 1.0 - (alpha / alpha_next) ** 2))
        z = alpha_next * z0 + math.sqrt(max(0.0, sigma_next**2 - fresh**2)) * eps
        if fresh > 0.0 and noise is not None:
            z = z + fresh * noise.draw(tuple(z.shape[1:]))
        if on_step is not None:
            on_step(index + 1, len(steps), z0)
    return z


def dpm_solver(
    denoiser: Denoiser,
    z: Tensor,
    steps: Sequence[int],
    schedule: Schedule,
    on_step: OnStep | None = None,
) -> Tensor:
    """DPM-Solver++(2M) (arXiv 2211.01095, Algorithm 2): second order from the previous step's estimate, in log-SNR.

    The first and the last step are first order: there is no history yet, and the clean end lies at infinite log-SNR.
    """
    previous: Tensor | None = None
    h_last = 0.0
    for index, t in enumerate(steps):
        alpha, sigma = schedule.rates(t)
        z0 = (z - sigma * denoiser(z, _full(z, t))) / alpha
        if index + 1 == len(steps):
            z = z0
        else:
            alpha_next, sigma_next = schedule.rates(steps[index + 1])
            h = math.log(alpha_next / sigma_next) - math.log(alpha / sigma)
            estimate = z0
            if previous is not None:
                ratio = h_last / h
                estimate = (1 + 0.5 / ratio) * z0 - (0.5 / ratio) * previous
            z = (sigma_next / sigma) * z - alpha_next * math.expm1(-h) * estimate
            previous, h_last = z0, h
        if on_step is not None:
            on_step(index + 1, len(steps), z0)
    return z


def _full(z: Tensor, t: int) -> Tensor:
    return torch.full((z.shape[0],), t, device=z.device, dtype=torch.long)
