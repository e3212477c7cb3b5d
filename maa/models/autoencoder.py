"""Spectrogram autoencoder: mel to a small latent and back (paper Sec. 3.4, Table 6).

`encode` and `decode` own the latent scale: nobody else multiplies by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maa.config import AutoencoderConfig
from maa.models.blocks import SpatialAttention, Upsample, activated, group_norm
from maa.models.tiles import convolved

EPS = 1e-6


class ResnetBlock(nn.Module):
    """Two normalised 3x3 convolutions with a residual."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.norm_in = group_norm(channels_in, EPS)
        self.conv_in = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm_out = group_norm(channels, EPS)
        self.conv_out = nn.Conv2d(channels, channels, 3, padding=1)
        self.skip = nn.Identity() if channels_in == channels else nn.Conv2d(channels_in, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = convolved(self.conv_in, activated(self.norm_in, x))
        h = convolved(self.conv_out, activated(self.norm_out, h))
        return self.skip(x) + h


class PaddedDownsample(nn.Module):
    """Halve both sides; padding at the far end only, as in latent diffusion."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


def _level(channels_in: int, channels: int, blocks: int, attention: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(blocks):
        layers.append(ResnetBlock(channels_in if index == 0 else channels, channels))
        if attention:
            layers.append(SpatialAttention(channels))
    return nn.Sequential(*layers)


def _middle(channels: int, attention: bool) -> nn.Sequential:
    attend: list[nn.Module] = [SpatialAttention(channels)] if attention else []
    return nn.Sequential(ResnetBlock(channels, channels), *attend, ResnetBlock(channels, channels))


class Encoder(nn.Module):
    """Mel [B, 1, 80, T] to the posterior's moments [B, 2 * latent, 10, T / 8]."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = [config.channels * m for m in config.multipliers]
        self.conv_in = nn.Conv2d(1, config.channels, 3, padding=1)
        self.levels = nn.ModuleList()
        self.downsamples = nn.ModuleList()
        for level, (before, width) in enumerate(pairwise([config.channels, *widths])):
            self.levels.append(_level(before, width, config.res_blocks, level in config.attention_levels))
            last = level == len(widths) - 1
            self.downsamples.append(nn.Identity() if last else PaddedDownsample(width))
        self.middle = _middle(widths[-1], config.middle_attention)
        self.norm_out = group_norm(widths[-1], EPS)
        self.conv_out = nn.Conv2d(widths[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, mel: Tensor) -> Tensor:
        h = self.conv_in(mel)
        for blocks, downsample in zip(self.levels, self.downsamples, strict=True):
            h = downsample(blocks(h))
        return self.conv_out(activated(self.norm_out, self.middle(h)))


class Decoder(nn.Module):
    """Latent [B, latent, 10, T / 8] to mel [B, 1, 80, T]. Level 0 is the finest; the forward pass walks down to it."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        widths = [config.channels * m for m in config.multipliers]
        self.conv_in = nn.Conv2d(config.latent_channels, widths[-1], 3, padding=1)
        self.middle = _middle(widths[-1], config.middle_attention)
        self.levels = nn.ModuleList()
        self.upsamples = nn.ModuleList()
        for level, (width, before) in enumerate(pairwise([*widths, widths[-1]])):
            self.levels.append(_level(before, width, config.res_blocks + 1, level in config.attention_levels))
            self.upsamples.append(nn.Identity() if level == 0 else Upsample(width))
        self.norm_out = group_norm(widths[0], EPS)
        self.conv_out = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.middle(self.conv_in(z))
        for blocks, upsample in zip(reversed(self.levels), reversed(self.upsamples), strict=True):
            h = upsample(blocks(h))
        return self.conv_out(activated(self.norm_out, h))


@dataclass(frozen=True)
class Posterior:
    """Diagonal Gaussian over unscaled latents, both [B, latent, 10, T / 8]."""

    mean: Tensor
    logvar: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw with the reparameterisation trick, from a generator of the CPU where one is given."""
        if generator is None:
            noise = torch.randn_like(self.mean)
        else:
            noise = torch.randn(self.mean.shape, generator=generator).to(self.mean)
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl(self) -> Tensor:
        """KL divergence to the standard normal, summed over a sample: [B]."""
        per_cell = self.mean.square() + self.logvar.exp() - 1.0 - self.logvar
        return 0.5 * per_cell.flatten(1).sum(1)


class Autoencoder(nn.Module):
    """The pair of networks with the latent scale inside."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        latent = config.latent_channels
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * latent, 2 * latent, 1)
        self.post_quant_conv = nn.Conv2d(latent, latent, 1)

    def posterior(self, mel: Tensor) -> Posterior:
        """Mel [B, 1, 80, T], T a multiple of 8, to the unscaled posterior."""
        factor = self.config.factor
        if mel.ndim != 4 or mel.shape[1] != 1 or mel.shape[2] % factor or mel.shape[3] % factor:
            raise ValueError(f"Expected a mel [batch, 1, {factor}k, {factor}k], got {tuple(mel.shape)}.")
        mean, logvar = self.quant_conv(self.encoder(mel)).chunk(2, dim=1)
        return Posterior(mean, logvar.clamp(-30.0, 20.0))

    def encode(self, mel: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Mel [B, 1, 80, T] to the diffusion network's latent [B, latent, 10, T / 8].

        It is the posterior's mean; with a generator of the CPU, a draw from the posterior.
        """
        posterior = self.posterior(mel)
        latent = posterior.mean if generator is None else posterior.sample(generator)
        return latent * self.config.latent_scale

    def decode(self, z: Tensor) -> Tensor:
        """Inverse of `encode`."""
        return self.decoder(self.post_quant_conv(z / self.config.latent_scale))
