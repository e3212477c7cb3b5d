"""Windows that take their steps in another order: the same bytes, and the left end is done long before the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from maa.config import ScheduleConfig
from maa.diffusion.noise import TakeNoise
from maa.diffusion.samplers import SAMPLERS, sampler_named
from maa.diffusion.schedule import Schedule
from maa.diffusion.solvers import Solver, run
from maa.diffusion.wavefront import Front, in_fronts, one_by_one, reach, step_by_step, swept
from maa.diffusion.windows import Span, joined, plan, windowed

CPU = torch.device("cpu")
ORDERS = [one_by_one, in_fronts, lambda windows, steps, reach: step_by_step(windows, steps, 3)]
Order = Callable[[int, int, int], Iterable[Front]]


def blurred(window: int, z: Tensor, t: Tensor) -> Tensor:
    """A denoiser that looks at neighbours, and is another one in every window."""
    wide = torch.nn.functional.avg_pool2d(z, (1, 9), 1, (0, 4))
    return torch.tanh(wide + 0.1 * window) * (1 + t.view(-1, 1, 1, 1) / 1000)


def answer(windows: Sequence[int], z: Tensor, t: Tensor) -> Tensor:
    rows = len(z) // len(windows)
    return torch.cat([blurred(w, z[k * rows :][:rows], t[k * rows :][:rows]) for k, w in enumerate(windows)])


def made_at_once(spans: Sequence[Span], solver: Solver, z: Tensor, noise: TakeNoise) -> Tensor:
    """All windows take a step before any takes the next."""
    return run(solver, windowed(spans, answer), z, noise)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("sampler", "eta"), [(name, 0.0) for name in SAMPLERS] + [("ddim", 0.7), ("official", 1.0)])
def test_any_order_makes_the_same_bytes(order: Order, sampler: str, eta: float) -> None:
    schedule = Schedule(ScheduleConfig())
    kind = sampler_named(sampler)
    solver = kind.solver(kind.timesteps(1.0, 5, schedule), schedule, eta)
    for columns in (80, 142, 300, 640):  # windows that share nearly everything, three over one column, and many
        spans = plan(columns, 78, 16)
        z = TakeNoise([3, 4], CPU).draw((4, 10, columns))
        wanted = made_at_once(spans, solver, z, TakeNoise([5, 6], CPU))
        before = z.clone()
        fronts = order(len(spans), len(solver.steps), reach(spans))
        made = swept(spans, fronts, answer, solver, z, TakeNoise([5, 6], CPU))
        assert torch.equal(made, wanted) and torch.equal(z, before)


@given(st.integers(60, 200), st.integers(10, 40), st.integers(1, 8), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_a_window_waits_for_what_it_looks_at(half: int, half_size: int, half_overlap: int, steps: int) -> None:
    spans = plan(2 * half, 2 * half_size, 2 * half_overlap)
    for order in ORDERS:
        done = [0] * len(spans)
        for front in order(len(spans), steps, reach(spans)):
            assert front == sorted(front) and front
            for window, step in front:
                first, last = spans[window]
                near = [k for k, (a, b) in enumerate(spans) if k != window and a < last and b > first]
                assert done[window] == step and all(done[k] >= step for k in near)
                assert all(done[k] > step or (k, step) in front for k in near if k < window), "sums go from the left"
            for window, _ in front:
                done[window] += 1
        assert done == [steps] * len(spans)


def test_the_first_window_is_done_early_and_the_others_follow() -> None:
    """6 steps of 12 windows: 21 of 72 calls, and 6 more for every further window."""
    spans = plan(16 + 62 * 12, 78, 16)
    schedule = Schedule(ScheduleConfig())
    solver = SAMPLERS["dpm++"].solver([999, 800, 600, 400, 200, 50], schedule, 0.0)
    calls, told, steps = 0, [], []

    def counted(windows: Sequence[int], z: Tensor, t: Tensor) -> Tensor:
        nonlocal calls
        calls += len(windows)
        return answer(windows, z, t)

    swept(
        spans, one_by_one(12, 6, reach(spans)), counted, solver, torch.randn(1, 4, 10, spans[-1][1]),
        on_step=lambda step, total, z0: steps.append((step, total, calls, tuple(z0.shape))),
        on_columns=lambda z, columns: told.append((calls, columns)),
    )  # fmt: skip
    assert [count for count, _ in told] == [21, 27, 33, 39, 45, 51, 57, 62, 66, 69, 71, 72]
    assert [columns for _, columns in told] == [first for first, _ in spans[1:]] + [spans[-1][1]]
    assert steps == [(step, 6, 12 * step, (1, 4, 10, spans[-1][1])) for step in range(1, 7)]


def test_what_is_done_stays_as_it_is() -> None:
    spans = plan(300, 78, 16)
    kind = SAMPLERS["ddim"]
    schedule = Schedule(ScheduleConfig())
    solver = kind.solver(kind.timesteps(1.0, 4, schedule), schedule, 1.0)
    for order in ORDERS:
        seen: list[Tensor] = []

        def keep(z: Tensor, columns: int, seen: list[Tensor] = seen) -> None:
            seen.append(z[..., :columns].clone())

        made = swept(
            spans, order(len(spans), 4, reach(spans)), answer, solver, TakeNoise([1], CPU).draw((4, 10, 300)),
            TakeNoise([2], CPU), on_columns=keep,
        )  # fmt: skip
        assert seen[-1].shape == made.shape
        assert all(torch.equal(part, made[..., : part.shape[-1]]) for part in seen)


@pytest.mark.parametrize("columns", [80, 142, 300, 1408])
def test_pieces_are_mixed_as_when_all_weights_are_known_at_once(columns: int) -> None:
    spans = plan(columns, 78, 16)
    pieces = [torch.randn(2, 3, last - first) for first, last in spans]
    ramps = []
    for index, (first, last) in enumerate(spans):
        place = torch.arange(first, last, dtype=torch.float64) + 0.5
        edges = [torch.ones_like(place)]
        if index:
            edges.append(((place - first) / (spans[index - 1][1] - first)).clamp(0, 1))
        if index + 1 < len(spans):
            edges.append(((last - place) / (last - spans[index + 1][0])).clamp(0, 1))
        ramps.append(torch.stack(edges).amin(0))
    total, wanted = torch.zeros(columns, dtype=torch.float64), torch.zeros(2, 3, columns)
    for (first, last), ramp in zip(spans, ramps, strict=True):
        total[first:last] += ramp
    for (first, last), ramp, piece in zip(spans, ramps, pieces, strict=True):
        wanted[..., first:last] += piece * (ramp / total[first:last]).to(piece)
    assert torch.equal(joined(spans, pieces), wanted)
