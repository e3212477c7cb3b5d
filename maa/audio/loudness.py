"""How loud: peak, RMS, and integrated loudness by ITU-R BS.1770-4, with gains that match one sound to another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]

BLOCK, STEP = 0.400, 0.100  # seconds of a gating block, and between two
_ABSOLUTE, _RELATIVE = -70.0, -10.0  # LUFS, and LU below the mean of what passes the first gate
_OFFSET = -0.691  # dB: makes a 997 Hz sine of full scale in one channel -3.01 LUFS
_TAIL = 0.5  # seconds until the weighting filter's response has died away
_CHUNK = 30.0  # seconds filtered at once
_BINS = 1 << 16  # of a frequency response that are computed at once
HOLE, DEPTH = 0.050, 30.0  # seconds of sound that make a hole, when they lie so many dB below the median


def peak(x: Samples) -> float:
    """Largest magnitude of x, any shape; 0 for nothing."""
    return max(float(x.max(initial=0.0)), -float(x.min(initial=0.0)))  # a copy for magnitudes may be 256 MiB


def rms_db(x: Samples) -> float:
    """Root mean square of x, any shape, in dB of full scale; -inf for silence."""
    power = float(np.mean(np.square(x, dtype=np.float64))) if x.size else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf


def lufs(x: Samples, rate: int) -> float:
    """Integrated loudness of x [channels, n] in LUFS, gated; -inf when nothing passes -70 LUFS.

    A sound shorter than a gating block (400 ms) is taken as one block. Channels count alike, but for the surround
    channels of 5.0 and 5.1 (1.41) and the low-frequency one of 5.1 (nothing).
    """
    if x.ndim != 2:
        raise ValueError(f"Loudness is measured on [channels, samples], not on an array of shape {x.shape}.")
    channels, count = x.shape
    if count == 0:
        return -math.inf
    weights = {5: [1, 1, 1, 1.41, 1.41], 6: [1, 1, 1, 0, 1.41, 1.41]}.get(channels, [1.0] * channels)
    size = min(count, round(BLOCK * rate))
    starts = np.round(np.arange(0, (count - size) / rate + 1e-9, STEP) * rate).astype(int)
    first, last = _energies(x, rate, np.asarray(weights, np.float64), np.stack([starts, starts + size]))
    blocks = (last - first) / size
    blocks = blocks[blocks > _power(_ABSOLUTE)]
    if blocks.size == 0:
        return -math.inf
    blocks = blocks[blocks > blocks.mean() * 10 ** (_RELATIVE / 10)]
    return float(_OFFSET + 10 * np.log10(blocks.mean()))


def gain_to(x: Samples, rate: int, target: float, ceiling: float = -1.0) -> float:
    """The factor that brings x [channels, n] to `target` LUFS, or to a peak of `ceiling` dB if that comes first.

    1 for silence.
    """
    loudness, top = lufs(x, rate), peak(x)
    if not math.isfinite(loudness):
        return 1.0
    return min(10 ** ((target - loudness) / 20), 10 ** (ceiling / 20) / top)


def silence_share(x: Samples, rate: int) -> float:
    """Share of x [n] that is a hole: 50 ms whose RMS is more than 30 dB below the median of all of them; 0..1."""
    size = round(HOLE * rate)
    count = len(x) // size
    if count == 0:
        return 0.0
    power = np.square(x[: count * size].reshape(count, size), dtype=np.float64).mean(axis=1)
    return float((power < np.median(power) * 10 ** (-DEPTH / 10)).mean())


def match(x: Samples, reference: Samples, rate: int, ceiling: float = -1.0) -> Samples:
    """x [channels, n] as loud as `reference` [channels, m] at the same rate; unchanged when either is silent."""
    target = lufs(reference, rate)
    return x * x.dtype.type(gain_to(x, rate, target, ceiling)) if math.isfinite(target) else x


def _power(loudness: float) -> float:
    return float(10 ** ((loudness - _OFFSET) / 10))


def _energies(
    x: Samples, rate: int, weights: NDArray[np.float64], ends: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """Weighted sum of squares of x [channels, n] through the K-weighting filter, up to each of `ends`, any shape.

    Chunk by chunk: the sums at all samples, let alone the filtered sound in float64, would take gigabytes.
    """
    found, at, total = np.zeros(ends.shape), 0, 0.0
    for chunk in _weighted(x, rate):
        sums = weights @ np.square(chunk)
        sums[0] += total
        np.cumsum(sums, out=sums)
        here = (ends > at) & (ends <= at + len(sums))
        found[here] = sums[ends[here] - at - 1]
        at, total = at + len(sums), float(sums[-1])
    return found


def _weighted(x: Samples, rate: int) -> Iterator[NDArray[np.float64]]:
    """x [channels, n] through the K-weighting filter, applied to spectra of overlapping chunks, which come in turn."""
    tail, chunk = round(_TAIL * rate), round(_CHUNK * rate)
    response = np.zeros(0, np.complex128)
    for at in range(0, x.shape[1], chunk):
        lead = min(at, tail)  # what was heard before still rings
        part = x[:, at - lead : at + chunk]
        size = 1 << (part.shape[1] + tail - 1).bit_length()
        if len(response) != size // 2 + 1:
            response = _response(rate, size)
        y = np.empty((len(x), part.shape[1] - lead))
        for channel, row in enumerate(part):
            y[channel] = np.fft.irfft(np.fft.rfft(row, size) * response, size)[lead : part.shape[1]]
        yield y


def _response(rate: int, size: int) -> NDArray[np.complex128]:
    """Frequency response [size / 2 + 1] of the two stages of BS.1770-4, Annex 1, for any sample rate.

    The standard tabulates them at 48 kHz; these are the analogue prototypes behind the tables (a shelf of +4 dB at
    1682 Hz for the head, a high-pass at 38 Hz), taken through the bilinear transform at `rate`.
    """
    found = np.empty(size // 2 + 1, np.complex128)
    for first in range(0, len(found), _BINS):
        bins = np.arange(first, min(first + _BINS, len(found)))
        found[bins] = _response_at(rate, np.exp(-2j * np.pi * bins / size))  # one sample of delay
    return found


def _response_at(rate: int, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    k, q = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    shelf = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z * z
    shelf /= (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z * z
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    pass_high = (1 - z) ** 2 / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z * z)
    # The tabulated numerator is 1, -2, 1 without the transform's own gain.
    return np.asarray(shelf * pass_high * (1 + k / q + k * k), dtype=np.complex128)
