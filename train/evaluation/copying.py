"""Does a take copy a training clip? The best correlation of their mels over all lags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

COPY = 0.95
PART = 128  # mels whose spectra are held at once
SHORTEST = 31  # frames (half a second): shorter clips resemble every click

Mel = NDArray[np.float32]  # [mels, frames], log10


def best_correlations(takes: Sequence[Mel], clips: Sequence[Mel], device: torch.device | str = "cpu") -> Mel:
    """Pearson correlation of each take with each clip at the lag where it is largest, [takes, clips].

    A clip slides along a take with all of its frames inside, so clips longer than a take should be cut first; takes
    shorter than a clip, and clips below half a second, give -1.
    """
    out = np.full((len(takes), len(clips)), -1.0, np.float32)
    if not len(takes) or not len(clips):
        return out
    longest = max(mel.shape[1] for mel in (*takes, *clips))
    size = 1 << (2 * longest - 1).bit_length()
    clip_frames, take_frames = (np.array([mel.shape[1] for mel in mels]) for mels in (clips, takes))
    usable = np.flatnonzero(clip_frames >= SHORTEST)
    spectra = [(some, _spectra([takes[k] for k in some], size, device)) for some in _parts(np.arange(len(takes)))]
    for chosen in _parts(usable[np.argsort(clip_frames[usable], kind="stable")]):
        norms = np.array([float(np.linalg.norm(clips[k] - clips[k].mean())) for k in chosen])
        slid = _spectra([clips[k] for k in chosen], size, device).conj()
        for some, spectrum in spectra:
            # One small matrix product for each frequency: bands are summed over.
            products = torch.fft.irfft((spectrum @ slid.mT).permute(1, 2, 0), n=size).cpu().numpy()  # [T, K, lags]
            for row, take in enumerate(some):
                found = _best(takes[take], products[row], norms, clip_frames[chosen])
                out[take, chosen] = np.where(clip_frames[chosen] <= take_frames[take], found, -1.0)
    return out


def _parts(indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [indices[k : k + PART] for k in range(0, len(indices), PART)]


def _spectra(mels: list[Mel], size: int, device: torch.device | str) -> Tensor:
    """Each without its mean, [frequencies, N, mels]."""
    stacked = torch.zeros(len(mels), mels[0].shape[0], max(mel.shape[1] for mel in mels))
    for row, mel in zip(stacked, mels, strict=True):
        row[:, : mel.shape[1]] = torch.from_numpy(mel - mel.mean())
    return torch.fft.rfft(stacked.to(device), n=size).permute(2, 0, 1)


def _best(take: Mel, products: Mel, norms: NDArray[np.float64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Best correlation of one take [mels, T] with clips, from their products at every lag [K, lags] -> [K]."""
    bands, frames = take.shape
    centred = (take - take.mean()).astype(np.float64)
    total = np.concatenate([[0.0], centred.sum(0).cumsum()])
    squares = np.concatenate([[0.0], np.square(centred).sum(0).cumsum()])
    best = np.full(len(lengths), -1.0)
    for length in np.unique(lengths[lengths <= frames]):
        sums = total[length:] - total[:-length]
        energy = squares[length:] - squares[:-length] - np.square(sums) / (length * bands)
        same = np.flatnonzero(lengths == length)
        scale = np.sqrt(np.maximum(energy, 1e-9)) * norms[same, None]
        best[same] = (products[same, : len(energy)] / np.maximum(scale, 1e-9)).max(axis=1)
    return best.clip(-1, 1)
