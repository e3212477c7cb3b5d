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

from maa.audio.finish import AS_MADE
from maa.diffusion.samplers import sampler_named
from maa.pipeline import Sampling
from maa.pipeline.request import check_loudness, check_seconds

RATES = (16_000, 22_050, 44_100, 48_000, 96_000)  # Hz that files can be written at
WORK = 4000  # denoising steps of all takes of one request
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
    rate: int | None = None  # Hz of the file; None = the sound's own
    loudness: str = AS_MADE


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
        fields: prompt, negative, seconds, steps, guidance, sampler, eta, seed (-1 = a fresh one), takes, file_format,
            rate (Hz, 0 = the sound's own), loudness, density (None = the model's choice), `free` (true = ignore the
            density), and `fresh` (true = ignore the seed and draw one).

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
    sampling = Sampling(
        steps=whole(fields["steps"]),
        guidance=fields["guidance"],
        seed=seed,
        count=whole(fields["takes"]),
        sampler=fields["sampler"],
        eta=(fields.get("eta") or 0.0) if sampler_named(fields["sampler"]).uses_eta else 0.0,
        density=None if fields.get("free") is True else fields.get("density"),
    )
    if sampling.steps * sampling.count > WORK:
        raise ValueError(
            f"{sampling.count} takes of {sampling.steps} steps are too much at once; all takes together may have "
            f"{WORK:,} steps."
        )
    return Ask(
        prompt=fields.get("prompt") or "",
        negative=fields.get("negative") or "",
        seconds=seconds,
        sampling=sampling,
        file_format=formats[name],
        rate=_rate(fields.get("rate")),
        loudness=check_loudness(fields.get("loudness", AS_MADE)),
    )


def _rate(value: Any) -> int | None:
    rate = whole(value or 0)
    if rate == 0:
        return None
    if rate not in RATES:
        raise ValueError(f"The sample rate should be one of {', '.join(map(str, RATES))} Hz, or 0 for the sound's own.")
    return int(rate)


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
