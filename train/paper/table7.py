"""Table 7: FD, IS, KL and FAD as AudioLDM's evaluation has them, of any systems on AudioCaps."""

from __future__ import annotations

import argparse

from train.paper.folders import add_systems, result, scored
from train.paper.options import Work
from train.paper.results import Result


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    add_systems(parser)


def run(args: argparse.Namespace) -> Result:
    """Score the systems' folders."""
    work = Work(args, "table7")
    rows, hashes = scored(work, args.systems, args.reference, args.captions, ("FD", "IS", "KL", "FAD"))
    says = ["The published columns are FD panns, IS panns, KL panns (or passt) and FAD vggish: give their weights."]
    return result("table7", "Table 7: text to audio on AudioCaps", rows, work, hashes, says)
