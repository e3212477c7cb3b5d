"""Command line: `python -m train.data fetch` brings the recordings, `stats` counts them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train.data.fetch import STANDARD, fetch
from train.data.manifest import MANIFEST, Row, load_manifest


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 2 for a user's mistake, 1 when recordings are missing."""
    args = _parser().parse_args(arguments)
    try:
        rows = load_manifest(args.manifest)
        if args.command == "stats":
            print(table(rows))
            return 0
        report = fetch(rows, args.to, args.source)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in report.problems:
        print(sentence)
    print(f"{report.present} of {len(rows)} recordings are in {args.to}.")
    return 0 if report.present == len(rows) else 1


def table(rows: list[Row]) -> str:
    """Families, concepts, recordings and minutes, with a line of totals."""
    lines = [f"{'family':<14}{'concepts':>10}{'recordings':>12}{'test':>7}{'minutes':>9}"]
    for family in (*sorted({row.family for row in rows}), "all"):
        own = [row for row in rows if family in (row.family, "all")]
        concepts = len({row.concept for row in own})
        test = sum(row.split == "test" for row in own)
        minutes = sum(row.seconds for row in own) / 60
        lines.append(f"{family:<14}{concepts:>10}{len(own):>12}{test:>7}{minutes:>9.1f}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.data", description=__doc__)
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("fetch", help="download, unpack and check the recordings (Debian or Ubuntu)")
    get.add_argument("--to", type=Path, default=STANDARD, help="where they go (%(default)s)")
    get.add_argument("--from", dest="source", type=Path, help="a folder of .deb files instead of a download")
    commands.add_parser("stats", help="count families, concepts, recordings and minutes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
