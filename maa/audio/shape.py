"""What is done to a finished sound at the very end: width, trim, reverse, fades, gain. Pure functions, at any rate.

A sound is [channels, n]. Nothing here changes a sample that it need not: a sound that is only reversed has the very
same values, and a gain is one factor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from maa.audio import finish
from maa.audio.finish import Finished
from maa.audio.loudness import Samples, lufs, rms_db

GUARD = 0.002  # seconds: a cut without a fade begins and ends so, as a step would be a click
SHORTEST = 0.01  # seconds of what a trim may leave
LARGEST = 18_000_000  # samples of all channels whose peaks are looked for between samples: 3 minutes of stereo, 48 kHz


def trimmed(x: Samples, rate: int, stretch: tuple[float, float]) -> tuple[Samples, tuple[bool, bool]]:
    """The part of x [channels, n] from one second to another, and whether something was cut off in front and behind.

    Raises:
        ValueError: less than 10 ms of the sound lie there. An end beyond the sound's is the sound's own.
    """
    first, last = (min(round(second * rate), x.shape[1]) for second in stretch)
    if last - first < round(SHORTEST * rate):
        between = f"between {stretch[0]:g} s and {stretch[1]:g} s"
        raise ValueError(f"The sound has {x.shape[1] / rate:.2f} s; there is less than {SHORTEST} s of it {between}.")
    return x[:, first:last], (first > 0, last < x.shape[1])


def backwards(x: Samples) -> Samples:
    """x [channels, n] from its end to its beginning, the very same values."""
    return np.ascontiguousarray(x[:, ::-1])


def with_fades(x: Samples, rate: int, seconds: tuple[float, float]) -> Samples:
    """x [channels, n] faded in and out over so many seconds (squared sines); an outermost sample becomes 0.

    Raises:
        ValueError: a fade is longer than the sound.
    """
    count = x.shape[1]
    first, last = (round(one * rate) for one in seconds)
    if max(first, last) > count:
        raise ValueError(f"A fade of {max(seconds):g} s is longer than the sound, which has {count / rate:.2f} s.")
    if not (first or last):
        return x
    shape = np.ones(count)
    shape[:first] *= _rise(first)
    shape[count - last :] *= _rise(last)[::-1]
    return x * shape.astype(x.dtype)


def guarded(x: Samples, rate: int, ends: tuple[bool, bool]) -> Samples:
    """x [channels, n] with a ramp of 2 ms at those of its ends that were cut."""
    most = min(GUARD, x.shape[1] / rate / 4)
    front, back = (most if cut else 0.0 for cut in ends)
    return with_fades(x, rate, (front, back))


def gained(x: Samples, rate: int, decibels: float) -> Finished:
    """x [channels, n] with a gain; what it pushes over -0.1 dBTP is turned down around those peaks by the limiter."""
    if not decibels:
        return Finished(x)
    made = Finished(x * x.dtype.type(10 ** (decibels / 20)), decibels)
    return made.then(held(made.samples, rate)) if decibels > 0 else made


def held(x: Samples, rate: int) -> Finished:
    """x [channels, n] with no true peak above -0.1 dB: the limiter turns it down around those peaks."""
    check_size(x)
    samples, taken = finish.limited(x, rate, finish.FULL)
    return Finished(samples, 0.0, taken)


def as_loud_as(x: Samples, rate: int, loudness: str) -> Finished:
    """x [channels, n] as loud as asked (`maa.audio.finish.levelled`).

    Raises:
        ValueError: there is too much of it to look for peaks in at once.
    """
    if loudness == finish.AS_MADE:
        return Finished(x)
    check_size(x)
    return finish.levelled(x, rate, loudness)


def check_size(x: Samples) -> None:
    """Refuse what would take gigabytes to limit."""
    if x.size > LARGEST:
        raise ValueError("This is too much sound to limit at once (3 minutes of stereo at 48 kHz); trim it first.")


def widened(x: Samples, beside: Samples, rate: int, width: float) -> Samples:
    """Stereo [2, n] of two mono sounds [1, n]: x in the middle, what `beside` has of its own at the sides.

    L = cos(a) x + sin(a) s and R = cos(a) x - sin(a) s, with a from 0 (mono x) to 45 degrees (width 1, where both sides
    have nothing in common). s is `beside` without what it shares with x, as loud as x; so the power of both channels
    together is that of x in both of them, and their mean is cos(a) x.
    """
    count = x.shape[1]
    side = np.zeros(count)
    side[: min(count, beside.shape[1])] = beside[0, :count]
    middle = x[0].astype(np.float64)
    energy = float(middle @ middle)
    if energy > 0:
        side -= (middle @ side / energy) * middle
    side *= 10 ** (_apart(x, side[None], rate) / 20)
    angle = width * math.pi / 4
    both = np.stack([math.cos(angle) * middle + sign * math.sin(angle) * side for sign in (1, -1)])
    return both.astype(x.dtype)


def _apart(x: Samples, other: Samples, rate: int) -> float:
    """By how many dB one sound is louder than another: in LUFS, or in RMS where one is too quiet for that."""
    for measure in (lambda sound: lufs(sound, rate), rms_db):
        found = measure(x) - measure(other)
        if math.isfinite(found):
            return float(found)
    return 0.0


def _rise(count: int) -> NDArray[np.float64]:
    """From 0 to nearly 1 in `count` samples."""
    return np.sin(np.pi / 2 * np.arange(count) / max(1, count)) ** 2
