"""`python -m maa whatis`: what a file's tags, and a detector, say about where its sound is from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from maa.audio.tags import read_tags
from maa.pipeline.detecting import default_folder, open_detector, verdict
from maa.pipeline.edits import step_sentence, steps_in

SHOWN = ("task", "prompt", "seed", "steps", "model", "weights")  # settings that one line tells
NO_TAGS = "No settings of this program are inside. They are easily lost, so that says nothing about the sound."
TAGGED = "The file says that this program made it"
FORGED = "Settings can be copied into any file."


def show_whatis(args: argparse.Namespace) -> int:
    """Print both, as sentences or as JSON."""
    told = [told_of_file(path, args.detector) for path in args.files]
    if args.json:
        print(json.dumps(told if len(told) > 1 else told[0], indent=2))
        return 0
    for facts in told:
        edits = "".join(f"\n  edit {number}: {text}" for number, text in enumerate(facts["edits"], 1))
        print(f"{facts['file']}\n  tags: {facts['tags']}{edits}\n  detector: {facts['detector']}")
    return 0


def told_of_file(path: Path, folder: Path | None) -> dict[str, Any]:
    """What is known about a file.

    Args:
        folder: of a detector; None = that among the checkpoints, if there is one.

    Raises:
        ValueError: there is no such file, or no detector in a folder that was named.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}; check the name.")
    settings = read_tags(path)
    where = default_folder() if folder is None else folder
    detector = open_detector(where)
    if detector is None and folder is not None:
        raise ValueError(f"There is no detector in {folder}; make one with `python -m train.detector --out {folder}`.")
    score: float | None = None
    said = f"No weights in {where}; `python -m train.detector` makes some."
    if detector is not None:
        found, said = verdict(path, detector)
        score = None if found != found else round(found, 4)
    edits = edits_told(settings)
    told = {"file": str(path), "tags": tagged(settings), "settings": settings}
    return {**told, "edits": edits, "detector": said, "generated": score}


def edits_told(settings: dict[str, Any] | None) -> list[str]:
    """The chain of edits that a file carries, a sentence each; none where there is no chain."""
    return list(map(step_sentence, steps_in(settings))) if settings and settings.get("chain") else []


def tagged(settings: dict[str, Any] | None) -> str:
    """What the settings inside a file say, in a line."""
    if settings is None:
        return NO_TAGS
    named = (f"{name} {settings[name]!r}" for name in SHOWN if settings.get(name) not in (None, ""))
    return f"{TAGGED}: {', '.join(named) or 'it names no task'}. {FORGED}"
