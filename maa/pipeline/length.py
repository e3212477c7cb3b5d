"""Lengths: mel frames for a number of samples, and exactly that number of samples from what was generated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maa.config import ModelConfig


def frames_for(config: ModelConfig, samples: int, longest: int = 0) -> int:
    """Mel frames to generate for a length: the next multiple of 16, but 10 s stays within the trained 9.984 s.

    Args:
        longest: latent columns that may be run at once (`Sampler.longest`): with more than the trained ones 10 s is
            generated whole.
    """
    spec, multiple = config.audio, config.frame_multiple
    if longest <= config.latent_cells[1] and spec.samples < samples <= round(10.0 * spec.sample_rate):
        return spec.frames
    return -(-samples // (spec.hop * multiple)) * multiple


def fit_length(waves: NDArray[np.float32], length: int, rate: int) -> NDArray[np.float32]:
    """Cut [takes, n] to `length` samples; a wave that is a little short fades out over what is missing."""
    have = waves.shape[1]
    if have >= length:
        return waves[:, :length]
    short = length - have
    out = np.zeros((len(waves), length), np.float32)
    out[:, :have] = waves
    fade = min(have, max(short, rate // 100))
    out[:, have - fade : have] *= np.cos(np.linspace(0.0, np.pi / 2, fade, dtype=np.float32)) ** 2
    return out
