"""Command line of the distillation.

python -m train.distill train --library data --parts data/parts --out runs/captioner --steps 1500     a captioner
python -m train.distill run /data/sounds --out data/distilled --expert captioner=runs/captioner \\
    --expert retrieval=train/data/manifest.csv --clap small --threshold 0.3                            captions
python -m train.distill run libritts=/data/LibriTTS --out data/distilled --expert transformers=/models/captioner \\
    --clap transformers=/models/clap --rate 48000 --shard 2/8                                          one part of eight
python -m train.distill select data/distilled --threshold 0.4                      another threshold, nothing heard anew
python -m train.distill stats data/distilled                                       how many are kept, and whose they are
python -m train.data build --to data/mine distilled=data/distilled                 a captioned data set like any other
python -m train.distill table5 --out runs/table5                                   the paper's Table 5
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from maa.device import pick_device
from maa.models.text import load_tokenizer
from train.data import Library
from train.data.distilled import read_all, read_ledger
from train.data.sets import SETS
from train.distill import table5
from train.distill.captioner import open_captioner
from train.distill.distilling import Distillation, DistilOptions, select, summary_line
from train.distill.experts import Expert
from train.distill.learning import CaptionerOptions, train_captioner
from train.distill.retrieval import bank_of, open_retrieval
from train.distill.seq2seq import TransformersCaptioner
from train.distill.sounds import own_share, sound_sources
from train.distill.spaces import identity, open_space
from train.trainer.keeping import one_line
from train.trainer.options import RunOptions, add_fields, from_args

EXPERTS = "captioner=FOLDER (of `train`), transformers=NAME (hub or folder), retrieval=BANK (.txt, .csv, set=FOLDER)"


def main() -> None:
    """Run one command."""
    parser = _parser()
    args = parser.parse_args()
    with one_line(parser):
        {"train": _train, "run": _run, "select": _select, "stats": _stats, "table5": table5.command_line}[args.command](
            args
        )


def _train(args: argparse.Namespace) -> None:
    library = Library.open(args.library, rate=args.rate)
    chosen = from_args(CaptionerOptions, args)
    tokenizer = load_tokenizer((args.tokenizer or args.parts) / "tokenizer.json")
    print(train_captioner(library, tokenizer, from_args(RunOptions, args), chosen))


def _run(args: argparse.Namespace) -> None:
    shard, options = own_share(args.shard), from_args(DistilOptions, args)
    device = pick_device(args.device)
    root, sources = sound_sources(args.source)
    kinds = dict.fromkeys(args.expert)
    experts = {given: opened_expert(given, args, device) for given in kinds}  # quick ones first: mistakes are told soon
    space = open_space(args.clap, device)
    for given in kinds:
        if experts[given] is None:
            bank, cache = given.partition("=")[2], args.out / ".banks"
            experts[given] = open_retrieval(bank, space, identity(args.clap), cache, args.captions, device)
    asked = {
        "experts": [f"{given.partition('=')[0]} {identity(given)}" for given in kinds],
        "clap": identity(args.clap),
        "rate": options.rate,
        "captions": args.captions,
        "prefix": args.prefix,
    }
    ready = [expert for expert in experts.values() if expert is not None]
    path = Distillation(ready, space, asked, device).run(sources, root, args.out, options, shard)
    print(summary_line(read_ledger(path)[1]))


def opened_expert(given: str, args: argparse.Namespace, device: torch.device) -> Expert | None:
    """The expert of KIND=WHICH; None = a retrieval, which needs the CLAP. ValueError where there is no such kind."""
    kind, _, which = given.partition("=")
    if kind == "captioner" and which:
        return open_captioner(Path(which), args.captions, device)
    if kind == "transformers" and which:
        return TransformersCaptioner(which, args.captions, prefix=args.prefix, device=device)
    if kind == "retrieval" and which:
        bank_of(which)
        return None
    raise ValueError(f"{given!r} is no expert; give {EXPERTS}.")


def _select(args: argparse.Namespace) -> None:
    select(args.folder, args.threshold)
    print(summary_line(read_all(args.folder)[1]))


def _stats(args: argparse.Namespace) -> None:
    heads, lines = read_all(args.folder)
    print(f"threshold {heads[0]['threshold']}, {len(heads)} shards", summary_line(lines), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.distill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    learn = commands.add_parser("train", help="a captioner on any captioned library")
    learn.add_argument("--library", type=Path, default=Path("data"), help="of `train.data build` (%(default)s)")
    learn.add_argument("--parts", type=Path, default=Path("data/parts"), help="folder with a tokenizer (%(default)s)")
    learn.add_argument("--tokenizer", type=Path, help="another folder with tokenizer.json")
    learn.add_argument("--rate", type=int, default=16_000, help="Hz of the library (%(default)s)")
    add_fields(learn, CaptionerOptions)
    add_fields(learn, RunOptions, lr=1e-3, steps=1500)
    run = commands.add_parser("run", help="captions for sounds")
    run.add_argument("source", help=f"folder with sounds, or NAME=FOLDER with NAME one of {', '.join(SETS)}")
    run.add_argument("--out", type=Path, required=True, help="folder of captions; what is there is gone on with")
    run.add_argument("--expert", action="append", required=True, metavar="KIND=WHICH", help=f"{EXPERTS}; repeatable")
    run.add_argument("--captions", type=int, default=3, help="of each expert for a sound (%(default)s)")
    run.add_argument("--prefix", default="", help='what a transformers captioner begins with: "clotho > caption:"')
    run.add_argument("--clap", default="small", help="that ranks: a model, or transformers=NAME (%(default)s)")
    run.add_argument("--shard", default="0/1", metavar="I/N", help="the part of this process (%(default)s)")
    run.add_argument("--device", help="default: the best here")
    add_fields(run, DistilOptions)
    again = commands.add_parser("select", help="choose again with another threshold")
    again.add_argument("folder", type=Path)
    again.add_argument("--threshold", type=float, required=True)
    count = commands.add_parser("stats", help="how many are kept, and whose they are")
    count.add_argument("folder", type=Path)
    table5.add_arguments(commands.add_parser("table5", help="the paper's Table 5"))
    return parser


if __name__ == "__main__":
    main()
