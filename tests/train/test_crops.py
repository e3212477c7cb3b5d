"""Crops: within range, as long as asked, the same for one process and for many."""

from __future__ import annotations

import numpy as np
import torch

from tests.train.library import little_library
from train.crops import Crops, fill, pieces
from train.loop import Draw


def test_crops_are_whole_and_within_range() -> None:
    waves = Crops(little_library(), "train", 20_000).fixed(40, seed=1)
    assert waves.shape == (40, 20_000) and waves.dtype == torch.float32
    assert float(waves.abs().max()) <= 0.99 + 1e-6
    assert bool((waves.abs().amax(1) > 0.01).all())


def test_two_processes_take_turns_in_the_same_batch() -> None:
    source = Crops(little_library(), "train", 4_000)
    whole = source.of(Draw(5, 7, 0.0), 6)
    halves = [source.of(Draw(5, 7, 0.0, rank, 2), 3) for rank in range(2)]
    assert torch.equal(whole[0::2], halves[0]) and torch.equal(whole[1::2], halves[1])
    assert not torch.equal(whole, source.of(Draw(5, 8, 0.0), 6))


def test_noise_is_shared_out_the_same_way() -> None:
    whole = Draw(5, 7, 0.0).normal(torch.zeros(6, 3))
    halves = [Draw(5, 7, 0.0, rank, 2).normal(torch.zeros(3, 3)) for rank in range(2)]
    assert torch.equal(whole[0::2], halves[0]) and torch.equal(whole[1::2], halves[1])


def test_a_short_recording_is_repeated_and_a_long_one_cut() -> None:
    rng = np.random.default_rng(0)
    found = pieces(1_000, 10_000, rng)
    assert len(found) > 3 and all(source == 0 for source, _, _ in found)
    ends = [target + count for _, target, count in found]
    assert all(start >= end for (_, start, _), end in zip(found[1:], ends, strict=False))
    ((source, target, count),) = pieces(30_000, 10_000, rng)
    assert target == 0 and count == 10_000 and 0 <= source <= 20_000
    assert np.array_equal(fill(np.arange(5, dtype=np.float32), 5, rng), np.arange(5))
