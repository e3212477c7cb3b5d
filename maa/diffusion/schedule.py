"""The noise schedule: how much signal and noise a timestep holds (paper Eq. 4; Appendix D)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maa.config import ScheduleConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Schedule:
    """Signal rate alpha_t and noise rate sigma_t for integer timesteps 0..steps-1, computed in float64.

    z_t = alpha_t z_0 + sigma_t eps with alpha_t^2 + sigma_t^2 = 1.
    """

    def __init__(self, config: ScheduleConfig) -> None:
        import torch

        self.config = config
        roots = torch.linspace(config.beta_start**0.5, config.beta_end**0.5, config.steps, dtype=torch.float64)
        self.betas = roots.square()
        self.alphas_cumprod = torch.cumprod(1.0 - self.betas, dim=0)
        self.alpha = self.alphas_cumprod.sqrt()
        self.sigma = (1.0 - self.alphas_cumprod).sqrt()
        self._on: dict[torch.device, tuple[Tensor, Tensor]] = {}  # the rates as float32 where they are needed

    def rates(self, t: int) -> tuple[float, float]:
        """(alpha_t, sigma_t); t = -1 is the clean latent, (1, 0)."""
        return (1.0, 0.0) if t < 0 else (float(self.alpha[t]), float(self.sigma[t]))

    def add_noise(self, z0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """Draw from q(z_t | z_0) with the given noise: z0 and eps [B, ...], t [B]."""
        alpha, sigma = self.columns(t, z0)
        return alpha * z0 + sigma * eps

    def target(self, z0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """What the network should output: eps (Eq. 1), or v = alpha eps - sigma z_0 (arXiv 2202.00512)."""
        if self.config.prediction == "eps":
            return eps
        alpha, sigma = self.columns(t, z0)
        return alpha * eps - sigma * z0

    def eps_of(self, output: Tensor, z: Tensor, t: Tensor) -> Tensor:
        """The network's output as eps, whatever it predicts."""
        if self.config.prediction == "eps":
            return output
        alpha, sigma = self.columns(t, z)
        return alpha * output + sigma * z

    def columns(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """alpha_t and sigma_t for t [B], shaped [B, 1, …] to multiply `like` [B, …]; looked up on its device.

        The host never waits for t, so a GPU keeps its queue of steps full.
        """
        import torch

        device = like.device
        if device not in self._on:
            self._on[device] = (self.alpha.to(device, torch.float32), self.sigma.to(device, torch.float32))
        index, shape = t.to(device, torch.long), (-1, *([1] * (like.ndim - 1)))
        alpha, sigma = self._on[device]
        return alpha[index].view(shape), sigma[index].view(shape)


def first_timestep(t0: float, schedule: Schedule) -> int:
    """The timestep that SDEdit starts from (Sec. 4.1): round(1000 t0) - 1; -1 means no noise at all."""
    return round(schedule.config.steps * t0) - 1


def timesteps(start: int, count: int) -> list[int]:
    """`count` distinct timesteps from `start` down, evenly spaced; the last one is followed by the clean latent.

    Exact for every count from 1 to start + 1; a larger count gives start + 1 steps.
    """
    count = min(count, start + 1)
    return [round((start + 1) * (count - i) / count) - 1 for i in range(count)]
