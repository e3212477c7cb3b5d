"""Discriminators: windows of a mel (paper Sec. 3.4), periods, scales and resolutions of a wave (HiFi-GAN, BigVGAN).

Each takes a batch and returns, for each of its members, scores and the features behind them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

Judgements = list[tuple[Tensor, list[Tensor]]]  # scores and features, one entry per member

SLOPE = 0.1
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # BigVGAN's: transform, hop, window in samples
MEAN, DEVIATION = -2.5, 1.2  # of log10 mels, roughly: one that first has to learn an offset learns nothing else


class MelDiscriminator(nn.Module):
    """Three halving convolutions over a stretch of mel [B, 1, 80, W], then scores of patches [B, 1, 10, W / 8]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [1, width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, mel: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Mel [B, 1, 80, W] -> scores [B, 1, 10, W / 8] and features."""
        mel = (mel - MEAN) / DEVIATION
        features = []
        for layer in self.layers:
            mel = F.leaky_relu(layer(mel), 2 * SLOPE)
            features.append(mel)
        return self.score(mel), features


class MultiWindowDiscriminator(nn.Module):
    """Discriminators of random stretches of 32, 64 and 128 frames (Sec. 3.4): each sees its own length of context.

    No norm layers: they would hide the level of a stretch, and a gradient penalty has to see single samples.
    """

    def __init__(self, width: int = 64, windows: tuple[int, ...] = (32, 64, 128)) -> None:
        super().__init__()
        self.windows = windows
        self.members = nn.ModuleList(MelDiscriminator(width) for _ in windows)

    def starts(self, frames: int, rng: np.random.Generator) -> Tensor:
        """Where each window begins in a mel of `frames`, int64 [windows]; the same for the real and the made mel."""
        return torch.tensor([int(rng.integers(0, max(0, frames - window) + 1)) for window in self.windows])

    def forward(self, mel: Tensor, starts: Tensor) -> Judgements:
        """Mel [B, 1, 80, T]; a window longer than T sees all of it. `starts` lies on the mel's device and is read
        there."""
        frames = torch.arange(mel.shape[-1], device=mel.device)
        windows = zip(self.members, self.windows, starts.unbind(), strict=True)
        return [member(mel.index_select(3, frames[:window] + start)) for member, window, start in windows]


class PeriodDiscriminator(nn.Module):
    """Every `period`-th sample of a wave, as columns (HiFi-GAN, Sec. 2.3)."""

    def __init__(self, period: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.period = period
        strides = [3] * (len(widths) - 1) + [1]
        sizes = zip(pairwise((1, *widths)), strides, strict=True)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (stride, 1), padding=(2, 0))) for (a, b), stride in sizes
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Wave [B, L] -> scores [B, 1, rows, period] and features."""
        wave = F.pad(wave[:, None], (0, -wave.shape[-1] % self.period), mode="reflect")
        h = wave.unflatten(2, (-1, self.period))  # [B, 1, L / period, period]
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features


class ScaleDiscriminator(nn.Module):
    """Grouped convolutions over a wave, or over its average-pooled version (HiFi-GAN, Sec. 2.3)."""

    def __init__(self, width: int, spectral: bool) -> None:
        super().__init__()
        norm = spectral_norm if spectral else weight_norm
        # Channels over the width, kernel, stride, groups.
        plan = ((1, 15, 1, 1), (1, 41, 2, 4), (2, 41, 2, 16), (4, 41, 4, 16), (8, 41, 4, 16), (8, 41, 1, 16))
        layers = []
        before = 1
        for after, kernel, stride, groups in plan:
            channels = after * width
            divides = groups if before % groups == 0 and channels % groups == 0 else 1
            layers.append(norm(nn.Conv1d(before, channels, kernel, stride, kernel // 2, groups=divides)))
            before = channels
        layers.append(norm(nn.Conv1d(before, before, 5, padding=2)))
        self.layers = nn.ModuleList(layers)
        self.score = norm(nn.Conv1d(before, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Wave [B, L] -> scores [B, 1, steps] and features."""
        h, features = wave[:, None], []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features


class ResolutionDiscriminator(nn.Module):
    """Convolutions over a wave's magnitudes at one resolution (UnivNet, arXiv 2106.07889; BigVGAN's second kind)."""

    window: Tensor

    def __init__(self, width: int, size: int, hop: int, span: int) -> None:
        """size, hop, span: of the transform, and of its window, in samples."""
        super().__init__()
        self.size, self.hop = size, hop
        self.register_buffer("window", torch.hann_window(span), persistent=False)
        kernels = (((3, 9), 1), ((3, 9), 2), ((3, 9), 2), ((3, 9), 2), ((3, 3), 1))
        layers = []
        for index, (kernel, stride) in enumerate(kernels):
            padding = (kernel[0] // 2, kernel[1] // 2)
            layers.append(weight_norm(nn.Conv2d(width if index else 1, width, kernel, (1, stride), padding)))
        self.layers = nn.ModuleList(layers)
        self.score = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Wave [B, L] -> scores [B, 1, bins, steps] and features."""
        h, features = self.magnitudes(wave)[:, None], []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), SLOPE)
            features.append(h)
        return self.score(h), features

    def magnitudes(self, wave: Tensor) -> Tensor:
        """Wave [B, L] -> [B, bins, L / hop]."""
        padding = (self.size - self.hop) // 2
        with torch.autocast(wave.device.type, enabled=False):
            padded = F.pad(wave.float()[:, None], (padding, padding), mode="reflect")[:, 0]
            spectrum = torch.stft(
                padded, self.size, self.hop, len(self.window), self.window, center=False, return_complex=True
            )
            return (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()


class WaveDiscriminator(nn.Module):
    """HiFi-GAN V1's discriminators, of periods and of scales, or BigVGAN's, of periods and of resolutions.

    Args:
        width: 128 gives the sizes of both papers.
        resolutions: the second kind of BigVGAN's.
    """

    def __init__(self, width: int = 128, resolutions: bool = False) -> None:
        super().__init__()
        widths = (width // 4, width, 4 * width, 8 * width, 8 * width)
        self.periods = nn.ModuleList(PeriodDiscriminator(period, widths) for period in (2, 3, 5, 7, 11))
        self.scales, self.resolutions = nn.ModuleList(), nn.ModuleList()
        if resolutions:
            self.resolutions.extend(ResolutionDiscriminator(width // 4, *plan) for plan in RESOLUTIONS)
        else:
            self.scales.extend(ScaleDiscriminator(width, spectral=index == 0) for index in range(3))

    def forward(self, wave: Tensor) -> Judgements:
        """Wave [B, L]: five periods, then three scales or three resolutions."""
        judged = [member(wave) for member in (*self.periods, *self.resolutions)]
        for index, member in enumerate(self.scales):
            if index:
                wave = F.avg_pool1d(wave[:, None], 4, stride=2, padding=2)[:, 0]
            judged.append(member(wave))
        return judged
