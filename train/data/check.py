"""Bad recordings, found one by one: what is wrong with a file, in a sentence, and how many there are of each kind."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

AUDIBLE = 1e-4  # peak; anything quieter is silence
RATES = (4_000, 384_000)  # Hz; outside of these a header lies
FULL = 0.999  # of full scale
CLIPPED = 0.2  # of the samples in runs of three or more at the same full-scale value
SHORTEST = 0.02  # seconds

KINDS = (
    "missing",
    "zero length",
    "wrong hash",
    "broken header",
    "wrong rate",
    "silent",
    "clipped",
    "duplicate",
)
HELD_OUT = "held out elsewhere"  # of recordings that are the same as one which is not for training


@dataclass(frozen=True)
class Problem:
    """Why one recording is left out."""

    row: str  # its id, or its path
    kind: str  # one of KINDS, or HELD_OUT
    detail: str  # what was found, and what to do

    def __str__(self) -> str:
        return f"{self.row}: {self.kind}; {self.detail}"


@dataclass(frozen=True)
class Decoded:
    """A decoded recording."""

    samples: NDArray[np.float32]  # [frames, channels], full scale is 1
    rate: int  # Hz
    sha256: str  # of the file's bytes


@dataclass
class Findings:
    """All problems of a set of recordings, in order."""

    problems: list[Problem] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)  # digest of the content -> the first recording that has it

    def count(self) -> dict[str, int]:
        """How many of each kind that occurs."""
        found = Counter(problem.kind for problem in self.problems)
        return {kind: found[kind] for kind in (*KINDS, HELD_OUT) if found[kind]}

    def summary(self, total: int) -> str:
        """One sentence: "3 of 120 recordings are left out: 2 silent, 1 missing."."""
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.count().items())
        return f"{len(self.problems):,} of {total:,} recordings are left out{': ' + kinds if kinds else ''}."


def examine(
    row: str, path: Path, findings: Findings, sha256: str | None = None, rate: int | None = None
) -> Decoded | None:
    """A good recording's sound, else None with the problem noted in `findings`.

    Args:
        row: what to call the recording.
        sha256: of the file's bytes, where it is known.
        rate: Hz that the file must have, where its data set promises one.
    """
    found = _read(row, path, findings, sha256, rate)
    if isinstance(found, Problem):
        findings.problems.append(found)
        return None
    return found


def verify(row: str, data: bytes | None, sha256: str, version: str, findings: Findings) -> bool:
    """Whether the bytes are those of the package's `version`; the problem is noted where they are not."""
    problem = None
    if data is None:
        problem = Problem(row, "missing", "fetch it again with `python -m train.data fetch`.")
    elif not data:
        problem = Problem(row, "zero length", "the file is empty; fetch it again.")
    elif hashlib.sha256(data).hexdigest() != sha256:
        detail = f"the file differs from the one in version {version} that the manifest describes; it was left out."
        problem = Problem(row, "wrong hash", detail)
    if problem is not None:
        findings.problems.append(problem)
    return problem is None


def _read(row: str, path: Path, findings: Findings, sha256: str | None, rate: int | None) -> Decoded | Problem:
    import soundfile

    if not path.is_file():
        return Problem(row, "missing", f"there is no file {path}.")
    data = path.read_bytes()
    if not data:
        return Problem(row, "zero length", f"{path} is empty.")
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        return Problem(row, "wrong hash", f"{path} differs from the one that the manifest describes.")
    try:
        samples, found = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        return Problem(row, "broken header", f"{path} cannot be decoded ({error}).")
    if len(samples) < SHORTEST * found:
        return Problem(row, "zero length", f"{path} holds {len(samples)} samples.")
    if not RATES[0] <= found <= RATES[1] or (rate is not None and found != rate):
        return Problem(row, "wrong rate", f"{path} has {found} Hz{f', not {rate}' if rate else ''}.")
    return _listen(row, path, samples, digest, findings) or Decoded(samples, found, digest)


def _listen(row: str, path: Path, samples: NDArray[np.float32], digest: str, findings: Findings) -> Problem | None:
    """What is wrong with the sound itself."""
    if not np.isfinite(samples).all():
        return Problem(row, "broken header", f"{path} holds values that are no numbers.")
    if float(np.abs(samples - samples.mean(axis=0)).max()) < AUDIBLE:
        return Problem(row, "silent", f"{path} holds no sound.")
    if clipped(samples) > CLIPPED:
        return Problem(row, "clipped", f"{clipped(samples):.0%} of {path} is cut off at full scale.")
    first = findings.seen.setdefault(digest, row)
    return Problem(row, "duplicate", f"the same file as {first}.") if first != row else None


def clipped(samples: NDArray[np.float32]) -> float:
    """Share of the samples [frames, channels] that lie in runs of at least three at full scale."""
    loud = np.abs(samples) >= FULL
    if len(samples) < 3:
        return 0.0
    run = loud[:-2] & loud[1:-1] & loud[2:]
    inside = np.zeros_like(loud)
    for shift in range(3):
        inside[shift : len(run) + shift] |= run
    return float(inside.mean())
