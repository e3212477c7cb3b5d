"""The finish of a generated sound: fades at its ends, no clipping, and the loudness that was asked for.

Nothing is ever clamped. What is too loud is turned down as a whole; only a loudness target that would push peaks over
-1 dBTP brings the limiter in, which turns the sound down around those peaks alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from maa.audio.loudness import Samples, lufs, peak
from maa.audio.sound import resample, resampled_peak

FADE_IN, FADE_OUT = 0.005, 0.020  # seconds; never more than a quarter of the sound
FULL = -0.1  # dBTP, the most that a sound may have that is left as it was made
CEILING = -1.0  # dBTP, the most with a loudness target (EBU R 128)
OVERSAMPLING = 4  # for true peaks, as ITU-R BS.1770-4, Annex 2, asks
AS_MADE, PEAK = "as-made", "peak"
TARGETS = {"-23": -23.0, "-18": -18.0}  # LUFS
LOUDNESS = (AS_MADE, *TARGETS, PEAK)

LOOK_AHEAD = 0.005  # seconds before a peak at which the limiter begins to turn down, and after it until it lets go
RELEASE = 400.0  # dB a second at which it then comes back
MOST = 24.0  # dB that it may take off a peak: a lone click would need more, and the noise around it would rise
CLOSE, TRIES = 0.05, 12  # LU that a target may be missed by, and attempts to come that close
LEAST = 0.15  # LU that a dB of gain is taken to give at least, when the next attempt is chosen


@dataclass(frozen=True)
class Finished:
    """A sound [channels, n], the gain that it was given, and the most that the limiter took off a peak of it."""

    samples: Samples
    gain_db: float = 0.0
    limited_db: float = 0.0

    def then(self, other: Finished) -> Finished:
        """This step and another one that began with its samples."""
        return Finished(other.samples, self.gain_db + other.gain_db, self.limited_db + other.limited_db)

    def to_settings(self) -> dict[str, float]:
        """JSON types: `gain_db`, and `limited_db` where the limiter had to work."""
        limited = {"limited_db": round(self.limited_db, 2)} if self.limited_db >= 0.005 else {}
        return {"gain_db": round(self.gain_db, 2) + 0.0, **limited}


def raw(x: Samples) -> Finished:
    """x [channels, n] as it is, unless a file cannot hold it: then it is turned down as a whole, to a peak of 1."""
    return _scaled(x, min(0.0, -_db(peak(x))))


def clean(x: Samples, rate: int, ends: bool = True) -> Finished:
    """x [channels, n] with faded ends, if asked, and where its true peak is above -0.1 dB turned down as a whole."""
    x = faded(x, rate) if ends else x
    top = true_peak(x, rate)
    return _scaled(x, min(0.0, FULL - _db(top)))


def levelled(x: Samples, rate: int, loudness: str = AS_MADE, level: float | None = None) -> Finished:
    """x [channels, n] as loud as asked; silence stays as it is.

    Args:
        x: a sound.
        rate: Hz.
        loudness: one of `LOUDNESS`; the numbers are LUFS, "peak" is a true peak of -1 dB.
        level: LUFS that a sound is brought to whose loudness is "as-made"; None = as it is.
    """
    target = TARGETS.get(loudness, level if loudness == AS_MADE else None)
    if target is not None and math.isfinite(target):
        return _at(x, rate, target)
    if loudness == PEAK and peak(x) > 0:
        return _scaled(x, CEILING - _db(true_peak(x, rate)))
    return Finished(x)


def faded(x: Samples, rate: int, ends: tuple[bool, bool] = (True, True)) -> Samples:
    """x [channels, n] with the first 5 ms faded in and the last 20 ms faded out, where asked (squared sines)."""
    first, last = _widths(x.shape[-1], rate, ends)
    if not first and not last:
        return x
    x = x.copy()
    x[..., :first] *= _rise(first).astype(x.dtype)
    x[..., x.shape[-1] - last :] *= _rise(last)[::-1].astype(x.dtype)
    return x


def fades(count: int, rate: int, ends: tuple[bool, bool] = (True, True)) -> NDArray[np.float64]:
    """The gain [count] of `faded`."""
    shape = np.ones(count)
    first, last = _widths(count, rate, ends)
    shape[:first] *= _rise(first)
    shape[count - last :] *= _rise(last)[::-1]
    return shape


def _widths(count: int, rate: int, ends: tuple[bool, bool]) -> tuple[int, int]:
    """Samples of both fades."""
    first, last = (min(round(seconds * rate), count // 4) if end else 0
                   for seconds, end in zip((FADE_IN, FADE_OUT), ends, strict=True))  # fmt: skip
    return first, last


def true_peak(x: Samples, rate: int) -> float:
    """Largest magnitude of x [channels, n] between its samples, too: of the sound at four times the rate."""
    return max(peak(x), resampled_peak(x, rate, OVERSAMPLING * rate))


def limited(x: Samples, rate: int, ceiling: float = CEILING) -> tuple[Samples, float]:
    """x [channels, n] with no true peak above `ceiling` dB, and the most that was taken off, in dB.

    The gain looks ahead: it goes down over 5 ms before a peak and comes back at 400 dB a second, smoothed so that it
    bends the sound's spectrum no more than it must. All channels get the same.
    """
    over = np.abs(resample(x, rate, OVERSAMPLING * rate)).max(axis=0).reshape(-1, OVERSAMPLING).max(axis=1)
    over = np.maximum(over, np.abs(x).max(axis=0))
    over = np.maximum(over, np.append(over[1:], 0.0))  # a peak between two samples belongs to both
    over = np.maximum(over, np.append(0.0, over[:-1]))
    needed = np.minimum(0.0, ceiling - 20 * np.log10(np.maximum(over, 1e-9)))
    if not needed.any():
        return x, 0.0
    reach = round(LOOK_AHEAD * rate)
    held = sliding_window_view(np.pad(needed, reach, mode="edge"), 2 * reach + 1).min(axis=1)
    line = RELEASE / rate * np.arange(len(held))
    eased = 10 ** ((np.minimum.accumulate(held - line) + line) / 20)
    window = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(np.pad(eased, reach, mode="edge"), window / window.sum(), mode="valid")
    y = x * gain.astype(x.dtype)
    rest = ceiling - _db(true_peak(y, rate))  # a gain that moves may raise what lies between samples a little
    if rest < 0:
        y = y * y.dtype.type(10 ** (rest / 20))
    return y, -_db(float(gain.min())) - min(0.0, rest)


def _at(x: Samples, rate: int, target: float) -> Finished:
    """x at `target` LUFS with a true peak of at most -1 dB, by one gain and, where that is not enough, the limiter."""
    loudness, top = lufs(x, rate), true_peak(x, rate)
    if not math.isfinite(loudness):
        return Finished(x)
    highest = CEILING + MOST - _db(top)
    before, gain, slope = 0.0, min(target - loudness, highest), 1.0
    for _ in range(TRIES):
        samples, taken = limited(_scaled(x, gain).samples, rate)
        made = Finished(samples, gain, taken)
        reached = lufs(samples, rate)
        if abs(target - reached) <= CLOSE or (gain >= highest and reached < target):
            break
        if gain != before:  # the more is limited, the less a dB of gain gives
            slope = min(1.0, max(LEAST, (reached - loudness) / (gain - before)))
        before, loudness = gain, reached
        gain = min(gain + (target - reached) / slope, highest)
    return made


def _scaled(x: Samples, gain_db: float) -> Finished:
    return Finished(x * x.dtype.type(10 ** (gain_db / 20)), gain_db) if gain_db else Finished(x)


def _rise(count: int) -> NDArray[np.float64]:
    """From nearly 0 to nearly 1 in `count` samples."""
    return np.sin(np.pi / 2 * (np.arange(count) + 0.5) / max(1, count)) ** 2


def _db(x: float) -> float:
    return 20 * math.log10(x) if x > 0 else -math.inf
