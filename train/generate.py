"""Sounds for a whole list of captions: fixed seeds, cut off and gone on with, shared among machines.

    python -m train.generate --captions audiocaps/test.csv --to made/            # a sound a line
    python -m train.generate --captions clotho_captions_evaluation.csv --to made/ --shard 0/4     # of four machines
    python -m train.generate --captions prompts.txt --to made/ --seconds 5.12 --guidance 4
    python -m train.evaluate --generated made/ --reference audiocaps/test --captions audiocaps/test.csv

Lists: AudioCaps' and Clotho's CSV, any other CSV or TSV with a column of captions, JSON, JSONL, plain text. A line's
sound is called after its clip, <clip>__2 for the second of its captions, as the harness pairs them. Line k has the seed
--seed + k wherever it is made. Lines are made in groups of --batch, the same groups in every shard, and a group is made
again as long as one of its sounds is missing: what comes out does not depend on where a run was cut off. (Another
--batch, another machine or number of threads changes the last digits.) A sentence of several sounds is one condition
here, where `python -m maa text` places its sounds in time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maa import MakeAnAudio, Sampling
from maa.aside import write_text
from maa.audio import io
from maa.device import DTYPES
from maa.foreign import foreign
from maa.pipeline.leading import check_said
from maa.pipeline.options import SEEDS
from maa.pipeline.tasks import check_seconds
from maa.version import VERSION
from train.evaluation.lists import Line, digest_of_list, read_list
from train.evaluation.together import takes_of
from train.trainer.keeping import alone_in, one_line

SETTINGS = "generate.json"
FORMATS = ("wav", "flac")


@dataclass(frozen=True)
class ListShard:
    """Part `index`, counted from 0, of `count`."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"


@dataclass(frozen=True)
class CaptionOrder:
    """What is made of each line."""

    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0  # of the first line
    seconds: float | None = None  # None = the model's own length
    batch: int = 4
    literal: bool = False  # take captions as they are; else they are led to known ones, as a person's are
    kind: str = "wav"

    def __post_init__(self) -> None:
        check_seconds(self.seconds)
        if self.batch < 1:
            raise ValueError(f"A batch should have at least one line, not {self.batch}.")
        if not 0 <= self.seed < SEEDS:
            raise ValueError(f"The seed should lie between 0 and {SEEDS - 1}, not {self.seed}.")


