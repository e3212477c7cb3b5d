"""The sizes of the vocoders.

A further one is a class here, with its place in the union below, its network, and a line in `maa.models.vocoders`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RefineConfig:
    """How a vocoder's waveform is led to the magnitudes of its mel (`maa.models.refine`)."""

    rounds: int = 12  # of fast Griffin-Lim
    momentum: float = 0.99  # of these; 0 = plain
    share: float = 0.3  # of the vocoder's magnitudes in the start, 0..1; the rest is the mel's smooth envelope
    updates: int = 20  # of the non-negative least squares


@dataclass(frozen=True)
class IstftConfig:
    """Inverse-STFT vocoder: ConvNeXt blocks at frame rate, then magnitude and phase (Vocos, arXiv 2306.00814)."""

    kind: Literal["istft"] = "istft"
    width: int = 384
    layers: int = 8
    expansion: int = 3
    refine: RefineConfig | None = None  # None = its waveform as it is


@dataclass(frozen=True)
class HifiganConfig:
    """HiFi-GAN generator (arXiv 2010.05646), V1 at 512 channels: the paper's vocoder (Sec. 5.2)."""

    kind: Literal["hifigan"] = "hifigan"
    channels: int = 512
    rates: tuple[int, ...] = (8, 8, 2, 2)
    kernels: tuple[int, ...] = (16, 16, 4, 4)
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    refine: RefineConfig | None = None  # None = its waveform as it is, as the paper's


@dataclass(frozen=True)
class BigvganConfig:
    """BigVGAN generator (arXiv 2206.04658), 112 M: the vocoder of the authors' published weights."""

    kind: Literal["bigvgan"] = "bigvgan"
    channels: int = 1536
    rates: tuple[int, ...] = (4, 4, 2, 2, 2, 2)
    kernels: tuple[int, ...] = (8, 8, 4, 4, 4, 4)
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)


VocoderConfig = IstftConfig | HifiganConfig | BigvganConfig
