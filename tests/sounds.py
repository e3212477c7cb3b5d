"""A small vocabulary for tests about sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sine_wave(
    frequency: float = 440.0, seconds: float = 1.0, rate: int = 16_000, channels: int = 1, peak: float = 0.5
) -> NDArray[np.float32]:
    """A sine [channels, samples]; channel c has the phase of c quarter turns, so channels can be told apart."""
    turns = frequency * np.arange(round(seconds * rate)) / rate
    phases = np.arange(channels)[:, None] / 4
    return (peak * np.sin(2 * np.pi * (turns[None] + phases))).astype(np.float32)


def assert_audio_valid(samples: NDArray[np.floating], seconds: float | None = None, rate: int = 16_000) -> None:
    """Sound [..., samples]: finite, within full scale, neither silent nor constant, and as long as asked."""
    assert samples.size, "no samples"
    assert np.isfinite(samples).all(), "NaN or infinity"
    assert np.abs(samples).max() <= 1.0, f"peak {np.abs(samples).max():.3f} is over full scale"
    assert samples.std() > 1e-5, "silence"
    if seconds is not None:
        assert samples.shape[-1] == round(seconds * rate), f"{samples.shape[-1] / rate:.4f} s, not {seconds} s"
