"""Table 2: six masks to train inpainting with, each evaluated on narrow and on wide holes.

One start, the text network, is trained on for each kind of mask (Sec. 4.2); then held-out recordings are given a hole
and filled without a prompt. The paper's networks are scored with --networks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from train.paper import pictures
from train.paper.made import HOLES, filled_folder, opened
from train.paper.options import Work, add_common, marks, named_folders
from train.paper.results import Result, Row, columns, differences
from train.paper.stages import Trained, add_training

KINDS = ("thin", "medium", "thick", "frame-30", "frame-50", "frame-70")
TITLES = {"thin": "Irregular (Thin)", "medium": "Irregular (Medium)", "thick": "Irregular (Thick)"} | {
    f"frame-{p}": f"Frame (p={p}%)" for p in (30, 50, 70)
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_common(parser, clips=60, seconds=5.12, steps=12)
    add_training(parser, steps=150)
    parser.add_argument("--start-steps", type=int, default=600, help="of the text network before (%(default)s)")
    parser.add_argument("--start", type=Path, metavar="FILE", help="its weights; default: it is trained first")


def run(args: argparse.Namespace) -> Result:
    """Train what is not given, fill the holes, compare with the untouched recordings."""
    work = Work(args, "table2")
    reference, _ = work.held_out()
    networks = named_folders(args.networks) if args.networks else _trained(args, work)
    rows: list[Row] = []
    hashes = {}
    for name, folder in networks.items():
        maa = opened(work, folder)
        row: Row = {"masks": TITLES.get(name, name), "clips": len(work.rows())}
        for holes in HOLES:
            to = filled_folder(
                work, maa, reference, holes, work.folder / f"{name}-{maa.model.weights_hash}-{_sizes(args)}-{holes}"
            )
            report = work.compare(to, reference, None)
            row |= {f"{column}, {holes}": cell for column, cell in columns(report, ("FD", "KL")).items()}
            hashes[f"{name}, {holes}"] = marks(report)
        hashes[name] = {"weights": maa.model.weights_hash}
        rows.append(row)
    says = differences(rows, "masks")
    says.append(
        "The paper finds: larger masks in training are better, and frames better than irregular ones of their size."
    )

    def draw(path: Path) -> None:
        pictures.points(rows, "masks", path, most=8)

    title = f"Table 2: {len(work.rows())} held-out recordings, narrow and wide holes"
    return Result("table2", title, rows, work.settings(marks=hashes), draw, says)


def _sizes(args: argparse.Namespace) -> str:
    return f"{args.steps}-{args.sampler}-{args.seed}-{args.clips}-{args.seconds or 0:g}"


def _trained(args: argparse.Namespace, work: Work) -> dict[str, Path]:
    """A model for each kind of mask, trained on from one start."""
    training = Trained.of(args, work.folder / "runs")
    start = args.start
    if start is None:
        begun = training.stage("diffusion", "start", args.start_steps, ["--recipe", "text"])
        start = begun / "unet.safetensors"
    found = {}
    for kind in KINDS:
        flags = ["--recipe", "text-inpaint", "--masks", kind, "--start", str(start)]
        made = training.stage("diffusion", kind, args.train_steps, flags)
        found[kind] = training.model(kind, [made])
    return found
