"""HiFi-GAN generator (Kong et al., arXiv 2010.05646): the paper's vocoder (Sec. 5.2).

`Level` and `Generator` are the frame that BigVGAN shares; only the activations differ.
"""

from __future__ import annotations

from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm as add_weight_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from maa.config.vocoders import BigvganConfig, HifiganConfig

SLOPE = 0.1  # of every leaky ReLU but the last one, which keeps PyTorch's 0.01 as the authors' does
Self = TypeVar("Self", bound="Generator")


class ResidualBlock(nn.Module):
    """Pairs of convolutions, one dilated and one plain, each pair with a residual: [B, C, N] -> [B, C, N]."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)
            for dilation in dilations
        )
        self.plain = nn.ModuleList(nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class Level(nn.Module):
    """One upsampling step, then the mean of residual blocks with different kernels (multi-receptive-field fusion)."""

    def __init__(self, config: HifiganConfig | BigvganConfig, index: int, block: type[ResidualBlock]) -> None:
        super().__init__()
        rate, kernel = config.rates[index], config.kernels[index]
        if (kernel - rate) % 2:
            raise ValueError(f"The vocoder's kernel {kernel} and rate {rate} should differ by an even number.")
        inputs, channels = config.channels >> index, config.channels >> index + 1
        self.up = nn.ConvTranspose1d(inputs, channels, kernel, rate, padding=(kernel - rate) // 2)
        self.blocks = nn.ModuleList(block(channels, size, config.dilations) for size in config.block_kernels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(x)
        total = self.blocks[0](x)
        for block in self.blocks[1:]:
            total = total + block(x)
        return total / len(self.blocks)


class Generator(nn.Module):
    """Mel [B, 80, T] or [B, 1, 80, T], in the units it was trained on, to a waveform [B, 256 * T] in [-1, 1].

    Weight norm helps training only: `weight_norm=True` adds it, `fold()` turns the weights into plain ones for saving
    and inference. Checkpoints hold plain weights.
    """

    block: type[ResidualBlock]

    def __init__(self, config: HifiganConfig | BigvganConfig, mels: int = 80, weight_norm: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv1d(mels, config.channels, 7, padding=3)
        self.levels = nn.ModuleList(Level(config, index, self.block) for index in range(len(config.rates)))
        self.last = nn.Conv1d(config.channels >> len(config.rates), 1, 7, padding=3)
        for layer in [*_convolutions(self.levels), self.last]:
            nn.init.normal_(layer.weight, std=0.01)
        if weight_norm:
            for layer in _convolutions(self):
                add_weight_norm(layer)

    def before_level(self, x: Tensor) -> Tensor:
        """The activation in front of each upsampling step."""
        raise NotImplementedError

    def before_last(self, x: Tensor) -> Tensor:
        """The activation in front of the last convolution."""
        raise NotImplementedError

    def forward(self, mel: Tensor) -> Tensor:
        x = self.first(mel[:, 0] if mel.ndim == 4 else mel)
        for level in self.levels:
            x = level(self.before_level(x))
        return self.last(self.before_last(x)).tanh()[:, 0]

    def fold(self: Self) -> Self:
        """Replace weight norm by the weights it stands for, in place; gives back the same module."""
        for layer in _convolutions(self):
            if is_parametrized(layer, "weight"):
                remove_parametrizations(layer, "weight")
        return self


class HifiganGenerator(Generator):
    """HiFi-GAN: leaky ReLUs between the convolutions."""

    block = ResidualBlock

    def before_level(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, SLOPE)

    def before_last(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x)


def _convolutions(module: nn.Module) -> list[nn.Conv1d | nn.ConvTranspose1d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d)]
