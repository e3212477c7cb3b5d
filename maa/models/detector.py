"""Recording or generated: a small network over log-mel spectrograms of one second (paper App. G).

What it must not go by is taken away before it hears: level, length, rate and the top of the band (see `Windows`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.dsp import slaney_filterbank

RATE = 16_000  # Hz of everything it hears
N_FFT, HOP, MELS = 512, 160, 64
LOW, HIGH = 60.0, 7_000.0  # Hz; where filters of other rates and codecs end is above
SECONDS = 1.0  # of a window
DEPTH = 6.0  # decades of power below a window's loudest cell that are heard: 60 dB; files differ in their noise floors
AUDIBLE = 1e-3  # of a sound's loudest window, in power: quieter ones are not heard


@dataclass(frozen=True)
class DetectorConfig:
    """Sizes of a detector."""

    channels: tuple[int, ...] = (16, 32, 48, 64)
    dropout: float = 0.2


class Windows(nn.Module):
    """Sound to log-mel windows that say nothing of level or length.

    Windows of one second, evenly spaced over the whole sound, without those that are 30 dB below its loudest. In each,
    everything more than 60 dB below its loudest cell is cut off, and the mean over the window is taken away.
    """

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        filters = torch.from_numpy(slaney_filterbank(RATE, N_FFT, MELS, LOW, HIGH)).float()
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, wave: Tensor, most: int = 8) -> Tensor:
        """wave [n] at 16 kHz, any level -> [W, MELS, T], W at most `most`; 0 where it is shorter than a window."""
        size = round(SECONDS * RATE)
        if wave.shape[0] < size:
            return wave.new_zeros(0, MELS, 1 + size // HOP)
        wave = wave - wave.mean()
        count = min(most, max(1, 2 * wave.shape[0] // size - 1))
        starts = [round(k * (wave.shape[0] - size) / max(1, count - 1)) for k in range(count)]
        parts = torch.stack([wave[at : at + size] for at in starts])
        power = parts.square().mean(1)
        parts = parts[power > max(AUDIBLE * float(power.max()), 0.0)]
        if not len(parts):
            return wave.new_zeros(0, MELS, 1 + size // HOP)
        return self.level_free(parts)

    def level_free(self, parts: Tensor) -> Tensor:
        """Windows [W, n] to log10 mel power [W, MELS, T] without their level."""
        spectrum = torch.stft(parts, N_FFT, HOP, window=self.window, return_complex=True)
        power = self.filters @ torch.view_as_real(spectrum).square().sum(-1)
        top = power.amax(dim=(1, 2), keepdim=True).clamp_min(1e-30)
        mel = (power / top).clamp_min(10**-DEPTH).log10()
        return mel - mel.mean(dim=(1, 2), keepdim=True)


class Detector(nn.Module):
    """Log-mel windows to one number each: above 0 = rather generated."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        widths = [1, *config.channels]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in config.channels)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(2 * config.channels[-1], 1)

    def forward(self, windows: Tensor) -> Tensor:
        """[W, MELS, T] of `Windows` -> logits [W]."""
        x = windows[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.avg_pool2d(F.relu(norm(convolution(x))), 2)
        x = x.mean(dim=2)  # over frequency: [W, C, T]
        return self.out(self.dropout(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)))[:, 0]


def probability(logits: Tensor) -> float:
    """A sound's windows' logits [W] as one probability that it is generated, 0 to 1; NaN for no window."""
    return float(torch.sigmoid(logits.mean())) if len(logits) else math.nan
