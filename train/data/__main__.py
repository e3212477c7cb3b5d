"""Command line: `python -m train.data fetch` brings the recordings, `stats` counts them, `check` looks for bad ones.

python -m train.data fetch                          # download, unpack and verify; goes on where it stopped
python -m train.data stats                          # families, concepts, recordings, minutes
python -m train.data stats train/data/manifest.csv clotho=/data/clotho fsd50k=/data/FSD50K   # the paper's Table 4
python -m train.data check audiocaps=/data/audiocaps                                         # bad files, one by one
python -m train.data build --to data/mine clotho=/data/clotho audioset=/data/audioset        # then --library data/mine
python -m train.data bench-stream                   # memory and speed of libraries of 2, 20 and 200 made up hours
python -m train.data sustained data                 # mark the sounds that last in the manifest, from the recordings
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maa.config import PRESETS
from train.data.apart import Known, digests_of, known_elsewhere
from train.data.bench import bench
from train.data.check import Findings, examine
from train.data.fetch import STANDARD, fetch
from train.data.library import Library
from train.data.manifest import MANIFEST, Row, load_manifest, sources
from train.data.sets import SETS, build_sets, line_of, load_sets, table4
from train.data.sustained import mark


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 2 for a user's mistake, 1 when recordings are missing."""
    args = _parser().parse_args(arguments)
    try:
        if args.command == "stats" and args.sets:
            return _table4(args.sets)
        if args.command == "bench-stream":
            for line in bench(args.hours, args.held, args.batches, args.clips, args.to):
                print(line, flush=True)
            return 0
        if args.command == "build":
            return _build(args)
        if args.command == "check" and args.sets:
            return _check(args.sets)
        if args.command == "sustained":
            found = mark(Library.open(args.library, args.manifest), args.manifest)
            print(f"{len(found)} concepts last: {', '.join(sorted(found))}.")
            return 0
        rows = load_manifest(args.manifest)
        if args.command == "stats":
            print(statistics_table(rows))
            return 0
        if args.command == "check":
            return _report_check(
                _examined([(r.path.as_posix(), args.of / r.path, r.sha256, None) for r in rows]), len(rows)
            )
        report = fetch(rows, args.to, args.source)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    for sentence in report.problems:
        print(sentence)
    if report.findings.problems:
        print(report.findings.summary(len(rows)))
    print(f"{report.present} of {len(rows)} recordings are in {args.to}.")
    return 0 if report.present == len(rows) else 1


