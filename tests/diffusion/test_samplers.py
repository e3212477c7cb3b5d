"""Schedules and samplers against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from maa.config import ScheduleConfig
from maa.diffusion.denoiser import guided, keep_known
from maa.diffusion.noise import TakeNoise, take_seeds
from maa.diffusion.samplers import SAMPLERS, ddim, dpm_solver, sampler_named
from maa.diffusion.schedule import Schedule, first_timestep, timesteps
from tests.reference import reference

MEAN, STD = 2.0, 0.5


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return Schedule(ScheduleConfig())


def gaussian_eps(schedule: Schedule):
    """The exact eps for data N(2, 0.5^2)."""

    def eps(z: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = schedule.rates(int(t[0]))
        return sigma * (z - alpha * MEAN) / (alpha**2 * STD**2 + sigma**2)

    return eps


def test_schedule_matches_reference(schedule: Schedule) -> None:
    data = reference("ddim")
    for prefix, config in (("text", ScheduleConfig()), ("inpaint", ScheduleConfig(beta_start=0.0015, beta_end=0.0205))):
        made = Schedule(config)
        assert torch.allclose(made.betas.float(), torch.from_numpy(data[f"{prefix}_betas"]).float(), rtol=1e-6)
        wanted = torch.from_numpy(data[f"{prefix}_alphas_cumprod"]).float()
        assert torch.allclose(made.alphas_cumprod.float(), wanted, rtol=1e-5)


def test_step_counts_are_exact() -> None:
    for count in range(1, 1001):
        steps = timesteps(999, count)
        assert len(steps) == len(set(steps)) == count
        assert steps[0] == 999 and steps[-1] >= 0 and steps == sorted(steps, reverse=True)


def test_start_of_t0(schedule: Schedule) -> None:
    assert [first_timestep(t0, schedule) for t0 in (0.0, 0.2, 0.5, 1.0)] == [-1, 199, 499, 999]


@pytest.mark.parametrize("count", [25, 100])
@pytest.mark.parametrize("sampler", [ddim, dpm_solver])
def test_samples_the_gaussian(schedule: Schedule, sampler, count: int) -> None:
    torch.manual_seed(0)
    alpha, sigma = schedule.rates(999)
    start = alpha * (MEAN + STD * torch.randn(4000, 1, 1, 1)) + sigma * torch.randn(4000, 1, 1, 1)
    made = sampler(gaussian_eps(schedule), start, timesteps(999, count), schedule)
    assert made.mean().item() == pytest.approx(MEAN, abs=0.03)
    assert made.std().item() == pytest.approx(STD, abs=0.06)


def test_dpm_solver_is_closer_to_the_limit_than_ddim(schedule: Schedule) -> None:
    torch.manual_seed(0)
    start = torch.randn(64, 1, 1, 1)
    eps = gaussian_eps(schedule)
    limit = ddim(eps, start, timesteps(999, 1000), schedule)
    error = {s.__name__: (s(eps, start, timesteps(999, 25), schedule) - limit).abs().mean() for s in (ddim, dpm_solver)}
    assert error["dpm_solver"] < error["ddim"]


def test_ancestral_ddim_keeps_the_spread(schedule: Schedule) -> None:
    torch.manual_seed(0)
    noise = TakeNoise(range(2000), torch.device("cpu"))
    made = ddim(gaussian_eps(schedule), noise.draw((1, 1, 1)), timesteps(999, 100), schedule, eta=1.0, noise=noise)
    assert made.std().item() == pytest.approx(STD, abs=0.06)


def test_v_and_eps_agree() -> None:
    schedule = Schedule(ScheduleConfig(prediction="v"))
    z0, eps, t = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2), torch.tensor([0, 500, 999])
    z = schedule.add_noise(z0, eps, t)
    assert torch.allclose(schedule.eps_of(schedule.target(z0, eps, t), z, t), eps, atol=1e-5)


class Number:
    """A condition that is a number per sample."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def then(self, other: Number) -> Number:
        return Number(self.values + other.values)


def test_guidance_is_one_call_of_equation_2(schedule: Schedule) -> None:
    calls = []

    def network(z: Tensor, t: Tensor, condition: Number) -> Tensor:
        calls.append(len(z))
        return torch.tensor(condition.values).view(-1, 1, 1, 1).expand_as(z)

    z, t = torch.zeros(1, 1, 2, 2), torch.tensor([10])
    assert guided(network, schedule, Number([2.0]), Number([1.0]), 3.0)(z, t).mean() == 1.0 + 3.0 * (2.0 - 1.0)
    assert guided(network, schedule, Number([2.0]), Number([1.0]), 1.0)(z, t).mean() == 2.0
    assert calls == [2, 1]


@pytest.mark.parametrize("sampler", [ddim, dpm_solver])
def test_known_region_comes_back_exactly(schedule: Schedule, sampler) -> None:
    known, make = torch.randn(1, 4, 10, 8), torch.zeros(1, 1, 10, 8)
    make[..., 3:5] = 1.0
    denoiser = keep_known(lambda z, t: torch.tanh(z), schedule, known, make)
    made = sampler(denoiser, torch.randn(1, 4, 10, 8), timesteps(999, 20), schedule)
    kept = (make < 0.5).expand_as(made)
    assert torch.allclose(made[kept], known[kept], atol=1e-3)
    assert not torch.allclose(made[~kept], known[~kept], atol=0.1)


def test_a_takes_noise_does_not_depend_on_its_batch() -> None:
    seeds = take_seeds(2**32 - 1, 3)
    assert seeds == (2**32 - 1, 0, 1)
    together = TakeNoise(seeds, torch.device("cpu")).draw((4, 2))
    alone = TakeNoise(seeds[1:2], torch.device("cpu")).draw((4, 2))
    assert torch.equal(together[1:2], alone)


def test_an_unknown_sampler_is_an_error() -> None:
    for name in ("euler", "", None, ["ddim"]):
        with pytest.raises(ValueError, match=r"choose one of dpm\+\+, ddim, official"):
            sampler_named(name)


def test_sampler_records_say_what_is_run() -> None:
    schedule = Schedule(ScheduleConfig())
    for name, sampler in SAMPLERS.items():
        assert sampler.timesteps(0.0, 25, schedule) == []
        whole = sampler.timesteps(1.0, 25, schedule)
        assert len(whole) == 25 and sorted(whole, reverse=True) == whole
        assert sampler.timesteps(0.4, 25, schedule)[0] == (361 if name == "official" else 399)
        assert sampler.seeds(7, 3) == ((7, 7, 7) if name == "official" else (7, 8, 9))
    assert len(SAMPLERS["official"].timesteps(1.0, 30, schedule)) == 31
    with pytest.raises(ValueError, match="nearest"):
        SAMPLERS["official"].check(600)
