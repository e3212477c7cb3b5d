"""Edits of a sound's own spectrum, without a model: louder, softer, silent, copied or moved in time, and harmonics.

Each works on all channels at the sound's own rate, and adds gate * istft(W * stft(change)) to the samples of the spans
that are marked: W is the region on the bins of a spectrum, and the gate ends within the span. Every other sample is
the very same number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from maa.audio.bands import filtered, gate
from maa.audio.mask import Box
from maa.audio.pcm import Samples
from maa.audio.region import Region
from maa.audio.sound import Audio, mono
from maa.audio.splice import FADE

WINDOW = 0.064  # seconds of a spectrum; more where a narrow band is marked, less where a short time is
LONGEST, SHORTEST = 0.2, 0.005  # seconds of it
BINS = 6  # of a spectrum within the narrowest band, where the time allows
LOWEST = 20.0  # Hz; a fundamental is no lower
MEASURED = 5.0  # seconds that tell where a fundamental lies
Change = Callable[[int, slice], Samples]  # samples of a channel
FULL = 1.0  # the loudest sample that a file of whole numbers holds


def boosted(source: Audio, region: Region, decibels: float) -> Audio:
    """The region louder or, below 0 dB, softer.

    Raises:
        ValueError: nothing is marked, or the file could not hold what is so loud.
    """
    change = 10.0 ** (decibels / 20.0) - 1.0
    return _added(source, region, region.pieces(source), _itself(source), change)


def silenced(source: Audio, region: Region) -> Audio:
    """The region gone.

    Raises:
        ValueError: nothing is marked.
    """
    return _added(source, region, region.pieces(source), _itself(source), -1.0)


def region_copied(source: Audio, region: Region, to: float, *, move: bool = False) -> Audio:
    """What is in the region once more where it begins at `to`, in place of what lies there at the same frequencies.

    Args:
        source: the sound.
        region: several parts of it keep their distances.
        to: seconds; what would reach beyond the sound's end is cut off.
        move: and gone from where it was, but for what the copy covers.

    Raises:
        ValueError: nothing is marked, or `to` does not lie in the sound.
    """
    pieces = region.pieces(source)
    distance = _distance(source, pieces, to)
    below = silenced(source, region) if move else source
    samples, there, count = source.samples, below.samples, source.samples.shape[1]

    def change(channel: int, part: slice) -> Samples:
        """What comes less what is there; beyond the sound is silence."""
        first, stop = part.start - distance, part.stop - distance
        inside = samples[channel, max(0, first) : max(0, min(stop, count))]
        before = min(max(0, -first), stop - first)
        comes = np.pad(inside, (before, stop - first - before - len(inside)))
        return np.asarray(comes - there[channel, part])

    return _added(below, region, _moved(source, pieces, distance), change, 1.0, distance)


def copies(source: Audio, pieces: list[tuple[int, int]], to: float) -> list[tuple[int, int]]:
    """Where copies of spans in samples lie, when the first of them is copied to a second of the sound.

    Raises:
        ValueError: that is no second of it.
    """
    return _moved(source, pieces, _distance(source, pieces, to))


def _moved(source: Audio, pieces: list[tuple[int, int]], distance: int) -> list[tuple[int, int]]:
    """Spans in samples that far later, as much of them as lies in the sound."""
    count = source.samples.shape[1]
    moved = [(max(0, first + distance), min(count, stop + distance)) for first, stop in pieces]
    return [(first, stop) for first, stop in moved if stop > first]


def _distance(source: Audio, pieces: list[tuple[int, int]], to: float) -> int:
    """Samples from a region to its copy."""
    if not 0 <= to < source.seconds:
        raise ValueError(f"A copy to {to:g} s does not lie in the sound, which is {source.seconds:.2f} s long.")
    return round(to * source.sample_rate) - pieces[0][0]


def harmonics(source: Audio, box: Box) -> tuple[Box, ...]:
    """A box around a fundamental, and one as high around each of its multiples, up to half the sound's rate.

    The fundamental is the strongest frequency in the box, measured on the mean of the channels.

    Raises:
        ValueError: the box lies beyond the sound, is higher than an octave, or has no fundamental in it.
    """
    rate, top = source.sample_rate, source.sample_rate / 2
    (first, stop), *_ = Region((box,)).pieces(source)
    high = min(box.high, top)
    if box.low < LOWEST or high > 2 * box.low:
        raise ValueError(f"Mark a narrow box around a fundamental: from {LOWEST:g} Hz up, and no more than an octave.")
    middle, reach = (first + stop) // 2, round(MEASURED / 2 * rate)
    wave = mono(source.samples[:, max(first, middle - reach) : min(stop, middle + reach)])
    size = 8 * 2 ** math.ceil(math.log2(len(wave)))
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), size))
    inside = slice(math.ceil(box.low * size / rate), max(math.ceil(box.low * size / rate) + 1, int(high * size / rate)))
    if not power[inside].any():
        raise ValueError("There is no sound in this box; mark one around a fundamental that can be heard.")
    at = inside.start + int(power[inside].argmax())
    fundamental, half = at * rate / size, (high - box.low) / 2
    multiples = range(2, math.floor(top / fundamental) + 1)
    middles = [number * fundamental for number in multiples if number * fundamental < top]
    return (box, *(replace(box, low=middle - half, high=min(top, middle + half)) for middle in middles))


def spectrum_size(region: Region, source: Audio, piece: tuple[int, int]) -> int:
    """Samples of the spectrum that a span is worked on with, a multiple of 64."""
    rate, seconds = source.sample_rate, (piece[1] - piece[0]) / source.sample_rate
    narrow = region.height(piece[0] / rate, piece[1] / rate, rate / 2)
    wanted = min(max(BINS / narrow, WINDOW), LONGEST, max(seconds / 2, SHORTEST))
    return 64 * max(1, round(wanted * rate / 64))


def _itself(source: Audio) -> Change:
    return lambda channel, part: source.samples[channel, part]


def _added(
    source: Audio, region: Region, targets: list[tuple[int, int]], change: Change, by: float, distance: int = 0
) -> Audio:
    """A sound with `by` times a change in the region added in some spans; the region lies `distance` samples earlier.

    Raises:
        ValueError: it becomes louder than the file can hold.
    """
    samples = source.samples
    mixed = samples.copy()
    for piece in targets:
        origin = (piece[0] - distance, piece[1] - distance)
        size = spectrum_size(region, source, origin)
        shape = _gated(source, piece)
        made = within(source, region, piece, size, change, distance)[:, : piece[1] - piece[0]] * shape
        part = samples[:, piece[0] : piece[1]]
        if by > 0 and distance == 0:
            _check_full(source, part, made, by)
        mixed[:, piece[0] : piece[1]] = part + (by * made).astype(samples.dtype)
    return replace(source, samples=mixed)


def within(
    source: Audio, region: Region, piece: tuple[int, int], size: int, change: Change, distance: int = 0
) -> NDArray[np.float32]:
    """What of a change lies in the region: istft(W * stft(change)) over a span, [channels, stop - first].

    Args:
        source: the sound; what lies beside the span is heard, too.
        region: it lies `distance` samples before the span.
        piece: (first, stop) in samples.
        size: samples of the window.
        change: samples of a channel.
    """
    rate, (channels, count) = source.sample_rate, source.samples.shape
    begin, end = max(0, piece[0] - size), min(count, piece[1] + size)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    span = ((piece[0] - distance) / rate, (piece[1] - distance) / rate)

    def gains(middles: NDArray[np.float64]) -> NDArray[np.float32]:
        return region.weights(hertz, (begin - distance + middles) / rate, span)

    def part_of(channel: int, part: slice) -> NDArray[np.float32]:
        return np.asarray(change(channel, slice(begin + part.start, begin + part.stop)), dtype=np.float32)

    made = filtered(part_of, (channels, end - begin), size, gains)
    return made[:, piece[0] - begin : piece[1] - begin]


def _gated(source: Audio, piece: tuple[int, int]) -> NDArray[np.float32]:
    """How far a change has come in, over a span; there is no fade where the sound itself begins or ends."""
    length = piece[1] - piece[0]
    return gate(length, min(round(FADE * source.sample_rate), length // 4), _joins(source, piece))


def _joins(source: Audio, piece: tuple[int, int]) -> tuple[bool, bool]:
    return piece[0] > 0, piece[1] < source.samples.shape[1]


def _check_full(source: Audio, part: Samples, made: NDArray[np.float32], by: float) -> None:
    """Refuse a gain that a file of whole numbers would clip, and say how much would do."""
    if source.subtype in ("FLOAT", "DOUBLE"):
        return
    ceiling = max(FULL, float(np.abs(source.samples).max()))
    busy = np.abs(made) > 1e-9
    room = (ceiling - part[busy] * np.sign(made[busy])) / np.abs(made[busy])
    most = float(room.min(initial=np.inf))
    if by > most:
        fits = 20 * math.log10(1 + max(0.0, most))
        raise ValueError(f"That would go beyond full scale; here at most {math.floor(10 * fits) / 10:g} dB fit in.")