def statistics_table(rows: list[Row]) -> str:
    """Families, concepts, those with two packages or more, recordings and minutes, with a line of totals."""
    wide = {concept for concept, packages in sources(rows).items() if len(packages) > 1}
    head = ("concepts", "2+ sources", "recordings", "synthetic", "valid", "test", "minutes")
    lines = [f"{'family':<26}" + "".join(f"{word:>12}" for word in head)]
    for family in (*sorted({row.family for row in rows}), "all"):
        own = [row for row in rows if family in (row.family, "all")]
        concepts = {row.concept for row in own}
        counts = (len(concepts), len(concepts & wide), len(own), sum(r.synthetic for r in own))
        held_out = (sum(row.split == split for row in own) for split in ("valid", "test"))
        cells = (*counts, *held_out, round(sum(row.seconds for row in own) / 60, 1))
        lines.append(f"{family:<26}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def _build(args: argparse.Namespace) -> int:
    rate = PRESETS[args.config].audio.sample_rate
    findings = Findings()
    made = build_sets(args.sets, args.to, rate, args.workers, args.in_memory, findings)
    names = [row.id for row in made.rows]
    whole = len(set(names))
    if findings.problems:
        print("\n".join(map(str, findings.problems)), file=sys.stderr)
        print(findings.summary(whole + len(findings.problems)), file=sys.stderr)
    parts = f" in {len(names):,} windows" if len(names) > whole else ""
    print(f"{whole:,} recordings{parts}, {int(made.offsets[-1]) / made.rate / 3600:.2f} h, are in {args.to}.")
    return 0


def _table4(sets: list[str]) -> int:
    findings = Findings()
    loaded = {name: load_sets([name]) for name in sets if "=" in name}
    own = {name: [record for _, _, record in records] for name, records in loaded.items()}
    lines = [line_of(name, findings, own.get(name)) for name in sets]
    everything = [(name, record) for records in loaded.values() for name, _, record in records]
    findings.problems += known_elsewhere(everything).values()
    for problem in findings.problems:
        print(problem, file=sys.stderr)
    print(table4(lines))
    if findings.problems:
        print(findings.summary(sum(line.recordings for line in lines)))
    return 0


def _check(sets: list[str]) -> int:
    records, findings, known = load_sets(sets), Findings(), Known()
    elsewhere = known_elsewhere([(name, record) for name, _, record in records])
    for name, _, record in records:
        if record.split != "train":
            sound = examine(name, record.path, Findings(), rate=record.rate)
            known.hold_out(name, record.split, () if sound is None else digests_of(sound))
    for number, (name, _, record) in enumerate(records):
        alone = Findings()
        sound = examine(name, record.path, alone, rate=record.rate)
        why = elsewhere.get(number) if sound is None or number in elsewhere else None
        if sound is not None and why is None:
            why = known.why_not(name, record.split, digests_of(sound))
        findings.problems += alone.problems or ([] if why is None else [why])
    return _report_check(findings, len(records))


def _examined(files: list[tuple[str, Path, str | None, int | None]]) -> Findings:
    findings = Findings()
    for row, path, sha256, rate in files:
        examine(row, path, findings, sha256, rate)
    return findings


def _report_check(findings: Findings, total: int) -> int:
    for problem in findings.problems:
        print(problem)
    print(findings.summary(total))
    return 1 if findings.problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("fetch", help="download, unpack and check the recordings (Debian or Ubuntu)")
    get.add_argument("--to", type=Path, default=STANDARD, help="where they go (%(default)s)")
    get.add_argument("--from", dest="source", type=Path, help="a folder of .deb files instead of a download")
    count = commands.add_parser("stats", help="count families, concepts, recordings and minutes")
    kinds = f"NAME=FOLDER with NAME one of {', '.join(SETS)}"
    count.add_argument("sets", nargs="*", help=f"print the paper's Table 4 for these: manifests (.csv), or {kinds}")
    look = commands.add_parser("check", help="find recordings that are missing, broken, silent, clipped or double")
    look.add_argument("sets", nargs="*", help=f"{kinds}, together; default: the manifest's recordings")
    look.add_argument("--of", type=Path, default=STANDARD, help="folder of the manifest's recordings (%(default)s)")
    make = commands.add_parser("build", help="decode data sets once, for the training stages")
    make.add_argument("sets", nargs="+", help=kinds)
    make.add_argument("--to", type=Path, required=True, help="folder to write; give it to a stage as --library")
    make.add_argument("--workers", type=int, default=1, help="processes that decode")
    make.add_argument("--in-memory", action="store_true", help="a few hours as one file, not as shards on the disk")
    make.add_argument("--config", choices=sorted(PRESETS), default="small", help="whose rate they get (%(default)s)")
    speed = commands.add_parser("bench-stream", help="memory and speed of reading libraries of many hours from disk")
    speed.add_argument("--hours", type=int, nargs="+", default=[2, 20, 200], help="of made up libraries (%(default)s)")
    speed.add_argument("--held", type=int, default=2, help="up to so many hours also in memory (%(default)s)")
    speed.add_argument("--batches", type=int, default=400, help="of 64 crops (%(default)s)")
    speed.add_argument("--clips", type=int, default=400, help="composed (%(default)s)")
    speed.add_argument("--to", type=Path, help="an existing folder to make them up in, 120 MB and an index")
    last = commands.add_parser("sustained", help="mark the sounds that last in the manifest")
    last.add_argument("library", type=Path, nargs="?", default=Path("data"), help="folder of the library (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
