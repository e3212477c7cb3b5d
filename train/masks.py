"""Masks to train inpainting on: frame spans (wav2vec 2.0) and irregular strokes and boxes (paper Sec. 4.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def frame_spans(mels: int, frames: int, share: float, rng: np.random.Generator, span: int = 32) -> Mask:
    """Spans of whole frames that cover about `share` of the clip, after wav2vec 2.0's span sampling."""
    mask = np.zeros(frames, bool)
    starts = max(1, round(-np.log1p(-min(share, 0.95)) * frames / span))  # overlaps leave the wanted share covered
    for start in rng.integers(-span // 2, frames - span // 2, starts):
        mask[max(0, start) : max(0, start + span)] = True
    return np.repeat(mask[None], mels, 0)


def one_span(mels: int, frames: int, rng: np.random.Generator) -> Mask:
    """One hole of whole frames, 0.3 s to half of the clip: what people paint most."""
    width = int(rng.integers(20, max(21, frames // 2)))
    start = int(rng.integers(0, max(1, frames - width)))
    mask = np.zeros((mels, frames), bool)
    mask[:, start : start + width] = True
    return mask


def irregular(mels: int, frames: int, rng: np.random.Generator) -> Mask:
    """Boxes and dilated polygonal chains of any aspect (LaMa's thick masks, scaled to the mel)."""
    mask = np.zeros((mels, frames), bool)
    for _ in range(int(rng.integers(1, 4))):
        width, height = int(rng.integers(16, frames // 3)), int(rng.integers(8, mels + 1))
        at, low = int(rng.integers(0, frames - width + 1)), int(rng.integers(0, mels - height + 1))
        mask[low : low + height, at : at + width] = True
    for _ in range(int(rng.integers(0, 3))):
        _stroke(mask, rng)
    return mask


def _stroke(mask: Mask, rng: np.random.Generator) -> None:
    mels, frames = mask.shape
    rows, columns = np.arange(mels)[:, None], np.arange(frames)[None]
    row, column = rng.uniform(0, mels), rng.uniform(0, frames)
    radius = rng.uniform(4, 16)
    for _ in range(int(rng.integers(2, 6))):
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(20, 120)
        for step in np.linspace(0, 1, max(2, int(length / radius))):
            r, c = row + step * length * np.sin(angle) * 0.4, column + step * length * np.cos(angle)
            mask |= (rows - r) ** 2 + ((columns - c) / 2) ** 2 <= radius**2
        row = float(np.clip(row + length * np.sin(angle) * 0.4, 0, mels))
        column = float(np.clip(column + length * np.cos(angle), 0, frames))
