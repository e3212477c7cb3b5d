"""The short-time Fourier transform on the grid of un-centred mel frames, and its inverse."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from maa.config import AudioSpec


def stft(wave: Tensor, window: Tensor, spec: AudioSpec) -> Tensor:
    """Complex [B, bins, T] of [B, hop * (T - 1) + n_fft]: frame k begins at sample hop * k."""
    return torch.stft(wave, spec.n_fft, spec.hop, window=window, center=False, return_complex=True)


def istft(spectrum: Tensor, window: Tensor, spec: AudioSpec) -> Tensor:
    """The inverse of `stft` by overlap-add, up to its very ends, where one window alone says what was there."""
    size, hop = spec.n_fft, spec.hop
    frames = torch.fft.irfft(spectrum, size, dim=1) * window[:, None]
    count = spectrum.shape[2]
    weight = _overlap_add(window.square()[None, :, None].expand(1, -1, count), hop)
    return _overlap_add(frames, hop) / weight.clamp_min(1e-6)


def _overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Frames [B, size, T], size a multiple of hop, to [B, hop * (T - 1) + size]."""
    batch, size, count = frames.shape
    parts = size // hop
    total = frames.new_zeros(batch, hop, count + parts - 1)
    for k in range(parts):
        total[:, :, k : k + count] += frames[:, k * hop : (k + 1) * hop]
    return total.transpose(1, 2).reshape(batch, -1)


def spectrum_of(wave: Tensor, window: Tensor, spec: AudioSpec) -> Tensor:
    """Complex [B, bins, T] of a waveform [B, hop * T], mirrored at its ends as the mel front end does."""
    side = (spec.n_fft - spec.hop) // 2
    return stft(F.pad(wave[:, None], (side, side), mode="reflect")[:, 0], window, spec)


def wave_of(spectrum: Tensor, window: Tensor, spec: AudioSpec) -> Tensor:
    """A waveform [B, hop * T] of a complex spectrum [B, bins, T]."""
    side = (spec.n_fft - spec.hop) // 2
    return istft(spectrum, window, spec)[:, side:-side]
