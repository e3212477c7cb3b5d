"""The harness on the command line: `python -m train.evaluate --generated DIR --reference DIR --captions FILE`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from maa.device import pick_device
from train.evaluation.embedders import Weights
from train.evaluation.harness import ROUNDS, HarnessRequest, IncompleteError, compare
from train.evaluation.harness_files import remove_report, write_report
from train.evaluation.hearing import AT_ONCE, How

RATE = 16_000
PARTLY = 3  # exit code of a table that is marked as a part


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The harness's own flags, as a group."""
    group = parser.add_argument_group(
        "the harness: anybody's files", "FD, FAD, KL, IS, KID and CLAP of a folder; --model's CLAP measures captions"
    )
    add = group.add_argument
    add("--generated", type=Path, metavar="DIR", help="sounds of any system, rate, length and format")
    add("--reference", type=Path, metavar="DIR", help="recordings; files of one name are a pair")
    add(
        "--captions", type=Path, metavar="FILE", help="the list that the sounds were made from; it names the pairs, too"
    )
    add("--rate", type=int, default=RATE, help="Hz that all files are brought to first (%(default)s); 0 = their own")
    add("--first", type=float, metavar="SECONDS", help="hear only so much of each file; default: all of it")
    add("--rounds", type=int, default=ROUNDS, help="of resampling for the intervals (%(default)s); 0 = none")
    add("--partial", action="store_true", help=f"score what is there, marked as a part; exit code {PARTLY}")
    add("--batch", type=int, default=AT_ONCE, help="files given to a process at once; changes no number (%(default)s)")
    add("--forget", action="store_true", help="keep nothing of what was heard; default: <out>/heard")
    add_outside(group)


def add_outside(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Flags for the weights of embedders by others."""
    add = parser.add_argument
    add("--panns", type=Path, metavar="FILE", help="Cnn14_16k_mAP=0.438.pth or Cnn14_mAP=0.431.pth")
    add("--vggish", type=Path, metavar="FILE", help="vggish-10086976.pth")
    add("--passt", type=Path, metavar="FILE", help="passt-s-f128-p16-s10-ap.476-swa.pt")
    add("--melception", type=Path, metavar="FILE", help="melception-21-05-10T09-28-40.pt: the paper's FID and KL")
    add("--melception-statistics", type=Path, metavar="FILE", help="train_means_stds_melspec_10s_22050hz.txt")


def weights_of(args: argparse.Namespace) -> Weights:
    """Where the embedders' weights lie, by --model, --device, --library and `add_outside`'s flags."""
    return Weights(
        args.model, args.library / "parts", args.device, args.panns, args.vggish, args.passt, args.melception,
        args.melception_statistics,
    )  # fmt: skip


def asked_of(args: argparse.Namespace) -> HarnessRequest:
    """What the flags ask for.

    Raises:
        ValueError: a number out of its range, or no sounds to compare.
    """
    if args.generated is None:
        raise ValueError("Name the folder of sounds that are compared: --generated DIR.")
    for name, least in (("rounds", 0), ("batch", 1)):
        if getattr(args, name) < least:
            raise ValueError(f"--{name} should be at least {least}, not {getattr(args, name)}.")
    how = How(args.rate or None, args.first, None if args.forget else args.out / "heard")
    cores = os.cpu_count() or 1 if pick_device(args.device).type == "cpu" else 1
    workers = cores if args.workers is None else args.workers
    return HarnessRequest(
        args.generated,
        args.reference,
        args.captions,
        weights_of(args),
        how,
        args.rounds,
        args.partial,
        workers,
        args.batch,
    )


def run(args: argparse.Namespace) -> int:
    """Compare, write and print; the exit code.

    0 is a whole table; 2 an error, or something missing: all of it is named and nothing is scored; 3 a marked part.
    """
    remove_report(args.out)
    try:
        report = compare(asked_of(args))
    except IncompleteError as error:
        print(error, "Give --partial to score what is there.", sep="\n", file=sys.stderr)
        return 2
    print(write_report(report, args.out))
    return 0 if report.complete else PARTLY
