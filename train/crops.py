"""Random stretches of real recordings, for the stages that need sound without words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data import Library


def fill(wave: NDArray[np.float32], length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A stretch of `length` samples: a random part of a long recording, a short one repeated with little gaps."""
    if len(wave) >= length:
        start = int(rng.integers(0, len(wave) - length + 1))
        return wave[start : start + length]
    out = np.zeros(length, np.float32)
    at = int(rng.integers(0, max(1, min(len(wave), length - len(wave)) // 4 + 1)))
    while at < length:
        part = wave[: length - at]
        out[at : at + len(part)] += part
        at += len(wave) + int(rng.integers(0, 1 + min(8000, max(1600, len(wave) // 2))))
    return out


def crops(
    library: Library, indices: NDArray[np.int64], batch: int, length: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Waveforms [batch, length]: single recordings, a third of them mixed with a second one, at varied loudness."""
    out = np.zeros((batch, length), np.float32)
    for row in out:
        row[:] = fill(library.wave(int(rng.choice(indices))), length, rng)
        if rng.random() < 0.33:
            row += 10 ** rng.uniform(-0.75, 0.0) * fill(library.wave(int(rng.choice(indices))), length, rng)
        row *= 10 ** rng.uniform(-0.8, 0.1)
        peak = np.abs(row).max()
        if peak > 0.99:
            row *= 0.99 / peak
    return out
