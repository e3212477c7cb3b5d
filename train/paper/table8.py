"""Table 8: channels of the latent, and training with and without prompt enhancement.

Each row is an autoencoder and a text network of its own, trained here; "w/o PPE" never mixes sampled events into a clip
(N = 0). Networks of the paper's size are scored with --networks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from train.paper import pictures
from train.paper.made import listed_sounds, opened
from train.paper.options import Work, add_common, marks, named_folders
from train.paper.results import Result, Row, columns, differences
from train.paper.stages import Trained, add_training

CHANNELS = (4, 32, 128)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_common(parser, clips=60, seconds=5.12)
    add_training(parser, steps=600)
    add = parser.add_argument
    add("--channels", type=int, nargs="+", default=list(CHANNELS), help="the first one also without enhancement")
    add("--autoencoder-steps", type=int, default=1500, help="of each autoencoder (%(default)s)")
    add("--captions", type=Path, metavar="FILE", help="a list; default: a caption of each held-out recording")
    add("--reference", type=Path, metavar="DIR", help="its recordings")
    add("--zero-captions", type=Path, metavar="FILE", help="another data set's list")
    add("--zero-reference", type=Path, metavar="DIR", help="its recordings")


def run(args: argparse.Namespace) -> Result:
    """Train what is not given, make the lists' sounds, compare.

    Raises:
        ValueError: a stage failed, or a list is given without its recordings.
    """
    work = Work(args, "table8")
    sets = {"": work.held_out() if args.captions is None else (args.reference, args.captions)}
    if args.zero_captions is not None:
        sets["-Z"] = (args.zero_reference, args.zero_captions)
    if any(reference is None for reference, _ in sets.values()):
        raise ValueError("A list needs its recordings: give --reference, and --zero-reference.")
    networks = named_folders(args.networks) if args.networks else _trained(args, work)
    rows: list[Row] = []
    hashes = {}
    for name, folder in networks.items():
        maa = opened(work, folder)
        row: Row = {"method": name, "channels": maa.config.autoencoder.latent_channels}
        for mark, (reference, captions) in sets.items():
            to = listed_sounds(work, maa, captions, work.folder / f"{name}-{maa.model.weights_hash}{mark}")
            report = work.compare(to, reference, captions)
            row |= {f"{column}{mark}": cell for column, cell in columns(report, ("FD", "KL")).items()}
            hashes[f"{name}{mark}"] = marks(report) | {"weights": maa.model.weights_hash}
        rows.append(row)

    def draw(path: Path) -> None:
        pictures.points(rows, "method", path)

    says = [*differences(rows, "method"), "The paper finds: more channels are worse, and so is training without PPE."]
    return Result(
        "table8", "Table 8: latent channels, and prompt enhancement", rows, work.settings(marks=hashes), draw, says
    )


def _trained(args: argparse.Namespace, work: Work) -> dict[str, Path]:
    """A model for each row."""
    training = Trained.of(args, work.folder / "runs")
    found = {}
    for k, channels in enumerate(args.channels):
        latent = ["--latent-channels", str(channels)]
        first = training.stage("autoencoder", f"autoencoder-{channels}", args.autoencoder_steps, latent)
        variants: dict[str, list[str]] = {f"Base {channels}": []}
        if k == 0:
            variants[f"w/o PPE {channels}"] = ["--events", "1"]
        for name, flags in variants.items():
            run_name = name.replace("/", "").replace(" ", "-").lower()
            made = training.stage(
                "diffusion", run_name, args.train_steps, ["--recipe", "text", *latent, *flags], [first]
            )
            found[name] = training.model(run_name, [first, made])
    return found
