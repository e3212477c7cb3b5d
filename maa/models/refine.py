"""What a mel knows better than a vocoder: the magnitudes. A vocoder's waveform is led to them, keeping its phase.

A small vocoder blurs magnitudes that the mel states almost exactly, and leaves a buzz at the frame rate. So its
spectrum is solved to fit the mel by non-negative least squares, starting between the mel's own smooth envelope and the
vocoder's finer structure, and made a waveform by fast Griffin-Lim (Perraudin, Balazs, Søndergaard, WASPAA 2013) from
the vocoder's phase on. Bins below 20 Hz and the one at half the sample rate, which no mel tells much of, are zero.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from maa.config import AudioSpec
from maa.config.vocoders import RefineConfig
from maa.models.stft import istft, spectrum_of, stft, wave_of

LOWEST = 20.0  # Hz; below is nothing that can be heard
LEAST = 1e-8  # magnitude that divisions and logarithms are kept above


@runtime_checkable
class Spectral(Protocol):
    """A vocoder whose waveform is the inverse of a spectrum of its own, which is worth more than the waveform's: where
    frames disagree, magnitudes are still what the network meant."""

    def spectrum(self, mel: Tensor) -> Tensor:
        """Complex [B, bins, T] of a mel [B, 1, mels, T]."""


def vocode(vocoder: nn.Module, mel: Tensor, filters: Tensor, spec: AudioSpec, config: RefineConfig | None) -> Tensor:
    """What a vocoder makes of mels, refined if its config says so; differentiable.

    Args:
        mel: [B, 1, mels, T], in the vocoder's units.
        filters: [mels, bins], the filterbank of the mel.

    Returns:
        [B, hop * T]; a waveform may exceed ±1 a little.
    """
    if config is None:
        return vocoder(mel)
    window = torch.hann_window(spec.n_fft, device=mel.device)
    own = vocoder.spectrum(mel) if isinstance(vocoder, Spectral) else spectrum_of(vocoder(mel).float(), window, spec)
    return refine(own, mel, filters, spec, config)


def refine(spectrum: Tensor, mel: Tensor, filters: Tensor, spec: AudioSpec, config: RefineConfig) -> Tensor:
    """A waveform [B, hop * T] with the magnitudes of a mel and the phase of a vocoder's spectrum.

    Args:
        spectrum: complex [B, bins, T].
        mel: [B, 1, mels, T], log10 magnitudes.

    Raises:
        ValueError: the mel is of convention A, or has another number of frames.
    """
    if spec.convention != "B":
        raise ValueError("Refining knows mels of convention B only; leave `refine` out of this vocoder's config.")
    if mel.shape[-1] != spectrum.shape[-1]:
        raise ValueError(f"A mel of {mel.shape[-1]} frames does not belong to a spectrum of {spectrum.shape[-1]}.")
    with torch.autocast(mel.device.type, enabled=False):  # magnitudes reach over six decades
        mel = mel[:, 0].float()
        smooth = envelope(filters, mel).clamp_min(LEAST)
        start = smooth ** (1 - config.share) * _length(spectrum) ** config.share
        bins = torch.arange(start.shape[1], device=mel.device)
        inner = (bins * spec.sample_rate >= LOWEST * spec.n_fft) & (bins < spec.n_fft // 2)
        magnitude = least_squares(filters, 10**mel, start, config.updates) * inner[:, None]
        return griffin_lim(magnitude, spectrum, spec, config.rounds, config.momentum)


def envelope(filters: Tensor, log10_mel: Tensor) -> Tensor:
    """Magnitudes [B, bins, T] whose logarithm runs straight from band centre to band centre of a mel [B, mels, T]."""
    bins = torch.arange(filters.shape[1], dtype=torch.float32, device=filters.device)
    weight = filters.sum(1)
    centre = filters @ bins / weight
    density = log10_mel - weight.log10()[:, None]
    at = bins.clamp(centre[0], centre[-1])
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


def griffin_lim(magnitude: Tensor, phase: Tensor, spec: AudioSpec, rounds: int, momentum: float) -> Tensor:
    """A waveform [B, hop * T] of given magnitudes [B, bins, T], from the phase of `phase` on.

    Args:
        phase: complex [B, bins, T], of any length but zero.
        rounds: 0 = the phase as it is.
        momentum: 0 = plain Griffin-Lim.
    """
    window = torch.hann_window(spec.n_fft, device=magnitude.device)
    turn, before = _direction(phase), torch.zeros_like(phase)
    for _ in range(rounds):
        rebuilt = stft(istft(magnitude * turn, window, spec), window, spec)
        turn, before = _direction(rebuilt - momentum / (1 + momentum) * before), rebuilt
    return wave_of(magnitude * turn, window, spec)


def _length(spectrum: Tensor) -> Tensor:
    """|spectrum|, at least LEAST, with a gradient everywhere."""
    return (spectrum.real.square() + spectrum.imag.square() + LEAST**2).sqrt()


def _direction(spectrum: Tensor) -> Tensor:
    return spectrum / _length(spectrum)
