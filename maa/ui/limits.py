"""What people may ask for, checked on the server: sliders and fields in a page are only hints.

Everything that arrives here came over the network and may be of any type. What the pipeline checks itself (ranges,
prompts) is left to it; here values get their right type, and what only the app knows is checked.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maa.pipeline import Sampling
from maa.pipeline.request import check_seconds

BOXES = 64  # regions of one request
SEEDS = 2**32


@dataclass(frozen=True)
class FileFormat:
    """How a sound is written."""

    label: str
    suffix: str
    subtype: str | None  # soundfile's name of the sample format; None = the one that loses nothing


FORMATS = {
    "wav16": FileFormat("WAV, 16 bit", ".wav", "PCM_16"),
    "wav24": FileFormat("WAV, 24 bit", ".wav", "PCM_24"),
    "flac": FileFormat("FLAC", ".flac", None),
}
SOURCE = {"source": FileFormat("WAV, as your sound", ".wav", None)}


@dataclass(frozen=True)
class Ask:
    """One checked request, without the parts that only one task has."""

    prompt: str
    negative: str
    seconds: float | None  # None = the task decides
    sampling: Sampling
    file_format: FileFormat


def number(value: object, name: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} should be a number.")
    return float(value)


def whole(value: Any) -> Any:
    """25.0 becomes 25, as sliders and JSON do not tell the two apart; anything else is for `Sampling` to judge."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def fresh_seed() -> int:
    """A seed that nobody can foresee, 0 to 2**32 - 1."""
    return secrets.randbelow(SEEDS)


def ask(fields: Mapping[str, Any]) -> Ask:
    """Check the fields that tasks share. A field that a task does not have may be missing.

    Args:
        fields: prompt, negative, seconds, steps, guidance, sampler, seed (-1 = a fresh one), takes, file_format, and
            `fresh` (true = ignore the seed and draw one).

    Raises:
        ValueError: a value is of the wrong kind or outside its limits.
    """
    seed = whole(fields.get("seed"))
    if fields.get("fresh") is True or seed is None or seed == -1:
        seed = fresh_seed()
    seconds = fields.get("seconds")
    check_seconds(seconds)
    formats = FORMATS | SOURCE
    name = fields.get("file_format", "wav16")
    if name not in formats:
        raise ValueError(f"The file format should be one of {', '.join(formats)}.")
    return Ask(
        prompt=fields.get("prompt") or "",
        negative=fields.get("negative") or "",
        seconds=seconds,
        sampling=Sampling(
            steps=whole(fields["steps"]),
            guidance=fields["guidance"],
            seed=seed,
            count=whole(fields["takes"]),
            sampler=fields["sampler"],
        ),
        file_format=formats[name],
    )


def boxes(value: object, edges: int = 4) -> list[tuple[float, ...]]:
    """Rows of [start s, end s, low Hz, high Hz], or with `edges` 2 of [start s, end s]; None is none.

    Their order and range are for `maa.audio.mask.Box` to judge.
    """
    names = ("start s", "end s", "low Hz", "high Hz")[:edges]
    row_text = f"[{', '.join(names)}]"
    if value is None:
        return []
    if not isinstance(value, (list, tuple)) or len(value) > BOXES:
        raise ValueError(f"Give up to {BOXES} regions, each as {row_text}.")
    rows = []
    for row in value:
        if not isinstance(row, (list, tuple)) or len(row) != edges:
            raise ValueError(f"Each region should be {row_text}.")
        rows.append(tuple(number(edge, "Each edge of a region") for edge in row))
    return rows
