"""Crops: within range, as long as asked, the same for one process and for many, and on every kind of device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.library import little_library
from train.data import Library, Recording
from train.data.crops import WaveCrops, pieces
from train.trainer.draw import Draw


def test_crops_are_whole_and_within_range() -> None:
    waves = WaveCrops(little_library(), "train", 20_000).fixed(40, seed=1)
    assert waves.shape == (40, 20_000) and waves.dtype == torch.float32
    assert float(waves.abs().max()) <= 0.99 + 1e-6
    assert bool((waves.abs().amax(1) > 0.01).all())


def test_two_processes_take_turns_in_the_same_batch() -> None:
    source = WaveCrops(little_library(), "train", 4_000)
    whole = source.of(Draw(5, 7, 0.0), 6)
    halves = [source.of(Draw(5, 7, 0.0, rank, 2), 3) for rank in range(2)]
    assert torch.equal(whole[0::2], halves[0]) and torch.equal(whole[1::2], halves[1])
    assert not torch.equal(whole, source.of(Draw(5, 8, 0.0), 6))


def test_a_device_makes_the_same_crops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = WaveCrops(little_library(), "train", 30_000)
    in_turn = source.fixed(32, seed=3)
    monkeypatch.setattr(source, "_in_turn", source._at_once)
    assert torch.allclose(source.fixed(32, seed=3), in_turn, atol=1e-6)


def test_a_crop_is_a_stretch_of_its_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Recording("0", "ramp", "ramps", ("a ramp",), "train", Path("ramp.wav"))
    ramp = Library([row], np.arange(20_000, dtype=np.int16), np.array([0, 20_000]))
    monkeypatch.setattr("train.data.crops.MIXED", 0.0)
    waves = WaveCrops(ramp, "train", 3_000).fixed(16, seed=5).double()
    first, steps = waves[:, 0], waves.diff(dim=1)
    assert torch.allclose(steps, steps.mean(1, keepdim=True).expand_as(steps), rtol=1e-2)
    assert len(set((first / steps.mean(1)).round().tolist())) == 16, "stretches begin anywhere"


def test_noise_is_shared_out_the_same_way() -> None:
    whole = Draw(5, 7, 0.0).normal(torch.zeros(6, 3))
    halves = [Draw(5, 7, 0.0, rank, 2).normal(torch.zeros(3, 3)) for rank in range(2)]
    assert torch.equal(whole[0::2], halves[0]) and torch.equal(whole[1::2], halves[1])


def test_a_short_recording_is_repeated_and_a_long_one_cut() -> None:
    available = np.array([1_000, 30_000, 10_000, 9_999])
    laid = pieces(available, 10_000, np.random.default_rng(0))
    short, long, exact, nearly = ([tuple(row) for row in rows if row[2] > 0] for rows in laid)
    assert len(short) > 3 and all(source == 0 for source, _, _ in short)
    ends = [target + count for _, target, count in short]
    assert all(start >= end for (_, start, _), end in zip(short[1:], ends, strict=False))
    assert ends[-1] > 10_000 - 1_000 - 1_600 and max(ends) <= 10_000
    ((source, target, count),) = long
    assert target == 0 and count == 10_000 and 0 <= source <= 20_000
    assert exact == [(0, 0, 10_000)]
    assert nearly[0] == (0, 0, 9_999)
