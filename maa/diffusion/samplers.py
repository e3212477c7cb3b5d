"""Samplers: a denoiser, a start and timesteps in, a clean latent out. They know no network, no task and no device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from maa.diffusion import official
from maa.diffusion.denoiser import Denoiser
from maa.diffusion.noise import Noise, TakeNoise, take_seeds
from maa.diffusion.schedule import Schedule, first_timestep, timesteps

if TYPE_CHECKING:
    import torch
    from torch import Tensor

OnStep = Callable[[int, int, "Tensor"], None]  # steps done, steps in all, present estimate of the clean latent


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
    import torch

    return torch.full((z.shape[0],), t, device=z.device, dtype=torch.long)


@dataclass(frozen=True)
class Sampler:
    """What distinguishes one sampler from another; everything that asks which one it is asks here.

    Attributes:
        label: for people.
        timesteps: (share of the schedule 0..1, steps of the whole schedule, schedule) to the descending timesteps that
            are run; none for a share that rounds to no noise.
        run: (denoiser, z, timesteps, schedule, on_step, eta, noise) to the clean latent.
        noise: (seed, takes, device) to the draws of these takes of a request, counted from 0.
        usual: steps of the whole schedule where nobody chooses, by quality.
        uses_eta: whether eta adds noise.
        candidates: takes share one seed, as rows of one draw; else take k has the seed + k.
        published: it repeats the authors' scripts, so everything around it does, too: their network for inpainting is
            not held to the known sound, a user's sound enters as they read it, and no take has faded ends.
        longest: latent columns that run as one window where the network has learned from fewer.
        check: raises ValueError for a number of steps that it cannot run.
    """

    label: str
    timesteps: Callable[[float, int, Schedule], list[int]]
    run: Callable[[Denoiser, Tensor, Sequence[int], Schedule, OnStep | None, float, Noise], Tensor]
    noise: Callable[[int, Sequence[int], torch.device], Noise]
    usual: Mapping[str, int]
    uses_eta: bool = False
    candidates: bool = False
    published: bool = False
    longest: int = 0
    check: Callable[[int], object] = lambda steps: None

    def seeds(self, seed: int, count: int) -> tuple[int, ...]:
        """The seed of each take of a request."""
        return (seed,) * count if self.candidates else take_seeds(seed, count)


def _even_timesteps(strength: float, steps: int, schedule: Schedule) -> list[int]:
    return timesteps(first_timestep(strength, schedule), max(1, math.ceil(strength * steps)))


def _official_timesteps(strength: float, steps: int, schedule: Schedule) -> list[int]:
    length, first = schedule.config.steps, first_timestep(strength, schedule)
    return (
        official.strength_steps((first + 1) / length, official.official_timesteps(steps, length)) if first >= 0 else []
    )


def _take_noise(seed: int, takes: Sequence[int], device: torch.device) -> Noise:
    return TakeNoise([take_seeds(seed, take + 1)[take] for take in takes], device)


def _run_dpm_solver(
    denoiser: Denoiser, z: Tensor, steps: Sequence[int], schedule: Schedule, on_step: OnStep | None, *_: object
) -> Tensor:
    return dpm_solver(denoiser, z, steps, schedule, on_step)


def _run_ddim(
    denoiser: Denoiser,
    z: Tensor,
    steps: Sequence[int],
    schedule: Schedule,
    on_step: OnStep | None,
    eta: float,
    noise: Noise,
    end: int = -1,
) -> Tensor:
    return ddim(denoiser, z, steps, schedule, on_step, eta=eta, noise=noise, end=end)


DDIM_STEPS = {"instant": 10, "fine": 25}  # of first order, so it takes more
SAMPLERS = {
    "dpm++": Sampler("DPM-Solver++ (fast)", _even_timesteps, _run_dpm_solver, _take_noise, {"instant": 6, "fine": 12}),
    "ddim": Sampler("DDIM (the paper's)", _even_timesteps, _run_ddim, _take_noise, DDIM_STEPS, uses_eta=True),
    "official": Sampler(
        "DDIM as the authors run it",
        _official_timesteps,
        partial(_run_ddim, end=official.END),
        official.CandidateNoise,
        DDIM_STEPS,
        uses_eta=True,
        candidates=True,
        published=True,
        longest=official.COLUMNS,
        check=official.official_timesteps,
    ),
}


def sampler_named(name: object) -> Sampler:
    """The sampler of that name.

    Raises:
        ValueError: there is none.
    """
    if not isinstance(name, str) or name not in SAMPLERS:
        raise ValueError(f"There is no sampler {name!r}; choose one of {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]
