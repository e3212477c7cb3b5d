"""The mel front ends: waveform to mel-spectrogram, and the units in between (paper Sec. 5.1).

Two conventions exist for this model (see `AudioSpec`). The front end owns its normalisation and the inverse of it, so
that neither the autoencoder nor the vocoder carries a constant.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.audio.grid import filterbank
from maa.config import AudioSpec

WHOLE, BLOCK = 1024, 256  # frames of which spectra are taken at once, and of longer sounds; float64 takes room
FLOOR = 1e-5  # smallest mel magnitude; log10 of it is the silence of both conventions


class MelSpectrogram(nn.Module):
    """Waveform [B, L] at the spec's rate to mel [B, 1, mels, T] in the units the autoencoder was trained on.

    Convention "B": T = L / hop, values are log10 magnitudes in [-5, about 2].
    Convention "A": T = 1 + L / hop (centred frames), values in [-1, 1] for log10 magnitudes in [-4, 1].

    Spectra are taken in float64 where the device has it: beside a loud tone, the rounding of float32 is louder than
    what a quiet band holds.
    """

    filters: Tensor

    def __init__(self, spec: AudioSpec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("filters", torch.from_numpy(filterbank(spec)), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        spec = self.spec
        side = spec.n_fft // 2 if spec.convention == "A" else (spec.n_fft - spec.hop) // 2
        if wave.ndim != 2:
            raise ValueError(f"The mel front end takes waveforms of shape [batch, samples], not {tuple(wave.shape)}.")
        if spec.convention == "A":
            wave = F.pad(wave, (side, side))
        else:
            # Reflection needs more samples than it mirrors; a shorter wave is silence beyond its end anyway.
            if wave.shape[1] < side + 1:
                wave = F.pad(wave, (0, side + 1 - wave.shape[1]))
            wave = F.pad(wave[:, None], (side, side), mode="reflect")[:, 0]
        frames = max(1, 1 + (wave.shape[1] - spec.n_fft) // spec.hop)
        count = frames if frames <= WHOLE else BLOCK
        blocks = [
            self._frames(wave[:, at * spec.hop : (min(at + count, frames) - 1) * spec.hop + spec.n_fft])
            for at in range(0, frames, count)
        ]
        return torch.cat(blocks, dim=-1)

    def _frames(self, wave: Tensor) -> Tensor:
        """The mel [B, 1, mels, T] of the frames that begin at multiples of the hop of wave [B, n]."""
        if self.spec.convention == "A":
            magnitude = self._stft(wave).abs()
        else:
            spectrum = self._stft(wave.clamp(-1.0, 1.0))
            magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()
        log10 = torch.log10((self.filters.to(magnitude) @ magnitude).clamp_min(FLOOR))
        return self.from_log10(log10[:, None]).float()

    def _stft(self, wave: Tensor) -> Tensor:
        size, dtype = self.spec.n_fft, torch.float32 if wave.device.type == "mps" else torch.float64
        window = torch.hann_window(size, dtype=dtype, device=wave.device)
        return torch.stft(wave.to(dtype), size, self.spec.hop, window=window, center=False, return_complex=True)

    def from_log10(self, log10: Tensor) -> Tensor:
        """log10 magnitude, any shape, to the autoencoder's units."""
        if self.spec.convention == "B":
            return log10
        return 2.0 * ((20.0 * log10 + 80.0) / 100.0).clamp(0.0, 1.0) - 1.0

    def to_log10(self, mel: Tensor) -> Tensor:
        """The autoencoder's units, any shape, to log10 magnitude."""
        return mel if self.spec.convention == "B" else 2.5 * (mel + 1.0) - 4.0

    def to_vocoder(self, mel: Tensor) -> Tensor:
        """The autoencoder's units to what the convention's vocoders read: raw log10 for B, [0, 1] for A."""
        return mel if self.spec.convention == "B" else ((mel + 1.0) / 2.0).clamp(0.0, 1.0)

    @property
    def silence(self) -> float:
        """The value of silence in the autoencoder's units: -5 for B, -1 for A."""
        return -5.0 if self.spec.convention == "B" else -1.0


def fill_hole(mel: Tensor, make: Tensor) -> Tensor:
    """Replace the cells to be made by the mean of the known cells of their band, before anything encodes the mel.

    A latent of the full sound, masked afterwards, still tells what was in the hole (the encoder sees far). Bands
    without a known cell take the mean of all known cells; with nothing known the result is silence-like (the minimum).

    Args:
        mel: [B, 1, mels, T]. make: [B or 1, 1, mels, T], True = make new.
    """
    keep = (~make).to(mel.dtype).expand_as(mel)
    count = keep.sum(3, keepdim=True)
    band = (mel * keep).sum(3, keepdim=True) / count.clamp_min(1.0)
    total = keep.sum((2, 3), keepdim=True)
    overall = (mel * keep).sum((2, 3), keepdim=True) / total.clamp_min(1.0)
    overall = torch.where(total > 0, overall, mel.amin((2, 3), keepdim=True))
    return torch.where(make, torch.where(count > 0, band, overall), mel)
