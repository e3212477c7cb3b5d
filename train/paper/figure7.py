"""Figure 7: CLAP and FD over the scale of guidance, from the same captions and seeds."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from train.evaluation.distances import Value
from train.evaluation.lists import read_list
from train.generate import CaptionOrder, generate
from train.paper import pictures
from train.paper.options import Work, add_common, marks
from train.paper.results import Result, Row, columns, differences, order_seen

SCALES = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of this figure."""
    add_common(parser, clips=60, seconds=5.12)
    parser.add_argument("--scales", type=float, nargs="+", default=list(SCALES), metavar="S")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="a list; default: a caption of each recording")
    parser.add_argument("--reference", type=Path, metavar="DIR", help="its recordings")
    parser.add_argument("--batch", type=int, default=4, help="lines made at once (%(default)s)")


def run(args: argparse.Namespace) -> Result:
    """Make the list's sounds at every scale, and compare each folder with the recordings."""
    work = Work(args, "figure7")
    reference, captions = work.held_out() if args.captions is None else (args.reference, args.captions)
    lines, rows, hashes = read_list(captions), [], {}
    order = CaptionOrder(work.sampling(), args.seed, work.seconds, args.batch)
    for scale in sorted(set(args.scales)):
        to = work.folder / f"scale-{scale:g}"
        generate(work.maa, lines, replace(order, sampling=work.sampling(guidance=scale)), to)
        report = work.compare(to, reference, captions)
        rows.append({"guidance": scale, "sounds": len(lines), **columns(report, ("CLAP", "FD", "KL"))})
        hashes[f"scale {scale:g}"] = marks(report)
    names = [f"s = {row['guidance']:g}" for row in rows]
    distance = next((name for name in rows[0] if name.startswith(("mel-FID", "FD"))), None)
    says = [*differences(rows, "guidance"), f"CLAP {order_seen(names, _of(rows, 'CLAP'), True)}"]
    if distance:
        best = min(rows, key=lambda row: row[distance].value)
        says.append(f"{distance} is lowest at s = {best['guidance']:g}; the paper's curves trade one for the other.")

    def draw(path: Path) -> None:
        if distance:
            pictures.one_over_the_other(names, ("CLAP", _of(rows, "CLAP")), (distance, _of(rows, distance)), path)
        else:
            pictures.points(rows, "guidance", path)

    title = f"Figure 7: guidance, {len(lines)} captions"
    return Result("figure7", title, rows, work.settings(marks=hashes), draw, says)


def _of(rows: list[Row], name: str) -> list[Value]:
    return [row[name] for row in rows]
