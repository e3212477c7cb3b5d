"""Where a recording sounds: its single events, told apart by their loudness alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 0.016  # seconds of one value of the loudness curve
AUDIBLE = -20.0  # dB of the loudest block: what stays below is no event of its own
OVER = -20.0  # dB of its own peak: there an event has ended, and the next one may begin in its tail
SURE, UNSURE = 15.0, 8.0  # dB between two events: a valley deeper than the first parts them, one above the second not
CORE = -6.0  # dB of the median: what lies before and behind it is the fade of a sound that goes on


@dataclass(frozen=True)
class Bursts:
    """The events within one recording.

    spans [K, 2] samples, in order; `sure` where their number leaves no doubt; `core` (from, to) is where a sound that
    goes on is at its usual level.
    """

    spans: NDArray[np.int64]
    sure: bool
    core: tuple[int, int]

    @property
    def first(self) -> int:
        """Where the first event begins."""
        return int(self.spans[0, 0])

    @property
    def last(self) -> int:
        """Where the last event has ended but for its tail."""
        return int(self.spans[-1, 1])


def find_bursts(wave: NDArray[np.float32], rate: int) -> Bursts:
    """The events of a waveform [samples], not silent."""
    block = round(BLOCK * rate)
    level = loudness(wave, block)
    peaks = _peaks(level, SURE)
    spans = np.array([_span(level, *peak) for peak in peaks], np.int64) * block
    usual = np.flatnonzero(level > np.median(level) + CORE)
    core = int(usual[0]) * block, min(len(wave), (int(usual[-1]) + 1) * block)
    return Bursts(spans.clip(0, len(wave)), len(peaks) == len(_peaks(level, UNSURE)), core)


def loudness(wave: NDArray[np.float32], block: int) -> NDArray[np.float64]:
    """dB of blocks of so many samples, smoothed over three, the loudest at 0."""
    padded = np.pad(wave.astype(np.float64), (0, -len(wave) % block))
    power = np.square(padded).reshape(-1, block).mean(1)
    smooth = np.convolve(np.pad(power, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")
    return np.asarray(10 * np.log10(smooth / smooth.max() + 1e-8))


def _peaks(level: NDArray[np.float64], depth: float) -> list[tuple[int, int, int]]:
    """(valley before, peak, valley behind) of every peak that valleys of at least `depth` dB set apart."""
    found: list[tuple[int, int, int]] = []
    before, peak, valley, rising = 0, 0, 0, True
    for k, value in enumerate(level.tolist()):
        if rising:
            if value > level[peak]:
                peak = k
            elif value < level[peak] - depth:
                found.append((before, peak, k))
                valley, rising = k, False
        elif value < level[valley]:
            valley = k
        elif value > level[valley] + depth:
            found[-1] = (*found[-1][:2], valley)
            before, peak, rising = valley, k, True
    if rising:
        found.append((before, peak, len(level)))
    else:
        found[-1] = (*found[-1][:2], len(level))
    return [one for one in found if level[one[1]] >= AUDIBLE]


def _span(level: NDArray[np.float64], before: int, peak: int, behind: int) -> tuple[int, int]:
    """First block of an event, and the one behind its last."""
    quiet = np.flatnonzero(level[before:peak] < level[peak] + OVER)
    ended = np.flatnonzero(level[peak:behind] < level[peak] + OVER)
    first = before + int(quiet[-1]) + 1 if len(quiet) else before
    return first, peak + int(ended[0]) if len(ended) else behind
