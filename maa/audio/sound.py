"""A sound in memory: its values, what is accepted as one, and its change of rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import soxr
from numpy.typing import NDArray

from maa.audio.carried import NOTHING, Carried
from maa.audio.loudness import peak
from maa.audio.pcm import Samples

MIN_RATE, MAX_RATE = 2_000, 192_000  # Hz
MAX_CHANNELS = 8
MAX_SECONDS = 600.0
MAX_VALUES = 2**26  # samples times channels: 10 minutes of stereo at 48 kHz fit; 256 MiB for each copy in float32
FAINT = 1e-4  # -80 dB; a peak below it is heard amplified
_CANCELLED = 0.4  # share of the power of unrelated channels; two that have less of it together cancel each other
_AT_ONCE = 1 << 18  # samples that are resampled at once
_CHECKED = 1 << 20  # samples that are checked at once
_BLOCK = 1 << 15  # samples, over which channels are found to cancel


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound as the user gave it.

    Attributes:
        samples: [channels, n] within about ±1; float32, or float64 where the source has more than 24 bits.
        sample_rate: Hz.
        subtype: how a file holds these values exactly: PCM_U8, PCM_16, PCM_24, PCM_32, FLOAT or DOUBLE.
        carried: what else its file said about it: time reference, cue points, loops, loudspeakers.
    """

    samples: Samples
    sample_rate: int
    subtype: str = "FLOAT"
    carried: Carried = NOTHING

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / self.sample_rate)

    def mono(self) -> NDArray[np.float32]:
        """The channels as one, float32 [n]; see `mono`."""
        return mono(self.samples)


def mono(samples: Samples) -> NDArray[np.float32]:
    """Mean of the channels [channels, n], float32 [n]; where they cancel each other, some are turned round first.

    A sound whose two channels are each other's inverse would be silence. Whether channels cancel is asked every 16,384
    samples; where they do not, the mean stays as it is.
    """
    channels, count = samples.shape
    if channels == 1:
        return samples[0].astype(np.float32, copy=False)
    made, done = np.empty(count, np.float32), 0
    for block in _mono_blocks(samples):
        made[done : done + len(block)] = block
        done += len(block)
    return made


