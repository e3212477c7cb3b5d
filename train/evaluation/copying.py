"""Does a take copy a training clip? The best correlation of their mels over all lags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

COPY = 0.95
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
    shapes = np.array([clip.shape[1] for clip in clips])
    usable = np.flatnonzero(shapes >= SHORTEST)
    for first in range(0, len(usable), 128):
        chosen = usable[first : first + 128]
        centred = [clips[k] - clips[k].mean() for k in chosen]
        norms = torch.tensor([float(np.sqrt(np.square(c).sum())) for c in centred], device=device)
        spectra = torch.fft.rfft(_stack(centred, longest, device), n=size)  # [K, mels, F]
        for number, take in enumerate(takes):
            lengths = shapes[chosen]
            fits = lengths <= take.shape[1]
            if fits.any():
                best = _slide(torch.from_numpy(take).to(device), spectra, norms, lengths, size)
                out[number, chosen[fits]] = best[fits]
    return out


def _stack(mels: list[Mel], frames: int, device: torch.device | str) -> Tensor:
    out = torch.zeros(len(mels), mels[0].shape[0], frames)
    for row, mel in zip(out, mels, strict=True):
        row[:, : mel.shape[1]] = torch.from_numpy(mel)
    return out.to(device)


def _slide(take: Tensor, clips: Tensor, norms: Tensor, lengths: NDArray[np.int64], size: int) -> Mel:
    """Best correlation of one take [mels, T] with the clips' spectra [K, mels, F] -> [K]."""
    spectrum = torch.fft.rfft(take - take.mean(), n=size)
    products = torch.fft.irfft((spectrum[None] * clips.conj()).sum(dim=1), n=size)  # [K, lags]
    frames = take.shape[1]
    centred = (take - take.mean()).double()
    total = torch.nn.functional.pad(centred.sum(0).cumsum(0), (1, 0))
    squares = torch.nn.functional.pad(centred.square().sum(0).cumsum(0), (1, 0))
    best = np.full(len(lengths), -1.0, np.float32)
    for k, length in enumerate(lengths.tolist()):
        if length <= frames:
            windows = frames - length + 1
            sums = total[length:] - total[:-length]
            energy = squares[length:] - squares[:-length] - sums.square() / (length * take.shape[0])
            scale = (energy.clamp_min(1e-9).sqrt() * norms[k]).clamp_min(1e-9)
            best[k] = float((products[k, :windows] / scale).max().clamp(-1, 1))
    return best
