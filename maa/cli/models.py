"""`python -m maa convert` and `python -m maa push`: model folders in and out."""

from __future__ import annotations

import argparse
import sys

from maa import checkpoint, hub
from maa.official.convert import Choices, convert


def convert_files(args: argparse.Namespace) -> int:
    """The authors' files to a folder; says what each was taken for and which tasks the folder can do."""
    files = [*args.files, *args.vocoder, *([args.clap] if args.clap else [])]
    words = None if args.words == "none" else args.words
    choices = Choices(mel=args.mel, half=args.half, tokenizer=args.tokenizer, words=words)
    folder = convert(files, args.output, choices, lambda line: None if args.quiet else print(line, file=sys.stderr))
    if not args.quiet:
        print(f"{folder} is ready: python -m maa info --model {folder}", file=sys.stderr)
    return 0


def push(args: argparse.Namespace) -> int:
    """A model folder to the hub; prints its address."""
    print(hub.upload(checkpoint.find(args.model), args.repository, private=args.private))
    return 0
