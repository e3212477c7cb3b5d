"""The vocoder of a configuration."""

from __future__ import annotations

from torch import nn

from maa.config import AudioSpec
from maa.config.vocoders import BigvganConfig, HifiganConfig, VocoderConfig
from maa.models.bigvgan import BigvganGenerator
from maa.models.hifigan import HifiganGenerator
from maa.models.istft import IstftVocoder


def build_vocoder(config: VocoderConfig, audio: AudioSpec, *, weight_norm: bool = False) -> nn.Module:
    """A vocoder with fresh weights: mel [B, 1, mels, T] in the vocoder's units to waveform [B, hop * T].

    Args:
        config: which kind, and its sizes.
        audio: the mel it reads.
        weight_norm: keep weight norm in place, as in training and in published files; for GAN vocoders.
    """
    if isinstance(config, HifiganConfig):
        return HifiganGenerator(config, audio.mels, weight_norm)
    if isinstance(config, BigvganConfig):
        return BigvganGenerator(config, audio.mels, weight_norm)
    return IstftVocoder(config, audio)
