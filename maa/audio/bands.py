"""Some bands of a sound replaced for some time: the part of a splice where a mask leaves other bands alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maa.audio.mask import row_of
from maa.audio.pcm import Samples
from maa.config import AudioSpec

_CHUNK = 1 << 19  # samples that are transformed at once, so that memory does not grow with the sound


def weights(cells: NDArray[np.bool_], spec: AudioSpec, hertz: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """How much of each frequency is replaced in each frame: [frequencies, frames], 0 to 1.

    Linear between the centres of two bands, so a painted edge is feathered over one band, half of it on either side.
    What lies above or below all bands goes with the outermost one.

    Args:
        cells: [mels, frames], True = make new.
        hertz: frequencies in ascending order, Hz.
    """
    at = np.clip(row_of(hertz, spec) - 0.5, 0, spec.mels - 1)
    low = np.minimum(np.floor(at).astype(int), spec.mels - 2)
    part = (at - low)[:, None].astype(np.float32)
    return np.asarray((1 - part) * cells[low] + part * cells[low + 1], dtype=np.float32)


def blended(
    old: Samples,
    new: NDArray[np.float32],
    rate: int,
    cells: NDArray[np.bool_],
    spec: AudioSpec,
    start: float,
) -> NDArray[np.float32]:
    """istft(M * stft(new - old)): what to add to `old` so that the bands in `cells` come from `new`.

    The window is as long as the mel front end's, at the sound's own rate.

    Args:
        old: [channels, n], the source with sound beside the span, so that nothing is cut at the span's edges.
        new: [channels, n], aligned with it.
        rate: Hz.
        cells: [mels, frames], True = from `new`; frames that lie outside `old` do not matter.
        start: second of the sound at which `old` begins.

    Returns:
        [channels, n].
    """
    hop = max(1, round(spec.n_fft / spec.sample_rate * rate / 4))
    share = weights(cells, spec, np.fft.rfftfreq(4 * hop, 1 / rate))

    def gains(samples: NDArray[np.float64]) -> NDArray[np.float32]:
        return _at(share, (start + samples / rate) / spec.frame_seconds)

    def change(channel: int, part: slice) -> NDArray[np.float32]:
        return np.asarray(new[channel, part] - old[channel, part], dtype=np.float32)

    return filtered(change, (old.shape[0], old.shape[1]), 4 * hop, gains)


def filtered(
    change: Callable[[int, slice], NDArray[np.float32]],
    shape: tuple[int, int],
    size: int,
    gains: Callable[[NDArray[np.float64]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """istft(gains * stft(change)), a stretch at a time, so that memory does not grow with the sound.

    Args:
        change: the samples [n] of a channel in a part of the sound.
        shape: (channels, samples).
        size: samples of the window, a multiple of four.
        gains: [size / 2 + 1, frames] for frames in whose middle these samples [frames] lie.

    Returns:
        [channels, samples].
    """
    import torch

    hop, (channels, count) = size // 4, shape
    window = torch.hann_window(size)
    added = np.empty(shape, np.float32)
    for first, stop, lead, tail in _chunks(count, size):
        part = slice(first - lead, stop + tail)
        middles = first - lead + hop * np.arange(1 + (stop + tail - first + lead) // hop, dtype=np.float64)
        gain = torch.from_numpy(gains(middles))
        for channel in range(channels):
            wave = torch.from_numpy(change(channel, part))
            padded = torch.nn.functional.pad(wave, (0, max(0, size - len(wave))))
            spectrum = torch.stft(padded, size, hop, window=window, pad_mode="constant", return_complex=True)
            fitting = torch.nn.functional.pad(gain, (0, max(0, spectrum.shape[1] - gain.shape[1])))
            spectrum = spectrum * fitting[:, : spectrum.shape[1]]
            back = torch.istft(spectrum, size, hop, window=window, length=len(padded))[: len(wave)]
            added[channel, first:stop] = back[lead : lead + stop - first].numpy()
    return added


def _chunks(count: int, size: int) -> Iterator[tuple[int, int, int, int]]:
    """(first, stop, samples before it, samples behind it) of each stretch; neighbours overlap by a whole window."""
    step = max(size, _CHUNK // (size // 4) * (size // 4))  # whole hops, so that every stretch has the same frames
    for first in range(0, count, step):
        stop = min(first + step, count)
        yield first, stop, min(first, 2 * size), min(count - stop, 2 * size)


def _at(columns: NDArray[np.float32], frames: NDArray[np.float64]) -> NDArray[np.float32]:
    """Columns [bins, frames] read at fractional frames: linear between the middles of two, zero beyond both ends."""
    padded = np.pad(columns, ((0, 0), (1, 1)))
    at = np.clip(frames + 0.5, 0, padded.shape[1] - 1)  # the middle of frame k lies at k + 0.5, one column is padding
    low = np.minimum(np.floor(at).astype(int), padded.shape[1] - 2)
    part = (at - low).astype(np.float32)
    return np.asarray((1 - part) * padded[:, low] + part * padded[:, low + 1], dtype=np.float32)


def gate(count: int, fade: int, fades: tuple[bool, bool]) -> NDArray[np.float32]:
    """1 over a span of `count` samples, with raised-cosine ends of `fade` samples where asked."""
    shape = np.ones(count, np.float32)
    ramp = (0.5 - 0.5 * np.cos(math.pi * (np.arange(fade) + 0.5) / max(1, fade))).astype(np.float32)
    if fades[0]:
        shape[:fade] = ramp
    if fades[1]:
        shape[count - fade :] *= ramp[::-1]
    return shape
