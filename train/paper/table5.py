"""Table 5: captions by experts, chosen by CLAP; the distiller measures it, here its result is laid beside the others.

`python -m train.distill table5 --out DIR` selects with the CLAP of one fold and scores with another's, with shuffled
captions as a control.
"""

from __future__ import annotations

import argparse
import csv
import shlex
import subprocess
import sys
from pathlib import Path

from maa.foreign import foreign
from train.evaluation.distances import Value
from train.paper import pictures
from train.paper.results import Result, Row

FILE = "table5.csv"
NEEDED = ("dataset", "method", "sounds", "score", "low", "high")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this table."""
    parser.add_argument("--out", type=Path, default=Path("runs/paper"), help="results (%(default)s)")
    parser.add_argument("--measured", type=Path, metavar="DIR", help="where train.distill table5 has written already")
    parser.add_argument("--distill", default="", metavar="FLAGS", help="flags of train.distill table5")


def run(args: argparse.Namespace) -> Result:
    """Have the distiller measure it, unless it has, and read what it wrote.

    Raises:
        ValueError: it failed, or its file is not what it writes.
    """
    folder = args.measured
    if folder is None:
        folder = args.out / "work" / "table5"
        command = ["-m", "train.distill", "table5", "--out", str(folder), *shlex.split(args.distill)]
        print("$ " + shlex.join(command), file=sys.stderr, flush=True)
        if subprocess.run([sys.executable, *command], check=False, stdout=sys.stderr).returncode:
            raise ValueError("train.distill table5 failed; the lines above say why.")
    rows = _rows(folder / FILE)
    says = []
    for dataset in dict.fromkeys(row["data set"] for row in rows):
        own = [row for row in rows if row["data set"] == dataset]
        best = max(own, key=lambda row: row["CLAP"].value)
        same = [row["method"] for row in own if row is not best and row["CLAP"].overlaps(best["CLAP"])]
        seen = f"no difference seen from {', '.join(same)} (intervals overlap)" if same else "better than all others"
        says.append(f"{dataset}: best is {best['method']}; {seen}.")
    says.append("The CLAP that scores is not the one that selects.")

    def draw(path: Path) -> None:
        pictures.points([row | {"of": f"{row['data set']}: {row['method']}"} for row in rows], "of", path)

    settings = {"measured": str(folder), "distill": args.distill}
    return Result("table5", "Table 5: captions for sounds without language", rows, settings, draw, says)


def _rows(path: Path) -> list[Row]:
    with foreign(f"{path} is not what train.distill table5 writes."):
        with path.open(newline="", encoding="utf-8") as file:
            read = list(csv.DictReader(file))
        if not read or not set(NEEDED) <= read[0].keys():
            raise ValueError
        return [
            {
                "data set": row["dataset"],
                "method": row["method"],
                "sounds": int(row["sounds"]),
                "CLAP": Value(float(row["score"]), float(row["low"]), float(row["high"])),
                **{name: float(row[name]) for name in ("shuffled", "agreement") if row.get(name)},
            }
            for row in read
        ]
