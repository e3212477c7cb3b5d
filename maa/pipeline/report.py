"""What an edit did to a sound, measured on the sound itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.io import Audio
from maa.audio.loudness import lufs
from maa.audio.splice import intervals

_BLOCK = 1 << 18  # samples of all channels compared at once


@dataclass(frozen=True)
class Report:
    """How much of a sound stayed, and how loud the rest is.

    Attributes:
        unchanged: share of all samples of all channels that are the very same value, in percent.
        outside: largest difference of a sample outside the spans, full scale = 1. It is 0, or something is wrong.
        loudness_before: of the spans, integrated LUFS; None where it cannot be measured (silence).
        loudness_after: the same of the result.
    """

    unchanged: float
    outside: float
    loudness_before: float | None
    loudness_after: float | None

    def to_settings(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)

    def sentence(self) -> str:
        """One line for people."""
        before, after = ("silent" if x is None else f"{x:.1f}" for x in (self.loudness_before, self.loudness_after))
        share = math.floor(100 * self.unchanged) / 100  # 99.999 % is not 100 %
        return (
            f"{share:g} % of the samples unchanged · largest difference outside the span {self.outside:g} · "
            f"loudness of the painted part {before} → {after} LUFS"
        )


def report(source: Audio, result: NDArray[Any], spans: Sequence[tuple[float, float]]) -> Report:
    """Compare a result [channels, n] with its source.

    Args:
        source: what the result was made from, of the same length.
        result: samples at the source's rate.
        spans: (start, end) in seconds that were to be made new.
    """
    before = source.samples
    pieces = intervals(spans, source)
    edges = [0, *(edge for piece in pieces for edge in piece), before.shape[1]]
    outside, changed = 0.0, 0
    for index, (first, stop) in enumerate(pairwise(edges)):
        for at in range(first, stop, _BLOCK):
            part = slice(at, min(at + _BLOCK, stop))
            difference = np.abs(result[:, part] - before[:, part])
            changed += int(np.count_nonzero(difference))
            if index % 2 == 0:  # edges alternate: outside, inside, outside
                outside = max(outside, float(difference.max(initial=0.0)))
    loudness = [_loudness(x, pieces, source.sample_rate) for x in (before, result)]
    return Report(100.0 * (1 - changed / max(1, before.size)), outside, loudness[0], loudness[1])


def _loudness(x: NDArray[Any], pieces: Sequence[tuple[int, int]], rate: int) -> float | None:
    if not pieces:
        return None
    value = lufs(np.concatenate([x[:, a:b] for a, b in pieces], axis=1), rate)
    return round(value, 2) if math.isfinite(value) else None
