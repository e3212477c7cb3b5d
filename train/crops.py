"""Random stretches of real recordings, for the stages that need sound without words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from train.data import Library
    from train.loop import Draw


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


class Crops:
    """Waveforms of one length: single recordings, a third of them mixed with a second one, at varied loudness."""

    def __init__(self, library: Library, split: str, length: int) -> None:
        self.library, self.length = library, length
        self.indices = library.indices(split)

    def of(self, draw: Draw, batch: int) -> NDArray[np.float32]:
        """This process's `batch` rows of a step's batch, [batch, length]; a sample is the same in any process."""
        return np.stack([self.one(draw.rng(1, i)) for i in draw.samples(batch)])

    def batch(self, samples: Iterable[int], rng: np.random.Generator) -> NDArray[np.float32]:
        """As many waveforms as there are samples, [samples, length]."""
        return np.stack([self.one(rng) for _ in samples])

    def one(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """One waveform [length] within ±1."""
        row = self._recording(rng).copy()
        if rng.random() < 0.33:
            row += np.float32(10 ** rng.uniform(-0.75, 0.0)) * self._recording(rng)
        row *= np.float32(10 ** rng.uniform(-0.8, 0.1))
        peak = float(np.abs(row).max(initial=0.0))
        return row * np.float32(0.99 / peak) if peak > 0.99 else row

    def _recording(self, rng: np.random.Generator) -> NDArray[np.float32]:
        return fill(self.library.wave(int(rng.choice(self.indices))), self.length, rng)
