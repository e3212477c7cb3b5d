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
from maa.diffusion.solvers import Ddim, DpmSolver, OnStep, Solver, run

if TYPE_CHECKING:
    import torch
    from torch import Tensor


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
    """DDIM (`Ddim`) of z [B, C, H, W] at noise level steps[0]; `steps` descends."""
    return run(Ddim(steps, schedule, eta, end), denoiser, z, noise, on_step)


def dpm_solver(
    denoiser: Denoiser,
    z: Tensor,
    steps: Sequence[int],
    schedule: Schedule,
    on_step: OnStep | None = None,
) -> Tensor:
    """DPM-Solver++(2M) (`DpmSolver`) of z [B, C, H, W] at noise level steps[0]; `steps` descends."""
    return run(DpmSolver(steps, schedule), denoiser, z, None, on_step)


@dataclass(frozen=True)
class Sampler:
    """What distinguishes one sampler from another; everything that asks which one it is asks here.

    Attributes:
        label: for people.
        timesteps: (share of the schedule 0..1, steps of the whole schedule, schedule) to the descending timesteps that
            are run; none for a share that rounds to no noise.
        solver: (timesteps, schedule, eta) to the way through them.
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
    solver: Callable[[Sequence[int], Schedule, float], Solver]
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


def _dpm_solver(steps: Sequence[int], schedule: Schedule, eta: float) -> Solver:
    return DpmSolver(steps, schedule)


DDIM_STEPS = {"instant": 10, "fine": 25}  # of first order, so it takes more
SAMPLERS = {
    "dpm++": Sampler("DPM-Solver++ (fast)", _even_timesteps, _dpm_solver, _take_noise, {"instant": 6, "fine": 12}),
    "ddim": Sampler("DDIM (the paper's)", _even_timesteps, Ddim, _take_noise, DDIM_STEPS, uses_eta=True),
    "official": Sampler(
        "DDIM as the authors run it",
        _official_timesteps,
        partial(Ddim, end=official.END),
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
