"""Table 1: text to audio, FID, KL and CLAP on AudioCaps, and FID-Z and KL-Z on Clotho, of any systems."""

from __future__ import annotations

import argparse
from pathlib import Path

from train.paper.folders import LISTENING, add_systems, result, scored
from train.paper.options import Work
from train.paper.results import Result


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_systems(parser)
    parser.add_argument("--zero", nargs="+", default=[], metavar="NAME=DIR", help="their sounds for another data set")
    parser.add_argument("--zero-reference", type=Path, metavar="DIR", help="its recordings")
    parser.add_argument("--zero-captions", type=Path, metavar="FILE", help="its list")


def run(args: argparse.Namespace) -> Result:
    """Score the systems' folders, and those of the other data set beside them."""
    work = Work(args, "table1")
    rows, hashes = scored(work, args.systems, args.reference, args.captions, ("FD", "KL", "CLAP"))
    if args.zero:
        if args.zero_reference is None:
            raise ValueError("--zero needs the other data set's recordings: give --zero-reference.")
        others, more = scored(work, args.zero, args.zero_reference, args.zero_captions, ("FD", "KL"))
        hashes |= {f"{name}, zero-shot": one for name, one in more.items()}
        by_name = {row["system"]: row for row in rows}
        for row in others:
            own = by_name.get(row["system"])
            if own is None:
                raise ValueError(f"--zero names {row['system']}, which --systems does not.")
            own |= {f"{name}-Z": cell for name, cell in row.items() if name not in ("system", "sounds")}
    says = ["FID and KL are the paper's where melception measured them (mel-FID, mel-KL).", LISTENING]
    return result("table1", "Table 1: text to audio", rows, work, hashes, says)