def shard_of(text: str) -> ListShard:
    """`i/n` as a shard.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or not int(found[1]) < int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} should be i/n with i from 0 to n - 1, as in 0/4.")
    return ListShard(int(found[1]), int(found[2]))


def generate(
    maa: MakeAnAudio, lines: Sequence[Line], order: CaptionOrder, to: Path, shard: ListShard = ListShard()
) -> int:
    """Make what is missing of a shard and return how many sounds were made.

    Args:
        maa: the model.
        lines: the whole list, in its order.
        order: what is made of each.
        to: folder of the sounds; one list, one model and one order each.
        shard: which of the list's groups are made here.

    Raises:
        ValueError: the model makes no sound from text, a caption is too long, the folder holds sounds of something
            else, or another process makes this shard.
    """
    _check(maa, lines)
    settled = order.sampling.settled(maa.config)
    with alone_in(to, f"generate-{shard}"):
        _claim(to, _settings(maa, lines, order, settled))
        work = to / f".work-{shard}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        numbered = list(enumerate(lines))
        groups = [numbered[k : k + order.batch] for k in range(0, len(lines), order.batch)]
        mine = groups[shard.index :: shard.count]
        missing = [group for group in mine if not all(_path(to, line, order).is_file() for _, line in group)]
        for group in tqdm(missing, desc=f"groups of {order.batch}", disable=None):
            _make(maa, group, order, settled, to, work)
        shutil.rmtree(work)
    return sum(len(group) for group in missing)


def _check(maa: MakeAnAudio, lines: Sequence[Line]) -> None:
    unable = maa.capabilities()["text"]
    if unable is not None:
        raise ValueError(unable)
    for line in lines:
        try:
            check_said(line.caption)
        except ValueError as error:
            raise ValueError(f"{line.name}: {error}") from error


def _path(to: Path, line: Line, order: CaptionOrder) -> Path:
    return to / f"{line.name}.{order.kind}"


def _make(
    maa: MakeAnAudio, group: Sequence[tuple[int, Line]], order: CaptionOrder, settled: Sampling, to: Path, work: Path
) -> None:
    """One group, put in its place sound by sound once all of it is written; what was there already stays the same."""
    said = [maa.understood(line.caption, literal=order.literal) for _, line in group]
    seeds = [(order.seed + number) % SEEDS for number, _ in group]
    waves = takes_of(maa, [(one.text, seed) for one, seed in zip(said, seeds, strict=True)], settled, order.seconds)
    made = []
    for (_, line), wave, prompts, seed in zip(group, waves, said, seeds, strict=True):
        settings = maa.engine.settings("text", settled, prompts) | {
            "seed": seed,
            "takes": 1,
            "made_with": len(group) - 1,
        }
        settings["seconds"] = order.seconds or maa.config.audio.seconds
        path = work / _path(to, line, order).name
        io.write(path, wave, maa.config.audio.sample_rate, tags=settings)
        made.append(path)
    for path in made:
        os.replace(path, to / path.name)


def _settings(maa: MakeAnAudio, lines: Sequence[Line], order: CaptionOrder, settled: Sampling) -> dict[str, Any]:
    """What a folder of sounds is of; the same in every shard."""
    sampling = {name: value for name, value in settled.to_settings().items() if name not in ("seed", "takes")}
    config = hashlib.sha256(repr(maa.config).encode()).hexdigest()[:16]
    return {
        "list": digest_of_list(lines),
        "lines": len(lines),
        "model": maa.name,
        "weights": maa.model.weights_hash,
        "config": config,
        "dtype": str(maa.dtype).removeprefix("torch."),
        **sampling,
        "seed": order.seed,
        "seconds": order.seconds,
        "batch": order.batch,
        "literal": order.literal,
        "format": order.kind,
        "version": VERSION,
    }


def _claim(to: Path, settings: dict[str, Any]) -> None:
    """Write down what the folder is of, or see that it is of the same.

    Raises:
        ValueError: it is of something else, or what is written down is damaged.
    """
    path = to / SETTINGS
    if not path.is_file():
        write_text(path, json.dumps(settings, indent=2) + "\n")
        return
    with foreign(f"{path} is damaged; delete it if all sounds beside it are of this list and model."):
        earlier = dict(json.loads(path.read_text(encoding="utf-8")))
    other = [name for name in settings if earlier.get(name) != settings[name]]
    if other:
        name = other[0]
        raise ValueError(
            f"{to} holds sounds of another {name} ({earlier.get(name)}, not {settings[name]}); use another folder."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.generate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--captions", type=Path, required=True, metavar="FILE", help="the list")
    add("--to", type=Path, required=True, metavar="DIR", help="folder of the sounds")
    add("--model", default="small", help="a name, a folder or a hub id (%(default)s)")
    add("--device", help="such as cpu; default: the best there is")
    add("--dtype", choices=DTYPES, help="what the U-Net computes in; default: the device's choice")
    add("--shard", type=shard_of, default=ListShard(), metavar="i/n", help="only part i of n, counted from 0")
    add("--batch", type=int, default=CaptionOrder.batch, help="lines made at once (%(default)s)")
    add("--seed", type=int, default=0, help="of the first line; line k has seed + k (%(default)s)")
    add("--seconds", type=float, help="of a sound; default: what the model was trained on")
    add("--steps", type=int, default=Sampling.steps)
    add("--guidance", type=float)
    add("--sampler", default=Sampling.sampler)
    add("--literal", action="store_true", help="take captions as they are, not led to known ones")
    add("--format", choices=FORMATS, default=FORMATS[0])
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = _parser()
    args = parser.parse_args(arguments)
    with one_line(parser):
        sampling = Sampling(steps=args.steps, guidance=args.guidance, sampler=args.sampler, seed=args.seed)
        order = CaptionOrder(sampling, args.seed, args.seconds, args.batch, args.literal, args.format)
        lines = read_list(args.captions)
        maa = MakeAnAudio.from_pretrained(args.model, device=args.device, dtype=args.dtype)
        made = generate(maa, lines, order, args.to, args.shard)
    there = sum(_path(args.to, line, order).is_file() for line in lines)
    print(f"{made} sounds were made; {there} of the list's {len(lines)} are in {args.to}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
