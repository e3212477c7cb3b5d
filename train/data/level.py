"""A recording made ready for training: one rate, no silent edges, one loudness; long ones in windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maa.config import PAPER
from maa.dsp import loudest_stretch, window_energy

RATE = PAPER.audio.sample_rate  # Hz, unless a model of another rate is trained
LONGEST = 12.0  # seconds kept of one recording, or of one window of it
SILENCE = 10 ** (-50 / 20)  # of the peak; quieter edges are cut
LEVEL = 10 ** (-20 / 20)  # RMS of the loudest 0.4 s
PEAK = 0.95
EDGE = 10 ** (-8 / 20)  # of the RMS of a whole recording: edges above it do not end a sound
FAINT = 10 ** (-40 / 20)  # of the loudest 0.4 s of a recording: in windows below it nothing is heard


def decode_file(path: Path, rate: int) -> NDArray[np.float32]:
    """A file as mono [samples] at a rate in Hz."""
    import soundfile

    samples, found = soundfile.read(path, dtype="float32", always_2d=True)
    return at_rate(samples, found, rate)


def at_rate(samples: NDArray[np.float32], source: int, target: int) -> NDArray[np.float32]:
    """Sound [frames, channels] of a rate as mono [samples] at another, in Hz."""
    import soxr

    return np.asarray(soxr.resample(samples.mean(axis=1), source, target, quality="VHQ"), dtype=np.float32)


def trim_and_level(wave: NDArray[np.float32], rate: int = RATE) -> NDArray[np.float32]:
    """Cut silent edges, keep the loudest 12 s, and bring the loudest 0.4 s to -20 dBFS with a peak of at most 0.95.

    Args:
        wave: [samples], not silent. rate: its Hz.

    Returns:
        [samples], at most 12 s.
    """
    return _levelled(loudest_stretch(_trimmed(wave), int(LONGEST * rate)), rate)


def windows(wave: NDArray[np.float32], rate: int = RATE) -> list[NDArray[np.float32] | None]:
    """The same of a whole recording: what is longer than 12 s is cut into windows of equal length, none of it twice.

    All windows get the one gain that the recording gets, and lose the silence at their own edges.

    Args:
        wave: [samples], not silent. rate: its Hz.

    Returns:
        Windows [samples] of at most 12 s, in their order; None in place of those in which nothing is heard.
    """
    wave = _levelled(_trimmed(wave), rate)
    count = -(-len(wave) // int(LONGEST * rate))
    if count == 1:
        return [wave]
    silence, floor = float(np.abs(wave).max()) * SILENCE, loudest_level(wave, rate) * FAINT
    pieces = (_without_edges(piece, silence) for piece in np.array_split(wave, count))
    return [piece if len(piece) and loudest_level(piece, rate) >= floor else None for piece in pieces]


def _trimmed(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    wave = wave - wave.mean(dtype=np.float64).astype(np.float32)
    return _without_edges(wave, float(np.abs(wave).max(initial=0.0)) * SILENCE)


def _without_edges(wave: NDArray[np.float32], silence: float) -> NDArray[np.float32]:
    heard = np.flatnonzero(np.abs(wave) > silence)
    return wave[heard[0] : heard[-1] + 1] if len(heard) else wave[:0]


def _levelled(wave: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    gain = min(LEVEL / max(loudest_level(wave, rate), 1e-9), PEAK / float(np.abs(wave).max()))
    return (wave * np.float32(gain)).astype(np.float32)


def loudest_level(wave: NDArray[np.float32], rate: int) -> float:
    """RMS of the loudest 0.4 s of a waveform [samples], not empty."""
    window = min(len(wave), int(0.4 * rate))
    return float(np.sqrt(window_energy(wave, window).max() / window))


def is_steady(wave: NDArray[np.float32], rate: int) -> bool:
    """True when the first and the last tenth of a second are about as loud as the whole."""
    level = np.sqrt(np.mean(np.square(wave))) * EDGE
    return all(np.sqrt(np.mean(np.square(edge))) > level for edge in (wave[: rate // 10], wave[-(rate // 10) :]))


def to_int16(wave: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.round(wave * 32767).astype(np.int16)
