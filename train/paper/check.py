"""The harness itself: recordings against themselves, and under five levels of noise."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from maa.audio import io
from train.paper import pictures
from train.paper.options import Work, add_common, marks
from train.paper.results import Result, Row, columns

LEVELS = (-50.0, -40.0, -30.0, -20.0, -10.0)  # dB of noise against a sound's own level
MEASURES = ("FD", "FAD", "KL", "IS", "KID", "CLAP")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this check."""
    add_common(parser, clips=0, seconds=5.12)
    parser.add_argument("--levels", type=float, nargs="+", default=list(LEVELS), metavar="DB", help="of noise")


def run(args: argparse.Namespace) -> Result:
    """Compare the recordings with themselves and with noisier and noisier copies."""
    work = Work(args, "check")
    reference, captions = work.held_out()
    report = work.compare(reference, reference, captions)
    rows: list[Row] = [{"noise": "none", "sounds": len(work.rows()), **columns(report, MEASURES)}]
    for level in sorted(args.levels):
        made = _noisy(work, reference, level)
        report = work.compare(made, reference, captions)
        rows.append({"noise": f"{level:g} dB", "sounds": len(work.rows()), **columns(report, MEASURES)})
    says = []
    for name in rows[0]:
        if name.split()[0] in ("FD", "FAD", "KL", "KID", "mel-FID", "mel-KL", "mel-KID"):
            values = [row[name].value for row in rows]
            rising = "rises with every level" if (np.diff(values) > 0).all() else "does NOT rise with every level"
            says.append(f"{name}: {values[0]:.2g} against itself; {rising} of noise.")

    def draw(path: Path) -> None:
        pictures.points(rows, "noise", path)

    title = f"The harness: {len(work.rows())} held-out recordings against themselves and with noise"
    return Result("check", title, rows, work.settings(marks=marks(report)), draw, says)


def _noisy(work: Work, reference: Path, level: float) -> Path:
    """The recordings with white noise so many dB below their own level; the same noise at every level."""
    to = work.folder / f"{reference.name}-{level:g}dB"
    to.mkdir(parents=True, exist_ok=True)
    rate = work.maa.config.audio.sample_rate
    for row in work.rows().tolist():
        path = to / f"{row:05d}.wav"
        if not path.is_file():
            wave = io.read(reference / path.name).mono()
            noise = np.random.default_rng(row).normal(size=len(wave)).astype(np.float32)
            gain = np.float32(10 ** (level / 20) * np.sqrt(np.mean(np.square(wave))))
            io.write(path, wave + gain * noise, rate, "FLOAT")
    return to