def mono_at(samples: Samples, source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """`mono` of channels [channels, n], at another rate, float32 [m]; block by block, so nothing of [n] is made."""
    if source_rate == target_rate:
        return mono(samples)
    made = np.zeros(resampled_count(samples.shape[1], source_rate, target_rate), np.float32)
    _resample_into(made, _mono_blocks(samples), source_rate, target_rate)
    return made


def _mono_blocks(samples: Samples) -> Iterator[NDArray[np.float32]]:
    channels, count = samples.shape
    if channels == 1 or count == 0:
        yield samples[0].astype(np.float32, copy=False)
        return
    hop = _BLOCK // 2
    grams = np.stack([_gram(samples[:, at : at + _BLOCK]) for at in range(0, count, hop)])
    usual = _signs(grams.sum(axis=0), np.ones(channels))
    signs = [_signs(gram, usual) for gram in grams]
    plain = all((sign == 1).all() for sign in signs)
    rising = (0.5 - 0.5 * np.cos(np.pi * (np.arange(hop) + 0.5) / hop)).astype(np.float32)
    before = signs[0]
    for sign, at in zip(signs, range(0, count, hop), strict=True):  # the signs of one block go over into the next ones
        part = samples[:, at : at + hop]
        shape = rising[: part.shape[1]]
        both = None if plain else (1 - shape) * (before @ part / channels) + shape * (sign @ part / channels)
        yield np.asarray(part.mean(axis=0) if both is None else both, dtype=np.float32)
        before = sign


def _gram(block: Samples) -> NDArray[np.float64]:
    """Products of all pairs of channels [channels, n], summed over time: [channels, channels]."""
    wide = block.astype(np.float64)
    return np.asarray(wide @ wide.T)


def _signs(gram: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 or -1 for every channel: which to turn round so that no two of them cancel; `usual` where they do not."""
    power = np.diagonal(gram)
    order = np.argsort(-power, kind="stable")
    turned = usual * usual[:, None] * gram
    all_cancel = turned.sum() < _CANCELLED * power.sum()
    signs = usual.copy()
    for index, channel in enumerate(order):
        for louder in order[:index]:  # the loudest first
            both = power[channel] + power[louder]
            cancels = both + 2 * turned[channel, louder] < _CANCELLED * both
            if both > 0.1 * power.max() and (cancels or (all_cancel and louder == order[0])):
                signs[channel] = signs[louder] * (-1.0 if gram[channel, louder] < 0 else 1.0)
                break
    return signs


def admit(name: str, rate: int, channels: int, count: int | None) -> None:
    """Refuse what is beyond the limits; count is samples a channel, None while unknown."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ValueError(f"{name} has a sample rate of {rate} Hz; use one from {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"{name} has {channels} channels; use a sound with 1 to {MAX_CHANNELS}.")
    if count is None:
        return
    if count == 0:
        raise ValueError(f"{name} has no samples; choose a file with sound in it.")
    if count > MAX_SECONDS * rate:
        raise ValueError(f"{name} is longer than {MAX_SECONDS / 60:.0f} minutes; cut out the part you want to use.")
    if count * channels > MAX_VALUES:
        raise ValueError(f"{name} holds too much sound at once; use fewer channels, a lower rate or a shorter part.")


def checked(audio: Audio, name: str) -> Audio:
    """The sound itself, when it is within the limits and holds numbers only; `name` begins the sentence if not."""
    admit(name, audio.sample_rate, audio.channels, audio.samples.shape[1])
    starts = range(0, audio.samples.shape[1], _CHECKED)
    if not all(np.isfinite(audio.samples[:, at : at + _CHECKED]).all() for at in starts):
        raise ValueError(f"{name} has samples that are not numbers (NaN or infinite); export it again.")
    return audio


def check_audible(audio: Audio) -> None:
    """Raise ValueError when there is nothing to hear: no samples, or none that is not zero."""
    if audio.samples.size == 0 or not audio.samples.any():
        raise ValueError("The sound is silent; choose one that can be heard.")


def amplified(audio: Audio, least: float = FAINT) -> tuple[Audio, float]:
    """A sound that a model can hear, and its gain, a power of two, so that dividing by it gives the very same values.

    A peak below `least` is brought to between a quarter and a half; any other sound comes back as it is, with 1. Float
    and 24-bit files hold far quieter sounds than the -100 dB at which a mel-spectrogram ends.
    """
    top = peak(audio.samples)
    if top == 0.0 or top >= least:
        return audio, 1.0
    gain = 2.0 ** min(-1 - math.frexp(top)[1], 100)
    return replace(audio, samples=audio.samples * audio.samples.dtype.type(gain)), gain


def resample(x: Samples, source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """Change the rate of x [..., n] with soxr at its best quality; equal rates leave the values as they are.

    Returns:
        float32 [..., round(n * target_rate / source_rate)], aligned in time with x.
    """
    if source_rate == target_rate:
        return x.astype(np.float32, copy=False)
    count = resampled_count(x.shape[-1], source_rate, target_rate)
    if count == 0:
        return np.zeros((*x.shape[:-1], 0), np.float32)
    rows = x.reshape(-1, x.shape[-1])
    y = np.zeros((len(rows), count), np.float32)
    for row, made in zip(rows, y, strict=True):  # one by one: all channels at once are several copies of all of them
        _resample_into(made, (row,), source_rate, target_rate)
    return y.reshape(*x.shape[:-1], count)


def resampled_peak(x: Samples, source_rate: int, target_rate: int) -> float:
    """Largest magnitude of x [..., n] at another rate: the peak of `resample`, which is never there as a whole."""
    count, top = resampled_count(x.shape[-1], source_rate, target_rate), 0.0
    if source_rate == target_rate or count == 0:
        return peak(resample(x, source_rate, target_rate))
    for row in x.reshape(-1, x.shape[-1]):
        done = 0
        for ready in _resampled((row,), source_rate, target_rate):
            top = max(top, peak(ready[: count - done].astype(np.float32, copy=False)))
            done = min(count, done + len(ready))
    return top


def _resample_into(made: NDArray[np.float32], blocks: Iterable[Samples], source_rate: int, target_rate: int) -> None:
    """Fill `made` [m] with a sound that comes in blocks [n] of one precision."""
    done = 0
    for ready in _resampled(blocks, source_rate, target_rate):
        done += _put(made[done:], ready)


def _resampled(blocks: Iterable[Samples], source_rate: int, target_rate: int) -> Iterator[Samples]:
    """A sound that comes in blocks [n] of one precision, at another rate, piece by piece."""
    stream: soxr.ResampleStream | None = None
    for part in (block[at : at + _AT_ONCE] for block in blocks for at in range(0, len(block), _AT_ONCE)):
        if stream is None:
            stream = soxr.ResampleStream(source_rate, target_rate, 1, dtype=part.dtype.name, quality="VHQ")
            rest = part[:0]
        yield stream.resample_chunk(np.ascontiguousarray(part))
    if stream is not None:
        yield stream.resample_chunk(rest, last=True)


def _put(room: NDArray[np.float32], ready: Samples) -> int:
    """Write as much as there is room for; how many samples that are."""
    count = min(len(room), len(ready))
    room[:count] = ready[:count]
    return count


def resampled_count(count: int, source_rate: int, target_rate: int) -> int:
    """How many samples `count` of them become at another rate, rounded to the nearest."""
    return (2 * count * target_rate + source_rate) // (2 * source_rate)
