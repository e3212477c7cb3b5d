"""`python -m maa edit`: a part of a sound louder, softer, silent, healed, copied or moved, without a model."""

from __future__ import annotations

import argparse
import json
import sys

from maa.audio.io import read, write
from maa.audio.tags import read_tags
from maa.cli.tasks import SUBTYPES, check_files
from maa.pipeline.editing import chain_settings, edited
from maa.pipeline.edits import Edit, check_room, step_sentence, steps_in
from maa.pipeline.setting import read_options


def run(args: argparse.Namespace) -> int:
    """Check, edit, write, report."""
    check_files(args, [args.output])
    edit = read_options(Edit, {name: value for name, value in vars(args).items() if value is not None})
    source, steps = read(args.input), steps_in(read_tags(args.input))
    if args.output.suffix.lower() == ".flac" and not args.bits and source.subtype in ("PCM_32", "FLOAT", "DOUBLE"):
        raise ValueError(
            f"FLAC cannot hold the {source.subtype} samples of {args.input}; write .wav, or add --bits 24."
        )
    check_room(steps)
    made = edited(source, edit)
    steps = [*steps, made.step]
    settings = chain_settings(steps, report=made.report.to_settings())
    subtype = SUBTYPES.get(args.bits, source.subtype)
    write(args.output, made.audio.samples, source.sample_rate, subtype, settings, source.carried)
    if args.json:
        print(json.dumps({"file": str(args.output), **settings}))
    elif not args.quiet:
        print(f"{args.output}: {step_sentence(made.step)}; {made.report.sentence()}", file=sys.stderr)
    return 0
