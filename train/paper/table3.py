"""Table 3: sounds made from pictures and from clips, of any systems; the paper's own columns are listeners' ratings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from train.paper.folders import LISTENING, result, scored
from train.paper.options import Work, add_common
from train.paper.results import Result, Row

MEASURES = ("FD", "KL", "IS", "CLAP")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_common(parser, clips=0, seconds=None)
    for kind in ("images", "videos"):
        parser.add_argument(f"--{kind}", nargs="+", default=[], metavar="NAME=DIR", help=f"sounds made from {kind}")
        parser.add_argument(f"--{kind}-reference", type=Path, metavar="DIR", help="their own recordings")
        parser.add_argument(f"--{kind}-captions", type=Path, metavar="FILE", help="what they show, for CLAP")


def run(args: argparse.Namespace) -> Result:
    """Score the folders of both kinds.

    Raises:
        ValueError: neither kind is given, or one without its recordings.
    """
    work = Work(args, "table3")
    rows: list[Row] = []
    hashes: dict[str, Any] = {}
    for kind in ("images", "videos"):
        given, reference = getattr(args, kind), getattr(args, f"{kind}_reference")
        if not given:
            continue
        if reference is None:
            raise ValueError(f"--{kind} needs their recordings: give --{kind}-reference.")
        found, more = scored(work, given, reference, getattr(args, f"{kind}_captions"), MEASURES)
        rows += [{"from": kind, **row} for row in found]
        hashes |= {f"{kind}: {name}": one for name, one in more.items()}
    if not rows:
        raise ValueError("Give sounds with --images or --videos.")
    return result("table3", "Table 3: image and video to audio", rows, work, hashes, [LISTENING])
