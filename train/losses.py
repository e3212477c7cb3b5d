"""Reconstruction losses of the waveform stages."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RESOLUTIONS = ((256, 64), (512, 128), (1024, 256), (2048, 512))  # window and hop in samples


class MultiResolutionStft(nn.Module):
    """Spectral convergence plus log-magnitude distance, averaged over window sizes (arXiv 1910.11480, Eq. 4-6)."""

    def __init__(self, resolutions: tuple[tuple[int, int], ...] = RESOLUTIONS) -> None:
        super().__init__()
        self.resolutions = resolutions
        for size, _ in resolutions:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Waveforms [B, L] each to a scalar."""
        total = made.new_zeros(())
        for size, hop in self.resolutions:
            a, b = (self._magnitude(x, size, hop) for x in (made, real))
            convergence = (b - a).norm() / b.norm().clamp_min(1e-6)
            total = total + convergence + (a.log() - b.log()).abs().mean()
        return total / len(self.resolutions)

    def _magnitude(self, wave: Tensor, size: int, hop: int) -> Tensor:
        window = self.get_buffer(f"window_{size}")
        spectrum = torch.stft(wave, size, hop, window=window, return_complex=True)
        return (spectrum.real.square() + spectrum.imag.square() + 1e-7).sqrt()
