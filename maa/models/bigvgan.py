"""BigVGAN generator (Lee et al., arXiv 2206.04658): the vocoder that the authors' published weights come with.

HiFi-GAN's frame with periodic activations, each at twice the rate between two low-pass filters so that what it adds
does not alias.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from maa.config.vocoders import BigvganConfig
from maa.models.hifigan import Generator, ResidualBlock

TAPS = 12  # of the low-pass filter, at the doubled rate
SPAN = 16  # samples that one row of the filter matrices makes at once
CHUNK = 1 << 18  # samples in flight: at four times that many floats the activation stays in the processor's cache


def low_pass() -> Tensor:
    """The Kaiser-windowed sinc [12], float64, that keeps the lower half of the doubled rate's band."""
    half_width = 0.3  # of the transition, in cycles per sample
    attenuation = 2.285 * (TAPS // 2 - 1) * math.pi * 4 * half_width + 7.95  # dB; Kaiser's rule, 51 here
    window = torch.kaiser_window(TAPS, periodic=False, beta=0.1102 * (attenuation - 8.7), dtype=torch.float64)
    taps = window * torch.sinc(0.5 * (torch.arange(TAPS, dtype=torch.float64) - (TAPS - 1) / 2))
    return taps / taps.sum()


def doubling() -> Tensor:
    """[SPAN + 6, 2 * SPAN]: samples -3 .. SPAN + 2 to twice as many, by the taps that zero-stuffing leaves over."""
    taps, matrix = 2 * low_pass(), torch.zeros(SPAN + 6, 2 * SPAN, dtype=torch.float64)
    for index in range(SPAN):
        matrix[index : index + 6, 2 * index] = taps[1::2].flip(0)
        matrix[index + 1 : index + 7, 2 * index + 1] = taps[0::2].flip(0)
    return matrix.float()


def halving() -> Tensor:
    """[2 * SPAN + 10, SPAN]: samples -5 .. 2 * SPAN + 4 to half as many, every second one of the filtered."""
    taps, matrix = low_pass(), torch.zeros(2 * SPAN + 10, SPAN, dtype=torch.float64)
    for index in range(SPAN):
        matrix[2 * index : 2 * index + TAPS, index] = taps
    return matrix.float()


def rows(x: Tensor, reach: int, span: int) -> Tensor:
    """Cut [B, C, N] into rows of `span` samples and `reach` more on either side; the ends are repeated."""
    before, after = x[..., :1].expand(-1, -1, reach), x[..., -1:].expand(-1, -1, reach + -x.shape[2] % span)
    return torch.cat([before, x, after], dim=2).unfold(2, span + 2 * reach, span)


class Snake(nn.Module):
    """x + sin^2(a x) / b per channel (log-scale a and b), free of aliasing: [B, C, N] -> [B, C, N].

    Both filters are matrix products over overlapping rows: exact, and for ten seconds about three times as fast as the
    depthwise convolutions they stand for. Groups of channels, which know nothing of one another, go through by turns.
    """

    doubled: Tensor
    halved: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("doubled", doubling(), persistent=False)
        self.register_buffer("halved", halving(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        frequency, height = self.alpha.exp()[:, None], 1.0 / (self.beta.exp() + 1e-9)[:, None]
        group = max(1, CHUNK // (x.shape[0] * x.shape[2])) if x.device.type == "cpu" else x.shape[1]
        parts = zip(x.split(group, 1), frequency.split(group), height.split(group), strict=True)
        return torch.cat([self._activate(*part) for part in parts], dim=1)

    def _activate(self, x: Tensor, frequency: Tensor, height: Tensor) -> Tensor:
        length = x.shape[2]
        fast = (rows(x, 3, SPAN) @ self.doubled).flatten(2)[..., : 2 * length]
        fast = torch.addcmul(fast, (fast * frequency).sin_().square_(), height)
        return (rows(fast, 5, 2 * SPAN) @ self.halved).flatten(2)[..., :length]


class PeriodicBlock(ResidualBlock):
    """HiFi-GAN's residual block with a `Snake` in front of every convolution."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__(channels, kernel, dilations)
        self.before_dilated = nn.ModuleList(Snake(channels) for _ in dilations)
        self.before_plain = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for first, dilated, second, plain in zip(
            self.before_dilated, self.dilated, self.before_plain, self.plain, strict=True
        ):
            x = x + plain(second(dilated(first(x))))
        return x


class BigvganGenerator(Generator):
    """BigVGAN: no activation in front of the upsampling steps, a `Snake` in front of the last convolution."""

    block = PeriodicBlock

    def __init__(self, config: BigvganConfig, mels: int = 80, weight_norm: bool = False) -> None:
        super().__init__(config, mels, weight_norm)
        self.snake = Snake(config.channels >> len(config.rates))

    def before_level(self, x: Tensor) -> Tensor:
        return x

    def before_last(self, x: Tensor) -> Tensor:
        return self.snake(x)
