"""What a person sees while waiting and when it is done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from maa.pipeline.notes import sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maa import Generation
    from maa.pipeline import OnStep

ERASE = "\r\033[K"  # back to the start of the terminal's line, and clear it


def progress(quiet: bool) -> OnStep | None:
    """A line that counts the steps, on a terminal; it erases itself at the end."""
    if quiet or not sys.stderr.isatty():
        return None

    def on_step(step: int, total: int, preview: Callable[[], NDArray[np.float32]]) -> None:
        print(ERASE + (f"step {step}/{total}" if step < total else ""), end="", file=sys.stderr, flush=True)

    return on_step


def print_report(generation: Generation, take: int, path: Path, args: argparse.Namespace) -> None:
    """Settings as JSON on stdout, or a line for people on stderr."""
    if args.json:
        print(json.dumps({"file": str(path), **generation.settings_of(take)}))
    elif not args.quiet:
        facts = [f"{generation.seconds:.2f} s", f"seed {generation.seeds[take]}"]
        if generation.scores is not None:
            facts.append(f"score {generation.scores[take]:.3f}")
        if generation.reports:
            facts.append(f"{generation.reports[take]['unchanged']:.2f} % unchanged")
        if generation.words:
            facts.append("heard as " + ", ".join(f"{word} {weight:.0%}" for word, weight in generation.words[:3]))
        print(f"{path}: {', '.join(facts)}", file=sys.stderr)


def print_notes(generation: Generation, quiet: bool) -> None:
    """What of the prompt was not understood, on stderr, and what was listened to in place of its words."""
    settings = generation.settings
    heard = settings.get("heard", [])
    if not quiet and any(caption not in settings["prompt"] for caption in heard):
        print(f"heard as: {'; '.join(heard)}", file=sys.stderr)
    for sentence in () if quiet else sentences(settings):
        print(sentence, file=sys.stderr)
