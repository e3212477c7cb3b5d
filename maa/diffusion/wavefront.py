"""A long latent from left to right: each of its windows takes a step as soon as its neighbours allow.

At a step a window looks at its own columns only, so it needs of its neighbours what they made of those columns in the
step before, and nothing of the windows beyond. So the first window's last step waits for the next window's last but
one, for the last but two of the window after that, and so on: with N steps the first window is done after
N (N + 1) / 2 calls, and each of the others N calls later, however many windows there are. Every cell goes through the
same sums in the same order as when all windows take a step before any takes the next, so the bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from maa.diffusion.noise import Noise
from maa.diffusion.solvers import OnStep, Solver, full
from maa.diffusion.windows import Answer, Span, window_weights

Front = list[tuple[int, int]]  # (window, step from 0) of calls that may be made as one batch, windows ascending
OnColumns = Callable[[Tensor, int], None]  # the latent [B, C, H, columns], and how many columns from the left are done


def reach(spans: Sequence[Span]) -> int:
    """How many windows behind one overlap it, at most."""
    return max(sum(first < end for first, _ in spans[index + 1 :]) for index, (_, end) in enumerate(spans))


def one_by_one(windows: int, steps: int, reach: int) -> Iterator[Front]:
    """Calls in the order that ends the first window soonest, then the second, and so on."""
    done = [0] * windows
    for goal in range(windows):
        for step in range(steps):
            last = min(windows, goal + (steps - 1 - step) * reach + 1)
            for window in range(goal, last):
                if done[window] == step:
                    done[window] += 1
                    yield [(window, step)]


def in_fronts(windows: int, steps: int, reach: int) -> Iterator[Front]:
    """Batches of windows that do not overlap, each at a step of its own; once they flow, every batch ends a window."""
    for front in range(windows + (reach + 1) * (steps - 1)):
        calls = [(front - (reach + 1) * step, step) for step in range(steps)]
        yield sorted((window, step) for window, step in calls if 0 <= window < windows)


def step_by_step(windows: int, steps: int, most: int) -> Iterator[Front]:
    """All windows take a step before any takes the next, up to `most` of them in a batch."""
    for step in range(steps):
        for first in range(0, windows, most):
            yield [(window, step) for window in range(first, min(windows, first + most))]


def swept(
    spans: Sequence[Span],
    fronts: Iterable[Front],
    answer: Answer,
    solver: Solver,
    z: Tensor,
    noise: Noise | None = None,
    on_step: OnStep | None = None,
    on_columns: OnColumns | None = None,
) -> Tensor:
    """The clean latent [B, C, H, columns] of z at the first timestep's noise level.

    Args:
        spans: windows in columns, from left to right.
        fronts: in which order they take their steps.
        answer: the denoisers of the windows.
        solver: the steps.
        z: the noisy latent.
        noise: for steps that add some.
        on_step: called as often as there are steps, after equal shares of the calls; columns that no window has looked
            at yet are noise in the estimate that it gets.
        on_columns: called each time when more columns are done.
    """
    sweep = _Sweep(spans, solver, z, noise)
    calls = 0
    for front in fronts:
        sweep.take(front, answer)
        ended = [window for window, step in front if step == len(solver.steps) - 1]
        if on_columns is not None and ended:
            on_columns(sweep.z, sweep.ends[ended[-1]])
        before, calls = calls // len(spans), calls + len(front)
        if on_step is not None:
            for done in range(before + 1, calls // len(spans) + 1):
                on_step(done, len(solver.steps), sweep.estimate.clone())
    return sweep.z


class _Sweep:
    """A long latent whose columns are at different steps."""

    def __init__(self, spans: Sequence[Span], solver: Solver, z: Tensor, noise: Noise | None) -> None:
        self.spans, self.solver = spans, solver
        self.ends = [first for first, _ in spans[1:]] + [spans[-1][1]]  # a window is the last to look at what it owns
        self.shares = [window_weights(spans, index).to(z) for index in range(len(spans))]
        self.z = z.clone()
        self.estimate = z.clone()  # of the clean latent
        self.eps = torch.zeros_like(z)  # the answers of those windows of a column that have taken its step
        self.draws = _Draws(solver, noise, tuple(z.shape[1:]))

    def take(self, front: Front, answer: Answer) -> None:
        """Let these windows take a step each."""
        latents = [self.z[..., slice(*self.spans[window])] for window, _ in front]
        times = [full(self.z, self.solver.steps[step]) for _, step in front]
        together = len(front) > 1
        z, t = (torch.cat(latents), torch.cat(times)) if together else (latents[0], times[0])
        eps = answer([window for window, _ in front], z, t)
        for (window, step), piece in zip(front, eps.chunk(len(front)), strict=True):
            self.eps[..., slice(*self.spans[window])] += piece * self.shares[window]
            self._advance(step, slice(self.spans[window][0], self.ends[window]))
            if window + 1 == len(self.spans):
                self.draws.forget(step)

    def _advance(self, step: int, own: slice) -> None:
        """Take those columns on of which a window was the last to answer."""
        draw = self.draws.of(step)
        self.z[..., own], self.estimate[..., own] = self.solver.step(
            step,
            self.z[..., own],
            self.eps[..., own],
            self.estimate[..., own] if step else None,
            None if draw is None else draw[..., own],
        )
        self.eps[..., own] = 0.0


class _Draws:
    """Fresh noise of whole latents, drawn in the order of the steps and kept until the last window has used it."""

    def __init__(self, solver: Solver, noise: Noise | None, shape: tuple[int, ...]) -> None:
        self.solver, self.noise, self.shape = solver, noise, shape
        self._kept: dict[int, Tensor] = {}

    def of(self, step: int) -> Tensor | None:
        """What a step adds; None = nothing."""
        if self.noise is None or self.solver.fresh(step) <= 0.0:
            return None
        if step not in self._kept:
            self._kept[step] = self.noise.draw(self.shape)
        return self._kept[step]

    def forget(self, step: int) -> None:
        """No window will take this step any more."""
        self._kept.pop(step, None)
