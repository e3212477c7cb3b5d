"""Loops: sounds whose end goes on into their beginning, and the marks that tell a sampler so."""

from __future__ import annotations

import struct

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from maa.audio.carried import Carried
from maa.audio.sound import resample

SEAM = 0.02  # seconds in which the end passes into what lies before the beginning, where both are the same sound
CUT = 0.1  # seconds of the same where the circle is longer than what was asked for
TRIED = 16  # places for a cut of which the calmest is chosen
WINDOW, HOP = 512, 128  # samples of the spectra that tell how calm a place is


def closed(circle: NDArray[np.float32], before: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """circle [takes, n] whose end passes into `before` [takes, m], another rendering of what lies there."""
    count = min(round(SEAM * rate), circle.shape[1] // 4, before.shape[1])
    share = (np.arange(count, dtype=np.float32) + 0.5) / max(1, count)
    out, end = circle.copy(), circle.shape[1] - count
    out[:, end:] = (1 - share) * out[:, end:] + share * before[:, before.shape[1] - count :]
    return out


def cut_circle(circle: NDArray[np.float32], length: int, rate: int, grid: int) -> tuple[NDArray[np.float32], int]:
    """A loop of `length` samples from a circle [n] that is at least as long, and the multiple of `grid` it begins at.

    A loop may begin anywhere, so it does where little changes. What is too much of the circle is left out where it is
    missed least: where what lies before the beginning and the loop's own end differ least, which is in a pause or
    between two stretches that resemble each other. There one passes into the other.
    """
    over = circle.size - length
    if over == 0:
        places = np.arange(0, circle.size, grid)
        begin = int(places[np.argmin(_unrest(circle)[places // HOP])])
        return np.roll(circle, -begin), begin
    count = min(round(CUT * rate), length // 4)
    apart = np.square(np.roll(circle, over) - circle)  # each sample and the one that would take its place
    apart = np.concatenate([apart, apart[: count - 1]])
    missed = np.convolve(apart, np.ones(count), mode="valid")[: circle.size]  # of the stretch from each sample on
    places = np.arange(-(-count // grid) * grid, circle.size, grid)
    best = places[np.argsort(missed[places - count], kind="stable")[:TRIED]]
    loops = [_joined(np.roll(circle, -begin), length, count) for begin in best]
    calmest = int(np.argmin([_unrest(loop)[0] for loop in loops]))
    return loops[calmest], int(best[calmest])


def _joined(circle: NDArray[np.float32], length: int, count: int) -> NDArray[np.float32]:
    """The first `length` samples, the last `count` of which pass into the circle's own last ones."""
    angle = np.pi / 2 * (np.arange(count, dtype=np.float32) + 0.5) / max(1, count)
    out, end = circle[:length].copy(), length - count
    out[end:] = np.cos(angle) * out[end:] + np.sin(angle) * circle[circle.size - count :]
    return out


def _unrest(loop: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the spectrum changes around every `HOP`-th sample of a loop [n]: the most of the frames that hold it."""
    around = WINDOW // HOP
    long = np.concatenate([loop[-WINDOW - HOP :], loop, loop[:WINDOW]]) if loop.size > 2 * WINDOW else np.tile(loop, 9)
    frames = np.hanning(WINDOW) * sliding_window_view(long, WINDOW)[::HOP]
    spectra = np.log(np.abs(np.fft.rfft(frames)) + 1e-4)
    change = np.maximum(np.diff(spectra, axis=0), 0).sum(axis=1)
    return sliding_window_view(change, around + 1).max(axis=1)[: -(-loop.size // HOP)]


def resampled(samples: NDArray[np.float32], old: int, new: int) -> NDArray[np.float32]:
    """A loop [channels, n] at another rate: the filter hears its end before its beginning."""
    long = np.pad(samples, ((0, 0), (old, old)), mode="wrap")  # whole seconds are whole samples at every rate
    count = -(-samples.shape[1] * new // old)
    return resample(long, old, new)[:, new : new + count]


def loop_marks(count: int, rate: int) -> Carried:
    """The `smpl` chunk of a WAV file of `count` samples that are repeated for ever (RIFF MCI 1991)."""
    head = struct.pack("<9I", 0, 0, round(1e9 / rate), 60, 0, 0, 0, 1, 0)  # one loop, at the pitch of middle C
    return Carried(behind=((b"smpl", head + struct.pack("<6I", 0, 0, 0, count - 1, 0, 0)),))
