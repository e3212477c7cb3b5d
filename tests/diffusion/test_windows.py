"""Overlapping windows: they cover everything, their weights add up to one, and no joint is left."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from maa.diffusion.windows import joined, piecewise, plan, window_weights, windowed


@given(st.integers(1, 900), st.integers(10, 60), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_windows_cover_everything_and_weights_add_up(half: int, half_size: int, half_overlap: int) -> None:
    columns, size, overlap = 2 * half, 2 * half_size, 2 * half_overlap
    spans = plan(columns, size, overlap)
    assert spans[0][0] == 0 and spans[-1][1] == columns
    if len(spans) > 1:
        assert {last - first for first, last in spans} == {size}
        assert all(first % 2 == 0 for first, _ in spans)
        assert all(before[1] - after[0] >= overlap for before, after in pairwise(spans))
    total = torch.zeros(columns, dtype=torch.float64)
    for index, (first, last) in enumerate(spans):
        total[first:last] += window_weights(spans, index)
    assert torch.allclose(total, torch.ones_like(total))


def test_a_denoiser_that_looks_at_single_cells_is_the_same_in_windows() -> None:
    spans = plan(200, 78, 16)
    z, t = torch.randn(2, 4, 10, 200), torch.tensor([7, 7])

    def single(z: Tensor, t: Tensor) -> Tensor:
        return torch.tanh(z) * t[0]

    made = windowed(spans, lambda windows, z, t: single(z, t))(z, t)
    assert torch.allclose(made, single(z, t), atol=1e-5)


def test_two_answers_pass_into_each_other() -> None:
    spans = [(0, 60), (40, 100)]
    out = joined(spans, [torch.zeros(60), torch.ones(60)])
    assert out[:40].abs().max() == 0 and out[60:].min() == 1
    steps = out[40:60].diff()
    assert (steps > 0).all() and steps.max() == pytest.approx(0.05)


def test_pieces_may_be_longer_than_their_columns() -> None:
    x = torch.arange(100.0)[None]
    out = piecewise(x, plan(100, 40, 10), lambda part: part.repeat_interleave(8, dim=-1), scale=8)
    assert torch.allclose(out, x.repeat_interleave(8, dim=-1), atol=1e-4)
