"""What a mel knows better than a vocoder: the magnitudes. A vocoder's waveform is led to them, keeping its phase.

A small vocoder blurs magnitudes that the mel states almost exactly, and leaves a buzz at the frame rate. So its
spectrum is solved to fit the mel by non-negative least squares, starting between the mel's own smooth envelope and the
vocoder's finer structure, and made a waveform by fast Griffin-Lim (Perraudin, Balazs, Søndergaard, WASPAA 2013) from
the vocoder's phase on. The bins at 0 Hz and at half the sample rate, which no band of the mel tells much of, are zero.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from maa.config import AudioSpec, RefineConfig

LEAST = 1e-8  # magnitude that divisions and logarithms are kept above


def refine(wave: Tensor, log10_mel: Tensor, filters: Tensor, spec: AudioSpec, config: RefineConfig) -> Tensor:
    """A vocoder's waveform with the magnitudes of the mel it was made from; differentiable in both.

    Args:
        wave: [B, hop * T], the vocoder's.
        log10_mel: [B, 1, mels, T] or [B, mels, T], log10 magnitudes.
        filters: [mels, bins], the filterbank of the mel.
        spec: of convention B.

    Returns:
        [B, hop * T]; like any waveform of a vocoder it may exceed ±1 a little.
    """
    if spec.convention != "B":
        raise ValueError("Refining knows mels of convention B only; leave `refine` out of this vocoder's config.")
    mel = log10_mel[:, 0] if log10_mel.ndim == 4 else log10_mel
    if wave.shape[1] != spec.hop * mel.shape[-1]:
        raise ValueError(f"A mel of {mel.shape[-1]} frames does not belong to a waveform of {wave.shape[1]} samples.")
    wanted = 10 ** mel.float()
    side = (spec.n_fft - spec.hop) // 2
    window = torch.hann_window(spec.n_fft, device=wave.device)
    own = stft(F.pad(wave.float()[:, None], (side, side), mode="reflect")[:, 0], window, spec)
    smooth = envelope(filters, mel.float()).clamp_min(LEAST)
    start = smooth ** (1 - config.share) * _length(own) ** config.share
    magnitude = least_squares(filters, wanted, start, config.updates)
    inner = torch.ones_like(magnitude[:1, :, :1])
    inner[:, 0] = inner[:, -1] = 0.0
    return griffin_lim(magnitude * inner, own, window, spec, config.rounds, config.momentum)[:, side:-side]


def envelope(filters: Tensor, log10_mel: Tensor) -> Tensor:
    """Magnitudes [B, bins, T] whose logarithm runs straight from band centre to band centre of a mel [B, mels, T]."""
    bins = torch.arange(filters.shape[1], dtype=torch.float32, device=filters.device)
    weight = filters.sum(1)
    centre = filters @ bins / weight
    density = log10_mel - weight.log10()[:, None]
    at = bins.clamp(float(centre[0]), float(centre[-1]))
    above = torch.searchsorted(centre, at).clamp(1, len(centre) - 1)
    part = ((at - centre[above - 1]) / (centre[above] - centre[above - 1]))[:, None]
    return 10 ** torch.lerp(density[:, above - 1], density[:, above], part)


def least_squares(filters: Tensor, wanted: Tensor, start: Tensor, updates: int) -> Tensor:
    """Non-negative magnitudes [B, bins, T] near `start` whose filterbank gives `wanted` [B, mels, T].

    Multiplicative updates (Lee and Seung, NIPS 2000, with the basis fixed): what a band cannot tell apart keeps the
    proportions of the start.
    """
    target, magnitude = filters.T @ wanted, start
    for _ in range(updates):
        magnitude = magnitude * (target / (filters.T @ (filters @ magnitude)).clamp_min(LEAST))
    return magnitude


def griffin_lim(
    magnitude: Tensor, phase: Tensor, window: Tensor, spec: AudioSpec, rounds: int, momentum: float
) -> Tensor:
    """A waveform [B, hop * (T - 1) + n_fft] of given magnitudes [B, bins, T], from the phase of `phase` on.

    Args:
        phase: complex [B, bins, T], of any length but zero.
        rounds: 0 = the phase as it is.
        momentum: 0 = plain Griffin-Lim.
    """
    turn, before = _direction(phase), torch.zeros_like(phase)
    for _ in range(rounds):
        rebuilt = stft(istft(magnitude * turn, window, spec), window, spec)
        turn, before = _direction(rebuilt - momentum / (1 + momentum) * before), rebuilt
    return istft(magnitude * turn, window, spec)


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


def _length(spectrum: Tensor) -> Tensor:
    """|spectrum|, at least LEAST, with a gradient everywhere."""
    return (spectrum.real.square() + spectrum.imag.square() + LEAST**2).sqrt()


def _direction(spectrum: Tensor) -> Tensor:
    return spectrum / _length(spectrum)
