"""Command line of a lease; the package's own words say which command comes when and where."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import train.lease
from train.lease import carry, chunks, work
from train.small import PART, PRESETS_OF_TIME

HELP = {
    "pack": "here: put what training needs into chunks, and say what to carry in which call",
    "unpack": "there: put the chunks together; says which are missing",
    "start": "there: start the stages, which run on when the call is over",
    "status": "there: how far they are",
    "collect": "there: leave the newest weights in a folder, within the limits of a call",
    "bring": "here: put collected weights together as a model folder",
    "swap": "here: put that model where another one is",
    "work": "what `start` runs",
}


def _pack(args: argparse.Namespace) -> str:
    """See `chunks.pack_chunks`."""
    size = int(args.chunk_mb * chunks.MEGABYTE)
    return "\n".join(chunks.pack_chunks(args.library, args.parts, args.model, args.to, size, args.preset))


def _start(args: argparse.Namespace) -> str:
    """See `work.start_stages`."""
    lease = work.start_stages(args.at, args.preset, args.minutes, tuple(args.stages), args.save_minutes)
    return (
        f"process {lease.pid} works for {lease.minutes:g} minutes; its words are in {args.at / chunks.FAR / work.LOG}"
    )


def _collect(args: argparse.Namespace) -> str:
    """See `carry.collect_weights`."""
    limits = carry.Limits(args.max_files, int(args.file_mb * chunks.MEGABYTE), int(args.call_mb * chunks.MEGABYTE))
    return (
        carry.collect_weights(args.at, args.out, limits, args.wait, args.again) + "\n" + work.describe_stages(args.at)
    )


def _bring(args: argparse.Namespace) -> str:
    """See `carry.bring_weights`."""
    preset = PRESETS_OF_TIME[chunks.read_plan(args.at)["preset"]].config
    return carry.bring_weights(args.at, args.results, args.model, args.parts, preset)


def _work(args: argparse.Namespace) -> str:
    """See `work.run_stages`."""
    work.run_stages(args.at)
    return "the lease is finished"


COMMANDS: dict[str, Callable[[argparse.Namespace], str]] = {
    "pack": _pack,
    "unpack": lambda args: chunks.unpack_chunks(args.at),
    "start": _start,
    "status": lambda args: work.describe_stages(args.at),
    "collect": _collect,
    "bring": _bring,
    "swap": lambda args: carry.swap_models(args.model, args.to),
    "work": _work,
}


def lease_parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    whole = argparse.ArgumentParser(
        prog="python -m train.lease",
        description=train.lease.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = whole.add_subparsers(dest="command", required=True)
    each = {name: kinds.add_parser(name, help=text) for name, text in HELP.items()}
    for name in ("unpack", "start", "status", "collect", "bring", "work"):
        each[name].add_argument("--at", type=Path, default=Path("runs/lease"), help="folder of the lease")
    each["pack"].add_argument("--to", type=Path, default=Path("runs/lease"), help="folder of the lease")
    each["pack"].add_argument("--library", type=Path, default=Path("data"))
    each["pack"].add_argument("--chunk-mb", type=float, default=48.0, help="size of a chunk, in millions of bytes")
    each["pack"].add_argument("--preset", choices=sorted(PRESETS_OF_TIME), default="gpu")
    each["start"].add_argument("--preset", choices=sorted(PRESETS_OF_TIME), help="default: the one packed for")
    each["start"].add_argument("--minutes", type=float, default=25.0, help="for all stages together")
    each["start"].add_argument("--stages", nargs="+", choices=sorted(PART), default=list(PART))
    each["start"].add_argument("--save-minutes", type=float, default=3.0, help="between two savings of the weights")
    each["collect"].add_argument("--out", type=Path, required=True, help="folder to fill")
    each["collect"].add_argument("--wait", type=float, default=0.0, help="seconds to let the stages work before")
    each["collect"].add_argument("--again", action="store_true", help="what was collected before got lost: all again")
    each["collect"].add_argument("--max-files", type=int, default=8)
    each["collect"].add_argument("--file-mb", type=float, default=15.5, help="largest file, in millions of bytes")
    each["collect"].add_argument("--call-mb", type=float, default=62.0, help="all files together")
    each["bring"].add_argument("--results", type=Path, nargs="+", required=True, help="folders that collect has filled")
    for name in ("pack", "bring"):
        each[name].add_argument("--parts", type=Path, default=Path("data/parts"))
        each[name].add_argument("--model", type=Path, default=Path("checkpoints/small"), help="the earlier model")
    each["swap"].add_argument("--model", type=Path, default=Path("runs/lease/model"))
    each["swap"].add_argument("--to", type=Path, default=Path("checkpoints/small"))
    return whole


def main(arguments: list[str] | None = None) -> None:
    """Run one command; a mistake of the user's is one sentence."""
    whole = lease_parser()
    args = whole.parse_args(arguments)
    try:
        print(COMMANDS[args.command](args), flush=True)
    except ValueError as error:
        whole.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
