"""Windows of one sound have one mean, whatever the order in which they take their steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from maa import MakeAnAudio, Sampling
from maa.config import ScheduleConfig
from maa.diffusion.anchor import anchored
from maa.diffusion.samplers import sampler_named
from maa.diffusion.schedule import Schedule
from maa.diffusion.wavefront import in_fronts, one_by_one, reach, step_by_step, swept
from maa.diffusion.windows import plan
from maa.pipeline.conditioning import of_pictures
from maa.pipeline.render import Start, window_parts
from maa.pipeline.seen import Seen

SCHEDULE = Schedule(ScheduleConfig())


def answer(windows: Sequence[int], z: Tensor, t: Tensor) -> Tensor:
    """Every window leads somewhere else."""
    return torch.cat([torch.tanh(piece + 0.3 * w) for w, piece in zip(windows, z.chunk(len(windows)), strict=True)])


def mean_of(z: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    alpha, sigma = SCHEDULE.columns(t, z)
    return ((z - sigma * eps) / alpha).mean(3)


def test_a_window_has_the_mean_of_its_first_one_and_nobody_elses() -> None:
    ask = anchored(answer, SCHEDULE, [0, 0, 2, 2])
    torch.manual_seed(0)
    z = torch.randn(4, 2, 4, 10, 20)
    for step in (999, 600, 200):
        t = torch.full((2,), step)
        eps = [ask([window], z[window], t) for window in range(4)]
        means = [mean_of(z[window], t, eps[window]) for window in range(4)]
        assert torch.allclose(means[0], means[1], atol=1e-4) and torch.allclose(means[2], means[3], atol=1e-4)
        assert not torch.allclose(means[0], means[2], atol=0.05)
        for window in (0, 2):
            assert torch.equal(eps[window], answer([window], z[window], t))
        change = eps[1] - answer([1], z[1], t)
        assert torch.allclose(change, change.mean(3, keepdim=True).expand_as(change), atol=1e-5)


def test_any_order_makes_the_same_sound() -> None:
    kind = sampler_named("dpm++")
    solver = kind.solver(kind.timesteps(1.0, 5, SCHEDULE), SCHEDULE, 0.0)
    for columns in (80, 142, 300):
        spans = plan(columns, 78, 16)
        z = torch.randn(2, 4, 10, columns, generator=torch.Generator().manual_seed(columns))
        windows, steps, behind = len(spans), len(solver.steps), reach(spans)
        orders = [
            one_by_one(windows, steps, behind),
            in_fronts(windows, steps, behind),
            step_by_step(windows, steps, 3),
        ]
        made = [swept(spans, order, anchored(answer, SCHEDULE, [0] * windows), solver, z) for order in orders]
        assert all(torch.allclose(one, made[0], atol=1e-4) for one in made)
        free = swept(spans, one_by_one(windows, steps, behind), answer, solver, z)
        assert not torch.allclose(free, made[0], atol=0.01)


@pytest.mark.parametrize(("prompt", "seed", "loop"), [("wind", 1, False), ("a river", 7, False), ("rain", 0, True)])
def test_a_long_sound_stays_what_it_is(
    small: MakeAnAudio, monkeypatch: pytest.MonkeyPatch, prompt: str, seed: int, loop: bool
) -> None:
    from maa.pipeline import render

    def apart() -> float:
        """rms over bands, in dB, between what two windows have for themselves."""
        made = small.text_to_audio(prompt, Sampling(quality="instant", seed=seed), seconds=18.0, loop=loop)
        seconds = np.maximum(made.mel[0], -4.0)[:, : 18 * 62].reshape(80, 18, 62)
        bands = 20 * np.log10(np.power(10.0, seconds).mean(2))
        return float(np.sqrt(np.mean((bands[:, 1:7].mean(1) - bands[:, 11:17].mean(1)) ** 2)))

    held = apart()
    monkeypatch.setattr(render, "anchored", lambda answer, schedule, firsts: answer)
    assert held < 2.0 and apart() > 2 * held


def test_windows_of_a_clip_that_are_heard_as_the_same_share_a_condition(tiny: MakeAnAudio) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    words = [(("rain", 0.9),), (("rain", 0.8), ("wind", 0.2)), (("a dog", 0.9),), (("rain", 1.0),)]
    seen = [Seen(0.0, 1.0, (picture,), one) for one in words]
    for prompt, kinds in (("", [0, 0, 2, 0]), ("thunder", [0, 0, 0, 0])):
        found = of_pictures(tiny.model, tiny.model, seen, tiny.understood(prompt, literal=True)).contexts
        spans = plan(4 * 62 + 16, 78, 16)
        assert Start(*found[0], 0, parts=window_parts(spans, found)).firsts == kinds
