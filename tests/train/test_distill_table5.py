"""Table 5: what selects does not score, and a table that could come out otherwise."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from maa import checkpoint
from tests.train.library import little_library
from train.data.library import CACHE
from train.distill import table5


def test_an_interval_of_single_values_is_that_of_a_mean() -> None:
    """For independent values the bootstrap gives 1.96 standard errors, and for copies of them the same interval."""
    values = np.random.default_rng(0).normal(1.0, 2.0, 400)
    mean, low, high = table5.interval_of_mean(values, np.arange(400))
    error = 1.96 * values.std() / 20
    assert mean == pytest.approx(values.mean())
    assert (mean - low, high - mean) == pytest.approx((error, error), rel=0.1)
    doubled = table5.interval_of_mean(np.repeat(values, 2), np.repeat(np.arange(400), 2))
    assert doubled == pytest.approx((mean, low, high), abs=1e-9), "two takes of one thing are no more evidence"


def test_shuffled_captions_are_of_another_label() -> None:
    labels = ["rain"] * 6 + ["dog"] * 3 + ["bell"]
    found = table5.others(labels, 0)
    assert all(labels[k] != labels[int(other)] for k, other in enumerate(found))


def test_folds_keep_families_together_and_differ() -> None:
    counts = np.bincount([table5.fold_of_recording(f"package/{k}") for k in range(900)], minlength=3)
    assert len(counts) == 3 and counts.min() > 250


@pytest.mark.slow
def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every row of it from a tiny library; the label is its own label, the chosen caption is at least the others by the
    CLAP that chose, and a second run trains nothing anew."""
    library = little_library(concepts=8, each=6)
    library.save(tmp_path / CACHE)
    checkpoint.save(checkpoint.random_model(), tmp_path / "parts", torch.float32)
    parser = argparse.ArgumentParser()
    table5.add_arguments(parser)
    given = ["--config", "tiny", "--library", str(tmp_path), "--parts", str(tmp_path / "parts"), "--hidden", "16"]
    args = parser.parse_args([*given, "--out", str(tmp_path / "out"), "--clap-steps", "12", "--captioner-steps", "4"])
    rows = table5.run(args)
    assert [row.method for row in rows] == list(table5.METHODS)
    by = {row.method: row for row in rows}
    assert by["Original"].agreement == 1.0 and by["Original"].gain == 0.0
    chosen = by["Both + CLAP select"].selecting
    assert all(chosen >= by[method].selecting - 1e-6 for method in ("Captioning", "Retrieval", "Both, by chance"))
    assert all(row.low <= row.score <= row.high and row.sounds == 8 for row in rows)
    before = (tmp_path / "out" / "captioner" / "captioner.safetensors").read_bytes()
    table5.command_line(args)
    assert (tmp_path / "out" / "captioner" / "captioner.safetensors").read_bytes() == before
    assert "Both + CLAP select" in capsys.readouterr().out
    with (tmp_path / "out" / "table5.csv").open() as file:
        kept = list(csv.DictReader(file))
    assert [float(row["score"]) for row in kept] == [row.score for row in rows]
    assert (tmp_path / "out" / "table5.png").stat().st_size > 5000
