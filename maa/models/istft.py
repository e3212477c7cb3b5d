"""Inverse-STFT vocoder: mel frames to magnitude and phase, then one inverse transform (Vocos, arXiv 2306.00814).

All its layers run at frame rate, so on a CPU it costs a sixtieth of HiFi-GAN V1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import AudioSpec
from maa.config.vocoders import IstftConfig
from maa.models.stft import wave_of


class ConvNextBlock(nn.Module):
    """Depth-wise convolution, then two point-wise layers, with a small learned gain on the residual."""

    def __init__(self, width: int, expansion: int, gain: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand = nn.Linear(width, expansion * width)
        self.contract = nn.Linear(expansion * width, width)
        self.gain = nn.Parameter(torch.full((width,), gain))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.depthwise(x).transpose(1, 2))
        h = self.gain * self.contract(F.gelu(self.expand(h)))
        return x + h.transpose(1, 2)


class IstftVocoder(nn.Module):
    """Mel [B, 1, 80, T] or [B, 80, T] in the vocoder's units to a waveform [B, hop * T], about ±1."""

    window: Tensor

    def __init__(self, config: IstftConfig, spec: AudioSpec) -> None:
        super().__init__()
        self.spec = spec
        self.embed = nn.Conv1d(spec.mels, config.width, 7, padding=3)
        self.norm_in = nn.LayerNorm(config.width, eps=1e-6)
        blocks = (ConvNextBlock(config.width, config.expansion, 1.0 / config.layers) for _ in range(config.layers))
        self.blocks = nn.Sequential(*blocks)
        self.norm_out = nn.LayerNorm(config.width, eps=1e-6)
        self.head = nn.Linear(config.width, spec.n_fft + 2)
        self.register_buffer("window", torch.hann_window(spec.n_fft), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        return wave_of(self.spectrum(mel), self.window, self.spec)

    def spectrum(self, mel: Tensor) -> Tensor:
        """Complex [B, bins, T] whose inverse is the waveform; neighbouring frames need not agree."""
        mel = mel[:, 0] if mel.ndim == 4 else mel
        h = self.norm_in(self.embed(mel).transpose(1, 2)).transpose(1, 2)
        h = self.norm_out(self.blocks(h).transpose(1, 2))
        log_magnitude, phase = self.head(h).transpose(1, 2).float().chunk(2, dim=1)
        magnitude = log_magnitude.exp().clamp_max(1e2)  # a runaway bin must not overflow the sum
        return torch.polar(magnitude, phase)
