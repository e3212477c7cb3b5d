"""A sound in memory: its values, what is accepted as one, and its change of rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from maa.audio.pcm import Samples

MIN_RATE, MAX_RATE = 2_000, 192_000  # Hz
MAX_CHANNELS = 8
MAX_SECONDS = 600.0
MAX_VALUES = 2**28  # samples times channels: 1 GiB of float32, 10 minutes of stereo at 192 kHz fit
AUDIBLE = 1e-4  # -80 dB; a peak below it is silence


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound as the user gave it.

    Attributes:
        samples: [channels, n] within about ±1; float32, or float64 where the source has more than 24 bits.
        sample_rate: Hz.
        subtype: how a file holds these values exactly: PCM_U8, PCM_16, PCM_24, PCM_32, FLOAT or DOUBLE.
    """

    samples: Samples
    sample_rate: int
    subtype: str = "FLOAT"

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / self.sample_rate)

    def mono(self) -> NDArray[np.float32]:
        """Mean of the channels, float32 [n]."""
        return np.asarray(self.samples.mean(axis=0), dtype=np.float32)


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
    if not np.isfinite(audio.samples).all():
        raise ValueError(f"{name} has samples that are not numbers (NaN or infinite); export it again.")
    return audio


def check_audible(audio: Audio) -> None:
    """Raise ValueError when there is nothing to hear: no samples, or a peak below -80 dB."""
    if audio.samples.size == 0 or np.abs(audio.samples).max() < AUDIBLE:
        raise ValueError("The sound is silent; choose one that can be heard.")


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
    flat = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T)
    y = soxr.resample(flat, source_rate, target_rate, quality="VHQ")[:count]
    y = np.pad(y, ((0, count - len(y)), (0, 0)))
    return np.ascontiguousarray(y.T).reshape(*x.shape[:-1], count).astype(np.float32, copy=False)


def resampled_count(count: int, source_rate: int, target_rate: int) -> int:
    """How many samples `count` of them become at another rate, rounded to the nearest."""
    return (2 * count * target_rate + source_rate) // (2 * source_rate)
