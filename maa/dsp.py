"""What every room that handles sound computes alike: mel scales and filterbanks, a resampler, decibels.

Filterbanks are float64 arrays [bands, n_fft / 2 + 1]; whoever uses one says in which precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]

# Slaney's mel scale: linear below 1 kHz (200/3 Hz a mel), logarithmic above.
_LINEAR = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR
_LOG_STEP = np.log(6.4) / 27
_LONGEST_PHASES = 2000


@dataclass(frozen=True)
class MelScale:
    """A mel scale: `to_mel` of frequencies in Hz, and `to_hz` back; arrays of any shape."""

    to_mel: Callable[[Any], Array]
    to_hz: Callable[[Any], Array]


def _slaney_to_mel(hz: Any) -> Array:
    hz = np.asarray(hz, dtype=np.float64)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR, above)


def _slaney_to_hz(mel: Any) -> Array:
    mel = np.asarray(mel, dtype=np.float64)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR, above)


SLANEY = MelScale(_slaney_to_mel, _slaney_to_hz)
HTK = MelScale(
    lambda hz: 1127.0 * np.log1p(np.asarray(hz) / 700.0), lambda mel: 700.0 * np.expm1(np.asarray(mel) / 1127)
)


def mel_corners(mels: int, low: float, high: float, scale: MelScale = SLANEY) -> Array:
    """Corner frequencies in Hz, [mels + 2]: band k rises from corner k, peaks at k + 1 and ends at k + 2."""
    first, last = scale.to_mel(np.array((low, high)))
    return scale.to_hz(np.linspace(first, last, mels + 2))


def triangles(corners: Array, points: Array) -> Array:
    """Triangular filters [bands, points], each with its tip at 1: band k lies between corners k and k + 2."""
    rising = (points - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - points) / np.diff(corners)[1:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def bin_frequencies(rate: int, n_fft: int) -> Array:
    """Frequencies in Hz of the bins of a spectrum, [n_fft / 2 + 1]."""
    return np.linspace(0.0, rate / 2, n_fft // 2 + 1)


def slaney_filterbank(rate: int, n_fft: int, mels: int, low: float, high: float) -> Array:
    """Triangles of unit area, straight in Hz, between corners on Slaney's scale from `low` to `high` Hz."""
    corners = mel_corners(mels, low, high)
    return triangles(corners, bin_frequencies(rate, n_fft)) * (2.0 / (corners[2:] - corners[:-2]))[:, None]


def htk_filterbank(
    rate: int, n_fft: int, mels: int, low: float, high: float, norm: Literal["tip", "sum"] = "tip"
) -> Array:
    """Triangles straight in HTK mel from `low` to `high` Hz, each with its tip at 1 or with a sum of 1."""
    first, last = HTK.to_mel(np.array((low, high)))
    weights = triangles(np.linspace(first, last, mels + 2), HTK.to_mel(bin_frequencies(rate, n_fft)))
    return weights if norm == "tip" else weights / weights.sum(axis=1, keepdims=True)


def resample_kernel(source: int, target: int, zeros: int = 64, rolloff: float = 0.97) -> Tensor:
    """One Kaiser-windowed sinc per output phase, [target, 2 * reach + source], for rates without a common factor."""
    import torch

    cutoff = rolloff * min(source, target) / source  # of the source's Nyquist frequency
    reach = math.ceil(zeros / cutoff)
    taps = torch.arange(-reach, reach + source, dtype=torch.float64)
    phase = torch.arange(target, dtype=torch.float64)[:, None] * source / target
    distance = (taps - phase) * cutoff
    inside = (1 - (distance / zeros).square()).clamp(min=0)
    window = torch.i0(9.0 * inside.sqrt()) / torch.i0(torch.tensor(9.0, dtype=torch.float64))
    return torch.where(inside > 0, torch.sinc(distance) * window * cutoff, 0.0)


def resample_on_device(wave: Tensor, source_rate: int, target_rate: int) -> Tensor:
    """Change the rate of wave [B, n] to [B, round(n * target / source)], on the wave's own device; differentiable.

    Passband up to 0.9 of the lower Nyquist frequency, images 80 dB down. Files go through `maa.audio.sound.resample`
    (soxr), which is finer; this is for what must stay on a GPU.

    Raises:
        ValueError: rates whose ratio is not a fraction of small numbers (every usual rate's is).
    """
    import torch.nn.functional as F

    divisor = math.gcd(source_rate, target_rate)
    source, target = source_rate // divisor, target_rate // divisor
    if source == target:
        return wave
    if max(source, target) > _LONGEST_PHASES:
        raise ValueError(f"Cannot bring {source_rate} Hz to {target_rate} Hz here; resample the sound to 44100 Hz.")
    kernel = resample_kernel(source, target).to(wave)
    length = round(wave.shape[-1] * target / source)
    reach = (kernel.shape[1] - source) // 2
    hops = math.ceil(length / target)
    right = (hops - 1) * source + kernel.shape[1] - reach - wave.shape[-1]
    frames = F.pad(wave, (reach, max(right, 0))).unfold(-1, kernel.shape[1], source)[:, :hops]
    return (frames @ kernel.T).flatten(1)[:, :length]


def whole_frames(wave: NDArray[np.float32], hop: int, frames: int | None = None) -> NDArray[np.float32]:
    """wave [n] cut or followed by silence to `frames` whole frames; None = as many as hold all of it, at least one."""
    count = max(1, -(-len(wave) // hop)) if frames is None else frames
    padded = np.zeros(count * hop, np.float32)
    padded[: len(wave)] = wave[: len(padded)]
    return padded


def window_energy(wave: NDArray[np.float32], length: int) -> Array:
    """Sum of squares of every stretch of `length` samples of wave [n] (of the whole wave when it is shorter)."""
    total = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    length = min(length, len(wave))
    return total[length:] - total[:-length] if length else np.zeros(1)


def loudest_stretch(wave: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The stretch of at most `length` samples of wave [n] with the most energy; of equals the first."""
    start = int(np.argmax(window_energy(wave, length)))
    return wave[start : start + length]


def decibels(amplitude: float) -> float:
    """20 log10 of an amplitude of 0 or more; -inf for 0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
