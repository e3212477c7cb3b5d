"""Table 9: a global vector as the only condition, of recordings of one label or of all, normalised or not.

Rows that need another data set are trained where --captioned names its library (AudioCaps in the paper); networks that
are trained already are scored with --networks.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from train.paper import pictures
from train.paper.made import listed_sounds, opened
from train.paper.options import Work, add_common, marks, named_folders
from train.paper.results import Result, Row, columns, differences
from train.paper.stages import Trained, add_training

ROWS = {"single label, Global": ("single", "raw"), "single label, NormGlobal": ("single", "unit")}
CAPTIONED = "captioned, Global"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_common(parser, clips=60, seconds=5.12)
    add_training(parser, steps=600)
    parser.add_argument("--captioned", type=Path, metavar="DIR", help="library of captioned clips of several sounds")
    parser.add_argument("--guide", metavar="NAME", help="open_clip model that guides; default: this project's CLAP")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="a list; default: a caption of each recording")
    parser.add_argument("--reference", type=Path, metavar="DIR", help="its recordings")


def run(args: argparse.Namespace) -> Result:
    """Train what is not given, make the list's sounds, compare."""
    work = Work(args, "table9")
    reference, captions = work.held_out() if args.captions is None else (args.reference, args.captions)
    networks = named_folders(args.networks) if args.networks else _trained(args, work)
    rows: list[Row] = []
    hashes = {}
    for name, folder in networks.items():
        maa = opened(work, folder)
        to = listed_sounds(work, maa, captions, work.folder / f"{name.replace(' ', '-')}-{maa.model.weights_hash}")
        report = work.compare(to, reference, captions)
        rows.append({"condition": name, **columns(report, ("FD", "KL", "CLAP"))})
        hashes[name] = marks(report) | {"weights": maa.model.weights_hash}

    def draw(path: Path) -> None:
        pictures.points(rows, "condition", path)

    says = differences(rows, "condition")
    says.append("The paper finds: single labels give a higher CLAP, and normalising the vector a lower FID.")
    return Result("table9", "Table 9: training with global conditions", rows, work.settings(marks=hashes), draw, says)


def _trained(args: argparse.Namespace, work: Work) -> dict[str, Path]:
    """A model for each row that can be trained."""
    training = Trained.of(args, work.folder / "runs")
    more = ["--guide", args.guide] if args.guide else []
    wanted = {name: (training, *kind) for name, kind in ROWS.items()}
    if args.captioned is not None:
        wanted = {CAPTIONED: (replace(training, library=args.captioned), "any", "raw")} | wanted
    found = {}
    for name, (where, labels, vector) in wanted.items():
        flags = ["--recipe", "visual", "--labels", labels, "--vector", vector, *more]
        run_name = f"{labels}-{vector}"
        made = where.stage("diffusion", run_name, args.train_steps, flags)
        found[name] = where.model(run_name, [made])
    return found
