"""Recordings made small without loss, and read again with NumPy alone.

As FLAC does it: each block of a waveform is predicted linearly from its own past, and what the prediction misses is
written in Rice codes. All blocks of a frame are decoded side by side, sample by sample, so it takes seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

BLOCK = 4096  # samples with coefficients of their own
ORDER = 32  # samples of the past that predict the next one
FINEST = 15  # bits behind the point of a coefficient, fewer where one is large; sums stay exact in float64
RICE = 64  # samples with a Rice parameter of their own
FRAME = 1024  # blocks coded together
DEEPEST = 17  # Rice parameters, from 0


def encode_samples(samples: Samples) -> dict[str, NDArray[Any]]:
    """Coded arrays, by name, of samples [N]."""
    length = len(samples)
    padded = np.concatenate([samples, np.zeros(-length % BLOCK, np.int16)]).reshape(-1, BLOCK)
    coded: dict[str, NDArray[Any]] = {"length": np.array(length)}
    for number, start in enumerate(range(0, len(padded), FRAME)):
        blocks = padded[start : start + FRAME].astype(np.float64)
        weights, points = _weights(blocks)
        residual = (blocks - _predict(blocks, _scaled(weights, points))).astype(np.int64)
        arrays: dict[str, NDArray[Any]] = {"weights": weights, "points": points, **_rice(residual)}
        coded |= {f"{number}-{name}": value for name, value in arrays.items()}
    return coded


def decode_samples(coded: Mapping[str, NDArray[Any]]) -> Samples:
    """The samples [N] that `encode` was given."""
    length = int(coded["length"])
    names = ("weights", "points", "depths", "low", "high")
    frames = [tuple(coded[f"{number}-{name}"] for name in names) for number in range(-(-length // (BLOCK * FRAME)))]
    if len(frames) < 2:
        pieces = [_frame(*frame) for frame in frames]
    else:
        # A fork needs to import nothing; elsewhere it is not safe beside other threads.
        context = get_context("fork" if sys.platform == "linux" else "spawn")
        with ProcessPoolExecutor(min(len(frames), os.cpu_count() or 1), context) as pool:
            pieces = list(pool.map(_frame, *zip(*frames, strict=True)))
    return np.concatenate(pieces)[:length] if pieces else np.zeros(0, np.int16)


def _frame(
    weights: NDArray[np.int16],
    points: NDArray[np.int8],
    depths: NDArray[np.uint8],
    low: NDArray[np.uint8],
    high: NDArray[np.uint8],
) -> Samples:
    return _restore(_unrice(depths, low, high).reshape(-1, BLOCK), _scaled(weights, points))


def _weights(blocks: NDArray[np.float64]) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """Prediction coefficients [B, ORDER] of blocks [B, BLOCK], in fixed point, the most recent sample's first; and how
    many bits of them are behind the point [B]."""
    taper = np.minimum(1.0, 4 * np.minimum(np.arange(BLOCK) + 1, np.arange(BLOCK, 0, -1)) / BLOCK)
    window = np.sin(taper * np.pi / 2) ** 2
    spectrum = np.abs(np.fft.rfft(blocks * window, 2 * BLOCK)) ** 2
    likeness = np.fft.irfft(spectrum)[:, : ORDER + 1]
    likeness[:, 0] = likeness[:, 0] * (1 + 1e-8) + 1e-3  # silence has no coefficients
    lag = np.abs(np.arange(ORDER)[:, None] - np.arange(ORDER))
    found = np.linalg.solve(likeness[:, lag], likeness[:, 1:, None])[..., 0]
    points = (14 - np.ceil(np.log2(np.abs(found).max(1).clip(2**-16)))).clip(max=FINEST).astype(np.int8)
    return np.round(found * np.exp2(points.astype(np.float64))[:, None]).clip(-32768, 32767).astype(np.int16), points


def _scaled(weights: NDArray[np.int16], points: NDArray[np.int8]) -> NDArray[np.float64]:
    """The coefficients as numbers."""
    return weights / np.exp2(points.astype(np.float64))[:, None]


def _predict(blocks: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the coefficients make of each sample's past, in whole numbers; before a block is silence."""
    past = np.concatenate([np.zeros((len(blocks), ORDER)), blocks], axis=1)
    total = np.zeros_like(blocks)
    for lag in range(ORDER):
        total += weights[:, lag : lag + 1] * past[:, ORDER - 1 - lag : ORDER - 1 - lag + BLOCK]
    return np.floor(total + 0.5)


def _restore(residual: NDArray[np.int64], weights: NDArray[np.float64]) -> Samples:
    past = np.zeros((ORDER + BLOCK, len(residual)))  # time first: a step touches neighbours in memory
    oldest_first = np.ascontiguousarray(weights.T[::-1])
    for t, missed in enumerate(residual.T.astype(np.float64)):
        total = np.einsum("ob,ob->b", oldest_first, past[t : t + ORDER])
        past[ORDER + t] = missed + np.floor(total + 0.5)
    return past[ORDER:].T.astype(np.int16).reshape(-1)


def _rice(residual: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """`depths` [n]: the Rice parameter of each stretch; `low`: that many low bits of each value, stretches of one
    depth together; `high`: what is above them, counted in zeros before a one."""
    values = np.where(residual < 0, -2 * residual - 1, 2 * residual).reshape(-1, RICE)
    costs = np.stack([(values >> depth).sum(1) + RICE * depth for depth in range(DEEPEST)])
    depths = costs.argmin(0).astype(np.uint8)
    bits = []
    for depth in range(1, DEEPEST):
        chosen = values[depths == depth]
        bits.append(((chosen[..., None] >> np.arange(depth)) & 1).astype(np.uint8).reshape(-1))
    counts = (values >> depths[:, None]).reshape(-1)
    ones = np.cumsum(counts + 1) - 1
    high = np.zeros(int(ones[-1]) + 1, np.uint8)
    high[ones] = 1
    return {"depths": depths, "low": np.packbits(np.concatenate(bits)), "high": np.packbits(high)}


def _unrice(depths: NDArray[np.uint8], low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.int64]:
    ones = np.flatnonzero(np.unpackbits(high))[: len(depths) * RICE]
    values = (np.diff(ones, prepend=-1) - 1).reshape(-1, RICE) << depths[:, None]
    bits, at = np.unpackbits(low), 0
    for depth in range(1, DEEPEST):
        chosen = np.flatnonzero(depths == depth)
        size = len(chosen) * RICE * depth
        found = bits[at : at + size].reshape(len(chosen), RICE, depth).astype(np.int64)
        values[chosen] += (found << np.arange(depth)).sum(-1)
        at += size
    return np.where(values & 1, -(values + 1) // 2, values // 2)
