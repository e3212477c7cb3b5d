"""`python -m maa batch`: many sounds from a list of prompts, into a folder, going on where it was cut off."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from maa.aside import sweep
from maa.cli.progress import ERASE, progress
from maa.cli.tasks import SUBTYPES, opened
from maa.pipeline import batch
from maa.pipeline.batch import Request
from maa.pipeline.options import Sampling
from maa.pipeline.setting import read_options, settings_of
from maa.pipeline.shaping import Shaping
from maa.pipeline.tasks import Text

if TYPE_CHECKING:
    from maa import MakeAnAudio


def run(args: argparse.Namespace) -> int:
    """Check all, then make what is not there yet; 2 where some of it could not be made."""
    rows = batch.read_prompts(args.prompts)
    axes = _axes(args.grid)
    known = {setting.name for group in (Text, Sampling) for setting in settings_of(group)}
    common = {name: value for name, value in vars(args).items() if name in known and value is not None}
    seed = common.pop("seed", None)
    shaping = read_options(Shaping, {name: value for name, value in vars(args).items() if value is not None})
    shaped = {} if shaping.plain else {"shaping": shaping.to_settings()}  # nothing: as in folders that know none
    decided = {
        "rows": [[line, dict(said)] for line, said in rows], "common": common, "axes": axes, "model": args.model,
        "format": args.format, "bits": args.bits, "rate": args.rate, **shaped,
    }  # fmt: skip
    for request in batch.batch_requests(rows, common, axes, args.prompts.parent, 0):
        _check_shaping(request, shaping)  # what is wrong is said before anything is made
    first = batch.open_batch(args.output, decided, seed)
    sweep(args.output)
    wanted = batch.batch_requests(rows, common, axes, args.prompts.parent, first)
    return _make(args, wanted, shaping)


def _check_shaping(request: Request, shaping: Shaping) -> None:
    """Raise ValueError where a line's sound cannot be shaped; a length that the model decides is not known yet."""
    seconds = getattr(request.task, "seconds", None)
    try:
        shaping.asked(request.sampling)
        if seconds is not None:
            shaping.check_length(seconds)
    except ValueError as error:
        raise ValueError(f"line {request.line}: {error}") from error


def _axes(given: list[list[str]] | None) -> dict[str, list[str]]:
    axes: dict[str, list[str]] = {}
    for name, *values in given or []:
        if not values and "=" in name:
            name, _, said = name.partition("=")
            values = batch.typed_values(said, name)
        if not values or name in axes or name not in batch.table_columns() or name == "prompt":
            raise ValueError(f"--grid {name} takes the name of a setting, once, and its values: --grid seed=1,2,3.")
        axes[name] = values
    return axes


def _make(args: argparse.Namespace, wanted: list[Request], shaping: Shaping) -> int:
    paths = [args.output / f"{request.name}.{args.format}" for request in wanted]
    maa: MakeAnAudio | None = None
    failed: list[str] = []
    for index, (request, path) in enumerate(zip(wanted, paths, strict=True)):
        if path.is_file():
            continue
        if maa is None:
            maa = opened(args)
        try:
            _one(maa, request, path, args, shaping)
        except ValueError as error:
            failed.append(f"line {request.line}: {' '.join(str(error).split())}")
        if not args.quiet:
            begin = ERASE if sys.stderr.isatty() else ""
            said = failed[-1] if failed and not path.is_file() else path.name
            print(f"{begin}{index + 1}/{len(wanted)} {said}", file=sys.stderr)
    batch.write_table(args.output / batch.TABLE, [batch.table_row(path, path.name) for path in paths if path.is_file()])
    if failed:
        shown = "; ".join(failed[:3]) + (f"; and {len(failed) - 3} more" if len(failed) > 3 else "")
        raise ValueError(f"{len(failed)} of {len(wanted)} could not be made: {shown}")
    if not args.quiet:
        print(f"{args.output}: {len(wanted)} sounds, listed in {batch.TABLE}", file=sys.stderr)
    return 0


def _one(maa: MakeAnAudio, request: Request, path: Path, args: argparse.Namespace, shaping: Shaping) -> None:
    sampling = shaping.asked(request.sampling)
    made = request.task.run(maa, request.source, sampling, progress(args.quiet)).shaped(shaping)
    made.save(path, subtype=SUBTYPES.get(args.bits), rate=args.rate)
