"""Figure 6: recordings with each kind of hole, filled; as pictures, and with what came back inside the hole."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from maa.pipeline.strip import likeness
from train.paper import pictures
from train.paper.made import hole
from train.paper.options import Work, add_common
from train.paper.results import Result, Row
from train.paper.table2 import KINDS


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this figure."""
    add_common(parser, clips=6, seconds=5.12)


def run(args: argparse.Namespace) -> Result:
    """One recording for each kind of hole, in turn."""
    work = Work(args, "figure6")
    maa, spec = work.maa, work.maa.config.audio
    chosen = work.rows().tolist()
    rows: list[Row] = []
    grid, sides = [], []
    for k, kind in enumerate(KINDS):
        row = chosen[k % len(chosen)]
        sound = (spec.sample_rate, work.wave(row))
        before = maa.spectrogram(sound)
        mask = hole(row, kind.replace("-", " "), *before.shape)
        made = maa.inpaint(sound, mask, "", work.sampling(seed=(args.seed + row) % 2**32))
        after = maa.spectrogram((spec.sample_rate, made.audio[0]))
        after = after[:, : before.shape[1]]
        grid.append([before, np.where(mask, np.nan, before), after])
        sides.append(kind)
        inside = [np.where(mask, one, 0.0).astype(np.float32)[:, mask.any(0)] for one in (after, before)]
        rows.append(
            {
                "hole": kind, "recording": work.library.rows[row].id, "covered": float(mask.mean()),
                "1-MSE of the stretch": likeness(*inside),
            }
        )  # fmt: skip

    def draw(path: Path) -> None:
        pictures.mels(grid, ("recording", "hole", "filled"), sides, path)

    says = ["Pictures of single recordings, chosen evenly over the split and not by how well they were filled."]
    return Result("figure6", "Figure 6: holes and what fills them", rows, work.settings(), draw, says)
