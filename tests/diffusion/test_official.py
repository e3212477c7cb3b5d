"""The authors' sampler: their timesteps, their numbers, their seeds, and their step too much."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch
from torch import Tensor

from maa import MakeAnAudio, Sampling
from maa.config import ScheduleConfig
from maa.diffusion.denoiser import Denoiser, guided
from maa.diffusion.official import END, CandidateNoise, official_timesteps, start_step, strength_steps
from maa.diffusion.samplers import ddim
from maa.diffusion.schedule import Schedule
from tests.models.weights import error
from tests.reference import reference
from tests.sounds import sine_wave

CONFIGS = {"text": ScheduleConfig(), "inpaint": ScheduleConfig(beta_start=0.0015, beta_end=0.0205)}


class Toy:
    """A condition that is a number."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def then(self, other: Toy) -> Toy:
        return Toy(*self.values, *other.values)


def toy_denoiser(schedule: Schedule) -> Denoiser:
    """The reference's stand-in for a network: eps(x, t, c) = tanh(x) cos(t / 1000) c, guidance 3 from c = 0.5 to 1."""

    def network(z: Tensor, t: Tensor, condition: Toy) -> Tensor:
        weight = torch.tensor(condition.values).repeat_interleave(len(z) // len(condition.values))
        return z.tanh() * torch.cos(t / 1000.0)[:, None, None, None] * weight[:, None, None, None]

    return guided(network, schedule, Toy(1.0), Toy(0.5), 3.0)


def noise(name: str) -> Tensor:
    draw = np.random.RandomState(zlib.crc32(name.encode())).standard_normal((2, 4, 10, 8))
    return torch.from_numpy(draw.astype(np.float32))


@pytest.mark.parametrize("prefix", CONFIGS)
@pytest.mark.parametrize("count", [10, 25, 50, 100])
def test_steps_and_rates(prefix: str, count: int) -> None:
    data, schedule = reference("ddim"), Schedule(CONFIGS[prefix])
    steps = official_timesteps(count)
    assert steps[::-1] == data[f"{prefix}_{count}_timesteps"].tolist()
    ahead = [*steps[1:], END]
    for name, ours in (("alphas", steps), ("alphas_prev", ahead)):
        rates = [schedule.rates(t)[0] ** 2 for t in ours][::-1]
        assert np.abs(np.array(rates) - data[f"{prefix}_{count}_{name}"]).max() <= 1e-5


@pytest.mark.parametrize("prefix", CONFIGS)
@pytest.mark.parametrize("count", [10, 100])
def test_samples(prefix: str, count: int) -> None:
    data, schedule = reference("ddim"), Schedule(CONFIGS[prefix])
    made = ddim(toy_denoiser(schedule), torch.from_numpy(data["xT"]), official_timesteps(count), schedule, end=END)
    assert error(made, data[f"{prefix}_{count}_cfg3_sample"]) <= 1e-5


@pytest.mark.parametrize("prefix", CONFIGS)
def test_sdedit_with_the_authors_step_too_much(prefix: str) -> None:
    data, schedule = reference("ddim"), Schedule(CONFIGS[prefix])
    every = official_timesteps(100)
    run = strength_steps(0.3, every)
    alpha, sigma = schedule.rates(start_step(run, every, mismatch=True))
    z = alpha * noise("sdedit.z0") + sigma * noise("sdedit.noise")
    assert error(z, data[f"{prefix}_sdedit30_enc"]) <= 1e-5
    made = ddim(toy_denoiser(schedule), z, run, schedule, end=END)
    assert error(made, data[f"{prefix}_sdedit30_dec"]) <= 1e-5


def test_without_the_mismatch_noise_and_network_agree() -> None:
    every = official_timesteps(100)
    run = strength_steps(0.3, every)
    assert len(run) == 30 and run[0] == 291
    assert start_step(run, every, mismatch=False) == 291
    assert start_step(run, every, mismatch=True) == 301
    assert strength_steps(1.0, every) == every and start_step(every, every, mismatch=True) == 991
    assert strength_steps(0.001, every) == [1]


def test_counts_that_their_rounding_cannot_run_are_refused_and_a_near_one_is_named() -> None:
    for count in range(1, 1200):
        stride = 1000 // count
        theirs = [t + 1 for t in range(0, 1000, stride)] if stride else [1000]
        if max(theirs) < 1000 and count < 1000:
            assert official_timesteps(count) == theirs[::-1]
            continue
        with pytest.raises(ValueError, match=f"cannot run {count} steps") as raised:
            official_timesteps(count)
        official_timesteps(int(str(raised.value).split("; ")[1].split()[0]))


def test_candidates_are_rows_of_one_draw() -> None:
    wanted = np.random.RandomState(44).randn(3, 4, 10, 8).astype(np.float32)
    together = CandidateNoise(44, [0, 1, 2], torch.device("cpu"))
    assert np.array_equal(together.draw((4, 10, 8)).numpy(), wanted)
    assert np.array_equal(CandidateNoise(44, [2], torch.device("cpu")).draw((4, 10, 8))[0].numpy(), wanted[2])
    later = together.draw((4, 10, 8))
    alone = CandidateNoise(44, [1], torch.device("cpu"))
    alone.draw((4, 10, 8))
    assert torch.equal(alone.draw((4, 10, 8))[0], later[1])


def test_the_pipeline_runs_it(tiny: MakeAnAudio) -> None:
    steps: list[int] = []
    options = Sampling(steps=84, seed=3, count=2, sampler="official")
    takes = tiny.text_to_audio("rain", options, seconds=1, on_step=lambda step, total, _: steps.append(total))
    assert steps[0] == 2 * 91  # the authors' rounding turns 84 into 91
    assert takes.seeds == (3, 3) and not np.array_equal(takes.audio[0], takes.audio[1])
    one = tiny.text_to_audio("rain", Sampling(steps=84, seed=3, sampler="official"), seconds=1)
    assert any(np.array_equal(one.audio[0], audio) for audio in takes.audio)


def test_mismatch_changes_a_personalisation_and_nothing_else(tiny: MakeAnAudio) -> None:
    sound = (16_000, sine_wave(rate=16_000, seconds=1.0)[0])
    plain, odd = (
        tiny.personalize(sound, "rain", Sampling(10, seed=1, sampler="official", mismatch=mismatch), t0=0.5)
        for mismatch in (False, True)
    )
    assert not np.array_equal(plain.audio, odd.audio)
    assert "mismatch" not in plain.settings and odd.settings["mismatch"] is True
    with pytest.raises(ValueError, match="choose the sampler official"):
        Sampling(mismatch=True)


def test_a_count_it_cannot_run_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(ValueError, match="35 is the nearest"):
        Sampling(steps=36, sampler="official")
