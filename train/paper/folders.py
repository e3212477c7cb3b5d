"""Tables 1, 3 and 7: anybody's systems, a folder of sounds each, through the harness."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.paper import pictures
from train.paper.options import Work, add_common, marks, named_folders
from train.paper.results import Result, Row, columns, differences

REFERENCE = "Reference"
LISTENING = "MOS columns come from people: python -m train.listening_test."


def add_systems(parser: argparse.ArgumentParser, what: str = "systems", told: str = "each system's sounds") -> None:
    """Flags for a group of systems."""
    add_common(parser, clips=0, seconds=None)
    parser.add_argument(f"--{what}", nargs="+", required=True, metavar="NAME=DIR", help=told)
    parser.add_argument("--reference", type=Path, required=True, metavar="DIR", help="recordings")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="the list that the sounds were made from")


def scored(
    work: Work, given: Sequence[str], reference: Path, captions: Path | None, measures: Sequence[str]
) -> tuple[list[Row], dict[str, Any]]:
    """A row for the recordings themselves (CLAP and IS alone say something of them) and one for each system.

    Raises:
        ValueError: a folder is not there, or clips are missing.
    """
    rows: list[Row] = []
    hashes: dict[str, Any] = {}
    for name, folder in {REFERENCE: reference, **named_folders(list(given))}.items():
        report = work.compare(folder, reference, captions)
        own = [one for one in measures if name != REFERENCE or one in ("CLAP", "IS")]
        rows.append({"system": name, "sounds": report.about["generated"]["files"], **columns(report, own)})
        hashes[name] = marks(report)
    return rows, hashes


def result(
    name: str, title: str, rows: list[Row], work: Work, hashes: dict[str, Any], says: Sequence[str] = ()
) -> Result:
    """A table of systems."""
    systems = [row for row in rows if row["system"] != REFERENCE]

    def draw(path: Path) -> None:
        pictures.points(rows, "system", path)

    return Result(name, title, rows, work.settings(marks=hashes), draw, [*differences(systems, "system"), *says])
